# Who can dump what, and the ways to restore that doc/backup.md describes.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('main');
my $dir = PostgreSQL::Test::Utils::tempdir();
my @to = ('--host', $node->host, '--port', $node->port);

# A database that belongs to an ordinary role, with tables of tenants, and a log that has partitions.
$node->safe_psql('postgres', q{
	CREATE ROLE regress_owner LOGIN;
	CREATE ROLE regress_auditor LOGIN;
	CREATE ROLE regress_reader LOGIN IN ROLE pg_read_all_data;
	CREATE ROLE regress_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data;
	CREATE DATABASE shop OWNER regress_owner;
});
create_extension($node, 'shop');
$node->safe_psql('shop', q{
	ALTER SCHEMA public OWNER TO regress_owner;
	GRANT SELECT ON ALL TABLES IN SCHEMA steward TO regress_auditor;
	SET ROLE regress_owner;
	CREATE TABLE plain (id integer PRIMARY KEY, v text);
	CREATE TABLE parted (id integer, v text) PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
	SELECT steward.audit_enable(t) FROM unnest('{plain,parted}'::regclass[]) t;
	INSERT INTO plain VALUES (1, 'before there are partitions');
	RESET ROLE;
	SELECT steward.audit_maintain();
	SET ROLE regress_owner;
	INSERT INTO plain VALUES (2, 'after');
	INSERT INTO parted VALUES (3, 'three');
});
my $log = log_digest($node, 'shop');
my $data = q{SELECT array_agg(p ORDER BY id) FROM (SELECT * FROM plain UNION ALL SELECT * FROM parted) p};
my $triggers = q{
	SELECT t.tgrelid::regclass, t.tgname, t.tgenabled FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
	 WHERE p.proname ~ '^audit_' ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname};

# Runs a command; returns what it writes, complaints after the rest.
sub output_of
{
	my (@command) = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run(\@command, '>', \$stdout, '2>', \$stderr);
	return $stdout . $stderr;
}

sub dump_as
{
	my ($role, @options) = @_;
	local $ENV{PGUSER} = $role;
	return output_of('pg_dump', @to, @options, 'shop');
}

sub new_database
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	return ('-d', $name);
}

# The tables and the log of a database are those of the dump, and it is audited and guarded like the one that was dumped.
sub is_restored
{
	my ($db, $how) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($node->safe_psql($db, $data), $node->safe_psql('shop', $data), "$how: the tables are whole");
	is(log_digest($node, $db), $log, "$how: so is the log, and the restore is not in it");
	is($node->safe_psql($db, $triggers), $node->safe_psql('shop', $triggers), "$how: and the triggers are as they were");
	return;
}

#
# Who can dump
#

# everything
foreach my $role ('regress_backup', $node->safe_psql('postgres', 'SELECT current_user'))
{
	my $name = "dumped_by_$role";
	unlike(dump_as($role, '-Fc', '-f', "$dir/whole.dump"), qr/./, "$role dumps everything");
	is(output_of('pg_restore', @to, '-e', new_database($name), "$dir/whole.dump"), '', 'and it restores');
	is_restored($name, $role);
}
like(dump_as('regress_reader'), qr/query would be affected by row-level security policy/, 'pg_read_all_data alone does not: row security');

foreach my $options ([ '-s' ], [ '--exclude-schema=steward*' ])
{
	unlike(dump_as('regress_reader', @$options, '-f', '/dev/null'), qr/./, "it does for @$options");
}

# all but the log, for the owner
unlike(dump_as('regress_owner', '-s', '-f', '/dev/null'), qr/./, 'the owner of the database can dump the structure of all');
like(dump_as('regress_owner'), qr/permission denied for table audit_|row-level security/, 'but not the log');
my $structure = dump_as('regress_owner', '-s', '--exclude-schema=steward*');
unlike($structure, qr/pg_dump:|audit_events_\d|TABLE DATA/, 'the structure without the log can be dumped by the owner, and names no partition of it');
like($structure, qr/CREATE EXTENSION IF NOT EXISTS pg_steward.*CREATE TRIGGER steward_audit .* ENABLE ALWAYS TRIGGER steward_audit;/s,
	'but has the extension and the triggers');
unlike(dump_as('regress_owner', '--exclude-schema=steward*', '-f', "$dir/without.sql"), qr/./, 'so can the data');
my @psql = ('psql', @to, '-Xqo', '/dev/null', '-v', 'ON_ERROR_STOP=1');
is(output_of(@psql, new_database('without_log'), '-f', "$dir/without.sql"), '', 'which restores');
is($node->safe_psql('without_log', $data), $node->safe_psql('shop', $data), 'and is whole');
is($node->safe_psql('without_log', q{INSERT INTO plain VALUES (9); SELECT table_name, operation FROM steward.audit_log}), 'plain|INSERT', 'and audited');
# and by the owner, where a superuser has created the extension
unlike(dump_as('regress_owner', '--exclude-schema=steward*', '--no-owner', '--no-privileges', '--no-comments', '-f', "$dir/by_owner.sql"), qr/./, 'the owner dumps for another owner');
$node->safe_psql('postgres', 'CREATE DATABASE by_owner OWNER regress_owner');
create_extension($node, 'by_owner');
{
	local $ENV{PGUSER} = 'regress_owner';
	is(output_of(@psql, '-d', 'by_owner', '-f', "$dir/by_owner.sql"), '', 'who restores it');
}
is($node->safe_psql('by_owner', $data), $node->safe_psql('shop', $data), 'and it is whole');

# the structure with the log, for who may read it: partitions made later have the grants of the log
$node->safe_psql('postgres', 'GRANT regress_auditor TO regress_owner');
like(dump_as('regress_owner', '-s'), qr/CREATE TABLE steward\.audit_events_\d/, 'an owner who may read the log dumps its structure too');
like(dump_as('regress_owner'), qr/query would be affected by row-level security policy/, 'but not what is in it');

#
# Ways to restore
#

# in two steps, by sections: there are no triggers yet when rows come
my @pg_restore = ('pg_restore', @to, '-e');
my @sections = new_database('sections');
is(output_of(@pg_restore, @sections, '--section=pre-data', '--section=data', "$dir/whole.dump"), '', 'sections: structure and data');
is(output_of(@pg_restore, @sections, '--section=post-data', "$dir/whole.dump"), '', 'sections: the rest');
is_restored('sections', 'sections');

# in two steps, first the structure: the rows that come are new ones to the triggers
my @steps = new_database('steps');
is(output_of(@pg_restore, @steps, '--schema-only', "$dir/whole.dump"), '', 'schema first');
is(output_of(@pg_restore, @steps, '--data-only', "$dir/whole.dump"), '', 'then data');
is($node->safe_psql('steps', q{SELECT count(*) FROM steward.audit_log}), 2 * $node->safe_psql('shop', 'SELECT count(*) FROM steward.audit_log'), 'which is audited');

# unless they are silenced, which leaves them and the guard of the log less than they were
my @silent = new_database('silent');
is(output_of(@pg_restore, @silent, '--schema-only', "$dir/whole.dump"), '', '--disable-triggers: schema first');
is(output_of(@pg_restore, @silent, '--data-only', '--disable-triggers', "$dir/whole.dump"), '', '--disable-triggers: then data');
isnt($node->safe_psql('silent', $triggers), $node->safe_psql('shop', $triggers), '--disable-triggers: triggers fire always no longer');
like($node->safe_psql('silent', 'SELECT DISTINCT finding, remedy FROM steward.audit_coverage'), qr/^log incomplete\|SELECT steward\.audit_repair\(\);$/m, '--disable-triggers: a finding says so');
$node->safe_psql('silent', 'SELECT steward.audit_repair();');
is_restored('silent', '--disable-triggers, audit_repair()');
is($node->safe_psql('silent', q{SELECT * FROM steward.audit_coverage WHERE finding <> 'no primary key'; SELECT * FROM steward.audit_repair()}), '', 'and nothing is left to mend');

# over a database that has a log: refused as a whole, or the log goes with the rest
my $old = $node->safe_psql('steps', 'SELECT count(*) FROM steward.audit_log');
like(output_of(@pg_restore, '-1', '-d', 'steps', '--clean', '--if-exists', "$dir/whole.dump"), qr/it holds audit events.*SET steward\.audit_guard = off/s, '--clean: refused');
is($node->safe_psql('steps', 'SELECT count(*) FROM steward.audit_log'), $old, '--clean: and nothing has happened');
{
	local $ENV{PGOPTIONS} = '-c steward.audit_guard=off';
	is(output_of(@pg_restore, '-1', '-d', 'steps', '--clean', '--if-exists', "$dir/whole.dump"), '', '--clean: done with the guard off');
}
is_restored('steps', '--clean');
# a dump of the tables alone leaves the log to go on
is(output_of(@pg_restore, '-d', 'steps', '--clean', '--if-exists', '-n', 'public', "$dir/whole.dump"), '', '--clean -n public: the tables alone');
is_restored('steps', '--clean -n public');

# The privilege with which the owner of the database locks partitions shows nothing.
{
	my $partition = $node->safe_psql('shop', 'SELECT qualified_name FROM steward.audit_partitions WHERE lower_bound <= now() AND now() < upper_bound');
	is($node->safe_psql('shop', "SELECT count(*) > 0 FROM $partition"), 't', 'there is something in the log');
	is( $node->safe_psql('shop', qq{
			REVOKE regress_auditor FROM regress_owner;
			CREATE FUNCTION attack(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS 'BEGIN RAISE WARNING \$\$%\$\$, \$1; RETURN true; END';
			BEGIN;
			DO 'BEGIN PERFORM steward.tenant_set(\$\$7\$\$); END';
			UPDATE plain SET v = 'of tenant 7' WHERE id = 2;
			COMMIT;
			BEGIN;
			DO 'BEGIN PERFORM steward.tenant_set(\$\$7\$\$); END';
			SET LOCAL ROLE regress_owner;
			SELECT count(*) FROM $partition WHERE attack(new_values::text);
			SELECT count(*) FROM $partition WHERE tenant_id = '7';
			COMMIT;
			SELECT count(*) FROM $partition WHERE tenant_id = '7'}),
		"0\n0\n1", 'the owner sees nothing in it, not even what is of a tenant');
}

server_log_is_clean($node);
$node->stop;
done_testing();
