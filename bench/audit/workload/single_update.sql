\set table users
INSERT INTO users SELECT * FROM source.users;
\ir :contender
VACUUM users;
CHECKPOINT;
