-- monitor_page: what the report is made of: text, tables and charts in HTML.  All that comes from outside passes html_escape().

-- Control characters and those that are none, and marks that turn the direction of text around, become U+FFFD.
CREATE FUNCTION steward_internal.html_escape(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    value := replace(replace(replace(replace(replace(value, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
    value := regexp_replace(value, '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]', '&#xFFFD;', 'g');
    IF getdatabaseencoding() = 'UTF8' THEN
        value := regexp_replace(value, '[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff'
                                       '\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U0003fffe\U0003ffff\U0004fffe\U0004ffff'
                                       '\U0005fffe\U0005ffff\U0006fffe\U0006ffff\U0007fffe\U0007ffff\U0008fffe\U0008ffff'
                                       '\U0009fffe\U0009ffff\U000afffe\U000affff\U000bfffe\U000bffff\U000cfffe\U000cffff'
                                       '\U000dfffe\U000dffff\U000efffe\U000effff\U000ffffe\U000fffff\U0010fffe\U0010ffff]', '&#xFFFD;', 'g');
    END IF;
    RETURN value;
END $$;
COMMENT ON FUNCTION steward_internal.html_escape(text) IS
'Returns the text as it can stand in an HTML page, in an element or a quoted attribute.';

CREATE FUNCTION steward_internal.report_number(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN abs(value) < 0.1 THEN trim_scale(round(value, 4))::text
            WHEN abs(value) < 10 THEN trim_scale(round(value, 2))::text
            WHEN abs(value) < 100 THEN trim_scale(round(value, 1))::text
            ELSE to_char(round(value), 'FM999,999,999,999,999,999,999') END;
COMMENT ON FUNCTION steward_internal.report_number(numeric) IS
'Returns a number with no more digits than one reads.';

CREATE FUNCTION steward_internal.report_bytes(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT steward_internal.report_number(value / 1024.0 ^ p.power) || ' ' || (ARRAY['B', 'kB', 'MB', 'GB', 'TB', 'PB'])[p.power + 1]
      FROM (SELECT CASE WHEN abs(value) < 1024 THEN 0 ELSE least(trunc(log(1024, abs(value)))::integer, 5) END AS power) p;
END;
COMMENT ON FUNCTION steward_internal.report_bytes(numeric) IS
'Returns a number of bytes in the unit that suits it.';

CREATE FUNCTION steward_internal.report_seconds(value numeric) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE WHEN abs(value) < 0.0000005 THEN '0'
            WHEN abs(value) < 1 THEN CASE WHEN abs(value) < 0.01 THEN trim_scale(round(value * 1000, 3))::text ELSE steward_internal.report_number(value * 1000) END || ' ms'
            WHEN abs(value) < 120 THEN steward_internal.report_number(value) || ' s'
            WHEN abs(value) < 7200 THEN steward_internal.report_number(value / 60) || ' min'
            WHEN abs(value) < 172800 THEN steward_internal.report_number(value / 3600) || ' h'
            ELSE steward_internal.report_number(value / 86400) || ' d' END;
COMMENT ON FUNCTION steward_internal.report_seconds(numeric) IS
'Returns a number of seconds in the unit that suits it.';

CREATE FUNCTION steward_internal.report_quantity(value numeric, unit text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE unit WHEN 'bytes' THEN steward_internal.report_bytes(value) WHEN 'bytes/s' THEN steward_internal.report_bytes(value) || '/s'
                 WHEN 's' THEN steward_internal.report_seconds(value) WHEN '' THEN steward_internal.report_number(value) WHEN 'count' THEN steward_internal.report_number(value)
                 WHEN '/s' THEN steward_internal.report_number(value) || '/s' ELSE steward_internal.report_number(value) || ' ' || unit END;
COMMENT ON FUNCTION steward_internal.report_quantity(numeric, text) IS
'Returns a number with its unit: bytes, bytes/s, s, /s, a count, none, or any other word.';

-- A cell's kind is the first character of its column's name: > a number, % a share with a bar, ` code, ! a status.
CREATE FUNCTION steward_internal.report_cell(kind text, value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN CASE kind
    WHEN '>' THEN '<td class="n">' || coalesce(steward_internal.html_escape(value), '') || '</td>'
    WHEN '`' THEN '<td class="q"><code>' || coalesce(steward_internal.html_escape(value), '') || '</code></td>'
    WHEN '!' THEN format('<td><span class="%s">%s</span></td>',
                         CASE WHEN value IN ('OK') THEN 'ok' WHEN value IN ('WARNING') THEN 'warning' WHEN value IN ('CRITICAL') THEN 'critical' ELSE 'other' END,
                         coalesce(steward_internal.html_escape(value), ''))
    WHEN '%' THEN CASE WHEN value ~ '^\d{1,3}(\.\d+)?$' THEN format('<td class="n share" style="--part:%s%%">%s %%</td>', value, value) ELSE '<td class="n"></td>' END
    ELSE '<td>' || coalesce(steward_internal.html_escape(value), '') || '</td>' END;
COMMENT ON FUNCTION steward_internal.report_cell(text, text) IS
'Returns a cell of a table.';

CREATE FUNCTION steward_internal.report_table(caption text, columns text[], rows jsonb, nothing text DEFAULT 'None.') RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce('<h3>' || steward_internal.html_escape(caption) || '</h3>', '')
        || CASE WHEN rows IS NULL THEN '<p class="none">' || steward_internal.html_escape(nothing) || '</p>' ELSE
           '<div class="scroll" tabindex="0"><table><thead><tr>'
           || (SELECT string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN left(c.name, 1) IN ('>', '%') THEN ' class="n"' ELSE '' END,
                                        steward_internal.html_escape(ltrim(c.name, '>%`!'))), '' ORDER BY c.place)
                 FROM unnest(columns) WITH ORDINALITY c(name, place))
           || '</tr></thead><tbody>'
           || (SELECT string_agg('<tr>' || (SELECT string_agg(steward_internal.report_cell(left(columns[v.place], 1), v.value), '' ORDER BY v.place)
                                              FROM jsonb_array_elements_text(r.cells) WITH ORDINALITY v(value, place)) || '</tr>', E'\n' ORDER BY r.place)
                 FROM jsonb_array_elements(rows) WITH ORDINALITY r(cells, place))
           || '</tbody></table></div>' END;
END;
COMMENT ON FUNCTION steward_internal.report_table(text, text[], jsonb, text) IS
'Returns a table in a box that scrolls by itself: rows are arrays of texts, as many as columns.';

--
-- Charts
--

-- The next of 1, 2, 2.5, 5 and 10 in the number's power of ten, or of two where bytes are counted.
CREATE FUNCTION steward_internal.report_scale(highest numeric, unit text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT CASE WHEN unit = '%' THEN 100
                WHEN unit = 'count' AND highest < 2 THEN 2
                WHEN coalesce(highest, 0) <= 0 THEN 1
                ELSE (SELECT min(step * p.power) FROM unnest(ARRAY[1, 2, 2.5, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1024]) step WHERE step * p.power >= highest) END
      FROM (SELECT CASE WHEN highest > 0 AND unit LIKE 'bytes%' THEN 1024.0 ^ greatest(trunc(log(1024, greatest(highest, 1))), 0)
                        WHEN highest > 0 THEN 10.0 ^ floor(log(highest)) END AS power) p;
END;
COMMENT ON FUNCTION steward_internal.report_scale(numeric, text) IS
'Returns where the axis of a chart ends that shows values up to this one.';

CREATE FUNCTION steward_internal.report_chart(title text, unit text, labels text[], spans jsonb) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    -- a span is [from, to, value...] in seconds since 1970; what is not known is a gap
    WITH values AS (
        SELECT s.place AS span, v.place - 2 AS series, (s.span ->> 0)::numeric AS from_time, (s.span ->> 1)::numeric AS to_time, v.value::numeric AS value
          FROM jsonb_array_elements(spans) WITH ORDINALITY s(span, place)
         CROSS JOIN LATERAL jsonb_array_elements_text(s.span) WITH ORDINALITY v(value, place)
         WHERE v.place > 2
    ), frame AS (
        SELECT min(v.from_time) AS first, max(v.to_time) AS last, steward_internal.report_scale(max(v.value), unit) AS top FROM values v
    ), points AS (
        SELECT v.series, v.span, v.value IS NOT NULL AS known, lag(v.value) OVER w IS NOT NULL AS goes_on,
               round(58 + 294 * (v.from_time - f.first) / nullif(f.last - f.first, 0), 1) AS x0,
               round(58 + 294 * (v.to_time - f.first) / nullif(f.last - f.first, 0), 1) AS x1,
               round(132 - 120 * v.value / f.top, 1) AS y
          FROM values v CROSS JOIN frame f
        WINDOW w AS (PARTITION BY v.series ORDER BY v.span)
    ), lines AS (
        SELECT p.series, string_agg(format('%s%s,%sH%s', CASE WHEN p.goes_on THEN 'L' ELSE 'M' END, p.x0, p.y, p.x1), '' ORDER BY p.span) AS line,
               string_agg(format('M%s,132V%sH%sV132Z', p.x0, p.y, p.x1), '' ORDER BY p.span) AS area
          FROM points p WHERE p.known
         GROUP BY p.series
    ), legend AS (
        SELECT string_agg(format('<span class="k%s">%s</span> ', v.series, steward_internal.html_escape(labels[v.series]))
                          || CASE WHEN v.peak IS NULL THEN 'unknown' WHEN unit = 'count' THEN v.total || ' in all'
                                  ELSE steward_internal.html_escape(format('mean %s, peak %s', steward_internal.report_quantity(v.mean, unit), steward_internal.report_quantity(v.peak, unit))) END,
                          '<br>' ORDER BY v.series) AS text
          FROM (SELECT v.series, sum(v.value) AS total, sum(v.value * (v.to_time - v.from_time)) / nullif(sum(v.to_time - v.from_time) FILTER (WHERE v.value IS NOT NULL), 0) AS mean,
                       max(v.value) AS peak
                  FROM values v GROUP BY v.series) v
    )
    SELECT format('<figure><figcaption><b>%1$s</b><br>%2$s</figcaption><svg viewBox="0 0 360 156" role="img" aria-label="%1$s">', steward_internal.html_escape(title), l.text)
        || (SELECT string_agg(format('<path class="grid" d="M58,%1$sH352"/><text class="y" x="52" y="%2$s">%3$s</text>',
                                     132 - 60 * g, 136 - 60 * g, steward_internal.html_escape(steward_internal.report_quantity(f.top * g / 2, unit))), '' ORDER BY g)
              FROM generate_series(0, 2) g)
        || (SELECT string_agg(format('<text class="x%s" x="%s" y="150">%s</text>', g, 58 + 147 * g,
                                     to_char(to_timestamp((f.first + (f.last - f.first) * g / 2)::double precision),
                                             CASE WHEN f.last - f.first > 129600 THEN 'MM-DD HH24:MI' WHEN f.last - f.first > 600 THEN 'HH24:MI' ELSE 'HH24:MI:SS' END)), '' ORDER BY g)
              FROM generate_series(0, 2) g)
        || coalesce((SELECT string_agg(CASE WHEN n.series = 1 THEN format('<path class="area" d="%s"/>', n.area) ELSE '' END
                                       || format('<path class="line k%s" d="%s"/>', n.series, n.line), '' ORDER BY n.series DESC) FROM lines n), '')
        || '</svg></figure>'
      FROM frame f CROSS JOIN legend l
     WHERE f.first < f.last;
END;
COMMENT ON FUNCTION steward_internal.report_chart(text, text, text[], jsonb) IS
'Returns a chart of what was so between two times each, as SVG; null if there is nothing to draw.';

CREATE FUNCTION steward_internal.report_style() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
RETURN $css$
:root { color-scheme: light dark; --back: #fff; --box: #f6f7f8; --text: #1c1e21; --soft: #5d646d; --rule: #e0e3e7; --accent: #1d5f9e; --second: #8a919b;
  --ok: #23704a; --warning: #8a5800; --critical: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --box: #1d2126; --text: #e3e6ea; --soft: #9aa3ad; --rule: #30363d; --accent: #6cb2f5; --second: #79828d;
  --ok: #63c193; --warning: #e2ad4f; --critical: #ff8a80; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 76rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; font-weight: 650; }
h2 { margin: 3rem 0 .25rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: 1.2rem; font-weight: 650; }
h2 small { margin-left: .5rem; color: var(--soft); font-size: .8rem; font-weight: 400; }
h3 { margin: 1.5rem 0 .4rem; font-size: .95rem; font-weight: 600; }
p { margin: .5rem 0; max-width: 48rem; }
a { color: var(--accent); }
header p, .none, .note { color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1.25rem 0 0; font-size: .9rem; }
nav a { text-decoration: none; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 1.5rem 0 0; background: var(--rule); border: 1px solid var(--rule); border-radius: 6px; overflow: hidden; }
dl div { padding: .7rem .9rem; background: var(--back); }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
dd small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { padding: .35rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
tr:last-child td { border-bottom: 0; }
td { min-width: 4rem; max-width: 26rem; }
th { color: var(--soft); background: var(--box); font-weight: 500; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; }
.share { background: linear-gradient(var(--accent), var(--accent)) 0 1.8rem / var(--part) 3px no-repeat; }
.q { min-width: 20rem; max-width: 36rem; }
code { font: .82rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
.ok, .warning, .critical, .other { font-size: .78rem; font-weight: 650; letter-spacing: .02em; color: var(--soft); }
.ok { color: var(--ok); } .warning { color: var(--warning); } .critical { color: var(--critical); }
dd [class] { font-size: inherit; letter-spacing: 0; }
details { margin: .75rem 0; } summary { cursor: pointer; color: var(--accent); } details .scroll { margin-top: .5rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; margin: 1rem 0; }
figure { margin: 0; padding: .8rem .8rem .4rem; border: 1px solid var(--rule); border-radius: 6px; display: flex; flex-direction: column; justify-content: space-between; }
figcaption { font-size: .8rem; color: var(--soft); } figcaption b { font-size: .9rem; font-weight: 600; color: var(--text); }
figcaption .k1, figcaption .k2 { padding-left: 1rem; background: linear-gradient(var(--accent), var(--accent)) 0 55% / .7rem 3px no-repeat; }
figcaption .k2 { background-image: linear-gradient(var(--second), var(--second)); }
svg { display: block; width: 100%; height: auto; margin-top: .4rem; }
svg text { fill: var(--soft); font-size: 10.5px; } svg .y, svg .x2 { text-anchor: end; } svg .x1 { text-anchor: middle; }
.grid { stroke: var(--rule); stroke-width: 1; } .area { fill: var(--accent); opacity: .12; shape-rendering: crispEdges; }
.line { fill: none; stroke: var(--accent); stroke-width: 1.6; stroke-linejoin: round; } .line.k2 { stroke: var(--second); }
@media (max-width: 30rem) { body { padding: 1rem .9rem 3rem; } h2 { margin-top: 2.25rem; } h2 small { display: block; margin: 0; } table { width: max-content; min-width: 100%; } td { max-width: 17rem; } .q { min-width: 16rem; max-width: 22rem; } }
@media print { :root { --back: #fff; --box: #fff; --text: #000; --soft: #444; --rule: #bbb; --accent: #1d5f9e; } body { max-width: none; padding: 0; font-size: 11px; }
  nav { display: none; } .scroll { overflow: visible; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } .q { min-width: 0; } }
$css$;
COMMENT ON FUNCTION steward_internal.report_style() IS
'Returns the style sheet of the report.';
