-- monitor_indexes: which indexes are used, superfluous, missing or broken.

CREATE VIEW steward.index_usage AS
SELECT s.schemaname AS schema_name, s.relname AS table_name, s.indexrelname AS index_name, s.relid AS relation_id, s.indexrelid AS index_id,
       am.amname AS access_method, ARRAY(SELECT coalesce(a.attname, '(expression)') FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place)
                                         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum <> 0
                                        WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS key_columns,
       i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisvalid AS is_valid, i.indpred IS NOT NULL AS is_partial,
       s.idx_scan AS scans, s.idx_tup_read AS entries_read, s.idx_tup_fetch AS rows_fetched,
       CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN (to_jsonb(s) ->> 'last_idx_scan')::timestamptz END AS last_scan,
       c.relpages * current_setting('block_size')::bigint AS index_bytes
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid
  JOIN pg_class c ON c.oid = s.indexrelid
  JOIN pg_am am ON am.oid = c.relam;
COMMENT ON VIEW steward.index_usage IS
'How often each index was used, and how large VACUUM last saw it.';
GRANT SELECT ON steward.index_usage TO pg_monitor;

-- Indexes that do more than to be scanned are no candidates.
CREATE VIEW steward.unused_indexes AS
WITH counted AS MATERIALIZED (
    SELECT d.stats_reset AS since, clock_timestamp() - coalesce(d.stats_reset, pg_postmaster_start_time()) AS counted_for,
           EXISTS (SELECT FROM pg_stat_replication) OR EXISTS (SELECT FROM pg_replication_slots r WHERE r.slot_type = 'physical') AS has_standbys
      FROM pg_stat_database d WHERE d.datname = current_database()
)
SELECT n.nspname AS schema_name, t.relname AS table_name, c.relname AS index_name, c.oid AS index_id, pg_stat_get_numscans(c.oid) AS scans,
       c.relpages * current_setting('block_size')::bigint AS index_bytes, d.since AS counted_since, d.counted_for, d.has_standbys,
       format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname) AS remedy
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition AND c.relkind = 'i'
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
  JOIN pg_class t ON t.oid = i.indrelid
 CROSS JOIN counted d
 WHERE pg_stat_get_numscans(c.oid) = 0 AND i.indisvalid AND NOT i.indisunique AND NOT i.indisprimary AND NOT i.indisexclusion AND NOT i.indisreplident
   AND NOT i.indisclustered AND i.indexrelid NOT IN (SELECT k.conindid FROM pg_constraint k)
   -- the planner may need its statistics
   AND i.indexprs IS NULL;
COMMENT ON VIEW steward.unused_indexes IS
'Indexes that were not used since the counters began, on this server, and that nothing else needs.';
GRANT SELECT ON steward.unused_indexes TO pg_monitor;

CREATE VIEW steward.redundant_indexes AS
WITH constraints AS MATERIALIZED (
    SELECT DISTINCT k.conindid FROM pg_constraint k WHERE k.conindid <> 0
), indexes AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, c.relam, am.amname, i.indisunique, i.indnkeyatts, c.relpages,
           i.indisunique AND i.indimmediate AS enforces,
           i.indisprimary OR i.indisexclusion OR i.indisreplident OR i.indisclustered
           OR i.indexrelid IN (SELECT k.conindid FROM constraints k) AS is_needed,
           -- key by key: column, operator class, collation and order
           ARRAY(SELECT concat_ws(' ', k.attnum, i.indclass[k.place::integer - 1], i.indcollation[k.place::integer - 1], i.indoption[k.place::integer - 1])
                   FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place) WHERE k.place <= i.indnkeyatts ORDER BY k.place) AS keys,
           ARRAY(SELECT k.attnum FROM unnest(i.indkey) WITH ORDINALITY k(attnum, place) WHERE k.place > i.indnkeyatts) AS included,
           -- as trees: to print them would take locks
           coalesce(regexp_replace(i.indexprs::text, ':location -?\d+', '', 'g'), '') AS expressions,
           coalesce(regexp_replace(i.indpred::text, ':location -?\d+', '', 'g'), '') AS predicate,
           coalesce((SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) o), '{}') AS options
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid AND NOT c.relispartition
      JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
      JOIN pg_am am ON am.oid = c.relam
     WHERE i.indisvalid AND i.indisready
)
SELECT n.nspname AS schema_name, t.relname AS table_name, rc.relname AS index_name, r.indexrelid AS index_id, kn.relname AS covered_by,
       CASE WHEN r.keys = r.other_keys THEN 'the same keys' ELSE 'its keys come first in the other' END AS reason,
       r.relpages * current_setting('block_size')::bigint AS index_bytes,
       format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, rc.relname) AS remedy
  FROM (SELECT DISTINCT ON (r.indexrelid) r.*, k.indexrelid AS other, k.keys AS other_keys
          FROM indexes r
          JOIN indexes k ON k.indrelid = r.indrelid AND k.indexrelid <> r.indexrelid AND k.relam = r.relam AND k.predicate = r.predicate AND k.options = r.options
                        AND r.included <@ (k.included || ARRAY(SELECT split_part(x, ' ', 1)::smallint FROM unnest(k.keys) x))
         WHERE NOT r.is_needed
           AND CASE WHEN r.keys = k.keys THEN k.expressions = r.expressions AND (k.enforces OR NOT r.enforces)
                         -- of two alike one goes
                         AND (k.is_needed OR k.enforces AND NOT r.enforces OR cardinality(k.included) > cardinality(r.included)
                              OR k.indexrelid < r.indexrelid AND k.enforces = r.enforces AND cardinality(k.included) = cardinality(r.included))
                    ELSE r.amname = 'btree' AND NOT r.enforces AND r.keys = k.keys[1:r.indnkeyatts]
                         AND (r.expressions = '' OR r.expressions = k.expressions) END
         ORDER BY r.indexrelid, k.indexrelid) r
  JOIN pg_class rc ON rc.oid = r.indexrelid
  JOIN pg_class kn ON kn.oid = r.other
  JOIN pg_class t ON t.oid = r.indrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace;
COMMENT ON VIEW steward.redundant_indexes IS
'Indexes without which another one of the table does as well.';
GRANT SELECT ON steward.redundant_indexes TO pg_monitor;

CREATE VIEW steward.invalid_objects AS
WITH user_tables AS (
    SELECT c.oid, c.relname, n.nspname, format('%I.%I', n.nspname, c.relname) AS qualified_name
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname !~ '^pg_(?!temp)' AND n.nspname <> 'information_schema'
)
SELECT 'index' AS kind, x.qualified_name AS object, t.qualified_name AS table_name,
       CASE WHEN i.indisready THEN 'not valid: no query uses it, but every write pays for it' ELSE 'not ready: a build did not end' END AS problem,
       format('DROP INDEX CONCURRENTLY %s;', x.qualified_name) AS remedy
  FROM pg_index i
  JOIN user_tables x ON x.oid = i.indexrelid
  JOIN user_tables t ON t.oid = i.indrelid
  JOIN pg_class xc ON xc.oid = i.indexrelid
 WHERE NOT i.indisvalid
   AND NOT EXISTS (SELECT FROM steward.progress_rows() p WHERE (p.report ->> 'index_relid')::oid = i.indexrelid)
   -- that of a partitioned table waits for those of its partitions
   AND xc.relkind <> 'I'
 UNION ALL
SELECT 'constraint', quote_ident(k.conname), t.qualified_name, 'not validated: rows may break it',
       format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', t.qualified_name, k.conname)
  FROM pg_constraint k JOIN user_tables t ON t.oid = k.conrelid
 WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n')
   AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
 UNION ALL
SELECT 'trigger', quote_ident(g.tgname), t.qualified_name,
       CASE g.tgenabled WHEN 'D' THEN 'disabled' ELSE 'fires in replicas only' END,
       format('ALTER TABLE %s ENABLE TRIGGER %I;', t.qualified_name, g.tgname)
  FROM pg_trigger g JOIN user_tables t ON t.oid = g.tgrelid
 WHERE g.tgenabled IN ('D', 'R') AND NOT g.tgisinternal
 UNION ALL
SELECT 'event trigger', quote_ident(e.evtname), NULL, CASE e.evtenabled WHEN 'D' THEN 'disabled' ELSE 'fires in replicas only' END,
       format('ALTER EVENT TRIGGER %I ENABLE;', e.evtname)
  FROM pg_event_trigger e
 WHERE e.evtenabled IN ('D', 'R')
 UNION ALL
SELECT 'rule', quote_ident(r.rulename), t.qualified_name, CASE r.ev_enabled WHEN 'D' THEN 'disabled' ELSE 'fires in replicas only' END,
       format('ALTER TABLE %s ENABLE RULE %I;', t.qualified_name, r.rulename)
  FROM pg_rewrite r JOIN user_tables t ON t.oid = r.ev_class
 WHERE r.ev_enabled IN ('D', 'R')
 UNION ALL
-- a DROP DATABASE that was interrupted
SELECT 'database', quote_ident(d.datname), NULL, 'invalid: it can only be dropped', format('DROP DATABASE %I;', d.datname)
  FROM pg_database d
 WHERE d.datconnlimit = -2;
COMMENT ON VIEW steward.invalid_objects IS
'Indexes, constraints, triggers, rules and databases that are there but not in force.';
GRANT SELECT ON steward.invalid_objects TO pg_monitor;

CREATE VIEW steward.fk_without_index AS
SELECT n.nspname AS schema_name, c.relname AS table_name, k.conname AS constraint_name,
       ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY x(attnum, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum ORDER BY x.place) AS columns,
       format('%I.%I', fn.nspname, f.relname) AS referenced_table, k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd') AS cascades,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS estimated_rows, c.relpages * current_setting('block_size')::bigint AS table_bytes,
       format('CREATE INDEX CONCURRENTLY ON %I.%I (%s);', n.nspname, c.relname,
              (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY x.place) FROM unnest(k.conkey) WITH ORDINALITY x(attnum, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum)) AS remedy
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_'
  JOIN pg_class f ON f.oid = k.confrelid
  JOIN pg_namespace fn ON fn.oid = f.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
   AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am am ON am.oid = x.relam
                    WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL AND am.amname IN ('btree', 'hash')
                      -- the key's columns come first, in any order
                      AND i.indnkeyatts >= cardinality(k.conkey)
                      AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey);
COMMENT ON VIEW steward.fk_without_index IS
'Foreign keys that no index of the referring table serves: a DELETE or key UPDATE of the referenced row reads all of it.';
GRANT SELECT ON steward.fk_without_index TO pg_monitor;

CREATE VIEW steward.tables_without_primary_key AS
SELECT n.nspname AS schema_name, c.relname AS table_name, c.oid AS relation_id,
       -- a key by which rows can be told, even if it is not called primary
       (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
           AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey) AND NOT a.attnotnull)
         ORDER BY x.relname LIMIT 1) AS unique_not_null_index,
       c.relreplident = 'f' OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisreplident) AS has_replica_identity,
       EXISTS (SELECT FROM pg_publication_tables p WHERE p.schemaname = n.nspname AND p.tablename = c.relname) AS is_published,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::bigint END AS estimated_rows
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary);
COMMENT ON VIEW steward.tables_without_primary_key IS
'Tables without primary key, and what else tells their rows apart.';
GRANT SELECT ON steward.tables_without_primary_key TO pg_monitor;
