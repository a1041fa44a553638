-- tenant_check_trust: the rules about what policies rely on: functions, settings and tables.

CREATE FUNCTION steward_internal.tenant_check_helpers(tables steward_internal.tenant_table[], policies steward_internal.tenant_policy[],
    helpers steward_internal.tenant_helper[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH users AS MATERIALIZED (
        -- who calls a function: policies, by it or by one of their functions, and triggers
        SELECT DISTINCT c.function_id, c.of_row, false AS of_trigger, format('%I on %s', p.policy_name, t.qualified_name) AS caller
          FROM steward_internal.tenant_policy_rows(policies) p
          JOIN steward_internal.tenant_rows(tables) t ON t.relation_id = p.relation_id AND t.row_security
         CROSS JOIN LATERAL (
               SELECT c AS function_id, false AS of_row FROM unnest(p.context_functions) c
                UNION
               SELECT r, true FROM unnest(p.row_functions) r) c
         UNION ALL
        SELECT g.tgfoid, NULL, true, format('trigger %I on %s', g.tgname, t.qualified_name)
          FROM pg_trigger g JOIN steward_internal.tenant_rows(tables) t ON t.relation_id = g.tgrelid
         WHERE NOT g.tgisinternal
    ), callers AS MATERIALIZED (
        SELECT u.function_id, u.of_row, u.of_trigger, u.function_id AS helper_id, u.caller FROM users u
         UNION
        SELECT u.function_id, NULL, false, h.helper_id, u.caller FROM users u JOIN unnest(helpers) h ON h.function_id = u.function_id AND h.helper_id <> u.function_id
    )
    SELECT w.rule, w.severity, s.name, format(w.detail, string_agg(c.caller, ', ' ORDER BY c.caller COLLATE "C")), w.remedy, NULL
      FROM (SELECT c.helper_id, c.caller, bool_or(c.of_row) AS of_row, bool_or(NOT c.of_row) AS of_context, bool_and(c.of_trigger) AS of_trigger FROM callers c GROUP BY c.helper_id, c.caller) c
      JOIN pg_proc f ON f.oid = c.helper_id
      JOIN pg_namespace n ON n.oid = f.pronamespace
      JOIN pg_language l ON l.oid = f.prolang
      LEFT JOIN (SELECT DISTINCT h.helper_id, h.sets, h.user_claim, h.fixed FROM unnest(helpers) h) h USING (helper_id)
     CROSS JOIN LATERAL (SELECT format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)) AS name) s
     CROSS JOIN LATERAL (VALUES
           ('context_immutable', 'CRITICAL', c.of_context AND f.provolatile = 'i',
            'It is marked IMMUTABLE: a prepared statement keeps the tenant for which it was planned. Used by: %s.',
            format('ALTER FUNCTION %s STABLE;', s.name)),
           ('context_volatile', 'WARNING', c.of_context AND f.provolatile = 'v',
            'It is marked VOLATILE, so that it is called for each row and no index is used. Used by: %s.',
            format('ALTER FUNCTION %s STABLE;', s.name)),
           ('row_helper', 'WARNING',
            c.of_row AND f.prosupport = 0 AND (l.lanname <> 'sql' OR f.prosecdef OR f.proconfig IS NOT NULL OR f.provolatile = 'v'),
            'It is called with columns of each row, and no index can be used for what it says. Used by: %s.',
            NULL),
           ('context_cached', 'CRITICAL', NOT c.of_trigger AND h.sets,
            'It keeps what it found in a setting, and any session may set that first. Used by: %s.',
            NULL),
           ('user_claim', 'CRITICAL', NOT c.of_trigger AND h.user_claim,
            'It believes what users may change themselves: user_metadata. Put the tenant into app_metadata. Used by: %s.',
            NULL),
           ('fixed_tenant', 'WARNING', NOT c.of_trigger AND h.fixed,
            'It seems to return a constant in some case: a tenant for who has set none. Used by: %s.',
            NULL),
           ('helper_owner', 'CRITICAL', f.proowner = ANY (roles) AND f.proowner NOT IN (SELECT t.owner_id FROM steward_internal.tenant_rows(tables) t),
            format('Its owner, %s, is a role of the application and can replace it. Used by: %%s.', replace(quote_ident(pg_get_userbyid(f.proowner)), '%', '%%')),
            format('ALTER FUNCTION %s OWNER TO %I;', s.name, (SELECT pg_get_userbyid(min(t.owner_id)) FROM steward_internal.tenant_rows(tables) t)))) AS w(rule, severity, found, detail, remedy)
     WHERE w.found
     GROUP BY w.rule, w.severity, s.name, w.detail, w.remedy;
END;
COMMENT ON FUNCTION steward_internal.tenant_check_helpers(steward_internal.tenant_table[], steward_internal.tenant_policy[], steward_internal.tenant_helper[], oid[]) IS
'Returns what tenant_check() finds of the functions that policies and triggers call.';

CREATE FUNCTION steward_internal.tenant_check_settings(tables steward_internal.tenant_table[], policies steward_internal.tenant_policy[],
    helpers steward_internal.tenant_helper[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH policies AS MATERIALIZED (
        SELECT p.*, t.qualified_name
          FROM steward_internal.tenant_policy_rows(policies) p
          JOIN steward_internal.tenant_rows(tables) t ON t.relation_id = p.relation_id AND t.row_security
    ), readers AS MATERIALIZED (
        SELECT DISTINCT s.name, p.policy_name, p.qualified_name
          FROM policies p
         CROSS JOIN LATERAL (
               SELECT n AS name FROM unnest(p.settings) n
                UNION
               SELECT n FROM unnest(helpers) h, unnest(h.settings) n WHERE h.function_id = ANY (p.context_functions || p.row_functions)) s
         WHERE NOT EXISTS (SELECT FROM pg_settings g WHERE g.name = lower(s.name COLLATE "C") AND g.context <> 'user')
    ), defaults AS MATERIALIZED (
        SELECT k.who, lower(split_part(c.setting, '=', 1) COLLATE "C") AS name, substr(c.setting, strpos(c.setting, '=') + 1) AS value
          FROM pg_db_role_setting d
         CROSS JOIN LATERAL unnest(d.setconfig) c (setting)
         CROSS JOIN LATERAL (
               SELECT CASE WHEN d.setrole = 0 THEN 'DATABASE ' || quote_ident(b.datname)
                           ELSE 'ROLE ' || quote_ident(pg_get_userbyid(d.setrole)) || coalesce(' IN DATABASE ' || quote_ident(b.datname), '') END
                 FROM (VALUES (d.setdatabase)) v (oid) LEFT JOIN pg_database b USING (oid)) k (who)
         WHERE d.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
           AND (d.setrole = 0 OR d.setrole = ANY (roles))
           AND EXISTS (SELECT FROM steward_internal.tenant_rows(tables))
    )
    SELECT 'context_setting' AS rule, 'INFO' AS severity, s.name AS object,
           format('Any session may set it, and so may SQL that is smuggled in; steward.is_current_tenant() has no such hole. Read by: %s.',
                  string_agg(s.readers, '; ' ORDER BY s.policy_name)) AS detail, NULL AS remedy, NULL AS part
      FROM (SELECT r.name, r.policy_name, format('%I on %s', r.policy_name, string_agg(r.qualified_name, ', ' ORDER BY r.qualified_name COLLATE "C")) AS readers
              FROM readers r GROUP BY r.name, r.policy_name) s
     GROUP BY s.name
     UNION ALL
    SELECT 'context_default', 'WARNING', d.name, format('It is set for %s: who forgets to set a tenant has that one.', d.who), format('ALTER %s RESET %s;', d.who, d.name), d.who
      FROM defaults d
     WHERE d.value <> '' AND d.name IN (SELECT lower(r.name COLLATE "C") FROM readers r)
     UNION ALL
    SELECT 'session_context', 'WARNING', d.name,
           format(CASE d.name WHEN 'session_replication_role' THEN 'It is set for %s: triggers and foreign keys do not hold.'
                              WHEN 'steward.tenant_sessions' THEN 'It is on for %s: behind a pool the next client works for the tenant of the last.'
                              ELSE 'It is "allow" for %s: what one tenant leaves in a session, the next client of a pool finds.' END, d.who),
           format('ALTER %s RESET %s;', d.who, d.name), d.who
      FROM defaults d
     WHERE d.name = 'steward.tenant_sessions' AND lower(d.value COLLATE "C") NOT IN ('off', 'false', 'no', '0', 'f', 'n', 'of', 'fa')
        OR d.name = 'steward.tenant_leftovers' AND lower(d.value COLLATE "C") = 'allow'
        OR d.name = 'session_replication_role' AND lower(d.value COLLATE "C") <> 'origin'
     UNION ALL
    SELECT 'user_claim', 'CRITICAL', p.qualified_name,
           format('Policy %I believes what users may change themselves: user_metadata. Put the tenant into app_metadata.', p.policy_name), NULL, quote_ident(p.policy_name)
      FROM policies p
     WHERE array_to_string(p.texts, ' ') COLLATE "C" ~* '\m(raw_)?user_meta_?data\M'
        OR EXISTS (SELECT FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.policy_id AND d.refclassid = 'pg_class'::regclass
                      AND a.attname COLLATE "C" ~* '^(raw_)?user_meta_?data$')
     UNION ALL
    SELECT 'user_claim', 'CRITICAL', 'steward.tenant_claim',
           format('It has tokens say the tenant by what users may change themselves: user_metadata. Put the tenant into app_metadata. Set for %s.', string_agg(c.who, ', ' ORDER BY c.who COLLATE "C")), NULL, NULL
      FROM (SELECT 'this session' AS who, current_setting('steward.tenant_claim', true) AS value WHERE EXISTS (SELECT FROM steward_internal.tenant_rows(tables))
             UNION ALL
            SELECT d.who, d.value FROM defaults d WHERE d.name = 'steward.tenant_claim') c
     WHERE c.value COLLATE "C" ~* '\m(raw_)?user_meta_?data\M'
    HAVING count(*) > 0
     UNION ALL
    SELECT 'context_cached', 'CRITICAL', p.qualified_name, format('Policy %I sets a setting, which any session may set first.', p.policy_name), NULL, quote_ident(p.policy_name)
      FROM policies p
     -- functions have their own rule
     WHERE p.sets AND NOT EXISTS (SELECT FROM unnest(helpers) h WHERE h.sets AND h.function_id = ANY (p.context_functions || p.row_functions));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_settings(steward_internal.tenant_table[], steward_internal.tenant_policy[], steward_internal.tenant_helper[], oid[]) IS
'Returns what tenant_check() finds of settings and claims that policies read.';

CREATE FUNCTION steward_internal.tenant_check_trusted(tables steward_internal.tenant_table[], policies steward_internal.tenant_policy[],
    helpers steward_internal.tenant_helper[], roles oid[], roles_named boolean,
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE tables AS MATERIALIZED (
        SELECT * FROM steward_internal.tenant_rows(tables)
    ), policies AS MATERIALIZED (
        SELECT p.*, t.qualified_name FROM steward_internal.tenant_policy_rows(policies) p JOIN tables t ON t.relation_id = p.relation_id AND t.row_security
    ), application AS MATERIALIZED (
        -- a role that a policy lets at all rows administers them
        SELECT r.oid FROM pg_roles r
         WHERE r.oid = ANY (roles) AND NOT r.rolsuper
           AND (roles_named OR NOT r.rolbypassrls
                AND NOT EXISTS (SELECT FROM policies p WHERE p.is_permissive AND p.using_gaps = '{constant}' AND p.role_ids = ARRAY[r.oid]))
    ), trusted AS MATERIALIZED (
        SELECT DISTINCT p.policy_id, p.policy_name, p.relation_id, p.qualified_name, r.relation_id AS trusted_id, r.column_number
          FROM policies p
         CROSS JOIN LATERAL (
               SELECT d.refobjid AS relation_id, d.refobjsubid AS column_number FROM pg_depend d
                WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.policy_id AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
                  AND d.refobjid = ANY (p.relations)
                UNION
               SELECT r, a.attnum
                 FROM unnest(helpers) h CROSS JOIN LATERAL unnest(h.relations) r
                 JOIN pg_attribute a ON a.attrelid = r AND a.attnum > 0 AND NOT a.attisdropped AND (h.words IS NULL OR lower(a.attname COLLATE "C") = ANY (h.words))
                WHERE h.function_id = ANY (p.context_functions || p.row_functions)) r
         WHERE r.relation_id <> p.relation_id
    ), writable AS MATERIALIZED (
        -- a policy on it that keeps whoever writes to the tenant makes up for the right
        SELECT t.trusted_id, a.oid AS role_id
          FROM (SELECT DISTINCT t.trusted_id, t.column_number FROM trusted t) t
          JOIN pg_class c ON c.oid = t.trusted_id AND c.relkind IN ('r', 'p')
         CROSS JOIN application a
         CROSS JOIN (VALUES ('INSERT', 'a'), ('UPDATE', 'w')) AS k (privilege, command)
         WHERE has_column_privilege(a.oid, c.oid, t.column_number::smallint, k.privilege)
           AND (NOT c.relrowsecurity
                OR EXISTS (SELECT FROM pg_policy y LEFT JOIN policies p ON p.policy_id = y.oid
                            WHERE y.polrelid = c.oid AND y.polpermissive AND y.polcmd IN ('*', k.command::"char")
                              AND EXISTS (SELECT FROM unnest(y.polroles) r (role) WHERE CASE r.role WHEN 0 THEN true ELSE pg_has_role(a.oid, r.role, 'USAGE') END)
                              AND CASE WHEN p.has_check THEN p.check_implied ELSE p.using_implied END IS NOT TRUE)
               AND NOT EXISTS (SELECT FROM policies p
                                WHERE p.relation_id = c.oid AND NOT p.is_permissive AND p.command IN ('*', k.command::"char")
                                  AND EXISTS (SELECT FROM unnest(p.role_ids) r (role) WHERE CASE r.role WHEN 0 THEN true ELSE pg_has_role(a.oid, r.role, 'USAGE') END)
                                  AND CASE WHEN p.has_check THEN p.check_implied ELSE p.using_implied END))
         GROUP BY t.trusted_id, a.oid
    ), secured AS MATERIALIZED (
        SELECT p.relation_id, p.policy_id, p.policy_name, p.qualified_name, p.role_ids, p.using_relations AS relations,
               p.context_functions || p.row_functions AS functions
          FROM policies p WHERE p.command IN ('r', '*')
         UNION ALL
        SELECT c.oid, y.oid, y.polname, format('%I.%I', n.nspname, c.relname), y.polroles, x.relations, x.context_functions || x.row_functions
          FROM pg_policy y
          JOIN pg_class c ON c.oid = y.polrelid AND c.relrowsecurity
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL steward_internal.tenant_expression(y.polqual, 0::smallint, c.oid) x
         WHERE y.polcmd IN ('r', '*') AND c.oid NOT IN (SELECT t.relation_id FROM tables t)
           AND c.relnamespace IN (SELECT t.schema_id FROM tables t)
    ), asks AS MATERIALIZED (
        -- which table's policies ask which; a view asks for who calls it, or for its owner
        SELECT DISTINCT s.relation_id, s.policy_name, s.qualified_name, s.role_ids, r.oid AS asked_id
          FROM secured s
         CROSS JOIN LATERAL (
               SELECT r AS oid FROM unnest(s.relations) r
                UNION
               SELECT r FROM unnest(helpers) h, unnest(h.relations) r WHERE NOT h.is_definer AND h.function_id = ANY (s.functions)) q
         CROSS JOIN LATERAL (
               SELECT q.oid
                UNION
               SELECT d.refobjid FROM pg_class v
                 JOIN pg_roles o ON o.oid = v.relowner
                 JOIN pg_rewrite w ON w.ev_class = v.oid
                 JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
                 JOIN pg_class c ON c.oid = d.refobjid
                WHERE v.oid = q.oid AND v.relkind = 'v'
                  AND (EXISTS (SELECT FROM pg_options_to_table(v.reloptions) i WHERE i.option_name = 'security_invoker' AND i.option_value::boolean)
                       OR NOT (o.rolsuper OR o.rolbypassrls) AND (c.relforcerowsecurity OR NOT pg_has_role(v.relowner, c.relowner, 'USAGE')))) r
          JOIN pg_class c ON c.oid = r.oid AND c.relrowsecurity
    ), paths AS (
        SELECT a.relation_id AS start_id, a.policy_name, a.qualified_name, a.role_ids, a.asked_id FROM asks a
         UNION
        SELECT p.start_id, p.policy_name, p.qualified_name, p.role_ids, a.asked_id
          FROM paths p JOIN asks a ON a.relation_id = p.asked_id AND (p.role_ids && a.role_ids OR 0 = ANY (p.role_ids || a.role_ids))
         WHERE p.asked_id <> p.start_id
    )
    SELECT 'trusted_table', 'WARNING', format('%I.%I', n.nspname, c.relname),
           format('It says whose rows are whose, and roles of the application may write that: %s. Read by: %s.',
                  (SELECT string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname) FROM writable w JOIN pg_roles r ON r.oid = w.role_id WHERE w.trusted_id = c.oid),
                  string_agg(DISTINCT format('%I on %s', t.policy_name, t.qualified_name) COLLATE "C", ', ')),
           NULL, NULL
      FROM trusted t
      JOIN pg_class c ON c.oid = t.trusted_id
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.oid IN (SELECT w.trusted_id FROM writable w)
     GROUP BY n.nspname, c.relname, c.oid
     UNION ALL
    SELECT DISTINCT 'recursive_policy', 'CRITICAL', p.qualified_name,
           format('Policy %I asks a table whose policies ask this one in the end: each query fails with "infinite recursion". Let a SECURITY DEFINER function ask.', p.policy_name),
           NULL, quote_ident(p.policy_name)
      FROM paths p
     WHERE p.asked_id = p.start_id;
END;
COMMENT ON FUNCTION steward_internal.tenant_check_trusted(steward_internal.tenant_table[], steward_internal.tenant_policy[], steward_internal.tenant_helper[], oid[], boolean) IS
'Returns what tenant_check() finds of tables that policies ask.';
