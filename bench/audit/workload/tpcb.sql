-- contenders: none noop pg_steward
\ir ../part/tpcb.sql
