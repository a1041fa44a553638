-- Figures for Prometheus: the example of the doc page, what is refused, and how odd texts are written.
\pset format unaligned
\pset tuples_only on
CREATE TABLE orders (status text, amount numeric);
INSERT INTO orders VALUES ('paid', 12), ('paid', 8), ('sent', NULL);
INSERT INTO steward.metrics (namespace, query, columns) VALUES ('shop_orders',
    'SELECT status, count(*) AS number, sum(amount) AS amount FROM public.orders GROUP BY status ORDER BY status',
    '[["status", "LABEL", "how far the orders are"], ["number", "GAUGE", "orders"], ["amount", "GAUGE", "what they cost"]]');
SELECT steward.exporter_config('^shop_');
SELECT steward.openmetrics('^shop_');

-- what makes no sense
\set VERBOSITY terse
INSERT INTO steward.metrics (namespace, query, columns) VALUES ('no-name', 'SELECT 1 AS a', '[["a", "GAUGE", "a"]]');
INSERT INTO steward.metrics (namespace, query, columns) VALUES ('a', ' ', '[["a", "GAUGE", "a"]]');
INSERT INTO steward.metrics (namespace, query, columns) VALUES ('a', 'SELECT 1 AS a; ', '[["a", "GAUGE", "a"]]');
INSERT INTO steward.metrics (namespace, query, columns, scope) VALUES ('a', 'SELECT 1 AS a', '[["a", "GAUGE", "a"]]', 'table');
INSERT INTO steward.metrics (namespace, query, columns, cache_seconds) VALUES ('a', 'SELECT 1 AS a', '[["a", "GAUGE", "a"]]', -1);
SELECT steward_internal.metric_columns_valid(c) FROM unnest('{
    "[[\"a\", \"GAUGE\", \"a\"]]", "[[\"a\", \"LABEL\", \"a\"], [\"b\", \"COUNTER\", \"b\"]]",
    "[]", "[[\"a\", \"LABEL\", \"a\"]]", "[[\"a\", \"gauge\", \"a\"]]", "[[\"a\", null, \"a\"]]", "[[null, \"GAUGE\", \"a\"]]", "[[\"a\", \"GAUGE\"]]", "[[\"a\", \"GAUGE\", \"\"]]",
    "[[\"a b\", \"GAUGE\", \"a\"]]", "[[\"a\", \"GAUGE\", \"a\"], [\"a\", \"LABEL\", \"a\"]]", "[[\"a\", \"GAUGE\", \"a\"], [\"server\", \"LABEL\", \"a\"]]"}'::jsonb[]) WITH ORDINALITY u(c, place) ORDER BY place;

-- texts as YAML and Prometheus have them
INSERT INTO steward.metrics (namespace, scope, cache_seconds, query, columns) VALUES ('odd', 'cluster', 60,
    E'\tSELECT ''a: "b"\\ {c="d"}, #e\n%'' || U&''\\2028\\00e4'' AS "on", true AS "null",\n\n 2 ^ 60 AS "y", ''NaN''::float8 AS n, ''-Infinity''::float8 AS i, NULL AS nothing -- the end',
    '[["on", "LABEL", "~"], ["null", "GAUGE", "yes: \"no\" \\ # \u2028 \n- ''x'': y"], ["y", "COUNTER", "y"], ["n", "GAUGE", "n"], ["i", "GAUGE", "i"], ["nothing", "GAUGE", "nothing"]]');
SELECT steward.exporter_config('^odd$');
SELECT steward.openmetrics('odd', scope => 'cluster');
SELECT steward.openmetrics('odd', scope => 'database');
SELECT steward_internal.yaml_text(E'\u0001\u007f\u0085\ufeff"\\');

-- one that fails, or says the same twice, or no number, is left out and named
INSERT INTO steward.metrics (namespace, query, columns) VALUES
    ('wrong_1', 'SELECT 1 / 0 AS a', '[["a", "GAUGE", "a"]]'),
    ('wrong_2', 'SELECT 1 AS a UNION ALL SELECT 2', '[["a", "GAUGE", "a"]]'),
    ('wrong_3', 'SELECT ''today''::text AS a', '[["a", "GAUGE", "a"]]'),
    ('wrong_4', 'SELECT 1 AS a', '[["a", "GAUGE", "a"]]');
SELECT steward.openmetrics('^wrong_');
DELETE FROM steward.metrics WHERE is_custom;

-- The extension's own: they run as a member of pg_monitor, give the columns that they promise, numbers and labels
-- that are never null, and no labels twice.
CREATE ROLE regress_exporter;
GRANT pg_monitor TO regress_exporter;
GRANT CREATE, USAGE ON SCHEMA public TO regress_exporter;
SET ROLE regress_exporter;
DO $$
DECLARE
    m record;
    labels text;
    problem text;
    rows_found bigint;
BEGIN
    FOR m IN SELECT * FROM steward.metrics ORDER BY namespace COLLATE "C" LOOP
        EXECUTE format('CREATE TEMP VIEW metric AS %s', m.query);
        SELECT string_agg(format('%I', c.column_name), ', ') INTO labels FROM steward.metric_columns(m.columns) c WHERE c.usage = 'LABEL';
        FOR problem IN
            SELECT format('%s is %s', coalesce(c.column_name, a.attname), coalesce(c.usage || ' of type ' || format_type(a.atttypid, NULL), CASE WHEN c.usage IS NULL THEN 'not listed' ELSE 'not there' END))
              FROM steward.metric_columns(m.columns) c
              FULL JOIN (SELECT a.attname::text, a.atttypid FROM pg_attribute a WHERE a.attrelid = 'metric'::regclass AND a.attnum > 0) a ON a.attname = c.column_name
             WHERE (CASE c.usage WHEN 'LABEL' THEN a.atttypid = 'text'::regtype
                                 ELSE a.atttypid IN ('integer'::regtype, 'bigint'::regtype, 'numeric'::regtype, 'double precision'::regtype, 'boolean'::regtype) END) IS NOT TRUE
        LOOP
            RAISE WARNING '%: %', m.namespace, problem;
        END LOOP;
        IF labels IS NOT NULL THEN
            EXECUTE format('SELECT count(*) FROM (SELECT FROM metric GROUP BY %s HAVING count(*) > 1) x', labels) INTO rows_found;
            IF rows_found > 0 THEN
                RAISE WARNING '%: labels twice', m.namespace;
            END IF;
            EXECUTE format('SELECT count(*) FROM metric m WHERE num_nulls(%s) > 0', labels) INTO rows_found;
            IF rows_found > 0 THEN
                RAISE WARNING '%: a label is null', m.namespace;
            END IF;
        END IF;
        SELECT string_agg(format('%I', c.column_name), ', ') INTO labels FROM steward.metric_columns(m.columns) c WHERE c.usage <> 'LABEL' AND c.column_name <> 'value';
        EXECUTE format('SELECT count(*) FROM metric m WHERE num_nulls(%s) > 0', labels) INTO rows_found;
        IF rows_found > 0 THEN
            RAISE WARNING '%: a value is null', m.namespace;
        END IF;
        DROP VIEW metric;
    END LOOP;
END $$;
SELECT DISTINCT line FROM steward.openmetrics() line WHERE line ~ '^pg_steward_query_failed.* 1$';
RESET ROLE;
-- counters end in _total and nothing else does, percent and milliseconds do not occur, no two metrics have one name
SELECT m.namespace, c.column_name, c.usage
  FROM steward.metrics m CROSS JOIN LATERAL steward.metric_columns(m.columns) c
 WHERE c.usage <> 'LABEL' AND (c.usage = 'COUNTER') <> (c.column_name ~ '_total$') OR c.column_name ~ '_(ms|percent|count|sum)(_total)?$' OR m.namespace !~ '^pg_steward(_|$)';
SELECT m.namespace || '_' || c.column_name FROM steward.metrics m CROSS JOIN LATERAL steward.metric_columns(m.columns) c WHERE c.usage <> 'LABEL' GROUP BY 1 HAVING count(*) > 1;

-- What stands in monitoring/ is what the extension says. To make the queries file anew:
-- script/with-server psql -XAtc 'SELECT steward.exporter_config()' > monitoring/postgres_exporter/queries.yaml
\set queries `cat "$PG_ABS_SRCDIR/../monitoring/postgres_exporter/queries.yaml"`
\set alerts `cat "$PG_ABS_SRCDIR/../monitoring/prometheus/alerts.yml"`
\set dashboard `cat "$PG_ABS_SRCDIR/../monitoring/grafana/pg_steward.json"`
SELECT rtrim(:'queries', E'\n') = steward.exporter_config();
CREATE TEMP TABLE expressions AS
SELECT 'alerts' AS place, e.m[1] AS expression FROM regexp_matches(:'alerts', $$expr: '([^']*)'$$, 'g') e(m)
 UNION ALL
SELECT 'dashboard', t.target ->> 'expr' FROM jsonb_path_query(:'dashboard'::jsonb, '$.panels[*].targets[*]') t(target);
SELECT place, count(*) > 20 FROM expressions GROUP BY place ORDER BY place;
-- expressions that name what is no metric, no label or no check
SELECT DISTINCT e.place, n.m[1] FROM expressions e CROSS JOIN LATERAL regexp_matches(e.expression, '\m(pg_\w+)', 'g') n(m)
 WHERE n.m[1] NOT IN ('pg_up', 'pg_exporter_last_scrape_error')
   AND n.m[1] NOT IN (SELECT m.namespace || '_' || c.column_name FROM steward.metrics m CROSS JOIN LATERAL steward.metric_columns(m.columns) c WHERE c.usage <> 'LABEL');
SELECT DISTINCT e.place, n.m[1], l.m[1]
  FROM expressions e CROSS JOIN LATERAL regexp_matches(e.expression, '\m(pg_steward_\w+)\{([^}]*)\}', 'g') n(m) CROSS JOIN LATERAL regexp_matches(n.m[2], '(\w+)[!=]', 'g') l(m)
 WHERE l.m[1] <> 'instance'
   AND l.m[1] NOT IN (SELECT c.column_name FROM steward.metrics m CROSS JOIN LATERAL steward.metric_columns(m.columns) c
                       WHERE starts_with(n.m[1], m.namespace || '_') AND c.usage = 'LABEL');
SELECT DISTINCT k.name FROM expressions e CROSS JOIN LATERAL regexp_matches(e.expression, 'check!?=~?"([^"]*)"', 'g') n(m) CROSS JOIN LATERAL regexp_split_to_table(n.m[1], '\|') k(name)
 WHERE k.name NOT IN (SELECT check_name FROM steward.health_queries);
-- alerts without a test
\set tests `cat "$PG_ABS_SRCDIR/../monitoring/prometheus/alerts_test.yml"`
SELECT a.m[1] FROM regexp_matches(:'alerts', 'alert: (\w+)', 'g') a(m) WHERE :'tests' !~ ('alertname: ' || a.m[1] || '\n +exp_alerts:');

-- nothing for others
CREATE ROLE regress_exporter_nobody;
SET ROLE regress_exporter_nobody;
SELECT steward.exporter_config();
SELECT steward.openmetrics();
SELECT * FROM steward.metrics;
RESET ROLE;
REVOKE ALL ON SCHEMA public FROM regress_exporter;
DROP TABLE orders;
DROP ROLE regress_exporter, regress_exporter_nobody;
