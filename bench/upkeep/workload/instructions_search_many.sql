-- contenders: none pg_steward tsvector_update_trigger
-- rounds: 1
-- quick: no
-- repetitions: 1 41
-- search_insert.many by instructions: the 4,000 documents after the first hundred.
\ir ../part/search_instructions.sql
