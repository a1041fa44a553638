-- monitor_health: whether all is well, and what is not.

CREATE FUNCTION steward_internal.health_query(query text, milliseconds integer, OUT value numeric, OUT detail text, OUT status text, OUT hint text, OUT remedy text)
AS 'MODULE_PATHNAME', 'steward_health_query' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION steward_internal.health_query(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.health_query(text, integer) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.health_query(text, integer) IS
'Returns the row of a query that changes nothing and takes no longer than so many milliseconds.';

CREATE FUNCTION steward_internal.library_version() RETURNS text
AS 'MODULE_PATHNAME', 'steward_library_version' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.library_version() IS
'Returns the version that the library was built as; objects of another one are in pg_extension.';

-- The extension brings its own checks; a check of yours with the name of one of them takes its place, also after an upgrade.
CREATE TABLE steward.health_queries (
    check_name  text COLLATE "C",
    is_custom   boolean DEFAULT true,
    query       text NOT NULL,
    warning     numeric,
    critical    numeric,
    unit        text,
    hint        text,
    remedy      text,
    description text,
    PRIMARY KEY (check_name, is_custom)
);
COMMENT ON TABLE steward.health_queries IS
'What health_check looks at.';
COMMENT ON COLUMN steward.health_queries.check_name IS 'What it is called.';
COMMENT ON COLUMN steward.health_queries.is_custom IS 'Not one of the extension''s own, and kept by dumps.';
COMMENT ON COLUMN steward.health_queries.query IS
'SELECT of one row with the columns value and detail, and if wanted status, hint and remedy; a value of null says that it cannot be known, and detail why.';
COMMENT ON COLUMN steward.health_queries.warning IS 'A value of this or more is a WARNING, if critical is below warning of this or less; null for never.';
COMMENT ON COLUMN steward.health_queries.critical IS 'The same for CRITICAL.';
COMMENT ON COLUMN steward.health_queries.unit IS 'Of the value and the thresholds.';
COMMENT ON COLUMN steward.health_queries.hint IS 'What to do, in words.';
COMMENT ON COLUMN steward.health_queries.remedy IS 'The command that does it, or shows more of it.';
COMMENT ON COLUMN steward.health_queries.description IS 'What the value is.';
GRANT SELECT ON steward.health_queries TO pg_monitor;
SELECT pg_extension_config_dump('steward.health_queries', 'WHERE is_custom');

CREATE TABLE steward.health_thresholds (
    check_name text COLLATE "C" PRIMARY KEY,
    warning    numeric,
    critical   numeric,
    enabled    boolean NOT NULL DEFAULT true,
    only_on    text CHECK (only_on IN ('primary', 'standby')),
    reason     text
);
COMMENT ON TABLE steward.health_thresholds IS
'Your thresholds for checks, in place of theirs; or which are not to be made.';
COMMENT ON COLUMN steward.health_thresholds.check_name IS 'Which check.';
COMMENT ON COLUMN steward.health_thresholds.warning IS 'In place of that of the check; null keeps it, Infinity is never reached, nor -Infinity where less is worse.';
COMMENT ON COLUMN steward.health_thresholds.critical IS 'The same for critical.';
COMMENT ON COLUMN steward.health_thresholds.enabled IS 'False leaves the check out: its status is DISABLED.';
COMMENT ON COLUMN steward.health_thresholds.only_on IS 'One of primary or standby, if it is to hold there only.';
COMMENT ON COLUMN steward.health_thresholds.reason IS 'Why.';
GRANT SELECT ON steward.health_thresholds TO pg_monitor;
SELECT pg_extension_config_dump('steward.health_thresholds', '');

-- Where critical is below warning, less is worse; what the thresholds of the check say of that, yours do not change.
CREATE FUNCTION steward_internal.health_status(value numeric, warning numeric, critical numeric, less_is_worse boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN value IS NULL OR value = 'NaN' THEN 'UNKNOWN'
            WHEN less_is_worse AND value <= critical OR NOT less_is_worse AND value >= critical THEN 'CRITICAL'
            WHEN less_is_worse AND value <= warning OR NOT less_is_worse AND value >= warning THEN 'WARNING'
            ELSE 'OK' END;
COMMENT ON FUNCTION steward_internal.health_status(numeric, numeric, numeric, boolean) IS
'Returns the status of a value by its thresholds.';

-- Runs as who calls it: only the owner of health_queries may write there, for others run it.
CREATE FUNCTION steward_internal.health_run(
    OUT check_name text, OUT status text, OUT status_code integer, OUT value numeric, OUT warning numeric, OUT critical numeric,
    OUT unit text, OUT detail text, OUT hint text, OUT remedy text, OUT elapsed_ms numeric) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET jit = off
AS $$
DECLARE
    statuses constant text[] := '{OK,WARNING,CRITICAL,UNKNOWN,DISABLED}';
    wanted record;
    started timestamptz;
BEGIN
    FOR wanted IN
        SELECT coalesce(c.check_name, t.check_name) AS check_name, c.query, c.unit, c.hint, c.remedy, coalesce(t.enabled, true) AS enabled, t.reason,
               coalesce(t.warning, c.warning) AS warning, coalesce(t.critical, c.critical) AS critical,
               coalesce(c.critical < c.warning, false) AS less_is_worse
          FROM (SELECT DISTINCT ON (h.check_name) h.* FROM steward.health_queries h ORDER BY h.check_name, h.is_custom DESC) c
          FULL JOIN (SELECT h.* FROM steward.health_thresholds h
                      WHERE h.only_on IS NULL OR h.only_on = CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END) t
            ON t.check_name = c.check_name
         ORDER BY coalesce(c.check_name, t.check_name) COLLATE "C"
    LOOP
        started := clock_timestamp();
        check_name := wanted.check_name;
        warning := wanted.warning;
        critical := wanted.critical;
        unit := wanted.unit;
        value := NULL;
        hint := NULL;
        remedy := NULL;
        IF NOT wanted.enabled THEN
            status := 'DISABLED';
            detail := wanted.reason;
        ELSIF wanted.query IS NULL THEN
            status := 'UNKNOWN';
            detail := 'there is no such check';
            remedy := format('DELETE FROM steward.health_thresholds WHERE check_name = %L;', check_name);
        ELSE
            BEGIN
                SELECT q.value, q.detail, q.status, q.hint, q.remedy INTO value, detail, status, hint, remedy
                  FROM steward_internal.health_query(format(E'SELECT q.value::numeric, q.detail::text, to_jsonb(q) ->> ''status'', to_jsonb(q) ->> ''hint'', to_jsonb(q) ->> ''remedy'' FROM (%s\n) q',
                                                   regexp_replace(wanted.query, ';\s*$', '')), 1000) q;
                status := coalesce(status, steward_internal.health_status(value, warning, critical, wanted.less_is_worse));
                IF status <> ALL (statuses) THEN
                    RAISE invalid_parameter_value USING MESSAGE = format('unknown status "%s"', status);
                END IF;
                hint := CASE WHEN status NOT IN ('OK', 'DISABLED') THEN coalesce(hint, wanted.hint) END;
                remedy := CASE WHEN status NOT IN ('OK', 'DISABLED') THEN coalesce(remedy, wanted.remedy) END;
            EXCEPTION WHEN OTHERS THEN
                GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
                status := 'UNKNOWN';
                detail := SQLERRM;
                value := NULL;
                remedy := CASE WHEN SQLSTATE = '42501' AND NOT pg_has_role('pg_monitor', 'USAGE') THEN format('GRANT pg_monitor TO %I;', current_user)
                               WHEN SQLSTATE = '55P03' THEN 'SELECT * FROM steward.blocking_queries;'
                               -- a hint that is a command
                               WHEN hint ~ '^[A-Z]{2,} .*;$' AND hint NOT LIKE '%...%' THEN hint END;
                hint := CASE WHEN remedy IS NULL THEN coalesce(nullif(hint, ''), wanted.hint) END;
            END;
        END IF;
        status_code := array_position(statuses, status) - 1;
        elapsed_ms := round(extract(epoch FROM clock_timestamp() - started) * 1000, 2);
        RETURN NEXT;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.health_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.health_run() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.health_run() IS
'Makes all checks of health_queries, each on its own.';

CREATE VIEW steward.health_check AS
SELECT h.check_name, h.status, h.status_code, h.value, h.warning, h.critical, h.unit, h.detail, h.hint, h.remedy, h.elapsed_ms
  FROM steward_internal.health_run() h;
COMMENT ON VIEW steward.health_check IS
'One row for each check, also when all is well: OK, WARNING, CRITICAL, UNKNOWN or DISABLED.';
COMMENT ON COLUMN steward.health_check.check_name IS 'Which check of health_queries.';
COMMENT ON COLUMN steward.health_check.status IS 'OK, WARNING, CRITICAL, UNKNOWN, or DISABLED for what is turned off here or by the server''s settings.';
COMMENT ON COLUMN steward.health_check.status_code IS '0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, 4 DISABLED.';
COMMENT ON COLUMN steward.health_check.value IS 'What was found, in the unit; null if it is not known.';
COMMENT ON COLUMN steward.health_check.warning IS 'From where on it is a WARNING, in the unit; null for never.';
COMMENT ON COLUMN steward.health_check.critical IS 'From where on it is CRITICAL, in the unit; less than warning where less is worse; null for never.';
COMMENT ON COLUMN steward.health_check.unit IS 'Of value, warning and critical.';
COMMENT ON COLUMN steward.health_check.detail IS 'Which object it is, or why nothing is known; may be null.';
COMMENT ON COLUMN steward.health_check.hint IS 'What to do, in words; null if all is well.';
COMMENT ON COLUMN steward.health_check.remedy IS 'The command that does it, or shows more of it; null if all is well, or none is known.';
COMMENT ON COLUMN steward.health_check.elapsed_ms IS 'How long the check took, milliseconds.';
GRANT SELECT ON steward.health_check TO pg_monitor;

-- A plugin's performance data: 'label'=value[unit];warning;critical, U for what is not known, and "10:" for less than 10.
CREATE FUNCTION steward_internal.health_perfdata(check_name text, value numeric, warning numeric, critical numeric, unit text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('''%s''=%s;%s;%s', replace(replace(check_name, '''', ''''''), '=', '_'),
                  coalesce(f.value || CASE unit WHEN 's' THEN 's' WHEN '%' THEN '%' WHEN 'bytes' THEN 'B' ELSE '' END, 'U'),
                  f.warning || f.below, f.critical || f.below)
      FROM (SELECT trim_scale(round(CASE WHEN abs(value) < 'Infinity' THEN value END, 3)) AS value,
                   trim_scale(CASE WHEN abs(warning) < 'Infinity' THEN warning END) AS warning,
                   trim_scale(CASE WHEN abs(critical) < 'Infinity' THEN critical END) AS critical,
                   CASE WHEN critical < warning THEN ':' ELSE '' END AS below) f;
END;
COMMENT ON FUNCTION steward_internal.health_perfdata(text, numeric, numeric, numeric, text) IS
'Returns a value as the performance data of a Nagios plugin.';

CREATE VIEW steward.health_summary AS
SELECT s.status, array_position('{OK,WARNING,CRITICAL,UNKNOWN}', s.status) - 1 AS status_code,
       -- what follows a bar would be taken for performance data
       translate(format('%s: %s', s.status, CASE WHEN s.checks = 0 THEN 'no check was made' ELSE coalesce(s.problems, format('all %s checks', s.checks)) END), E'|\n', '! ') AS message,
       s.checks, s.warnings, s.criticals, s.unknowns, s.elapsed_ms, s.perfdata
  FROM (SELECT CASE WHEN bool_or(h.status = 'CRITICAL') THEN 'CRITICAL' WHEN bool_or(h.status = 'WARNING') THEN 'WARNING'
                    WHEN bool_or(h.status = 'OK') AND NOT bool_or(h.status = 'UNKNOWN') THEN 'OK' ELSE 'UNKNOWN' END AS status,
               string_agg(CASE WHEN h.status = 'UNKNOWN' THEN h.check_name || ' UNKNOWN'
                               ELSE concat_ws(' ', h.check_name, trim_scale(round(h.value, 2)), h.unit, '(' || h.detail || ')') END, ', '
                          ORDER BY array_position('{CRITICAL,WARNING,UNKNOWN}', h.status), h.check_name COLLATE "C")
                   FILTER (WHERE h.status IN ('WARNING', 'CRITICAL', 'UNKNOWN')) AS problems,
               count(*) FILTER (WHERE h.status <> 'DISABLED') AS checks, count(*) FILTER (WHERE h.status = 'WARNING') AS warnings,
               count(*) FILTER (WHERE h.status = 'CRITICAL') AS criticals, count(*) FILTER (WHERE h.status = 'UNKNOWN') AS unknowns,
               sum(h.elapsed_ms) AS elapsed_ms,
               string_agg(steward_internal.health_perfdata(h.check_name, h.value, h.warning, h.critical, h.unit), ' ' ORDER BY h.check_name COLLATE "C")
                   FILTER (WHERE h.status <> 'DISABLED') AS perfdata
          FROM steward.health_check h) s;
COMMENT ON VIEW steward.health_summary IS
'The health check in one line, with a status code as Nagios plugins have it.';
COMMENT ON COLUMN steward.health_summary.status IS 'The worst: CRITICAL before WARNING before UNKNOWN before OK.';
COMMENT ON COLUMN steward.health_summary.status_code IS '0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.';
COMMENT ON COLUMN steward.health_summary.message IS 'The status and the checks that are not OK, the unknown ones too.';
COMMENT ON COLUMN steward.health_summary.checks IS 'How many checks were made.';
COMMENT ON COLUMN steward.health_summary.warnings IS 'How many say WARNING.';
COMMENT ON COLUMN steward.health_summary.criticals IS 'How many say CRITICAL.';
COMMENT ON COLUMN steward.health_summary.unknowns IS 'How many say UNKNOWN.';
COMMENT ON COLUMN steward.health_summary.elapsed_ms IS 'How long all took, milliseconds.';
COMMENT ON COLUMN steward.health_summary.perfdata IS 'The values as performance data of a Nagios plugin.';
GRANT SELECT ON steward.health_summary TO pg_monitor;
