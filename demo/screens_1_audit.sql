-- What a DBA gets to see. Every figure is read from the server that is running; a screen that does not hold ends
-- the demo with an error.
\set super :USER
\pset pager off
\pset footer off
\pset linestyle unicode
\pset columns 112
SET TimeZone = 'UTC';

-- The name of an application user: now or, after the account is gone, from the log.
CREATE FUNCTION demo.who(user_id text) RETURNS text
LANGUAGE sql STABLE
RETURN CASE WHEN user_id ~ '^[0-9a-f-]{36}$' THEN
         coalesce((SELECT name FROM blog.users WHERE id = user_id::uuid),
                  (SELECT old_values ->> 'name' FROM steward.audit_history('blog.users', user_id::uuid) WHERE operation = 'DELETE'),
                  'job ' || right(user_id, 1))
       ELSE coalesce(user_id, '-') END;

\echo
\echo :b'1. The log: what happened last':n
SELECT to_char(created_at, 'HH24:MI:SS') AS "at (UTC)", demo.who(user_id) AS who, operation AS op, table_schema || '.' || table_name AS "table", left(record_id, 8) AS key,
       left(CASE operation WHEN 'UPDATE' THEN translate(demo.changes(old_values, new_values, 12), E'\n', ' ')
                           ELSE (coalesce(new_values, old_values) - 'id')::text END, 28) AS "what"
FROM (SELECT DISTINCT ON (transaction_id, table_name, operation) *
      FROM steward.audit_log WHERE table_schema IN ('blog', 'shop')
      ORDER BY transaction_id, table_name, operation, seq) one_of_each
ORDER BY created_at DESC LIMIT 12;

\echo :b'2. One order, from the cart to the neighbour':n'   steward.audit_history(''shop.orders'', …)'
SELECT to_char(created_at, 'HH24:MI:SS') AS "at (UTC)", demo.who(user_id) AS who,
       application_name || coalesce(E'\n' || host(ip_address), '') AS "from",
       CASE operation WHEN 'UPDATE' THEN demo.changes(old_values - 'updated_at', new_values - 'updated_at', 15)
                      ELSE operation || ' ' || (new_values ->> 'order_number') END AS what
FROM steward.audit_history('shop.orders', demo.uuid('the order', 1));
SELECT demo.check(count(*) = 6 AND count(DISTINCT transaction_id) = 5, 'the order has six events in five transactions')
FROM steward.audit_history('shop.orders', demo.uuid('the order', 1)) \g /dev/null

\echo :b'3. Who changed what':n
SELECT changed_by AS role, application_name AS application, table_schema || '.' || table_name AS "table",
       count(*) FILTER (WHERE operation = 'INSERT') AS "INS", count(*) FILTER (WHERE operation = 'UPDATE') AS "UPD",
       count(*) FILTER (WHERE operation = 'DELETE') AS "DEL", count(*) FILTER (WHERE operation = 'TRUNCATE') AS "TRUNC",
       count(DISTINCT transaction_id) AS xacts, count(DISTINCT user_id) AS users
FROM steward.audit_log
WHERE application_name <> 'importer'
GROUP BY 1, 2, 3 ORDER BY count(*) DESC LIMIT 18;

\echo :b'4. What the log must not show, and who must not touch it':n
SELECT to_char(created_at, 'MI:SS.MS') AS "at", operation AS op, left(old_values ->> 'email', 30) AS "old e-mail",
       left(new_values ->> 'email', 30) AS "new e-mail"
FROM steward.audit_history('blog.users', demo.uuid('user', 7));
SELECT demo.check(count(*) = 4 AND count(DISTINCT new_values ->> 'email') = 3, 'equal addresses have equal hashes')
FROM steward.audit_history('blog.users', demo.uuid('user', 7)) \g /dev/null
SELECT demo.check(count(*) = 0, 'no e-mail address and no search vector in the log of blog.users') FROM steward.audit_log
WHERE table_name = 'users' AND (concat(old_values, new_values) LIKE '%@example%' OR concat(old_values, new_values) LIKE '%search_vector%') \g /dev/null

CREATE TABLE demo.attempts (id int GENERATED ALWAYS AS IDENTITY, as_role text, command text, answer text);
GRANT SELECT (id, as_role, command), UPDATE (answer) ON demo.attempts TO app, migrator;
INSERT INTO demo.attempts (as_role, command) VALUES
  ('app', 'SELECT * FROM steward.audit_log'),
  ('app', 'INSERT INTO steward.audit_events DEFAULT VALUES'),
  ('app', 'UPDATE steward.audit_events SET new_values = ''{}'''),
  ('app', 'DELETE FROM steward.audit_events'),
  ('app', 'ALTER TABLE shop.orders DISABLE TRIGGER steward_audit'),
  ('app', 'SET session_replication_role = replica'),
  ('app', 'SHOW steward.audit_redaction_key'),
  ('app', 'SET steward.audit_redaction_key = ''x'''),
  ('migrator', 'DELETE FROM steward.audit_events'),
  ('migrator', 'SET steward.audit_guard = off'),
  ('superuser', 'DELETE FROM steward.audit_events'),
  ('superuser', 'TRUNCATE steward.audit_events'),
  ('superuser', 'DROP EXTENSION pg_steward CASCADE');
\connect - app
UPDATE demo.attempts SET answer = demo.attempt(command) WHERE as_role = 'app';
\connect - migrator
UPDATE demo.attempts SET answer = demo.attempt(command) WHERE as_role = 'migrator';
\connect - :super
SET TimeZone = 'UTC';
UPDATE demo.attempts SET answer = demo.attempt(command) WHERE as_role = 'superuser';
SELECT as_role AS role, demo.fold(command, 36) AS "tries", demo.fold(substr(answer, 7), 46) AS "and is told" FROM demo.attempts ORDER BY id;
SELECT demo.check(bool_and(left(answer, 6) IN ('42501 ', '2BP01 ')), 'every attempt on the log is refused') FROM demo.attempts \g /dev/null

\echo :b'5. What did not happen is not in the log':n
\echo
\connect - app
SELECT count(*) AS new_products FROM shop.products WHERE sku LIKE 'NEW-%' \gset
\set ECHO queries
BEGIN;
UPDATE shop.products SET price = 17.50 WHERE sku = 'NEW-03001';
SAVEPOINT everything_free;
UPDATE shop.products SET price = 0 WHERE sku LIKE 'NEW-%';
ROLLBACK TO SAVEPOINT everything_free;
UPDATE shop.products SET stock = stock - 1 WHERE sku = 'NEW-03001';
\set ECHO none
SELECT pg_current_xact_id() AS xid \gset
\set ECHO queries
COMMIT;
\set ECHO none
\connect - :super
SET TimeZone = 'UTC';
\echo
SELECT transaction_id, seq, operation, table_name, left(record_id, 8) AS key, old_values, new_values
FROM steward.audit_log WHERE transaction_id = :'xid' ORDER BY seq;
SELECT demo.check(count(*) = 2 AND :new_products = 100, 'of 102 changed rows the two that survived are in the log')
FROM steward.audit_log WHERE transaction_id = :'xid' \g /dev/null
SELECT 'rolled back: DELETE of all orders, UPDATE of all products' AS "what the application did",
       count(*) AS "events in the log" FROM steward.audit_log WHERE application_name = 'nightly-import'
UNION ALL
SELECT 'UPDATE of 3,000 products that sets them to what they are', count(*)
FROM steward.audit_log WHERE application_name = 'pricing-job' AND new_values ? 'is_active';
SELECT demo.check(count(*) = 0, 'nothing rolled back and nothing unchanged is in the log') FROM steward.audit_log
WHERE application_name = 'nightly-import' OR application_name = 'pricing-job' AND new_values ? 'is_active' \g /dev/null

\echo :b'6. The log accounts for every row and every cent':n
CREATE TEMP TABLE rebuilt AS
SELECT r.* FROM (VALUES ('blog.users', '{search_vector,email}'), ('blog.user_profiles', '{}'), ('blog.posts', '{search_vector}'),
  ('blog.comments', '{}'), ('shop.products', '{}'), ('shop.product_images', '{}'), ('shop.product_specifications', '{}'),
  ('shop.product_reviews', '{}'), ('shop.orders', '{billing_address}'), ('shop.order_items', '{}'),
  ('shop.order_status_history', '{}'), ('shop.shopping_carts', '{}')) t (name, hidden),
  LATERAL demo.rebuild(name::regclass, hidden::text[]) r;
SELECT * FROM rebuilt;
SELECT demo.check(bool_and("rows" = identical AND extra = 0), 'every row can be rebuilt from the log alone') FROM rebuilt \g /dev/null
CREATE TEMP TABLE balance AS
SELECT t.*, l.* FROM (
  SELECT 'pgbench_accounts' AS "table", 'abalance' AS "column", sum(abalance) AS in_table FROM pgbench_accounts UNION ALL
  SELECT 'pgbench_tellers', 'tbalance', sum(tbalance) FROM pgbench_tellers UNION ALL
  SELECT 'pgbench_branches', 'bbalance', sum(bbalance) FROM pgbench_branches UNION ALL
  SELECT 'pgbench_history', 'delta', sum(delta) FROM pgbench_history) t,
  LATERAL (SELECT sum((new_values ->> "column")::bigint - coalesce((old_values ->> "column")::bigint, 0)) AS in_log,
                  count(*) AS events FROM steward.audit_log WHERE table_name = "table") l;
SELECT "table", "column", to_char(in_table, '999,999,999') AS "sum in the table", to_char(in_log, '999,999,999') AS "sum of changes in the log",
       to_char(events, '999,999') AS "events under load" FROM balance;
SELECT demo.check(bool_and(in_table = in_log), 'the changes in the log add up to the balances') FROM balance \g /dev/null

\echo :b'7. What it costs':n'   each on its own copy of pgbench''s tables, taking turns; median of' :rounds 'rounds'
WITH m AS (SELECT trail, measure, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS value FROM demo.cost GROUP BY 1, 2),
     w AS (SELECT trail, max(value) FILTER (WHERE measure = 'bulk') AS bulk, max(value) FILTER (WHERE measure = 'tps') AS tps,
                  max(value) FILTER (WHERE measure = 'bytes') AS bytes, max(value) FILTER (WHERE measure = 'size') AS size
           FROM m GROUP BY 1)
SELECT w.trail AS "audited by", round(w.bulk) || ' ms' AS "UPDATE of 100k rows", round((w.bulk / p.bulk)::numeric, 2) || ' x' AS "time",
       round(w.tps) AS "pgbench tps", round((w.tps / p.tps)::numeric, 2) || ' x' AS "rate", round(w.bytes) AS "bytes per event",
       pg_size_pretty(w.size::bigint) AS "log"
FROM w, w p WHERE p.trail = 'nothing' ORDER BY w.bulk;
SELECT demo.check(count(*) = 3 AND bool_and(bulk > 0 AND tps > 0), 'all three were measured')
FROM (SELECT max(value) FILTER (WHERE measure = 'bulk') AS bulk, max(value) FILTER (WHERE measure = 'tps') AS tps
      FROM demo.cost GROUP BY trail) c \g /dev/null

\echo :b'8. What is not audited':n'   a migration forgot a table, and somebody switched a trigger off'
\connect - migrator
CREATE TABLE shop.gift_cards (code text PRIMARY KEY, cents int NOT NULL);
ALTER TABLE shop.product_reviews DISABLE TRIGGER steward_audit;
\connect - :super
CREATE TEMP VIEW gaps AS SELECT table_schema || '.' || table_name AS "table", finding, remedy FROM steward.audit_coverage
WHERE table_schema IN ('blog', 'shop', 'public');
SELECT "table", finding, demo.fold(remedy, 50) AS remedy FROM gaps;
SELECT demo.check(array_agg("table" ORDER BY "table") = '{public.pgbench_history,shop.gift_cards,shop.product_reviews}',
                  'the three gaps are found, and no other') FROM gaps \g /dev/null
\echo 'After running what stands under "remedy":'
\o /dev/null
SELECT remedy FROM gaps WHERE finding <> 'no primary key' \gexec
\o
SELECT "table", finding, demo.fold(remedy, 50) AS remedy FROM gaps;
SELECT demo.check(count(*) = 1, 'the fixes close the gaps') FROM gaps \g /dev/null

\echo :b'9. Keeping it for ninety days':n'   SELECT * FROM steward.audit_maintain()'
SELECT count(*) AS before FROM steward.audit_log \gset
CREATE TABLE steward.audit_events_2025_01 PARTITION OF steward.audit_events
  FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2025-02-01 00:00+00');  -- empty, to have one that is past it
SET steward.audit_retention = '90d';
SELECT action, partition, demo.fold(detail, 56) AS detail FROM steward.audit_maintain();
SELECT demo.check(count(*) = :before, 'maintenance loses no event') FROM steward.audit_log \g /dev/null
