-- What a careful author reaches without C: one INSERT ... SELECT per statement
-- over the transition tables.
CREATE TABLE audit_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  table_name text NOT NULL,
  operation text NOT NULL,
  record_id bigint NOT NULL,
  old_values jsonb,
  new_values jsonb,
  changed_by text NOT NULL DEFAULT current_user,
  changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION audit_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_log (table_name, operation, record_id, new_values)
  SELECT TG_TABLE_NAME, TG_OP, n.id, to_jsonb(n) FROM new_rows n;
  RETURN NULL;
END
$$;

CREATE FUNCTION audit_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_log (table_name, operation, record_id, old_values, new_values)
  SELECT TG_TABLE_NAME, TG_OP, n.id, to_jsonb(o), to_jsonb(n)
  FROM old_rows o JOIN new_rows n ON n.id = o.id;
  RETURN NULL;
END
$$;

CREATE FUNCTION audit_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_log (table_name, operation, record_id, old_values)
  SELECT TG_TABLE_NAME, TG_OP, o.id, to_jsonb(o) FROM old_rows o;
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_insert AFTER INSERT ON :"table"
  REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit_insert();
CREATE TRIGGER audit_update AFTER UPDATE ON :"table"
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit_update();
CREATE TRIGGER audit_delete AFTER DELETE ON :"table"
  REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION audit_delete();
