-- contenders: none pg_steward plpgsql plpgsql_update_of tsvector_update_trigger generated
-- rounds: 3
\set table docs
\set column search_vector
\set columns 'id, title, content, view_count, search_vector'
\ir :contender
INSERT INTO docs (:columns) SELECT :columns FROM source.docs;
CREATE INDEX ON docs USING gin (search_vector);
VACUUM ANALYZE docs;
CHECKPOINT;
