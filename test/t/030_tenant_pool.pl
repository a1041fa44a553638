# The tenant of a transaction: behind PgBouncer, in parallel workers, prepared transactions and on a standby; forged before the library is there, and after.
# Packages: pgbouncer
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;
use Time::HiRes qw(usleep);

my $node = steward_node('tenant', allows_streaming => 1);
create_extension($node);
my $keys = $node->data_dir . '/tenant.keys';
append_to_file($keys, "one:0123456789abcdef0123456789abcdef\n");
$node->append_conf('postgresql.conf', "steward.tenant_keys_file = 'tenant.keys'\nsteward.tenant_token_ttl = 1d\n");
$node->reload;
$node->safe_psql('postgres', q{
	CREATE ROLE regress_app LOGIN;
	CREATE ROLE regress_other LOGIN;
	CREATE TABLE t (id serial PRIMARY KEY, tenant_id bigint NOT NULL, v text);
	INSERT INTO t (tenant_id, v) SELECT i % 3 + 1, md5(i::text) FROM generate_series(1, 30000) i;
	ANALYZE t;
	ALTER TABLE t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY tenant ON t USING (steward.is_current_tenant(tenant_id));
	GRANT ALL ON t, t_id_seq TO regress_app, regress_other});
# A build that is not installed is found under one of these, whatever the server has for that.
my ($library) = grep { $node->psql('postgres', "LOAD '$_'") == 0 } 'pg_steward', '$libdir/pg_steward';
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

sub token
{
	my ($arguments) = @_;
	return $node->safe_psql('postgres', "SELECT steward.tenant_sign($arguments, ttl => '1 hour')");
}
my %token = map { $_ => token("'$_', 'user $_'") } 1 .. 3;

# Returns what a session of a role prints, errors and warnings included; options go to its startup packet.
sub session
{
	my ($role, $sql, $options, $on) = @_;
	local $ENV{PGUSER} = $role;
	local $ENV{PGOPTIONS} = $options // '';
	# from a file: a psql that cannot connect reads no standard input
	my $file = PostgreSQL::Test::Utils::tempdir() . '/session.sql';
	append_to_file($file, $sql);
	my ($rc, $stdout, $stderr) = ($on // $node)->psql('postgres', '', on_error_stop => 0, extra_params => [ '-f', $file ]);
	$stderr =~ s/^psql:\S+:\d+: //mg;
	return join "\n", grep { length } $stdout, $stderr;
}

my $rows = q{SELECT count(*), min(tenant_id), max(tenant_id) FROM t};

# What holds whichever way the library comes in.
sub test_forging
{
	my ($how) = @_;

	# By any role, before the library is there or after, in every place where a setting can be made.
	foreach my $touch ('', 'SELECT steward.current_tenant_int() IS NULL; ')
	{
		my $when = $how . ($touch ? ', after the first use' : ', before the first use');
		like(session('regress_app', "${touch}SET steward.tenant = '2'; $rows"), qr/^0\|\|$/m, "$when: SET steward.tenant");
		like(session('regress_app', "${touch}SET steward.token = '$token{2}'; $rows"), qr/^0\|\|$/m, "$when: SET steward.token for the session");
		like(session('regress_app', "${touch}BEGIN; SET LOCAL steward.tenant = '2'; ROLLBACK; BEGIN; SELECT set_config('steward.user_id', '2', false); COMMIT; $rows"), qr/^0\|\|$/m, "$when: SET LOCAL steward.tenant");
		like(session('regress_app', "${touch}BEGIN; SET steward.token = '$token{2}'; COMMIT; $rows; BEGIN; $rows; COMMIT"), qr/^0\|\|\n0\|\|$/m, "$when: what SET left in a transaction before");
		like(session('regress_app', "${touch}SET steward.tenant_sessions = on; SET steward.tenant = '2'; BEGIN; $rows; COMMIT"), qr/^0\|\|$/m, "$when: sessions are not for the role to allow");
		like(session('regress_app', "${touch}SET steward.tenant_keys_file = '/dev/null'; SET steward.tenant_keys = 'k:mine456789abcdef0123456789abcdef'; BEGIN; SET LOCAL steward.token = '$token{2}'; $rows; COMMIT; SHOW steward.tenant_keys_file"),
			$touch || $how =~ /preload/ ? qr/^10000\|2\|2$/m : qr/^0\|\|$/m, "$when: keys are not for the role to bring along");
		like(session('regress_app', "${touch}BEGIN; SELECT steward.tenant_set('2'); ROLLBACK; $rows"), qr/^0\|\|\n?.*permission denied for function tenant_set/ms, "$when: tenant_set");
		like(session('regress_app', "${touch}$rows"), qr/^0\|\|$/m, "$when: nothing is nobody's");
	}
	foreach my $option ('steward.tenant=2', "steward.token=$token{2}", 'steward.tenant_sessions=on -c steward.tenant=2', "steward.tenant_sessions=on -c steward.token=$token{2}", 'steward.tenant_strict=off -c steward.user_id=2 -c steward.claims={}')
	{
		unlike(session('regress_app', "$rows; BEGIN; $rows; COMMIT", "-c $option"), qr/[1-9]\d*\|/, "$how: PGOPTIONS='-c $option'" =~ s/token=\S+/token=.../r);
	}
	foreach my $setting ("steward.tenant = '2'", "steward.token = '$token{2}'", "steward.claims = '{}'", 'steward.tenant_sessions = on')
	{
		like(session('regress_app', "SELECT steward.current_tenant_int(); ALTER ROLE regress_app SET $setting"), qr/ERROR/, "$how: ALTER ROLE SET" . ($setting =~ /(steward\.\w+)/ ? " $1" : ''));
	}
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_db_role_setting WHERE setconfig::text ~ $$steward\.(tenant|token|claims)$$'), '0', "$how: and nothing of it is stored");

	# A superuser's default is none either, and does not stop the role from working.
	$node->safe_psql('postgres', q{SET steward.tenant_sessions = on; SELECT steward.current_tenant_int(); ALTER ROLE regress_other SET steward.tenant = '2'});
	like(session('regress_other', $rows), qr/^0\|\|$/m, "$how: what a superuser set for a role does not count");
	unlike(session('regress_other', q{SET debug_parallel_query = on; } . $rows) =~ s/unrecognized configuration parameter//r, qr/[1-9]\d*\|/, "$how: nor does it in a worker");
	$node->safe_psql('postgres', q{ALTER ROLE regress_other RESET ALL});
	return;
}

# What the honest do.
sub test_honest
{
	my ($how, $on) = @_;
	$on //= $node;

	# the function loads the library, so nothing has to
	like(session('regress_app', "BEGIN; SELECT steward.tenant_login('$token{2}'); $rows; COMMIT; BEGIN; SELECT steward.tenant_login('$token{3}'); $rows; COMMIT; $rows", '', $on),
		qr/^\s*10000\|2\|2\n\s*10000\|3\|3\n0\|\|$/m, "$how: tenant_login as the first thing in a session");
	like(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{2}'; SELECT steward.tenant_login('$token{3}'); ROLLBACK; BEGIN; SELECT steward.tenant_login('$token{3}'); $rows; COMMIT", '', $on),
		qr/^\s*10000\|3\|3$/m, "$how: also after a token that did not count, or that was another's");

	# without preloading, something must have loaded the library before SET means anything
	my $load = $how =~ /preload/ ? '' : 'SELECT steward.current_tenant_int() IS NULL; ';
	like(session('regress_app', "${load}BEGIN; SET LOCAL steward.token = '$token{2}'; $rows; COMMIT; $rows", '', $on), qr/^10000\|2\|2\n0\|\|$/m, "$how: a token");
	like(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{2}'; $rows; COMMIT; BEGIN; SET LOCAL steward.token = '$token{3}'; $rows; COMMIT; $rows", '', $on),
		$how =~ /preload/ ? qr/^10000\|2\|2\n10000\|3\|3\n0\|\|$/m : qr/^0\|\|\n10000\|3\|3\n0\|\|.*WARNING:  setting "steward.token" was set before pg_steward was loaded/ms, "$how: a token as the first thing in a session");
	like(session($superuser, "BEGIN; SELECT steward.tenant_set('2'); SET LOCAL ROLE regress_app; $rows; COMMIT", '', $on), qr/^10000\|2\|2$/m, "$how: tenant_set");

	# In parallel workers, by token and by function; they are asked nothing that their leader knows to be void.
	my $parallel = q{SET debug_parallel_query = on; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; };
	$parallel =~ s/debug_parallel_query/force_parallel_mode/ if $node->pg_version < 16;
	my $seen = q{SELECT count(*), min(tenant_id), max(tenant_id), count(DISTINCT steward.current_tenant_uuid()), max(steward.current_tenant_text()) FROM t};
	like(session('regress_app', "$parallel${load}BEGIN; SET LOCAL steward.token = '$token{2}'; EXPLAIN (COSTS off) $seen; $seen; SELECT user_id FROM steward.tenant_context(); COMMIT; $seen", '', $on),
		qr/Parallel Seq Scan.*^10000\|2\|2\|0\|2\nuser 2\n0\|\|\|0\|$/ms, "$how: a token in parallel workers");
	like(session($superuser, "$parallel BEGIN; SELECT steward.tenant_set('3'); SET LOCAL ROLE regress_app; $seen; SAVEPOINT s; SELECT steward.tenant_clear(); $seen; ROLLBACK TO s; $seen; COMMIT; SET ROLE regress_app; $seen", '', $on),
		qr/^10000\|3\|3\|0\|3\n\n0\|\|\|0\|\n10000\|3\|3\|0\|3\n0\|\|\|0\|$/m, "$how: tenant_set in parallel workers");
	like(session($superuser, "$parallel SELECT steward.current_tenant_int(); BEGIN; SET steward.tenant = '3'; COMMIT; SET ROLE regress_app; $seen", '', $on), qr/^0\|\|\|0\|$/m, "$how: what SET left is nothing in parallel workers either");
	return;
}

test_forging('loaded when needed');
test_honest('loaded when needed');

# Prepared transactions keep nothing for the session, and what was prepared needs nothing of it.
like( session($superuser, q{BEGIN; SET steward.tenant = '2'; SELECT steward.tenant_set('2', 'u'); UPDATE t SET v = 'x' WHERE id = 1; PREPARE TRANSACTION 'p'; SELECT current_setting('steward.tenant') = '', steward.current_tenant_int() IS NULL; BEGIN; SELECT steward.tenant_set('3'); SELECT steward.current_tenant_int(); COMMIT; COMMIT PREPARED 'p'; SELECT steward.current_tenant_int() IS NULL}),
	qr/^3\nt$/m, 'a transaction that is prepared takes its tenant along');
like(session($superuser, q{SELECT steward.current_tenant_int(); BEGIN; SET steward.tenant = '2'; SET steward.user_id = '2'; PREPARE TRANSACTION 'p'; SHOW steward.tenant; SELECT current_setting('steward.tenant') = '' AND current_setting('steward.user_id') = '' AND steward.current_tenant_int() IS NULL; ROLLBACK PREPARED 'p'}),
	qr/^t$/m, 'also when SET was without LOCAL');

# A token is bound to role and database where it says so.
my $bound = token(q{'2', claims => '{"role": "regress_app", "db": "postgres"}'});
my $load = 'SELECT steward.current_tenant_int() IS NULL;';
like(session('regress_app', "$load BEGIN; SET LOCAL steward.token = '$bound'; $rows; COMMIT"), qr/^10000\|2\|2$/m, 'the role that a token is for may use it');
like(session('regress_other', "$load BEGIN; SET LOCAL steward.token = '$bound'; COMMIT; $rows"), qr/^0\|\|\n.*The token is for another role/ms, 'another role may not');
unlike($node->safe_psql('postgres', q{SELECT string_agg(name || setting, ' ') FROM pg_settings}), qr/0123456789abcdef/, 'no setting shows a key');

# Keys are read again on reload, by sessions that have read them before.
{
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT steward.tenant_set('1'); COMMIT; BEGIN; SET LOCAL steward.token = '$token{2}'; COMMIT");
	open my $file, '>', $keys or die;
	print $file "two:fedcba9876543210fedcba9876543210\none:0123456789abcdef0123456789abcdef\n";
	close $file;
	$node->reload;
	my $kid = '';
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$kid = $session->query_safe(q{SELECT split_part(steward.tenant_sign('1'), '.', 2)});
		last if $kid eq 'two';
		usleep(100_000);
	}
	is($kid, 'two', 'the new first key signs');
	is($session->query_safe("SELECT valid FROM steward.tenant_verify('$token{2}')"), 't', 'the old one still verifies');
	$session->quit;
}

$node->append_conf('postgresql.conf', "session_preload_libraries = '$library'");
$node->reload;
test_forging('session_preload_libraries');
test_honest('session_preload_libraries');
$node->append_conf('postgresql.conf', "session_preload_libraries = ''\nshared_preload_libraries = '$library'\n");
$node->restart;
test_forging('shared_preload_libraries');
test_honest('shared_preload_libraries');

# Keys in the setting itself count where the library is preloaded.
$node->append_conf('postgresql.conf', "steward.tenant_keys_file = ''\nsteward.tenant_keys = 'conf:abcdefghijklmnopqrstuvwxyz012345'\n");
$node->restart;
is($node->safe_psql('postgres', q{SELECT split_part(steward.tenant_sign('1'), '.', 2)}), 'conf', 'keys of the setting');
like(session('regress_app', 'SHOW steward.tenant_keys'), qr/must be superuser|permission denied/, 'are not to be seen');
$node->append_conf('postgresql.conf', "steward.tenant_keys = 'conf:short-secret'\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_file_settings WHERE error IS NOT NULL AND name = 'steward.tenant_keys'}) or die;
unlike(slurp_file($node->logfile), qr/parameter "steward\.tenant_keys": "/, 'and a wrong one is not told to the log');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\nsteward.tenant_keys = 'conf:abcdefghijklmnopqrstuvwxyz012345'\n");
$node->restart;
like(session($superuser, q{SELECT steward.tenant_sign('1')}), qr/counts only where pg_steward is preloaded/, 'without preloading they count for nothing');
$node->append_conf('postgresql.conf', "steward.tenant_keys = ''\nsteward.tenant_keys_file = 'tenant.keys'\n");
$node->restart;

# Sessions, where allowed, may begin with a tenant.
$node->append_conf('postgresql.conf', "shared_preload_libraries = '$library'\nsteward.tenant_sessions = on\n");
$node->restart;
like(session('regress_app', "$rows; DISCARD ALL; $rows", "-c steward.token=$token{2}"), qr/^10000\|2\|2\n10000\|2\|2$/m, 'a session begins with a token, and has it again after DISCARD ALL');
like(session('regress_app', "SET steward.token = '$token{2}'; $rows; DISCARD ALL; $rows"), qr/^10000\|2\|2\n0\|\|$/m, 'a session is given one');
like(session('regress_app', $rows, '-c steward.token=v1.one.e30.forged'), qr/invalid value for parameter "steward.token"/, 'none with a forged one');
like(session('regress_app', $rows, '-c steward.tenant=2'), qr/permission denied/, 'nor with just a tenant');
$node->append_conf('postgresql.conf', "steward.tenant_sessions = off\n");
$node->restart;

# A standby.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('tenant_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
test_honest('standby with shared_preload_libraries', $standby);
$standby->stop;

SKIP:
{
	skip 'pgbouncer is not installed', 1 unless pgbouncer();

	foreach my $preload ('', $library)
	{
		$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\n");
		$node->restart;

		my ($pool, $bouncer) = start_pgbouncer($node, 'regress_app');
		$node->safe_psql('postgres', 'SELECT steward.current_tenant_int()', connstr => $pool);
		my %client = map { $_ => $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-d', "$pool application_name=client_$_" ]) } qw(a b);
		is($client{a}->query('SELECT pg_backend_pid()'), $client{b}->query('SELECT pg_backend_pid()'), 'clients share one server connection');

		# What a client can do, and the tenants whose rows it must see, in order.
		my $show = q{SELECT 'saw ' || coalesce(string_agg(DISTINCT tenant_id::text, ','), '-') || ' ' || coalesce(steward.current_tenant_text(), '-') || ' ' || (current_setting('steward.token') = '') FROM t; };
		my $nobody = 'saw - - true';
		my $rows_seen = q{SELECT DISTINCT 'saw row of ' || tenant_id AS seen FROM t};
		my @doings = (
			[ $show, $nobody ],
			[ "BEGIN; $show COMMIT;", $nobody ],
			[ "BEGIN; SET LOCAL steward.token = '$token{1}'; $show COMMIT;", 'saw 1 1 false' ],
			[ "BEGIN; SELECT steward.tenant_login('$token{1}'); $show COMMIT; $show", 'saw 1 1 false', $nobody ],
			[ "SELECT steward.tenant_login('$token{3}'); $show", $nobody ],
			[ "SELECT steward.tenant_login('$token{2}')\\; $show", 'saw 2 2 false' ],
			[ "BEGIN; SET steward.token = '$token{2}'; $show COMMIT; $show", 'saw 2 2 false', $nobody ],
			[ "BEGIN; SET steward.token = '$token{2}'; SELECT steward.tenant_clear(); $show COMMIT; $show", $nobody, $nobody ],
			[ "SET steward.token = '$token{3}'; $show", $nobody ],
			[ "BEGIN; SELECT set_config('steward.token', '$token{3}', false); SELECT 1 / 0; COMMIT; $show", $nobody ],
			[ "BEGIN; SET steward.token = '$token{3}'; $show ROLLBACK; $show", 'saw 3 3 false', $nobody ],
			[ "BEGIN; SAVEPOINT s; SET steward.token = '$token{1}'; ROLLBACK TO s; SET LOCAL steward.token = '$token{2}'; $show COMMIT;", 'saw 2 2 false' ],
			[ "BEGIN; SET LOCAL steward.token = '$token{1}'; SET LOCAL steward.token = '$token{2}'; COMMIT; $show", $nobody ],
			[ "SELECT set_config('steward.token', '$token{1}', true)\\; $show", 'saw 1 1 false' ],
			[ "BEGIN; SET steward.token = '$token{3}'; PREPARE TRANSACTION 'pooled'; ROLLBACK PREPARED 'pooled'; $show", $nobody ],
			[ "BEGIN; SET steward.token = '$token{3}'; RESET ALL; $show COMMIT; $show DISCARD ALL; $show", $nobody, $nobody, $nobody ],
			# what outlasts a transaction, and who looks for it
			[ "BEGIN; SET LOCAL steward.token = '$token{1}'; DECLARE held CURSOR WITH HOLD FOR $rows_seen; COMMIT;" ],
			[ "BEGIN; DECLARE held CURSOR WITH HOLD FOR $rows_seen; SET LOCAL steward.token = '$token{2}'; COMMIT;" ],
			[ "BEGIN; SET LOCAL steward.token = '$token{1}'; CREATE TEMP TABLE left_over AS $rows_seen; COMMIT;" ],
			[ "CREATE TEMP TABLE IF NOT EXISTS kept (seen text); BEGIN; SET LOCAL steward.token = '$token{3}'; INSERT INTO kept $rows_seen; COMMIT;" ],
			[ "BEGIN; SET LOCAL steward.token = '$token{1}'; CREATE TEMP TABLE left_over ON COMMIT DROP AS $rows_seen; TABLE left_over; COMMIT;", 'saw row of 1' ],
			[ 'FETCH ALL FROM held; TABLE left_over; TABLE kept;' ],
			[ "BEGIN; SET LOCAL steward.token = '$token{2}'; FETCH ALL FROM held; COMMIT; BEGIN; SET LOCAL steward.token = '$token{2}'; TABLE left_over; COMMIT; BEGIN; SET LOCAL steward.token = '$token{2}'; TABLE kept; COMMIT;" ]);

		my @wrong;
		foreach my $first (0 .. $#doings)
		{
			foreach my $second (0 .. $#doings)
			{
				foreach ([ 'a', $first ], [ 'b', $second ])
				{
					my ($who, $doing) = @$_;
					my ($sql, @expected) = @{ $doings[$doing] };
					my $got = join "\n", grep { /^saw/ } split /\n/, $client{$who}->query($sql);
					push @wrong, "doing $doing after $first of $second: $got" if $got ne join "\n", @expected;
				}
			}
		}
		is(join("\n", @wrong), '', 'no order of clients shows one the rows of another, preloaded: ' . ($preload || 'nothing'));

		# A client that goes away in the middle of a transaction takes its tenant along.
		my $lost = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-d', $pool ]);
		$lost->query("BEGIN; SET steward.token = '$token{1}'; SELECT count(*) FROM t");
		$lost->{run}->kill_kill;
		is($client{b}->query($show), $nobody, 'nor does one that is gone');
		$_->quit foreach values %client;
		$bouncer->signal('INT');
		$bouncer->finish;
	}
}

server_log_is_clean($node);
$node->stop;
done_testing();
