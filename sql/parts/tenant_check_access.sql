-- tenant_check_access: the rules about roles, and about what reads on behalf of others.

CREATE FUNCTION steward.tenant_check_roles(tables steward.tenant_table[], roles oid[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward.tenant_rows(tables)
    ), owners AS MATERIALIZED (
        SELECT t.owner_id, min(t.qualified_name COLLATE "C") AS example, count(*) AS tables FROM tables t GROUP BY t.owner_id
    ), application AS MATERIALIZED (
        SELECT r.* FROM pg_roles r WHERE r.oid = ANY (roles)
    )
    SELECT 'owner_login', CASE WHEN o.owner_id = ANY (roles) THEN 'ERROR' ELSE 'WARNING' END, quote_ident(r.rolname),
           format('It can log in and owns %s%s: it can drop policies and turn row security off.', o.example,
                  CASE WHEN o.tables > 1 THEN format(' and %s more', o.tables - 1) END),
           format('ALTER ROLE %I NOLOGIN;', r.rolname), NULL
      FROM owners o
      JOIN pg_roles r ON r.oid = o.owner_id AND r.rolcanlogin AND NOT r.rolsuper
     UNION ALL
    SELECT 'bypassrls', 'ERROR', quote_ident(r.rolname),
           CASE WHEN r.rolsuper THEN 'It is a superuser: no policy holds for it.' ELSE 'It has BYPASSRLS: no policy holds for it.' END,
           format('ALTER ROLE %I %s;', r.rolname, CASE WHEN r.rolsuper THEN 'NOSUPERUSER' ELSE 'NOBYPASSRLS' END), NULL
      FROM application r
     WHERE r.rolsuper OR r.rolbypassrls
     UNION ALL
    SELECT 'set_role_path', 'ERROR', quote_ident(r.rolname),
           format('It can act as %I, %s: %s.', t.rolname,
                  CASE WHEN t.rolsuper THEN 'a superuser' WHEN t.rolbypassrls THEN 'which has BYPASSRLS' ELSE 'which owns ' || o.example END, p.path),
           format('REVOKE %I FROM %s;', t.rolname, (regexp_match(p.path, '(?:^|.* -> )(.*) -> '))[1]), quote_ident(t.rolname)
      FROM steward.tenant_role_paths(roles) p
      JOIN application r ON r.oid = p.role_id AND NOT r.rolsuper
      JOIN pg_roles t ON t.oid = p.target_id
      LEFT JOIN owners o ON o.owner_id = t.oid
     WHERE t.rolsuper OR t.rolbypassrls OR o.owner_id IS NOT NULL
     UNION ALL
    SELECT 'createrole', 'WARNING', quote_ident(r.rolname), 'It has CREATEROLE: it can make, or before 16 become, roles that own or may do more than it.',
           format('ALTER ROLE %I NOCREATEROLE;', r.rolname), NULL
      FROM application r
     WHERE r.rolcreaterole AND NOT r.rolsuper
     UNION ALL
    SELECT 'statistics_visible', 'WARNING', quote_ident(r.rolname),
           format('It is a member of %I: it sees the statements of all sessions, with the values in them.', s.rolname),
           format('REVOKE %I FROM %I;', s.rolname, r.rolname), quote_ident(s.rolname)
      FROM application r
      JOIN pg_roles s ON s.rolname IN ('pg_monitor', 'pg_read_all_stats')
       AND EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.roleid = s.oid)
     WHERE NOT r.rolsuper
     UNION ALL
    SELECT 'context_setter', 'WARNING', quote_ident(r.rolname),
           format('It may %s: SQL that is smuggled into it chooses any tenant.', s.what),
           format('REVOKE %s FROM %s;', s.privilege, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END), s.name
      FROM (SELECT 'call ' || f.oid::regprocedure, format('EXECUTE ON FUNCTION %s', f.oid::regprocedure), f.proname, f.proowner, f.proacl
              FROM pg_proc f
             WHERE f.oid IN ('steward.tenant_set(text, text, jsonb)'::regprocedure, 'steward.tenant_sign(text, text, interval, jsonb)'::regprocedure)
             UNION ALL
            SELECT 'set ' || p.parname, format('SET ON PARAMETER %s', p.parname), p.parname, 0, p.paracl
              FROM pg_parameter_acl p
             WHERE p.parname IN ('steward.tenant', 'steward.user_id', 'steward.claims', 'steward.tenant_keys')) AS s (what, privilege, name, owner, acl)
     CROSS JOIN LATERAL aclexplode(s.acl) x
      JOIN application r ON NOT r.rolsuper AND x.grantee <> s.owner AND x.privilege_type IN ('EXECUTE', 'SET')
                        AND CASE x.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, x.grantee, 'MEMBER') END
     UNION ALL
    SELECT 'schema_create', 'WARNING', format('%I', n.nspname),
           format('Role %I may create in it: what it makes there comes before what is found later in a search_path.', r.rolname),
           format('REVOKE CREATE ON SCHEMA %I FROM %s;', n.nspname,
                  CASE WHEN EXISTS (SELECT FROM aclexplode(n.nspacl) x WHERE x.grantee = 0 AND x.privilege_type = 'CREATE') THEN 'PUBLIC' ELSE quote_ident(r.rolname) END),
           quote_ident(r.rolname)
      FROM (SELECT DISTINCT t.schema_id FROM tables t) t
      JOIN pg_namespace n ON n.oid = t.schema_id
      JOIN application r ON NOT r.rolsuper AND has_schema_privilege(r.oid, n.oid, 'CREATE') AND NOT pg_has_role(r.oid, n.nspowner, 'USAGE')
     UNION ALL
    SELECT 'server_version', 'WARNING', 'server ' || current_setting('server_version'),
           'This minor version has known faults in row security (CVE-2024-10976, CVE-2025-8713).', NULL, NULL
      FROM (SELECT current_setting('server_version_num')::integer AS number) v
      JOIN (VALUES (15, 14), (16, 10), (17, 6)) AS m (major, minor) ON v.number / 10000 = m.major AND v.number % 10000 < m.minor
     WHERE EXISTS (SELECT FROM tables);
END;
COMMENT ON FUNCTION steward.tenant_check_roles(steward.tenant_table[], oid[]) IS
'What tenant_check() finds of roles.';

CREATE FUNCTION steward.tenant_check_code(tables steward.tenant_table[], schemas regnamespace[], roles oid[],
    OUT rule text, OUT level text, OUT object text, OUT detail text, OUT fix_sql text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT t.*, r.rolsuper OR r.rolbypassrls AS owner_bypasses
          FROM steward.tenant_rows(tables) t JOIN pg_roles r ON r.oid = t.owner_id
    ), views AS MATERIALIZED (
        -- what reads what
        SELECT DISTINCT v.oid, v.relkind, v.relowner, d.refobjid AS source,
               coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker'), false) AS invoker
          FROM pg_class v
          JOIN pg_rewrite w ON w.ev_class = v.oid AND w.ev_type = '1'
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
         WHERE v.relkind IN ('v', 'm') AND v.oid >= 16384
    ), contained AS (
        SELECT v.oid, v.relkind, v.relowner, t.qualified_name AS of_table FROM views v JOIN tables t ON t.relation_id = v.source
         UNION
        SELECT v.oid, v.relkind, v.relowner, c.of_table FROM contained c JOIN views v ON v.source = c.oid
    ), leaks AS (
        (
        SELECT v.oid, v.relkind, v.relowner, t.qualified_name AS of_table
          FROM views v
          JOIN tables t ON t.relation_id = v.source
          JOIN pg_roles o ON o.oid = v.relowner
         WHERE v.relkind = 'v' AND NOT v.invoker AND (NOT t.row_security OR o.rolsuper OR o.rolbypassrls OR NOT t.forced AND pg_has_role(v.relowner, t.owner_id, 'USAGE'))
         UNION
        -- whatever its owner saw when it was filled
        SELECT c.oid, c.relkind, c.relowner, c.of_table FROM contained c WHERE c.relkind = 'm'
        )
         UNION
        SELECT v.oid, v.relkind, v.relowner, l.of_table
          FROM leaks l
          JOIN views v ON v.source = l.oid AND v.relkind = 'v' AND NOT v.invoker
    ), bypassing AS MATERIALIZED (
        -- functions that run as a role for which no policy holds
        SELECT f.oid, f.proname, f.pronamespace, f.proargtypes, f.prosrc, l.lanname, o.rolname, o.rolsuper OR o.rolbypassrls AS always, f.proowner
          FROM pg_proc f
          JOIN pg_language l ON l.oid = f.prolang AND l.lanname <> 'internal' AND l.lanname <> 'c'
          JOIN pg_roles o ON o.oid = f.proowner
         WHERE f.prosecdef AND f.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
           AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
           AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
    ), words AS MATERIALIZED (
        -- a body that is a text is not parsed: what names a table is taken to use it
        SELECT DISTINCT b.oid, w.word FROM bypassing b CROSS JOIN LATERAL regexp_split_to_table(b.prosrc, '[^[:alnum:]_$]+') w (word)
    ), uses AS MATERIALIZED (
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = b.oid AND d.refclassid = 'pg_class'::regclass
          JOIN tables t ON t.relation_id = d.refobjid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
         UNION
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN words w USING (oid)
          JOIN pg_class c ON c.relname IN (w.word, lower(w.word))
          JOIN tables t ON t.relation_id = c.oid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
    )
    SELECT CASE l.relkind WHEN 'm' THEN 'materialized_view' ELSE 'definer_view' END, 'ERROR', s.name,
           format(CASE l.relkind WHEN 'm' THEN 'It keeps rows of %s, and cannot have policies: whoever may read it reads those of all tenants.'
                                 ELSE 'It reads %s with the rights of its owner, %I, for whom no policy holds.' END,
                  string_agg(DISTINCT l.of_table COLLATE "C", ', ' ORDER BY l.of_table COLLATE "C"), pg_get_userbyid(l.relowner)),
           CASE l.relkind WHEN 'v' THEN format('ALTER VIEW %s SET (security_invoker = true);', s.name) END, NULL
      FROM leaks l
      JOIN pg_class c ON c.oid = l.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) s (name)
     WHERE has_any_column_privilege('public', l.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege('public', l.oid, 'DELETE')
        OR EXISTS (SELECT FROM unnest(roles) r
                    WHERE has_any_column_privilege(r, l.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r, l.oid, 'DELETE'))
     GROUP BY l.relkind, s.name, l.relowner
     UNION ALL
    SELECT 'definer_function', 'WARNING', s.name,
           format('It uses %s with the rights of its owner, %I, for whom no policy holds.', string_agg(u.qualified_name, ', ' ORDER BY u.qualified_name COLLATE "C"), b.rolname),
           format('ALTER ROUTINE %s SECURITY INVOKER;', s.name), NULL
      FROM uses u
      JOIN bypassing b USING (oid)
      JOIN pg_namespace n ON n.oid = b.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, b.proname, oidvectortypes(b.proargtypes))) s (name)
     GROUP BY s.name, b.rolname
     UNION ALL
    SELECT 'definer_search_path', 'WARNING', s.name,
           format('It works with the rights of %I and finds names by the search_path of who calls it.', pg_get_userbyid(f.proowner)),
           format('ALTER ROUTINE %s SET search_path = pg_catalog, %I, pg_temp;', s.name, n.nspname), NULL
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('internal', 'c')
      JOIN pg_namespace n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes))) s (name)
     WHERE f.prosecdef AND f.prosqlbody IS NULL AND (schemas IS NULL OR f.pronamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM unnest(f.proconfig) c WHERE starts_with(c, 'search_path='))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
       AND EXISTS (SELECT FROM tables)
       AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
     UNION ALL
    SELECT 'leakproof_function', CASE l.lanname WHEN 'c' THEN 'WARNING' ELSE 'ERROR' END, s.name,
           'It is marked LEAKPROOF: it is tried on rows before a policy has let them pass, and can tell what is in them.',
           format('ALTER FUNCTION %s NOT LEAKPROOF;', s.name), NULL
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang
      JOIN pg_namespace n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes))) s (name)
     WHERE f.proleakproof AND f.oid >= 16384 AND (schemas IS NULL OR f.pronamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
       AND EXISTS (SELECT FROM tables)
     UNION ALL
    SELECT 'publication', 'INFO', quote_ident(p.pubname),
           CASE WHEN p.puballtables THEN 'It publishes the rows of all tenants, of all tables.'
                ELSE 'It publishes the rows of all tenants, of: ' || string_agg(t.qualified_name, ', ' ORDER BY t.qualified_name COLLATE "C") || '.' END, NULL, NULL
      FROM pg_publication p
      LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prqual IS NULL AND NOT p.puballtables
      LEFT JOIN pg_publication_namespace m ON m.pnpubid = p.oid
      JOIN tables t ON t.relation_id = r.prrelid OR t.schema_id = m.pnnspid OR p.puballtables AND t.relation_id = (SELECT min(a.relation_id) FROM tables a)
     GROUP BY p.pubname, p.puballtables;
END;
COMMENT ON FUNCTION steward.tenant_check_code(steward.tenant_table[], regnamespace[], oid[]) IS
'What tenant_check() finds of views, functions and publications.';
