-- Databases, tables, their columns and sequences.
\set VERBOSITY terse
CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS 'not of the table';
CREATE TABLE shop.orders (id serial PRIMARY KEY, placed_on date NOT NULL DEFAULT current_date, note text);
COMMENT ON TABLE shop.orders IS 'What customers bought.';
COMMENT ON COLUMN shop.orders.note IS 'What the customer said.';
INSERT INTO shop.orders (note) SELECT repeat('x', 100) FROM generate_series(1, 1000);
SELECT pg_stat_force_next_flush();
VACUUM ANALYZE shop.orders;

-- the example of the page
SELECT table_name, heap_bytes, toast_bytes, index_bytes, estimated_rows
  FROM steward.table_sizes WHERE schema_name = 'shop' ORDER BY total_bytes DESC LIMIT 10;
SELECT used_by_table, used_by_column, last_value, values_left, used_percent, remedy
  FROM steward.sequence_usage WHERE schema_name = 'shop' ORDER BY used_percent DESC;
SELECT column_name, column_type, not_null, has_default, in_primary_key, column_comment
  FROM steward.data_dictionary WHERE schema_name = 'shop' AND table_name = 'orders' ORDER BY column_number;

--
-- table_sizes
--
-- the parts add up to what the server says, by any name; TOAST is no index
SET search_path = shop;
CREATE TABLE "Order Items.""x" (id integer PRIMARY KEY, long text);
ALTER TABLE "Order Items.""x" ALTER long SET STORAGE EXTERNAL;
INSERT INTO "Order Items.""x" SELECT g, repeat('x', 10000) FROM generate_series(1, 100) g;
CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY);
INSERT INTO unlogged VALUES (1);
CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM orders;
CREATE TABLE nothing ();
CREATE TEMP TABLE passing (id integer);
INSERT INTO passing VALUES (1);
SELECT pg_stat_force_next_flush();
SELECT s.table_name, s.kind, s.persistence, s.total_bytes = pg_total_relation_size(s.relation_id) AS total, s.heap_bytes = pg_relation_size(s.relation_id) AS heap,
       s.index_bytes = (SELECT coalesce(sum(pg_relation_size(i.indexrelid)), 0) FROM pg_index i WHERE i.indrelid = s.relation_id) AS indexes,
       s.toast_bytes = (SELECT coalesce(sum(pg_relation_size(t.oid)), 0)
                          FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid OR t.oid IN (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = c.reltoastrelid)
                         WHERE c.oid = s.relation_id) AS toast, s.toast_bytes > 1000000 AS much_toast, s.estimated_rows
  FROM steward.table_sizes s
 WHERE s.schema_name = 'shop' OR s.table_name = 'passing'
 ORDER BY s.table_name COLLATE "C";
-- large objects are there, other catalogs are not
SELECT table_name FROM steward.table_sizes WHERE schema_name ~ '^pg_(?!temp)' OR schema_name = 'information_schema';
DROP TABLE passing, nothing, unlogged, "Order Items.""x";
DROP MATERIALIZED VIEW summary;

--
-- table_stats
--
CREATE TABLE counted (id integer PRIMARY KEY, n integer);
INSERT INTO counted SELECT g FROM generate_series(1, 10) g;
UPDATE counted SET n = 1 WHERE id <= 4;
DELETE FROM counted WHERE id = 10;
SELECT pg_stat_force_next_flush();
SELECT live_rows, dead_rows, dead_percent, rows_inserted, rows_updated, rows_deleted, hot_update_percent, seq_scans IS NOT NULL AS seq_scans, modified_since_analyze, inserted_since_vacuum,
       last_vacuum IS NULL AS never_vacuumed, vacuums,
       (current_setting('server_version_num')::integer >= 160000) = (rows_moved_to_new_page IS NOT NULL) AS moved_since_16
  FROM steward.table_stats WHERE relation_id = 'counted'::regclass;
VACUUM ANALYZE counted;
SELECT pg_stat_force_next_flush();
SELECT live_rows, dead_rows, dead_percent, modified_since_analyze, last_vacuum IS NULL AS never_vacuumed, vacuums, analyzes
  FROM steward.table_stats WHERE relation_id = 'counted'::regclass;
CREATE TABLE fresh (id integer);
SELECT dead_percent, hot_update_percent, index_scans FROM steward.table_stats WHERE table_name = 'fresh';
DROP TABLE counted, fresh;

--
-- cache_hit_ratios, database_stats
--
CREATE TABLE never_read (id integer PRIMARY KEY, t text);
CREATE TABLE read (id integer PRIMARY KEY, t text);
INSERT INTO read VALUES (1);
SELECT count(*) FROM read;
SELECT pg_stat_force_next_flush();
-- nothing of nothing is not known
SELECT scope, name, blocks_hit + blocks_read = 0 AS nothing, hit_percent FROM steward.cache_hit_ratios WHERE schema_name = 'shop' AND name LIKE 'never_read%' ORDER BY scope COLLATE "C";
SELECT scope, name, blocks_hit > 0 AS hit, hit_percent BETWEEN 0.01 AND 100 AS percent FROM steward.cache_hit_ratios WHERE schema_name = 'shop' AND name = 'read';
SELECT count(*) = (SELECT count(*) FROM pg_database) AS one_each, bool_and(schema_name IS NULL) AS without_schema FROM steward.cache_hit_ratios WHERE scope = 'database';
DROP TABLE never_read, read;
-- one row is of what databases share
SELECT count(*) - (SELECT count(*) FROM pg_database) AS more, count(*) FILTER (WHERE database_name IS NULL AND connections IS NULL) AS shared FROM steward.database_stats;
SELECT connections > 0 AS connections, commits > 0 AS commits, rollback_percent BETWEEN 0 AND 100 AS percent FROM steward.database_stats WHERE database_name = current_database();
-- times that nobody took are not 0
SET track_io_timing = off;
SELECT read_seconds, write_seconds FROM steward.database_stats WHERE database_name = 'template0';
SET track_io_timing = on;
SELECT read_seconds, write_seconds FROM steward.database_stats WHERE database_name = 'template0';
RESET track_io_timing;

--
-- database_sizes
--
SELECT count(*) = (SELECT count(*) FROM pg_database) AS all_databases, bool_and(database_bytes > 0) AS with_size FROM steward.database_sizes;
SELECT database_name, is_template, allows_connections FROM steward.database_sizes WHERE database_name ~ '^template' ORDER BY database_name COLLATE "C";
-- who may not connect is not told, and not thrown out
CREATE DATABASE "Regress Closed" TEMPLATE template0;
REVOKE CONNECT ON DATABASE "Regress Closed" FROM PUBLIC;
CREATE ROLE regress_plain;
GRANT USAGE ON SCHEMA steward TO regress_plain;
GRANT SELECT ON steward.database_sizes TO regress_plain;
SET ROLE regress_plain;
SELECT database_name, database_bytes IS NULL AS hidden FROM steward.database_sizes WHERE database_name IN ('Regress Closed', current_database()) ORDER BY 2;
RESET ROLE;
GRANT pg_monitor TO regress_plain;
SET ROLE regress_plain;
SELECT database_name FROM steward.database_sizes WHERE database_bytes IS NULL;
RESET ROLE;
DROP DATABASE "Regress Closed";

--
-- partitions
--
CREATE TABLE parted (a integer, b integer) PARTITION BY LIST (a);
SELECT * FROM (SELECT to_jsonb(p) - 'relation_id' FROM steward.partitions p WHERE p.table_name = 'parted') p;
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1) PARTITION BY HASH (b);
CREATE TABLE "Parted 1 0" PARTITION OF parted_1 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1_1 PARTITION OF parted_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2) PARTITION BY RANGE (b);
CREATE TABLE "Rest of 2" PARTITION OF parted_2 DEFAULT;
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
CREATE INDEX ON parted (b);
SELECT partitions, levels, default_partition, default_partition_rows, estimated_rows FROM steward.partitions WHERE table_name = 'parted';
INSERT INTO parted SELECT a, b FROM generate_series(1, 3) a, generate_series(1, 10) b;
SELECT pg_stat_force_next_flush();
ANALYZE parted;
SELECT schema_name, table_name, strategy, partitions, levels, foreign_partitions, detach_pending, default_partition, default_partition_rows, estimated_rows,
       table_bytes = (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('parted')) AS table_bytes,
       total_bytes = (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('parted')) AS total_bytes
  FROM steward.partitions WHERE table_name LIKE 'parted%';
DROP TABLE parted;

--
-- sequence_usage
--
CREATE VIEW usage AS
SELECT s.sequence_name, s.used_by_column AS used_by, s.last_value, s.lowest_value, s.highest_value, s.cycles, s.values_left, s.used_percent, s.remedy
  FROM steward.sequence_usage s WHERE s.schema_name = 'shop' AND s.sequence_name <> 'orders_id_seq' ORDER BY s.sequence_name COLLATE "C";
-- a smallint at 92 %
CREATE TABLE small (id smallserial);
SELECT setval('small_id_seq', 30146);
SELECT * FROM usage;
SELECT remedy FROM usage \gexec
SELECT * FROM usage;
DROP TABLE small;
-- a column narrower than its sequence, a domain too; the sequence would cycle too late
CREATE DOMAIN tiny AS smallint;
CREATE DOMAIN tinier AS tiny CHECK (VALUE > 0);
CREATE TABLE narrow ("Id" tinier);
CREATE SEQUENCE "Wide Seq" CYCLE OWNED BY narrow."Id";
SELECT setval('"Wide Seq"', 16384);
SELECT * FROM usage;
SELECT setval('"Wide Seq"', 40000);
SELECT * FROM usage;
SELECT used_by_table FROM steward.sequence_usage WHERE sequence_name = 'Wide Seq';
DROP TABLE narrow;
DROP DOMAIN tinier, tiny;
-- shared by two defaults: the narrower one counts, whoever owns it
CREATE SEQUENCE shared;
CREATE TABLE wide (id bigint DEFAULT nextval('shared'));
CREATE TABLE narrow (id integer DEFAULT nextval('shared'));
ALTER SEQUENCE shared OWNED BY wide.id;
SELECT setval('shared', 1073741824);
SELECT s.used_by_table, s.highest_value, s.used_percent, s.remedy FROM steward.sequence_usage s WHERE s.sequence_name = 'shared';
DROP TABLE narrow, wide;
-- identity, bounds, steps, descending, cycling, never used, starting late
CREATE TABLE ident (id integer GENERATED ALWAYS AS IDENTITY (MAXVALUE 10));
INSERT INTO ident SELECT FROM generate_series(1, 9);
CREATE SEQUENCE a_ring MAXVALUE 4 CYCLE;
SELECT nextval('a_ring'), nextval('a_ring'), nextval('a_ring');
CREATE SEQUENCE bounded MINVALUE 100 MAXVALUE 199 START 190;
CREATE SEQUENCE late START 900 MAXVALUE 1000;
CREATE SEQUENCE late_down INCREMENT -1 MINVALUE -1000 MAXVALUE 0 START -900;
CREATE SEQUENCE late_ring MAXVALUE 1000 START 900 CYCLE;
CREATE SEQUENCE set_back START 900 MAXVALUE 1000;
CREATE SEQUENCE set_back_down INCREMENT -1 MINVALUE -1000 MAXVALUE 0 START -900;
SELECT nextval('late'), nextval('late_down'), nextval('late_ring'), setval('set_back', 750), setval('set_back_down', -750);
CREATE SEQUENCE downward AS smallint INCREMENT -1;
SELECT setval('downward', -32000);
CREATE SEQUENCE full_up MAXVALUE 3;
SELECT setval('full_up', 3);
CREATE SEQUENCE not_called MAXVALUE 10;
SELECT setval('not_called', 5, false);
CREATE SEQUENCE steps INCREMENT 1000 MAXVALUE 10000;
SELECT nextval('steps'), nextval('steps');
CREATE SEQUENCE never;
CREATE SEQUENCE whole MINVALUE -9223372036854775808 MAXVALUE 9223372036854775807 INCREMENT 9223372036854775807;
CREATE UNLOGGED TABLE unlogged (id serial);
CREATE TEMP SEQUENCE passing;
SELECT * FROM usage;
SELECT remedy FROM usage WHERE sequence_name IN ('downward', 'ident_id_seq') \gexec
SELECT sequence_name, lowest_value, highest_value, used_percent FROM usage WHERE sequence_name IN ('downward', 'ident_id_seq');
SELECT remedy FROM usage WHERE sequence_name = 'ident_id_seq' \gexec
SELECT highest_value, remedy FROM usage WHERE sequence_name = 'ident_id_seq';
-- what is dropped with its column is gone
ALTER TABLE ident DROP id;
SELECT count(*) FROM usage WHERE sequence_name = 'ident_id_seq';
-- a member of pg_monitor sees them all, pg_sequences shows it none
SET ROLE regress_plain;
SELECT s.last_value, p.last_value AS in_pg_sequences
  FROM steward.sequence_usage s JOIN pg_sequences p ON p.schemaname = s.schema_name AND p.sequencename = s.sequence_name
 WHERE s.sequence_name = 'full_up';
RESET ROLE;
-- what is no sequence has no state, nor has none at all; and no lock is kept
BEGIN;
SELECT * FROM steward_internal.sequence_state('shop.orders'::regclass);
SELECT * FROM steward_internal.sequence_state(0);
SELECT * FROM steward_internal.sequence_state('full_up'::regclass);
SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'full_up'::regclass;
COMMIT;
REVOKE pg_monitor FROM regress_plain;
GRANT USAGE ON SCHEMA shop TO regress_plain;
SET ROLE regress_plain;
SELECT * FROM steward_internal.sequence_state('shop.full_up'::regclass);
RESET ROLE;
DROP VIEW usage;
DROP TABLE ident, unlogged;
DROP SEQUENCE a_ring, bounded, downward, full_up, not_called, steps, never, whole, passing;

--
-- data_dictionary
--
-- two tables of one name, each with its own comments; other objects' comments have the same numbers
CREATE SCHEMA "Other Shop";
CREATE TABLE "Other Shop".orders (id integer GENERATED BY DEFAULT AS IDENTITY, "Net" numeric(10,2), "Gross" numeric GENERATED ALWAYS AS ("Net" * 1.2) STORED,
    orders_id integer REFERENCES shop.orders, other_id integer UNIQUE REFERENCES "Other Shop".orders (other_id), gone integer, PRIMARY KEY ("Net", id));
ALTER TABLE "Other Shop".orders DROP gone;
ALTER TABLE "Other Shop".orders ENABLE ROW LEVEL SECURITY;
COMMENT ON COLUMN "Other Shop".orders.id IS 'of the other';
COMMENT ON INDEX "Other Shop".orders_pkey IS 'of the index';
CREATE VIEW "Other Shop".report AS SELECT id FROM "Other Shop".orders;
CREATE MATERIALIZED VIEW "Other Shop".kept AS SELECT 1 AS n;
CREATE TABLE "Other Shop".parted (orders_id integer REFERENCES shop.orders (id)) PARTITION BY LIST (orders_id);
CREATE TABLE "Other Shop".parted_1 PARTITION OF "Other Shop".parted FOR VALUES IN (1);
CREATE TABLE "Other Shop".target (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE "Other Shop".target_1 PARTITION OF "Other Shop".target FOR VALUES IN (1);
CREATE TABLE "Other Shop".two (a integer, b numeric, target_id integer REFERENCES "Other Shop".target, FOREIGN KEY (b, a) REFERENCES "Other Shop".orders ("Net", id));
CREATE TABLE "Other Shop".half (id integer);
CREATE UNIQUE INDEX ON "Other Shop".half (id) WHERE id > 0;
SELECT schema_name, table_kind, table_comment, row_security, column_number, column_name, column_type, not_null AS nn, has_default AS def, is_identity AS ident, is_generated AS gen,
       in_primary_key AS pk, is_unique AS uniq, "references", column_comment
  FROM steward.data_dictionary WHERE table_name = 'orders' ORDER BY schema_name COLLATE "C", column_number;
SELECT table_name, table_kind, column_name, is_unique AS uniq, "references"
  FROM steward.data_dictionary WHERE schema_name = 'Other Shop' AND table_name <> 'orders' ORDER BY table_name COLLATE "C", column_number;
-- as many rows as columns
SELECT (SELECT count(*) FROM steward.data_dictionary) =
       (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema') AS same;
SELECT schema_name, extension_name FROM steward.data_dictionary WHERE table_name IN ('orders', 'audit_contexts') GROUP BY schema_name, extension_name ORDER BY schema_name COLLATE "C";
SET client_min_messages = warning;
DROP SCHEMA "Other Shop", shop CASCADE;
REVOKE ALL ON steward.database_sizes FROM regress_plain;
REVOKE ALL ON SCHEMA steward FROM regress_plain;
DROP ROLE regress_plain;
