-- Begins a transaction in which :contender has :column of :table say which
-- rows are those of :tenant, for which it works.
BEGIN;
\ir :contender
SELECT format(:'context', :'tenant') AS enter
\gset
:enter \g /dev/null
SELECT format('%I = %L', :'column', :'tenant') AS condition
\gset
