/*
 * pg_steward.c
 *		Library entry point.
 */
#include "core/core.h"

#include "audit/audit.h"
#include "monitor/monitor.h"
#include "search/search.h"
#include "tenant/tenant.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

/* Has each module define its settings and take its hooks; runs once per process, when the library is loaded. */
void
_PG_init(void)
{
	steward_core_init();
	steward_tenant_init();
	steward_audit_init();
	steward_search_init();
	steward_monitor_init();
	MarkGUCPrefixReserved("steward");
}
