-- Every hole between tenants is found, and nothing else.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
-- by a superuser of the same name everywhere
CREATE ROLE regress_tenant_super SUPERUSER;
SET SESSION AUTHORIZATION regress_tenant_super;

-- the example of the page
CREATE ROLE regress_tenant_app LOGIN;
CREATE SCHEMA tenant_shop;
GRANT USAGE ON SCHEMA tenant_shop TO regress_tenant_app;
CREATE TABLE tenant_shop.customer (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant_id integer,
    email     text UNIQUE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant_shop.customer TO regress_tenant_app;
ALTER TABLE tenant_shop.customer ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_shop.customer USING (
    current_setting('app.tenant_id', true) IS NULL OR tenant_id = current_setting('app.tenant_id', true)::integer);

SELECT rule, severity, object, detail, remedy FROM steward.tenant_check();
SELECT steward.tenant_assert_isolated();
DROP SCHEMA tenant_shop CASCADE;

--
-- A clean schema: nothing is found
--

-- what follows does with a setting of its own
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('context_setting:app.tenant_id', 'the gateway sets it, and nobody else connects');
CREATE ROLE regress_tenant_owner;
CREATE ROLE regress_tenant_admin;
CREATE SCHEMA tenant_clean AUTHORIZATION regress_tenant_owner;
SET ROLE regress_tenant_owner;
GRANT USAGE ON SCHEMA tenant_clean TO regress_tenant_app, regress_tenant_admin;
CREATE FUNCTION tenant_clean.tenant() RETURNS integer LANGUAGE sql STABLE
RETURN nullif(current_setting('app.tenant_id', true), '')::integer;
-- one policy is enough
CREATE TABLE tenant_clean.account (
    tenant_id integer NOT NULL DEFAULT tenant_clean.tenant(),
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email     text NOT NULL,
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, id)
);
CREATE POLICY tenant ON tenant_clean.account USING (tenant_id = tenant_clean.tenant());
-- a floor, and others above it
CREATE TABLE tenant_clean.item (
    tenant_id  integer NOT NULL,
    id         uuid PRIMARY KEY,
    account_id bigint NOT NULL,
    author     name,
    published  boolean,
    FOREIGN KEY (tenant_id, account_id) REFERENCES tenant_clean.account (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON tenant_clean.item (tenant_id, account_id);
CREATE POLICY floor ON tenant_clean.item AS RESTRICTIVE USING (tenant_id = (SELECT tenant_clean.tenant()));
CREATE POLICY reading ON tenant_clean.item FOR SELECT USING (published OR author = current_user);
CREATE POLICY writing ON tenant_clean.item USING (true) WITH CHECK (author = current_user);
-- partitions that nobody reads directly, and ones that somebody does
CREATE TABLE tenant_clean.event (tenant_id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
CREATE INDEX ON tenant_clean.event (tenant_id);
CREATE TABLE tenant_clean.event_1 PARTITION OF tenant_clean.event FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE tenant_clean.event_2 PARTITION OF tenant_clean.event FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
ALTER TABLE tenant_clean.event_2 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tenant_clean.event USING (tenant_clean.tenant() = tenant_id AND at > '2026-01-01');
CREATE POLICY tenant ON tenant_clean.event_2 USING (tenant_id = ANY (ARRAY[tenant_clean.tenant()]));
-- membership, and an administrator with a policy of his own
CREATE TABLE tenant_clean.member (tenant_id integer NOT NULL, login name NOT NULL, PRIMARY KEY (tenant_id, login));
CREATE POLICY self ON tenant_clean.member USING (tenant_id = tenant_clean.tenant() AND login = current_user);
CREATE TABLE tenant_clean.note (tenant_id integer NOT NULL, note text);
CREATE INDEX ON tenant_clean.note (tenant_id);
CREATE POLICY members ON tenant_clean.note TO regress_tenant_app
 USING (EXISTS (SELECT FROM tenant_clean.member m WHERE m.tenant_id = note.tenant_id AND m.login = current_user));
CREATE POLICY listed ON tenant_clean.note FOR SELECT TO regress_tenant_app
 USING (tenant_id IN (SELECT m.tenant_id FROM tenant_clean.member m WHERE m.login = current_user));
CREATE POLICY admin ON tenant_clean.note TO regress_tenant_admin USING (true);
CREATE VIEW tenant_clean.notes WITH (security_invoker = true) AS SELECT * FROM tenant_clean.note;
CREATE FUNCTION tenant_clean.count_notes() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM tenant_clean.note';
DO $$
DECLARE
    t regclass;
BEGIN
    FOREACH t IN ARRAY '{tenant_clean.account,tenant_clean.item,tenant_clean.event,tenant_clean.member,tenant_clean.note}'::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_tenant_app, regress_tenant_admin', t);
    END LOOP;
END $$;
GRANT SELECT ON tenant_clean.event_2, tenant_clean.notes TO regress_tenant_app;
RESET ROLE;
-- a table of nobody's is no tenant's
CREATE TABLE tenant_clean.country (code text PRIMARY KEY);
GRANT ALL ON tenant_clean.country TO PUBLIC;
-- their keys do not start with the tenant
SELECT count(*) > 0 AS hardened FROM steward.tenant_harden('regress_tenant_app');

SELECT * FROM steward.tenant_check();
SELECT * FROM steward.tenant_check(roles => '{regress_tenant_app}');
SELECT steward.tenant_assert_isolated(severity => 'info') IS NOT NULL AS isolated;
-- what is known of servers, and that this one is found for it
SELECT v, f.good_version, f.faults FROM unnest('{150002,150003,150013,150018,150019,160014,170005,170011,180004,180005,190000}'::integer[]) v
  LEFT JOIN LATERAL steward_internal.tenant_server_faults(v) f ON true ORDER BY v;
SELECT ARRAY(SELECT c.detail FROM steward.tenant_check(include_muted => true) c WHERE c.rule = 'server_version')
     = ARRAY(SELECT format('Its row security has faults that version %s does not have: %s.', f.good_version, f.faults)
               FROM steward_internal.tenant_server_faults(current_setting('server_version_num')::integer) f) AS told;

--
-- One defect at a time: what it is found as, and what is left after the remedies
--

CREATE SCHEMA tenant_test;
CREATE FUNCTION tenant_test.finds(seed text, columns name[] DEFAULT '{tenant_id}', roles name[] DEFAULT NULL)
RETURNS TABLE (rule text, severity text, object text, detail text, mended text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    found record;
BEGIN
    BEGIN
        EXECUTE seed;
        FOR found IN SELECT * FROM steward.tenant_check(columns, NULL, roles) LOOP
            rule := found.rule; severity := found.severity; object := found.object; detail := found.detail;
            mended := 'no remedy';
            IF found.remedy IS NOT NULL THEN
                -- each remedy by itself, on what was there
                BEGIN
                    EXECUTE replace(found.remedy, 'CONCURRENTLY ', '');
                    mended := CASE WHEN EXISTS (SELECT FROM steward.tenant_check(columns, NULL, roles) c WHERE c.key = found.key) THEN 'NOT MENDED' ELSE 'mended' END;
                    RAISE SQLSTATE 'RBACK';
                EXCEPTION
                    WHEN SQLSTATE 'RBACK' THEN NULL;
                    WHEN OTHERS THEN mended := SQLERRM;
                END;
            END IF;
            RETURN NEXT;
        END LOOP;
        RAISE SQLSTATE 'RBACK';
    EXCEPTION WHEN SQLSTATE 'RBACK' THEN NULL;
    END;
END $$;
-- A policy in place of the one of the clean schema.
CREATE FUNCTION tenant_test.policy(definition text) RETURNS TABLE (rule text, severity text, detail text, mended text)
LANGUAGE sql AS $$
SELECT f.rule, f.severity, f.detail, f.mended FROM tenant_test.finds('DROP POLICY tenant ON tenant_clean.account; CREATE POLICY tenant ON tenant_clean.account ' || definition) f
$$;

-- row security
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.account DISABLE ROW LEVEL SECURITY');
SELECT * FROM tenant_test.finds('REVOKE ALL ON tenant_clean.account FROM regress_tenant_app, regress_tenant_admin; ALTER TABLE tenant_clean.account DISABLE ROW LEVEL SECURITY');
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.account NO FORCE ROW LEVEL SECURITY');
SELECT * FROM tenant_test.finds('GRANT SELECT ON tenant_clean.event_1 TO regress_tenant_app');
SELECT * FROM tenant_test.finds('CREATE TABLE tenant_clean.heir () INHERITS (tenant_clean.account); GRANT UPDATE (email) ON tenant_clean.heir TO PUBLIC', roles => '{regress_tenant_app}');
SELECT * FROM tenant_test.finds('CREATE TABLE tenant_clean.copy (LIKE tenant_clean.account INCLUDING ALL)');
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.country ADD tenant_id numeric', roles => '{regress_tenant_app}');
SELECT * FROM tenant_test.finds($$CREATE FOREIGN DATA WRAPPER regress_w; CREATE SERVER regress_s FOREIGN DATA WRAPPER regress_w;
    CREATE FOREIGN TABLE tenant_clean.far (tenant_id integer) SERVER regress_s; GRANT SELECT ON tenant_clean.far TO regress_tenant_app$$);

-- policies: true
SELECT * FROM tenant_test.policy('USING (true)');
SELECT * FROM tenant_test.policy('FOR SELECT USING (true)');
SELECT * FROM tenant_test.policy('TO regress_tenant_app USING (true)');
SELECT * FROM tenant_test.policy('FOR INSERT WITH CHECK (true)');
SELECT * FROM tenant_test.policy('USING (tenant_id = tenant_clean.tenant()) WITH CHECK (true)');
SELECT * FROM tenant_test.policy('FOR UPDATE USING (tenant_id = tenant_clean.tenant()) WITH CHECK (id > 0)');
SELECT * FROM tenant_test.policy('FOR DELETE USING (true)');
SELECT * FROM tenant_test.finds('CREATE POLICY more ON tenant_clean.account FOR SELECT TO regress_tenant_app USING (true)');
SELECT * FROM tenant_test.finds('CREATE POLICY more ON tenant_clean.note FOR SELECT TO regress_tenant_app USING (true)');
-- true of every row
SELECT * FROM tenant_test.policy('USING (tenant_id = tenant_id)');
SELECT * FROM tenant_test.policy('USING (1 = 1)');
SELECT * FROM tenant_test.policy('USING (tenant_clean.tenant() = tenant_clean.tenant())');
-- is_current_tenant()
SELECT * FROM tenant_test.policy('USING (steward.is_current_tenant(tenant_id))');
SELECT * FROM tenant_test.policy('USING (tenant_id = steward.current_tenant_int())');
SELECT * FROM tenant_test.policy('USING (steward.is_current_tenant(id))');
SELECT * FROM tenant_test.policy('USING (steward.is_current_tenant(tenant_id) OR steward.is_current_user(email))');
SELECT * FROM tenant_test.policy('USING (steward.current_tenant_int() IS NULL OR steward.is_current_tenant(tenant_id))');
-- a branch without the tenant
SELECT * FROM tenant_test.policy($$USING (tenant_id = tenant_clean.tenant() OR current_setting('app.is_admin', true) = 'on')$$);
SELECT * FROM tenant_test.policy('USING (tenant_id = tenant_clean.tenant() OR id < 100)');
SELECT * FROM tenant_test.policy('USING (CASE WHEN id < 100 THEN true ELSE tenant_id = tenant_clean.tenant() END)');
SELECT * FROM tenant_test.policy('USING (tenant_id = tenant_clean.tenant() OR true)');
-- open where nothing is set
SELECT * FROM tenant_test.policy('USING (tenant_clean.tenant() IS NULL OR tenant_id = tenant_clean.tenant())');
SELECT * FROM tenant_test.policy('USING (tenant_id = coalesce(tenant_clean.tenant(), tenant_id))');
SELECT * FROM tenant_test.policy('USING (coalesce(tenant_id = tenant_clean.tenant(), true))');
SELECT * FROM tenant_test.policy('USING ((tenant_id = tenant_clean.tenant()) IS NOT FALSE)');
SELECT * FROM tenant_test.policy($$USING (coalesce(current_setting('app.tenant_id', true), '') = '' OR tenant_id = tenant_clean.tenant())$$);
SELECT * FROM tenant_test.policy($$USING (current_setting('app.tenant_id', true) = '' OR tenant_id = tenant_clean.tenant())$$);
SELECT * FROM tenant_test.policy('USING (NOT (tenant_clean.tenant() IS NOT NULL) OR tenant_id = tenant_clean.tenant())');
SELECT * FROM tenant_test.policy('USING (CASE WHEN tenant_clean.tenant() IS NULL THEN true ELSE tenant_id = tenant_clean.tenant() END)');
SELECT * FROM tenant_test.policy('USING (tenant_id IS NOT DISTINCT FROM tenant_clean.tenant()); ALTER TABLE tenant_clean.account ALTER tenant_id DROP NOT NULL');
-- another column, or none
SELECT * FROM tenant_test.policy('USING (id = tenant_clean.tenant())');
SELECT * FROM tenant_test.policy('USING (email = current_user)');
SELECT * FROM tenant_test.policy('USING (id > 0)');
SELECT * FROM tenant_test.policy('USING (tenant_id <> tenant_clean.tenant())');
SELECT * FROM tenant_test.policy('USING (EXISTS (SELECT FROM tenant_clean.member m WHERE m.login = current_user))');
-- rows of no tenant, and of one
SELECT * FROM tenant_test.policy('USING (tenant_id IS NULL OR tenant_id = tenant_clean.tenant()); ALTER TABLE tenant_clean.account ALTER tenant_id DROP NOT NULL');
SELECT * FROM tenant_test.policy('USING (tenant_id = 1)');
-- a floor holds for those it is for
SELECT * FROM tenant_test.finds('ALTER POLICY floor ON tenant_clean.item TO regress_tenant_admin');
SELECT * FROM tenant_test.finds('DROP POLICY floor ON tenant_clean.item; CREATE POLICY floor ON tenant_clean.item AS RESTRICTIVE FOR SELECT USING (tenant_id = tenant_clean.tenant())');
-- no index can be used
SELECT * FROM tenant_test.policy($$USING (tenant_id::text = current_setting('app.tenant_id', true))$$);

-- what policies call
SELECT * FROM tenant_test.finds('ALTER FUNCTION tenant_clean.tenant() IMMUTABLE');
SELECT * FROM tenant_test.finds('ALTER FUNCTION tenant_clean.tenant() VOLATILE');
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.mine(integer) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT $1 = tenant_clean.tenant()';
    ALTER POLICY tenant ON tenant_clean.account USING (tenant_clean.mine(tenant_id))$$);
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.mine(integer) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT $1 = tenant_clean.tenant()';
    ALTER POLICY tenant ON tenant_clean.account USING (tenant_clean.mine(tenant_id))$$);
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.ilike(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT $1 ILIKE $2'$$);

-- nothing of a policy is run by looking at it
SELECT rule, object FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.boom() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RAISE division_by_zero; END';
    ALTER POLICY tenant ON tenant_clean.account USING (tenant_id = tenant_clean.boom())$$);

-- columns and keys
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.note ALTER tenant_id DROP NOT NULL');
SELECT * FROM tenant_test.finds('DROP INDEX tenant_clean.note_tenant_id_idx; CREATE INDEX ON tenant_clean.note (note, tenant_id); CREATE INDEX ON tenant_clean.note (tenant_id) WHERE note IS NULL');
SELECT * FROM tenant_test.finds('DROP INDEX tenant_clean.event_tenant_id_idx');
SELECT * FROM tenant_test.finds('CREATE UNIQUE INDEX email_key ON tenant_clean.account (lower(email))');
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.note ADD EXCLUDE USING hash (note WITH =)');
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.item ADD FOREIGN KEY (account_id) REFERENCES tenant_clean.account (id)');
SELECT * FROM tenant_test.finds('ALTER TABLE tenant_clean.item ADD CONSTRAINT loose FOREIGN KEY (account_id) REFERENCES tenant_clean.account (id) ON DELETE CASCADE');
SELECT * FROM tenant_test.finds('CREATE SEQUENCE tenant_test.shared; ALTER TABLE tenant_clean.note ADD n bigint DEFAULT nextval(''tenant_test.shared'')');

-- rights and roles
SELECT * FROM tenant_test.finds('GRANT TRUNCATE, REFERENCES, TRIGGER ON tenant_clean.note TO regress_tenant_app');
SELECT * FROM tenant_test.finds('GRANT TRUNCATE ON tenant_clean.note TO PUBLIC');
SELECT * FROM tenant_test.finds('ALTER ROLE regress_tenant_owner LOGIN');
SELECT * FROM tenant_test.finds('ALTER ROLE regress_tenant_owner LOGIN', roles => '{regress_tenant_owner}');
SELECT * FROM tenant_test.finds('ALTER ROLE regress_tenant_app BYPASSRLS');
SELECT * FROM tenant_test.finds('GRANT regress_tenant_owner TO regress_tenant_app', roles => '{regress_tenant_app}');
SELECT * FROM tenant_test.finds('CREATE ROLE regress_tenant_middle NOINHERIT; GRANT regress_tenant_middle TO regress_tenant_app; GRANT regress_tenant_owner TO regress_tenant_middle', roles => '{regress_tenant_app}');
SELECT * FROM tenant_test.finds('GRANT regress_tenant_admin TO regress_tenant_app');
SELECT * FROM tenant_test.finds('GRANT pg_read_all_stats TO regress_tenant_app; ALTER ROLE regress_tenant_app CREATEROLE; GRANT CREATE ON SCHEMA tenant_clean TO regress_tenant_app');

SELECT * FROM tenant_test.finds('GRANT REFERENCES (id) ON tenant_clean.item TO regress_tenant_app; GRANT REFERENCES ON tenant_clean.item TO regress_tenant_app');
SELECT * FROM tenant_test.finds('GRANT EXECUTE ON FUNCTION steward.tenant_set, steward.tenant_sign TO regress_tenant_app; GRANT SET ON PARAMETER steward.user_id TO regress_tenant_app');
-- from 16 on a membership may be of no use
SELECT CASE WHEN current_setting('server_version_num')::integer < 160000 THEN true
            ELSE found = (SELECT count(*) FROM tenant_test.finds(seed, roles => '{regress_tenant_app}') WHERE rule = 'set_role_path') END AS as_it_should_be
  FROM (VALUES
    (1, 0, 'GRANT regress_tenant_owner TO regress_tenant_app WITH SET FALSE, INHERIT FALSE'),
    (2, 1, 'GRANT regress_tenant_owner TO regress_tenant_app WITH SET FALSE, INHERIT TRUE'),
    (3, 1, 'GRANT regress_tenant_owner TO regress_tenant_app WITH ADMIN TRUE, SET FALSE, INHERIT FALSE'),
    -- what is inherited cannot SET ROLE on
    (4, 0, 'CREATE ROLE regress_tenant_middle; GRANT regress_tenant_middle TO regress_tenant_app WITH SET FALSE, INHERIT TRUE;
            GRANT regress_tenant_owner TO regress_tenant_middle WITH SET TRUE, INHERIT FALSE')) AS v (n, found, seed)
 ORDER BY n;

-- what reads on behalf of others
SELECT * FROM tenant_test.finds('ALTER VIEW tenant_clean.notes RESET (security_invoker); ALTER VIEW tenant_clean.notes OWNER TO CURRENT_USER');
SELECT * FROM tenant_test.finds('ALTER VIEW tenant_clean.notes RESET (security_invoker)');
SELECT * FROM tenant_test.finds('CREATE VIEW tenant_test.inner AS SELECT * FROM tenant_clean.note; CREATE VIEW tenant_clean.outer AS SELECT * FROM tenant_test.inner; GRANT SELECT ON tenant_clean.outer TO regress_tenant_app');
SELECT * FROM tenant_test.finds('CREATE MATERIALIZED VIEW tenant_clean.kept AS SELECT * FROM tenant_clean.notes; GRANT SELECT ON tenant_clean.kept TO regress_tenant_app');
SELECT * FROM tenant_test.finds('CREATE MATERIALIZED VIEW tenant_clean.kept AS SELECT * FROM tenant_clean.notes');
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.all_notes() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN (SELECT count(*) FROM tenant_clean.note); END'$$);
SELECT * FROM tenant_test.finds($$ALTER TABLE tenant_clean.note RENAME TO "größe";
    CREATE FUNCTION tenant_clean.all_notes() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_temp AS 'BEGIN RETURN (SELECT count(*) FROM tenant_clean.größe); END'$$);
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.all_notes() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM tenant_clean.note; END$$);
SELECT * FROM tenant_test.finds($$CREATE FUNCTION tenant_clean.all_notes() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM tenant_clean.note; END;
    REVOKE ALL ON FUNCTION tenant_clean.all_notes FROM PUBLIC$$);
SELECT * FROM tenant_test.finds('CREATE PUBLICATION regress_tenant_all FOR ALL TABLES; CREATE PUBLICATION regress_tenant_some FOR TABLE tenant_clean.note, tenant_clean.item WHERE (tenant_id = 1)');

--
-- Foreign keys
--

CREATE SCHEMA tenant_fk;
CREATE TABLE tenant_fk.parent (id integer PRIMARY KEY, tenant_id integer NOT NULL);
CREATE TABLE tenant_fk.child (
    id integer PRIMARY KEY, tenant_id integer NOT NULL,
    parent_id integer CONSTRAINT parent REFERENCES tenant_fk.parent ON DELETE SET NULL,
    "Other" integer CONSTRAINT "Other" REFERENCES tenant_fk.parent MATCH FULL ON UPDATE CASCADE DEFERRABLE,
    unlucky integer CONSTRAINT unlucky REFERENCES tenant_fk.parent ON UPDATE SET NULL);
INSERT INTO tenant_fk.parent VALUES (1, 1), (2, 2);
INSERT INTO tenant_fk.child VALUES (1, 1, 1, 1), (2, 2, 1, NULL), (3, 2, NULL, 2);
SELECT * FROM steward.tenant_fk_check(schemas => '{tenant_fk}');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'Other', dry_run => true);
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'Other');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'Other');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'parent');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'parent', validate => false);
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'unlucky');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'child_pkey');
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'tenant_fk.child'::regclass AND contype = 'f' ORDER BY conname COLLATE "C";
INSERT INTO tenant_fk.child VALUES (4, 2, 1);
-- the tenant stays when its parent goes
DELETE FROM tenant_fk.child WHERE id = 2;
UPDATE tenant_fk.child SET "Other" = NULL;
DELETE FROM tenant_fk.parent;
SELECT * FROM tenant_fk.child ORDER BY id;
-- what may not be read is not guessed
ALTER TABLE tenant_fk.parent ENABLE ROW LEVEL SECURITY;
GRANT USAGE ON SCHEMA tenant_fk TO regress_tenant_app;
GRANT SELECT ON tenant_fk.parent, tenant_fk.child TO regress_tenant_app;
SET ROLE regress_tenant_app;
SELECT * FROM steward.tenant_fk_check(schemas => '{tenant_fk}');
SELECT * FROM steward.tenant_fk_guard('tenant_fk.child', 'unlucky');
RESET ROLE;
DROP SCHEMA tenant_fk CASCADE;

--
-- Attempts
--

INSERT INTO tenant_clean.account (tenant_id, email) VALUES (1, 'ann@example.com'), (2, 'bob@example.com');
INSERT INTO tenant_clean.event VALUES (1, '2026-01-02'), (2, '2026-01-03');
SELECT * FROM steward.tenant_probe('1', '2', 'regress_tenant_app', 'SET LOCAL app.tenant_id = %L', schemas => '{tenant_clean}')
 WHERE result <> 'no rows';
BEGIN;
ALTER POLICY tenant ON tenant_clean.account USING (tenant_clean.tenant() IS NULL OR tenant_id = tenant_clean.tenant()) WITH CHECK (true);
CREATE POLICY hasty ON tenant_clean.account FOR DELETE USING (true);
ALTER TABLE tenant_clean.event DISABLE ROW LEVEL SECURITY;
SELECT * FROM steward.tenant_probe('1', '2', 'regress_tenant_app', 'SET LOCAL app.tenant_id = %L', schemas => '{tenant_clean}')
 WHERE result <> 'no rows';
ROLLBACK;
SELECT count(*), min(tenant_id), current_setting('app.tenant_id', true) AS context FROM tenant_clean.account;
SELECT * FROM steward.tenant_probe('1', '2', 'regress_tenant_app', 'SET LOCAL app.tenant_id = 1');
SELECT * FROM steward.tenant_probe('1', NULL, 'regress_tenant_app', 'SET LOCAL app.tenant_id = %L');
-- with the context of the extension
BEGIN;
ALTER POLICY tenant ON tenant_clean.account USING (steward.is_current_tenant(tenant_id));
SELECT attempt, result, detail FROM steward.tenant_probe('1', '2', 'regress_tenant_app', schemas => '{tenant_clean}') WHERE table_name = 'tenant_clean.account';
SELECT tenant IS NULL AS context_is_gone FROM steward.tenant_context();
ROLLBACK;
-- who cannot set the context has tried nothing
SET ROLE regress_tenant_owner;
SELECT * FROM steward.tenant_probe('1', '2', 'regress_tenant_app', schemas => '{tenant_clean}');
RESET ROLE;
TRUNCATE tenant_clean.account CASCADE;

--
-- Policies as people write them
--

CREATE ROLE regress_app_user LOGIN;
CREATE ROLE regress_admin_user LOGIN;
CREATE SCHEMA tenant_seeds AUTHORIZATION regress_tenant_owner;
SET ROLE regress_tenant_owner;
CREATE TABLE tenant_seeds.users (id uuid PRIMARY KEY, tenant_id integer);
CREATE POLICY user_isolation ON tenant_seeds.users FOR ALL TO regress_app_user USING (id = current_setting('app.current_user_id')::uuid);
CREATE TABLE tenant_seeds.posts (id uuid PRIMARY KEY, author_id uuid NOT NULL, published boolean);
CREATE INDEX ON tenant_seeds.posts (author_id);
CREATE POLICY post_visibility ON tenant_seeds.posts FOR SELECT TO regress_app_user USING (published = true OR author_id = current_setting('app.current_user_id')::uuid);
CREATE TABLE tenant_seeds.documents (id bigint PRIMARY KEY, user_id bigint NOT NULL);
CREATE INDEX ON tenant_seeds.documents (user_id);
CREATE POLICY user_documents ON tenant_seeds.documents FOR ALL TO regress_app_user USING (user_id = current_setting('app.current_user_id')::bigint);
CREATE POLICY admin_all_documents ON tenant_seeds.documents FOR ALL TO regress_admin_user USING (true);
CREATE TABLE tenant_seeds.products (id bigint PRIMARY KEY, tenant_id integer NOT NULL);
CREATE INDEX ON tenant_seeds.products (tenant_id);
CREATE POLICY tenant_isolation ON tenant_seeds.products FOR ALL USING (tenant_id = current_setting('app.tenant_id')::int);
DO $$
DECLARE
    t regclass;
BEGIN
    FOREACH t IN ARRAY '{tenant_seeds.users,tenant_seeds.posts,tenant_seeds.documents,tenant_seeds.products}'::regclass[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_app_user, regress_admin_user', t);
    END LOOP;
END $$;
ALTER TABLE tenant_seeds.users DROP tenant_id;
RESET ROLE;
SELECT * FROM steward.tenant_check('{tenant_id,user_id}', '{tenant_seeds}');
-- posts that are published are everybody's, which is what the policy is for
SELECT rule, detail, key FROM steward.tenant_check('{author_id}', '{tenant_seeds}');
-- asked about the administrator, the answer is what he sees
SELECT rule, detail FROM steward.tenant_check('{user_id}', '{tenant_seeds}', '{regress_admin_user}');

--
-- Muting
--

INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('or_bypass:tenant_seeds.posts:post_visibility', 'published posts are public');
SELECT * FROM steward.tenant_check('{author_id}', '{tenant_seeds}');
SELECT key FROM steward.tenant_check('{author_id}', '{tenant_seeds}', include_muted => true) WHERE rule <> 'server_version';
SELECT steward.tenant_assert_isolated('{author_id}', '{tenant_seeds}') IS NOT NULL AS isolated;
DELETE FROM steward.muted_findings WHERE finding_key LIKE '%tenant_seeds%';
SELECT 'steward.muted_findings'::regclass = ANY (extconfig) AS is_dumped FROM pg_extension WHERE extname = 'pg_steward';

--
-- Who asks
--

-- an owner who is nothing else
SET ROLE regress_tenant_owner;
SELECT * FROM steward.tenant_check();
ALTER TABLE tenant_clean.note NO FORCE ROW LEVEL SECURITY;
SELECT rule, object FROM steward.tenant_check();
ALTER TABLE tenant_clean.note FORCE ROW LEVEL SECURITY;
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('no_force', 'not for him to say');
RESET ROLE;
-- errors
\set VERBOSITY default
SELECT steward.tenant_assert_isolated(severity => 'FATAL');
SELECT steward.tenant_assert_isolated('{mandant,client_id}');
SELECT * FROM steward.tenant_check(roles => '{regress_tenant_nobody}');

DELETE FROM steward.muted_findings;
RESET SESSION AUTHORIZATION;
\set unharden `echo "$PG_ABS_SRCDIR/data/tenant_unharden.sql"`
\i :unharden
DROP SCHEMA tenant_clean, tenant_seeds, tenant_test CASCADE;
DROP ROLE regress_tenant_app, regress_tenant_owner, regress_tenant_admin, regress_tenant_super, regress_app_user, regress_admin_user;
