/*
 * tenant_payload.c
 *		Feeds mangled tokens to src/tenant/tenant_json.c and tenant_payload.c, which script/lint builds
 *		with the address and undefined behaviour sanitizers.
 *
 * The inputs are the same every time.  Each lies in memory of just its size, so
 * that reading past it is an error; what is accepted must be what a token needs.
 */
#include "../../src/tenant/tenant_json.c"
#include "../../src/tenant/tenant_payload.c"

#include "random.h"

static const char *const seeds[] = {
	"{\"tenant\":\"42\",\"user_id\":\"alice\",\"iat\":1700000000,\"exp\":1700000060.5}",
	"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"first\"}",
	"{\"tenant\":-42,\"sub\":\"\\u0061\\ud83d\\ude00\\n\",\"exp\":1,\"nbf\":0,\"db\":\"d\",\"role\":\"r\"}",
	"{ \"x\" : [ 1 , { \"a\" : [ null , true , false , -1.5E+3 ] } ] , \"ten\\u0061nt\" : \"acm\303\251 \360\237\230\200\" , \"exp\" : 99999999999.999999 }",
	"{\"tenant\":null,\"user_id\":null,\"exp\":9}",
	"{\"tenant\":1,\"exp\":9,\"iss\":\"https://example.org\",\"aud\":[\"web\",\"api\",7]}",
	"{\"app_metadata\":{\"tenant_id\":\"42\",\"x\":{\"tenant_id\":1}},\"https://hasura.io/jwt/claims\":{\"x-hasura-user-id\":7},\"role\":null,\"exp\":9}",
	"\"https://hasura.io/jwt/claims\".x-hasura-user-id",
	"app_metadata.tenant_id.\"a\"\"b\".c.d.e.f.g",
	"{\"crit\":[\"x\"],\"alg\":\"none\"}",
	"[[[[[[[[[[[[[[[[[[[[{\"a\":{\"a\":{}}}]]]]]]]]]]]]]]]]]]]]",
	"eyJhbGciOiJIUzI1NiJ9_-",
	"",
};

/* Changes bytes, takes some away, repeats some, or joins what another seed has. */
static size_t
mangle(char *text, size_t length, size_t size)
{
	static const char telling[] = "\"\\{}[]:,0-9.eEu\n\200\300\340\360\377";
	size_t		at = length > 0 ? any(length) : 0;
	size_t		n = length > at ? 1 + any(length - at) : 0;
	const char *other;

	switch (any(6))
	{
		case 0:
			if (length > 0)
				text[at] = (char) any(256);
			return length;
		case 1:
			if (length > 0)
				text[at] = telling[any(sizeof(telling))];
			return length;
		case 2:
			memmove(text + at, text + at + n, length - at - n);
			return length - n;
		case 3:
			if (length + n > size)
				return length;
			memmove(text + at + n, text + at, length - at);
			return length + n;
		case 4:
			other = seeds[any(lengthof(seeds))];
			n = strlen(other);
			if (at + n > size)
				return length;
			memcpy(text + at, other, n);
			return at + n > length ? at + n : length;
		default:
			return at;
	}
}

/* A path is read as it is written, and written as it is read. */
static bool
try_path(const char *text)
{
	StewardClaimPath path;
	char		written[STEWARD_CLAIM_STEPS * STEWARD_CLAIM_SIZE * 2];
	char	   *out = written;
	StewardClaimPath again;

	if (steward_claim_path_parse(text, &path) != NULL || path.nsteps == 0)
		return false;
	assert(path.nsteps <= STEWARD_CLAIM_STEPS);
	for (int i = 0; i < path.nsteps; i++)
	{
		assert(path.steps[i][0] != '\0' && memchr(path.steps[i], '\0', STEWARD_CLAIM_SIZE) != NULL);
		if (i > 0)
			*out++ = '.';
		*out++ = '"';
		for (const char *c = path.steps[i]; *c != '\0'; c++)
		{
			if (*c == '"')
				*out++ = '"';
			*out++ = *c;
		}
		*out++ = '"';
	}
	*out = '\0';
	assert(steward_claim_path_parse(written, &again) == NULL);
	assert(memcmp(&path, &again, sizeof(path)) == 0);
	return true;
}

static void
check_name(const char *name, size_t size)
{
	assert(memchr(name, '\0', size) != NULL);
}

int
main(int argc, char **argv)
{
	long		rounds = argc > 1 ? atol(argv[1]) : 200000;
	long		claims_read = 0;
	long		headers_read = 0;
	long		paths_read = 0;
	StewardClaimPath tenant;
	StewardClaimPath nested;
	StewardClaimPath user;
	StewardClaimPath role;

	assert(steward_claim_path_parse("tenant", &tenant) == NULL && steward_claim_path_parse("role", &role) == NULL);
	assert(steward_claim_path_parse("app_metadata.tenant_id", &nested) == NULL);
	assert(steward_claim_path_parse("\"https://hasura.io/jwt/claims\".x-hasura-user-id", &user) == NULL);
	for (long i = 0; i < rounds; i++)
	{
		char		text[STEWARD_TOKEN_SIZE];
		size_t		length;
		char	   *exact;
		uint8	   *decoded;
		int			ndecoded;
		StewardTokenClaims claims;
		StewardTokenHeader header;
		const StewardClaimPaths paths = {any(2) == 0 ? &tenant : &nested, &user, &role};

		strcpy(text, seeds[i % lengthof(seeds)]);
		length = strlen(text);
		for (uint32 changes = any(8); changes > 0; changes--)
			length = mangle(text, length, sizeof(text));
		exact = malloc(length > 0 ? length : 1);
		memcpy(exact, text, length);

		if (steward_token_parse_claims(exact, length, &paths, "api", &claims) == NULL)
		{
			claims_read++;
			assert(claims.has_exp && claims.exp >= 0);
			assert(claims.values[STEWARD_TENANT][0] != '\0' || claims.values[STEWARD_USER][0] != '\0');
			for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
				check_name(claims.values[kind], sizeof(claims.values[kind]));
			check_name(claims.database, sizeof(claims.database));
			check_name(claims.role, sizeof(claims.role));
		}
		if (steward_token_parse_header(exact, length, &header) == NULL)
		{
			headers_read++;
			assert(header.algorithm != STEWARD_NO_ALGORITHM);
			check_name(header.kid, sizeof(header.kid));
		}

		exact = realloc(exact, length + 1);
		exact[length] = '\0';
		paths_read += try_path(exact);

		decoded = malloc(length * 3 / 4 + 1);
		ndecoded = steward_base64url_decode(exact, length, decoded, length * 3 / 4);
		assert(ndecoded <= (int) (length * 3 / 4));
		free(decoded);
		free(exact);
	}
	assert(claims_read > 0 && headers_read > 0 && paths_read > 0);
	printf("%ld texts, %ld read as claims, %ld as headers, %ld as paths\n", rounds, claims_read, headers_read, paths_read);
	return 0;
}
