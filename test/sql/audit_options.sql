-- The options of audit triggers follow columns that are renamed or dropped, whoever does it: each of these sessions
-- begins with an ALTER, without the library.
SET client_min_messages = error;
\set SHOW_CONTEXT never
CREATE SCHEMA audit_options;
SET steward.audit_redaction_key = 'regress secret';

CREATE TABLE audit_options.plain (id integer PRIMARY KEY, a text, "B b" text, c text, card text);
CREATE TABLE audit_options.listed (id integer PRIMARY KEY, a text, b text, c text);
CREATE TABLE audit_options.part (id integer PRIMARY KEY, a text, card text, secret text) PARTITION BY LIST (id);
-- a partition with other column numbers
CREATE TABLE audit_options.part_1 (gone integer, secret text, card text, a text, id integer NOT NULL);
ALTER TABLE audit_options.part_1 DROP gone;
ALTER TABLE audit_options.part ATTACH PARTITION audit_options.part_1 FOR VALUES IN (1);
CREATE TABLE audit_options.parent (id integer PRIMARY KEY, a text, secret text);
CREATE TABLE audit_options.child (PRIMARY KEY (id), b text) INHERITS (audit_options.parent);
CREATE TYPE audit_options.pair AS (id integer, a text, secret text);
CREATE TABLE audit_options.typed OF audit_options.pair (PRIMARY KEY (id));
CREATE DOMAIN audit_options.hush AS text;
CREATE FUNCTION audit_options.whisper(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower($1) $$;
CREATE TABLE audit_options.cascaded (id integer PRIMARY KEY, a text, one audit_options.hush, two audit_options.hush, three text GENERATED ALWAYS AS (audit_options.whisper(a)) STORED);
DO $$ BEGIN
    PERFORM steward.audit_enable('audit_options.plain', exclude => '{a,"B b"}', redact => '{card}'),
            steward.audit_enable('audit_options.listed', include => '{a,b}'),
            steward.audit_enable('audit_options.part', exclude => '{secret}', redact => '{card}', capture => 'full'),
            steward.audit_enable('audit_options.parent', exclude => '{secret}'),
            steward.audit_enable('audit_options.typed', exclude => '{secret}'),
            steward.audit_enable('audit_options.cascaded', exclude => '{one,two,three}');
END $$;
CREATE VIEW audit_options.arguments AS
SELECT t.tgrelid::regclass::text AS relation, t.tgnargs AS n, encode(t.tgargs, 'escape') AS arguments
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE t.tgfoid = 'steward.audit_trigger'::regproc AND c.relnamespace = 'audit_options'::regnamespace AND t.tgtype & 32 = 0
 ORDER BY t.tgrelid::regclass::text COLLATE "C";

\c -
ALTER TABLE audit_options.plain RENAME a TO "A, ""quoted""";
\c -
ALTER VIEW audit_options.plain RENAME "B b" TO b;
\c -
ALTER TABLE audit_options.plain RENAME card TO card_number;
\c -
ALTER TABLE audit_options.listed RENAME a TO a2;
\c -
ALTER TABLE audit_options.part RENAME secret TO hidden;
ALTER TABLE audit_options.part RENAME card TO card_number;
\c -
ALTER TABLE audit_options.parent RENAME secret TO hidden;
\c -
ALTER TYPE audit_options.pair RENAME ATTRIBUTE secret TO hidden CASCADE;
\c -
TABLE audit_options.arguments;
-- what has another name is recorded as it was
SET steward.audit_redaction_key = 'regress secret';
INSERT INTO audit_options.plain VALUES (1, 'secret', 'secret', 'c', '4111 1111');
UPDATE audit_options.plain SET "A, ""quoted""" = 'secret too', b = 'secret too';
INSERT INTO audit_options.listed VALUES (1, 'a', 'b', 'secret');
INSERT INTO audit_options.part VALUES (1, 'a', '4111 1111', 'secret');
INSERT INTO audit_options.part_1 (id, a, hidden) VALUES (1, 'a', 'secret') ON CONFLICT (id) DO UPDATE SET a = 'A', hidden = 'secret too';
INSERT INTO audit_options.parent VALUES (1, 'a', 'secret');
INSERT INTO audit_options.child VALUES (2, 'a', 'secret', 'b');
INSERT INTO audit_options.typed VALUES (1, 'a', 'secret');
SELECT table_name, operation, new_values || CASE WHEN new_values ->> 'card_number' LIKE 'hmac:%' THEN '{"card_number": "hmac"}' ELSE '{}' END::jsonb AS new_values
  FROM steward.audit_log WHERE table_schema = 'audit_options' ORDER BY created_at, seq;
SELECT count(*) AS leaks FROM steward.audit_log WHERE table_schema = 'audit_options' AND concat(old_values, new_values) ~ 'secret|4111';

-- dropped: nothing fails, and what is left of the options holds
\c -
ALTER TABLE audit_options.plain DROP b, DROP card_number;
\c -
ALTER TABLE audit_options.listed DROP a2;
\c -
ALTER TABLE audit_options.part DROP hidden;
\c -
ALTER TABLE audit_options.parent DROP hidden;
\c -
SET client_min_messages = error;
DROP DOMAIN audit_options.hush CASCADE;
\c -
SET client_min_messages = error;
DROP FUNCTION audit_options.whisper CASCADE;
TABLE audit_options.arguments;
INSERT INTO audit_options.plain VALUES (2, 'secret', 'c');
INSERT INTO audit_options.listed VALUES (2, 'b', 'secret');
INSERT INTO audit_options.cascaded VALUES (1, 'a');
INSERT INTO audit_options.child VALUES (3, 'a', 'b');
SELECT table_name, new_values FROM steward.audit_log WHERE table_schema = 'audit_options' AND operation = 'INSERT'
   AND (table_name IN ('plain', 'listed') AND record_id = '2' OR table_name = 'cascaded' OR record_id = '3') ORDER BY created_at, seq;
-- a list of what alone is kept does not become a list of everything
ALTER TABLE audit_options.listed DROP b;
INSERT INTO audit_options.listed VALUES (3, 'secret');
SELECT new_values FROM steward.audit_history('audit_options.listed', 3);
SELECT arguments FROM audit_options.arguments WHERE relation = 'audit_options.listed';
SELECT finding, detail FROM steward.audit_coverage WHERE table_schema = 'audit_options' ORDER BY 1, 2;

-- what is rolled back is not followed, and a name that goes from one column to another goes with its column
BEGIN;
ALTER TABLE audit_options.typed NOT OF;
SAVEPOINT s;
ALTER TABLE audit_options.typed RENAME hidden TO never;
INSERT INTO audit_options.typed VALUES (2, 'a', 'secret');
ROLLBACK TO s;
ALTER TABLE audit_options.typed RENAME hidden TO x;
ALTER TABLE audit_options.typed RENAME a TO hidden;
ALTER TABLE audit_options.typed RENAME x TO a;
INSERT INTO audit_options.typed VALUES (3, 'not secret', 'hushed');
COMMIT;
SELECT arguments FROM audit_options.arguments WHERE relation = 'audit_options.typed';
SELECT record_id, new_values FROM steward.audit_log WHERE table_schema = 'audit_options' AND table_name = 'typed' ORDER BY created_at, seq;
-- the definition that a dump takes is the present one
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'audit_options.typed'::regclass AND tgnargs > 0;

-- the other triggers follow, too
CREATE TABLE audit_options.upkept (id integer PRIMARY KEY, a text, noted text, by_whom text, version integer, updated_at timestamptz, v tsvector, lang regconfig DEFAULT 'simple');
CREATE TRIGGER stamp BEFORE UPDATE ON audit_options.upkept FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger('updated_at', 'by=by_whom', 'ignore=noted');
CREATE TRIGGER version BEFORE UPDATE ON audit_options.upkept FOR EACH ROW EXECUTE FUNCTION steward.row_version_trigger('version');
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON audit_options.upkept FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v', 'a:A', 'noted', 'config_column=lang', 'config=simple');
\c -
ALTER TABLE audit_options.upkept RENAME a TO "A:a";
ALTER TABLE audit_options.upkept RENAME noted TO note;
ALTER TABLE audit_options.upkept RENAME by_whom TO who;
ALTER TABLE audit_options.upkept RENAME version TO row_version;
ALTER TABLE audit_options.upkept RENAME updated_at TO changed_at;
ALTER TABLE audit_options.upkept RENAME v TO words;
ALTER TABLE audit_options.upkept RENAME lang TO language;
SELECT tgname, encode(tgargs, 'escape') FROM pg_trigger WHERE tgrelid = 'audit_options.upkept'::regclass ORDER BY tgname COLLATE "C";
INSERT INTO audit_options.upkept (id, "A:a", note, row_version) VALUES (1, 'one', 'two', 1);
UPDATE audit_options.upkept SET note = 'three';
SELECT changed_at IS NULL AS not_stamped, row_version, words FROM audit_options.upkept;
UPDATE audit_options.upkept SET "A:a" = 'four';
SELECT changed_at IS NULL AS not_stamped, row_version, words FROM audit_options.upkept;
ALTER TABLE audit_options.upkept DROP who;
UPDATE audit_options.upkept SET "A:a" = 'five';
SELECT row_version, words FROM audit_options.upkept;

SET client_min_messages = error;
DROP SCHEMA audit_options CASCADE;
