-- Rows that name no tenant get that of the transaction, in tables of all kinds.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on
CREATE ROLE regress_fill_owner;
CREATE ROLE regress_fill_app;
CREATE ROLE regress_fill_editor;
CREATE ROLE regress_fill_loader BYPASSRLS;
CREATE SCHEMA fill AUTHORIZATION regress_fill_owner;
GRANT USAGE ON SCHEMA fill TO regress_fill_app, regress_fill_editor, regress_fill_loader;
SET ROLE regress_fill_owner;
SET search_path = fill;
ALTER DEFAULT PRIVILEGES IN SCHEMA fill GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO regress_fill_app, regress_fill_editor, regress_fill_loader;
CREATE TABLE docs (id integer PRIMARY KEY, tenant_id integer, title text, doubled integer GENERATED ALWAYS AS (tenant_id * 2) STORED);
SELECT c FROM steward.tenant_protect('docs', roles => '{regress_fill_app}') c WHERE c LIKE '%TRIGGER%';
SELECT * FROM steward.tenant_protect('docs');
SELECT count(*) FROM steward.tenant_admin_all('docs', 'regress_fill_editor');

-- NULL is the tenant of the context: one row, several, DEFAULT, from a query, ON CONFLICT, MERGE, a view, prepared
CREATE VIEW a_view WITH (security_invoker = true) AS SELECT id, tenant_id, title FROM docs;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO docs (id, tenant_id) VALUES (1, NULL) RETURNING id, tenant_id, doubled;
INSERT INTO docs (id, tenant_id) VALUES (2, NULL), (3, 42), (4, DEFAULT) RETURNING id, tenant_id;
INSERT INTO docs (id, tenant_id) SELECT n, NULL FROM generate_series(5, 6) n RETURNING id, tenant_id;
INSERT INTO docs (id, tenant_id, title) VALUES (1, NULL, 'again') ON CONFLICT (id) DO UPDATE SET tenant_id = EXCLUDED.tenant_id, title = EXCLUDED.title RETURNING id, tenant_id, title;
MERGE INTO docs USING (VALUES (7, NULL::integer)) v (id, tenant_id) ON docs.id = v.id WHEN NOT MATCHED THEN INSERT (id, tenant_id) VALUES (v.id, v.tenant_id);
INSERT INTO a_view VALUES (8, NULL);
PREPARE make AS INSERT INTO docs (id, tenant_id) VALUES ($1, $2) RETURNING id, tenant_id;
EXECUTE make(9, NULL);
EXECUTE make(10, 42);
SELECT string_agg(format('%s:%s', id, tenant_id), ' ' ORDER BY id) FROM docs;
-- another tenant's is refused as before
SAVEPOINT s;
INSERT INTO docs (id, tenant_id) VALUES (11, 43);
ROLLBACK TO s;
INSERT INTO docs (id, tenant_id) VALUES (11, NULL), (12, 43);
ROLLBACK TO s;
-- and NULL is no way out
\set VERBOSITY default
UPDATE docs SET tenant_id = NULL;
ROLLBACK TO s;
INSERT INTO docs (id, tenant_id) VALUES (1, NULL) ON CONFLICT (id) DO UPDATE SET tenant_id = NULL;
ROLLBACK TO s;
UPDATE docs SET tenant_id = 42, title = 'saved whole' WHERE id = 1 RETURNING tenant_id;
COMMIT;
-- without a context an error that explains
SET ROLE regress_fill_app;
INSERT INTO docs (id, tenant_id) VALUES (20, NULL);
INSERT INTO docs (id) VALUES (20);
RESET ROLE;
-- the same for those whom policies do not hold
SET ROLE regress_fill_editor;
INSERT INTO docs (id, tenant_id) VALUES (20, NULL);
UPDATE docs SET tenant_id = NULL WHERE id = 1;
INSERT INTO docs (id, tenant_id) VALUES (20, 7) RETURNING tenant_id;
RESET ROLE;
\set VERBOSITY terse

-- COPY, which row security leaves to others
SET ROLE regress_fill_loader;
COPY docs (id, tenant_id) FROM STDIN;
30	\N
\.
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('43') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_loader;
COPY docs (id, tenant_id) FROM STDIN;
30	\N
31	44
\.
SELECT id, tenant_id FROM docs WHERE id >= 30 ORDER BY id;
ROLLBACK;

-- every type of column, and what the tenant is not
SET ROLE regress_fill_owner;
CREATE DOMAIN short AS varchar(5) CHECK (value <> 'bad');
CREATE TABLE smallints (tenant_id smallint);
CREATE TABLE bigints (tenant_id bigint);
CREATE TABLE uuids (tenant_id uuid);
CREATE TABLE texts (tenant_id text);
CREATE TABLE varchars (tenant_id varchar(5));
CREATE TABLE domains (tenant_id short);
SELECT count(*) > 0 AS protected FROM (VALUES ('smallints'), ('bigints'), ('uuids'), ('texts'), ('varchars'), ('domains')) t(name), steward.tenant_protect(t.name::regclass);
RESET ROLE;
CREATE FUNCTION filled(tenant text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    PERFORM steward.tenant_set(tenant);
    SET LOCAL ROLE regress_fill_app;
    EXECUTE format('INSERT INTO fill.%I VALUES (NULL) RETURNING tenant_id', name) INTO result;
    RAISE EXCEPTION USING MESSAGE = result;
EXCEPTION WHEN OTHERS THEN
    RETURN sqlerrm;
END $$;
SELECT t.tenant, t.name, filled(t.tenant, t.name) FROM (VALUES ('7', 'smallints'), ('70000', 'smallints'), ('7', 'bigints'), ('007', 'bigints'), ('x', 'bigints'),
    ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'uuids'), ('7', 'uuids'), ('007', 'texts'), ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'texts'),
    ('seven', 'varchars'), ('seventy', 'varchars'), ('seven', 'domains'), ('bad', 'domains'), ('seventy', 'domains')) t(tenant, name);

-- before the triggers of others, after which nobody is asked; one that fills it in by itself may
SET ROLE regress_fill_owner;
CREATE TABLE ordered (id integer, tenant_id integer, seen integer);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.seen := NEW.tenant_id; RETURN NEW; END $$;
CREATE TRIGGER "1_first" BEFORE INSERT ON ordered FOR EACH ROW EXECUTE FUNCTION see();
SELECT count(*) > 0 FROM steward.tenant_protect('ordered');
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO ordered VALUES (1, NULL) RETURNING tenant_id, seen;
ROLLBACK;
CREATE FUNCTION give() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.tenant_id := coalesce(NEW.tenant_id, 7); RETURN NEW; END $$;
CREATE TRIGGER give BEFORE INSERT ON ordered FOR EACH ROW EXECUTE FUNCTION give();
INSERT INTO ordered VALUES (1, NULL) RETURNING tenant_id;
SET ROLE regress_fill_app;
INSERT INTO ordered VALUES (1, NULL) RETURNING tenant_id;
RESET ROLE;

-- partitions by time: also one that was protected before, detached and attached again
SET ROLE regress_fill_owner;
CREATE TABLE events (id integer, tenant_id integer, at date) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE events_2 (id integer, tenant_id integer, at date);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('events_2');
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('events');
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
SELECT * FROM steward.tenant_protect_partitions('events');
CREATE TABLE events_3 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_partitions('events');
ALTER TABLE events DETACH PARTITION events_1;
SELECT c FROM steward.tenant_protect('events_1') c;
ALTER TABLE events ATTACH PARTITION events_1 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
SELECT * FROM steward.tenant_protect('events');
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO events VALUES (1, NULL, '2026-05-01'), (2, NULL, '2027-05-01'), (3, NULL, '2028-05-01') RETURNING tableoid::regclass, tenant_id;
INSERT INTO events_1 VALUES (1, NULL, '2026-05-01') RETURNING tenant_id;
INSERT INTO events_2 VALUES (1, NULL, '2027-05-01') RETURNING tenant_id;
SAVEPOINT s;
UPDATE events SET tenant_id = NULL;
ROLLBACK;
-- by tenant, the partition is found first
SET ROLE regress_fill_owner;
CREATE TABLE measures (id integer, tenant_id integer) PARTITION BY LIST (tenant_id);
CREATE TABLE measures_42 PARTITION OF measures FOR VALUES IN (42);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect('measures', folded => true);
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
SAVEPOINT s;
\set VERBOSITY default
INSERT INTO measures VALUES (1, NULL);
ROLLBACK TO s;
INSERT INTO measures (id) VALUES (1) RETURNING tenant_id;
RESET ROLE;
CREATE TABLE measures_rest PARTITION OF measures DEFAULT;
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_partitions('measures');
SET LOCAL ROLE regress_fill_app;
SAVEPOINT s;
INSERT INTO measures VALUES (1, NULL);
ROLLBACK TO s;
\set VERBOSITY terse
INSERT INTO measures_42 VALUES (1, NULL);
ROLLBACK;
-- inheritance
SET ROLE regress_fill_owner;
CREATE TABLE elders (id integer, tenant_id integer);
CREATE TABLE heirs () INHERITS (elders);
SELECT c FROM steward.tenant_protect('elders') c WHERE c LIKE '%TRIGGER%';
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO heirs VALUES (1, NULL) RETURNING tenant_id;
ROLLBACK;

-- a child has the tenant of its parent, and keeps it
SET ROLE regress_fill_owner;
CREATE TABLE items (id integer PRIMARY KEY, doc_id integer REFERENCES docs);
SET client_min_messages = error;
CALL steward.tenant_protect_child('items', 'docs');
SET client_min_messages = warning;
SELECT trigger_name FROM steward_internal.tenant_fill_triggers WHERE relation_id = 'items'::regclass;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO items VALUES (1, 1, NULL) RETURNING tenant_id;
SAVEPOINT s;
UPDATE items SET tenant_id = NULL;
ROLLBACK TO s;
INSERT INTO items VALUES (2, 20, NULL) RETURNING tenant_id;
ROLLBACK;
SET ROLE regress_fill_app;
\set VERBOSITY default
INSERT INTO items VALUES (1, 1, NULL);
\set VERBOSITY terse
RESET ROLE;

-- in a tree it is the tenant's own
SET ROLE regress_fill_owner;
CREATE TABLE tenants (id integer PRIMARY KEY, parent_id integer);
CREATE TABLE reports (id integer, tenant_id integer);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_tree('reports', 'tenants', writes => true);
RESET ROLE;
INSERT INTO tenants VALUES (42, NULL), (43, 42);
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO reports VALUES (1, NULL), (2, 43) RETURNING tenant_id;
UPDATE reports SET tenant_id = NULL;
ROLLBACK;

-- where NULL means all tenants, a tenant's transaction does not write for all
SET ROLE regress_fill_owner;
CREATE TABLE templates (id integer, tenant_id integer, body text);
SELECT count(*) > 0 AS protected FROM steward.tenant_protect_shared('templates', roles => '{regress_fill_app}');
SELECT count(*) > 0 AS editor FROM steward.tenant_admin_all('templates', 'regress_fill_editor');
SET ROLE regress_fill_editor;
INSERT INTO templates VALUES (1, NULL, 'for all'), (2, 42, 'for one') RETURNING id, tenant_id;
UPDATE templates SET tenant_id = NULL WHERE id = 2 RETURNING id, tenant_id;
UPDATE templates SET tenant_id = 42 WHERE id = 2 RETURNING id, tenant_id;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO templates VALUES (3, NULL, 'mine') RETURNING id, tenant_id;
SAVEPOINT s;
\set VERBOSITY default
UPDATE templates SET tenant_id = NULL;
\set VERBOSITY terse
ROLLBACK TO s;
-- an administrator who works for a tenant may save such a row as it is
RESET ROLE;
SET LOCAL ROLE regress_fill_editor;
UPDATE templates SET tenant_id = NULL, body = 'saved whole' WHERE id = 1 RETURNING id, tenant_id;
INSERT INTO templates VALUES (4, NULL) RETURNING id, tenant_id;
ROLLBACK;
SET ROLE regress_fill_app;
\set VERBOSITY default
INSERT INTO templates VALUES (5, NULL);
\set VERBOSITY terse
RESET ROLE;

-- attached wrongly
SET ROLE regress_fill_owner;
CREATE TABLE wrong (id integer, tenant_id integer);
\set VERBOSITY default
CREATE TRIGGER t AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_fill_trigger('tenant_id');
INSERT INTO wrong VALUES (1);
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_fill_trigger();
INSERT INTO wrong VALUES (1);
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_fill_trigger('org_id');
INSERT INTO wrong VALUES (1);
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION steward.tenant_fill_trigger('tenant_id=x');
INSERT INTO wrong VALUES (1);
DROP TRIGGER t ON wrong;
-- a renamed column is followed, and what unprotects takes the trigger along
ALTER TABLE docs RENAME tenant_id TO org_id;
ALTER TABLE docs RENAME TO papers;
RESET ROLE;
BEGIN;
SELECT steward.tenant_set('42') IS NOT NULL AS set;
SET LOCAL ROLE regress_fill_app;
INSERT INTO papers (id, org_id) VALUES (50, NULL) RETURNING org_id;
ROLLBACK;
SET ROLE regress_fill_owner;
SELECT * FROM steward.tenant_unprotect('events');
SELECT count(*) FROM steward_internal.tenant_fill_triggers WHERE relation_id = 'events_2'::regclass;
SELECT * FROM steward.tenant_unprotect('events', dry_run => true);
RESET ROLE;
DROP SCHEMA fill CASCADE;
DROP OWNED BY regress_fill_owner;
DROP ROLE regress_fill_owner, regress_fill_app, regress_fill_editor, regress_fill_loader;
