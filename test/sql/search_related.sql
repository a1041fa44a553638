-- Vectors with words of related tables: kept right by whatever writes either table.
\set SHOW_CONTEXT never

CREATE SCHEMA search_related;
SET search_path = search_related;
CREATE ROLE regress_related_owner;
CREATE ROLE regress_related_writer;
GRANT ALL ON SCHEMA search_related TO regress_related_owner;
GRANT USAGE ON SCHEMA search_related TO regress_related_writer;

--
-- The example of doc/search.md
--

CREATE TABLE posts (id bigint PRIMARY KEY, title text);
CREATE TABLE comments (id bigint PRIMARY KEY, post_id bigint REFERENCES posts ON UPDATE CASCADE ON DELETE CASCADE, body text, n integer);
INSERT INTO posts VALUES (1, 'Boats'), (2, 'Trains'), (3, 'Planes');
INSERT INTO comments VALUES (10, 1, 'the second one sails'), (9, 1, 'a first harbour'), (11, 2, 'rails'), (12, NULL, 'nobody');
CALL steward.search_enable('posts', '{title:A,comments.body:C by post_id}', 'english', dry_run => true);
CALL steward.search_enable('posts', '{title:A,comments.body:C by post_id}', 'english');
SELECT id, search_vector FROM posts ORDER BY id;
CALL steward.search_enable('posts', '{title:A,comments.body:C by post_id}', 'english');

-- Posts whose vector is not that of the expression.
CREATE FUNCTION wrong() RETURNS TABLE (id bigint, search_vector tsvector, wanted tsvector) LANGUAGE sql AS $$
SELECT p.id, p.search_vector, v.wanted
  FROM posts p
 CROSS JOIN LATERAL (SELECT setweight(to_tsvector('english', coalesce(p.title, '')), 'A') ||
                            setweight(to_tsvector('english', coalesce((SELECT string_agg(c.body, ' ' ORDER BY c.id) FROM comments c WHERE c.post_id = p.id), '')), 'C') AS wanted) v
 WHERE NOT coalesce(ROW(p.search_vector)::record *= ROW(v.wanted)::record, false)
$$;
SELECT * FROM wrong();

--
-- Whatever is written
--

INSERT INTO comments VALUES (13, 3, 'wings'), (14, 3, 'wheels'), (8, 1, 'before the others');
SELECT * FROM wrong();
UPDATE comments SET body = 'rails and sleepers' WHERE id = 11;
SELECT * FROM wrong();
UPDATE comments SET post_id = post_id % 3 + 1 WHERE post_id IS NOT NULL;
SELECT * FROM wrong();
UPDATE comments SET post_id = 2 WHERE id = 12;
UPDATE comments SET post_id = NULL WHERE id = 8;
SELECT * FROM wrong();
-- the order is that of the key
UPDATE comments SET id = id + 100 WHERE id = 9;
SELECT * FROM wrong();
UPDATE posts SET id = id + 10;
SELECT * FROM wrong();
UPDATE posts SET title = title || ' again', search_vector = 'forged';
SELECT * FROM wrong();
INSERT INTO comments VALUES (13, 11, 'replaced') ON CONFLICT (id) DO UPDATE SET body = EXCLUDED.body;
SELECT * FROM wrong();
DELETE FROM comments WHERE id IN (10, 13);
SELECT * FROM wrong();
COPY comments FROM stdin;
20	11	copied	1
21	12	copied	1
\.
SELECT * FROM wrong();
DELETE FROM posts WHERE id = 11;
SELECT * FROM wrong();
SELECT count(*) FROM comments;
TRUNCATE comments;
SELECT * FROM wrong();
TRUNCATE posts, comments;
INSERT INTO posts VALUES (1, 'Boats'), (2, 'Trains');

-- savepoints, constraints at once, errors
BEGIN;
INSERT INTO comments VALUES (1, 1, 'first');
SAVEPOINT a;
INSERT INTO comments VALUES (2, 2, 'never');
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO comments VALUES (3, 2, 'kept');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT * FROM wrong();
INSERT INTO comments VALUES (4, 1, 'at once');
SELECT * FROM wrong();
ROLLBACK TO b;
SELECT * FROM wrong();
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO comments VALUES (5, 2, 'later');
SELECT id FROM wrong();
COMMIT;
SELECT * FROM wrong();
BEGIN;
INSERT INTO comments VALUES (6, 2, 'in vain');
ROLLBACK;
BEGIN;
INSERT INTO comments VALUES (7, 2, 'prepared');
PREPARE TRANSACTION 'search_related';
COMMIT PREPARED 'search_related';
SELECT * FROM wrong();
-- each row is written once, however many comments it gets, and only for what concerns it
CREATE TABLE written (id bigint);
CREATE FUNCTION note_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO search_related.written VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER written AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION note_written();
BEGIN;
INSERT INTO comments SELECT 1000 + n, 1 + n % 2, 'many' FROM generate_series(1, 100) n;
UPDATE comments SET body = body || ' words' WHERE id > 1000;
COMMIT;
UPDATE comments SET n = 7;
SELECT id, count(*) FROM written GROUP BY id ORDER BY id;
SELECT * FROM wrong();
-- a trigger of the other table that writes related rows
CREATE FUNCTION reply() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO search_related.comments VALUES (5000, NEW.id, 'reply') ON CONFLICT DO NOTHING; RETURN NULL; END $$;
CREATE TRIGGER reply AFTER UPDATE ON posts FOR EACH ROW EXECUTE FUNCTION reply();
INSERT INTO comments VALUES (4999, 1, 'question');
SELECT * FROM wrong();
DROP TRIGGER reply ON posts;

--
-- Renamed, disabled, dropped
--

SELECT * FROM steward.search_disable('posts', dry_run => true);
ALTER TABLE comments DISABLE TRIGGER steward_refresh_posts;
DROP TRIGGER steward_truncated ON comments;
SELECT severity, object, detail, remedy FROM steward.findings WHERE finding = 'upkeep_trigger' AND object LIKE 'search_related.%' ORDER BY object COLLATE "C", detail COLLATE "C";
CALL steward.search_enable('posts', '{title:A,comments.body:C by post_id}', 'english');
SELECT count(*) FROM steward.findings WHERE finding = 'upkeep_trigger' AND object LIKE 'search_related.%';
SELECT * FROM steward.search_disable('posts');
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('comments'::regclass, 'posts'::regclass) AND tgfoid::regproc::text LIKE 'steward.%';

--
-- Privileges: who writes comments needs none on posts; policies do not count
--

ALTER TABLE posts OWNER TO regress_related_owner;
ALTER TABLE comments OWNER TO regress_related_owner;
GRANT ALL ON written TO regress_related_owner;
SET client_min_messages = warning;
CALL steward.search_enable('posts', '{title:A,comments.body:C by post_id}', 'english');
ALTER TABLE posts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE comments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY only_new ON comments FOR INSERT WITH CHECK (id > 6000);
GRANT INSERT ON comments TO regress_related_writer;
SET ROLE regress_related_writer;
INSERT INTO comments VALUES (6001, 1, 'secretly');
SELECT count(*) FROM posts;
RESET ROLE;
SELECT * FROM wrong();
ALTER TABLE comments OWNER TO CURRENT_USER;
UPDATE posts SET title = title || '!';
INSERT INTO comments VALUES (6002, 1, 'x');
ALTER TABLE comments OWNER TO regress_related_owner;
ALTER TABLE posts NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
ALTER TABLE comments NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

--
-- What it may be: several columns, json, several sources and vectors, quoted names, partitions, the table itself
--

CREATE SCHEMA "Other schema";
CREATE TABLE "Po.sts" (tenant integer, "the ID" text COLLATE "C", title text, PRIMARY KEY (tenant, "the ID")) PARTITION BY LIST (tenant);
CREATE TABLE part_1 ("the ID" text COLLATE "C" NOT NULL, gone integer, tenant integer NOT NULL, title text);
ALTER TABLE part_1 DROP gone;
ALTER TABLE "Po.sts" ATTACH PARTITION part_1 FOR VALUES IN (1);
CREATE TABLE part_2 PARTITION OF "Po.sts" DEFAULT;
CREATE TABLE "Other schema"."com by #ments" (id integer, "by" text COLLATE "C", tenant integer, "the.body" text, meta jsonb, tags text[], gen text GENERATED ALWAYS AS (upper("the.body")) STORED,
    PRIMARY KEY (id, tenant), FOREIGN KEY (tenant, "by") REFERENCES "Po.sts" ON UPDATE CASCADE) PARTITION BY LIST (tenant);
CREATE TABLE "Other schema".c1 (tenant integer NOT NULL, meta jsonb, gone integer, tags text[], "by" text COLLATE "C", id integer NOT NULL, "the.body" text, gen text GENERATED ALWAYS AS (upper("the.body")) STORED);
ALTER TABLE "Other schema".c1 DROP gone;
ALTER TABLE "Other schema"."com by #ments" ATTACH PARTITION "Other schema".c1 FOR VALUES IN (1);
CREATE TABLE "Other schema".c2 PARTITION OF "Other schema"."com by #ments" DEFAULT;
INSERT INTO "Po.sts" VALUES (1, 'a', 'one'), (1, 'b', 'two'), (2, 'a', 'three');
SET client_min_messages = warning;
CALL steward.search_enable('"Po.sts"', ARRAY['title', '"Other schema"."com by #ments"."the.body" by "by",tenant', '"Other schema"."com by #ments".meta#>{"a by \"}",b}:B by tenant,"by"', '"Other schema"."com by #ments".tags:A by "by", tenant'], 'simple');
CALL steward.search_enable('"Po.sts"', ARRAY['"Other schema"."com by #ments".gen:D by "by",tenant'], 'simple', 'generated');
CREATE AGGREGATE joined(tsvector) (SFUNC = tsvector_concat, STYPE = tsvector, INITCOND = '');
CREATE VIEW wrong_part AS
SELECT p.tenant, p."the ID", p.search_vector, v.wanted
  FROM "Po.sts" p
 CROSS JOIN LATERAL (SELECT to_tsvector('simple', p.title || ' ' || coalesce(string_agg(c."the.body", ' ' ORDER BY c.id, c.tenant), '')) AS t,
                            setweight(joined(to_tsvector('simple', c.meta #> '{"a by \"}",b}') ORDER BY c.id, c.tenant), 'B') AS m,
                            setweight(to_tsvector('simple', coalesce(string_agg(array_to_string(c.tags, ' '), ' ' ORDER BY c.id, c.tenant), '')), 'A') AS a,
                            to_tsvector('simple', coalesce(string_agg(c.gen, ' ' ORDER BY c.id, c.tenant), '')) AS g
                       FROM "Other schema"."com by #ments" c WHERE (c.tenant, c."by") = (p.tenant, p."the ID")) parts
 CROSS JOIN LATERAL (SELECT parts.t || parts.m || parts.a AS wanted) v
 WHERE (p.search_vector IS DISTINCT FROM v.wanted) OR p.generated IS DISTINCT FROM parts.g;
INSERT INTO "Other schema"."com by #ments" (id, "by", tenant, "the.body", meta, tags) VALUES
    (2, 'a', 1, 'later', '{"a by \"}": {"b": "deep down"}, "other": "no"}', '{tag,"two words"}'), (1, 'a', 1, 'earlier', '{"a by \"}": {"b": ["up", "high"]}}', NULL),
    (3, 'b', 1, NULL, NULL, '{x}'), (4, 'a', 2, 'elsewhere', '{}', '{}'), (5, NULL, 2, 'nowhere', NULL, NULL);
SELECT * FROM wrong_part;
SELECT search_vector, generated FROM "Po.sts" WHERE (tenant, "the ID") = (1, 'a');
UPDATE "Other schema"."com by #ments" SET tenant = 2 WHERE id IN (1, 2);
SELECT * FROM wrong_part;
UPDATE "Po.sts" SET "the ID" = 'c' WHERE tenant = 2;
SELECT * FROM wrong_part;
INSERT INTO "Other schema".c1 (id, "by", tenant, "the.body") VALUES (7, 'b', 1, 'directly');
SELECT * FROM wrong_part;
TRUNCATE "Other schema".c2;
SELECT * FROM wrong_part;
SELECT tgrelid::regclass, tgname, tgconstrrelid::regclass FROM pg_trigger WHERE tgfoid = 'steward.search_related_trigger'::regproc AND tgrelid::regclass::text LIKE '"Other%' ORDER BY 1, 2;
DROP VIEW wrong_part;
SELECT count(*) FROM steward.search_disable('"Po.sts"', 'generated');
INSERT INTO "Other schema".c1 (id, "by", tenant, "the.body") VALUES (8, 'b', 1, 'still');
SELECT search_vector @@ 'still' AS found FROM "Po.sts" WHERE (tenant, "the ID") = (1, 'b');
SELECT count(*) FROM steward.search_disable('"Po.sts"');
SELECT count(*) FROM pg_trigger WHERE tgfoid = 'steward.search_related_trigger'::regproc AND tgrelid::regclass::text LIKE '"Other%';

CREATE TABLE tree (id integer PRIMARY KEY, up integer REFERENCES tree, title text);
INSERT INTO tree VALUES (1, NULL, 'root'), (2, 1, 'left'), (3, 1, 'right'), (4, 2, 'leaf');
CALL steward.search_enable('tree', '{title:A,tree.title:B by up}', 'simple');
UPDATE tree SET title = title || id;
SELECT id, search_vector FROM tree ORDER BY id;

-- long texts of many
CREATE TABLE topic (id integer PRIMARY KEY, title text);
CREATE TABLE entry (id integer PRIMARY KEY, topic integer REFERENCES topic, body text);
INSERT INTO topic VALUES (1, 'lighthouse');
INSERT INTO entry SELECT n, 1, (SELECT string_agg('w' || lpad((n * 1000 + i)::text, 31, '0'), ' ') FROM generate_series(1, 1000) i) FROM generate_series(1, 40) n;
CALL steward.search_enable('topic', '{title:A,entry.body by topic}', 'simple');
SELECT ROW(search_vector)::record *= ROW(setweight(to_tsvector('simple', title), 'A') || (SELECT to_tsvector('simple', left(string_agg(body, ' ' ORDER BY id), 948749)) FROM entry))::record AS same,
       length(search_vector) FROM topic;

-- what is refused
CREATE PROCEDURE refused(source text) LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE format('CALL steward.search_enable(''topic'', %L, ''simple'', ''v'')', ARRAY[source]);
    RAISE INFO '% is accepted', source;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE INFO '%: % %', source, SQLSTATE, concat_ws(' | ', SQLERRM, nullif(detail, ''), replace(nullif(hint, ''), quote_ident(current_user), 'postgres'));
END $$;
CREATE TABLE no_key (topic integer REFERENCES topic, other integer, body text, vector tsvector);
CREATE TABLE owned (id integer PRIMARY KEY, topic integer REFERENCES topic, body text);
ALTER TABLE owned OWNER TO regress_related_owner;
CREATE VIEW entry_view AS SELECT * FROM entry;
CALL refused('none.body by topic');
CALL refused('none.entry.body by topic');
CALL refused('a.b.c.body by topic');
CALL refused('entry.none by topic');
CALL refused('entry.body by none');
CALL refused('entry.body by id');
CALL refused('entry.body by topic,id');
CALL refused('entry.body by ');
CALL refused('entry by topic');
CALL refused('entry.body:X by topic');
CALL refused('entry.body#>{a} by topic');
CALL refused('entry.body by topic:A');
CALL refused('entry_view.body by topic');
CALL refused('no_key.body by topic');
CALL refused('no_key.vector by topic');
CALL refused('owned.body by topic');
CALL refused('entry.body:d by topic');

-- Keys are told apart whatever blanks are in them; a vector is left as it is while no trigger would make it anew.
CREATE TABLE blank (a text, b text, title text, PRIMARY KEY (a, b));
CREATE TABLE blank_words (id integer PRIMARY KEY, a text, b text, body text, FOREIGN KEY (a, b) REFERENCES blank);
CALL steward.search_enable('blank', '{title:A,"blank_words.body:D by a,b"}', 'simple');
INSERT INTO blank VALUES ('a b', 'c', 'one'), ('a', 'b c', 'two');
BEGIN;
INSERT INTO blank_words VALUES (1, 'a b', 'c', 'lantern'), (2, 'a', 'b c', 'harbour');
COMMIT;
SELECT title, search_vector FROM blank ORDER BY title;
BEGIN;
INSERT INTO blank_words VALUES (4, 'a', 'b c', 'late');
ALTER TABLE blank ALTER a TYPE varchar(10);
COMMIT;
SELECT title, search_vector FROM blank ORDER BY title;
ALTER TABLE blank DISABLE TRIGGER steward_search_vector;
INSERT INTO blank_words VALUES (3, 'a b', 'c', 'unseen');
TRUNCATE blank_words;
SELECT title, search_vector FROM blank ORDER BY title;

SET client_min_messages = warning;
DROP SCHEMA "Other schema" CASCADE;
DROP SCHEMA search_related CASCADE;
DROP ROLE regress_related_owner, regress_related_writer;
