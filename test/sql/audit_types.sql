-- How values of every type come into the log: the same for every session, equal
-- to to_jsonb() where a type has a JSON form, text otherwise.
SET client_min_messages = error;
SET TimeZone = 'UTC';

CREATE SCHEMA audit_types;

--
-- Type by type
--

CREATE TYPE audit_types.mood AS ENUM ('sad', 'so so', 'very "happy"');
CREATE DOMAIN audit_types.percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN audit_types.rate AS audit_types.percent;
CREATE DOMAIN audit_types.document AS jsonb;
CREATE DOMAIN audit_types.numbers AS integer[];
CREATE TYPE audit_types.pair AS (a integer, "B" text, c timestamptz);
CREATE TYPE audit_types.span AS RANGE (SUBTYPE = float8);

-- What the log says of a value, or what went wrong.
CREATE FUNCTION audit_types.logged(type text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    e record;
    said text;
BEGIN
    EXECUTE format('CREATE TABLE audit_types.try (id integer PRIMARY KEY, v %s)', type);
    CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON audit_types.try FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
    EXECUTE format('INSERT INTO audit_types.try VALUES (1, %L)', value);
    EXECUTE format('UPDATE audit_types.try SET v = %L', value);
    UPDATE audit_types.try SET v = NULL;
    EXECUTE format('UPDATE audit_types.try SET v = %L', value);
    DELETE FROM audit_types.try;
    SELECT string_agg(l.operation, '' ORDER BY l.seq) AS operations,
           array_remove(array_agg(DISTINCT (l.old_values -> 'v')::text), 'null') AS olds,
           array_remove(array_agg(DISTINCT (l.new_values -> 'v')::text), 'null') AS news
      INTO e
      FROM steward.audit_events l WHERE l.table_id = steward_internal.audit_table_id('audit_types.try');
    DROP TABLE audit_types.try;
    IF e.operations <> 'IUUD' THEN
        said := format('operations %s', e.operations);
    ELSIF array_remove(e.olds, NULL) <> array_remove(e.news, NULL) THEN
        said := format('old %s, new %s', e.olds, e.news);
    ELSE
        said := coalesce((array_remove(e.news, NULL))[1], 'null');
    END IF;
    RETURN said;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;

CREATE TABLE audit_types.sample (place integer GENERATED ALWAYS AS IDENTITY, type text, value text);
INSERT INTO audit_types.sample (type, value) VALUES
    ('boolean', 't'), ('boolean', 'f'),
    ('smallint', '-32768'), ('integer', '-2147483648'), ('bigint', '-9223372036854775808'), ('bigint', '9223372036854775807'),
    ('numeric', '0'), ('numeric', '0.000'), ('numeric', '-1.50'), ('numeric(20,4)', '1'), ('numeric', '1e20'), ('numeric', '1e-20'),
    ('numeric', 'NaN'), ('numeric', '-Infinity'), ('numeric', '10000000000000000.00000000000000001'),
    ('real', '0.1'), ('real', '3.4028235e38'), ('real', '1e-5'), ('real', '-0'), ('real', 'NaN'), ('real', 'Infinity'), ('real', '16777216'),
    ('float8', '0.1'), ('float8', '0.30000000000000004'), ('float8', '1e15'), ('float8', '1e16'), ('float8', '-1e-20'),
    ('float8', '-0'), ('float8', 'NaN'), ('float8', '-Infinity'),
    ('money', '-1234.50'),
    ('text', ''), ('text', 'a"b\c' || chr(8) || chr(9) || chr(10) || chr(127)), ('text', 'ä€𝄞'), ('text', 'null'), ('text', '\u0000'),
    ('varchar(3)', 'abc'), ('char(5)', 'ab'), ('char(5)', ''), ('"char"', 'x'), ('"char"', ''), ('name', 'n'),
    ('audit_types.mood', 'very "happy"'),
    ('audit_types.percent', '5'), ('audit_types.rate', '5'), ('audit_types.document', '{"a": 1}'), ('audit_types.numbers', '{1,2}'),
    ('json', '{"b":1,  "a":2, "b":3}'), ('json', '"\u0000"'), ('json', ' 1 '),
    ('jsonb', '{"b":1,  "a":2, "b":3}'), ('jsonb', '{}'), ('jsonb', '[]'), ('jsonb', '[[], {}, [1, [2, {"a": null}]]]'),
    ('jsonb', 'null'), ('jsonb', 'true'), ('jsonb', '"text"'), ('jsonb', '""'), ('jsonb', '-1.50'), ('jsonb', '1e10'),
    ('bytea', '\x'), ('bytea', '\x00ff5c'), ('bit(3)', '101'), ('varbit', '1'),
    ('date', '2024-02-29'), ('date', '0044-03-15 BC'), ('date', 'infinity'), ('date', '-infinity'), ('date', '5874897-12-31'),
    ('time', '23:59:59.999999'), ('time', '24:00'), ('time(0)', '12:00:00.5'), ('timetz', '12:00:00.5-03:30'), ('timetz', '12:00+02'), ('timetz', '12:00+15:59:59'),
    ('timestamp', '2024-02-29 12:34:56.789'), ('timestamp', 'infinity'), ('timestamp', '4713-01-01 00:00 BC'), ('timestamp', '294276-12-31 23:59:59.999999'),
    ('timestamptz', '2024-02-29 12:34:56.789+05:30'), ('timestamptz', '-infinity'), ('timestamptz', '0044-03-15 12:00+00 BC'), ('timestamptz', '1800-01-01 00:00:00+00'),
    ('interval', '1 year -2 mons +3 days -04:05:06.789'), ('interval', '0'), ('interval', '-1 day'), ('interval month', '14 mons'),
    ('uuid', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'),
    ('inet', '10.0.0.1/8'), ('inet', '::1'), ('cidr', '10.0.0.0/8'), ('macaddr', '08:00:2b:01:02:03'), ('macaddr8', '08:00:2b:01:02:03:04:05'),
    ('point', '(1,-0.1)'), ('box', '(1,1),(0,0)'), ('path', '[(0,0),(1,1)]'), ('circle', '<(0,0),1e100>'),
    ('integer[]', '{}'), ('integer[]', '[2:3]={1,NULL}'), ('text[]', '{"a b","\"",NULL,""}'), ('float8[]', '{0.1,NaN}'), ('date[]', '{2024-02-29,infinity}'),
    ('timestamptz[]', '{2024-02-29 12:00:00+05:30}'), ('interval[]', '{1 day 02:00:00}'), ('bytea[]', '{"\\x00ff"}'), ('json[]', '{"{\"a\":1}"}'), ('audit_types.mood[]', '{sad,"so so"}'),
    ('int4range', '[1,5]'), ('int4range', 'empty'), ('numrange', '(,1.50]'), ('tstzrange', '[2024-02-29 12:00:00+05:30,)'), ('daterange', '[2024-02-29,infinity]'),
    ('audit_types.span', '[0.1,NaN]'), ('int4multirange', '{[1,2],[5,6]}'), ('tstzmultirange', '{[2024-02-29 12:00:00+05:30,]}'),
    ('audit_types.pair', '(1,"x ""y""","2024-02-29 12:00:00+05:30")'), ('audit_types.pair', '(,,)'), ('audit_types.pair[]', '{"(1,b,2024-02-29 12:00:00+05:30)"}'),
    ('tsvector', '''b'':1A ''a'':2'), ('tsquery', '''a'' & !''b'':*'), ('jsonpath', '$."a"[*]'),
    ('oid', '4294967295'), ('xid8', '18446744073709551615'), ('tid', '(0,1)'), ('pg_lsn', '16/B374D848'), ('pg_snapshot', '10:20:10,14'), ('refcursor', 'c'), ('oidvector', '1 2'),
    ('regclass', 'audit_types.sample'), ('regclass', 'pg_class'), ('regclass', '0'), ('regclass', '4294967295'),
    ('regtype', 'audit_types.mood'), ('regtype', 'integer'), ('regtype', 'text[]'), ('regproc', 'audit_types.logged'), ('regproc', 'pg_catalog.now'),
    ('regprocedure', 'audit_types.logged(text,text)'), ('regoper', 'pg_catalog.||/'), ('regoperator', '+(integer,integer)'),
    ('regnamespace', 'audit_types'), ('regconfig', 'pg_catalog.english'), ('regdictionary', 'pg_catalog.simple'), ('regcollation', 'pg_catalog."C"');
SELECT type, value, audit_types.logged(type, value) AS logged FROM audit_types.sample ORDER BY place;

-- a value that is nothing but its null is a null
SELECT audit_types.logged('jsonb', 'null') = 'null' AS json_null;
-- XML keeps its text, where the server knows XML
SELECT CASE WHEN said ~ 'unsupported XML' THEN '"<a b=\"1\"> c </a>"' ELSE said END AS xml
  FROM audit_types.logged('xml', '<a b="1"> c </a>') said;

--
-- Strictly what to_jsonb() says, over many rows of a wide table
--

DO $$
DECLARE
    types constant text[] := '{boolean,smallint,integer,bigint,numeric,real,float8,text,varchar(40),char(3),name,jsonb,date,time,timetz,timestamp,timestamptz,uuid,audit_types.rate,audit_types.document,integer[],text[],numeric[],timestamptz[],audit_types.pair}';
BEGIN
    -- 75 columns with names of every length, in no order
    EXECUTE (SELECT format('CREATE TABLE audit_types.wide (id integer PRIMARY KEY, %s)',
                           string_agg(format('%I %s', repeat(chr(97 + n * 7 % 26), 1 + n * 11 % 23) || n, types[1 + n % 25]), ', ' ORDER BY n))
               FROM generate_series(1, 75) n);
END $$;
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.wide'); END $$;

-- A random value of a type, as text; NULL now and then.
CREATE FUNCTION audit_types.random_value(type text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF random() < 0.15 THEN
        RETURN NULL;
    END IF;
    RETURN CASE
        WHEN type ~ '\[\]$' THEN (SELECT array_agg(audit_types.random_value(left(type, -2))) FROM generate_series(1, (random() * random() * 70)::integer))::text
        WHEN type ~ 'pair' THEN ROW(audit_types.random_value('integer'), audit_types.random_value('varchar'), audit_types.random_value('timestamptz'))::text
        WHEN type ~ 'boolean' THEN (random() < 0.5)::text
        WHEN type ~ 'smallint' THEN floor((random() - 0.5) * 65535)::text
        WHEN type ~ 'integer' THEN floor((random() - 0.5) * 4294967295)::text
        WHEN type ~ 'bigint' THEN floor((random() - 0.5) * 1.8e19)::numeric::text
        WHEN type ~ 'rate' THEN round((random() * 100)::numeric, 2)::text
        WHEN type ~ 'numeric' THEN round(((random() - 0.5) * power(10, (random() * 60 - 30)))::numeric, (random() * 40)::integer)::text
        WHEN type ~ 'real' THEN (((random() - 0.5) * power(10, (random() * 60 - 30)))::real)::text
        WHEN type ~ 'double' THEN ((random() - 0.5) * power(10, (random() * 600 - 300)))::text
        WHEN type ~ 'jsonb|document' THEN (ARRAY['false', 'true', '"s"', '12.50', '[]', '{}', '[1, "a", null, {"b": [2]}]',
            '{"' || repeat('k', (random() * 5)::integer) || '": ' || round((random() * 1000)::numeric, (random() * 5)::integer) || ', "n": {"m": []}}',
            (SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 70) n)::text])[1 + floor(random() * 9)]
        WHEN type ~ 'timestamp' THEN (timestamp '0100-01-01 BC' + random() * interval '4000 years')::text
        WHEN type ~ 'date' THEN (date '0100-01-01 BC' + (random() * 1500000)::integer)::text
        WHEN type ~ 'time with time' THEN (time '00:00' + random() * interval '24 hours')::text || (ARRAY['+00', '-11:30', '+05:45'])[1 + floor(random() * 3)]
        WHEN type ~ 'time' THEN (time '00:00' + random() * interval '24 hours')::text
        WHEN type ~ 'uuid' THEN md5(random()::text)
        WHEN type ~ 'character\(' THEN left(md5(random()::text), (random() * 3)::integer)
        ELSE left(repeat(md5(random()::text), 40), (random() * random() * CASE WHEN type = 'text' THEN 1200 ELSE 40 END)::integer)
    END;
END $$;
-- Inserts a row of random values.
CREATE PROCEDURE audit_types.insert_random(id integer) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT format('INSERT INTO audit_types.wide VALUES (%s, %s)', id,
                           string_agg(coalesce(quote_literal(audit_types.random_value(format_type(a.atttypid, a.atttypmod))), 'NULL'), ', ' ORDER BY a.attnum))
               FROM pg_attribute a WHERE a.attrelid = 'audit_types.wide'::regclass AND a.attnum > 1);
END $$;
-- Gives random values to a random half of the columns of a row.
CREATE PROCEDURE audit_types.update_random(id integer) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE (SELECT format('UPDATE audit_types.wide SET %s WHERE id = %s',
                           string_agg(format('%I = %L', a.attname, audit_types.random_value(format_type(a.atttypid, a.atttypmod))), ', ' ORDER BY a.attnum), id)
               FROM pg_attribute a WHERE a.attrelid = 'audit_types.wide'::regclass AND a.attnum > 1 AND random() < 0.5);
END $$;
CREATE TABLE audit_types.states (id integer, state integer, row_json jsonb);
SELECT setseed(0.15) IS NOT NULL AS seeded;
DO $$
BEGIN
    FOR i IN 1..40 LOOP
        CALL audit_types.insert_random(i);
        INSERT INTO audit_types.states SELECT i, 1, to_jsonb(w) FROM audit_types.wide w WHERE w.id = i;
        CALL audit_types.update_random(i);
        INSERT INTO audit_types.states SELECT i, 2, to_jsonb(w) FROM audit_types.wide w WHERE w.id = i;
    END LOOP;
    DELETE FROM audit_types.wide;
END $$;

-- What of an object a function of jsonb takes to be wrong.
CREATE FUNCTION audit_types.flaws(stored jsonb, wanted jsonb) RETURNS text LANGUAGE sql AS $$
SELECT nullif(concat_ws(', ',
    CASE WHEN stored IS DISTINCT FROM wanted THEN 'not equal' END,
    CASE WHEN stored::text IS DISTINCT FROM wanted::text THEN 'other text' END,
    CASE WHEN stored::text::jsonb IS DISTINCT FROM stored THEN 'not read back' END,
    CASE WHEN jsonb_hash_extended(stored, 1) <> jsonb_hash_extended(wanted, 1) THEN 'other hash' END,
    CASE WHEN stored < wanted OR stored > wanted THEN 'other order' END,
    CASE WHEN NOT stored @> wanted OR NOT wanted @> stored THEN 'not contained' END,
    CASE WHEN (stored || '{"added": 1}') <> (wanted || '{"added": 1}') OR ('{"added": 1}' || stored) <> ('{"added": 1}' || wanted) THEN 'concatenation' END,
    CASE WHEN jsonb_pretty(stored) <> jsonb_pretty(wanted) THEN 'pretty' END,
    CASE WHEN jsonb_strip_nulls(stored) <> jsonb_strip_nulls(wanted) THEN 'stripped' END,
    CASE WHEN length(jsonb_send(stored)) <> length(jsonb_send(wanted)) THEN 'sent' END,
    (SELECT 'keys' FROM (SELECT array_agg(k.key ORDER BY k.ordinality) AS keys FROM jsonb_object_keys(stored) WITH ORDINALITY k (key, ordinality)) s,
                        (SELECT array_agg(k.key ORDER BY k.ordinality) AS keys FROM jsonb_object_keys(wanted) WITH ORDINALITY k (key, ordinality)) w
      WHERE s.keys IS DISTINCT FROM w.keys),
    (SELECT 'elements ' || string_agg(w.key, ' ') FROM jsonb_each(wanted) w
      WHERE (stored -> w.key) IS DISTINCT FROM w.value
         OR (stored ->> w.key) IS DISTINCT FROM (wanted ->> w.key)
         OR NOT stored ? w.key
         OR stored - w.key <> wanted - w.key
         OR jsonb_set(stored, ARRAY[w.key], '[1]') <> jsonb_set(wanted, ARRAY[w.key], '[1]')
         OR stored #> ARRAY[w.key, '0'] IS DISTINCT FROM wanted #> ARRAY[w.key, '0']
         OR jsonb_typeof(stored -> w.key) <> jsonb_typeof(w.value)),
    (SELECT 'each' FROM jsonb_each(stored) s FULL JOIN jsonb_each(wanted) w USING (key) WHERE s.value IS DISTINCT FROM w.value LIMIT 1),
    CASE WHEN jsonb_path_query_array(stored, '$.*') <> jsonb_path_query_array(wanted, '$.*') THEN 'path' END), '')
$$;
SELECT l.operation, count(*),
       count(*) FILTER (WHERE audit_types.flaws(l.new_values, w.new_values) IS NOT NULL) AS new_flaws,
       count(*) FILTER (WHERE audit_types.flaws(l.old_values, w.old_values) IS NOT NULL) AS old_flaws
  FROM steward.audit_log l
  JOIN audit_types.states b ON b.id::text = l.record_id AND b.state = 1
  JOIN audit_types.states a ON a.id::text = l.record_id AND a.state = 2
 CROSS JOIN LATERAL (
       SELECT CASE l.operation WHEN 'INSERT' THEN b.row_json WHEN 'UPDATE' THEN jsonb_object_agg(n.key, n.value) FILTER (WHERE n.value::text IS DISTINCT FROM (b.row_json -> n.key)::text) END AS new_values,
              CASE l.operation WHEN 'DELETE' THEN a.row_json WHEN 'UPDATE' THEN jsonb_object_agg(n.key, b.row_json -> n.key) FILTER (WHERE n.value::text IS DISTINCT FROM (b.row_json -> n.key)::text) END AS old_values
         FROM jsonb_each(a.row_json) n) w
 WHERE l.table_schema = 'audit_types' AND l.table_name = 'wide'
 GROUP BY l.operation ORDER BY l.operation;
-- where there are flaws, some of them
SELECT l.record_id, left(audit_types.flaws(l.new_values, s.row_json), 100) AS flaws
  FROM steward.audit_log l JOIN audit_types.states s ON s.id::text = l.record_id AND s.state = 1
 WHERE l.table_schema = 'audit_types' AND l.table_name = 'wide' AND l.operation = 'INSERT'
   AND audit_types.flaws(l.new_values, s.row_json) IS NOT NULL
 ORDER BY s.id LIMIT 3;

-- every number of columns around the stride of jsonb's offsets, and the most there can be
CREATE FUNCTION audit_types.flaws_of_width(columns integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    wanted jsonb;
    stored jsonb;
BEGIN
    EXECUTE (SELECT format('CREATE TABLE audit_types.width (%s)', string_agg(format('c%s %s', n, CASE n % 4 WHEN 0 THEN 'boolean' WHEN 1 THEN 'numeric' WHEN 2 THEN 'text' ELSE 'jsonb' END), ', ' ORDER BY n))
               FROM generate_series(1, columns) n);
    CREATE TRIGGER audit AFTER INSERT ON audit_types.width FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
    EXECUTE (SELECT format('INSERT INTO audit_types.width VALUES (%s)',
                           string_agg(CASE WHEN n % 7 = 0 THEN 'NULL' ELSE CASE n % 4 WHEN 0 THEN 'true' WHEN 1 THEN n || '.5' WHEN 2 THEN quote_literal(repeat('x', n % 9)) ELSE format('%L', jsonb_build_array(n, '{}'::jsonb)) END END, ', ' ORDER BY n))
               FROM generate_series(1, columns) n);
    SELECT to_jsonb(w) INTO wanted FROM audit_types.width w;
    SELECT new_values INTO stored FROM steward.audit_log
     WHERE table_schema = 'audit_types' AND table_name = 'width' AND transaction_id = pg_current_xact_id() ORDER BY seq DESC LIMIT 1;
    DROP TABLE audit_types.width;
    RETURN audit_types.flaws(stored, wanted);
END $$;
SELECT columns, audit_types.flaws_of_width(columns) AS flaws
  FROM unnest('{1,2,15,16,17,31,32,33,34,63,64,65,96,97,129}'::integer[]) columns
 WHERE audit_types.flaws_of_width(columns) IS NOT NULL;
DO $$
BEGIN
    EXECUTE (SELECT format('CREATE TABLE audit_types.widest (%s)', string_agg(format('%s boolean', 'c' || n), ', ')) FROM generate_series(1, 1600) n);
    PERFORM steward.audit_enable('audit_types.widest');
    EXECUTE 'INSERT INTO audit_types.widest (c1, c800, c1600) VALUES (true, false, true)';
END $$;
SELECT l.new_values = to_jsonb(w) AND l.new_values::text::jsonb = l.new_values AS equal, (SELECT count(*) FROM jsonb_object_keys(l.new_values)) AS columns
  FROM audit_types.widest w, steward.audit_log l WHERE l.table_schema = 'audit_types' AND l.table_name = 'widest';

--
-- No setting of the session changes what is stored
--

CREATE DOMAIN audit_types.fee AS money;
CREATE TYPE audit_types.price AS (amount audit_types.fee, of regclass);
CREATE TYPE audit_types.money_range AS RANGE (SUBTYPE = money);
CREATE TABLE audit_types.source AS
SELECT 1 AS n, '2024-02-29'::date AS d, '2024-02-29 12:00+00'::timestamptz AS tz, '2024-02-29 12:00'::timestamp AS ts, '12:00+02'::timetz AS ttz,
       '1 year -2 days 03:04:05.6'::interval AS i, 0.1::float8 + 0.2 AS f8, '0.1'::real AS f4, '\x00ff'::bytea AS b, '1234.50'::money AS m, '{"a": 1}'::json AS j,
       ARRAY['2024-02-29'::date] AS da, ARRAY['2024-02-29 12:00+00'::timestamptz] AS tza, ARRAY['1 day 02:00'::interval] AS ia, ARRAY[0.1::float8 + 0.2] AS fa, ARRAY['\x00ff'::bytea] AS ba,
       ARRAY['1234.50'::money] AS ma, '1234.50'::audit_types.fee AS mf, ('1234.50', 'audit_types.sample')::audit_types.price AS mp,
       audit_types.money_range('1234.50', NULL) AS mr, tstzrange('2024-02-29 12:00+00', NULL) AS tr, tstzmultirange(tstzrange('2024-02-29 12:00+00', NULL)) AS tmr,
       (1, 'x', '2024-02-29 12:00+00')::audit_types.pair AS p, point(0.1::float8 + 0.2, 0) AS pt,
       'audit_types.sample'::regclass AS rc, ARRAY['audit_types.sample'::regclass] AS rca, 'audit_types.mood'::regtype AS rt, ARRAY['audit_types.mood'::regtype] AS rta,
       'audit_types.logged(text,text)'::regprocedure AS rp, 'pg_catalog.english'::regconfig AS rcf, 'pg_catalog.simple'::regdictionary AS rd,
       'pg_catalog."C"'::regcollation AS rco, '+(integer,integer)'::regoperator AS ro, 'audit_types'::regnamespace AS rn, ARRAY['a b', 'c'] AS ta, 'x'::text COLLATE "C" AS t;
-- one table of ours for each way to take it, with and without a key, and redacted
CREATE TABLE audit_types.keyed (LIKE audit_types.source, PRIMARY KEY (n));
CREATE TABLE audit_types.keyless (LIKE audit_types.source);
CREATE TABLE audit_types.redacted (LIKE audit_types.source, PRIMARY KEY (n));
SET steward.audit_redaction_key = 'regress secret';
DO $$
BEGIN
    PERFORM steward.audit_enable('audit_types.keyed', capture => 'full'), steward.audit_enable('audit_types.keyless'),
            steward.audit_enable('audit_types.redacted', redact => ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = 'audit_types.source'::regclass AND attnum > 0));
END $$;
CREATE SCHEMA audit_types_hidden;
CREATE COLLATION audit_types_hidden."C" FROM pg_catalog."C";
CREATE TEXT SEARCH CONFIGURATION audit_types_hidden.english (COPY = pg_catalog.english);
CREATE TEXT SEARCH DICTIONARY audit_types_hidden.simple (TEMPLATE = pg_catalog.simple);
CREATE PROCEDURE audit_types.with_setting(name text, value text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config(name, value, true);
    INSERT INTO audit_types.keyed SELECT * FROM audit_types.source;
    DELETE FROM audit_types.keyed;
    INSERT INTO audit_types.keyless SELECT * FROM audit_types.source;
    DELETE FROM audit_types.keyless;
    INSERT INTO audit_types.redacted SELECT * FROM audit_types.source;
    DELETE FROM audit_types.redacted;
    INSERT INTO audit_types.settings VALUES (pg_current_xact_id(), name || ' = ' || value);
EXCEPTION WHEN invalid_parameter_value OR undefined_object THEN
    NULL;  -- a locale that this machine lacks
END $$;
CREATE TABLE audit_types.settings (xid xid8, setting text);
DO $$
DECLARE
    s record;
BEGIN
    FOR s IN VALUES
        ('DateStyle', 'ISO'),
        ('DateStyle', 'German, DMY'),
        ('DateStyle', 'SQL, MDY'),
        ('DateStyle', 'Postgres, DMY'),
        ('TimeZone', 'Asia/Kolkata'),
        ('TimeZone', '<X-3:30>+3:30'),
        ('IntervalStyle', 'sql_standard'),
        ('IntervalStyle', 'iso_8601'),
        ('IntervalStyle', 'postgres_verbose'),
        ('extra_float_digits', '-15'),
        ('extra_float_digits', '0'),
        ('extra_float_digits', '3'),
        ('bytea_output', 'escape'),
        ('lc_monetary', 'en_US.UTF-8'),
        ('lc_monetary', 'de_DE.UTF-8'),
        ('lc_monetary', 'en_US.utf8'),
        ('lc_monetary', 'de_DE.utf8'),
        ('lc_monetary', 'tr_TR.UTF-8'),
        ('xmlbinary', 'hex'),
        ('search_path', ''),
        ('search_path', 'audit_types'),
        ('search_path', 'audit_types_hidden, pg_catalog'),
        ('quote_all_identifiers', 'on'),
        ('default_text_search_config', 'pg_catalog.german')
    LOOP
        CALL audit_types.with_setting(s.column1, s.column2);
        COMMIT;
    END LOOP;
END $$;
-- the settings under which something else was stored than under the first
SELECT s.setting, l.table_name, l.operation,
       CASE WHEN l.record_id <> f.record_id THEN 'record_id' END AS key,
       (SELECT string_agg(a.key, ' ' ORDER BY a.key) FROM jsonb_each_text(coalesce(l.new_values, l.old_values)) a JOIN jsonb_each_text(coalesce(f.new_values, f.old_values)) b USING (key)
         WHERE a.value <> b.value) AS columns
  FROM audit_types.settings s
  JOIN steward.audit_log l ON l.transaction_id = s.xid
  JOIN steward.audit_log f ON f.transaction_id = (SELECT min(xid) FROM audit_types.settings) AND f.seq = l.seq
 WHERE (l.table_name, l.record_id, l.operation, l.old_values::text, l.new_values::text)
       IS DISTINCT FROM (f.table_name, f.record_id, f.operation, f.old_values::text, f.new_values::text)
   AND l.table_schema = 'audit_types' AND l.table_name IN ('keyed', 'keyless', 'redacted')
 ORDER BY s.xid, l.seq;
-- money is hashed as it reads in locale C
SELECT DISTINCT v.value ->> 'm' = 'hmac:' || encode(hmac('$1,234.50', 'regress secret', 'sha256'), 'hex') AS of_c, v.value ->> 'mf' = v.value ->> 'm' AS of_domain
  FROM steward.audit_log l CROSS JOIN LATERAL coalesce(l.new_values, l.old_values) v(value) WHERE l.table_schema = 'audit_types' AND l.table_name = 'redacted';
-- and the session has its settings back
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'sql_standard';
INSERT INTO audit_types.keyed SELECT * FROM audit_types.source;
SELECT d, i FROM audit_types.keyed;
RESET DateStyle;
RESET IntervalStyle;

--
-- Updates that leave every column at its place in the row
--

CREATE TABLE audit_types.alike (id integer PRIMARY KEY, "char" "char", gone_early text, short text, bool boolean, int2 smallint, long text, int4 integer, int8 bigint, never text, float8 float8,
    real real, number numeric, uuid uuid, gone_late bigint, day date, at timestamptz, padded char(7), bytes bytea, doc jsonb, label name, addr inet, clock timetz, rate audit_types.rate,
    big text, packed text, last "char");
ALTER TABLE audit_types.alike ALTER big SET STORAGE EXTERNAL;
-- A random value of the same length as every other one for the column.
CREATE FUNCTION audit_types.alike_value(name text) RETURNS text LANGUAGE sql AS $$
SELECT CASE name
    WHEN 'char' THEN chr(97 + floor(random() * 2)::integer) WHEN 'last' THEN chr(97 + floor(random() * 26)::integer)
    WHEN 'short' THEN floor(100 + random() * 3)::text WHEN 'long' THEN left(repeat(md5(random()::text), 10), 300)
    WHEN 'bool' THEN (random() < 0.5)::text
    WHEN 'int2' THEN floor(random() * 3)::text WHEN 'int4' THEN floor(random() * 1e9)::text WHEN 'int8' THEN floor(random() * 1e15)::bigint::text
    WHEN 'float8' THEN random()::text WHEN 'real' THEN random()::real::text
    WHEN 'number' THEN floor(1000 + random() * 8999)::text || '.' || floor(1000 + random() * 8999)::text
    WHEN 'rate' THEN floor(10 + random() * 89)::text || '.' || floor(10 + random() * 89)::text
    WHEN 'uuid' THEN md5(random()::text) WHEN 'day' THEN (date '2000-01-01' + floor(random() * 9)::integer)::text
    WHEN 'at' THEN (timestamptz '2000-01-01' + floor(random() * 9) * interval '1 h')::text
    WHEN 'clock' THEN (time '12:00' + floor(random() * 9) * interval '1 h')::text || '+02'
    WHEN 'padded' THEN left(md5(random()::text), floor(random() * 7)::integer)
    WHEN 'bytes' THEN '\x' || left(md5(random()::text), 12)
    WHEN 'doc' THEN '{"a": "' || left(md5(random()::text), 4) || '", "b": [' || floor(100 + random() * 3) || ']}'
    WHEN 'label' THEN left(md5(random()::text), 5) WHEN 'addr' THEN '10.0.0.' || floor(100 + random() * 100)
    WHEN 'big' THEN CASE WHEN random() < 0.5 THEN repeat('b', 5000) ELSE repeat('B', 5000) END
    WHEN 'packed' THEN repeat(left(md5(random()::text), 2), 2500)
    WHEN 'never' THEN NULL ELSE floor(random() * 9)::text END
$$;
-- Changes some columns of a row; returns what is wrong with the event.
CREATE FUNCTION audit_types.change_alike(share float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before jsonb := (SELECT to_jsonb(t) FROM audit_types.alike t);
    after jsonb;
    logged record;
    events bigint := (SELECT count(*) FROM steward.audit_events WHERE table_id = steward_internal.audit_table_id('audit_types.alike'));
BEGIN
    EXECUTE (SELECT 'UPDATE audit_types.alike SET ' || string_agg(format('%I = %L', a.attname, audit_types.alike_value(a.attname)), ', ')
               FROM pg_attribute a WHERE a.attrelid = 'audit_types.alike'::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND (random() < share OR a.attname = 'never') AND a.attname <> 'id');
    after := (SELECT to_jsonb(t) FROM audit_types.alike t);
    SELECT coalesce(jsonb_object_agg(k.key, before -> k.key), '{}') AS old_values, coalesce(jsonb_object_agg(k.key, after -> k.key), '{}') AS new_values INTO logged
      FROM jsonb_object_keys(after) k (key) WHERE (before -> k.key)::text <> (after -> k.key)::text;
    RETURN (SELECT concat_ws(', ', audit_types.flaws(l.new_values, logged.new_values), audit_types.flaws(l.old_values, logged.old_values),
                             CASE WHEN l.record_id <> '1' THEN l.record_id END)
              FROM (SELECT * FROM steward.audit_entries e WHERE e.table_id = steward_internal.audit_table_id('audit_types.alike') ORDER BY e.created_at DESC, e.seq DESC LIMIT 1) l
             WHERE logged.new_values <> '{}'
             UNION ALL
            SELECT 'an event for nothing'
             WHERE logged.new_values = '{}' AND events <> (SELECT count(*) FROM steward.audit_events WHERE table_id = steward_internal.audit_table_id('audit_types.alike')));
END $$;
DO $$
BEGIN
    PERFORM steward.audit_enable('audit_types.alike');
    EXECUTE (SELECT 'INSERT INTO audit_types.alike VALUES (1, ' || string_agg(quote_nullable(audit_types.alike_value(a.attname)), ', ' ORDER BY a.attnum) || ')'
               FROM pg_attribute a WHERE a.attrelid = 'audit_types.alike'::regclass AND a.attnum > 1);
END $$;
SELECT coalesce(audit_types.change_alike(share), '') AS flaws, count(*) FROM unnest('{0,0.05,0.1,0.3,0.6,1}'::float8[]) share, generate_series(1, 12) GROUP BY 1;
-- rows written before columns went and came
ALTER TABLE audit_types.alike DROP gone_early, DROP gone_late;
SELECT coalesce(audit_types.change_alike(share), '') AS flaws, count(*) FROM unnest('{0.05,0.3,1}'::float8[]) share, generate_series(1, 5) GROUP BY 1;
ALTER TABLE audit_types.alike ADD added text DEFAULT 'fast', ADD "Added, too" integer DEFAULT 7;
SELECT coalesce(audit_types.change_alike(share), '') AS flaws, count(*) FROM unnest('{0.05,0.3,1}'::float8[]) share, generate_series(1, 5) GROUP BY 1;
-- a key in the middle of the row, with columns that are not kept around it
ALTER TABLE audit_types.alike DROP CONSTRAINT alike_pkey, ADD PRIMARY KEY (number, id);
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.alike', exclude => '{short,int8,last}'); END $$;
UPDATE audit_types.alike SET number = 1111.1111, short = '777', int8 = 8, last = 'z';
UPDATE audit_types.alike SET number = 2222.2222, int4 = 5, short = '888';
UPDATE audit_types.alike SET short = '999', int8 = 9, last = 'y';
SELECT record_id, old_values - 'int4' AS old_values, new_values, old_key_hash IS NOT NULL AS key_changed FROM steward.audit_entries
 WHERE table_id = steward_internal.audit_table_id('audit_types.alike') ORDER BY created_at DESC LIMIT 1;

--
-- Values that are stored out of line or compressed
--

CREATE TABLE audit_types.big (id integer PRIMARY KEY, n integer, out_of_line text, compressed text, doc jsonb, bytes bytea);
ALTER TABLE audit_types.big ALTER out_of_line SET STORAGE EXTERNAL, ALTER bytes SET STORAGE EXTERNAL;
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.big'); END $$;
INSERT INTO audit_types.big
VALUES (1, 1, repeat('0123456789', 2000), repeat('x', 20000), (SELECT jsonb_object_agg('key' || n, md5(n::text)) FROM generate_series(1, 500) n), decode(repeat('00ff', 10000), 'hex'));
SELECT new_values = to_jsonb(b) AS equal FROM audit_types.big b, steward.audit_log WHERE table_schema = 'audit_types' AND table_name = 'big';
-- an UPDATE of another column neither keeps nor fetches them
SELECT reltoastrelid AS toast FROM pg_class WHERE oid = 'audit_types.big'::regclass \gset
BEGIN;
SELECT pg_stat_get_xact_blocks_fetched(:toast) AS before \gset
UPDATE audit_types.big SET n = 2;
SELECT pg_stat_get_xact_blocks_fetched(:toast) = :before AS not_fetched;
COMMIT;
-- nor one that sets them to themselves
UPDATE audit_types.big SET out_of_line = out_of_line, doc = doc;
-- equal bytes are equal, however they are stored
ALTER TABLE audit_types.big ALTER compressed SET STORAGE EXTERNAL, ALTER out_of_line SET STORAGE EXTENDED;
UPDATE audit_types.big SET compressed = compressed || '', out_of_line = out_of_line || '';
ALTER TABLE audit_types.big ALTER compressed SET STORAGE PLAIN, ALTER out_of_line SET STORAGE MAIN;
UPDATE audit_types.big SET out_of_line = left(out_of_line, 20000), doc = doc || '{}', bytes = bytes || '';
ALTER TABLE audit_types.big ALTER compressed SET STORAGE EXTENDED;
DO $$
BEGIN
    ALTER TABLE audit_types.big ALTER compressed SET COMPRESSION lz4;
EXCEPTION WHEN OTHERS THEN
    NULL;  -- a server without lz4
END $$;
UPDATE audit_types.big SET compressed = left(compressed, 20000);
SELECT operation, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_types' AND table_name = 'big' AND operation = 'UPDATE' ORDER BY transaction_id, seq;
-- a change of one byte is a change
UPDATE audit_types.big SET out_of_line = overlay(out_of_line PLACING 'X' FROM 10000), doc = doc || '{"key250": ""}';
SELECT changed_columns, length(old_values ->> 'out_of_line') AS old_length, substr(new_values ->> 'out_of_line', 9999, 3) AS new, new_values #>> '{doc,key250}' AS new_doc
  FROM steward.audit_log WHERE table_schema = 'audit_types' AND table_name = 'big' ORDER BY transaction_id DESC, seq LIMIT 1;
DELETE FROM audit_types.big;
-- short and long headers
CREATE TABLE audit_types.header (id integer PRIMARY KEY, t text);
ALTER TABLE audit_types.header ALTER t SET STORAGE PLAIN;
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.header'); END $$;
INSERT INTO audit_types.header SELECT n, repeat('h', n) FROM generate_series(120, 132) n;
ALTER TABLE audit_types.header ALTER t SET STORAGE EXTENDED;
UPDATE audit_types.header SET t = t || '';
UPDATE audit_types.header SET t = overlay(t PLACING 'H' FROM 1);
SELECT operation, count(*), count(*) FILTER (WHERE new_values ->> 't' = CASE operation WHEN 'INSERT' THEN repeat('h', record_id::integer) ELSE 'H' || repeat('h', record_id::integer - 1) END) AS right
  FROM steward.audit_log WHERE table_schema = 'audit_types' AND table_name = 'header' GROUP BY operation ORDER BY operation;

-- a very large value, whole
CREATE TABLE audit_types.huge (id integer PRIMARY KEY, n integer, t text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.huge'); END $$;
INSERT INTO audit_types.huge VALUES (1, 1, repeat('0123456789abcdef', 1000000));
UPDATE audit_types.huge SET n = 2;
UPDATE audit_types.huge SET t = overlay(t PLACING 'X' FROM 8000000);
DELETE FROM audit_types.huge;
SELECT operation, length(old_values ->> 't') AS old_length, length(new_values ->> 't') AS new_length, changed_columns
  FROM steward.audit_log WHERE table_schema = 'audit_types' AND table_name = 'huge' ORDER BY transaction_id, seq;
-- numbers of as many digits as there can be
CREATE TABLE audit_types.digits (id integer PRIMARY KEY, n numeric);
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.digits'); END $$;
INSERT INTO audit_types.digits VALUES (1, '1e1000'), (2, '1e-1000'), (3, (repeat('9', 131072) || '.' || repeat('9', 16383))::numeric), (4, '-1e131071');
SELECT record_id, new_values = to_jsonb(d) AS equal, new_values ->> 'n' = d.n::text AS same_text
  FROM audit_types.digits d JOIN steward.audit_log ON record_id = d.id::text WHERE table_schema = 'audit_types' AND table_name = 'digits' ORDER BY record_id;

--
-- Types that change under the table
--

CREATE TABLE audit_types.changing (id integer PRIMARY KEY, p audit_types.pair, m audit_types.mood, r audit_types.rate);
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.changing'); END $$;
INSERT INTO audit_types.changing VALUES (1, '(1,a,)', 'sad', 5);
ALTER TYPE audit_types.pair ADD ATTRIBUTE d integer;
ALTER TYPE audit_types.pair RENAME ATTRIBUTE a TO z;
ALTER TYPE audit_types.mood RENAME VALUE 'sad' TO 'blue';
ALTER TYPE audit_types.mood ADD VALUE 'angry';
ALTER DOMAIN audit_types.percent DROP CONSTRAINT percent_check;
INSERT INTO audit_types.changing VALUES (2, '(1,a,,4)', 'angry', 500);
UPDATE audit_types.changing SET r = r + 1 WHERE id = 1;
DELETE FROM audit_types.changing WHERE id = 1;
SELECT operation, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_types' AND table_name = 'changing' ORDER BY transaction_id, seq;

-- what could be stored, but not be dumped as a line of COPY, is refused
CREATE TABLE audit_types.undumpable (id integer PRIMARY KEY, v text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_types.undumpable'); END $$;
\set VERBOSITY sqlstate
INSERT INTO audit_types.undumpable VALUES (1, repeat(chr(1), 155000000));
\set VERBOSITY default
SELECT count(*) FROM audit_types.undumpable;
-- numbers have few bytes here, and many there
CREATE TABLE audit_types.undumpable_digits (id integer PRIMARY KEY, j jsonb);
INSERT INTO audit_types.undumpable_digits VALUES (1, '[1e131071]');
DO $$ BEGIN
    FOR i IN 1..12 LOOP
        UPDATE audit_types.undumpable_digits SET j = j || j;
    END LOOP;
    PERFORM steward.audit_enable('audit_types.undumpable_digits');
END $$;
UPDATE audit_types.undumpable_digits SET j = j || '1';
SELECT jsonb_array_length(j) FROM audit_types.undumpable_digits;

DROP SCHEMA audit_types, audit_types_hidden CASCADE;
