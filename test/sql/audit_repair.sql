-- One command has every audit trigger fire always again, and gives the log what it lacks.  In a database of its own, because
-- it looks at all tables.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\set regression :DBNAME
CREATE DATABASE regress_audit_repair;
\c regress_audit_repair
SET client_min_messages = error;
CREATE EXTENSION pg_steward CASCADE;
CREATE ROLE regress_audit_repair_super SUPERUSER;
SET SESSION AUTHORIZATION regress_audit_repair_super;
CREATE ROLE regress_audit_repair_owner;
GRANT CREATE ON SCHEMA public TO regress_audit_repair_owner;

SET ROLE regress_audit_repair_owner;
CREATE TABLE "Own table" (id integer PRIMARY KEY);
SELECT count(*) FROM steward.audit_enable('"Own table"', exclude => '{}');
RESET ROLE;
CREATE TABLE parted (id integer PRIMARY KEY) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE kept_off (id integer PRIMARY KEY);
SELECT count(*) FROM steward.audit_enable('parted');
SELECT count(*) FROM steward.audit_enable('kept_off', always => false);

CREATE VIEW triggers AS
SELECT regexp_replace(t.tgrelid::regclass::text, '_\d{4}_\d{2}$', '_YYYY_MM') AS relation, t.tgname, t.tgenabled, count(*)
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname ~ '^audit' GROUP BY 1, 2, 3;
CREATE VIEW coverage AS
SELECT table_name, finding, detail, remedy FROM steward.audit_coverage ORDER BY table_name COLLATE "C", finding, detail;

-- nothing is amiss but what was asked for
SELECT * FROM steward.audit_repair(dry_run => true);
SELECT table_name, finding FROM coverage;
SELECT * FROM steward.audit_repair('parted');
SELECT count(*) > 1 AS partitions FROM steward.audit_maintain();
SELECT * FROM triggers ORDER BY relation COLLATE "C", tgname, tgenabled;

-- as pg_restore --disable-triggers leaves them, and as somebody else may
ALTER TABLE "Own table" ENABLE TRIGGER ALL;
ALTER TABLE parted ENABLE TRIGGER ALL;
ALTER TABLE parted DISABLE TRIGGER steward_audit;
ALTER TABLE ONLY parted_1 ENABLE TRIGGER ALL;
ALTER TABLE steward.audit_contexts ENABLE TRIGGER ALL;
ALTER TABLE steward.audit_events_default DISABLE TRIGGER ALL;
ALTER TABLE steward.audit_events_default DISABLE ROW LEVEL SECURITY;
DROP TRIGGER steward_guard ON steward.audit_tables;
DROP POLICY steward_readers ON steward.audit_events;
DROP TRIGGER steward_restore ON steward.audit_events;
SET steward.audit_guard = off;
DO $$ BEGIN EXECUTE 'DROP INDEX ' || (SELECT string_agg(indexrelid::regclass::text, ', ') FROM pg_index WHERE indrelid = 'steward.audit_events_default'::regclass); END $$;
RESET steward.audit_guard;
SELECT * FROM coverage;
SELECT finding, severity, object, remedy FROM steward.findings WHERE finding = 'audit: log incomplete' ORDER BY object;
SELECT status, value FROM steward.health_check WHERE check_name = 'audit_log';

-- the owner of a table mends it, and nothing else
SET ROLE regress_audit_repair_owner;
SELECT * FROM steward.audit_repair(dry_run => true);
SELECT * FROM steward.audit_repair('parted');
SELECT * FROM steward.audit_repair();
SELECT * FROM steward.audit_repair();
RESET ROLE;
-- one table
SELECT * FROM steward.audit_repair('parted', dry_run => true);
SELECT * FROM steward.audit_repair('parted');
-- all
SELECT * FROM steward.audit_repair();
SELECT * FROM steward.audit_repair();
SELECT * FROM triggers ORDER BY relation COLLATE "C", tgname, tgenabled;
SELECT * FROM coverage;
SELECT status, value FROM steward.health_check WHERE check_name = 'audit_log';
DELETE FROM steward.audit_events_default;
DELETE FROM steward.audit_tables;
ALTER TABLE steward.audit_events_default DISABLE TRIGGER ALL;
SELECT * FROM steward.audit_repair();
SELECT * FROM steward.audit_repair(dry_run => NULL);

\c :regression
DROP DATABASE regress_audit_repair;
DROP ROLE regress_audit_repair_owner, regress_audit_repair_super;
