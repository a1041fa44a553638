# A default partition with many events becomes an ordinary one while sessions write; no crash and no dump is in its way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('maintain', conf => "restart_after_crash = on\n");
create_extension($node);
create_workload($node);
$node->safe_psql('postgres', q{
	CREATE TABLE bulk (id integer);
	SELECT steward.audit_enable('bulk');
	INSERT INTO bulk SELECT generate_series(1, 30000);
	CREATE FUNCTION wait_for_go() RETURNS event_trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $$
	BEGIN PERFORM pg_advisory_xact_lock_shared(20261129); END $$;
	CREATE EVENT TRIGGER wait_for_go ON ddl_command_end WHEN TAG IN ('ALTER EXTENSION') EXECUTE FUNCTION wait_for_go();
});
my $maintain = q{SELECT string_agg(DISTINCT action, ' ') FROM steward.audit_maintain() WHERE partition NOT LIKE '%\_idx'};
my $in_default = 'SELECT count(*) FROM ONLY steward.audit_events_default';
my $pending = q{SELECT count(*) FROM pg_constraint WHERE conname = 'run_audit_maintain_again'};

# The server dies between the two calls, and in the midst of the second, when the old default partition is detached.
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM steward.audit_maintain() WHERE detail LIKE 'will be the partition %'}) or die 'nothing was announced';
crash_and_start($node);
is($node->safe_psql('postgres', $pending), '1', 'what the first call did outlives a crash');
my $locker = $node->background_psql('postgres');
$locker->query_safe('SELECT pg_advisory_lock(20261129)');
my $upkeep = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $maintain ], '>', '/dev/null', '2>&1');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) or die 'upkeep does not come so far';
crash_and_start($node);
$upkeep->finish;
log_is_whole($node, 'log is whole after a crash in the midst of the second call');
cmp_ok($node->safe_psql('postgres', $in_default), '>', 30000, 'which did nothing then');

# The next one goes on from there, while others write.
my $workload = start_workload($node, seconds => 10, clients => 8);
$node->poll_query_until('postgres', "SELECT ($in_default) > 33000") or die 'the workload does nothing';
$node->poll_query_until('postgres', "SELECT ($maintain) = 'created'") or die 'nothing was created';
is($node->safe_psql('postgres', $in_default), '0', 'nothing is left in the default partition');
$workload->finish;
like(slurp_file($node->logfile =~ s/\.log$/_pgbench.log/r), qr/^number of failed transactions: 0 /m, 'no writer failed');
log_is_whole($node, 'log is whole after upkeep under load');
is($node->safe_psql('postgres', $in_default), '0', 'nor came there later');

# A dump of such a log restores, as often as one likes.
my @to = ('--host', $node->host, '--port', $node->port);
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
my $digest = log_digest($node);
my $from = 'postgres';
foreach my $db ('first', 'second')
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	$node->command_ok([ 'pg_dump', @to, '-Fc', '-f', $dump, $from ], "the database is dumped for the $db time");
	$node->command_ok([ 'pg_restore', @to, '--exit-on-error', '-d', $db, $dump ], 'and restored');
	is(log_digest($node, $db), $digest, 'with all of its log');
	is($node->safe_psql($db, q{SELECT count(*) FROM steward.audit_coverage WHERE finding = 'log incomplete'}), '0', 'which lacks nothing');
	log_is_whole($node, 'and is whole', $db);
	$node->safe_psql($db, $maintain);
	$from = $db;
}

# The line for a crontab is one that the shell and psql understand, whatever the database is called.
my $name = q{it's 100 \\ %};
$node->safe_psql('postgres', qq{CREATE DATABASE "$name"});
my $connstr = $node->connstr . q{ dbname='it\\'s 100 \\\\ %'};
$node->safe_psql('postgres', 'SET client_min_messages = warning; CREATE EXTENSION pg_steward CASCADE', connstr => $connstr);
my $line = $node->safe_psql('postgres', 'SELECT command FROM steward.schedule()', connstr => $connstr);
$line =~ s/^7 \* \* \* \* // or die $line;
$line =~ s/\\%/%/g;
{
	local $ENV{PGHOST} = $node->host;
	command_ok([ 'sh', '-c', $line ], "cron can run $line");
}
is($node->safe_psql('postgres', 'SELECT count(*) > 3 FROM steward.audit_partitions', connstr => $connstr), 't', 'which keeps the log up');

server_log_is_clean($node);
$node->stop;
done_testing();
