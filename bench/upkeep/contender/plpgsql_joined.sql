-- rounds: 2
-- As tutorials write it that know no weights: one text, parsed in one go.
CREATE FUNCTION update_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector := to_tsvector('english',
    COALESCE(NEW.title, '') || ' ' || COALESCE(NEW.content, ''));
  RETURN NEW;
END
$$;

CREATE TRIGGER plpgsql BEFORE INSERT OR UPDATE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION update_search_vector();
