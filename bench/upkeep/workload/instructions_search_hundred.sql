-- contenders: none pg_steward tsvector_update_trigger
-- rounds: 1
-- quick: no
-- repetitions: 0 1
-- search_insert.hundred by instructions, which other work on the machine does not move.
\ir ../part/search_instructions.sql
