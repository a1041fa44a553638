-- monitor_activity: sessions, what they do and since when, and which waits for which.

CREATE FUNCTION steward_internal.monitor_query_text(query text) RETURNS text
LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
-- until the library is loaded the setting is whatever text somebody wrote
RETURN CASE WHEN current_setting('steward.monitor_query_length', true) ~ '^[0-9]{1,9}$'
            THEN left(query, current_setting('steward.monitor_query_length')::integer) ELSE query END;
REVOKE ALL ON FUNCTION steward_internal.monitor_query_text(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_query_text(text) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_query_text(text) IS
'Returns a query as far as steward.monitor_query_length lets it be shown.';

CREATE FUNCTION steward_internal.monitor_relation_name(database oid, relation oid) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT format('%I.%I', n.nspname, c.relname)
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE c.oid = relation AND (database = 0 OR database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))),
                relation::text);
REVOKE ALL ON FUNCTION steward_internal.monitor_relation_name(oid, oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_relation_name(oid, oid) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_relation_name(oid, oid) IS
'Returns the name of a relation of this database or of what databases share, the oid of one elsewhere.';

CREATE VIEW steward.activity AS
SELECT a.pid, a.leader_pid, a.datname AS database_name, a.usename AS user_name, a.application_name, a.client_addr AS client_address,
       a.backend_type, a.state, a.wait_event_type, a.wait_event,
       -- asking costs the lock manager's locks
       CASE WHEN a.wait_event_type = 'Lock' THEN pg_blocking_pids(a.pid)
            WHEN a.wait_event = 'SafeSnapshot' THEN pg_safe_snapshot_blocking_pids(a.pid) END AS blocked_by,
       clock_timestamp() - a.backend_start AS connection_age,
       clock_timestamp() - a.xact_start AS transaction_age,
       CASE WHEN a.state IN ('active', 'fastpath function call') THEN clock_timestamp() - a.query_start END AS query_age,
       clock_timestamp() - a.state_change AS state_age,
       age(a.backend_xid) AS xid_age, age(a.backend_xmin) AS xmin_age,
       a.query_id, steward_internal.monitor_query_text(a.query) AS query
  FROM pg_stat_activity a
 WHERE a.pid <> pg_backend_pid();
GRANT SELECT ON steward.activity TO pg_monitor;
COMMENT ON VIEW steward.activity IS
'The server''s processes, but this one: what each is doing and since when.';
COMMENT ON COLUMN steward.activity.pid IS 'Process.';
COMMENT ON COLUMN steward.activity.leader_pid IS 'Of a parallel worker: whose it is; else null.';
COMMENT ON COLUMN steward.activity.database_name IS 'Null for processes that serve all databases.';
COMMENT ON COLUMN steward.activity.user_name IS 'Null for processes of the server.';
COMMENT ON COLUMN steward.activity.application_name IS 'What the client calls itself.';
COMMENT ON COLUMN steward.activity.client_address IS 'Null on a local socket and for processes of the server.';
COMMENT ON COLUMN steward.activity.backend_type IS 'One of client backend, walsender, autovacuum worker, checkpointer, ...';
COMMENT ON COLUMN steward.activity.state IS 'One of active, idle, idle in transaction, ...; disabled where track_activities is off; null for most processes of the server.';
COMMENT ON COLUMN steward.activity.wait_event_type IS 'What kind of thing it waits for, null for none; waits for a buffer''s pin are BufferPin, from 19 on Buffer.';
COMMENT ON COLUMN steward.activity.wait_event IS 'What it waits for.';
COMMENT ON COLUMN steward.activity.blocked_by IS 'The processes it waits for, 0 for a prepared transaction; null unless it waits for a lock or a safe snapshot.';
COMMENT ON COLUMN steward.activity.connection_age IS 'Since it connected or was started.';
COMMENT ON COLUMN steward.activity.transaction_age IS 'Since its transaction began, null without one.';
COMMENT ON COLUMN steward.activity.query_age IS 'Since its query began, null if it runs none.';
COMMENT ON COLUMN steward.activity.state_age IS 'Since its state is what it is.';
COMMENT ON COLUMN steward.activity.xid_age IS 'Transactions that began since its own got an id; null without one.';
COMMENT ON COLUMN steward.activity.xmin_age IS 'Transactions whose row versions VACUUM must keep for it; null for none.';
COMMENT ON COLUMN steward.activity.query_id IS 'See compute_query_id; null without it.';
COMMENT ON COLUMN steward.activity.query IS 'What it runs, or ran last, as far as steward.monitor_query_length lets it be shown.';

CREATE VIEW steward.activity_summary AS
SELECT a.datname AS database_name, a.usename AS user_name, a.backend_type, a.state, count(*) AS sessions,
       count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS waiting_for_lock,
       max(clock_timestamp() - a.xact_start) AS longest_transaction,
       max(clock_timestamp() - a.query_start) FILTER (WHERE a.state IN ('active', 'fastpath function call')) AS longest_query,
       max(clock_timestamp() - a.state_change) AS longest_in_state
  FROM pg_stat_activity a
 WHERE a.pid <> pg_backend_pid()
 GROUP BY a.datname, a.usename, a.backend_type, a.state;
GRANT SELECT ON steward.activity_summary TO pg_monitor;
COMMENT ON VIEW steward.activity_summary IS
'How many processes do what, by database, user, kind and state.';
COMMENT ON COLUMN steward.activity_summary.database_name IS 'Null for processes that serve all databases.';
COMMENT ON COLUMN steward.activity_summary.user_name IS 'Null for processes of the server.';
COMMENT ON COLUMN steward.activity_summary.backend_type IS 'One of client backend, walsender, autovacuum worker, checkpointer, ...';
COMMENT ON COLUMN steward.activity_summary.state IS 'One of active, idle, idle in transaction, ...; null for most processes of the server.';
COMMENT ON COLUMN steward.activity_summary.sessions IS 'How many, without this one.';
COMMENT ON COLUMN steward.activity_summary.waiting_for_lock IS 'How many of them wait for a lock.';
COMMENT ON COLUMN steward.activity_summary.longest_transaction IS 'Since the oldest transaction began, null without one.';
COMMENT ON COLUMN steward.activity_summary.longest_query IS 'Since the oldest query that still runs began, null without one.';
COMMENT ON COLUMN steward.activity_summary.longest_in_state IS 'Since the first of them got into this state.';

CREATE VIEW steward.connections AS
WITH clients AS MATERIALIZED (
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
     -- -2 marks one whose DROP was interrupted
     WHERE d.datallowconn AND d.datconnlimit <> -2 OR c.used > 0
     UNION ALL
    -- superusers have no limit, whatever is written there
    SELECT 'role', r.rolname, c.*, CASE WHEN r.rolsuper THEN -1 ELSE r.rolconnlimit END
      FROM pg_roles r LEFT JOIN clients c ON c.usesysid = r.oid
     WHERE r.rolcanlogin
)
SELECT s.scope, s.name, coalesce(sum(s.used), 0)::bigint AS used, coalesce(sum(s.active), 0)::bigint AS active,
       coalesce(sum(s.idle), 0)::bigint AS idle, coalesce(sum(s.idle_in_transaction), 0)::bigint AS idle_in_transaction,
       CASE WHEN s.connection_limit >= 0 THEN s.connection_limit END AS connection_limit,
       CASE WHEN s.connection_limit > 0 THEN round(100.0 * coalesce(sum(s.used), 0) / s.connection_limit, 1) END AS used_percent
  FROM scopes s
 GROUP BY s.scope, s.name, s.connection_limit;
GRANT SELECT ON steward.connections TO pg_monitor;
COMMENT ON VIEW steward.connections IS
'Clients'' connections, this one too, against the limits of the cluster, of databases and of roles.';
COMMENT ON COLUMN steward.connections.scope IS 'One of cluster, database or role.';
COMMENT ON COLUMN steward.connections.name IS 'Which database or role; null for the cluster.';
COMMENT ON COLUMN steward.connections.used IS 'Connections of clients, without replication, background workers and the server''s own processes.';
COMMENT ON COLUMN steward.connections.active IS 'Of these run a query.';
COMMENT ON COLUMN steward.connections.idle IS 'Of these have nothing to do. What is left has track_activities off.';
COMMENT ON COLUMN steward.connections.idle_in_transaction IS 'Of these hold a transaction open and do nothing in it.';
COMMENT ON COLUMN steward.connections.connection_limit IS 'How many there can be: for the cluster without those that are reserved, for a role or database its own; null for no limit.';
COMMENT ON COLUMN steward.connections.used_percent IS 'Share of the limit, in percent; null without one.';

CREATE VIEW steward.long_transactions AS
SELECT a.pid, NULL::text AS prepared_id, a.datname AS database_name, a.usename AS user_name, a.application_name, a.client_addr AS client_address,
       a.state, clock_timestamp() - a.xact_start AS transaction_age, clock_timestamp() - a.state_change AS state_age,
       age(a.backend_xid) AS xid_age, age(a.backend_xmin) AS xmin_age, steward_internal.monitor_query_text(a.query) AS query
  FROM pg_stat_activity a
 -- replication and vacuum may take as long as they do, and a parallel worker's transaction is its leader's
 WHERE a.backend_type NOT IN ('walsender', 'autovacuum worker', 'parallel worker') AND a.datid IS NOT NULL AND a.pid <> pg_backend_pid()
   -- with track_activities off only these two tell of it
   AND (a.xact_start IS NOT NULL OR a.backend_xid IS NOT NULL OR a.backend_xmin IS NOT NULL)
 UNION ALL
SELECT NULL, p.gid, p.database, p.owner, NULL, NULL, 'prepared', clock_timestamp() - p.prepared, clock_timestamp() - p.prepared,
       age(p.transaction), NULL, NULL
  FROM pg_prepared_xacts p
 ORDER BY transaction_age DESC NULLS LAST;
GRANT SELECT ON steward.long_transactions TO pg_monitor;
COMMENT ON VIEW steward.long_transactions IS
'The transactions that are open, prepared ones too, the longest first; without those of replication and autovacuum.';
COMMENT ON COLUMN steward.long_transactions.pid IS 'Process; null for a prepared transaction.';
COMMENT ON COLUMN steward.long_transactions.prepared_id IS 'What COMMIT PREPARED and ROLLBACK PREPARED want; null for a session.';
COMMENT ON COLUMN steward.long_transactions.database_name IS 'Where it is open.';
COMMENT ON COLUMN steward.long_transactions.user_name IS 'Whose it is.';
COMMENT ON COLUMN steward.long_transactions.application_name IS 'What the client calls itself; null for a prepared transaction.';
COMMENT ON COLUMN steward.long_transactions.client_address IS 'Null on a local socket and for a prepared transaction.';
COMMENT ON COLUMN steward.long_transactions.state IS 'One of active, idle in transaction, ..., or prepared.';
COMMENT ON COLUMN steward.long_transactions.transaction_age IS 'Since it began, or was prepared; null where track_activities is off.';
COMMENT ON COLUMN steward.long_transactions.state_age IS 'Since its state is what it is.';
COMMENT ON COLUMN steward.long_transactions.xid_age IS 'Transactions that began since it got an id; null if it wrote nothing.';
COMMENT ON COLUMN steward.long_transactions.xmin_age IS 'Transactions whose row versions VACUUM must keep for it; null for none.';
COMMENT ON COLUMN steward.long_transactions.query IS 'What it runs, or ran last, as far as steward.monitor_query_length lets it be shown; null for a prepared transaction.';

--
-- Locks
--

CREATE VIEW steward.lock_summary AS
WITH size AS MATERIALIZED (
    -- see LockShmemSize in lock.c and InitializeMaxBackends in postinit.c
    SELECT current_setting('max_locks_per_transaction')::bigint
           * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
              + coalesce(current_setting('autovacuum_worker_slots', true), current_setting('autovacuum_max_workers'))::bigint
              + current_setting('max_worker_processes')::bigint + current_setting('max_wal_senders')::bigint + 1) AS locks
)
SELECT d.datname AS database_name, l.locktype AS lock_type, l.mode, l.granted, count(*) AS locks, count(DISTINCT l.virtualtransaction) AS holders,
       clock_timestamp() - min(l.waitstart) AS longest_wait,
       -- fast-path locks and predicate locks do not stand in the table
       round(100.0 * count(*) FILTER (WHERE NOT l.fastpath AND l.mode <> 'SIReadLock') / s.locks, 2) AS lock_table_percent
  FROM pg_locks l
 CROSS JOIN size s
  LEFT JOIN pg_database d ON d.oid = l.database
 GROUP BY d.datname, l.locktype, l.mode, l.granted, s.locks;
GRANT SELECT ON steward.lock_summary TO pg_monitor;
COMMENT ON VIEW steward.lock_summary IS
'How many locks of which kind are held and waited for.';
COMMENT ON COLUMN steward.lock_summary.database_name IS 'Null for what databases share and for what belongs to none, as transactions do.';
COMMENT ON COLUMN steward.lock_summary.lock_type IS 'One of relation, transactionid, tuple, advisory, ...';
COMMENT ON COLUMN steward.lock_summary.mode IS 'Mode of the lock.';
COMMENT ON COLUMN steward.lock_summary.granted IS 'Whether they are held or waited for.';
COMMENT ON COLUMN steward.lock_summary.locks IS 'How many.';
COMMENT ON COLUMN steward.lock_summary.holders IS 'How many transactions hold them, or wait for them.';
COMMENT ON COLUMN steward.lock_summary.longest_wait IS 'Since the first began to wait, null if they are held.';
COMMENT ON COLUMN steward.lock_summary.lock_table_percent IS
'Their share of what the lock table was made for (max_locks_per_transaction), in percent; too high where several hold a lock together.';

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
REVOKE ALL ON FUNCTION steward.lock_modes_conflict(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.lock_modes_conflict(text, text) TO pg_monitor;
COMMENT ON FUNCTION steward.lock_modes_conflict(text, text) IS
'Returns whether two modes of a lock exclude each other; see "Conflicting Lock Modes" of the PostgreSQL manual.';

CREATE VIEW steward.blocking_queries AS
WITH RECURSIVE locks AS MATERIALIZED (
    SELECT l.*, concat_ws(' ', l.locktype, l.database, l.relation, l.page, l.tuple, l.virtualxid, l.transactionid, l.classid, l.objid, l.objsubid) AS tag
      FROM pg_locks l
     -- nobody waits for predicate locks
     WHERE l.mode <> 'SIReadLock'
), sessions AS MATERIALIZED (
    SELECT a.*, CASE WHEN a.backend_type = 'parallel worker' THEN a.leader_pid ELSE a.pid END AS session FROM pg_stat_activity a
), prepared AS MATERIALIZED (
    -- what holds the lock on its id holds its other locks; it goes by a negative number here
    SELECT p.*, l.virtualtransaction, -row_number() OVER (ORDER BY p.gid COLLATE "C")::integer AS session
      FROM pg_prepared_xacts p
      JOIN locks l ON l.locktype = 'transactionid' AND l.transactionid = p.transaction AND l.pid IS NULL AND l.granted
), waits AS MATERIALIZED (
    (SELECT DISTINCT ON (a.session) a.session, a.backend_type, w.tag, w.mode, w.locktype, w.waitstart, pg_blocking_pids(w.pid) AS blockers,
            -- who waits for a row's last writer has announced itself at the row
            coalesce(w.database, r.database) AS database, coalesce(w.relation, r.relation) AS relation
       FROM locks w
       JOIN sessions a ON a.pid = w.pid
       LEFT JOIN locks r ON w.locktype = 'transactionid' AND r.pid = w.pid AND r.locktype = 'tuple' AND r.granted
      WHERE NOT w.granted
      ORDER BY a.session, w.waitstart)
     UNION ALL
    SELECT a.session, a.backend_type, NULL, NULL, 'safe snapshot', a.query_start, pg_safe_snapshot_blocking_pids(a.pid), NULL, NULL
      FROM sessions a
     WHERE a.wait_event = 'SafeSnapshot'
), edges AS MATERIALIZED (
    SELECT w.session AS waiter, b.pid AS blocker
      FROM waits w CROSS JOIN LATERAL unnest(w.blockers) b(pid)
     WHERE b.pid <> 0
     UNION
    -- pg_blocking_pids() says 0 for a prepared transaction, and nothing for what replays WAL on a standby
    SELECT w.session, coalesce(p.session, h.pid)
      FROM waits w
      JOIN locks h ON h.tag = w.tag AND h.granted AND steward.lock_modes_conflict(w.mode, h.mode)
      LEFT JOIN prepared p ON h.pid IS NULL AND p.virtualtransaction = h.virtualtransaction
     WHERE CASE WHEN w.backend_type = 'startup' THEN h.pid IS NOT NULL ELSE 0 = ANY (w.blockers) AND p.session IS NOT NULL END
), before AS (
    -- Each waits for nearly all that the one before it in the queue waits for: no need to go there
    -- twice.  Only one who waits for longer, so that no circle is left without a way out.
    SELECT DISTINCT ON (e.waiter) e.waiter, e.blocker
      FROM edges e
      JOIN waits w ON w.session = e.waiter
      JOIN waits b ON b.session = e.blocker AND b.waitstart < w.waitstart
     ORDER BY e.waiter, b.waitstart DESC
), steps AS MATERIALIZED (
    SELECT e.waiter, e.blocker FROM edges e
    EXCEPT
    SELECT b.waiter, e.blocker FROM before b JOIN edges e ON e.waiter = b.blocker
), chains AS (
    SELECT s.waiter, s.blocker FROM steps s
     UNION
    SELECT c.waiter, s.blocker FROM chains c JOIN steps s ON s.waiter = c.blocker
), names AS (
    SELECT e.blocker AS session, coalesce(p.gid, e.blocker::text) AS name
      FROM (SELECT DISTINCT e.blocker FROM edges e) e LEFT JOIN prepared p ON p.session = e.blocker
), blockers AS (
    SELECT e.waiter, array_agg(n.name ORDER BY n.name COLLATE "C") AS blocked_by
      FROM edges e JOIN names n ON n.session = e.blocker GROUP BY e.waiter
), roots AS (
    SELECT c.waiter, array_agg(n.name ORDER BY n.name COLLATE "C") AS roots
      FROM chains c JOIN names n ON n.session = c.blocker
     WHERE NOT EXISTS (SELECT FROM waits w WHERE w.session = c.blocker)
     GROUP BY c.waiter
), victims AS (
    SELECT c.blocker, count(*) AS victims, sum(clock_timestamp() - w.waitstart) AS victims_waited
      FROM chains c JOIN waits w ON w.session = c.waiter
     WHERE c.waiter <> c.blocker
     GROUP BY c.blocker
)
SELECT CASE WHEN m.session > 0 THEN m.session END AS pid, p.gid AS prepared_id,
       coalesce(b.blocked_by, '{}') AS blocked_by, coalesce(r.roots, '{}') AS roots,
       coalesce(v.victims, 0) AS victims, v.victims_waited,
       clock_timestamp() - w.waitstart AS waited, w.mode AS wanted_mode, w.locktype AS lock_type,
       steward_internal.monitor_relation_name(w.database, w.relation) AS relation,
       coalesce(a.datname, p.database) AS database_name, coalesce(a.usename, p.owner) AS user_name, a.application_name, a.client_addr AS client_address,
       CASE WHEN m.session > 0 THEN a.state ELSE 'prepared' END AS state,
       clock_timestamp() - coalesce(a.xact_start, p.prepared) AS transaction_age, steward_internal.monitor_query_text(a.query) AS query,
       CASE WHEN w.session IS NOT NULL THEN NULL
            WHEN m.session < 0 THEN format('ROLLBACK PREPARED %L;', p.gid)
            WHEN a.backend_type <> 'startup' THEN format('SELECT pg_terminate_backend(%s);', m.session) END AS remedy
  FROM (SELECT e.blocker AS session FROM edges e UNION SELECT w.session FROM waits w) m
  LEFT JOIN waits w ON w.session = m.session
  LEFT JOIN sessions a ON a.pid = m.session
  LEFT JOIN prepared p ON p.session = m.session
  LEFT JOIN blockers b ON b.waiter = m.session
  LEFT JOIN roots r ON r.waiter = m.session
  LEFT JOIN victims v ON v.blocker = m.session
 ORDER BY victims DESC, pid, p.gid COLLATE "C";
GRANT SELECT ON steward.blocking_queries TO pg_monitor;
COMMENT ON VIEW steward.blocking_queries IS
'The sessions and prepared transactions that wait for locks or keep others waiting; roots are those at the end of the chain.';
COMMENT ON COLUMN steward.blocking_queries.pid IS 'Process, of a parallel query the leader; null for a prepared transaction.';
COMMENT ON COLUMN steward.blocking_queries.prepared_id IS 'What COMMIT PREPARED and ROLLBACK PREPARED want; null for a session.';
COMMENT ON COLUMN steward.blocking_queries.blocked_by IS 'What it waits for: pids and prepared_ids; empty if for nothing.';
COMMENT ON COLUMN steward.blocking_queries.roots IS 'Who is at the end of all this waiting and waits for nobody: pids and prepared_ids.';
COMMENT ON COLUMN steward.blocking_queries.victims IS 'How many sessions wait for it, directly or behind others.';
COMMENT ON COLUMN steward.blocking_queries.victims_waited IS 'How long these have waited, all together; null for none.';
COMMENT ON COLUMN steward.blocking_queries.waited IS 'How long it has waited itself, null if it does not.';
COMMENT ON COLUMN steward.blocking_queries.wanted_mode IS 'Mode of the lock it waits for; null for none.';
COMMENT ON COLUMN steward.blocking_queries.lock_type IS 'One of relation, transactionid, tuple, advisory, ..., or safe snapshot (of SERIALIZABLE READ ONLY DEFERRABLE); null if it waits for none.';
COMMENT ON COLUMN steward.blocking_queries.relation IS 'Of which relation the lock or the row is, the oid if it is another database''s; null where that cannot be told.';
COMMENT ON COLUMN steward.blocking_queries.database_name IS 'Where it is connected or was prepared.';
COMMENT ON COLUMN steward.blocking_queries.user_name IS 'Whose it is.';
COMMENT ON COLUMN steward.blocking_queries.application_name IS 'What the client calls itself; null for a prepared transaction.';
COMMENT ON COLUMN steward.blocking_queries.client_address IS 'Null on a local socket and for a prepared transaction.';
COMMENT ON COLUMN steward.blocking_queries.state IS 'One of active, idle in transaction, ..., or prepared.';
COMMENT ON COLUMN steward.blocking_queries.transaction_age IS 'Since its transaction began, or was prepared.';
COMMENT ON COLUMN steward.blocking_queries.query IS 'What it runs, or ran last, as far as steward.monitor_query_length lets it be shown.';
COMMENT ON COLUMN steward.blocking_queries.remedy IS 'What ends a root; null for who waits. Look at it before you run it.';

--
-- Commands that tell how far they are
--

-- The views of progress come, go and change with the server's majors.
CREATE FUNCTION steward_internal.progress_rows(OUT command text, OUT pid integer, OUT report jsonb) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    source name;
BEGIN
    FOR source IN SELECT c.relname FROM pg_class c
                   WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'v' AND c.relname LIKE 'pg\_stat\_progress\_%'
                     -- from 19 on this is another shape of REPACK's
                     AND (c.relname <> 'pg_stat_progress_cluster' OR to_regclass('pg_catalog.pg_stat_progress_repack') IS NULL)
                   ORDER BY c.relname
    LOOP
        RETURN QUERY EXECUTE format('SELECT %L, p.pid, to_jsonb(p) FROM pg_catalog.%I p', upper(replace(substr(source, 18), '_', ' ') COLLATE "C"), source);
    END LOOP;
END $$;
REVOKE ALL ON FUNCTION steward_internal.progress_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.progress_rows() TO pg_monitor;
COMMENT ON FUNCTION steward_internal.progress_rows() IS
'Returns the rows of all pg_stat_progress_... views of this server.';

CREATE VIEW steward.progress AS
SELECT p.pid, coalesce(p.report ->> 'command', p.command) AS command, p.report ->> 'datname' AS database_name,
       steward_internal.monitor_relation_name((p.report ->> 'datid')::oid, nullif((p.report ->> 'relid')::oid, 0)) AS relation,
       p.report ->> 'phase' AS phase, t.done, t.total, t.unit, round(100.0 * t.done / t.total, 1) AS done_percent,
       clock_timestamp() - coalesce(a.query_start, a.backend_start) AS elapsed, steward_internal.monitor_query_text(a.query) AS query, p.report
  FROM steward_internal.progress_rows() p
  LEFT JOIN pg_stat_activity a ON a.pid = p.pid
  LEFT JOIN LATERAL (
       -- the first that counts anything in this phase
       SELECT (p.report ->> k.done)::bigint AS done, (p.report ->> k.total)::bigint AS total, k.unit
         FROM (VALUES (1, '%', 'lockers_done', 'lockers_total', 'lockers'),
                      (2, '%', 'blocks_done', 'blocks_total', 'blocks'),
                      (3, '%', 'tuples_done', 'tuples_total', 'rows'),
                      (4, '%scanning heap', 'heap_blks_scanned', 'heap_blks_total', 'blocks'),
                      (5, 'vacuuming heap', 'heap_blks_vacuumed', 'heap_blks_total', 'blocks'),
                      (6, '%indexes', 'indexes_processed', 'indexes_total', 'indexes'),
                      (7, 'acquiring%', 'sample_blks_scanned', 'sample_blks_total', 'blocks'),
                      (8, '%', 'bytes_processed', 'bytes_total', 'bytes'),
                      (9, '%', 'backup_streamed', 'backup_total', 'bytes'),
                      (10, '%', 'tuples_processed', NULL, 'rows'),
                      (11, '%', 'backup_streamed', NULL, 'bytes')) k(place, phase, done, total, unit)
        WHERE coalesce(p.report ->> 'phase', '') LIKE k.phase
          AND CASE WHEN k.total IS NULL THEN p.report ->> k.done IS NOT NULL ELSE (p.report ->> k.total)::bigint > 0 END
        ORDER BY k.place LIMIT 1) t ON true
 UNION ALL
SELECT o.pid, upper(o.operation COLLATE "C"), current_database(), o.relation, NULL, o.rows_seen, o.rows_estimated, 'rows',
       round(100.0 * o.rows_seen / nullif(o.rows_estimated, 0), 1), clock_timestamp() - o.started_at,
       (SELECT steward_internal.monitor_query_text(a.query) FROM pg_stat_activity a WHERE a.pid = o.pid), to_jsonb(o)
  FROM steward.operations o
 WHERE o.state = 'running';
GRANT SELECT ON steward.progress TO pg_monitor;
COMMENT ON VIEW steward.progress IS
'How far VACUUM, ANALYZE, CREATE INDEX, CLUSTER, COPY, base backups and whatever else reports it have got, steward.operations included.';
COMMENT ON COLUMN steward.progress.pid IS 'Process.';
COMMENT ON COLUMN steward.progress.command IS 'VACUUM, ANALYZE, CREATE INDEX CONCURRENTLY, COPY FROM, BASEBACKUP, ...';
COMMENT ON COLUMN steward.progress.database_name IS 'Where it runs; null for a base backup.';
COMMENT ON COLUMN steward.progress.relation IS 'On which table, its oid if it is another database''s; null for none.';
COMMENT ON COLUMN steward.progress.phase IS 'What it is at; null where the command has no phases.';
COMMENT ON COLUMN steward.progress.done IS 'How much of this phase is done, in the unit; null if it does not say.';
COMMENT ON COLUMN steward.progress.total IS 'How much there is to do in this phase, in the unit; null if it does not say.';
COMMENT ON COLUMN steward.progress.unit IS 'One of blocks, rows, bytes, indexes, or lockers (transactions to wait for).';
COMMENT ON COLUMN steward.progress.done_percent IS 'How much of this phase is done, in percent; null if it does not say.';
COMMENT ON COLUMN steward.progress.elapsed IS 'Since the command began.';
COMMENT ON COLUMN steward.progress.query IS 'The command as far as steward.monitor_query_length lets it be shown.';
COMMENT ON COLUMN steward.progress.report IS 'The row of the pg_stat_progress_... view, as this server has it, or of steward.operations.';
