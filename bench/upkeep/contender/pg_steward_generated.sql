-- rounds: 3
-- The stored generated column, by way of pg_steward's to_tsvector.
CREATE EXTENSION IF NOT EXISTS pg_steward CASCADE;
\set library pg_steward
ALTER TABLE :"table" DROP :"column", ADD :"column" tsvector GENERATED ALWAYS AS (
  setweight(steward.to_tsvector('english', COALESCE(title, '')), 'A') ||
  setweight(steward.to_tsvector('english', COALESCE(content, '')), 'B')) STORED;
\set columns 'id, title, content, view_count'
