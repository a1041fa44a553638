-- prepared: skewed
-- contenders: pg_steward current_setting subselect
-- The newest 20 of a large, a middling, a tiny and an empty tenant: the best
-- plan is one for the first and another for the rest, who has to know which.
\ir ../part/functions.sql
\set table skewed
\set column tenant_id
\set tenant 1
\set name large
\ir ../part/skewed.sql
\set tenant 42
\set name middling
\ir ../part/skewed.sql
\set tenant 1000
\set name tiny
\ir ../part/skewed.sql
\set tenant 1001
\set name empty
\ir ../part/skewed.sql
