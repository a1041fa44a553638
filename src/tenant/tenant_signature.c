/*
 * tenant_signature.c
 *		The parts of a token, and whether its signature is that of one of the keys.
 *
 * A token is v1.<key id>.<payload>.<mac>, or a JWT signed with HS256, RS256 or ES256
 * (RFC 7515, RFC 7519).  Payload and mac are base64url; the mac is HMAC-SHA-256 of
 * all that stands before its dot.  A JWT's signed part has one dot and the other's
 * has two, so that neither can be taken for the other.
 *
 * A key is for one algorithm, whatever a token says of its own: that only must be
 * the same.  Secrets and public keys are kept apart, so that what everybody knows
 * is never taken for a secret.
 */
#include "tenant/tenant_internal.h"

/* Tells whether two macs are the same, in a time that does not show where they differ. */
static bool
same_mac(const uint8 *a, const uint8 *b)
{
	volatile uint8 difference = 0;

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* Finds the parts of a token; returns what is wrong with it. */
const char *
steward_token_split(const char *token, StewardTokenParts *parts)
{
	static const char *const no_token = "The text does not have the form of a token.";
	const char *dots[3];
	int			ndots = 0;
	const char *end;
	const char *last;

	for (end = token; *end != '\0'; end++)
	{
		if (end - token >= STEWARD_TOKEN_SIZE - 1)
			return "The token is longer than 8 kB.";
		if (*end == '.')
		{
			if (ndots == lengthof(dots))
				return no_token;
			dots[ndots++] = end;
		}
	}
	if (ndots < 2)
		return no_token;
	last = dots[ndots - 1];
	parts->payload = dots[ndots - 2] + 1;
	parts->payload_length = last - parts->payload;
	parts->signed_length = last - token;

	if (ndots == 3)
	{
		size_t		length = dots[1] - dots[0] - 1;

		if (dots[0] - token != 2 || memcmp(token, "v1", 2) != 0 || length == 0 || length >= sizeof(parts->kid))
			return no_token;
		parts->algorithm = STEWARD_HS256;
		parts->has_kid = true;
		memcpy(parts->kid, dots[0] + 1, length);
		parts->kid[length] = '\0';
	}
	else
	{
		StewardTokenHeader header;
		char		json[2048];
		int			length = steward_base64url_decode(token, dots[0] - token, (uint8 *) json, sizeof(json));
		const char *wrong;

		if (length < 0)
			return no_token;
		wrong = steward_token_parse_header(json, length, &header);
		if (wrong != NULL)
			return wrong;
		parts->algorithm = header.algorithm;
		parts->has_kid = header.has_kid;
		strcpy(parts->kid, header.kid);
	}

	parts->signature_length = steward_base64url_decode(last + 1, end - last - 1, parts->signature, sizeof(parts->signature));
	if (parts->algorithm == STEWARD_HS256 && parts->signature_length != PG_SHA256_DIGEST_LENGTH)
		return "The signature of the token is not 32 bytes of base64url.";
	return parts->signature_length > 0 ? NULL : "The signature of the token is not base64url.";
}

/* Tells whether a token may have been signed with a key of this id. */
static bool
may_name(const StewardTokenParts *parts, const char *kid)
{
	return !parts->has_kid || strcmp(parts->kid, kid) == 0;
}

/* Looks for the secret with which a token was signed. */
static const char *
check_mac(const char *token, const StewardTokenParts *parts)
{
	const char *reason;
	const StewardTokenKeys *keys = steward_token_keys(&reason);

	if (keys == NULL)
		return reason;
	reason = "The token names a key that does not exist.";
	for (int i = 0; i < keys->nkeys; i++)
	{
		const StewardTokenKey *key = &keys->keys[i];
		uint8		mac[PG_SHA256_DIGEST_LENGTH];

		if (!may_name(parts, key->kid))
			continue;
		if (!steward_hmac(key->secret, key->length, token, parts->signed_length, mac))
			return "Could not compute HMAC-SHA-256.";
		if (same_mac(mac, parts->signature))
			return NULL;
		reason = "The signature of the token is wrong.";
	}
	return reason;
}

/* Looks for the key whose private part a token was signed with. */
static const char *
check_public(const char *token, const StewardTokenParts *parts)
{
	const char *reason;
	const StewardPublicKeys *keys = steward_token_public_keys(&reason);

	if (keys == NULL)
		return reason;
	reason = parts->has_kid ? "The token names a key that does not exist." : "There is no key for the algorithm of the token.";
	for (int i = 0; i < keys->nkeys; i++)
	{
		const StewardTokenPublicKey *key = &keys->keys[i];

		if (!may_name(parts, key->kid))
			continue;
		if (key->algorithm != parts->algorithm)
		{
			if (parts->has_kid)
				reason = "The algorithm of the token is not that of its key.";
			continue;
		}
		if (steward_public_key_verify(key->key, token, parts->signed_length, parts->signature, parts->signature_length))
			return NULL;
		reason = "The signature of the token is wrong.";
	}
	return reason;
}

/* Checks a token's signature, by each of the keys if it names none; returns what is wrong with it. */
const char *
steward_token_check_signature(const char *token, const StewardTokenParts *parts)
{
	return parts->algorithm == STEWARD_HS256 ? check_mac(token, parts) : check_public(token, parts);
}
