-- contenders: none suppress pg_steward plpgsql
-- rounds: 3
\set table users
\set column version
ALTER TABLE users ADD version integer NOT NULL DEFAULT 1, SET (fillfactor = 45);
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\set name row_version.update
\ir ../part/users_update.sql
\ir ../part/users_update.sql
\ir ../part/users_update.sql
