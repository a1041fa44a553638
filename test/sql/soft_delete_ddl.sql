-- Migrations of a table whose rows are soft-deleted: the view of live rows follows.
\set SHOW_CONTEXT never
CREATE SCHEMA "Mi grate";
SET search_path = "Mi grate", public;
CREATE ROLE regress_mover;
CREATE ROLE regress_viewer;
GRANT ALL ON SCHEMA "Mi grate" TO regress_mover;
SET ROLE regress_mover;
CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, age int, gone_soon text);
SELECT count(*) FROM steward.soft_delete_enable('users');
GRANT SELECT ON active_users TO regress_viewer WITH GRANT OPTION;
GRANT UPDATE (email, gone_soon) ON active_users TO PUBLIC;
ALTER VIEW active_users SET (security_barrier = true);
COMMENT ON COLUMN active_users.age IS 'in years';
INSERT INTO users VALUES (1, 'a', 30), (2, 'b', 40);
DELETE FROM users WHERE id = 2;
RESET ROLE;
CREATE VIEW shown AS
    SELECT c.relname, c.relowner::regrole AS owner, c.reloptions AS options, c.relacl::text ~ 'regress_viewer=r\*/regress_mover' AS granted,
           (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || coalesce(' ' || array_to_string(a.attacl, ','), '')
                              || coalesce(' "' || col_description(c.oid, a.attnum) || '"', ''), ', ' ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid) AS columns,
           obj_description(c.oid) AS comment
      FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = '"Mi grate"'::regnamespace AND c.relname ~ 'active|live';
GRANT SELECT ON shown TO PUBLIC;
\x on
TABLE shown;
-- by the owner, by a superuser, in one command with others
SET ROLE regress_mover;
ALTER TABLE users ALTER age TYPE bigint, ADD name varchar(10);
TABLE shown;
RESET ROLE;
ALTER TABLE users DROP gone_soon;
ALTER TABLE users ALTER deleted_at TYPE timestamptz(3);
TABLE shown;
SET ROLE regress_mover;
-- CASCADE, as some clients have it
ALTER TABLE users DROP COLUMN name CASCADE;
ALTER TABLE users ADD COLUMN "Note" text DEFAULT 'x';
ALTER TABLE users RENAME COLUMN "Note" TO note;
ALTER TABLE users RENAME COLUMN deleted_at TO removed_at;
ALTER TABLE users RENAME TO people;
TABLE shown;
DELETE FROM people WHERE id = 1;
UPDATE people SET removed_at = NULL WHERE id = 2;
\x off
SELECT id, email, note FROM active_people;
SELECT steward.soft_delete_enable('people', 'removed_at');
-- a view of another name keeps it
ALTER VIEW active_people RENAME TO live_people;
ALTER TABLE people RENAME TO persons;
ALTER TABLE persons ALTER age TYPE int;
SELECT relname, comment FROM shown;
-- what fails or is rolled back leaves all as it was
ALTER TABLE persons ALTER email TYPE int USING email::int;
BEGIN;
SAVEPOINT s;
ALTER TABLE persons ALTER age TYPE text;
ROLLBACK TO s;
ALTER TABLE persons DROP nothing;
ROLLBACK;
ALTER TABLE persons ALTER age TYPE text;
SELECT relname, columns FROM shown;
-- who does not own the table
SET ROLE regress_viewer;
ALTER TABLE "Mi grate".persons DROP age;
SET ROLE regress_mover;
SELECT count(*) FROM live_people;
-- what depends on the view is in the way, as it would be in that of DROP VIEW
CREATE VIEW hangs_on AS SELECT id FROM live_people;
\set VERBOSITY terse
ALTER TABLE persons ALTER age TYPE int USING 1;
\set VERBOSITY default
DROP VIEW hangs_on;
CREATE FUNCTION returns_some() RETURNS SETOF live_people LANGUAGE sql AS 'SELECT * FROM live_people';
ALTER TABLE persons DROP age;
-- but adding and renaming is possible
ALTER TABLE persons ADD more int;
ALTER TABLE persons RENAME age TO years;
SELECT columns FROM shown;
DROP FUNCTION returns_some();
-- a name that is taken
ALTER VIEW live_people RENAME TO active_persons;
CREATE TABLE active_folk ();
ALTER TABLE persons RENAME TO folk;
SELECT relname, comment FROM shown;
DROP TABLE active_folk;
-- no view, for good
SELECT steward.soft_delete_enable('folk', 'removed_at', view => false);
SELECT steward.soft_delete_enable('folk', 'removed_at');
ALTER TABLE folk DROP more, ALTER removed_at TYPE timestamptz;
DELETE FROM folk WHERE id = 2;
SELECT count(*) FROM shown;
SELECT count(*) FROM steward.soft_delete_enable('folk', 'removed_at', view => true);
SELECT relname FROM shown;
-- a view that was dropped comes back when asked for
DROP VIEW active_folk;
ALTER TABLE folk ADD even_more int;
SELECT count(*) FROM shown;
SELECT steward.soft_delete_enable('folk', 'removed_at');
-- without its column, soft deletion ends
ALTER TABLE folk DROP COLUMN removed_at CASCADE;
SELECT count(*) FROM shown;
UPDATE folk SET email = 'c';
DELETE FROM folk;
SELECT count(*) FROM folk;
-- partitions and inheritance
CREATE TABLE parted (id int, part int, v int) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
SELECT count(*) FROM steward.soft_delete_enable('parted');
ALTER TABLE parted ALTER v TYPE text;
ALTER TABLE parted ADD w int;
CREATE TABLE parted_2 (LIKE parted);
ALTER TABLE parted ATTACH PARTITION parted_2 FOR VALUES IN (2);
ALTER TABLE parted DROP v;
SELECT relname, columns FROM shown;
SELECT steward.soft_delete_enable('parted');
-- names that mislead
RESET ROLE;
CREATE SCHEMA pitfall;
CREATE FUNCTION pitfall.trap(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR pitfall.= (LEFTARG = text, RIGHTARG = text, FUNCTION = pitfall.trap);
CREATE OPERATOR pitfall.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = pitfall.trap);
GRANT USAGE ON SCHEMA pitfall TO PUBLIC;
SET ROLE regress_mover;
SET search_path = pitfall, pg_catalog, "Mi grate";
ALTER TABLE parted ALTER w TYPE bigint;
ALTER TABLE parted RENAME w TO "W";
SET search_path = '';
ALTER TABLE "Mi grate".parted DROP "W";
SET search_path = "Mi grate", public;
SELECT columns FROM shown;
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA "Mi grate", pitfall CASCADE;
DROP ROLE regress_mover, regress_viewer;
