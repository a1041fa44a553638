# On a standby what is not known is null and not 0: unlogged sequences and tables have no files there, and nothing is counted.
# The monitor is a plain member of pg_monitor.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $primary = steward_node('primary', allows_streaming => 1, conf => "autovacuum = off\n");
create_extension($primary);
$primary->safe_psql(
	'postgres', q{
	CREATE ROLE monitor LOGIN;
	GRANT pg_monitor TO monitor;
	CREATE TABLE logged (id serial, n integer);
	INSERT INTO logged (n) SELECT generate_series(1, 1000);
	DELETE FROM logged WHERE n <= 500;
	CREATE INDEX logged_n ON logged (n);
	CREATE UNLOGGED TABLE unlogged (id serial);
	INSERT INTO unlogged SELECT FROM generate_series(1, 1000);
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->wait_for_catchup($standby);

sub ask
{
	my ($node, $query) = @_;
	return $node->safe_psql('postgres', $query, extra_params => [ '-U', 'monitor' ]);
}

my $sequences = q{SELECT sequence_name, last_value, used_percent FROM steward.sequence_usage WHERE schema_name = 'public' ORDER BY sequence_name};
is(ask($primary, $sequences), "logged_id_seq|1000|0.00\nunlogged_id_seq|1000|0.00", 'sequences on the primary');
# WAL is ahead of a sequence by up to 32 values
like(ask($standby, $sequences), qr/^logged_id_seq\|10\d\d\|0\.00\nunlogged_id_seq\|\|$/, 'an unlogged sequence on the standby is not known');

my $sizes = q{SELECT table_name, heap_bytes, total_bytes > 0 FROM steward.table_sizes WHERE schema_name = 'public' ORDER BY table_name};
my $bytes = $primary->safe_psql('postgres', q{SELECT pg_relation_size('logged')});
is(ask($standby, $sizes), "logged|$bytes|t\nunlogged||", 'neither is the size of an unlogged table');

my $stats = q{SELECT dead_rows, modified_since_analyze, inserted_since_vacuum FROM steward.table_stats WHERE table_name = 'logged'};
is(ask($primary, $stats), '500|1500|1000', 'rows counted on the primary');
is(ask($standby, $stats), '||', 'and not on the standby');

my $unused = q{SELECT has_standbys FROM steward.unused_indexes WHERE index_name = 'logged_n'};
is(ask($primary, $unused), 't', 'the primary says that it has a standby');
is(ask($standby, $unused), 't', 'which says that it is not the only one');

my $views = ask($standby, q{
	SELECT string_agg(c.relname, ',') FROM pg_class c
	 WHERE c.relname IN ('database_stats', 'database_sizes', 'table_sizes', 'table_stats', 'cache_hit_ratios', 'partitions', 'sequence_usage', 'data_dictionary', 'index_usage',
	                     'unused_indexes', 'redundant_indexes', 'invalid_objects', 'foreign_keys_without_index', 'tables_without_primary_key')
	   AND c.relnamespace = 'steward'::regnamespace});
is(scalar(split /,/, $views), 14, 'all views are there');
ask($standby, "SELECT count(to_jsonb(v)) FROM steward.$_ v") for split /,/, $views;

done_testing();
