-- The health check: the example of doc/monitor_health.md, thresholds, checks of users, and what a check must not do.
CREATE TABLE orders (id integer PRIMARY KEY, state text, placed_at timestamptz DEFAULT now());
INSERT INTO orders SELECT g, 'new', now() - interval '2 hours' FROM generate_series(1, 60) g;
INSERT INTO steward.health_queries (check_name, query, warning, critical, unit, hint, description) VALUES
('orders_waiting', $$SELECT count(*) AS value, min(placed_at) < now() - interval '1 hour' AS detail FROM public.orders WHERE state = 'new'$$,
 50, 500, 'orders', 'See whether the shipping job runs.', 'orders that nobody has shipped');
SELECT check_name, status, value, unit, detail, hint, remedy FROM steward.health_check WHERE check_name = 'orders_waiting';
INSERT INTO steward.health_thresholds (check_name, warning, reason) VALUES ('orders_waiting', 100, 'it is Christmas');
SELECT check_name, status, warning, critical, hint, remedy FROM steward.health_check WHERE check_name = 'orders_waiting';

-- every check has a row, and none fails
SELECT count(*) = (SELECT count(*) FROM steward.health_queries) AS all_there,
       count(*) FILTER (WHERE status_code <> array_position('{OK,WARNING,CRITICAL,UNKNOWN,DISABLED}', status) - 1) AS wrong_codes,
       count(*) FILTER (WHERE elapsed_ms IS NULL) AS without_time, count(*) FILTER (WHERE status IN ('OK', 'DISABLED') AND num_nonnulls(hint, remedy) > 0) AS needless_hints
  FROM steward.health_check;
-- what is not known says why and what to do
SELECT check_name, value, detail, hint, remedy FROM steward.health_check WHERE status = 'UNKNOWN' ORDER BY 1;
SELECT check_name, value, warning, critical, detail FROM steward.health_check WHERE check_name IN ('autovacuum', 'extension_version', 'tenant_isolation', 'audit_partitions') ORDER BY 1;
SELECT c.check_name FROM steward.health_queries c WHERE NOT is_custom AND (c.description IS NULL OR c.unit IS NULL OR num_nonnulls(c.hint, c.remedy) = 0 AND c.warning IS NOT NULL);

-- more and less, on the threshold and beside it
SELECT v, steward_internal.health_status(v, 10, 20, false) AS more_is_worse, steward_internal.health_status(v, 2, 0, true) AS less_is_worse,
       steward_internal.health_status(v, 10, NULL, false) AS warning_only, steward_internal.health_status(v, NULL, NULL, false) AS none
  FROM unnest('{-1,0,1,2,9.99,10,20,Infinity,NaN,NULL}'::numeric[]) v;
-- a threshold that is never reached does not turn round what is worse
INSERT INTO steward.health_queries (check_name, query, warning, critical) VALUES ('less', 'SELECT 1 AS value, NULL AS detail', 2, 0), ('more', 'SELECT 1 AS value, NULL AS detail', 1, 5);
INSERT INTO steward.health_thresholds (check_name, warning) VALUES ('less', '-Infinity'), ('more', 'Infinity');
SELECT check_name, status, warning, critical FROM steward.health_check WHERE check_name IN ('less', 'more') ORDER BY 1;
UPDATE steward.health_thresholds SET enabled = false, reason = 'does not matter' WHERE check_name = 'less';
UPDATE steward.health_thresholds SET only_on = 'standby' WHERE check_name = 'more';
INSERT INTO steward.health_thresholds (check_name) VALUES ('conections');
SELECT check_name, status, value, warning, detail, hint, remedy FROM steward.health_check WHERE check_name IN ('less', 'more', 'conections') ORDER BY 1;
SELECT finding, severity, object, finding_key FROM steward.findings WHERE finding = 'threshold_without_check';
DELETE FROM steward.health_thresholds;
DELETE FROM steward.health_queries WHERE is_custom;

-- a check of yours takes the place of one of ours
INSERT INTO steward.health_queries (check_name, query, warning) VALUES ('connections', 'SELECT 7 AS value, ''mine'' AS detail', 5);
SELECT check_name, status, value, warning, critical, detail FROM steward.health_check WHERE check_name = 'connections';
DELETE FROM steward.health_queries WHERE is_custom;

-- checks that are wrong are UNKNOWN and disturb no other
CREATE TABLE written (v integer);
CREATE FUNCTION writes() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.written VALUES (1); RETURN 1; END $$;
CREATE FUNCTION writes_after_all() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('transaction_read_only', 'off', true);
    RETURN public.writes();
END $$;
CREATE FUNCTION swallows() RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM pg_sleep(60);
    EXCEPTION WHEN query_canceled THEN
        NULL;
    END;
    PERFORM pg_sleep(60);
    RETURN 0;
END $$;
INSERT INTO steward.health_queries (check_name, query) VALUES
('a broken one', 'SELECT 1 AS value, FROM'),
('another"s', 'SELECT 1 AS value, ''it''''s'' AS detail -- said'),
('asks again', 'SELECT status_code AS value, message AS detail FROM steward.health_summary'),
('boolean', 'SELECT true AS value, 1 AS detail'),
('command', 'CREATE TABLE public.made_by_check ()'),
('divides by zero', 'SELECT 1 / 0 AS value, NULL AS detail'),
('infinity', 'SELECT ''Infinity''::double precision AS value, NULL AS detail'),
('missing column', 'SELECT 1 AS value'),
('missing table', 'SELECT count(*) AS value, NULL AS detail FROM public.nowhere'),
('no row', 'SELECT 1 AS value, 2 AS detail WHERE false'),
('not a number', 'SELECT ''many'' AS value, NULL AS detail'),
('null', 'SELECT NULL AS value, ''because'' AS detail'),
('own status', 'SELECT NULL AS value, ''I say so'' AS detail, ''CRITICAL'' AS status, ''Run!'' AS hint, ''SELECT 1;'' AS remedy'),
('own status, wrong', 'SELECT 1 AS value, NULL AS detail, ''GREEN'' AS status'),
('raises', $$SELECT steward_internal.health_rate('nothing', NULL) AS value, (SELECT detail FROM steward_internal.health_rate('nothing', 'nothing')) AS detail$$),
('semicolon', 'SELECT 1 AS value, NULL AS detail;  '),
('several', 'SELECT g AS value, NULL AS detail FROM generate_series(1, 3) g'),
('sleeps', 'SELECT 1 AS value, pg_sleep(60) AS detail'),
('swallows', 'SELECT public.swallows() AS value, NULL AS detail'),
('two statements', 'SELECT 1 AS value, NULL AS detail) q; DROP TABLE public.written; SELECT (1'),
('writes', 'SELECT public.writes() AS value, NULL AS detail'),
('writes after all', 'SELECT public.writes_after_all() AS value, NULL AS detail'),
('writes itself', 'WITH w AS (INSERT INTO public.written VALUES (2) RETURNING v) SELECT v AS value, NULL AS detail FROM w');
SELECT check_name, status, value, CASE WHEN check_name <> 'asks again' THEN detail ELSE left(detail, 8) END AS detail, hint, remedy
  FROM steward.health_check WHERE check_name IN (SELECT c.check_name FROM steward.health_queries c WHERE c.is_custom) ORDER BY check_name;
TABLE written;
-- the others were made
SELECT count(*) > 30 AS many FROM steward.health_check WHERE status IN ('OK', 'DISABLED');
-- the session writes again, and nothing is cancelled later
INSERT INTO written VALUES (3) RETURNING v;
DELETE FROM steward.health_queries WHERE check_name NOT IN ('sleeps', 'swallows') AND is_custom;

--
-- The time limit
--

-- what is not the limit's doing ends the statement
\set VERBOSITY sqlstate
SET statement_timeout = '300ms';
SELECT count(*) FROM steward.health_check;
RESET statement_timeout;
SELECT count(*) FILTER (WHERE status = 'UNKNOWN') AS unknown FROM steward.health_check WHERE check_name IN ('sleeps', 'swallows');
-- also where the other's time is up while the limit's repeats
SET statement_timeout = '1050ms';
SELECT count(*) FROM steward.health_check;
RESET statement_timeout;
\set VERBOSITY default
SELECT detail FROM steward_internal.health_query('SELECT 1::numeric, ''fine'', NULL::text, NULL::text, NULL::text', 200);
SELECT steward_internal.health_query('SELECT 1::numeric, pg_sleep(60)::text, NULL::text, NULL::text, NULL::text', 50);
SELECT steward_internal.health_query('SELECT 1::numeric, ''x'', NULL::text, NULL::text, NULL::text', 0);
SELECT steward_internal.health_query('SET work_mem = ''1MB''', 100);
-- nothing is left of a limit that was kept
SELECT count(*) FROM (SELECT pg_sleep(0.3)) s;
-- from a cursor, row by row
BEGIN;
DECLARE c CURSOR FOR SELECT check_name FROM steward.health_check;
FETCH 2 FROM c;
SAVEPOINT s;
SELECT status FROM steward.health_check WHERE check_name = 'swallows';
ROLLBACK TO s;
INSERT INTO written VALUES (4) RETURNING v;
COMMIT;
DELETE FROM steward.health_queries WHERE is_custom;

--
-- Who may
--
CREATE ROLE regress_health;
GRANT pg_monitor TO regress_health;
CREATE ROLE regress_health_nobody;
SET ROLE regress_health;
SELECT count(*) > 40 AS reads FROM steward.health_check;
SELECT steward_internal.health_query('SELECT 1::numeric, current_user::text, NULL::text, NULL::text, NULL::text', 100);
\set VERBOSITY terse
INSERT INTO steward.health_queries (check_name, query) VALUES ('mine', 'SELECT 1');
UPDATE steward.health_queries SET query = 'SELECT 1';
DELETE FROM steward.health_queries;
INSERT INTO steward.health_thresholds (check_name, enabled) VALUES ('xid_stop', false);
SET ROLE regress_health_nobody;
SELECT * FROM steward.health_check;
SELECT * FROM steward_internal.health_run();
SELECT steward_internal.health_query('SELECT 1', 100);
RESET ROLE;
\set VERBOSITY default
-- a check is run by whoever asks
INSERT INTO steward.health_queries (check_name, query) VALUES ('who', 'SELECT 1 AS value, current_user AS detail'), ('secret', 'SELECT v AS value, NULL AS detail FROM public.written');
SET ROLE regress_health;
SELECT check_name, status, detail, hint, remedy FROM steward.health_check WHERE check_name IN ('who', 'secret') ORDER BY 1;
RESET ROLE;
DELETE FROM steward.health_queries WHERE is_custom;

--
-- In one line
--
DELETE FROM steward.health_queries;
INSERT INTO steward.health_queries (check_name, query, warning, critical, unit) VALUES
('fine', 'SELECT 1.50 AS value, NULL AS detail', 2, 3, 's');
SELECT status, status_code, message, checks, warnings, criticals, unknowns, perfdata FROM steward.health_summary;
INSERT INTO steward.health_queries (check_name, query, warning, critical, unit) VALUES
('unknown', 'SELECT NULL AS value, ''so'' AS detail', 2, 3, '%');
SELECT status, status_code, message, perfdata FROM steward.health_summary;
INSERT INTO steward.health_queries (check_name, query, warning, critical, unit) VALUES
('it''s = low', 'SELECT 10 AS value, ''a | b'' AS detail', 20, 5, 'bytes');
SELECT status, status_code, message, perfdata FROM steward.health_summary;
INSERT INTO steward.health_queries (check_name, query, warning, critical) VALUES ('bad', 'SELECT 4 AS value, NULL AS detail', 2, 3), ('off', 'SELECT NULL AS value, NULL AS detail, ''DISABLED'' AS status', 2, 3);
SELECT status, status_code, message, checks, warnings, criticals, unknowns, perfdata FROM steward.health_summary;
DELETE FROM steward.health_queries;
SELECT status, status_code, message, checks FROM steward.health_summary;

DROP TABLE orders, written;
DROP FUNCTION writes(), writes_after_all(), swallows();
DROP ROLE regress_health, regress_health_nobody;
SET steward.audit_guard = off; -- other tests leave events in the log
DROP EXTENSION pg_steward;
SET client_min_messages = warning;
CREATE EXTENSION pg_steward;
RESET client_min_messages;

--
-- What two snapshots tell
--
SELECT steward.snapshot() > 0 AS taken;
SELECT check_name, status, detail, hint, remedy FROM steward.health_check WHERE check_name = 'deadlocks';
SELECT steward.snapshot() > 0 AS taken;
SELECT check_name, status, value >= 0 AS has_value FROM steward.health_check
 WHERE check_name IN ('checkpoints', 'deadlocks', 'disk_reads', 'rollbacks', 'temp_files', 'transactions') ORDER BY 1;
-- a thousand transactions of which a fifth failed, then a reset
UPDATE steward.snapshot_rows r SET counters = r.counters || '{"commits": 0, "rollbacks": 0, "deadlocks": 0}'
 WHERE r.object_id IN (SELECT o.id FROM steward.snapshot_objects o WHERE o.source = 'database_stats');
UPDATE steward.snapshot_rows r SET counters = r.counters || '{"commits": 800, "rollbacks": 200, "deadlocks": 3}'
 WHERE r.snapshot_id = (SELECT max(id) FROM steward.snapshots)
   AND r.object_id IN (SELECT o.id FROM steward.snapshot_objects o WHERE o.source = 'database_stats' AND o.object = current_database());
UPDATE steward.snapshots SET taken_at = (SELECT max(taken_at) FROM steward.snapshots) - interval '2 hours' WHERE id = (SELECT min(id) FROM steward.snapshots);
SELECT check_name, status, value, detail = current_database() AS is_here FROM steward.health_check WHERE check_name IN ('deadlocks', 'rollbacks') ORDER BY 1;
UPDATE steward.snapshot_rows r SET counters = r.counters || '{"deadlocks": 5}'
 WHERE r.snapshot_id = (SELECT min(id) FROM steward.snapshots)
   AND r.object_id IN (SELECT o.id FROM steward.snapshot_objects o WHERE o.source = 'database_stats' AND o.object = current_database());
SELECT check_name, status, value, detail, hint, remedy FROM steward.health_check WHERE check_name = 'deadlocks';
UPDATE steward.snapshots SET taken_at = taken_at - interval '3 days';
SELECT check_name, status, regexp_replace(detail, 'is .* old', 'is ... old') AS detail, hint, remedy FROM steward.health_check WHERE check_name = 'deadlocks';
DELETE FROM steward.snapshots;
