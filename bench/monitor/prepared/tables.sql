-- Many tables with two indexes each, some of them with rows and dead rows.
CREATE PROCEDURE pg_temp.make_tables(n integer) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. n LOOP
    IF i % 1000 = 1 THEN EXECUTE format('CREATE SCHEMA many%s', i / 1000); END IF;
    EXECUTE format('CREATE TABLE many%s.t%s (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text, at timestamptz DEFAULT now())', (i - 1) / 1000, i);
    EXECUTE format('CREATE INDEX ON many%s.t%s (at)', (i - 1) / 1000, i);
    IF i % 10 = 0 THEN
      EXECUTE format('INSERT INTO many%s.t%s (what) SELECT g FROM generate_series(1, 50) g', (i - 1) / 1000, i);
    END IF;
    -- there are locks for a few thousand
    IF i % 500 = 0 THEN COMMIT; END IF;
  END LOOP;
END
$$;
CALL pg_temp.make_tables(:rows / 10);
VACUUM ANALYZE;
