-- contenders: pg_steward
-- What it takes to say the tenant, without the way to the server and back: in a
-- loop, less what the loop takes. A transaction has one tenant, and to say it
-- again does nothing: so the function goes with the one that takes it back. A
-- token is verified each time; there are two, so that nothing can be remembered.
\ir ../part/functions.sql
CREATE FUNCTION pg_temp.loop(name text, call text, empty text) RETURNS TABLE (measure text, value numeric) LANGUAGE sql AS $$
  WITH loops AS (
    SELECT format('SELECT %s FROM generate_series(1, 20000) i OFFSET 20000', list) AS query, number
    FROM unnest(ARRAY[call, empty]) WITH ORDINALITY AS lists (list, number)
  )
  SELECT 'set.' || name, percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric
  FROM (
    SELECT sum(pg_temp.timed(query, '', true) * CASE number WHEN 1 THEN 1 ELSE -1 END) / 20000 AS us
    FROM loops, generate_series(1, 7) run GROUP BY run
  ) AS runs
$$;
SELECT steward.tenant_sign('42', ttl => '50 minutes') AS token, steward.tenant_sign('42', ttl => '51 minutes') AS other
\gset
SELECT format('(ARRAY[%L, %L])[1 + mod(i, 2)]', :'token', :'other') AS either
\gset
\set call 'set_config(''steward.token'', ' :either ', true)'

BEGIN;
SELECT (pg_temp.loop('function', 'steward.tenant_set(''42''), steward.tenant_clear()', 'i')).*;
SELECT (pg_temp.loop('again', 'steward.tenant_set(''42'')', 'i')).*;
SELECT (pg_temp.loop('token', :'call', :'either')).*;
SELECT (pg_temp.loop('set_config', 'set_config(''app.tenant_id'', ''42'', true)', 'i')).*;
ROLLBACK;
