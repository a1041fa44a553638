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

CREATE FUNCTION steward_internal.tenant_schema_lacks(r steward.tenants, template_name text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF r.status = 'erased' THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('tenant "%s" has been erased', r.key);
    ELSIF r.isolation <> 'schema' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('tenant "%s" is to have no schema', r.key),
            DETAIL = 'A column tells which rows are of the tenant.';
    ELSIF r.template <> template_name THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the schema of tenant "%s" is a copy of another template, %I', r.key, r.template);
    ELSIF to_regnamespace(quote_ident(r.schema_name)) IS NULL THEN
        RETURN true;
    ELSIF r.template IS NULL THEN
        RAISE duplicate_schema USING
            MESSAGE = format('schema "%s" exists already and is not that of tenant "%s"', r.schema_name, r.key),
            HINT = format('UPDATE steward.tenants SET schema_name = ... WHERE key = %L;', r.key);
    END IF;
    RETURN false;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_lacks(steward.tenants, text) IS
'Returns whether a tenant has no schema yet; raises 55000 or 42P06 if it may not have a copy of the template.';

CREATE FUNCTION steward_internal.tenant_schema_filled(schema_name text, commands text[], fills "char"[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT CASE c.fill WHEN 's' THEN format(c.command, schema_name) ELSE c.command END
               FROM unnest(commands, fills) WITH ORDINALITY c (command, fill, place) ORDER BY c.place);
COMMENT ON FUNCTION steward_internal.tenant_schema_filled(text, text[], "char"[]) IS
'Returns the commands that fill a schema of that name.';

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
    IF NOT steward_internal.tenant_schema_lacks(r, template_name) THEN
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
    PERFORM steward_internal.tenant_schema_fill(r.schema_name, steward_internal.tenant_schema_filled(r.schema_name, commands, fills));
    PERFORM set_config('role', caller, true);
    RETURN true;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_make(text, text, name, text[], "char"[]) IS
'Makes the schema of a tenant, unless it is there.';

CREATE FUNCTION steward_internal.tenant_schema_tell(tenant_keys text[], template regnamespace, commands text[], fills "char"[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema record;
    tenant text;
    r steward.tenants;
    command text;
BEGIN
    SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner INTO schema FROM pg_namespace n WHERE n.oid = template;
    FOREACH tenant IN ARRAY tenant_keys LOOP
        SELECT * INTO r FROM steward.tenants t WHERE t.key = tenant;
        IF NOT FOUND THEN
            r.key := tenant;
            r.status := 'active';
            r.isolation := 'schema';
            r.schema_name := steward_internal.object_name('tenant_', tenant);
        END IF;
        CONTINUE WHEN NOT steward_internal.tenant_schema_lacks(r, schema.name);
        FOREACH command IN ARRAY CASE WHEN schema.owner <> current_user THEN ARRAY[format('SET LOCAL ROLE %I', schema.owner)] END
            || ARRAY[format('CREATE SCHEMA %I', r.schema_name), format('SET LOCAL search_path = %I, pg_temp', r.schema_name)]
            || steward_internal.tenant_schema_filled(r.schema_name, commands, fills)
        LOOP
            RAISE NOTICE '%;', command;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_tell(text[], regnamespace, text[], "char"[]) IS
'Says with which commands the schemas of tenants would be made.';

CREATE FUNCTION steward_internal.tenant_schema_begin(tenant_keys text[], template regnamespace, batch integer, dry_run boolean) RETURNS text[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF array_position(tenant_keys, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'list of tenants must not contain null';
    ELSIF NOT EXISTS (SELECT FROM pg_namespace n WHERE n.oid = template) THEN
        RAISE invalid_schema_name USING MESSAGE = 'template does not exist';
    ELSIF batch IS NULL OR batch < 1 THEN
        RAISE invalid_parameter_value USING MESSAGE = 'batch must be at least 1';
    ELSIF dry_run IS NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'dry_run must not be null';
    END IF;
    -- in one order, so that two calls cannot wait for each other
    RETURN ARRAY(SELECT DISTINCT steward_internal.tenant_canonical(k) COLLATE "C" FROM unnest(tenant_keys) k
                  UNION SELECT t.key FROM steward.tenants t
                         WHERE tenant_keys IS NULL AND t.isolation = 'schema' AND t.template IS NULL AND t.status = 'active'
                  ORDER BY 1);
END $$;
COMMENT ON FUNCTION steward_internal.tenant_schema_begin(text[], regnamespace, integer, boolean) IS
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
CREATE PROCEDURE steward.tenant_schema_create(tenant_keys text[], template regnamespace, batch integer DEFAULT 50, dry_run boolean DEFAULT false)
LANGUAGE plpgsql
AS $$
DECLARE
    remaining pg_catalog.text[];
    commands pg_catalog.text[];
    fills pg_catalog."char"[];
BEGIN
    remaining := steward_internal.tenant_schema_begin(tenant_keys, template, batch, dry_run);
    SELECT s.commands, s.fills INTO commands, fills FROM steward_internal.tenant_schema_script(template) s;
    IF dry_run THEN
        PERFORM steward_internal.tenant_schema_tell(remaining, template, commands, fills);
        RETURN;
    END IF;
    LOOP
        remaining := steward_internal.tenant_schema_batch(remaining, template, batch, commands, fills);
        EXIT WHEN remaining IS NULL;
        COMMIT;
    END LOOP;
END $$;
COMMENT ON PROCEDURE steward.tenant_schema_create(text[], regnamespace, integer, boolean) IS
'Makes the schemas of tenants as copies of a template, registering those that are not; null is for all registered ones that still lack theirs. Commits after each batch; what is there already is left alone. With dry_run it only says which commands it would run.';
