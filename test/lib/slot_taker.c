/*
 * slot_taker.c
 *		A library that takes places among those who hear of changed relations, of
 *		which the server has few, as other libraries do; test/t/012_slots.pl loads it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"
#include "utils/inval.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

static int	slots = 0;

static void
relation_changed(Datum arg, Oid relid)
{
}

void
_PG_init(void)
{
	DefineCustomIntVariable("slot_taker.slots", "Number of places to take.", NULL,
							&slots, 0, 0, 1000, PGC_SUSET, 0, NULL, NULL, NULL);
	for (int i = 0; i < slots; i++)
		CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}
