-- rounds: 1
-- A helper as linters want it, with the rights of its owner and a search_path.
\set policy '%1$I = tenant()'
SELECT format($$
  CREATE FUNCTION tenant() RETURNS %s LANGUAGE sql STABLE PARALLEL SAFE
  SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'SELECT current_setting(''app.tenant_id'')::%1$s'$$, format_type(atttypid, atttypmod))
FROM pg_attribute WHERE attrelid = :'table'::regclass AND attname = :'column'
\gexec

\if :{?members}
  CREATE FUNCTION is_member(tenant integer) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  SECURITY DEFINER SET search_path = public, pg_temp
  AS $$SELECT EXISTS (SELECT FROM members WHERE user_id = current_setting('app.tenant_id')::integer AND tenant_id = tenant)$$;
  \set policy 'is_member(%1$I)'
\endif

\if :{?search}
  CREATE FUNCTION find_docs(query tsquery) RETURNS SETOF docs LANGUAGE sql STABLE
  SECURITY DEFINER SET search_path = public, pg_temp
  AS $$SELECT * FROM docs WHERE tenant_id = current_setting('app.tenant_id')::integer AND vector @@ query
       ORDER BY ts_rank(vector, query) DESC, id LIMIT 20$$;
  \set found 'SELECT * FROM find_docs(%L)'
\endif
\set context 'SELECT set_config(''app.tenant_id'', %L, true)'
\ir ../part/policy.sql
