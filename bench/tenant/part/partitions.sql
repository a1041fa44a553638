\ir functions.sql
\set table partitioned
\set column tenant_id
\set tenant 42
\ir enter.sql
SELECT (pg_temp.explain(:'name', 'SELECT sum(amount) FROM partitioned WHERE %s', :'condition')).*;
ROLLBACK;
