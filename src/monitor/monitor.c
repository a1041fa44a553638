/*
 * monitor.c
 *		The settings of the monitoring module, which its views read.
 */
#include "monitor/monitor.h"

#include <limits.h>

#include "utils/guc.h"

static int	steward_monitor_query_length = -1;
static char *steward_snapshot_retention = NULL;

static void
init(void)
{
	DefineCustomIntVariable("steward.monitor_query_length",
							"How much of a query the monitoring views show, -1 for all.", NULL,
							&steward_monitor_query_length, -1, -1, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.snapshot_retention",
							   "Age at which snapshot() forgets snapshots, such as 90 days; 0 keeps them for ever.", NULL,
							   &steward_snapshot_retention, "30 days",
							   PGC_SUSET, 0, steward_check_age, NULL, NULL);
}

const StewardModule steward_monitor_module = {.init = init};
