-- prepared: docs
-- contenders: pg_steward current_setting definer
-- The best 20 of a large tenant's documents with a common word, a rare one, and
-- two words. "plain" is the same query for all; "function" what one calls
-- instead, where there is something, since no policy lets @@ use its index.
\ir ../part/functions.sql
\set search yes
\set table docs
\set column tenant_id
\set tenant 1
\ir ../part/enter.sql
\set name common
\set words w30
\ir ../part/search.sql
\set name rare
\set words w10000
\ir ../part/search.sql
\set name two
\set words 'w20 & w7'
\ir ../part/search.sql
ROLLBACK;
