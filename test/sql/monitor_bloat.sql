-- What tables and indexes take beyond their rows, estimated as near as measured, for whoever is in pg_monitor.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
CREATE SCHEMA bloat;
SET search_path = bloat;

-- the example of the page
CREATE TABLE orders (id bigint PRIMARY KEY, customer text, paid boolean, total numeric) WITH (autovacuum_enabled = false);
INSERT INTO orders SELECT g, 'customer number ' || g, g % 3 = 0, g * 1.25 FROM generate_series(1, 20000) g;
DELETE FROM orders WHERE id % 2 = 0;
SELECT FROM pg_stat_force_next_flush();
VACUUM ANALYZE orders;

SELECT table_name, round(bloat_percent / 10) * 10 AS about_percent, reliable, reason
  FROM steward.table_bloat WHERE schema_name = 'bloat' AND kind = 'table' ORDER BY bloat_bytes DESC;
SELECT index_name, round(bloat_percent / 10) * 10 AS about_percent, reliable, reason
  FROM steward.index_bloat WHERE relation_id = 'bloat.orders'::regclass ORDER BY bloat_bytes DESC;
SELECT method, table_bytes > 0 AS has_size, bloat_percent, reason FROM steward.table_bloat_measured('bloat.orders');

--
-- The estimate against pgstattuple, which reads every row
--

CREATE SCHEMA bloat_contrib;
CREATE EXTENSION pgstattuple SCHEMA bloat_contrib;
-- the columns that a table may have
CREATE TYPE pair AS (x integer, y text);
CREATE TABLE half_deleted (id integer, name text, created timestamptz);
INSERT INTO half_deleted SELECT g, 'user number ' || g, '2025-01-01'::timestamptz + g * interval '1 minute' FROM generate_series(1, 20000) g;
DELETE FROM half_deleted WHERE id % 2 = 0;
CREATE TABLE fillfactor_70 (id integer, name text, n bigint) WITH (fillfactor = 70);
INSERT INTO fillfactor_70 SELECT g, md5(g::text), g FROM generate_series(1, 20000) g;
-- long rows, which end where they end
CREATE TABLE documents (id integer, doc jsonb);
INSERT INTO documents SELECT g, jsonb_build_object('text', (SELECT string_agg(md5(g::text || i), '') FROM generate_series(1, 25 + g % 12) i))
  FROM generate_series(1, 3000) g;
CREATE TABLE padded (a boolean, b bigint, c boolean, d bigint, e boolean, f bigint, g smallint, h bigint);
INSERT INTO padded SELECT true, g, false, g, true, g, 1, g FROM generate_series(1, 20000) g;
CREATE TABLE toasted (id integer, body text);
ALTER TABLE toasted ALTER body SET STORAGE EXTERNAL;
INSERT INTO toasted SELECT g, repeat(md5(g::text), 150) FROM generate_series(1, 2000) g;
CREATE TABLE many_nulls (id integer, a text, b integer, c bigint, d numeric, e text, f date, g text, h integer, i integer);
INSERT INTO many_nulls SELECT g, CASE WHEN g % 2 = 0 THEN 'x' || g END, CASE WHEN g % 3 = 0 THEN g END, CASE WHEN g % 5 = 0 THEN g END, NULL,
       CASE WHEN g % 7 = 0 THEN md5(g::text) END FROM generate_series(1, 20000) g;
CREATE TABLE dropped_before (id integer, a text, b bigint, c bigint);
ALTER TABLE dropped_before DROP a, DROP b;
INSERT INTO dropped_before SELECT g, g FROM generate_series(1, 20000) g;
CREATE TABLE odd_types (id integer, a integer[], p pair, n numeric, v varchar(20), c char(10), u uuid, i inet, ts tsvector, r int4range, nm name);
INSERT INTO odd_types SELECT g, ARRAY[g, g + 1, g + 2], (g, 't' || g)::pair, g * 1.37, 'v' || g, 'c', gen_random_uuid(), '10.0.0.1',
       to_tsvector('simple', 'a b ' || g), int4range(g, g + 5), 'n' || g FROM generate_series(1, 10000) g;
-- short and long headers
CREATE TABLE mixed (id integer, t text);
INSERT INTO mixed SELECT g, repeat('a', (g * 37) % 300) FROM generate_series(1, 20000) g;
CREATE TABLE plain_text (a boolean, t text);
ALTER TABLE plain_text ALTER t SET STORAGE PLAIN;
INSERT INTO plain_text SELECT true, 'abc' FROM generate_series(1, 20000);
CREATE TABLE generated (id integer, a bigint);
DO $$ BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'ALTER TABLE generated ADD b text GENERATED ALWAYS AS (''a long text that takes no room'' || id) VIRTUAL';
    END IF;
END $$;
INSERT INTO generated SELECT g, g FROM generate_series(1, 20000) g;
CREATE UNLOGGED TABLE unlogged (id integer, name text);
INSERT INTO unlogged SELECT g, 'name ' || g FROM generate_series(1, 20000) g;
CREATE MATERIALIZED VIEW matview AS SELECT g AS id, 'name ' || g AS name FROM generate_series(1, 20000) g;
CREATE TABLE parted (id integer, name text) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (30000);
INSERT INTO parted SELECT g, 'name ' || g FROM generate_series(1, 20000) g;
-- rows of the children are of another length than the parent's own
CREATE TABLE parent (id integer, name text);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT g, 'n' FROM generate_series(1, 10000) g;
INSERT INTO child SELECT g, repeat('long name', 10) || g FROM generate_series(1, 10000) g;
CREATE TABLE hot (id integer, n integer, name text) WITH (fillfactor = 80);
INSERT INTO hot SELECT g, 0, 'name ' || g FROM generate_series(1, 10000) g;
UPDATE hot SET n = 1 WHERE id % 10 = 0;
CREATE TABLE one_page (id integer);
INSERT INTO one_page VALUES (1), (2);
CREATE TABLE emptied (id integer);
INSERT INTO emptied SELECT generate_series(1, 1000);
DELETE FROM emptied;
CREATE TABLE "o'dd ""name" ("Col umn" integer);
INSERT INTO "o'dd ""name" SELECT generate_series(1, 1000);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 20000);
SELECT FROM pg_stat_force_next_flush();
SELECT format('VACUUM (ANALYZE, TRUNCATE %s) %s', (relname <> 'emptied')::text, oid::regclass) FROM pg_class
 WHERE relnamespace = 'bloat'::regnamespace AND relkind IN ('r', 'm') AND relname <> 'orders' ORDER BY relname \gexec
ANALYZE parted;

-- estimate and measure, without what the fillfactor keeps free
CREATE VIEW compared AS
SELECT t.table_name, t.bloat_percent AS estimated,
       greatest(round((s.dead_tuple_percent + s.free_percent - (100 - t.fillfactor))::numeric, 1), 0) AS measured,
       t.reliable, t.reason, t.kind, t.row_bytes, s.tuple_len / nullif(s.tuple_count, 0) AS measured_row_bytes, t.live_rows = s.tuple_count AS rows_match
  FROM steward.table_bloat t, bloat_contrib.pgstattuple(t.relation_id) s
 WHERE t.schema_name = 'bloat' OR t.toast_of LIKE 'bloat.%' AND t.table_bytes > 0;
SELECT table_name, abs(estimated - measured) <= 5 AS near, measured > 40 AS bloated, reliable, kind, rows_match,
       row_bytes - measured_row_bytes BETWEEN -5 AND 8 AS length_near
  FROM compared WHERE kind <> 'TOAST table' AND table_name NOT IN ('one_page', 'o''dd "name', 'documents') ORDER BY table_name COLLATE "C";
-- the ends of pages that long rows leave are no bloat, but pgstattuple counts them
SELECT table_name, estimated <= 5 AS none, reliable FROM compared WHERE table_name IN ('one_page', 'o''dd "name', 'documents') ORDER BY table_name COLLATE "C";

-- of chunks it is known that there is at least that bloat
SELECT estimated AS chunks_estimated, reliable, reason FROM compared WHERE kind = 'TOAST table';
DELETE FROM toasted WHERE id % 2 = 0;
SELECT FROM pg_stat_force_next_flush();
VACUUM (TRUNCATE off) toasted;
SELECT estimated BETWEEN 35 AND measured AS chunks_at_least, reliable FROM compared WHERE kind = 'TOAST table';

-- a column that is dropped is still in the rows of old, and a rewrite gains what it takes
CREATE TABLE dropped_after (id integer, a text, c bigint);
INSERT INTO dropped_after SELECT g, repeat('dropped', 20), g FROM generate_series(1, 10000) g;
SELECT FROM pg_stat_force_next_flush();
ALTER TABLE dropped_after DROP a;
VACUUM ANALYZE dropped_after;
SELECT bloat_percent > 70 AS old_rows_hold_it FROM steward.table_bloat WHERE table_name = 'dropped_after';
VACUUM FULL dropped_after;
SELECT bloat_percent < 5 AS gone FROM steward.table_bloat WHERE table_name = 'dropped_after';

--
-- When the estimate is not to be trusted
--

CREATE TABLE never_analyzed (id integer, name text) WITH (autovacuum_enabled = false);
INSERT INTO never_analyzed SELECT g, 'name ' || g FROM generate_series(1, 1000) g;
SELECT FROM pg_stat_force_next_flush();
CREATE TABLE untouched (id integer);
CREATE TABLE new_column (id integer NOT NULL, "New" text) WITH (autovacuum_enabled = false);
ALTER TABLE new_column ALTER "New" SET STATISTICS 0;
INSERT INTO new_column SELECT g, 'name ' || g FROM generate_series(1, 1000) g;
SELECT FROM pg_stat_force_next_flush();
ANALYZE new_column;
-- without NULL and of one length: nothing need be known but how many there are
CREATE TABLE needs_no_statistics (id integer NOT NULL) WITH (autovacuum_enabled = false);
INSERT INTO needs_no_statistics SELECT generate_series(1, 1000);
SELECT FROM pg_stat_force_next_flush();
CREATE TABLE changed_since (id integer, name text) WITH (autovacuum_enabled = false);
INSERT INTO changed_since SELECT g, 'name ' || g FROM generate_series(1, 1000) g;
SELECT FROM pg_stat_force_next_flush();
ANALYZE changed_since;
UPDATE changed_since SET name = name || ' changed' WHERE id > 400;
SELECT FROM pg_stat_force_next_flush();
SELECT table_name, live_rows, bloat_bytes IS NOT NULL AS estimated, reliable, reason
  FROM steward.table_bloat
 WHERE table_name IN ('never_analyzed', 'untouched', 'new_column', 'needs_no_statistics', 'changed_since', 'emptied') ORDER BY table_name COLLATE "C";
-- counters that were reset are not believed
SELECT FROM pg_stat_reset_single_table_counters('changed_since'::regclass);
SELECT live_rows, dead_rows FROM steward.table_bloat WHERE table_name = 'changed_since';

--
-- Indexes
--

CREATE TABLE indexed (id integer, dup integer, txt text, ts timestamptz, num numeric, nm name, half integer, long text, list integer[])
    WITH (autovacuum_enabled = false);
INSERT INTO indexed SELECT g, g % 100, 'text ' || g * 7, '2025-01-01'::timestamptz + g * interval '1 s', g * 1.5, 'n' || g,
       CASE WHEN g % 2 = 0 THEN g END, repeat('long', 30) || g, ARRAY[g] FROM generate_series(1, 50000) g;
CREATE UNIQUE INDEX i_unique ON indexed (id);
CREATE INDEX i_duplicates ON indexed (dup);
CREATE INDEX i_duplicates_kept ON indexed (dup) WITH (deduplicate_items = off);
CREATE INDEX i_two ON indexed (dup, id);
CREATE INDEX i_text ON indexed (txt);
CREATE INDEX i_expression ON indexed (upper(txt), (dup + 1));
CREATE INDEX i_numeric ON indexed (num);
CREATE INDEX i_partial ON indexed (id) WHERE dup < 50;
CREATE INDEX i_include ON indexed (id) INCLUDE (txt, ts);
CREATE INDEX i_fillfactor ON indexed (ts DESC) WITH (fillfactor = 50);
CREATE INDEX i_long ON indexed (long);
-- half of the entries are equal
CREATE INDEX i_nulls ON indexed (half);
CREATE INDEX i_name ON indexed (nm);
CREATE INDEX i_hash ON indexed USING hash (id);
CREATE INDEX i_gin ON indexed USING gin (list);
CREATE INDEX i_brin ON indexed USING brin (id);
SELECT FROM pg_stat_force_next_flush();
VACUUM ANALYZE indexed;

-- how dense leaves are against what the fillfactor makes of them
CREATE VIEW index_compared AS
SELECT b.index_name, b.bloat_percent AS estimated, b.bloat_bytes, b.reliable, b.reason,
       CASE b.access_method WHEN 'btree' THEN (SELECT greatest(100 - 100 * p.avg_leaf_density / b.fillfactor, 0)::numeric FROM bloat_contrib.pgstatindex(b.index_id) p) END AS measured
  FROM steward.index_bloat b WHERE b.relation_id = 'indexed'::regclass;
SELECT index_name, abs(estimated - measured) <= 7 AS near, bloat_bytes >= 0 AS not_negative, reliable, reason FROM index_compared ORDER BY index_name COLLATE "C";
DELETE FROM indexed WHERE id % 3 <> 0;
SELECT FROM pg_stat_force_next_flush();
VACUUM ANALYZE indexed;
SELECT index_name, estimated > 50 AS bloated, abs(estimated - measured) <= 10 AS near, reliable FROM index_compared
 WHERE reliable AND index_name NOT LIKE 'i_duplicates%' ORDER BY index_name COLLATE "C";
REINDEX TABLE indexed;
SELECT index_name, estimated < 7 AS rebuilt FROM index_compared WHERE reliable ORDER BY index_name COLLATE "C";

--
-- Sizes
--

SELECT c.relname, s.heap_bytes = pg_relation_size(c.oid) AS heap, s.index_bytes = coalesce(i.bytes, 0) AS indexes, s.toast_bytes > 0 AS has_toast,
       s.heap_bytes + s.toast_bytes + s.index_bytes + s.other_bytes = pg_total_relation_size(c.oid) AS total
  FROM pg_class c
 CROSS JOIN steward.relation_sizes(c.oid) s
 CROSS JOIN LATERAL (SELECT sum(pg_relation_size(x.indexrelid)) AS bytes FROM pg_index x WHERE x.indrelid = c.oid) i
 WHERE c.relname IN ('orders', 'toasted', 'unlogged', 'matview', 'parted', 'compared', 'emptied', 'orders_pkey') ORDER BY c.relname COLLATE "C";
SELECT count(*) > 100 AS relations, bool_and(steward.try_relation_size(c.oid, f) = pg_relation_size(c.oid, f)) AS alike
  FROM pg_class c, unnest('{main,fsm,vm,init}'::text[]) f WHERE c.relkind IN ('r', 'i', 't', 'm', 'S', 'v', 'p');
SELECT steward.try_relation_size(0) AS none, steward.relation_sizes(0) IS NULL AS no_sizes;
SELECT steward.try_relation_size('orders'::regclass, 'other');
-- in the transaction that gives it other files
BEGIN;
TRUNCATE orders;
SELECT steward.try_relation_size('orders'::regclass) AS truncated;
ROLLBACK;

--
-- Measured
--

SELECT method, abs(bloat_percent - 50) < 6 AS half, free_bytes + dead_bytes = bloat_bytes AS all_of_it, reason FROM steward.table_bloat_measured('bloat.half_deleted');
SELECT method, bloat_percent < 2 AS none, free_bytes > table_bytes / 4 AS kept_free FROM steward.table_bloat_measured('bloat.fillfactor_70');
SELECT method, table_bytes, bloat_bytes, bloat_percent, reason FROM steward.table_bloat_measured('bloat.untouched');
DROP EXTENSION pgstattuple CASCADE;
CREATE EXTENSION pg_freespacemap SCHEMA bloat_contrib;
SELECT method, abs(bloat_percent - 50) < 6 AS half, dead_bytes, reason FROM steward.table_bloat_measured('bloat.half_deleted');
SELECT method, bloat_percent < 2 AS none FROM steward.table_bloat_measured('bloat.fillfactor_70');
SELECT method, bloat_bytes, reason FROM steward.table_bloat_measured('bloat.never_analyzed');
DROP EXTENSION pg_freespacemap;
SELECT method, table_bytes > 0 AS has_size, free_bytes, bloat_percent, reason FROM steward.table_bloat_measured('bloat.half_deleted');
SELECT * FROM steward.table_bloat_measured('bloat.parted');
SELECT * FROM steward.table_bloat_measured(0);

--
-- Who may look
--

SELECT count(*) AS tables FROM steward.table_bloat WHERE schema_name = 'bloat' \gset
SELECT count(*) AS unreliable FROM steward.table_bloat WHERE schema_name = 'bloat' AND NOT reliable \gset
SELECT count(*) AS indexes FROM steward.index_bloat WHERE schema_name = 'bloat' AND reliable \gset
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE ROLE regress_bloat_monitor IN ROLE pg_monitor;
CREATE ROLE regress_bloat_nobody;
SET ROLE regress_bloat_monitor;
SELECT count(*) = :tables AS all_tables, count(*) FILTER (WHERE NOT reliable) = :unreliable AS known_as_well FROM steward.table_bloat WHERE schema_name = 'bloat';
SELECT count(*) = :indexes AS all_indexes FROM steward.index_bloat WHERE schema_name = 'bloat' AND reliable;
SELECT table_bytes > 0 AS has_size, reason FROM steward.table_bloat_measured((SELECT oid FROM pg_class WHERE relname = 'orders'));
SELECT heap_bytes > 0 AS has_size FROM steward.relation_sizes((SELECT oid FROM pg_class WHERE relname = 'orders'));
SET ROLE regress_bloat_nobody;
\set VERBOSITY terse
SELECT count(*) FROM steward.table_bloat;
SELECT count(*) FROM steward.index_bloat;
SELECT count(*) FROM steward_internal.monitor_rows;
SELECT count(*) FROM steward_internal.monitor_row_sizes(false);
SELECT steward.try_relation_size(1259);
SELECT steward.relation_sizes(1259);
SELECT steward.table_bloat_measured(1259);
RESET ROLE;
-- every column says what it is
SELECT a.attrelid::regclass, a.attname FROM pg_attribute a
 WHERE a.attrelid IN ('steward.table_bloat'::regclass, 'steward.index_bloat'::regclass, 'steward_internal.monitor_rows'::regclass)
   AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL ORDER BY 1, 2;

DROP SCHEMA bloat, bloat_contrib CASCADE;
DROP ROLE regress_bloat_monitor, regress_bloat_nobody;
