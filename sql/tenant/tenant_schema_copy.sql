-- tenant_schema_copy: what is in a schema, as the commands that make the same in another one.
--
-- Definitions name what is in the schema without it: wherever a name is printed, tenant_schema_enter() has put the
-- schema into the search path, behind pg_catalog and before nothing. So many schemas are read at once, by one scan of
-- each catalog. Nothing is looked up while their objects can be found: the bodies are bound to what they name, and the
-- path ends with the function that called these.

CREATE FUNCTION steward_internal.tenant_schema_enter(schema oid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_tenant_schema_enter' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION steward_internal.tenant_schema_enter(oid) IS
'Puts a schema into the search path for the rest of the calling function; false if it has gone.';

CREATE TYPE steward_internal.tenant_schema_object AS (
    schema_id  oid,
    phase      integer,     -- when it is made; null if with something else
    place      bigint,
    kind       text COLLATE "C",
    object     text COLLATE "C",
    altered    text COLLATE "C",        -- the table of which the definition is an action of ALTER TABLE
    definition text COLLATE "C",
    fill       "char",      -- the definition is a format that takes the [c]olumns of a table or the name of the [s]chema
    class_id   oid,         -- for comments
    object_id  oid,
    column_id  integer
);
COMMENT ON TYPE steward_internal.tenant_schema_object IS
'Something that a schema has.';

CREATE FUNCTION steward_internal.tenant_schema_types(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN steward_internal.tenant_schema_enter(t.typnamespace) THEN
           ROW(t.typnamespace, 1, t.oid::bigint, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format_type(t.oid, NULL), NULL,
           CASE t.typtype
           WHEN 'e' THEN format('CREATE TYPE %I AS ENUM (%s)', t.typname,
                (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
           WHEN 'c' THEN format('CREATE TYPE %I AS (%s)', t.typname,
                (SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
                                   || CASE WHEN a.attcollation <> y.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END,
                                   ', ' ORDER BY a.attnum)
                   FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
           ELSE format('CREATE DOMAIN %I AS %s%s%s%s', t.typname, format_type(t.typbasetype, t.typtypmod),
                CASE WHEN t.typcollation <> b.typcollation THEN ' COLLATE ' || t.typcollation::regcollation::text END,
                ' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0, true), t.typdefault),
                CASE WHEN t.typnotnull THEN
                     coalesce((SELECT format(' CONSTRAINT %I', c.conname) FROM pg_constraint c
                                WHERE c.contypid = t.oid AND c.contype = 'n' AND c.conname <> t.typname || '_not_null'), '') || ' NOT NULL' END)
           END, NULL, 'pg_type'::regclass, t.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_type t ON t.typnamespace = s.oid
      LEFT JOIN pg_class r ON r.oid = t.typrelid
      LEFT JOIN pg_type b ON b.oid = t.typbasetype
     WHERE t.typtype IN ('e', 'd') OR r.relkind = 'c'
     UNION ALL
    -- after the functions that they may call, before the tables
    SELECT CASE WHEN steward_internal.tenant_schema_enter(t.typnamespace) THEN
           ROW(t.typnamespace, 3, -1, 'constraint', format('%I ON DOMAIN %s', c.conname, format_type(t.oid, NULL)), NULL,
           format('ALTER DOMAIN %s ADD CONSTRAINT %I %s', format_type(t.oid, NULL), c.conname, pg_get_constraintdef(c.oid, true)),
           NULL, 'pg_constraint'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_type t ON t.typnamespace = s.oid AND t.typtype = 'd'
      JOIN pg_constraint c ON c.contypid = t.oid AND c.contype = 'c';
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_types(oid[]) IS
'Returns the enums, domains and composite types of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_setting(schema regnamespace, setting text) RETURNS text
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- a list of names is kept as it is written, anything else as its value
    SELECT format(' SET %I = ', n.name)
           || CASE WHEN n.name = 'search_path' THEN
                   (SELECT string_agg(CASE e.element WHEN quote_ident(s.nspname) THEN '%1$I' ELSE replace(e.element, '%', '%%') END, ', ' ORDER BY e.place)
                      FROM string_to_table(n.value, ', ') WITH ORDINALITY e (element, place), pg_namespace s WHERE s.oid = schema)
                   WHEN n.name IN ('temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries') THEN replace(n.value, '%', '%%')
                   ELSE replace(quote_literal(n.value), '%', '%%') END
      FROM (SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value) n;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_setting(regnamespace, text) IS
'Returns the SET clause of a function, as a format that takes the name of its schema.';

CREATE FUNCTION steward_internal.tenant_schema_depths(schemas oid[], OUT view_id oid, OUT depth bigint) RETURNS SETOF record
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE views AS MATERIALIZED (
        SELECT c.oid FROM unnest(schemas) s (oid) JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('v', 'm')
    ), uses AS MATERIALIZED (
        SELECT DISTINCT v.oid AS user_id, d.refobjid AS used_id
          FROM views v
          JOIN pg_rewrite r ON r.ev_class = v.oid
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
         WHERE d.refobjid IN (SELECT w.oid FROM views w)
    ), depths AS (
        SELECT v.oid, 0 AS depth FROM views v
         UNION
        SELECT u.user_id, d.depth + 1 FROM depths d JOIN uses u ON u.used_id = d.oid
    )
    SELECT d.oid, max(d.depth)::bigint << 32 FROM depths d GROUP BY d.oid;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_depths(oid[]) IS
'Returns on how many others a view of some schemas stands, as the upper half of its place: one that was replaced may need younger ones.';

CREATE FUNCTION steward_internal.tenant_schema_functions(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- those that need tables come after these, those that need views after these
    SELECT CASE WHEN steward_internal.tenant_schema_enter(p.pronamespace) THEN
           ROW(p.pronamespace,
           CASE max(CASE WHEN r.relkind IN ('v', 'm') THEN 2 WHEN r.oid IS NOT NULL THEN 1 ELSE 0 END) WHEN 0 THEN 2 WHEN 1 THEN 5 ELSE 9 END,
           coalesce(max(v.depth), 0) | p.oid::bigint, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text, NULL,
           format('CREATE %s %s(%s)%s LANGUAGE %I', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
                  replace(quote_ident(p.proname), '%', '%%'), replace(pg_get_function_arguments(p.oid), '%', '%%'),
                  replace(' RETURNS ' || pg_get_function_result(p.oid), '%', '%%'), l.lanname)
           || CASE WHEN p.prokind = 'p' THEN '' ELSE
              CASE p.provolatile WHEN 'i' THEN ' IMMUTABLE' WHEN 's' THEN ' STABLE' ELSE '' END
              || CASE WHEN p.proisstrict THEN ' STRICT' ELSE '' END || CASE WHEN p.proleakproof THEN ' LEAKPROOF' ELSE '' END
              || CASE p.proparallel WHEN 's' THEN ' PARALLEL SAFE' WHEN 'r' THEN ' PARALLEL RESTRICTED' ELSE '' END
              || format(' COST %s', p.procost) || CASE WHEN p.proretset THEN format(' ROWS %s', p.prorows) ELSE '' END
              || CASE WHEN p.prosupport <> 0 THEN ' SUPPORT ' || p.prosupport::regproc::text ELSE '' END END
           || CASE WHEN p.prosecdef THEN ' SECURITY DEFINER' ELSE '' END
           || coalesce((SELECT string_agg(steward_internal.tenant_schema_setting(p.pronamespace, c.setting), '' ORDER BY c.setting) FROM unnest(p.proconfig) c (setting)), '')
           || ' ' || replace(coalesce(pg_get_function_sqlbody(p.oid),
                                      'AS ' || coalesce(quote_literal(p.probin) || ', ', '') || quote_literal(p.prosrc)), '%', '%%'),
           's', 'pg_proc'::regclass, p.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_proc p ON p.pronamespace = s.oid
      JOIN pg_language l ON l.oid = p.prolang
      LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'n'
      LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
      LEFT JOIN pg_type e ON e.oid = t.typelem
      LEFT JOIN pg_class r ON r.oid = ANY (ARRAY[CASE d.refclassid WHEN 'pg_class'::regclass THEN d.refobjid END, t.typrelid, e.typrelid])
                          AND r.relnamespace = p.pronamespace AND r.relkind <> 'c'
      LEFT JOIN steward_internal.tenant_schema_depths(schemas) v ON v.view_id = r.oid
     WHERE p.prokind IN ('f', 'p')
     GROUP BY p.oid, l.lanname;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_functions(oid[]) IS
'Returns the functions and procedures of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_columns(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- those that are not inherited have a place; partitions have the identity of their table
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, NULL, CASE WHEN a.attislocal OR c.relispartition THEN a.attnum END::bigint,
           'column', format('%s.%I', c.oid::regclass, a.attname), NULL,
           format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
           || CASE a.attcompression WHEN 'p' THEN ' COMPRESSION pglz' WHEN 'l' THEN ' COMPRESSION lz4' ELSE '' END
           || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
           || CASE WHEN a.attgenerated = '' THEN '' ELSE
              format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(f.adbin, f.adrelid, true), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END
           || CASE WHEN a.attidentity = '' OR c.relispartition THEN '' ELSE
              format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s)',
                     CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, q.seqrelid::regclass,
                     q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END) END
           || CASE WHEN k.oid IS NOT NULL THEN format(' CONSTRAINT %I NOT NULL', k.conname) || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END
                   WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END, NULL, 'pg_class'::regclass, c.oid, a.attnum)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      LEFT JOIN pg_depend d ON a.attidentity <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                           AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
      LEFT JOIN pg_sequence q ON q.seqrelid = d.objid
      -- servers from 18 on have these, mostly under this name
      LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]
                               AND (k.connoinherit OR k.conname <> format('%s_%s_not_null', c.relname, a.attname));
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_columns(oid[]) IS
'Returns the columns of the tables of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_tables(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE depths AS (
        SELECT c.oid, 0 AS depth FROM unnest(schemas) s (oid) JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
         UNION
        SELECT i.inhrelid, d.depth + 1 FROM depths d JOIN pg_inherits i ON i.inhparent = d.oid
    ), places AS (
        SELECT d.oid, max(d.depth)::bigint << 32 | d.oid::bigint AS place FROM depths d GROUP BY d.oid
    )
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 3, d.place, 'table', c.oid::regclass::text, NULL,
           format('CREATE %sTABLE %s (%%s)', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, replace(c.oid::regclass::text, '%', '%%'))
           || replace(coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')
              || coalesce((SELECT ' INHERITS (' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) || ')' FROM pg_inherits i
                            WHERE i.inhrelid = c.oid AND NOT c.relispartition), '')
              || CASE WHEN m.amname <> 'heap' THEN format(' USING %I', m.amname) ELSE '' END
              || coalesce((SELECT ' WITH (' || string_agg(o.name, ', ' ORDER BY o.name) || ')'
                             FROM (SELECT unnest(c.reloptions) AS name UNION ALL SELECT 'toast.' || unnest(t.reloptions)) o), '')
              || coalesce(' TABLESPACE ' || quote_ident(e.spcname), ''), '%', '%%'),
           'c', 'pg_class'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
      JOIN places d ON d.oid = c.oid
      LEFT JOIN pg_am m ON m.oid = c.relam
      LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
      LEFT JOIN pg_tablespace e ON e.oid = c.reltablespace
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 8, c.oid::bigint, 'partition', c.oid::regclass::text, NULL,
           format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', i.inhparent::regclass, c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relispartition AND c.relkind IN ('r', 'p')
      JOIN pg_inherits i ON i.inhrelid = c.oid
     UNION ALL
    -- sequences of identity columns are made with them
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, CASE WHEN d.deptype = 'i' THEN NULL ELSE 4 END, c.oid::bigint, 'sequence', c.oid::regclass::text, NULL,
           format('CREATE %sSEQUENCE %s AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s%s', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' END,
                  c.oid::regclass, format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END,
                  ' OWNED BY ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname)),
           NULL, 'pg_class'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind = 'S'
      JOIN pg_sequence q ON q.seqrelid = c.oid
      LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_tables(oid[]) IS
'Returns the tables, partitions and sequences of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_state(enabled "char") RETURNS text
LANGUAGE sql IMMUTABLE
RETURN CASE enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END;
COMMENT ON FUNCTION steward_internal.tenant_schema_state("char") IS
'Returns the action that gives a trigger or a rule a state other than its first.';

CREATE FUNCTION steward_internal.tenant_schema_views(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 9, d.depth | c.oid::bigint, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid::regclass::text, NULL,
           format('CREATE %s %s%s%s AS %s%s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, c.oid::regclass,
                  CASE WHEN m.amname <> 'heap' THEN format(' USING %I', m.amname) END,
                  (SELECT ' WITH (' || string_agg(o, ', ' ORDER BY o) || ')' FROM unnest(c.reloptions) o),
                  rtrim(pg_get_viewdef(c.oid), ';'), CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' END),
           NULL, 'pg_class'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('v', 'm')
      JOIN steward_internal.tenant_schema_depths(schemas) d ON d.view_id = c.oid
      LEFT JOIN pg_am m ON m.oid = c.relam
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 12, c.oid::bigint, 'populated', c.oid::regclass::text, NULL,
           format('REFRESH MATERIALIZED VIEW %s', c.oid::regclass), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind = 'm' AND c.relispopulated
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 11, r.oid::bigint, 'rule', format('%I ON %s', r.rulename, c.oid::regclass), NULL, rtrim(pg_get_ruledef(r.oid, true), ';'),
           NULL, 'pg_rewrite'::regclass, r.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relhasrules
      JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename <> '_RETURN'
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 12, r.oid::bigint, 'rule state', format('%I ON %s', r.rulename, c.oid::regclass), 'ONLY ' || c.oid::regclass::text,
           format('%s RULE %I', steward_internal.tenant_schema_state(r.ev_enabled), r.rulename), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relhasrules
      JOIN pg_rewrite r ON r.ev_class = c.oid AND r.ev_enabled <> 'O';
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_views(oid[]) IS
'Returns the views, materialized views and rules of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_constraints(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- partitions get foreign keys from their table; checks reach what inherits, which is there already
    SELECT CASE WHEN steward_internal.tenant_schema_enter(r.relnamespace) THEN
           ROW(r.relnamespace, CASE c.contype WHEN 'f' THEN 10 ELSE 6 END, c.oid::bigint, 'constraint', format('%I ON %s', c.conname, c.conrelid::regclass),
           CASE WHEN c.contype = 'f' OR c.contype = 'c' AND r.relhassubclass AND r.relkind = 'r' THEN '' ELSE 'ONLY ' END || c.conrelid::regclass::text,
           format('ADD CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid, true)), NULL, 'pg_constraint'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class r ON r.relnamespace = s.oid
      JOIN pg_constraint c ON c.conrelid = r.oid
     WHERE c.contype IN ('p', 'u', 'x') OR c.contype = 'f' AND c.conparentid = 0 OR c.contype = 'c' AND (c.conislocal OR r.relispartition)
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, CASE r.relkind WHEN 'm' THEN 10 ELSE 7 END, c.oid::bigint, 'index', c.oid::regclass::text, NULL,
           pg_get_indexdef(c.oid, 0, true) || coalesce(' TABLESPACE ' || quote_ident(e.spcname), ''), NULL, 'pg_class'::regclass, c.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid
      JOIN pg_index i ON i.indexrelid = c.oid AND i.indislive
      JOIN pg_class r ON r.oid = i.indrelid
      LEFT JOIN pg_tablespace e ON e.oid = c.reltablespace
     WHERE NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 7, c.oid::bigint, 'index options', c.oid::regclass::text, NULL,
           format('ALTER INDEX %s SET (%s)', c.oid::regclass, (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o)), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.reloptions IS NOT NULL
      JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(x.stxnamespace) THEN
           ROW(x.stxnamespace, 11, x.oid::bigint, 'statistics', quote_ident(x.stxname), NULL,
           format('CREATE STATISTICS %I%s ON %s FROM %s', x.stxname,
                  (SELECT ' (' || string_agg(CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END, ', ' ORDER BY k) || ')'
                     FROM unnest(x.stxkind) k WHERE k <> 'e'), pg_get_statisticsobjdef_columns(x.oid), x.stxrelid::regclass),
           NULL, 'pg_statistic_ext'::regclass, x.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_statistic_ext x ON x.stxnamespace = s.oid
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(x.stxnamespace) THEN
           ROW(x.stxnamespace, 12, x.oid::bigint, 'statistics target', quote_ident(x.stxname), NULL,
           format('ALTER STATISTICS %I SET STATISTICS %s', x.stxname, x.stxstattarget), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_statistic_ext x ON x.stxnamespace = s.oid AND x.stxstattarget >= 0
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 12, c.oid::bigint, 'statistics target', format('%s column %s', c.oid::regclass, a.attnum), NULL,
           format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', c.oid::regclass, a.attnum, a.attstattarget), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('i', 'I')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attstattarget >= 0;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_constraints(oid[]) IS
'Returns the constraints, indexes and extended statistics of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_options(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 11, c.oid::bigint, o.kind, c.oid::regclass::text, 'ONLY ' || c.oid::regclass::text, o.action, NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
     CROSS JOIN LATERAL (VALUES
           ('row security', CASE WHEN c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END),
           ('forced row security', CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END),
           ('replica identity', CASE c.relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
                WHEN 'i' THEN (SELECT format('REPLICA IDENTITY USING INDEX %I', r.relname) FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
                                WHERE i.indrelid = c.oid AND i.indisreplident) END),
           ('clustering', (SELECT format('CLUSTER ON %I', r.relname) FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
                                WHERE i.indrelid = c.oid AND i.indisclustered))) AS o (kind, action)
     WHERE o.action IS NOT NULL
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, CASE c.relkind WHEN 'v' THEN 10 ELSE 6 END, a.attnum::bigint, 'default', format('%s.%I', c.oid::regclass, a.attname),
           'ONLY ' || c.oid::regclass::text, format('ALTER %I SET DEFAULT %s', a.attname, pg_get_expr(f.adbin, f.adrelid, true)), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v')
      JOIN pg_attrdef f ON f.adrelid = c.oid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum AND a.attgenerated = ''
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 6, a.attnum::bigint, o.kind, format('%s.%I', c.oid::regclass, a.attname),
           'ONLY ' || c.oid::regclass::text, format('ALTER %I %s', a.attname, o.action), NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
     CROSS JOIN LATERAL (VALUES
           -- of a column that is inherited as one that may be null
           ('not null', CASE WHEN a.attnotnull AND NOT a.attislocal AND NOT c.relispartition AND EXISTS (
                                       SELECT FROM pg_inherits i JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = a.attname AND NOT p.attnotnull
                                        WHERE i.inhrelid = c.oid) THEN 'SET NOT NULL' END),
           ('storage', CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE '
                            || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
           -- -1 up to 16, null from 17 on
           ('statistics target', CASE WHEN a.attstattarget >= 0 THEN format('SET STATISTICS %s', a.attstattarget) END),
           -- servers keep other things there that are no options
           ('column options', (SELECT format('SET (%s)', string_agg(x, ', ' ORDER BY x)) FROM unnest(a.attoptions) x
                                WHERE x ~ '^n_distinct' HAVING count(*) > 0))) AS o (kind, action)
     WHERE o.action IS NOT NULL;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_options(oid[]) IS
'Returns what else is said of the tables and columns of schemas.';

CREATE FUNCTION steward_internal.tenant_schema_triggers(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 11, t.oid::bigint, 'trigger', format('%I ON %s', t.tgname, c.oid::regclass), NULL,
           pg_get_triggerdef(t.oid, true), NULL, 'pg_trigger'::regclass, t.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relhastriggers
      JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgparentid = 0
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 12, t.oid::bigint, 'trigger state', format('%I ON %s', t.tgname, c.oid::regclass), 'ONLY ' || c.oid::regclass::text,
           format('%s TRIGGER %I', steward_internal.tenant_schema_state(t.tgenabled), t.tgname),
           NULL, NULL, NULL, NULL)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relhastriggers
      -- each partition has a state of its own
      JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'O'
     UNION ALL
    SELECT CASE WHEN steward_internal.tenant_schema_enter(c.relnamespace) THEN
           ROW(c.relnamespace, 11, p.oid::bigint, 'policy', format('%I ON %s', p.polname, c.oid::regclass), NULL,
           format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, c.oid::regclass,
                  CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r),
                  ' USING (' || pg_get_expr(p.polqual, p.polrelid, true) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid, true) || ')'),
           NULL, 'pg_policy'::regclass, p.oid, 0)::steward_internal.tenant_schema_object END
      FROM unnest(schemas) s (oid)
      JOIN pg_class c ON c.relnamespace = s.oid
      JOIN pg_policy p ON p.polrelid = c.oid;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_triggers(oid[]) IS
'Returns the triggers and policies of schemas.';
