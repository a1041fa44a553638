# After a crash the log holds what was committed, once, and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

# Little memory, so that pages are written and read again while it runs.
my $node = steward_node('crash', conf => q{
	shared_buffers = 2MB
	deadlock_timeout = 20ms
	checkpoint_timeout = 30s
	steward.audit_partition_interval = day
});
create_extension($node);
create_workload($node);

# Waits until so many more events are committed.
sub wait_for_events
{
	my ($more) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT count(*) FROM steward.audit_events');
	$node->poll_query_until('postgres', "SELECT count(*) >= $before + $more FROM steward.audit_events")
	  or die 'the workload does nothing';
	return;
}

my @rounds = (
	[ 'synchronous_commit on',  on  => sub { crash_and_start($node) } ],
	[ 'synchronous_commit off', off => sub { crash_and_start($node) } ],
	[
		'a checkpoint and new partitions meanwhile', off => sub {
			$node->safe_psql('postgres', 'CHECKPOINT');
			# what waits on the default partition gives up; the workload goes on
			$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM steward.audit_maintain() WHERE action = 'postponed'});
			wait_for_events(2000);
			crash_and_start($node);
		}
	],
	[
		'one backend killed', on => sub {
			kill 'KILL', $node->safe_psql('postgres',
				q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1});
		}
	]);

foreach my $round (@rounds)
{
	my ($name, $synchronous_commit, $crash) = @$round;
	$node->append_conf('postgresql.conf', "synchronous_commit = $synchronous_commit\nrestart_after_crash = on\n");
	$node->reload;
	my $workload = start_workload($node);
	wait_for_events(4000);
	$crash->();
	$workload->finish;
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server is gone';
	log_is_whole($node, "log is whole after a crash: $name");
}

is( $node->safe_psql('postgres', 'SELECT count(*) > 0 FROM ONLY steward.audit_events_default'),
	'f', 'events are in their partition');

# the proof itself: it notices one event too few
my ($rc, $stdout, $stderr) = $node->psql('postgres', q{
	SET steward.audit_guard = off;
	DELETE FROM steward.audit_events WHERE ctid = (SELECT ctid FROM steward.audit_events WHERE operation = 'U' LIMIT 1);
	SELECT count(*) FROM unproved}, extra_params => ['--single-transaction']);
like($stdout . $stderr, qr/^[1-9]|does not follow/m, 'a lost event would be noticed');

server_log_is_clean($node);
$node->stop;
done_testing();
