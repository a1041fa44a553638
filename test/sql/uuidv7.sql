-- uuidv7: layout as in RFC 9562, section 5.7, and ids that grow.
\set SHOW_CONTEXT never

CREATE TABLE sessions (
    id   uuid PRIMARY KEY DEFAULT steward.uuidv7(),
    note text NOT NULL
);
INSERT INTO sessions (note) SELECT 'session ' || n FROM generate_series(1, 1000) n;

SELECT count(*) AS rows, bool_and(id > previous) AS ordered
  FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS previous FROM sessions) s;
-- an id tells when it was made
SELECT bool_and(abs(extract(epoch FROM now() - to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0))) < 3600) AS recent FROM sessions;

-- What the parts of an id are.
CREATE FUNCTION uuidv7_parts(id uuid, OUT ms bigint, OUT version integer, OUT fraction integer, OUT variant integer, OUT random bit(62))
LANGUAGE sql IMMUTABLE AS $$
SELECT substr(b, 1, 48)::bit(48)::bigint, substr(b, 49, 4)::bit(4)::integer, substr(b, 53, 12)::bit(12)::integer, substr(b, 65, 2)::bit(2)::integer, substr(b, 67, 62)::bit(62)
  FROM (SELECT ('x' || translate(id::text, '-', ''))::bit(128)::text AS b) s
$$;
-- the example of RFC 9562, appendix A.6: the function above reads it right
SELECT ms, to_timestamp(ms / 1000.0) AT TIME ZONE 'UTC' AS at, version, to_hex(fraction) AS fraction, variant FROM uuidv7_parts('017F22E2-79B0-7CC3-98C4-DC0C0C07398F');

--
-- Layout
--

CREATE TEMP TABLE made AS SELECT n, clock_timestamp() AS before, steward.uuidv7() AS id, clock_timestamp() AS after FROM generate_series(1, 20000) n;
ALTER TABLE made ADD ms bigint, ADD version integer, ADD fraction integer, ADD variant integer, ADD random bit(62);
UPDATE made SET (ms, version, fraction, variant, random) = (SELECT p.ms, p.version, p.fraction, p.variant, p.random FROM uuidv7_parts(id) p);
SELECT DISTINCT version, variant FROM made;
-- its time lies between those read before and after it; the fraction may have run ahead by what the calls were faster than its steps
SELECT bool_and(floor(extract(epoch FROM before) * 1000) <= ms) AS not_early, bool_and(ms <= floor(extract(epoch FROM after) * 1000) + 1) AS not_late FROM made;
SELECT bool_and(ms + fraction / 4096.0 >= floor(extract(epoch FROM before) * 1000000) / 1000 - 0.001) AS fraction_not_early,
       bool_and(ms + fraction / 4096.0 <= extract(epoch FROM after) * 1000 + 0.5) AS fraction_not_late FROM made;
-- the fraction uses its range, and the random bits are used: each of them is set about half the time
SELECT count(DISTINCT fraction) > 1000 AS many_fractions, min(fraction) < 200 AS low, max(fraction) > 3900 AS high FROM made;
SELECT count(*) AS bits, bool_and(share BETWEEN 0.45 AND 0.55) AS balanced
  FROM (SELECT bit, avg(get_bit(random, bit)) AS share FROM made, generate_series(0, 61) bit GROUP BY bit) s;
SELECT count(*) - count(DISTINCT random) AS random_twice, count(*) - count(DISTINCT id) AS twice FROM made;
SELECT bool_and(id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') AS formed FROM made;

--
-- Order: each is greater than the one before
--

SELECT bool_and(id > previous) AS ordered FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous FROM made) s;
-- in one row, in one statement, in many statements, in transactions that are rolled back, in savepoints
SELECT bool_and(a < b AND b < c) AS left_to_right FROM (SELECT steward.uuidv7() AS a, steward.uuidv7() AS b, steward.uuidv7() AS c FROM generate_series(1, 100) OFFSET 0) s;
DO $$
DECLARE
    last uuid := steward.uuidv7();
    next uuid;
    ordered boolean := true;
BEGIN
    FOR i IN 1..5000 LOOP
        BEGIN
            next := steward.uuidv7();
            ordered := ordered AND next > last;
            last := next;
            IF i % 100 = 0 THEN
                PERFORM 1 / 0;
            END IF;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
    END LOOP;
    RAISE INFO 'ordered: %', ordered;
END $$;
BEGIN;
SELECT steward.uuidv7() AS before \gset
ROLLBACK;
SELECT steward.uuidv7() > :'before' AS after_rollback;
-- 300,000 of them, as fast as they come
SELECT bool_and(id > previous) AS ordered, count(*) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous FROM (SELECT n, steward.uuidv7() AS id FROM generate_series(1, 300000) n OFFSET 0) s) s;
-- text and bytes sort as the type does
SELECT count(*) FROM (SELECT row_number() OVER (ORDER BY id) AS a, row_number() OVER (ORDER BY id::text COLLATE "C") AS b FROM made) s WHERE a <> b;
-- an index takes them at its end: its leaves are full
CREATE INDEX made_index ON made (id);
CREATE TABLE filled (id uuid PRIMARY KEY DEFAULT steward.uuidv7());
CREATE TABLE shuffled (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
INSERT INTO filled SELECT FROM generate_series(1, 20000);
INSERT INTO shuffled SELECT FROM generate_series(1, 20000);
SELECT pg_relation_size('filled_pkey') <= pg_relation_size('made_index') AS dense, pg_relation_size('filled_pkey') < pg_relation_size('shuffled_pkey') AS denser_than_random;

--
-- As a default
--

CREATE TABLE tasks (n integer);
INSERT INTO tasks SELECT generate_series(1, 100);
ALTER TABLE tasks ADD id uuid NOT NULL DEFAULT steward.uuidv7();
SELECT count(DISTINCT id) AS each_row_its_own FROM tasks;
INSERT INTO tasks VALUES (101), (102) RETURNING id > (SELECT id FROM tasks ORDER BY id DESC LIMIT 1) AS greater;
COPY tasks (n) FROM STDIN;
103
104
\.
SELECT count(DISTINCT id) FROM tasks;
UPDATE tasks SET id = DEFAULT;
SELECT count(DISTINCT id) FROM tasks;
SELECT bool_and(id > previous) AS ordered FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS previous FROM tasks) t;
-- it is volatile: no generated column, no index on it, no value that is taken once
CREATE TABLE generated (id uuid GENERATED ALWAYS AS (steward.uuidv7()) STORED);
CREATE INDEX ON tasks ((steward.uuidv7()));
SELECT provolatile, proparallel, proisstrict, proretset FROM pg_proc WHERE oid = 'steward.uuidv7()'::regprocedure;
PREPARE one AS SELECT steward.uuidv7() AS id;
SET plan_cache_mode = force_generic_plan;
EXECUTE one \gset
SELECT :'id'::uuid AS first \gset
EXECUTE one \gset
SELECT :'id'::uuid > :'first'::uuid AS another;
RESET plan_cache_mode;
SELECT steward.uuidv7(1);
SELECT steward.uuidv7(interval '1 day');
-- for everybody, whatever the search path, read only, in parallel workers
CREATE ROLE regress_uuidv7;
SET ROLE regress_uuidv7;
SET search_path = '';
BEGIN READ ONLY;
SELECT steward.uuidv7() IS NOT NULL AS made;
COMMIT;
RESET search_path;
RESET ROLE;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 2;
ALTER TABLE filled SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT steward.uuidv7() FROM filled;
SELECT count(DISTINCT made) AS made FROM (SELECT steward.uuidv7() AS made FROM filled OFFSET 0) s;
COMMIT;

DROP ROLE regress_uuidv7;
DROP FUNCTION uuidv7_parts;
DROP TABLE sessions, tasks, filled, shuffled;
