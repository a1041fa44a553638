\set table users
\set column login_count
INSERT INTO users SELECT * FROM source.users;
\ir :contender
VACUUM users;
CHECKPOINT;
