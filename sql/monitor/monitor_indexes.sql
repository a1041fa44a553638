-- monitor_indexes: which indexes are used, superfluous, missing or broken.

CREATE VIEW steward.index_usage AS
SELECT s.schemaname AS schema_name, s.relname AS table_name, s.indexrelname AS index_name, s.relid AS relation_id, s.indexrelid AS index_id,
       am.amname AS access_method, ARRAY(SELECT coalesce(a.attname, '(expression)') FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                                         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                                        WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS key_columns,
       i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisvalid AS is_valid, i.indpred IS NOT NULL AS is_partial,
       s.idx_scan AS scans, s.idx_tup_read AS entries_read, s.idx_tup_fetch AS rows_fetched,
       CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN (to_jsonb(s) ->> 'last_idx_scan')::timestamptz END AS last_scan,
       steward.try_relation_size(c.oid) AS index_bytes
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid
  JOIN pg_class c ON c.oid = s.indexrelid
  JOIN pg_am am ON am.oid = c.relam;
COMMENT ON VIEW steward.index_usage IS
'How often each index was used on this server since its counters began, and how large it is.';
COMMENT ON COLUMN steward.index_usage.schema_name IS 'The schema of table and index.';
COMMENT ON COLUMN steward.index_usage.table_name IS 'The table.';
COMMENT ON COLUMN steward.index_usage.index_name IS 'The index.';
COMMENT ON COLUMN steward.index_usage.relation_id IS 'The table''s oid.';
COMMENT ON COLUMN steward.index_usage.index_id IS 'The index''s oid.';
COMMENT ON COLUMN steward.index_usage.access_method IS 'One of btree, hash, gin, ...';
COMMENT ON COLUMN steward.index_usage.key_columns IS 'What it sorts or finds by, in order; (expression) where that is no column.';
COMMENT ON COLUMN steward.index_usage.is_unique IS 'Whether it keeps values unique.';
COMMENT ON COLUMN steward.index_usage.is_primary IS 'Whether it is the primary key''s.';
COMMENT ON COLUMN steward.index_usage.is_valid IS 'Whether queries may use it.';
COMMENT ON COLUMN steward.index_usage.is_partial IS 'Whether it has a WHERE.';
COMMENT ON COLUMN steward.index_usage.scans IS 'Index scans begun, those of foreign keys'' checks among them.';
COMMENT ON COLUMN steward.index_usage.entries_read IS 'Index entries they returned.';
COMMENT ON COLUMN steward.index_usage.rows_fetched IS 'Live rows fetched by plain index scans.';
COMMENT ON COLUMN steward.index_usage.last_scan IS 'When the last scan''s transaction ended; null if there was none, and before 16.';
COMMENT ON COLUMN steward.index_usage.index_bytes IS 'Bytes of its main fork; null if the file is missing, as those of unlogged ones on a standby.';
GRANT SELECT ON steward.index_usage TO pg_monitor;

--
-- Too many
--

CREATE FUNCTION steward_internal.monitor_column_collations(relation oid, columns smallint[]) RETURNS oid[]
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
RETURN ARRAY(SELECT a.attcollation FROM unnest(columns) WITH ORDINALITY x(attnum, place) JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = x.attnum ORDER BY x.place);
REVOKE ALL ON FUNCTION steward_internal.monitor_column_collations(oid, smallint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION steward_internal.monitor_column_collations(oid, smallint[]) TO pg_monitor;
COMMENT ON FUNCTION steward_internal.monitor_column_collations(oid, smallint[]) IS
'Returns the collations of columns of a table. As a subquery of a view it would look so costly that the server compiles the view for seconds.';

-- A query on the referring columns needs them in front, plain, and compared as the columns are.
CREATE VIEW steward_internal.monitor_fk_indexes AS
SELECT k.oid AS constraint_id, i.indexrelid AS index_id
  FROM pg_constraint k
  JOIN pg_index i ON i.indrelid = k.conrelid
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_am am ON am.oid = c.relam
 CROSS JOIN LATERAL (SELECT (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] AS columns, (i.indcollation::oid[])[0:cardinality(k.conkey) - 1] AS collations) x
 WHERE k.contype = 'f' AND i.indisvalid AND am.amname IN ('btree', 'hash', 'gist')
   AND i.indnkeyatts >= cardinality(k.conkey) AND x.columns @> k.conkey
   -- what equals something is not null
   AND (i.indpred IS NULL
        OR substring(i.indpred::text FROM '^\{NULLTEST :arg \{VAR :varno 1 :varattno (\d+) [^{}]*\} :nulltesttype 1 :argisrow false :location -?\d+\}$')::smallint = ANY (k.conkey))
   AND x.collations = steward_internal.monitor_column_collations(i.indrelid, x.columns);
COMMENT ON VIEW steward_internal.monitor_fk_indexes IS
'Which indexes find the rows that refer to a row, by foreign key.';
COMMENT ON COLUMN steward_internal.monitor_fk_indexes.constraint_id IS 'The foreign key''s oid in pg_constraint.';
COMMENT ON COLUMN steward_internal.monitor_fk_indexes.index_id IS 'The index''s oid.';

-- Indexes that do more than to be scanned are no candidates.
CREATE VIEW steward.unused_indexes AS
WITH RECURSIVE counted AS MATERIALIZED (
    SELECT d.stats_reset AS since, clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time()) AS counted_for,
           pg_is_in_recovery() OR EXISTS (SELECT FROM pg_replication_slots s WHERE s.slot_type = 'physical')
           OR EXISTS (SELECT FROM pg_stat_replication r WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')) AS has_standbys
      FROM pg_stat_database d WHERE d.datname = current_database()
), tree AS (
    SELECT c.oid AS root, c.oid AS index_id
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
     WHERE i.indisvalid AND NOT i.indisunique AND NOT i.indisprimary AND NOT i.indisexclusion AND NOT i.indisreplident AND NOT i.indisclustered
       -- the planner may need its statistics
       AND i.indexprs IS NULL
     UNION ALL
    -- those of partitions go with that of the table
    SELECT t.root, h.inhrelid FROM tree t JOIN pg_inherits h ON h.inhparent = t.index_id
), unused AS (
    SELECT t.root, sum(steward.try_relation_size(t.index_id))::bigint AS index_bytes
      FROM tree t
     GROUP BY t.root
    HAVING coalesce(sum(pg_stat_get_numscans(t.index_id)), 0) = 0
)
SELECT t.schema_name, t.table_name, c.relname AS index_name, c.oid AS index_id, 0::bigint AS scans,
       u.index_bytes, d.since AS counted_since, d.counted_for, d.has_standbys,
       format('DROP INDEX %s%I.%I;', CASE c.relkind WHEN 'i' THEN 'CONCURRENTLY ' END, t.schema_name, c.relname) AS remedy
  FROM unused u
  JOIN pg_class c ON c.oid = u.root
  JOIN pg_index i ON i.indexrelid = u.root
  JOIN steward_internal.monitor_user_tables t ON t.relation = i.indrelid
 CROSS JOIN counted d
 WHERE u.root NOT IN (SELECT k.conindid FROM pg_constraint k) AND u.root NOT IN (SELECT f.index_id FROM steward_internal.monitor_fk_indexes f);
COMMENT ON VIEW steward.unused_indexes IS
'Indexes that were not used since the counters began, on this server, and that nothing else needs: no constraint, foreign key, replica identity, CLUSTER or statistics of an expression.';
COMMENT ON COLUMN steward.unused_indexes.schema_name IS 'The schema of table and index.';
COMMENT ON COLUMN steward.unused_indexes.table_name IS 'The table.';
COMMENT ON COLUMN steward.unused_indexes.index_name IS 'The index; that of a partitioned table stands for those of its partitions.';
COMMENT ON COLUMN steward.unused_indexes.index_id IS 'The index''s oid.';
COMMENT ON COLUMN steward.unused_indexes.scans IS 'Scans counted: 0.';
COMMENT ON COLUMN steward.unused_indexes.index_bytes IS 'Bytes that it takes; null if the file is missing.';
COMMENT ON COLUMN steward.unused_indexes.counted_since IS 'When the counters were reset; null if never.';
COMMENT ON COLUMN steward.unused_indexes.counted_for IS 'Since then, or since the server started: at least so long nothing used it, if it is as old.';
COMMENT ON COLUMN steward.unused_indexes.has_standbys IS 'Whether another server has the index too, where it may be used.';
COMMENT ON COLUMN steward.unused_indexes.remedy IS 'What drops it; keep pg_get_indexdef() of it.';
GRANT SELECT ON steward.unused_indexes TO pg_monitor;

-- Storage options and the order of building do not make an index worth keeping, but what it enforces does.
CREATE VIEW steward.redundant_indexes AS
WITH indexes AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, c.relname, c.relkind, c.relam, am.amname = 'btree' AS is_btree, i.indnkeyatts,
           i.indisunique AND i.indimmediate AS enforces, i.indisunique AND i.indnullsnotdistinct AS enforces_nulls,
           i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.indisclustered OR c.relispartition OR k.conindid IS NOT NULL AS is_needed,
           -- key by key: column, operator class, collation and order
           ARRAY(SELECT concat_ws(' ', x.attnum, i.indclass[x.place::integer - 1], i.indcollation[x.place::integer - 1], i.indoption[x.place::integer - 1])
                   FROM unnest(i.indkey) WITH ORDINALITY x(attnum, place) WHERE x.place <= i.indnkeyatts ORDER BY x.place) AS keys,
           (i.indkey::smallint[])[i.indnkeyatts:] AS included, i.indkey::smallint[] AS columns,
           -- as trees: to print them would take locks
           CASE WHEN i.indexprs IS NULL THEN '' ELSE regexp_replace(i.indexprs::text, ':(location|list_start|list_end) -?\d+', '', 'g') END AS expressions,
           CASE WHEN i.indpred IS NULL THEN '' ELSE regexp_replace(i.indpred::text, ':(location|list_start|list_end) -?\d+', '', 'g') END AS predicate,
           -- those of other access methods say how finely it finds
           CASE WHEN am.amname NOT IN ('btree', 'hash')
                THEN concat((SELECT string_agg(o, ' ' ORDER BY o) FROM unnest(c.reloptions) o), a.options) END AS options
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
      JOIN pg_am am ON am.oid = c.relam
      LEFT JOIN (SELECT DISTINCT k.conindid FROM pg_constraint k) k ON k.conindid = i.indexrelid
      LEFT JOIN (SELECT a.attrelid, string_agg(concat_ws(' ', a.attnum, a.attoptions::text), ' ' ORDER BY a.attnum) AS options
                   FROM pg_attribute a WHERE a.attoptions IS NOT NULL GROUP BY a.attrelid) a ON a.attrelid = i.indexrelid
     WHERE i.indisvalid AND i.indisready
), pairs AS (
    SELECT r.indexrelid, k.indexrelid AS other_id, k.is_needed, k.indnkeyatts, cardinality(k.columns) AS width, k.enforces, k.enforces_nulls,
           k.relname AS other_name, r.indnkeyatts = k.indnkeyatts AS same_keys
      FROM indexes r
      JOIN indexes k ON k.indrelid = r.indrelid AND k.indexrelid <> r.indexrelid AND k.relam = r.relam
                    AND k.predicate = r.predicate AND k.options IS NOT DISTINCT FROM r.options
                    AND k.keys[1:r.indnkeyatts] = r.keys AND r.included <@ k.columns
                    AND (k.enforces AND k.indnkeyatts = r.indnkeyatts OR NOT r.enforces)
                    AND (k.enforces_nulls OR NOT r.enforces_nulls)
                    AND (k.indnkeyatts = r.indnkeyatts AND k.expressions = r.expressions
                         -- a list of expressions ends with a parenthesis
                         OR r.is_btree AND k.indnkeyatts > r.indnkeyatts AND starts_with(k.expressions, left(r.expressions, -1)))
     WHERE NOT r.is_needed
       -- of two that do the same work one goes
       AND (k.is_needed OR k.indexrelid < r.indexrelid
            OR NOT (r.indnkeyatts = k.indnkeyatts AND k.included <@ r.columns AND r.enforces = k.enforces AND r.enforces_nulls = k.enforces_nulls))
)
SELECT t.schema_name, t.table_name, c.relname AS index_name, p.indexrelid AS index_id, p.other_name AS covered_by,
       CASE WHEN p.same_keys THEN 'the same keys' ELSE 'its keys come first in the other' END AS reason,
       -- a partitioned index is as large as those of the partitions
       (WITH RECURSIVE tree AS (SELECT p.indexrelid AS index_id UNION ALL SELECT h.inhrelid FROM tree x JOIN pg_inherits h ON h.inhparent = x.index_id)
        SELECT sum(steward.try_relation_size(x.index_id))::bigint FROM tree x) AS index_bytes,
       format('DROP INDEX %s%I.%I;', CASE c.relkind WHEN 'i' THEN 'CONCURRENTLY ' END, t.schema_name, c.relname) AS remedy
  FROM (SELECT DISTINCT ON (p.indexrelid) p.* FROM pairs p
         -- one that stays
         ORDER BY p.indexrelid, p.indnkeyatts DESC, p.is_needed DESC, p.enforces DESC, p.enforces_nulls DESC, p.width DESC, p.other_id) p
  JOIN pg_class c ON c.oid = p.indexrelid
  JOIN pg_index i ON i.indexrelid = p.indexrelid
  JOIN steward_internal.monitor_user_tables t ON t.relation = i.indrelid;
COMMENT ON VIEW steward.redundant_indexes IS
'Indexes without which another one of the table does as well.';
COMMENT ON COLUMN steward.redundant_indexes.schema_name IS 'The schema of table and index.';
COMMENT ON COLUMN steward.redundant_indexes.table_name IS 'The table.';
COMMENT ON COLUMN steward.redundant_indexes.index_name IS 'The index that can go; that of a partitioned table stands for those of its partitions.';
COMMENT ON COLUMN steward.redundant_indexes.index_id IS 'Its oid.';
COMMENT ON COLUMN steward.redundant_indexes.covered_by IS 'The index of the table that does its work, and is not itself in this list.';
COMMENT ON COLUMN steward.redundant_indexes.reason IS 'Whether they have the same keys, or its keys come first in the other.';
COMMENT ON COLUMN steward.redundant_indexes.index_bytes IS 'Bytes that it takes; null if the file is missing.';
COMMENT ON COLUMN steward.redundant_indexes.remedy IS 'What drops it; keep pg_get_indexdef() of it.';
GRANT SELECT ON steward.redundant_indexes TO pg_monitor;

--
-- Missing
--

CREATE VIEW steward.foreign_keys_without_index AS
WITH RECURSIVE roots AS (
    SELECT k.oid AS root, k.oid AS constraint_id, k.conrelid
      FROM pg_constraint k
     WHERE k.contype = 'f' AND k.conparentid = 0
       -- from 18 on there are some that nobody checks
       AND CASE WHEN current_setting('server_version_num')::integer >= 180000 THEN (to_jsonb(k) ->> 'conenforced')::boolean ELSE true END
), below AS (
    SELECT r.* FROM roots r JOIN pg_partitioned_table p ON p.partrelid = r.conrelid
     UNION ALL
    -- that of the partitions; a partition that is referenced has one of the same table
    SELECT b.root, k.oid, k.conrelid
      FROM below b JOIN pg_constraint k ON k.conparentid = b.constraint_id AND k.conrelid <> b.conrelid
), unserved AS (
    SELECT t.root, CASE WHEN bool_and(c.reltuples >= 0) FILTER (WHERE c.relkind = 'r') THEN sum(c.reltuples) FILTER (WHERE c.relkind = 'r')::bigint END AS estimated_rows,
           sum(steward.try_relation_size(c.oid)) FILTER (WHERE c.relkind = 'r')::bigint AS table_bytes
      FROM (SELECT * FROM roots UNION SELECT * FROM below) t
      JOIN pg_class c ON c.oid = t.conrelid
      LEFT JOIN (SELECT DISTINCT f.constraint_id FROM steward_internal.monitor_fk_indexes f) f ON f.constraint_id = t.constraint_id
     GROUP BY t.root
    -- the partitions may each have an index though the table has none
    HAVING NOT bool_or(t.constraint_id = t.root AND f.constraint_id IS NOT NULL)
       AND bool_and(f.constraint_id IS NOT NULL) FILTER (WHERE c.relkind = 'r') IS NOT TRUE
)
SELECT t.schema_name, t.table_name, k.conname AS constraint_name, x.columns,
       format('%I.%I', fn.nspname, f.relname) AS referenced_table, k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd') AS cascades,
       u.estimated_rows, u.table_bytes,
       format('CREATE INDEX %sON %s (%s);', CASE t.relkind WHEN 'r' THEN 'CONCURRENTLY ' END, t.qualified_name, x.list) AS remedy
  FROM unserved u
  JOIN pg_constraint k ON k.oid = u.root
  JOIN steward_internal.monitor_user_tables t ON t.relation = k.conrelid
  JOIN pg_class f ON f.oid = k.confrelid
  JOIN pg_namespace fn ON fn.oid = f.relnamespace
 CROSS JOIN LATERAL (
    SELECT array_agg(a.attname ORDER BY y.place) AS columns, string_agg(quote_ident(a.attname), ', ' ORDER BY y.place) AS list
      FROM unnest(k.conkey) WITH ORDINALITY y(attnum, place)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = y.attnum) x;
COMMENT ON VIEW steward.foreign_keys_without_index IS
'Foreign keys that no index of the referring table serves: a DELETE or key UPDATE of a referenced row reads all of it.';
COMMENT ON COLUMN steward.foreign_keys_without_index.schema_name IS 'The schema of the referring table.';
COMMENT ON COLUMN steward.foreign_keys_without_index.table_name IS 'The referring table; a partitioned one stands for its partitions.';
COMMENT ON COLUMN steward.foreign_keys_without_index.constraint_name IS 'The foreign key.';
COMMENT ON COLUMN steward.foreign_keys_without_index.columns IS 'Its columns.';
COMMENT ON COLUMN steward.foreign_keys_without_index.referenced_table IS 'The table that it refers to, quoted.';
COMMENT ON COLUMN steward.foreign_keys_without_index.cascades IS 'Whether DELETE or UPDATE there changes rows here.';
COMMENT ON COLUMN steward.foreign_keys_without_index.estimated_rows IS 'Rows that are read each time, when VACUUM or ANALYZE last looked; null if none did.';
COMMENT ON COLUMN steward.foreign_keys_without_index.table_bytes IS 'Bytes that are read each time; null for a partitioned table without partitions.';
COMMENT ON COLUMN steward.foreign_keys_without_index.remedy IS 'What makes an index; that of a partitioned table blocks writes meanwhile.';
GRANT SELECT ON steward.foreign_keys_without_index TO pg_monitor;

CREATE VIEW steward.tables_without_primary_key AS
WITH published AS MATERIALIZED (
    SELECT r.prrelid AS relation
      FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
     WHERE NOT p.puballtables AND (p.pubupdate OR p.pubdelete)
     UNION
    SELECT c.oid
      FROM pg_publication_namespace n
      JOIN pg_publication p ON p.oid = n.pnpubid
      JOIN pg_class c ON c.relnamespace = n.pnnspid
     WHERE p.pubupdate OR p.pubdelete
     UNION
    -- what such a publication has in pg_publication_rel is left out of it
    SELECT c.oid
      FROM pg_publication p CROSS JOIN pg_class c
     WHERE p.puballtables AND (p.pubupdate OR p.pubdelete) AND c.relkind IN ('r', 'p')
       AND NOT EXISTS (SELECT FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid)
), members AS (
    SELECT t.relation AS root, c.relkind, c.relpersistence = 'p' AND p.relation IS NOT NULL AS is_published,
           c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident) AS has_replica_identity
      FROM steward_internal.monitor_user_tables t
      LEFT JOIN pg_index i ON i.indrelid = t.relation AND i.indisprimary
      LEFT JOIN steward_internal.monitor_partition_tree y ON y.root = t.relation
      JOIN pg_class c ON c.oid = coalesce(y.relation, t.relation)
      LEFT JOIN published p ON p.relation = c.oid
     WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND i.indexrelid IS NULL
), roots AS (
    SELECT m.root, bool_or(m.is_published) AS is_published,
           -- that of a partitioned table itself is of no use
           coalesce(bool_and(m.has_replica_identity) FILTER (WHERE m.relkind = 'r'), false) AS has_replica_identity
      FROM members m GROUP BY m.root
)
SELECT t.schema_name, t.table_name, t.relation AS relation_id, x.relname AS unique_not_null_index, r.has_replica_identity, r.is_published, t.estimated_rows,
       CASE WHEN x.definition IS NOT NULL THEN format('ALTER TABLE %s ADD PRIMARY KEY %s;', t.qualified_name, x.definition) END AS remedy
  FROM roots r
  JOIN steward_internal.monitor_user_tables t ON t.relation = r.root
  LEFT JOIN LATERAL (
       -- a key by which rows can be told, even if it is not called primary
       SELECT c.relname,
              CASE WHEN t.relkind = 'r' AND y.is_default AND NOT i.indnullsnotdistinct AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
                   THEN format('USING INDEX %I', c.relname) ELSE format('(%s)', y.list) END AS definition
         FROM pg_index i
         JOIN pg_class c ON c.oid = i.indexrelid
        CROSS JOIN LATERAL (
              SELECT bool_and(a.attnotnull) AS is_not_null, string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS list,
                     bool_and(k.option = 0 AND o.opcdefault AND k.collation_id = a.attcollation) AS is_default
                FROM unnest(i.indkey, i.indclass, i.indcollation, i.indoption) WITH ORDINALITY k(attnum, class, collation_id, option, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                JOIN pg_opclass o ON o.oid = k.class
               WHERE k.place <= i.indnkeyatts) y
        WHERE i.indrelid = t.relation AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND y.is_not_null
        ORDER BY i.indnkeyatts, c.relname LIMIT 1) x ON true;
COMMENT ON VIEW steward.tables_without_primary_key IS
'Tables without primary key, and what else tells their rows apart.';
COMMENT ON COLUMN steward.tables_without_primary_key.schema_name IS 'The table''s schema.';
COMMENT ON COLUMN steward.tables_without_primary_key.table_name IS 'Its name; a partitioned table stands for its partitions.';
COMMENT ON COLUMN steward.tables_without_primary_key.relation_id IS 'Its oid.';
COMMENT ON COLUMN steward.tables_without_primary_key.unique_not_null_index IS 'A unique index over columns that are NOT NULL; null if there is none.';
COMMENT ON COLUMN steward.tables_without_primary_key.has_replica_identity IS 'Whether it, or each of its partitions, has REPLICA IDENTITY FULL or USING INDEX.';
COMMENT ON COLUMN steward.tables_without_primary_key.is_published IS 'Whether a publication has its UPDATE or DELETE, which fail then without replica identity.';
COMMENT ON COLUMN steward.tables_without_primary_key.estimated_rows IS 'Rows when VACUUM or ANALYZE last looked; null if none did.';
COMMENT ON COLUMN steward.tables_without_primary_key.remedy IS 'What makes a primary key of unique_not_null_index; null without one.';
GRANT SELECT ON steward.tables_without_primary_key TO pg_monitor;

--
-- Broken
--

CREATE VIEW steward.invalid_objects AS
WITH relations AS NOT MATERIALIZED (
    SELECT c.oid, c.relname, c.relkind, format('%I.%I', n.nspname, c.relname) AS qualified_name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_(?!toast$)' AND n.nspname <> 'information_schema'
)
SELECT 'index' AS kind, x.qualified_name AS object, t.qualified_name AS table_name,
       CASE WHEN i.indisready THEN 'not valid: no query uses it, but every write pays for it' ELSE 'not ready: a build did not end' END AS problem,
       -- what REINDEX left is one too many, else somebody wants it
       CASE WHEN i.indislive AND x.relname !~ '_cc(new|old)\d*$' THEN format('REINDEX INDEX CONCURRENTLY %s;', x.qualified_name)
            ELSE format('DROP INDEX CONCURRENTLY %s;', x.qualified_name) END AS remedy
  FROM pg_index i
  JOIN relations x ON x.oid = i.indexrelid
  JOIN relations t ON t.oid = i.indrelid
 WHERE NOT i.indisvalid
   -- that of a partitioned table waits for those of its partitions
   AND x.relkind <> 'I'
   -- nor is one broken that is being built; REINDEX locks those it builds, but tells its progress for the last one only
   AND NOT EXISTS (SELECT FROM steward_internal.progress_rows() p
                    WHERE p.command = 'CREATE INDEX' AND p.report ->> 'datname' = current_database() AND (p.report ->> 'relid')::oid = i.indrelid)
   AND NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE l.relation = i.indexrelid AND l.mode = 'ShareUpdateExclusiveLock' AND d.datname = current_database())
 UNION ALL
SELECT 'constraint', quote_ident(k.conname), t.qualified_name, 'not validated: rows may break it',
       format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', t.qualified_name, k.conname)
  FROM pg_constraint k JOIN relations t ON t.oid = k.conrelid
 -- an inherited one is validated with that of the parent, one that 18 does not enforce never
 WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n') AND k.conislocal AND k.conparentid = 0
   AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
 UNION ALL
SELECT 'constraint', quote_ident(k.conname), format('%I.%I', n.nspname, d.typname), 'not validated: rows may break it',
       format('ALTER DOMAIN %I.%I VALIDATE CONSTRAINT %I;', n.nspname, d.typname, k.conname)
  FROM pg_constraint k
  JOIN pg_type d ON d.oid = k.contypid
  JOIN pg_namespace n ON n.oid = d.typnamespace
 WHERE NOT k.convalidated
 UNION ALL
SELECT 'constraint', quote_ident(k.conname), t.qualified_name, 'its triggers are disabled: nobody checks it',
       string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I;', t.qualified_name, g.tgname), ' ' ORDER BY g.tgname)
  FROM pg_trigger g
  JOIN pg_constraint k ON k.oid = g.tgconstraint
  JOIN relations t ON t.oid = g.tgrelid
 WHERE g.tgenabled = 'D' AND g.tgisinternal
 GROUP BY k.oid, k.conname, t.qualified_name
 UNION ALL
SELECT 'trigger', quote_ident(g.tgname), t.qualified_name, 'disabled', format('ALTER TABLE %s ENABLE TRIGGER %I;', t.qualified_name, g.tgname)
  FROM pg_trigger g JOIN relations t ON t.oid = g.tgrelid
 WHERE g.tgenabled = 'D' AND NOT g.tgisinternal
   AND NOT EXISTS (SELECT FROM pg_trigger p WHERE p.oid = g.tgparentid AND p.tgenabled = 'D')
 UNION ALL
SELECT 'event trigger', quote_ident(e.evtname), NULL, 'disabled', format('ALTER EVENT TRIGGER %I ENABLE;', e.evtname)
  FROM pg_event_trigger e
 WHERE e.evtenabled = 'D'
 UNION ALL
SELECT 'rule', quote_ident(r.rulename), t.qualified_name, 'disabled', format('ALTER TABLE %s ENABLE RULE %I;', t.qualified_name, r.rulename)
  FROM pg_rewrite r JOIN relations t ON t.oid = r.ev_class
 WHERE r.ev_enabled = 'D'
 UNION ALL
SELECT 'partition', c.qualified_name, p.qualified_name, 'DETACH PARTITION CONCURRENTLY did not end',
       format('ALTER TABLE %s DETACH PARTITION %s FINALIZE;', p.qualified_name, c.qualified_name)
  FROM pg_inherits h
  JOIN relations c ON c.oid = h.inhrelid
  JOIN relations p ON p.oid = h.inhparent
 WHERE h.inhdetachpending
 UNION ALL
SELECT 'database', quote_ident(d.datname), NULL, 'DROP DATABASE did not end: it can only be dropped', format('DROP DATABASE %I;', d.datname)
  FROM pg_database d
 WHERE d.datconnlimit = -2;
COMMENT ON VIEW steward.invalid_objects IS
'Indexes, constraints, triggers, rules, partitions and databases that are there but not in force. What fires in replicas only is meant so, and is left out.';
COMMENT ON COLUMN steward.invalid_objects.kind IS 'One of index, constraint, trigger, event trigger, rule, partition or database.';
COMMENT ON COLUMN steward.invalid_objects.object IS 'Its name, quoted; with its schema if it has one of its own.';
COMMENT ON COLUMN steward.invalid_objects.table_name IS 'The table or domain that it belongs to, quoted; null if to none.';
COMMENT ON COLUMN steward.invalid_objects.problem IS 'What is wrong.';
COMMENT ON COLUMN steward.invalid_objects.remedy IS 'What mends it.';
GRANT SELECT ON steward.invalid_objects TO pg_monitor;
