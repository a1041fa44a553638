-- monitor_vacuum: what keeps old row versions, and what VACUUM and ANALYZE have before them.

CREATE VIEW steward.xmin_horizon AS
WITH holders AS (
    SELECT 'session' AS kind, a.pid::text AS holder, a.datname AS database_name, a.usename AS user_name,
           greatest(age(a.backend_xmin), age(a.backend_xid)) AS xid_age, a.xact_start AS since,
           NULL AS hint, format('SELECT pg_terminate_backend(%s);', a.pid) AS remedy
      FROM pg_stat_activity a
     -- what a walsender holds is its standby's, and what a parallel worker holds its leader's
     WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.backend_type NOT IN ('walsender', 'parallel worker')
       -- one VACUUM does not wait for another
       AND a.pid NOT IN (SELECT v.pid FROM pg_stat_progress_vacuum v) AND a.pid <> pg_backend_pid()
     UNION ALL
    SELECT 'prepared transaction', p.gid, p.database, p.owner, age(p.transaction), p.prepared, NULL, format('ROLLBACK PREPARED %L;', p.gid)
      FROM pg_prepared_xacts p
     UNION ALL
    SELECT h.kind, s.slot_name, s.database, NULL, h.xid_age, NULL,
           CASE WHEN NOT s.active THEN NULL WHEN s.slot_type = 'physical' THEN 'Turn hot_standby_feedback off on the standby, or end its long queries.'
                ELSE 'See why its consumer lags.' END,
           CASE WHEN NOT s.active THEN format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
                WHEN s.slot_type <> 'physical' THEN 'SELECT * FROM steward.replication_slots;' END
      FROM pg_replication_slots s
     CROSS JOIN LATERAL (VALUES ('replication slot', age(s.xmin)), ('replication slot (catalogs)', age(s.catalog_xmin))) h(kind, xid_age)
     -- a lost slot holds nothing any more
     WHERE h.xid_age IS NOT NULL AND s.wal_status IS DISTINCT FROM 'lost'
     UNION ALL
    SELECT 'standby', r.application_name, NULL, r.usename, age(r.backend_xmin), NULL, 'Turn hot_standby_feedback off on the standby, or end its long queries.', NULL
      FROM pg_stat_replication r WHERE r.backend_xmin IS NOT NULL
)
SELECT h.kind, h.holder, h.database_name, h.user_name, h.xid_age, clock_timestamp() - h.since AS held_for,
       h.xid_age = max(h.xid_age) OVER () AS is_oldest, h.hint, h.remedy
  FROM holders h
 ORDER BY h.xid_age DESC, h.kind COLLATE "C", h.holder COLLATE "C";
GRANT SELECT ON steward.xmin_horizon TO pg_monitor;
COMMENT ON VIEW steward.xmin_horizon IS
'Who keeps VACUUM from removing row versions, the oldest first.';
COMMENT ON COLUMN steward.xmin_horizon.kind IS 'One of session, prepared transaction, replication slot, replication slot (catalogs), or standby (by hot_standby_feedback, without a slot).';
COMMENT ON COLUMN steward.xmin_horizon.holder IS 'The pid, prepared_id, slot or application_name.';
COMMENT ON COLUMN steward.xmin_horizon.database_name IS 'A session or prepared transaction keeps the rows of this database and of what databases share; null for what keeps those of all.';
COMMENT ON COLUMN steward.xmin_horizon.user_name IS 'Whose it is; null for a slot.';
COMMENT ON COLUMN steward.xmin_horizon.xid_age IS 'Transactions whose row versions are kept for it.';
COMMENT ON COLUMN steward.xmin_horizon.held_for IS 'Since its transaction began, or was prepared; null for slots and standbys, which do not tell.';
COMMENT ON COLUMN steward.xmin_horizon.is_oldest IS 'Whether nothing else holds more.';
COMMENT ON COLUMN steward.xmin_horizon.hint IS 'What to do elsewhere, or besides; null if the remedy is all.';
COMMENT ON COLUMN steward.xmin_horizon.remedy IS 'The command that ends it, or shows more of it; null if none of this server does. Look at it before you run it.';

CREATE VIEW steward.wraparound AS
WITH limits AS (
    SELECT current_setting('autovacuum_freeze_max_age')::bigint AS freeze, current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze,
           -- see SetTransactionIdLimit in varsup.c and SetMultiXactIdLimit in multixact.c
           2147483647 - 3000000 AS stop
), databases AS (
    -- one whose DROP was interrupted is passed over by the server too
    SELECT d.datname, d.datallowconn, d.datconnlimit <> -2 AS is_valid, age(d.datfrozenxid)::numeric AS xid_age, mxid_age(d.datminmxid)::numeric AS multixact_age
      FROM pg_database d
)
SELECT d.datname AS database_name, d.datallowconn AS allows_connections, d.is_valid, d.xid_age::integer AS xid_age,
       CASE WHEN d.is_valid THEN round(100 * d.xid_age / l.freeze, 1) END AS xid_freeze_percent,
       CASE WHEN d.is_valid THEN round(100 * d.xid_age / l.stop, 1) END AS xid_stop_percent,
       d.multixact_age::integer AS multixact_age,
       CASE WHEN d.is_valid THEN round(100 * d.multixact_age / l.multixact_freeze, 1) END AS multixact_freeze_percent,
       CASE WHEN d.is_valid THEN round(100 * d.multixact_age / l.stop, 1) END AS multixact_stop_percent
  FROM databases d CROSS JOIN limits l
 ORDER BY d.is_valid DESC, d.xid_age DESC, d.datname;
GRANT SELECT ON steward.wraparound TO pg_monitor;
COMMENT ON VIEW steward.wraparound IS
'How near each database is to a forced vacuum, and to the point where the server takes no more writes.';
COMMENT ON COLUMN steward.wraparound.database_name IS 'Which database, template0 too.';
COMMENT ON COLUMN steward.wraparound.allows_connections IS 'Whether one can connect; autovacuum can always.';
COMMENT ON COLUMN steward.wraparound.is_valid IS 'False after an interrupted DROP DATABASE: nothing is left to save in it, so its shares are null.';
COMMENT ON COLUMN steward.wraparound.xid_age IS 'Transactions since the oldest that is not frozen.';
COMMENT ON COLUMN steward.wraparound.xid_freeze_percent IS 'Share of autovacuum_freeze_max_age, in percent: at 100 autovacuum freezes, wanted or not.';
COMMENT ON COLUMN steward.wraparound.xid_stop_percent IS 'Share of the age at which the server assigns no more transaction ids, in percent.';
COMMENT ON COLUMN steward.wraparound.multixact_age IS 'Multixacts since the oldest that is not frozen.';
COMMENT ON COLUMN steward.wraparound.multixact_freeze_percent IS
'Share of autovacuum_multixact_freeze_max_age, in percent; up to 18 the server freezes earlier when multixacts have many members.';
COMMENT ON COLUMN steward.wraparound.multixact_stop_percent IS 'Share of the age at which the server makes no more multixacts, in percent.';

-- relation_needs_vacanalyze in autovacuum.c decides; settings of a table go before the server's, and what only newer servers have is read by name.
CREATE VIEW steward.autovacuum_queue AS
WITH server AS MATERIALIZED (
    SELECT current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean AS enabled,
           current_setting('server_version_num')::integer >= 180000 AS knows_frozen_pages,
           -- a standby runs no autovacuum and counts nothing of what it replays
           pg_is_in_recovery() AS is_standby, current_setting('block_size')::bigint AS block_size,
           current_setting('autovacuum_vacuum_threshold')::double precision AS vacuum_base,
           current_setting('autovacuum_vacuum_scale_factor')::double precision AS vacuum_scale,
           current_setting('autovacuum_vacuum_max_threshold', true)::double precision AS vacuum_most,
           current_setting('autovacuum_vacuum_insert_threshold')::double precision AS insert_base,
           current_setting('autovacuum_vacuum_insert_scale_factor')::double precision AS insert_scale,
           current_setting('autovacuum_analyze_threshold')::double precision AS analyze_base,
           current_setting('autovacuum_analyze_scale_factor')::double precision AS analyze_scale,
           current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,
           current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze_max_age
), tables AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, greatest(c.reltuples, 0) AS reltuples, c.relpages,
           -- other access methods may have none
           CASE WHEN c.relfrozenxid NOT IN ('0', '1', '2') THEN age(c.relfrozenxid) END AS xid_age,
           CASE WHEN c.relminmxid <> '0' THEN mxid_age(c.relminmxid) END AS multixact_age,
           CASE WHEN NOT g.is_standby THEN pg_stat_get_dead_tuples(c.oid) END AS dead_rows,
           CASE WHEN NOT g.is_standby THEN pg_stat_get_ins_since_vacuum(c.oid) END AS inserted_rows,
           -- neither TOAST tables nor pg_statistic are analyzed
           CASE WHEN NOT g.is_standby AND c.relkind <> 't' AND c.oid <> 'pg_statistic'::regclass THEN pg_stat_get_mod_since_analyze(c.oid) END AS modified_rows,
           greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS last_vacuum,
           greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS last_analyze,
           CASE WHEN g.knows_frozen_pages AND c.relpages > 0
                THEN 1 - least((to_jsonb(c) ->> 'relallfrozen')::double precision / c.relpages, 1) ELSE 1 END AS unfrozen,
           CASE WHEN m.oid IS NOT NULL THEN format('%I.%I', mn.nspname, m.relname) END AS toast_of,
           -- a TOAST table without settings has those of its table
           CASE WHEN coalesce(c.reloptions, m.reloptions) IS NOT NULL
                THEN (SELECT jsonb_object_agg(x.option_name, x.option_value) FROM pg_options_to_table(coalesce(c.reloptions, m.reloptions)) x) END AS own
      FROM pg_class c
     CROSS JOIN server g
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_class m ON c.relkind = 't' AND m.reltoastrelid = c.oid
      LEFT JOIN pg_namespace mn ON mn.oid = m.relnamespace
     WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
), settings AS (
    SELECT t.*, g.is_standby, t.relpages * g.block_size AS table_bytes,
           g.enabled AND coalesce((t.own ->> 'autovacuum_enabled')::boolean, true) AS enabled,
           coalesce((t.own ->> 'autovacuum_vacuum_threshold')::double precision, g.vacuum_base) AS vacuum_base,
           coalesce((t.own ->> 'autovacuum_vacuum_scale_factor')::double precision, g.vacuum_scale) AS vacuum_scale,
           coalesce((t.own ->> 'autovacuum_vacuum_max_threshold')::double precision, g.vacuum_most) AS vacuum_most,
           coalesce((t.own ->> 'autovacuum_vacuum_insert_threshold')::double precision, g.insert_base) AS insert_base,
           coalesce((t.own ->> 'autovacuum_vacuum_insert_scale_factor')::double precision, g.insert_scale) AS insert_scale,
           coalesce((t.own ->> 'autovacuum_analyze_threshold')::double precision, g.analyze_base) AS analyze_base,
           coalesce((t.own ->> 'autovacuum_analyze_scale_factor')::double precision, g.analyze_scale) AS analyze_scale,
           -- a table can only be frozen earlier than the server says
           least((t.own ->> 'autovacuum_freeze_max_age')::bigint, g.freeze_max_age) AS freeze_max_age,
           least((t.own ->> 'autovacuum_multixact_freeze_max_age')::bigint, g.multixact_freeze_max_age) AS multixact_freeze_max_age
      FROM tables t CROSS JOIN server g
), thresholds AS (
    SELECT s.*,
           -- -1 is for none
           least(s.vacuum_base + s.vacuum_scale * s.reltuples, CASE WHEN s.vacuum_most >= 0 THEN s.vacuum_most END) AS vacuum_threshold,
           CASE WHEN s.insert_base >= 0 THEN s.insert_base + s.insert_scale * s.reltuples * s.unfrozen END AS insert_threshold,
           CASE WHEN s.relkind <> 't' AND s.oid <> 'pg_statistic'::regclass THEN s.analyze_base + s.analyze_scale * s.reltuples END AS analyze_threshold
      FROM settings s
)
SELECT t.nspname AS schema_name, t.relname AS table_name, t.oid AS relation_id, t.toast_of, t.enabled AS autovacuum_enabled,
       t.dead_rows, round(t.vacuum_threshold)::bigint AS vacuum_threshold, round((t.dead_rows / greatest(t.vacuum_threshold, 1))::numeric, 2) AS vacuum_pressure,
       t.inserted_rows, round(t.insert_threshold)::bigint AS insert_threshold,
       CASE WHEN t.insert_threshold IS NOT NULL THEN round((t.inserted_rows / greatest(t.insert_threshold, 1))::numeric, 2) END AS insert_pressure,
       t.modified_rows, round(t.analyze_threshold)::bigint AS analyze_threshold,
       CASE WHEN t.analyze_threshold IS NOT NULL THEN round((t.modified_rows / greatest(t.analyze_threshold, 1))::numeric, 2) END AS analyze_pressure,
       t.xid_age, round(t.xid_age::numeric / greatest(t.freeze_max_age, 1), 2) AS freeze_pressure,
       t.multixact_age, round(t.multixact_age::numeric / greatest(t.multixact_freeze_max_age, 1), 2) AS multixact_freeze_pressure,
       CASE WHEN NOT t.is_standby THEN array_remove(ARRAY[
           CASE WHEN t.xid_age > t.freeze_max_age OR t.multixact_age > t.multixact_freeze_max_age THEN 'freeze' END,
           CASE WHEN t.enabled AND t.dead_rows > t.vacuum_threshold THEN 'vacuum' END,
           CASE WHEN t.enabled AND t.inserted_rows > t.insert_threshold THEN 'insert' END,
           CASE WHEN t.enabled AND t.modified_rows > t.analyze_threshold THEN 'analyze' END], NULL) END AS due,
       t.last_vacuum, t.last_analyze, t.table_bytes
  FROM thresholds t;
GRANT SELECT ON steward.autovacuum_queue TO pg_monitor;
COMMENT ON VIEW steward.autovacuum_queue IS
'What autovacuum has before it, table by table: a pressure above 1 is over the threshold.';
COMMENT ON COLUMN steward.autovacuum_queue.schema_name IS 'Where the table is: all that autovacuum looks at, catalogs and TOAST tables too.';
COMMENT ON COLUMN steward.autovacuum_queue.table_name IS 'The table.';
COMMENT ON COLUMN steward.autovacuum_queue.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.autovacuum_queue.toast_of IS 'Of a TOAST table: whose it is; else null.';
COMMENT ON COLUMN steward.autovacuum_queue.autovacuum_enabled IS 'False where it is off for the table or, with track_counts, for the server; freezing is not to be turned off.';
COMMENT ON COLUMN steward.autovacuum_queue.dead_rows IS 'Dead rows, null on a standby, which counts none.';
COMMENT ON COLUMN steward.autovacuum_queue.vacuum_threshold IS 'More dead rows than this are vacuumed.';
COMMENT ON COLUMN steward.autovacuum_queue.vacuum_pressure IS 'dead_rows / vacuum_threshold.';
COMMENT ON COLUMN steward.autovacuum_queue.inserted_rows IS 'Rows inserted since the last VACUUM, null on a standby.';
COMMENT ON COLUMN steward.autovacuum_queue.insert_threshold IS 'More inserted rows than this are vacuumed, from 18 on less for pages that are frozen; null if turned off.';
COMMENT ON COLUMN steward.autovacuum_queue.insert_pressure IS 'inserted_rows / insert_threshold.';
COMMENT ON COLUMN steward.autovacuum_queue.modified_rows IS 'Rows changed since the last ANALYZE, null on a standby and for what is never analyzed.';
COMMENT ON COLUMN steward.autovacuum_queue.analyze_threshold IS 'More changed rows than this are analyzed; null for what never is.';
COMMENT ON COLUMN steward.autovacuum_queue.analyze_pressure IS 'modified_rows / analyze_threshold.';
COMMENT ON COLUMN steward.autovacuum_queue.xid_age IS 'Transactions since the oldest that is not frozen; null if the access method has none.';
COMMENT ON COLUMN steward.autovacuum_queue.freeze_pressure IS 'xid_age / autovacuum_freeze_max_age of the table or of the server, the smaller.';
COMMENT ON COLUMN steward.autovacuum_queue.multixact_age IS 'Multixacts since the oldest that is not frozen; null if the access method has none.';
COMMENT ON COLUMN steward.autovacuum_queue.multixact_freeze_pressure IS 'multixact_age / autovacuum_multixact_freeze_max_age of the table or of the server, the smaller.';
COMMENT ON COLUMN steward.autovacuum_queue.due IS 'What autovacuum will do when it comes by: freeze, vacuum, insert, analyze; empty for nothing, null on a standby.';
COMMENT ON COLUMN steward.autovacuum_queue.last_vacuum IS 'Last VACUUM, by whomever; null for none since the counters began, and on a standby.';
COMMENT ON COLUMN steward.autovacuum_queue.last_analyze IS 'Last ANALYZE, by whomever; null for none since the counters began, and on a standby.';
COMMENT ON COLUMN steward.autovacuum_queue.table_bytes IS 'Size of the main fork in bytes, as of the last VACUUM or ANALYZE.';

-- Tables below autovacuum_analyze_threshold, which autovacuum never analyzes, are no problem for the planner.
CREATE VIEW steward.stale_statistics AS
WITH RECURSIVE leaves AS (
    SELECT p.partrelid AS root, p.partrelid AS relation FROM pg_partitioned_table p
     UNION ALL
    SELECT l.root, i.inhrelid FROM leaves l JOIN pg_inherits i ON i.inhparent = l.relation
), partitioned AS (
    SELECT p.root, p.rows, p.changed_rows / greatest(current_setting('autovacuum_analyze_threshold')::double precision
                                                     + current_setting('autovacuum_analyze_scale_factor')::double precision * p.rows, 1) AS pressure
      FROM (SELECT l.root, sum(s.rows) AS rows,
                   -- autovacuum found these changed since the whole was analyzed
                   sum(s.rows) FILTER (WHERE pg_stat_get_last_autoanalyze_time(c.oid) > pg_stat_get_last_analyze_time(l.root)) AS changed_rows
              FROM leaves l
              JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r'
             CROSS JOIN LATERAL (SELECT greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0) AS rows) s
             GROUP BY l.root) p
), tables AS (
    SELECT n.nspname, c.relname, c.oid, c.relkind, c.reltuples, q.modified_rows,
           CASE WHEN c.relkind = 'p' THEN pg_stat_get_last_analyze_time(c.oid) ELSE q.last_analyze END AS last_analyze,
           CASE WHEN c.relkind = 'p' THEN p.rows ELSE greatest(c.reltuples, pg_stat_get_live_tuples(c.oid)) END AS rows,
           CASE WHEN c.relkind = 'p' THEN round(p.pressure::numeric, 2) ELSE q.analyze_pressure END AS analyze_pressure,
           EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = c.oid AND s.stainherit = (c.relkind = 'p')) AS has_statistics
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN steward.autovacuum_queue q ON q.relation_id = c.oid
      LEFT JOIN partitioned p ON p.root = c.oid
     WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
       AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
)
SELECT t.nspname AS schema_name, t.relname AS table_name, t.oid AS relation_id, t.has_statistics, t.last_analyze, t.modified_rows,
       CASE WHEN t.reltuples >= 0 THEN t.reltuples::bigint END AS estimated_rows, t.analyze_pressure,
       CASE WHEN t.relkind = 'p' THEN 'partitioned: autovacuum never analyzes it'
            WHEN NOT t.has_statistics THEN 'never analyzed'
            ELSE 'changed since' END AS reason,
       format('ANALYZE %I.%I;', t.nspname, t.relname) AS remedy
  FROM tables t
 WHERE t.analyze_pressure > 1 OR NOT t.has_statistics AND t.rows > current_setting('autovacuum_analyze_threshold')::double precision;
GRANT SELECT ON steward.stale_statistics TO pg_monitor;
COMMENT ON VIEW steward.stale_statistics IS
'Tables of which the planner knows nothing or too little; without catalogs and what belongs to extensions.';
COMMENT ON COLUMN steward.stale_statistics.schema_name IS 'Where the table is.';
COMMENT ON COLUMN steward.stale_statistics.table_name IS 'The table.';
COMMENT ON COLUMN steward.stale_statistics.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.stale_statistics.has_statistics IS 'Whether the planner knows anything of its columns; for a partitioned table, of all partitions together.';
COMMENT ON COLUMN steward.stale_statistics.last_analyze IS 'Last ANALYZE, by whomever; null for none since the counters began, and on a standby.';
COMMENT ON COLUMN steward.stale_statistics.modified_rows IS 'Rows changed since; null for a partitioned table, and on a standby.';
COMMENT ON COLUMN steward.stale_statistics.estimated_rows IS 'Rows the planner takes it to have; null if it was never told.';
COMMENT ON COLUMN steward.stale_statistics.analyze_pressure IS
'modified_rows, of a partitioned table the rows of those partitions that autovacuum analyzed since, by the threshold for ANALYZE: above 1 is stale.';
COMMENT ON COLUMN steward.stale_statistics.reason IS 'Why it is here.';
COMMENT ON COLUMN steward.stale_statistics.remedy IS 'What brings them up to date.';
