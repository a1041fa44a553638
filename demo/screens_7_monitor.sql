\echo :b'18. Is all well with the server?':n'   steward.health_check, where it is not OK'
SELECT check_name AS "check", status, coalesce(trim_scale(round(value, 2)) || ' ' || unit, '-') AS value, left(detail, 30) AS detail, left(coalesce(remedy, hint), 44) AS "what to do"
FROM steward.health_check WHERE status <> 'OK' ORDER BY status_code % 3 DESC, check_name COLLATE "C";
SELECT checks, checks - warnings - criticals - unknowns AS "OK", warnings, criticals, unknowns, round(elapsed_ms) || ' ms' AS took FROM steward.health_summary;
SELECT demo.check(checks > 20 AND unknowns < checks / 2, 'the health check looks at the server') FROM steward.health_summary \g /dev/null

\echo :b'19. The last minute as a page':n'   SELECT steward.report()'
SELECT steward.snapshot() \g /dev/null
SELECT to_char(max(taken_at) - min(taken_at), 'MI:SS') AS "time", count(*) AS snapshots, pg_size_pretty(pg_total_relation_size('steward.snapshot_rows')) AS size,
       count(*) FILTER (WHERE EXISTS (SELECT FROM steward.snapshot_sources s WHERE s.snapshot_id = id AND s.problem IS NOT NULL)) AS "with gaps" FROM steward.snapshots;
SELECT steward.report(now() - interval '1 hour', clock_timestamp()) AS page \gset
SELECT demo.check(:'page' LIKE '<!DOCTYPE html>%</html>' AND :'page' ~ '<svg ' AND :'page' !~ '<script|Not available', 'the report is whole') \g /dev/null
\out :report
\qecho :page
\out
\echo 'The report is in' :report
\echo
