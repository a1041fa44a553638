-- Tables whose rows have the tenants of those that they refer to.
SET client_min_messages = notice;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_child_owner;
CREATE ROLE regress_child_app;
CREATE SCHEMA child AUTHORIZATION regress_child_owner;
GRANT USAGE ON SCHEMA child TO regress_child_app;
SET ROLE regress_child_owner;
SET search_path = child;
ALTER DEFAULT PRIVILEGES IN SCHEMA child GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_child_app;

-- the example of the page
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE order_items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, what text);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('orders', roles => '{regress_child_app}');
RESET ROLE;
INSERT INTO orders (tenant_id) SELECT n % 2 + 1 FROM generate_series(1, 10) n;
INSERT INTO order_items (order_id, what) SELECT n % 10 + 1, 'thing' FROM generate_series(1, 1000) n;
SELECT rule, object, remedy FROM steward.tenant_check(schemas => '{child}') WHERE rule = 'no_tenant_column';
SET ROLE regress_child_owner;
CALL steward.tenant_protect_child('order_items', parent => 'orders', dry_run => true);
CALL steward.tenant_protect_child('order_items', parent => 'orders', batch_rows => 200);
CALL steward.tenant_protect_child('order_items', parent => 'orders');
CALL steward.tenant_protect_child('order_items', parent => 'orders', dry_run => true);
RESET ROLE;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{child}', roles => '{regress_child_app}') WHERE severity <> 'INFO' AND rule <> 'index_of_all' AND object LIKE 'child.%';
SELECT count(*), count(*) FILTER (WHERE i.tenant_id = o.tenant_id) AS alike FROM order_items i JOIN orders o ON o.id = i.order_id;
SELECT conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'order_items'::regclass AND contype IN ('f', 'c') ORDER BY conname COLLATE "C";

-- the trigger
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_child_app;
INSERT INTO order_items (order_id, what) SELECT id, 'new' FROM orders RETURNING tenant_id;
INSERT INTO order_items (order_id, what, tenant_id) SELECT id, 'told', 1 FROM orders LIMIT 1 RETURNING tenant_id;
SAVEPOINT s;
\set VERBOSITY default
-- another tenant's order and one that is not there are the same
INSERT INTO order_items (order_id) VALUES (1);
ROLLBACK TO s;
INSERT INTO order_items (order_id) VALUES (1000);
ROLLBACK TO s;
INSERT INTO order_items (order_id) VALUES (NULL);
ROLLBACK TO s;
-- who gives it another's order by hand
INSERT INTO order_items (order_id, tenant_id) VALUES (1, 1);
ROLLBACK TO s;
INSERT INTO order_items (order_id, tenant_id) VALUES (1, 2);
ROLLBACK TO s;
UPDATE order_items SET order_id = 1 WHERE what = 'told';
ROLLBACK TO s;
SELECT count(*), count(DISTINCT tenant_id) FROM order_items;
-- one plan for the session, whatever the statement
RESET ROLE;
SELECT count(*) AS plans FROM pg_backend_memory_contexts WHERE ident LIKE 'SELECT p.tenant_id FROM child.orders p WHERE%' AND name = 'CachedPlanSource';
ROLLBACK;
-- who sees all rows
INSERT INTO order_items (order_id, what) VALUES (2, 'by the superuser') RETURNING tenant_id;
DELETE FROM order_items WHERE what = 'by the superuser';
-- nothing says for whom
BEGIN;
SET LOCAL ROLE regress_child_app;
INSERT INTO order_items (order_id) VALUES (1);
ROLLBACK;
-- it follows columns that are renamed
BEGIN;
ALTER TABLE order_items RENAME tenant_id TO t;
ALTER TABLE orders RENAME tenant_id TO "T";
INSERT INTO order_items (order_id) VALUES (2) RETURNING t;
ROLLBACK;
BEGIN;
ALTER TABLE order_items DROP CONSTRAINT order_items_order_id_fkey;
INSERT INTO order_items (order_id) VALUES (2);
ROLLBACK;
CREATE TRIGGER wrong BEFORE INSERT OR UPDATE ON order_items FOR EACH ROW EXECUTE FUNCTION steward.tenant_parent_trigger('tenant_id', 'order_id');
INSERT INTO order_items (order_id) VALUES (2);
DROP TRIGGER wrong ON order_items;
CREATE TRIGGER wrong BEFORE INSERT ON order_items FOR EACH ROW EXECUTE FUNCTION steward.tenant_parent_trigger('tenant_id');
INSERT INTO order_items (order_id, tenant_id) VALUES (2, 1);
DROP TRIGGER wrong ON order_items;
\set VERBOSITY terse

-- grandchildren, their parents first; of several parents the one that they go with; names that need quotes
SET ROLE regress_child_owner;
CREATE TABLE "Part" ("Id" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "Item" bigint REFERENCES order_items ON DELETE CASCADE);
CREATE TABLE "Pa'rt" (id integer PRIMARY KEY, "Part" uuid REFERENCES "Part", CHECK (id > 0)) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF "Pa'rt" FOR VALUES FROM (1) TO (10);
CREATE TABLE part_2 PARTITION OF "Pa'rt" DEFAULT;
RESET ROLE;
INSERT INTO "Part" ("Item") SELECT id FROM order_items LIMIT 100;
INSERT INTO "Pa'rt" SELECT row_number() OVER (), "Id" FROM "Part";
SET ROLE regress_child_owner;
SET client_min_messages = warning;
CALL steward.tenant_protect_child('"Pa''rt"', '"Part"');
CALL steward.tenant_protect_child('"Pa''rt"', '"Part"', dry_run => true);
RESET ROLE;
SELECT p.tenant_id = q.tenant_id AND q.tenant_id = i.tenant_id AS alike, count(*) FROM "Pa'rt" p JOIN "Part" q ON q."Id" = p."Part" JOIN order_items i ON i.id = q."Item" GROUP BY 1;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{child}', roles => '{regress_child_app}') WHERE severity <> 'INFO' AND rule <> 'index_of_all' AND object LIKE 'child.%';
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_child_app;
INSERT INTO "Part" ("Item") SELECT id FROM order_items LIMIT 1 RETURNING tenant_id;
INSERT INTO "Pa'rt" SELECT 1000, "Id" FROM "Part" LIMIT 1 RETURNING tenant_id;
SELECT DISTINCT tenant_id FROM "Pa'rt";
ROLLBACK;

-- rows that contradict are listed, not touched; what was done stays done
SET ROLE regress_child_owner;
CREATE TABLE notes (id integer PRIMARY KEY, order_id bigint REFERENCES orders, tenant_id integer, note text);
RESET ROLE;
INSERT INTO notes VALUES (1, 1, NULL, 'fine'), (2, 2, 2, 'another''s'), (3, NULL, NULL, 'nobody''s'), (4, NULL, 2, 'told');
SET ROLE regress_child_owner;
SET client_min_messages = notice;
\set VERBOSITY default
CALL steward.tenant_protect_child('notes', 'orders');
\set VERBOSITY terse
RESET ROLE;
SELECT * FROM notes ORDER BY id;
UPDATE notes SET tenant_id = 1 WHERE id IN (2, 3);
SET ROLE regress_child_owner;
CALL steward.tenant_protect_child('notes', 'orders');
RESET ROLE;
SELECT id, tenant_id FROM notes ORDER BY id;

-- in a transaction block nothing is committed
SET ROLE regress_child_owner;
CREATE TABLE tags (order_id bigint PRIMARY KEY REFERENCES orders);
SET client_min_messages = warning;
BEGIN;
CALL steward.tenant_protect_child('tags', 'orders');
SELECT count(*) FROM pg_policy WHERE polrelid = 'tags'::regclass;
ROLLBACK;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'tags'::regclass AND attname = 'tenant_id';

-- errors
\set VERBOSITY default
CREATE TABLE strangers (id integer PRIMARY KEY);
CREATE TABLE pairs (id integer PRIMARY KEY, one bigint REFERENCES orders, two bigint REFERENCES orders, stranger integer REFERENCES strangers);
CALL steward.tenant_protect_child('strangers', 'orders');
-- without foreign key, but by the name of a column; an orphan is listed
CREATE TABLE parcels (id integer PRIMARY KEY, weight integer, order_id bigint);
INSERT INTO parcels VALUES (1, 1, 1), (2, 1, -1);
CALL steward.tenant_protect_child('parcels', 'orders');
ALTER TABLE child.parcels ADD FOREIGN KEY (order_id) REFERENCES child.orders NOT VALID;
CALL steward.tenant_protect_child('parcels', 'orders');
DELETE FROM parcels WHERE id = 2;
CALL steward.tenant_protect_child('parcels', 'orders');
SELECT policy_name, problem FROM steward.tenant_policies WHERE relation = 'parcels'::regclass ORDER BY policy_name;
CALL steward.tenant_protect_child('pairs', 'orders');
CALL steward.tenant_protect_child('pairs', 'orders', key_column => 'three');
CALL steward.tenant_protect_child('pairs', 'strangers');
CALL steward.tenant_protect_child('pairs', NULL);
CALL steward.tenant_protect_child('pairs', 'orders', batch_rows => 0);
CALL steward.tenant_protect_child('pairs', 'orders', key_column => 'two', roles => '{regress_child_nobody}');
CALL steward.tenant_protect_child('pairs', 'orders', key_column => 'two');
RESET ROLE;
SET ROLE regress_child_app;
CALL steward.tenant_protect_child('order_items', 'orders');
RESET ROLE;
SET client_min_messages = error;
DROP SCHEMA child CASCADE;
DROP OWNED BY regress_child_owner;
DROP ROLE regress_child_owner, regress_child_app;
