-- rounds: 3
-- A stored generated column, which nobody can give a value.
ALTER TABLE :"table" DROP :"column", ADD :"column" tsvector GENERATED ALWAYS AS (
  setweight(to_tsvector('english', COALESCE(title, '')), 'A') ||
  setweight(to_tsvector('english', COALESCE(content, '')), 'B')) STORED;
\set columns 'id, title, content, view_count'
