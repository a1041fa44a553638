# The monitoring views where statements are not counted, on standbys, behind slots that are lost and while archiving fails.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 'logical', conf => q{
archive_mode = on
autovacuum = off
shared_preload_libraries = 'auto_explain'
# settings of a library that is not there
pg_stat_statements.max = 500
});
create_extension($primary);
$primary->safe_psql('postgres', 'CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher');

# What a member of pg_monitor gets, and what goes wrong.
sub watch
{
	my ($node, $sql) = @_;
	my ($rc, $stdout, $stderr) = $node->psql('postgres', $sql, extra_params => [ '-U', 'watcher' ]);
	return $stdout . $stderr;
}

sub poll
{
	my ($node, $sql, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok($node->poll_query_until('postgres', $sql), $name);
}

# Reads all columns of all views, each on its own.
sub all_views_work
{
	my ($node, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return is(watch($node, q{
		DO $$
		DECLARE
			view_name regclass;
		BEGIN
			FOR view_name IN SELECT c.oid FROM pg_class c WHERE c.relnamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND c.relkind = 'v' AND has_table_privilege(c.oid, 'SELECT') LOOP
				BEGIN
					EXECUTE format('SELECT count(to_jsonb(v)) FROM %s v', view_name);
				EXCEPTION WHEN OTHERS THEN
					RAISE NOTICE '% fails: %', view_name, SQLERRM;
				END;
			END LOOP;
		END $$}), '', $name);
}

my $source = 'SELECT unavailable, remedy FROM steward.statements_source()';

#
# Statements
#
is(watch($primary, $source), 'pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements;', 'without pg_stat_statements');
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
is( watch($primary, $source),
	q{pg_stat_statements is not in shared_preload_libraries, which takes a restart|ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';},
	'not preloaded, though the configuration knows its settings');
is(watch($primary, 'SELECT count(*) FROM steward.slow_queries'), '0', 'there are no rows, and no error');

$primary->append_conf('postgresql.conf', "pg_stat_statements.track = all\n");
$primary->safe_psql('postgres', watch($primary, 'SELECT remedy FROM steward.statements_source()'));
$primary->restart;
is($primary->safe_psql('postgres', 'SHOW shared_preload_libraries'), 'auto_explain, pg_stat_statements', 'the remedy keeps the libraries that are there');
$primary->safe_psql('postgres', q{
	DROP EXTENSION pg_stat_statements;
	CREATE SCHEMA "Odd.Schema";
	CREATE EXTENSION pg_stat_statements SCHEMA "Odd.Schema" VERSION '1.7'});
is(watch($primary, $source), 'pg_stat_statements is of an old version|ALTER EXTENSION pg_stat_statements UPDATE;', 'an old version');
is(watch($primary, 'SELECT count(*) FROM steward.slow_queries'), '0', 'has no rows');
my $session = $primary->background_psql('postgres');
my $count = q{SELECT count(*) > 0, bool_and(is_top_level IS NULL), bool_and(counted_since IS NULL) FROM steward.slow_queries};
$session->query_safe("PREPARE prepared AS $count");
is($session->query_safe('EXECUTE prepared'), 'f||', 'nor has a prepared statement');
$primary->safe_psql('postgres', q{ALTER EXTENSION pg_stat_statements UPDATE TO '1.8'; SELECT count(*) FROM pg_class});
is($session->query_safe('EXECUTE prepared'), 't|t|t', 'an update reaches it, and what version 1.8 lacks is null');
$primary->safe_psql('postgres', 'CREATE VIEW usual AS SELECT query, calls, total_exec_time FROM "Odd.Schema".pg_stat_statements');
my ($rc, $stdout, $stderr) = $primary->psql('postgres', 'ALTER EXTENSION pg_stat_statements UPDATE');
like($stderr, qr/other objects depend on it/, 'a view on pg_stat_statements keeps it from being updated');
$primary->safe_psql('postgres', 'DROP VIEW usual');
$primary->safe_psql('postgres', 'ALTER EXTENSION pg_stat_statements UPDATE; SELECT count(*) FROM pg_class');
my $has_since = $primary->safe_psql('postgres', q{SELECT string_to_array(extversion, '.')::integer[] >= '{1,11}' FROM pg_extension WHERE extname = 'pg_stat_statements'});
is($session->query_safe('EXECUTE prepared'), 't|f|' . ($has_since eq 't' ? 'f' : 't'), 'as does the next');
$session->quit;

is( watch($primary, $source),
	'permission denied for schema Odd.Schema|GRANT USAGE ON SCHEMA "Odd.Schema" TO pg_monitor; GRANT SELECT ON "Odd.Schema".pg_stat_statements TO pg_monitor;',
	'in a schema that is not for everybody');
is(watch($primary, 'SELECT count(*) FROM steward.slow_queries'), '0', 'it has no rows for who may not look');
$primary->safe_psql('postgres', watch($primary, 'SELECT remedy FROM steward.statements_source()'));
is(watch($primary, $source), '|', 'until the remedy is run');
$primary->safe_psql('postgres', q{
	CREATE TABLE thing (id integer PRIMARY KEY);
	CREATE FUNCTION fill() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO thing SELECT generate_series(1, 1000); END $$;
	SELECT fill()});
is( watch($primary, q{SELECT user_name, is_top_level, calls, rows, rows_per_call, query FROM steward.slow_queries WHERE query ~ '^(INSERT INTO thing|SELECT fill)' ORDER BY query}),
	join("\n", 'postgres|f|1|1000|1000.0|INSERT INTO thing SELECT generate_series($1, $2)', 'postgres|t|1|1|1.0|SELECT fill()') =~ s/postgres\|/getpwuid($>) . '|'/ger,
	'statements of others are told, with their text');
is(watch($primary, q{SELECT sum(total_percent) FILTER (WHERE is_top_level) BETWEEN 99 AND 101, sum(total_percent) > sum(total_percent) FILTER (WHERE is_top_level) FROM steward.slow_queries}),
	't|t', 'the parts of top-level statements add up to 100 %, what functions ran comes on top');

($rc, $stdout, $stderr) = $primary->psql('postgres', 'SELECT query, calls, total_time, mean_time FROM "Odd.Schema".pg_stat_statements ORDER BY total_time DESC');
like($stderr, qr/column "total_time" does not exist/, 'the usual query fails since version 1.8');

#
# Settings
#
$primary->append_conf('postgresql.conf', q{
ssl_passphrase_command = 'echo geheim'
archive_cleanup_command = 'PGPASSWORD=geheim cleanup %r'
restore_command = 'fetch --token geheim %f %p'
primary_conninfo = 'host=nowhere password=geheim'
steward.audit_redaction_key = 'geheim'
});
$primary->safe_psql('postgres', q{
	ALTER ROLE watcher SET app.jwt_secret = 'geheim';
	ALTER ROLE ALL SET app.dsn = 'postgres://me:geheim@there/db';
	ALTER DATABASE postgres SET app.token = 'geheim';
	ALTER SYSTEM SET maintenance_work_mem = '70MB'});
$primary->stop;
command_ok([ 'pg_ctl', '-w', '-D', $primary->data_dir, '-l', $primary->logfile, '-o', '--cluster-name=primary -c work_mem=5MB', 'start' ], 'a server is started with a setting');
$primary->_update_pid(1);
my $settings = q{SELECT name, setting, unit, source, database_name, role_name FROM steward.settings_changed
	WHERE name ~ '^(app\.|work_mem|maintenance_work_mem|ssl_passphrase_command|archive_cleanup|restore|primary_conninfo|steward\.)' ORDER BY name COLLATE "C"};
is( watch($primary, $settings), join("\n",
	'app.dsn|(hidden)||all roles||', 'app.jwt_secret|(hidden)||role||watcher', 'app.token|(hidden)||database|postgres|', 'archive_cleanup_command|(hidden)||configuration file||',
	'maintenance_work_mem|71680|kB|ALTER SYSTEM||', 'primary_conninfo|(hidden)||configuration file||', 'restore_command|fetch (hidden)||configuration file||',
	'ssl_passphrase_command|(hidden)||configuration file||', 'work_mem|5120|kB|command line||'),
	'where settings come from is told, secrets are not');
unlike(watch($primary, 'SELECT * FROM steward.settings_changed'), qr/geheim/, 'not one of them');
# a session that has the library loaded knows the settings of it too
unlike(watch($primary, 'SELECT steward.current_tenant_text(); SELECT * FROM steward.settings_changed'), qr/geheim/, 'nor when the library is loaded');
is(watch($primary, q{SELECT count(*) FROM steward.settings_changed WHERE pending_restart}), '0', 'nothing waits for a restart');
$primary->safe_psql('postgres', 'ALTER SYSTEM SET max_connections = 77');
$primary->reload;
poll($primary, q{SELECT setting <> '77' FROM steward.settings_changed WHERE name = 'max_connections' AND pending_restart}, 'what waits for a restart is told');
$primary->safe_psql('postgres', 'ALTER SYSTEM RESET max_connections; ALTER ROLE ALL RESET app.dsn; ALTER ROLE watcher RESET app.jwt_secret; ALTER DATABASE postgres RESET app.token');
$primary->restart;

#
# Archiving
#
is(watch($primary, 'SELECT mode, is_failing, failed_count FROM steward.archiver'), 'on|t|0', 'an archiver that nobody told how fails, though no failure is counted');
my $standby_conf = "archive_command = ''\nrestore_command = ''\nprimary_slot_name = 'standby'\nhot_standby_feedback = on\nwal_receiver_status_interval = 1\n";
$primary->backup('base');
$primary->append_conf('postgresql.conf', "archive_command = 'false'\n");
$primary->reload;
$primary->safe_psql('postgres', 'INSERT INTO thing VALUES (-1); SELECT pg_switch_wal()');
poll($primary, q{SELECT is_failing AND failed_count > 0 AND last_failed_wal IS NOT NULL AND last_failed_age < '1 hour' AND files_waiting > 0 AND last_archived_wal IS NULL FROM steward.archiver},
	'archiving fails');
$primary->append_conf('postgresql.conf', "archive_command = 'true'\n");
$primary->reload;
$primary->safe_psql('postgres', 'INSERT INTO thing VALUES (-2); SELECT pg_switch_wal()');
poll($primary, q{SELECT NOT is_failing AND failed_count > 0 AND archived_count > 0 AND files_waiting = 0 FROM steward.archiver}, 'archiving works again, and is idle');

#
# Standbys
#
$primary->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('standby', true)});
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', $standby_conf);
$standby->start;
$primary->wait_for_catchup($standby);
$standby->backup('base');
$standby->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('cascade')});
my $cascade = PostgreSQL::Test::Cluster->new('cascade');
$cascade->init_from_backup($standby, 'base', has_streaming => 1);
$cascade->append_conf('postgresql.conf', "primary_slot_name = 'cascade'\nwal_receiver_status_interval = 1\n");
$cascade->start;
$primary->safe_psql('postgres', 'INSERT INTO thing VALUES (-3)');
$primary->wait_for_catchup($standby);

my $to = q{SELECT count(*) = 1 AND bool_and(direction = 'to' AND state = 'streaming' AND sync_state = 'async' AND send_lag_bytes = 0 AND replay_lag_bytes = 0 AND replay_lag = '0' AND pid IS NOT NULL)
	FROM steward.replication WHERE name = '%s' AND slot_name = '%s'};
my $from = q{SELECT count(*) = 1 AND bool_and(state = 'streaming' AND replay_lag_bytes = 0 AND replay_lag = '0' AND slot_name = '%s' AND name IS NOT NULL) FROM steward.replication WHERE direction = 'from'};
poll($primary, sprintf($to, 'standby', 'standby'), 'the primary knows a standby that has all there is');
poll($standby, sprintf($from, 'standby'), 'the standby is not behind, however idle the primary');
poll($standby, sprintf($to, 'cascade', 'cascade'), 'nor is the one behind it');
poll($cascade, sprintf($from, 'cascade'), 'which says so too');
is(watch($primary, q{SELECT count(*) FROM steward.replication WHERE direction = 'from'}), '0', 'the primary gets its WAL from nobody');
like(watch($standby, 'SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), sent_lsn) FROM pg_stat_replication'), qr/recovery is in progress/, 'the usual query fails on a standby');
is(watch($standby, q{SELECT name IS NOT NULL, slot_name, state FROM steward.replication WHERE direction = 'from'}), 't|standby|streaming', 'a member of pg_monitor sees where the WAL comes from');
all_views_work($primary, 'all views can be read on the primary');
all_views_work($standby, 'all views can be read on the standby');
all_views_work($cascade, 'all views can be read on the standby of the standby');
is(watch($standby, 'SELECT is_failing, archived_count FROM steward.archiver'), 'f|0', 'a standby does not archive, and so does not fail');
is(watch($standby, q{SELECT slot_name, is_active, retained_bytes >= 0 FROM steward.replication_slots}), 'cascade|t|t', 'slots of a standby');
is(watch($standby, q{SELECT current_lsn = pg_last_wal_replay_lsn(), wal_bytes >= 0 FROM steward.wal_activity}), 't|t', 'WAL on a standby');
is(watch($standby, q{SELECT count(*) FROM steward.slow_queries WHERE query ~ 'pg_last_wal_replay_lsn'}), '1', 'statements of a standby are its own');

# A standby that holds replay receives, and passes on.
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_pause()');
$standby->poll_query_until('postgres', q{SELECT pg_get_wal_replay_pause_state() = 'paused'});
$primary->safe_psql('postgres', 'INSERT INTO thing SELECT generate_series(2000, 3000)');
poll($standby, q{SELECT replay_lag_bytes > 10000 AND replay_lag > '0' FROM steward.replication WHERE direction = 'from'}, 'a standby whose replay is paused is behind');
poll($primary, q{SELECT replay_lag_bytes > 10000 AND flush_lag_bytes = 0 AND replay_lag IS DISTINCT FROM '0' FROM steward.replication WHERE name = 'standby'}, 'the primary sees it');
poll($standby, sprintf($to, 'cascade', 'cascade'), 'the one behind it has all that was received');
is($cascade->safe_psql('postgres', 'SELECT count(*) FROM thing WHERE id >= 2000'), '1001', 'and is further than it');
$standby->safe_psql('postgres', 'SELECT pg_wal_replay_resume()');
poll($primary, sprintf($to, 'standby', 'standby'), 'when it goes on it catches up');

# A standby that is cut off does not take itself for up to date.
$standby->stop;
poll($cascade, q{SELECT pid IS NULL AND state IS NULL AND replay_lag_bytes IS NULL AND replay_lag > '0' FROM steward.replication WHERE direction = 'from'}, 'a standby without source is told, with a lag that grows');
is(watch($primary, q{SELECT count(*) FROM steward.replication}), '0', 'one that is gone is not seen by the primary');
is(watch($primary, q{SELECT slot_name, is_active, active_pid FROM steward.replication_slots}), 'standby|f|', 'but by its slot');
all_views_work($cascade, 'all views can be read on a standby without source');
$cascade->stop;

#
# Slots
#
$primary->safe_psql('postgres', q{
	CREATE DATABASE subscriber;
	CREATE PUBLICATION things FOR TABLE thing;
	SELECT pg_create_logical_replication_slot('things', 'pgoutput')});
$primary->safe_psql('subscriber', sprintf(q{
	CREATE TABLE thing (id integer PRIMARY KEY);
	CREATE SUBSCRIPTION things CONNECTION 'host=%s port=%s dbname=postgres' PUBLICATION things WITH (create_slot = false, copy_data = false)}, $primary->host, $primary->port));
$primary->safe_psql('postgres', 'INSERT INTO thing VALUES (-4)');
poll($primary, q{SELECT r.state = 'streaming' AND r.send_lag_bytes >= 0 AND r.replay_lag_bytes = 0 AND s.unconfirmed_bytes = 0 AND s.is_active AND s.plugin = 'pgoutput' AND s.database_name = 'postgres'
	FROM steward.replication r JOIN steward.replication_slots s USING (slot_name) WHERE r.name = 'things'}, 'a subscriber that has confirmed all');
$primary->safe_psql('subscriber', 'ALTER SUBSCRIPTION things DISABLE');
$primary->poll_query_until('postgres', q{SELECT NOT is_active FROM steward.replication_slots WHERE slot_name = 'things'});
$primary->safe_psql('postgres', 'INSERT INTO thing SELECT generate_series(4000, 5000)');
is( watch($primary, q{SELECT unconfirmed_bytes > 10000, retained_bytes >= unconfirmed_bytes, wal_status, catalog_xmin_age > 0, (inactive_for IS NULL) = (current_setting('server_version_num')::integer < 170000)
	FROM steward.replication_slots WHERE slot_name = 'things'}), 't|t|reserved|t|t', 'one that is gone keeps WAL');
is(watch($primary, q{SELECT bytes_until_lost FROM steward.replication_slots WHERE slot_name = 'things'}), '', 'without end, as long as there is no limit');

$primary->append_conf('postgresql.conf', "max_slot_wal_keep_size = 1MB\n");
$primary->reload;
for (1 .. 4)
{
	$primary->safe_psql('postgres', "INSERT INTO thing VALUES (-10 - $_); SELECT pg_switch_wal()");
}
$primary->safe_psql('postgres', 'CHECKPOINT');
poll($primary, q{SELECT count(*) = 2 AND bool_and(wal_status = 'lost' AND invalidation_reason = 'wal_removed' AND retained_bytes IS NULL AND NOT is_active) FROM steward.replication_slots},
	'with a limit they are lost, and it is told why');
all_views_work($primary, 'all views can be read');

#
# Checkpoints
#
my $requested = $primary->safe_psql('postgres', 'SELECT requested FROM steward.checkpoints');
$primary->safe_psql('postgres', 'INSERT INTO thing VALUES (-20); CHECKPOINT');
poll($primary, "SELECT requested > $requested AND buffers_written > 0 AND requested_percent > 0 AND (done > 0) IS NOT FALSE AND last_checkpoint_age < '1 hour' AND bytes_since_redo BETWEEN 0 AND 1024 ^ 3 FROM steward.checkpoints",
	'a checkpoint is counted');
$primary->safe_psql('postgres', q{CREATE TABLE large AS SELECT i, repeat('x', 100) AS x FROM generate_series(1, 300000) i});
poll($primary, q{SELECT backend_buffers_written > 1000 FROM steward.checkpoints}, 'and so is what sessions write');

server_log_is_clean($_) foreach $primary, $standby, $cascade;
$primary->safe_psql('subscriber', 'ALTER SUBSCRIPTION things SET (slot_name = NONE); DROP SUBSCRIPTION things');
$primary->stop;
done_testing();
