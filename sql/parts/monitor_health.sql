-- monitor_health: whether all is well, and what is not.

CREATE FUNCTION steward.time_limit(milliseconds integer) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_time_limit' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.time_limit(integer) IS
'Cancels what this session does in so many milliseconds, 0 for never; returns whether the limit before was reached.';

CREATE TABLE steward.health_checks (
    check_name  text PRIMARY KEY,
    query       text NOT NULL,
    warning     numeric,
    critical    numeric,
    unit        text,
    hint        text,
    description text,
    is_custom   boolean NOT NULL DEFAULT true
);
COMMENT ON TABLE steward.health_checks IS
'What health_check looks at. A query gives value and detail in one row; where critical is below warning, less is worse.';
COMMENT ON COLUMN steward.health_checks.query IS 'SELECT with the columns value and detail; a value of null says that it cannot be known, and detail why';
COMMENT ON COLUMN steward.health_checks.is_custom IS 'not one of the extension''s own';
GRANT SELECT ON steward.health_checks TO pg_monitor;
SELECT pg_extension_config_dump('steward.health_checks', 'WHERE is_custom');

CREATE TABLE steward.health_thresholds (
    check_name text PRIMARY KEY,
    warning    numeric,
    critical   numeric,
    enabled    boolean NOT NULL DEFAULT true,
    reason     text
);
COMMENT ON TABLE steward.health_thresholds IS
'Your thresholds for checks, in place of theirs; or which are not to be made.';
GRANT SELECT ON steward.health_thresholds TO pg_monitor;
SELECT pg_extension_config_dump('steward.health_thresholds', '');

INSERT INTO steward.health_checks (is_custom, check_name, unit, warning, critical, description, hint, query) VALUES
(false, 'connections', '%', 80, 95, 'connections of clients, of what the server takes',
 'A pooler lets many clients share few connections; or raise max_connections.',
 $$SELECT used_percent AS value, format('%s of %s', used, connection_limit) AS detail FROM steward.connections WHERE scope = 'cluster'$$),
(false, 'connections_of_scope', '%', 80, 95, 'connections of a database or role, of its own limit',
 'ALTER DATABASE ... CONNECTION LIMIT ...; or ALTER ROLE ... CONNECTION LIMIT ...;',
 $$SELECT coalesce(max(used_percent), 0) AS value, (array_agg(format('%s %I', scope, name) ORDER BY used_percent DESC))[1] AS detail
     FROM steward.connections WHERE scope <> 'cluster' AND used_percent IS NOT NULL$$),
(false, 'idle_in_transaction', 's', 300, 900, 'longest that a session has left its transaction idle',
 'ALTER SYSTEM SET idle_in_transaction_session_timeout = ''5min'';',
 $$SELECT coalesce(max(extract(epoch FROM state_age)), 0) AS value, (array_agg(format('pid %s', pid) ORDER BY state_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE state LIKE 'idle in transaction%'$$),
(false, 'long_transaction', 's', 3600, 21600, 'longest transaction of a session',
 'SELECT * FROM steward.long_transactions;',
 $$SELECT coalesce(max(extract(epoch FROM transaction_age)), 0) AS value, (array_agg(format('pid %s', pid) ORDER BY transaction_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE prepared_id IS NULL$$),
(false, 'prepared_transaction', 's', 300, 3600, 'longest that a transaction has been prepared',
 'COMMIT PREPARED or ROLLBACK PREPARED it.',
 $$SELECT coalesce(max(extract(epoch FROM transaction_age)), 0) AS value, (array_agg(prepared_id ORDER BY transaction_age DESC))[1] AS detail
     FROM steward.long_transactions WHERE prepared_id IS NOT NULL$$),
(false, 'lock_wait', 's', 60, 300, 'longest wait for a lock',
 'SELECT * FROM steward.blocking_queries;',
 $$SELECT coalesce(max(extract(epoch FROM longest_wait)), 0) AS value, NULL AS detail FROM steward.lock_summary WHERE NOT granted$$),
(false, 'lock_table', '%', 50, 80, 'locks held, of what the lock table is made for',
 'Raise max_locks_per_transaction.',
 $$SELECT coalesce(sum(lock_table_percent), 0) AS value, NULL AS detail FROM steward.lock_summary$$),
(false, 'xid_freeze', '%', 110, 150, 'oldest transaction id of a database, of autovacuum_freeze_max_age',
 'SELECT * FROM steward.xmin_horizon; what it shows keeps VACUUM from freezing.',
 $$SELECT max(xid_freeze_percent) AS value, (array_agg(database_name ORDER BY xid_age DESC))[1]::text AS detail FROM steward.wraparound$$),
(false, 'xid_stop', '%', 40, 75, 'oldest transaction id of a database, of where the server stops to write',
 'VACUUM the oldest tables: SELECT * FROM steward.autovacuum_queue ORDER BY xid_age DESC;',
 $$SELECT max(xid_stop_percent) AS value, (array_agg(database_name ORDER BY xid_age DESC))[1]::text AS detail FROM steward.wraparound$$),
(false, 'multixact_stop', '%', 40, 75, 'oldest multixact of a database, of where the server stops to write',
 'VACUUM the oldest tables: SELECT * FROM steward.autovacuum_queue ORDER BY multixact_age DESC;',
 $$SELECT max(multixact_stop_percent) AS value, (array_agg(database_name ORDER BY multixact_age DESC))[1]::text AS detail FROM steward.wraparound$$),
(false, 'xmin_age', 'transactions', 10000000, 100000000, 'how old row versions are that VACUUM may not remove',
 'SELECT * FROM steward.xmin_horizon;',
 $$SELECT coalesce(max(xid_age), 0) AS value, (array_agg(format('%s %s', kind, holder) ORDER BY xid_age DESC))[1] AS detail FROM steward.xmin_horizon$$),
(false, 'autovacuum_pressure', 'ratio', 2, 5, 'dead rows of a table of a hundred pages or more, of what autovacuum lets pass',
 'SELECT * FROM steward.autovacuum_queue ORDER BY vacuum_pressure DESC NULLS LAST;',
 $$SELECT coalesce(max(vacuum_pressure), 0) AS value, (array_agg(format('%I.%I', schema_name, table_name) ORDER BY vacuum_pressure DESC))[1] AS detail
     FROM steward.autovacuum_queue WHERE table_bytes >= 100 * current_setting('block_size')::bigint AND vacuum_pressure IS NOT NULL$$),
(false, 'autovacuum', 'off', 1, NULL, 'whether autovacuum and its counters are on',
 'ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET track_counts = on;',
 $$SELECT (current_setting('autovacuum') <> 'on' OR current_setting('track_counts') <> 'on')::integer AS value, NULL AS detail$$),
(false, 'replication_lag_bytes', 'bytes', 100 * 1024 ^ 2, 1024 ^ 3, 'WAL that a standby or subscriber has not replayed',
 'SELECT * FROM steward.replication;',
 $$SELECT coalesce(max(replay_lag_bytes), 0) AS value, (array_agg(name ORDER BY replay_lag_bytes DESC NULLS LAST))[1] AS detail FROM steward.replication$$),
(false, 'replication_lag_time', 's', 60, 600, 'how far a standby or subscriber is behind',
 'SELECT * FROM steward.replication;',
 $$SELECT coalesce(max(extract(epoch FROM replay_lag)), 0) AS value, (array_agg(name ORDER BY replay_lag DESC NULLS LAST))[1] AS detail FROM steward.replication$$),
(false, 'replication_source', 'missing', 1, 1, 'whether a standby gets WAL',
 'See the log of this server, and primary_conninfo.',
 $$SELECT count(*) FILTER (WHERE direction = 'from' AND pid IS NULL) AS value, CASE WHEN NOT pg_is_in_recovery() THEN 'no standby' END AS detail
     FROM steward.replication$$),
(false, 'slot_retained', 'bytes', 5 * 1024.0 ^ 3, 20 * 1024.0 ^ 3, 'WAL that a replication slot keeps',
 'SELECT * FROM steward.replication_slots; drop the slot of who will not come back, and set max_slot_wal_keep_size.',
 $$SELECT coalesce(max(retained_bytes), 0) AS value, (array_agg(slot_name ORDER BY retained_bytes DESC NULLS LAST))[1]::text AS detail FROM steward.replication_slots$$),
(false, 'slot_lost', 'slots', 1, 1, 'replication slots whose WAL is gone or soon will be',
 'SELECT pg_drop_replication_slot(...); and build the standby or subscriber anew.',
 $$SELECT count(*) AS value, min(slot_name)::text AS detail FROM steward.replication_slots WHERE wal_status IN ('lost', 'unreserved') OR is_conflicting OR invalidation_reason IS NOT NULL$$),
(false, 'archive_failing', 's', 300, 3600, 'since when WAL cannot be archived',
 'See the log for what archive_command says.',
 $$SELECT CASE WHEN is_failing THEN extract(epoch FROM clock_timestamp() - coalesce(last_archived_time, counted_since)) ELSE 0 END AS value, last_failed_wal AS detail FROM steward.archiver$$),
(false, 'archive_backlog', 'files', 20, 200, 'WAL files that wait to be archived',
 'See the log for what archive_command says, and how long it takes.',
 $$SELECT CASE WHEN mode = 'off' THEN 0 ELSE files_waiting END AS value, CASE WHEN mode = 'off' THEN 'archive_mode is off' END AS detail FROM steward.archiver$$),
(false, 'sequences', '%', 75, 90, 'numbers that a sequence, or the column it is for, has given',
 'ALTER TABLE ... ALTER COLUMN ... TYPE bigint; ALTER SEQUENCE ... AS bigint;',
 $$SELECT coalesce(max(used_percent), 0) AS value, (array_agg(format('%I.%I', schema_name, sequence_name) ORDER BY used_percent DESC))[1] AS detail
     FROM steward.sequence_usage WHERE NOT cycles AND used_percent IS NOT NULL$$),
(false, 'checksum_failures', 'blocks', 1, 1, 'blocks that were read with a wrong checksum',
 'Restore from a backup, and look at the storage.',
 $$SELECT CASE WHEN current_setting('data_checksums') = 'on' THEN coalesce(sum(checksum_failures), 0) END AS value,
          CASE WHEN current_setting('data_checksums') = 'on' THEN min(database_name) FILTER (WHERE checksum_failures > 0)::text ELSE 'data checksums are off' END AS detail
     FROM steward.database_stats$$),
(false, 'pending_restart', 'settings', 1, NULL, 'settings that were changed and wait for a restart',
 'SELECT * FROM steward.settings_changed WHERE pending_restart;',
 $$SELECT count(*) AS value, string_agg(DISTINCT name, ', ') AS detail FROM steward.settings_changed WHERE pending_restart$$),
(false, 'invalid_indexes', 'indexes', 1, NULL, 'indexes that no query uses and every write pays for',
 'SELECT * FROM steward.invalid_objects;',
 $$SELECT count(*) AS value, min(object) AS detail FROM steward.invalid_objects WHERE kind = 'index'$$),
(false, 'invalid_databases', 'databases', 1, NULL, 'databases that can only be dropped',
 'SELECT * FROM steward.invalid_objects;',
 $$SELECT count(*) AS value, min(object) AS detail FROM steward.invalid_objects WHERE kind = 'database'$$),
(false, 'statements', 'missing', 1, NULL, 'whether statements are counted',
 'SELECT * FROM steward.statements_source();',
 $$SELECT CASE WHEN unavailable IS NULL THEN 0 END AS value, unavailable AS detail FROM steward.statements_source()$$),
(false, 'audit_triggers', 'triggers', 1, 1, 'audit triggers that do not fire',
 'SELECT * FROM steward.audit_coverage;',
 $$SELECT count(*) AS value, min(format('%I.%I', table_schema, table_name)) AS detail
     FROM steward.audit_coverage WHERE finding IN ('trigger disabled', 'trigger fires in replication only', 'trigger cannot work', 'unknown column')$$),
(false, 'audit_partitions', 'days', 2, 0, 'until when the audit log has partitions ready; after that it writes to the default one',
 'SELECT * FROM steward.audit_maintain(); from cron.',
 $$SELECT CASE WHEN EXISTS (SELECT FROM steward.audit_triggers)
               THEN coalesce(extract(epoch FROM max(upper_bound) - clock_timestamp()) / 86400, -1) ELSE 9999 END AS value,
          CASE WHEN NOT EXISTS (SELECT FROM steward.audit_triggers) THEN 'nothing is audited' END AS detail
     FROM steward.audit_partitions$$),
(false, 'upkeep_triggers', 'triggers', 1, NULL, 'triggers that keep columns right and do not fire',
 'SELECT * FROM steward.upkeep_triggers WHERE enabled IN (''D'', ''R'');',
 $$SELECT count(*) AS value, min(relation::text) AS detail FROM steward.upkeep_triggers WHERE enabled IN ('D', 'R')$$),
(false, 'tenant_isolation', 'findings', 1, 1, 'holes between the rows of tenants',
 'SELECT * FROM steward.tenant_check();',
 $$SELECT count(*) AS value, min(object) AS detail FROM steward.tenant_check() WHERE level = 'ERROR'$$),
(false, 'tenant_policies', 'policies', 1, NULL, 'policies that are not what they were made to be',
 'SELECT * FROM steward.tenant_policies WHERE problem IS NOT NULL;',
 $$SELECT count(*) AS value, min(relation::text) AS detail FROM steward.tenant_policies WHERE problem IS NOT NULL$$),
(false, 'extension_version', 'outdated', 1, NULL, 'whether the extension''s objects are those of its library',
 'ALTER EXTENSION pg_steward UPDATE;',
 $$SELECT (installed_version <> default_version)::integer AS value, format('%s, %s is there', installed_version, default_version) AS detail
     FROM pg_catalog.pg_available_extensions WHERE name = 'pg_steward'$$);

CREATE FUNCTION steward.health_run(
    OUT check_name text, OUT status text, OUT status_code integer, OUT value numeric, OUT warning numeric, OUT critical numeric,
    OUT unit text, OUT detail text, OUT hint text, OUT elapsed_ms numeric) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '100ms' SET jit = off
AS $$
DECLARE
    wanted record;
    started timestamptz;
BEGIN
    FOR wanted IN
        SELECT c.check_name, c.query, c.unit, c.hint, coalesce(t.enabled, true) AS enabled, t.reason,
               CASE WHEN t.check_name IS NULL THEN c.warning ELSE coalesce(t.warning, c.warning) END AS warning,
               CASE WHEN t.check_name IS NULL THEN c.critical ELSE coalesce(t.critical, c.critical) END AS critical
          FROM steward.health_checks c
          LEFT JOIN steward.health_thresholds t USING (check_name)
         ORDER BY c.check_name COLLATE "C"
    LOOP
        started := clock_timestamp();
        check_name := wanted.check_name;
        warning := wanted.warning;
        critical := wanted.critical;
        unit := wanted.unit;
        value := NULL;
        detail := NULL;
        hint := wanted.hint;
        IF NOT wanted.enabled THEN
            status := 'DISABLED';
            detail := wanted.reason;
        ELSE
            BEGIN
                PERFORM steward.time_limit(1000);
                EXECUTE format('SELECT q.value, q.detail FROM (%s) q', wanted.query) INTO value, detail;
                PERFORM steward.time_limit(0);
                status := CASE WHEN value IS NULL THEN 'UNKNOWN'
                               WHEN warning IS NOT NULL AND critical < warning THEN
                                   CASE WHEN value <= critical THEN 'CRITICAL' WHEN value <= warning THEN 'WARNING' ELSE 'OK' END
                               WHEN value >= critical THEN 'CRITICAL'
                               WHEN value >= warning THEN 'WARNING'
                               ELSE 'OK' END;
            EXCEPTION
                WHEN query_canceled THEN
                    -- not the limit's doing
                    IF NOT steward.time_limit(0) THEN
                        RAISE;
                    END IF;
                    status := 'UNKNOWN';
                    detail := 'took longer than 1 s';
                WHEN OTHERS THEN
                    PERFORM steward.time_limit(0);
                    status := 'UNKNOWN';
                    detail := SQLERRM;
                    hint := CASE SQLSTATE WHEN '42501' THEN format('GRANT pg_monitor TO %I;', current_user) ELSE wanted.hint END;
            END;
        END IF;
        IF status IN ('OK', 'DISABLED') THEN
            hint := NULL;
        END IF;
        status_code := array_position('{OK,WARNING,CRITICAL,UNKNOWN,DISABLED}', status) - 1;
        elapsed_ms := round(extract(epoch FROM clock_timestamp() - started) * 1000, 2);
        RETURN NEXT;
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward.health_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.health_run() TO pg_monitor;
COMMENT ON FUNCTION steward.health_run() IS
'Makes all checks of health_checks, each on its own.';

CREATE VIEW steward.health_check AS
SELECT h.check_name, h.status, h.status_code, h.value, h.warning, h.critical, h.unit, h.detail, h.hint, h.elapsed_ms
  FROM steward.health_run() h;
COMMENT ON VIEW steward.health_check IS
'One row for each check, also when all is well: OK, WARNING, CRITICAL, UNKNOWN or DISABLED.';
COMMENT ON COLUMN steward.health_check.status_code IS '0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, 4 DISABLED';
GRANT SELECT ON steward.health_check TO pg_monitor;

CREATE VIEW steward.health_summary AS
SELECT s.status, array_position('{OK,WARNING,CRITICAL,UNKNOWN}', s.status) - 1 AS status_code,
       s.status || coalesce(': ' || s.problems, ': all ' || s.checks || ' checks') AS message,
       s.checks, s.warnings, s.criticals, s.unknowns, s.elapsed_ms
  FROM (SELECT CASE WHEN bool_or(h.status = 'CRITICAL') THEN 'CRITICAL' WHEN bool_or(h.status = 'WARNING') THEN 'WARNING'
                    WHEN bool_or(h.status = 'UNKNOWN') THEN 'UNKNOWN' ELSE 'OK' END AS status,
               string_agg(format('%s %s', h.check_name, coalesce(trim_scale(round(h.value, 2))::text || ' ' || h.unit, 'UNKNOWN')), ', '
                          ORDER BY h.status_code % 3 DESC, h.check_name COLLATE "C") FILTER (WHERE h.status IN ('WARNING', 'CRITICAL')) AS problems,
               count(*) FILTER (WHERE h.status <> 'DISABLED') AS checks, count(*) FILTER (WHERE h.status = 'WARNING') AS warnings,
               count(*) FILTER (WHERE h.status = 'CRITICAL') AS criticals, count(*) FILTER (WHERE h.status = 'UNKNOWN') AS unknowns,
               sum(h.elapsed_ms) AS elapsed_ms
          FROM steward.health_check h) s;
COMMENT ON VIEW steward.health_summary IS
'health_check in one line, with a status code as Nagios plugins have it.';
GRANT SELECT ON steward.health_summary TO pg_monitor;
