-- One column of 60 changes: whoever copies the row pays for the other 59. Fewer
-- rows, because that payment is what makes a round long.
CHECKPOINT;
SELECT 'INSERT INTO wide SELECT i, i, '
       || string_agg((ARRAY['i', '''text'' || i', 'i / 4.0', '''2024-01-01''::timestamptz + i * interval ''1 s''', 'i % 2 = 0'])[1 + n % 5],
                     ', ' ORDER BY n)
       || format(' FROM generate_series(1, %s) i', :rows / 4)
FROM generate_series(3, 60) n
\gexec
\set table wide
\set column v
\ir :contender
VACUUM wide;

\ir ../../before.sql
UPDATE wide SET v = v + 1;
\set name wide.update
\ir ../../after.sql
