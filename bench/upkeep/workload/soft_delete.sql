-- contenders: none pg_steward plpgsql
-- rounds: 3
-- DELETE of a tenth of users. Whoever stamps the row instead reports that none
-- was deleted, hence :events.
\set table users
\set column deleted_at
\ir :contender
INSERT INTO users SELECT * FROM source.users;
VACUUM users;
CHECKPOINT;

\set events (:rows/10)
\ir ../../before.sql
DELETE FROM users WHERE id <= :rows / 10;
\set name soft_delete.delete
\ir ../../after.sql
