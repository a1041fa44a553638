-- What the usual tutorials write.
CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at = NOW();
  RETURN NEW;
END
$$;

CREATE FUNCTION update_search_vector() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.search_vector :=
    setweight(to_tsvector('english', COALESCE(NEW.title, '')), 'A') ||
    setweight(to_tsvector('english', COALESCE(NEW.content, '')), 'B');
  RETURN NEW;
END
$$;

CREATE FUNCTION increment_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END
$$;

CREATE FUNCTION soft_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE users SET deleted_at = NOW() WHERE id = OLD.id;
  RETURN NULL;
END
$$;

SELECT format('CREATE TRIGGER plpgsql BEFORE %s ON %I FOR EACH ROW EXECUTE FUNCTION %s()', events, :'table', function)
FROM (VALUES
  ('updated_at', 'UPDATE', 'update_updated_at_column'),
  ('search_vector', 'INSERT OR UPDATE', 'update_search_vector'),
  ('version', 'UPDATE', 'increment_version'),
  ('deleted_at', 'DELETE', 'soft_delete')
) AS triggers (kept, events, function)
WHERE kept = :'column'
\gexec
