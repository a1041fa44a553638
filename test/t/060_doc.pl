# The pages name what is there, and all of it. The SQL of README.md and of every page in doc/ runs as pasted. Per page, the blocks marked "sql" run in order, in one psql session of a
# superuser, in a new database: with the extension, unless the page creates it itself.
#
#	-- ERROR: message		at the end of a statement's last line: it must fail, with this message ("..." ends a message cut short)
#	-- WARNING: message		the same of a warning; whatever is not announced must not happen
#	```output				after a block of SQL: what psql prints last for it
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $tree = "$FindBin::RealBin/../..";
my $node = steward_node('doc');
$node->safe_psql('postgres', 'CREATE DATABASE with_extension');
create_extension($node, 'with_extension');

# Returns what psql shall read, line by line of the page so that the two count alike; what it shall print by block; and what it shall
# complain of by line.
sub read_page
{
	my ($page) = @_;
	my (@script, %output, @complaints, $language, $block);
	foreach my $line (split /\n/, slurp_file($page))
	{
		push @script, '';
		if ($line =~ /^\s*```(\w*)/)
		{
			my $opens = !defined $language;
			push @complaints, [ scalar @script, 'language', 'of the block' ] if $opens && $1 eq '';
			$script[-1] = '\echo [' . ($block = @script) . ']' if $opens && $1 eq 'sql';
			$output{$block} = '' if $opens && $1 eq 'output';
			$language = $opens ? $1 : undef;
		}
		elsif (!defined $language)
		{
			next;
		}
		elsif ($language eq 'output')
		{
			$output{$block} .= "$line\n";
		}
		elsif ($language eq 'sql')
		{
			$script[-1] = $line;
			push @complaints, [ scalar @script, $1, $2 ] if $line =~ /-- (ERROR|WARNING): +(.*)$/;
		}
	}
	# the first line of a page is its heading
	$script[0] = '\pset format aligned \pset tuples_only off';
	return (\@script, \%output, \@complaints);
}

# Drops what a page has left outside its database.
sub forget
{
	my ($database) = @_;
	$node->safe_psql('postgres', "DROP DATABASE $database");
	$node->safe_psql('postgres', q{SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE oid >= 16384 \gexec});
	$node->safe_psql('postgres', 'ALTER SYSTEM RESET ALL');
	$node->reload;
	return;
}

sub test_page
{
	my ($page, $name) = @_;
	my ($script, $output, $complaints) = read_page($page);
	my $sql = join "\n", @$script;
	my $template = $sql =~ /^CREATE EXTENSION pg_steward/m ? 'template0' : 'with_extension';
	$node->safe_psql('postgres', "CREATE DATABASE page TEMPLATE $template");

	my ($rc, $stdout, $stderr) = $node->psql('page', $sql, on_error_stop => 0);
	my %printed = (split /^\[(\d+)\]\n/m, "$stdout\n")[ 1 .. 2 * grep { /^\\echo \[/ } @$script ];
	my @problems;
	while ($stderr =~ /^psql:<stdin>:(\d+): (ERROR|WARNING|FATAL|error):\s+(.*)$/mg)
	{
		my ($line, $level, $message) = ($1, $2, $3);
		my $expected = @$complaints && $complaints->[0][0] == $line && $complaints->[0][1] eq $level ? shift(@$complaints)->[2] : undef;
		my $cut_short = defined $expected && $expected =~ s/\.\.\.$//;
		push @problems, "line $line: $level: $message"
		  unless defined $expected && $expected eq ($cut_short ? substr $message, 0, length $expected : $message);
	}
	push @problems, map { "line $_->[0]: no $_->[1]: $_->[2]" } @$complaints;
	is(join("\n", @problems), '', "$name runs as pasted") or diag $stderr;

	foreach my $block (sort { $a <=> $b } keys %$output)
	{
		my ($got, $wanted) = map { s/[ \t]+$//mgr =~ s/\s+$//r } $printed{$block}, $output->{$block};
		is($got eq $wanted ? $wanted : substr("\n$got", -length("\n$wanted")) =~ s/^\n//r, $wanted, "$name: what the block in line $block prints");
	}
	forget('page');
	return;
}

# Returns the links of a page that lead nowhere in the tree: to no file, or to no heading of it.
sub broken_links
{
	my ($page) = @_;
	my @broken;
	foreach my $link (slurp_file($page) =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ m{^https?://};
		my ($file, $heading) = split /#/, $link;
		my $path = $file eq '' ? $page : ($page =~ m{^(.*/)} ? $1 : '') . $file;
		my @headings = -e $path && defined $heading ? slurp_file($path) =~ /^#+ +(.*)$/mg : ();
		s/[^\w -]//g, s/ /-/g, $_ = lc foreach @headings;
		push @broken, $link unless -e $path && (!defined $heading || grep { $_ eq $heading } @headings);
	}
	return @broken;
}

# Returns the names in a result of one column.
sub names
{
	my ($sql) = @_;
	return split /\n/, $node->safe_psql('with_extension', $sql);
}

chdir $tree or die;
my @pages = glob 'doc/*.md';

# \df steward.* and \d steward.* are the index of the manual: outside the tables of privileges a page names each.
my $relations = q{SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND relnamespace = };
my $functions = 'SELECT proname FROM pg_proc WHERE pronamespace = ';
my @public = names("$functions 'steward'::regnamespace UNION $relations 'steward'::regnamespace");
my %named = map { $_ => 1 } map { my $text = slurp_file($_); $text =~ s/^\|.*$//mg if m{/privileges\.md$}; $text =~ /\w+/g } @pages;
is(join(' ', grep { !$named{$_} } sort @public), '', 'the pages name every function and relation of schema steward');

# The other way round; what is neither of the two is a setting, of which pg_settings does not show all.
my $templates = 'SELECT tmplname FROM pg_ts_template WHERE tmplnamespace = ';
my %there = map { $_ => 1 } names("SELECT s.nspname || '.' || o.name FROM pg_namespace s, LATERAL ($functions s.oid UNION $relations s.oid UNION $templates s.oid) o(name)");
foreach my $page ('README.md', 'CHANGELOG.md', @pages)
{
	my @others = grep { !$there{$_} } slurp_file($page) =~ m{(?<![\w/])(steward(?:_internal)?\.\w+)}g;
	is(join(' ', names("LOAD 'pg_steward'; SELECT n FROM unnest('{" . join(',', @others) . "}'::text[]) n WHERE current_setting(n, true) IS NULL")),
		'', "$page: what it names is there");
}

foreach my $page ('README.md', @pages)
{
	test_page($page, $page);
	is(join(' ', broken_links($page)), '', "$page: links lead somewhere");
}
my $contents = slurp_file('doc/README.md');
is(join(' ', grep { !m{doc/README\.md$} && index($contents, s{^doc/(.*)$}{]($1)}r) < 0 } @pages), '', 'every page is in the table of contents');
done_testing();
