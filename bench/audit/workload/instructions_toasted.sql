-- rounds: 1
-- quick: no
-- repetitions: 5 20
\set count 1000
\ir ../part/toasted.sql
ANALYZE toasted;
