-- search: words of related tables.

CREATE FUNCTION steward.search_related_trigger() RETURNS trigger
AS 'MODULE_PATHNAME', 'steward_search_related_trigger' LANGUAGE C;
COMMENT ON FUNCTION steward.search_related_trigger() IS
'Keeps the search vectors of rows that the rows of a table refer to. search_enable() attaches it to tables that are sources.';

CREATE FUNCTION steward_internal.search_related_table(relation regclass, argument text) RETURNS regclass
AS 'MODULE_PATHNAME', 'steward_search_related_table' LANGUAGE C STABLE STRICT;
COMMENT ON FUNCTION steward_internal.search_related_table(regclass, text) IS
'Returns the other table that an argument of a search_vector trigger names; null if it names none, or one that is not there.';

-- The first trigger notes what the second, which is deferred, does at the end: so its name must come first. TRUNCATE fires
-- no trigger of the table above a partition.
CREATE FUNCTION steward_internal.search_related_commands(relation regclass, vector_column name, arguments text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    trigger_function constant regprocedure := 'steward.search_related_trigger()';
    wanted constant oid[] := ARRAY(
        SELECT DISTINCT r.related::oid
          FROM (SELECT unnest(arguments)
                 UNION ALL
                SELECT unnest(t.arguments)
                  FROM steward_internal.upkeep_existing(relation, 'search_vector_trigger', 'ROW', NULL) t
                 WHERE t.column_name <> vector_column) a(argument)
         CROSS JOIN LATERAL steward_internal.search_related_table(relation, a.argument) r(related)
         WHERE r.related IS NOT NULL);
    subject constant text := (SELECT c.relname FROM pg_class c WHERE c.oid = relation);
    related oid;
    t record;
BEGIN
    FOR t IN SELECT g.tgrelid, g.tgrelid::regclass AS related, g.tgname, g.tgenabled, g.tgrelid = ANY (wanted) AS stays
               FROM pg_trigger g
              WHERE g.tgfoid = trigger_function AND g.tgconstrrelid = relation AND g.tgparentid = 0
              ORDER BY g.tgrelid, g.tgname
    LOOP
        IF NOT t.stays THEN
            RETURN NEXT format('DROP TRIGGER %I ON %s', t.tgname, t.related);
        ELSIF t.tgenabled IN ('D', 'R') THEN
            RETURN NEXT format('ALTER TABLE %s ENABLE TRIGGER %I', t.related, t.tgname);
        END IF;
    END LOOP;
    RETURN QUERY
        SELECT format('DROP TRIGGER %I ON %s', g.tgname, m.member)
          FROM (SELECT DISTINCT d.tgrelid FROM pg_trigger d WHERE d.tgfoid = trigger_function AND d.tgconstrrelid = relation AND d.tgparentid = 0) d
         CROSS JOIN LATERAL steward_internal.table_members(d.tgrelid) m
          JOIN pg_trigger g ON g.tgrelid = m.member AND g.tgfoid = trigger_function AND g.tgconstrrelid = 0
         WHERE d.tgrelid <> ALL (wanted)
           AND NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = d.tgrelid AND o.tgfoid = trigger_function AND o.tgconstrrelid NOT IN (0, relation))
         ORDER BY m.depth, m.qualified_name COLLATE "C";
    FOREACH related IN ARRAY wanted LOOP
        RETURN QUERY
            SELECT format('CREATE CONSTRAINT TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FROM %s %s FOR EACH ROW EXECUTE FUNCTION steward.search_related_trigger()',
                          steward_internal.object_name(k.prefix, subject), related::regclass, relation, k.timing)
              FROM (VALUES ('steward_note_', false, 'NOT DEFERRABLE'), ('steward_refresh_', true, 'DEFERRABLE INITIALLY DEFERRED')) k(prefix, is_deferred, timing)
             WHERE NOT EXISTS (SELECT FROM pg_trigger g
                                WHERE g.tgrelid = related AND g.tgfoid = trigger_function AND g.tgconstrrelid = relation AND g.tgdeferrable = k.is_deferred)
             ORDER BY k.prefix;
        RETURN QUERY
            SELECT format('CREATE TRIGGER steward_truncated AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION steward.search_related_trigger()', m.member)
              FROM steward_internal.table_members(related) m
              JOIN pg_class c ON c.oid = m.member
             WHERE (m.is_partition OR m.member = related)
               AND (c.relkind <> 'f' OR current_setting('server_version_num')::integer >= 160000)
               AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = m.member AND g.tgfoid = trigger_function AND g.tgconstrrelid = 0)
             ORDER BY m.depth, m.qualified_name COLLATE "C";
    END LOOP;
END $$;
COMMENT ON FUNCTION steward_internal.search_related_commands(regclass, name, text[]) IS
'Returns the commands that give related tables the triggers that keep a table''s vectors with these arguments right, and take others away.';
