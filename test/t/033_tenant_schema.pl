# Suspending a tenant reaches the standby, the registry and the schemas survive a dump, and making schemas needs few
# locks and can be stopped anywhere.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

# CREATE EXTENSION itself takes more locks than that leaves.
my $primary = steward_node('primary', allows_streaming => 1, conf => "max_connections = 20\nshared_buffers = 16MB\n");
create_extension($primary);
$primary->append_conf('postgresql.conf', 'max_locks_per_transaction = 10');
$primary->restart;
$primary->safe_psql('postgres', q{
	CREATE SCHEMA template;
	SELECT format('CREATE TABLE template.t%s (id serial PRIMARY KEY, a int, b text)', i), format('CREATE INDEX ON template.t%s (a)', i)
	  FROM generate_series(1, 10) i \gexec
	ALTER TABLE template.t2 ADD FOREIGN KEY (a) REFERENCES template.t1;
	CREATE FUNCTION schemas(first int, last int) RETURNS text LANGUAGE sql
	RETURN (SELECT array_agg(n::text) FROM generate_series(first, last) n)});

# The tenants that are registered without having all that the template has, or the other way round.
sub unfinished
{
	my ($node) = @_;
	return $node->safe_psql('postgres', q{
		SELECT count(*) FROM steward.tenant_schema_drift('template')
		 UNION ALL SELECT count(*) FROM pg_namespace n WHERE nspname ~ '^tenant_' AND NOT EXISTS (SELECT FROM steward.tenants t WHERE t.schema_name = n.nspname AND t.template = 'template')});
}

# Locks.
my $keys = $primary->safe_psql('postgres', 'SELECT schemas(1, 40)');
my ($rc, $stdout, $stderr) = $primary->psql('postgres', q{
	DO $$ BEGIN FOR i IN 1 .. 40 LOOP EXECUTE format('CREATE SCHEMA like%s', i);
		FOR j IN 1 .. 10 LOOP EXECUTE format('CREATE TABLE like%s.t%s (LIKE template.t%2$s INCLUDING ALL)', i, j); END LOOP; END LOOP; END $$});
like($stderr, qr/out of shared memory/, 'there are too few locks to make 40 schemas at once');
$primary->safe_psql('postgres', "CALL steward.tenant_schema_create('$keys', 'template', batch => 1000)");
is(unfinished($primary), "0\n0", 'but enough to make them in batches');
is($primary->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname ~ '^tenant_'}), '40', 'all of them');

# Cancelled in the middle, at the same time as another session does the same.
$keys = $primary->safe_psql('postgres', 'SELECT schemas(41, 120)');
my ($out, $err) = ('', '');
my $first = IPC::Run::start([ 'psql', '-XAtq', '-d', $primary->connstr('postgres'), '-c', "SET application_name = 'first'",
	'-c', "CALL steward.tenant_schema_create('$keys', 'template', batch => 1)" ], '<', \undef, '>', \$out, '2>', \$err);
$primary->poll_query_until('postgres', q{SELECT count(*) > 45 FROM steward.tenants}) or die 'no schemas are made';
$primary->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'first'});
$first->finish;
like($err, qr/canceling statement/, 'a call was cancelled');
is(unfinished($primary), "0\n0", 'it left no half schema');
my $made = $primary->safe_psql('postgres', 'SELECT count(*) FROM steward.tenants');
cmp_ok($made, '<', 120, 'and not all of them');
my @both = map {
	IPC::Run::start([ 'psql', '-XAtq', '-d', $primary->connstr('postgres'),
		'-c', "CALL steward.tenant_schema_create('$keys', 'template', batch => 3)" ], '<', \undef, '>&', \$out)
} 1 .. 2;
is(join(' ', map { $_->finish ? 'ok' : "failed: $out" } @both), 'ok ok', 'two calls at once do the rest');
is(unfinished($primary), "0\n0", 'and each schema once');
is($primary->safe_psql('postgres', 'SELECT count(*) FROM steward.tenants'), '120', 'all of them');

# The standby.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
my $session = $standby->background_psql('postgres');
$session->query_safe(q{BEGIN; SELECT steward.tenant_set('1')});
is($session->query_safe('SELECT steward.current_tenant_int()'), '1', 'a tenant works on the standby');
$primary->safe_psql('postgres', q{SELECT steward.tenant_suspend('1')});
$primary->wait_for_catchup($standby);
is($session->query_safe('SELECT steward.current_tenant_int() IS NULL'), 't', 'until it is suspended on the primary');
$session->query_safe('ROLLBACK');
($rc, $stdout, $stderr) = $standby->psql('postgres', q{BEGIN; SELECT steward.tenant_set('1')});
like($stderr, qr/tenant "1" is suspended/, 'then it is refused there');
$primary->safe_psql('postgres', q{SELECT steward.tenant_resume('1')});
$primary->wait_for_catchup($standby);
is($session->query_safe(q{BEGIN; SELECT steward.tenant_set('1'), steward.tenant_schema_use('1'); SELECT steward.current_tenant_int(); SHOW search_path}),
	"|\n1\ntenant_1, public, pg_temp", 'and admitted when it is resumed, with its schema');
$session->quit;
$standby->stop;

# Dump and restore.
$primary->safe_psql('postgres', q{SELECT steward.tenant_suspend('2'); INSERT INTO tenant_1.t1 (b) VALUES ('row');
	DELETE FROM steward.tenants WHERE key::int > 10});
$primary->safe_psql('postgres', q{SELECT format('DROP SCHEMA %I CASCADE', n.nspname) FROM pg_namespace n WHERE n.nspname ~ '^tenant_' AND n.nspname NOT IN (SELECT schema_name FROM steward.tenants) \gexec});
$primary->safe_psql('postgres', q{CALL steward.tenant_schema_migrate('m1', 'ALTER TABLE t3 ADD m int', 'template', shared => '{}')});
my $dump = $primary->basedir . '/dump.sql';
$primary->command_ok([ 'pg_dump', '-f', $dump, $primary->connstr('postgres') ], 'dump');
$primary->append_conf('postgresql.conf', 'max_locks_per_transaction = 64');
$primary->restart;
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
$primary->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $primary->connstr('restored') ], 'restore');
my $digest = q{SELECT md5(string_agg(t::text, ',' ORDER BY key)) FROM steward.tenants t
	UNION ALL SELECT md5(string_agg(m::text, ',' ORDER BY schema_name)) FROM steward.tenant_migrations m};
is($primary->safe_psql('restored', $digest), $primary->safe_psql('postgres', $digest), 'registry and migrations are as they were');
is($primary->safe_psql('restored', q{SELECT tenant, kind, object FROM steward.tenant_schema_drift('template')}), '2|column|t3.m',
	'the schemas are like the template, but for what a suspended tenant has missed');
($rc, $stdout, $stderr) = $primary->psql('restored', q{BEGIN; SELECT steward.tenant_set('2')});
like($stderr, qr/tenant "2" is suspended/, 'who was suspended is');
is($primary->safe_psql('restored', q{BEGIN; SELECT steward.tenant_schema_use('1'); INSERT INTO t1 (b) VALUES ('next') RETURNING id}), "\n2", 'a tenant goes on where it was');
$primary->safe_psql('restored', q{CALL steward.tenant_schema_create('{new}', 'template')});
is($primary->safe_psql('restored', q{SELECT count(*) FROM steward.tenant_schema_drift('template', '{1,new}')}), '0', 'and more are made');

# A database without the extension knows no registry.
$primary->safe_psql('postgres', 'CREATE DATABASE bare');
is($primary->safe_psql('bare', q{LOAD 'pg_steward'; BEGIN; SET LOCAL steward.tenant = '2'; SHOW steward.tenant}), '2', 'where the extension is not, everybody works');

server_log_is_clean($primary);
$primary->stop;
done_testing();
