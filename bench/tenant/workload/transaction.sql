-- contenders: none pg_steward pg_steward_token current_setting set_local
-- rounds: 2
-- protocols: simple prepared
-- clients: 1
-- A transaction that says its tenant and reads a row of it by its key.
\set table documents
\set column tenant_id
\set tenant 42
\ir :contender
ALTER DATABASE :"DBNAME" SET role = bench_app;
ALTER DATABASE :"DBNAME" SET session_preload_libraries = 'pg_steward';
SELECT 'pgbench', 'BEGIN;';
SELECT 'pgbench', format(:'context', :'tenant') || ';' WHERE EXISTS (SELECT FROM pg_policy);
