# Debian's postgres_exporter and Prometheus load what monitoring/ has, from a primary with two databases and its standby.
# Packages: prometheus prometheus-postgres-exporter
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;
use Time::HiRes qw(usleep);

foreach my $program ('prometheus', 'promtool', 'prometheus-postgres-exporter')
{
	plan skip_all => "$program is not installed" unless grep { -x "$_/$program" } split /:/, $ENV{PATH};
}

my $monitoring = "$FindBin::RealBin/../../monitoring";
my $dir = PostgreSQL::Test::Utils::tempdir();
my @programs;

# Starts a program that writes to a log of its own, for the time of the test.
sub start_program
{
	my ($name, @command) = @_;
	my $log = $PostgreSQL::Test::Utils::log_path . "/045_exporter_$name.log";
	push @programs, IPC::Run::start(\@command, '<', \undef, '>', $log, '2>&1');
	return;
}

END
{
	my $status = $?;
	$_->kill_kill foreach @programs;
	$? = $status;
}

# Calls a function until it returns something true, and returns that; what it returned last if that never happens.
sub poll
{
	my ($function) = @_;
	my $result;
	for (1 .. 5 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if $result = $function->();
		usleep(200_000);
	}
	return $result;
}

my $http = HTTP::Tiny->new(timeout => $PostgreSQL::Test::Utils::timeout_default);

sub get
{
	my ($url) = @_;
	my $response = $http->get($url);
	return $response->{success} ? $response->{content} : undef;
}

my $primary = steward_node('primary', allows_streaming => 1,
	conf => "shared_preload_libraries = pg_stat_statements\narchive_mode = on\narchive_command = 'true'\ntrack_io_timing = on\nautovacuum_naptime = 1d\n");
$primary->safe_psql('postgres', 'CREATE DATABASE books');
create_extension($primary, $_) foreach 'postgres', 'books';
$primary->safe_psql('postgres', q{
	CREATE EXTENSION pg_stat_statements;
	CREATE ROLE regress_exporter LOGIN;
	GRANT pg_monitor TO regress_exporter;
	ALTER ROLE regress_exporter SET search_path = pg_catalog;
	ALTER ROLE regress_exporter SET lock_timeout = '100ms';
	ALTER ROLE regress_exporter SET jit = off;
	SELECT pg_create_physical_replication_slot('regress_slot', true);
});
my $odd = qq{odd "name" of \\ 'a' {table="x"}, with\na line break: 100%};
foreach my $database ('postgres', 'books')
{
	$primary->safe_psql($database, q{
		CREATE TABLE item (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);
		CREATE TABLE part (item integer REFERENCES item);
		CREATE TABLE } . '"' . ($odd =~ s/"/""/gr) . q{" (id serial PRIMARY KEY, name text);
		SELECT steward.audit_enable('part');
		SELECT steward.audit_maintain();
		INSERT INTO item (name) SELECT repeat('x', 100) FROM generate_series(1, 20000);
		INSERT INTO } . '"' . ($odd =~ s/"/""/gr) . q{" (name) SELECT repeat('x', 100) FROM generate_series(1, 20000);
		INSERT INTO part SELECT generate_series(1, 100);
		VACUUM ANALYZE;
		DELETE FROM part;
		DELETE FROM item WHERE id % 4 = 0;
		CHECKPOINT;
		SELECT pg_switch_wal();
		SELECT steward.snapshot();
	});
}
# Texts of one's own are as odd as names of tables.
$primary->safe_psql('postgres', q{
	INSERT INTO steward.metrics (scope, namespace, query, columns) VALUES ('cluster', 'regress', 'SELECT U&''} . ($odd =~ s/\\/\\\\/gr =~ s/'/''''/gr) . q{\2028'' AS label,' || chr(9) || ' 1 AS figure -- the end',
		jsonb_build_array(jsonb_build_array('label', 'LABEL', $$} . $odd . q{$$), jsonb_build_array('figure', 'GAUGE', $$} . $odd . q{$$ || U&'\2028')))});
append_to_file("$dir/queries.yaml", $primary->safe_psql('postgres', 'SELECT steward.exporter_config()'));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$standby->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('regress_slot', true)});
# who is there to be seen: a query that runs, and holds a snapshot
foreach my $node ($primary, $standby)
{
	start_program($node->name . '_query', 'psql', '-XAtc', 'SELECT pg_sleep(100000)', $node->connstr('postgres'));
	$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep')}) or die;
}
$primary->wait_for_catchup($standby);

my %metrics;
foreach (split /\n/, $primary->safe_psql('postgres', q{
	SELECT m.namespace || '_' || c.column_name, lower(c.usage) FROM steward.metrics m, steward.metric_columns(m.columns) c WHERE c.usage <> 'LABEL' AND NOT m.is_custom}))
{
	my ($name, $usage) = split /\|/;
	$metrics{$name} = $usage;
}
cmp_ok(scalar keys %metrics, '>', 100, 'there is much to be exported');

# What the textfile collector would read.
foreach my $node ($primary, $standby)
{
	my ($rc, $text, $stderr) = $node->psql('postgres', 'SET ROLE regress_exporter; SELECT * FROM steward.openmetrics()');
	is($stderr, '', $node->name . ': no query of openmetrics() fails');
	my ($out, $err) = ('', '');
	ok(IPC::Run::run([ 'promtool', 'check', 'metrics' ], '<', \"$text\n", '>', \$out, '2>', \$err), $node->name . ': promtool takes what openmetrics() says') or diag("$out$err");
	like($text, qr/^pg_steward_query_failed\{namespace="pg_steward_health"\} 0$/m, $node->name . ': and it says what failed');
}
command_ok([ 'promtool', 'check', 'rules', "$monitoring/prometheus/alerts.yml" ], 'promtool takes the alert rules');
command_ok([ 'promtool', 'test', 'rules', "$monitoring/prometheus/alerts_test.yml" ], 'alerts come when they should');

# One exporter for each server. That of the primary is to see two databases.
my %url;
foreach my $node ($primary, $standby)
{
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	$url{ $node->name } = "127.0.0.1:$port";
	local %ENV = (
		%ENV,
		PG_EXPORTER_EXTEND_QUERY_PATH => $node eq $primary ? "$dir/queries.yaml" : "$monitoring/postgres_exporter/queries.yaml",
		DATA_SOURCE_NAME => 'host=' . $node->host . ' port=' . $node->port . ' user=regress_exporter dbname=postgres sslmode=disable');
	delete @ENV{qw(PGHOST PGPORT PGDATABASE PGUSER)};
	start_program($node->name . '_exporter', 'prometheus-postgres-exporter', "--web.listen-address=127.0.0.1:$port",
		'--disable-default-metrics', '--disable-settings-metrics', '--no-collector.bgwriter', '--no-collector.database',
		$node eq $primary ? ('--auto-discover-databases', '--include-databases=postgres,books') : ());
}
# There are no counters of I/O before 16, and a standby has nothing to vacuum.
my @no_io = $primary->pg_version < 16 ? qw(pg_steward_io) : ();
my %absent = (primary => \@no_io, standby => [ @no_io, qw(pg_steward_autovacuum pg_steward_vacuum) ]);
foreach my $node ($primary, $standby)
{
	my $name = $node->name;
	my $text = poll(sub { get("http://$url{$name}/metrics") }) or die "the exporter of $name does not answer";
	like($text, qr/^pg_exporter_last_scrape_error 0$/m, "$name: the exporter had no error");
	like($text, qr/^pg_up 1$/m, "$name: and reached the server");
	my %types = $text =~ /^# TYPE (pg_steward_\w+) (\w+)$/mg;
	my $absent = join '|', @{ $absent{$name} };
	# only the primary knows how late the standby was, and not for long
	$types{pg_steward_replication_delay_seconds} = 'gauge' if $name eq 'primary';
	is_deeply(\%types, { map { $_ => $metrics{$_} } grep { !$absent || !/^(?:$absent)_/ } keys %metrics }, "$name: all metrics are there, and nothing else");
	my $databases = $name eq 'primary' ? 'books postgres' : 'postgres';
	my %seen = map { $_ => 1 } $text =~ /^pg_steward_health_status\{.*database="(\w+)"/mg;
	is(join(' ', sort keys %seen), $databases, "$name: of $databases");
}

# Prometheus.
my $port = PostgreSQL::Test::Cluster::get_free_port();
append_to_file("$dir/prometheus.yml", qq{
global: {scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}
rule_files: ["$monitoring/prometheus/alerts.yml"]
scrape_configs:
  - job_name: postgres
    static_configs: [{targets: ["$url{primary}", "$url{standby}"]}]
});
command_ok([ 'promtool', 'check', 'config', "$dir/prometheus.yml" ], 'promtool takes the configuration');
start_program('prometheus', 'prometheus', "--config.file=$dir/prometheus.yml", "--storage.tsdb.path=$dir/prometheus", "--web.listen-address=127.0.0.1:$port");

# Returns what Prometheus answers to a path and parameters.
sub prometheus
{
	my ($path, %parameters) = @_;
	my $text = get("http://127.0.0.1:$port/api/v1/$path?" . $http->www_form_urlencode(\%parameters));
	return defined $text ? decode_json($text)->{data} : undef;
}

# Returns the rows that an expression finds, of any server and database.
sub query
{
	my ($expression) = @_;
	my $data = prometheus('query', query => $expression =~ s/\$(?:instance|database)/.*/gr =~ s/\$__(?:rate_interval|range)/1m/gr);
	return $data && $data->{result};
}

ok(poll(sub { @{ query('up{job="postgres"} == 1') // [] } == 2 }), 'Prometheus reaches both exporters') or die;
my $known;
my @wanted = sort grep { !@no_io || !/^pg_steward_io_/ } keys %metrics;
poll(sub { my %known = map { $_ => 1 } @{ prometheus('label/__name__/values') // [] }; $known = [ grep { $known{$_} } @wanted ]; @$known == @wanted });
is_deeply($known, \@wanted, 'and knows all metrics');
is_deeply(query('max_over_time(pg_exporter_last_scrape_error[1h]) > 0'), [], 'no scrape had an error');

# A label says what the table is called.
my @rows = grep { $_->{metric}{table} eq $odd } @{ query('pg_steward_table_size_heap_bytes') };
is(join(' ', sort map { $_->{metric}{database} . ($_->{metric}{instance} eq $url{standby} ? ' of standby' : '') } @rows), 'books postgres postgres of standby', 'names come as they are');
is_deeply([ map { $_->{metric}{label} } @{ query('regress_figure') } ], [ "$odd\x{2028}" ], 'so does what a query of one\'s own says');

my @alerts = slurp_file("$monitoring/prometheus/alerts.yml") =~ /- alert: (\w+)/g;
my $rules;
poll(sub { $rules = [ map { @{ $_->{rules} } } @{ (prometheus('rules') // {})->{groups} // [] } ]; @$rules && !grep { $_->{health} ne 'ok' } @$rules });
is_deeply([ map { "$_->{name} $_->{health}" } @$rules ], [ map { "$_ ok" } @alerts ], 'all alert rules are evaluated');
is(join(' ', map { "$_->{name} " . ($_->{alerts}[0]{labels}{check} // '') } grep { $_->{state} ne 'inactive' && $_->{name} !~ /^Postgres(?:Health(?:Warning|Unknown)|Restarted)$/ } @$rules), '', 'and none of them finds the servers ill');

# The dashboard: every expression finds something, but for what is not there now.
my $dashboard = decode_json(slurp_file("$monitoring/grafana/pg_steward.json"));
my @expressions = map { $_->{expr} } map { @{ $_->{targets} // [] } } @{ $dashboard->{panels} };
cmp_ok(scalar @expressions, '>', 50, 'the dashboard has expressions');
my $nothing_now = qr/mode\) \(pg_steward_locks_waited_for|autovacuum worker|max_over_time\(pg_steward_health|pg_steward_io_/;
my @empty;
poll(sub { @empty = grep { !/$nothing_now/ && !@{ query($_) // [] } } @expressions; return !@empty });
is(join("\n", @empty), '', 'no panel of the dashboard is empty');
is(join("\n", grep { !query($_) } @expressions), '', 'nor has an error');

$standby->stop('immediate');
$primary->stop('immediate');
done_testing();
