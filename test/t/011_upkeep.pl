# What psql cannot do with the triggers that keep columns right: dump and restore their tables, apply changes
# from a publisher, serve ids on a standby, and meet users whose names are no text.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $conf = "max_connections = 20\nshared_buffers = 16MB\n";
my $publisher = steward_node('publisher', allows_streaming => 'logical', conf => $conf);
my $subscriber = steward_node('subscriber', allows_streaming => 'logical', conf => $conf);
my $dir = PostgreSQL::Test::Utils::tempdir();

# What an application's migrations create.
my $tables = q{
	CREATE TABLE stamped (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT '2000-01-01', by text);
	CREATE TABLE inserted (id integer PRIMARY KEY, updated_at timestamptz);
	CREATE TABLE versioned (id integer PRIMARY KEY, n integer, version bigint NOT NULL DEFAULT 1);
	CREATE TABLE log (id uuid PRIMARY KEY DEFAULT steward.uuidv7(), a text);
	CREATE TABLE parted (id integer PRIMARY KEY, n integer, "updatedAt" timestamptz DEFAULT '2000-01-01') PARTITION BY RANGE (id);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (100);
	CREATE TABLE parted_2 ("updatedAt" timestamptz DEFAULT '2000-01-01', n integer, id integer NOT NULL);
	ALTER TABLE parted ATTACH PARTITION parted_2 DEFAULT;
};
my $triggers = q{
	CREATE ROLE archivist;
	SELECT steward.updated_at_enable('stamped', by => 'by', keep => '{id}');
	SELECT steward.updated_at_enable('inserted', on_insert => true);
	SELECT steward.row_version_enable('versioned');
	SELECT steward.append_only_enable('log', '{archivist}');
	SELECT steward.updated_at_enable('parted', 'updatedAt');
	SELECT steward.append_only_enable('parted_1');
	SELECT steward.append_only_disable('parted_1');
	ALTER TABLE versioned ENABLE ALWAYS TRIGGER steward_version;
	ALTER TABLE parted_2 DISABLE TRIGGER "steward_updatedAt";
};
create_extension($_) foreach $publisher, $subscriber;
$publisher->safe_psql('postgres', $tables . $triggers);
$publisher->safe_psql('postgres', q{
	INSERT INTO stamped VALUES (1, 1), (2, 2);
	UPDATE stamped SET n = 10 WHERE id = 1;
	INSERT INTO inserted VALUES (1);
	INSERT INTO versioned VALUES (1, 1);
	UPDATE versioned SET n = n + 1, version = version + 1;
	INSERT INTO log (a) VALUES ('one'), ('two');
	INSERT INTO parted VALUES (1, 1), (101, 1);
	UPDATE parted SET n = 2;
});

# Whoever connects with bytes that are no text is named in a way that can be read, and dumped.
{
	local $ENV{PGOPTIONS} = "-c app.current_user_id=z\xc3";
	$publisher->safe_psql('postgres', q{UPDATE stamped SET n = 20 WHERE id = 2});
}
is( $publisher->safe_psql('postgres', q{SELECT by, convert_from(convert_to(by, 'UTF8'), 'UTF8') = by FROM stamped WHERE id = 2}),
	'z\xC3|t', 'a user that is no text is kept as one');

# All rows and triggers.
sub state_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		SET TimeZone = 'UTC';
		SELECT * FROM stamped ORDER BY id;
		SELECT * FROM inserted ORDER BY id;
		SELECT * FROM versioned ORDER BY id;
		SELECT * FROM log ORDER BY id;
		SELECT tableoid::regclass, * FROM parted ORDER BY id;
		SELECT relation, trigger_name, arguments, enabled, is_clone, definition FROM steward_internal.upkeep_triggers
		 ORDER BY relation::text COLLATE "C", trigger_name COLLATE "C"});
}

# A dump brings rows back as they were, and the triggers at work.
{
	my $before = state_of($publisher, 'postgres');
	my $options = [ '-h', $publisher->host, '-p', $publisher->port ];

	command_ok([ 'pg_dump', @$options, '-Fc', '-f', "$dir/dump", 'postgres' ], 'the tables are dumped');
	$publisher->safe_psql('postgres', 'CREATE DATABASE restored; CREATE DATABASE twice; CREATE DATABASE data_only');
	command_ok([ 'pg_restore', @$options, '-j', 2, '-d', 'restored', "$dir/dump" ], 'and restored');
	is(state_of($publisher, 'restored'), $before, 'with all rows and triggers');
	my ($rc, $stdout, $stderr) = $publisher->psql('restored', q{UPDATE versioned SET n = 5, version = 1});
	like($stderr, qr/row of table "versioned" was changed since it was read\s+DETAIL:  Its version is 2/, 'a stale write fails there');
	($rc, $stdout, $stderr) = $publisher->psql('restored', q{TRUNCATE log});
	like($stderr, qr/cannot TRUNCATE append-only table "log"/, 'the log is append-only there');
	is($publisher->safe_psql('restored', q{UPDATE stamped SET n = n + 1 WHERE id = 1 RETURNING updated_at = now(), by = current_user}),
		't|t', 'rows are stamped there');
	is($publisher->safe_psql('restored', q{
			SELECT count(*) FROM steward.updated_at_enable('stamped', by => 'by', keep => '{id}');
			SELECT count(*) FROM steward.append_only_enable('log', '{archivist}')}),
		"0\n0", 'and nothing is left to be enabled');
	$publisher->command_ok([ 'pg_dump', '-Fc', '-f', "$dir/dump2", 'restored' ], 'what was restored can be dumped');
	command_ok([ 'pg_restore', @$options, '-d', 'twice', "$dir/dump2" ], 'and restored again');
	is(state_of($publisher, 'twice'), state_of($publisher, 'restored'), 'with the same rows and triggers');

	# Data alone, into tables whose triggers are there: only those that fire on INSERT change what comes.
	create_extension($publisher, 'data_only');
	$publisher->safe_psql('data_only', $tables . $triggers =~ s/CREATE ROLE archivist;//r);
	command_ok([ 'pg_restore', @$options, '--data-only', '--disable-triggers', map({ ('-t', $_) } qw(stamped inserted versioned log parted_1 parted_2)), '-d', 'data_only', "$dir/dump" ],
		'the data alone is restored, with triggers disabled');
	my $restored = state_of($publisher, 'data_only');
	is($restored =~ s/^(?:stamped|inserted|versioned|log|parted\w*)\|.*//msr, $before =~ s/^(?:stamped|inserted|versioned|log|parted\w*)\|.*//msr, 'it is the same');
	$publisher->safe_psql('data_only', 'DROP TABLE stamped, inserted, versioned, log, parted');
	$publisher->safe_psql('data_only', $tables . $triggers =~ s/CREATE ROLE archivist;//r);
	command_ok([ 'pg_restore', @$options, '--data-only', '-t', 'stamped', '-t', 'inserted', '-t', 'versioned', '-t', 'log', '-d', 'data_only', "$dir/dump" ],
		'the data alone is restored, with triggers at work');
	is( $publisher->safe_psql('data_only', q{SELECT (SELECT sum(extract(epoch FROM updated_at)) FROM stamped), (SELECT version FROM versioned), (SELECT count(*) FROM log), (SELECT updated_at FROM inserted)}) =~ s/\|[^|]*$//r,
		$publisher->safe_psql('postgres', q{SELECT (SELECT sum(extract(epoch FROM updated_at)) FROM stamped), (SELECT version FROM versioned), (SELECT count(*) FROM log)}),
		'stamps, versions and events are those of the dump');
	isnt( $publisher->safe_psql('data_only', q{SELECT updated_at FROM inserted}), $publisher->safe_psql('postgres', q{SELECT updated_at FROM inserted}),
		'but a stamp on INSERT is new');
}

# Logical replication: an apply worker fires what is ALWAYS or REPLICA, and nothing else.
{
	$subscriber->safe_psql('postgres', $tables . $triggers);
	$subscriber->safe_psql('postgres', q{
		CREATE TABLE also_stamped (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT '2000-01-01', by text, big text);
		SELECT steward.updated_at_enable('also_stamped', by => 'by');
		ALTER TABLE also_stamped ENABLE ALWAYS TRIGGER steward_updated_at;
		ALTER TABLE parted_2 ENABLE REPLICA TRIGGER "steward_updatedAt"});
	$publisher->safe_psql('postgres', q{
		CREATE TABLE also_stamped (id integer PRIMARY KEY, n integer, updated_at timestamptz DEFAULT '2000-01-01', by text, big text);
		INSERT INTO also_stamped SELECT n, 0, DEFAULT, NULL, (SELECT string_agg(md5(n::text || x), '') FROM generate_series(1, 300) x) FROM generate_series(1, 3) n;
		CREATE PUBLICATION tables FOR TABLE stamped, versioned, log, parted, also_stamped} =~ s/, DEFAULT, NULL,/, '2000-01-01'::timestamptz, NULL::text,/r);
	my $publisher_connstr = $publisher->connstr . ' dbname=postgres';
	$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION tables CONNECTION '$publisher_connstr' PUBLICATION tables");
	$subscriber->poll_query_until('postgres', q{SELECT count(*) = 6 AND bool_and(srsubstate IN ('r', 's')) FROM pg_subscription_rel})
	  or diag 'the tables are not copied';
	my $rows = q{SET TimeZone = 'UTC'; SELECT * FROM stamped ORDER BY id; SELECT * FROM versioned; SELECT * FROM log ORDER BY id};
	is($subscriber->safe_psql('postgres', $rows), $publisher->safe_psql('postgres', $rows), 'copied rows are those of the publisher');

	$publisher->safe_psql('postgres', q{
		UPDATE stamped SET n = n + 1;
		UPDATE versioned SET n = n + 1, version = 2;
		UPDATE versioned SET n = n + 1;
		INSERT INTO log (a) VALUES ('three');
		UPDATE also_stamped SET n = n + 1 WHERE id < 3;
		UPDATE also_stamped SET n = n WHERE id = 3;
		UPDATE parted SET n = n + 1});
	$publisher->wait_for_catchup('tables');
	is($subscriber->safe_psql('postgres', $rows), $publisher->safe_psql('postgres', $rows), 'so are applied ones; versions are counted once');
	is( $subscriber->safe_psql('postgres', q{SELECT id, n, updated_at > '2010-01-01', by = 'postgres' OR by IS NULL, length(big) FROM also_stamped ORDER BY id}),
		"1|1|t|t|9600\n2|1|t|t|9600\n3|0|f|t|9600", 'a trigger that is ALWAYS stamps what the worker changes, and only that');
	is( $subscriber->safe_psql('postgres', q{SELECT p.id, p.n, p."updatedAt" > '2010-01-01' FROM parted p ORDER BY id}),
		"1|3|t\n101|3|t", 'one that is REPLICA, too');

	# Where the subscriber changed the row, its version is another: that is no place for ALWAYS.
	$subscriber->safe_psql('postgres', q{UPDATE versioned SET n = 100; UPDATE versioned SET n = 101; UPDATE versioned SET n = 102});
	my $seen = -s $subscriber->logfile;
	$publisher->safe_psql('postgres', q{UPDATE versioned SET n = 200});
	$subscriber->wait_for_log(qr/ 40001 .*ERROR:  row of table "versioned" was changed since it was read/, $seen);
	pass('a stale version stops the worker');
	$subscriber->safe_psql('postgres', q{ALTER TABLE versioned ENABLE TRIGGER steward_version});
	$publisher->wait_for_catchup('tables');
	is($subscriber->safe_psql('postgres', 'SELECT n, version FROM versioned'), $publisher->safe_psql('postgres', 'SELECT n, version FROM versioned'),
		'which goes on when the trigger is no longer ALWAYS');

	# An append-only table takes what its publisher removes, unless it is ALWAYS.
	$publisher->safe_psql('postgres', q{SET ROLE archivist; RESET ROLE; GRANT SELECT, DELETE ON log TO archivist; SET ROLE archivist; DELETE FROM log WHERE a = 'one'});
	$publisher->wait_for_catchup('tables');
	is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM log'), '2', 'an applied DELETE is let through');
	$subscriber->safe_psql('postgres', q{ALTER TABLE log ENABLE ALWAYS TRIGGER steward_append_only});
	$seen = -s $subscriber->logfile;
	$publisher->safe_psql('postgres', q{SET ROLE archivist; DELETE FROM log WHERE a = 'two'});
	$subscriber->wait_for_log(qr/ 42501 .*ERROR:  cannot DELETE from append-only table "log"/, $seen);
	pass('unless the trigger is ALWAYS');
	$subscriber->safe_psql('postgres', q{ALTER TABLE log ENABLE TRIGGER steward_append_only});
	$publisher->wait_for_catchup('tables');
	$subscriber->safe_psql('postgres', 'DROP SUBSCRIPTION tables');
}

# A standby makes ids, and changes nothing.
{
	$publisher->backup('base');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($publisher, 'base', has_streaming => 1);
	$standby->start;
	is( $standby->safe_psql('postgres', q{
			SELECT bool_and(id > previous) FROM (SELECT id, lag(id) OVER (ORDER BY n) AS previous FROM (SELECT n, steward.uuidv7() AS id FROM generate_series(1, 1000) n OFFSET 0) s) s}),
		't', 'a standby makes ids that grow');
	is($standby->safe_psql('postgres', 'SELECT count(*) FROM steward_internal.upkeep_triggers'), $publisher->safe_psql('postgres', 'SELECT count(*) FROM steward_internal.upkeep_triggers'),
		'and shows the triggers');
	my ($rc, $stdout, $stderr) = $standby->psql('postgres', q{SELECT steward.row_version_enable('stamped', 'n')});
	like($stderr, qr/ERROR: .*(recovery|read-only)/, 'but attaches none');
	is($standby->safe_psql('postgres', q{SELECT count(*) FROM steward.row_version_enable('versioned')}), '0', 'nor needs to where it is there');
	# Promoted, it stamps and counts where its primary left off.
	$publisher->wait_for_catchup($standby);
	$publisher->stop('immediate');
	$standby->promote;
	is( $standby->safe_psql('postgres', q{UPDATE versioned SET n = 0 RETURNING version}),
		$subscriber->safe_psql('postgres', q{SELECT version + 1 FROM versioned}), 'promoted, it counts on');
	server_log_is_clean($standby);
	$standby->stop;
}

server_log_is_clean($publisher);
server_log_is_clean($subscriber, undef, qr/WARNING: .*not closed: relation "parted_\d"/);
$subscriber->stop;
done_testing();
