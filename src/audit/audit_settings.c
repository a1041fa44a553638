/*
 * audit_settings.c
 *		The settings of the audit module.
 */
#include "audit/audit_internal.h"

#include "utils/guc.h"

bool		steward_audit_guard = true;
char	   *steward_audit_redaction_key = NULL;
char	   *steward_audit_redaction_key_file = NULL;
char	   *steward_audit_user_setting = NULL;
char	   *steward_audit_client_ip_setting = NULL;
char	   *steward_audit_tenant_setting = NULL;
char	   *steward_audit_tenant_column = NULL;
char	   *steward_context = NULL;

/* Read by steward.audit_maintain() through current_setting(). */
static char *steward_audit_retention = NULL;
static int	steward_audit_partitions_ahead = 3;
static int	steward_audit_partition_interval = 0;

static const struct config_enum_entry partition_intervals[] = {
	{"month", 0, false},
	{"week", 1, false},
	{"day", 2, false},
	{NULL, 0, false}
};

/* Defines the settings. */
void
steward_audit_settings_init(void)
{
	DefineCustomBoolVariable("steward.audit_guard",
							 "Refuses to change or drop the audit log.",
							 NULL,
							 &steward_audit_guard, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_redaction_key",
							   "Secret key of the hashes that stand for redacted values.",
							   NULL,
							   &steward_audit_redaction_key, "",
							   PGC_SUSET, GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_redaction_key_file",
							   "File that holds the secret key of the hashes that stand for redacted values.",
							   "The key is the file's first line. A relative path starts at the data directory.",
							   &steward_audit_redaction_key_file, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_user_setting",
							   "Setting from which the audit log takes the application user.",
							   NULL,
							   &steward_audit_user_setting, "app.current_user_id",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_client_ip_setting",
							   "Setting from which the audit log takes the client's address.",
							   NULL,
							   &steward_audit_client_ip_setting, "app.client_ip",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_tenant_setting",
							   "Setting from which the audit log takes the tenant.",
							   NULL,
							   &steward_audit_tenant_setting, "app.tenant_id",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_tenant_column",
							   "Column of audited tables that says which tenant a row belongs to.",
							   "A tenant's history has no events of rows that it says are another's.",
							   &steward_audit_tenant_column, "tenant_id",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.context",
							   "What the application wants to stand beside its changes in the audit log, as a JSON object.",
							   NULL,
							   &steward_context, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.audit_retention",
							   "Age at which audit_maintain() drops partitions of the audit log, such as 90 days; 0 keeps them for ever.",
							   NULL,
							   &steward_audit_retention, "0",
							   PGC_SUSET, 0, steward_check_age_in_days, NULL, NULL);
	DefineCustomEnumVariable("steward.audit_partition_interval",
							 "Span of the audit log's partitions that audit_maintain() creates.",
							 NULL,
							 &steward_audit_partition_interval, 0, partition_intervals,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.audit_partitions_ahead",
							"Number of future partitions of the audit log that audit_maintain() keeps ready.",
							NULL,
							&steward_audit_partitions_ahead, 3, 0, 366,
							PGC_SUSET, 0, NULL, NULL, NULL);
	steward_audit_batch_init();
	steward_audit_path_init();
}
