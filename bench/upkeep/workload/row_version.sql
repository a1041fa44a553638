-- contenders: none suppress pg_steward plpgsql
-- rounds: 3
\set table users
\set column version
ALTER TABLE users ADD version integer NOT NULL DEFAULT 1;
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\ir ../../before.sql
UPDATE users SET login_count = login_count + 1;
\set name row_version.update
\ir ../../after.sql
