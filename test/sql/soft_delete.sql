-- The example of doc/soft_delete.md.
CREATE TABLE users (
    id    bigint PRIMARY KEY,
    email text NOT NULL UNIQUE
);
CREATE TABLE posts (
    id      bigint PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    title   text NOT NULL
);
SELECT steward.soft_delete_enable('users', dry_run => true);
SELECT count(*) FROM steward.soft_delete_enable('users');
SELECT count(*) FROM steward.soft_delete_enable('posts');

INSERT INTO users VALUES (1, 'ann@example.com');
INSERT INTO posts VALUES (10, 1, 'First'), (11, 1, 'Second');
DELETE FROM posts WHERE id = 11;
DELETE FROM users WHERE id = 1;
SELECT count(*) FROM active_users;
SELECT count(*) FROM active_posts;
INSERT INTO users VALUES (2, 'ann@example.com');
DELETE FROM users WHERE id = 2;
UPDATE users SET deleted_at = NULL WHERE id = 1;
SELECT id FROM active_posts;

-- the child that had gone before has another stamp
SELECT p.id, p.deleted_at IS NULL AS live FROM posts p ORDER BY id;
-- both live: a conflict
UPDATE users SET deleted_at = NULL WHERE id = 2;
INSERT INTO users VALUES (3, 'ann@example.com') ON CONFLICT (email) WHERE deleted_at IS NULL DO UPDATE SET email = 'second ' || excluded.email RETURNING id, email;
INSERT INTO users VALUES (3, 'ann@example.com') ON CONFLICT DO NOTHING RETURNING id;

-- nothing changes by calling it again, and the column is named wherever it is
SELECT steward.soft_delete_enable('users');
SELECT steward.soft_delete_enable('users', dry_run => true);

-- stamped rows stay as they are
BEGIN;
DELETE FROM users;
SELECT id, deleted_at = now() AS now FROM users ORDER BY id;
DELETE FROM users;
SELECT id, deleted_at = now() AS now FROM users ORDER BY id;
ROLLBACK;
DELETE FROM users RETURNING id;

-- through the view
UPDATE users SET deleted_at = NULL WHERE id = 1;
DELETE FROM active_users WHERE id = 1;
UPDATE active_users SET email = 'x' WHERE id = 1;
SELECT id, email, deleted_at IS NULL AS live FROM users ORDER BY id;
DROP TABLE users, posts CASCADE;

-- Errors of the trigger.
CREATE TABLE t (id int PRIMARY KEY, d date, n timestamptz NOT NULL DEFAULT now(), g timestamp GENERATED ALWAYS AS (timestamp '2020-01-01') STORED, a text, deleted_at timestamptz);
INSERT INTO t VALUES (1), (2);
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger();
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('gone');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('a');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('d');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('n');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('g');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at', 'clock=sun');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at', 'deny=me');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at', 'allow=a b');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at', 'allow=a', 'allow=b');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('deleted_at');
DELETE FROM t;
DROP TRIGGER s ON t;
CREATE TRIGGER s BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_cascade_trigger('deleted_at');
UPDATE t SET a = 'a';
DROP TRIGGER s ON t;
CREATE TRIGGER s AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_cascade_trigger();
UPDATE t SET a = 'a';
DROP TRIGGER s ON t;
CREATE TRIGGER s AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_cascade_trigger('deleted_at', 'clock=wall');
UPDATE t SET a = 'a';
DROP TRIGGER s ON t;
SELECT steward.soft_delete_trigger();
SELECT count(*) FROM t;

-- Errors of the functions.
\set SHOW_CONTEXT never
SELECT steward.soft_delete_enable('t', 'd');
SELECT steward.soft_delete_enable('t', 'n');
SELECT steward.soft_delete_enable('t', 'g');
SELECT steward.soft_delete_enable('t', 'n', dry_run => true);
SELECT steward.soft_delete_enable(NULL);
SELECT steward.soft_delete_enable('t', NULL);
SELECT steward.soft_delete_enable('t', dry_run => NULL);
SELECT steward.soft_delete_enable('t', allow => '{regress_nobody}');
SELECT steward.soft_delete_enable('t', clock => 'sun');
SELECT steward.soft_delete_disable(NULL);
CREATE VIEW active_t AS SELECT * FROM t WHERE deleted_at IS NULL;
SELECT steward.soft_delete_enable('t');
SELECT steward.soft_delete_enable('active_t');
DROP VIEW active_t;
CREATE TABLE active_t ();
SELECT steward.soft_delete_enable('t', dry_run => true);
DROP TABLE active_t;
CREATE TABLE p (id int, deleted_at timestamptz) PARTITION BY RANGE ((deleted_at IS NULL));
SELECT steward.soft_delete_enable('p');
DROP TABLE p;
CREATE TABLE p (id int, deleted_at timestamptz) PARTITION BY RANGE (deleted_at);
SELECT steward.soft_delete_enable('p', dry_run => true);
DROP TABLE p;
CREATE ROLE regress_other;
CREATE ROLE regress_owner;
ALTER TABLE t OWNER TO regress_owner;
SET ROLE regress_other;
SELECT steward.soft_delete_enable('t');
SELECT steward.soft_delete_enable('t', dry_run => true);
SELECT steward.soft_delete_disable('t');
RESET ROLE;
ALTER TABLE t OWNER TO CURRENT_USER;

-- Clocks and types.
BEGIN;
SELECT count(*) FROM steward.soft_delete_enable('t', clock => 'wall');
DELETE FROM t WHERE id = 1;
SELECT deleted_at > now() AS later FROM t WHERE id = 1;
SELECT steward.soft_delete_enable('t', clock => 'transaction');
DELETE FROM t;
SELECT id, deleted_at = now() AS now FROM t ORDER BY id;
SELECT steward.soft_delete_disable('t', dry_run => true);
SELECT steward.soft_delete_disable('t');
SELECT steward.soft_delete_disable('t');
DELETE FROM t;
SELECT count(*) FROM t;
COMMIT;
CREATE DOMAIN moment AS timestamp(0) CHECK (value > '2001-01-01');
CREATE TABLE typed (id int, at moment, "when" timestamptz(3));
INSERT INTO typed VALUES (1);
BEGIN;
SELECT steward.soft_delete_enable('typed', 'at');
SELECT steward.soft_delete_enable('typed', 'when');
DELETE FROM typed;
SELECT at IS NULL, "when" = now()::timestamptz(3) AS same FROM typed;
SELECT steward_internal.upkeep_check('typed');
SELECT trigger_name, column_name FROM steward_internal.upkeep_triggers WHERE relation = 'typed'::regclass ORDER BY trigger_name;
ROLLBACK;
SELECT steward.soft_delete_enable('typed', 'at');
DELETE FROM typed;
SELECT at IS NULL FROM typed;
DROP TABLE typed, t CASCADE;
DROP DOMAIN moment;
DROP ROLE regress_other, regress_owner;
