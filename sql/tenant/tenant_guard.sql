-- tenant_guard: new tables of tenants are not forgotten.

CREATE TABLE steward.tenant_guard_settings (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mode           text NOT NULL CHECK (mode IN ('warn', 'protect', 'error')),
    tenant_columns name[] NOT NULL,
    roles          name[]
);
COMMENT ON TABLE steward.tenant_guard_settings IS
'What the event trigger steward_tenant_guard does, if there is one.';
GRANT SELECT ON steward.tenant_guard_settings TO PUBLIC;
SELECT pg_extension_config_dump('steward.tenant_guard_settings', '');

CREATE FUNCTION steward_internal.tenant_guard_column(relation oid) RETURNS name
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE lineage AS (
        SELECT relation AS oid
         UNION
        SELECT i.inhparent FROM lineage l JOIN pg_inherits i ON i.inhrelid = l.oid
    )
    SELECT w.name
      FROM steward.tenant_guard_settings g
     CROSS JOIN LATERAL unnest(g.tenant_columns) WITH ORDINALITY w(name, position)
      JOIN pg_attribute a ON a.attrelid = relation AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f', 'm') AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
     WHERE NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
       -- what is muted, is so for its partitions too
       AND NOT EXISTS (SELECT FROM lineage l
                         JOIN pg_class p ON p.oid = l.oid
                         JOIN pg_namespace s ON s.oid = p.relnamespace
                         JOIN unnest('{no_rls,uncovered_partition,foreign_table,materialized_view}'::text[]) r(rule) ON true
                         JOIN steward_internal.muted_now x ON x.finding_key = format('%s:%I.%I', r.rule, s.nspname, p.relname))
     ORDER BY w.position LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.tenant_guard_column(oid) IS
'Returns the tenant column of a table that the guard looks at, null for others: those of extensions, temporary ones, and those whose finding "no_rls" is muted.';

CREATE FUNCTION steward_internal.tenant_guard_parent(relation oid) RETURNS regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE ancestors AS (
        SELECT relation AS oid, 0 AS distance
         UNION
        SELECT i.inhparent, a.distance + 1 FROM ancestors a JOIN pg_inherits i ON i.inhrelid = a.oid
    )
    SELECT a.oid FROM ancestors a
     WHERE a.distance > 0 AND EXISTS (SELECT FROM steward_internal.tenant_own_policies p WHERE p.relation_id = a.oid)
     ORDER BY a.distance DESC LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.tenant_guard_parent(oid) IS
'Returns the protected table farthest up of which a table is a partition or child, null if there is none.';

CREATE FUNCTION steward_internal.tenant_guard_finding(relation regclass, OUT problem text, OUT hint text) RETURNS record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    kind "char";
    row_security boolean;
    column_name constant name := steward_internal.tenant_guard_column(relation);
    parent regclass;
BEGIN
    SELECT c.relkind, c.relrowsecurity INTO kind, row_security FROM pg_class c WHERE c.oid = relation AND c.relpersistence <> 't';
    IF row_security IS NOT FALSE THEN
        RETURN;
    ELSIF kind IN ('r', 'p') THEN
        parent := steward_internal.tenant_guard_parent(relation);
    END IF;
    IF parent IS NOT NULL THEN
        problem := format('table %s lacks the policies of %s', relation, parent);
        hint := format('SELECT steward.tenant_protect_partitions(%L);', parent);
    ELSIF column_name IS NOT NULL AND kind IN ('r', 'p') THEN
        problem := format('table %s has column "%s" but no row security', relation, column_name);
        hint := format('SELECT steward.tenant_protect(%L, %L);', relation, column_name);
    ELSIF column_name IS NOT NULL THEN
        problem := format('%s %s has column "%s" and cannot have policies', CASE kind WHEN 'f' THEN 'foreign table' ELSE 'materialized view' END, relation, column_name);
        hint := format('Let no role of the application use it, and INSERT INTO steward.muted_findings (finding_key, reason) VALUES (%L, ''...'');',
                         CASE kind WHEN 'f' THEN 'foreign_table:' ELSE 'materialized_view:' END || (SELECT m.qualified_name FROM steward_internal.table_members(relation) m LIMIT 1));
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_guard_finding(regclass) IS
'Returns what the guard has against a table, and what to do; nulls if nothing.';

-- Mode error gives a migration until the end of its transaction.
CREATE TABLE steward_internal.tenant_guard_pending (relation_id oid NOT NULL);
COMMENT ON TABLE steward_internal.tenant_guard_pending IS
'Tables that must be protected when this transaction commits.';

CREATE FUNCTION steward_internal.tenant_guard_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    finding record;
BEGIN
    DELETE FROM steward_internal.tenant_guard_pending p WHERE p.relation_id = NEW.relation_id;
    SELECT * INTO finding FROM steward_internal.tenant_guard_finding(NEW.relation_id);
    IF finding.problem IS NOT NULL THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = finding.problem, HINT = finding.hint;
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION steward_internal.tenant_guard_commit() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.tenant_guard_commit() IS
'Raises 55000 if a table of tenants is to be committed without row security.';
CREATE CONSTRAINT TRIGGER steward_tenant_guard_commit AFTER INSERT ON steward_internal.tenant_guard_pending
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steward_internal.tenant_guard_commit();
ALTER TABLE steward_internal.tenant_guard_pending ENABLE ALWAYS TRIGGER steward_tenant_guard_commit;

CREATE FUNCTION steward_internal.tenant_guard_defer(relation oid) RETURNS void
LANGUAGE sql SECURITY DEFINER STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    INSERT INTO steward_internal.tenant_guard_pending VALUES (relation);
END;
COMMENT ON FUNCTION steward_internal.tenant_guard_defer(oid) IS
'Has a table looked at when this transaction commits.';

CREATE FUNCTION steward_internal.tenant_guard_protect(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    parent constant regclass := steward_internal.tenant_guard_parent(relation);
    column_name constant name := steward_internal.tenant_guard_column(relation);
BEGIN
    IF parent IS NOT NULL THEN
        -- this one only: others of its kind may belong to others
        PERFORM steward_internal.tenant_run(relation, ARRAY(SELECT steward_internal.tenant_policy_commands(parent, relation, NULL, '{}', '{}')), false);
        RETURN;
    END IF;
    BEGIN
        PERFORM steward.tenant_protect(relation, column_name, (SELECT g.roles FROM steward.tenant_guard_settings g));
    EXCEPTION WHEN not_null_violation THEN
        -- a column that was added to a table with rows
        RAISE WARNING USING
            MESSAGE = format('table %s is not protected: rows have no "%s"', relation, column_name),
            HINT = format('Give them one, then SELECT steward.tenant_protect(%L, %L);', relation, column_name);
    END;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_guard_protect(regclass) IS
'Protects a table as what it is a partition or child of, or else by its tenant column.';

CREATE FUNCTION steward_internal.tenant_guard_trigger() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guard_mode constant text := (SELECT g.mode FROM steward.tenant_guard_settings g);
    -- lists, because the planner takes the function for a thousand commands, and would read whole catalogs
    changed constant oid[] := ARRAY(SELECT d.objid FROM pg_event_trigger_ddl_commands() d WHERE d.classid = 'pg_class'::regclass AND NOT d.in_extension);
    types constant oid[] := ARRAY(SELECT CASE d.classid WHEN 'pg_type'::regclass THEN d.objid ELSE (SELECT c.reltype FROM pg_class c WHERE c.oid = d.objid) END
                                    FROM pg_event_trigger_ddl_commands() d WHERE d.classid IN ('pg_type'::regclass, 'pg_class'::regclass));
    new record;
    finding record;
BEGIN
    FOR new IN
        -- farthest up first, since that protects what is below
        SELECT m.member AS relation, (SELECT c.relkind FROM pg_class c WHERE c.oid = m.member) AS relkind
          FROM (SELECT c.oid FROM unnest(changed) o (oid) JOIN pg_class c ON c.oid = o.oid AND c.relkind IN ('r', 'p', 'f', 'm')
                 UNION
                -- tables of a type have its columns
                SELECT c.oid FROM unnest(types) t (oid)
                  JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid = t.oid AND d.classid = 'pg_class'::regclass
                  JOIN pg_class c ON c.oid = d.objid AND c.reloftype = t.oid) o
         CROSS JOIN LATERAL steward_internal.table_members(o.oid) m
         GROUP BY m.member, m.qualified_name
         ORDER BY max(m.depth), m.qualified_name COLLATE "C"
    LOOP
        SELECT * INTO finding FROM steward_internal.tenant_guard_finding(new.relation);
        CONTINUE WHEN guard_mode IS NULL OR finding.problem IS NULL;
        IF guard_mode = 'error' THEN
            PERFORM steward_internal.tenant_guard_defer(new.relation);
        ELSIF guard_mode = 'protect' AND new.relkind IN ('r', 'p') THEN
            PERFORM steward_internal.tenant_guard_protect(new.relation);
        ELSE
            RAISE WARNING USING MESSAGE = finding.problem, HINT = finding.hint;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_guard_trigger() IS
'Warns about, protects, or refuses tables of tenants that have no row security.';

CREATE FUNCTION steward.tenant_guard_enable(mode text DEFAULT 'warn', tenant_columns name[] DEFAULT '{tenant_id}', roles name[] DEFAULT NULL,
    dry_run boolean DEFAULT false) RETURNS SETOF text
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
    ELSIF 'public' <> ALL (roles) THEN
        PERFORM steward_internal.check_roles(roles);
    END IF;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(
        SELECT c.command
          FROM (VALUES (1, format('INSERT INTO steward.tenant_guard_settings VALUES (true, %L, %L, %L) ON CONFLICT (only_row) DO UPDATE '
                                  'SET mode = excluded.mode, tenant_columns = excluded.tenant_columns, roles = excluded.roles', mode, tenant_columns, roles), NULL),
                       (2, 'CREATE EVENT TRIGGER steward_tenant_guard ON ddl_command_end '
                           'WHEN TAG IN (''CREATE TABLE'', ''CREATE TABLE AS'', ''SELECT INTO'', ''ALTER TABLE'', ''CREATE SCHEMA'', '
                           '''CREATE FOREIGN TABLE'', ''ALTER FOREIGN TABLE'', ''IMPORT FOREIGN SCHEMA'', '
                           '''CREATE MATERIALIZED VIEW'', ''ALTER MATERIALIZED VIEW'', ''ALTER TYPE'') '
                           'EXECUTE FUNCTION steward_internal.tenant_guard_trigger()', '.'),
                       (3, 'ALTER EVENT TRIGGER steward_tenant_guard ENABLE ALWAYS', 'A')) c(place, command, unless_enabled)
         WHERE NOT EXISTS (SELECT FROM pg_event_trigger t WHERE t.evtname = 'steward_tenant_guard' AND t.evtenabled::text ~ c.unless_enabled)
         ORDER BY c.place), dry_run);
END $$;
REVOKE ALL ON FUNCTION steward.tenant_guard_enable(text, name[], name[], boolean) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_guard_enable(text, name[], name[], boolean) IS
'Warns from now on about tables that get one of the columns and have no row security, protects them, or refuses to commit them; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.tenant_guard_disable(dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY SELECT * FROM steward_internal.run_commands(
        ARRAY(SELECT 'DROP EVENT TRIGGER steward_tenant_guard' FROM pg_event_trigger t WHERE t.evtname = 'steward_tenant_guard')
        || ARRAY(SELECT 'DELETE FROM steward.tenant_guard_settings' FROM steward.tenant_guard_settings), dry_run);
END $$;
REVOKE ALL ON FUNCTION steward.tenant_guard_disable(boolean) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_guard_disable(boolean) IS
'Ends what tenant_guard_enable() began; returns the commands it ran, or would run with dry_run.';
