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
