/*
 * tenant_token.c
 *		Feeds mangled tokens and key files to src/tenant/tenant_signature.c and
 *		tenant_keys.c: how a token is split, how keys are read, and that only the
 *		same mac is the same.  What needs a server is left out by the linker.
 */
#include "../../src/tenant/tenant_json.c"
#include "../../src/tenant/tenant_payload.c"
#include "../../src/tenant/tenant_keys.c"
#include "../../src/tenant/tenant_signature.c"

#include "random.h"

/* the server's own would have to be linked */
#undef strlcpy

size_t
strlcpy(char *out, const char *text, size_t size)
{
	size_t		length = strlen(text);

	assert(length < size);
	memcpy(out, text, length + 1);
	return length;
}

#define MAC "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const char *const tokens[] = {
	"v1.first.eyJ0ZW5hbnQiOiI0MiIsImV4cCI6MX0." MAC,
	"eyJhbGciOiJIUzI1NiIsImtpZCI6ImZpcnN0In0.eyJ0ZW5hbnQiOiI0MiIsImV4cCI6MX0." MAC,
	"eyJhbGciOiJub25lIn0.e30.",
	"eyJhbGciOiJSUzI1NiIsImtpZCI6ImZpcnN0In0.eyJ0ZW5hbnQiOiI0MiIsImV4cCI6MX0." MAC MAC MAC MAC MAC,
	"eyJhbGciOiJFUzI1NiJ9.eyJ0ZW5hbnQiOiI0MiIsImV4cCI6MX0." MAC MAC,
	"v1.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.e30." MAC,
	"v1...",
	"",
};

static const char *const files[] = {
	"# a comment\nfirst:0123456789abcdef0123456789abcdef\r\n\nsecond:fedcba9876543210fedcba9876543210\n",
	"first:0123456789abcdef0123456789abcdef, second:fedcba9876543210fedcba9876543210",
	":\n::\nk:",
	"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk:0123456789abcdef0123456789abcdef\n",
};

/* Changes, takes away and repeats some of a text, which ends where it can be read no further. */
static char *
mangled(const char *seed)
{
	static const char telling[] = "..:,\n\r #-_=+/v1Az09\200\377";
	char		text[8 * STEWARD_TOKEN_SIZE];
	size_t		length = strlen(seed);
	char	   *exact;

	memcpy(text, seed, length);
	for (uint32 changes = any(6); changes > 0 && length > 0; changes--)
	{
		size_t		at = any(length);
		size_t		n = 1 + any(length - at);

		switch (any(4))
		{
			case 0:
				text[at] = 1 + any(255);
				break;
			case 1:
				text[at] = telling[any(sizeof(telling) - 1)];
				break;
			case 2:
				memmove(text + at, text + at + n, length - at - n);
				length -= n;
				break;
			default:
				for (uint32 times = any(30); times > 0 && length + n < sizeof(text); times--)
				{
					memmove(text + at + n, text + at, length - at);
					length += n;
				}
		}
	}
	exact = malloc(length + 1);
	memcpy(exact, text, length);
	exact[length] = '\0';
	return exact;
}

static bool
try_token(void)
{
	char	   *token = mangled(tokens[any(lengthof(tokens))]);
	size_t		length = strlen(token);
	StewardTokenParts	parts;
	const char *wrong = steward_token_split(token, &parts);

	if (wrong == NULL)
	{
		assert(length < STEWARD_TOKEN_SIZE);
		assert(parts.payload > token && parts.payload + parts.payload_length == token + parts.signed_length);
		assert(parts.signed_length < length && token[parts.signed_length] == '.');
		/* what a mac is written as, 32 bytes have no other way */
		assert(parts.algorithm != STEWARD_HS256 || length - parts.signed_length - 1 == 43);
		assert(parts.signature_length > 0 && parts.signature_length <= STEWARD_SIGNATURE_SIZE);
		assert(memchr(parts.kid, '\0', sizeof(parts.kid)) != NULL);
	}
	free(token);
	return wrong == NULL;
}

static bool
try_keys(void)
{
	char	   *text = mangled(files[any(lengthof(files))]);
	StewardTokenKeys  *keys = malloc(offsetof(StewardTokenKeys, text) + strlen(text) + 1);
	const char *wrong;
	int			nkeys;

	strcpy(keys->text, text);
	wrong = parse_keys(keys, any(2) == 0 ? ',' : '\n');
	nkeys = keys->nkeys;
	assert(nkeys <= STEWARD_MAX_KEYS);
	for (int i = 0; wrong == NULL && i < nkeys; i++)
	{
		const StewardTokenKey *key = &keys->keys[i];

		assert(key->kid[0] != '\0' && key->length >= MIN_SECRET);
		assert(memchr(key->secret, '\0', key->length) == NULL);
		for (int j = 0; j < i; j++)
			assert(strcmp(key->kid, keys->keys[j].kid) != 0);
	}
	free(keys);
	free(text);
	return wrong == NULL && nkeys > 0;
}

/* Each bit of a mac counts. */
static void
try_macs(void)
{
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	uint8		other[PG_SHA256_DIGEST_LENGTH];

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		mac[i] = other[i] = any(256);
	assert(same_mac(mac, other));
	for (int bit = 0; bit < PG_SHA256_DIGEST_LENGTH * 8; bit++)
	{
		other[bit / 8] ^= 1 << bit % 8;
		assert(!same_mac(mac, other));
		other[bit / 8] ^= 1 << bit % 8;
	}
}

int
main(int argc, char **argv)
{
	long		rounds = argc > 1 ? atol(argv[1]) : 200000;
	long		tokens_split = 0;
	long		keys_read = 0;

	for (long i = 0; i < rounds; i++)
	{
		tokens_split += try_token();
		keys_read += try_keys();
	}
	for (int i = 0; i < 1000; i++)
		try_macs();
	assert(tokens_split > 0 && keys_read > 0);
	printf("%ld texts, %ld split as tokens, %ld read as keys\n", rounds, tokens_split, keys_read);
	return 0;
}
