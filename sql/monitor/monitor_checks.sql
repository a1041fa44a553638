-- monitor_checks: the health checks that the extension brings.

-- What is asked for is not there on a standby, and not before somebody takes snapshots; who calls it shows the hint.
CREATE FUNCTION steward_internal.health_rate(wanted_source text, wanted_metric text, OUT value numeric, OUT counted numeric, OUT detail text)
LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ends bigint[];
    last_taken timestamptz;
    seconds numeric;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'snapshots are of the primary',
            HINT = 'Ask the primary.';
    END IF;
    SELECT array_agg(s.id ORDER BY s.id), max(s.taken_at), extract(epoch FROM max(s.taken_at) - min(s.taken_at)) INTO ends, last_taken, seconds
      FROM (SELECT s.id, s.taken_at
              FROM steward.snapshots s
             WHERE s.database_id = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
             ORDER BY s.id DESC LIMIT 2) s;
    IF coalesce(cardinality(ends), 0) < 2 THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'needs two snapshots',
            HINT = 'SELECT steward.snapshot();';
    ELSIF last_taken < clock_timestamp() - interval '2 days' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('the last snapshot is %s old', date_trunc('second', clock_timestamp() - last_taken)),
            HINT = 'SELECT steward.snapshot();';
    END IF;
    SELECT CASE WHEN count(d.delta) = count(*) THEN sum(d.delta) END,
           CASE WHEN count(d.delta) = count(*) THEN (array_agg(d.object ORDER BY d.delta DESC, d.object) FILTER (WHERE d.delta > 0))[1]
                ELSE 'counters were reset between the last two snapshots' END
      INTO counted, detail
      FROM steward.snapshot_deltas(ends[1], ends[2], ARRAY[wanted_source]) d
     WHERE d.kind = 'counter' AND d.metric = wanted_metric;
    value := counted / nullif(seconds, 0);
END $$;
REVOKE ALL ON FUNCTION steward_internal.health_rate(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.health_rate(text, text) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.health_rate(text, text) IS
'Returns by how much a counter grew between the last two snapshots, in all and per second, and for which object most.';

-- What leads to an outage or to loss of data has a critical threshold, the rest a warning, and what is just good to know none.
INSERT INTO steward.health_queries (is_custom, check_name, unit, warning, critical, description, hint, remedy, query) VALUES
(false, 'connections', '%', 80, 95, 'connections of clients, of what the server takes',
 'A pooler lets many clients share few connections; or raise max_connections.', 'SELECT * FROM steward.activity_summary;',
 $$SELECT used_percent AS value, format('%s of %s', used, connection_limit) AS detail FROM steward.connections WHERE scope = 'cluster'$$),
(false, 'connections_of_scope', '%', 80, 95, 'connections of a database or role, of its own limit',
 'ALTER DATABASE and ALTER ROLE set another CONNECTION LIMIT.', 'SELECT * FROM steward.connections WHERE scope <> ''cluster'' ORDER BY used_percent DESC NULLS LAST;',
 $$SELECT coalesce(max(used_percent), 0) AS value, (array_agg(format('%s %I', scope, name) ORDER BY used_percent DESC))[1] AS detail
     FROM steward.connections WHERE scope <> 'cluster' AND used_percent IS NOT NULL$$),
(false, 'idle_in_transaction', 's', 300, 900, 'longest that a session has left its transaction idle',
 'Then SELECT pg_reload_conf();', 'ALTER SYSTEM SET idle_in_transaction_session_timeout = ''5min'';',
 $$SELECT coalesce(max(extract(epoch FROM state_age)), 0) AS value, (array_agg(format('pid %s', pid) ORDER BY state_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE state LIKE 'idle in transaction%'$$),
(false, 'long_transaction', 's', 3600, 21600, 'longest transaction of a session',
 NULL, 'SELECT * FROM steward.long_transactions;',
 $$SELECT coalesce(max(extract(epoch FROM transaction_age)), 0) AS value, (array_agg(format('pid %s', pid) ORDER BY transaction_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE prepared_id IS NULL$$),
(false, 'long_query', 's', NULL, NULL, 'longest that a statement of a client has run',
 NULL, 'SELECT * FROM steward.activity WHERE backend_type = ''client backend'' ORDER BY query_age DESC NULLS LAST;',
 $$SELECT coalesce(max(extract(epoch FROM query_age)), 0) AS value, (array_agg(format('pid %s', pid) ORDER BY query_age DESC))[1] AS detail
     FROM steward.activity WHERE backend_type = 'client backend' AND query_age IS NOT NULL$$),
(false, 'prepared_transaction', 's', 300, 3600, 'longest that a transaction has been prepared',
 'COMMIT PREPARED or ROLLBACK PREPARED ends it.', 'SELECT * FROM steward.long_transactions WHERE prepared_id IS NOT NULL;',
 $$SELECT coalesce(max(extract(epoch FROM transaction_age)), 0) AS value, (array_agg(prepared_id ORDER BY transaction_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE prepared_id IS NOT NULL$$),
(false, 'lock_wait', 's', 60, 300, 'longest wait for a lock',
 NULL, 'SELECT * FROM steward.blocking_queries;',
 $$SELECT coalesce(max(extract(epoch FROM longest_wait)), 0) AS value, format('%s waiting', coalesce(sum(locks), 0)) AS detail FROM steward.lock_summary WHERE NOT granted$$),
(false, 'lock_table', '%', 50, 80, 'locks held, of what the lock table is made for',
 'Raise max_locks_per_transaction, and restart the server.', 'SELECT * FROM steward.lock_summary;',
 $$SELECT coalesce(sum(lock_table_percent), 0) AS value, NULL AS detail FROM steward.lock_summary$$),
(false, 'deadlocks', 'per hour', 10, NULL, 'deadlocks between the last two snapshots',
 'The log has the statements of each deadlock.', 'SELECT database_name, deadlocks FROM steward.database_stats;',
 $$SELECT round(3600 * value, 2) AS value, detail FROM steward_internal.health_rate('database_stats', 'deadlocks')$$),
(false, 'rollbacks', '%', 10, NULL, 'transactions that were rolled back, of all between the last two snapshots; 0 for fewer than a thousand',
 'The log has the errors.', 'SELECT database_name, rollback_percent FROM steward.database_stats;',
 $$SELECT CASE WHEN r.counted + c.counted < 1000 THEN 0 ELSE round(100 * r.counted / (r.counted + c.counted), 2) END AS value, coalesce(r.detail, c.detail) AS detail
     FROM steward_internal.health_rate('database_stats', 'rollbacks') r, steward_internal.health_rate('database_stats', 'commits') c$$),
(false, 'transactions', 'per s', NULL, NULL, 'transactions between the last two snapshots',
 NULL, 'SELECT steward.snapshot();',
 $$SELECT round(r.value + c.value, 2) AS value, coalesce(c.detail, r.detail) AS detail
     FROM steward_internal.health_rate('database_stats', 'rollbacks') r, steward_internal.health_rate('database_stats', 'commits') c$$),
(false, 'temp_files', 'bytes/s', 10 * 1024 ^ 2, NULL, 'written to temporary files between the last two snapshots',
 'A larger work_mem may do.', 'SELECT query, temp_blocks_written FROM steward.slow_queries ORDER BY 2 DESC NULLS LAST;',
 $$SELECT round(value) AS value, detail FROM steward_internal.health_rate('database_stats', 'temp_bytes')$$),
(false, 'disk_reads', 'bytes/s', NULL, NULL, 'read from outside shared buffers between the last two snapshots',
 NULL, 'SELECT steward.snapshot();',
 $$SELECT round(value * current_setting('block_size')::integer) AS value, detail FROM steward_internal.health_rate('database_stats', 'blocks_read')$$),
(false, 'checkpoints', '%', 50, NULL, 'checkpoints that did not wait for their time, of all between the last two snapshots; 0 for fewer than four',
 'Then SELECT pg_reload_conf();', NULL,
 $$SELECT CASE WHEN r.counted + t.counted < 4 THEN 0 ELSE round(100 * r.counted / (r.counted + t.counted), 2) END AS value,
          CASE WHEN r.counted + t.counted IS NULL THEN coalesce(r.detail, t.detail) ELSE format('%s of %s', r.counted, r.counted + t.counted) END AS detail,
          format('ALTER SYSTEM SET max_wal_size = %L;', pg_size_pretty(2 * pg_size_bytes(current_setting('max_wal_size')))) AS remedy
     FROM steward_internal.health_rate('checkpoints', 'requested') r, steward_internal.health_rate('checkpoints', 'timed') t$$),
(false, 'cache_hit', '%', NULL, NULL, 'blocks of this database found in shared buffers since its counters were reset',
 NULL, 'SELECT * FROM steward.cache_hit_ratios;',
 $$SELECT CASE WHEN blocks_hit + blocks_read >= 100000 THEN hit_percent END AS value,
          CASE WHEN blocks_hit + blocks_read < 100000 THEN 'too few blocks were read to tell' END AS detail, 'OK' AS status
     FROM steward.cache_hit_ratios WHERE scope = 'database' AND name = current_database()$$),
(false, 'slow_queries', 'statements', NULL, NULL, 'statements that take more than a second on average',
 NULL, 'SELECT * FROM steward.slow_queries WHERE mean_seconds > 1;',
 $$SELECT CASE WHEN s.unavailable IS NULL THEN (SELECT count(*) FROM steward.slow_queries WHERE mean_seconds > 1) END AS value, s.unavailable AS detail, s.remedy
     FROM steward.statements_source() s$$),
(false, 'statements', 'missing', 1, NULL, 'whether statements are counted',
 NULL, 'SELECT * FROM steward.statements_source();',
 $$SELECT CASE WHEN unavailable IS NULL THEN 0 END AS value, unavailable AS detail, remedy FROM steward.statements_source()$$),
(false, 'xid_freeze', '%', 110, 150, 'oldest transaction id of a database, of autovacuum_freeze_max_age',
 'What the command shows keeps VACUUM from freezing.', 'SELECT * FROM steward.xmin_horizon;',
 $$SELECT max(xid_freeze_percent) AS value, (array_agg(database_name ORDER BY xid_freeze_percent DESC NULLS LAST))[1] AS detail FROM steward.wraparound$$),
(false, 'xid_stop', '%', 40, 75, 'oldest transaction id of a database, of where the server stops to write',
 'VACUUM the oldest tables.', 'SELECT * FROM steward.autovacuum_queue ORDER BY xid_age DESC NULLS LAST;',
 $$SELECT max(xid_stop_percent) AS value, (array_agg(database_name ORDER BY xid_stop_percent DESC NULLS LAST))[1] AS detail FROM steward.wraparound$$),
(false, 'multixact_stop', '%', 40, 75, 'oldest multixact of a database, of where the server stops to write',
 'VACUUM the oldest tables.', 'SELECT * FROM steward.autovacuum_queue ORDER BY multixact_age DESC NULLS LAST;',
 $$SELECT max(multixact_stop_percent) AS value, (array_agg(database_name ORDER BY multixact_stop_percent DESC NULLS LAST))[1] AS detail FROM steward.wraparound$$),
(false, 'xmin_age', 'transactions', 10000000, 100000000, 'how old row versions are that VACUUM may not remove',
 NULL, 'SELECT * FROM steward.xmin_horizon;',
 $$SELECT coalesce(max(xid_age), 0) AS value, (array_agg(format('%s %s', kind, holder) ORDER BY xid_age DESC))[1] AS detail FROM steward.xmin_horizon$$),
(false, 'autovacuum', 'off', 1, NULL, 'whether autovacuum and its counters are on',
 'Then SELECT pg_reload_conf();', NULL,
 $$SELECT (NOT (current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean))::integer AS value, NULL AS detail,
          CASE WHEN current_setting('autovacuum')::boolean THEN 'ALTER SYSTEM SET track_counts = on;' ELSE 'ALTER SYSTEM SET autovacuum = on;' END AS remedy$$),
(false, 'autovacuum_pressure', 'ratio', 2, 5, 'dead rows of a table of a hundred pages or more, of what autovacuum lets pass',
 NULL, 'SELECT * FROM steward.autovacuum_queue ORDER BY vacuum_pressure DESC NULLS LAST;',
 $$SELECT CASE WHEN NOT pg_is_in_recovery() THEN coalesce(max(vacuum_pressure), 0) END AS value,
          CASE WHEN pg_is_in_recovery() THEN 'a standby does not count dead rows'
               ELSE (array_agg(coalesce(toast_of, format('%I.%I', schema_name, table_name)) ORDER BY vacuum_pressure DESC, schema_name, table_name) FILTER (WHERE vacuum_pressure > 0))[1] END AS detail,
          CASE WHEN pg_is_in_recovery() THEN 'Ask the primary.' END AS hint
     FROM steward.autovacuum_queue WHERE table_bytes >= 100 * current_setting('block_size')::bigint AND vacuum_pressure IS NOT NULL$$),
-- estimating costs as much for one table as for all
(false, 'table_bloat', '%', 30, NULL, 'room taken in vain by a table where it is 1 GB or more',
 NULL, 'SELECT * FROM steward.table_bloat WHERE bloat_bytes >= 1024 ^ 3;',
 $$SELECT coalesce(max(bloat_percent), 0) AS value, (array_agg(coalesce(toast_of, format('%I.%I', schema_name, table_name)) ORDER BY bloat_percent DESC, schema_name, table_name))[1] AS detail
     FROM steward.table_bloat
    WHERE bloat_bytes >= 1024 ^ 3 AND reliable
      AND EXISTS (SELECT FROM pg_class c WHERE c.relpages >= 1024 ^ 3 / current_setting('block_size')::integer)$$),
(false, 'replication_lag_bytes', 'bytes', 100 * 1024 ^ 2, 1024 ^ 3, 'WAL that a standby or subscriber has not replayed',
 NULL, 'SELECT * FROM steward.replication;',
 $$SELECT coalesce(max(replay_lag_bytes), 0) AS value, (array_agg(name ORDER BY replay_lag_bytes DESC NULLS LAST))[1] AS detail FROM steward.replication$$),
(false, 'replication_lag_time', 's', 60, 600, 'how far a standby or subscriber is behind',
 NULL, 'SELECT * FROM steward.replication;',
 $$SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) AS value, (array_agg(name ORDER BY replay_lag DESC NULLS LAST))[1] AS detail FROM steward.replication$$),
(false, 'replication_source', 'missing', 1, 1, 'whether a standby gets WAL',
 'See the log of this server, and primary_conninfo.', 'SELECT * FROM steward.replication;',
 $$SELECT CASE WHEN pg_is_in_recovery() THEN count(*) FILTER (WHERE direction = 'from' AND pid IS NULL) END AS value,
          CASE WHEN NOT pg_is_in_recovery() THEN 'not a standby' END AS detail, CASE WHEN NOT pg_is_in_recovery() THEN 'DISABLED' END AS status
     FROM steward.replication$$),
(false, 'synchronous_standby', 'missing', 1, 1, 'whether commits wait for a standby that is not there',
 'Start a standby of synchronous_standby_names, or reset that setting.', 'SELECT * FROM steward.replication;',
 $$SELECT CASE WHEN s.names <> '' AND NOT pg_is_in_recovery()
               THEN (NOT EXISTS (SELECT FROM steward.replication r WHERE r.direction = 'to' AND r.sync_state IN ('sync', 'quorum')))::integer END AS value,
          nullif(s.names, '') AS detail, CASE WHEN s.names = '' OR pg_is_in_recovery() THEN 'DISABLED' END AS status
     FROM current_setting('synchronous_standby_names') s(names)$$),
(false, 'slot_retained', 'bytes', 5 * 1024.0 ^ 3, 20 * 1024.0 ^ 3, 'WAL that a replication slot keeps',
 'Drop the slots that nobody comes back for, and set max_slot_wal_keep_size.', 'SELECT * FROM steward.replication_slots;',
 $$SELECT coalesce(max(retained_bytes), 0) AS value, (array_agg(slot_name ORDER BY retained_bytes DESC NULLS LAST))[1] AS detail FROM steward.replication_slots$$),
(false, 'slot_lost', 'slots', 1, 1, 'replication slots whose WAL is gone or soon will be',
 'Drop the slot, and build the standby or subscriber anew.', 'SELECT * FROM steward.replication_slots;',
 $$SELECT count(*) AS value, min(slot_name::text) AS detail FROM steward.replication_slots WHERE wal_status IN ('lost', 'unreserved') OR is_conflicting OR invalidation_reason IS NOT NULL$$),
-- an idle server archives nothing for long and is not failing: what waits longest tells
(false, 'archive_failing', 's', 300, 3600, 'since when WAL cannot be archived',
 'See the log for what archive_command says.', 'SELECT * FROM steward.archiver;',
 $$SELECT CASE WHEN a.mode = 'always' OR a.mode = 'on' AND NOT pg_is_in_recovery() THEN
               CASE WHEN a.is_failing THEN coalesce((SELECT extract(epoch FROM clock_timestamp() - min(f.modification)) FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready'), 0)
                    ELSE 0 END END AS value,
          CASE WHEN a.mode = 'off' THEN 'archive_mode is off' WHEN a.mode = 'on' AND pg_is_in_recovery() THEN 'the primary archives' WHEN a.is_failing THEN a.last_failed_wal END AS detail,
          CASE WHEN a.mode = 'off' OR a.mode = 'on' AND pg_is_in_recovery() THEN 'DISABLED' END AS status
     FROM steward.archiver a$$),
(false, 'archive_backlog', 'files', 20, 200, 'WAL files that wait to be archived',
 'See the log for what archive_command says, and how long it takes.', 'SELECT * FROM steward.archiver;',
 $$SELECT CASE WHEN a.mode = 'always' OR a.mode = 'on' AND NOT pg_is_in_recovery() THEN a.files_waiting END AS value,
          CASE WHEN a.mode = 'off' THEN 'archive_mode is off' WHEN a.mode = 'on' AND pg_is_in_recovery() THEN 'the primary archives' END AS detail,
          CASE WHEN a.mode = 'off' OR a.mode = 'on' AND pg_is_in_recovery() THEN 'DISABLED' END AS status
     FROM steward.archiver a$$),
(false, 'sequences', '%', 75, 90, 'numbers that a sequence, or the column it is for, has given',
 NULL, 'SELECT * FROM steward.sequence_usage ORDER BY used_percent DESC NULLS LAST;',
 $$SELECT coalesce(s.used_percent, 0) AS value, CASE WHEN s.sequence_name IS NOT NULL THEN format('%I.%I', s.schema_name, s.sequence_name) END AS detail, s.remedy
     FROM (SELECT) one
     LEFT JOIN (SELECT schema_name, sequence_name, used_percent, remedy FROM steward.sequence_usage WHERE NOT cycles AND used_percent IS NOT NULL
                 ORDER BY used_percent DESC, schema_name, sequence_name LIMIT 1) s ON true$$),
(false, 'checksum_failures', 'blocks', 1, 1, 'blocks that were read with a wrong checksum',
 'Restore from a backup, and look at the storage.', 'SELECT database_name, checksum_failures FROM steward.database_stats;',
 $$SELECT CASE WHEN c.are_on THEN coalesce(sum(d.checksum_failures), 0) END AS value,
          CASE WHEN c.are_on THEN (array_agg(coalesce(d.database_name, '(shared)')) FILTER (WHERE d.checksum_failures > 0))[1] ELSE 'data checksums are off' END AS detail,
          CASE WHEN NOT c.are_on THEN 'DISABLED' END AS status
     FROM (SELECT current_setting('data_checksums') <> 'off' AS are_on) c LEFT JOIN steward.database_stats d ON true GROUP BY c.are_on$$),
(false, 'pending_restart', 'settings', 1, NULL, 'settings that were changed and wait for a restart',
 NULL, 'SELECT * FROM steward.settings_changed WHERE pending_restart;',
 $$SELECT count(*) AS value, string_agg(DISTINCT name, ', ') AS detail FROM steward.settings_changed WHERE pending_restart$$),
(false, 'invalid_indexes', 'indexes', 1, NULL, 'indexes that no query uses and every write pays for',
 NULL, 'SELECT * FROM steward.invalid_objects;',
 $$SELECT count(*) AS value, min(object) AS detail FROM steward.invalid_objects WHERE kind = 'index'$$),
(false, 'invalid_databases', 'databases', 1, NULL, 'databases that can only be dropped',
 NULL, 'SELECT * FROM steward.invalid_objects;',
 $$SELECT count(*) AS value, min(object) AS detail FROM steward.invalid_objects WHERE kind = 'database'$$),
(false, 'audit_triggers', 'tables', 1, 1, 'audited tables with a trigger that does not fire, or fails when it does',
 NULL, 'SELECT * FROM steward.audit_coverage WHERE finding <> ''not audited'';',
 $$SELECT count(DISTINCT t.relation_id) AS value, min(format('%I.%I', n.nspname, c.relname)) AS detail
     FROM steward_internal.audit_triggers t
     JOIN pg_class c ON c.oid = t.relation_id
     JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.enabled IN ('D', 'R') OR t.kind = 'wrong'
       OR steward_internal.audit_unknown_columns(t.relation_id, t.arguments) <> '{}'$$),
(false, 'audit_log', 'tables', NULL, 1, 'tables of the audit log without a trigger, row security, policy or index that they should have',
 NULL, 'SELECT * FROM steward.audit_repair();',
 $$SELECT count(DISTINCT l.relation) AS value, min(format('%s: %s', l.relation, l.what)) AS detail FROM steward_internal.audit_lacks(NULL) l$$),
(false, 'audit_partitions', 'days', 2, 0, 'until when the audit log has partitions ready; after that it writes to the default one',
 'Have it called: SELECT * FROM steward.schedule();', 'SELECT * FROM steward.audit_maintain();',
 $$SELECT CASE WHEN a.exist THEN coalesce(extract(epoch FROM max(p.upper_bound) - clock_timestamp()) / 86400, -1) END AS value,
          CASE WHEN NOT a.exist THEN 'nothing is audited' END AS detail, CASE WHEN NOT a.exist THEN 'DISABLED' END AS status
     FROM (SELECT EXISTS (SELECT FROM steward_internal.audit_triggers) AS exist) a LEFT JOIN steward.audit_partitions p ON a.exist GROUP BY a.exist$$),
(false, 'upkeep_triggers', 'triggers', 1, 1, 'triggers that fail every write, or do not fire',
 NULL, 'SELECT * FROM steward.findings WHERE finding = ''upkeep_trigger'';',
 $$SELECT count(*) AS value, min(format('%s.%I: %s', relation, trigger_name, problem)) AS detail, CASE WHEN bool_and(severity = 'WARNING') THEN 'WARNING' END AS status
     FROM steward_internal.upkeep_problems()$$),
-- tenant_check() takes too long to be asked every minute: see findings
(false, 'tenant_isolation', 'tables', 1, 1, 'tables of tenants that others may read and that have no row security, while some have',
 NULL, 'SELECT * FROM steward.tenant_check();',
 $$SELECT CASE WHEN bool_or(t.row_security) THEN count(*) FILTER (WHERE t.is_open) END AS value,
          CASE WHEN bool_or(t.row_security) THEN min(t.qualified_name) FILTER (WHERE t.is_open) ELSE 'no table of tenants has row security' END AS detail,
          CASE WHEN bool_or(t.row_security) IS NOT TRUE THEN 'DISABLED' END AS status
     FROM (SELECT t.qualified_name, t.row_security,
                  NOT t.row_security AND EXISTS (SELECT FROM aclexplode(t.acl) x WHERE x.grantee <> t.owner_id) AS is_open
             FROM steward_internal.tenant_tables() t
            -- to find columns by name takes a look at all
            WHERE EXISTS (SELECT FROM pg_class c WHERE c.relrowsecurity AND c.relnamespace NOT IN ('steward'::regnamespace, 'steward_internal'::regnamespace))) t$$),
(false, 'tenant_policies', 'policies', 1, NULL, 'policies that are not what they were made to be',
 NULL, 'SELECT * FROM steward.tenant_policies WHERE problem IS NOT NULL;',
 $$SELECT count(*) AS value, min(relation::text) AS detail FROM steward.tenant_policies WHERE problem IS NOT NULL$$),
(false, 'extension_version', 'outdated', 1, NULL, 'whether the extension''s objects are those of its library',
 'End sessions that have an old library.', 'ALTER EXTENSION pg_steward UPDATE;',
 $$SELECT (e.extversion <> steward_internal.library_version())::integer AS value, format('objects %s, library %s', e.extversion, steward_internal.library_version()) AS detail
     FROM pg_extension e WHERE e.extname = 'pg_steward'$$);
