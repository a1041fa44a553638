-- The log has the changes of a row in the order in which they were made, whatever triggers stand beside ours, and a
-- transaction's events are there for whoever reads the log in it.
CREATE SCHEMA audit_order;
SET search_path = audit_order, public;
CREATE VIEW log AS
  SELECT table_name, operation, record_id, CASE table_schema WHEN 'audit_order' THEN record_id::integer END AS id,
         old_values, new_values, seq
    FROM steward.audit_log WHERE table_schema = 'audit_order' ORDER BY transaction_id, seq;
CREATE TABLE orders (id integer PRIMARY KEY, amount integer, total integer);
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('orders');

-- a trigger that fires first changes the row once more, for one row and for many, by UPDATE, a new key and DELETE
CREATE FUNCTION recalc() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.amount = 0 THEN
    DELETE FROM orders WHERE id = NEW.id;
  ELSIF NEW.amount < 0 THEN
    UPDATE orders SET id = id + 100, amount = -amount WHERE id = NEW.id;
  ELSE
    UPDATE orders SET total = amount * 10 WHERE id = NEW.id AND total IS DISTINCT FROM amount * 10;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER recalc AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION recalc();
INSERT INTO orders VALUES (1, 5);
INSERT INTO orders VALUES (2, -6), (3, 0);
UPDATE orders SET amount = 7 WHERE id = 1;
SELECT operation, record_id, old_values, new_values FROM log;
SELECT operation, old_values, new_values FROM steward.audit_history('orders', 1);
-- many rows: each row's INSERT comes before its UPDATE, wherever a batch ends
BEGIN;
INSERT INTO orders VALUES (5, NULL);
INSERT INTO orders SELECT i, 1 FROM generate_series(1001, 4000) i;
COMMIT;
SELECT count(*) AS rows, count(*) FILTER (WHERE operations = '{INSERT,UPDATE}') AS right_order
  FROM (SELECT array_agg(operation ORDER BY seq) AS operations FROM log WHERE id BETWEEN 1001 AND 4000 GROUP BY id) AS r;
SELECT count(*) AS back_in_time
  FROM (SELECT created_at < lag(created_at) OVER (PARTITION BY transaction_id ORDER BY seq) AS back
          FROM steward.audit_log WHERE table_schema = 'audit_order') AS e WHERE back;

-- what a BEFORE trigger writes elsewhere stays before what it was written for
CREATE TABLE parents (id integer PRIMARY KEY);
CREATE TABLE children (id integer PRIMARY KEY, parent_id integer REFERENCES parents);
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('parents');
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('children');
CREATE FUNCTION make_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO parents VALUES (NEW.parent_id);
  RETURN NEW;
END $$;
CREATE TRIGGER make_parent BEFORE INSERT ON children FOR EACH ROW EXECUTE FUNCTION make_parent();
INSERT INTO children VALUES (1, 10), (2, 20);
SELECT table_name, record_id FROM log WHERE table_name IN ('parents', 'children');

-- readers in the transaction: a query, a function, a savepoint that is rolled back afterwards, COPY, a cursor
CREATE TABLE notes (id integer PRIMARY KEY, note text);
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('notes');
CREATE FUNCTION events_of_notes() RETURNS bigint STABLE LANGUAGE sql AS $$
  SELECT count(*) FROM steward.audit_log WHERE table_schema = 'audit_order' AND table_name = 'notes' $$;
BEGIN;
INSERT INTO notes VALUES (1, 'one');
SELECT events_of_notes();
DECLARE before CURSOR FOR SELECT record_id FROM log WHERE table_name = 'notes';
INSERT INTO notes VALUES (2, 'two');
SELECT events_of_notes();
SAVEPOINT a;
INSERT INTO notes VALUES (3, 'three');
SELECT events_of_notes();
UPDATE notes SET note = 'x' RETURNING id, events_of_notes();
ROLLBACK TO a;
SELECT events_of_notes();
INSERT INTO notes VALUES (4, 'four');
SAVEPOINT b;
SELECT events_of_notes();
SAVEPOINT c;
INSERT INTO notes VALUES (5, 'five');
SELECT events_of_notes();
RELEASE b;
SELECT events_of_notes();
FETCH ALL FROM before;
INSERT INTO notes VALUES (6, 'six');
COPY (SELECT record_id, note FROM (SELECT record_id, new_values ->> 'note' AS note FROM log WHERE table_name = 'notes') AS n) TO STDOUT;
COMMIT;
SELECT operation, record_id FROM log WHERE table_name = 'notes';

-- written for a reader in a savepoint, lost with it, and written again
BEGIN;
INSERT INTO notes VALUES (7, 'seven');
SAVEPOINT a;
SAVEPOINT b;
SELECT events_of_notes();
RELEASE b;
SELECT events_of_notes();
ROLLBACK TO a;
SELECT events_of_notes();
ROLLBACK TO a;
COMMIT;
SELECT events_of_notes(), count(DISTINCT seq) FROM steward.audit_log WHERE table_name = 'notes' AND record_id = '7';

-- exceptions in a loop, more than a batch holds
DO $$
BEGIN
  FOR i IN 1001..5000 LOOP
    BEGIN
      INSERT INTO notes VALUES (i, 'kept');
      IF i % 2 = 0 THEN
        RAISE EXCEPTION 'not kept';
      END IF;
    EXCEPTION WHEN raise_exception THEN
      INSERT INTO notes VALUES (-i, 'instead');
    END;
  END LOOP;
END $$;
SELECT count(*) AS rows, (SELECT count(*) FROM log l WHERE table_name = 'notes' AND abs(l.id) > 1000) AS events,
       (SELECT count(*) FROM log l WHERE table_name = 'notes' AND abs(l.id) > 1000
           AND NOT EXISTS (SELECT FROM notes n WHERE n.id = l.id)) AS of_no_row
  FROM notes WHERE abs(id) > 1000;

-- savepoints within savepoints, more than a batch holds, of which the inner half is rolled back
BEGIN;
SELECT format('SAVEPOINT s%s', i), format('INSERT INTO notes VALUES (%s, %L)', i + 10000, 'deep') FROM generate_series(1, 1500) i \gexec
ROLLBACK TO s751;
INSERT INTO notes SELECT i + 20000, 'wide' FROM generate_series(1, 2500) i;
COMMIT;
SELECT note, count(*) AS rows, (SELECT count(*) FROM log WHERE table_name = 'notes' AND new_values ->> 'note' = note) AS events
  FROM notes WHERE id > 10000 GROUP BY note ORDER BY note;

-- a batch that a savepoint fills leaves the order of what came before it to be made
BEGIN;
INSERT INTO orders VALUES (5001, 1);
SAVEPOINT a;
INSERT INTO notes SELECT i + 50000, 'filling' FROM generate_series(1, 1500) i;
RELEASE a;
COMMIT;
SELECT operation FROM log WHERE table_name = 'orders' AND id = 5001;

-- deferred triggers write at the end
CREATE FUNCTION write_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO notes VALUES (30000 + NEW.id, 'deferred');
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER write_note AFTER INSERT ON parents DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION write_note();
BEGIN;
INSERT INTO parents VALUES (30);
COMMIT;
SELECT table_name, record_id FROM log WHERE record_id IN ('30', '30030');

-- an error while events are written at the end undoes the changes too
CREATE FUNCTION refuse_lost(new_values jsonb) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF new_values ->> 'note' = 'lost' THEN
    RAISE EXCEPTION 'cannot be written';
  END IF;
  RETURN '';
END $$;
CREATE INDEX refuse_lost ON steward.audit_events (audit_order.refuse_lost(new_values));
BEGIN;
INSERT INTO notes VALUES (40000, 'lost');
\set VERBOSITY terse
COMMIT;
\set VERBOSITY default
DROP INDEX steward.refuse_lost;
SELECT count(*) FROM notes WHERE id = 40000;
SELECT count(*) FROM log WHERE record_id = '40000';
SET client_min_messages = warning;
SET search_path = '';
DROP SCHEMA audit_order CASCADE;
