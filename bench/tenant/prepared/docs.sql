-- Documents of a hundred tenants, four of ten the first one's, with words some of
-- which come all the time and most hardly ever.
CREATE TABLE docs (id bigint, tenant_id integer NOT NULL, title text NOT NULL, vector tsvector NOT NULL);
SELECT setseed(0.5) \g /dev/null
WITH drawn AS MATERIALIZED (
  SELECT i, random() AS tenant, 'w' || floor(exp(random() * ln(30000)))::integer AS word
  FROM generate_series(1, :rows * 2) i, generate_series(1, 10)
)
INSERT INTO docs
SELECT i, CASE WHEN min(tenant) < 0.05 THEN 1 ELSE 2 + i % 99 END, 'Title ' || i, array_to_tsvector(array_agg(word))
FROM drawn GROUP BY i;
ALTER TABLE docs ADD PRIMARY KEY (id);
CREATE INDEX ON docs (tenant_id);
CREATE INDEX ON docs USING gin (vector);
VACUUM ANALYZE docs;
