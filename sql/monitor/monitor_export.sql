-- monitor_export: figures for other programs: Prometheus' postgres_exporter, and node_exporter's textfile collector.

CREATE FUNCTION steward.metric_columns(columns jsonb, OUT place bigint, OUT column_name text, OUT usage text, OUT help text) RETURNS SETOF record
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT c.place, c.entry ->> 0, c.entry ->> 1, c.entry ->> 2
      FROM jsonb_array_elements(columns) WITH ORDINALITY c(entry, place);
END;
COMMENT ON FUNCTION steward.metric_columns(jsonb) IS
'Returns the columns of steward.metrics.columns: where each stands, its name, usage and help.';

CREATE FUNCTION steward_internal.metric_columns_valid(columns jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- the exporter adds a label "server" of its own
    SELECT coalesce(bool_or(c.usage <> 'LABEL')
                    AND bool_and(c.column_name IS NOT NULL AND c.column_name ~ '^[a-zA-Z_][a-zA-Z0-9_]*$' AND c.help IS NOT NULL AND c.help <> ''
                                 AND coalesce(c.usage IN ('GAUGE', 'COUNTER') OR c.usage = 'LABEL' AND c.column_name <> 'server', false))
                    AND count(*) = count(DISTINCT c.column_name), false)
      FROM steward.metric_columns(columns) c;
END;
COMMENT ON FUNCTION steward_internal.metric_columns_valid(jsonb) IS
'Returns whether what an exporter is told of a query''s columns makes sense.';

CREATE TABLE steward.metrics (
    namespace     text PRIMARY KEY CHECK (namespace ~ '^[a-zA-Z_][a-zA-Z0-9_]*$'),
    query         text NOT NULL CHECK (query ~ '\S' AND query !~ ';\s*$'),
    columns       jsonb NOT NULL CHECK (steward_internal.metric_columns_valid(columns)),
    scope         text NOT NULL DEFAULT 'database' CHECK (scope IN ('cluster', 'database')),
    cache_seconds integer NOT NULL DEFAULT 0 CHECK (cache_seconds >= 0),
    is_custom     boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE steward.metrics IS
'What is exported: queries whose rows are figures and the labels that tell the rows apart. A metric is called namespace_column.';
COMMENT ON COLUMN steward.metrics.namespace IS 'How the names of the metrics begin.';
COMMENT ON COLUMN steward.metrics.query IS 'SELECT that gives the columns, without a semicolon; no two rows have the same labels.';
COMMENT ON COLUMN steward.metrics.columns IS 'Array of [name, LABEL or GAUGE or COUNTER, help]; a label is text and never null, all else a number or boolean.';
COMMENT ON COLUMN steward.metrics.scope IS 'Whether every database gives the same.';
COMMENT ON COLUMN steward.metrics.cache_seconds IS 'For how long the exporter may say the same again, in seconds.';
COMMENT ON COLUMN steward.metrics.is_custom IS 'Not one of the extension''s own.';
GRANT SELECT ON steward.metrics TO pg_monitor;
SELECT pg_extension_config_dump('steward.metrics', 'WHERE is_custom');

-- What is not known is left out by rows, since the exporter makes NaN of null. What may have any number of rows has the
-- foremost 25 or 100 of them.
INSERT INTO steward.metrics (is_custom, namespace, scope, cache_seconds, query, columns) VALUES
--
-- Of the server
--
(false, 'pg_steward', 'cluster', 0,
 $$SELECT current_setting('server_version') AS version, e.extversion AS extension_version, 1 AS info
  FROM pg_catalog.pg_extension e
 WHERE e.extname = 'pg_steward'$$,
 '[["version", "LABEL", "version of the server"],
   ["extension_version", "LABEL", "version of pg_steward"],
   ["info", "GAUGE", "always 1"]]'),
(false, 'pg_steward_server', 'cluster', 0,
 $$SELECT pg_is_in_recovery() AS in_recovery, extract(epoch FROM pg_postmaster_start_time()) AS start_time_seconds$$,
 '[["in_recovery", "GAUGE", "1 on a standby, else 0"],
   ["start_time_seconds", "GAUGE", "when the server was started, as Unix time"]]'),
(false, 'pg_steward_connections', 'cluster', 0,
 $$SELECT c.scope, coalesce(c.name, '')::text AS name, c.used, c.active, c.idle, c.idle_in_transaction
  FROM steward.connections c
 WHERE c.scope = 'cluster' OR c.used > 0
 ORDER BY c.scope <> 'cluster', c.used DESC, c.scope, c.name
 LIMIT 100$$,
 '[["scope", "LABEL", "cluster, database or role"],
   ["name", "LABEL", "the database or role"],
   ["used", "GAUGE", "connections of clients"],
   ["active", "GAUGE", "of these, those that run a query"],
   ["idle", "GAUGE", "of these, those that wait for a command, outside a transaction"],
   ["idle_in_transaction", "GAUGE", "of these, those that wait for a command in a transaction"]]'),
(false, 'pg_steward_connection', 'cluster', 0,
 $$SELECT c.scope, coalesce(c.name, '')::text AS name, c.connection_limit AS "limit"
  FROM steward.connections c
 WHERE c.connection_limit IS NOT NULL
 ORDER BY c.scope <> 'cluster', c.used_percent DESC NULLS LAST, c.scope, c.name
 LIMIT 100$$,
 '[["scope", "LABEL", "cluster, database or role"],
   ["name", "LABEL", "the database or role"],
   ["limit", "GAUGE", "connections that ordinary clients may have"]]'),
(false, 'pg_steward_activity', 'cluster', 0,
 $$SELECT coalesce(s.database_name, '')::text AS database, coalesce(s.backend_type, '') AS backend_type, coalesce(s.state, '') AS state,
       sum(s.sessions) AS sessions, sum(s.waiting_for_lock) AS waiting_for_lock,
       coalesce(extract(epoch FROM max(s.longest_transaction)), 0) AS longest_transaction_seconds,
       coalesce(extract(epoch FROM max(s.longest_query)), 0) AS longest_query_seconds
  FROM steward.activity_summary s
 GROUP BY 1, 2, 3$$,
 '[["database", "LABEL", "the database, empty for processes that have none"],
   ["backend_type", "LABEL", "kind of process"],
   ["state", "LABEL", "active, idle and so on, empty for processes of the server"],
   ["sessions", "GAUGE", "processes"],
   ["waiting_for_lock", "GAUGE", "of these, those that wait for a lock"],
   ["longest_transaction_seconds", "GAUGE", "age of the oldest transaction, 0 if there is none"],
   ["longest_query_seconds", "GAUGE", "age of the oldest running query, 0 if there is none"]]'),
(false, 'pg_steward_waits', 'cluster', 0,
 $$SELECT coalesce(a.wait_event_type, '') AS wait_event_type, count(*) AS sessions
  FROM steward.activity a
 WHERE a.backend_type = 'client backend' AND a.state = 'active'
 GROUP BY 1$$,
 '[["wait_event_type", "LABEL", "what for, empty if for nothing"],
   ["sessions", "GAUGE", "running queries of clients that wait"]]'),
(false, 'pg_steward_transactions', 'cluster', 0,
 $$SELECT coalesce(extract(epoch FROM max(t.transaction_age) FILTER (WHERE t.prepared_id IS NULL)), 0) AS longest_seconds,
       coalesce(extract(epoch FROM max(t.state_age) FILTER (WHERE t.state LIKE 'idle in transaction%')), 0) AS longest_idle_seconds,
       count(t.prepared_id) AS prepared,
       coalesce(extract(epoch FROM max(t.transaction_age) FILTER (WHERE t.prepared_id IS NOT NULL)), 0) AS oldest_prepared_seconds
  FROM steward.long_transactions t$$,
 '[["longest_seconds", "GAUGE", "age of the oldest transaction of a session"],
   ["longest_idle_seconds", "GAUGE", "longest that a session has left its transaction idle"],
   ["prepared", "GAUGE", "prepared transactions"],
   ["oldest_prepared_seconds", "GAUGE", "since when the oldest of them is prepared"]]'),
(false, 'pg_steward_locks', 'cluster', 0,
 $$SELECT l.mode, coalesce(sum(l.locks) FILTER (WHERE l.granted), 0) AS held, coalesce(sum(l.locks) FILTER (WHERE NOT l.granted), 0) AS waited_for
  FROM steward.lock_summary l
 GROUP BY l.mode$$,
 '[["mode", "LABEL", "mode of the locks"],
   ["held", "GAUGE", "locks held"],
   ["waited_for", "GAUGE", "locks waited for"]]'),
(false, 'pg_steward_lock', 'cluster', 0,
 $$SELECT coalesce(sum(l.holders) FILTER (WHERE NOT l.granted), 0) AS waiters,
       coalesce(extract(epoch FROM max(l.longest_wait)), 0) AS longest_wait_seconds,
       coalesce(sum(l.lock_table_percent), 0) / 100 AS table_used_ratio
  FROM steward.lock_summary l$$,
 '[["waiters", "GAUGE", "sessions that wait for a lock"],
   ["longest_wait_seconds", "GAUGE", "longest of these waits"],
   ["table_used_ratio", "GAUGE", "locks held, of what the lock table is made for"]]'),
(false, 'pg_steward_xmin', 'cluster', 0,
 $$SELECT x.kind, max(x.xid_age) AS age
  FROM steward.xmin_horizon x
 GROUP BY x.kind$$,
 '[["kind", "LABEL", "who keeps VACUUM from removing row versions: session, replication slot and so on"],
   ["age", "GAUGE", "how old these row versions may be, in transactions"]]'),
(false, 'pg_steward_wraparound', 'cluster', 60,
 $$SELECT w.database_name::text AS database, w.xid_age, w.xid_freeze_percent / 100 AS xid_freeze_ratio, w.xid_stop_percent / 100 AS xid_stop_ratio,
       w.multixact_age, w.multixact_freeze_percent / 100 AS multixact_freeze_ratio, w.multixact_stop_percent / 100 AS multixact_stop_ratio
  FROM steward.wraparound w
 ORDER BY greatest(w.xid_stop_percent, w.multixact_stop_percent) DESC, w.database_name
 LIMIT 100$$,
 '[["database", "LABEL", "the database"],
   ["xid_age", "GAUGE", "age of its oldest transaction id, in transactions"],
   ["xid_freeze_ratio", "GAUGE", "the same, of autovacuum_freeze_max_age"],
   ["xid_stop_ratio", "GAUGE", "the same, of where the server takes no more writes"],
   ["multixact_age", "GAUGE", "age of its oldest multixact, in multixacts"],
   ["multixact_freeze_ratio", "GAUGE", "the same, of autovacuum_multixact_freeze_max_age"],
   ["multixact_stop_ratio", "GAUGE", "the same, of where the server takes no more writes"]]'),
--
-- WAL, checkpoints and replication
--
(false, 'pg_steward_replication', 'cluster', 0,
 $$SELECT d.direction, count(r.pid) AS connections
  FROM (VALUES ('to'), (CASE WHEN pg_is_in_recovery() THEN 'from' END)) d(direction)
  LEFT JOIN steward.replication r ON r.direction = d.direction
 WHERE d.direction IS NOT NULL
 GROUP BY d.direction$$,
 '[["direction", "LABEL", "to standbys and subscribers, or from where a standby gets its WAL"],
   ["connections", "GAUGE", "connections that WAL goes through"]]'),
(false, 'pg_steward_replication_lag', 'cluster', 0,
 $$SELECT r.direction, coalesce(r.name, '') AS name, coalesce(host(r.address), '') AS address, s.stage, max(s.bytes) AS bytes
  FROM steward.replication r
 CROSS JOIN LATERAL (VALUES ('send', r.send_lag_bytes), ('write', r.write_lag_bytes), ('flush', r.flush_lag_bytes), ('replay', r.replay_lag_bytes)) s(stage, bytes)
 WHERE s.bytes IS NOT NULL
 GROUP BY 1, 2, 3, 4
 ORDER BY bytes DESC, 1, 2, 3, 4
 LIMIT 100$$,
 '[["direction", "LABEL", "to a standby or subscriber, or from where a standby gets its WAL"],
   ["name", "LABEL", "application_name of the standby, or host of the primary"],
   ["address", "LABEL", "address of the standby, empty for a socket"],
   ["stage", "LABEL", "send, write, flush or replay"],
   ["bytes", "GAUGE", "WAL that is not yet so far"]]'),
(false, 'pg_steward_replication_delay', 'cluster', 0,
 $$SELECT r.direction, coalesce(r.name, '') AS name, coalesce(host(r.address), '') AS address, s.stage, extract(epoch FROM max(s.delay)) AS seconds
  FROM steward.replication r
 CROSS JOIN LATERAL (VALUES ('write', r.write_lag), ('flush', r.flush_lag), ('replay', r.replay_lag)) s(stage, delay)
 WHERE s.delay IS NOT NULL
 GROUP BY 1, 2, 3, 4
 ORDER BY seconds DESC, 1, 2, 3, 4
 LIMIT 100$$,
 '[["direction", "LABEL", "to a standby or subscriber, or from where a standby gets its WAL"],
   ["name", "LABEL", "application_name of the standby, or host of the primary"],
   ["address", "LABEL", "address of the standby, empty for a socket"],
   ["stage", "LABEL", "write, flush or replay"],
   ["seconds", "GAUGE", "how long WAL took to get so far; not there while nothing is written"]]'),
(false, 'pg_steward_slot', 'cluster', 0,
 $$SELECT s.slot_name::text AS slot_name, s.slot_type, coalesce(s.database_name, '')::text AS database, s.is_active AS active,
       coalesce(s.wal_status IN ('lost', 'unreserved'), false) OR s.invalidation_reason IS NOT NULL AS lost,
       -- one that never was used keeps nothing
       coalesce(s.retained_bytes, 0) AS retained_bytes, coalesce(greatest(s.xmin_age, s.catalog_xmin_age), 0) AS xmin_age
  FROM steward.replication_slots s
 WHERE NOT s.is_temporary
 ORDER BY s.retained_bytes DESC NULLS LAST, s.slot_name
 LIMIT 100$$,
 '[["slot_name", "LABEL", "the slot"],
   ["slot_type", "LABEL", "physical or logical"],
   ["database", "LABEL", "the database of a logical slot"],
   ["active", "GAUGE", "1 while somebody reads from it, else 0"],
   ["lost", "GAUGE", "1 if WAL that it needs is gone or soon will be, else 0"],
   ["retained_bytes", "GAUGE", "WAL that it keeps"],
   ["xmin_age", "GAUGE", "age of the row versions that it keeps, in transactions"]]'),
(false, 'pg_steward_archiver', 'cluster', 0,
 $$SELECT a.archived_count AS archived_total, a.failed_count AS failed_total, a.is_failing AS failing, a.files_waiting,
       extract(epoch FROM coalesce(a.last_archived_age, clock_timestamp() - a.counted_since)) AS last_success_age_seconds
  FROM steward.archiver a
 WHERE a.mode <> 'off' AND a.files_waiting IS NOT NULL$$,
 '[["archived_total", "COUNTER", "WAL files archived"],
   ["failed_total", "COUNTER", "attempts that failed"],
   ["failing", "GAUGE", "1 if the last attempt failed, else 0"],
   ["files_waiting", "GAUGE", "WAL files that wait to be archived"],
   ["last_success_age_seconds", "GAUGE", "since the last file was archived, or the counters were reset"]]'),
(false, 'pg_steward_wal', 'cluster', 0,
 $$SELECT w.records AS records_total, w.full_page_images AS full_page_images_total, w.wal_bytes AS bytes_total, w.buffers_full_times AS buffers_full_total,
       w.current_lsn - '0/0'::pg_catalog.pg_lsn AS position_bytes
  FROM steward.wal_activity w$$,
 '[["records_total", "COUNTER", "WAL records written"],
   ["full_page_images_total", "COUNTER", "pages written to WAL whole"],
   ["bytes_total", "COUNTER", "WAL written"],
   ["buffers_full_total", "COUNTER", "times that WAL was written because wal_buffers was full"],
   ["position_bytes", "GAUGE", "where WAL ends, on a standby how far it is replayed"]]'),
(false, 'pg_steward_wal_directory', 'cluster', 60,
 $$SELECT count(*) AS files, coalesce(sum(f.size), 0) AS bytes
  FROM pg_catalog.pg_ls_waldir() f
 WHERE f.name ~ '^[0-9A-F]{24}$'$$,
 '[["files", "GAUGE", "WAL files there are"],
   ["bytes", "GAUGE", "room that they take"]]'),
(false, 'pg_steward_checkpoints', 'cluster', 0,
 $$SELECT c.timed AS timed_total, c.requested AS requested_total, c.write_seconds AS write_seconds_total, c.sync_seconds AS sync_seconds_total,
       c.buffers_written AS buffers_written_total, c.buffers_cleaned AS buffers_cleaned_total, c.cleaning_stopped AS cleaning_stopped_total,
       c.backend_buffers_written AS backend_buffers_written_total, c.buffers_allocated AS buffers_allocated_total,
       extract(epoch FROM c.last_checkpoint_age) AS last_age_seconds, c.bytes_since_redo AS since_redo_bytes
  FROM steward.checkpoints c$$,
 '[["timed_total", "COUNTER", "checkpoints because checkpoint_timeout had passed"],
   ["requested_total", "COUNTER", "checkpoints because max_wal_size was reached, or somebody asked"],
   ["write_seconds_total", "COUNTER", "time that checkpoints spent writing"],
   ["sync_seconds_total", "COUNTER", "time that checkpoints spent synchronizing files"],
   ["buffers_written_total", "COUNTER", "buffers written by checkpoints"],
   ["buffers_cleaned_total", "COUNTER", "buffers written by the background writer"],
   ["cleaning_stopped_total", "COUNTER", "times that the background writer stopped at bgwriter_lru_maxpages"],
   ["backend_buffers_written_total", "COUNTER", "buffers written by everybody else"],
   ["buffers_allocated_total", "COUNTER", "buffers filled anew"],
   ["last_age_seconds", "GAUGE", "since the last checkpoint"],
   ["since_redo_bytes", "GAUGE", "WAL that a crash would replay"]]'),
(false, 'pg_steward_io', 'cluster', 0,
 $$SELECT i.backend_type, i.object, i.context, o.operation, o.operations AS operations_total, coalesce(o.bytes, 0) AS bytes_total, coalesce(o.seconds, 0) AS seconds_total
  FROM steward.io_activity i
 CROSS JOIN LATERAL (VALUES ('read', i.reads, i.read_bytes, i.read_seconds), ('write', i.writes, i.write_bytes, i.write_seconds),
                            ('extend', i.extends, i.extend_bytes, NULL)) o(operation, operations, bytes, seconds)
 WHERE o.operations > 0$$,
 '[["backend_type", "LABEL", "kind of process"],
   ["object", "LABEL", "relation, temp relation or wal"],
   ["context", "LABEL", "normal, vacuum, bulkread, bulkwrite or init"],
   ["operation", "LABEL", "read, write or extend"],
   ["operations_total", "COUNTER", "how often; from PostgreSQL 16 on"],
   ["bytes_total", "COUNTER", "how much; from PostgreSQL 16 on"],
   ["seconds_total", "COUNTER", "how long it took, of reads and writes if track_io_timing is on; from PostgreSQL 16 on"]]'),
--
-- Databases and statements
--
(false, 'pg_steward_database', 'cluster', 0,
 $$SELECT d.database_name::text AS database, d.commits AS commits_total, d.rollbacks AS rollbacks_total,
       d.blocks_hit AS blocks_hit_total, d.blocks_read AS blocks_read_total, d.rows_read AS rows_read_total, d.rows_fetched AS rows_fetched_total,
       d.rows_inserted AS rows_inserted_total, d.rows_updated AS rows_updated_total, d.rows_deleted AS rows_deleted_total,
       d.conflicts AS conflicts_total, d.deadlocks AS deadlocks_total, d.temp_files AS temp_files_total, d.temp_bytes AS temp_bytes_total,
       d.active_seconds AS active_seconds_total, d.idle_in_transaction_seconds AS idle_in_transaction_seconds_total, d.sessions AS sessions_total,
       d.sessions_abandoned + d.sessions_fatal + d.sessions_killed AS sessions_broken_total
  FROM steward.database_stats d
 WHERE d.database_name IS NOT NULL
 ORDER BY d.commits + d.rollbacks DESC, d.database_name
 LIMIT 100$$,
 '[["database", "LABEL", "the database"],
   ["commits_total", "COUNTER", "transactions committed"],
   ["rollbacks_total", "COUNTER", "transactions rolled back"],
   ["blocks_hit_total", "COUNTER", "blocks found in shared buffers"],
   ["blocks_read_total", "COUNTER", "blocks read into them"],
   ["rows_read_total", "COUNTER", "rows that scans returned"],
   ["rows_fetched_total", "COUNTER", "of these, by index scans"],
   ["rows_inserted_total", "COUNTER", "rows inserted"],
   ["rows_updated_total", "COUNTER", "rows updated"],
   ["rows_deleted_total", "COUNTER", "rows deleted"],
   ["conflicts_total", "COUNTER", "queries cancelled because a standby had to replay"],
   ["deadlocks_total", "COUNTER", "deadlocks"],
   ["temp_files_total", "COUNTER", "temporary files that queries made"],
   ["temp_bytes_total", "COUNTER", "what was written to them"],
   ["active_seconds_total", "COUNTER", "time spent running queries"],
   ["idle_in_transaction_seconds_total", "COUNTER", "time that transactions were idle"],
   ["sessions_total", "COUNTER", "sessions begun"],
   ["sessions_broken_total", "COUNTER", "sessions that did not end by themselves"]]'),
(false, 'pg_steward_database_file', 'cluster', 0,
 $$SELECT d.database_name::text AS database, d.read_seconds AS read_seconds_total, d.write_seconds AS write_seconds_total
  FROM steward.database_stats d
 WHERE d.database_name IS NOT NULL AND d.read_seconds IS NOT NULL AND d.write_seconds IS NOT NULL
 ORDER BY d.commits + d.rollbacks DESC, d.database_name
 LIMIT 100$$,
 '[["database", "LABEL", "the database"],
   ["read_seconds_total", "COUNTER", "time spent reading blocks, if track_io_timing is on"],
   ["write_seconds_total", "COUNTER", "time spent writing blocks, if track_io_timing is on"]]'),
(false, 'pg_steward_database_size', 'cluster', 300,
 $$SELECT s.database_name::text AS database, s.database_bytes AS bytes
  FROM steward.database_sizes s
 WHERE s.database_bytes IS NOT NULL
 ORDER BY s.database_bytes DESC, s.database_name
 LIMIT 100$$,
 '[["database", "LABEL", "the database"],
   ["bytes", "GAUGE", "room that it takes"]]'),
(false, 'pg_steward_statements', 'cluster', 60,
 $$SELECT count(*) AS entries, coalesce(sum(q.calls), 0) AS calls_total, coalesce(sum(q.total_seconds), 0) AS seconds_total, coalesce(sum(q.rows), 0) AS rows_total,
       coalesce(sum(q.temp_blocks_written), 0) AS temp_blocks_written_total, coalesce(sum(q.wal_bytes), 0) AS wal_bytes_total
  FROM steward.slow_queries q
HAVING (SELECT s.unavailable IS NULL FROM steward.statements_source() s)$$,
 '[["entries", "GAUGE", "statements that pg_stat_statements has counters of"],
   ["calls_total", "COUNTER", "how often they ran; falls when some make room for others"],
   ["seconds_total", "COUNTER", "how long they ran"],
   ["rows_total", "COUNTER", "rows that they returned or changed"],
   ["temp_blocks_written_total", "COUNTER", "blocks of temporary files that they wrote"],
   ["wal_bytes_total", "COUNTER", "WAL that they wrote"]]'),
--
-- Of each database
--
(false, 'pg_steward_health', 'database', 15,
 $$SELECT current_database()::text AS database, h.check_name AS "check", h.status_code AS status, h.value, h.elapsed_ms / 1000 AS duration_seconds
  FROM steward.health_check h$$,
 '[["database", "LABEL", "the database"],
   ["check", "LABEL", "the check"],
   ["status", "GAUGE", "0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, 4 DISABLED"],
   ["value", "GAUGE", "what the check found, in its unit; NaN or not there if that is not known"],
   ["duration_seconds", "GAUGE", "how long the check took"]]'),
(false, 'pg_steward_findings', 'database', 300,
 $$SELECT current_database()::text AS database, f.severity, f.finding, count(*) AS objects
  FROM steward.findings f
 GROUP BY f.severity, f.finding$$,
 '[["database", "LABEL", "the database"],
   ["severity", "LABEL", "INFO, WARNING or CRITICAL"],
   ["finding", "LABEL", "kind of finding"],
   ["objects", "GAUGE", "findings that are not muted"]]'),
(false, 'pg_steward_autovacuum', 'database', 60,
 $$SELECT current_database()::text AS database, count(*) FILTER (WHERE 'vacuum' = ANY (q.due)) AS vacuum_due, count(*) FILTER (WHERE 'insert' = ANY (q.due)) AS insert_due,
       count(*) FILTER (WHERE 'analyze' = ANY (q.due)) AS analyze_due, count(*) FILTER (WHERE 'freeze' = ANY (q.due)) AS freeze_due
  FROM steward.autovacuum_queue q
 WHERE NOT pg_is_in_recovery()
HAVING NOT pg_is_in_recovery()$$,
 '[["database", "LABEL", "the database"],
   ["vacuum_due", "GAUGE", "tables that have too many dead rows"],
   ["insert_due", "GAUGE", "tables that have too many new rows"],
   ["analyze_due", "GAUGE", "tables that have too many changed rows"],
   ["freeze_due", "GAUGE", "tables that are too old"]]'),
(false, 'pg_steward_vacuum', 'database', 60,
 $$SELECT current_database()::text AS database, q.schema_name::text AS schema, q.table_name::text AS "table", q.dead_rows, q.vacuum_pressure AS pressure_ratio,
       q.freeze_pressure AS freeze_ratio
  FROM steward.autovacuum_queue q
 WHERE q.dead_rows IS NOT NULL AND q.vacuum_pressure IS NOT NULL AND q.freeze_pressure IS NOT NULL AND NOT pg_is_in_recovery()
   AND q.table_bytes >= 100 * current_setting('block_size')::bigint
 ORDER BY greatest(q.vacuum_pressure, q.freeze_pressure) DESC, q.relation_id
 LIMIT 25$$,
 '[["database", "LABEL", "the database"],
   ["schema", "LABEL", "schema of the table"],
   ["table", "LABEL", "one of the 25 that need VACUUM most, of a hundred pages or more"],
   ["dead_rows", "GAUGE", "rows that VACUUM would remove"],
   ["pressure_ratio", "GAUGE", "dead rows, of what autovacuum lets pass"],
   ["freeze_ratio", "GAUGE", "age, of where autovacuum freezes the table"]]'),
(false, 'pg_steward_table_size', 'database', 300,
 $$SELECT current_database()::text AS database, t.nspname::text AS schema, t.relname::text AS "table", z.heap_bytes, z.toast_bytes, z.index_bytes
  FROM (SELECT c.oid, n.nspname, c.relname, steward.try_relation_size(c.oid) AS heap_bytes
          FROM pg_catalog.pg_class c
          JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
         ORDER BY heap_bytes DESC NULLS LAST, c.oid
         LIMIT 25) t
 CROSS JOIN LATERAL steward.relation_sizes(t.oid) z
 WHERE z.heap_bytes + z.toast_bytes + z.index_bytes IS NOT NULL$$,
 '[["database", "LABEL", "the database"],
   ["schema", "LABEL", "schema of the table"],
   ["table", "LABEL", "one of the 25 largest"],
   ["heap_bytes", "GAUGE", "room that its rows take"],
   ["toast_bytes", "GAUGE", "room that its long values take"],
   ["index_bytes", "GAUGE", "room that its indexes take"]]'),
(false, 'pg_steward_table_bloat', 'database', 600,
 $$SELECT current_database()::text AS database, b.schema_name::text AS schema, b.table_name::text AS "table", b.bloat_bytes AS bytes, b.bloat_percent / 100 AS ratio
  FROM steward.table_bloat b
 WHERE b.reliable AND b.bloat_bytes IS NOT NULL AND b.bloat_percent IS NOT NULL
 ORDER BY b.bloat_bytes DESC, b.relation_id
 LIMIT 25$$,
 '[["database", "LABEL", "the database"],
   ["schema", "LABEL", "schema of the table"],
   ["table", "LABEL", "one of the 25 with most bloat"],
   ["bytes", "GAUGE", "room that it would not take if it were rewritten, an estimate"],
   ["ratio", "GAUGE", "the same, of its size"]]'),
(false, 'pg_steward_index_bloat', 'database', 600,
 $$SELECT current_database()::text AS database, b.schema_name::text AS schema, b.index_name::text AS "index", b.bloat_bytes AS bytes, b.bloat_percent / 100 AS ratio
  FROM steward.index_bloat b
 WHERE b.reliable AND b.bloat_bytes IS NOT NULL AND b.bloat_percent IS NOT NULL
 ORDER BY b.bloat_bytes DESC, b.index_id
 LIMIT 25$$,
 '[["database", "LABEL", "the database"],
   ["schema", "LABEL", "schema of the index"],
   ["index", "LABEL", "one of the 25 with most bloat"],
   ["bytes", "GAUGE", "room that it would not take if it were rebuilt, an estimate"],
   ["ratio", "GAUGE", "the same, of its size"]]'),
(false, 'pg_steward_sequence', 'database', 60,
 $$SELECT current_database()::text AS database, s.schema_name::text AS schema, s.sequence_name::text AS sequence, s.used_percent / 100 AS used_ratio
  FROM steward.sequence_usage s
 WHERE s.used_percent IS NOT NULL AND NOT s.cycles
 ORDER BY s.used_percent DESC, s.schema_name, s.sequence_name
 LIMIT 25$$,
 '[["database", "LABEL", "the database"],
   ["schema", "LABEL", "schema of the sequence"],
   ["sequence", "LABEL", "one of the 25 nearest to their end that do not cycle"],
   ["used_ratio", "GAUGE", "numbers that it has given, of those that fit it and its column"]]'),
(false, 'pg_steward_audit', 'database', 300,
 $$SELECT current_database()::text AS database, count(*) AS partitions, coalesce(sum(z.heap_bytes + z.toast_bytes + z.index_bytes + z.other_bytes), 0) AS log_bytes
  FROM pg_catalog.pg_inherits i
 CROSS JOIN LATERAL steward.relation_sizes(i.inhrelid) z
 WHERE i.inhparent = 'steward.audit_events'::pg_catalog.regclass$$,
 '[["database", "LABEL", "the database"],
   ["partitions", "GAUGE", "partitions of the audit log"],
   ["log_bytes", "GAUGE", "room that they take"]]'),
(false, 'pg_steward_snapshot', 'database', 60,
 $$SELECT current_database()::text AS database, extract(epoch FROM clock_timestamp() - max(s.taken_at)) AS last_age_seconds
  FROM steward.snapshots s
  JOIN pg_catalog.pg_database d ON d.oid = s.database_id
 WHERE d.datname = current_database()
HAVING count(*) > 0$$,
 '[["database", "LABEL", "the database"],
   ["last_age_seconds", "GAUGE", "since the last snapshot was taken"]]');

--
-- For postgres_exporter
--

CREATE FUNCTION steward_internal.yaml_text(value text) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- YAML takes some characters above ASCII for line breaks
    SELECT '"' || string_agg(CASE WHEN c.letter IN ('"', '\') THEN '\' || c.letter
                                  WHEN c.code > 65535 AND c.is_unicode THEN '\U' || lpad(to_hex(c.code), 8, '0')
                                  WHEN c.code < 32 OR c.code > 126 AND c.is_unicode THEN '\u' || lpad(to_hex(c.code), 4, '0')
                                  ELSE c.letter END, '' ORDER BY c.place) || '"'
      FROM (SELECT s.letter, ascii(s.letter) AS code, getdatabaseencoding() = 'UTF8' AS is_unicode, s.place
              FROM regexp_split_to_table(value, '') WITH ORDINALITY s(letter, place)) c;
END;
COMMENT ON FUNCTION steward_internal.yaml_text(text) IS
'Returns a text that is not empty, as YAML has it between double quotes.';

CREATE FUNCTION steward.exporter_config(namespaces text DEFAULT '') RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT string_agg(concat(
               m.namespace, E':\n  query: ',
               -- readable where YAML leaves it as it is
               CASE WHEN m.query ~ '^[!-~][ -~\n]*[!-~]$' THEN E'|-\n    ' || replace(m.query, E'\n', E'\n    ') ELSE steward_internal.yaml_text(m.query) END,
               CASE WHEN m.scope = 'cluster' THEN E'\n  master: true' END,
               CASE WHEN m.cache_seconds > 0 THEN E'\n  cache_seconds: ' || m.cache_seconds END,
               E'\n  metrics:',
               (SELECT string_agg(format(E'\n    - "%s":\n        usage: "%s"\n        description: %s', c.column_name, c.usage, steward_internal.yaml_text(c.help)), '' ORDER BY c.place)
                  FROM steward.metric_columns(m.columns) c)),
               E'\n' ORDER BY m.namespace COLLATE "C")
      FROM steward.metrics m
     WHERE m.namespace ~ namespaces;
END;
REVOKE ALL ON FUNCTION steward.exporter_config(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.exporter_config(text) TO pg_monitor;
COMMENT ON FUNCTION steward.exporter_config(text) IS
'Returns the queries file of postgres_exporter, with the namespaces that match a regular expression.';

--
-- For the textfile collector
--

CREATE FUNCTION steward_internal.metric_label(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN '"' || replace(replace(replace(coalesce(value, ''), '\', '\\'), '"', '\"'), E'\n', '\n') || '"';
COMMENT ON FUNCTION steward_internal.metric_label(text) IS
'Returns the value of a label as Prometheus'' text format has it.';

CREATE FUNCTION steward_internal.metric_lines(namespace text, columns jsonb, found jsonb) RETURNS SETOF text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH samples AS (
        SELECT f.place, f.sample,
               (SELECT '{' || string_agg(l.column_name || '=' || steward_internal.metric_label(f.sample ->> l.column_name), ',' ORDER BY l.place) || '}'
                  FROM steward.metric_columns(columns) l WHERE l.usage = 'LABEL') AS labels
          FROM jsonb_array_elements(found) WITH ORDINALITY f(sample, place)
    ), lines AS (
        SELECT c.place AS of_column, 0 AS of_sample, v.line
          FROM steward.metric_columns(columns) c
         CROSS JOIN LATERAL (VALUES
               (format('# HELP %s_%s %s', namespace, c.column_name, replace(replace(c.help, '\', '\\'), E'\n', '\n'))),
               (format('# TYPE %s_%s %s', namespace, c.column_name, lower(c.usage COLLATE "C")))) v(line)
         WHERE c.usage <> 'LABEL'
         UNION ALL
        SELECT c.place, s.place, format('%s_%s%s %s', namespace, c.column_name, s.labels,
               CASE jsonb_typeof(s.sample -> c.column_name) WHEN 'boolean' THEN (s.sample -> c.column_name)::boolean::integer
                    ELSE (s.sample ->> c.column_name)::double precision END)
          FROM steward.metric_columns(columns) c
         CROSS JOIN samples s
         WHERE c.usage <> 'LABEL' AND s.sample ->> c.column_name IS NOT NULL
    )
    SELECT l.line FROM lines l ORDER BY l.of_column, l.of_sample, l.line COLLATE "C";
END;
COMMENT ON FUNCTION steward_internal.metric_lines(text, jsonb, jsonb) IS
'Returns the rows of a query as Prometheus'' text format has them; null is left out.';

CREATE FUNCTION steward.openmetrics(namespaces text DEFAULT '', scope text DEFAULT NULL) RETURNS SETOF text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET jit = off
AS $$
DECLARE
    metric record;
    found jsonb;
    lines text[];
    failed text[] := '{}';
BEGIN
    FOR metric IN
        SELECT m.namespace, m.query, m.columns FROM steward.metrics m
         WHERE m.namespace ~ namespaces AND (openmetrics.scope IS NULL OR m.scope = openmetrics.scope)
         ORDER BY m.namespace COLLATE "C"
    LOOP
        BEGIN
            EXECUTE format(E'SELECT jsonb_agg(q) FROM (%s\n) q', metric.query) INTO found;
            lines := ARRAY(SELECT l FROM steward_internal.metric_lines(metric.namespace, metric.columns, found) l);
            -- what reads it takes no line twice
            IF EXISTS (SELECT FROM unnest(lines) l WHERE l NOT LIKE '#%' GROUP BY regexp_replace(l, ' \S+$', '') HAVING count(*) > 1) THEN
                RAISE cardinality_violation USING MESSAGE = 'rows have the same labels';
            END IF;
            RETURN QUERY SELECT l.line FROM unnest(lines) WITH ORDINALITY l(line, place) ORDER BY l.place;
            failed := failed || format('pg_steward_query_failed{namespace="%s"} 0', metric.namespace);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING USING ERRCODE = SQLSTATE, MESSAGE = format('%s: %s', metric.namespace, SQLERRM);
            failed := failed || format('pg_steward_query_failed{namespace="%s"} 1', metric.namespace);
        END;
    END LOOP;
    RETURN QUERY SELECT unnest('{# HELP pg_steward_query_failed 1 if the query of a namespace failed\, else 0,# TYPE pg_steward_query_failed gauge}' || failed);
END $$;
REVOKE ALL ON FUNCTION steward.openmetrics(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.openmetrics(text, text) TO pg_monitor;
COMMENT ON FUNCTION steward.openmetrics(text, text) IS
'Returns the metrics in Prometheus'' text format, for a textfile collector; by namespace (a regular expression) and scope (cluster or database).';
