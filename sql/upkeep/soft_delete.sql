-- soft_delete: rows that are stamped instead of deleted.

CREATE FUNCTION steward.soft_delete_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_trigger() IS
'Stamps a row instead of deleting it. Arguments: the column, clock=transaction|statement|wall, allow= (roles that delete for real).';

CREATE FUNCTION steward.soft_delete_cascade_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_cascade_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.soft_delete_cascade_trigger() IS
'Does what foreign keys say ON DELETE when a row is stamped, and restores with a row what went along. Argument: the column.';

CREATE FUNCTION steward_internal.is_current_transaction(transaction xid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_transaction' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.is_current_transaction(xid) IS
'Tells whether a transaction is the current one, or a savepoint of it.';

CREATE FUNCTION steward_internal.soft_delete_check(relation regclass, column_name name) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    member record;
    a record;
BEGIN
    PERFORM steward_internal.check_owners(relation);
    FOR member IN SELECT m.*, c.relkind FROM steward_internal.table_members(relation) m JOIN pg_class c ON c.oid = m.member LOOP
        IF member.relkind NOT IN ('r', 'p') THEN
            RAISE wrong_object_type USING
                MESSAGE = format('rows of %s cannot be soft-deleted', member.member),
                DETAIL = format('It is a %s.', CASE member.relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
                                               WHEN 'm' THEN 'materialized view' ELSE 'relation without rows of its own' END);
        END IF;
        SELECT t.attname, format_type(t.atttypid, t.atttypmod) AS type, t.attnotnull, t.attgenerated <> '' AS is_generated,
               coalesce(nullif(y.typbasetype, 0), y.oid)::regtype::text AS base_type,
               EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = t.attrelid AND d.objsubid = t.attnum
                          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.attrelid AND d.refobjsubid = 0
                          AND d.deptype = 'i') AS is_partition_key
          INTO a
          FROM pg_attribute t
          JOIN pg_type y ON y.oid = t.atttypid
         WHERE t.attrelid = member.member AND t.attname = column_name AND t.attnum > 0 AND NOT t.attisdropped;
        CONTINUE WHEN NOT FOUND;
        IF a.base_type NOT IN ('timestamp with time zone', 'timestamp without time zone') THEN
            RAISE datatype_mismatch USING
                MESSAGE = format('column "%s" of table %s is of type %s', column_name, member.member, a.type),
                HINT = 'Its type must be timestamptz or timestamp.';
        ELSIF a.is_generated OR a.attnotnull THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('column "%s" of table %s is %s, so no row can be live', column_name, member.member,
                                 CASE WHEN a.is_generated THEN 'generated' ELSE 'NOT NULL' END),
                HINT = format('ALTER TABLE %s ALTER COLUMN %I DROP %s;', member.member, column_name,
                              CASE WHEN a.is_generated THEN 'EXPRESSION' ELSE 'NOT NULL' END);
        ELSIF a.is_partition_key THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('column "%s" is in the partition key of table %s', column_name, member.member),
                DETAIL = 'A stamped row would have to move to another partition.',
                HINT = 'Partition by another column, or name another column to stamp.';
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_check(regclass, name) IS
'Raises an error if the rows of a table cannot be soft-deleted, or not with this column if it is there.';

CREATE FUNCTION steward_internal.soft_delete_indexes(relation regclass, column_name name) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    i record;
    reason text;
    definition text;
BEGIN
    FOR i IN
        SELECT m.qualified_name, m.member, x.*, c.relname AS name, n.nspname AS schema_name, s.spcname AS tablespace_name,
               k.oid AS constraint_id,
               -- what concerns one of the index's partitions concerns it
               ARRAY(SELECT x.indexrelid UNION SELECT t.relid FROM pg_partition_tree(x.indexrelid) t) AS parts
          FROM steward_internal.table_members(relation) m
          JOIN pg_index x ON x.indrelid = m.member
          JOIN pg_class c ON c.oid = x.indexrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
          LEFT JOIN pg_constraint k ON k.conindid = x.indexrelid AND k.conrelid = x.indrelid AND k.contype = 'u'
         WHERE x.indisunique AND NOT x.indisprimary AND x.indpred IS NULL
           AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = x.indexrelid)
         ORDER BY m.depth, m.qualified_name COLLATE "C", c.relname
    LOOP
        reason := CASE
            WHEN NOT i.indisvalid THEN 'it is not valid'
            WHEN i.indisexclusion THEN 'it is WITHOUT OVERLAPS'
            WHEN NOT i.indimmediate THEN 'it is DEFERRABLE, which an index cannot be'
            WHEN i.indisclustered THEN 'the table is clustered on it, and cannot be on a partial index'
            WHEN EXISTS (SELECT FROM pg_index p WHERE p.indexrelid = ANY (i.parts) AND p.indisreplident) THEN
                'it is the replica identity'
            WHEN EXISTS (SELECT FROM pg_attribute a
                          WHERE a.attrelid = i.member AND a.attname = column_name AND a.attnum = ANY (i.indkey::smallint[])) THEN
                format('it has column %I', column_name)
            ELSE (SELECT format('foreign key %I of %s references it', f.conname, f.conrelid::regclass)
                    FROM pg_constraint f
                   WHERE f.contype = 'f' AND f.conindid = ANY (i.parts)
                   ORDER BY f.conparentid, f.conrelid::regclass::text COLLATE "C", f.conname LIMIT 1)
            END;
        IF reason IS NOT NULL THEN
            RETURN NEXT format('-- unique %s %I of %s stays: %s',
                               CASE WHEN i.constraint_id IS NULL THEN 'index' ELSE 'constraint' END, i.name, i.qualified_name, reason);
            CONTINUE;
        END IF;
        IF i.constraint_id IS NULL THEN
            RETURN NEXT format('DROP INDEX %I.%I', i.schema_name, i.name);
        ELSE
            RETURN NEXT format('ALTER TABLE %s DROP CONSTRAINT %I', i.qualified_name, i.name);
        END IF;
        definition := pg_get_indexdef(i.indexrelid);
        IF starts_with(definition, format('CREATE UNIQUE INDEX %I ON ONLY ', i.name)) THEN
            definition := overlay(definition PLACING '' FROM length(format('CREATE UNIQUE INDEX %I ON ', i.name)) + 1 FOR length('ONLY '));
        END IF;
        RETURN NEXT definition || coalesce(' TABLESPACE ' || quote_ident(i.tablespace_name), '') || format(' WHERE %I IS NULL', column_name);
        RETURN QUERY SELECT format('COMMENT ON INDEX %I.%I IS %L', i.schema_name, i.name, d.description)
                       FROM coalesce(obj_description(i.constraint_id, 'pg_constraint'), obj_description(i.indexrelid, 'pg_class')) d(description)
                      WHERE d.description IS NOT NULL;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_indexes(regclass, name) IS
'Returns the commands that make unique indexes and constraints of a table hold for live rows only, with a comment for each that stays as it is.';

-- Our view is known by its comment, whatever name it or its table has been given since.
CREATE FUNCTION steward_internal.soft_delete_find_view(relation regclass,
    OUT view regclass, OUT qualified_name text, OUT comment text, OUT columns name[], OUT options text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid::regclass, format('%I.%I', n.nspname, c.relname), d.description,
           ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum), c.reloptions
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
     WHERE c.relkind = 'v'
       AND d.description LIKE 'The rows of % is null, from steward.soft\_delete\_enable().'
       AND EXISTS (SELECT FROM pg_rewrite r
                     JOIN pg_depend p ON p.classid = 'pg_rewrite'::regclass AND p.objid = r.oid
                    WHERE r.ev_class = c.oid AND p.refclassid = 'pg_class'::regclass AND p.refobjid = relation)
     ORDER BY c.oid LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_find_view(regclass) IS
'Returns the view of a table''s live rows, if soft_delete_enable() made one.';

CREATE FUNCTION steward_internal.soft_delete_view(relation regclass, column_name name) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r record;
    v record;
    other record;
    view_name text;
    wanted name[] := ARRAY(SELECT a.attname FROM pg_attribute a
                            WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum);
    comment text;
    definition text;
    verb text := 'CREATE';
BEGIN
    IF column_name <> ALL (wanted) THEN
        wanted := wanted || column_name;
    END IF;
    SELECT c.oid, c.relname, c.relnamespace, c.relowner, n.nspname, format('%I.%I', n.nspname, c.relname) AS qualified_name INTO r
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation;
    SELECT * INTO v FROM steward_internal.soft_delete_find_view(relation);
    comment := format('The rows of %s whose %I is null, from steward.soft_delete_enable().', r.qualified_name, column_name);

    IF v.view IS NULL THEN
        view_name := steward_internal.object_name('active_', r.relname);
        SELECT c.oid::regclass AS oid, c.relkind INTO other
          FROM pg_class c WHERE c.relname = view_name AND c.relnamespace = r.relnamespace;
        view_name := format('%I.%I', r.nspname, view_name);
        IF FOUND THEN
            RAISE duplicate_table USING
                MESSAGE = format('%s exists already, and not from steward.soft_delete_enable()', other.oid),
                HINT = format(CASE other.relkind WHEN 'v' THEN 'DROP VIEW %s;' ELSE 'ALTER TABLE %s RENAME TO %I;' END,
                              view_name, steward_internal.object_name('active_', r.relname) || '_before');
        END IF;
    ELSE
        view_name := v.qualified_name;
        IF v.columns <> wanted[1:cardinality(v.columns)] THEN
            -- only columns that follow those there can be added
            RETURN NEXT format('DROP VIEW %s', view_name);
            v.view := NULL;
        ELSE
            verb := 'CREATE OR REPLACE';
        END IF;
    END IF;

    IF v.view IS NULL OR v.columns <> wanted OR v.comment <> comment OR 'security_invoker=true' <> ALL (v.options) THEN
        RETURN NEXT format('%s VIEW %s WITH (%s) AS SELECT %s FROM %s WHERE %I IS NULL', verb, view_name,
            array_to_string(ARRAY['security_invoker=true']
                            || ARRAY(SELECT o FROM unnest(v.options) o WHERE o NOT LIKE 'security\_invoker=%'), ', '),
            (SELECT string_agg(quote_ident(w.name), ', ' ORDER BY w.place) FROM unnest(wanted) WITH ORDINALITY w(name, place)),
            r.qualified_name, column_name);
        RETURN NEXT format('COMMENT ON VIEW %s IS %L', view_name, comment);
    END IF;
    IF v.view IS NULL AND pg_get_userbyid(r.relowner) <> current_user
       AND has_schema_privilege(r.relowner, r.relnamespace, 'CREATE') THEN
        RETURN NEXT format('ALTER VIEW %s OWNER TO %I', view_name, pg_get_userbyid(r.relowner));
    END IF;

    RETURN QUERY
        WITH grants AS (
            SELECT c.oid AS relation, x.grantee, x.privilege_type, x.is_grantable, NULL::name AS column_name
              FROM pg_class c, aclexplode(c.relacl) x
             WHERE c.oid IN (relation, v.view)
             UNION
            SELECT a.attrelid, x.grantee, x.privilege_type, x.is_grantable, a.attname
              FROM pg_attribute a, aclexplode(a.attacl) x
             WHERE a.attrelid IN (relation, v.view) AND a.attnum > 0 AND NOT a.attisdropped
        ), missing AS (
            SELECT g.grantee, g.is_grantable,
                   g.privilege_type || coalesce(' (' || string_agg(quote_ident(g.column_name), ', ' ORDER BY g.column_name) || ')', '') AS privilege
              FROM grants g
             WHERE g.relation = r.oid AND g.grantee <> r.relowner
               AND g.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
               AND NOT EXISTS (SELECT FROM grants o
                                WHERE o.relation = v.view AND o.grantee = g.grantee AND o.privilege_type = g.privilege_type
                                  AND (o.column_name IS NULL OR o.column_name = g.column_name) AND o.is_grantable >= g.is_grantable)
             GROUP BY g.grantee, g.is_grantable, g.privilege_type, g.column_name IS NULL
        )
        SELECT format('GRANT %s ON %s TO %s%s', string_agg(m.privilege, ', ' ORDER BY m.privilege COLLATE "C"), view_name,
                      CASE m.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.grantee)) END,
                      CASE WHEN m.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) COLLATE "C"
          FROM missing m
         GROUP BY m.grantee, m.is_grantable
         ORDER BY 1;
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_view(regclass, name) IS
'Returns the commands that make the view of a table''s live rows, and let those use it who may use the table.';

CREATE FUNCTION steward_internal.soft_delete_keys(relation regclass) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('-- foreign key %I of %s, ON DELETE %s: %s', f.conname, f.conrelid::regclass,
                  CASE f.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT'
                                     WHEN 'r' THEN 'RESTRICT' ELSE 'NO ACTION' END,
                  CASE WHEN f.confdeltype IN ('a', 'r') THEN 'a row that live rows reference is not deleted'
                       WHEN f.confdeltype IN ('n', 'd') THEN 'live rows lose their reference, and restoring does not bring it back'
                       WHEN f.conrelid = relation OR EXISTS (SELECT FROM steward_internal.upkeep_triggers t
                                                              WHERE t.relation = f.conrelid AND t.function_name = 'soft_delete_trigger') THEN
                           'its rows are stamped and restored along'
                       ELSE format('its rows are deleted for real, unless: SELECT steward.soft_delete_enable(%L);', f.conrelid::regclass) END)
      FROM pg_constraint f
     WHERE f.contype = 'f' AND f.conparentid = 0
       AND f.confrelid IN (SELECT m.member FROM steward_internal.table_members(relation) m)
       -- those not enforced have none
       AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = f.oid)
     ORDER BY f.conrelid::regclass::text COLLATE "C", f.conname;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_keys(regclass) IS
'Returns a comment for each foreign key that references a table: what becomes of its rows when one of the table is deleted.';

CREATE FUNCTION steward.soft_delete_enable(
    relation    regclass,
    column_name name    DEFAULT 'deleted_at',
    allow       name[]  DEFAULT '{}',
    dry_run     boolean DEFAULT false,
    clock       text    DEFAULT 'transaction')
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    commands text[] := '{}';
    timing constant text := CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND (c.relkind = 'p' OR c.relispartition))
                                 THEN 'BEFORE DELETE OR UPDATE' ELSE 'BEFORE DELETE' END;
BEGIN
    IF num_nulls(column_name, dry_run, clock) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.soft_delete_enable() must not be null';
    END IF;
    PERFORM steward_internal.soft_delete_check(relation, column_name);
    PERFORM steward_internal.check_roles(allow);
    IF NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
        commands := ARRAY(SELECT format('ALTER TABLE %s ADD COLUMN %I timestamptz', m.qualified_name, column_name)
                            FROM steward_internal.table_members(relation) m WHERE m.member = relation);
    END IF;
    commands := commands || ARRAY(SELECT steward_internal.soft_delete_indexes(relation, column_name));
    commands := commands || ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'soft_delete_trigger', steward_internal.upkeep_trigger_name(column_name), timing, 'ROW',
        array_remove(ARRAY[quote_ident(column_name),
                           'clock=' || nullif(clock, 'transaction'),
                           'allow=' || steward_internal.name_list(allow)], NULL)));
    commands := commands || ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'soft_delete_cascade_trigger', 'steward_soft_delete_cascade', 'AFTER UPDATE', 'ROW',
        ARRAY[quote_ident(column_name)]));
    commands := commands || ARRAY(SELECT steward_internal.soft_delete_view(relation, column_name))
                         || ARRAY(SELECT steward_internal.soft_delete_keys(relation));
    -- comments alone are no plan
    IF EXISTS (SELECT FROM unnest(commands) c WHERE c NOT LIKE '-- %') THEN
        RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
    END IF;
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.soft_delete_enable(regclass, name, name[], boolean, text) IS
'Has DELETE stamp the rows of a table, unique constraints hold for live rows only, and a view active_… show those; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.soft_delete_disable(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    commands text[];
BEGIN
    IF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.soft_delete_disable() must not be null';
    END IF;
    PERFORM steward_internal.check_owners(relation);
    commands := ARRAY(SELECT format('DROP VIEW %s', v.qualified_name) FROM steward_internal.soft_delete_find_view(relation) v)
             || ARRAY(SELECT steward_internal.upkeep_detach(relation, 'soft_delete_cascade_trigger'))
             || ARRAY(SELECT steward_internal.upkeep_detach(relation, 'soft_delete_trigger'));
    RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
END $$;
COMMENT ON FUNCTION steward.soft_delete_disable(regclass, boolean) IS
'Drops what soft_delete_enable() attached to a table, and the view; returns the commands it ran, or would run with dry_run. Column, stamped rows and indexes stay.';
