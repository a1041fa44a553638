\echo :b'17. Rows that belong to someone':n'   the blog''s policies as its document has them, and as the builders make them'
SELECT author_id AS me FROM blog.posts WHERE NOT published GROUP BY author_id ORDER BY count(*) DESC, author_id LIMIT 1 \gset
SELECT author_id AS other FROM blog.posts WHERE NOT published AND author_id <> :'me' GROUP BY author_id ORDER BY count(*) DESC, author_id LIMIT 1 \gset
SELECT count(*) AS drafts FROM blog.posts WHERE NOT published AND author_id = :'other' \gset
ALTER SYSTEM SET steward.tenant_keys = 'demo:keep the real one where only the server reads it';
SELECT pg_reload_conf() \g /dev/null
\connect - app
\set ECHO queries
SET app.current_user_id = :'other';
SELECT count(*) AS "drafts of whom he says he is" FROM blog.posts WHERE NOT published;
\set ECHO none
SELECT demo.check(count(*) = :drafts, 'a setting that anybody may set keeps nobody out') FROM blog.posts WHERE NOT published \g /dev/null
\connect - migrator
DROP POLICY user_isolation ON blog.users;
DROP POLICY post_visibility ON blog.posts;
DROP POLICY post_authorship ON blog.posts;
\set ECHO queries
SELECT * FROM steward.tenant_protect_user('blog.users', 'id', roles => '{app}', dry_run => true);
\o /dev/null
SELECT steward.tenant_protect_user('blog.users', 'id', roles => '{app}');
SELECT steward.tenant_protect_visibility('blog.posts', 'published', 'author_id', roles => '{app}');
\o
SELECT relation, policy_name, roles, using_expression, problem FROM steward.tenant_policies;
\set ECHO none
\connect - :super
SELECT steward.tenant_sign(NULL, :'me', '10 minutes') AS token \gset
\connect - app
\echo 'As the application, for one author, by a token that it cannot make:'
BEGIN;
SELECT set_config('steward.token', :'token', true) \g /dev/null
CREATE TEMP TABLE attempts ON COMMIT DROP AS
SELECT command, demo.attempt(command) AS "the server says"
FROM (VALUES ('UPDATE blog.posts SET view_count = 1 WHERE author_id = ''' || :'me' || ''''),
             ('SET app.current_user_id = ''' || :'other' || ''''),
             ('INSERT INTO blog.posts (title, content, author_id) VALUES (''x'', ''x'', ''' || :'other' || ''')'),
             ('UPDATE blog.posts SET author_id = ''' || :'other' || ''' WHERE author_id = ''' || :'me' || ''''),
             ('SET steward.user_id = ''' || :'other' || ''''), ('SELECT steward.tenant_set(NULL, ''' || :'other' || ''')'), ('SET steward.token = ''v1.demo.e30.forged'''),
             ('TRUNCATE blog.posts CASCADE'), ('ALTER TABLE blog.posts DISABLE ROW LEVEL SECURITY'), ('SET row_security = off; SELECT FROM blog.posts')) a(command);
SELECT replace(replace(command, :'me', 'me'), :'other', 'another') AS command, "the server says" FROM attempts;
SET LOCAL app.current_user_id = :'other';
SELECT (SELECT count(*) FROM blog.users) AS "users he sees", count(*) FILTER (WHERE published) AS "published posts",
       count(*) FILTER (WHERE NOT published) AS "drafts", count(*) FILTER (WHERE NOT published AND author_id <> :'me') AS "drafts of others" FROM blog.posts;
SELECT demo.check(count(*) FILTER (WHERE "the server says" = 'allowed') = 2, 'a user can write his own rows and say what he likes, and nothing else') FROM attempts \g /dev/null
SELECT demo.check((SELECT count(*) FROM blog.users) = 1 AND count(*) FILTER (WHERE NOT published AND author_id <> :'me') = 0 AND count(*) FILTER (WHERE author_id = :'me') > 0,
                  'a user sees himself, what is published and his own drafts') FROM blog.posts \g /dev/null
COMMIT;
\connect - :super
SET TimeZone = 'UTC';
