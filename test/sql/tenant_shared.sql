-- Rows of no tenant that all may read, and tenants in a tree.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_shared_owner;
CREATE ROLE regress_shared_app;
CREATE ROLE regress_shared_editor;
CREATE SCHEMA shared AUTHORIZATION regress_shared_owner;
GRANT USAGE ON SCHEMA shared TO regress_shared_app, regress_shared_editor;
SET ROLE regress_shared_owner;
SET search_path = shared;
ALTER DEFAULT PRIVILEGES IN SCHEMA shared GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_shared_app, regress_shared_editor;

-- whether a query's plan has some text
CREATE FUNCTION plan_has(query text, part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
        IF strpos(line, part) > 0 THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END $$;

-- how many lists of tenants it makes
CREATE FUNCTION lists_made(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (COSTS off, FORMAT json) ' || query INTO plan;
    RETURN (SELECT count(*) FROM regexp_matches(plan::text, '"InitPlan"', 'g'));
END $$;

-- the example of the page
CREATE TABLE templates (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer NOT NULL, body text);
SELECT * FROM steward.tenant_protect_shared('templates', roles => '{regress_shared_app}', dry_run => true);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_shared('templates', roles => '{regress_shared_app}');
SELECT * FROM steward.tenant_protect_shared('templates');
SELECT count(*) > 0 AS editor FROM steward.tenant_admin_all('templates', 'regress_shared_editor');
SELECT policy_name, roles, problem FROM steward.tenant_policies WHERE relation = 'templates'::regclass ORDER BY policy_name;
RESET ROLE;
INSERT INTO templates (tenant_id, body) SELECT nullif(n % 4, 0), 'template' FROM generate_series(1, 4000) n;
ANALYZE templates;
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_shared_app;
SELECT tenant_id, count(*) FROM templates GROUP BY 1 ORDER BY 1;
INSERT INTO templates (body) VALUES ('mine') RETURNING tenant_id;
-- nobody's are not for writing
UPDATE templates SET body = 'theirs' WHERE tenant_id IS NULL;
DELETE FROM templates WHERE tenant_id IS NULL;
SELECT count(*) FROM templates WHERE tenant_id IS NULL AND body = 'template';
SAVEPOINT s;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all');
ROLLBACK TO s;
INSERT INTO templates (tenant_id, body) VALUES (2, 'for another');
ROLLBACK TO s;
UPDATE templates SET tenant_id = NULL WHERE body = 'mine';
ROLLBACK TO s;
SELECT plan_has('SELECT * FROM shared.templates', 'Index Cond: (tenant_id = steward.current_tenant_int())'), plan_has('SELECT * FROM shared.templates', 'Index Cond: (tenant_id IS NULL)'), plan_has('SELECT * FROM shared.templates', 'Seq Scan') AS scans;
ROLLBACK;
BEGIN;
SET LOCAL ROLE regress_shared_app;
SELECT tenant_id, count(*) FROM templates GROUP BY 1;
RESET ROLE;
SET LOCAL ROLE regress_shared_editor;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all') RETURNING tenant_id;
ROLLBACK;
-- without the floor nothing else is seen or written
BEGIN;
DROP POLICY steward_tenant_floor ON templates;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_shared_app;
SELECT tenant_id, count(*) FROM templates GROUP BY 1 ORDER BY 1;
UPDATE templates SET body = 'theirs' WHERE tenant_id IS NULL;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all');
ROLLBACK;
SELECT rule, severity FROM steward.tenant_check(schemas => '{shared}', roles => '{regress_shared_app}') WHERE object LIKE 'shared.%' AND rule <> 'index_of_all';

-- a role that writes the rows of everybody, and nothing else
CREATE ROLE regress_shared_writer;
GRANT USAGE ON SCHEMA shared TO regress_shared_writer;
GRANT SELECT, INSERT, UPDATE, DELETE ON templates TO regress_shared_writer;
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_shared_writer;
SET ROLE regress_shared_owner;
SELECT * FROM steward.tenant_write_shared('templates', 'regress_shared_writer', dry_run => true);
SELECT count(*) > 0 AS writer FROM steward.tenant_write_shared('templates', 'regress_shared_writer');
SELECT * FROM steward.tenant_write_shared('templates', 'regress_shared_writer');
SELECT * FROM steward.tenant_protect_shared('templates');
SELECT policy_name, roles, problem FROM steward.tenant_policies WHERE relation = 'templates'::regclass ORDER BY policy_name;
SET ROLE regress_shared_writer;
SELECT tenant_id, count(*) FROM templates GROUP BY 1;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all') RETURNING tenant_id;
WITH u AS (UPDATE templates SET body = 'changed' RETURNING tenant_id) SELECT tenant_id, count(*) FROM u GROUP BY 1;
-- no tenant's, by whatever way
INSERT INTO templates (tenant_id, body) VALUES (1, 'for one');
UPDATE templates SET tenant_id = 1;
DELETE FROM templates WHERE tenant_id = 1;
MERGE INTO templates USING (VALUES (1)) v (n) ON tenant_id = n WHEN NOT MATCHED THEN INSERT (tenant_id, body) VALUES (n, 'for one');
INSERT INTO templates (id, tenant_id, body) OVERRIDING SYSTEM VALUE VALUES (1, NULL, 'mine') ON CONFLICT (id) DO UPDATE SET body = 'taken';
TRUNCATE templates;
-- nor for the tenant of a transaction: rows of everybody are written outside of any
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SELECT tenant_id, count(*) FROM templates GROUP BY 1;
INSERT INTO templates (tenant_id, body) VALUES (NULL, 'for all');
ROLLBACK;
-- nor with the floor gone
RESET ROLE;
BEGIN;
DROP POLICY steward_tenant_floor ON templates;
SET LOCAL ROLE regress_shared_writer;
SELECT tenant_id, count(*) FROM templates GROUP BY 1;
INSERT INTO templates (tenant_id, body) VALUES (1, 'for one');
ROLLBACK;
-- the application is not more than before
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_shared_app;
SELECT tenant_id IS NULL AS shared, count(*) > 0 FROM templates GROUP BY 1 ORDER BY 1;
UPDATE templates SET body = 'theirs' WHERE tenant_id IS NULL;
ROLLBACK;
SELECT rule, severity FROM steward.tenant_check(schemas => '{shared}', roles => '{regress_shared_app,regress_shared_writer}') WHERE object LIKE 'shared.%' AND rule <> 'index_of_all';
-- rows of single tenants have no such writers
DELETE FROM templates WHERE tenant_id IS NULL;
SET ROLE regress_shared_owner;
SELECT c FROM steward.tenant_protect('templates', dry_run => true) c WHERE c LIKE '%writer%';
\set VERBOSITY default
SELECT count(*) > 0 AS changed FROM steward.tenant_protect('templates');
SELECT policy_name FROM steward.tenant_policies WHERE relation = 'templates'::regclass AND policy_name LIKE '%writer%';
SELECT * FROM steward.tenant_write_shared('templates', 'regress_shared_writer');
SELECT * FROM steward.tenant_write_shared('templates', 'regress_nobody');
SELECT * FROM steward.tenant_write_shared('templates', 'regress_shared_writer', 'body2');
\set VERBOSITY terse
RESET ROLE;
REVOKE EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) FROM regress_shared_writer;

-- tenants in a tree
SET ROLE regress_shared_owner;
CREATE TABLE tenants (id integer PRIMARY KEY, parent_id integer REFERENCES tenants, name text);
REVOKE INSERT, UPDATE, DELETE ON tenants FROM regress_shared_app, regress_shared_editor;
CREATE INDEX ON tenants (parent_id);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('tenants', 'id', roles => '{regress_shared_app}');
CREATE TABLE docs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer, body text);
SELECT * FROM steward.tenant_protect_tree('docs', 'tenants', roles => '{regress_shared_app}', dry_run => true);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_tree('docs', 'tenants', roles => '{regress_shared_app}');
SELECT * FROM steward.tenant_protect_tree('docs', 'tenants');
SELECT policy_name, problem FROM steward.tenant_policies WHERE relation = 'docs'::regclass ORDER BY policy_name;
RESET ROLE;
-- 1 above 2 and 3, 2 above 4; 5 stands alone
INSERT INTO tenants SELECT n, CASE WHEN n IN (2, 3) THEN 1 WHEN n = 4 THEN 2 END FROM generate_series(1, 500) n;
INSERT INTO docs (tenant_id, body) SELECT n % 500 + 1, 'doc' FROM generate_series(1, 5000) n;
ANALYZE docs, tenants;
CREATE FUNCTION seen(tenant text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM steward.tenant_set(tenant);
    SET LOCAL ROLE regress_shared_app;
    RETURN (SELECT format('%s rows of {%s}', count(*), string_agg(DISTINCT tenant_id::text, ',' ORDER BY tenant_id::text)) FROM shared.docs);
END $$;
BEGIN; SELECT seen('1'); ROLLBACK;
BEGIN; SELECT seen('2'); ROLLBACK;
BEGIN; SELECT seen('4'); ROLLBACK;
BEGIN; SELECT seen('5'); ROLLBACK;
BEGIN; SET LOCAL ROLE regress_shared_app; SELECT count(*) FROM docs; ROLLBACK;
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_shared_app;
-- the list is made once, and the index has its rows
SELECT plan_has('SELECT * FROM shared.docs', 'InitPlan'), plan_has('SELECT * FROM shared.docs', 'Index Cond: (tenant_id = ANY ('), plan_has('SELECT * FROM shared.docs', 'Filter') AS filters, plan_has('SELECT * FROM shared.docs', 'Seq Scan') AS scans;
SELECT shared.lists_made('SELECT * FROM shared.docs'), shared.lists_made('SELECT * FROM (SELECT * FROM shared.docs OFFSET 0) d'), shared.lists_made('DELETE FROM shared.docs');
-- read, not written
WITH u AS (UPDATE docs SET body = 'changed' RETURNING tenant_id) SELECT DISTINCT tenant_id FROM u;
INSERT INTO docs (body) VALUES ('mine') RETURNING tenant_id;
SAVEPOINT s;
INSERT INTO docs (tenant_id) VALUES (2);
ROLLBACK TO s;
-- the tree itself has its own policies
SELECT count(*) FROM tenants;
ROLLBACK;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{shared}', roles => '{regress_shared_app}') WHERE severity <> 'INFO' AND object LIKE 'shared.%' AND rule <> 'index_of_all';
-- by option, written
SET ROLE regress_shared_owner;
SELECT count(*) > 0 AS changed FROM steward.tenant_protect_tree('docs', 'tenants', writes => true);
SELECT policy_name, problem FROM steward.tenant_policies WHERE relation = 'docs'::regclass ORDER BY policy_name;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('1') IS NOT NULL AS set;
SET LOCAL ROLE regress_shared_app;
WITH u AS (UPDATE docs SET body = 'changed' RETURNING tenant_id) SELECT DISTINCT tenant_id FROM u ORDER BY 1;
INSERT INTO docs (tenant_id) VALUES (4) RETURNING tenant_id;
SAVEPOINT s;
INSERT INTO docs (tenant_id) VALUES (5);
ROLLBACK TO s;
UPDATE docs SET tenant_id = 5 WHERE tenant_id = 2;
ROLLBACK;
-- and back to rows of one tenant: the function stays as long as another table needs it
SET ROLE regress_shared_owner;
CREATE TABLE files (id bigint PRIMARY KEY, tenant_id integer);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_tree('files', 'tenants');
SELECT count(*) > 0 AS changed FROM steward.tenant_protect('docs');
SELECT to_regproc('steward_tree_tenants') IS NOT NULL AS kept;
SELECT c FROM steward.tenant_unprotect('files') c WHERE c LIKE '%FUNCTION%';
SELECT to_regproc('steward_tree_tenants') IS NOT NULL AS kept;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_tree('files', 'tenants');
SELECT c FROM steward.tenant_protect('files') c WHERE c LIKE '%FUNCTION%';
SELECT policy_name, problem FROM steward.tenant_policies WHERE relation = 'docs'::regclass ORDER BY policy_name;
RESET ROLE;
BEGIN; SELECT seen('1'); ROLLBACK;

-- errors
SET ROLE regress_shared_owner;
\set VERBOSITY default
SELECT * FROM steward.tenant_protect_tree('docs', NULL);
SELECT * FROM steward.tenant_protect_tree('docs', 'tenants', parent_column => 'above');
SELECT * FROM steward.tenant_protect_tree('docs', 'tenants', parent_column => 'name');
CREATE TABLE for_all (tenant_id integer PRIMARY KEY);
SELECT * FROM steward.tenant_protect_shared('for_all');
RESET ROLE;
DROP SCHEMA shared CASCADE;
DROP OWNED BY regress_shared_owner;
DROP OWNED BY regress_shared_writer;
DROP ROLE regress_shared_owner, regress_shared_app, regress_shared_editor, regress_shared_writer;
