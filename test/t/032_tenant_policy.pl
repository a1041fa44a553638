# What the builders of policies made and the guard survive dump, restore and pg_upgrade's way of dumping, whoever owns the tables.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('main', allows_streaming => 'logical');
my $dir = PostgreSQL::Test::Utils::tempdir();
my @at = ('--host', $node->host, '--port', $node->port);

$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN; CREATE ROLE "Admin ""1" LOGIN; CREATE DATABASE source OWNER owner');
create_extension($node, 'source');
$node->safe_psql('source', q{
	GRANT CREATE ON SCHEMA public TO owner;
	SET ROLE owner;
	CREATE TYPE status AS ENUM ('draft', 'it''s published');
	CREATE TABLE parted (id integer, tenant_id bigint, note text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
	CREATE TABLE parted_1_1 PARTITION OF parted_1 DEFAULT;
	CREATE TABLE posts (id integer PRIMARY KEY, "Tenant ""id" text NOT NULL, author_id uuid, status status);
	CREATE TABLE parent (tenant_id uuid);
	CREATE TABLE child () INHERITS (parent);
	CREATE TABLE members (team integer, user_id bigint);
	CREATE TABLE projects (id integer, team integer);
	CREATE TABLE documents (id integer, user_id bigint);
	INSERT INTO parted SELECT i, i % 2, 'note ' || i FROM generate_series(1, 10) i;
	INSERT INTO members VALUES (1, 7);
	INSERT INTO projects VALUES (1, 1), (2, 2);
	GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
	REVOKE INSERT, UPDATE, DELETE ON members FROM app;
	SELECT steward.tenant_protect('parted', roles => '{app}');
	SELECT steward.tenant_protect_visibility('posts', 'status', public_values => '{it''s published}');
	SELECT steward.tenant_protect('posts', 'Tenant "id');
	SELECT steward.tenant_protect('parent');
	SELECT steward.tenant_protect_user('members');
	SELECT steward.tenant_protect_member('projects', 'members', 'team', 'team');
	SELECT steward.tenant_protect_user('documents', roles => '{app}');
	SELECT steward.tenant_admin_all('documents', 'Admin "1');
	CREATE POLICY theirs ON documents FOR SELECT USING (false);
	RESET ROLE;
	SELECT steward.tenant_guard_enable('error', '{tenant_id,team}', '{app}');
	INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('no_rls:public.muted', 'test');
	CREATE TABLE muted (tenant_id integer);
});

my $state = q{
	SELECT relation, policy_name, roles, intent, using_expression, problem FROM steward.tenant_policies ORDER BY relation::text, policy_name;
	SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1;
	SELECT p.polrelid::regclass, p.polname, obj_description(p.oid, 'pg_policy') FROM pg_policy p ORDER BY p.polrelid::regclass::text, 2;
	SELECT adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid > 16383 AND pg_get_expr(adbin, adrelid) ~ 'current_' ORDER BY adrelid::regclass::text, 2;
	SELECT c.relname, c.relacl FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1;
	SELECT evtname, evtevent, evtenabled, evttags FROM pg_event_trigger WHERE evtname ~ 'tenant';
	SELECT * FROM steward.tenant_guard_settings;
	SELECT finding_key, reason FROM steward.muted_findings;
	SELECT * FROM parted ORDER BY id;
};
my $before = $node->safe_psql('source', $state);
like($before, qr/^steward_tenant_guard\|ddl_command_end\|A\|/m, 'the guard is there');
is($node->safe_psql('source', 'SELECT count(*) FROM steward.tenant_policies WHERE problem IS NOT NULL'), '0', 'no problems');

sub holds
{
	my ($db, $how) = @_;

	is($node->safe_psql($db, $state), $before, "$how: all is as it was");
	is($node->safe_psql($db, q{SET ROLE owner; SELECT steward.tenant_protect('parted');
			SELECT steward.tenant_protect_visibility('posts', 'status', public_values => '{it''s published}'); SELECT steward.tenant_protect('posts', 'Tenant "id');
			SELECT steward.tenant_protect_member('projects', 'members', 'team', 'team'); SELECT steward.tenant_admin_all('documents', 'Admin "1')}),
		'', "$how: the builders find nothing to do");
	is($node->safe_psql($db, q{BEGIN; SELECT FROM steward.tenant_set('1', '7'); SET LOCAL ROLE app; SELECT count(*), sum(tenant_id) FROM parted; SELECT count(*) FROM parted_1_1; SELECT id FROM projects; COMMIT}),
		"5|5\n5\n1", "$how: the policies hold");
	my ($rc, $out, $err) = $node->psql($db, 'CREATE TABLE bad (tenant_id integer)');
	like($err, qr/table public\.bad has column "tenant_id" but no row security/, "$how: the guard guards");
	return;
}
holds('source', 'at first');

foreach my $format (qw(c p))
{
	my $file = "$dir/dump.$format";
	command_ok([ 'pg_dump', @at, "-F$format", '-f', $file, 'source' ], "pg_dump, format $format");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$format OWNER owner");
	command_ok($format eq 'c' ? [ 'pg_restore', @at, '--exit-on-error', '-d', "restored_$format", $file ]
		: [ 'psql', @at, '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', "restored_$format", '-f', $file ], "format $format: restores");
	holds("restored_$format", "format $format");
}
# A dump of what was restored is the same again.
{
	my @dumps = map {
		my ($out, $err);
		IPC::Run::run([ 'pg_dump', @at, '--schema-only', $_ ], '>', \$out, '2>', \$err) or die $err;
		join "\n", sort grep { !/^\\(?:un)?restrict/ } split /\n/, $out;
	} ('source', 'restored_c');
	is($dumps[1], $dumps[0], 'the restored database dumps the same');
}

# Who is kept in by FORCE cannot dump, rather than leave out rows; BYPASSRLS can.
command_fails_like([ 'pg_dump', @at, '-U', 'owner', '-t', 'parted*', '-f', '/dev/null', 'source' ], qr/row-level security/, 'a forced owner cannot dump');
$node->safe_psql('postgres', 'ALTER ROLE owner BYPASSRLS');
command_ok([ 'pg_dump', @at, '-U', 'owner', '-t', 'parted*', '-Fc', '-f', "$dir/owner.dump", 'source' ], 'with BYPASSRLS he can');
$node->safe_psql('postgres', 'ALTER ROLE owner NOBYPASSRLS');

# With the guard on, tables whose policies come last cannot be restored; without it, also by their owner.
$node->safe_psql('restored_c', 'DROP TABLE parted');
command_fails_like([ 'pg_restore', @at, '-e', '-d', 'restored_c', "$dir/owner.dump" ], qr/has column "tenant_id" but no row security/, 'mode error refuses');
$node->safe_psql('restored_c', 'SELECT steward.tenant_guard_disable(); GRANT CREATE ON SCHEMA public TO owner');
command_ok([ 'pg_restore', @at, '-U', 'owner', '-e', '-d', 'restored_c', "$dir/owner.dump" ], 'without the guard the owner restores');
is($node->safe_psql('restored_c', q{SELECT count(*), count(problem) FROM steward.tenant_policies WHERE relation::text ~ 'parted'; SELECT count(*) FROM parted}), "6|0\n10", 'and all is there');

# In mode error, a prepared transaction is checked when it is prepared.
{
	my ($rc, $out, $err) = $node->psql('source', q{BEGIN; CREATE TABLE bad (tenant_id integer); PREPARE TRANSACTION 'bad'});
	like($err, qr/table public\.bad has column/, 'PREPARE TRANSACTION is refused');
	$node->safe_psql('source', q{BEGIN; CREATE TABLE good (tenant_id integer); SELECT steward.tenant_protect('good'); PREPARE TRANSACTION 'good'});
	$node->safe_psql('source', q{COMMIT PREPARED 'good'});
	is($node->safe_psql('source', q{SELECT relforcerowsecurity FROM pg_class WHERE relname = 'good'; SELECT count(*) FROM steward_internal.tenant_guard_pending}), "t\n0", 'what is protected is not');
}

# A subscriber applies changes to protected tables, as a superuser. What it applies is no DDL; what a replica's session creates is guarded.
{
	my ($rc, $out, $err) = $node->psql('source', q{SET session_replication_role = replica; CREATE TABLE bad (tenant_id integer)});
	like($err, qr/table public\.bad has column/, 'session_replication_role = replica is no way around');
	my $from = $node->connstr('source') =~ s/'/''/gr;
	my $option = $node->pg_version->major >= 16 ? ', run_as_owner = true' : '';
	$node->safe_psql('restored_p', 'TRUNCATE parted');
	$node->safe_psql('source', q{CREATE PUBLICATION p FOR TABLE parted; SELECT pg_create_logical_replication_slot('s', 'pgoutput')});
	$node->safe_psql('restored_p', "CREATE SUBSCRIPTION s CONNECTION '$from' PUBLICATION p WITH (create_slot = false, slot_name = s$option)");
	$node->wait_for_subscription_sync($node, 's', 'restored_p');
	$node->safe_psql('source', q{INSERT INTO parted VALUES (11, 2, 'new'); UPDATE parted SET tenant_id = 2 WHERE id = 1; DELETE FROM parted WHERE id = 2});
	$node->wait_for_catchup('s');
	is($node->safe_psql('restored_p', 'SELECT count(*), sum(tenant_id) FROM parted'), $node->safe_psql('source', 'SELECT count(*), sum(tenant_id) FROM parted'), 'changes arrive');
	$node->safe_psql('restored_p', 'DROP SUBSCRIPTION s');
}

server_log_is_clean($node);
$node->stop;
done_testing();
