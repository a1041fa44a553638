# The library is loaded when it is needed, with the session or with the server: it does the same, and settings made before count or not as they should.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('preload');
create_extension($node);
$node->safe_psql('postgres', q{
	CREATE ROLE regress_app LOGIN;
	CREATE ROLE regress_owner LOGIN;
	CREATE DATABASE owned OWNER regress_owner;
	CREATE TABLE t (id serial PRIMARY KEY, v text);
	GRANT ALL ON t, t_id_seq TO regress_app;
	SELECT steward.audit_enable('t');
	CREATE TABLE kept (v text);
	INSERT INTO kept VALUES ('first');
	SELECT steward.immutable_enable('kept', '{v}');
	CREATE FUNCTION change_kept() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$UPDATE public.kept SET v = 'changed' RETURNING v$$;
	ALTER TABLE kept OWNER TO regress_owner;
	ALTER FUNCTION change_kept() OWNER TO regress_owner});
# A build that is not installed is found under one of these, whatever the server has for that.
my ($library) = grep { $node->psql('postgres', "LOAD '$_'") == 0 } 'pg_steward', '$libdir/pg_steward';
my $superuser = $node->safe_psql('postgres', 'SELECT current_user');

# Returns what a session of a role prints, errors and warnings included; options go to its startup packet.
sub session
{
	my ($role, $sql, $options) = @_;
	local $ENV{PGUSER} = $role;
	local $ENV{PGOPTIONS} = $options // '';
	my ($rc, $stdout, $stderr) = $node->psql('postgres', $sql, on_error_stop => 0);
	$stderr =~ s/^psql:<stdin>:\d+: //mg;
	return join "\n", grep { length } $stdout, $stderr;
}

# What the log says of the latest change.
my $latest = q{SELECT v, user_id, tenant_id, context FROM steward.audit_log, LATERAL (SELECT new_values ->> 'v' AS v) n ORDER BY created_at DESC LIMIT 1};

# The same in each way of loading.
sub test_settings
{
	my ($how) = @_;

	# What anybody may set counts, also when it was set before the library was there.
	session('regress_app', q{INSERT INTO t (v) VALUES ('options')}, '-c app.current_user_id=alice -c steward.context={"from":"options"}');
	is(session($superuser, $latest), 'options|alice||{"from": "options"}', "$how: settings of the startup packet count");
	session('regress_app', q{SET steward.context = '{"from": "set"}'; INSERT INTO t (v) VALUES ('set')});
	is(session($superuser, $latest), 'set|||{"from": "set"}', "$how: so do those set in the session");
	session('regress_app', q{BEGIN; SET LOCAL steward.context = '{"from": "local"}'; SAVEPOINT s; SET LOCAL steward.context = '{"from": "savepoint"}'; SET LOCAL app.tenant_id = 'undone';
		INSERT INTO t (v) VALUES ('undone'); ROLLBACK TO s; INSERT INTO t (v) VALUES ('local'); COMMIT});
	is(session($superuser, $latest), 'local|||{"from": "local"}', "$how: those of a savepoint go with it, as does the library's first work");
	session('regress_app', q{BEGIN; SET LOCAL steward.context = '{"from": "local"}'; INSERT INTO t (v) VALUES ('x'); COMMIT; INSERT INTO t (v) VALUES ('after')});
	is(session($superuser, $latest), 'after|||', "$how: those of a transaction go with it");

	# What the owner of a table may set does not count for others, whoever the library finds at work when it is loaded.
	like(session('regress_app', q{BEGIN; SET LOCAL steward.upkeep_paused = on; SELECT change_kept()}), qr/column "v" of table "kept" must not change/,
		"$how: nobody but the owner pauses upkeep");
	like(session('regress_app', q{SELECT change_kept()}, '-c steward.upkeep_paused=on'), qr/column "v" of table "kept" must not change|can only be set in a transaction/, "$how: nor by the startup packet");
	is(session('regress_owner', q{BEGIN; SELECT steward.upkeep_pause(); UPDATE kept SET v = 'mended' RETURNING v; ROLLBACK}), "\nmended", "$how: the owner does, with the first statement");

	# What only a superuser may set does not count when somebody else did before the library was there.
	my $out = session('regress_app', q{
		SET steward.audit_user_setting = 'regress.forged'; SET regress.forged = 'forged'; SET app.current_user_id = 'true';
		SET steward.audit_guard = off; SET steward.audit_redaction_key = 'known'; SET steward.audit_retention = '1 min';
		INSERT INTO t (v) VALUES ('forged');
		SHOW steward.audit_user_setting; SHOW steward.audit_guard; SHOW steward.audit_retention});
	like($out, qr/permission denied to set parameter "steward\.audit_user_setting"/, "$how: a role is told that it may not set it");
	unlike($out, qr/forged$|^off$|^1 min$/m, "$how: and it has no effect");
	is(session($superuser, $latest), 'forged|true||', "$how: the log says what is true");
	session('regress_app', q{INSERT INTO t (v) VALUES ('forged options')}, '-c steward.audit_user_setting=regress.forged -c regress.forged=forged -c app.current_user_id=true');
	is(session($superuser, $latest), $how =~ /shared/ ? 'forged|true||' : 'forged options|true||', "$how: nor in the startup packet");
	like(session('regress_app', q{ALTER ROLE regress_app SET steward.audit_guard = off}), qr/permission denied/, "$how: nor for the role");
	like(session('regress_owner', q{ALTER DATABASE owned SET steward.audit_guard = off}), qr/permission denied/, "$how: nor for a database by its owner");

	# A superuser's settings count at every level.
	$node->safe_psql('postgres', q{ALTER ROLE regress_app SET steward.audit_user_setting = 'regress.role_user'; ALTER DATABASE postgres SET steward.audit_tenant_setting = 'regress.tenant'});
	session('regress_app', q{SET regress.role_user = 'by role'; SET regress.tenant = 'by database'; INSERT INTO t (v) VALUES ('levels')});
	is(session($superuser, $latest), 'levels|by role|by database|', "$how: settings of role and database count");
	$node->safe_psql('postgres', q{ALTER ROLE regress_app RESET ALL; ALTER DATABASE postgres RESET ALL});

	# The guard holds in a session that has not touched the library before.
	foreach my $command ('DELETE FROM steward.audit_events', 'TRUNCATE steward.audit_events_default', q{UPDATE steward.audit_contexts SET user_id = 'x'},
		'INSERT INTO steward.audit_events_default SELECT * FROM steward.audit_events', 'DROP TABLE steward.audit_events CASCADE', 'DROP EXTENSION pg_steward CASCADE')
	{
		like(session($superuser, $command), qr/must not|it holds audit events|requires it/, "$how: refused: $command");
	}
	like(session($superuser, q{SET steward.audit_guard = off; BEGIN; DELETE FROM steward.audit_events RETURNING 'deleted'; ROLLBACK}), qr/^deleted/m,
		"$how: a superuser may take the guard away first thing");
	is(session($superuser, 'SELECT count(*) >= 0 FROM steward.audit_maintain(); SHOW steward.audit_guard'), "t\non", "$how: upkeep leaves the guard as it was");

	# Unknown names under the prefix are refused once the library is there.
	like(session($superuser, q{SELECT steward_internal.audit_table_id('t') > 0; SET steward.audit_gaurd = off}), qr/invalid configuration parameter name "steward\.audit_gaurd"/,
		"$how: a mistyped setting is an error");
	return;
}

test_settings('loaded when needed');
$node->append_conf('postgresql.conf', "session_preload_libraries = '$library'");
$node->reload;
test_settings('session_preload_libraries');
$node->append_conf('postgresql.conf', "session_preload_libraries = ''\nshared_preload_libraries = '$library'\n");
$node->restart;
test_settings('shared_preload_libraries');

# Settings of postgresql.conf, with and without preloading, and a reload while the library is there.
foreach my $preload ($library, '')
{
	$node->append_conf('postgresql.conf', "shared_preload_libraries = '$preload'\nsteward.audit_user_setting = 'regress.conf_user'\n");
	$node->restart;
	session('regress_app', q{SET regress.conf_user = 'by file'; INSERT INTO t (v) VALUES ('file')});
	is(session($superuser, $latest), 'file|by file||', "postgresql.conf counts, shared_preload_libraries = '$preload'");

	my $session = $node->background_psql('postgres');
	$session->query_safe(q{SET regress.conf_user = 'no more'; SET app.current_user_id = 'reloaded'; INSERT INTO t (v) VALUES ('before')});
	$node->append_conf('postgresql.conf', q{steward.audit_user_setting = 'app.current_user_id'});
	$node->reload;
	$node->poll_query_until('postgres', q{SELECT setting = 'app.current_user_id' FROM pg_file_settings WHERE name = 'steward.audit_user_setting' AND applied}) or die;
	my $user;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$user = $session->query_safe('SHOW steward.audit_user_setting');
		last if $user eq 'app.current_user_id';
	}
	$session->query_safe(q{INSERT INTO t (v) VALUES ('reloaded')});
	is(session($superuser, $latest), 'reloaded|reloaded||', 'and is read again while the library is loaded');
	$session->quit;
}

# From 18 on a library says what it is.
if ($node->pg_version >= 18)
{
	is( session($superuser, "LOAD '$library'; SELECT module_name, version = (SELECT extversion FROM pg_extension WHERE extname = 'pg_steward') FROM pg_get_loaded_modules() WHERE module_name = 'pg_steward'"),
		'pg_steward|t', 'the library says its name and version');
}

# A wrong value in the file is reported and ignored, the session works.
$node->append_conf('postgresql.conf', q{steward.audit_partition_interval = 'fortnight'});
$node->reload;
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_file_settings WHERE setting = 'fortnight'}) or die;
like(session('regress_app', q{INSERT INTO t (v) VALUES ('wrong file') RETURNING 'written'}), qr/^written/, 'a wrong value in postgresql.conf stops no write');
$node->append_conf('postgresql.conf', q{steward.audit_partition_interval = 'month'});
$node->reload;

# Parallel workers read the log, with the library loaded or not, and settings passed on to them.
$node->safe_psql('postgres', q{INSERT INTO t (v) SELECT md5(g::text) FROM generate_series(1, 20000) g; ANALYZE steward.audit_events});
my $parallel = q{SET debug_parallel_query = on; SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; };
$parallel =~ s/debug_parallel_query/force_parallel_mode/ if $node->pg_version < 16;
like(session($superuser, $parallel . 'EXPLAIN (COSTS off) SELECT count(record_id) FROM steward.audit_log'), qr/Parallel Seq Scan/, 'the log can be read in parallel');
foreach my $before ('', q{SET steward.context = '{"a": 1}'; SET app.current_user_id = 'alice'; INSERT INTO t (v) VALUES ('before'); })
{
	is( session($superuser, "$before$parallel" . q{SELECT count(record_id) = count(*), count(*) >= 20000, steward_internal.audit_table_id('t') = max(table_id) FROM steward.audit_entries}),
		't|t|t', 'and is whole' . ($before ? ', in a session that has written too' : ''));
}
like(session('regress_app', $parallel . q{SET steward.audit_guard = off; SET steward.context = '{}'; SELECT steward_internal.audit_record_id('{"id": 1}')}), qr/^1$/m,
	"a worker takes over a role's settings, forbidden ones and all");

server_log_is_clean($node);
$node->stop;
done_testing();
