-- What the role of the application, working for tenant 1, can do to the rows of tenant 2 in tables that the builders protect.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_tpa_owner;
CREATE ROLE regress_tpa_app;
CREATE SCHEMA tenant_policy_attacks AUTHORIZATION regress_tpa_owner;
GRANT USAGE, CREATE ON SCHEMA tenant_policy_attacks TO regress_tpa_app;
SET search_path = tenant_policy_attacks;

-- How many rows a command was for, or its SQLSTATE; everything is undone.
CREATE FUNCTION attempt(command text, tenant text DEFAULT '1') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM steward.tenant_set(tenant, tenant);
    SET LOCAL ROLE regress_tpa_app;
    EXECUTE command;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = n;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'ZZ000' THEN SQLERRM ELSE SQLSTATE END;
END $$;

SET ROLE regress_tpa_owner;
CREATE TABLE t (id integer, tenant_id integer, secret text, PRIMARY KEY (id, tenant_id)) PARTITION BY RANGE (id);
CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);
CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200);
CREATE TABLE plain (id integer PRIMARY KEY, tenant_id integer, secret text);
INSERT INTO t VALUES (1, 1, 'one'), (2, 2, 'two'), (101, 1, 'one'), (102, 2, 'two');
INSERT INTO plain SELECT id, tenant_id, secret FROM t;
CREATE VIEW owners_view AS SELECT * FROM t;
CREATE VIEW invokers_view WITH (security_invoker = true) AS SELECT * FROM t;
CREATE FUNCTION owners_function() RETURNS SETOF t LANGUAGE sql SECURITY DEFINER SET search_path = tenant_policy_attacks, pg_temp AS 'SELECT * FROM t';
GRANT ALL ON t, t_1, t_2, plain, owners_view, invokers_view TO regress_tpa_app;
DO $$ BEGIN PERFORM steward.tenant_protect('t'), steward.tenant_protect('plain'); END $$;
RESET ROLE;
RESET client_min_messages;

CREATE TABLE attacks (no integer GENERATED ALWAYS AS IDENTITY, command text);
INSERT INTO attacks (command) VALUES
-- 2 rows are tenant 1's.
('SELECT FROM t'), ('SELECT FROM t_1'), ('TABLE plain'), ('SELECT FROM owners_view'), ('SELECT FROM invokers_view'), ('SELECT FROM owners_function()'),
('SELECT FROM t WHERE tenant_id = 2'), ('SELECT FROM ONLY t_2 WHERE tenant_id = 2'), ('SELECT FROM plain WHERE secret = ''two'' OR true'),
('SELECT FROM plain TABLESAMPLE SYSTEM (100)'), ('SELECT FROM plain FOR UPDATE'), ('SELECT FROM (SELECT 2 AS tenant_id) x JOIN plain USING (tenant_id)'),
('WITH x AS MATERIALIZED (SELECT set_config(''steward.tenant'', ''2'', true)) SELECT FROM x, plain'),
-- Writing
('INSERT INTO t VALUES (3, 2, ''x'')'), ('INSERT INTO t_1 VALUES (3, 2, ''x'')'), ('INSERT INTO plain VALUES (3, 2, ''x'') RETURNING *'), ('INSERT INTO owners_view VALUES (3, 2)'),
('INSERT INTO plain VALUES (3, NULL, ''x'')'), ('INSERT INTO plain (id) VALUES (3)'), ('INSERT INTO plain SELECT id + 10, 2 FROM plain'),
('UPDATE t SET tenant_id = 2'), ('UPDATE t_1 SET tenant_id = 2'), ('UPDATE plain SET tenant_id = 2 WHERE id = 1'), ('UPDATE plain SET secret = ''x'' WHERE tenant_id = 2 RETURNING *'),
('UPDATE t SET id = id + 100 WHERE id = 1'), ('UPDATE t SET id = 103, tenant_id = 2 WHERE id = 1'), ('UPDATE plain SET id = 2 WHERE id = 1'),
('DELETE FROM t WHERE tenant_id = 2'), ('DELETE FROM t_1'), ('DELETE FROM plain USING plain p WHERE plain.tenant_id = 2 RETURNING plain.*'),
('INSERT INTO plain VALUES (2, 1) ON CONFLICT (id) DO UPDATE SET secret = ''x'''), ('INSERT INTO plain VALUES (2, 1) ON CONFLICT (id) DO UPDATE SET tenant_id = 1 WHERE true RETURNING plain.*'),
('INSERT INTO plain VALUES (2, 1) ON CONFLICT DO NOTHING RETURNING *'), ('INSERT INTO plain VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET tenant_id = 2'),
('INSERT INTO t VALUES (2, 1) ON CONFLICT (id, tenant_id) DO UPDATE SET secret = ''x'''),
('MERGE INTO plain p USING (VALUES (1), (2)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE'), ('MERGE INTO plain p USING (VALUES (1)) v(id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET tenant_id = 2'),
('MERGE INTO t p USING (VALUES (7)) v(id) ON p.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (7, 2)'), ('MERGE INTO t_1 p USING t_2 v ON p.tenant_id = v.tenant_id WHEN MATCHED THEN DELETE'),
-- What ignores policies
('TRUNCATE t'), ('TRUNCATE t_1'), ('TRUNCATE plain CASCADE'), ('CREATE TABLE mine (id integer REFERENCES plain)'),
('CREATE FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''; CREATE TRIGGER mine BEFORE DELETE ON plain FOR EACH ROW EXECUTE FUNCTION mine()'),
('CREATE RULE mine AS ON SELECT TO plain DO INSTEAD SELECT 1'), ('CREATE TABLE mine () INHERITS (plain)'), ('CREATE TABLE mine PARTITION OF t DEFAULT'),
('CREATE TABLE mine (LIKE t); ALTER TABLE t ATTACH PARTITION mine DEFAULT'), ('CREATE STATISTICS mine ON id, tenant_id FROM plain'), ('CREATE INDEX ON plain (secret)'),
('SELECT most_common_vals FROM pg_stats WHERE tablename = ''plain'' AND schemaname = ''tenant_policy_attacks'''),
-- Becoming another, or undoing it
('SET row_security = off; SELECT FROM t'), ('SET session_replication_role = replica'),
('ALTER TABLE t DISABLE ROW LEVEL SECURITY'), ('ALTER TABLE t_1 NO FORCE ROW LEVEL SECURITY'), ('DROP POLICY steward_tenant_floor ON t'), ('ALTER POLICY steward_tenant ON t_1 USING (true)'),
('CREATE POLICY mine ON t USING (true)'), ('COMMENT ON POLICY steward_tenant ON t IS NULL'), ('ALTER TABLE t OWNER TO regress_tpa_app'), ('ALTER TABLE t DETACH PARTITION t_1'), ('DROP TABLE t_1'),
('SELECT steward.tenant_unprotect(''t'')'), ('SELECT steward.tenant_protect(''t'', ''id'')'), ('SELECT steward.tenant_admin_all(''t'', ''regress_tpa_app'')'), ('SELECT steward_internal.tenant_policy_sign(''t'', ''steward_tenant'', ''x'')'),
('SELECT steward.tenant_guard_enable()'), ('SELECT steward.tenant_guard_disable()'), ('SELECT steward_internal.tenant_guard_commit()'), ('INSERT INTO steward.muted_findings VALUES (''no_rls:x'', ''x'')'),
('SELECT steward_internal.tenant_run(''tenant_policy_attacks.t'', ''{ALTER TABLE tenant_policy_attacks.t DISABLE ROW LEVEL SECURITY}'', false)'),
('SELECT steward.tenant_set(''2'')'), ('SET steward.tenant = 2'), ('SET steward.token = ''v1.x.e30.x'''), ('RESET steward.tenant; SELECT FROM t'), ('SELECT steward.tenant_clear(); SELECT FROM t'), ('DISCARD ALL'),
('DELETE FROM steward.tenant_guard_settings'), ('UPDATE pg_class SET relrowsecurity = false'),
-- Copies
('CREATE TABLE mine AS TABLE t'), ('CREATE MATERIALIZED VIEW mine AS TABLE plain'), ('CREATE VIEW mine AS TABLE plain; SELECT FROM mine');
SELECT command, attempt(command) AS result FROM attacks ORDER BY no;
SELECT count(*) AS rows, count(*) FILTER (WHERE tenant_id = 2 AND secret = 'two') AS untouched FROM plain;

-- COPY.
BEGIN;
SELECT steward.tenant_set('1');
SET LOCAL ROLE regress_tpa_app;
COPY (SELECT * FROM t ORDER BY id) TO STDOUT;
COPY t_2 TO STDOUT;
COPY plain TO STDOUT;
SAVEPOINT s;
\set VERBOSITY sqlstate
\copy plain FROM /dev/null
ROLLBACK TO s;
\copy t FROM /dev/null
\set VERBOSITY default
ROLLBACK;

-- A function of the attacker that costs nothing sees no row of others, in whatever query.
BEGIN;
SELECT steward.tenant_set('1');
SET LOCAL ROLE regress_tpa_app;
CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END $$;
CREATE OPERATOR <<< (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
SELECT count(*) FROM plain WHERE leak(secret);
SELECT count(*) FROM t_1 WHERE leak(secret) AND tenant_id = 2;
SELECT count(*) FROM owners_view WHERE leak(secret);
UPDATE plain SET secret = secret WHERE leak(secret) AND id < 100;
DELETE FROM t_1 WHERE leak(secret);
SELECT count(*) FROM plain WHERE 1 / (tenant_id - 2) < 5;
SAVEPOINT s;
CREATE FUNCTION leak2(text) RETURNS boolean LANGUAGE sql LEAKPROOF RETURN true;
ROLLBACK;

-- The owner, and a function of his, are kept in like anybody.
SET ROLE regress_tpa_owner;
SELECT count(*) FROM t;
INSERT INTO t VALUES (9, 2);
SELECT count(*) FROM owners_view;
RESET ROLE;

-- A prepared statement, an open cursor and a plan in a function do not go on with another's rows.
BEGIN;
SELECT steward.tenant_set('1');
SET LOCAL ROLE regress_tpa_app;
PREPARE q AS SELECT tenant_id, count(*) FROM t GROUP BY 1;
EXECUTE q;
COMMIT;
BEGIN;
SELECT steward.tenant_set('2');
SET LOCAL ROLE regress_tpa_app;
EXECUTE q;
COMMIT;
EXECUTE q;
SET ROLE regress_tpa_app;
EXECUTE q;
RESET ROLE;
DEALLOCATE q;

-- SET ROLE, where it is the session that may not.
SET SESSION AUTHORIZATION regress_tpa_app;
\set VERBOSITY sqlstate
SET ROLE regress_tpa_owner;
\set VERBOSITY default
RESET SESSION AUTHORIZATION;

-- Between users: visibility, within the tenant.
SET ROLE regress_tpa_owner;
CREATE TABLE posts (id integer PRIMARY KEY, tenant_id integer, author_id integer, published boolean);
GRANT SELECT, INSERT, UPDATE, DELETE ON posts TO regress_tpa_app;
INSERT INTO posts VALUES (1, 1, 1, true), (2, 1, 1, false), (3, 1, 2, true), (4, 1, 2, false), (5, 2, 1, true), (6, 2, 2, true);
DO $$ BEGIN PERFORM steward.tenant_protect_visibility('posts'), steward.tenant_protect('posts'); END $$;
RESET ROLE;
TRUNCATE attacks;
INSERT INTO attacks (command) VALUES ('SELECT FROM posts'), ('UPDATE posts SET published = true'), ('DELETE FROM posts WHERE published'), ('UPDATE posts SET author_id = 2'),
('UPDATE posts SET author_id = 1'), ('UPDATE posts SET tenant_id = 2'), ('INSERT INTO posts VALUES (7, 1, 2, true)'), ('INSERT INTO posts VALUES (7, 2, 1, true)'), ('INSERT INTO posts (id) VALUES (7)'),
('INSERT INTO posts VALUES (3, 1, 1, true) ON CONFLICT (id) DO UPDATE SET author_id = 1'), ('SELECT FROM posts FOR UPDATE'),
('MERGE INTO posts p USING (VALUES (3)) v(id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET author_id = 1'), ('MERGE INTO posts p USING (VALUES (3)) v(id) ON p.id = v.id WHEN MATCHED THEN DELETE');
SELECT command, attempt(command) AS result FROM attacks ORDER BY no;

SET client_min_messages = warning;
DROP SCHEMA tenant_policy_attacks CASCADE;
DROP ROLE regress_tpa_owner, regress_tpa_app;
