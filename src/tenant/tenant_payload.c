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

static StewardAlgorithm
algorithm_of(const char *name)
{
	return strcmp(name, "HS256") == 0 ? STEWARD_HS256 :
		strcmp(name, "RS256") == 0 ? STEWARD_RS256 :
		strcmp(name, "ES256") == 0 ? STEWARD_ES256 : STEWARD_NO_ALGORITHM;
}

/* Reads a JWT's header. */
const char *
steward_token_parse_header(const char *json, size_t length, StewardTokenHeader *header)
{
	StewardJson r = {json, json + length};
	char		key[16];
	char		alg[16];
	bool		has_alg = false;
	bool		has_kid = false;
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
			if (wrong == NULL)
				header->algorithm = algorithm_of(alg);
		}
		else if (is_named(key, "kid", &has_kid, &again))
		{
			header->has_kid = steward_json_next(&r) != 'n';
			if (header->has_kid)
				wrong = read_name(&r, header->kid, sizeof(header->kid));
			else if (!steward_json_word(&r, "null"))
				wrong = not_json;
		}
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
	return header->algorithm != STEWARD_NO_ALGORITHM ? NULL : "The algorithm of the token is none of HS256, RS256 and ES256.";
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
		if (!steward_json_optional(r, name, sizeof(name)))
			return not_json;
		*is_for |= strcmp(name, audience) == 0;
		if (!is_array)
			break;
	}
	return NULL;
}

/* The claims that are understood; where two are the same, the first of them is. */
typedef enum Claim
{
	EXPIRES, NOT_BEFORE, ISSUED_AT, DATABASE, ROLE, TENANT, USER, ISSUER, AUDIENCE, SUBJECT, NCLAIMS
} Claim;

/* Where the claims are, and what has been read of them. */
typedef struct Reading
{
	const StewardClaimPath *paths[NCLAIMS];
	const char *audience;
	char		subject[STEWARD_TENANT_VALUE_SIZE];
	StewardTokenClaims *claims;
} Reading;

/*
 * Reads where a claim stands: the names of the objects that it is in and its own,
 * with dots between them.  A name with other characters than letters, digits, "_"
 * and "-" stands in double quotes, and a double quote in it is two.
 */
const char *
steward_claim_path_parse(const char *text, StewardClaimPath *path)
{
	static const char *const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
	const bool	somewhere = *text != '\0';

	memset(path, 0, sizeof(*path));
	while (somewhere)
	{
		const bool	quoted = *text == '"';
		bool		ended = !quoted;
		size_t		length = 0;
		char	   *name;

		if (path->nsteps == STEWARD_CLAIM_STEPS)
			return "A claim may be within seven objects at most.";
		name = path->steps[path->nsteps++];
		for (text += quoted; *text != '\0'; text++)
		{
			if (quoted && *text == '"' && *++text != '"')
			{
				ended = true;
				break;
			}
			if (!quoted && strchr(plain, *text) == NULL)
				break;
			if (length == STEWARD_CLAIM_SIZE - 1)
				return "A name in the path of a claim may have 127 bytes at most.";
			name[length++] = *text;
		}
		if (length == 0 || !ended || (*text != '\0' && *text != '.'))
			return "Names in the path of a claim are separated by dots, and one with other characters than letters, digits, \"_\" and \"-\" stands in double quotes.";
		if (*text++ == '\0')
			break;
	}
	return NULL;
}

/* Reads the value of a claim, which is not null. */
static const char *
read_claim(StewardJson *r, Claim claim, Reading *reading)
{
	StewardTokenClaims *claims = reading->claims;

	switch (claim)
	{
		case EXPIRES:
			claims->has_exp = true;
			return read_time(r, &claims->exp);
		case NOT_BEFORE:
			claims->has_nbf = true;
			return read_time(r, &claims->nbf);
		case ISSUED_AT:
			claims->has_iat = true;
			return read_time(r, &claims->iat);
		case DATABASE:
			claims->for_database = true;
			return read_name(r, claims->database, sizeof(claims->database));
		case ROLE:
			claims->for_role = true;
			return read_name(r, claims->role, sizeof(claims->role));
		case TENANT:
			return read_text(r, claims->values[STEWARD_TENANT], STEWARD_TENANT_VALUE_SIZE);
		case USER:
			return read_text(r, claims->values[STEWARD_USER], STEWARD_TENANT_VALUE_SIZE);
		case ISSUER:
			return steward_json_optional(r, claims->issuer, sizeof(claims->issuer)) ? NULL : not_json;
		case AUDIENCE:
			return read_audience(r, reading->audience, &claims->for_audience);
		case SUBJECT:
			return read_text(r, reading->subject, sizeof(reading->subject));
		case NCLAIMS:
			break;
	}
	return steward_json_skip(r, STEWARD_CLAIM_STEPS) ? NULL : not_json;
}

/*
 * Reads an object that is "step" objects deep on the way to those claims whose
 * bits are set in "within".  A claim that is null is absent.
 */
static const char *
read_members(StewardJson *r, Reading *reading, uint32 within, int step)
{
	char		key[STEWARD_CLAIM_SIZE];
	uint32		seen = 0;

	if (!steward_json_accept(r, '{'))
		return not_json;
	for (bool first = true; !steward_json_accept(r, '}'); first = false)
	{
		uint32		here = 0;
		Claim		found = NCLAIMS;
		const char *wrong = NULL;

		if (!steward_json_member(r, first, key, sizeof(key)))
			return not_json;
		for (Claim claim = 0; claim < NCLAIMS; claim++)
		{
			const StewardClaimPath *path = reading->paths[claim];

			if ((within & 1U << claim) == 0 || step >= path->nsteps || strcmp(key, path->steps[step]) != 0)
				continue;
			here |= 1U << claim;
			if (step == path->nsteps - 1 && found == NCLAIMS)
				found = claim;
		}
		if ((here & seen) != 0)
			return "The token has the same key twice.";
		seen |= here;

		if (here != 0 && steward_json_next(r) == 'n')
			wrong = steward_json_word(r, "null") ? NULL : not_json;
		else if (found != NCLAIMS)
			wrong = read_claim(r, found, reading);
		else if (here != 0 && steward_json_next(r) == '{')
			wrong = read_members(r, reading, here, step + 1);
		else if (!steward_json_skip(r, step + 1))
			wrong = not_json;
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/*
 * Reads a token's claims.  The user's is "sub" where there is none at the place
 * that was given.
 */
const char *
steward_token_parse_claims(const char *json, size_t length, const StewardClaimPaths *paths,
						   const char *audience, StewardTokenClaims *claims)
{
	static const StewardClaimPath registered[NCLAIMS] = {
		[EXPIRES] = {1, {"exp"}},[NOT_BEFORE] = {1, {"nbf"}},[ISSUED_AT] = {1, {"iat"}},[DATABASE] = {1, {"db"}},
		[ISSUER] = {1, {"iss"}},[AUDIENCE] = {1, {"aud"}},[SUBJECT] = {1, {"sub"}}
	};
	StewardJson r = {json, json + length};
	Reading		reading = {.audience = audience,.claims = claims};
	const char *wrong;

	for (Claim claim = 0; claim < NCLAIMS; claim++)
		reading.paths[claim] = &registered[claim];
	reading.paths[ROLE] = paths->role;
	reading.paths[TENANT] = paths->tenant;
	reading.paths[USER] = paths->user;
	memset(claims, 0, sizeof(*claims));
	wrong = read_members(&r, &reading, (1U << NCLAIMS) - 1, 0);
	if (wrong != NULL)
		return wrong;
	if (!steward_json_ended(&r))
		return not_json;

	if (claims->values[STEWARD_USER][0] == '\0')
		strcpy(claims->values[STEWARD_USER], reading.subject);
	if (claims->values[STEWARD_TENANT][0] == '\0' && claims->values[STEWARD_USER][0] == '\0')
		return "The token names neither a tenant nor a user.";
	return claims->has_exp ? NULL : "The token has no expiration time.";
}
