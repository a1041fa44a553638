-- prepared: tables
-- contenders: pg_steward
-- How long a member of pg_monitor waits for all rows and columns of each view.
CREATE FUNCTION pg_temp.timed(view_name regclass) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
  statement text := format('SELECT count(to_jsonb(v)) FROM %s v', view_name);
  began timestamptz;
  ended timestamptz;
BEGIN
  PERFORM set_config('role', 'pg_monitor', true);
  EXECUTE statement;
  began := clock_timestamp();
  EXECUTE statement;
  ended := clock_timestamp();
  PERFORM set_config('role', 'none', true);
  RETURN 1000 * extract(epoch FROM ended - began);
END
$$;
SELECT 'views.' || c.relname, pg_temp.timed(c.oid)
  FROM pg_class c
 WHERE c.relnamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND c.relkind = 'v' AND has_table_privilege('pg_monitor', c.oid, 'SELECT')
   AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0);
