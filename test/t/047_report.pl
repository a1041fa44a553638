# The report in a browser: nothing to complain of, nothing fetched, no wider than a phone, light and dark.
# Packages: chromium
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my ($chromium) = grep { -x } map { ("$_/chromium", "$_/chromium-browser") } split /:/, $ENV{PATH};
plan skip_all => 'chromium is not installed' unless $chromium;

my $node = steward_node('main', conf => "shared_preload_libraries = 'pg_stat_statements'\ntrack_activity_query_size = 4096\n");
create_extension($node);
my $folder = $node->basedir;

# A day in some seconds, with names and texts that would like to be more than text.
my $hostile = q{"Orders ""><img src=x onerror=alert(1)></td></table></svg><script>alert(document.title)</script>"};
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_stat_statements;
	CREATE SCHEMA "<script>alert(1)</script>";
	CREATE TABLE "<script>alert(1)</script>".$hostile (id integer PRIMARY KEY, note text);
	CREATE INDEX "</style><script>alert(2)</script>" ON "<script>alert(1)</script>".$hostile (note);
	CREATE INDEX "a_very_long_name_without_any_place_where_a_line_could_be_broken" ON "<script>alert(1)</script>".$hostile (note, id);
	ALTER DATABASE postgres SET app.greeting = '<script>alert("setting")</script>'});
for my $round (1 .. 4)
{
	$node->safe_psql('postgres', qq{
		INSERT INTO "<script>alert(1)</script>".$hostile SELECT i, repeat('x', 100) FROM generate_series($round * 1000, $round * 1000 + 500) i;
		SELECT count(*) FROM "<script>alert(1)</script>".$hostile WHERE note LIKE '%y' /* </code><script>alert('statement')</script> ]]> \N{U+202E} */;
		DELETE FROM "<script>alert(1)</script>".$hostile WHERE id % 3 = 0});
	$node->safe_psql('postgres', 'SELECT steward.snapshot()');
}
# as the documentation says
$node->safe_psql('postgres', 'SELECT 1');
$node->command_ok([ 'psql', '-XAtq', '-o', "$folder/report.html", '-d', $node->connstr('postgres'), '-c', 'SELECT steward.report()' ], 'psql writes the report to a file');
my $report = slurp_file("$folder/report.html");

# Runs the browser on a page; returns what it printed and what it had to say.
sub browse
{
	my ($page, @options) = @_;
	my ($stdout, $stderr) = ('', '');
	IPC::Run::run([ $chromium, qw(--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking
			--hide-scrollbars --enable-logging=stderr --v=0), "--user-data-dir=$folder/profile", @options, "file://$page" ],
		'>', \$stdout, '2>', \$stderr, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return ($stdout, join "\n", grep { /CONSOLE/ } split /\n/, $stderr);
}

# Opens the report in a frame so wide, and returns what a script finds out about it, and what stood on the console.
sub measure
{
	my ($html, $width, @options) = @_;
	$html =~ s/&/&amp;/g;
	$html =~ s/"/&quot;/g;
	append_to_file("$folder/frame.html", '');
	unlink "$folder/frame.html";
	append_to_file("$folder/frame.html", qq{<!DOCTYPE html><meta charset="utf-8"><body><iframe style="width:${width}px; height:900px; border:0" srcdoc="$html"></iframe>
		<pre></pre><script>addEventListener('load', () => {
			const frame = document.querySelector('iframe'), page = frame.contentDocument, root = page.documentElement;
			page.querySelectorAll('details').forEach(d => d.open = true);
			document.querySelector('pre').textContent = 'found: ' + [root.scrollWidth > root.clientWidth ? 'wider' : 'fits', root.clientWidth,
				page.querySelectorAll('script, img, link, iframe').length, frame.contentWindow.performance.getEntriesByType('resource').length,
				frame.contentWindow.getComputedStyle(page.body).backgroundColor, page.querySelectorAll('section').length, page.querySelectorAll('svg').length].join(' ');
		})</script>});
	my ($dom, $console) = browse("$folder/frame.html", '--dump-dom', @options);
	return ($dom =~ /<pre>found: (.*?)<\/pre>/ ? $1 : 'nothing was found', $console);
}

my @dark = ('--blink-settings=preferredColorScheme=0');
for my $width (390, 1280)
{
	my ($found, $console) = measure($report, $width);
	is($found, "fits $width 0 0 rgb(255, 255, 255) 11 9", "at $width pixels the page fits, and fetches nothing");
	is($console, '', 'the console is empty');
}
my ($found, $console) = measure($report, 390, @dark);
is($found, 'fits 390 0 0 rgb(21, 24, 28) 11 9', 'the same in the dark');
is($console, '', 'and the console is empty');

# What is looked for would be found.
(my $broken = $report) =~ s{<main>}{<main><img src="http://localhost:9/x.png"><script>alert(1)</script><p style="width:2000px">wide</p>};
($found, $console) = measure($broken, 390);
like($found, qr/^wider 390 2 /, 'a page that is too wide, or has a script, is noticed');
like($console, qr/Content Security Policy.*Content Security Policy/s, 'and neither picture nor script gets past the policy');

# The page itself, as it is opened; the pictures are for whoever wants to look.
for my $look ([ 'light' ], [ 'dark', @dark ])
{
	my ($name, @options) = @$look;
	my (undef, $said) = browse("$folder/report.html", "--screenshot=$folder/$name.png", '--window-size=1280,2400', @options);
	is($said, '', "opened by itself ($name), it has nothing to complain of");
	cmp_ok(-s "$folder/$name.png" // 0, '>', 50000, 'and a picture of it has something on it');
}
isnt(slurp_file("$folder/light.png"), slurp_file("$folder/dark.png"), 'the dark page looks different');

server_log_is_clean($node);
done_testing();
