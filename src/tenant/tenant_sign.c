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
	appendStringInfoChar(json, json->len == 1 ? ' ' : ',');
	escape_json(json, key);
	appendStringInfoChar(json, ':');
	escape_json(json, text);
}

/* Adds the members of an object, none of which may be one of those already there. */
static void
append_claims(StringInfo json, Jsonb *claims)
{
	const char *taken[] = {steward_tenant_claim, steward_tenant_user_claim, "sub", "iat", "exp",
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
	if (!PG_ARGISNULL(0))
		append_member(&json, steward_tenant_claim, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!PG_ARGISNULL(1))
		append_member(&json, steward_tenant_user_claim, text_to_cstring(PG_GETARG_TEXT_PP(1)));
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
