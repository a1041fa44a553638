-- What identifies a row, and that its history is found by it.
SET client_min_messages = error;

CREATE SCHEMA audit_keys;

-- What the history of a row says, oldest first.
CREATE FUNCTION audit_keys.history(relation regclass, VARIADIC key text[]) RETURNS text
LANGUAGE sql AS $$
SELECT coalesce(string_agg(concat_ws(' ', h.operation, h.record_id), ', ' ORDER BY h.ordinality), 'nothing')
  FROM steward.audit_history(relation, VARIADIC key) WITH ORDINALITY h
$$;

--
-- Keys of one column of every kind: found by the value, under every format of it
--

CREATE TYPE audit_keys.mood AS ENUM ('sad', 'very "happy"');
CREATE DOMAIN audit_keys.positive AS integer CHECK (VALUE > 0);
CREATE TABLE audit_keys.sample (place integer GENERATED ALWAYS AS IDENTITY, type text, value text, also text);
INSERT INTO audit_keys.sample (type, value, also) VALUES
    ('smallint', '-32768', NULL),
    ('integer', '2147483647', '+2147483647'),
    ('integer', '0', '-0'),
    ('bigint', '9223372036854775807', NULL),
    ('bigint', '-9223372036854775808', NULL),
    ('bigint', '42', ' 42 '),
    ('numeric', '42', '42.00'),
    ('numeric', '42.00', '42'),
    ('numeric', '9223372036854775808', '9223372036854775808.0'),
    ('numeric', '1e100', NULL),
    ('numeric', '-0.5', '-.50'),
    ('numeric', 'NaN', NULL),
    ('numeric', 'Infinity', NULL),
    ('numeric(12,2)', '42', '42.001'),
    ('real', '0.1', '1e-1'),
    ('float8', '0.30000000000000004', NULL),
    ('float8', '42', '42.0'),
    ('float8', '-0', '0'),
    ('boolean', 'true', 'on'),
    ('text', '', NULL),
    ('text', '42', NULL),
    ('text', 'it''s "quoted"' || chr(10) || '\', NULL),
    ('text', 'ключ', NULL),
    ('varchar(3)', 'abc', NULL),
    ('char(5)', 'ab', 'ab   '),
    ('name', 'Name', NULL),
    ('"char"', 'x', NULL),
    ('uuid', '00112233-4455-6677-8899-aabbccddeeff', '00112233445566778899AABBCCDDEEFF'),
    ('bytea', '\x00ff', NULL),
    ('date', '2026-02-01', '20260201'),
    ('date', 'infinity', NULL),
    ('timestamp', '2026-02-01 12:00:00.123456', '2026-02-01T12:00:00.123456'),
    ('timestamptz', '2026-02-01 12:00:00+00', '2026-02-01 14:00:00+02'),
    ('time', '12:00', '12:00:00'),
    ('timetz', '12:00+02', NULL),
    ('interval', '1 day 02:03:04', '1 day 2 hours 3 min 4 s'),
    ('inet', '10.0.0.1', '10.0.0.1/32'),
    ('audit_keys.mood', 'very "happy"', NULL),
    ('audit_keys.positive', '7', '07'),
    ('integer[]', '{1,NULL,3}', '{1, NULL, 3}'),
    ('int4range', '[1,5)', '[1,4]'),
    ('jsonb', '{"a": 1}', '{"a":1}'),
    ('jsonb', '"42"', NULL),
    ('oid', '4294967295', NULL),
    ('regclass', 'audit_keys.sample', NULL),
    ('pg_lsn', '0/16B374D8', NULL),
    ('money', '42.10', NULL);

-- an INSERT, an UPDATE and a DELETE of a row with each key, and one history by
-- the value and one by another way to write it
CREATE FUNCTION audit_keys.try_key(place integer, type text, value text, also text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    -- a name of its own, because a table goes on with the history of one that was dropped
    try constant text := format('audit_keys.try_%s', place);
    found text;
    found_also text;
BEGIN
    EXECUTE format('CREATE TABLE %s (key %s PRIMARY KEY, a text)', try, type);
    EXECUTE format('CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger()', try);
    EXECUTE format('INSERT INTO %s VALUES (%L, %L)', try, value, 'a');
    EXECUTE format('UPDATE %s SET a = upper(a)', try);
    EXECUTE format('DELETE FROM %s', try);
    SELECT string_agg(operation, ' ' ORDER BY ordinality) INTO found
      FROM steward.audit_history(try::regclass, value) WITH ORDINALITY;
    SELECT string_agg(operation, ' ' ORDER BY ordinality) INTO found_also
      FROM steward.audit_history(try::regclass, also) WITH ORDINALITY WHERE also IS NOT NULL;
    IF also IS NOT NULL AND found_also IS DISTINCT FROM found THEN
        found := format('%s, but as %L: %s', found, also, coalesce(found_also, 'nothing'));
    END IF;
    RETURN coalesce(found, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;
SELECT s.type, s.value, t.history
  FROM audit_keys.sample s, LATERAL (SELECT audit_keys.try_key(s.place, s.type, s.value, s.also) AS history OFFSET 0) t
 WHERE t.history <> 'INSERT UPDATE DELETE' ORDER BY s.place;

-- sessions that print values in another way find the same rows, also with a typed key
CREATE TABLE audit_keys.typed (day date, at timestamptz, f float8, b bytea, i interval, PRIMARY KEY (day, at, f, b, i));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.typed'); END $$;
INSERT INTO audit_keys.typed VALUES ('2026-02-01', '2026-02-01 12:00+00', 0.1::float8 + 0.2, '\x00ff', '1 day -2 hours');
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kolkata';
SET IntervalStyle = sql_standard;
SET bytea_output = escape;
SET extra_float_digits = 0;
UPDATE audit_keys.typed SET i = i, f = f;
DELETE FROM audit_keys.typed;
INSERT INTO audit_keys.typed VALUES ('01/02/2026', '01/02/2026 17:30:00+05:30', 0.1::float8 + 0.2, '\000\377', '1 -2:00:00');
SELECT count(*) AS found, count(DISTINCT record_id) AS keys
  FROM steward.audit_history('audit_keys.typed', '01/02/2026', '01/02/2026 17:30:00', '0.30000000000000004', '\000\377', '1 -2:00:00');
RESET DateStyle;
RESET TimeZone;
RESET IntervalStyle;
RESET bytea_output;
RESET extra_float_digits;
SELECT record_id FROM steward.audit_log WHERE table_schema = 'audit_keys' AND table_name = 'typed' LIMIT 1;
CREATE TABLE audit_keys.exact (f float8 PRIMARY KEY);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.exact'); END $$;
INSERT INTO audit_keys.exact SELECT 0.1::float8 + 0.2;
SET extra_float_digits = 0;
SELECT count(*) AS found_by_float FROM steward.audit_history('audit_keys.exact', 0.1::float8 + 0.2);
RESET extra_float_digits;

--
-- Keys of several columns
--

CREATE TABLE audit_keys.line (sku text, place integer, order_id bigint, a text, PRIMARY KEY (order_id, place, sku));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.line'); END $$;
INSERT INTO audit_keys.line VALUES ('a', 1, 42, 'x'), ('b', 1, 42, 'x'), ('a', 42, 1, 'x');
UPDATE audit_keys.line SET a = 'y' WHERE sku = 'b';
UPDATE audit_keys.line SET place = 2 WHERE sku = 'b';
SELECT record_id, operation FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'line' ORDER BY transaction_id, seq;
-- values in the order of the key, not of the table
SELECT audit_keys.history('audit_keys.line', '42', '1', 'a');
SELECT audit_keys.history('audit_keys.line', '42', '2', 'b');
SELECT audit_keys.history('audit_keys.line', '1', '42', 'a');
SELECT audit_keys.history('audit_keys.line', '42', '1', 'c');

--
-- Names of every kind
--

CREATE SCHEMA "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567";
CREATE TABLE "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567"."Tabelle: äöü, 63 bytes 5678901234567890123456789012345678901" (
    "Schlüssel, 63 bytes, 123456789012345678901234567890123456789é" integer,
    "key" text,
    "select" text,
    "a,b" text,
    " c " text,
    "d=""e""" text,
    "'\" text,
    "Größe" text,
    PRIMARY KEY ("key", "Schlüssel, 63 bytes, 123456789012345678901234567890123456789é"));
SET steward.audit_redaction_key = 'regress secret';
SELECT count(*) > 0 AS enabled
  FROM pg_class c, steward.audit_enable(c.oid, exclude => ARRAY['select', ' c '], redact => ARRAY['d="e"'], include => ARRAY['a,b', '''\'], capture => 'full')
 WHERE c.relkind = 'r' AND c.relname LIKE 'Tabelle:%';
SELECT count(*) AS idempotent
  FROM pg_class c, steward.audit_enable(c.oid, exclude => ARRAY['select', ' c '], redact => ARRAY['d="e"'], include => ARRAY['a,b', '''\'], capture => 'full')
 WHERE c.relkind = 'r' AND c.relname LIKE 'Tabelle:%';
INSERT INTO "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567"."Tabelle: äöü, 63 bytes 5678901234567890123456789012345678901"
VALUES (1, 'k', 's', 'ab', 'c', 'd', 'quote');
UPDATE "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567"."Tabelle: äöü, 63 bytes 5678901234567890123456789012345678901"
   SET "select" = 'S', " c " = 'C';
UPDATE "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567"."Tabelle: äöü, 63 bytes 5678901234567890123456789012345678901"
   SET "a,b" = 'AB';
SELECT l.table_schema = n.nspname AS schema, l.table_name = c.relname AS name,
       l.operation, l.record_id, l.new_values - 'd="e"' AS new_values, l.new_values ->> 'd="e"' LIKE 'hmac:%' AS redacted, l.changed_columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, steward.audit_history(c.oid, 'k', '1') l
 WHERE c.relkind = 'r' AND c.relname LIKE 'Tabelle:%';
-- of a list of columns that are kept, this one was forgotten
SELECT finding, detail FROM steward.audit_coverage WHERE table_name LIKE 'Tabelle:%';
DO $$ BEGIN PERFORM steward.audit_disable(oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'Tabelle:%'; END $$;
SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relkind = 'r' AND c.relname LIKE 'Tabelle:%';
DROP SCHEMA "Audit ""keys"", 63 bytes: 901234567890123456789012345678901234567" CASCADE;

--
-- Keys that change
--

CREATE TABLE audit_keys.moved (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.moved'); END $$;
INSERT INTO audit_keys.moved VALUES (1, 'first');
UPDATE audit_keys.moved SET a = 'changed';
UPDATE audit_keys.moved SET id = 2;
INSERT INTO audit_keys.moved VALUES (1, 'second');
UPDATE audit_keys.moved SET id = 3, a = 'at three' WHERE id = 2;
UPDATE audit_keys.moved SET a = 'second changed' WHERE id = 1;
DELETE FROM audit_keys.moved WHERE id = 3;
SELECT audit_keys.history('audit_keys.moved', '3') AS "first row, by its last key";
SELECT audit_keys.history('audit_keys.moved', '2') AS "by the key between";
SELECT audit_keys.history('audit_keys.moved', '1') AS "both rows that were 1";
-- a key that goes and comes back
UPDATE audit_keys.moved SET id = 9;
UPDATE audit_keys.moved SET id = 1;
SELECT audit_keys.history('audit_keys.moved', '9');
SELECT count(*) AS events, count(DISTINCT (transaction_id, seq)) AS different FROM steward.audit_history('audit_keys.moved', 1);

-- the old key is there with capture=key and capture=full too
CREATE TABLE audit_keys.moved_key (id text PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.moved_key', capture => 'key'); END $$;
INSERT INTO audit_keys.moved_key VALUES ('a');
UPDATE audit_keys.moved_key SET id = 'b';
SELECT operation, record_id, old_values FROM steward.audit_history('audit_keys.moved_key', 'b');

--
-- Redacted keys: found by the value, shown as its hash
--

CREATE TABLE audit_keys.secret (ssn text PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.secret', redact => '{ssn}'); END $$;
INSERT INTO audit_keys.secret VALUES ('123-45-6789', 'a'), ('987-65-4321', 'b');
UPDATE audit_keys.secret SET a = 'A' WHERE ssn = '123-45-6789';
UPDATE audit_keys.secret SET ssn = '000-00-0000' WHERE ssn = '123-45-6789';
SELECT operation, record_id LIKE 'hmac:%' AS redacted, old_values ->> 'a' AS old, new_values ->> 'a' AS new
  FROM steward.audit_history('audit_keys.secret', '000-00-0000');
SELECT count(*) AS leaks FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'secret'
   AND concat(record_id, old_values, new_values) ~ '(123-45|987-65|000-00)';

--
-- Keys whose columns change: the history goes on, or says what it cannot know
--

SET client_min_messages = notice;
-- NOTICEs name times: only the first line
\set VERBOSITY terse
CREATE SCHEMA audit_keys_new;
-- a column renamed, once, twice and to a name that another had
CREATE TABLE audit_keys_new.one (id integer PRIMARY KEY, code text, a text);
CREATE TABLE audit_keys_new.by_text (id text PRIMARY KEY, a text);
CREATE TABLE audit_keys_new.two (x integer, y text, a text, PRIMARY KEY (y, x));
DO $$ BEGIN PERFORM steward.audit_enable(t) FROM unnest('{audit_keys_new.one,audit_keys_new.by_text,audit_keys_new.two}'::regclass[]) t; END $$;
INSERT INTO audit_keys_new.one VALUES (1, 'c1', 'a'), (2, 'c2', 'a');
INSERT INTO audit_keys_new.by_text VALUES ('1', 'a'), ('2', 'a');
INSERT INTO audit_keys_new.two VALUES (1, 'one', 'a'), (2, 'two', 'a');
ALTER TABLE audit_keys_new.one RENAME id TO ident;
ALTER TABLE audit_keys_new.by_text RENAME id TO ident;
ALTER TABLE audit_keys_new.two RENAME x TO z;
SELECT audit_keys.history('audit_keys_new.one', '1'), audit_keys.history('audit_keys_new.by_text', '1'), audit_keys.history('audit_keys_new.two', 'one', '1');
UPDATE audit_keys_new.one SET a = 'b';
UPDATE audit_keys_new.by_text SET a = 'b';
UPDATE audit_keys_new.two SET a = 'b';
ALTER TABLE audit_keys_new.two RENAME y TO x;
ALTER TABLE audit_keys_new.two RENAME z TO y;
UPDATE audit_keys_new.two SET a = 'c', y = 3 WHERE y = 2;
SELECT audit_keys.history('audit_keys_new.one', '1'), audit_keys.history('audit_keys_new.by_text', '1');
SELECT audit_keys.history('audit_keys_new.two', 'one', '1');
SELECT audit_keys.history('audit_keys_new.two', 'two', '3');
SELECT audit_keys.history('audit_keys_new.two', 'two', '2') AS "the key it had";
-- in one transaction, with a savepoint that is rolled back
BEGIN;
UPDATE audit_keys_new.by_text SET a = 'c' WHERE ident = '2';
SAVEPOINT s;
ALTER TABLE audit_keys_new.by_text RENAME ident TO never;
UPDATE audit_keys_new.by_text SET a = 'd' WHERE never = '2';
ROLLBACK TO s;
ALTER TABLE audit_keys_new.by_text RENAME ident TO id;
UPDATE audit_keys_new.by_text SET a = 'e', id = 'two' WHERE id = '2';
COMMIT;
SELECT operation, record_id, new_values FROM steward.audit_history('audit_keys_new.by_text', 'two');
-- the type changed
ALTER TABLE audit_keys_new.one ALTER ident TYPE bigint;
SELECT audit_keys.history('audit_keys_new.one', '1');
UPDATE audit_keys_new.one SET a = 'bigint';
ALTER TABLE audit_keys_new.one ALTER ident TYPE text;
UPDATE audit_keys_new.one SET a = 'text', ident = CASE ident WHEN '2' THEN 'two' ELSE ident END;
SELECT audit_keys.history('audit_keys_new.one', '1');
SELECT audit_keys.history('audit_keys_new.one', 'two');
CREATE TABLE audit_keys_new.uuid (id uuid, n numeric(6, 2), day date, a text, PRIMARY KEY (id, n, day));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.uuid'); END $$;
INSERT INTO audit_keys_new.uuid VALUES ('00112233-4455-6677-8899-aabbccddeeff', 1.50, '2026-02-01', 'a');
ALTER TABLE audit_keys_new.uuid ALTER id TYPE text, ALTER n TYPE text, ALTER day TYPE timestamptz;
UPDATE audit_keys_new.uuid SET a = 'b';
SELECT operation, new_values ->> 'a' AS a FROM steward.audit_history('audit_keys_new.uuid', '00112233-4455-6677-8899-aabbccddeeff', '1.50', '2026-02-01 00:00');
ALTER TABLE audit_keys_new.uuid ALTER id TYPE uuid USING id::uuid, ALTER n TYPE numeric USING n::numeric;
SELECT operation, new_values ->> 'a' AS a FROM steward.audit_history('audit_keys_new.uuid', '00112233445566778899AABBCCDDEEFF', '1.50', '2026-02-01 00:00');
-- an enum that is renamed, and a domain that is dropped
CREATE TYPE audit_keys_new.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN audit_keys_new.positive AS integer CHECK (VALUE > 0);
CREATE TABLE audit_keys_new.typed (mood audit_keys_new.mood, n audit_keys_new.positive, a text, PRIMARY KEY (mood, n));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.typed'); END $$;
INSERT INTO audit_keys_new.typed VALUES ('sad', 1, 'a');
ALTER TYPE audit_keys_new.mood RENAME TO temper;
ALTER TABLE audit_keys_new.typed ALTER n TYPE bigint;
DROP DOMAIN audit_keys_new.positive;
UPDATE audit_keys_new.typed SET a = 'b';
ALTER TABLE audit_keys_new.typed ALTER mood TYPE text;
DROP TYPE audit_keys_new.temper;
UPDATE audit_keys_new.typed SET a = 'c';
SELECT count(*) FROM steward.audit_history('audit_keys_new.typed', 'sad', '1');
-- a value that cannot have been one of the former type has no past, and one that was written in another way is not found
ALTER TABLE audit_keys_new.by_text ALTER id TYPE integer USING CASE id WHEN '1' THEN 1 ELSE 22 END;
UPDATE audit_keys_new.by_text SET a = 'integer';
SELECT audit_keys.history('audit_keys_new.by_text', '1') AS found, audit_keys.history('audit_keys_new.by_text', '22') AS lost;
INSERT INTO audit_keys_new.by_text VALUES (3, 'new');
UPDATE audit_keys_new.by_text SET a = 'newer' WHERE id = 3;
SELECT audit_keys.history('audit_keys_new.by_text', '3') AS "nothing is lost of this one";

-- other columns become the key: the row, or what became of it, says which one it was
CREATE TABLE audit_keys_new.other (id integer PRIMARY KEY, code text NOT NULL UNIQUE, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.other'); END $$;
INSERT INTO audit_keys_new.other SELECT n, 'c' || n, 'a' FROM generate_series(1, 5) n;
UPDATE audit_keys_new.other SET id = 22 WHERE id = 2;
DELETE FROM audit_keys_new.other WHERE id = 5;
ALTER TABLE audit_keys_new.other DROP CONSTRAINT other_pkey, ADD PRIMARY KEY (code);
SELECT audit_keys.history('audit_keys_new.other', 'c1') AS "by the row";
UPDATE audit_keys_new.other SET a = 'b';
DELETE FROM audit_keys_new.other WHERE id = 3;
UPDATE audit_keys_new.other SET id = 44 WHERE id = 4;
-- a new row that takes an old number
INSERT INTO audit_keys_new.other VALUES (3, 'new', 'a');
UPDATE audit_keys_new.other SET code = 'c1 again' WHERE id = 1;
ALTER TABLE audit_keys_new.other RENAME id TO ident;
SELECT audit_keys.history('audit_keys_new.other', 'c2') AS "changed its key before";
SELECT audit_keys.history('audit_keys_new.other', 'c3') AS "by its DELETE";
SELECT audit_keys.history('audit_keys_new.other', 'c4') AS "by its UPDATE";
SELECT audit_keys.history('audit_keys_new.other', 'new') AS "no past";
SELECT audit_keys.history('audit_keys_new.other', 'c1 again') AS "changed its key after";
SELECT audit_keys.history('audit_keys_new.other', 'c5') AS "gone before";
-- the old column is dropped: what it said is gone
ALTER TABLE audit_keys_new.other DROP ident;
SELECT audit_keys.history('audit_keys_new.other', 'c2') AS lost;
-- back to a former key, and to more columns
CREATE TABLE audit_keys_new.back (id integer PRIMARY KEY, code text NOT NULL, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.back'); END $$;
INSERT INTO audit_keys_new.back VALUES (1, 'c1', 'a');
ALTER TABLE audit_keys_new.back DROP CONSTRAINT back_pkey, ADD PRIMARY KEY (code, id);
UPDATE audit_keys_new.back SET a = 'b';
ALTER TABLE audit_keys_new.back DROP CONSTRAINT back_pkey, ADD PRIMARY KEY (code);
UPDATE audit_keys_new.back SET a = 'c';
SELECT audit_keys.history('audit_keys_new.back', 'c1');
ALTER TABLE audit_keys_new.back DROP CONSTRAINT back_pkey, ADD PRIMARY KEY (id);
SELECT audit_keys.history('audit_keys_new.back', '1');
ALTER TABLE audit_keys_new.back DROP code;
SELECT audit_keys.history('audit_keys_new.back', '1') AS "with a gap";
-- a column dropped and another of its name
CREATE TABLE audit_keys_new.same (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.same'); END $$;
INSERT INTO audit_keys_new.same VALUES (1, 'first'), (2, 'second');
ALTER TABLE audit_keys_new.same DROP id;
ALTER TABLE audit_keys_new.same ADD id integer;
UPDATE audit_keys_new.same SET id = CASE a WHEN 'first' THEN 2 ELSE 1 END;
ALTER TABLE audit_keys_new.same ADD PRIMARY KEY (id);
UPDATE audit_keys_new.same SET a = a || ' as ' || id;
SELECT operation, old_values ->> 'a' AS a FROM steward.audit_history('audit_keys_new.same', 1);
-- a key that is redacted from some day on
CREATE TABLE audit_keys_new.hidden (ssn text PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.hidden'); END $$;
INSERT INTO audit_keys_new.hidden VALUES ('123-45-6789', 'a');
SET client_min_messages = error;
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.hidden', redact => '{ssn}'); END $$;
SET client_min_messages = notice;
UPDATE audit_keys_new.hidden SET a = 'b';
SELECT operation, record_id LIKE 'hmac:%' AS redacted FROM steward.audit_history('audit_keys_new.hidden', '123-45-6789');
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.hidden'); END $$;
SELECT count(*) FROM steward.audit_history('audit_keys_new.hidden', '123-45-6789');
-- a key that comes after all
CREATE TABLE audit_keys_new.keyless (id integer, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.keyless'); END $$;
INSERT INTO audit_keys_new.keyless VALUES (1, 'a');
ALTER TABLE audit_keys_new.keyless ADD PRIMARY KEY (id);
UPDATE audit_keys_new.keyless SET a = 'b';
SELECT audit_keys.history('audit_keys_new.keyless', '1') AS lost;
\set VERBOSITY default
SELECT regexp_replace(key_columns::text, '"attnum": \d+, ', '', 'g') AS key_columns FROM steward.audit_tables
 WHERE table_id = steward_internal.audit_table_id('audit_keys_new.keyless') ORDER BY known_since;
SET client_min_messages = error;

-- a row's past ends where it was inserted, even if another row had its key before
CREATE TABLE audit_keys_new.again (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.again'); END $$;
INSERT INTO audit_keys_new.again VALUES (1, 'other');
DELETE FROM audit_keys_new.again;
INSERT INTO audit_keys_new.again VALUES (1, 'mine');
UPDATE audit_keys_new.again SET id = 2;
INSERT INTO audit_keys_new.again VALUES (1, 'third');
SELECT operation, record_id, old_values ->> 'a' AS old, new_values ->> 'a' AS new FROM steward.audit_history('audit_keys_new.again', 2);
-- rows that move up together, of which two have a key at a time
CREATE TABLE audit_keys_new.shifted (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_new.shifted'); END $$;
INSERT INTO audit_keys_new.shifted VALUES (1, 'one'), (2, 'two'), (3, 'three');
UPDATE audit_keys_new.shifted SET a = a || '!' WHERE id < 3;
UPDATE audit_keys_new.shifted SET id = id + 1;
SELECT operation, old_values, new_values FROM steward.audit_history('audit_keys_new.shifted', 4);
UPDATE audit_keys_new.shifted SET id = CASE id WHEN 2 THEN 40 WHEN 3 THEN 30 ELSE id END;
UPDATE audit_keys_new.shifted SET id = CASE id WHEN 40 THEN 30 WHEN 30 THEN 40 ELSE id END;
UPDATE audit_keys_new.shifted SET id = 50 + id;
SELECT a, (SELECT string_agg(concat_ws(' ', h.operation, h.record_id), ', ' ORDER BY h.ordinality) FROM steward.audit_history('audit_keys_new.shifted', id) WITH ORDINALITY h) AS history
  FROM audit_keys_new.shifted ORDER BY a COLLATE "C";
-- a row that goes to and fro a thousand times has a history that is read in no time
DO $$ BEGIN
    FOR n IN 1..1000 LOOP
        UPDATE audit_keys_new.again SET id = 2 + n % 7 WHERE id > 1;
    END LOOP;
END $$;
SET statement_timeout = '20s';
SELECT count(*), count(DISTINCT (transaction_id, seq)) FROM steward.audit_history('audit_keys_new.again', 3);
RESET statement_timeout;

--
-- No key: a hash of the row
--

CREATE TABLE audit_keys.keyless (a text, b integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.keyless'); END $$;
INSERT INTO audit_keys.keyless VALUES ('x', 1), ('x', 1), ('y', NULL);
UPDATE audit_keys.keyless SET b = 2 WHERE a = 'y';
UPDATE audit_keys.keyless SET b = 3 WHERE a = 'y';
DELETE FROM audit_keys.keyless WHERE a = 'y';
SELECT operation, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'keyless' ORDER BY transaction_id, seq;
-- equal rows have equal hashes; a chain of changes is one history
SELECT count(DISTINCT record_id) AS hashes, bool_and(record_id ~ '^[0-9a-f]{16}$') AS form FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'keyless' AND operation = 'INSERT';
SELECT string_agg(h.operation, ', ' ORDER BY h.ordinality) AS history
  FROM steward.audit_log l, steward.audit_history('audit_keys.keyless', l.record_id) WITH ORDINALITY h
 WHERE l.table_schema = 'audit_keys' AND l.table_name = 'keyless' AND l.operation = 'DELETE';
SELECT count(*) AS links FROM steward.audit_events e JOIN steward.audit_events o ON o.key_hash = e.old_key_hash AND o.table_id = e.table_id
 WHERE e.table_id = steward_internal.audit_table_id('audit_keys.keyless') AND e.operation = 'U';
-- what is not kept is not hashed
CREATE TABLE audit_keys.keyless_part (a text, b integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.keyless_part', exclude => '{b}'); END $$;
INSERT INTO audit_keys.keyless_part VALUES ('x', 1), ('x', 2);
SELECT count(DISTINCT record_id) FROM steward.audit_log WHERE table_schema = 'audit_keys' AND table_name = 'keyless_part';
-- a row of nothing
CREATE TABLE audit_keys.void ();
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.void'); END $$;
INSERT INTO audit_keys.void DEFAULT VALUES;
DELETE FROM audit_keys.void;
SELECT operation, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'void' ORDER BY transaction_id, seq;

--
-- The replica identity stands in for a key; keys that come and go in one session
--

CREATE TABLE audit_keys.replica (a integer NOT NULL, b text NOT NULL, c text, UNIQUE (a), CONSTRAINT replica_b UNIQUE (b));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.replica'); END $$;
INSERT INTO audit_keys.replica VALUES (1, 'one', 'hashed');
ALTER TABLE audit_keys.replica REPLICA IDENTITY USING INDEX replica_b;
INSERT INTO audit_keys.replica VALUES (2, 'two', 'by replica identity');
ALTER TABLE audit_keys.replica ADD PRIMARY KEY (a);
INSERT INTO audit_keys.replica VALUES (3, 'three', 'by key');
ALTER TABLE audit_keys.replica DROP CONSTRAINT replica_pkey, REPLICA IDENTITY FULL;
INSERT INTO audit_keys.replica VALUES (4, 'four', 'hashed');
ALTER TABLE audit_keys.replica ADD PRIMARY KEY (b, a);
UPDATE audit_keys.replica SET c = 'by other key' WHERE a = 4;
SELECT CASE WHEN length(record_id) = 16 THEN 'hash' ELSE record_id END AS record_id, new_values ->> 'c' AS c FROM steward.audit_log
 WHERE table_schema = 'audit_keys' AND table_name = 'replica' ORDER BY transaction_id, seq;
-- included columns of the index are no part of the key
CREATE TABLE audit_keys.covering (a integer, b text, PRIMARY KEY (a) INCLUDE (b));
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.covering', exclude => '{b}'); END $$;
INSERT INTO audit_keys.covering VALUES (1, 'x');
SELECT record_id, new_values FROM steward.audit_log WHERE table_schema = 'audit_keys' AND table_name = 'covering';

--
-- Nothing of this depends on who looks from where
--

CREATE SCHEMA audit_keys_other;
CREATE TABLE audit_keys_other.line (id integer PRIMARY KEY);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys_other.line'); END $$;
INSERT INTO audit_keys_other.line VALUES (42);
CREATE TABLE audit_keys.by_class (id regclass PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_keys.by_class'); END $$;
INSERT INTO audit_keys.by_class VALUES ('audit_keys_other.line', 'a');
SELECT steward_internal.audit_table_id('audit_keys.line') AS id, set_config('search_path', 'audit_keys_other, audit_keys', false) AS path \gset
UPDATE by_class SET a = 'b';
SELECT :id = steward_internal.audit_table_id('audit_keys.line') AS same_id, :id = steward_internal.audit_table_id('line') AS other_id;
SELECT count(*) FROM steward.audit_history('line', 42);
SELECT operation, record_id FROM steward.audit_history('by_class', 'audit_keys_other.line'::regclass);
RESET search_path;
SELECT operation, record_id FROM steward.audit_history('audit_keys.by_class', 'audit_keys_other.line'::regclass);
-- hashes are plain functions of the key
SELECT count(*) > 0 AS events, count(*) FILTER (WHERE key_hash <> steward_internal.audit_key_hash(table_id, record_key)) AS other_hashes
  FROM steward.audit_events
 WHERE table_id IN (SELECT table_id FROM steward.audit_tables WHERE table_schema = 'audit_keys') AND operation <> 'T';

-- who may not read the log cannot have guesses at redacted values hashed
SET steward.audit_redaction_key = 'regress secret';
CREATE ROLE regress_audit_guess;
GRANT CREATE, USAGE ON SCHEMA audit_keys TO regress_audit_guess;
SET ROLE regress_audit_guess;
CREATE TABLE audit_keys.guesses (k text PRIMARY KEY);
CREATE TRIGGER audit AFTER INSERT ON audit_keys.guesses FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('redact=k');
SELECT steward_internal.audit_record_key('audit_keys.guesses', '{4111 1111 1111 1111}');
RESET ROLE;
SELECT steward_internal.audit_record_key('audit_keys.guesses', '{4111 1111 1111 1111}') ->> 'k' LIKE 'hmac:%' AS hashed;
DROP TABLE audit_keys.guesses;
REVOKE ALL ON SCHEMA audit_keys FROM regress_audit_guess;
DROP ROLE regress_audit_guess;

DROP SCHEMA audit_keys, audit_keys_new, audit_keys_other CASCADE;
