-- What a superuser does once in the database of a shop. Its migrations do the rest.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pg_steward;
ALTER SCHEMA public OWNER TO shop_owner;
SELECT steward.audit_tenant_enable('shop_app') \g /dev/null
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO shop_app;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO shop_app;
