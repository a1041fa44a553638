-- What outlasts a transaction in a pool, what EXPLAIN tells, and what may run before a policy because it is trusted.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- The next client of the connection reads what the one before has left.
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1'; DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM naive.account; CREATE TEMP TABLE cache AS SELECT secret FROM naive.account; COMMIT;
BEGIN; SET LOCAL app.tenant_id = '2'; FETCH ALL FROM c; SELECT * FROM cache; COMMIT;
CLOSE c; DROP TABLE cache;
BEGIN; SET LOCAL steward.token = :'t1'; DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM ours.account; ROLLBACK;
BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT secret FROM ours.account; SET LOCAL steward.token = :'t1'; COMMIT;
CREATE TEMP TABLE waiting (secret text);
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt(
    'CREATE TEMP TABLE cache AS SELECT secret FROM ours.account',
    'SELECT secret INTO TEMP cache FROM ours.account',
    'CREATE TABLE pg_temp.cache (LIKE ours.account)',
    'CREATE TEMP VIEW cache AS SELECT secret FROM ours.account',
    'CREATE FUNCTION pg_temp.cache() RETURNS text LANGUAGE sql RETURN ''one-secret''',
    'INSERT INTO waiting SELECT secret FROM ours.account',
    'WITH x AS (INSERT INTO waiting SELECT secret FROM ours.account RETURNING 1) SELECT FROM x',
    'MERGE INTO waiting w USING ours.account a ON false WHEN NOT MATCHED THEN INSERT VALUES (a.secret)',
    'LISTEN orders');
SELECT steward.tenant_clear();
SELECT * FROM attempt('CREATE TEMP TABLE cache (secret text)', 'LISTEN orders');
COMMIT;
-- by way of a table that goes with the transaction, as its partition or child, and by what is written into all rows
CREATE TEMP TABLE keep (id integer, secret text);
INSERT INTO keep VALUES (1, 'mine');
CREATE TEMP VIEW kept AS SELECT text 'mine' AS secret;
BEGIN; SET LOCAL steward.token = :'t1';
CREATE TEMP TABLE parent (id integer, secret text) ON COMMIT DROP;
CREATE TEMP TABLE whole (id integer, secret text) PARTITION BY LIST (id) ON COMMIT DROP;
INSERT INTO parent SELECT id, secret FROM ours.account;
SELECT * FROM attempt('ALTER TABLE keep INHERIT parent', 'ALTER TABLE keep ADD COLUMN more text DEFAULT ''one-secret''', 'ALTER TABLE keep ALTER secret SET DEFAULT ''one-secret''', 'CREATE OR REPLACE TEMP VIEW kept AS SELECT text ''one-secret'' AS secret', 'ALTER VIEW kept ALTER secret SET DEFAULT ''one-secret''');
ALTER TABLE whole ATTACH PARTITION keep DEFAULT;
SELECT * FROM attempt('INSERT INTO whole SELECT id, secret FROM ours.account', 'UPDATE whole SET secret = (SELECT a.secret FROM ours.account a)',
    'MERGE INTO whole w USING ours.account a ON false WHEN NOT MATCHED THEN INSERT VALUES (a.id, a.secret)', 'WITH x AS (UPDATE whole SET secret = (SELECT a.secret FROM ours.account a) RETURNING 1) SELECT FROM x');
ALTER TABLE whole DETACH PARTITION keep;
COMMIT;
BEGIN; CREATE TEMP TABLE parent (id integer, secret text) ON COMMIT DROP; ALTER TABLE keep INHERIT parent;
SET LOCAL steward.token = :'t1';
SELECT * FROM attempt('UPDATE parent SET secret = (SELECT a.secret FROM ours.account a)', 'UPDATE ONLY parent SET secret = (SELECT a.secret FROM ours.account a)');
ROLLBACK;
BEGIN; CREATE TEMP TABLE whole (id integer, secret text) PARTITION BY LIST (id) ON COMMIT DROP; ALTER TABLE whole ATTACH PARTITION keep DEFAULT;
SET LOCAL steward.token = :'t1';
SELECT * FROM attempt('INSERT INTO whole SELECT id, secret FROM ours.account');
ALTER TABLE whole DETACH PARTITION keep;
COMMIT;
SELECT * FROM keep;
SELECT count(*) FROM waiting;
SELECT count(*) FROM pg_cursors WHERE is_holdable;
RESET SESSION AUTHORIZATION;

-- EXPLAIN: that a key exists, and how much another tenant has.
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE ours.document (id integer PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO ours.document SELECT i, 1 + i % 2 FROM generate_series(1, 1000) i;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.document');
GRANT SELECT ON ours.document TO regress_holes_app;
RESET SESSION AUTHORIZATION;
ANALYZE ours.document;
CREATE FUNCTION public.explained(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, TIMING off, SUMMARY off) ' || query LOOP
        RETURN NEXT line;
    END LOOP;
END $$;
SET ROLE regress_holes_app;
SET enable_seqscan = off; SET enable_bitmapscan = off;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT count(*) FROM public.explained('SELECT FROM ours.document WHERE id = 3') l WHERE l ~ 'Rows Removed';
SELECT count(*) FROM public.explained('SELECT FROM ours.document WHERE id = 3000') l WHERE l ~ 'Rows Removed';
SELECT count(*) > 0 AS tells FROM public.explained('SELECT FROM ours.document WHERE tenant_id = 2') l WHERE l ~ 'rows=500 ';
COMMIT;
RESET ROLE;
SET steward.tenant_explain = off;
SET ROLE regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt('SET steward.tenant_explain = on', 'EXPLAIN SELECT FROM ours.document', 'SELECT public.explained(''SELECT FROM ours.document WHERE id = 3'')', 'EXPLAIN (ANALYZE) UPDATE ours.account SET secret = secret', 'SELECT FROM ours.document WHERE id = 3');
COMMIT;
SELECT * FROM attempt('EXPLAIN SELECT FROM ours.document WHERE tenant_id = 2');
-- what else prints a plan, or what ran: anybody may set it, and have it sent
BEGIN; SET LOCAL steward.token = :'t1'; SET LOCAL client_min_messages = log;
SET LOCAL debug_print_plan = on;
SAVEPOINT s;
SELECT FROM ours.document WHERE tenant_id = 2;
ROLLBACK TO s;
DO $$ BEGIN PERFORM FROM ours.document WHERE tenant_id = 2; END $$;
ROLLBACK TO s;
SET LOCAL debug_print_plan = off; SET LOCAL trace_sort = on; SET LOCAL debug_print_parse = on; SET LOCAL debug_print_rewritten = on;
SELECT id FROM ours.document WHERE id < 4 ORDER BY id DESC;
DO $$ BEGIN RAISE LOG 'for the log'; END $$;
COMMIT;
RESET ROLE;
SELECT name FROM pg_settings WHERE context IN ('user', 'backend') AND (name ~ '^debug_print_|^trace_' OR name ~ '^log_.*stats$') AND name NOT IN ('debug_print_raw_parse') ORDER BY name COLLATE "C";
RESET ROLE;
RESET steward.tenant_explain; RESET enable_seqscan; RESET enable_bitmapscan;

-- Policies that are planned for one tenant: no plan, cursor or statement goes over to the next.
SET ROLE regress_holes_owner;
CREATE TABLE ours.measurement (tenant_id integer NOT NULL, id integer, v text) PARTITION BY LIST (tenant_id);
CREATE TABLE ours.measurement_1 PARTITION OF ours.measurement FOR VALUES IN (1);
CREATE TABLE ours.measurement_2 PARTITION OF ours.measurement FOR VALUES IN (2);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.measurement', folded => true);
GRANT SELECT, INSERT, UPDATE, DELETE ON ours.measurement, ours.measurement_1, ours.measurement_2 TO regress_holes_app;
RESET ROLE;
INSERT INTO ours.measurement VALUES (1, 1, 'one'), (1, 2, 'one'), (2, 3, 'two'), (2, 4, 'two');
CREATE FUNCTION public.peep(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN true; END $$;
CREATE FUNCTION public.count_kept() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM ours.measurement); END $$;
SET SESSION AUTHORIZATION regress_holes_app;
PREPARE kept AS SELECT string_agg(id::text, ',' ORDER BY id) FROM ours.measurement;
BEGIN; SET LOCAL steward.token = :'t1'; EXECUTE kept; SELECT public.count_kept(); SELECT id FROM ours.measurement WHERE public.peep(v) ORDER BY id; COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; EXECUTE kept; SELECT public.count_kept(); SELECT id FROM ours.measurement_1; COMMIT;
EXECUTE kept; SELECT public.count_kept();
BEGIN; SAVEPOINT s; SET LOCAL steward.token = :'t1'; EXECUTE kept; ROLLBACK TO s; EXECUTE kept; SET LOCAL steward.token = :'t2'; EXECUTE kept; COMMIT;
BEGIN; DECLARE c CURSOR FOR SELECT id FROM ours.measurement; SAVEPOINT s; SET LOCAL steward.token = :'t1'; FETCH 1 FROM c; ROLLBACK TO s; SET LOCAL steward.token = :'t2'; FETCH ALL FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('INSERT INTO ours.measurement VALUES (2, 5)', 'INSERT INTO ours.measurement_2 VALUES (2, 5)', 'UPDATE ours.measurement SET tenant_id = 2', 'DELETE FROM ours.measurement_2', 'MERGE INTO ours.measurement m USING (VALUES (3)) v (id) ON m.id = v.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (2, 3)'); COMMIT;
RESET SESSION AUTHORIZATION;

-- search_matches is marked LEAKPROOF, and so is asked before the policy: nothing that can tell goes with it.
SET ROLE regress_holes_owner;
CREATE TABLE ours.product (id integer, tenant_id integer NOT NULL, name text, search_vector tsvector);
INSERT INTO ours.product SELECT i, 1 + i % 2, 'name ' || i, to_tsvector('english', 'secret' || i % 2 || ' word') FROM generate_series(1, 100) i;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.product');
CREATE INDEX ON ours.product USING gin (search_vector);
GRANT SELECT ON ours.product TO regress_holes_app;
RESET ROLE;
CREATE FUNCTION public.peep_query(text) RETURNS tsquery LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN 'word'; END $$;
SET SESSION AUTHORIZATION regress_holes_app;
SET enable_seqscan = off;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT count(*) FROM ours.product WHERE steward.search_matches(search_vector, 'word');
SELECT count(*) FROM ours.product WHERE steward.search_matches(search_vector, 'secret1');
SELECT count(*), count(DISTINCT tenant_id) FROM steward.tenant_search(NULL::ours.product, 'word', NULL);
SELECT count(*) FROM ours.product WHERE id < 4 AND steward.search_matches(search_vector, public.peep_query(name));
SELECT * FROM attempt('SELECT FROM ours.product WHERE steward.search_matches(search_vector, (name || '' & ('')::tsquery) AND tenant_id = 2', 'SELECT FROM steward.tenant_search(NULL::ours.product, ''secret1'')');
COMMIT;
SELECT count(*) FROM steward.tenant_search(NULL::ours.product, 'word');
RESET SESSION AUTHORIZATION;

\set ECHO none
SET client_min_messages = warning;
DROP FUNCTION public.explained, public.peep, public.peep_query, public.count_kept;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
