-- is_current_tenant(column) is planned as the comparison that it stands for.
SET client_min_messages = warning;
CREATE SCHEMA tenant_plan;
SET search_path = tenant_plan;
CREATE DOMAIN tenant_number AS integer CHECK (VALUE > 0);
CREATE DOMAIN tenant_name AS varchar(20);
CREATE TYPE tenant_enum AS ENUM ('42', '43');
CREATE EXTENSION IF NOT EXISTS citext;
RESET client_min_messages;
CREATE ROLE regress_tenant_plan;
GRANT USAGE ON SCHEMA tenant_plan TO regress_tenant_plan;

-- Tenant 1 has 40 %, 2 has 3 rows, the others have some dozens each.
CREATE FUNCTION tenant_of(i integer) RETURNS integer LANGUAGE sql IMMUTABLE
RETURN CASE WHEN i % 10 < 4 THEN 1 WHEN i IN (5, 5005, 9995) THEN 2 ELSE 3 + i % 97 END;
CREATE TABLE t AS
SELECT i AS id, (tenant_of(i))::smallint AS small, tenant_of(i) AS int, tenant_of(i)::bigint AS big, tenant_of(i)::text AS text,
       lpad(to_hex(tenant_of(i)), 32, '0')::uuid AS uuid, tenant_of(i)::text::varchar(20) AS varchar, tenant_of(i)::tenant_number AS domain_int,
       tenant_of(i)::text::tenant_name AS domain_varchar, tenant_of(i)::text COLLATE "C" AS text_c, i % 1000 AS created
  FROM generate_series(1, 10000) i;
DO $$
DECLARE c name;
BEGIN
    FOREACH c IN ARRAY '{small,int,big,text,uuid,varchar,domain_int,domain_varchar,text_c,created}'::name[] LOOP
        EXECUTE format('CREATE INDEX ON t (%I)', c);
    END LOOP;
END $$;
ALTER TABLE t SET (autovacuum_enabled = off);
SET default_statistics_target = 1000;
ANALYZE t;
RESET default_statistics_target;

-- The text of it.
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant(int);
SET compute_query_id = off;
EXPLAIN (COSTS off, VERBOSE) SELECT id FROM t WHERE steward.is_current_user(uuid);
SET enable_seqscan = off; SET enable_bitmapscan = off;
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant(small);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant(varchar);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant(domain_int);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_tenant(domain_varchar);
EXPLAIN (COSTS off) SELECT * FROM t WHERE steward.is_current_user(text_c);
RESET enable_seqscan; RESET enable_bitmapscan;

-- A plan as rows, without what differs between a constant and the function that stands for it.
CREATE FUNCTION plan(query text) RETURNS TABLE (node text, index text, estimate bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN QUERY WITH RECURSIVE nodes AS (
        SELECT plan -> 0 -> 'Plan' AS node
         UNION ALL
        SELECT child FROM nodes n, json_array_elements(n.node -> 'Plans') child)
    SELECT n.node ->> 'Node Type', n.node ->> 'Index Name', (n.node ->> 'Plan Rows')::bigint FROM nodes n;
END $$;

-- Every type, every tenant, several queries: the same plan and estimate as with a literal.
CREATE FUNCTION differences() RETURNS TABLE (compared bigint, different bigint, plans bigint, example text) LANGUAGE plpgsql AS $$
DECLARE
    types constant text[] := '{small,int,big,text,uuid,varchar,domain_int,domain_varchar,text_c}';
    queries constant text[] := ARRAY['SELECT * FROM t WHERE %s', 'SELECT * FROM t WHERE %s ORDER BY created LIMIT 20', 'SELECT count(*) FROM t WHERE %s AND created < 10',
        'SELECT * FROM t a JOIN t b USING (id) WHERE %s', 'UPDATE t SET created = 1 WHERE %s'];
    tenant integer;
    col text;
    query text;
    ours text;
    literal text;
    seen text[] := '{}';
BEGIN
    compared := 0; different := 0;
    FOREACH tenant IN ARRAY '{1,2,50,99999}'::integer[] LOOP
        FOREACH col IN ARRAY types LOOP
            FOREACH query IN ARRAY queries LOOP
                BEGIN
                    PERFORM steward.tenant_set(CASE col WHEN 'uuid' THEN lpad(to_hex(tenant), 32, '0')::uuid::text ELSE tenant::text END);
                    ours := (SELECT json_agg(p) FROM plan(format(query, format('steward.is_current_tenant(%s)', CASE WHEN query LIKE '%JOIN%' THEN 'a.' ELSE '' END || quote_ident(col)))) p);
                    literal := (SELECT json_agg(p) FROM plan(format(query, format('%s = %s', CASE WHEN query LIKE '%JOIN%' THEN 'a.' ELSE '' END || quote_ident(col),
                        CASE WHEN col ~ 'int|small' THEN tenant::text WHEN col = 'big' THEN tenant || '::bigint' WHEN col = 'uuid' THEN quote_literal(lpad(to_hex(tenant), 32, '0')) ELSE quote_literal(tenant) END))) p);
                    RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ000';
                EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
                    NULL;
                END;
                compared := compared + 1;
                seen := seen || literal;
                IF ours <> literal THEN
                    different := different + 1;
                    example := format('%s %s %s: %s, not %s', col, tenant, query, ours, literal);
                END IF;
            END LOOP;
        END LOOP;
    END LOOP;
    plans := (SELECT count(DISTINCT regexp_replace(s, '"estimate":\d+', '', 'g')) FROM unnest(seen) s);
    RETURN NEXT;
END $$;
BEGIN; SELECT compared, different, plans > 10 AS many_plans, example FROM differences(); COMMIT;

-- The same rows, of every type; the function itself, which the planner leaves in no plan, agrees.
BEGIN;
SELECT steward.tenant_set('50', '50');
SELECT count(*) FROM t WHERE int = 50;
SELECT count(*) FILTER (WHERE steward.is_current_tenant(small)) AS small, count(*) FILTER (WHERE steward.is_current_tenant(int)) AS int, count(*) FILTER (WHERE steward.is_current_user(big)) AS big,
       count(*) FILTER (WHERE steward.is_current_user(text)) AS text, count(*) FILTER (WHERE steward.is_current_tenant(varchar)) AS varchar, count(*) FILTER (WHERE steward.is_current_tenant(domain_int)) AS domain_int,
       count(*) FILTER (WHERE steward.is_current_tenant(domain_varchar)) AS domain_varchar, count(*) FILTER (WHERE steward.is_current_tenant(text_c)) AS text_c, count(*) FILTER (WHERE steward.is_current_tenant(uuid)) AS uuid FROM t;
CREATE OPERATOR == (RIGHTARG = bigint, FUNCTION = steward.is_current_tenant);
SELECT == 50::bigint AS yes, == 51::bigint AS no, steward.is_current_tenant(NULL) IS NULL AS null_literal, steward.is_current_tenant(NULL::integer) IS NULL AS "null", steward.is_current_tenant('50') AS literal;
COMMIT;
SELECT steward.is_current_tenant(50) IS NULL AS nobody;

-- Policies keep the index, for a role that they hold for, whatever the search path offers it.
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON t USING (steward.is_current_tenant(big));
GRANT SELECT, INSERT, UPDATE, DELETE ON t TO regress_tenant_plan;
CREATE FUNCTION always(bigint, bigint) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE OPERATOR = (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = always);
BEGIN;
SELECT steward.tenant_set('2');
SET LOCAL ROLE regress_tenant_plan;
SET LOCAL search_path = tenant_plan, pg_catalog;
EXPLAIN (COSTS off) SELECT id FROM t WHERE created > 1;
SELECT id FROM t WHERE created > 1 ORDER BY id;
EXPLAIN (COSTS off) SELECT id FROM t ORDER BY created LIMIT 20;
SAVEPOINT s;
INSERT INTO t (id, big) VALUES (0, 3);
ROLLBACK TO s;
UPDATE t SET big = 3 WHERE id = 5;
ROLLBACK;
DROP OPERATOR tenant_plan.= (bigint, bigint);
-- a policy's own function does not see rows of others
CREATE FUNCTION peep(integer) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE INFO 'saw %', $1; RETURN true; END $$;
BEGIN;
SELECT steward.tenant_set('2');
SET LOCAL ROLE regress_tenant_plan;
SELECT id FROM t WHERE peep(id) ORDER BY id;
COMMIT;

-- Prepared statements follow the tenant of each transaction.
PREPARE mine AS SELECT count(*), min(big), max(big) FROM t WHERE steward.is_current_tenant(big);
SET plan_cache_mode = force_generic_plan;
BEGIN; SELECT steward.tenant_set('1'); EXECUTE mine; COMMIT;
BEGIN; SELECT steward.tenant_set('2'); EXECUTE mine; COMMIT;
EXECUTE mine;
RESET plan_cache_mode;

-- Partitions of others are not looked at.
CREATE TABLE p (tenant_id integer, v text) PARTITION BY LIST (tenant_id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);
BEGIN; SELECT steward.tenant_set('2'); EXPLAIN (COSTS off) SELECT * FROM p WHERE steward.is_current_tenant(tenant_id); COMMIT;

-- Columns of other types are refused, with the reason, as soon as a query is planned.
CREATE TABLE other (a_numeric numeric, a_enum tenant_enum, a_citext citext, a_jsonb jsonb, a_json json, a_char char(4), a_name name, a_date date, a_oid oid, a_regclass regclass, an_array integer[], a_float float8, a_bytea bytea, a_bool boolean);
\set VERBOSITY default
SELECT FROM other WHERE steward.is_current_tenant(a_numeric);
SELECT FROM other WHERE steward.is_current_user(a_enum);
SELECT FROM other WHERE steward.is_current_tenant(a_citext);
SELECT FROM other WHERE steward.is_current_tenant(a_json);
SELECT FROM other WHERE steward.is_current_tenant(a_char);
\set VERBOSITY terse
SELECT FROM other WHERE steward.is_current_tenant(a_jsonb);
SELECT FROM other WHERE steward.is_current_tenant(a_name);
SELECT FROM other WHERE steward.is_current_tenant(a_date);
SELECT FROM other WHERE steward.is_current_tenant(a_oid);
SELECT FROM other WHERE steward.is_current_tenant(a_regclass);
SELECT FROM other WHERE steward.is_current_tenant(an_array);
SELECT FROM other WHERE steward.is_current_tenant(a_float);
SELECT FROM other WHERE steward.is_current_tenant(a_bytea);
SELECT FROM other WHERE steward.is_current_tenant(a_bool);
SELECT FROM other WHERE steward.is_current_tenant(other);
-- conversions that are written down are the writer's
SELECT count(*) FROM other WHERE steward.is_current_tenant(a_numeric::bigint) OR steward.is_current_tenant(a_enum::text) OR steward.is_current_tenant(a_citext::text) OR steward.is_current_tenant(a_jsonb ->> 'tenant');
\set VERBOSITY default

-- All are what a policy needs.
SELECT DISTINCT p.provolatile, p.proparallel, p.proleakproof, p.procost FROM pg_proc p
 WHERE p.pronamespace = 'steward'::regnamespace AND (p.proname ~ '^current_(tenant|user_id)_' OR p.proname ~ '^is_current_(tenant|user)$' AND p.proargtypes[0] <> 'anyelement'::regtype);
SELECT bool_and(p.proleakproof) AS leakproof FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oid IN (532, 96, 410, 2972, 98);

-- Under a policy a sequential scan compares a uuid in one call, for whoever the transaction works when it runs.
CREATE TABLE one_call (id integer, tenant_id uuid);
CREATE TABLE one_call_heirs () INHERITS (one_call);
INSERT INTO one_call SELECT n, lpad(to_hex(n % 3), 32, '0')::uuid FROM generate_series(1, 300) n;
INSERT INTO one_call_heirs SELECT n, nullif(lpad(to_hex(n % 3), 32, '0'), lpad('0', 32, '0'))::uuid FROM generate_series(301, 330) n;
CREATE ROLE regress_plan_one_call;
GRANT USAGE ON SCHEMA tenant_plan TO regress_plan_one_call;
GRANT SELECT, UPDATE, DELETE ON one_call, one_call_heirs TO regress_plan_one_call;
ALTER TABLE one_call ENABLE ROW LEVEL SECURITY;
ALTER TABLE one_call_heirs ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON one_call USING (steward.is_current_tenant(tenant_id));
CREATE POLICY tenant ON one_call_heirs USING (steward.is_current_tenant(tenant_id));
SELECT set_config('test.one', lpad('1', 32, '0')::uuid::text, false) <> '' AS one, set_config('test.two', lpad('2', 32, '0')::uuid::text, false) <> '' AS two;
PREPARE counted AS SELECT count(*), min(tenant_id::text), max(tenant_id::text) FROM one_call;
SET plan_cache_mode = force_generic_plan;
BEGIN;
SELECT steward.tenant_set(current_setting('test.one')) IS NOT NULL AS set;
SET LOCAL ROLE regress_plan_one_call;
EXPLAIN (COSTS off) SELECT * FROM one_call;
EXECUTE counted;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT count(*), min(tenant_id::text), max(tenant_id::text) FROM one_call;
UPDATE one_call SET id = -id;
SELECT steward.tenant_clear();
EXECUTE counted;
ROLLBACK;
BEGIN;
SELECT steward.tenant_set(current_setting('test.two')) IS NOT NULL AS set;
SET LOCAL ROLE regress_plan_one_call;
EXECUTE counted;
WITH d AS (DELETE FROM one_call RETURNING tenant_id) SELECT count(*), min(tenant_id::text), max(tenant_id::text) FROM d;
ROLLBACK;
BEGIN;
SELECT steward.tenant_set('no uuid') IS NOT NULL AS set;
SET LOCAL ROLE regress_plan_one_call;
EXECUTE counted;
ROLLBACK;
SET ROLE regress_plan_one_call;
EXECUTE counted;
RESET ROLE;
RESET plan_cache_mode;
-- called as a function
SELECT steward.is_current_tenant(NULL::uuid) IS NULL AS strict;
DEALLOCATE counted;
DROP TABLE one_call_heirs, one_call;
REVOKE USAGE ON SCHEMA tenant_plan FROM regress_plan_one_call;
DROP ROLE regress_plan_one_call;

SET client_min_messages = warning;
DROP SCHEMA tenant_plan CASCADE;
DROP ROLE regress_tenant_plan;
