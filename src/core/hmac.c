/*
 * hmac.c
 *		Codes that only who has the key can make.
 */
#include "core/core.h"

#include "common/hmac.h"
#include "common/sha2.h"

/*
 * Computes HMAC-SHA-256 (RFC 2104) of a text into "mac", which has room for
 * PG_SHA256_DIGEST_LENGTH bytes.  Returns false if the server cannot; raises nothing.
 */
bool
steward_hmac(const void *key, size_t key_length, const void *text, size_t length, uint8 *mac)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);
	bool		done = ctx != NULL &&
		pg_hmac_init(ctx, key, key_length) >= 0 &&
		pg_hmac_update(ctx, text, length) >= 0 &&
		pg_hmac_final(ctx, mac, PG_SHA256_DIGEST_LENGTH) >= 0;

	pg_hmac_free(ctx);
	return done;
}
