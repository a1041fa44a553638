-- Tokens that are signed with a private key, RS256 and ES256, and what somebody tries who has only the public one.
\set ECHO none
\set data `echo "$PG_ABS_SRCDIR/data/tenant_jwks.sql"`
\i :data
SET client_min_messages = warning;
CREATE SCHEMA tenant_jwks;
SET search_path = tenant_jwks, public;
RESET client_min_messages;
\set ECHO all
CREATE ROLE regress_tenant_jwks;
SELECT current_setting('data_directory') || '/regress_tenant_jwks.json' AS file, current_setting('data_directory') || '/regress_tenant_jwks.keys' AS secrets \gset
CREATE FUNCTION why(token text) RETURNS text LANGUAGE sql RETURN (SELECT coalesce(reason, concat_ws(' ', 'valid:', tenant, user_id)) FROM steward.tenant_verify(token));
-- writes a file as it is, and has it read
CREATE FUNCTION load_text(file text, content text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT %L) TO %L', content, file);
    PERFORM set_config('steward.tenant_jwks_file', file, false);
END $$;
CREATE FUNCTION load(file text, VARIADIC keys text[]) RETURNS void LANGUAGE sql RETURN load_text(file, '{"keys":[' || array_to_string(keys, ',') || ']}');
CREATE FUNCTION bytes(base64url text) RETURNS bytea LANGUAGE sql RETURN decode(rpad(translate(base64url, '-_', '+/'), 4 * ((length(base64url) + 3) / 4), '='), 'base64');
CREATE FUNCTION base64url(bytes bytea) RETURNS text LANGUAGE sql RETURN translate(encode(bytes, 'base64'), E'+/=\n', '-_');
-- a token with another signature
CREATE FUNCTION signed(token text, signature bytea) RETURNS text LANGUAGE sql RETURN regexp_replace(token, '[^.]*$', base64url(signature));
CREATE FUNCTION signature(token text) RETURNS bytea LANGUAGE sql RETURN bytes(split_part(token, '.', 3));

-- Without keys, and before the tokens that live too long are let in.
SELECT why(:'rs256'), why(:'es256');
SET steward.tenant_jwks_file = '/nonexistent';
SELECT why(:'rs256');
SELECT load(:'file', :'jwk_rsa', :'jwk_ec');
SELECT why(:'rs256'), why(:'es256');
SET steward.tenant_token_ttl = 0;

-- The examples of RFC 7515: their signatures are right, and their time is over.
SELECT load(:'file', :'rfc_a2_jwk', :'rfc_a3_jwk');
SELECT why(:'rfc_a2_token') AS names_nobody, why(:'rfc_a3_token') AS names_nobody;
SET steward.tenant_user_claim = 'iss';
SELECT why(:'rfc_a2_token') AS a2, why(:'rfc_a3_token') AS a3, why(regexp_replace(:'rfc_a2_token', '7Rw$', '7Rg')) AS a2_changed, why(regexp_replace(:'rfc_a3_token', '1Q$', '1A')) AS a3_changed;
RESET steward.tenant_user_claim;

-- Anybody may log in with them.
SELECT load(:'file', :'jwk_rsa', :'jwk_rsa_2', :'jwk_ec', :'jwk_large');
SELECT why(:'rs256'), why(:'rs256_other'), why(:'rs256_large'), why(:'es256'), why(:'es256_short_r'), why(:'es256_short_s'), why(:'rs256_expired');
SET ROLE regress_tenant_jwks;
BEGIN; SELECT steward.tenant_login(:'rs256'); SELECT tenant, user_id, source, claims FROM steward.tenant_context(); SELECT steward.tenant_login(:'rs256_other'); ROLLBACK;
BEGIN; SET LOCAL steward.token = :'es256'; SELECT tenant, user_id, source FROM steward.tenant_context(); COMMIT;
BEGIN; SELECT steward.tenant_login(:'rs256_by_other'); ROLLBACK;
BEGIN; SELECT steward.tenant_login(:'es256_by_other'); ROLLBACK;
SET steward.tenant_jwks_file = '/tmp/mine.json';
RESET ROLE;

-- Every change of a character in a signature, and every place where it is cut off.
SELECT length(token) > 200 AS long, count(*) > 5000 AS tried, count(*) FILTER (WHERE why(overlay(token PLACING c FROM i FOR 1)) LIKE 'valid%') AS accepted
  FROM (VALUES (:'rs256'), (:'es256')) t (token), LATERAL generate_series(length(token) - length(split_part(token, '.', 3)) + 1, length(token)) i,
       regexp_split_to_table('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.', '') c WHERE substr(token, i, 1) <> c GROUP BY token ORDER BY count(*);
SELECT count(*) AS tried, count(*) FILTER (WHERE why(left(token, i)) LIKE 'valid%') AS accepted FROM (VALUES (:'rs256'), (:'es256')) t (token), generate_series(0, length(token) - 1) i;
-- another payload
SELECT why(overlay(:'rs256' PLACING 'x' FROM position('.' IN :'rs256') + 20 FOR 1)), why(regexp_replace(:'rs256_other', '^[^.]*\.[^.]*', substring(:'rs256' FROM '^[^.]*\.[^.]*')));

-- The key says what the algorithm is, not the token.
SELECT why(:'es256_with_rsa') AS es256_with_rsa, why(:'rs256_with_ec') AS rs256_with_ec, why(:'es256_kid_of_rsa') AS es256_kid_of_rsa, why(:'hs256_by_rsa') AS hs256_by_rsa;
SELECT why(:'ps256') AS ps256, why(:'rs512') AS rs512, why(:'es384') AS es384, why(:'rs256_by_pss') AS pss, why(:'rs256_by_sha1') AS sha1, why(:'rs256_by_sha512') AS sha512;
SELECT why(:'rs256_own_key') AS own_key, why(:'rs256_by_other') AS rsa_by_other, why(:'es256_by_other') AS ec_by_other, why(:'es256_by_p384') AS p384;
-- what everybody knows is no secret: HS256 with the public key as it may be written, without secrets and with some
CREATE FUNCTION confused(kid text, secret bytea) RETURNS text LANGUAGE sql
RETURN (SELECT s || '.' || base64url(hmac(s::bytea, secret, 'sha256')) FROM (SELECT base64url(format('{"alg":"HS256","kid":"%s"}', kid)::bytea) || '.' || base64url('{"tenant":"42","exp":99999999999}') AS s) s);
CREATE FUNCTION confusions(pem text, jwk text) RETURNS TABLE (why text, count bigint) LANGUAGE sql AS $$
    SELECT result, count(*) FROM (
    SELECT why(confused(kid, secret)) COLLATE "C" AS result
      FROM unnest(ARRAY['rsa', 'ec', 'first']) kid,
           unnest(ARRAY[pem::bytea, btrim(pem, E'\n')::bytea, decode(regexp_replace(pem, '-----[^-]*-----', '', 'g'), 'base64'), jwk::bytea, (jwk::json ->> 'n')::bytea, bytes(jwk::json ->> 'n'), '\x'::bytea, '\x00'::bytea, kid::bytea]) secret) c
     GROUP BY result ORDER BY result;
$$;
SELECT * FROM confusions(:'pem', :'jwk_rsa');
COPY (VALUES ('first:0123456789abcdef0123456789abcdef'), ('rsa:fedcba9876543210fedcba9876543210')) TO :'secrets';
SET steward.tenant_keys_file = :'secrets';
SELECT * FROM confusions(:'pem', :'jwk_rsa');
SELECT why(:'hs256_by_rsa') AS hs256_by_rsa, why(:'rs256') AS rsa, why(confused('rsa', 'fedcba9876543210fedcba9876543210')) AS secret, why(regexp_replace(confused('rsa', 'fedcba9876543210fedcba9876543210'), '^[^.]*', base64url('{"alg":"RS256","kid":"rsa"}'))) AS rs256_by_secret;
SELECT header, why(regexp_replace(token, '^[^.]*', base64url(header::bytea)))
  FROM (VALUES (:'rs256'), (regexp_replace(:'rs256', '[^.]*$', ''))) t (token), unnest(ARRAY['{"alg":"none"}', '{"alg":"none","kid":"rsa"}', '{"alg":"rs256","kid":"rsa"}', '{"alg":"RS256","kid":"rsa"}', '{"kid":"rsa"}', '{"alg":"RS256","kid":"rsa","crit":["exp"]}', '{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}', '{"alg":"RS256","alg":"none"}']) header;

-- Signatures that are no numbers, or not those two: of nothing, of the curve's order, longer, shorter, as DER, the other way round.
SELECT bytes, why(signed(:'es256', bytes)) FROM unnest(ARRAY[decode(repeat('00', 64), 'hex'), decode(repeat('00', 63) || '01', 'hex'), decode(repeat('00', 31) || '01' || repeat('00', 32), 'hex'), decode(repeat('00', 31) || '01' || repeat('00', 31) || '01', 'hex'), decode(repeat('ff', 64), 'hex'),
    decode('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551' || 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex'), '\x', '\x00', '\x3006020101020101']::bytea[]) bytes;
SELECT why(signed(:'es256', signature(:'es256') || '\x00')) AS longer, why(signed(:'es256', '\x00' || signature(:'es256'))) AS padded, why(signed(:'es256', substr(signature(:'es256_short_r'), 2))) AS shorter, why(:'es256_der') AS der,
       why(signed(:'es256', substr(signature(:'es256'), 33) || substr(signature(:'es256'), 1, 32))) AS turned_round, why(signed(:'es256', signature(:'rs256'))) AS rsa;
SELECT left(bytes::text, 12) AS bytes, why(signed(:'rs256', bytes)) FROM unnest(ARRAY[decode(repeat('00', 256), 'hex'), decode(repeat('00', 255) || '01', 'hex'), decode(repeat('ff', 256), 'hex'), bytes(:'jwk_rsa'::json ->> 'n'), '\x00', '\x01', '\x']::bytea[]) bytes;
SELECT why(signed(:'rs256', signature(:'rs256') || '\x00')) AS longer, why(signed(:'rs256', '\x00' || signature(:'rs256'))) AS padded, why(signed(:'rs256', substr(signature(:'rs256'), 2))) AS shorter, why(signed(:'rs256', signature(:'es256'))) AS ec, why(signed(:'rs256', decode(repeat('00', 1024), 'hex'))) AS room, why(signed(:'rs256', decode(repeat('00', 1025), 'hex'))) AS no_room;

-- A token that names no key is verified with each of its algorithm.
SELECT load(:'file', :'jwk_rsa', :'jwk_ec', :'jwk_rsa_unnamed', :'jwk_ec_unnamed');
SELECT why(:'rs256_unnamed'), why(:'es256_unnamed'), why(:'rs256'), why(:'rs256_other') AS names_another;
SELECT load(:'file', :'jwk_rsa', :'jwk_rsa_2');
SELECT why(:'rs256_unnamed') AS by_second, why(:'es256_unnamed'), why(:'es256');
SELECT load(:'file', :'jwk_rsa');
SELECT why(:'rs256_unnamed') AS by_none;

-- Keys of other kinds and for other uses are left out.
CREATE FUNCTION changed(key text, members text) RETURNS text LANGUAGE sql RETURN (key::jsonb || members::jsonb)::text;
SELECT what, load(:'file', key, :'jwk_ec') IS NOT NULL AS loaded, why(:'rs256') FROM (VALUES ('P-384', :'jwk_p384'), ('oct', '{"kty":"oct","kid":"rsa","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","alg":"HS256"}'), ('OKP', '{"kty":"OKP","crv":"Ed25519","kid":"rsa","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'), ('enc', changed(:'jwk_rsa', '{"use":"enc"}')), ('use', changed(:'jwk_rsa', '{"use":null}')),
    ('RS512', changed(:'jwk_rsa', '{"alg":"RS512"}')), ('HS256', changed(:'jwk_rsa', '{"alg":"HS256"}')), ('ES256', changed(:'jwk_rsa', '{"alg":"ES256"}')), ('sign', changed(:'jwk_rsa', '{"key_ops":["sign","encrypt"]}')), ('nothing', changed(:'jwk_rsa', '{"key_ops":[]}')), ('no type', '{"kid":"rsa"}'), ('type', changed(:'jwk_rsa', '{"kty":"rsa"}')), ('nothing at all', '{}')) v (what, key);
SELECT load(:'file', changed(:'jwk_rsa', '{"key_ops":["sign","verify"],"x5c":["MIIC"],"nested":{"a":[1,{}]}}'));
SELECT why(:'rs256') AS verifies;

-- What is not fit to be a key, or no file of keys, is refused with all that is in the file, and the server's log says why.
CREATE FUNCTION try(file text, content text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM load_text(file, content); RETURN why('eyJhbGciOiJSUzI1NiJ9.e30.AAAA'); END $$;
CREATE FUNCTION set_of(VARIADIC keys text[]) RETURNS text LANGUAGE sql RETURN '{"keys":[' || array_to_string(keys, ',') || ']}';
SELECT what, try(:'file', content) <> 'The file of "steward.tenant_jwks_file" cannot be read; the server''s log says why.' AS accepted FROM (VALUES
    ('right', set_of(:'jwk_rsa')), ('with others', '{"x":{"keys":1},"keys":[' || :'jwk_rsa' || '],"y":null}'), ('both', set_of(:'jwk_ec', :'jwk_rsa')),
    ('small', set_of(:'jwk_rsa', :'jwk_small')), ('2047 bits', set_of(changed(:'jwk_rsa', format('{"n":"%s"}', base64url(set_byte(bytes(:'jwk_rsa'::json ->> 'n'), 0, 127)))))), ('small with zeros', set_of(changed(:'jwk_small', format('{"n":"%s"}', base64url(decode(repeat('00', 128), 'hex') || bytes(:'jwk_small'::json ->> 'n')))))),
    ('huge', set_of(changed(:'jwk_rsa', format('{"n":"%s"}', repeat('q', 1368))))), ('e = 1', set_of(changed(:'jwk_rsa', '{"e":"AQ"}'))), ('e = 1 with zeros', set_of(changed(:'jwk_rsa', '{"e":"AAAAAQ"}'))), ('e = 2', set_of(changed(:'jwk_rsa', '{"e":"Ag"}'))), ('e = 0', set_of(changed(:'jwk_rsa', '{"e":"AA"}'))),
    ('e long', set_of(changed(:'jwk_rsa', '{"e":"AQAAAAAAAAAAAAAB"}'))), ('e missing', set_of((:'jwk_rsa'::jsonb - 'e')::text)), ('n missing', set_of((:'jwk_rsa'::jsonb - 'n')::text)), ('n number', set_of(changed(:'jwk_rsa', '{"n":5}'))), ('n no base64', set_of(changed(:'jwk_rsa', '{"n":"!"}'))), ('n zero', set_of(changed(:'jwk_rsa', '{"n":"AAAA"}'))),
    ('private', set_of(:'jwk_private')), ('twice', set_of(:'jwk_rsa', :'jwk_rsa')), ('one id, two kinds', set_of(:'jwk_rsa', changed(:'jwk_ec', '{"kid":"rsa"}'))), ('member twice', set_of(regexp_replace(:'jwk_rsa', '^{', '{"kty":"RSA",'))), ('id a number', set_of(changed(:'jwk_rsa', '{"kid":7}'))), ('id empty', set_of(changed(:'jwk_rsa', '{"kid":""}'))), ('id long', set_of(changed(:'jwk_rsa', format('{"kid":"%s"}', repeat('k', 129))))),
    ('id of 128', set_of(changed(:'jwk_rsa', format('{"kid":"%s"}', repeat('k', 128))))), ('off the curve', set_of(:'jwk_off_curve')), ('x short', set_of(changed(:'jwk_ec', '{"x":"AAAA"}'))), ('y missing', set_of((:'jwk_ec'::jsonb - 'y')::text)), ('point zero', set_of(changed(:'jwk_ec', format('{"x":"%s","y":"%1$s"}', repeat('A', 43))))),
    ('only others', set_of(:'jwk_p384')), ('none', '{"keys":[]}'), ('no keys', '{}'), ('a key', :'jwk_rsa'), ('array', '[]'), ('keys twice', '{"keys":[' || :'jwk_rsa' || '],"keys":[]}'), ('keys an object', '{"keys":{}}'), ('keys of texts', '{"keys":["x"]}'), ('empty', ''), ('cut off', left(set_of(:'jwk_rsa'), -1)), ('followed', set_of(:'jwk_rsa') || '{}'), ('PEM', :'pem'),
    ('64 keys', set_of(VARIADIC array_fill(:'jwk_rsa_unnamed'::text, '{64}'))), ('64 keys and others', set_of(VARIADIC array_fill(:'jwk_rsa_unnamed'::text, '{64}') || :'jwk_p384'::text)), ('65 keys', set_of(VARIADIC array_fill(:'jwk_rsa_unnamed'::text, '{65}'))), ('100 others', set_of(VARIADIC array_fill(:'jwk_p384'::text, '{100}') || :'jwk_rsa'::text)), ('too long', set_of(:'jwk_rsa') || repeat(' ', 200000))) v (what, content);

-- Whoever can write the file is every tenant; to read it is no harm.
CREATE FUNCTION with_mode(file text, mode text, token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY (SELECT) TO PROGRAM %L', format('cat >/dev/null; chmod %s "%s"', mode, file));
    PERFORM set_config('steward.tenant_jwks_file', '', false), set_config('steward.tenant_jwks_file', file, false);
    RETURN why(token);
END $$;
SELECT load(:'file', :'jwk_rsa');
SELECT mode, with_mode(:'file', mode, :'rs256') FROM unnest('{0666,0662,0620,0644,0640,0600}'::text[]) mode;

-- A key that is taken away.
SELECT load(:'file', :'jwk_rsa_2');
SELECT why(:'rs256') AS gone, why(:'rs256_other') AS there;

COPY (SELECT) TO :'file'; COPY (SELECT) TO :'secrets';
SET client_min_messages = warning;
DROP SCHEMA tenant_jwks CASCADE;
DROP ROLE regress_tenant_jwks;
