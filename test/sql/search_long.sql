-- Texts that are too long for a vector: cut to what fits, or refused by the key of the row.
\set SHOW_CONTEXT never

CREATE SCHEMA search_long;
SET search_path = search_long;
CREATE ROLE regress_search_long_writer;
GRANT USAGE ON SCHEMA search_long TO regress_search_long_writer;

-- So many words, each of 32 letters, that 30,000 of them do not fit.
CREATE FUNCTION words(first integer, last integer) RETURNS text LANGUAGE sql AS
$$ SELECT string_agg('w' || lpad(i::text, 31, '0'), ' ') FROM generate_series(first, last) AS i $$;

--
-- Refused
--

CREATE TABLE post (id integer PRIMARY KEY, title text, content text, tags text[], n integer DEFAULT 0, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON post FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title:A', 'content', 'tags:B', 'config=simple');
INSERT INTO post VALUES (1, 'short', 'short', '{short}');
INSERT INTO post VALUES (42, 'lighthouse', words(1, 30000), '{lamp}');
UPDATE post SET content = words(1, 30000) WHERE id = 1;
CREATE TABLE no_key (content text, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON no_key FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'content', 'config=simple', 'long_texts=refuse');
INSERT INTO no_key VALUES (words(1, 30000));
CREATE TABLE "a ""key" ("of two" text, "and ""quoted" integer, content text, vector tsvector, PRIMARY KEY ("of two", "and ""quoted")) PARTITION BY LIST ("and ""quoted");
CREATE TABLE part PARTITION OF "a ""key" DEFAULT;
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON "a ""key" FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'content', 'config=simple');
INSERT INTO "a ""key" VALUES ('a, b', 2, words(1, 30000));
-- who may not read the key is not told it, nor is who may read it in the partitioned table kept from it
GRANT INSERT, SELECT ("of two") ON "a ""key" TO regress_search_long_writer;
SET ROLE regress_search_long_writer;
INSERT INTO "a ""key" VALUES ('a, b', 2, repeat('x', 2000) || (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 40000) i));
RESET ROLE;
GRANT SELECT ("and ""quoted") ON "a ""key" TO regress_search_long_writer;
SET ROLE regress_search_long_writer;
INSERT INTO "a ""key" VALUES ('a, b', 2, (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 40000) i));
RESET ROLE;
INSERT INTO no_key VALUES ('x');
CREATE TRIGGER again BEFORE INSERT ON no_key FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'content', 'config=simple', 'long_texts=shorten');
INSERT INTO no_key VALUES ('x');
SELECT count(*) FROM post WHERE id = 42 OR length(vector) <> 1;

--
-- Cut: the vector is that of the first characters of each source, as many of each
--

CREATE FUNCTION wanted(config regconfig, p post, characters integer) RETURNS tsvector LANGUAGE sql AS $$
SELECT setweight(to_tsvector(config, left(p.title, characters)), 'A') || to_tsvector(config, left(p.content, characters))
       || setweight(to_tsvector(config, left(array_to_string(p.tags, ' '), characters)), 'B') $$;
DROP TRIGGER vector ON post;
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON post FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title:A', 'content', 'tags:B', 'config=simple', 'long_texts=cut');
INSERT INTO post VALUES (42, 'lighthouse', words(1, 30000), '{lamp}');
SELECT ROW(vector)::record *= ROW(wanted('simple', post, 959065))::record AS same, length(vector), length(vector::text) > 900000 AS much,
       vector @@ 'lighthouse:A & lamp:B' AS short_ones_are_there FROM post WHERE id = 42;
-- one line per statement; a row that is parsed again is cut in the same way; one that is not says nothing
INSERT INTO post SELECT id, 'many', words(1, 30000), NULL FROM generate_series(43, 44) id;
UPDATE post SET n = 1;
UPDATE post SET title = 'tower' WHERE id = 42;
SELECT ROW(vector)::record *= ROW(wanted('simple', post, 959065))::record AS same FROM post WHERE id = 42;
UPDATE post SET content = words(1, 20000) WHERE id = 42;
SELECT ROW(vector)::record *= ROW(wanted('simple', post, NULL))::record AS cut, ROW(vector)::record *= ROW(wanted('simple', post, 1000000))::record AS whole FROM post WHERE id = 42;
-- several long ones, in which characters have several bytes; words too long, too frequent and too far behind are no reason to cut
DELETE FROM post;
SET client_min_messages = warning;
INSERT INTO post VALUES (50, replace(words(1, 20000), '0', 'é'), replace(words(20001, 60000), '00', 'ß '), ARRAY[words(1, 9000), NULL, words(60001, 90000)]);
SELECT ROW(vector)::record *= ROW(wanted('simple', post, 302058))::record AS same, octet_length(vector::text) > 900000 AS much FROM post;
INSERT INTO post VALUES (51, repeat('often ', 20000), repeat('x', 3000) || ' ' || words(1, 17000), ARRAY[repeat('y', 2047)]);
SELECT ROW(vector)::record *= ROW(wanted('simple', post, 1000000))::record AS same FROM post WHERE id = 51;
-- the same by the server's own function, and where only that can tell
SET steward.to_tsvector_cache = 0;
INSERT INTO post VALUES (52, 'lighthouse', words(1, 30000), '{lamp}');
RESET steward.to_tsvector_cache;
SELECT ROW(vector)::record *= ROW(wanted('simple', post, 959065))::record AS same FROM post WHERE id = 52;
-- in a savepoint, of a row that is written in two of them
BEGIN;
INSERT INTO post VALUES (53, 'lighthouse', words(1, 30000), NULL);
SAVEPOINT a;
UPDATE post SET title = 'tower' WHERE id = 53;
ROLLBACK TO a;
SELECT vector @@ 'lighthouse' AS found FROM post WHERE id = 53;
COMMIT;

-- texts that follow each other without a weight; json, whose strings count together; a path
CREATE TABLE doc (id integer PRIMARY KEY, title text, content text, b jsonb, j json, vector tsvector);
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON doc FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title', 'content', 'b:A', 'j#>{deep,er}:B', 'config=simple', 'long_texts=cut');
INSERT INTO doc VALUES (1, 'title', words(1, 30000), '{"a": "in b"}', '{"deep": {"er": "in j"}, "other": "nowhere"}');
SELECT ROW(vector)::record *= ROW(to_tsvector('simple', title || ' ' || left(content, 959065)) || setweight(to_tsvector('simple', b), 'A')
       || setweight(to_tsvector('simple', j #> '{deep,er}'), 'B'))::record AS same FROM doc WHERE id = 1;
INSERT INTO doc VALUES (2, 'title', 'content', jsonb_build_object('a', 'first', 'b', jsonb_build_array(1, NULL, words(1, 30000), true), 'c', 'last'), NULL);
SELECT ROW(vector)::record *= ROW(to_tsvector('simple', title || ' ' || content)
       || setweight(to_tsvector('simple', jsonb_build_object('a', 'first', 'b', left(words(1, 30000), 959131 - 5))), 'A'))::record AS same FROM doc WHERE id = 2;
INSERT INTO doc VALUES (3, NULL, NULL, NULL, json_build_object('deep', json_build_object('er', json_build_array('first', words(1, 30000), 'last'))));
SELECT ROW(vector)::record *= ROW(setweight(to_tsvector('simple', json_build_array('first', left(words(1, 30000), 959105 - 5))), 'B'))::record AS same FROM doc WHERE id = 3;

--
-- search_enable() cuts unless it is told otherwise
--

CREATE TABLE large (id integer PRIMARY KEY, content text);
INSERT INTO large SELECT n, CASE n WHEN 700 THEN words(1, 30000) ELSE 'cats ' || n END FROM generate_series(1, 1000) n;
CALL steward.search_enable('large', '{content}', 'simple', long_texts => 'refuse', batch_rows => 100);
SELECT count(search_vector) > 0 AS some_are_done, bool_or(id = 700) FILTER (WHERE search_vector IS NOT NULL) AS long_one_is FROM large;
UPDATE large SET content = content || '' WHERE id = 700;
CALL steward.search_enable('large', '{content}', 'simple');
SELECT count(search_vector), count(*) FILTER (WHERE search_vector @@ '700') AS of_700 FROM large;
SELECT substr(content, 1, 32)::tsquery AS first_word FROM large WHERE id = 700 AND search_vector @@ substr(content, 1, 32)::tsquery;
UPDATE large SET content = content || ' dogs' WHERE id = 700;
-- called again it leaves that as it is; unless it is to be otherwise
SET client_min_messages = notice;
CALL steward.search_enable('large', '{content}', 'simple');
CALL steward.search_enable('large', '{content}', 'simple', long_texts => 'refuse', dry_run => true);
CALL steward.search_enable('large', '{content}', 'simple', long_texts => NULL);
CALL steward.search_enable('large', '{content}', 'simple', long_texts => 'shorten');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'large'::regclass;

SET client_min_messages = warning;
DROP SCHEMA search_long CASCADE;
DROP ROLE regress_search_long_writer;
