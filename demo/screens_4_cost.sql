\connect - :super
\echo :b'15. What it costs beside plpgsql':n'   each on its own copy; median of' :rounds 'rounds'
WITH m AS (SELECT trail, measure, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS value FROM demo.cost GROUP BY 1, 2),
     w AS (SELECT trail, max(value) FILTER (WHERE measure = 'stamp') AS stamp, max(value) FILTER (WHERE measure = 'numbers') AS numbers,
                  max(value) FILTER (WHERE measure = 'texts') AS texts
           FROM m GROUP BY 1)
SELECT w.trail AS "kept by", round(w.stamp) || ' ms' AS "UPDATE of 50k stamped rows", round((w.stamp / p.stamp)::numeric, 2) || ' x' AS "time",
       round(w.numbers) || ' ms' AS "2k posts, texts untouched", round((w.numbers / p.numbers)::numeric, 2) || ' x' AS "time",
       round(w.texts) || ' ms' AS "2k posts, new texts", round((w.texts / p.texts)::numeric, 2) || ' x' AS "time"
FROM w, w p WHERE p.trail = 'nothing' ORDER BY w.numbers;
SELECT demo.check(count(*) = 3 AND bool_and(stamp > 0 AND numbers > 0 AND texts > 0), 'the upkeep triggers were measured')
FROM (SELECT max(value) FILTER (WHERE measure = 'stamp') AS stamp, max(value) FILTER (WHERE measure = 'numbers') AS numbers,
             max(value) FILTER (WHERE measure = 'texts') AS texts FROM demo.cost GROUP BY trail) c \g /dev/null
SELECT demo.check(max(value) FILTER (WHERE trail = 'plpgsql') > 2 * max(value) FILTER (WHERE trail = 'pg_steward'),
                  'an UPDATE that leaves the text alone is not parsed again') FROM demo.cost WHERE measure = 'numbers' \g /dev/null
