-- rounds: 2
-- The usual plpgsql trigger by way of row_to_json, which the column's type then
-- turns into jsonb: every row is printed and parsed again.
CREATE TABLE audit_log (
  id bigserial PRIMARY KEY,
  table_name varchar(50) NOT NULL,
  operation varchar(10) NOT NULL,
  user_name varchar(50) NOT NULL,
  "timestamp" timestamptz NOT NULL DEFAULT now(),
  old_data jsonb,
  new_data jsonb
);

CREATE FUNCTION audit_trigger_function() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO audit_log (table_name, operation, user_name, old_data)
    VALUES (TG_TABLE_NAME, TG_OP, current_user, row_to_json(OLD));
    RETURN OLD;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO audit_log (table_name, operation, user_name, old_data, new_data)
    VALUES (TG_TABLE_NAME, TG_OP, current_user, row_to_json(OLD), row_to_json(NEW));
    RETURN NEW;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO audit_log (table_name, operation, user_name, new_data)
    VALUES (TG_TABLE_NAME, TG_OP, current_user, row_to_json(NEW));
    RETURN NEW;
  END IF;
END
$$;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION audit_trigger_function();
