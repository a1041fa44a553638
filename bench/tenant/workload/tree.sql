-- prepared: tree
-- contenders: none pg_steward
-- A tenant's rows and those of the fifty below it, beside a WHERE with the list.
\ir ../part/functions.sql
\set tenant 1
BEGIN;
SELECT :'contender' ~ '/none.sql$' AS is_baseline
\gset
\if :is_baseline
\else
SELECT count(*) FROM steward.tenant_protect_tree('reports', 'tenants', create_index => false) \g /dev/null
SELECT steward.tenant_set(:'tenant') \g /dev/null
\endif
SELECT format('tenant_id = ANY (%L)', array_agg(id)) AS condition FROM tenants WHERE id = :tenant OR parent_id = :tenant
\gset
SELECT (pg_temp.compare('tree.read', 'SELECT sum(amount) FROM reports WHERE %s', :'condition', calls => 10)).*;
SELECT (pg_temp.compare('tree.newest', 'SELECT id FROM reports WHERE %s ORDER BY id DESC LIMIT 20', :'condition', calls => 10)).*;
ROLLBACK;
