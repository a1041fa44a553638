-- tenant_registry: the tenants, and which of them may work.

CREATE FUNCTION steward_internal.tenant_canonical(tenant text) RETURNS text
AS 'MODULE_PATHNAME', 'steward_tenant_canonical' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.tenant_canonical(text) IS
'Returns the one form of a tenant''s key, a UUID in lower case; raises 22023 for a text that looks like another one.';

CREATE TABLE steward.tenants (
    -- tenant_registry.c reads these three by their number
    key         text COLLATE "C" PRIMARY KEY CONSTRAINT tenants_key_length CHECK (octet_length(key) BETWEEN 1 AND 255)
                CONSTRAINT tenants_key_canonical CHECK (key = steward_internal.tenant_canonical(key)),
    status      text NOT NULL DEFAULT 'active' CONSTRAINT tenants_status CHECK (status IN ('active', 'suspended', 'erased')),
    schema_name text COLLATE "C" CONSTRAINT tenants_schema_name UNIQUE
                CONSTRAINT tenants_schema_name_valid CHECK (octet_length(schema_name) BETWEEN 1 AND 63 AND schema_name !~ '^pg_'),
    isolation   text NOT NULL DEFAULT 'row' CONSTRAINT tenants_isolation CHECK (isolation IN ('row', 'schema')),
    template    text COLLATE "C",
    name        text,
    metadata    jsonb NOT NULL DEFAULT '{}' CONSTRAINT tenants_metadata_object CHECK (jsonb_typeof(metadata) = 'object'),
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    erasure     jsonb,
    CONSTRAINT tenants_schema_if_isolated CHECK ((schema_name IS NOT NULL) = (isolation = 'schema')),
    CONSTRAINT tenants_erasure_if_erased CHECK ((erasure IS NOT NULL) = (status = 'erased'))
);
COMMENT ON TABLE steward.tenants IS
'The tenants by the key that tenant_set() takes; others may work too, but suspended and erased ones may not.';
COMMENT ON COLUMN steward.tenants.schema_name IS 'The schema of a tenant that has one of its own.';
COMMENT ON COLUMN steward.tenants.template IS 'The schema of which that one is a copy; null until it is there.';
COMMENT ON COLUMN steward.tenants.erasure IS 'When the tenant was erased, by which role, and how many rows of which tables that were.';
SELECT pg_extension_config_dump('steward.tenants', '');

CREATE INDEX tenants_excluded ON steward.tenants (key) WHERE status <> 'active';
COMMENT ON INDEX steward.tenants_excluded IS
'What sessions read to know which tenants may not work.';

CREATE FUNCTION steward_internal.tenant_changed_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_tenant_changed_trigger' LANGUAGE C;
REVOKE ALL ON FUNCTION steward_internal.tenant_changed_trigger() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.tenant_changed_trigger() IS
'Has all sessions read steward.tenants anew, as a trigger.';

-- per row, because logical replication fires no others; and for its sake ALWAYS
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON steward.tenants
    FOR EACH ROW EXECUTE FUNCTION steward_internal.tenant_changed_trigger();
CREATE TRIGGER truncated AFTER TRUNCATE ON steward.tenants
    FOR EACH STATEMENT EXECUTE FUNCTION steward_internal.tenant_changed_trigger();
ALTER TABLE steward.tenants ENABLE ALWAYS TRIGGER changed, ENABLE ALWAYS TRIGGER truncated;

-- The rights on the table say who may call what follows: all of it runs as the caller.

CREATE FUNCTION steward.tenant_create(tenant text, name text DEFAULT NULL, isolation text DEFAULT 'row', schema_name text DEFAULT NULL,
    metadata jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tenant_key constant text := steward_internal.tenant_canonical(tenant);
BEGIN
    IF tenant IS NULL OR octet_length(tenant) NOT BETWEEN 1 AND 255 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'key of a tenant must have 1 to 255 bytes';
    ELSIF isolation IS NULL OR isolation NOT IN ('row', 'schema') THEN
        RAISE invalid_parameter_value USING
            MESSAGE = format('isolation must be "row" or "schema", not "%s"', isolation);
    ELSIF isolation = 'row' AND schema_name IS NOT NULL THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'a tenant whose rows are told by a column has no schema',
            HINT = format('SELECT steward.tenant_create(%L, isolation => ''schema'', schema_name => %L);', tenant, schema_name);
    END IF;
    INSERT INTO steward.tenants (key, name, isolation, schema_name, metadata)
    VALUES (tenant_key, tenant_create.name, tenant_create.isolation,
            CASE isolation WHEN 'schema' THEN coalesce(tenant_create.schema_name, steward_internal.object_name('tenant_', tenant_key)) END,
            coalesce(tenant_create.metadata, '{}'))
    ON CONFLICT ON CONSTRAINT tenants_pkey DO NOTHING;
    IF NOT FOUND THEN
        RAISE unique_violation USING MESSAGE = format('tenant "%s" exists already', tenant);
    END IF;
END $$;
COMMENT ON FUNCTION steward.tenant_create(text, text, text, text, jsonb) IS
'Registers a tenant; its schema, if it is to have one, is made by tenant_schema_create().';

CREATE FUNCTION steward_internal.tenant_lock(tenant text) RETURNS steward.tenants
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r steward.tenants;
BEGIN
    SELECT * INTO r FROM steward.tenants t WHERE t.key = steward_internal.tenant_canonical(tenant) FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE undefined_object USING
            MESSAGE = format('tenant "%s" does not exist', tenant),
            HINT = format('SELECT steward.tenant_create(%L);', tenant);
    END IF;
    RETURN r;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_lock(text) IS
'Returns the row of a tenant, locked; raises 42704 if there is none.';

CREATE FUNCTION steward_internal.tenant_set_status(tenant text, status text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r constant steward.tenants := steward_internal.tenant_lock(tenant);
BEGIN
    IF r.status = 'erased' THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('tenant "%s" has been erased', tenant);
    END IF;
    UPDATE steward.tenants t SET status = tenant_set_status.status, changed_at = now()
     WHERE t.key = r.key AND t.status <> tenant_set_status.status;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_set_status(text, text) IS
'Suspends or resumes a tenant; raises 55000 if it has been erased.';

CREATE FUNCTION steward.tenant_suspend(tenant text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
RETURN steward_internal.tenant_set_status(tenant, 'suspended');
COMMENT ON FUNCTION steward.tenant_suspend(text) IS
'Keeps a tenant from work: tenant_set() refuses it, and by token it sees nothing from the next query on.';

CREATE FUNCTION steward.tenant_resume(tenant text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
RETURN steward_internal.tenant_set_status(tenant, 'active');
COMMENT ON FUNCTION steward.tenant_resume(text) IS
'Lets a suspended tenant work again.';
