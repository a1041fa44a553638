-- What all databases of the tenant benchmark have: the extension, the keys that
-- tokens are signed with, and the role that policies are for.
CREATE EXTENSION pg_steward CASCADE;

SELECT current_setting('data_directory') || '/tenant.keys' AS keys_file
\gset
\set quoted_keys_file '\'' :keys_file '\''
COPY (SELECT 'bench:' || repeat('k3zQ', 10)) TO :quoted_keys_file;
\ir part/tokens.sql
SELECT current_setting('data_directory') || '/tenant.jwks' AS jwks_file
\gset
\set quoted_jwks_file '\'' :jwks_file '\''
COPY (SELECT :'jwks') TO :quoted_jwks_file;
LOAD 'pg_steward';
ALTER SYSTEM SET steward.tenant_keys_file = :'keys_file';
ALTER SYSTEM SET steward.tenant_jwks_file = :'jwks_file';
SELECT pg_reload_conf() \g /dev/null

SELECT 'CREATE ROLE bench_app' WHERE to_regrole('bench_app') IS NULL
\gexec
GRANT EXECUTE ON FUNCTION steward.tenant_set(text, text, jsonb) TO bench_app;
ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO bench_app;

-- Rows of 1000 tenants, one after the other.
CREATE TABLE documents (id bigint PRIMARY KEY, tenant_id integer NOT NULL, title text NOT NULL);
INSERT INTO documents SELECT i, 1 + i % 1000, 'Title ' || i FROM generate_series(1, 10000) i;
VACUUM ANALYZE documents;
