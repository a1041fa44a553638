-- What PostgREST, Supabase and Hasura send, and what somebody makes of it who may run any SQL as the role that they become.
\set ECHO none
\set data `echo "$PG_ABS_SRCDIR/data/tenant_jwks.sql"`
\i :data
SET client_min_messages = warning;
CREATE SCHEMA tenant_gateways;
SET search_path = tenant_gateways, public;
\set ECHO all
CREATE ROLE regress_gateways_user;
CREATE ROLE regress_gateways_anon;
CREATE TABLE documents (id integer PRIMARY KEY, tenant_id bigint, title text);
INSERT INTO documents VALUES (1, 42, 'Ours'), (2, 43, 'Theirs');
SELECT count(*) > 0 FROM steward.tenant_protect('documents');
GRANT USAGE ON SCHEMA tenant_gateways TO regress_gateways_user, regress_gateways_anon;
GRANT SELECT, INSERT, UPDATE, DELETE ON documents TO regress_gateways_user, regress_gateways_anon;
SELECT current_setting('data_directory') || '/regress_tenant_gateways.json' AS file, current_setting('data_directory') || '/regress_tenant_gateways.keys' AS secrets \gset
COPY (SELECT '{"keys":[' || :'jwk_ec' || ',' || :'jwk_rsa' || ']}') TO :'file';
COPY (SELECT 'gateway:a-secret-of-at-least-32-characters') TO :'secrets';
SET steward.tenant_jwks_file = :'file'; SET steward.tenant_keys_file = :'secrets'; SET steward.tenant_token_ttl = 0;
CREATE FUNCTION base64url(bytea) RETURNS text LANGUAGE sql RETURN translate(encode($1, 'base64'), E'+/=\n', '-_');
CREATE FUNCTION jwt(claims text) RETURNS text LANGUAGE sql RETURN (SELECT t || '.' || base64url(hmac(t::bytea, 'a-secret-of-at-least-32-characters', 'sha256')) FROM (SELECT base64url('{"alg":"HS256","typ":"JWT"}') || '.' || base64url(convert_to(claims, 'UTF8')) AS t) t);
CREATE FUNCTION log_in() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE header text := nullif(current_setting('request.headers', true), '')::json ->> 'authorization';
BEGIN
    IF current_user <> 'regress_gateways_anon' THEN PERFORM steward.tenant_login(substring(header FROM '^[Bb]earer +(.*)$')); END IF;
END $$;
-- a request: what it sees, or why it fails
CREATE FUNCTION request(headers json, as_role text DEFAULT 'regress_gateways_user', claims text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE seen text; why text;
BEGIN
    BEGIN
        PERFORM set_config('role', as_role, true), set_config('request.headers', headers::text, true), set_config('request.jwt.claims', claims, true);
        PERFORM tenant_gateways.log_in();
        SELECT concat_ws(' ', 'sees', string_agg(title, ',')) || ' as ' || coalesce((SELECT concat_ws(' ', tenant, user_id) FROM steward.tenant_context()), '') INTO seen FROM tenant_gateways.documents;
        RAISE EXCEPTION SQLSTATE 'ZZ000';
    EXCEPTION WHEN SQLSTATE 'ZZ000' THEN RETURN seen;
        WHEN OTHERS THEN GET STACKED DIAGNOSTICS why = PG_EXCEPTION_DETAIL; RETURN concat_ws(': ', SQLERRM, nullif(why, ''));
    END;
END $$;

-- PostgREST
SET steward.tenant_role_claim = '';
SELECT jwt('{"role":"regress_gateways_user","tenant":42,"sub":"alice","exp":99999999999}') AS token, jwt('{"role":"regress_gateways_anon","exp":99999999999}') AS anon \gset
SELECT what, request(headers) FROM (VALUES ('right', json_build_object('authorization', 'Bearer ' || :'token')), ('in lower case', json_build_object('authorization', 'bearer ' || :'token', 'x', 1)), ('none', '{}'), ('null', NULL), ('basic', '{"authorization": "Basic YTpi"}'), ('empty', '{"authorization": "Bearer "}'),
    ('another header', json_build_object('x-authorization', 'Bearer ' || :'token')), ('a list', json_build_object('authorization', json_build_array('Bearer ' || :'token'))), ('two', json_build_object('authorization', 'Bearer ' || :'token' || ',Bearer ' || :'token')), ('of nobody', json_build_object('authorization', 'Bearer ' || :'anon')), ('cut off', json_build_object('authorization', 'Bearer ' || left(:'token', -2))),
    ('unsigned', json_build_object('authorization', 'Bearer ' || base64url('{"alg":"none"}') || '.' || split_part(:'token', '.', 2) || '.'))) v (what, headers);
SELECT request('{}', 'regress_gateways_anon') AS anon, request(json_build_object('authorization', 'Bearer ' || :'token'), 'regress_gateways_anon') AS anon_with_token, request('{}', claims => '{"tenant":43}') AS claims, request(json_build_object('authorization', 'Bearer ' || :'token'), claims => '{"tenant":43}') AS both;
-- what SQL can set in the middle of it
BEGIN; SET LOCAL ROLE regress_gateways_user;
SELECT set_config('request.headers', json_build_object('authorization', 'Bearer ' || :'token')::text, true) IS NULL AS set, log_in();
SELECT title FROM documents;
SELECT set_config('request.jwt.claims', '{"tenant":43}', true) IS NULL AS set, set_config('request.headers', '{"tenant":43}', true) IS NULL AS set;
SELECT title FROM documents;
SAVEPOINT s; SELECT steward.tenant_login(:'supabase'); ROLLBACK TO s;
SELECT title FROM documents;
INSERT INTO documents VALUES (3, 43, 'For them');
ROLLBACK;

-- Supabase
SET steward.tenant_claim = 'app_metadata.tenant_id'; SET steward.tenant_token_audience = 'authenticated'; SET steward.tenant_token_issuer = 'https://example.supabase.co/auth/v1';
CREATE SCHEMA regress_auth; GRANT USAGE ON SCHEMA regress_auth TO regress_gateways_user;
CREATE FUNCTION regress_auth.uid() RETURNS uuid LANGUAGE sql STABLE RETURN steward.current_user_id_uuid();
CREATE FUNCTION regress_auth.jwt() RETURNS jsonb LANGUAGE sql STABLE RETURN (SELECT claims FROM steward.tenant_context());
SELECT request(json_build_object('authorization', 'Bearer ' || :'supabase')) AS es256;
SELECT what, request(json_build_object('authorization', 'Bearer ' || jwt(claims))) FROM (VALUES ('right', '{"iss":"https://example.supabase.co/auth/v1","aud":"authenticated","sub":"u","role":"authenticated","exp":99999999999,"app_metadata":{"tenant_id":42}}'), ('audiences', '{"iss":"https://example.supabase.co/auth/v1","aud":["x","authenticated"],"sub":"u","exp":99999999999,"app_metadata":{"tenant_id":"42"}}'),
    ('user_metadata', '{"iss":"https://example.supabase.co/auth/v1","aud":"authenticated","sub":"u","exp":99999999999,"app_metadata":{},"user_metadata":{"tenant_id":43,"app_metadata":{"tenant_id":43}}}'), ('another project', '{"iss":"https://other.supabase.co/auth/v1","aud":"authenticated","sub":"u","exp":99999999999,"app_metadata":{"tenant_id":42}}'),
    ('another audience', '{"iss":"https://example.supabase.co/auth/v1","aud":"anon","sub":"u","exp":99999999999,"app_metadata":{"tenant_id":42}}'), ('anon key', '{"iss":"supabase","ref":"example","role":"anon","exp":99999999999}'), ('expired', '{"iss":"https://example.supabase.co/auth/v1","aud":"authenticated","sub":"u","exp":1700000000,"app_metadata":{"tenant_id":42}}')) v (what, claims);
BEGIN; SET LOCAL ROLE regress_gateways_user;
SELECT set_config('request.jwt.claims', '{"sub":"8c2e3e3e-2f0c-4b0a-9c39-7f3c1d1f6a99","app_metadata":{"tenant_id":43}}', true) IS NULL AS set;
SELECT regress_auth.uid() IS NULL AS nobody, regress_auth.jwt() IS NULL AS nothing;
SELECT steward.tenant_login(:'supabase');
SELECT regress_auth.uid(), regress_auth.jwt() -> 'app_metadata' ->> 'tenant_id' AS tenant, title FROM documents;
COMMIT;
RESET steward.tenant_token_audience; RESET steward.tenant_token_issuer;

-- Hasura
SET steward.tenant_claim = '"https://hasura.io/jwt/claims".x-hasura-tenant-id'; SET steward.tenant_user_claim = '"https://hasura.io/jwt/claims".x-hasura-user-id';
CREATE FUNCTION hasura_log_in() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE token text := nullif(current_setting('hasura.user', true), '')::json ->> 'x-hasura-token';
BEGIN
    IF token IS NOT NULL THEN PERFORM steward.tenant_login(token); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER a_log_in BEFORE INSERT OR UPDATE OR DELETE ON documents FOR EACH STATEMENT EXECUTE FUNCTION hasura_log_in();
CREATE FUNCTION my_documents(hasura_session json) RETURNS SETOF documents LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM steward.tenant_login(hasura_session ->> 'x-hasura-token');
    RETURN QUERY SELECT * FROM tenant_gateways.documents ORDER BY id;
END $$;
CREATE INDEX ON documents (title);
SELECT json_build_object('x-hasura-role', 'user', 'x-hasura-tenant-id', '43', 'x-hasura-token', :'hasura') AS session \gset
SET ROLE regress_gateways_user;
-- each kind of mutation, by an index too, and as Hasura wraps them
BEGIN;
SELECT set_config('hasura.user', :'session', true) IS NULL AS set;
WITH m AS (INSERT INTO documents (id, title) VALUES (4, 'New') RETURNING *) SELECT json_agg(m) FROM m;
WITH m AS (UPDATE documents SET title = title || '!' WHERE title IN ('Ours', 'Theirs', 'New') RETURNING *) SELECT json_agg(m ORDER BY id) FROM m;
WITH m AS (DELETE FROM documents WHERE id IN (2, 4) RETURNING *) SELECT json_agg(m) FROM m;
INSERT INTO documents VALUES (5, 43, 'For them');
ROLLBACK;
BEGIN;
SET LOCAL enable_seqscan = off;
SELECT set_config('hasura.user', :'session', true) IS NULL AS set;
UPDATE documents SET title = upper(title) WHERE title IN ('Ours', 'Theirs') RETURNING title;
ROLLBACK;
BEGIN; SELECT * FROM my_documents(:'session'); ROLLBACK;
-- the session variables alone are nothing, nor is a token that is not right
BEGIN; SELECT set_config('hasura.user', '{"x-hasura-tenant-id":"43"}', true) IS NULL AS set; UPDATE documents SET title = 'x' RETURNING title; ROLLBACK;
BEGIN; SELECT set_config('hasura.user', '{"x-hasura-tenant-id":"43","x-hasura-token":"x"}', true) IS NULL AS set; UPDATE documents SET title = 'x' RETURNING title; ROLLBACK;
BEGIN; SELECT * FROM my_documents('{"x-hasura-tenant-id":"43"}'); ROLLBACK;
RESET ROLE;
-- nothing of this is what the checker warns of
SELECT rule, severity, object FROM steward.tenant_check(schemas => '{tenant_gateways}') WHERE rule IN ('context_setter', 'setter_function', 'definer_function');

RESET steward.tenant_claim; RESET steward.tenant_user_claim; RESET steward.tenant_role_claim; RESET steward.tenant_token_ttl; RESET steward.tenant_jwks_file; RESET steward.tenant_keys_file;
COPY (SELECT) TO :'file'; COPY (SELECT) TO :'secrets';
DROP SCHEMA tenant_gateways CASCADE;
DROP SCHEMA regress_auth CASCADE;
DROP ROLE regress_gateways_user;
DROP ROLE regress_gateways_anon;
