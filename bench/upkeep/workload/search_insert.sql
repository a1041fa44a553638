-- contenders: none pg_steward plpgsql plpgsql_joined tsvector_update_trigger generated pg_steward_generated
-- A session's first document, its next hundred, and then many. Unlogged, without
-- the GIN index and without compression, which cost everybody the same and would
-- drown the parsing, which is what differs. A first document pays for loading
-- dictionaries, code, and whatever else a session has to do once; "loaded" is a
-- first one where a library is there already, as with session_preload_libraries.
\set table docs
\set column search_vector
ALTER TABLE docs SET UNLOGGED;
\ir :contender
ALTER TABLE docs ALTER content SET STORAGE PLAIN, ALTER search_vector SET STORAGE PLAIN;
CHECKPOINT;

\set first 0
\ir ../part/search_loaded.sql
\ir ../part/search_loaded.sql
\ir ../part/search_loaded.sql
\ir ../part/search_loaded.sql
\ir ../part/search_loaded.sql
\ir ../part/search_session.sql
\ir ../part/search_session.sql
\ir ../part/search_session.sql
\ir ../part/search_session.sql
\ir ../part/search_session.sql

-- The last session goes on with all the rest.
\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, title, content FROM source.docs WHERE id > :first;
\set name search_insert.many
\ir ../../after.sql
