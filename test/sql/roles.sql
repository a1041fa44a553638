-- Roles that read, write and own: what they can do afterwards, on what was there and on what came; what is told of them.
\set SHOW_CONTEXT never

CREATE ROLE regress_roles_owner;
CREATE ROLE regress_roles_other;
CREATE ROLE "regress_Roles ""app""";
CREATE ROLE regress_roles_reader;
CREATE SCHEMA roles AUTHORIZATION regress_roles_other;
CREATE SCHEMA "roles Two" AUTHORIZATION regress_roles_other;
-- as old servers have it
GRANT CREATE ON SCHEMA roles TO PUBLIC;
SET ROLE regress_roles_other;
CREATE TABLE roles.orders (id serial PRIMARY KEY, total numeric);
CREATE TABLE "roles Two"."Two" (id bigint GENERATED ALWAYS AS IDENTITY, v text);
CREATE VIEW roles.orders_view AS SELECT * FROM roles.orders;
CREATE MATERIALIZED VIEW roles.orders_then AS SELECT * FROM roles.orders;
CREATE SEQUENCE roles.numbers;
CREATE TYPE roles.colour AS ENUM ('red');
CREATE TYPE roles.pair AS (a integer, b integer);
CREATE DOMAIN roles.positive AS integer CHECK (VALUE > 0);
CREATE FUNCTION roles.plain(a integer, b text DEFAULT 'x', VARIADIC c integer[] DEFAULT '{}', OUT d integer) LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION roles.as_owner() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM roles.orders';
CREATE PROCEDURE roles.does() LANGUAGE sql AS '';
RESET ROLE;

SELECT * FROM steward.grant_owner('regress_roles_owner', '{roles,roles Two}', dry_run => true);
SELECT count(*) FROM steward.grant_owner('regress_roles_owner', '{roles,roles Two}');
SELECT * FROM steward.grant_owner('regress_roles_owner', '{roles,roles Two}');
SELECT count(*) FROM pg_class WHERE relowner = 'regress_roles_other'::regrole;
-- what is of the database depends on who ran what before
SELECT c AS command FROM steward.grant_application('regress_Roles "app"', '{roles,roles Two}') c WHERE c NOT LIKE '% ON DATABASE %';
SELECT c AS command FROM steward.grant_readonly('regress_roles_reader', '{roles,roles Two}') c WHERE c NOT LIKE '% ON DATABASE %';
SELECT * FROM steward.grant_application('regress_Roles "app"', '{roles,roles Two}');
SELECT * FROM steward.grant_readonly('regress_roles_reader', '{roles,roles Two}');
SELECT * FROM steward.role_check('regress_roles_owner', 'owner', '{roles,roles Two}');
SELECT * FROM steward.role_check('regress_Roles "app"', 'application', '{roles,roles Two}');
SELECT * FROM steward.role_check('regress_roles_reader', 'readonly', '{roles,roles Two}');

-- What comes is theirs, too.
SET ROLE regress_roles_owner;
CREATE TABLE roles.later (id serial, v text);
CREATE FUNCTION roles.later() RETURNS integer LANGUAGE sql AS 'SELECT 1';
SET ROLE "regress_Roles ""app""";
INSERT INTO roles.later (v) VALUES ('x') RETURNING *;
UPDATE roles.orders SET total = 1;
DELETE FROM "roles Two"."Two";
SELECT roles.as_owner();
SELECT roles.later();
TRUNCATE roles.orders;
CREATE TABLE roles.mine ();
SET ROLE regress_roles_reader;
SELECT * FROM roles.later;
SELECT count(*) FROM roles.orders_view;
SELECT roles.plain(1);
INSERT INTO roles.later (v) VALUES ('x');
SELECT roles.as_owner();
SELECT nextval('roles.numbers');
CREATE TABLE roles.mine ();
CREATE TEMPORARY TABLE mine ();
RESET ROLE;

-- What they have too much.
SET ROLE regress_roles_owner;
GRANT INSERT, UPDATE ON roles.orders TO regress_roles_reader;
GRANT SELECT, INSERT, UPDATE ON "roles Two"."Two" TO PUBLIC;
GRANT CREATE ON SCHEMA roles TO PUBLIC;
CREATE FUNCTION roles.writes() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM roles.orders';
RESET ROLE;
CREATE TABLE roles.of_other ();
ALTER TABLE roles.of_other OWNER TO regress_roles_other;
GRANT regress_roles_owner TO regress_roles_reader;
GRANT pg_write_all_data, pg_monitor TO regress_roles_reader;
ALTER ROLE regress_roles_reader CREATEDB BYPASSRLS;
SELECT * FROM steward.role_check('regress_roles_reader', 'readonly', '{roles,roles Two}');
SELECT * FROM steward.role_check('regress_roles_owner', 'owner', '{roles}');
SELECT object, problem FROM steward.role_check('regress_roles_owner', 'readonly', '{roles Two}') WHERE object NOT IN (SELECT quote_ident(current_database()));
-- each of the remedies mends what it says
REVOKE pg_write_all_data, regress_roles_owner FROM regress_roles_reader;
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT remedy FROM steward.role_check('regress_roles_reader', 'readonly', '{roles,roles Two}') LOOP
        EXECUTE command;
    END LOOP;
END $$;
SELECT * FROM steward.role_check('regress_roles_reader', 'readonly', '{roles,roles Two}');

-- An owner grants what is the owner's, and is told whom else to ask.
SET ROLE regress_roles_owner;
REVOKE SELECT ON roles.orders FROM "regress_Roles ""app""";
SELECT c AS command FROM steward.grant_application('regress_Roles "app"', '{roles}') c WHERE c NOT LIKE '%DATABASE%';
SELECT object, remedy FROM steward.role_check('regress_Roles "app"', 'application', '{roles}') WHERE object LIKE 'roles.%';
RESET ROLE;

-- What cannot be.
SELECT steward.grant_readonly('regress_nobody');
SELECT steward.grant_readonly('regress_roles_reader', '{roles,no_schema}');
SELECT steward.grant_readonly('regress_roles_reader', '{}');
SELECT steward.grant_readonly('regress_roles_reader', NULL);
SELECT steward.role_check('regress_roles_reader', 'admin');

DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO PUBLIC', current_database()); END $$;
\set VERBOSITY terse
SET client_min_messages = warning;
DROP SCHEMA roles, "roles Two" CASCADE;
DROP OWNED BY regress_roles_owner, regress_roles_other, "regress_Roles ""app""", regress_roles_reader;
DROP ROLE regress_roles_owner, regress_roles_other, "regress_Roles ""app""", regress_roles_reader;
