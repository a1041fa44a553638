-- soft_delete: the view of live rows follows its table.

CREATE FUNCTION steward_internal.soft_delete_take_view(relation regclass) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v record;
    saved text[];
BEGIN
    SELECT w.qualified_name, w.options, c.* INTO v
      FROM steward_internal.soft_delete_find_view(relation) w
      JOIN (SELECT c.oid, c.relowner, c.relnamespace, c.relacl, c.reltype FROM pg_class c) c ON c.oid = w.view;
    -- what depends on the view would go with it; who may not make it again leaves it to ALTER TABLE to complain
    IF NOT FOUND OR NOT pg_has_role(v.relowner, 'USAGE') OR NOT has_schema_privilege(v.relnamespace, 'CREATE') OR EXISTS (
        SELECT FROM pg_depend d
         WHERE (d.refclassid = 'pg_class'::regclass AND d.refobjid = v.oid
                OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT t.oid FROM pg_type t WHERE v.reltype IN (t.oid, t.typelem)))
           AND d.deptype <> 'i'
           AND NOT (d.classid = 'pg_rewrite'::regclass AND d.objid IN (SELECT r.oid FROM pg_rewrite r WHERE r.ev_class = v.oid AND r.rulename = '_RETURN'))
           AND NOT (d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT t.oid FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                                                                        WHERE p.pronamespace = 'steward_internal'::regnamespace)))
    THEN
        RETURN NULL;
    END IF;
    saved := ARRAY[v.qualified_name, array_to_string(v.options, ', '), quote_ident(pg_get_userbyid(v.relowner))]
        -- what default privileges give a new view, and what its owner gave up
        || ARRAY(SELECT format('REVOKE ALL ON %s FROM %s', v.qualified_name, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
                   FROM (SELECT v.relowner AS grantee WHERE v.relacl IS NOT NULL
                          UNION
                         SELECT x.grantee FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) x
                          WHERE d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, v.relnamespace)) g
                  ORDER BY g.grantee)
        || ARRAY(SELECT format('GRANT %s%s ON %s TO %s%s', x.privilege_type, ' (' || quote_ident(g.attname) || ')', v.qualified_name,
                               CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END,
                               CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
                   FROM (SELECT NULL::name AS attname, v.relacl AS acl
                          UNION ALL SELECT a.attname, a.attacl FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attacl IS NOT NULL) g,
                        aclexplode(g.acl) x
                  ORDER BY g.attname NULLS FIRST, x.grantee, x.privilege_type)
        || ARRAY(SELECT format('COMMENT ON COLUMN %s.%I IS %L', v.qualified_name, a.attname, col_description(v.oid, a.attnum))
                   FROM pg_attribute a WHERE a.attrelid = v.oid AND a.attnum > 0 AND col_description(v.oid, a.attnum) IS NOT NULL);
    EXECUTE format('DROP VIEW %s', v.qualified_name);
    RETURN saved;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_take_view(regclass) IS
'Drops the view of a table''s live rows, unless something depends on it, and returns its name, options, owner, and the commands that give its privileges and comments back.';

CREATE FUNCTION steward_internal.soft_delete_taken_view(relation regclass) RETURNS text[]
AS 'MODULE_PATHNAME', 'steward_soft_delete_taken_view' LANGUAGE C STRICT;
COMMENT ON FUNCTION steward_internal.soft_delete_taken_view(regclass) IS
'Returns what soft_delete_take_view() saved when the present ALTER TABLE began, and forgets it; null if it took no view.';

CREATE FUNCTION steward_internal.soft_delete_give_view(relation regclass, column_name name, saved text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    command text;
BEGIN
    FOREACH command IN ARRAY steward_internal.soft_delete_view_commands(relation, column_name, 'CREATE', saved[1], saved[2])
                             || ARRAY(SELECT steward_internal.soft_delete_count(relation, saved[1]))
    LOOP
        EXECUTE command;
    END LOOP;
    IF saved[3] <> quote_ident(current_user) THEN
        EXECUTE format('ALTER VIEW %s OWNER TO %s', saved[1], saved[3]);
    END IF;
    FOREACH command IN ARRAY saved[4:] LOOP
        BEGIN
            EXECUTE command;
        EXCEPTION WHEN undefined_column THEN
            -- it has been dropped
            NULL;
        END;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_give_view(regclass, name, text[]) IS
'Makes the view of a table''s live rows again that soft_delete_take_view() dropped.';

CREATE FUNCTION steward_internal.soft_delete_rename_view(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v record;
    i integer;
    wanted constant name[] := ARRAY(SELECT a.attname FROM pg_attribute a
                                     WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
BEGIN
    SELECT w.*, c.relname, c.relnamespace, r.relname AS table_name,
           (parse_ident(substring(w.comment FROM '^The rows of (.*) whose ')))[2] AS former_name INTO v
      FROM steward_internal.soft_delete_find_view(relation) w
      JOIN pg_class c ON c.oid = w.view
      JOIN pg_class r ON r.oid = relation;
    IF cardinality(v.columns) <= cardinality(wanted) THEN
        FOR i IN 1 .. cardinality(v.columns) LOOP
            IF v.columns[i] <> wanted[i] AND wanted[i] <> ALL (v.columns) THEN
                EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', v.qualified_name, v.columns[i], wanted[i]);
            END IF;
        END LOOP;
    END IF;
    IF v.table_name <> v.former_name AND v.relname = steward_internal.object_name('active_', v.former_name)
       AND NOT EXISTS (SELECT FROM pg_class o
                        WHERE o.relnamespace = v.relnamespace AND o.relname = steward_internal.object_name('active_', v.table_name))
    THEN
        EXECUTE format('ALTER VIEW %s RENAME TO %I', v.qualified_name, steward_internal.object_name('active_', v.table_name));
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_rename_view(regclass) IS
'Has the view of a table''s live rows follow the names of the table and of its columns.';

CREATE FUNCTION steward_internal.soft_delete_follow(relation regclass, saved text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    t record;
    command text;
    problem text;
BEGIN
    SELECT e.column_name, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = e.relation AND a.attname = e.column_name AND NOT a.attisdropped) AS is_there INTO t
      FROM steward_internal.upkeep_existing(soft_delete_follow.relation, 'soft_delete_trigger', 'ROW', NULL) e
     WHERE NOT e.is_clone
     ORDER BY e.trigger_name LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    ELSIF NOT t.is_there THEN
        FOR command IN SELECT steward_internal.upkeep_detach(relation, f) FROM unnest('{soft_delete_cascade_trigger,soft_delete_trigger}'::name[]) f LOOP
            EXECUTE command;
        END LOOP;
        RAISE NOTICE USING
            MESSAGE = format('rows of table %s are deleted for real from now on', relation),
            DETAIL = format('Column "%s", which told when a row was deleted, has been dropped, and unique indexes for live rows with it.', t.column_name),
            HINT = format('SELECT steward.soft_delete_enable(%L);', relation);
    ELSIF saved IS NOT NULL THEN
        PERFORM steward_internal.soft_delete_give_view(relation, t.column_name, saved);
    ELSIF EXISTS (SELECT FROM steward_internal.soft_delete_find_view(relation)) THEN
        BEGIN
            PERFORM steward_internal.soft_delete_rename_view(relation);
            FOR command IN SELECT steward_internal.soft_delete_view(relation, t.column_name) LOOP
                EXECUTE command;
            END LOOP;
        EXCEPTION WHEN dependent_objects_still_exist OR duplicate_table OR insufficient_privilege THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
            RAISE WARNING USING
                MESSAGE = format('the view of the live rows of table %s does not follow it: %s', relation, problem),
                HINT = format('SELECT steward.soft_delete_enable(%L, %L);', relation, t.column_name);
        END;
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_follow(regclass, text[]) IS
'Has the view of a table''s live rows follow the table after ALTER TABLE; ends soft deletion if its column is gone.';

CREATE FUNCTION steward_internal.soft_delete_ddl_start() RETURNS event_trigger
LANGUAGE C AS 'MODULE_PATHNAME', 'steward_soft_delete_ddl_start';
REVOKE ALL ON FUNCTION steward_internal.soft_delete_ddl_start() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.soft_delete_ddl_start() IS
'Drops the view of a table''s live rows before an ALTER TABLE that it would not let happen.';

CREATE FUNCTION steward_internal.soft_delete_ddl_end() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    altered regclass;
BEGIN
    FOR altered IN
        SELECT DISTINCT c.objid FROM pg_event_trigger_ddl_commands() c
         WHERE c.classid = 'pg_class'::regclass AND c.command_tag = 'ALTER TABLE' AND NOT c.in_extension
    LOOP
        PERFORM steward_internal.soft_delete_follow(altered, steward_internal.soft_delete_taken_view(altered));
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.soft_delete_ddl_end() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.soft_delete_ddl_end() IS
'Has the views of live rows follow the tables that ALTER TABLE changed.';

CREATE EVENT TRIGGER steward_soft_delete_start ON ddl_command_start
    WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION steward_internal.soft_delete_ddl_start();
ALTER EVENT TRIGGER steward_soft_delete_start ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_soft_delete_start IS
'Gets views of live rows out of the way of ALTER TABLE.';

CREATE EVENT TRIGGER steward_soft_delete_end ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE')
    EXECUTE FUNCTION steward_internal.soft_delete_ddl_end();
ALTER EVENT TRIGGER steward_soft_delete_end ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_soft_delete_end IS
'Has views of live rows follow their tables.';
