-- The server's own trigger, which knows no weights.
CREATE TRIGGER tsvector_update BEFORE INSERT OR UPDATE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(:"column", 'pg_catalog.english', title, content);
