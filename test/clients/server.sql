-- What a superuser does once for all shops: roles, a key for tokens, and what each new database begins with. Migrations
-- do the rest.
SET client_min_messages = warning;
CREATE ROLE shop_owner LOGIN CREATEDB;
CREATE ROLE shop_app LOGIN;

\connect template1
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pg_steward;
ALTER SCHEMA public OWNER TO shop_owner;
SELECT steward.audit_tenant_enable('shop_app') \g /dev/null
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_app;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO shop_app;

COPY (SELECT 'shop:' || gen_random_uuid() || gen_random_uuid()) TO PROGRAM 'umask 077; cat > tenant.keys';
ALTER SYSTEM SET steward.tenant_keys_file = 'tenant.keys';
SELECT pg_reload_conf() \g /dev/null
