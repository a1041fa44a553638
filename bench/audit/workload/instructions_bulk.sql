-- rounds: 1
-- quick: no
-- repetitions: 5 20
\set table users
\set column login_count
INSERT INTO users SELECT * FROM source.users LIMIT 2000;
\ir :contender
VACUUM ANALYZE users;
