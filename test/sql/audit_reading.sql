-- The audit module: what the planner knows of the log, and the ways to search it.
SET client_min_messages = error;
SET timezone = 'UTC';
CREATE SCHEMA audit_reading;
SET search_path = audit_reading, public;

--
-- Changed columns, as the two versions of the row are written
--

SELECT v.n AS place, steward_internal.audit_changed_columns(t.operation, t.was, t.is_now)
  FROM (VALUES (1, 'U', '{"a": 1}', '{"a": 2}'),
               (2, 'U', '{"a": 1, "bb": 2, "B": 3}', '{"a": 1, "bb": 3, "B": 4}'),   -- by bytes, not as jsonb has them
               (3, 'U', '{"n": 1.0}', '{"n": 1.00}'),
               (4, 'U', '{"n": 1.0, "s": "1", "t": true, "x": null, "j": [1, {"k": "v"}]}', '{"n": 1.0, "s": "1", "t": true, "x": null, "j": [1, {"k": "v"}]}'),
               (5, 'U', '{"j": [1, {"k": "v"}]}', '{"j": [1, {"k": "V"}]}'),
               (6, 'U', '{"j": {"k": 1.0}}', '{"j": {"k": 1.00}}'),
               (7, 'U', '{"n": 1}', '{"n": "1"}'),
               (8, 'U', '{"x": null}', '{"x": 1}'),
               (9, 'U', '{"x": 1}', '{"x": null}'),
               (10, 'U', '{}', '{"x": null}'),
               (11, 'U', NULL, '{"x": 1, "": 2}'),
               (12, 'U', NULL, NULL),
               (13, 'U', '{}', '{}'),
               (14, 'I', NULL, '{"x": 1}'),
               (15, 'D', '{"x": 1}', NULL),
               (16, 'T', NULL, NULL)) AS v(n, operation, was, is_now),
       LATERAL (SELECT v.operation::"char", v.was::jsonb, v.is_now::jsonb) AS t(operation, was, is_now)
 ORDER BY v.n;
SELECT o AS stored, steward_internal.audit_operation(o) FROM unnest('{I,U,D,T,X}'::"char"[]) AS o;

--
-- The planner's estimates, on a log that has been analyzed
--

CREATE TABLE t (id integer PRIMARY KEY, status text, total integer, note text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_reading.t'); END $$;
INSERT INTO t SELECT n, 'new', n, 'n' FROM generate_series(1, 1000) n;
UPDATE t SET total = total + 1;
UPDATE t SET total = total + 1, note = note || id;
UPDATE t SET status = 'paid' WHERE id <= 300;
DELETE FROM t WHERE id > 900;
ANALYZE steward.audit_events;

-- Returns the factor by which the planner's number of rows is wrong.
CREATE FUNCTION estimate_off_by(condition text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
    plan json;
    estimated numeric;
    found numeric;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) SELECT FROM steward.audit_entries WHERE ' || condition INTO plan;
    EXECUTE 'SELECT count(*) FROM steward.audit_entries WHERE ' || condition INTO found;
    estimated := plan -> 0 -> 'Plan' ->> 'Plan Rows';
    RETURN round(greatest(estimated / found, found / estimated), 1);
END $$;
SELECT condition, estimate_off_by(condition) <= 2 AS is_close
  FROM unnest(ARRAY[
       $$operation = 'INSERT'$$,
       $$operation = 'UPDATE'$$,
       $$operation = 'DELETE'$$,
       $$operation IN ('INSERT', 'DELETE')$$,
       $$operation <> 'UPDATE'$$,
       $$'status' = ANY (changed_columns)$$,
       $$'total' = ANY (changed_columns)$$,
       $$changed_columns @> '{note}'$$,
       $$changed_columns && '{status,note}'$$,
       $$changed_columns = '{total}'$$,
       $$changed_columns IS NULL$$]) AS condition;

--
-- The log in the order of time, without an index by time
--

-- Four months: in order, in no order at all, with other columns and no block range index, and with events that no range tells of
CREATE TABLE steward.audit_events_2001_01 PARTITION OF steward.audit_events FOR VALUES FROM ('2001-01-01') TO ('2001-02-01');
CREATE TABLE steward.audit_events_2001_02 PARTITION OF steward.audit_events FOR VALUES FROM ('2001-02-01') TO ('2001-03-01');
CREATE TABLE steward.audit_events_2001_03 (extra text, LIKE steward.audit_events INCLUDING DEFAULTS);
ALTER TABLE steward.audit_events_2001_03 DROP extra;
ALTER TABLE steward.audit_events ATTACH PARTITION steward.audit_events_2001_03 FOR VALUES FROM ('2001-03-01') TO ('2001-04-01');
CREATE TABLE steward.audit_events_2001_04 PARTITION OF steward.audit_events FOR VALUES FROM ('2001-04-01') TO ('2001-05-01');
SET steward.audit_guard = off;
SET session_replication_role = replica;
INSERT INTO steward.audit_contexts (context_id, era, created_at, session_user_name, role_name, user_id, application_name, backend_pid, backend_start, context)
SELECT n, 1, '2001-01-01'::timestamptz + n * interval '1 day', 'app', 'app', n % 7, 'test', 1, '2001-01-01', jsonb_build_object('request_id', 'r' || n)
  FROM generate_series(0, 119) n;
CREATE FUNCTION add_events(month timestamptz, events integer, shuffled boolean) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO steward.audit_events (recorded_at, transaction_id, context_id, table_id, key_hash, seq, operation, record_key, old_values, new_values)
    SELECT at, (n + extract(month FROM at)::integer * 100000)::text::xid8, extract(doy FROM at) - 1, steward_internal.audit_table_id('audit_reading.t'), n, 1,
           CASE n % 10 WHEN 0 THEN 'D' ELSE 'U' END::"char", jsonb_build_object('id', n),
           jsonb_build_object('status', 'new'), CASE n % 10 WHEN 0 THEN NULL ELSE jsonb_build_object('status', CASE n % 1000 WHEN 1 THEN 'lost' ELSE 'paid' END) END
      FROM generate_series(1, events) n,
           LATERAL (SELECT month + CASE WHEN shuffled THEN n * 7919 % events ELSE n END * interval '27 days' / events) AS c(at);
END;
SELECT add_events('2001-01-02', 20000, false), add_events('2001-02-02', 20000, true), add_events('2001-03-02', 9000, true), add_events('2001-04-02', 15000, false);
SELECT steward_internal.audit_equip(i) FROM unnest('{steward.audit_events_2001_01,steward.audit_events_2001_02,steward.audit_events_2001_04}'::regclass[]) i;
-- autovacuum summarizes what comes, often
SELECT DISTINCT c.reloptions FROM steward.audit_partitions p JOIN pg_class c ON c.oid = p.relation_id
 WHERE p.relation_id <> 'steward.audit_events_2001_03'::regclass;
-- after the summary: some older, some newer than it says
SELECT add_events('2001-01-01 12:00', 500, true), add_events('2001-04-03', 3000, false);
SELECT count(brin_desummarize_range(indexrelid, 128)) FROM pg_index JOIN pg_class c ON c.oid = indexrelid
 WHERE indrelid = 'steward.audit_events_2001_02'::regclass AND relam = (SELECT oid FROM pg_am WHERE amname = 'brin');
RESET session_replication_role;
RESET steward.audit_guard;
ANALYZE steward.audit_events, steward.audit_contexts, steward.audit_tables;

-- Returns how a query over the log in the order of time is carried out, and whether it finds the same rows as one that sorts.
-- Sorting costs more, so that what other tests have left in the log does not decide between the two.
CREATE FUNCTION by_time(condition text, direction text, how_many integer) RETURNS text LANGUAGE plpgsql SET enable_sort = off AS $$
DECLARE
    query constant text := format('SELECT l.created_at, l.transaction_id, l.seq, l.record_id, l.user_id FROM steward.audit_log l WHERE %s', condition);
    line text;
    plan text := '';
    same boolean;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (COSTS off) %s ORDER BY created_at %s LIMIT %s', query, direction, how_many) LOOP
        plan := plan || line;
    END LOOP;
    EXECUTE format($q$
        SELECT (SELECT array_agg(l) FROM (%1$s ORDER BY created_at %2$s, transaction_id %2$s, seq %2$s LIMIT %3$s) l)
               IS NOT DISTINCT FROM (SELECT array_agg(l) FROM (%1$s ORDER BY created_at + interval '0' %2$s, transaction_id %2$s, seq %2$s LIMIT %3$s) l)
        $q$, query, direction, how_many) INTO same;
    RETURN CASE WHEN plan ~ 'Audit Log by Time' THEN 'by time' ELSE 'sorted' END || CASE WHEN same THEN ', the same' ELSE ', other rows' END;
END $$;
-- Tells whether a line of a query's plan matches.
CREATE FUNCTION plan_has(query text, wanted text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
    found boolean := false;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
        found := found OR line ~ wanted;
    END LOOP;
    RETURN found;
END $$;
-- a session's first query
\c
SET client_min_messages = error;
SET timezone = 'UTC';
SET search_path = audit_reading, public;
SELECT plan_has('SELECT created_at, table_name FROM steward.audit_log ORDER BY created_at DESC LIMIT 50', 'Audit Log by Time') AS by_time;
SELECT condition, direction, how_many, by_time(condition, direction, how_many)
  FROM (VALUES (1, 'true', 'ASC', 50),
               (2, $$created_at < '2001-05-01'$$, 'ASC', 15000),
               (3, $$created_at < '2001-03-20'$$, 'DESC', 15000),
               (4, $$created_at < '2001-05-01'$$, 'DESC', 20000),
               (5, $$created_at < '2001-03-10'$$, 'DESC', 10),
               (6, $$created_at <= '2001-02-20 10:00' AND '2001-02-10' < created_at$$, 'DESC', 100),
               (7, $$'2001-01-31' < created_at$$, 'ASC', 10),
               (8, $$created_at >= '2001-01-10'$$, 'ASC', 5000),
               (9, $$created_at < (SELECT max(created_at) - interval '30 days' FROM steward.audit_log WHERE created_at < '2001-06-01')$$, 'DESC', 20),
               (10, $$created_at > NULL::timestamptz$$, 'DESC', 20),
               (11, $$created_at > (SELECT 'infinity'::timestamptz)$$, 'DESC', 20),
               (12, $$created_at < (SELECT '1970-01-01'::timestamptz)$$, 'DESC', 20),
               (13, $$operation = 'DELETE' AND created_at < '2001-05-01'$$, 'DESC', 500),
               (14, $$user_id = '3'$$, 'DESC', 50),
               (15, $$new_values ->> 'status' = 'lost'$$, 'ASC', 20),
               (16, $$table_name = 'no such'$$, 'DESC', 20)) AS q(place, condition, direction, how_many)
 ORDER BY place;

-- the table itself
SELECT plan_has(query, 'Audit Log by Time') AS by_time, query
  FROM (VALUES (1, 'SELECT * FROM steward.audit_events ORDER BY recorded_at DESC LIMIT 50'),
               (2, 'SELECT recorded_at::date AS day, seq + 1 FROM steward.audit_events ORDER BY recorded_at DESC, transaction_id DESC, seq DESC LIMIT 50'),
               (3, 'SELECT e FROM steward.audit_events e WHERE seq > 0 ORDER BY recorded_at LIMIT 50'),
               (4, 'SELECT tableoid::regclass FROM steward.audit_events ORDER BY recorded_at DESC LIMIT 50'),
               (5, 'SELECT seq FROM steward.audit_events WHERE tableoid <> 0 ORDER BY recorded_at DESC LIMIT 50'),
               (6, 'SELECT seq FROM steward.audit_events ORDER BY seq, recorded_at DESC LIMIT 50'),
               (7, 'SELECT generate_series(1, seq) FROM steward.audit_events ORDER BY recorded_at DESC LIMIT 50'),
               (8, 'SELECT recorded_at FROM steward.audit_events GROUP BY recorded_at ORDER BY recorded_at DESC LIMIT 50')) AS q(place, query)
 ORDER BY place;
SELECT array_agg(e ORDER BY n) = (SELECT array_agg(s ORDER BY n)
                                    FROM (SELECT e.*::text AS s, row_number() OVER (ORDER BY recorded_at + interval '0' DESC, transaction_id DESC, seq DESC) AS n
                                            FROM steward.audit_events e WHERE recorded_at < '2001-03-10') f WHERE n <= 200) AS same
  FROM (SELECT e::text AS e, row_number() OVER () AS n
          FROM (SELECT e FROM steward.audit_events e WHERE recorded_at < '2001-03-10' ORDER BY recorded_at DESC, transaction_id DESC, seq DESC LIMIT 200) e) g;

-- read again with other times, backwards, and by a plan that serves any parameters
SELECT v.until::date, l.created_at, l.record_id
  FROM (VALUES ('2001-04-10'::timestamptz), ('2001-02-10'), ('2001-02-10'), ('2000-01-01'), ('2001-03-10')) AS v(until),
       LATERAL (SELECT * FROM steward.audit_log WHERE created_at < v.until ORDER BY created_at DESC LIMIT 2) AS l;
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT created_at FROM steward.audit_log WHERE created_at < '2001-04-10' ORDER BY created_at DESC;
FETCH 2 FROM c;
MOVE 9000 FROM c;
FETCH PRIOR FROM c;
FETCH FIRST FROM c;
COMMIT;
SET plan_cache_mode = force_generic_plan;
PREPARE page AS SELECT created_at, record_id FROM steward.audit_log WHERE created_at < $1 ORDER BY created_at DESC LIMIT 1;
EXECUTE page('2001-04-10');
EXECUTE page('2001-01-10');
RESET plan_cache_mode;

-- what the transaction has done, and what it has taken back
BEGIN;
UPDATE t SET note = 'last' WHERE id = 1;
SAVEPOINT s;
UPDATE t SET note = 'taken back' WHERE id = 1;
ROLLBACK TO s;
SELECT new_values FROM steward.audit_log ORDER BY created_at DESC LIMIT 1;
ROLLBACK;
SELECT new_values FROM steward.audit_log ORDER BY created_at DESC LIMIT 1;

-- not where a partition has no blocks of ours
CREATE FOREIGN DATA WRAPPER regress_audit_reading;
CREATE SERVER regress_audit_reading FOREIGN DATA WRAPPER regress_audit_reading;
BEGIN;
CREATE FOREIGN TABLE elsewhere PARTITION OF steward.audit_events FOR VALUES FROM ('2000-01-01') TO ('2000-02-01') SERVER regress_audit_reading;
EXPLAIN (COSTS off) SELECT 1 FROM steward.audit_log WHERE created_at >= '2001-01-01' ORDER BY created_at LIMIT 1 \g (format=unaligned tuples_only=on) | grep -c 'Audit Log by Time'
ROLLBACK;
DROP SERVER regress_audit_reading;
DROP FOREIGN DATA WRAPPER regress_audit_reading;

--
-- Searching
--

CREATE TABLE other (id integer PRIMARY KEY, status text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_reading.other'); END $$;
BEGIN;
SET LOCAL app.current_user_id = 'ada';
SET LOCAL steward.context = '{"request_id": "c0ffee", "path": "/other"}';
INSERT INTO other VALUES (1, 'new'), (2, 'lost');
UPDATE other SET status = 'lost' WHERE id = 1;
COMMIT;
DELETE FROM other WHERE id = 2;

SELECT operation, record_id, user_id, context FROM steward.audit_search('other') ORDER BY created_at, seq;
SELECT operation, record_id FROM steward.audit_search('other', operation => 'DELETE');
SELECT operation, record_id FROM steward.audit_search('other', changed_column => 'status', new_value => 'lost');
SELECT operation, record_id FROM steward.audit_search('other', new_value => 'lost') ORDER BY created_at, seq;
SELECT operation, record_id FROM steward.audit_search(user_id => 'ada') ORDER BY created_at, seq;
SELECT operation, record_id FROM steward.audit_search(context => '{"request_id": "c0ffee"}') ORDER BY created_at, seq;
SELECT count(*) FROM steward.audit_search('other', user_id => 'nobody');
SELECT count(*) FROM steward.audit_search('other', context => '{"request_id": "other"}');
SELECT count(*) FROM steward.audit_search('other', until => now() - interval '1 year');
SELECT count(*) FROM steward.audit_search('other', since => now() - interval '1 year');
-- until is not part of it, since is
SELECT count(*) FROM steward.audit_search(since => '2001-04-02 00:02:35.52', until => '2001-04-02 00:05:11.04');
SELECT count(*) = (SELECT count(*) FROM steward.audit_log WHERE user_id = '3') AS same FROM steward.audit_search(user_id => '3');
SELECT count(*) = (SELECT count(*) FROM steward.audit_log WHERE user_id = '3' AND created_at >= '2001-02-01' AND created_at < '2001-03-01') AS same
  FROM steward.audit_search(user_id => '3', since => '2001-02-01', until => '2001-03-01');
SELECT count(*) = (SELECT count(*) FROM steward.audit_log WHERE new_values ->> 'status' = 'lost' AND operation = 'UPDATE') AS same
  FROM steward.audit_search(changed_column => 'status', new_value => 'lost');
SELECT count(*) = (SELECT count(*) FROM steward.audit_log) AS same FROM steward.audit_search();

-- It is taken into the query around it: it stops early, and reads the contexts and the log by index
SET enable_seqscan = off;  -- contexts are few here
SELECT plan_has($$SELECT * FROM steward.audit_search('t') ORDER BY created_at DESC LIMIT 5$$, 'Audit Log by Time') AS by_time,
       plan_has($$SELECT * FROM steward.audit_search(context => '{"request_id": "r7"}')$$, 'audit_contexts_context_idx') AS by_context,
       plan_has($$SELECT * FROM steward.audit_search(user_id => '3', since => '2001-04-28')$$, 'audit_contexts_user_id_created_at_idx') AS by_user,
       plan_has($$SELECT * FROM steward.audit_search(since => '2001-04-28', until => '2001-04-29')$$, 'audit_events_2001_04_recorded_at_transaction_id_idx') AS by_span,
       plan_has($$SELECT * FROM steward.audit_search(since => '2001-04-28', until => '2001-04-29')$$, 'audit_events_2001_0[123]|default') AS others;

RESET enable_seqscan;

-- to whom the log may not be read, it may not be searched
CREATE ROLE regress_audit_reading;
GRANT USAGE ON SCHEMA audit_reading TO regress_audit_reading;
SET ROLE regress_audit_reading;
SELECT count(*) FROM steward.audit_search();
RESET ROLE;
SELECT count(*) > 0 AS granted FROM steward.audit_tenant_enable('regress_audit_reading');
BEGIN;
SELECT count(steward.tenant_set('42'));
INSERT INTO other VALUES (3, 'tenant');
SET LOCAL ROLE regress_audit_reading;
SELECT record_id, tenant_id FROM steward.audit_search() ORDER BY created_at DESC LIMIT 5;
SELECT record_id FROM steward.audit_search('audit_reading.other', since => now() - interval '1 day', operation => 'INSERT', new_value => 'tenant');
SELECT count(*) FROM steward.audit_search(user_id => '3');
SELECT count(*) FROM steward.audit_search(context => '{"request_id": "c0ffee"}');
SELECT record_id FROM steward.audit_log ORDER BY created_at DESC LIMIT 5;
ROLLBACK;
GRANT SELECT ON ALL TABLES IN SCHEMA steward TO regress_audit_reading;
SET ROLE regress_audit_reading;
SELECT by_time('true', 'DESC', 50);
SET enable_seqscan = off;
SELECT plan_has($$SELECT * FROM steward.audit_search(context => '{"request_id": "r7"}')$$, 'audit_contexts_context_idx') AS by_context,
       plan_has($$SELECT * FROM steward.audit_search(user_id => '3', since => '2001-04-28')$$, 'audit_contexts_user_id_created_at_idx') AS by_user;
RESET enable_seqscan;
SELECT count(*) FROM steward.audit_search(context => '{"request_id": "c0ffee"}');
RESET ROLE;
DROP OWNED BY regress_audit_reading;
DROP ROLE regress_audit_reading;

SET steward.audit_guard = off;
DROP TABLE steward.audit_events_2001_01, steward.audit_events_2001_02, steward.audit_events_2001_03, steward.audit_events_2001_04;
DELETE FROM steward.audit_contexts WHERE era = 1;
RESET steward.audit_guard;
DROP SCHEMA audit_reading CASCADE;
