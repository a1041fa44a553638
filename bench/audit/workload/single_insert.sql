\set table users
\ir :contender
CHECKPOINT;
