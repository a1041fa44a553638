-- soft_delete: the view of the rows that are live.

-- Our view is known by its comment, whatever name it or its table has been given since.
CREATE FUNCTION steward_internal.soft_delete_find_view(relation regclass,
    OUT view regclass, OUT qualified_name text, OUT comment text, OUT columns name[], OUT options text[]) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.oid::regclass, format('%I.%I', n.nspname, c.relname), d.description,
           ARRAY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum), c.reloptions
      FROM pg_class c
      JOIN pg_class t ON t.oid = relation
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid AND d.objsubid = 0
     WHERE c.relkind = 'v'
       -- anybody may make a view, and say of it what we do
       AND (pg_has_role(c.relowner, t.relowner, 'MEMBER') OR c.relowner = t.relowner)
       AND d.description LIKE 'The rows of % is null, from steward.soft\_delete\_enable().'
       AND EXISTS (SELECT FROM pg_rewrite r
                     JOIN pg_depend p ON p.classid = 'pg_rewrite'::regclass AND p.objid = r.oid
                    WHERE r.ev_class = c.oid AND p.refclassid = 'pg_class'::regclass AND p.refobjid = relation)
     ORDER BY c.oid LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_find_view(regclass) IS
'Returns the view of a table''s live rows, if soft_delete_enable() made one.';

CREATE FUNCTION steward_internal.soft_delete_view_commands(relation regclass, column_name name, verb text, view_name text, options text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT ARRAY[
        format('%s VIEW %s%s AS SELECT %s FROM %s WHERE %I IS NULL', verb, view_name, ' WITH (' || nullif(options, '') || ')',
               (SELECT string_agg(quote_ident(a.name), ', ' ORDER BY a.place)
                  FROM (SELECT a.attname AS name, a.attnum AS place FROM pg_attribute a
                         WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
                         UNION ALL
                        SELECT column_name, 32767
                         WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = column_name AND NOT a.attisdropped)) a),
               m.qualified_name, column_name),
        format('COMMENT ON VIEW %s IS %L', view_name,
               format('The rows of %s whose %I is null, from steward.soft_delete_enable().', m.qualified_name, column_name))]
      FROM (SELECT format('%I.%I', n.nspname, c.relname) AS qualified_name
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation) m;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_view_commands(regclass, name, text, text, text) IS
'Returns the commands that make the view of a table''s live rows, by a verb, under a name and with options.';

CREATE FUNCTION steward_internal.soft_delete_view_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_soft_delete_view_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward_internal.soft_delete_view_trigger() IS
'Deletes the row of the table that a row of the view of live rows is, so that DELETE counts and returns it.';

-- A row is found by the primary key.
CREATE FUNCTION steward_internal.soft_delete_count(relation regclass, view_name text, view regclass DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('CREATE TRIGGER steward_delete INSTEAD OF DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steward_internal.soft_delete_view_trigger()', view_name)
     WHERE EXISTS (SELECT FROM pg_index x WHERE x.indrelid = relation AND x.indisprimary AND x.indimmediate)
       AND NOT EXISTS (SELECT FROM pg_trigger t
                        WHERE t.tgrelid = view AND t.tgfoid = 'steward_internal.soft_delete_view_trigger()'::regprocedure);
END;
COMMENT ON FUNCTION steward_internal.soft_delete_count(regclass, text, regclass) IS
'Returns the command that has DELETE on the view of a table''s live rows count and return them, unless it does or the table has no primary key.';

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
        RETURN QUERY SELECT unnest(steward_internal.soft_delete_view_commands(relation, column_name, verb, view_name,
            array_to_string(ARRAY['security_invoker=true']
                            || ARRAY(SELECT o FROM unnest(v.options) o WHERE o NOT LIKE 'security\_invoker=%'), ', ')));
    END IF;
    RETURN QUERY SELECT steward_internal.soft_delete_count(relation, view_name, v.view);
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
