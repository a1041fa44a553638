-- rounds: 1
-- quick: no
-- repetitions: 5 20
\set count 2000
\ir ../part/wide.sql
ANALYZE wide;
