-- monitor_server: statements, replication, WAL, checkpoints, I/O and settings.

-- Columns that are not there are null; "unavailable" says why there are no rows at all.
CREATE FUNCTION steward.statements_source(OUT relation text, OUT unavailable text, OUT remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT format('%I.pg_stat_statements', n.nspname) INTO relation
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements';
    IF relation IS NULL THEN
        unavailable := 'pg_stat_statements is not installed in this database';
        remedy := 'CREATE EXTENSION pg_stat_statements;';
    ELSIF current_setting('pg_stat_statements.max', true) IS NULL THEN
        unavailable := 'pg_stat_statements is not in shared_preload_libraries';
        remedy := 'ALTER SYSTEM SET shared_preload_libraries = ''pg_stat_statements''; and restart the server';
    ELSIF NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = to_regclass(relation) AND a.attname = 'total_exec_time') THEN
        unavailable := 'pg_stat_statements is of an old version';
        remedy := 'ALTER EXTENSION pg_stat_statements UPDATE;';
    END IF;
END $$;
COMMENT ON FUNCTION steward.statements_source() IS
'Where pg_stat_statements is, or why it cannot be read and what to do.';

CREATE FUNCTION steward.statement_rows() RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record;
BEGIN
    SELECT * INTO source FROM steward.statements_source();
    IF source.unavailable IS NULL THEN
        RETURN QUERY EXECUTE format('SELECT to_jsonb(s) FROM %s s', source.relation);
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward.statement_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.statement_rows() TO pg_monitor;
COMMENT ON FUNCTION steward.statement_rows() IS
'The rows of pg_stat_statements, of whatever version and wherever it is; none if it is not there.';

CREATE VIEW steward.slow_queries AS
SELECT d.datname AS database_name, pg_get_userbyid((s.row ->> 'userid')::oid) AS user_name, (s.row ->> 'queryid')::bigint AS query_id,
       (s.row ->> 'toplevel')::boolean AS is_top_level, (s.row ->> 'calls')::bigint AS calls,
       (s.row ->> 'total_exec_time')::double precision / 1000 AS total_seconds,
       round((100 * (s.row ->> 'total_exec_time')::numeric / nullif(sum((s.row ->> 'total_exec_time')::numeric) OVER (), 0)), 2) AS total_percent,
       (s.row ->> 'mean_exec_time')::double precision / 1000 AS mean_seconds, (s.row ->> 'min_exec_time')::double precision / 1000 AS min_seconds,
       (s.row ->> 'max_exec_time')::double precision / 1000 AS max_seconds, (s.row ->> 'stddev_exec_time')::double precision / 1000 AS stddev_seconds,
       (s.row ->> 'total_plan_time')::double precision / 1000 AS plan_seconds,
       (s.row ->> 'rows')::bigint AS rows, round((s.row ->> 'rows')::numeric / nullif((s.row ->> 'calls')::numeric, 0), 1) AS rows_per_call,
       (s.row ->> 'shared_blks_hit')::bigint AS blocks_hit, (s.row ->> 'shared_blks_read')::bigint AS blocks_read,
       (s.row ->> 'shared_blks_dirtied')::bigint AS blocks_dirtied, (s.row ->> 'shared_blks_written')::bigint AS blocks_written,
       (s.row ->> 'temp_blks_read')::bigint AS temp_blocks_read, (s.row ->> 'temp_blks_written')::bigint AS temp_blocks_written,
       -- the older name goes up to 16
       coalesce(s.row ->> 'shared_blk_read_time', s.row ->> 'blk_read_time')::double precision / 1000 AS read_seconds,
       (s.row ->> 'wal_bytes')::numeric AS wal_bytes, (s.row ->> 'stats_since')::timestamptz AS counted_since,
       steward.monitor_query_text(s.row ->> 'query') AS query
  FROM steward.statement_rows() s(row)
  LEFT JOIN pg_database d ON d.oid = (s.row ->> 'dbid')::oid
 ORDER BY (s.row ->> 'total_exec_time')::double precision DESC;
COMMENT ON VIEW steward.slow_queries IS
'What pg_stat_statements has counted, the most expensive in all first; no rows without it: see steward.statements_source().';
GRANT SELECT ON steward.slow_queries TO pg_monitor;

--
-- Replication
--

-- How far this server is: what it has written, or what it has replayed.
CREATE FUNCTION steward.current_lsn() RETURNS pg_lsn
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN pg_is_in_recovery() THEN coalesce(pg_last_wal_replay_lsn(), pg_last_wal_receive_lsn()) ELSE pg_current_wal_lsn() END;
COMMENT ON FUNCTION steward.current_lsn() IS
'The end of the WAL: as written here, on a standby as replayed.';

CREATE VIEW steward.replication AS
SELECT 'to' AS direction, r.application_name AS name, r.client_addr AS address, r.pid, r.usename AS user_name, r.state, r.sync_state,
       (SELECT s.slot_name FROM pg_replication_slots s WHERE s.active_pid = r.pid ORDER BY s.slot_name LIMIT 1) AS slot_name,
       pg_wal_lsn_diff(steward.current_lsn(), r.sent_lsn) AS send_lag_bytes, pg_wal_lsn_diff(steward.current_lsn(), r.write_lsn) AS write_lag_bytes,
       pg_wal_lsn_diff(steward.current_lsn(), r.flush_lsn) AS flush_lag_bytes, pg_wal_lsn_diff(steward.current_lsn(), r.replay_lsn) AS replay_lag_bytes,
       r.write_lag, r.flush_lag, r.replay_lag, clock_timestamp() - r.reply_time AS last_message_age, clock_timestamp() - r.backend_start AS connected_for
  FROM pg_stat_replication r
 UNION ALL
SELECT 'from', w.sender_host, NULL, w.pid, NULL, w.status, NULL, w.slot_name,
       NULL, NULL, NULL, pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()),
       NULL, NULL,
       -- one that has replayed all it got is not behind, however long nothing came
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN interval '0' ELSE clock_timestamp() - pg_last_xact_replay_timestamp() END,
       clock_timestamp() - w.last_msg_receipt_time, NULL
  FROM (SELECT 1) one
  LEFT JOIN pg_stat_wal_receiver w ON true
 WHERE pg_is_in_recovery();
COMMENT ON VIEW steward.replication IS
'The standbys and subscribers of this server, and on a standby where it gets its WAL from; there is a row "from" even if nothing comes.';
GRANT SELECT ON steward.replication TO pg_monitor;

CREATE VIEW steward.replication_slots AS
SELECT s.slot_name, s.slot_type, s.plugin, s.database AS database_name, s.active AS is_active, s.active_pid, s.temporary AS is_temporary,
       pg_wal_lsn_diff(steward.current_lsn(), s.restart_lsn) AS retained_bytes, s.wal_status, s.safe_wal_size AS bytes_until_lost,
       age(s.xmin) AS xmin_age, age(s.catalog_xmin) AS catalog_xmin_age,
       pg_wal_lsn_diff(steward.current_lsn(), s.confirmed_flush_lsn) AS unconfirmed_bytes,
       -- these came with 16 and 17
       (j.row ->> 'conflicting')::boolean AS is_conflicting, j.row ->> 'invalidation_reason' AS invalidation_reason,
       clock_timestamp() - (j.row ->> 'inactive_since')::timestamptz AS inactive_for, (j.row ->> 'failover')::boolean AS is_failover
  FROM pg_replication_slots s
 CROSS JOIN LATERAL (SELECT to_jsonb(s) AS row) j;
COMMENT ON VIEW steward.replication_slots IS
'Replication slots, and how much WAL each keeps.';
GRANT SELECT ON steward.replication_slots TO pg_monitor;

CREATE FUNCTION steward.wal_files_waiting() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT count(*) FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready');
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;
COMMENT ON FUNCTION steward.wal_files_waiting() IS
'How many WAL files wait to be archived; null if the caller may not know.';

CREATE VIEW steward.archiver AS
SELECT current_setting('archive_mode') AS mode,
       a.last_archived_wal, a.last_archived_time, clock_timestamp() - a.last_archived_time AS last_archived_age, a.archived_count,
       a.last_failed_wal, a.last_failed_time, clock_timestamp() - a.last_failed_time AS last_failed_age, a.failed_count,
       -- none failed since the last success: it is idle, not failing
       coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS is_failing,
       CASE WHEN current_setting('archive_mode') <> 'off' THEN steward.wal_files_waiting() END AS files_waiting, a.stats_reset AS counted_since
  FROM pg_stat_archiver a;
COMMENT ON VIEW steward.archiver IS
'Whether WAL is archived, since when it fails, and how many files wait.';
GRANT SELECT ON steward.archiver TO pg_monitor;

CREATE VIEW steward.wal_activity AS
SELECT steward.current_lsn() AS current_lsn, w.wal_records AS records, w.wal_fpi AS full_page_images, w.wal_bytes, w.wal_buffers_full AS buffers_full_times,
       round(100.0 * w.wal_fpi / nullif(w.wal_records, 0), 2) AS full_page_image_percent,
       round(w.wal_bytes / nullif(extract(epoch FROM clock_timestamp() - w.stats_reset), 0)) AS wal_bytes_per_second, w.stats_reset AS counted_since
  FROM pg_stat_wal w;
COMMENT ON VIEW steward.wal_activity IS
'How much WAL was written since the counters were reset.';
GRANT SELECT ON steward.wal_activity TO pg_monitor;

-- What pg_stat_bgwriter knew stands in pg_stat_checkpointer since 17, and writes of sessions in pg_stat_io since 16.
CREATE FUNCTION steward.checkpoint_rows(OUT timed bigint, OUT requested bigint, OUT write_seconds double precision, OUT sync_seconds double precision,
    OUT buffers_written bigint, OUT buffers_cleaned bigint, OUT cleaning_stopped bigint, OUT backend_buffers_written bigint,
    OUT backend_fsyncs bigint, OUT buffers_allocated bigint, OUT restartpoints bigint, OUT counted_since timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    version constant integer := current_setting('server_version_num');
    writer jsonb;
    checkpointer jsonb;
BEGIN
    EXECUTE 'SELECT to_jsonb(b) FROM pg_stat_bgwriter b' INTO writer;
    buffers_cleaned := writer ->> 'buffers_clean';
    cleaning_stopped := writer ->> 'maxwritten_clean';
    buffers_allocated := writer ->> 'buffers_alloc';
    IF version < 170000 THEN
        timed := writer ->> 'checkpoints_timed';
        requested := writer ->> 'checkpoints_req';
        write_seconds := (writer ->> 'checkpoint_write_time')::double precision / 1000;
        sync_seconds := (writer ->> 'checkpoint_sync_time')::double precision / 1000;
        buffers_written := writer ->> 'buffers_checkpoint';
        counted_since := writer ->> 'stats_reset';
    ELSE
        EXECUTE 'SELECT to_jsonb(c) FROM pg_stat_checkpointer c' INTO checkpointer;
        timed := checkpointer ->> 'num_timed';
        requested := checkpointer ->> 'num_requested';
        write_seconds := (checkpointer ->> 'write_time')::double precision / 1000;
        sync_seconds := (checkpointer ->> 'sync_time')::double precision / 1000;
        buffers_written := checkpointer ->> 'buffers_written';
        restartpoints := checkpointer ->> 'restartpoints_done';
        counted_since := checkpointer ->> 'stats_reset';
    END IF;
    IF version < 160000 THEN
        backend_buffers_written := writer ->> 'buffers_backend';
        backend_fsyncs := writer ->> 'buffers_backend_fsync';
    ELSE
        EXECUTE $q$SELECT sum(i.writes) + sum(i.extends), sum(i.fsyncs) FROM pg_stat_io i
                    WHERE i.backend_type NOT IN ('checkpointer', 'background writer') AND i.object = 'relation'$q$
           INTO backend_buffers_written, backend_fsyncs;
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward.checkpoint_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.checkpoint_rows() TO pg_monitor;
COMMENT ON FUNCTION steward.checkpoint_rows() IS
'Counters of checkpoints and of who writes buffers, on every major.';

CREATE VIEW steward.checkpoints AS
SELECT c.timed, c.requested, round(100.0 * c.requested / nullif(c.timed + c.requested, 0), 1) AS requested_percent,
       c.write_seconds, c.sync_seconds, c.buffers_written, c.buffers_cleaned, c.cleaning_stopped, c.backend_buffers_written, c.backend_fsyncs,
       c.buffers_allocated, c.restartpoints, clock_timestamp() - k.checkpoint_time AS last_checkpoint_age,
       pg_wal_lsn_diff(steward.current_lsn(), k.redo_lsn) AS bytes_since_redo, c.counted_since
  FROM steward.checkpoint_rows() c
 CROSS JOIN pg_control_checkpoint() k;
COMMENT ON VIEW steward.checkpoints IS
'How often the server makes checkpoints, and whether on time or for want of WAL space.';
GRANT SELECT ON steward.checkpoints TO pg_monitor;

-- pg_stat_io came with 16, and counts bytes since 18.
CREATE FUNCTION steward.io_rows() RETURNS SETOF jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_catalog.pg_stat_io') IS NOT NULL THEN
        RETURN QUERY EXECUTE 'SELECT to_jsonb(i) FROM pg_catalog.pg_stat_io i';
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward.io_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.io_rows() TO pg_monitor;
COMMENT ON FUNCTION steward.io_rows() IS
'The rows of pg_stat_io; none before 16.';

CREATE VIEW steward.io_activity AS
SELECT i.row ->> 'backend_type' AS backend_type, i.row ->> 'object' AS object, i.row ->> 'context' AS context,
       (i.row ->> 'reads')::bigint AS reads, coalesce((i.row ->> 'read_bytes')::numeric, (i.row ->> 'reads')::numeric * (i.row ->> 'op_bytes')::numeric) AS read_bytes,
       (i.row ->> 'read_time')::double precision / 1000 AS read_seconds,
       (i.row ->> 'writes')::bigint AS writes, coalesce((i.row ->> 'write_bytes')::numeric, (i.row ->> 'writes')::numeric * (i.row ->> 'op_bytes')::numeric) AS write_bytes,
       (i.row ->> 'write_time')::double precision / 1000 AS write_seconds,
       (i.row ->> 'extends')::bigint AS extends, coalesce((i.row ->> 'extend_bytes')::numeric, (i.row ->> 'extends')::numeric * (i.row ->> 'op_bytes')::numeric) AS extend_bytes,
       (i.row ->> 'hits')::bigint AS hits, (i.row ->> 'evictions')::bigint AS evictions, (i.row ->> 'reuses')::bigint AS reuses,
       (i.row ->> 'fsyncs')::bigint AS fsyncs, (i.row ->> 'stats_reset')::timestamptz AS counted_since
  FROM steward.io_rows() i(row);
COMMENT ON VIEW steward.io_activity IS
'Who reads and writes how much, from 16 on.';
GRANT SELECT ON steward.io_activity TO pg_monitor;

CREATE VIEW steward.settings_changed AS
SELECT s.name, s.setting, s.unit, s.boot_val AS built_in, s.source, s.context, s.pending_restart, NULL::name AS database_name, NULL::name AS role_name
  FROM pg_settings s
 WHERE s.setting IS DISTINCT FROM s.boot_val AND s.source NOT IN ('default', 'override', 'client', 'session') OR s.pending_restart
 UNION ALL
SELECT split_part(c.config, '=', 1), substr(c.config, strpos(c.config, '=') + 1), s.unit, s.boot_val,
       CASE WHEN r.setdatabase = 0 THEN 'role' WHEN r.setrole = 0 THEN 'database' ELSE 'role in database' END, s.context, false,
       d.datname, CASE WHEN r.setrole <> 0 THEN pg_get_userbyid(r.setrole) END
  FROM pg_db_role_setting r
 CROSS JOIN LATERAL unnest(r.setconfig) c(config)
  LEFT JOIN pg_settings s ON s.name = split_part(c.config, '=', 1)
  LEFT JOIN pg_database d ON d.oid = r.setdatabase;
COMMENT ON VIEW steward.settings_changed IS
'Settings that are not the built-in ones, by whom they were changed, and those that wait for a restart.';
GRANT SELECT ON steward.settings_changed TO pg_monitor;
