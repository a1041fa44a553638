-- tenant_schema_copy: what is in a schema, as the commands that make the same in another one.
--
-- Definitions name what is in the schema without it, because the caller of these functions has put it into the search
-- path, behind pg_catalog and before nothing. So they set none themselves; their bodies are bound to what they name.

CREATE TYPE steward_internal.tenant_schema_object AS (
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

CREATE FUNCTION steward_internal.tenant_schema_types(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 1, t.oid::bigint, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format_type(t.oid, NULL), NULL,
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
                CASE WHEN t.typnotnull THEN ' NOT NULL' END)
                || coalesce((SELECT string_agg(format(' CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid, true)), '' ORDER BY c.conname)
                               FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'), '')
           END, NULL::"char", 'pg_type'::regclass::oid, t.oid, 0
      FROM pg_type t
      LEFT JOIN pg_class r ON r.oid = t.typrelid
      LEFT JOIN pg_type b ON b.oid = t.typbasetype
     WHERE t.typnamespace = schema AND (t.typtype IN ('e', 'd') OR r.relkind = 'c');
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_types(regnamespace) IS
'Returns the enums, domains and composite types of a schema.';

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

CREATE FUNCTION steward_internal.tenant_schema_functions(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- those that need tables come after these, those that need views after these
    SELECT CASE max(CASE WHEN r.relkind IN ('v', 'm') THEN 2 WHEN r.oid IS NOT NULL THEN 1 ELSE 0 END) WHEN 0 THEN 2 WHEN 1 THEN 5 ELSE 9 END,
           p.oid::bigint, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text, NULL,
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
           || coalesce((SELECT string_agg(steward_internal.tenant_schema_setting(schema, c.setting), '' ORDER BY c.setting) FROM unnest(p.proconfig) c (setting)), '')
           || ' ' || replace(coalesce(pg_get_function_sqlbody(p.oid),
                                      'AS ' || coalesce(quote_literal(p.probin) || ', ', '') || quote_literal(p.prosrc)), '%', '%%'),
           's'::"char", 'pg_proc'::regclass::oid, p.oid, 0
      FROM pg_proc p
      JOIN pg_language l ON l.oid = p.prolang
      LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'n'
      LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
      LEFT JOIN pg_type e ON e.oid = t.typelem
      LEFT JOIN pg_class r ON r.relnamespace = schema AND r.relkind <> 'c'
                          AND (d.refclassid = 'pg_class'::regclass AND r.oid = d.refobjid OR r.oid IN (t.typrelid, e.typrelid))
     WHERE p.pronamespace = schema AND p.prokind IN ('f', 'p')
     GROUP BY p.oid, l.lanname;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_functions(regnamespace) IS
'Returns the functions and procedures of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_columns(schema regnamespace,
    OUT relation_id oid, OUT column_id smallint, OUT is_own boolean, OUT definition text) RETURNS SETOF record
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- partitions have the identity of their table
    SELECT a.attrelid, a.attnum, a.attislocal OR c.relispartition,
           format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod))
           || CASE a.attcompression WHEN 'p' THEN ' COMPRESSION pglz' WHEN 'l' THEN ' COMPRESSION lz4' ELSE '' END
           || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
           || CASE WHEN a.attgenerated = '' THEN '' ELSE
              format(' GENERATED ALWAYS AS (%s) %s', pg_get_expr(f.adbin, f.adrelid, true), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END
           || CASE WHEN a.attidentity = '' OR c.relispartition THEN '' ELSE
              format(' GENERATED %s AS IDENTITY (SEQUENCE NAME %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s)',
                     CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, q.seqrelid::regclass,
                     q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END) END
           || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      LEFT JOIN pg_depend d ON a.attidentity <> '' AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
                           AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'
      LEFT JOIN pg_sequence q ON q.seqrelid = d.objid
     WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p');
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_columns(regnamespace) IS
'Returns the columns of the tables of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_tables(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE depths AS (
        SELECT c.oid, 0 AS depth FROM pg_class c WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p')
         UNION
        SELECT i.inhrelid, d.depth + 1 FROM depths d JOIN pg_inherits i ON i.inhparent = d.oid
    )
    SELECT 3, (SELECT max(d.depth) FROM depths d WHERE d.oid = c.oid)::bigint << 32 | c.oid::bigint, 'table', c.oid::regclass::text, NULL,
           format('CREATE %sTABLE %s (%%s)', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, replace(c.oid::regclass::text, '%', '%%'))
           || replace(coalesce(' PARTITION BY ' || pg_get_partkeydef(c.oid), '')
              || coalesce((SELECT ' INHERITS (' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) || ')' FROM pg_inherits i
                            WHERE i.inhrelid = c.oid AND NOT c.relispartition), '')
              || CASE WHEN m.amname <> 'heap' THEN format(' USING %I', m.amname) ELSE '' END
              || coalesce((SELECT ' WITH (' || string_agg(o.name, ', ' ORDER BY o.name) || ')'
                             FROM (SELECT unnest(c.reloptions) AS name UNION ALL SELECT 'toast.' || unnest(t.reloptions)) o), '')
              || coalesce(' TABLESPACE ' || quote_ident(s.spcname), ''), '%', '%%'),
           'c'::"char", 'pg_class'::regclass::oid, c.oid, 0
      FROM pg_class c
      LEFT JOIN pg_am m ON m.oid = c.relam
      LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
      LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
     WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p')
     UNION ALL
    SELECT NULL, NULL, 'column', format('%s.%I', k.relation_id::regclass, a.attname), NULL, k.definition, NULL, 'pg_class'::regclass, k.relation_id, k.column_id
      FROM steward_internal.tenant_schema_columns(schema) k
      JOIN pg_attribute a ON a.attrelid = k.relation_id AND a.attnum = k.column_id
     UNION ALL
    SELECT 8, c.oid::bigint, 'partition', c.oid::regclass::text, NULL,
           format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', i.inhparent::regclass, c.oid::regclass, pg_get_expr(c.relpartbound, c.oid)), NULL, NULL, NULL, NULL
      FROM pg_class c
      JOIN pg_inherits i ON i.inhrelid = c.oid
     WHERE c.relnamespace = schema AND c.relispartition AND c.relkind IN ('r', 'p')
     UNION ALL
    -- sequences of identity columns are made with them
    SELECT CASE WHEN d.deptype = 'i' THEN NULL ELSE 4 END, c.oid::bigint, 'sequence', c.oid::regclass::text, NULL,
           format('CREATE %sSEQUENCE %s AS %s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s%s', CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' END,
                  c.oid::regclass, format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' END,
                  ' OWNED BY ' || d.refobjid::regclass::text || '.' || quote_ident(a.attname)),
           NULL, 'pg_class'::regclass, c.oid, 0
      FROM pg_class c
      JOIN pg_sequence q ON q.seqrelid = c.oid
      LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     WHERE c.relnamespace = schema AND c.relkind = 'S';
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_tables(regnamespace) IS
'Returns the tables, columns, partitions and sequences of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_views(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 9, c.oid::bigint, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid::regclass::text, NULL,
           format('CREATE %s %s%s%s AS %s%s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, c.oid::regclass,
                  CASE WHEN m.amname <> 'heap' THEN format(' USING %I', m.amname) END,
                  (SELECT ' WITH (' || string_agg(o, ', ' ORDER BY o) || ')' FROM unnest(c.reloptions) o),
                  rtrim(pg_get_viewdef(c.oid), ';'), CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' END),
           NULL::"char", 'pg_class'::regclass::oid, c.oid, 0
      FROM pg_class c
      LEFT JOIN pg_am m ON m.oid = c.relam
     WHERE c.relnamespace = schema AND c.relkind IN ('v', 'm')
     UNION ALL
    SELECT 12, c.oid::bigint, 'populated', c.oid::regclass::text, NULL, format('REFRESH MATERIALIZED VIEW %s', c.oid::regclass), NULL, NULL, NULL, NULL
      FROM pg_class c
     WHERE c.relnamespace = schema AND c.relkind = 'm' AND c.relispopulated
     UNION ALL
    SELECT 11, r.oid::bigint, 'rule', format('%I ON %s', r.rulename, c.oid::regclass), NULL, rtrim(pg_get_ruledef(r.oid, true), ';'),
           NULL, 'pg_rewrite'::regclass, r.oid, 0
      FROM pg_rewrite r
      JOIN pg_class c ON c.oid = r.ev_class
     WHERE c.relnamespace = schema AND r.rulename <> '_RETURN';
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_views(regnamespace) IS
'Returns the views, materialized views and rules of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_constraints(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    -- partitions get foreign keys from their table; checks reach what inherits, which is there already
    SELECT CASE c.contype WHEN 'f' THEN 10 ELSE 6 END, c.oid::bigint, 'constraint', format('%I ON %s', c.conname, c.conrelid::regclass),
           CASE WHEN c.contype = 'f' OR c.contype = 'c' AND r.relhassubclass AND r.relkind = 'r' THEN '' ELSE 'ONLY ' END || c.conrelid::regclass::text,
           format('ADD CONSTRAINT %I %s', c.conname, pg_get_constraintdef(c.oid, true)), NULL::"char", 'pg_constraint'::regclass::oid, c.oid, 0
      FROM pg_constraint c
      JOIN pg_class r ON r.oid = c.conrelid
     WHERE r.relnamespace = schema
       AND (c.contype IN ('p', 'u', 'x') OR c.contype = 'f' AND c.conparentid = 0 OR c.contype = 'c' AND (c.conislocal OR r.relispartition))
     UNION ALL
    SELECT CASE r.relkind WHEN 'm' THEN 10 ELSE 7 END, c.oid::bigint, 'index', c.oid::regclass::text, NULL,
           pg_get_indexdef(c.oid, 0, true) || coalesce(' TABLESPACE ' || quote_ident(s.spcname), ''), NULL, 'pg_class'::regclass, c.oid, 0
      FROM pg_class c
      JOIN pg_index i ON i.indexrelid = c.oid AND i.indislive
      JOIN pg_class r ON r.oid = i.indrelid
      LEFT JOIN pg_tablespace s ON s.oid = c.reltablespace
     WHERE c.relnamespace = schema
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x'))
     UNION ALL
    SELECT 7, c.oid::bigint, 'index options', c.oid::regclass::text, NULL,
           format('ALTER INDEX %s SET (%s)', c.oid::regclass, (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(c.reloptions) o)), NULL, NULL, NULL, NULL
      FROM pg_class c
      JOIN pg_constraint k ON k.conindid = c.oid AND k.contype IN ('p', 'u', 'x')
     WHERE c.relnamespace = schema AND c.reloptions IS NOT NULL
     UNION ALL
    SELECT 11, x.oid::bigint, 'statistics', quote_ident(x.stxname), NULL,
           format('CREATE STATISTICS %I%s ON %s FROM %s', x.stxname,
                  (SELECT ' (' || string_agg(CASE k WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END, ', ' ORDER BY k) || ')'
                     FROM unnest(x.stxkind) k WHERE k <> 'e'), pg_get_statisticsobjdef_columns(x.oid), x.stxrelid::regclass),
           NULL, 'pg_statistic_ext'::regclass, x.oid, 0
      FROM pg_statistic_ext x
     WHERE x.stxnamespace = schema;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_constraints(regnamespace) IS
'Returns the constraints, indexes and extended statistics of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_options(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT o.phase, c.oid::bigint, o.kind, c.oid::regclass::text, 'ONLY ' || c.oid::regclass::text, o.action, NULL::"char", NULL::oid, NULL::oid, NULL::integer
      FROM pg_class c
     CROSS JOIN LATERAL (VALUES
           (11, 'row security', CASE WHEN c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END),
           (11, 'forced row security', CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END),
           (11, 'replica identity', CASE c.relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
                WHEN 'i' THEN (SELECT format('REPLICA IDENTITY USING INDEX %I', r.relname) FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
                                WHERE i.indrelid = c.oid AND i.indisreplident) END),
           (11, 'clustering', (SELECT format('CLUSTER ON %I', r.relname) FROM pg_index i JOIN pg_class r ON r.oid = i.indexrelid
                                WHERE i.indrelid = c.oid AND i.indisclustered))) AS o (phase, kind, action)
     WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p') AND o.action IS NOT NULL
     UNION ALL
    SELECT o.phase, a.attnum::bigint, o.kind, format('%s.%I', c.oid::regclass, a.attname), 'ONLY ' || c.oid::regclass::text,
           format('ALTER %I %s', a.attname, o.action), NULL, NULL, NULL, NULL
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum AND a.attgenerated = ''
     CROSS JOIN LATERAL (VALUES
           (CASE c.relkind WHEN 'v' THEN 10 ELSE 6 END, 'default', 'SET DEFAULT ' || pg_get_expr(f.adbin, f.adrelid, true)),
           (6, 'storage', CASE WHEN a.attstorage <> t.typstorage AND c.relkind <> 'v' THEN 'SET STORAGE '
                               || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
           -- -1 up to 16, null from 17 on
           (6, 'statistics target', CASE WHEN a.attstattarget >= 0 THEN format('SET STATISTICS %s', a.attstattarget) END),
           -- servers keep other things there that are no options
           (6, 'column options', (SELECT format('SET (%s)', string_agg(x, ', ' ORDER BY x)) FROM unnest(a.attoptions) x
                                   WHERE x ~ '^n_distinct' HAVING count(*) > 0))
           ) AS o (phase, kind, action)
     WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v') AND o.action IS NOT NULL;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_options(regnamespace) IS
'Returns what else is said of the tables and columns of a schema.';

CREATE FUNCTION steward_internal.tenant_schema_triggers(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT 11, t.oid::bigint, 'trigger', format('%I ON %s', t.tgname, c.oid::regclass), NULL, pg_get_triggerdef(t.oid, true),
           NULL::"char", 'pg_trigger'::regclass::oid, t.oid, 0
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = schema AND NOT t.tgisinternal AND t.tgparentid = 0
     UNION ALL
    SELECT 12, t.oid::bigint, 'trigger state', format('%I ON %s', t.tgname, c.oid::regclass), 'ONLY ' || c.oid::regclass::text,
           format('%s TRIGGER %I', CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, t.tgname),
           NULL, NULL, NULL, NULL
      FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
     WHERE c.relnamespace = schema AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'O'
     UNION ALL
    SELECT 11, p.oid::bigint, 'policy', format('%I ON %s', p.polname, c.oid::regclass), NULL,
           format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', p.polname, c.oid::regclass,
                  CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                  CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) r),
                  ' USING (' || pg_get_expr(p.polqual, p.polrelid, true) || ')', ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid, true) || ')'),
           NULL, 'pg_policy'::regclass, p.oid, 0
      FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid
     WHERE c.relnamespace = schema;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_triggers(regnamespace) IS
'Returns the triggers and policies of a schema.';

-- New objects have the rights that ALTER DEFAULT PRIVILEGES gives them, in whatever schema they are: only what
-- differs from that is granted or revoked.
CREATE FUNCTION steward_internal.tenant_schema_grants(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH lists AS (
        SELECT 'r'::"char" AS type, CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass::text AS target, '' AS columns, c.relowner AS owner, c.relacl AS acl,
               CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END AS kind, CASE c.relkind WHEN 'S' THEN 'S'::"char" ELSE 'r'::"char" END AS default_kind
          FROM pg_class c WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
         UNION ALL
        SELECT 'c', format('TABLE %s', c.oid::regclass), format(' (%I)', a.attname), c.relowner, a.attacl, NULL, NULL
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped WHERE c.relnamespace = schema
         UNION ALL
        SELECT 'f', CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure::text, '', p.proowner, p.proacl, 'f', 'f'
          FROM pg_proc p WHERE p.pronamespace = schema
         UNION ALL
        SELECT 'T', CASE t.typtype WHEN 'd' THEN 'DOMAIN ' ELSE 'TYPE ' END || format_type(t.oid, NULL), '', t.typowner, t.typacl, 'T', 'T'
          FROM steward_internal.tenant_schema_types(schema) o JOIN pg_type t ON t.oid = o.object_id
         UNION ALL
        SELECT 'n', 'SCHEMA %1$I', '', n.nspowner, n.nspacl, 'n', 'n' FROM pg_namespace n WHERE n.oid = schema
    ), rights AS (
        SELECT l.target, l.columns, x.grantee, x.privilege_type, x.is_grantable, x.is_new
          FROM lists l
         CROSS JOIN LATERAL (SELECT coalesce((SELECT d.defaclacl FROM pg_default_acl d
                                               WHERE d.defaclrole = l.owner AND d.defaclnamespace = 0 AND d.defaclobjtype = l.default_kind),
                                             acldefault(l.kind, l.owner)) AS acl) b
         CROSS JOIN LATERAL (
               (SELECT n.grantee, n.privilege_type, n.is_grantable, true AS is_new FROM aclexplode(coalesce(l.acl, acldefault(l.kind, l.owner))) n
                EXCEPT SELECT o.grantee, o.privilege_type, o.is_grantable, true FROM aclexplode(b.acl) o)
                UNION ALL
               (SELECT o.grantee, o.privilege_type, false, false FROM aclexplode(b.acl) o
                EXCEPT SELECT n.grantee, n.privilege_type, false, false FROM aclexplode(coalesce(l.acl, acldefault(l.kind, l.owner))) n)) x
    )
    SELECT 13, CASE WHEN g.is_new THEN 1 ELSE 0 END::bigint, 'grant', format('%s%s %s %s', replace(g.target, 'SCHEMA %1$I', 'SCHEMA'), g.columns, CASE WHEN g.is_new THEN 'TO' ELSE 'FROM' END, r.name)
           || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, NULL,
           format('%s %s ON %s %s %s%s', CASE WHEN g.is_new THEN 'GRANT' ELSE 'REVOKE' END,
                  (SELECT string_agg(p || replace(g.columns, '%', '%%'), ', ' ORDER BY p COLLATE "C") FROM unnest(array_agg(g.privilege_type)) p),
                  CASE WHEN g.target = 'SCHEMA %1$I' THEN g.target ELSE replace(g.target, '%', '%%') END,
                  CASE WHEN g.is_new THEN 'TO' ELSE 'FROM' END, replace(r.name, '%', '%%'), CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END),
           's'::"char", NULL::oid, NULL::oid, NULL::integer
      FROM rights g
     CROSS JOIN LATERAL (SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS name) r
     GROUP BY g.target, g.columns, g.is_new, g.is_grantable, r.name
     UNION ALL
    -- these come last: they are for what is made later
    SELECT 14, 0, 'default privileges', format('%s of %I for %s%s', o.name, pg_get_userbyid(d.defaclrole), r.name, CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END), NULL,
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %%1$I GRANT %s ON %s TO %s%s', replace(quote_ident(pg_get_userbyid(d.defaclrole)), '%', '%%'),
                  string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type COLLATE "C"), o.name, replace(r.name, '%', '%%'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END),
           's', NULL, NULL, NULL
      FROM pg_default_acl d
     CROSS JOIN LATERAL aclexplode(d.defaclacl) x
     CROSS JOIN LATERAL (SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END AS name) o
     CROSS JOIN LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS name) r
     WHERE d.defaclnamespace = schema
     GROUP BY d.oid, d.defaclrole, o.name, r.name, x.is_grantable;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_grants(regnamespace) IS
'Returns the rights in a schema, and those that what is made in it later will have.';

CREATE FUNCTION steward_internal.tenant_schema_owners(schema regnamespace,
    OUT kind text, OUT object text, OUT owner oid) RETURNS SETOF record
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT o.kind, o.object, coalesce(c.relowner, p.proowner, t.typowner)
      FROM (SELECT * FROM steward_internal.tenant_schema_types(schema) UNION ALL SELECT * FROM steward_internal.tenant_schema_functions(schema)
             UNION ALL SELECT * FROM steward_internal.tenant_schema_tables(schema) UNION ALL SELECT * FROM steward_internal.tenant_schema_views(schema)) o
      LEFT JOIN pg_class c ON o.class_id = 'pg_class'::regclass AND c.oid = o.object_id
      LEFT JOIN pg_proc p ON o.class_id = 'pg_proc'::regclass AND p.oid = o.object_id
      LEFT JOIN pg_type t ON o.class_id = 'pg_type'::regclass AND t.oid = o.object_id
     WHERE o.column_id = 0 AND o.class_id <> 'pg_rewrite'::regclass
     UNION ALL
    SELECT 'schema', '', n.nspowner FROM pg_namespace n WHERE n.oid = schema;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_owners(regnamespace) IS
'Returns the owners of a schema and of what is in it.';

CREATE FUNCTION steward_internal.tenant_schema_objects(schema regnamespace) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH objects AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_schema_types(schema) UNION ALL SELECT * FROM steward_internal.tenant_schema_functions(schema)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_tables(schema) UNION ALL SELECT * FROM steward_internal.tenant_schema_views(schema)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_constraints(schema) UNION ALL SELECT * FROM steward_internal.tenant_schema_options(schema)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_triggers(schema)
    )
    SELECT * FROM objects
     UNION ALL SELECT * FROM steward_internal.tenant_schema_grants(schema)
     UNION ALL
    SELECT 15, 0, 'comment', upper(o.kind COLLATE "C") || ' ' || o.object, NULL, format('COMMENT ON %s %s IS %L', upper(o.kind COLLATE "C"), o.object, d.description), NULL, NULL, NULL, NULL
      FROM objects o
      JOIN pg_description d ON d.classoid = o.class_id AND d.objoid = o.object_id AND d.objsubid = o.column_id
     UNION ALL
    SELECT 15, 0, 'comment', 'SCHEMA', NULL, 'COMMENT ON SCHEMA %1$I IS ' || replace(quote_literal(d.description), '%', '%%'), 's', NULL, NULL, NULL
      FROM pg_description d
     WHERE d.classoid = 'pg_namespace'::regclass AND d.objoid = schema
     UNION ALL
    SELECT NULL, NULL, 'owner', upper(w.kind COLLATE "C") || ' ' || w.object, NULL, quote_ident(pg_get_userbyid(w.owner)), NULL, NULL, NULL, NULL
      FROM steward_internal.tenant_schema_owners(schema) w;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_objects(regnamespace) IS
'Returns all that is in a schema.';

CREATE FUNCTION steward_internal.tenant_schema_commands(schema regnamespace, OUT commands text[], OUT fills "char"[], OUT objects text[])
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH columns AS MATERIALIZED (
        SELECT k.relation_id, string_agg(k.definition, ', ' ORDER BY k.column_id) AS list
          FROM steward_internal.tenant_schema_columns(schema) k WHERE k.is_own GROUP BY k.relation_id
    ), made AS (
        SELECT o.phase, min(o.place) AS place,
               -- what alters one table goes into one command
               CASE WHEN o.altered IS NOT NULL THEN format('ALTER TABLE %s %s', o.altered, string_agg(o.definition, ', ' ORDER BY o.place, o.kind, o.definition))
                    WHEN o.fill = 'c' THEN format(min(o.definition), min(k.list))
                    ELSE min(o.definition) END AS command,
               o.fill, min(o.kind) || ' ' || min(o.object) AS object
          FROM steward_internal.tenant_schema_objects(schema) o
          LEFT JOIN columns k ON o.fill = 'c' AND k.relation_id = o.object_id
         WHERE o.phase IS NOT NULL
         GROUP BY o.phase, o.altered, o.fill, CASE WHEN o.altered IS NULL THEN o.kind || ' ' || o.object END
    )
    SELECT array_agg(m.command ORDER BY m.phase, m.place, m.object), array_agg(m.fill ORDER BY m.phase, m.place, m.object),
           array_agg(m.object ORDER BY m.phase, m.place, m.object)
      FROM made m;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_commands(regnamespace) IS
'Returns the commands that make in another schema what is in this one, in order.';
