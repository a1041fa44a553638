-- rounds: 3
-- Ten integers and three texts in arrays, which the log takes apart.
CHECKPOINT;
\set table arrays
\set column numbers
\ir :contender

\ir ../../before.sql
INSERT INTO arrays SELECT * FROM source.arrays;
\set name arrays.insert
\ir ../../after.sql
VACUUM arrays;

\ir ../../before.sql
UPDATE arrays SET numbers = '{100000,90000,80000,70000,60000,50000,40000,30000,20000,10000}', tags = '{red,green,blue}';
\set name arrays.update
\ir ../../after.sql
