-- audit_coverage: what is not audited, or not as it should be.

CREATE FUNCTION steward_internal.audit_key_command(relation regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('ALTER TABLE %I.%I REPLICA IDENTITY USING INDEX %I;', n.nspname, c.relname, x.relname)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_index i ON i.indrelid = c.oid
      JOIN pg_class x ON x.oid = i.indexrelid
     WHERE c.oid = relation AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indexprs IS NULL AND i.indpred IS NULL
       AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
     ORDER BY i.indnkeyatts, x.relname COLLATE "C"
     LIMIT 1;
END;
COMMENT ON FUNCTION steward_internal.audit_key_command(regclass) IS
'Returns the command that has a unique index of a table without a primary key tell its rows apart in the audit log; null if there is none.';

CREATE VIEW steward.audit_coverage AS
WITH tables AS (
    SELECT c.oid, n.nspname AS table_schema, c.relname AS table_name, c.relkind, c.relispartition,
           format('%I.%I', n.nspname, c.relname) AS qualified_name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
), row_triggers AS (
    SELECT t.relation_id, bool_or(t.every_change) AS every_change, string_agg(quote_ident(t.trigger_name), ', ') AS names,
           string_agg(t.arguments, '') AS arguments, bool_and(t.is_clone) AS are_clones
      FROM steward_internal.audit_triggers t
     WHERE t.kind = 'row'
     GROUP BY t.relation_id
), wrong_triggers AS (
    SELECT t.relation_id, string_agg(quote_ident(t.trigger_name), ', ') AS names, string_agg(t.arguments, '') AS arguments
      FROM steward_internal.audit_triggers t
     WHERE t.kind = 'wrong'
     GROUP BY t.relation_id
)
SELECT t.table_schema, t.table_name, f.finding, f.detail, f.remedy
  FROM tables t
  LEFT JOIN row_triggers r ON r.relation_id = t.oid
  LEFT JOIN wrong_triggers w ON w.relation_id = t.oid
  -- what the options name and the table lacks, and the other way round
 CROSS JOIN LATERAL (SELECT steward_internal.audit_named_columns(r.arguments)) AS o(named)
 CROSS JOIN LATERAL (
       SELECT steward_internal.audit_unknown_columns(t.oid, r.arguments) AS unknown,
              ARRAY(SELECT a.attname::text
                      FROM pg_attribute a
                     -- most tables are not audited
                     WHERE r.relation_id IS NOT NULL AND a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
                       AND a.attname <> ALL (o.named)
                       AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
                     ORDER BY a.attnum) AS unnamed) AS c
 CROSS JOIN LATERAL (VALUES
       (t.relkind = 'f',
        'foreign table', 'Its rows change on another server.', NULL),
       (t.relkind <> 'f' AND r.relation_id IS NULL AND w.relation_id IS NULL,
        'not audited', 'The table has no audit trigger.',
        format('SELECT steward.audit_enable(%L);', t.qualified_name)),
       (w.relation_id IS NOT NULL,
        'trigger cannot work', format('Trigger %s is not AFTER ROW, nor AFTER TRUNCATE: it fails when it fires.', w.names),
        CASE WHEN w.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, coalesce(r.arguments, w.arguments)) END),
       (r.every_change IS FALSE,
        'not every change', format('Trigger %s leaves out some operation, column or row.', r.names),
        CASE WHEN NOT r.every_change THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments) END),
       (r.relation_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM steward_internal.audit_triggers s WHERE s.relation_id = t.oid AND s.kind = 'truncate'),
        'TRUNCATE not audited', CASE WHEN t.relispartition THEN 'The partition has no audit trigger for TRUNCATE: it was attached later.'
                                     ELSE 'The table has no audit trigger for TRUNCATE.' END,
        format('CREATE TRIGGER steward_audit_truncate AFTER TRUNCATE ON %1$s FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger(); ALTER TABLE ONLY %1$s ENABLE ALWAYS TRIGGER steward_audit_truncate;',
               t.qualified_name)),
       (r.relation_id IS NOT NULL AND NOT t.relispartition
        AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND (i.indisprimary OR i.indisreplident)),
        'no primary key', 'Rows are identified by a hash of their values, which changes when they do.',
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_key_command(t.oid) END),
       (cardinality(c.unknown) > 0 AND NOT r.are_clones,
        'unknown column', 'Writes fail, because the trigger names: ' || (SELECT string_agg(quote_ident(n), ', ') FROM unnest(c.unknown) n),
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments, without => c.unknown) END),
       (steward_internal.audit_option_values(r.arguments, 'include') <> '{}' AND NOT t.relispartition AND cardinality(c.unnamed) > 0,
        'columns left out', 'No option names: ' || (SELECT string_agg(quote_ident(n), ', ') FROM unnest(c.unnamed) n),
        CASE WHEN r.relation_id IS NOT NULL THEN steward_internal.audit_enable_command(t.qualified_name, r.arguments, also => c.unnamed) END)
        UNION ALL
       -- triggers that do not always fire
       SELECT true,
              CASE WHEN x.kind = 'truncate' THEN 'TRUNCATE not audited'
                   WHEN x.enabled = 'D' THEN 'trigger disabled'
                   WHEN x.enabled = 'R' THEN 'trigger fires in replication only'
                   ELSE 'trigger silent in replication' END,
              format(CASE x.enabled WHEN 'D' THEN 'Trigger %I does not fire.'
                                    WHEN 'R' THEN 'Trigger %I fires only under session_replication_role = replica.'
                                    ELSE 'Trigger %I does not fire under session_replication_role = replica.' END, x.trigger_name),
              format('ALTER TABLE %s%s ENABLE ALWAYS TRIGGER %I;', CASE x.kind WHEN 'truncate' THEN 'ONLY ' END,
                     t.qualified_name, x.trigger_name)
         FROM steward_internal.audit_triggers x
        WHERE x.relation_id = t.oid AND (x.kind = 'row' AND x.enabled <> 'A' OR x.kind = 'truncate' AND x.enabled = 'D')) AS f(found, finding, detail, remedy)
 WHERE f.found
 UNION ALL
SELECT n.nspname, c.relname, 'log incomplete', 'The table of the log lacks: ' || string_agg(DISTINCT l.what, ', '), 'SELECT steward.audit_repair();'
  FROM steward_internal.audit_lacks(NULL) l
  JOIN pg_class c ON c.oid = l.relation
  JOIN pg_namespace n ON n.oid = c.relnamespace
 GROUP BY n.nspname, c.relname;
COMMENT ON VIEW steward.audit_coverage IS
'What is not audited, or not as it should be: one row for each finding, with the command that mends it.';
COMMENT ON COLUMN steward.audit_coverage.table_schema IS 'Where the table is.';
COMMENT ON COLUMN steward.audit_coverage.table_name IS 'The table.';
COMMENT ON COLUMN steward.audit_coverage.finding IS 'What is the matter.';
COMMENT ON COLUMN steward.audit_coverage.detail IS 'What that means, and for which trigger or columns.';
COMMENT ON COLUMN steward.audit_coverage.remedy IS 'The command that mends it; null if there is none.';
GRANT SELECT ON steward.audit_coverage TO pg_monitor;
