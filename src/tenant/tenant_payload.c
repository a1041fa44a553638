/*
 * tenant_payload.c
 *		Reads what the header and the claims of a token say.
 *
 * Like tenant_json.c it runs on what anybody may send, and calls nothing of the
 * server.  Functions return what is wrong, as a text that has nothing of the token
 * in it, or NULL.
 */
#include "tenant/tenant_internal.h"

static const char *const not_json = "The token does not contain valid JSON.";

/* Reads a time, in seconds since 1970 with or without a fraction, as microseconds. */
static const char *
read_time(StewardJson *r, int64 *time)
{
	static const char *const not_a_time = "A time in the token is not a number of seconds since 1970.";
	StewardJsonNumber number;
	int			fraction = -1;

	*time = 0;
	if (steward_json_next(r) == '"' || !steward_json_number(r, &number))
		return not_a_time;
	if (number.has_exponent || number.text[0] == '-')
		return not_a_time;
	for (int i = 0; i < number.length; i++)
	{
		if (number.text[i] == '.')
		{
			fraction = 0;
			continue;
		}
		if (fraction == 6)
			break;
		/* eleven digits reach the year 5138 */
		if (fraction < 0 && i == 11)
			return not_a_time;
		if (fraction >= 0)
			fraction++;
		*time = *time * 10 + (number.text[i] - '0');
	}
	for (int i = Max(fraction, 0); i < 6; i++)
		*time *= 10;
	return NULL;
}

/* Reads a string or an integer as text, neither empty nor longer than fits. */
static const char *
read_text(StewardJson *r, char *out, size_t size)
{
	StewardJsonNumber number;
	bool		fits;

	if (steward_json_next(r) == '"')
	{
		if (!steward_json_string(r, out, size, &fits))
			return not_json;
		if (!fits || out[0] == '\0')
			return "A name in the token is empty or too long.";
		return NULL;
	}
	if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
	{
		if (!steward_json_number(r, &number))
			return not_json;
		if (!number.is_integer || number.length > 19 ||
			(number.text[0] == '-' && number.text[1] == '0'))
			return "A number in the token is not of type bigint.";
		memcpy(out, number.text, number.length);
		out[number.length] = '\0';
		return NULL;
	}
	return "A name in the token is neither a string nor an integer.";
}

/* Reads a string that must fit. */
static const char *
read_name(StewardJson *r, char *out, size_t size)
{
	bool		fits;

	if (steward_json_next(r) != '"' || !steward_json_string(r, out, size, &fits))
		return "A name in the token is not a string.";
	return fits && out[0] != '\0' ? NULL : "A name in the token is empty or too long.";
}

/* Tells whether "key" is "name", and notes in "again" when it is so a second time. */
static bool
is_named(const char *key, const char *name, bool *seen, bool *again)
{
	if (name[0] == '\0' || strcmp(key, name) != 0)
		return false;
	*again |= *seen;
	*seen = true;
	return true;
}

/* Reads a JWT's header. */
const char *
steward_token_parse_header(const char *json, size_t length, StewardTokenHeader *header)
{
	StewardJson r = {json, json + length};
	char		key[16];
	char		alg[16];
	char		type[16];
	bool		has_alg = false;
	bool		has_typ = false;
	bool		again = false;
	const char *wrong = NULL;

	memset(header, 0, sizeof(*header));
	if (!steward_json_accept(&r, '{'))
		return not_json;
	for (bool first = true; !steward_json_accept(&r, '}'); first = false)
	{
		if (!steward_json_member(&r, first, key, sizeof(key)))
			return not_json;
		if (is_named(key, "alg", &has_alg, &again))
		{
			wrong = read_name(&r, alg, sizeof(alg));
			header->is_hs256 = wrong == NULL && strcmp(alg, "HS256") == 0;
		}
		else if (is_named(key, "kid", &header->has_kid, &again))
			wrong = read_name(&r, header->kid, sizeof(header->kid));
		else if (is_named(key, "typ", &has_typ, &again))
			wrong = read_name(&r, type, sizeof(type));
		else if (strcmp(key, "crit") == 0)
			return "The token has the header \"crit\", which is not supported.";
		else if (!steward_json_skip(&r, 1))
			return not_json;
		if (wrong != NULL)
			return wrong;
		if (again)
			return "The token has the same key twice.";
	}
	if (!steward_json_ended(&r))
		return not_json;
	return header->is_hs256 ? NULL : "The algorithm of the token is not HS256.";
}

/* Reads a text; what is none, or too long for one, is read as an empty one. */
static const char *
read_optional(StewardJson *r, char *out, size_t size)
{
	bool		fits = false;

	if (steward_json_next(r) == '"' ? !steward_json_string(r, out, size, &fits) : !steward_json_skip(r, 1))
		return not_json;
	if (!fits)
		out[0] = '\0';
	return NULL;
}

/* Reads the claim "aud", a text or an array of texts, and tells whether the audience is one of them. */
static const char *
read_audience(StewardJson *r, const char *audience, bool *is_for)
{
	char		name[STEWARD_TENANT_VALUE_SIZE];
	const bool	is_array = steward_json_accept(r, '[');

	for (bool first = true; !is_array || !steward_json_accept(r, ']'); first = false)
	{
		if (is_array && !first && !steward_json_accept(r, ','))
			return not_json;
		if (read_optional(r, name, sizeof(name)) != NULL)
			return not_json;
		*is_for |= strcmp(name, audience) == 0;
		if (!is_array)
			break;
	}
	return NULL;
}

/*
 * Reads a token's claims.  The user's is "sub" where the claim with the name
 * that was given is missing.
 */
const char *
steward_token_parse_claims(const char *json, size_t length, const char *tenant_claim,
						   const char *user_claim, const char *audience, StewardTokenClaims *claims)
{
	StewardJson r = {json, json + length};
	char		key[128];
	char		sub[STEWARD_TENANT_VALUE_SIZE] = "";
	bool		has_tenant = false;
	bool		has_user = false;
	bool		has_sub = false;
	bool		has_iss = false;
	bool		has_aud = false;
	bool		again = false;
	const char *wrong = NULL;

	memset(claims, 0, sizeof(*claims));
	if (!steward_json_accept(&r, '{'))
		return not_json;
	for (bool first = true; !steward_json_accept(&r, '}'); first = false)
	{
		if (!steward_json_member(&r, first, key, sizeof(key)))
			return not_json;
		if (is_named(key, "exp", &claims->has_exp, &again))
			wrong = read_time(&r, &claims->exp);
		else if (is_named(key, "nbf", &claims->has_nbf, &again))
			wrong = read_time(&r, &claims->nbf);
		else if (is_named(key, "iat", &claims->has_iat, &again))
			wrong = read_time(&r, &claims->iat);
		else if (is_named(key, "db", &claims->for_database, &again))
			wrong = read_name(&r, claims->database, sizeof(claims->database));
		else if (is_named(key, "role", &claims->for_role, &again))
			wrong = read_name(&r, claims->role, sizeof(claims->role));
		else if (is_named(key, tenant_claim, &has_tenant, &again))
		{
			if (steward_json_next(&r) == 'n')
				wrong = steward_json_word(&r, "null") ? NULL : not_json;
			else
				wrong = read_text(&r, claims->values[STEWARD_TENANT], STEWARD_TENANT_VALUE_SIZE);
		}
		else if (is_named(key, user_claim, &has_user, &again))
		{
			if (steward_json_next(&r) == 'n')
				wrong = steward_json_word(&r, "null") ? NULL : not_json;
			else
				wrong = read_text(&r, claims->values[STEWARD_USER], STEWARD_TENANT_VALUE_SIZE);
		}
		else if (is_named(key, "iss", &has_iss, &again))
			wrong = read_optional(&r, claims->issuer, sizeof(claims->issuer));
		else if (is_named(key, "aud", &has_aud, &again))
			wrong = read_audience(&r, audience, &claims->for_audience);
		else if (is_named(key, "sub", &has_sub, &again))
			wrong = read_text(&r, sub, sizeof(sub));
		else if (!steward_json_skip(&r, 1))
			return not_json;
		if (wrong != NULL)
			return wrong;
		if (again)
			return "The token has the same key twice.";
	}
	if (!steward_json_ended(&r))
		return not_json;

	if (!has_user)
		strcpy(claims->values[STEWARD_USER], sub);
	if (claims->values[STEWARD_TENANT][0] == '\0' && claims->values[STEWARD_USER][0] == '\0')
		return "The token names neither a tenant nor a user.";
	return claims->has_exp ? NULL : "The token has no expiration time.";
}
