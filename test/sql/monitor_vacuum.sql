-- the example of doc/monitor_vacuum.md
SELECT kind, holder, xid_age, held_for, remedy FROM steward.xmin_horizon WHERE xid_age > 1000000;
SELECT database_name, xid_freeze_percent, xid_stop_percent FROM steward.wraparound WHERE xid_freeze_percent > 100;
SELECT table_name, due, dead_rows, vacuum_pressure, last_vacuum FROM steward.autovacuum_queue WHERE 'freeze' = ANY (due);
SELECT table_name, reason, remedy FROM steward.stale_statistics;

-- every database is in danger alike, template0 too
SELECT count(*) FROM pg_database d
  FULL JOIN steward.wraparound w ON w.database_name = d.datname AND w.xid_age = age(d.datfrozenxid) AND w.multixact_age = mxid_age(d.datminmxid) AND w.is_valid
 WHERE d.oid IS NULL OR w.database_name IS NULL;
SELECT w.allows_connections, w.xid_freeze_percent = round(100.0 * w.xid_age / current_setting('autovacuum_freeze_max_age')::integer, 1) AS freeze,
       w.xid_stop_percent BETWEEN 0 AND 100 AS stop, w.multixact_stop_percent BETWEEN 0 AND 100 AS multixact_stop
  FROM steward.wraparound w WHERE w.database_name = 'template0';

--
-- Whose settings count
--
CREATE FUNCTION thresholds(name) RETURNS TABLE (enabled boolean, vacuum bigint, insert bigint, "analyze" bigint, toast_enabled boolean, toast_vacuum bigint, toast_insert bigint, toast_analyze bigint)
LANGUAGE sql AS $$
    SELECT q.autovacuum_enabled, q.vacuum_threshold, q.insert_threshold, q.analyze_threshold, t.autovacuum_enabled, t.vacuum_threshold, t.insert_threshold, t.analyze_threshold
      FROM steward.autovacuum_queue q
      LEFT JOIN steward.autovacuum_queue t ON t.toast_of = format('%I.%I', q.schema_name, q.table_name)
     WHERE q.table_name = $1
$$;
-- the server's: 50 + 0.2, 1000 + 0.2, 50 + 0.1 of the rows
CREATE TABLE plain (id integer, note text) WITH (autovacuum_enabled);
SELECT * FROM thresholds('plain');
INSERT INTO plain SELECT generate_series(1, 1000);
-- not yet counted is none; all frozen makes a difference from 18 on, none frozen does not
SELECT * FROM thresholds('plain');
ANALYZE plain;
SELECT * FROM thresholds('plain');
VACUUM (FREEZE) plain;
SELECT t.insert = CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 1000 ELSE 1200 END AS insert FROM thresholds('plain') t;
-- the table's, also in the quotes and cases of its name; the TOAST table has the same unless it has any of its own
CREATE TABLE "Own.Settings" (id integer, note text)
    WITH (autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0.5, autovacuum_vacuum_insert_threshold = 10, autovacuum_vacuum_insert_scale_factor = 0,
          autovacuum_analyze_threshold = 0, autovacuum_analyze_scale_factor = 2);
INSERT INTO "Own.Settings" SELECT generate_series(1, 1000);
ANALYZE "Own.Settings";
SELECT * FROM thresholds('Own.Settings');
ALTER TABLE "Own.Settings" SET (toast.autovacuum_vacuum_threshold = 7);
SELECT * FROM thresholds('Own.Settings');
ALTER TABLE "Own.Settings" SET (autovacuum_vacuum_insert_threshold = -1);
SELECT * FROM thresholds('Own.Settings');
-- off, but the TOAST table on
CREATE TABLE off (id integer, note text) WITH (autovacuum_enabled = no);
SELECT t.enabled, t.toast_enabled FROM thresholds('off') t;
ALTER TABLE off SET (toast.autovacuum_enabled = on);
SELECT t.enabled, t.toast_enabled FROM thresholds('off') t;
ALTER TABLE off RESET (autovacuum_enabled), SET (toast.autovacuum_enabled = 0);
SELECT t.enabled, t.toast_enabled FROM thresholds('off') t;

-- what autovacuum looks at, and nothing else
CREATE TABLE parted (id integer, at date) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (1000);
CREATE TABLE "Parted 2" PARTITION OF parted FOR VALUES FROM (1000) TO (2000) PARTITION BY RANGE (id);
CREATE TABLE parted_2_1 PARTITION OF "Parted 2" FOR VALUES FROM (1000) TO (2000);
CREATE TEMP TABLE temporary (id integer, note text);
CREATE UNLOGGED TABLE unlogged (id integer);
CREATE MATERIALIZED VIEW kept AS SELECT 1 AS n;
CREATE VIEW looked AS SELECT 1 AS n;
SELECT q.table_name FROM steward.autovacuum_queue q WHERE q.schema_name = 'public' ORDER BY 1;
SELECT count(*) FROM steward.autovacuum_queue q WHERE q.schema_name LIKE 'pg\_temp%' OR q.table_name = 'pg_toast_' || 'temporary'::regclass::oid;
-- of pg_statistic there are no statistics
SELECT q.vacuum_threshold > 0 AS vacuum, q.analyze_threshold, q.modified_rows, q.analyze_pressure FROM steward.autovacuum_queue q WHERE q.table_name = 'pg_statistic';
-- ages; a table that has none is as old as nothing
SELECT q.xid_age >= 0 AS xid_age, q.freeze_pressure, q.multixact_age >= 0 AS multixact_age, q.multixact_freeze_pressure FROM steward.autovacuum_queue q WHERE q.table_name = 'plain';
CREATE TABLE foreign_engine (id integer);
UPDATE pg_class SET relfrozenxid = '0', relminmxid = '0' WHERE relname = 'foreign_engine';
SELECT q.xid_age, q.freeze_pressure, q.multixact_age, q.multixact_freeze_pressure, q.due FROM steward.autovacuum_queue q WHERE q.table_name = 'foreign_engine';

--
-- Statistics
--
CREATE VIEW stale AS SELECT s.table_name, s.has_statistics, s.estimated_rows, s.reason, s.remedy FROM steward.stale_statistics s WHERE s.schema_name = 'public';
DROP TABLE plain, "Own.Settings", foreign_engine;
-- what has no rows needs none
SELECT * FROM stale ORDER BY table_name COLLATE "C";
-- never analyzed; a few rows do no harm, and autovacuum lets them be
ALTER TABLE off SET (autovacuum_enabled = off);
INSERT INTO off SELECT generate_series(1, 51);
CREATE TABLE few (id integer) WITH (autovacuum_enabled = off);
INSERT INTO few SELECT generate_series(1, 50);
-- of a partitioned table the whole; its partitions are left to autovacuum
ALTER TABLE parted_1 SET (autovacuum_enabled = off);
ALTER TABLE parted_2_1 SET (autovacuum_enabled = off);
INSERT INTO parted SELECT n FROM generate_series(0, 1999) n;
SELECT pg_stat_force_next_flush();
SELECT * FROM stale ORDER BY table_name COLLATE "C";
-- statistics of its partitions are none of the whole
ANALYZE parted_1, parted_2_1;
SELECT * FROM stale ORDER BY table_name COLLATE "C";
ANALYZE parted, off;
SELECT * FROM stale ORDER BY table_name COLLATE "C";
-- vacuumed is not analyzed: how many rows is known, and nothing of them
CREATE TABLE vacuumed (id integer) WITH (autovacuum_enabled = off);
INSERT INTO vacuumed SELECT generate_series(1, 100);
SELECT pg_stat_force_next_flush();
VACUUM vacuumed;
SELECT * FROM stale;
-- what belongs to an extension is its own affair
ALTER EXTENSION pg_steward ADD TABLE vacuumed;
SELECT * FROM stale;
ALTER EXTENSION pg_steward DROP TABLE vacuumed;
-- changed since, autovacuum or not
ANALYZE vacuumed;
UPDATE vacuumed SET id = id + 1;
SELECT pg_stat_force_next_flush();
SELECT * FROM stale;
SELECT s.modified_rows, s.analyze_pressure, s.last_analyze > '2000-01-01' AS last_analyze FROM steward.stale_statistics s WHERE s.table_name = 'vacuumed';
-- the remedy is one
SELECT remedy FROM stale \gexec
SELECT * FROM stale;

DROP VIEW stale;
DROP TABLE off, parted, unlogged, few, vacuumed;
DROP MATERIALIZED VIEW kept;
DROP VIEW looked;
DROP FUNCTION thresholds;
