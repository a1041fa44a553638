-- Tokens are found by their parts, and highlighted: file names, hosts, addresses, versions, part numbers.
\set SHOW_CONTEXT never

CREATE SCHEMA search_parts;
SET search_path = search_parts;

--
-- The example of doc/search.md
--

CREATE TEXT SEARCH DICTIONARY english_parts (TEMPLATE = steward.token_parts, configuration = 'english');
CREATE TEXT SEARCH CONFIGURATION english_with_parts (COPY = english);
ALTER TEXT SEARCH CONFIGURATION english_with_parts
    ALTER MAPPING FOR file, host, url, url_path, email, version, int WITH english_parts, simple;

SELECT to_tsvector('english_with_parts', 'See Boxes.png of DS-7604 at example.org.');

-- each fragment of each is found, the whole is, and both are highlighted; whichever function makes the vector
CREATE TABLE fragment (document text, query text, config regconfig DEFAULT 'english_with_parts');
INSERT INTO fragment (document, query) VALUES
    ('see foo.png here', 'foo'), ('see foo.png here', 'png'), ('see foo.png here', 'foo.png'), ('see foo.png here', 'FOO.PNG'), ('see foo.png here', 'see foo.png'),
    ('drive DS-7604', 'DS'), ('drive DS-7604', '7604'), ('drive DS-7604', 'DS-7604'), ('drive DS-7604', 'ds 7604'), ('drive DS 7604', 'DS-7604'),
    ('at example.org', 'example'), ('at example.org', 'org'), ('at example.org', 'example.org'),
    ('mail jane.doe@mail.example.org', 'doe'), ('mail jane.doe@mail.example.org', 'example'), ('mail jane.doe@mail.example.org', 'jane.doe@mail.example.org'),
    ('read /usr/share/foxes-list.txt', 'fox'), ('read /usr/share/foxes-list.txt', 'list'), ('read /usr/share/foxes-list.txt', 'share'),
    ('go to https://example.org/posts/boxes.html?page=2', 'box'), ('go to https://example.org/posts/boxes.html?page=2', 'posts'), ('go to https://example.org/posts/boxes.html?page=2', 'example'),
    ('go to https://example.org/posts/boxes.html?page=2', 'page'), ('run 15.20.3 of it', '15'), ('run 15.20.3 of it', '15.20.3'), ('run 15.20.3 of it', '20'),
    ('an über.straße.png', 'über'), ('an Über.Straße.png', 'straße'), ('a number -42', '42'), ('two-part words', 'part'), ('file a.b.c', 'a.b.c');
SELECT document, query,
       to_tsvector(config, document) @@ plainto_tsquery(config, query) AS found,
       steward.to_tsvector(config, document) @@ websearch_to_tsquery(config, '"' || query || '"') AS phrase,
       record_image_eq(ROW(steward.to_tsvector(config, document)), ROW(to_tsvector(config, document))) AS same,
       ts_headline(config, document, plainto_tsquery(config, query)) AS headline
  FROM fragment;
-- without it they are not
SELECT count(*) FILTER (WHERE to_tsvector('english', document) @@ plainto_tsquery('english', query)) < count(*) / 2 AS most_are_not FROM fragment;
-- nothing else is found by what is missing
SELECT to_tsvector('english_with_parts', 'foo.jpg') @@ plainto_tsquery('english_with_parts', 'foo.png') AS found,
       to_tsvector('english_with_parts', 'www.example.org') @@ plainto_tsquery('english_with_parts', 'example.org') AS part_of_host,
       to_tsvector('english_with_parts', 'foo and png') @@ plainto_tsquery('english_with_parts', 'foo.png') AS parts_alone;

-- with the trigger
CREATE TABLE upload (id integer PRIMARY KEY, name text);
INSERT INTO upload VALUES (1, 'Holiday.Photos-2024.PNG'), (2, 'plain');
CALL steward.search_enable('upload', '{name}', 'english_with_parts');
SELECT id FROM upload WHERE search_vector @@ to_tsquery('english_with_parts', 'photo & 2024 & png');

-- a chain of dictionaries, and a configuration in a schema; a part that is a stop word, tokens that have no part or are one
CREATE TEXT SEARCH CONFIGURATION "Base" (COPY = german);
CREATE TEXT SEARCH DICTIONARY "Parts" (TEMPLATE = steward.token_parts, configuration = 'search_parts."Base"');
SELECT word, ts_lexize('"Parts"', word) FROM unnest('{Häuser.pdf,the.und,-,/und,plain,Ä,x1,"",a/b\\c,...}'::text[]) word;
SELECT ts_lexize('"Parts"', repeat('a.', 500) || 'b')::text LIKE '{a.a.%,a,a,%b}' AS many;

-- what is refused, and when
CREATE TEXT SEARCH DICTIONARY wrong (TEMPLATE = steward.token_parts);
CREATE TEXT SEARCH DICTIONARY wrong (TEMPLATE = steward.token_parts, configuration = '');
CREATE TEXT SEARCH DICTIONARY wrong (TEMPLATE = steward.token_parts, configuration = 'a.b.c');
CREATE TEXT SEARCH DICTIONARY wrong (TEMPLATE = steward.token_parts, stopwords = english);
CREATE TEXT SEARCH DICTIONARY later (TEMPLATE = steward.token_parts, configuration = 'search_parts.later');
SELECT ts_lexize('later', 'foo.png');
SELECT ts_lexize('later', 'foo');
-- the search path plays no part
CREATE TEXT SEARCH CONFIGURATION english (COPY = simple);
SET search_path = search_parts, pg_catalog;
SELECT ts_lexize('english_parts', 'foxes.png');
-- a cached answer goes with what it came from
SET search_path = search_parts;
CREATE TEXT SEARCH CONFIGURATION later (COPY = pg_catalog.simple);
CREATE TEXT SEARCH CONFIGURATION changing (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING FOR asciihword, host WITH later, simple;
SELECT steward.to_tsvector('changing', 'foxes.png');
ALTER TEXT SEARCH CONFIGURATION later ALTER MAPPING FOR asciiword WITH english_stem;
SELECT steward.to_tsvector('changing', 'foxes.png');

SET client_min_messages = warning;
DROP SCHEMA search_parts CASCADE;
