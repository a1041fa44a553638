-- soft_delete: enabling and disabling it.

CREATE FUNCTION steward_internal.soft_delete_option(relation regclass, column_name name, option text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT substr(a.argument, length(option) + 2)
      FROM steward_internal.upkeep_existing(relation, 'soft_delete_trigger', 'ROW', column_name) t, unnest(t.arguments) a(argument)
     WHERE starts_with(a.argument, option || '=')
     ORDER BY t.trigger_name LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.soft_delete_option(regclass, name, text) IS
'Returns the value of an option of a table''s soft_delete trigger, as it was given.';

CREATE FUNCTION steward_internal.soft_delete_plan(relation regclass, column_name name, allow name[], clock text, keep_unique name[], view boolean)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    timing constant text := CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = relation AND (c.relkind = 'p' OR c.relispartition))
                                 THEN 'BEFORE DELETE OR UPDATE' ELSE 'BEFORE DELETE' END;
    allowed constant text := CASE WHEN allow IS NULL THEN steward_internal.soft_delete_option(relation, column_name, 'allow')
                                  ELSE steward_internal.name_list(allow) END;
    kept constant text := CASE WHEN keep_unique IS NULL THEN steward_internal.soft_delete_option(relation, column_name, 'keep_unique')
                               ELSE steward_internal.name_list(keep_unique) END;
    has_view constant boolean := coalesce(view, steward_internal.soft_delete_option(relation, column_name, 'view')::boolean, true);
BEGIN
    clock := coalesce(clock, steward_internal.soft_delete_option(relation, column_name, 'clock'), 'transaction');
    RETURN QUERY
        SELECT format('ALTER TABLE %s ADD COLUMN %I timestamptz', m.qualified_name, column_name)
          FROM steward_internal.table_members(relation) m
         WHERE m.member = relation
           AND NOT EXISTS (SELECT FROM pg_attribute a
                            WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped);
    RETURN QUERY SELECT steward_internal.soft_delete_narrow(relation, column_name, kept);
    RETURN QUERY SELECT steward_internal.upkeep_attach(
        relation, 'soft_delete_trigger', steward_internal.upkeep_trigger_name(column_name), timing, 'ROW',
        array_remove(ARRAY[quote_ident(column_name), 'clock=' || nullif(clock, 'transaction'), 'allow=' || allowed, 'keep_unique=' || kept,
                           CASE WHEN NOT has_view THEN 'view=false' END], NULL));
    RETURN QUERY SELECT steward_internal.upkeep_attach(
        relation, 'soft_delete_cascade_trigger', 'steward_soft_delete_cascade', 'AFTER UPDATE', 'ROW', ARRAY[quote_ident(column_name)]);
    IF has_view THEN
        RETURN QUERY SELECT steward_internal.soft_delete_view(relation, column_name);
    ELSE
        RETURN QUERY SELECT format('DROP VIEW %s', v.qualified_name) FROM steward_internal.soft_delete_find_view(relation) v;
    END IF;
    RETURN QUERY SELECT steward_internal.soft_delete_keys(relation);
END $$;
COMMENT ON FUNCTION steward_internal.soft_delete_plan(regclass, name, name[], text, name[], boolean) IS
'Returns the commands that have DELETE stamp the rows of a table; null stands for what an option is now.';

CREATE FUNCTION steward.soft_delete_enable(
    relation    regclass,
    column_name name    DEFAULT 'deleted_at',
    allow       name[]  DEFAULT NULL,
    dry_run     boolean DEFAULT false,
    clock       text    DEFAULT NULL,
    keep_unique name[]  DEFAULT NULL,
    view        boolean DEFAULT NULL)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    commands text[];
BEGIN
    IF num_nulls(column_name, dry_run) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'name of the column and dry_run must not be null';
    END IF;
    PERFORM steward_internal.soft_delete_check(relation, column_name);
    PERFORM steward_internal.check_roles(coalesce(allow, '{}'));
    PERFORM steward_internal.soft_delete_check_unique(relation, keep_unique);
    commands := ARRAY(SELECT steward_internal.soft_delete_plan(relation, column_name, allow, clock, keep_unique, view));
    -- comments alone are no plan
    IF EXISTS (SELECT FROM unnest(commands) c WHERE c NOT LIKE '-- %') THEN
        RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
    END IF;
    IF NOT dry_run THEN
        PERFORM steward_internal.upkeep_check(relation);
    END IF;
END $$;
COMMENT ON FUNCTION steward.soft_delete_enable(regclass, name, name[], boolean, text, name[], boolean) IS
'Has DELETE stamp the rows of a table, unique constraints hold for live rows only, and a view active_… show those; returns the commands it ran, or would run with dry_run. Null leaves an option as it is.';

CREATE FUNCTION steward.soft_delete_disable(
    relation    regclass,
    dry_run     boolean DEFAULT false,
    purge       boolean DEFAULT false,
    drop_column boolean DEFAULT false)
RETURNS SETOF text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    commands text[];
    column_name name;
    detail text;
BEGIN
    IF num_nulls(dry_run, purge, drop_column) > 0 THEN
        RAISE null_value_not_allowed USING MESSAGE = 'arguments of steward.soft_delete_disable() must not be null';
    END IF;
    PERFORM steward_internal.check_owners(relation);
    commands := ARRAY(SELECT format('DROP VIEW %s', v.qualified_name) FROM steward_internal.soft_delete_find_view(relation) v)
             || ARRAY(SELECT steward_internal.upkeep_detach(relation, 'soft_delete_cascade_trigger'))
             || ARRAY(SELECT steward_internal.upkeep_detach(relation, 'soft_delete_trigger'));
    FOR column_name IN
        SELECT DISTINCT t.column_name FROM steward_internal.upkeep_existing(relation, 'soft_delete_trigger', 'ROW', NULL) t ORDER BY 1
    LOOP
        IF purge THEN
            commands := commands || format('DELETE FROM %s WHERE %I IS NOT NULL', relation, column_name);
        END IF;
        commands := commands || ARRAY(SELECT unnest(u.widen) FROM steward_internal.soft_delete_unique(relation, column_name) u WHERE u.is_narrow);
        IF drop_column THEN
            commands := commands || format('ALTER TABLE %s DROP COLUMN %I', relation, column_name);
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM steward_internal.run_commands(commands, dry_run);
EXCEPTION WHEN unique_violation OR exclusion_violation THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RAISE unique_violation USING
        MESSAGE = format('unique constraints of table %s do not hold for the rows that were deleted: %s', relation, sqlerrm),
        DETAIL = detail,
        HINT = format('SELECT steward.soft_delete_disable(%L, purge => true);', relation);
END $$;
COMMENT ON FUNCTION steward.soft_delete_disable(regclass, boolean, boolean, boolean) IS
'Undoes what soft_delete_enable() did to a table; returns the commands it ran, or would run with dry_run. Stamped rows stay unless purge is given, the column unless drop_column is.';
