-- prepared: rows
-- contenders: pg_steward current_setting subselect definer
-- One tenant's thousandth of the rows by way of an index, and a row by its key.
\ir ../part/functions.sql
\set table rows
\set column tenant_int
\set tenant 42
\ir ../part/enter.sql
SELECT min(id) AS id FROM rows WHERE tenant_int = 42
\gset
\set by_tenant 'SELECT sum(amount) FROM rows WHERE %s'
\set by_key 'SELECT amount FROM rows WHERE %s AND id = ' :id

SELECT (pg_temp.compare('index.tenant', :'by_tenant', :'condition', calls => 20)).*;
SELECT (pg_temp.compare('index.key', :'by_key', :'condition', calls => 500)).*;
SELECT (pg_temp.compare_plans('index', ARRAY[:'by_tenant', :'by_key',
  'SELECT tenant_int, count(*) FROM rows WHERE %s GROUP BY tenant_int',
  'SELECT r.amount FROM rows r JOIN members m ON m.tenant_id = r.tenant_int WHERE %s ORDER BY r.id',
  'UPDATE rows SET amount = 0 WHERE %s',
  'DELETE FROM rows WHERE %s'], :'condition')).*;

-- a plan for several processes
SET enable_bitmapscan = off;
SET enable_indexscan = off;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT (pg_temp.compare_plans('index.parallel', ARRAY[:'by_tenant'], :'condition')).*;
ROLLBACK;
