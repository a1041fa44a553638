-- monitor_bloat: sizes without locks, and the room that tables and indexes take beyond what they need.

CREATE FUNCTION steward.try_relation_size(relation oid, fork text DEFAULT 'main') RETURNS bigint
AS 'MODULE_PATHNAME', 'steward_try_relation_size' LANGUAGE C STRICT;
REVOKE ALL ON FUNCTION steward.try_relation_size(oid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.try_relation_size(oid, text) TO pg_monitor;
COMMENT ON FUNCTION steward.try_relation_size(oid, text) IS
'Returns the bytes of a fork of a relation, like pg_relation_size() but without a lock; null if there is no such relation or its files are missing.';

CREATE FUNCTION steward.relation_sizes(relation oid,
    OUT heap_bytes bigint, OUT toast_bytes bigint, OUT index_bytes bigint, OUT other_bytes bigint)
AS 'MODULE_PATHNAME', 'steward_relation_sizes' LANGUAGE C STRICT;
REVOKE ALL ON FUNCTION steward.relation_sizes(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.relation_sizes(oid) TO pg_monitor;
COMMENT ON FUNCTION steward.relation_sizes(oid) IS
'Returns the bytes of a relation, of its TOAST table with that one''s index, of its indexes, and of the free space maps, visibility maps and init forks of all these, without a lock; null for what is not known.';

CREATE FUNCTION steward_internal.monitor_row_sizes(of_indexes boolean, OUT relation oid, OUT row_bytes double precision, OUT uniform boolean,
    OUT unknown_column name, OUT deduplicates boolean, OUT distinct_keys double precision, OUT null_fraction double precision) RETURNS SETOF record
AS 'MODULE_PATHNAME', 'steward_monitor_row_sizes' LANGUAGE C STABLE STRICT ROWS 10000;
REVOKE ALL ON FUNCTION steward_internal.monitor_row_sizes(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_row_sizes(boolean) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_row_sizes(boolean) IS
'Returns how long the rows of relations, or the entries of btree indexes, are on average, from columns and their statistics; whether all are alike, a column without statistics, whether equal entries are merged, how many keys there are as in pg_statistic.stadistinct, and the fraction of entries that are null.';

-- Counters begin with the table, unless they were reset or the server crashed or is a standby. Then reltuples
-- is the better guess until VACUUM or ANALYZE has set both. Just after ANALYZE in the transaction that filled the
-- table they are not there yet.
CREATE VIEW steward_internal.monitor_rows AS
SELECT c.oid AS relation,
       CASE WHEN coalesce(s.last_vacuum, s.last_analyze) IS NOT NULL AND (s.live > 0 OR s.dead > 0 OR c.reltuples <= 0) THEN s.live
            WHEN c.reltuples >= 0 THEN greatest(c.reltuples::bigint, s.live)
            WHEN s.live > 0 OR s.inserted > 0 THEN s.live END AS live_rows,
       CASE WHEN coalesce(s.last_vacuum, s.last_analyze) IS NOT NULL OR s.live > 0 OR s.inserted > 0 OR s.dead > 0 THEN s.dead END AS dead_rows,
       s.modified AS modified_rows, s.last_vacuum, s.last_analyze
  FROM pg_class c
 CROSS JOIN LATERAL (
    SELECT pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead,
           pg_stat_get_tuples_inserted(c.oid) AS inserted, pg_stat_get_mod_since_analyze(c.oid) AS modified,
           greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS last_vacuum,
           greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS last_analyze
    OFFSET 0) s
 WHERE c.relkind IN ('r', 'm', 't');
COMMENT ON VIEW steward_internal.monitor_rows IS
'How many rows each table has, as far as the server knows.';
COMMENT ON COLUMN steward_internal.monitor_rows.relation IS 'The table.';
COMMENT ON COLUMN steward_internal.monitor_rows.live_rows IS 'Rows that are not deleted; null if nothing is known of them.';
COMMENT ON COLUMN steward_internal.monitor_rows.dead_rows IS 'Versions of rows that VACUUM would remove; null where the server does not count them, as on a standby.';
COMMENT ON COLUMN steward_internal.monitor_rows.modified_rows IS 'Rows that changed since the last ANALYZE.';
COMMENT ON COLUMN steward_internal.monitor_rows.last_vacuum IS 'When VACUUM or autovacuum was there last.';
COMMENT ON COLUMN steward_internal.monitor_rows.last_analyze IS 'When ANALYZE or autovacuum was there last.';

CREATE FUNCTION steward_internal.monitor_fillfactor(options text[], standard integer) RETURNS integer
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN coalesce((SELECT o.option_value::integer FROM pg_options_to_table(options) o WHERE o.option_name = 'fillfactor'), standard);
REVOKE ALL ON FUNCTION steward_internal.monitor_fillfactor(text[], integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_fillfactor(text[], integer) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_fillfactor(text[], integer) IS
'Returns the fillfactor in the options of a relation, or the standard one.';

-- In the views OFFSET 0 keeps the planner from repeating an expression wherever its name stands.

--
-- Tables
--

CREATE VIEW steward.table_bloat AS
SELECT n.nspname AS schema_name, e.relname AS table_name, e.relation AS relation_id,
       CASE e.relkind WHEN 'r' THEN 'table' WHEN 'm' THEN 'materialized view' ELSE 'TOAST table' END AS kind,
       CASE WHEN e.relkind = 't' THEN format('%I.%I', h.nspname, o.relname) END AS toast_of,
       e.table_bytes, e.live_rows, e.dead_rows, round(e.row_bytes::numeric, 1) AS row_bytes, e.fillfactor,
       x.expected_bytes, y.bloat_bytes,
       CASE WHEN e.table_bytes > 0 THEN round(100.0 * y.bloat_bytes / e.table_bytes, 1) ELSE y.bloat_bytes END AS bloat_percent,
       z.reason IS NULL AS reliable, z.reason, e.last_vacuum, e.last_analyze
  FROM (
    SELECT c.oid AS relation, c.relnamespace, c.relname, c.relkind, am.amname,
           am.amhandler = 'pg_catalog.heap_tableam_handler'::regproc AS is_heap,
           b.block_size, b.table_bytes, r.live_rows, r.dead_rows, r.modified_rows, r.last_vacuum, r.last_analyze,
           coalesce(s.uniform, true) OR c.relkind = 't' AS uniform, s.unknown_column,
           -- a full chunk, so that four fill a page; a row without columns is its header
           CASE WHEN c.relkind = 't' THEN (b.block_size - 40) / 32 * 8 ELSE coalesce(s.row_bytes, 24) END AS row_bytes,
           CASE WHEN c.reloptions IS NULL THEN 100 ELSE steward_internal.monitor_fillfactor(c.reloptions, 100) END AS fillfactor
      FROM pg_class c
      JOIN pg_am am ON am.oid = c.relam
      JOIN steward_internal.monitor_rows r ON r.relation = c.oid
      LEFT JOIN steward_internal.monitor_row_sizes(false) s ON s.relation = c.oid
     CROSS JOIN LATERAL (
        SELECT steward.try_relation_size(c.oid) AS table_bytes, current_setting('block_size')::integer AS block_size OFFSET 0) b
    OFFSET 0) e
  JOIN pg_namespace n ON n.oid = e.relnamespace
  LEFT JOIN (pg_class o JOIN pg_namespace h ON h.oid = o.relnamespace) ON o.reltoastrelid = e.relation AND o.reltoastrelid <> 0
 CROSS JOIN LATERAL (
    -- a page has a header of 24 bytes, a row a line pointer of 4
    SELECT (e.block_size - 24 - e.block_size * (100 - e.fillfactor) / 100) / (e.row_bytes + 4) AS rows_per_page OFFSET 0) p
 CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT e.is_heap OR e.table_bytes IS NULL THEN NULL
                WHEN e.table_bytes = 0 THEN 0
                -- at the end of a page half a row is wasted, unless it is known how many fit
                ELSE e.block_size * ceil(e.live_rows / greatest(CASE WHEN e.uniform THEN floor(p.rows_per_page) ELSE p.rows_per_page - 0.5 END, 1))::bigint
           END AS expected_bytes OFFSET 0) x
 CROSS JOIN LATERAL (SELECT greatest(e.table_bytes - x.expected_bytes, CASE WHEN x.expected_bytes IS NOT NULL THEN 0 END) AS bloat_bytes OFFSET 0) y
 CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT e.is_heap THEN format('table access method %I', e.amname)
                WHEN e.table_bytes IS NULL THEN 'files are missing'
                WHEN e.table_bytes = 0 THEN NULL
                WHEN e.live_rows IS NULL THEN format('number of rows is not known: ANALYZE %I.%I', n.nspname, e.relname)
                WHEN e.live_rows = 0 THEN NULL
                WHEN e.relkind = 't' THEN 'length of chunks is not known: there is at least this bloat'
                WHEN e.unknown_column IS NOT NULL
                THEN format('no statistics for column %I: ANALYZE %I.%I', e.unknown_column, n.nspname, e.relname)
                -- where all rows are alike without statistics, there are none to grow old
                WHEN e.modified_rows > e.live_rows / 2 AND NOT (e.uniform AND e.last_analyze IS NULL)
                THEN format('half of the rows changed since ANALYZE %I.%I', n.nspname, e.relname)
           END AS reason OFFSET 0) z;
GRANT SELECT ON steward.table_bloat TO pg_monitor;
COMMENT ON VIEW steward.table_bloat IS
'How much larger each table is than its rows need, estimated from statistics; no table is read or locked.';
COMMENT ON COLUMN steward.table_bloat.schema_name IS 'The table''s schema.';
COMMENT ON COLUMN steward.table_bloat.table_name IS 'Its name.';
COMMENT ON COLUMN steward.table_bloat.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.table_bloat.kind IS 'One of table, materialized view or TOAST table.';
COMMENT ON COLUMN steward.table_bloat.toast_of IS 'The table whose long values a TOAST table holds; null for others.';
COMMENT ON COLUMN steward.table_bloat.table_bytes IS 'Bytes of its main fork: without TOAST, indexes and maps; null if files are missing.';
COMMENT ON COLUMN steward.table_bloat.live_rows IS 'Rows that are not deleted; null if nothing is known of them.';
COMMENT ON COLUMN steward.table_bloat.dead_rows IS 'Versions of rows that VACUUM would remove; null where the server does not count them, as on a standby.';
COMMENT ON COLUMN steward.table_bloat.row_bytes IS 'Estimated bytes of a row with header and padding, without its line pointer of 4 bytes.';
COMMENT ON COLUMN steward.table_bloat.fillfactor IS 'Percent of a page that INSERT fills; the rest counts as needed.';
COMMENT ON COLUMN steward.table_bloat.expected_bytes IS 'Bytes that the live rows need; may exceed table_bytes, because it is an estimate.';
COMMENT ON COLUMN steward.table_bloat.bloat_bytes IS 'table_bytes without expected_bytes, at least 0: dead rows and free space.';
COMMENT ON COLUMN steward.table_bloat.bloat_percent IS 'bloat_bytes in percent of table_bytes.';
COMMENT ON COLUMN steward.table_bloat.reliable IS 'Whether all that the estimate is made of is known.';
COMMENT ON COLUMN steward.table_bloat.reason IS 'Why it is not reliable; null if it is.';
COMMENT ON COLUMN steward.table_bloat.last_vacuum IS 'When VACUUM or autovacuum was there last; null if never since the counters began.';
COMMENT ON COLUMN steward.table_bloat.last_analyze IS 'When ANALYZE or autovacuum was there last; null if never since the counters began.';

--
-- Indexes
--

CREATE VIEW steward.index_bloat AS
SELECT n.nspname AS schema_name, e.table_name, e.relname AS index_name, e.relation AS relation_id, e.index_id,
       e.amname AS access_method, e.index_bytes, e.live_rows, round(e.row_bytes::numeric, 1) AS row_bytes, e.fillfactor,
       x.expected_bytes, y.bloat_bytes,
       CASE WHEN e.index_bytes > 0 THEN round(100.0 * y.bloat_bytes / e.index_bytes, 1) ELSE y.bloat_bytes END AS bloat_percent,
       z.reason IS NULL AS reliable, z.reason
  FROM (
    SELECT c.oid AS index_id, c.relnamespace, c.relname, t.relname AS table_name, i.indrelid AS relation, am.amname, am.amname = 'btree' AS is_btree, i.indisvalid,
           b.block_size, b.index_bytes, r.modified_rows, s.row_bytes, s.unknown_column, s.null_fraction,
           -- a partial index has tuples of its own, counted by VACUUM, ANALYZE and REINDEX only
           CASE WHEN i.indpred IS NULL THEN r.live_rows WHEN c.reltuples >= 0 AND r.live_rows IS NOT NULL THEN c.reltuples::bigint END AS live_rows,
           CASE WHEN s.deduplicates AND (c.reloptions IS NULL OR NOT EXISTS (
                    SELECT FROM pg_options_to_table(c.reloptions) o
                     WHERE o.option_name = 'deduplicate_items' AND NOT o.option_value::boolean))
                THEN CASE WHEN s.distinct_keys < 0 THEN -s.distinct_keys * r.live_rows ELSE least(s.distinct_keys, r.live_rows) END
                END AS distinct_keys,
           CASE WHEN c.reloptions IS NULL THEN 90 ELSE steward_internal.monitor_fillfactor(c.reloptions, 90) END AS fillfactor
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
      JOIN pg_am am ON am.oid = c.relam
      JOIN pg_class t ON t.oid = i.indrelid
      JOIN steward_internal.monitor_rows r ON r.relation = i.indrelid
      LEFT JOIN steward_internal.monitor_row_sizes(true) s ON s.relation = c.oid
     CROSS JOIN LATERAL (
        SELECT steward.try_relation_size(c.oid) AS index_bytes, current_setting('block_size')::integer AS block_size OFFSET 0) b
    OFFSET 0) e
  JOIN pg_namespace n ON n.oid = e.relnamespace
 CROSS JOIN LATERAL (
    -- equal entries are merged to a list of row addresses of 6 bytes, of at most a tenth of a page
    SELECT e.live_rows * e.null_fraction AS nulls, e.live_rows * (1 - e.null_fraction) AS others,
           e.live_rows * (1 - e.null_fraction) / nullif(e.distinct_keys, 0) AS equal,
           floor((e.block_size / 10 / 8 * 8 - 4 - e.row_bytes) / 6) AS most OFFSET 0) k
 CROSS JOIN LATERAL (
    SELECT CASE WHEN k.equal > 1.5 AND k.most > 1
                THEN e.distinct_keys * ceil(k.equal / k.most) * (ceil((e.row_bytes + 6 * least(k.equal, k.most)) / 8) * 8 + 4)
                ELSE k.others * (e.row_bytes + 4) END
         + CASE WHEN e.distinct_keys IS NOT NULL AND k.most > 1
                THEN k.nulls * (6 + (e.row_bytes + 4) / k.most)
                ELSE k.nulls * (e.row_bytes + 4) END AS entries_bytes OFFSET 0) m
 CROSS JOIN LATERAL (
    -- a page has a header of 24 bytes and 16 of its own, and ends with the entry that overfills it
    SELECT greatest(ceil(m.entries_bytes / (e.block_size - 40 - e.block_size * (100 - e.fillfactor) / 100 - (e.row_bytes + 4) / 2)), 1) AS leaves,
           floor((e.block_size - 40 - e.block_size * 30 / 100) / (e.row_bytes + 4)) AS fanout OFFSET 0) l
 CROSS JOIN LATERAL (
    SELECT CASE WHEN e.is_btree AND e.index_bytes IS NOT NULL
                THEN e.block_size * (1 + l.leaves + CASE WHEN l.leaves > 1 THEN ceil(l.leaves / greatest(l.fanout - 1, 1)) ELSE 0 END)::bigint
           END AS expected_bytes OFFSET 0) x
 CROSS JOIN LATERAL (SELECT greatest(e.index_bytes - x.expected_bytes, CASE WHEN x.expected_bytes IS NOT NULL THEN 0 END) AS bloat_bytes OFFSET 0) y
 CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT e.is_btree THEN format('index access method %I', e.amname)
                WHEN e.index_bytes IS NULL THEN 'files are missing'
                WHEN NOT e.indisvalid THEN 'index is invalid'
                WHEN e.live_rows IS NULL THEN format('number of rows is not known: ANALYZE %I.%I', n.nspname, e.table_name)
                WHEN e.live_rows = 0 THEN NULL
                WHEN e.unknown_column IS NOT NULL THEN format('no statistics for column %I of the index', e.unknown_column)
                WHEN e.modified_rows > e.live_rows / 2 THEN format('half of the rows changed since ANALYZE %I.%I', n.nspname, e.table_name)
           END AS reason OFFSET 0) z;
GRANT SELECT ON steward.index_bloat TO pg_monitor;
COMMENT ON VIEW steward.index_bloat IS
'How much larger each btree index is than one just built would be, estimated from statistics; no index is read or locked.';
COMMENT ON COLUMN steward.index_bloat.schema_name IS 'The schema of the index and its table.';
COMMENT ON COLUMN steward.index_bloat.table_name IS 'The table''s name.';
COMMENT ON COLUMN steward.index_bloat.index_name IS 'The index''s name.';
COMMENT ON COLUMN steward.index_bloat.relation_id IS 'The table''s oid.';
COMMENT ON COLUMN steward.index_bloat.index_id IS 'The index''s oid.';
COMMENT ON COLUMN steward.index_bloat.access_method IS 'Btree; for all others there is no estimate.';
COMMENT ON COLUMN steward.index_bloat.index_bytes IS 'Bytes of its main fork; null if files are missing.';
COMMENT ON COLUMN steward.index_bloat.live_rows IS 'Rows that are not deleted, those that are in the index if it is partial; null if nothing is known of them.';
COMMENT ON COLUMN steward.index_bloat.row_bytes IS 'Estimated bytes of an entry with header and padding, without its line pointer of 4 bytes.';
COMMENT ON COLUMN steward.index_bloat.fillfactor IS 'Percent to which REINDEX fills a leaf page; the rest counts as needed.';
COMMENT ON COLUMN steward.index_bloat.expected_bytes IS 'Bytes of the index just built, with equal entries merged; may exceed index_bytes, because it is an estimate.';
COMMENT ON COLUMN steward.index_bloat.bloat_bytes IS 'index_bytes without expected_bytes, at least 0.';
COMMENT ON COLUMN steward.index_bloat.bloat_percent IS 'bloat_bytes in percent of index_bytes.';
COMMENT ON COLUMN steward.index_bloat.reliable IS 'Whether all that the estimate is made of is known.';
COMMENT ON COLUMN steward.index_bloat.reason IS 'Why it is not reliable; null if it is.';

--
-- Measuring
--

-- Found by its extension, because anybody may have made one of the same name elsewhere.
CREATE FUNCTION steward_internal.monitor_extension_function(extension name, function_name name, argument_types regtype[]) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT format('%I.%I', n.nspname, p.proname)
      FROM pg_extension e
      JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
      JOIN pg_proc p ON p.oid = d.objid AND p.proname = function_name AND ARRAY(SELECT unnest(p.proargtypes)) = argument_types::oid[]
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE e.extname = extension;
END;
REVOKE ALL ON FUNCTION steward_internal.monitor_extension_function(name, name, regtype[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_extension_function(name, name, regtype[]) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_extension_function(name, name, regtype[]) IS
'Returns the qualified name of a function of an extension; null if there is none.';

CREATE FUNCTION steward.table_bloat_measured(relation regclass,
    OUT method text, OUT table_bytes bigint, OUT live_rows bigint, OUT dead_rows bigint, OUT dead_bytes bigint, OUT free_bytes bigint,
    OUT bloat_bytes bigint, OUT bloat_percent numeric, OUT reason text)
LANGUAGE plpgsql STRICT SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s'
AS $$
DECLARE
    approx constant text := steward_internal.monitor_extension_function('pgstattuple', 'pgstattuple_approx', '{regclass}');
    freespace constant text := steward_internal.monitor_extension_function('pg_freespacemap', 'pg_freespace', '{regclass,bigint}');
    class record;
BEGIN
    SELECT c.relkind, c.reloptions INTO class FROM pg_class c WHERE c.oid = relation;
    IF NOT FOUND THEN
        RAISE undefined_table USING MESSAGE = format('relation with OID %s does not exist', relation::oid);
    ELSIF class.relkind NOT IN ('r', 'm', 't') THEN
        RAISE wrong_object_type USING
            MESSAGE = format('%s is not a table with rows of its own', relation),
            HINT = 'SELECT schema_name, table_name FROM steward.table_bloat;';
    END IF;
    table_bytes := steward.try_relation_size(relation);
    BEGIN
        IF table_bytes IS NULL THEN
            reason := 'files are missing';
        ELSIF approx IS NOT NULL THEN
            EXECUTE format('SELECT s.table_len, s.approx_tuple_count, s.dead_tuple_count, s.dead_tuple_len, s.approx_free_space FROM %s($1) s', approx)
               INTO table_bytes, live_rows, dead_rows, dead_bytes, free_bytes USING relation;
            method := 'pgstattuple_approx';
        ELSIF freespace IS NULL THEN
            reason := 'CREATE EXTENSION pgstattuple, or pg_freespacemap';
        ELSIF table_bytes > 0 AND steward.try_relation_size(relation, 'fsm') = 0 THEN
            reason := format('no free space map: VACUUM %s', relation);
        ELSE
            EXECUTE format('SELECT coalesce(sum(%s($1, p)), 0) FROM generate_series(0, $2 - 1) p', freespace)
               INTO free_bytes USING relation, table_bytes / current_setting('block_size')::integer;
            method := 'pg_freespace';
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        reason := format('%s is locked', relation);
    WHEN insufficient_privilege OR feature_not_supported OR wrong_object_type THEN
        reason := SQLERRM;
    END;
    -- what the fillfactor keeps free is meant to be
    IF free_bytes IS NOT NULL THEN
        bloat_bytes := coalesce(dead_bytes, 0)
            + greatest(free_bytes - table_bytes * (100 - steward_internal.monitor_fillfactor(class.reloptions, 100)) / 100, 0);
    END IF;
    bloat_percent := CASE WHEN table_bytes > 0 THEN round(100.0 * bloat_bytes / table_bytes, 1) ELSE bloat_bytes END;
END $$;
REVOKE ALL ON FUNCTION steward.table_bloat_measured(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward.table_bloat_measured(regclass) TO pg_monitor;
COMMENT ON FUNCTION steward.table_bloat_measured(regclass) IS
'Measures dead rows and free space of a table: by pgstattuple_approx, which reads the pages that are not all-visible, else from its free space map, which knows no dead rows. Waits for a lock for a second at most.';
