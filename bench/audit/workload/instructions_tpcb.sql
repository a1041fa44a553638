-- rounds: 1
-- quick: no
-- contenders: none noop pg_steward
\ir ../part/tpcb.sql
