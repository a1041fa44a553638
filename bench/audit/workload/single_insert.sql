-- rounds: 3
\set table users
\set column login_count
\ir :contender
CHECKPOINT;
