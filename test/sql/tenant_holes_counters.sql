-- What the server counts and names of rows that policies hide, with EXPLAIN off, and tenant_harden(), which takes it away.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
ALTER ROLE regress_holes_app LOGIN;
\set ECHO all

SET ROLE regress_holes_owner;
CREATE TABLE ours.employee (id integer PRIMARY KEY, tenant_id integer NOT NULL, email text, salary integer);
CREATE INDEX ON ours.employee (email);
CREATE INDEX ON ours.employee (salary);
INSERT INTO ours.employee VALUES (1, 1, 'one@example.org', 1000), (2, 2, 'two@example.org', 87654);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.employee');
GRANT SELECT ON ours.employee TO regress_holes_app;
RESET ROLE;
-- How many rows an index has led a query to.
CREATE FUNCTION public.led_to(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT sum(idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE schemaname = 'ours');
BEGIN
    EXECUTE query;
    RETURN (SELECT sum(idx_tup_fetch) FROM pg_stat_xact_user_tables WHERE schemaname = 'ours') - before;
END $$;
CREATE FUNCTION public.highest_salary() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    low integer := 0;
    high integer := 1000000;
    middle integer;
    probed CONSTANT regclass := 'ours.employee_salary_idx';
    before bigint;
BEGIN
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        before := pg_stat_get_xact_tuples_fetched(probed);
        PERFORM FROM ours.employee WHERE salary >= middle;
        IF pg_stat_get_xact_tuples_fetched(probed) > before THEN low := middle; ELSE high := middle - 1; END IF;
    END LOOP;
    RETURN low;
END $$;
SET steward.tenant_explain = off;
SET enable_seqscan = off; SET enable_bitmapscan = off;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1';
-- with the tenant first, an index leads to nobody else's rows
SELECT public.led_to($$SELECT FROM ours.account WHERE email = 'two@example.org'$$) AS another, public.led_to($$SELECT FROM ours.account WHERE id = 2$$) AS key;
-- without it, the counter says that a row is there, and what is in it
SELECT public.led_to($$SELECT FROM ours.employee WHERE email = 'two@example.org'$$) AS there, public.led_to($$SELECT FROM ours.employee WHERE email = 'four@example.org'$$) AS not_there,
       public.led_to($$SELECT FROM ours.employee WHERE id = 2$$) AS key;
SELECT public.highest_salary();
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL steward.token = :'t1';
SELECT count(*) FROM ours.employee WHERE email = 'two@example.org';
SELECT page, tuple FROM pg_locks WHERE locktype = 'tuple' AND relation = 'ours.employee'::regclass;
COMMIT;
RESET SESSION AUTHORIZATION;

-- The checker tells of each index, the primary key too; and of none that has the tenant first.
SELECT rule, severity, key FROM steward.tenant_check(schemas => '{ours}') WHERE rule ~ 'index_of_all|counters';
SELECT detail, remedy FROM steward.tenant_check(schemas => '{ours}') WHERE key = 'index_of_all:ours.employee:employee_salary_idx';

-- What is taken, and what that breaks; a dry run takes nothing.
SELECT steward.tenant_harden('nobody');
SELECT steward.tenant_harden('regress_holes_app', dry_run => NULL);
SELECT count(*) > 100 AS commands, count(*) FILTER (WHERE breaks IS NULL) AS unexplained FROM steward.tenant_harden('regress_holes_app', dry_run => true);
SELECT h.* FROM steward.tenant_harden('regress_holes_app', dry_run => true) h WHERE command ~ 'explain|pg_lock|get_xact_tuples_fetched|pg_stat_activity |pg_stat_xact_user_tables' ORDER BY command COLLATE "C";
SET ROLE regress_holes_owner;
SELECT steward.tenant_harden('regress_holes_app');
RESET ROLE;
SELECT has_function_privilege('regress_holes_app', 'pg_lock_status()', 'EXECUTE') AS as_before;
SELECT count(*) > 100 AS taken FROM steward.tenant_harden('regress_holes_app');
SELECT count(*) AS left_to_take FROM steward.tenant_harden('regress_holes_app');
SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'regress_holes_app'::regrole;
SELECT rule, severity, key FROM steward.tenant_check(schemas => '{ours}') WHERE rule ~ 'index_of_all|counters';

-- The same attacks.
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT * FROM attempt('SELECT public.led_to(''SELECT FROM ours.employee WHERE id = 2'')', 'SELECT public.highest_salary()',
    'SELECT pg_stat_get_xact_tuples_fetched(''ours.employee''::regclass)', 'SELECT pg_stat_get_tuples_fetched(''ours.employee''::regclass)', 'SELECT pg_stat_force_next_flush()',
    'SELECT FROM pg_stat_user_tables', 'SELECT FROM pg_stat_xact_all_tables', 'SELECT FROM pg_stat_user_indexes', 'SELECT FROM pg_statio_user_tables', 'SELECT FROM pg_stat_database',
    'SELECT FROM pg_stat_activity', 'SELECT pg_stat_get_backend_activity(1)', 'SELECT secret FROM ours.account');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL steward.token = :'t1';
SELECT count(*) FROM ours.employee WHERE email = 'two@example.org';
SELECT * FROM attempt('SELECT FROM pg_locks', 'SELECT pg_lock_status()');
COMMIT;
-- whatever of it there is on this server
SELECT count(*) FROM steward_internal.tenant_telltales() t WHERE t.function_id IS NOT NULL AND has_function_privilege(t.function_id, 'EXECUTE');
RESET SESSION AUTHORIZATION;
GRANT pg_monitor TO regress_holes_admin;
SET ROLE regress_holes_admin;
SELECT count(*) > 0 AS monitors FROM pg_stat_user_tables, pg_locks, pg_stat_activity;
RESET ROLE;
REVOKE pg_monitor FROM regress_holes_admin;

-- An extension that counts blocks, if the server has it, is among them.
SELECT count(*) FROM steward.tenant_harden('regress_holes_app', dry_run => true);
BEGIN; CREATE SCHEMA "counted here"; CREATE EXTENSION pg_stat_statements SCHEMA "counted here"; SELECT regexp_replace(command, '\(.*?\)', '()', 'g') AS command FROM steward.tenant_harden('regress_holes_app'); SELECT count(*) FROM steward.tenant_harden('regress_holes_app', dry_run => true); ROLLBACK;

-- What is given back is found: one function, all of them, EXPLAIN.
BEGIN; GRANT EXECUTE ON FUNCTION pg_stat_get_xact_numscans(oid) TO PUBLIC; SELECT rule, severity, object, detail FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'counters_visible'; ROLLBACK;
BEGIN; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pg_catalog TO PUBLIC; SELECT rule, severity, object, detail FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'counters_visible'; ROLLBACK;
BEGIN; ALTER ROLE regress_holes_app RESET steward.tenant_explain; SELECT count(*) > 0 AS found FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'index_of_all'; SELECT command FROM steward.tenant_harden('regress_holes_app', dry_run => true); ROLLBACK;
BEGIN; GRANT SELECT ON ours.employee TO regress_holes_other; ALTER ROLE regress_holes_other LOGIN; SELECT remedy FROM steward.tenant_check(schemas => '{ours}') WHERE rule = 'index_of_all' LIMIT 1; ROLLBACK;

\set ECHO none
SET client_min_messages = warning;
\set unharden `echo "$PG_ABS_SRCDIR/data/tenant_unharden.sql"`
\i :unharden
RESET steward.tenant_explain;
DROP FUNCTION public.led_to, public.highest_salary;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
