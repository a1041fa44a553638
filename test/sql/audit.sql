-- The audit module: the example of its page, then each error, word by word,
-- with the hint followed.
SET client_min_messages = error;
\set SHOW_CONTEXT never

--
-- The first example of doc/audit.md, as it stands there
--

SET search_path = public;
CREATE TABLE orders (
    id            bigint PRIMARY KEY,
    status        text NOT NULL DEFAULT 'pending',
    total         numeric(10, 2) NOT NULL,
    card_number   text,
    search_vector tsvector
);
SET steward.audit_redaction_key = 'a long random secret';  -- see Redaction
SELECT steward.audit_enable('orders', exclude => '{search_vector}', redact => '{card_number}');

INSERT INTO orders (id, total, card_number) VALUES (42, 99.90, '4111 1111 1111 1111');
UPDATE orders SET status = 'completed' WHERE id = 42;
DELETE FROM orders WHERE id = 42;

SELECT operation, record_id, old_values, new_values, changed_columns
  FROM steward.audit_log
 WHERE table_name = 'orders'
 ORDER BY created_at, seq;

DROP TABLE orders;
RESET search_path;

CREATE SCHEMA shop;
SET steward.audit_redaction_key = 'regress secret';

--
-- What an application does
--

CREATE TABLE shop.orders (
    id            bigint PRIMARY KEY,
    customer      text NOT NULL,
    total         numeric(10,2),
    card_number   text,
    search_vector tsvector
);
SELECT steward.audit_enable('shop.orders', exclude => '{search_vector}', redact => '{card_number}');

INSERT INTO shop.orders VALUES (42, 'Ada', 19.90, '4111 1111 1111 1111', 'ada');
UPDATE shop.orders SET total = 24.90 WHERE id = 42;
UPDATE shop.orders SET search_vector = 'ada:1A';
BEGIN;
SET LOCAL app.current_user_id = '7';
SET LOCAL app.tenant_id = 'acme';
SET LOCAL app.client_ip = '203.0.113.9';
SET LOCAL steward.context = '{"request_id": "r1"}';
DELETE FROM shop.orders;
COMMIT;
TRUNCATE shop.orders;

SELECT record_id, operation, old_values, new_values, changed_columns
  FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'orders' ORDER BY transaction_id, seq;
SELECT operation, changed_by = session_user AS changed_by, user_id, tenant_id, ip_address, context,
       created_at BETWEEN now() - interval '1 hour' AND now() AS created_at
  FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'orders' ORDER BY transaction_id, seq;
-- the keyed hash is the one that "openssl dgst -sha256 -hmac" prints
SELECT DISTINCT new_values ->> 'card_number' = 'hmac:8c8acca867bb8b582464890e1732958209b1a434af8e33bdc7c3586a3eba380d' AS hash
  FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'orders' AND operation = 'INSERT';
SELECT operation, old_values - 'card_number' AS old_values, new_values - 'card_number' AS new_values
  FROM steward.audit_history('shop.orders', 42);

-- one column that no two events share
SELECT count(*) = count(DISTINCT event_id) AS unique, bool_and(event_id = e.context_id || '-' || e.transaction_id || '-' || e.seq) AS made_of
  FROM steward.audit_entries e WHERE table_schema = 'shop' AND table_name = 'orders';
SELECT array_agg(event_id) = array_agg((SELECT s.event_id FROM steward.audit_search('shop.orders') s WHERE s.event_id = h.event_id)) AS same
  FROM steward.audit_history('shop.orders', 42) h;
-- a transaction, as programs that know no xid8 ask for it
SELECT count(*) > 0 AS found FROM steward.audit_log l, LATERAL (SELECT l.transaction_id::text::bigint AS id) t
 WHERE table_schema = 'shop' AND table_name = 'orders' AND l.transaction_id = t.id::text::xid8;

-- the view has the columns that people were promised
SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
  FROM pg_attribute WHERE attrelid = 'steward.audit_log'::regclass AND attnum > 0;

--
-- What audit_enable() refuses
--

CREATE TABLE shop.item (sku text PRIMARY KEY, name text, "Unit price" numeric);
\set VERBOSITY default

SELECT steward.audit_enable('shop.item', exclude => '{colour}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', include => '{Name}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', redact => '{ctid}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', exclude => '{name}', redact => '{name}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', exclude => '{name}', include => '{name}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', exclude => '{sku}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', capture => 'all');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', exclude => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', exclude => '{NULL}');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.item', always => NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('shop.nothing');
\echo :LAST_ERROR_SQLSTATE

-- no redaction key; the hint, in a session's form
SET steward.audit_redaction_key = '';
SELECT steward.audit_enable('shop.item', redact => '{name}');
\echo :LAST_ERROR_SQLSTATE
SET steward.audit_redaction_key = 'regress secret';
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.item', redact => '{name}');
-- a table whose values cannot be redacted any more takes no changes
SET steward.audit_redaction_key = '';
INSERT INTO shop.item VALUES ('a', 'apple', 1);
\echo :LAST_ERROR_SQLSTATE
SET steward.audit_redaction_key = 'regress secret';
INSERT INTO shop.item VALUES ('a', 'apple', 1);
SELECT record_id, operation, new_values ->> 'name' LIKE 'hmac:%' AS redacted
  FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'item';

-- what failed left nothing behind, the hint of the excluded key works
SELECT * FROM steward.audit_disable('shop.item') ORDER BY 1;
SELECT * FROM steward.audit_disable('shop.item');
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.item', redact => '{sku}');
SELECT count(*) FROM steward.audit_disable('shop.item');

-- what is not a permanent table of this database
CREATE VIEW shop.cheap AS SELECT * FROM shop.item WHERE "Unit price" < 1;
SELECT steward.audit_enable('shop.cheap');
\echo :LAST_ERROR_SQLSTATE
CREATE MATERIALIZED VIEW shop.dear AS SELECT * FROM shop.item WHERE "Unit price" > 1;
SELECT steward.audit_enable('shop.dear');
\echo :LAST_ERROR_SQLSTATE
CREATE SEQUENCE shop.numbers;
SELECT steward.audit_enable('shop.numbers');
\echo :LAST_ERROR_SQLSTATE
CREATE FOREIGN DATA WRAPPER regress_audit_wrapper;
CREATE SERVER regress_audit_server FOREIGN DATA WRAPPER regress_audit_wrapper;
CREATE FOREIGN TABLE shop.elsewhere (id bigint) SERVER regress_audit_server;
SELECT steward.audit_enable('shop.elsewhere');
\echo :LAST_ERROR_SQLSTATE
DROP FOREIGN DATA WRAPPER regress_audit_wrapper CASCADE;
CREATE TEMPORARY TABLE basket (id bigint PRIMARY KEY);
SELECT steward.audit_enable('basket');
\echo :LAST_ERROR_SQLSTATE
DROP TABLE basket;
SELECT steward.audit_enable('steward.audit_events');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('steward.audit_events_default');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('steward.audit_contexts');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_enable('pg_catalog.pg_class');
\echo :LAST_ERROR_SQLSTATE

-- somebody else's table; the hint works for a member of the owner
CREATE ROLE regress_audit_owner;
CREATE ROLE regress_audit_member;
GRANT regress_audit_owner TO regress_audit_member;
CREATE ROLE regress_audit_other;
GRANT USAGE, CREATE ON SCHEMA shop TO regress_audit_owner, regress_audit_member, regress_audit_other;
GRANT ALL ON shop.item TO regress_audit_other;
ALTER TABLE shop.item OWNER TO regress_audit_owner;
SET ROLE regress_audit_other;
SELECT steward.audit_enable('shop.item');
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_disable('shop.item');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SET SESSION AUTHORIZATION regress_audit_member;
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.item');
SET ROLE regress_audit_owner;
SELECT count(*) AS idempotent FROM steward.audit_enable('shop.item');
SELECT count(*) FROM steward.audit_disable('shop.item');
RESET ROLE;
RESET SESSION AUTHORIZATION;

--
-- Triggers that a migration attached wrongly
--

CREATE TABLE shop.parcel (id integer PRIMARY KEY, "To" text, weight real);

-- unknown option, no option, no value, a list that is none
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('skip=weight');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('weight');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=weight,,"To"');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude="To');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('capture=');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude=To');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
\echo :LAST_ERROR_SQLSTATE
-- the hint: quoted, as in SQL; blanks and capitals elsewhere do not matter
DROP TRIGGER audit ON shop.parcel;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger('exclude= "To" , Weight ', 'capture=full');
INSERT INTO shop.parcel VALUES (1, 'Ada', 1);
UPDATE shop.parcel SET weight = 2;
DROP TRIGGER audit ON shop.parcel;

-- before the change
CREATE TRIGGER audit BEFORE INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
INSERT INTO shop.parcel VALUES (2, 'Bob', 2);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.parcel');
INSERT INTO shop.parcel VALUES (2, 'Bob', 2);
SELECT count(*) FROM steward.audit_disable('shop.parcel');

-- once for the statement
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON shop.parcel
 FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger();
INSERT INTO shop.parcel VALUES (3, 'Cyd', 3);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.parcel');
INSERT INTO shop.parcel VALUES (3, 'Cyd', 3);
SELECT count(*) FROM steward.audit_disable('shop.parcel');

CREATE TRIGGER audit BEFORE TRUNCATE ON shop.parcel
 FOR EACH STATEMENT EXECUTE FUNCTION steward.audit_trigger();
TRUNCATE shop.parcel;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.parcel');
TRUNCATE shop.parcel;
SELECT count(*) FROM steward.audit_disable('shop.parcel');

-- on a view
CREATE VIEW shop.parcels AS SELECT * FROM shop.parcel;
CREATE TRIGGER audit INSTEAD OF INSERT ON shop.parcels
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
INSERT INTO shop.parcels VALUES (4, 'Dan', 4);
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON shop.parcels;
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.parcel');
INSERT INTO shop.parcels VALUES (4, 'Dan', 4);

SELECT record_id, operation, old_values, new_values
  FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'parcel' ORDER BY transaction_id, seq;

-- on the log itself
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON steward.audit_tables
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
SELECT steward_internal.audit_check('steward.audit_tables');
\echo :LAST_ERROR_SQLSTATE
DROP TRIGGER audit ON steward.audit_tables;

-- on a temporary table
CREATE TEMPORARY TABLE basket (id bigint PRIMARY KEY);
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON basket
 FOR EACH ROW EXECUTE FUNCTION steward.audit_trigger();
INSERT INTO basket VALUES (1);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE basket;

-- no trigger at all
SELECT steward.audit_trigger();
\echo :LAST_ERROR_SQLSTATE
SELECT steward_internal.audit_guard_trigger();
\echo :LAST_ERROR_SQLSTATE
SELECT steward_internal.audit_protect();
\echo :LAST_ERROR_SQLSTATE

--
-- What audit_history() refuses
--

CREATE TABLE shop.line (order_id bigint, line integer, sku text, PRIMARY KEY (order_id, line));
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.line');
INSERT INTO shop.line VALUES (42, 1, 'a');
SELECT count(*) FROM steward.audit_history('shop.line', 42);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', 42, 1, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', VARIADIC '{}'::bigint[]);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', 42, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', 42, 1);
SELECT count(*) FROM steward.audit_history('shop.line', VARIADIC '{42,1}'::text[]);
-- a key of several columns as record_id has it, and as jsonb
SELECT (SELECT count(*) FROM steward.audit_history('shop.line', l.record_id)) FROM steward.audit_log l WHERE table_schema = 'shop' AND table_name = 'line';
SELECT count(*) FROM steward.audit_history('shop.line', '{"line": 1, "order_id": 42}'::jsonb);
SELECT count(*) FROM steward.audit_history('shop.line', '{"line": 1, "Order_id": 42}'::jsonb);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', '{"line": 1');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', '[42, 1]'::jsonb);
\echo :LAST_ERROR_SQLSTATE
-- parameters of any type that holds the key
PREPARE history_bigint(bigint) AS SELECT count(*) FROM steward.audit_history('shop.orders', $1);
PREPARE history_small(smallint) AS SELECT count(*) FROM steward.audit_history('shop.orders', $1);
PREPARE history_text(text) AS SELECT count(*) FROM steward.audit_history('shop.orders', $1);
PREPARE history_unknown AS SELECT count(*) FROM steward.audit_history('shop.orders', $1);
PREPARE history_cast AS SELECT count(*) FROM steward.audit_history('shop.orders', $1::bigint);
EXECUTE history_bigint(42);
EXECUTE history_small(42);
EXECUTE history_text('42');
EXECUTE history_unknown('42');
EXECUTE history_cast(42);
SELECT name, parameter_types FROM pg_prepared_statements WHERE name IN ('history_unknown', 'history_cast') ORDER BY name;
DEALLOCATE ALL;
SELECT count(*) FROM steward.audit_history('shop.line', '42', 'one');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', VARIADIC '{{42,1},{43,1}}'::bigint[]);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', VARIADIC NULL::bigint[]);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history(NULL, 42);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.cheap', 42);
\echo :LAST_ERROR_SQLSTATE

-- a table without a key: the hint gives the value to pass
CREATE TABLE shop.note (body text);
SELECT count(*) > 0 AS enabled FROM steward.audit_enable('shop.note');
INSERT INTO shop.note VALUES ('fragile');
SELECT count(*) FROM steward.audit_history('shop.note', 'fragile', 1::text);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.note',
    (SELECT record_id FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'note'));

--
-- Whoever reads the log must have been granted it
--

SET ROLE regress_audit_other;
SELECT count(*) FROM steward.audit_log;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_events;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_contexts;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_tables;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM steward.audit_history('shop.line', 42, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT steward.audit_maintain();
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON ALL TABLES IN SCHEMA steward TO regress_audit_other;
SET ROLE regress_audit_other;
SELECT count(*) FROM steward.audit_log WHERE table_schema = 'shop' AND table_name = 'line';
SELECT count(*) FROM steward.audit_history('shop.line', 42, 1);
RESET ROLE;
REVOKE ALL ON ALL TABLES IN SCHEMA steward FROM regress_audit_other;

DROP SCHEMA shop CASCADE;
DROP ROLE regress_audit_owner, regress_audit_member, regress_audit_other;
