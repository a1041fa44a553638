-- rounds: 3
-- The server's own trigger that finds the row changed and lets it pass: what any
-- C trigger costs that is called before an UPDATE.
CREATE TRIGGER suppress BEFORE UPDATE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
