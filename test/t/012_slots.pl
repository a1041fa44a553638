# The library asks for one of the few places that a server has for those who hear of changed relations, and dispatches
# what it hears: all modules work in a session where other libraries have taken the rest.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

# The library that takes them, built where nobody else looks.
my $build = PostgreSQL::Test::Utils::tempdir();
append_to_file("$build/Makefile", join "\n", 'MODULES = slot_taker', 'PGXS := $(shell $(PG_CONFIG) --pgxs)', 'include $(PGXS)', '');
append_to_file("$build/slot_taker.c", slurp_file("$FindBin::RealBin/../lib/slot_taker.c"));
{
	local %ENV = %ENV;
	delete @ENV{ grep { /^(MAKE|MFLAGS)/ } keys %ENV };
	run_log([ 'make', '-s', '-C', $build, 'with_llvm=no', 'PG_CONFIG=pg_config' ]) or die 'cannot build slot_taker';
}
my $taker = "$build/slot_taker";

my $node = steward_node('slots', allows_streaming => 'logical');
my ($library) = grep { $node->psql('postgres', "LOAD '$_'") == 0 } 'pg_steward', '$libdir/pg_steward';

# What the server itself takes one place for each, at the latest when it is first used: cached plans, cached types and
# the files of relations.
my $servers_own = 'DO $$ BEGIN PERFORM ARRAY[1] = ARRAY[1], pg_filenode_relation(0, 1); END $$;';

# Tells whether a session in which so many places are taken lives while it loads what it shall.
sub session_lives
{
	my ($slots, $loads) = @_;
	my ($rc, $stdout, $stderr) = $node->psql('postgres', "$servers_own SET slot_taker.slots = $slots; LOAD '$taker'; $loads");
	die $stderr unless $rc == 0 || $stderr =~ /FATAL:  out of relcache_callback_list slots/;
	return $rc == 0;
}

my $free = 0;
$free++ while session_lives($free + 1, '');
note "$free places are left of what the server has";
ok(session_lives($free - 1, "LOAD '$library'"), 'one is enough for the library');
ok(!session_lives($free, "LOAD '$library'"), 'and it takes one: without it, the session dies');

# All modules, in sessions that have none left for them but that one.
$node->append_conf('postgresql.conf', "session_preload_libraries = '$taker'\nslot_taker.slots = " . ($free - 1));
$node->reload;
$node->poll_query_until('postgres', 'SHOW slot_taker.slots', $free - 1) or die;

# Returns the rows that a session prints; an error ends it and the test.
sub rows
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', "SET client_min_messages = warning; $servers_own $sql");
}

rows(q{CREATE EXTENSION pg_steward CASCADE;});

is( rows(q{
	CREATE SCHEMA shop;
	CREATE TABLE shop.orders (id integer PRIMARY KEY, v text);
	DO $$ BEGIN PERFORM steward.audit_enable('shop.orders'); END $$;
	INSERT INTO shop.orders VALUES (1, 'created');
	ALTER TABLE shop.orders RENAME TO bills;
	UPDATE shop.bills SET v = 'table renamed';
	ALTER SCHEMA shop RENAME TO store;
	BEGIN;
	UPDATE store.bills SET v = 'schema renamed';
	SAVEPOINT s;
	UPDATE store.bills SET v = 'undone';
	ROLLBACK TO s;
	COMMIT;
	SELECT new_values ->> 'v' FROM steward.audit_log ORDER BY created_at, seq;
	SELECT table_schema, table_name FROM steward.audit_tables ORDER BY known_since;}),
	"created\ntable renamed\nschema renamed\nshop|orders\nshop|bills\nstore|bills",
	'audit follows renamed tables and schemas, and savepoints');

is( rows(q{
	BEGIN;
	UPDATE store.bills SET v = 'prepared';
	PREPARE TRANSACTION 'slots';
	COMMIT PREPARED 'slots';
	SELECT count(*) FROM steward.audit_log WHERE new_values ->> 'v' = 'prepared';}),
	'1', 'and prepared transactions');

like(($node->psql('postgres', 'DROP EXTENSION pg_steward CASCADE'))[2], qr/it holds audit events/, 'the log is guarded');

is( rows(q{
	CREATE TABLE notes (id integer PRIMARY KEY, v text, updated_at timestamptz, version bigint NOT NULL DEFAULT 1);
	DO $$ BEGIN
		PERFORM steward.updated_at_enable('notes'); PERFORM steward.row_version_enable('notes');
		PERFORM steward.soft_delete_enable('notes');
	END $$;
	INSERT INTO notes VALUES (1, 'kept');
	UPDATE notes SET v = 'changed';
	DELETE FROM notes;
	SELECT version, updated_at IS NOT NULL, deleted_at IS NOT NULL FROM notes;}),
	'3|t|t', 'upkeep works');

is( rows(q{
	CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
	CREATE TEXT SEARCH CONFIGURATION words (PARSER = default);
	ALTER TEXT SEARCH CONFIGURATION words ADD MAPPING FOR asciiword WITH words;
	CREATE TABLE products (id integer PRIMARY KEY, title text);
	INSERT INTO products VALUES (1, 'the red shoe');
	CALL steward.search_enable('products', '{title}', 'words');
	SELECT search_vector FROM products;
	ALTER TEXT SEARCH DICTIONARY words (stopwords = english);
	UPDATE products SET search_vector = NULL;
	SELECT search_vector FROM products;}),
	"'red':2 'shoe':3 'the':1\n'red':2 'shoe':3", 'search follows changed dictionaries');

is( rows(q{
	CREATE ROLE regress_app;
	CREATE TABLE posts (id integer PRIMARY KEY, tenant_id integer, v text);
	GRANT SELECT ON posts TO regress_app;
	INSERT INTO posts VALUES (1, 1, 'of 1'), (2, 2, 'of 2');
	DO $$ BEGIN PERFORM steward.tenant_protect('posts'); PERFORM steward.tenant_create('1'); PERFORM steward.tenant_create('2'); END $$;
	GRANT EXECUTE ON FUNCTION steward.tenant_set TO regress_app;
	SET ROLE regress_app;
	DO $$ BEGIN PERFORM steward.tenant_set('1'); END $$;
	BEGIN;
	DO $$ BEGIN PERFORM steward.tenant_set('2'); END $$;
	SELECT v FROM posts;
	COMMIT;
	SELECT count(*) FROM posts;}),
	"of 2\n0", 'a tenant sees its rows, and nothing once its transaction is over');

{
	my $session = $node->background_psql('postgres');
	$session->query_safe(q{BEGIN; SET ROLE regress_app; SELECT steward.tenant_set('1')});
	is($session->query_safe('SELECT v FROM posts'), 'of 1', 'it sees them');
	$node->safe_psql('postgres', q{SELECT steward.tenant_suspend('1')});
	$session->query_safe('SET client_min_messages = warning');
	is($session->query_safe('SELECT v FROM posts'), '', 'and none from the moment on that it is suspended by another session');
	$session->quit;
}

like(
	($node->psql('postgres', q{BEGIN; SELECT steward.tenant_set('2'); CREATE TEMPORARY TABLE left_over (v text)}))[2],
	qr/cannot leave temporary objects to the session/,
	'a tenant leaves no temporary table');
is(rows(q{SELECT count(*) > 0 FROM steward.tenant_check();}), 't', 'tenant_check looks for holes');
is(rows(q{SELECT count(*) > 10, bool_or(status = 'UNKNOWN' AND detail ~ 'slot') FROM steward.health_check;}), 't|f', 'health checks run');

# The same preloaded, with the processes of logical replication, which take one place more.
$node->append_conf('postgresql.conf', "session_preload_libraries = ''\nshared_preload_libraries = '$taker, $library'\nslot_taker.slots = " . ($free - 2));
$node->restart;
$node->safe_psql('postgres', q{CREATE DATABASE copy});
$node->safe_psql('postgres', q{
	CREATE PUBLICATION notes FOR TABLE notes;
	SELECT pg_create_logical_replication_slot('notes', 'pgoutput')});
create_extension($node, 'copy');
$node->safe_psql('copy', q{
	CREATE TABLE notes (id integer PRIMARY KEY, v text, updated_at timestamptz, version bigint NOT NULL, deleted_at timestamptz);
	SELECT steward.audit_enable('notes')});
$node->safe_psql('copy', "CREATE SUBSCRIPTION notes CONNECTION '" . $node->connstr . " dbname=postgres' PUBLICATION notes WITH (create_slot = false)");
$node->wait_for_subscription_sync($node, 'notes');
$node->safe_psql('postgres', q{INSERT INTO notes VALUES (2, 'replicated')});
$node->wait_for_catchup('notes');
is($node->safe_psql('copy', q{SELECT new_values ->> 'v' FROM steward.audit_log ORDER BY created_at, seq}), "changed\nreplicated", 'a logical subscriber audits what it applies');
$node->safe_psql('copy', q{ALTER SUBSCRIPTION notes DISABLE; ALTER SUBSCRIPTION notes SET (slot_name = NONE); DROP SUBSCRIPTION notes});

$node->stop;
done_testing();
