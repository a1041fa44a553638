-- The extension is whole: every function, view and table says what it is for.
SELECT pg_describe_object(d.classid, d.objid, d.objsubid) AS object_without_comment
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
 WHERE e.extname = 'pg_steward' AND d.deptype = 'e'
   AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass)
   AND obj_description(d.objid, d.classid::regclass::name) IS NULL
 ORDER BY 1;

-- Its schema comes and goes with it, under the one name that its functions know.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
ALTER SCHEMA steward RENAME TO stewardess;
ALTER SCHEMA steward_internal RENAME TO insides;
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER SCHEMA steward RENAME TO stewardess;
ROLLBACK;
CREATE SCHEMA regress_other;
ALTER SCHEMA regress_other RENAME TO regress_another;
DROP SCHEMA regress_another;
DROP SCHEMA steward;
\set regression :DBNAME
CREATE DATABASE regress_steward;
\c regress_steward
SET client_min_messages = warning;
CREATE SCHEMA steward;
CREATE EXTENSION pg_steward CASCADE;
DROP SCHEMA steward;
CREATE EXTENSION pg_steward CASCADE;
SELECT count(*) > 0 AS partitions FROM steward.audit_maintain();
DROP EXTENSION pg_steward;
SELECT nspname FROM pg_namespace WHERE nspname ~ 'steward';
\c :regression
DROP DATABASE regress_steward;

-- Comments have one form: a capital letter, unless a name or number stands first, and a full stop; those of functions begin with a verb.
SELECT pg_describe_object(d.classid, d.objid, a.attnum) AS object, c.comment
  FROM pg_depend d
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
  LEFT JOIN pg_attribute a ON d.classid = 'pg_class'::regclass AND a.attrelid = d.objid AND a.attnum > 0
 CROSS JOIN LATERAL (VALUES (obj_description(d.objid, d.classid::regclass::name)), (col_description(d.objid, a.attnum))) AS c(comment)
 WHERE e.extname = 'pg_steward' AND d.deptype = 'e'
   AND (c.comment !~ '^([A-Z0-9]|[a-z]+_).*\.$'
        OR d.classid = 'pg_proc'::regclass AND c.comment !~ '^[A-Z][a-z]+s ')
 ORDER BY 1, 2;
