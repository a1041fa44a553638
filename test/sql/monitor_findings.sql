-- Findings, maintenance commands and readiness: the example of doc/monitor_findings.md, in a database of its own.
\set back :DBNAME
CREATE DATABASE regress_findings;
\c regress_findings
SET client_min_messages = warning;
CREATE EXTENSION pg_steward CASCADE;
RESET client_min_messages;
-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
-- nothing to find in a database that has nothing
SELECT * FROM steward.all_findings;

CREATE SCHEMA shop;
CREATE TABLE shop.customers (id integer PRIMARY KEY);
CREATE TABLE shop.orders (id integer PRIMARY KEY, customer integer REFERENCES shop.customers, total numeric);
CREATE INDEX orders_again ON shop.orders (id);
SELECT finding, severity, object, remedy FROM steward.findings ORDER BY finding_key COLLATE "C";
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('redundant_index:shop.orders_again', 'a trial until spring');
SELECT finding, object FROM steward.findings ORDER BY finding_key COLLATE "C";
SELECT command, reason, undo FROM steward.maintenance_commands WHERE object LIKE 'shop.%';

-- until the time comes
UPDATE steward.muted_findings SET muted_until = now() - interval '1 second';
SELECT object, is_muted, mute_reason FROM steward.all_findings WHERE finding = 'redundant_index';
DELETE FROM steward.muted_findings;

-- one of each, with names that need quotes, and each twice in two schemas
CREATE SCHEMA "Other.One";
DO $$
DECLARE
    place name;
BEGIN
    FOREACH place IN ARRAY '{shop,Other.One}'::name[] LOOP
        PERFORM set_config('search_path', quote_ident(place) || ', pg_catalog', true);
        CREATE TABLE "The ""Parent""" ("A b" integer PRIMARY KEY);
        CREATE TABLE "no key" (v integer);
        CREATE TABLE "Chil.d" (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "A b" integer REFERENCES "The ""Parent""", other integer REFERENCES "The ""Parent""",
                               tenant_id integer NOT NULL, updated_at timestamptz) WITH (autovacuum_enabled = off);
        ALTER TABLE "Chil.d" ADD CONSTRAINT "not; valid" CHECK (other > 0) NOT VALID;
        CREATE INDEX "Extra" ON "Chil.d" (id) WHERE id > 7;
        CREATE INDEX "Extra too" ON "Chil.d" (id) WHERE id > 7;
        INSERT INTO "The ""Parent""" SELECT generate_series(1, 100);
        PERFORM setval(pg_get_serial_sequence('"Chil.d"', 'id'), 32000);
        PERFORM steward.audit_enable('"Chil.d"');
        ALTER TABLE "Chil.d" DISABLE TRIGGER steward_audit;
        CREATE TRIGGER touch BEFORE UPDATE ON "Chil.d" FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
        ALTER TABLE "Chil.d" DISABLE TRIGGER touch;
    END LOOP;
    RESET search_path;
END $$;
SELECT pg_stat_force_next_flush();
-- whether the log has partitions is the business of other tests
SELECT severity, finding_key FROM steward.all_findings WHERE finding <> 'audit_default_partition' ORDER BY finding_key COLLATE "C";
SELECT count(*) AS found, count(DISTINCT finding_key) AS keys, count(*) FILTER (WHERE detail IS NULL OR severity NOT IN ('INFO', 'WARNING', 'CRITICAL')) AS wrong,
       count(*) FILTER (WHERE object LIKE 'steward.%') AS ours
  FROM steward.all_findings WHERE finding <> 'audit_default_partition';
SELECT check_name, status, value, detail FROM steward.health_check WHERE check_name IN ('audit_triggers', 'sequences', 'upkeep_triggers', 'tenant_isolation') ORDER BY 1;

-- tables of tenants: once one has row security, those that have none matter
CREATE ROLE regress_findings;
GRANT SELECT ON shop."Chil.d" TO regress_findings;
ALTER TABLE "Other.One"."Chil.d" ENABLE ROW LEVEL SECURITY;
SELECT check_name, status, value, detail FROM steward.health_check WHERE check_name = 'tenant_isolation';
SELECT severity, object FROM steward.findings WHERE finding = 'tenant: no_rls' ORDER BY 2;
SELECT status, detail FROM steward.readiness WHERE item = 'tenants are kept apart';
ALTER TABLE "Other.One"."Chil.d" DISABLE ROW LEVEL SECURITY;
DROP OWNED BY regress_findings;
DROP ROLE regress_findings;

-- the commands do what they say, as they are written
CREATE TABLE before AS SELECT command, undo FROM steward.maintenance_commands WHERE object LIKE 'shop.%' OR object LIKE '"Other.One".%';
SELECT priority, command, reason, undo FROM steward.maintenance_commands WHERE object LIKE 'shop.%' OR object LIKE '"Other.One".%';
SELECT command FROM steward.maintenance_commands WHERE object LIKE 'shop.%' OR object LIKE '"Other.One".%' \gexec
SELECT priority, command, reason, undo FROM steward.maintenance_commands WHERE object LIKE 'shop.%' OR object LIKE '"Other.One".%';
SELECT finding, object FROM steward.findings WHERE finding IN ('foreign_key_without_index', 'redundant_index', 'invalid_constraint', 'stale_statistics') ORDER BY finding_key COLLATE "C";
-- and so do those that take it back
SELECT undo FROM before WHERE undo IS NOT NULL \gexec
SELECT object FROM steward.findings WHERE finding = 'redundant_index' ORDER BY 1;
DROP TABLE before;
-- and what single findings say
SELECT remedy FROM steward.findings WHERE finding IN ('audit: trigger disabled', 'autovacuum_off', 'upkeep_trigger') ORDER BY finding_key COLLATE "C" \gexec
SELECT finding, object FROM steward.findings WHERE finding IN ('audit: trigger disabled', 'autovacuum_off', 'upkeep_trigger') ORDER BY finding_key COLLATE "C";

-- no view runs anything
SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'steward_internal'::regnamespace AND p.proname IN ('findings_run', 'findings_bloat', 'findings_of_policies', 'maintenance_run', 'readiness_run')
   AND (p.provolatile <> 's' OR p.prosecdef);

--
-- Readiness
--
-- every item of the checklist has rows, and what only people know is not called fine
SELECT area, count(*) AS items, count(*) FILTER (WHERE status NOT IN ('OK', 'MISSING', 'FAILING', 'UNKNOWN')) AS wrong,
       count(*) FILTER (WHERE status <> 'OK' AND remedy IS NULL AND detail IS NULL) AS unexplained
  FROM steward.readiness GROUP BY area ORDER BY area COLLATE "C";
SELECT item, status FROM steward.readiness WHERE detail = 'the server cannot know' ORDER BY item COLLATE "C";
SELECT status, detail FROM steward.readiness WHERE item = 'there is a baseline to compare with';
SELECT steward.snapshot() > 0, steward.snapshot() > 0;
SELECT status FROM steward.readiness WHERE item = 'there is a baseline to compare with';
UPDATE steward.snapshots SET taken_at = taken_at - interval '8 days' WHERE id = (SELECT min(id) FROM steward.snapshots);
SELECT status FROM steward.readiness WHERE item = 'there is a baseline to compare with';
SELECT status, detail FROM steward.readiness WHERE item = 'tables have comments';

\c :back
DROP DATABASE regress_findings;
