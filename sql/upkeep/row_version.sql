-- row_version: how often a row changed, so that no session overwrites a change that it has not read.

CREATE FUNCTION steward.row_version_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_row_version_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.row_version_trigger() IS
'Counts the changes of a row in a column, and refuses an UPDATE that carries another version than the row has. Argument: the column.';

CREATE FUNCTION steward.row_version_enable(relation regclass, column_name name DEFAULT 'version', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
    PERFORM steward_internal.check_column(relation, column_name, 'bigint NOT NULL DEFAULT 1');
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'row_version_trigger', steward_internal.upkeep_trigger_name(column_name), 'BEFORE UPDATE', 'ROW',
        ARRAY[quote_ident(column_name)], column_name)), dry_run);
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.row_version_enable(regclass, name, boolean) IS
'Attaches the row_version trigger to a table and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.row_version_disable(relation regclass, column_name name DEFAULT NULL, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_detach(relation, 'row_version_trigger', column_name)), dry_run);
END;
COMMENT ON FUNCTION steward.row_version_disable(regclass, name, boolean) IS
'Drops the row_version triggers of a table, or that of one column; returns the commands it ran, or would run with dry_run. The column stays.';
