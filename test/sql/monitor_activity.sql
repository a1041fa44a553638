-- the example of doc/monitor_activity.md
SELECT pid, prepared_id, blocked_by, roots, victims, victims_waited, relation, remedy FROM steward.blocking_queries;
SELECT pid, prepared_id, database_name, state, transaction_age, query FROM steward.long_transactions WHERE transaction_age > interval '1 minute';
SELECT scope, name, used, connection_limit FROM steward.connections WHERE used_percent > 80;
SELECT pid, command, relation, phase, done_percent, elapsed FROM steward.progress WHERE query NOT LIKE 'autovacuum: %';

-- clients are counted, and not the server's processes
SELECT c.used = (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend') AS clients, c.used < (SELECT count(*) FROM pg_stat_activity) AS others_run, c.active,
       c.connection_limit = current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
                            - coalesce(current_setting('reserved_connections', true)::integer, 0) AS reserved_are_left_out,
       c.used_percent = round(100.0 * c.used / c.connection_limit, 1) AS used_percent
  FROM steward.connections c WHERE c.scope = 'cluster';
-- limits of their own; superusers have none, and what cannot be connected to is left out
CREATE ROLE regress_limited LOGIN CONNECTION LIMIT 5;
CREATE ROLE regress_super LOGIN SUPERUSER CONNECTION LIMIT 5;
CREATE ROLE regress_none LOGIN CONNECTION LIMIT 0;
CREATE ROLE regress_group;
CREATE DATABASE "regress Limited" CONNECTION LIMIT 20;
CREATE DATABASE regress_broken;
UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'regress_broken';
SELECT c.scope, c.name, c.used, c.active, c.idle, c.idle_in_transaction, c.connection_limit, c.used_percent
  FROM steward.connections c WHERE c.name LIKE 'regress\_%' OR c.name IN ('regress Limited', 'template0') ORDER BY c.scope, c.name COLLATE "C";
SELECT w.is_valid, w.xid_age IS NOT NULL AS age, w.xid_freeze_percent, w.xid_stop_percent, w.multixact_freeze_percent, w.multixact_stop_percent
  FROM steward.wraparound w WHERE w.database_name = 'regress_broken';
DROP DATABASE regress_broken;
DROP DATABASE "regress Limited";
DROP ROLE regress_limited, regress_super, regress_none, regress_group;

-- this session is not among the others, whatever it does
SELECT count(*) FROM steward.activity a WHERE a.pid = pg_backend_pid();
SELECT count(*) FROM steward.long_transactions t WHERE t.pid = pg_backend_pid();
SELECT s.state, s.sessions FROM steward.activity_summary s WHERE s.backend_type = 'client backend' AND s.state = 'active';
SELECT s.database_name, s.user_name, s.sessions FROM steward.activity_summary s WHERE s.backend_type = 'checkpointer';

-- a prepared transaction is open, too
CREATE TABLE "Order Items" (id integer);
BEGIN;
INSERT INTO "Order Items" VALUES (1);
PREPARE TRANSACTION 'it''s "prepared"';
SELECT t.pid, t.prepared_id, t.database_name = current_database() AS here, t.user_name = current_user AS mine, t.state,
       t.transaction_age > '0' AS transaction_age, t.xid_age >= 0 AS xid_age, t.query
  FROM steward.long_transactions t WHERE t.prepared_id IS NOT NULL;
SELECT h.kind, h.holder, h.database_name = current_database() AS here, h.xid_age >= 0 AS xid_age, h.held_for > '0' AS held_for, h.remedy
  FROM steward.xmin_horizon h WHERE h.kind = 'prepared transaction';
-- who waits for nothing and keeps nobody waiting is not among those that block
SELECT count(*) FROM steward.blocking_queries;
ROLLBACK PREPARED 'it''s "prepared"';

-- locks
BEGIN ISOLATION LEVEL SERIALIZABLE;
LOCK TABLE "Order Items" IN SHARE ROW EXCLUSIVE MODE;
SELECT pg_advisory_xact_lock(n) FROM generate_series(1, 3) n;
SELECT count(*) FROM "Order Items";
SELECT l.lock_type, l.mode, l.granted, l.locks, l.holders, l.longest_wait, l.lock_table_percent > 0 AS in_table
  FROM steward.lock_summary l
 WHERE l.database_name = current_database() AND (l.lock_type = 'advisory' OR l.mode IN ('ShareRowExclusiveLock', 'SIReadLock'))
 ORDER BY l.lock_type COLLATE "C", l.mode COLLATE "C";
COMMIT;
-- the table of "Conflicting Lock Modes"
WITH modes(place, mode) AS (
    SELECT * FROM unnest('{AccessShareLock,RowShareLock,RowExclusiveLock,ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,AccessExclusiveLock}'::text[]) WITH ORDINALITY u(mode, place)
)
SELECT a.mode, string_agg(CASE WHEN steward.lock_modes_conflict(a.mode, b.mode) THEN 'X' ELSE '.' END, ' ' ORDER BY b.place) AS conflicts
  FROM modes a(mode, place) CROSS JOIN modes b(mode, place)
 GROUP BY a.place, a.mode ORDER BY a.place;

-- names, of relations here, of those that databases share, of those elsewhere
SET search_path = '';
SELECT steward_internal.monitor_relation_name(d.oid, 'public."Order Items"'::pg_catalog.regclass), steward_internal.monitor_relation_name(0, 'pg_catalog.pg_database'::pg_catalog.regclass),
       steward_internal.monitor_relation_name(d.oid, 1), steward_internal.monitor_relation_name(1, 'pg_catalog.pg_class'::pg_catalog.regclass), steward_internal.monitor_relation_name(1, NULL)
  FROM pg_catalog.pg_database d WHERE d.datname = current_database();
RESET search_path;

-- how much is shown of a query; bytes are not characters
SET steward.monitor_query_length = 9;
SELECT steward_internal.monitor_query_text('SELECT ''ÄÖÜ''');
SET steward.monitor_query_length = 0;
SELECT steward_internal.monitor_query_text('SELECT secret') = '' AS hidden;
SET steward.monitor_query_length = -1;
SELECT steward_internal.monitor_query_text('SELECT 1'), steward_internal.monitor_query_text(NULL);
-- nothing needs the library, without which the setting is any text
\c -
SELECT steward_internal.monitor_query_text('SELECT 1');
SET steward.monitor_query_length = '8';
SELECT steward_internal.monitor_query_text('SELECT 1;');
SET steward.monitor_query_length = 'much';
SELECT steward_internal.monitor_query_text('SELECT 1');
SELECT count(*) > 0 AS readable FROM steward.activity;
RESET steward.monitor_query_length;

-- nobody but members of pg_monitor
CREATE ROLE regress_nobody;
SET ROLE regress_nobody;
\set VERBOSITY sqlstate
SELECT count(*) FROM steward.activity;
SELECT steward_internal.monitor_query_text('SELECT 1');
SELECT count(*) FROM steward_internal.progress_rows();
RESET ROLE;
DROP ROLE regress_nobody;
DROP TABLE "Order Items";
