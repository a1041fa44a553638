/*
 * uuidv7.c
 *		UUIDs that grow with time, so that an index takes them at its end.
 */
#include "core/core.h"

#include <time.h>

#include "utils/uuid.h"

/*
 * steward.uuidv7() returns uuid
 *
 * Returns a UUID of version 7 as RFC 9562 section 5.7 has it: 48 bits of Unix
 * time in milliseconds, 12 bits of their fraction (method 3 of section 6.2), 62
 * random bits.  Each is greater than the one before in the same session, also
 * when the clock was set back.
 */
PG_FUNCTION_INFO_V1(steward_uuidv7);
Datum
steward_uuidv7(PG_FUNCTION_ARGS)
{
	static uint64 last = 0;		/* in units of 1/4096 ms since 1970 */
	pg_uuid_t  *uuid = palloc(sizeof(pg_uuid_t));
	struct timespec now;
	uint64		ticks;
	unsigned char *bytes = uuid->data;

	clock_gettime(CLOCK_REALTIME, &now);
	ticks = ((uint64) now.tv_sec * 1000 + now.tv_nsec / 1000000) << 12;
	ticks |= ((uint64) now.tv_nsec % 1000000 << 12) / 1000000;
	ticks = last = Max(ticks, last + 1);

	if (!pg_strong_random(bytes + 8, 8))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char) (ticks >> (52 - 8 * i));
	bytes[6] = 0x70 | ((ticks >> 8) & 0x0F);	/* version 7 */
	bytes[7] = (unsigned char) ticks;
	bytes[8] = 0x80 | (bytes[8] & 0x3F);	/* variant of the RFC */
	PG_RETURN_UUID_P(uuid);
}
