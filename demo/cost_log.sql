-- The log's size and its events, as lines for demo.cost.
\pset format csv
\pset tuples_only on
SELECT CASE :'trail' WHEN 'pg_steward' THEN 'steward.audit_events' ELSE 'audit_logs' END AS log \gset
SELECT sum(pg_total_relation_size(oid)) AS size FROM pg_class
WHERE oid = :'log'::regclass OR oid IN (SELECT relid FROM pg_partition_tree(:'log')) \gset
SELECT count(*) AS events FROM :log \gset
SELECT :'trail', 'size', :size UNION ALL SELECT :'trail', 'bytes', :size::numeric / :events;
