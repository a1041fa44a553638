# What the TAP tests of pg_steward share: clusters, a workload, and the proof
# that the audit log tells of it what happened and nothing else.
package StewardTest;

use strict;
use warnings;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

our @EXPORT = qw(steward_node create_extension create_workload start_workload
  log_is_whole log_digest server_log_is_clean crash_and_start pgbouncer start_pgbouncer);

# Returns a running cluster; "conf" is added to its settings, other parameters go to init().
sub steward_node
{
	my ($name, %params) = @_;
	my $conf = delete $params{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	# the SQLSTATE in the prefix is what server_log_is_clean looks for
	$node->init(extra => [ '-E', 'UTF8', '--no-locale' ], %params);
	$node->append_conf('postgresql.conf',
		"log_line_prefix = '%m [%p] %e %q%a '\nlog_statement = none\nmax_prepared_transactions = 10\n$conf");
	$node->start;
	return $node;
}

sub create_extension
{
	my ($node, $db) = @_;
	$node->safe_psql($db // 'postgres',
		'SET client_min_messages = warning; CREATE EXTENSION pg_steward CASCADE');
	return;
}

# Creates the tables of the workload and what proves that the log is whole:
#
#	replay()	folds the events of one row, oldest first, into the row; raises
#				where an event does not follow from those before it
#	unproved	differences between the log and the tables, none if all is well
sub create_workload
{
	my ($node, $db) = @_;
	$node->safe_psql($db // 'postgres', q{
		CREATE EXTENSION amcheck;
		CREATE TABLE account (id integer PRIMARY KEY, n integer NOT NULL DEFAULT 0, note text, token uuid);
		CREATE TABLE item (owner integer, no bigint GENERATED ALWAYS AS IDENTITY, n integer NOT NULL DEFAULT 0, note text,
			PRIMARY KEY (owner, no)) PARTITION BY HASH (owner);
		CREATE TABLE item_0 PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 0);
		CREATE TABLE item_1 PARTITION OF item FOR VALUES WITH (MODULUS 2, REMAINDER 1);
		SELECT steward.audit_enable('account');
		SELECT steward.audit_enable('item', capture => 'full');
		INSERT INTO account SELECT id FROM generate_series(1, 40) id;
		INSERT INTO item SELECT owner FROM generate_series(0, 7) owner, generate_series(1, 20);

		CREATE FUNCTION replay_event(state jsonb, operation text, old_values jsonb, new_values jsonb, place text) RETURNS jsonb
		LANGUAGE plpgsql IMMUTABLE AS $$
		BEGIN
			CASE operation
				WHEN 'INSERT' THEN
					IF state IS NULL THEN RETURN new_values; END IF;
				WHEN 'UPDATE' THEN
					IF state || old_values = state THEN RETURN state || new_values; END IF;
				WHEN 'DELETE' THEN
					IF state = old_values THEN RETURN NULL; END IF;
			END CASE;
			RAISE 'event % does not follow: % of % to % on %', place, operation, old_values, new_values, state;
		END $$;
		CREATE AGGREGATE replay(text, jsonb, jsonb, text) (SFUNC = replay_event, STYPE = jsonb);

		CREATE VIEW replayed AS
		SELECT table_name, record_id, count(*) FILTER (WHERE operation = 'UPDATE') AS updates,
			   replay(operation, old_values, new_values, table_name || ' ' || transaction_id || '/' || seq
					  ORDER BY created_at, transaction_id, seq) AS state
		  FROM steward.audit_log
		 WHERE table_name IN ('account', 'item')
		 GROUP BY table_name, record_id;

		CREATE VIEW unproved AS
		WITH stored AS (
			SELECT 'account'::name AS table_name, id::text AS record_id, n, to_jsonb(account) AS state FROM account
			UNION ALL
			SELECT 'item', jsonb_build_object('owner', owner, 'no', no)::text, n, to_jsonb(item) FROM item)
		SELECT 'row differs from its events' AS what, table_name || ' ' || record_id || ': ' || coalesce(s.state::text, 'no row') AS which
		  FROM stored s FULL JOIN replayed r USING (table_name, record_id)
		 WHERE s.state IS DISTINCT FROM r.state
		UNION ALL
		SELECT 'number of updates differs', table_name || ' ' || record_id
		  FROM stored s JOIN replayed r USING (table_name, record_id)
		 WHERE s.n <> r.updates
		UNION ALL
		SELECT 'event without context', e::text FROM steward.audit_events e
		 WHERE NOT EXISTS (SELECT FROM steward.audit_contexts c WHERE c.context_id = e.context_id)
		UNION ALL
		SELECT 'event without table', e::text FROM steward.audit_events e
		 WHERE NOT EXISTS (SELECT FROM steward.audit_tables t WHERE t.table_id = e.table_id)
		UNION ALL
		SELECT 'event twice', format('%s %s/%s', era, transaction_id, seq) FROM steward.audit_entries
		 GROUP BY era, transaction_id, seq HAVING count(*) > 1;
	});
	return;
}

# Starts pgbench clients that change the workload's tables until they are
# stopped or the server goes away; returns the IPC::Run handle.
sub start_workload
{
	my ($node, %params) = @_;
	my $script = PostgreSQL::Test::Utils::tempdir() . '/workload.sql';

	my $log = $node->logfile =~ s/\.log$/_pgbench.log/r;

	append_to_file($script, q{
\set id random(1, 40)
\set other random(1, 40)
\set outcome random(1, 24)
\set fate random(1, 4)
BEGIN;
SELECT set_config('app.current_user_id', (:client_id)::text, true);
UPDATE account SET n = n + 1, token = gen_random_uuid() WHERE id = :id;
SAVEPOINT one;
UPDATE account SET n = n + 1, note = CASE WHEN random() < 0.1 THEN (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 200)) ELSE 'short' END WHERE id = :other;
\if :outcome < 8
ROLLBACK TO one;
\elif :outcome < 16
SAVEPOINT two;
INSERT INTO item (owner, note) SELECT :client_id, md5(g::text) FROM generate_series(1, 5) g;
\if :outcome < 12
ROLLBACK TO two;
\else
RELEASE two;
\endif
\elif :outcome = 16
INSERT INTO item (owner, note) SELECT :client_id, 'many' FROM generate_series(1, 1100) g;
DELETE FROM item WHERE owner = :client_id AND note = 'many';
\elif :outcome < 19
UPDATE item SET n = n + 1, note = 'all' WHERE owner = :client_id;
\else
DELETE FROM item WHERE (owner, no) IN (SELECT owner, no FROM item WHERE owner = :client_id ORDER BY no LIMIT 4);
INSERT INTO item (owner, note) VALUES (:client_id, 'x'), (:client_id, 'y');
\endif
\if :fate = 1
ROLLBACK;
\else
COMMIT;
\endif
});
	return IPC::Run::start(
		[
			'pgbench', '--no-vacuum', '-h', $node->host, '-p', $node->port,
			'-c', $params{clients} // 6, '-j', 2, '-T', $params{seconds} // 60,
			'--max-tries=100', '-f', $script, 'postgres'
		],
		'>', $log, '2>&1');
}

# One test: the log and the tables of the workload tell the same, and the indexes of the log hold all of it.
sub log_is_whole
{
	my ($node, $name, $db) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$db //= 'postgres';

	my ($rc, $unproved, $stderr) = $node->psql($db, 'SELECT * FROM unproved LIMIT 20');
	$unproved .= $stderr;

	# Every b-tree entry is there; a block range index finds what a scan finds.
	($rc, my $index, $stderr) = $node->psql($db, q{
		SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		 WHERE c.relnamespace = 'steward'::regnamespace AND c.relkind = 'i' AND a.amname = 'btree' AND i.indislive});
	$unproved .= $stderr;
	my @counts = map {
		$node->safe_psql($db, "SET enable_seqscan = $_; SET enable_indexscan = off; SET enable_bitmapscan = @{[$_ eq 'on' ? 'off' : 'on']};
			SELECT count(*), count(DISTINCT transaction_id) FROM steward.audit_events
			 WHERE recorded_at > (SELECT min(recorded_at) + (max(recorded_at) - min(recorded_at)) / 3 FROM steward.audit_events)")
	} ('on', 'off');
	$unproved .= "scan finds $counts[0], index finds $counts[1]\n" if $counts[0] ne $counts[1];

	return is($unproved, '', $name);
}

# Returns the number of events and a digest of the log, whatever order its rows lie in.
sub log_digest
{
	my ($node, $db) = @_;
	return $node->safe_psql($db // 'postgres',
		"SET TimeZone = 'UTC'; SELECT count(*), sum(hashtextextended(e::text, 0)::numeric) FROM steward.audit_entries e");
}

# One test: nothing in the server's log tells of a leak, a crash or an internal error.
sub server_log_is_clean
{
	my ($node, $name, $allowed) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @bad = grep { !(defined $allowed && /$allowed/) && /PANIC: | XX\d\d\d |TRAP: |WARNING: .*(leak|not closed|still referenced)|(WARNING|ERROR|FATAL): .*unexpected (?!postmaster exit)|signal (?:6|7|8|11)\b/ && !/STATEMENT: / }
	  split /\n/, slurp_file($node->logfile);
	splice(@bad, 20) if @bad > 20;
	return is(join("\n", @bad), '', $name // ('server log of ' . $node->name . ' is clean'));
}

# Returns the path of PgBouncer, undef if it is not installed.
sub pgbouncer
{
	my ($path) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
	return $path;
}

# Starts a PgBouncer in transaction mode with one server connection for everybody, as a user of the server, on a socket that
# nobody else sees.  Returns how to connect to it, and its IPC::Run handle.
sub start_pgbouncer
{
	my ($node, $user) = @_;
	my $dir = PostgreSQL::Test::Utils::tempdir_short();
	my $port = $node->port;

	append_to_file("$dir/pgbouncer.ini", qq{
[databases]
postgres = host=@{[$node->host]} port=$port dbname=postgres user=$user
[pgbouncer]
listen_port = $port
listen_addr =
unix_socket_dir = $dir
auth_type = any
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = options
logfile = @{[$node->logfile =~ s/\.log$/_pgbouncer.log/r]}
});
	my $bouncer = IPC::Run::start([ pgbouncer(), '-q', "$dir/pgbouncer.ini" ], '>', '/dev/null', '2>&1');
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if -S "$dir/.s.PGSQL.$port";
		usleep(100_000);
	}
	return ("host=$dir port=$port dbname=postgres user=$user", $bouncer);
}

# Returns whether some process of a cluster is alive. A zombie, which stays where process 1 does not reap its orphans, has no
# working directory any more.
sub is_alive
{
	my ($node) = @_;
	return scalar grep { (readlink($_) // '') eq $node->data_dir } glob('/proc/[0-9]*/cwd');
}

# Kills the server as a power cut would, and starts it again as soon as its orphans are gone.
sub crash_and_start
{
	my ($node) = @_;
	my @locks = ($node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock');
	my $postmaster = (split /\n/, slurp_file($locks[0]))[0];

	$node->kill9;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $is_zombie = -e "/proc/$postmaster" && !is_alive($node);

		# a server takes a zombie for one that runs
		unlink @locks if $is_zombie;
		return if ($is_zombie || !kill(0, $postmaster)) && $node->start(fail_ok => 1);
		usleep(100_000);
		$node->stop('fast', fail_ok => 1) if !kill(0, $postmaster);
	}
	BAIL_OUT($node->name . ' does not start');
}

1;
