/*
 * pg_steward.c
 *		Library entry point: settings, and what every trigger shares.
 */
#include "pg_steward.h"

#include "fmgr.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Defines the settings; runs once per process, when the library is loaded. */
void
_PG_init(void)
{
	MarkGUCPrefixReserved("steward");
}
