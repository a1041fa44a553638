/*
 * tenant_jwks.c
 *		Feeds mangled key sets to src/tenant/tenant_jwks.c, and what it takes from them
 *		to OpenSSL, together with mangled signatures.  What is accepted must be fit to
 *		be a key, and no changed signature may be right.
 */
#include "../../src/core/public_key.c"
#include "../../src/tenant/tenant_json.c"
#include "../../src/tenant/tenant_jwks.c"

#include "random.h"

/* RFC 7515, appendices A.2 and A.3 */
#define RSA_KEY "{\"kty\":\"RSA\",\"kid\":\"a\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHm" \
	"fHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs" \
	"LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD" \
	"TW9gb54h4FRWyuXpoQ\",\"e\":\"AQAB\"}"
#define EC_KEY "{\"kty\":\"EC\",\"kid\":\"b\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"key_ops\":[\"sign\",\"verify\"]}"
#define PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

static const char *const seeds[] = {
	"{\"keys\":[" RSA_KEY "," EC_KEY "]}",
	"{\"keys\":[" EC_KEY ",{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"c\"}],\"x\":{\"keys\":[1,null,{}]}}",
	" { \"k\\u0065ys\" : [ { \"kty\" : \"OKP\" , \"crv\" : \"Ed25519\" , \"x\" : \"AAAA\" , \"x5c\" : [ \"MIIC\" , [ ] ] } , " RSA_KEY " ] } ",
	"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQ\",\"d\":\"AA\",\"use\":null,\"key_ops\":[]}]}",
};

static const struct
{
	const char *token;			/* what is signed */
	const char *signature;
}			signatures[] = {
	{"eyJhbGciOiJSUzI1NiJ9." PAYLOAD, "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
	"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1p"
	"hCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
	{"eyJhbGciOiJFUzI1NiJ9." PAYLOAD, "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
};

/* Changes, takes away, repeats or cuts off some of a text, for which there is room for as much again. */
static size_t
mangle(char *text, size_t length)
{
	static const char telling[] = "\"\\{}[]:,AQ-_0\n\200\377";
	size_t		at = any(length);
	size_t		n = 1 + any(Min(length - at, 40));

	switch (any(6))
	{
		case 0:
			text[at] = (char) any(256);
			return length;
		case 1:
			text[at] = telling[any(sizeof(telling) - 1)];
			return length;
		case 2:
			memmove(text + at, text + at + n, length - at - n);
			return length - n;
		case 3:
			memmove(text + at + n, text + at, length - at);
			return length + n;
		case 4:
			text[at] ^= 1 << any(7);
			return length;
		default:
			return any(8) == 0 ? at : length;
	}
}

static StewardPublicKey *
make_public(const StewardJwk *jwk)
{
	assert(memchr(jwk->kid, '\0', sizeof(jwk->kid)) != NULL && jwk->has_kid == (jwk->kid[0] != '\0'));
	if (jwk->algorithm == STEWARD_ES256)
		return steward_p256_key(jwk->x, jwk->y);
	assert(jwk->algorithm == STEWARD_RS256);
	assert(jwk->modulus_length >= 256 && jwk->modulus_length <= STEWARD_SIGNATURE_SIZE && jwk->modulus[0] != 0);
	assert(jwk->exponent_length > 0 && jwk->exponent_length <= 8 && jwk->exponent[0] != 0);
	return steward_rsa_key(jwk->modulus, jwk->modulus_length, jwk->exponent, jwk->exponent_length);
}

/* Verifies a signature that is right, one that was changed, and one of any bytes. */
static bool
try_signature(StewardPublicKey *key, int which)
{
	uint8		right[STEWARD_SIGNATURE_SIZE];
	uint8		changed[STEWARD_SIGNATURE_SIZE];
	const char *token = signatures[which].token;
	int			length = steward_base64url_decode(signatures[which].signature, strlen(signatures[which].signature), right, sizeof(right));
	size_t		changed_length = any(4) == 0 ? any(sizeof(changed)) : length;
	uint8	   *exact;

	memcpy(changed, right, length);
	for (int i = length; i < sizeof(changed); i++)
		changed[i] = any(256);
	if (any(8) == 0)
		memset(changed, any(2) == 0 ? 0 : 255, length);
	else
		changed[any(length)] ^= 1 + any(255);
	exact = malloc(changed_length > 0 ? changed_length : 1);
	memcpy(exact, changed, changed_length);
	assert(!steward_public_key_verify(key, token, strlen(token), exact, changed_length));
	free(exact);
	return steward_public_key_verify(key, token, strlen(token), right, length);
}

int
main(int argc, char **argv)
{
	long		rounds = argc > 1 ? atol(argv[1]) : 200000;
	long		sets_read = 0;
	long		keys_made = 0;
	long		verified = 0;
	StewardJwk *jwks = malloc((STEWARD_MAX_KEYS + 1) * sizeof(StewardJwk));

	for (long i = 0; i < rounds; i++)
	{
		char		text[4096];
		const char *seed = seeds[i % lengthof(seeds)];
		size_t		length = strlen(seed);
		char	   *exact;
		int			njwks;

		memcpy(text, seed, length);
		for (uint32 changes = any(4); changes > 0 && length > 0; changes--)
			length = mangle(text, length);
		exact = malloc(length > 0 ? length : 1);
		memcpy(exact, text, length);

		if (steward_jwks_parse(exact, length, jwks, &njwks) == NULL)
		{
			sets_read++;
			assert(njwks > 0 && njwks <= STEWARD_MAX_KEYS);
			/* OpenSSL takes its time under the sanitizers */
			for (int j = 0; j < njwks && i % 64 < 4; j++)
			{
				StewardPublicKey *key = make_public(&jwks[j]);

				if (key == NULL)
					continue;
				keys_made++;
				verified += try_signature(key, jwks[j].algorithm == STEWARD_ES256);
				steward_public_key_free(key);
			}
		}
		free(exact);
	}
	free(jwks);
	assert(sets_read > 0 && keys_made > 0 && verified > 0);
	printf("%ld texts, %ld read as key sets, %ld keys, of which %ld verify\n", rounds, sets_read, keys_made, verified);
	return 0;
}
