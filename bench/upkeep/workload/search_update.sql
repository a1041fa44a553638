-- contenders: none pg_steward plpgsql plpgsql_joined plpgsql_update_of tsvector_update_trigger generated pg_steward_generated
-- UPDATE of documents: of another column, to the same text as an ORM sends it
-- (equal, but not the value that was read), and of the text. The baseline has
-- vectors too, so that its rows are as long, and they never change.
\set table docs
\set column search_vector
\set columns 'id, title, content, view_count, search_vector'
\ir :contender
INSERT INTO docs (:columns) SELECT :columns FROM source.docs;
CREATE INDEX ON docs USING gin (search_vector);
VACUUM ANALYZE docs;
CHECKPOINT;
-- The join with the source shall not spill, and what the index puts off is left
-- to VACUUM, as it would be to autovacuum.
SET work_mem = '64MB';
SET gin_pending_list_limit = '1GB';

\set name search_update.other
\ir ../part/search_update_other.sql
\ir ../part/search_update_other.sql
\ir ../part/search_update_other.sql

\set name search_update.same
\ir ../part/search_update_same.sql
\ir ../part/search_update_same.sql

\ir ../../before.sql
UPDATE docs SET content = s.content FROM source.docs s WHERE s.id = 1 + docs.id % (:rows / 20);
\set name search_update.text
\ir ../../after.sql
