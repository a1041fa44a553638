-- A tenant that has four rows of ten, many middling ones, and one that is new
-- and has three. No index begins with the tenant and goes on with the time.
CREATE TABLE skewed (
  id bigint,
  tenant_id integer NOT NULL,
  created_at timestamptz NOT NULL,
  body text NOT NULL
);
SELECT setseed(0.5) \g /dev/null
INSERT INTO skewed
SELECT i, CASE WHEN i <= 3 THEN 1000 WHEN random() < 0.4 THEN 1 ELSE 2 + floor(random() * 998) END,
       timestamptz '2024-01-01' + i * interval '1 second', md5(i::text)
FROM generate_series(1, :rows * 10) i;
ALTER TABLE skewed ADD PRIMARY KEY (id);
CREATE INDEX ON skewed (tenant_id);
CREATE INDEX ON skewed (created_at);
ALTER TABLE skewed ALTER tenant_id SET STATISTICS 1000;
VACUUM ANALYZE skewed;
