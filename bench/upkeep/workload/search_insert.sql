-- contenders: none pg_steward plpgsql plpgsql_joined tsvector_update_trigger generated
-- A session's first document, its next hundred, and then many. Unlogged and
-- without the GIN index, which cost everybody the same and would drown the
-- parsing, which is what differs. A first document pays for loading the
-- dictionaries, and whatever else a session has to do once.
\set table docs
\set column search_vector
ALTER TABLE docs SET UNLOGGED;
\ir :contender
CHECKPOINT;

\set first 0
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
