-- Which text search configuration a row gets, whoever writes it and whatever his search path says.
\set SHOW_CONTEXT never

CREATE SCHEMA search_config;
SET search_path = search_config;
CREATE ROLE regress_search_writer;
CREATE ROLE regress_search_owner;
GRANT USAGE, CREATE ON SCHEMA search_config TO regress_search_owner;
GRANT USAGE ON SCHEMA search_config TO regress_search_writer;

--
-- config_column: NULL and unknown ones fall back, and say so once
--

CREATE TABLE articles (id integer PRIMARY KEY, lang text, body text, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON articles FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'body', 'config=english', 'config_column=lang');
INSERT INTO articles VALUES (1, 'german', 'Die Katzen liefen'), (2, 'English', 'The cats ran'), (3, '"german"', 'Die Katzen liefen'), (4, 'pg_catalog.simple', 'Die Katzen');
INSERT INTO articles VALUES (5, NULL, 'The cats ran'), (6, 'klingon', 'The cats ran');
INSERT INTO articles VALUES (7, NULL, 'The cats ran'), (8, 'elvish', 'The cats ran');
INSERT INTO articles VALUES (9, '', 'The cats'), (10, '"', 'The cats'), (11, 'a.b.c', 'The cats'), (12, '"German"', 'The cats'), (13, repeat('x', 300), 'The cats'), (14, 'nowhere.german', 'The cats');
SELECT id, lang, vector FROM articles WHERE id < 13 ORDER BY id;
SELECT count(DISTINCT vector) FROM articles WHERE id > 8;
-- in another session, and where the first such row names one that is unknown
\c -
SET search_path = search_config;
UPDATE articles SET body = body || '.' WHERE id = 8;
UPDATE articles SET body = body || '.' WHERE id IN (5, 6);
-- another language is another vector
UPDATE articles SET lang = 'german' WHERE id = 1;
UPDATE articles SET lang = 'simple' WHERE id IN (1, 5);
SELECT id, vector FROM articles WHERE id IN (1, 5) ORDER BY id;
UPDATE articles SET lang = NULL WHERE id = 1;
SELECT vector FROM articles WHERE id = 1;
-- many languages in one statement
UPDATE articles SET lang = (ARRAY['english', 'german', 'french', 'simple'])[1 + id % 4], body = 'The cats liefen étaient';
SELECT lang, vector, count(*) FROM articles GROUP BY 1, 2 ORDER BY 1;
SELECT bool_and(ROW(vector)::record *= ROW(to_tsvector(lang::regconfig, body))::record) AS same FROM articles;
-- other types of that column: regconfig, name, an enum
CREATE TYPE language AS ENUM ('german', 'klingon');
CREATE TABLE typed (id integer, config regconfig, name name, enum language, body text DEFAULT 'Die Katzen', v1 tsvector, v2 tsvector, v3 tsvector);
CREATE TRIGGER v1 BEFORE INSERT OR UPDATE ON typed FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v1', 'body', 'config=simple', 'config_column=config');
CREATE TRIGGER v2 BEFORE INSERT OR UPDATE ON typed FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v2', 'body', 'config=simple', 'config_column=name');
CREATE TRIGGER v3 BEFORE INSERT OR UPDATE ON typed FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v3', 'body', 'config=simple', 'config_column=enum');
INSERT INTO typed VALUES (1, 'german', 'german', 'german');
CREATE TEXT SEARCH CONFIGURATION passing (COPY = german);
INSERT INTO typed VALUES (2, 'passing', 'passing', 'german');
DROP TEXT SEARCH CONFIGURATION passing;
-- it is gone: nothing is parsed until the text changes
UPDATE typed SET id = id + 10;
SET client_min_messages = warning; -- an oid changes
UPDATE typed SET body = body || '!' WHERE id = 12;
INSERT INTO typed VALUES (3, 0, 'passing', 'klingon');
RESET client_min_messages;
SELECT id, v1, v2, v3 FROM typed ORDER BY id;
-- once for a table, not for each partition
CREATE TABLE parted (id integer, lang text, body text, vector tsvector) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON parted FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'body', 'config=simple', 'config_column=lang');
INSERT INTO parted VALUES (1, 'german', 'Katzen'), (2, 'french', 'chats');
INSERT INTO parted VALUES (1, NULL, 'Katzen'), (2, NULL, 'chats');
SELECT tableoid::regclass, vector FROM parted ORDER BY 1, 2;

--
-- Names are looked for in pg_catalog and in the table's schema; the search path is nobody's business
--

CREATE SCHEMA search_config_trap;
CREATE TEXT SEARCH DICTIONARY search_config_trap.english (TEMPLATE = simple, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION search_config_trap.english (PARSER = "default");
CREATE TEXT SEARCH CONFIGURATION search_config_trap.mine (PARSER = "default");
CREATE TEXT SEARCH CONFIGURATION pg_temp.mine (PARSER = "default");
CREATE TEXT SEARCH CONFIGURATION mine (COPY = german);
CREATE FUNCTION search_config_trap.to_tsvector(regconfig, text) RETURNS tsvector LANGUAGE sql AS $$ SELECT 'trapped'::tsvector $$;
CREATE FUNCTION search_config_trap.setweight(tsvector, "char") RETURNS tsvector LANGUAGE sql AS $$ SELECT 'trapped'::tsvector $$;
CREATE FUNCTION search_config_trap.concat(tsvector, tsvector) RETURNS tsvector LANGUAGE sql AS $$ SELECT 'trapped'::tsvector $$;
CREATE OPERATOR search_config_trap.|| (LEFTARG = tsvector, RIGHTARG = tsvector, FUNCTION = search_config_trap.concat);
CREATE FUNCTION search_config_trap.no(tid, tid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR search_config_trap.>= (LEFTARG = tid, RIGHTARG = tid, FUNCTION = search_config_trap.no);
CREATE OPERATOR search_config_trap.< (LEFTARG = tid, RIGHTARG = tid, FUNCTION = search_config_trap.no);
CREATE TABLE named (id integer, a text, b text, v1 tsvector, v2 tsvector, v3 tsvector);
CREATE TRIGGER v1 BEFORE INSERT OR UPDATE ON named FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v1', 'a:A', 'b', 'config=english');
CREATE TRIGGER v2 BEFORE INSERT OR UPDATE ON named FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v2', 'a:A', 'b', 'config=mine');
CREATE TRIGGER v3 BEFORE INSERT OR UPDATE ON named FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('v3', 'a:A', 'b', 'config=search_config."mine"');
SET search_path = search_config_trap, pg_catalog, search_config;
INSERT INTO named VALUES (1, 'The cats', 'Katzen');
CALL steward.search_enable('named', '{a,b}', pg_catalog.set_config('x.y', 'pg_catalog.english', false)::regconfig, 'v4');
SET search_path = pg_temp, search_config_trap;
UPDATE search_config.named SET b = 'Die Katzen';
SET search_path = '';
INSERT INTO search_config.named VALUES (2, 'The cats', 'Die Katzen');
SET search_path = search_config;
SELECT v1, v2, v3, v4, count(*) FROM named GROUP BY 1, 2, 3, 4;
-- search_enable names the one it was given
SET search_path = search_config, search_config_trap;
CREATE TABLE given (id integer, a text);
CALL steward.search_enable('given', '{a}', 'mine', 'v1');
CALL steward.search_enable('given', '{a}', 'search_config_trap.mine', 'v2');
CALL steward.search_enable('given', '{a}', 'simple', 'v3');
SET search_path = search_config;
-- the default is the session's
SET default_text_search_config = 'pg_catalog.french';
CREATE TABLE given_not (id integer, a text);
CALL steward.search_enable('given_not', '{a}');
RESET default_text_search_config;

-- who writes needs no rights on the configuration's schema
CREATE SCHEMA search_config_private;
CREATE TEXT SEARCH CONFIGURATION search_config_private.hidden (COPY = german);
CREATE TABLE private (id integer, lang text, body text, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON private FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'body', 'config=search_config_private.hidden', 'config_column=lang');
GRANT INSERT ON private TO regress_search_writer;
SET ROLE regress_search_writer;
INSERT INTO private VALUES (1, 'search_config_private.hidden', 'Die Katzen'), (2, 'english', 'Die Katzen'), (3, NULL, 'Die Katzen');
RESET ROLE;
SELECT id, vector FROM private ORDER BY id;

--
-- What the configuration is made of: unaccent, synonyms, phrases
--

CREATE EXTENSION unaccent WITH SCHEMA search_config;
CREATE TEXT SEARCH CONFIGURATION french_plain (COPY = french);
ALTER TEXT SEARCH CONFIGURATION french_plain ALTER MAPPING FOR hword, hword_part, word WITH unaccent, french_stem;
CREATE TEXT SEARCH DICTIONARY synonyms (TEMPLATE = synonym, SYNONYMS = synonym_sample);
CREATE TEXT SEARCH DICTIONARY phrases (TEMPLATE = thesaurus, DICTFILE = thesaurus_sample, DICTIONARY = english_stem);
CREATE TEXT SEARCH DICTIONARY compounds (TEMPLATE = ispell, DICTFILE = ispell_sample, AFFFILE = ispell_sample);
CREATE TEXT SEARCH CONFIGURATION thorough (COPY = english);
ALTER TEXT SEARCH CONFIGURATION thorough ALTER MAPPING FOR asciiword, word, numword, asciihword, hword_asciipart WITH phrases, synonyms, compounds, unaccent, english_stem;
CREATE TABLE words (id integer PRIMARY KEY, a text, b text, french tsvector, thorough tsvector);
CREATE TRIGGER french BEFORE INSERT OR UPDATE ON words FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('french', 'a:A', 'b', 'config=french_plain');
CREATE TRIGGER thorough BEFORE INSERT OR UPDATE ON words FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('thorough', 'a:A', 'b', 'config=thorough');
INSERT INTO words VALUES
    (1, 'L''Hôtel de la Mer', 'Les hôtels près de la forêt; où étaient-ils'),
    (2, 'Supernovae stars in postgres', 'postgresql and gogle found crab nebulae, supernovae'),
    (3, 'footballklubber', 'books of the booked ballyklubber, unbook footballs'),
    (4, 'one two three', 'one two'), (5, 'one', 'one two three and Supernovae'), (6, 'Supernovae', 'stars'),
    (7, 'bookings', 'rebookings of the skies');
SELECT id, ROW(french)::record *= ROW(setweight(to_tsvector('french_plain', a), 'A') || to_tsvector('french_plain', b))::record AS french,
       ROW(thorough)::record *= ROW(setweight(to_tsvector('thorough', a), 'A') || to_tsvector('thorough', b))::record AS thorough
  FROM words ORDER BY id;
SELECT french FROM words WHERE id = 1;
SELECT thorough FROM words WHERE id IN (2, 3) ORDER BY id;
SELECT id FROM words WHERE french @@ phraseto_tsquery('french_plain', 'hotels pres de la foret');

--
-- A configuration that changes: vectors stay until they are set to NULL
--

CREATE TEXT SEARCH CONFIGURATION changing (COPY = simple);
CREATE TABLE changed (id integer, body text, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON changed FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'body', 'config=changing');
INSERT INTO changed VALUES (1, 'the cats'), (2, 'the cats');
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING REPLACE simple WITH english_stem;
UPDATE changed SET id = id;
INSERT INTO changed VALUES (3, 'the cats');
UPDATE changed SET vector = NULL WHERE id = 2;
SELECT id, vector FROM changed ORDER BY id;
CREATE TEXT SEARCH DICTIONARY stops (TEMPLATE = simple);
ALTER TEXT SEARCH CONFIGURATION changing ALTER MAPPING REPLACE english_stem WITH stops;
UPDATE changed SET vector = NULL;
SELECT DISTINCT vector FROM changed;
ALTER TEXT SEARCH DICTIONARY stops (STOPWORDS = english);
UPDATE changed SET vector = NULL;
SELECT DISTINCT vector FROM changed;
ALTER TEXT SEARCH CONFIGURATION changing RENAME TO renamed;
INSERT INTO changed VALUES (4, 'the cats');
ALTER TEXT SEARCH CONFIGURATION renamed RENAME TO changing;
INSERT INTO changed VALUES (4, 'the cats');
DROP TEXT SEARCH CONFIGURATION changing;
-- the trigger goes on when there is one of that name
UPDATE changed SET id = id;
UPDATE changed SET body = 'x';
CREATE TEXT SEARCH CONFIGURATION changing (PARSER = "default");
INSERT INTO changed VALUES (5, 'the cats');
SELECT vector FROM changed WHERE id = 5;
BEGIN;
ALTER TEXT SEARCH CONFIGURATION changing ADD MAPPING FOR asciiword WITH simple;
INSERT INTO changed VALUES (6, 'the cats');
SELECT vector FROM changed WHERE id = 6;
ROLLBACK;
INSERT INTO changed VALUES (7, 'the cats');
SELECT id, vector FROM changed WHERE id > 5;

SET client_min_messages = warning;
DROP SCHEMA search_config, search_config_trap, search_config_private CASCADE;
DROP ROLE regress_search_writer, regress_search_owner;
