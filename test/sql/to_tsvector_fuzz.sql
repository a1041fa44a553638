-- to_tsvector() is the server's, byte for byte: texts made to mislead, under
-- dictionaries of every kind.
SET client_min_messages = error;
SET default_text_search_config = 'pg_catalog.simple';
CREATE SCHEMA to_tsvector_fuzz;
SET search_path = to_tsvector_fuzz;
CREATE EXTENSION unaccent SCHEMA to_tsvector_fuzz;
SELECT pg_catalog.setseed(0.42);

CREATE TEXT SEARCH DICTIONARY ispell (TEMPLATE = ispell, DictFile = ispell_sample, AffFile = ispell_sample);
CREATE TEXT SEARCH DICTIONARY hunspell (TEMPLATE = ispell, DictFile = hunspell_sample_num, AffFile = hunspell_sample_num);
CREATE TEXT SEARCH DICTIONARY synonym (TEMPLATE = synonym, Synonyms = synonym_sample);
CREATE TEXT SEARCH DICTIONARY picky (TEMPLATE = simple, StopWords = english, Accept = false);
CREATE TEXT SEARCH DICTIONARY thesaurus (TEMPLATE = thesaurus, DictFile = thesaurus_sample, Dictionary = english_stem);
-- One that replaces and keeps accents, one that leaves words without a dictionary, one that indexes everything, ...
CREATE TEXT SEARCH CONFIGURATION english_unaccent (COPY = english);
ALTER TEXT SEARCH CONFIGURATION english_unaccent ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
CREATE TEXT SEARCH CONFIGURATION german_unaccent (COPY = german);
ALTER TEXT SEARCH CONFIGURATION german_unaccent ALTER MAPPING FOR asciiword, hword, hword_part, word, numword WITH unaccent, german_stem;
CREATE TEXT SEARCH CONFIGURATION long_way (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION long_way ALTER MAPPING FOR asciiword, word, asciihword, hword, hword_asciipart, hword_part
    WITH unaccent, synonym, hunspell, ispell, picky;
CREATE TEXT SEARCH CONFIGURATION everything (COPY = english);
ALTER TEXT SEARCH CONFIGURATION everything ADD MAPPING FOR blank, tag, protocol, entity WITH simple;
CREATE TEXT SEARCH CONFIGURATION tags (COPY = english);
ALTER TEXT SEARCH CONFIGURATION tags ADD MAPPING FOR tag, protocol, entity WITH simple;
ALTER TEXT SEARCH CONFIGURATION tags DROP MAPPING FOR int, float, asciihword;
ALTER TEXT SEARCH CONFIGURATION tags ALTER MAPPING FOR hword_asciipart WITH simple;
CREATE TEXT SEARCH CONFIGURATION thesaurus (COPY = english);
ALTER TEXT SEARCH CONFIGURATION thesaurus ALTER MAPPING FOR asciiword, asciihword, hword_asciipart WITH thesaurus, english_stem;
CREATE TEXT SEARCH CONFIGURATION nothing (PARSER = default);

-- Texts that come out differently, by configuration.
CREATE FUNCTION differing(source text) RETURNS TABLE (config regconfig, texts bigint, differ bigint, example text)
LANGUAGE plpgsql AS $$
BEGIN
    FOREACH config IN ARRAY '{simple,english,german,english_unaccent,german_unaccent,long_way,everything,tags,thesaurus,nothing}'::regconfig[] LOOP
        RETURN QUERY EXECUTE format(
            'SELECT %1$L::regconfig, count(*), count(*) FILTER (WHERE d), left(min(t) FILTER (WHERE d), 60)
               FROM (SELECT t, NOT record_image_eq(ROW(steward.to_tsvector(%1$L, t)), ROW(to_tsvector(%1$L, t))) AS d FROM %2$s) x',
            config, source);
    END LOOP;
END $$;

-- Pieces with no bias to sense, and pieces that look like something.
CREATE FUNCTION pick(pieces text[]) RETURNS text LANGUAGE sql VOLATILE AS
'SELECT pieces[1 + floor(random() * cardinality(pieces))]';
CREATE TABLE random_text (t text);
DO $do$
DECLARE
    signs text[] := regexp_split_to_array('.-_/:@~<>&#;''"\!?%=+*,()[]{}|^$` ' || E'\t\n\r\f\v\x01\x1f\x7f' || 'aeExXyzT0159éжß¼—½、日\u0301\u00a0', '');
    pieces text[] := string_to_array(regexp_replace($$http:// https:// ftp:// www. example.com :8080 /path/ /p?q=1&r=%20 a@b.c
        user.name@example.org ../ ./ /usr/bin/ C:\ <a <b> </b> <a~href=" <br/> <p~class='x~y'> <script <script> </script> <style~> </STYLE>
        <!-- --> <!DOCTYPE <?xml ?> <x:y> <_ <é> &amp; &#38; &#x26; &nbsp & 1 42 2024 3.14 1.2.3 -1 +2 -1.5e-10 1e5 2E 0x1F 1_000 10% 1/2
        the of a booking bookings footballklubber footfoot ballyklubber one two three supernovae stars postgres indices
        compound-word well-known-fact re-bookings re-2x x-1 a-b- Straße naïve ÉTÉ œuvre жизнь по-русски 日本語 नमस्ते foo_bar foo.bar foo/bar foo:bar 1-a.example.com 3-x@y.org 7_a.b.org
        v1.2 a1b2 1a "; ') ({ [ ]} ... -- --- => -> \} abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz$$, '\s+', ' ', 'g'), ' ');
    spaces text[] := string_to_array(E' | | | |  |\n|, |. |||-|/|\t', '|');
BEGIN
    FOR i IN 1..800 LOOP
        INSERT INTO random_text SELECT string_agg(pick(signs), '') FROM generate_series(1, 2 + i % 30);
        INSERT INTO random_text SELECT string_agg(replace(pick(pieces), '~', ' ') || pick(spaces), '') FROM generate_series(1, 1 + i % 40);
        INSERT INTO random_text
        SELECT string_agg(CASE WHEN random() < 0.3 THEN pick(signs) ELSE replace(pick(pieces), '~', ' ') END || CASE WHEN random() < 0.3 THEN pick(spaces) ELSE '' END, '')
          FROM generate_series(1, 1 + i % 20);
    END LOOP;
END $do$;
SELECT * FROM differing('random_text');

-- The same with a cache that fills and is emptied again and again, and back.
SET steward.to_tsvector_cache = '24kB';
SELECT * FROM differing('random_text');
RESET steward.to_tsvector_cache;
SELECT * FROM differing('(SELECT t FROM random_text ORDER BY md5(t) LIMIT 1000) x');

-- Every string of three special characters, where it may matter what went before and what follows.
CREATE TABLE signs AS
SELECT c FROM unnest(regexp_split_to_array('.-_/:@~<>&#;"?!+% a1é\', '')) AS c;
CREATE VIEW short_text AS
SELECT before || a.c || b.c || c.c || after AS t
  FROM signs a, signs b, signs c, (VALUES ('', ''), ('ab', ' cd'), ('12', '34'), (' ', 'x'), ('<b', 'c> d')) AS context (before, after);
SELECT count(*) AS short_texts,
       count(*) FILTER (WHERE NOT record_image_eq(ROW(steward.to_tsvector('simple', t)), ROW(to_tsvector('simple', t)))) AS differ,
       min(t) FILTER (WHERE NOT record_image_eq(ROW(steward.to_tsvector('simple', t)), ROW(to_tsvector('simple', t)))) AS example
  FROM short_text;

-- Long ones: many occurrences, many positions, words and blanks about as long as a vector can hold.
CREATE TABLE long_text AS
SELECT repeat(t || ' ', n) AS t FROM random_text, (VALUES (20), (300)) AS times (n) WHERE length(t) BETWEEN 20 AND 22
UNION ALL SELECT repeat('foo bar ', 20000) || 'baz foo'
UNION ALL SELECT string_agg('w' || i || ' a' || i % 100, ' the ') FROM generate_series(1, 9000) AS i
UNION ALL SELECT string_agg('x' || repeat(c, n) || 'y', ' ') FROM generate_series(2030, 2060) AS n, unnest('{x,/,é,1,-,.,a.b,x-}'::text[]) AS c GROUP BY c
UNION ALL SELECT string_agg('x' || repeat(c, n) || 'y', '') FROM generate_series(2030, 2060) AS n, unnest('{" ",", ",é,—,". "}'::text[]) AS c GROUP BY c
UNION ALL SELECT repeat('é', n) || ' ß ' || repeat('ǽ', n) FROM generate_series(1000, 1030) AS n;
SELECT * FROM differing('long_text');

-- Several texts in one vector, as the search_vector trigger puts them together: with words in common, and at the limits
-- of the parts and of the whole. The next part begins after the last position that was kept.
CREATE TABLE part (id integer GENERATED ALWAYS AS IDENTITY, name text, t text);
INSERT INTO part (name, t) VALUES
    ('NULL', NULL), ('empty', ''), ('blank', ' .. '), ('stop words', 'the of a'), ('some', 'The foxes jump over one fox, a lazy-dog and the'),
    ('compounds', 'footfoot ballyklubber footballklubber foot bookings the'), ('accents', 'Straße naïve ÉTÉ éте <b> &amp; fox'), ('thesaurus', 'supernovae stars fox'),
    ('100', repeat('fox ', 100)), ('200', repeat('foxes ', 200)), ('255', repeat('fox ', 255)), ('256', repeat('fox ', 256)), ('300 in two forms', repeat('fox foxes ', 150)),
    ('300, one behind', repeat('fox ', 300) || 'dog'), ('300, some between', repeat('fox fox fox dog fox fox fox ', 50)),
    ('2046', repeat('x', 2046) || ' fox'), ('2047', repeat('x', 2047) || ' fox'), ('2048', repeat('x', 2048) || ' fox'),
    ('far', repeat('the ', 16000) || 'fox dog'), ('last', repeat('the ', 16382) || 'fox'), ('past the last', repeat('the ', 16380) || 'one two three fox five fox dog'),
    ('much of all', repeat('the fox over a dog ', 3400));
CREATE FUNCTION vector(config regconfig, t text, weight "char") RETURNS tsvector LANGUAGE sql AS
$$ SELECT setweight(to_tsvector(config, coalesce(t, '')), weight) $$;
-- Each of the first 18 followed by each, a third of the pairs with the long ones, and then two more. What the server must
-- do comes last: after it more is left to the server than need be, until the cache is empty again.
CREATE TABLE parts AS
SELECT concat_ws(' | ', a.name, b.name, c.name, d.name) AS names, a.t AS a, b.t AS b, c.t AS c, d.t AS d, NULL::tsvector AS vector
  FROM part a, part b, part c, part d
 WHERE (greatest(a.id, b.id) <= 18 OR (a.id + b.id) % 3 = 0) AND c.id = 1 + (5 * a.id + 3 * b.id) % 18 AND d.id = 1 + (a.id + 7 * b.id) % 18
 ORDER BY '2047' IN (a.name, b.name, c.name, d.name), 'thesaurus' IN (a.name, b.name, c.name, d.name), 'past the last' IN (a.name, b.name), a.id, b.id;
CREATE FUNCTION differing_parts(sources text, expression text, configs regconfig[]) RETURNS TABLE (config regconfig, vectors bigint, differ bigint, example text)
LANGUAGE plpgsql AS $$
BEGIN
    FOREACH config IN ARRAY configs LOOP
        ALTER TEXT SEARCH DICTIONARY picky (Accept = false);
        EXECUTE format('CREATE TRIGGER vector BEFORE UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger(''vector'', %s, ''config=%s'')', sources, config);
        UPDATE parts SET vector = NULL;
        DROP TRIGGER vector ON parts;
        RETURN QUERY EXECUTE format(
            'SELECT $1, count(*), count(*) FILTER (WHERE d), min(names) FILTER (WHERE d) FROM (SELECT names, NOT ROW(vector)::record *= ROW(%s)::record AS d FROM parts) x', expression) USING config;
    END LOOP;
END $$;
SELECT * FROM differing_parts($$'a:A', 'b:B'$$, $$vector($1, a, 'A') || vector($1, b, 'B')$$, '{simple,english,everything}');
SELECT * FROM differing_parts($$'a:A', 'b:B', 'c:C', 'd:D'$$, $$vector($1, a, 'A') || vector($1, b, 'B') || vector($1, c, 'C') || vector($1, d, 'D')$$, '{english,long_way,thesaurus}');
SELECT * FROM differing_parts($$'a', 'b:A', 'c'$$, $$to_tsvector($1, coalesce(a, '')) || vector($1, b, 'A') || to_tsvector($1, coalesce(c, ''))$$, '{english_unaccent}');
SELECT * FROM differing_parts($$'b:D', 'a', 'd', 'c:A'$$, $$vector($1, b, 'D') || to_tsvector($1, coalesce(a, '') || ' ' || coalesce(d, '')) || vector($1, c, 'A')$$, '{english}');
SELECT * FROM differing_parts($$'a:B', 'b', 'a:A', 'a'$$, $$vector($1, a, 'B') || to_tsvector($1, coalesce(b, '')) || vector($1, a, 'A') || to_tsvector($1, coalesce(a, ''))$$, '{english,nothing}');

SELECT steward.to_tsvector('simple', string_agg(md5(i::text), ' ')) FROM generate_series(1, 40000) AS i;
SELECT to_tsvector('simple', string_agg(md5(i::text), ' ')) FROM generate_series(1, 40000) AS i;

-- The same of several texts that are too long, together or one of them alone, though fewer of its positions count behind others.
CREATE FUNCTION words(first integer, last integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg('w' || lpad(i::text, 29, '0'), ' ') FROM generate_series(first, last) AS i $$;
CREATE TEXT SEARCH CONFIGURATION stop (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION stop ALTER MAPPING FOR asciiword WITH picky, simple;
TRUNCATE parts;
INSERT INTO parts (names, a, b, c) VALUES
    ('just fits', words(1, 10000), words(10001, 30840), repeat('x', 10)),
    ('just too long', words(1, 10000), words(10001, 30840), repeat('x', 11)),
    ('too long with the second', words(1, 20000), words(20001, 40000), 'fox'),
    ('third too long', 'fox', '', words(1, 40000)),
    ('second too long alone', repeat('the ', 16383) || 'fox', repeat(words(1, 100) || ' ', 100) || words(101, 30500), NULL);
CREATE FUNCTION outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    vector tsvector;
    detail text;
BEGIN
    ALTER TEXT SEARCH DICTIONARY picky (Accept = false);
    EXECUTE query INTO vector;
    RETURN md5(tsvectorsend(vector));
EXCEPTION WHEN program_limit_exceeded THEN
    -- the trigger says which row it is, and why in its detail
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN coalesce(nullif(detail, ''), SQLERRM);
END $$;
CREATE TRIGGER vector BEFORE UPDATE ON parts FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'a:A', 'b:B', 'c:C', 'config=stop');
SELECT names, regexp_replace(made, '^\w{32}$', 'a vector') AS made, made = wanted AS same
  FROM parts, outcome(format('UPDATE parts SET vector = NULL WHERE names = %L RETURNING vector', names)) AS made,
       outcome(format($$SELECT vector('stop', a, 'A') || vector('stop', b, 'B') || vector('stop', c, 'C') FROM parts WHERE names = %L$$, names)) AS wanted
 ORDER BY names;

DROP SCHEMA to_tsvector_fuzz CASCADE;
