-- rounds: 1
-- quick: no
-- repetitions: 5 20
\set table users
\set column login_count
CREATE INDEX ON source.users (id);
\ir :contender
VACUUM ANALYZE source.users;
