# Operations that are cancelled, crash or meet locks and writers go on, and do each row once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('operations', conf => "restart_after_crash = on\n");
create_extension($node);
$node->safe_psql('postgres', q{
	CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL, v text);
	INSERT INTO t SELECT i, 0 FROM generate_series(1, 3000) i;
});
my $add = q{CALL steward.backfill('t', set => 'n = n + 1', batch => 50, pause => '%s')};
my $state = q{SELECT state FROM steward.operations WHERE relation = 'public.t' ORDER BY id DESC LIMIT 1};

# Starts a call, and waits until it has done some batches.
sub start
{
	my ($call) = @_;
	my $before = $node->safe_psql('postgres', 'SELECT coalesce(max(rows_seen), 0) FROM steward.operations WHERE finished_at IS NULL');
	my $run = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $call ], '>', '/dev/null', '2>&1');
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM steward.operations WHERE state = 'running' AND rows_seen > $before + 100") or die 'it does nothing';
	return $run;
}

my $slowly = sprintf $add, '50 ms';
my $run = start($slowly);
is($node->safe_psql('postgres', q{SELECT command, relation, unit, done > 0 FROM steward.progress WHERE command = 'BACKFILL'}), 'BACKFILL|public.t|rows|t', 'others see how far it is');
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM steward.operations WHERE state = 'running'});
$run->finish;
is($node->safe_psql('postgres', $state), 'stopped', 'a cancelled one is stopped');
$run = start($slowly);
crash_and_start($node);
$run->finish;
is($node->safe_psql('postgres', $state), 'stopped', 'so is one whose server crashed');
my ($rc, $out, $err) = $node->psql('postgres', sprintf $add, '0');
like($err, qr/backfill of public.t: going on where it was stopped/, 'it says that it goes on');
is($node->safe_psql('postgres', 'SELECT min(n), max(n), count(*) FROM t'), '1|1|3000', 'each row was changed once');
is($node->safe_psql('postgres', $state), 'finished', 'and it is finished');

# Two that do the same share the work.
my @both = map { start($slowly) } 1 .. 2;
$_->finish foreach @both;
is($node->safe_psql('postgres', 'SELECT min(n), max(n), count(*) FROM t'), '2|2|3000', 'two sessions change each row once');

# Rows come and go meanwhile, before it and behind it.
my $script = PostgreSQL::Test::Utils::tempdir() . '/writers.sql';
append_to_file($script, q{
	\set id random(1, 6000)
	INSERT INTO t VALUES (:id, 0) ON CONFLICT (id) DO UPDATE SET n = t.n + 1;
	DELETE FROM t WHERE id = :id - 1;
});
my $writers = IPC::Run::start([ 'pgbench', '-n', '-c2', '-T4', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ], '>', \my $bench, '2>&1');
$node->command_ok([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{CALL steward.backfill('t', set => 'v = ''filled''', condition => 'v IS NULL', batch => 100)} ],
	'it comes to an end among writers');
$writers->finish;
like($bench, qr/number of failed transactions: 0 /, 'none of which fails');
$node->safe_psql('postgres', q{CALL steward.backfill('t', set => 'v = ''filled''', condition => 'v IS NULL', then_not_null => true)});
is($node->safe_psql('postgres', q{SELECT count(*) FROM t WHERE v IS DISTINCT FROM 'filled'}), '0', 'no row is without a value');

# A lock that somebody holds is waited for, in bits.
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; SELECT FROM t WHERE id = (SELECT max(id) FROM t) FOR UPDATE');
my $waiting = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{CALL steward.backfill('t', set => 'v = ''again''', lock_timeout => '50 ms')} ], '>', \my $said, '2>&1');
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM steward_internal.operations WHERE finished_at IS NULL AND updated_at > called_at + interval '300 ms'}) or die 'it does not wait';
$locker->query_safe('COMMIT');
$waiting->finish;
is($node->safe_psql('postgres', q{SELECT count(*) FROM t WHERE v <> 'again'}), '0', 'and the rows are changed');
unlike($said, qr/ERROR/, 'without an error');

$locker->quit;
$node->stop;
done_testing();
