-- Which changes become events, with what in them, in what order, and which vanish.
SET client_min_messages = error;

CREATE SCHEMA audit_rows;

-- What the log has of one table; transactions are numbered from 1.
CREATE FUNCTION audit_rows.log(wanted name)
RETURNS TABLE (tx bigint, record_id text, operation text, old_values jsonb, new_values jsonb)
LANGUAGE sql AS $$
SELECT dense_rank() OVER (ORDER BY l.transaction_id), l.record_id, l.operation, l.old_values, l.new_values
  FROM steward.audit_log l
 WHERE l.table_schema = 'audit_rows' AND l.table_name = wanted
 ORDER BY l.transaction_id, l.seq
$$;

--
-- One row at a time
--

CREATE TABLE audit_rows.plain (id integer PRIMARY KEY, a text, b integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.plain'); END $$;

INSERT INTO audit_rows.plain VALUES (1, 'one', 1), (2, 'two', NULL);
UPDATE audit_rows.plain SET a = 'uno' WHERE id = 1;
UPDATE audit_rows.plain SET a = 'uno', b = b WHERE id = 1;
UPDATE audit_rows.plain SET a = NULL, b = 7 WHERE id = 2;
UPDATE audit_rows.plain SET b = NULL WHERE id = 2;
UPDATE audit_rows.plain SET id = 3 WHERE id = 2;
UPDATE audit_rows.plain SET a = 'nobody' WHERE id = 99;
DELETE FROM audit_rows.plain WHERE id = 1;
DELETE FROM audit_rows.plain WHERE id = 99;
TRUNCATE audit_rows.plain;
TRUNCATE audit_rows.plain;
SELECT * FROM audit_rows.log('plain');

-- an UPDATE that changes nothing takes no part in the numbering
BEGIN;
INSERT INTO audit_rows.plain VALUES (1, 'one', 1);
UPDATE audit_rows.plain SET a = a;
UPDATE audit_rows.plain SET b = 2;
COMMIT;
SELECT seq, operation FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND table_name = 'plain'
 ORDER BY transaction_id DESC, seq LIMIT 2;

-- changed_columns names what an UPDATE changed, whatever the values compare like
CREATE TABLE audit_rows.equal (id integer PRIMARY KEY, n numeric, f float8, j jsonb);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.equal', capture => 'full'); END $$;
INSERT INTO audit_rows.equal VALUES (1, 1.0, 0, '{"a": 1.0}');
UPDATE audit_rows.equal SET n = 1.00;
UPDATE audit_rows.equal SET j = '{"a": 1.00}';
SELECT operation, new_values, changed_columns FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND table_name = 'equal' ORDER BY transaction_id, seq;

--
-- What is kept
--

CREATE TABLE audit_rows.excluded (id integer PRIMARY KEY, a text, seen timestamptz, "Hits, all" integer);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.excluded', exclude => '{seen,"Hits, all"}'); END $$;
INSERT INTO audit_rows.excluded VALUES (1, 'a', now(), 1);
UPDATE audit_rows.excluded SET seen = now() + '1 s', "Hits, all" = 2;
UPDATE audit_rows.excluded SET seen = now() + '2 s', a = 'b';
DELETE FROM audit_rows.excluded;
SELECT * FROM audit_rows.log('excluded');

CREATE TABLE audit_rows.included (id integer PRIMARY KEY, a text, b text, c text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.included', include => '{b}'); END $$;
INSERT INTO audit_rows.included VALUES (1, 'a', 'b', 'c');
UPDATE audit_rows.included SET a = 'A';
UPDATE audit_rows.included SET a = 'a', b = 'B';
DELETE FROM audit_rows.included;
SELECT * FROM audit_rows.log('included');

CREATE TABLE audit_rows.whole (id integer PRIMARY KEY, a text, b text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.whole', capture => 'full', exclude => '{b}'); END $$;
INSERT INTO audit_rows.whole VALUES (1, 'a', 'b');
UPDATE audit_rows.whole SET b = 'B';
UPDATE audit_rows.whole SET a = 'A';
UPDATE audit_rows.whole SET id = 2;
DELETE FROM audit_rows.whole;
SELECT * FROM audit_rows.log('whole');
SELECT changed_columns FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND table_name = 'whole' AND operation = 'UPDATE' ORDER BY transaction_id, seq;

CREATE TABLE audit_rows.keyed (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.keyed', capture => 'key'); END $$;
INSERT INTO audit_rows.keyed VALUES (1, 'a');
UPDATE audit_rows.keyed SET a = 'a';
UPDATE audit_rows.keyed SET a = 'A';
UPDATE audit_rows.keyed SET id = 2;
DELETE FROM audit_rows.keyed;
SELECT * FROM audit_rows.log('keyed');

-- equal values have equal hashes, and hashes give nothing away
SET steward.audit_redaction_key = 'regress secret';
CREATE TABLE audit_rows.redacted (id integer PRIMARY KEY, pin integer, note text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.redacted', redact => '{pin,note}'); END $$;
INSERT INTO audit_rows.redacted VALUES (1, 1234, '1234'), (2, 1234, NULL);
UPDATE audit_rows.redacted SET pin = 1234;
UPDATE audit_rows.redacted SET pin = 4321 WHERE id = 1;
UPDATE audit_rows.redacted SET pin = 1234 WHERE id = 1;
SELECT record_id, operation, old_values ->> 'pin' = hash AS old_pin, new_values ->> 'pin' = hash AS new_pin,
       new_values ->> 'note' = hash AS note
  FROM audit_rows.log('redacted'),
       (SELECT new_values ->> 'pin' AS hash FROM audit_rows.log('redacted') LIMIT 1) AS h;
SELECT count(*) FROM audit_rows.log('redacted') WHERE old_values::text || new_values::text ~ '(1234|4321)"';

--
-- Statements of many rows
--

CREATE TABLE audit_rows.many (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.many'); END $$;

COPY audit_rows.many FROM stdin;
1	one
2	two
3	\N
\.
INSERT INTO audit_rows.many VALUES (3, 'three'), (4, 'four') ON CONFLICT DO NOTHING;
INSERT INTO audit_rows.many VALUES (3, 'three'), (4, 'four'), (5, 'five')
    ON CONFLICT (id) DO UPDATE SET a = excluded.a;
INSERT INTO audit_rows.many VALUES (1, 'never')
    ON CONFLICT (id) DO UPDATE SET a = excluded.a WHERE false;
MERGE INTO audit_rows.many m
USING (VALUES (1, 'uno'), (2, NULL), (6, 'six'), (5, 'five')) AS s (id, a) ON m.id = s.id
 WHEN MATCHED AND s.a IS NULL THEN DELETE
 WHEN MATCHED AND s.id = 5 THEN DO NOTHING
 WHEN MATCHED THEN UPDATE SET a = s.a
 WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.a);
WITH gone AS (DELETE FROM audit_rows.many WHERE id > 4 RETURNING id),
     came AS (INSERT INTO audit_rows.many SELECT id + 100, 'moved' FROM gone RETURNING id),
     changed AS (UPDATE audit_rows.many SET a = a || '!' WHERE id = 1 RETURNING id)
SELECT * FROM gone UNION ALL SELECT * FROM came UNION ALL SELECT * FROM changed ORDER BY 1;
SELECT * FROM audit_rows.log('many') ORDER BY tx, operation, record_id::integer;
INSERT INTO audit_rows.many VALUES (7, 'seven') RETURNING *;

-- more rows than are written at once, and rows of unequal size
CREATE TABLE audit_rows.lots (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.lots'); END $$;
INSERT INTO audit_rows.lots SELECT n, repeat('x', n % 700) FROM generate_series(1, 3500) n;
UPDATE audit_rows.lots SET a = a || 'y' WHERE id % 2 = 0;
DELETE FROM audit_rows.lots WHERE id % 7 = 0;
SELECT operation, count(*), count(DISTINCT record_id) AS rows, min(seq), max(seq),
       count(*) FILTER (WHERE new_values ->> 'a' = CASE operation WHEN 'INSERT' THEN repeat('x', record_id::integer % 700)
                                                    ELSE old_values ->> 'a' || 'y' END) AS as_written
  FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'lots'
 GROUP BY transaction_id, operation ORDER BY transaction_id;
-- the indexes have every event
SET enable_seqscan = off;
SELECT count(*) AS found_by_index FROM audit_rows.lots, steward.audit_history('audit_rows.lots', id) WHERE id BETWEEN 1000 AND 1020;
RESET enable_seqscan;

--
-- Foreign keys that act
--

CREATE TABLE audit_rows.parent (id integer PRIMARY KEY);
CREATE TABLE audit_rows.child (
    id   integer PRIMARY KEY,
    gone integer REFERENCES audit_rows.parent ON DELETE CASCADE ON UPDATE CASCADE,
    lost integer REFERENCES audit_rows.parent ON DELETE SET NULL,
    back integer DEFAULT 0 REFERENCES audit_rows.parent ON DELETE SET DEFAULT);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.parent'), steward.audit_enable('audit_rows.child'); END $$;
INSERT INTO audit_rows.parent VALUES (0), (1), (2);
INSERT INTO audit_rows.child VALUES (1, 1, NULL, NULL), (2, NULL, 2, NULL), (3, NULL, NULL, 2), (4, 2, NULL, NULL);
UPDATE audit_rows.parent SET id = 10 WHERE id = 1;
DELETE FROM audit_rows.parent WHERE id = 2;
SELECT table_name, operation, record_id, old_values, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND table_name IN ('parent', 'child') AND operation <> 'INSERT'
 ORDER BY transaction_id, seq;

--
-- Deferred constraints and deferred capture
--

CREATE TABLE audit_rows.deferred (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, a text);
CREATE CONSTRAINT TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON audit_rows.deferred
 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
BEGIN;
INSERT INTO audit_rows.deferred VALUES (1, 'a'), (2, 'b');
UPDATE audit_rows.deferred SET id = 3 - id;
SELECT count(*) AS before_commit FROM audit_rows.log('deferred');
SAVEPOINT s;
DELETE FROM audit_rows.deferred;
ROLLBACK TO s;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT count(*) AS when_set_immediate FROM audit_rows.log('deferred');
SET CONSTRAINTS ALL DEFERRED;
SAVEPOINT s;
UPDATE audit_rows.deferred SET a = 'c' WHERE id = 1;
RELEASE s;
COMMIT;
SELECT * FROM audit_rows.log('deferred');
-- a commit that fails leaves nothing
BEGIN;
INSERT INTO audit_rows.deferred VALUES (4, 'd'), (4, 'e');
COMMIT;
SELECT count(*) FROM audit_rows.log('deferred');
-- a deferred trigger that fires audit triggers of its own
CREATE FUNCTION audit_rows.note_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        INSERT INTO audit_rows.many VALUES (1000 + NEW.id, 'rolled back');
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO audit_rows.many VALUES (1000 + NEW.id, 'kept');
    END;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER note AFTER INSERT ON audit_rows.deferred
 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_rows.note_later();
BEGIN;
INSERT INTO audit_rows.deferred VALUES (5, 'e'), (6, 'f');
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
SELECT table_name, operation, new_values FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND new_values ->> 'id' IN ('5', '6', '1005', '1006') AND table_name IN ('deferred', 'many')
   AND transaction_id = (SELECT max(transaction_id) FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'deferred')
 ORDER BY transaction_id, seq;

--
-- Many changes of a row in one transaction
--

CREATE TABLE audit_rows.busy (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.busy'); END $$;
BEGIN;
INSERT INTO audit_rows.busy VALUES (1, 'a');
UPDATE audit_rows.busy SET a = 'b';
UPDATE audit_rows.busy SET a = 'a';
DELETE FROM audit_rows.busy;
INSERT INTO audit_rows.busy VALUES (1, 'again');
DELETE FROM audit_rows.busy;
COMMIT;
SELECT * FROM audit_rows.log('busy');
DO $$
BEGIN
    INSERT INTO audit_rows.busy VALUES (2, 'v0');
    FOR i IN 1..3 LOOP
        UPDATE audit_rows.busy SET a = 'v' || i WHERE id = 2;
    END LOOP;
END $$;
SELECT operation, old_values, new_values FROM audit_rows.log('busy') WHERE record_id = '2';
BEGIN;
INSERT INTO audit_rows.busy VALUES (3, 'never');
ROLLBACK;
SELECT count(*) FROM audit_rows.log('busy') WHERE record_id = '3';

--
-- Savepoints
--

CREATE TABLE audit_rows.saved (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.saved'); END $$;

BEGIN;
INSERT INTO audit_rows.saved VALUES (1, 'kept');
SAVEPOINT a;
INSERT INTO audit_rows.saved VALUES (2, 'lost');
SAVEPOINT b;
INSERT INTO audit_rows.saved VALUES (3, 'lost');
RELEASE b;
ROLLBACK TO a;
INSERT INTO audit_rows.saved VALUES (4, 'kept');
SAVEPOINT b;
INSERT INTO audit_rows.saved VALUES (5, 'kept');
RELEASE b;
SAVEPOINT c;
INSERT INTO audit_rows.saved VALUES (6, 'lost');
ROLLBACK TO c;
INSERT INTO audit_rows.saved VALUES (1, 'an error');
ROLLBACK TO c;
INSERT INTO audit_rows.saved VALUES (7, 'kept');
SELECT record_id FROM audit_rows.log('saved');
COMMIT;
SELECT tx, record_id, new_values ->> 'a' AS a FROM audit_rows.log('saved');

-- exception blocks, in each other, before and after rows that stay
DO $$
BEGIN
    INSERT INTO audit_rows.saved VALUES (11, 'kept');
    BEGIN
        INSERT INTO audit_rows.saved VALUES (12, 'lost');
        BEGIN
            INSERT INTO audit_rows.saved VALUES (13, 'lost with its parent');
            BEGIN
                INSERT INTO audit_rows.saved VALUES (14, 'lost');
                RAISE EXCEPTION 'inner';
            EXCEPTION WHEN raise_exception THEN
                INSERT INTO audit_rows.saved VALUES (15, 'lost with its grandparent');
            END;
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO audit_rows.saved VALUES (16, 'kept');
    END;
    BEGIN
        INSERT INTO audit_rows.saved VALUES (17, 'kept');
    EXCEPTION WHEN division_by_zero THEN
        NULL;
    END;
    INSERT INTO audit_rows.saved VALUES (18, 'kept');
    -- fails in the middle of a statement of which rows are captured already
    BEGIN
        INSERT INTO audit_rows.saved SELECT n, 'lost' FROM generate_series(20, 3000) n UNION ALL SELECT 18, 'conflict';
    EXCEPTION WHEN unique_violation THEN
        INSERT INTO audit_rows.saved VALUES (19, 'kept');
    END;
END $$;
SELECT tx, record_id, new_values ->> 'a' AS a FROM audit_rows.log('saved') WHERE record_id::integer > 10;

-- a trigger of an audited table that catches errors between two rows of one statement
CREATE TABLE audit_rows.catcher (id integer PRIMARY KEY, a text);
CREATE FUNCTION audit_rows.try_and_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        INSERT INTO audit_rows.saved VALUES (10000 + NEW.id, 'tried');
        PERFORM 1 / (NEW.id % 2);
        UPDATE audit_rows.saved SET a = 'kept' WHERE id = 10000 + NEW.id;
    EXCEPTION WHEN division_by_zero THEN
        INSERT INTO audit_rows.saved VALUES (20000 + NEW.id, 'kept');
    END;
    RETURN NULL;
END $$;
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.catcher'); END $$;
CREATE TRIGGER before_audit AFTER INSERT ON audit_rows.catcher FOR EACH ROW EXECUTE FUNCTION audit_rows.try_and_fail();
INSERT INTO audit_rows.catcher VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
SELECT table_name, record_id, operation, new_values ->> 'a' AS a,
       row_number() OVER (ORDER BY seq) = row_number() OVER (ORDER BY created_at, seq) AS in_order
  FROM steward.audit_log
 WHERE table_schema = 'audit_rows'
   AND transaction_id = (SELECT transaction_id FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'catcher' LIMIT 1)
 ORDER BY seq;
-- the same, where the whole statement is inside a block that fails, and again
TRUNCATE audit_rows.saved, audit_rows.catcher;
DO $$
BEGIN
    FOR attempt IN 1..2 LOOP
        BEGIN
            INSERT INTO audit_rows.catcher VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd');
            PERFORM 1 / (attempt - 1);
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
    END LOOP;
END $$;
SELECT table_name, record_id, operation, new_values ->> 'a' AS a
  FROM steward.audit_log
 WHERE table_schema = 'audit_rows'
   AND transaction_id = (SELECT max(transaction_id) FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'catcher')
 ORDER BY seq;

-- a function with an exception block in the select list of an audited INSERT
CREATE FUNCTION audit_rows.risky(n integer) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_rows.saved VALUES (30000 + n, 'tried');
    PERFORM 1 / (n % 2);
    RETURN 'fine';
EXCEPTION WHEN division_by_zero THEN
    RETURN 'failed';
END $$;
INSERT INTO audit_rows.catcher SELECT n, audit_rows.risky(n) FROM generate_series(5, 8) n;
SELECT table_name, record_id, new_values ->> 'a' AS a FROM steward.audit_log
 WHERE table_schema = 'audit_rows'
   AND transaction_id = (SELECT max(transaction_id) FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'catcher')
 ORDER BY seq;

-- COPY inside a block that fails, and one that does not
DO $$
BEGIN
    BEGIN
        COPY audit_rows.saved FROM PROGRAM 'for i in 1 2 3; do echo "4000$i	lost"; done; echo "x	error"';
    EXCEPTION WHEN invalid_text_representation THEN
        COPY audit_rows.saved FROM PROGRAM 'for i in 4 5; do echo "4000$i	kept"; done';
    END;
END $$;
SELECT tx = 1 AS one, record_id, new_values ->> 'a' AS a
  FROM (SELECT dense_rank() OVER (ORDER BY tx) AS tx, record_id, new_values FROM audit_rows.log('saved') WHERE record_id::integer > 40000) l;

-- TRUNCATE in a savepoint
BEGIN;
SAVEPOINT s;
TRUNCATE audit_rows.catcher;
ROLLBACK TO s;
TRUNCATE audit_rows.catcher;
SELECT count(*) AS seen_at_once FROM audit_rows.log('catcher') WHERE operation = 'TRUNCATE';
COMMIT;
SELECT count(*) FROM audit_rows.log('catcher') WHERE operation = 'TRUNCATE';
DO $$
BEGIN
    BEGIN
        TRUNCATE audit_rows.catcher;
        RAISE EXCEPTION 'no';
    EXCEPTION WHEN raise_exception THEN
        NULL;
    END;
END $$;
SELECT count(*) FROM audit_rows.log('catcher') WHERE operation = 'TRUNCATE';

--
-- Procedures that commit, cursors, prepared statements
--

CREATE TABLE audit_rows.steps (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.steps'); END $$;
CREATE PROCEDURE audit_rows.walk() LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1..6 LOOP
        INSERT INTO audit_rows.steps VALUES (i, 'step'), (i + 100, 'step');
        IF i % 3 = 0 THEN
            ROLLBACK;
        ELSE
            COMMIT;
        END IF;
    END LOOP;
END $$;
CALL audit_rows.walk();
SELECT tx, record_id FROM audit_rows.log('steps');
SELECT min(seq), max(seq) FROM steward.audit_log
 WHERE table_schema = 'audit_rows' AND table_name = 'steps' GROUP BY transaction_id;
DO $$
DECLARE
    c CURSOR FOR SELECT * FROM audit_rows.steps ORDER BY id FOR UPDATE;
BEGIN
    FOR r IN c LOOP
        IF r.id < 100 THEN
            UPDATE audit_rows.steps SET a = 'cursor' WHERE CURRENT OF c;
        ELSE
            DELETE FROM audit_rows.steps WHERE CURRENT OF c;
        END IF;
    END LOOP;
END $$;
SELECT operation, record_id, new_values FROM audit_rows.log('steps') WHERE operation <> 'INSERT';
DO $$
DECLARE
    r record;
BEGIN
    FOR r IN UPDATE audit_rows.steps SET a = 'loop' RETURNING id LOOP
        INSERT INTO audit_rows.steps VALUES (r.id + 200, 'in the loop');
    END LOOP;
END $$;
SELECT operation, record_id, new_values FROM audit_rows.log('steps') WHERE new_values ->> 'a' LIKE '%loop';
PREPARE put (integer, text) AS INSERT INTO audit_rows.steps VALUES ($1, $2);
EXECUTE put (300, 'prepared');
BEGIN;
EXECUTE put (301, 'rolled back');
ROLLBACK;
EXECUTE put (302, 'prepared');
DEALLOCATE put;
SELECT record_id FROM audit_rows.log('steps') WHERE record_id::integer >= 300;

--
-- Who fires the trigger does not matter
--

CREATE ROLE regress_audit_clerk;
GRANT USAGE ON SCHEMA audit_rows TO regress_audit_clerk;
CREATE TABLE audit_rows.vault (id integer PRIMARY KEY, a text);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.vault'); END $$;
CREATE FUNCTION audit_rows.deposit(integer, text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$ INSERT INTO audit_rows.vault VALUES ($1, $2) $$;
SET ROLE regress_audit_clerk;
INSERT INTO audit_rows.vault VALUES (1, 'directly');
SELECT audit_rows.deposit(2, 'as the definer');
RESET ROLE;
GRANT SELECT, INSERT ON audit_rows.vault TO regress_audit_clerk;
SET ROLE regress_audit_clerk;
INSERT INTO audit_rows.vault VALUES (3, 'granted');
RESET ROLE;
-- replication does not silence it
SET session_replication_role = replica;
INSERT INTO audit_rows.vault VALUES (4, 'replica');
TRUNCATE audit_rows.vault;
RESET session_replication_role;
SELECT operation, changed_by = session_user AS by_session_user, changed_by = 'regress_audit_clerk' AS by_clerk, new_values
  FROM steward.audit_log WHERE table_schema = 'audit_rows' AND table_name = 'vault' ORDER BY transaction_id, seq;
-- unless it was asked not to resist
CREATE TABLE audit_rows.silent (id integer PRIMARY KEY);
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.silent', always => false); END $$;
SET session_replication_role = replica;
INSERT INTO audit_rows.silent VALUES (1);
RESET session_replication_role;
INSERT INTO audit_rows.silent VALUES (2);
SELECT record_id FROM audit_rows.log('silent');

--
-- Triggers beside it
--

-- what a BEFORE trigger changes or prevents is what the log says
CREATE TABLE audit_rows.shaped (id integer PRIMARY KEY, a text, b text GENERATED ALWAYS AS (upper(a)) STORED);
CREATE FUNCTION audit_rows.shape() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.a = 'no' THEN
        RETURN NULL;
    END IF;
    NEW.a := NEW.a || '.';
    RETURN NEW;
END $$;
CREATE TRIGGER shape BEFORE INSERT OR UPDATE ON audit_rows.shaped FOR EACH ROW EXECUTE FUNCTION audit_rows.shape();
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.shaped'); END $$;
INSERT INTO audit_rows.shaped VALUES (1, 'yes'), (2, 'no');
UPDATE audit_rows.shaped SET a = 'no';
UPDATE audit_rows.shaped SET a = 'well';
SELECT * FROM audit_rows.log('shaped');

-- triggers that read the log: the events of a statement are there when it ends
CREATE TABLE audit_rows.watched (id integer PRIMARY KEY);
CREATE TABLE audit_rows.sightings (place integer GENERATED ALWAYS AS IDENTITY, seen_by text, events bigint);
CREATE FUNCTION audit_rows.look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_rows.sightings (seen_by, events)
    SELECT TG_NAME, count(*) FROM audit_rows.log('watched');
    RETURN NULL;
END $$;
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.watched'); END $$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON audit_rows.watched
 DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_rows.look();
BEGIN;
INSERT INTO audit_rows.watched VALUES (1);
SELECT count(*) AS next_statement FROM audit_rows.log('watched');
INSERT INTO audit_rows.watched VALUES (2);
COMMIT;
SELECT seen_by, events FROM audit_rows.sightings ORDER BY place;

-- a condition, a list of columns
CREATE TABLE audit_rows.narrow (id integer PRIMARY KEY, a text, b text);
CREATE TRIGGER audit_some AFTER UPDATE OF a ON audit_rows.narrow
 FOR EACH ROW WHEN (OLD.id > 1) EXECUTE FUNCTION steward.audit_trigger();
CREATE TRIGGER audit_gone AFTER DELETE ON audit_rows.narrow
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('capture=key');
INSERT INTO audit_rows.narrow VALUES (1, 'a', 'a'), (2, 'b', 'b');
UPDATE audit_rows.narrow SET a = upper(a), b = upper(b);
UPDATE audit_rows.narrow SET b = 'c';
DELETE FROM audit_rows.narrow;
SELECT * FROM audit_rows.log('narrow');

-- two on one table, with arguments of their own
CREATE TABLE audit_rows.twice (id integer PRIMARY KEY, a text, b text);
CREATE TRIGGER audit_a AFTER INSERT OR UPDATE OR DELETE ON audit_rows.twice
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=b');
CREATE TRIGGER audit_b AFTER INSERT OR UPDATE OR DELETE ON audit_rows.twice
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('include=b');
INSERT INTO audit_rows.twice VALUES (1, 'a', 'b'), (2, 'a', 'b');
UPDATE audit_rows.twice SET a = 'A', b = 'B' WHERE id = 1;
UPDATE audit_rows.twice SET b = 'B' WHERE id = 2;
SELECT * FROM audit_rows.log('twice');

-- an audited table that a trigger of an audited table changes, and itself
CREATE TABLE audit_rows.counter (id integer PRIMARY KEY, changes integer);
CREATE FUNCTION audit_rows.count_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit_rows.counter SET changes = changes + 1 WHERE id = NEW.id - 1;
    RETURN NULL;
END $$;
DO $$ BEGIN PERFORM steward.audit_enable('audit_rows.counter'); END $$;
CREATE TRIGGER count_up AFTER UPDATE ON audit_rows.counter FOR EACH ROW EXECUTE FUNCTION audit_rows.count_up();
INSERT INTO audit_rows.counter SELECT n, 0 FROM generate_series(1, 4) n;
UPDATE audit_rows.counter SET changes = changes + 1 WHERE id = 4;
SELECT record_id, old_values, new_values FROM audit_rows.log('counter') WHERE operation = 'UPDATE';

--
-- All of it
--

-- no event lacks a context or a table, none shares its number with another
SELECT count(*) > 0 AS events,
       count(*) = count(DISTINCT (transaction_id, seq)) AS numbered,
       count(*) = count(changed_by) AS who,
       bool_and(created_at <= clock_timestamp()) AS clock
  FROM steward.audit_log WHERE table_schema = 'audit_rows';
-- numbers grow with time
SELECT count(*) FROM (
    SELECT created_at < lag(created_at) OVER (PARTITION BY transaction_id ORDER BY seq) AS back
      FROM steward.audit_log WHERE table_schema = 'audit_rows') o WHERE back;

DROP SCHEMA audit_rows CASCADE;
DROP ROLE regress_audit_clerk;
