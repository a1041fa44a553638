# Sizes that are measured without a lock are right while a table gets other files again and again, and on a standby,
# which knows nothing of counters and has no files of unlogged tables.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 1, conf => "autovacuum = off\n");
create_extension($primary);
$primary->safe_psql(
	'postgres', q{
	CREATE TABLE rewritten (id bigint PRIMARY KEY);
	INSERT INTO rewritten SELECT generate_series(1, 2000);
	CREATE TABLE logged (id bigint NOT NULL);
	INSERT INTO logged SELECT generate_series(1, 2000);
	CREATE UNLOGGED TABLE unlogged (id integer PRIMARY KEY);
	INSERT INTO unlogged SELECT generate_series(1, 2000);
	VACUUM ANALYZE;
});

# Each transaction leaves the table with rows, so it never was empty.
my $writer = IPC::Run::start(
	[ 'psql', '-XAtq', '-d', $primary->connstr('postgres'), '-c', q{
		SET application_name = 'writer'}, '-c', q{
		DO $$ BEGIN
			FOR i IN 1 .. 500 LOOP
				TRUNCATE rewritten;
				INSERT INTO rewritten SELECT generate_series(1, 2000);
				COMMIT;
			END LOOP;
		END $$} ]);
$primary->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'writer')});
my ($measured, $files, $wrong) = split /\|/, $primary->safe_psql(
	'postgres', q{
	CREATE FUNCTION watch(OUT measured integer, OUT files integer, OUT wrong integer) LANGUAGE plpgsql SET lock_timeout = '1ms' AS $$
	DECLARE
		sizes record;
		node oid;
		last_node oid;
	BEGIN
		measured := 0; files := 0; wrong := 0;
		LOOP
			FOR i IN 1 .. 100 LOOP
				SELECT * INTO sizes FROM steward.relation_sizes('rewritten'::regclass);
				SELECT relfilenode INTO node FROM pg_class WHERE oid = 'rewritten'::regclass;
				measured := measured + 1;
				files := files + (node IS DISTINCT FROM last_node)::integer;
				last_node := node;
				wrong := wrong + (sizes.heap_bytes IS DISTINCT FROM 9 * 8192 OR coalesce(sizes.index_bytes, 0) < 2 * 8192)::integer;
			END LOOP;
			PERFORM pg_stat_clear_snapshot();
			EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'writer');
		END LOOP;
	END $$;
	SELECT * FROM watch()});
ok($writer->finish, 'the writer rewrote the table');
cmp_ok($files, '>', 20, "the table was seen with many files ($files in $measured looks)");
is($wrong, 0, 'and was always as large as its rows need');

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);
is( $standby->safe_psql('postgres', q{
		SELECT table_name, table_bytes, live_rows, dead_rows, bloat_bytes, reliable, reason FROM steward.table_bloat
		 WHERE schema_name = 'public' AND table_name LIKE '%logged' ORDER BY table_name}),
	"logged|73728|2000||0|t|\nunlogged||2000|||f|files are missing",
	'on a standby rows are those that VACUUM saw, and an unlogged table is not empty but missing');
is( $standby->safe_psql('postgres', q{
		SELECT index_bytes, bloat_bytes, reliable, reason FROM steward.index_bloat WHERE index_name = 'unlogged_pkey'}),
	'||f|files are missing', 'so is its index');
is( $standby->safe_psql('postgres', q{
		SELECT * FROM steward.relation_sizes('unlogged'::regclass);
		SELECT method, table_bytes, reason FROM steward.table_bloat_measured('unlogged')}),
	"|0||8192\n||files are missing", 'and both are when they are measured');

done_testing();
