/*
 * random.h
 *		Numbers that look random and are the same every time.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* the server's own would have to be linked */
#undef printf

static uint64 state = 0x9E3779B97F4A7C15;

/* Returns a number below "limit". */
static uint32
any(uint32 limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32) (state >> 32) % limit;
}
