-- monitor_tables: databases, tables, their columns and sequences.

--
-- What the other views build on
--

CREATE VIEW steward_internal.monitor_user_tables AS
SELECT c.oid AS relation, n.nspname AS schema_name, c.relname AS table_name, format('%I.%I', n.nspname, c.relname) AS qualified_name,
       c.relkind, c.relispartition, nullif(c.reltuples, -1)::bigint AS estimated_rows
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'steward', 'steward_internal')
   AND NOT EXISTS (SELECT FROM steward_internal.extension_members e WHERE e.class_id = 'pg_class'::regclass AND e.object_id = c.oid);
COMMENT ON VIEW steward_internal.monitor_user_tables IS
'Tables and materialized views that are neither temporary nor the system''s, an extension''s or pg_steward''s: those whose faults are their owner''s.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.relation IS 'The table''s oid.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.schema_name IS 'Its schema.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.table_name IS 'Its name.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.qualified_name IS 'Both, quoted for a command.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.relkind IS 'R table, p partitioned table, m materialized view.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.relispartition IS 'Whether it is a partition.';
COMMENT ON COLUMN steward_internal.monitor_user_tables.estimated_rows IS 'Rows when VACUUM or ANALYZE last looked; null if none did.';

CREATE VIEW steward_internal.monitor_partition_tree AS
WITH RECURSIVE tree AS (
    SELECT p.partrelid AS root, p.partrelid AS relation, 0 AS level, p.partdefid AS default_id, false AS in_default, false AS detach_pending
      FROM pg_partitioned_table p
      JOIN pg_class c ON c.oid = p.partrelid AND NOT c.relispartition
     UNION ALL
    SELECT t.root, i.inhrelid, t.level + 1, p.partdefid, t.in_default OR i.inhrelid = t.default_id IS TRUE, i.inhdetachpending
      FROM tree t
      JOIN pg_inherits i ON i.inhparent = t.relation
      LEFT JOIN pg_partitioned_table p ON p.partrelid = i.inhrelid
)
SELECT t.root, t.relation, t.level, t.default_id, t.in_default, t.detach_pending FROM tree t;
COMMENT ON VIEW steward_internal.monitor_partition_tree IS
'Partitioned tables that are no partitions themselves, with all that is below each.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.root IS 'The partitioned table''s oid.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.relation IS 'The oid of itself or of a partition on any level.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.level IS '0 for the table itself.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.default_id IS 'The oid of its default partition, 0 if it has none; null if it is not partitioned.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.in_default IS 'Whether it is, or is below, a default partition.';
COMMENT ON COLUMN steward_internal.monitor_partition_tree.detach_pending IS 'Whether DETACH PARTITION CONCURRENTLY did not end.';

--
-- Databases
--

CREATE VIEW steward.database_stats AS
SELECT s.datname AS database_name, CASE WHEN s.datid <> 0 THEN s.numbackends END AS connections, s.xact_commit AS commits, s.xact_rollback AS rollbacks,
       round(100.0 * s.xact_rollback / nullif(s.xact_commit + s.xact_rollback, 0), 2) AS rollback_percent,
       s.blks_read AS blocks_read, s.blks_hit AS blocks_hit,
       s.tup_returned AS rows_read, s.tup_fetched AS rows_fetched, s.tup_inserted AS rows_inserted, s.tup_updated AS rows_updated, s.tup_deleted AS rows_deleted,
       s.conflicts, s.deadlocks, s.temp_files, s.temp_bytes,
       s.checksum_failures, s.checksum_last_failure,
       -- nobody looks at the clock while track_io_timing is off
       CASE WHEN s.blk_read_time > 0 OR current_setting('track_io_timing')::boolean THEN s.blk_read_time / 1000 END AS read_seconds,
       CASE WHEN s.blk_write_time > 0 OR current_setting('track_io_timing')::boolean THEN s.blk_write_time / 1000 END AS write_seconds,
       s.session_time / 1000 AS session_seconds, s.active_time / 1000 AS active_seconds, s.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,
       s.sessions, s.sessions_abandoned, s.sessions_fatal, s.sessions_killed, s.stats_reset AS counted_since
  FROM pg_stat_database s;
COMMENT ON VIEW steward.database_stats IS
'What each database has done since its counters were reset; the row without a name is for what databases share.';
COMMENT ON COLUMN steward.database_stats.database_name IS 'The database; null for what all share, such as pg_database.';
COMMENT ON COLUMN steward.database_stats.connections IS 'Processes connected to it now, those of autovacuum and other servers'' walsenders among them; null for what all share.';
COMMENT ON COLUMN steward.database_stats.commits IS 'Transactions that committed.';
COMMENT ON COLUMN steward.database_stats.rollbacks IS 'Transactions that rolled back.';
COMMENT ON COLUMN steward.database_stats.rollback_percent IS 'Rollbacks in percent of both; null if there were none.';
COMMENT ON COLUMN steward.database_stats.blocks_read IS 'Blocks that were not in shared buffers; the system''s cache may have had them.';
COMMENT ON COLUMN steward.database_stats.blocks_hit IS 'Blocks that were.';
COMMENT ON COLUMN steward.database_stats.rows_read IS 'Live rows read by sequential scans and index entries returned by index scans.';
COMMENT ON COLUMN steward.database_stats.rows_fetched IS 'Live rows fetched by index scans.';
COMMENT ON COLUMN steward.database_stats.rows_inserted IS 'Rows inserted.';
COMMENT ON COLUMN steward.database_stats.rows_updated IS 'Rows updated.';
COMMENT ON COLUMN steward.database_stats.rows_deleted IS 'Rows deleted.';
COMMENT ON COLUMN steward.database_stats.conflicts IS 'Queries cancelled for conflicts with recovery; on a standby only.';
COMMENT ON COLUMN steward.database_stats.deadlocks IS 'Deadlocks found.';
COMMENT ON COLUMN steward.database_stats.temp_files IS 'Temporary files that queries wrote.';
COMMENT ON COLUMN steward.database_stats.temp_bytes IS 'Bytes in them.';
COMMENT ON COLUMN steward.database_stats.checksum_failures IS 'Pages whose checksum was wrong; null without checksums.';
COMMENT ON COLUMN steward.database_stats.checksum_last_failure IS 'When the last one was read; null if none was.';
COMMENT ON COLUMN steward.database_stats.read_seconds IS 'Seconds spent reading blocks; null unless track_io_timing is or was on.';
COMMENT ON COLUMN steward.database_stats.write_seconds IS 'Seconds that backends spent writing blocks; null unless track_io_timing is or was on.';
COMMENT ON COLUMN steward.database_stats.session_seconds IS 'Seconds of all sessions together, counted when their state changes.';
COMMENT ON COLUMN steward.database_stats.active_seconds IS 'Those in which they ran statements.';
COMMENT ON COLUMN steward.database_stats.idle_in_transaction_seconds IS 'Those in which they idled in a transaction.';
COMMENT ON COLUMN steward.database_stats.sessions IS 'Sessions begun.';
COMMENT ON COLUMN steward.database_stats.sessions_abandoned IS 'Sessions whose client was lost.';
COMMENT ON COLUMN steward.database_stats.sessions_fatal IS 'Sessions ended by a fatal error.';
COMMENT ON COLUMN steward.database_stats.sessions_killed IS 'Sessions ended by an operator.';
COMMENT ON COLUMN steward.database_stats.counted_since IS 'When the counters were reset; null if never.';
GRANT SELECT ON steward.database_stats TO pg_monitor;

CREATE VIEW steward.database_sizes AS
SELECT d.datname AS database_name, pg_get_userbyid(d.datdba) AS owner_name, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collation,
       d.datistemplate AS is_template, d.datallowconn AND d.datconnlimit <> -2 AS allows_connections,
       -- pg_database_size() fails where these do not hold; null for one that was just dropped
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') THEN pg_database_size(d.oid)
            WHEN NOT has_database_privilege(d.oid, 'CONNECT') AND pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(d.oid) END AS database_bytes
  FROM pg_database d;
COMMENT ON VIEW steward.database_sizes IS
'How much room each database takes; null where the reader may not know.';
COMMENT ON COLUMN steward.database_sizes.database_name IS 'The database, templates too.';
COMMENT ON COLUMN steward.database_sizes.owner_name IS 'Its owner.';
COMMENT ON COLUMN steward.database_sizes.encoding IS 'Its encoding.';
COMMENT ON COLUMN steward.database_sizes.collation IS 'LC_COLLATE; with another provider than libc it is not what sorts.';
COMMENT ON COLUMN steward.database_sizes.is_template IS 'Whether anybody who may create databases may copy it.';
COMMENT ON COLUMN steward.database_sizes.allows_connections IS 'Whether one can connect to it; not to template0, nor to one whose DROP DATABASE was interrupted.';
COMMENT ON COLUMN steward.database_sizes.database_bytes IS 'Bytes of its files in all tablespaces; null without CONNECT and pg_read_all_stats.';
GRANT SELECT ON steward.database_sizes TO pg_monitor;

--
-- Tables
--

CREATE VIEW steward.table_sizes AS
SELECT n.nspname AS schema_name, c.relname AS table_name, c.oid AS relation_id,
       CASE c.relkind WHEN 'r' THEN 'table' ELSE 'materialized view' END AS kind,
       CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END AS persistence,
       s.heap_bytes, s.toast_bytes, s.index_bytes, s.other_bytes,
       s.heap_bytes + s.toast_bytes + s.index_bytes + s.other_bytes AS total_bytes, r.live_rows AS estimated_rows
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN steward_internal.monitor_rows r ON r.relation = c.oid
 CROSS JOIN LATERAL steward.relation_sizes(c.oid) s
 WHERE c.relkind IN ('r', 'm')
   AND (n.nspname !~ '^pg_(?!temp)' AND n.nspname <> 'information_schema' OR c.oid = 'pg_largeobject'::regclass);
COMMENT ON VIEW steward.table_sizes IS
'How much room each table takes, and what takes it; exact, without waiting for locks. Partitioned tables are in partitions.';
COMMENT ON COLUMN steward.table_sizes.schema_name IS 'The table''s schema; pg_catalog for pg_largeobject.';
COMMENT ON COLUMN steward.table_sizes.table_name IS 'Its name.';
COMMENT ON COLUMN steward.table_sizes.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.table_sizes.kind IS 'One of table or materialized view.';
COMMENT ON COLUMN steward.table_sizes.persistence IS 'One of permanent, unlogged or temporary.';
COMMENT ON COLUMN steward.table_sizes.heap_bytes IS 'Bytes of the table itself; null if the files are missing, as those of unlogged tables on a standby.';
COMMENT ON COLUMN steward.table_sizes.toast_bytes IS 'Bytes of its TOAST table with its index; 0 if it has none.';
COMMENT ON COLUMN steward.table_sizes.index_bytes IS 'Bytes of its indexes.';
COMMENT ON COLUMN steward.table_sizes.other_bytes IS 'Bytes of free space maps, visibility maps and init forks of all these.';
COMMENT ON COLUMN steward.table_sizes.total_bytes IS 'The sum, as pg_total_relation_size() has it.';
COMMENT ON COLUMN steward.table_sizes.estimated_rows IS 'Rows as far as the server knows; null if it does not.';
GRANT SELECT ON steward.table_sizes TO pg_monitor;

CREATE VIEW steward.table_stats AS
SELECT s.schemaname AS schema_name, s.relname AS table_name, s.relid AS relation_id, r.live_rows, r.dead_rows,
       round(100.0 * r.dead_rows / nullif(r.live_rows + r.dead_rows, 0), 1) AS dead_percent,
       s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_del AS rows_deleted,
       round(100.0 * s.n_tup_hot_upd / nullif(s.n_tup_upd, 0), 1) AS hot_update_percent, (j.row ->> 'n_tup_newpage_upd')::bigint AS rows_moved_to_new_page,
       s.seq_scan AS seq_scans, s.seq_tup_read AS seq_rows_read, s.idx_scan AS index_scans, s.idx_tup_fetch AS index_rows_fetched,
       (j.row ->> 'last_seq_scan')::timestamptz AS last_seq_scan, (j.row ->> 'last_idx_scan')::timestamptz AS last_index_scan,
       -- a standby does not count what is done to its tables
       CASE WHEN NOT pg_is_in_recovery() THEN s.n_mod_since_analyze END AS modified_since_analyze,
       CASE WHEN NOT pg_is_in_recovery() THEN s.n_ins_since_vacuum END AS inserted_since_vacuum,
       s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze,
       s.vacuum_count AS vacuums, s.autovacuum_count AS autovacuums, s.analyze_count AS analyzes, s.autoanalyze_count AS autoanalyzes
  FROM pg_stat_user_tables s
  LEFT JOIN steward_internal.monitor_rows r ON r.relation = s.relid
  -- these columns came with 16
 CROSS JOIN LATERAL (SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN to_jsonb(s) END AS row) j;
COMMENT ON VIEW steward.table_stats IS
'What has been done to each table since its counters began, on this server, and when it was last vacuumed and analyzed.';
COMMENT ON COLUMN steward.table_stats.schema_name IS 'The table''s schema.';
COMMENT ON COLUMN steward.table_stats.table_name IS 'Its name; partitioned tables have only ANALYZE counted.';
COMMENT ON COLUMN steward.table_stats.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.table_stats.live_rows IS 'Rows as far as the server knows; null if it does not, and for partitioned tables.';
COMMENT ON COLUMN steward.table_stats.dead_rows IS 'Versions of rows that VACUUM would remove; null where the server does not count them, as on a standby.';
COMMENT ON COLUMN steward.table_stats.dead_percent IS 'dead_rows in percent of both; null if there are none.';
COMMENT ON COLUMN steward.table_stats.rows_inserted IS 'Rows inserted, also by transactions that rolled back.';
COMMENT ON COLUMN steward.table_stats.rows_updated IS 'Rows updated.';
COMMENT ON COLUMN steward.table_stats.rows_deleted IS 'Rows deleted.';
COMMENT ON COLUMN steward.table_stats.hot_update_percent IS 'Updates that needed no new index entries, in percent of all; null if there were none.';
COMMENT ON COLUMN steward.table_stats.rows_moved_to_new_page IS 'Updates whose new version went to another page; null before 16.';
COMMENT ON COLUMN steward.table_stats.seq_scans IS 'Sequential scans begun.';
COMMENT ON COLUMN steward.table_stats.seq_rows_read IS 'Live rows they read.';
COMMENT ON COLUMN steward.table_stats.index_scans IS 'Index scans begun; null without index.';
COMMENT ON COLUMN steward.table_stats.index_rows_fetched IS 'Live rows they fetched; null without index.';
COMMENT ON COLUMN steward.table_stats.last_seq_scan IS 'When the last sequential scan''s transaction ended; null if there was none, and before 16.';
COMMENT ON COLUMN steward.table_stats.last_index_scan IS 'When the last index scan''s transaction ended; null if there was none, and before 16.';
COMMENT ON COLUMN steward.table_stats.modified_since_analyze IS 'Rows changed since ANALYZE; null on a standby.';
COMMENT ON COLUMN steward.table_stats.inserted_since_vacuum IS 'Rows inserted since VACUUM; null on a standby.';
COMMENT ON COLUMN steward.table_stats.last_vacuum IS 'When somebody''s VACUUM was there last; null if none was.';
COMMENT ON COLUMN steward.table_stats.last_autovacuum IS 'When autovacuum vacuumed it last.';
COMMENT ON COLUMN steward.table_stats.last_analyze IS 'When somebody''s ANALYZE was there last.';
COMMENT ON COLUMN steward.table_stats.last_autoanalyze IS 'When autovacuum analyzed it last.';
COMMENT ON COLUMN steward.table_stats.vacuums IS 'How often somebody vacuumed it, VACUUM FULL left out.';
COMMENT ON COLUMN steward.table_stats.autovacuums IS 'How often autovacuum vacuumed it.';
COMMENT ON COLUMN steward.table_stats.analyzes IS 'How often somebody analyzed it.';
COMMENT ON COLUMN steward.table_stats.autoanalyzes IS 'How often autovacuum analyzed it.';
GRANT SELECT ON steward.table_stats TO pg_monitor;

CREATE VIEW steward.cache_hit_ratios AS
SELECT c.scope, c.schema_name, c.name, c.blocks_hit, c.blocks_read,
       round(100.0 * c.blocks_hit / nullif(c.blocks_hit + c.blocks_read, 0), 2) AS hit_percent
  FROM (SELECT 'database' AS scope, NULL::name AS schema_name, s.datname AS name, s.blks_hit AS blocks_hit, s.blks_read AS blocks_read
          FROM pg_stat_database s WHERE s.datname IS NOT NULL
         UNION ALL
        SELECT 'table', s.schemaname, s.relname,
               s.heap_blks_hit + coalesce(s.toast_blks_hit, 0) + coalesce(s.tidx_blks_hit, 0),
               s.heap_blks_read + coalesce(s.toast_blks_read, 0) + coalesce(s.tidx_blks_read, 0)
          FROM pg_statio_user_tables s
         UNION ALL
        SELECT 'index', s.schemaname, s.indexrelname, s.idx_blks_hit, s.idx_blks_read
          FROM pg_statio_user_indexes s) c;
COMMENT ON VIEW steward.cache_hit_ratios IS
'How much of what was read stood in shared buffers, since the counters began; a ratio of few blocks says nothing.';
COMMENT ON COLUMN steward.cache_hit_ratios.scope IS 'One of database, table (with its TOAST) or index.';
COMMENT ON COLUMN steward.cache_hit_ratios.schema_name IS 'The schema of a table or index; null for a database.';
COMMENT ON COLUMN steward.cache_hit_ratios.name IS 'The name of the database, table or index.';
COMMENT ON COLUMN steward.cache_hit_ratios.blocks_hit IS 'Blocks found in shared buffers.';
COMMENT ON COLUMN steward.cache_hit_ratios.blocks_read IS 'Blocks asked of the system, whose cache may have had them.';
COMMENT ON COLUMN steward.cache_hit_ratios.hit_percent IS 'blocks_hit in percent of both; null if nothing was read.';
GRANT SELECT ON steward.cache_hit_ratios TO pg_monitor;

CREATE VIEW steward.partitions AS
SELECT n.nspname AS schema_name, r.relname AS table_name, r.oid AS relation_id,
       CASE p.partstrat WHEN 'r' THEN 'range' WHEN 'l' THEN 'list' ELSE 'hash' END AS strategy,
       s.partitions, s.levels, s.foreign_partitions, s.detach_pending, s.default_partition, s.default_partition_rows,
       s.estimated_rows, s.table_bytes, s.total_bytes
  FROM (SELECT t.root, max(t.level) AS levels,
               count(*) FILTER (WHERE c.relkind <> 'p') AS partitions,
               count(*) FILTER (WHERE c.relkind = 'f') AS foreign_partitions,
               count(*) FILTER (WHERE t.detach_pending) AS detach_pending,
               string_agg(d.qualified_name, ', ' ORDER BY t.level, d.qualified_name) AS default_partition,
               -- a sum with something unknown in it is unknown
               CASE WHEN bool_and(w.rows IS NOT NULL) FILTER (WHERE t.in_default AND c.relkind <> 'p')
                    THEN sum(w.rows) FILTER (WHERE t.in_default AND c.relkind <> 'p')::bigint END AS default_partition_rows,
               CASE WHEN bool_and(w.rows IS NOT NULL) FILTER (WHERE c.relkind <> 'p') THEN sum(w.rows)::bigint END AS estimated_rows,
               sum(z.heap_bytes)::bigint AS table_bytes,
               sum(z.heap_bytes + z.toast_bytes + z.index_bytes + z.other_bytes)::bigint AS total_bytes
          FROM steward_internal.monitor_partition_tree t
          JOIN pg_class c ON c.oid = t.relation
          LEFT JOIN steward_internal.monitor_rows m ON m.relation = t.relation
         CROSS JOIN LATERAL (SELECT CASE WHEN c.relkind = 'f' THEN nullif(c.reltuples, -1)::bigint ELSE m.live_rows END AS rows) w
          LEFT JOIN LATERAL steward.relation_sizes(CASE WHEN c.relkind = 'r' THEN c.oid END) z ON true
          LEFT JOIN LATERAL (SELECT format('%I.%I', dn.nspname, dc.relname) AS qualified_name
                               FROM pg_class dc JOIN pg_namespace dn ON dn.oid = dc.relnamespace
                              WHERE dc.oid = t.default_id) d ON true
         GROUP BY t.root) s
  JOIN pg_partitioned_table p ON p.partrelid = s.root
  JOIN pg_class r ON r.oid = s.root
  JOIN pg_namespace n ON n.oid = r.relnamespace;
COMMENT ON VIEW steward.partitions IS
'Partitioned tables: how many partitions, how large, and what stands in the default one.';
COMMENT ON COLUMN steward.partitions.schema_name IS 'The schema of the partitioned table.';
COMMENT ON COLUMN steward.partitions.table_name IS 'Its name; partitions that are partitioned in turn count with the table on top.';
COMMENT ON COLUMN steward.partitions.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.partitions.strategy IS 'One of range, list or hash.';
COMMENT ON COLUMN steward.partitions.partitions IS 'Partitions that hold rows, on all levels.';
COMMENT ON COLUMN steward.partitions.levels IS 'How many levels of partitions there are; 0 if there are none.';
COMMENT ON COLUMN steward.partitions.foreign_partitions IS 'Partitions on other servers.';
COMMENT ON COLUMN steward.partitions.detach_pending IS 'Partitions whose DETACH PARTITION CONCURRENTLY did not end.';
COMMENT ON COLUMN steward.partitions.default_partition IS 'Its default partition, and those of its partitions; null if there is none.';
COMMENT ON COLUMN steward.partitions.default_partition_rows IS 'Rows in there as far as the server knows; null if it does not.';
COMMENT ON COLUMN steward.partitions.estimated_rows IS 'Rows in all partitions as far as the server knows; null if one was never analyzed or vacuumed.';
COMMENT ON COLUMN steward.partitions.table_bytes IS 'Bytes of the partitions on this server, without TOAST and indexes; null if there are none.';
COMMENT ON COLUMN steward.partitions.total_bytes IS 'Bytes of the partitions on this server with TOAST and indexes.';
GRANT SELECT ON steward.partitions TO pg_monitor;

--
-- Sequences
--

CREATE FUNCTION steward_internal.sequence_state(sequence oid, OUT last_value bigint, OUT is_called boolean)
AS 'MODULE_PATHNAME', 'steward_sequence_state' LANGUAGE C STRICT;
REVOKE ALL ON FUNCTION steward_internal.sequence_state(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.sequence_state(oid) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.sequence_state(oid) IS
'Returns where a sequence stands, as SELECT from it has it, but without waiting; null while it is altered, if it is another session''s, or unlogged on a standby.';

CREATE VIEW steward.sequence_usage AS
WITH uses AS MATERIALIZED (
    -- the column that owns a sequence, and those that have it in their default
    SELECT s.seqrelid AS sequence, d.refobjid AS relation, d.refobjsubid AS attnum, d.deptype
      FROM pg_sequence s
      JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass
                      AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
     UNION ALL
    SELECT s.seqrelid, a.adrelid, a.adnum, 'n'
      FROM pg_sequence s
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.seqrelid AND d.classid = 'pg_attrdef'::regclass
      JOIN pg_attrdef a ON a.oid = d.objid
), columns AS MATERIALIZED (
    -- the narrowest of them; a domain has its base type's functions
    SELECT DISTINCT ON (u.sequence) u.sequence, u.relation, a.attname, u.deptype, w.highest
      FROM (SELECT DISTINCT ON (u.sequence, u.relation, u.attnum) u.* FROM uses u ORDER BY u.sequence, u.relation, u.attnum, u.deptype) u
      JOIN pg_attribute a ON a.attrelid = u.relation AND a.attnum = u.attnum
      JOIN pg_type y ON y.oid = a.atttypid
     CROSS JOIN LATERAL (SELECT CASE y.typoutput WHEN 'int2out'::regproc THEN 32767 WHEN 'int4out'::regproc THEN 2147483647 END AS highest) w
     ORDER BY u.sequence, w.highest, u.deptype, u.relation, u.attnum
), bounds AS (
    SELECT n.nspname AS schema_name, c.relname AS sequence_name,
           u.relation, u.attname AS column_name, u.deptype, u.highest AS column_highest,
           s.seqtypid, s.seqincrement, s.seqstart, s.seqmin, s.seqmax, s.seqcycle, q.last_value, q.is_called,
           -- the last one given, or what stands for it
           q.last_value::numeric - CASE WHEN q.is_called THEN 0 ELSE s.seqincrement END AS place,
           greatest(s.seqmin, -u.highest - 1) AS lowest, least(s.seqmax, u.highest) AS highest
      FROM pg_sequence s
      JOIN pg_class c ON c.oid = s.seqrelid AND c.relpersistence <> 't'
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN columns u ON u.sequence = s.seqrelid
     CROSS JOIN LATERAL steward_internal.sequence_state(s.seqrelid) q
), counts AS (
    SELECT b.*, b.seqcycle AND b.lowest = b.seqmin AND b.highest = b.seqmax AS cycles,
           CASE WHEN b.seqincrement > 0 THEN b.seqmax >= b.column_highest ELSE b.seqmin < -b.column_highest END AS column_ends,
           CASE WHEN b.place IS NOT NULL
                THEN greatest(trunc((CASE WHEN b.seqincrement > 0 THEN b.highest ELSE b.lowest END - b.place) / b.seqincrement), 0) END AS values_left,
           trunc((CASE WHEN b.seqincrement > 0 THEN b.highest - f.first_value ELSE f.first_value - b.lowest END) / abs(b.seqincrement::numeric)) + 1 AS values_all
      FROM bounds b
     -- what lies before its start it has not given, unless it was set back or starts over
     CROSS JOIN LATERAL (SELECT CASE WHEN b.seqincrement > 0 THEN CASE WHEN b.seqcycle OR b.place + b.seqincrement < b.seqstart THEN b.lowest ELSE greatest(b.seqstart, b.lowest) END
                                     ELSE CASE WHEN b.seqcycle OR b.place + b.seqincrement > b.seqstart THEN b.highest ELSE least(b.seqstart, b.highest) END
                                END::numeric AS first_value) f
)
SELECT c.schema_name, c.sequence_name, t.qualified_name AS used_by_table, c.column_name AS used_by_column,
       CASE WHEN c.is_called THEN c.last_value END AS last_value, c.seqincrement AS increment, c.lowest AS lowest_value, c.highest AS highest_value, c.cycles,
       c.values_left,
       CASE WHEN c.values_left IS NULL THEN NULL
            WHEN c.values_all < 1 THEN 100
            ELSE greatest(round(100 * (1 - c.values_left / c.values_all), 2), 0) END AS used_percent,
       CASE WHEN c.cycles THEN NULL
            -- an identity column takes its sequence along
            WHEN c.column_ends
            THEN CASE WHEN c.deptype <> 'i' AND c.seqtypid <> 'bigint'::regtype THEN format('ALTER SEQUENCE %I.%I AS bigint; ', c.schema_name, c.sequence_name) ELSE '' END
                 || format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint;', t.qualified_name, c.column_name)
            WHEN c.seqincrement > 0 AND c.seqmax < 9223372036854775807 OR c.seqincrement < 0 AND c.seqmin > -9223372036854775808
            THEN format('ALTER SEQUENCE %I.%I %sNO %sVALUE;', c.schema_name, c.sequence_name,
                        CASE WHEN c.column_highest IS NULL THEN 'AS bigint ' END, CASE WHEN c.seqincrement > 0 THEN 'MAX' ELSE 'MIN' END)
       END AS remedy
  FROM counts c
 CROSS JOIN LATERAL (SELECT (SELECT format('%I.%I', n.nspname, t.relname) FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
                              WHERE t.oid = c.relation) AS qualified_name) t;
COMMENT ON VIEW steward.sequence_usage IS
'How much of its numbers each sequence has given, by its own bounds and the type of the columns that use it, whichever is tighter.';
COMMENT ON COLUMN steward.sequence_usage.schema_name IS 'The sequence''s schema.';
COMMENT ON COLUMN steward.sequence_usage.sequence_name IS 'Its name.';
COMMENT ON COLUMN steward.sequence_usage.used_by_table IS 'The table that owns it or has it in a default, quoted; of several the one with the narrowest column; null if there is none.';
COMMENT ON COLUMN steward.sequence_usage.used_by_column IS 'That column.';
COMMENT ON COLUMN steward.sequence_usage.last_value IS 'What it gave last, or has handed to a session''s cache; null if nothing yet, or if it cannot be read.';
COMMENT ON COLUMN steward.sequence_usage.increment IS 'What it adds; below zero if it descends.';
COMMENT ON COLUMN steward.sequence_usage.lowest_value IS 'The lowest value that it can give and its column can hold.';
COMMENT ON COLUMN steward.sequence_usage.highest_value IS 'The highest one.';
COMMENT ON COLUMN steward.sequence_usage.cycles IS 'Whether it starts over at its end; false if its column is full before.';
COMMENT ON COLUMN steward.sequence_usage.values_left IS 'How many values it still has; null if it cannot be read: it is being altered, or unlogged on a standby.';
COMMENT ON COLUMN steward.sequence_usage.used_percent IS 'Percent of its values that are behind it, from where it starts, or from its lowest value if it was set back or starts over; null if it cannot be read.';
COMMENT ON COLUMN steward.sequence_usage.remedy IS 'What gives it more; columns that refer to the column need the same. A wider column means that the table is written anew. Null if it cycles or has all that there are.';
GRANT SELECT ON steward.sequence_usage TO pg_monitor;

--
-- Columns
--

CREATE VIEW steward.data_dictionary AS
WITH keys AS MATERIALIZED (
    SELECT k.conrelid, x.attnum, true AS is_key FROM pg_constraint k CROSS JOIN unnest(k.conkey) x(attnum) WHERE k.contype = 'p'
), singles AS MATERIALIZED (
    SELECT DISTINCT i.indrelid, i.indkey[0] AS attnum, true AS is_unique FROM pg_index i
     WHERE i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
), targets AS MATERIALIZED (
    SELECT k.conrelid, x.attnum, string_agg(format('%I.%I (%I)', n.nspname, c.relname, a.attname), ', ' ORDER BY k.conname) AS list
      FROM pg_constraint k
      -- of a partitioned table each partition that is referenced has one more
      LEFT JOIN pg_constraint p ON p.oid = k.conparentid AND p.conrelid = k.conrelid
     CROSS JOIN unnest(k.conkey, k.confkey) x(attnum, target)
      JOIN pg_class c ON c.oid = k.confrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.target
     WHERE k.contype = 'f' AND p.oid IS NULL
     GROUP BY k.conrelid, x.attnum
)
SELECT n.nspname AS schema_name, c.relname AS table_name,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS table_kind,
       e.extname AS extension_name, td.description AS table_comment, c.relrowsecurity AS row_security,
       a.attnum AS column_number, a.attname AS column_name, format_type(a.atttypid, a.atttypmod) AS column_type, a.attnotnull AS not_null,
       a.atthasdef AND a.attgenerated = '' AS has_default, a.attidentity <> '' AS is_identity, a.attgenerated <> '' AS is_generated,
       k.is_key IS TRUE AS in_primary_key, u.is_unique IS TRUE AS is_unique, f.list AS "references", cd.description AS column_comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN keys k ON k.conrelid = c.oid AND k.attnum = a.attnum
  LEFT JOIN singles u ON u.indrelid = c.oid AND u.attnum = a.attnum
  LEFT JOIN targets f ON f.conrelid = c.oid AND f.attnum = a.attnum
  LEFT JOIN pg_description td ON td.classoid = 'pg_class'::regclass AND td.objoid = c.oid AND td.objsubid = 0
  LEFT JOIN pg_description cd ON cd.classoid = 'pg_class'::regclass AND cd.objoid = c.oid AND cd.objsubid = a.attnum
  LEFT JOIN (pg_depend m JOIN pg_extension e ON e.oid = m.refobjid)
         ON m.classid = 'pg_class'::regclass AND m.objid = c.oid AND m.objsubid = 0 AND m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e'
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
COMMENT ON VIEW steward.data_dictionary IS
'All columns of all tables and views, with types, keys and comments; one row for each.';
COMMENT ON COLUMN steward.data_dictionary.schema_name IS 'The schema of the table.';
COMMENT ON COLUMN steward.data_dictionary.table_name IS 'The table or view.';
COMMENT ON COLUMN steward.data_dictionary.table_kind IS 'One of table, partitioned table, view, materialized view or foreign table.';
COMMENT ON COLUMN steward.data_dictionary.extension_name IS 'The extension that it belongs to; null for one''s own.';
COMMENT ON COLUMN steward.data_dictionary.table_comment IS 'The comment on the table; null if it has none.';
COMMENT ON COLUMN steward.data_dictionary.row_security IS 'Whether row security is enabled.';
COMMENT ON COLUMN steward.data_dictionary.column_number IS 'The column''s number; dropped columns leave gaps.';
COMMENT ON COLUMN steward.data_dictionary.column_name IS 'The column.';
COMMENT ON COLUMN steward.data_dictionary.column_type IS 'Its type, with length or precision.';
COMMENT ON COLUMN steward.data_dictionary.not_null IS 'Whether it is declared NOT NULL.';
COMMENT ON COLUMN steward.data_dictionary.has_default IS 'Whether it has a default of its own; that of a domain does not count.';
COMMENT ON COLUMN steward.data_dictionary.is_identity IS 'Whether it is an identity column.';
COMMENT ON COLUMN steward.data_dictionary.is_generated IS 'Whether it is computed from others.';
COMMENT ON COLUMN steward.data_dictionary.in_primary_key IS 'Whether it is, or is part of, the primary key.';
COMMENT ON COLUMN steward.data_dictionary.is_unique IS 'Whether an index keeps it unique on its own, in all rows.';
COMMENT ON COLUMN steward.data_dictionary."references" IS 'The columns that its foreign keys refer to, quoted, with commas between; null if it has none.';
COMMENT ON COLUMN steward.data_dictionary.column_comment IS 'The comment on the column; null if it has none.';
GRANT SELECT ON steward.data_dictionary TO pg_monitor;
