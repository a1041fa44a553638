-- is_current_tenant_folded(column): the tenant is in the plan, and a plan is for one tenant only.
SET client_min_messages = warning;
CREATE ROLE regress_tenant_folded;
CREATE SCHEMA tenant_folded;
CREATE DOMAIN tenant_folded.number AS integer;
RESET client_min_messages;
GRANT USAGE ON SCHEMA tenant_folded TO regress_tenant_folded;
SET search_path = tenant_folded;

CREATE TABLE measurements (tenant_id integer NOT NULL, at timestamptz NOT NULL, value float8) PARTITION BY LIST (tenant_id);
CREATE TABLE measurements_1 PARTITION OF measurements FOR VALUES IN (1);
CREATE TABLE measurements_2 PARTITION OF measurements FOR VALUES IN (2);
CREATE TABLE measurements_rest PARTITION OF measurements DEFAULT;
ALTER TABLE measurements ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON measurements USING (steward.is_current_tenant_folded(tenant_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON measurements TO regress_tenant_folded;
INSERT INTO measurements SELECT 1 + i % 3, '2026-01-01', i FROM generate_series(1, 300) i;

BEGIN;
SELECT steward.tenant_set('2');
SET LOCAL ROLE regress_tenant_folded;
EXPLAIN (COSTS off) SELECT * FROM measurements;
SELECT count(*), min(tenant_id), max(tenant_id) FROM measurements;
COMMIT;

-- No tenant, no rows.
BEGIN;
SET LOCAL ROLE regress_tenant_folded;
EXPLAIN (COSTS off) SELECT * FROM measurements;
SELECT count(*) FROM measurements;
INSERT INTO measurements VALUES (1, '2026-01-02', 0);
ROLLBACK;

-- Every type.
CREATE TABLE t AS SELECT i AS id, (i % 5)::smallint AS small, i % 5 AS int, (i % 5)::bigint AS big, lpad(to_hex(i % 5), 32, '0')::uuid AS uuid, (i % 5)::text AS text,
    (i % 5)::varchar(9) AS varchar, (i % 5)::number AS domain FROM generate_series(1, 100) i;
GRANT SELECT, INSERT, UPDATE, DELETE ON t TO regress_tenant_folded;
BEGIN;
SELECT steward.tenant_set('3');
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(small);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(int);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(big);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(text);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(varchar);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(domain);
EXPLAIN (COSTS off) SELECT * FROM t WHERE id = 1 OR steward.is_current_tenant_folded(int);
SELECT count(*) FILTER (WHERE steward.is_current_tenant_folded(small)) AS small, count(*) FILTER (WHERE steward.is_current_tenant_folded(int)) AS int,
       count(*) FILTER (WHERE steward.is_current_tenant_folded(big)) AS big, count(*) FILTER (WHERE steward.is_current_tenant_folded(text)) AS text, count(*) FILTER (WHERE steward.is_current_tenant_folded(varchar)) AS varchar,
       count(*) FILTER (WHERE steward.is_current_tenant_folded(domain)) AS domain FROM t;
-- what has no column is not duplicated
SET compute_query_id = off;
EXPLAIN (COSTS off, VERBOSE) SELECT FROM t WHERE steward.is_current_tenant_folded((random() * 10)::integer);
COMMIT;
-- of a tenant that is no uuid, no row of a column of type uuid
BEGIN; SELECT steward.tenant_set('3'); EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(uuid); COMMIT;
BEGIN;
SELECT steward.tenant_set('00000000-0000-0000-0000-000000000003');
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant_folded(uuid);
SELECT count(*), min(int) FROM t WHERE steward.is_current_tenant_folded(uuid);
COMMIT;
CREATE OPERATOR == (RIGHTARG = bigint, FUNCTION = steward.is_current_tenant_folded);
BEGIN; SELECT steward.tenant_set('50'); SELECT == 50::bigint AS yes, == 51::bigint AS no, steward.is_current_tenant_folded(NULL) IS NULL AS "null"; COMMIT;
SELECT FROM t WHERE steward.is_current_tenant_folded(id::numeric);
CREATE TABLE other (a_numeric numeric);
SELECT FROM other WHERE steward.is_current_tenant_folded(a_numeric);
SET steward.tenant_strict = on;
SELECT count(*) FROM t WHERE steward.is_current_tenant_folded(int);
RESET steward.tenant_strict;

-- Rows are written as under any other policy.
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON t USING (steward.is_current_tenant_folded(int));
\set VERBOSITY terse
BEGIN;
SELECT steward.tenant_set('3');
SET LOCAL ROLE regress_tenant_folded;
INSERT INTO t (id, int) VALUES (1000, 3);
UPDATE t SET small = 7 WHERE id IN (1, 2, 3, 4, 1000);
DELETE FROM t WHERE id = 1000;
SAVEPOINT s;
INSERT INTO t (id, int) VALUES (1001, 4);
ROLLBACK TO s;
UPDATE t SET int = 4 WHERE id = 3;
ROLLBACK TO s;
UPDATE measurements SET tenant_id = 1;
ROLLBACK;
\set VERBOSITY default

-- Whatever plan is kept, it shows rows of the present tenant only.
CREATE VIEW mine AS SELECT count(*), count(DISTINCT int) AS tenants, min(int) AS tenant FROM t WHERE steward.is_current_tenant_folded(int);
CREATE FUNCTION by_plpgsql(OUT count bigint, OUT tenant integer) LANGUAGE plpgsql AS $$ BEGIN SELECT count(*), min(t.int) INTO count, tenant FROM tenant_folded.t WHERE steward.is_current_tenant_folded(t.int); END $$;
CREATE FUNCTION by_sql(OUT count bigint, OUT tenant integer) LANGUAGE sql AS $$ SELECT count(*), min(int) FROM tenant_folded.t WHERE steward.is_current_tenant_folded(int) $$;
CREATE FUNCTION inlined(integer) RETURNS boolean LANGUAGE sql STABLE RETURN steward.is_current_tenant_folded($1);
CREATE FUNCTION is_mine(v integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RETURN steward.is_current_tenant_folded(v); END $$;
PREPARE prepared AS SELECT count(*), min(int) AS tenant FROM t WHERE steward.is_current_tenant_folded(int);
PREPARE by_inlined AS SELECT count(*), min(int) AS tenant FROM t WHERE inlined(int);
PREPARE by_parameter(integer) AS SELECT count(*), min(int) AS tenant FROM t WHERE steward.is_current_tenant_folded(int) AND id > $1;
PREPARE by_policy AS SELECT count(*), min(tenant_id) AS tenant FROM measurements;
PREPARE by_view AS SELECT * FROM mine;
GRANT SELECT ON mine TO regress_tenant_folded;
CREATE FUNCTION execute(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result record;
BEGIN
    EXECUTE 'EXECUTE ' || statement INTO result;
    RETURN result;
END $$;
CREATE FUNCTION results() RETURNS TABLE (prepared text, by_inlined text, by_parameter text, by_policy text, by_view text, by_plpgsql text, by_sql text, is_mine bigint) LANGUAGE sql AS $$
    SELECT tenant_folded.execute('prepared'), tenant_folded.execute('by_inlined'), tenant_folded.execute('by_parameter(0)'), tenant_folded.execute('by_policy'), tenant_folded.execute('by_view'),
           (SELECT p::text FROM tenant_folded.by_plpgsql() p), (SELECT p::text FROM tenant_folded.by_sql() p), (SELECT count(*) FROM tenant_folded.t WHERE tenant_folded.is_mine(int))
$$;
SET plan_cache_mode = force_generic_plan;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results(); COMMIT;
BEGIN; SELECT steward.tenant_set('2'); SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results(); COMMIT;
BEGIN; SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results(); COMMIT;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results(); SELECT steward.tenant_clear(); SELECT * FROM results(); ROLLBACK;
-- within a transaction, with savepoints
BEGIN;
SAVEPOINT s;
SELECT steward.tenant_set('2'); SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results();
ROLLBACK TO s;
SELECT * FROM by_plpgsql();
SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_folded; SELECT * FROM results();
SAVEPOINT s2;
SELECT steward.tenant_clear(); SELECT * FROM results();
ROLLBACK TO s2;
SELECT * FROM results();
COMMIT;
BEGIN;
DO $$
BEGIN
    BEGIN
        PERFORM steward.tenant_set('1');
        RAISE INFO '%', (SELECT p FROM tenant_folded.by_plpgsql() p);
        RAISE EXCEPTION division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        RAISE INFO '%', (SELECT p FROM tenant_folded.by_plpgsql() p);
        PERFORM steward.tenant_set('2');
        RAISE INFO '%', (SELECT p FROM tenant_folded.by_plpgsql() p);
    END;
END $$;
COMMIT;
-- sessions
SET steward.tenant_sessions = on;
SET steward.tenant = '1'; SELECT * FROM by_plpgsql();
SET steward.tenant = '2'; SELECT * FROM by_plpgsql();
BEGIN; SET LOCAL steward.tenant = '3'; SELECT * FROM by_plpgsql(); ROLLBACK;
SELECT * FROM by_plpgsql();
RESET steward.tenant_sessions; SELECT * FROM by_plpgsql();
RESET steward.tenant;
-- a token that expires
SET steward.tenant_keys_file = '';
SELECT current_setting('data_directory') || '/regress_tenant_folded.keys' AS keys \gset
COPY (VALUES ('first:0123456789abcdef0123456789abcdef')) TO :'keys';
SET steward.tenant_keys_file = :'keys';
SELECT steward.tenant_sign('2', ttl => '1 s') AS token \gset
BEGIN;
SET LOCAL steward.token = :'token';
SET LOCAL ROLE regress_tenant_folded;
SELECT * FROM results();
DO $$ BEGIN WHILE clock_timestamp() < (SELECT expires_at FROM steward.tenant_context()) LOOP END LOOP; END $$;
SELECT * FROM results();
COMMIT;
RESET steward.tenant_keys_file;
-- cursors: one that is kept has the rows of its transaction, no other goes on with another tenant
BEGIN; SET LOCAL steward.tenant_leftovers = allow; SELECT steward.tenant_set('1'); DECLARE held CURSOR WITH HOLD FOR SELECT int FROM t WHERE steward.is_current_tenant_folded(int) ORDER BY id; FETCH 1 FROM held; COMMIT;
BEGIN; SELECT steward.tenant_set('2'); FETCH 1 FROM held; CLOSE held; COMMIT;
BEGIN;
SELECT steward.tenant_set('1');
SET LOCAL ROLE regress_tenant_folded;
DECLARE c CURSOR FOR SELECT int FROM t;
FETCH 1 FROM c;
SELECT steward.tenant_clear();
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
DECLARE d CURSOR FOR SELECT int FROM t;
FETCH 1 FROM d;
COMMIT;

-- A plan is made anew for another tenant: not for the same, not when there is none, and no plan that has none in it.
CREATE TABLE plain AS SELECT i AS id FROM generate_series(1, 1000) i;
CREATE INDEX ON plain (id);
ANALYZE plain, t;
PREPARE other AS SELECT id FROM plain WHERE id = 5;
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
EXECUTE other;
RESET enable_seqscan; RESET enable_bitmapscan; RESET enable_indexonlyscan; SET enable_indexscan = off;
BEGIN; SELECT steward.tenant_set('1'); EXECUTE prepared; EXPLAIN (COSTS off) EXECUTE prepared; COMMIT;
EXPLAIN (COSTS off) EXECUTE prepared;
CREATE INDEX ON t (id);
BEGIN; SELECT steward.tenant_set('1'); EXECUTE by_parameter(90); SET LOCAL enable_seqscan = off; EXPLAIN (COSTS off) EXECUTE by_parameter(90); COMMIT;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL enable_seqscan = off; EXPLAIN (COSTS off) EXECUTE by_parameter(90); COMMIT;
BEGIN; SELECT steward.tenant_set('2'); SET LOCAL enable_seqscan = off; EXPLAIN (COSTS off) EXECUTE by_parameter(90); EXPLAIN (COSTS off) EXECUTE other; COMMIT;
RESET enable_indexscan;
RESET plan_cache_mode;

-- Workers ask whether the plan is for their tenant.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
PREPARE parallel AS SELECT count(*), min(int) FROM t WHERE steward.is_current_tenant_folded(int);
SET plan_cache_mode = force_generic_plan;
BEGIN; SELECT steward.tenant_set('1'); EXPLAIN (COSTS off) EXECUTE parallel; EXECUTE parallel; COMMIT;
EXECUTE parallel;
BEGIN; SELECT steward.tenant_set('3'); EXECUTE parallel; COMMIT;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET plan_cache_mode;

-- What a session keeps longer than a plan has no tenant in it.
CREATE DOMAIN mine_only AS integer CHECK (steward.is_current_tenant_folded(VALUE));
BEGIN; SELECT steward.tenant_set('1'); SELECT 1::mine_only; COMMIT;
BEGIN; SELECT steward.tenant_set('2'); SELECT 2::mine_only; ROLLBACK;

-- tenant_check() knows it.
SELECT c.relname, e.implied, e.gaps, e.fixed, cardinality(e.context_functions) AS context, cardinality(e.row_functions) AS "row"
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 CROSS JOIN LATERAL steward_internal.tenant_expression(p.polqual, (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname IN ('tenant_id', 'int')), p.polrelid) e
 WHERE c.relnamespace = 'tenant_folded'::regnamespace ORDER BY 1;

SELECT DISTINCT p.provolatile, p.proparallel, p.proleakproof, p.procost FROM pg_proc p
 WHERE p.pronamespace = 'steward'::regnamespace AND p.proname = 'is_current_tenant_folded' AND p.proargtypes[0] <> 'anyelement'::regtype;

SET client_min_messages = warning;
DROP SCHEMA tenant_folded CASCADE;
DROP ROLE regress_tenant_folded;
