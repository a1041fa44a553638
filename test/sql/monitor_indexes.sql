-- Indexes: which can go, which are missing, which are broken.
\set VERBOSITY terse
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE, status text, placed_on date);
CREATE INDEX orders_status_idx ON orders (status);
CREATE INDEX orders_status_placed_on_idx ON orders (status, placed_on);
CREATE TABLE notes (body text);

-- the example of the page
SELECT index_name, covered_by, reason, remedy FROM steward.redundant_indexes;
SELECT constraint_name, cascades, remedy FROM steward.foreign_keys_without_index;
SELECT table_name, unique_not_null_index, remedy FROM steward.tables_without_primary_key;
SELECT kind, object, problem, remedy FROM steward.invalid_objects;
SELECT index_name, remedy FROM steward.unused_indexes ORDER BY index_name COLLATE "C";
DROP TABLE orders, customers, notes;

--
-- redundant_indexes
--
CREATE TABLE "Odd Name.x" (id integer PRIMARY KEY, a integer NOT NULL, b integer, c text, d text COLLATE "C", r int4range);
CREATE VIEW redundant AS
SELECT r.index_name, r.covered_by, r.reason FROM steward.redundant_indexes r WHERE r.schema_name = 'public' ORDER BY r.index_name COLLATE "C";

-- the same twice, thrice, and one that is a prefix: each once, each with one that stays
CREATE INDEX dup_1 ON "Odd Name.x" (a);
CREATE INDEX dup_2 ON "Odd Name.x" (a);
CREATE INDEX dup_3 ON "Odd Name.x" (a) WITH (fillfactor = 70, deduplicate_items = off);
SELECT * FROM redundant;
CREATE INDEX "Long one" ON "Odd Name.x" (a, b, c);
CREATE INDEX middle ON "Odd Name.x" (a, b);
SELECT * FROM redundant;
SELECT schema_name, table_name, remedy, index_bytes = pg_relation_size(index_id) AS size_is_right
  FROM steward.redundant_indexes WHERE index_name = 'dup_1';
DROP INDEX dup_1, dup_2, dup_3, "Long one", middle;

-- not the same: order, collation, operator class, access method, predicate, expression; none is listed
CREATE INDEX plain_c ON "Odd Name.x" (c);
CREATE INDEX desc_c ON "Odd Name.x" (c DESC);
CREATE INDEX nulls_c ON "Odd Name.x" (c NULLS FIRST);
CREATE INDEX collate_c ON "Odd Name.x" (c COLLATE "C");
CREATE INDEX pattern_c ON "Odd Name.x" (c text_pattern_ops);
CREATE INDEX hash_c ON "Odd Name.x" USING hash (c);
CREATE INDEX partial_c ON "Odd Name.x" (c) WHERE a > 0;
CREATE INDEX partial_c_2 ON "Odd Name.x" (c) WHERE a > 1;
CREATE INDEX lower_c ON "Odd Name.x" (lower(c));
CREATE INDEX upper_c ON "Odd Name.x" (upper(c));
CREATE INDEX second_c ON "Odd Name.x" (b, c);
SELECT * FROM redundant;
-- twins of some are
CREATE INDEX z_desc_c ON "Odd Name.x" (c DESC);
CREATE INDEX z_hash_c ON "Odd Name.x" USING hash (c);
CREATE INDEX z_partial_c ON "Odd Name.x" (c) WHERE   a > 0;
CREATE INDEX z_lower_c ON "Odd Name.x" ( lower( c ) );
CREATE INDEX z_lower_c_a ON "Odd Name.x" (lower(c), a);
CREATE INDEX z_upper_lower_c ON "Odd Name.x" (upper(c), lower(c));
CREATE INDEX z_partial_b ON "Odd Name.x" (c, b) WHERE a > 1;
CREATE INDEX z_in ON "Odd Name.x" (b) WHERE a IN (1, 2, 3);
CREATE INDEX z_in_2 ON "Odd Name.x" (b)   WHERE   a   IN (1, 2, 3);
SELECT * FROM redundant;
DROP TABLE "Odd Name.x";

-- a prefix is enough for btree only
CREATE EXTENSION btree_gist;
CREATE TABLE ranges (a integer NOT NULL, b integer, r int4range, c text, t tsvector);
CREATE INDEX gist_a ON ranges USING gist (a);
CREATE INDEX gist_a_r ON ranges USING gist (a, r);
CREATE INDEX gist_r ON ranges USING gist (r);
CREATE INDEX gist_r_2 ON ranges USING gist (r);
CREATE INDEX gist_t ON ranges USING gist (t);
CREATE INDEX gist_t_long ON ranges USING gist (t tsvector_ops (siglen = 1000));
CREATE INDEX brin_b ON ranges USING brin (b);
CREATE INDEX brin_b_fine ON ranges USING brin (b) WITH (pages_per_range = 8);
SELECT * FROM redundant;
DROP TABLE ranges;

-- INCLUDE
CREATE TABLE wide (a integer, b integer, c integer, d integer);
CREATE INDEX a_with_b ON wide (a) INCLUDE (b);
CREATE INDEX a_with_bc ON wide (a) INCLUDE (c, b);
CREATE INDEX a_with_d ON wide (a) INCLUDE (d);
CREATE INDEX a_alone ON wide (a);
CREATE INDEX b_with_d ON wide (b) INCLUDE (d);
CREATE INDEX b_d ON wide (b, d);
SELECT * FROM redundant;
DROP TABLE wide;

-- what enforces something stays, and does the work of what does not
CREATE TABLE keys (a integer NOT NULL, b integer, c integer NOT NULL, d integer NOT NULL, e integer);
CREATE UNIQUE INDEX unique_a ON keys (a);
CREATE INDEX plain_a ON keys (a);
CREATE INDEX plain_ab ON keys (a, b);
CREATE UNIQUE INDEX unique_b ON keys (b);
CREATE UNIQUE INDEX unique_b_nulls ON keys (b) NULLS NOT DISTINCT;
CREATE INDEX plain_b ON keys (b);
ALTER TABLE keys ADD PRIMARY KEY (c);
CREATE UNIQUE INDEX unique_c ON keys (c);
CREATE INDEX plain_c ON keys (c);
ALTER TABLE keys ADD CONSTRAINT later_d UNIQUE (d) DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX unique_d ON keys (d);
CREATE INDEX plain_d ON keys (d);
CREATE INDEX clustered_e ON keys (e);
CLUSTER keys USING clustered_e;
CREATE INDEX plain_e ON keys (e);
SELECT * FROM redundant;
-- a foreign key and a replica identity hold an index that looks superfluous
CREATE TABLE refers (a integer REFERENCES keys (a));
CREATE UNIQUE INDEX unique_a_2 ON keys (a);
CREATE UNIQUE INDEX identity_a ON keys (a);
ALTER TABLE keys REPLICA IDENTITY USING INDEX identity_a;
SELECT * FROM redundant WHERE index_name LIKE '%\_a%';
DROP TABLE refers, keys;

-- invalid ones neither go nor do the work of others; each of a pair of partitioned ones stands for the partitions'
CREATE TABLE parted (a integer, b integer) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE INDEX parted_b ON parted (b);
CREATE INDEX parted_b_a ON parted (b, a);
CREATE INDEX parted_only ON ONLY parted (b, a, b);
CREATE INDEX own ON parted_1 (b);
INSERT INTO parted VALUES (1, 1), (2, 2);
SELECT * FROM redundant;
SELECT index_name, remedy, index_bytes = (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(index_id)) AS size_is_right
  FROM steward.redundant_indexes WHERE index_name = 'parted_b';
SELECT index_name, remedy, index_bytes = (SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree(index_id)) AS size_is_right
  FROM steward.unused_indexes WHERE table_name LIKE 'parted%' ORDER BY index_name COLLATE "C";
DROP TABLE parted;

--
-- unused_indexes
--
CREATE TABLE uses (id integer PRIMARY KEY, u integer, x integer, f integer REFERENCES uses, i integer NOT NULL, c integer, e text, r int4range, used integer,
    EXCLUDE USING gist (r WITH &&));
CREATE UNIQUE INDEX uses_unique ON uses (u);
CREATE INDEX uses_x ON uses (x);
CREATE INDEX uses_f ON uses (f);
CREATE UNIQUE INDEX uses_identity ON uses (i);
ALTER TABLE uses REPLICA IDENTITY USING INDEX uses_identity;
CREATE INDEX uses_c ON uses (c);
CLUSTER uses USING uses_c;
CREATE INDEX uses_expression ON uses (lower(e));
CREATE INDEX "Uses partial" ON uses (x) WHERE x > 0;
CREATE INDEX uses_used ON uses (used);
CREATE MATERIALIZED VIEW uses_view AS SELECT x FROM uses;
CREATE INDEX uses_view_x ON uses_view (x);
SET enable_seqscan = off;
SELECT count(*) FROM uses WHERE used = 1;
RESET enable_seqscan;
SELECT pg_stat_force_next_flush();
SELECT table_name, index_name, scans, index_bytes, has_standbys, counted_for > interval '0', remedy FROM steward.unused_indexes ORDER BY index_name COLLATE "C";
-- it is counted since the counters were reset
SELECT bool_and(u.counted_since = d.stats_reset) IS NOT FALSE AS since_reset
  FROM steward.unused_indexes u CROSS JOIN pg_stat_database d WHERE d.datname = current_database();
-- a standby's slot
SELECT 1 FROM pg_create_physical_replication_slot('regress_standby');
SELECT DISTINCT has_standbys FROM steward.unused_indexes;
SELECT pg_drop_replication_slot('regress_standby');
SELECT index_name, access_method, key_columns, is_unique, is_primary, is_valid, is_partial, scans, index_bytes = pg_relation_size(index_id) AS size_is_right
  FROM steward.index_usage WHERE table_name = 'uses' ORDER BY index_name COLLATE "C";
DROP MATERIALIZED VIEW uses_view;
DROP TABLE uses;
-- of a partitioned table once, and not if one partition uses it
CREATE TABLE parted (a integer, b integer, c integer) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE INDEX parted_b ON parted (b);
CREATE INDEX parted_c ON parted (c);
SET enable_seqscan = off;
SELECT count(*) FROM parted_2 WHERE c = 1;
RESET enable_seqscan;
SELECT pg_stat_force_next_flush();
SELECT index_name, remedy FROM steward.unused_indexes;
DROP TABLE parted;

--
-- foreign_keys_without_index
--
CREATE TABLE pk (x integer, y integer, PRIMARY KEY (x, y));
CREATE TABLE pk1 (id integer PRIMARY KEY, word text UNIQUE);
CREATE VIEW missing AS
SELECT f.table_name, f.constraint_name, f.columns, f.referenced_table, f.cascades FROM steward.foreign_keys_without_index f ORDER BY f.table_name COLLATE "C", f.constraint_name COLLATE "C";
CREATE TABLE fk (x integer, y integer, z integer, FOREIGN KEY (x, y) REFERENCES pk ON UPDATE CASCADE);
SELECT * FROM missing;
-- these do not serve it: columns after others, one only, partial, INCLUDE, expressions, hash of the half, brin
CREATE INDEX fk_late ON fk (z, x, y);
CREATE INDEX fk_one ON fk (x);
CREATE INDEX fk_between ON fk (x, z, y);
CREATE INDEX fk_partial ON fk (x, y) WHERE z > 0;
CREATE INDEX fk_null ON fk (x, y) WHERE x IS NULL;
CREATE INDEX fk_other_null ON fk (x, y) WHERE z IS NOT NULL;
CREATE INDEX fk_include ON fk (x) INCLUDE (y);
CREATE INDEX fk_expression ON fk ((x + 0), y);
CREATE INDEX fk_hash ON fk USING hash (x);
CREATE INDEX fk_brin ON fk USING brin (x, y);
SELECT constraint_name FROM missing;
-- each of these does
CREATE INDEX fk_turned ON fk (y, x);
SELECT constraint_name FROM missing;
DROP INDEX fk_turned;
CREATE INDEX fk_more ON fk (x, y, z) INCLUDE (z);
SELECT constraint_name FROM missing;
DROP INDEX fk_more;
CREATE INDEX fk_not_null ON fk (x, y) WHERE y IS NOT NULL;
SELECT constraint_name FROM missing;
DROP INDEX fk_not_null;
CREATE INDEX fk_gist ON fk USING gist (x, y);
SELECT constraint_name FROM missing;
DROP TABLE fk;
-- one column: hash; another collation does not serve
CREATE TABLE one (id integer, word text REFERENCES pk1 (word), pk1_id integer REFERENCES pk1 ON DELETE SET NULL);
CREATE INDEX one_hash ON one USING hash (pk1_id);
CREATE INDEX one_collate ON one (word COLLATE "C");
SELECT * FROM missing;
CREATE INDEX one_word ON one (word DESC);
SELECT * FROM missing;
-- of itself, not validated, and with odd names
CREATE TABLE "Self.Ref" ("Id" integer PRIMARY KEY, "Parent Id" integer REFERENCES "Self.Ref");
ALTER TABLE one ADD CONSTRAINT one_id_fkey FOREIGN KEY (id) REFERENCES pk1 NOT VALID;
SELECT * FROM missing;
SELECT remedy FROM steward.foreign_keys_without_index WHERE table_name = 'Self.Ref' \gexec
SELECT table_name FROM missing;
DROP TABLE one, "Self.Ref";
-- what the server never checks (18) asks for none
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        CREATE TABLE lax (pk1_id integer);
        EXECUTE 'ALTER TABLE lax ADD FOREIGN KEY (pk1_id) REFERENCES pk1 NOT ENFORCED';
    END IF;
END $$;
SELECT * FROM missing;
SET client_min_messages = warning;
DROP TABLE IF EXISTS lax;
RESET client_min_messages;
-- partitioned: once for the table, unless all partitions have one; both sides
CREATE TABLE target (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE target_1 PARTITION OF target FOR VALUES FROM (0) TO (10);
CREATE TABLE target_2 PARTITION OF target FOR VALUES FROM (10) TO (20);
CREATE TABLE source (a integer, target_id integer REFERENCES target) PARTITION BY LIST (a);
SELECT table_name, constraint_name, remedy, estimated_rows, table_bytes FROM steward.foreign_keys_without_index;
CREATE TABLE source_1 PARTITION OF source FOR VALUES IN (1);
CREATE TABLE source_2 PARTITION OF source FOR VALUES IN (2) PARTITION BY LIST (a);
CREATE TABLE source_2_2 PARTITION OF source_2 FOR VALUES IN (2);
INSERT INTO target VALUES (1);
INSERT INTO source VALUES (1, 1), (2, 1);
ANALYZE source;
SELECT table_name, constraint_name, remedy, estimated_rows, table_bytes = 2 * current_setting('block_size')::integer AS bytes_of_both FROM steward.foreign_keys_without_index;
CREATE INDEX ON source_1 (target_id);
SELECT table_name, constraint_name FROM missing;
CREATE INDEX ON source_2_2 (target_id);
SELECT table_name, constraint_name FROM missing;
DROP TABLE source;
-- that of a partition alone
CREATE TABLE source (a integer, target_id integer) PARTITION BY LIST (a);
CREATE TABLE source_1 PARTITION OF source FOR VALUES IN (1);
ALTER TABLE source_1 ADD FOREIGN KEY (target_id) REFERENCES target;
SELECT table_name, constraint_name FROM missing;
DROP TABLE source, target, pk, pk1;

--
-- tables_without_primary_key
--
CREATE TABLE keyed (id integer PRIMARY KEY);
CREATE TABLE by_index ("Id" integer NOT NULL, note text);
CREATE UNIQUE INDEX "By Index" ON by_index ("Id") INCLUDE (note);
CREATE TABLE by_constraint (id integer NOT NULL UNIQUE);
CREATE TABLE by_order (id integer NOT NULL);
CREATE UNIQUE INDEX by_order_id ON by_order (id DESC);
CREATE TABLE by_null (id integer UNIQUE);
CREATE TABLE by_part (id integer NOT NULL);
CREATE UNIQUE INDEX by_part_id ON by_part (id) WHERE id > 0;
CREATE TABLE by_later (id integer NOT NULL UNIQUE DEFERRABLE);
CREATE TABLE parted (a integer NOT NULL UNIQUE) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TEMP TABLE passing (id integer);
CREATE TABLE full_identity (id integer);
ALTER TABLE full_identity REPLICA IDENTITY FULL;
SET client_min_messages = error;
CREATE PUBLICATION regress_some FOR TABLE by_null, full_identity, parted;
CREATE PUBLICATION regress_inserts FOR TABLE by_part WITH (publish = 'insert');
RESET client_min_messages;
SELECT table_name, unique_not_null_index, has_replica_identity, is_published, remedy FROM steward.tables_without_primary_key ORDER BY table_name COLLATE "C";
SELECT remedy FROM steward.tables_without_primary_key ORDER BY table_name COLLATE "C" \gexec
SELECT table_name FROM steward.tables_without_primary_key ORDER BY table_name COLLATE "C";
DROP PUBLICATION regress_some, regress_inserts;
CREATE SCHEMA published;
CREATE TABLE published.one (id integer);
SET client_min_messages = error;
CREATE PUBLICATION regress_schema FOR TABLES IN SCHEMA published;
SELECT table_name FROM steward.tables_without_primary_key WHERE is_published;
DROP PUBLICATION regress_schema;
CREATE PUBLICATION regress_all FOR ALL TABLES;
RESET client_min_messages;
SELECT count(*) = count(*) FILTER (WHERE is_published) AS all_of_them FROM steward.tables_without_primary_key;
DROP PUBLICATION regress_all;
DROP TABLE published.one;
DROP SCHEMA published;
DROP TABLE keyed, by_index, by_constraint, by_order, by_null, by_part, by_later, parted, passing, full_identity;
-- those of extensions and our own are no one's fault
CREATE TABLE of_extension (id integer);
CREATE INDEX of_extension_1 ON of_extension (id);
CREATE INDEX of_extension_2 ON of_extension (id);
SELECT (SELECT count(*) FROM steward.tables_without_primary_key), (SELECT count(*) FROM steward.unused_indexes), (SELECT count(*) FROM steward.redundant_indexes);
ALTER EXTENSION btree_gist ADD TABLE of_extension;
SELECT (SELECT count(*) FROM steward.tables_without_primary_key), (SELECT count(*) FROM steward.unused_indexes), (SELECT count(*) FROM steward.redundant_indexes);
DROP EXTENSION btree_gist;

--
-- invalid_objects
--
CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE "Child" (id integer, parent_id integer);
INSERT INTO "Child" VALUES (1, 1), (1, 1);
CREATE UNIQUE INDEX CONCURRENTLY broken ON "Child" (id);
-- it does not do the work of another one, nor is it worth nothing: it is broken
CREATE INDEX valid ON "Child" (id);
SELECT * FROM redundant;
DROP INDEX valid;
ALTER TABLE "Child" ADD CONSTRAINT positive CHECK (id > 0) NOT VALID, ADD CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent NOT VALID;
CREATE DOMAIN "Amount" AS integer;
ALTER DOMAIN "Amount" ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER "Off" AFTER INSERT ON "Child" FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER replica AFTER INSERT ON "Child" FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE "Child" DISABLE TRIGGER "Off", ENABLE REPLICA TRIGGER replica;
CREATE RULE "No delete" AS ON DELETE TO parent DO INSTEAD NOTHING;
ALTER TABLE parent DISABLE RULE "No delete";
CREATE FUNCTION nothing_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER "Regress off" ON ddl_command_end EXECUTE FUNCTION nothing_ddl();
ALTER EVENT TRIGGER "Regress off" DISABLE;
CREATE TABLE parted (a integer) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE INDEX parted_only ON ONLY parted (a);
CREATE TRIGGER every AFTER INSERT ON parted FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE parted DISABLE TRIGGER every;
ALTER TABLE parted ADD CONSTRAINT small CHECK (a < 10) NOT VALID;
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'ALTER TABLE parent ADD CONSTRAINT lax CHECK (id > 0) NOT ENFORCED';
    END IF;
END $$;
SELECT kind, object, table_name, problem, remedy FROM steward.invalid_objects ORDER BY kind, table_name COLLATE "C", object COLLATE "C";
DELETE FROM "Child";
INSERT INTO parent VALUES (1);
SELECT remedy FROM steward.invalid_objects ORDER BY kind, table_name COLLATE "C", object COLLATE "C" \gexec
SELECT kind, object FROM steward.invalid_objects;
-- somebody loaded data without foreign keys and left it so
ALTER TABLE "Child" DISABLE TRIGGER ALL;
SELECT kind, object, table_name, problem FROM steward.invalid_objects ORDER BY kind, object COLLATE "C";
DO $$ BEGIN EXECUTE (SELECT i.remedy FROM steward.invalid_objects i WHERE i.kind = 'constraint'); END $$;
SELECT kind, object FROM steward.invalid_objects ORDER BY kind, object COLLATE "C";
ALTER TABLE "Child" ENABLE TRIGGER ALL;
-- a NOT NULL that 18 was told not to check
CREATE VIEW broken_not_null AS SELECT i.kind, i.object, i.problem FROM steward.invalid_objects i WHERE i.object = 'there';
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'ALTER TABLE "Child" ADD CONSTRAINT there NOT NULL id NOT VALID';
        ASSERT (SELECT count(*) FROM broken_not_null) = 1, 'NOT NULL NOT VALID is not listed';
        EXECUTE (SELECT i.remedy FROM steward.invalid_objects i);
    END IF;
    ASSERT NOT EXISTS (SELECT FROM broken_not_null), 'it is listed though it is valid';
END $$;
-- steward's own are no exception
ALTER TABLE parent ADD updated_at timestamptz;
SELECT steward.updated_at_enable('parent');
ALTER TABLE parent DISABLE TRIGGER USER;
SELECT kind, object, table_name FROM steward.invalid_objects;
DROP TABLE "Child", parent;
ALTER TABLE steward.audit_events DISABLE TRIGGER USER;
SELECT kind, table_name FROM steward.invalid_objects GROUP BY kind, table_name;
ALTER TABLE steward.audit_events ENABLE TRIGGER USER;
-- a DROP DATABASE that was interrupted
CREATE DATABASE "Regress gone" TEMPLATE template0;
UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'Regress gone';
SELECT kind, object, problem, remedy FROM steward.invalid_objects WHERE kind = 'database';
SELECT database_name, allows_connections, is_template, database_bytes > 0 AS has_size FROM steward.database_sizes WHERE database_name = 'Regress gone';
DROP DATABASE "Regress gone";
DROP EVENT TRIGGER "Regress off";
DROP TABLE parted;
DROP FUNCTION nothing(), nothing_ddl();
DROP DOMAIN "Amount";
DROP VIEW redundant, missing, broken_not_null;
