-- What is unique is so among live rows, and as it was when that ends.
\set SHOW_CONTEXT never
CREATE SCHEMA "Uni que";
SET search_path = "Uni que", public;
CREATE EXTENSION btree_gist;
CREATE TABLE pu (
    id    int PRIMARY KEY,
    n     int,
    kind  text,
    email text CONSTRAINT "The email" UNIQUE,
    code  text COLLATE "C",
    room  int,
    at    int4range,
    later int UNIQUE DEFERRABLE,
    ref   int UNIQUE,
    own   int UNIQUE,
    UNIQUE NULLS NOT DISTINCT (n, kind) INCLUDE (room) WITH (fillfactor = 70),
    CONSTRAINT booked EXCLUDE USING gist (room WITH =, at WITH &&),
    CONSTRAINT part_booked EXCLUDE USING gist (room WITH =, at WITH &&) WHERE (n > 5) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON CONSTRAINT "The email" ON pu IS 'It''s the address';
COMMENT ON CONSTRAINT booked ON pu IS 'one at a time';
CREATE UNIQUE INDEX "Some, of them" ON pu (n) WHERE kind = 'x';
COMMENT ON INDEX "Some, of them" IS 'one each';
CREATE UNIQUE INDEX two ON pu (n, room) WHERE kind = 'x' AND (n > 5);
CREATE UNIQUE INDEX either ON pu (n) WHERE kind = 'x' OR n > 5;
CREATE UNIQUE INDEX expressed ON pu (lower(email) COLLATE "C" text_pattern_ops DESC, (n + 1)) INCLUDE (room) NULLS NOT DISTINCT WITH (fillfactor = 80) WHERE NOT (kind = 'WHERE ()');
CREATE TABLE refers (pu_ref int REFERENCES pu (ref));
ALTER TABLE pu ALTER own SET NOT NULL, REPLICA IDENTITY USING INDEX pu_own_key;
CREATE VIEW shape AS
    SELECT c.relname, pg_get_indexdef(x.indexrelid) AS definition, pg_get_constraintdef(k.oid) AS "constraint",
           obj_description(c.oid, 'pg_class') AS of_index, obj_description(k.oid, 'pg_constraint') AS of_constraint
      FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = x.indrelid
     WHERE c.relnamespace = '"Uni que"'::regnamespace;
CREATE TEMP TABLE before AS SELECT * FROM shape WHERE relname ~ '^(pu|booked|part|The|Some|two|either|expr)';
SELECT steward.soft_delete_enable('pu', dry_run => true);
SELECT count(*) FROM steward.soft_delete_enable('pu');
SELECT relname, definition FROM shape WHERE definition ~ 'deleted_at' ORDER BY relname COLLATE "C";
SELECT relname, of_index, of_constraint FROM shape WHERE num_nulls(of_index, of_constraint) < 2 ORDER BY relname COLLATE "C";
SELECT steward.soft_delete_enable('pu');

-- a deleted row gives way, by each of them
INSERT INTO pu VALUES (1, 7, 'x', 'a@example.com', 'c', 1, '[1,5)', 1, 1, 1);
DELETE FROM pu;
INSERT INTO pu VALUES (2, 7, 'x', 'a@example.com', 'c', 1, '[1,5)', 2, 2, 2);
INSERT INTO pu VALUES (3, 7, 'x', 'b@example.com', 'c', 2, '[1,5)', 3, 3, 3);
UPDATE pu SET deleted_at = NULL WHERE id = 1;

-- and back
SELECT steward.soft_delete_disable('pu', purge => true, drop_column => true);
SELECT * FROM before EXCEPT SELECT * FROM shape;
SELECT count(*) FROM before JOIN shape USING (relname, definition);
SELECT count(*) FROM pu;

-- kept for ON CONFLICT (email), without the need to say it again
SELECT steward.soft_delete_enable('pu', keep_unique => '{nothing}');
SELECT steward.soft_delete_enable('pu', keep_unique => '{NULL}');
SELECT steward.soft_delete_enable('pu', keep_unique => '{The email,"Some, of them"}', allow => '{pg_monitor}', clock => 'wall', dry_run => true);
SELECT count(*) FROM steward.soft_delete_enable('pu', keep_unique => '{The email,"Some, of them"}', allow => '{pg_monitor}', clock => 'wall');
INSERT INTO pu (id, email, own) VALUES (2, 'a@example.com', 1) ON CONFLICT (email) DO UPDATE SET room = 5 RETURNING id, room;
ALTER TABLE pu ADD fresh int UNIQUE;
SELECT steward.soft_delete_enable('pu');
SELECT definition FROM steward_internal.upkeep_triggers WHERE relation = 'pu'::regclass AND function_name = 'soft_delete_trigger';
SELECT steward.soft_delete_enable('pu', keep_unique => '{"Some, of them",two}', allow => '{}', clock => 'transaction');
SELECT definition FROM steward_internal.upkeep_triggers WHERE relation = 'pu'::regclass AND function_name = 'soft_delete_trigger';

-- what does not hold for all rows cannot come back
DELETE FROM pu;
INSERT INTO pu (id, email, own) VALUES (5, 'a@example.com', 5);
SELECT steward.soft_delete_disable('pu');
SELECT count(*) FROM steward.soft_delete_disable('pu', purge => true);
SELECT relname FROM before WHERE relname NOT IN (SELECT relname FROM shape);
SELECT id, deleted_at IS NULL AS live FROM pu;
SELECT steward.soft_delete_disable('pu', purge => NULL);

-- Keys that name something.
CREATE TABLE tags (id int PRIMARY KEY, name text);
CREATE TABLE taggings (tag_id int REFERENCES tags, "Pu" int REFERENCES pu, PRIMARY KEY ("Pu", tag_id));
CREATE TABLE countries (code varchar(2) PRIMARY KEY, id int);
SELECT steward.soft_delete_enable('taggings', dry_run => true);
SELECT steward.soft_delete_enable('countries', dry_run => true);
SELECT count(*) FROM steward.soft_delete_enable('taggings');
INSERT INTO tags VALUES (1, 'one');
INSERT INTO taggings VALUES (1, 5);
DELETE FROM taggings;
INSERT INTO taggings VALUES (1, 5) ON CONFLICT ("Pu", tag_id) DO UPDATE SET deleted_at = NULL;
SELECT count(*) FROM active_taggings;
ALTER TABLE taggings DROP CONSTRAINT taggings_pkey, ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ADD UNIQUE ("Pu", tag_id);
SELECT steward.soft_delete_enable('taggings');
DELETE FROM taggings;
INSERT INTO taggings (tag_id, "Pu") VALUES (1, 5);
SELECT count(*) FROM active_taggings;

-- Indexes that look at the column already, and partitions.
CREATE TABLE knows (id int, deleted_at timestamptz, UNIQUE (id, deleted_at));
CREATE UNIQUE INDEX mine ON knows (id) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX ever ON knows (id, (coalesce(deleted_at, 'infinity')));
SELECT steward.soft_delete_enable('knows', dry_run => true);
CREATE TABLE parted (id int, part int, v int, CONSTRAINT one UNIQUE (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted (UNIQUE (v)) FOR VALUES IN (1);
SELECT steward.soft_delete_enable('parted');
SELECT relname, definition FROM shape WHERE relname ~ '^(one|parted)' ORDER BY relname COLLATE "C";
SELECT steward.soft_delete_disable('parted');
SELECT relname, definition, "constraint" FROM shape WHERE relname ~ '^(one|parted)' ORDER BY relname COLLATE "C";

SET client_min_messages = warning;
DROP SCHEMA "Uni que" CASCADE;
