-- Bulk INSERT, UPDATE of one unindexed column, DELETE of every row of users.
\set table users
\set column login_count
\ir :contender
CHECKPOINT;

\ir ../../before.sql
INSERT INTO users SELECT * FROM source.users;
\set name users.insert
\ir ../../after.sql
VACUUM users;

\ir ../../before.sql
UPDATE users SET login_count = login_count + 1;
\set name users.update
\ir ../../after.sql
VACUUM users;

\ir ../../before.sql
DELETE FROM users;
\set name users.delete
\ir ../../after.sql
