/*
 * pg_steward.c
 *		Library entry point.
 */
#include "core/core.h"

#include "audit/audit.h"
#include "monitor/monitor.h"
#include "search/search.h"
#include "secret/secret.h"
#include "tenant/tenant.h"
#include "utils/guc.h"

PG_MODULE_MAGIC_EXT(.name = "pg_steward",.version = CppAsString2(STEWARD_VERSION));

PGDLLEXPORT void _PG_init(void);

/* Those that have settings or hear of events, each after those that it uses. */
static const StewardModule *const modules[] = {
	&steward_core_module,
	&steward_tenant_module,
	&steward_audit_module,
	&steward_search_module,
	&steward_secret_module,
	&steward_monitor_module,
};

/* Runs once per process, when the library is loaded. */
void
_PG_init(void)
{
	steward_modules_init(modules, lengthof(modules));
	MarkGUCPrefixReserved("steward");
}
