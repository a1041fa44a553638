--
-- What a tenant's transaction leaves to the session: nothing
--

SET client_min_messages = warning;
CREATE ROLE regress_tenant_app;
CREATE SCHEMA tenant_session;
CREATE TABLE tenant_session.account (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, secret text);
INSERT INTO tenant_session.account VALUES (1, 1, 'one'), (2, 2, 'two');
ALTER TABLE tenant_session.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_session.account USING (steward.is_current_tenant(tenant_id));
GRANT USAGE, CREATE ON SCHEMA tenant_session TO regress_tenant_app;
GRANT SELECT ON tenant_session.account TO regress_tenant_app;

-- Runs a statement as the application's role in a transaction for tenant 1, and prints what came of it.
CREATE PROCEDURE tenant_session.try(statement text, before text DEFAULT '', after text DEFAULT '')
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    hint text;
BEGIN
    BEGIN
        EXECUTE before;
        PERFORM steward.tenant_set('1');
        SET LOCAL ROLE regress_tenant_app;
        EXECUTE after;
        EXECUTE statement;
        RAISE INFO 'ran: %', statement;
        RAISE SQLSTATE 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        NULL;
    WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
        RAISE INFO '%: % (%) %', SQLSTATE, SQLERRM, hint, statement;
    END;
END $$;
GRANT EXECUTE ON PROCEDURE tenant_session.try(text, text, text) TO PUBLIC;

-- in full
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_app;
CREATE TEMPORARY TABLE cache AS SELECT * FROM tenant_session.account;
ROLLBACK;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_app;
DECLARE "My cursor" CURSOR WITH HOLD FOR SELECT * FROM tenant_session.account;
ROLLBACK;
BEGIN; SELECT steward.tenant_set('1'); LISTEN "My channel"; ROLLBACK;
BEGIN; DECLARE early CURSOR WITH HOLD FOR SELECT * FROM tenant_session.account; SELECT steward.tenant_set('1'); ROLLBACK;
CREATE TEMPORARY TABLE early (id bigint, secret text); GRANT ALL ON early TO PUBLIC;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_app;
INSERT INTO early SELECT id, secret FROM tenant_session.account;
ROLLBACK;

-- temporary objects, by every way that leads there
CALL tenant_session.try('CREATE TEMP TABLE x (a int)');
CALL tenant_session.try('CREATE TEMP TABLE x (a int) ON COMMIT PRESERVE ROWS');
CALL tenant_session.try('CREATE TABLE pg_temp.x (a int)');
CALL tenant_session.try('CREATE TABLE x (a int)', after => 'SET LOCAL search_path = pg_temp');
CALL tenant_session.try('CREATE TABLE x (LIKE tenant_session.account)', after => 'SET LOCAL search_path = pg_temp');
CALL tenant_session.try('CREATE TEMP TABLE x AS SELECT 1');
CALL tenant_session.try('CREATE TABLE pg_temp.x AS TABLE tenant_session.account');
CALL tenant_session.try('SELECT * INTO TEMP x FROM tenant_session.account', after => '');
CALL tenant_session.try('EXPLAIN (ANALYZE) CREATE TEMP TABLE x AS SELECT 1');
CALL tenant_session.try('DO $d$ BEGIN EXECUTE ''CREATE TEMP TABLE x (a int)''; END $d$');
CALL tenant_session.try('CREATE TEMP TABLE x PARTITION OF p DEFAULT', before => 'CREATE TEMP TABLE p (a int) PARTITION BY LIST (a); GRANT ALL ON p TO PUBLIC; ALTER TABLE p OWNER TO regress_tenant_app');
CALL tenant_session.try('CREATE TEMP VIEW x AS TABLE tenant_session.account');
CALL tenant_session.try('CREATE VIEW x AS TABLE early', after => 'SET LOCAL search_path = tenant_session');
CALL tenant_session.try('CREATE TEMP SEQUENCE x');
CALL tenant_session.try('CREATE DOMAIN pg_temp.x AS int');
CALL tenant_session.try('CREATE TYPE pg_temp.x AS (a int)');
CALL tenant_session.try('CREATE TYPE pg_temp.x AS ENUM (''a'')');
CALL tenant_session.try('CREATE FUNCTION pg_temp.x() RETURNS int LANGUAGE sql AS ''SELECT 1''');
CALL tenant_session.try('CREATE AGGREGATE pg_temp.x(int) (SFUNC = int4pl, STYPE = int)');
CALL tenant_session.try('CREATE OPERATOR pg_temp.+ (LEFTARG = bool, RIGHTARG = bool, FUNCTION = pg_catalog.booleq)');
CALL tenant_session.try('CREATE COLLATION pg_temp.x FROM "C"');
CALL tenant_session.try('CREATE TEXT SEARCH CONFIGURATION pg_temp.x (COPY = simple)');
-- a statement that itself is harmless has one that is not in it
CREATE FUNCTION tenant_session.nested() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE inner_table (a int); RETURN 1; END $$;
CALL tenant_session.try('CREATE TEMP TABLE x ON COMMIT DROP AS SELECT tenant_session.nested()');
CALL tenant_session.try('ALTER TABLE x ALTER a TYPE int USING tenant_session.nested()', after => 'CREATE TEMP TABLE x (a text) ON COMMIT DROP; INSERT INTO x VALUES (1)');
-- after the context was left, in a transaction that had it
CALL tenant_session.try('CREATE TEMP TABLE x (a int)', after => 'SELECT steward.tenant_clear()');
CALL tenant_session.try('DECLARE x CURSOR WITH HOLD FOR SELECT 1', after => 'SELECT steward.tenant_clear()');
-- what is there already
CALL tenant_session.try('INSERT INTO early VALUES (1)');
CALL tenant_session.try('INSERT INTO pg_temp.early DEFAULT VALUES');
CALL tenant_session.try('UPDATE early SET secret = ''x''');
CALL tenant_session.try('WITH w AS (INSERT INTO early SELECT id, secret FROM tenant_session.account RETURNING 1) SELECT count(*) FROM w');
CALL tenant_session.try('MERGE INTO early e USING tenant_session.account a ON e.id = a.id WHEN NOT MATCHED THEN INSERT VALUES (a.id, a.secret)');
CALL tenant_session.try('INSERT INTO x VALUES (1)', before => 'CREATE TEMP TABLE x (a int); GRANT ALL ON x TO PUBLIC');
CALL tenant_session.try('INSERT INTO v VALUES (1)', before => 'CREATE TEMP TABLE x (a int); CREATE TEMP VIEW v AS TABLE x; GRANT ALL ON x, v TO PUBLIC');
BEGIN; SELECT steward.tenant_set('1');
\copy early FROM /dev/null
ROLLBACK;

-- what passes
CALL tenant_session.try('CREATE TABLE tenant_session.x (a int)');
CALL tenant_session.try('CREATE TEMP TABLE x (a serial PRIMARY KEY, b text UNIQUE CHECK (b <> '''')) ON COMMIT DROP');
CALL tenant_session.try('EXPLAIN (ANALYZE) CREATE TEMP TABLE x ON COMMIT DROP AS TABLE tenant_session.account');
CALL tenant_session.try('INSERT INTO x VALUES (1)', after => 'CREATE TEMP TABLE x (a int) ON COMMIT DROP; CREATE INDEX ON x (a); ALTER TABLE x ADD CHECK (a > 0), ADD b serial; CREATE STATISTICS pg_temp.s ON a, b FROM x');
CALL tenant_session.try('INSERT INTO x VALUES (1)', before => 'CREATE TEMP TABLE x (a int) ON COMMIT DELETE ROWS; GRANT ALL ON x TO PUBLIC');
CALL tenant_session.try('INSERT INTO x VALUES (1)', after => 'CREATE TEMP TABLE x (a int) PARTITION BY LIST (a) ON COMMIT DROP; CREATE TEMP TABLE x1 PARTITION OF x DEFAULT ON COMMIT DROP');
CALL tenant_session.try('SELECT * FROM early');
CALL tenant_session.try('DELETE FROM early');
CALL tenant_session.try('SELECT * FROM early FOR UPDATE');
CALL tenant_session.try('DROP TABLE x', after => 'CREATE TEMP TABLE x (a int) ON COMMIT DROP');
CALL tenant_session.try('PREPARE p AS SELECT 1');
DEALLOCATE p;
CALL tenant_session.try('DECLARE x CURSOR FOR TABLE tenant_session.account');
CALL tenant_session.try('NOTIFY x');
CREATE MATERIALIZED VIEW tenant_session.numbers AS SELECT 1 AS n; CREATE UNIQUE INDEX ON tenant_session.numbers (n);
BEGIN; SELECT steward.tenant_set('1'); REFRESH MATERIALIZED VIEW CONCURRENTLY tenant_session.numbers; COMMIT;
-- a table whose rows go is one that a session can keep; another of its name, made when it was dropped, is not
CREATE TEMP TABLE scratch (a int) ON COMMIT DELETE ROWS;
BEGIN; SELECT steward.tenant_set('1'); INSERT INTO scratch VALUES (1); SELECT count(*) FROM scratch; COMMIT;
BEGIN; SELECT steward.tenant_set('2'); INSERT INTO scratch VALUES (2); SELECT count(*) FROM scratch; COMMIT;
DROP TABLE scratch; CREATE TEMP TABLE scratch (a int);
BEGIN; SELECT steward.tenant_set('1'); INSERT INTO scratch VALUES (1); COMMIT;
-- a table from a savepoint that is gone
BEGIN; SAVEPOINT s; CREATE TEMP TABLE gone (a int) ON COMMIT DROP; ROLLBACK TO s; CREATE TEMP TABLE gone (a int); SELECT steward.tenant_set('1'); INSERT INTO gone VALUES (1); ROLLBACK;
BEGIN; SAVEPOINT s; DECLARE c CURSOR WITH HOLD FOR SELECT 1; ROLLBACK TO s; SELECT steward.tenant_set('1'); COMMIT;
BEGIN; SAVEPOINT s; DECLARE c CURSOR WITH HOLD FOR SELECT 1; RELEASE s; SELECT steward.tenant_set('1'); ROLLBACK;
-- another transaction has nothing to do with it; a savepoint that is gone no more
BEGIN; SELECT steward.tenant_set('1'); COMMIT;
CREATE TEMP TABLE later (a int); DROP TABLE later;
BEGIN; SAVEPOINT s; SELECT steward.tenant_set('1'); ROLLBACK TO s; CREATE TEMP TABLE later (a int); ROLLBACK;
BEGIN; SELECT steward.tenant_set(NULL, 'alice'); CREATE TEMP TABLE later (a int); ROLLBACK;

-- who may allow it
SET ROLE regress_tenant_app;
SET steward.tenant_leftovers = allow;
SET steward.tenant_explain = on;
RESET ROLE;
SET steward.tenant_leftovers = keep;
SET steward.tenant_leftovers = allow;
CALL tenant_session.try('CREATE TEMP TABLE x (a int)');
CALL tenant_session.try('INSERT INTO early VALUES (1)');
CALL tenant_session.try('DECLARE x CURSOR WITH HOLD FOR SELECT 1');
BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; SELECT steward.tenant_set('1'); ROLLBACK;
RESET steward.tenant_leftovers;
-- a session that is one tenant's keeps what is his
SET steward.tenant_sessions = on;
CALL tenant_session.try('CREATE TEMP TABLE x (a int)');
CALL tenant_session.try('DECLARE x CURSOR WITH HOLD FOR SELECT 1');
BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; SELECT steward.tenant_set('1'); ROLLBACK;
RESET steward.tenant_sessions;

--
-- EXPLAIN
--

-- what it tells tenant 1
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_app; SET LOCAL enable_seqscan = off;
DO $$
DECLARE
    line text;
BEGIN
    FOR line IN EXPLAIN ANALYZE SELECT FROM tenant_session.account WHERE id = 2 LOOP
        IF line ~ 'Removed' THEN RAISE INFO '%', trim(line); END IF;
    END LOOP;
END $$;
COMMIT;
SET steward.tenant_explain = off;
BEGIN; SELECT steward.tenant_set('1'); SET LOCAL ROLE regress_tenant_app;
EXPLAIN SELECT FROM tenant_session.account WHERE id = 2;
ROLLBACK;
-- nor without a tenant, when it tells the same
SET ROLE regress_tenant_app;
EXPLAIN SELECT FROM tenant_session.account WHERE id = 2;
PREPARE p AS SELECT FROM tenant_session.account WHERE id = 2;
EXPLAIN ANALYZE EXECUTE p;
RESET ROLE;
CALL tenant_session.try('EXPLAIN (ANALYZE, FORMAT json) SELECT FROM tenant_session.account WHERE id = 2');
CALL tenant_session.try('DO $d$ DECLARE r text; BEGIN FOR r IN EXPLAIN SELECT 1 LOOP END LOOP; END $d$');
CALL tenant_session.try('SELECT 1');
-- a function may, if it is a superuser's
CREATE FUNCTION tenant_session.explains() RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET steward.tenant_explain = on AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXPLAIN (COSTS off) SELECT 1 LOOP RETURN line; END LOOP;
END $$;
SET ROLE regress_tenant_app; SELECT tenant_session.explains();
RESET ROLE;
-- settings of a role
ALTER ROLE regress_tenant_app SET steward.tenant_explain = off;
SELECT setconfig FROM pg_db_role_setting WHERE setrole = 'regress_tenant_app'::regrole;
RESET steward.tenant_explain;
EXPLAIN (COSTS off) SELECT 1;

DROP TABLE early, scratch;
DROP SCHEMA tenant_session CASCADE;
DROP ROLE regress_tenant_app;
