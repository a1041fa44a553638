-- immutable: columns that stay as they were inserted.

CREATE FUNCTION steward.immutable_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_immutable_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.immutable_trigger() IS
'Refuses an UPDATE that changes one of some columns. Arguments: the columns.';

CREATE FUNCTION steward.immutable_enable(relation regclass, columns name[], dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    column_name name;
BEGIN
    PERFORM steward_internal.check_owners(relation);
    IF columns IS NULL OR array_position(columns, NULL) IS NOT NULL THEN
        RAISE null_value_not_allowed USING MESSAGE = 'columns must not be null';
    ELSIF columns = '{}' THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'no column is named',
            HINT = format('SELECT steward.immutable_disable(%L);', relation);
    END IF;
    FOREACH column_name IN ARRAY columns LOOP
        IF NOT EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped) THEN
            RAISE undefined_column USING MESSAGE = format('column "%s" of table %s does not exist', column_name, relation);
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'immutable_trigger', 'steward_immutable', 'BEFORE UPDATE', 'ROW',
        ARRAY(SELECT quote_ident(c.name) FROM unnest(columns) WITH ORDINALITY c(name, place) ORDER BY c.place))), dry_run);
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.immutable_enable(regclass, name[], boolean) IS
'Has an UPDATE fail that changes one of the columns, in a table and its inheritance children, and no others; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.immutable_disable(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_detach(relation, 'immutable_trigger')), dry_run);
END;
COMMENT ON FUNCTION steward.immutable_disable(regclass, boolean) IS
'Drops the immutable triggers of a table and its inheritance children; returns the commands it ran, or would run with dry_run.';
