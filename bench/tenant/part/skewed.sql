\ir enter.sql
\set newest 'SELECT * FROM skewed WHERE %s ORDER BY created_at DESC LIMIT 20'
SELECT (pg_temp.explain('skewed.' || :'name', :'newest', :'condition')).*;
SELECT (pg_temp.compare_plans('skewed.' || :'name', ARRAY[:'newest'], :'condition')).*;
ROLLBACK;
