-- prepared: partitions
-- contenders: none pg_steward current_setting subselect definer
-- One tenant's partition of a thousand.
\set name partitions.bare
\ir ../part/partitions.sql
