-- tenant_schema_drift: comparing the schemas of tenants with their template.

CREATE FUNCTION steward.tenant_schema_drift(template regnamespace, tenant_keys text[] DEFAULT NULL,
    OUT tenant text, OUT schema_name text, OUT difference text, OUT kind text, OUT object text, OUT expected text, OUT found text) RETURNS SETOF record
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wanted constant steward_internal.tenant_schema_object[] := ARRAY(SELECT o FROM steward_internal.tenant_schema_read(ARRAY[template::oid]) o);
    part record;
BEGIN
    -- many at once, which takes hardly longer than one, but not so many that memory would not hold them
    FOR part IN
        SELECT array_agg(t.key ORDER BY t.key) AS keys, array_agg(t.schema_name ORDER BY t.key) AS names, array_agg(t.oid ORDER BY t.key) AS schemas
          FROM (SELECT r.key, r.schema_name, s.oid, row_number() OVER (ORDER BY r.key) / 200 AS part
                  FROM steward.tenants r
                  JOIN pg_namespace n ON n.oid = tenant_schema_drift.template AND n.nspname = r.template
                  LEFT JOIN pg_namespace s ON s.nspname = r.schema_name
                 WHERE r.status <> 'erased' AND (tenant_keys IS NULL OR r.key IN (SELECT steward_internal.tenant_canonical(k) FROM unnest(tenant_keys) k))) t
         GROUP BY t.part
         ORDER BY t.part
    LOOP
        RETURN QUERY
        WITH tenants AS MATERIALIZED (
            SELECT * FROM unnest(part.keys, part.names, part.schemas) t (key, schema_name, schema_id)
        )
        SELECT t.key, t.schema_name, 'missing', 'schema', t.schema_name, NULL, NULL
          FROM tenants t
         WHERE t.schema_id IS NULL
         UNION ALL
        SELECT t.key, t.schema_name, CASE WHEN f.kind IS NULL THEN 'missing' WHEN w.kind IS NULL THEN 'extra' ELSE 'different' END,
               coalesce(w.kind, f.kind), coalesce(w.object, f.object),
               steward_internal.tenant_schema_shown(w.altered, w.definition, w.fill, t.schema_name),
               steward_internal.tenant_schema_shown(f.altered, f.definition, f.fill, t.schema_name)
          FROM (SELECT s.schema_id AS copy_id, o.* FROM unnest(part.schemas) s (schema_id) CROSS JOIN unnest(wanted) o WHERE s.schema_id IS NOT NULL) w
          FULL JOIN steward_internal.tenant_schema_read(part.schemas) f ON f.schema_id = w.copy_id AND f.kind = w.kind AND f.object = w.object
          JOIN tenants t ON t.schema_id = coalesce(w.copy_id, f.schema_id)
         WHERE w.altered IS DISTINCT FROM f.altered OR w.definition IS DISTINCT FROM f.definition
         ORDER BY 1, 4, 5;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.tenant_schema_drift(regnamespace, text[]) IS
'Returns in what the schemas of tenants differ from their template.';

CREATE FUNCTION steward_internal.tenant_schema_shown(altered text, definition text, fill "char", schema_name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE fill WHEN 's' THEN format(definition, schema_name)
                 WHEN 'c' THEN format(definition, '...')
                 ELSE coalesce('ALTER TABLE ' || altered || ' ', '') || definition END;
COMMENT ON FUNCTION steward_internal.tenant_schema_shown(text, text, "char", text) IS
'Returns the definition of something in a schema of that name.';
