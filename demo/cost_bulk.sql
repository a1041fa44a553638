-- Times one UPDATE of 100,000 rows, commit included, as a line for demo.cost.
\pset format csv
\pset tuples_only on
SET synchronous_commit = off;
SELECT clock_timestamp() AS started \gset
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid <= 100000;
SELECT :'trail', 'bulk', extract(epoch FROM clock_timestamp() - :'started') * 1000;
