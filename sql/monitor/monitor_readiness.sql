-- monitor_readiness: what a server should have before people depend on it.

-- Whoever takes snapshots has something to compare with.
CREATE FUNCTION steward_internal.readiness_snapshots(OUT snapshots bigint, OUT first_taken timestamptz, OUT last_taken timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT count(*), min(s.taken_at), max(s.taken_at) INTO snapshots, first_taken, last_taken FROM steward.snapshots s;
END $$;
REVOKE ALL ON FUNCTION steward_internal.readiness_snapshots() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.readiness_snapshots() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.readiness_snapshots() IS
'Returns how many snapshots there are, and of when.';

-- The rules of pg_hba.conf are for superusers; null for who may not see them.
CREATE FUNCTION steward_internal.readiness_open_rules() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT count(*) FROM pg_hba_file_rules r WHERE r.type IN ('host', 'hostnossl') AND r.auth_method IN ('trust', 'password')
                                                       AND coalesce(r.address, '') NOT IN ('127.0.0.1', '::1', 'localhost', 'samehost'));
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION steward_internal.readiness_open_rules() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.readiness_open_rules() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.readiness_open_rules() IS
'Returns how many rules of pg_hba.conf let others in without a password, or have it sent in the clear; null if that may not be known.';

CREATE FUNCTION steward_internal.readiness_run(OUT place integer, OUT area text, OUT item text, OUT status text, OUT detail text, OUT hint text, OUT remedy text) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off
BEGIN ATOMIC
    WITH archiver AS MATERIALIZED (
        SELECT a.* FROM steward.archiver a
    ), source AS MATERIALIZED (
        SELECT s.* FROM steward.statements_source() s
    ), snapshots AS MATERIALIZED (
        SELECT s.* FROM steward_internal.readiness_snapshots() s
    ), foreign_keys AS MATERIALIZED (
        SELECT count(*) AS found FROM steward.foreign_keys_without_index
    ), invalid AS MATERIALIZED (
        SELECT count(*) AS found FROM steward.invalid_objects i WHERE i.kind = 'index'
    ), stale AS MATERIALIZED (
        SELECT count(*) AS found FROM steward.stale_statistics
    ), vacuum AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE NOT q.autovacuum_enabled) AS off, max(q.freeze_pressure) AS freeze_pressure FROM steward.autovacuum_queue q
    ), standbys AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE r.direction = 'to') AS found FROM steward.replication r
    ), sessions AS MATERIALIZED (
        SELECT count(*) FILTER (WHERE r.rolsuper AND a.client_addr IS NOT NULL) AS superusers,
               count(*) FILTER (WHERE a.application_name COLLATE "C" ~* 'exporter|monitor|nagios|zabbix|prometheus|datadog|pgwatch') AS monitors
          FROM pg_stat_activity a
          LEFT JOIN pg_roles r ON r.oid = a.usesysid
         WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
    ), hba AS MATERIALIZED (
        SELECT steward_internal.readiness_open_rules() AS open_rules
    ), tenants AS MATERIALIZED (
        SELECT count(*) AS tables, count(*) FILTER (WHERE t.row_security) AS protected,
               (SELECT count(*) FROM steward.tenant_check() c WHERE c.severity = 'CRITICAL' AND count(*) FILTER (WHERE t.row_security) > 0) AS holes
          FROM steward_internal.tenant_tables() t
    ), audited AS MATERIALIZED (
        SELECT count(DISTINCT t.relation_id) AS tables FROM steward_internal.audit_triggers t
    ), commented AS MATERIALIZED (
        SELECT count(*) AS tables, count(obj_description(c.oid, 'pg_class')) AS commented
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
           AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
           AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid)
    ), settings AS MATERIALIZED (
        SELECT current_setting('archive_command') AS archive_command, coalesce(current_setting('archive_library', true), '') AS archive_library,
               current_setting('ssl')::boolean AS ssl, current_setting('data_checksums') AS checksums, pg_is_in_recovery() AS is_standby
    )
    SELECT r.place, r.area, r.item, r.status, r.detail, r.hint, r.remedy
      FROM archiver a, source s, snapshots n, foreign_keys f, invalid i, stale st, vacuum v, standbys b, sessions c, hba h, tenants t, audited u, commented d, settings e
     CROSS JOIN LATERAL (VALUES
           (1, 'backups', 'WAL is archived, so that a backup can be rolled forward',
            CASE WHEN a.mode = 'off' OR e.archive_command IN ('', '(disabled)') AND e.archive_library = '' THEN 'MISSING'
                 WHEN e.is_standby AND a.mode = 'on' THEN 'UNKNOWN' WHEN a.is_failing THEN 'FAILING'
                 WHEN a.last_archived_time IS NULL THEN 'UNKNOWN' ELSE 'OK' END,
            CASE WHEN e.is_standby AND a.mode = 'on' THEN 'the primary archives'
                 ELSE format('archive_mode %s, last archived %s', a.mode, coalesce(date_trunc('second', a.last_archived_age) || ' ago', 'nothing yet')) END,
            'Set up pgBackRest; it writes archive_command.', NULL),
           (2, 'backups', 'archive_command does not overwrite, and syncs what it writes',
            CASE WHEN a.mode = 'off' THEN 'MISSING' WHEN e.archive_library <> '' THEN 'UNKNOWN'
                 WHEN e.archive_command ~ '(^|[/&;|]|\s)(cp|copy|rsync|scp|mv)\s' THEN 'MISSING' ELSE 'UNKNOWN' END,
            CASE WHEN a.mode = 'off' THEN 'archive_mode off' WHEN e.archive_command ~ '(^|[/&;|]|\s)(cp|copy|rsync|scp|mv)\s' THEN 'it copies files without syncing them'
                 ELSE 'the server cannot know what the command does' END,
            'Use a tool made for it, such as pgBackRest.', NULL),
           (3, 'backups', 'backups are made by themselves, and one was restored as a test', 'UNKNOWN', 'the server cannot know', 'Restore one, and compare.', NULL),
           (4, 'monitoring', 'somebody looks at the server', CASE WHEN c.monitors > 0 THEN 'OK' ELSE 'UNKNOWN' END,
            CASE WHEN c.monitors > 0 THEN format('%s sessions of monitoring programs', c.monitors) ELSE 'no session says that it is a monitoring program''s' END,
            'Have cron or an exporter ask.', 'SELECT message FROM steward.health_summary;'),
           (5, 'monitoring', 'an alert reaches a person', 'UNKNOWN', 'the server cannot know', 'Cause one, and see who comes.', NULL),
           (6, 'monitoring', 'statements are counted', CASE WHEN s.unavailable IS NULL THEN 'OK' ELSE 'MISSING' END, s.unavailable, NULL, s.remedy),
           (7, 'monitoring', 'slow statements, lock waits and checkpoints are logged',
            CASE WHEN current_setting('log_lock_waits')::boolean AND current_setting('log_min_duration_statement') <> '-1' AND current_setting('log_checkpoints')::boolean THEN 'OK' ELSE 'MISSING' END,
            format('log_min_duration_statement %s, log_lock_waits %s, log_checkpoints %s', current_setting('log_min_duration_statement'), current_setting('log_lock_waits'), current_setting('log_checkpoints')),
            'Then SELECT pg_reload_conf();',
            CASE WHEN current_setting('log_min_duration_statement') = '-1' THEN 'ALTER SYSTEM SET log_min_duration_statement = ''1s'';'
                 WHEN NOT current_setting('log_lock_waits')::boolean THEN 'ALTER SYSTEM SET log_lock_waits = on;' ELSE 'ALTER SYSTEM SET log_checkpoints = on;' END),
           (8, 'pooling', 'a pooler stands between applications and server', 'UNKNOWN', 'to the server its connections are like others', 'Put PgBouncer in front.', NULL),
           (9, 'pooling', 'connections are few enough for the machine',
            CASE WHEN current_setting('max_connections')::integer > 500 THEN 'MISSING' ELSE 'UNKNOWN' END,
            format('max_connections %s; the server does not know how many processors there are', current_setting('max_connections')), 'Set max_connections to a few for each processor, and restart the server.', NULL),
           (10, 'pooling', 'idle transactions end', CASE WHEN current_setting('idle_in_transaction_session_timeout') <> '0' THEN 'OK' ELSE 'MISSING' END,
            format('idle_in_transaction_session_timeout %s', current_setting('idle_in_transaction_session_timeout')), 'Then SELECT pg_reload_conf();', 'ALTER SYSTEM SET idle_in_transaction_session_timeout = ''5min'';'),
           (11, 'encryption', 'the server can encrypt connections', CASE WHEN e.ssl THEN 'OK' ELSE 'MISSING' END,
            format('ssl %s', CASE WHEN e.ssl THEN 'on' ELSE 'off' END), 'It needs a certificate. Then SELECT pg_reload_conf();', 'ALTER SYSTEM SET ssl = on;'),
           (12, 'encryption', 'connections from elsewhere are encrypted and need a password that is not sent',
            CASE WHEN h.open_rules > 0 OR NOT e.ssl THEN 'MISSING' ELSE 'UNKNOWN' END,
            CASE WHEN h.open_rules IS NULL THEN 'pg_hba.conf is for superusers to see' WHEN h.open_rules > 0 THEN format('%s rules of pg_hba.conf want neither', h.open_rules)
                 ELSE 'pg_hba.conf has no rule that is open, but host lets those in who do not encrypt' END,
            'Write hostssl and scram-sha-256 in pg_hba.conf.', 'SELECT * FROM pg_hba_file_rules;'),
           (13, 'roles', 'passwords are kept as SCRAM', CASE WHEN current_setting('password_encryption') = 'scram-sha-256' THEN 'OK' ELSE 'MISSING' END,
            format('password_encryption %s', current_setting('password_encryption')), 'Then SELECT pg_reload_conf(), and have passwords set anew.', 'ALTER SYSTEM SET password_encryption = ''scram-sha-256'';'),
           (14, 'roles', 'applications do not log in as superuser', CASE WHEN c.superusers > 0 THEN 'MISSING' ELSE 'UNKNOWN' END,
            CASE WHEN c.superusers > 0 THEN format('%s sessions from elsewhere are', c.superusers) ELSE 'no session from elsewhere is, at the moment' END,
            'Create a role for each application, and grant it what it needs.', NULL),
           (15, 'roles', 'not everybody may create in schema public',
            CASE WHEN to_regnamespace('public') IS NULL THEN 'OK' WHEN has_schema_privilege('public', to_regnamespace('public'), 'CREATE') THEN 'MISSING' ELSE 'OK' END,
            NULL, NULL, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC;'),
           (16, 'indexes', 'foreign keys have indexes', CASE WHEN f.found > 0 THEN 'MISSING' ELSE 'OK' END, format('%s have none', f.found), NULL, 'SELECT remedy FROM steward.foreign_keys_without_index;'),
           (17, 'indexes', 'all indexes are valid', CASE WHEN i.found > 0 THEN 'MISSING' ELSE 'OK' END, format('%s are not', i.found), NULL, 'SELECT * FROM steward.invalid_objects;'),
           (18, 'indexes', 'the planner knows the tables', CASE WHEN e.is_standby THEN 'UNKNOWN' WHEN st.found > 0 THEN 'MISSING' ELSE 'OK' END,
            CASE WHEN e.is_standby THEN 'a standby does not count' ELSE format('%s tables ask for ANALYZE', st.found) END, NULL, 'SELECT remedy FROM steward.stale_statistics;'),
           (19, 'vacuum', 'autovacuum is on, for all tables', CASE WHEN v.off > 0 THEN 'MISSING' ELSE 'OK' END, format('off for %s tables', v.off), NULL, 'SELECT remedy FROM steward.findings WHERE finding = ''autovacuum_off'';'),
           (20, 'vacuum', 'freezing keeps up', CASE WHEN v.freeze_pressure > 1.1 THEN 'FAILING' ELSE 'OK' END,
            format('the oldest table is at %s of its age to freeze', v.freeze_pressure), NULL, 'SELECT * FROM steward.xmin_horizon;'),
           (21, 'replication', 'there is a standby', CASE WHEN e.is_standby THEN 'OK' WHEN b.found > 0 THEN 'OK' ELSE 'MISSING' END,
            CASE WHEN e.is_standby THEN 'this is one' ELSE format('%s receive WAL', b.found) END, 'Make one with pg_basebackup --write-recovery-conf.', NULL),
           (22, 'replication', 'a standby that is gone cannot fill the disk', CASE WHEN current_setting('max_slot_wal_keep_size') <> '-1' THEN 'OK' ELSE 'MISSING' END,
            format('max_slot_wal_keep_size %s', current_setting('max_slot_wal_keep_size')), 'Then SELECT pg_reload_conf();', 'ALTER SYSTEM SET max_slot_wal_keep_size = ''50GB'';'),
           (23, 'durability', 'the server writes what it says it has written',
            CASE WHEN current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean THEN 'OK' ELSE 'MISSING' END,
            format('fsync %s, full_page_writes %s', current_setting('fsync'), current_setting('full_page_writes')), 'Then SELECT pg_reload_conf();',
            CASE WHEN current_setting('fsync')::boolean THEN 'ALTER SYSTEM SET full_page_writes = on;' ELSE 'ALTER SYSTEM SET fsync = on;' END),
           (24, 'durability', 'blocks have checksums', CASE WHEN e.checksums = 'on' THEN 'OK' ELSE 'MISSING' END, format('data_checksums %s', e.checksums), 'Run pg_checksums --enable, with the server stopped.', NULL),
           (25, 'recovery', 'what to do when the server is lost is written down', 'UNKNOWN', 'the server cannot know', 'Write it down, and have somebody else try it.', NULL),
           (26, 'performance', 'there is a baseline to compare with',
            CASE WHEN n.snapshots < 2 THEN 'MISSING' WHEN n.last_taken < clock_timestamp() - interval '2 days' THEN 'FAILING'
                 WHEN n.last_taken - n.first_taken < interval '7 days' THEN 'UNKNOWN' ELSE 'OK' END,
            CASE WHEN n.snapshots < 2 THEN format('%s snapshots', n.snapshots)
                 ELSE format('%s snapshots of %s, the last %s ago', n.snapshots, date_trunc('hour', n.last_taken - n.first_taken), date_trunc('minute', clock_timestamp() - n.last_taken)) END,
            'Have cron take them.', 'SELECT steward.snapshot();'),
           (27, 'security audit', 'tenants are kept apart', CASE WHEN t.holes > 0 THEN 'MISSING' WHEN t.protected > 0 THEN 'OK' ELSE 'UNKNOWN' END,
            CASE WHEN t.tables = 0 THEN 'no table has tenants' WHEN t.protected = 0 THEN format('%s tables have tenants, none row security', t.tables) ELSE format('%s holes', t.holes) END,
            NULL, 'SELECT * FROM steward.tenant_check();'),
           (28, 'security audit', 'who changed what is recorded', CASE WHEN u.tables > 0 THEN 'OK' ELSE 'MISSING' END, format('%s tables are audited', u.tables),
            'Call audit_enable() for the tables that matter.', 'SELECT * FROM steward.audit_coverage;'),
           (29, 'security audit', 'somebody other than its makers has looked at it', 'UNKNOWN', 'the server cannot know', NULL, NULL),
           (30, 'documentation', 'tables have comments', CASE WHEN d.commented < d.tables THEN 'MISSING' ELSE 'OK' END,
            format('%s of %s tables have none', d.tables - d.commented, d.tables), 'COMMENT ON TABLE says what a table is for.', NULL)
           ) r(place, area, item, status, detail, hint, remedy);
END;
REVOKE ALL ON FUNCTION steward_internal.readiness_run() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.readiness_run() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.readiness_run() IS
'Returns the production checklist, item by item.';

CREATE VIEW steward.readiness AS
SELECT r.area, r.item, r.status, r.detail, r.hint, r.remedy FROM steward_internal.readiness_run() r ORDER BY r.place;
COMMENT ON VIEW steward.readiness IS
'What a server should have before people depend on it.';
COMMENT ON COLUMN steward.readiness.area IS 'The part of the checklist.';
COMMENT ON COLUMN steward.readiness.item IS 'What should be.';
COMMENT ON COLUMN steward.readiness.status IS 'OK; MISSING; FAILING for what is there and does not work; UNKNOWN where only people can tell, or this server or role cannot.';
COMMENT ON COLUMN steward.readiness.detail IS 'What was found.';
COMMENT ON COLUMN steward.readiness.hint IS 'What to do, in words, also where all is well; null if the remedy is all.';
COMMENT ON COLUMN steward.readiness.remedy IS 'The command that does it, or shows more of it; null if none is known.';
GRANT SELECT ON steward.readiness TO pg_monitor;
