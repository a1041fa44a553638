# Search vectors survive what psql cannot do to them: calls that are cancelled and killed, failed builds of the index,
# dump and restore, standbys and subscribers.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('search', allows_streaming => 'logical', conf => "max_connections = 20\nrestart_after_crash = on\n");
create_extension($node);
$node->safe_psql('postgres', q{
	CREATE SCHEMA app;
	CREATE EXTENSION unaccent SCHEMA app;
	CREATE TEXT SEARCH CONFIGURATION app.french_unaccent (COPY = french);
	ALTER TEXT SEARCH CONFIGURATION app.french_unaccent ALTER MAPPING FOR hword, hword_part, word WITH app.unaccent, french_stem;
	CREATE TABLE app.doc (id integer PRIMARY KEY, title text, n integer DEFAULT 0, filler text DEFAULT repeat('x', 1000));
	INSERT INTO app.doc SELECT n, 'Les hôtels de la forêt ' || n FROM generate_series(1, 20000) n;
	-- one row takes so long that it is the one that is stopped at
	CREATE FUNCTION app.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$;
	CREATE TRIGGER a_slow BEFORE UPDATE ON app.doc FOR EACH ROW WHEN (NEW.id = 15000) EXECUTE FUNCTION app.slow();
});
my $enable = q{CALL steward.search_enable('app.doc', '{title:A}', 'app.french_unaccent'};

sub state_of
{
	my ($where, $table, $weight) = @_;
	return $where->safe_psql('postgres', qq{
		SELECT count(*), count(*) FILTER (WHERE search_vector = setweight(to_tsvector('app.french_unaccent', title), '$weight')),
			(SELECT count(*) FILTER (WHERE indisvalid) || ' of ' || count(*) FROM pg_index WHERE indrelid = '$table'::regclass AND NOT indisprimary)
		  FROM $table});
}

# Stopped in the middle by the clock, from outside, and by kill -9; what was filled in stays.
my ($rc, $stdout, $stderr) = $node->psql('postgres', "SET statement_timeout = '5s'; $enable)", on_error_stop => 0);
like($stderr, qr/ERROR: .*statement timeout/, 'the clock stops it');
my $half = (split /\|/, state_of($node, 'app.doc', 'A'))[1];
cmp_ok($half, '>', 5000, 'what was committed is there');
cmp_ok($half, '<', 20000, 'the rest is not');

# Starts a call and returns it when it has come to the slow row.
sub start_call
{
	my ($command) = @_;
	my $call = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-c', $command ], '2>', '/dev/null');
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE 'CALL%'}) or die;
	return $call;
}
{
	my $call = start_call("$enable, concurrently => true)");
	$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$call->finish;
	is((split /\|/, state_of($node, 'app.doc', 'A'))[1], $half, 'a cancelled call took up what the first left, up to the same row');

	# another definition, half done; then the server is killed
	$call = start_call(q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent')});
	kill 'KILL', $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'});
	$call->finish;
	# until the postmaster has noticed, it lets clients in whom it then throws out
	for (my $tries = 0; slurp_file($node->logfile) !~ /all server processes terminated; reinitializing/; $tries++)
	{
		die 'the server does not notice' if $tries > 1800;
		select(undef, undef, undef, 0.1);
	}
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server is gone';
	my $second = (split /\|/, state_of($node, 'app.doc', 'B'))[1];
	cmp_ok($second, '<', 20000, 'a killed call is not done');
	like($node->safe_psql('postgres', q{SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'steward_search_vector'}), qr/refill/, 'and leaves a note of it');
	crash_and_start($node);
}
$node->safe_psql('postgres', 'DROP TRIGGER a_slow ON app.doc');
($rc, $stdout, $stderr) = $node->psql('postgres', q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent', concurrently => true)});
is($rc, 0, 'called again it goes on');
is(state_of($node, 'app.doc', 'B'), '20000|20000|1 of 1', 'to the end');
unlike($node->safe_psql('postgres', q{SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'steward_search_vector'}), qr/refill/, 'and the note is gone');

# A concurrent build that fails leaves an invalid index; the next call makes it anew.
foreach my $concurrently ('true', 'false')
{
	$node->safe_psql('postgres', 'DROP INDEX app.doc_search_vector_idx');
	my $other = $node->background_psql('postgres');
	$other->query_safe('BEGIN; UPDATE app.doc SET n = 1 WHERE id = 1');
	my $build = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr('postgres'), '-c', q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent', concurrently => true)} ], '2>', '/dev/null');
	$node->poll_query_until('postgres', q{SELECT NOT indisready FROM pg_index WHERE indexrelid = to_regclass('app.doc_search_vector_idx')}) or die;
	$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CALL%'});
	$build->finish;
	$other->query_safe('COMMIT');
	$other->quit;
	like(state_of($node, 'app.doc', 'B'), qr/0 of 1$/, 'a build that was stopped leaves an invalid index');
	$node->safe_psql('postgres', qq{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent', concurrently => $concurrently)});
	is(state_of($node, 'app.doc', 'B'), '20000|20000|1 of 1', "which is replaced, concurrently $concurrently");
}

# What stopped calls leave in a session: nothing.
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $other = $node->background_psql('postgres');
	$session->query(q{SET lock_timeout = '100ms'});
	$other->query_safe('BEGIN; SELECT FROM app.doc LIMIT 1');
	$session->query(q{CALL steward.search_enable('app.doc', '{title:C}', 'app.french_unaccent')});
	$other->query_safe('ROLLBACK; ALTER TABLE app.doc DISABLE TRIGGER ALL; UPDATE app.doc SET search_vector = NULL WHERE id = 10000; ALTER TABLE app.doc ENABLE TRIGGER ALL');
	# a lock on the row that is to be filled in
	$other->query_safe('BEGIN; UPDATE app.doc SET search_vector = search_vector, n = 2 WHERE id = 9999; SELECT FROM app.doc WHERE id = 10000 FOR UPDATE');
	$session->query(q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent', concurrently => true)});
	$other->query_safe('ROLLBACK');
	is($session->query('SELECT current_user'), 'postgres', 'who was stopped while he filled in for the owner is himself again');
	$session->query(q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent', concurrently => true)});
	$_->quit foreach $session, $other;
}
is(state_of($node, 'app.doc', 'B'), '20000|20000|1 of 1', 'and can go on');

# Dump and restore: configuration, trigger and vectors come back, whichever way.
$node->safe_psql('postgres', q{
	CREATE TABLE app.part (id integer, lang text, title text) PARTITION BY LIST (id);
	CREATE TABLE app.part_1 PARTITION OF app.part FOR VALUES IN (1);
	CREATE TABLE app.part_2 PARTITION OF app.part FOR VALUES IN (2);
	INSERT INTO app.part VALUES (1, 'english', 'cats'), (2, 'app.french_unaccent', 'forêts');
	CALL steward.search_enable('app.part', '{title:A}', 'app.french_unaccent', config_column => 'lang')});
$node->safe_psql('postgres', q{
	CREATE TABLE app.topic (id integer PRIMARY KEY, title text);
	CREATE TABLE app.topic_entry (id integer PRIMARY KEY, topic integer REFERENCES app.topic, body text);
	INSERT INTO app.topic VALUES (1, 'boats');
	CALL steward.search_enable('app.topic', '{title:A,topic_entry.body by topic}', 'simple');
	INSERT INTO app.topic_entry VALUES (1, 1, 'sails')});
# vectors that no configuration makes today tell who was parsed
$node->safe_psql('postgres', q{ALTER TABLE app.doc DISABLE TRIGGER ALL; UPDATE app.doc SET search_vector = 'stored' WHERE id = 3; ALTER TABLE app.doc ENABLE TRIGGER ALL});
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->run_log([ 'pg_dump', '-Fc', '-f', "$dir/all.dump", '-d', $node->connstr('postgres') ]) or die;
$node->safe_psql('postgres', 'CREATE DATABASE restored');
ok($node->run_log([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), "$dir/all.dump" ]), 'a dump is restored');
is($node->safe_psql('restored', q{SELECT search_vector FROM app.doc WHERE id = 3}), "'stored'", 'vectors as they were');
my $triggers = q{SELECT tgrelid::regclass, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'steward_search_vector' ORDER BY 1, 2};
is($node->safe_psql('restored', $triggers), $node->safe_psql('postgres', $triggers), 'with their triggers');
$node->safe_psql('restored', q{INSERT INTO app.doc VALUES (0, 'Les forêts'); INSERT INTO app.part VALUES (2, 'app.french_unaccent', 'Les hôtels')});
is($node->safe_psql('restored', q{SELECT search_vector FROM app.doc WHERE id = 0 UNION ALL SELECT search_vector FROM app.part_2 WHERE title ~ 'Les'}), "'foret':2B 'le':1B\n'hotel':2A 'le':1A", 'that work');
is($node->safe_psql('restored', q{CALL steward.search_enable('app.doc', '{title:B}', 'app.french_unaccent'); SELECT search_vector FROM app.doc WHERE id = 3}), "'stored'", 'and are what search_enable would make');
is($node->safe_psql('restored', q{INSERT INTO app.topic_entry VALUES (2, 1, 'oars'); SELECT search_vector FROM app.topic}), "'boats':1A 'oars':3 'sails':2", 'with words of related tables');
$node->safe_psql('restored', 'TRUNCATE app.doc, app.part, app.topic, app.topic_entry');
ok($node->run_log([ 'pg_restore', '--exit-on-error', '--data-only', '-n', 'app', '-d', $node->connstr('restored'), "$dir/all.dump" ]), 'data alone are restored');
is($node->safe_psql('restored', q{SELECT count(*), count(*) FILTER (WHERE search_vector = setweight(to_tsvector('app.french_unaccent', title), 'B')) FROM app.doc}), '20000|20000', 'and parsed');
$node->safe_psql('postgres', 'UPDATE app.doc SET search_vector = NULL WHERE id = 3');

# A standby serves searches and refuses the rest.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('search_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', q{UPDATE app.doc SET title = 'Des crêpes' WHERE id = 77});
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', q{SET enable_seqscan = off; SELECT id FROM app.doc WHERE search_vector @@ to_tsquery('app.french_unaccent', 'crepe')}), '77', 'a standby finds what was written');
is($standby->safe_psql('postgres', q{SELECT ROW(steward.to_tsvector('french', title))::record *= ROW(to_tsvector('french', title))::record FROM app.doc WHERE id = 77}), 't', 'and parses');
foreach my $concurrently ('true', 'false')
{
	($rc, $stdout, $stderr) = $standby->psql('postgres', "CALL steward.search_enable('app.doc', '{title:C}', 'french', concurrently => $concurrently)");
	like($stderr, qr/ERROR: .*(recovery|read-only)/, "search_enable is refused there, concurrently $concurrently");
}
$standby->stop;

# A subscriber has the vectors that were published, or makes its own where the trigger is ENABLE ALWAYS.
$node->safe_psql('postgres', 'CREATE PUBLICATION docs FOR TABLE app.doc');
my $subscriber = steward_node('search_subscriber', allows_streaming => 'logical');
create_extension($subscriber);
$subscriber->safe_psql('postgres', q{
	CREATE SCHEMA app;
	CREATE TABLE app.doc (id integer PRIMARY KEY, title text, n integer, filler text, v2 tsvector, search_vector tsvector);
	CREATE TRIGGER steward_search_vector BEFORE INSERT OR UPDATE ON app.doc FOR EACH ROW
		EXECUTE FUNCTION steward.search_vector_trigger('search_vector', 'title:C', 'config=simple')});
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION docs CONNECTION '" . $node->connstr . " dbname=postgres' PUBLICATION docs");
$subscriber->wait_for_subscription_sync($node, 'docs');
$node->safe_psql('postgres', q{UPDATE app.doc SET title = 'La crêperie' WHERE id = 78});
$node->wait_for_catchup('docs');
is($subscriber->safe_psql('postgres', 'SELECT search_vector FROM app.doc WHERE id = 78'), "'creper':2B", 'a subscriber has the vectors of the publisher');
$subscriber->safe_psql('postgres', 'ALTER TABLE app.doc ENABLE ALWAYS TRIGGER steward_search_vector');
$node->safe_psql('postgres', q{UPDATE app.doc SET title = 'Deux crêperies' WHERE id = 78; UPDATE app.doc SET n = 5 WHERE id = 79});
$node->wait_for_catchup('docs');
is($subscriber->safe_psql('postgres', 'SELECT search_vector FROM app.doc WHERE id = 78'), "'crêperies':2C 'deux':1C", 'or its own');

server_log_is_clean($_) foreach $node, $subscriber;
$_->stop foreach $subscriber, $node;
done_testing();
