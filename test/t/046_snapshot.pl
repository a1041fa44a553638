# Snapshots across restarts, a crash and on a standby, and the report there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 1,
	conf => "shared_preload_libraries = 'pg_stat_statements'\nautovacuum = off\n");
create_extension($primary);
$primary->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements; CREATE TABLE orders (id integer)');

# Returns the id of a new snapshot after inserting some rows.
sub work_and_snapshot
{
	my ($rows) = @_;
	$primary->safe_psql('postgres', "INSERT INTO orders SELECT generate_series(1, $rows)");
	return $primary->safe_psql('postgres', 'SELECT steward.snapshot()');
}

# Returns what is known of the rows inserted between two snapshots, in the table's counters and in the database's.
sub inserted
{
	my ($from, $to) = @_;
	return $primary->safe_psql('postgres', qq{
		SELECT coalesce(string_agg(source || ' ' || coalesce(CASE WHEN source = 'table_stats' THEN delta::text ELSE (delta > 0)::text END, 'unknown'), ', ' ORDER BY source), 'nothing')
		  FROM steward.snapshot_deltas($from, $to)
		 WHERE metric = 'rows_inserted' AND (source = 'table_stats' AND object = 'public.orders' OR source = 'database_stats' AND object = 'postgres')});
}

my $first = work_and_snapshot(10);
my $second = work_and_snapshot(20);
is(inserted($first, $second), 'database_stats true, table_stats 20', 'rows are counted');

# A statement that is new since counts from 0; one that was there before counts from then.
is( $primary->safe_psql('postgres', qq{
		SELECT string_agg(delta::text, ',') FROM steward.snapshot_deltas($first, $second, '{slow_queries}')
		 WHERE metric = 'calls' AND object LIKE 'INSERT INTO orders%'}),
	'1', 'so are calls of statements');
$primary->safe_psql('postgres', 'SELECT count(*) AS only_now FROM orders');
my $third = work_and_snapshot(1);
is( $primary->safe_psql('postgres', qq{
		SELECT string_agg(delta::text, ',') FROM steward.snapshot_deltas($second, $third, '{slow_queries}') WHERE metric = 'calls' AND object LIKE '%only_now%'}),
	'1', 'a new statement counts from 0');
$primary->safe_psql('postgres', 'SELECT pg_stat_statements_reset()');
$primary->safe_psql('postgres', 'SELECT count(*) AS only_now FROM orders') for 1 .. 3;
my $fourth = work_and_snapshot(1);
is( $primary->safe_psql('postgres', qq{
		SELECT count(*) > 0, count(delta) FROM steward.snapshot_deltas($third, $fourth, '{slow_queries}') WHERE kind = 'counter'}),
	't|0', 'after a reset of pg_stat_statements nothing is known of statements, though they were called more often');

$primary->restart;
my $restarted = work_and_snapshot(30);
is(inserted($fourth, $restarted), 'database_stats true, table_stats 30', 'a restart keeps the counters, and so the deltas');

$primary->stop('immediate');
$primary->start;
# more than were ever counted before: only the time tells that the counters are others
my $crashed = work_and_snapshot(1000);
is(inserted($restarted, $crashed), 'database_stats unknown, table_stats unknown', 'what was counted across a crash is not known');
is( $primary->safe_psql('postgres', qq{SELECT count(delta) FROM steward.snapshot_deltas($restarted, $crashed) WHERE kind = 'counter'}),
	'0', 'of any source');
my $after = work_and_snapshot(5);
is(inserted($crashed, $after), 'database_stats true, table_stats 5', 'after it is');

my $report = $primary->safe_psql('postgres', 'SELECT steward.report()');
like($report, qr/Of \d+ more it is not known/, 'the report says that it does not know all statements');
like($report, qr/the server was started anew/, 'the report tells of the restart');
like($report, qr/counters began anew/, 'and of the crash');
unlike($report, qr/Not available/, 'and has all its sections');

# On a standby.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
my ($rc, $stdout, $stderr) = $standby->psql('postgres', 'SELECT steward.snapshot()');
like($stderr, qr/a standby cannot keep snapshots.*HINT:  Take them on the primary/s, 'a standby takes no snapshot and says where to');
$report = $standby->safe_psql('postgres', 'SELECT steward.report()');
like($report, qr/, standby.*Interval: .*<svg /s, 'the report on a standby has the primary\'s snapshots');
unlike($report, qr/Not available/, 'and all sections');

# Promoted, it counts for itself.
$standby->promote;
my $promoted = $standby->safe_psql('postgres', 'SELECT steward.snapshot()');
is( $standby->safe_psql('postgres', qq{SELECT count(delta) FROM steward.snapshot_deltas($after, $promoted) WHERE kind = 'counter'}),
	'0', 'the counters of a promoted standby are not the primary\'s');

server_log_is_clean($_) foreach $primary, $standby;
done_testing();
