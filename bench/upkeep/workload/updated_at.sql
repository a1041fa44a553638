-- contenders: none suppress pg_steward moddatetime plpgsql
-- UPDATE of one unindexed column of every row of users. The budget is a share of
-- what a trigger adds, which is little beside an UPDATE: hence room for HOT
-- updates, which are the cheapest, and five of them.
ALTER TABLE users SET (fillfactor = 45);
\set table users
\set column updated_at
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\set name updated_at.update
\ir ../part/users_update.sql
\ir ../part/users_update.sql
\ir ../part/users_update.sql
\ir ../part/users_update.sql
\ir ../part/users_update.sql
