-- What schemas of tenants, and columns that are renamed, leave open.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- A schema for each tenant: tables of one's own come after his, and his sequences count for him alone.
CREATE SCHEMA template;
CREATE TABLE template.orders (id serial PRIMARY KEY, what text);
SELECT steward.tenant_create('1', isolation => 'schema', schema_name => 'tenant_one'), steward.tenant_create('2', isolation => 'schema', schema_name => 'tenant_two');
SET jit = off;
CALL steward.tenant_schema_create('{1,2}', 'template');
GRANT USAGE ON SCHEMA tenant_one, tenant_two TO regress_holes_app;
GRANT SELECT, INSERT ON tenant_one.orders, tenant_two.orders TO regress_holes_app;
GRANT USAGE ON SEQUENCE tenant_one.orders_id_seq, tenant_two.orders_id_seq TO regress_holes_app;
GRANT EXECUTE ON FUNCTION steward.tenant_schema_use(text, name[]) TO regress_holes_gateway;
SET SESSION AUTHORIZATION regress_holes_app;
CREATE TEMP TABLE orders (id integer, what text);
BEGIN; SELECT steward.tenant_schema_use('2'); ROLLBACK;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_holes_gateway;
BEGIN; SELECT steward.tenant_schema_use('1'); SET LOCAL ROLE regress_holes_app; INSERT INTO orders (what) VALUES ('of one') RETURNING id, (SELECT c.relnamespace::regnamespace FROM pg_class c WHERE c.oid = orders.tableoid); COMMIT;
BEGIN; SELECT steward.tenant_schema_use('2'); SET LOCAL ROLE regress_holes_app; INSERT INTO orders (what) VALUES ('of two') RETURNING id, (SELECT c.relnamespace::regnamespace FROM pg_class c WHERE c.oid = orders.tableoid); COMMIT;
-- but a schema is no wall for a role that has rights on all
BEGIN; SELECT steward.tenant_schema_use('1'); SET LOCAL ROLE regress_holes_app; SELECT what FROM tenant_two.orders; COMMIT;
RESET SESSION AUTHORIZATION;

-- A column that is renamed to be a tenant's.
SELECT steward.tenant_guard_enable('error');
SET ROLE regress_holes_owner;
CREATE TABLE ours.plain (id integer, owner_id integer);
BEGIN; ALTER TABLE ours.plain RENAME COLUMN owner_id TO tenant_id; COMMIT;
RESET ROLE;
SELECT steward.tenant_guard_disable();

\set ECHO none
SET client_min_messages = warning;
DROP SCHEMA template, tenant_one, tenant_two CASCADE;
DELETE FROM steward.tenants;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
