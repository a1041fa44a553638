-- The example of doc/tenant_registry.md.
SET client_min_messages = warning;
CREATE SCHEMA tenant_erase;
SET search_path = tenant_erase;
RESET client_min_messages;
\set SHOW_CONTEXT never
CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id integer NOT NULL, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL, customer_id bigint REFERENCES customers);
CREATE TABLE order_lines (order_id bigint REFERENCES orders ON DELETE CASCADE, line integer, PRIMARY KEY (order_id, line));
INSERT INTO customers VALUES (1, 42, 'ours'), (2, 43, 'theirs');
INSERT INTO orders VALUES (10, 42, 1), (11, 42, 1), (12, 43, 2);
INSERT INTO order_lines VALUES (10, 1), (10, 2), (12, 1);
SELECT steward.tenant_create('42'), steward.tenant_create('43'), steward.tenant_create('44');

SELECT * FROM steward.tenant_erase('42');
SELECT steward.tenant_erase('42', dry_run => false);
SELECT steward.tenant_suspend('42');
SELECT * FROM steward.tenant_erase('42', dry_run => false);
SELECT key, status, erasure -> 'rows' AS rows, erasure ->> 'by' = session_user AS by_us FROM steward.tenants ORDER BY key;
SELECT 'customers' AS "table", count(*) FROM customers UNION ALL SELECT 'orders', count(*) FROM orders UNION ALL SELECT 'order_lines', count(*) FROM order_lines;
BEGIN; SELECT steward.tenant_set('42'); ROLLBACK;
SELECT steward.tenant_resume('42');
SELECT steward.tenant_create('42');
SELECT * FROM steward.tenant_erase('45');
-- again, for what has come since
INSERT INTO orders VALUES (13, 42, 2);
SELECT * FROM steward.tenant_erase('42', dry_run => false);
SELECT erasure -> 'rows' -> 'tenant_erase.orders' AS now, erasure -> 'before' -> 'rows' -> 'tenant_erase.orders' AS before FROM steward.tenants WHERE key = '42';

-- Nothing of other tenants goes: neither by a cascade, nor by one behind a table without tenants.
SELECT steward.tenant_suspend('43');
CREATE TABLE gifts (id int PRIMARY KEY, tenant_id integer, order_id bigint REFERENCES orders ON DELETE SET NULL);
INSERT INTO gifts VALUES (1, 43, 12), (2, 44, 12), (3, NULL, 12);
SELECT * FROM steward.tenant_erase('43');
DELETE FROM gifts WHERE id > 1;
CREATE TABLE parcels (id int PRIMARY KEY, tenant_id integer, order_id bigint, line integer, FOREIGN KEY (order_id, line) REFERENCES order_lines ON DELETE CASCADE);
INSERT INTO parcels VALUES (1, 44, 12, 1);
SELECT * FROM steward.tenant_erase('43', dry_run => false);
UPDATE parcels SET tenant_id = 43;
SELECT relation, rows, command FROM steward.tenant_erase('43');
DROP TABLE gifts, parcels;
-- what a table without tenants refers to stays: the server's own error
CREATE TABLE notes (order_id bigint REFERENCES orders);
INSERT INTO notes VALUES (12);
\set VERBOSITY sqlstate
SELECT * FROM steward.tenant_erase('43', dry_run => false);
\set VERBOSITY default
DROP TABLE notes;
SELECT count(*) FROM orders WHERE tenant_id = 43;

-- References in a circle, and to the same table.
CREATE TABLE teams (id int PRIMARY KEY, tenant_id integer, parent_id int REFERENCES teams, leader_id int);
CREATE TABLE people (id int PRIMARY KEY, tenant_id integer, team_id int REFERENCES teams ON DELETE RESTRICT);
ALTER TABLE teams ADD CONSTRAINT leader FOREIGN KEY (leader_id) REFERENCES people;
INSERT INTO teams VALUES (1, 43, NULL), (2, 43, 1);
INSERT INTO people VALUES (1, 43, 1), (2, 43, 2);
UPDATE teams SET leader_id = id;
SELECT * FROM steward.tenant_erase('43');
ALTER TABLE teams ALTER CONSTRAINT leader DEFERRABLE;
SELECT * FROM steward.tenant_erase('43');
-- a circle that a cascade opens
ALTER TABLE teams DROP CONSTRAINT leader, ADD CONSTRAINT leader FOREIGN KEY (leader_id) REFERENCES people ON DELETE SET NULL;
SELECT * FROM steward.tenant_erase('43');
ALTER TABLE teams DROP CONSTRAINT leader, ADD CONSTRAINT leader FOREIGN KEY (leader_id) REFERENCES people DEFERRABLE;

-- Triggers that keep rows.
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON people FOR EACH ROW EXECUTE FUNCTION keep();
DO $$ BEGIN
    PERFORM steward.tenant_erase('43', dry_run => false);
EXCEPTION WHEN foreign_key_violation OR restrict_violation THEN
    RAISE INFO 'refused';
END $$;
DROP TRIGGER keep ON people;
DO $$ BEGIN PERFORM steward.soft_delete_enable('customers'); END $$;
SELECT * FROM steward.tenant_erase('43', dry_run => false);
DO $$ BEGIN PERFORM steward.soft_delete_disable('customers'); END $$;
CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger();
SELECT * FROM steward.tenant_erase('43', dry_run => false);
DROP TRIGGER keep ON customers;

-- Rights: nothing is deleted before it is clear that all may be.
CREATE ROLE regress_eraser;
CREATE ROLE regress_erased;
GRANT USAGE ON SCHEMA tenant_erase TO regress_eraser;
GRANT SELECT, UPDATE ON steward.tenants TO regress_eraser;
GRANT SELECT, DELETE ON teams, people, orders, order_lines TO regress_eraser;
SET ROLE regress_eraser;
SELECT * FROM steward.tenant_erase('43', dry_run => false);
RESET ROLE;
GRANT SELECT, DELETE ON customers TO regress_eraser;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON customers USING (false);
SET ROLE regress_eraser;
SELECT * FROM steward.tenant_erase('43', dry_run => false);
RESET ROLE;
ALTER TABLE customers DISABLE ROW LEVEL SECURITY;

-- Kinds of tables and of columns.
CREATE TABLE parted (tenant_id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parent (tenant_id bigint);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE "Odd ""one""" ("tenant_id" uuid);
CREATE COLLATION insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE texts (tenant_id text COLLATE insensitive, id int);
CREATE DOMAIN tenant_number AS integer;
CREATE TABLE numbers (tenant_id tenant_number, "Org" varchar);
CREATE TABLE other_column ("Org" varchar);
INSERT INTO parted VALUES (43, '2020-05-05'), (44, '2020-05-05');
INSERT INTO parent VALUES (43), (44);
INSERT INTO child VALUES (43), (43);
INSERT INTO texts VALUES ('43', 1), ('it''s', 2), ('IT''S', 3);
INSERT INTO numbers VALUES (43), (44);
INSERT INTO other_column VALUES ('43');
SELECT * FROM steward.tenant_erase('43', dry_run => false, tenant_columns => '{tenant_id,Org}');
SELECT count(*) AS left_over FROM (SELECT tenant_id::text FROM customers UNION ALL SELECT tenant_id::text FROM orders UNION ALL SELECT tenant_id::text FROM teams
    UNION ALL SELECT tenant_id::text FROM parted UNION ALL SELECT tenant_id::text FROM parent UNION ALL SELECT tenant_id FROM texts
    UNION ALL SELECT tenant_id::text FROM numbers UNION ALL SELECT "Org" FROM other_column) r WHERE tenant_id = '43';
SELECT count(*) AS of_others FROM (SELECT tenant_id FROM parted UNION ALL SELECT tenant_id FROM parent UNION ALL SELECT tenant_id FROM numbers) r WHERE tenant_id = 44;
-- a key that is no number, and one that is not spelled as one
SELECT steward.tenant_create('it''s'), steward.tenant_suspend('it''s'), steward.tenant_create('044'), steward.tenant_suspend('044');
SELECT relation, rows, command FROM steward.tenant_erase('it''s', dry_run => false);
SELECT tenant_id FROM texts;
SELECT sum(rows) FROM steward.tenant_erase('044', dry_run => false);

-- A tenant with a schema: it goes, unless others need it.
SELECT steward.tenant_create('s', isolation => 'schema', schema_name => 'Tenant "s"'), steward.tenant_suspend('s');
CREATE SCHEMA "Tenant ""s""";
CREATE TABLE "Tenant ""s""".things (id int PRIMARY KEY);
CREATE TABLE "Tenant ""s""".more (id int REFERENCES "Tenant ""s""".things, tenant_id text DEFAULT 's');
CREATE VIEW "Tenant ""s""".inside AS SELECT * FROM "Tenant ""s""".things;
INSERT INTO "Tenant ""s""".things VALUES (1), (2);
CREATE VIEW outside AS SELECT * FROM "Tenant ""s""".things;
SELECT * FROM steward.tenant_erase('s');
DROP VIEW outside;
INSERT INTO texts VALUES ('s', 4);
ALTER SCHEMA "Tenant ""s""" OWNER TO regress_erased;
SET ROLE regress_eraser;
SELECT * FROM steward.tenant_erase('s');
RESET ROLE;
SELECT * FROM steward.tenant_erase('s', dry_run => false) WHERE rows > 0 OR command ~ '^DROP';
SELECT to_regnamespace('"Tenant ""s"""') IS NULL AS gone, erasure #> '{rows,"\"Tenant \"\"s\"\"\".things"}' AS things FROM steward.tenants WHERE key = 's';

SET client_min_messages = warning;
DROP SCHEMA tenant_erase CASCADE;
REVOKE ALL ON steward.tenants FROM regress_eraser;
DROP ROLE regress_eraser, regress_erased;
DELETE FROM steward.tenants;
