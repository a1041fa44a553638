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

-- What a trigger's options are called, the parameters of the function that attaches it are called, too.
CREATE TABLE steward_options (id integer PRIMARY KEY, body text);
INSERT INTO steward_options VALUES (1);
CREATE FUNCTION pg_temp.trigger_options(function_name text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    EXECUTE format('CREATE TRIGGER options %s ON steward_options FOR EACH ROW EXECUTE FUNCTION steward.%I(''id'', ''no_such_option=1'')',
                   CASE WHEN function_name ~ 'audit|cascade|related' THEN 'AFTER UPDATE' WHEN function_name ~ 'parent' THEN 'BEFORE INSERT' ELSE 'BEFORE UPDATE' END, function_name);
    UPDATE steward_options SET id = id;
    INSERT INTO steward_options VALUES (2);
    RAISE EXCEPTION 'trigger % has taken an unknown option', function_name;
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN ARRAY(SELECT o[1] FROM regexp_matches(hint, '''(\w+)=', 'g') o);
END $$;
WITH functions AS (
    SELECT t.proname AS trigger_function,
           CASE t.proname WHEN 'tenant_parent_trigger' THEN 'tenant_protect_child' WHEN 'tenant_fill_trigger' THEN 'tenant_protect'
                ELSE regexp_replace(t.proname, '(_vector|_related|_cascade)?(_trigger)?$', '_enable') END AS enable_function,
           pg_temp.trigger_options(t.proname) AS options
      FROM pg_proc t
     WHERE t.pronamespace = 'steward'::regnamespace AND t.prorettype = 'trigger'::regtype
)
SELECT f.trigger_function, f.enable_function, f.options,
       ARRAY(SELECT unnest(f.options) EXCEPT SELECT unnest(e.proargnames)) AS not_parameters,
       ARRAY(SELECT unnest(f.options) ORDER BY 1) =
       ARRAY(SELECT o[1] FROM regexp_matches(obj_description(('steward.' || f.trigger_function)::regproc), '(\w+)=', 'g') o ORDER BY 1) AS in_comment
  FROM functions f
  LEFT JOIN pg_proc e ON e.pronamespace = 'steward'::regnamespace AND e.proname = f.enable_function
 ORDER BY f.trigger_function COLLATE "C";
DROP TABLE steward_options;

-- What changes a schema tells on request what it would do, and does nothing then. What erases rows tells unless it is told to.
SELECT p.proname AS cannot_tell
  FROM pg_proc p
 WHERE p.pronamespace = 'steward'::regnamespace
   AND p.proname ~ '_(enable|disable)(_schema)?$|^tenant_(un)?protect|^tenant_(admin|adopt|erase|harden)|_schema_(create|migrate)$|_fk_guard$|_repair$|_admin$'
   AND 'dry_run' <> ALL (coalesce(p.proargnames, '{}'));
SELECT p.proname AS tells_unless_told
  FROM pg_proc p
 WHERE p.pronamespace = 'steward'::regnamespace AND pg_get_function_arguments(p.oid) ~ 'dry_run boolean' AND pg_get_function_arguments(p.oid) !~ 'dry_run boolean DEFAULT false';
CREATE TABLE steward_dry (id integer PRIMARY KEY, title text, updated_at timestamptz, version bigint NOT NULL DEFAULT 1, tenant_id integer);
CREATE TABLE steward_calls (place integer GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO steward_calls (call)
SELECT format('steward.%s_%s(''steward_dry'', %%s)', m.module, s.step)
  FROM unnest('{audit,updated_at,row_version,append_only,soft_delete}'::text[]) m(module), unnest('{enable,disable}'::text[]) s(step);
INSERT INTO steward_calls (call) VALUES ('steward.immutable_enable(''steward_dry'', ''{id,title}'', %s)'), ('steward.immutable_disable(''steward_dry'', %s)'), ('steward.tenant_guard_enable(%s)'), ('steward.tenant_guard_disable(%s)'), ('steward.tenant_protect(''steward_dry'', %s)'),
    ('steward.audit_enable_schema(''public'', %s)'), ('steward.updated_at_enable_schema(''public'', %s)');
CREATE TABLE steward_said (call text, said text[]);
SELECT format('SELECT %L AS call, count(*) > 0 AS tells, pg_current_xact_id_if_assigned() IS NULL AS changes_nothing FROM %s', format(c.call, ''), format(c.call, 'dry_run => true')) AS dry,
       CASE WHEN c.call !~ '_schema' THEN format('INSERT INTO steward_said SELECT %L, ARRAY(SELECT c FROM %s c)', c.call, format(c.call, 'dry_run => true')) END AS note,
       CASE WHEN c.call !~ '_schema' THEN format('SELECT ARRAY(SELECT c FROM %s c) = s.said AS does_so FROM steward_said s WHERE s.call = %L', format(c.call, 'dry_run => false'), c.call) END AS run
  FROM steward_calls c ORDER BY c.place \gexec
DROP TABLE steward_dry, steward_calls, steward_said;
