-- tenant_guard: new tables of tenants are not forgotten.

CREATE TABLE steward.tenant_guard (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mode           text NOT NULL CHECK (mode IN ('warn', 'protect', 'error')),
    tenant_columns name[] NOT NULL,
    roles          name[]
);
COMMENT ON TABLE steward.tenant_guard IS
'What the event trigger steward_tenant_guard does, if there is one.';
GRANT SELECT ON steward.tenant_guard TO PUBLIC;
SELECT pg_extension_config_dump('steward.tenant_guard', '');

CREATE FUNCTION steward.tenant_guard_column(relation oid) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.column_name
      FROM steward.tenant_guard g
     CROSS JOIN LATERAL steward.tenant_tables(g.tenant_columns, ARRAY[(SELECT c.relnamespace FROM pg_class c WHERE c.oid = relation)]) t
     WHERE t.relation_id = relation AND NOT t.row_security
       AND NOT EXISTS (SELECT FROM steward.tenant_check_muted x WHERE x.key IN ('no_rls:' || t.qualified_name, 'uncovered_partition:' || t.qualified_name));
END;
COMMENT ON FUNCTION steward.tenant_guard_column(oid) IS
'The tenant column of a table that has no row security, null for any other table, and for one whose finding "no_rls" is muted.';

-- Mode error gives a migration until the end of its transaction.
CREATE TABLE steward.tenant_guard_pending (relation_id oid NOT NULL);
COMMENT ON TABLE steward.tenant_guard_pending IS
'Tables that must be protected when this transaction commits.';

CREATE FUNCTION steward.tenant_guard_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    column_name constant name := steward.tenant_guard_column(NEW.relation_id);
BEGIN
    DELETE FROM steward.tenant_guard_pending p WHERE p.relation_id = NEW.relation_id;
    IF column_name IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('table %s has column "%s" but no row security', NEW.relation_id::regclass, column_name),
            HINT = format('SELECT steward.tenant_protect(%L, %L);', NEW.relation_id::regclass, column_name);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION steward.tenant_guard_commit() IS
'Raises 55000 if a table of tenants is to be committed without row security.';
CREATE CONSTRAINT TRIGGER steward_tenant_guard_commit AFTER INSERT ON steward.tenant_guard_pending
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steward.tenant_guard_commit();

CREATE FUNCTION steward.tenant_guard_defer(relation oid) RETURNS void
LANGUAGE sql SECURITY DEFINER STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO steward.tenant_guard_pending VALUES (relation);
END;
COMMENT ON FUNCTION steward.tenant_guard_defer(oid) IS
'Has a table looked at when this transaction commits.';

CREATE FUNCTION steward.tenant_guard_trigger() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guard steward.tenant_guard;
    found record;
BEGIN
    SELECT * INTO guard FROM steward.tenant_guard;
    FOR found IN
        -- farthest up first, since that protects what is below
        SELECT m.member AS relation, m.qualified_name, c.relkind, steward.tenant_guard_column(m.member) AS column_name
          FROM (SELECT DISTINCT d.objid FROM pg_event_trigger_ddl_commands() d
                 WHERE d.classid = 'pg_class'::regclass AND d.objsubid = 0 AND NOT d.in_extension) o
         CROSS JOIN LATERAL steward.table_members(o.objid) m
          JOIN pg_class c ON c.oid = m.member
         WHERE steward.tenant_guard_column(m.member) IS NOT NULL
         GROUP BY m.member, m.qualified_name, c.relkind
         ORDER BY max(m.depth), m.qualified_name COLLATE "C"
    LOOP
        IF guard.mode = 'error' THEN
            PERFORM steward.tenant_guard_defer(found.relation);
        ELSIF guard.mode = 'warn' OR found.relkind = 'f' THEN
            RAISE WARNING USING
                MESSAGE = format('table %s has column "%s" but no row security', found.relation, found.column_name),
                HINT = CASE found.relkind WHEN 'f' THEN format('REVOKE ALL ON %s FROM PUBLIC;', found.relation)
                                          ELSE format('SELECT steward.tenant_protect(%L, %L);', found.qualified_name, found.column_name) END;
        ELSIF steward.tenant_guard_column(found.relation) IS NOT NULL THEN
            PERFORM steward.tenant_guard_protect(found.relation, found.column_name, guard.roles);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_guard_trigger() IS
'Warns about, protects, or refuses tables of tenants that have no row security.';

CREATE FUNCTION steward.tenant_guard_protect(relation regclass, column_name name, roles name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    protected_parent regclass;
BEGIN
    WITH RECURSIVE ancestors AS (
        SELECT relation::oid AS oid, 0 AS distance
         UNION ALL
        SELECT i.inhparent, a.distance + 1 FROM ancestors a JOIN pg_inherits i ON i.inhrelid = a.oid
    )
    SELECT a.oid INTO protected_parent FROM ancestors a
     WHERE EXISTS (SELECT FROM steward.tenant_own_policies p WHERE p.relation_id = a.oid)
     ORDER BY a.distance DESC LIMIT 1;
    IF protected_parent IS NOT NULL THEN
        PERFORM steward.tenant_protect_partitions(protected_parent);
        RETURN;
    END IF;
    BEGIN
        PERFORM steward.tenant_protect(relation, column_name, roles);
    EXCEPTION WHEN not_null_violation THEN
        -- a column that was added to a table with rows
        RAISE WARNING USING
            MESSAGE = format('table %s is not protected: rows have no "%s"', relation, column_name),
            HINT = format('Give them one, then SELECT steward.tenant_protect(%L, %L);', relation, column_name);
    END;
END $$;
COMMENT ON FUNCTION steward.tenant_guard_protect(regclass, name, name[]) IS
'Protects a table as what it is a partition or child of, or else by its tenant column.';

CREATE FUNCTION steward.tenant_guard_enable(mode text DEFAULT 'warn', tenant_columns name[] DEFAULT '{tenant_id}', roles name[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (mode IN ('warn', 'protect', 'error')) IS NOT TRUE THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('invalid mode "%s"', mode),
            HINT = 'Valid modes are warn, protect and error.';
    ELSIF coalesce(cardinality(tenant_columns), 0) = 0 OR array_position(tenant_columns, NULL) IS NOT NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'tenant_columns must name columns',
            HINT = 'SELECT steward.tenant_guard_enable(tenant_columns => ''{tenant_id}'');';
    ELSIF roles IS NOT NULL AND roles <> '{public}' THEN
        PERFORM steward.upkeep_check_roles(roles);
    END IF;
    INSERT INTO steward.tenant_guard AS g VALUES (true, mode, tenant_columns, roles)
        ON CONFLICT (only_row) DO UPDATE SET mode = excluded.mode, tenant_columns = excluded.tenant_columns, roles = excluded.roles;
    IF NOT EXISTS (SELECT FROM pg_event_trigger t WHERE t.evtname = 'steward_tenant_guard') THEN
        CREATE EVENT TRIGGER steward_tenant_guard ON ddl_command_end
            WHEN TAG IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE', 'CREATE SCHEMA',
                         'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE', 'IMPORT FOREIGN SCHEMA')
            EXECUTE FUNCTION steward.tenant_guard_trigger();
    END IF;
    ALTER EVENT TRIGGER steward_tenant_guard ENABLE ALWAYS;
END $$;
REVOKE ALL ON FUNCTION steward.tenant_guard_enable(text, name[], name[]) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_guard_enable(text, name[], name[]) IS
'From now on warns about tables that get one of the columns and have no row security, protects them, or refuses to commit them.';

CREATE FUNCTION steward.tenant_guard_disable() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DROP EVENT TRIGGER IF EXISTS steward_tenant_guard;
    DELETE FROM steward.tenant_guard;
END $$;
REVOKE ALL ON FUNCTION steward.tenant_guard_disable() FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_guard_disable() IS
'Ends what tenant_guard_enable() began.';
