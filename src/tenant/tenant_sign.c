/*
 * tenant_sign.c
 *		Makes signed tokens.
 */
#include "tenant/tenant_internal.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"

static void
append_base64url(StringInfo out, const uint8 *bytes, int length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32		bits = 0;
	int			nbits = 0;

	for (int i = 0; i < length; i++)
	{
		bits = (bits << 8 | bytes[i]) & 0xFFFF;
		for (nbits += 8; nbits >= 6; nbits -= 6)
			appendStringInfoChar(out, digits[bits >> (nbits - 6) & 0x3F]);
	}
	if (nbits > 0)
		appendStringInfoChar(out, digits[bits << (6 - nbits) & 0x3F]);
}

/* Adds a member to the text of a JSON object that is being written. */
static void
append_member(StringInfo json, const char *key, const char *text)
{
	appendStringInfoChar(json, ',');
	escape_json(json, key);
	appendStringInfoChar(json, ':');
	escape_json(json, text);
}

/* Adds the keys of a path from one step up to another, with the beginning of the object that each but the last has. */
static void
append_steps(StringInfo json, const StewardClaimPath *path, int from, int to)
{
	for (int i = from; i < to; i++)
	{
		escape_json(json, path->steps[i]);
		appendStringInfoString(json, i < path->nsteps - 1 ? ":{" : ":");
	}
}

static void
append_closing(StringInfo json, int count)
{
	while (count-- > 0)
		appendStringInfoChar(json, '}');
}

/* Adds what is within the first "from" objects of a claim's path. */
static void
append_claim(StringInfo json, const StewardClaimPath *path, int from, const char *text)
{
	append_steps(json, path, from, path->nsteps);
	escape_json(json, text);
	append_closing(json, path->nsteps - 1 - from);
}

/* Adds the claims that name tenant and user, in the same objects as far as their paths are the same. */
static void
append_names(StringInfo json, const char *tenant, const char *user)
{
	const StewardClaimPath *tenant_path = steward_claim_paths.tenant;
	const StewardClaimPath *user_path = steward_claim_paths.user;
	int			shared = 0;

	while (tenant != NULL && user != NULL && shared < Min(tenant_path->nsteps, user_path->nsteps) &&
		   strcmp(tenant_path->steps[shared], user_path->steps[shared]) == 0)
		shared++;
	if ((tenant != NULL && shared == tenant_path->nsteps) || (user != NULL && shared == user_path->nsteps))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("settings \"steward.tenant_claim\" and \"steward.tenant_user_claim\" do not name a claim each")));
	if (shared > 0)
		append_steps(json, tenant_path, 0, shared);
	if (tenant != NULL)
		append_claim(json, tenant_path, shared, tenant);
	if (tenant != NULL && user != NULL)
		appendStringInfoChar(json, ',');
	if (user != NULL)
		append_claim(json, user_path, shared, user);
	append_closing(json, shared);
}

/* Adds the members of an object, none of which may be one of those already there. */
static void
append_claims(StringInfo json, Jsonb *claims)
{
	const char *taken[] = {steward_claim_paths.tenant->steps[0], steward_claim_paths.user->steps[0], "sub", "iat", "exp",
	steward_tenant_token_audience[0] != '\0' ? "aud" : "exp", steward_tenant_token_issuer[0] != '\0' ? "iss" : "exp"};
	char	   *text;

	if (!JB_ROOT_IS_OBJECT(claims))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("claims must be a JSON object")));
	for (int i = 0; i < lengthof(taken); i++)
	{
		JsonbValue	key = {.type = jbvString};

		key.val.string.val = unconstify(char *, taken[i]);
		key.val.string.len = strlen(taken[i]);
		if (findJsonbValueFromContainer(&claims->root, JB_FOBJECT, &key) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("claims must not have the key \"%s\"", taken[i])));
	}
	if (JB_ROOT_COUNT(claims) == 0)
		return;
	text = JsonbToCString(NULL, &claims->root, VARSIZE(claims));
	text[strlen(text) - 1] = '\0';
	appendStringInfo(json, ",%s", text + 1);
}

/*
 * steward.tenant_sign(tenant text, user_id text, ttl interval, claims jsonb)
 * returns a token, signed with the first key.
 */
PG_FUNCTION_INFO_V1(steward_tenant_sign);
Datum
steward_tenant_sign(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz expires_at;
	const char *reason;
	const StewardTokenKeys *keys = steward_token_keys(&reason);
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	StringInfoData json;
	StringInfoData token;
	char	   *payload;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("either tenant or user must be given")));
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ttl must not be null")));
	if (keys == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot sign a token"),
				 errdetail("%s", reason)));
	expires_at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now), PG_GETARG_DATUM(2)));
	if (expires_at <= now || TIMESTAMP_NOT_FINITE(expires_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ttl must be a time to come")));

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	append_names(&json, PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0)),
				 PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1)));
	now += UNIX_EPOCH_IN_POSTGRES;
	expires_at += UNIX_EPOCH_IN_POSTGRES;
	appendStringInfo(&json, ",\"iat\":%lld.%06d,\"exp\":%lld.%06d",
					 (long long) (now / USECS_PER_SEC), (int) (now % USECS_PER_SEC),
					 (long long) (expires_at / USECS_PER_SEC), (int) (expires_at % USECS_PER_SEC));
	if (steward_tenant_token_audience[0] != '\0')
		append_member(&json, "aud", steward_tenant_token_audience);
	if (steward_tenant_token_issuer[0] != '\0')
		append_member(&json, "iss", steward_tenant_token_issuer);
	if (!PG_ARGISNULL(3))
		append_claims(&json, PG_GETARG_JSONB_P(3));
	appendStringInfoChar(&json, '}');
	payload = pg_server_to_any(json.data, json.len, PG_UTF8);

	initStringInfo(&token);
	appendStringInfo(&token, "v1.%s.", keys->keys[0].kid);
	append_base64url(&token, (uint8 *) payload, strlen(payload));
	if (!steward_hmac(keys->keys[0].secret, keys->keys[0].length, token.data, token.len, mac))
		elog(ERROR, "could not compute HMAC-SHA-256");
	appendStringInfoChar(&token, '.');
	append_base64url(&token, mac, sizeof(mac));
	if (token.len >= STEWARD_TOKEN_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("token is longer than 8 kB")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token.data, token.len));
}
