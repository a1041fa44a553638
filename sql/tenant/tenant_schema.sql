-- tenant_schema: tenants that have a schema each, all like one template.

CREATE TABLE steward.tenant_migrations (
    migration   text COLLATE "C",
    schema_name text COLLATE "C",
    status      text NOT NULL CHECK (status IN ('ok', 'error')),
    digest      text NOT NULL,
    sqlstate    text,
    message     text,
    run_by      name NOT NULL DEFAULT current_user,
    run_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration    interval,
    PRIMARY KEY (migration, schema_name)
);
COMMENT ON TABLE steward.tenant_migrations IS
'What tenant_schema_migrate() has done in which schema, and what became of it.';
COMMENT ON COLUMN steward.tenant_migrations.digest IS 'Of the statement, which cannot change once it has been run.';
SELECT pg_extension_config_dump('steward.tenant_migrations', '');

CREATE FUNCTION steward.tenant_schema_use(tenant text, shared name[] DEFAULT '{public}') RETURNS void
AS 'MODULE_PATHNAME', 'steward_tenant_schema_use' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION steward.tenant_schema_use(text, name[]) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_schema_use(text, name[]) IS
'Has the rest of the transaction find its tables in a tenant''s schema, then in shared ones.';

--
-- Reading schemas
--

CREATE FUNCTION steward_internal.tenant_schema_unsupported(schema regnamespace, OUT object text, OUT reason text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH objects AS (
        SELECT 'pg_class'::regclass::oid AS class_id, c.oid, c.relowner AS owner,
               CASE WHEN c.relkind = 'f' THEN 'Foreign tables cannot be copied.'
                    WHEN c.reloftype <> 0 THEN 'Tables of a type cannot be copied.'
                    WHEN p.relnamespace <> c.relnamespace THEN 'It is a partition of a table of another schema, or has one there.' END AS reason
          FROM pg_class c
          LEFT JOIN pg_inherits i ON c.relispartition AND i.inhrelid = c.oid OR c.relkind IN ('p', 'I') AND i.inhparent = c.oid
          LEFT JOIN pg_class p ON p.oid IN (i.inhparent, i.inhrelid) AND p.oid <> c.oid
         WHERE c.relnamespace = schema
         UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, p.proowner,
               CASE WHEN p.prokind IN ('a', 'w') THEN 'Aggregates and window functions cannot be copied.'
                    WHEN p.protrftypes IS NOT NULL THEN 'Functions with transforms cannot be copied.' END
          FROM pg_proc p WHERE p.pronamespace = schema
         UNION ALL
        SELECT 'pg_type'::regclass, t.oid, t.typowner, CASE WHEN t.typtype NOT IN ('e', 'd', 'c') THEN 'Only enums, domains and composite types can be copied.' END
          FROM pg_type t WHERE t.typnamespace = schema AND t.typtype <> 'm' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
         UNION ALL
        SELECT o.class_id, o.oid, o.owner, 'Objects of this kind cannot be copied.'
          FROM (SELECT 'pg_operator'::regclass AS class_id, x.oid, x.oprowner AS owner, x.oprnamespace AS schema_id FROM pg_operator x
                 UNION ALL SELECT 'pg_opclass'::regclass, x.oid, x.opcowner, x.opcnamespace FROM pg_opclass x
                 UNION ALL SELECT 'pg_opfamily'::regclass, x.oid, x.opfowner, x.opfnamespace FROM pg_opfamily x
                 UNION ALL SELECT 'pg_collation'::regclass, x.oid, x.collowner, x.collnamespace FROM pg_collation x
                 UNION ALL SELECT 'pg_conversion'::regclass, x.oid, x.conowner, x.connamespace FROM pg_conversion x
                 UNION ALL SELECT 'pg_ts_config'::regclass, x.oid, x.cfgowner, x.cfgnamespace FROM pg_ts_config x
                 UNION ALL SELECT 'pg_ts_dict'::regclass, x.oid, x.dictowner, x.dictnamespace FROM pg_ts_dict x
                 UNION ALL SELECT 'pg_ts_parser'::regclass, x.oid, 10, x.prsnamespace FROM pg_ts_parser x
                 UNION ALL SELECT 'pg_ts_template'::regclass, x.oid, 10, x.tmplnamespace FROM pg_ts_template x) o
         WHERE o.schema_id = schema
    )
    SELECT pg_describe_object(o.class_id, o.oid, 0) COLLATE "C",
           coalesce(CASE WHEN EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = o.class_id AND e.object_id = o.oid) THEN 'It belongs to an extension.' END,
                    o.reason, 'Its owner is not the owner of the schema.') COLLATE "C"
      FROM objects o
      JOIN pg_namespace n ON n.oid = schema
     WHERE o.reason IS NOT NULL OR o.owner <> n.nspowner
        OR EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = o.class_id AND e.object_id = o.oid)
     ORDER BY 1, 2;
END;
COMMENT ON FUNCTION steward_internal.tenant_schema_unsupported(regnamespace) IS
'Returns what keeps a schema from being a template.';

CREATE FUNCTION steward_internal.tenant_schema_check(template regnamespace, objects steward_internal.tenant_schema_object[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema record;
    problem record;
BEGIN
    SELECT n.nspname AS name, n.nspowner AS owner INTO schema FROM pg_namespace n WHERE n.oid = template;
    IF NOT pg_has_role(schema.owner, 'MEMBER') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('must be owner of schema %I', schema.name),
            HINT = format('SET ROLE %I;', pg_get_userbyid(schema.owner));
    ELSIF NOT has_database_privilege(schema.owner, current_database(), 'CREATE') THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('role "%s" may not create schemas', pg_get_userbyid(schema.owner)),
            HINT = format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), pg_get_userbyid(schema.owner));
    END IF;
    SELECT u.object, u.reason INTO problem FROM steward_internal.tenant_schema_unsupported(template) u LIMIT 1;
    IF FOUND THEN
        RAISE feature_not_supported USING
            MESSAGE = format('schema %I cannot be a template: %s', schema.name, problem.object),
            DETAIL = problem.reason;
    END IF;
    -- a copy would go on using what is in the template
    SELECT o.kind || ' ' || o.object AS object, f.detail, f.hint INTO problem
      FROM unnest(objects) o
     CROSS JOIN LATERAL (VALUES
           (o.column_id = 0 AND starts_with(o.object, quote_ident(schema.name) || '.')
            -- a table's, by its type
            OR o.column_id = 0 AND o.class_id = 'pg_class'::regclass
            AND EXISTS (SELECT FROM pg_type t
                         JOIN pg_type c ON c.typname = t.typname AND c.typnamespace = 'pg_catalog'::regnamespace
                         JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
                        WHERE t.typrelid = o.object_id),
            'Its name means something in pg_catalog, which is looked at first.', 'Give it another name.'),
           (o.kind NOT IN ('comment', 'security label')
            AND EXISTS (SELECT FROM regexp_matches(o.definition, '"(?:[^"]|"")*"|(''(?:[^'']|'''')*'')', 'g') l (literal)
                         -- in whatever case
                         WHERE lower(replace(CASE WHEN o.fill IS NULL THEN l.literal[1] ELSE replace(l.literal[1], '%%', '%') END, '''''', '''') COLLATE "C")
                               ~ ('(^|[^\w$\u0080-\U7ffffffe])("?)' || regexp_replace(replace(lower(schema.name::text COLLATE "C"), '"', '""'), '(\W)', '\\\1', 'g') || '\2\s*\.')),
            'Its definition names the schema in a text.',
            format('Name what is in the schema without it; a function can say SET search_path = %I, pg_temp.', schema.name))) f (found, detail, hint)
     WHERE f.found
     ORDER BY 1, 2 LIMIT 1;
    IF FOUND THEN
        RAISE feature_not_supported USING
            MESSAGE = format('schema %I cannot be a template: %s', schema.name, problem.object),
            DETAIL = problem.detail,
            HINT = problem.hint;
    END IF;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_check(regnamespace, steward_internal.tenant_schema_object[]) IS
'Raises 42501 unless the current role may copy a schema, and 0A000 if that cannot be done rightly.';

CREATE FUNCTION steward_internal.tenant_schema_script(template regnamespace, OUT commands text[], OUT fills "char"[])
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    objects constant steward_internal.tenant_schema_object[] := ARRAY(SELECT o FROM steward_internal.tenant_schema_read(ARRAY[template::oid]) o);
BEGIN
    PERFORM steward_internal.tenant_schema_check(template, objects);
    SELECT c.commands, c.fills INTO commands, fills FROM steward_internal.tenant_schema_commands(objects) c;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_script(regnamespace) IS
'Returns the commands that make a copy of a template; raises what keeps it from being one.';

--
-- Making schemas
--

-- From set_config() on, names are looked up in a schema that others may write: so nothing is left to look up.
CREATE FUNCTION steward_internal.tenant_schema_fill(schema_name text, commands text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET check_function_bodies = off SET client_min_messages = warning
AS $$
DECLARE
    command text;
BEGIN
    PERFORM set_config('search_path', quote_ident(schema_name) || ', pg_temp', true);
    FOREACH command IN ARRAY commands LOOP
        EXECUTE command;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_fill(text, text[]) IS
'Runs commands in a schema.';

CREATE FUNCTION steward_internal.tenant_schema_make(tenant text, template_name text, owner name, commands text[], fills "char"[]) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    caller constant text := current_setting('role');
    r steward.tenants;
BEGIN
    -- two that insert the same row at once can fail for the name of the schema, which ON CONFLICT does not look at
    PERFORM pg_advisory_xact_lock(hashtextextended('steward.tenants ' || tenant, 0));
    INSERT INTO steward.tenants (key, isolation, schema_name) VALUES (tenant, 'schema', steward_internal.object_name('tenant_', tenant))
    ON CONFLICT (key) DO NOTHING;
    r := steward_internal.tenant_lock(tenant);
    IF r.status = 'erased' THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('tenant "%s" has been erased', tenant);
    ELSIF r.isolation <> 'schema' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('tenant "%s" is to have no schema', tenant),
            DETAIL = 'A column tells which rows are of the tenant.';
    ELSIF r.template <> template_name THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the schema of tenant "%s" is a copy of another template, %I', tenant, r.template);
    ELSIF to_regnamespace(quote_ident(r.schema_name)) IS NOT NULL THEN
        IF r.template IS NULL THEN
            RAISE duplicate_schema USING
                MESSAGE = format('schema "%s" exists already and is not that of tenant "%s"', r.schema_name, tenant),
                HINT = format('UPDATE steward.tenants SET schema_name = ... WHERE key = %L;', tenant);
        END IF;
        RETURN false;
    END IF;
    UPDATE steward.tenants t SET template = template_name, changed_at = now() WHERE t.key = r.key;
    DELETE FROM steward.tenant_migrations m WHERE m.schema_name = r.schema_name;
    -- what the template has been through
    INSERT INTO steward.tenant_migrations
    SELECT (jsonb_populate_record(m, jsonb_build_object('schema_name', r.schema_name))).*
      FROM steward.tenant_migrations m WHERE m.schema_name = template_name AND m.status = 'ok';

    PERFORM set_config('role', owner, true);
    EXECUTE format('CREATE SCHEMA %I', r.schema_name);
    PERFORM steward_internal.tenant_schema_fill(r.schema_name, ARRAY(
        SELECT CASE c.fill WHEN 's' THEN format(c.command, r.schema_name) ELSE c.command END
          FROM unnest(commands, fills) WITH ORDINALITY c (command, fill, place) ORDER BY c.place));
    PERFORM set_config('role', caller, true);
    RETURN true;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_make(text, text, name, text[], "char"[]) IS
'Makes the schema of a tenant, unless it is there.';

CREATE FUNCTION steward_internal.tenant_schema_begin(tenant_keys text[], template regnamespace, batch integer) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF array_position(tenant_keys, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'list of tenants must not contain null';
    ELSIF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = template) THEN
        RAISE invalid_schema_name USING MESSAGE = 'template does not exist';
    ELSIF batch IS NULL OR batch < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
    END IF;
    -- in one order, so that two calls cannot wait for each other
    RETURN ARRAY(SELECT DISTINCT steward_internal.tenant_canonical(k) COLLATE "C" FROM unnest(tenant_keys) k
                  UNION SELECT t.key FROM steward.tenants t
                         WHERE tenant_keys IS NULL AND t.isolation = 'schema' AND t.template IS NULL AND t.status = 'active'
                  ORDER BY 1);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_begin(text[], regnamespace, integer) IS
'Returns the tenants to make schemas for.';

CREATE FUNCTION steward_internal.tenant_schema_batch(tenant_keys text[], template regnamespace, batch integer, commands text[], fills "char"[]) RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    template_name constant text := (SELECT n.nspname FROM pg_namespace n WHERE n.oid = template);
    owner constant name := (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.oid = template);
    -- each relation is locked until the transaction ends, its TOAST table with it
    locks constant bigint := (SELECT 2 * count(*) + 1 FROM pg_class c WHERE c.relnamespace = template);
    room constant bigint := current_setting('max_locks_per_transaction')::bigint * current_setting('max_connections')::bigint / 2;
    size constant integer := least(batch, greatest(1, room / locks));
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY tenant_keys[1:size] LOOP
        PERFORM steward_internal.tenant_schema_make(tenant, template_name, owner, commands, fills);
    END LOOP;
    RETURN nullif(tenant_keys[size + 1:], '{}');
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_batch(text[], regnamespace, integer, text[], "char"[]) IS
'Makes the schemas of the first few tenants, and returns the others, null if there are none.';

-- What commits can have no search_path of its own: so it names nothing but functions.
CREATE PROCEDURE steward.tenant_schema_create(tenant_keys text[], template regnamespace, batch integer DEFAULT 50)
LANGUAGE plpgsql
AS $$
DECLARE
    remaining pg_catalog.text[];
    commands pg_catalog.text[];
    fills pg_catalog."char"[];
BEGIN
    remaining := steward_internal.tenant_schema_begin(tenant_keys, template, batch);
    SELECT s.commands, s.fills INTO commands, fills FROM steward_internal.tenant_schema_script(template) s;
    LOOP
        remaining := steward_internal.tenant_schema_batch(remaining, template, batch, commands, fills);
        EXIT WHEN remaining IS NULL;
        COMMIT;
    END LOOP;
END $$;
COMMENT ON PROCEDURE steward.tenant_schema_create(text[], regnamespace, integer) IS
'Makes the schemas of tenants as copies of a template, registering those that are not; null is for all registered ones that still lack theirs. Commits after each batch; what is there already is left alone.';

--
-- Changing schemas
--

CREATE FUNCTION steward_internal.tenant_migration_begin(migration text, statement text, template regnamespace, on_error text) RETURNS text[]
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
    ELSIF EXISTS (SELECT FROM steward.tenant_migrations m WHERE m.migration = tenant_migration_begin.migration AND m.status = 'ok' AND m.digest <> md5(statement)) THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('migration "%s" was another statement', migration),
            HINT = 'Give it another name.';
    END IF;
    -- the template first: what is wrong in it is wrong everywhere
    RETURN template_name || ARRAY(SELECT t.schema_name FROM steward.tenants t
                                   WHERE t.template = template_name AND t.status = 'active' ORDER BY t.schema_name);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_migration_begin(text, text, regnamespace, text) IS
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

CREATE FUNCTION steward_internal.tenant_migration_execute(statement text, schema_name text, shared name[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regnamespace(quote_ident(schema_name)) IS NULL THEN
        RAISE invalid_schema_name USING MESSAGE = format('schema "%s" does not exist', schema_name);
    END IF;
    PERFORM set_config('search_path', concat_ws(', ', quote_ident(schema_name), replace(steward_internal.name_list(shared), ',', ', '), 'pg_temp'), true);
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
    shared name[] DEFAULT '{public}')
LANGUAGE plpgsql
AS $$
DECLARE
    schemas pg_catalog.text[];
    schema_name pg_catalog.text;
    goes_on pg_catalog.bool;
BEGIN
    schemas := steward_internal.tenant_migration_begin(migration, statement, template, on_error);
    FOREACH schema_name IN ARRAY schemas LOOP
        goes_on := steward_internal.tenant_migration_run(migration, statement, schema_name, shared, on_error);
        COMMIT;
        EXIT WHEN NOT goes_on;
    END LOOP;
    PERFORM steward_internal.tenant_migration_end(migration, on_error);
END $$;
COMMENT ON PROCEDURE steward.tenant_schema_migrate(text, text, regnamespace, text, name[]) IS
'Runs a statement in a template and the schemas of its active tenants, a transaction each, where it has not been run.';

--
-- Comparing schemas
--

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
