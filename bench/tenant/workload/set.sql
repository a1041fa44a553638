-- contenders: pg_steward
-- What it takes to say the tenant, without the way to the server and back: in a
-- loop, less what the loop takes. A transaction has one tenant, and to say it
-- again does nothing: so the function goes with the one that takes it back. A
-- token is verified each time; there are two, so that nothing can be remembered.
\ir ../part/functions.sql
CREATE FUNCTION pg_temp.loop(name text, call text, empty text, times integer DEFAULT 20000) RETURNS TABLE (measure text, value numeric) LANGUAGE sql AS $$
  WITH loops AS (
    SELECT format('SELECT %s FROM generate_series(1, %s) i OFFSET %2$s', list, times) AS query, number
    FROM unnest(ARRAY[call, empty]) WITH ORDINALITY AS lists (list, number)
  )
  SELECT 'set.' || name, percentile_cont(0.5) WITHIN GROUP (ORDER BY us)::numeric
  FROM (
    SELECT sum(pg_temp.timed(query, '', true) * CASE number WHEN 1 THEN 1 ELSE -1 END) / times AS us
    FROM loops, generate_series(1, 7) run GROUP BY run
  ) AS runs
$$;
SELECT steward.tenant_sign('42', ttl => '50 minutes') AS token, steward.tenant_sign('42', ttl => '51 minutes') AS other
\gset
\ir ../part/tokens.sql
-- these are for longer than tokens may be
SET steward.tenant_token_ttl = 0;
SELECT format('(ARRAY[%L, %L])[1 + mod(i, 2)]', :'token', :'other') AS either,
       format('(ARRAY[%L, %L])[1 + mod(i, 2)]', :'rs256_1', :'rs256_2') AS either_rs256,
       format('(ARRAY[%L, %L])[1 + mod(i, 2)]', :'es256_1', :'es256_2') AS either_es256
\gset
\set call 'set_config(''steward.token'', ' :either ', true)'
\set call_rs256 'set_config(''steward.token'', ' :either_rs256 ', true)'
\set call_es256 'set_config(''steward.token'', ' :either_es256 ', true)'
\set login 'steward.tenant_login(' :either ')'

BEGIN;
SELECT (pg_temp.loop('function', 'steward.tenant_set(''42''), steward.tenant_clear()', 'i')).*;
SELECT (pg_temp.loop('again', 'steward.tenant_set(''42'')', 'i')).*;
SELECT (pg_temp.loop('token', :'call', :'either')).*;
SELECT (pg_temp.loop('login', :'login', :'either')).*;
SELECT (pg_temp.loop('rs256', :'call_rs256', :'either_rs256', 2000)).*;
SELECT (pg_temp.loop('es256', :'call_es256', :'either_es256', 2000)).*;
SELECT (pg_temp.loop('set_config', 'set_config(''app.tenant_id'', ''42'', true)', 'i')).*;
ROLLBACK;
