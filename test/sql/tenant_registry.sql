-- The first example of doc/tenant_registry.md.
SELECT steward.tenant_create('42', 'Acme', metadata => '{"plan": "free"}');
SELECT key, name, status, isolation FROM steward.tenants;

SELECT steward.tenant_suspend('42');
BEGIN;
SELECT steward.tenant_set('42');
ROLLBACK;
SELECT steward.tenant_resume('42');
BEGIN;
SELECT steward.tenant_set('42');
SELECT steward.current_tenant_int();
COMMIT;

-- What is no tenant.
\set SHOW_CONTEXT never
SELECT steward.tenant_create('42');
SELECT steward.tenant_create('');
SELECT steward.tenant_create(NULL);
SELECT steward.tenant_create(repeat('x', 256));
SELECT steward.tenant_create('43', isolation => 'table');
SELECT steward.tenant_create('43', schema_name => 'x');
\set VERBOSITY terse
SELECT steward.tenant_create('43', isolation => 'schema', schema_name => 'pg_x');
SELECT steward.tenant_create('43', isolation => 'schema', schema_name => repeat('x', 64));
SELECT steward.tenant_create('43', metadata => '[]');
INSERT INTO steward.tenants (key, status) VALUES ('43', 'erased');
UPDATE steward.tenants SET status = 'gone';
\set VERBOSITY default
SELECT steward.tenant_suspend('43');
SELECT steward.tenant_resume('it''s');
SELECT steward.tenant_create(repeat('x', 255), isolation => 'schema');
SELECT octet_length(key), octet_length(schema_name) FROM steward.tenants WHERE key ~ '^x';
DELETE FROM steward.tenants WHERE key ~ '^x';

-- Rights.
CREATE ROLE regress_registrar;
CREATE ROLE regress_registry_app;
SET ROLE regress_registry_app;
SELECT * FROM steward.tenants;
SELECT steward.tenant_create('44');
SELECT steward.tenant_resume('42');
SELECT steward.tenant_schema_use('42');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON steward.tenants TO regress_registrar;
SET ROLE regress_registrar;
SELECT steward.tenant_create('44'), steward.tenant_suspend('44');
DELETE FROM steward.tenants;
RESET ROLE;

-- Tenants that the registry does not name may work; names are taken byte by byte.
BEGIN; SELECT steward.tenant_set('nobody''s'); SELECT steward.current_tenant_text(); ROLLBACK;
BEGIN; SELECT steward.tenant_set('044'); SELECT steward.current_tenant_text(); ROLLBACK;
BEGIN; SELECT steward.tenant_set('44'); ROLLBACK;
BEGIN; SELECT steward.tenant_set(NULL, 'alice'); SELECT steward.current_user_id_text(); ROLLBACK;
INSERT INTO steward.tenants (key, status) VALUES ('it''s 100% "mine"', 'suspended');
BEGIN; SELECT steward.tenant_set('it''s 100% "mine"'); ROLLBACK;

-- A transaction that has set its tenant sees none from the next statement on; its user goes with it.
BEGIN;
SELECT steward.tenant_set('42', 'alice');
SELECT steward.current_tenant_int(), steward.current_user_id_text();
SELECT steward.tenant_suspend('42');
SELECT steward.current_tenant_int(), steward.current_user_id_text();
SELECT tenant, user_id, source FROM steward.tenant_context();
SELECT steward.tenant_set('42', 'alice');
ROLLBACK;
-- what is rolled back has not been
BEGIN;
SELECT steward.tenant_set('42');
SAVEPOINT s;
SELECT steward.tenant_suspend('42');
SELECT steward.current_tenant_int();
ROLLBACK TO s;
SELECT steward.current_tenant_int();
UPDATE steward.tenants SET status = 'suspended' WHERE key = '42';
SELECT steward.current_tenant_int();
DELETE FROM steward.tenants WHERE key = '42';
SELECT steward.current_tenant_int();
ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); SELECT steward.current_tenant_int(); ROLLBACK;
-- a statement does not lose its tenant half-way
BEGIN;
SELECT steward.tenant_set('42');
SELECT n, steward.current_tenant_int() FROM generate_series(1, 3) n
 WHERE CASE n WHEN 2 THEN steward.tenant_suspend('42') IS NOT NULL ELSE true END ORDER BY n;
SELECT steward.current_tenant_int();
ROLLBACK;
-- strictly
SET steward.tenant_strict = on;
BEGIN;
SELECT steward.tenant_set('42');
SELECT steward.tenant_suspend('42');
SELECT steward.current_tenant_int();
ROLLBACK;
BEGIN;
SELECT steward.tenant_set('42');
SELECT steward.current_tenant_uuid();
ROLLBACK;
RESET steward.tenant_strict;

-- By token.
SELECT current_setting('data_directory') || '/regress_tenant_registry.keys' AS keys \gset
COPY (VALUES ('first:0123456789abcdef0123456789abcdef')) TO :'keys';
SET steward.tenant_keys_file = :'keys';
SELECT steward.tenant_sign('42', 'alice') AS token, steward.tenant_sign('44') AS suspended, steward.tenant_sign('45') AS unnamed \gset
CREATE TABLE registered (tenant_id integer);
INSERT INTO registered SELECT i % 50 FROM generate_series(1, 10000) i;
ANALYZE registered;
ALTER TABLE registered ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON registered USING (steward.is_current_tenant(tenant_id));
GRANT SELECT ON registered TO regress_registry_app;
SET ROLE regress_registry_app;
BEGIN; SET LOCAL steward.token = :'suspended'; SELECT count(*) FROM registered; SELECT steward.current_tenant_int(); ROLLBACK;
BEGIN; SET LOCAL steward.token = :'unnamed'; SELECT count(*) FROM registered; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'token'; SELECT count(*) FROM registered; ROLLBACK;
-- in parallel workers, which read the registry themselves
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
BEGIN; SET LOCAL steward.token = :'token'; EXPLAIN (COSTS OFF) SELECT count(*) FROM registered; SELECT count(*) FROM registered; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'suspended'; SELECT count(*) FROM registered; ROLLBACK;
RESET ROLE;
BEGIN; SET LOCAL steward.token = :'token'; SELECT steward.tenant_suspend('42'); SET LOCAL ROLE regress_registry_app; SELECT count(*) FROM registered; ROLLBACK;
-- for a tenant that may not work there are none: they would take the settings' word for it
CREATE FUNCTION pg_temp.launched() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT FROM registered' LOOP
        IF line ~ 'Workers' THEN
            RETURN NEXT trim(line);
        END IF;
    END LOOP;
END $$;
BEGIN; SET LOCAL steward.token = :'token'; SELECT steward.tenant_suspend('42'); SELECT pg_temp.launched(); ROLLBACK;
SET ROLE regress_registry_app;
BEGIN; SET LOCAL steward.token = :'suspended'; SELECT pg_temp.launched(); ROLLBACK;
RESET ROLE;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Whatever changes the table is noticed: also what fires no ordinary triggers, and a TRUNCATE.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE steward.tenants SET status = 'suspended' WHERE key = '42';
SAVEPOINT s; SELECT steward.tenant_set('42'); ROLLBACK TO s;
TRUNCATE steward.tenants;
SELECT steward.tenant_set('42'), steward.current_tenant_int();
ROLLBACK;
-- the trigger is for this alone
SELECT steward_internal.tenant_changed_trigger();

-- Many that may not work.
INSERT INTO steward.tenants (key, status) SELECT 'many ' || i, 'suspended' FROM generate_series(1, 1000) i;
BEGIN; SELECT steward.tenant_set('many 777'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('many 1001'); ROLLBACK;
SELECT steward.tenant_resume(key) FROM steward.tenants WHERE key = 'many 777';
BEGIN; SELECT steward.tenant_set('many 777'); ROLLBACK;
-- a table of that name that is not the extension's says nothing
BEGIN;
ALTER EXTENSION pg_steward DROP TABLE steward.tenants;
SELECT steward.tenant_set('44');
ROLLBACK;

DROP TABLE registered;
DELETE FROM steward.tenants;
REVOKE ALL ON steward.tenants FROM regress_registrar;
DROP ROLE regress_registrar, regress_registry_app;
