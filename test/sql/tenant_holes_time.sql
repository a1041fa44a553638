-- Contexts that end while something is under way: within one message, in nested queries, with cursors open, before workers.
\set ECHO none
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set VERBOSITY terse
\set ECHO all

-- The policy that people write, with a claim of its own that expires: the time of the statement is that of the whole message.
CREATE POLICY unexpired ON naive.account AS RESTRICTIVE USING (statement_timestamp() < current_setting('app.expires_at', true)::timestamptz);
CREATE FUNCTION public.reads_on(read text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    expiry CONSTANT timestamptz := clock_timestamp() + '0.2 s';
BEGIN
    PERFORM set_config('app.expires_at', expiry::text, true);
    LOOP
        EXECUTE read INTO n;
        EXIT WHEN n = 0 OR clock_timestamp() > expiry + '1.5 s';
    END LOOP;
    RETURN n > 0;
END $$;
CREATE FUNCTION public.until_expiry(query text DEFAULT 'SELECT text ''waited''') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    expiry CONSTANT timestamptz := (SELECT expires_at FROM steward.tenant_context());
BEGIN
    WHILE clock_timestamp() <= expiry LOOP END LOOP;
    RETURN QUERY EXECUTE query;
END $$;
CREATE FUNCTION public.loop_over() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r record;
    c refcursor;
BEGIN
    OPEN c FOR SELECT secret FROM ours.account ORDER BY id;
    FETCH c INTO r;
    PERFORM steward.tenant_clear();
    FETCH c INTO r;
    RETURN r;
END $$;
CREATE FUNCTION public.is_parallel(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN plan::text ~ 'Gather';
END $$;
CREATE FUNCTION ours.owners_view() RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT secret FROM ours.account $$;
ALTER FUNCTION ours.owners_view() OWNER TO regress_holes_owner;
GRANT EXECUTE ON FUNCTION steward.tenant_sign(text, text, interval, jsonb) TO regress_holes_app;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL app.tenant_id = '1'; SELECT public.reads_on('SELECT count(*) FROM naive.account') AS naive_reads_on; COMMIT;

-- A loop in one message, and the functions of one query: each query is judged when it starts, by the clock.
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.3 s'), true); SELECT public.reads_on('SELECT count(*) FROM ours.account'); COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.3 s'), true); SELECT count(*) FROM public.until_expiry('SELECT secret FROM ours.account'); COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.3 s'), true); SELECT secret, (SELECT count(*) FROM public.until_expiry('SELECT ours.owners_view()')) AS owners FROM ours.account; COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.3 s'), true); DO $$ BEGIN PERFORM public.until_expiry(); RAISE INFO 'tenant %', steward.current_tenant_int(); INSERT INTO ours.account VALUES (50, 1); END $$; ROLLBACK;
-- what is begun goes on as it began: this one query asks for the tenant again after it has waited
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.3 s'), true); SELECT steward.current_tenant_int(), x, steward.current_tenant_int() FROM public.until_expiry() x; COMMIT;

-- Cursors: after expiry, after the context was cleared, for another tenant; with an index scan, which asks once.
SET enable_seqscan = off;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('2', ttl => '0.3 s'), true); DECLARE c CURSOR FOR SELECT secret FROM ours.account ORDER BY id; FETCH 1 FROM c; SELECT FROM public.until_expiry(); FETCH 1 FROM c; COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('2', ttl => '0.3 s'), true); DECLARE c CURSOR FOR SELECT secret FROM ours.account ORDER BY id; SELECT FROM public.until_expiry(); FETCH 1 FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; DECLARE c CURSOR FOR SELECT secret FROM ours.account; FETCH 1 FROM c; SELECT steward.tenant_clear(); FETCH 1 FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; DECLARE c CURSOR FOR SELECT secret FROM ours.account; SELECT steward.tenant_clear(); FETCH 1 FROM c; COMMIT;
BEGIN; DECLARE c CURSOR FOR SELECT secret FROM ours.account; SAVEPOINT s; SET LOCAL steward.token = :'t2'; FETCH 1 FROM c; ROLLBACK TO s; SET LOCAL steward.token = :'t1'; FETCH 1 FROM c; COMMIT;
BEGIN; DECLARE c CURSOR FOR SELECT secret FROM ours.account; SAVEPOINT s; SET LOCAL steward.token = :'t2'; FETCH 1 FROM c; ROLLBACK TO s; FETCH 1 FROM c; COMMIT;
BEGIN; DECLARE c CURSOR FOR SELECT secret FROM ours.account; FETCH 1 FROM c; SET LOCAL steward.token = :'t1'; FETCH 1 FROM c; COMMIT;
BEGIN; SET LOCAL steward.token = :'t2'; SELECT public.loop_over(); COMMIT;
-- but a cursor goes on with a new token for the same tenant, with its user named, and where it is nobody's
BEGIN; SET LOCAL steward.token = :'t2'; DECLARE c CURSOR FOR SELECT secret FROM ours.account ORDER BY id; FETCH 1 FROM c; SELECT FROM set_config('steward.token', steward.tenant_sign('2', 'bob'), true); FETCH 1 FROM c; COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('2'), true); DECLARE c CURSOR FOR SELECT secret FROM ours.account ORDER BY id; FETCH 1 FROM c; SET LOCAL steward.token = :'t2'; FETCH 1 FROM c; COMMIT;
BEGIN; DECLARE c CURSOR FOR SELECT i FROM generate_series(1, 3) i; FETCH 1 FROM c; SET LOCAL steward.token = :'t2'; FETCH 1 FROM c; SELECT steward.tenant_clear(); FETCH 1 FROM c; COMMIT;
RESET enable_seqscan;

-- A suspended tenant, in the middle of a message and of a cursor.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION public.suspend(tenant text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT steward.tenant_suspend(tenant) $$;
SELECT steward.tenant_create('2');
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t2';
DO $$ DECLARE n bigint[]; BEGIN n[1] := (SELECT count(*) FROM ours.account); PERFORM public.suspend('2'); n[2] := (SELECT count(*) FROM ours.account); RAISE INFO 'rows before and after: %', n; END $$;
ROLLBACK;
BEGIN; SET LOCAL steward.token = :'t2'; DECLARE c CURSOR FOR SELECT secret FROM ours.account ORDER BY id; FETCH 1 FROM c; SELECT public.suspend('2'); FETCH 1 FROM c; ROLLBACK;
RESET SESSION AUTHORIZATION;
DELETE FROM steward.tenants;

-- Parallel workers take no tenant that has ended for their leader.
SET ROLE regress_holes_owner;
CREATE TABLE ours.event AS SELECT 1 AS tenant_id, i AS id FROM generate_series(1, 20000) i;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('ours.event');
GRANT SELECT ON ours.event TO regress_holes_app;
RESET ROLE;
ANALYZE ours.event;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SET SESSION AUTHORIZATION regress_holes_app;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT public.is_parallel('SELECT count(*) FROM ours.event'); COMMIT;
BEGIN; SELECT FROM set_config('steward.token', steward.tenant_sign('1', ttl => '0.5 s'), true); SELECT count(*) FROM ours.event; SELECT FROM public.until_expiry(); SELECT count(*) FROM ours.event; COMMIT;
BEGIN; SET LOCAL steward.token = :'t1'; SELECT count(*) FROM ours.event; SELECT steward.tenant_clear(); SELECT count(*) FROM ours.event; COMMIT;
RESET SESSION AUTHORIZATION;

\set ECHO none
SET client_min_messages = warning;
DROP FUNCTION public.reads_on, public.until_expiry, public.loop_over, public.suspend, public.is_parallel;
REVOKE EXECUTE ON FUNCTION steward.tenant_sign(text, text, interval, jsonb) FROM regress_holes_app;
\set ending `echo "$PG_ABS_SRCDIR/data/tenant_holes_end.sql"`
\i :ending
