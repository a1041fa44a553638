-- A thousand tenants, by columns of each type.
CREATE TABLE rows (
  id bigint,
  tenant_int integer NOT NULL,
  tenant_bigint bigint NOT NULL,
  tenant_uuid uuid NOT NULL,
  amount integer NOT NULL,
  tenant_text text NOT NULL,
  body text NOT NULL
);
SELECT setseed(0.5) \g /dev/null
INSERT INTO rows
SELECT i, t, t, lpad(to_hex(t), 32, '0')::uuid, i % 100, 'tenant-' || t, md5(i::text)
FROM (SELECT i, 1 + floor(random() * 1000)::integer AS t FROM generate_series(1, :rows * 10) i) AS drawn;
ALTER TABLE rows ADD PRIMARY KEY (id);
CREATE INDEX ON rows (tenant_int);
VACUUM ANALYZE rows;

-- Users who are members of five tenants each.
CREATE TABLE members (user_id integer, tenant_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members SELECT user_id, 1 + (user_id * 7 + i * 131) % 1000 FROM generate_series(1, 1000) user_id, generate_series(1, 5) i;
VACUUM ANALYZE members;
