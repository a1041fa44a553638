-- updated_at: when a row last changed, and who did it.

CREATE FUNCTION steward.updated_at_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_updated_at_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.updated_at_trigger() IS
'Notes in a column when a row last changed. Arguments: the column, clock=transaction|statement|wall, by=, ignore=, keep=.';

CREATE FUNCTION steward.updated_at_enable(
    relation    regclass,
    column_name name    DEFAULT 'updated_at',
    clock       text    DEFAULT 'transaction',
    by          name    DEFAULT NULL,
    ignore      name[]  DEFAULT '{}',
    keep        name[]  DEFAULT '{}',
    on_insert   boolean DEFAULT false,
    dry_run     boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
    IF num_nulls(relation, column_name, clock, ignore, keep, on_insert) > 0 OR array_position(ignore || keep, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.updated_at_enable() but "by" must not be null';
    END IF;
    PERFORM steward_internal.check_column(relation, column_name, 'timestamptz NOT NULL DEFAULT now()');
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'updated_at_trigger', steward_internal.upkeep_trigger_name(column_name),
        CASE WHEN on_insert THEN 'BEFORE INSERT OR UPDATE' ELSE 'BEFORE UPDATE' END, 'ROW',
        array_remove(ARRAY[quote_ident(column_name),
                           'clock=' || nullif(clock, 'transaction'),
                           'by=' || quote_ident(by),
                           'ignore=' || steward_internal.name_list(ignore),
                           'keep=' || steward_internal.name_list(keep)], NULL),
        column_name)), dry_run);
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.updated_at_enable(regclass, name, text, name, name[], name[], boolean, boolean) IS
'Attaches the updated_at trigger to a table and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.updated_at_disable(relation regclass, column_name name DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_detach(relation, 'updated_at_trigger', column_name)), dry_run);
END;
COMMENT ON FUNCTION steward.updated_at_disable(regclass, name, boolean) IS
'Drops the updated_at triggers of a table, or that of one column; returns the commands it ran, or would run with dry_run. The column stays.';

CREATE FUNCTION steward.updated_at_enable_schema(
    schema      regnamespace,
    column_name name    DEFAULT 'updated_at',
    clock       text    DEFAULT 'transaction',
    dry_run     boolean DEFAULT false)
RETURNS TABLE (relation regclass, result text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    enabled_now constant text := CASE WHEN dry_run THEN 'not enabled yet' ELSE 'enabled now' END;
    t record;
    commands text[];
BEGIN
    IF num_nulls(schema, column_name, clock, dry_run) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.updated_at_enable_schema() must not be null';
    END IF;
    FOR relation IN
        SELECT c.oid::regclass
          FROM pg_class c
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = column_name AND NOT a.attisdropped
         WHERE c.relnamespace = schema AND c.relkind IN ('r', 'p')
           AND NOT EXISTS (SELECT FROM pg_inherits i
                             JOIN pg_attribute p ON p.attrelid = i.inhparent AND p.attname = column_name AND NOT p.attisdropped
                            WHERE i.inhrelid = c.oid)
         ORDER BY c.relname
    LOOP
        BEGIN
            SELECT * INTO t FROM steward_internal.upkeep_existing(relation, 'updated_at_trigger', 'ROW', column_name) LIMIT 1;
            IF t.trigger_name IS NULL THEN
                PERFORM steward.updated_at_enable(relation, column_name, clock, dry_run => dry_run);
                result := enabled_now;
            ELSE
                -- it keeps its options
                commands := ARRAY(SELECT steward_internal.upkeep_attach(relation, 'updated_at_trigger', t.trigger_name,
                    CASE WHEN t.for_insert THEN 'BEFORE INSERT OR UPDATE' ELSE 'BEFORE UPDATE' END, 'ROW', t.arguments, column_name));
                PERFORM steward_internal.run_commands(commands, dry_run);
                result := CASE commands WHEN '{}' THEN 'enabled already' ELSE enabled_now END;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            result := 'not enabled: ' || SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION steward.updated_at_enable_schema(regnamespace, name, text, boolean) IS
'Attaches the updated_at trigger to every table of a schema that has the column and no trigger for it; returns what came of it, or with dry_run would come, table by table.';
