-- DELETE on the view of live rows counts and returns what it deletes.
\set SHOW_CONTEXT never
\set QUIET off
CREATE SCHEMA "Vi ew";
SET search_path = "Vi ew", public;
CREATE TABLE users (id int, "Part" text, junk int, email text, lock_version int DEFAULT 0, big text, PRIMARY KEY ("Part", id));
ALTER TABLE users DROP junk;
CREATE TABLE posts (id int PRIMARY KEY, user_id int, part text, FOREIGN KEY (user_id, part) REFERENCES users (id, "Part") ON DELETE CASCADE);
CREATE TABLE parted (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TABLE keyless (id int);
SELECT t, count(*) FROM unnest('{users,posts,parted,keyless}'::text[]) t, steward.soft_delete_enable(t::regclass) GROUP BY t ORDER BY t;
INSERT INTO users SELECT g, 'p', g || '@example.com', 0, repeat(md5(g::text), 300) FROM generate_series(1, 20) g;
INSERT INTO posts SELECT g, g, 'p' FROM generate_series(1, 20) g;
DELETE FROM active_users WHERE id = 1;
DELETE FROM active_users WHERE id = 1;
DELETE FROM active_users WHERE id IN (2, 3) RETURNING id, email, deleted_at;
DELETE FROM active_users WHERE id = 4 AND lock_version = 1;
DELETE FROM active_users u USING active_posts p WHERE p.user_id = u.id AND u.id IN (4, 5) RETURNING u.id, p.id;
WITH gone AS (DELETE FROM active_users WHERE id = 6 RETURNING id) SELECT count(*) FROM gone;
PREPARE d(int) AS DELETE FROM active_users WHERE id = $1;
EXECUTE d(7);
EXECUTE d(7);
SELECT count(*) FROM active_posts;
UPDATE users SET deleted_at = NULL WHERE id = 1;
SELECT count(*) FROM active_posts;
INSERT INTO active_users (id, "Part") VALUES (30, 'p');
UPDATE active_users SET email = 'x' WHERE id = 30;
DO $$ DECLARE n bigint; BEGIN DELETE FROM "Vi ew".active_users WHERE id = 30; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE '% deleted', n; END $$;
-- after a migration
ALTER TABLE users ALTER lock_version TYPE bigint;
ALTER TABLE users RENAME id TO user_id;
DELETE FROM active_users WHERE user_id = 8;
-- refused and suppressed
CREATE TABLE keeps (user_id int, part text, FOREIGN KEY (user_id, part) REFERENCES users (user_id, "Part"));
INSERT INTO keeps VALUES (9, 'p');
DELETE FROM active_users WHERE user_id = 9;
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION suppress();
DELETE FROM active_users WHERE user_id = 10;
DROP TRIGGER suppress ON users;
-- partitions, and a table without a key, of which no row can be told
INSERT INTO parted VALUES (1, 1), (1, 2), (2, 2);
DELETE FROM active_parted WHERE id = 1;
SELECT id, part FROM active_parted;
INSERT INTO keyless VALUES (1);
DELETE FROM active_keyless;
SELECT count(*) FROM active_keyless;
-- privileges and policies are those of who deletes
CREATE ROLE regress_teller;
GRANT USAGE ON SCHEMA "Vi ew" TO regress_teller;
GRANT SELECT ON users TO regress_teller;
GRANT SELECT, DELETE ON active_users TO regress_teller;
SET ROLE regress_teller;
DELETE FROM active_users WHERE user_id = 11;
RESET ROLE;
GRANT DELETE ON users TO regress_teller;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON users FOR SELECT USING (true);
CREATE POLICY few ON users FOR DELETE USING (user_id > 12);
SET ROLE regress_teller;
DELETE FROM active_users WHERE user_id BETWEEN 11 AND 14;
RESET ROLE;
-- an allowed role deletes for real, and that is counted too
SELECT count(*) FROM steward.soft_delete_enable('users', allow => '{regress_teller}');
SET ROLE regress_teller;
DELETE FROM active_users WHERE user_id = 15;
RESET ROLE;
SELECT count(*) FROM users WHERE user_id = 15;
-- attached elsewhere
CREATE TRIGGER a BEFORE DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION steward_internal.soft_delete_view_trigger();
INSERT INTO keyless VALUES (2);
DELETE FROM keyless;
DROP TRIGGER a ON keyless;
ALTER TABLE keyless ADD PRIMARY KEY (id);
SELECT steward.soft_delete_enable('keyless');
ALTER TABLE keyless DROP CONSTRAINT keyless_pkey;
DELETE FROM active_keyless;
-- What was revoked stays so.
CREATE ROLE regress_view_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Vi ew" GRANT ALL ON TABLES TO regress_view_reader;
CREATE TABLE kept (id integer PRIMARY KEY, a text, b text);
SELECT count(*) FROM steward.soft_delete_enable('kept');
REVOKE ALL ON active_kept FROM regress_view_reader;
GRANT SELECT (id) ON active_kept TO regress_view_reader;
REVOKE DELETE ON active_kept FROM CURRENT_USER;
ALTER TABLE kept DROP COLUMN a;
SELECT has_table_privilege('regress_view_reader', 'active_kept', 'SELECT, INSERT, UPDATE, DELETE') AS reader, has_column_privilege('regress_view_reader', 'active_kept', 'id', 'SELECT') AS reader_of_id,
       (SELECT array_agg(x.privilege_type ORDER BY x.privilege_type) && '{DELETE}' FROM pg_class c, aclexplode(c.relacl) x WHERE c.oid = 'active_kept'::regclass AND x.grantee = c.relowner) AS owner_deletes;
DROP TABLE kept CASCADE;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Vi ew" REVOKE ALL ON TABLES FROM regress_view_reader;
DROP ROLE regress_view_reader;

SET client_min_messages = warning;
DROP SCHEMA "Vi ew" CASCADE;
DROP ROLE regress_teller;
