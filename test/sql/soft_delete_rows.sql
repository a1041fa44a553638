-- What deletes rows, what else fires for them, and what becomes of it.
\set SHOW_CONTEXT never
CREATE TABLE doc (
    id         int PRIMARY KEY,
    body       text,
    dropped    int,
    updated_at timestamptz,
    version    int NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    gone       boolean GENERATED ALWAYS AS (deleted_at IS NOT NULL) STORED,
    size       int GENERATED ALWAYS AS (length(body)) STORED
);
ALTER TABLE doc DROP dropped;
INSERT INTO doc SELECT g, repeat(md5(g::text), 300) FROM generate_series(1, 12) g;
ALTER TABLE doc ADD late text DEFAULT 'late';
SELECT count(*) FROM steward.soft_delete_enable('doc');
SELECT count(*) FROM steward.updated_at_enable('doc');
SELECT count(*) FROM steward.row_version_enable('doc');
SELECT count(*) FROM steward.audit_enable('doc', exclude => '{body}');
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '% % % %: % live in % rows', tg_name, tg_when, tg_op, tg_level, (SELECT count(*) FROM doc WHERE deleted_at IS NULL), (SELECT count(*) FROM doc);
    RETURN CASE tg_op WHEN 'DELETE' THEN old ELSE new END;
END $$;
CREATE TRIGGER a_row BEFORE DELETE OR UPDATE OF deleted_at ON doc FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER z_row BEFORE DELETE ON doc FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER body BEFORE UPDATE OF body, gone ON doc FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_row AFTER DELETE OR UPDATE OF deleted_at ON doc FOR EACH ROW EXECUTE FUNCTION tell();
CREATE TRIGGER after_statement AFTER DELETE OR UPDATE ON doc FOR EACH STATEMENT EXECUTE FUNCTION tell();

DELETE FROM doc WHERE id IN (1, 2);
SELECT id, version, updated_at = deleted_at AS same, gone, size, length(body), late FROM doc WHERE id <= 3 ORDER BY id;
DELETE FROM doc WHERE id IN (1, 2);
SELECT operation, record_id, changed_columns FROM steward.audit_log WHERE table_name = 'doc' ORDER BY created_at, seq;
DROP TRIGGER a_row ON doc;
DROP TRIGGER z_row ON doc;
DROP TRIGGER body ON doc;
DROP TRIGGER after_row ON doc;
DROP TRIGGER after_statement ON doc;

-- A row met twice is stamped once, though its triggers run commands of their own.
CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS noise (id int);
    INSERT INTO noise VALUES (1);
    RETURN new;
END $$;
SET client_min_messages = warning;
CREATE TRIGGER busy BEFORE UPDATE ON doc FOR EACH ROW EXECUTE FUNCTION busy();
DELETE FROM doc USING (VALUES (3), (3), (4), (3)) v(n) WHERE id = n;
SELECT id, version FROM doc WHERE gone ORDER BY id;
SELECT count(*) FROM noise;
DROP TRIGGER busy ON doc;
-- MERGE, cursors, data-modifying WITH, functions
MERGE INTO doc USING (VALUES (5), (6)) v(n) ON id = n WHEN MATCHED AND id = 5 THEN DELETE WHEN MATCHED THEN UPDATE SET body = 'merged';
BEGIN;
DECLARE c CURSOR FOR SELECT id, body FROM doc WHERE id IN (6, 7) ORDER BY id FOR UPDATE;
FETCH c;
DELETE FROM doc WHERE CURRENT OF c;
DELETE FROM doc WHERE CURRENT OF c;
COMMIT;
WITH d AS (DELETE FROM doc WHERE id = 7 RETURNING id) SELECT count(*) FROM d;
WITH u AS (UPDATE doc SET body = 'u' WHERE id = 8 RETURNING id), d AS (DELETE FROM doc WHERE id = 8) SELECT id FROM u;
WITH d AS (DELETE FROM doc WHERE id = 9), e AS (DELETE FROM doc WHERE id = 9) SELECT count(*) FROM doc WHERE id = 9 AND NOT gone;
CREATE FUNCTION delete_doc(int) RETURNS SETOF doc LANGUAGE sql AS 'DELETE FROM doc WHERE id = $1 RETURNING *';
SELECT count(*) FROM delete_doc(10);
SELECT id, version, left(body, 6) AS body, gone FROM doc WHERE version > 1 ORDER BY id;
-- what is rolled back is live again
BEGIN;
SAVEPOINT s;
DELETE FROM doc WHERE id = 11;
ROLLBACK TO s;
SELECT gone FROM doc WHERE id = 11;
DELETE FROM doc WHERE id = 11;
RELEASE s;
SAVEPOINT t;
UPDATE doc SET deleted_at = NULL WHERE id = 11;
ROLLBACK TO t;
COMMIT;
DO $$
BEGIN
    DELETE FROM doc WHERE id = 12;
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    NULL;
END $$;
SELECT id, gone FROM doc WHERE id IN (11, 12) ORDER BY id;
-- one transaction: made, changed, deleted, restored, deleted
BEGIN;
INSERT INTO doc VALUES (13, 'x');
UPDATE doc SET body = 'y' WHERE id = 13;
DELETE FROM doc WHERE id = 13;
UPDATE doc SET deleted_at = NULL WHERE id = 13;
DELETE FROM doc WHERE id = 13;
COMMIT;
SELECT body, version, gone FROM doc WHERE id = 13;
-- triggers that keep the row, or change it themselves
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keep BEFORE UPDATE ON doc FOR EACH ROW EXECUTE FUNCTION keep();
DELETE FROM doc WHERE id = 12;
SELECT gone FROM doc WHERE id = 12;
DROP TRIGGER keep ON doc;
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE doc SET body = body || 1 WHERE id = old.id AND pg_trigger_depth() = 1; RETURN CASE tg_op WHEN ''DELETE'' THEN old ELSE new END; END';
CREATE TRIGGER meddle BEFORE DELETE ON doc FOR EACH ROW EXECUTE FUNCTION meddle();
DELETE FROM doc WHERE id = 12;
DROP TRIGGER meddle ON doc;
CREATE FUNCTION meddle_more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE doc SET body = ''m'' WHERE id = old.id AND pg_trigger_depth() = 2; RETURN new; END';
CREATE TRIGGER meddle BEFORE UPDATE ON doc FOR EACH ROW EXECUTE FUNCTION meddle_more();
DELETE FROM doc WHERE id = 12;
DROP TRIGGER meddle ON doc;
SELECT gone FROM doc WHERE id = 12;
-- constraints hold
ALTER TABLE doc ADD CHECK (id <> 12 OR deleted_at IS NULL);
\set VERBOSITY terse
DELETE FROM doc WHERE id = 12;
\set VERBOSITY default
SELECT gone FROM doc WHERE id = 12;
-- silenced, as the server's own triggers are
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM doc WHERE id = 12;
SELECT count(*) FROM doc WHERE id = 12;
ROLLBACK;
TRUNCATE doc;
DROP TABLE doc CASCADE;
DROP FUNCTION tell, busy, keep, meddle, meddle_more;
DROP TABLE noise;

-- Constraints that are checked at the end see the stamp.
CREATE TABLE slot (id int, during int4range, deleted_at timestamptz, EXCLUDE USING gist (during WITH &&) WHERE (deleted_at IS NULL) DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX ON slot (id) WHERE deleted_at IS NULL;
SELECT count(*) FROM steward.soft_delete_enable('slot');
INSERT INTO slot VALUES (1, '[1,10)');
BEGIN;
INSERT INTO slot VALUES (2, '[5,15)');
DELETE FROM slot WHERE id = 1;
COMMIT;
BEGIN;
UPDATE slot SET deleted_at = NULL WHERE id = 1;
COMMIT;
DELETE FROM slot;
INSERT INTO slot VALUES (1, '[1,10)');
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM active_slot WHERE id = 1;
SELECT id, during FROM active_slot WHERE id = 1;
RESET enable_seqscan;
-- a deferred trigger sees what became of the row
CREATE FUNCTION at_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING '% %: %', tg_op, old.id, new.deleted_at IS NOT NULL; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER at_end AFTER UPDATE OR DELETE ON slot DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_end();
BEGIN;
DELETE FROM slot WHERE deleted_at IS NULL;
SELECT 'end' AS the;
COMMIT;
DROP TABLE slot CASCADE;
DROP FUNCTION at_end;

-- Without a primary key, and joined to itself.
CREATE TABLE twin (a int, deleted_at timestamptz);
SELECT count(*) FROM steward.soft_delete_enable('twin');
INSERT INTO twin VALUES (1), (1), (2);
DELETE FROM twin WHERE ctid = (SELECT min(ctid) FROM twin);
SELECT a, count(*), count(deleted_at) FROM twin GROUP BY a ORDER BY a;
DELETE FROM twin x USING twin y WHERE x.a = y.a;
SELECT a, count(*), count(deleted_at) FROM twin GROUP BY a ORDER BY a;
DROP TABLE twin CASCADE;

-- A publication of updates asks for a replica identity, as for any UPDATE.
CREATE TABLE pub (a int, deleted_at timestamptz);
SELECT count(*) FROM steward.soft_delete_enable('pub');
INSERT INTO pub VALUES (1);
SET client_min_messages = error;
CREATE PUBLICATION regress_pub FOR TABLE pub WITH (publish = 'update');
DELETE FROM pub;
DROP PUBLICATION regress_pub;
SET client_min_messages = warning;
DROP TABLE pub CASCADE;

-- Many rows: memory does not grow with them, but for AFTER triggers, which the server queues in memory.
CREATE TABLE many (id int PRIMARY KEY, parent int REFERENCES many ON DELETE CASCADE, a text, deleted_at timestamptz);
SELECT count(*) FROM steward.soft_delete_enable('many');
INSERT INTO many SELECT g, NULL, 'x' FROM generate_series(1, 30000) g;
CREATE INDEX ON many (lower(a)) WHERE deleted_at IS NULL;
CREATE FUNCTION memory_used() RETURNS bigint LANGUAGE sql AS 'SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts';
CREATE TEMP TABLE used AS SELECT 0 AS step, memory_used() AS bytes WHERE false;
CREATE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.id IN (1000, 29000) THEN
        INSERT INTO used VALUES (old.id, memory_used());
    END IF;
    RETURN old;
END $$;
CREATE TRIGGER a BEFORE DELETE ON many FOR EACH ROW EXECUTE FUNCTION measure();
DROP TRIGGER steward_soft_delete_cascade ON many;
DELETE FROM many;
SELECT count(*), max(bytes) - min(bytes) < 100000 AS flat FROM used;
SELECT count(deleted_at) FROM many;
DROP TABLE many CASCADE;
DROP FUNCTION memory_used, measure;
DROP TABLE used;
