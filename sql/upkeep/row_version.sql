-- row_version: how often a row changed, so that no session overwrites a change that it has not read.

CREATE FUNCTION steward.row_version_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_row_version_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.row_version_trigger() IS
'Counts the changes of a row in a column, and refuses an UPDATE that carries another version than the row has. Argument: the column.';

CREATE FUNCTION steward.row_version_enable(relation regclass, column_name name DEFAULT 'version') RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
BEGIN
    PERFORM steward_internal.check_column(relation, column_name, 'bigint NOT NULL DEFAULT 1');
    RETURN QUERY SELECT * FROM steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_attach(
        relation, 'row_version_trigger', steward_internal.upkeep_trigger_name(column_name), 'BEFORE UPDATE', 'ROW',
        ARRAY[quote_ident(column_name)], column_name)));
    PERFORM steward_internal.upkeep_check(relation);
END $$;
COMMENT ON FUNCTION steward.row_version_enable(regclass, name) IS
'Attaches the row_version trigger to a table and its inheritance children; returns the commands it ran.';

CREATE FUNCTION steward.row_version_disable(relation regclass, column_name name DEFAULT NULL) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_detach(relation, 'row_version_trigger', column_name)));
END;
COMMENT ON FUNCTION steward.row_version_disable(regclass, name) IS
'Drops the row_version triggers of a table, or that of one column; returns the commands it ran. The column stays.';
