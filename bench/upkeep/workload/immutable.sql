-- contenders: none suppress pg_steward
-- rounds: 3
-- An UPDATE that leaves the immutable column out, as most do.
\set table users
\set column created_at
ALTER TABLE users SET (fillfactor = 45);
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\set name immutable.update
\ir ../part/users_update.sql
\ir ../part/users_update.sql
\ir ../part/users_update.sql
