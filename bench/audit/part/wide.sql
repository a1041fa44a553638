-- So many rows of 60 columns as :count says, audited.
CHECKPOINT;
SELECT 'INSERT INTO wide SELECT i, i, '
       || string_agg((ARRAY['i', '''text'' || i', 'i / 4.0', '''2024-01-01''::timestamptz + i * interval ''1 s''', 'i % 2 = 0'])[1 + n % 5],
                     ', ' ORDER BY n)
       || format(' FROM generate_series(1, %s) i', :count)
FROM generate_series(3, 60) n
\gexec
\set table wide
\set column v
\ir :contender
VACUUM wide;
