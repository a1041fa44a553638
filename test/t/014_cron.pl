# steward.schedule() has pg_cron keep the audit log up, in its own database and from another.
# Packages: postgresql-15-cron
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('cron');
plan skip_all => 'pg_cron is not installed' unless -e $node->config_data('--sharedir') . '/extension/pg_cron.control';
$node = steward_node('main', conf => qq{
	shared_preload_libraries = 'pg_cron'
	cron.database_name = 'shop'
	cron.use_background_workers = on
	max_worker_processes = 20
});
foreach my $db ('shop', 'other')
{
	$node->safe_psql('postgres', "CREATE DATABASE $db");
	create_extension($node, $db);
}
$node->safe_psql('shop', 'CREATE EXTENSION pg_cron');

is($node->safe_psql('shop', 'SELECT is_scheduled, place FROM steward.schedule()'), 't|pg_cron', 'upkeep is scheduled where pg_cron is');
is($node->safe_psql('shop', 'SELECT is_scheduled FROM steward.schedule()'), 't', 'and may be again');
my ($is_scheduled, $place, $command) = split /\|/, $node->safe_psql('other', 'SELECT * FROM steward.schedule()');
is("$is_scheduled $place", 'f pg_cron in database shop', 'from another database it is told where to go');
$node->safe_psql('shop', $command);
is($node->safe_psql('shop', 'SELECT jobname, schedule, database FROM cron.job ORDER BY database COLLATE "C"'),
	"pg_steward: other|7 * * * *|other\npg_steward: shop|7 * * * *|shop", 'there is one job for each');

# pg_cron knows no second, so this takes up to a minute
$node->safe_psql('shop', q{SELECT cron.alter_job(jobid, schedule => '* * * * *') FROM cron.job});
foreach my $db ('shop', 'other')
{
	ok($node->poll_query_until($db, 'SELECT count(*) > 3 FROM steward.audit_partitions'), "pg_cron keeps the log of $db up");
}
server_log_is_clean($node);
$node->stop;
done_testing();
