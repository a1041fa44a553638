-- What tenant_probe() says of tables of every kind, and that nothing is left of what it did.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

CREATE ROLE regress_probe_owner;
CREATE ROLE regress_probe_app;
GRANT regress_probe_app TO regress_probe_owner;
CREATE SCHEMA probed AUTHORIZATION regress_probe_owner;
GRANT USAGE ON SCHEMA probed TO regress_probe_app;
SET ROLE regress_probe_owner;
-- a key with the tenant, columns that are made by the server, and a foreign key
CREATE TABLE probed.a_account (
    tenant_id integer NOT NULL,
    id        bigint GENERATED ALWAYS AS IDENTITY,
    email     text NOT NULL UNIQUE,
    upper     text GENERATED ALWAYS AS (upper(email)) STORED,
    PRIMARY KEY (tenant_id, id)
);
INSERT INTO probed.a_account (tenant_id, email) VALUES (1, 'ann'), (1, 'amy'), (2, 'bob');
CREATE TABLE probed.b_item (
    id         serial PRIMARY KEY,
    tenant_id  integer NOT NULL,
    account_id bigint NOT NULL,
    FOREIGN KEY (tenant_id, account_id) REFERENCES probed.a_account ON DELETE RESTRICT
);
INSERT INTO probed.b_item (tenant_id, account_id) VALUES (1, 1), (2, 3);
-- partitions by the tenant and by something else
CREATE TABLE probed.c_list (tenant_id integer NOT NULL, n integer) PARTITION BY LIST (tenant_id);
CREATE TABLE probed.c_list_1 PARTITION OF probed.c_list FOR VALUES IN (1);
CREATE TABLE probed.c_list_2 PARTITION OF probed.c_list FOR VALUES IN (2);
INSERT INTO probed.c_list VALUES (1, 1), (2, 2);
CREATE TABLE probed.d_range (tenant_id integer NOT NULL, n integer PRIMARY KEY) PARTITION BY RANGE (n);
CREATE TABLE probed.d_range_1 PARTITION OF probed.d_range FOR VALUES FROM (0) TO (10);
INSERT INTO probed.d_range VALUES (1, 1), (2, 2);
CREATE TABLE probed.e_empty (tenant_id integer NOT NULL PRIMARY KEY);
-- the other types of tenants
CREATE TABLE probed.f_bigint (tenant_id bigint NOT NULL, v text);
INSERT INTO probed.f_bigint VALUES (1, 'x'), (2, 'y');
CREATE TABLE probed.g_text (tenant_id text NOT NULL, v text);
INSERT INTO probed.g_text VALUES ('1', 'x'), ('2', 'y');
CREATE TABLE probed.h_uuid (tenant_id uuid NOT NULL, v text);
INSERT INTO probed.h_uuid VALUES ('00000000-0000-0000-0000-000000000001', 'x'), ('00000000-0000-0000-0000-000000000002', 'y');
-- rows are not deleted, and given to whom they should belong
CREATE TABLE probed.i_soft (tenant_id integer NOT NULL, id integer PRIMARY KEY, deleted_at timestamptz);
INSERT INTO probed.i_soft VALUES (1, 1), (2, 2);
SELECT count(*) > 0 AS soft FROM steward.soft_delete_enable('probed.i_soft');
CREATE TABLE probed.j_given (tenant_id integer NOT NULL, v text);
INSERT INTO probed.j_given VALUES (1, 'x'), (2, 'y');
CREATE FUNCTION probed.give() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.tenant_id := steward.current_tenant_int(); RETURN NEW; END';
CREATE TRIGGER give BEFORE INSERT ON probed.j_given FOR EACH ROW EXECUTE FUNCTION probed.give();
SELECT count(*) > 0 AS protected
  FROM unnest('{a_account,b_item,c_list,d_range,e_empty,f_bigint,g_text,h_uuid,i_soft,j_given}'::text[]) t (name) CROSS JOIN LATERAL steward.tenant_protect('probed.' || name);
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA probed TO regress_probe_app;
RESET ROLE;
SELECT 'everything' AS before, md5(string_agg(x, ',')) AS rows FROM (
    SELECT t::text || t.ctid FROM probed.a_account t UNION ALL SELECT t::text || t.ctid FROM probed.b_item t UNION ALL SELECT t::text || t.ctid FROM probed.c_list t
     UNION ALL SELECT t::text || t.ctid FROM probed.d_range t UNION ALL SELECT t::text || t.ctid FROM probed.i_soft t UNION ALL SELECT t::text || t.ctid FROM probed.j_given t) AS s (x)
\gset before_

CREATE VIEW probed.outcome AS
SELECT substr(table_name, 8) AS table_name, result, string_agg(attempt, ', ' ORDER BY n) AS attempts
  FROM steward.tenant_probe('1', '2', 'regress_probe_app', schemas => '{probed}') WITH ORDINALITY p (table_name, attempt, result, detail, n)
 GROUP BY table_name, result;
-- all is well
SELECT table_name, result, attempts FROM probed.outcome ORDER BY table_name COLLATE "C", result COLLATE "C";
SELECT table_name, attempt, result FROM steward.tenant_probe('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002', 'regress_probe_app', schemas => '{probed}') WITH ORDINALITY p (table_name, attempt, result, detail, n)
 WHERE table_name = 'probed.h_uuid' ORDER BY n;
SELECT DISTINCT result, detail FROM steward.tenant_probe('1', '2', 'regress_probe_app', schemas => '{probed}') WHERE table_name = 'probed.h_uuid';

-- everything is open
BEGIN;
DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT polrelid::regclass AS relation, polname FROM pg_policy WHERE polrelid::regclass::text LIKE 'probed.%' LOOP
        EXECUTE format('ALTER POLICY %I ON %s USING (true)', p.polname, p.relation);
    END LOOP;
END $$;
SELECT table_name, result, attempts FROM probed.outcome ORDER BY table_name COLLATE "C", result COLLATE "C";
ROLLBACK;

-- an owner for whom policies hold too asks the tenants
GRANT EXECUTE ON FUNCTION steward.tenant_set TO regress_probe_owner;
GRANT SELECT ON probed.outcome TO regress_probe_owner;
SET ROLE regress_probe_owner;
SELECT result, string_agg(table_name || ': ' || attempts, '; ' ORDER BY table_name COLLATE "C") FROM probed.outcome WHERE result <> 'blocked' GROUP BY 1 ORDER BY 1;
BEGIN;
ALTER POLICY steward_tenant_floor ON probed.a_account USING (true);
ALTER POLICY steward_tenant ON probed.a_account USING (true);
SELECT attempt, result FROM steward.tenant_probe('1', '2', 'regress_probe_app', schemas => '{probed}') WITH ORDINALITY p (table_name, attempt, result, detail, n)
 WHERE table_name = 'probed.a_account' ORDER BY n;
ROLLBACK;
-- rights on some columns
REVOKE ALL ON probed.f_bigint FROM regress_probe_app;
GRANT SELECT (tenant_id), INSERT (tenant_id) ON probed.f_bigint TO regress_probe_app;
RESET ROLE;
SELECT attempt, result, detail FROM steward.tenant_probe('1', '2', 'regress_probe_app', schemas => '{probed}') WITH ORDINALITY p (table_name, attempt, result, detail, n)
 WHERE table_name = 'probed.f_bigint' ORDER BY n;

-- nothing is left of it
SELECT 'everything' AS after, md5(string_agg(x, ',')) = :'before_rows' AS unchanged FROM (
    SELECT t::text || t.ctid FROM probed.a_account t UNION ALL SELECT t::text || t.ctid FROM probed.b_item t UNION ALL SELECT t::text || t.ctid FROM probed.c_list t
     UNION ALL SELECT t::text || t.ctid FROM probed.d_range t UNION ALL SELECT t::text || t.ctid FROM probed.i_soft t UNION ALL SELECT t::text || t.ctid FROM probed.j_given t) AS s (x);
SELECT current_user = session_user AS is_self, tenant IS NULL AS no_tenant FROM steward.tenant_context();

DROP SCHEMA probed CASCADE;
REVOKE EXECUTE ON FUNCTION steward.tenant_set FROM regress_probe_owner;
DROP ROLE regress_probe_owner, regress_probe_app;
