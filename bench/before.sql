-- Stands right before a timed statement; after.sql prints what it cost. The
-- log is every table that is neither a catalog nor one the workload made, so
-- that no contender has to say where it writes.
SELECT pg_current_wal_insert_lsn() AS lsn_before, pg_temp.log_bytes() AS log_before,
       clock_timestamp() AS time_before
\gset
