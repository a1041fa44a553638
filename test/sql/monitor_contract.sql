-- The monitoring views: the same columns on all servers, each with a comment, for pg_monitor and nobody else.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
CREATE VIEW monitor_views AS
SELECT c.oid, c.oid::regclass::text AS view_name
  FROM pg_class c
 WHERE c.relnamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND c.relkind = 'v'
   AND has_table_privilege('pg_monitor', c.oid, 'SELECT')
   AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0);
GRANT SELECT ON monitor_views TO PUBLIC;

SELECT v.view_name, a.attname, format_type(a.atttypid, a.atttypmod)
  FROM monitor_views v
  JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
 ORDER BY v.view_name COLLATE "C", a.attnum;

-- what has no comment
SELECT v.view_name, a.attname
  FROM monitor_views v
  JOIN pg_attribute a ON a.attrelid = v.oid AND a.attnum > 0
 WHERE obj_description(v.oid, 'pg_class') IS NULL OR col_description(v.oid, a.attnum) IS NULL
 ORDER BY 1, 2;

-- a plain member of pg_monitor reads them all
CREATE ROLE regress_monitor;
GRANT pg_monitor TO regress_monitor;
CREATE ROLE regress_monitor_nobody;
SET ROLE regress_monitor;
DO $$
DECLARE
    view_name text;
BEGIN
    FOR view_name IN SELECT v.view_name FROM monitor_views v ORDER BY 1 LOOP
        BEGIN
            -- to_jsonb has all columns computed
            EXECUTE format('SELECT count(to_jsonb(v)) FROM %s v', view_name::regclass);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING '% fails: %', view_name, SQLERRM;
        END;
    END LOOP;
END $$;
-- and somebody who is not reads none
SET ROLE regress_monitor_nobody;
SELECT v.view_name FROM monitor_views v WHERE has_table_privilege(v.oid, 'SELECT');
RESET ROLE;

DROP VIEW monitor_views;
DROP ROLE regress_monitor, regress_monitor_nobody;
