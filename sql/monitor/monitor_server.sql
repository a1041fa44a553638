-- monitor_server: statements, replication, WAL, checkpoints, I/O and settings.

-- A look with LIMIT 0 asks for the rights and reads nothing.
CREATE FUNCTION steward.statements_source(OUT relation text, OUT unavailable text, OUT remedy text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    schema_name name;
BEGIN
    SELECT n.nspname INTO schema_name
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements';
    IF schema_name IS NULL THEN
        unavailable := 'pg_stat_statements is not installed in this database';
        remedy := 'CREATE EXTENSION pg_stat_statements;';
        RETURN;
    END IF;
    relation := format('%I.pg_stat_statements', schema_name);
    -- current_setting() would also find what a configuration file says to a library that is not there
    IF NOT EXISTS (SELECT FROM pg_settings s WHERE s.name = 'pg_stat_statements.max') THEN
        unavailable := 'pg_stat_statements is not in shared_preload_libraries, which takes a restart';
        -- as a list: one string would be the name of one library
        remedy := format('ALTER SYSTEM SET shared_preload_libraries = %s;',
                         (SELECT string_agg(quote_literal(btrim(l.name, ' "')), ', ' ORDER BY l.place)
                            FROM unnest(string_to_array(current_setting('shared_preload_libraries'), ',') || 'pg_stat_statements'::text) WITH ORDINALITY l(name, place)));
    ELSIF NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = schema_name AND c.relname = 'pg_stat_statements' AND a.attname = 'total_exec_time') THEN
        unavailable := 'pg_stat_statements is of an old version';
        remedy := 'ALTER EXTENSION pg_stat_statements UPDATE;';
    ELSE
        BEGIN
            EXECUTE format('SELECT FROM %s LIMIT 0', relation);
        EXCEPTION WHEN insufficient_privilege THEN
            unavailable := SQLERRM;
            remedy := format('GRANT USAGE ON SCHEMA %I TO pg_monitor; GRANT SELECT ON %s TO pg_monitor;', schema_name, relation);
        END;
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward.statements_source() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.statements_source() TO pg_monitor;
COMMENT ON FUNCTION steward.statements_source() IS
'Returns where pg_stat_statements is, or why it cannot be read and what to do.';

CREATE FUNCTION steward_internal.statement_rows() RETURNS SETOF jsonb
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
REVOKE ALL ON FUNCTION steward_internal.statement_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.statement_rows() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.statement_rows() IS
'Returns the rows of pg_stat_statements, of whatever version and wherever it is; none if it is not there.';

CREATE VIEW steward.slow_queries AS
SELECT d.datname AS database_name, pg_get_userbyid(s.userid) AS user_name, s.queryid AS query_id, s.toplevel AS is_top_level, s.calls,
       s.total_exec_time / 1000 AS total_seconds,
       -- what a function runs is counted within its caller's time too
       round((100 * s.total_exec_time / nullif(sum(s.total_exec_time) FILTER (WHERE coalesce(s.toplevel, true)) OVER (), 0))::numeric, 2) AS total_percent,
       s.mean_exec_time / 1000 AS mean_seconds, s.min_exec_time / 1000 AS min_seconds, s.max_exec_time / 1000 AS max_seconds,
       s.stddev_exec_time / 1000 AS stddev_seconds, s.total_plan_time / 1000 AS plan_seconds,
       s.rows, round(s.rows::numeric / nullif(s.calls, 0), 1) AS rows_per_call,
       s.shared_blks_hit AS blocks_hit, s.shared_blks_read AS blocks_read,
       round(100.0 * s.shared_blks_hit / nullif(s.shared_blks_hit + s.shared_blks_read, 0), 2) AS hit_percent,
       s.shared_blks_dirtied AS blocks_dirtied, s.shared_blks_written AS blocks_written,
       s.temp_blks_read AS temp_blocks_read, s.temp_blks_written AS temp_blocks_written,
       coalesce(s.shared_blk_read_time, s.blk_read_time) / 1000 AS read_seconds,
       s.wal_bytes, s.stats_since AS counted_since, steward_internal.monitor_query_text(s.query) AS query
  FROM steward_internal.statement_rows() r(row)
 -- what a version lacks is null
 CROSS JOIN LATERAL jsonb_to_record(r.row) AS s(
       userid oid, dbid oid, queryid bigint, toplevel boolean, calls bigint, total_exec_time double precision, mean_exec_time double precision,
       min_exec_time double precision, max_exec_time double precision, stddev_exec_time double precision, total_plan_time double precision,
       rows bigint, shared_blks_hit bigint, shared_blks_read bigint, shared_blks_dirtied bigint, shared_blks_written bigint,
       temp_blks_read bigint, temp_blks_written bigint, blk_read_time double precision, shared_blk_read_time double precision,
       wal_bytes numeric, stats_since timestamptz, query text)
  LEFT JOIN pg_database d ON d.oid = s.dbid
 ORDER BY s.total_exec_time DESC;
COMMENT ON VIEW steward.slow_queries IS
'What pg_stat_statements has counted, the most expensive in all first; no rows without it: see steward.statements_source().';
COMMENT ON COLUMN steward.slow_queries.database_name IS 'Null if it was dropped.';
COMMENT ON COLUMN steward.slow_queries.user_name IS 'Who ran it.';
COMMENT ON COLUMN steward.slow_queries.query_id IS 'The same for statements that differ in constants only; null for those of others unless the reader may see them.';
COMMENT ON COLUMN steward.slow_queries.is_top_level IS 'False for what a function ran; null before version 1.9 of pg_stat_statements.';
COMMENT ON COLUMN steward.slow_queries.calls IS 'How often it ran to its end.';
COMMENT ON COLUMN steward.slow_queries.total_seconds IS 'Time of execution, in all.';
COMMENT ON COLUMN steward.slow_queries.total_percent IS 'Its part of the time of all top-level statements of the server.';
COMMENT ON COLUMN steward.slow_queries.mean_seconds IS 'Time of execution, per call.';
COMMENT ON COLUMN steward.slow_queries.min_seconds IS 'The shortest execution.';
COMMENT ON COLUMN steward.slow_queries.max_seconds IS 'The longest execution.';
COMMENT ON COLUMN steward.slow_queries.stddev_seconds IS 'Standard deviation of the time of execution.';
COMMENT ON COLUMN steward.slow_queries.plan_seconds IS 'Time of planning, in all; 0 unless pg_stat_statements.track_planning is on.';
COMMENT ON COLUMN steward.slow_queries.rows IS 'Rows returned or changed, in all.';
COMMENT ON COLUMN steward.slow_queries.rows_per_call IS 'Rows returned or changed, per call.';
COMMENT ON COLUMN steward.slow_queries.blocks_hit IS 'Blocks of tables and indexes found in shared buffers.';
COMMENT ON COLUMN steward.slow_queries.blocks_read IS 'Blocks of tables and indexes that were not there.';
COMMENT ON COLUMN steward.slow_queries.hit_percent IS 'Blocks found in shared buffers, of those looked for; null if none was.';
COMMENT ON COLUMN steward.slow_queries.blocks_dirtied IS 'Blocks changed that were clean before.';
COMMENT ON COLUMN steward.slow_queries.blocks_written IS 'Blocks it had to write itself.';
COMMENT ON COLUMN steward.slow_queries.temp_blocks_read IS 'Blocks read from temporary files: sorts and hashes that did not fit work_mem.';
COMMENT ON COLUMN steward.slow_queries.temp_blocks_written IS 'Blocks written to temporary files.';
COMMENT ON COLUMN steward.slow_queries.read_seconds IS 'Time spent reading blocks; 0 unless track_io_timing is on.';
COMMENT ON COLUMN steward.slow_queries.wal_bytes IS 'WAL it wrote, bytes.';
COMMENT ON COLUMN steward.slow_queries.counted_since IS 'When it was first seen; null before version 1.11 of pg_stat_statements.';
COMMENT ON COLUMN steward.slow_queries.query IS 'Its text with parameters for constants, as far as steward.monitor_query_length lets it be shown.';
GRANT SELECT ON steward.slow_queries TO pg_monitor;

--
-- Replication
--

-- A standby sends on what it has received, replayed or not.
CREATE FUNCTION steward_internal.current_lsn() RETURNS pg_lsn
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN pg_is_in_recovery() THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END;
COMMENT ON FUNCTION steward_internal.current_lsn() IS
'Returns the end of the WAL: as written here, on a standby as received or replayed.';

CREATE VIEW steward.replication AS
SELECT 'to' AS direction, r.application_name AS name, r.client_addr AS address, r.pid, r.usename AS user_name, r.state, r.sync_state,
       (SELECT s.slot_name FROM pg_replication_slots s WHERE s.active_pid = r.pid ORDER BY s.slot_name LIMIT 1) AS slot_name,
       pg_wal_lsn_diff(c.lsn, r.sent_lsn) AS send_lag_bytes, pg_wal_lsn_diff(c.lsn, r.write_lsn) AS write_lag_bytes,
       pg_wal_lsn_diff(c.lsn, r.flush_lsn) AS flush_lag_bytes, pg_wal_lsn_diff(c.lsn, r.replay_lsn) AS replay_lag_bytes,
       -- the server has no figure for who has all there is
       CASE WHEN r.write_lsn >= c.lsn THEN interval '0' ELSE r.write_lag END AS write_lag,
       CASE WHEN r.flush_lsn >= c.lsn THEN interval '0' ELSE r.flush_lag END AS flush_lag,
       CASE WHEN r.replay_lsn >= c.lsn THEN interval '0' ELSE r.replay_lag END AS replay_lag,
       clock_timestamp() - r.reply_time AS last_message_age, clock_timestamp() - r.backend_start AS connected_for
  FROM pg_stat_replication r
 CROSS JOIN steward_internal.current_lsn() c(lsn)
 UNION ALL
SELECT 'from', w.sender_host, NULL, w.pid, NULL, w.status, NULL, w.slot_name,
       NULL, NULL, NULL, CASE WHEN w.pid IS NOT NULL THEN pg_wal_lsn_diff(greatest(l.received, l.replayed), l.replayed) END,
       NULL, NULL,
       -- one that has replayed all it gets is not behind, however long nothing came; one that gets nothing cannot know
       CASE WHEN w.status = 'streaming' AND l.received <= l.replayed THEN interval '0' ELSE clock_timestamp() - pg_last_xact_replay_timestamp() END,
       clock_timestamp() - w.last_msg_receipt_time, NULL
  FROM (SELECT pg_last_wal_receive_lsn() AS received, pg_last_wal_replay_lsn() AS replayed) l
  LEFT JOIN pg_stat_wal_receiver w ON true
 WHERE pg_is_in_recovery();
COMMENT ON VIEW steward.replication IS
'The standbys and subscribers of this server, and on a standby where it gets its WAL from; there is a row "from" even if nothing comes.';
COMMENT ON COLUMN steward.replication.direction IS 'To: a standby, subscriber or backup that gets WAL from here; from: where this standby gets it.';
COMMENT ON COLUMN steward.replication.name IS 'application_name of the receiver; for from, the host of the sender.';
COMMENT ON COLUMN steward.replication.address IS 'Address of the receiver; null for a local one and for from.';
COMMENT ON COLUMN steward.replication.pid IS 'Process of this server; null for from if nothing is connected.';
COMMENT ON COLUMN steward.replication.user_name IS 'Role of the receiver; null for from.';
COMMENT ON COLUMN steward.replication.state IS 'One of streaming, catchup, backup and so on; see pg_stat_replication and pg_stat_wal_receiver.';
COMMENT ON COLUMN steward.replication.sync_state IS 'One of async, sync, potential or quorum; null for from.';
COMMENT ON COLUMN steward.replication.slot_name IS 'The replication slot in use, if any.';
COMMENT ON COLUMN steward.replication.send_lag_bytes IS 'WAL that is here and not sent; null for from.';
COMMENT ON COLUMN steward.replication.write_lag_bytes IS 'WAL that is here and the receiver has not written; null for from.';
COMMENT ON COLUMN steward.replication.flush_lag_bytes IS 'WAL that is here and not on the disk of the receiver; null for from.';
COMMENT ON COLUMN steward.replication.replay_lag_bytes IS 'WAL that is here and the receiver has not replayed; for from, received here and not replayed; null if that is not told.';
COMMENT ON COLUMN steward.replication.write_lag IS 'How long it took to write, as last measured; 0 for who has all, else null if it was not measured of late.';
COMMENT ON COLUMN steward.replication.flush_lag IS 'How long it took to flush, as last measured; 0 for who has all, else null if it was not measured of late.';
COMMENT ON COLUMN steward.replication.replay_lag IS 'How long it took to replay, as last measured; it does not grow while replay is paused there. For from, age of the last transaction replayed, 0 if all is.';
COMMENT ON COLUMN steward.replication.last_message_age IS 'Since the receiver, or for from the sender, was last heard of; by the clock of the receiver.';
COMMENT ON COLUMN steward.replication.connected_for IS 'Since the receiver connected; null for from.';
GRANT SELECT ON steward.replication TO pg_monitor;

CREATE VIEW steward.replication_slots AS
SELECT s.slot_name, s.slot_type, s.plugin, s.database AS database_name, s.active AS is_active, s.active_pid, s.temporary AS is_temporary,
       pg_wal_lsn_diff(steward_internal.current_lsn(), s.restart_lsn) AS retained_bytes, s.wal_status, s.safe_wal_size AS bytes_until_lost,
       age(s.xmin) AS xmin_age, age(s.catalog_xmin) AS catalog_xmin_age,
       pg_wal_lsn_diff(steward_internal.current_lsn(), s.confirmed_flush_lsn) AS unconfirmed_bytes,
       (j.row ->> 'conflicting')::boolean AS is_conflicting,
       -- before 17 a slot that is lost and not in conflict has lost its WAL
       coalesce(j.row ->> 'invalidation_reason', CASE WHEN s.wal_status = 'lost' AND (j.row ->> 'conflicting') IS DISTINCT FROM 'true' THEN 'wal_removed' END) AS invalidation_reason,
       clock_timestamp() - (j.row ->> 'inactive_since')::timestamptz AS inactive_for, (j.row ->> 'failover')::boolean AS is_failover,
       (j.row ->> 'synced')::boolean AS is_synced
  FROM pg_replication_slots s
 CROSS JOIN LATERAL (SELECT to_jsonb(s) AS row) j;
COMMENT ON VIEW steward.replication_slots IS
'Replication slots, and how much WAL each keeps.';
COMMENT ON COLUMN steward.replication_slots.slot_name IS 'Unique on the server.';
COMMENT ON COLUMN steward.replication_slots.slot_type IS 'One of physical or logical.';
COMMENT ON COLUMN steward.replication_slots.plugin IS 'What decodes the WAL; null for physical slots.';
COMMENT ON COLUMN steward.replication_slots.database_name IS 'Null for physical slots.';
COMMENT ON COLUMN steward.replication_slots.is_active IS 'Whether somebody uses it now.';
COMMENT ON COLUMN steward.replication_slots.active_pid IS 'Who uses it.';
COMMENT ON COLUMN steward.replication_slots.is_temporary IS 'Gone with the session that made it.';
COMMENT ON COLUMN steward.replication_slots.retained_bytes IS 'WAL from where the slot needs it to the end, bytes; null if it needs none, or has lost it.';
COMMENT ON COLUMN steward.replication_slots.wal_status IS 'One of reserved, extended (beyond max_wal_size), unreserved (may be lost at the next checkpoint) or lost.';
COMMENT ON COLUMN steward.replication_slots.bytes_until_lost IS 'WAL that can be written before the slot is in danger of being lost, bytes; null without max_slot_wal_keep_size.';
COMMENT ON COLUMN steward.replication_slots.xmin_age IS 'Transactions since the oldest whose row versions it keeps.';
COMMENT ON COLUMN steward.replication_slots.catalog_xmin_age IS 'The same for row versions of catalogs.';
COMMENT ON COLUMN steward.replication_slots.unconfirmed_bytes IS 'WAL that the subscriber has not confirmed, bytes; null for physical slots.';
COMMENT ON COLUMN steward.replication_slots.is_conflicting IS 'Lost because rows it needs were removed on the primary; null for physical slots, and before 16.';
COMMENT ON COLUMN steward.replication_slots.invalidation_reason IS 'Why it is lost, null if it is not; before 17 wal_removed or null.';
COMMENT ON COLUMN steward.replication_slots.inactive_for IS 'Since it was last used; null while it is, and before 17.';
COMMENT ON COLUMN steward.replication_slots.is_failover IS 'Copied to standbys; null before 17.';
COMMENT ON COLUMN steward.replication_slots.is_synced IS 'Copied from the primary: never active on a standby, and not to be dropped there; null before 17.';
GRANT SELECT ON steward.replication_slots TO pg_monitor;

--
-- WAL and its archive
--

CREATE FUNCTION steward_internal.wal_files_waiting() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT count(*) FROM pg_ls_archive_statusdir() f WHERE f.name LIKE '%.ready');
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION steward_internal.wal_files_waiting() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.wal_files_waiting() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.wal_files_waiting() IS
'Returns how many WAL files wait to be archived; null if the caller may not know.';

CREATE VIEW steward.archiver AS
SELECT m.mode, a.last_archived_wal, a.last_archived_time, clock_timestamp() - a.last_archived_time AS last_archived_age, a.archived_count,
       a.last_failed_wal, a.last_failed_time, clock_timestamp() - a.last_failed_time AS last_failed_age, a.failed_count,
       CASE WHEN m.mode <> 'off' THEN
            -- none failed since the last success: it is idle, not failing
            coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false)
            -- the server waits for a command, and counts no failure
            OR (m.mode = 'always' OR NOT pg_is_in_recovery()) AND current_setting('archive_command') = '' AND current_setting('archive_library') = '' END AS is_failing,
       CASE WHEN m.mode <> 'off' THEN steward_internal.wal_files_waiting() END AS files_waiting, a.stats_reset AS counted_since
  FROM pg_stat_archiver a
 CROSS JOIN current_setting('archive_mode') m(mode);
COMMENT ON VIEW steward.archiver IS
'Whether WAL is archived, since when it fails, and how many files wait.';
COMMENT ON COLUMN steward.archiver.mode IS 'archive_mode: off, on (not while this is a standby) or always.';
COMMENT ON COLUMN steward.archiver.last_archived_wal IS 'The file archived last.';
COMMENT ON COLUMN steward.archiver.last_archived_time IS 'When; null if none was since counted_since.';
COMMENT ON COLUMN steward.archiver.last_archived_age IS 'How long ago; long on a server that writes nothing.';
COMMENT ON COLUMN steward.archiver.archived_count IS 'Files archived since counted_since.';
COMMENT ON COLUMN steward.archiver.last_failed_wal IS 'The file whose archiving failed last.';
COMMENT ON COLUMN steward.archiver.last_failed_time IS 'When; null if none did since counted_since.';
COMMENT ON COLUMN steward.archiver.last_failed_age IS 'How long ago.';
COMMENT ON COLUMN steward.archiver.failed_count IS 'Attempts that failed since counted_since.';
COMMENT ON COLUMN steward.archiver.is_failing IS 'The last attempt failed, or nothing says how to archive; null if archive_mode is off.';
COMMENT ON COLUMN steward.archiver.files_waiting IS 'WAL files that wait to be archived; null if archive_mode is off.';
COMMENT ON COLUMN steward.archiver.counted_since IS 'When the counters began.';
GRANT SELECT ON steward.archiver TO pg_monitor;

CREATE VIEW steward.wal_activity AS
SELECT steward_internal.current_lsn() AS current_lsn, w.wal_records AS records, w.wal_fpi AS full_page_images, w.wal_bytes, w.wal_buffers_full AS buffers_full_times,
       round(100.0 * w.wal_fpi / nullif(w.wal_records, 0), 2) AS full_page_image_percent,
       round(w.wal_bytes / nullif(extract(epoch FROM clock_timestamp() - w.stats_reset), 0)) AS wal_bytes_per_second, w.stats_reset AS counted_since
  FROM pg_stat_wal w;
COMMENT ON VIEW steward.wal_activity IS
'How much WAL was written since the counters were reset; a standby writes next to none of its own.';
COMMENT ON COLUMN steward.wal_activity.current_lsn IS 'The end of the WAL: as written here, on a standby as received or replayed.';
COMMENT ON COLUMN steward.wal_activity.records IS 'WAL records written.';
COMMENT ON COLUMN steward.wal_activity.full_page_images IS 'Whole pages among them: the first change of each page after a checkpoint.';
COMMENT ON COLUMN steward.wal_activity.wal_bytes IS 'WAL written, bytes.';
COMMENT ON COLUMN steward.wal_activity.buffers_full_times IS 'How often WAL had to be written because wal_buffers was full.';
COMMENT ON COLUMN steward.wal_activity.full_page_image_percent IS 'Full page images for each 100 records; null if there are none.';
COMMENT ON COLUMN steward.wal_activity.wal_bytes_per_second IS 'On average since counted_since.';
COMMENT ON COLUMN steward.wal_activity.counted_since IS 'When the counters began.';
GRANT SELECT ON steward.wal_activity TO pg_monitor;

-- pg_stat_io came with 16; up to 17 it counts blocks, from 18 on operations and bytes.
CREATE FUNCTION steward_internal.io_rows(OUT backend_type text, OUT object text, OUT context text, OUT reads bigint, OUT read_bytes numeric, OUT read_time double precision,
    OUT writes bigint, OUT write_bytes numeric, OUT write_time double precision, OUT extends bigint, OUT extend_bytes numeric,
    OUT hits bigint, OUT evictions bigint, OUT reuses bigint, OUT fsyncs bigint, OUT stats_reset timestamptz) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('pg_catalog.pg_stat_io') IS NOT NULL THEN
        RETURN QUERY EXECUTE $q$
            SELECT i.backend_type, i.object, i.context, i.reads, coalesce((j.row ->> 'read_bytes')::numeric, i.reads * (j.row ->> 'op_bytes')::numeric), i.read_time,
                   i.writes, coalesce((j.row ->> 'write_bytes')::numeric, i.writes * (j.row ->> 'op_bytes')::numeric), i.write_time,
                   i.extends, coalesce((j.row ->> 'extend_bytes')::numeric, i.extends * (j.row ->> 'op_bytes')::numeric),
                   i.hits, i.evictions, i.reuses, i.fsyncs, i.stats_reset
              FROM pg_catalog.pg_stat_io i CROSS JOIN LATERAL (SELECT to_jsonb(i) AS row) j$q$;
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward_internal.io_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.io_rows() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.io_rows() IS
'Returns the rows of pg_stat_io, with bytes on every major; none before 16.';

-- What pg_stat_bgwriter knew stands in pg_stat_checkpointer since 17, and writes of sessions in pg_stat_io.
CREATE FUNCTION steward_internal.checkpoint_rows(OUT timed bigint, OUT requested bigint, OUT done bigint, OUT write_seconds double precision, OUT sync_seconds double precision,
    OUT buffers_written bigint, OUT slru_written bigint, OUT buffers_cleaned bigint, OUT cleaning_stopped bigint, OUT backend_buffers_written bigint,
    OUT backend_fsyncs bigint, OUT buffers_allocated bigint, OUT restartpoints bigint, OUT counted_since timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    writer jsonb;
    checkpointer jsonb;
BEGIN
    EXECUTE 'SELECT to_jsonb(b) FROM pg_stat_bgwriter b' INTO writer;
    buffers_cleaned := writer ->> 'buffers_clean';
    cleaning_stopped := writer ->> 'maxwritten_clean';
    buffers_allocated := writer ->> 'buffers_alloc';
    IF current_setting('server_version_num')::integer < 170000 THEN
        timed := writer ->> 'checkpoints_timed';
        requested := writer ->> 'checkpoints_req';
        write_seconds := (writer ->> 'checkpoint_write_time')::double precision / 1000;
        sync_seconds := (writer ->> 'checkpoint_sync_time')::double precision / 1000;
        buffers_written := writer ->> 'buffers_checkpoint';
        backend_buffers_written := writer ->> 'buffers_backend';
        backend_fsyncs := writer ->> 'buffers_backend_fsync';
        counted_since := writer ->> 'stats_reset';
    ELSE
        EXECUTE 'SELECT to_jsonb(c) FROM pg_stat_checkpointer c' INTO checkpointer;
        timed := checkpointer ->> 'num_timed';
        requested := checkpointer ->> 'num_requested';
        done := checkpointer ->> 'num_done';
        write_seconds := (checkpointer ->> 'write_time')::double precision / 1000;
        sync_seconds := (checkpointer ->> 'sync_time')::double precision / 1000;
        buffers_written := checkpointer ->> 'buffers_written';
        slru_written := checkpointer ->> 'slru_written';
        restartpoints := checkpointer ->> 'restartpoints_done';
        counted_since := checkpointer ->> 'stats_reset';
        SELECT (coalesce(sum(i.write_bytes), 0) + coalesce(sum(i.extend_bytes), 0)) / current_setting('block_size')::integer, coalesce(sum(i.fsyncs), 0)
          INTO backend_buffers_written, backend_fsyncs
          FROM steward_internal.io_rows() i
         WHERE i.backend_type NOT IN ('checkpointer', 'background writer') AND i.object = 'relation';
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward_internal.checkpoint_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.checkpoint_rows() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.checkpoint_rows() IS
'Counters of checkpoints and of who writes buffers, on every major.';

CREATE VIEW steward.checkpoints AS
SELECT c.timed, c.requested, round(100.0 * c.requested / nullif(c.timed + c.requested, 0), 1) AS requested_percent, c.done,
       c.write_seconds, c.sync_seconds, c.buffers_written, c.slru_written, c.buffers_cleaned, c.cleaning_stopped, c.backend_buffers_written, c.backend_fsyncs,
       c.buffers_allocated, c.restartpoints, clock_timestamp() - k.checkpoint_time AS last_checkpoint_age,
       pg_wal_lsn_diff(steward_internal.current_lsn(), k.redo_lsn) AS bytes_since_redo, c.counted_since
  FROM steward_internal.checkpoint_rows() c
 CROSS JOIN pg_control_checkpoint() k;
COMMENT ON VIEW steward.checkpoints IS
'How often the server makes checkpoints, and whether on time or for want of WAL space.';
COMMENT ON COLUMN steward.checkpoints.timed IS 'Checkpoints whose time had come, also those left out because nothing had been written; before 17 restartpoints of a standby too.';
COMMENT ON COLUMN steward.checkpoints.requested IS 'Checkpoints made because max_wal_size was reached or somebody asked; before 17 restartpoints of a standby too.';
COMMENT ON COLUMN steward.checkpoints.requested_percent IS 'Requested, of all; high: raise max_wal_size; null if there was none.';
COMMENT ON COLUMN steward.checkpoints.done IS 'Checkpoints that were carried out; null before 18.';
COMMENT ON COLUMN steward.checkpoints.write_seconds IS 'Time spent writing; a checkpoint spreads it over checkpoint_completion_target of the time.';
COMMENT ON COLUMN steward.checkpoints.sync_seconds IS 'Time spent waiting for the disk.';
COMMENT ON COLUMN steward.checkpoints.buffers_written IS 'Buffers that checkpoints wrote.';
COMMENT ON COLUMN steward.checkpoints.slru_written IS 'Buffers of commit log and the like that checkpoints wrote; null before 18.';
COMMENT ON COLUMN steward.checkpoints.buffers_cleaned IS 'Buffers that the background writer wrote.';
COMMENT ON COLUMN steward.checkpoints.cleaning_stopped IS 'How often it stopped at bgwriter_lru_maxpages.';
COMMENT ON COLUMN steward.checkpoints.backend_buffers_written IS 'Buffers of tables and indexes that others wrote or added, mostly sessions.';
COMMENT ON COLUMN steward.checkpoints.backend_fsyncs IS 'How often these had to sync files themselves.';
COMMENT ON COLUMN steward.checkpoints.buffers_allocated IS 'Buffers that were taken for another block.';
COMMENT ON COLUMN steward.checkpoints.restartpoints IS 'Restartpoints that were carried out on a standby; null before 17.';
COMMENT ON COLUMN steward.checkpoints.last_checkpoint_age IS 'Since the last checkpoint began; on a standby the primarys that it has restarted from.';
COMMENT ON COLUMN steward.checkpoints.bytes_since_redo IS 'WAL that a crash now would have to replay, bytes.';
COMMENT ON COLUMN steward.checkpoints.counted_since IS 'When the counters of checkpoints began; from 17 on the others have their own, see pg_stat_bgwriter and io_activity.';
GRANT SELECT ON steward.checkpoints TO pg_monitor;

CREATE VIEW steward.io_activity AS
SELECT i.backend_type, i.object, i.context, i.reads, i.read_bytes, i.read_time / 1000 AS read_seconds,
       i.writes, i.write_bytes, i.write_time / 1000 AS write_seconds, i.extends, i.extend_bytes,
       i.hits, i.evictions, i.reuses, i.fsyncs, i.stats_reset AS counted_since
  FROM steward_internal.io_rows() i;
COMMENT ON VIEW steward.io_activity IS
'Who reads and writes how much; no rows before 16. What does not occur is null.';
COMMENT ON COLUMN steward.io_activity.backend_type IS 'Kind of process; with object and context it identifies a row.';
COMMENT ON COLUMN steward.io_activity.object IS 'One of relation, temp relation, and from 18 on wal.';
COMMENT ON COLUMN steward.io_activity.context IS 'One of normal, or vacuum, bulkread and bulkwrite, which use a few buffers only, or init of WAL files.';
COMMENT ON COLUMN steward.io_activity.reads IS 'Blocks read, from 18 on reads; compare bytes.';
COMMENT ON COLUMN steward.io_activity.read_bytes IS 'Bytes read.';
COMMENT ON COLUMN steward.io_activity.read_seconds IS 'Time spent reading; 0 unless track_io_timing, for WAL track_wal_io_timing, is on.';
COMMENT ON COLUMN steward.io_activity.writes IS 'Blocks written, from 18 on writes; compare bytes.';
COMMENT ON COLUMN steward.io_activity.write_bytes IS 'Bytes written.';
COMMENT ON COLUMN steward.io_activity.write_seconds IS 'Time spent writing; 0 unless track_io_timing, for WAL track_wal_io_timing, is on.';
COMMENT ON COLUMN steward.io_activity.extends IS 'Blocks added to files, from 18 on extensions of files; compare bytes.';
COMMENT ON COLUMN steward.io_activity.extend_bytes IS 'Bytes added to files.';
COMMENT ON COLUMN steward.io_activity.hits IS 'Blocks found in shared buffers.';
COMMENT ON COLUMN steward.io_activity.evictions IS 'Blocks put out of shared buffers to make room.';
COMMENT ON COLUMN steward.io_activity.reuses IS 'Buffers used again within a small ring, as VACUUM does.';
COMMENT ON COLUMN steward.io_activity.fsyncs IS 'How often files were synced.';
COMMENT ON COLUMN steward.io_activity.counted_since IS 'When the counters began.';
GRANT SELECT ON steward.io_activity TO pg_monitor;

--
-- Settings
--

-- Reports are mailed and metrics stored: better one value too many that is not shown.
CREATE FUNCTION steward_internal.setting_shown(name text, value text, type text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE
    WHEN value IN ('', '(disabled)') OR type IN ('bool', 'enum', 'integer', 'real') THEN value
    WHEN name COLLATE "C" ~* '(key|secret|passw|passphrase|pwd|token|credential|salt|pepper|conninfo)' AND name COLLATE "C" !~* '(file|dir|directory|path)$' THEN '(hidden)'
    -- the program, but not what it is told
    WHEN name COLLATE "C" ~* 'command$' THEN concat_ws(' ', CASE WHEN split_part(value, ' ', 1) !~ '[=@:;&|()`$]' THEN split_part(value, ' ', 1) END, CASE WHEN value ~ '[ =@:;&|()`$]' THEN '(hidden)' END)
    WHEN value COLLATE "C" ~* '://[^/]*@|(key|secret|passw\w*|passphrase|pwd|token)[''"]?\s*[=:]|-----BEGIN' THEN '(hidden)'
    ELSE value END;
REVOKE ALL ON FUNCTION steward_internal.setting_shown(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.setting_shown(text, text, text) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.setting_shown(text, text, text) IS
'Returns the value of a setting, or (hidden) if it can hold a password or key.';

CREATE VIEW steward.settings_changed AS
SELECT s.name, steward_internal.setting_shown(s.name, s.setting, s.vartype) AS setting, s.unit, s.boot_val AS built_in,
       CASE WHEN s.sourcefile LIKE '%postgresql.auto.conf' THEN 'ALTER SYSTEM' ELSE s.source END AS source, s.context, s.pending_restart,
       NULL::name AS database_name, NULL::name AS role_name
  FROM pg_settings s
 -- those of roles and databases follow, and what this session alone says is nobody else's
 WHERE s.setting IS DISTINCT FROM s.boot_val AND s.source IN ('configuration file', 'command line', 'environment variable') OR s.pending_restart
 UNION ALL
SELECT k.name, steward_internal.setting_shown(k.name, k.value, s.vartype), CASE WHEN k.value ~ '^[-.0-9]+$' THEN s.unit END, s.boot_val,
       CASE WHEN r.setrole <> 0 AND r.setdatabase <> 0 THEN 'role in database' WHEN r.setrole <> 0 THEN 'role' WHEN r.setdatabase <> 0 THEN 'database' ELSE 'all roles' END,
       s.context, false, d.datname, CASE WHEN r.setrole <> 0 THEN pg_get_userbyid(r.setrole) END
  FROM pg_db_role_setting r
 CROSS JOIN LATERAL unnest(r.setconfig) c(config)
 CROSS JOIN LATERAL (SELECT split_part(c.config, '=', 1) AS name, substr(c.config, strpos(c.config, '=') + 1) AS value) k
  LEFT JOIN pg_settings s ON lower(s.name COLLATE "C") = lower(k.name COLLATE "C")
  LEFT JOIN pg_database d ON d.oid = r.setdatabase;
COMMENT ON VIEW steward.settings_changed IS
'Settings that are not the built-in ones, where they were changed, and those that wait for a restart.';
COMMENT ON COLUMN steward.settings_changed.name IS 'The setting.';
COMMENT ON COLUMN steward.settings_changed.setting IS 'Its value; (hidden) if it can hold a password or key.';
COMMENT ON COLUMN steward.settings_changed.unit IS 'Of a value that is a bare number; null if it has none, or the value says it.';
COMMENT ON COLUMN steward.settings_changed.built_in IS 'The value if nothing were set, in the unit of pg_settings; null for a setting that this session does not know.';
COMMENT ON COLUMN steward.settings_changed.source IS 'One of configuration file, ALTER SYSTEM, command line, environment variable, all roles, role, database or role in database.';
COMMENT ON COLUMN steward.settings_changed.context IS 'What a change takes: postmaster a restart, sighup a reload, and so on; null for a setting that this session does not know.';
COMMENT ON COLUMN steward.settings_changed.pending_restart IS 'The file says something else, which a restart brings.';
COMMENT ON COLUMN steward.settings_changed.database_name IS 'Of ALTER DATABASE, or of ALTER ROLE ... IN DATABASE.';
COMMENT ON COLUMN steward.settings_changed.role_name IS 'Of ALTER ROLE.';
GRANT SELECT ON steward.settings_changed TO pg_monitor;
