-- monitor_activity: who does what, since when, and who waits for whom.

CREATE FUNCTION steward.monitor_query_text(query text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN nullif(current_setting('steward.monitor_query_length', true), '')::integer >= 0
            THEN left(query, current_setting('steward.monitor_query_length')::integer) ELSE query END;
COMMENT ON FUNCTION steward.monitor_query_text(text) IS
'A query as far as steward.monitor_query_length lets it be shown.';

CREATE VIEW steward.activity AS
SELECT a.pid, a.leader_pid, a.datname AS database_name, a.usename AS user_name, a.application_name, a.client_addr AS client_address,
       a.backend_type, a.state, a.wait_event_type, a.wait_event,
       -- asking costs the lock manager's locks
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid) END AS blocked_by,
       clock_timestamp() - a.backend_start AS connection_age,
       clock_timestamp() - a.xact_start AS transaction_age,
       CASE WHEN a.state IN ('active', 'fastpath function call') THEN clock_timestamp() - a.query_start END AS query_age,
       clock_timestamp() - a.state_change AS state_age,
       age(a.backend_xid) AS xid_age, age(a.backend_xmin) AS xmin_age,
       a.query_id, steward.monitor_query_text(a.query) AS query
  FROM pg_stat_activity a
 WHERE a.pid <> pg_backend_pid();
COMMENT ON VIEW steward.activity IS
'The server''s processes, but this one: what each is doing and since when.';
GRANT SELECT ON steward.activity TO pg_monitor;

CREATE VIEW steward.activity_summary AS
SELECT a.database_name, a.user_name, a.backend_type, a.state, count(*) AS sessions,
       count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS waiting_for_lock,
       max(a.transaction_age) AS longest_transaction, max(a.query_age) AS longest_query, max(a.state_age) AS longest_in_state
  FROM steward.activity a
 GROUP BY a.database_name, a.user_name, a.backend_type, a.state;
COMMENT ON VIEW steward.activity_summary IS
'How many processes do what, by database, user, kind and state.';
GRANT SELECT ON steward.activity_summary TO pg_monitor;

CREATE VIEW steward.connections AS
WITH clients AS (
    SELECT a.datid, a.usesysid, count(*) AS used, count(*) FILTER (WHERE a.state IN ('active', 'fastpath function call')) AS active,
           count(*) FILTER (WHERE a.state = 'idle') AS idle, count(*) FILTER (WHERE a.state LIKE 'idle in transaction%') AS idle_in_transaction
      FROM pg_stat_activity a
     WHERE a.backend_type = 'client backend'
     GROUP BY a.datid, a.usesysid
), scopes AS (
    SELECT 'cluster' AS scope, NULL::name AS name, c.*,
           -- some are kept for superusers and, from 16 on, for pg_use_reserved_connections
           current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
           - coalesce(current_setting('reserved_connections', true)::integer, 0) AS connection_limit
      FROM (SELECT 1) one LEFT JOIN clients c ON true
     UNION ALL
    SELECT 'database', d.datname, c.*, d.datconnlimit
      FROM pg_database d LEFT JOIN clients c ON c.datid = d.oid
     WHERE d.datallowconn
     UNION ALL
    SELECT 'role', r.rolname, c.*, r.rolconnlimit
      FROM pg_roles r LEFT JOIN clients c ON c.usesysid = r.oid
     WHERE r.rolcanlogin
)
SELECT s.scope, s.name, coalesce(sum(s.used), 0)::bigint AS used, coalesce(sum(s.active), 0)::bigint AS active,
       coalesce(sum(s.idle), 0)::bigint AS idle, coalesce(sum(s.idle_in_transaction), 0)::bigint AS idle_in_transaction,
       CASE WHEN s.connection_limit >= 0 THEN s.connection_limit END AS connection_limit,
       CASE WHEN s.connection_limit > 0 THEN round(100.0 * coalesce(sum(s.used), 0) / s.connection_limit, 1) END AS used_percent
  FROM scopes s
 GROUP BY s.scope, s.name, s.connection_limit;
COMMENT ON VIEW steward.connections IS
'Clients'' connections against the limits of the cluster, of databases and of roles.';
GRANT SELECT ON steward.connections TO pg_monitor;

CREATE VIEW steward.long_transactions AS
SELECT a.pid, NULL::text AS prepared_id, a.datname AS database_name, a.usename AS user_name, a.application_name, a.client_addr AS client_address,
       a.state, clock_timestamp() - a.xact_start AS transaction_age, clock_timestamp() - a.state_change AS state_age,
       age(a.backend_xid) AS xid_age, age(a.backend_xmin) AS xmin_age, steward.monitor_query_text(a.query) AS query
  FROM pg_stat_activity a
 -- replication and vacuum may take as long as they do
 WHERE a.backend_type IN ('client backend', 'background worker') AND a.xact_start IS NOT NULL AND a.pid <> pg_backend_pid()
 UNION ALL
SELECT NULL, p.gid, p.database, p.owner, NULL, NULL, 'prepared', clock_timestamp() - p.prepared, clock_timestamp() - p.prepared,
       age(p.transaction), NULL, NULL
  FROM pg_prepared_xacts p
 ORDER BY transaction_age DESC;
COMMENT ON VIEW steward.long_transactions IS
'The transactions that are open, prepared ones too, the longest first.';
GRANT SELECT ON steward.long_transactions TO pg_monitor;

--
-- Locks
--

CREATE VIEW steward.lock_summary AS
SELECT d.datname AS database_name, l.locktype AS lock_type, l.mode, l.granted, count(*) AS locks, count(DISTINCT l.virtualtransaction) AS holders,
       clock_timestamp() - min(l.waitstart) AS longest_wait,
       -- fast-path locks do not stand in the table
       round(100.0 * count(*) FILTER (WHERE NOT l.fastpath)
             / (current_setting('max_locks_per_transaction')::bigint
                * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint)), 2) AS lock_table_percent
  FROM pg_locks l
  LEFT JOIN pg_database d ON d.oid = l.database
 GROUP BY d.datname, l.locktype, l.mode, l.granted;
COMMENT ON VIEW steward.lock_summary IS
'How many locks of which kind are held and waited for.';
GRANT SELECT ON steward.lock_summary TO pg_monitor;

CREATE FUNCTION steward.lock_modes_conflict(a text, b text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE a
    WHEN 'AccessShareLock' THEN b = 'AccessExclusiveLock'
    WHEN 'RowShareLock' THEN b IN ('ExclusiveLock', 'AccessExclusiveLock')
    WHEN 'RowExclusiveLock' THEN b IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
    WHEN 'ShareUpdateExclusiveLock' THEN b NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
    WHEN 'ShareLock' THEN b NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock')
    WHEN 'ShareRowExclusiveLock' THEN b NOT IN ('AccessShareLock', 'RowShareLock')
    WHEN 'ExclusiveLock' THEN b <> 'AccessShareLock'
    ELSE true END;
COMMENT ON FUNCTION steward.lock_modes_conflict(text, text) IS
'Whether two modes of pg_locks exclude each other; see "Conflicting Lock Modes" of the PostgreSQL manual.';

CREATE VIEW steward.blocking_queries AS
WITH RECURSIVE locks AS MATERIALIZED (
    SELECT l.*, concat_ws(' ', l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid) AS tag
      FROM pg_locks l
), waits AS MATERIALIZED (
    SELECT w.pid, w.tag, w.mode, w.locktype, w.database, w.relation, w.waitstart, pg_blocking_pids(w.pid) || pg_safe_snapshot_blocking_pids(w.pid) AS blockers
      FROM locks w
     WHERE NOT w.granted
), edges AS MATERIALIZED (
    -- pg_blocking_pids() says 0 for a prepared transaction
    SELECT DISTINCT w.pid AS waiter, CASE WHEN b.pid <> 0 THEN b.pid::text ELSE p.gid END AS blocker, b.pid <> 0 AS is_session
      FROM waits w
     CROSS JOIN LATERAL unnest(w.blockers) b(pid)
      LEFT JOIN locks h ON b.pid = 0 AND h.tag = w.tag AND h.granted AND h.pid IS NULL AND steward.lock_modes_conflict(w.mode, h.mode)
      LEFT JOIN pg_prepared_xacts p ON h.virtualtransaction = '-1/' || p.transaction
     WHERE b.pid <> 0 OR p.gid IS NOT NULL
), chains AS (
    SELECT e.waiter, e.blocker, e.is_session FROM edges e
     UNION
    SELECT c.waiter, e.blocker, e.is_session FROM chains c JOIN edges e ON c.is_session AND e.waiter::text = c.blocker
), members AS (
    SELECT e.blocker AS id, e.is_session FROM edges e
     UNION
    SELECT w.pid::text, true FROM waits w
)
SELECT CASE WHEN m.is_session THEN m.id::integer END AS pid, CASE WHEN NOT m.is_session THEN m.id END AS prepared_id,
       ARRAY(SELECT e.blocker FROM edges e WHERE m.is_session AND e.waiter::text = m.id ORDER BY 1) AS blocked_by,
       -- who waits for nobody
       ARRAY(SELECT DISTINCT c.blocker FROM chains c
              WHERE m.is_session AND c.waiter::text = m.id AND NOT (c.is_session AND c.blocker IN (SELECT w.pid::text FROM waits w)) ORDER BY 1) AS roots,
       (SELECT count(DISTINCT c.waiter) FROM chains c WHERE c.blocker = m.id AND c.is_session = m.is_session AND c.waiter::text <> m.id) AS victims,
       (SELECT sum(clock_timestamp() - w.waitstart) FROM (
            SELECT DISTINCT v.pid, v.waitstart FROM chains c JOIN waits v ON v.pid = c.waiter
             WHERE c.blocker = m.id AND c.is_session = m.is_session AND c.waiter::text <> m.id) w) AS victims_waited,
       clock_timestamp() - w.waitstart AS waited, w.mode AS wanted_mode, w.locktype AS lock_type,
       CASE WHEN w.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) THEN w.relation::regclass::text ELSE w.relation::text END AS relation,
       coalesce(a.datname, p.database) AS database_name, coalesce(a.usename, p.owner) AS user_name, a.application_name, a.client_addr AS client_address,
       CASE WHEN m.is_session THEN a.state ELSE 'prepared' END AS state,
       clock_timestamp() - coalesce(a.xact_start, p.prepared) AS transaction_age, steward.monitor_query_text(a.query) AS query,
       -- only of who keeps others waiting and waits for nobody
       CASE WHEN w.pid IS NULL THEN
            CASE WHEN m.is_session THEN format('SELECT pg_terminate_backend(%s);', m.id) ELSE format('ROLLBACK PREPARED %L;', m.id) END END AS remedy
  FROM members m
  LEFT JOIN waits w ON m.is_session AND w.pid::text = m.id
  LEFT JOIN pg_stat_activity a ON m.is_session AND a.pid::text = m.id
  LEFT JOIN pg_prepared_xacts p ON NOT m.is_session AND p.gid = m.id
 ORDER BY victims DESC, pid, prepared_id;
COMMENT ON VIEW steward.blocking_queries IS
'The sessions and prepared transactions that wait for locks or keep others waiting; roots are those at the end of the chain.';
GRANT SELECT ON steward.blocking_queries TO pg_monitor;

--
-- Commands that tell how far they are
--

-- The views of progress come, go and change with the server's majors.
CREATE FUNCTION steward.progress_rows(OUT command text, OUT pid integer, OUT report jsonb) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source name;
BEGIN
    FOR source IN SELECT c.relname FROM pg_class c
                   WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'pg\_stat\_progress\_%' ORDER BY c.relname
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L, p.pid, to_jsonb(p) FROM pg_catalog.%I p', upper(replace(substr(source, 18), '_', ' ')), source);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward.progress_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.progress_rows() TO pg_monitor;
COMMENT ON FUNCTION steward.progress_rows() IS
'The rows of all pg_stat_progress_... views of this server.';

CREATE VIEW steward.progress AS
SELECT p.pid, p.command, p.report ->> 'datname' AS database_name,
       CASE WHEN p.report ->> 'datname' = current_database() THEN (p.report ->> 'relid')::oid::regclass::text ELSE p.report ->> 'relid' END AS relation,
       p.report ->> 'phase' AS phase, t.done, t.total, t.unit, round(100.0 * t.done / nullif(t.total, 0), 1) AS done_percent,
       clock_timestamp() - coalesce(a.query_start, a.backend_start) AS elapsed, steward.monitor_query_text(a.query) AS query, p.report
  FROM steward.progress_rows() p
  LEFT JOIN pg_stat_activity a ON a.pid = p.pid
  LEFT JOIN LATERAL (
       -- the first pair that counts anything in this phase
       SELECT (p.report ->> k.done)::bigint AS done, (p.report ->> k.total)::bigint AS total, k.unit
         FROM (VALUES (1, 'blocks_done', 'blocks_total', 'blocks'), (2, 'tuples_done', 'tuples_total', 'tuples'),
                      (3, 'heap_blks_scanned', 'heap_blks_total', 'blocks'), (4, 'sample_blks_scanned', 'sample_blks_total', 'blocks'),
                      (5, 'bytes_processed', 'bytes_total', 'bytes'), (6, 'backup_streamed', 'backup_total', 'bytes')) k(place, done, total, unit)
        WHERE (p.report ->> k.total)::bigint > 0
        ORDER BY k.place LIMIT 1) t ON true;
COMMENT ON VIEW steward.progress IS
'How far VACUUM, ANALYZE, CREATE INDEX, CLUSTER, COPY, base backups and whatever else reports it have got.';
GRANT SELECT ON steward.progress TO pg_monitor;
