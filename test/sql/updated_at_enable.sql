-- updated_at: what attaches the trigger and takes it away; what all upkeep modules share is tested here.
\set SHOW_CONTEXT never

CREATE SCHEMA updated_at_enable;
SET search_path = updated_at_enable;

-- The upkeep triggers of the tables whose names begin so.
CREATE FUNCTION triggers(prefix text) RETURNS TABLE (relation name, trigger name, enabled "char", clone boolean, arguments text)
LANGUAGE sql SET search_path = pg_catalog AS $$
SELECT c.relname, t.tgname, t.tgenabled, t.tgparentid <> 0, replace(encode(t.tgargs, 'escape'), '\000', ' ')
  FROM pg_class c
  JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
 WHERE c.relnamespace = 'updated_at_enable'::regnamespace AND c.relname LIKE $1 || '%'
 ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C"
$$;

--
-- Every table of a schema that has the column
--

CREATE SCHEMA updated_at_shop;
CREATE TABLE updated_at_shop.orders (id integer, updated_at timestamptz);
CREATE TABLE updated_at_shop.items (id integer, updated_at date);
CREATE TABLE updated_at_shop.without (id integer);
CREATE TABLE updated_at_shop.dropped (id integer, updated_at timestamptz);
ALTER TABLE updated_at_shop.dropped DROP updated_at;
CREATE TABLE updated_at_shop.wrong (id integer, updated_at text);
CREATE TABLE updated_at_shop."Camel Case" (id integer, updated_at timestamp);
CREATE TABLE updated_at_shop.part (id integer, updated_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE updated_at_shop.part_1 PARTITION OF updated_at_shop.part FOR VALUES IN (1);
CREATE TABLE updated_at_shop.parent (id integer, updated_at timestamptz);
CREATE TABLE updated_at_shop.child () INHERITS (updated_at_shop.parent);
CREATE TABLE updated_at_shop.late (updated_at timestamptz) INHERITS (updated_at_shop.without);
CREATE TABLE updated_at_shop.taken (id integer, updated_at timestamptz);
CREATE TRIGGER steward_updated_at BEFORE UPDATE ON updated_at_shop.taken FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE updated_at_shop.own (id integer, updated_at timestamptz);
CREATE TRIGGER mine BEFORE UPDATE ON updated_at_shop.own FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'clock=wall');
CREATE VIEW updated_at_shop.v AS SELECT * FROM updated_at_shop.orders;
CREATE MATERIALIZED VIEW updated_at_shop.m AS SELECT * FROM updated_at_shop.orders;
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop');
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop');
SELECT relation, trigger_name, arguments, is_clone FROM steward_internal.upkeep_triggers WHERE relation::text LIKE 'updated_at_shop%' ORDER BY relation::text COLLATE "C";
-- what does not fire is not enabled already
ALTER TABLE updated_at_shop.orders DISABLE TRIGGER steward_updated_at;
ALTER TABLE updated_at_shop.items ENABLE REPLICA TRIGGER steward_updated_at;
ALTER TABLE updated_at_shop.part_1 DISABLE TRIGGER steward_updated_at;
CREATE TABLE updated_at_shop.child_2 () INHERITS (updated_at_shop.parent);
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop');
SELECT relation, trigger_name, enabled FROM steward_internal.upkeep_triggers WHERE relation::text LIKE 'updated_at_shop%' ORDER BY relation::text COLLATE "C";
-- another column, another clock; neither of them there
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop', 'modified');
ALTER TABLE updated_at_shop.orders ADD modified timestamptz;
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop', 'modified', 'sun');
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop', column_name => 'modified', clock => 'wall');
SELECT arguments FROM steward_internal.upkeep_triggers WHERE trigger_name = 'steward_modified';
SELECT * FROM steward.updated_at_enable_schema('updated_at_nowhere');
-- by somebody who owns a table of them
CREATE ROLE regress_upkeep;
CREATE ROLE regress_upkeep_2;
GRANT ALL ON SCHEMA updated_at_enable, updated_at_shop TO regress_upkeep, regress_upkeep_2;
SELECT count(*) FROM steward.updated_at_disable('updated_at_shop.orders');
ALTER TABLE updated_at_shop.orders OWNER TO regress_upkeep;
SELECT count(*) FROM steward.updated_at_disable('updated_at_shop.items');
SET ROLE regress_upkeep;
SELECT * FROM steward.updated_at_enable_schema('updated_at_shop');
RESET ROLE;
SET client_min_messages = error;
DROP SCHEMA updated_at_shop CASCADE;
RESET client_min_messages;

--
-- Errors
--

CREATE TABLE t (id integer, n integer, updated_at timestamptz, by text);
SELECT steward.updated_at_enable('nothing');
SELECT steward.updated_at_enable('t', 'changed At');
SELECT steward.updated_at_enable('t', 'id');
SELECT steward.updated_at_enable('t', clock => 'sun');
SELECT steward.updated_at_enable('t', by => 'nobody');
SELECT steward.updated_at_enable('t', ignore => '{nobody}');
SELECT steward.updated_at_enable('t', keep => '{id,nobody}');
SELECT steward.updated_at_enable('t', 'ctid');
SELECT steward.updated_at_enable(NULL);
SELECT steward.updated_at_enable('t', NULL);
SELECT steward.updated_at_enable('t', clock => NULL);
SELECT steward.updated_at_enable('t', ignore => NULL);
SELECT steward.updated_at_enable('t', keep => '{id,NULL}');
SELECT steward.updated_at_enable('t', on_insert => NULL);
SELECT steward.updated_at_disable(NULL);
ALTER TABLE t OWNER TO regress_upkeep_2;
SET ROLE regress_upkeep;
SELECT steward.updated_at_enable('updated_at_enable.t');
SELECT steward.updated_at_disable('updated_at_enable.t');
RESET ROLE;
ALTER TABLE t OWNER TO CURRENT_USER;
-- nothing of that is left behind
SELECT * FROM triggers('t');
-- what is no table
CREATE VIEW v AS SELECT * FROM t;
SELECT steward.updated_at_enable('v');
CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
SELECT steward.updated_at_enable('m');
\set VERBOSITY sqlstate
SELECT steward.updated_at_enable('pg_catalog.pg_class', 'relname');
SELECT steward.updated_at_enable('pg_catalog.pg_class_oid_index', 'oid');
-- the functions behind are open to everybody: they see nothing and break nothing
SELECT steward_internal.trigger_arguments('\x61620063');
SELECT steward_internal.trigger_arguments('\x616263');
SELECT steward_internal.trigger_arguments('\xff00');
SELECT steward_internal.upkeep_check(0);
SELECT steward.updated_at_enable(0);
\set VERBOSITY default
SELECT steward_internal.trigger_arguments('\x'), steward_internal.trigger_arguments('\x610000c3a900'), steward_internal.trigger_arguments(NULL);

--
-- Attaching
--

-- once, again, otherwise, not any more
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_enable('t', clock => 'statement', by => 'by', ignore => '{n,id}', keep => '{id}', on_insert => true);
SELECT steward.updated_at_enable('t', clock => 'statement', by => 'by', ignore => '{n,id}', keep => '{id}', on_insert => true);
ALTER TABLE t DISABLE TRIGGER ALL;
SELECT steward.updated_at_enable('t', clock => 'statement', by => 'by', ignore => '{n,id}', keep => '{id}', on_insert => true);
ALTER TABLE t ENABLE REPLICA TRIGGER steward_updated_at;
SELECT steward.updated_at_enable('t', clock => 'statement', by => 'by', ignore => '{n,id}', keep => '{id}', on_insert => true);
ALTER TABLE t ENABLE ALWAYS TRIGGER steward_updated_at;
SELECT steward.updated_at_enable('t', clock => 'statement', by => 'by', ignore => '{n,id}', keep => '{id}', on_insert => true);
SELECT * FROM triggers('t');
SELECT steward.updated_at_disable('t', 'n');
SELECT steward.updated_at_disable('t', 'nothing');
SELECT steward.updated_at_disable('t');
SELECT steward.updated_at_disable('t');
-- triggers made by hand: by purpose, not by name
CREATE TRIGGER hand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
SELECT steward.updated_at_enable('t');
CREATE TRIGGER hand_2 BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_enable('t', clock => 'wall');
SELECT steward.updated_at_disable('t', 'updated_at');
CREATE TRIGGER hand AFTER INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_disable('t');
CREATE TRIGGER hand BEFORE UPDATE OF n ON t FOR EACH ROW WHEN (NEW.n > 0) EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_disable('t');
-- whatever way the column is written
CREATE TRIGGER hand BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('clock=wall', 'UPDATED_AT');
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_disable('t', 'updated_at');
SELECT * FROM triggers('t');
DROP TRIGGER IF EXISTS hand ON t;
-- several of one table
ALTER TABLE t ADD seen_at date, ADD "Created At" timestamp;
SELECT steward.updated_at_enable('t'), steward.updated_at_enable('t', 'seen_at', ignore => '{n}'), steward.updated_at_enable('t', 'Created At', keep => '{n,id}');
SELECT * FROM triggers('t');
SELECT steward.updated_at_disable('t', 'Created At');
SELECT steward.updated_at_disable('t');
-- inside a transaction that is rolled back
BEGIN;
SELECT count(*) FROM steward.updated_at_enable('t');
ROLLBACK;
SELECT * FROM triggers('t');

-- names of every kind
CREATE SCHEMA "Upkeep %s ""1""";
CREATE TABLE "Upkeep %s ""1"""."It's %I" (id integer, "Changed'At %1$s" timestamptz, "camelCase" timestamptz, "a=b" timestamptz, "clock=wall" timestamptz, "dot.ted" date, "back\slash" timestamptz, "by" text, "q""uote" text,
    "012345678901234567890123456789012345678901234567890123456789012" timestamptz, "éééééééééééééééééééééééééééééé" timestamptz);
CREATE PROCEDURE each_column(what text) LANGUAGE plpgsql AS $$
DECLARE
    c name;
    command text;
BEGIN
    FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = '"Upkeep %s ""1"""."It''s %I"'::regclass AND attnum > 1 AND NOT attisdropped AND atttypid <> 'text'::regtype ORDER BY attnum LOOP
        FOR command IN EXECUTE format('SELECT * FROM steward.updated_at_%s($1, $2%s)', what, CASE what WHEN 'enable' THEN $x$, by => 'q"uote', ignore => '{by}', keep => '{id}'$x$ ELSE '' END)
            USING '"Upkeep %s ""1"""."It''s %I"'::regclass, c LOOP
            RAISE INFO '%', command;
        END LOOP;
    END LOOP;
END $$;
CALL each_column('enable');
CALL each_column('enable');
INSERT INTO "Upkeep %s ""1"""."It's %I" (id) VALUES (1);
BEGIN;
SET LOCAL app.current_user_id = 'ann';
UPDATE "Upkeep %s ""1"""."It's %I" SET id = 2, by = 'x';
SELECT id, num_nonnulls("Changed'At %1$s", "camelCase") AS stamps, "q""uote" FROM "Upkeep %s ""1"""."It's %I";
DROP TRIGGER "steward_a=b" ON "Upkeep %s ""1"""."It's %I";
ALTER TABLE "Upkeep %s ""1"""."It's %I" ADD word text;
UPDATE "Upkeep %s ""1"""."It's %I" SET word = 'x';
SELECT num_nulls("Changed'At %1$s", "camelCase", "clock=wall", "dot.ted", "back\slash", "012345678901234567890123456789012345678901234567890123456789012", "éééééééééééééééééééééééééééééé") AS unstamped, "a=b" IS NULL AS dropped, "q""uote" FROM "Upkeep %s ""1"""."It's %I";
ROLLBACK;
SELECT steward.updated_at_enable('"Upkeep %s ""1"""."It''s %I"', 'nothing % there');
SET ROLE regress_upkeep;
SELECT count(*) FROM steward_internal.upkeep_triggers WHERE relation = (SELECT c.oid FROM pg_class c WHERE c.relname = 'It''s %I');
RESET ROLE;
CALL each_column('disable');
SET client_min_messages = error;
DROP SCHEMA "Upkeep %s ""1""" CASCADE;
RESET client_min_messages;
-- names of triggers stay apart where they are cut
SELECT octet_length(n), n FROM (SELECT steward_internal.upkeep_trigger_name(c)::text FROM unnest(ARRAY['a', repeat('x', 55), repeat('x', 56), repeat('x', 62) || 'a', repeat('x', 62) || 'b', repeat('é', 31)]) c) s (n);

-- with a hostile search path
CREATE SCHEMA updated_at_evil;
CREATE FUNCTION updated_at_evil.format(text, VARIADIC "any") RETURNS text LANGUAGE internal AS 'current_schema';
CREATE FUNCTION updated_at_evil.evil(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'evil'; END$$;
CREATE OPERATOR updated_at_evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = updated_at_evil.evil);
CREATE TABLE updated_at_evil.pg_trigger (a integer);
SET search_path = updated_at_evil, updated_at_enable, pg_catalog;
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_enable('t');
SET search_path = '';
SELECT steward.updated_at_enable('updated_at_enable.t');
SELECT steward.updated_at_disable('updated_at_enable.t');
SET search_path = updated_at_enable;
SET client_min_messages = error;
DROP SCHEMA updated_at_evil CASCADE;
RESET client_min_messages;
-- a session with other literals
DO $$
BEGIN
    -- what is off for ever from 19 on
    PERFORM set_config('escape_string_warning', 'off', false), set_config('standard_conforming_strings', 'off', false);
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
SET quote_all_identifiers = on;
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_enable('t');
DO $$
BEGIN
    PERFORM set_config('standard_conforming_strings', 'on', false), set_config('escape_string_warning', 'on', false);
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
RESET quote_all_identifiers;
SELECT steward.updated_at_enable('t');
SELECT steward.updated_at_disable('t');

--
-- Partitions and children
--

CREATE TABLE part (id integer, n integer, updated_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2) PARTITION BY LIST (n);
CREATE TABLE part_2_1 PARTITION OF part_2 FOR VALUES IN (1);
SELECT steward.updated_at_enable('part');
SELECT steward.updated_at_enable('part');
SELECT * FROM triggers('part');
-- asked of a partition whose table has it
SELECT steward.updated_at_enable('part_1');
SELECT steward.updated_at_enable('part_1', clock => 'wall');
SELECT steward.updated_at_disable('part_1');
SELECT steward.updated_at_enable('part_2_1');
-- disabled there: mended from there, and from above
ALTER TABLE part_1 DISABLE TRIGGER steward_updated_at;
ALTER TABLE part_2_1 DISABLE TRIGGER steward_updated_at;
SELECT steward.updated_at_enable('part_1');
SELECT steward.updated_at_enable('part');
SELECT * FROM triggers('part');
-- changed for all; attached later, detached
SELECT steward.updated_at_enable('part', ignore => '{n}');
CREATE TABLE part_3 (LIKE part);
ALTER TABLE part ATTACH PARTITION part_3 FOR VALUES IN (3);
ALTER TABLE part DETACH PARTITION part_1;
SELECT * FROM triggers('part');
-- one that brings a trigger of its own
SELECT steward.updated_at_enable('part_1');
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1);
SELECT steward.updated_at_disable('part_1');
CREATE TRIGGER other_name BEFORE UPDATE ON part_1 FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'clock=wall');
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1);
SELECT steward.updated_at_enable('part', ignore => '{n}');
SELECT * FROM triggers('part');
SELECT steward.updated_at_disable('part');
SELECT * FROM triggers('part');
-- from the leaf to the root
SELECT steward.updated_at_enable('part_1');
SELECT steward.updated_at_enable('part_2');
SELECT steward.updated_at_enable('part');
SELECT * FROM triggers('part');
SELECT count(*) >= 0 AS ok FROM steward.updated_at_disable('part');
-- a leaf of another owner
ALTER TABLE part OWNER TO regress_upkeep;
ALTER TABLE part_1 OWNER TO regress_upkeep_2;
ALTER TABLE part_2_1 OWNER TO regress_upkeep_2;
SET ROLE regress_upkeep;
SELECT steward.updated_at_enable('updated_at_enable.part');
RESET ROLE;
GRANT regress_upkeep_2 TO regress_upkeep;
ALTER TABLE part_2 OWNER TO regress_upkeep_2;
ALTER TABLE part_3 OWNER TO regress_upkeep_2;
SET ROLE regress_upkeep;
SELECT steward.updated_at_enable('updated_at_enable.part');
RESET ROLE;

CREATE TABLE animal (id integer, updated_at timestamptz);
CREATE TABLE animal_cat (lives integer) INHERITS (animal);
CREATE TABLE animal_dog (lives integer) INHERITS (animal);
CREATE TABLE animal_catdog () INHERITS (animal_cat, animal_dog);
SELECT steward.updated_at_enable('animal');
SELECT steward.updated_at_enable('animal');
CREATE TABLE animal_eel () INHERITS (animal);
SELECT steward.updated_at_enable('animal');
SELECT steward.updated_at_disable('animal_catdog');
SELECT steward.updated_at_disable('animal');

-- temporary tables
CREATE TEMP TABLE tmp (id integer, updated_at timestamptz);
CREATE TEMP TABLE tmp_child () INHERITS (tmp);
SELECT count(*) FROM steward.updated_at_enable('tmp');
SELECT count(*) FROM steward.updated_at_enable('tmp');
SELECT count(*) FROM steward.updated_at_disable('tmp');

-- a trigger follows a column that is renamed; without the column, writes fail until it goes, too
CREATE TABLE renamed (n integer, updated_at timestamptz, modified_at timestamptz);
SELECT count(*) FROM steward.updated_at_enable('renamed');
INSERT INTO renamed VALUES (1);
ALTER TABLE renamed RENAME updated_at TO changed_at;
UPDATE renamed SET n = 2;
SELECT n, changed_at IS NOT NULL AS stamped FROM renamed;
SELECT steward.updated_at_enable('renamed', 'changed_at');
ALTER TABLE renamed DROP changed_at;
UPDATE renamed SET n = 3;
SELECT steward.updated_at_enable('renamed', 'modified_at');
SELECT steward.updated_at_disable('renamed', 'changed_at');
SELECT steward.updated_at_enable('renamed', 'modified_at');
UPDATE renamed SET n = 3;
SELECT n, modified_at IS NOT NULL AS stamped FROM renamed;

RESET search_path;
SET client_min_messages = error;
DROP SCHEMA updated_at_enable CASCADE;
DROP OWNED BY regress_upkeep, regress_upkeep_2;
DROP ROLE regress_upkeep, regress_upkeep_2;
