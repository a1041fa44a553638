\connect
\ir ../../session.sql
\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, title, content FROM source.docs WHERE id = :first + 1;
\set name search_insert.first
\ir ../../after.sql

\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, title, content FROM source.docs WHERE id BETWEEN :first + 2 AND :first + 101;
\set name search_insert.hundred
\ir ../../after.sql
SELECT :first + 101 AS first
\gset
