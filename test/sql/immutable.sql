-- immutable: columns that stay as they were inserted.
\set SHOW_CONTEXT never

CREATE TABLE orders (
    id           bigint PRIMARY KEY,
    order_number text NOT NULL,
    customer_id  bigint NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    status       text NOT NULL DEFAULT 'new'
);
SELECT steward.immutable_enable('orders', '{order_number,customer_id,created_at}');

INSERT INTO orders (id, order_number, customer_id) VALUES (1, 'A-1', 17);
UPDATE orders SET status = 'paid', customer_id = 17 WHERE id = 1;  -- sets what is there already
UPDATE orders SET customer_id = 18 WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
UPDATE orders SET created_at = 'infinity';
SELECT customer_id, status FROM orders;
-- again: nothing to do; other columns; as a migration has it
SELECT steward.immutable_enable('orders', '{order_number,customer_id,created_at}');
SELECT steward.immutable_enable('orders', '{id}', dry_run => true);
SELECT steward.immutable_enable('orders', '{id}');
UPDATE orders SET id = 2;
SELECT steward.immutable_disable('orders');
UPDATE orders SET id = 2, customer_id = 18;
DROP TABLE orders;

CREATE SCHEMA "Immutable";
SET search_path = "Immutable";

--
-- Errors
--

CREATE TABLE t (id integer PRIMARY KEY, n integer, a text, g integer GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO t VALUES (1, 1, 'a');
SELECT steward.immutable_trigger();
SELECT steward.immutable_enable('t', '{}');
SELECT steward.immutable_enable('t', NULL);
SELECT steward.immutable_enable('t', '{a,NULL}');
SELECT steward.immutable_enable(NULL, '{a}');
SELECT steward.immutable_enable('t', '{a,A}');
SELECT steward.immutable_enable('t', '{ctid}');
SELECT steward.immutable_enable('t', '{g}');
SELECT steward.immutable_enable('t', '{a}', NULL);
SELECT steward.immutable_enable('pg_class', '{relname}', dry_run => true);
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger();
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger('a', 'once=n');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger('a', 'nothing');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger('g');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger('a');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE TRIGGER a AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.immutable_trigger('a');
UPDATE t SET n = 2;
DROP TRIGGER a ON t;
CREATE ROLE regress_immutable;
SELECT 't'::regclass::oid AS t \gset
\set VERBOSITY terse
SET ROLE regress_immutable;
SELECT steward.immutable_enable(:t, '{a}');
RESET ROLE;
\set VERBOSITY default
DROP TABLE t;

--
-- Values: what is stored decides
--

CREATE TABLE v (id integer PRIMARY KEY, n numeric, f float8, txt text, j json, jb jsonb, arr integer[], ch char(5), b bytea, dropped text, other integer);
ALTER TABLE v DROP dropped;
ALTER TABLE v ALTER txt SET STORAGE EXTERNAL;
SELECT count(*) FROM steward.immutable_enable('v', '{id,n,f,txt,j,jb,arr,ch,b}');
INSERT INTO v VALUES (1, 1.0, 0.1, repeat('long text', 10000), '{"a": 1}', '{"b": 1, "a": 2}', '{1,2}', 'ab', '\x00', 1);
INSERT INTO v (id) VALUES (2);
-- the same, set and read in other ways
UPDATE v SET id = id, n = 1.0, f = 0.1, txt = repeat('long text', 10000), j = '{"a": 1}', jb = '{"a": 2, "b": 1}', arr = ARRAY[1, 2], ch = 'ab   ', b = '\x00' WHERE id = 1;
UPDATE v SET n = NULL, txt = NULL, other = 1 WHERE id = 2;
UPDATE v SET other = other + 1;
CREATE PROCEDURE refused(command text) LANGUAGE plpgsql AS $$
DECLARE
    column_name text;
    table_name text;
BEGIN
    EXECUTE command;
    RAISE INFO 'changed: %', command;
EXCEPTION WHEN restrict_violation THEN
    GET STACKED DIAGNOSTICS column_name = COLUMN_NAME, table_name = TABLE_NAME;
    RAISE INFO '% (%.%)', SQLERRM, table_name, column_name;
END $$;
CALL refused('UPDATE v SET n = 1.00 WHERE id = 1');
CALL refused('UPDATE v SET n = NULL WHERE id = 1');
CALL refused('UPDATE v SET n = 0 WHERE id = 2');
CALL refused('UPDATE v SET f = ''-0'', j = ''{"a":1}'' WHERE id = 1');
CALL refused('UPDATE v SET j = ''{"a":1}'' WHERE id = 1');
CALL refused('UPDATE v SET txt = ''X'' || substr(txt, 2) WHERE id = 1');
CALL refused('UPDATE v SET txt = txt || ''x'' WHERE id = 1');
CALL refused('UPDATE v SET arr[2] = 3 WHERE id = 1');
CALL refused('UPDATE v SET jb[''a''] = ''3'' WHERE id = 1');
CALL refused('UPDATE v SET id = 3 WHERE id = 1');
CALL refused('INSERT INTO v (id, n) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET n = excluded.n');
CALL refused('INSERT INTO v (id, n) VALUES (1, 1.0) ON CONFLICT (id) DO UPDATE SET n = excluded.n');
CALL refused('MERGE INTO v USING (VALUES (1)) s(id) ON s.id = v.id WHEN MATCHED THEN UPDATE SET ch = ''b''');
CREATE VIEW w AS SELECT other AS renamed, txt AS words, id FROM v;
CALL refused('UPDATE w SET words = '''' WHERE id = 1');
CALL refused('UPDATE w SET renamed = 7 WHERE id = 1');
-- all of a statement, or nothing
CALL refused('UPDATE v SET other = 9, n = CASE id WHEN 2 THEN 5 ELSE n END');
SELECT id, other FROM v ORDER BY id;
BEGIN;
SAVEPOINT s;
UPDATE v SET n = 2;
ROLLBACK TO s;
UPDATE v SET other = 5 WHERE id = 1 RETURNING other;
COMMIT;

--
-- Other triggers: those that fire first are seen through, for those that fire later see the manual
--

CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.txt := ''meddled''; RETURN NEW; END';
CREATE TRIGGER a_first BEFORE UPDATE ON v FOR EACH ROW EXECUTE FUNCTION meddle();
CALL refused('UPDATE v SET other = 6');
ALTER TABLE v DISABLE TRIGGER a_first;
CALL refused('UPDATE v SET other = 6');
ALTER TABLE v ENABLE REPLICA TRIGGER a_first;
CALL refused('UPDATE v SET other = 7');
DROP TRIGGER a_first ON v;
CREATE TRIGGER z_last BEFORE UPDATE ON v FOR EACH ROW EXECUTE FUNCTION meddle();
CALL refused('UPDATE v SET other = 8');
DROP TABLE v CASCADE;

--
-- Keys, foreign keys, partitions, children, column privileges, hostile paths
--

CREATE TABLE parent (id integer PRIMARY KEY);
CREATE TABLE ref (id integer PRIMARY KEY, up integer REFERENCES parent ON UPDATE CASCADE ON DELETE SET NULL);
SELECT count(*) FROM steward.immutable_enable('ref', '{up}');
INSERT INTO parent VALUES (1), (2);
INSERT INTO ref VALUES (1, 1);
CALL refused('UPDATE parent SET id = 3 WHERE id = 1');
CALL refused('DELETE FROM parent WHERE id = 1');
CALL refused('DELETE FROM parent WHERE id = 2');
DROP TABLE ref, parent;

CREATE TABLE parted (filler text, id integer, kept text, n integer) PARTITION BY LIST (n);
CREATE TABLE part_2 (n integer, kept text, id integer, filler text);
ALTER TABLE parted ATTACH PARTITION part_2 FOR VALUES IN (2);
ALTER TABLE parted DROP filler;
CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1);
SELECT count(*) FROM steward.immutable_enable('parted', '{kept}');
INSERT INTO parted VALUES (1, 'one', 1), (2, 'two', 2);
CALL refused('UPDATE parted SET kept = ''x'' WHERE id = 2');
CALL refused('UPDATE part_2 SET kept = ''x''');
CALL refused('UPDATE parted SET n = 3 - n');
CALL refused('UPDATE parted SET n = 3 - n, kept = ''x'' WHERE id = 1');
SELECT tableoid::regclass, * FROM parted ORDER BY id;
DROP TABLE parted;

CREATE TABLE base (id integer, "Kept At" date);
CREATE TABLE child (more text) INHERITS (base);
SELECT steward.immutable_enable('base', ARRAY['Kept At', 'id']);
INSERT INTO child VALUES (1, '2026-01-01');
CALL refused('UPDATE base SET "Kept At" = NULL');
-- renamed and dropped
ALTER TABLE base RENAME "Kept At" TO "kept, =too";
CALL refused('UPDATE base SET "kept, =too" = NULL');
ALTER TABLE base DROP id;
CALL refused('UPDATE child SET more = ''x''');
CALL refused('UPDATE base SET "kept, =too" = NULL');
ALTER TABLE base DROP "kept, =too";
SELECT severity, object, remedy FROM steward.findings WHERE object LIKE '"Immutable"%' AND finding = 'upkeep_trigger' ORDER BY object COLLATE "C";
UPDATE child SET more = 'y';
SELECT steward.immutable_disable('base');
UPDATE child SET more = 'y';
DROP TABLE base, child;

CREATE TABLE granted (id integer, kept text, n integer);
INSERT INTO granted VALUES (1, 'secret', 1);
SELECT count(*) FROM steward.immutable_enable('granted', '{kept}');
GRANT USAGE, CREATE ON SCHEMA "Immutable" TO regress_immutable;
GRANT UPDATE (kept, n), SELECT (n) ON granted TO regress_immutable;
SET ROLE regress_immutable;
CREATE FUNCTION text_eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = text_eq);
SET search_path = "Immutable", pg_catalog;
UPDATE granted SET n = 2;
UPDATE granted SET kept = 'guess';
RESET ROLE;
SET search_path = "Immutable";
-- what a replica applies is the publisher's affair
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE granted SET kept = 'replicated';
ALTER TABLE granted ENABLE ALWAYS TRIGGER steward_immutable;
UPDATE granted SET kept = 'again';
ROLLBACK;

SET client_min_messages = warning;
DROP SCHEMA "Immutable" CASCADE;
DROP ROLE regress_immutable;
