-- Ten trees of 51 tenants, with a hundred rows each for every 51,000 rows; and
-- as many rows that belong to those of another table.
CREATE TABLE tenants (id integer PRIMARY KEY, parent_id integer REFERENCES tenants);
INSERT INTO tenants SELECT n, CASE WHEN n > 10 THEN 1 + n % 10 END FROM generate_series(1, 510) n;
CREATE INDEX ON tenants (parent_id);
CREATE TABLE reports (id bigint PRIMARY KEY, tenant_id integer NOT NULL, amount integer NOT NULL);
INSERT INTO reports SELECT n, 1 + n % 510, n % 100 FROM generate_series(1, greatest(:rows, 51000)) n;
CREATE INDEX ON reports (tenant_id);
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
INSERT INTO orders SELECT n, 1 + n % 100 FROM generate_series(1, :rows / 10) n;
CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, amount integer NOT NULL);
INSERT INTO items SELECT n, 1 + n % (:rows / 10), n % 100 FROM generate_series(1, :rows) n;
VACUUM ANALYZE tenants, reports, orders, items;
