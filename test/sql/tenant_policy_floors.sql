-- No safety rests on RESTRICTIVE alone: a server that forgets the word, and one on which such a policy was dropped, show no more.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE ROLE regress_tpf_owner;
CREATE ROLE regress_tpf_app;
CREATE ROLE regress_tpf_admin;
CREATE SCHEMA tenant_policy_floors AUTHORIZATION regress_tpf_owner;
GRANT USAGE ON SCHEMA tenant_policy_floors TO PUBLIC;
SET search_path = tenant_policy_floors;
SET ROLE regress_tpf_owner;

-- A table for each combination of builders, in either order, with the same rows.
CREATE TABLE members (tenant_id integer, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO members VALUES (1, 1), (2, 1), (2, 2);
GRANT SELECT ON members TO regress_tpf_app;
CREATE TABLE tables (name text PRIMARY KEY, reads text, writes text, calls text[]);
INSERT INTO tables (name, reads, calls) VALUES
    ('tenant', 'tenant', '{tenant_protect(%L)}'),
    ('folded', 'folded', '{"tenant_protect(%L, folded => true)"}'),
    ('"user"', 'user', '{tenant_protect_user(%L)}'),
    ('tenant_user', 'tenant AND user', '{tenant_protect(%L),tenant_protect_user(%L)}'),
    ('user_tenant', 'tenant AND user', '{tenant_protect_user(%L),tenant_protect(%L)}'),
    ('tenant_visibility', 'tenant AND (published OR author)', '{"tenant_protect(%L, roles => ''{regress_tpf_app}'')",tenant_protect_visibility(%L),"tenant_admin_all(%L, ''regress_tpf_admin'')"}'),
    ('visibility_tenant', 'tenant AND (published OR author)', '{tenant_protect_visibility(%L),tenant_protect(%L)}'),
    ('tenant_member', 'tenant AND member', '{tenant_protect(%L),"tenant_protect_member(%L, ''members'')"}'),
    ('member_folded', 'folded AND member', '{"tenant_protect_member(%L, ''members'')","tenant_protect(%L, folded => true)"}'),
    ('by_varchar', 'tenant AND user', '{tenant_protect_user(%L),tenant_protect(%L)}'),
    ('by_domain', 'tenant AND (published OR author)', '{tenant_protect_visibility(%L),tenant_protect(%L)}'),
    ('by_smallint', 'tenant AND member', '{"tenant_protect_member(%L, ''small_members'')",tenant_protect(%L)}');
UPDATE tables SET reads = regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(reads,
    'member', format('tenant_id = ANY (ARRAY(SELECT m.tenant_id FROM %smembers m WHERE user))', CASE name WHEN 'by_smallint' THEN 'small_' END)),
    'user', 'steward.is_current_user(user_id)'), 'author', 'steward.is_current_user(author_id)'),
    '^tenant', 'steward.is_current_tenant(tenant_id)'), '^folded', 'steward.is_current_tenant_folded(tenant_id)');
UPDATE tables SET writes = replace(reads, 'published OR ', '');
CREATE DOMAIN number AS integer;
CREATE TABLE small_members (tenant_id smallint, user_id integer, PRIMARY KEY (user_id, tenant_id));
INSERT INTO small_members TABLE members;
GRANT SELECT ON small_members TO regress_tpf_app;
DO $$
DECLARE
    t record;
    call text;
    rerun text;
BEGIN
    FOR t IN SELECT * FROM tables ORDER BY name LOOP
        EXECUTE format('CREATE TABLE %s (id integer PRIMARY KEY, tenant_id %s, user_id integer, author_id integer, published boolean NOT NULL, note text)', t.name,
                       CASE t.name WHEN 'by_varchar' THEN 'varchar(9)' WHEN 'by_domain' THEN 'number' WHEN 'by_smallint' THEN 'smallint' ELSE 'integer' END);
        EXECUTE format('INSERT INTO %s SELECT i, i %% 100, i / 100 %% 10, i / 100 %% 10, i %% 3 = 0, repeat(''x'', 20) FROM generate_series(1, 3000) i', t.name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_tpf_app', t.name);
        FOREACH call IN ARRAY t.calls LOOP
            EXECUTE format('SELECT steward.' || call, t.name);
        END LOOP;
        -- whoever is asked again finds nothing to do
        FOREACH call IN ARRAY t.calls LOOP
            EXECUTE format('SELECT steward.' || call, t.name) INTO rerun;
            ASSERT rerun IS NULL, rerun;
        END LOOP;
        EXECUTE 'ANALYZE ' || t.name;
    END LOOP;
END $$;
RESET ROLE;
RESET client_min_messages;
SELECT relation, policy_name, intent, using_expression FROM steward.tenant_policies
 WHERE relation IN ('user_tenant'::regclass, 'visibility_tenant'::regclass, 'by_varchar'::regclass, 'member_folded'::regclass) ORDER BY relation::text COLLATE "C", policy_name COLLATE "C";
SELECT count(*), count(problem) FROM steward.tenant_policies;

--
-- The plans are those of a WHERE: the planner takes what stands in two policies for one. (Whether new rows are a member's,
-- is another question to the table of members.)
--
CREATE FUNCTION plan_of(query text, OUT nodes text, OUT estimates text) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    WITH RECURSIVE node AS (
        SELECT plan -> 0 -> 'Plan' AS node, '{}'::integer[] AS place
         UNION ALL
        SELECT child.node, n.place || child.place::integer FROM node n, json_array_elements(n.node -> 'Plans') WITH ORDINALITY child(node, place))
    SELECT string_agg(coalesce(n.node ->> 'Index Name', n.node ->> 'Node Type'), ', ' ORDER BY n.place), string_agg(n.node ->> 'Plan Rows', ' ' ORDER BY n.place)
      INTO nodes, estimates FROM node n WHERE n.node ->> 'Node Type' <> 'Result';
END $$;
CREATE TABLE queries (number integer PRIMARY KEY, query text);
INSERT INTO queries VALUES
    (1, 'SELECT * FROM %1$s t'),
    (2, 'SELECT t.note FROM %1$s t JOIN %1$s u USING (id) WHERE u.note > '''''),
    (3, 'SELECT count(*) FROM %1$s t GROUP BY user_id'),
    (4, 'SELECT * FROM members m LEFT JOIN %1$s t USING (user_id)'),
    (5, 'SELECT * FROM %1$s t WHERE note > '''' ORDER BY id LIMIT 5'),
    (6, 'UPDATE %2$s SET note = NULL%3$s'),
    (7, 'DELETE FROM %2$s%3$s');
GRANT SELECT ON tables, queries TO regress_tpf_app;
-- A server that makes one table of a self-join counts each condition of the WHERE twice, and those of a policy once.
SELECT count(set_config(name, 'off', false)) <= 1 AS self_joins_stay FROM pg_settings WHERE name = 'enable_self_join_elimination';
BEGIN;
SELECT steward.tenant_set('1', '1');
CREATE TABLE explicit AS
    SELECT t.name, q.number, p.* FROM tables t, queries q, plan_of(format(q.query, format('(SELECT * FROM %s WHERE %s)', t.name, t.reads), t.name, ' WHERE ' || t.writes)) p;
GRANT SELECT ON explicit TO regress_tpf_app;
SET LOCAL ROLE regress_tpf_app;
SELECT count(*) AS plans, count(*) FILTER (WHERE p.nodes = e.nodes) AS same, count(*) FILTER (WHERE p.estimates = e.estimates) AS same_estimates
  FROM tables t JOIN explicit e USING (name) JOIN queries q USING (number), plan_of(format(q.query, t.name, t.name, '')) p;
SELECT t.name, q.number, e.nodes AS "with a WHERE", e.estimates, p.nodes AS "with policies", p.estimates
  FROM tables t JOIN explicit e USING (name) JOIN queries q USING (number), plan_of(format(q.query, t.name, t.name, '')) p
 WHERE p.nodes <> e.nodes OR p.estimates <> e.estimates ORDER BY 1, 2;
COMMIT;

--
-- Attacks as the application, for tenant 1 and user 1: with floors, without them, and where they count as permissive
--
-- How many rows a command was for, or its SQLSTATE; everything is undone.
CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    PERFORM steward.tenant_set('1', '1');
    SET LOCAL ROLE regress_tpf_app;
    EXECUTE command;
    GET DIAGNOSTICS n = ROW_COUNT;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = n;
EXCEPTION WHEN OTHERS THEN
    RETURN CASE SQLSTATE WHEN 'ZZ000' THEN SQLERRM ELSE SQLSTATE END;
END $$;
-- COPY of files is no matter of policies.
GRANT pg_read_server_files, pg_write_server_files TO regress_tpf_app;
-- Row 101 is tenant 1's and user 1's, 102 tenant 2's and user 1's, 202 tenant 2's and user 2's. User 1 is a member of both tenants.
CREATE TABLE attacks (number integer GENERATED ALWAYS AS IDENTITY, about text, command text);
INSERT INTO attacks (about, command) VALUES
    ('reads', 'SELECT FROM %s WHERE tenant_id::text <> ''1'''),
    ('reads by key', 'SELECT FROM %s WHERE id = 202'),
    ('locks', 'SELECT FROM %s WHERE tenant_id::text <> ''1'' FOR UPDATE'),
    ('copies', 'COPY (SELECT * FROM %s WHERE tenant_id::text <> ''1'') TO ''/dev/null'''),
    ('changes', 'UPDATE %s SET note = ''x'' WHERE tenant_id::text <> ''1'''),
    ('takes', 'UPDATE %s SET tenant_id = 1, user_id = 1, author_id = 1 WHERE tenant_id::text <> ''1'''),
    ('gives away', 'UPDATE %s SET tenant_id = 2 WHERE id = 101'),
    ('gives away with its user', 'UPDATE %s SET tenant_id = 2, user_id = 2, author_id = 2 WHERE id = 101'),
    ('gives all away', 'UPDATE %s SET tenant_id = 2'),
    ('deletes', 'DELETE FROM %s WHERE tenant_id::text <> ''1'''),
    ('inserts', 'INSERT INTO %s VALUES (9001, 2, 1, 1, true)'),
    ('inserts for another', 'INSERT INTO %s VALUES (9001, 2, 2, 2, true) RETURNING *'),
    ('inserts for nobody', 'INSERT INTO %s VALUES (9001, NULL, 1, 1, true)'),
    ('copies in', 'COPY %s FROM ''/dev/null'''),
    ('gives away by upsert', 'INSERT INTO %s VALUES (101, 1, 1, 1, true) ON CONFLICT (id) DO UPDATE SET tenant_id = 2'),
    ('takes by upsert', 'INSERT INTO %s VALUES (102, 1, 1, 1, true) ON CONFLICT (id) DO UPDATE SET tenant_id = 1, user_id = 1, author_id = 1'),
    ('changes by upsert', 'INSERT INTO %s VALUES (202, 1, 1, 1, true) ON CONFLICT (id) DO UPDATE SET note = ''x'''),
    ('gives away by merge', 'MERGE INTO %s t USING (VALUES (101), (202)) v(id) ON t.id = v.id WHEN MATCHED THEN UPDATE SET tenant_id = 2'),
    ('inserts by merge', 'MERGE INTO %s t USING (VALUES (9001)) v(id) ON t.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (9001, 2, 1, 1, true)'),
    ('own row', 'SELECT FROM %s WHERE id = 101'),
    ('copies all', 'COPY %s TO ''/dev/null'''),
    ('changes all', 'UPDATE %s SET note = ''x''');

-- One as it would be without its floor inside, to see that the attacks work.
CREATE TABLE bare (LIKE tenant_user INCLUDING ALL);
INSERT INTO bare TABLE tenant_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON bare TO regress_tpf_app;
ALTER TABLE bare ENABLE ROW LEVEL SECURITY;
CREATE POLICY floor ON bare AS RESTRICTIVE USING (steward.is_current_tenant(tenant_id));
CREATE POLICY rows ON bare USING (steward.is_current_user(user_id));
INSERT INTO tables (name) VALUES ('bare');

CREATE TABLE outcome AS SELECT t.name, a.number, attempt(format(a.command, t.name)) AS result FROM tables t, attacks a;
SELECT a.about, o.result, string_agg(o.name, ' ' ORDER BY o.name COLLATE "C") AS tables
  FROM outcome o JOIN attacks a USING (number) GROUP BY a.number, a.about, o.result ORDER BY a.number, o.result COLLATE "C";

CREATE VIEW floors AS
SELECT p.polrelid::regclass::text AS name, p.polname, pg_get_expr(p.polqual, p.polrelid) AS condition FROM pg_policy p JOIN tables t ON t.name = p.polrelid::regclass::text WHERE NOT p.polpermissive
 ORDER BY t.name COLLATE "C", p.polname COLLATE "C";
CREATE TABLE dropped AS TABLE floors;
SELECT format('DROP POLICY %I ON %s', polname, name) FROM floors \gexec
SELECT count(*) AS floors FROM floors;
-- Without floors nothing changes but where the floor was alone.
SELECT t.name, a.about, o.result AS "with floors", n.result AS "without"
  FROM outcome o JOIN tables t USING (name) JOIN attacks a USING (number), attempt(format(a.command, t.name)) n(result)
 WHERE n.result <> o.result ORDER BY t.name COLLATE "C", a.number;
SELECT relation, policy_name, problem FROM steward.tenant_policies WHERE problem IS NOT NULL ORDER BY relation::text COLLATE "C", policy_name COLLATE "C";
-- A server that prints CREATE POLICY without AS RESTRICTIVE has floors that give rows: users of a tenant see each other, tenants still do not.
SELECT format('CREATE POLICY %I ON %s USING (%s)', polname, name, condition) FROM dropped \gexec
SELECT t.name, a.about, o.result AS "as floors", n.result AS "as permissive policies"
  FROM outcome o JOIN tables t USING (name) JOIN attacks a USING (number), attempt(format(a.command, t.name)) n(result)
 WHERE n.result <> o.result ORDER BY t.name COLLATE "C", a.number;

--
-- What was changed by hand
--
SELECT relation, policy_name, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
SELECT steward.tenant_protect('user_tenant');
SELECT steward.tenant_protect('user_tenant');
SELECT relation, policy_name, using_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
SELECT count(*) FROM steward.tenant_protect_user('user_tenant');
SELECT count(*) FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass AND problem IS NOT NULL;
-- A policy that somebody opened gets new floors too, and shows until its own builder runs.
ALTER POLICY steward_user ON user_tenant USING (true) WITH CHECK (user_id > 0);
SELECT steward.tenant_protect('user_tenant', 'author_id');
SELECT steward.tenant_protect('user_tenant', 'author_id');
SELECT policy_name, using_expression, check_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
SELECT count(*) FROM steward.tenant_protect_user('user_tenant');
SELECT policy_name, using_expression, check_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
-- A floor that was changed by hand is put right in all of them.
ALTER POLICY steward_tenant_floor ON user_tenant USING (true);
SELECT count(*) FROM steward.tenant_protect('user_tenant', 'author_id');
SELECT policy_name, using_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
-- One of which nobody knows what was in it stays where it is, and shows.
DROP POLICY steward_tenant_floor ON user_tenant;
SELECT policy_name, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
SELECT steward.tenant_protect('user_tenant', 'tenant_id');
SELECT policy_name, using_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";
SELECT count(*) FROM steward.tenant_protect_user('user_tenant');
SELECT policy_name, using_expression, problem FROM steward.tenant_policies WHERE relation = 'user_tenant'::regclass ORDER BY policy_name COLLATE "C";

SET client_min_messages = warning;
DROP SCHEMA tenant_policy_floors CASCADE;
DROP ROLE regress_tpf_owner, regress_tpf_app, regress_tpf_admin;
