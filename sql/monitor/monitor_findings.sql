-- monitor_findings: single objects that need attention, and the commands that mend them.

-- To show an expression the server locks what is named in it: what somebody else has locked is not waited for.
CREATE FUNCTION steward_internal.findings_of_policies(OUT finding text, OUT severity text, OUT object text, OUT detail text, OUT remedy text) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1ms'
AS $$
BEGIN
    RETURN QUERY
    SELECT 'tenant_policy', 'WARNING', format('%s.%I', p.relation, p.policy_name), p.problem, 'SELECT * FROM steward.tenant_policies WHERE problem IS NOT NULL;'
      FROM steward.tenant_policies p
     WHERE p.problem IS NOT NULL;
EXCEPTION WHEN lock_not_available THEN
    RETURN QUERY SELECT 'tenant_policies_locked', 'INFO', 'policies', 'somebody has locked a table with policies: look again', NULL::text;
END $$;
REVOKE ALL ON FUNCTION steward_internal.findings_of_policies() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.findings_of_policies() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.findings_of_policies() IS
'Returns policies that are not what they were made to be.';

CREATE FUNCTION steward_internal.findings_bloat(OUT finding text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT table_name text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
    WITH large AS MATERIALIZED (
        -- to estimate bloat costs as much for one relation as for all
        SELECT count(*) FILTER (WHERE c.relkind <> 'i') AS tables, count(*) FILTER (WHERE c.relkind = 'i') AS indexes
          FROM pg_class c WHERE c.relpages >= 1024 ^ 3 / current_setting('block_size')::integer
    )
    SELECT 'table_bloat', 'WARNING', coalesce(b.toast_of || ' (TOAST)', format('%I.%I', b.schema_name, b.table_name)),
           format('%s %% of %s in vain', b.bloat_percent, pg_size_pretty(b.table_bytes))
           || CASE WHEN current_setting('server_version_num')::integer >= 190000 THEN '' ELSE '; VACUUM FULL locks the table' END,
           format(CASE WHEN current_setting('server_version_num')::integer >= 190000 THEN 'REPACK (CONCURRENTLY) %s;' ELSE 'VACUUM (FULL, ANALYZE) %s;' END,
                  coalesce(b.toast_of, format('%I.%I', b.schema_name, b.table_name))),
           coalesce(b.toast_of, format('%I.%I', b.schema_name, b.table_name))
      FROM steward.table_bloat b
     WHERE b.bloat_bytes >= 1024 ^ 3 AND b.bloat_percent >= 30 AND b.reliable AND (SELECT l.tables FROM large l) > 0
     UNION ALL
    SELECT 'index_bloat', 'WARNING', format('%I.%I', b.schema_name, b.index_name),
           format('%s %% of %s in vain', b.bloat_percent, pg_size_pretty(b.index_bytes)), format('REINDEX INDEX CONCURRENTLY %I.%I;', b.schema_name, b.index_name),
           format('%I.%I', b.schema_name, b.table_name)
      FROM steward.index_bloat b
     WHERE b.bloat_bytes >= 1024 ^ 3 AND b.bloat_percent >= 30 AND b.reliable AND (SELECT l.indexes FROM large l) > 0;
END;
REVOKE ALL ON FUNCTION steward_internal.findings_bloat() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.findings_bloat() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.findings_bloat() IS
'Returns tables and indexes that waste 1 GB and 30 percent of their space.';

-- Hygiene is INFO, what will hurt WARNING, and CRITICAL what stops writes, loses data or shows it to others.
-- In a function, because to compile all this takes longer than to run it.
CREATE FUNCTION steward_internal.findings_run(OUT finding text, OUT severity text, OUT object text, OUT detail text, OUT remedy text, OUT finding_key text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
    WITH theirs AS MATERIALIZED (
        -- what extensions bring is not the user's to mend, and what stands in our schema ours
        SELECT format('%I.%I', n.nspname, c.relname) AS table_name
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'm', 'f')
           AND (n.nspname IN ('steward', 'steward_internal', 'pg_catalog', 'pg_toast', 'information_schema')
                OR EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid))
    ), tenants AS MATERIALIZED (
        SELECT count(*) AS tables, count(*) FILTER (WHERE t.row_security) AS protected FROM steward_internal.tenant_tables() t
    ), found AS (
        SELECT 'unused_index' AS finding, 'INFO' AS severity, format('%I.%I', u.schema_name, u.index_name) AS object,
               concat_ws('; ', 'not used for ' || date_trunc('second', u.counted_for), CASE WHEN u.has_standbys THEN 'look at the standbys too' END) AS detail,
               u.remedy, NULL AS key, format('%I.%I', u.schema_name, u.table_name) AS table_name
          FROM steward.unused_indexes u
         WHERE u.index_bytes >= 1024 ^ 2 AND u.counted_for >= interval '7 days'
         UNION ALL
        SELECT 'redundant_index', 'INFO', format('%I.%I', r.schema_name, r.index_name), format('%s: %I', r.reason, r.covered_by), r.remedy, NULL,
               format('%I.%I', r.schema_name, r.table_name)
          FROM steward.redundant_indexes r
         UNION ALL
        SELECT 'invalid_' || replace(i.kind, ' ', '_'), 'WARNING', CASE WHEN i.kind IN ('index', 'constraint') THEN i.object ELSE concat_ws('.', i.table_name, i.object) END,
               i.problem, i.remedy, format('invalid_%s:%s', replace(i.kind, ' ', '_'), concat_ws('.', i.table_name, i.object)), i.table_name
          FROM steward.invalid_objects i
         -- ours are told of below
         WHERE NOT (i.kind = 'trigger' AND EXISTS (
                   SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
                    WHERE p.pronamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND g.tgenabled IN ('D', 'R') AND quote_ident(g.tgname) = i.object))
         UNION ALL
        SELECT 'foreign_key_without_index', 'INFO', format('%I.%I.%I', f.schema_name, f.table_name, f.constraint_name),
               format('DELETE from %s reads the whole table', f.referenced_table), f.remedy, NULL, format('%I.%I', f.schema_name, f.table_name)
          FROM steward.foreign_keys_without_index f
         UNION ALL
        SELECT 'no_primary_key', CASE WHEN t.is_published AND NOT t.has_replica_identity THEN 'WARNING' ELSE 'INFO' END,
               format('%I.%I', t.schema_name, t.table_name),
               CASE WHEN t.is_published AND NOT t.has_replica_identity THEN 'it is published without replica identity: UPDATE and DELETE fail'
                    ELSE 'no two rows can be told apart that are equal' END,
               t.remedy,
               NULL, format('%I.%I', t.schema_name, t.table_name)
          FROM steward.tables_without_primary_key t
         UNION ALL
        SELECT 'stale_statistics', 'INFO', format('%I.%I', s.schema_name, s.table_name), s.reason, s.remedy, NULL, format('%I.%I', s.schema_name, s.table_name)
          FROM steward.stale_statistics s
         UNION ALL
        SELECT b.finding, b.severity, b.object, b.detail, b.remedy, NULL, b.table_name FROM steward_internal.findings_bloat() b
         UNION ALL
        SELECT 'autovacuum_off', 'WARNING', coalesce(q.toast_of || ' (TOAST)', format('%I.%I', q.schema_name, q.table_name)), 'autovacuum is off for the table',
               format('ALTER TABLE %s RESET (%sautovacuum_enabled);', coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name)), CASE WHEN q.toast_of IS NOT NULL THEN 'toast.' END),
               NULL, coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name))
          FROM steward.autovacuum_queue q
          JOIN pg_class c ON c.oid = q.relation_id
          -- a TOAST table has what its table has, unless it has its own
         WHERE NOT q.autovacuum_enabled AND c.reloptions IS NOT NULL AND current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean
         UNION ALL
        SELECT 'sequence', CASE WHEN q.used_percent >= 90 THEN 'CRITICAL' ELSE 'WARNING' END, format('%I.%I', q.schema_name, q.sequence_name),
               format('%s %% used, %s left', q.used_percent, q.values_left),
               q.remedy, NULL, coalesce(q.used_by_table, format('%I.%I', q.schema_name, q.sequence_name))
          FROM steward.sequence_usage q
         WHERE q.used_percent >= 75 AND NOT q.cycles
         UNION ALL
        SELECT 'replication_slot', CASE WHEN s.wal_status = 'lost' THEN 'CRITICAL' ELSE 'WARNING' END, quote_ident(s.slot_name),
               coalesce(s.invalidation_reason, CASE s.wal_status WHEN 'lost' THEN 'lost' WHEN 'unreserved' THEN 'about to be lost' END, 'nobody uses it, and it keeps WAL'),
               format('SELECT pg_drop_replication_slot(%L);', s.slot_name), NULL, NULL
          FROM steward.replication_slots s
         WHERE NOT s.is_active AND NOT s.is_temporary AND NOT pg_is_in_recovery() OR s.wal_status IN ('lost', 'unreserved')
         UNION ALL
        SELECT 'default_partition', 'INFO', p.default_partition, format('holds %s rows', p.default_partition_rows), NULL, NULL, format('%I.%I', p.schema_name, p.table_name)
          FROM steward.partitions p
         WHERE p.default_partition_rows > 0
         UNION ALL
        SELECT 'threshold_without_check', 'INFO', t.check_name, 'health_thresholds names a check that is not there',
               format('DELETE FROM steward.health_thresholds WHERE check_name = %L;', t.check_name), NULL, NULL
          FROM steward.health_thresholds t
         WHERE NOT EXISTS (SELECT FROM steward.health_queries c WHERE c.check_name = t.check_name)
         UNION ALL
        SELECT 'audit: ' || a.finding,
               CASE WHEN a.finding IN ('trigger disabled', 'trigger fires in replication only', 'trigger cannot work', 'unknown column', 'log incomplete') THEN 'CRITICAL' ELSE 'WARNING' END,
               format('%I.%I', a.table_schema, a.table_name), min(a.detail), min(a.remedy), NULL, NULL
          FROM steward.audit_coverage a
         -- what was never to be audited is no finding
         WHERE a.finding NOT IN ('not audited', 'foreign table', 'columns left out', 'no primary key')
         GROUP BY a.finding, a.table_schema, a.table_name
         UNION ALL
        SELECT 'audit_default_partition', 'WARNING', p.qualified_name,
               CASE WHEN p.takes_all THEN 'takes all events, because no partition of the audit log is for the present time'
                    ELSE format('holds about %s events', p.events) END,
               'SELECT * FROM steward.audit_maintain();', NULL, NULL
          FROM (SELECT d.qualified_name, pg_stat_get_live_tuples(d.relation_id) AS events,
                       NOT EXISTS (SELECT FROM steward.audit_partitions o WHERE o.lower_bound <= clock_timestamp() AND clock_timestamp() < o.upper_bound) AS takes_all
                  FROM steward.audit_partitions d
                 WHERE d.lower_bound IS NULL AND EXISTS (SELECT FROM steward_internal.audit_triggers)) p
         WHERE p.takes_all OR p.events > 0
         UNION ALL
        SELECT 'audit_retention', 'INFO', 'steward.audit_events', format('partitions of the audit log that are older than a year, and never dropped: %s', count(*)),
               format('ALTER DATABASE %I SET steward.audit_retention = ''1 year'';', current_database()), NULL, NULL
          FROM steward.audit_partitions p
         WHERE p.upper_bound < clock_timestamp() - interval '1 year'
           AND coalesce(nullif(current_setting('steward.audit_retention', true), ''), '0')::interval = '0'
        HAVING count(*) > 0
         UNION ALL
        SELECT 'upkeep_trigger', u.severity, format('%s.%I', u.relation, u.trigger_name), u.problem, u.remedy, NULL, NULL
          FROM steward_internal.upkeep_problems() u
         UNION ALL
        -- where no table of tenants has row security it may never have been meant to keep them apart
        SELECT 'tenant: ' || c.rule, CASE WHEN t.protected = 0 THEN 'INFO' ELSE c.severity END, c.object, c.detail, c.remedy,
               c.key, NULL
          FROM tenants t
         CROSS JOIN LATERAL (SELECT * FROM steward.tenant_check(include_muted => true) c WHERE t.tables > 0) c
         UNION ALL
        SELECT p.finding, p.severity, p.object, p.detail, p.remedy, NULL, NULL FROM steward_internal.findings_of_policies() p
    )
    SELECT f.finding, f.severity, f.object, f.detail, f.remedy, coalesce(f.key, concat_ws(':', f.finding, f.object))
      FROM found f
     WHERE f.table_name IS NULL OR f.table_name NOT IN (SELECT t.table_name FROM theirs t);
END;
REVOKE ALL ON FUNCTION steward_internal.findings_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.findings_run() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.findings_run() IS
'Returns the objects that need attention, with the command that mends each.';

CREATE VIEW steward.all_findings AS
SELECT f.finding, f.severity, f.object, f.detail, f.remedy, f.finding_key, m.finding_key IS NOT NULL AS is_muted, m.reason AS mute_reason
  FROM steward_internal.findings_run() f
  LEFT JOIN steward_internal.muted_now m ON m.finding_key = f.finding_key;
COMMENT ON VIEW steward.all_findings IS
'The objects that need attention, muted ones too.';
COMMENT ON COLUMN steward.all_findings.finding IS 'What it is.';
COMMENT ON COLUMN steward.all_findings.severity IS 'INFO, WARNING or CRITICAL: that stops writes, loses data or shows it to others.';
COMMENT ON COLUMN steward.all_findings.object IS 'Which object, with its schema and quoted where it must be.';
COMMENT ON COLUMN steward.all_findings.detail IS 'What is the matter.';
COMMENT ON COLUMN steward.all_findings.remedy IS 'A command; null if none is known. Look at it before you run it.';
COMMENT ON COLUMN steward.all_findings.finding_key IS 'Unique, and the same as long as the finding lasts.';
COMMENT ON COLUMN steward.all_findings.is_muted IS 'Whether muted_findings has it.';
COMMENT ON COLUMN steward.all_findings.mute_reason IS 'Why; null if it is not muted.';
GRANT SELECT ON steward.all_findings TO pg_monitor;

CREATE VIEW steward.findings AS
SELECT f.finding, f.severity, f.object, f.detail, f.remedy, f.finding_key
  FROM steward.all_findings f
 WHERE NOT f.is_muted;
COMMENT ON VIEW steward.findings IS
'The objects that need attention, but those in muted_findings.';
COMMENT ON COLUMN steward.findings.finding IS 'What it is.';
COMMENT ON COLUMN steward.findings.severity IS 'INFO, WARNING or CRITICAL: that stops writes, loses data or shows it to others.';
COMMENT ON COLUMN steward.findings.object IS 'Which object, with its schema and quoted where it must be.';
COMMENT ON COLUMN steward.findings.detail IS 'What is the matter.';
COMMENT ON COLUMN steward.findings.remedy IS 'A command; null if none is known. Look at it before you run it.';
COMMENT ON COLUMN steward.findings.finding_key IS 'Unique, and the same as long as the finding lasts; for muted_findings.';
GRANT SELECT ON steward.findings TO pg_monitor;

--
-- Commands
--

CREATE FUNCTION steward_internal.monitor_index_definition(index oid) RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_monitor_index_definition';
REVOKE ALL ON FUNCTION steward_internal.monitor_index_definition(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_index_definition(oid) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_index_definition(oid) IS
'Returns what pg_get_indexdef() says, null where that would wait for a lock.';

-- What VACUUM, REINDEX CONCURRENTLY and the like are good for now.  They cannot run in a function: use \gexec.
CREATE FUNCTION steward_internal.maintenance_run(OUT priority integer, OUT command text, OUT reason text, OUT undo text, OUT object text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
    WITH vacuumed AS MATERIALIZED (
        -- the command for a table does its TOAST table, too
        SELECT v.table_name, bool_or('freeze' = ANY (v.due)) AS freezes, string_agg(DISTINCT d.reason COLLATE "C", ', ') AS reasons
          FROM (SELECT coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name)) AS table_name, q.due
                  FROM steward.autovacuum_queue q
                 WHERE q.due && '{freeze,vacuum,insert}') v
         CROSS JOIN LATERAL unnest(v.due) d(reason)
         GROUP BY v.table_name
    )
    SELECT c.priority, c.command, c.reason, c.undo, c.object
      FROM (SELECT CASE WHEN v.freezes THEN 1 ELSE 3 END AS priority,
                   format('VACUUM (%sANALYZE) %s;', CASE WHEN v.freezes THEN 'FREEZE, ' END, v.table_name) AS command,
                   'due: ' || v.reasons AS reason, NULL AS undo, v.table_name AS object
              FROM vacuumed v
             UNION ALL
            SELECT 4, s.remedy, s.reason, NULL, format('%I.%I', s.schema_name, s.table_name)
              FROM steward.stale_statistics s
             WHERE format('%I.%I', s.schema_name, s.table_name) NOT IN (SELECT v.table_name FROM vacuumed v)
             UNION ALL
            SELECT 2, i.remedy, i.problem, steward_internal.monitor_index_definition(to_regclass(i.object)) || ';', i.object
              FROM steward.invalid_objects i WHERE i.kind = 'index'
             UNION ALL
            SELECT 2, i.remedy, i.problem, NULL, concat_ws('.', i.table_name, i.object)
              FROM steward.invalid_objects i WHERE i.kind = 'constraint'
             UNION ALL
            SELECT 5, f.remedy, format('foreign key %I has no index', f.constraint_name), NULL, format('%I.%I', f.schema_name, f.table_name)
              FROM steward.foreign_keys_without_index f
             UNION ALL
            SELECT 6, r.remedy, format('%s: %I', r.reason, r.covered_by), steward_internal.monitor_index_definition(r.index_id) || ';', format('%I.%I', r.schema_name, r.index_name)
              FROM steward.redundant_indexes r
             UNION ALL
            SELECT 7, f.remedy, f.detail, NULL, f.object
              FROM steward_internal.findings_bloat() f
             WHERE f.remedy LIKE 'RE% (CONCURRENTLY) %' OR f.remedy LIKE 'REINDEX INDEX CONCURRENTLY %'
           ) c
     WHERE NOT pg_is_in_recovery();
END;
REVOKE ALL ON FUNCTION steward_internal.maintenance_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.maintenance_run() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.maintenance_run() IS
'Returns commands that are worth running, and runs none.';

CREATE VIEW steward.maintenance_commands AS
SELECT m.priority, m.command, m.reason, m.undo, m.object
  FROM steward_internal.maintenance_run() m
 ORDER BY m.priority, m.object COLLATE "C", m.command COLLATE "C";
COMMENT ON VIEW steward.maintenance_commands IS
'Commands that are worth running, most urgent first, and what undoes them; psql runs them with \gexec.';
COMMENT ON COLUMN steward.maintenance_commands.priority IS '1 freezing, 2 what is not valid, 3 VACUUM, 4 ANALYZE, 5 indexes for foreign keys, 6 redundant indexes, 7 bloat.';
COMMENT ON COLUMN steward.maintenance_commands.command IS 'One command, to be run outside a transaction block.';
COMMENT ON COLUMN steward.maintenance_commands.reason IS 'Why.';
COMMENT ON COLUMN steward.maintenance_commands.undo IS 'The command that takes it back; null where there is nothing to take back, or the index is locked.';
COMMENT ON COLUMN steward.maintenance_commands.object IS 'Which table, index or constraint.';
GRANT SELECT ON steward.maintenance_commands TO pg_monitor;
