-- tenant_schema_migrate: changing the schemas of all tenants.

CREATE FUNCTION steward_internal.tenant_migration_begin(migration text, statement text, template regnamespace, on_error text, dry_run boolean) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    template_name constant text := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = template);
BEGIN
    IF migration IS NULL OR statement IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'migration and statement must not be null';
    ELSIF template_name IS NULL THEN
        RAISE invalid_schema_name USING MESSAGE = 'template does not exist';
    ELSIF on_error IS NULL OR on_error NOT IN ('stop', 'continue') THEN
        RAISE invalid_parameter_value USING MESSAGE = format('on_error must be "stop" or "continue", not "%s"', on_error);
    ELSIF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    ELSIF EXISTS (SELECT FROM steward.tenant_migrations m WHERE m.migration = tenant_migration_begin.migration AND m.status = 'ok' AND m.digest <> md5(statement)) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('migration "%s" was another statement', migration),
            HINT = 'Give it another name.';
    END IF;
    -- the template first: what is wrong in it is wrong everywhere
    RETURN template_name || ARRAY(SELECT t.schema_name FROM steward.tenants t
                                   WHERE t.template = template_name AND t.status = 'active' ORDER BY t.schema_name);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_begin(text, text, regnamespace, text, boolean) IS
'Returns the schemas that a migration is for: the template and its active tenants''.';

CREATE FUNCTION steward_internal.tenant_migration_run(migration text, statement text, schema_name text, shared name[], on_error text) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    started_at constant timestamptz := clock_timestamp();
    code text;
    failure text;
BEGIN
    -- who runs the same migration at the same time waits here
    INSERT INTO steward.tenant_migrations AS m (migration, schema_name, status, digest)
    VALUES (tenant_migration_run.migration, tenant_migration_run.schema_name, 'error', md5(statement))
    ON CONFLICT ON CONSTRAINT tenant_migrations_pkey DO UPDATE SET digest = excluded.digest WHERE m.status = 'error';
    IF NOT FOUND OR EXISTS (SELECT FROM steward.tenants t WHERE t.schema_name = tenant_migration_run.schema_name AND t.status <> 'active') THEN
        RETURN true;
    END IF;
    BEGIN
        PERFORM steward_internal.tenant_migration_execute(statement, schema_name, shared);
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, failure = MESSAGE_TEXT;
    END;
    UPDATE steward.tenant_migrations m
       SET status = CASE WHEN code IS NULL THEN 'ok' ELSE 'error' END, sqlstate = code, message = failure,
           run_by = current_user, run_at = started_at, duration = clock_timestamp() - started_at
     WHERE m.migration = tenant_migration_run.migration AND m.schema_name = tenant_migration_run.schema_name;
    RETURN code IS NULL OR on_error = 'continue';
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_run(text, text, text, name[], text) IS
'Runs a migration in one schema, unless that has been done, and records what became of it; false to stop.';

CREATE FUNCTION steward_internal.tenant_migration_path(schema_name text, shared name[]) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN concat_ws(', ', quote_ident(schema_name), (SELECT string_agg(quote_ident(s.name), ', ' ORDER BY s.place) FROM unnest(shared) WITH ORDINALITY s (name, place)), 'pg_temp');
COMMENT ON FUNCTION steward_internal.tenant_migration_path(text, name[]) IS
'Returns the search_path with which a migration runs in a schema.';

CREATE FUNCTION steward_internal.tenant_migration_tell(migration text, statement text, schemas text[], shared name[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name text;
BEGIN
    FOR schema_name IN
        SELECT s.name
          FROM unnest(schemas) WITH ORDINALITY s (name, place)
         WHERE NOT EXISTS (SELECT FROM steward.tenant_migrations m
                            WHERE m.migration = tenant_migration_tell.migration AND m.schema_name = s.name AND m.status = 'ok')
         ORDER BY s.place
    LOOP
        RAISE NOTICE 'SET LOCAL search_path = %;', steward_internal.tenant_migration_path(schema_name, shared);
        RAISE NOTICE '%;', rtrim(statement, E'; \t\n');
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_tell(text, text, text[], name[]) IS
'Says where a migration has not been run yet, and with which commands it would be.';

CREATE FUNCTION steward_internal.tenant_migration_execute(statement text, schema_name text, shared name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regnamespace(quote_ident(schema_name)) IS NULL THEN
        RAISE invalid_schema_name USING MESSAGE = format('schema "%s" does not exist', schema_name);
    END IF;
    PERFORM set_config('search_path', steward_internal.tenant_migration_path(schema_name, shared), true);
    EXECUTE statement;
    SET CONSTRAINTS ALL IMMEDIATE;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_execute(text, text, name[]) IS
'Runs a statement that finds its tables in a schema.';

CREATE FUNCTION steward_internal.tenant_migration_end(migration text, on_error text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    failed constant text := (SELECT string_agg(quote_ident(m.schema_name), ', ' ORDER BY m.schema_name) FROM steward.tenant_migrations m
                              WHERE m.migration = tenant_migration_end.migration AND m.status = 'error');
    first constant text := (SELECT m.message FROM steward.tenant_migrations m
                             WHERE m.migration = tenant_migration_end.migration AND m.status = 'error' ORDER BY m.schema_name LIMIT 1);
BEGIN
    IF failed IS NULL THEN
        RETURN;
    ELSIF on_error = 'stop' THEN
        RAISE EXCEPTION USING
            MESSAGE = format('migration "%s" failed in %s', migration, failed),
            DETAIL = first,
            HINT = format('SELECT * FROM steward.tenant_migrations WHERE migration = %L;', migration);
    END IF;
    RAISE WARNING USING
        MESSAGE = format('migration "%s" failed in %s', migration, failed),
        DETAIL = first,
        HINT = format('SELECT * FROM steward.tenant_migrations WHERE migration = %L;', migration);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_end(text, text) IS
'Raises what a migration failed with, if it has.';

CREATE PROCEDURE steward.tenant_schema_migrate(migration text, statement text, template regnamespace, on_error text DEFAULT 'stop',
    shared name[] DEFAULT '{public}', dry_run boolean DEFAULT false)
LANGUAGE plpgsql
AS $$
DECLARE
    schemas pg_catalog.text[];
    schema_name pg_catalog.text;
    goes_on pg_catalog.bool;
BEGIN
    schemas := steward_internal.tenant_migration_begin(migration, statement, template, on_error, dry_run);
    IF dry_run THEN
        PERFORM steward_internal.tenant_migration_tell(migration, statement, schemas, shared);
        RETURN;
    END IF;
    FOREACH schema_name IN ARRAY schemas LOOP
        goes_on := steward_internal.tenant_migration_run(migration, statement, schema_name, shared, on_error);
        COMMIT;
        EXIT WHEN NOT goes_on;
    END LOOP;
    PERFORM steward_internal.tenant_migration_end(migration, on_error);
END $$;
COMMENT ON PROCEDURE steward.tenant_schema_migrate(text, text, regnamespace, text, name[], boolean) IS
'Runs a statement in a template and the schemas of its active tenants, a transaction each, where it has not been run. With dry_run it only says where that is.';
