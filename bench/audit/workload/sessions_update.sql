-- rounds: 3
-- quick: no
-- clients: 1 2 4 8
-- contenders: none pg_steward seed002
\ir single_update.sql
