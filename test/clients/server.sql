-- What a superuser does once for all shops: roles, and a key for tokens.
SET client_min_messages = warning;
CREATE ROLE shop_owner LOGIN;
CREATE ROLE shop_app LOGIN;
CREATE EXTENSION pg_steward CASCADE;
COPY (SELECT 'shop:' || gen_random_uuid() || gen_random_uuid()) TO PROGRAM 'umask 077; cat > tenant.keys';
ALTER SYSTEM SET steward.tenant_keys_file = 'tenant.keys';
ALTER SYSTEM SET session_preload_libraries = 'pg_steward';
SELECT pg_reload_conf() \g /dev/null
