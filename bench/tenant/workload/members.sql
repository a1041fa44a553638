-- prepared: rows
-- contenders: pg_steward exists definer
-- The rows of all tenants that a user is a member of.
\ir ../part/functions.sql
\set members yes
\set table rows
\set column tenant_int
\set tenant 42
\ir ../part/enter.sql
SELECT (pg_temp.compare('members.aggregate', 'SELECT sum(amount) FROM rows WHERE %s',
  'tenant_int = ANY (ARRAY(SELECT tenant_id FROM members WHERE user_id = 42))')).*;
ROLLBACK;
