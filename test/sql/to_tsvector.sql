-- to_tsvector() is the server's own, and remembers what dictionaries said for
-- as long as that is true.  See to_tsvector_fuzz for what it makes of odd texts.
SELECT steward.to_tsvector('english', 'The quick brown foxes jumped over a lazy-dog near http://example.com/dens.');
SELECT to_tsvector('english', 'The quick brown foxes jumped over a lazy-dog near http://example.com/dens.');

-- Errors are the server's.
SELECT steward.to_tsvector('nowhere', 'text');
SELECT steward.to_tsvector(42::regconfig, 'text');
SELECT to_tsvector(42::regconfig, 'text');
SET client_min_messages = error;
CREATE SCHEMA to_tsvector_test;
SET search_path = to_tsvector_test;
RESET client_min_messages;

-- Nothing, and nothing that counts.
SELECT steward.to_tsvector('english', NULL) IS NULL AS strict;
SELECT steward.to_tsvector(NULL, 'text') IS NULL AS strict;
SELECT t, steward.to_tsvector('english', t) FROM (VALUES (''), (' '), ('the'), ('The of a'), ('...'), ('<br>')) AS x (t);

-- The server's notices, one for each word or blank that is too long, and no others.
CREATE TABLE long_word (t text);
INSERT INTO long_word VALUES
    (repeat('a', 2048)), (repeat('1', 2100)), (repeat('é', 1024)), ('a' || repeat(' ', 2048) || 'b'), ('a' || repeat(',é', 2000) || repeat(';', 2048) || 'b'),
    ('x <b ' || repeat('c ', 1100) || '> y'), ('<script>' || repeat('x ', 1030) || '</script> z'), (repeat('a-', 1024) || 'b'), (repeat('a', 2046)), (repeat(' ', 2046)),
    (repeat('a', 2050) || ' supernovae stars ' || repeat('b', 2050));
CREATE TEXT SEARCH DICTIONARY thesaurus (TEMPLATE = thesaurus, DictFile = thesaurus_sample, Dictionary = english_stem);
CREATE TEXT SEARCH CONFIGURATION thesaurus (COPY = english);
ALTER TEXT SEARCH CONFIGURATION thesaurus ALTER MAPPING FOR asciiword WITH thesaurus, english_stem;
\t on
SELECT length(t), length(to_tsvector('thesaurus', t)) FROM long_word;
SELECT length(t), length(steward.to_tsvector('thesaurus', t)) FROM long_word;
\t off
-- At the length itself the server's minor versions differ; whatever it does, so do we.
SET client_min_messages = error;
SELECT n, bool_and(record_image_eq(ROW(steward.to_tsvector('simple', t)), ROW(to_tsvector('simple', t)))) AS same
  FROM generate_series(2045, 2049) AS n,
       LATERAL unnest(ARRAY[repeat('a', n), repeat('1', n), 'a b ' || repeat('a', n) || '. c', 'a' || repeat(' ', n) || 'b', '<' || repeat('b', n - 2) || '>']) AS t
 GROUP BY n ORDER BY n;

-- A dictionary that gives one lexeme twice, for one place.
CREATE TEXT SEARCH DICTIONARY compound (TEMPLATE = ispell, DictFile = ispell_sample, AffFile = ispell_sample);
CREATE TEXT SEARCH CONFIGURATION compound (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION compound ALTER MAPPING FOR asciiword WITH compound;
SELECT ts_lexize('compound', 'footfoot'), steward.to_tsvector('compound', 'footfoot foot unknown ballballklubber'),
       record_image_eq(ROW(steward.to_tsvector('compound', 'footfoot foot unknown ballballklubber')), ROW(to_tsvector('compound', 'footfoot foot unknown ballballklubber'))) AS same;

-- A lexeme made longer than its word, and than a vector can hold.
CREATE EXTENSION unaccent SCHEMA to_tsvector_test;
CREATE TEXT SEARCH CONFIGURATION unaccented (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION unaccented ALTER MAPPING FOR word WITH unaccent, simple;
SELECT n, record_image_eq(ROW(steward.to_tsvector('unaccented', t)), ROW(to_tsvector('unaccented', t))) AS same
  FROM (SELECT n, 'a ' || repeat('㏂', n) || ' b' AS t FROM generate_series(500, 680, 60) AS n) x;

-- The cache: the memory it holds grows with new words, not with known ones ...
CREATE FUNCTION cached() RETURNS bigint LANGUAGE sql AS
$$ SELECT used_bytes FROM pg_backend_memory_contexts WHERE name = 'pg_steward to_tsvector' $$;
CREATE FUNCTION words(n integer, of text) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg(of || translate(i::text, '0123456789', 'abcdefghij'), ' ') FROM generate_series(1, n) AS i $$;
CREATE PROCEDURE vectors(n integer, of text) LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..10 LOOP
        PERFORM steward.to_tsvector('english', words(n, of));
    END LOOP;
END $$;
CREATE TABLE seen (step serial, bytes bigint);
INSERT INTO seen (bytes) SELECT cached();
CALL vectors(800, 'x');
INSERT INTO seen (bytes) SELECT cached();
CALL vectors(800, 'x');
INSERT INTO seen (bytes) SELECT cached();
CALL vectors(800, 'y');
INSERT INTO seen (bytes) SELECT cached();
SELECT step, bytes - lag(bytes) OVER (ORDER BY step) > 20000 AS learned, bytes = lag(bytes) OVER (ORDER BY step) AS knew_it FROM seen ORDER BY step;
-- ... up to a limit, even within one text, which then starts it anew ...
SET steward.to_tsvector_cache = '64kB';
DO $$ DECLARE most bigint := 0; least bigint := 1000000;
BEGIN
    PERFORM steward.to_tsvector('english', words(20000, 'z'));
    PERFORM steward.to_tsvector('english', 'small');
    FOR i IN 1..100 LOOP
        PERFORM steward.to_tsvector('english', words(60 + i, chr(96 + i % 26)));
        most := greatest(most, cached());
        least := least(least, cached());
    END LOOP;
    RAISE INFO 'at most: %, at least: %', CASE WHEN most < 80000 THEN 'about the limit' ELSE most::text END, CASE WHEN least < 40000 THEN 'little' ELSE least::text END;
END $$;
-- ... and down to nothing.
SET steward.to_tsvector_cache = 0;
SELECT steward.to_tsvector('english', 'no cache');
SELECT cached() < 10000 AS empty;
RESET steward.to_tsvector_cache;
-- It rests from words that never repeat, but not for good.
CALL vectors(100, 'warm');
TRUNCATE seen;
INSERT INTO seen (bytes) SELECT cached();
SELECT length(steward.to_tsvector('english', words(20000, 'rest')));
INSERT INTO seen (bytes) SELECT cached();
SELECT max(bytes) - min(bytes) BETWEEN 50000 AND 500000 AS learned_a_part FROM seen;
DO $$ BEGIN FOR i IN 1..20 LOOP CALL to_tsvector_test.vectors(800, 'again'); END LOOP; END $$;
INSERT INTO seen (bytes) SELECT cached();
CALL vectors(800, 'again');
INSERT INTO seen (bytes) SELECT cached();
SELECT count(DISTINCT bytes) AS sizes FROM seen;

-- It is forgotten when dictionaries and configurations change, also for a while.
CREATE TEXT SEARCH DICTIONARY changing (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION changing (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING FOR asciiword WITH changing;
\set vector 'SELECT steward.to_tsvector(''changing'', ''the foxes 12'');'
:vector
ALTER TEXT SEARCH DICTIONARY changing (StopWords = english);
:vector
BEGIN;
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING FOR asciiword WITH english_stem;
:vector
SAVEPOINT s;
ALTER TEXT SEARCH CONFIGURATION changing DROP MAPPING FOR uint;
:vector
ROLLBACK TO s;
:vector
ROLLBACK;
:vector
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING REPLACE changing WITH simple;
:vector
DROP TEXT SEARCH CONFIGURATION changing;
:vector
CREATE TEXT SEARCH CONFIGURATION changing (COPY = english);
:vector

-- An error in the middle of a text leaves nothing wrong behind: a dictionary whose file is not there ...
CREATE TEXT SEARCH DICTIONARY broken (TEMPLATE = ispell, DictFile = ispell_sample, AffFile = ispell_sample);
CREATE TEXT SEARCH CONFIGURATION broken (COPY = english);
ALTER TEXT SEARCH CONFIGURATION broken ALTER MAPPING FOR numword WITH broken;
UPDATE pg_ts_dict SET dictinitoption = 'dictfile = ''nowhere''' WHERE dictname = 'broken' AND dictnamespace = 'to_tsvector_test'::regnamespace;
\set VERBOSITY sqlstate
SELECT steward.to_tsvector('broken', 'foxes jumped 1st over dogs');
\set VERBOSITY default
SELECT steward.to_tsvector('broken', 'foxes jumped over dogs foxes');
-- ... and a timeout.
SET statement_timeout = '20ms';
SELECT count(steward.to_tsvector('english', repeat('foxes jump over dogs ', 10000) || i)) FROM generate_series(1, 10000) AS i;
SELECT count(steward.to_tsvector('english', repeat('foxes ', 100000000)));
RESET statement_timeout;
SELECT steward.to_tsvector('english', 'foxes jumped over dogs foxes');

-- In parallel workers, too.
CREATE TABLE many AS SELECT 'foxes jump over ' || i AS t FROM generate_series(1, 2000) AS i;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) FROM many WHERE steward.to_tsvector('english', t) @@ 'fox & 12'::tsquery;
CREATE INDEX ON many USING gin (steward.to_tsvector('english', t));

SET client_min_messages = error;
DROP SCHEMA to_tsvector_test CASCADE;
