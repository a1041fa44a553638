-- contenders: none pg_steward
-- rounds: 3
-- An INSERT into a table that refuses everything else.
\set table users
\set column *
\ir :contender
CHECKPOINT;

\ir ../../before.sql
INSERT INTO users SELECT * FROM source.users;
\set name append_only.insert
\ir ../../after.sql
