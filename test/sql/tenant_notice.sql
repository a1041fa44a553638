-- Whoever forgets the context learns it, and learns nothing else.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_notice_owner;
CREATE ROLE regress_notice_app;
CREATE ROLE regress_notice_admin;
CREATE SCHEMA notice AUTHORIZATION regress_notice_owner;
GRANT USAGE ON SCHEMA notice TO regress_notice_app, regress_notice_admin;
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_notice_app;
SET search_path = notice;
SET ROLE regress_notice_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA notice GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_notice_app, regress_notice_admin;
CREATE TABLE docs (id integer PRIMARY KEY, tenant_id integer, title text);
CREATE TABLE empty (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE notes (id integer PRIMARY KEY, user_id text, title text);
CREATE TABLE templates (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE posts (id integer PRIMARY KEY, tenant_id integer, published boolean, author_id text);
CREATE TABLE members (tenant_id integer, user_id text, PRIMARY KEY (user_id, tenant_id));
CREATE TABLE projects (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE tenants (id integer PRIMARY KEY, parent_id integer);
CREATE TABLE reports (id integer PRIMARY KEY, tenant_id integer);
CREATE TABLE strangers (id integer);
SELECT count(*) > 0 FROM (
    SELECT steward.tenant_protect('docs', roles => '{regress_notice_app}') UNION ALL
    SELECT steward.tenant_admin_all('docs', 'regress_notice_admin') UNION ALL
    SELECT steward.tenant_protect('empty') UNION ALL
    SELECT steward.tenant_protect_user('notes') UNION ALL
    SELECT steward.tenant_protect_shared('templates') UNION ALL
    SELECT steward.tenant_protect_visibility('posts') UNION ALL
    SELECT steward.tenant_protect_user('members') UNION ALL
    SELECT steward.tenant_protect_member('projects', 'members') UNION ALL
    SELECT steward.tenant_protect_tree('reports', 'tenants')) made;
ALTER TABLE strangers ENABLE ROW LEVEL SECURITY;
CREATE VIEW all_docs WITH (security_invoker = true) AS SELECT * FROM docs;
CREATE VIEW owners_docs AS SELECT * FROM docs;
CREATE FUNCTION count_docs() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM notice.docs); END $$;
GRANT EXECUTE ON FUNCTION count_docs() TO regress_notice_app;
RESET ROLE;
INSERT INTO docs SELECT n, 1 + n % 2, 'title' FROM generate_series(1, 10) n;
INSERT INTO tenants VALUES (1, NULL);
SET client_min_messages = notice;

-- by default, with what to do
SET ROLE regress_notice_app;
\set VERBOSITY default
SELECT count(*) FROM docs;
SELECT count(*) FROM notes;
-- once a transaction
\set VERBOSITY terse
BEGIN;
SELECT count(*) FROM docs;
SELECT count(*) FROM docs;
SAVEPOINT s;
SELECT count(*) FROM empty;
ROLLBACK TO s;
SELECT count(*) FROM empty;
COMMIT;
SELECT count(*) FROM docs;
-- however it is read
UPDATE docs SET title = 'mine';
UPDATE docs SET title = 'mine' WHERE id = 1;
DELETE FROM docs;
SELECT count(*) FROM all_docs;
SELECT count(*) FROM owners_docs;
SELECT count_docs();
WITH d AS (SELECT 1 FROM docs) SELECT count(*) FROM d;
SELECT EXISTS (SELECT FROM docs);
SELECT count(*) FROM strangers JOIN docs USING (id);
SELECT count(*) FROM reports;
SELECT count(*) FROM projects;
COPY docs TO STDOUT;
PREPARE ask AS SELECT count(*) FROM docs;
EXECUTE ask;
EXECUTE ask;
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM docs;
FETCH c;
FETCH c;
COMMIT;

-- rows make no difference: what there is and what there is not look the same
SET enable_seqscan = off;
SELECT * FROM docs WHERE id = 1;
SELECT * FROM docs WHERE id = 1000;
SELECT * FROM docs WHERE tenant_id = 1 AND id = 1;
SELECT * FROM docs WHERE tenant_id = 1000;
SELECT count(*) FROM empty;
RESET enable_seqscan;

-- not where the context is not what is missing
SELECT count(*) FROM templates;
SELECT count(*) FROM posts;
SELECT count(*) FROM strangers;
SELECT steward.current_tenant_int(), steward.current_user_id_text();
RESET ROLE;
SELECT count(*) FROM docs;
SET ROLE regress_notice_admin;
SELECT count(*) FROM docs;
SET ROLE regress_notice_app;
BEGIN;
SELECT steward.tenant_set('3');
SELECT count(*) FROM docs;
SELECT count(*) FROM notes;
COMMIT;
DO $$ BEGIN EXECUTE 'EXPLAIN SELECT FROM notice.docs'; END $$;
DO $$ BEGIN EXECUTE 'EXPLAIN ANALYZE SELECT FROM notice.docs'; END $$;
INSERT INTO docs VALUES (100, 1);
-- but where it has been left
BEGIN;
SELECT steward.tenant_set('1');
SELECT count(*) FROM docs;
SELECT steward.tenant_clear();
SELECT count(*) FROM docs;
COMMIT;

-- off
SET steward.tenant_notices = off;
SELECT count(*) FROM docs;
RESET steward.tenant_notices;
SET client_min_messages = warning;
SELECT count(*) FROM docs;
SET client_min_messages = notice;
-- and as an error
RESET ROLE;
SET steward.tenant_strict = on;
SET ROLE regress_notice_app;
SELECT count(*) FROM docs;
RESET ROLE;
RESET steward.tenant_strict;
SET ROLE regress_notice_app;

-- a row that is refused for want of a context; and one that is refused with one
\set VERBOSITY default
INSERT INTO docs VALUES (11, 1, 'new');
INSERT INTO notes VALUES (11, 'alice');
INSERT INTO reports VALUES (11, 1);
WITH made AS (INSERT INTO docs VALUES (11, 1, 'new') RETURNING id) SELECT * FROM made;
DO $$ BEGIN INSERT INTO notice.docs VALUES (11, 1, 'new'); END $$;
BEGIN;
SELECT steward.tenant_set('1');
INSERT INTO docs VALUES (11, 2, 'new');
ROLLBACK;
BEGIN;
SELECT steward.tenant_set('1');
UPDATE docs SET tenant_id = 2;
ROLLBACK;
-- the user is what is missing
BEGIN;
SELECT steward.tenant_set('1');
INSERT INTO notes VALUES (11, 'alice');
ROLLBACK;
-- it is another one's
INSERT INTO strangers VALUES (1);
-- one handler sees it as any other
DO $$
DECLARE
    hint text;
BEGIN
    INSERT INTO notice.docs VALUES (11, 1, 'new');
EXCEPTION WHEN insufficient_privilege THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '% (%)', sqlerrm, hint;
END $$;

RESET ROLE;
SET client_min_messages = warning;
REVOKE EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) FROM regress_notice_app;
DROP SCHEMA notice CASCADE;
DROP OWNED BY regress_notice_owner;
DROP ROLE regress_notice_owner, regress_notice_app, regress_notice_admin;
