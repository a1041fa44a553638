-- monitor_findings: single objects that ask for something, the commands that give it to them, and whether all is ready.

CREATE TABLE steward.findings_muted (
    cache_key   text COLLATE "C" PRIMARY KEY,
    muted_until timestamptz NOT NULL DEFAULT 'infinity',
    reason      text NOT NULL,
    muted_by    name NOT NULL DEFAULT current_user
);
COMMENT ON TABLE steward.findings_muted IS
'Findings that are as you want them, by their cache_key, for a while or for ever.';
GRANT SELECT ON steward.findings_muted TO pg_monitor;
SELECT pg_extension_config_dump('steward.findings_muted', '');

-- Hygiene is INFO, what will hurt WARNING, and CRITICAL what stops writes, loses data or shows it to others.
CREATE VIEW steward.all_findings AS
WITH own_schemas AS (
    SELECT n.nspname FROM pg_namespace n WHERE n.nspname IN ('steward', 'pg_catalog', 'pg_toast', 'information_schema')
), found AS (
    SELECT 'unused_index' AS finding, 'INFO' AS level, format('%I.%I', u.schema_name, u.index_name) AS object,
           format('not used for %s', date_trunc('second', u.counted_for)) || CASE WHEN u.has_standbys THEN '; look at the standbys too' ELSE '' END AS detail, u.remedy
      FROM steward.unused_indexes u
     WHERE u.schema_name NOT IN (SELECT o.nspname FROM own_schemas o) AND u.index_bytes >= 1024 ^ 2 AND u.counted_for >= interval '7 days'
     UNION ALL
    SELECT 'redundant_index', 'INFO', format('%I.%I', r.schema_name, r.index_name), format('%s: %I', r.reason, r.covered_by), r.remedy
      FROM steward.redundant_indexes r
     UNION ALL
    SELECT 'invalid_' || replace(i.kind, ' ', '_'), 'WARNING', coalesce(i.table_name || '.', '') || i.object, i.problem, i.remedy
      FROM steward.invalid_objects i
     UNION ALL
    SELECT 'fk_without_index', CASE WHEN f.cascades AND f.estimated_rows > 100000 THEN 'WARNING' ELSE 'INFO' END,
           format('%I.%I.%I', f.schema_name, f.table_name, f.constraint_name), format('a DELETE in %s reads the whole table', f.referenced_table), f.remedy
      FROM steward.fk_without_index f
     UNION ALL
    SELECT 'no_primary_key', CASE WHEN t.is_published AND NOT t.has_replica_identity THEN 'WARNING' ELSE 'INFO' END,
           format('%I.%I', t.schema_name, t.table_name),
           CASE WHEN t.is_published AND NOT t.has_replica_identity THEN 'it is published without replica identity: UPDATE and DELETE fail' END,
           t.remedy
      FROM steward.tables_without_primary_key t
     WHERE t.schema_name NOT IN (SELECT o.nspname FROM own_schemas o)
     UNION ALL
    SELECT 'stale_statistics', 'INFO', format('%I.%I', s.schema_name, s.table_name), s.reason, s.remedy
      FROM steward.stale_statistics s
     WHERE s.schema_name NOT IN (SELECT o.nspname FROM own_schemas o)
     UNION ALL
    SELECT 'autovacuum_off', 'WARNING', coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name)), 'autovacuum is off for the table',
           format('ALTER TABLE %s RESET (%sautovacuum_enabled);', coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name)), CASE WHEN q.toast_of IS NOT NULL THEN 'toast.' END)
      FROM steward.autovacuum_queue q
     WHERE NOT q.autovacuum_enabled AND current_setting('autovacuum')::boolean
     UNION ALL
    SELECT 'sequence', CASE WHEN q.used_percent >= 90 THEN 'CRITICAL' ELSE 'WARNING' END, format('%I.%I', q.schema_name, q.sequence_name),
           format('%s %% used, %s left', q.used_percent, q.values_left), q.remedy
      FROM steward.sequence_usage q
     WHERE q.used_percent >= 75 AND NOT q.cycles
     UNION ALL
    SELECT 'replication_slot', CASE WHEN s.wal_status = 'lost' THEN 'CRITICAL' ELSE 'WARNING' END, quote_ident(s.slot_name),
           coalesce(s.invalidation_reason, s.wal_status, 'inactive'), format('SELECT pg_drop_replication_slot(%L);', s.slot_name)
      FROM steward.replication_slots s
     WHERE NOT s.is_active AND NOT s.is_temporary
     UNION ALL
    SELECT 'default_partition', 'INFO', p.default_partition, format('holds %s rows', p.default_partition_rows), NULL
      FROM steward.partitions p
     WHERE p.default_partition_rows > 0 AND p.schema_name NOT IN (SELECT o.nspname FROM own_schemas o)
     UNION ALL
    SELECT 'audit: ' || a.finding, 'WARNING', format('%I.%I', a.table_schema, a.table_name), a.detail, a.fix
      FROM steward.audit_coverage a
     -- what was never to be audited is no finding
     WHERE a.finding NOT IN ('not audited', 'foreign table', 'columns left out', 'no primary key')
     UNION ALL
    SELECT 'tenant: ' || c.rule, CASE c.level WHEN 'ERROR' THEN 'CRITICAL' ELSE c.level END, c.object, c.detail, c.fix_sql
      FROM steward.tenant_check() c
     UNION ALL
    SELECT 'tenant_policy', 'WARNING', format('%s.%I', p.relation, p.policy_name), p.problem, format('SELECT steward.tenant_protect_partitions(%L);', p.relation)
      FROM steward.tenant_policies p
     WHERE p.problem IS NOT NULL
)
SELECT f.finding, f.level, f.object, f.detail, f.remedy, concat_ws(':', f.finding, f.object) AS cache_key,
       m.cache_key IS NOT NULL AS is_muted, m.reason AS mute_reason
  FROM found f
  LEFT JOIN steward.findings_muted m ON m.cache_key = concat_ws(':', f.finding, f.object) AND m.muted_until > clock_timestamp();
COMMENT ON VIEW steward.all_findings IS
'What single objects ask for, muted or not.';
GRANT SELECT ON steward.all_findings TO pg_monitor;

CREATE VIEW steward.findings AS
SELECT f.finding, f.level, f.object, f.detail, f.remedy, f.cache_key
  FROM steward.all_findings f
 WHERE NOT f.is_muted;
COMMENT ON VIEW steward.findings IS
'What single objects ask for; see findings_muted.';
GRANT SELECT ON steward.findings TO pg_monitor;

CREATE FUNCTION steward.monitor_index_definition(index oid) RETURNS text
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_monitor_index_definition';
REVOKE ALL ON FUNCTION steward.monitor_index_definition(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.monitor_index_definition(oid) TO pg_monitor;
COMMENT ON FUNCTION steward.monitor_index_definition(oid) IS
'What pg_get_indexdef() says, null where that would wait for a lock.';

-- What VACUUM, REINDEX CONCURRENTLY and the like are good for now.  They cannot run in a function: use \gexec.
CREATE VIEW steward.maintenance_commands AS
SELECT c.priority, c.command, c.reason, c.undo, c.object
  FROM (SELECT CASE WHEN 'freeze' = ANY (q.due) THEN 1 ELSE 3 END AS priority,
               format('VACUUM (%sANALYZE) %s;', CASE WHEN 'freeze' = ANY (q.due) THEN 'FREEZE, ' ELSE '' END, coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name))) AS command,
               'due: ' || array_to_string(q.due, ', ') AS reason, NULL AS undo, coalesce(q.toast_of, format('%I.%I', q.schema_name, q.table_name)) AS object
          FROM steward.autovacuum_queue q
         WHERE q.due && '{freeze,vacuum,insert}'
         UNION ALL
        SELECT 4, s.remedy, s.reason, NULL, format('%I.%I', s.schema_name, s.table_name) FROM steward.stale_statistics s
         UNION ALL
        SELECT 2, i.remedy, i.problem, NULL, i.object FROM steward.invalid_objects i WHERE i.kind IN ('index', 'constraint')
         UNION ALL
        SELECT 5, f.remedy, format('foreign key %I has no index', f.constraint_name), NULL, format('%I.%I', f.schema_name, f.table_name) FROM steward.fk_without_index f
         UNION ALL
        SELECT 6, r.remedy, format('%s: %I', r.reason, r.covered_by), steward.monitor_index_definition(r.index_id) || ';', format('%I.%I', r.schema_name, r.index_name) FROM steward.redundant_indexes r
       ) c
 WHERE NOT pg_is_in_recovery()
 ORDER BY c.priority, c.object;
COMMENT ON VIEW steward.maintenance_commands IS
'Commands that are worth running, most urgent first, and what undoes them; psql runs them with \gexec.';
GRANT SELECT ON steward.maintenance_commands TO pg_monitor;

CREATE VIEW steward.readiness AS
SELECT r.area, r.item, r.status, r.detail, r.remedy
  FROM (VALUES
       (1, 'backups', 'WAL is archived, so that a backup can be rolled forward',
        CASE WHEN current_setting('archive_mode') = 'off' OR current_setting('archive_command') = '' AND coalesce(current_setting('archive_library', true), '') = '' THEN 'MISSING'
             WHEN (SELECT a.is_failing FROM steward.archiver a) THEN 'FAILING' ELSE 'OK' END,
        (SELECT format('archive_mode %s, last archived %s ago', a.mode, date_trunc('second', a.last_archived_age)) FROM steward.archiver a),
        'Set up pgBackRest; it writes archive_command.'),
       (2, 'backups', 'archive_command keeps what is there and syncs it',
        CASE WHEN current_setting('archive_mode') = 'off' THEN 'MISSING' WHEN current_setting('archive_command') ~ '(^|/|\s)(cp|rsync|scp)\s' THEN 'MISSING' ELSE 'OK' END,
        NULL, 'Use a tool made for it, such as pgBackRest.'),
       (3, 'backups', 'a backup was restored as a test', 'UNKNOWN', 'the server cannot know', 'Restore one, and compare.'),
       (4, 'monitoring', 'statements are counted',
        (SELECT CASE WHEN s.unavailable IS NULL THEN 'OK' ELSE 'MISSING' END FROM steward.statements_source() s),
        (SELECT s.unavailable FROM steward.statements_source() s), (SELECT s.remedy FROM steward.statements_source() s)),
       (5, 'monitoring', 'slow statements, lock waits and checkpoints are logged',
        CASE WHEN current_setting('log_lock_waits')::boolean AND current_setting('log_min_duration_statement') <> '-1' AND current_setting('log_checkpoints')::boolean THEN 'OK' ELSE 'MISSING' END,
        format('log_min_duration_statement %s, log_lock_waits %s, log_checkpoints %s', current_setting('log_min_duration_statement'), current_setting('log_lock_waits'), current_setting('log_checkpoints')),
        'ALTER SYSTEM SET log_min_duration_statement = ''1s''; ALTER SYSTEM SET log_lock_waits = on; ALTER SYSTEM SET log_checkpoints = on;'),
       (6, 'pooling', 'connections are few enough for the machine, or a pooler is in between',
        CASE WHEN current_setting('max_connections')::integer <= 500 THEN 'OK' ELSE 'MISSING' END, format('max_connections %s', current_setting('max_connections')), 'Put PgBouncer in front, and lower max_connections.'),
       (7, 'pooling', 'idle transactions end',
        CASE WHEN current_setting('idle_in_transaction_session_timeout') <> '0' THEN 'OK' ELSE 'MISSING' END,
        format('idle_in_transaction_session_timeout %s', current_setting('idle_in_transaction_session_timeout')), 'ALTER SYSTEM SET idle_in_transaction_session_timeout = ''5min'';'),
       (8, 'security', 'connections are encrypted', CASE WHEN current_setting('ssl')::boolean THEN 'OK' ELSE 'MISSING' END, format('ssl %s', current_setting('ssl')), 'ALTER SYSTEM SET ssl = on; and hostssl in pg_hba.conf'),
       (9, 'security', 'passwords are kept as SCRAM', CASE WHEN current_setting('password_encryption') = 'scram-sha-256' THEN 'OK' ELSE 'MISSING' END,
        format('password_encryption %s', current_setting('password_encryption')), 'ALTER SYSTEM SET password_encryption = ''scram-sha-256'';'),
       (10, 'security', 'applications do not log in as superuser',
        CASE WHEN EXISTS (SELECT FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid WHERE r.rolsuper AND a.backend_type = 'client backend' AND a.client_addr IS NOT NULL AND a.pid <> pg_backend_pid()) THEN 'MISSING' ELSE 'OK' END,
        (SELECT format('%s superusers can log in', count(*)) FROM pg_roles r WHERE r.rolsuper AND r.rolcanlogin), 'CREATE ROLE ... LOGIN; and grant it what it needs.'),
       (11, 'security', 'not everybody may create in schema public',
        CASE WHEN has_schema_privilege('public', 'public', 'CREATE') THEN 'MISSING' ELSE 'OK' END, NULL, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC;'),
       (12, 'security', 'tenants are kept apart', CASE WHEN EXISTS (SELECT FROM steward.tenant_check() c WHERE c.level = 'ERROR') THEN 'MISSING' ELSE 'OK' END, NULL, 'SELECT * FROM steward.tenant_check();'),
       (13, 'indexes', 'foreign keys have indexes', CASE WHEN EXISTS (SELECT FROM steward.fk_without_index) THEN 'MISSING' ELSE 'OK' END,
        (SELECT format('%s have none', count(*)) FROM steward.fk_without_index), 'SELECT remedy FROM steward.fk_without_index;'),
       (14, 'indexes', 'all indexes are valid', CASE WHEN EXISTS (SELECT FROM steward.invalid_objects i WHERE i.kind = 'index') THEN 'MISSING' ELSE 'OK' END, NULL, 'SELECT * FROM steward.invalid_objects;'),
       (15, 'indexes', 'the planner knows the tables', CASE WHEN EXISTS (SELECT FROM steward.stale_statistics) THEN 'MISSING' ELSE 'OK' END,
        (SELECT format('%s tables ask for ANALYZE', count(*)) FROM steward.stale_statistics), 'SELECT remedy FROM steward.stale_statistics;'),
       (16, 'vacuum', 'autovacuum is on, for all tables',
        CASE WHEN EXISTS (SELECT FROM steward.autovacuum_queue q WHERE NOT q.autovacuum_enabled) THEN 'MISSING' ELSE 'OK' END, NULL, 'ALTER SYSTEM SET autovacuum = on;'),
       (17, 'replication', 'there is a standby', CASE WHEN pg_is_in_recovery() OR EXISTS (SELECT FROM steward.replication r WHERE r.direction = 'to') THEN 'OK' ELSE 'MISSING' END, NULL, 'pg_basebackup --write-recovery-conf'),
       (18, 'replication', 'a standby that is gone cannot fill the disk', CASE WHEN current_setting('max_slot_wal_keep_size') <> '-1' THEN 'OK' ELSE 'MISSING' END,
        format('max_slot_wal_keep_size %s', current_setting('max_slot_wal_keep_size')), 'ALTER SYSTEM SET max_slot_wal_keep_size = ''50GB'';'),
       (19, 'durability', 'the server writes what it says it has written',
        CASE WHEN current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean THEN 'OK' ELSE 'MISSING' END,
        format('fsync %s, full_page_writes %s', current_setting('fsync'), current_setting('full_page_writes')), 'ALTER SYSTEM SET fsync = on; ALTER SYSTEM SET full_page_writes = on;'),
       (20, 'durability', 'blocks have checksums', CASE WHEN current_setting('data_checksums')::boolean THEN 'OK' ELSE 'MISSING' END, NULL, 'pg_checksums --enable, with the server stopped'),
       (21, 'performance', 'there is a baseline to compare with', 'UNKNOWN', 'no snapshots', 'SELECT steward.snapshot(); from cron'),
       (22, 'documentation', 'tables and columns have comments',
        CASE WHEN EXISTS (SELECT FROM steward.data_dictionary d WHERE d.schema_name <> 'steward' AND d.table_comment IS NULL) THEN 'MISSING' ELSE 'OK' END,
        (SELECT format('%s of %s tables have none', count(DISTINCT (d.schema_name, d.table_name)) FILTER (WHERE d.table_comment IS NULL), count(DISTINCT (d.schema_name, d.table_name)))
           FROM steward.data_dictionary d WHERE d.schema_name <> 'steward'), 'COMMENT ON TABLE ... IS ''...'';'),
       (23, 'documentation', 'what to do when the server is lost is written down', 'UNKNOWN', 'the server cannot know', NULL)
       ) r(place, area, item, status, detail, remedy)
 ORDER BY r.place;
COMMENT ON VIEW steward.readiness IS
'What a server should have before people depend on it: OK, MISSING, FAILING, or UNKNOWN where only you can tell.';
GRANT SELECT ON steward.readiness TO pg_monitor;
