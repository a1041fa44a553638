-- The tables of the upkeep benchmark: those of the audit benchmark, and
-- documents.
\ir ../audit/template.sql

CREATE TABLE docs (
  id bigint PRIMARY KEY,
  title text NOT NULL,
  content text NOT NULL,
  view_count integer NOT NULL DEFAULT 0,
  search_vector tsvector
);

CREATE TABLE keys (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), v integer NOT NULL);

SELECT format('COMMENT ON TABLE %I IS ''bench''', relname)
FROM pg_class WHERE oid IN ('docs'::regclass, 'keys'::regclass)
\gexec

-- Natural text has a few words that come all the time and a great many that
-- hardly ever come. Copies of a few texts would lack the latter, which flatters
-- whoever remembers words. So: Zipf's law over 60,000 words. The server's own
-- descriptions say which are common, stop words included; the rest are forms of
-- them, which the stemmer has to take apart. Every server has these words, and
-- the same release makes the same documents of them.
CREATE TEMPORARY TABLE vocabulary AS
WITH described AS (
  SELECT word, count(*) AS uses
  FROM pg_description, regexp_split_to_table(lower(description), '[^a-z]+') AS word
  WHERE length(word) BETWEEN 1 AND 20
  GROUP BY word
), formed AS (
  SELECT DISTINCT prefix || word || suffix AS word
  FROM described,
       unnest(ARRAY['', 're', 'un', 'pre', 'non', 'over', 'sub', 'inter']) AS prefix,
       unnest(ARRAY['s', 'ed', 'ing', 'er', 'ers', 'ly', 'ness', 'able', 'ation', 'less', 'ful', 'ment', 'ity', 'ized']) AS suffix
  WHERE length(word) >= 4
)
SELECT row_number() OVER (ORDER BY uses DESC, md5(word)) AS rank, word
FROM (SELECT word, uses FROM described
      UNION ALL
      SELECT word, 0 FROM formed WHERE word NOT IN (SELECT word FROM described)) AS words
LIMIT 60000;

-- PLAIN, so that the text lies ready and no timed statement unpacks it.
CREATE TABLE source.docs (id bigint PRIMARY KEY, title text, content text, view_count integer, search_vector tsvector);
ALTER TABLE source.docs ALTER title SET STORAGE PLAIN, ALTER content SET STORAGE PLAIN;

SELECT setseed(0.5) \g /dev/null
WITH drawn AS MATERIALIZED (
  SELECT doc, place, floor(exp(random() * ln(60000)))::bigint AS rank, random() AS mark
  FROM generate_series(1, :rows / 20) doc, generate_series(1, 125) place
), written AS (
  SELECT doc, place,
         CASE WHEN lag(mark) OVER (PARTITION BY doc ORDER BY place) < 0.08 THEN initcap(word)
              WHEN mark > 0.98 THEN round(mark::numeric * 5000 - 4900)::text
              WHEN mark > 0.97 THEN word || '-' || word
              WHEN mark > 0.96 THEN '(' || word || ')'
              ELSE word END
         || CASE WHEN mark < 0.08 THEN '.' WHEN mark < 0.14 THEN ',' ELSE '' END AS word
  FROM drawn JOIN vocabulary USING (rank)
)
INSERT INTO source.docs
SELECT doc,
       string_agg(word, ' ' ORDER BY place) FILTER (WHERE place <= 6),
       string_agg(word, ' ' ORDER BY place) FILTER (WHERE place > 6),
       0
FROM written GROUP BY doc;
UPDATE source.docs SET search_vector =
  setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', content), 'B');

-- Text in which hardly a word comes twice, about as long.
CREATE TABLE source.hostile (kind text, id bigint, content text);
ALTER TABLE source.hostile ALTER content SET STORAGE PLAIN;

WITH drawn AS MATERIALIZED (
  SELECT doc, place, md5(format('%s %s', doc, place)) AS hash
  FROM generate_series(1, :rows / 100) doc, generate_series(1, 100) place
), cyrillic AS (
  SELECT string_agg(chr(1072 + letter), '' ORDER BY letter) AS letters FROM generate_series(0, 15) letter
)
INSERT INTO source.hostile
SELECT 'uuid', doc, string_agg(hash::uuid::text, ' ' ORDER BY place)
FROM drawn WHERE place <= 27 GROUP BY doc
UNION ALL
SELECT 'url', doc, string_agg(format('https://www.example.com/%s/%s.html?session=%s', left(hash, 4), substr(hash, 5, 8), right(hash, 20)), ' ' ORDER BY place)
FROM drawn WHERE place <= 12 GROUP BY doc
UNION ALL
SELECT 'csv', doc, string_agg(format('%s,%s,10.0.%s.%s,"GET /item/%s",%s,0.%s', timestamp '2024-01-01' + (doc * 100 + place) * interval '7 seconds',
                                     left(hash, 12), place, doc % 256, substr(hash, 13, 6), 200 + place, doc * 100 + place), E'\n' ORDER BY place)
FROM drawn WHERE place <= 14 GROUP BY doc
UNION ALL
SELECT 'cyrillic', doc, string_agg(left(translate(hash, '0123456789abcdef', letters), 3 + place % 8), ' ' ORDER BY place)
FROM drawn, cyrillic WHERE place <= 70 GROUP BY doc;

VACUUM ANALYZE source.docs, source.hostile;
