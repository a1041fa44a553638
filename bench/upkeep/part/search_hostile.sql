\connect
\ir ../../session.sql
TRUNCATE docs;
INSERT INTO docs (id, title, content) SELECT 0, title, content FROM source.docs WHERE id = 1;

\ir ../../before.sql
INSERT INTO docs (id, title, content) SELECT id, 'A title', content FROM source.hostile WHERE kind = :'kind';
\set name search_hostile. :kind
\ir ../../after.sql
