-- The first example of doc/tenant.md.
SET client_min_messages = warning;
CREATE SCHEMA tenant_context;
SET search_path = tenant_context;
RESET client_min_messages;
CREATE ROLE regress_tenant_app;
CREATE ROLE regress_tenant_gateway;
GRANT USAGE ON SCHEMA tenant_context TO regress_tenant_app, regress_tenant_gateway;

CREATE TABLE documents (
    id        bigint PRIMARY KEY,
    tenant_id bigint NOT NULL,
    title     text NOT NULL
);
CREATE INDEX ON documents (tenant_id);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON documents USING (steward.is_current_tenant(tenant_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO regress_tenant_app;
INSERT INTO documents VALUES (1, 42, 'ours'), (2, 43, 'theirs'), (3, 42, 'ours too');

BEGIN;
SELECT steward.tenant_set('42', 'alice');
SET LOCAL ROLE regress_tenant_app;
SELECT * FROM documents ORDER BY id;
SELECT tenant, user_id, source FROM steward.tenant_context();
COMMIT;
SET ROLE regress_tenant_app;
SELECT * FROM documents;
RESET ROLE;

-- What the application's role may not do.
SET ROLE regress_tenant_app;
BEGIN; SELECT steward.tenant_set('43'); ROLLBACK;
BEGIN; SET LOCAL steward.tenant = '43'; ROLLBACK;
SET steward.user_id = '43';
SET steward.claims = '{}';
ALTER ROLE regress_tenant_app SET steward.tenant = '43';
ALTER ROLE regress_tenant_app SET steward.token = '43';
SET steward.tenant_sessions = on;
SET steward.tenant_strict = off;
SET steward.tenant_keys = 'k:0123456789012345678901234567890123456789';
SET steward.tenant_keys_file = '/dev/null';
SET steward.tenant_token_ttl = 0;
SET steward.tenant_claim = 'x';
SELECT steward.tenant_sign('43');
SELECT steward.tenant_verify('43');
DO $$ BEGIN RAISE INFO '%', current_setting('steward.tenant_keys'); EXCEPTION WHEN insufficient_privilege THEN RAISE INFO 'not to be seen'; END $$;
-- what it may
BEGIN; SELECT steward.tenant_clear(); COMMIT;
SELECT * FROM steward.tenant_context();
SELECT steward.current_tenant_text() IS NULL AS nobody;
RESET ROLE;

-- Outside a transaction block it would be of no use.
SELECT steward.tenant_set('42');
SET steward.tenant = '42';
SELECT set_config('steward.tenant', '42', true);
SELECT steward.current_tenant_text() IS NULL AS nobody;
-- in a DO block it is
DO $$ BEGIN
    PERFORM steward.tenant_set('42');
    RAISE INFO '%', steward.current_tenant_int();
    COMMIT;
    RAISE INFO 'then %', steward.current_tenant_int();
    PERFORM steward.tenant_set('43');
    RAISE INFO '%', steward.current_tenant_int();
END $$;
SELECT steward.current_tenant_text() IS NULL AS nobody;
-- several statements in one message are a block of their own
SELECT steward.tenant_set('42')\; SELECT steward.current_tenant_int();
SELECT steward.current_tenant_text() IS NULL AS nobody;

-- SET without LOCAL ends with the transaction too.
BEGIN; SET steward.tenant = '42'; SET steward.user_id = 'u'; SELECT steward.current_tenant_text(), steward.current_user_id_text(); COMMIT;
SELECT steward.current_tenant_text() IS NULL AS nobody, current_setting('steward.tenant') = '' AND current_setting('steward.user_id') = '' AS empty;
-- also where it is hidden by another
BEGIN; SET steward.tenant = '42'; SELECT steward.tenant_clear(); COMMIT;
SELECT current_setting('steward.tenant') = '' AS empty;
BEGIN; SET steward.tenant = '42'; SAVEPOINT s; SET LOCAL steward.tenant = ''; RELEASE s; COMMIT;
SELECT current_setting('steward.tenant') = '' AS empty;
BEGIN; SET steward.tenant = '42'; ROLLBACK;
SELECT current_setting('steward.tenant') = '' AS empty;
BEGIN; SAVEPOINT s; SET steward.tenant = '42'; ROLLBACK TO s; COMMIT;
SELECT current_setting('steward.tenant') = '' AS empty;
-- and what takes it away, takes it away
BEGIN; SELECT steward.tenant_set('42'); SET ROLE regress_tenant_app; RESET ALL; SELECT * FROM steward.tenant_context(); COMMIT;
RESET ROLE;
DISCARD ALL;
SET search_path = tenant_context;
SELECT current_setting('steward.tenant') = '' AS empty;

-- A transaction is for one tenant and one user.
BEGIN; SELECT steward.tenant_set('42'); SELECT steward.tenant_set('42'); SELECT steward.tenant_set('42', 'alice'); SELECT steward.tenant_set('42', 'bob'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); SELECT steward.tenant_clear(); SELECT steward.current_tenant_int(); SELECT steward.tenant_set('42'); SELECT steward.current_tenant_int();
SELECT steward.tenant_clear(); SELECT steward.tenant_set('43'); ROLLBACK;
BEGIN; SET LOCAL steward.tenant = '42'; RESET steward.tenant; SET LOCAL steward.tenant = '43'; ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); RESET ALL; SELECT steward.tenant_set('43'); ROLLBACK;
SET search_path = tenant_context;
-- in one statement as well
BEGIN; SELECT steward.tenant_set('42');
WITH x AS MATERIALIZED (SELECT steward.tenant_set('43')) SELECT d.* FROM x, documents d; ROLLBACK;
-- a savepoint's goes with the savepoint
BEGIN; SAVEPOINT s; SELECT steward.tenant_set('42'); ROLLBACK TO s; SELECT steward.current_tenant_int(); SELECT steward.tenant_set('43'); SELECT steward.current_tenant_int(); COMMIT;
BEGIN; SAVEPOINT s; SELECT steward.tenant_set('42'); RELEASE s; SELECT steward.current_tenant_int(); SELECT steward.tenant_set('43'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); SAVEPOINT s; SELECT steward.tenant_clear(); SELECT steward.current_tenant_int(); ROLLBACK TO s; SELECT steward.current_tenant_int();
SAVEPOINT t; SELECT steward.tenant_set('43'); ROLLBACK TO t; SELECT steward.current_tenant_int(); COMMIT;
DO $$ BEGIN
    PERFORM steward.tenant_set('42');
    BEGIN
        PERFORM steward.tenant_set('43');
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE INFO '%: still %', SQLERRM, steward.current_tenant_int();
    END;
    BEGIN
        PERFORM steward.tenant_set('42', '7');
        RAISE EXCEPTION 'undone';
    EXCEPTION WHEN raise_exception THEN
        PERFORM steward.tenant_set('42', '8');
        RAISE INFO 'user %', steward.current_user_id_int();
    END;
END $$;

-- Cursors and functions.
BEGIN; SELECT steward.tenant_set('42');
DECLARE c CURSOR FOR SELECT title FROM documents WHERE steward.is_current_tenant(tenant_id) ORDER BY id;
FETCH 1 FROM c; SAVEPOINT s; SELECT steward.tenant_clear(); FETCH 1 FROM c; ROLLBACK;
BEGIN; SET LOCAL steward.tenant_leftovers = allow; SELECT steward.tenant_set('42');
DECLARE c CURSOR WITH HOLD FOR SELECT title, steward.current_tenant_text() FROM documents WHERE steward.is_current_tenant(tenant_id) ORDER BY id;
COMMIT; FETCH ALL FROM c; CLOSE c;
-- a gateway: granted the function, or the setting, or in a function of its own
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_tenant_gateway;
SET ROLE regress_tenant_gateway; BEGIN; SELECT steward.tenant_set('42', '7', '{"plan": "free"}'); SELECT * FROM steward.tenant_context(); COMMIT; RESET ROLE;
REVOKE EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) FROM regress_tenant_gateway;
GRANT SET ON PARAMETER steward.tenant TO regress_tenant_gateway;
SET ROLE regress_tenant_gateway; BEGIN; SET LOCAL steward.tenant = '42'; SELECT * FROM steward.tenant_context(); SET LOCAL steward.tenant = '43'; COMMIT; RESET ROLE;
REVOKE SET ON PARAMETER steward.tenant FROM regress_tenant_gateway;
CREATE FUNCTION log_in(who text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_set('42', who); END $$;
SET ROLE regress_tenant_app; BEGIN; SELECT log_in('alice'); SELECT tenant, user_id FROM steward.tenant_context(); SELECT log_in('bob'); COMMIT; RESET ROLE;
-- no function has it for a setting
CREATE FUNCTION as_44() RETURNS integer LANGUAGE plpgsql SET steward.tenant = '44' AS $$ BEGIN RETURN steward.current_tenant_int(); END $$;
-- maintenance work that runs as somebody else takes no orders from whom it runs as
CREATE FUNCTION sneaky(i bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM steward.tenant_set('43'); RETURN i; END $$;
BEGIN; CREATE INDEX ON documents (sneaky(id)); ROLLBACK;

-- Values.
SELECT steward.tenant_set('');
BEGIN; SELECT steward.tenant_set(NULL); ROLLBACK;
BEGIN; SELECT steward.tenant_set('42', ''); ROLLBACK;
BEGIN; SELECT steward.tenant_set('42', NULL, '[1]'); ROLLBACK;
BEGIN; SELECT steward.tenant_set(repeat('x', 255)); SELECT length(steward.current_tenant_text()); ROLLBACK;
BEGIN; SELECT steward.tenant_set(repeat('x', 256)); ROLLBACK;
BEGIN; SELECT steward.tenant_set(NULL, '7'); SELECT tenant, user_id, source FROM steward.tenant_context(); SELECT steward.tenant_set('42', '7'); SELECT steward.current_tenant_int(); COMMIT;
CREATE FUNCTION readings(value text) RETURNS TABLE ("int" integer, "bigint" bigint, "uuid" uuid, "text" text) LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        PERFORM steward.tenant_set(value, value);
        RETURN QUERY SELECT steward.current_tenant_int(), steward.current_tenant_bigint(), steward.current_tenant_uuid(), steward.current_tenant_text();
        ASSERT (steward.current_tenant_int(), steward.current_tenant_bigint(), steward.current_tenant_uuid(), steward.current_tenant_text())
            IS NOT DISTINCT FROM (steward.current_user_id_int(), steward.current_user_id_bigint(), steward.current_user_id_uuid(), steward.current_user_id_text());
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        NULL;
    END;
END $$;
BEGIN;
SELECT r.* FROM unnest('{0,-1,42,2147483647,2147483648,-2147483648,-2147483649,9223372036854775807,9223372036854775808,-9223372036854775808,-9223372036854775809,
    007,-0,+1,1.0,1e3," 1","1 ",-,0x10,99999999999999999999999999,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,
    a0eebc999c0b4ef8bb6d6bb9bd380a11,"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111,acmé}'::text[]) v, readings(v) r;
COMMIT;

-- Values by reference stay where they are while a statement runs, whatever the context does.
CREATE FUNCTION changing(i integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE got text;
BEGIN
    BEGIN
        PERFORM steward.tenant_set('tenant ' || i);
        got := steward.current_tenant_text();
        RAISE EXCEPTION 'undone' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        RETURN got;
    END;
END $$;
BEGIN;
SELECT count(DISTINCT changing(i)), bool_and(changing(i) = 'tenant ' || i) FROM generate_series(1, 3000) i;
SELECT steward.tenant_set('tenant 1'); SELECT steward.current_tenant_text();
COMMIT;
SELECT count(*) AS kept FROM pg_backend_memory_contexts WHERE name = 'tenants and users';
BEGIN; SELECT changing(1), changing(2); COMMIT;
SELECT count(*) AS kept FROM pg_backend_memory_contexts WHERE name = 'tenants and users';

-- Under steward.tenant_strict it is an error to have none.
SET steward.tenant_strict = on;
SELECT steward.current_tenant_text();
SELECT steward.current_user_id_int();
SELECT count(*) FROM documents WHERE steward.is_current_tenant(tenant_id);
BEGIN; SELECT steward.tenant_set('acme'); SELECT steward.current_tenant_text(); SELECT steward.current_tenant_uuid(); ROLLBACK;
SELECT * FROM steward.tenant_context();
RESET steward.tenant_strict;

-- Sessions, where a superuser allows them.
SET steward.tenant_sessions = on;
SET steward.tenant = '42';
SELECT steward.current_tenant_int(), tenant, source FROM steward.tenant_context();
BEGIN; SELECT steward.tenant_set('43'); SELECT steward.current_tenant_int(); COMMIT;
SELECT steward.current_tenant_int();
RESET steward.tenant_sessions;
SELECT steward.current_tenant_int();
BEGIN; SELECT steward.tenant_set('43'); COMMIT;
SELECT current_setting('steward.tenant') = '' AS empty;

-- Nothing of it takes a transaction id.
BEGIN; SELECT steward.tenant_set('42'); SELECT steward.current_tenant_int(); SELECT pg_current_xact_id_if_assigned() IS NULL AS without_id; COMMIT;

-- The audit log records it, before the settings that anybody may set.
SELECT count(*) FROM steward.audit_enable('documents');
BEGIN; SET LOCAL app.tenant_id = 'forged'; SET LOCAL app.current_user_id = 'forged'; SELECT steward.tenant_set('42', 'alice'); SET LOCAL ROLE regress_tenant_app;
INSERT INTO documents VALUES (4, 42, 'audited'); UPDATE documents SET title = 'audited again' WHERE id = 4; RESET ROLE; SELECT steward.tenant_clear();
DELETE FROM documents WHERE id = 4; COMMIT;
SELECT operation, tenant_id, user_id, changed_by = 'regress_tenant_app' AS by_app FROM steward.audit_log WHERE table_name = 'documents' ORDER BY created_at, transaction_id, seq;
ALTER TABLE documents ADD updated_at timestamptz, ADD changed_by text;
CREATE TRIGGER stamp BEFORE UPDATE ON documents FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=changed_by');
BEGIN; SET LOCAL app.current_user_id = 'forged'; SELECT steward.tenant_set('42', 'alice'); UPDATE documents SET title = 'x' WHERE id = 1 RETURNING changed_by; COMMIT;

SET client_min_messages = warning;
DROP SCHEMA tenant_context CASCADE;
DROP ROLE regress_tenant_app, regress_tenant_gateway;
