-- Upkeep triggers that fail whenever they fire: health and findings know each of them, and the ALTER that makes one warns.
\set SHOW_CONTEXT never
CREATE SCHEMA "Upkeep faults";
SET search_path = "Upkeep faults";
\set long abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk

CREATE VIEW problems AS
SELECT severity, object, detail, remedy FROM steward.findings WHERE finding = 'upkeep_trigger' AND object LIKE '"Upkeep faults"%' ORDER BY object COLLATE "C";
-- Whether an UPDATE of all rows works.
CREATE FUNCTION writes(relation regclass) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %s SET n = n + 1', relation);
    RETURN 'works';
EXCEPTION WHEN OTHERS THEN
    RETURN format('%s: %s', SQLSTATE, SQLERRM);
END $$;

--
-- A column that is renamed is followed; one that is dropped, or gets another type, is warned of
--

CREATE TABLE "Ta""ble" (id integer PRIMARY KEY, n integer, "Stamp'ed" timestamptz, :"long" bigint DEFAULT 1, by_whom text, seen integer);
INSERT INTO "Ta""ble" VALUES (1, 1);
SELECT count(*) FROM steward.updated_at_enable('"Ta""ble"', 'Stamp''ed', by => 'by_whom', ignore => '{seen}'), steward.row_version_enable('"Ta""ble"', :'long');
ALTER TABLE "Ta""ble" RENAME "Stamp'ed" TO "Stamp""ed";
ALTER TABLE "Ta""ble" RENAME by_whom TO "By";
ALTER TABLE "Ta""ble" DROP seen;
SELECT * FROM problems;
SELECT writes('"Ta""ble"');
BEGIN;
ALTER TABLE "Ta""ble" DROP "Stamp""ed", DROP :"long";
SELECT * FROM problems;
SELECT writes('"Ta""ble"');
SELECT remedy FROM problems \gexec
SELECT * FROM problems;
SELECT writes('"Ta""ble"');
ROLLBACK;
BEGIN;
ALTER TABLE "Ta""ble" ALTER "Stamp""ed" TYPE text, ALTER :"long" TYPE numeric;
SELECT severity, detail FROM problems;
ROLLBACK;
-- what is no column of the trigger is nobody's business; NOT VALID, ONLY and IF EXISTS say the same
BEGIN;
ALTER TABLE "Ta""ble" DROP "By", ADD more text;
ALTER TABLE ONLY "Ta""ble" DROP IF EXISTS nothing;
SELECT count(*) FROM problems;
ALTER TABLE IF EXISTS "Ta""ble" DROP IF EXISTS :"long";
ROLLBACK;
-- a type takes its columns along
BEGIN;
CREATE DOMAIN moment AS timestamptz;
ALTER TABLE "Ta""ble" ALTER "Stamp""ed" TYPE moment;
DROP DOMAIN moment CASCADE;
SELECT severity, detail FROM problems;
ROLLBACK;
-- a role that owns nothing but the table is told, too
CREATE ROLE regress_upkeep_faults;
GRANT USAGE, CREATE ON SCHEMA "Upkeep faults" TO regress_upkeep_faults;
BEGIN;
ALTER TABLE "Ta""ble" OWNER TO regress_upkeep_faults;
SET LOCAL ROLE regress_upkeep_faults;
SET LOCAL search_path = '';
ALTER TABLE "Upkeep faults"."Ta""ble" DROP "Stamp""ed";
ROLLBACK;
-- without the library's event trigger nothing is followed, and still it is told
BEGIN;
ALTER EVENT TRIGGER steward_upkeep_warn DISABLE;
ALTER TABLE "Ta""ble" DROP "Stamp""ed";
SELECT severity, detail FROM problems;
-- disabled it fails no write
ALTER TABLE "Ta""ble" DISABLE TRIGGER USER;
SELECT severity, object, detail, remedy FROM problems;
ROLLBACK;
DROP TABLE "Ta""ble";

--
-- Partitions and children
--

CREATE TABLE parted (id integer, n integer, updated_at timestamptz) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1) PARTITION BY LIST (n);
CREATE TABLE part_1_1 PARTITION OF part_1 DEFAULT;
CREATE TABLE base (id integer, n integer, updated_at timestamptz);
CREATE TABLE child () INHERITS (base);
SELECT count(*) FROM steward.updated_at_enable('parted');
SELECT count(*) FROM steward.updated_at_enable('base');
BEGIN;
ALTER TABLE parted DROP updated_at;
SELECT object FROM problems;
SELECT remedy FROM problems \gexec
SELECT count(*) FROM problems;
ALTER TABLE base DROP updated_at;
SELECT object FROM problems;
SELECT remedy FROM problems \gexec
SELECT count(*) FROM problems;
ROLLBACK;
BEGIN;
ALTER TABLE part_1 DISABLE TRIGGER steward_updated_at;
SELECT * FROM problems;
SELECT remedy FROM problems \gexec
SELECT count(*) FROM problems;
ROLLBACK;
DROP TABLE parted, child, base;

--
-- The other kinds
--

CREATE TABLE texts (id integer PRIMARY KEY, n integer, title text, body text, lang regconfig DEFAULT 'english', vector tsvector);
CREATE TRIGGER search BEFORE INSERT OR UPDATE ON texts FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title:A', 'body', 'config_column=lang', 'config=simple');
INSERT INTO texts VALUES (1, 1, 'cats', 'dogs');
-- one of several sources goes, the last one is missed
BEGIN;
ALTER TABLE texts DROP title;
SELECT count(*) FROM problems;
SELECT writes('texts');
INSERT INTO texts VALUES (2, 1, 'mice');
SELECT id, vector FROM texts ORDER BY id;
ALTER TABLE texts DROP body;
SELECT severity, detail, remedy FROM problems;
ROLLBACK;
BEGIN;
ALTER TABLE texts DROP vector;
ROLLBACK;
BEGIN;
ALTER TABLE texts DROP lang;
ROLLBACK;
DROP TABLE texts;

CREATE TABLE ledger (id integer PRIMARY KEY, n integer);
CREATE TRIGGER own BEFORE UPDATE ON ledger FOR EACH ROW EXECUTE FUNCTION steward.append_only_trigger('alow=nobody');
SELECT * FROM problems;
SELECT remedy FROM problems \gexec
SELECT count(*) FROM problems;
ALTER TABLE ledger DISABLE TRIGGER USER;
SELECT severity, detail, remedy FROM problems;
DROP TABLE ledger;

CREATE TABLE kept (id integer PRIMARY KEY, n integer, deleted_at timestamptz);
SELECT count(*) > 0 AS enabled FROM steward.soft_delete_enable('kept');
BEGIN;
ALTER TABLE kept ALTER deleted_at SET NOT NULL;
SELECT DISTINCT severity, detail FROM problems;
ROLLBACK;
ALTER TABLE kept DISABLE TRIGGER USER;
SELECT DISTINCT severity, detail FROM problems;
DROP TABLE kept CASCADE;

-- attached as none of them can work
CREATE TABLE wrong (id integer PRIMARY KEY, n integer, updated_at timestamptz, version integer);
CREATE TRIGGER a AFTER UPDATE ON wrong FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at');
CREATE TRIGGER b BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
CREATE TRIGGER c BEFORE UPDATE ON wrong EXECUTE FUNCTION steward.append_only_trigger();
CREATE TRIGGER d AFTER DELETE ON wrong FOR EACH ROW EXECUTE FUNCTION steward.soft_delete_trigger('updated_at');
CREATE TRIGGER e BEFORE UPDATE ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_parent_trigger('id', 'n');
CREATE TRIGGER f BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_fill_trigger('tenant_id');
SELECT severity, object, detail FROM problems;
-- one fault or many, by the same statements
SELECT status, value >= 5 AS all_of_them FROM steward.health_check WHERE check_name = 'upkeep_triggers';
SELECT remedy FROM problems \gexec
SELECT count(*) FROM problems;
DROP TABLE wrong;

-- what is not there has no fault
SELECT steward_internal.upkeep_fault(0, 'a'), steward_internal.upkeep_fault('pg_class', 'a'), steward_internal.upkeep_fault('problems', 'a');

SET client_min_messages = warning;
DROP SCHEMA "Upkeep faults" CASCADE;
DROP ROLE regress_upkeep_faults;
