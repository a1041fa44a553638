\pset format wrapped
\echo :b'10. Columns that keep themselves':n'   in place of the blog''s plpgsql; the shop had only its application'
\connect - migrator
\set ECHO queries
DROP TRIGGER update_users_updated_at ON blog.users;
DROP TRIGGER update_posts_updated_at ON blog.posts;
SELECT * FROM steward.updated_at_enable_schema('blog') UNION ALL SELECT * FROM steward.updated_at_enable_schema('shop');
\set ECHO none
SELECT demo.check(count(*) = 9 AND bool_and(definition LIKE '%BEFORE UPDATE%' AND enabled = 'O'), 'nine tables have the updated_at trigger')
FROM steward_internal.upkeep_triggers WHERE function_name = 'updated_at_trigger' AND relation::text ~ '^(blog|shop)\.' \g /dev/null

\echo :b'11. Two people, one row':n'   both opened the product when its version was 1'
\set ECHO queries
ALTER TABLE shop.products ADD version bigint NOT NULL DEFAULT 1;
SELECT steward.row_version_enable('shop.products');
\set ECHO none
\connect - app
SET application_name = 'backoffice';
SELECT set_config('app.current_user_id', demo.uuid('user', 401)::text, false), set_config('app.client_ip', '10.20.0.14', false) \g /dev/null
\set ECHO queries
\echo '-- Camille Kim'
UPDATE shop.products SET price = 21.50, version = 1 WHERE sku = 'NEW-03002';
\set ECHO none
SELECT set_config('app.current_user_id', demo.uuid('user', 92)::text, false), set_config('app.client_ip', '10.20.7.81', false) \g /dev/null
\set ON_ERROR_STOP off
\set ECHO queries
\echo '-- Mei Weber'
UPDATE shop.products SET price = 17.90, version = 1 WHERE sku = 'NEW-03002';
\set ECHO none
SELECT demo.check(:'LAST_ERROR_SQLSTATE' = '40001', 'the stale write fails as a serialization failure') \g /dev/null
\set ON_ERROR_STOP on
\set ECHO queries
\echo '-- Mei Weber, having read again'
UPDATE shop.products SET price = 18.90, version = 2 WHERE sku = 'NEW-03002';
\echo '-- nobody: the row is like that already'
UPDATE shop.products SET price = 18.90, is_active = true WHERE sku = 'NEW-03002';
\set ECHO none
\connect - :super
SET TimeZone = 'UTC';
\echo
\echo 'SELECT … FROM steward.audit_history(''shop.products'', …)'
SELECT id AS product FROM shop.products WHERE sku = 'NEW-03002' \gset
SELECT operation AS op, demo.who(user_id) AS who, application_name AS "from", demo.changes(old_values, new_values, 26) AS what
FROM steward.audit_history('shop.products', :'product') WHERE operation = 'UPDATE';
SELECT demo.check(count(*) = 2 AND bool_and(changed_columns @> '{price,version,updated_at}'), 'the log has the two writes that came to pass')
FROM steward.audit_history('shop.products', :'product') WHERE operation = 'UPDATE' \g /dev/null

\echo :b'12. Events that stay as they were written':n'   an event store, with ids that grow'
\connect - migrator
\set ECHO queries
CREATE TABLE shop.events (
    id UUID PRIMARY KEY DEFAULT steward.uuidv7(),
    aggregate_id UUID NOT NULL,
    event_type VARCHAR(50) NOT NULL,
    event_data JSONB NOT NULL);
SELECT steward.append_only_enable('shop.events');
\set ECHO none
GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON shop.events TO app;
\connect - app
WITH inserted AS (
  INSERT INTO shop.events (aggregate_id, event_type, event_data)
  SELECT order_id, 'Order' || initcap(status), jsonb_strip_nulls(jsonb_build_object('status', status, 'notes', h.notes, 'at', h.created_at))
  FROM shop.order_status_history h ORDER BY h.created_at, h.id RETURNING id)
SELECT demo.check(bool_and(id > before), 'each event''s id is greater than the one before') FROM (SELECT id, lag(id) OVER () FROM inserted) i (id, before) \g /dev/null
\set ON_ERROR_STOP off
\set ECHO queries
UPDATE shop.events SET event_data = event_data || '{"status": "paid"}' WHERE event_type = 'OrderPending';
\set ECHO none
SELECT demo.check(:'LAST_ERROR_SQLSTATE' = '42501', 'events cannot be updated') \g /dev/null
\set ON_ERROR_STOP on
\connect - :super
SET TimeZone = 'UTC';
CREATE TABLE demo.attempts_on_events (LIKE demo.attempts INCLUDING IDENTITY);
GRANT SELECT (id, as_role, command), UPDATE (answer) ON demo.attempts_on_events TO app, migrator;
INSERT INTO demo.attempts_on_events (as_role, command) VALUES
  ('app', 'DELETE FROM shop.events'),
  ('migrator', 'UPDATE shop.events SET event_type = ''?'''),
  ('superuser', 'TRUNCATE shop.events');
\connect - app
UPDATE demo.attempts_on_events SET answer = demo.attempt(command) WHERE as_role = 'app';
\connect - migrator
UPDATE demo.attempts_on_events SET answer = demo.attempt(command) WHERE as_role = 'migrator';
\connect - :super
SET TimeZone = 'UTC';
UPDATE demo.attempts_on_events SET answer = demo.attempt(command) WHERE as_role = 'superuser';
\echo
SELECT as_role AS role, command AS "tries", demo.fold(substr(answer, 7), 46) AS "and is told" FROM demo.attempts_on_events ORDER BY id;
SELECT demo.check(bool_and(left(answer, 6) = '42501 '), 'every attempt on the events is refused') FROM demo.attempts_on_events \g /dev/null
SELECT id, event_type, event_data ->> 'status' AS status, event_data ->> 'notes' AS notes
FROM shop.events WHERE aggregate_id = demo.uuid('the order', 1) ORDER BY id;
\pset format aligned
