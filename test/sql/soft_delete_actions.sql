-- What foreign keys say ON DELETE, when a row is stamped.
\set SHOW_CONTEXT never
CREATE SCHEMA actions;
SET search_path = actions, public;
CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, deleted_at timestamptz);
CREATE TABLE cascades (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE, deleted_at timestamptz);
CREATE TABLE "Cascades, plain" (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE CASCADE);
CREATE TABLE below (id int PRIMARY KEY, c_id int REFERENCES "Cascades, plain" ON DELETE CASCADE, deleted_at timestamptz);
CREATE TABLE nulls (id int PRIMARY KEY, p_id int, p_code text, deleted_at timestamptz,
    FOREIGN KEY (p_code) REFERENCES p (code) ON DELETE SET NULL);
CREATE TABLE nulls_plain (id int PRIMARY KEY, tenant int NOT NULL, p_id int);
CREATE TABLE defaults (id int PRIMARY KEY, p_id int DEFAULT 0 REFERENCES p ON DELETE SET DEFAULT);
CREATE TABLE restricts (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE RESTRICT, deleted_at timestamptz);
CREATE TABLE restricts_plain (id int PRIMARY KEY, p_id int REFERENCES p ON DELETE RESTRICT);
CREATE TABLE nothing (id int PRIMARY KEY, p_code text REFERENCES p (code), deleted_at timestamptz);
CREATE TABLE later (id int PRIMARY KEY, p_id int REFERENCES p DEFERRABLE INITIALLY DEFERRED, deleted_at timestamptz);
CREATE TABLE perhaps_later (id int PRIMARY KEY, p_id int REFERENCES p DEFERRABLE, deleted_at timestamptz);
SELECT t, count(*) FROM unnest('{cascades,below,nulls,restricts,nothing,later,perhaps_later}'::text[]) t, steward.soft_delete_enable(t::regclass) GROUP BY t ORDER BY t;
SELECT steward.soft_delete_enable('p', dry_run => true);
SELECT count(*) FROM steward.soft_delete_enable('p');
INSERT INTO p SELECT g, 'p' || g FROM generate_series(0, 19) g;

-- stamped, deleted, set
INSERT INTO cascades VALUES (1, 1), (2, 1);
INSERT INTO "Cascades, plain" VALUES (1, 1), (2, 2);
INSERT INTO below VALUES (1, 1), (2, 2);
INSERT INTO nulls VALUES (1, 1, 'p1'), (2, 1, 'p1'), (3, 2, 'p2');
DELETE FROM nulls WHERE id = 2;
INSERT INTO defaults VALUES (1, 1), (2, 2);
DELETE FROM p WHERE id = 1;
SELECT id, p_id, deleted_at IS NULL AS live FROM cascades ORDER BY id;
TABLE "Cascades, plain";
SELECT id FROM below ORDER BY id;
SELECT id, p_code, deleted_at IS NULL AS live FROM nulls ORDER BY id;
SELECT * FROM defaults ORDER BY id;
UPDATE p SET deleted_at = NULL WHERE id = 1;
SELECT id, p_id, deleted_at IS NULL AS live FROM cascades ORDER BY id;
SELECT id, p_code, deleted_at IS NULL AS live FROM nulls ORDER BY id;
-- the default must be there, as ever
ALTER TABLE defaults ALTER p_id SET DEFAULT 100;
DELETE FROM p WHERE id = 2;
DROP TABLE defaults;
-- a list of columns
ALTER TABLE nulls_plain ADD FOREIGN KEY (p_id) REFERENCES p ON DELETE SET NULL;
CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE pairs (id int, a int NOT NULL DEFAULT 5, b int DEFAULT 6, deleted_at timestamptz, FOREIGN KEY (a, b) REFERENCES pair ON DELETE SET NULL (b));
SELECT count(*) FROM steward.soft_delete_enable('pair');
INSERT INTO pair VALUES (1, 1), (1, 2);
INSERT INTO pairs VALUES (1, 1, 1), (2, 1, 2);
DELETE FROM pair WHERE b = 1;
SELECT id, a, b FROM pairs ORDER BY id;
ALTER TABLE pairs DROP CONSTRAINT pairs_a_b_fkey, ADD FOREIGN KEY (a, b) REFERENCES pair ON DELETE SET DEFAULT (b);
INSERT INTO pair VALUES (1, 6);
DELETE FROM pair WHERE b = 2;
SELECT id, a, b FROM pairs ORDER BY id;
DROP TABLE pair, pairs CASCADE;

-- refused, by what is live
INSERT INTO restricts VALUES (3, 3);
DELETE FROM p WHERE id = 3;
UPDATE p SET deleted_at = now() WHERE id = 3;
DELETE FROM restricts;
DELETE FROM p WHERE id = 3;
INSERT INTO restricts_plain VALUES (4, 4);
DELETE FROM p WHERE id = 4;
DELETE FROM restricts_plain;
DELETE FROM p WHERE id = 4;
INSERT INTO nothing VALUES (5, 'p5');
DELETE FROM p WHERE id = 5;
WITH gone AS (DELETE FROM nothing WHERE id = 5) DELETE FROM p WHERE id = 5;
SELECT count(*) FROM active_nothing;
INSERT INTO perhaps_later VALUES (6, 6);
DELETE FROM p WHERE id = 6;
SELECT id FROM p WHERE deleted_at IS NOT NULL ORDER BY id;
-- whoever may not see the key is not told it
CREATE ROLE regress_blind;
GRANT USAGE ON SCHEMA actions TO regress_blind;
GRANT SELECT (id), DELETE ON p TO regress_blind;
INSERT INTO nothing VALUES (7, 'p7');
SET ROLE regress_blind;
DELETE FROM p WHERE id = 6;
DELETE FROM p WHERE id = 7;
RESET ROLE;
REVOKE ALL ON SCHEMA actions FROM regress_blind;
REVOKE ALL ON p FROM regress_blind;
DROP ROLE regress_blind;

-- at the end of the transaction, or when told
INSERT INTO later VALUES (8, 8), (9, 9), (10, 10), (11, 11);
BEGIN;
DELETE FROM p WHERE id = 8;
SELECT 'still here';
COMMIT;
SELECT deleted_at IS NULL AS live FROM p WHERE id = 8;
BEGIN;
DELETE FROM p WHERE id = 8;
DELETE FROM later WHERE id = 8;
COMMIT;
SELECT deleted_at IS NULL AS live FROM p WHERE id = 8;
BEGIN;
DELETE FROM p WHERE id = 9;
UPDATE p SET deleted_at = NULL WHERE id = 9;
DELETE FROM p WHERE id = 10;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
UPDATE later SET p_id = 12 WHERE id = 10;
SET CONSTRAINTS ALL IMMEDIATE;
DELETE FROM p WHERE id = 11;
ROLLBACK;
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
DELETE FROM p WHERE id = 6;
DELETE FROM perhaps_later WHERE id = 6;
SAVEPOINT s;
DELETE FROM p WHERE id = 11;
ROLLBACK TO s;
COMMIT;
SELECT id FROM p WHERE id >= 6 AND deleted_at IS NOT NULL ORDER BY id;
-- two ways down to the same rows
CREATE TABLE d1 (id int PRIMARY KEY);
CREATE TABLE d2 (id int PRIMARY KEY, d1_id int REFERENCES d1 ON DELETE CASCADE);
CREATE TABLE d3 (id int PRIMARY KEY, d2_id int REFERENCES d2 ON DELETE CASCADE, d1_id int REFERENCES d1 DEFERRABLE INITIALLY DEFERRED);
SELECT t, count(*) FROM unnest('{d1,d2,d3}'::text[]) t, steward.soft_delete_enable(t::regclass) GROUP BY t ORDER BY t;
INSERT INTO d1 VALUES (1);
INSERT INTO d2 VALUES (1, 1);
INSERT INTO d3 VALUES (1, 1, 1);
DELETE FROM d1;
SELECT (SELECT count(*) FROM active_d1), (SELECT count(*) FROM active_d2), (SELECT count(*) FROM active_d3);
DROP TABLE d1, d2, d3 CASCADE;

-- What the client has deleted itself in the transaction comes back with the parent, whatever the key says; what it
-- deleted before does not.
CREATE FUNCTION live() RETURNS TABLE (name text, ids int[]) LANGUAGE sql AS $$
    SELECT 'p', array_agg(id ORDER BY id) FROM p WHERE deleted_at IS NULL AND id BETWEEN 12 AND 16
    UNION ALL SELECT 'cascades', array_agg(id ORDER BY id) FROM cascades WHERE deleted_at IS NULL AND id > 11
    UNION ALL SELECT 'nulls', array_agg(id ORDER BY id) FROM nulls WHERE deleted_at IS NULL AND id > 11
    UNION ALL SELECT 'restricts', array_agg(id ORDER BY id) FROM restricts WHERE deleted_at IS NULL AND id > 11
$$;
INSERT INTO cascades VALUES (12, 12), (13, 12), (14, 13);
INSERT INTO nulls VALUES (12, 12, 'p12'), (13, 13, 'p13');
INSERT INTO restricts VALUES (12, 12), (13, 12), (14, 13);
DELETE FROM cascades WHERE id = 13;
DELETE FROM restricts WHERE id = 13;
BEGIN;
DELETE FROM restricts WHERE p_id = 12;
DELETE FROM cascades WHERE p_id = 12;
DELETE FROM nulls WHERE p_code = 'p12';
DELETE FROM p WHERE id = 12;
COMMIT;
SELECT * FROM live();
UPDATE p SET deleted_at = NULL WHERE id = 12;
SELECT * FROM live();
-- by a clock of its own, through savepoints
BEGIN;
UPDATE restricts SET deleted_at = clock_timestamp() WHERE id = 12;
SAVEPOINT s;
UPDATE cascades SET deleted_at = clock_timestamp() WHERE id = 12;
RELEASE s;
UPDATE nulls SET deleted_at = clock_timestamp() WHERE id = 12;
UPDATE p SET deleted_at = clock_timestamp() WHERE id = 12;
COMMIT;
SELECT * FROM live();
SELECT count(DISTINCT deleted_at) FROM (SELECT deleted_at FROM p WHERE id = 12 UNION ALL SELECT deleted_at FROM restricts WHERE id = 12
    UNION ALL SELECT deleted_at FROM cascades WHERE id = 12 UNION ALL SELECT deleted_at FROM nulls WHERE id = 12) all_of_it;
UPDATE p SET deleted_at = NULL WHERE id = 12;
SELECT * FROM live();
-- with the wall's clock, in a tree of two tables
SELECT t, count(*) FROM unnest('{p,cascades}'::text[]) t, steward.soft_delete_enable(t::regclass, clock => 'wall') GROUP BY t ORDER BY t;
BEGIN;
DELETE FROM cascades WHERE p_id = 13;
DELETE FROM restricts WHERE p_id = 13;
DELETE FROM p WHERE id = 13;
COMMIT;
SELECT * FROM live();
UPDATE p SET deleted_at = NULL WHERE id = 13;
SELECT * FROM live();

SET client_min_messages = warning;
DROP SCHEMA actions CASCADE;
