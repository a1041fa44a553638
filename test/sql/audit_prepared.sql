-- Prepared transactions.  Where max_prepared_transactions is 0 there is nothing to test,
-- and the output is the same.
SET client_min_messages = error;
SELECT current_setting('max_prepared_transactions')::integer > 0 AS can_prepare \gset

CREATE SCHEMA audit_prepared;
CREATE TABLE audit_prepared.pair (id integer PRIMARY KEY, a text);
CREATE TABLE audit_prepared.late (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_prepared.pair'); END $$;
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON audit_prepared.late
 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();

-- What the log has: every event with a context, a table and a number of its own.
CREATE FUNCTION audit_prepared.log() RETURNS text LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', l.table_name, l.operation, l.record_id, l.context ->> 'step',
                           CASE WHEN l.changed_by IS NULL THEN 'by nobody' END), ', ' ORDER BY l.record_id::integer, l.seq), 'nothing')
  FROM steward.audit_log l
 WHERE l.table_schema = 'audit_prepared'
$$;
\set one 'nothing'
\set two 'nothing'
\set three 'pair INSERT 1 prepared'
\set four 'pair INSERT 1 prepared, pair UPDATE 1 given up, pair INSERT 3 given up'
\set five 'late INSERT 5 deferred'

\if :can_prepare

-- the first event of a session and of a table: what was learned in it must not be kept
BEGIN;
SET LOCAL steward.context = '{"step": "prepared"}';
INSERT INTO audit_prepared.pair VALUES (1, 'a');
PREPARE TRANSACTION 'regress_audit_1';
BEGIN;
SET LOCAL steward.context = '{"step": "given up"}';
INSERT INTO audit_prepared.pair VALUES (2, 'b');
SAVEPOINT s;
UPDATE audit_prepared.pair SET a = 'B' WHERE id = 2;
RELEASE s;
PREPARE TRANSACTION 'regress_audit_2';
SELECT audit_prepared.log() AS one \gset
ROLLBACK PREPARED 'regress_audit_2';
SELECT audit_prepared.log() AS two \gset
COMMIT PREPARED 'regress_audit_1';
SELECT audit_prepared.log() AS three \gset

-- the same contexts again, in this session
BEGIN;
SET LOCAL steward.context = '{"step": "prepared"}';
UPDATE audit_prepared.pair SET a = 'lost' WHERE id = 1;
PREPARE TRANSACTION 'regress_audit_3';
ROLLBACK PREPARED 'regress_audit_3';
BEGIN;
SET LOCAL steward.context = '{"step": "given up"}';
UPDATE audit_prepared.pair SET a = 'A' WHERE id = 1;
INSERT INTO audit_prepared.pair VALUES (3, 'c');
COMMIT;
SELECT audit_prepared.log() AS four \gset

-- deferred triggers fire before the transaction is prepared
BEGIN;
SET LOCAL steward.context = '{"step": "deferred"}';
INSERT INTO audit_prepared.late VALUES (5, 'e');
PREPARE TRANSACTION 'regress_audit_4';
COMMIT PREPARED 'regress_audit_4';
SELECT substr(audit_prepared.log(), length(:'four') + 3) AS five \gset

\endif

\echo :one
\echo :two
\echo :three
\echo :four
\echo :five

DROP SCHEMA audit_prepared CASCADE;
