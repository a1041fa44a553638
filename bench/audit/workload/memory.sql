-- rounds: 1
-- contenders: none pg_steward
-- What a backend still holds after one long statement, and the most it held
-- meanwhile. A short statement goes first, so that caches are warm.
CREATE FUNCTION pg_temp.held() RETURNS numeric LANGUAGE sql AS
  'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
INSERT INTO narrow SELECT i, i FROM generate_series(1, :rows * 10) i;
\set table narrow
\ir :contender
VACUUM narrow;
UPDATE narrow SET v = v + 1 WHERE id <= 1000;
SELECT pg_temp.held() \g /dev/null
SELECT pg_temp.held() AS held_before, pg_backend_pid() AS pid
\gset
UPDATE narrow SET v = v + 1;
SELECT 'memory.growth', pg_temp.held() - :held_before;

-- The peak counts every shared buffer touched; those only ever grow, so what
-- is resident of them at the end can be taken off.
\set peak `awk '/^VmHWM/ { kb = $2 } /^Rss(File|Shmem)/ { kb -= $2 } END { print kb * 1024 }' /proc/:pid/status`
SELECT 'memory.peak', :peak;
