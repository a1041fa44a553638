-- Backfills: the page's example; what cannot be done; keys, tables and owners of all kinds.
\set SHOW_CONTEXT never

CREATE SCHEMA backfill;
SET search_path = backfill;
CREATE ROLE regress_backfill_owner;
CREATE ROLE regress_backfill_other;
GRANT ALL ON SCHEMA backfill TO PUBLIC;

CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, name_key text);
INSERT INTO users (name) SELECT 'User ' || n FROM generate_series(1, 2500) n;
ANALYZE users;
CALL steward.backfill('users', set => 'name_key = lower(name)', condition => 'name_key IS NULL', then_not_null => true, dry_run => true);
CALL steward.backfill('users', set => 'name_key = lower(name)', condition => 'name_key IS NULL', then_not_null => true);
SELECT count(*), bool_and(name_key = lower(name)) FROM users;
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 ORDER BY attnum;
SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'c';
SELECT operation, relation, state, rows_changed, rows_estimated, finished_at >= started_at AS in_order, owner = current_user AS mine, arguments, error
  FROM steward.operations WHERE relation = 'backfill.users';

-- The loop that guides hand on skips rows, for it counts those that have a value already.
CREATE TABLE skipped (id integer PRIMARY KEY, v text);
INSERT INTO skipped SELECT n, CASE WHEN n <= 500 THEN 'there' END FROM generate_series(1, 1500) n;
DO $$
DECLARE
    batch_size integer := 100;
    done integer := 0;
    total integer := (SELECT count(*) FROM skipped WHERE v IS NOT NULL);
BEGIN
    WHILE done < total LOOP
        UPDATE skipped SET v = 'filled' WHERE id IN (SELECT id FROM skipped WHERE v IS NULL LIMIT batch_size);
        done := done + batch_size;
    END LOOP;
END $$;
SELECT count(*) FILTER (WHERE v IS NULL) AS skipped FROM skipped;
CALL steward.backfill('skipped', set => 'v = ''filled''', condition => 'v IS NULL', batch => 100);
SELECT count(*) FILTER (WHERE v IS NULL) AS skipped FROM skipped;

-- What cannot be done is told before anything is.
CALL steward.backfill('users', set => 'name = 1 WHERE true');
CALL steward.backfill('users', set => 'name = 1; DROP TABLE users');
CALL steward.backfill('users', set => 'name = s.v FROM skipped s');
CALL steward.backfill('users', set => 'no_column = 1');
CALL steward.backfill('users', set => 'name = 1', condition => 'no_column = 1');
CALL steward.backfill('users', set => '(name, id) = (''a'', 1)');
CALL steward.backfill('users', set => NULL);
CALL steward.backfill(NULL, set => 'name = 1');
CALL steward.backfill('users', set => 'name = 1', batch => 0);
CALL steward.backfill('users', set => 'name = 1', pause => '-1 s');
CREATE TABLE no_key (v integer UNIQUE);
CALL steward.backfill('no_key', set => 'v = 1');
CREATE VIEW a_view AS SELECT * FROM users;
CALL steward.backfill('a_view', set => 'name = 1');
BEGIN;
CALL steward.backfill('users', set => 'name = 1');
ROLLBACK;
SET ROLE regress_backfill_other;
SELECT count(*) FROM steward.operations;
INSERT INTO steward_internal.operations (operation, relation_id, relation, owner_id, arguments, batch) VALUES ('backfill', 1, 'x', 10, '{}', 1);
RESET ROLE;
SELECT count(*) FROM steward.operations WHERE relation IN ('backfill.no_key', 'backfill.a_view');

-- A row that cannot be changed stops it; what was done before stays, and the same call goes on from there.
CREATE TABLE checked (id integer PRIMARY KEY, v integer CHECK (v <> 250));
INSERT INTO checked SELECT n, n FROM generate_series(1, 300) n WHERE n <> 250;
INSERT INTO checked VALUES (250, 0);
CALL steward.backfill('checked', set => 'v = CASE id WHEN 250 THEN 250 ELSE v + 1000 END', batch => 100);
SELECT count(*) FROM checked WHERE v > 1000;
SELECT state, rows_changed, error FROM steward.operations WHERE relation = 'backfill.checked';
ALTER TABLE checked DROP CONSTRAINT checked_v_check;
CALL steward.backfill('checked', set => 'v = CASE id WHEN 250 THEN 250 ELSE v + 1000 END', batch => 70);
SELECT count(*) FILTER (WHERE v BETWEEN 1001 AND 1300) AS once, count(*) FILTER (WHERE v > 2000) AS twice FROM checked;
SELECT state, rows_changed, error FROM steward.operations WHERE relation = 'backfill.checked';

-- A condition that stays true does not have rows changed again; one that nothing makes untrue is told.
CALL steward.backfill('checked', set => 'v = v + 1', condition => 'id > 100', batch => 90);
SELECT sum(v) FROM checked;
CREATE FUNCTION keeps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keeps BEFORE UPDATE ON checked FOR EACH ROW EXECUTE FUNCTION keeps();
CALL steward.backfill('checked', set => 'v = -1', condition => 'v <> -1');
DROP TABLE checked;

-- Keys of many columns and types, in partitions, whatever the settings; the expression sees the caller's.
SET datestyle = 'SQL, DMY';
CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TABLE parted (tenant uuid, "Key of text" text COLLATE "C", day date, colour colour, span interval, part integer, n integer, said text,
    PRIMARY KEY (tenant, "Key of text", day, colour, span, part)) PARTITION BY LIST (part);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_others PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT md5((n % 3)::text)::uuid, E'it''s \\ ' || n % 7, date '2026-12-01' + n % 40, (enum_range(NULL::colour))[1 + n % 3], make_interval(mins => n % 11, months => 1), n % 3, n
  FROM generate_series(1, 2000) n ON CONFLICT DO NOTHING;
CREATE TABLE before AS SELECT count(*) AS count, sum(n) AS sum FROM parted;
CREATE FUNCTION plus_one(n integer) RETURNS integer IMMUTABLE LANGUAGE sql RETURN n + 1;
SET client_min_messages = warning;
CALL steward.backfill('parted', set => 'n = plus_one(n), said = date ''2026-12-01''', batch => 33);
RESET client_min_messages;
SELECT count(*) = b.count AND b.count > 1500 AS all_there, sum(n) - b.sum = b.count AS each_once, min(said) FROM parted, before b GROUP BY b.count, b.sum;
RESET datestyle;

-- Tables that inherit have keys of their own.
CREATE TABLE parent (id integer PRIMARY KEY, v integer);
CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent);
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (1), (3);
CALL steward.backfill('parent', set => 'v = id -- comment', condition => 'v IS NULL -- comment', batch => 1);
SELECT tableoid::regclass, * FROM parent ORDER BY 1, 2;

-- An owner whom row security holds for changes all rows, and nobody else's operators have a say.
CREATE TABLE forced (id integer PRIMARY KEY, v text);
INSERT INTO forced SELECT generate_series(1, 100);
ALTER TABLE forced OWNER TO regress_backfill_owner;
ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE SCHEMA backfill_hostile;
CREATE FUNCTION backfill_hostile.no(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called as %', current_user; END $$;
CREATE OPERATOR backfill_hostile.> (FUNCTION = backfill_hostile.no, LEFTARG = integer, RIGHTARG = integer);
CREATE FUNCTION backfill_hostile.count() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'called as %', current_user; END $$;
CREATE FUNCTION backfill_hostile.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called as %', current_user; END $$;
CREATE FUNCTION say_who() RETURNS text LANGUAGE sql RETURN current_user;
GRANT USAGE ON SCHEMA backfill_hostile TO PUBLIC;
SET search_path = backfill_hostile, pg_catalog, backfill;
CALL steward.backfill('forced', set => 'v = say_who()', condition => 'v IS NULL', batch => 30);
SET search_path = backfill;
SELECT v, count(*) FROM forced GROUP BY v;
SET ROLE regress_backfill_other;
CALL steward.backfill('forced', set => 'v = ''mine''');
SET ROLE regress_backfill_owner;
CALL steward.backfill('forced', set => 'v = ''mine''', condition => 'v <> ''mine''', batch => 30);
SELECT relation, state, owner FROM steward.operations WHERE relation LIKE 'backfill.%';
RESET ROLE;
SELECT v, count(*) FROM forced GROUP BY v;

-- Who may act for one table's owner gets nothing by it: no other operation, no rows of others, no right of who calls.
CREATE ROLE regress_backfill_attacker;
GRANT CREATE ON SCHEMA backfill TO regress_backfill_attacker;
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE VIEW forced_view AS SELECT * FROM forced;
ALTER VIEW forced_view OWNER TO regress_backfill_owner;
GRANT SELECT ON forced_view TO PUBLIC;
SET ROLE regress_backfill_attacker;
SELECT count(*) FROM forced_view;
CREATE TABLE mine (id integer PRIMARY KEY, x text);
INSERT INTO mine VALUES (1), (2);
SELECT attempt($$INSERT INTO steward_internal.operations (operation, relation_id, relation, owner_id, arguments, batch)
    VALUES ('backfill', 'backfill.users'::regclass, 'backfill.users', 'regress_backfill_attacker'::regrole, '{"set": "name = ''x''", "then_not_null": false}', 1)$$);
INSERT INTO steward_internal.operations (operation, relation_id, relation, owner_id, arguments, batch)
    VALUES ('backfill', 'backfill.mine'::regclass, 'backfill.mine', 'regress_backfill_attacker'::regrole, '{"set": "x = ''x''", "then_not_null": false}', 1);
SELECT attempt(format('UPDATE steward_internal.operations SET %s', c))
  FROM unnest(ARRAY['relation_id = ''pg_authid''::regclass', 'arguments = ''{}''', 'operation = ''x''', 'owner_id = 10', 'id = 1']) c;
SELECT attempt(format('SELECT steward_internal.run_as_owner(''mine'', %L)', c))
  FROM unnest(ARRAY['SELECT count(*) FROM backfill.forced_view', 'WITH c AS (SELECT 1 WHERE EXISTS (SELECT FROM backfill.forced_view)) SELECT * FROM c', 'UPDATE backfill.mine SET x = (SELECT max(v) FROM backfill.forced_view)']) c;
SELECT attempt($$SELECT steward_internal.run_as_owner('users', 'SELECT 1')$$);
SELECT steward_internal.run_as_owner('mine', 'CREATE TABLE backfill.shown AS SELECT * FROM backfill.forced_view');
SELECT count(*) FROM shown;
CREATE FUNCTION sets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'backfill_hostile', false), set_config('role', 'none', false);
    RETURN NEW;
END $$;
CREATE TRIGGER sets BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION sets();
CREATE FUNCTION sees() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.x := current_user || (SELECT count(*) FROM backfill.forced_view);
    RETURN NEW;
END $$;
RESET ROLE;
SELECT attempt($$SELECT steward_internal.run_as_owner('mine', 'UPDATE backfill.mine SET x = 1')$$);
SET ROLE regress_backfill_attacker;
CREATE OR REPLACE FUNCTION sets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('search_path', 'backfill_hostile', false);
    RETURN NEW;
END $$;
CREATE TRIGGER zsees BEFORE UPDATE ON mine FOR EACH ROW EXECUTE FUNCTION sees();
RESET ROLE;
CALL steward.backfill('mine', set => 'x = 1');
SHOW search_path;
SELECT * FROM mine;
DROP TABLE shown, mine;
DROP VIEW forced_view;
DROP OWNED BY regress_backfill_attacker;
DROP ROLE regress_backfill_attacker;

-- Names that must be quoted.
CREATE TABLE "It's ""a"" table of a very long name indeed, 63 bytes in all 1234" ("a ""b""" integer PRIMARY KEY, "Col" integer);
INSERT INTO "It's ""a"" table of a very long name indeed, 63 bytes in all 1234" SELECT generate_series(1, 10);
CALL steward.backfill('"It''s ""a"" table of a very long name indeed, 63 bytes in all 1234"', set => '"Col" = 1', then_not_null => true, batch => 3);
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = '"It''s ""a"" table of a very long name indeed, 63 bytes in all 1234"'::regclass AND attnum > 0;

\set VERBOSITY terse
SET client_min_messages = warning;
DELETE FROM steward_internal.operations WHERE relation LIKE 'backfill.%';
DROP SCHEMA backfill, backfill_hostile CASCADE;
DROP ROLE regress_backfill_owner, regress_backfill_other;
