-- Roles, row-level security, and names made to mislead.
\set SHOW_CONTEXT never
CREATE ROLE regress_owner;
CREATE ROLE regress_app;
CREATE ROLE regress_purge;
CREATE ROLE regress_admin SUPERUSER;
GRANT regress_purge TO regress_app;
CREATE SCHEMA soft AUTHORIZATION regress_owner;
GRANT USAGE ON SCHEMA soft TO PUBLIC;
SET search_path = soft;
SET ROLE regress_owner;
CREATE TABLE account (id int PRIMARY KEY, tenant text, email text UNIQUE);
CREATE TABLE item (id int PRIMARY KEY, tenant text, account_id int REFERENCES account ON DELETE CASCADE);
GRANT SELECT, INSERT, DELETE ON account TO regress_app;
GRANT SELECT, DELETE ON account, item TO regress_purge;
SELECT count(*) FROM steward.soft_delete_enable('account', allow => '{regress_purge}');
SELECT count(*) FROM steward.soft_delete_enable('item');
ALTER TABLE account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE item ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
INSERT INTO account VALUES (0, 'a', 'nobody may write yet');
CREATE POLICY live ON account AS RESTRICTIVE TO regress_app, regress_owner USING (deleted_at IS NULL);
CREATE POLICY tenant ON account USING (tenant = current_setting('app.tenant', true));
CREATE POLICY tenant ON item USING (tenant = current_setting('app.tenant', true) AND deleted_at IS NULL);
SET app.tenant = 'b';
INSERT INTO account VALUES (3, 'b', 'c');
INSERT INTO item VALUES (30, 'b', 3);
SET app.tenant = 'a';
INSERT INTO account VALUES (1, 'a', 'a'), (2, 'a', 'b');
INSERT INTO item VALUES (10, 'a', 1), (20, 'a', 2);
RESET ROLE;
INSERT INTO item VALUES (11, 'b', 1);
CREATE VIEW public.truth AS SELECT 'account' AS name, id, deleted_at IS NULL AS live FROM account UNION ALL SELECT 'item', id, deleted_at IS NULL FROM item ORDER BY 1, 2;

-- The application may DELETE, not UPDATE: it stamps its own tenant's rows, with what hangs on them, and no others.
SET ROLE regress_app;
SELECT id FROM account ORDER BY id;
UPDATE account SET deleted_at = now();
DELETE FROM account WHERE id = 3;
DELETE FROM account WHERE id IN (1, 3);
SELECT id FROM account ORDER BY id;
SELECT id FROM active_account ORDER BY id;
DELETE FROM active_account WHERE id = 2;
INSERT INTO account VALUES (4, 'a', 'a');
INSERT INTO active_account VALUES (5, 'a', 'b');
SELECT id FROM active_account ORDER BY id;
RESET ROLE;
TABLE public.truth;
-- A role that sees stamped rows restores.
UPDATE account SET deleted_at = NULL, email = 'other' WHERE id = 1;
TABLE public.truth;

-- An allowed role has to be that role, and its policies bind it.
SET ROLE regress_app;
SET app.tenant = 'b';
DELETE FROM account WHERE id = 1;
SET app.tenant = 'a';
DELETE FROM account WHERE id = 5 RETURNING id;
SET ROLE regress_purge;
SET app.tenant = 'b';
DELETE FROM account WHERE id IN (1, 5) RETURNING id;
SET app.tenant = 'a';
DELETE FROM account WHERE id IN (1, 5) RETURNING id;
DELETE FROM item RETURNING id;
RESET ROLE;
TABLE public.truth;
SELECT count(*) FROM item LEFT JOIN account ON account.id = account_id WHERE account.id IS NULL;
-- superusers are not allowed without meaning it, nor is the owner
SET ROLE regress_admin;
DELETE FROM account WHERE id = 4;
SET ROLE regress_owner;
DELETE FROM account;
RESET ROLE;
TABLE public.truth;
-- a function that runs as the allowed role does
CREATE FUNCTION public.purge() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = soft AS 'WITH d AS (DELETE FROM account WHERE deleted_at IS NOT NULL RETURNING id) SELECT count(*) FROM d';
ALTER FUNCTION public.purge() OWNER TO regress_purge;
SET ROLE regress_app;
SELECT public.purge();
RESET ROLE;
TABLE public.truth;
-- a role that was dropped is nobody
SELECT definition FROM steward_internal.upkeep_triggers WHERE relation = 'account'::regclass AND function_name = 'soft_delete_trigger';
DROP FUNCTION public.purge();
REVOKE ALL ON account, item, active_account, active_item FROM regress_purge;
DROP ROLE regress_purge;
DELETE FROM account WHERE id = 3;
TABLE public.truth;
DROP VIEW public.truth;

-- Who owns nothing attaches nothing; a member of the owner's role does, and the view is the owner's.
CREATE ROLE regress_member IN ROLE regress_owner;
SET ROLE regress_owner;
CREATE TABLE plain (id int);
SET ROLE regress_app;
SELECT steward.soft_delete_enable('plain');
SET ROLE regress_member;
SELECT steward.soft_delete_enable('plain');
SELECT steward.soft_delete_enable('plain');
RESET ROLE;
SELECT viewname, viewowner FROM pg_views WHERE schemaname = 'soft' ORDER BY 1;

-- Child and parent of different owners, who have nothing to say in each other's tables.
CREATE ROLE regress_child;
GRANT CREATE ON SCHEMA soft TO regress_child;
SET ROLE regress_owner;
CREATE TABLE parent (id int PRIMARY KEY);
SELECT count(*) FROM steward.soft_delete_enable('parent');
GRANT REFERENCES ON parent TO regress_child;
SET ROLE regress_child;
CREATE TABLE child (id int, parent_id int REFERENCES parent ON DELETE CASCADE);
SELECT count(*) FROM steward.soft_delete_enable('child');
CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% as %', tg_op, current_user; RETURN coalesce(new, old); END $$;
CREATE TRIGGER spy BEFORE UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION spy();
RESET ROLE;
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2);
DELETE FROM parent WHERE id = 1;
SELECT current_user = session_user AS myself;
SELECT id, deleted_at IS NULL AS live FROM child ORDER BY id;
SET ROLE regress_owner;
SELECT steward.soft_delete_disable('parent');
DELETE FROM parent;
RESET ROLE;
SELECT count(*) FROM child;

-- Operators and functions of the same names, ahead in the search path.
CREATE SCHEMA trap;
SET search_path = trap, pg_catalog, soft;
CREATE FUNCTION trap.no(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.no(timestamptz, timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.no(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.no(text, text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.no(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE OPERATOR trap.= (LEFTARG = int, RIGHTARG = int, FUNCTION = trap.no);
CREATE OPERATOR trap.= (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = trap.no);
CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.no);
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.no);
CREATE OPERATOR trap.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = trap.no);
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'trapped'; END $$;
DROP TRIGGER spy ON child;
SELECT pg_catalog.count(*) FROM steward.soft_delete_enable('parent');
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (10, 1), (20, 2);
DELETE FROM parent;
UPDATE parent SET deleted_at = NULL;
SELECT id, deleted_at IS NULL AS live FROM child ORDER BY id;
SELECT steward.soft_delete_disable('parent');
DELETE FROM parent;
SELECT pg_catalog.count(*) FROM child;
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA trap, soft CASCADE;
DROP ROLE regress_owner, regress_app, regress_admin, regress_member, regress_child;
