-- tenant: for which tenant and user a transaction works, and which rows are theirs.

CREATE FUNCTION steward.tenant_set(tenant text, user_id text DEFAULT NULL, claims jsonb DEFAULT NULL) RETURNS void
AS 'MODULE_PATHNAME', 'steward_tenant_set' LANGUAGE C VOLATILE PARALLEL UNSAFE;
REVOKE ALL ON FUNCTION steward.tenant_set(text, text, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_set(text, text, jsonb) IS
'Says for which tenant and user the rest of the transaction works.';

CREATE FUNCTION steward.tenant_login(token text) RETURNS void
AS 'MODULE_PATHNAME', 'steward_tenant_login' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.tenant_login(text) IS
'Verifies a signed token, and has the rest of the transaction work for the tenant and user that it names.';

CREATE FUNCTION steward.tenant_clear() RETURNS void
AS 'MODULE_PATHNAME', 'steward_tenant_clear' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION steward.tenant_clear() IS
'Ends the context: the rest of the transaction works for no tenant.';

CREATE FUNCTION steward.tenant_context(
    OUT tenant text, OUT user_id text, OUT source text, OUT expires_at timestamptz, OUT claims jsonb) RETURNS record
AS 'MODULE_PATHNAME', 'steward_tenant_context' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION steward.tenant_context() IS
'Returns the tenant and user of the present statement, whether token or function set them, and until when.';

-- Tokens, which anybody may log in with and only who has a key can make.

CREATE FUNCTION steward.tenant_sign(tenant text, user_id text DEFAULT NULL, ttl interval DEFAULT '1 minute', claims jsonb DEFAULT NULL) RETURNS text
AS 'MODULE_PATHNAME', 'steward_tenant_sign' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION steward.tenant_sign(text, text, interval, jsonb) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_sign(text, text, interval, jsonb) IS
'Returns a token for a tenant and user that is valid for a while, signed with the first of the keys.';

CREATE FUNCTION steward.tenant_verify(token text,
    OUT valid boolean, OUT reason text, OUT tenant text, OUT user_id text, OUT expires_at timestamptz) RETURNS record
AS 'MODULE_PATHNAME', 'steward_tenant_verify' LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
REVOKE ALL ON FUNCTION steward.tenant_verify(text) FROM PUBLIC;
COMMENT ON FUNCTION steward.tenant_verify(text) IS
'Returns whether a token is valid here and now, and if it is not, why.';

-- What policies compare columns with.

CREATE FUNCTION steward.current_tenant_int() RETURNS integer
AS 'MODULE_PATHNAME', 'steward_current_tenant_int' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_tenant_int() IS
'Returns the tenant of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no integer.';

CREATE FUNCTION steward.current_tenant_bigint() RETURNS bigint
AS 'MODULE_PATHNAME', 'steward_current_tenant_bigint' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_tenant_bigint() IS
'Returns the tenant of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no bigint.';

CREATE FUNCTION steward.current_tenant_uuid() RETURNS uuid
AS 'MODULE_PATHNAME', 'steward_current_tenant_uuid' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_tenant_uuid() IS
'Returns the tenant of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no UUID.';

CREATE FUNCTION steward.current_tenant_text() RETURNS text
AS 'MODULE_PATHNAME', 'steward_current_tenant_text' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_tenant_text() IS
'Returns the tenant of this transaction; NULL, or with steward.tenant_strict an error, if there is none.';

CREATE FUNCTION steward.current_user_id_int() RETURNS integer
AS 'MODULE_PATHNAME', 'steward_current_user_id_int' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_user_id_int() IS
'Returns the user of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no integer.';

CREATE FUNCTION steward.current_user_id_bigint() RETURNS bigint
AS 'MODULE_PATHNAME', 'steward_current_user_id_bigint' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_user_id_bigint() IS
'Returns the user of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no bigint.';

CREATE FUNCTION steward.current_user_id_uuid() RETURNS uuid
AS 'MODULE_PATHNAME', 'steward_current_user_id_uuid' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_user_id_uuid() IS
'Returns the user of this transaction; NULL, or with steward.tenant_strict an error, if there is none or it is no UUID.';

CREATE FUNCTION steward.current_user_id_text() RETURNS text
AS 'MODULE_PATHNAME', 'steward_current_user_id_text' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1;
COMMENT ON FUNCTION steward.current_user_id_text() IS
'Returns the user of this transaction; NULL, or with steward.tenant_strict an error, if there is none.';

-- One name for all types. The planner makes of is_current_tenant(column) what column = steward.current_tenant_int(),
-- _bigint(), _uuid() or _text() is, and refuses columns of other types.

CREATE FUNCTION steward_internal.is_current_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'steward_is_current_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.is_current_support(internal) IS
'Has the planner compare the column itself where is_current_tenant() or is_current_user() is called.';

CREATE FUNCTION steward.is_current_tenant(smallint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(smallint) IS
'Returns whether a value is the tenant that the transaction works for.';

CREATE FUNCTION steward.is_current_tenant(integer) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(integer) IS
'Returns whether a value is the tenant that the transaction works for.';

CREATE FUNCTION steward.is_current_tenant(bigint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(bigint) IS
'Returns whether a value is the tenant that the transaction works for.';

CREATE FUNCTION steward.is_current_tenant(uuid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_uuid' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(uuid) IS
'Returns whether a value is the tenant that the transaction works for.';

CREATE FUNCTION steward.is_current_tenant(text) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(text) IS
'Returns whether a value is the tenant that the transaction works for.';

CREATE FUNCTION steward.is_current_tenant(anyelement) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_tenant(anyelement) IS
'Raises 42804: only integer, bigint, uuid and text columns can say which tenant a row belongs to.';

CREATE FUNCTION steward.is_current_user(smallint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(smallint) IS
'Returns whether a value is the user that the transaction works for.';

CREATE FUNCTION steward.is_current_user(integer) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(integer) IS
'Returns whether a value is the user that the transaction works for.';

CREATE FUNCTION steward.is_current_user(bigint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(bigint) IS
'Returns whether a value is the user that the transaction works for.';

CREATE FUNCTION steward.is_current_user(uuid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(uuid) IS
'Returns whether a value is the user that the transaction works for.';

CREATE FUNCTION steward.is_current_user(text) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(text) IS
'Returns whether a value is the user that the transaction works for.';

CREATE FUNCTION steward.is_current_user(anyelement) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_user' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_support;
COMMENT ON FUNCTION steward.is_current_user(anyelement) IS
'Raises 42804: only integer, bigint, uuid and text columns can say which user a row belongs to.';

-- The same with the tenant in the plan, so that the planner leaves out the partitions of others.

CREATE FUNCTION steward_internal.is_current_folded_support(internal) RETURNS internal
AS 'MODULE_PATHNAME', 'steward_is_current_folded_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION steward_internal.is_current_folded_support(internal) IS
'Has the planner compare the column with a constant and the constant with the tenant where is_current_tenant_folded() is called.';

CREATE FUNCTION steward.is_current_tenant_folded(smallint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(smallint) IS
'Returns whether a value is the tenant that the transaction works for; planned for this one tenant.';

CREATE FUNCTION steward.is_current_tenant_folded(integer) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(integer) IS
'Returns whether a value is the tenant that the transaction works for; planned for this one tenant.';

CREATE FUNCTION steward.is_current_tenant_folded(bigint) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(bigint) IS
'Returns whether a value is the tenant that the transaction works for; planned for this one tenant.';

CREATE FUNCTION steward.is_current_tenant_folded(uuid) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(uuid) IS
'Returns whether a value is the tenant that the transaction works for; planned for this one tenant.';

CREATE FUNCTION steward.is_current_tenant_folded(text) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT LEAKPROOF PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(text) IS
'Returns whether a value is the tenant that the transaction works for; planned for this one tenant.';

CREATE FUNCTION steward.is_current_tenant_folded(anyelement) RETURNS boolean
AS 'MODULE_PATHNAME', 'steward_is_current_tenant_folded' LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
SUPPORT steward_internal.is_current_folded_support;
COMMENT ON FUNCTION steward.is_current_tenant_folded(anyelement) IS
'Raises 42804: only integer, bigint, uuid and text columns can say which tenant a row belongs to.';
