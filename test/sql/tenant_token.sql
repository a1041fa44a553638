-- Signed tokens, which the application's role may set itself.
SET client_min_messages = warning;
CREATE SCHEMA tenant_token;
SET search_path = tenant_token, public;
RESET client_min_messages;
CREATE ROLE regress_tenant_token;
GRANT USAGE ON SCHEMA tenant_token TO regress_tenant_token;
SELECT current_setting('data_directory') || '/regress_tenant_token.keys' AS keys, current_setting('data_directory') || '/regress_tenant_token.new' AS new_keys \gset
COPY (VALUES ('# a comment'), ('first:0123456789abcdef0123456789abcdef'), (''), ('second:fedcba9876543210fedcba9876543210')) TO :'keys';
COPY (VALUES ('third:000102030405060708090a0b0c0d0e0f'), ('first:0123456789abcdef0123456789abcdef')) TO :'new_keys';

-- Without keys.
SELECT steward.tenant_sign('42');
SELECT * FROM steward.tenant_verify('v1.k.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
SET steward.tenant_keys_file = '/nonexistent';
SELECT reason FROM steward.tenant_verify('v1.k.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA');
SET steward.tenant_keys_file = :'keys';

-- Anybody may set one that is signed.
SELECT steward.tenant_sign('42', 'alice', claims => '{"plan": "free"}') AS token \gset
SELECT valid, reason, tenant, user_id, expires_at > now() + '30 s' AND expires_at < now() + '2 min' AS soon FROM steward.tenant_verify(:'token');
SET ROLE regress_tenant_token;
BEGIN;
SET LOCAL steward.token = :'token';
SELECT steward.current_tenant_int(), steward.current_user_id_text();
SELECT tenant, user_id, source, expires_at > now() AS expires_later, claims - 'iat' - 'exp' AS claims FROM steward.tenant_context();
COMMIT;
SELECT * FROM steward.tenant_context();
-- by a function, or without LOCAL, it dies with the transaction all the same
BEGIN; SELECT set_config('steward.token', :'token', true); SHOW steward.token; SELECT steward.current_tenant_text(); COMMIT;
BEGIN; SET steward.token = :'token'; SELECT steward.current_tenant_text(); COMMIT;
SELECT steward.current_tenant_text() IS NULL AS nobody, current_setting('steward.token') = '' AS empty;
-- not for more than the transaction
SET steward.token = :'token';
ALTER ROLE regress_tenant_token SET steward.token = :'token';
SELECT current_setting('steward.token') = '' AS empty;
RESET ROLE;
ALTER SYSTEM SET steward.token = 'x';

-- The function does the same, and is anybody's.
SELECT has_function_privilege('public', 'steward.tenant_login(text)', 'EXECUTE');
SET ROLE regress_tenant_token;
BEGIN;
SELECT steward.tenant_login(:'token');
SELECT steward.current_tenant_int(), steward.current_user_id_text(), source FROM steward.tenant_context();
COMMIT;
SELECT steward.current_tenant_int() IS NULL AS nobody, current_setting('steward.token') = '' AS empty;
SELECT steward.tenant_login(:'token');
BEGIN; SAVEPOINT s; SELECT steward.tenant_login(:'token'); ROLLBACK TO s; SELECT steward.current_tenant_int() IS NULL AS nobody; COMMIT;
DO $$ BEGIN PERFORM steward.tenant_login(NULL); EXCEPTION WHEN OTHERS THEN RAISE INFO '% %', SQLSTATE, SQLERRM; END $$;
BEGIN; SELECT steward.tenant_login(''); ROLLBACK;
BEGIN; SELECT steward.tenant_login('v1.first.c2VjcmV0.c2VjcmV0'); ROLLBACK;
BEGIN; SELECT steward.tenant_login(left(:'token', -1)); ROLLBACK;
-- what failed changes nothing
BEGIN; SELECT steward.tenant_login(:'token'); SAVEPOINT s; SELECT steward.tenant_login('x'); ROLLBACK TO s; SELECT steward.current_tenant_int(); COMMIT;
BEGIN; SELECT steward.tenant_login(:'token'), steward.tenant_login(:'token'); SELECT steward.tenant_clear(); SELECT steward.current_tenant_int() IS NULL AS nobody; COMMIT;
RESET ROLE;
-- from within a function, whatever that sets besides
CREATE FUNCTION log_in(token text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$ BEGIN PERFORM steward.tenant_login(token); END $$;
CREATE FUNCTION log_in_definer(token text) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT steward.tenant_login(token)';
SET ROLE regress_tenant_token;
BEGIN; SELECT log_in(:'token'); SELECT steward.current_tenant_int(); COMMIT;
BEGIN; SELECT log_in_definer(:'token'); SELECT steward.current_tenant_int(); COMMIT;
DO $$ BEGIN PERFORM log_in(current_setting('app.nobodys', true)); EXCEPTION WHEN null_value_not_allowed THEN RAISE INFO 'none'; END $$;
RESET ROLE;
-- not on behalf of whoever maintains a table
CREATE FUNCTION log_in_index(token text) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM steward.tenant_login(token); RETURN 1; END $$;
CREATE TABLE indexed AS SELECT :'token'::text AS token;
\set SHOW_CONTEXT never
BEGIN; CREATE INDEX ON indexed (log_in_index(token)); ROLLBACK;
\set SHOW_CONTEXT errors

-- One tenant a transaction, however it is set.
SELECT steward.tenant_sign('43', 'alice') AS other_tenant, steward.tenant_sign('42', 'bob') AS other_user, steward.tenant_sign('42', 'alice') AS same, steward.tenant_sign(NULL, 'alice') AS user_only \gset
SET ROLE regress_tenant_token;
BEGIN; SET LOCAL steward.token = :'token'; SET LOCAL steward.token = :'same'; SET LOCAL steward.token = :'other_tenant'; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'token'; SELECT steward.tenant_clear(); SET LOCAL steward.token = :'other_tenant'; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'token'; SET LOCAL steward.token = ''; SET LOCAL steward.token = :'other_user'; ROLLBACK;
BEGIN; SAVEPOINT s; SET LOCAL steward.token = :'token'; ROLLBACK TO s; SET LOCAL steward.token = :'other_tenant'; SELECT steward.current_tenant_int(); COMMIT;
BEGIN; SELECT steward.tenant_login(:'token'); SELECT steward.tenant_login(:'other_tenant'); ROLLBACK;
BEGIN; SELECT steward.tenant_login(:'token'), steward.tenant_login(:'other_user'); ROLLBACK;
BEGIN; SELECT steward.tenant_login(:'token'); SELECT steward.tenant_clear(); SELECT steward.tenant_login(:'other_tenant'); ROLLBACK;
BEGIN; SET LOCAL steward.token = :'user_only'; SELECT tenant, user_id FROM steward.tenant_context(); SET LOCAL steward.token = :'token'; SELECT tenant, user_id FROM steward.tenant_context(); COMMIT;
RESET ROLE;
BEGIN; SET LOCAL steward.token = :'token'; SELECT steward.tenant_set('43'); ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); SET LOCAL steward.token = :'other_tenant'; ROLLBACK;
BEGIN; SELECT steward.tenant_set('42'); SET LOCAL steward.token = :'token'; SELECT tenant, user_id, source FROM steward.tenant_context(); SELECT steward.tenant_set('42'); SELECT tenant, user_id, source FROM steward.tenant_context(); COMMIT;

-- Tokens that others make: signed here as a gateway would, with pgcrypto.
CREATE FUNCTION base64url(bytea) RETURNS text LANGUAGE sql RETURN translate(encode($1, 'base64'), E'+/=\n', '-_');
CREATE FUNCTION sign(signed text, key text DEFAULT '0123456789abcdef0123456789abcdef', hash text DEFAULT 'sha256') RETURNS text LANGUAGE sql
RETURN signed || '.' || base64url(hmac(signed::bytea, key::bytea, hash));
CREATE FUNCTION v1(payload text, kid text DEFAULT 'first') RETURNS text LANGUAGE sql
RETURN sign('v1.' || kid || '.' || base64url(convert_to(payload, 'UTF8')));
CREATE FUNCTION jwt(payload text, header text DEFAULT '{"alg":"HS256","typ":"JWT","kid":"first"}') RETURNS text LANGUAGE sql
RETURN sign(base64url(convert_to(header, 'UTF8')) || '.' || base64url(convert_to(payload, 'UTF8')));
CREATE FUNCTION claims_of(token text) RETURNS jsonb LANGUAGE sql
RETURN (SELECT convert_from(decode(rpad(t, 4 * ((length(t) + 3) / 4), '='), 'base64'), 'UTF8')::jsonb - 'iat' - 'exp' FROM translate(split_part(token, '.', 3), '-_', '+/') t);
CREATE FUNCTION epoch(after interval) RETURNS bigint LANGUAGE sql RETURN extract(epoch FROM clock_timestamp() + after)::bigint;
-- a payload that expires in a minute
CREATE FUNCTION p(members text DEFAULT '"tenant":"42"', exp text DEFAULT NULL) RETURNS text LANGUAGE sql
RETURN format('{%s,"exp":%s}', members, coalesce(exp, epoch('1 min')::text));
CREATE FUNCTION why(token text) RETURNS text LANGUAGE sql RETURN (SELECT coalesce(reason, concat_ws(' ', 'valid:', tenant, user_id)) FROM steward.tenant_verify(token));

SELECT why(v1(p())), why(v1(p('"tenant":42,"user_id":-7'))), why(v1(p('"sub":"alice"'))), why(jwt(p('"sub":"alice","tenant":"t"'))), why(jwt(p('"user_id":"u","sub":"alice"')));
-- keys: who signed it, and which key
SELECT why(sign('v1.second.' || base64url(p()::bytea), 'fedcba9876543210fedcba9876543210')) AS second, why(sign('v1.first.' || base64url(p()::bytea), 'fedcba9876543210fedcba9876543210')) AS wrong_key,
       why(v1(p(), 'third')) AS unknown, why(v1(p(), 'FIRST')) AS case, why(v1(p(), '')) AS empty, why(v1(p(), repeat('k', 65))) AS long, why(v1(p(), 'first.first')) AS dot,
       why(sign('v1.first.' || base64url(p()::bytea), '')) AS empty_key, why(jwt(p(), '{"alg":"HS256"}')) AS none_named;
-- algorithms
SELECT header, why(jwt(p(), header)) FROM unnest(ARRAY['{"alg":"none"}', '{"alg":"None","kid":"first"}', '{"alg":"HS512","kid":"first"}', '{"alg":"RS256","kid":"first"}', '{"alg":"hs256","kid":"first"}', '{"kid":"first"}', '{}', '[]', '', '"HS256"', 'null',
    '{"alg":["HS256"],"kid":"first"}', '{"alg":"HS256","alg":"HS256","kid":"first"}', '{"alg":"none","\u0061lg":"HS256","kid":"first"}', '{"alg":"HS256","kid":"first","kid":"second"}', '{"alg":"HS256\u0000","kid":"first"}',
    '{"alg":"HS256","kid":"first","crit":["x"]}', '{"alg":"HS256","kid":"first","jku":"https://evil/"}', '{"alg":"HS256","kid":"../../etc/passwd"}', '{"alg":"HS256","kid":7}', '{"alg":"HS256","kid":""}', '{"alg":"HS256","kid":"first"}x', '{"alg":null,"kid":"first"}', '{"alg":"HS256","kid":null}', '{"alg":"HS256","kid":null,"kid":"first"}', '{"alg":"HS256","kid":"first","typ":"application/at+jwt"}']) header;
-- no key named: each is tried
SELECT why(sign(base64url('{"alg":"HS256"}') || '.' || base64url(p()::bytea), 'fedcba9876543210fedcba9876543210')) AS second, why(sign(base64url('{"alg":"HS256"}') || '.' || base64url(p()::bytea), 'fedcba9876543210fedcba987654321_')) AS neither;
SELECT why(sign(base64url('{"alg":"HS256","kid":"first"}') || '.' || base64url(p()::bytea), hash => 'sha512')) AS hs512, why(base64url('{"alg":"none"}') || '.' || base64url(p()::bytea) || '.') AS unsigned;
-- neither kind can be taken for the other
SELECT why(regexp_replace(v1(p()), '^v1\.first\.', 'v1.')), why('v1.' || jwt(p())), why(regexp_replace(jwt(p()), '^[^.]*', 'v1.first'));
-- parts
SELECT why(''), why('.'), why('..'), why('...'), why('....'), why('v1'), why('v1.first..'), why('v2' || substr(v1(p()), 3)), why(v1(p()) || '.'), why('.' || v1(p())), why(' ' || v1(p())), why(v1(p()) || ' '), why(v1(p()) || E'\n'), why(v1(p()) || '=');
-- every truncation and every changed character of a good token
CREATE TEMP TABLE good AS SELECT v1(p('"tenant":"42","user_id":"alice"')) AS token UNION ALL SELECT jwt(p('"tenant":"42","sub":"alice"'));
SELECT count(*) AS tried, count(*) FILTER (WHERE why(left(token, i)) LIKE 'valid%') AS accepted FROM good, generate_series(0, length(token) - 1) i;
SELECT count(*) > 20000 AS tried, count(*) FILTER (WHERE why(overlay(token PLACING chr(c) FROM i FOR 1)) LIKE 'valid%') AS accepted
  FROM good, generate_series(1, length(token)) i, generate_series(1, 127) c WHERE substr(token, i, 1) <> chr(c);
-- parts of two tokens
SELECT count(*) AS tried, count(*) FILTER (WHERE why(array_to_string(ARRAY[a[1], b[2], c[3], d[4]], '.')) LIKE 'valid%') AS accepted
  FROM (SELECT array_agg(string_to_array(v1(p('"tenant":"' || t || '"')), '.')) AS tokens FROM generate_series(1, 3) t) t, LATERAL (VALUES (1), (2), (3)) i(i), LATERAL (VALUES (1), (2), (3)) j(j),
       LATERAL (SELECT array_agg(x ORDER BY n) FROM unnest(tokens[i:i]) WITH ORDINALITY u(x, n)) a(a), LATERAL (SELECT array_agg(x ORDER BY n) FROM unnest(tokens[i:i]) WITH ORDINALITY u(x, n)) b(b),
       LATERAL (SELECT array_agg(x ORDER BY n) FROM unnest(tokens[i:i]) WITH ORDINALITY u(x, n)) c(c), LATERAL (SELECT array_agg(x ORDER BY n) FROM unnest(tokens[j:j]) WITH ORDINALITY u(x, n)) d(d) WHERE i <> j;
-- size
SELECT why(v1(p('"tenant":"42","x":"' || repeat('x', 5500) || '"'))), why(v1(p('"tenant":"42","x":"' || repeat('x', 6200) || '"'))), why(repeat('x', 1000000)), why(repeat('.', 1000000)), why('v1.first.' || repeat('e30', 300000) || '.x');

-- Payloads. Time:
SELECT what, why(v1(format('{"tenant":"42",%s}', members))) FROM (VALUES
    ('no exp', '"x":1'), ('past', format('"exp":%s', epoch('-1 s'))), ('now', format('"exp":%s.5', epoch('0 s') - 1)), ('fraction', format('"exp":%s.123456789', epoch('1 min'))), ('text', format('"exp":"%s"', epoch('1 min'))), ('null', '"exp":null'),
    ('exponent', '"exp":1e300'), ('small exponent', '"exp":2e9'), ('huge', '"exp":' || repeat('9', 400)), ('int64', '"exp":9223372036854775808'), ('negative', '"exp":-1'), ('too long', format('"exp":%s', epoch('1 day'))), ('far', '"exp":99999999999'),
    ('nbf future', format('"exp":%s,"nbf":%s', epoch('1 min'), epoch('30 s'))), ('nbf past', format('"exp":%s,"nbf":%s', epoch('1 min'), epoch('-30 s'))), ('nbf text', format('"exp":%s,"nbf":"0"', epoch('1 min'))),
    ('iat long ago', format('"exp":%s,"iat":%s', epoch('1 min'), epoch('-1 day'))), ('iat', format('"exp":%s,"iat":%s', epoch('1 min'), epoch('-1 min'))), ('twice', format('"exp":%s,"exp":%s', epoch('1 min'), epoch('2 min'))),
    ('hidden twice', format('"exp":%s,"\u0065xp":%s', epoch('-1 min'), epoch('1 min'))), ('true', '"exp":true'), ('array', format('"exp":[%s]', epoch('1 min'))), ('leading zero', format('"exp":0%s', epoch('1 min'))), ('dot', format('"exp":%s.', epoch('1 min')))) v(what, members);
SET steward.tenant_token_ttl = 0;
SELECT why(v1(p(exp => epoch('1 day')::text)));
RESET steward.tenant_token_ttl;
-- place:
SELECT why(v1(p(format('"tenant":"42","db":"%s","role":"%s"', current_database(), session_user)))) AS here, why(v1(p('"tenant":"42","db":"elsewhere"'))) AS database, why(v1(p('"tenant":"42","role":"nobody"'))) AS role,
       why(v1(p('"tenant":"42","db":null'))) AS "null", why(v1(p(format('"tenant":"42","db":"%s","db":"elsewhere"', current_database())))) AS twice, why(v1(p(format('"tenant":"42","role":["%s"]', session_user)))) AS list;
-- names:
SELECT members, why(v1(p(members))) FROM unnest(ARRAY['"x":1', '"tenant":""', '"tenant":null', '"tenant":null,"sub":"u"', '"tenant":{}', '"tenant":["42"]', '"tenant":true', '"tenant":4.2', '"tenant":42.0', '"tenant":4e1', '"tenant":1e400', '"tenant":-0', '"tenant":007',
    '"tenant":9223372036854775807', '"tenant":99999999999999999999', '"tenant":"1","tenant":"2"', '"tenant":"1","ten\u0061nt":"2"', '"Tenant":"1"', '"tenant ":"1"', '"tenant":"\u0034\u0032"', '"tenant":"acm\u00e9"', '"tenant":"acmé"', '"tenant":"\ud83d\ude00"',
    '"tenant":"\ud83d"', '"tenant":"\ude00"', '"tenant":"\ud83d\ud83d"', '"tenant":"4\u00002"', '"tenant":"\x34"', '"tenant":"\u12"', '"tenant":"a''b\"c\\"', '"user_id":"u","sub":5', '"user_id":null,"sub":"u","tenant":"t"', '"sub":"u","sub":"v"',
    '"tenant":"1","x":{"tenant":"2","exp":1}', '"tenant":"42",', ',"tenant":"42"', '"tenant":"42","x":[1,2,]', '"tenant":"42","x":[1,{"a":[null,true,false,"",-1.5E+3]}]', '"tenant":"42","x":nul', '"tenant":"42","x":NaN', '"tenant":"42","x":+1', '"tenant":"42","x":.5', '"tenant":"42" "x":1', '"tenant" "42"', '"tenant":''42''', 'tenant:"42"',
    '"tenant":"42"}{"x":1', '"tenant":"42"/* */', E'"tenant":"4\t2"', E'\n\t"tenant"\r:\n"42" ']) members;
SELECT why(v1(p(format('"tenant":"%s"', repeat('x', 255))))) LIKE 'valid%' AS fits, why(v1(p(format('"tenant":"%s"', repeat('x', 256))))), why(v1(p(format('"tenant":"%s"', repeat('é', 128)))));
-- depth, and bytes that are no text
SELECT why(v1(p(format('"tenant":"42","x":%s1%s', repeat('[', 15), repeat(']', 15))))) AS fifteen, why(v1(p(format('"tenant":"42","x":%s1%s', repeat('[', 16), repeat(']', 16))))) AS sixteen, why(v1(p('"tenant":"42","x":' || repeat('[', 5000)))) AS thousands, why(v1(p('"tenant":"42","x":' || repeat('{"a":', 1000)))) AS objects;
SELECT bytes, why(sign('v1.first.' || base64url('{"tenant":"' || bytes || convert_to('",' || substr(p('"x":1'), 2), 'UTF8')))) FROM unnest(ARRAY['\x00', '\x1f', '\x80', '\xc0af', '\xe08080', '\xeda080', '\xf4908080', '\xf8888080', '\xff', '\xc3', '\xe282ac', '\xf09f9880', '\x7f']::bytea[]) bytes;
SELECT why(sign('v1.first.' || base64url('\x0001feff'))), why(sign('v1.first.')), why(sign('v1.first.!!!!')), why(sign('v1.first.e30=')), why(sign('v1.first.A')), why(v1('{}')), why(v1('')), why(v1('[]')), why(v1('{')), why(v1('42')), why(v1(p() || ' ')), why(v1(p() || '{}')), why(v1(E'\ufeff' || p()));
-- the way a byte is written is the only one
SELECT why(regexp_replace(v1(p()), '.$', '_'));

-- A claim that is null is absent.
SELECT members, why(v1(format('{%s}', replace(members, 'soon', epoch('1 min')::text)))) FROM unnest(ARRAY['"tenant":"42","exp":null', '"tenant":"42","exp":soon,"nbf":null,"iat":null,"db":null,"role":null,"sub":null,"user_id":null,"aud":null,"iss":null', '"tenant":"42","exp":soon,"sub":nul',
    '"tenant":null,"exp":soon,"sub":null', '"tenant":null,"tenant":"42","exp":soon', '"exp":null,"exp":soon,"tenant":"42"']) members;

-- Claims of other names, and in other places.
SET steward.tenant_claim = '"https://example.org/org"'; SET steward.tenant_user_claim = 'sub';
SELECT why(jwt(p('"https://example.org/org":"acme","sub":"alice","tenant":"other"'))), why(steward.tenant_sign('t', 'u'));
SET steward.tenant_claim = 'app_metadata.tenant_id';
SELECT members, why(jwt(p(members))) FROM unnest(ARRAY['"sub":"alice","app_metadata":{"provider":"email","tenant_id":"42"},"user_metadata":{"tenant_id":"43"}', '"app_metadata":{"tenant_id":42}', '"tenant_id":"42"', '"app_metadata.tenant_id":"42"', '"user_metadata":{"app_metadata":{"tenant_id":"43"}}',
    '"app_metadata":"tenant_id"', '"app_metadata":["tenant_id"]', '"app_metadata":[{"tenant_id":"42"}]', '"app_metadata":null', '"app_metadata":{"tenant_id":null},"sub":"alice"', '"app_metadata":{"tenant_id":{"tenant_id":"42"}}', '"app_metadata":{"app_metadata":{"tenant_id":"42"}}',
    '"app_metadata":{"tenant_id":"42"},"app_metadata":{"tenant_id":"43"}', '"app_metadata":{"tenant_id":"42"},"app_metadata":{}', '"app_metadata":{"tenant_id":"42"},"app\u005fmetadata":null', '"app_metadata":{"tenant_id":"42","tenant_id":"43"}', '"app_metadata":{"tenant_id":null,"tenant_id":"43"}',
    '"app_metadata":{"x":{"tenant_id":"43"},"tenant_id":"42","exp":1,"role":"nobody"}', '"app_metadata":{"tenant_id":"42"', '"app_metadata":{"tenant_id":"42",}', '"app_metadata":{"tenant_id" "42"}', '"app_metadata":{"tenant_id":"42"]', '"app_metadata":{}}', '"App_metadata":{"tenant_id":"42"}']) members;
SELECT why(jwt(p(format('"app_metadata":{"tenant_id":"42","x":%s1%s}', repeat('[', n), repeat(']', n))))) FROM unnest('{14, 15}'::int[]) n;
SELECT why(steward.tenant_sign('t', 'u')), claims_of(steward.tenant_sign('t', 'u')) AS signed;
SELECT steward.tenant_sign('t', claims => '{"app_metadata": {}}');
SET steward.tenant_user_claim = 'app_metadata.user."id ""1"" é"';
SELECT why(steward.tenant_sign('t', 'u')), why(steward.tenant_sign('t')), why(steward.tenant_sign(NULL, 'u')), claims_of(steward.tenant_sign('t', 'u')) AS signed;
SET steward.tenant_claim = 'app_metadata.user';
SELECT why(steward.tenant_sign('t'));
SELECT steward.tenant_sign('t', 'u');
SET steward.tenant_claim = '"https://hasura.io/jwt/claims".x-hasura-tenant-id'; SET steward.tenant_user_claim = '"https://hasura.io/jwt/claims".x-hasura-user-id';
SELECT why(jwt(p('"sub":"alice","https://hasura.io/jwt/claims":{"x-hasura-default-role":"user","x-hasura-allowed-roles":["user"],"x-hasura-user-id":"7","x-hasura-tenant-id":"42"}'))), why(steward.tenant_sign('t', 'u'));
-- the seven objects that a claim may be in
SET steward.tenant_claim = 'a.b.c.d.e.f.g.h';
SELECT why(jwt(p('"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"42","i":{"h":43}}}}}}}}'))), why(steward.tenant_sign('t')), why(jwt(p(format('"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"42","x":%s1%s}}}}}}}', repeat('[', 8), repeat(']', 8))))), why(jwt(p(format('"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":"42","x":%s1%s}}}}}}}', repeat('[', 9), repeat(']', 9)))));
SET steward.tenant_claim = '';
SELECT why(jwt(p('"":"42","tenant":"43"'))), why(jwt(p('"":"42","sub":"alice"')));
SELECT steward.tenant_sign('t');
-- what is no path
SELECT format('SET steward.tenant_claim = %L', path) FROM unnest(ARRAY['https://example.org/org', 'a.b.c.d.e.f.g.h.i', '.', 'a.', '.a', 'a..b', '"a', '"a"b', 'a"b"', '"a""', '""', 'a b', 'é', '$.a', 'a[0]', repeat('a', 128)]) path \gexec
RESET steward.tenant_claim; RESET steward.tenant_user_claim;
-- the login that a token is for, where its claim "role" means something else
SELECT why(v1(p('"tenant":"42","role":"authenticated"')));
SET steward.tenant_role_claim = 'app_metadata.login';
SELECT why(v1(p('"tenant":"42","role":"authenticated"'))) AS other, why(v1(p(format('"tenant":"42","app_metadata":{"login":"%s"}', session_user)))) AS mine, why(v1(p('"tenant":"42","app_metadata":{"login":"authenticated"}'))) AS anothers, why(v1(p('"tenant":"42","app_metadata":{"login":["x"]}'))) AS list;
SET steward.tenant_role_claim = '';
SELECT why(v1(p('"tenant":"42","role":"authenticated","":"x"'))) AS none;
RESET steward.tenant_role_claim;
SET ROLE regress_tenant_token;
SET steward.tenant_role_claim = ''; SET steward.tenant_token_leeway = 600;
RESET ROLE;

-- Clocks that differ: by no more than is allowed, in each direction.
CREATE FUNCTION clocks() RETURNS TABLE (what text, why text) LANGUAGE sql AS $$
SELECT what, why(v1(format('{"tenant":"42",%s}', members))) FROM (VALUES
    ('exp 5 s ago', format('"exp":%s', epoch('-5 s'))), ('exp 20 s ago', format('"exp":%s', epoch('-20 s'))), ('nbf in 5 s', format('"exp":%s,"nbf":%s', epoch('1 min'), epoch('5 s'))), ('nbf in 20 s', format('"exp":%s,"nbf":%s', epoch('1 min'), epoch('20 s'))),
    ('an hour from 5 s on', format('"exp":%s,"iat":%s', epoch('3605 s'), epoch('5 s'))), ('an hour from 20 s on', format('"exp":%s,"iat":%s', epoch('3620 s'), epoch('20 s'))), ('more than an hour', format('"exp":%s,"iat":%s', epoch('3599 s'), epoch('-3 s')))) v(what, members);
$$;
SELECT * FROM clocks();
SET steward.tenant_token_leeway = '10 s';
SELECT * FROM clocks();
SELECT expires_at BETWEEN now() + '3 s' AND now() + '7 s' AS counts FROM steward.tenant_verify(v1(p(exp => epoch('-5 s')::text)));
SELECT v1(p(exp => epoch('-5 s')::text)) AS late \gset
BEGIN; SELECT steward.tenant_login(:'late'); SELECT steward.current_tenant_int(); ROLLBACK;
RESET steward.tenant_token_leeway;
\set VERBOSITY sqlstate
SET steward.tenant_token_leeway = -1;
\set VERBOSITY default

-- Audience and issuer count where they are set.
SELECT why(v1(p('"tenant":"42","aud":7,"iss":null'))) AS unset, why(v1(p('"tenant":"42","aud":"web","aud":"api"'))) AS twice;
SET steward.tenant_token_audience = 'api'; SET steward.tenant_token_issuer = 'https://example.org';
SELECT members, why(v1(p('"tenant":"42","iss":"https://example.org"' || members))) FROM unnest(ARRAY['', ',"aud":"api"', ',"aud":["web","api"]', ',"aud":["api",7]', ',"aud":"web"', ',"aud":"API"', ',"aud":[]', ',"aud":null', ',"aud":["api"',
    ',"aud":[["api"]]', ',"aud":{"api":1}', ',"aud":"api ","x":"api"', format(',"aud":"%s"', repeat('api', 100)), ',"aud":["web" "api"]', ',"aud":[,"api"]']) members;
SELECT why(v1(p('"tenant":"42","aud":"api"'))) AS none, why(v1(p('"tenant":"42","aud":"api","iss":"https://example.com"'))) AS another, why(v1(p('"tenant":"42","aud":"api","iss":["https://example.org"]'))) AS list, why(jwt(p('"tenant":"42","aud":"api","iss":"https:\/\/example.org"'))) AS written;
SELECT why(steward.tenant_sign('42')) AS signed;
SELECT steward.tenant_sign('42', claims => '{"aud": "web"}');
RESET steward.tenant_token_audience; RESET steward.tenant_token_issuer;

-- Errors never tell the token.
SET ROLE regress_tenant_token;
BEGIN; SET LOCAL steward.token = 'v1.first.c2VjcmV0.c2VjcmV0'; ROLLBACK;
BEGIN; SELECT set_config('steward.token', repeat('secret', 10000), true); ROLLBACK;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT v1(p(exp => epoch('-1 s')::text)) AS expired, v1(p('"tenant":"42","db":"elsewhere"')) AS elsewhere \gset
BEGIN; SET LOCAL steward.token = :'expired'; ROLLBACK;
BEGIN; SET LOCAL steward.token = :'elsewhere'; ROLLBACK;

-- A token expires under the transaction that has it.
SELECT v1(p(exp => extract(epoch FROM clock_timestamp() + '1.5 s')::numeric(20, 6)::text)) AS short \gset
BEGIN;
SET LOCAL steward.token = :'short';
SELECT steward.current_tenant_int(), tenant, source FROM steward.tenant_context();
DO $$ BEGIN WHILE clock_timestamp() < (SELECT expires_at FROM steward.tenant_context()) LOOP END LOOP; END $$;
SELECT steward.current_tenant_int(), tenant, source FROM steward.tenant_context();
SELECT count(*) FROM generate_series(1, 100) i WHERE steward.is_current_tenant(i);
COMMIT;

-- Rotation: new tokens are signed by the new first key, old ones hold as long as their key is there.
SELECT steward.tenant_sign('42') AS old \gset
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old'), split_part(steward.tenant_sign('42'), '.', 2) AS signs, why(steward.tenant_sign('42')), why(sign('v1.second.' || base64url(p()::bytea), 'fedcba9876543210fedcba9876543210')) AS second;
COPY (VALUES ('third:000102030405060708090a0b0c0d0e0f')) TO :'new_keys';
SELECT why(:'old') AS not_read_again;
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old');
SELECT why(sign(base64url('{"alg":"HS256"}') || '.' || base64url(p()::bytea), '000102030405060708090a0b0c0d0e0f')) AS only_key;
-- files that will not do
COPY (VALUES ('short:0123456789abcdef0123456789abcde')) TO :'new_keys';
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old');
COPY (VALUES ('no colon')) TO :'new_keys';
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old');
COPY (SELECT repeat('0123456789', 4000)) TO :'new_keys';
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old');
COPY (VALUES ('k:0123456789abcdef0123456789abcdef'), ('k:fedcba9876543210fedcba9876543210')) TO :'new_keys';
SET steward.tenant_keys_file = :'new_keys';
SELECT why(:'old');
-- files that others can write: whoever does is every tenant
COPY (VALUES ('first:0123456789abcdef0123456789abcdef')) TO :'new_keys';
CREATE FUNCTION with_mode(keys text, mode text, token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; chmod %s "%s"', mode, keys));
    PERFORM set_config('steward.tenant_keys_file', '', false), set_config('steward.tenant_keys_file', keys, false);
    RETURN why(token);
END $$;
SELECT mode, with_mode(:'new_keys', mode, v1(p())) FROM unnest('{0666,0662,0620,0644,0640,0600}'::text[]) mode;

-- Signing.
SET steward.tenant_keys_file = :'keys';
SELECT why(steward.tenant_sign('42', 'O''Reilly "\é', '10 min', jsonb_build_object('db', current_database(), 'jti', 7, 'nested', '{"a": [1, {}]}'::jsonb)));
SELECT steward.tenant_sign(NULL);
SELECT steward.tenant_sign('42', ttl => '-1 s');
SELECT steward.tenant_sign('42', ttl => NULL);
SELECT steward.tenant_sign('42', claims => '[]');
SELECT steward.tenant_sign('42', claims => '{"exp": 1}');
SELECT steward.tenant_sign('42', claims => '{"tenant": "43"}');
SELECT steward.tenant_sign('42', claims => jsonb_build_object('x', repeat('x', 8000)));
SELECT why(steward.tenant_sign('42', claims => '{}')), why(steward.tenant_sign('', 'u')), why(steward.tenant_sign('42', ttl => '1 day'));

COPY (SELECT) TO :'keys'; COPY (SELECT) TO :'new_keys';
SET client_min_messages = warning;
DROP SCHEMA tenant_token CASCADE;
DROP ROLE regress_tenant_token;
