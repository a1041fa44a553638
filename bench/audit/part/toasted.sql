-- So many rows with a large value as :count says, audited. Base64 of random bytes, because pglz must find nothing to
-- save.
CHECKPOINT;
INSERT INTO toasted
SELECT i, i, encode(substr(pool, 1 + i * 7919 % 985000, 14800), 'base64')
FROM (SELECT string_agg(sha512(n::text::bytea), '') AS pool FROM generate_series(1, 15626) n) AS random,
     generate_series(1, :count) i;
\set table toasted
\set column v
\ir :contender
VACUUM toasted;
