-- A partition for each of a thousand tenants.
CREATE TABLE partitioned (id bigint NOT NULL, tenant_id integer NOT NULL, amount integer NOT NULL) PARTITION BY LIST (tenant_id);
SELECT format('CREATE TABLE partition_%s PARTITION OF partitioned FOR VALUES IN (%1$s)', i)
FROM generate_series(1, 1000) i
\gexec
INSERT INTO partitioned SELECT i, 1 + i % 1000, i % 100 FROM generate_series(1, :rows) i;
VACUUM ANALYZE;
