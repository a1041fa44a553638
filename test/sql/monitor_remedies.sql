-- What is called remedy anywhere is commands that run as they are: a database full of faults, and all that is proposed for them.
SELECT current_database() AS regression \gset
CREATE DATABASE regress_remedies;
\c regress_remedies
\set ECHO none
SET client_min_messages = warning;
CREATE EXTENSION pg_steward CASCADE;
\set setup `echo "$PG_ABS_SRCDIR/data/tenant_holes.sql"`
\i :setup
\set ECHO all
SET client_min_messages = error;

-- faults of tables, indexes, constraints, sequences and triggers; names need quotes
CREATE SCHEMA "Shop 1";
SET search_path = "Shop 1";
CREATE TABLE "Parent's" (id integer PRIMARY KEY);
CREATE TABLE "Chil.d" (id smallint GENERATED ALWAYS AS IDENTITY, "A b" integer NOT NULL REFERENCES "Parent's", parent integer, updated_at timestamptz, title text, "Text" text)
    WITH (autovacuum_enabled = off);
SELECT setval(pg_get_serial_sequence('"Chil.d"', 'id'), 32000);
CREATE TABLE "no key" (v integer NOT NULL UNIQUE);
CREATE TABLE narrow (n serial, m smallint);
SELECT setval('narrow_n_seq', 2147000000);
CREATE UNIQUE INDEX one ON "Chil.d" (id);
CREATE INDEX "again" ON "Chil.d" (id);
ALTER TABLE "Chil.d" ADD CONSTRAINT "not; valid" CHECK (parent > 0) NOT VALID;
ALTER TABLE "Chil.d" ADD CONSTRAINT "off" FOREIGN KEY (parent) REFERENCES "Parent's";
ALTER TABLE "Chil.d" DISABLE TRIGGER ALL;
CREATE RULE "No delete" AS ON DELETE TO "Parent's" DO INSTEAD NOTHING;
ALTER TABLE "Parent's" DISABLE RULE "No delete";
CREATE TABLE twice (n integer);
INSERT INTO twice SELECT 1 FROM generate_series(1, 1000);
CREATE UNIQUE INDEX CONCURRENTLY broken ON twice (n);
TRUNCATE twice;
CREATE FUNCTION nothing() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER "Regress off" ON ddl_command_end EXECUTE FUNCTION nothing();
ALTER EVENT TRIGGER "Regress off" DISABLE;
CREATE TABLE parted (a integer) PARTITION BY LIST (a);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
INSERT INTO parted VALUES (1);
SELECT pg_stat_force_next_flush();
SELECT count(*) > 0 AS stamped FROM steward.updated_at_enable('"Chil.d"');
ALTER TABLE "Chil.d" DISABLE TRIGGER steward_updated_at;
CREATE TABLE "Fails 1" (id integer PRIMARY KEY, "Stamp" timestamptz, version text, vector tsvector, body text, gone timestamptz);
CREATE TRIGGER "A b" BEFORE UPDATE ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('gone');
CREATE TRIGGER "it's" BEFORE UPDATE ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
CREATE TRIGGER a BEFORE INSERT ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'body', 'config=none');
CREATE TRIGGER b BEFORE DELETE ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('x');
CREATE TRIGGER c BEFORE DELETE ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('version');
CREATE TRIGGER d AFTER UPDATE ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_cascade_trigger('version');
CREATE TRIGGER e BEFORE INSERT ON "Fails 1" FOR EACH ROW EXECUTE FUNCTION steward.tenant_parent_trigger('id', 'gone');
ALTER TABLE "Fails 1" DROP gone;
SELECT count(*) AS fail, count(DISTINCT remedy) AS remedies FROM steward.findings WHERE finding = 'upkeep_trigger' AND severity = 'CRITICAL' AND object LIKE '%Fails%';
INSERT INTO steward.health_thresholds (check_name) VALUES ('it isn''t');

-- faults of audit
CREATE TABLE silent (id integer PRIMARY KEY);
CREATE TABLE partly (id integer PRIMARY KEY, "A" text, b text);
CREATE TABLE wrongly (id integer PRIMARY KEY);
CREATE TABLE renamed (id integer PRIMARY KEY, old_name text);
SELECT count(*) > 0 AS audited FROM steward.audit_enable('silent') a, steward.audit_enable('renamed', exclude => '{old_name}') b, steward.audit_enable('"no key"') c;
ALTER TABLE silent DISABLE TRIGGER ALL;
ALTER TABLE renamed RENAME old_name TO new_name;
CREATE TRIGGER own AFTER UPDATE ON partly FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('include=b', 'capture=full');
CREATE TRIGGER own BEFORE INSERT ON wrongly FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
ALTER TABLE steward.audit_tables DISABLE TRIGGER ALL;

-- faults between tenants, besides those of the policies that people write
ALTER ROLE regress_holes_owner LOGIN;
ALTER ROLE regress_holes_app LOGIN CREATEROLE REPLICATION;
ALTER ROLE regress_holes_app SET app.tenant_id = '1';
GRANT regress_holes_owner TO regress_holes_app;
GRANT CREATE ON SCHEMA ours TO regress_holes_app;
CREATE VIEW ours.everything AS TABLE ours.account;
CREATE FUNCTION ours.count() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM ours.account';
CREATE FUNCTION ours.leak(text) RETURNS boolean LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT true';
CREATE FUNCTION ours."Tenant"() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT steward.current_tenant_int()';
CREATE TABLE ours.more (tenant_id integer, at timestamptz, n integer) PARTITION BY RANGE (at);
CREATE TABLE ours.more_1 PARTITION OF ours.more DEFAULT;
CREATE INDEX ON ours.more (at);
CREATE POLICY "by function" ON ours.more USING (tenant_id = ours."Tenant"());
CREATE POLICY "all" ON ours.more FOR SELECT USING (true);
ALTER TABLE ours.more ENABLE ROW LEVEL SECURITY;
GRANT ALL ON ALL TABLES IN SCHEMA ours TO regress_holes_app;
ALTER POLICY steward_tenant_floor ON ours.account USING (true);
RESET search_path;

-- Runs commands and takes them back; returns what is wrong with them. What ends sessions or outlives a rollback is only parsed.
CREATE FUNCTION pg_temp.fault(commands text) RETURNS text LANGUAGE plpgsql STRICT AS $$
BEGIN
    IF commands !~ ';$' OR commands LIKE '%...%' THEN
        RETURN 'not a command';
    END IF;
    BEGIN
        EXECUTE regexp_replace(commands, 'pg_(terminate_backend|drop_replication_slot)\(', 'quote_literal(', 'g');
        RAISE SQLSTATE 'STWRD';
    EXCEPTION
        WHEN SQLSTATE 'STWRD' THEN RETURN NULL;
        -- once more without what keeps it out of transactions; there is no other way for the rest
        WHEN active_sql_transaction THEN
            RETURN CASE WHEN commands ~ ' CONCURRENTLY ' THEN pg_temp.fault(replace(commands, ' CONCURRENTLY ', ' '))
                        WHEN commands ~ '^ALTER SYSTEM SET' THEN pg_temp.fault(replace(commands, 'ALTER SYSTEM SET', 'SET LOCAL')) END;
        -- a setting of the server
        WHEN cant_change_runtime_param THEN RETURN NULL;
        WHEN OTHERS THEN RETURN format('%s: %s', SQLSTATE, SQLERRM);
    END;
END $$;

-- Everything in the schema that has a column remedy; null where nobody knows a command. What is ours may be as it is.
CREATE TABLE pg_temp.remedies (source text, kind text, remedy text);
DO $$
DECLARE
    s record;
BEGIN
    FOR s IN
        SELECT c.relname AS source, format('steward.%I', c.relname) AS rows
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
         WHERE c.relnamespace = 'steward'::regnamespace AND a.attname = 'remedy'
         UNION ALL
        SELECT p.proname, format('steward.%I()', p.proname) FROM pg_proc p WHERE p.pronamespace = 'steward'::regnamespace AND 'remedy' = ANY (p.proargnames) AND p.pronargs = p.pronargdefaults
    LOOP
        EXECUTE format('INSERT INTO pg_temp.remedies SELECT %L, coalesce(to_jsonb(r) ->> ''finding'', to_jsonb(r) ->> ''rule'', to_jsonb(r) ->> ''check_name'', to_jsonb(r) ->> ''kind''), r.remedy FROM %s r WHERE to_jsonb(r) ->> ''schema_name'' IS DISTINCT FROM ''steward'' ',
                       s.source, s.rows);
    END LOOP;
END $$;
SELECT r.source, r.remedy, f.fault
  FROM (SELECT DISTINCT source, remedy FROM pg_temp.remedies) r
 CROSS JOIN LATERAL pg_temp.fault(r.remedy) f(fault)
 WHERE f.fault IS NOT NULL
 ORDER BY r.source COLLATE "C", r.remedy COLLATE "C";
SELECT source FROM pg_temp.remedies GROUP BY source ORDER BY source COLLATE "C";
SELECT source, kind, count(*) > count(remedy) AS without, count(remedy) > 0 AS with
  FROM pg_temp.remedies
 WHERE source IN ('audit_coverage', 'tenant_check', 'all_findings', 'invalid_objects')
   AND kind NOT IN ('replication_slot', 'server_version', 'tenant: server_version', 'database', 'invalid_database', 'statements_visible', 'tenant: statements_visible')
 GROUP BY source, kind ORDER BY source COLLATE "C", kind COLLATE "C";

DROP EVENT TRIGGER "Regress off";
\c :regression
SET client_min_messages = error;
DROP DATABASE regress_remedies;
DROP ROLE regress_holes_gateway, regress_holes_app, regress_holes_owner, regress_holes_admin, regress_holes_other;
