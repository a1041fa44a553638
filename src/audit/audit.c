/*
 * audit.c
 *		The audit module, as the library's entry point sees it.
 */
#include "audit/audit_internal.h"

#include "utils/syscache.h"

static void
relation_changed(Oid relid)
{
	steward_audit_context_changed(relid);
	steward_audit_log_changed(relid);
	steward_audit_table_changed(relid);
}

/* A renamed schema changes no table, but the name of each of its tables. */
static void
catalog_changed(int cacheid, uint32 hash)
{
	steward_audit_table_changed(InvalidOid);
}

static void
xact_event(XactEvent event)
{
	steward_audit_lineage_at_xact(event);
	steward_audit_batch_at_xact(event);
}

static void
object_access(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	steward_audit_check_drop(access, class, object, column, arg);
	steward_audit_lineage_object(access, class, object, column, arg);
}

const StewardModule steward_audit_module = {
	.init = steward_audit_settings_init,
	.relation_changed = relation_changed,
	.catalogs = (const int[]) {NAMESPACEOID, STEWARD_NO_CATALOG},
	.catalog_changed = catalog_changed,
	.xact_event = xact_event,
	.subxact_event = steward_audit_batch_at_subxact,
	.object_access = object_access,
};
