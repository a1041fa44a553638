# What needs a standby, a restart or many transactions: who holds back VACUUM from afar, replay that waits, prepared
# transactions that came through a restart, and whether autovacuum does what autovacuum_queue says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 'logical',
	conf => "max_connections = 20\nsuperuser_reserved_connections = 4\nshared_buffers = 16MB\nautovacuum_naptime = 1d\n");
my $version = $primary->pg_version;
$primary->append_conf('postgresql.conf', "reserved_connections = 2\n") if $version >= 16;
create_extension($primary);
$primary->safe_psql('postgres', q{
	CREATE TABLE orders (id integer);
	INSERT INTO orders SELECT generate_series(1, 100);
	-- all views of the contract, those to come too; to_jsonb has all columns computed
	CREATE FUNCTION failing_views() RETURNS SETOF text LANGUAGE plpgsql AS $$
	DECLARE
		view_name regclass;
	BEGIN
		FOR view_name IN SELECT c.oid FROM pg_class c
						  WHERE c.relnamespace IN ('steward'::regnamespace, 'steward_internal'::regnamespace) AND c.relkind = 'v' AND has_table_privilege('pg_monitor', c.oid, 'SELECT')
							AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee = 0)
		LOOP
			BEGIN
				EXECUTE format('SELECT count(to_jsonb(v)) FROM %s v', view_name);
			EXCEPTION WHEN OTHERS THEN
				RETURN NEXT format('%s: %s', view_name, SQLERRM);
			END;
		END LOOP;
	END $$;
});

# Runs a statement in a new session until it waits for a lock.
sub start_waiting
{
	my ($node, $statement) = @_;
	my $waiting = $node->safe_psql('postgres', 'SELECT count(*) FROM pg_locks WHERE NOT granted');
	my $session = $node->background_psql('postgres');
	$session->query_until(qr/start/, "\\echo start\n$statement;\n");
	$node->poll_query_until('postgres', "SELECT count(*) > $waiting FROM pg_locks WHERE NOT granted") or die 'it does not wait';
	return $session;
}

# A prepared transaction alone keeps others waiting, and does so after a restart.
$primary->safe_psql('postgres', q{BEGIN; UPDATE orders SET id = id; PREPARE TRANSACTION 'alone'});
foreach my $when ('a prepared transaction', 'one that came through a restart')
{
	my $session = start_waiting($primary, 'BEGIN; LOCK TABLE orders');
	is($primary->safe_psql('postgres', q{SELECT pid IS NULL, prepared_id, blocked_by, roots, victims, relation, remedy FROM steward.blocking_queries}),
		"t|alone|{}|{}|1||ROLLBACK PREPARED 'alone';\nf||{alone}|{alone}|0|public.orders|", "$when is the root");
	$session->{run}->kill_kill;
	$primary->restart;
}
$primary->safe_psql('postgres', $primary->safe_psql('postgres', 'SELECT remedy FROM steward.xmin_horizon'));
is($primary->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'and the remedy ends it');

is($primary->safe_psql('postgres', q{SELECT connection_limit FROM steward.connections WHERE scope = 'cluster'}), $version >= 16 ? 14 : 16,
	'connections that are reserved are left out');

# A VACUUM that waits for a page says how far it is, and holds nothing back.
my $cursor = $primary->background_psql('postgres');
$cursor->query_safe('BEGIN; DECLARE c CURSOR FOR SELECT * FROM orders; FETCH 1 FROM c');
my $vacuum = $primary->background_psql('postgres');
$vacuum->query_until(qr/start/, "\\echo start\nVACUUM (FREEZE) orders;\n");
ok( $primary->poll_query_until('postgres', q{SELECT count(*) = 1 FROM steward.activity WHERE wait_event_type IN ('BufferPin', 'Buffer') AND query LIKE 'VACUUM%'}),
	'a wait for a page');
is($primary->safe_psql('postgres', q{SELECT command, relation, phase, done, total, unit, query FROM steward.progress}),
	'VACUUM|public.orders|scanning heap|0|1|blocks|VACUUM (FREEZE) orders;', 'its progress');
is($primary->safe_psql('postgres', q{SELECT kind, query LIKE 'FETCH%' FROM steward.xmin_horizon JOIN pg_stat_activity ON pid::text = holder}), 'session|t', 'the reader alone holds back rows');
$cursor->quit;
$vacuum->quit;

# Slots, until they are lost.
$primary->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('changes', 'pgoutput')});
is($primary->safe_psql('postgres', q{SELECT kind, holder, database_name, held_for, remedy FROM steward.xmin_horizon}),
	q{replication slot (catalogs)|changes|postgres||SELECT pg_drop_replication_slot('changes');}, 'a slot holds catalogs');
$primary->safe_psql('postgres', $_) foreach q{ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'}, 'SELECT pg_reload_conf()',
  (map { 'CREATE TABLE t (); DROP TABLE t; SELECT pg_switch_wal()' } 1 .. 3), 'CHECKPOINT';
is($primary->safe_psql('postgres', q{SELECT wal_status FROM pg_replication_slots; SELECT count(*) FROM steward.xmin_horizon}),
	"lost\n0", 'and nothing once it is lost');
$primary->safe_psql('postgres', q{SELECT pg_drop_replication_slot('changes')});

# A standby, which reports what its sessions need.
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\nhot_standby_feedback = on\nwal_receiver_status_interval = 1s\n");
$standby->start;
my $reader = $standby->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders');
ok( $primary->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM steward.xmin_horizon WHERE kind = 'standby' AND holder = 'standby' AND xid_age >= 0 AND held_for IS NULL AND is_oldest}),
	'the primary says that the standby holds rows');
is($primary->safe_psql('postgres', q{SELECT used FROM steward.connections WHERE scope = 'cluster'; SELECT count(*) FROM steward.long_transactions}),
	"1\n0", 'its walsender is neither a connection nor a transaction');
$primary->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('standby_1')});
$standby->append_conf('postgresql.conf', "primary_slot_name = 'standby_1'\n");
$standby->reload;
ok( $primary->poll_query_until('postgres',
		q{SELECT count(*) = 1 AND bool_and(kind = 'replication slot' AND holder = 'standby_1' AND hint LIKE '%hot_standby_feedback%') FROM steward.xmin_horizon}),
	'or its slot, if it has one');
is($standby->safe_psql('postgres', 'SELECT failing_views()'), '', 'every view can be read on the standby');
is($standby->safe_psql('postgres', q{SELECT state, transaction_age > '0', xid_age, xmin_age >= 0 FROM steward.long_transactions; SELECT kind FROM steward.xmin_horizon}),
	"idle in transaction|t||t\nsession", 'which knows whose transaction it is');
is($standby->safe_psql('postgres', q{SELECT dead_rows, vacuum_pressure, inserted_rows, modified_rows, due, xid_age > 0 FROM steward.autovacuum_queue WHERE table_name = 'orders'}),
	'|||||t', 'nothing is known there of what VACUUM has to do, but for ages');

# Replay waits for who reads, and others wait behind it.
$primary->safe_psql('postgres', 'ALTER TABLE orders ADD COLUMN note text');
$standby->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_locks WHERE NOT granted') or die 'replay does not wait';
my $behind = start_waiting($standby, 'SELECT count(*) FROM orders');
is( $standby->safe_psql('postgres', q{
		SELECT a.backend_type, cardinality(q.blocked_by), q.victims, q.wanted_mode, q.relation, q.roots = ARRAY[(SELECT pid::text FROM steward.long_transactions WHERE state LIKE 'idle%')],
			   q.remedy LIKE 'SELECT pg_terminate_backend(%' AS remedy
		  FROM steward.blocking_queries q JOIN pg_stat_activity a USING (pid) ORDER BY q.victims DESC}),
	"client backend|0|2|||f|t\nstartup|1|1|AccessExclusiveLock|public.orders|t|\nclient backend|1|0|AccessShareLock|public.orders|t|",
	'replay that waits is seen, and whom for');
$reader->query_safe('COMMIT');
$reader->quit;
$behind->quit;
$standby->stop;
$primary->poll_query_until('postgres', 'SELECT NOT active FROM pg_replication_slots') or die 'the standby is still there';
$primary->safe_psql('postgres', q{SELECT pg_drop_replication_slot('standby_1')});

# What is due is what autovacuum does.
$primary->safe_psql('postgres', q{
	CREATE TABLE dead (id integer) WITH (autovacuum_vacuum_threshold = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_insert_threshold = -1);
	CREATE TABLE inserted (id integer) WITH (autovacuum_vacuum_insert_threshold = 20, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_analyze_threshold = 10000);
	CREATE TABLE "Left" (id integer) WITH (autovacuum_enabled = off);
	CREATE TABLE whole (id integer) PARTITION BY RANGE (id);
	CREATE TABLE whole_1 PARTITION OF whole FOR VALUES FROM (0) TO (1000);
	INSERT INTO whole SELECT generate_series(0, 99);
});
$primary->safe_psql('postgres', 'ANALYZE whole');
$primary->safe_psql('postgres', q{
	INSERT INTO dead SELECT generate_series(1, 40);
	INSERT INTO inserted SELECT generate_series(1, 40);
	INSERT INTO "Left" SELECT generate_series(1, 10000);
	INSERT INTO whole SELECT generate_series(100, 999);
});
$primary->safe_psql('postgres', 'DELETE FROM dead WHERE id <= 30');
my $due = q{SELECT table_name, due, dead_rows, vacuum_pressure, insert_pressure, autovacuum_enabled FROM steward.autovacuum_queue
	WHERE table_name IN ('dead', 'inserted', 'Left', 'whole_1') ORDER BY table_name COLLATE "C"};
is($primary->safe_psql('postgres', $due), "Left|{}|0|0.00|10.00|f\ndead|{vacuum,analyze}|30|1.50||t\ninserted|{insert}|0|0.00|2.00|t\nwhole_1|{analyze}|0|0.00|0.98|t",
	'what is due for each reason');
if ($version >= 18)
{
	my $threshold = q{SELECT vacuum_threshold FROM steward.autovacuum_queue WHERE table_name = 'Left'};
	$primary->safe_psql('postgres', q{ALTER TABLE "Left" SET (autovacuum_vacuum_max_threshold = 30)});
	is($primary->safe_psql('postgres', $threshold), '30', 'no more than the most');
	$primary->safe_psql('postgres', q{ALTER TABLE "Left" SET (autovacuum_vacuum_max_threshold = -1)});
	is($primary->safe_psql('postgres', $threshold), '50', 'which can be turned off');
}
# from 19 on the server says so itself
is( $primary->safe_psql('postgres', q{
		SELECT q.table_name, q.due, q.insert_pressure, s.* FROM pg_stat_autovacuum_scores s JOIN steward.autovacuum_queue q ON q.relation_id = s.relid
		 WHERE s.do_vacuum <> (q.due && '{freeze,vacuum,insert}') OR s.do_analyze <> ('analyze' = ANY (q.due)) OR s.for_wraparound <> ('freeze' = ANY (q.due))
			OR q.autovacuum_enabled AND abs(s.vacuum_score - q.vacuum_pressure) + abs(s.vacuum_insert_score - coalesce(q.insert_pressure, 0)) + abs(s.analyze_score - coalesce(q.analyze_pressure, 0)) > 0.02}),
	'', 'as the server itself has it') if $version >= 19;
is($primary->safe_psql('postgres', q{SELECT table_name FROM steward.stale_statistics WHERE table_name LIKE 'whole%'}), 'whole_1', 'of the partitioned table nothing is known to have changed');
$primary->safe_psql('postgres', $_) foreach q{ALTER SYSTEM SET autovacuum_naptime = '1s'}, 'SELECT pg_reload_conf()';
ok( $primary->poll_query_until('postgres', q{SELECT count(*) = 0 FROM steward.autovacuum_queue WHERE due <> '{}'}),
	'autovacuum does it, and no more is due');
is( $primary->safe_psql('postgres', q{SELECT table_name, last_vacuum IS NOT NULL, last_analyze IS NOT NULL FROM steward.autovacuum_queue
		WHERE table_name IN ('dead', 'inserted', 'Left', 'whole_1') ORDER BY table_name COLLATE "C"}),
	"Left|f|f\ndead|t|t\ninserted|t|f\nwhole_1|f|t", 'each for its reason');
is($primary->safe_psql('postgres', q{SELECT table_name, has_statistics, analyze_pressure FROM steward.stale_statistics WHERE table_name LIKE 'whole%'}),
	'whole|t|6.67', 'the partitions have changed, and nobody analyzes the whole');
$primary->safe_psql('postgres', 'ANALYZE whole');
is($primary->safe_psql('postgres', q{SELECT count(*) FROM steward.stale_statistics WHERE table_name LIKE 'whole%'}), '0', 'until somebody does');

# Much later: freezing is forced, for a table without autovacuum and one that wants it later, too.
$primary->safe_psql('postgres', q{
	ALTER TABLE inserted SET (autovacuum_freeze_max_age = 2000000000);
	BEGIN; CREATE TABLE old (); PREPARE TRANSACTION 'old'});
$primary->stop;
$primary->append_conf('postgresql.conf', "autovacuum_freeze_max_age = 100000\n");
command_ok([ 'pg_resetwal', '-x', '400000', $primary->data_dir ], 'transaction ids are used up');
truncate($primary->data_dir . '/pg_xact/0000', 256 * 1024) or die $!;
$primary->start;
is( $primary->safe_psql('postgres', q{SELECT 'freeze' = ANY (due), round(freeze_pressure) FROM steward.autovacuum_queue WHERE table_name IN ('Left', 'inserted')}),
	"t|4\nt|4", 'what is too old is to be frozen');
is( $primary->safe_psql('postgres', q{SELECT database_name, round(xid_freeze_percent, -2), xid_stop_percent FROM steward.wraparound WHERE database_name IN ('template0', 'postgres') ORDER BY 1}),
	"postgres|400|0.0\ntemplate0|400|0.0", 'in all databases');
is($primary->safe_psql('postgres', q{SELECT kind, holder, is_oldest, round(xid_age, -5) FROM steward.xmin_horizon WHERE is_oldest}), 'prepared transaction|old|t|400000', 'and who is in the way');
$primary->safe_psql('postgres', q{ROLLBACK PREPARED 'old'});
ok($primary->poll_query_until('postgres', q{SELECT count(*) = 0 FROM steward.autovacuum_queue WHERE 'freeze' = ANY (due)}), 'autovacuum freezes them');

server_log_is_clean($_) foreach $primary, $standby;
done_testing();
