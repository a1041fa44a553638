-- Schemas of many styles, written from what applications have in common: in unsafe ones the rule that says why is found,
-- in safe ones nothing that is more than information.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

-- faults of this minor version are the server's
INSERT INTO steward.muted_findings (finding_key, reason) VALUES ('server_version:server ' || split_part(current_setting('server_version'), ' ', 1), 'a test of schemas');
CREATE ROLE regress_style_owner;
CREATE ROLE regress_style_app LOGIN;
CREATE ROLE regress_style_admin;
CREATE ROLE regress_style_other;
SELECT count(*) > 0 AS hardened FROM steward.tenant_harden('regress_style_app');
CREATE SCHEMA styles;
GRANT USAGE ON SCHEMA styles TO PUBLIC;
-- What most tables get: row security with one policy, and rights of the application.
CREATE FUNCTION styles.guard(relation regclass, condition text DEFAULT 'steward.is_current_tenant(tenant_id)', suffix text DEFAULT '') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY isolation ON %s %s USING (%s)', relation, suffix, condition);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO regress_style_app', relation);
END $$;

CREATE TABLE styles.cases (n integer GENERATED ALWAYS AS IDENTITY, style text, name text, rules text[], seed text, columns name[] DEFAULT '{tenant_id}');
-- In all of them: the application's own tables.
CREATE FUNCTION styles.try(seed text, columns name[], OUT rules text[], OUT alarms text) LANGUAGE plpgsql AS $$
BEGIN
    CREATE SCHEMA style AUTHORIZATION regress_style_owner;
    GRANT USAGE ON SCHEMA style TO regress_style_app, regress_style_admin, regress_style_other;
    SET LOCAL search_path = style, styles, public;
    SET LOCAL ROLE regress_style_owner;
    EXECUTE seed;
    RESET ROLE;
    SELECT array_agg(DISTINCT c.rule || ' ' || c.object), string_agg(format('%s %s: %s', c.rule, c.object, c.detail), E'\n' ORDER BY c.key COLLATE "C") FILTER (WHERE c.severity <> 'INFO')
      INTO rules, alarms FROM steward.tenant_check(columns) c;
    RAISE SQLSTATE 'RBACK';
EXCEPTION
    WHEN SQLSTATE 'RBACK' THEN NULL;
    WHEN OTHERS THEN alarms := 'the seed fails: ' || SQLERRM;
END $$;

--
-- Safe
--

INSERT INTO styles.cases (style, name, seed) VALUES
('SaaS', 'shared tables with steward', $s$
    CREATE TABLE tenants (id integer PRIMARY KEY, slug text UNIQUE, name text);
    CREATE TABLE users (tenant_id integer NOT NULL REFERENCES tenants, id bigint GENERATED ALWAYS AS IDENTITY, email text NOT NULL, PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, email));
    CREATE TABLE projects (tenant_id integer NOT NULL REFERENCES tenants, id bigint GENERATED ALWAYS AS IDENTITY, owner_id bigint NOT NULL, PRIMARY KEY (tenant_id, id),
        FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id));
    SELECT steward.tenant_protect('tenants', 'id'), steward.tenant_protect('users'), steward.tenant_protect('projects');
    GRANT SELECT, INSERT, UPDATE, DELETE ON users, projects TO regress_style_app; GRANT SELECT ON tenants TO regress_style_app$s$),
('SaaS', 'a setting, as gateways set it', $s$
    CREATE TABLE invoices (tenant_id integer NOT NULL, id bigint, total numeric, PRIMARY KEY (tenant_id, id));
    SELECT guard('invoices', $p$tenant_id = nullif(current_setting('app.tenant_id', true), '')::integer$p$)$s$),
('SaaS', 'claims as a document', $s$
    CREATE TABLE invoices (tenant_id uuid NOT NULL, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
    SELECT guard('invoices', $p$tenant_id = ((coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}'))::jsonb ->> 'tenant_id')::uuid$p$)$s$),
('SaaS', 'a context function in PL/pgSQL', $s$
    CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $f$
        -- 0 ELSE 1 END; what is said in comments does not count
        BEGIN RETURN nullif(coalesce(current_setting('app.tenant', true), ''), '')::integer; END$f$;
    CREATE TABLE invoices (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('invoices', 'tenant_id = (SELECT current_tenant())')$s$),
('SaaS', 'a context function that picks a part', $s$
    CREATE FUNCTION current_tenant() RETURNS integer LANGUAGE sql STABLE AS $f$SELECT split_part(coalesce(current_setting('app.who', true), ''), ':', 1)::integer$f$;
    CREATE TABLE invoices (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('invoices', 'tenant_id = current_tenant()')$s$),
('SaaS', 'floor, and what is published', $s$
    CREATE TABLE posts (tenant_id integer NOT NULL, id bigint, published boolean, author_id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('posts', 'steward.is_current_tenant(tenant_id)', 'AS RESTRICTIVE');
    CREATE POLICY readers ON posts FOR SELECT USING (published);
    CREATE POLICY authors ON posts USING (steward.is_current_user(author_id))$s$),
('SaaS', 'lookup tables of everybody', $s$
    CREATE TABLE currency (code text PRIMARY KEY); CREATE TABLE country (code text PRIMARY KEY, currency text REFERENCES currency);
    CREATE TABLE invoices (tenant_id integer NOT NULL, id bigint, currency text REFERENCES currency, country text REFERENCES country, PRIMARY KEY (tenant_id, id));
    SELECT guard('invoices'); GRANT SELECT ON currency, country TO regress_style_app$s$),
('SaaS', 'an append-only log', $s$
    CREATE TABLE log (tenant_id integer NOT NULL, at timestamptz NOT NULL DEFAULT now(), what jsonb, PRIMARY KEY (tenant_id, at));
    SELECT guard('log'); REVOKE UPDATE, DELETE ON log FROM regress_style_app$s$),
('SaaS', 'a child that asks its parent', $s$
    CREATE TABLE orders (tenant_id integer NOT NULL, id uuid, PRIMARY KEY (tenant_id, id), UNIQUE (id));
    CREATE TABLE items (id uuid PRIMARY KEY, order_id uuid NOT NULL REFERENCES orders (id));
    SELECT guard('orders'), guard('items', 'EXISTS (SELECT FROM orders o WHERE o.id = order_id)')$s$),
('SaaS', 'rights on columns', $s$
    CREATE TABLE staff (tenant_id integer NOT NULL, id bigint, name text, salary numeric, PRIMARY KEY (tenant_id, id));
    SELECT guard('staff'); REVOKE ALL ON staff FROM regress_style_app; GRANT SELECT (tenant_id, id, name), UPDATE (name) ON staff TO regress_style_app$s$),
('SaaS', 'tokens that nobody guesses', $s$
    CREATE TABLE sessions (tenant_id integer NOT NULL, id bigint, token_hash text UNIQUE, nonce text DEFAULT md5(random()::text) UNIQUE, PRIMARY KEY (tenant_id, id));
    SELECT guard('sessions')$s$),
('SaaS', 'views of who asks, and one with a condition', $s$
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, total numeric, PRIMARY KEY (tenant_id, id)); SELECT guard('orders');
    CREATE VIEW big_orders WITH (security_invoker = true) AS SELECT * FROM orders WHERE total > 100;
    CREATE VIEW totals WITH (security_barrier = true) AS SELECT sum(total) FROM orders WHERE steward.is_current_tenant(tenant_id);
    GRANT SELECT ON big_orders, totals TO regress_style_app$s$),
('SaaS', 'rows of nobody are for all to read', $s$
    CREATE TABLE templates (tenant_id integer, id bigint PRIMARY KEY, body text); CREATE INDEX ON templates (tenant_id);
    SELECT guard('templates'); CREATE POLICY shared ON templates FOR SELECT USING (tenant_id IS NULL)$s$),
('SaaS', 'names of tenants as text', $s$
    CREATE DOMAIN code AS varchar(20) COLLATE "C" CHECK (VALUE <> '');
    CREATE TABLE invoices (tenant_id code NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT steward.tenant_protect('invoices'); GRANT SELECT ON invoices TO regress_style_app$s$),
('roles', 'a role that dumps', $s$
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders');
    RESET ROLE; CREATE ROLE regress_style_backup LOGIN BYPASSRLS REPLICATION; GRANT SELECT ON ALL TABLES IN SCHEMA style TO regress_style_backup$s$),
('roles', 'one that dumps by pg_read_all_data', $s$
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders'); GRANT SELECT ON orders TO PUBLIC;
    RESET ROLE; CREATE ROLE regress_style_backup LOGIN BYPASSRLS; GRANT pg_read_all_data TO regress_style_backup$s$),
('roles', 'an administrator by name', $s$
    CREATE TABLE members (tenant_id integer NOT NULL, user_id bigint NOT NULL, PRIMARY KEY (tenant_id, user_id));
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('members', suffix => 'TO regress_style_app'), guard('orders', 'tenant_id IN (SELECT m.tenant_id FROM members m WHERE steward.is_current_user(m.user_id))', 'TO regress_style_app');
    CREATE POLICY admin ON members TO regress_style_admin USING (true); CREATE POLICY admin ON orders TO regress_style_admin USING (true);
    GRANT SELECT, INSERT, UPDATE, DELETE ON members, orders TO regress_style_admin$s$),
('roles', 'an administrator of pg_steward', $s$
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders');
    RESET ROLE; GRANT SELECT, INSERT ON steward.tenants, steward.muted_findings TO regress_style_app WITH GRANT OPTION$s$),
('members', 'the example of the page', $s$
    CREATE TABLE members (tenant_id bigint, user_id bigint, PRIMARY KEY (user_id, tenant_id)); GRANT SELECT ON members TO regress_style_app;
    CREATE TABLE projects (tenant_id bigint, id bigint, PRIMARY KEY (tenant_id, id)); GRANT SELECT, INSERT, UPDATE, DELETE ON projects TO regress_style_app;
    SELECT steward.tenant_protect_user('members'); SELECT steward.tenant_protect_member('projects', 'members')$s$),
('members', 'one''s own memberships', $s$
    CREATE TABLE members (tenant_id integer NOT NULL, user_id bigint NOT NULL, PRIMARY KEY (tenant_id, user_id));
    CREATE TABLE projects (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('members', $p$user_id = nullif(current_setting('app.user_id', true), '')::bigint$p$, 'FOR SELECT');
    SELECT guard('projects', 'tenant_id IN (SELECT m.tenant_id FROM members m)')$s$),
('members', 'memberships by a function with its owner''s rights', $s$
    CREATE TABLE members (tenant_id integer NOT NULL, login name NOT NULL, PRIMARY KEY (tenant_id, login));
    CREATE FUNCTION my_tenants() RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT m.tenant_id FROM style.members m WHERE m.login = session_user';
    CREATE TABLE projects (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('projects', 'tenant_id IN (SELECT my_tenants())'); REVOKE ALL ON members FROM PUBLIC$s$),
('members', 'members who may do some things', $s$
    CREATE TABLE members (tenant_id integer NOT NULL, user_id bigint NOT NULL, nickname text, PRIMARY KEY (tenant_id, user_id));
    CREATE TABLE projects (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('members', 'steward.is_current_user(user_id)'), guard('projects', 'tenant_id IN (SELECT m.tenant_id FROM members m WHERE steward.is_current_user(m.user_id))');
    REVOKE ALL ON members FROM regress_style_app; GRANT SELECT ON members TO regress_style_app$s$),
('tree', 'a parent sees its children', $s$
    CREATE TABLE tenants (tenant_id integer PRIMARY KEY, parent_id integer REFERENCES tenants);
    CREATE FUNCTION visible_tenants() RETURNS integer[] LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        WITH RECURSIVE t AS (SELECT nullif(current_setting('app.tenant', true), '')::integer AS id UNION SELECT c.tenant_id FROM style.tenants c JOIN t ON c.parent_id = t.id)
        SELECT array_agg(id) FROM t;
    END;
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('orders', 'tenant_id = ANY ((SELECT visible_tenants())::integer[])')$s$),
('tree', 'the tree has policies', $s$
    CREATE TABLE tenants (id integer PRIMARY KEY, path integer[] NOT NULL);
    CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES tenants, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('tenants', 'steward.is_current_tenant(id)'), guard('orders'); REVOKE INSERT, UPDATE, DELETE ON tenants FROM regress_style_app$s$),
('soft deletion', 'deleted rows are hidden', $s$
    CREATE TABLE docs (tenant_id integer NOT NULL, id bigint, deleted_at timestamptz, PRIMARY KEY (tenant_id, id));
    SELECT guard('docs', 'steward.is_current_tenant(tenant_id) AND deleted_at IS NULL', 'FOR SELECT');
    CREATE POLICY writing ON docs USING (steward.is_current_tenant(tenant_id))$s$),
('soft deletion', 'by triggers, and unique among the living', $s$
    CREATE TABLE docs (tenant_id integer NOT NULL, id bigint, slug text, deleted_at timestamptz, PRIMARY KEY (tenant_id, id)); CREATE UNIQUE INDEX ON docs (tenant_id, slug) WHERE deleted_at IS NULL;
    SELECT guard('docs'); SELECT steward.soft_delete_enable('docs')$s$),
('partitions', 'by time', $s$
    CREATE TABLE events (tenant_id integer NOT NULL, at date NOT NULL, what text, PRIMARY KEY (tenant_id, at)) PARTITION BY RANGE (at);
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); CREATE TABLE events_rest PARTITION OF events DEFAULT;
    SELECT steward.tenant_protect('events'); GRANT SELECT, INSERT ON events TO regress_style_app$s$),
('partitions', 'by tenant', $s$
    CREATE TABLE events (tenant_id integer NOT NULL, at date NOT NULL) PARTITION BY LIST (tenant_id); CREATE TABLE events_1 PARTITION OF events FOR VALUES IN (1);
    SELECT guard('events'); ALTER TABLE events_1 ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY$s$),
('partitions', 'tables that inherit', $s$
    CREATE TABLE people (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); CREATE TABLE staff (salary numeric, PRIMARY KEY (tenant_id, id)) INHERITS (people);
    SELECT steward.tenant_protect('people'); GRANT SELECT ON people, staff TO regress_style_app$s$),
('schema per tenant', 'two of them', $s$
    CREATE TABLE customers (id bigint PRIMARY KEY, account_id bigint); CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint REFERENCES customers);
    RESET ROLE; CREATE SCHEMA style_2; CREATE TABLE style_2.customers (LIKE customers); CREATE TABLE style_2.orders (LIKE orders);
    CREATE ROLE regress_style_second; GRANT USAGE ON SCHEMA style_2 TO regress_style_second; GRANT SELECT ON ALL TABLES IN SCHEMA style_2 TO regress_style_second;
    GRANT SELECT ON ALL TABLES IN SCHEMA style TO regress_style_app$s$),
('Supabase', 'members of teams by app_metadata', $s$
    RESET ROLE; CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC;
    CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE RETURN nullif(current_setting('request.jwt.claims', true), '')::jsonb; SET LOCAL ROLE regress_style_owner;
    CREATE TABLE boards (tenant_id uuid NOT NULL, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
    SELECT guard('boards', $p$tenant_id = (SELECT ((auth.jwt() -> 'app_metadata') ->> 'tenant_id')::uuid)$p$, 'TO regress_style_app')$s$),
('Supabase', 'a policy for each command', $s$
    RESET ROLE; CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $f$SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid$f$; SET LOCAL ROLE regress_style_owner;
    CREATE TABLE members (tenant_id uuid NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (tenant_id, user_id));
    CREATE TABLE boards (tenant_id uuid NOT NULL, id uuid DEFAULT gen_random_uuid(), PRIMARY KEY (tenant_id, id));
    SELECT guard('members', '(SELECT auth.uid()) = user_id', 'FOR SELECT TO regress_style_app');
    SELECT guard('boards', 'tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.user_id = (SELECT auth.uid()))', 'FOR SELECT TO regress_style_app');
    CREATE POLICY adding ON boards FOR INSERT TO regress_style_app WITH CHECK (EXISTS (SELECT FROM members m WHERE m.tenant_id = boards.tenant_id AND m.user_id = (SELECT auth.uid())));
    CREATE POLICY changing ON boards FOR UPDATE TO regress_style_app USING (tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.user_id = (SELECT auth.uid())))$s$),
('Supabase', 'a function tells the tenants of who asks', $s$
    RESET ROLE; CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $f$SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid$f$; SET LOCAL ROLE regress_style_owner;
    CREATE TABLE members (tenant_id uuid NOT NULL, user_id uuid NOT NULL, PRIMARY KEY (tenant_id, user_id));
    CREATE FUNCTION my_teams() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS 'SELECT tenant_id FROM style.members WHERE user_id = auth.uid()';
    SELECT guard('members', 'tenant_id IN (SELECT my_teams())', 'FOR SELECT')$s$),
('Django', 'models, and the tables of the framework', $s$
    CREATE TABLE django_migrations (id bigint PRIMARY KEY, app varchar(255)); CREATE TABLE django_content_type (id integer PRIMARY KEY, model varchar(100));
    CREATE TABLE shop_product (tenant_id bigint NOT NULL, id bigint GENERATED BY DEFAULT AS IDENTITY, sku varchar(40), PRIMARY KEY (tenant_id, id), UNIQUE (tenant_id, sku));
    CREATE TABLE shop_orderline (tenant_id bigint NOT NULL, id bigint GENERATED BY DEFAULT AS IDENTITY, product_id bigint NOT NULL, PRIMARY KEY (tenant_id, id),
        CONSTRAINT shop_orderline_product_fk FOREIGN KEY (tenant_id, product_id) REFERENCES shop_product (tenant_id, id) DEFERRABLE INITIALLY DEFERRED);
    SELECT guard(t::regclass) FROM unnest('{shop_product,shop_orderline}'::text[]) t; GRANT SELECT ON django_migrations, django_content_type TO regress_style_app$s$),
('Rails', 'timestamps, and the tables of the framework', $s$
    CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY, value varchar, created_at timestamp NOT NULL);
    CREATE TABLE articles (tenant_id bigint NOT NULL, id bigserial, title varchar, created_at timestamp NOT NULL, updated_at timestamp NOT NULL, PRIMARY KEY (tenant_id, id));
    CREATE TABLE comments (tenant_id bigint NOT NULL, id bigserial, article_id bigint, body text, PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, article_id) REFERENCES articles (tenant_id, id));
    SELECT guard(t::regclass) FROM unnest('{articles,comments}'::text[]) t; GRANT SELECT ON schema_migrations, ar_internal_metadata TO regress_style_app$s$),
('Rails', 'comments of anything, with the tenant', $s$
    CREATE TABLE comments (tenant_id bigint NOT NULL, id bigserial, commentable_type varchar, commentable_id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('comments')$s$);
INSERT INTO styles.cases (style, name, columns, seed) VALUES
('Supabase', 'rows of users', '{user_id}', $s$
    RESET ROLE; CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $f$SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid$f$; SET LOCAL ROLE regress_style_owner;
    CREATE TABLE todos (user_id uuid NOT NULL, id uuid, task text, PRIMARY KEY (user_id, id)); SELECT guard('todos', '(SELECT auth.uid()) = user_id')$s$),
('Rails', 'accounts', '{account_id}', $s$
    CREATE TABLE accounts (id uuid PRIMARY KEY, subdomain varchar UNIQUE); CREATE TABLE projects (account_id uuid NOT NULL REFERENCES accounts, id uuid, PRIMARY KEY (account_id, id));
    SELECT guard('accounts', 'steward.is_current_tenant(id)'), guard('projects', 'steward.is_current_tenant(account_id)')$s$),
('Django', 'organisations', '{organization_id}', $s$
    CREATE TABLE orgs_organization (id bigint PRIMARY KEY); CREATE TABLE crm_contact (organization_id bigint NOT NULL REFERENCES orgs_organization DEFERRABLE INITIALLY DEFERRED, id bigint, PRIMARY KEY (organization_id, id));
    SELECT guard('orgs_organization', 'steward.is_current_tenant(id)'), guard('crm_contact', 'steward.is_current_tenant(organization_id)')$s$);

--
-- Unsafe
--

-- a table, a policy on it, and what is found
CREATE FUNCTION styles.with_policy(definition text) RETURNS text LANGUAGE sql AS
$$ SELECT 'CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, total numeric, public boolean, deleted_at timestamptz, PRIMARY KEY (tenant_id, id));
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO regress_style_app; CREATE POLICY p ON orders ' || definition $$;
INSERT INTO styles.cases (style, name, rules, seed) VALUES
('SaaS', 'true', '{constant_read}', styles.with_policy('USING (true)')),
('SaaS', 'true for what is inserted', '{constant_write}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)) WITH CHECK (true)')),
('SaaS', 'open where null', '{fail_open}', styles.with_policy($$USING (current_setting('app.tenant', true) IS NULL OR tenant_id = current_setting('app.tenant', true)::integer)$$)),
('SaaS', 'open where empty', '{fail_open}', styles.with_policy($$USING (coalesce(current_setting('app.tenant', true), '') = '' OR tenant_id = nullif(current_setting('app.tenant', true), '')::integer)$$)),
('SaaS', 'or an administrator', '{or_bypass}', styles.with_policy($$USING (steward.is_current_tenant(tenant_id) OR current_setting('app.admin', true) = '1')$$)),
('SaaS', 'the tenant is compared with the key', '{wrong_column}', styles.with_policy($$USING (id = current_setting('app.tenant_id')::integer)$$)),
('SaaS', 'the user''s column with the tenant', '{wrong_column}', styles.with_policy($$USING (user_id = current_setting('app.tenant_id')::integer)$$)),
('SaaS', 'a default by coalesce', '{fixed_tenant}', styles.with_policy($$USING (tenant_id = coalesce(nullif(current_setting('app.t', true), ''), '1')::integer)$$)),
('SaaS', 'a default by CASE', '{fixed_tenant}', styles.with_policy($$USING (tenant_id = CASE WHEN current_setting('app.t', true) IS NULL THEN 1 ELSE current_setting('app.t')::integer END)$$)),
('SaaS', 'a default by ELSE', '{fixed_tenant}', styles.with_policy($$USING (tenant_id = (CASE WHEN current_setting('app.t', true) <> '' THEN current_setting('app.t') ELSE '1' END)::integer)$$)),
('SaaS', 'a default by greatest', '{fixed_tenant}', styles.with_policy($$USING (tenant_id = greatest(nullif(current_setting('app.t', true), '')::integer, 1))$$)),
('SaaS', 'a default in a subquery', '{fixed_tenant}', styles.with_policy($$USING (tenant_id = (SELECT coalesce(nullif(current_setting('app.t', true), '')::integer, 1)))$$)),
('SaaS', 'a default in a function', '{"fixed_tenant style.tenant()"}', $s$CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE AS $f$SELECT coalesce(nullif(current_setting('app.t', true), ''), '1')::integer$f$;$s$
    || styles.with_policy('USING (tenant_id = tenant())')),
('SaaS', 'a default in PL/pgSQL', '{"fixed_tenant style.tenant()"}', $s$CREATE FUNCTION tenant() RETURNS integer LANGUAGE plpgsql STABLE AS $f$DECLARE t text := current_setting('app.t', true);
    BEGIN IF t IS NULL THEN RETURN 1; END IF; RETURN t::integer; END$f$;$s$ || styles.with_policy('USING (tenant_id = tenant())')),
('SaaS', 'a default in a parsed function', '{fixed_tenant}', $s$CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE RETURN coalesce(nullif(current_setting('app.t', true), '')::integer, 1);$s$
    || styles.with_policy('USING (tenant_id = tenant())')),
('SaaS', 'any tenant of a list', '{no_tenant_condition}', $s$CREATE TABLE known (tenant integer); $s$ || styles.with_policy('USING (tenant_id IN (SELECT tenant FROM known))')),
('SaaS', 'a constant context', '{context_immutable}', $s$CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT current_setting(''app.t'')::integer'; $s$ || styles.with_policy('USING (tenant_id = tenant())')),
('soft deletion', 'whoever asks sees deleted rows', '{no_tenant_condition}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); CREATE POLICY trash ON orders FOR SELECT USING (deleted_at IS NOT NULL)')),
('soft deletion', 'or deleted', '{or_bypass}', styles.with_policy('USING (steward.is_current_tenant(tenant_id) OR deleted_at IS NOT NULL)')),
('Supabase', 'for anybody', '{constant_read}', styles.with_policy('FOR SELECT TO PUBLIC USING (true)')),
('Supabase', 'whoever has logged in', '{no_tenant_condition}', $s$RESET ROLE; CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO PUBLIC; CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE RETURN current_setting('request.jwt.claim.role', true);
    SET LOCAL ROLE regress_style_owner; $s$ || styles.with_policy('USING (auth.role() = ''authenticated'')')),
('Supabase', 'what is public', '{no_tenant_condition}', styles.with_policy('FOR SELECT USING (public)')),
('Supabase', 'a claim that users change', '{user_claim}', styles.with_policy($$USING (tenant_id = (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'tenant_id')::integer)$$)),
('Supabase', 'the same, by its path', '{user_claim}', styles.with_policy($$USING (tenant_id = (current_setting('request.jwt.claims', true)::jsonb #>> '{user_metadata,tenant_id}')::integer)$$)),
('Supabase', 'the same, in a function', '{"user_claim style.tenant()"}', $s$CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE AS $f$SELECT (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'tenant_id')::integer$f$; $s$
    || styles.with_policy('USING (tenant_id = tenant())')),
('Supabase', 'the same, in a function of a function', '{"user_claim style.claim(text)"}', $s$CREATE FUNCTION claim(text) RETURNS text LANGUAGE sql STABLE AS $f$SELECT current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> $1$f$;
    CREATE FUNCTION tenant() RETURNS integer LANGUAGE plpgsql STABLE AS $f$BEGIN RETURN style.claim('tenant_id')::integer; END$f$; $s$ || styles.with_policy('USING (tenant_id = tenant())')),
('Supabase', 'the same, in the table of users', '{user_claim}', $s$CREATE TABLE auth_users (id uuid PRIMARY KEY, login name, raw_user_meta_data jsonb); $s$
    || styles.with_policy($$USING (tenant_id = (SELECT (u.raw_user_meta_data ->> 'tenant_id')::integer FROM auth_users u WHERE u.login = session_user))$$)),
('roles', 'rights on the whole table', '{truncate_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); GRANT TRUNCATE ON orders TO regress_style_app')),
('roles', 'a claim that the application chooses', '{context_setter}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT SET ON PARAMETER steward.tenant_claim TO regress_style_app')),
('roles', 'tokens that say the tenant by a claim that users change', '{"user_claim steward.tenant_claim"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; ALTER ROLE regress_style_app SET steward.tenant_claim = ''user_metadata.tenant_id''')),
('roles', 'tenants that outlast a transaction', '{"session_context steward.tenant_sessions"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; ALTER ROLE regress_style_app SET steward.tenant_sessions = on')),
('roles', 'a tenant by default', '{context_default}', styles.with_policy('USING (tenant_id = current_setting(''app.t'')::integer); RESET ROLE; ALTER ROLE regress_style_app SET app.t = 1')),
('roles', 'files of the server', '{server_function}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO regress_style_app')),
('roles', 'files of the server, for all', '{server_function}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT EXECUTE ON FUNCTION lo_import(text) TO PUBLIC')),
('roles', 'who is suspended', '{extension_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT UPDATE ON steward.tenants TO regress_style_app')),
('roles', 'what is not reported', '{extension_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT INSERT ON steward.muted_findings TO PUBLIC')),
('roles', 'triggers can be turned off', '{parameter_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT SET ON PARAMETER session_replication_role TO regress_style_app')),
('roles', 'settings of the server', '{parameter_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT ALTER SYSTEM ON PARAMETER archive_command TO regress_style_app')),
('roles', 'statistics of all rows', '{catalog_grant}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT SELECT ON pg_statistic TO regress_style_app')),
('roles', 'all data', '{set_role_path}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; GRANT pg_read_all_data TO regress_style_app')),
('roles', 'BYPASSRLS', '{bypassrls}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; ALTER ROLE regress_style_app BYPASSRLS')),
('roles', 'BYPASSRLS before any right', '{"bypassrls regress_style_other"}', styles.with_policy('TO regress_style_other USING (steward.is_current_tenant(tenant_id)); RESET ROLE; ALTER ROLE regress_style_other BYPASSRLS;
    REVOKE ALL ON orders FROM regress_style_app')),
('roles', 'BYPASSRLS, and rights by default', '{"bypassrls regress_style_other"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT ON TABLES TO regress_style_other;
    RESET ROLE; ALTER ROLE regress_style_other BYPASSRLS')),
('roles', 'a policy before any right', '{constant_read}', styles.with_policy('TO regress_style_app USING (steward.is_current_tenant(tenant_id)); CREATE POLICY q ON orders TO regress_style_other, regress_style_app USING (true); REVOKE ALL ON orders FROM regress_style_app')),
('roles', 'the schema is the application''s', '{schema_owner}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; ALTER SCHEMA style OWNER TO regress_style_app')),
('roles', 'a trigger''s function is the application''s', '{helper_owner}', styles.with_policy($$USING (steward.is_current_tenant(tenant_id)); CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
    CREATE TRIGGER stamp BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION stamp(); RESET ROLE; ALTER FUNCTION stamp() OWNER TO regress_style_app$$)),
('roles', 'a function of a function is the application''s', '{"helper_owner style.inner_tenant()"}', $s$CREATE FUNCTION inner_tenant() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 1'; CREATE FUNCTION tenant() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN style.inner_tenant(); END'; $s$
    || styles.with_policy('USING (tenant_id = tenant()); RESET ROLE; ALTER FUNCTION inner_tenant() OWNER TO regress_style_app')),
('SaaS', 'a function gives all rows', '{definer_function}', styles.with_policy($$USING (steward.is_current_tenant(tenant_id)); RESET ROLE; CREATE FUNCTION all_orders() RETURNS SETOF orders LANGUAGE sql SECURITY DEFINER SET search_path = pg_temp AS 'SELECT * FROM style.orders'$$)),
('SaaS', 'a view with its owner''s rights', '{definer_view}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; CREATE VIEW summary AS SELECT * FROM orders; GRANT SELECT ON summary TO regress_style_app')),
('SaaS', 'a report that is kept', '{materialized_view}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); CREATE MATERIALIZED VIEW report AS SELECT tenant_id, sum(total) FROM orders GROUP BY 1; GRANT SELECT ON report TO regress_style_app')),
('SaaS', 'a cached context', '{"context_cached style.tenant()"}', $s$CREATE TABLE users (login name, tenant integer); CREATE FUNCTION tenant() RETURNS integer LANGUAGE plpgsql AS $f$
    BEGIN IF coalesce(current_setting('app.cache', true), '') = '' THEN PERFORM set_config('app.cache', (SELECT u.tenant::text FROM style.users u WHERE u.login = session_user), false); END IF;
    RETURN current_setting('app.cache')::integer; END$f$; $s$ || styles.with_policy('USING (tenant_id = tenant())')),
('SaaS', 'the same, parsed', '{context_cached}', $s$CREATE FUNCTION tenant() RETURNS text LANGUAGE sql RETURN set_config('app.cache', coalesce(nullif(current_setting('app.cache', true), ''), session_user), false); $s$
    || styles.with_policy('USING (tenant_id = tenant()::integer)')),
('SaaS', 'no row security', '{"no_rls style.orders"}', 'CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); GRANT SELECT ON orders TO regress_style_app'),
('SaaS', 'the owner is not held', '{no_force}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders NO FORCE ROW LEVEL SECURITY')),
('SaaS', 'tenants without row security', '{"no_rls style.tenants"}', $s$CREATE TABLE tenants (id integer PRIMARY KEY, name text); GRANT SELECT ON tenants TO regress_style_app;
    CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES tenants, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders')$s$),
('SaaS', 'tenants without row security or foreign key', '{"no_rls style.tenants"}', $s$CREATE TABLE tenants (id integer PRIMARY KEY, name text); GRANT SELECT ON tenants TO regress_style_app;
    CREATE TABLE orders (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders')$s$),
('SaaS', 'all see all tenants', '{"constant_read style.companies"}', $s$CREATE TABLE companies (id integer PRIMARY KEY, name text); SELECT guard('companies', 'true');
    CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES companies, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders')$s$),
('SaaS', 'who is nobody sees all tenants', '{"fail_open style.tenants"}', $s$CREATE TABLE tenants (id integer PRIMARY KEY, name text);
    SELECT guard('tenants', $p$current_setting('app.t', true) IS NULL OR id = current_setting('app.t')::integer$p$);
    CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES tenants, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('orders')$s$),
('members', 'that anybody writes', '{"trusted_table style.members"}', 'CREATE TABLE members (org integer, login name); GRANT SELECT, INSERT ON members TO regress_style_app; '
    || styles.with_policy('USING (tenant_id IN (SELECT m.org FROM members m WHERE m.login = session_user))')),
('members', 'that a context function reads', '{"trusted_table style.users"}', $s$CREATE TABLE users (id bigint, login name, org integer); GRANT SELECT, UPDATE ON users TO regress_style_app;
    CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE AS 'SELECT u.org FROM style.users u WHERE u.login = session_user'; $s$ || styles.with_policy('USING (tenant_id = tenant())')),
('members', 'that a parsed context function reads', '{"trusted_table style.users"}', $s$CREATE TABLE users (id bigint, login name, org integer); GRANT SELECT, UPDATE ON users TO regress_style_app;
    CREATE FUNCTION tenant() RETURNS integer LANGUAGE sql STABLE BEGIN ATOMIC SELECT u.org FROM users u WHERE u.login = session_user; END; $s$ || styles.with_policy('USING (tenant_id = tenant())')),
('members', 'that a function of a function reads', '{"trusted_table style.users"}', $s$CREATE TABLE users (id bigint, login name, org integer); GRANT SELECT, UPDATE (org) ON users TO regress_style_app;
    CREATE FUNCTION org_of(name) RETURNS integer LANGUAGE sql STABLE AS 'SELECT org FROM style.users WHERE login = $1'; CREATE FUNCTION tenant() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN style.org_of(session_user); END'; $s$
    || styles.with_policy('USING (tenant_id = tenant())')),
('members', 'profiles that users change', '{"trusted_table style.profiles"}', $s$CREATE TABLE profiles (id bigint PRIMARY KEY, login name, org integer); SELECT guard('profiles', 'login = session_user'); $s$
    || styles.with_policy('USING (tenant_id = (SELECT p.org FROM profiles p WHERE p.login = session_user))')),
('members', 'who make themselves members', '{"trusted_table style.members","user_rows style.members"}', $s$CREATE TABLE members (tenant_id integer NOT NULL, user_id bigint, PRIMARY KEY (tenant_id, user_id));
    SELECT guard('members', $p$user_id = nullif(current_setting('app.user_id', true), '')::bigint$p$); $s$ || styles.with_policy('USING (tenant_id IN (SELECT m.tenant_id FROM members m))')),
('members', 'who ask themselves', '{"recursive_policy style.members"}', $s$CREATE TABLE members (tenant_id integer NOT NULL, login name, PRIMARY KEY (tenant_id, login));
    SELECT guard('members', 'tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.login = session_user)')$s$),
('members', 'who ask each other', '{"recursive_policy style.members","recursive_policy style.teams"}', $s$CREATE TABLE teams (tenant_id integer NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); CREATE TABLE members (tenant_id integer NOT NULL, login name, team_id bigint, PRIMARY KEY (tenant_id, login));
    SELECT guard('teams', 'tenant_id IN (SELECT m.tenant_id FROM members m WHERE m.login = session_user)'), guard('members', 'EXISTS (SELECT FROM teams t WHERE t.tenant_id = members.tenant_id)')$s$),
('members', 'who ask themselves by a view', '{"recursive_policy style.members"}', $s$CREATE TABLE members (tenant_id integer NOT NULL, login name, PRIMARY KEY (tenant_id, login)); CREATE VIEW mine WITH (security_invoker = true) AS SELECT * FROM members WHERE login = session_user;
    SELECT guard('members', 'tenant_id IN (SELECT m.tenant_id FROM mine m)')$s$),
('members', 'who ask themselves by a function', '{"recursive_policy style.members"}', $s$CREATE TABLE members (tenant_id integer NOT NULL, login name, PRIMARY KEY (tenant_id, login));
    CREATE FUNCTION mine() RETURNS SETOF integer LANGUAGE sql STABLE AS 'SELECT tenant_id FROM style.members WHERE login = session_user'; SELECT guard('members', 'tenant_id IN (SELECT mine())')$s$),
('tree', 'anybody may ask for anybody''s tenants', '{definer_function}', $s$CREATE TABLE members (tenant_id integer NOT NULL, login name, PRIMARY KEY (tenant_id, login)); ALTER TABLE members ENABLE ROW LEVEL SECURITY;
    CREATE FUNCTION tenants_of(name) RETURNS SETOF integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_temp AS 'SELECT tenant_id FROM style.members WHERE login = $1'; $s$
    || styles.with_policy('USING (tenant_id IN (SELECT tenants_of(session_user)))')),
('tree', 'the tree is for all to read', '{"no_rls style.tenants"}', $s$CREATE TABLE tenants (id integer PRIMARY KEY, parent_id integer REFERENCES tenants); GRANT SELECT ON tenants TO regress_style_app;
    CREATE TABLE orders (tenant_id integer NOT NULL REFERENCES tenants, id bigint, PRIMARY KEY (tenant_id, id));
    SELECT guard('orders', 'tenant_id IN (WITH RECURSIVE t AS (SELECT current_setting(''app.t'')::integer AS id UNION SELECT c.id FROM tenants c JOIN t ON c.parent_id = t.id) SELECT id FROM t)')$s$),
('SaaS', 'a child', '{"no_tenant_column style.items"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD UNIQUE (id); CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id)); GRANT SELECT ON items TO regress_style_app')),
('SaaS', 'a grandchild', '{"no_tenant_column style.item_parts"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD UNIQUE (id); CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id)); SELECT guard(''items'', ''EXISTS (SELECT FROM orders o WHERE o.id = order_id)'');
    CREATE TABLE item_parts (id bigint, item_id bigint REFERENCES items); GRANT SELECT ON item_parts TO regress_style_app')),
('SaaS', 'a child of which all rows are seen', '{"no_tenant_condition style.items"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD UNIQUE (id); CREATE TABLE items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders (id)); SELECT guard(''items'', ''true'')')),
('SaaS', 'a child without foreign key', '{"no_tenant_column style.order_items"}', $s$CREATE TABLE orders (tenant_id integer NOT NULL, id bigint PRIMARY KEY); CREATE INDEX ON orders (tenant_id); SELECT guard('orders');
    CREATE TABLE order_items (id bigint, order_id bigint); GRANT SELECT ON order_items TO regress_style_app$s$),
('SaaS', 'a child without foreign key, in capitals', '{"no_tenant_column style.\"OrderItem\""}', $s$CREATE TABLE "Company" (tenant_id integer NOT NULL, id uuid PRIMARY KEY); CREATE INDEX ON "Company" (tenant_id); SELECT guard('"Company"');
    CREATE TABLE "OrderItem" (id uuid, "companyId" uuid); GRANT SELECT ON "OrderItem" TO regress_style_app$s$),
('Rails', 'comments of anything', '{"no_tenant_column style.comments"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); CREATE TABLE comments (id bigserial, commentable_type varchar, commentable_id bigint); GRANT SELECT ON comments TO regress_style_app')),
('Django', 'anything by its type', '{"no_tenant_column style.tags_taggeditem"}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); CREATE TABLE tags_taggeditem (id bigint, content_type_id integer, object_id bigint); GRANT SELECT ON tags_taggeditem TO regress_style_app')),
('partitions', 'what all inherit from', '{"no_tenant_column style.things"}', $s$CREATE TABLE things (id bigint); GRANT SELECT ON things TO regress_style_app; CREATE TABLE orders (tenant_id integer NOT NULL, PRIMARY KEY (tenant_id, id)) INHERITS (things); SELECT guard('orders')$s$),
('partitions', 'one that is read directly', '{uncovered_partition}', $s$CREATE TABLE events (tenant_id integer NOT NULL, at date NOT NULL, PRIMARY KEY (tenant_id, at)) PARTITION BY RANGE (at); CREATE TABLE events_1 PARTITION OF events DEFAULT;
    SELECT guard('events'); GRANT SELECT ON events_1 TO regress_style_app$s$),
('partitions', 'no row security', '{"no_rls style.events"}', $s$CREATE TABLE events (tenant_id integer NOT NULL, at date NOT NULL, PRIMARY KEY (tenant_id, at)) PARTITION BY RANGE (at); GRANT SELECT ON events TO regress_style_app$s$),
('SaaS', 'a foreign key', '{foreign_key}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD UNIQUE (id), ADD parent_id bigint REFERENCES orders (id)')),
('Rails', 'a foreign key that deletes', '{foreign_key_cascade}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD UNIQUE (id), ADD parent_id bigint REFERENCES orders (id) ON DELETE CASCADE')),
('Rails', 'an e-mail for all', '{unique_across_tenants}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); ALTER TABLE orders ADD email varchar UNIQUE')),
('Rails', 'rows without tenant', '{nullable_column}', $s$CREATE TABLE posts (tenant_id bigint, id bigint PRIMARY KEY); CREATE INDEX ON posts (tenant_id); SELECT guard('posts')$s$),
('Django', 'no index', '{no_tenant_index}', $s$CREATE TABLE shop_product (tenant_id bigint NOT NULL, id bigint PRIMARY KEY); SELECT guard('shop_product')$s$),
('Django', 'a number that is none', '{tenant_type}', $s$CREATE TABLE shop_product (tenant_id numeric NOT NULL, id bigint, PRIMARY KEY (tenant_id, id)); SELECT guard('shop_product', 'tenant_id = current_setting(''app.t'')::numeric')$s$),
('schema per tenant', 'a sequence of another schema', '{shared_sequence}', styles.with_policy('USING (steward.is_current_tenant(tenant_id)); RESET ROLE; CREATE SCHEMA style_2; CREATE SEQUENCE style_2.numbers; ALTER TABLE orders ALTER id SET DEFAULT nextval(''style_2.numbers'')')),
('Django', 'a column of another name', '{"tenant_column org_id"}', 'CREATE TABLE crm_contact (id bigint PRIMARY KEY, org_id bigint); GRANT SELECT ON crm_contact TO regress_style_app'),
('Rails', 'users in place of tenants', '{"tenant_column user_id"}', 'CREATE TABLE notes (id bigint PRIMARY KEY, user_id bigint); CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint); GRANT SELECT ON notes, orders TO regress_style_app');
UPDATE styles.cases SET seed = replace(seed, 'ALTER TABLE orders ENABLE', 'ALTER TABLE orders ADD user_id bigint; ALTER TABLE orders ENABLE') WHERE name LIKE 'the user''s column%';

CREATE TABLE styles.outcome AS
SELECT c.n, c.style, c.name, c.rules AS wanted, t.*, CASE WHEN c.rules IS NULL THEN t.alarms IS NULL
            ELSE (SELECT bool_and(EXISTS (SELECT FROM unnest(t.rules) f WHERE f = w OR starts_with(f, w || ' '))) FROM unnest(c.rules) w) AND t.alarms IS NOT NULL END AS is_right
  FROM styles.cases c CROSS JOIN LATERAL styles.try(c.seed, c.columns) t;
SELECT style, count(*) FILTER (WHERE wanted IS NULL) AS safe, count(*) FILTER (WHERE wanted IS NULL AND is_right) AS clean,
       count(*) FILTER (WHERE wanted IS NOT NULL) AS unsafe, count(*) FILTER (WHERE wanted IS NOT NULL AND is_right) AS found
  FROM styles.outcome GROUP BY ROLLUP (style) ORDER BY style COLLATE "C";
SELECT CASE WHEN wanted IS NULL THEN 'FALSE ALARM' ELSE 'MISSED ' || wanted::text END, style, name, alarms FROM styles.outcome WHERE is_right IS NOT TRUE ORDER BY n;

DELETE FROM steward.muted_findings;
\set unharden `echo "$PG_ABS_SRCDIR/data/tenant_unharden.sql"`
\i :unharden
DROP SCHEMA styles CASCADE;
DROP ROLE regress_style_owner, regress_style_app, regress_style_admin, regress_style_other;
