-- prepared: partitions
-- contenders: pg_steward
-- The same with a policy for which the planner itself leaves the others out.
\set folded yes
\set name folded.one
\ir ../part/partitions.sql
