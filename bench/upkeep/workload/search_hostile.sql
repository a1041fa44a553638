-- contenders: none pg_steward tsvector_update_trigger pg_steward_generated
-- Text that rewards nobody for remembering a word: each kind in a session of
-- its own, after one document that is not timed. The table is search_insert's.
\set table docs
\set column search_vector
ALTER TABLE docs SET UNLOGGED;
\ir :contender
ALTER TABLE docs ALTER content SET STORAGE PLAIN, ALTER search_vector SET STORAGE PLAIN;
CHECKPOINT;

\set kind uuid
\ir ../part/search_hostile.sql
\set kind url
\ir ../part/search_hostile.sql
\set kind csv
\ir ../part/search_hostile.sql
\set kind cyrillic
\ir ../part/search_hostile.sql
