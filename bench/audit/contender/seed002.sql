-- The usual plpgsql trigger, both rows on UPDATE. record_id is bigint and not
-- integer, as the tables here have bigint keys.
CREATE TABLE audit_logs (
  id serial PRIMARY KEY,
  table_name varchar(50) NOT NULL,
  record_id bigint NOT NULL,
  action varchar(10) NOT NULL,
  old_data jsonb,
  new_data jsonb,
  changed_by varchar(100),
  changed_at timestamp DEFAULT current_timestamp
);

CREATE FUNCTION audit_trigger_function() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit_logs (table_name, record_id, action, old_data, changed_by)
    VALUES (TG_TABLE_NAME, OLD.id, TG_OP, to_jsonb(OLD), current_user);
    RETURN OLD;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO audit_logs (table_name, record_id, action, old_data, new_data, changed_by)
    VALUES (TG_TABLE_NAME, NEW.id, TG_OP, to_jsonb(OLD), to_jsonb(NEW), current_user);
    RETURN NEW;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO audit_logs (table_name, record_id, action, new_data, changed_by)
    VALUES (TG_TABLE_NAME, NEW.id, TG_OP, to_jsonb(NEW), current_user);
    RETURN NEW;
  END IF;
END
$$;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION audit_trigger_function();
