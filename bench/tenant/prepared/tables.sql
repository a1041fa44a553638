-- Many tables, as rightly protected as tables are.
CREATE SCHEMA many;
CREATE PROCEDURE pg_temp.make_tables(n integer) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. n LOOP
    EXECUTE format('CREATE TABLE many.t%s (id bigint, tenant_id bigint NOT NULL, PRIMARY KEY (tenant_id, id))', i);
    EXECUTE format('ALTER TABLE many.t%s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', i);
    EXECUTE format('CREATE POLICY tenant ON many.t%s USING (steward.is_current_tenant(tenant_id))', i);
    -- there are locks for a few thousand
    IF i % 500 = 0 THEN COMMIT; END IF;
  END LOOP;
END
$$;
CALL pg_temp.make_tables(:rows / 10);
VACUUM ANALYZE;
