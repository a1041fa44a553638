-- A schema as applications have it, with all that pg_steward does for one, in which nothing is found; then one defect
-- at a time, each of which is found, and whose remedies run as they are written and leave nothing to find.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of the schema');
CREATE ROLE regress_recall_owner;
CREATE ROLE regress_recall_app LOGIN;
CREATE ROLE regress_recall_admin;
CREATE SCHEMA recall AUTHORIZATION regress_recall_owner;
SET ROLE regress_recall_owner;
GRANT USAGE ON SCHEMA recall TO regress_recall_app, regress_recall_admin;

CREATE TABLE recall.country (code text PRIMARY KEY, name text);
CREATE TABLE recall.account (
    tenant_id  integer NOT NULL,
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL,
    country    text REFERENCES recall.country,
    created_at timestamptz NOT NULL DEFAULT now(),
    version    bigint NOT NULL DEFAULT 1,
    updated_at timestamptz,
    updated_by text,
    UNIQUE (tenant_id, email),
    UNIQUE (tenant_id, id)
);
CREATE INDEX ON recall.account (tenant_id, created_at);
CREATE TABLE recall.document (
    tenant_id     integer NOT NULL,
    id            uuid PRIMARY KEY,
    account_id    bigint NOT NULL,
    author_id     bigint NOT NULL,
    published     boolean NOT NULL DEFAULT false,
    slug          text NOT NULL,
    title         text,
    search_vector tsvector,
    deleted_at    timestamptz,
    FOREIGN KEY (tenant_id, account_id) REFERENCES recall.account (tenant_id, id) ON DELETE CASCADE,
    UNIQUE (tenant_id, slug)
);
CREATE INDEX ON recall.document (account_id);
CREATE TABLE recall.member (tenant_id integer NOT NULL, user_id bigint NOT NULL, role text, PRIMARY KEY (tenant_id, user_id));
CREATE TABLE recall.note (tenant_id integer NOT NULL, id bigserial PRIMARY KEY, body text);
CREATE TABLE recall.event (tenant_id integer NOT NULL, at date NOT NULL, what jsonb, PRIMARY KEY (tenant_id, at)) PARTITION BY RANGE (at);
CREATE TABLE recall.event_2026 PARTITION OF recall.event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE recall.event_rest PARTITION OF recall.event DEFAULT;
CREATE TABLE recall.big (tenant_id uuid NOT NULL, at timestamptz, n integer) PARTITION BY LIST (tenant_id);
CREATE INDEX ON recall.big (at);
CREATE TABLE recall.big_1 PARTITION OF recall.big FOR VALUES IN ('00000000-0000-0000-0000-000000000001');
CREATE TABLE recall.setting (tenant_id text NOT NULL, name text, value text, PRIMARY KEY (tenant_id, name));

-- before the policies: it makes partial indexes of unique ones
SELECT count(*) > 0 AS deleted_softly FROM steward.soft_delete_enable('recall.document');
SELECT count(*) > 0 AS protected FROM (VALUES ('account'), ('document'), ('note'), ('event'), ('big'), ('setting'), ('member')) t (name)
 CROSS JOIN LATERAL steward.tenant_protect('recall.' || name, roles => '{regress_recall_app}');
SELECT count(*) > 0 AS by_user FROM steward.tenant_protect_user('recall.member', roles => '{regress_recall_app}');
SELECT count(*) > 0 AS by_author FROM steward.tenant_protect_visibility('recall.document', roles => '{regress_recall_app}');
SELECT count(*) > 0 AS by_member FROM steward.tenant_protect_member('recall.note', 'recall.member', roles => '{regress_recall_app}');
SELECT count(*) > 0 AS by_admin FROM steward.tenant_admin_all('recall.account', 'regress_recall_admin');
SELECT count(*) > 0 AS upkept
  FROM steward.audit_enable('recall.account') a,
       steward.audit_enable('recall.document', exclude => '{search_vector}') b,
       steward.updated_at_enable('recall.account'),
       steward.row_version_enable('recall.account'),
       steward.append_only_enable('recall.event');
CALL steward.search_enable('recall.document', '{title:A,slug}');
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA recall TO regress_recall_app;
REVOKE ALL ON recall.event_2026, recall.event_rest, recall.big_1 FROM regress_recall_app;
GRANT SELECT ON recall.account, recall.country TO regress_recall_admin;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA recall TO regress_recall_app;
CREATE VIEW recall.published WITH (security_invoker = true) AS SELECT id, title FROM recall.document WHERE published;
-- with the rights of its owner, but with a condition of its own
CREATE VIEW recall.accounts WITH (security_barrier = true) AS
SELECT a.id, count(d.id) AS documents
  FROM recall.account a
  LEFT JOIN recall.document d ON d.tenant_id = a.tenant_id AND d.account_id = a.id
 WHERE steward.is_current_tenant(a.tenant_id)
 GROUP BY a.id;
GRANT SELECT ON recall.published, recall.accounts TO regress_recall_app;
RESET ROLE;
ALTER VIEW recall.accounts OWNER TO CURRENT_USER;
SELECT count(*) > 0 AS hardened FROM steward.tenant_harden('regress_recall_app');

SELECT * FROM steward.tenant_check();
SELECT * FROM steward.tenant_check(roles => '{regress_recall_app}');
SELECT steward.tenant_assert_isolated(severity => 'INFO') IS NOT NULL AS isolated;

CREATE TABLE recall.defect (n integer GENERATED ALWAYS AS IDENTITY, name text, rule text, seed text);
INSERT INTO recall.defect (name, rule, seed) VALUES
    ('no row security', 'no_rls', 'CREATE TABLE recall.copy (LIKE recall.account INCLUDING ALL); GRANT SELECT ON recall.copy TO regress_recall_app'),
    ('no FORCE', 'no_force', 'ALTER TABLE recall.account NO FORCE ROW LEVEL SECURITY'),
    ('direct access to a partition', 'uncovered_partition', 'ALTER TABLE recall.event_2026 DISABLE ROW LEVEL SECURITY; GRANT SELECT ON recall.event_2026 TO regress_recall_app'),
    ('SELECT USING (true)', 'constant_read', 'DROP POLICY steward_tenant_floor ON recall.account; CREATE POLICY p ON recall.account FOR SELECT TO regress_recall_app USING (true)'),
    ('INSERT WITH CHECK (true)', 'constant_write', 'DROP POLICY steward_tenant_floor ON recall.account; CREATE POLICY p ON recall.account FOR INSERT TO regress_recall_app WITH CHECK (true)'),
    ('a loose WITH CHECK', 'loose_check', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account WITH CHECK (id > 0)'),
    ('a tautology', 'tautology', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (tenant_id = tenant_id)'),
    ('the wrong column', 'wrong_column', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (steward.is_current_tenant(id))'),
    ('OR an administrator', 'or_bypass', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (steward.is_current_tenant(tenant_id) OR current_setting(''app.is_admin'', true) = ''on'')'),
    ('open where IS NULL', 'fail_open', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (steward.current_tenant_int() IS NULL OR steward.is_current_tenant(tenant_id))'),
    ('open by coalesce()', 'fail_open', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (tenant_id = coalesce(steward.current_tenant_int(), tenant_id))'),
    ('nullable column', 'nullable_column', 'ALTER TABLE recall.note ALTER tenant_id DROP NOT NULL'),
    ('no index of the tenant', 'no_tenant_index', 'DROP INDEX recall.note_tenant_id_idx'),
    ('unique across tenants', 'unique_across_tenants', 'ALTER TABLE recall.account ADD UNIQUE (email) INCLUDE (tenant_id)'),
    ('foreign key without the tenant', 'foreign_key', 'ALTER TABLE recall.note ADD account_id bigint REFERENCES recall.account'),
    ('the same, and it cascades', 'foreign_key_cascade', 'ALTER TABLE recall.note ADD account_id bigint REFERENCES recall.account ON DELETE CASCADE'),
    ('IMMUTABLE context', 'context_immutable', 'CREATE FUNCTION recall.tenant() RETURNS integer LANGUAGE sql IMMUTABLE AS ''SELECT steward.current_tenant_int()''; CREATE POLICY p ON recall.account USING (tenant_id = recall.tenant())'),
    ('VOLATILE context', 'context_volatile', 'CREATE FUNCTION recall.tenant() RETURNS integer LANGUAGE sql AS ''SELECT steward.current_tenant_int()''; CREATE POLICY p ON recall.account USING (tenant_id = recall.tenant())'),
    ('a function for each row', 'row_helper', 'CREATE FUNCTION recall.mine(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS ''BEGIN RETURN steward.is_current_tenant($1); END''; CREATE POLICY p ON recall.account USING (recall.mine(tenant_id))'),
    ('false LEAKPROOF', 'leakproof_function', 'CREATE FUNCTION recall.alike(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE LEAKPROOF AS ''SELECT $1 ILIKE $2'''),
    ('TRUNCATE', 'truncate_grant', 'GRANT TRUNCATE ON recall.note TO regress_recall_app'),
    ('BYPASSRLS', 'bypassrls', 'ALTER ROLE regress_recall_app BYPASSRLS'),
    ('SET ROLE to the owner', 'set_role_path', 'CREATE ROLE regress_recall_staff; GRANT regress_recall_staff TO regress_recall_app; GRANT regress_recall_owner TO regress_recall_staff'),
    ('a view with the rights of its owner', 'definer_view', 'ALTER VIEW recall.published RESET (security_invoker); ALTER VIEW recall.published OWNER TO CURRENT_USER'),
    ('SECURITY DEFINER', 'definer_function', 'CREATE FUNCTION recall.all_notes() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = recall AS ''SELECT count(*) FROM note'''),
    ('a materialized view', 'materialized_view', 'CREATE MATERIALIZED VIEW recall.totals AS SELECT tenant_id, count(*) FROM recall.note GROUP BY 1; GRANT SELECT ON recall.totals TO regress_recall_app'),
    -- beyond those 26
    ('a foreign table', 'foreign_table', 'CREATE FOREIGN DATA WRAPPER regress_w; CREATE SERVER regress_s FOREIGN DATA WRAPPER regress_w; CREATE FOREIGN TABLE recall.far (tenant_id integer) SERVER regress_s; GRANT SELECT ON recall.far TO regress_recall_app'),
    ('no condition', 'no_tenant_condition', 'DROP POLICY steward_tenant_floor ON recall.account; ALTER POLICY steward_tenant ON recall.account USING (id > 0)'),
    ('IS NOT DISTINCT FROM', 'fail_open_null', 'ALTER TABLE recall.note ALTER tenant_id DROP NOT NULL; ALTER POLICY steward_tenant_floor ON recall.note USING (tenant_id IS NOT DISTINCT FROM steward.current_tenant_int())'),
    ('rows of nobody', 'shared_rows', 'DROP POLICY steward_tenant_floor ON recall.note; ALTER TABLE recall.note ALTER tenant_id DROP NOT NULL; CREATE POLICY p ON recall.note FOR SELECT USING (tenant_id IS NULL)'),
    ('rows of a user', 'user_rows', 'DROP POLICY steward_tenant_floor ON recall.member; DROP POLICY steward_user_floor ON recall.member; ALTER POLICY steward_user ON recall.member USING (steward.is_current_user(user_id))'),
    ('one tenant for all', 'fixed_tenant', 'CREATE POLICY p ON recall.note FOR SELECT USING (tenant_id IN (steward.current_tenant_int(), 0))'),
    ('an empty setting', 'empty_context', 'DROP POLICY steward_tenant_floor ON recall.setting; CREATE POLICY p ON recall.setting USING (tenant_id = current_setting(''app.tenant_id'', true))'),
    ('a setting that anybody may set', 'context_setting', 'CREATE POLICY p ON recall.note USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::integer)'),
    ('one that a function reads', 'context_setting', 'CREATE FUNCTION recall.tenant() RETURNS integer LANGUAGE plpgsql STABLE AS $f$BEGIN RETURN nullif(current_setting( ''app.tenant_id'', true), '''')::integer; END$f$; CREATE POLICY p ON recall.note USING (tenant_id = recall.tenant())'),
    ('a tenant by default', 'context_default', 'CREATE POLICY p ON recall.note USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::integer); ALTER ROLE regress_recall_app SET app.tenant_id = 1'),
    ('a converted column', 'column_cast', 'CREATE POLICY p ON recall.note USING (tenant_id::text = steward.current_tenant_text())'),
    ('a function that the application owns', 'helper_owner', 'CREATE FUNCTION recall.tenant() RETURNS integer LANGUAGE sql STABLE AS ''SELECT 1''; CREATE POLICY p ON recall.account USING (tenant_id = recall.tenant()); ALTER FUNCTION recall.tenant() OWNER TO regress_recall_app'),
    ('members that anybody makes', 'trusted_table', 'CREATE TABLE recall.staff (org integer, login name); GRANT SELECT, INSERT ON recall.staff TO regress_recall_app; CREATE POLICY p ON recall.note USING (tenant_id IN (SELECT org FROM recall.staff WHERE login = current_user))'),
    ('a type that is not leakproof', 'tenant_type', 'CREATE TABLE recall.odd (tenant_id numeric NOT NULL PRIMARY KEY); ALTER TABLE recall.odd ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'),
    ('a collation for which names of two tenants are equal', 'tenant_collation', 'CREATE COLLATION recall.any_case (provider = icu, locale = ''und'', deterministic = false); CREATE TABLE recall.cased (tenant_id text COLLATE recall.any_case NOT NULL PRIMARY KEY); ALTER TABLE recall.cased ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY'),
    ('a sequence of another schema', 'shared_sequence', 'CREATE SCHEMA recall_other; CREATE SEQUENCE recall_other.numbers; ALTER TABLE recall.note ALTER id SET DEFAULT nextval(''recall_other.numbers'')'),
    ('an index to order by', 'order_index', 'CREATE INDEX ON recall.document (title DESC)'),
    ('an index of leaky operators', 'leaky_index', 'ALTER TABLE recall.account ADD words tsvector; CREATE INDEX ON recall.account USING gin (words)'),
    ('rows of tenants without the column', 'no_tenant_column', 'CREATE TABLE recall.line (id bigint PRIMARY KEY, account_id bigint REFERENCES recall.account); GRANT SELECT ON recall.line TO regress_recall_app'),
    ('a parent without the column', 'no_tenant_column', 'CREATE TABLE recall.base (id bigint); GRANT SELECT ON recall.base TO regress_recall_app; ALTER TABLE recall.note INHERIT recall.base'),
    ('TRIGGER', 'trigger_grant', 'GRANT TRIGGER ON recall.note TO PUBLIC'),
    ('REFERENCES', 'references_grant', 'GRANT REFERENCES ON recall.note TO regress_recall_app'),
    ('all data', 'no_rls', 'CREATE TABLE recall.copy (LIKE recall.account INCLUDING ALL); GRANT pg_read_all_data TO regress_recall_app'),
    ('REPLICATION', 'replication', 'ALTER ROLE regress_recall_app REPLICATION'),
    ('files of the server', 'set_role_path', 'GRANT pg_read_server_files TO regress_recall_app'),
    ('an owner who logs in', 'owner_login', 'ALTER ROLE regress_recall_owner LOGIN'),
    ('the right to set the context', 'context_setter', 'GRANT EXECUTE ON FUNCTION steward.tenant_set TO regress_recall_app'),
    ('CREATEROLE', 'createrole', 'ALTER ROLE regress_recall_app CREATEROLE'),
    ('CREATE in the schema', 'schema_create', 'GRANT CREATE ON SCHEMA recall TO PUBLIC'),
    ('statements of others', 'statistics_visible', 'CREATE ROLE regress_recall_staff; GRANT regress_recall_staff TO regress_recall_app; GRANT pg_monitor TO regress_recall_staff'),
    ('keys in settings', 'statistics_visible', 'GRANT pg_read_all_settings TO regress_recall_app'),
    ('pg_stat_statements', 'statements_visible', 'CREATE EXTENSION pg_stat_statements'),
    ('a view without a barrier', 'definer_view', 'ALTER VIEW recall.accounts RESET (security_barrier)'),
    ('a view to write through', 'definer_view', 'CREATE VIEW recall.mine WITH (security_barrier = true) AS SELECT * FROM recall.note WHERE steward.is_current_tenant(tenant_id); GRANT SELECT, INSERT ON recall.mine TO regress_recall_app'),
    ('a rule', 'definer_rule', 'CREATE RULE r AS ON INSERT TO recall.country DO ALSO DELETE FROM recall.note; ALTER TABLE recall.country OWNER TO CURRENT_USER'),
    ('no search_path', 'definer_search_path', 'CREATE FUNCTION recall.one() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS ''BEGIN RETURN 1; END'''),
    ('a publication', 'publication', 'CREATE PUBLICATION regress_recall FOR TABLE recall.note');

-- Whether a defect is found by its rule, and which findings are still there when all remedies ran, in the order given.
CREATE FUNCTION recall.try(seed text, rule text, OUT is_found boolean, OUT remedies bigint, OUT left_over text, OUT errors text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    remedy text;
BEGIN
    EXECUTE seed;
    is_found := EXISTS (SELECT FROM steward.tenant_check() c WHERE c.rule = try.rule);
    remedies := 0;
    FOR remedy IN SELECT c.remedy FROM steward.tenant_check() c WHERE c.remedy IS NOT NULL LOOP
        remedies := remedies + 1;
        BEGIN
            -- CONCURRENTLY cannot be in a function; the rest is run as it is written
            EXECUTE replace(remedy, 'CREATE INDEX CONCURRENTLY', 'CREATE INDEX');
        EXCEPTION WHEN OTHERS THEN
            errors := concat_ws('; ', errors, remedy || ' ' || SQLERRM);
        END;
    END LOOP;
    left_over := (SELECT string_agg(c.rule, ', ' ORDER BY c.rule) FROM steward.tenant_check() c);
    RAISE SQLSTATE 'RBACK' USING MESSAGE = 'undone';
EXCEPTION WHEN SQLSTATE 'RBACK' THEN NULL;
END $$;
CREATE TABLE recall.outcome AS
SELECT d.n, d.name, d.rule, t.* FROM recall.defect d CROSS JOIN LATERAL recall.try(d.seed, d.rule) t;
SELECT name, rule, CASE WHEN is_found THEN 'found' ELSE 'MISSED' END, remedies, left_over, errors FROM recall.outcome ORDER BY n;
SELECT count(*) FILTER (WHERE is_found AND n <= 26) AS of_26, count(*) FILTER (WHERE is_found) AS found, count(*) AS seeded FROM recall.outcome;
-- and nothing is left of it
DROP TABLE recall.defect, recall.outcome;
SELECT * FROM steward.tenant_check();

DELETE FROM steward.muted_findings;
\set unharden `echo "$PG_ABS_SRCDIR/data/tenant_unharden.sql"`
\i :unharden
DROP SCHEMA recall CASCADE;
DROP ROLE regress_recall_owner, regress_recall_app, regress_recall_admin;
