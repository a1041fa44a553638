-- prepared: tree
-- contenders: none pg_steward
-- Rows that have the tenant of those that they refer to: read, and inserted
-- with the tenant and without.
\ir ../part/functions.sql
SELECT :'contender' ~ '/none.sql$' AS is_baseline
\gset
BEGIN;
\if :is_baseline
ALTER TABLE items ADD COLUMN tenant_id integer;
UPDATE items i SET tenant_id = o.tenant_id FROM orders o WHERE o.id = i.order_id;
ALTER TABLE items ALTER COLUMN tenant_id SET NOT NULL;
CREATE INDEX ON items (tenant_id, order_id);
ANALYZE items;
\else
SELECT count(*) FROM steward.tenant_protect('orders') \g /dev/null
CALL steward.tenant_protect_child('items', 'orders');
ANALYZE items;
SELECT steward.tenant_set('42') \g /dev/null
\endif
SELECT (pg_temp.compare('child.read', 'SELECT sum(amount) FROM items WHERE %s', 'tenant_id = 42', calls => 10)).*;
SELECT (pg_temp.compare('child.join', 'SELECT sum(amount) FROM items i JOIN orders o ON o.id = i.order_id WHERE %s',
  'i.tenant_id = 42 AND o.tenant_id = 42', calls => 10)).*;
-- of an order of tenant 42
SELECT (pg_temp.compare('child.insert', 'INSERT INTO items (id, order_id, amount%s', ', tenant_id) SELECT 10000000 + n, 41, 1, 42 FROM generate_series(1, 1000) n',
  before => 'DELETE FROM items WHERE id > 10000000', own => ') SELECT 10000000 + n, 41, 1 FROM generate_series(1, 1000) n')).*;
SELECT (pg_temp.compare('child.insert_named', 'INSERT INTO items (id, order_id, amount, tenant_id) SELECT 10000000 + n, 41, 1, 42 FROM generate_series(1, 1000) n -- %s', '42',
  before => 'DELETE FROM items WHERE id > 10000000')).*;
ROLLBACK;
