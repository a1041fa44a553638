-- What plans, their estimates and the functions of a query give away.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- A function that reads the context and is IMMUTABLE leaves one tenant in the plan of another.
CREATE FUNCTION naive.tenant() RETURNS integer LANGUAGE sql IMMUTABLE RETURN current_setting('app.tenant_id', true)::integer;
CREATE FUNCTION ours.tenant() RETURNS integer LANGUAGE sql IMMUTABLE RETURN steward.current_tenant_int();
CREATE TABLE naive.fixed AS SELECT * FROM naive.account;
CREATE TABLE ours.fixed AS SELECT * FROM naive.account;
ALTER TABLE naive.fixed ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON naive.fixed USING (tenant_id = naive.tenant());
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.fixed');
CREATE POLICY tenant ON ours.fixed USING (tenant_id = ours.tenant());
GRANT SELECT ON naive.fixed, ours.fixed TO regress_holes_app;
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{naive,ours}') WHERE rule = 'context_immutable';
SET SESSION AUTHORIZATION regress_holes_app;
PREPARE naive_plan AS SELECT id FROM naive.fixed ORDER BY id;
PREPARE our_fixed AS SELECT id FROM ours.fixed ORDER BY id;
PREPARE our_plan AS SELECT id, secret FROM ours.account ORDER BY id;
PREPARE our_write(integer) AS UPDATE ours.account SET secret = secret WHERE id > $1 RETURNING id;
SET plan_cache_mode = force_generic_plan;
BEGIN; SET LOCAL app.tenant_id = '1'; EXECUTE naive_plan; SET LOCAL app.tenant_id = '2'; EXECUTE naive_plan; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; EXECUTE our_fixed; EXECUTE our_plan; EXECUTE our_write(0); COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; EXECUTE our_fixed; EXECUTE our_plan; EXECUTE our_write(0); COMMIT;
EXECUTE our_fixed; EXECUTE our_plan; EXECUTE our_write(0);
RESET plan_cache_mode;
RESET SESSION AUTHORIZATION;

-- Plans made for one role and run by another (CVE-2016-2193, CVE-2023-2455, CVE-2024-10976): one for an administrator, who sees all,
-- prepared by him and run by the application's role, and the other way round, in each shape that hides the table.
GRANT regress_holes_admin TO regress_holes_gateway;
GRANT USAGE ON SCHEMA ours TO regress_holes_admin;
SET ROLE regress_holes_owner;
GRANT SELECT, UPDATE ON ours.account TO regress_holes_admin;
SELECT count(*) > 0 AS done FROM (SELECT steward.tenant_protect('ours.account', roles => '{regress_holes_app}') UNION ALL SELECT steward.tenant_admin_all('ours.account', 'regress_holes_admin')) p;
RESET ROLE;
CREATE VIEW ours.invoker WITH (security_invoker) AS SELECT * FROM ours.account;
CREATE FUNCTION ours.inlined() RETURNS SETOF ours.account LANGUAGE sql STABLE AS 'SELECT * FROM ours.account';
CREATE FUNCTION ours.atomic() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM ours.account; END;
CREATE FUNCTION ours.planned() RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM ours.account); END $$;
CREATE FUNCTION ours.as_app() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN SET LOCAL ROLE regress_holes_app; RETURN (SELECT count(*) FROM ours.inlined()); END $$;
GRANT SELECT ON ours.invoker TO regress_holes_app, regress_holes_admin;
PREPARE s1 AS SELECT count(*) FROM ours.account;
PREPARE s2 AS WITH a AS MATERIALIZED (SELECT * FROM ours.account) SELECT count(*) FROM a;
PREPARE s3 AS SELECT (SELECT count(*) FROM ours.account), EXISTS (SELECT FROM ours.account WHERE tenant_id = 2);
PREPARE s4 AS SELECT count(*) FROM ours.inlined();
PREPARE s5 AS SELECT count(*) FROM ours.invoker;
PREPARE s6 AS SELECT ours.atomic(), ours.planned();
PREPARE s7 AS SELECT count(*) FROM (SELECT 1 WHERE 2 IN (SELECT tenant_id FROM ours.inlined())) x;
PREPARE s8 AS WITH changed AS (UPDATE ours.account SET secret = secret RETURNING id) SELECT count(*) FROM changed;
CREATE FUNCTION ours.run(first name, second name) RETURNS TABLE (statement text, as_first text, as_second text) LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR i IN 1 .. 8 LOOP
        statement := 's' || i;
        -- often enough for a generic plan
        EXECUTE format('SET LOCAL ROLE %I', first);
        FOR n IN 1 .. 7 LOOP EXECUTE 'EXECUTE ' || statement INTO r; END LOOP;
        as_first := r;
        EXECUTE format('SET LOCAL ROLE %I', second);
        EXECUTE 'EXECUTE ' || statement INTO r;
        as_second := r;
        RESET ROLE;
        RETURN NEXT;
    END LOOP;
END $$;
BEGIN; SELECT steward.tenant_set('1'); SELECT * FROM ours.run('regress_holes_admin', 'regress_holes_app'); COMMIT;
BEGIN; SELECT steward.tenant_set('2'); SELECT * FROM ours.run('regress_holes_app', 'regress_holes_admin'); COMMIT;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL plan_cache_mode = force_generic_plan; SELECT * FROM ours.run('regress_holes_admin', 'regress_holes_app'); COMMIT;
BEGIN; SELECT * FROM ours.run('regress_holes_admin', 'regress_holes_app'); COMMIT;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_gateway; SELECT ours.as_app(); SELECT current_user; ROLLBACK;
-- and in parallel workers, by SET ROLE and by what undoes it (CVE-2024-10978)
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_admin; EXPLAIN (COSTS off) SELECT count(*), min(current_user) FROM ours.account; SELECT count(*), min(current_user) FROM ours.account;
SAVEPOINT s; SET LOCAL ROLE regress_holes_app; SELECT count(*), min(current_user) FROM ours.account; ROLLBACK TO s; SELECT count(*), min(current_user) FROM ours.account; COMMIT;
SET SESSION AUTHORIZATION regress_holes_gateway;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_app; SELECT count(*), min(current_user) FROM ours.account; COMMIT;
SELECT count(*), min(current_user), current_setting('role') FROM ours.account;
RESET SESSION AUTHORIZATION;
-- a role that has changed since the plan was made (CVE-2026-14666)
ALTER ROLE regress_holes_app BYPASSRLS;
SET ROLE regress_holes_app;
EXECUTE s1;
RESET ROLE;
ALTER ROLE regress_holes_app NOBYPASSRLS;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_holes_app; EXECUTE s1; COMMIT;
GRANT regress_holes_admin TO regress_holes_other;
GRANT USAGE ON SCHEMA ours TO regress_holes_other;
SET ROLE regress_holes_other;
EXECUTE s1;
RESET ROLE;
REVOKE regress_holes_admin FROM regress_holes_other;
GRANT SELECT ON ours.account TO regress_holes_other;
SET ROLE regress_holes_other;
EXECUTE s1;
RESET ROLE;
RESET ALL;
SET steward.tenant_keys_file = :'keys';

-- Functions of the query are not asked about rows of others, whatever they cost, and whichever form the condition has.
CREATE TABLE ours.forms AS SELECT i AS id, i::bigint AS big, i::text AS name, lpad(i::text, 32, '0')::uuid AS code, i::smallint AS small, 'secret' || i AS secret FROM generate_series(1, 3) i;
GRANT SELECT, UPDATE, DELETE ON ours.forms TO regress_holes_app;
CREATE FUNCTION public.peep(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN true; END $$;
CREATE FUNCTION public.peep_less(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ 
BEGIN
    PERFORM set_config('app.compared', (1 + coalesce(nullif(current_setting('app.compared', true), ''), '0')::integer)::text, false);
    RETURN $1 < $2;
END $$;
CREATE OPERATOR public.<<< (LEFTARG = text, RIGHTARG = text, FUNCTION = public.peep_less, RESTRICT = scalarltsel);
CREATE PROCEDURE ours.try_forms() LANGUAGE plpgsql AS $$
DECLARE
    form text;
    n bigint;
BEGIN
    FOREACH form IN ARRAY '{id,big,name,code,small}'::text[] LOOP
        PERFORM steward.tenant_protect('ours.forms', form);
        PERFORM steward.tenant_set(CASE form WHEN 'code' THEN lpad('2', 32, '0')::uuid::text ELSE '2' END);
        SET LOCAL ROLE regress_holes_app;
        SELECT count(*) INTO n FROM ours.forms f WHERE public.peep(f.secret) AND 1 / (f.id - 1) >= 0;
        RAISE INFO 'by %: %', form, n;
        RESET ROLE;
        PERFORM steward.tenant_unprotect('ours.forms');
        COMMIT;
    END LOOP;
END $$;
CALL ours.try_forms();
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT id FROM ours.account WHERE public.peep(secret);
SELECT id FROM ours.account a WHERE (SELECT public.peep(a.secret));
SELECT count(*) FROM ours.item i JOIN ours.account a ON public.peep(a.secret) AND public.peep(i.id::text);
UPDATE ours.account SET secret = secret WHERE public.peep(secret) RETURNING public.peep(id::text);
DELETE FROM ours.account WHERE public.peep(secret) AND false;
SELECT count(*) FROM ours.account WHERE secret <<< 'zzz';
SHOW app.compared;
SELECT * FROM attempt('SELECT FROM ours.account WHERE 1 / (id - 2) > 5', 'SELECT FROM ours.account WHERE secret::integer > 0 AND id > 1');
ROLLBACK;
-- and only a superuser can say that one is leakproof
CREATE FUNCTION pg_temp.trust_me(text) RETURNS boolean LANGUAGE sql LEAKPROOF RETURN true;
RESET SESSION AUTHORIZATION;
ALTER FUNCTION public.peep(text) LEAKPROOF;
SELECT rule, severity, object FROM steward.tenant_check() WHERE rule = 'leakproof_function';
SET SESSION AUTHORIZATION regress_holes_app;
SET enable_indexscan = off; SET enable_bitmapscan = off;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT id FROM ours.account WHERE public.peep(secret); COMMIT;
RESET enable_indexscan; RESET enable_bitmapscan;
RESET SESSION AUTHORIZATION;
ALTER FUNCTION public.peep(text) NOT LEAKPROOF;

-- Statistics hold values of all tenants: views on them show none, and operators of the query are not tried on them
-- (CVE-2017-7484, CVE-2019-10130), nor on those of partitions and children (CVE-2025-8713).
CREATE FUNCTION public.explained(query text, options text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE format('EXPLAIN (%s) %s', options, query) LOOP
        RETURN NEXT line;
    END LOOP;
END $$;
CREATE TABLE ours.big (tenant_id integer NOT NULL, id integer, secret text, PRIMARY KEY (tenant_id, id)) PARTITION BY LIST (tenant_id);
CREATE TABLE ours.big_1 PARTITION OF ours.big FOR VALUES IN (1);
CREATE TABLE ours.big_2 PARTITION OF ours.big FOR VALUES IN (2, 3);
CREATE TABLE ours.whole (tenant_id integer NOT NULL, id integer, secret text, PRIMARY KEY (tenant_id, id));
CREATE TABLE ours.part () INHERITS (ours.whole);
CREATE STATISTICS ours.together (mcv, dependencies) ON tenant_id, secret FROM ours.whole;
INSERT INTO ours.big SELECT 1 + i % 3, i, 'secret of ' || 1 + i % 3 FROM generate_series(1, 3000) i;
INSERT INTO ours.whole TABLE ours.big;
INSERT INTO ours.part SELECT tenant_id, id + 10000, secret FROM ours.big;
SELECT count(*) > 0 AS protected FROM (SELECT steward.tenant_protect('ours.big') UNION ALL SELECT steward.tenant_protect('ours.whole')) p;
ANALYZE ours.big, ours.whole, ours.part;
GRANT SELECT ON ours.big, ours.big_1, ours.big_2, ours.whole, ours.part TO regress_holes_app;
SELECT count(*) > 3 AS there FROM pg_stats WHERE schemaname = 'ours' AND most_common_vals::text ~ 'secret of';
SELECT count(*) > 0 AS there FROM pg_stats_ext WHERE schemaname = 'ours' AND most_common_vals::text ~ 'secret of';
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1';
SELECT count(*) FROM pg_stats WHERE schemaname = 'ours';
SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'ours';
SELECT * FROM attempt('SELECT FROM pg_statistic', 'SELECT FROM pg_statistic_ext_data');
SET app.compared = '0';
SELECT count(*) > 0 AS planned FROM unnest('{big,big_1,big_2,whole,part}'::text[]) t, unnest('{secret <<< $$z$$,public.peep(secret),public.peep(secret) AND secret <<< $$z$$ AND tenant_id = 2}'::text[]) c,
       LATERAL public.explained(format('SELECT FROM ours.%I WHERE %s GROUP BY secret', t, c), 'COSTS on') l;
SHOW app.compared;
COMMIT;
RESET SESSION AUTHORIZATION;
-- as they are for who may see all
SELECT count(*) > 0 AS planned FROM public.explained('SELECT FROM ours.whole WHERE secret <<< $$z$$', 'COSTS on');
SELECT current_setting('app.compared')::integer > 0 AS compared;

-- EXPLAIN ANALYZE counts the rows that a filter removed: that of another tenant is there, or is not. The tenant first in the key
-- takes the line away.
CREATE FUNCTION public.removed(query text) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM public.explained(query, 'ANALYZE, COSTS off, TIMING off, SUMMARY off, BUFFERS off') l WHERE l ~ 'Rows Removed');
SET SESSION AUTHORIZATION regress_holes_app;
SET enable_seqscan = off; SET enable_bitmapscan = off;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT public.removed('SELECT FROM naive.account WHERE id = 3') AS is_there, public.removed('SELECT FROM naive.account WHERE id = 4') AS is_not; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT public.removed('SELECT FROM ours.account WHERE id = 3') AS is_there, public.removed('SELECT FROM ours.account WHERE id = 4') AS is_not;
SELECT string_agg(l, E'\n') = (SELECT string_agg(regexp_replace(m, 'id = 4', 'id = 3'), E'\n') FROM public.explained('SELECT FROM ours.account WHERE id = 4', 'ANALYZE, TIMING off, SUMMARY off, BUFFERS off') m) AS same FROM public.explained('SELECT FROM ours.account WHERE id = 3', 'ANALYZE, TIMING off, SUMMARY off, BUFFERS off') l;
COMMIT;
-- Its estimates are made from all tenants' statistics
BEGIN; SET LOCAL steward.token = :'t1'; SELECT l LIKE '%rows=1000 %' AS tells FROM public.explained('SELECT FROM ours.big_2 WHERE tenant_id = 2', 'COSTS on') l LIMIT 1; COMMIT;
RESET enable_seqscan; RESET enable_bitmapscan;
RESET SESSION AUTHORIZATION;

\set ECHO none
SET client_min_messages = warning;
DROP OPERATOR public.<<< (text, text);
DROP FUNCTION public.peep, public.peep_less, public.explained, public.removed;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
