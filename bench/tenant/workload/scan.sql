-- prepared: rows
-- contenders: none pg_steward current_setting subselect definer
-- A sequential scan that each type of tenant column filters.
\ir ../part/functions.sql
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
\set table rows

\set column tenant_int
\set tenant 42
\ir ../part/scan.sql
\set column tenant_bigint
\ir ../part/scan.sql
\set column tenant_uuid
\set tenant 00000000-0000-0000-0000-00000000002a
\ir ../part/scan.sql
\set column tenant_text
\set tenant tenant-42
\ir ../part/scan.sql
