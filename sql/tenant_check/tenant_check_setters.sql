-- tenant_check_setters: functions that say for which tenant a transaction works.

CREATE FUNCTION steward_internal.tenant_check_setters(tables steward_internal.tenant_table[], roles oid[],
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT part text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH RECURSIVE code AS MATERIALIZED (
        SELECT f.oid, f.proname, f.prosecdef, f.prorettype, f.proowner, coalesce(pg_get_function_sqlbody(f.oid), f.prosrc) AS source
          FROM pg_proc f
          JOIN pg_language l ON l.oid = f.prolang AND l.lanname NOT IN ('internal', 'c')
         WHERE f.oid >= 16384 AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_proc'::regclass AND e.object_id = f.oid)
    ), setters AS MATERIALIZED (
        SELECT c.* FROM code c JOIN pg_roles o ON o.oid = c.proowner
         WHERE c.prosecdef AND c.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
           AND (c.source COLLATE "C" ~* '\mtenant_set\M' AND has_function_privilege(o.oid, 'steward.tenant_set(text, text, jsonb)', 'EXECUTE')
                OR c.source COLLATE "C" ~* '\msteward\.(tenant|user_id)\M' AND o.rolsuper)
           AND (has_function_privilege('public', c.oid, 'EXECUTE') OR EXISTS (SELECT FROM unnest(roles) r WHERE has_function_privilege(r, c.oid, 'EXECUTE')))
    ), reached AS (
        SELECT s.oid AS setter, s.oid, s.source FROM setters s
         UNION
        -- what names a function is taken to call it
        SELECT r.setter, c.oid, c.source
          FROM reached r
         CROSS JOIN LATERAL regexp_split_to_table(r.source, '[^a-zA-Z0-9_$\u0080-\U7ffffffe]+') w (word)
          JOIN code c ON c.proname IN (w.word, lower(w.word COLLATE "C"))
    ), settings AS (
        SELECT r.setter, string_agg(DISTINCT coalesce(s.name[1], 'a setting'), ', ' ORDER BY coalesce(s.name[1], 'a setting')) AS names
          FROM reached r
         -- a name that is put together is any
         CROSS JOIN LATERAL regexp_matches(r.source, '\mcurrent_setting\s*\(\s*(?:''([^'']+)''(?!\s*\|\|))?', 'gi') s (name)
         WHERE NOT EXISTS (SELECT FROM pg_settings p WHERE p.name = lower(s.name[1] COLLATE "C") AND p.context <> 'user')
         GROUP BY r.setter
    )
    SELECT 'setter_function', CASE WHEN v.names IS NULL THEN 'INFO' ELSE 'WARNING' END, format('%I.%I(%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)),
           CASE WHEN v.names IS NULL THEN 'It sets the tenant with the rights of its owner: it must ask for proof, since SQL that is smuggled in may call it.'
                ELSE format('It sets the tenant with the rights of its owner, and reads %s, which any session may set: SQL that is smuggled in chooses any tenant. A signed token cannot be made up.', v.names) END,
           NULL::text, NULL::text
      FROM setters s
      JOIN pg_proc f USING (oid)
      JOIN pg_namespace n ON n.oid = f.pronamespace
      LEFT JOIN settings v ON v.setter = s.oid
     WHERE EXISTS (SELECT FROM steward_internal.tenant_rows(tables));
END;
COMMENT ON FUNCTION steward_internal.tenant_check_setters(steward_internal.tenant_table[], oid[]) IS
'Returns what tenant_check() finds of functions that set the tenant on behalf of their callers.';
