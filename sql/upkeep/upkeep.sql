-- upkeep: what the modules that keep columns right have in common.

CREATE FUNCTION steward.upkeep_pause() RETURNS void
AS 'MODULE_PATHNAME', 'steward_upkeep_pause' LANGUAGE C;
COMMENT ON FUNCTION steward.upkeep_pause() IS
'Has the updated_at, row_version and immutable triggers of tables that the current role owns leave rows as they are given, until the transaction ends.';

CREATE FUNCTION steward_internal.trigger_arguments(arguments bytea) RETURNS text[]
AS 'MODULE_PATHNAME', 'steward_trigger_arguments' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.trigger_arguments(bytea) IS
'Returns the arguments of a trigger, from pg_trigger.tgargs.';

CREATE FUNCTION steward_internal.trigger_column(relation regclass, arguments bytea) RETURNS name
AS 'MODULE_PATHNAME', 'steward_trigger_column' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.trigger_column(regclass, bytea) IS
'Returns the column that a trigger''s first bare argument names, from pg_trigger.tgargs.';

CREATE FUNCTION steward_internal.upkeep_check(relation regclass) RETURNS void
AS 'MODULE_PATHNAME', 'steward_upkeep_check' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.upkeep_check(regclass) IS
'Raises the error that an upkeep trigger of a table would raise when it fires.';

CREATE FUNCTION steward_internal.upkeep_fault(relation regclass, trigger_name name) RETURNS text
AS 'MODULE_PATHNAME', 'steward_upkeep_fault' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.upkeep_fault(regclass, name) IS
'Returns the message of the error that an upkeep trigger would raise whenever it fires; null if it works, or if somebody has locked the table.';

CREATE VIEW steward_internal.upkeep_triggers AS
SELECT t.tgrelid::regclass AS relation, t.tgname AS trigger_name, p.proname AS function_name,
       steward_internal.trigger_arguments(t.tgargs) AS arguments, steward_internal.trigger_column(t.tgrelid, t.tgargs) AS column_name,
       (t.tgtype & 1) = 1 AS for_each_row, (t.tgtype & 4) = 4 AS for_insert,
       t.tgparentid <> 0 AS is_clone, t.tgenabled AS enabled, pg_get_triggerdef(t.oid) AS definition
  FROM pg_trigger t
  JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE p.pronamespace = 'steward'::regnamespace
   AND p.proname IN ('updated_at_trigger', 'row_version_trigger', 'immutable_trigger', 'append_only_trigger', 'search_vector_trigger', 'search_related_trigger',
                     'soft_delete_trigger', 'soft_delete_cascade_trigger', 'tenant_parent_trigger', 'tenant_fill_trigger');
COMMENT ON VIEW steward_internal.upkeep_triggers IS
'The triggers of this database that keep columns right.';
GRANT SELECT ON steward_internal.upkeep_triggers TO PUBLIC;

-- Stamps and vectors that stay as they are can be made up for; what a trigger was to refuse or to keep cannot. The arguments
-- of a clone are those of the partitioned table's trigger, where it is told of.
CREATE FUNCTION steward_internal.upkeep_problems(of_relation regclass DEFAULT NULL,
    OUT relation regclass, OUT trigger_name name, OUT severity text, OUT fails boolean, OUT problem text, OUT remedy text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1ms'
BEGIN ATOMIC
    SELECT u.relation, u.trigger_name,
           CASE WHEN f.fault IS NOT NULL AND u.enabled <> 'D' OR u.function_name NOT IN ('updated_at_trigger', 'search_vector_trigger', 'search_related_trigger') THEN 'CRITICAL' ELSE 'WARNING' END,
           f.fault IS NOT NULL,
           CASE WHEN f.fault IS NOT NULL THEN 'fails whenever it fires: ' || f.fault WHEN u.enabled = 'D' THEN 'disabled' ELSE 'fires in replicas only' END,
           CASE WHEN f.fault IS NULL THEN format('ALTER TABLE %s ENABLE TRIGGER %I;', u.relation, u.trigger_name)
                WHEN u.function_name = 'append_only_trigger' THEN format('SELECT steward.append_only_enable(%L);', u.relation)
                ELSE format('DROP TRIGGER %I ON %s;', u.trigger_name, u.relation) END
      FROM steward_internal.upkeep_triggers u
     CROSS JOIN LATERAL (SELECT CASE WHEN NOT u.is_clone THEN steward_internal.upkeep_fault(u.relation, u.trigger_name) END) f(fault)
     WHERE (of_relation IS NULL OR u.relation = of_relation)
       AND (f.fault IS NOT NULL OR u.enabled IN ('D', 'R'))
     UNION ALL
    SELECT u.relation, u.trigger_name, 'WARNING', false, 'related tables lack triggers that keep its vectors right', string_agg(c.command || ';', ' ')
      FROM steward_internal.upkeep_triggers u
     CROSS JOIN LATERAL steward_internal.search_related_commands(u.relation, u.column_name, u.arguments) c(command)
     WHERE (of_relation IS NULL OR u.relation = of_relation)
       AND u.function_name = 'search_vector_trigger' AND NOT u.is_clone AND array_to_string(u.arguments, ' ') LIKE '% by %'
     GROUP BY u.relation, u.trigger_name;
END;
COMMENT ON FUNCTION steward_internal.upkeep_problems(regclass) IS
'Returns the triggers, of a table or of all, that fail whenever they fire, or do not fire, with the command that lets writes through or has them fire.';

CREATE FUNCTION steward_internal.upkeep_warn() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables oid[];
    p record;
BEGIN
    IF TG_EVENT = 'ddl_command_end' THEN
        -- most tables have nothing of ours, and a restore alters many
        tables := ARRAY(SELECT DISTINCT c.objid
                          FROM pg_event_trigger_ddl_commands() c
                          JOIN pg_class r ON r.oid = c.objid
                         WHERE c.classid = 'pg_class'::regclass
                           AND (r.relhassubclass
                                OR EXISTS (SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
                                            WHERE t.tgrelid = c.objid AND f.pronamespace = 'steward'::regnamespace)));
    ELSIF TG_TAG NOT IN ('ALTER FOREIGN TABLE', 'ALTER TABLE', 'ALTER VIEW') THEN
        tables := ARRAY(SELECT DISTINCT o.objid FROM pg_event_trigger_dropped_objects() o WHERE o.object_type = 'table column');
    END IF;
    IF tables <> '{}' IS NOT TRUE THEN
        RETURN;
    END IF;
    FOR p IN
        SELECT DISTINCT q.*
          FROM unnest(tables) t
         CROSS JOIN LATERAL steward_internal.table_members(t) m
         CROSS JOIN LATERAL steward_internal.upkeep_problems(m.member) q
         WHERE q.fails
         ORDER BY q.relation, q.trigger_name
    LOOP
        RAISE WARNING USING MESSAGE = format('trigger "%s" of table %s %s', p.trigger_name, p.relation, p.problem), HINT = p.remedy;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.upkeep_warn() FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.upkeep_warn() IS
'Warns about upkeep triggers that fail after a command has changed or dropped a column of their table, with the command that lets writes through.';

CREATE EVENT TRIGGER steward_upkeep_warn ON ddl_command_end
    WHEN TAG IN ('ALTER FOREIGN TABLE', 'ALTER TABLE', 'ALTER VIEW')
    EXECUTE FUNCTION steward_internal.upkeep_warn();
ALTER EVENT TRIGGER steward_upkeep_warn ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_upkeep_warn IS
'The warning about upkeep triggers that fail after ALTER TABLE.';

-- CASCADE takes columns along with what they are made of
CREATE EVENT TRIGGER steward_upkeep_warn_drop ON sql_drop
    EXECUTE FUNCTION steward_internal.upkeep_warn();
ALTER EVENT TRIGGER steward_upkeep_warn_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER steward_upkeep_warn_drop IS
'The warning about upkeep triggers that fail after DROP CASCADE.';

CREATE FUNCTION steward_internal.upkeep_trigger_name(subject text) RETURNS name
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN steward_internal.object_name('steward_', subject);
COMMENT ON FUNCTION steward_internal.upkeep_trigger_name(text) IS
'Returns the name that the enable functions give a trigger: steward_ and the column.';

-- Two triggers are for the same purpose if they have the function, the level and, where one is given, the column in
-- common.
CREATE FUNCTION steward_internal.upkeep_existing(relation regclass, function_name name, level text, column_name name)
RETURNS SETOF steward_internal.upkeep_triggers
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT t.*
      FROM steward_internal.upkeep_triggers t
     WHERE t.relation = upkeep_existing.relation
       AND t.function_name = upkeep_existing.function_name
       AND (level IS NULL OR t.for_each_row = (level = 'ROW'))
       AND (upkeep_existing.column_name IS NULL OR t.column_name = upkeep_existing.column_name);
END;
COMMENT ON FUNCTION steward_internal.upkeep_existing(regclass, name, text, name) IS
'Returns the triggers of a table that are there for the same purpose.';

CREATE FUNCTION steward_internal.upkeep_attach(relation regclass, function_name name, trigger_name name, timing text, level text,
    arguments text[], column_name name DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    call constant text := format('steward.%I(%s)', function_name,
        -- as pg_get_triggerdef() quotes them
        (SELECT string_agg('''' || replace(a.argument, '''', '''''') || '''', ', ' ORDER BY a.place)
           FROM unnest(arguments) WITH ORDINALITY a(argument, place)));
    template constant text := 'CREATE TRIGGER %I ' || timing || ' ON %s FOR EACH ' || level
        || replace(' EXECUTE FUNCTION ' || call, '%', '%%');
    later text[] := '{}';
    member record;
    is_cloned boolean;
    t record;
    found_right boolean;
BEGIN
    FOR member IN SELECT * FROM steward_internal.table_members(relation) LOOP
        -- up to 15 foreign tables have no triggers on TRUNCATE
        CONTINUE WHEN level = 'STATEMENT' AND current_setting('server_version_num')::integer < 160000
            AND EXISTS (SELECT FROM pg_class c WHERE c.oid = member.member AND c.relkind = 'f');
        -- partitions get clones of their parent's row triggers
        is_cloned := member.is_partition AND member.member <> relation AND level = 'ROW';
        found_right := false;
        FOR t IN SELECT * FROM steward_internal.upkeep_existing(member.member, function_name, level, column_name) e ORDER BY e.trigger_name
        LOOP
            IF is_cloned AND t.is_clone
               OR NOT is_cloned AND NOT found_right AND t.definition = format(template, t.trigger_name, member.qualified_name) THEN
                found_right := true;
                IF t.enabled IN ('D', 'R') THEN
                    later := later || format('ALTER TABLE ONLY %s ENABLE TRIGGER %I', member.qualified_name, t.trigger_name);
                END IF;
            ELSIF t.is_clone THEN
                RAISE object_not_in_prerequisite_state USING
                    MESSAGE = format('partition %s has trigger "%s" from its partitioned table', relation, t.trigger_name),
                    HINT = format('Change it there: %s.', (SELECT i.inhparent::regclass FROM pg_inherits i WHERE i.inhrelid = relation));
            ELSE
                RETURN NEXT format('DROP TRIGGER %I ON %s', t.trigger_name, member.qualified_name);
            END IF;
        END LOOP;
        IF NOT found_right AND NOT is_cloned THEN
            later := later || format(template, trigger_name, member.qualified_name);
        END IF;
    END LOOP;
    RETURN QUERY SELECT unnest(later);
END $$;
COMMENT ON FUNCTION steward_internal.upkeep_attach(regclass, name, name, text, text, text[], name) IS
'Returns the commands that attach a trigger to a table and its inheritance children, and drop others there for the same purpose; for triggers that fire per statement also to partitions. Empty if all is as it should be.';

CREATE FUNCTION steward_internal.upkeep_detach(relation regclass, function_name name, column_name name DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM steward_internal.check_owners(relation);
    RETURN QUERY
        SELECT format('DROP TRIGGER %I ON %s', t.trigger_name, m.qualified_name)
          FROM steward_internal.table_members(relation) m
         CROSS JOIN LATERAL steward_internal.upkeep_existing(m.member, function_name, NULL, column_name) t
         WHERE NOT t.is_clone OR m.member = upkeep_detach.relation
         ORDER BY m.depth, m.qualified_name COLLATE "C", t.trigger_name;
END $$;
COMMENT ON FUNCTION steward_internal.upkeep_detach(regclass, name, name) IS
'Returns the commands that drop the triggers with a function from a table, its partitions and its inheritance children.';
