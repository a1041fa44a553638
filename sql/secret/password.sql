-- password: hashes of passwords, by pgcrypto's bcrypt.

CREATE FUNCTION steward_internal.password_cost() RETURNS integer
AS 'MODULE_PATHNAME', 'steward_password_cost_setting' LANGUAGE C STABLE;
COMMENT ON FUNCTION steward_internal.password_cost() IS
'Returns the setting steward.password_cost.';

-- pgcrypto may be in any schema, and in another one tomorrow.
CREATE FUNCTION steward_internal.password_crypt(password text, salt text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema constant text := (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pgcrypto');
    hash text;
BEGIN
    IF salt IS NULL THEN
        EXECUTE format('SELECT %1$s.crypt($1, %1$s.gen_salt(''bf'', $2))', schema) INTO hash USING password, steward_internal.password_cost();
    ELSE
        EXECUTE format('SELECT %s.crypt($1, $2)', schema) INTO hash USING password, salt;
    END IF;
    RETURN hash;
END $$;
COMMENT ON FUNCTION steward_internal.password_crypt(text, text) IS
'Returns the hash of a password with the salt of another one, or by bcrypt with a new salt.';

CREATE FUNCTION steward.password_hash(password text) RETURNS text
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- neither the message nor its context may have it in it
    IF password = '' THEN
        RAISE invalid_parameter_value USING MESSAGE = 'password must not be empty';
    ELSIF octet_length(convert_to(password, 'UTF8')) > 72 THEN
        RAISE string_data_right_truncation USING
            MESSAGE = 'password is longer than 72 bytes',
            DETAIL = 'bcrypt would leave out the rest, with which many passwords would be the same.',
            HINT = 'Refuse it where it is entered.';
    END IF;
    RETURN steward_internal.password_crypt(password, NULL);
END $$;
COMMENT ON FUNCTION steward.password_hash(text) IS
'Returns a hash by which password_verify() knows a password again, of 60 characters; raises 22001 for more than 72 bytes and 22023 for none.';

CREATE FUNCTION steward.password_verify(password text, hash text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- other libraries name the same algorithm otherwise; what begins like no hash, crypt() could take for an old and quick one
    known constant text := CASE WHEN hash ~ '^(\$2|\$1\$|_)' THEN regexp_replace(hash, '^\$2[by]\$', '$2a$') END;
    -- for users that are not there as much is done as for others
    nobody constant text := '$2a$' || lpad(steward_internal.password_cost()::text, 2, '0') || '$......................';
    is_possible boolean := coalesce(password <> '' AND octet_length(convert_to(password, 'UTF8')) <= 72 AND known IS NOT NULL, false);
    computed text;
BEGIN
    BEGIN
        computed := steward_internal.password_crypt(left(coalesce(password, ''), 72), coalesce(known, nobody));
    EXCEPTION WHEN invalid_parameter_value OR external_routine_invocation_exception THEN
        is_possible := false;
        computed := steward_internal.password_crypt('', nobody);
    END;
    -- digests, so that it takes no longer for hashes that begin alike
    RETURN is_possible AND sha256(convert_to(computed, 'UTF8')) = sha256(convert_to(known, 'UTF8'));
END $$;
COMMENT ON FUNCTION steward.password_verify(text, text) IS
'Returns whether a hash is that of a password; false for a hash that is null, after as long a time.';

CREATE FUNCTION steward.password_needs_rehash(hash text) RETURNS boolean
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN coalesce(substring(hash, '^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$')::integer < steward_internal.password_cost(), true);
COMMENT ON FUNCTION steward.password_needs_rehash(text) IS
'Returns whether a hash is not of bcrypt, or cheaper than steward.password_cost: it is replaced when its user logs in the next time.';
