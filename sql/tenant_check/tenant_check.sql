-- tenant_check: the holes between the rows of one tenant and those of another.

CREATE FUNCTION steward.tenant_check(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL, roles name[] DEFAULT NULL,
    include_muted boolean DEFAULT false,
    OUT rule text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT key text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off SET jit = off
AS $$
DECLARE
    with_column constant steward_internal.tenant_table[] := ARRAY(SELECT t FROM steward_internal.tenant_tables(tenant_columns, schemas) t);
    tables constant steward_internal.tenant_table[] := with_column || ARRAY(SELECT t FROM steward_internal.tenant_roots(with_column, schemas) t);
    policies constant steward_internal.tenant_policy[] := ARRAY(SELECT p FROM steward_internal.tenant_policy_facts(tables) p);
    helpers constant steward_internal.tenant_helper[] := ARRAY(SELECT h FROM steward_internal.tenant_helpers(policies) h);
    application constant oid[] := ARRAY(SELECT r FROM steward_internal.tenant_roles(tables, roles) r ORDER BY r);
BEGIN
    RETURN QUERY
    SELECT f.rule, f.severity, f.object, f.detail, f.remedy, k.key
      FROM (SELECT * FROM steward_internal.tenant_check_tables(tables, policies, helpers, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_policies(tables, policies, application, roles IS NOT NULL)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_helpers(tables, policies, helpers, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_settings(tables, policies, helpers, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_trusted(tables, policies, helpers, application, roles IS NOT NULL)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_keys(tables, tenant_columns, schemas)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_indexes(tables)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_counters(tables, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_setters(tables, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_strangers(tables, schemas, application, roles IS NOT NULL)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_columns(tables, tenant_columns, schemas, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_roles(tables, application, roles IS NOT NULL)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_grants(tables, application)
             UNION ALL
            SELECT * FROM steward_internal.tenant_check_code(tables, helpers, schemas, application)) f
     CROSS JOIN LATERAL (SELECT concat_ws(':', f.rule, f.object, f.part)) k (key)
     WHERE include_muted OR NOT EXISTS (SELECT FROM steward_internal.muted_now m WHERE m.finding_key = k.key)
     ORDER BY array_position('{CRITICAL,WARNING,INFO}', f.severity), f.object COLLATE "C", f.rule COLLATE "C", k.key COLLATE "C";
END $$;
COMMENT ON FUNCTION steward.tenant_check(name[], regnamespace[], name[], boolean) IS
'Returns the holes between tenants, one row for each, with the command that mends it and the key that mutes it.';

CREATE FUNCTION steward.tenant_assert_isolated(tenant_columns name[] DEFAULT '{tenant_id}', schemas regnamespace[] DEFAULT NULL, roles name[] DEFAULT NULL,
    severity text DEFAULT 'WARNING') RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    severities constant text[] := '{CRITICAL,WARNING,INFO}';
    findings text[];
BEGIN
    IF array_position(severities, upper(severity COLLATE "C")) IS NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('unknown severity "%s"', severity),
            HINT = 'Severities are CRITICAL, WARNING and INFO.';
    END IF;
    -- no tables at all are more likely a wrong name than a clean schema
    IF NOT EXISTS (SELECT FROM steward_internal.tenant_tables(tenant_columns, schemas)) THEN
        RAISE undefined_table USING
            MESSAGE = format('no table has a column named %s', (SELECT string_agg(quote_ident(c), ' or ') FROM unnest(tenant_columns) c)),
            HINT = coalesce((SELECT format('SELECT steward.tenant_assert_isolated(%L);', ARRAY[c.column_name]::text)
                               FROM steward_internal.tenant_column_candidates(tenant_columns, schemas) c
                              ORDER BY c.for_users, cardinality(c.tables) DESC, c.column_name LIMIT 1),
                            'Pass the names of the columns as tenant_columns => ''{...}''.');
    END IF;
    findings := ARRAY(SELECT format('%s %s: %s', f.severity, f.key, f.detail)
                        FROM steward.tenant_check(tenant_columns, schemas, roles) WITH ORDINALITY f
                       WHERE array_position(severities, f.severity) <= array_position(severities, upper(tenant_assert_isolated.severity COLLATE "C"))
                       ORDER BY f.ordinality);
    IF findings <> '{}' THEN
        RAISE assert_failure USING
            MESSAGE = format('tenants are not isolated: %s finding(s)', cardinality(findings)),
            DETAIL = array_to_string(findings, E'\n'),
            HINT = 'SELECT * FROM steward.tenant_check();';
    END IF;
END $$;
COMMENT ON FUNCTION steward.tenant_assert_isolated(name[], regnamespace[], name[], text) IS
'Raises P0004 if tenant_check() finds something of that severity or a worse one.';
