-- requires: moddatetime
CREATE EXTENSION moddatetime;
CREATE TRIGGER moddatetime BEFORE UPDATE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION moddatetime(:"column");
