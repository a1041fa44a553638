-- Who is the tenant: forging, stealing, losing and keeping the context. First the policy that people write, which leaks.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all
SET SESSION AUTHORIZATION regress_holes_app;

-- SET: any session may set a name with a dot.
SET app.tenant_id = '2';
SELECT id, secret FROM naive.account ORDER BY id;
SET steward.tenant = '2';
SET steward.user_id = 'bob';
SET steward.claims = '{"tenant": 2}';
BEGIN; SET LOCAL steward.tenant = '2'; ROLLBACK;
BEGIN; SELECT steward.tenant_set('2'); ROLLBACK;
SELECT id, secret FROM ours.account ORDER BY id;
-- after the honest token
BEGIN; SET LOCAL steward.token = :'t1'; SET LOCAL steward.tenant = '2'; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t1'; SET LOCAL app.tenant_id = '2'; SELECT id, secret FROM ours.account ORDER BY id; COMMIT;
-- what decides how it is read
SET steward.tenant_sessions = on;
SET steward.tenant_strict = off;
SET steward.tenant_claim = 'user_id';
SET steward.tenant_token_ttl = 0;
SET steward.tenant_keys_file = '/dev/null';
SET steward.tenant_keys = 'mine:mine456789abcdef0123456789abcdef';
-- who is asking
SET row_security = off;
SELECT id FROM ours.account;
RESET row_security;
SET ROLE regress_holes_gateway;
SET ROLE regress_holes_owner;
SELECT set_config('role', 'regress_holes_owner', false);

-- One injected statement that sets and reads.
SET app.tenant_id = '1';
WITH x AS MATERIALIZED (SELECT set_config('app.tenant_id', '2', false)) SELECT a.id, a.secret FROM x, naive.account a ORDER BY id;
SET app.tenant_id = '1';
SELECT id, secret FROM naive.account WHERE tenant_id = 1 UNION ALL SELECT id, secret FROM naive.account WHERE (SELECT set_config('app.tenant_id', '2', false)) = '2';
BEGIN; SET LOCAL steward.token = :'t1'; WITH x AS MATERIALIZED (SELECT set_config('steward.tenant', '2', true)) SELECT a.id, a.secret FROM x, ours.account a; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT id, secret FROM ours.account UNION ALL SELECT id, secret FROM ours.account WHERE (SELECT set_config('steward.user_id', '2', true)) = '2'; ROLLBACK;
-- even with a token of the other tenant
BEGIN; SET LOCAL steward.token = :'t1'; WITH x AS MATERIALIZED (SELECT set_config('steward.token', :'t2', true)) SELECT a.id, a.secret FROM x, ours.account a; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT id, secret FROM ours.account UNION ALL SELECT id, secret FROM ours.account WHERE set_config('steward.token', :'t2', true) IS NOT NULL; ROLLBACK;
BEGIN; SELECT steward.tenant_login(:'t1'); WITH x AS MATERIALIZED (SELECT steward.tenant_login(:'t2')) SELECT a.id, a.secret FROM x, ours.account a; ROLLBACK;
BEGIN; SELECT steward.tenant_login(:'t1'); SELECT id, secret FROM ours.account UNION ALL SELECT id, secret FROM ours.account WHERE steward.tenant_login(:'t2') IS NOT NULL; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT steward.tenant_clear(); SELECT id FROM ours.account; SELECT set_config('steward.token', :'t2', true) IS NULL; ROLLBACK;
-- and in a function: by SET, by a SET clause, behind an exception, with the savepoint rolled back
CREATE FUNCTION pg_temp.try(command text) RETURNS TABLE (id integer, secret text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE command;
        RETURN QUERY SELECT a.id, a.secret FROM ours.account a ORDER BY a.id;
        RAISE EXCEPTION SQLSTATE 'ZZ000';
    EXCEPTION WHEN OTHERS THEN
        RAISE INFO '%', CASE SQLSTATE WHEN 'ZZ000' THEN 'done' ELSE SQLERRM END;
    END;
    RETURN QUERY SELECT a.id, a.secret FROM ours.account a ORDER BY a.id;
END $$;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM pg_temp.try(format('SET LOCAL steward.token = %L', :'t2'));
SELECT * FROM pg_temp.try(format('SELECT steward.tenant_login(%L)', :'t2'));
SELECT * FROM pg_temp.try('SET LOCAL steward.tenant = 2');
SELECT * FROM pg_temp.try('RESET ALL');
SELECT * FROM pg_temp.try('SET LOCAL steward.token = ''''');
COMMIT;
SELECT format('CREATE FUNCTION pg_temp.as_two() RETURNS bigint LANGUAGE sql SET steward.token = %L RETURN (SELECT count(*) FROM ours.account)', :'t2') AS as_two \gset
:as_two;
-- as a default of the session or the role
ALTER ROLE regress_holes_app SET steward.tenant = '2';
ALTER ROLE regress_holes_app SET steward.token = :'t2';
SET steward.token = :'t2';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~ 'steward';

-- A setter that the application may call with any argument: nothing tells its caller from the tenant he names. What is left is
-- that a transaction is for one.
CREATE FUNCTION naive.log_in(tenant text) RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp RETURN set_config('app.tenant_id', tenant, false);
CREATE FUNCTION ours.log_in(tenant text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp RETURN steward.tenant_set(tenant);
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_holes_app;
SELECT rule, severity, object, detail FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'context_setter';
REVOKE EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) FROM regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
SELECT naive.log_in('1') \g /dev/null
SELECT id FROM naive.account UNION ALL SELECT id FROM naive.account WHERE naive.log_in('2') = '2';
BEGIN; SELECT ours.log_in('1'); SELECT id FROM ours.account UNION ALL SELECT id FROM ours.account WHERE ours.log_in('2') IS NOT NULL; ROLLBACK;
BEGIN; SELECT ours.log_in('1'); SELECT ours.log_in('2'); ROLLBACK;
RESET SESSION AUTHORIZATION;
-- so it asks for what only the tenant has, and the gateway's own login has the right to it
SET SESSION AUTHORIZATION regress_holes_gateway;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_app; SELECT steward.tenant_set('1'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_app; SELECT id, secret FROM ours.account ORDER BY id; COMMIT;
RESET SESSION AUTHORIZATION;

-- Forged tokens, as the application sets them: cut off anywhere, a character changed, parts of two, other keys.
CREATE FUNCTION ours.mac(text, key text) RETURNS text LANGUAGE sql RETURN $1 || '.' || translate(encode(public.hmac($1::bytea, key::bytea, 'sha256'), 'base64'), E'+/=\n', '-_');
CREATE TABLE ours.forged AS
SELECT left(:'t2', i) AS token, 'cut' AS how FROM generate_series(0, length(:'t2') - 1) i
 UNION ALL
SELECT overlay(:'t2' PLACING chr(c) FROM i FOR 1), 'changed' FROM generate_series(1, length(:'t2')) i, unnest('{43,45,46,48,61,65,95,122}'::integer[]) c WHERE substr(:'t2', i, 1) <> chr(c)
 UNION ALL
SELECT concat_ws('.', 'v1', 'holes', split_part(a, '.', 3), split_part(b, '.', 4)), 'parts of two' FROM (VALUES (:'t1', :'t2'), (:'t2', :'t1')) v (a, b)
 UNION ALL
SELECT ours.mac(regexp_replace(:'t2', '\.[^.]*$', ''), key), 'other key' FROM unnest(ARRAY['', 'holes', '0123456789abcdef0123456789abcde', '0123456789abcdef0123456789abcdef0', repeat('0123456789abcdef', 8), repeat(E'\\', 32)]) key
 UNION ALL
SELECT regexp_replace(:'t2', '^v1\.holes', h), 'other header' FROM unnest(ARRAY['v1.HOLES', 'v1.holes ', 'v1.', 'v1.*', 'v2.holes', 'v1.holes.holes', 'v1..holes', '.v1.holes', 'v1.' || repeat('h', 64), 'eyJhbGciOiJub25lIn0']) h
 UNION ALL
SELECT t, 'not a token' FROM unnest(ARRAY['.', '..', '...', repeat('.', 1000000), repeat('A', 1000000), :'t2' || repeat('.', 1000000), :'t2' || :'t2', :'t2' || ',' || :'t2', E'\x01\xC2\x80', 'v1.holes.' || repeat('e30', 330000) || '.' || repeat('A', 43)]) t;
GRANT SELECT ON ours.forged TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
CREATE FUNCTION pg_temp.forge(OUT how text, OUT tried boolean, OUT accepted bigint, OUT seen bigint, OUT told bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
    f record;
BEGIN
    FOR how IN SELECT DISTINCT o.how FROM ours.forged o ORDER BY 1 LOOP
        tried := false; accepted := 0; seen := 0; told := 0;
        FOR f IN SELECT * FROM ours.forged o WHERE o.how = forge.how LOOP
            tried := true;
            BEGIN
                PERFORM set_config('steward.token', f.token, true);
                accepted := accepted + (f.token <> '')::integer;
            EXCEPTION WHEN invalid_parameter_value THEN
                told := told + (length(f.token) > 50 AND strpos(SQLERRM, right(f.token, 10)) > 0)::integer;
            END;
            seen := seen + (SELECT count(*) FROM ours.account);
        END LOOP;
        RETURN NEXT;
    END LOOP;
END $$;
BEGIN; SELECT * FROM pg_temp.forge(); COMMIT;
RESET SESSION AUTHORIZATION;
-- secrets of more than the 72 bytes that bcrypt reads and the 64 of a block count to their end
COPY (VALUES ('long:' || repeat('x', 100) || 'A')) TO :'keys';
SET steward.tenant_keys_file = :'keys';
SELECT 'v1.long.' || split_part(:'t2', '.', 3) AS signed \gset
SELECT valid, reason FROM steward.tenant_verify(ours.mac(:'signed', repeat('x', 100) || 'A')) UNION ALL
SELECT valid, reason FROM steward.tenant_verify(ours.mac(:'signed', repeat('x', 100) || 'B')) UNION ALL
SELECT valid, reason FROM steward.tenant_verify(ours.mac(:'signed', repeat('x', 100))) UNION ALL
SELECT valid, reason FROM steward.tenant_verify(ours.mac(:'signed', repeat('x', 72)));
COPY (VALUES ('holes:0123456789abcdef0123456789abcdef')) TO :'keys';
SET steward.tenant_keys_file = :'keys';

-- Nothing said, and what a setting is after a transaction: an empty text, which is not NULL and, as a text, a tenant of its own.
CREATE TABLE naive.note (tenant_id text, note text);
CREATE TABLE ours.note (LIKE naive.note);
INSERT INTO naive.note VALUES ('', 'of nobody'), ('acme', 'of acme');
INSERT INTO ours.note TABLE naive.note;
ALTER TABLE naive.note ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON naive.note USING (tenant_id = current_setting('app.tenant', true));
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.note');
GRANT SELECT, INSERT ON naive.note, ours.note TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
SELECT count(*) FROM naive.note;
BEGIN; SET LOCAL app.tenant = 'acme'; COMMIT;
SELECT note FROM naive.note;
BEGIN; SET LOCAL app.tenant_id = '1'; COMMIT;
SELECT id FROM naive.account;
SELECT count(*) FROM ours.note;
BEGIN; SET LOCAL steward.token = :'t1'; COMMIT;
SELECT count(*) FROM ours.note;
BEGIN; SET LOCAL steward.token = ''; SELECT count(*) FROM ours.note; INSERT INTO ours.note VALUES ('', 'of nobody'); ROLLBACK;
BEGIN; SELECT steward.tenant_clear(); SELECT count(*), count(steward.current_tenant_text()) FROM ours.note; COMMIT;
SELECT count(*) FROM ours.account;
INSERT INTO ours.account VALUES (10, 1);
INSERT INTO ours.account (id) VALUES (10);
RESET SESSION AUTHORIZATION;
BEGIN; SELECT steward.tenant_set(''); ROLLBACK;
-- nor is one tenant's name another's
INSERT INTO naive.note VALUES ('Acme', 'of Acme'), ('acme ', 'of acme and a space');
CREATE COLLATION ours.same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE ours.folded AS SELECT tenant_id COLLATE ours.same AS tenant_id, note FROM naive.note;
INSERT INTO ours.note SELECT * FROM naive.note WHERE tenant_id ~ 'Acme|acme ';
ALTER TABLE ours.folded ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON ours.folded USING (steward.is_current_tenant(tenant_id));
BEGIN; SELECT steward.tenant_set('acme'); SELECT note FROM ours.folded WHERE tenant_id = 'acme'; ROLLBACK;
GRANT SELECT ON ours.folded TO regress_holes_app;
BEGIN; SELECT steward.tenant_set('acme'); SET LOCAL ROLE regress_holes_app; SELECT note FROM ours.note; SELECT note FROM ours.folded; ROLLBACK;
-- A UUID in another case is the same tenant, suspended, erased or not; a text that only looks the same is none; a number is as the server writes it.
\set uuid a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
CREATE TABLE ours.by_uuid (tenant_id uuid, secret text);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.by_uuid');
GRANT SELECT, INSERT ON ours.by_uuid TO regress_holes_app;
INSERT INTO ours.by_uuid VALUES (:'uuid', 'of a UUID');
SELECT steward.tenant_sign(upper(:'uuid')) AS upper_token \gset
BEGIN; SELECT steward.tenant_set(upper(:'uuid')); SELECT tenant FROM steward.tenant_context(); SET LOCAL ROLE regress_holes_app; SELECT secret FROM ours.by_uuid; ROLLBACK;
BEGIN; SELECT steward.tenant_set(upper(:'uuid')); SELECT steward.tenant_set(:'uuid'); SET LOCAL steward.tenant = 'A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'; ROLLBACK;
SELECT steward.tenant_create(upper(:'uuid'));
SELECT steward.tenant_create(:'uuid');
SELECT steward.tenant_suspend(:'uuid');
BEGIN; SELECT steward.tenant_set(upper(:'uuid')); ROLLBACK;
BEGIN; SET LOCAL steward.token = :'upper_token'; SET LOCAL ROLE regress_holes_app; SELECT secret FROM ours.by_uuid; INSERT INTO ours.by_uuid VALUES (:'uuid'); ROLLBACK;
SELECT steward.tenant_resume(upper(:'uuid'));
BEGIN; SET LOCAL steward.token = :'upper_token'; SET LOCAL ROLE regress_holes_app; SELECT secret FROM ours.by_uuid; ROLLBACK;
SELECT steward.tenant_suspend(upper(:'uuid'));
SELECT relation, rows FROM steward.tenant_erase(upper(:'uuid'), dry_run => false) WHERE rows > 0;
BEGIN; SET LOCAL steward.token = :'upper_token'; SET LOCAL ROLE regress_holes_app; INSERT INTO ours.by_uuid VALUES (:'uuid'); ROLLBACK;
SELECT count(*) FROM ours.by_uuid;
INSERT INTO steward.tenants (key) VALUES (upper(:'uuid'));
DELETE FROM steward.tenants;
SELECT steward.tenant_sign(U&'cafe\0301') AS decomposed, steward.tenant_sign(U&'caf\00e9') AS composed \gset
SELECT valid, reason FROM steward.tenant_verify(:'decomposed') UNION ALL SELECT valid, reason FROM steward.tenant_verify(:'composed');
BEGIN; SELECT steward.tenant_set(U&'cafe\0301'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('1', U&'cafe\0301'); ROLLBACK;
BEGIN; SET LOCAL steward.tenant = U&'cafe\0301'; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'decomposed'; ROLLBACK;
SELECT steward.tenant_create(U&'cafe\0301');
SELECT steward.tenant_suspend(U&'cafe\0301');
BEGIN; SELECT steward.tenant_set('02'); SET LOCAL ROLE regress_holes_app; SELECT count(*) FROM ours.account; INSERT INTO ours.account VALUES (10, 2); ROLLBACK;
-- A function that sets the tenant for whoever calls it, by what any session may set: it is everybody, and reported, by way of another function too.
CREATE FUNCTION ours.claim() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('request.jwt.claims', true)::json ->> 'tenant_id' $$;
CREATE FUNCTION ours.pre_claims() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_set(current_setting('request.jwt.claims', true)::json ->> 'tenant_id'); END $$;
CREATE FUNCTION ours.pre_claims_indirect() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT steward.tenant_set(ours.claim()); END;
CREATE FUNCTION ours.pre_any(setting text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN EXECUTE format('SET LOCAL steward.tenant = %L', current_setting('app.' || setting)); END $$;
CREATE FUNCTION ours.by_secret(wanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_set(a.tenant_id::text) FROM ours.account a WHERE a.secret = wanted; END $$;
CREATE FUNCTION ours.pre_user() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_set(current_setting('server_version_num')); END $$;
CREATE FUNCTION ours.not_for_all() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_set(current_setting('app.t')); END $$;
REVOKE ALL ON FUNCTION ours.not_for_all() FROM PUBLIC;
CREATE FUNCTION ours.as_caller() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM steward.tenant_set(current_setting('app.t')); END $$;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL request.jwt.claims = '{"tenant_id": 2}'; SELECT ours.pre_claims(); SELECT secret FROM ours.account; ROLLBACK;
BEGIN; SET LOCAL request.jwt.claims = '{"tenant_id": 2}'; SELECT ours.pre_claims_indirect(); SELECT secret FROM ours.account; ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT severity, object, detail, remedy FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'setter_function';
DROP FUNCTION ours.pre_claims, ours.pre_claims_indirect, ours.pre_any, ours.by_secret, ours.pre_user, ours.not_for_all, ours.as_caller, ours.claim;
-- A login that may call tenant_set() is every tenant: by stacked statements, or back at a savepoint.
SET SESSION AUTHORIZATION regress_holes_gateway;
BEGIN; SELECT steward.tenant_set('1'); COMMIT\; BEGIN\; SELECT steward.tenant_set('2'); SELECT secret FROM ours.account ORDER BY id; COMMIT;
BEGIN; SAVEPOINT s; SELECT steward.tenant_set('1'); ROLLBACK TO s; SELECT steward.tenant_set('2'); SELECT secret FROM ours.account ORDER BY id; COMMIT;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; COMMIT\; BEGIN\; SELECT steward.tenant_set('2'); ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT severity, object FROM steward.tenant_check(schemas => '{ours}', roles => '{regress_holes_app,regress_holes_gateway}') WHERE rule = 'context_setter';
-- an error instead of no rows
SET steward.tenant_strict = on;
SET ROLE regress_holes_app;
SELECT count(*) FROM ours.account;
INSERT INTO ours.account VALUES (10, 1);
\echo :LAST_ERROR_SQLSTATE
RESET ROLE; RESET steward.tenant_strict;

-- SET LOCAL, and the function, where there is no transaction block.
SET app.tenant_id = '2';
SET ROLE regress_holes_app;
SET LOCAL app.tenant_id = '1';
SELECT id, secret FROM naive.account ORDER BY id;
SET LOCAL steward.token = :'t1';
SELECT set_config('steward.token', :'t1', true);
SELECT id, secret FROM ours.account ORDER BY id;
SET ROLE regress_holes_gateway;
SELECT steward.tenant_set('1');
RESET ROLE;

-- The next one on a pooled connection.
SET SESSION AUTHORIZATION regress_holes_app;
SET app.tenant_id = '2';
SELECT id FROM naive.account ORDER BY id;
BEGIN; SET LOCAL app.tenant_id = '1'; COMMIT;
SELECT id FROM naive.account ORDER BY id;
BEGIN; SET steward.token = :'t2'; SELECT id FROM ours.account ORDER BY id; COMMIT;
SELECT id FROM ours.account ORDER BY id;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT id FROM ours.account ORDER BY id; COMMIT;
SELECT id FROM ours.account ORDER BY id;
-- resetting leaves nothing, and no setting is exempt from it
BEGIN; SET steward.token = :'t2'; RESET ALL; SELECT id FROM ours.account; COMMIT;
BEGIN; SET steward.token = :'t2'; COMMIT; DISCARD ALL; SET SESSION AUTHORIZATION regress_holes_app; SELECT id FROM ours.account;
SELECT count(*) > 5 AS many, count(*) FILTER (WHERE 'NO_RESET_ALL' = ANY (pg_settings_get_flags(name))) AS exempt
  FROM unnest('{tenant,user_id,claims,token,tenant_sessions,tenant_strict,tenant_keys_file}'::text[]) n, LATERAL (SELECT 'steward.' || n) s (name);
RESET SESSION AUTHORIZATION;
SET steward.tenant_keys_file = :'keys';

-- Savepoints, and the block of an exception, bring back what was.
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SAVEPOINT s; SET LOCAL steward.token = ''; SELECT count(*) FROM ours.account; ROLLBACK TO s; SELECT id FROM ours.account; RELEASE s; SELECT id FROM ours.account; COMMIT;
BEGIN; SAVEPOINT s; SET LOCAL steward.token = :'t2'; ROLLBACK TO s; SELECT id FROM ours.account; SET LOCAL steward.token = :'t1'; SELECT id FROM ours.account; COMMIT;
BEGIN; SAVEPOINT s; SET LOCAL steward.token = :'t1'; RELEASE s; SAVEPOINT s; SET LOCAL steward.token = :'t2'; ROLLBACK TO s; SELECT id FROM ours.account; COMMIT;

-- An open cursor goes on under another tenant.
BEGIN; SET LOCAL app.tenant_id = '1'; DECLARE c CURSOR FOR SELECT id, secret FROM naive.account ORDER BY id; FETCH 1 FROM c; SET LOCAL app.tenant_id = '2'; FETCH ALL FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; DECLARE c CURSOR FOR SELECT id, secret FROM ours.account ORDER BY id; FETCH 1 FROM c; SAVEPOINT s; SET LOCAL steward.token = :'t2'; ROLLBACK TO s; FETCH ALL FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; DECLARE c CURSOR FOR SELECT id, secret FROM ours.account ORDER BY id; SELECT steward.tenant_clear(); FETCH ALL FROM c; COMMIT;
-- but where the savepoint is older than the first tenant, the transaction is free again, for who has both tokens
SET enable_indexscan = off; SET enable_bitmapscan = off;
BEGIN; DECLARE c CURSOR FOR SELECT id FROM ours.account; SAVEPOINT s; SET LOCAL steward.token = :'t1'; FETCH 1 FROM c; ROLLBACK TO s; SET LOCAL steward.token = :'t2'; FETCH ALL FROM c; COMMIT;
RESET SESSION AUTHORIZATION;

\set ECHO none
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
