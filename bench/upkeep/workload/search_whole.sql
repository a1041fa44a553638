-- contenders: none pg_steward plpgsql tsvector_update_trigger generated pg_steward_generated
-- rounds: 3
-- INSERT of documents as people meet it: into a logged table with a GIN index,
-- large rows compressed.
\set table docs
\set column search_vector
\ir :contender
CREATE INDEX ON docs USING gin (search_vector);
CHECKPOINT;

\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, title, content FROM source.docs;
\set name search_whole.insert
\ir ../../after.sql
