-- What the log says of a row brings the row back, whatever the types of its columns.
SET client_min_messages = error;
SET TimeZone = 'UTC';
CREATE SCHEMA audit_values;
SET search_path = audit_values, public;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE VIEW log AS SELECT * FROM steward.audit_log WHERE table_schema = 'audit_values';

--
-- Arrays are arrays, composite values are objects
--

CREATE TYPE address AS (street text, "Zip" integer, lines text[]);
CREATE DOMAIN home AS address CHECK ((VALUE)."Zip" > 0);
CREATE TABLE person (id integer PRIMARY KEY, tags text[], grid integer[], addresses address[], home home);
SELECT FROM steward.audit_enable('person');
INSERT INTO person VALUES (1, '{x,"y z",NULL}', '{{1,2,3},{4,5,6}}', ARRAY[('High Street', 1, '{a,b}')::address, NULL], ('Low Street', 2, '{}'));
UPDATE person SET tags = tags || ARRAY['new'], home.street = NULL;
SELECT jsonb_pretty(new_values) AS inserted FROM log WHERE table_name = 'person' AND operation = 'INSERT';
SELECT old_values, new_values, changed_columns FROM log WHERE table_name = 'person' AND operation = 'UPDATE';
SELECT operation, new_values -> 'tags' ? 'new' AS has_new, new_values #>> '{addresses,0,lines,1}' AS line, new_values @> '{"grid": [[5]]}' AS has_5, new_values -> 'home' ->> 'Zip' AS zip
  FROM log WHERE table_name = 'person' ORDER BY created_at, seq;
SELECT (jsonb_populate_record(p, l.old_values)).* FROM person p, log l WHERE l.table_name = 'person' AND l.operation = 'UPDATE';
SELECT jsonb_populate_record(p, l.old_values) *= jsonb_populate_record(NULL::person, i.new_values) AS back_at_the_start
  FROM person p, log l, log i
 WHERE l.table_name = 'person' AND l.operation = 'UPDATE' AND i.table_name = 'person' AND i.operation = 'INSERT';

--
-- Every type, alone, in an array, in a composite value, in a domain
--

CREATE TYPE mood AS ENUM ('sad', 'so so', 'very "happy"');
CREATE DOMAIN rate AS numeric(5,2);
CREATE TYPE span AS RANGE (SUBTYPE = float8);
CREATE TYPE money_range AS RANGE (SUBTYPE = money);
CREATE TABLE sample (place integer GENERATED ALWAYS AS IDENTITY, type text, value text);
INSERT INTO sample (type, value) VALUES
    ('boolean', 't'), ('boolean', 'f'), ('smallint', '-32768'), ('integer', '-2147483648'), ('integer', '10000'),
    ('bigint', '-9223372036854775808'), ('bigint', '9223372036854775807'), ('bigint', '100000000'),
    ('numeric', '0'), ('numeric', '0.000'), ('numeric', '-1.50'), ('numeric(20,4)', '1'), ('numeric', '1e1000'), ('numeric', '1e-1000'),
    ('numeric', 'NaN'), ('numeric', 'Infinity'), ('numeric', '-Infinity'), ('numeric', '10000000000000000.00000000000000001'),
    ('real', '0.1'), ('real', '3.4028235e38'), ('real', '1e-45'), ('real', '-0'), ('real', '0'), ('real', 'NaN'), ('real', 'Infinity'), ('real', '16777216'),
    ('float8', '0.30000000000000004'), ('float8', '1.7976931348623157e308'), ('float8', '5e-324'), ('float8', '-0'), ('float8', 'NaN'), ('float8', '-Infinity'),
    ('money', '-1234.50'), ('money', '1234.56'), ('money', '0.01'), ('money', '92233720368547758.07'), ('money', '-92233720368547758.08'),
    ('text', ''), ('text', 'a"b\c' || chr(8) || chr(9) || chr(10) || chr(127)), ('text', 'null'), ('text', '{}'), ('text', '\u0000'), ('text', repeat('long', 5000)),
    ('varchar(3)', 'abc'), ('char(5)', 'ab'), ('char(5)', ''), ('bpchar', 'ab  '), ('"char"', 'x'), ('"char"', ''), ('name', 'n'), ('mood', 'very "happy"'), ('rate', '5'),
    ('json', '{"b":1,  "a":2, "b":3}'), ('json', '"\u0000"'), ('json', '"\ud800"'), ('json', ' 1 '), ('json', '1E+200000'), ('json', '1e131072'), ('json', '-0.0e5'), ('json', 'null'), ('json', '{"a": 1}'),
    ('json', '"{\"a\": 1}"'), ('json', '[[]]'), ('json', repeat('[', 3000) || repeat(']', 3000)),
    ('json', '{"e": "1e500", "n": [1e308, true, 1e-500]}'), ('json', '[1e309]'),
    ('jsonb', '{"b":1,  "a":2, "b":3}'), ('jsonb', '{}'), ('jsonb', '[]'), ('jsonb', '[1, [2]]'), ('jsonb', 'null'), ('jsonb', 'true'), ('jsonb', '"text"'), ('jsonb', '"null"'), ('jsonb', '-1.50'),
    ('jsonb', '{"": {"v": "null"}}'), ('jsonb', '{"": 1}'), ('jsonb', '[null]'),
    ('bytea', '\x'), ('bytea', '\x00ff5c'), ('bit(3)', '101'), ('varbit', '1'), ('varbit', ''),
    ('date', '2024-02-29'), ('date', '0044-03-15 BC'), ('date', 'infinity'), ('date', '-infinity'), ('date', '5874897-12-31'), ('date', '4713-01-01 BC'),
    ('time', '23:59:59.999999'), ('time', '24:00'), ('timetz', '12:00:00.5-03:30'), ('timetz', '12:00+15:59:59'), ('timetz', '24:00:00-15:59:59'),
    ('timestamp', '2024-02-29 12:34:56.789'), ('timestamp', 'infinity'), ('timestamp', '-infinity'), ('timestamp', '4713-01-01 00:00 BC'), ('timestamp', '294276-12-31 23:59:59.999999'),
    ('timestamptz', '2024-02-29 12:34:56.789+05:30'), ('timestamptz', '-infinity'), ('timestamptz', '0044-03-15 12:00+00 BC'), ('timestamptz', '1800-01-01 00:00:00+00'), ('timestamptz', '294276-12-31 23:59:59.999999+00'),
    ('interval', '1 year -2 mons +3 days -04:05:06.789'), ('interval', '0'), ('interval', '-1 day +00:00:01'), ('interval', '-178000000 years'), ('interval month', '14 mons'),
    ('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    ('inet', '10.0.0.1/8'), ('inet', '::1'), ('cidr', '10.0.0.0/8'), ('macaddr', '08:00:2b:01:02:03'), ('macaddr8', '08:00:2b:01:02:03:04:05'),
    ('point', '(1,-0.1)'), ('point', '(NaN,-0)'), ('line', '{1,-1,0.1}'), ('lseg', '[(0,0),(1,1e-300)]'), ('box', '(1,1),(0,0)'), ('path', '[(0,0),(1,1)]'), ('path', '((0,0),(1,1))'), ('polygon', '((0,0),(1,1),(2,0))'), ('circle', '<(0,0),1e100>'),
    ('int4range', '[1,5]'), ('int4range', 'empty'), ('numrange', '(,1.50]'), ('int8range', '(,)'), ('tsrange', '[2024-02-29 12:00,infinity]'), ('tstzrange', '[2024-02-29 12:00:00+05:30,)'), ('daterange', '[2024-02-29,infinity]'),
    ('span', '[0.1,NaN]'), ('money_range', '["$1,234.50",)'),
    ('int4multirange', '{[1,2],[5,6]}'), ('nummultirange', '{}'), ('tsmultirange', '{[2024-02-29 12:00,]}'), ('tstzmultirange', '{[2024-02-29 12:00:00+05:30,]}'), ('datemultirange', '{(,2024-02-29]}'), ('int8multirange', '{(,5)}'),
    ('tsvector', '''b'':1A ''a''''\ '':2'), ('tsvector', ''), ('tsquery', '''a'' & !''b'':*A <2> c'), ('tsquery', ''), ('jsonpath', '$."a"[*] ? (@ > 1.5)'), ('jsonpath', 'strict $'),
    ('oid', '4294967295'), ('xid', '4294967295'), ('cid', '1'), ('xid8', '18446744073709551615'), ('tid', '(4294967295,65535)'), ('pg_lsn', '16/B374D848'), ('pg_snapshot', '10:20:10,14'), ('txid_snapshot', '10:20:10,14'),
    ('refcursor', 'c'), ('int2vector', '1 2'), ('int2vector', ''), ('oidvector', '1 2'),
    ('regclass', 'audit_values.sample'), ('regclass', 'pg_class'), ('regclass', '0'), ('regclass', '4294967295'), ('regtype', 'audit_values.mood'), ('regtype', 'integer'), ('regtype', 'text[]'),
    ('regproc', 'pg_catalog.now'), ('regproc', '-'), ('regprocedure', 'pg_catalog.abs(integer)'), ('regoper', 'pg_catalog.||/'), ('regoperator', '+(integer,integer)'),
    ('regnamespace', 'audit_values'), ('regrole', current_user), ('regconfig', 'pg_catalog.english'), ('regdictionary', 'pg_catalog.simple'), ('regcollation', 'pg_catalog."C"'),
    ('citext', 'Ab'), ('hstore', '"a"=>"1", "b"=>NULL, "c\""=>""'), ('ltree', 'a.b'), ('lquery', 'a.*{1,2}.!b'), ('ltxtquery', 'a & !b*');
INSERT INTO sample (type, value)
SELECT type, value FROM (VALUES ('oid8', '18446744073709551615'), ('regdatabase', current_database())) AS since_19 (type, value) WHERE to_regtype(type) IS NOT NULL;
DO $$ BEGIN
    INSERT INTO sample (type, value) SELECT 'interval', v::interval::text FROM unnest(ARRAY['infinity', '-infinity']) v;
EXCEPTION WHEN invalid_datetime_format THEN
    NULL;  -- before 17
END $$;
DO $$ BEGIN
    INSERT INTO sample (type, value) SELECT 'xml', v::xml::text FROM unnest(ARRAY['<a b="1"> c </a>', 'text &amp; <b/>', '']) v;
EXCEPTION WHEN feature_not_supported THEN
    NULL;  -- a server that knows no XML
END $$;
-- types that columns can have and that can be read, and of which there is no sample
SELECT format_type(t.oid, NULL) AS type_without_sample FROM pg_type t
 WHERE t.typtype IN ('b', 'r', 'm') AND t.typinput NOT IN ('array_in'::regproc) AND t.typnamespace = 'pg_catalog'::regnamespace
   AND NOT EXISTS (SELECT FROM sample s WHERE to_regtype(s.type) = t.oid) AND t.typname <> 'xml'
 ORDER BY t.typname COLLATE "C";

CREATE TABLE flaw (place integer, change text, way text, columns text);
-- a locale in which 1234.56 is another amount, if the server has one
CREATE TABLE locale (name text);
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['de_DE.UTF-8', 'de_DE.utf8'] LOOP
        BEGIN
            PERFORM set_config('lc_monetary', wanted, true);
            INSERT INTO locale VALUES (wanted);
        EXCEPTION WHEN invalid_parameter_value THEN
            NULL;
        END;
    END LOOP;
END $$;
SET lc_monetary = 'C';

-- Notes the columns of table "t" that are lost on the way from "base" with what the log says to a row of "truth".
CREATE PROCEDURE compare(place integer, change text, base text, said jsonb, truth text) LANGUAGE plpgsql
SET DateStyle = 'German, DMY' SET IntervalStyle = sql_standard SET extra_float_digits = -15 SET bytea_output = escape SET TimeZone = 'Asia/Kolkata' SET xmloption = content SET search_path = '' AS $$
DECLARE
    way text;
    lost text;
BEGIN
    FOREACH way IN ARRAY ARRAY['pg_catalog.jsonb_populate_record', 'steward.audit_row'] LOOP
        IF way = 'steward.audit_row' THEN
            -- these change what a text means
            PERFORM set_config('xmloption', 'document', true), set_config('lc_monetary', (SELECT name FROM audit_values.locale LIMIT 1), true);
        END IF;
        BEGIN
            EXECUTE format('SELECT CASE WHEN NOT back OPERATOR(pg_catalog.*=) truth THEN (%s) END FROM (SELECT %s(%s, $1) AS back, truth FROM %s AS truth) AS x',
                           (SELECT string_agg(format('CASE WHEN NOT ROW((back).%I)::record OPERATOR(pg_catalog.*=) ROW((truth).%1$I)::record THEN ''%1$s '' ELSE '''' END', attname), '||')
                              FROM pg_attribute WHERE attrelid = 'audit_values.t'::regclass AND attnum > 0),
                           way, base, truth) INTO lost USING said;
        EXCEPTION WHEN OTHERS THEN
            lost := SQLERRM;
        END;
        IF lost IS NOT NULL THEN
            INSERT INTO audit_values.flaw VALUES (place, change, way, lost);
        END IF;
    END LOOP;
    PERFORM set_config('lc_monetary', 'C', true);
END $$;
CREATE FUNCTION last_event() RETURNS log LANGUAGE sql AS
'SELECT l FROM log l WHERE l.table_name = ''t'' ORDER BY l.created_at DESC, l.seq DESC LIMIT 1';
-- Changes rows that have values of one type in all places where a value can stand, and compares what the log says of them.
CREATE PROCEDURE try(wanted text) LANGUAGE plpgsql AS $$
DECLARE
    s record;
    e record;
    every constant text := format(
        'SELECT 1, v, v, ARRAY[v, v], ARRAY[NULL, v, NULL], ARRAY[ARRAY[v, NULL], ARRAY[v, v]], array_fill(v, ARRAY[2, 1], ARRAY[0, 5]), ROW(v, ARRAY[v], v)::c,
                ARRAY[NULL, ROW(v, NULL, NULL)::c, ROW(NULL, array_fill(v, ARRAY[2], ARRAY[0]), v)::c], ARRAY[v::d, NULL] FROM (SELECT %%L::%s) AS value(v)', wanted);
BEGIN
    EXECUTE format('CREATE DOMAIN d AS %s', wanted);
    EXECUTE format('CREATE TYPE c AS (x %s, y %1$s[], z d)', wanted);
    EXECUTE format('CREATE TABLE t (id integer PRIMARY KEY, v %s, d d, a %1$s[], n %1$s[], g %1$s[], l %1$s[], c c, cs c[], ds d[])', wanted);
    CREATE TABLE was (LIKE t);
    PERFORM steward.audit_enable('t');
    FOR s IN SELECT * FROM sample WHERE type = wanted ORDER BY place LOOP
        EXECUTE 'INSERT INTO t ' || format(every, s.value);
        e := last_event();
        CALL compare(s.place, 'INSERT', 'NULL::audit_values.t', e.new_values, 'audit_values.t');

        INSERT INTO was SELECT * FROM t;
        UPDATE t SET v = NULL, d = NULL, a = '{}', n = NULL, g = NULL, l = NULL, c = ROW(NULL, NULL, NULL)::c, cs = NULL, ds = NULL;
        e := last_event();
        IF e.changed_columns <> '{a,c,cs,d,ds,g,l,n,v}' THEN
            INSERT INTO flaw VALUES (s.place, 'UPDATE', 'changed_columns', e.changed_columns);
        END IF;
        CALL compare(s.place, 'old row of UPDATE', '(SELECT t FROM audit_values.t)', e.old_values, 'audit_values.was');
        CALL compare(s.place, 'new row of UPDATE', '(SELECT t FROM audit_values.was t)', e.new_values, 'audit_values.t');
        DELETE FROM was;

        DELETE FROM t;
        EXECUTE 'INSERT INTO was ' || format(every, s.value);
        INSERT INTO t SELECT * FROM was;
        DELETE FROM t;
        e := last_event();
        CALL compare(s.place, 'DELETE', 'NULL::audit_values.t', e.old_values, 'audit_values.was');
        DELETE FROM was;
    END LOOP;
    DROP TABLE t, was;
    DROP TYPE c;
    DROP DOMAIN d;
END $$;
DO $$
DECLARE
    wanted text;
BEGIN
    FOR wanted IN SELECT type FROM audit_values.sample GROUP BY type ORDER BY min(place) LOOP
        CALL try(wanted);
        COMMIT;
    END LOOP;
END $$;
-- audit_row() loses nothing; jsonb_populate_record() cannot know of jsonb null, nor of the text of json
SELECT f.way, s.type, left(s.value, 40) AS value, f.columns, string_agg(f.change, ', ' ORDER BY f.change COLLATE "C") AS changes
  FROM flaw f JOIN sample s USING (place) GROUP BY f.way, s.place, s.type, s.value, f.columns ORDER BY f.way COLLATE "C", s.place, f.columns COLLATE "C";

--
-- The null of jsonb and the one of SQL, and the text of json
--

CREATE TABLE document (id integer PRIMARY KEY, binary_doc jsonb, text_doc json);
SELECT FROM steward.audit_enable('document');
INSERT INTO document VALUES (1, NULL, NULL), (2, 'null', 'null'), (3, '"null"', '{"b": 1, "a": 2}'), (4, '{}', '{}');
UPDATE document SET binary_doc = 'null', text_doc = 'null' WHERE id = 1;
UPDATE document SET binary_doc = NULL WHERE id = 2;
UPDATE document SET text_doc = '{"b":1,"a":2}' WHERE id = 3;
UPDATE document SET text_doc = '{"a": 2, "b": 1}' WHERE id = 3;
SELECT operation, record_id, old_values, new_values, changed_columns FROM log WHERE table_name = 'document' ORDER BY created_at, seq;
-- and back
SELECT l.record_id, r.binary_doc, r.binary_doc IS NULL AS is_null, r.text_doc, r.text_doc IS NULL AS is_null
  FROM log l, steward.audit_row(NULL::document, l.new_values) r WHERE table_name = 'document' ORDER BY l.created_at, l.seq;
-- from a row, what the event does not say of it; of no event, no row
SELECT steward.audit_row(d, '{"binary_doc": null, "": {"binary_doc": "null"}}') AS other, steward.audit_row(d, '{}') AS same, steward.audit_row(d, NULL) IS NULL AS none FROM document d WHERE id = 3;
SELECT steward.audit_row(1, '{}');
SELECT steward_internal.audit_put_texts(1, '{"": {}}');
-- what a reader makes of it is jsonb, whatever the type
SELECT count(*) FROM log WHERE table_name = 'document' AND new_values -> 'text_doc' ->> 'b' = '1';

--
-- An event says what changed, and is written only if something did
--

CREATE TABLE little (id integer PRIMARY KEY, fn regproc, r real, f float8, n numeric, c char(4), ci citext, a integer[], p path);
SELECT FROM steward.audit_enable('little');
INSERT INTO little VALUES (1, 'pg_catalog.abs(integer)'::regprocedure, 0, 0, 1, 'x', 'a', '{1,NULL}', '[(0,0)]');
UPDATE little SET r = '-0';
UPDATE little SET f = '-0';
UPDATE little SET n = 1.0;
UPDATE little SET n = 1.00;
UPDATE little SET ci = 'A';
UPDATE little SET fn = 'pg_catalog.abs(bigint)'::regprocedure;
UPDATE little SET a = '[0:1]={1,NULL}';
UPDATE little SET c = 'x  ';
SELECT changed_columns, old_values, new_values FROM log WHERE table_name = 'little' AND operation = 'UPDATE' ORDER BY created_at, seq;
-- a name that several functions have says nothing of which it was
SELECT (steward.audit_row(NULL::little, new_values)).fn::oid::regprocedure FROM log WHERE table_name = 'little' AND new_values ? 'fn' ORDER BY created_at, seq;
-- an array that had a null is stored with room for one: the same array, so there is nothing to tell
UPDATE little SET a = '{1,NULL}';
UPDATE little SET a[2] = 2;
UPDATE little SET a = '{1,2}';
SELECT changed_columns, old_values, new_values FROM log WHERE table_name = 'little' AND operation = 'UPDATE' ORDER BY created_at DESC, seq DESC LIMIT 2;
SELECT FROM steward.audit_enable('little', capture => 'full');
UPDATE little SET a = '{1,NULL}';
UPDATE little SET a[2] = 2;
UPDATE little SET a = '{1,2}';
SELECT count(*) FROM log WHERE table_name = 'little' AND operation = 'UPDATE';
-- of an event that has nothing but the key one cannot tell
SELECT FROM steward.audit_enable('little', capture => 'key');
UPDATE little SET n = 2;
UPDATE little SET id = 2;
SELECT record_id, old_values, new_values, changed_columns FROM log WHERE table_name = 'little' ORDER BY created_at DESC, seq DESC LIMIT 2;
SELECT count(*) AS events_of_nothing FROM log WHERE changed_columns = '{}';

--
-- Keys are texts where JSON says less, and equal keys are equal
--

CREATE TABLE keyed (k integer[], f float8, n integer, PRIMARY KEY (k, f));
SELECT FROM steward.audit_enable('keyed');
INSERT INTO keyed VALUES ('{1,2}', 0), ('[0:1]={1,2}', 0);
UPDATE keyed SET f = '-0', n = 1 WHERE k = '{1,2}';
SELECT operation, record_id, new_values FROM steward.audit_history('keyed', '{1,2}', '0');
SELECT operation, record_id FROM steward.audit_history('keyed', '[0:1]={1,2}', '-0');
-- whatever the type, what record_id says finds the row
CREATE TABLE by_truth (k boolean PRIMARY KEY);
CREATE TABLE by_document (k jsonb PRIMARY KEY);
CREATE TABLE by_address (k address PRIMARY KEY);
CREATE TABLE by_amount (k money PRIMARY KEY);
SELECT FROM unnest('{by_truth,by_document,by_address,by_amount}'::regclass[]) t, steward.audit_enable(t);
INSERT INTO by_truth VALUES (true);
INSERT INTO by_document VALUES ('{"a": [1, null]}'), ('[]'), ('1.50'), ('false');
INSERT INTO by_address VALUES (('High Street', 1, '{a,b}'));
INSERT INTO by_amount VALUES (1234.56);
SELECT l.table_name, l.record_id, (SELECT count(*) FROM steward.audit_history(l.table_name::regclass, l.record_id)) AS found
  FROM log l WHERE l.table_name LIKE 'by\_%' ORDER BY l.created_at, l.seq;
-- a row without a key is another row if it is another text
CREATE TABLE keyless (doc jsonb);
SELECT FROM steward.audit_enable('keyless');
INSERT INTO keyless VALUES (NULL), ('null');
SELECT count(DISTINCT record_id) FROM log WHERE table_name = 'keyless';

--
-- The options, and who may read what
--

SET steward.audit_redaction_key = 'regress secret';
SELECT FROM steward.audit_enable('person', redact => '{tags,home,addresses}');
UPDATE person SET tags = '{4111 1111}', home.street = '4111 1111', grid = NULL, addresses = NULL;
SELECT new_values ->> 'tags' = 'hmac:' || encode(hmac('{"4111 1111"}', 'regress secret', 'sha256'), 'hex') AS tags,
       new_values ->> 'home' = 'hmac:' || encode(hmac('("4111 1111",2,{})', 'regress secret', 'sha256'), 'hex') AS home,
       new_values -> 'addresses' AS addresses, new_values::text || old_values::text LIKE '%4111%' AS told
  FROM log WHERE table_name = 'person' ORDER BY created_at DESC, seq DESC LIMIT 1;

--
-- A byte that is no text in the database's encoding, which the server prints as it is before 16
--

CREATE TABLE byte (id integer PRIMARY KEY, c "char", cs "char"[]);
SELECT FROM steward.audit_enable('byte');
INSERT INTO byte SELECT 1, c, ARRAY[c, 'x', ''] FROM (SELECT (-56)::"char") AS one (c);
SELECT new_values FROM log WHERE table_name = 'byte';

--
-- Types that change under the table
--

CREATE TYPE inner_type AS (gone text, a integer);
CREATE TYPE outer_type AS (i inner_type, l inner_type[]);
CREATE TABLE changing (id integer PRIMARY KEY, o outer_type, os outer_type[]);
SELECT FROM steward.audit_enable('changing');
INSERT INTO changing VALUES (1, (('x', 1), ARRAY[('y', 2)::inner_type]), ARRAY[(('x', 1), ARRAY[('y', 2)::inner_type])::outer_type]);
ALTER TYPE inner_type DROP ATTRIBUTE gone;
ALTER TYPE inner_type ADD ATTRIBUTE class regclass;
ALTER TYPE inner_type RENAME ATTRIBUTE a TO "renamed A";
UPDATE changing SET o.i.class = 'audit_values.changing';
SELECT old_values, new_values FROM log WHERE table_name = 'changing' AND operation = 'UPDATE';
-- as text, too, names do not depend on the search path
UPDATE changing SET o.l = array_fill(ROW(1, 'audit_values.changing')::inner_type, ARRAY[1], ARRAY[0]);
SELECT new_values FROM log WHERE table_name = 'changing' ORDER BY created_at DESC, seq DESC LIMIT 1;

--
-- What is large
--

CREATE TABLE large (id integer PRIMARY KEY, i integer[], t text[], b boolean[], j json, js jsonb[]);
SELECT FROM steward.audit_enable('large');
-- around the stride of jsonb's offsets, and many
INSERT INTO large (id, i, t, js)
SELECT n, array_agg(m), array_agg(repeat('x', m % 7)), array_agg(jsonb_build_object('k', m))
  FROM unnest('{1,31,32,33,63,64,65,97,20000}'::integer[]) n, generate_series(1, n) m GROUP BY n;
SELECT l.record_id, l.new_values = to_jsonb(x) AND l.new_values::text = to_jsonb(x)::text AND l.new_values::text::jsonb = l.new_values AS equal, l.new_values #>> ARRAY['js', (x.id - 1)::text, 'k'] AS last
  FROM large x JOIN log l ON l.record_id = x.id::text WHERE l.table_name = 'large' ORDER BY x.id;
-- whole numbers take the bytes that to_jsonb() gives them
CREATE TABLE whole (id integer PRIMARY KEY, small smallint[], middle integer[], big bigint[]);
SELECT FROM steward.audit_enable('whole');
INSERT INTO whole
SELECT sign + 1, array_agg(sign * n) FILTER (WHERE n < 32768), array_agg(sign * n) FILTER (WHERE n <= 2147483647), array_agg(sign * n)
  FROM unnest('{-1,1}'::integer[]) sign,
       LATERAL (SELECT (10::numeric ^ power)::bigint * factor + plus AS n FROM generate_series(0, 17) power, generate_series(0, 9) factor, generate_series(-1, 1) plus
                UNION ALL VALUES (9223372036854775807), (2147483647), (32767)) n GROUP BY sign;
INSERT INTO whole VALUES (1, '{-32768}', '{-2147483648}', '{-9223372036854775808}');
SELECT l.record_id, l.new_values::text = to_jsonb(w)::text AS same_text, pg_column_size(l.new_values || '{}') = pg_column_size(to_jsonb(w) || '{}') AS same_size,
       jsonb_array_length(l.new_values -> 'big') AS numbers
  FROM whole w JOIN log l ON l.record_id = w.id::text WHERE l.table_name = 'whole' ORDER BY w.id;
\set VERBOSITY sqlstate
INSERT INTO large (id, b) VALUES (-1, array_fill(NULL::boolean, ARRAY[67108864]));
\set VERBOSITY default
-- json whose numbers would fill a gigabyte as jsonb prints them
INSERT INTO large (id, j) VALUES (-2, ('[' || repeat('1e131071, ', 9000) || '0]')::json);
SELECT length(new_values ->> 'j') FROM log WHERE table_name = 'large' ORDER BY created_at DESC, seq DESC LIMIT 1;

DROP SCHEMA audit_values CASCADE;
