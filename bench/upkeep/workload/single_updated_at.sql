-- contenders: none suppress pg_steward moddatetime plpgsql
-- quick: no
-- A second per turn says little about a budget as narrow as this one's.
\set table users
\set column updated_at
INSERT INTO users SELECT * FROM source.users;
\ir :contender
VACUUM users;
CHECKPOINT;
