-- Tables that have partitions or children, that change, and what attaches the triggers to them.
SET client_min_messages = error;
\set SHOW_CONTEXT never

CREATE SCHEMA audit_tables;

-- What the log has of one table; transactions are numbered from 1.
CREATE FUNCTION audit_tables.log(wanted name)
RETURNS TABLE (tx bigint, record_id text, operation text, old_values jsonb, new_values jsonb)
LANGUAGE sql AS $$
SELECT dense_rank() OVER (ORDER BY l.transaction_id), l.record_id, l.operation, l.old_values, l.new_values
  FROM steward.audit_log l
 WHERE l.table_schema = 'audit_tables' AND l.table_name = wanted
 ORDER BY l.transaction_id, l.seq
$$;
-- What the history of a row says, oldest first.
CREATE FUNCTION audit_tables.history(relation regclass, VARIADIC key text[]) RETURNS text
LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', h.operation, h.new_values), ', ' ORDER BY h.ordinality), 'nothing')
  FROM steward.audit_history(relation, VARIADIC key) WITH ORDINALITY h
$$;
-- The audit triggers of a table and those below it.
CREATE FUNCTION audit_tables.triggers(name) RETURNS TABLE (relation name, trigger name, enabled "char", arguments text)
LANGUAGE sql AS $$
SELECT c.relname, t.tgname, t.tgenabled, encode(t.tgargs, 'escape')
  FROM pg_class c
  LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
 WHERE c.relnamespace = 'audit_tables'::regnamespace AND c.relname LIKE $1 || '%' AND c.relkind IN ('r', 'p')
 ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C"
$$;
CREATE FUNCTION audit_tables.findings(wanted name, in_schema name DEFAULT 'audit_tables')
RETURNS TABLE (table_name name, finding text, detail text, remedy text)
LANGUAGE sql AS $$
SELECT c.table_name, c.finding, c.detail, c.remedy FROM steward.audit_coverage c
 WHERE c.table_schema = in_schema AND c.table_name LIKE wanted || '%' ORDER BY c.table_name COLLATE "C", c.finding COLLATE "C"
$$;
-- Runs the remedies of what is found, as one would who pastes them.
CREATE PROCEDURE audit_tables.mend(wanted name, in_schema name DEFAULT 'audit_tables') LANGUAGE plpgsql AS $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT * FROM audit_tables.findings(wanted, in_schema) WHERE remedy IS NOT NULL LOOP
        BEGIN
            -- one that another remedy has mended already needs none
            IF EXISTS (SELECT FROM audit_tables.findings(wanted, in_schema) n WHERE (n.table_name, n.finding) = (f.table_name, f.finding)) THEN
                EXECUTE f.remedy;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            RAISE INFO 'the remedy of "%" for % fails: %', f.finding, f.table_name, SQLERRM;
        END;
    END LOOP;
END $$;

--
-- Partitions
--

CREATE TABLE audit_tables.part (id integer, region text, amount numeric, junk text, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE audit_tables.part_eu PARTITION OF audit_tables.part FOR VALUES IN ('eu');
-- a leaf with other column numbers, one of them dropped
CREATE TABLE audit_tables.part_us (dropped text, junk text, amount numeric, gone integer, region text NOT NULL, id integer NOT NULL);
ALTER TABLE audit_tables.part_us DROP dropped, DROP gone;
ALTER TABLE audit_tables.part ATTACH PARTITION audit_tables.part_us FOR VALUES IN ('us');
-- a level more
CREATE TABLE audit_tables.part_asia PARTITION OF audit_tables.part FOR VALUES IN ('jp', 'in') PARTITION BY RANGE (id);
CREATE TABLE audit_tables.part_asia_1 PARTITION OF audit_tables.part_asia FOR VALUES FROM (0) TO (100);
ALTER TABLE audit_tables.part DROP junk;
SELECT steward.audit_enable('audit_tables.part');
SELECT * FROM audit_tables.triggers('part');
SELECT * FROM steward.audit_enable('audit_tables.part');

INSERT INTO audit_tables.part VALUES (1, 'eu', 1), (2, 'us', 2), (3, 'jp', 3);
INSERT INTO audit_tables.part_eu VALUES (4, 'eu', 4);
INSERT INTO audit_tables.part_us (id, region, amount) VALUES (5, 'us', 5);
INSERT INTO audit_tables.part_asia VALUES (6, 'in', 6);
UPDATE audit_tables.part SET amount = amount * 10;
UPDATE audit_tables.part_asia_1 SET amount = 61 WHERE id = 6;
DELETE FROM audit_tables.part_us WHERE id = 2;
-- rows that move
UPDATE audit_tables.part SET region = 'us' WHERE id = 1;
UPDATE audit_tables.part SET region = 'eu', amount = 55 WHERE id = 5;
UPDATE audit_tables.part_asia SET region = 'jp' WHERE id = 6;
UPDATE audit_tables.part SET region = CASE region WHEN 'eu' THEN 'us' ELSE 'eu' END WHERE id IN (1, 4, 5);
SELECT * FROM audit_tables.log('part');
-- what was written to a partition stands under the root
SELECT DISTINCT table_name FROM steward.audit_log WHERE table_schema = 'audit_tables' AND table_name LIKE 'part%';
-- their history is found from the root and from where they are, across moves
SELECT audit_tables.history('audit_tables.part', 'eu', '1');
SELECT audit_tables.history('audit_tables.part_eu', 'eu', '1') = audit_tables.history('audit_tables.part', 'eu', '1') AS same;
SELECT audit_tables.history('audit_tables.part', 'us', '5');
SELECT audit_tables.history('audit_tables.part', 'us', '4');
-- many rows that move at once each have their own past
CREATE TABLE audit_tables.move (id integer, bucket integer, PRIMARY KEY (id, bucket)) PARTITION BY LIST (bucket);
CREATE TABLE audit_tables.move_1 PARTITION OF audit_tables.move FOR VALUES IN (1);
CREATE TABLE audit_tables.move_2 PARTITION OF audit_tables.move FOR VALUES IN (2);
CREATE TABLE audit_tables.move_note (id integer, note text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.move'), steward.audit_enable('audit_tables.move_note'); END $$;
CREATE FUNCTION audit_tables.note_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_tables.move_note VALUES (OLD.id, 'left');
    IF OLD.id = 2 THEN
        INSERT INTO audit_tables.move VALUES (OLD.id + 100, 1);
    ELSIF OLD.id = 3 THEN
        UPDATE audit_tables.move SET bucket = 2 WHERE id = OLD.id + 47;
    END IF;
    RETURN NULL;
END $$;
-- fires behind the audit trigger, that is, between a row's departure and its arrival
CREATE TRIGGER zz_note_move AFTER DELETE ON audit_tables.move FOR EACH ROW EXECUTE FUNCTION audit_tables.note_move();
INSERT INTO audit_tables.move SELECT n, 1 FROM unnest('{1,2,3,50}'::integer[]) n;
UPDATE audit_tables.move SET bucket = 2 WHERE id <= 3;
SELECT h.key, (SELECT string_agg(concat_ws(' ', e.operation, e.record_id), ', ' ORDER BY e.ordinality)
                 FROM steward.audit_history('audit_tables.move', h.key, 2) WITH ORDINALITY e) AS history
  FROM unnest('{1,2,3,50}'::integer[]) AS h (key);
SELECT count(*) AS new_row_has_no_past FROM steward.audit_history('audit_tables.move', 102, 1);
-- a DELETE that is no move, and a row of the same key after it
DELETE FROM audit_tables.move WHERE id = 1;
INSERT INTO audit_tables.move VALUES (1, 1);
SELECT audit_tables.history('audit_tables.move', '1', '1') AS not_linked_to_2;

-- attached later: the row trigger comes by itself, the one for TRUNCATE is found missing
CREATE TABLE audit_tables.part_af (LIKE audit_tables.part);
ALTER TABLE audit_tables.part ATTACH PARTITION audit_tables.part_af FOR VALUES IN ('af');
CREATE TABLE audit_tables.part_oc PARTITION OF audit_tables.part FOR VALUES IN ('oc');
INSERT INTO audit_tables.part VALUES (7, 'af', 7), (8, 'oc', 8);
SELECT record_id, operation FROM audit_tables.log('part') WHERE record_id ~ '"id": [78]';
SELECT table_name, finding, detail FROM audit_tables.findings('part');
CALL audit_tables.mend('part');
SELECT * FROM audit_tables.findings('part');
SELECT * FROM audit_tables.triggers('part_af');
ALTER TABLE audit_tables.part DETACH PARTITION audit_tables.part_oc;
CREATE TABLE audit_tables.part_oc_2 PARTITION OF audit_tables.part FOR VALUES IN ('oc');
SELECT count(*) AS added_by_enable FROM steward.audit_enable('audit_tables.part');
SELECT * FROM audit_tables.findings('part_oc_2');
-- detached: no longer audited, and that is said
INSERT INTO audit_tables.part_oc VALUES (9, 'oc', 9);
SELECT finding FROM audit_tables.findings('part_oc');
CALL audit_tables.mend('part_oc');
INSERT INTO audit_tables.part_oc VALUES (10, 'oc', 10);
SELECT * FROM audit_tables.log('part_oc');
SELECT audit_tables.history('audit_tables.part', 'oc', '8');

-- A detached partition takes the history of its rows along
SELECT audit_tables.history('audit_tables.part_oc', 'oc', '8') AS before_it_was_detached;
INSERT INTO audit_tables.part VALUES (8, 'oc', 80);
UPDATE audit_tables.part_oc SET amount = 88 WHERE id = 8;
SELECT audit_tables.history('audit_tables.part_oc', 'oc', '8') AS its_own, audit_tables.history('audit_tables.part', 'oc', '8') AS of_another_row;
SELECT count(*) AS not_those_of_others FROM steward.audit_search('audit_tables.part_oc');
-- whatever then becomes of the columns, there and here
CREATE TABLE audit_tables.days (day integer, id integer, v text, PRIMARY KEY (day, id)) PARTITION BY LIST (day);
CREATE TABLE audit_tables.days_1 PARTITION OF audit_tables.days FOR VALUES IN (1);
CREATE TABLE audit_tables.days_2 PARTITION OF audit_tables.days FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE audit_tables.days_2_7 PARTITION OF audit_tables.days_2 FOR VALUES IN (7);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.days'); END $$;
INSERT INTO audit_tables.days VALUES (1, 7, 'a'), (2, 7, 'a');
UPDATE audit_tables.days SET v = 'b';
ALTER TABLE audit_tables.days DETACH PARTITION audit_tables.days_1 CONCURRENTLY;
ALTER TABLE audit_tables.days DETACH PARTITION audit_tables.days_2;
ALTER TABLE audit_tables.days RENAME id TO number;
ALTER TABLE audit_tables.days_1 RENAME day TO weekday;
ALTER TABLE audit_tables.days_1 RENAME TO days_one;
SELECT audit_tables.history(relation, key[1], key[2]), relation
  FROM (VALUES ('audit_tables.days_one'::regclass, '{1,7}'::text[]), ('audit_tables.days_2', '{2,7}'), ('audit_tables.days_2_7', '{2,7}')) AS detached(relation, key);
-- attached again, with what happened in between
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.days_one'); END $$;
UPDATE audit_tables.days_one SET v = 'c';
-- the server clones the root's trigger
SELECT * FROM steward.audit_disable('audit_tables.days_one');
ALTER TABLE audit_tables.days_one RENAME weekday TO day;
ALTER TABLE audit_tables.days_one RENAME id TO number;
ALTER TABLE audit_tables.days ATTACH PARTITION audit_tables.days_one FOR VALUES IN (1);
UPDATE audit_tables.days SET v = 'd';
SELECT audit_tables.history('audit_tables.days', '1', '7') AS whole, audit_tables.history('audit_tables.days_one', '1', '7') AS the_same;
-- and detached once more, with another row of the key in the transaction that does it
BEGIN;
ALTER TABLE audit_tables.days DETACH PARTITION audit_tables.days_one;
CREATE TABLE audit_tables.days_1 PARTITION OF audit_tables.days FOR VALUES IN (1);
INSERT INTO audit_tables.days SELECT * FROM audit_tables.days_one;
COMMIT;
DELETE FROM audit_tables.days;
SELECT audit_tables.history('audit_tables.days_one', '1', '7') AS without_the_copy, audit_tables.history('audit_tables.days', '1', '7') AS with_it;
-- not detached after all; and where each partition has a key of its own, it had its history, too
CREATE TABLE audit_tables.keyed (a integer, id integer) PARTITION BY LIST (a);
CREATE TABLE audit_tables.keyed_1 PARTITION OF audit_tables.keyed (PRIMARY KEY (id)) FOR VALUES IN (1);
CREATE TABLE audit_tables.keyed_2 PARTITION OF audit_tables.keyed FOR VALUES IN (2);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.keyed'); END $$;
INSERT INTO audit_tables.keyed VALUES (1, 7), (2, 8);
BEGIN;
SAVEPOINT s;
ALTER TABLE audit_tables.days DETACH PARTITION audit_tables.days_1;
ROLLBACK TO s;
ALTER TABLE audit_tables.keyed DETACH PARTITION audit_tables.keyed_1;
ALTER TABLE audit_tables.keyed DETACH PARTITION audit_tables.keyed_2;
COMMIT;
SELECT table_name, detached_from IS NOT NULL AS was_detached FROM steward.audit_tables
 WHERE table_schema = 'audit_tables' AND table_name ~ '^(days|keyed)' ORDER BY known_since, table_name COLLATE "C";
SELECT audit_tables.history('audit_tables.keyed_1', '7');
SELECT audit_tables.history('audit_tables.keyed_2', l.record_id) FROM steward.audit_log l WHERE l.table_schema = 'audit_tables' AND l.table_name = 'keyed' AND l.new_values = '{"a": 2, "id": 8}';

-- a partition whose trigger was silenced
ALTER TABLE audit_tables.part_eu DISABLE TRIGGER steward_audit;
SELECT finding FROM audit_tables.findings('part_eu');
CALL audit_tables.mend('part_eu');
SELECT finding FROM audit_tables.findings('part_eu');
ALTER TABLE audit_tables.part_eu DISABLE TRIGGER steward_audit;
SELECT count(*) > 0 AS mended_by_enable FROM steward.audit_enable('audit_tables.part');
SELECT finding FROM audit_tables.findings('part_eu');

-- what is asked of a partition belongs to its root
SELECT count(*) FROM steward.audit_enable('audit_tables.part_eu', exclude => '{amount}');
SELECT * FROM steward.audit_disable('audit_tables.part_eu');
SELECT * FROM audit_tables.triggers('part_eu');

-- TRUNCATE of a leaf, of a root, and what comes with CASCADE
TRUNCATE audit_tables.part_us;
TRUNCATE audit_tables.part;
CREATE TABLE audit_tables.owner (id integer PRIMARY KEY);
CREATE TABLE audit_tables.owned (id integer PRIMARY KEY, owner integer REFERENCES audit_tables.owner);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.owner'), steward.audit_enable('audit_tables.owned'); END $$;
TRUNCATE audit_tables.owner CASCADE;
SELECT dense_rank() OVER (ORDER BY transaction_id) AS tx, table_name FROM steward.audit_log
 WHERE table_schema = 'audit_tables' AND operation = 'TRUNCATE' ORDER BY transaction_id, table_name COLLATE "C";

-- however many partitions are met by however many statements, the root's name is noted once
CREATE VIEW audit_tables.names AS SELECT table_schema, table_name, count(*) FROM steward.audit_tables GROUP BY 1, 2;
CREATE TABLE audit_tables.wide (id integer, a text, PRIMARY KEY (id)) PARTITION BY LIST (id);
DO $$ BEGIN
    FOR n IN 1..50 LOOP
        EXECUTE format('CREATE TABLE audit_tables.wide_%s PARTITION OF audit_tables.wide FOR VALUES IN (%1$s)', n);
    END LOOP;
    PERFORM steward.audit_enable('audit_tables.wide');
END $$;
BEGIN;
SAVEPOINT s;
INSERT INTO audit_tables.wide SELECT n, 'undone' FROM generate_series(1, 50) n;
ROLLBACK TO s;
INSERT INTO audit_tables.wide SELECT n, 'first' FROM generate_series(1, 20) n;
INSERT INTO audit_tables.wide SELECT n, 'first' FROM generate_series(21, 50) n;
COMMIT;
WITH inner_write AS (UPDATE audit_tables.wide SET a = 'second' RETURNING id) SELECT count(*) FROM inner_write;
SELECT * FROM audit_tables.names WHERE table_schema = 'audit_tables' AND table_name LIKE 'wide%';
BEGIN;
ALTER TABLE audit_tables.wide RENAME TO wider;
SAVEPOINT s;
UPDATE audit_tables.wider SET a = 'undone';
ROLLBACK TO s;
UPDATE audit_tables.wider SET a = 'third';
DELETE FROM audit_tables.wider WHERE id > 25;
COMMIT;
DO $$ BEGIN DELETE FROM audit_tables.wider; END $$;
SELECT * FROM audit_tables.names WHERE table_schema = 'audit_tables' AND table_name LIKE 'wide%' ORDER BY table_name COLLATE "C";
SELECT table_name, operation, count(*) FROM steward.audit_log WHERE table_schema = 'audit_tables' AND table_name LIKE 'wide%'
 GROUP BY 1, 2 ORDER BY table_name COLLATE "C", operation COLLATE "C";

-- keys of partitions only
CREATE TABLE audit_tables.loose (id integer, a text) PARTITION BY LIST (id);
CREATE TABLE audit_tables.loose_1 PARTITION OF audit_tables.loose (PRIMARY KEY (id)) FOR VALUES IN (1);
CREATE TABLE audit_tables.loose_2 PARTITION OF audit_tables.loose FOR VALUES IN (2);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.loose'); END $$;
INSERT INTO audit_tables.loose VALUES (1, 'keyed'), (2, 'not keyed');
SELECT table_name, CASE WHEN length(record_id) = 16 THEN 'hash' ELSE record_id END AS record_id, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_tables' AND table_name LIKE 'loose%' ORDER BY transaction_id, seq;
SELECT table_name, finding FROM audit_tables.findings('loose');

-- a table that was audited before it became a partition
CREATE TABLE audit_tables.joiner (LIKE audit_tables.part INCLUDING ALL);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.joiner'); END $$;
INSERT INTO audit_tables.joiner VALUES (11, 'an', 11);
DO $$ BEGIN PERFORM steward.audit_disable('audit_tables.joiner'); END $$;
ALTER TABLE audit_tables.part ATTACH PARTITION audit_tables.joiner FOR VALUES IN ('an');
UPDATE audit_tables.part SET amount = 12 WHERE id = 11;
SELECT table_name, operation, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_tables' AND record_id ~ '"id": 11' ORDER BY transaction_id, seq;
SELECT audit_tables.history('audit_tables.joiner', 'an', '11');
-- and one that brings a trigger of its own
CREATE TABLE audit_tables.own (LIKE audit_tables.part INCLUDING ALL);
CREATE TRIGGER own AFTER INSERT OR UPDATE OR DELETE ON audit_tables.own FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=amount');
ALTER TABLE audit_tables.part ATTACH PARTITION audit_tables.own FOR VALUES IN ('me');
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('audit_tables.part');
INSERT INTO audit_tables.part VALUES (12, 'me', 12);
SELECT operation, new_values FROM steward.audit_log WHERE table_schema = 'audit_tables' AND record_id ~ '"id": 12' ORDER BY transaction_id, seq;

--
-- Inheritance
--

CREATE TABLE audit_tables.animal (id integer PRIMARY KEY, name text);
CREATE TABLE audit_tables.animal_cat (lives integer, PRIMARY KEY (id)) INHERITS (audit_tables.animal);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.animal'); END $$;
SELECT * FROM audit_tables.triggers('animal');
INSERT INTO audit_tables.animal VALUES (1, 'Rex');
INSERT INTO audit_tables.animal_cat VALUES (1, 'Tom', 9);
UPDATE audit_tables.animal SET name = upper(name);
SELECT table_name, operation, record_id, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_tables' AND table_name LIKE 'animal%' ORDER BY transaction_id, seq;
CREATE TABLE audit_tables.animal_dog () INHERITS (audit_tables.animal);
SELECT table_name, finding FROM audit_tables.findings('animal');
CALL audit_tables.mend('animal_dog');
SELECT table_name, finding FROM audit_tables.findings('animal');
SELECT count(*) FROM steward.audit_disable('audit_tables.animal');
SELECT * FROM audit_tables.triggers('animal');

--
-- Columns that come, go and change, in a session that goes on writing
--

CREATE TABLE audit_tables.shape (id integer PRIMARY KEY, a text, b integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.shape'); END $$;
PREPARE put AS INSERT INTO audit_tables.shape (id, a) VALUES ($1, 'a');
EXECUTE put (1);
ALTER TABLE audit_tables.shape ADD c text DEFAULT 'fast';
EXECUTE put (2);
UPDATE audit_tables.shape SET c = 'slow' WHERE id = 1;
ALTER TABLE audit_tables.shape DROP b;
EXECUTE put (3);
ALTER TABLE audit_tables.shape ALTER a TYPE integer USING length(a);
INSERT INTO audit_tables.shape (id, a) VALUES (4, 4);
ALTER TABLE audit_tables.shape RENAME a TO "A";
UPDATE audit_tables.shape SET "A" = 5 WHERE id = 4;
ALTER TABLE audit_tables.shape ADD b integer DEFAULT 7, ADD d timestamptz DEFAULT '2026-01-01 00:00+00';
DELETE FROM audit_tables.shape;
SELECT record_id, operation, old_values, new_values FROM audit_tables.log('shape');
-- in one transaction, and back
BEGIN;
INSERT INTO audit_tables.shape (id) VALUES (5);
ALTER TABLE audit_tables.shape ADD e text DEFAULT 'e';
INSERT INTO audit_tables.shape (id) VALUES (6);
SAVEPOINT s;
ALTER TABLE audit_tables.shape DROP c;
INSERT INTO audit_tables.shape (id) VALUES (7);
ROLLBACK TO s;
INSERT INTO audit_tables.shape (id) VALUES (8);
COMMIT;
SELECT record_id, new_values FROM audit_tables.log('shape') WHERE operation = 'INSERT' AND record_id::integer > 4;
DEALLOCATE put;

-- generated and identity columns
CREATE TABLE audit_tables.made (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n integer, twice integer GENERATED ALWAYS AS (n * 2) STORED, at integer GENERATED BY DEFAULT AS IDENTITY (START 100));
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.made'); END $$;
INSERT INTO audit_tables.made (n) VALUES (1), (2);
INSERT INTO audit_tables.made (id, n) OVERRIDING SYSTEM VALUE VALUES (10, 3);
UPDATE audit_tables.made SET n = 4 WHERE id = 1;
SELECT record_id, operation, old_values, new_values FROM audit_tables.log('made');

-- virtual ones are not stored, neither in the table nor in the log; older servers have a stored one to leave out
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 180000 THEN
        EXECUTE 'CREATE TABLE audit_tables.virtual (id integer PRIMARY KEY, a text GENERATED ALWAYS AS (n::text || ''!'') VIRTUAL, n integer)';
        PERFORM steward.audit_enable('audit_tables.virtual');
    ELSE
        EXECUTE 'CREATE TABLE audit_tables.virtual (id integer PRIMARY KEY, a text GENERATED ALWAYS AS (n::text || ''!'') STORED, n integer)';
        PERFORM steward.audit_enable('audit_tables.virtual', exclude => '{a}');
    END IF;
END $$;
INSERT INTO audit_tables.virtual (id, n) VALUES (1, 1);
UPDATE audit_tables.virtual SET n = 2;
UPDATE audit_tables.virtual SET id = 2;
DELETE FROM audit_tables.virtual;
SELECT record_id, operation, old_values, new_values FROM audit_tables.log('virtual');

-- options name what there is: a trigger that does not is found, with a command that runs
CREATE TABLE audit_tables.options (id integer PRIMARY KEY, a text, b text);
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON audit_tables.options FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=b,"No such"');
INSERT INTO audit_tables.options VALUES (1, 'a', 'b');
SELECT finding, detail, remedy FROM audit_tables.findings('options') WHERE finding = 'unknown column';
CALL audit_tables.mend('options');
SELECT * FROM audit_tables.findings('options');
INSERT INTO audit_tables.options VALUES (1, 'a', 'b');
SELECT record_id, new_values FROM audit_tables.log('options');
-- what was to be redacted may be there under another name: nothing is recorded of it
DO $$ BEGIN PERFORM steward.audit_disable('audit_tables.options'); END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON audit_tables.options FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=b', 'redact=card');
SELECT finding, detail, remedy FROM audit_tables.findings('options') WHERE finding = 'unknown column';
CALL audit_tables.mend('options');
INSERT INTO audit_tables.options VALUES (2, '4111 1111 1111 1111', 'b');
SELECT record_id, new_values FROM audit_tables.log('options');

--
-- Names that change
--

CREATE SCHEMA audit_tables_two;
CREATE TABLE audit_tables.name_one (id integer CONSTRAINT name_key_1 PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.name_one'); END $$;
INSERT INTO audit_tables.name_one VALUES (1, 'one');
ALTER TABLE audit_tables.name_one RENAME TO name_two;
INSERT INTO audit_tables.name_two VALUES (2, 'two');
ALTER TABLE audit_tables.name_two SET SCHEMA audit_tables_two;
INSERT INTO audit_tables_two.name_two VALUES (3, 'moved');
ALTER SCHEMA audit_tables_two RENAME TO audit_tables_three;
INSERT INTO audit_tables_three.name_two VALUES (4, 'schema renamed');
-- renamed and not: what was rolled back is not a name
BEGIN;
ALTER TABLE audit_tables_three.name_two RENAME TO never;
INSERT INTO audit_tables_three.never VALUES (5, 'never');
ROLLBACK;
INSERT INTO audit_tables_three.name_two VALUES (5, 'as before');
BEGIN;
INSERT INTO audit_tables_three.name_two VALUES (6, 'before, in one transaction');
SAVEPOINT s;
ALTER TABLE audit_tables_three.name_two RENAME TO never;
INSERT INTO audit_tables_three.never VALUES (7, 'never');
ROLLBACK TO s;
ALTER TABLE audit_tables_three.name_two RENAME TO name_three;
INSERT INTO audit_tables_three.name_three VALUES (7, 'after, in one transaction');
COMMIT;
SELECT table_schema, table_name, record_id, new_values ->> 'a' AS a FROM steward.audit_log
 WHERE table_schema LIKE 'audit_tables%' AND table_name LIKE 'name%' OR table_name = 'never' ORDER BY transaction_id, seq;
-- one identity
SELECT count(DISTINCT table_id), count(*) = (SELECT count(*) FROM steward.audit_log WHERE table_schema LIKE 'audit_tables%' AND table_name LIKE 'name%') AS each_once
  FROM steward.audit_entries WHERE table_id = steward_internal.audit_table_id('audit_tables_three.name_three');
SELECT count(*) FROM steward.audit_history('audit_tables_three.name_three', 1);
SELECT table_schema, table_name FROM steward.audit_tables
 WHERE table_id = steward_internal.audit_table_id('audit_tables_three.name_three') ORDER BY known_since;

-- another table of the same name is another table
CREATE TABLE audit_tables.name_one (id integer CONSTRAINT name_key_2 PRIMARY KEY, b integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.name_one'); END $$;
INSERT INTO audit_tables.name_one VALUES (1, 1);
DROP TABLE audit_tables.name_one;
CREATE TABLE audit_tables.name_one (id integer CONSTRAINT name_key_3 PRIMARY KEY, c integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.name_one'); END $$;
INSERT INTO audit_tables.name_one VALUES (1, 2);
-- swapped under the feet of a session that knows both
ALTER TABLE audit_tables_three.name_three SET SCHEMA audit_tables;
BEGIN;
ALTER TABLE audit_tables.name_one RENAME TO name_swap;
ALTER TABLE audit_tables.name_three RENAME TO name_one;
ALTER TABLE audit_tables.name_swap RENAME TO name_three;
COMMIT;
INSERT INTO audit_tables.name_one VALUES (8, 'a has text');
INSERT INTO audit_tables.name_three VALUES (2, 3);
SELECT operation, new_values, dense_rank() OVER (ORDER BY table_id) > 0 AS known FROM steward.audit_entries
 WHERE table_schema = 'audit_tables' AND table_name IN ('name_one', 'name_three') ORDER BY transaction_id, seq;
SELECT audit_tables.history('audit_tables.name_one', '1');
SELECT audit_tables.history('audit_tables.name_three', '1');

--
-- Other tables
--

CREATE UNLOGGED TABLE audit_tables.unlogged (id integer PRIMARY KEY);
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.unlogged'); END $$;
INSERT INTO audit_tables.unlogged VALUES (1);
SELECT operation, new_values FROM audit_tables.log('unlogged');
CREATE TABLE audit_tables.secured (id integer PRIMARY KEY);
ALTER TABLE audit_tables.secured ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables.secured'); END $$;
INSERT INTO audit_tables.secured VALUES (1);
SELECT operation, new_values FROM audit_tables.log('secured');
-- a hundred tables that come and go leave no memory behind
CREATE PROCEDURE audit_tables.come_and_go(times integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..times LOOP
        CREATE TABLE audit_tables.passing (id integer PRIMARY KEY);
        CREATE TRIGGER audit AFTER INSERT ON audit_tables.passing FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
        INSERT INTO audit_tables.passing VALUES (1);
        DROP TABLE audit_tables.passing;
        COMMIT;
    END LOOP;
END $$;
CALL audit_tables.come_and_go(5);
SELECT count(*) AS before FROM pg_backend_memory_contexts WHERE name = 'audited table' \gset
CALL audit_tables.come_and_go(100);
SELECT count(*) - :before < 20 AS memory_given_back FROM pg_backend_memory_contexts WHERE name = 'audited table';

--
-- Enabling again, with other options, under other names
--

CREATE TABLE audit_tables.again (id integer PRIMARY KEY, a text, b text);
SELECT count(*) FROM steward.audit_enable('audit_tables.again', exclude => '{a}');
SELECT count(*) FROM steward.audit_enable('audit_tables.again', exclude => '{a}');
SELECT * FROM steward.audit_enable('audit_tables.again', exclude => '{b}');
SELECT * FROM steward.audit_enable('audit_tables.again', exclude => '{b}', always => false) ORDER BY audit_enable COLLATE "C";
SELECT * FROM audit_tables.triggers('again');
SELECT count(*) FROM steward.audit_enable('audit_tables.again', exclude => '{b}', always => false);
SELECT count(*) FROM steward.audit_disable('audit_tables.again');
SELECT count(*) FROM steward.audit_disable('audit_tables.again');
-- what a migration attached under its own name counts, however it writes the list
CREATE TRIGGER zz_audit AFTER INSERT OR UPDATE OR DELETE ON audit_tables.again FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=a');
SELECT * FROM steward.audit_enable('audit_tables.again', exclude => '{a}', always => false);
SELECT * FROM audit_tables.triggers('again');
INSERT INTO audit_tables.again VALUES (1, 'a', 'b');
SELECT count(*) FROM audit_tables.log('again');
-- the log stays
SELECT count(*) FROM steward.audit_disable('audit_tables.again');
UPDATE audit_tables.again SET b = 'B';
SELECT audit_tables.history('audit_tables.again', '1');

--
-- A whole schema
--

CREATE SCHEMA audit_tables_all;
CREATE TABLE audit_tables_all.a (id integer PRIMARY KEY);
CREATE TABLE audit_tables_all."B" (id integer);
CREATE TABLE audit_tables_all.c (id integer PRIMARY KEY, x text);
CREATE TABLE audit_tables_all.p (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE audit_tables_all.p1 PARTITION OF audit_tables_all.p FOR VALUES IN (1);
CREATE VIEW audit_tables_all.v AS SELECT 1;
CREATE ROLE regress_audit_tables;
GRANT ALL ON SCHEMA audit_tables_all TO regress_audit_tables;
CREATE TABLE audit_tables_all.d (id integer PRIMARY KEY);
ALTER TABLE audit_tables_all.d OWNER TO regress_audit_tables;
CREATE TRIGGER own AFTER INSERT OR UPDATE OR DELETE ON audit_tables_all.c FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=x');
SET ROLE regress_audit_tables;
SELECT * FROM steward.audit_enable_schema('audit_tables_all');
RESET ROLE;
SELECT * FROM steward.audit_enable_schema('audit_tables_all');
SELECT * FROM steward.audit_enable_schema('audit_tables_all');
SELECT * FROM steward.audit_enable_schema('audit_tables_all', capture => 'everything');
SELECT * FROM steward.audit_enable_schema(NULL);
SELECT * FROM steward.audit_enable_schema('steward') LIMIT 1;

--
-- Coverage: each finding, and that its remedy works
--

-- after audit_enable_schema() what is left is what a schema's default could not decide
SELECT table_name, finding FROM audit_tables.findings('', 'audit_tables_all');
DO $$ BEGIN PERFORM steward.audit_enable('audit_tables_all.c', exclude => '{x}'); END $$;
ALTER TABLE audit_tables_all."B" ADD PRIMARY KEY (id);
SELECT * FROM audit_tables.findings('', 'audit_tables_all');

CREATE FOREIGN DATA WRAPPER regress_audit_wrapper;
CREATE SERVER regress_audit_server FOREIGN DATA WRAPPER regress_audit_wrapper;
CREATE FOREIGN TABLE audit_tables_all.far (id integer) SERVER regress_audit_server;
CREATE TABLE audit_tables_all."New one" (id integer PRIMARY KEY);
CREATE TEMPORARY TABLE not_reported (id integer);
ALTER TABLE audit_tables_all.a DISABLE TRIGGER steward_audit, DISABLE TRIGGER steward_audit_truncate;
ALTER TABLE audit_tables_all."B" ENABLE TRIGGER steward_audit;
ALTER TABLE audit_tables_all.c ENABLE REPLICA TRIGGER own;
DROP TRIGGER steward_audit_truncate ON audit_tables_all.c;
ALTER TABLE audit_tables_all.d DROP CONSTRAINT d_pkey;
ALTER TABLE ONLY audit_tables_all.p DISABLE TRIGGER steward_audit;
SELECT * FROM audit_tables.findings('', 'audit_tables_all');
DROP FOREIGN DATA WRAPPER regress_audit_wrapper CASCADE;
-- what is unique and never null can stand in for a key
CREATE UNIQUE INDEX "D's key" ON audit_tables_all.d (id);
ALTER TABLE audit_tables_all.d ALTER id SET NOT NULL;
SELECT * FROM audit_tables.findings('d', 'audit_tables_all');
DROP INDEX audit_tables_all."D's key";
ALTER TABLE audit_tables_all.d ADD PRIMARY KEY (id);
CALL audit_tables.mend('', 'audit_tables_all');
SELECT table_name, finding FROM audit_tables.findings('', 'audit_tables_all');

-- triggers that leave something out; the remedy keeps what the trigger was told
SET steward.audit_redaction_key = 'regress secret';
CREATE TABLE audit_tables_all.e (id integer PRIMARY KEY, card text, a text);
CREATE TRIGGER part_of_it AFTER UPDATE OF a ON audit_tables_all.e FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('redact=card');
CREATE TABLE audit_tables_all.f (id integer PRIMARY KEY, a text);
CREATE TRIGGER part_of_it AFTER INSERT OR UPDATE OR DELETE ON audit_tables_all.f FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION steward.audit_trigger();
CREATE TABLE audit_tables_all.g (id integer PRIMARY KEY, a text, b text, "C" text);
CREATE TRIGGER part_of_it AFTER INSERT OR UPDATE OR DELETE ON audit_tables_all.g FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('include= A, "b"');
CREATE TABLE audit_tables_all.h (id integer PRIMARY KEY);
CREATE TRIGGER part_of_it BEFORE INSERT OR UPDATE OR DELETE ON audit_tables_all.h FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
SELECT table_name, finding, detail FROM audit_tables.findings('', 'audit_tables_all');
CALL audit_tables.mend('', 'audit_tables_all');
SELECT table_name, finding, detail FROM audit_tables.findings('', 'audit_tables_all');
INSERT INTO audit_tables_all.e VALUES (1, '4111', 'a');
SELECT count(*) AS audited, count(*) FILTER (WHERE new_values ->> 'card' LIKE 'hmac:%') AS redacted
  FROM steward.audit_log WHERE table_schema = 'audit_tables_all' AND table_name = 'e';
-- two triggers of which one or both are silent
CREATE TABLE audit_tables_all.i (id integer PRIMARY KEY, a text, b text);
CREATE TRIGGER one AFTER INSERT OR UPDATE OR DELETE ON audit_tables_all.i FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=b');
CREATE TRIGGER two AFTER INSERT OR UPDATE OR DELETE ON audit_tables_all.i FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=a');
ALTER TABLE audit_tables_all.i DISABLE TRIGGER one, DISABLE TRIGGER two;
CALL audit_tables.mend('i', 'audit_tables_all');
SELECT table_name, finding FROM audit_tables.findings('i', 'audit_tables_all');
ALTER TABLE audit_tables_all.i DISABLE TRIGGER two;
SELECT table_name, finding, detail FROM audit_tables.findings('i', 'audit_tables_all');
ALTER TABLE audit_tables_all.i ENABLE REPLICA TRIGGER two;
SELECT table_name, finding, detail FROM audit_tables.findings('i', 'audit_tables_all');
CALL audit_tables.mend('i', 'audit_tables_all');
SELECT table_name, finding FROM audit_tables.findings('i', 'audit_tables_all');
INSERT INTO audit_tables_all.i VALUES (1, 'a', 'b');
SELECT new_values FROM steward.audit_log WHERE table_schema = 'audit_tables_all' AND table_name = 'i' ORDER BY transaction_id, seq;
-- a table of an extension is its own affair, a table of ours too
SELECT count(*) FROM steward.audit_coverage WHERE table_schema IN ('steward', 'pg_catalog', 'information_schema') OR table_schema LIKE 'pg%';

DROP TABLE not_reported;
DROP SCHEMA audit_tables, audit_tables_three, audit_tables_all CASCADE;
DROP ROLE regress_audit_tables;
