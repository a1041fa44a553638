# Two-phase commit: whatever becomes of a prepared transaction, each event has its context and its table.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('prepared');
create_extension($node);
$node->safe_psql('postgres', join '', map {
	"CREATE TABLE $_ (id integer PRIMARY KEY, v text); SELECT steward.audit_enable('$_');"
} qw(one two three four));

# What stands in the log: table, key, application user; "?" for what is missing.
sub entries
{
	return $node->safe_psql('postgres', q{
		SELECT string_agg(coalesce(table_name, '?') || record_id || coalesce(user_id, '?'), ' ' ORDER BY table_name, record_id::integer)
		  FROM steward.audit_log});
}

# The first context and the first use of a table are in the transaction that is prepared.
my $session = $node->background_psql('postgres');
$session->query_safe($_) foreach (
	q{SET app.current_user_id = 'a'},
	q{BEGIN}, q{INSERT INTO one VALUES (1)}, q{PREPARE TRANSACTION 'first'});

# The session goes on in the same context: it must not count on what is prepared.
$session->query_safe(q{INSERT INTO one VALUES (2)});
is(entries(), 'one2a', 'a session does not use the context it prepared');

# Prepared from within savepoints, one of them rolled back.
$session->query_safe($_) foreach (
	q{SET app.current_user_id = 'b'},
	q{BEGIN}, q{SAVEPOINT s}, q{INSERT INTO two VALUES (1)}, q{ROLLBACK TO s}, q{INSERT INTO two VALUES (2)},
	q{SAVEPOINT t}, q{SET LOCAL app.current_user_id = 'c'}, q{INSERT INTO two VALUES (3)},
	q{INSERT INTO two SELECT g FROM generate_series(100, 1300) g}, q{PREPARE TRANSACTION 'second'});
$session->query_safe(q{INSERT INTO two VALUES (4)});
is(entries(), 'one2a two4b', 'nor the tables');

# One to be rolled back, in the context and with the table that a later one depends on as well.
$session->query_safe($_) foreach (
	q{SET app.current_user_id = 'd'},
	q{BEGIN}, q{INSERT INTO three VALUES (1)}, q{PREPARE TRANSACTION 'third'},
	q{BEGIN}, q{INSERT INTO three VALUES (2)}, q{PREPARE TRANSACTION 'fourth'});

# One that renames the table it changes; the lock keeps others out until it is over.
$session->query_safe($_) foreach (
	q{BEGIN}, q{ALTER TABLE four RENAME TO fifth}, q{INSERT INTO fifth VALUES (1)}, q{PREPARE TRANSACTION 'fifth'});
$session->quit;

crash_and_start($node);
is(entries(), 'one2a two4b', 'after a crash, prepared events are still invisible');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '5', 'and still there');

$node->safe_psql('postgres', q{ROLLBACK PREPARED 'third'});
$node->safe_psql('postgres', q{COMMIT PREPARED 'fourth'});
is(entries(), 'one2a three2d two4b', 'the one rolled back takes nothing along that the next needs');
$node->safe_psql('postgres', q{COMMIT PREPARED 'first'});
$node->safe_psql('postgres', q{COMMIT PREPARED 'second'});
is( $node->safe_psql('postgres', q{SELECT table_name, user_id, count(*) FROM steward.audit_log GROUP BY 1, 2 ORDER BY 1, 2}),
	"one|a|2\nthree|d|1\ntwo|b|2\ntwo|c|1202", 'what another session commits is whole');

$node->safe_psql('postgres', q{ROLLBACK PREPARED 'fifth'});
$node->safe_psql('postgres', q{INSERT INTO four VALUES (2)});
is($node->safe_psql('postgres', q{SELECT table_name FROM steward.audit_log WHERE record_id = '2' AND table_name ~ '^f'}), 'four', 'a name that was rolled back is not known');

# One session after the other prepares and goes on, with contexts old and new.
my $users = 30;
my $sql = join '', map {
	"SET app.current_user_id = 'u$_'; BEGIN; INSERT INTO one VALUES ($_ * 10); PREPARE TRANSACTION 'p$_'; INSERT INTO one VALUES ($_ * 10 + 1);"
	. ($_ % 2 ? "ROLLBACK PREPARED 'p$_';" : "COMMIT PREPARED 'p$_';") . "INSERT INTO one VALUES ($_ * 10 + 2);"
} (1 .. $users);
$node->safe_psql('postgres', $sql);
is( $node->safe_psql('postgres', q{SELECT count(*), bool_and(l.user_id = 'u' || o.id / 10) FROM one o LEFT JOIN steward.audit_log l ON l.table_name = 'one' AND l.record_id = o.id::text WHERE o.id >= 10}),
	($users * 2 + $users / 2) . '|t', 'each event has the context of its time');
is( $node->safe_psql('postgres', q{SELECT count(*) FROM steward.audit_events e LEFT JOIN steward.audit_contexts c USING (context_id)
		LEFT JOIN steward.audit_tables t USING (table_id) WHERE c.context_id IS NULL OR t.table_id IS NULL}),
	'0', 'and every event its table');
is($node->safe_psql('postgres', q{SELECT count(*) - count(DISTINCT (transaction_id, seq)) FROM steward.audit_events}), '0', 'no event is there twice');

server_log_is_clean($node);
$node->stop;
done_testing();
