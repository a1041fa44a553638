-- Foreign keys between soft-deleted tables, and to and from others.
\set SHOW_CONTEXT never
CREATE SCHEMA "Ca scade";
SET search_path = "Ca scade", public;

-- A chain of three, with keys of two columns, and columns of other names and types.
CREATE DOMAIN key_part AS varchar(20);
CREATE TABLE a (k1 int, k2 key_part, PRIMARY KEY (k1, k2), deleted_at timestamptz);
CREATE TABLE b (id int PRIMARY KEY, junk int, a2 text, a1 bigint, "Removed" timestamp, FOREIGN KEY (a1, a2) REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE);
ALTER TABLE b DROP junk;
CREATE TABLE c (id int PRIMARY KEY, b_id int REFERENCES b ON DELETE CASCADE, gone timestamptz(0));
CREATE TABLE other (id int, a1 int, a2 text, FOREIGN KEY (a1, a2) REFERENCES a ON DELETE CASCADE ON UPDATE CASCADE);
SELECT t, count(*)
  FROM (VALUES (1, 'a', 'deleted_at'), (2, 'b', 'Removed'), (3, 'c', 'gone')) v(n, t, c),
       steward.soft_delete_enable(t::regclass, c) GROUP BY n, t ORDER BY n;
INSERT INTO a VALUES (1, 'x'), (2, 'y');
INSERT INTO b VALUES (1, 'x', 1), (2, 'x', 1), (3, 'y', 2), (4, NULL, 1);
INSERT INTO c VALUES (1, 1), (2, 1), (3, 2), (4, 3), (5, NULL);
INSERT INTO other VALUES (1, 1, 'x'), (2, 2, 'y');
CREATE VIEW live AS
    SELECT 'a' AS name, array_agg(k1 ORDER BY k1) FROM a WHERE deleted_at IS NULL
    UNION ALL SELECT 'b', array_agg(id ORDER BY id) FROM b WHERE "Removed" IS NULL
    UNION ALL SELECT 'c', array_agg(id ORDER BY id) FROM c WHERE gone IS NULL
    UNION ALL SELECT 'all of c', array_agg(id ORDER BY id) FROM c
    UNION ALL SELECT 'other', array_agg(a1 ORDER BY id) FROM other;

DELETE FROM c WHERE id = 2;
UPDATE c SET gone = '2020-01-01' WHERE id = 2;
DELETE FROM a WHERE k1 = 1;
TABLE live;
SELECT count(*) FROM a JOIN b ON (a1, a2) = (k1, k2) WHERE "Removed" = deleted_at;
-- another stamp, and another key, are followed
UPDATE a SET deleted_at = '2001-01-01', k1 = 10 WHERE k1 = 1;
SELECT b.id, a1, "Removed" FROM b WHERE a1 = 10 ORDER BY id;
SELECT id, extract(year FROM gone) FROM c WHERE gone IS NOT NULL ORDER BY id;
UPDATE a SET deleted_at = NULL WHERE k1 = 10;
TABLE live;
-- the seeds' way
UPDATE a SET deleted_at = 'infinity';
TABLE live;
UPDATE a SET deleted_at = NULL;
TABLE live;
-- a statement's triggers are silent for a disabled one of the child
ALTER TABLE b DISABLE TRIGGER "steward_Removed";
DELETE FROM a WHERE k1 = 10;
TABLE live;
ALTER TABLE b ENABLE TRIGGER "steward_Removed";
UPDATE a SET deleted_at = NULL;
-- without its column, the child's rows are deleted for real
BEGIN;
ALTER TABLE b DROP "Removed" CASCADE;
DELETE FROM a WHERE k1 = 10;
ROLLBACK;
-- a child that cannot come back holds all of it back
CREATE UNIQUE INDEX c_b ON c (b_id) WHERE gone IS NULL;
DELETE FROM a WHERE k1 = 10;
INSERT INTO c VALUES (6, 1);
UPDATE a SET deleted_at = NULL WHERE k1 = 10;
TABLE live;
DELETE FROM c WHERE id = 6;
UPDATE c SET gone = '2020-01-01' WHERE id = 6;
UPDATE a SET deleted_at = NULL WHERE k1 = 10;
DROP INDEX c_b;

-- Deleted for real, with all below: nothing is left that refers to nothing.
CREATE ROLE regress_purge;
GRANT USAGE ON SCHEMA "Ca scade" TO regress_purge;
GRANT ALL ON ALL TABLES IN SCHEMA "Ca scade" TO regress_purge;
SELECT count(*) FROM steward.soft_delete_enable('a', allow => '{regress_purge}');
BEGIN;
SET LOCAL ROLE regress_purge;
DELETE FROM a WHERE k1 = 10;
TABLE live;
SELECT count(*) FROM b WHERE a1 = 10;
ROLLBACK;
SELECT steward.soft_delete_disable('a');
DELETE FROM a WHERE k1 = 10;
TABLE live;
SELECT count(*) FROM b LEFT JOIN a ON (k1, k2) = (a1, a2) WHERE k1 IS NULL AND a1 IS NOT NULL AND a2 IS NOT NULL;
-- in a repeatable read transaction too
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM b;
DELETE FROM a;
TABLE live;
COMMIT;
DROP TABLE a, b, c, other CASCADE;
DROP DOMAIN key_part;

-- A trigger's DELETE in a foreign key's cascade is one like any other.
CREATE TABLE a (id int PRIMARY KEY);
CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE);
CREATE TABLE c (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE, deleted_at timestamptz);
SELECT count(*) FROM steward.soft_delete_enable('c');
CREATE FUNCTION delete_c() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM c WHERE id = old.id; RETURN old; END $$;
CREATE TRIGGER t BEFORE DELETE ON b FOR EACH ROW EXECUTE FUNCTION delete_c();
INSERT INTO a VALUES (1), (2);
INSERT INTO b VALUES (1, 1), (2, 1);
INSERT INTO c VALUES (1, 2), (2, NULL), (3, 1);
DELETE FROM a WHERE id = 1;
SELECT id, deleted_at IS NULL AS live FROM c ORDER BY id;
-- the parent came back in the same statement
WITH gone AS (DELETE FROM a RETURNING id) INSERT INTO a SELECT id FROM gone;
SELECT id, deleted_at IS NULL AS live FROM c ORDER BY id;
DROP TABLE a, b, c CASCADE;
DROP FUNCTION delete_c();

-- A tree, and a cycle.
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON DELETE CASCADE);
SELECT count(*) FROM steward.soft_delete_enable('tree', allow => '{regress_purge}');
GRANT ALL ON tree TO regress_purge;
INSERT INTO tree SELECT g, nullif(g / 2, 0) FROM generate_series(1, 63) g;
DELETE FROM tree WHERE id = 5;
SELECT count(*) FROM active_tree;
BEGIN;
DELETE FROM tree WHERE id IN (2, 3, 10);
SELECT count(*) FROM active_tree;
COMMIT;
UPDATE tree SET deleted_at = NULL WHERE id = 2;
SELECT count(*), count(*) FILTER (WHERE id IN (5, 10, 11)) FROM active_tree;
DELETE FROM tree;
UPDATE tree SET deleted_at = NULL;
SELECT count(*) FROM active_tree;
UPDATE tree SET parent = 63 WHERE id = 1;
DELETE FROM tree WHERE id = 63;
SELECT count(*) FROM active_tree;
UPDATE tree SET deleted_at = NULL WHERE id = 40;
SELECT count(*) FROM active_tree;
UPDATE tree SET deleted_at = NULL WHERE id = 63;
SELECT count(*) FROM active_tree;
SET ROLE regress_purge;
DELETE FROM tree WHERE id = 2;
RESET ROLE;
SELECT count(*) FROM tree;
DROP TABLE tree CASCADE;
-- A chain takes no stack, in one table or through several, and one transaction has all of it in the log.
SET max_stack_depth = '200kB';
CREATE TABLE chain (id int PRIMARY KEY, up int REFERENCES chain ON DELETE CASCADE);
CREATE INDEX ON chain (up);
SELECT count(*) FROM steward.soft_delete_enable('chain');
SELECT count(*) FROM steward.audit_enable('chain');
INSERT INTO chain SELECT g, nullif(g - 1, 0) FROM generate_series(1, 5000) g;
DELETE FROM chain WHERE id = 1;
SELECT count(*) FROM active_chain;
SELECT count(*), count(DISTINCT transaction_id) FROM steward.audit_log WHERE table_name = 'chain' AND operation = 'UPDATE';
UPDATE chain SET deleted_at = NULL WHERE id = 1;
SELECT count(*) FROM active_chain;
UPDATE chain SET up = 5000 WHERE id = 1;
DELETE FROM chain WHERE id = 4000;
SELECT count(*) FROM active_chain;
SELECT count(*) FROM steward.audit_disable('chain');
DROP TABLE chain CASCADE;
CREATE TABLE ping (id int PRIMARY KEY, up int);
CREATE TABLE pong (id int PRIMARY KEY, up int REFERENCES ping ON DELETE CASCADE);
INSERT INTO ping SELECT g, nullif(g - 1, 0) FROM generate_series(1, 2000) g;
INSERT INTO pong SELECT g, g FROM generate_series(1, 2000) g;
ALTER TABLE ping ADD FOREIGN KEY (up) REFERENCES pong ON DELETE CASCADE;
CREATE INDEX ON ping (up);
CREATE INDEX ON pong (up);
SELECT t, count(*) FROM unnest('{ping,pong}'::text[]) t, steward.soft_delete_enable(t::regclass) GROUP BY t ORDER BY t;
DELETE FROM ping WHERE id = 11;
SELECT (SELECT count(*) FROM active_ping) AS ping, (SELECT count(*) FROM active_pong) AS pong;
UPDATE ping SET deleted_at = NULL WHERE id = 11;
SELECT (SELECT count(*) FROM active_ping) AS ping, (SELECT count(*) FROM active_pong) AS pong;
RESET max_stack_depth;
DROP TABLE ping, pong CASCADE;
CREATE TABLE hen (id int PRIMARY KEY, egg_id int);
CREATE TABLE egg (id int PRIMARY KEY, hen_id int REFERENCES hen ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE hen ADD FOREIGN KEY (egg_id) REFERENCES egg ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
SELECT t, count(*) FROM (VALUES ('hen', '{}'), ('egg', '{}')) v(t, a), steward.soft_delete_enable(t::regclass, allow => a::name[]) GROUP BY t ORDER BY t;
BEGIN;
INSERT INTO hen VALUES (1, 1), (2, 1);
INSERT INTO egg VALUES (1, 1), (2, 2), (3, 2);
COMMIT;
DELETE FROM egg WHERE id = 1;
SELECT (SELECT count(*) FROM active_hen), (SELECT count(*) FROM active_egg);
UPDATE hen SET deleted_at = NULL WHERE id = 1;
SELECT (SELECT count(*) FROM active_hen), (SELECT count(*) FROM active_egg);
DROP TABLE hen, egg CASCADE;

-- Partitions on both sides, attached with their columns in another order.
CREATE TABLE p (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (junk text, part int NOT NULL, id int NOT NULL);
ALTER TABLE p2 DROP junk;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
CREATE TABLE q (id int, p_id int, p_part int, FOREIGN KEY (p_id, p_part) REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY LIST (id);
CREATE TABLE q1 PARTITION OF q FOR VALUES IN (1);
CREATE TABLE q2 (p_part int, p_id int, id int);
ALTER TABLE q ATTACH PARTITION q2 FOR VALUES IN (2);
CREATE TABLE r (id int, p_id int, p_part int, deleted_at timestamptz, FOREIGN KEY (p_id, p_part) REFERENCES p ON DELETE CASCADE);
SELECT t, count(*) FROM (VALUES ('p', '{regress_purge}'), ('q', '{}'), ('r', '{}')) v(t, a), steward.soft_delete_enable(t::regclass, allow => a::name[]) GROUP BY t ORDER BY t;
GRANT ALL ON p TO regress_purge;
INSERT INTO p VALUES (1, 1), (1, 2), (2, 1), (2, 2);
INSERT INTO q SELECT g, id, part FROM p, generate_series(1, 2) g;
INSERT INTO r SELECT 1, id, part FROM p;
DELETE FROM p WHERE id = 1;
SELECT 'p' AS name, id AS p_id, part AS p_part, count(*) FROM active_p GROUP BY 2, 3
UNION ALL SELECT 'q', p_id, p_part, count(*) FROM active_q GROUP BY 2, 3
UNION ALL SELECT 'r', p_id, p_part, count(*) FROM active_r GROUP BY 2, 3 ORDER BY 1, 2, 3;
UPDATE p SET deleted_at = NULL WHERE part = 2;
SELECT (SELECT count(*) FROM active_p) AS p, (SELECT count(*) FROM active_q) AS q, (SELECT count(*) FROM active_r) AS r;
SET ROLE regress_purge;
DELETE FROM p WHERE part = 2 AND id = 1;
RESET ROLE;
SELECT (SELECT count(*) FROM p) AS p, (SELECT count(*) FROM q) AS q, (SELECT count(*) FROM r) AS r;
UPDATE p SET deleted_at = NULL;
-- a row that moves is not deleted, nor is what refers to it
DELETE FROM r;
TRUNCATE r;
UPDATE p SET part = 2 WHERE id = 1;
SELECT part, id, deleted_at IS NULL AS live FROM p ORDER BY id, part;
SELECT id, p_id, p_part, deleted_at IS NULL AS live FROM q ORDER BY p_id, p_part, id;
DROP TABLE p, q, r CASCADE;

-- A column's other type that no index operator has, and a collation that takes two keys for one.
CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE a (id text COLLATE same PRIMARY KEY, f float8 UNIQUE, arr int[] UNIQUE);
-- from 18 on the two have to be the same
DO $$ BEGIN
    EXECUTE format('CREATE TABLE b (a_id text %s REFERENCES a ON DELETE CASCADE, deleted_at timestamptz)',
                   CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN 'COLLATE same' END);
END $$;
CREATE TABLE c (a_arr int[] REFERENCES a(arr) ON DELETE CASCADE, a_f real REFERENCES a(f), deleted_at timestamptz);
SELECT t, count(*) FROM (VALUES ('a', '{regress_purge}'), ('b', '{}'), ('c', '{}')) v(t, a), steward.soft_delete_enable(t::regclass, allow => a::name[]) GROUP BY t ORDER BY t;
GRANT ALL ON a TO regress_purge;
INSERT INTO a VALUES ('Key', 1.5, '{1,2}');
INSERT INTO b VALUES ('Key'), ('KEY');
INSERT INTO c VALUES ('{1,2}', 1.5);
DELETE FROM a;
SELECT (SELECT count(*) FROM active_b) AS b, (SELECT count(*) FROM active_c) AS c;
UPDATE a SET deleted_at = NULL;
SELECT (SELECT count(*) FROM active_b) AS b, (SELECT count(*) FROM active_c) AS c;
ALTER TABLE c DROP CONSTRAINT c_a_f_fkey;
SET ROLE regress_purge;
DELETE FROM a;
RESET ROLE;
SELECT (SELECT count(*) FROM b) AS b, (SELECT count(*) FROM c) AS c;

-- What was deleted before stays so, though the transaction that deletes its parent changed it, too.
CREATE TABLE first_parent (id integer PRIMARY KEY);
CREATE TABLE first_child (id integer PRIMARY KEY, parent integer REFERENCES first_parent ON DELETE CASCADE ON UPDATE CASCADE, note text);
SELECT count(*) FROM steward.soft_delete_enable('first_parent');
SELECT count(*) FROM steward.soft_delete_enable('first_child');
INSERT INTO first_parent VALUES (1), (2);
INSERT INTO first_child VALUES (1, 1, 'early'), (2, 1, 'late'), (3, 2, 'early'), (4, 2, 'late');
DELETE FROM first_child WHERE note = 'early';
BEGIN;
UPDATE first_child SET note = note || '!' WHERE parent = 1;
DELETE FROM first_parent WHERE id = 1;
COMMIT;
BEGIN;
UPDATE first_parent SET id = 5 WHERE id = 2;
DELETE FROM first_parent WHERE id = 5;
COMMIT;
UPDATE first_parent SET deleted_at = NULL;
SELECT id, note, deleted_at IS NULL AS live FROM first_child ORDER BY id;

-- Anybody may make a view, and say of it what soft_delete_enable() says.
CREATE ROLE regress_view_maker;
CREATE SCHEMA view_maker AUTHORIZATION regress_view_maker;
SELECT count(*) FROM steward.soft_delete_disable('first_child');
SELECT count(*) FROM steward.soft_delete_enable('first_child', view => false);
GRANT USAGE ON SCHEMA "Ca scade" TO regress_view_maker;
SET ROLE regress_view_maker;
CREATE VIEW view_maker.evil AS SELECT 1 AS x FROM first_child;
COMMENT ON VIEW view_maker.evil IS 'The rows of a"b whose x is null, from steward.soft_delete_enable().';
RESET ROLE;
ALTER TABLE first_child ADD COLUMN later integer;
SELECT count(*) FROM steward.soft_delete_disable('first_child');
DROP SCHEMA view_maker CASCADE;
REVOKE USAGE ON SCHEMA "Ca scade" FROM regress_view_maker;
DROP ROLE regress_view_maker;

SET client_min_messages = warning;
DROP SCHEMA "Ca scade" CASCADE;
DROP ROLE regress_purge;
