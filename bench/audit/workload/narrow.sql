-- rounds: 3
-- The smallest row there is: what auditing costs where there is least to log.
\set table narrow
\set column v
\ir :contender
CHECKPOINT;

\ir ../../before.sql
INSERT INTO narrow SELECT i, i FROM generate_series(1, :rows / 2) i;
\set name narrow.insert
\ir ../../after.sql
VACUUM narrow;

\ir ../../before.sql
UPDATE narrow SET v = v + 1;
\set name narrow.update
\ir ../../after.sql
VACUUM narrow;

\ir ../../before.sql
DELETE FROM narrow;
\set name narrow.delete
\ir ../../after.sql
