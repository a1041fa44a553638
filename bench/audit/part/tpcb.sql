-- The tables of pgbench's TPC-B, all of them audited; so many branches that clients do not wait for each other.
CREATE TABLE accounts (aid integer PRIMARY KEY, bid integer, abalance integer, filler char(84)) WITH (fillfactor = 90);
CREATE TABLE branches (bid integer PRIMARY KEY, bbalance integer, filler char(88)) WITH (fillfactor = 50);
CREATE TABLE tellers (tid integer PRIMARY KEY, bid integer, tbalance integer, filler char(84)) WITH (fillfactor = 50);
CREATE TABLE history (tid integer, bid integer, aid integer, delta integer, mtime timestamp, filler char(22));
INSERT INTO accounts SELECT i, i % 20, 0, '' FROM generate_series(1, 2000) i;
INSERT INTO branches SELECT i, 0, '' FROM generate_series(1, 2000) i;
INSERT INTO tellers SELECT i, i % 20, 0, '' FROM generate_series(1, 2000) i;
\set table accounts
\set column abalance
\ir :contender
\set table branches
\set column bbalance
\ir :contender
\set table tellers
\set column tbalance
\ir :contender
\set table history
\set column delta
\ir :contender
VACUUM ANALYZE accounts, branches, tellers, history;
