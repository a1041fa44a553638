-- contenders: none pg_steward plpgsql_update_of tsvector_update_trigger generated pg_steward_generated
-- rounds: 3
-- The same where every page has room for HOT updates: no index is touched, and
-- nothing hides what a trigger costs. plpgsql_update_of is not called for another
-- column: that is what any trigger BEFORE UPDATE costs, which has the row locked.
ALTER TABLE docs SET (fillfactor = 45);
\set table docs
\set column search_vector
\set columns 'id, title, content, view_count, search_vector'
\ir :contender
INSERT INTO docs (:columns) SELECT :columns FROM source.docs;
CREATE INDEX ON docs USING gin (search_vector);
VACUUM ANALYZE docs;
CHECKPOINT;
SET work_mem = '64MB';

\set name search_hot.other
\ir ../part/search_update_other.sql
\ir ../part/search_update_other.sql
\ir ../part/search_update_other.sql

\set name search_hot.same
\ir ../part/search_update_same.sql
\ir ../part/search_update_same.sql
\ir ../part/search_update_same.sql
