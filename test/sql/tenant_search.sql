-- Full-text search that keeps its index under row security.
SET client_min_messages = warning;
CREATE ROLE regress_tenant_search;
CREATE SCHEMA tenant_search;
CREATE EXTENSION IF NOT EXISTS btree_gin;
RESET client_min_messages;
-- what is disabled costs enough for the compiler to be called
SET jit = off;
GRANT USAGE, CREATE ON SCHEMA tenant_search TO regress_tenant_search;
SET search_path = tenant_search;

CREATE TABLE products (
    id            bigint PRIMARY KEY,
    tenant_id     bigint NOT NULL,
    name          text NOT NULL,
    search_vector tsvector GENERATED ALWAYS AS (steward.to_tsvector('english', name)) STORED
);
CREATE INDEX ON products (tenant_id);
CREATE INDEX ON products USING gin (search_vector);
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON products USING (steward.is_current_tenant(tenant_id));
GRANT SELECT ON products TO regress_tenant_search;
INSERT INTO products VALUES
    (1, 42, 'Red shoes'), (2, 42, 'Shoe polish, red'), (3, 42, 'Blue shoes'), (4, 43, 'Red shoes'), (5, 42, 'Red running shoes, red laces');

BEGIN;
SELECT steward.tenant_set('42');
SET LOCAL ROLE regress_tenant_search;
SELECT id, name FROM steward.tenant_search(NULL::products, websearch_to_tsquery('english', 'red shoes'), 20);
SELECT id, name
  FROM products, websearch_to_tsquery('english', 'red shoes') AS query
 WHERE steward.search_matches(search_vector, query)
 ORDER BY ts_rank(search_vector, query) DESC, id
 LIMIT 20;
COMMIT;

-- Tables with 20 words, 4 tenants and 3 users; one is of each kind of index, one of partitions, one has children.
SET client_min_messages = warning;
CREATE FUNCTION words(i integer) RETURNS tsvector LANGUAGE sql IMMUTABLE RETURN
    setweight(to_tsvector('simple', format('w%s w%s x%s', i % 3, i % 7, i % 20)), 'A') || setweight(to_tsvector('simple', format('w%s y%s', i % 5, i * 7919 % 11)), 'C');
CREATE TABLE docs (gone integer, id integer PRIMARY KEY, tenant_id integer, user_id text, state text, v tsvector, t text DEFAULT 'column t', n integer DEFAULT 0) WITH (fillfactor = 50, autovacuum_enabled = off);
ALTER TABLE docs DROP COLUMN gone;
INSERT INTO docs SELECT i, i % 4, 'u' || i % 3, CASE WHEN i % 6 = 0 THEN 'secret' ELSE 'open' END, words(i) FROM generate_series(1, 1500) i;
CREATE TABLE gist (LIKE docs INCLUDING ALL);
INSERT INTO gist SELECT * FROM docs;
CREATE TABLE pairs (LIKE docs INCLUDING ALL);
INSERT INTO pairs SELECT * FROM docs;
CREATE TABLE parent (LIKE docs INCLUDING ALL);
CREATE TABLE child (more text) INHERITS (parent);
INSERT INTO parent SELECT * FROM docs WHERE id % 2 = 0;
INSERT INTO child SELECT * FROM docs WHERE id % 2 = 1;
CREATE TABLE parts (v tsvector, id integer, tenant_id integer, user_id text, state text, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE part_1 (id integer NOT NULL, gone text, tenant_id integer NOT NULL, v tsvector, user_id text, state text);
ALTER TABLE part_1 DROP COLUMN gone;
ALTER TABLE parts ATTACH PARTITION part_1 FOR VALUES IN (1, 2);
CREATE TABLE part_0 PARTITION OF parts DEFAULT;
INSERT INTO parts (id, tenant_id, user_id, state, v) SELECT id, tenant_id, user_id, state, v FROM docs;
CREATE INDEX ON docs (tenant_id);
CREATE INDEX ON docs USING gin (v) WITH (fastupdate = on);
CREATE INDEX ON docs USING gin (steward.to_tsvector('simple', t));
CREATE INDEX ON gist USING gist (v);
CREATE INDEX ON pairs USING gin (tenant_id, v);
CREATE INDEX ON parent USING gin (v);
CREATE INDEX ON child USING gin (v);
CREATE INDEX ON parts USING gin (v);
DO $$
DECLARE r regclass;
BEGIN
    FOREACH r IN ARRAY '{docs,gist,pairs,parent,child,parts,part_0,part_1}'::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', r);
        EXECUTE format('CREATE POLICY tenant ON %s USING (steward.is_current_tenant(tenant_id))', r);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_tenant_search', r);
    END LOOP;
END $$;
CREATE POLICY floor ON gist AS RESTRICTIVE USING (steward.is_current_tenant(tenant_id));
CREATE POLICY own ON gist USING (steward.is_current_user(user_id) OR state = 'open');
CREATE POLICY open ON pairs AS RESTRICTIVE USING (state = 'open' OR user_id = current_setting('tenant_search.friend', true));
CREATE POLICY writers ON parts FOR INSERT WITH CHECK (true);
CREATE VIEW invoker WITH (security_invoker = true) AS SELECT id, v, tenant_id FROM docs;
CREATE VIEW barrier WITH (security_barrier = true, security_invoker = true) AS SELECT id, v, tenant_id FROM docs WHERE state = 'open';
GRANT SELECT ON invoker, barrier TO regress_tenant_search;
ANALYZE;
RESET client_min_messages;

-- The index of @@, also where @@ has none; with both columns in it, it reads only what is the tenant's.
SET enable_seqscan = off;
BEGIN;
SELECT steward.tenant_set('1', 'u1');
SET LOCAL ROLE regress_tenant_search;
EXPLAIN (COSTS off) SELECT id FROM docs WHERE v @@ 'x8 & y3';
EXPLAIN (COSTS off) SELECT id FROM docs WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) SELECT id FROM gist WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) SELECT id FROM pairs WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) SELECT id FROM parts WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) SELECT id FROM invoker WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) SELECT id FROM barrier WHERE steward.search_matches(v, 'x8 & y3');
EXPLAIN (COSTS off) UPDATE docs SET n = 1 WHERE steward.search_matches(v, 'x8 & y3');
SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
EXPLAIN (COSTS off) SELECT count(*) FROM (VALUES ('x8'::tsquery), ('x9')) q (query) JOIN docs ON steward.search_matches(v, query);
-- an index on an expression serves none, for what it computes is not leakproof
EXPLAIN (COSTS off) SELECT id FROM docs WHERE steward.search_matches(steward.to_tsvector('simple', t), 'x8');
-- a query made of the row is no index condition, nor is a volatile one
EXPLAIN (COSTS off) SELECT id FROM docs WHERE steward.search_matches(v, plainto_tsquery('simple', t));
EXPLAIN (COSTS off) SELECT id FROM docs WHERE steward.search_matches(v, CASE WHEN random() < 2 THEN 'x8' END::tsquery);
COMMIT;
-- estimates are those of @@
CREATE FUNCTION estimate(query text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
SELECT bool_and(estimate(format('SELECT FROM docs WHERE v @@ %L', q)) = estimate(format('SELECT FROM docs WHERE steward.search_matches(v, %L)', q))) AS same, count(DISTINCT estimate(format('SELECT FROM docs WHERE v @@ %L', q))) > 3 AS different
  FROM unnest('{x1,w1 & w2,!x1,y1 | x1,x:*,nothing}'::text[]) q;
SELECT estimate('SELECT FROM docs a JOIN docs b ON a.v @@ plainto_tsquery(b.t)') = estimate('SELECT FROM docs a JOIN docs b ON steward.search_matches(a.v, plainto_tsquery(b.t))') AS same;

-- A random query: words, prefixes and weights, with everything that joins them.
CREATE FUNCTION random_query(depth integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF depth = 0 OR random() < 0.2 THEN
        RETURN (ARRAY['w','x','y','z'])[1 + floor(random() * 4)] || CASE WHEN random() < 0.2 THEN ':*' ELSE floor(random() * 12) || (ARRAY['',':A',':C',':*B',':AC'])[1 + floor(random() * 5)] END;
    END IF;
    RETURN CASE floor(random() * 5)
        WHEN 0 THEN format('!(%s)', random_query(depth - 1))
        ELSE format('(%s)%s(%s)', random_query(depth - 1), (ARRAY['&','|','<->','<3>','&'])[1 + floor(random() * 5)], random_query(depth - 1)) END;
END $$;

-- For tenants, users and tables: what searching finds, and in which order, is what the plain query finds under row security.
CREATE FUNCTION differences(n integer, OUT compared integer, OUT hits boolean, OUT different integer, OUT example text) LANGUAGE plpgsql AS $$
DECLARE
    r text;
    q tsquery;
    plain integer[];
    matched integer[];
    searched integer[];
    limited integer[];
BEGIN
    compared := 0; different := 0; hits := false;
    FOR i IN 1 .. n LOOP
        q := random_query(i % 4);
        FOREACH r IN ARRAY '{docs,gist,pairs,parent,parts,invoker,barrier}'::text[] LOOP
            EXECUTE format('SELECT array(SELECT id FROM %I WHERE v @@ $1 ORDER BY ts_rank(v, $1) DESC, id)', r) USING q INTO plain;
            EXECUTE format('SELECT array(SELECT id FROM %I WHERE steward.search_matches(v, $1) ORDER BY ts_rank(v, $1) DESC, id)', r) USING q INTO matched;
            EXECUTE format('SELECT array(SELECT id FROM steward.tenant_search(NULL::%I, $1, NULL) %s)', r, CASE WHEN r IN ('invoker', 'barrier') THEN 'ORDER BY ts_rank(v, $1) DESC, id' END) USING q INTO searched;
            EXECUTE format('SELECT array(SELECT id FROM steward.tenant_search(NULL::%I, $1, 5))', r) USING q INTO limited;
            compared := compared + 1;
            hits := hits OR cardinality(plain) > 5;
            IF matched IS DISTINCT FROM plain OR searched IS DISTINCT FROM plain OR cardinality(limited) <> least(5, cardinality(plain)) OR limited <> plain[:5] AND r NOT IN ('invoker', 'barrier') THEN
                different := different + 1;
                example := left(format('%s in %s: %s, %s, not %s', q, r, matched, searched, plain), 500);
            END IF;
        END LOOP;
    END LOOP;
END $$;
SELECT setseed(0.42);
BEGIN; SELECT steward.tenant_set('1', 'u1'); SET LOCAL ROLE regress_tenant_search; SELECT * FROM differences(60); COMMIT;
BEGIN; SELECT steward.tenant_set('2', 'u2'); SET LOCAL tenant_search.friend = 'u0'; SET LOCAL ROLE regress_tenant_search; SET LOCAL enable_bitmapscan = off; SELECT * FROM differences(40); COMMIT;
BEGIN; SELECT steward.tenant_set('77'); SET LOCAL ROLE regress_tenant_search; SELECT * FROM differences(10); COMMIT;
BEGIN; SET LOCAL ROLE regress_tenant_search; SELECT * FROM differences(10); COMMIT;
SELECT * FROM differences(20);
-- a bitmap that has lost its tuples
BEGIN; SELECT steward.tenant_set('3', 'u0'); SET LOCAL ROLE regress_tenant_search; SET LOCAL work_mem = '64kB'; SELECT * FROM differences(20); COMMIT;
-- rows changed in the transaction, in place and elsewhere, in savepoints, and deleted
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT steward.tenant_set('1', 'u1');
SET LOCAL ROLE regress_tenant_search;
UPDATE docs SET n = n + 1 WHERE steward.search_matches(v, 'w1');
UPDATE docs SET v = words(id + 1) WHERE id % 5 = 1;
SAVEPOINT s;
UPDATE docs SET n = n + 1, v = words(id + 2) WHERE id % 9 = 0;
DELETE FROM docs WHERE steward.search_matches(v, 'w2 & !w1');
INSERT INTO docs SELECT i, 1, 'u1', 'open', words(i) FROM generate_series(2001, 2050) i;
SELECT * FROM differences(20);
ROLLBACK TO s;
DELETE FROM docs WHERE id % 8 = 5;
UPDATE parts SET v = words(id + 3) WHERE id % 9 = 0;
SELECT * FROM differences(20);
COMMIT;
BEGIN; SELECT steward.tenant_set('1', 'u1'); SET LOCAL ROLE regress_tenant_search; SELECT * FROM differences(20); COMMIT;
RESET enable_seqscan;

-- A statement sees what its snapshot has: not what it does itself, nor what comes after.
BEGIN;
SELECT steward.tenant_set('2', 'u1');
SET LOCAL ROLE regress_tenant_search;
DECLARE found CURSOR FOR SELECT id FROM steward.tenant_search(NULL::docs, 'x2 & y3', NULL);
PREPARE search(tsquery) AS SELECT count(*) FROM steward.tenant_search(NULL::docs, $1, NULL);
EXECUTE search('x2 & y3');
WITH deleted AS (DELETE FROM docs WHERE steward.search_matches(v, 'x2 & y3') RETURNING id)
SELECT count(*), (SELECT count(*) FROM steward.tenant_search(NULL::docs, 'x2 & y3', NULL)) AS seen FROM deleted;
FETCH 2 FROM found;
MOVE ALL FROM found;
EXECUTE search('x2 & y3');
EXECUTE search('x2');
ROLLBACK;
DEALLOCATE search;

-- Leaders of parallel queries may search, workers may match.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
BEGIN;
SELECT steward.tenant_set('2', 'u1');
SET LOCAL ROLE regress_tenant_search;
EXPLAIN (COSTS off) SELECT count(*) FROM gist WHERE steward.search_matches(v, '!x2');
SELECT count(*) FROM gist WHERE steward.search_matches(v, '!x2');
SELECT count(*) FROM gist WHERE v @@ '!x2';
SELECT count(*) FROM gist, steward.tenant_search(NULL::docs, 'x2 & !y3', NULL) d WHERE d.id = gist.id;
COMMIT;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- Of NULL nothing is found; of rows, all.
BEGIN;
SELECT steward.tenant_set('2', 'u1');
SELECT count(*) FROM steward.tenant_search(NULL::docs, NULL);
SELECT count(*) FROM steward.tenant_search(NULL::docs, 'w1');
SELECT count(*) FROM steward.tenant_search(NULL::docs, 'w1', 0);
SELECT count(*) FROM steward.tenant_search(NULL::docs, ''::tsquery);
SELECT steward.search_matches(NULL, 'x') IS NULL AS "null", steward.search_matches('x', NULL) IS NULL AS "null", steward.search_matches('x', 'x') AS yes, steward.search_matches('x', 'y') AS no;
SELECT s FROM steward.tenant_search(NULL::products, 'red & polish') s;
SELECT (steward.tenant_search(NULL::products, 'red & polish')).name;
ROLLBACK;

-- Attacks. Conditions of the query see no rows of others, however cheap they are and whatever the search path offers.
CREATE FUNCTION peep(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN true; END $$;
GRANT TEMP ON DATABASE :DBNAME TO regress_tenant_search;
BEGIN;
SELECT steward.tenant_set('42', 'u1');
SET LOCAL ROLE regress_tenant_search;
SELECT id FROM products WHERE steward.search_matches(search_vector, 'red & lace') AND peep(name);
SELECT id FROM products WHERE peep(name) AND steward.search_matches(search_vector, 'red & lace');
SELECT id FROM products WHERE steward.search_matches(search_vector, CASE WHEN peep(name) THEN 'red & lace' END::tsquery) ORDER BY id;
CREATE FUNCTION tenant_search.always(tsvector, tsquery) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN true; END $$;
CREATE OPERATOR tenant_search.@@ (LEFTARG = tsvector, RIGHTARG = tsquery, FUNCTION = tenant_search.always);
CREATE FUNCTION tenant_search.ts_rank(tsvector, tsquery) RETURNS real LANGUAGE plpgsql AS $$ BEGIN RAISE INFO 'ranks %', $1; RETURN 0; END $$;
CREATE TEMP TABLE products ON COMMIT DROP AS SELECT 0::bigint AS id, 42::bigint AS tenant_id, ''::text AS name, 'red'::tsvector AS search_vector;
SET LOCAL search_path = pg_temp, tenant_search, pg_catalog;
SELECT id, name FROM steward.tenant_search(NULL::tenant_search.products, 'red & lace');
SELECT id FROM steward.tenant_search(NULL::products, 'red');
SET LOCAL search_path = '';
SELECT id FROM steward.tenant_search(NULL::tenant_search.products, 'red & lace');
ROLLBACK;
-- columns that may not be read, tables that may not, row security that is off
REVOKE SELECT ON docs FROM regress_tenant_search;
GRANT SELECT (id, v) ON docs TO regress_tenant_search;
BEGIN; SELECT steward.tenant_set('2'); SET LOCAL ROLE regress_tenant_search; SELECT count(*) FROM docs WHERE steward.search_matches(v, 'x2 & y3'); SELECT count(*) FROM steward.tenant_search(NULL::docs, 'x2'); ROLLBACK;
GRANT SELECT ON docs TO regress_tenant_search;
BEGIN; SET LOCAL ROLE regress_tenant_search; SET LOCAL row_security = off; SELECT count(*) FROM steward.tenant_search(NULL::docs, 'x2'); ROLLBACK;
-- what is no row of a table
CREATE TYPE composite AS (id integer, v tsvector);
CREATE DOMAIN products_domain AS products;
CREATE TABLE vectors (id integer, a tsvector, "B c" tsvector, n integer);
INSERT INTO vectors VALUES (1, 'x', 'y'), (2, 'x', 'y'), (3, 'y', 'x');
SELECT * FROM steward.tenant_search(NULL::composite, 'x');
\set VERBOSITY terse
SELECT * FROM steward.tenant_search(NULL::products_domain, 'x');
SELECT * FROM steward.tenant_search(1, 'x');
SELECT * FROM steward.tenant_search(NULL::record, 'x') AS (id integer);
\set VERBOSITY default
SELECT * FROM steward.tenant_search(NULL::vectors, 'x');
SELECT * FROM steward.tenant_search(NULL::vectors, 'x', 20, 'c');
SELECT * FROM steward.tenant_search(NULL::vectors, 'x', 20, 'n');
ALTER TABLE docs DROP COLUMN v CASCADE;
SELECT * FROM steward.tenant_search(NULL::docs, 'x');
SELECT * FROM steward.tenant_search(NULL::vectors, 'x', -1, 'a');
-- without key and index, in the order of their place
SELECT id FROM steward.tenant_search(NULL::vectors, 'x', column_name => 'a');
SELECT id FROM steward.tenant_search(NULL::vectors, 'x', column_name => 'B c');

SET client_min_messages = warning;
DROP SCHEMA tenant_search CASCADE;
REVOKE ALL ON DATABASE :DBNAME FROM regress_tenant_search;
DROP ROLE regress_tenant_search;
