-- Vectors have the bytes of the SQL expression that they stand for: every kind of source, on real text, in many
-- languages, and at the limits.
\set SHOW_CONTEXT never

CREATE SCHEMA search_sources;
SET search_path = search_sources;

-- language, title and text of the lines of a file
\set natural_text `cat "$PG_ABS_SRCDIR/data/natural_text.txt"`
CREATE TABLE natural_text AS
SELECT line[1]::regconfig AS lang, line[2] AS title, line[3] AS content
  FROM string_to_table(:'natural_text', E'\n') l, string_to_array(l, E'\t') line
 WHERE l <> '';
SELECT count(*) > 20 AS text_is_there, count(DISTINCT lang) > 15 AS in_many_languages FROM natural_text;

CREATE TYPE mood AS ENUM ('very happy', 'so-so', 'Müde');
CREATE DOMAIN headline AS varchar(200) CHECK (length(VALUE) < 190);
CREATE DOMAIN labels AS text[];
CREATE TYPE pair AS (name text, n integer);

-- What every server has, the natural text, and words put together at random.
CREATE TABLE corpus (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone text DEFAULT 'gone', lang regconfig, title text, content text, name name, short varchar(60), padded char(80), head headline,
    tags text[], shorts varchar(20)[], labels labels, moods mood[], numbers numeric[], meta jsonb, doc json, mood mood, day date, at timestamptz,
    span interval, range daterange, n numeric, real double precision, flag boolean, bytes bytea, uuid uuid, address inet, pair pair, class regclass, "Odd ""name: #> {a}" text, vector tsvector);
ALTER TABLE corpus DROP gone;
SELECT setseed(0.5);
INSERT INTO corpus (title, content)
(SELECT c.relname, d.description FROM pg_description d LEFT JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass ORDER BY md5(d.description) LIMIT 1000)
UNION ALL SELECT feature_name || ' ' || sub_feature_name, comments FROM information_schema.sql_features
UNION ALL SELECT name, short_desc || ' ' || coalesce(extra_desc, '') FROM pg_settings
UNION ALL SELECT viewname, definition FROM pg_views WHERE schemaname = 'information_schema'
UNION ALL SELECT title, content FROM natural_text
UNION ALL SELECT string_agg(content, E'\n'), string_agg(content, ' ' ORDER BY title DESC) FROM natural_text;
INSERT INTO corpus (title, content)
SELECT string_agg(chr((32 + random() * CASE w.n % 4 WHEN 0 THEN 90 WHEN 1 THEN 400 WHEN 2 THEN 9000 ELSE 60 END)::integer), ''), string_agg(word || substr(' -./:@_''&', (1 + random() * 8)::integer, 1), '')
  FROM generate_series(1, 400) g, LATERAL (SELECT g AS n, substr(md5(random()::text), 1, (random() * 12)::integer) AS word FROM generate_series(1, 40)) w
 GROUP BY w.n;
UPDATE corpus SET
    lang = (SELECT lang FROM natural_text n WHERE n.title = corpus.title LIMIT 1),
    name = title, short = left(content, 60), padded = left(content, 80), head = left(title, 100), "Odd ""name: #> {a}" = content,
    tags = CASE id % 7 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN '{NULL}' WHEN 3 THEN ARRAY[[title, NULL], [NULL, content]] ELSE string_to_array(content, ' ', 'of') END,
    labels = string_to_array(title, '_'), moods = CASE WHEN id % 3 > 0 THEN '{so-so,NULL,Müde}'::mood[] END,
    shorts = regexp_split_to_array(left(title, 20), '[^a-z]'), numbers = ARRAY[id, NULL, -id / 8.0, 1e20],
    meta = CASE id % 6 WHEN 0 THEN NULL WHEN 1 THEN to_jsonb(title) WHEN 2 THEN '{"seo": 17}'
        ELSE jsonb_build_object('seo', jsonb_build_object('title', title, 'other', jsonb_build_array(content, id, true, NULL, jsonb_build_object('deep', title))), 'x', content, 'y', id) END,
    doc = CASE WHEN id % 3 > 0 THEN json_build_object('seo', json_build_object('title', title, 'é', id), 'x', ARRAY[title, NULL, content]) END,
    mood = (enum_range(NULL::mood))[id % 4], day = date '2024-02-28' + id, at = timestamptz '2024-02-28 12:34:56+00' + id * interval '1001 s', span = id * interval '1001 s',
    range = daterange(date '2024-02-28', date '2024-02-28' + id), n = id / 16.0, real = id / 3.0, flag = id % 2 = 0, bytes = convert_to(title, 'UTF8'), uuid = md5(title)::uuid,
    address = inet '10.0.0.0' + id, pair = ROW(title, id), class = 'corpus';
SELECT count(*) > 2000 AS rows_are_many, max(length(content)) > 5000 AS some_are_long FROM corpus;

-- Attaches the trigger, makes all vectors anew, and says how many differ from those of the expression.
CREATE PROCEDURE compare(arguments text, expression text) LANGUAGE plpgsql AS $$
DECLARE
    differing bigint;
    filled bigint;
    example record;
BEGIN
    EXECUTE format('CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON corpus FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger(''vector'', %s)', arguments);
    UPDATE corpus SET vector = NULL;
    DROP TRIGGER vector ON corpus;
    EXECUTE format('SELECT count(*) FILTER (WHERE NOT ROW(vector)::record *= ROW(%1$s)::record), count(*) FILTER (WHERE length(vector) > 0) FROM corpus', expression)
       INTO differing, filled;
    IF differing = 0 THEN
        RAISE INFO 'as %, % without words', expression, CASE filled WHEN 0 THEN 'all' WHEN (SELECT count(*) FROM corpus) THEN 'none' ELSE 'some' END;
    ELSE
        EXECUTE format('SELECT id, vector, %1$s AS wanted FROM corpus WHERE NOT ROW(vector)::record *= ROW(%1$s)::record ORDER BY length(content) LIMIT 1', expression) INTO example;
        RAISE INFO '% DIFFER from %: %', differing, expression, example;
    END IF;
END $$;

--
-- The seeds'
--

CALL compare($$'title', 'content', 'config=english'$$, $$to_tsvector('english', COALESCE(title, '') || ' ' || COALESCE(content, ''))$$);
CALL compare($$'title:A', 'content:B', 'tags:C', 'config=english'$$,
    $$setweight(to_tsvector('english', COALESCE(title, '')), 'A') || setweight(to_tsvector('english', COALESCE(content, '')), 'B') || setweight(to_tsvector('english', COALESCE(array_to_string(tags, ' '), '')), 'C')$$);

--
-- Every language
--

CALL compare($$'title', 'content:C', 'config=simple'$$, $$to_tsvector('simple', coalesce(title, '')) || setweight(to_tsvector('simple', coalesce(content, '')), 'C')$$);
DO $$
DECLARE
    lang name;
BEGIN
    FOR lang IN SELECT cfgname FROM pg_ts_config WHERE cfgnamespace = 'pg_catalog'::regnamespace AND cfgname = ANY (ARRAY['arabic', 'armenian', 'basque', 'catalan', 'danish',
        'dutch', 'finnish', 'french', 'german', 'greek', 'hindi', 'hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese', 'romanian', 'russian',
        'serbian', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish']) ORDER BY cfgname COLLATE "C" LOOP
        CALL compare(format($a$'title:A', 'content', 'config=%s'$a$, lang), format($e$setweight(to_tsvector('%1$s', coalesce(title, '')), 'A') || to_tsvector('%1$s', coalesce(content, ''))$e$, lang));
    END LOOP;
END $$;
CALL compare($$'title:A', 'content', 'config=english', 'config_column=lang'$$,
    $$setweight(to_tsvector(coalesce(lang, 'english'), coalesce(title, '')), 'A') || to_tsvector(coalesce(lang, 'english'), coalesce(content, ''))$$);
-- without the session's memory of words
SET steward.to_tsvector_cache = 0;
CALL compare($$'title:A', 'content:D', 'config=german'$$, $$setweight(to_tsvector('german', coalesce(title, '')), 'A') || setweight(to_tsvector('german', coalesce(content, '')), 'D')$$);
RESET steward.to_tsvector_cache;

--
-- Every kind of source
--

CALL compare($$'short', 'config=english'$$, $$to_tsvector('english', coalesce(short, ''))$$);
CALL compare($$'padded', 'short', 'config=english'$$, $$to_tsvector('english', coalesce(padded, '') || ' ' || coalesce(short, ''))$$);
CALL compare($$'name:B', 'head:A', 'config=english'$$, $$setweight(to_tsvector('english', coalesce(name::text, '')), 'B') || setweight(to_tsvector('english', coalesce(head, '')), 'A')$$);
CALL compare($$'"Odd ""name: #> {a}":C', 'config=english'$$, $$setweight(to_tsvector('english', coalesce("Odd ""name: #> {a}", '')), 'C')$$);
CALL compare($$'tags', 'config=english'$$, $$to_tsvector('english', coalesce(array_to_string(tags, ' '), ''))$$);
CALL compare($$'labels', 'shorts', 'config=english'$$, $$to_tsvector('english', coalesce(array_to_string(labels, ' '), '') || ' ' || coalesce(array_to_string(shorts, ' '), ''))$$);
CALL compare($$'moods:A', 'numbers', 'config=english'$$, $$setweight(to_tsvector('english', coalesce(array_to_string(moods, ' '), '')), 'A') || to_tsvector('english', coalesce(array_to_string(numbers, ' '), ''))$$);
-- the expressions depend on these settings, the trigger does not
SET DateStyle = 'ISO, YMD'; SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = hex;
CALL compare($$'mood', 'range:D', 'uuid', 'address', 'config=english'$$,
    $$to_tsvector('english', coalesce(mood::text, '')) || setweight(to_tsvector('english', coalesce(range::text, '')), 'D') || to_tsvector('english', coalesce(uuid::text, '') || ' ' || coalesce(host(address), ''))$$);
CALL compare($$'n', 'pair', 'flag', 'config=simple'$$, $$to_tsvector('simple', coalesce(n::text, '') || ' ' || coalesce(pair::text, '') || ' ' || coalesce(left(flag::text, 1), ''))$$);
CALL compare($$'meta', 'config=english'$$, $$coalesce(to_tsvector('english', meta), '')$$);
CALL compare($$'meta:B', 'doc:C', 'config=english'$$, $$coalesce(setweight(to_tsvector('english', meta), 'B'), '') || coalesce(setweight(to_tsvector('english', doc), 'C'), '')$$);
CALL compare($$'meta#>{seo,title}:B', 'config=english'$$, $$coalesce(setweight(to_tsvector('english', meta #> '{seo,title}'), 'B'), '')$$);
CALL compare($$'meta#>{seo,other,-1}', 'meta#>{seo,other,0}', 'meta#>{seo}:A', 'config=english'$$,
    $$coalesce(to_tsvector('english', meta #> '{seo,other,-1}'), '') || coalesce(to_tsvector('english', meta #> '{seo,other,0}'), '') || coalesce(setweight(to_tsvector('english', meta #> '{seo}'), 'A'), '')$$);
CALL compare($$'doc#>{x}', 'doc#>{seo,"é"}', 'doc#>{}', 'meta#>{none}', 'config=english'$$,
    $$coalesce(to_tsvector('english', doc #> '{x}'), '') || coalesce(to_tsvector('english', doc #> '{seo,é}'), '') || coalesce(to_tsvector('english', doc #> '{}'), '')$$);
CALL compare($$'title', 'meta', 'content', 'title', 'doc#>{x}:A', 'title', 'tags', 'config=english'$$,
    $$to_tsvector('english', coalesce(title, '')) || coalesce(to_tsvector('english', meta), '') || to_tsvector('english', coalesce(content, '') || ' ' || coalesce(title, '')) || coalesce(setweight(to_tsvector('english', doc #> '{x}'), 'A'), '') || to_tsvector('english', coalesce(title, '') || ' ' || coalesce(array_to_string(tags, ' '), ''))$$);
CALL compare($$'title:A', 'title:B', 'title:A', 'config=english'$$,
    $$setweight(to_tsvector('english', coalesce(title, '')), 'A') || setweight(to_tsvector('english', coalesce(title, '')), 'B') || setweight(to_tsvector('english', coalesce(title, '')), 'A')$$);

-- dates and the like do not follow the session
CREATE TABLE pinned AS SELECT id, vector FROM corpus WITH NO DATA;
SET DateStyle = 'German, DMY'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = iso_8601; SET extra_float_digits = -10; SET bytea_output = escape;
CALL compare($$'day', 'at', 'span', 'real', 'bytes', 'class', 'config=simple'$$, $$vector$$);
INSERT INTO pinned SELECT id, vector FROM corpus;
SET DateStyle = 'ISO, YMD'; SET IntervalStyle = postgres; SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = hex;
CALL compare($$'day', 'at', 'span', 'real', 'bytes', 'class', 'config=simple'$$,
    $$to_tsvector('simple', coalesce(day::text, '') || ' ' || coalesce(at::text, '') || ' ' || coalesce(span::text, '') || ' ' || coalesce(real::text, '') || ' ' || coalesce(bytes::text, '') || ' ' || 'search_sources.corpus')$$);
CALL compare($$'day', 'at', 'span', 'real', 'bytes', 'class', 'config=simple'$$, $$(SELECT p.vector FROM pinned p WHERE p.id = corpus.id)$$);

-- json as it comes
CREATE TABLE jsons (id integer, doc json, docb jsonb GENERATED ALWAYS AS (doc) STORED, j jsonb, vector tsvector);
CREATE TRIGGER v BEFORE INSERT OR UPDATE ON jsons FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'doc:A', 'j#>{a,"b,c"}', 'config=english');
INSERT INTO jsons (id, doc, j) VALUES (1, '"caf\u00e9 \"quoted\" words"', '{"a": {"b,c": "found words"}}'), (2, '[1, [["deep words"]], {"key": {"key": "more"}}, null, true]', '{"a": {"b,c": 17}}'),
    (3, '{"dup": "one", "dup": "two"}', '{"a": {"b,c": ["x", {"y": "z"}]}}'), (4, '12', '"a"'), (5, 'null', '{"a": ["b,c"]}'), (6, '{}', '[]'), (7, '"\ud840\udc0b ship"', 'null');
SELECT id, vector, ROW(vector)::record *= ROW(setweight(to_tsvector('english', doc), 'A') || coalesce(to_tsvector('english', j #> ARRAY['a', 'b,c']), ''))::record AS same FROM jsons ORDER BY id;
UPDATE jsons SET doc = '{"a":"\ud83d"}' WHERE id = 1;

--
-- The server's limits
--

CREATE TABLE limits (id integer PRIMARY KEY, a text, b text, vector tsvector);
CREATE TRIGGER v BEFORE INSERT OR UPDATE ON limits FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'a:A', 'b', 'config=simple');
CREATE VIEW wanted AS SELECT id, setweight(to_tsvector('simple', coalesce(a, '')), 'A') || to_tsvector('simple', coalesce(b, '')) AS vector FROM limits;
-- positions end at 16383, and 256 of a word are kept
INSERT INTO limits VALUES (1, (SELECT string_agg('w' || n % 12000, ' ') FROM generate_series(1, 20000) n), 'later words w1');
INSERT INTO limits VALUES (2, repeat('again ', 300), repeat('again ', 20000) || 'last');
INSERT INTO limits VALUES (3, repeat('x ', 16380), 'one two three four five six');
-- words end at 2 kB
INSERT INTO limits VALUES (4, repeat('a', 2046) || ' b', repeat('c', 2048) || ' short ' || repeat('ü', 1024));
SELECT l.id, ROW(l.vector)::record *= ROW(w.vector)::record AS same, length(l.vector) FROM limits l JOIN wanted w USING (id) ORDER BY id;
SELECT l.vector @@ 'later' AS found, tsvector_to_array(l.vector) @> '{w11999}' AS last_word FROM limits l WHERE id = 1;
-- whether one of 2047 bytes is too long differs between versions
SET client_min_messages = warning;
SELECT bool_and(ROW(steward.to_tsvector('simple', w))::record *= ROW(to_tsvector('simple', w))::record) AS same FROM generate_series(2040, 2050) n, LATERAL (SELECT repeat('b', n) || ' x ' || repeat('c', n) AS w) words;
RESET client_min_messages;
-- a vector ends at 1 MB
INSERT INTO limits VALUES (5, (SELECT string_agg(md5(n::text) || md5(n::text), ' ') FROM generate_series(1, 20000) n), NULL);
INSERT INTO limits VALUES (5, (SELECT string_agg(md5(n::text) || md5(n::text), ' ') FROM generate_series(1, 10000) n), (SELECT string_agg(md5(n::text) || md5(n::text), ' ') FROM generate_series(10001, 20000) n));
SELECT to_tsvector('simple', (SELECT string_agg(md5(n::text) || md5(n::text), ' ') FROM generate_series(1, 20000) n));
INSERT INTO limits VALUES (6, (SELECT string_agg(md5(n::text) || md5(n::text), ' ') FROM generate_series(1, 10000) n), repeat('the same ', 200000));
SELECT ROW(l.vector)::record *= ROW(w.vector)::record AS same, length(l.vector), length(b) FROM limits l JOIN wanted w USING (id) WHERE id = 6;
-- nothing at all
INSERT INTO limits VALUES (7, NULL, NULL), (8, '', ' '), (9, '!', '...');
SELECT id, vector, vector IS NULL AS is_null FROM limits WHERE id > 6 ORDER BY id;

SET client_min_messages = warning;
DROP SCHEMA search_sources CASCADE;
