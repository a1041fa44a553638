# A dump takes the whole audit log along, whichever way it is restored, and auditing goes on from there.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $conf = q{
	steward.audit_partition_interval = day
	steward.audit_redaction_key = 'a secret'
};
my $source = steward_node('source', conf => $conf);
my $target = steward_node('target', conf => $conf);
my $dir = PostgreSQL::Test::Utils::tempdir();

# What an application's migrations create.
my $migration = q{
	CREATE TABLE plain (id integer PRIMARY KEY, v text, secret text, noise text);
	CREATE TABLE before_rename (id bigint PRIMARY KEY, v jsonb);
	CREATE SCHEMA "Odd ""Schema";
	CREATE TABLE "Odd ""Schema"."Odd 'Table" ("Key, 1" text, key2 integer, v numeric, PRIMARY KEY (key2, "Key, 1"));
	CREATE TABLE parted (id integer, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
	CREATE TABLE keyless (a integer, b text);
	SELECT steward.audit_enable('plain', redact => '{secret}', exclude => '{noise}');
	SELECT steward.audit_enable('before_rename', capture => 'full');
	SELECT steward.audit_enable('"Odd ""Schema"."Odd ''Table"');
	SELECT steward.audit_enable('parted');
	SELECT steward.audit_enable('keyless', always => false);
};
my $rename = 'ALTER TABLE before_rename RENAME TO renamed;';

$_->safe_psql('postgres', 'CREATE ROLE regress_reader; CREATE ROLE regress_auditor') foreach $source, $target;
create_extension($source);
$source->safe_psql('postgres', $migration);
$source->safe_psql('postgres', q{
	SET app.current_user_id = 'alice';
	INSERT INTO plain VALUES (1, 'one', 'card 1', 'x'), (2, E'two\t\\\\.', 'card 2', 'x');
	UPDATE plain SET v = repeat('long ', 5000) WHERE id = 2;
	INSERT INTO before_rename VALUES (1, '{"a": [1, 2.50, null, "\\\\ \" \u00e4"]}');
	SET app.tenant_id = 'acme';
	SET app.client_ip = 'not an address';
	SET steward.context = '{"request_id": "r1"}';
	UPDATE before_rename SET v = v || '{"b": 1e300}';
	} . $rename . q{
	UPDATE renamed SET v = v || '{"c": true}';
	INSERT INTO "Odd ""Schema"."Odd 'Table" VALUES ('a "b" ''c''', 1, 'NaN'), ('', 2, 1.500);
	SELECT steward.audit_maintain();
	SET steward.context = 'no json';
	UPDATE "Odd ""Schema"."Odd 'Table" SET v = 7, key2 = 3 WHERE key2 = 2;
	INSERT INTO parted VALUES (1, '2020-05-05', 'first'), (2, '2024-01-01', 'second');
	UPDATE parted SET day = '2024-05-05' WHERE id = 1;
	INSERT INTO keyless VALUES (1, 'x'), (1, 'x');
	DELETE FROM keyless;
	TRUNCATE keyless;
	DELETE FROM plain WHERE id = 1;
	BEGIN;
	SELECT steward.tenant_set('acme');
	INSERT INTO plain VALUES (10, 'of a tenant');
	COMMIT;
	GRANT SELECT ON ALL TABLES IN SCHEMA steward TO regress_auditor;
	SELECT steward.audit_tenant_enable('regress_reader');
});
# The startup packet is not checked for its encoding; what it brings must not make the dump unreadable.
{
	local $ENV{PGOPTIONS} = qq{-c app.current_user_id=\xff\xfe -c app.tenant_id=\xe2\x82 -c steward.context={"a":"\xe2"} -c app.client_ip=\xc3};
	$source->safe_psql('postgres', q{INSERT INTO plain VALUES (3, 'startup packet')});
}
# Events from before there were partitions: they stay in the default partition.
$source->safe_psql('postgres', q{
	SET steward.audit_guard = off;
	INSERT INTO steward.audit_events
	SELECT (jsonb_populate_record(e, jsonb_build_object('recorded_at', '2020-01-01 12:00+00'::timestamptz + seq * interval '1 s', 'seq', seq + 1000))).*
	  FROM steward.audit_events e WHERE operation = 'I' ORDER BY recorded_at LIMIT 3;
});
is( $source->safe_psql('postgres',
		'SELECT count(DISTINCT tableoid) > 1 AND bool_or(tableoid = $$steward.audit_events_default$$::regclass) FROM steward.audit_events'),
	't', 'the log to dump has several partitions');

# Everything the log is made of, in an order that does not depend on where it lies.
sub log_of
{
	my ($node, $db) = @_;
	return join "\n", map {
		$node->safe_psql($db, "SET TimeZone = 'UTC'; SELECT '$_', count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM steward.$_ t")
	} qw(audit_events audit_contexts audit_tables audit_entries);
}

# All triggers of the audit module and whether they fire.
sub triggers_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		SELECT t.tgrelid::regclass, t.tgname, t.tgenabled, encode(t.tgargs, 'escape')
		  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
		 WHERE p.pronamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname});
}

# Indexes of the log's partitions, by what they are on; names may differ.
sub indexes_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		SELECT i.indrelid::regclass, i.indisvalid, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* USING', '')
		  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		 WHERE c.relnamespace = 'steward'::regnamespace AND c.relispartition
		 ORDER BY i.indrelid::regclass::text COLLATE "C", 3});
}

# What a tenant and an auditor read, and the row security of partitions.
sub readers_of
{
	my ($node, $db) = @_;
	return $node->safe_psql($db, q{
		BEGIN; SELECT FROM steward.tenant_set('acme'); SET LOCAL ROLE regress_reader;
		SELECT count(*), min(record_id), max(record_id) FROM steward.audit_log; COMMIT;
		SET ROLE regress_auditor; SELECT count(*) FROM steward.audit_log; RESET ROLE;
		SELECT c.oid::regclass, c.relrowsecurity, p.polname, pg_get_expr(p.polqual, p.polrelid)
		  FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
		 WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname LIKE 'audit%' ORDER BY c.oid::regclass::text COLLATE "C"});
}

my $readers = readers_of($source, 'postgres');
like($readers, qr/^1\|10\|10\n\d\d+\n/m, 'a tenant reads what is his, an auditor all');
my $log = log_of($source, 'postgres');
my $triggers = triggers_of($source, 'postgres');
my $indexes = indexes_of($source, 'postgres');
like($triggers, qr/^audit_events_\d+|^steward\.audit_events_\d+.*\|steward_guard\|A/m, 'partitions made at run time are guarded');

# Tests that changes are audited in a restored database as they were before, and told apart from those.
sub auditing_goes_on
{
	my ($node, $db, $how) = @_;
	my $ids = 'SELECT count(*), count(DISTINCT (era, transaction_id, seq)) FROM steward.audit_entries';

	$node->safe_psql($db, q{
		SET app.current_user_id = 'bob';
		UPDATE plain SET v = 'after the restore' WHERE id = 2;
		UPDATE renamed SET v = '{}';
		UPDATE "Odd ""Schema"."Odd 'Table" SET v = 8 WHERE key2 = 3;
		UPDATE parted SET v = 'third' WHERE id = 1;
		DELETE FROM parted_2 WHERE id = 2;
	});
	is( $node->safe_psql($db, q{
			SELECT string_agg(operation || ' ' || coalesce(user_id, '-'), ', ' ORDER BY n) FROM steward.audit_history('plain', 2) WITH ORDINALITY h(a,b,c,d,e,operation,g,h,i,j,user_id,l,m,o,p,q,n)
			 WHERE q > now() - interval '100 days'
			UNION ALL
			SELECT string_agg(operation, ', ') FROM steward.audit_history('renamed', 1) WHERE created_at > now() - interval '100 days'
			UNION ALL
			SELECT string_agg(operation, ', ') FROM steward.audit_history('"Odd ""Schema"."Odd ''Table"', '3', '')
			UNION ALL
			SELECT string_agg(operation, ', ') FROM steward.audit_history('parted', '1', '2024-05-05')
		}),
		"INSERT alice, UPDATE alice, UPDATE bob\nINSERT, UPDATE, UPDATE, UPDATE\nINSERT, UPDATE, UPDATE\nINSERT, DELETE, INSERT, UPDATE",
		"$how: a row's history spans the restore");
	my ($events, $distinct) = split /\|/, $node->safe_psql($db, $ids);
	is($distinct, $events, "$how: no two events have the same id");
	is( $node->safe_psql($db, 'SELECT count(*) FROM steward.audit_events e LEFT JOIN steward.audit_contexts c USING (context_id)
			LEFT JOIN steward.audit_tables t USING (table_id) WHERE c.context_id IS NULL OR t.table_id IS NULL'),
		'0', "$how: every event has its context and table");
	isnt( $node->psql($db, 'DELETE FROM steward.audit_events'), 0, "$how: the log is guarded");
	is( $node->safe_psql($db, q{SELECT partition FROM steward.audit_maintain() WHERE detail LIKE '%3 events moved in'}),
		'steward.audit_events_2020_01_01', "$how: events in the default partition move on");
	return;
}

# Restores a dump by a command that must succeed without a complaint, and tests what came of it.
sub restores_whole
{
	my ($how, $node, $db, @command) = @_;
	my ($stdout, $stderr);

	$node->safe_psql('postgres', "CREATE DATABASE $db");
	my $ok = IPC::Run::run([ @command ], '>', \$stdout, '2>', \$stderr);
	is(($ok ? '' : 'failed: ') . $stderr, '', "$how: no complaint");
	is(log_of($node, $db), $log, "$how: the log is whole");
	is(triggers_of($node, $db), $triggers, "$how: so are its triggers");
	is(indexes_of($node, $db), $indexes, "$how: and its indexes");
	is(readers_of($node, $db), $readers, "$how: and who may read what");
	auditing_goes_on($node, $db, $how);
	return;
}

my @from = ('--host', $source->host, '--port', $source->port);
my @to = ('--host', $target->host, '--port', $target->port);
command_ok([ 'pg_dump', @from, '-Fc', '-f', "$dir/whole.dump", 'postgres' ], 'pg_dump');
command_ok([ 'pg_dump', @from, '-Fp', '-f', "$dir/whole.sql", 'postgres' ], 'pg_dump, plain');

restores_whole('new cluster', $target, 'whole', 'pg_restore', @to, '--exit-on-error', '-d', 'whole', "$dir/whole.dump");
restores_whole('same cluster, parallel', $source, 'parallel', 'pg_restore', @from, '-j', 2, '-d', 'parallel', "$dir/whole.dump");
restores_whole('in one transaction', $target, 'single', 'pg_restore', @to, '--single-transaction', '-d', 'single', "$dir/whole.dump");
restores_whole('plain SQL', $target, 'plain', 'psql', @to, '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', 'plain', '-f', "$dir/whole.sql");

# A database copied as a template, and renamed.
$source->safe_psql('template1', 'CREATE DATABASE copied TEMPLATE postgres; ALTER DATABASE copied RENAME TO "a copy"');
is(log_of($source, 'a copy'), $log, 'template: the log is whole');
auditing_goes_on($source, 'a copy', 'template');

# A dump of the restored database: both eras in one log.
{
	my $both = log_of($target, 'whole');
	command_ok([ 'pg_dump', @to, '-Fc', '-f', "$dir/again.dump", 'whole' ], 'pg_dump of a restored database');
	$source->safe_psql('postgres', 'CREATE DATABASE again');
	command_ok([ 'pg_restore', @from, '-e', '-d', 'again', "$dir/again.dump" ], 'second generation: restores');
	is(log_of($source, 'again'), $both, 'second generation: the log is whole');
	is( $source->safe_psql('again', q{UPDATE plain SET v = 'third era' WHERE id = 2;
			SELECT count(*) FROM steward.audit_history('plain', 2) WHERE created_at > now() - interval '100 days'}),
		'4', 'second generation: history spans three databases');
}

# Whatever is altered before the first write: a restored database and a copy know what it was.  Then all of it is
# dumped once more, without a write.
{
	my $history = sub
	{
		my ($node, $database, @rows) = @_;
		return $node->safe_psql($database, join ' UNION ALL ', map { "(SELECT string_agg(operation, ' ' ORDER BY ordinality) FROM steward.audit_history($_) WITH ORDINALITY)" } @rows);
	};
	my $before = $history->($source, 'postgres', q{'plain', 2}, q{'renamed', 1}, q{'"Odd ""Schema"."Odd ''Table"', '3', ''}, q{'parted', '1', '2024-05-05'});
	my $alter = q{
		ALTER TABLE plain RENAME TO flat;
		ALTER TABLE flat RENAME id TO ident;
		ALTER TABLE renamed SET SCHEMA "Odd ""Schema";
		ALTER TABLE "Odd ""Schema".renamed ALTER id TYPE text;
		ALTER TABLE "Odd ""Schema"."Odd 'Table" DROP CONSTRAINT "Odd 'Table_pkey";
		ALTER TABLE "Odd ""Schema"."Odd 'Table" ADD PRIMARY KEY ("Key, 1", key2);
		ALTER SCHEMA "Odd ""Schema" RENAME TO odd;
		ALTER TABLE odd."Odd 'Table" RENAME "Key, 1" TO key1;
		ALTER TABLE parted RENAME TO divided;
		ALTER TABLE divided RENAME id TO ident;
		CREATE TABLE plain (id integer PRIMARY KEY, v text);
		SELECT steward.audit_enable('plain');
		INSERT INTO plain VALUES (2, 'another table');
	};
	my @rows = (q{'flat', 2}, q{'odd.renamed', '1'}, q{'odd."Odd ''Table"', '', '3'}, q{'divided', '1', '2024-05-05'});

	like($before, qr/INSERT.*\nINSERT.*\nINSERT.*\nINSERT/, 'all histories begin with an INSERT');
	$target->safe_psql('postgres', 'CREATE DATABASE altered');
	command_ok([ 'pg_restore', @to, '-e', '-d', 'altered', "$dir/whole.dump" ], 'altered: restores');
	$source->safe_psql('template1', 'CREATE DATABASE altered_copy TEMPLATE postgres');
	foreach my $place ([ $target, 'altered', 'restored' ], [ $source, 'altered_copy', 'cloned' ])
	{
		my ($node, $database, $what) = @$place;

		$node->safe_psql($database, $alter);
		is($history->($node, $database, @rows), $before, "$what, altered: history goes on");
		is($history->($node, $database, q{'plain', 2}), 'INSERT', "$what, altered: a new table of an old name has its own");
	}
	command_ok([ 'pg_dump', @to, '-Fc', '-f', "$dir/altered.dump", 'altered' ], 'altered: is dumped');
	$source->safe_psql('postgres', 'CREATE DATABASE altered_again');
	command_ok([ 'pg_restore', @from, '-e', '-d', 'altered_again', "$dir/altered.dump" ], 'altered: restores again');
	$source->safe_psql('altered_again', 'ALTER TABLE flat RENAME TO level; ALTER TABLE level RENAME ident TO id; ALTER TABLE divided RENAME TO parted');
	$rows[0] = q{'level', 2};
	$rows[3] = q{'parted', '1', '2024-05-05'};
	is($history->($source, 'altered_again', @rows), $before, 'altered again: history goes on');
	$source->safe_psql('altered_again', q{UPDATE level SET v = 'x' WHERE id = 2; UPDATE odd.renamed SET v = '[]'; UPDATE odd."Odd 'Table" SET v = 8 WHERE key2 = 3; UPDATE parted SET v = 'x' WHERE ident = 1});
	is($history->($source, 'altered_again', @rows), join("\n", map { "$_ UPDATE" } split /\n/, $before), 'altered again: and after a write');
	# what was excluded and redacted still is
	is( $source->safe_psql('altered_again', q{ALTER TABLE level RENAME secret TO hidden; ALTER TABLE level RENAME noise TO hum;
			INSERT INTO level VALUES (77, 'v', 'clear text', 'noise');
			SELECT new_values - 'hidden', new_values ->> 'hidden' LIKE 'hmac:%' FROM steward.audit_history('level', 77)}),
		'{"v": "v", "id": 77}|t', 'altered again: options have followed');
}

# Data only, into a database that migrations have prepared.
{
	my @data = ('pg_restore', @to, '--data-only', '-e');

	$target->safe_psql('postgres', 'CREATE DATABASE data_only');
	create_extension($target, 'data_only');
	$target->safe_psql('data_only', "$migration$rename");
	$target->safe_psql('data_only', 'SELECT steward.audit_maintain()');
	command_ok([ @data, '-d', 'data_only', "$dir/whole.dump" ], 'data only: restores');
	is( $target->safe_psql('data_only', q{SET TimeZone = 'UTC'; SELECT 'audit_entries', count(*), md5(string_agg(e::text, chr(10) ORDER BY e::text))
			FROM steward.audit_entries e WHERE era = (SELECT min(era) FROM steward.audit_tables WHERE era <> (SELECT system_identifier FROM pg_control_system()))}),
		(split /\n/, $log)[3], 'data only: the log is whole');
	is( $target->safe_psql('data_only', q{SELECT table_name, count(*) FROM steward.audit_entries
			WHERE era = (SELECT system_identifier FROM pg_control_system()) GROUP BY 1 ORDER BY 1}),
		"Odd 'Table|2\nparted|2\nplain|3\nrenamed|1", 'data only: loading the tables is audited too');
}

# --disable-triggers turns ENABLE ALWAYS into ENABLE, as it does for any trigger: the coverage tells, audit_repair() mends.
{
	$target->safe_psql('postgres', 'CREATE DATABASE disabled');
	create_extension($target, 'disabled');
	$target->safe_psql('disabled', "$migration$rename");
	$target->safe_psql('disabled', 'SELECT steward.audit_maintain()');
	command_ok([ 'pg_restore', @to, '--data-only', '--disable-triggers', '-e', '-d', 'disabled', "$dir/whole.dump" ], '--disable-triggers: restores');
	is(log_of($target, 'disabled'), $log, '--disable-triggers: the log is whole, and nothing else is in it');
	my $silent = q{SELECT table_name FROM steward.audit_coverage WHERE finding = 'trigger silent in replication' ORDER BY 1};
	like($target->safe_psql('disabled', $silent), qr/^plain$/m, '--disable-triggers: the coverage tells of triggers that are ALWAYS no longer');
	is($target->safe_psql('disabled', q{SELECT count(*) > 0, bool_and(remedy ~ 'ENABLE ALWAYS TRIGGER|audit_repair') FROM steward.audit_coverage
			WHERE finding IN ('trigger silent in replication', 'log incomplete')}), 't|t', '--disable-triggers: with commands');
	$target->safe_psql('disabled', 'SELECT steward.audit_repair(); SELECT steward.audit_enable(\'keyless\', always => false)');
	is($target->safe_psql('disabled', $silent), 'keyless', '--disable-triggers: audit_repair() mends them');
	is($target->safe_psql('disabled', q{SELECT count(*) FROM steward.audit_coverage WHERE finding = 'log incomplete'}), '0', '--disable-triggers: and the log');
}

# What was muted stays so, by keys that name things and not their oids.
{
	my $check = q{SELECT key FROM steward.tenant_check(schemas => '{shop}') ORDER BY key COLLATE "C"};
	my $all = q{SELECT key FROM steward.tenant_check(schemas => '{shop}', include_muted => true) ORDER BY key COLLATE "C"};

	$source->safe_psql('postgres', 'CREATE DATABASE shop');
	create_extension($source, 'shop');
	$source->safe_psql('shop', q{
		CREATE SCHEMA shop;
		CREATE TABLE shop."Customer" (tenant_id integer PRIMARY KEY, email text CONSTRAINT "E-mail" UNIQUE);
		CREATE TABLE shop.item (tenant_id integer NOT NULL, id integer PRIMARY KEY, made date, customer integer CONSTRAINT buyer REFERENCES shop."Customer" ON DELETE CASCADE);
		CREATE INDEX ON shop.item (made);
		ALTER TABLE shop.item ENABLE ROW LEVEL SECURITY;
		CREATE POLICY "all" ON shop.item USING (true);
		INSERT INTO steward.muted_findings (finding_key, reason, muted_by, muted_at)
		SELECT key, 'it''s meant', 'somebody', '2026-01-02 03:04:05+00' FROM steward.tenant_check(schemas => '{shop}') WHERE rule <> 'no_rls';
	});
	my ($left, $findings) = ($source->safe_psql('shop', $check), $source->safe_psql('shop', $all));
	is($left, 'no_rls:shop."Customer"', 'muted: all but one');
	like($findings, qr/^unique_across_tenants:shop\."Customer":"E-mail"$/m, 'muted: keys are names');
	command_ok([ 'pg_dump', @from, '-Fc', '-f', "$dir/shop.dump", 'shop' ], 'muted: pg_dump');
	$target->safe_psql('postgres', 'CREATE DATABASE shop');
	# other oids
	$target->safe_psql('shop', 'CREATE TABLE in_the_way (); CREATE SCHEMA other');
	command_ok([ 'pg_restore', @to, '-e', '-d', 'shop', "$dir/shop.dump" ], 'muted: pg_restore');
	is($target->safe_psql('shop', $check), $left, 'muted: still muted after the restore');
	is($target->safe_psql('shop', $all), $findings, 'muted: the same findings under the same keys');
	my $rows = q{SET TimeZone = 'UTC'; SELECT * FROM steward.muted_findings ORDER BY finding_key COLLATE "C"};
	is($target->safe_psql('shop', $rows), $source->safe_psql('shop', $rows), 'muted: with reason, author and time');
	# another name is another thing: nobody has said yet that it is meant
	$target->safe_psql('shop', 'ALTER TABLE shop.item RENAME TO article');
	like($target->safe_psql('shop', $check), qr/^constant_read:shop\.article:"all"$/m, 'muted: a renamed table is looked at anew');
	$target->safe_psql('shop', 'ALTER TABLE shop.article RENAME TO item');
	is($target->safe_psql('shop', $check), $left, 'muted: and is muted again under its old name');
}

# One schema at a time.  (Without -e, pg_dump 15 crashes on an extension's partition.)
{
	command_ok([ 'pg_dump', @from, '-Fc', '-n', 'steward', '-e', 'pg_steward', '-f', "$dir/steward.dump", 'postgres' ], 'pg_dump of schema steward');
	command_ok([ 'pg_dump', @from, '-Fc', '-n', 'public', '-f', "$dir/public.dump", 'postgres' ], 'pg_dump of schema public');

	$target->safe_psql('postgres', 'CREATE DATABASE by_schema');
	create_extension($target, 'by_schema');
	# the schemas are there already: that is the only complaint
	my ($stdout, $stderr);
	IPC::Run::run([ 'pg_restore', @to, '-d', 'by_schema', "$dir/steward.dump" ], '2>', \$stderr);
	my @errors = grep { !/already exists/ } $stderr =~ /error: .*/g;
	is("@errors", '', 'schema steward: restores');
	IPC::Run::run([ 'pg_restore', @to, '-d', 'by_schema', "$dir/public.dump" ], '2>', \$stderr);
	@errors = grep { !/already exists/ } $stderr =~ /error: .*/g;
	is("@errors", '', 'schema public: restores');
	is(log_of($target, 'by_schema'), $log, 'by schema: the log is whole, and the load of the tables is not in it');
	is( $target->safe_psql('by_schema', q{UPDATE plain SET v = 'by schema' WHERE id = 2;
			SELECT operation FROM steward.audit_history('plain', 2) WHERE created_at > now() - interval '100 days'}),
		"INSERT\nUPDATE\nUPDATE", 'by schema: history spans the restore');
}

# INSERT is not COPY: the guard asks for a superuser who means it.
{
	command_ok([ 'pg_dump', @from, '--inserts', '-f', "$dir/inserts.sql", 'postgres' ], 'pg_dump --inserts');
	$target->safe_psql('postgres', 'CREATE DATABASE inserts; CREATE DATABASE inserts_2');
	my @psql = ('psql', @to, '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-f', "$dir/inserts.sql", '-d');

	command_fails_like([ @psql, 'inserts' ], qr/must not INSERT into audit log table .*SET steward\.audit_guard = off/s, '--inserts: refused, with a hint');
	local $ENV{PGOPTIONS} = '-c steward.audit_guard=off';
	command_ok([ @psql, 'inserts_2' ], '--inserts: restores with the guard off');
	is(log_of($target, 'inserts_2'), $log, '--inserts: the log is whole');
}

# One table, brought back where it was: it is another table by its oid, and the same to its readers.
{
	my $count = q{SELECT count(*) FROM steward.audit_history('plain', 2)};
	my $before = $target->safe_psql('single', $count);
	command_ok([ 'pg_dump', @to, '-Fc', '-t', 'plain', '-f', "$dir/table.dump", 'single' ], 'pg_dump of one table');
	$target->safe_psql('single', 'DROP TABLE plain');
	command_ok([ 'pg_restore', @to, '-e', '-d', 'single', "$dir/table.dump" ], 'in place: restores');
	is($target->safe_psql('single', "UPDATE plain SET v = 'back' WHERE id = 2; $count"), $before + 1, 'in place: history spans the restore');
}

# What would destroy a log that holds events is refused.
{
	my $stderr;
	my $events = sub { join "\n", grep { !/^audit_tables/ } split /\n/, log_of($target, 'whole') };
	my $before = $events->();

	IPC::Run::run([ 'pg_restore', @to, '--clean', '--if-exists', '-d', 'whole', "$dir/whole.dump" ], '2>', \$stderr);
	like($stderr, qr/cannot drop .*it holds audit events/, '--clean: refused');
	is($events->(), $before, '--clean: the log is untouched, and no event comes twice');
	foreach my $command ('DROP EXTENSION pg_steward CASCADE', 'DROP SCHEMA steward CASCADE', 'DROP TABLE steward.audit_events CASCADE',
		'DROP EXTENSION pgcrypto CASCADE', 'DROP OWNED BY CURRENT_USER CASCADE')
	{
		$stderr = '';
		$target->psql('whole', $command, stderr => \$stderr);
		isnt($stderr, '', "$command: refused");
		is($events->(), $before, "$command: the log is untouched");
	}
}

server_log_is_clean($_) foreach $source, $target;
$_->stop foreach $source, $target;
done_testing();
