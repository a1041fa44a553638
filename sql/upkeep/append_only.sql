-- append_only: tables whose rows stay as they were written.

CREATE FUNCTION steward.append_only_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_append_only_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.append_only_trigger() IS
'Refuses UPDATE, DELETE and TRUNCATE. Argument: allow= (roles that may).';

CREATE FUNCTION steward.append_only_enable(relation regclass, allow name[] DEFAULT '{}', dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off
AS $$
DECLARE
    arguments constant text[] := array_remove(ARRAY['allow=' || steward_internal.name_list(allow)], NULL);
BEGIN
    PERFORM steward_internal.check_owners(relation), steward_internal.check_roles(allow);
    RETURN QUERY SELECT * FROM steward_internal.run_commands(
        ARRAY(SELECT steward_internal.upkeep_attach(relation, 'append_only_trigger', 'steward_append_only',
                                           'BEFORE DELETE OR UPDATE', 'ROW', arguments))
     || ARRAY(SELECT steward_internal.upkeep_attach(relation, 'append_only_trigger', 'steward_append_only_truncate',
                                           'BEFORE TRUNCATE', 'STATEMENT', arguments)), dry_run);
END $$;
COMMENT ON FUNCTION steward.append_only_enable(regclass, name[], boolean) IS
'Lets nobody but the named roles change or remove rows of a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run.';

CREATE FUNCTION steward.append_only_disable(relation regclass, dry_run boolean DEFAULT false) RETURNS SETOF text
LANGUAGE sql SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.run_commands(ARRAY(SELECT steward_internal.upkeep_detach(relation, 'append_only_trigger')), dry_run);
END;
COMMENT ON FUNCTION steward.append_only_disable(regclass, boolean) IS
'Drops the append_only triggers of a table, its partitions and its inheritance children; returns the commands it ran, or would run with dry_run.';
