-- monitor_vacuum: what keeps old row versions, and what VACUUM and ANALYZE have before them.

CREATE VIEW steward.xmin_horizon AS
WITH holders AS (
    SELECT 'session' AS kind, a.pid::text AS holder, a.datname AS database_name, a.usename AS user_name,
           greatest(age(a.backend_xmin), age(a.backend_xid)) AS xid_age, a.xact_start AS since,
           format('SELECT pg_terminate_backend(%s);', a.pid) AS remedy
      FROM pg_stat_activity a
     -- what a walsender holds is its standby's
     WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.backend_type <> 'walsender' AND a.pid <> pg_backend_pid()
     UNION ALL
    SELECT 'prepared transaction', p.gid, p.database, p.owner, age(p.transaction), p.prepared, format('ROLLBACK PREPARED %L;', p.gid)
      FROM pg_prepared_xacts p
     UNION ALL
    SELECT 'replication slot', s.slot_name, s.database, NULL, age(s.xmin), NULL, format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
      FROM pg_replication_slots s WHERE s.xmin IS NOT NULL
     UNION ALL
    SELECT 'replication slot (catalogs)', s.slot_name, s.database, NULL, age(s.catalog_xmin), NULL, format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
      FROM pg_replication_slots s WHERE s.catalog_xmin IS NOT NULL
     UNION ALL
    SELECT 'standby', r.application_name, NULL, r.usename, age(r.backend_xmin), r.backend_start, 'Turn hot_standby_feedback off there, or end its long queries.'
      FROM pg_stat_replication r WHERE r.backend_xmin IS NOT NULL
)
SELECT h.kind, h.holder, h.database_name, h.user_name, h.xid_age, clock_timestamp() - h.since AS held_for,
       h.xid_age = max(h.xid_age) OVER () AS is_oldest, h.remedy
  FROM holders h
 ORDER BY h.xid_age DESC, h.kind, h.holder;
COMMENT ON VIEW steward.xmin_horizon IS
'Who keeps VACUUM from removing row versions, the oldest first.';
GRANT SELECT ON steward.xmin_horizon TO pg_monitor;

CREATE VIEW steward.wraparound AS
WITH limits AS (
    SELECT current_setting('autovacuum_freeze_max_age')::bigint AS freeze, current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze,
           -- see SetTransactionIdLimit in varsup.c
           2147483648 - 3000000 AS stop
)
SELECT d.datname AS database_name, d.datallowconn AS allows_connections, age(d.datfrozenxid) AS xid_age,
       round(100.0 * age(d.datfrozenxid) / l.freeze, 1) AS xid_freeze_percent,
       round(100.0 * age(d.datfrozenxid) / l.stop, 1) AS xid_stop_percent,
       mxid_age(d.datminmxid) AS multixact_age,
       round(100.0 * mxid_age(d.datminmxid) / l.multixact_freeze, 1) AS multixact_freeze_percent,
       round(100.0 * mxid_age(d.datminmxid) / l.stop, 1) AS multixact_stop_percent
  FROM pg_database d CROSS JOIN limits l
 ORDER BY age(d.datfrozenxid) DESC, d.datname;
COMMENT ON VIEW steward.wraparound IS
'How near each database is to a forced vacuum, and to the point where the server takes no more writes.';
GRANT SELECT ON steward.wraparound TO pg_monitor;

-- Settings of a table go before the server's, and columns that only newer servers have are read by name.
CREATE VIEW steward.autovacuum_queue AS
WITH tables AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, greatest(c.reltuples, 0) AS reltuples, c.relpages, greatest(age(c.relfrozenxid), 0) AS xid_age,
           greatest(mxid_age(c.relminmxid), 0) AS multixact_age, pg_stat_get_dead_tuples(c.oid) AS n_dead_tup,
           pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum, pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze,
           greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS last_vacuum,
           greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS last_analyze,
           CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN (to_jsonb(c) ->> 'relallfrozen')::double precision END AS relallfrozen,
           o.own, format('%I.%I', mn.nspname, m.relname) AS toast_of
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_class m ON c.relkind = 't' AND m.reltoastrelid = c.oid
      LEFT JOIN pg_namespace mn ON mn.oid = m.relnamespace
      -- a TOAST table without settings has those of its table
     CROSS JOIN LATERAL (SELECT coalesce((SELECT jsonb_object_agg(x.option_name, x.option_value) FROM pg_options_to_table(coalesce(c.reloptions, m.reloptions)) x), '{}') AS own) o
     WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't'
), settings AS (
    SELECT t.*, coalesce((t.own ->> 'autovacuum_enabled')::boolean, true) AND current_setting('autovacuum')::boolean AS enabled,
           coalesce(t.own ->> 'autovacuum_vacuum_threshold', current_setting('autovacuum_vacuum_threshold'))::double precision AS vacuum_base,
           coalesce(t.own ->> 'autovacuum_vacuum_scale_factor', current_setting('autovacuum_vacuum_scale_factor'))::double precision AS vacuum_scale,
           coalesce(t.own ->> 'autovacuum_vacuum_max_threshold', current_setting('autovacuum_vacuum_max_threshold', true))::double precision AS vacuum_most,
           coalesce(t.own ->> 'autovacuum_vacuum_insert_threshold', current_setting('autovacuum_vacuum_insert_threshold'))::double precision AS insert_base,
           coalesce(t.own ->> 'autovacuum_vacuum_insert_scale_factor', current_setting('autovacuum_vacuum_insert_scale_factor'))::double precision AS insert_scale,
           coalesce(t.own ->> 'autovacuum_analyze_threshold', current_setting('autovacuum_analyze_threshold'))::double precision AS analyze_base,
           coalesce(t.own ->> 'autovacuum_analyze_scale_factor', current_setting('autovacuum_analyze_scale_factor'))::double precision AS analyze_scale,
           -- a table can only be frozen earlier than the server says
           least((t.own ->> 'autovacuum_freeze_max_age')::bigint, current_setting('autovacuum_freeze_max_age')::bigint) AS freeze_max_age,
           least((t.own ->> 'autovacuum_multixact_freeze_max_age')::bigint, current_setting('autovacuum_multixact_freeze_max_age')::bigint) AS multixact_freeze_max_age
      FROM tables t
), thresholds AS (
    SELECT s.*, least(s.vacuum_base + s.vacuum_scale * s.reltuples, CASE WHEN s.vacuum_most >= 0 THEN s.vacuum_most END) AS vacuum_threshold,
           CASE WHEN s.insert_base >= 0 THEN
               -- from 18 on only what is not yet frozen counts
               s.insert_base + s.insert_scale * s.reltuples * (1 - coalesce(least(s.relallfrozen / nullif(s.relpages, 0), 1), 0)) END AS insert_threshold,
           -- TOAST tables are not analyzed
           CASE WHEN s.relkind <> 't' THEN s.analyze_base + s.analyze_scale * s.reltuples END AS analyze_threshold
      FROM settings s
)
SELECT t.nspname AS schema_name, t.relname AS table_name, t.oid AS relation_id,
       CASE WHEN t.relkind = 't' THEN t.toast_of END AS toast_of,
       t.enabled AS autovacuum_enabled,
       t.n_dead_tup AS dead_rows, round(t.vacuum_threshold)::bigint AS vacuum_threshold, round((t.n_dead_tup / nullif(t.vacuum_threshold, 0))::numeric, 2) AS vacuum_pressure,
       t.n_ins_since_vacuum AS inserted_rows, round(t.insert_threshold)::bigint AS insert_threshold, round((t.n_ins_since_vacuum / nullif(t.insert_threshold, 0))::numeric, 2) AS insert_pressure,
       t.n_mod_since_analyze AS modified_rows, round(t.analyze_threshold)::bigint AS analyze_threshold, round((t.n_mod_since_analyze / nullif(t.analyze_threshold, 0))::numeric, 2) AS analyze_pressure,
       t.xid_age, round(t.xid_age::numeric / t.freeze_max_age, 2) AS freeze_pressure,
       t.multixact_age, round(t.multixact_age::numeric / t.multixact_freeze_max_age, 2) AS multixact_freeze_pressure,
       array_remove(ARRAY[
           CASE WHEN t.xid_age > t.freeze_max_age OR t.multixact_age > t.multixact_freeze_max_age THEN 'freeze' END,
           CASE WHEN t.enabled AND t.n_dead_tup > t.vacuum_threshold THEN 'vacuum' END,
           CASE WHEN t.enabled AND t.n_ins_since_vacuum > t.insert_threshold THEN 'insert' END,
           CASE WHEN t.enabled AND t.n_mod_since_analyze > t.analyze_threshold THEN 'analyze' END], NULL) AS due,
       t.last_vacuum, t.last_analyze, t.relpages * current_setting('block_size')::bigint AS table_bytes
  FROM thresholds t;
COMMENT ON VIEW steward.autovacuum_queue IS
'What autovacuum has before it, table by table: a pressure above 1 is over the threshold.';
GRANT SELECT ON steward.autovacuum_queue TO pg_monitor;

CREATE FUNCTION steward.monitor_has_statistics(relation oid) RETURNS boolean
LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM pg_statistic s WHERE s.starelid = relation);
END;
REVOKE ALL ON FUNCTION steward.monitor_has_statistics(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.monitor_has_statistics(oid) TO pg_monitor;
COMMENT ON FUNCTION steward.monitor_has_statistics(oid) IS
'Whether the planner knows anything of a table''s columns.';

CREATE VIEW steward.stale_statistics AS
WITH tables AS (
    SELECT n.nspname, c.relname, c.oid, c.relkind, c.reltuples, s.n_mod_since_analyze, s.n_live_tup,
           greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze, steward.monitor_has_statistics(c.oid) AS has_statistics, q.analyze_pressure
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
      LEFT JOIN steward.autovacuum_queue q ON q.relation_id = c.oid
     WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
)
SELECT t.nspname AS schema_name, t.relname AS table_name, t.oid AS relation_id, t.has_statistics, t.last_analyze, t.n_mod_since_analyze AS modified_rows,
       CASE WHEN t.reltuples >= 0 THEN t.reltuples::bigint END AS estimated_rows, t.analyze_pressure,
       CASE WHEN t.relkind = 'p' THEN 'partitioned: autovacuum never analyzes it'
            WHEN NOT t.has_statistics THEN 'never analyzed'
            ELSE 'changed since' END AS reason,
       format('ANALYZE %I.%I;', t.nspname, t.relname) AS remedy
  FROM tables t
 WHERE CASE WHEN t.relkind = 'p' THEN NOT t.has_statistics
            WHEN NOT t.has_statistics THEN coalesce(t.n_live_tup, 0) > 0 OR t.reltuples > 0
            ELSE t.analyze_pressure > 1 END;
COMMENT ON VIEW steward.stale_statistics IS
'Tables of which the planner knows nothing or too little.';
GRANT SELECT ON steward.stale_statistics TO pg_monitor;
