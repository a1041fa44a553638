-- What soft_delete_enable() makes of tables of all kinds.
\set SHOW_CONTEXT never
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE regress_soft LOCATION '';
CREATE SCHEMA "Weird ""Schema""";
SET search_path = "Weird ""Schema""";

-- Unique constraints and indexes of every form, those that stay among them.
CREATE TABLE "T%1$s" (
    id       int PRIMARY KEY,
    a        text CONSTRAINT "A key" UNIQUE,
    b        text,
    c        int UNIQUE DEFERRABLE,
    d        int UNIQUE,
    e        int NOT NULL,
    f        int UNIQUE NULLS NOT DISTINCT WITH (fillfactor = 50) USING INDEX TABLESPACE regress_soft,
    g        int,
    "deleted" timestamptz(0),
    UNIQUE (b, id) INCLUDE (e),
    UNIQUE (g, deleted)
);
COMMENT ON CONSTRAINT "A key" ON "T%1$s" IS 'it''s a key';
CREATE UNIQUE INDEX ident ON "T%1$s" (e);
ALTER TABLE "T%1$s" REPLICA IDENTITY USING INDEX ident;
CREATE UNIQUE INDEX lowered ON "T%1$s" (lower(b) COLLATE "C" text_pattern_ops DESC NULLS LAST, (id + e)) INCLUDE (a) TABLESPACE regress_soft;
COMMENT ON INDEX lowered IS 'lower';
CREATE UNIQUE INDEX heap ON "T%1$s" (e, id);
ALTER TABLE "T%1$s" CLUSTER ON heap;
CREATE UNIQUE INDEX partial ON "T%1$s" (g) WHERE g > 0;
CREATE INDEX plain ON "T%1$s" (g);
CREATE TABLE refers (d int REFERENCES "T%1$s" (d));
SELECT steward.soft_delete_enable('"T%1$s"', 'deleted', dry_run => true);
SELECT count(*) FROM pg_index WHERE indrelid = '"T%1$s"'::regclass AND indpred IS NULL;
SELECT count(*) FROM steward.soft_delete_enable('"T%1$s"', 'deleted');
SELECT steward.soft_delete_enable('"T%1$s"', 'deleted');
SELECT indexdef, tablespace FROM pg_indexes WHERE tablename = 'T%1$s' ORDER BY indexname;
INSERT INTO "T%1$s" VALUES (1, 'a', 'b', 1, 1, 1, NULL);
DELETE FROM "T%1$s";
INSERT INTO "T%1$s" VALUES (2, 'a', 'b', 2, 2, 2, NULL);
INSERT INTO "T%1$s" VALUES (3, 'c', 'c', 3, 3, 3, NULL);
INSERT INTO "T%1$s" VALUES (3, 'c', 'c', 2, 3, 3, 1);
SELECT id, a FROM "active_T%1$s";
SELECT count(*) FROM steward.soft_delete_disable('"T%1$s"', purge => true);
DROP TABLE refers, "T%1$s";
DROP TABLESPACE regress_soft;

-- The longest names, and those that differ only at their end.
CREATE TABLE äääääääääääääääääääääääääääääää1 (id int UNIQUE);
CREATE TABLE äääääääääääääääääääääääääääääää2 (id int UNIQUE);
SELECT count(*) FROM steward.soft_delete_enable('äääääääääääääääääääääääääääääää1', 'ööööööööööööööööööööööööööööööö1');
SELECT count(*) FROM steward.soft_delete_enable('äääääääääääääääääääääääääääääää2', 'ööööööööööööööööööööööööööööööö1');
SELECT steward.soft_delete_enable('äääääääääääääääääääääääääääääää2', 'ööööööööööööööööööööööööööööööö1');
SELECT viewname, octet_length(viewname) FROM pg_views WHERE schemaname = current_schema() ORDER BY 1;
INSERT INTO äääääääääääääääääääääääääääääää1 VALUES (1);
DELETE FROM äääääääääääääääääääääääääääääää1;
SELECT id, ööööööööööööööööööööööööööööööö1 IS NULL AS live FROM äääääääääääääääääääääääääääääää1;

-- The view follows its table: columns, grants, names.
CREATE ROLE regress_reader;
CREATE ROLE regress_writer;
CREATE TABLE item (id int PRIMARY KEY, a text);
GRANT SELECT ON item TO regress_reader;
SELECT steward.soft_delete_enable('item');
ALTER TABLE item ADD "Note" text;
GRANT SELECT, INSERT (id), UPDATE (a, "Note"), DELETE, TRUNCATE ON item TO regress_writer;
GRANT SELECT ON item TO regress_reader WITH GRANT OPTION;
SELECT steward.soft_delete_enable('item');
SELECT steward.soft_delete_enable('item');
ALTER VIEW active_item SET (security_barrier = true, security_invoker = false);
SELECT steward.soft_delete_enable('item');
ALTER TABLE item DROP COLUMN a CASCADE;
SELECT steward.soft_delete_enable('item');
ALTER TABLE item RENAME "Note" TO note;
ALTER VIEW active_item RENAME TO live_item;
ALTER TABLE item RENAME TO article;
SELECT steward.soft_delete_enable('article');
SELECT steward.soft_delete_enable('article');
ALTER TABLE article RENAME deleted_at TO gone_at;
INSERT INTO article VALUES (1);
DELETE FROM article;
SELECT steward.soft_delete_enable('article', 'gone_at');
DELETE FROM article;
SELECT id, note FROM live_item;
CREATE VIEW depends AS SELECT * FROM live_item;
SELECT steward.soft_delete_disable('article');
DROP VIEW depends;
SELECT steward.soft_delete_disable('article');
SELECT id, gone_at IS NULL AS live FROM article;
DROP TABLE article;
DROP ROLE regress_reader, regress_writer;

-- Inheritance: children as ALTER TABLE reaches them.
CREATE TABLE parent (id int UNIQUE);
CREATE TABLE child (extra int UNIQUE) INHERITS (parent);
SELECT steward.soft_delete_enable('parent');
SELECT steward.soft_delete_enable('parent');
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 2);
DELETE FROM parent;
SELECT tableoid::regclass, id, deleted_at IS NULL AS live FROM parent ORDER BY id;
SELECT count(*) FROM active_parent;
SELECT steward.soft_delete_disable('parent');
DROP TABLE parent CASCADE;

-- Partitions: a row that moves is no row that goes.
CREATE TABLE p (id int, part int, v text, UNIQUE (id, part)) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE p2a PARTITION OF p2 FOR VALUES FROM (0) TO (100);
CREATE TABLE p3 (id int, part int, v text UNIQUE);
SELECT steward.soft_delete_enable('p3');
ALTER TABLE p ADD deleted_at timestamptz;
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3);
INSERT INTO p VALUES (30, 3, 'its own trigger does not know of moves');
UPDATE p SET part = 1 WHERE id = 30;
DELETE FROM p WHERE id = 30;
SELECT steward.soft_delete_enable('p');
SELECT count(*) FROM steward.soft_delete_disable('p3');
SELECT steward.soft_delete_enable('p');
SELECT steward.soft_delete_enable('p');
SELECT steward.soft_delete_enable('p1');
INSERT INTO p SELECT g, 1, 'v' FROM generate_series(1, 9) g;
CREATE VIEW whereabouts AS SELECT id, tableoid::regclass, v, deleted_at IS NULL AS live FROM p ORDER BY id;
UPDATE p SET part = 2 WHERE id IN (1, 2);
DELETE FROM p WHERE id IN (1, 3);
-- stamped and moved at once, restored and moved at once
UPDATE p SET part = 2, deleted_at = now() WHERE id = 4;
UPDATE p SET part = 1, deleted_at = NULL WHERE id = 1;
SELECT * FROM whereabouts;
-- one statement does both to different rows, in either order
MERGE INTO p USING (VALUES (5, 'd'), (6, 'm'), (7, 'd'), (8, 'm')) s(n, what) ON id = n
    WHEN MATCHED AND what = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET part = 2;
WITH u AS (UPDATE p SET part = 3 WHERE id = 9 RETURNING id), d AS (DELETE FROM p WHERE id = 30) SELECT * FROM u;
SELECT * FROM whereabouts;
-- a move that another trigger suppresses, or undoes, or an error, leaves nothing behind
CREATE FUNCTION whim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.v = 'stay' THEN RETURN NULL; END IF;
    IF new.v = 'back' THEN new.part := old.part; END IF;
    IF new.v = 'fail' THEN RAISE 'failed'; END IF;
    RETURN new;
END $$;
CREATE TRIGGER whim BEFORE UPDATE ON p FOR EACH ROW EXECUTE FUNCTION whim();
UPDATE p SET deleted_at = NULL;
BEGIN;
UPDATE p SET part = 3, v = 'stay' WHERE id = 2;
DELETE FROM p WHERE id = 2;
UPDATE p SET part = 3, v = 'back' WHERE id = 6;
DELETE FROM p WHERE id = 6;
SAVEPOINT s;
UPDATE p SET part = 3, v = 'moved' WHERE id = 8;
ROLLBACK TO s;
DELETE FROM p WHERE id = 8;
SAVEPOINT s;
UPDATE p SET part = 3, v = 'fail' WHERE id = 4;
ROLLBACK TO s;
DELETE FROM p WHERE id = 4;
SELECT * FROM whereabouts;
COMMIT;
-- MERGE comes to a row again whose UPDATE did not take place
UPDATE p SET deleted_at = NULL;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
MERGE INTO p USING (VALUES (2, 'u'), (2, 'd')) s(n, what) ON id = n
    WHEN MATCHED AND what = 'd' THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'stay';
SELECT * FROM whereabouts WHERE id = 2;
RESET enable_hashjoin;
RESET enable_mergejoin;
-- a partition's trigger can be disabled like any other
ALTER TABLE p DISABLE TRIGGER steward_deleted_at;
ALTER TABLE p1 ENABLE TRIGGER steward_deleted_at;
UPDATE p SET part = 2 WHERE id = 3;
DELETE FROM p WHERE id IN (3, 5);
SELECT * FROM whereabouts WHERE id IN (3, 5);
SET client_min_messages = warning;
DROP TABLE p CASCADE;
DROP FUNCTION whim;

-- A temporary table, an unlogged one, one in a foreign server.
CREATE TEMP TABLE t (id int UNIQUE);
SELECT count(*) FROM steward.soft_delete_enable('t');
INSERT INTO t VALUES (1);
DELETE FROM t;
SELECT count(deleted_at) FROM t;
CREATE UNLOGGED TABLE u (id int UNIQUE);
SELECT count(*) FROM steward.soft_delete_enable('u');
INSERT INTO u VALUES (1);
DELETE FROM u;
SELECT count(deleted_at) FROM u;
CREATE FOREIGN DATA WRAPPER regress_nothing;
CREATE SERVER regress_nowhere FOREIGN DATA WRAPPER regress_nothing;
CREATE FOREIGN TABLE f (id int) SERVER regress_nowhere;
SELECT steward.soft_delete_enable('f');
SELECT steward.soft_delete_enable('pg_class');
CREATE SEQUENCE seq;
SELECT steward.soft_delete_enable('seq');
SELECT steward.soft_delete_enable(1);

DROP FOREIGN DATA WRAPPER regress_nothing CASCADE;
DROP SCHEMA "Weird ""Schema""" CASCADE;
