-- Times UPDATEs of rows that have a stamp, of posts' numbers and of posts' texts, as lines for demo.cost.
\pset format csv
\pset tuples_only on
SET synchronous_commit = off;
\set stamped demo.stamped_:trail
\set posts demo.posts_:trail
VACUUM :stamped;
VACUUM :posts;
SELECT clock_timestamp() AS started \gset
UPDATE :stamped SET n = n + 1;
SELECT :'trail', 'stamp', extract(epoch FROM clock_timestamp() - :'started') * 1000;
SELECT clock_timestamp() AS started \gset
UPDATE :posts SET view_count = view_count + 1;
SELECT :'trail', 'numbers', extract(epoch FROM clock_timestamp() - :'started') * 1000;
VACUUM :posts;
SELECT clock_timestamp() AS started \gset
UPDATE :posts SET content = content || ' Edited.';
SELECT :'trail', 'texts', extract(epoch FROM clock_timestamp() - :'started') * 1000;
