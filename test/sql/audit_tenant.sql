--
-- A role that reads in the audit log what was recorded for its tenant, and nothing else
--

SET client_min_messages = warning;
CREATE ROLE regress_audit_app;
CREATE ROLE regress_audit_auditor;
CREATE ROLE regress_audit_both;
CREATE SCHEMA audit_tenant;
GRANT USAGE ON SCHEMA audit_tenant TO regress_audit_app, regress_audit_auditor, regress_audit_both;
CREATE TABLE audit_tenant.customer (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, name text);
CREATE TABLE audit_tenant.invoice (id bigint PRIMARY KEY, tenant_id bigint NOT NULL, customer_id bigint REFERENCES audit_tenant.customer ON DELETE CASCADE, amount numeric);
CREATE TABLE audit_tenant.line (id bigint PRIMARY KEY, what text);
ALTER TABLE audit_tenant.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON audit_tenant.customer USING (steward.is_current_tenant(tenant_id));
GRANT ALL ON ALL TABLES IN SCHEMA audit_tenant TO regress_audit_app;
SELECT count(*) FROM unnest('{customer,invoice,line}'::text[]) t, steward.audit_enable(('audit_tenant.' || t)::regclass);

SELECT * FROM steward.audit_tenant_enable('regress_audit_app', dry_run => true);
SELECT has_any_column_privilege('regress_audit_app', 'steward.audit_events', 'SELECT');
SELECT count(*) FROM steward.audit_tenant_enable('regress_audit_app');
SELECT count(*) FROM steward.audit_tenant_enable('regress_audit_app');
GRANT SELECT ON ALL TABLES IN SCHEMA steward TO regress_audit_auditor;

-- errors
SELECT steward.audit_tenant_enable('regress_audit_auditor');
GRANT regress_audit_auditor TO regress_audit_both; SELECT steward.audit_tenant_enable('regress_audit_both'); REVOKE regress_audit_auditor FROM regress_audit_both;
GRANT pg_read_all_data TO regress_audit_both; SELECT steward.audit_tenant_enable('regress_audit_both'); REVOKE pg_read_all_data FROM regress_audit_both;
CREATE ROLE regress_audit_super SUPERUSER; SELECT steward.audit_tenant_enable('regress_audit_super'); DROP ROLE regress_audit_super;
SELECT steward.audit_tenant_enable('regress_audit_nobody');
SELECT steward.audit_tenant_enable(NULL);
SELECT steward.audit_tenant_disable('regress_audit_nobody');
SET ROLE regress_audit_app;
\set VERBOSITY terse
SELECT steward.audit_tenant_enable('regress_audit_both');
SELECT steward.audit_tenant_disable('regress_audit_auditor');
\set VERBOSITY default
RESET ROLE;

-- what two tenants do, and others
BEGIN; SELECT steward.tenant_set('7001', 'alice'); SET LOCAL ROLE regress_audit_app;
INSERT INTO audit_tenant.customer VALUES (1, 7001, 'ours'); INSERT INTO audit_tenant.line VALUES (1, 'ours');
UPDATE audit_tenant.customer SET name = 'ours, changed'; COMMIT;
BEGIN; SELECT steward.tenant_set('7002'); SET LOCAL ROLE regress_audit_app;
INSERT INTO audit_tenant.customer VALUES (2, 7002, 'theirs'); INSERT INTO audit_tenant.line VALUES (2, 'theirs'); INSERT INTO audit_tenant.invoice VALUES (20, 7002, 1, 200); COMMIT;
-- the one that says of itself what it wants
SET ROLE regress_audit_app;
SET app.tenant_id = '7001'; SET app.current_user_id = 'alice';
INSERT INTO audit_tenant.line VALUES (3, 'forged');
BEGIN; SET LOCAL steward.tenant = '7001'; ROLLBACK;
BEGIN; SET LOCAL steward.token = 'v1.k.e30.e30'; ROLLBACK;
SELECT set_config('app.tenant_id', '7001', false) IS NOT NULL AS set;
INSERT INTO audit_tenant.line VALUES (4, 'forged');
RESET ROLE; RESET app.tenant_id; RESET app.current_user_id;
-- the same session, really for the tenant, has another context
BEGIN; SELECT steward.tenant_set('7001', 'alice'); SET LOCAL ROLE regress_audit_app; INSERT INTO audit_tenant.line VALUES (5, 'ours too'); COMMIT;
-- an administrator without a tenant
INSERT INTO audit_tenant.customer VALUES (6, 7001, 'by an administrator');
-- by a cascade the first reaches rows of the second; by a definer's function likewise
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; DELETE FROM audit_tenant.customer WHERE id = 1; COMMIT;
CREATE FUNCTION audit_tenant.reach() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS
    'UPDATE audit_tenant.customer SET tenant_id = 7001 WHERE id = 2; UPDATE audit_tenant.customer SET tenant_id = 7002, name = ''stolen'' WHERE id = 2';
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; SELECT audit_tenant.reach(); COMMIT;
-- and TRUNCATE is everybody's
BEGIN; SELECT steward.tenant_set('7001'); TRUNCATE audit_tenant.line; COMMIT;

CREATE VIEW audit_tenant.log AS
SELECT l.table_name::text, l.operation, coalesce(l.new_values, l.old_values) AS row, l.tenant_id, l.user_id, l.user_verified, l.tenant_verified
  FROM steward.audit_entries l WHERE l.table_schema = 'audit_tenant';
ALTER VIEW audit_tenant.log SET (security_invoker);
GRANT SELECT ON audit_tenant.log TO regress_audit_app, regress_audit_auditor, regress_audit_both;

SET ROLE regress_audit_auditor;
SELECT * FROM audit_tenant.log ORDER BY row::text COLLATE "C", operation COLLATE "C";
RESET ROLE;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app;
SELECT * FROM audit_tenant.log ORDER BY row::text COLLATE "C", operation COLLATE "C";
SELECT count(*), count(DISTINCT tenant_id), min(tenant_id) FROM steward.audit_log;
SELECT operation, new_values FROM steward.audit_history('audit_tenant.customer', 1);
SELECT operation, new_values FROM steward.audit_history('audit_tenant.customer', 2);
SELECT operation, new_values FROM steward.audit_history('audit_tenant.line', 3);
COMMIT;
BEGIN; SELECT steward.tenant_set('7002'); SET LOCAL ROLE regress_audit_app;
SELECT * FROM audit_tenant.log ORDER BY row::text COLLATE "C", operation COLLATE "C";
COMMIT;
-- none, or a user without a tenant, or one that is gone, sees nothing
SET ROLE regress_audit_app;
SELECT count(*) FROM steward.audit_log;
SELECT count(*) FROM steward.audit_contexts;
RESET ROLE;
BEGIN; SELECT steward.tenant_set(NULL, 'alice'); SET LOCAL ROLE regress_audit_app; SELECT count(*) FROM steward.audit_log; COMMIT;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; SELECT steward.tenant_clear(); SELECT count(*) FROM steward.audit_log; COMMIT;
BEGIN; SELECT steward.tenant_set(''' OR true --'); SET LOCAL ROLE regress_audit_app; SELECT count(*) FROM steward.audit_log; COMMIT;
BEGIN; SET LOCAL steward.tenant_strict = on; SET LOCAL ROLE regress_audit_app; SELECT count(*) FROM steward.audit_log; ROLLBACK;

--
-- Attacks
--

-- how many rows of others the role finds in each table and view of the log; a minus where it has no privilege
CREATE FUNCTION audit_tenant.attack() RETURNS TABLE (place text, foreign_rows text)
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    FOR place IN
        SELECT c.oid::pg_catalog.regclass::pg_catalog.text
          FROM pg_catalog.pg_class c
         WHERE c.relnamespace IN ('steward'::pg_catalog.regnamespace, 'steward_internal'::pg_catalog.regnamespace) AND c.relname LIKE 'audit\_%' AND c.relkind IN ('r', 'p', 'v')
           AND c.relname NOT IN ('audit_triggers', 'audit_tables', 'audit_table_names') AND c.relname !~ '\d'
         ORDER BY c.relname COLLATE "C"
    LOOP
        BEGIN
            EXECUTE pg_catalog.format($q$SELECT pg_catalog.count(*) FROM %s t
                WHERE pg_catalog.to_jsonb(t) ->> 'tenant_id' IS DISTINCT FROM steward.current_tenant_text()
                   OR t::pg_catalog.text ~ 'theirs|forged|stolen'$q$, place) INTO foreign_rows;
        EXCEPTION WHEN insufficient_privilege THEN
            foreign_rows := '-';
        END;
        RETURN NEXT;
    END LOOP;
END $$;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app;
SELECT * FROM audit_tenant.attack();
SELECT DISTINCT tenant_id, tenant_verified FROM steward.audit_contexts;
-- the same in a savepoint after the other tenant was tried
SAVEPOINT s;
SELECT steward.tenant_set('7002');
ROLLBACK TO s;
SELECT set_config('app.tenant_id', '7002', true);
SELECT bool_and(foreign_rows IN ('0', '-')) FROM audit_tenant.attack();
-- row security cannot be turned off
SET LOCAL row_security = off; SELECT count(*) FROM steward.audit_log;
ROLLBACK;
-- partitions, once privileges are granted too freely, have the same policy
GRANT SELECT ON steward.audit_events_default TO regress_audit_app;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app;
SELECT count(*) > 0 AS some, bool_and(tenant_id = '7001') AS own FROM steward.audit_events_default;
COPY (SELECT DISTINCT tenant_id FROM steward.audit_events_default) TO stdout;
COPY (SELECT DISTINCT tenant_id FROM steward.audit_events) TO stdout;
COMMIT;
REVOKE SELECT ON steward.audit_events_default FROM regress_audit_app;
BEGIN;
-- many events of other tests would be given a partition first
SET LOCAL steward.audit_guard = off;
TRUNCATE steward.audit_events_default;
SELECT count(*) > 0 AS partitions FROM steward.audit_maintain() WHERE action = 'created';
SELECT c.relrowsecurity, p.polname, pg_get_expr(p.polqual, p.polrelid), count(*) = (SELECT count(*) + 1 FROM steward.audit_partitions) AS all
  FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
 WHERE c.relnamespace = 'steward'::regnamespace AND c.relname LIKE 'audit\_events%' AND c.relkind IN ('r', 'p') GROUP BY 1, 2, 3;
ROLLBACK;

-- conditions of the query see no row that the policy hides, neither by what they print nor by their errors
CREATE FUNCTION audit_tenant.leak(jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$
BEGIN
    IF $1::text ~ 'theirs|forged|stolen' THEN RAISE WARNING 'saw %', $1; END IF;
    RETURN true;
END $$;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app;
SELECT count(*) > 0 AS some FROM steward.audit_log WHERE audit_tenant.leak(new_values);
SELECT count(*) > 0 AS some FROM steward.audit_events WHERE audit_tenant.leak(new_values) AND audit_tenant.leak(old_values);
SELECT count(*) > 0 AS some FROM steward.audit_contexts c WHERE audit_tenant.leak(to_jsonb(c.tenant_id)) AND 1 / (CASE WHEN c.tenant_id = '7002' THEN 0 ELSE 1 END) = 1;
SELECT count(*) > 0 AS some FROM steward.audit_events WHERE 1 / (CASE WHEN new_values ->> 'name' = 'theirs' THEN 0 ELSE 1 END) = 1;
-- nor do statistics
SELECT count(*) FROM pg_stats WHERE schemaname = 'steward' AND tablename ~ '^audit_(events|contexts|tables)';
COMMIT;

-- it cannot write, and gets no further by SET ROLE
SET ROLE regress_audit_app;
\set VERBOSITY sqlstate
INSERT INTO steward.audit_events SELECT * FROM steward.audit_events;
UPDATE steward.audit_events SET tenant_id = '7001';
UPDATE steward.audit_contexts SET tenant_verified = true;
DELETE FROM steward.audit_log;
COPY steward.audit_events TO stdout;
SET ROLE regress_audit_auditor;
SELECT count(ctid) > 0 FROM steward.audit_events;
\set VERBOSITY default
RESET ROLE;
-- in a superuser's session SET ROLE is free, in its own it is not
SET SESSION AUTHORIZATION regress_audit_app;
SET ROLE regress_audit_auditor;
RESET SESSION AUTHORIZATION;

-- a plan that was made for one does not serve another
BEGIN; SELECT steward.tenant_set('7002'); SET LOCAL ROLE regress_audit_app;
PREPARE seen AS SELECT count(*) > 0 AS some, count(DISTINCT tenant_id), min(tenant_id) COLLATE "C" AS tenant FROM steward.audit_events WHERE tenant_id IN ('7001', '7002');
EXECUTE seen; COMMIT;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; EXECUTE seen; COMMIT;
SET ROLE regress_audit_auditor; EXECUTE seen;
RESET ROLE; REVOKE SELECT ON steward.audit_events FROM regress_audit_auditor; GRANT SELECT (tenant_id) ON steward.audit_events TO regress_audit_auditor;
SET ROLE regress_audit_auditor; EXECUTE seen; RESET ROLE;
GRANT SELECT ON steward.audit_events TO regress_audit_auditor;
SET ROLE regress_audit_auditor; EXECUTE seen; RESET ROLE;
-- a membership that ends while a plan is cached
GRANT SELECT (tenant_id) ON steward.audit_events TO regress_audit_both; GRANT regress_audit_auditor TO regress_audit_both;
SET ROLE regress_audit_both; EXECUTE seen; RESET ROLE;
REVOKE regress_audit_auditor FROM regress_audit_both;
SET ROLE regress_audit_both; EXECUTE seen; RESET ROLE;
DEALLOCATE seen;
-- what an auditor's view shows is no more than the role that reads it may see
CREATE VIEW audit_tenant.auditors AS SELECT count(DISTINCT tenant_id), min(tenant_id) FROM steward.audit_log;
ALTER VIEW audit_tenant.auditors OWNER TO regress_audit_auditor;
GRANT SELECT ON audit_tenant.auditors TO regress_audit_app;
BEGIN; SELECT steward.tenant_set('7002'); SET LOCAL ROLE regress_audit_app; SELECT * FROM audit_tenant.auditors; COMMIT;

-- names: those that the catalog shows, and of tables that are gone only those in whose events one finds them
ALTER TABLE audit_tenant.invoice RENAME TO bill;
BEGIN; SELECT steward.tenant_set('7002'); INSERT INTO audit_tenant.bill VALUES (21, 7002, NULL, 1); COMMIT;
DROP TABLE audit_tenant.bill, audit_tenant.line;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; SELECT table_name FROM steward.audit_table_names WHERE table_schema = 'audit_tenant' ORDER BY 1; COMMIT;
BEGIN; SELECT steward.tenant_set('7002'); SET LOCAL ROLE regress_audit_app; SELECT table_name FROM steward.audit_table_names WHERE table_schema = 'audit_tenant' ORDER BY 1;
SELECT DISTINCT table_name FROM steward.audit_log ORDER BY 1; COMMIT;
BEGIN; SELECT steward.tenant_set('7003'); SET LOCAL ROLE regress_audit_app; SELECT table_name FROM steward.audit_table_names WHERE table_schema = 'audit_tenant' ORDER BY 1; COMMIT;

--
-- Columns that say whose a row is, and types of tenants
--

CREATE TABLE audit_tenant.typed (id bigint PRIMARY KEY, org uuid, tenant_id numeric);
SELECT count(*) FROM steward.audit_enable('audit_tenant.typed');
CREATE FUNCTION audit_tenant.typed_for(tenant text) RETURNS bigint[] LANGUAGE sql AS $$
    SELECT array_agg((record_key ->> 'id')::bigint ORDER BY record_key ->> 'id') FROM steward.audit_entries
     WHERE table_name = 'typed' AND key_hash IN (SELECT key_hash FROM steward.audit_events e WHERE e.tenant_id = tenant) $$;
-- a type that tenants are not compared with: nobody's
BEGIN; SELECT steward.tenant_set('7001'); INSERT INTO audit_tenant.typed VALUES (1, NULL, 7001); COMMIT;
SELECT audit_tenant.typed_for('7001');
SET steward.audit_tenant_column = 'org';
BEGIN; SELECT steward.tenant_set('0190a5e4-7f1c-7000-8000-0000000000AB');
INSERT INTO audit_tenant.typed VALUES (2, '0190a5e4-7f1c-7000-8000-0000000000ab', 7001), (3, '0190a5e4-7f1c-7000-8000-0000000000ac', 7001), (4, NULL, 7001); COMMIT;
SELECT audit_tenant.typed_for('0190a5e4-7f1c-7000-8000-0000000000ab');
-- no such column: whatever the context did
SET steward.audit_tenant_column = '';
BEGIN; SELECT steward.tenant_set('7001'); INSERT INTO audit_tenant.typed VALUES (5, NULL, 7002); COMMIT;
SELECT audit_tenant.typed_for('7001');
RESET steward.audit_tenant_column;

-- found by index, and read as such
SET enable_seqscan = off;
CREATE FUNCTION audit_tenant.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
        IF line ~ 'audit_shows\(|Seq Scan on audit_events|Index Cond: \(tenant_id' THEN RETURN NEXT trim(line); END IF;
    END LOOP;
END $$;
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app;
SELECT DISTINCT * FROM audit_tenant.plan('SELECT recorded_at FROM steward.audit_events ORDER BY recorded_at DESC LIMIT 50');
SELECT DISTINCT * FROM audit_tenant.plan('SELECT * FROM steward.audit_log ORDER BY created_at DESC LIMIT 50');
COMMIT;
RESET enable_seqscan;

SELECT * FROM steward.audit_tenant_disable('regress_audit_app', dry_run => true);
SELECT count(*) FROM steward.audit_tenant_disable('regress_audit_app');
SELECT count(*) FROM steward.audit_tenant_disable('regress_audit_app');
BEGIN; SELECT steward.tenant_set('7001'); SET LOCAL ROLE regress_audit_app; SELECT count(*) FROM steward.audit_log; ROLLBACK;

REVOKE ALL ON ALL TABLES IN SCHEMA steward FROM regress_audit_auditor, regress_audit_both;
DROP SCHEMA audit_tenant CASCADE;
DROP ROLE regress_audit_app, regress_audit_auditor, regress_audit_both;
