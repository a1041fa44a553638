-- prepared: log
-- rounds: 1
-- quick: no
-- contenders: pg_steward
-- What auditors ask of a log with a hundred events for each of :rows: the best of five times in milliseconds, and the
-- longest that one of the questions takes to plan, which is part of its time.
CREATE TEMP TABLE questions AS
SELECT name, query
  FROM (SELECT * FROM steward.audit_search('shop.orders', operation => 'DELETE') ORDER BY created_at DESC LIMIT 1) AS deleted,
       LATERAL (VALUES
       ('newest',          $$SELECT * FROM steward.audit_log ORDER BY created_at DESC LIMIT 50$$),
       ('newest_of_table', $$SELECT * FROM steward.audit_search('shop.settings') ORDER BY created_at DESC LIMIT 50$$),
       ('newest_of_user',  $$SELECT * FROM steward.audit_search(user_id => '250') ORDER BY created_at DESC LIMIT 50$$),
       ('page',            $$SELECT * FROM steward.audit_log WHERE created_at < now() - interval '90 days' ORDER BY created_at DESC LIMIT 50$$),
       ('hour',            $$SELECT * FROM steward.audit_search('shop.orders', now() - interval '30 days', now() - interval '30 days' + interval '1 hour')$$),
       ('user_week',       $$SELECT * FROM steward.audit_search(user_id => '250', since => now() - interval '7 days')$$),
       ('history',         format($$SELECT * FROM steward.audit_history('shop.orders', %L)$$, record_id)),
       ('deleted',         format($$SELECT changed_by, created_at FROM steward.audit_history('shop.orders', %L) WHERE operation = 'DELETE'$$, record_id)),
       ('became',          $$SELECT * FROM steward.audit_search(changed_column => 'status', new_value => 'refunded') ORDER BY created_at DESC LIMIT 50$$),
       ('became_day',      $$SELECT * FROM steward.audit_search('shop.orders', now() - interval '1 day', changed_column => 'status', new_value => 'refunded')$$),
       ('request',         format($$SELECT * FROM steward.audit_search(context => %L)$$, jsonb_build_object('request_id', context -> 'request_id'))),
       ('transaction',     format($$SELECT * FROM steward.audit_log WHERE transaction_id = %L$$, transaction_id)),
       ('counts_day',      $$SELECT table_name, operation, count(*) FROM steward.audit_log WHERE created_at >= now() - interval '1 day' GROUP BY 1, 2$$),
       ('counts_month',    $$SELECT table_name, date_trunc('day', created_at), count(*) FROM steward.audit_log WHERE created_at >= now() - interval '30 days' GROUP BY 1, 2$$)
       ) AS q(name, query);

CREATE FUNCTION pg_temp.timed(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  best numeric := 'infinity';
  began timestamptz;
BEGIN
  FOR i IN 1..5 LOOP
    began := clock_timestamp();
    EXECUTE format('SELECT count(to_jsonb(q)) FROM (%s) AS q', query);
    best := least(best, 1000 * extract(epoch FROM clock_timestamp() - began));
  END LOOP;
  RETURN best;
END
$$;
CREATE FUNCTION pg_temp.planned(query text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  best numeric := 'infinity';
  plan json;
BEGIN
  FOR i IN 1..5 LOOP
    EXECUTE 'EXPLAIN (FORMAT json, SUMMARY) ' || query INTO plan;
    best := least(best, (plan -> 0 ->> 'Planning Time')::numeric);
  END LOOP;
  RETURN best;
END
$$;
SELECT 'reading.' || name, round(pg_temp.timed(query), 3) FROM questions;
SELECT 'reading.planning', max(pg_temp.planned(query)) FROM questions;
