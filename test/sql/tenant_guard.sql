-- The guard of new tables. It is for the whole database, so that everything here happens in transactions that are undone.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
CREATE ROLE regress_tg_app;
CREATE ROLE regress_tg_owner;
CREATE ROLE regress_tg_other;
CREATE SCHEMA tenant_guard AUTHORIZATION regress_tg_owner;
GRANT ALL ON SCHEMA tenant_guard TO regress_tg_owner, regress_tg_other;
SELECT format('GRANT CREATE ON DATABASE %I TO regress_tg_owner', current_database()) \gexec
SET search_path = tenant_guard;
CREATE FOREIGN DATA WRAPPER regress_tg_fdw;
CREATE SERVER regress_tg_server FOREIGN DATA WRAPPER regress_tg_fdw;
GRANT USAGE ON FOREIGN SERVER regress_tg_server TO regress_tg_owner;
CREATE TABLE old (id integer, tenant_id integer);
ALTER TABLE old OWNER TO regress_tg_owner;
CREATE VIEW tables AS
SELECT c.oid::regclass AS relation, c.relrowsecurity AS security, c.relforcerowsecurity AS forced,
       (SELECT string_agg(p.polname, ' ' ORDER BY p.polname COLLATE "C") FROM pg_policy p WHERE p.polrelid = c.oid) AS policies
  FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^tenant_guard') AND c.relkind IN ('r', 'p', 'f', 'm') AND c.relname <> 'old'
 ORDER BY c.relname COLLATE "C";
GRANT SELECT ON tables TO PUBLIC;

-- The page's first example.
BEGIN;
SELECT steward.tenant_guard_enable('protect', roles => '{regress_tg_app}');
CREATE TABLE orders (id bigint PRIMARY KEY, tenant_id bigint);
SELECT policy_name, roles, intent FROM steward.tenant_policies WHERE relation = 'orders'::regclass ORDER BY policy_name COLLATE "C";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_guard}') WHERE object <> 'tenant_guard.old';
ROLLBACK;

-- Errors.
SELECT steward.tenant_guard_enable('nothing');
SELECT steward.tenant_guard_enable(NULL);
SELECT steward.tenant_guard_enable(tenant_columns => '{}');
SELECT steward.tenant_guard_enable(tenant_columns => '{tenant_id,NULL}');
SELECT steward.tenant_guard_enable(roles => '{Nobody}');
SET ROLE regress_tg_owner;
SELECT steward.tenant_guard_enable();
SELECT steward.tenant_guard_disable();
RESET ROLE;
SELECT count(*) FROM pg_event_trigger WHERE evtname = 'steward_tenant_guard';
-- Asked twice, the last one counts.
BEGIN;
SELECT steward.tenant_guard_enable();
SELECT steward.tenant_guard_enable('error', '{customer_id,tenant_id}', '{regress_tg_app}');
TABLE steward.tenant_guard_settings;
SELECT evtenabled FROM pg_event_trigger WHERE evtname = 'steward_tenant_guard';
SELECT steward.tenant_guard_disable();
SELECT steward.tenant_guard_disable();
TABLE steward.tenant_guard_settings;
SELECT count(*) FROM pg_event_trigger WHERE evtname = 'steward_tenant_guard';
ROLLBACK;

-- Whatever way a table comes.
SELECT $$
CREATE TABLE a (tenant_id integer);
CREATE TABLE b AS SELECT 1 AS tenant_id;
SELECT 1 AS tenant_id INTO c;
CREATE TABLE d (LIKE old INCLUDING ALL);
CREATE TABLE e (x integer);
ALTER TABLE e ADD tenant_id integer;
CREATE TABLE f (x integer);
ALTER TABLE f RENAME x TO tenant_id;
CREATE SCHEMA tenant_guard_2 CREATE TABLE g (tenant_id integer) CREATE VIEW v AS SELECT * FROM g;
DO 'BEGIN CREATE TABLE h (tenant_id integer); END';
CREATE FUNCTION make() RETURNS void LANGUAGE sql AS 'CREATE TABLE i (tenant_id integer)';
SELECT FROM make();
PREPARE q AS SELECT 1 AS tenant_id;
CREATE TABLE j AS EXECUTE q;
DEALLOCATE q;
CREATE TABLE k () INHERITS (a);
CREATE TABLE l (tenant_id integer);
ALTER TABLE l INHERIT a;
CREATE TABLE p (id integer, tenant_id integer) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (id);
CREATE TABLE p2a PARTITION OF p2 DEFAULT;
CREATE TABLE p3 (id integer, tenant_id integer);
ALTER TABLE p ATTACH PARTITION p3 FOR VALUES IN (3);
CREATE UNLOGGED TABLE u (tenant_id integer);
CREATE TABLE "Quoted ""Table" (tenant_id integer);
CREATE TYPE row AS (tenant_id integer);
CREATE TABLE o OF row;
CREATE FOREIGN TABLE x (tenant_id integer) SERVER regress_tg_server;
CREATE MATERIALIZED VIEW m AS SELECT 1 AS tenant_id;
ALTER TABLE e SET SCHEMA tenant_guard_2;
CREATE TEMP TABLE z (tenant_id integer);
CREATE TABLE other (x integer);
CREATE VIEW w AS SELECT 1 AS tenant_id;
$$ AS ways \gset
BEGIN;
SELECT steward.tenant_guard_enable();
SET LOCAL ROLE regress_tg_owner;
\set VERBOSITY terse
:ways
\set VERBOSITY default
CREATE TABLE y (tenant_id integer);
ROLLBACK;
BEGIN;
SELECT steward.tenant_guard_enable('protect');
SET LOCAL ROLE regress_tg_owner;
:ways
TABLE tables;
SELECT count(*), count(problem) FROM steward.tenant_policies;
-- Again by hand.
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
SELECT relation FROM tables WHERE relation IN ('a'::regclass, 'k'::regclass) AND security;
ROLLBACK;

-- What mode protect cannot protect, and partitions of what is protected by users.
BEGIN;
SELECT steward.tenant_guard_enable('protect', '{customer_id,tenant_id}', '{regress_tg_app}');
SET LOCAL ROLE regress_tg_owner;
CREATE TABLE two (tenant_id integer, customer_id integer);
SELECT policy_name, intent FROM steward.tenant_policies WHERE relation = 'two'::regclass ORDER BY policy_name COLLATE "C";
CREATE TABLE rows (x integer);
INSERT INTO rows VALUES (1);
ALTER TABLE rows ADD tenant_id integer;
SAVEPOINT s;
CREATE TABLE bad (tenant_id numeric);
ROLLBACK TO s;
CREATE TABLE p (id integer, user_id integer) PARTITION BY LIST (id);
SELECT count(*) FROM steward.tenant_protect_user('p');
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 (user_id integer, id integer);
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2);
TABLE tables;
SELECT count(*), count(problem) FROM steward.tenant_policies;
-- Refused, since the guard would make them anew.
SELECT steward.tenant_unprotect('two');
ROLLBACK;

-- A partition whose siblings are another's is protected all the same.
BEGIN;
CREATE TABLE p (id integer, tenant_id integer) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
SELECT count(*) FROM steward.tenant_protect('p');
ALTER TABLE p OWNER TO regress_tg_owner;
ALTER TABLE p1 OWNER TO regress_tg_other;
SELECT steward.tenant_guard_enable('protect');
SET LOCAL ROLE regress_tg_owner;
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
SELECT relation, security, policies FROM tables;
ROLLBACK;

-- Muted tables, and taking protection away.
BEGIN;
SELECT steward.tenant_guard_enable('protect');
CREATE TABLE p (id integer, tenant_id integer) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
SAVEPOINT s;
SELECT steward.tenant_unprotect('p', dry_run => true);
ROLLBACK TO s;
SELECT steward.tenant_unprotect('p');
ROLLBACK TO s;
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('no_rls:tenant_guard.p', 'test'), ('materialized_view:tenant_guard.m', 'test');
SELECT count(*) FROM steward.tenant_unprotect('p');
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
CREATE MATERIALIZED VIEW m AS SELECT 1 AS tenant_id;
TABLE tables;
ROLLBACK;

-- Mode error: until the transaction commits. SET CONSTRAINTS asks now.
BEGIN;
SELECT steward.tenant_guard_enable('error');
SET LOCAL ROLE regress_tg_owner;
CREATE TABLE a (tenant_id integer);
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
SELECT count(*) FROM steward.tenant_protect('a');
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
CREATE TABLE b (tenant_id integer);
DROP TABLE b;
SAVEPOINT s;
CREATE TABLE c (tenant_id integer);
ROLLBACK TO s;
CREATE TABLE d (tenant_id integer);
ALTER TABLE d RENAME tenant_id TO x;
ALTER TABLE a ADD y integer;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
RESET ROLE;
SELECT count(*) FROM steward_internal.tenant_guard_pending;
SET session_replication_role = replica;
CREATE TABLE e (tenant_id integer);
RESET session_replication_role;
SAVEPOINT s;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
SELECT steward.tenant_guard_disable();
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;

-- A column that comes with the type of a table, under any name it gets, and to its children; an old table of the type counts as new then.
CREATE TYPE row_type AS (id integer);
CREATE TYPE other_type AS (customer integer);
CREATE TABLE typed OF row_type;
CREATE TABLE typed_whole OF row_type PARTITION BY LIST (id);
CREATE TABLE typed_part PARTITION OF typed_whole DEFAULT;
CREATE TABLE typed_other OF other_type;
CREATE TABLE no_type (id integer, tenant_id integer);
BEGIN;
SELECT steward.tenant_guard_enable('warn');
ALTER TYPE row_type ADD ATTRIBUTE tenant_id integer CASCADE;
ALTER TYPE other_type RENAME ATTRIBUTE customer TO tenant_id CASCADE;
ALTER TABLE no_type OF row_type;
ALTER TYPE tenant_guard.row_type SET SCHEMA public;
ROLLBACK;
BEGIN;
SELECT steward.tenant_guard_enable('error');
SAVEPOINT s;
ALTER TYPE row_type ADD ATTRIBUTE tenant_id integer CASCADE;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK TO s;
DO $$ BEGIN ALTER TYPE other_type RENAME ATTRIBUTE customer TO tenant_id CASCADE; END $$;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
BEGIN;
SELECT steward.tenant_guard_enable('protect', roles => '{regress_tg_app}');
ALTER TYPE row_type ADD ATTRIBUTE tenant_id integer CASCADE;
SELECT relation, count(*) FROM steward.tenant_policies WHERE relation::text ~ 'typed' GROUP BY relation ORDER BY relation::text COLLATE "C";
ROLLBACK;

-- A commit that fails takes the guard along.
BEGIN;
SELECT steward.tenant_guard_enable('error');
CREATE TABLE a (tenant_id integer);
COMMIT;
SELECT to_regclass('a'), count(*) FROM steward.tenant_guard_settings;

-- The guard, like the policies, holds the extension.
BEGIN;
SELECT steward.tenant_guard_enable();
\set VERBOSITY sqlstate
DROP EXTENSION pg_steward;
\set VERBOSITY default
ROLLBACK;
BEGIN;
SELECT count(*) FROM steward.tenant_protect('old');
SET LOCAL client_min_messages = error;
SET LOCAL steward.audit_guard = off;
DROP EXTENSION pg_steward CASCADE;
SELECT relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class c WHERE oid = 'old'::regclass;
ROLLBACK;

SET client_min_messages = warning;
SELECT format('REVOKE CREATE ON DATABASE %I FROM regress_tg_owner', current_database()) \gexec
DELETE FROM steward.muted_findings;
DROP SCHEMA tenant_guard CASCADE;
DROP SERVER regress_tg_server;
DROP FOREIGN DATA WRAPPER regress_tg_fdw;
DROP ROLE regress_tg_app, regress_tg_owner, regress_tg_other;
