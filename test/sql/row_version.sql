-- row_version: the trigger, and what attaches it; races are in the spec row_version_race.
\set SHOW_CONTEXT never

CREATE TABLE products (
    id      bigint PRIMARY KEY,
    name    text NOT NULL,
    stock   integer NOT NULL,
    version bigint NOT NULL DEFAULT 1
);
SELECT steward.row_version_enable('products');

INSERT INTO products VALUES (123, 'Lamp', 10);
SELECT stock, version FROM products WHERE id = 123;                   -- two sessions read version 1
UPDATE products SET stock = 9, version = 1 WHERE id = 123;            -- one writes: the row is at version 2
UPDATE products SET stock = 8, version = 1 WHERE id = 123;            -- the other fails with 40001
SELECT stock, version FROM products WHERE id = 123;
-- seed 001's way
UPDATE products SET stock = stock - 1, version = version + 1 WHERE id = 123 AND version = 2 RETURNING *;
UPDATE products SET stock = stock - 1, version = version + 1 WHERE id = 123 AND version = 2 RETURNING *;
-- as a migration has it
SELECT steward.row_version_disable('products');
CREATE TRIGGER steward_version BEFORE UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
SELECT steward.row_version_enable('products');
-- set back
BEGIN;
ALTER TABLE products DISABLE TRIGGER steward_version;
UPDATE products SET version = 1;
ALTER TABLE products ENABLE TRIGGER steward_version;
COMMIT;
SELECT version FROM products;
DROP TABLE products;

CREATE SCHEMA row_version;
SET search_path = row_version;

--
-- Errors
--

CREATE TABLE t (id integer PRIMARY KEY, n integer, version integer DEFAULT 1, "Rev" bigint DEFAULT 1, word text, g bigint GENERATED ALWAYS AS (id) STORED);
INSERT INTO t VALUES (1, 0);
SELECT steward.row_version_trigger();
CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION steward.row_version_trigger('version');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
UPDATE t SET n = 1;
INSERT INTO t VALUES (2, 0);
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger();
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('revision');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('word');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version', 'Rev');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('column=version');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('g');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('Version', 'ignore=n');
UPDATE t SET n = 1;
DROP TRIGGER a ON t;
SELECT steward.row_version_enable('t', 'revision');
SELECT steward.row_version_enable('t', 'word');
SELECT steward.row_version_enable('t', NULL);
SELECT steward.row_version_enable(NULL);
SELECT steward.row_version_enable(0);
SELECT steward.row_version_disable(NULL);
CREATE ROLE regress_row_version;
CREATE ROLE regress_row_version_owner;
GRANT USAGE ON SCHEMA row_version TO regress_row_version;
ALTER TABLE t OWNER TO regress_row_version_owner;
SET ROLE regress_row_version;
SELECT steward.row_version_enable('row_version.t');
SELECT steward.row_version_disable('row_version.t');
RESET ROLE;
ALTER TABLE t OWNER TO CURRENT_USER;
SELECT count(*) AS left_behind FROM steward_internal.upkeep_triggers WHERE relation = 't'::regclass;

--
-- Attaching
--

SELECT steward.row_version_enable('t');
SELECT steward.row_version_enable('t', 'Rev');
SELECT steward.row_version_enable('t', 'Rev');
SELECT steward.row_version_disable('t', 'version');
SELECT steward.row_version_disable('t');
SELECT steward.row_version_disable('t');
CREATE TRIGGER hand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('VERSION');
ALTER TABLE t DISABLE TRIGGER hand;
SELECT count(*) FROM steward.row_version_enable('t');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 't'::regclass;

--
-- What an UPDATE may carry
--

-- Tries an UPDATE of a row at version 5, and says what became of it.
CREATE PROCEDURE row_version.try(assignment text) LANGUAGE plpgsql AS $$
DECLARE
    said text;
    detail text;
BEGIN
    UPDATE t SET n = 0, version = 5, word = 'x' WHERE id = 1;
    EXECUTE format('UPDATE t SET %s WHERE id = 1', assignment);
    RAISE INFO '%: %', assignment, (SELECT version FROM t WHERE id = 1);
    RAISE EXCEPTION 'undo' USING ERRCODE = 'STEWD';
EXCEPTION
    WHEN SQLSTATE 'STEWD' THEN NULL;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
        RAISE INFO '%: % % %', assignment, SQLSTATE, said, detail;
END $$;
DO $$ BEGIN PERFORM steward.row_version_disable('t'); END $$;
UPDATE t SET n = 0, version = 5, word = 'x' WHERE id = 1;
DO $$ BEGIN PERFORM steward.row_version_enable('t'); END $$;
CALL row_version.try('n = 1');
CALL row_version.try('n = 1, version = 5');
CALL row_version.try('n = 1, version = 6');
CALL row_version.try('n = 1, version = version + 1');
CALL row_version.try('version = version + 1');
CALL row_version.try('n = 1, version = 4');
CALL row_version.try('n = 1, version = 7');
CALL row_version.try('n = 1, version = 0');
CALL row_version.try('n = 1, version = -2147483648');
CALL row_version.try('n = 1, version = 2147483647');
CALL row_version.try('n = 1, version = NULL');
CALL row_version.try('n = 1, version = DEFAULT');
CALL row_version.try('version = 4');
CALL row_version.try('version = NULL');
-- nothing that differs
CALL row_version.try('n = 0');
CALL row_version.try('n = n, word = word || '''', version = version');
CALL row_version.try('id = 1');
-- what is seen of it, with place and words
DO $$
DECLARE
    in_schema name;
    of_table name;
BEGIN
    UPDATE row_version.t SET version = 3, n = 9;
EXCEPTION WHEN serialization_failure THEN
    GET STACKED DIAGNOSTICS in_schema = SCHEMA_NAME, of_table = TABLE_NAME;
    RAISE INFO '%.%', in_schema, of_table;
END $$;
UPDATE t SET version = 3;
UPDATE t SET version = NULL;

-- rows without a version: at 0
CREATE TABLE unversioned (id integer, n integer);
INSERT INTO unversioned SELECT id, 0 FROM generate_series(1, 6) id;
ALTER TABLE unversioned ADD version bigint;
DO $$ BEGIN PERFORM steward.row_version_enable('row_version.unversioned'); END $$;
UPDATE unversioned SET n = 1 WHERE id = 1;
UPDATE unversioned SET n = 1, version = NULL WHERE id = 2;
UPDATE unversioned SET n = 1, version = 0 WHERE id = 3;
UPDATE unversioned SET version = 1 WHERE id = 4;
UPDATE unversioned SET n = n WHERE id = 5;
UPDATE unversioned SET version = 2 WHERE id = 6;
UPDATE unversioned SET version = version + 1 WHERE id = 6;
SELECT * FROM unversioned ORDER BY id;
UPDATE unversioned SET version = NULL WHERE id = 1;
-- rows that are shorter than the table
CREATE TABLE shorter (id integer, n integer);
INSERT INTO shorter VALUES (1, 0), (2, 0), (3, 0);
ALTER TABLE shorter ADD version bigint NOT NULL DEFAULT 7, ADD word text DEFAULT 'w';
DO $$ BEGIN PERFORM steward.row_version_enable('row_version.shorter'); END $$;
UPDATE shorter SET n = 1, version = 7 WHERE id = 1;
UPDATE shorter SET word = 'w', n = 0 WHERE id = 2;
UPDATE shorter SET word = 'v', version = 6 WHERE id = 3;
SELECT * FROM shorter ORDER BY id;
ALTER TABLE shorter DROP n;
UPDATE shorter SET word = NULL;
SELECT * FROM shorter ORDER BY id;

--
-- The end of a type
--

CREATE DOMAIN few AS smallint CHECK (VALUE < 10);
CREATE TABLE ends (id integer, n integer DEFAULT 0, "2" smallint DEFAULT 32766, "4" integer DEFAULT 2147483646, "8" bigint DEFAULT 9223372036854775806, few few DEFAULT 8);
INSERT INTO ends VALUES (1);
SELECT count(*) FROM unnest('{2,4,8,few}'::name[]) c, steward.row_version_enable('ends', c);
ALTER TABLE ends DISABLE TRIGGER USER;
ALTER TABLE ends ENABLE TRIGGER steward_2;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1, "2" = 32767;
UPDATE ends SET "2" = "2" + 1;
UPDATE ends SET n = n;
SELECT n, "2" FROM ends;
UPDATE ends SET "2" = -32768;
ALTER TABLE ends DISABLE TRIGGER steward_2;
ALTER TABLE ends ENABLE TRIGGER steward_4;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1;
UPDATE ends SET "4" = -2147483648;
SELECT n, "4" FROM ends;
-- as the hint says
ALTER TABLE row_version.ends ALTER COLUMN "4" TYPE bigint;
UPDATE ends SET n = n + 1;
SELECT n, "4" FROM ends;
ALTER TABLE ends DISABLE TRIGGER steward_4;
ALTER TABLE ends ENABLE TRIGGER steward_8;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1;
UPDATE ends SET "8" = -9223372036854775808;
SELECT n, "8" FROM ends;
-- the far end: neither side of a comparison may wrap around
ALTER TABLE ends DISABLE TRIGGER steward_8;
UPDATE ends SET "8" = -9223372036854775808, "4" = -1;
ALTER TABLE ends ENABLE TRIGGER steward_8;
UPDATE ends SET n = n + 1, "8" = 9223372036854775807;
UPDATE ends SET n = n + 1;
SELECT "8" FROM ends;
ALTER TABLE ends DISABLE TRIGGER steward_8;
ALTER TABLE ends ENABLE TRIGGER steward_few;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1;
UPDATE ends SET few = few + 1;
SELECT few FROM ends;
ALTER TABLE ends DISABLE TRIGGER steward_few;
-- below zero and through it
ALTER TABLE ends ENABLE TRIGGER steward_4;
UPDATE ends SET n = n + 1;
UPDATE ends SET n = n + 1;
SELECT "4" FROM ends;

--
-- What UPDATEs there are
--

CREATE TABLE items (id integer PRIMARY KEY, n integer DEFAULT 0, twice integer GENERATED ALWAYS AS (n * 2) STORED, version integer NOT NULL DEFAULT 1);
DO $$ BEGIN PERFORM steward.row_version_enable('row_version.items'); END $$;
INSERT INTO items (id) VALUES (1), (2), (3), (4);
INSERT INTO items (id, n, version) VALUES (1, 5, 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n, version = excluded.version RETURNING version;
INSERT INTO items (id, n, version) VALUES (1, 6, 1) ON CONFLICT (id) DO UPDATE SET n = excluded.n, version = excluded.version RETURNING version;
INSERT INTO items (id, n) VALUES (1, 7) ON CONFLICT (id) DO UPDATE SET n = excluded.n RETURNING version;
INSERT INTO items (id, n, version) VALUES (5, 5, 40) ON CONFLICT (id) DO UPDATE SET n = excluded.n, version = excluded.version RETURNING version;
MERGE INTO items i USING (VALUES (2, 1), (6, 1)) s (id, version) ON i.id = s.id WHEN MATCHED THEN UPDATE SET n = 9, version = s.version WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);
MERGE INTO items i USING (VALUES (2, 1)) s (id, version) ON i.id = s.id WHEN MATCHED THEN UPDATE SET n = 10, version = s.version;
UPDATE items i SET n = i.n + 1 FROM (VALUES (3), (3)) s (id) WHERE i.id = s.id;
UPDATE items SET n = n + 1 WHERE id = 4;
UPDATE items SET n = n + 1 WHERE id = 4;
WITH u AS (UPDATE items SET n = n + 1 WHERE id = 4 RETURNING version) SELECT * FROM u;
SELECT * FROM items ORDER BY id;
-- one stale row stops them all
UPDATE items SET n = 100, version = 2;
SELECT count(*) AS changed FROM items WHERE n = 100;
-- what is rolled back is not counted
BEGIN;
UPDATE items SET n = 50 WHERE id = 6;
SAVEPOINT s;
UPDATE items SET n = 51 WHERE id = 6;
ROLLBACK TO s;
UPDATE items SET n = 52, version = 2 WHERE id = 6;
SELECT n, version FROM items WHERE id = 6;
COMMIT;
DO $$
BEGIN
    FOR attempt IN 1..3 LOOP
        BEGIN
            UPDATE row_version.items SET n = n + 1, version = attempt WHERE id = 6;
            RAISE INFO 'attempt %: version %', attempt, (SELECT version FROM row_version.items WHERE id = 6);
        EXCEPTION WHEN serialization_failure THEN
            RAISE INFO 'attempt %: %', attempt, SQLERRM;
        END;
    END LOOP;
END $$;

-- rows saved as a whole, as an ORM does
CREATE TABLE saved (id integer, a integer, b text, version bigint DEFAULT 1);
DO $$ BEGIN PERFORM steward.row_version_enable('row_version.saved'); END $$;
INSERT INTO saved VALUES (1, 1, 'b');
CREATE TEMP TABLE first AS SELECT * FROM saved;
CREATE TEMP TABLE second AS SELECT * FROM saved;
UPDATE first SET a = 2;
UPDATE saved s SET (a, b, version) = (SELECT a, b, version FROM first f WHERE f.id = s.id);
UPDATE saved s SET (a, b, version) = (SELECT a, b, version FROM second f WHERE f.id = s.id);
SELECT * FROM saved;

-- beside updated_at: neither counts what the other writes
CREATE TABLE both_of_them (id integer, n integer, updated_at timestamptz DEFAULT '2000-01-01', by text DEFAULT 'nobody', created_at timestamptz DEFAULT '1999-01-01', version bigint DEFAULT 1, alpha bigint DEFAULT 1);
DO $$
BEGIN
    PERFORM steward.updated_at_enable('row_version.both_of_them', by => 'by', keep => '{created_at}', ignore => '{n}'), steward.row_version_enable('row_version.both_of_them'),
            steward.row_version_enable('row_version.both_of_them', 'alpha');
END $$;
INSERT INTO both_of_them VALUES (1, 1);
CREATE VIEW state AS SELECT n, updated_at <> '2000-01-01' AS stamped, by = 'nobody' AS unnamed, created_at = '1999-01-01' AS kept, version, alpha FROM both_of_them;
UPDATE both_of_them SET created_at = now(), by = 'me';
SELECT * FROM state;
UPDATE both_of_them SET n = 2;
SELECT * FROM state;
UPDATE both_of_them SET version = version + 1;
SELECT * FROM state;
UPDATE both_of_them SET updated_at = NULL;
SELECT * FROM state;
UPDATE both_of_them SET id = 2;
SELECT * FROM state;
-- a trigger that is disabled sees to nothing, so what it would have written counts
ALTER TABLE both_of_them DISABLE TRIGGER steward_updated_at;
UPDATE both_of_them SET created_at = '2020-01-01';
SELECT kept, version, alpha FROM state;

-- partitions with other column numbers; a move is one change
CREATE TABLE part (id integer, region text, n integer, version smallint DEFAULT 1) PARTITION BY LIST (region);
CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
CREATE TABLE part_us (gone text, version smallint DEFAULT 1, n integer, region text, id integer);
ALTER TABLE part_us DROP gone;
ALTER TABLE part ATTACH PARTITION part_us FOR VALUES IN ('us');
SELECT steward.row_version_enable('part');
INSERT INTO part VALUES (1, 'eu', 0), (2, 'us', 0);
UPDATE part SET n = 1, version = 1;
UPDATE part SET region = CASE region WHEN 'eu' THEN 'us' ELSE 'eu' END, version = 2;
SELECT tableoid::regclass, * FROM part ORDER BY id;
UPDATE part SET region = 'us', version = 2;
UPDATE part SET region = 'us';
SELECT tableoid::regclass, * FROM part ORDER BY id;
-- inheritance children
CREATE TABLE parent (id integer, version bigint DEFAULT 1);
CREATE TABLE child (n integer) INHERITS (parent);
SELECT steward.row_version_enable('parent');
INSERT INTO child VALUES (1, 1, 1);
UPDATE parent SET id = 2, version = 1;
UPDATE parent SET id = 3, version = 1;
-- foreign key actions count, too
CREATE TABLE one (id integer PRIMARY KEY);
CREATE TABLE many (id integer, one integer REFERENCES one ON UPDATE CASCADE ON DELETE SET DEFAULT, version integer DEFAULT 1);
DO $$ BEGIN PERFORM steward.row_version_enable('row_version.many'); END $$;
INSERT INTO one VALUES (1);
INSERT INTO many VALUES (1, 1);
UPDATE one SET id = 2;
DELETE FROM one;
SELECT * FROM many;
-- a trigger that spoils it: behind ours
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.n := NEW.n + 1; RETURN NEW; END';
CREATE TRIGGER zz BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION spoil();
UPDATE items SET n = n WHERE id = 1 RETURNING n, version;
ALTER TRIGGER zz ON items RENAME TO aa;
UPDATE items SET n = n WHERE id = 1 RETURNING n, version;
DROP TRIGGER aa ON items;
-- replica
SET session_replication_role = replica;
UPDATE items SET n = 1, version = 77 WHERE id = 1 RETURNING version;
RESET session_replication_role;
-- roles and row level security: a stale write of a row that is not seen finds none
GRANT SELECT, UPDATE (n, version) ON items TO regress_row_version;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY first_two ON items USING (id < 3);
SET ROLE regress_row_version;
UPDATE row_version.items SET n = 1000, version = 1 WHERE id = 3;
UPDATE row_version.items SET n = 1000, version = 1 WHERE id = 2;
UPDATE row_version.items SET n = 1000, version = 2 WHERE id = 2 RETURNING n, version;
RESET ROLE;
-- copied rows keep their versions
COPY items (id, version) FROM STDIN;
70	70
\.
SELECT version FROM items WHERE id = 70;

RESET search_path;
SET client_min_messages = error;
DROP SCHEMA row_version CASCADE;
DROP ROLE regress_row_version, regress_row_version_owner;
