-- A table's owner has the triggers of stamps, versions and immutable columns stand aside for a transaction; nobody else does.
\set SHOW_CONTEXT never
CREATE ROLE regress_pause_owner;
CREATE ROLE regress_pause_member IN ROLE regress_pause_owner;
CREATE ROLE regress_pause_app;
CREATE SCHEMA upkeep_pause;
GRANT ALL ON SCHEMA upkeep_pause TO regress_pause_owner, regress_pause_app;
SET search_path = upkeep_pause;
SET ROLE regress_pause_owner;

CREATE TABLE posts (id bigint PRIMARY KEY, title text, slug text, made date, version bigint NOT NULL DEFAULT 1, updated_by text, updated_at timestamptz NOT NULL DEFAULT now());
SELECT count(*) FROM steward.updated_at_enable('posts', by => 'updated_by', keep => '{made}', on_insert => true);
SELECT count(*) FROM steward.row_version_enable('posts');
SELECT count(*) FROM steward.immutable_enable('posts', '{slug}');
SELECT count(*) > 0 AS audited FROM steward.audit_enable('posts');
GRANT ALL ON posts TO regress_pause_app;
CREATE VIEW state AS SELECT id, title, slug, made, version, updated_by, CASE WHEN updated_at < now() - interval '1 year' THEN 'old' ELSE 'new' END AS stamp FROM posts ORDER BY id;
GRANT SELECT ON state TO regress_pause_app;

BEGIN;
SELECT steward.upkeep_pause();
INSERT INTO posts VALUES (1, 'From the old system', 'old', '2019-05-01', 7, 'ann', '2019-05-01 12:00+00');
COPY posts FROM stdin;
2	Copied	copied	2018-01-01	3	bob	2018-01-01 00:00:00+00
\.
TABLE state;
UPDATE posts SET slug = upper(slug COLLATE "C"), made = made - 1, version = version + 10;
MERGE INTO posts USING (VALUES (1, 'merged')) v(id, title) ON v.id = posts.id WHEN MATCHED THEN UPDATE SET title = v.title, version = 2;
INSERT INTO posts VALUES (2, 'upserted') ON CONFLICT (id) DO UPDATE SET title = excluded.title;
TABLE state;
ROLLBACK;
BEGIN;
SET LOCAL steward.upkeep_paused = on;
INSERT INTO posts VALUES (1, 'From the old system', 'old', '2019-05-01', 7, 'ann', '2019-05-01 12:00+00');
SET LOCAL steward.upkeep_paused = off;
INSERT INTO posts VALUES (2, 'Stamped', 'new', '2019-05-01', 7, 'ann', '2019-05-01 12:00+00');
SAVEPOINT s;
SELECT steward.upkeep_pause();
UPDATE posts SET slug = 'saved' WHERE id = 2;
ROLLBACK TO s;
UPDATE posts SET slug = 'saved' WHERE id = 2;
ROLLBACK TO s;
SAVEPOINT s;
SELECT steward.upkeep_pause();
RELEASE s;
UPDATE posts SET slug = 'released', updated_by = 'kept' WHERE id = 2;
COMMIT;
TABLE state;
-- the log tells of it
RESET ROLE;
SELECT record_id, operation, context FROM steward.audit_log WHERE table_schema = 'upkeep_pause' ORDER BY created_at, seq;
SET ROLE regress_pause_owner;
BEGIN;
SET LOCAL steward.context = '{"job": "import", "upkeep_paused": false}';
SELECT steward.upkeep_pause();
UPDATE posts SET title = 'x' WHERE id = 1;
SET LOCAL steward.context = 'no json';
UPDATE posts SET title = 'y' WHERE id = 1;
SET LOCAL steward.upkeep_paused = off;
UPDATE posts SET title = 'z' WHERE id = 1;
COMMIT;
RESET ROLE;
SELECT record_id, operation, context FROM steward.audit_log WHERE table_schema = 'upkeep_pause' ORDER BY created_at DESC, seq DESC LIMIT 3;
SET ROLE regress_pause_owner;

--
-- It ends with the transaction, however it was set
--

UPDATE posts SET slug = 'later' WHERE id = 1;
BEGIN;
SET steward.upkeep_paused = on;
UPDATE posts SET slug = 'session' WHERE id = 1;
COMMIT;
UPDATE posts SET slug = 'later' WHERE id = 1;
BEGIN;
UPDATE posts SET slug = 'later' WHERE id = 1;
ROLLBACK;
RESET steward.upkeep_paused;
BEGIN;
SELECT steward.upkeep_pause();
ROLLBACK;
BEGIN;
UPDATE posts SET slug = 'later' WHERE id = 1;
ROLLBACK;
-- not without a transaction, not for longer
SELECT steward.upkeep_pause();
\echo :LAST_ERROR_SQLSTATE
SET steward.upkeep_paused = on;
SET LOCAL steward.upkeep_paused = on;
SHOW steward.upkeep_paused;
SET steward.upkeep_paused = off;
RESET ROLE;
ALTER ROLE regress_pause_owner SET steward.upkeep_paused = on;
SELECT format('ALTER DATABASE %I SET steward.upkeep_paused = on', current_database()) AS command \gset
\set ECHO none
:command;
\set ECHO all
-- a procedure that commits
SET ROLE regress_pause_owner;
CREATE PROCEDURE import() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM steward.upkeep_pause();
    UPDATE posts SET slug = 'by procedure' WHERE id = 1;
    COMMIT;
    UPDATE posts SET slug = 'after its commit' WHERE id = 1;
END $$;
CALL import();
TABLE state;
-- a function that keeps it to itself
CREATE FUNCTION mend(text) RETURNS text LANGUAGE plpgsql SET steward.upkeep_paused = off AS $$
BEGIN
    PERFORM steward.upkeep_pause();
    UPDATE upkeep_pause.posts SET slug = $1 WHERE id = 1;
    RETURN $1;
END $$;
BEGIN;
SELECT mend('by function');
UPDATE posts SET slug = 'after the function' WHERE id = 1;
ROLLBACK;
CREATE FUNCTION always() RETURNS integer LANGUAGE sql SET steward.upkeep_paused = on AS 'SELECT 1';

--
-- Who may: the owner and the members of that role
--

RESET ROLE;
SET ROLE regress_pause_member;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE posts SET slug = 'by a member' WHERE id = 1 RETURNING slug;
ROLLBACK;
RESET ROLE;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE posts SET slug = 'by a superuser' WHERE id = 1 RETURNING slug;
SET LOCAL ROLE regress_pause_app;
UPDATE posts SET slug = 'by the application' WHERE id = 1;
ROLLBACK;
SET ROLE regress_pause_app;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE posts SET title = 'stamped', updated_at = 'epoch' WHERE id = 1;
SELECT title, stamp FROM state WHERE id = 1;
SAVEPOINT s;
UPDATE posts SET slug = 'by the application' WHERE id = 1;
ROLLBACK TO s;
UPDATE posts SET version = 1 WHERE id = 1;
ROLLBACK TO s;
COMMIT;
-- nor does the log say that anything stood aside
RESET ROLE;
SELECT operation, context FROM steward.audit_log WHERE table_schema = 'upkeep_pause' ORDER BY created_at DESC, seq DESC LIMIT 1;
-- nor by what runs as the owner: functions and foreign keys
SET ROLE regress_pause_owner;
CREATE FUNCTION as_owner(text) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'UPDATE upkeep_pause.posts SET slug = $1 WHERE id = 1 RETURNING slug';
ALTER FUNCTION mend SECURITY DEFINER;
CREATE TABLE topics (id integer PRIMARY KEY);
CREATE TABLE lines (id integer, topic integer REFERENCES topics ON UPDATE CASCADE, updated_at timestamptz);
SELECT count(*) FROM steward.immutable_enable('lines', '{topic}');
INSERT INTO topics VALUES (1);
INSERT INTO lines VALUES (1, 1);
GRANT ALL ON topics TO regress_pause_app;
RESET ROLE;
SET ROLE regress_pause_app;
BEGIN;
SELECT steward.upkeep_pause();
SAVEPOINT s;
SELECT as_owner('by the application');
ROLLBACK TO s;
UPDATE topics SET id = 2;
ROLLBACK TO s;
-- what the owner has meant
SELECT mend('meant by the owner');
SELECT as_owner('after that');
ROLLBACK;
RESET ROLE;
SET ROLE regress_pause_owner;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE topics SET id = 2;
SELECT topic FROM lines;
-- a function of somebody else does not profit
RESET ROLE;
SET LOCAL ROLE regress_pause_app;
CREATE TABLE theirs (id integer, kept integer);
INSERT INTO theirs VALUES (1, 1);
SELECT count(*) FROM steward.immutable_enable('theirs', '{kept}');
CREATE FUNCTION as_app() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'UPDATE upkeep_pause.theirs SET kept = 2 RETURNING kept';
RESET ROLE;
SET LOCAL ROLE regress_pause_owner;
SELECT as_app();
ROLLBACK;
RESET ROLE;

--
-- Partitions, prepared transactions, parallel workers, and a new session
--

SET ROLE regress_pause_owner;
CREATE TABLE parted (id integer, kept text, updated_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
SELECT count(*) FROM steward.updated_at_enable('parted', on_insert => true);
SELECT count(*) FROM steward.immutable_enable('parted', '{kept}');
BEGIN;
SELECT steward.upkeep_pause();
INSERT INTO parted VALUES (1, 'a', 'epoch');
UPDATE parted SET id = 2, kept = 'b';
SELECT tableoid::regclass, kept, updated_at = 'epoch' AS stands FROM parted;
COMMIT;
UPDATE parted SET kept = 'c';
-- a partition of another owner is that owner's
RESET ROLE;
ALTER TABLE parted_2 OWNER TO regress_pause_app;
SET ROLE regress_pause_owner;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE parted SET kept = 'd';
ROLLBACK;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT steward.upkeep_pause();
EXPLAIN (COSTS OFF) SELECT count(*) FROM posts;
SELECT count(*) FROM posts;
UPDATE posts SET slug = 'after workers' WHERE id = 1 RETURNING slug;
ROLLBACK;
RESET ROLE;
\c
SET ROLE regress_pause_owner;
SET search_path = upkeep_pause;
BEGIN;
SELECT steward.upkeep_pause();
UPDATE posts SET slug = 'in a new session' WHERE id = 1 RETURNING slug;
COMMIT;
RESET ROLE;

SET client_min_messages = error;
DROP SCHEMA upkeep_pause CASCADE;
DROP ROLE regress_pause_owner, regress_pause_member, regress_pause_app;
