# The health check on a standby, the cancels of users, and what a dump keeps.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 1);
create_extension($primary);
$primary->safe_psql(
	'postgres', q{
	CREATE ROLE watcher LOGIN;
	GRANT pg_monitor TO watcher;
	CREATE TABLE items (tenant_id integer NOT NULL, id integer PRIMARY KEY);
	SELECT steward.audit_enable('items');
	SELECT steward.audit_maintain();
	INSERT INTO steward.health_queries (check_name, query, warning, unit) VALUES ('items', 'SELECT count(*) AS value, NULL AS detail FROM public.items', 10, 'items'),
		('connections', 'SELECT 1 AS value, NULL AS detail', 5, NULL), ('where', 'SELECT 1 AS value, NULL AS detail', 1, NULL);
	INSERT INTO steward.health_thresholds (check_name, warning, enabled, only_on, reason) VALUES ('xid_stop', 30, true, NULL, NULL),
		('autovacuum_pressure', NULL, false, 'standby', 'the primary is asked'), ('where', 7, true, 'primary', NULL);
	INSERT INTO steward.muted_findings (finding_key, muted_until, reason) VALUES ('a:b', '2100-01-01', 'c');
	INSERT INTO items SELECT 1, g FROM generate_series(1, 20) g;
	GRANT SELECT ON items TO watcher;
	SELECT steward.snapshot(), steward.snapshot()});

# A dump keeps what is the user's and nothing else.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$primary->command_ok([ 'pg_dump', '-f', $dump, '-d', $primary->connstr('postgres') ], 'pg_dump');
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
$primary->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $primary->connstr('restored') ], 'restore');
for my $query (
	'SELECT check_name, is_custom, query, warning, critical, unit, hint FROM steward.health_queries ORDER BY 1, 2',
	'SELECT * FROM steward.health_thresholds ORDER BY 1', 'SELECT * FROM steward.muted_findings')
{
	is($primary->safe_psql('restored', $query), $primary->safe_psql('postgres', $query), "restored: $query");
}

# Somebody cancels while a check runs: that ends the statement and is no verdict of the check.
$primary->safe_psql('restored', q{INSERT INTO steward.health_queries (check_name, query) VALUES ('sleeps', 'SELECT 1 AS value, pg_sleep(0.9) AS detail')});
$primary->safe_psql('restored', q{INSERT INTO steward.health_queries (check_name, query) SELECT 'sleeps ' || g, 'SELECT 1 AS value, pg_sleep(0.9) AS detail' FROM generate_series(1, 100) g});
my ($out, $err) = ('', '');
my $session = IPC::Run::start(
	[ 'psql', '-XAtq', '-v', 'VERBOSITY=sqlstate', '-d', $primary->connstr('restored'), '-c', 'SELECT count(*) FROM steward.health_check' ],
	'>', \$out, '2>', \$err);
ok($primary->poll_query_until('restored', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%FROM steward.health_check' AND wait_event = 'PgSleep')}), 'a check sleeps');
$primary->safe_psql('restored', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%FROM steward.health_check' AND wait_event = 'PgSleep'});
$session->finish;
like($err, qr/57014/, 'a cancel cancels');
is($out, '', 'all of it');
$session = IPC::Run::start([ 'psql', '-XAtq', '-d', $primary->connstr('restored'), '-c', 'SELECT count(*) FROM steward.health_check' ], '>', \$out, '2>', \$err);
$primary->poll_query_until('restored', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%FROM steward.health_check' AND wait_event = 'PgSleep')});
$primary->safe_psql('restored', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%FROM steward.health_check' AND wait_event = 'PgSleep'});
$session->finish;
like($err, qr/terminating connection/, 'and who ends the session ends it');
$primary->safe_psql('postgres', 'DROP DATABASE restored');

# On a standby a plain member of pg_monitor sees all, nothing fails, and what a standby cannot know is not called fine.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is( $standby->safe_psql('postgres', q{SET ROLE watcher;
		SELECT check_name, status, detail, hint, remedy FROM steward.health_check WHERE status = 'UNKNOWN' AND check_name NOT IN ('statements', 'slow_queries') ORDER BY check_name}),
	join("\n", map { "$_|UNKNOWN|snapshots are of the primary|Ask the primary.|" }
		  qw(checkpoints deadlocks disk_reads rollbacks temp_files transactions)),
	'a standby does not know what snapshots tell');
is( $standby->safe_psql('postgres', q{SET ROLE watcher;
		SELECT check_name, status, value, detail FROM steward.health_check
		 WHERE check_name IN ('autovacuum_pressure', 'items', 'replication_source', 'archive_failing', 'where') ORDER BY check_name}),
	"archive_failing|DISABLED||archive_mode is off\nautovacuum_pressure|DISABLED||the primary is asked\nitems|WARNING|20|\nreplication_source|OK|0|\nwhere|WARNING|1|",
	'thresholds hold where they are to');
is( $primary->safe_psql('postgres', q{SET ROLE watcher;
		SELECT check_name, status, value FROM steward.health_check WHERE check_name IN ('where', 'audit_triggers', 'transactions') ORDER BY check_name}) =~ s/transactions\|OK\|[\d.]+/transactions|OK|n/r,
	"audit_triggers|OK|0\ntransactions|OK|n\nwhere|OK|1", 'the primary does');
$primary->safe_psql('postgres', 'DELETE FROM steward.health_thresholds');
$primary->wait_for_catchup($standby);
is( $standby->safe_psql('postgres', q{SELECT status, detail, hint, remedy FROM steward.health_check WHERE check_name = 'autovacuum_pressure'}),
	'UNKNOWN|a standby does not count dead rows|Ask the primary.|SELECT * FROM steward.autovacuum_queue ORDER BY vacuum_pressure DESC NULLS LAST;', 'nor does it count dead rows');
is($standby->safe_psql('postgres', q{SET ROLE watcher; SELECT count(*) FROM steward.maintenance_commands}), '0', 'there is nothing to command');
is($standby->safe_psql('postgres', q{SET ROLE watcher; SELECT count(*) FILTER (WHERE status IS NULL) FROM steward.readiness}), '0', 'readiness answers');
is($standby->safe_psql('postgres', q{SET ROLE watcher; SELECT string_agg(finding || ' ' || object, ', ' ORDER BY 1) FROM steward.findings WHERE severity <> 'INFO'}), '', 'findings, too');
is($standby->safe_psql('postgres', q{SELECT value FROM steward.health_check WHERE check_name = 'audit_partitions'}) > 1, 1, 'partitions are ready');

# A standby that loses its primary says so.
$primary->stop;
ok($standby->poll_query_until('postgres', q{SELECT status = 'CRITICAL' FROM steward.health_check WHERE check_name = 'replication_source'}), 'a standby without a source is critical');
$standby->stop;

done_testing();
