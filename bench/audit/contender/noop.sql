-- rounds: 3
-- The audit trigger with nothing to record, as the only column that changes is excluded: what any C trigger that looks
-- at the row costs on UPDATE.
CREATE EXTENSION IF NOT EXISTS pg_steward CASCADE;
SELECT format('exclude=%I', :'column') AS excluded
\gset
CREATE TRIGGER steward_audit AFTER UPDATE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger(:'excluded');
