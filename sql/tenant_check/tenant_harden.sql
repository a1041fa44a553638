-- tenant_harden: what tells of rows without showing them, which policies cannot prevent.

CREATE FUNCTION steward_internal.tenant_of_statements(catalog regclass, object oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                WHERE d.classid = catalog AND d.objid = object AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pg_stat_statements');
COMMENT ON FUNCTION steward_internal.tenant_of_statements(regclass, oid) IS
'Returns whether an object belongs to the extension pg_stat_statements.';

CREATE FUNCTION steward_internal.tenant_telltales(OUT object text, OUT privilege text, OUT acl aclitem[], OUT function_id oid, OUT breaks text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.object, o.privilege, o.acl, o.function_id,
           CASE WHEN o.name ~ '^pg_lock' THEN 'Job queues and tools that look for locks.'
                WHEN o.name ~ '_get_activity$|_backend_|^pg_stat_activity$' THEN 'Applications that look for their other sessions.'
                ELSE 'Monitoring that is not done by members of pg_monitor.' END
      FROM (SELECT format('FUNCTION %I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)), 'EXECUTE',
                   coalesce(f.proacl, acldefault('f', f.proowner)), f.oid, f.proname
              FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace
             WHERE n.nspname = 'pg_catalog' AND (f.proname ~ '^pg_stat_get_' OR f.proname IN ('pg_lock_status', 'pg_stat_force_next_flush'))
                -- the blocks that a statement has read
                OR f.proname = 'pg_stat_statements' AND steward_internal.tenant_of_statements('pg_proc', f.oid)
             UNION ALL
            -- these would fail for want of the functions, with a message that names one of them
            SELECT format('TABLE %I.%I', n.nspname, v.relname), 'SELECT', coalesce(v.relacl, acldefault('r', v.relowner)), NULL, v.relname
              FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
             WHERE v.relkind = 'v' AND (n.nspname = 'pg_catalog' AND (v.relname ~ '^pg_stat(io)?_' OR v.relname = 'pg_locks')
                                        OR v.relname = 'pg_stat_statements' AND steward_internal.tenant_of_statements('pg_class', v.oid))
           ) AS o (object, privilege, acl, function_id, name);
END;
COMMENT ON FUNCTION steward_internal.tenant_telltales() IS
'Returns the functions and views that count or name what was read, locked or run, whoever''s it is, with what their loss breaks.';

CREATE FUNCTION steward_internal.tenant_explains(roles oid[], OUT role_id oid) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT r.oid FROM pg_roles r
     WHERE r.oid = ANY (roles) AND r.rolcanlogin AND NOT r.rolsuper
       -- the setting for the role comes before those for the database and for all
       AND coalesce((SELECT c.setting
                       FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) WITH ORDINALITY c (setting, position)
                      WHERE s.setrole IN (r.oid, 0) AND (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
                        AND starts_with(c.setting, 'steward.tenant_explain=')
                      ORDER BY s.setrole DESC, s.setdatabase DESC LIMIT 1),
                    (SELECT 'steward.tenant_explain=' || s.setting FROM pg_settings s
                      WHERE s.name = 'steward.tenant_explain' AND s.source = 'configuration file'), '') <> 'steward.tenant_explain=off';
END;
COMMENT ON FUNCTION steward_internal.tenant_explains(oid[]) IS
'Returns those of the roles that can log in and whose sessions may EXPLAIN.';

CREATE FUNCTION steward.tenant_harden(role name, dry_run boolean DEFAULT false, OUT command text, OUT breaks text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted constant oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = role);
    grantees constant text := 'PUBLIC, ' || quote_ident(role);
BEGIN
    IF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    ELSIF wanted IS NULL THEN
        RAISE undefined_object USING MESSAGE = format('role "%s" does not exist', role);
    ELSIF (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = wanted) THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('role "%s" is a superuser', role),
            DETAIL = 'Nothing can be kept from it.';
    ELSIF NOT dry_run AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'permission denied to change privileges on functions and views of the server',
            HINT = format('A superuser can run what SELECT command FROM steward.tenant_harden(%L, dry_run => true) returns.', role);
    END IF;
    FOR command, breaks IN
        SELECT format('ALTER ROLE %I SET steward.tenant_explain = off;', r.rolname), 'EXPLAIN, and debug_print_plan.'
          FROM pg_roles r
         WHERE r.oid IN (SELECT e.role_id FROM steward_internal.tenant_explains(ARRAY(SELECT m.oid FROM pg_roles m WHERE pg_has_role(m.oid, wanted, 'MEMBER'))) e)
         UNION ALL
        SELECT format('REVOKE ALL ON %s FROM %s; GRANT %s ON %s TO pg_monitor;', t.object, grantees, t.privilege, t.object), t.breaks
          FROM steward_internal.tenant_telltales() t
         WHERE EXISTS (SELECT FROM aclexplode(t.acl) x WHERE x.grantee IN (0, wanted))
         ORDER BY 1
    LOOP
        IF NOT dry_run THEN
            EXECUTE command;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward.tenant_harden(name, boolean) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_harden(name, boolean) IS
'Takes from PUBLIC and a role, in this database, the counters and lists that tell of other tenants'' rows, and EXPLAIN from the role; returns the commands it ran, or would run with dry_run, and what each breaks.';

CREATE FUNCTION steward_internal.tenant_check_counters(tables steward_internal.tenant_table[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH telltales AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_telltales() t WHERE t.function_id IS NOT NULL
    ), explains AS MATERIALIZED (
        SELECT e.role_id FROM steward_internal.tenant_explains(roles) e
    ), told AS MATERIALIZED (
        SELECT r.oid, r.rolname, count(*) FILTER (WHERE p.may) AS open, count(*) AS all,
               string_agg(t.function_id::regprocedure::text, ', ' ORDER BY t.function_id::regprocedure::text COLLATE "C") FILTER (WHERE p.may) AS functions,
               r.oid IN (SELECT e.role_id FROM explains e) AS explains
          FROM pg_roles r
         CROSS JOIN telltales t
         CROSS JOIN LATERAL (SELECT has_function_privilege(r.oid, t.function_id, 'EXECUTE')) AS p (may)
         WHERE r.oid = ANY (roles) AND NOT r.rolsuper
         GROUP BY r.oid, r.rolname
    ), observers AS (
        SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname COLLATE "C") AS names,
               string_agg(format('SELECT steward.tenant_harden(%L);', r.rolname), ' ' ORDER BY r.rolname COLLATE "C") AS remedy
          FROM told r WHERE r.open > 0 OR r.explains
    )
    SELECT 'index_of_all', CASE WHEN a.atttypid = 'uuid'::regtype THEN 'INFO' ELSE 'WARNING' END, t.qualified_name,
           format('%I does not start with %I, so it leads queries for %s to rows of other tenants: policies hide them, but EXPLAIN and counters such as pg_stat_get_xact_tuples_fetched() tell of them to %s.',
                  x.relname, t.column_name, coalesce(quote_ident(a.attname), 'its expression'), w.names),
           w.remedy, quote_ident(x.relname)
      FROM observers w
      JOIN steward_internal.tenant_rows(tables) t ON t.row_security AND t.kind IN ('r', 'p')
      JOIN pg_index i ON i.indrelid = t.relation_id AND i.indisvalid AND i.indkey[0] <> t.column_number
      JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
      JOIN pg_am m ON m.oid = x.relam AND m.amname IN ('btree', 'hash', 'brin')
      LEFT JOIN pg_attribute a ON a.attrelid = t.relation_id AND a.attnum = i.indkey[0]
     WHERE w.names IS NOT NULL
       -- each partition has the rows of its tenants only
       AND NOT EXISTS (SELECT FROM pg_partitioned_table k WHERE k.partrelid = t.relation_id AND k.partstrat = 'l' AND k.partattrs[0] = t.column_number)
     UNION ALL
    -- what is taken away in part, comes with the next major version of the server, or was given back
    SELECT 'counters_visible', 'WARNING', quote_ident(r.rolname),
           format('It has been kept from %s, but may call %s.',
                  CASE WHEN r.open < r.all THEN 'functions that tell of other tenants'' rows' ELSE 'EXPLAIN, which tells of other tenants'' rows' END,
                  CASE WHEN r.open < r.all THEN r.functions ELSE 'all functions that tell as much, such as pg_stat_get_xact_tuples_fetched()' END),
           format('SELECT steward.tenant_harden(%L);', r.rolname), NULL
      FROM told r
      JOIN pg_roles l ON l.oid = r.oid
     WHERE r.open BETWEEN 1 AND r.all - 1 OR r.open > 0 AND NOT r.explains AND l.rolcanlogin;
END;
COMMENT ON FUNCTION steward_internal.tenant_check_counters(steward_internal.tenant_table[], oid[]) IS
'Returns what tenant_check() finds of counters that tell of other tenants'' rows.';
