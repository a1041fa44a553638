-- An application of thirty tables, ten of which have the tenant's column, is taken over as it is.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of schemas');
CREATE ROLE regress_adopt_owner;
CREATE ROLE regress_adopt_app;
CREATE SCHEMA shop AUTHORIZATION regress_adopt_owner;
GRANT USAGE ON SCHEMA shop TO regress_adopt_app;
SET ROLE regress_adopt_owner;
SET search_path = shop;
CREATE TABLE tenants (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE country (code text PRIMARY KEY);
CREATE TABLE currency (code text PRIMARY KEY);
CREATE TABLE unit (code text PRIMARY KEY);
CREATE TABLE tax_class (code text PRIMARY KEY);
CREATE TABLE holiday (day date, country text REFERENCES country);
CREATE TABLE schema_migrations (version text PRIMARY KEY);
-- ten with the column
CREATE TABLE users (id bigint PRIMARY KEY, tenant_id integer REFERENCES tenants, name text);
CREATE TABLE customers (id bigint PRIMARY KEY, tenant_id integer REFERENCES tenants, country text REFERENCES country, owner_id bigint REFERENCES users);
CREATE TABLE products (id bigint PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants, unit text REFERENCES unit, tax_class text REFERENCES tax_class);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants, customer_id bigint REFERENCES customers ON DELETE CASCADE, currency text REFERENCES currency);
CREATE TABLE invoices (id bigint PRIMARY KEY, tenant_id integer NOT NULL, order_id bigint REFERENCES orders ON DELETE SET NULL);
CREATE TABLE suppliers (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE warehouses (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE tickets (id bigint PRIMARY KEY, tenant_id integer NOT NULL, user_id bigint REFERENCES users, customer_id bigint REFERENCES customers);
CREATE TABLE campaigns (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE settings (tenant_id integer NOT NULL, name text, value text, PRIMARY KEY (tenant_id, name));
-- thirteen children, three of them grandchildren
CREATE TABLE addresses (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE, country text REFERENCES country);
CREATE TABLE order_lines (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, product_id bigint REFERENCES products);
CREATE TABLE shipments (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, warehouse_id bigint REFERENCES warehouses);
CREATE TABLE shipment_lines (id bigint PRIMARY KEY, shipment_id bigint NOT NULL REFERENCES shipments ON DELETE CASCADE, order_line_id bigint REFERENCES order_lines);
CREATE TABLE tracking (id bigint PRIMARY KEY, shipment_line_id bigint REFERENCES shipment_lines, at timestamptz);
CREATE TABLE payments (id bigint PRIMARY KEY, invoice_id bigint REFERENCES invoices);
CREATE TABLE refunds (id bigint PRIMARY KEY, payment_id bigint REFERENCES payments);
CREATE TABLE stock (warehouse_id bigint REFERENCES warehouses, product_id bigint REFERENCES products, quantity integer, PRIMARY KEY (warehouse_id, product_id));
CREATE TABLE supplier_products (supplier_id bigint REFERENCES suppliers ON DELETE CASCADE, product_id bigint REFERENCES products, PRIMARY KEY (supplier_id, product_id));
CREATE TABLE transfers (id bigint PRIMARY KEY, from_id bigint NOT NULL REFERENCES warehouses, to_id bigint NOT NULL REFERENCES warehouses);
CREATE TABLE comments (id bigint PRIMARY KEY, ticket_id bigint REFERENCES tickets ON DELETE CASCADE, author_id bigint REFERENCES users, reply_to bigint REFERENCES comments);
CREATE TABLE campaign_customers (campaign_id bigint REFERENCES campaigns ON DELETE CASCADE, customer_id bigint REFERENCES customers, PRIMARY KEY (campaign_id, customer_id));
CREATE TABLE sessions (id uuid PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO regress_adopt_app;
INSERT INTO tenants VALUES (1, 'one'), (2, 'two');
INSERT INTO users SELECT n, n % 2 + 1, 'user' FROM generate_series(1, 20) n;
INSERT INTO customers SELECT n, n % 2 + 1, NULL, n FROM generate_series(1, 20) n;
INSERT INTO products SELECT n, n % 2 + 1 FROM generate_series(1, 20) n;
INSERT INTO orders SELECT n, n % 2 + 1, n FROM generate_series(1, 20) n;
INSERT INTO warehouses SELECT n, n % 2 + 1 FROM generate_series(1, 20) n;
INSERT INTO order_lines SELECT n, n, n FROM generate_series(1, 20) n;
INSERT INTO shipments SELECT n, n, n FROM generate_series(1, 20) n;
INSERT INTO shipment_lines SELECT n, n, n FROM generate_series(1, 20) n;
INSERT INTO tracking SELECT n, n FROM generate_series(1, 20) n;
INSERT INTO transfers SELECT n, n, n FROM generate_series(1, 20) n;
RESET ROLE;
SELECT count(*) AS tables FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r';
SELECT rule, count(*) FROM steward.tenant_check(schemas => '{shop}') WHERE severity <> 'INFO' AND rule <> 'index_of_all' GROUP BY rule ORDER BY rule COLLATE "C";

SET ROLE regress_adopt_owner;
SELECT * FROM steward.tenant_adopt('shop', '{regress_adopt_app}', dry_run => true);
-- as one transaction
BEGIN;
SELECT count(*) AS done FROM steward.tenant_adopt('shop', '{regress_adopt_app}');
SELECT * FROM steward.tenant_adopt('shop', '{regress_adopt_app}');
SELECT rule, severity, object, detail FROM steward.tenant_check(schemas => '{shop}') WHERE severity <> 'INFO' AND rule <> 'index_of_all';
ROLLBACK;
-- as one for each command, stopped after ten and taken up
SELECT command FROM steward.tenant_adopt('shop', '{regress_adopt_app}', dry_run => true) WHERE step <= 10
\o /dev/null
\gexec
\o
SELECT count(*) AS left FROM steward.tenant_adopt('shop', '{regress_adopt_app}', dry_run => true);
SELECT count(*) AS done FROM steward.tenant_adopt('shop', '{regress_adopt_app}');
SELECT * FROM steward.tenant_adopt('shop', dry_run => true);
SELECT rule, severity, object, detail FROM steward.tenant_check(schemas => '{shop}') WHERE severity <> 'INFO' AND rule <> 'index_of_all';
RESET ROLE;
SELECT count(*), count(*) FILTER (WHERE t.tenant_id = o.tenant_id) AS alike
  FROM tracking t JOIN shipment_lines l ON l.id = t.shipment_line_id JOIN shipments s ON s.id = l.shipment_id JOIN orders o ON o.id = s.order_id;
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_adopt_app;
SELECT count(*), min(tenant_id), max(tenant_id) FROM tracking;
SELECT count(*), min(id), max(id) FROM tenants;
ROLLBACK;

-- tables without foreign keys, by the names of their columns; rows of any table need a column of their own
CREATE SCHEMA keyless AUTHORIZATION regress_adopt_owner;
SET ROLE regress_adopt_owner;
SET search_path = keyless;
CREATE TABLE stories (id bigint PRIMARY KEY, tenant_id bigint NOT NULL);
CREATE TABLE chapters (id bigint PRIMARY KEY, story_id bigint, title text);
CREATE TABLE lines (id bigint PRIMARY KEY, chapter_id bigint, story_id text);
CREATE TABLE likes (id bigint PRIMARY KEY, likeable_type text, likeable_id bigint);
CREATE TABLE colors (id bigint PRIMARY KEY, name text);
INSERT INTO stories VALUES (1, 1), (2, 2);
INSERT INTO chapters VALUES (1, 1), (2, 2);
INSERT INTO lines VALUES (1, 1), (2, 2);
GRANT USAGE ON SCHEMA keyless TO regress_adopt_app;
GRANT SELECT ON ALL TABLES IN SCHEMA keyless TO regress_adopt_app;
SELECT rule, object, remedy FROM steward.tenant_check(schemas => '{keyless}', roles => '{regress_adopt_app}') WHERE rule = 'no_tenant_column' ORDER BY object;
SELECT * FROM steward.tenant_adopt('keyless', '{regress_adopt_app}', dry_run => true);
SELECT count(*) AS done FROM steward.tenant_adopt('keyless', '{regress_adopt_app}');
SELECT * FROM steward.tenant_adopt('keyless', '{regress_adopt_app}');
SELECT * FROM steward.tenant_adopt('keyless', '{regress_adopt_app}');
-- NULL of a new row is the tenant's in the table that gets the column
ALTER TABLE keyless.likes ADD COLUMN tenant_id bigint;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('likes', roles => '{regress_adopt_app}');
SELECT rule, object, remedy FROM steward.tenant_check(schemas => '{keyless}', roles => '{regress_adopt_app}') WHERE severity <> 'INFO' AND rule <> 'index_of_all' ORDER BY object;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('2') IS NOT NULL AS set;
SET LOCAL ROLE regress_adopt_app;
SELECT s.id, c.id, l.id FROM stories s, chapters c, lines l;
ROLLBACK;
SET client_min_messages = error;
DROP SCHEMA keyless CASCADE;
SET client_min_messages = warning;
SET search_path = shop;

\set VERBOSITY default
SELECT * FROM steward.tenant_adopt('shop', column_name => 'org_id');
SELECT * FROM steward.tenant_adopt('public');
SELECT * FROM steward.tenant_adopt(NULL);
SELECT * FROM steward.tenant_adopt('shop', '{regress_adopt_nobody}');
DELETE FROM steward.muted_findings;
DROP SCHEMA shop CASCADE;
DROP ROLE regress_adopt_owner, regress_adopt_app;
