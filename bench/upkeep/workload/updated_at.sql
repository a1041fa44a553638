-- contenders: none suppress pg_steward moddatetime plpgsql
-- UPDATE of one unindexed column of every row of users. Five times, because
-- what a trigger adds is small beside the UPDATE, and the budget is a share of
-- that.
\set table users
\set column updated_at
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\ir ../part/updated_at_once.sql
\ir ../part/updated_at_once.sql
\ir ../part/updated_at_once.sql
\ir ../part/updated_at_once.sql
\ir ../part/updated_at_once.sql
