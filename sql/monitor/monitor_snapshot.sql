-- monitor_snapshot: what the counters said at a time, and what happened in between.

-- What is kept tells of this server and no other, so that pg_dump leaves it out.
CREATE TABLE steward.snapshots (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken_at          timestamptz NOT NULL,
    database_id       oid NOT NULL,
    server_started_at timestamptz NOT NULL,
    server_version    text NOT NULL,
    counted_from      timestamptz
);
CREATE INDEX snapshots_taken_at ON steward.snapshots (taken_at);
COMMENT ON TABLE steward.snapshots IS
'When steward.snapshot() was called.';
COMMENT ON SEQUENCE steward.snapshots_id_seq IS
'Numbers the snapshots.';
COMMENT ON COLUMN steward.snapshots.database_id IS 'Of the database that was looked at; another one in a copy of it.';
COMMENT ON COLUMN steward.snapshots.counted_from IS 'Since when the server has counters; a crash makes it begin anew.';
GRANT SELECT ON steward.snapshots TO pg_monitor;

CREATE TABLE steward.snapshot_sources (
    snapshot_id   bigint NOT NULL REFERENCES steward.snapshots ON DELETE CASCADE,
    source        text COLLATE "C" NOT NULL,
    is_complete   boolean NOT NULL,
    counted_since timestamptz,
    problem       text,
    PRIMARY KEY (snapshot_id, source)
);
COMMENT ON TABLE steward.snapshot_sources IS
'What each snapshot looked at, and what could not be had.';
COMMENT ON COLUMN steward.snapshot_sources.is_complete IS 'All objects are in the snapshot, not only the busiest.';
COMMENT ON COLUMN steward.snapshot_sources.counted_since IS 'When the counters of the whole source were reset; null where each object has its own time, or never.';
COMMENT ON COLUMN steward.snapshot_sources.problem IS 'Why the source is left out; null if it is there.';
GRANT SELECT ON steward.snapshot_sources TO pg_monitor;

-- Names and query texts stand here once and not in each snapshot.
CREATE TABLE steward.snapshot_objects (
    id         integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text COLLATE "C" NOT NULL,
    object_key text COLLATE "C" NOT NULL,
    object     text NOT NULL,
    UNIQUE (source, object_key)
);
COMMENT ON TABLE steward.snapshot_objects IS
'What the rows of snapshots are about: tables, statements, databases, settings and so on.';
COMMENT ON SEQUENCE steward.snapshot_objects_id_seq IS
'Numbers the objects.';
COMMENT ON COLUMN steward.snapshot_objects.object_key IS 'What stays the same when the object is renamed.';
GRANT SELECT ON steward.snapshot_objects TO pg_monitor;

CREATE TABLE steward.snapshot_rows (
    snapshot_id   bigint NOT NULL REFERENCES steward.snapshots ON DELETE CASCADE,
    object_id     integer NOT NULL,
    counted_since timestamptz,
    counters      jsonb,
    gauges        jsonb,
    PRIMARY KEY (snapshot_id, object_id)
);
COMMENT ON TABLE steward.snapshot_rows IS
'What a snapshot found of each object. What is not known is not there.';
COMMENT ON COLUMN steward.snapshot_rows.counted_since IS 'When the object''s own counters were reset.';
COMMENT ON COLUMN steward.snapshot_rows.counters IS 'What only grows, until it is reset.';
COMMENT ON COLUMN steward.snapshot_rows.gauges IS 'What goes up and down, and texts.';
GRANT SELECT ON steward.snapshot_rows TO pg_monitor;

-- A name that promises a secret, or a value that has one in it; both are guesses, and rather one too many.
CREATE FUNCTION steward_internal.setting_shown(name text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN name COLLATE "C" ~* '(passw|passphrase|secret|token|credential|conninfo|keys?$)'
              OR value COLLATE "C" ~* '(passw|secret|token|credential|key)\w*\s*[=:]|://[^/\s]*:[^/\s]*@' THEN '(hidden)' ELSE value END;
COMMENT ON FUNCTION steward_internal.setting_shown(text, text) IS
'Returns the value of a setting, or "(hidden)" if it looks like a secret.';

CREATE FUNCTION steward_internal.statements_counted_since() RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source record;
    since timestamptz;
BEGIN
    SELECT * INTO source FROM steward.statements_source();
    IF source.unavailable IS NULL THEN
        EXECUTE format('SELECT i.stats_reset FROM %s_info i', source.relation) INTO since;
    END IF;
    RETURN since;
END $$;
REVOKE ALL ON FUNCTION steward_internal.statements_counted_since() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.statements_counted_since() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.statements_counted_since() IS
'Returns when pg_stat_statements forgot all it had; null if it is not there.';

-- Each query gives object_key, object, counters, gauges and counted_since; $1 is how many objects are wanted at most.
CREATE FUNCTION steward_internal.snapshot_queries(OUT source text, OUT since text, OUT query text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT q.source, q.since, q.query
      FROM (VALUES
    ('database_stats', NULL, $$
        SELECT coalesce(d.oid::text, ''), coalesce(s.database_name, '(shared)'), to_jsonb(c), to_jsonb(g), s.counted_since
          FROM steward.database_stats s
          LEFT JOIN pg_database d ON d.datname = s.database_name
          LEFT JOIN steward.database_sizes z USING (database_name)
         CROSS JOIN LATERAL (SELECT s.commits, s.rollbacks, s.blocks_read, s.blocks_hit, s.rows_read, s.rows_fetched, s.rows_inserted, s.rows_updated,
                   s.rows_deleted, s.conflicts, s.deadlocks, s.temp_files, s.temp_bytes, s.read_seconds, s.write_seconds, s.session_seconds,
                   s.active_seconds, s.idle_in_transaction_seconds, s.sessions, s.sessions_abandoned, s.sessions_fatal, s.sessions_killed, s.checksum_failures) c
         CROSS JOIN LATERAL (SELECT s.connections, z.database_bytes) g$$),
    ('table_stats', 'SELECT d.stats_reset FROM pg_stat_database d WHERE d.datname = current_database()', $$
        SELECT s.relation_id::text, format('%I.%I', s.schema_name, s.table_name), to_jsonb(c), to_jsonb(g), NULL
          FROM (SELECT s.* FROM steward.table_stats s
                 ORDER BY s.rows_inserted + s.rows_updated + s.rows_deleted + coalesce(s.seq_rows_read, 0) + coalesce(s.index_rows_fetched, 0) DESC, s.relation_id
                 LIMIT $1) s
          LEFT JOIN pg_class k ON k.oid = s.relation_id
         CROSS JOIN LATERAL (SELECT s.rows_inserted, s.rows_updated, s.rows_deleted, s.seq_scans, s.seq_rows_read, s.index_scans, s.index_rows_fetched,
                   s.vacuums, s.autovacuums, s.analyzes, s.autoanalyzes) c
         CROSS JOIN LATERAL (SELECT s.live_rows, s.dead_rows, k.relpages * current_setting('block_size')::bigint AS table_bytes) g$$),
    ('index_usage', 'SELECT d.stats_reset FROM pg_stat_database d WHERE d.datname = current_database()', $$
        SELECT s.index_id::text, format('%I.%I', s.schema_name, s.index_name), to_jsonb(c), to_jsonb(g), NULL
          FROM (SELECT s.schema_name, s.index_name, s.index_id, s.scans, s.entries_read, s.rows_fetched, s.index_bytes
                  FROM steward.index_usage s ORDER BY s.scans DESC, s.index_id LIMIT $1) s
         CROSS JOIN LATERAL (SELECT s.scans, s.entries_read, s.rows_fetched) c
         CROSS JOIN LATERAL (SELECT s.index_bytes) g$$),
    ('slow_queries', 'SELECT steward_internal.statements_counted_since()', $$
        SELECT concat_ws(' ', s.query_id, s.is_top_level, s.user_name, s.database_name), left(s.query, 1000), to_jsonb(c), to_jsonb(g), s.counted_since
          FROM (SELECT s.* FROM steward.slow_queries s WHERE s.query_id IS NOT NULL LIMIT $1) s
         CROSS JOIN LATERAL (SELECT s.calls, s.total_seconds, s.plan_seconds, s.rows, s.blocks_hit, s.blocks_read, s.blocks_dirtied, s.blocks_written,
                   s.temp_blocks_read, s.temp_blocks_written, s.read_seconds, s.wal_bytes) c
         CROSS JOIN LATERAL (SELECT s.user_name, s.database_name) g$$),
    ('wal_activity', NULL, $$
        SELECT 'wal', 'WAL', to_jsonb(c), NULL::jsonb, s.counted_since
          FROM steward.wal_activity s
         CROSS JOIN LATERAL (SELECT s.records, s.full_page_images, s.wal_bytes, s.buffers_full_times) c$$),
    ('checkpoints', NULL, $$
        SELECT 'checkpoints', 'checkpoints', to_jsonb(c), to_jsonb(g), s.counted_since
          FROM steward.checkpoints s
         CROSS JOIN LATERAL (SELECT s.timed, s.requested, s.write_seconds, s.sync_seconds, s.buffers_written, s.buffers_cleaned, s.cleaning_stopped,
                   s.backend_buffers_written, s.backend_fsyncs, s.buffers_allocated, s.restartpoints) c
         CROSS JOIN LATERAL (SELECT s.bytes_since_redo) g$$),
    ('archiver', NULL, $$
        SELECT 'archiver', 'archiver', to_jsonb(c), to_jsonb(g), s.counted_since
          FROM steward.archiver s
         CROSS JOIN LATERAL (SELECT s.archived_count, s.failed_count) c
         CROSS JOIN LATERAL (SELECT s.files_waiting) g$$),
    ('io_activity', NULL, $$
        SELECT concat_ws('/', s.backend_type, s.object, s.context), concat_ws(', ', s.backend_type, s.object, s.context), to_jsonb(c), NULL::jsonb, s.counted_since
          FROM steward.io_activity s
         CROSS JOIN LATERAL (SELECT s.reads, s.read_bytes, s.read_seconds, s.writes, s.write_bytes, s.write_seconds, s.extends, s.extend_bytes, s.hits,
                   s.evictions, s.reuses, s.fsyncs) c
         WHERE s.reads > 0 OR s.writes > 0 OR s.extends > 0 OR s.hits > 0 OR s.fsyncs > 0$$),
    ('activity_summary', NULL, $$
        SELECT to_jsonb(k)::text, concat_ws(', ', k.backend_type, k.state, k.user_name, k.database_name), NULL::jsonb, to_jsonb(g), NULL
          FROM steward.activity_summary s
         CROSS JOIN LATERAL (SELECT s.backend_type, s.state, s.user_name, s.database_name) k
         CROSS JOIN LATERAL (SELECT s.sessions, s.waiting_for_lock, s.backend_type, s.state, extract(epoch FROM s.longest_transaction) AS longest_transaction_seconds,
                   extract(epoch FROM s.longest_query) AS longest_query_seconds) g
         LIMIT $1$$),
    ('replication', NULL, $$
        SELECT concat_ws(' ', s.direction, s.name, s.pid), concat_ws(' ', s.direction, s.name), NULL::jsonb, to_jsonb(g), NULL
          FROM steward.replication s
         CROSS JOIN LATERAL (SELECT s.send_lag_bytes, s.replay_lag_bytes, extract(epoch FROM s.replay_lag) AS replay_lag_seconds, s.state, s.sync_state) g
         LIMIT $1$$),
    ('replication_slots', NULL, $$
        SELECT s.slot_name, s.slot_name, NULL::jsonb, to_jsonb(g), NULL
          FROM steward.replication_slots s
         CROSS JOIN LATERAL (SELECT s.retained_bytes, s.bytes_until_lost, s.xmin_age, s.catalog_xmin_age, s.is_active, s.wal_status) g$$),
    ('settings_changed', NULL, $$
        SELECT to_jsonb(k)::text, s.name || coalesce(' in ' || quote_ident(s.database_name), '') || coalesce(' for ' || quote_ident(s.role_name), ''), NULL::jsonb, to_jsonb(g), NULL
          FROM steward.settings_changed s
         CROSS JOIN LATERAL (SELECT s.name, s.database_name, s.role_name, s.source = 'all roles' AS of_all_roles) k
         CROSS JOIN LATERAL (SELECT steward_internal.setting_shown(s.name, s.setting) AS setting, s.unit, s.source) g$$),
    ('health_check', NULL, $$
        SELECT s.check_name, s.check_name, NULL::jsonb, to_jsonb(g), NULL
          FROM steward.health_check s
         CROSS JOIN LATERAL (SELECT s.status, s.status_code, s.value) g$$)) q(source, since, query);
END;
REVOKE ALL ON FUNCTION steward_internal.snapshot_queries() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.snapshot_queries() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.snapshot_queries() IS
'Returns what a snapshot looks at, and the query that tells since when the whole of it counts.';

CREATE FUNCTION steward_internal.snapshot_take(of_snapshot bigint, of_source text, since text, query text, top integer) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    objects jsonb;
    source_since timestamptz;
BEGIN
    EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(q)), ''[]'') FROM (%s) q(object_key, object, counters, gauges, counted_since)', query) INTO objects USING top;
    IF since IS NOT NULL THEN
        EXECUTE since INTO source_since;
    END IF;
    INSERT INTO steward.snapshot_objects AS o (source, object_key, object)
    SELECT DISTINCT ON (f ->> 'object_key') of_source, f ->> 'object_key', f ->> 'object'
      FROM jsonb_array_elements(objects) f
     ORDER BY f ->> 'object_key'
        ON CONFLICT ON CONSTRAINT snapshot_objects_source_object_key_key DO UPDATE SET object = EXCLUDED.object WHERE o.object <> EXCLUDED.object;
    INSERT INTO steward.snapshot_rows (snapshot_id, object_id, counted_since, counters, gauges)
    SELECT DISTINCT ON (o.id) of_snapshot, o.id, (f ->> 'counted_since')::timestamptz,
           nullif(jsonb_strip_nulls(f -> 'counters'), 'null'), nullif(jsonb_strip_nulls(f -> 'gauges'), 'null')
      FROM jsonb_array_elements(objects) f
      JOIN steward.snapshot_objects o ON o.source = of_source AND o.object_key = f ->> 'object_key'
     ORDER BY o.id;
    INSERT INTO steward.snapshot_sources (snapshot_id, source, is_complete, counted_since)
    VALUES (of_snapshot, of_source, jsonb_array_length(objects) < top, source_since);
END $$;
REVOKE ALL ON FUNCTION steward_internal.snapshot_take(bigint, text, text, text, integer) FROM PUBLIC;
COMMENT ON FUNCTION steward_internal.snapshot_take(bigint, text, text, text, integer) IS
'Writes what one source says now into a snapshot.';

CREATE FUNCTION steward.snapshot(top integer DEFAULT 200) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '3s' SET jit = off
AS $$
DECLARE
    wanted record;
    snapshot_id bigint;
    retention interval;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE read_only_sql_transaction USING
            MESSAGE = 'a standby cannot keep snapshots',
            HINT = 'Take them on the primary: SELECT steward.snapshot();';
    END IF;
    IF top IS NULL OR top < 1 THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'a snapshot needs at least one object of a kind',
            HINT = 'SELECT steward.snapshot(top => 200);';
    END IF;
    -- the place of the table among the catalogs makes a key that nothing else has
    IF NOT pg_try_advisory_xact_lock('pg_class'::regclass::oid::integer, 'steward.snapshots'::regclass::oid::integer) THEN
        RAISE lock_not_available USING
            MESSAGE = 'another session is taking a snapshot',
            HINT = 'SELECT max(taken_at) FROM steward.snapshots;';
    END IF;
    -- what was read before in the transaction would be read again
    PERFORM pg_stat_clear_snapshot();

    INSERT INTO steward.snapshots (taken_at, database_id, server_started_at, server_version, counted_from)
    SELECT clock_timestamp(), d.oid, pg_postmaster_start_time(), current_setting('server_version'),
           -- a crash resets all of these, a reset by hand hardly so
           least((SELECT min(a.stats_reset) FROM pg_stat_archiver a), (SELECT min(b.stats_reset) FROM pg_stat_bgwriter b),
                 (SELECT min(w.stats_reset) FROM pg_stat_wal w), (SELECT min(s.stats_reset) FROM pg_stat_slru s))
      FROM pg_database d WHERE d.datname = current_database()
    RETURNING id INTO snapshot_id;
    FOR wanted IN SELECT q.source, q.since, q.query FROM steward_internal.snapshot_queries() q LOOP
        BEGIN
            PERFORM steward_internal.snapshot_take(snapshot_id, wanted.source, wanted.since, wanted.query, top);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO steward.snapshot_sources (snapshot_id, source, is_complete, problem) VALUES (snapshot_id, wanted.source, false, SQLERRM);
        END;
    END LOOP;

    -- loads the library, which knows the setting
    PERFORM steward_internal.library_version();
    retention := nullif(current_setting('steward.snapshot_retention')::interval, '0');
    DELETE FROM steward.snapshots s WHERE s.taken_at < clock_timestamp() - retention;
    IF FOUND THEN
        DELETE FROM steward.snapshot_objects o WHERE NOT EXISTS (SELECT FROM steward.snapshot_rows r WHERE r.object_id = o.id);
    END IF;
    RETURN snapshot_id;
END $$;
REVOKE ALL ON FUNCTION steward.snapshot(integer) FROM PUBLIC;
COMMENT ON FUNCTION steward.snapshot(integer) IS
'Keeps what the counters say now, of the busiest tables, indexes and statements, and forgets what is older than steward.snapshot_retention; returns the snapshot''s id.';

--
-- What happened between two snapshots
--

CREATE FUNCTION steward.snapshot_deltas(from_id bigint, to_id bigint, sources text[] DEFAULT NULL,
    OUT source text, OUT object_key text, OUT object text, OUT metric text, OUT kind text, OUT delta numeric, OUT per_second numeric) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing constant bigint := (SELECT min(i) FROM unnest(ARRAY[from_id, to_id]) i WHERE NOT EXISTS (SELECT FROM steward.snapshots s WHERE s.id = i));
BEGIN
    IF missing IS NOT NULL THEN
        RAISE no_data_found USING
            MESSAGE = format('there is no snapshot %s', missing),
            HINT = 'SELECT id, taken_at FROM steward.snapshots ORDER BY id;';
    END IF;
    RETURN QUERY
    WITH ends AS (
        SELECT f.taken_at AS from_time, extract(epoch FROM t.taken_at - f.taken_at) AS seconds,
               f.taken_at <= t.taken_at AND f.database_id = t.database_id AND f.counted_from IS NOT DISTINCT FROM t.counted_from AS is_one_count
          FROM steward.snapshots f, steward.snapshots t
         WHERE f.id = from_id AND t.id = to_id
    ), pairs AS (
        SELECT o.source, o.object_key, o.object, t.counters, t.gauges, f.counters AS old_counters, f.gauges AS old_gauges,
               e.seconds, f.snapshot_id IS NULL AS is_new,
               e.is_one_count AND fs.counted_since IS NOT DISTINCT FROM ts.counted_since
               AND CASE WHEN f.snapshot_id IS NOT NULL THEN f.counted_since IS NOT DISTINCT FROM t.counted_since
                        -- it was not there, and not just one of too many
                        ELSE fs.is_complete OR t.counted_since > e.from_time END AS is_one_count
          FROM steward.snapshot_rows t
          JOIN steward.snapshot_objects o ON o.id = t.object_id
         CROSS JOIN ends e
          JOIN steward.snapshot_sources ts ON ts.snapshot_id = to_id AND ts.source = o.source
          LEFT JOIN steward.snapshot_sources fs ON fs.snapshot_id = from_id AND fs.source = o.source AND fs.problem IS NULL
          LEFT JOIN steward.snapshot_rows f ON f.snapshot_id = from_id AND f.object_id = t.object_id
         WHERE t.snapshot_id = to_id AND (sources IS NULL OR o.source = ANY (sources))
    ), changes AS (
        SELECT p.source, p.object_key, p.object, c.key AS metric, 'counter' AS kind, p.seconds,
               CASE WHEN p.is_one_count AND fs.old <= c.value::numeric THEN c.value::numeric - fs.old END AS delta
          FROM pairs p
         CROSS JOIN LATERAL jsonb_each_text(p.counters) c
         CROSS JOIN LATERAL (SELECT CASE WHEN p.is_new THEN 0 ELSE (p.old_counters ->> c.key)::numeric END AS old) fs
         UNION ALL
        SELECT p.source, p.object_key, p.object, g.key, 'gauge', NULL,
               CASE WHEN jsonb_typeof(p.old_gauges -> g.key) = 'number' THEN (g.value #>> '{}')::numeric - (p.old_gauges ->> g.key)::numeric END
          FROM pairs p
         CROSS JOIN LATERAL jsonb_each(p.gauges) g
         WHERE jsonb_typeof(g.value) = 'number'
    )
    SELECT c.source, c.object_key, c.object, c.metric, c.kind, c.delta, c.delta / nullif(c.seconds, 0) FROM changes c;
END $$;
REVOKE ALL ON FUNCTION steward.snapshot_deltas(bigint, bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.snapshot_deltas(bigint, bigint, text[]) TO pg_monitor;
COMMENT ON FUNCTION steward.snapshot_deltas(bigint, bigint, text[]) IS
'Returns by how much counters and gauges changed between two snapshots; null where counters were reset in between, or it cannot be known.';
