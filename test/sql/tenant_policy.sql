-- The builders of policies: the page's examples, each against what is often written in its place.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
CREATE ROLE regress_tp_owner;
CREATE ROLE regress_tp_app;
CREATE ROLE regress_tp_admin;
CREATE SCHEMA tenant_policy AUTHORIZATION regress_tp_owner;
GRANT USAGE ON SCHEMA tenant_policy TO PUBLIC;
SET search_path = tenant_policy;
RESET client_min_messages;

-- Runs a command for a tenant and user as a role: how many rows it was for, or the error's SQLSTATE. It is undone.
CREATE FUNCTION attempt(role_name name, tenant text, user_id text, command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    IF tenant IS NOT NULL OR user_id IS NOT NULL THEN
        PERFORM steward.tenant_set(tenant, user_id);
    END IF;
    EXECUTE format('SET LOCAL ROLE %I', role_name);
    EXECUTE command;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = n || CASE n WHEN 1 THEN ' row' ELSE ' rows' END;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'ZZ000' THEN SQLERRM ELSE SQLSTATE END;
END $$;

-- The scans of a query's plan.
CREATE FUNCTION scans(query text) RETURNS TABLE (scan text, index text, purpose text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN QUERY WITH RECURSIVE nodes AS (
        SELECT plan -> 0 -> 'Plan' AS node
         UNION ALL
        SELECT child FROM nodes n, json_array_elements(n.node -> 'Plans') child)
    SELECT n.node ->> 'Node Type', n.node ->> 'Index Name', n.node ->> 'Parent Relationship' FROM nodes n ORDER BY 3 NULLS FIRST;
END $$;

-- The page's first example.
SET ROLE regress_tp_owner;
CREATE TABLE products (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id bigint,
    name      text NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON products TO regress_tp_app;
SELECT steward.tenant_protect('products', dry_run => true);
SELECT count(*) FROM pg_policy WHERE polrelid = 'products'::regclass;
SELECT steward.tenant_protect('products');
SELECT steward.tenant_protect('products');
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42');
SET LOCAL ROLE regress_tp_app;
INSERT INTO products (name) VALUES ('Lamp');
SELECT tenant_id, name FROM products;
COMMIT;
-- What dumps keep; the hash is the same on every major version.
SELECT polname, obj_description(oid, 'pg_policy') FROM pg_policy WHERE polrelid = 'products'::regclass ORDER BY polname COLLATE "C";
SELECT relation, policy_name, roles, intent, using_expression, check_expression, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy}');
DROP TABLE products;

--
-- A tenant's products
--
SET ROLE regress_tp_owner;
CREATE TABLE products (id serial PRIMARY KEY, tenant_id integer, name varchar(200), price decimal(10, 2));
GRANT ALL ON products TO regress_tp_app;
GRANT USAGE ON SEQUENCE products_id_seq TO regress_tp_app;
INSERT INTO products (tenant_id, name) VALUES (1, 'a'), (2, 'b'), (2, 'c');
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON products FOR ALL USING (tenant_id = current_setting('app.tenant_id')::INT);
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM products') AS "not set";
SELECT attempt('regress_tp_app', NULL, NULL, 'SET LOCAL app.tenant_id = 1; SELECT FROM products') AS "own",
       attempt('regress_tp_app', NULL, NULL, 'SET LOCAL app.tenant_id = 2; SELECT FROM products') AS "another's",
       attempt('regress_tp_app', NULL, NULL, 'SELECT FROM products') AS "not set any more",
       attempt('regress_tp_owner', NULL, NULL, 'SELECT FROM products') AS "owner",
       attempt('regress_tp_app', NULL, NULL, 'TRUNCATE products') AS "truncate";

SET ROLE regress_tp_owner;
DROP POLICY tenant_isolation ON products;
SELECT steward.tenant_protect('products');
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM products') AS "not set",
       attempt('regress_tp_app', '1', NULL, 'SELECT FROM products') AS "own",
       attempt('regress_tp_app', '1', NULL, 'SET LOCAL app.tenant_id = 2; SELECT FROM products WHERE tenant_id = 2') AS "another's",
       attempt('regress_tp_app', NULL, NULL, 'SET LOCAL steward.tenant = 2; SELECT FROM products') AS "says so himself",
       attempt('regress_tp_owner', NULL, NULL, 'SELECT FROM products') AS "owner",
       attempt('regress_tp_app', '1', NULL, 'TRUNCATE products') AS "truncate";
BEGIN;
SELECT steward.tenant_set('1');
SET LOCAL ROLE regress_tp_app;
SELECT * FROM scans('SELECT * FROM products');
COMMIT;
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy}');

--
-- A user's own row
--
\set one '''00000000-0000-0000-0000-000000000001'''
\set two '''00000000-0000-0000-0000-000000000002'''
SET ROLE regress_tp_owner;
CREATE TABLE users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email text, hashed_password text);
GRANT SELECT, INSERT, UPDATE, DELETE ON users TO regress_tp_app;
INSERT INTO users VALUES (:one, 'a@b', 'x'), (:two, 'c@d', 'y');
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY user_isolation ON users FOR ALL TO regress_tp_app USING (id = current_setting('app.current_user_id')::uuid);
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM users') AS "not set",
       attempt('regress_tp_app', NULL, NULL, format('SET LOCAL app.current_user_id = %L; SELECT FROM users', :two)) AS "says so himself",
       attempt('regress_tp_owner', NULL, NULL, 'SELECT FROM users') AS "owner";

SET ROLE regress_tp_owner;
DROP POLICY user_isolation ON users;
SELECT steward.tenant_protect_user('users', 'id', roles => '{regress_tp_app}');
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM users') AS "not set",
       attempt('regress_tp_app', NULL, :one, 'SELECT FROM users') AS "own",
       attempt('regress_tp_app', NULL, :one, format('SET LOCAL app.current_user_id = %L; SELECT FROM users WHERE id = %1$L', :two)) AS "says so himself",
       attempt('regress_tp_app', NULL, :one, format('UPDATE users SET id = %L', gen_random_uuid())) AS "becomes another",
       attempt('regress_tp_owner', NULL, NULL, 'SELECT FROM users') AS "owner";

--
-- What is published
--
SET ROLE regress_tp_owner;
CREATE TABLE posts (id integer PRIMARY KEY, title text, published boolean NOT NULL DEFAULT false, author_id uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO regress_tp_app;
INSERT INTO posts VALUES (1, 'published', true, :one), (2, 'draft', false, :one), (3, 'published', true, :two), (4, 'draft', false, :two);
ALTER TABLE posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY post_visibility ON posts FOR SELECT TO regress_tp_app
    USING (published = true OR author_id = current_setting('app.current_user_id')::uuid);
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM posts') AS "visitor",
       attempt('regress_tp_app', NULL, NULL, format('SET LOCAL app.current_user_id = %L; UPDATE posts SET title = title', :one)) AS "author writes",
       attempt('regress_tp_app', NULL, NULL, format('SET LOCAL app.current_user_id = %L; SELECT FROM posts', :two)) AS "says so himself";

SET ROLE regress_tp_owner;
DROP POLICY post_visibility ON posts;
SELECT steward.tenant_protect_visibility('posts', 'published', 'author_id', roles => '{regress_tp_app}');
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, NULL, 'SELECT FROM posts') AS "visitor",
       attempt('regress_tp_app', NULL, :one, 'SELECT FROM posts') AS "author",
       attempt('regress_tp_app', NULL, :one, 'UPDATE posts SET title = title') AS "author writes",
       attempt('regress_tp_app', NULL, :one, 'DELETE FROM posts') AS "deletes",
       attempt('regress_tp_app', NULL, :one, format('UPDATE posts SET author_id = %L WHERE id = 1', :two)) AS "gives away",
       attempt('regress_tp_app', NULL, :one, 'INSERT INTO posts VALUES (5, ''x'', true)') AS "inserts",
       attempt('regress_tp_app', NULL, :one, format('INSERT INTO posts VALUES (5, ''x'', true, %L)', :two)) AS "for another";
-- By an enum, within a tenant.
SET ROLE regress_tp_owner;
CREATE TYPE "Post Status" AS ENUM ('draft', 'published', 'archived');
CREATE TABLE articles (id integer PRIMARY KEY, tenant_id integer NOT NULL, author_id bigint, status "Post Status" NOT NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON articles TO regress_tp_app;
SELECT steward.tenant_protect_visibility('articles', 'status', 'author_id', public_values => '{published,archived}');
SELECT count(*) FROM steward.tenant_protect('articles');
RESET ROLE;
INSERT INTO articles VALUES (1, 1, 1, 'draft'), (2, 1, 2, 'published'), (3, 2, 1, 'draft'), (4, 2, 2, 'archived'), (5, 1, 2, 'draft');
BEGIN;
SELECT steward.tenant_set('1', '1');
SET LOCAL ROLE regress_tp_app;
SELECT * FROM articles ORDER BY id;
SELECT * FROM scans('SELECT * FROM articles');
COMMIT;
SELECT attempt('regress_tp_app', '1', NULL, 'SELECT FROM articles') AS "visitor",
       attempt('regress_tp_app', '1', '1', 'INSERT INTO articles VALUES (6, 2, 1, ''draft'')') AS "other tenant",
       attempt('regress_tp_app', '1', '2', 'UPDATE articles SET tenant_id = 2') AS "moves";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy}');

--
-- A user's documents, and an administrator
--
SET ROLE regress_tp_owner;
CREATE TABLE documents (id integer PRIMARY KEY, user_id bigint, title text);
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO regress_tp_app, regress_tp_admin;
INSERT INTO documents VALUES (1, 123, 'a'), (2, 124, 'b');
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY user_documents ON documents FOR ALL TO regress_tp_app USING (user_id = current_setting('app.current_user_id')::BIGINT);
CREATE POLICY admin_all_documents ON documents FOR ALL TO regress_tp_admin USING (true);
RESET ROLE;
SELECT attempt('regress_tp_admin', NULL, NULL, 'SELECT FROM documents') AS "administrator",
       attempt('regress_tp_app', NULL, NULL, 'SET LOCAL app.current_user_id = 124; SELECT FROM documents') AS "says so himself",
       attempt('regress_tp_app', NULL, NULL, 'SET SESSION app.current_user_id = 123; SELECT FROM documents') AS "for a session";
BEGIN;
GRANT regress_tp_admin TO regress_tp_app;
SELECT attempt('regress_tp_app', NULL, NULL, 'SET LOCAL app.current_user_id = 123; SELECT FROM documents') AS "member of administrators";
ROLLBACK;

SET ROLE regress_tp_owner;
DROP POLICY user_documents ON documents;
DROP POLICY admin_all_documents ON documents;
SELECT steward.tenant_protect_user('documents', roles => '{regress_tp_app}');
SELECT steward.tenant_admin_all('documents', 'regress_tp_admin');
SELECT steward.tenant_admin_all('documents', 'regress_tp_admin');
RESET ROLE;
SELECT attempt('regress_tp_admin', NULL, NULL, 'SELECT FROM documents') AS "administrator",
       attempt('regress_tp_admin', NULL, NULL, 'UPDATE documents SET user_id = 1') AS "administrator writes",
       attempt('regress_tp_app', NULL, '123', 'SET LOCAL app.current_user_id = 124; SELECT FROM documents WHERE user_id = 124') AS "says so himself",
       attempt('regress_tp_app', NULL, NULL, 'SET LOCAL steward.user_id = 124; SELECT FROM documents') AS "by our setting",
       attempt('regress_tp_app', NULL, '123', 'SELECT FROM documents') AS "own";
BEGIN;
GRANT regress_tp_admin TO regress_tp_app;
SELECT attempt('regress_tp_app', NULL, '123', 'SELECT FROM documents') AS "member of administrators";
ROLLBACK;
BEGIN;
SELECT steward.tenant_set(NULL, '123');
SET LOCAL ROLE regress_tp_app;
SELECT * FROM scans('SELECT * FROM documents');
COMMIT;

--
-- Members of several tenants
--
SET ROLE regress_tp_owner;
CREATE TABLE members (tenant_id bigint, user_id bigint, PRIMARY KEY (user_id, tenant_id));
CREATE TABLE projects (id integer PRIMARY KEY, tenant_id bigint, name text);
GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO regress_tp_app;
GRANT SELECT ON members TO regress_tp_app;
INSERT INTO members VALUES (1, 7), (2, 7), (2, 8);
INSERT INTO projects SELECT i, i % 4, 'p' || i FROM generate_series(1, 400) i;
SELECT count(*) FROM steward.tenant_protect_user('members');
SELECT steward.tenant_protect_member('projects', 'members');
SELECT steward.tenant_protect_member('projects', 'members');
RESET ROLE;
ANALYZE projects;
SELECT attempt('regress_tp_app', NULL, '7', 'SELECT FROM projects') AS "two tenants",
       attempt('regress_tp_app', NULL, '8', 'SELECT FROM projects') AS "one",
       attempt('regress_tp_app', NULL, '9', 'SELECT FROM projects') AS "none",
       attempt('regress_tp_app', NULL, NULL, 'SELECT FROM projects') AS "visitor",
       attempt('regress_tp_app', NULL, '8', 'UPDATE projects SET tenant_id = 2 WHERE tenant_id = 1') AS "takes",
       attempt('regress_tp_app', NULL, '8', 'UPDATE projects SET tenant_id = 1') AS "gives",
       attempt('regress_tp_app', NULL, '8', 'INSERT INTO members VALUES (1, 8)') AS "joins";
BEGIN;
SELECT steward.tenant_set(NULL, '7');
SET LOCAL ROLE regress_tp_app;
SELECT * FROM scans('SELECT * FROM projects');
COMMIT;
-- Within the current tenant.
SET ROLE regress_tp_owner;
SELECT steward.tenant_protect('projects');
RESET ROLE;
SELECT attempt('regress_tp_app', '1', '7', 'SELECT FROM projects') AS "one of two",
       attempt('regress_tp_app', '1', '8', 'SELECT FROM projects') AS "no member",
       attempt('regress_tp_app', '1', NULL, 'SELECT FROM projects') AS "no user";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy}') WHERE object <> 'tenant_policy.members';
-- Who may write the members may join: the builder warns.
SET ROLE regress_tp_owner;
GRANT INSERT ON members TO regress_tp_app;
SELECT steward.tenant_protect_member('projects', 'members');
SELECT count(*) FROM steward.tenant_unprotect('projects');
SELECT count(*) FROM steward.tenant_protect_member('projects', 'members');
RESET ROLE;
SELECT attempt('regress_tp_app', NULL, '8', 'INSERT INTO members VALUES (3, 8); SELECT FROM projects WHERE tenant_id = 3') AS "joins";
SET ROLE regress_tp_owner;
REVOKE INSERT, UPDATE ON members FROM regress_tp_app;
SELECT steward.tenant_protect_member('projects', 'members');
RESET ROLE;

SET client_min_messages = warning;
DELETE FROM steward.muted_findings;
DROP SCHEMA tenant_policy CASCADE;
DROP ROLE regress_tp_owner, regress_tp_app, regress_tp_admin;
