\echo Use "CREATE EXTENSION pg_steward CASCADE" to load this file. \quit

-- Fails if there is one: whoever owned it could have functions of theirs called in place of ours.
CREATE SCHEMA steward;
COMMENT ON SCHEMA steward IS
'Extension pg_steward: audit log, self-keeping columns, tenant isolation and monitoring.';
-- Everybody may name what stands in the schema: migrations attach the triggers.
-- What may be read or called is granted object by object.
GRANT USAGE ON SCHEMA steward TO PUBLIC;

-- What the manual does not name, and may change with any version.
CREATE SCHEMA steward_internal;
COMMENT ON SCHEMA steward_internal IS
'What pg_steward is made of; nothing in it is meant to be called or read by others.';
-- Views and functions of schema steward use it as whoever calls them.
GRANT USAGE ON SCHEMA steward_internal TO PUBLIC;

CREATE FUNCTION steward_internal.keep_schema() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing constant name := (SELECT s FROM unnest('{steward,steward_internal}'::name[]) s WHERE to_regnamespace(s::text) IS NULL);
BEGIN
    IF missing IS NOT NULL THEN
        RAISE feature_not_supported USING
            MESSAGE = format('schema "%s" cannot be renamed', missing),
            DETAIL = 'The functions of extension pg_steward find their tables in it by name.';
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward_internal.keep_schema() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.keep_schema() IS
'Raises 0A000 if a schema of the extension has been renamed.';

CREATE EVENT TRIGGER steward_keep_schema ON ddl_command_end
    WHEN TAG IN ('ALTER SCHEMA')
    EXECUTE FUNCTION steward_internal.keep_schema();
ALTER EVENT TRIGGER steward_keep_schema ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_keep_schema IS
'Keeps the schemas of the extension from being renamed.';

CREATE FUNCTION steward_internal.watch_ddl() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_watch_ddl';
REVOKE ALL ON FUNCTION steward_internal.watch_ddl() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.watch_ddl() IS
'Loads the library before commands that may rename or drop something, so that the arguments of triggers follow.';

-- CASCADE takes columns along with a type, a function or a collation; ALTER VIEW renames those of tables, too
CREATE EVENT TRIGGER steward_watch_ddl ON ddl_command_start
    WHEN TAG IN ('ALTER FOREIGN TABLE', 'ALTER MATERIALIZED VIEW', 'ALTER SCHEMA', 'ALTER TABLE', 'ALTER TYPE', 'ALTER VIEW',
                 'DROP AGGREGATE', 'DROP COLLATION', 'DROP DOMAIN', 'DROP EXTENSION', 'DROP FOREIGN TABLE', 'DROP FUNCTION', 'DROP LANGUAGE',
                 'DROP MATERIALIZED VIEW', 'DROP OPERATOR', 'DROP OWNED', 'DROP PROCEDURE', 'DROP ROUTINE', 'DROP SCHEMA', 'DROP TABLE',
                 'DROP TYPE', 'DROP VIEW')
    EXECUTE FUNCTION steward_internal.watch_ddl();
ALTER EVENT TRIGGER steward_watch_ddl ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_watch_ddl IS
'Has the arguments of triggers follow columns that are renamed or dropped.';

CREATE VIEW steward_internal.extension_members AS
SELECT d.classid AS class_id, d.objid AS object_id
  FROM pg_depend d
 WHERE d.deptype = 'e';
COMMENT ON VIEW steward_internal.extension_members IS
'The objects that extensions brought, which are not the user''s to mend.';
GRANT SELECT ON steward_internal.extension_members TO PUBLIC;

-- The tables that ALTER TABLE without ONLY would reach.
CREATE FUNCTION steward_internal.table_members(relation regclass,
    OUT member regclass, OUT qualified_name text, OUT depth integer, OUT is_partition boolean) RETURNS SETOF record
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE members AS (
        SELECT relation::oid AS oid, 0 AS depth, false AS is_partition
         UNION
        SELECT i.inhrelid, m.depth + 1, c.relispartition
          FROM members m
          JOIN pg_inherits i ON i.inhparent = m.oid
          JOIN pg_class c ON c.oid = i.inhrelid
          JOIN pg_class p ON p.oid = i.inhparent AND (c.relpersistence <> 't' OR p.relpersistence = 't')
    )
    SELECT m.oid::regclass, format('%I.%I', CASE c.relpersistence WHEN 't' THEN 'pg_temp' ELSE n.nspname END, c.relname), max(m.depth), bool_or(m.is_partition)
      FROM members m
      JOIN pg_class c ON c.oid = m.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     GROUP BY m.oid, n.nspname, c.relname, c.relpersistence
     ORDER BY max(m.depth), n.nspname, c.relname;
END;
COMMENT ON FUNCTION steward_internal.table_members(regclass) IS
'Returns a table, its partitions and its inheritance children.';

CREATE FUNCTION steward_internal.check_owner(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    owner constant oid := (SELECT c.relowner FROM pg_class c WHERE c.oid = relation);
BEGIN
    IF owner IS NULL THEN
        RAISE undefined_table USING MESSAGE = format('relation with OID %s does not exist', relation::oid);
    END IF;
    IF NOT pg_has_role(owner, 'USAGE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('must be owner of table %s', relation),
            HINT = format('SET ROLE %I;', pg_get_userbyid(owner));
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.check_owner(regclass) IS
'Raises 42501 unless the current role owns the table, and 42P01 if there is none.';

CREATE FUNCTION steward_internal.check_owners(relation regclass) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF relation IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'table must not be null';
    END IF;
    PERFORM steward_internal.check_owner(relation);
    PERFORM steward_internal.check_owner(m.member) FROM steward_internal.table_members(relation) m;
END $$;
COMMENT ON FUNCTION steward_internal.check_owners(regclass) IS
'Raises 42501 unless the current role owns a table and all below it; 22004 or 42P01 if there is none.';

CREATE FUNCTION steward_internal.check_column(relation regclass, column_name name, definition text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_owners(relation);
    IF column_name IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'column must not be null';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE undefined_column USING
            MESSAGE = format('column "%s" of table %s does not exist', column_name, relation),
            HINT = format('ALTER TABLE %s ADD COLUMN %I %s;', relation, column_name, definition);
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.check_column(regclass, name, text) IS
'Raises 42703 if a table lacks a column, with the command that adds it, and what check_owners() raises.';

CREATE FUNCTION steward_internal.check_roles(roles name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    role_name name;
BEGIN
    IF roles IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'list of roles must not be null';
    END IF;
    FOREACH role_name IN ARRAY roles LOOP
        IF role_name IS NULL THEN
            RAISE null_value_not_allowed USING MESSAGE = 'list of roles must not contain null';
        ELSIF to_regrole(quote_ident(role_name)) IS NULL THEN
            RAISE undefined_object USING
                MESSAGE = format('role "%s" does not exist', role_name),
                HINT = format('CREATE ROLE %I;', role_name);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.check_roles(name[]) IS
'Raises 42704 if one of the roles does not exist, and 22004 for null.';

CREATE FUNCTION steward_internal.object_name(prefix text, subject text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN octet_length(prefix || subject) < 64 THEN prefix || subject
            -- the cast cuts between characters, and leaves nine bytes for the hash
            ELSE substr(('#########' || prefix || subject)::name::text, 10) || '_' || left(md5(subject), 8) END;
COMMENT ON FUNCTION steward_internal.object_name(text, text) IS
'Returns a name made of two parts, with a hash where that is too long.';

CREATE FUNCTION steward_internal.name_list(columns name[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN (SELECT string_agg(quote_ident(c.name), ',' ORDER BY c.place) FROM unnest(columns) WITH ORDINALITY c(name, place));
COMMENT ON FUNCTION steward_internal.name_list(name[]) IS
'Returns names as a trigger''s argument has them: quoted where needed, separated by commas.';

CREATE FUNCTION steward_internal.run_commands(commands text[], dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    IF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    END IF;
    FOREACH command IN ARRAY commands LOOP
        IF NOT dry_run THEN
            EXECUTE command;
        END IF;
        RETURN NEXT CASE WHEN command LIKE '-- %' THEN command ELSE command || ';' END;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.run_commands(text[], boolean) IS
'Returns commands as psql takes them, having run them unless it is a dry run.';
