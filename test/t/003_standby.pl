# A streaming standby serves the audit log while the primary writes it, and goes on with it when promoted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 1,
	conf => "max_connections = 20\nshared_buffers = 16MB\nsteward.audit_partition_interval = day\n");
create_extension($primary);
create_workload($primary);
$primary->safe_psql('postgres', 'SELECT steward.audit_maintain()');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = on\n");
$standby->start;

# Reading while it streams: new sessions, and one that has its caches warm.
{
	my $workload = start_workload($primary, seconds => 3);
	my $session = $standby->background_psql('postgres');
	my $last = 0;
	my ($shrunk, $unnamed) = (0, 0);
	for (1 .. 20)
	{
		my ($events, $nameless) = split /\|/, $session->query_safe(
			'SELECT count(*), count(*) FILTER (WHERE table_name IS NULL OR changed_by IS NULL) FROM steward.audit_log');
		$shrunk++ if $events < $last;
		$unnamed += $nameless;
		$last = $events;
		$session->query_safe(q{SELECT count(*) FROM steward.audit_history('account', 7)});
		$standby->safe_psql('postgres', q{SELECT count(*) FROM steward.audit_history('item', '3', '1'); SELECT count(*) FROM steward.audit_coverage});
	}
	$session->quit;
	is("$shrunk $unnamed", '0 0', 'the log on the standby only grows, and every event has its table and context');
	ok($workload->finish, 'meanwhile the primary was written to');
}

$primary->wait_for_catchup($standby);
log_is_whole($standby, 'the log on the standby is whole');
is(log_digest($standby), log_digest($primary), 'and the same as on the primary');
is( $standby->safe_psql('postgres', q{SELECT finding, table_name FROM steward.audit_coverage}),
	$primary->safe_psql('postgres', q{SELECT finding, table_name FROM steward.audit_coverage}),
	'so is the coverage');

my ($rc, $stdout, $stderr) = $standby->psql('postgres', 'SELECT steward.audit_maintain()');
like($stderr, qr/ERROR: .*(recovery|read-only)/, 'upkeep is refused on the standby');
($rc, $stdout, $stderr) = $standby->psql('postgres', q{SELECT steward.audit_enable('account', capture => 'key')});
like($stderr, qr/ERROR: .*(recovery|read-only)/, 'so is a change of the triggers');

# The standby takes over.
my $before = log_digest($primary);
$primary->stop('immediate');
$standby->promote;
is(log_digest($standby), $before, 'promotion leaves the log as it is');
ok(start_workload($standby, seconds => 1)->finish, 'the promoted standby is written to');
log_is_whole($standby, 'the log is whole across the promotion');
is( $standby->safe_psql('postgres', q{SELECT count(DISTINCT era) FROM steward.audit_contexts}), '1',
	'a promotion begins no new era: transaction ids go on');
$standby->safe_psql('postgres', 'SELECT steward.audit_maintain()');

server_log_is_clean($_) foreach $primary, $standby;
$standby->stop;
done_testing();
