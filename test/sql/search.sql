-- What the page shows, what a misused trigger is told, and when text is parsed.
\set SHOW_CONTEXT never

CREATE SCHEMA search;
SET search_path = search;

--
-- The example of doc/search.md
--

CREATE TABLE posts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    title         text NOT NULL,
    content       text,
    tags          text[],
    search_vector tsvector
);
CREATE TRIGGER posts_search_vector BEFORE INSERT OR UPDATE ON posts
    FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger(
        'search_vector', 'title:A', 'content:B', 'tags:C', 'config=english');
CREATE INDEX ON posts USING gin (search_vector);

INSERT INTO posts (title, content, tags) VALUES
    ('Keeping lighthouses', 'Each keeper climbed the stairs, lit the lamp and kept a diary.', '{history,sea}'),
    ('Stairs', 'How to build stairs that nobody falls from.', NULL),
    ('Reading a tide table', NULL, '{sea,boats}');

SELECT title, ts_headline('english', content, query) AS headline
  FROM posts, websearch_to_tsquery('english', 'stairs') AS query
 WHERE search_vector @@ query
 ORDER BY ts_rank(search_vector, query) DESC, id
 LIMIT 20;

SELECT title, search_vector FROM posts ORDER BY id;
UPDATE posts SET title = 'Reading tide tables by night' WHERE id = 3;
SELECT search_vector FROM posts WHERE id = 3;
-- phrases follow each other across sources, as in SQL
SELECT id FROM posts WHERE search_vector @@ phraseto_tsquery('english', 'lit the lamp');
SELECT id FROM posts WHERE search_vector @@ to_tsquery('english', 'sea:C & keeper:B');
-- what the expression of SQL gives
SELECT bool_and(ROW(search_vector)::record *= ROW(
           setweight(to_tsvector('english', coalesce(title, '')), 'A') ||
           setweight(to_tsvector('english', coalesce(content, '')), 'B') ||
           setweight(to_tsvector('english', coalesce(array_to_string(tags, ' '), '')), 'C'))::record) AS same_bytes
  FROM posts;

CREATE TABLE products (id integer PRIMARY KEY, name text, description text, metadata jsonb);
INSERT INTO products VALUES (1, 'Laptop', 'For gaming', '{"seo": {"title": "Fast laptops"}, "sku": "L1"}');
CALL steward.search_enable('products', '{name:A,description:B,"metadata#>{seo,title}:C"}', 'english');
SELECT search_vector FROM products;
SELECT * FROM steward.search_disable('products');

--
-- A trigger that is attached otherwise
--

CREATE TABLE misused (id integer PRIMARY KEY, title text, meta jsonb, generated text GENERATED ALWAYS AS (title || '!') STORED,
    vector tsvector, generated_vector tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED);
CREATE PROCEDURE try(arguments text, timing text DEFAULT 'BEFORE INSERT') LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    DELETE FROM misused;
    INSERT INTO misused VALUES (0);
    EXECUTE format('CREATE TRIGGER attempt %s ON misused FOR EACH %s EXECUTE FUNCTION steward.search_vector_trigger(%s)',
                   timing, CASE WHEN timing ~ 'STATEMENT' THEN '' ELSE 'ROW' END, arguments);
    BEGIN
        INSERT INTO misused VALUES (1, 'a title');
        DELETE FROM misused;
        RAISE INFO '% is accepted', arguments;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        -- what the server says of an array differs between its versions
        RAISE INFO '% %', arguments, concat_ws(' | ', SQLSTATE, CASE WHEN SQLSTATE <> '22P02' THEN SQLERRM END, CASE WHEN SQLSTATE <> '22P02' THEN nullif(detail, '') END, nullif(hint, ''));
    END;
    DROP TRIGGER attempt ON misused;
END $$;

CALL try($$'vector', 'title', 'config=english'$$, 'AFTER INSERT');
CALL try($$'vector', 'title', 'config=english'$$, 'BEFORE DELETE');
SELECT steward.search_vector_trigger();
CALL try('');
CALL try($$'vector'$$);
CALL try($$'vector', 'config=english'$$);
CALL try($$'vector', 'title'$$);
CALL try($$'vector', 'title', 'config_column=title'$$);
CALL try($$'vector', 'title', 'config='$$);
CALL try($$'vector', 'title', 'config=nonexistent'$$);
CALL try($$'vector', 'title', 'config=nonexistent.english'$$);
CALL try($$'vector', 'title', 'config=a.b.english'$$);
CALL try($$'vector', 'title', 'config=english', 'config_column=nonexistent'$$);
CALL try($$'vector', 'title', 'config=english', 'language=german'$$);
CALL try($$'nonexistent', 'title', 'config=english'$$);
CALL try($$'title', 'title', 'config=english'$$);
CALL try($$'ctid', 'title', 'config=english'$$);
CALL try($$'generated_vector', 'title', 'config=english'$$);
CALL try($$'vector', 'nonexistent:A', 'config=english'$$);
CALL try($$'vector', 'tableoid', 'config=english'$$);
CALL try($$'vector', 'title:E', 'config=english'$$);
CALL try($$'vector', 'title:', 'config=english'$$);
CALL try($$'vector', 'title:AB', 'config=english'$$);
CALL try($$'vector', 'title:Ä', 'config=english'$$);
CALL try($$'vector', 'title A', 'config=english'$$);
CALL try($$'vector', '', 'config=english'$$);
CALL try($$'vector', ':A', 'config=english'$$);
CALL try($$'vector', '"title', 'config=english'$$);
CALL try($$'vector', '"title"x', 'config=english'$$);
CALL try($$'vector', 'title#>{a}', 'config=english'$$);
CALL try($$'vector', 'meta#>{a', 'config=english'$$);
CALL try($$'vector', 'meta#>{a}x', 'config=english'$$);
CALL try($$'vector', 'meta#>a', 'config=english'$$);
CALL try($$'vector', 'meta#>>{a}', 'config=english'$$);
CALL try($$'vector', 'meta#>{{a}', 'config=english'$$);
CALL try($$'vector', 'generated', 'config=english'$$);
CALL try($$'vector', 'generated_vector', 'config=english'$$);
CALL try($$'vector', 'title', 'vector', 'config=english'$$);
CALL try($$'vector', 'title', 'config=english', 'config_column=generated'$$);
-- what is written otherwise but means the same
CALL try($$'vector', 'title:a', 'config=english'$$);
CALL try($$'config=english', 'Vector', '"title":D', 'TITLE'$$);
CALL try($$'vector', 'meta#>{}', 'meta#>{a,NULL}', 'config="english"'$$);
DROP TABLE misused;

--
-- When text is parsed: the configuration answers otherwise each time, so a vector
-- that is made anew shows.
--

CREATE TEXT SEARCH DICTIONARY silent (TEMPLATE = simple, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION moody (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION moody ADD MAPPING FOR asciiword, numword, uint WITH simple;
CREATE TABLE lazy (id integer PRIMARY KEY, n integer DEFAULT 0, title text, content text, tags text[], meta jsonb, doc json, vector tsvector);
-- content and vector are toasted out of line
ALTER TABLE lazy ALTER content SET STORAGE EXTERNAL, ALTER vector SET STORAGE EXTERNAL;
CREATE TRIGGER vector BEFORE INSERT OR UPDATE ON lazy FOR EACH ROW
    EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title:A', 'content', 'tags', 'meta:B', 'doc#>{a}', 'config=moody');
INSERT INTO lazy (id, title, content, tags, meta, doc)
SELECT id, 'title ' || id, (SELECT string_agg(md5(id || ' ' || g), ' ') FROM generate_series(1, CASE id WHEN 1 THEN 2 ELSE 1000 END) g),
       '{some,tags}', '{"a": "b"}', '{"a": "c"}'
  FROM generate_series(1, 3) id;
CREATE TABLE was AS SELECT id, vector FROM lazy;
SELECT min(length(vector)), max(length(vector)), max(pg_column_size(vector)) > 10000 AS large FROM lazy;
ALTER TEXT SEARCH CONFIGURATION moody ALTER MAPPING FOR asciiword, numword, uint WITH silent;
-- tells which rows' vectors were made anew since the last time, and puts them back
CREATE FUNCTION parsed() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    anew text;
BEGIN
    SELECT string_agg(id::text, ' ' ORDER BY id) INTO anew FROM was JOIN lazy USING (id) WHERE NOT ROW(was.vector)::record *= ROW(lazy.vector)::record;
    IF anew IS NOT NULL THEN
        ALTER TABLE lazy DISABLE TRIGGER vector;
        UPDATE lazy SET vector = was.vector FROM was WHERE lazy.id = was.id;
        ALTER TABLE lazy ENABLE TRIGGER vector;
    END IF;
    RETURN coalesce(anew, 'none');
END $$;

UPDATE lazy SET n = n + 1;
SELECT parsed() AS other_column;
UPDATE lazy SET title = title, content = content, tags = tags, meta = meta, doc = doc;
SELECT parsed() AS to_themselves;
UPDATE lazy SET title = title || '', content = content || '', tags = tags || '{}', meta = meta || '{}', doc = doc::text::json, vector = vector;
SELECT parsed() AS to_equal_values;
PREPARE save AS UPDATE lazy SET title = $2, content = $3, tags = $4, meta = $5, doc = $6, n = n + 1 WHERE id = $1;
DO $$
DECLARE
    command text;
BEGIN
    FOR command IN SELECT format('EXECUTE save(%s, %L, %L, %L, %L, %L)', id, title, content, tags, meta, doc) FROM lazy LOOP
        EXECUTE command;
    END LOOP;
END $$;
SELECT parsed() AS as_an_orm_does;
UPDATE lazy SET vector = (SELECT vector FROM was WHERE was.id = lazy.id);
SELECT parsed() AS the_same_vector;
INSERT INTO lazy SELECT id, n, title, content, tags, meta, doc FROM lazy
    ON CONFLICT (id) DO UPDATE SET title = EXCLUDED.title, content = EXCLUDED.content, n = lazy.n + 1;
SELECT parsed() AS on_conflict;
MERGE INTO lazy USING was ON was.id = lazy.id WHEN MATCHED THEN UPDATE SET n = n + 1, content = content || '';
SELECT parsed() AS merged;
ALTER TABLE lazy ADD later text, DROP n;
UPDATE lazy SET later = 'x';
SELECT parsed() AS columns_come_and_go;
-- and these do parse
UPDATE lazy SET title = upper(title) WHERE id = 2;
SELECT parsed() AS text_changed;
UPDATE lazy SET content = overlay(content PLACING '!' FROM 20000) WHERE id = 3;
SELECT parsed() AS one_byte_of_many;
UPDATE lazy SET vector = NULL WHERE id = 1;
SELECT parsed() AS set_to_null;
UPDATE lazy SET vector = 'forged' WHERE id = 1;
SELECT parsed() AS forged;
UPDATE lazy SET tags = NULL WHERE id = 1;
SELECT parsed() AS source_removed;
INSERT INTO lazy (id, title, vector) VALUES (4, 'words', 'forged');
SELECT vector FROM lazy WHERE id = 4;
DROP TABLE lazy, was;

-- a generated column or a later trigger may use the vector, an earlier one the text
CREATE TABLE chain (id integer PRIMARY KEY, title text, vector tsvector, words integer GENERATED ALWAYS AS (length(vector)) STORED);
CREATE FUNCTION shorten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.title := split_part(NEW.title, ' ', 1); RETURN NEW; END $$;
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '%', NEW.vector; RETURN NEW; END $$;
CREATE TRIGGER a BEFORE INSERT OR UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION shorten();
CREATE TRIGGER b BEFORE INSERT OR UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('vector', 'title', 'config=simple');
CREATE TRIGGER c BEFORE INSERT OR UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION look();
INSERT INTO chain VALUES (1, 'one two'), (2, 'three four');
UPDATE chain SET title = 'five six' WHERE id = 1;
COPY chain (id, title) FROM stdin;
3	seven eight
\.
SELECT * FROM chain ORDER BY id;

-- beside the other triggers: no new version, no new stamp, nothing in the audit log, but for the text's sake
CREATE TABLE beside (id integer PRIMARY KEY, title text, vector tsvector, version integer NOT NULL DEFAULT 1, updated_at timestamptz DEFAULT '2000-01-01');
SET client_min_messages = error;
SELECT count(*) FROM steward.updated_at_enable('beside');
SELECT count(*) FROM steward.row_version_enable('beside');
SELECT count(*) FROM steward.audit_enable('beside', exclude => '{vector}');
INSERT INTO beside VALUES (1, 'one');
CALL steward.search_enable('beside', '{title}', 'simple', 'vector');
CALL steward.search_enable('beside', '{title:A}', 'simple', 'vector');
SELECT id, title, vector, version, updated_at = '2000-01-01' AS as_it_was FROM beside;
SELECT operation FROM steward.audit_log WHERE table_schema = 'search' AND table_name = 'beside' ORDER BY transaction_id, seq;
UPDATE beside SET title = 'two';
SELECT id, title, vector, version, updated_at = '2000-01-01' AS as_it_was FROM beside;
SELECT operation, new_values ? 'vector' AS has_vector FROM steward.audit_log WHERE table_schema = 'search' AND table_name = 'beside' ORDER BY transaction_id, seq;

DROP SCHEMA search CASCADE;
