# Soft deletion through two-phase commit, dump and restore, and logical replication.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('publisher', allows_streaming => 'logical');
create_extension($node);
$node->safe_psql('postgres', q{
	CREATE TABLE parent (id integer PRIMARY KEY, v text UNIQUE);
	CREATE TABLE child (id integer PRIMARY KEY, parent_id integer REFERENCES parent ON DELETE CASCADE);
	CREATE TABLE parted (id integer, part integer) PARTITION BY LIST (part);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
	SELECT steward.soft_delete_enable('parent');
	SELECT steward.soft_delete_enable('child');
	SELECT steward.soft_delete_enable('parted');
	INSERT INTO parent VALUES (1, 'a'), (2, 'b'), (3, 'c');
	INSERT INTO child SELECT g, 1 + g % 3 FROM generate_series(1, 30) g;
	INSERT INTO parted VALUES (1, 1)});

# What is live, in a database.
sub live
{
	my ($where, $db) = @_;
	return $where->safe_psql($db // 'postgres', q{
		SELECT (SELECT string_agg(id::text, ',' ORDER BY id) FROM active_parent), (SELECT count(*) FROM active_child), (SELECT count(*) FROM child)});
}

$node->safe_psql('postgres', q{
	BEGIN; DELETE FROM parent WHERE id = 1; SAVEPOINT s; DELETE FROM parent WHERE id = 2; PREPARE TRANSACTION 'one';
	BEGIN; DELETE FROM parent WHERE id = 3; PREPARE TRANSACTION 'two'});
is(live($node), '1,2,3|30|30', 'what is prepared is not yet deleted');
crash_and_start($node);
$node->safe_psql('postgres', $_) foreach (q{COMMIT PREPARED 'one'}, q{ROLLBACK PREPARED 'two'});
is(live($node), '3|10|30', 'and then it is');

# A restored dump needs nothing done to it.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('postgres') ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'restore');
is(live($node, 'restored'), '3|10|30', 'a dump has the stamps');
is( $node->safe_psql('restored', q{SELECT steward.soft_delete_enable(t) FROM unnest('{parent,child,parted}'::regclass[]) t}),
	'', 'and everything that soft_delete_enable() makes');
$node->safe_psql('restored', q{DELETE FROM parent; UPDATE parent SET deleted_at = NULL WHERE id = 1; UPDATE parted SET part = 2});
is(live($node, 'restored'), '1|10|30', 'which works');
is($node->safe_psql('restored', 'SELECT count(*) FROM active_parted'), '1', 'for partitions, too');

# A subscriber with the same triggers applies the stamps, and what is deleted for real.
my $subscriber = steward_node('subscriber', allows_streaming => 'logical');
create_extension($subscriber);
$node->command_ok([ 'pg_dump', '-s', '-f', $dump, '-d', $node->connstr('postgres'), '-t', 'parent', '-t', 'child', '-t', 'active_*' , '-t', 'parted*' ], 'dump of the schema');
$subscriber->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $dump, '-d', $subscriber->connstr('postgres') ], 'restore of the schema');
$node->safe_psql('postgres', 'ALTER TABLE parted REPLICA IDENTITY FULL; ALTER TABLE parted_1 REPLICA IDENTITY FULL; ALTER TABLE parted_2 REPLICA IDENTITY FULL');
$node->safe_psql('postgres', 'CREATE PUBLICATION p FOR TABLE parent, child, parted');
$subscriber->safe_psql('postgres', q{CREATE SUBSCRIPTION s CONNECTION '} . $node->connstr . q{ dbname=postgres' PUBLICATION p});
$subscriber->wait_for_subscription_sync($node, 's');
is(live($subscriber), '3|10|30', 'what was there is copied');
$node->safe_psql('postgres', q{DELETE FROM parent; UPDATE parent SET deleted_at = NULL WHERE id = 2; UPDATE parted SET part = 2});
$node->wait_for_catchup('s');
is(live($subscriber), live($node), 'stamps are applied');
is($subscriber->safe_psql('postgres', 'SELECT part FROM active_parted'), '2', 'and moves');
$node->safe_psql('postgres', q{SET session_replication_role = replica; DELETE FROM child WHERE parent_id = 1; DELETE FROM parent WHERE id = 1});
$node->wait_for_catchup('s');
is(live($subscriber), '2|10|20', 'what is deleted for real is deleted there');

# Disabling leaves the schema as it was before enabling.
sub schema
{
	my ($dump) = run_command([ 'pg_dump', '-s', '-d', $node->connstr('before') ]);
	return $dump =~ s/^\\(un)?restrict .*$//mgr;
}
$node->safe_psql('postgres', 'CREATE DATABASE before');
$node->safe_psql('before', q{
	CREATE EXTENSION pg_steward CASCADE;
	CREATE EXTENSION btree_gist;
	CREATE ROLE regress_reader;
	CREATE TABLE account (id integer PRIMARY KEY, tenant integer, email text UNIQUE, own integer NOT NULL UNIQUE, late integer UNIQUE DEFERRABLE INITIALLY DEFERRED, ref integer UNIQUE,
		UNIQUE NULLS NOT DISTINCT (tenant, email) INCLUDE (ref) WITH (fillfactor = 70), during int4range, CONSTRAINT "no two" EXCLUDE USING gist (tenant WITH =, during WITH &&) DEFERRABLE);
	CREATE UNIQUE INDEX account_some ON account (lower(email) COLLATE "C" text_pattern_ops DESC) WHERE tenant > 5 AND (own < 7 OR ref IS NULL);
	CREATE TABLE refers (id integer PRIMARY KEY, ref integer REFERENCES account (ref), account_id integer REFERENCES account ON DELETE CASCADE, UNIQUE (ref, account_id));
	CREATE TABLE parted (id integer, part integer, UNIQUE (id, part)) PARTITION BY LIST (part);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
	ALTER TABLE account REPLICA IDENTITY USING INDEX account_own_key;
	ALTER TABLE account CLUSTER ON account_own_key;
	COMMENT ON CONSTRAINT account_email_key ON account IS 'an address';
	COMMENT ON INDEX account_some IS 'some';
	COMMENT ON CONSTRAINT "no two" ON account IS 'one at a time';
	GRANT SELECT ON account TO regress_reader});
my $before = schema();
$node->safe_psql('before', q{
	SELECT steward.soft_delete_enable(t) FROM unnest('{account,refers,parted}'::regclass[]) t;
	INSERT INTO account VALUES (1, 6, 'a', 1, 1, 1);
	DELETE FROM account;
	INSERT INTO account VALUES (2, 6, 'a', 2, 2, 2)});
isnt(schema(), $before, 'enabling changes the schema');
my ($result, $out, $err) = $node->psql('before', q{SELECT steward.soft_delete_disable('account')});
like($err, qr/do not hold for the rows that were deleted.*purge => true/s, 'what was deleted may not fit');
$node->safe_psql('before', q{SELECT steward.soft_delete_disable(t, purge => true, drop_column => true) FROM unnest('{account,refers,parted}'::regclass[]) t});
is(schema(), $before, 'disabling is the inverse');

server_log_is_clean($_) foreach ($node, $subscriber);
$subscriber->stop;
$node->stop;
done_testing();
