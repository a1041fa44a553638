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
    FOR i IN 1..1000 LOOP
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

SELECT steward.to_tsvector('simple', string_agg(md5(i::text), ' ')) FROM generate_series(1, 40000) AS i;
SELECT to_tsvector('simple', string_agg(md5(i::text), ' ')) FROM generate_series(1, 40000) AS i;

DROP SCHEMA to_tsvector_fuzz CASCADE;
