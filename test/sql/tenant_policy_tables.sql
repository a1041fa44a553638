-- The builders of policies: errors, and tables of all kinds.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
CREATE ROLE regress_tpt_owner;
CREATE ROLE regress_tpt_app;
CREATE ROLE regress_tpt_other;
CREATE ROLE regress_tpt_admin;
CREATE ROLE regress_tpt_writer;
CREATE SCHEMA tenant_policy_tables AUTHORIZATION regress_tpt_owner;
GRANT ALL ON SCHEMA tenant_policy_tables TO regress_tpt_other;
GRANT USAGE ON SCHEMA tenant_policy_tables TO PUBLIC;
SET search_path = tenant_policy_tables;
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA public;
CREATE FOREIGN DATA WRAPPER regress_tpt_fdw;
CREATE SERVER regress_tpt_server FOREIGN DATA WRAPPER regress_tpt_fdw;
GRANT USAGE ON FOREIGN SERVER regress_tpt_server TO regress_tpt_owner;
RESET client_min_messages;
SET ROLE regress_tpt_owner;

CREATE VIEW problems AS
SELECT relation, policy_name, roles, using_expression, problem FROM steward.tenant_policies WHERE problem IS NOT NULL
 ORDER BY relation::text COLLATE "C", policy_name COLLATE "C";
GRANT SELECT ON problems TO PUBLIC;

--
-- Errors
--
CREATE TYPE colour AS ENUM ('1', 'red');
CREATE TABLE t (
    tenant_id integer, number numeric, colour colour, citext public.citext, ints integer[], doc jsonb, oid oid, char character(5), real real,
    user_id bigint, author_id uuid, published boolean, gone integer, word text);
ALTER TABLE t DROP gone;
SELECT steward.tenant_protect(NULL);
SELECT steward.tenant_protect('t', NULL);
SELECT steward.tenant_protect('t', dry_run => NULL);
SELECT steward.tenant_protect('t', 'gone');
SELECT steward.tenant_protect('t', 'ctid');
SELECT steward.tenant_protect('t', 'number');
SELECT steward.tenant_protect('t', 'colour');
SELECT steward.tenant_protect('t', 'citext');
SELECT steward.tenant_protect('t', 'ints');
SELECT steward.tenant_protect('t', 'doc');
SELECT steward.tenant_protect('t', 'oid');
SELECT steward.tenant_protect('t', 'char');
SELECT steward.tenant_protect('t', 'real');
SELECT steward.tenant_protect('t', roles => '{regress_tpt_app,Nobody}');
SELECT steward.tenant_protect('t', roles => '{NULL}');
SELECT x FROM steward.tenant_protect('t', roles => '{regress_tpt_app,public}', dry_run => true) x WHERE x ~ 'CREATE POLICY' ORDER BY x;
SELECT steward.tenant_protect_user('t', 'missing');
SELECT steward.tenant_protect_user('t', 'number');
SELECT steward.tenant_protect_visibility('t', 'missing');
SELECT steward.tenant_protect_visibility('t', 'published', 'colour');
SELECT steward.tenant_protect_visibility('t', 'ints');
SELECT steward.tenant_protect_visibility('t', public_values => '{}');
SELECT steward.tenant_protect_visibility('t', public_values => '{true,NULL}');
\set VERBOSITY sqlstate
SELECT steward.tenant_protect_visibility('t', 'colour', public_values => '{blue}');
SELECT steward.tenant_protect_visibility('t', 'published', public_values => '{"); DROP TABLE t; --"}');
\set VERBOSITY default
CREATE TABLE members (tenant_id bigint, user_id bigint);
SELECT steward.tenant_protect_member('t', NULL);
SELECT steward.tenant_protect_member('t', 'members');
SELECT steward.tenant_protect_member('t', 'members', member_column => 'missing');
SELECT steward.tenant_protect_member('members', 'members');
SELECT steward.tenant_admin_all('t', NULL);
SELECT steward.tenant_admin_all('t', 'Nobody');
SELECT steward.tenant_protect_partitions('t');
SELECT steward.tenant_unprotect('t');
SELECT count(*) FROM pg_policy WHERE polrelid = 't'::regclass;
-- What cannot have policies.
CREATE VIEW v AS SELECT * FROM t;
CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
CREATE SEQUENCE s;
CREATE FOREIGN TABLE f (tenant_id integer) SERVER regress_tpt_server;
SELECT steward.tenant_protect('v');
SELECT steward.tenant_protect('m');
SELECT steward.tenant_protect('s');
SELECT steward.tenant_protect('f');
SELECT steward.tenant_unprotect('v');
DROP VIEW v; DROP MATERIALIZED VIEW m; DROP SEQUENCE s; DROP FOREIGN TABLE f;
SET ROLE regress_tpt_other;
SELECT steward.tenant_protect('t');
SELECT steward.tenant_unprotect('t');
RESET ROLE;
SELECT steward.tenant_protect('pg_catalog.pg_class', 'relname');
SELECT steward.tenant_protect('steward.tenant_guard_settings', 'mode');
SELECT steward.tenant_protect('public.nothing');
SET ROLE regress_tpt_owner;
-- Rows without a tenant: an error, and nothing has changed.
INSERT INTO t DEFAULT VALUES;
\set VERBOSITY sqlstate
SELECT steward.tenant_protect('t');
\set VERBOSITY default
SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class c WHERE oid = 't'::regclass;
DROP TABLE t, members;

--
-- A dry run is what is run
--
CREATE FUNCTION state_of(relation regclass) RETURNS TABLE (what text) LANGUAGE sql STABLE SET search_path = pg_catalog
BEGIN ATOMIC
    SELECT format('%s %s %s %s', polname, polroles::regrole[], steward_internal.tenant_policy_definition(polrelid, polname), obj_description(oid, 'pg_policy'))
      FROM pg_policy WHERE polrelid = relation
     UNION ALL SELECT format('%s %s', relrowsecurity, relforcerowsecurity) FROM pg_class WHERE oid = relation
     UNION ALL SELECT format('%s %s %s', attname, attnotnull, pg_get_expr(d.adbin, d.adrelid))
      FROM pg_attribute LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum WHERE attrelid = relation AND attnum > 0
     UNION ALL SELECT array_to_string(array_agg(indkey::text ORDER BY indkey::text), ';') FROM pg_index WHERE indrelid = relation
     UNION ALL SELECT acl::text FROM pg_class CROSS JOIN LATERAL unnest(relacl) acl WHERE oid = relation AND acl::text !~ '^regress_tpt_owner=';
END;
CREATE TABLE "Two 'x' ""Tables" ("Tenant ' "" Id" bigint, user_id uuid, author_id bigint, published text);
GRANT SELECT, INSERT, TRUNCATE, TRIGGER ON "Two 'x' ""Tables" TO regress_tpt_app;
CREATE TABLE builders (call text, number integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO builders (call) VALUES
    ($$steward.tenant_protect(%L, 'Tenant '' " Id', '{regress_tpt_app}', dry_run => %L)$$),
    ($$steward.tenant_protect_user(%L, dry_run => %L)$$),
    ($$steward.tenant_admin_all(%L, 'regress_tpt_admin', dry_run => %L)$$),
    ($$steward.tenant_protect_visibility(%L, public_values => '{"it''s",\\,%%s}', roles => '{regress_tpt_app,regress_tpt_other}', dry_run => %L)$$),
    ($$steward.tenant_unprotect(%L, dry_run => %L)$$);
DO $$
DECLARE
    b record;
    command text;
    printed text[];
    by_hand text[];
    by_builder text[];
BEGIN
    FOR b IN SELECT * FROM builders ORDER BY number LOOP
        EXECUTE format('SELECT array_agg(x) FROM ' || b.call || ' x', '"Two ''x'' ""Tables"', true) INTO printed;
        BEGIN
            FOREACH command IN ARRAY printed LOOP
                EXECUTE command;
            END LOOP;
            by_hand := ARRAY(SELECT what FROM state_of('"Two ''x'' ""Tables"') ORDER BY what COLLATE "C");
            RAISE EXCEPTION USING ERRCODE = 'ZZ000';
        EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        END;
        EXECUTE format('SELECT array_agg(x) FROM ' || b.call || ' x', '"Two ''x'' ""Tables"', false) INTO by_builder;
        ASSERT printed = by_builder, printed;
        ASSERT by_hand = ARRAY(SELECT what FROM state_of('"Two ''x'' ""Tables"') ORDER BY what COLLATE "C"), by_hand;
        EXECUTE format('SELECT array_agg(x) FROM ' || b.call || ' x', '"Two ''x'' ""Tables"', false) INTO by_builder;
        ASSERT by_builder IS NULL, by_builder;
        RAISE NOTICE '%: % commands', split_part(b.call, '(', 1), cardinality(printed);
    END LOOP;
END $$;
SELECT * FROM state_of('"Two ''x'' ""Tables"') ORDER BY what COLLATE "C";
DROP TABLE builders, "Two 'x' ""Tables";

--
-- Types, keys, generated columns
--
CREATE DOMAIN number AS integer CHECK (VALUE > 0);
CREATE DOMAIN numbers AS number NOT NULL;
CREATE TABLE types (small smallint, int integer, big bigint, uuid uuid, text text, varchar varchar(9), number number, numbers numbers,
    generated bigint GENERATED ALWAYS AS (int + 1) STORED, identity bigint GENERATED ALWAYS AS IDENTITY, given integer DEFAULT 7, key integer PRIMARY KEY);
SELECT c.column_name, x.command
  FROM unnest('{small,int,big,uuid,text,varchar,number,numbers,generated,identity,given,key}'::name[]) WITH ORDINALITY c(column_name, place)
  LEFT JOIN LATERAL steward.tenant_protect('types', c.column_name, dry_run => true) x(command) ON x.command ~ 'ALTER COLUMN|INDEX'
 ORDER BY c.place, x.command COLLATE "C";
SELECT count(*) FROM steward.tenant_protect('types', 'number', create_index => false);
SELECT steward.tenant_protect('types', 'number');
-- Any btree index that begins with the column will do, if it has all rows.
DROP INDEX types_number_idx;
CREATE INDEX ON types (number) WHERE int > 0;
CREATE INDEX ON types USING hash (number);
SELECT steward.tenant_protect('types', 'number', dry_run => true);
CREATE INDEX ON types (number DESC, int);
SELECT steward.tenant_protect('types', 'number', dry_run => true);
DROP TABLE types;

--
-- Partitions of several levels, foreign ones, inheritance
--
CREATE TABLE p (id integer, tenant_id integer, kind text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (kind text, gone text, tenant_id integer, id integer) PARTITION BY LIST (kind);
ALTER TABLE p2 DROP gone;
ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20);
CREATE TABLE p2a PARTITION OF p2 FOR VALUES IN ('a');
CREATE FOREIGN TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30) SERVER regress_tpt_server;
GRANT SELECT, INSERT, TRUNCATE, REFERENCES, TRIGGER ON p, p1, p2, p2a, p3 TO regress_tpt_app;
SELECT steward.tenant_protect('p');
SELECT steward.tenant_protect('p');
SELECT indrelid::regclass, count(*) FROM pg_index WHERE indrelid::regclass::text ~ '^p\da?$|^p$' GROUP BY 1 ORDER BY indrelid::regclass::text COLLATE "C";
SELECT relation, count(*), count(problem) FROM steward.tenant_policies GROUP BY relation ORDER BY relation::text COLLATE "C";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy_tables}');
-- Attached later.
CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (30) TO (40);
GRANT SELECT, TRUNCATE ON p4 TO regress_tpt_app;
TABLE problems;
SELECT steward.tenant_protect_partitions('p', dry_run => true);
SELECT count(*) FROM steward.tenant_protect_partitions('p');
SELECT steward.tenant_protect_partitions('p');
TABLE problems;
-- One that was protected otherwise; what it had goes.
CREATE TABLE p5 (LIKE p INCLUDING ALL);
SELECT count(*) FROM steward.tenant_protect_user('p5', 'id');
ALTER TABLE p ATTACH PARTITION p5 FOR VALUES FROM (40) TO (50);
TABLE problems;
SELECT steward.tenant_protect_partitions('p');
TABLE problems;
-- A sub-partition that belongs to somebody else: nothing is changed.
RESET ROLE;
ALTER TABLE p2a OWNER TO regress_tpt_other;
SET ROLE regress_tpt_owner;
SELECT steward.tenant_protect_user('p', 'id');
RESET ROLE;
ALTER TABLE p2a OWNER TO regress_tpt_owner;
SET ROLE regress_tpt_owner;
SELECT count(*) FROM steward.tenant_unprotect('p');
SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity FROM pg_class c WHERE c.relname ~ '^p\d?a?$' AND c.relnamespace = 'tenant_policy_tables'::regnamespace ORDER BY 1;
DROP TABLE p;
-- Partitions by tenant: folded policies, until somebody asks for others.
CREATE TABLE folded (tenant_id integer NOT NULL) PARTITION BY LIST (tenant_id);
CREATE TABLE folded_1 PARTITION OF folded FOR VALUES IN (1);
SELECT count(*) FROM steward.tenant_protect('folded', folded => true);
SELECT steward.tenant_protect('folded', folded => true);
SELECT relation, policy_name, using_expression, problem FROM steward.tenant_policies ORDER BY relation::text COLLATE "C", policy_name COLLATE "C";
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy_tables}');
SELECT count(*) FROM steward.tenant_protect('folded');
SELECT relation, policy_name, using_expression, problem FROM steward.tenant_policies ORDER BY relation::text COLLATE "C", policy_name COLLATE "C";
DROP TABLE folded;
-- Inheritance, by two ways.
CREATE TABLE a (tenant_id integer);
CREATE TABLE b () INHERITS (a);
CREATE TABLE c () INHERITS (a);
CREATE TABLE d () INHERITS (b, c);
SELECT steward.tenant_protect('a');
SELECT steward.tenant_protect('a');
SELECT rule, object, detail FROM steward.tenant_check(schemas => '{tenant_policy_tables}');
DROP TABLE a CASCADE;
-- Temporary and unlogged tables.
CREATE TEMP TABLE temporary (tenant_id integer);
SELECT steward.tenant_protect('temporary');
SELECT steward.tenant_protect('temporary');
DROP TABLE temporary;
CREATE UNLOGGED TABLE unlogged (tenant_id integer);
SELECT count(*) FROM steward.tenant_protect('unlogged');
DROP TABLE unlogged;

--
-- Long and strange names
--
RESET ROLE;
SELECT repeat('ä', 31) || '"' AS long, 'Öl '' " ' || repeat('z', 54) AS longer \gset
CREATE ROLE "regress_tpt Ad'min ""ä";
SELECT format('CREATE ROLE %I', 'regress_tpt_' || repeat('ö', 25)), format('CREATE ROLE %I', 'regress_tpt_' || repeat('ö', 24) || 'x') \gexec
SET ROLE regress_tpt_owner;
CREATE TABLE :"long" (:"longer" integer, "Öffentlich" text, "select" uuid);
SELECT count(*) FROM steward.tenant_protect(quote_ident(:'long')::regclass, :'longer', roles => '{regress_tpt_app}');
SELECT count(*) FROM steward.tenant_protect_visibility(quote_ident(:'long')::regclass, 'Öffentlich', 'select', '{"a '' \" \\ %I"}');
SELECT r.rolname, count(a.*) FROM pg_roles r CROSS JOIN LATERAL steward.tenant_admin_all(quote_ident(:'long')::regclass, r.rolname) a
 WHERE r.rolname ~ '^regress_tpt_ö|^regress_tpt Ad' GROUP BY r.rolname ORDER BY r.rolname COLLATE "C";
SELECT r.rolname, count(a.*) FROM pg_roles r LEFT JOIN LATERAL steward.tenant_admin_all(quote_ident(:'long')::regclass, r.rolname) a ON true
 WHERE r.rolname ~ '^regress_tpt_ö|^regress_tpt Ad' GROUP BY r.rolname ORDER BY r.rolname COLLATE "C";
SELECT relation, policy_name, roles, using_expression, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
SELECT count(*) FROM steward.tenant_unprotect(quote_ident(:'long')::regclass);
DROP TABLE :"long";
RESET ROLE;
DROP ROLE "regress_tpt Ad'min ""ä";
SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname ~ '^regress_tpt_ö' \gexec

--
-- Whatever the search path
--
SET ROLE regress_tpt_owner;
CREATE TABLE t (tenant_id integer, user_id integer, published boolean);
CREATE FUNCTION is_current_tenant(integer) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION equal(integer, integer) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR = (LEFTARG = integer, RIGHTARG = integer, FUNCTION = equal);
CREATE FUNCTION format(text, VARIADIC text[]) RETURNS text LANGUAGE sql RETURN 'DROP TABLE t';
CREATE TABLE members (tenant_id integer, user_id integer);
SET search_path = tenant_policy_tables, pg_temp, pg_catalog;
SELECT count(*) FROM steward.tenant_protect('t');
SELECT count(*) FROM steward.tenant_protect_member('t', 'members');
SET search_path = '';
SELECT policy_name, using_expression, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
SET search_path = tenant_policy_tables;
SET quote_all_identifiers = on;
SELECT steward.tenant_protect('t');
SELECT policy_name, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
RESET quote_all_identifiers;
DROP OPERATOR tenant_policy_tables.= (integer, integer);
DROP FUNCTION format(text, text[]), equal, is_current_tenant;

--
-- Whoever asks for what first
--
SELECT count(*) FROM steward.tenant_unprotect('t');
CREATE VIEW has AS
SELECT string_agg(policy_name, ' ' ORDER BY policy_name COLLATE "C") AS policies, count(problem) AS problems FROM steward.tenant_policies WHERE relation = 't'::regclass;
ALTER TABLE t ADD author_id bigint;
CREATE TABLE tree (id integer PRIMARY KEY, parent_id integer);
CREATE TABLE steps (builder text PRIMARY KEY, call text);
INSERT INTO steps VALUES
    ('tenant', 'tenant_protect(''t'', roles => ''{regress_tpt_app}'')'),
    ('shared', 'tenant_protect_shared(''t'', roles => ''{regress_tpt_app}'')'),
    ('tree', 'tenant_protect_tree(''t'', ''tree'', roles => ''{regress_tpt_app}'')'),
    ('user', 'tenant_protect_user(''t'', roles => ''{regress_tpt_app}'')'),
    ('visibility', 'tenant_protect_visibility(''t'', roles => ''{regress_tpt_app}'')'),
    ('member', 'tenant_protect_member(''t'', ''members'', roles => ''{regress_tpt_app}'')'),
    ('writer', 'tenant_protect_shared(''t'', roles => ''{regress_tpt_app}''), steward.tenant_write_shared(''t'', ''regress_tpt_writer'')'),
    ('admin', 'tenant_admin_all(''t'', ''regress_tpt_admin'')');
-- None is left out: no kind of policy, and no function that builds some.
SELECT builder FROM steward_internal.tenant_policy_kinds EXCEPT SELECT builder FROM steps;
SELECT proname FROM pg_proc WHERE pronamespace = 'steward'::regnamespace AND prosrc ~ 'tenant_build\(' AND proname <> 'tenant_build'
EXCEPT SELECT split_part(call, '(', 1) FROM steps;
CREATE FUNCTION outcome(VARIADIC calls text[]) RETURNS text LANGUAGE plpgsql SET search_path = tenant_policy_tables AS $$
DECLARE
    call text;
    result text;
BEGIN
    FOREACH call IN ARRAY calls LOOP
        EXECUTE 'SELECT steward.' || call;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = (SELECT has.policies || CASE has.problems WHEN 0 THEN '' ELSE ' !' END FROM has);
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
END $$;
SELECT a.builder AS first, b.builder AS second, outcome(a.call, b.call) FROM steps a, steps b ORDER BY 1, 2;
-- A third does not find more than the second has left.
SELECT count(*) FROM steps a, steps b, steps c WHERE outcome(a.call, b.call, c.call) ~ '!';
DROP FUNCTION outcome;
DROP TABLE steps, tree;

--
-- What happens afterwards
--
SELECT count(*) FROM steward.tenant_protect('t', roles => '{regress_tpt_app}');
CREATE POLICY theirs ON t USING (tenant_id = 1);
-- Altered by hand.
ALTER POLICY steward_tenant_floor ON t USING (true);
ALTER POLICY steward_tenant ON t WITH CHECK (tenant_id > 0);
TABLE problems;
SELECT steward.tenant_protect('t');
ALTER POLICY steward_tenant ON t TO regress_tpt_other;
TABLE problems;
SELECT steward.tenant_protect('t', roles => '{regress_tpt_app}');
DROP POLICY steward_tenant_floor ON t;
TABLE problems;
SELECT steward.tenant_protect('t');
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
TABLE problems;
ALTER TABLE t DISABLE ROW LEVEL SECURITY;
TABLE problems;
SELECT steward.tenant_protect('t');
COMMENT ON POLICY steward_tenant ON t IS 'mine';
SELECT steward.tenant_protect('t');
-- Renamed table and schema, column and role; a new owner.
RESET ROLE;
ALTER TABLE t RENAME TO renamed;
ALTER SCHEMA tenant_policy_tables RENAME TO regress_tpt_schema;
SET search_path = regress_tpt_schema;
SELECT steward.tenant_protect('renamed');
TABLE problems;
ALTER SCHEMA regress_tpt_schema RENAME TO tenant_policy_tables;
SET search_path = tenant_policy_tables;
ALTER TABLE renamed RENAME TO t;
ALTER ROLE regress_tpt_app RENAME TO regress_tpt_application;
TABLE problems;
SELECT count(*) FROM steward.tenant_protect('t');
ALTER ROLE regress_tpt_application RENAME TO regress_tpt_app;
ALTER TABLE t RENAME tenant_id TO customer_id;
ALTER TABLE t OWNER TO regress_tpt_other;
SET ROLE regress_tpt_other;
SELECT steward.tenant_protect('t', 'customer_id');
TABLE problems;
-- Roles: another list is for all policies but those of administrators.
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
SELECT steward.tenant_protect_user('t', roles => '{regress_tpt_other,regress_tpt_app,regress_tpt_app}');
SELECT policy_name, roles, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
-- A changed one is not mended in passing, so that it shows until its own builder runs.
ALTER POLICY steward_tenant_floor ON t USING (true);
SELECT count(*) FROM steward.tenant_protect_user('t', roles => '{regress_tpt_app}');
TABLE problems;
SELECT count(*) FROM steward.tenant_protect('t', 'customer_id');
-- Policies of others stay, and in force.
SELECT steward.tenant_unprotect('t');
SELECT relrowsecurity FROM pg_class WHERE oid = 't'::regclass;
DROP POLICY theirs ON t;
-- What the owner of a table writes into a comment is not run.
SELECT count(*) FROM steward.tenant_protect('t', 'customer_id');
SELECT steward_internal.tenant_policy_sign('t', 'steward_tenant_floor', 'RESTRICTIVE FOR ALL USING (true); ALTER ROLE regress_tpt_other SUPERUSER; --');
RESET ROLE;
CREATE TABLE child () INHERITS (t);
SELECT steward.tenant_protect_partitions('t') FROM set_config('client_min_messages', 'warning', true);
DROP TABLE child;
SELECT count(*) FROM steward.tenant_protect_user('t');
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_tpt_other';
SELECT count(*) FROM steward.tenant_unprotect('t');

--
-- Administrators
--
ALTER TABLE t OWNER TO regress_tpt_owner;
SET ROLE regress_tpt_owner;
-- An administrator first.
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
SELECT steward.tenant_protect('t', 'customer_id');
SELECT count(*) FROM steward.tenant_protect('t', 'customer_id', roles => '{regress_tpt_app}');
SELECT steward.tenant_protect_user('t', roles => '{public}');
SELECT steward.tenant_protect_user('t', roles => '{regress_tpt_admin}');
SELECT count(*) FROM steward.tenant_unprotect('t');
-- A floor for all.
SELECT count(*) FROM steward.tenant_protect('t', 'customer_id');
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
-- Without a floor, all is not too many.
SELECT count(*) FROM steward.tenant_unprotect('t');
SELECT count(*) FROM steward.tenant_protect_visibility('t');
SELECT count(*) FROM steward.tenant_admin_all('t', 'regress_tpt_admin');
SELECT count(*) FROM steward.tenant_unprotect('t');
SELECT count(*) FROM steward.tenant_protect('t', 'customer_id', roles => '{regress_tpt_app}');
RESET ROLE;
-- Membership either way, over another role too; as the options have it from 16 on.
CREATE ROLE regress_tpt_between;
GRANT regress_tpt_app TO regress_tpt_admin;
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
REVOKE regress_tpt_app FROM regress_tpt_admin;
GRANT regress_tpt_between TO regress_tpt_app;
GRANT regress_tpt_admin TO regress_tpt_between;
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
REVOKE regress_tpt_between FROM regress_tpt_app;
SELECT current_setting('server_version_num')::integer >= 160000 AS has_options \gset
\if :has_options
GRANT regress_tpt_app TO regress_tpt_admin WITH INHERIT FALSE;
DO $$ BEGIN PERFORM steward.tenant_admin_all('t', 'regress_tpt_admin', dry_run => true); END $$;
REVOKE regress_tpt_app FROM regress_tpt_admin;
GRANT regress_tpt_between TO regress_tpt_app WITH INHERIT FALSE, SET FALSE;
DO $$ BEGIN PERFORM steward.tenant_admin_all('t', 'regress_tpt_admin', dry_run => true); END $$;
GRANT regress_tpt_between TO regress_tpt_app WITH INHERIT FALSE, SET TRUE;
DO $$
BEGIN
    PERFORM steward.tenant_admin_all('t', 'regress_tpt_admin');
    RAISE 'not refused';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
END $$;
REVOKE regress_tpt_between FROM regress_tpt_app;
\endif
SELECT count(*) FROM steward.tenant_admin_all('t', 'regress_tpt_admin', dry_run => true);
DROP ROLE regress_tpt_between;
-- Those who need no policy.
ALTER ROLE regress_tpt_admin BYPASSRLS;
SELECT steward.tenant_admin_all('t', 'regress_tpt_admin');
ALTER ROLE regress_tpt_admin NOBYPASSRLS;
-- A renamed one keeps his policy; administrators keep their rights.
GRANT ALL ON t TO regress_tpt_app;
SELECT count(*) FROM steward.tenant_admin_all('t', 'regress_tpt_admin');
GRANT TRUNCATE ON t TO regress_tpt_app, regress_tpt_admin;
ALTER ROLE regress_tpt_admin RENAME TO regress_tpt_boss;
SELECT steward.tenant_admin_all('t', 'regress_tpt_boss');
DROP ROLE regress_tpt_boss;
SELECT policy_name, roles, problem FROM steward.tenant_policies ORDER BY policy_name COLLATE "C";
DROP POLICY steward_admin_regress_tpt_admin ON t;
REVOKE TRUNCATE ON t FROM regress_tpt_boss;

-- ACME and acme are two tenants.
CREATE COLLATION any_case (provider = icu, locale = 'und', deterministic = false);
CREATE TABLE cased (tenant_id text COLLATE any_case);
SELECT steward.tenant_protect('cased');
DROP TABLE cased;

-- Two tables whose policies would ask each other.
SET ROLE regress_tpt_owner;
CREATE TABLE one (tenant_id integer, user_id integer);
CREATE TABLE two (tenant_id integer, user_id integer);
SELECT count(*) FROM steward.tenant_protect_member('one', 'two');
SELECT steward.tenant_protect_member('two', 'one');
RESET ROLE;

SET client_min_messages = warning;
DELETE FROM steward.muted_findings;
DROP SCHEMA tenant_policy_tables CASCADE;
DROP SERVER regress_tpt_server;
DROP FOREIGN DATA WRAPPER regress_tpt_fdw;
DROP ROLE regress_tpt_owner, regress_tpt_writer, regress_tpt_app, regress_tpt_other, regress_tpt_boss;
