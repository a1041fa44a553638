/*
 * pg_steward.c
 *		Library entry point: the settings, and what the modules share.
 */
#include "pg_steward.h"

#include <limits.h>

#include "access/relation.h"
#include "access/xact.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

bool		steward_audit_guard = true;
char	   *steward_audit_redaction_key = NULL;
char	   *steward_audit_redaction_key_file = NULL;
char	   *steward_audit_user_setting = NULL;
char	   *steward_audit_client_ip_setting = NULL;
char	   *steward_audit_tenant_setting = NULL;
char	   *steward_audit_tenant_column = NULL;
char	   *steward_context = NULL;
int			steward_to_tsvector_cache = 8192;

/* Read by steward.audit_maintain() through current_setting(). */
static int	steward_audit_retention = 0;
static int	steward_monitor_query_length = -1;
static int	steward_snapshot_retention = 30 * MINS_PER_HOUR * HOURS_PER_DAY;
static int	steward_audit_partitions_ahead = 3;
static int	steward_audit_partition_interval = 0;

static const struct config_enum_entry partition_intervals[] = {
	{"month", 0, false},
	{"week", 1, false},
	{"day", 2, false},
	{NULL, 0, false}
};

/* Was the library there before the session's first query? */
bool		steward_preloaded = false;

/* Things that hold only if the current transaction commits. */
static dlist_head provisional = DLIST_STATIC_INIT(provisional);

PGDLLEXPORT void _PG_init(void);

/*
 * Notes that "it" was stored by the current transaction, and what to call if
 * that is undone.  It must stay in memory until then or until steward_settle.
 */
void
steward_provisional(Provisional *it, void (*forget) (Provisional *it))
{
	it->subid = GetCurrentSubTransactionId();
	it->forget = forget;
	dlist_push_tail(&provisional, &it->node);
}

/* Takes "it" out of transaction control, if it is there. */
void
steward_settle(Provisional *it)
{
	if (it->subid != InvalidSubTransactionId)
	{
		dlist_delete(&it->node);
		it->subid = InvalidSubTransactionId;
	}
}

/* A prepared transaction may commit or not, out of this session's sight. */
static void
settle_at_xact_end(XactEvent event, void *arg)
{
	dlist_mutable_iter iter;
	bool		committed = event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT;

	if (!committed && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PARALLEL_ABORT && event != XACT_EVENT_PREPARE)
		return;

	dlist_foreach_modify(iter, &provisional)
	{
		Provisional *it = dlist_container(Provisional, node, iter.cur);

		steward_settle(it);
		if (!committed)
			it->forget(it);
	}
}

static void
settle_at_subxact_end(SubXactEvent event, SubTransactionId subid,
					  SubTransactionId parent, void *arg)
{
	dlist_mutable_iter iter;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;

	dlist_foreach_modify(iter, &provisional)
	{
		Provisional *it = dlist_container(Provisional, node, iter.cur);

		if (it->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			it->subid = parent;
		else
		{
			steward_settle(it);
			it->forget(it);
		}
	}
}

/* Returns the memory context of what pg_steward keeps for the session. */
MemoryContext
steward_session_context(void)
{
	static MemoryContext context = NULL;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "pg_steward", ALLOCSET_DEFAULT_SIZES);
	return context;
}

/*
 * Returns an id that no other backend of any cluster can be expected to give:
 * microseconds since 2000, then twelve bits of the backend's slot.  No sequence
 * stands behind it, so a restored dump cannot collide with what is written
 * before or after, and ids grow with time.
 */
int64
steward_new_id(void)
{
	static int64 last = 0;
	int64		id = (GetCurrentTimestamp() << 12) | (MyProcSlot & 0xFFF);

	if (id <= last)
		id = last + (1 << 12);
	last = id;
	return id;
}

/* Opens the relation that an argument of type regclass names; raises 42P01 if there is none. */
Relation
steward_open(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return rel;
}

/* Returns the qualified name of a table as an SQL literal, for hints. */
char *
steward_relation_literal(Relation rel)
{
	return quote_literal_cstr(quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
														 RelationGetRelationName(rel)));
}

/* Raises 39P01 unless the function called "name" was called as a trigger. */
void
steward_check_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", name)));
}

/* Defines the settings; runs once per process, when the library is loaded. */
void
_PG_init(void)
{
	steward_preloaded = debug_query_string == NULL;

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
	DefineCustomIntVariable("steward.audit_retention",
							"Age at which audit_maintain() drops partitions of the audit log; 0 keeps them for ever.",
							NULL,
							&steward_audit_retention, 0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MIN, NULL, NULL, NULL);
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
	DefineCustomIntVariable("steward.monitor_query_length",
							"How much of a query the monitoring views show, -1 for all.", NULL,
							&steward_monitor_query_length, -1, -1, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.snapshot_retention",
							"Age at which snapshot() forgets snapshots; 0 keeps them for ever.", NULL,
							&steward_snapshot_retention, 30 * MINS_PER_HOUR * HOURS_PER_DAY, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_MIN, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.to_tsvector_cache",
							"Memory in which a session remembers what dictionaries made of words; 0 leaves to_tsvector to the server.",
							NULL,
							&steward_to_tsvector_cache, 8192, 0, 1024 * 1024,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	steward_tenant_init();
	steward_tenant_session_init();
	MarkGUCPrefixReserved("steward");

	RegisterXactCallback(settle_at_xact_end, NULL);
	RegisterSubXactCallback(settle_at_subxact_end, NULL);
	steward_audit_context_init();
	steward_audit_log_init();
	steward_audit_table_init();
	steward_audit_guard_init();
	steward_tenant_registry_init();
	steward_tsvector_tokens_init();
	steward_tsvector_words_init();
}
