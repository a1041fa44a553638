-- contenders: pg_steward current_setting subselect definer
-- INSERT of many rows of one tenant, each of them checked, and UPDATE of them
-- all. "bare" is a table without a key, where there is nothing else to do.
\ir ../part/functions.sql
\set column tenant_id
\set tenant 42
\set table bare
CREATE TABLE bare (id bigint, tenant_id integer NOT NULL, amount integer NOT NULL);
\ir ../part/write.sql
\set table keyed
CREATE TABLE keyed (id bigint PRIMARY KEY, tenant_id integer NOT NULL, amount integer NOT NULL);
\ir ../part/write.sql
