-- monitor_tables: databases, tables, their columns and sequences.

CREATE VIEW steward.database_stats AS
SELECT s.datname AS database_name, s.numbackends AS connections, s.xact_commit AS commits, s.xact_rollback AS rollbacks,
       round(100.0 * s.xact_rollback / nullif(s.xact_commit + s.xact_rollback, 0), 2) AS rollback_percent,
       s.blks_read AS blocks_read, s.blks_hit AS blocks_hit,
       s.tup_returned AS rows_read, s.tup_fetched AS rows_fetched, s.tup_inserted AS rows_inserted, s.tup_updated AS rows_updated, s.tup_deleted AS rows_deleted,
       s.conflicts, s.deadlocks, s.temp_files, s.temp_bytes,
       s.checksum_failures, s.checksum_last_failure,
       s.blk_read_time / 1000 AS read_seconds, s.blk_write_time / 1000 AS write_seconds,
       s.session_time / 1000 AS session_seconds, s.active_time / 1000 AS active_seconds, s.idle_in_transaction_time / 1000 AS idle_in_transaction_seconds,
       s.sessions, s.sessions_abandoned, s.sessions_fatal, s.sessions_killed, s.stats_reset AS counted_since
  FROM pg_stat_database s;
COMMENT ON VIEW steward.database_stats IS
'What each database has done since its counters were reset; the row without a name is for what databases share.';
GRANT SELECT ON steward.database_stats TO pg_monitor;

CREATE VIEW steward.database_sizes AS
SELECT d.datname AS database_name, pg_get_userbyid(d.datdba) AS owner_name, pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collation,
       CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE') THEN pg_database_size(d.oid) END AS database_bytes
  FROM pg_database d;
COMMENT ON VIEW steward.database_sizes IS
'How much room each database takes; null where the reader may not know.';
GRANT SELECT ON steward.database_sizes TO pg_monitor;

CREATE VIEW steward.table_stats AS
SELECT s.schemaname AS schema_name, s.relname AS table_name, s.relid AS relation_id, s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
       round(100.0 * s.n_dead_tup / nullif(s.n_live_tup + s.n_dead_tup, 0), 1) AS dead_percent,
       s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_del AS rows_deleted,
       round(100.0 * s.n_tup_hot_upd / nullif(s.n_tup_upd, 0), 1) AS hot_update_percent, (j.row ->> 'n_tup_newpage_upd')::bigint AS rows_moved_to_new_page,
       s.seq_scan AS seq_scans, s.seq_tup_read AS seq_rows_read, s.idx_scan AS index_scans, s.idx_tup_fetch AS index_rows_fetched,
       (j.row ->> 'last_seq_scan')::timestamptz AS last_seq_scan, (j.row ->> 'last_idx_scan')::timestamptz AS last_index_scan,
       s.n_mod_since_analyze AS modified_since_analyze, s.n_ins_since_vacuum AS inserted_since_vacuum,
       s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze,
       s.vacuum_count AS vacuums, s.autovacuum_count AS autovacuums, s.analyze_count AS analyzes, s.autoanalyze_count AS autoanalyzes
  FROM pg_stat_user_tables s
  -- these columns came with 16
 CROSS JOIN LATERAL (SELECT CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN to_jsonb(s) END AS row) j;
COMMENT ON VIEW steward.table_stats IS
'What has been done to each table, and when it was last vacuumed and analyzed.';
GRANT SELECT ON steward.table_stats TO pg_monitor;

-- Counters since they were reset; a ratio of few blocks says nothing.
CREATE VIEW steward.cache_hit_ratios AS
SELECT c.scope, c.schema_name, c.name, c.blocks_hit, c.blocks_read,
       round(100.0 * c.blocks_hit / nullif(c.blocks_hit + c.blocks_read, 0), 2) AS hit_percent
  FROM (SELECT 'database' AS scope, NULL::name AS schema_name, s.datname AS name, s.blks_hit AS blocks_hit, s.blks_read AS blocks_read
          FROM pg_stat_database s WHERE s.datname IS NOT NULL
         UNION ALL
        SELECT 'table', s.schemaname, s.relname,
               s.heap_blks_hit + coalesce(s.toast_blks_hit, 0), s.heap_blks_read + coalesce(s.toast_blks_read, 0)
          FROM pg_statio_user_tables s
         UNION ALL
        SELECT 'index', s.schemaname, s.indexrelname, s.idx_blks_hit, s.idx_blks_read
          FROM pg_statio_user_indexes s) c;
COMMENT ON VIEW steward.cache_hit_ratios IS
'How much of what was read stood in shared buffers, by database, table (with its TOAST) and index; null where nothing was read.';
GRANT SELECT ON steward.cache_hit_ratios TO pg_monitor;

CREATE VIEW steward.partitions AS
WITH RECURSIVE tree AS (
    SELECT p.partrelid AS root, p.partrelid AS relation, 0 AS level
      FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
     WHERE NOT c.relispartition
     UNION ALL
    SELECT t.root, i.inhrelid, t.level + 1 FROM tree t JOIN pg_inherits i ON i.inhparent = t.relation
)
SELECT rn.nspname AS schema_name, r.relname AS table_name, p.partstrat AS strategy,
       count(*) FILTER (WHERE t.level > 0) AS partitions, max(t.level) AS levels,
       count(*) FILTER (WHERE c.relkind = 'f') AS foreign_partitions,
       (SELECT format('%I.%I', dn.nspname, d.relname) FROM pg_class d JOIN pg_namespace dn ON dn.oid = d.relnamespace WHERE d.oid = p.partdefid) AS default_partition,
       -- null until it was analyzed or vacuumed
       (SELECT nullif(d.reltuples, -1)::bigint FROM pg_class d WHERE d.oid = p.partdefid) AS default_partition_rows,
       sum(nullif(c.reltuples, -1)) FILTER (WHERE c.relkind IN ('r', 'f'))::bigint AS estimated_rows,
       sum(c.relpages) FILTER (WHERE c.relkind = 'r') * current_setting('block_size')::bigint AS table_bytes
  FROM tree t
  JOIN pg_class c ON c.oid = t.relation
  JOIN pg_class r ON r.oid = t.root
  JOIN pg_namespace rn ON rn.oid = r.relnamespace
  JOIN pg_partitioned_table p ON p.partrelid = t.root
 GROUP BY t.root, rn.nspname, r.relname, p.partstrat, p.partdefid;
COMMENT ON VIEW steward.partitions IS
'Partitioned tables: how many partitions, how large, and what stands in the default one.';
GRANT SELECT ON steward.partitions TO pg_monitor;

--
-- Sequences
--

-- pg_sequences hides the value from pg_monitor, waits, and keeps a lock on each sequence.
CREATE FUNCTION steward.sequence_last_value(sequence oid) RETURNS bigint
LANGUAGE C STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'steward_sequence_last_value';
REVOKE ALL ON FUNCTION steward.sequence_last_value(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.sequence_last_value(oid) TO pg_monitor;
COMMENT ON FUNCTION steward.sequence_last_value(oid) IS
'The last value of a sequence; null if it has given none, or it is locked or cannot be read.';

CREATE VIEW steward.sequence_usage AS
WITH sequences AS (
    SELECT n.nspname AS schema_name, c.relname AS sequence_name, s.seqtypid, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle,
           steward.sequence_last_value(c.oid) AS last_value, d.refobjid AS table_id, a.attname AS column_name, a.atttypid AS column_type
      FROM pg_sequence s
      JOIN pg_class c ON c.oid = s.seqrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
      LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
), bounds AS (
    -- a column can be narrower than its sequence
    SELECT s.*, least(s.seqmax, CASE s.column_type WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype THEN 2147483647 END) AS highest,
           greatest(s.seqmin, CASE s.column_type WHEN 'smallint'::regtype THEN -32768 WHEN 'integer'::regtype THEN -2147483648 END) AS lowest
      FROM sequences s
)
SELECT b.schema_name, b.sequence_name,
       (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = b.table_id) AS owned_by_table,
       b.column_name AS owned_by_column, b.last_value, b.seqincrement AS increment, b.lowest AS lowest_value, b.highest AS highest_value, b.seqcycle AS cycles,
       trunc(CASE WHEN b.seqincrement > 0 THEN (b.highest::numeric - coalesce(b.last_value, b.seqstart - b.seqincrement)) / b.seqincrement
                  ELSE (coalesce(b.last_value, b.seqstart - b.seqincrement) - b.lowest::numeric) / -b.seqincrement END) AS values_left,
       round(100 * CASE WHEN b.last_value IS NULL THEN 0
                        WHEN b.seqincrement > 0 THEN (b.last_value::numeric - b.seqmin) / nullif(b.highest::numeric - b.seqmin, 0)
                        ELSE (b.seqmax::numeric - b.last_value) / nullif(b.seqmax::numeric - b.lowest, 0) END, 2) AS used_percent
  FROM bounds b;
COMMENT ON VIEW steward.sequence_usage IS
'How much of its numbers each sequence has given, by its own bounds and its column''s type, whichever is tighter.';
GRANT SELECT ON steward.sequence_usage TO pg_monitor;

CREATE VIEW steward.data_dictionary AS
SELECT n.nspname AS schema_name, c.relname AS table_name,
       CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS table_kind,
       obj_description(c.oid, 'pg_class') AS table_comment, c.relrowsecurity AS row_security,
       a.attnum AS column_number, a.attname AS column_name, format_type(a.atttypid, a.atttypmod) AS column_type, a.attnotnull AS not_null,
       a.atthasdef AND a.attgenerated = '' AS has_default, a.attidentity <> '' AS is_identity, a.attgenerated <> '' AS is_generated,
       EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS in_primary_key,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL) AS is_unique,
       (SELECT string_agg(format('%I.%I (%I)', fn.nspname, f.relname, fa.attname), ', ' ORDER BY k.conname)
          FROM pg_constraint k
          JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
          JOIN pg_attribute fa ON fa.attrelid = f.oid AND fa.attnum = k.confkey[array_position(k.conkey, a.attnum)]
         WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0 AND a.attnum = ANY (k.conkey)) AS "references",
       col_description(c.oid, a.attnum) AS column_comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
COMMENT ON VIEW steward.data_dictionary IS
'All columns of all tables and views, with types, keys and comments.';
GRANT SELECT ON steward.data_dictionary TO pg_monitor;
