-- Posts and stamped rows, kept by nothing, by pg_steward and by the plpgsql the blog comes with. The pages have room
-- for a second version of each row, so that all three find the same ground in every round.
SELECT format('CREATE TABLE demo.posts_%s (LIKE blog.posts INCLUDING DEFAULTS, PRIMARY KEY (id)) WITH (autovacuum_enabled = off, fillfactor = 45)', t),
       format('CREATE INDEX ON demo.posts_%s USING gin (search_vector)', t),
       format('CREATE TABLE demo.stamped_%s (id int PRIMARY KEY, n int, updated_at timestamptz) WITH (autovacuum_enabled = off, fillfactor = 45)', t)
FROM unnest('{nothing,plpgsql,pg_steward}'::text[]) t \gexec

SELECT format('CREATE TRIGGER updated_at BEFORE UPDATE ON demo.%s FOR EACH ROW EXECUTE FUNCTION blog.update_updated_at_column()', t)
FROM unnest('{posts_plpgsql,stamped_plpgsql}'::text[]) t \gexec
CREATE TRIGGER search_vector BEFORE INSERT OR UPDATE ON demo.posts_plpgsql FOR EACH ROW EXECUTE FUNCTION blog.update_search_vector();

SELECT steward.updated_at_enable('demo.posts_pg_steward'), steward.updated_at_enable('demo.stamped_pg_steward') \g /dev/null
CALL steward.search_enable('demo.posts_pg_steward', '{title,content}', 'english');

SELECT format('INSERT INTO demo.posts_%s SELECT * FROM blog.posts ORDER BY id LIMIT 2000', t),
       format('INSERT INTO demo.stamped_%s SELECT i, 0, now() FROM generate_series(1, 50000) i', t)
FROM unnest('{nothing,plpgsql,pg_steward}'::text[]) t \gexec
