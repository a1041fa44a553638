-- monitor_report: the server's state, and what happened between two snapshots, as one HTML page.
-- Each section is a function of the two snapshots' ids, null if there are no two.

CREATE FUNCTION steward_internal.report_objects(of_source text, from_id bigint, to_id bigint,
    OUT object text, OUT counters jsonb, OUT gauges jsonb) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF from_id IS NULL THEN
        RETURN QUERY EXECUTE format('SELECT q.object::text, q.counters, q.gauges FROM (%s) q(object_key, object, counters, gauges, counted_since)',
                                    (SELECT q.query FROM steward_internal.snapshot_queries() q WHERE q.source = of_source)) USING 1000;
    ELSE
        RETURN QUERY
        SELECT o.object, jsonb_strip_nulls(d.deltas), r.gauges
          FROM steward.snapshot_rows r
          JOIN steward.snapshot_objects o ON o.id = r.object_id AND o.source = of_source
          LEFT JOIN (SELECT s.object_key, jsonb_object_agg(s.metric, s.delta) AS deltas
                       FROM steward.snapshot_deltas(from_id, to_id, ARRAY[of_source]) s GROUP BY s.object_key) d ON d.object_key = o.object_key
         WHERE r.snapshot_id = to_id;
    END IF;
END $$;
REVOKE ALL ON FUNCTION steward_internal.report_objects(text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.report_objects(text, bigint, bigint) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.report_objects(text, bigint, bigint) IS
'Returns by how much the objects of a source changed between two snapshots, and their gauges at the end; without snapshots what they say now.';

CREATE FUNCTION steward_internal.report_hits(hit numeric, read numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN steward_internal.report_quantity(100 * hit / nullif(hit + read, 0), '%');
COMMENT ON FUNCTION steward_internal.report_hits(numeric, numeric) IS
'Returns how much of what was read stood in shared buffers.';

CREATE FUNCTION steward_internal.report_when(moment timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN to_char(moment, 'YYYY-MM-DD HH24:MI:SS TZ');
COMMENT ON FUNCTION steward_internal.report_when(timestamptz) IS
'Returns a time as the report shows it.';

-- A plain number in the unit of its setting.
CREATE FUNCTION steward_internal.report_setting(name text, setting text, unit text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN unit IS NULL OR shown !~ '^\d+(\.\d+)?$' THEN shown
                WHEN unit ~ '^\d*(B|kB|MB)$' THEN
                    steward_internal.report_bytes(shown::numeric * coalesce(substring(unit FROM '^\d+')::numeric, 1) * 1024.0 ^ (strpos('BkM', left(ltrim(unit, '0123456789'), 1)) - 1))
                ELSE shown || ' ' || unit END
      FROM (SELECT steward_internal.setting_shown(name, setting) AS shown) s;
END;
COMMENT ON FUNCTION steward_internal.report_setting(text, text, text) IS
'Returns a setting''s value as people write it.';

CREATE FUNCTION steward_internal.report_health(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH worst AS (
        SELECT o.object AS check_name, max(CASE r.gauges ->> 'status' WHEN 'OK' THEN 0 WHEN 'WARNING' THEN 1 WHEN 'CRITICAL' THEN 2 END) AS rank
          FROM steward.snapshot_objects o
          JOIN steward.snapshot_rows r ON r.object_id = o.id AND r.snapshot_id BETWEEN from_id AND to_id
         WHERE o.source = 'health_check'
         GROUP BY o.object
    ), checks AS MATERIALIZED (
        SELECT h.*, h.status IN ('OK', 'DISABLED') AND coalesce(w.rank, 0) = 0 AS is_quiet, array_position('{CRITICAL,WARNING,UNKNOWN,OK,DISABLED}', h.status) AS place,
               CASE w.rank WHEN 2 THEN 'CRITICAL' WHEN 1 THEN 'WARNING' WHEN 0 THEN 'OK' END AS worst
          FROM steward.health_check h
          LEFT JOIN worst w USING (check_name)
    )
    SELECT steward_internal.report_table(NULL, '{!Status,Check,>Value,>Warning at,>Critical at,!Worst in interval,Detail,What to do}',
               (SELECT jsonb_agg(jsonb_build_array(c.status, c.check_name, steward_internal.report_quantity(c.value, c.unit), steward_internal.report_quantity(c.warning, c.unit),
                                                   steward_internal.report_quantity(c.critical, c.unit), c.worst, c.detail, concat_ws(' ', c.remedy, c.hint)) ORDER BY c.place, c.check_name COLLATE "C")
                  FROM checks c WHERE NOT c.is_quiet), 'No check has anything to say.')
        || (SELECT format('<details><summary>%s checks are well</summary>', count(*))
                   || steward_internal.report_table(NULL, '{!Status,Check,>Value,>Warning at,>Critical at,Detail}',
                          jsonb_agg(jsonb_build_array(c.status, c.check_name, steward_internal.report_quantity(c.value, c.unit), steward_internal.report_quantity(c.warning, c.unit),
                                                      steward_internal.report_quantity(c.critical, c.unit), c.detail) ORDER BY c.place, c.check_name COLLATE "C")) || '</details>'
              FROM checks c WHERE c.is_quiet);
END;
COMMENT ON FUNCTION steward_internal.report_health(bigint, bigint) IS
'Returns a section of the report: health_check.';

CREATE FUNCTION steward_internal.report_findings(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- hints stand folded behind what is to be done
    WITH found AS MATERIALIZED (
        SELECT f.severity = 'INFO' AS is_hint, count(*) AS total,
               jsonb_agg(jsonb_build_array(f.severity, f.finding, f.object, f.detail, f.remedy) ORDER BY f.place) FILTER (WHERE f.place <= 50) AS rows
          FROM (SELECT f.*, row_number() OVER (PARTITION BY f.severity = 'INFO' ORDER BY f.severity COLLATE "C", f.finding COLLATE "C", f.object COLLATE "C") AS place FROM steward.findings f) f
         GROUP BY f.severity = 'INFO'
    ), listed AS (
        SELECT f.is_hint, f.total, steward_internal.report_table(NULL, '{!Severity,Finding,Object,Detail,`Remedy}', f.rows)
               || CASE WHEN f.total > 50 THEN format('<p class="note">The first 50 of %s: <code>SELECT * FROM steward.findings;</code></p>', f.total) ELSE '' END AS html
          FROM found f
    )
    SELECT coalesce((SELECT l.html FROM listed l WHERE NOT l.is_hint), '<p class="none">Nothing that should not wait.</p>')
        || coalesce((SELECT format('<details><summary>%s hints</summary>%s</details>', l.total, l.html) FROM listed l WHERE l.is_hint), '');
END;
COMMENT ON FUNCTION steward_internal.report_findings(bigint, bigint) IS
'Returns a section of the report: findings.';

-- A chart can show no more than so many spans; of more snapshots some are passed over.
CREATE FUNCTION steward_internal.report_spans(from_id bigint, to_id bigint,
    OUT from_snapshot bigint, OUT to_snapshot bigint, OUT from_time timestamptz, OUT to_time timestamptz) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT p.id, p.next_id, p.taken_at, p.next_taken_at
      FROM (SELECT s.id, s.taken_at, lead(s.id) OVER w AS next_id, lead(s.taken_at) OVER w AS next_taken_at
              FROM (SELECT s.id, s.taken_at, row_number() OVER (ORDER BY s.taken_at, s.id) AS place, count(*) OVER () AS total
                      FROM steward.snapshots s
                     WHERE s.taken_at BETWEEN (SELECT f.taken_at FROM steward.snapshots f WHERE f.id = from_id) AND (SELECT t.taken_at FROM steward.snapshots t WHERE t.id = to_id)) s
             WHERE (s.total - s.place) % (1 + s.total / 120) = 0 OR s.place = 1
            WINDOW w AS (ORDER BY s.taken_at, s.id)) p
     WHERE p.next_id IS NOT NULL AND p.next_taken_at > p.taken_at;
END;
REVOKE ALL ON FUNCTION steward_internal.report_spans(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.report_spans(bigint, bigint) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.report_spans(bigint, bigint) IS
'Pairs of snapshots that follow each other, from the first to the last.';

CREATE FUNCTION steward_internal.report_charts(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH measured AS MATERIALIZED (
        SELECT p.from_snapshot AS id, extract(epoch FROM p.from_time) AS t0, extract(epoch FROM p.to_time) AS t1, m.*
          FROM steward_internal.report_spans(from_id, to_id) p
         CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(d.metric, d.per_second) FILTER (WHERE d.source = 'database_stats') AS rate,
                   jsonb_object_agg(d.metric, d.delta) FILTER (WHERE d.source = 'database_stats') AS delta,
                   jsonb_object_agg(d.metric, d.per_second) FILTER (WHERE d.source = 'wal_activity') AS wal,
                   jsonb_object_agg(d.metric, d.delta) FILTER (WHERE d.source = 'checkpoints') AS checkpoints
              FROM steward.snapshot_deltas(p.from_snapshot, p.to_snapshot, '{database_stats,wal_activity,checkpoints}') d
             WHERE d.source <> 'database_stats' OR d.object_key = (SELECT b.oid::text FROM pg_database b WHERE b.datname = current_database())) m
    ), sessions AS (
        -- the session that looks does not count: no row means none
        SELECT extract(epoch FROM p.from_time) AS t0, extract(epoch FROM p.to_time) AS t1,
               coalesce(sum((r.gauges ->> 'sessions')::numeric), 0) AS clients,
               coalesce(sum((r.gauges ->> 'sessions')::numeric) FILTER (WHERE r.gauges ->> 'state' = 'active'), 0) AS active
          FROM steward_internal.report_spans(from_id, to_id) p
          JOIN steward.snapshot_sources x ON x.snapshot_id = p.to_snapshot AND x.source = 'activity_summary' AND x.problem IS NULL
          LEFT JOIN (steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id AND o.source = 'activity_summary')
                 ON r.snapshot_id = p.to_snapshot AND r.gauges ->> 'backend_type' = 'client backend'
         GROUP BY p.to_snapshot, p.from_time, p.to_time
    ), charts AS (
        SELECT 1 AS place, steward_internal.report_chart('Transactions', '/s', '{committed,rolled back}',
                   jsonb_agg(jsonb_build_array(m.t0, m.t1, m.rate -> 'commits', m.rate -> 'rollbacks') ORDER BY m.t0)) AS chart FROM measured m
         UNION ALL
        SELECT 2, steward_internal.report_chart('Rows', '/s', '{fetched,written}',
                   jsonb_agg(jsonb_build_array(m.t0, m.t1, m.rate -> 'rows_fetched',
                       (m.rate ->> 'rows_inserted')::numeric + (m.rate ->> 'rows_updated')::numeric + (m.rate ->> 'rows_deleted')::numeric) ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 3, steward_internal.report_chart('Clients of the server', '', '{connected,active}', jsonb_agg(jsonb_build_array(s.t0, s.t1, s.clients, s.active) ORDER BY s.t0)) FROM sessions s
         UNION ALL
        SELECT 4, steward_internal.report_chart('Sessions at work, on average', '', '{active,"idle in transaction"}',
                   jsonb_agg(jsonb_build_array(m.t0, m.t1, m.rate -> 'active_seconds', m.rate -> 'idle_in_transaction_seconds') ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 5, steward_internal.report_chart('Found in shared buffers', '%', '{blocks}',
                   jsonb_agg(jsonb_build_array(m.t0, m.t1, round(100 * (m.delta ->> 'blocks_hit')::numeric
                       / nullif((m.delta ->> 'blocks_hit')::numeric + (m.delta ->> 'blocks_read')::numeric, 0), 2)) ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 6, steward_internal.report_chart('Temporary files', 'bytes/s', '{written}', jsonb_agg(jsonb_build_array(m.t0, m.t1, m.rate -> 'temp_bytes') ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 7, steward_internal.report_chart('Deadlocks', 'count', '{deadlocks}', jsonb_agg(jsonb_build_array(m.t0, m.t1, m.delta -> 'deadlocks') ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 8, steward_internal.report_chart('WAL of the server', 'bytes/s', '{written}', jsonb_agg(jsonb_build_array(m.t0, m.t1, m.wal -> 'wal_bytes') ORDER BY m.t0)) FROM measured m
         UNION ALL
        SELECT 9, steward_internal.report_chart('Checkpoints of the server', 'count', '{"on time",requested}',
                   jsonb_agg(jsonb_build_array(m.t0, m.t1, m.checkpoints -> 'timed', m.checkpoints -> 'requested') ORDER BY m.t0)) FROM measured m
    )
    SELECT '<div class="charts">' || string_agg(c.chart, E'\n' ORDER BY c.place) || '</div>' FROM charts c;
END;
REVOKE ALL ON FUNCTION steward_internal.report_charts(bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.report_charts(bigint, bigint) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.report_charts(bigint, bigint) IS
'Returns the charts of the report: what the database did from snapshot to snapshot.';

CREATE FUNCTION steward_internal.report_load(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(steward_internal.report_charts(from_id, to_id), '<p class="none">Charts take two snapshots.</p>')
        || steward_internal.report_table('Databases', '{Database,>Commits,>Rollbacks,>Rows fetched,>Rows written,>In buffers,>Temporary,>Deadlocks,>Size,>Growth}',
               (SELECT jsonb_agg(jsonb_build_array(d.object, steward_internal.report_number(c.commits), steward_internal.report_number(c.rollbacks), steward_internal.report_number(c.rows_fetched),
                           steward_internal.report_number(c.rows_inserted + c.rows_updated + c.rows_deleted), steward_internal.report_hits(c.blocks_hit, c.blocks_read),
                           steward_internal.report_bytes(c.temp_bytes), steward_internal.report_number(c.deadlocks), steward_internal.report_bytes((d.gauges ->> 'database_bytes')::numeric),
                           steward_internal.report_bytes(c.database_bytes)) ORDER BY c.commits DESC NULLS LAST, d.object COLLATE "C")
                  FROM steward_internal.report_objects('database_stats', from_id, to_id) d
                 CROSS JOIN LATERAL jsonb_to_record(d.counters) c(commits numeric, rollbacks numeric, rows_fetched numeric, rows_inserted numeric, rows_updated numeric,
                            rows_deleted numeric, blocks_hit numeric, blocks_read numeric, temp_bytes numeric, deadlocks numeric, database_bytes numeric)));
END;
COMMENT ON FUNCTION steward_internal.report_load(bigint, bigint) IS
'Returns a section of the report: how much the server had to do.';

CREATE FUNCTION steward_internal.report_statements(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH statements AS (
        SELECT s.object, s.gauges, c.*
          FROM steward_internal.report_objects('slow_queries', from_id, to_id) s
         CROSS JOIN LATERAL jsonb_to_record(s.counters) c(total_seconds numeric, calls numeric, rows numeric, blocks_hit numeric, blocks_read numeric, wal_bytes numeric)
    ), ranked AS (
        SELECT s.*, row_number() OVER (ORDER BY s.total_seconds DESC, s.object COLLATE "C") AS place, round(100 * s.total_seconds / nullif(sum(s.total_seconds) OVER (), 0), 1) AS share
          FROM statements s WHERE s.calls > 0
    )
    SELECT steward_internal.report_table(NULL, '{>Time,%Share,`Statement,>Calls,>Mean,>Rows per call,>In buffers,>WAL,User,Database}',
               jsonb_agg(jsonb_build_array(steward_internal.report_seconds(r.total_seconds), r.share, CASE WHEN length(q.text) > 240 THEN left(q.text, 240) || ' ...' ELSE q.text END,
                       steward_internal.report_number(r.calls), steward_internal.report_seconds(r.total_seconds / r.calls), steward_internal.report_number(r.rows / r.calls),
                       steward_internal.report_hits(r.blocks_hit, r.blocks_read), steward_internal.report_bytes(r.wal_bytes), r.gauges ->> 'user_name', r.gauges ->> 'database_name')
                   ORDER BY r.place) FILTER (WHERE r.place <= 20),
               coalesce((SELECT u.unavailable || ': ' || u.remedy FROM steward.statements_source() u), 'No statement was counted.'))
        || coalesce((SELECT format('<p class="note">Of %s more it is not known: they were not among the busiest at first, or were counted anew.</p>', count(*))
                       FROM statements s WHERE s.calls IS NULL HAVING count(*) > 0), '')
      FROM ranked r
     CROSS JOIN LATERAL (SELECT btrim(regexp_replace(r.object, '\s+', ' ', 'g')) AS text) q;
END;
COMMENT ON FUNCTION steward_internal.report_statements(bigint, bigint) IS
'Returns a section of the report: the statements that took the most time.';

CREATE FUNCTION steward_internal.report_tables(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH tables AS MATERIALIZED (
        SELECT t.object, c.rows_inserted AS inserted, c.rows_updated AS updated, c.rows_deleted AS deleted, c.rows_inserted + c.rows_updated + c.rows_deleted AS written,
               c.seq_scans AS scans, c.seq_rows_read AS scanned, c.autovacuums + c.vacuums AS vacuums, c.table_bytes AS growth,
               g.live_rows AS live, g.dead_rows AS dead, g.table_bytes AS bytes
          FROM steward_internal.report_objects('table_stats', from_id, to_id) t
         CROSS JOIN LATERAL jsonb_to_record(t.counters) c(rows_inserted numeric, rows_updated numeric, rows_deleted numeric, seq_scans numeric, seq_rows_read numeric,
                    vacuums numeric, autovacuums numeric, table_bytes numeric)
         CROSS JOIN LATERAL jsonb_to_record(t.gauges) g(live_rows numeric, dead_rows numeric, table_bytes numeric)
         WHERE t.object !~ '^steward(_internal)?\.'
    )
    SELECT steward_internal.report_table('Most written', '{Table,>Written,>Inserted,>Updated,>Deleted,>Vacuums}',
               (SELECT jsonb_agg(jsonb_build_array(t.object, steward_internal.report_number(t.written), steward_internal.report_number(t.inserted), steward_internal.report_number(t.updated),
                           steward_internal.report_number(t.deleted), steward_internal.report_number(t.vacuums)) ORDER BY t.written DESC, t.object COLLATE "C")
                  FROM (SELECT * FROM tables t WHERE t.written > 0 ORDER BY t.written DESC, t.object COLLATE "C" LIMIT 10) t))
        || steward_internal.report_table('Most read from end to end', '{Table,>Rows read,>Scans,>Rows per scan,>Rows in it}',
               (SELECT jsonb_agg(jsonb_build_array(t.object, steward_internal.report_number(t.scanned), steward_internal.report_number(t.scans),
                           steward_internal.report_number(t.scanned / nullif(t.scans, 0)), steward_internal.report_number(t.live)) ORDER BY t.scanned DESC, t.object COLLATE "C")
                  FROM (SELECT * FROM tables t WHERE t.scanned > 0 ORDER BY t.scanned DESC, t.object COLLATE "C" LIMIT 10) t))
        || steward_internal.report_table('Most dead rows', '{Table,>Dead rows,>Live rows,%Dead,>Vacuums}',
               (SELECT jsonb_agg(jsonb_build_array(t.object, steward_internal.report_number(t.dead), steward_internal.report_number(t.live), round(100 * t.dead / (t.dead + t.live), 1),
                           steward_internal.report_number(t.vacuums)) ORDER BY t.dead DESC, t.object COLLATE "C")
                  FROM (SELECT * FROM tables t WHERE t.dead > 0 ORDER BY t.dead DESC, t.object COLLATE "C" LIMIT 10) t))
        || steward_internal.report_table('Largest, as VACUUM last saw them', '{Table,>Size,>Growth,>Rows}',
               (SELECT jsonb_agg(jsonb_build_array(t.object, steward_internal.report_bytes(t.bytes), steward_internal.report_bytes(t.growth), steward_internal.report_number(t.live)) ORDER BY t.bytes DESC, t.object COLLATE "C")
                  FROM (SELECT * FROM tables t WHERE t.bytes > 0 ORDER BY t.bytes DESC, t.object COLLATE "C" LIMIT 10) t));
END;
COMMENT ON FUNCTION steward_internal.report_tables(bigint, bigint) IS
'Returns a section of the report: the busiest and the largest tables.';

CREATE FUNCTION steward_internal.report_indexes(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.report_table('Not used since the counters began', '{Index,Table,>Size,>Counted for,Standbys,`Remedy}',
               (SELECT jsonb_agg(jsonb_build_array(format('%I.%I', u.schema_name, u.index_name), u.table_name, steward_internal.report_bytes(u.index_bytes),
                           steward_internal.report_seconds(extract(epoch FROM u.counted_for)), CASE WHEN u.has_standbys THEN 'look there too' ELSE 'none' END, u.remedy)
                       ORDER BY u.index_bytes DESC, u.schema_name, u.index_name)
                  FROM (SELECT * FROM steward.unused_indexes u WHERE u.schema_name NOT IN ('steward', 'steward_internal') ORDER BY u.index_bytes DESC, u.schema_name, u.index_name LIMIT 15) u))
        || steward_internal.report_table('Redundant', '{Index,Table,Covered by,Because,>Size,`Remedy}',
               (SELECT jsonb_agg(jsonb_build_array(format('%I.%I', r.schema_name, r.index_name), r.table_name, r.covered_by, r.reason, steward_internal.report_bytes(r.index_bytes), r.remedy)
                       ORDER BY r.index_bytes DESC, r.schema_name, r.index_name)
                  FROM (SELECT * FROM steward.redundant_indexes r ORDER BY r.index_bytes DESC, r.schema_name, r.index_name LIMIT 15) r));
END;
COMMENT ON FUNCTION steward_internal.report_indexes(bigint, bigint) IS
'Returns a section of the report: indexes that cost more than they give.';

CREATE FUNCTION steward_internal.report_vacuum(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.report_table('Due', '{Table,Due,>Dead rows,>Of threshold,>Inserted,>Changed,>Transaction age,>Vacuumed ago,>Analyzed ago}',
               (SELECT jsonb_agg(jsonb_build_array(coalesce('TOAST of ' || q.toast_of, format('%I.%I', q.schema_name, q.table_name)), array_to_string(q.due, ', '),
                           steward_internal.report_number(q.dead_rows), steward_internal.report_number(q.vacuum_pressure) || ' x', steward_internal.report_number(q.inserted_rows),
                           steward_internal.report_number(q.modified_rows), steward_internal.report_number(q.xid_age), steward_internal.report_seconds(extract(epoch FROM clock_timestamp() - q.last_vacuum)),
                           steward_internal.report_seconds(extract(epoch FROM clock_timestamp() - q.last_analyze)))
                       ORDER BY q.pressure DESC, q.relation_id)
                  FROM (SELECT q.*, greatest(q.vacuum_pressure, q.insert_pressure, q.analyze_pressure, q.freeze_pressure) AS pressure
                          FROM steward.autovacuum_queue q WHERE cardinality(q.due) > 0 ORDER BY pressure DESC, q.relation_id LIMIT 15) q), 'No table is due.')
        || steward_internal.report_table('What keeps old row versions', '{Kind,Holder,Database,User,>Transactions ago,>For,`Remedy}',
               (SELECT jsonb_agg(jsonb_build_array(x.kind, x.holder, x.database_name, x.user_name, steward_internal.report_number(x.xid_age),
                           steward_internal.report_seconds(extract(epoch FROM x.held_for)), concat_ws(' ', x.remedy, x.hint)) ORDER BY x.xid_age DESC, x.kind COLLATE "C", x.holder COLLATE "C")
                  FROM (SELECT * FROM steward.xmin_horizon x ORDER BY x.xid_age DESC, x.kind COLLATE "C", x.holder COLLATE "C" LIMIT 10) x), 'Nothing does.')
        || steward_internal.report_table('Wraparound', '{Database,>Transaction age,>Of forced vacuum,>Of the stop,>Multixact age,>Of the stop}',
               (SELECT jsonb_agg(jsonb_build_array(w.database_name, steward_internal.report_number(w.xid_age), steward_internal.report_quantity(w.xid_freeze_percent, '%'),
                           steward_internal.report_quantity(w.xid_stop_percent, '%'), steward_internal.report_number(w.multixact_age), steward_internal.report_quantity(w.multixact_stop_percent, '%'))
                       ORDER BY w.xid_age DESC, w.database_name)
                  FROM steward.wraparound w));
END;
COMMENT ON FUNCTION steward_internal.report_vacuum(bigint, bigint) IS
'Returns a section of the report: what VACUUM has before it, and what hinders it.';

CREATE FUNCTION steward_internal.report_wal(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH span AS (
        SELECT extract(epoch FROM t.taken_at - f.taken_at) AS seconds FROM steward.snapshots f, steward.snapshots t WHERE f.id = from_id AND t.id = to_id
    ), metrics AS (
        SELECT k.place, k.label, (o.counters ->> k.metric)::numeric AS total, k.unit
          FROM (VALUES (1, 'wal_activity', 'wal_bytes', 'WAL written', 'bytes'), (2, 'wal_activity', 'records', 'WAL records', ''),
                       (3, 'wal_activity', 'full_page_images', 'Full-page images', ''), (4, 'wal_activity', 'buffers_full_times', 'WAL buffers were full', ''),
                       (5, 'checkpoints', 'timed', 'Checkpoints on time', ''), (6, 'checkpoints', 'requested', 'Checkpoints requested', ''),
                       (7, 'checkpoints', 'write_seconds', 'Checkpoints wrote for', 's'), (8, 'checkpoints', 'sync_seconds', 'Checkpoints synced for', 's'),
                       (9, 'checkpoints', 'buffers_written', 'Buffers written by checkpoints', ''), (10, 'checkpoints', 'buffers_cleaned', 'Buffers written by the background writer', ''),
                       (11, 'checkpoints', 'backend_buffers_written', 'Buffers written by others', ''), (12, 'checkpoints', 'buffers_allocated', 'Buffers allocated', ''),
                       (13, 'archiver', 'archived_count', 'WAL files archived', ''), (14, 'archiver', 'failed_count', 'WAL files that could not be archived', '')
               ) k(place, source, metric, label, unit)
          LEFT JOIN LATERAL (SELECT o.counters FROM steward_internal.report_objects(k.source, from_id, to_id) o) o ON true
    )
    SELECT steward_internal.report_table(NULL, '{What,>In all,>Per hour}',
               (SELECT jsonb_agg(jsonb_build_array(m.label, coalesce(steward_internal.report_quantity(m.total, m.unit), 'unknown'),
                           steward_internal.report_quantity(m.total * 3600 / nullif((SELECT s.seconds FROM span s), 0), m.unit)) ORDER BY m.place)
                  FROM metrics m))
        || steward_internal.report_table('Who reads and writes', '{Process,>Read,>Reading took,>Written,>Writing took,>Added,>Synced}',
               (SELECT jsonb_agg(jsonb_build_array(i.object, steward_internal.report_bytes(i.read_bytes), steward_internal.report_seconds(i.read_seconds), steward_internal.report_bytes(i.write_bytes),
                           steward_internal.report_seconds(i.write_seconds), steward_internal.report_bytes(i.extend_bytes), steward_internal.report_number(i.fsyncs)) ORDER BY i.bytes DESC, i.object COLLATE "C")
                  FROM (SELECT i.object, c.*, coalesce(c.read_bytes, 0) + coalesce(c.write_bytes, 0) + coalesce(c.extend_bytes, 0) AS bytes
                          FROM steward_internal.report_objects('io_activity', from_id, to_id) i
                         CROSS JOIN LATERAL jsonb_to_record(i.counters) c(read_bytes numeric, read_seconds numeric, write_bytes numeric, write_seconds numeric,
                                    extend_bytes numeric, fsyncs numeric)
                         ORDER BY bytes DESC, i.object COLLATE "C" LIMIT 15) i
                 WHERE i.bytes > 0),
               CASE WHEN current_setting('server_version_num')::integer < 160000 THEN 'PostgreSQL tells from 16 on.' ELSE 'Nobody did.' END);
END;
COMMENT ON FUNCTION steward_internal.report_wal(bigint, bigint) IS
'Returns a section of the report: WAL, checkpoints, archiving and I/O.';

CREATE FUNCTION steward_internal.report_replication(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.report_table('Standbys and subscribers', '{Direction,Name,Address,State,Synchronous,Slot,>Not sent,>Not replayed,>Behind,>Last message}',
               (SELECT jsonb_agg(jsonb_build_array(r.direction, r.name, host(r.address), r.state, r.sync_state, r.slot_name, steward_internal.report_bytes(r.send_lag_bytes),
                           steward_internal.report_bytes(r.replay_lag_bytes), steward_internal.report_seconds(extract(epoch FROM r.replay_lag)),
                           steward_internal.report_seconds(extract(epoch FROM r.last_message_age))) ORDER BY r.direction COLLATE "C", r.name COLLATE "C", r.pid)
                  FROM steward.replication r))
        || steward_internal.report_table('Slots', '{Slot,Kind,Database,Active,>WAL kept,>Until lost,State,Problem}',
               (SELECT jsonb_agg(jsonb_build_array(s.slot_name, s.slot_type, s.database_name, s.is_active, steward_internal.report_bytes(s.retained_bytes),
                           steward_internal.report_bytes(s.bytes_until_lost), s.wal_status, s.invalidation_reason) ORDER BY s.retained_bytes DESC NULLS LAST, s.slot_name)
                  FROM steward.replication_slots s));
END;
COMMENT ON FUNCTION steward_internal.report_replication(bigint, bigint) IS
'Returns a section of the report: standbys, subscribers and slots.';

CREATE FUNCTION steward_internal.report_settings(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH kept AS (
        SELECT r.snapshot_id, o.object, steward_internal.report_setting(o.object, r.gauges ->> 'setting', r.gauges ->> 'unit') AS value
          FROM steward.snapshot_rows r
          JOIN steward.snapshot_objects o ON o.id = r.object_id AND o.source = 'settings_changed'
         WHERE r.snapshot_id IN (from_id, to_id)
    )
    SELECT CASE WHEN from_id IS NULL THEN '' ELSE
           steward_internal.report_table('Changed in the interval', '{Setting,Before,After}',
               (SELECT jsonb_agg(jsonb_build_array(object, coalesce(f.value, 'default'), coalesce(t.value, 'default')) ORDER BY object COLLATE "C")
                  FROM (SELECT * FROM kept k WHERE k.snapshot_id = from_id) f
                  FULL JOIN (SELECT * FROM kept k WHERE k.snapshot_id = to_id) t USING (object)
                 WHERE f.value IS DISTINCT FROM t.value)) END
        || steward_internal.report_table('Not as built in', '{Setting,Value,Built in,Set by,For,Waits for restart}',
               (SELECT jsonb_agg(jsonb_build_array(s.name, steward_internal.report_setting(s.name, s.setting, s.unit), steward_internal.report_setting(s.name, s.built_in, s.unit), s.source,
                           concat_ws(' in ', s.role_name, s.database_name), CASE WHEN s.pending_restart THEN 'yes' END) ORDER BY s.name COLLATE "C", s.role_name, s.database_name)
                  FROM steward.settings_changed s));
END;
COMMENT ON FUNCTION steward_internal.report_settings(bigint, bigint) IS
'Returns a section of the report: settings that were changed.';

CREATE FUNCTION steward_internal.report_notes(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH taken AS (
        SELECT s.*, lag(s.server_started_at) OVER w AS started_before, lag(s.server_version) OVER w AS version_before, lag(s.counted_from) OVER w AS counted_before,
               row_number() OVER w AS place
          FROM steward.snapshots s
         WHERE s.taken_at BETWEEN (SELECT f.taken_at FROM steward.snapshots f WHERE f.id = from_id) AND (SELECT t.taken_at FROM steward.snapshots t WHERE t.id = to_id)
        WINDOW w AS (ORDER BY s.taken_at, s.id)
    ), notes AS (
        SELECT t.taken_at, 'the server was started anew at ' || steward_internal.report_when(t.server_started_at) AS note FROM taken t WHERE t.server_started_at <> t.started_before
         UNION ALL
        SELECT t.taken_at, 'counters began anew: what was counted across it is left out' FROM taken t WHERE t.place > 1 AND t.counted_from IS DISTINCT FROM t.counted_before
         UNION ALL
        SELECT t.taken_at, format('from version %s to %s', t.version_before, t.server_version) FROM taken t WHERE t.server_version <> t.version_before
         UNION ALL
        SELECT t.taken_at, format('%s could not be read: %s', x.source, x.problem) FROM taken t JOIN steward.snapshot_sources x ON x.snapshot_id = t.id AND x.problem IS NOT NULL
    )
    SELECT steward_internal.report_table(NULL, '{Snapshot,Note}', (SELECT jsonb_agg(jsonb_build_array(steward_internal.report_when(n.taken_at), n.note) ORDER BY n.taken_at, n.note COLLATE "C")
                                                            FROM (SELECT * FROM notes n ORDER BY n.taken_at DESC, n.note COLLATE "C" LIMIT 30) n),
                                'Nothing was reset, and nothing is missing.');
END;
COMMENT ON FUNCTION steward_internal.report_notes(bigint, bigint) IS
'Returns a section of the report: what to keep in mind when reading its figures.';

-- The figures at the top.
CREATE FUNCTION steward_internal.report_head(from_id bigint, to_id bigint) RETURNS text
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    WITH span AS (
        SELECT extract(epoch FROM t.taken_at - f.taken_at) AS seconds FROM steward.snapshots f, steward.snapshots t WHERE f.id = from_id AND t.id = to_id
    ), database AS (
        SELECT (d.gauges ->> 'database_bytes')::numeric AS size, c.*
          FROM steward_internal.report_objects('database_stats', from_id, to_id) d
         CROSS JOIN LATERAL jsonb_to_record(d.counters) c(commits numeric, rollbacks numeric, blocks_hit numeric, blocks_read numeric, database_bytes numeric)
         WHERE d.object = current_database()
    ), tiles AS (
        SELECT 1 AS place, 'Health' AS title, format('<span class="%s">%s</span>', CASE h.status WHEN 'UNKNOWN' THEN 'other' ELSE lower(h.status COLLATE "C") END, h.status) AS figure,
               format('%s critical, %s warnings of %s checks', h.criticals, h.warnings, h.checks) AS more
          FROM steward.health_summary h
         UNION ALL
        SELECT 2, 'Transactions', coalesce(steward_internal.report_number((d.commits + d.rollbacks) / s.seconds) || '/s',
                                           steward_internal.report_number(d.commits + d.rollbacks), 'unknown'),
               CASE WHEN s.seconds IS NULL THEN 'since the counters began' ELSE coalesce(steward_internal.report_number(d.rollbacks), 'unknown') || ' rolled back' END
          FROM database d LEFT JOIN span s ON true
         UNION ALL
        SELECT 3, 'Found in shared buffers', coalesce(steward_internal.report_hits(d.blocks_hit, d.blocks_read), 'unknown'),
               coalesce(steward_internal.report_number(d.blocks_read), 'unknown') || ' blocks read'
          FROM database d
         UNION ALL
        SELECT 4, 'WAL', coalesce(steward_internal.report_bytes((w.counters ->> 'wal_bytes')::numeric), 'unknown'),
               coalesce(steward_internal.report_bytes((w.counters ->> 'wal_bytes')::numeric * 3600 / s.seconds) || ' per hour', 'since the counters began')
          FROM steward_internal.report_objects('wal_activity', from_id, to_id) w LEFT JOIN span s ON true
         UNION ALL
        SELECT 5, 'Size of the database', coalesce(steward_internal.report_bytes(d.size), 'unknown'),
               CASE WHEN from_id IS NOT NULL THEN coalesce('growth ' || steward_internal.report_bytes(d.database_bytes), 'growth unknown') END
          FROM database d
         UNION ALL
        SELECT 6, 'Connections', c.used::text, format('now, of %s', c.connection_limit) FROM steward.connections c WHERE c.scope = 'cluster'
    )
    -- what is not markup of ours here is numbers and names of statuses
    SELECT '<dl>' || string_agg(format('<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>', t.title, t.figure, steward_internal.html_escape(coalesce(t.more, ''))), '' ORDER BY t.place) || '</dl>'
      FROM tiles t;
END;
COMMENT ON FUNCTION steward_internal.report_head(bigint, bigint) IS
'Returns a section of the report: the figures at its top.';

CREATE FUNCTION steward_internal.report_section(section text, from_id bigint, to_id bigint) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    html text;
BEGIN
    EXECUTE format('SELECT steward_internal.%I($1, $2)', 'report_' || section) INTO html USING from_id, to_id;
    RETURN html;
EXCEPTION WHEN OTHERS THEN
    RETURN format('<p class="none">Not available: %s</p>', steward_internal.html_escape(SQLERRM));
END $$;
REVOKE ALL ON FUNCTION steward_internal.report_section(text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.report_section(text, bigint, bigint) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.report_section(text, bigint, bigint) IS
'Returns what is to stand under a heading of the report, or why it cannot be had.';

CREATE FUNCTION steward.report(from_time timestamptz DEFAULT now() - interval '1 day', to_time timestamptz DEFAULT now()) RETURNS text
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' SET jit = off
AS $$
DECLARE
    sections constant text[] := '{{health,Health,now},{findings,Findings,now},{load,Load,interval},{statements,Statements,interval},{tables,Tables,interval},{indexes,Indexes,now},
        {vacuum,Vacuum,now},{wal,WAL and checkpoints,interval},{replication,Replication,now},{settings,Settings,interval},{notes,Notes,interval}}';
    title constant text := steward_internal.html_escape('PostgreSQL report: ' || current_database());
    first record;
    last record;
    taken bigint;
    section text[];
    from_id bigint;
    page text;
BEGIN
    IF from_time IS NULL OR to_time IS NULL OR from_time >= to_time THEN
        RAISE invalid_parameter_value USING
            MESSAGE = 'a report is about an interval that ends after it begins',
            HINT = 'SELECT steward.report(now() - interval ''1 day'', now());';
    END IF;
    SELECT count(*) INTO taken FROM steward.snapshots s WHERE s.taken_at BETWEEN from_time AND to_time;
    SELECT s.id, s.taken_at INTO first FROM steward.snapshots s WHERE s.taken_at BETWEEN from_time AND to_time ORDER BY s.taken_at, s.id LIMIT 1;
    SELECT s.id, s.taken_at INTO last FROM steward.snapshots s WHERE s.taken_at BETWEEN from_time AND to_time ORDER BY s.taken_at DESC, s.id DESC LIMIT 1;
    from_id := CASE WHEN taken >= 2 THEN first.id END;

    page := format($html$<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%1$s</title>
<style>%2$s</style>
</head>
<body>
<header>
<h1>%1$s</h1>
<p>%3$s<br>%4$s<br>%5$s</p>
</header>
$html$, title, steward_internal.report_style(),
        steward_internal.html_escape(format('PostgreSQL %s%s%s, up for %s', current_setting('server_version'), coalesce(', ' || nullif(current_setting('cluster_name'), ''), ''),
            CASE WHEN pg_is_in_recovery() THEN ', standby' ELSE '' END, steward_internal.report_seconds(extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())))),
        steward_internal.html_escape(CASE WHEN from_id IS NOT NULL THEN format('Interval: %s to %s (%s), %s snapshots', steward_internal.report_when(first.taken_at), steward_internal.report_when(last.taken_at),
                                          steward_internal.report_seconds(extract(epoch FROM last.taken_at - first.taken_at)), taken)
             ELSE format('Fewer than two snapshots between %s and %s: figures are totals since the counters began', steward_internal.report_when(from_time), steward_internal.report_when(to_time)) END),
        'Made at ' || steward_internal.report_when(clock_timestamp()));
    page := page || coalesce(steward_internal.report_section('head', from_id, last.id), '') || '<nav>';
    FOREACH section SLICE 1 IN ARRAY sections LOOP
        page := page || format('<a href="#%s">%s</a>', section[1], section[2]);
    END LOOP;
    page := page || E'</nav>\n<main>\n';
    FOREACH section SLICE 1 IN ARRAY sections LOOP
        page := page || format(E'<section id="%s">\n<h2>%s<small>%s</small></h2>\n%s\n</section>\n', section[1], section[2],
                               CASE WHEN section[3] = 'now' THEN 'now' WHEN from_id IS NULL THEN 'since the counters began' ELSE 'in the interval' END,
                               steward_internal.report_section(section[1], from_id, last.id));
    END LOOP;
    RETURN page || E'</main>\n</body>\n</html>';
END $$;
REVOKE ALL ON FUNCTION steward.report(timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.report(timestamptz, timestamptz) TO pg_monitor;
COMMENT ON FUNCTION steward.report(timestamptz, timestamptz) IS
'Returns the server''s state, and what happened between the first and the last snapshot of an interval, as one HTML page.';
