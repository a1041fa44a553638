-- append_only: the trigger, and what attaches it; its event store is in event_store.
\set SHOW_CONTEXT never

CREATE TABLE ledger (
    id     bigint PRIMARY KEY,
    amount numeric(10, 2) NOT NULL
);
SELECT steward.append_only_enable('ledger');

INSERT INTO ledger VALUES (1, 99.90);
UPDATE ledger SET amount = 9.99;
DELETE FROM ledger;
TRUNCATE ledger;
INSERT INTO ledger VALUES (2, -99.90);
SELECT sum(amount) FROM ledger;
-- who may all the same
CREATE ROLE regress_append_archivist;
GRANT SELECT, DELETE ON ledger TO regress_append_archivist;
SELECT steward.append_only_enable('ledger', allow => '{regress_append_archivist}');
DELETE FROM ledger;
SET ROLE regress_append_archivist;
DELETE FROM ledger WHERE id = 1;
RESET ROLE;
-- as a migration has it
SELECT steward.append_only_disable('ledger');
CREATE TRIGGER steward_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger();
CREATE TRIGGER steward_append_only_truncate BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION steward.append_only_trigger();
SELECT steward.append_only_enable('ledger');
ALTER TABLE ledger ENABLE ALWAYS TRIGGER steward_append_only;
ALTER TABLE ledger ENABLE ALWAYS TRIGGER steward_append_only_truncate;
SELECT steward.append_only_enable('ledger');
SELECT steward.append_only_disable('ledger');
DELETE FROM ledger;
DROP TABLE ledger;

CREATE SCHEMA append_only;
SET search_path = append_only;
CREATE ROLE regress_append_owner;
CREATE ROLE regress_append_member IN ROLE regress_append_archivist;
CREATE ROLE regress_append_super SUPERUSER;
CREATE ROLE "Regress Append, ""2""";
CREATE ROLE regress_append_writer;
GRANT ALL ON SCHEMA append_only TO PUBLIC;

--
-- Errors
--

CREATE TABLE t (id integer PRIMARY KEY, n integer);
INSERT INTO t VALUES (1, 1);
SELECT steward.append_only_trigger();
CREATE TRIGGER a AFTER UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger();
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION steward.append_only_trigger();
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger();
INSERT INTO t VALUES (2, 2);
DROP TRIGGER a ON t;
CREATE TRIGGER a AFTER TRUNCATE ON t EXECUTE FUNCTION steward.append_only_trigger();
TRUNCATE t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('regress_append_owner');
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('allow=postgres,');
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('Allow=postgres');
DELETE FROM t;
DROP TRIGGER a ON t;
CREATE VIEW v AS SELECT * FROM t;
CREATE TRIGGER a INSTEAD OF DELETE ON v FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger();
DELETE FROM v;
SELECT steward.append_only_enable('v');
SELECT steward.append_only_enable('t', '{regress_append_nobody}');
SELECT steward.append_only_enable('t', '{PUBLIC}');
SELECT steward.append_only_enable('t', ARRAY[NULL]::name[]);
SELECT steward.append_only_enable('t', NULL);
SELECT steward.append_only_enable(NULL);
SELECT steward.append_only_enable(0);
SELECT steward.append_only_disable(NULL);
SELECT steward.append_only_disable(0);
ALTER TABLE t OWNER TO regress_append_owner;
SET ROLE regress_append_writer;
SELECT steward.append_only_enable('append_only.t');
SELECT steward.append_only_disable('append_only.t');
RESET ROLE;
ALTER TABLE t OWNER TO CURRENT_USER;
SELECT count(*) AS left_behind FROM steward_internal.upkeep_triggers WHERE relation = 't'::regclass;
-- as few or many rows as there are: one that finds none is let through
SELECT count(*) FROM steward.append_only_enable('t');
UPDATE t SET n = 1 WHERE id = 5;
DELETE FROM t WHERE false;
UPDATE t SET n = n;
INSERT INTO t VALUES (1, 2) ON CONFLICT DO NOTHING;
INSERT INTO t VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET n = 2;
INSERT INTO t VALUES (3, 2) ON CONFLICT (id) DO UPDATE SET n = 2;
MERGE INTO t USING (VALUES (1), (4)) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id);
MERGE INTO t USING (VALUES (1)) s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET n = 2;
MERGE INTO t USING (VALUES (1), (4)) s (id) ON t.id = s.id WHEN MATCHED THEN DO NOTHING WHEN NOT MATCHED THEN INSERT VALUES (s.id);
WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d;
DELETE FROM v;
DROP TRIGGER a ON v;
DELETE FROM v;
TRUNCATE t, t;
SELECT * FROM t ORDER BY id;
-- rows that are only locked, and written again as they are by the server itself
SELECT id FROM t WHERE id = 1 FOR UPDATE;
VACUUM FULL t;
DROP VIEW v;
ALTER TABLE t ALTER n TYPE bigint;
SELECT count(*) FROM t;
-- in a block that goes on
DO $$
BEGIN
    INSERT INTO append_only.t VALUES (5);
    BEGIN
        DELETE FROM append_only.t;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE INFO '%', SQLERRM;
    END;
END $$;
SELECT count(*) FROM t;

--
-- Who may
--

-- Says what a role can do with a table.
CREATE FUNCTION append_only.can(relation regclass, VARIADIC commands text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    command text;
    can text := '';
BEGIN
    FOREACH command IN ARRAY commands LOOP
        BEGIN
            EXECUTE format(command, relation);
            can := can || ' ' || split_part(command, ' ', 1);
            RAISE EXCEPTION 'undo' USING ERRCODE = 'STEWD';
        EXCEPTION
            WHEN SQLSTATE 'STEWD' THEN NULL;
            WHEN insufficient_privilege THEN can := can || ' -';
        END;
    END LOOP;
    RETURN can;
END $$;
CREATE FUNCTION append_only.who(relation regclass) RETURNS TABLE (role name, can text) LANGUAGE plpgsql AS $$
DECLARE
    before constant name := current_user;
BEGIN
    FOREACH role IN ARRAY ARRAY[current_user, 'regress_append_super', 'regress_append_owner', 'regress_append_archivist', 'regress_append_member', 'Regress Append, "2"', 'regress_append_writer']::name[] LOOP
        EXECUTE format('SET ROLE %I', role);
        can := append_only.can(relation, 'UPDATE %s SET n = 0', 'DELETE FROM %s', 'TRUNCATE %s', 'INSERT INTO %s VALUES (99)');
        RETURN NEXT;
    END LOOP;
    EXECUTE format('SET ROLE %I', before);
END $$;
ALTER TABLE t OWNER TO regress_append_owner;
GRANT ALL ON t TO PUBLIC;
SELECT role, can FROM who('t') WHERE role <> current_user;
SELECT steward.append_only_enable('t', '{regress_append_archivist}');
SELECT role, can FROM who('t') WHERE role <> current_user;
SELECT count(*) FROM steward.append_only_enable('t', '{regress_append_owner,"Regress Append, \"2\"",regress_append_super}');
SELECT role, can FROM who('t') WHERE role <> current_user;
SELECT steward.append_only_enable('t', '{regress_append_owner,"Regress Append, \"2\"",regress_append_super}');
-- by several arguments, and as SQL reads names
DO $$ BEGIN PERFORM steward.append_only_disable('append_only.t'); END $$;
CREATE TRIGGER a BEFORE DELETE OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('allow=', 'allow= REGRESS_APPEND_writer , regress_append_nobody', 'allow="regress_append_SUPER",public,current_user');
SELECT role, can FROM who('t') WHERE role <> current_user;
DROP TRIGGER a ON t;
-- two triggers: both have to allow it
SELECT count(*) FROM steward.append_only_enable('t', '{regress_append_archivist}');
CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('allow=regress_append_archivist,regress_append_writer');
SELECT role, can FROM who('t') WHERE role IN ('regress_append_archivist', 'regress_append_writer');
-- and enable makes it one
SELECT steward.append_only_enable('t', '{regress_append_archivist}');
-- SECURITY DEFINER: the function's role is the one at work
CREATE FUNCTION purge() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM append_only.t WHERE id = 5';
CREATE FUNCTION purge_as_caller() RETURNS void LANGUAGE sql AS 'DELETE FROM append_only.t WHERE id = 4';
ALTER FUNCTION purge() OWNER TO regress_append_archivist;
SET ROLE regress_append_writer;
SELECT append_only.purge_as_caller();
SELECT append_only.purge();
SET ROLE regress_append_archivist;
SELECT append_only.purge_as_caller();
RESET ROLE;
INSERT INTO t VALUES (5);
ALTER FUNCTION purge() OWNER TO regress_append_writer;
SET ROLE regress_append_archivist;
SELECT append_only.purge();
RESET ROLE;
-- SET SESSION AUTHORIZATION, and a local one
SET SESSION AUTHORIZATION regress_append_archivist;
BEGIN;
UPDATE append_only.t SET n = 7;
SET LOCAL ROLE regress_append_archivist;
ROLLBACK;
RESET SESSION AUTHORIZATION;
BEGIN;
SET LOCAL ROLE regress_append_archivist;
UPDATE t SET n = 7;
COMMIT;
UPDATE t SET n = 8;
SELECT * FROM t ORDER BY id;
-- no right to the table, no way round it
REVOKE DELETE ON t FROM PUBLIC, regress_append_archivist;
SET ROLE regress_append_archivist;
DELETE FROM append_only.t;
RESET ROLE;
GRANT ALL ON t TO PUBLIC;
-- a name is what counts: a role that goes takes its leave, and one that comes is welcome
DROP OWNED BY regress_append_archivist;
DROP ROLE regress_append_archivist;
SELECT role, can FROM (SELECT 'regress_append_super' AS role) r, LATERAL (SELECT append_only.can('t', 'DELETE FROM %s') AS can) c;
SET ROLE regress_append_member;
DELETE FROM append_only.t;
RESET ROLE;
SELECT steward.append_only_enable('t', '{regress_append_archivist}');
CREATE ROLE regress_append_archivist;
SET ROLE regress_append_archivist;
SELECT append_only.can('append_only.t', 'DELETE FROM %s');
RESET ROLE;
-- a row trigger alone, a trigger for some rows, a trigger of the user's
DROP TRIGGER steward_append_only_truncate ON t;
BEGIN;
TRUNCATE t;
ROLLBACK;
SELECT steward.append_only_enable('t', '{regress_append_archivist}');
DROP TRIGGER steward_append_only ON t;
CREATE TRIGGER closed BEFORE UPDATE OR DELETE ON t FOR EACH ROW WHEN (OLD.id = 1) EXECUTE FUNCTION steward.append_only_trigger();
DELETE FROM t WHERE id = 4;
DELETE FROM t;
CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER b BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION quiet();
DELETE FROM t;
SELECT * FROM t ORDER BY id;
DROP TRIGGER b ON t;
-- replica
SELECT count(*) FROM steward.append_only_enable('t');
SET session_replication_role = replica;
DELETE FROM t WHERE id = 3;
ALTER TABLE t ENABLE ALWAYS TRIGGER steward_append_only;
DELETE FROM t;
RESET session_replication_role;
ALTER TABLE t ENABLE REPLICA TRIGGER steward_append_only;
SELECT steward.append_only_enable('t');
DELETE FROM t;

--
-- Foreign keys
--

SET ROLE regress_append_owner;
CREATE TABLE append_only.customer (id integer PRIMARY KEY, alt integer UNIQUE);
CREATE TABLE append_only.bill (id integer PRIMARY KEY, customer integer REFERENCES append_only.customer ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE append_only.visit (id integer, customer integer REFERENCES append_only.customer (alt) ON DELETE SET NULL ON UPDATE SET DEFAULT);
CREATE TABLE append_only.line (id integer, bill integer REFERENCES append_only.bill ON DELETE CASCADE);
RESET ROLE;
INSERT INTO customer SELECT n, n FROM generate_series(1, 4) n;
INSERT INTO bill VALUES (1, 1);
INSERT INTO visit VALUES (2, 2);
INSERT INTO bill VALUES (3, 3);
INSERT INTO line VALUES (3, 3);
GRANT ALL ON customer, bill, visit, line TO regress_append_archivist, regress_append_member, regress_append_writer;
DO $$
BEGIN
    PERFORM steward.append_only_enable('append_only.bill', '{regress_append_archivist}'), steward.append_only_enable('append_only.visit', '{regress_append_archivist}'),
            steward.append_only_enable('append_only.line');
END $$;
-- the actions run as the owner: that allows nobody, neither him nor those who are not him
DELETE FROM customer WHERE id = 1;
SET ROLE regress_append_owner;
DELETE FROM append_only.customer WHERE id = 1;
UPDATE append_only.customer SET id = 10 WHERE id = 1;
DELETE FROM append_only.customer WHERE id = 2;
UPDATE append_only.customer SET alt = 20 WHERE id = 2;
SET ROLE regress_append_writer;
DELETE FROM append_only.customer WHERE id = 1;
SET ROLE regress_append_archivist;
-- what is not referenced may go; so may what the role is allowed, but not two levels down
BEGIN;
DELETE FROM append_only.customer WHERE id = 4;
DELETE FROM append_only.customer WHERE id IN (1, 2);
SELECT id, customer FROM append_only.visit;
UPDATE append_only.customer SET id = 30 WHERE id = 3;
SELECT * FROM append_only.bill;
ROLLBACK;
DELETE FROM append_only.customer WHERE id = 3;
RESET ROLE;
-- the owner is allowed: then only he is, not whoever makes his rights work
DO $$
BEGIN
    PERFORM steward.append_only_enable('append_only.bill', '{regress_append_owner}'), steward.append_only_enable('append_only.line', '{regress_append_owner}');
END $$;
DELETE FROM customer WHERE id = 1;
SET ROLE regress_append_writer;
DELETE FROM append_only.customer WHERE id = 1;
SET ROLE regress_append_owner;
BEGIN;
DELETE FROM append_only.customer WHERE id = 3;
SELECT count(*) FROM append_only.line;
ROLLBACK;
RESET ROLE;
-- TRUNCATE that cascades, or names it
TRUNCATE customer;
TRUNCATE customer CASCADE;
SET client_min_messages = warning;
TRUNCATE customer CASCADE;
SET ROLE regress_append_owner;
TRUNCATE append_only.bill CASCADE;
BEGIN;
TRUNCATE append_only.line, append_only.bill;
ROLLBACK;
SET ROLE regress_append_archivist;
TRUNCATE append_only.customer CASCADE;
RESET ROLE;
RESET client_min_messages;
SELECT (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM bill) AS bills, (SELECT count(*) FROM visit WHERE customer IS NOT NULL) AS visits, (SELECT count(*) FROM line) AS lines;

--
-- Partitions and children
--

CREATE TABLE part (id integer, n integer) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE TABLE part_2 (gone text, n integer, id integer);
ALTER TABLE part_2 DROP gone;
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2);
SELECT steward.append_only_enable('part', '{regress_append_archivist}');
SELECT steward.append_only_enable('part', '{regress_append_archivist}');
INSERT INTO part VALUES (1, 1), (2, 2);
GRANT ALL ON part, part_1, part_2 TO regress_append_archivist;
DELETE FROM part WHERE id = 1;
UPDATE part SET id = 2 WHERE id = 1;
UPDATE part_2 SET n = 5;
TRUNCATE part;
TRUNCATE part_1;
SET ROLE regress_append_archivist;
BEGIN;
UPDATE append_only.part SET id = 3 - id;
SELECT tableoid::regclass, * FROM append_only.part ORDER BY id;
TRUNCATE append_only.part_1;
ROLLBACK;
RESET ROLE;
-- a partition that comes later: row by row it is safe, TRUNCATE needs enable
CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3);
INSERT INTO part VALUES (3, 3);
DELETE FROM part_3;
BEGIN;
TRUNCATE part_3;
ROLLBACK;
SELECT steward.append_only_enable('part', '{regress_append_archivist}');
TRUNCATE part_3;
-- disabled on one of them
ALTER TABLE part_3 DISABLE TRIGGER ALL;
SELECT steward.append_only_enable('part', '{regress_append_archivist}');
DELETE FROM part_3;
-- enabled on some first, with other roles
SELECT count(*) FROM steward.append_only_disable('part');
SELECT count(*) FROM steward.append_only_enable('part_1', '{regress_append_writer}');
SELECT steward.append_only_enable('part');
SELECT relation, trigger_name, arguments, is_clone FROM steward_internal.upkeep_triggers WHERE relation::text LIKE 'part%' ORDER BY relation::text COLLATE "C", trigger_name;
-- detached: the clone goes, the trigger for TRUNCATE stays
ALTER TABLE part DETACH PARTITION part_3;
SELECT trigger_name FROM steward_internal.upkeep_triggers WHERE relation = 'part_3'::regclass;
SELECT steward.append_only_disable('part_3');
DROP TABLE part_3;
-- children, and one that comes later
CREATE TABLE parent (id integer);
CREATE TABLE child (n integer) INHERITS (parent);
SELECT count(*) FROM steward.append_only_enable('parent');
CREATE TABLE child_2 () INHERITS (parent);
INSERT INTO child VALUES (1, 1);
INSERT INTO child_2 VALUES (2);
DELETE FROM parent;
SELECT steward.append_only_enable('parent');
DELETE FROM child_2;
TRUNCATE parent;
-- tables on other servers: only the rows can be watched up to 15
SET client_min_messages = error;
CREATE EXTENSION file_fdw;
CREATE SERVER nowhere FOREIGN DATA WRAPPER file_fdw;
CREATE FOREIGN TABLE far (id integer, updated_at timestamptz) SERVER nowhere OPTIONS (filename '/dev/null');
SELECT count(*) > 0 AS enabled FROM steward.append_only_enable('far');
SELECT count(*) FROM steward.updated_at_enable('far');
SELECT count(*) > 0 AS disabled FROM steward.append_only_disable('far');
RESET client_min_messages;

-- it is no policy: one who has the right to see nothing changes nothing, silently
CREATE TABLE secured (id integer);
INSERT INTO secured VALUES (1);
SELECT count(*) FROM steward.append_only_enable('secured');
GRANT ALL ON secured TO regress_append_writer;
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
SET ROLE regress_append_writer;
DELETE FROM append_only.secured;
TRUNCATE append_only.secured;
RESET ROLE;

RESET search_path;
SET client_min_messages = error;
DROP SCHEMA append_only CASCADE;
DROP OWNED BY regress_append_owner, regress_append_archivist, regress_append_member, regress_append_super, "Regress Append, ""2""", regress_append_writer;
DROP ROLE regress_append_owner, regress_append_archivist, regress_append_member, regress_append_super, "Regress Append, ""2""", regress_append_writer;
