# Behind PgBouncer in transaction mode, clients share a server connection; what one sets never shows in another's events.
# Packages: pgbouncer
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

plan skip_all => 'pgbouncer is not installed' unless pgbouncer();

my $node = steward_node('pooled');
create_extension($node);
my $user = $node->safe_psql('postgres', q{
	CREATE TABLE t (id integer PRIMARY KEY, expected text);
	SELECT FROM steward.audit_enable('t');
	CREATE ROLE regress_pooled; GRANT ALL ON t TO regress_pooled;
	SELECT current_user});

my ($pool, $bouncer) = start_pgbouncer($node, $user);
$node->safe_psql('postgres', 'SELECT', connstr => $pool);

# Connects a client with the given name.
sub client
{
	my ($name) = @_;
	return $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-d', "$pool application_name=$name" ]);
}
my %client = map { $_ => client("client_$_") } qw(a b c);

is( $client{a}->query('SELECT pg_backend_pid()'), $client{b}->query('SELECT pg_backend_pid()'), 'clients share one server connection');

my $id = 0;

# An INSERT that carries what the log should say of it.
sub insert
{
	my ($client, $who) = @_;
	return sprintf q{INSERT INTO t VALUES (%d, '%s client_%s'); }, ++$id, $who, $client;
}

# What a client can do in a transaction: whatever comes before the last INSERT must not show in any other.
my @doings = (
	sub { insert($_[0], 'nobody') },
	sub { q{BEGIN; SELECT set_config('app.current_user_id', 'alice', true); } . insert($_[0], 'alice') . 'COMMIT;' },
	sub { q{BEGIN; SET LOCAL app.current_user_id = 'bob'; } . insert($_[0], 'bob') . insert($_[0], 'bob') . 'COMMIT;' },
	sub { q{BEGIN; SET LOCAL app.current_user_id = 'gone'; INSERT INTO t VALUES (0); ROLLBACK;} },
	sub { q{BEGIN; SET LOCAL app.current_user_id = 'failed'; INSERT INTO t VALUES (0); SELECT 1 / 0; COMMIT;} },
	sub { q{BEGIN; SAVEPOINT s; SET LOCAL app.current_user_id = 'undone'; INSERT INTO t VALUES (0); ROLLBACK TO s; } . insert($_[0], 'nobody') . 'COMMIT;' },
	sub {
		q{BEGIN; SET LOCAL app.current_user_id = 'carol'; SAVEPOINT s; SET LOCAL app.current_user_id = 'undone'; INSERT INTO t VALUES (0); ROLLBACK TO s; }
		  . insert($_[0], 'carol') . 'COMMIT;';
	},
	sub { q{BEGIN; SET LOCAL steward.context = '{"user": "dave"}'; } . insert($_[0], 'dave') . 'COMMIT;' },
	sub { q{BEGIN; SET LOCAL ROLE regress_pooled; SET LOCAL app.tenant_id = 'acme'; SET LOCAL app.client_ip = '192.0.2.7'; } . insert($_[0], 'acme') . 'COMMIT;' },
	sub { q{BEGIN; SET LOCAL app.current_user_id = 'erin'; } . insert($_[0], 'erin') . q{SET LOCAL app.current_user_id = ''; } . insert($_[0], 'nobody') . 'COMMIT;' },
	sub { q{DO $$ BEGIN PERFORM set_config('app.current_user_id', 'frank', true); } . insert($_[0], 'frank') . 'END $$;' });

# Every doing after every other, by changing clients.
foreach my $first (0 .. $#doings)
{
	foreach my $second (0 .. $#doings)
	{
		my @order = (qw(a b c))[ $first % 3, ($first + 1 + $second % 2) % 3 ];
		$client{ $order[0] }->query($doings[$first]->($order[0]));
		$client{ $order[1] }->query($doings[$second]->($order[1]));
	}
}

# A waiting client gets the connection as soon as the other's transaction is over.
$client{a}->query(q{BEGIN; SET LOCAL app.current_user_id = 'first'; } . insert('a', 'first'));
$client{b}->{stdin} .= insert('b', 'nobody') . "\n";
$client{b}->{run}->pump_nb;
$client{a}->query(insert('a', 'first') . 'COMMIT');
$client{b}->query('SELECT 1');

# A client that goes away in the middle of a transaction takes its context along.
my $lost = client('lost');
$lost->query(q{BEGIN; SET LOCAL app.current_user_id = 'lost'; INSERT INTO t VALUES (0)});
$lost->{run}->kill_kill;
$client{c}->query(insert('c', 'nobody'));

my $said = q{coalesce(user_id, context ->> 'user', tenant_id, 'nobody') || ' ' || application_name};
is( $node->safe_psql('postgres', "SELECT new_values ->> 'expected', $said FROM steward.audit_log WHERE new_values ->> 'expected' IS DISTINCT FROM $said"),
	'', 'every event tells of the client and the user that made it');
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT record_id) FROM steward.audit_log'), "$id|$id", 'every change is recorded once');
is( $node->safe_psql('postgres', q{SELECT DISTINCT tenant_id, ip_address, changed_by = 'regress_pooled' FROM steward.audit_log WHERE tenant_id IS NOT NULL OR changed_by = 'regress_pooled'}),
	'acme|192.0.2.7|t', 'role, tenant and address stay together');
is( $node->safe_psql('postgres', q{SELECT max(n) FROM (SELECT count(*) AS n FROM steward.audit_contexts
		GROUP BY backend_pid, role_name, user_id, tenant_id, client_ip, application_name, context) c}),
	'1', 'a context that comes again is not stored again');

$_->quit foreach values %client;
$bouncer->signal('INT');
$bouncer->finish;
server_log_is_clean($node);
$node->stop;
done_testing();
