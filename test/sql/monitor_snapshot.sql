-- Snapshots of the counters, and what happened between two.
\set VERBOSITY terse
CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL);
-- what this session did so far is counted now
CREATE FUNCTION take_snapshot() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_stat_force_next_flush();
    RETURN steward.snapshot(1000);
END $$;
SELECT pg_stat_force_next_flush() \g /dev/null

SELECT steward.snapshot() AS before \gset
INSERT INTO orders SELECT i, 'new' FROM generate_series(1, 1000) i;
UPDATE orders SET status = 'paid' WHERE id <= 10;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT steward.snapshot() AS after \gset
SELECT metric, delta, per_second > 0 AS has_rate
  FROM steward.snapshot_deltas(:before, :after)
 WHERE source = 'table_stats' AND object = 'public.orders' AND delta <> 0 AND metric LIKE 'rows%'
 ORDER BY metric COLLATE "C";
SELECT metric, delta >= 1 AS grew FROM steward.snapshot_deltas(:before, :after, '{database_stats,wal_activity}')
 WHERE object IN (current_database(), 'WAL') AND metric IN ('commits', 'rows_inserted', 'wal_bytes') ORDER BY metric COLLATE "C";

-- what there is in one, and that nothing is missing but what the server lacks
SELECT s.source, s.is_complete, s.problem FROM steward.snapshot_sources s WHERE s.snapshot_id = :after ORDER BY s.source COLLATE "C";
SELECT o.source, bool_or(r.counters IS NOT NULL) AS counters, bool_or(r.gauges IS NOT NULL) AS gauges
  FROM steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id
 WHERE r.snapshot_id = :after AND o.source NOT IN ('slow_queries', 'io_activity', 'replication', 'replication_slots')
 GROUP BY o.source ORDER BY o.source COLLATE "C";
-- counters never go down, gauges may
SELECT count(*) AS negative FROM steward.snapshot_deltas(:before, :after) WHERE kind = 'counter' AND delta < 0;

--
-- Errors
--

\set VERBOSITY default
SELECT steward.snapshot(0);
SELECT * FROM steward.snapshot_deltas(:before, -1);
\set VERBOSITY terse

--
-- Objects that come, go and change their names
--

CREATE TABLE comes (a integer);
CREATE TABLE goes (a integer);
INSERT INTO goes VALUES (1);
CREATE TABLE "Old ""Name""" (a integer);
INSERT INTO "Old ""Name""" VALUES (1);
DROP TABLE comes;
SELECT take_snapshot() AS before \gset
CREATE TABLE comes (a integer);
INSERT INTO comes SELECT generate_series(1, 7);
DROP TABLE goes;
ALTER TABLE "Old ""Name""" RENAME TO "New.Name";
INSERT INTO "New.Name" VALUES (2), (3);
SELECT take_snapshot() \g /dev/null
SELECT take_snapshot() AS after \gset
SELECT object, delta FROM steward.snapshot_deltas(:before, :after, '{table_stats}')
 WHERE metric = 'rows_inserted' AND (object LIKE 'public.%Name%' OR object IN ('public.comes', 'public.goes')) ORDER BY object COLLATE "C";
-- a table that was not among the busiest may be old: it does not count from 0
UPDATE steward.snapshot_sources SET is_complete = false WHERE snapshot_id = :before AND source = 'table_stats';
SELECT object, delta FROM steward.snapshot_deltas(:before, :after, '{table_stats}') WHERE metric = 'rows_inserted' AND object = 'public.comes';
UPDATE steward.snapshot_sources SET is_complete = true WHERE snapshot_id = :before AND source = 'table_stats';
-- nor does one whose source could not be read
UPDATE steward.snapshot_sources SET problem = 'made up' WHERE snapshot_id = :before AND source = 'table_stats';
SELECT object, delta FROM steward.snapshot_deltas(:before, :after, '{table_stats}') WHERE metric = 'rows_inserted' AND object = 'public.comes';
UPDATE steward.snapshot_sources SET problem = NULL WHERE snapshot_id = :before AND source = 'table_stats';
-- no more than asked for
SELECT steward.snapshot(top => 2) AS few \gset
SELECT o.source, count(*), bool_or(s.is_complete) AS is_complete
  FROM steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id
  JOIN steward.snapshot_sources s ON s.snapshot_id = r.snapshot_id AND s.source = o.source
 WHERE r.snapshot_id = :few AND o.source IN ('table_stats', 'index_usage') GROUP BY o.source ORDER BY o.source COLLATE "C";

--
-- Counters that were reset
--

SELECT take_snapshot() AS before \gset
SELECT pg_stat_reset();
INSERT INTO orders SELECT i, 'new' FROM generate_series(1001, 5000) i;
SELECT take_snapshot() \g /dev/null
SELECT take_snapshot() AS after \gset
-- more rows than before the reset, and still not known
SELECT source, metric, delta, per_second FROM steward.snapshot_deltas(:before, :after)
 WHERE source = 'table_stats' AND object = 'public.orders' AND metric = 'rows_inserted'
    OR source = 'database_stats' AND object = current_database() AND metric = 'rows_inserted' ORDER BY source COLLATE "C";
SELECT count(*) FILTER (WHERE delta IS NOT NULL) AS known, count(*) > 10 AS many FROM steward.snapshot_deltas(:before, :after, '{table_stats,index_usage}') WHERE kind = 'counter';
-- what was not reset is
SELECT delta > 0 AS grew FROM steward.snapshot_deltas(:before, :after) WHERE source = 'wal_activity' AND metric = 'wal_bytes';
SELECT pg_stat_reset_shared('wal');
SELECT take_snapshot() AS later \gset
SELECT delta FROM steward.snapshot_deltas(:after, :later) WHERE source = 'wal_activity' AND metric = 'wal_bytes';
SELECT delta > 0 AS grew FROM steward.snapshot_deltas(:after, :later) WHERE source = 'database_stats' AND object = current_database() AND metric = 'commits';
-- a counter that went down, without a word of a reset
UPDATE steward.snapshot_rows r SET counters = r.counters || '{"commits": 1000000000000}'
  FROM steward.snapshot_objects o
 WHERE o.id = r.object_id AND r.snapshot_id = :after AND o.source = 'database_stats' AND o.object = current_database();
SELECT delta FROM steward.snapshot_deltas(:after, :later) WHERE source = 'database_stats' AND object = current_database() AND metric = 'commits';
-- all counters are lost in a crash
UPDATE steward.snapshots SET counted_from = counted_from - interval '1 s' WHERE id = :after;
SELECT count(*) FILTER (WHERE delta IS NOT NULL) AS known FROM steward.snapshot_deltas(:after, :later) WHERE kind = 'counter';
SELECT count(*) > 0 AS gauges_are_known FROM steward.snapshot_deltas(:after, :later) WHERE kind = 'gauge' AND delta IS NOT NULL;
-- and backwards nothing is
SELECT count(*) FILTER (WHERE delta IS NOT NULL) AS known FROM steward.snapshot_deltas(:later, :before) WHERE kind = 'counter';

--
-- Keeping them
--

SHOW steward.snapshot_retention;
UPDATE steward.snapshots SET taken_at = taken_at - interval '31 days' WHERE id < :later;
SELECT take_snapshot() AS newest \gset
SELECT id = :later AS is_later, id = :newest AS is_newest FROM steward.snapshots ORDER BY id;
SELECT count(*) AS orphans FROM steward.snapshot_rows WHERE snapshot_id NOT IN (SELECT id FROM steward.snapshots);
SELECT count(*) AS orphans FROM steward.snapshot_objects WHERE id NOT IN (SELECT object_id FROM steward.snapshot_rows);
UPDATE steward.snapshots SET taken_at = taken_at - interval '10 years' WHERE id = :later;
SET steward.snapshot_retention = 0;
SELECT take_snapshot() AS newest \gset
SELECT count(*) FILTER (WHERE id = :later) AS old, count(*) AS kept FROM steward.snapshots;
SET steward.snapshot_retention = '1h';
SELECT take_snapshot() AS newest \gset
SELECT count(*) FILTER (WHERE id = :later) AS old, count(*) AS kept FROM steward.snapshots;
RESET steward.snapshot_retention;
SET steward.snapshot_retention = '30';

-- a source that fails is left out, and the snapshot stands
BEGIN;
INSERT INTO steward.health_queries (check_name, query, warning) VALUES ('regress', 'SELECT 1 AS value, NULL AS detail', 1);
ALTER TABLE steward.health_queries RENAME COLUMN hint TO tip;
SELECT take_snapshot() AS newest \gset
SELECT source, problem FROM steward.snapshot_sources WHERE snapshot_id = :newest AND problem IS NOT NULL;
SELECT count(DISTINCT o.source) > 5 AS others FROM steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id WHERE r.snapshot_id = :newest;
ROLLBACK;

--
-- Secrets
--

SELECT name, steward_internal.setting_shown(name, 'value') AS shown
  FROM unnest('{work_mem,app.jwt_secret,steward.audit_redaction_key,steward.audit_redaction_key_file,primary_conninfo,my.api_token,ssl_passphrase_command,app.password}'::text[]) name;
SELECT steward_internal.setting_shown('archive_command', value) AS shown
  FROM unnest('{"cp %p /archive/%f","AWS_SECRET_ACCESS_KEY=abc aws s3 cp %p s3://x","curl https://me:pw@example.com/%f","host=x password=y"}'::text[]) value;
CREATE ROLE regress_snapshot_app;
ALTER ROLE regress_snapshot_app SET app.jwt_secret = 'hunter2';
ALTER ROLE regress_snapshot_app SET work_mem = '5MB';
SELECT take_snapshot() AS newest \gset
SELECT o.object, r.gauges ->> 'setting' AS setting FROM steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id
 WHERE r.snapshot_id = :newest AND o.source = 'settings_changed' AND o.object LIKE '%regress_snapshot_app' ORDER BY 1;
-- a setting of the configuration file that all roles have otherwise
ALTER ROLE ALL SET default_text_search_config = 'simple';
SELECT take_snapshot() AS newest \gset
ALTER ROLE ALL RESET default_text_search_config;
SELECT source, problem FROM steward.snapshot_sources WHERE snapshot_id = :newest AND problem IS NOT NULL;
SELECT count(*) FROM steward.snapshot_rows r JOIN steward.snapshot_objects o ON o.id = r.object_id
 WHERE r.snapshot_id = :newest AND o.source = 'settings_changed' AND o.object = 'default_text_search_config';

--
-- Who may
--

CREATE ROLE regress_snapshot_monitor;
GRANT pg_monitor TO regress_snapshot_monitor;
SET ROLE regress_snapshot_app;
SELECT steward.snapshot();
SELECT count(*) FROM steward.snapshots;
SELECT count(*) FROM steward.snapshot_rows;
SELECT * FROM steward.snapshot_deltas(1, 2);
SET ROLE regress_snapshot_monitor;
SELECT steward.snapshot();
SELECT count(*) > 0 AS reads FROM steward.snapshot_deltas(:newest, :newest);
DELETE FROM steward.snapshots;
RESET ROLE;
-- the grants of the documentation
GRANT EXECUTE ON FUNCTION steward.snapshot(integer), steward_internal.snapshot_take(bigint, text, text, text, integer) TO regress_snapshot_monitor;
GRANT SELECT, INSERT, UPDATE, DELETE ON steward.snapshots, steward.snapshot_sources, steward.snapshot_objects, steward.snapshot_rows TO regress_snapshot_monitor;
SET ROLE regress_snapshot_monitor;
SELECT steward.snapshot() AS newest \gset
SELECT source, problem FROM steward.snapshot_sources WHERE snapshot_id = :newest AND problem IS NOT NULL ORDER BY 1;
RESET ROLE;

DROP OWNED BY regress_snapshot_app, regress_snapshot_monitor;
DROP ROLE regress_snapshot_app, regress_snapshot_monitor;
TRUNCATE steward.snapshots, steward.snapshot_sources, steward.snapshot_objects, steward.snapshot_rows;
DROP FUNCTION take_snapshot();
DROP TABLE orders, comes, "New.Name";
