-- prepared: tables
-- contenders: pg_steward
-- What tenant_check() takes in a session that has not looked at the tables yet
-- and then again.
\ir ../part/functions.sql
SELECT 'check.first', pg_temp.timed('SELECT count(*) FROM steward.tenant_check()', 'true', true) / 1000;
SELECT 'check.again', pg_temp.timed('SELECT count(*) FROM steward.tenant_check()', 'true', true) / 1000;
