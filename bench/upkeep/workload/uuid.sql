-- contenders: none pg_steward
-- rounds: 3
-- Keys by themselves, and in an index that no longer fits a checkpoint: random
-- ones touch every page of it again.
\set table keys
\set column id
\ir :contender
SELECT pg_get_expr(adbin, adrelid) AS call FROM pg_attrdef WHERE adrelid = 'keys'::regclass
\gset
INSERT INTO keys (v) SELECT i FROM generate_series(1, :rows) i;
CHECKPOINT;

\set events :rows
\ir ../../before.sql
SELECT count(:call) FROM generate_series(1, :rows) \g /dev/null
\set name uuid.call
\ir ../../after.sql

\ir ../../before.sql
INSERT INTO keys (v) SELECT i FROM generate_series(1, :rows) i;
\set name uuid.insert
\ir ../../after.sql
