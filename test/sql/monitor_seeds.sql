-- The queries that people copy from guides, as they stand there, beside the views: where they differ, and why.
-- Those that ask for pg_stat_statements and standbys are in 040_monitor.pl, those about blocking in the isolation tests.
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
CREATE ROLE regress_seeds_app;
CREATE ROLE regress_seeds_monitor;
GRANT pg_monitor TO regress_seeds_monitor;
CREATE DATABASE regress_seeds;
\c regress_seeds
SET client_min_messages = warning;
CREATE EXTENSION pg_steward CASCADE;
RESET client_min_messages;

-- How a statement fails, by its SQLSTATE.
CREATE FUNCTION public.failure(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

CREATE TABLE users (id integer PRIMARY KEY, email text UNIQUE, bio text);
ALTER TABLE users ALTER bio SET STORAGE EXTERNAL;
INSERT INTO users SELECT i, 'user' || i || '@example.com', repeat('x', 4000) FROM generate_series(1, 100) i;
COMMENT ON COLUMN users.email IS 'how to reach one';
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema".users (id integer PRIMARY KEY, email text);
COMMENT ON COLUMN "My Schema".users.email IS 'of the archive';
VACUUM ANALYZE;

-- Connections: the server's own processes are none.
BEGIN;
SELECT seed.connections > ours.used AS counts_more, seed.connections - ours.used = others.count AS which_are_the_servers_own
  FROM (SELECT count(*) AS connections FROM pg_stat_activity) seed,
       (SELECT used FROM steward.connections WHERE scope = 'cluster') ours,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type <> 'client backend') others;
SELECT count(*) FILTER (WHERE datname IS NULL) AS rows_without_database
  FROM (SELECT datname, count(*) AS connections FROM pg_stat_activity GROUP BY datname ORDER BY connections DESC) seed;
SELECT count(*) FILTER (WHERE name IS NULL) AS rows_without_database, bool_or(name = current_database() AND used = 1) AS has_this_one
  FROM steward.connections WHERE scope = 'database';
COMMIT;

-- Near the limit: what is kept for superusers is not for clients.
SELECT seed.max > ours.connection_limit AS limit_is_lower
  FROM (SELECT current_setting('max_connections')::int AS max, count(*) AS current FROM pg_stat_activity) seed,
       (SELECT connection_limit FROM steward.connections WHERE scope = 'cluster') ours;

-- Activity: the question itself is no answer.
SELECT count(*) FILTER (WHERE seed.pid = pg_backend_pid()) AS shows_itself
  FROM (SELECT pid, usename, application_name, client_addr, state, query, query_start, state_change
          FROM pg_stat_activity WHERE state != 'idle' ORDER BY query_start) seed;
SELECT count(*) FILTER (WHERE ours.pid = pg_backend_pid()) AS shows_itself, count(*) FILTER (WHERE ours.backend_type = 'checkpointer') AS shows_what_has_no_state
  FROM steward.activity ours;

-- Sizes: what is neither table nor index is TOAST, free space map and visibility map.
SELECT seed.indexes_size > ours.index_bytes AS says_more, seed.indexes_size = ours.index_bytes + ours.toast_bytes + ours.other_bytes AS which_is_no_index,
       ours.index_bytes = pg_indexes_size('public.users') AS ours_is_exact, seed.total_size = ours.total_bytes AS total_is_the_same
  FROM (SELECT schemaname, tablename,
               pg_total_relation_size(schemaname||'.'||tablename) AS total_size,
               pg_relation_size(schemaname||'.'||tablename) AS table_size,
               pg_total_relation_size(schemaname||'.'||tablename) - pg_relation_size(schemaname||'.'||tablename) AS indexes_size
          FROM pg_tables
         WHERE schemaname = 'public') seed
  JOIN steward.table_sizes ours ON ours.schema_name = seed.schemaname AND ours.table_name = seed.tablename;
-- and a name is not enough
SET search_path = "My Schema", public;
SELECT seed.total_size = ours.total_bytes AS of_public, seed.total_size = other.total_bytes AS of_another
  FROM (SELECT pg_total_relation_size('users') AS total_size) seed
 CROSS JOIN (SELECT total_bytes FROM steward.table_sizes WHERE schema_name = 'public' AND table_name = 'users') ours
 CROSS JOIN (SELECT total_bytes FROM steward.table_sizes WHERE schema_name = 'My Schema') other;
SELECT seed.size = other.total_bytes AS of_another
  FROM (SELECT tablename, pg_total_relation_size(tablename::regclass) AS size FROM pg_tables WHERE schemaname = 'public') seed
 CROSS JOIN (SELECT total_bytes FROM steward.table_sizes WHERE schema_name = 'My Schema') other;
RESET search_path;

-- Sizes of databases: the same, until there is one that not everybody may connect to.
SELECT pg_database_size(current_database()) = ours.database_bytes AS the_same FROM steward.database_sizes ours WHERE ours.database_name = current_database();
REVOKE CONNECT ON DATABASE regress_seeds FROM PUBLIC;
SET ROLE regress_seeds_app;
SELECT public.failure('SELECT datname, pg_size_pretty(pg_database_size(datname)) AS size FROM pg_database ORDER BY pg_database_size(datname) DESC');
SET ROLE regress_seeds_monitor;
SELECT count(*) = count(database_bytes) AS all_are_told FROM steward.database_sizes;
RESET ROLE;

-- Commits and rollbacks: the same.
SELECT seed.rollback_ratio IS NOT DISTINCT FROM ours.rollback_percent AS the_same
  FROM (SELECT xact_commit, xact_rollback, round(100.0 * xact_rollback / nullif(xact_commit + xact_rollback, 0), 2) AS rollback_ratio
          FROM pg_stat_database WHERE datname = current_database()) seed,
       (SELECT * FROM steward.database_stats WHERE database_name = current_database()) ours;

-- Cache hits: of one database, not of all.
SELECT seed.blocks > ours.blocks_hit + ours.blocks_read AS of_all_databases
  FROM (SELECT round(100.0 * sum(blks_hit) / nullif(sum(blks_hit + blks_read), 0), 2) AS cache_hit_ratio, sum(blks_hit + blks_read) AS blocks FROM pg_stat_database) seed,
       (SELECT * FROM steward.cache_hit_ratios WHERE scope = 'database' AND name = current_database()) ours;
-- and of tables that nobody has read
CREATE DATABASE regress_seeds_empty;
\c regress_seeds_empty
SELECT sum(heap_blks_hit) / (sum(heap_blks_hit) + sum(heap_blks_read)) AS cache_hit_ratio FROM pg_statio_user_tables;
CREATE TABLE empty ();
SELECT sum(heap_blks_hit) / (sum(heap_blks_hit) + sum(heap_blks_read)) AS cache_hit_ratio FROM pg_statio_user_tables;
SET client_min_messages = warning;
CREATE EXTENSION pg_steward CASCADE;
SELECT hit_percent FROM steward.cache_hit_ratios WHERE scope = 'table' AND name = 'empty';
\c regress_seeds
DROP DATABASE regress_seeds_empty;

-- Locks: what each transaction has on itself is not what others wait for.
BEGIN;
LOCK TABLE users IN EXCLUSIVE MODE;
SELECT seed.count > ours.locks AS counts_more, ours.locks, ours.granted, ours.longest_wait
  FROM (SELECT mode, count(*) AS count FROM pg_locks GROUP BY mode ORDER BY count DESC) seed,
       (SELECT * FROM steward.lock_summary WHERE database_name = current_database() AND lock_type = 'relation') ours
 WHERE seed.mode = 'ExclusiveLock' AND ours.mode = 'ExclusiveLock';
COMMIT;

-- Unused indexes, with the names of its columns put right: some do more than to be scanned.
CREATE TABLE events (id integer NOT NULL, code text NOT NULL, at date);
CREATE UNIQUE INDEX events_code ON events (code);
CREATE UNIQUE INDEX events_id ON events (id);
ALTER TABLE events REPLICA IDENTITY USING INDEX events_id;
CREATE INDEX events_at ON events (at);
SELECT indexrelname FROM pg_stat_user_indexes
 WHERE idx_scan = 0 AND indexrelid NOT IN (SELECT conindid FROM pg_constraint) AND schemaname = 'public' ORDER BY indexrelname;
SELECT index_name FROM steward.unused_indexes WHERE schema_name = 'public' ORDER BY index_name;

-- The data dictionary: a table is not known by its name alone.
SELECT seed.table_schema, seed.column_name, seed.column_comment
  FROM (SELECT c.table_schema, c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, obj.description AS column_comment
          FROM information_schema.columns c
          LEFT JOIN pg_catalog.pg_class cls ON cls.relname = c.table_name
          LEFT JOIN pg_catalog.pg_namespace ns ON ns.oid = cls.relnamespace
          LEFT JOIN pg_catalog.pg_description obj ON obj.objoid = cls.oid AND obj.objsubid = c.ordinal_position
         WHERE c.table_schema NOT IN ('pg_catalog', 'information_schema')) seed
 WHERE seed.table_name = 'users' AND seed.column_name = 'email' ORDER BY seed.table_schema COLLATE "C", seed.column_comment COLLATE "C";
SELECT schema_name, column_name, column_comment FROM steward.data_dictionary
 WHERE table_name = 'users' AND column_name = 'email' ORDER BY schema_name COLLATE "C";

-- Health: that a server answers says little.
SELECT 1;
SELECT count(*) > 20 AS more_is_asked, count(*) = count(DISTINCT check_name) AS once_each, count(status) = count(*) AS all_answered FROM steward.health_check;

-- What does not run at all, on any database: columns that are gone or never were, and maintenance within a transaction.
SELECT f.asks_for, public.failure(f.statement)
  FROM (VALUES (1, 'table statistics', $$SELECT schemaname, tablename, n_live_tup FROM pg_stat_user_tables WHERE tablename = 'users'$$),
               (2, 'tables that need vacuum', $$SELECT tablename FROM pg_stat_user_tables WHERE n_dead_tup > 1000 AND n_dead_tup > n_live_tup * 0.1$$),
               (3, 'index usage', $$SELECT schemaname, tablename, indexname, idx_scan FROM pg_stat_user_indexes$$),
               (4, 'unused indexes', $$SELECT schemaname, tablename, indexname, idx_scan FROM pg_stat_user_indexes WHERE idx_scan = 0$$),
               (5, 'bloated indexes', $$SELECT bs, relpages, otta FROM pg_stat_user_indexes JOIN pg_indexes USING (schemaname, tablename, indexname)$$),
               (6, 'dead rows', $$SELECT schemaname, tablename, n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup > 1000 ORDER BY n_dead_tup DESC$$),
               (7, 'waiting queries', $$SELECT count(*) FROM pg_stat_activity WHERE waiting$$),
               (8, 'maintenance', 'VACUUM users'),
               (9, 'indexes built anew', 'REINDEX INDEX CONCURRENTLY users_pkey')) f(place, asks_for, statement)
 ORDER BY f.place;
-- and with the first table whose name needs quotes
CREATE TABLE "Order Items" (id integer);
CREATE TABLE "MixedCase" (id integer);
SELECT public.failure($$SELECT pg_total_relation_size(schemaname||'.'||tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'MixedCase'$$) AS blank,
       public.failure($$SELECT pg_total_relation_size(schemaname||'.'||tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'Order Items'$$) AS mixed_case,
       public.failure($$SELECT pg_total_relation_size(tablename::regclass) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'MixedCase'$$) AS cast_to_regclass;
SELECT table_name, total_bytes FROM steward.table_sizes WHERE schema_name = 'public' AND table_name ~ '[A-Z]' ORDER BY table_name COLLATE "C";

\c :regression
DROP DATABASE regress_seeds;
DROP ROLE regress_seeds_app, regress_seeds_monitor;
