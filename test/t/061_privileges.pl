# What doc/privileges.md says of who may do what is what the catalogs say, and functions for a table's owner refuse others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('privileges');
create_extension($node);
$node->safe_psql('postgres', q{
	CREATE ROLE regress_plain;
	CREATE ROLE regress_monitor IN ROLE pg_monitor;
	CREATE ROLE regress_owner;
	CREATE SCHEMA regress AUTHORIZATION regress_owner;
	GRANT USAGE ON SCHEMA regress TO PUBLIC;
});

# Returns the rows of the table under a heading: for each, what its first cell has in backticks, and the text of the other cells.
sub rows_under
{
	my ($heading) = @_;
	my ($section) = slurp_file("$FindBin::RealBin/../../doc/privileges.md") =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
	my @rows = map { [ split / *\| */, s/^\| *//r ] } grep { /^\| *`/ } split /\n/, $section;
	return map { my ($names, @cells) = @$_; [ [ $names =~ /`(\w+)`/g ], map { s/\s*:.*|,.*//r } @cells ] } @rows;
}

# Returns what a query says, a name and a value a line, as a hash.
sub ask
{
	my ($sql) = @_;
	return map { split /\|/, $_, 2 } split /\n/, $node->safe_psql('postgres', $sql);
}

# Returns the SQLSTATE and the message of the error in which some commands end.
sub complaint
{
	my ($sql) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql", on_error_stop => 0);
	return $err =~ /ERROR:\s+(\w{5}): (.*)/ ? ($1, $2) : ('00000', 'done');
}

# Returns an SQL expression that names the least of the roles for which a condition, with %s for the role, is true.
sub least_role
{
	my ($condition) = @_;
	return sprintf "CASE WHEN $condition THEN 'everybody' WHEN $condition THEN 'pg_monitor' ELSE 'owner' END", q{'regress_plain'}, q{'regress_monitor'};
}

my %calls = ask(q{SELECT proname, string_agg(DISTINCT } . least_role(q{has_function_privilege(%s, oid, 'EXECUTE')}) . q{, ', ')
	FROM pg_proc WHERE pronamespace = 'steward'::regnamespace GROUP BY proname});
my %reads = ask('SELECT relname, ' . least_role(q{has_any_column_privilege(%s, oid, 'SELECT')}) . q{
	FROM pg_class WHERE relnamespace = 'steward'::regnamespace AND relkind IN ('r', 'p', 'v')});
my %writes = ask('SELECT relname, ' . least_role(q{has_table_privilege(%s, oid, 'INSERT, UPDATE, DELETE, TRUNCATE')}) . q{
	FROM pg_class WHERE relnamespace = 'steward'::regnamespace AND relkind IN ('r', 'p', 'v')});

my @functions = rows_under('Functions');
my @relations = rows_under('Tables and views');
my @settings = rows_under('Settings');

foreach (@functions)
{
	my ($names, $who) = @$_;
	is($calls{$_}, $who, "$_() is for $who") foreach @$names;
}
foreach (@relations)
{
	my ($names, $who) = @$_;
	is($reads{$_}, $who, "$_ is read by $who") foreach @$names;
}
my %listed = map { $_ => 1 } map { @{ $_->[0] } } @functions, @relations;
is(join(' ', grep { !$listed{$_} } sort keys %calls, keys %reads), '', 'the page lists all functions and relations of the schema');
is(join(' ', grep { $writes{$_} ne 'owner' } sort keys %writes), '', 'nobody but the owner may write a relation');

# By trying: pg_settings does not show all of them.
my %named = map { my ($names, $who) = @$_; map { $_ => $who } @$names } @settings;
my @others = grep { !$named{$_} } split /\n/, $node->safe_psql('postgres', q{LOAD 'pg_steward'; SELECT substr(name, 9) FROM pg_settings WHERE name LIKE 'steward.%'});
my %setters = ('00000' => 'everybody', '42501' => 'superusers', '55P02' => 'the configuration file');
foreach my $name (sort(keys %named), @others)
{
	my ($state) = complaint("LOAD 'pg_steward'; SET ROLE regress_plain; SET steward.$name TO DEFAULT");
	is($setters{$state}, $named{$name} // 'superusers', "$name is set by " . ($named{$name} // 'superusers'));
}

# Calls a function as a role, with plausible arguments for a table that regress_owner owns; returns the SQLSTATE and the message.
my %argument = ('regclass' => q{'regress.t'}, 'text' => q{'v'}, 'name' => q{'fk'}, 'text[]' => q{'{v}'}, 'name[]' => q{'{v}'}, 'regrole' => q{'regress_plain'});
my %arguments = ask(q{SELECT proname, prokind::text || '|' || array_to_string(ARRAY(SELECT format_type(t, NULL)
		FROM unnest(proargtypes::oid[]) WITH ORDINALITY a(t, n) WHERE n <= pronargs - pronargdefaults ORDER BY n), ',')
	FROM pg_proc WHERE pronamespace = 'steward'::regnamespace});

sub call_as
{
	my ($role, $name) = @_;
	my ($kind, @types) = split /[|,]/, $arguments{$name};
	my $verb = $kind eq 'p' ? 'CALL' : 'SELECT';
	my $list = join ', ', map { $argument{$_} // die "$name: no argument of type $_" } @types;
	return complaint("SET ROLE $role; $verb steward.$name($list)");
}

foreach my $name (map { @{ $_->[0] } } grep { ($_->[2] // '') =~ /^to own the table\b(?! `)/ } @functions)
{
	$node->safe_psql('postgres', q{DROP TABLE IF EXISTS regress.t CASCADE; SET ROLE regress_owner; CREATE TABLE regress.t (id integer PRIMARY KEY, v text,
		tenant_id integer, user_id integer, published boolean, author_id integer, updated_at timestamptz, version integer, CONSTRAINT fk FOREIGN KEY (id) REFERENCES regress.t)});
	my ($state, $message) = call_as('regress_plain', $name);
	is("$state: " . ($message =~ s/.*(must be owner of table).*/$1/r), '42501: must be owner of table', "$name() refuses a table of somebody else");
	($state, $message) = call_as('regress_owner', $name);
	isnt($state, '42501', "$name() does not refuse the owner: $message");
}

done_testing();
