# pg_upgrade keeps the audit log, and auditing goes on in the new cluster.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

# From a major version to itself, which is all that one installation can test.
my $old = steward_node('old', conf => "steward.audit_partition_interval = day\n");
# Version 18 alone looks for the library in the installation's folder only.
if ($old->pg_version->major == 18 && $old->psql('postgres', q{LOAD '$libdir/pg_steward'}) != 0)
{
	$old->stop;
	plan skip_all => 'pg_upgrade 18 does not find a library that is not installed';
}
create_extension($old);
create_workload($old);
$old->safe_psql('postgres', q{
	CREATE TABLE renamed_later (id integer PRIMARY KEY, v text);
	SELECT steward.audit_enable('renamed_later');
	INSERT INTO renamed_later VALUES (1, 'first');
	ALTER TABLE renamed_later RENAME TO renamed;
	UPDATE renamed SET v = 'second';
});
ok(start_workload($old, seconds => 1)->finish, 'the old cluster is written to');
# twice, because so many events are given a partition in two steps
$old->safe_psql('postgres', 'SELECT steward.audit_maintain()') for 1 .. 2;
$old->safe_psql('postgres', q{
	SET steward.audit_guard = off;
	INSERT INTO steward.audit_events
	SELECT (jsonb_populate_record(e, jsonb_build_object('recorded_at', '2020-01-01 12:00+00', 'seq', seq + 1000))).*
	  FROM steward.audit_events e WHERE table_id = steward_internal.audit_table_id('renamed') LIMIT 1});
my $triggers = q{SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE tgname ~ '^steward' ORDER BY tgrelid::regclass::text, tgname};
my $members = q{SELECT pg_describe_object(classid, objid, 0) FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pg_steward') AND deptype = 'e' ORDER BY 1};
my %before = map { $_ => $old->safe_psql('postgres', $_) } ($triggers, $members);
my $log = log_digest($old);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(extra => [ '-E', 'UTF8', '--no-locale' ]);
$new->append_conf('postgresql.conf', "log_line_prefix = '%m [%p] %e %q%a '\nlog_statement = none\nsteward.audit_partition_interval = day\n");
my $bindir = $new->config_data('--bindir');
chdir PostgreSQL::Test::Utils::tempdir();
command_ok(
	[
		'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $bindir, '-B', $bindir,
		'-s', $new->host, '-p', $old->port, '-P', $new->port
	],
	'pg_upgrade');
$new->start;

is(log_digest($new), $log, 'the log is the same');
is($new->safe_psql('postgres', $triggers), $before{$triggers}, 'so are the triggers');
is($new->safe_psql('postgres', $members), $before{$members}, 'and the members of the extension');
log_is_whole($new, 'the indexes hold all of it');

ok(start_workload($new, seconds => 1)->finish, 'the new cluster is written to');
log_is_whole($new, 'the log is whole across the upgrade');
is($new->safe_psql('postgres', 'SELECT count(DISTINCT era) FROM steward.audit_contexts'), '2', 'the new cluster is a new era');
is( $new->safe_psql('postgres', q{UPDATE renamed SET v = 'third'; SELECT operation FROM steward.audit_history('renamed', 1) WHERE created_at > '2021-01-01'}),
	"INSERT\nUPDATE\nUPDATE", q{a row's history spans the upgrade});
is( $new->safe_psql('postgres', q{SELECT partition FROM steward.audit_maintain() WHERE partition ~ '2020'}),
	'steward.audit_events_2020_01_01', 'upkeep goes on');
isnt($new->psql('postgres', 'DROP EXTENSION pg_steward CASCADE'), 0, 'the log is still guarded');

server_log_is_clean($new);
$new->stop;
done_testing();
