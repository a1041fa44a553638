-- The log of a shop that five hundred users work in: a hundred events for each of :rows, spread over the last twelve
-- months, a partition for each.  Written past the audit trigger, which would take its own time and stamp the present.
CREATE EXTENSION IF NOT EXISTS pg_steward CASCADE;
SET timezone = 'UTC';
SELECT setseed(0.5);

-- Of twenty tables the first gets a third of the changes and the last 2 %; one more gets hardly any.
CREATE SCHEMA shop;
CREATE TABLE shop.names AS
SELECT name, place
  FROM unnest('{orders,order_items,payments,shipments,products,customers,addresses,stock,prices,carts,cart_items,returns,
                coupons,reviews,suppliers,deliveries,invoices,messages,sessions,settings,refund_rules}'::text[])
  WITH ORDINALITY AS n(name, place);
SELECT format('CREATE TABLE shop.%I (id bigint PRIMARY KEY, status text, total numeric(10, 2), note text, updated_at timestamptz)', name)
  FROM shop.names ORDER BY place \gexec
SELECT count(*) FROM shop.names, steward.audit_enable(format('shop.%I', name)) \g /dev/null
ALTER TABLE shop.names ADD table_id bigint;
UPDATE shop.names SET table_id = steward_internal.audit_table_id(format('shop.%I', name)::regclass);

-- The last twelve months, the present one included.
SELECT date_trunc('month', now()) - interval '11 months' AS first, 20 * :rows AS requests,
       extract(epoch FROM now() - (date_trunc('month', now()) - interval '11 months')) AS span
\gset
SELECT format('CREATE TABLE steward.%I PARTITION OF steward.audit_events FOR VALUES FROM (%L) TO (%L)',
              'audit_events_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month')
  FROM generate_series(:'first'::timestamptz, now(), interval '1 month') AS month \gexec

-- What the trigger notes of a table when it first fires.
SELECT format('INSERT INTO shop.%I (id) VALUES (0)', name) FROM shop.names \gexec

SET steward.audit_guard = off;
SET session_replication_role = replica;

-- One to nine changes in a request, each of which is a transaction and has a context of its own.
CREATE UNLOGGED TABLE shop.requests AS
SELECT r AS id, at, ((extract(epoch FROM at - timestamptz '2000-01-01') * 1000000)::bigint << 12) + r % 20 AS context_id,
       (1 + floor(500 * random() ^ 2))::text AS user_id
  FROM generate_series(1, :requests) AS r,
       LATERAL (SELECT :'first'::timestamptz + (r - random()) / :requests * :span * interval '1 second') AS clock(at);

INSERT INTO steward.audit_contexts (context_id, era, created_at, session_user_name, role_name, user_id, client_ip,
                                    application_name, backend_pid, backend_start, context)
SELECT context_id, (SELECT system_identifier FROM pg_control_system()), at, 'app', 'app', user_id, inet '10.0.0.0' + id % 65536,
       'shop', 1000 + id % 20, at - interval '1 hour',
       jsonb_build_object('request_id', md5(id::text), 'path', '/' || (ARRAY['orders', 'cart', 'admin', 'checkout'])[1 + id % 4])
  FROM shop.requests ORDER BY id;

INSERT INTO steward.audit_events (recorded_at, transaction_id, context_id, table_id, key_hash, seq, operation, record_key,
                                  old_values, new_values)
SELECT r.at + seq * interval '50 microseconds', (100000 + r.id)::text::xid8, r.context_id, t.table_id,
       steward_internal.audit_key_hash(t.table_id, k.record_key), seq, o.operation, k.record_key,
       CASE o.operation WHEN 'U' THEN v.old WHEN 'D' THEN k.record_key || v.whole END,
       CASE o.operation WHEN 'U' THEN v.new WHEN 'I' THEN k.record_key || v.whole END
  FROM shop.requests AS r
 CROSS JOIN LATERAL generate_series(1, 1 + r.id % 9) AS seq
 CROSS JOIN LATERAL (SELECT random() + 0 * seq, random(), random(), random(), random()) AS d(a, b, c, d, e)
  JOIN shop.names AS t ON t.place = CASE WHEN d.a < 0.0001 THEN 21 ELSE 1 + floor(20 * d.b ^ 3) END
 CROSS JOIN LATERAL (SELECT jsonb_build_object('id', floor(d.c * 5 * :rows))) AS k(record_key)
 CROSS JOIN LATERAL (SELECT (CASE WHEN d.d < 0.15 THEN 'I' WHEN d.d < 0.95 THEN 'U' ELSE 'D' END)::"char") AS o(operation)
 CROSS JOIN LATERAL (
       SELECT CASE WHEN d.e < 0.6 THEN jsonb_build_object('status', (ARRAY['pending', 'paid', 'packed'])[1 + floor(d.e * 5)])
                   WHEN d.e < 0.9 THEN jsonb_build_object('total', round((d.e * 1000)::numeric, 2))
                   ELSE jsonb_build_object('note', md5(d.e::text)) END,
              CASE WHEN d.e < 0.001 THEN jsonb_build_object('status', 'refunded')
                   WHEN d.e < 0.6 THEN jsonb_build_object('status', (ARRAY['paid', 'packed', 'shipped'])[1 + floor(d.e * 5)])
                   WHEN d.e < 0.9 THEN jsonb_build_object('total', round((d.e * 1100)::numeric, 2))
                   ELSE jsonb_build_object('note', md5(d.a::text)) END,
              jsonb_build_object('status', 'pending', 'total', round((d.e * 1000)::numeric, 2), 'note', md5(d.a::text),
                                 'updated_at', r.at)) AS v(old, new, whole);
SELECT steward_internal.audit_equip(NULL) \g /dev/null
DROP TABLE shop.requests;
VACUUM ANALYZE steward.audit_events, steward.audit_contexts, steward.audit_tables;
