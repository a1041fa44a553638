-- monitor_server: statements, replication, WAL, checkpoints, I/O and settings; what needs a restart or a standby is in 040_monitor.pl.
CREATE ROLE regress_app;
ALTER ROLE regress_app SET work_mem = '64MB';
ALTER ROLE regress_app SET app.jwt_secret = 'a8f5f167';

SELECT query, calls, total_percent, mean_seconds FROM steward.slow_queries LIMIT 10;
SELECT unavailable, remedy FROM steward.statements_source();
SELECT name, setting, unit, built_in, source FROM steward.settings_changed WHERE role_name = 'regress_app' ORDER BY name;

SELECT slot_name FROM pg_create_physical_replication_slot('regress_standby', true);
SELECT slot_name, is_active, retained_bytes >= 0 AS keeps_wal, wal_status, bytes_until_lost FROM steward.replication_slots WHERE slot_name = 'regress_standby';

-- Replication slots: nothing is made up.
SELECT slot_type, plugin, database_name, active_pid, is_temporary, xmin_age, catalog_xmin_age, unconfirmed_bytes, is_conflicting, invalidation_reason,
       (is_failover IS NULL) = (current_setting('server_version_num')::integer < 170000) AS failover_is_told_from_17_on,
       (is_synced IS NULL) = (current_setting('server_version_num')::integer < 170000) AS synced_is_told_from_17_on
  FROM steward.replication_slots WHERE slot_name = 'regress_standby';
SELECT pg_drop_replication_slot('regress_standby');
SELECT slot_name FROM pg_create_physical_replication_slot('regress_idle');
SELECT slot_name, retained_bytes, wal_status FROM steward.replication_slots WHERE slot_name = 'regress_idle';
SELECT pg_drop_replication_slot('regress_idle');

-- A primary gets its WAL from nobody.
SELECT count(*) FROM steward.replication WHERE direction = 'from';

-- Settings: of whom and from where.
CREATE ROLE "regress_Odd.name";
ALTER ROLE "regress_Odd.name" SET search_path = 'a=b', public;
ALTER ROLE "regress_Odd.name" SET statement_timeout = 5000;
ALTER ROLE "regress_Odd.name" SET timezone = 'Asia/Kolkata';
ALTER ROLE "regress_Odd.name" SET "Unknown.Setting" = 'x=y=z';
SELECT current_database() AS database_name \gset
ALTER ROLE "regress_Odd.name" IN DATABASE :"database_name" SET app.endpoint = 'postgres://ann:geheim@db/shop';
SELECT name, setting, unit, built_in, source, context, pending_restart, database_name = current_database() AS is_here, role_name
  FROM steward.settings_changed WHERE role_name = 'regress_Odd.name' ORDER BY name COLLATE "C";
-- a session's own settings are nobody else's
SET work_mem = '7MB';
SELECT count(*) FROM steward.settings_changed WHERE name = 'work_mem' AND role_name IS NULL;
RESET work_mem;
-- a bare pg_settings would have said
SELECT c.config FROM pg_db_role_setting r CROSS JOIN unnest(r.setconfig) c(config) WHERE r.setrole = 'regress_app'::regrole ORDER BY 1;
DROP OWNED BY "regress_Odd.name";
DROP ROLE regress_app, "regress_Odd.name";

-- What is shown of a value.
SELECT v.name, v.value, steward_internal.setting_shown(v.name, v.value, v.type) AS shown
  FROM (VALUES (1, 'primary_conninfo', 'host=a user=b password=geheim', 'string'),
               (2, 'primary_conninfo', '', 'string'),
               (3, 'steward.tenant_keys', 'k1:Z2VoZWlt', 'string'),
               (4, 'steward.audit_redaction_key', 'geheim', NULL),
               (5, 'steward.tenant_keys_file', '/etc/keys', 'string'),
               (6, 'ssl_key_file', 'server.key', 'string'),
               (7, 'krb_server_keyfile', 'FILE:/etc/krb5.keytab', 'string'),
               (8, 'ssl_passphrase_command', 'echo geheim', 'string'),
               (9, 'ssl_passphrase_command_supports_reload', 'on', 'bool'),
               (10, 'password_encryption', 'md5', 'enum'),
               (11, 'steward.tenant_token_ttl', '3600', 'integer'),
               (12, 'archive_command', 'pgbackrest --stanza=main archive-push %p', 'string'),
               (13, 'archive_command', '/usr/local/bin/archive', 'string'),
               (14, 'archive_command', 'PGPASSWORD=geheim cp %p /backup/%f', 'string'),
               (15, 'archive_command', '(PGPASSWORD=geheim cp %p /backup/%f)', 'string'),
               (16, 'archive_command', 'curl;geheim', 'string'),
               (17, 'archive_command', '(disabled)', 'string'),
               (18, 'restore_command', 'wget --password geheim %f', 'string'),
               (19, 'app.Secret', 'geheim', NULL),
               (20, 'app.stripe', '{"api_key": "geheim"}', NULL),
               (21, 'app.database', 'postgres://ann:geheim@db/shop', NULL),
               (22, 'app.dsn', 'host=a PASSWORD = geheim', NULL),
               (23, 'app.pem', '-----BEGIN PRIVATE', NULL),
               (24, 'search_path', '"$user", public', 'string'),
               (25, 'log_line_prefix', '%m [%p] %q%u@%d ', 'string'),
               (26, 'listen_addresses', '*', 'string')) v(place, name, value, type)
 ORDER BY v.place;

-- What a major does not tell is null, what it tells is not.
SELECT (done IS NULL) = (v.num < 180000) AS done_from_18_on, (slru_written IS NULL) = (v.num < 180000) AS slru_from_18_on,
       (restartpoints IS NULL) = (v.num < 170000) AS restartpoints_from_17_on,
       num_nonnulls(timed, requested, write_seconds, sync_seconds, buffers_written, buffers_cleaned, cleaning_stopped, backend_buffers_written,
                    backend_fsyncs, buffers_allocated, last_checkpoint_age, bytes_since_redo, counted_since) AS told_always
  FROM steward.checkpoints CROSS JOIN (SELECT current_setting('server_version_num')::integer AS num) v;
SELECT (count(*) > 0) = (current_setting('server_version_num')::integer >= 160000) AS rows_from_16_on,
       count(*) = count(DISTINCT (i.backend_type, i.object, i.context)) AS rows_have_a_key,
       coalesce(bool_and((i.reads IS NULL) = (i.read_bytes IS NULL) AND (i.writes IS NULL) = (i.write_bytes IS NULL) AND (i.extends IS NULL) = (i.extend_bytes IS NULL)), true) AS bytes_of_all_that_is_counted,
       coalesce(bool_and(i.object = 'wal' OR coalesce(i.read_bytes, 0) % b.size = 0 AND coalesce(i.read_bytes, 0) >= coalesce(i.reads, 0) * b.size), true) AS in_blocks
  FROM steward.io_activity i CROSS JOIN (SELECT current_setting('block_size')::integer AS size) b;
SELECT current_lsn BETWEEN '0/1' AND pg_current_wal_lsn() AS is_current, records > 0 AS has_records, wal_bytes > 0 AS has_bytes, wal_bytes_per_second > 0 AS has_rate FROM steward.wal_activity;
SELECT (mode = 'off') = (is_failing IS NULL) AS failing_is_told, (mode = 'off') = (files_waiting IS NULL) AS files_are_told, archived_count >= 0 AS counted FROM steward.archiver;

-- Every column says what it is.
SELECT a.attrelid::regclass AS view_name, a.attname
  FROM pg_attribute a
 WHERE a.attrelid = ANY ('{steward.slow_queries,steward.replication,steward.replication_slots,steward.archiver,steward.wal_activity,steward.checkpoints,
                           steward.io_activity,steward.settings_changed}'::regclass[])
   AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;

-- The functions behind the views are for their readers.
SELECT p.oid::regprocedure AS function, has_function_privilege('pg_monitor', p.oid, 'EXECUTE') AS for_monitor
  FROM pg_proc p
 WHERE p.pronamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND has_function_privilege('pg_monitor', p.oid, 'EXECUTE')
   AND NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x WHERE x.grantee = 0)
   AND p.proname IN ('statements_source', 'statement_rows', 'wal_files_waiting', 'checkpoint_rows', 'io_rows', 'setting_shown')
 ORDER BY p.proname COLLATE "C";
