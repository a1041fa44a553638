\echo :b'13. Making tables searchable':n'   while they are in use: a transaction per thousand rows'
CREATE TABLE demo.before AS SELECT id, search_vector, updated_at FROM blog.posts;
SELECT count(*) AS events FROM steward.audit_log \gset
\connect - migrator
SET client_min_messages = notice;
\set ECHO queries
DROP TRIGGER posts_search_vector_update ON blog.posts;
CALL steward.search_enable('blog.posts', '{title,content}', 'english');
\set ECHO none
\echo
\set ECHO queries
ALTER TABLE shop.products ADD search_vector tsvector;
\o /dev/null
SELECT steward.audit_enable('shop.products', exclude => '{search_vector}');
\o
CALL steward.search_enable('shop.products', '{name:A,description:B,tags:C}', 'english');
\set ECHO none
RESET client_min_messages;
ANALYZE blog.posts, shop.products;
\connect - :super
SET TimeZone = 'UTC';
\echo
SELECT count(*) AS "posts", count(*) FILTER (WHERE p.search_vector = b.search_vector) AS "vector as plpgsql made it",
       count(*) FILTER (WHERE p.updated_at IS DISTINCT FROM b.updated_at) AS "updated_at touched",
       (SELECT count(*) - :events FROM steward.audit_log) AS "audit events"
FROM blog.posts p JOIN demo.before b USING (id);
SELECT demo.check(bool_and(p.search_vector = b.search_vector AND p.updated_at IS NOT DISTINCT FROM b.updated_at)
                  AND (SELECT count(*) = :events FROM steward.audit_log), 'search_enable changes nothing but vectors')
FROM blog.posts p JOIN demo.before b USING (id) \g /dev/null
SELECT demo.check(bool_and(search_vector = setweight(to_tsvector('english', name), 'A') || setweight(to_tsvector('english', coalesce(description, '')), 'B')
                             || setweight(to_tsvector('english', coalesce(array_to_string(tags, ' '), '')), 'C')), 'the products have their weights')
FROM shop.products \g /dev/null

\echo :b'14. Finding things':n
\connect - migrator
\set ECHO queries
SELECT title, round(ts_rank(search_vector, q)::numeric, 3) AS rank,
       ts_headline('english', content, q, 'StartSel=«, StopSel=», MinWords=8, MaxWords=12') AS "where"
FROM blog.posts, websearch_to_tsquery('english', 'restoring backups -replica') q
WHERE search_vector @@ q ORDER BY rank DESC, view_count DESC LIMIT 6;
\set ECHO none
\connect - app
\set ECHO queries
SELECT name, count(*) AS offers, min(price) AS "from", round(max(ts_rank(search_vector, q))::numeric, 3) AS rank
FROM shop.products, websearch_to_tsquery('english', 'steel coffee OR tea') q
WHERE search_vector @@ q GROUP BY name ORDER BY rank DESC, name LIMIT 6;
EXPLAIN (COSTS OFF) SELECT name FROM shop.products, websearch_to_tsquery('english', 'kitchen steel coffee') q
WHERE search_vector @@ q ORDER BY ts_rank(search_vector, q) DESC LIMIT 6;
\set ECHO none
DO $$
DECLARE
  line text;
  plan text := '';
BEGIN
  FOR line IN EXPLAIN SELECT FROM shop.products WHERE search_vector @@ websearch_to_tsquery('english', 'kitchen steel coffee') LOOP
    plan := plan || line;
  END LOOP;
  PERFORM demo.check(plan LIKE '%Bitmap Index Scan on products_search_vector_idx%', 'the search goes by the index');
END
$$;
