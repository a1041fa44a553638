-- The report: one page that stands by itself, whatever is in it.
\set VERBOSITY terse
\pset format unaligned
\pset tuples_only on
-- the example of the documentation
SELECT steward.snapshot() > 0;
SELECT steward.snapshot() > 0;
SELECT steward.report() LIKE '<!DOCTYPE html>%</html>';

--
-- Its parts
--

CREATE TEMP TABLE pages (name text, page text);
INSERT INTO pages VALUES ('interval', steward.report(now() - interval '1 hour', clock_timestamp()));
INSERT INTO pages VALUES ('present', steward.report(now() - interval '2 years', now() - interval '1 year'));
SELECT name, (SELECT string_agg(m[1], ' ') FROM regexp_matches(page, '<section id="(\w+)">', 'g') m) FROM pages ORDER BY name;
SELECT name, (SELECT count(*) FROM regexp_matches(page, '<svg ', 'g')) AS charts,
       page LIKE '%Fewer than two snapshots%' AS says_so, page LIKE '%Charts take two snapshots%' AS says_why,
       page LIKE '%Not available%' AS failed FROM pages ORDER BY name;
-- it asks for nothing, and runs nothing
SELECT name, page ~* '<(script|link|img|iframe|object|embed|base|form|style[^>]*src)' AS loads, page ~* '\s(src|srcset|on\w+)\s*=' AS attributes,
       page ~* '(url\(|@import|javascript:|https?://)' AS addresses, page LIKE '%content="default-src ''none''; style-src ''unsafe-inline''"%' AS forbids FROM pages ORDER BY name;
-- all is closed that is opened
SELECT name, tag, (SELECT count(*) FROM regexp_matches(page, '<' || tag || '[ >]', 'g')) = (SELECT count(*) FROM regexp_matches(page, '</' || tag || '>', 'g')) AS closed
  FROM pages, unnest('{html,body,section,table,tr,td,div,svg,figure,details,dl,code}'::text[]) tag ORDER BY name, tag;

--
-- Escaping
--

SELECT steward_internal.html_escape('<b>"Tom" & ''Jerry''</b>');
SELECT steward_internal.html_escape(E'a\x01b\x7f\x1b[0m\tc\nd');
SELECT steward_internal.html_escape(U&'\202Eevil\202C \2066x\2069 \200Fy \0085 \FEFF \FFFE \+01FFFF \+10FFFE z');
SELECT steward_internal.html_escape(U&'Gr\00fc\00dfe, \4f60\597d, \+01F418') = U&'Gr\00fc\00dfe, \4f60\597d, \+01F418';
SELECT steward_internal.html_escape(NULL) IS NULL;
-- a status, a share and a kind of cell that are none
SELECT steward_internal.report_cell('!', 'OK" onclick="x'), steward_internal.report_cell('%', '10%;} body{display:none'), steward_internal.report_cell('<', '<');
SELECT steward_internal.report_table('<h>', ARRAY['a<', '>b"'], '[["<i>", "1</td>"], [null, null]]');
SELECT steward_internal.report_table('Nothing', '{a}', NULL, '<none>');
SELECT chart ~ '<(t|l)>' AS injected, chart LIKE '%&lt;/svg&gt;%' AS there, (SELECT count(*) FROM regexp_matches(chart, '</svg>', 'g')) AS ends
  FROM steward_internal.report_chart('<t>', '"', ARRAY['</svg>', '<l>'], '[[0, 60, 1, null], [60, 120, 3, 2]]') chart;

-- everything that users name
CREATE SCHEMA "<script>alert('schema')</script>";
CREATE TABLE "<script>alert('schema')</script>"."""><img src=x onerror=alert('table')>]]>" (a integer, b text);
INSERT INTO "<script>alert('schema')</script>"."""><img src=x onerror=alert('table')>]]>" SELECT i, i FROM generate_series(1, 300) i;
DELETE FROM "<script>alert('schema')</script>"."""><img src=x onerror=alert('table')>]]>" WHERE a < 100;
CREATE INDEX "</table></svg><script>" ON "<script>alert('schema')</script>"."""><img src=x onerror=alert('table')>]]>" (a);
CREATE INDEX "</style><script>" ON "<script>alert('schema')</script>"."""><img src=x onerror=alert('table')>]]>" (a, b);
CREATE ROLE "regress_<img src=x onerror=alert(1)>";
ALTER ROLE "regress_<img src=x onerror=alert(1)>" SET app.name = '<script>alert("setting")</script>';
INSERT INTO steward.health_queries (check_name, query, warning, unit, hint)
VALUES ('<script>check</script>', $$SELECT 2 AS value, '<script>detail</script>' AS detail$$, 1, '<script>unit</script>', '</td><script>hint</script>'),
       ('fails', $$SELECT '<script>error</script>'::integer AS value, NULL AS detail$$, 1, '', '');
SET application_name = '<script>alert("application")</script>';
SELECT pg_stat_force_next_flush();
SELECT steward.snapshot() > 0;
INSERT INTO pages VALUES ('hostile', steward.report(now() - interval '1 hour', clock_timestamp()));
SELECT page ~* '<(script|img)' AS injected, page LIKE '%&lt;script&gt;alert(&#39;schema&#39;)%' AS schema_there, page LIKE '%&lt;img src=x onerror=alert(&#39;table&#39;)&gt;]]&gt;%' AS table_there,
       page LIKE '%&lt;/style&gt;&lt;script&gt;%' AS index_there, page LIKE '%<td>default</td><td>&lt;script&gt;alert(&quot;setting&quot;)&lt;/script&gt;</td>%' AS changed_setting_there,
       page LIKE '%&lt;script&gt;check&lt;/script&gt;%' AS check_there, page LIKE '%&lt;script&gt;error&lt;/script&gt;%' AS error_there,
       (SELECT count(*) FROM regexp_matches(page, '</(table|svg|style)>', 'g')) = (SELECT count(*) FROM regexp_matches(page, '<(table|svg|style)[ >]', 'g')) AS closed
  FROM pages WHERE name = 'hostile';
-- statements, whose texts the snapshots keep
INSERT INTO steward.snapshot_objects (source, object_key, object) VALUES ('slow_queries', 'made up', E'SELECT ''</code><script>alert(1)</script>'' /* ]]> \u202e */, ' || repeat('x', 500));
INSERT INTO steward.snapshot_rows (snapshot_id, object_id, counters, gauges)
SELECT s.id, o.id, jsonb_build_object('calls', s.id, 'total_seconds', s.id * 1e6, 'rows', s.id), '{"user_name": "<script>u</script>", "database_name": "<d>"}'
  FROM steward.snapshots s, steward.snapshot_objects o WHERE o.object_key = 'made up';
SELECT page ~* '<(script|d)>' AS injected, page LIKE '%SELECT &#39;&lt;/code&gt;&lt;script&gt;%]]&gt; &#xFFFD; */, xxx%x ...<%' AS there FROM steward.report() page;

--
-- Figures
--

SELECT v, steward_internal.report_number(v), steward_internal.report_bytes(v), steward_internal.report_seconds(v), steward_internal.report_scale(v, 'bytes') >= v AS bytes_fit, steward_internal.report_scale(v, '/s') >= v AS fits
  FROM unnest('{0,0.0001234,0.5,1,9.999,99.96,1023,1024,123456,7500000,1e15}'::numeric[]) v;
SELECT steward_internal.report_bytes(-2048), steward_internal.report_seconds(-3.5), steward_internal.report_number(NULL) IS NULL, steward_internal.report_scale(NULL, ''), steward_internal.report_scale(97, '%'), steward_internal.report_scale(0, 'bytes/s');
SELECT steward_internal.report_setting('shared_buffers', '16384', '8kB'), steward_internal.report_setting('work_mem', '4096', 'kB'), steward_internal.report_setting('x', '64MB', 'kB'),
       steward_internal.report_setting('max_wal_size', '1024', 'MB'), steward_internal.report_setting('lock_timeout', '100', 'ms'), steward_internal.report_setting('temp_file_limit', '-1', 'kB'), steward_internal.report_setting('my_password', 'x', NULL);
-- a gap where nothing is known
SELECT steward_internal.report_chart('t', '/s', '{a}', '[[0, 60, 1], [60, 120, null], [120, 180, 2]]') ~ 'class="line k1" d="M58.0,[\d.]+H156.0M254.0,[\d.]+H352.0"';
SELECT steward_internal.report_chart('t', '/s', '{a}', '[[0, 60, null]]') ~ 'unknown', steward_internal.report_chart('t', '/s', '{a}', NULL) IS NULL;

--
-- Who may, and what is refused
--

\set VERBOSITY default
SELECT steward.report(now(), now() - interval '1 day');
SELECT steward.report(NULL);
\set VERBOSITY terse
CREATE ROLE regress_report_nobody;
CREATE ROLE regress_report_monitor;
GRANT pg_monitor TO regress_report_monitor;
SET ROLE regress_report_nobody;
SELECT steward.report();
SET ROLE regress_report_monitor;
SELECT page LIKE '%</html>' AS whole, page LIKE '%Not available%' AS failed FROM steward.report(now() - interval '1 hour', clock_timestamp()) page;
RESET ROLE;
-- a section that fails says why, and the others stand
BEGIN;
ALTER TABLE steward.health_queries RENAME COLUMN hint TO "<script>";
SELECT (SELECT count(*) FROM regexp_matches(page, 'Not available: ', 'g')) AS failed, page ~* '<script' AS injected, (SELECT count(*) FROM regexp_matches(page, '<section ', 'g')) AS sections
  FROM steward.report() page;
ROLLBACK;

DELETE FROM steward.health_queries WHERE is_custom;
TRUNCATE steward.snapshots, steward.snapshot_sources, steward.snapshot_objects, steward.snapshot_rows;
RESET application_name;
DROP SCHEMA "<script>alert('schema')</script>" CASCADE;
DROP ROLE "regress_<img src=x onerror=alert(1)>", regress_report_nobody, regress_report_monitor;
