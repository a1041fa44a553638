-- What expressions of policies say of a tenant column.
SET client_min_messages = error;
\set SHOW_CONTEXT never
\pset format unaligned
\pset tuples_only on

CREATE SCHEMA tenant_expr;
SET search_path = tenant_expr;
CREATE FUNCTION ctx() RETURNS integer LANGUAGE sql STABLE RETURN nullif(current_setting('app.tenant_id', true), '')::integer;
CREATE FUNCTION ctx_text() RETURNS text LANGUAGE sql STABLE RETURN current_setting('app.tenant_id', true);
CREATE FUNCTION ctx_set() RETURNS SETOF integer LANGUAGE sql STABLE AS 'SELECT 1';
CREATE FUNCTION ctx_array() RETURNS integer[] LANGUAGE sql STABLE RETURN ARRAY[1];
CREATE FUNCTION mine(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 = tenant_expr.ctx(); END';
CREATE DOMAIN tenant AS integer;
CREATE TABLE members (tenant_id integer, login name);
CREATE TABLE secured (tenant_id integer, login name);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE TABLE p (dropped integer, tenant_id tenant NOT NULL, id integer, org integer, pub boolean);
ALTER TABLE p DROP dropped;

-- Whether the expression keeps tenants apart or else why not, and what it calls.
CREATE FUNCTION says(expression text, relation regclass DEFAULT 'p') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE format('CREATE POLICY p ON %s USING (%s)', relation, expression);
    SELECT concat_ws('; ', CASE WHEN x.implied THEN 'apart' ELSE 'NOT: ' || array_to_string(x.gaps, ', ') END,
                     CASE WHEN x.casts THEN 'casts' END, CASE WHEN x.fixed THEN 'fixed' END, CASE WHEN x.not_distinct THEN 'null' END,
                     'context ' || nullif(array_to_string(x.context_functions::regproc[], ' '), ''), 'row ' || nullif(array_to_string(x.row_functions::regproc[], ' '), ''))
      INTO said
      FROM pg_policy y
      JOIN pg_attribute a ON a.attrelid = y.polrelid AND a.attname = 'tenant_id'
     CROSS JOIN steward_internal.tenant_expression(y.polqual, a.attnum, y.polrelid) x
     WHERE y.polrelid = relation;
    EXECUTE format('DROP POLICY p ON %s', relation);
    RETURN said;
END $$;

SELECT format('%s  --> %s', e, says(e)) FROM unnest(ARRAY[
    $$tenant_id = ctx()$$,
    $$ctx() = tenant_id$$,
    $$tenant_id = (select ctx())$$,
    $$tenant_id::bigint = current_setting('a.b')::bigint$$,
    $$tenant_id::text = current_setting('a.b', true)$$,
    $$tenant_id = any(ctx_array())$$,
    $$tenant_id = any((select ctx_array())::int[])$$,
    $$tenant_id = any(array(select ctx_set()))$$,
    $$tenant_id = any(string_to_array(current_setting('a.b'),',')::int[])$$,
    $$tenant_id in (select ctx_set())$$,
    $$tenant_id in (select tenant_id from secured where login = current_user)$$,
    $$tenant_id in (select tenant_id from members)$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id and m.login = current_user)$$,
    $$exists (select from members m join secured n using (login) where m.tenant_id = p.tenant_id and m.login = current_user)$$,
    $$exists (select from members m where m.login = current_user)$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id)$$,
    $$exists (select from members m where m.tenant_id = m.tenant_id and m.login = current_user)$$,
    $$exists (select from members m left join secured n on n.tenant_id = p.tenant_id where m.login = current_user)$$,
    $$(tenant_id, id) = (ctx(), 1)$$,
    $$(tenant_id = ctx()) is true$$,
    $$(tenant_id = ctx()) is not false$$,
    $$tenant_id = ctx() and (pub or org = 3)$$,
    $$(tenant_id = ctx() and pub) or (tenant_id = ctx() and org = 3)$$,
    $$(tenant_id = ctx() and pub) or (org = 3)$$,
    $$pub or tenant_id = ctx()$$,
    $$not (tenant_id <> ctx())$$,
    $$not (tenant_id is distinct from ctx())$$,
    $$tenant_id >= ctx()$$,
    $$tenant_id between ctx() and ctx()$$,
    $$tenant_id in (ctx(), 1)$$,
    $$case when pub then tenant_id = ctx() else false end$$,
    $$case when ctx() is null then false else tenant_id = ctx() end$$,
    $$case when pub then true else tenant_id = ctx() end$$,
    $$case ctx_text() when 'admin' then true else tenant_id = ctx() end$$,
    $$coalesce(tenant_id = ctx(), false)$$,
    $$coalesce(tenant_id = ctx(), true)$$,
    $$tenant_id = coalesce(ctx(), tenant_id)$$,
    $$tenant_id = coalesce(ctx(), 0)$$,
    $$tenant_id = case when ctx() is null then tenant_id else ctx() end$$,
    $$tenant_id = nullif(ctx(), 0)$$,
    $$coalesce(ctx(), tenant_id) = tenant_id$$,
    $$tenant_id = greatest(ctx(), tenant_id)$$,
    $$tenant_id + 0 = ctx()$$,
    $$tenant_id = org$$,
    $$org = ctx()$$,
    $$tenant_id is not null$$,
    $$tenant_id is not null and tenant_id = ctx()$$,
    $$false$$,
    $$null$$,
    $$true and true$$,
    $$true or tenant_id = ctx()$$,
    $$current_user = 'admin' or tenant_id = ctx()$$,
    $$pg_has_role('pg_monitor', 'member') or tenant_id = ctx()$$,
    $$tenant_id = ctx() or ctx() is null$$,
    $$ctx_text() is null or tenant_id = ctx()$$,
    $$length(ctx_text()) = 0 or tenant_id = ctx()$$,
    $$tenant_id::varchar = ctx_text()::varchar$$,
    $$(select tenant_id) = ctx()$$,
    $$(select tenant_id = ctx())$$,
    $$tenant_id = (select m.tenant_id from secured m where m.login = current_user limit 1)$$,
    $$tenant_id = (select p.tenant_id)$$,
    $$tenant_id = (select coalesce(ctx(), p.tenant_id))$$,
    $$tenant_id in (select p.tenant_id where ctx() is not null)$$,
    $$tenant_id in (select coalesce(ctx(), p.tenant_id))$$,
    $$tenant_id = any(array[ctx(), tenant_id])$$,
    $$tenant_id <> all(array[ctx()])$$,
    $$tenant_id = ctx() % 2 or false$$,
    $$tenant_id = all(ctx_array())$$,
    $$tenant_id not in (select ctx_set())$$,
    $$not exists (select from secured n where n.tenant_id = p.tenant_id and n.login = current_user)$$,
    $$tenant_id = all(select ctx_set())$$,
    $$to_jsonb(p) @> jsonb_build_object('tenant_id', ctx())$$,
    $$mine(tenant_id)$$,
    $$mine(org)$$,
    $$mine(org) OR tenant_id = ctx()$$,
    $$NOT mine(tenant_id)$$,
    $$tenant_id = 1$$,
    $$tenant_id = 1::bigint$$,
    $$org = 1$$,
    $$org = ctx() OR pub$$,
    $$tenant_id IS NULL OR tenant_id = ctx()$$,
    $$current_setting('a.b', true) = '' OR tenant_id = ctx()$$,
    $$nullif(current_setting('a.b', true), '') IS NULL OR tenant_id = ctx()$$,
    $$coalesce(current_setting('a.b', true), 'off') = 'off' OR tenant_id = ctx()$$,
    $$(ctx() = 1) IS NOT TRUE OR tenant_id = ctx()$$,
    $$(ctx() IS NOT NULL) IS FALSE OR tenant_id = ctx()$$,
    $$(ctx() IS NULL AND pub) OR tenant_id = ctx()$$,
    $$(SELECT ctx()) IS NULL OR tenant_id = ctx()$$,
    $$p IS NULL$$,
    $$p = ROW(1, 2, 3, true)::p$$]) WITH ORDINALITY AS u (e, n) ORDER BY n;

-- What looks like a condition and is none.
CREATE FUNCTION always(integer, integer) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE OPERATOR === (FUNCTION = always, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = ===, MERGES, HASHES);
CREATE OPERATOR <<>> (FUNCTION = always, LEFTARG = integer, RIGHTARG = integer);
CREATE OPERATOR = (FUNCTION = always, LEFTARG = integer, RIGHTARG = integer, COMMUTATOR = OPERATOR(tenant_expr.=), MERGES, HASHES);
CREATE TYPE coarse AS ENUM ('all');
CREATE FUNCTION coarse(integer) RETURNS coarse LANGUAGE sql IMMUTABLE RETURN 'all'::coarse;
CREATE CAST (integer AS coarse) WITH FUNCTION coarse(integer);
CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE orgs (id integer, parent integer, until date);
CREATE VIEW mine_only AS SELECT tenant_id FROM members WHERE login = current_user;
CREATE VIEW everyones AS SELECT tenant_id FROM members;
CREATE VIEW mine_again AS SELECT * FROM mine_only;
CREATE TABLE named (tenant_id text NOT NULL, id integer);

SELECT format('%s  --> %s', e, says(e)) FROM unnest(ARRAY[
    $$tenant_id operator(tenant_expr.===) ctx()$$,
    $$tenant_id operator(tenant_expr.=) ctx()$$,
    $$tenant_id operator(tenant_expr.=) any (array[ctx()])$$,
    $$not (tenant_id operator(tenant_expr.<<>>) ctx())$$,
    $$tenant_id::coarse = ctx()::coarse$$,
    $$tenant_id::boolean = true$$,
    $$(tenant_id::text::varchar(1)) = ctx_text()$$,
    $$tenant_id::bigint = ctx()$$,
    $$tenant_id::numeric = ctx()$$,
    $$tenant_id::real = ctx()$$,
    $$tenant_id in (select id from orgs where until > now())$$,
    $$tenant_id in (select id from orgs where random() > 0.5)$$,
    $$tenant_id = any (array(select id from orgs))$$,
    $$tenant_id = (select min(id) from orgs)$$,
    $$tenant_id in (select ctx() union select id from orgs)$$,
    $$tenant_id in (select ctx() union all select tenant_id from members where login = current_user)$$,
    $$tenant_id in (select id from orgs except select ctx())$$,
    $$tenant_id in (select id from orgs intersect select ctx())$$,
    $$tenant_id in (with recursive o as (select ctx() as id union select g.id from orgs g join o on g.parent = o.id) select id from o)$$,
    $$exists (select count(*) from members m where m.tenant_id = p.tenant_id and m.login = current_user)$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id and m.login = current_user having true)$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id and m.login = current_user group by ())$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id and m.login = current_user group by m.login having count(*) > 1)$$,
    $$0 in (select count(*) from members m where m.tenant_id = p.tenant_id and m.login = current_user)$$,
    $$exists (select from members m where m.tenant_id = p.tenant_id and m.login = current_user union select)$$,
    $$tenant_id in (select tenant_id from mine_only)$$,
    $$tenant_id in (select tenant_id from mine_again)$$,
    $$tenant_id in (select tenant_id from everyones)$$,
    $$tenant_id = random()::int$$,
    $$tenant_id = extract(dow from now())::int$$,
    $$tenant_id between ctx() and ctx() + 1$$,
    $$tenant_id between org and org$$,
    $$ctx() between tenant_id and tenant_id$$,
    $$tenant_id >= ctx() and tenant_id <= 5$$,
    $$not (tenant_id is null or tenant_id <> ctx())$$,
    $$not (tenant_id <> ctx() and pub)$$,
    $$not (tenant_id = ctx())$$,
    $$not (tenant_id <> all (array[ctx()]))$$,
    $$not (tenant_id not in (select ctx_set()))$$,
    $$(tenant_id <> ctx()) is false$$,
    $$(tenant_id <> ctx()) is not true$$,
    $$(tenant_id = ctx()) = true$$,
    $$(tenant_id = ctx()) = false$$,
    $$(tenant_id = ctx()) = pub$$,
    $$case tenant_id when ctx() then true else false end$$,
    $$case tenant_id when ctx() then true end$$,
    $$case tenant_id when ctx() then true else true end$$,
    $$case org when ctx() then true end$$,
    $$case ctx() when tenant_id then true end$$,
    $$row(tenant_id) = row(ctx())$$,
    $$row(tenant_id, id) >= row(ctx(), 0)$$,
    $$(tenant_id, id) in (select tenant_id, 1 from mine_only)$$,
    $$p = (select q from p q limit 1)$$,
    $$ctx() = any (array[tenant_id, org])$$,
    $$tenant_id = coalesce(ctx(), 0)$$,
    $$tenant_id = any (array[ctx(), 0])$$,
    $$tenant_id in (1, 2)$$,
    $$ctx() is null and tenant_id = ctx()$$,
    $$tenant_id = ctx() or false$$,
    $$tenant_id = ctx() or null$$,
    $$tableoid = ctx()::oid$$]) WITH ORDINALITY AS u (e, n) ORDER BY n;
SELECT format('%s  --> %s', e, says(e, 'named')) FROM unnest(ARRAY[
    $$tenant_id = ctx_text()$$,
    $$tenant_id = current_setting('app.tenant_id', true)$$,
    $$tenant_id = current_setting('app.tenant_id')::varchar$$,
    $$tenant_id = (select current_setting('app.tenant_id', true))$$,
    $$tenant_id = nullif(current_setting('app.tenant_id', true), '')$$,
    $$tenant_id <> '' and tenant_id = current_setting('app.tenant_id', true)$$,
    $$id = 1 or tenant_id = current_setting('app.tenant_id', true)$$,
    $$tenant_id = ctx_text() or tenant_id = current_setting('app.tenant_id', true)$$,
    $$tenant_id = current_user$$,
    $$tenant_id = now()::text$$,
    $$tenant_id collate nocase = ctx_text()$$,
    $$tenant_id = ctx_text() collate nocase$$,
    $$tenant_id collate "C" = ctx_text()$$,
    $$tenant_id::name = current_user$$,
    $$tenant_id::char(1) = ctx_text()$$,
    $$tenant_id like ctx_text()$$,
    $$lower(tenant_id) = ctx_text()$$,
    $$tenant_id::integer = ctx()$$]) WITH ORDINALITY AS u (e, n) ORDER BY n;

RESET search_path;
DROP SCHEMA tenant_expr CASCADE;
