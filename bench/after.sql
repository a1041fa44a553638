-- Prints name.measure and value, each per row of the statement just run.
-- Usage: \set name users.update  \ir ../../after.sql
-- Where the statement reports another number than that of the rows it was
-- about, \set events before it.
\if :{?events}
\else
  \set events :ROW_COUNT
\endif
SELECT clock_timestamp() AS time_after, pg_current_wal_insert_lsn() AS lsn_after
\gset
SELECT :'name' || '.' || measure, round(value / :events, 3)
FROM (VALUES
  ('us', 1000000 * extract(epoch FROM :'time_after'::timestamptz - :'time_before'::timestamptz)),
  ('wal', pg_wal_lsn_diff(:'lsn_after', :'lsn_before')),
  ('log', pg_temp.log_bytes() - :log_before::numeric)
) AS measures (measure, value);
\unset events
