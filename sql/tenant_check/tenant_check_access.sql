-- tenant_check_access: the rules about roles, and about what reads on behalf of others.

CREATE FUNCTION steward_internal.tenant_server_faults(version_num integer, OUT good_version text, OUT faults text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%s.%s', f.major, max(f.minor)), string_agg(f.cve, ', ' ORDER BY f.minor, f.cve COLLATE "C")
      FROM (VALUES ('CVE-2023-2455', 15, 3), ('CVE-2023-39418', 15, 4),
                   ('CVE-2024-10976', 15, 9), ('CVE-2024-10976', 16, 5), ('CVE-2024-10976', 17, 1),
                   ('CVE-2024-10978', 15, 9), ('CVE-2024-10978', 16, 5), ('CVE-2024-10978', 17, 1),
                   ('CVE-2025-8713', 15, 14), ('CVE-2025-8713', 16, 10), ('CVE-2025-8713', 17, 6),
                   ('CVE-2026-14666', 15, 19), ('CVE-2026-14666', 16, 15), ('CVE-2026-14666', 17, 11), ('CVE-2026-14666', 18, 5)
           ) AS f (cve, major, minor)
     WHERE version_num / 10000 = f.major AND version_num % 10000 < f.minor
     GROUP BY f.major;
END;
COMMENT ON FUNCTION steward_internal.tenant_server_faults(integer) IS
'Returns the faults in row security that a server of this version has, and the minor version that has none of them; no row if none is known.';

CREATE FUNCTION steward_internal.tenant_check_roles(tables steward_internal.tenant_table[], roles oid[], roles_named boolean,
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    ), owners AS MATERIALIZED (
        SELECT t.owner_id, min(t.qualified_name COLLATE "C") AS example, count(*) AS tables FROM tables t GROUP BY t.owner_id
    ), application AS MATERIALIZED (
        -- who sees all rows and may write none, while others are held by policies, is there to dump them
        SELECT r.*, NOT roles_named AND r.rolbypassrls AND NOT r.rolsuper
                    AND EXISTS (SELECT FROM pg_roles o WHERE o.oid = ANY (roles) AND NOT o.rolbypassrls)
                    AND EXISTS (SELECT FROM tables t WHERE has_any_column_privilege(r.oid, t.relation_id, 'SELECT'))
                    AND NOT EXISTS (SELECT FROM tables t WHERE has_any_column_privilege(r.oid, t.relation_id, 'INSERT, UPDATE')
                                                            OR has_table_privilege(r.oid, t.relation_id, 'DELETE, TRUNCATE')) AS dumps
          FROM pg_roles r WHERE r.oid = ANY (roles)
    )
    SELECT 'owner_login', CASE WHEN o.owner_id = ANY (roles) THEN 'CRITICAL' ELSE 'WARNING' END, quote_ident(r.rolname),
           format('It can log in and owns %s: it can drop policies and turn row security off.',
                  CASE o.tables WHEN 1 THEN o.example ELSE format('%s tables of tenants, %s among them', o.tables, o.example) END),
           format('ALTER ROLE %I NOLOGIN;', r.rolname), NULL
      FROM owners o
      JOIN pg_roles r ON r.oid = o.owner_id AND r.rolcanlogin AND NOT r.rolsuper
     UNION ALL
    SELECT 'bypassrls', CASE WHEN r.dumps THEN 'INFO' ELSE 'CRITICAL' END, quote_ident(r.rolname),
           CASE WHEN r.rolsuper THEN 'It is a superuser: no policy holds for it.'
                WHEN r.dumps THEN 'It has BYPASSRLS and may write nothing, as a role that dumps: it reads the rows of all tenants.'
                ELSE 'It has BYPASSRLS: no policy holds for it.' END,
           CASE WHEN NOT r.dumps THEN format('ALTER ROLE %I %s;', r.rolname, CASE WHEN r.rolsuper THEN 'NOSUPERUSER' ELSE 'NOBYPASSRLS' END) END, NULL
      FROM application r
     WHERE r.rolsuper OR r.rolbypassrls
     UNION ALL
    SELECT 'set_role_path', 'CRITICAL', quote_ident(r.rolname),
           format('It can act as %I, %s: %s.', t.rolname,
                  CASE WHEN t.rolsuper THEN 'a superuser' WHEN t.rolbypassrls THEN 'which has BYPASSRLS'
                       WHEN t.rolname = 'pg_read_all_data' THEN 'which reads pg_statistic, where values of all tenants are'
                       WHEN o.owner_id IS NULL THEN 'which gets at the files of the server' ELSE 'which owns ' || o.example END, p.path),
           format('REVOKE %I FROM %s;', t.rolname, (regexp_match(p.path, '(?:^|.* -> )(.*) -> '))[1]), quote_ident(t.rolname)
      FROM steward_internal.tenant_role_paths(roles) p
      JOIN application r ON r.oid = p.role_id AND NOT r.rolsuper
      JOIN pg_roles t ON t.oid = p.target_id
      LEFT JOIN owners o ON o.owner_id = t.oid
     WHERE t.rolsuper OR t.rolbypassrls OR o.owner_id IS NOT NULL
        OR t.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
        OR t.rolname = 'pg_read_all_data' AND NOT r.rolbypassrls
     UNION ALL
    SELECT 'replication', 'CRITICAL', quote_ident(r.rolname), 'It has REPLICATION: it can read the rows of all tenants from the log.',
           format('ALTER ROLE %I NOREPLICATION;', r.rolname), NULL
      FROM application r
     WHERE r.rolreplication AND NOT r.rolsuper AND NOT r.dumps
     UNION ALL
    SELECT 'createrole', 'WARNING', quote_ident(r.rolname), 'It has CREATEROLE: it can make, or before 16 become, roles that own or may do more than it.',
           format('ALTER ROLE %I NOCREATEROLE;', r.rolname), NULL
      FROM application r
     WHERE r.rolcreaterole AND NOT r.rolsuper
     UNION ALL
    SELECT 'statistics_visible', 'WARNING', quote_ident(r.rolname),
           format(CASE t.rolname WHEN 'pg_read_all_settings' THEN 'It is a member of %I: it can read steward.tenant_keys, with which tokens are signed.'
                                 ELSE 'It is a member of %I: it sees the statements of all sessions, with the values in them.' END, t.rolname),
           format('REVOKE %I FROM %s;', t.rolname, (regexp_match(p.path, '(?:^|.* -> )(.*) -> '))[1]), quote_ident(t.rolname)
      FROM steward_internal.tenant_role_paths(roles) p
      JOIN application r ON r.oid = p.role_id AND NOT r.rolsuper
      JOIN pg_roles t ON t.oid = p.target_id AND t.rolname IN ('pg_monitor', 'pg_read_all_stats', 'pg_read_all_settings')
     WHERE p.path NOT LIKE '%pg_monitor -> %'
     UNION ALL
    -- of one's own role one sees everything, and behind a pool all clients are one role
    SELECT 'statements_visible', 'INFO', quote_ident(r.rolname),
           'It may read pg_stat_statements: commands of its other sessions that have no parameters, such as SET steward.token, are there with what was set.',
           format('REVOKE ALL ON %s FROM %s;', s.object, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END), s.name
      FROM (SELECT format('TABLE %I.%I', n.nspname, c.relname) AS object, quote_ident(c.relname) AS name, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl,
                   'SELECT' AS privilege, c.oid, 'pg_class'::regclass AS class
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relname = 'pg_stat_statements'
             UNION ALL
            SELECT format('FUNCTION %s', f.oid::regprocedure), quote_ident(f.proname) || '()', coalesce(f.proacl, acldefault('f', f.proowner)),
                   'EXECUTE', f.oid, 'pg_proc'::regclass
              FROM pg_proc f WHERE f.proname = 'pg_stat_statements') s
     CROSS JOIN LATERAL aclexplode(s.acl) x
      JOIN application r ON NOT r.rolsuper AND CASE x.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, x.grantee, 'MEMBER') END
     WHERE x.privilege_type = s.privilege
       AND EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                    WHERE d.classid = s.class AND d.objid = s.oid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'pg_stat_statements')
     UNION ALL
    SELECT 'statements_visible', 'INFO', quote_ident(r.rolname),
           'It sees in pg_stat_activity what its other sessions send, and so the tokens that they SET; a token as parameter of set_config() is not seen.',
           format('ALTER ROLE %I SET track_activities = off;', r.rolname), 'pg_stat_activity'
      FROM application r
     WHERE r.rolcanlogin AND NOT r.rolsuper AND 'track_activities=off' <> ALL (coalesce(r.rolconfig, '{}'))
       AND CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                THEN concat(current_setting('steward.tenant_keys', true), current_setting('steward.tenant_keys_file', true)) <> '' END
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
    SELECT 'schema_owner', 'WARNING', format('%I', n.nspname),
           format('Role %I owns it, or has the rights of its owner, and so can drop every table in it and create others.', r.rolname),
           format('ALTER SCHEMA %I OWNER TO %I;', n.nspname, pg_get_userbyid(t.owner_id)), quote_ident(r.rolname)
      FROM (SELECT t.schema_id, min(t.owner_id) AS owner_id FROM tables t GROUP BY t.schema_id) t
      JOIN pg_namespace n ON n.oid = t.schema_id AND n.nspowner NOT IN (SELECT o.owner_id FROM owners o)
      JOIN application r ON NOT r.rolsuper AND NOT r.rolbypassrls AND pg_has_role(r.oid, n.nspowner, 'USAGE')
     UNION ALL
    SELECT 'no_roles', 'INFO', 'roles', 'No role but the owners has rights on the tables of tenants yet: what roles could do was not looked at. Name them, as roles => ''{app}''.', NULL, NULL
     WHERE roles = '{}' AND EXISTS (SELECT FROM tables)
     UNION ALL
    SELECT 'server_version', 'WARNING', 'server ' || split_part(current_setting('server_version'), ' ', 1),
           format('Its row security has faults that version %s does not have: %s.', f.good_version, f.faults), NULL, NULL
      FROM steward_internal.tenant_server_faults(current_setting('server_version_num')::integer) f
     WHERE EXISTS (SELECT FROM tables);
END;
COMMENT ON FUNCTION steward_internal.tenant_check_roles(steward_internal.tenant_table[], oid[], boolean) IS
'Returns what tenant_check() finds of roles.';

CREATE FUNCTION steward_internal.tenant_check_grants(tables steward_internal.tenant_table[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH objects AS (
        SELECT 'context_setter' AS rule, 'WARNING' AS severity, format('call %s: SQL that is smuggled into it chooses any tenant', f.oid::regprocedure) AS what,
               format('EXECUTE ON FUNCTION %s', f.oid::regprocedure) AS target, f.proname::text AS name, f.proowner AS owner, f.proacl AS acl, '{EXECUTE}'::text[] AS privileges
          FROM pg_proc f
         WHERE f.oid IN ('steward.tenant_set(text, text, jsonb)'::regprocedure, 'steward.tenant_sign(text, text, interval, jsonb)'::regprocedure)
         UNION ALL
        SELECT 'context_setter', 'WARNING',
               format(CASE WHEN p.parname IN ('steward.tenant_sessions', 'steward.tenant_strict', 'steward.tenant_leftovers', 'steward.tenant_explain', 'steward.tenant_token_ttl')
                           THEN 'set %s, and so loosen what keeps tenants apart' ELSE 'set %s: SQL that is smuggled into it chooses any tenant' END, p.parname),
               format('SET ON PARAMETER %s', p.parname), p.parname, 0, p.paracl, '{SET}'
          FROM pg_parameter_acl p
         WHERE starts_with(p.parname, 'steward.') AND p.parname <> 'steward.token'
         UNION ALL
        SELECT 'parameter_grant', 'CRITICAL',
               format(CASE p.parname WHEN 'session_replication_role' THEN 'set %s, by which triggers and foreign keys no longer hold' ELSE 'set %s, and so run any code as the server' END, p.parname),
               format('SET ON PARAMETER %s', p.parname), p.parname, 0, p.paracl, '{SET}'
          FROM pg_parameter_acl p
         WHERE p.parname IN ('session_replication_role', 'session_preload_libraries', 'dynamic_library_path', 'extension_control_path')
         UNION ALL
        SELECT 'parameter_grant', 'CRITICAL', format('change %s for the whole server', p.parname), format('ALTER SYSTEM ON PARAMETER %s', p.parname), p.parname, 0, p.paracl, '{ALTER SYSTEM}'
          FROM pg_parameter_acl p
         UNION ALL
        SELECT 'server_function', 'CRITICAL', format('call %s: it gets at files, pages or settings in which the rows and keys of all tenants are', f.oid::regprocedure),
               format('EXECUTE ON FUNCTION %s', f.oid::regprocedure), f.oid::regprocedure::text, f.proowner, f.proacl, '{EXECUTE}'
          FROM pg_proc f
         WHERE f.proacl IS NOT NULL
           AND f.proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'lo_import', 'lo_export', 'pg_show_all_file_settings', 'pg_file_write', 'pg_file_rename',
                             'dblink_connect_u', 'get_raw_page', 'heap_page_items', 'heap_page_item_attrs', 'bt_page_items', 'gist_page_items', 'brin_page_items',
                             'pg_get_wal_record_info', 'pg_get_wal_records_info', 'pg_get_wal_block_info')
         UNION ALL
        SELECT 'catalog_grant', 'CRITICAL', format('read %I.%I, where values or passwords of others are', n.nspname, c.relname), format('SELECT ON %I.%I', n.nspname, c.relname), c.relname, c.relowner, c.relacl, '{SELECT}'
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'pg_catalog' AND c.relacl IS NOT NULL
           AND c.relname IN ('pg_authid', 'pg_shadow', 'pg_statistic', 'pg_statistic_ext_data', 'pg_user_mapping', 'pg_largeobject', 'pg_subscription', 'pg_file_settings', 'pg_hba_file_rules')
         UNION ALL
        -- administrators have it with grant option
        SELECT 'extension_grant', 'CRITICAL', format('write %I.%I, by which pg_steward knows tenants, or what not to report', n.nspname, c.relname), format('INSERT, UPDATE, DELETE, TRUNCATE ON %I.%I', n.nspname, c.relname),
               format('%I.%I', n.nspname, c.relname), c.relowner, c.relacl, '{INSERT,UPDATE,DELETE,TRUNCATE}'
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('steward', 'steward_internal') AND c.relkind IN ('r', 'p', 'v') AND c.relacl IS NOT NULL
           -- its rows are those of each owner
           AND c.relname <> 'operations'
    )
    SELECT DISTINCT o.rule, o.severity, quote_ident(r.rolname), format('It may %s.', o.what),
           format('REVOKE %s FROM %s;', o.target, CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(x.grantee)) END), o.name
      FROM objects o
     CROSS JOIN LATERAL aclexplode(o.acl) x
      JOIN pg_roles r ON r.oid = ANY (roles) AND NOT r.rolsuper AND x.grantee <> o.owner AND x.privilege_type = ANY (o.privileges)
                     AND CASE x.grantee WHEN 0 THEN true ELSE pg_has_role(r.oid, x.grantee, 'MEMBER') END
     WHERE NOT (o.rule = 'extension_grant' AND x.is_grantable) AND NOT (o.rule = 'catalog_grant' AND r.rolbypassrls)
       AND EXISTS (SELECT FROM steward_internal.tenant_rows(tables));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_grants(steward_internal.tenant_table[], oid[]) IS
'Returns what tenant_check() finds of rights that pass row security by.';

CREATE FUNCTION steward_internal.tenant_strangers(tables steward_internal.tenant_table[], schemas regnamespace[],
    OUT relation_id oid, OUT parent_id oid, OUT parent_name text, OUT link text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    ), others AS MATERIALIZED (
        SELECT c.oid, c.relnamespace, format('%I.%I', n.nspname, c.relname) AS qualified_name, lower(c.relname COLLATE "C") AS name
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition AND c.oid >= 16384
           AND c.oid NOT IN (SELECT t.relation_id FROM tables t)
           AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
    ), known AS MATERIALIZED (
        SELECT t.relation_id AS oid, t.schema_id, t.qualified_name, lower(c.relname COLLATE "C") AS name FROM tables t JOIN pg_class c ON c.oid = t.relation_id AND NOT c.relispartition
         UNION ALL
        SELECT o.oid, o.relnamespace, o.qualified_name, o.name FROM others o
    ), named AS MATERIALIZED (
        -- what a column named like its key could refer to, with or without the name of the application before the table's
        SELECT k.oid, k.schema_id, k.qualified_name, a.atttypid, replace(steward_internal.tenant_singular(n.name), '_', '') AS name
          FROM known k
         CROSS JOIN LATERAL (SELECT k.name UNION SELECT regexp_replace(k.name, '^[^_]+_', '')) n (name)
          JOIN pg_index i ON i.indrelid = k.oid AND i.indisprimary AND i.indnkeyatts = 1
          JOIN pg_attribute a ON a.attrelid = k.oid AND a.attnum = i.indkey[0]
    ), links AS MATERIALIZED (
        SELECT c.conrelid AS child_id, c.confrelid AS parent_id, k.qualified_name AS parent_name, 'key' AS link
          FROM pg_constraint c JOIN known k ON k.oid = c.confrelid
         WHERE c.contype = 'f' AND c.conparentid = 0 AND c.conrelid <> c.confrelid
         UNION
        SELECT a.attrelid, n.oid, n.qualified_name, 'name'
          FROM others o
          JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
          JOIN named n ON n.name = steward_internal.tenant_key_name(a.attname) AND n.schema_id = o.relnamespace AND n.atttypid = a.atttypid AND n.oid <> o.oid
         WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey))
         UNION
        -- rows of any table: comments of articles, images and so on
        SELECT a.attrelid, NULL, format('%I, %I', y.attname, a.attname), 'generic'
          FROM others o
          JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~ '._id$'
          JOIN pg_attribute y ON y.attrelid = o.oid AND y.attnum > 0 AND NOT y.attisdropped
           AND (y.attname = regexp_replace(a.attname, '_id$', '_type') OR a.attname = 'object_id' AND y.attname = 'content_type_id')
         WHERE o.relnamespace IN (SELECT t.schema_id FROM tables t)
    ), linked AS (
        SELECT l.child_id, l.parent_id, l.parent_name, l.link FROM links l
         WHERE l.link = 'generic' OR l.parent_id IN (SELECT t.relation_id FROM tables t)
         UNION
        SELECT l.child_id, l.parent_id, l.parent_name, l.link FROM linked p JOIN links l ON l.parent_id = p.child_id
    )
    SELECT l.child_id, l.parent_id, l.parent_name, l.link FROM linked l JOIN others o ON o.oid = l.child_id
     WHERE schemas IS NULL OR o.relnamespace = ANY (schemas)
     UNION
    SELECT o.oid, t.relation_id, t.qualified_name, 'inherits'
      FROM pg_inherits i JOIN tables t ON t.relation_id = i.inhrelid JOIN others o ON o.oid = i.inhparent
     WHERE schemas IS NULL OR o.relnamespace = ANY (schemas);
END;
COMMENT ON FUNCTION steward_internal.tenant_strangers(steward_internal.tenant_table[], regnamespace[]) IS
'Returns the tables without the column whose rows must be tenants'' all the same, by a foreign key, a name or inheritance, and what they refer to.';

CREATE FUNCTION steward_internal.tenant_check_strangers(tables steward_internal.tenant_table[], schemas regnamespace[], roles oid[], roles_named boolean,
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH strangers AS MATERIALIZED (
        SELECT s.relation_id, c.relrowsecurity, format('%I.%I', n.nspname, c.relname) AS qualified_name, bool_or(s.link = 'inherits') AS is_parent,
               string_agg(DISTINCT s.parent_name COLLATE "C", ', ') FILTER (WHERE s.link IN ('key', 'inherits')) AS parents,
               string_agg(DISTINCT s.parent_name COLLATE "C", ', ') FILTER (WHERE s.link = 'name') AS namesakes,
               string_agg(DISTINCT s.parent_name COLLATE "C", '; ') FILTER (WHERE s.link = 'generic') AS generic,
               min(steward_internal.tenant_key_command(s.relation_id, s.parent_id)) FILTER (WHERE s.link = 'name') AS key_command,
               steward_internal.tenant_parent(s.relation_id, m.column_name) AS parent_id, m.column_name, m.column_type
          FROM steward_internal.tenant_strangers(tables, schemas) s
          JOIN pg_class c ON c.oid = s.relation_id
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN (SELECT mode() WITHIN GROUP (ORDER BY t.column_name), mode() WITHIN GROUP (ORDER BY t.column_type)
                       FROM steward_internal.tenant_rows(tables) t WHERE NOT t.is_root) m (column_name, column_type)
         WHERE EXISTS (SELECT FROM unnest(roles) r WHERE has_any_column_privilege(r, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(r, c.oid, 'DELETE'))
         GROUP BY s.relation_id, c.relrowsecurity, n.nspname, c.relname, m.column_name, m.column_type
    ), policies AS MATERIALIZED (
        SELECT s.relation_id, s.qualified_name, p.polname, p.polroles, p.polcmd, p.polpermissive, x.asks
          FROM strangers s
          JOIN pg_policy p ON p.polrelid = s.relation_id
         CROSS JOIN LATERAL (SELECT coalesce((steward_internal.tenant_expression(p.polqual, 0::smallint, p.polrelid)).asks, true)
                                    AND coalesce((steward_internal.tenant_expression(p.polwithcheck, 0::smallint, p.polrelid)).asks, true)) x (asks)
         WHERE s.relrowsecurity
    )
    SELECT 'no_tenant_column', 'WARNING', s.qualified_name,
           CASE WHEN s.is_parent THEN format('Who reads it reads %s too, whose policies do not hold there, and it has no column of the tenant.', s.parents)
                WHEN s.parents IS NOT NULL
                THEN format('Its rows refer to those of %s, and so belong to tenants, but it has no column that says to which, and no row security.', s.parents)
                WHEN s.namesakes IS NOT NULL
                THEN format('By the names of its columns its rows refer to those of %s, and so belong to tenants, but it has no column that says to which, and no row security.', s.namesakes)
                ELSE format('Its columns %s refer to rows of any table, but it has no column that says to which tenant its own belong, and no row security.', s.generic) END,
           CASE WHEN NOT s.is_parent AND s.parent_id IS NOT NULL THEN
               format('CALL steward.tenant_protect_child(%L, parent => %L%s);', s.qualified_name, format('%I.%I', pn.nspname, p.relname),
                      CASE WHEN s.column_name <> 'tenant_id' THEN format(', column_name => %L', s.column_name) END)
                -- first what protects it then: a foreign key, or a column of its own
                WHEN s.key_command IS NOT NULL AND NOT s.is_parent THEN s.key_command || ';'
                WHEN s.generic IS NOT NULL AND s.parents IS NULL AND s.namesakes IS NULL AND s.column_type IS NOT NULL THEN
               format('ALTER TABLE %s ADD COLUMN %I %s;', s.qualified_name, s.column_name, s.column_type::regtype) END, NULL::text
      FROM strangers s
      LEFT JOIN (pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace) ON p.oid = s.parent_id
     WHERE NOT s.relrowsecurity
     UNION ALL
    SELECT 'no_tenant_condition', 'CRITICAL', p.qualified_name,
           format('Policy %I asks neither for the context nor for the rows that those of the table refer to, and it has no column of the tenant.', p.polname), NULL, quote_ident(p.polname)
      FROM policies p
     WHERE p.polpermissive AND NOT p.asks
       AND NOT EXISTS (SELECT FROM policies o WHERE o.relation_id = p.relation_id AND NOT o.polpermissive AND o.asks AND o.polcmd IN ('*', p.polcmd) AND (0 = ANY (o.polroles) OR p.polroles <@ o.polroles))
       -- a role that is named because it may see everything, while others may not
       AND NOT (NOT roles_named AND 0 <> ALL (p.polroles)
                AND EXISTS (SELECT FROM policies o WHERE o.relation_id = p.relation_id AND o.polpermissive AND o.asks AND NOT o.polroles <@ p.polroles));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_strangers(steward_internal.tenant_table[], regnamespace[], oid[], boolean) IS
'Returns what tenant_check() finds of tables without the column whose rows must be tenants'' all the same.';

CREATE FUNCTION steward_internal.tenant_column_candidates(tenant_columns name[], schemas regnamespace[],
    OUT column_name name, OUT tables text[], OUT open_tables oid[], OUT for_users boolean, OUT is_copied boolean) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT a.attname, array_agg(format('%I.%I', n.nspname, c.relname) ORDER BY n.nspname, c.relname), coalesce(array_agg(c.oid) FILTER (WHERE NOT c.relrowsecurity), '{}'),
           bool_or(w.for_users), count(*) > count(DISTINCT c.relname)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     CROSS JOIN LATERAL (SELECT a.attname COLLATE "C" ~* '^(user|owner|account|customer|client)_?(id|uuid)$') w (for_users)
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT c.relispartition AND c.oid >= 16384
       AND (w.for_users OR a.attname COLLATE "C" ~* '^(tenant|org|organi[sz]ation|company|workspace|team|mandant|firm|shop|store)(_?(id|uuid|key|code|slug))?$')
       AND (schemas IS NULL OR c.relnamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = ANY (tenant_columns) AND NOT t.attisdropped)
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
     GROUP BY a.attname;
END;
COMMENT ON FUNCTION steward_internal.tenant_column_candidates(name[], regnamespace[]) IS
'Returns columns that by their name could say whose rows are whose, in tables that have none of those named.';

CREATE FUNCTION steward_internal.tenant_check_columns(tables steward_internal.tenant_table[], tenant_columns name[], schemas regnamespace[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
BEGIN ATOMIC
    SELECT 'tenant_column', CASE WHEN NOT h.found AND c.open_tables <> '{}' AND NOT c.is_copied THEN 'WARNING' ELSE 'INFO' END, quote_ident(c.column_name),
           format(CASE WHEN h.found THEN 'Tables without a column of tenants have this one: %s. If it says whose their rows are, name it, too.'
                       ELSE 'No table has a column named %2$s, so nothing was looked at; these have this one: %1$s. If it says whose their rows are, name it.' END,
                  array_to_string(c.tables, ', '), (SELECT string_agg(quote_ident(n), ' or ') FROM unnest(tenant_columns) n)),
           format('SELECT * FROM steward.tenant_check(%L);', CASE WHEN h.found THEN tenant_columns || c.column_name ELSE ARRAY[c.column_name] END::text), NULL
      FROM steward_internal.tenant_column_candidates(tenant_columns, schemas) c
     CROSS JOIN (SELECT EXISTS (SELECT FROM steward_internal.tenant_rows(tables))) h (found)
     WHERE NOT h.found
        OR NOT c.for_users AND EXISTS (SELECT FROM unnest(c.open_tables) o, unnest(roles) r WHERE has_any_column_privilege(r, o, 'SELECT, INSERT, UPDATE'));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_columns(steward_internal.tenant_table[], name[], regnamespace[], oid[]) IS
'Returns what tenant_check() finds of columns that could be the tenant''s and were not named.';

CREATE FUNCTION steward_internal.tenant_view_open(view oid, tables oid[], columns smallint[]) RETURNS oid[]
AS 'MODULE_PATHNAME', 'steward_tenant_view_open' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.tenant_view_open(oid, oid[], smallint[]) IS
'Returns those of the tables that a view reads without a condition that keeps to the tenant of the context.';

CREATE FUNCTION steward_internal.tenant_check_code(tables steward_internal.tenant_table[], helpers steward_internal.tenant_helper[], schemas regnamespace[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT t.*, r.rolsuper OR r.rolbypassrls AS owner_bypasses
          FROM steward_internal.tenant_rows(tables) t JOIN pg_roles r ON r.oid = t.owner_id
    ), views AS MATERIALIZED (
        -- what reads what
        SELECT DISTINCT v.oid, v.relkind, v.relowner, d.refobjid AS source,
               coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_invoker'), false) AS invoker,
               coalesce((SELECT o.option_value::boolean FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'security_barrier'), false) AS barrier,
               EXISTS (SELECT FROM pg_options_to_table(v.reloptions) o WHERE o.option_name = 'check_option') AS checked
          FROM pg_class v
          JOIN pg_rewrite w ON w.ev_class = v.oid AND w.ev_type = '1'
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
         WHERE v.relkind IN ('v', 'm') AND v.oid >= 16384
    ), contained AS (
        SELECT v.oid, v.relkind, v.relowner, t.qualified_name AS of_table FROM views v JOIN tables t ON t.relation_id = v.source
         UNION
        SELECT v.oid, v.relkind, v.relowner, c.of_table FROM contained c JOIN views v ON v.source = c.oid
    ), definer AS MATERIALIZED (
        -- a condition of its own makes up for the policies
        SELECT v.oid, v.relowner, v.barrier, v.checked, array_agg(t.qualified_name ORDER BY t.relation_id) AS names, array_agg(t.relation_id ORDER BY t.relation_id) AS sources,
               steward_internal.tenant_view_open(v.oid, array_agg(t.relation_id ORDER BY t.relation_id), array_agg(t.column_number ORDER BY t.relation_id)) AS open
          FROM views v
          JOIN tables t ON t.relation_id = v.source
          JOIN pg_roles o ON o.oid = v.relowner
         WHERE v.relkind = 'v' AND NOT v.invoker AND (NOT t.row_security OR o.rolsuper OR o.rolbypassrls OR NOT t.forced AND pg_has_role(v.relowner, t.owner_id, 'USAGE'))
         GROUP BY v.oid, v.relowner, v.barrier, v.checked
    ), leaks AS (
        (
        SELECT d.oid, 'v'::"char" AS relkind, d.relowner, t.qualified_name AS of_table
          FROM definer d
          JOIN tables t ON t.relation_id = ANY (d.open)
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
           AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = f.oid)
           AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
           -- what policies call to learn who asks says nothing else to anybody
           AND NOT EXISTS (SELECT FROM unnest(helpers) h WHERE h.asks AND f.oid IN (h.function_id, h.helper_id))
    ), words AS MATERIALIZED (
        -- a body that is a text is not parsed: what names a table is taken to use it
        SELECT DISTINCT b.oid, w.word FROM bypassing b CROSS JOIN LATERAL regexp_split_to_table(b.prosrc, '[^a-zA-Z0-9_$\u0080-\U7ffffffe]+') w (word)
    ), uses AS MATERIALIZED (
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = b.oid AND d.refclassid = 'pg_class'::regclass
          JOIN tables t ON t.relation_id = d.refobjid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
         UNION
        SELECT b.oid, t.qualified_name FROM bypassing b
          JOIN words w USING (oid)
          JOIN pg_class c ON c.relname IN (w.word, lower(w.word COLLATE "C"))
          JOIN tables t ON t.relation_id = c.oid AND (b.always OR NOT t.row_security OR NOT t.forced AND pg_has_role(b.proowner, t.owner_id, 'USAGE'))
    )
    SELECT CASE l.relkind WHEN 'm' THEN 'materialized_view' ELSE 'definer_view' END, 'CRITICAL', s.name,
           format(CASE l.relkind WHEN 'm' THEN 'It keeps rows of %s, and cannot have policies: whoever may read it reads those of all tenants.'
                                 ELSE 'It reads %s with the rights of its owner, %I, who is held by no policy.' END,
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
    SELECT 'definer_view', 'WARNING', s.name,
           format(CASE WHEN d.barrier THEN 'It reads %s with the rights of its owner, %I; rows of other tenants can be written through it, since it has no WITH CHECK OPTION.'
                       ELSE 'It reads %s with the rights of its owner, %I; without security_barrier, conditions of a query may be tried on rows of other tenants.' END,
                  array_to_string(d.names, ', '), pg_get_userbyid(d.relowner)),
           format('ALTER VIEW %s SET (%s);', s.name, CASE WHEN d.barrier THEN 'check_option = cascaded' ELSE 'security_barrier = true' END), NULL
      FROM definer d
      JOIN pg_class c ON c.oid = d.oid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) s (name)
     WHERE d.oid NOT IN (SELECT l.oid FROM leaks l)
       AND (has_any_column_privilege('public', d.oid, CASE WHEN d.barrier THEN 'INSERT, UPDATE' ELSE 'SELECT, INSERT, UPDATE' END)
            OR EXISTS (SELECT FROM unnest(roles) r
                        WHERE has_any_column_privilege(r, d.oid, CASE WHEN d.barrier THEN 'INSERT, UPDATE' ELSE 'SELECT, INSERT, UPDATE' END)))
       AND NOT (d.barrier AND d.checked)
     UNION ALL
    SELECT 'definer_rule', 'WARNING', s.name,
           format('Rule %I reads or writes %s with the rights of its owner, %I, who is held by no policy.', w.rulename,
                  string_agg(DISTINCT t.qualified_name COLLATE "C", ', ' ORDER BY t.qualified_name COLLATE "C"), o.rolname),
           format('DROP RULE %I ON %s;', w.rulename, s.name), quote_ident(w.rulename)
      FROM pg_rewrite w
      JOIN pg_class c ON c.oid = w.ev_class
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_roles o ON o.oid = c.relowner
     CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, c.relname)) s (name)
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
      JOIN tables t ON t.relation_id = d.refobjid
       AND (NOT t.row_security OR o.rolsuper OR o.rolbypassrls OR NOT t.forced AND pg_has_role(c.relowner, t.owner_id, 'USAGE'))
     WHERE w.ev_type <> '1' AND c.oid >= 16384
       AND EXISTS (SELECT FROM unnest(roles) r WHERE has_any_column_privilege(r, c.oid, 'INSERT, UPDATE') OR has_table_privilege(r, c.oid, 'DELETE'))
     GROUP BY s.name, w.rulename, o.rolname
     UNION ALL
    SELECT 'definer_function', 'WARNING', s.name,
           format('It uses %s with the rights of its owner, %I, who is held by no policy.', string_agg(u.qualified_name, ', ' ORDER BY u.qualified_name COLLATE "C"), b.rolname),
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
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = f.oid)
       AND EXISTS (SELECT FROM tables)
       AND (has_function_privilege('public', f.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, f.oid, 'EXECUTE')))
     UNION ALL
    SELECT 'leakproof_function', CASE l.lanname WHEN 'c' THEN 'WARNING' ELSE 'CRITICAL' END, s.name,
           'It is marked LEAKPROOF: it is tried on rows before a policy has let them pass, and can tell what is in them.',
           format('ALTER FUNCTION %s NOT LEAKPROOF;', s.name), NULL
      FROM pg_proc f
      JOIN pg_language l ON l.oid = f.prolang
      JOIN pg_namespace n ON n.oid = f.pronamespace
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes))) s (name)
     WHERE f.proleakproof AND f.oid >= 16384 AND (schemas IS NULL OR f.pronamespace = ANY (schemas))
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = f.oid)
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
COMMENT ON FUNCTION steward_internal.tenant_check_code(steward_internal.tenant_table[], steward_internal.tenant_helper[], regnamespace[], oid[]) IS
'Returns what tenant_check() finds of views, functions and publications.';
