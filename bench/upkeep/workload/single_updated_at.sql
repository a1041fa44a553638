-- contenders: none suppress pg_steward moddatetime plpgsql
\set table users
\set column updated_at
INSERT INTO users SELECT * FROM source.users;
\ir :contender
VACUUM users;
CHECKPOINT;
