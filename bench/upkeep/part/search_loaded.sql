\connect
\ir ../../session.sql
\if :{?library}
  LOAD :'library';
\endif
\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, title, content FROM source.docs WHERE id = :first + 1;
\set name search_insert.loaded
\ir ../../after.sql
SELECT :first + 1 AS first
\gset
