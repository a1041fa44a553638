-- Nobody changes the log, and nobody drops it by mistake.  In a database of its
-- own, because parts of it are dropped in the end.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\set regression :DBNAME
CREATE DATABASE regress_audit_guard;
\c regress_audit_guard
SET client_min_messages = error;
CREATE ROLE regress_audit_super SUPERUSER;
CREATE ROLE regress_audit_app;
CREATE ROLE regress_audit_granted;
CREATE ROLE regress_audit_writer;
GRANT pg_write_all_data, pg_read_all_data TO regress_audit_writer;
SET SESSION AUTHORIZATION regress_audit_super;
CREATE EXTENSION pgcrypto SCHEMA public;
CREATE EXTENSION pg_steward;

CREATE TABLE public.t (id serial PRIMARY KEY, a text);
GRANT ALL ON public.t TO PUBLIC;
GRANT ALL ON SEQUENCE public.t_id_seq TO PUBLIC;
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('public.t');
INSERT INTO public.t (a) VALUES ('a');
SELECT count(*) > 0 AS partitions FROM steward.audit_maintain();
INSERT INTO public.t (a) VALUES ('b');

-- What comes of a command, which is always rolled back.
CREATE PROCEDURE public.try(command text) LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE command;
    RAISE EXCEPTION '% passed', command;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RAISE INFO '% %', regexp_replace(SQLERRM, '_\d{4}_\d{2}', '_YYYY_MM', 'g'), hint;
END $$;

--
-- Changing it
--

-- What comes of every way to change every table of the log.
CREATE FUNCTION public.attempts() RETURNS TABLE (role name, said text, times bigint) LANGUAGE plpgsql AS $$
DECLARE
    relation regclass;
    command text;
    results text[] := '{}';
BEGIN
    FOR relation IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p') AND starts_with(c.relname, 'audit_') LOOP
        FOREACH command IN ARRAY ARRAY[
            'INSERT INTO %1$s SELECT * FROM %1$s', 'INSERT INTO %1$s DEFAULT VALUES', 'INSERT INTO %1$s SELECT * FROM %1$s ON CONFLICT DO NOTHING',
            'UPDATE %1$s SET %2$I = %2$I', 'UPDATE ONLY %1$s SET %2$I = %2$I', 'UPDATE %1$s SET %2$I = %2$I WHERE false', 'DELETE FROM %1$s', 'DELETE FROM ONLY %1$s', 'TRUNCATE %1$s', 'TRUNCATE ONLY %1$s',
            'WITH d AS (DELETE FROM %1$s RETURNING 1) SELECT count(*) FROM d',
            'MERGE INTO %1$s t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE'] LOOP
            CONTINUE WHEN command = 'TRUNCATE ONLY %1$s' AND relation = 'steward.audit_events'::regclass;
            BEGIN
                EXECUTE format(command, relation, (SELECT attname FROM pg_attribute WHERE attrelid = relation AND attnum = 1));
                results := results || format('%s passed', format(command, relation, 'x'));
            EXCEPTION WHEN insufficient_privilege THEN
                results := results || regexp_replace(replace(SQLERRM, current_user, 'ROLE'), '(for|log) (table|view|sequence).*', '\1 table');
            END;
        END LOOP;
    END LOOP;
    RETURN QUERY SELECT current_user, r, count(*) FROM unnest(results) r GROUP BY r ORDER BY r COLLATE "C";
END $$;
SELECT said, sign(times) FROM public.attempts();
GRANT USAGE ON SCHEMA public TO PUBLIC;
SET ROLE regress_audit_app;
SELECT said, sign(times) FROM public.attempts();
SET ROLE regress_audit_writer;
SELECT said, sign(times) FROM public.attempts();
RESET ROLE;
GRANT ALL ON ALL TABLES IN SCHEMA steward TO regress_audit_granted;
SET ROLE regress_audit_granted;
SELECT said, sign(times) FROM public.attempts();
-- COPY, and what goes through a view or a cursor
\copy steward.audit_events_default FROM /dev/null
\copy steward.audit_contexts FROM /dev/null
CREATE TEMPORARY VIEW entries AS SELECT * FROM steward.audit_events;
DELETE FROM entries;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM steward.audit_events_default FOR UPDATE;
MOVE c;
DELETE FROM steward.audit_events_default WHERE CURRENT OF c;
ROLLBACK;
-- the whole of what is said
DELETE FROM steward.audit_events;
TRUNCATE steward.audit_tables;
-- it cannot turn the guard off, nor take it away, nor shut others out of the log by a trigger of its own
CALL public.try('SET steward.audit_guard = off');
CALL public.try('ALTER TABLE steward.audit_events_default DISABLE TRIGGER steward_guard');
CALL public.try('ALTER TABLE steward.audit_events_default ENABLE ROW LEVEL SECURITY');
CALL public.try('ALTER TABLE steward.audit_events DETACH PARTITION steward.audit_events_default');
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER aaa BEFORE INSERT ON steward.audit_events_default FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
INSERT INTO public.t (a) VALUES ('c');
RESET ROLE;
SELECT operation, changed_by, new_values ->> 'a' AS a FROM steward.audit_log ORDER BY transaction_id, seq;
DROP TRIGGER aaa ON steward.audit_events_default;
-- replication settings do not open it
SET session_replication_role = replica;
DELETE FROM steward.audit_events;
DELETE FROM steward.audit_events_default;
RESET session_replication_role;

-- a superuser who means it
BEGIN;
SET LOCAL steward.audit_guard = off;
UPDATE steward.audit_events SET seq = seq;
DELETE FROM steward.audit_events_default;
TRUNCATE steward.audit_events;
SELECT count(*) FROM steward.audit_log;
ROLLBACK;
SELECT count(*) FROM steward.audit_log;
DELETE FROM steward.audit_events;

--
-- Dropping it
--

CALL public.try('DROP EXTENSION pg_steward');
CALL public.try('DROP EXTENSION pg_steward CASCADE');
CALL public.try('DROP EXTENSION pgcrypto CASCADE');
CALL public.try('DROP SCHEMA steward CASCADE');
CALL public.try('DROP OWNED BY regress_audit_super CASCADE');
CALL public.try('DROP TABLE steward.audit_events CASCADE');
CALL public.try('DROP TABLE steward.audit_events_default');
DO $$
DECLARE
    p record;
BEGIN
    -- partitions with events, and one without
    FOR p IN SELECT qualified_name, lower_bound <= now() AND now() < upper_bound AS now FROM steward.audit_partitions ORDER BY lower_bound LIMIT 2 LOOP
        RAISE INFO 'of the present: %', p.now;
        CALL public.try(format('DROP TABLE %s', p.qualified_name));
    END LOOP;
END $$;
CALL public.try('DROP EVENT TRIGGER steward_audit_protect');
CALL public.try('DROP FUNCTION steward_internal.audit_guard_trigger() CASCADE');
CALL public.try('DROP TABLE steward.audit_contexts CASCADE');
CALL public.try('DROP TABLE steward.audit_tables CASCADE');
CALL public.try('ALTER TABLE steward.audit_events_default DROP COLUMN new_values CASCADE');
-- not even in two steps
DO $$
DECLARE
    p name := (SELECT qualified_name FROM steward.audit_partitions WHERE lower_bound <= now() AND now() < upper_bound);
BEGIN
    CALL public.try(format('ALTER TABLE steward.audit_events DETACH PARTITION %1$s; DROP TABLE %1$s', p));
END $$;
-- a session that has not met the library, with triggers silenced
\c -
SET client_min_messages = error;
SET session_replication_role = replica;
CALL public.try('DROP EXTENSION pg_steward CASCADE');
\c -
SET client_min_messages = error;
CALL public.try('DROP SCHEMA public CASCADE');  -- and with it pgcrypto
\c -
SET client_min_messages = error;
CALL public.try('DROP TABLE steward.audit_events_default');
SELECT count(*) FROM steward.audit_log;

-- when it is renamed, writes fail and say so; nothing is lost silently
ALTER TABLE steward.audit_contexts RENAME TO audit_contexts_away;
SET application_name = 'other';
INSERT INTO public.t (a) VALUES ('fails');
ALTER TABLE steward.audit_contexts_away RENAME TO audit_contexts;
ALTER TABLE steward.audit_events RENAME TO audit_events_away;
INSERT INTO public.t (a) VALUES ('fails');
ALTER TABLE steward.audit_events_away RENAME TO audit_events;
INSERT INTO public.t (a) VALUES ('d');
-- columns and indexes that somebody adds are kept up
ALTER TABLE steward.audit_events ADD COLUMN ticket text;
CREATE INDEX by_value ON steward.audit_events ((new_values ->> 'a')) WHERE operation = 'I';
CREATE INDEX by_operation ON steward.audit_events (operation, seq);
INSERT INTO public.t (a) SELECT 'e' || n FROM generate_series(1, 5) n;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM steward.audit_events WHERE new_values ->> 'a' LIKE 'e%' AND new_values ->> 'a' >= 'e' AND operation = 'I';
SELECT count(*) FROM steward.audit_events WHERE operation = 'I' AND seq = 4;
RESET enable_seqscan;
RESET enable_bitmapscan;
DROP INDEX steward.by_value, steward.by_operation;
ALTER TABLE steward.audit_events DROP COLUMN ticket;
INSERT INTO public.t (a) VALUES ('f');
SELECT new_values ->> 'a' AS a FROM steward.audit_log ORDER BY transaction_id, seq;

-- empty, it may go; and come back, in a session that knew the former
SET steward.audit_guard = off;
TRUNCATE steward.audit_events, steward.audit_contexts, steward.audit_tables;
RESET steward.audit_guard;
INSERT INTO public.t (a) VALUES ('after TRUNCATE');
SELECT table_name, changed_by IS NOT NULL AS context, new_values ->> 'a' AS a FROM steward.audit_log;
SET steward.audit_guard = off;
DROP EXTENSION pg_steward CASCADE;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.t'::regclass;
INSERT INTO public.t (a) VALUES ('not audited');
CREATE EXTENSION pg_steward;
RESET steward.audit_guard;
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('public.t');
INSERT INTO public.t (a) VALUES ('after DROP EXTENSION');
SELECT table_name, changed_by IS NOT NULL AS context, new_values ->> 'a' AS a FROM steward.audit_log;
BEGIN;
SET LOCAL steward.audit_guard = off;
DROP EXTENSION pg_steward CASCADE;
ROLLBACK;
INSERT INTO public.t (a) VALUES ('after ROLLBACK');
SELECT table_name, changed_by IS NOT NULL AS context, new_values ->> 'a' AS a FROM steward.audit_log ORDER BY transaction_id, seq;
SET steward.audit_guard = off;
TRUNCATE steward.audit_events;
RESET steward.audit_guard;
DROP EXTENSION pg_steward CASCADE;

\c :regression
DROP DATABASE regress_audit_guard;
DROP ROLE regress_audit_super, regress_audit_app, regress_audit_granted, regress_audit_writer;
