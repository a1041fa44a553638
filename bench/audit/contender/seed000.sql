-- The usual plpgsql trigger, with a random uuid as key of the log: no old row
-- on UPDATE.
CREATE TABLE audit_logs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  table_name varchar(100) NOT NULL,
  operation varchar(10) NOT NULL,
  old_values jsonb,
  new_values jsonb,
  user_id uuid,
  ip_address inet,
  created_at timestamptz DEFAULT now()
);

CREATE FUNCTION audit_trigger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_logs (table_name, operation, old_values, new_values, user_id, ip_address)
  VALUES (
    TG_TABLE_NAME,
    TG_OP,
    CASE WHEN TG_OP = 'DELETE' THEN to_jsonb(OLD) ELSE NULL END,
    CASE WHEN TG_OP = 'INSERT' THEN to_jsonb(NEW)
         WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW)
         ELSE NULL END,
    current_setting('app.current_user_id', true)::uuid,
    current_setting('app.client_ip', true)::inet
  );
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON :"table"
  FOR EACH ROW EXECUTE FUNCTION audit_trigger();
