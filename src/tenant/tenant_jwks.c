/*
 * tenant_jwks.c
 *		Reads JSON Web Key Sets (RFC 7517), without the server.
 *
 * A key is for one algorithm, which its kind decides.  Keys of other kinds and for
 * other uses are left out, as the RFC has it; one that claims to be of ours and is
 * not fit to be is an error.  Functions return what is wrong, or NULL.
 */
#include "tenant/tenant_internal.h"

/* The least that an RSA key may have (RFC 7518, section 3.3). */
#define MIN_RSA_BYTES	256

/* Room for a number in base64url. */
#define NUMBER_TEXT		(STEWARD_SIGNATURE_SIZE * 4 / 3 + 8)

static const char *const not_jwks = "It does not contain a JSON Web Key Set.";

/* The members of a key that are texts and understood. */
typedef enum Member
{
	TYPE, USE, ALGORITHM, ID, CURVE, MODULUS, EXPONENT, X, Y, NTEXTS, OPERATIONS = NTEXTS, PRIVATE, NMEMBERS
} Member;

static const char *const member_names[NMEMBERS] = {"kty", "use", "alg", "kid", "crv", "n", "e", "x", "y", "key_ops", "d"};

/* A key as it is written; what is not there is empty. */
typedef struct Written
{
	bool		has[NMEMBERS];
	bool		verifies;
	char		texts[NTEXTS][NUMBER_TEXT];
} Written;

/* Reads what a key is for, and tells whether that is to verify signatures. */
static const char *
read_operations(StewardJson *r, bool *verifies)
{
	char		name[16];

	*verifies = false;
	if (!steward_json_accept(r, '['))
		return not_jwks;
	for (bool first = true; !steward_json_accept(r, ']'); first = false)
	{
		if ((!first && !steward_json_accept(r, ',')) || !steward_json_optional(r, name, sizeof(name)))
			return not_jwks;
		*verifies |= strcmp(name, "verify") == 0;
	}
	return NULL;
}

/* Reads the members of a key. */
static const char *
read_written(StewardJson *r, Written *written)
{
	char		name[16];

	memset(written->has, 0, sizeof(written->has));
	written->verifies = true;
	if (!steward_json_accept(r, '{'))
		return not_jwks;
	for (bool first = true; !steward_json_accept(r, '}'); first = false)
	{
		int			member = 0;
		const char *wrong = NULL;

		if (!steward_json_member(r, first, name, sizeof(name)))
			return not_jwks;
		while (member < NMEMBERS && strcmp(name, member_names[member]) != 0)
			member++;
		if (member < NMEMBERS && written->has[member])
			return "A key has the same member twice.";
		if (member < NMEMBERS)
			written->has[member] = true;
		if (member < NTEXTS)
			wrong = steward_json_optional(r, written->texts[member], NUMBER_TEXT) ? NULL : not_jwks;
		else if (member == OPERATIONS)
			wrong = read_operations(r, &written->verifies);
		else if (!steward_json_skip(r, 3))
			wrong = not_jwks;
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/* Tells whether a member is a text. */
static bool
is(const Written *written, Member member, const char *text)
{
	return written->has[member] && strcmp(written->texts[member], text) == 0;
}

/* Tells whether a member is a text or left out. */
static bool
may_be(const Written *written, Member member, const char *text)
{
	return !written->has[member] || is(written, member, text);
}

/* Reads a number without the zero bytes before it; returns its length, 0 if there is none that fits. */
static int
read_number(const Written *written, Member member, uint8 *out, int size)
{
	const char *text = written->has[member] ? written->texts[member] : "";
	int			length = steward_base64url_decode(text, strlen(text), out, size);
	int			zeros = 0;

	while (zeros < length && out[zeros] == 0)
		zeros++;
	memmove(out, out + zeros, Max(length - zeros, 0));
	return Max(length - zeros, 0);
}

/* Reads one of the two numbers of a point, all of whose bytes are written. */
static bool
read_coordinate(const Written *written, Member member, uint8 *out)
{
	const char *text = written->has[member] ? written->texts[member] : "";

	return steward_base64url_decode(text, strlen(text), out, STEWARD_P256_SIZE) == STEWARD_P256_SIZE;
}

/* Makes a key of what is written; its algorithm stays 0 if it is none of ours. */
static const char *
make_key(const Written *written, StewardJwk *jwk)
{
	jwk->algorithm = STEWARD_NO_ALGORITHM;
	if (!written->verifies || !may_be(written, USE, "sig"))
		return NULL;
	if (is(written, TYPE, "RSA") && may_be(written, ALGORITHM, "RS256"))
		jwk->algorithm = STEWARD_RS256;
	else if (is(written, TYPE, "EC") && is(written, CURVE, "P-256") && may_be(written, ALGORITHM, "ES256"))
		jwk->algorithm = STEWARD_ES256;
	else
		return NULL;

	if (written->has[PRIVATE])
		return "A key has its private part: only public keys belong here.";
	jwk->has_kid = written->has[ID];
	if (jwk->has_kid && (written->texts[ID][0] == '\0' || strlen(written->texts[ID]) >= sizeof(jwk->kid)))
		return "The id of a key is not a text of 1 to 128 bytes.";
	strcpy(jwk->kid, jwk->has_kid ? written->texts[ID] : "");

	if (jwk->algorithm == STEWARD_ES256)
		return read_coordinate(written, X, jwk->x) && read_coordinate(written, Y, jwk->y) ? NULL :
			"A key of the curve P-256 does not have two numbers of 32 bytes.";
	jwk->modulus_length = read_number(written, MODULUS, jwk->modulus, sizeof(jwk->modulus));
	jwk->exponent_length = read_number(written, EXPONENT, jwk->exponent, sizeof(jwk->exponent));
	if (jwk->modulus_length < MIN_RSA_BYTES || (jwk->modulus_length == MIN_RSA_BYTES && jwk->modulus[0] < 0x80))
		return "An RSA key has fewer than 2048 bits, or more than 8192.";
	if (jwk->exponent_length == 0 || (jwk->exponent[jwk->exponent_length - 1] & 1) == 0 ||
		(jwk->exponent_length == 1 && jwk->exponent[0] == 1))
		return "The exponent of an RSA key is not an odd number from 3 on.";
	return NULL;
}

/* Reads an array of keys, of which those that are ours go to "jwks". */
static const char *
read_keys(StewardJson *r, StewardJwk *jwks, int *njwks)
{
	Written		written;

	if (!steward_json_accept(r, '['))
		return not_jwks;
	for (bool first = true; !steward_json_accept(r, ']'); first = false)
	{
		StewardJwk *jwk = &jwks[*njwks];
		const char *wrong;

		if (!first && !steward_json_accept(r, ','))
			return not_jwks;
		wrong = read_written(r, &written);
		if (wrong == NULL)
			wrong = make_key(&written, jwk);
		if (wrong != NULL)
			return wrong;
		if (jwk->algorithm == STEWARD_NO_ALGORITHM)
			continue;
		if (*njwks == STEWARD_MAX_KEYS)
			return "There are more than 64 keys.";
		for (int i = 0; i < *njwks; i++)
			if (jwk->has_kid && jwks[i].has_kid && strcmp(jwks[i].kid, jwk->kid) == 0)
				return "Two keys have the same id.";
		(*njwks)++;
	}
	return NULL;
}

/* Reads a key set; "jwks" has room for STEWARD_MAX_KEYS + 1. */
const char *
steward_jwks_parse(const char *json, size_t length, StewardJwk *jwks, int *njwks)
{
	StewardJson r = {json, json + length};
	char		name[16];
	bool		has_keys = false;

	*njwks = 0;
	if (!steward_json_accept(&r, '{'))
		return not_jwks;
	for (bool first = true; !steward_json_accept(&r, '}'); first = false)
	{
		const char *wrong = NULL;

		if (!steward_json_member(&r, first, name, sizeof(name)))
			return not_jwks;
		if (strcmp(name, "keys") != 0)
			wrong = steward_json_skip(&r, 1) ? NULL : not_jwks;
		else if (has_keys)
			wrong = not_jwks;
		else
		{
			has_keys = true;
			wrong = read_keys(&r, jwks, njwks);
		}
		if (wrong != NULL)
			return wrong;
	}
	if (!steward_json_ended(&r))
		return not_jwks;
	return *njwks > 0 ? NULL : "It has no key that can be used: an RSA key for RS256, or one of the curve P-256 for ES256.";
}
