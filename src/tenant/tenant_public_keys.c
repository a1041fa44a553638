/*
 * tenant_public_keys.c
 *		The public keys that verify tokens with RS256 and ES256.
 */
#include "tenant/tenant_internal.h"

#include "utils/guc.h"

#define MAX_JWKS_TEXT	(128 * 1024)

static char *jwks_file = NULL;

/* What was read from steward.tenant_jwks_file, and when. */
static StewardPublicKeys file_keys;
static TimestampTz file_keys_loaded = 0;

static void
forget_file_keys(void)
{
	while (file_keys.nkeys > 0)
		steward_public_key_free(file_keys.keys[--file_keys.nkeys].key);
}

static void
assign_jwks_file(const char *newval, void *extra)
{
	forget_file_keys();
}

/* Makes the keys of a key set usable; returns what is wrong with one of them. */
static const char *
take_keys(const StewardJwk *jwks, int njwks)
{
	for (int i = 0; i < njwks; i++)
	{
		const StewardJwk *jwk = &jwks[i];
		StewardTokenPublicKey *key = &file_keys.keys[i];

		key->algorithm = jwk->algorithm;
		key->has_kid = jwk->has_kid;
		strcpy(key->kid, jwk->kid);
		key->key = jwk->algorithm == STEWARD_RS256 ?
			steward_rsa_key(jwk->modulus, jwk->modulus_length, jwk->exponent, jwk->exponent_length) :
			steward_p256_key(jwk->x, jwk->y);
		if (key->key == NULL)
			return jwk->algorithm == STEWARD_RS256 ? "OpenSSL does not take an RSA key." :
				"A key of the curve P-256 is not a point of it.";
		file_keys.nkeys++;
	}
	return NULL;
}

/* Reads the keys from their file; what is wrong with it goes to the server's log. */
static void
read_jwks_file(void)
{
	const StewardKeysFile file = {.setting = "steward.tenant_jwks_file",.path = jwks_file};
	char	   *text = malloc(MAX_JWKS_TEXT + 1);
	StewardJwk *jwks = malloc((STEWARD_MAX_KEYS + 1) * sizeof(StewardJwk));
	int			length = text != NULL && jwks != NULL ? steward_keys_file_read(&file, text, MAX_JWKS_TEXT) : -1;

	forget_file_keys();
	if (length >= 0)
	{
		int			njwks;
		const char *wrong = steward_jwks_parse(text, length, jwks, &njwks);

		if (wrong == NULL)
			wrong = take_keys(jwks, njwks);
		if (wrong != NULL)
		{
			forget_file_keys();
			steward_keys_file_refuse(&file, wrong);
		}
	}
	file_keys_loaded = PgReloadTime;
	free(jwks);
	free(text);
}

/* Returns the public keys, or NULL and why there are none. */
const StewardPublicKeys *
steward_token_public_keys(const char **reason)
{
	if (!steward_has_openssl)
		*reason = "pg_steward was built without OpenSSL, which verifies RS256 and ES256.";
	else if (jwks_file == NULL || jwks_file[0] == '\0')
		*reason = "No public keys are set: see setting \"steward.tenant_jwks_file\".";
	else
	{
		if (file_keys.nkeys == 0 || file_keys_loaded != PgReloadTime)
			read_jwks_file();
		if (file_keys.nkeys > 0)
			return &file_keys;
		*reason = "The file of \"steward.tenant_jwks_file\" cannot be read; the server's log says why.";
	}
	return NULL;
}

/* Defines the setting that names the keys. */
void
steward_token_public_keys_init(void)
{
	DefineCustomStringVariable("steward.tenant_jwks_file",
							   "File that holds the public keys of tokens signed with RS256 and ES256, as a JSON Web Key Set.",
							   "A relative path starts at the data directory.",
							   &jwks_file, "",
							   PGC_SUSET, 0, NULL, assign_jwks_file, NULL);
}
