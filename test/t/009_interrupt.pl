# Cancelled statements, lost sessions and locks on the log leave a session that can go on, and a log that is whole.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;
use Time::HiRes qw(usleep);

my $node = steward_node('interrupt', conf => "deadlock_timeout = 20ms\n");
create_extension($node);
create_workload($node);
$node->safe_psql('postgres', 'CREATE TABLE t (id integer PRIMARY KEY, v text); SELECT steward.audit_enable($$t$$)');

# Tests that a session whose write was stopped can write afterwards.
sub goes_on
{
	my ($session, $id, $name, $table) = (@_, 't');
	$session->query("ROLLBACK; SET statement_timeout = '20s'; INSERT INTO $table VALUES ($id)");
	return is($node->safe_psql('postgres', "SELECT operation FROM steward.audit_history('$table', $id)"), 'INSERT', $name);
}

my $session = $node->background_psql('postgres', on_error_stop => 0);
my $other = $node->background_psql('postgres');
$session->query('INSERT INTO t VALUES (1)');

# Cancelled while it waits to learn which partition takes the event.
$node->safe_psql('postgres', 'CREATE INDEX doomed ON steward.audit_events_default (context_id); DROP INDEX steward.doomed');
$other->query_safe('BEGIN; LOCK TABLE steward.audit_events IN ACCESS EXCLUSIVE MODE');
$session->query(q{SET statement_timeout = '100ms'; INSERT INTO t VALUES (2)});
$other->query_safe('ROLLBACK');
goes_on($session, 3, 'a write goes on after one was cancelled that waited for the log');

# Cancelled while it waits for the partition.
$other->query_safe('BEGIN; LOCK TABLE steward.audit_events_default IN ACCESS EXCLUSIVE MODE');
$session->query(q{SET statement_timeout = '100ms'; INSERT INTO t VALUES (4)});
$session->query(q{BEGIN; SAVEPOINT s; INSERT INTO t VALUES (4); ROLLBACK TO s; INSERT INTO t VALUES (4); COMMIT});
$other->query_safe('ROLLBACK');
goes_on($session, 5, 'and after one that waited for a partition');

# No partition takes the event.
$other->query_safe(q{SET steward.audit_guard = off; ALTER TABLE steward.audit_events DETACH PARTITION steward.audit_events_default});
$session->query('INSERT INTO t VALUES (6)') for 1 .. 2;
$other->query_safe(q{ALTER TABLE steward.audit_events ATTACH PARTITION steward.audit_events_default DEFAULT});
goes_on($session, 7, 'and after one that found no partition');

# Cancelled while it registers a context and a table for the first time.
foreach my $registry ('audit_contexts', 'audit_tables')
{
	my $table = "new_in_$registry";
	$other->query_safe("CREATE TABLE $table (id integer PRIMARY KEY); SELECT steward.audit_enable('$table')");
	$other->query_safe("BEGIN; LOCK TABLE steward.$registry IN ACCESS EXCLUSIVE MODE");
	$session->query("SET app.current_user_id = '$registry'; SET statement_timeout = '100ms'; INSERT INTO $table VALUES (8)");
	$other->query_safe('ROLLBACK');
	goes_on($session, 9, "and after one that waited for $registry", $table);
	is($node->safe_psql('postgres', "SELECT string_agg(id::text, ' ') FROM $table"), '9', 'what was cancelled is not there');
	is($node->safe_psql('postgres', "SELECT string_agg(record_id, ' ') FROM steward.audit_log WHERE table_name = '$table'"), '9', 'nor in the log');
}
is($node->safe_psql('postgres', q{SELECT string_agg(id::text, ' ' ORDER BY id) FROM t}), '1 3 5 7', 'nor what was cancelled before');
is( $node->safe_psql('postgres', q{SELECT string_agg(record_id, ' ' ORDER BY record_id::int) FROM steward.audit_log WHERE table_name = 't'}),
	'1 3 5 7', 'nor in the log');

# An index of the log that is being built, or whose build has failed, hinders no write.
{
	$other->query_safe('BEGIN; INSERT INTO t VALUES (20)');
	my $build = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-c',
			'CREATE INDEX CONCURRENTLY slow ON steward.audit_events_default (context_id)' ], '2>', '/dev/null');
	$node->poll_query_until('postgres', q{SELECT NOT indisready FROM pg_index WHERE indexrelid = to_regclass('steward.slow')}) or die;
	goes_on($session, 21, 'a write goes on while an index of the log is built concurrently');
	my $fresh = $node->background_psql('postgres', on_error_stop => 0);
	goes_on($fresh, 22, 'in a new session, too');
	$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'});
	$build->finish;
	goes_on($session, 23, 'and when the build has failed');
	$other->query_safe('COMMIT');
	$node->safe_psql('postgres', 'REINDEX INDEX CONCURRENTLY steward.slow');
	goes_on($fresh, 24, 'and when it is rebuilt');
	is($node->safe_psql('postgres', q{SELECT bool_and(indisvalid) FROM pg_index WHERE indrelid = 'steward.audit_events_default'::regclass}), 't', 'all indexes are valid');
	$fresh->quit;
}

# Upkeep that wants to drop a partition meets a transaction that has written the log and goes on to read it.
{
	$node->safe_psql('postgres', q{CREATE TABLE steward.old PARTITION OF steward.audit_events FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')});
	$session->query('BEGIN; INSERT INTO t VALUES (30)');
	my $upkeep = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', q{SET steward.audit_retention = '365d'},
			'-c', 'SELECT action FROM steward.audit_maintain()' ], '>', \my $actions, '2>', \my $errors);
	for (1 .. 10)
	{
		$session->query('SELECT count(*) FROM steward.audit_log');
		$session->query("SAVEPOINT s; INSERT INTO t VALUES (30 + $_)");
		$node->safe_psql('postgres', "INSERT INTO t VALUES (50 + $_)");
		usleep(50_000);
	}
	$session->query('COMMIT');
	$upkeep->finish;
	is($errors, '', 'upkeep does not fail because a transaction is at work');
	is($node->safe_psql('postgres', 'SELECT count(*) FROM t WHERE id BETWEEN 30 AND 60'), '21', 'and ends no transaction');
	$node->poll_query_until('postgres', q{SELECT NOT EXISTS (SELECT FROM (SELECT set_config('steward.audit_retention', '365d', false) OFFSET 0) s, steward.audit_maintain() WHERE action = 'postponed')}) or die;
	is( $node->safe_psql('postgres', q{SELECT to_regclass('steward.old') IS NULL, count(*) FROM ONLY steward.audit_events_default}),
		't|0', 'it is done when it can');
}
$_->quit foreach $session, $other;
log_is_whole($node, 'the log is whole');

# Sessions that are cancelled, time out, deadlock and die at any moment.
{
	my $dir = PostgreSQL::Test::Utils::tempdir();
	my $one = '(SELECT (1 + floor(random() * 40))::integer)';
	append_to_file("$dir/clients.sql", join "\n",
		q{SET statement_timeout = '15ms';},
		map { (
				"UPDATE account SET n = n + 1 WHERE id = $one;",
				'UPDATE item SET n = n + 1;',
				"BEGIN; UPDATE account SET n = n + 1 WHERE id = $one; SAVEPOINT a; UPDATE item SET n = n + 1 WHERE owner = $_ % 8; ROLLBACK TO a; INSERT INTO item (owner) SELECT g % 8 FROM generate_series(1, 60) g; DELETE FROM item WHERE note IS NULL AND no % 5 = 1; COMMIT;",
				"SET app.current_user_id = 'user $_';",
				'WITH i AS (INSERT INTO item (owner, note) SELECT g % 8, md5(g::text) FROM generate_series(1, 2500) g RETURNING no) SELECT count(*) FROM i;',
				q{DO $$ BEGIN FOR i IN 1 .. 20 LOOP BEGIN UPDATE account SET n = n + 1 WHERE id = i; IF i % 3 = 0 THEN RAISE 'undo'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END; END LOOP; END $$;},
				'DELETE FROM item WHERE note IS NOT NULL;')
		} (1 .. 30));
	my @clients = map {
		IPC::Run::start([ 'sh', '-c', 'while [ ! -e "$0/stop" ]; do psql -Xq -f "$0/clients.sql" -d "$1" >>"$0/out" 2>&1; done', $dir, $node->connstr('postgres') ])
	} (1 .. 4);

	for my $round (1 .. 80)
	{
		my $how = $round % 3 ? 'pg_cancel_backend' : 'pg_terminate_backend';
		usleep(40_000);
		$node->safe_psql('postgres', "SELECT $how(pid) FROM pg_stat_activity WHERE query ~ 'account|item' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
	}
	append_to_file("$dir/stop", '');
	$node->safe_psql('postgres', q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ~ 'account|item' AND pid <> pg_backend_pid()});
	$_->finish foreach @clients;
	log_is_whole($node, 'the log is whole after sessions were cancelled and killed at random');
	my $errors = slurp_file("$dir/out");
	cmp_ok(scalar(() = $errors =~ /statement timeout/g), '>', 20, 'many statements were stopped');
}

server_log_is_clean($node);
$node->stop;
done_testing();
