-- Making tables searchable, again, otherwise, and no longer; on tables of every kind, by those who may.
\set SHOW_CONTEXT never

CREATE SCHEMA search_enable;
SET search_path = search_enable;
SELECT current_user AS superuser \gset
CREATE ROLE regress_search_table_owner;
CREATE ROLE regress_search_member IN ROLE regress_search_table_owner;
CREATE ROLE regress_search_other;
GRANT ALL ON SCHEMA search_enable TO PUBLIC;

-- Rows of a table and what is wrong with them: vectors that are not those of the title by the configuration.
CREATE FUNCTION state(relation regclass, config regconfig, weight "char" DEFAULT 'D', vector name DEFAULT 'search_vector', OUT row_count bigint, OUT wrong bigint, OUT indexes text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE NOT coalesce(ROW(%I)::record *= ROW(setweight(to_tsvector(%L, coalesce(title, '''')), %L))::record, false)) FROM %s',
                   vector, config, weight, relation) INTO row_count, wrong;
    SELECT string_agg(i.indexrelid::regclass || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END, ', ' ORDER BY i.indexrelid::regclass::text COLLATE "C") INTO indexes
      FROM pg_index i WHERE i.indrelid = relation AND NOT i.indisprimary;
END $$;

--
-- Again and otherwise
--

CREATE TABLE plain (id integer PRIMARY KEY, title text, content text) WITH (autovacuum_enabled = off);
-- as many rows to a page whether they are aligned to 4 bytes or to 8
INSERT INTO plain SELECT n, 'The cats of house ' || n, repeat('filler ', 32) FROM generate_series(1, 5000) n;
-- what it would do, which is nothing yet
CALL steward.search_enable('plain', '{title}', 'english', dry_run => true);
CALL steward.search_enable('plain', '{title}', 'english', concurrently => true, dry_run => true);
SELECT count(*) AS columns, (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'plain'::regclass) AS triggers FROM pg_attribute WHERE attrelid = 'plain'::regclass AND attnum > 0;
CALL steward.search_enable('plain', '{title}', 'english', batch_rows => 700);
SELECT * FROM state('plain', 'english');
CALL steward.search_enable('plain', '{title}', 'english');
-- what was not filled in is
ALTER TABLE plain DISABLE TRIGGER steward_search_vector;
UPDATE plain SET search_vector = NULL WHERE id % 100 = 0;
CALL steward.search_enable('plain', '{title}', 'english');
SELECT * FROM state('plain', 'english');
-- another definition is for all rows; how many are done, and when, depends on vacuum from here on
SET client_min_messages = warning;
CALL steward.search_enable('plain', '{title:B}', 'simple', batch_rows => 100000);
SELECT * FROM state('plain', 'simple', 'B');
CALL steward.search_enable('plain', '{title:B}', 'simple', batch_rows => 1, concurrently => true);
-- the index is found by the planner
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM plain WHERE search_vector @@ to_tsquery('simple', '4711');
SELECT id FROM plain WHERE search_vector @@ to_tsquery('simple', '4711');
RESET enable_seqscan;
SELECT * FROM steward.search_disable('plain');
SELECT * FROM steward.search_disable('plain');
CALL steward.search_enable('plain', '{title}', 'english', concurrently => true);
SELECT * FROM state('plain', 'english');
SELECT * FROM steward.search_disable('plain', keep_column => true);
-- vectors of before are not trusted
CALL steward.search_enable('plain', '{title:C}', 'english', batch_rows => 100000);
SELECT * FROM state('plain', 'english', 'C');
SELECT count(*) FROM steward.search_disable('plain');
RESET client_min_messages;

-- what is refused leaves nothing behind
CREATE PROCEDURE refused(command text) LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    SET LOCAL client_min_messages = warning;
    EXECUTE command;
    RAISE INFO '% is accepted', command;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE INFO '% %', SQLSTATE, concat_ws(' | ', SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE strict (id integer PRIMARY KEY, title text, other text, vector text, generated tsvector GENERATED ALWAYS AS (to_tsvector('english', title)) STORED, domain tsvector);
CREATE DOMAIN vector AS tsvector;
ALTER TABLE strict ALTER domain TYPE vector;
CREATE VIEW strict_view AS SELECT * FROM strict;
CREATE MATERIALIZED VIEW strict_matview AS SELECT * FROM strict;
CALL refused($$CALL steward.search_enable('nonexistent', '{title}', 'english')$$);
CALL refused($$CALL steward.search_enable(NULL, '{title}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', NULL, 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{NULL}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', NULL)$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', NULL)$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', concurrently => NULL)$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', batch_rows => NULL)$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', batch_rows => 0)$$);
CALL refused($$CALL steward.search_enable('strict', '{}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title:X}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{none}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title,search_vector}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title,config=german}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title,refill=yes}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'nonexistent')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 0::regconfig)$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', config_column => 'none')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', 'vector')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', 'generated')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', 'domain')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', 'xmin')$$);
CALL refused($$CALL steward.search_enable('strict', '{title}', 'english', concurrently => true)$$);
CALL refused($$CALL steward.search_enable('strict_view', '{title}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict_matview', '{title}', 'english')$$);
CALL refused($$CALL steward.search_enable('strict_pkey', '{title}', 'english')$$);
CALL refused($$SELECT steward.search_disable('strict_view')$$);
SELECT count(*) FILTER (WHERE attname = 'search_vector') AS columns, (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'strict'::regclass) AS triggers
  FROM pg_attribute WHERE attrelid = 'strict'::regclass;

-- nothing is wiped where the trigger does not fire
SET client_min_messages = warning;
CREATE TABLE replica (id integer PRIMARY KEY, title text);
INSERT INTO replica VALUES (1, 'cats');
CALL steward.search_enable('replica', '{title}', 'english');
SET session_replication_role = replica;
CALL refused($$CALL steward.search_enable('replica', '{title:A}', 'english')$$);
RESET session_replication_role;
SELECT search_vector IS NOT NULL AS is_there FROM replica;
ALTER TABLE replica ENABLE REPLICA TRIGGER steward_search_vector;
CALL steward.search_enable('replica', '{title:A}', 'english');
SELECT search_vector FROM replica;

--
-- Transactions
--

CREATE TABLE tx (id integer, title text);
INSERT INTO tx SELECT n, 'cats ' || n FROM generate_series(1, 3000) n;
BEGIN;
CALL steward.search_enable('tx', '{title}', 'english', batch_rows => 1);
SELECT * FROM state('tx', 'english');
ROLLBACK;
SELECT count(*) FROM pg_attribute WHERE attrelid = 'tx'::regclass AND attname = 'search_vector';
BEGIN;
SAVEPOINT a;
CALL steward.search_enable('tx', '{title}', 'english');
ROLLBACK TO a;
SAVEPOINT b;
CALL steward.search_enable('tx', '{title:A}', 'english');
RELEASE b;
COMMIT;
SELECT * FROM state('tx', 'english', 'A');
BEGIN ISOLATION LEVEL SERIALIZABLE;
CALL steward.search_enable('tx', '{title:B}', 'english');
COMMIT;
SELECT * FROM state('tx', 'english', 'B');
CREATE FUNCTION within(sources text[]) RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL steward.search_enable('tx', sources, 'english', batch_rows => 10); END $$;
SELECT within('{title:C}');
SELECT * FROM state('tx', 'english', 'C');
DO $$ BEGIN CALL steward.search_enable('tx', '{title:D}', 'english', batch_rows => 10); ROLLBACK; END $$;
SELECT * FROM state('tx', 'english', 'D');
DO $$
BEGIN
    BEGIN
        CALL steward.search_enable('tx', '{title:A}', 'english', batch_rows => 10);
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
END $$;
SELECT * FROM state('tx', 'english', 'D');
CREATE PROCEDURE outer_procedure() LANGUAGE plpgsql AS $$ BEGIN CALL steward.search_enable('tx', '{title:B}', 'english', batch_rows => 10); RAISE 'stopped'; END $$;
CALL outer_procedure();
-- its commits stand
SELECT * FROM state('tx', 'english', 'B');
SELECT 1 AS one \; CALL steward.search_enable('tx', '{title:C}', 'english') \; SELECT 2 AS two;
SELECT * FROM state('tx', 'english', 'C');
BEGIN;
CALL steward.search_enable('tx', '{title}', 'english', concurrently => true);
ROLLBACK;
DO $$ BEGIN CALL steward.search_enable('tx', '{title}', 'english', concurrently => true); END $$;
SET default_transaction_isolation = 'repeatable read';
CALL steward.search_enable('tx', '{title:D}', 'simple', concurrently => true, batch_rows => 10);
RESET default_transaction_isolation;
SELECT * FROM state('tx', 'simple', 'D');
SET default_transaction_read_only = on;
CALL steward.search_enable('tx', '{title:A}', 'simple');
RESET default_transaction_read_only;
PREPARE enable(text[]) AS SELECT within($1);
EXECUTE enable('{title:C}');
SELECT * FROM state('tx', 'english', 'C');
-- a prepared transaction holds what it filled
BEGIN;
CALL steward.search_enable('tx', '{title:A}', 'english');
INSERT INTO tx VALUES (0, 'dogs');
PREPARE TRANSACTION 'search_enable';
COMMIT PREPARED 'search_enable';
SELECT * FROM state('tx', 'english', 'A');

--
-- Rights
--

CREATE TABLE owned (id integer PRIMARY KEY, title text, hidden boolean DEFAULT true);
INSERT INTO owned SELECT n, 'cats' FROM generate_series(1, 100) n;
ALTER TABLE owned OWNER TO regress_search_table_owner;
GRANT ALL ON owned TO regress_search_other;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY nothing ON owned USING (false);
CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% changes row %', current_user, NEW.id; RETURN NEW; END $$;
CREATE TRIGGER who BEFORE UPDATE ON owned FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION who();
SET ROLE regress_search_other;
CALL steward.search_enable('owned', '{title}', 'english');
SELECT steward.search_disable('owned');
SET ROLE regress_search_member;
CALL steward.search_enable('owned', '{title}', 'english', batch_rows => 10);
RESET ROLE;
SELECT * FROM state('owned', 'english');
SET ROLE regress_search_table_owner;
CALL steward.search_enable('owned', '{title:A}', 'english', concurrently => true);
SELECT count(*) FROM owned;
SELECT count(*) FROM steward.search_disable('owned');
RESET ROLE;
CALL steward.search_enable('owned', '{title:B}', 'english');
SELECT * FROM state('owned', 'english', 'B');
SELECT current_user = :'superuser' AS superuser_again;
-- the owner's triggers get no rights of who calls, however late they fire
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON owned DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION who();
CALL steward.search_enable('owned', '{title:C}', 'english');
CREATE FUNCTION escape() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN NEW; END $$;
CREATE TRIGGER escape BEFORE UPDATE ON owned FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION escape();
SET SESSION AUTHORIZATION regress_search_member;
SET ROLE regress_search_table_owner;
CALL refused($$CALL steward.search_enable('owned', '{title:D}', 'english')$$);
RESET SESSION AUTHORIZATION;
SELECT current_user = :'superuser' AS superuser_again;
-- the functions that it is made of give nobody a right
SET ROLE regress_search_other;
CALL refused($$SELECT steward_internal.search_prepare('owned', '{title}', 'english', 'search_vector', NULL, 'cut', false)$$);
CALL refused($$SELECT * FROM steward_internal.search_attach('owned', '{search_vector,title}', 'search_vector', true)$$);
RESET ROLE;

--
-- The table's own triggers see the search path of who calls
--

CREATE SCHEMA search_enable_app;
SET search_path = search_enable_app, search_enable;
CREATE TABLE log (id integer);
CREATE TABLE tables_with_triggers (id integer PRIMARY KEY, title text);
CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER write_log AFTER UPDATE ON tables_with_triggers FOR EACH ROW EXECUTE FUNCTION write_log();
INSERT INTO tables_with_triggers VALUES (1, 'cats');
CALL steward.search_enable('tables_with_triggers', '{title}', 'english');
SELECT count(*) FROM log;
SET search_path = search_enable;
SELECT current_user AS superuser \gset
DROP SCHEMA search_enable_app CASCADE;

--
-- Other triggers of the same purpose, names, kinds of table
--

-- what a migration attached counts, however it writes it
CREATE TABLE migrated (id integer PRIMARY KEY, title text, search_vector tsvector);
CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON migrated FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('search_vector', 'title', 'config=english', 'long_texts=cut');
CALL steward.search_enable('migrated', '{title}', 'english');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'migrated'::regclass;
DROP TRIGGER mine ON migrated;
CREATE TRIGGER mine BEFORE INSERT OR UPDATE ON migrated FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('config=english', 'Search_Vector', 'title');
CALL steward.search_enable('migrated', '{title}', 'english');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'migrated'::regclass;
SELECT count(*) FROM steward.search_disable('migrated');
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'migrated'::regclass;

RESET client_min_messages;
CREATE TABLE "Träge ""Tabelle"" 'mit' %s $1 \ und einem sehr lan" (id integer, title text, "a\b: #>{c}" text);
INSERT INTO "Träge ""Tabelle"" 'mit' %s $1 \ und einem sehr lan" VALUES (1, 'cats', 'dogs');
CALL steward.search_enable('"Träge ""Tabelle"" ''mit'' %s $1 \ und einem sehr lan"', ARRAY['title', '"a\b: #>{c}":A'], 'english', 'V"ector '' %s \ with a name of sixty-three bytes, which is as many ', concurrently => true);
SELECT * FROM "Träge ""Tabelle"" 'mit' %s $1 \ und einem sehr lan";
CALL steward.search_enable('"Träge ""Tabelle"" ''mit'' %s $1 \ und einem sehr lan"', ARRAY['title', '"a\b: #>{c}":A'], 'english', 'V"ector '' %s \ with a name of sixty-three bytes, which is as many ');
SELECT * FROM steward.search_disable('"Träge ""Tabelle"" ''mit'' %s $1 \ und einem sehr lan"', 'V"ector '' %s \ with a name of sixty-three bytes, which is as many ');
SET client_min_messages = warning;

-- two vectors
CREATE TABLE two (id integer, title text, content text);
INSERT INTO two VALUES (1, 'cats', 'dogs');
CALL steward.search_enable('two', '{title}', 'english', 'one');
CALL steward.search_enable('two', '{content}', 'simple', 'other');
UPDATE two SET content = 'mice';
SELECT * FROM two;
SELECT steward.search_disable('two', 'one');
SELECT * FROM two;

CREATE UNLOGGED TABLE unlogged (id integer, title text);
INSERT INTO unlogged VALUES (1, 'cats');
CALL steward.search_enable('unlogged', '{title}', 'english', concurrently => true);
SELECT * FROM state('unlogged', 'english');
CREATE TABLE empty (title text);
CALL steward.search_enable('empty', '{title}', 'english', concurrently => true);
SELECT * FROM state('empty', 'english');
CREATE TABLE filled (id integer, title text, search_vector tsvector NOT NULL DEFAULT 'default');
INSERT INTO filled VALUES (1, 'cats');
CALL steward.search_enable('filled', '{title}', 'english');
SELECT * FROM state('filled', 'english');
INSERT INTO filled VALUES (2, 'dogs', DEFAULT), (3, 'mice', NULL);
SELECT * FROM state('filled', 'english');
-- a row that nobody could write again stops it; it goes on when that is mended
CREATE TABLE unchecked (id integer, title text);
INSERT INTO unchecked VALUES (1, 'cats'), (2, NULL);
ALTER TABLE unchecked ADD CHECK (title IS NOT NULL) NOT VALID;
CALL refused($$CALL steward.search_enable('unchecked', '{title}', 'english')$$);
DELETE FROM unchecked WHERE title IS NULL;
CALL steward.search_enable('unchecked', '{title}', 'english');
SELECT * FROM state('unchecked', 'english');
CREATE TABLE append_only (id integer, title text);
INSERT INTO append_only VALUES (1, 'cats');
SELECT count(*) FROM steward.append_only_enable('append_only');
CALL refused($$CALL steward.search_enable('append_only', '{title}', 'english')$$);

-- temporary
CREATE TEMPORARY TABLE temp (id integer, title text);
INSERT INTO temp VALUES (1, 'cats');
CALL steward.search_enable('temp', '{title}', 'english', concurrently => true);
CREATE TEMPORARY TABLE temp_part (id integer, title text) PARTITION BY LIST (id);
CREATE TEMPORARY TABLE temp_part_1 PARTITION OF temp_part DEFAULT;
CREATE TEMPORARY TABLE temp_parent (id integer, title text);
CREATE TEMPORARY TABLE temp_child () INHERITS (temp_parent);
INSERT INTO temp_part VALUES (1, 'cats');
INSERT INTO temp_child VALUES (1, 'cats');
CALL steward.search_enable('temp_part', '{title}', 'english');
CALL steward.search_enable('temp_parent', '{title}', 'english');
INSERT INTO temp_child VALUES (2, 'dogs');
SELECT * FROM temp UNION ALL SELECT * FROM temp_part UNION ALL SELECT * FROM temp_parent;

-- inheritance
CREATE TABLE parent (id integer, title text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
INSERT INTO parent VALUES (1, 'cats');
INSERT INTO child VALUES (2, 'cats', 'x');
INSERT INTO grandchild VALUES (3, 'cats', 'x');
CALL steward.search_enable('parent', '{title}', 'english');
SELECT tableoid::regclass, * FROM parent ORDER BY id;
SELECT indrelid::regclass FROM pg_index WHERE indrelid IN ('parent'::regclass, 'child'::regclass, 'grandchild'::regclass) ORDER BY 1;
-- one that came later, one that went its own way
CREATE TABLE late_child () INHERITS (parent);
INSERT INTO late_child VALUES (4, 'cats');
DROP TRIGGER steward_search_vector ON child;
CREATE TRIGGER own BEFORE INSERT OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION steward.search_vector_trigger('search_vector', 'title:A', 'config=simple');
UPDATE child SET search_vector = NULL WHERE id = 2;
CALL steward.search_enable('parent', '{title}', 'english');
SELECT tableoid::regclass, id, search_vector FROM parent ORDER BY id;
SELECT * FROM steward.search_disable('parent');

-- partitions of partitions, with other column numbers, attached later, foreign
CREATE TABLE part (id integer, region text, title text) PARTITION BY LIST (region);
CREATE TABLE part_eu (region text, gone text, title text, id integer) PARTITION BY RANGE (id);
ALTER TABLE part_eu DROP gone;
ALTER TABLE part ATTACH PARTITION part_eu FOR VALUES IN ('eu');
CREATE TABLE part_eu_1 PARTITION OF part_eu FOR VALUES FROM (0) TO (1000);
CREATE TABLE part_eu_2 PARTITION OF part_eu FOR VALUES FROM (1000) TO (2000);
CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
INSERT INTO part SELECT n, CASE WHEN n % 2 = 0 THEN 'eu' ELSE 'us' END, 'cats ' || n FROM generate_series(0, 1999) n;
CREATE FUNCTION indexes(name) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(indexrelid::regclass || CASE WHEN indisvalid THEN '' ELSE ' (invalid)' END, ', ' ORDER BY indexrelid::regclass::text COLLATE "C") FROM pg_index WHERE indrelid::regclass::text LIKE $1 || '%'
$$;
CALL steward.search_enable('part', '{title}', 'english', concurrently => true, batch_rows => 100);
SELECT *, indexes('part') FROM state('part', 'english');
CALL steward.search_enable('part', '{title}', 'english', concurrently => true);
SELECT indexes('part');
-- a row that moves is parsed for where it goes
UPDATE part SET region = 'us', title = title || ' moved' WHERE id = 4;
SELECT tableoid::regclass, search_vector FROM part WHERE id = 4;
-- a partition alone, and one that is attached later
CALL refused($$CALL steward.search_enable('part_eu', '{title:A}', 'english')$$);
CALL refused($$SELECT steward.search_disable('part_eu')$$);
CREATE TABLE part_as (id integer, region text, title text, search_vector tsvector);
INSERT INTO part_as VALUES (5000, 'as', 'cats');
ALTER TABLE part ATTACH PARTITION part_as FOR VALUES IN ('as');
CALL steward.search_enable('part', '{title}', 'english');
SELECT *, indexes('part_as') FROM state('part', 'english');
CREATE FOREIGN DATA WRAPPER regress_search_wrapper;
CREATE SERVER regress_search_server FOREIGN DATA WRAPPER regress_search_wrapper;
CREATE FOREIGN TABLE part_far PARTITION OF part FOR VALUES IN ('far') SERVER regress_search_server;
CALL steward.search_enable('part', '{title:B}', 'english', concurrently => true);
SELECT *, indexes('part') FROM state('part_us', 'english', 'B');
SELECT * FROM steward.search_disable('part');
DROP FOREIGN DATA WRAPPER regress_search_wrapper CASCADE;

-- an index of another kind is left alone
CREATE TABLE indexed (id integer, title text, search_vector tsvector);
CREATE INDEX gist ON indexed USING gist (search_vector);
CREATE INDEX partial ON indexed USING gin (search_vector) WHERE id < 10;
CALL steward.search_enable('indexed', '{title}', 'english');
CALL steward.search_enable('indexed', '{title}', 'english', concurrently => true);
SELECT * FROM state('indexed', 'english');
DROP INDEX indexed_search_vector_idx;
CREATE INDEX mine ON indexed USING gin (search_vector) WITH (fastupdate = off);
CALL steward.search_enable('indexed', '{title}', 'english');
SELECT * FROM state('indexed', 'english');

-- memory does not grow with the number of pages
CREATE TABLE large (id integer, title text, filler text DEFAULT repeat('x', 3000));
ALTER TABLE large ALTER filler SET STORAGE PLAIN;
INSERT INTO large SELECT n, 'cats' FROM generate_series(1, 4000) n;
CREATE TABLE memory (id integer, contexts bigint);
CREATE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_enable.memory SELECT NEW.id, count(*) FROM pg_backend_memory_contexts;
    RETURN NEW;
END $$;
CREATE TRIGGER measure BEFORE UPDATE ON large FOR EACH ROW WHEN (NEW.id IN (500, 4000)) EXECUTE FUNCTION measure();
CALL steward.search_enable('large', '{title}', 'english');
SELECT max(contexts) - min(contexts) < 30 AS flat FROM memory;

RESET client_min_messages;
SET client_min_messages = warning;
DROP SCHEMA search_enable CASCADE;
DROP ROLE regress_search_member, regress_search_table_owner, regress_search_other;
