-- The example of doc/tenant_schema.md.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA template;
CREATE TABLE template.products (
    id    serial PRIMARY KEY,
    name  varchar(200),
    price decimal(10,2)
);
SET client_min_messages = notice;
CALL steward.tenant_schema_create('{123,124}', 'template', dry_run => true);
SELECT count(*) AS tenants, to_regnamespace('tenant_123') AS schema FROM steward.tenants WHERE key = '123';
SET client_min_messages = warning;
CALL steward.tenant_schema_create('{123,124}', 'template');

BEGIN;
SELECT steward.tenant_schema_use('123');
INSERT INTO products (name, price) VALUES ('Teapot', 12.50) RETURNING *;
COMMIT;
BEGIN;
SELECT steward.tenant_schema_use('124');
SELECT * FROM products;
INSERT INTO products (name) VALUES ('Cup') RETURNING id;
COMMIT;

SET client_min_messages = notice;
CALL steward.tenant_schema_create('{123,124}', 'template', dry_run => true);
CALL steward.tenant_schema_migrate('2026-11-21 stock', 'ALTER TABLE products ADD stock integer NOT NULL DEFAULT 0', 'template', dry_run => true);
SELECT count(*) FROM steward.tenant_migrations;
CALL steward.tenant_schema_migrate('2026-11-21 stock', 'ALTER TABLE products ADD stock integer NOT NULL DEFAULT 0', 'template');
CALL steward.tenant_schema_migrate('2026-11-21 stock', 'ALTER TABLE products ADD stock integer NOT NULL DEFAULT 0', 'template', dry_run => true);
SET client_min_messages = warning;
SELECT schema_name, status FROM steward.tenant_migrations ORDER BY schema_name;
SELECT * FROM steward.tenant_schema_drift('template');
ALTER TABLE tenant_124.products ALTER stock DROP NOT NULL;
SELECT tenant, difference, kind, object, expected, found FROM steward.tenant_schema_drift('template');

-- What is there stays; what is missing is made, also for those registered before.
SELECT steward.tenant_create('Ünïcode ''%s'' "q"', isolation => 'schema'), steward.tenant_create('custom', isolation => 'schema', schema_name => 'My "own" schema'),
       steward.tenant_create(repeat('long', 20), isolation => 'schema'), steward.tenant_create('rows');
CALL steward.tenant_schema_create(NULL, 'template', batch => 1);
CALL steward.tenant_schema_create('{124,123,125,125,custom}', 'template', batch => 2);
SELECT key, schema_name, template, to_regclass(quote_ident(schema_name) || '.products') IS NOT NULL AS made FROM steward.tenants ORDER BY key;
SELECT name FROM tenant_123.products;
-- a new copy has been through what its template has
SELECT schema_name, status FROM steward.tenant_migrations ORDER BY schema_name;
CALL steward.tenant_schema_migrate('2026-11-21 stock', 'ALTER TABLE products ADD stock integer NOT NULL DEFAULT 0', 'template');
SELECT count(*) FROM steward.tenant_schema_drift('template') WHERE tenant <> '124';
-- however many there are, the catalogs are read about as often
BEGIN;
SELECT count(*) FROM steward.tenant_schema_drift('template', '{123}');
SELECT sum(seq_scan) AS scans FROM pg_stat_xact_sys_tables \gset
SELECT count(*) FROM steward.tenant_schema_drift('template') WHERE tenant <> '124';
SELECT sum(seq_scan) <= 3 * :scans AS as_often FROM pg_stat_xact_sys_tables;
ROLLBACK;
-- one that has gone is made again
DROP SCHEMA tenant_125 CASCADE;
SELECT tenant, difference, kind, object FROM steward.tenant_schema_drift('template', '{125}');
CALL steward.tenant_schema_create('{125}', 'template');
SELECT count(*) FROM steward.tenant_schema_drift('template', '{125}');
-- in a transaction block, as long as there is nothing to commit
BEGIN;
CALL steward.tenant_schema_create('{126}', 'template');
SELECT count(*) FROM tenant_126.products;
ROLLBACK;
BEGIN;
CALL steward.tenant_schema_create('{126,127}', 'template', batch => 1);
ROLLBACK;
SELECT key FROM steward.tenants WHERE key ~ '^12[67]';
-- an error takes its batch with it, not those before
CREATE SCHEMA tenant_13;
CALL steward.tenant_schema_create('{11,12,13,14}', 'template', batch => 1);
SELECT key FROM steward.tenants WHERE key ~ '^1.$' ORDER BY key;
DROP SCHEMA tenant_13;
CALL steward.tenant_schema_create('{11,12,13,14}', 'template');
SELECT key FROM steward.tenants WHERE key ~ '^1.$' ORDER BY key;

-- What is refused.
CALL steward.tenant_schema_create('{rows}', 'template');
CALL steward.tenant_schema_create('{x,NULL}', 'template');
CALL steward.tenant_schema_create('{x}', 'template', batch => 0);
CALL steward.tenant_schema_create('{x}', NULL);
CALL steward.tenant_schema_create('{x}', 'template', dry_run => NULL);
CALL steward.tenant_schema_create('{rows}', 'template', dry_run => true);
\set VERBOSITY terse
CALL steward.tenant_schema_create('{""}', 'template');
\set VERBOSITY default
CREATE SCHEMA "Other";
CREATE TABLE "Other"."T" (id int);
CALL steward.tenant_schema_create('{123}', '"Other"');
CALL steward.tenant_schema_create('{o}', '"Other"');
SELECT key, template FROM steward.tenants WHERE key = 'o';
SELECT count(*) FROM steward.tenant_schema_drift('"Other"');
SELECT steward.tenant_suspend('o');
SELECT relation, rows, command FROM steward.tenant_erase('o', dry_run => false);
CALL steward.tenant_schema_create('{o}', '"Other"');

-- Using a schema.
SELECT steward.tenant_schema_use('123');
BEGIN; SELECT steward.tenant_schema_use('nobody'); ROLLBACK;
BEGIN; SELECT steward.tenant_schema_use('rows'); ROLLBACK;
BEGIN; SELECT steward.tenant_schema_use('o'); ROLLBACK;
SELECT steward.tenant_suspend('124');
BEGIN; SELECT steward.tenant_schema_use('124'); ROLLBACK;
SELECT steward.tenant_resume('124');
BEGIN; SELECT steward.tenant_set('124'), steward.tenant_schema_use('124'); SHOW search_path; SELECT steward.tenant_schema_use('123'); ROLLBACK;
BEGIN; SELECT steward.tenant_schema_use('custom', '{"$x",Shared,public}'); SHOW search_path; SELECT steward.tenant_schema_use('123', '{}'); SHOW search_path; ROLLBACK;
SHOW search_path;
BEGIN; SAVEPOINT s; SELECT steward.tenant_schema_use('123'); ROLLBACK TO s; SHOW search_path; ROLLBACK;
BEGIN; SELECT steward.tenant_schema_use('123', '{NULL}'); ROLLBACK;
DO $$ BEGIN PERFORM steward.tenant_schema_use('123'); PERFORM FROM products; RAISE INFO 'found %', FOUND; END $$;
-- a temporary table does not come before the tenant's
BEGIN;
CREATE TEMPORARY TABLE products (name text);
SELECT steward.tenant_schema_use('123');
SELECT name FROM products;
ROLLBACK;
BEGIN; DROP SCHEMA tenant_125 CASCADE; SELECT steward.tenant_schema_use('125'); ROLLBACK;

-- Migrations: what fails is recorded, and tried again.
DELETE FROM steward.tenants WHERE key NOT IN ('123', '124', '125', 'rows');
INSERT INTO tenant_124.products (id, name) VALUES (7, 'Cup');
CALL steward.tenant_schema_migrate('unique', 'ALTER TABLE products ADD UNIQUE (name)', 'template');
SELECT schema_name, status, sqlstate, message, run_by = current_user AS by_us, duration >= '0' AS took FROM steward.tenant_migrations WHERE migration = 'unique' ORDER BY 1;
CALL steward.tenant_schema_migrate('unique', 'ALTER TABLE products ADD UNIQUE (name)', 'template', on_error => 'continue');
SELECT schema_name, status FROM steward.tenant_migrations WHERE migration = 'unique' ORDER BY 1;
DELETE FROM tenant_124.products WHERE id = 7;
CALL steward.tenant_schema_migrate('unique', 'ALTER TABLE products ADD UNIQUE (name)', 'template');
SELECT schema_name, status, sqlstate, message FROM steward.tenant_migrations WHERE migration = 'unique' ORDER BY 1;
CALL steward.tenant_schema_migrate('unique', 'ALTER TABLE products ADD UNIQUE (id, name)', 'template');
CALL steward.tenant_schema_migrate('x', 'SELECT 1', 'template', on_error => 'ignore');
CALL steward.tenant_schema_migrate(NULL, 'SELECT 1', 'template');
CALL steward.tenant_schema_migrate('x', 'SELECT 1', NULL);
CALL steward.tenant_schema_migrate('x', 'SELECT 1', 'template', dry_run => NULL);
BEGIN; CALL steward.tenant_schema_migrate('x', 'SELECT 1;', 'template', shared => '{Shared}', dry_run => true); ROLLBACK;
BEGIN; CALL steward.tenant_schema_migrate('x', 'SELECT 1', 'template'); ROLLBACK;
-- several statements are one; those suspended wait
SELECT steward.tenant_suspend('124');
CALL steward.tenant_schema_migrate('two', 'CREATE TABLE a (id int); CREATE TABLE b (id int, late int REFERENCES products DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1, 4711)', 'template', on_error => 'continue');
CALL steward.tenant_schema_migrate('two, again', 'CREATE TABLE a (id int); CREATE TABLE b (id int)', 'template');
SELECT migration, schema_name, status, sqlstate FROM steward.tenant_migrations WHERE migration ~ 'two' ORDER BY 1, 2;
SELECT steward.tenant_resume('124');
CALL steward.tenant_schema_migrate('two, again', 'CREATE TABLE a (id int); CREATE TABLE b (id int)', 'template');
SELECT schema_name, status FROM steward.tenant_migrations WHERE migration = 'two, again' ORDER BY 1;
SELECT steward.tenant_suspend('124');
SELECT count(*) FROM steward.tenant_erase('124', dry_run => false);
SELECT schema_name FROM steward.tenant_migrations WHERE schema_name = 'tenant_124';

-- Who is not a superuser, with a hostile search_path.
CREATE ROLE regress_schema_owner;
CREATE ROLE regress_schema_other;
GRANT SELECT, INSERT, UPDATE, DELETE ON steward.tenants, steward.tenant_migrations TO regress_schema_owner;
CREATE SCHEMA hostile AUTHORIZATION regress_schema_other;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
SET ROLE regress_schema_other;
CREATE TABLE hostile.taken (what text);
GRANT INSERT ON hostile.taken TO PUBLIC;
CREATE FUNCTION hostile.quote_ident(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.taken VALUES ('quote_ident'); RETURN 'public'; END $$;
CREATE FUNCTION hostile.format(text, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.taken VALUES ('format'); RETURN $1; END $$;
CREATE FUNCTION hostile.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.taken VALUES ('='); RETURN true; END $$;
CREATE OPERATOR hostile.= (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.eq);
CREATE FUNCTION hostile.nextval(text) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN INSERT INTO hostile.taken VALUES ('nextval'); RETURN 1; END $$;
CREATE DOMAIN hostile.text AS pg_catalog.text;
CREATE DOMAIN hostile.bool AS pg_catalog.bool CHECK (VALUE IS NULL);
RESET ROLE;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_schema_owner', current_database()) \gexec
SET ROLE regress_schema_owner;
CREATE SCHEMA mine;
CREATE TABLE mine.items (id int GENERATED ALWAYS AS IDENTITY, label text DEFAULT 'x' CHECK (label = 'x'));
CREATE TEMPORARY TABLE items (id text);
SET search_path = hostile, pg_catalog;
CALL steward.tenant_schema_create('{h1,h2}', 'mine', 1);
CALL steward.tenant_schema_migrate('label', 'ALTER TABLE items ADD more text', 'mine');
RESET search_path;
SELECT * FROM steward.tenant_schema_drift('mine');
SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace IN ('tenant_h1'::regnamespace, 'tenant_h2'::regnamespace);
RESET ROLE;
SELECT * FROM hostile.taken;
-- a template belongs to its owner, whoever calls
SET client_min_messages = notice;
CALL steward.tenant_schema_create('{"a ''%s'' \"b\""}', 'mine', dry_run => true);
SET client_min_messages = warning;
CALL steward.tenant_schema_create('{h3}', 'mine');
SELECT pg_get_userbyid(nspowner), (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = n.oid AND relname = 'items') FROM pg_namespace n WHERE nspname = 'tenant_h3';
SELECT current_user = session_user AS ourselves;
SET ROLE regress_schema_other;
CALL steward.tenant_schema_create('{h4}', 'mine');
RESET ROLE;
GRANT SELECT, INSERT, UPDATE ON steward.tenants TO regress_schema_other;
SET ROLE regress_schema_other;
CALL steward.tenant_schema_create('{h4}', 'mine');
CALL steward.tenant_schema_create('{h4}', 'hostile');
RESET ROLE;

DROP SCHEMA template, "Other", mine, hostile CASCADE;
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace WHERE nspname ~ '^tenant_(\d|h\d|long|Ü)' OR nspname = 'My "own" schema' ORDER BY 1 \gexec
DELETE FROM steward.tenants;
DELETE FROM steward.tenant_migrations;
DROP OWNED BY regress_schema_owner, regress_schema_other;
DROP ROLE regress_schema_owner, regress_schema_other;
