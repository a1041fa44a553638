# A role that is no superuser administers pg_steward in its database, and cannot get beyond that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use StewardTest;
use Test::More;

my $node = steward_node('admin');
$node->safe_psql('postgres', q{
	CREATE ROLE regress_dba LOGIN CREATEROLE;
	CREATE ROLE regress_owner LOGIN;
	CREATE ROLE regress_app LOGIN;
	CREATE ROLE "regress Auditor" LOGIN;
	CREATE DATABASE shop OWNER regress_dba;
	-- for what the views of monitoring show
	GRANT pg_monitor TO regress_dba;
});

# Runs SQL as a role; returns what it prints, errors and warnings included.
sub as_role
{
	my ($role, $sql) = @_;
	local $ENV{PGUSER} = $role;
	my ($rc, $stdout, $stderr) = $node->psql('shop', $sql, on_error_stop => 0);
	$stderr =~ s/^psql:<stdin>:\d+: //mg;
	return join "\n", grep { length } $stdout, $stderr;
}
sub as_dba { return as_role('regress_dba', @_) }

#
# Creating the extension
#

like(as_dba('CREATE EXTENSION pg_steward CASCADE'), qr/permission denied to create extension "pg_steward"/, 'the owner of the database cannot create the extension');
# nor have a superuser create it around functions of his own
foreach my $schema ('steward', 'steward_internal')
{
	as_dba("CREATE SCHEMA $schema; CREATE FUNCTION $schema.audit_equip(text) RETURNS void LANGUAGE sql AS 'ALTER ROLE regress_dba SUPERUSER'");
	my (undef, undef, $stderr) = $node->psql('shop', 'CREATE EXTENSION pg_steward CASCADE');
	like($stderr, qr/schema "$schema" already exists/, "a schema $schema that is there is not taken over");
	as_dba("DROP SCHEMA $schema CASCADE");
}
create_extension($node, 'shop');
unlike(as_dba('SELECT count(*) FROM steward.audit_log'), qr/^\d/, 'the owner of the database reads no log');
like(as_dba(q{SELECT steward.grant_admin('regress_dba')}), qr/permission denied for function grant_admin/, 'and does not make himself an administrator');

#
# What a superuser runs once
#

my $dry = $node->safe_psql('shop', q{SELECT steward.grant_admin('regress_dba', dry_run => true)});
like($dry, qr/^GRANT EXECUTE ON FUNCTION steward\.audit_maintain\(\) TO regress_dba WITH GRANT OPTION;$/m, 'grant_admin() shows what it would do');
is($node->safe_psql('shop', q{SELECT steward.grant_admin('regress_dba')}), $dry, 'and does it');
is($node->safe_psql('shop', q{SELECT steward.grant_admin('regress_dba')}), '', 'once');

#
# What the administrator does
#

is( as_dba(q{
	SET client_min_messages = error;
	CREATE TABLE account (id integer PRIMARY KEY, tenant_id integer, v text);
	SELECT count(*) > 0 FROM steward.audit_enable('account');
	SELECT count(*) > 0 FROM steward.tenant_protect('account', 'tenant_id');
	GRANT SELECT, INSERT, UPDATE, DELETE ON account TO regress_app;
	GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO regress_app;
	SELECT count(*) > 0 FROM steward.audit_maintain();
	SELECT steward.tenant_create('7');
	SELECT steward.tenant_create('8');
	INSERT INTO steward.health_thresholds (check_name, warning) VALUES ('xid_age', 5e8);
	INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('some:thing', 'known');
	SELECT steward.snapshot() > 0, (SELECT string_agg(source || ': ' || problem, ', ') FROM steward.snapshot_sources WHERE problem IS NOT NULL);
	SELECT count(*) > 0 FROM steward.audit_tenant_enable('regress_app');
	GRANT SELECT ON steward.audit_log, steward.audit_entries, steward.audit_table_names, steward.audit_events, steward.audit_contexts, steward.audit_tables TO "regress Auditor";
	}) =~ s/^WARNING: .*\n?//mgr, "t\nt\nt\n\n\nt|\nt", 'audits, maintains, administers tenants and monitoring, lets the application set tenants');
is(as_role('regress_app', q{BEGIN; SELECT steward.tenant_set('7', 'alice'); INSERT INTO account VALUES (1, 7, 'seven'); COMMIT;
	BEGIN; SELECT steward.tenant_set('8'); INSERT INTO account VALUES (2, 8, 'eight'); SELECT record_id, operation FROM steward.audit_log; COMMIT}),
	"\n\n2|INSERT", 'the application works, and reads the history of its tenant');
my $events = "1|regress_app|alice\n2|regress_app|";
my $read = 'SELECT record_id, changed_by, user_id FROM steward.audit_log ORDER BY record_id';
is(as_dba($read), $events, 'the administrator reads the whole log');
is(as_role('regress Auditor', $read), $events, 'so does whom he lets');
# partitions that are made later are for the same readers
$node->safe_psql('shop', q{SET steward.audit_partitions_ahead = 5; SELECT steward.audit_maintain()});
is(as_dba(q{SELECT count(*) > 5, bool_and(has_table_privilege(relation_id, 'SELECT WITH GRANT OPTION')) FROM steward.audit_partitions}), 't|t', 'in partitions made later too');
like(as_dba(q{SELECT steward.tenant_suspend('8'); SELECT key, status FROM steward.tenants ORDER BY key}), qr/^7\|active\n8\|suspended$/m, 'suspends tenants');

#
# What the administrator cannot do
#

my $refused = qr/permission denied|no privileges were granted|must be owner|must be superuser|Must be superuser|must not (?:INSERT|UPDATE|DELETE|TRUNCATE)/;
foreach my $attack (
	# change the log, or take it away
	'DELETE FROM steward.audit_events',
	'DELETE FROM steward.audit_events_default',
	q{UPDATE steward.audit_contexts SET user_id = 'x'},
	'TRUNCATE steward.audit_tables',
	'INSERT INTO steward.audit_events SELECT * FROM steward.audit_events',
	'COPY steward.audit_contexts FROM stdin',
	'GRANT INSERT ON steward.audit_events TO regress_dba',
	'DROP TABLE steward.audit_events CASCADE',
	'DROP EXTENSION pg_steward CASCADE',
	'DROP EXTENSION pgcrypto CASCADE',
	'DROP SCHEMA steward CASCADE',
	'ALTER SCHEMA steward RENAME TO other',
	'ALTER TABLE steward.audit_events DISABLE TRIGGER ALL',
	'ALTER TABLE steward.audit_events DISABLE ROW LEVEL SECURITY',
	'ALTER EXTENSION pg_steward UPDATE',
	'ALTER EVENT TRIGGER steward_audit_protect DISABLE',
	# have it dropped by those who may
	q{SELECT steward_internal.library_version(); SET steward.audit_guard = off},
	q{SELECT steward_internal.library_version(); SET steward.audit_retention = '1 min'},
	q{ALTER DATABASE shop SET steward.audit_retention = '1 min'},
	q{ALTER ROLE regress_dba SET steward.audit_retention = '1 min'},
	q{ALTER DATABASE shop SET session_preload_libraries = ''},
	# have others run what is his
	'CREATE FUNCTION steward.audit_equip(text) RETURNS void LANGUAGE sql AS $$ALTER ROLE regress_dba SUPERUSER$$',
	'CREATE FUNCTION steward_internal.audit_equip(text) RETURNS void LANGUAGE sql AS $$ALTER ROLE regress_dba SUPERUSER$$',
	'CREATE OR REPLACE FUNCTION steward_internal.audit_equip(regclass) RETURNS void LANGUAGE sql AS $$ALTER ROLE regress_dba SUPERUSER$$',
	'CREATE VIEW steward.mine AS SELECT 1',
	'CREATE TABLE steward_internal.mine ()',
	q{INSERT INTO steward.health_queries (check_name, query) VALUES ('mine', 'SELECT 1')},
	q{UPDATE steward.health_queries SET query = 'SELECT 1'},
	q{UPDATE steward.metrics SET query = 'SELECT 1'},
	'ALTER TABLE steward.tenants ENABLE ROW LEVEL SECURITY',
	'CREATE TRIGGER mine BEFORE INSERT ON steward.muted_findings FOR EACH ROW EXECUTE FUNCTION steward.updated_at_trigger()',
	'CREATE INDEX ON steward.snapshots ((1))',
	# read what is not of this database
	q{SELECT steward.tenant_sign('7')},
	# become what he is not
	q{SELECT steward.grant_admin('regress_app')},
	q{SELECT steward.tenant_guard_enable('error', '{}', '{}')},
	'SELECT steward_internal.audit_equip(NULL)')
{
	my $said = as_dba($attack);
	like($said, $refused, "refused: $attack");
}
is($node->safe_psql('shop', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_dba'}), 'f', 'no superuser');
is($node->safe_psql('shop', $read), $events, 'the log is whole');
# upkeep called by the administrator runs nothing of his, whatever his session says
is(as_dba(q{
	SET client_min_messages = error;
	CREATE SCHEMA mine;
	CREATE FUNCTION mine.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'infinity'::timestamptz$$;
	CREATE FUNCTION mine.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'ALTER ROLE regress_dba SUPERUSER'$$;
	CREATE TEMPORARY TABLE pg_class (oid oid);
	SET search_path = mine, pg_temp, pg_catalog;
	SELECT pg_catalog.count(*) FROM steward.audit_maintain() WHERE action <> 'postponed';
	}), '0', 'upkeep looks nothing up where the administrator can put it');
is($node->safe_psql('shop', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_dba'}), 'f', 'still no superuser');

#
# And no longer
#

like(as_dba(q{SELECT count(*) > 0 FROM steward.audit_tenant_disable('regress_app')}), qr/^t$/, 'takes back what he has granted');
my (undef, undef, $stderr) = $node->psql('shop', q{SELECT steward.revoke_admin('regress_dba')});
like($stderr, qr/dependent privileges exist/, 'revoke_admin() takes nothing from others unasked');
$node->safe_psql('shop', q{SELECT steward.revoke_admin('regress_dba', cascade => true); SELECT steward.audit_maintain()});
like(as_dba($read), qr/permission denied/, 'revoked from the administrator');
like(as_role('regress Auditor', $read), qr/permission denied/, 'and from those to whom he granted it');
like(as_role('regress_app', q{SELECT steward.tenant_set('7')}), qr/permission denied/, 'all of it');
is($node->safe_psql('shop', q{SELECT g.object, x.grantee::regrole, x.privilege_type FROM steward_internal.admin_grants() g, aclexplode(g.acl) x WHERE x.grantee::regrole::text ~ 'regress'}), '', 'no grant is left');

#
# For new databases of roles that are no superusers
#

create_extension($node, 'template1');
$node->safe_psql('template1', q{SELECT steward.grant_admin('regress_owner')});
$node->safe_psql('postgres', 'ALTER ROLE regress_owner CREATEDB');
{
	local $ENV{PGUSER} = 'regress_owner';
	$node->safe_psql('postgres', 'CREATE DATABASE of_owner');
	is( $node->safe_psql('of_owner', q{
			CREATE EXTENSION IF NOT EXISTS pg_steward;
			SET client_min_messages = error;
			CREATE SCHEMA own CREATE TABLE t (id integer PRIMARY KEY);
			SELECT FROM steward.audit_enable('own.t');
			INSERT INTO own.t VALUES (1);
			SELECT table_name, operation FROM steward.audit_log}) =~ s/^\n*//r,
		't|INSERT', 'a database made from a template has the extension and its administrator');
}

server_log_is_clean($node);
$node->stop;
done_testing();
