-- tenant_schema_read: all that is in schemas, with rights, comments, labels and owners, and the commands to make it.

-- New objects have the rights that ALTER DEFAULT PRIVILEGES gives them, in whatever schema they are: only what
-- differs from that is granted or revoked.
CREATE FUNCTION steward_internal.tenant_schema_grants(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH lists AS (
        SELECT c.relnamespace AS schema_id, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS type, 'pg_class'::regclass::oid AS class_id, c.oid AS object_id, NULL::name AS column_name,
               c.relowner AS owner, c.relacl AS acl, CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END AS kind, CASE c.relkind WHEN 'S' THEN 'S'::"char" ELSE 'r'::"char" END AS default_kind
          FROM unnest(schemas) s (oid) JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
         UNION ALL
        SELECT c.relnamespace, 'TABLE', 'pg_class'::regclass, c.oid, a.attname, c.relowner, a.attacl, NULL, NULL
          FROM unnest(schemas) s (oid) JOIN pg_class c ON c.relnamespace = s.oid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
         UNION ALL
        SELECT p.pronamespace, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, 'pg_proc'::regclass, p.oid, NULL, p.proowner, p.proacl, 'f', 'f'
          FROM unnest(schemas) s (oid) JOIN pg_proc p ON p.pronamespace = s.oid
         UNION ALL
        SELECT t.typnamespace, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, 'pg_type'::regclass, t.oid, NULL, t.typowner, t.typacl, 'T', 'T'
          FROM unnest(schemas) s (oid) JOIN pg_type t ON t.typnamespace = s.oid
          LEFT JOIN pg_class r ON r.oid = t.typrelid
         WHERE t.typtype IN ('e', 'd') OR r.relkind = 'c'
         UNION ALL
        SELECT n.oid, 'SCHEMA', 'pg_namespace'::regclass, n.oid, NULL, n.nspowner, n.nspacl, 'n', 'n'
          FROM unnest(schemas) s (oid) JOIN pg_namespace n ON n.oid = s.oid
    ), rights AS (
        SELECT l.schema_id, l.type, l.class_id, l.object_id, l.column_name, x.grantee, x.is_grantable, x.is_new, array_agg(x.privilege_type ORDER BY x.privilege_type COLLATE "C") AS privileges
          FROM lists l
         CROSS JOIN LATERAL (SELECT coalesce(l.acl, acldefault(l.kind, l.owner)) AS now,
                                    coalesce((SELECT d.defaclacl FROM pg_default_acl d
                                               WHERE d.defaclrole = l.owner AND d.defaclnamespace = 0 AND d.defaclobjtype = l.default_kind),
                                             acldefault(l.kind, l.owner)) AS new) a
         CROSS JOIN LATERAL (
               (SELECT n.grantee, n.privilege_type, n.is_grantable, true AS is_new FROM aclexplode(a.now) n
                EXCEPT SELECT o.grantee, o.privilege_type, o.is_grantable, true FROM aclexplode(a.new) o)
                UNION ALL
               (SELECT o.grantee, o.privilege_type, false, false FROM aclexplode(a.new) o
                EXCEPT SELECT n.grantee, n.privilege_type, false, false FROM aclexplode(a.now) n)) x
         WHERE a.now IS DISTINCT FROM a.new
         GROUP BY l.schema_id, l.type, l.class_id, l.object_id, l.column_name, x.grantee, x.is_grantable, x.is_new
    )
    SELECT g.schema_id, 13, CASE WHEN g.is_new THEN 1 ELSE 0 END::bigint, 'grant',
           concat_ws(' ', g.type, o.name || o.columns, CASE WHEN g.is_new THEN 'TO' ELSE 'FROM' END, o.role || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), NULL,
           format('%s %s ON %s %s %s %s%s', CASE WHEN g.is_new THEN 'GRANT' ELSE 'REVOKE' END,
                  (SELECT string_agg(p || replace(o.columns, '%', '%%'), ', ' ORDER BY p COLLATE "C") FROM unnest(g.privileges) p), g.type,
                  coalesce(replace(o.name, '%', '%%'), '%1$I'), CASE WHEN g.is_new THEN 'TO' ELSE 'FROM' END, replace(o.role, '%', '%%'), CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END),
           's'::"char", NULL::oid, NULL::oid, NULL::integer
      FROM rights g
     CROSS JOIN LATERAL (
           SELECT CASE WHEN steward_internal.tenant_schema_enter(g.schema_id) THEN
                  CASE g.class_id WHEN 'pg_class'::regclass THEN g.object_id::regclass::text
                                  WHEN 'pg_proc'::regclass THEN g.object_id::regprocedure::text
                                  WHEN 'pg_type'::regclass THEN format_type(g.object_id, NULL) END END AS name,
                  CASE WHEN g.column_name IS NULL THEN '' ELSE format(' (%I)', g.column_name) END AS columns,
                  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END AS role) o
     UNION ALL
    -- these come last: they are for what is made later
    SELECT d.defaclnamespace, 14, 0, 'default privileges', format('%s of %I for %s%s', o.name, pg_get_userbyid(d.defaclrole), r.name, CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END), NULL,
           format('ALTER DEFAULT PRIVILEGES FOR ROLE %s IN SCHEMA %%1$I GRANT %s ON %s TO %s%s', replace(quote_ident(pg_get_userbyid(d.defaclrole)), '%', '%%'),
                  string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type COLLATE "C"), o.name, replace(r.name, '%', '%%'), CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END),
           's', NULL, NULL, NULL
      FROM unnest(schemas) s (oid)
      JOIN pg_default_acl d ON d.defaclnamespace = s.oid
     CROSS JOIN LATERAL aclexplode(d.defaclacl) x
     CROSS JOIN LATERAL (SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END AS name) o
     CROSS JOIN LATERAL (SELECT CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS name) r
     GROUP BY d.oid, d.defaclnamespace, d.defaclrole, o.name, r.name, x.is_grantable;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_grants(oid[]) IS
'Returns the rights in schemas, and those that what is made in it later will have.';

CREATE FUNCTION steward_internal.tenant_schema_objects(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH objects AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_schema_types(schemas) UNION ALL SELECT * FROM steward_internal.tenant_schema_functions(schemas)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_columns(schemas) UNION ALL SELECT * FROM steward_internal.tenant_schema_tables(schemas)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_views(schemas) UNION ALL SELECT * FROM steward_internal.tenant_schema_constraints(schemas)
         UNION ALL SELECT * FROM steward_internal.tenant_schema_options(schemas) UNION ALL SELECT * FROM steward_internal.tenant_schema_triggers(schemas)
    ), schema_rows AS (
        SELECT n.* FROM unnest(schemas) s (oid) JOIN pg_namespace n ON n.oid = s.oid
    )
    SELECT * FROM objects o WHERE o.schema_id IS NOT NULL
     UNION ALL SELECT * FROM steward_internal.tenant_schema_grants(schemas)
     UNION ALL
    SELECT o.schema_id, 15, 0, 'comment', upper(o.kind COLLATE "C") || ' ' || o.object, NULL, format('COMMENT ON %s %s IS %L', upper(o.kind COLLATE "C"), o.object, d.description), NULL, NULL, NULL, NULL
      FROM objects o
      JOIN pg_description d ON d.classoid = o.class_id AND d.objoid = o.object_id AND d.objsubid = o.column_id
     UNION ALL
    SELECT n.oid, 15, 0, 'comment', 'SCHEMA', NULL, 'COMMENT ON SCHEMA %1$I IS ' || replace(quote_literal(d.description), '%', '%%'), 's', NULL, NULL, NULL
      FROM schema_rows n
      JOIN pg_description d ON d.classoid = 'pg_namespace'::regclass AND d.objoid = n.oid
     UNION ALL
    SELECT o.schema_id, 16, 0, 'security label', format('FOR %I ON %s %s', l.provider, upper(o.kind COLLATE "C"), o.object), NULL,
           format('SECURITY LABEL FOR %I ON %s %s IS %L', l.provider, upper(o.kind COLLATE "C"), o.object, l.label), NULL, NULL, NULL, NULL
      FROM objects o
      JOIN pg_seclabel l ON l.classoid = o.class_id AND l.objoid = o.object_id AND l.objsubid = o.column_id
     UNION ALL
    SELECT n.oid, 16, 0, 'security label', format('FOR %I ON SCHEMA', l.provider), NULL,
           format('SECURITY LABEL FOR %s ON SCHEMA %%1$I IS %s', replace(quote_ident(l.provider), '%', '%%'), replace(quote_literal(l.label), '%', '%%')), 's', NULL, NULL, NULL
      FROM schema_rows n
      JOIN pg_seclabel l ON l.classoid = 'pg_namespace'::regclass AND l.objoid = n.oid
     UNION ALL
    SELECT o.schema_id, NULL, NULL, 'owner', upper(o.kind COLLATE "C") || ' ' || o.object, NULL, quote_ident(pg_get_userbyid(coalesce(c.relowner, p.proowner, t.typowner))), NULL, NULL, NULL, NULL
      FROM objects o
      LEFT JOIN pg_class c ON o.class_id = 'pg_class'::regclass AND c.oid = o.object_id
      LEFT JOIN pg_proc p ON o.class_id = 'pg_proc'::regclass AND p.oid = o.object_id
      LEFT JOIN pg_type t ON o.class_id = 'pg_type'::regclass AND t.oid = o.object_id
     WHERE o.column_id = 0 AND o.kind <> 'index' AND num_nonnulls(c.oid, p.oid, t.oid) > 0
     UNION ALL
    SELECT n.oid, NULL, NULL, 'owner', 'SCHEMA ', NULL, quote_ident(pg_get_userbyid(n.nspowner)), NULL, NULL, NULL, NULL
      FROM schema_rows n;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_objects(oid[]) IS
'Returns all that is in schemas.';

CREATE FUNCTION steward_internal.tenant_schema_read(schemas oid[]) RETURNS SETOF steward_internal.tenant_schema_object
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET jit = off
BEGIN ATOMIC
    SELECT * FROM steward_internal.tenant_schema_objects(schemas);
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_read(oid[]) IS
'Returns all that is in schemas, in definitions that do not name them.';

CREATE FUNCTION steward_internal.tenant_schema_commands(objects steward_internal.tenant_schema_object[], OUT commands text[], OUT fills "char"[])
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH columns AS (
        SELECT o.object_id, string_agg(o.definition, ', ' ORDER BY o.place) AS list FROM unnest(objects) o WHERE o.kind = 'column' AND o.place IS NOT NULL GROUP BY o.object_id
    ), made AS (
        SELECT o.phase, min(o.place) AS place,
               -- what alters one table goes into one command
               CASE WHEN o.altered IS NOT NULL THEN format('ALTER TABLE %s %s', o.altered, string_agg(o.definition, ', ' ORDER BY o.place, o.kind, o.definition))
                    WHEN o.fill = 'c' THEN format(min(o.definition), min(k.list))
                    ELSE min(o.definition) END AS command,
               o.fill, min(o.kind) || ' ' || min(o.object) AS object
          FROM unnest(objects) o
          LEFT JOIN columns k ON o.fill = 'c' AND k.object_id = o.object_id
         WHERE o.phase IS NOT NULL
         GROUP BY o.phase, o.altered, o.fill, CASE WHEN o.altered IS NULL THEN o.kind || ' ' || o.object END
    )
    SELECT array_agg(m.command ORDER BY m.phase, m.place, m.object), array_agg(m.fill ORDER BY m.phase, m.place, m.object)
      FROM made m;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_commands(steward_internal.tenant_schema_object[]) IS
'Returns the commands that make in another schema what was read from this one, in order.';
