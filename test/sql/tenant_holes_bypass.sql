-- Ways around the policies: owners, views, functions, partitions, new tables, and what is no row of a table.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- The owner, unless policies are forced; and who can become him.
SET SESSION AUTHORIZATION regress_holes_owner;
SELECT count(*) FROM naive.account;
SELECT count(*) FROM ours.account;
SET SESSION AUTHORIZATION regress_holes_app;
SELECT * FROM attempt(
    'SET ROLE regress_holes_owner',
    'ALTER TABLE ours.account DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE ours.account NO FORCE ROW LEVEL SECURITY',
    'ALTER TABLE ours.account OWNER TO regress_holes_app',
    'CREATE POLICY mine ON ours.account USING (true)',
    'ALTER POLICY steward_tenant_floor ON ours.account USING (true)',
    'DROP POLICY steward_tenant_floor ON ours.account',
    'SELECT steward.tenant_unprotect(''ours.account'')',
    'SELECT steward.tenant_protect(''ours.account'', roles => ''{regress_holes_owner}'')',
    'SELECT steward.tenant_admin_all(''ours.account'', ''regress_holes_app'')',
    'SELECT steward_internal.tenant_policy_sign(''ours.account'', ''steward_tenant_floor'', ''PERMISSIVE FOR ALL USING (true)'')',
    'SELECT steward.tenant_fk_guard(''ours.item'', ''item_tenant_id_account_id_fkey'')',
    'SELECT steward.tenant_guard_disable()',
    'INSERT INTO steward.muted_findings VALUES (''no_rls:ours.account'', ''mine'')',
    'INSERT INTO steward.tenant_guard_settings VALUES (true, ''warn'', ''{}'')');
RESET SESSION AUTHORIZATION;
-- rights that policies do not hold for are found
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}');
GRANT regress_holes_owner TO regress_holes_app;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}');
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL ROLE regress_holes_owner; ALTER TABLE ours.account DISABLE ROW LEVEL SECURITY; SELECT count(*) FROM ours.account; ROLLBACK;
RESET SESSION AUTHORIZATION;
REVOKE regress_holes_owner FROM regress_holes_app;
ALTER ROLE regress_holes_app BYPASSRLS;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}');
ALTER ROLE regress_holes_app NOBYPASSRLS;

-- Views, functions and copies have the rights of their owners: of one who is kept in himself, none.
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE VIEW naive.owners AS SELECT * FROM naive.account;
CREATE MATERIALIZED VIEW naive.copied AS SELECT * FROM naive.account;
CREATE FUNCTION naive.everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT count(*) FROM naive.account; END;
CREATE VIEW ours.owners AS SELECT * FROM ours.account;
CREATE MATERIALIZED VIEW ours.copied AS SELECT * FROM ours.account;
CREATE FUNCTION ours.everybody() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT count(*) FROM ours.account; END;
GRANT SELECT ON naive.owners, naive.copied, ours.owners, ours.copied TO regress_holes_app;
RESET SESSION AUTHORIZATION;
CREATE VIEW ours.superusers AS SELECT * FROM ours.account;
CREATE VIEW ours.invokers WITH (security_invoker) AS SELECT * FROM ours.account;
CREATE VIEW ours.nested WITH (security_invoker) AS SELECT * FROM ours.superusers;
CREATE MATERIALIZED VIEW ours.superusers_copy AS SELECT * FROM ours.account;
CREATE FUNCTION ours.superusers_function() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp BEGIN ATOMIC SELECT count(*) FROM ours.account; END;
GRANT SELECT ON ours.superusers, ours.invokers, ours.nested, ours.superusers_copy TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT (SELECT count(*) FROM naive.owners) AS owners, (SELECT count(*) FROM naive.copied) AS copied, naive.everybody(); COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT (SELECT count(*) FROM ours.owners) AS owners, (SELECT count(*) FROM ours.copied) AS copied, ours.everybody(), (SELECT count(*) FROM ours.invokers) AS invokers; COMMIT;
-- those of a superuser have all; that is for the checker to find
BEGIN; SET LOCAL steward.token = :'t1'; SELECT (SELECT count(*) FROM ours.superusers) AS superusers, (SELECT count(*) FROM ours.nested) AS nested, (SELECT count(*) FROM ours.superusers_copy) AS copied, ours.superusers_function(); COMMIT;
RESET SESSION AUTHORIZATION;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}');
DROP VIEW ours.superusers CASCADE; DROP MATERIALIZED VIEW ours.superusers_copy, ours.copied; DROP FUNCTION ours.superusers_function();

-- Partitions and children, each of which can be asked by its own name.
SET SESSION AUTHORIZATION regress_holes_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA naive, ours GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_holes_app;
CREATE TABLE naive.event (tenant_id integer, what text) PARTITION BY LIST (tenant_id);
CREATE TABLE naive.event_2 PARTITION OF naive.event FOR VALUES IN (2);
ALTER TABLE naive.event ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON naive.event USING (tenant_id = current_setting('app.tenant_id', true)::integer);
CREATE TABLE ours.event (tenant_id integer NOT NULL, what text) PARTITION BY LIST (tenant_id);
CREATE TABLE ours.event_1 PARTITION OF ours.event FOR VALUES IN (1);
CREATE TABLE ours.event_2 PARTITION OF ours.event FOR VALUES IN (2) PARTITION BY RANGE (what);
CREATE TABLE ours.event_2_all PARTITION OF ours.event_2 DEFAULT;
CREATE TABLE ours.parent (tenant_id integer NOT NULL, what text);
CREATE TABLE ours.child (more text) INHERITS (ours.parent);
SELECT count(*) > 0 AS protected FROM (SELECT steward.tenant_protect('ours.event') UNION ALL SELECT steward.tenant_protect('ours.parent')) p;
RESET SESSION AUTHORIZATION;
INSERT INTO naive.event VALUES (2, 'two');
INSERT INTO ours.event VALUES (1, 'one'), (2, 'two');
INSERT INTO ours.child VALUES (2, 'two');
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT what FROM naive.event_2; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('SELECT FROM ours.event', 'SELECT FROM ours.event_1', 'SELECT FROM ours.event_2', 'SELECT FROM ours.event_2_all', 'SELECT FROM ONLY ours.child', 'SELECT FROM ours.parent',
    'INSERT INTO ours.event_2 VALUES (2, ''x'')', 'UPDATE ours.event_2_all SET what = ''x''', 'DELETE FROM ours.event_2_all', 'UPDATE ours.event SET tenant_id = 2', 'INSERT INTO ours.child VALUES (2, ''x'')', 'TRUNCATE ours.event_2'); COMMIT;
RESET SESSION AUTHORIZATION;
-- one that comes later has no policy of its own: the checker tells, and the next call of the builder, or the guard, gives it
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE ours.event_3 PARTITION OF ours.event FOR VALUES IN (3);
CREATE TABLE ours.later () INHERITS (ours.parent);
RESET SESSION AUTHORIZATION;
INSERT INTO ours.event_3 VALUES (3, 'three');
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'uncovered_partition';
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('SELECT FROM ours.event_3'); COMMIT;
SET SESSION AUTHORIZATION regress_holes_owner;
SELECT count(*) > 0 AS protected FROM (SELECT steward.tenant_protect_partitions('ours.event') UNION ALL SELECT steward.tenant_protect_partitions('ours.parent')) p;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('SELECT FROM ours.event_3', 'INSERT INTO ours.later VALUES (2, ''x'')'); COMMIT;
-- one that goes away keeps them
SET SESSION AUTHORIZATION regress_holes_owner;
ALTER TABLE ours.event DETACH PARTITION ours.event_3;
ALTER TABLE ours.child NO INHERIT ours.parent;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('SELECT FROM ours.event_3', 'SELECT FROM ours.child', 'SELECT FROM ours.event_2_all'); COMMIT;
RESET SESSION AUTHORIZATION;

-- New tables have no policies, whatever they are made from.
SET SESSION AUTHORIZATION regress_holes_owner;
BEGIN; CREATE TABLE ours.copied (LIKE ours.account INCLUDING ALL); SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class c WHERE oid = 'ours.copied'::regclass; ROLLBACK;
-- under the guard each way to make one is refused, or the table protected
CREATE TABLE ours.plain (id integer);
CREATE TABLE ours.ready (tenant_id integer NOT NULL, what text);
RESET SESSION AUTHORIZATION;
SELECT steward.tenant_guard_enable('error');
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE FUNCTION ours.ways(ending text) RETURNS TABLE (command text, result text) LANGUAGE sql AS $$
    SELECT c, (SELECT CASE WHEN result LIKE 'table ours.x %' THEN 'refused' ELSE result END FROM public.attempt(format('DO %L', format('BEGIN %s; %s; END', c, ending)))) FROM unnest(ARRAY[
        'CREATE TABLE ours.x (tenant_id integer)',
        'CREATE TABLE ours.x AS SELECT * FROM ours.account',
        'CREATE TABLE ours.x (LIKE ours.account INCLUDING ALL)',
        'CREATE TABLE ours.x () INHERITS (ours.account)',
        'CREATE TABLE ours.x PARTITION OF ours.event FOR VALUES IN (4)',
        'CREATE TABLE ours.x (tenant_id integer NOT NULL, what text); ALTER TABLE ours.event ATTACH PARTITION ours.x FOR VALUES IN (4)',
        'ALTER TABLE ours.ready RENAME TO x; ALTER TABLE ours.x INHERIT ours.parent',
        'ALTER TABLE ours.plain RENAME TO x; ALTER TABLE ours.x ADD COLUMN tenant_id integer',
        'CREATE UNLOGGED TABLE ours.x (tenant_id integer)',
        'ALTER TABLE ours.account RENAME TO x; ALTER TABLE ours.x DISABLE ROW LEVEL SECURITY']) c
$$;
SELECT * FROM ours.ways('SET CONSTRAINTS ALL IMMEDIATE');
BEGIN; SELECT * INTO ours.x FROM ours.account; COMMIT;
BEGIN; CREATE TABLE ours.x (tenant_id integer); SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.x'); COMMIT; DROP TABLE ours.x;
RESET SESSION AUTHORIZATION;
SELECT steward.tenant_guard_enable('protect');
SET SESSION AUTHORIZATION regress_holes_owner;
SELECT * FROM ours.ways('IF NOT EXISTS (SELECT FROM pg_class WHERE oid = ''ours.x''::regclass AND relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = ''ours.x''::regclass AND NOT polpermissive)) THEN RAISE ''%'', ''LEAKS''; END IF');
RESET SESSION AUTHORIZATION;
SELECT steward.tenant_guard_disable();

-- Conditions that fail open. Where rows are given by a permissive policy of somebody's, the floor still holds.
CREATE FUNCTION ours.open(schema_name text) RETURNS TABLE (condition text, result text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH condition IN ARRAY ARRAY['current_setting(''app.none'', true) IS NULL OR tenant_id = current_setting(''app.none'', true)::integer', 'tenant_id = coalesce(current_setting(''app.none'', true)::integer, tenant_id)',
                                     'tenant_id = tenant_id', 'true', 'current_setting(''app.admin'', true) = ''on'' OR tenant_id = 1'] LOOP
        EXECUTE format('CREATE POLICY open ON %I.account USING (%s)', schema_name, condition);
        SET LOCAL ROLE regress_holes_app;
        SET LOCAL app.admin = 'on';
        SELECT a.result INTO result FROM public.attempt(format('SELECT FROM %I.account WHERE tenant_id = 2', schema_name)) a;
        RESET ROLE;
        EXECUTE format('DROP POLICY open ON %I.account', schema_name);
        RETURN NEXT;
    END LOOP;
END $$;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT * FROM ours.open('naive'); COMMIT;
BEGIN; SELECT steward.tenant_set('1'); SELECT * FROM ours.open('ours'); COMMIT;
SELECT result, count(*) FROM ours.open('ours') GROUP BY 1;

-- Names that are found elsewhere: the policies keep what was meant when they were made.
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE naive.member (tenant_id integer, who text);
CREATE FUNCTION naive.is_member(integer) RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$ BEGIN RETURN EXISTS (SELECT FROM member m WHERE m.tenant_id = $1 AND m.who = session_user); END $$;
CREATE TABLE naive.paper (tenant_id integer, what text);
INSERT INTO naive.paper VALUES (2, 'two');
ALTER TABLE naive.paper ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON naive.paper USING (naive.is_member(tenant_id));
CREATE TABLE ours.member (tenant_id integer, user_id text);
REVOKE INSERT, UPDATE, DELETE ON ours.member FROM regress_holes_app;
INSERT INTO ours.member VALUES (1, 'alice'), (2, 'bob');
CREATE TABLE ours.paper (tenant_id integer, what text);
INSERT INTO ours.paper VALUES (1, 'one'), (2, 'two');
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_member('ours.paper', 'ours.member');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_holes_app;
SET search_path = naive;
SELECT what FROM naive.paper;
CREATE TEMP TABLE member AS SELECT 2 AS tenant_id, 'regress_holes_app' AS who, 'alice' AS user_id;
GRANT SELECT ON member TO PUBLIC;
SELECT what FROM naive.paper;
CREATE FUNCTION pg_temp.is_current_tenant(integer) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION pg_temp.is_current_user(text) RETURNS boolean LANGUAGE sql RETURN true;
CREATE FUNCTION pg_temp.current_tenant_int() RETURNS integer LANGUAGE sql RETURN 2;
CREATE FUNCTION pg_temp.equal(integer, integer) RETURNS boolean LANGUAGE sql RETURN true;
CREATE OPERATOR pg_temp.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = pg_temp.equal);
SET search_path = pg_temp, ours, pg_catalog;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT what FROM ours.paper; SELECT id FROM ours.account; SELECT steward.is_current_tenant(2); COMMIT;
RESET search_path;
RESET SESSION AUTHORIZATION;

-- What is no row of a table has no policies. A sequence tells how much others do, unless the application has no right to it:
-- that of an identity column needs none.
SET SESSION AUTHORIZATION regress_holes_owner;
CREATE TABLE naive.invoice (id serial, tenant_id integer);
CREATE TABLE ours.invoice (id integer GENERATED ALWAYS AS IDENTITY, tenant_id integer NOT NULL);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.invoice');
GRANT USAGE, SELECT ON naive.invoice_id_seq TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
INSERT INTO naive.invoice VALUES (DEFAULT, 2);
SELECT last_value FROM naive.invoice_id_seq;
BEGIN; SET LOCAL steward.token = :'t2'; INSERT INTO ours.invoice DEFAULT VALUES RETURNING *; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT * FROM attempt('SELECT last_value FROM ours.invoice_id_seq', 'SELECT nextval(''ours.invoice_id_seq'')', 'SELECT setval(''ours.invoice_id_seq'', 1)', 'SELECT FROM ours.invoice'); COMMIT;
SELECT count(last_value) FROM pg_sequences WHERE schemaname = 'ours';
-- but the number that a tenant gets tells, too: a UUID does not
-- large objects belong to roles
BEGIN; SET LOCAL steward.token = :'t2'; SELECT lo_from_bytea(0, 'of tenant 2') AS lo \gset
COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT convert_from(lo_get(:lo), 'UTF8'); SELECT lo_unlink(:lo); COMMIT;
RESET SESSION AUTHORIZATION;

\set ECHO none
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
