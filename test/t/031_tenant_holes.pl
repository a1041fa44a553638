# Holes between tenants that take more than one session: startup packets, a pooler, what sessions see of each other, pg_dump, foreign
# tables, a standby.  Each is tried on the policy that people write, and on ours.
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

my $node = steward_node('holes', allows_streaming => 1);
create_extension($node);
append_to_file($node->data_dir . '/tenant.keys', "one:0123456789abcdef0123456789abcdef\n");
my ($library) = grep { $node->psql('postgres', "LOAD '$_'") == 0 } 'pg_steward', '$libdir/pg_steward';
$node->append_conf('postgresql.conf', "steward.tenant_keys_file = 'tenant.keys'\nsteward.tenant_token_ttl = 1d\nsession_preload_libraries = '$library'\nsteward.tenant_notices = off\n");
$node->reload;
$node->safe_psql('postgres', q{
	CREATE ROLE regress_owner;
	CREATE ROLE regress_app LOGIN;
	CREATE ROLE regress_other LOGIN;
	CREATE ROLE regress_gateway LOGIN IN ROLE regress_app;
	GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_gateway;
	CREATE SCHEMA naive AUTHORIZATION regress_owner;
	CREATE SCHEMA ours AUTHORIZATION regress_owner;
	GRANT USAGE ON SCHEMA naive, ours TO regress_app;
	SET ROLE regress_owner;
	CREATE TABLE naive.account (id integer, tenant_id integer, secret text);
	CREATE TABLE naive.named (LIKE naive.account);
	INSERT INTO naive.account VALUES (1, 1, 'one-secret'), (2, 2, 'two-secret');
	INSERT INTO naive.named TABLE naive.account;
	ALTER TABLE naive.account ENABLE ROW LEVEL SECURITY;
	ALTER TABLE naive.named ENABLE ROW LEVEL SECURITY;
	CREATE POLICY tenant ON naive.account USING (tenant_id::text = current_setting('app.tenant_id', true));
	CREATE POLICY tenant ON naive.named USING ('tenant_' || tenant_id = current_setting('search_path'));
	CREATE TABLE ours.account AS TABLE naive.account;
	SELECT FROM steward.tenant_protect('ours.account');
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA naive, ours TO regress_app});
my %token = map { $_ => $node->safe_psql('postgres', "SELECT steward.tenant_sign('$_', ttl => '1 hour')") } 1, 2;

# Returns what a session of a role prints, errors included.
sub session
{
	my ($role, $sql, $options, $on) = @_;
	my ($rc, $stdout, $stderr) = ($on // $node)->psql('postgres', $sql, on_error_stop => 0, connstr => ($on // $node)->connstr('postgres') . " user=$role options='" . ($options // '') . q{'});
	return join "\n", grep { length } $stdout, $stderr;
}

# Starts one.
sub client
{
	my ($connstr) = @_;
	return $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-d', $connstr // $node->connstr('postgres') . ' user=regress_app' ]);
}
my $naive = 'SELECT secret FROM naive.account ORDER BY id;';
my $ours = 'SELECT secret FROM ours.account ORDER BY id;';

# Whoever writes the startup packet, or may set a default of his own role.
is(session('regress_app', $naive, '-c app.tenant_id=2'), 'two-secret', 'a startup packet chooses the tenant of a placeholder');
is(session('regress_app', $ours, '-c app.tenant_id=2'), '', 'but not ours');
like(session('regress_app', $ours, '-c steward.tenant=2'), qr/FATAL|permission denied|^WARNING/, 'nor by its own name');
unlike(session('regress_app', $ours, "-c steward.token=$token{2}"), qr/secret$/m, 'nor with a token that leaked: it holds in a transaction only');
session('regress_app', q{ALTER ROLE regress_app SET search_path = tenant_2});
is(session('regress_app', q{SELECT secret FROM naive.named}), 'two-secret', 'a role keeps a default for itself');
session('regress_app', 'ALTER ROLE regress_app RESET search_path');
like(session('regress_app', "ALTER ROLE regress_app SET steward.tenant = '2'"), qr/permission denied/, 'not that of the tenant');
like(session('regress_app', "ALTER ROLE regress_app SET steward.token = '$token{2}'"), qr/can only be set in a transaction/, 'nor of a token');
like(session('regress_app', "ALTER DATABASE postgres SET steward.token = '$token{2}'"), qr/ERROR/, 'nor for the database');
is(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{1}'; $ours COMMIT; $ours"), 'one-secret', 'the honest are served');

# What a session runs, others of its role can read: a literal token, too.
{
	my $victim = client();
	my $thief = client();

	# the statement that ran last is shown
	$victim->query("BEGIN; SET LOCAL steward.token = '$token{2}'; SELECT 'card 4111' AS card");
	like($thief->query(q{SELECT query FROM pg_stat_activity WHERE usename = 'regress_app' AND pid <> pg_backend_pid()}), qr/card 4111/, 'a session reads the literals of another');
	$victim->query('COMMIT');
	$victim->query("SELECT pg_advisory_lock(4111)");
	is($thief->query('SELECT count(*) FROM pg_locks WHERE locktype = $$advisory$$ AND objid = 4111'), '1', 'and what it locks');

	# as a parameter, a token is not part of it: pgbench waits where it can be looked at
	my $script = PostgreSQL::Test::Utils::tempdir() . '/token.sql';
	append_to_file($script, "BEGIN;\nSELECT set_config('steward.token', :token, true), pg_advisory_xact_lock_shared(4111);\nCOMMIT;\n");
	my $gateway = IPC::Run::start([ 'pgbench', '-n', '-M', 'extended', '-t', '1', '-h', $node->host, '-p', $node->port, '-U', 'regress_app', '-D', "token=$token{2}", '-f', $script, 'postgres' ], '>', '/dev/null', '2>&1');
	$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE '%lock_shared%' AND wait_event = 'advisory'}) or die;
	my $seen = $thief->query(q{SELECT query FROM pg_stat_activity WHERE query LIKE '%lock_shared%' AND pid <> pg_backend_pid()});
	like($seen, qr/set_config\('steward.token', \$1, true\)/, 'a parameter');
	is(index($seen, $token{2}), -1, 'is not to be read');
	$victim->query('SELECT pg_advisory_unlock(4111)');
	$gateway->finish;

	# nor is anything of a role that is not tracked, or of another role
	$node->safe_psql('postgres', 'ALTER ROLE regress_app SET track_activities = off');
	my $silent = client();
	$silent->query("BEGIN; SELECT 'card 4222' AS card");
	unlike($thief->query(q{SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()}), qr/card 4222/, 'nor what a role runs that is not tracked');
	$silent->quit;
	$node->safe_psql('postgres', 'ALTER ROLE regress_app RESET track_activities');
	$victim->query("SELECT 'card 4333' AS card");
	my $activity = q{SELECT string_agg(query, ' ') FROM pg_stat_activity WHERE pid <> pg_backend_pid()};
	like($thief->query($activity), qr/card 4333/, 'that of the same role is read');
	unlike(session('regress_other', $activity), qr/card 4333/, 'by another role it is not');

	# notifications reach every listener of the database
	$thief->query('LISTEN orders');
	$victim->query(q{BEGIN}), $victim->query("SET LOCAL steward.token = '$token{2}'"), $victim->query(q{NOTIFY orders, 'of tenant 2'}), $victim->query('COMMIT');
	like($thief->query("BEGIN; SET LOCAL steward.token = '$token{1}'; COMMIT"), qr/of tenant 2/, 'a notification reaches another tenant: it must not carry data');

	# a transaction that is prepared is its role's, not its tenant's
	$victim->query("BEGIN; SET LOCAL steward.token = '$token{2}'; INSERT INTO ours.account VALUES (20, 2, 'prepared'); PREPARE TRANSACTION 'of tenant 2'");
	is($victim->query($ours), '', 'preparing a transaction ends its context');
	is($thief->query(q{SELECT gid FROM pg_prepared_xacts}), 'of tenant 2', 'another tenant of the role sees it');
	$thief->query(q{ROLLBACK PREPARED 'of tenant 2'});
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'and ends it');
	$_->quit foreach $victim, $thief;
}

# COPY and pg_dump.
like(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{1}'; COPY ours.account FROM STDIN"), qr/COPY FROM not supported with row-level security/, 'COPY FROM is refused');
{
	my @dump = ('pg_dump', '--data-only', '-U', 'regress_app', '-h', $node->host, '-p', $node->port, '-t', 'ours.account');
	$node->command_fails_like([ @dump, 'postgres' ], qr/query would be affected by row-level security/, 'pg_dump of the application fails');
	my ($stdout, $stderr) = run_command([ @dump, '--enable-row-security', 'postgres' ]);
	unlike($stdout, qr/-secret/, 'or has nobody\'s rows');
}

# Foreign tables cannot have policies: the guard says so, or refuses.
{
	my $import = q{IMPORT FOREIGN SCHEMA naive LIMIT TO (account) FROM SERVER loopback INTO imported;};
	$node->safe_psql('postgres', 'CREATE EXTENSION postgres_fdw; CREATE SCHEMA imported; ' . sprintf(q{CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '%s', port '%s', dbname 'postgres');
		CREATE USER MAPPING FOR PUBLIC SERVER loopback OPTIONS (user '%s', password_required 'false')}, $node->host, $node->port, $node->safe_psql('postgres', 'SELECT current_user')));
	my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
	$node->safe_psql('postgres', q{SELECT steward.tenant_guard_enable('warn')});
	like(session($superuser, "BEGIN; $import GRANT USAGE ON SCHEMA imported TO regress_app; GRANT SELECT ON imported.account TO regress_app; SET LOCAL ROLE regress_app; SELECT secret FROM imported.account ORDER BY id; RESET ROLE; SELECT rule FROM steward.tenant_check(schemas => '{imported}'); ROLLBACK"),
		qr/^one-secret\ntwo-secret\nforeign_table\n.*WARNING:  .*imported.account has column "tenant_id"/ms, 'a foreign table has all rows, and both guard and checker tell');
	$node->safe_psql('postgres', q{SELECT steward.tenant_guard_enable('error')});
	like(session($superuser, "BEGIN; $import COMMIT"), qr/ERROR:  .*imported.account has column "tenant_id"/, 'or the guard refuses it');
	$node->safe_psql('postgres', q{SELECT steward.tenant_guard_disable()});
}

# Plans that auto_explain writes to the log come to a client that asks for messages of the log.
{
	my $ask = 'SET client_min_messages = log; SET enable_seqscan = off; SELECT FROM ours.keyed WHERE id = 2;';
	$node->safe_psql('postgres', q{SET ROLE regress_owner; CREATE TABLE ours.keyed (id integer PRIMARY KEY, tenant_id integer NOT NULL); INSERT INTO ours.keyed VALUES (1, 1), (2, 2);
		SELECT FROM steward.tenant_protect('ours.keyed'); GRANT SELECT ON ours.keyed TO regress_app});
	my $preload = $node->safe_psql('postgres', 'SHOW session_preload_libraries');
	$node->append_conf('postgresql.conf', "session_preload_libraries = '$preload, auto_explain'\nauto_explain.log_min_duration = 0\nauto_explain.log_analyze = on\n");
	$node->reload;
	like(session('regress_app', $ask), qr/LOG: .*Rows Removed by Filter: 1/s, 'a plan tells the client of a row');
	$node->safe_psql('postgres', 'ALTER ROLE regress_app SET steward.tenant_explain = off');
	is(session('regress_app', $ask), '', 'not where EXPLAIN is off');
	my $printed = session('regress_app', "$ask SET debug_print_plan = on; $ask SELECT set_config('debug_print_plan', 'off', false)");
	like($printed, qr/setting "debug_print_plan" is not allowed/, 'nor may it be printed');
	unlike($printed, qr/LOG:|plan_rows/, 'nor is it');
	like(slurp_file($node->logfile), qr/Rows Removed by Filter: 1/, 'the log has it');
	$node->safe_psql('postgres', 'ALTER ROLE regress_app RESET steward.tenant_explain');
	$node->append_conf('postgresql.conf', "session_preload_libraries = '$preload'\n");
	$node->reload;
}

# A key that is taken away ends the contexts of its tokens, in transactions that are open as well.
{
	my $thief = client();
	append_to_file($node->data_dir . '/tenant.keys', "two:fedcba9876543210fedcba9876543210\n");
	$thief->query("BEGIN; SET LOCAL steward.token = '$token{1}'");
	is($thief->query($ours), 'one-secret', 'a token holds');
	my $keys = slurp_file($node->data_dir . '/tenant.keys');
	unlink $node->data_dir . '/tenant.keys';
	append_to_file($node->data_dir . '/tenant.keys', "two:fedcba9876543210fedcba9876543210\n");
	my $loaded = $thief->query('SELECT pg_conf_load_time()');
	$node->reload;
	my $tries = 0;
	while ($thief->query('SELECT pg_conf_load_time()') eq $loaded && $tries++ < 1800) { usleep(100_000) }
	is($thief->query($ours), '', 'not without its key');
	$thief->quit;
	unlink $node->data_dir . '/tenant.keys';
	append_to_file($node->data_dir . '/tenant.keys', $keys);
	$node->reload;
}

# What tenant_harden takes away stays so in a dump; what comes back is found.
{
	my $found = q{SELECT string_agg(rule || ' ' || object, ', ' ORDER BY key COLLATE "C") FROM steward.tenant_check(schemas => '{ours}') WHERE rule IN ('index_of_all', 'counters_visible')};
	is($node->safe_psql('postgres', $found), 'index_of_all ours.keyed', 'an index without the tenant is reported');
	$node->safe_psql('postgres', q{SELECT FROM steward.tenant_harden('regress_app'); SELECT FROM steward.tenant_harden('regress_gateway')});
	is($node->safe_psql('postgres', $found), '', 'not where nothing tells');
	my $dump = PostgreSQL::Test::Utils::tempdir() . '/hardened.sql';
	$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ], 'dump');
	$node->safe_psql('postgres', 'CREATE DATABASE restored');
	$node->command_ok([ 'psql', '-Xq', '-h', $node->host, '-p', $node->port, '-f', $dump, 'restored' ], 'restore');
	is($node->safe_psql('restored', $found), '', 'nothing tells after a restore');
	like((session('regress_app', 'SELECT FROM pg_locks'))[0], qr/permission denied for view pg_locks/, 'as before');
	$node->safe_psql('restored', 'GRANT EXECUTE ON FUNCTION pg_stat_get_xact_tuples_fetched(oid) TO PUBLIC');
	like($node->safe_psql('restored', $found), qr/counters_visible regress_app/, 'what is given back is found');
	$node->safe_psql('postgres', 'DROP DATABASE restored; ALTER ROLE regress_app RESET steward.tenant_explain; ALTER ROLE regress_gateway RESET steward.tenant_explain;'
		. q{DO $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM steward_internal.tenant_telltales() LOOP EXECUTE format('GRANT %s ON %s TO PUBLIC', t.privilege, t.object); END LOOP; END $$});
}

# A standby refuses what the primary does.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('holes_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(session('regress_app', "SET app.tenant_id = '2'; $naive", '', $standby), 'two-secret', 'on a standby a placeholder is as free');
is(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{1}'; $ours COMMIT; $ours", '', $standby), 'one-secret', 'a token holds, and ends, as elsewhere');
like(session('regress_app', "BEGIN; SET LOCAL steward.tenant = '2'; $ours", '', $standby), qr/permission denied/, 'the tenant cannot be set');
like(session('regress_app', "BEGIN; SET LOCAL steward.token = '$token{1}'; SET LOCAL steward.token = '$token{2}'; $ours", '', $standby), qr/for another tenant/, 'nor changed');
like(session('regress_app', 'BEGIN; SET LOCAL steward.token = \'' . ($token{2} =~ s/.$/x/r) . "'; $ours", '', $standby), qr/invalid value for parameter "steward.token"/, 'nor forged');
$standby->stop;

SKIP:
{
	skip 'pgbouncer is not installed', 1 unless pgbouncer();
	my ($pool, $bouncer) = start_pgbouncer($node, 'regress_app');
	my ($a, $b) = map { client($pool) } 1, 2;
	is($a->query('SELECT pg_backend_pid()'), $b->query('SELECT pg_backend_pid()'), 'clients share one server connection');

	$a->query("SET app.tenant_id = '2'");
	is($b->query($naive), 'two-secret', 'what one client has set is the tenant of the next');
	$b->query("BEGIN; SET LOCAL app.tenant_id = '1'; COMMIT");
	is($b->query($naive), 'two-secret', 'and after SET LOCAL it is again');
	$a->query("BEGIN; SET steward.token = '$token{2}'; COMMIT");
	is($b->query($ours), '', 'a token does not last');
	$b->query("BEGIN; SET LOCAL steward.token = '$token{1}'; COMMIT");
	is($b->query($ours), '', 'nor comes back');
	$_->quit foreach $a, $b;
	$bouncer->signal('INT');
	$bouncer->finish;
}

server_log_is_clean($node);
$node->stop;
done_testing();
