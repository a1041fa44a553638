-- rounds: 2
-- What a careful author reaches without C: not called unless the text is in the
-- SET list.
CREATE FUNCTION update_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector :=
    setweight(to_tsvector('english', COALESCE(NEW.title, '')), 'A') ||
    setweight(to_tsvector('english', COALESCE(NEW.content, '')), 'B');
  RETURN NEW;
END
$$;

CREATE TRIGGER plpgsql BEFORE INSERT OR UPDATE OF title, content ON :"table"
  FOR EACH ROW EXECUTE FUNCTION update_search_vector();
