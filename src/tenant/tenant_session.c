/*
 * tenant_session.c
 *		What a transaction that works for a tenant must not leave to the session,
 *		because behind a pooler the next client gets it; and who may EXPLAIN.
 *
 * Nobody is exempt: rows are the tenant's, whoever leaves them lying about.
 */
#include "tenant/tenant_internal.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic_ext.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "optimizer/planner.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* What becomes of the temporary objects that a statement creates. */
typedef enum Fate
{
	LASTS,						/* until the session ends */
	BELONGS,					/* to a table, or to the statement alone */
	TRANSIENT,					/* likewise, with those of nested statements */
	EMPTIED,					/* loses its rows when the transaction ends */
	DROPPED,					/* when the transaction ends */
} Fate;

/* A temporary table whose rows do not outlive the transaction. */
typedef struct SafeTable
{
	Oid			oid;			/* hash key */
	Provisional stored;
} SafeTable;

static const struct config_enum_entry leftovers[] = {
	{"refuse", true, false},
	{"allow", false, false},
	{NULL, 0, false}
};

static int	refuse_leftovers = true;
static bool explain_allowed = true;

/* What becomes of what the present utility statement creates. */
static Fate fate = LASTS;

static HTAB *safe_tables = NULL;

/* The transaction in which a cursor WITH HOLD was declared: COMMIT will run its query to the end. */
static struct
{
	Provisional stored;
	uint64		transaction;
}			holding;

static ProcessUtility_hook_type next_process_utility = NULL;
static ExecutorCheckPerms_hook_type next_check_permissions = NULL;
static planner_hook_type next_planner = NULL;
static emit_log_hook_type next_emit_log = NULL;

/* Tells whether the transaction works, or has worked, for a tenant or user in a session that others get next. */
static bool
guarded(void)
{
	return refuse_leftovers && steward_tenant_bound();
}

static void
forget_safe_table(Provisional *it)
{
	SafeTable  *table = (SafeTable *) ((char *) it - offsetof(SafeTable, stored));

	hash_search(safe_tables, &table->oid, HASH_REMOVE, NULL);
}

static void
forget_holding(Provisional *it)
{
	holding.transaction = 0;
}

/* Tells whether the present transaction has declared a cursor whose rows it will fetch when it commits. */
bool
steward_tenant_holds_cursor(void)
{
	return refuse_leftovers && holding.transaction == steward_tenant_transaction();
}

/* Tells whether the rows of a temporary table end with the transaction. */
static bool
is_safe_table(Oid relid)
{
	return safe_tables != NULL && hash_search(safe_tables, &relid, HASH_FIND, NULL) != NULL;
}

static void
note_safe_table(Oid relid)
{
	SafeTable  *table;
	bool		found;

	if (safe_tables == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(Oid),
			.entrysize = sizeof(SafeTable),
			.hcxt = steward_session_context(),
		};

		safe_tables = hash_create("temporary tables", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	table = hash_search(safe_tables, &relid, HASH_ENTER, &found);
	if (!found)
		table->stored.subid = InvalidSubTransactionId;
	steward_settle(&table->stored);
	steward_provisional(&table->stored, forget_safe_table);
}

static void
note_drop(Oid relid)
{
	SafeTable  *table = safe_tables != NULL ? hash_search(safe_tables, &relid, HASH_FIND, NULL) : NULL;

	if (table == NULL)
		return;
	steward_settle(&table->stored);
	forget_safe_table(&table->stored);
}

/*
 * Tells whether an object, just created, stands in the session's temporary
 * schema by itself; in "relkind", of what kind it is if it is a relation.
 */
static bool
is_temporary(Oid class, Oid object, char *relkind)
{
	Relation	catalog;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	AttrNumber	namespace_column;
	bool		isnull;
	bool		result = false;

	/* these belong to a table or type */
	if (class == ConstraintRelationId || class == StatisticExtRelationId || !is_objectclass_supported(class))
		return false;
	namespace_column = get_object_attnum_namespace(class);
	if (namespace_column == InvalidAttrNumber)
		return false;

	/* no cache shows it before the next command */
	catalog = table_open(class, AccessShareLock);
	ScanKeyInit(&key, get_object_attnum_oid(class), BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object));
	scan = systable_beginscan(catalog, get_object_oid_index(class), true, SnapshotSelf, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		result = isTempNamespace(DatumGetObjectId(heap_getattr(tuple, namespace_column, RelationGetDescr(catalog), &isnull)));
		if (class == RelationRelationId)
			*relkind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return result && *relkind != RELKIND_INDEX && *relkind != RELKIND_PARTITIONED_INDEX;
}

/* Looks at every object that is created or dropped: however that comes about, it comes by here. */
void
steward_tenant_check_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	char		relkind = '\0';

	if (access == OAT_DROP && class == RelationRelationId && column == 0)
		note_drop(object);
	if (access != OAT_POST_CREATE || column != 0 || ((ObjectAccessPostCreate *) arg)->is_internal ||
		fate == BELONGS || fate == TRANSIENT || (fate == LASTS && !guarded()) ||
		!is_temporary(class, object, &relkind))
		return;

	if (fate == LASTS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot leave temporary objects to the session in a transaction that works for a tenant or user"),
				 errdetail("The session's next client would find them."),
				 errhint("CREATE TEMPORARY TABLE ... ON COMMIT DROP;")));

	/*
	 * rows of a partitioned table are in others, which lose theirs only with
	 * it
	 */
	if (relkind == RELKIND_RELATION || (relkind == RELKIND_PARTITIONED_TABLE && fate == DROPPED))
		note_safe_table(object);
}

/* Raises 55000 if a temporary table or view keeps its rows when the transaction ends. */
static void
refuse_kept_table(Oid relid, const char *what)
{
	if (get_rel_persistence(relid) == RELPERSISTENCE_TEMP && !is_safe_table(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot %s temporary table \"%s\" in a transaction that works for a tenant or user",
						what, get_rel_name(relid)),
				 errdetail("The table may keep its rows for the session's next client."),
				 errhint("CREATE TEMPORARY TABLE ... ON COMMIT DROP;")));
}

/* The same of one that is named, if there is one of that name. */
static void
refuse_kept_relation(RangeVar *name, const char *what)
{
	Oid			relid = RangeVarGetRelid(name, NoLock, true);

	if (OidIsValid(relid))
		refuse_kept_table(relid, what);
}

/*
 * Refuses to write to a temporary table that keeps its rows, whenever it was
 * created, also by way of another table of which it is a partition or child.
 */
static void
check_written(Oid relid)
{
	const bool	temporary = get_rel_persistence(relid) == RELPERSISTENCE_TEMP;

	/* what is written to a view goes to another table */
	if (get_rel_relkind(relid) == RELKIND_VIEW)
		return;
	refuse_kept_table(relid, "write to");
	/* partitions of what is not temporary are not, either */
	if (has_subclass(relid) && (temporary || get_rel_relkind(relid) == RELKIND_RELATION))
	{
		ListCell   *lc;

		foreach(lc, find_all_inheritors(relid, NoLock, NULL))
		{
			refuse_kept_table(lfirst_oid(lc), "write to");
		}
	}
}

/* Looks at what a query is about to write. */
static bool
check_permissions(STEWARD_CHECK_PERMISSIONS_PARAMETERS)
{
	ListCell   *lc;

	if (fate != TRANSIENT && guarded())
	{
		foreach(lc, permissions)
		{
			StewardPermissions *wanted = lfirst(lc);
			bool		writes = (wanted->requiredPerms & ACL_INSERT) != 0 ||
				((wanted->requiredPerms & ACL_UPDATE) != 0 && !bms_is_empty(wanted->updatedCols));

			if (writes && OidIsValid(wanted->relid))
				check_written(wanted->relid);
		}
	}
	return next_check_permissions == NULL || next_check_permissions(STEWARD_CHECK_PERMISSIONS_ARGUMENTS);
}

static Fate
fate_on_commit(OnCommitAction action)
{
	return action == ONCOMMIT_DROP ? DROPPED : action == ONCOMMIT_DELETE_ROWS ? EMPTIED : LASTS;
}

/* Returns what becomes of the temporary objects that a statement creates. */
static Fate
fate_by(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateStmt:
			return fate_on_commit(((CreateStmt *) statement)->oncommit);
		case T_CreateTableAsStmt:
			return fate_on_commit(((CreateTableAsStmt *) statement)->into->onCommit);
		case T_AlterTableStmt:
			return BELONGS;
		case T_RefreshMatViewStmt:
			return TRANSIENT;
		case T_ExplainStmt:
			{
				Query	   *query = (Query *) ((ExplainStmt *) statement)->query;

				return IsA(query, Query) && query->utilityStmt != NULL ? fate_by(query->utilityStmt) : LASTS;
			}
		default:
			return LASTS;
	}
}

/* Refuses statements that would leave something other than temporary objects, and EXPLAIN. */
static void
check_statement(Node *statement)
{
	if (IsA(statement, ExplainStmt) && !explain_allowed)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("EXPLAIN is not allowed"),
				 errdetail("EXPLAIN reveals rows that policies hide from this role."),
				 errhint("A superuser can run: ALTER ROLE ... SET steward.tenant_explain = on;")));

	if (IsA(statement, DeclareCursorStmt) && (((DeclareCursorStmt *) statement)->options & CURSOR_OPT_HOLD) != 0)
	{
		if (guarded())
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot declare a cursor WITH HOLD in a transaction that works for a tenant or user"),
					 errdetail("The session's next client would find its rows."),
					 errhint("DECLARE %s CURSOR WITHOUT HOLD FOR ...;",
							 quote_identifier(((DeclareCursorStmt *) statement)->portalname))));
		if (holding.transaction != steward_tenant_transaction())
		{
			holding.transaction = steward_tenant_transaction();
			steward_provisional(&holding.stored, forget_holding);
		}
	}

	/* defaults are values too, and ADD COLUMN writes them into all rows */
	if (IsA(statement, AlterTableStmt) && fate != TRANSIENT && guarded())
		refuse_kept_relation(((AlterTableStmt *) statement)->relation, "alter");
	if (IsA(statement, ViewStmt) && ((ViewStmt *) statement)->replace && guarded())
		refuse_kept_relation(((ViewStmt *) statement)->view, "replace");

	if (IsA(statement, ListenStmt) && guarded())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot LISTEN in a transaction that works for a tenant or user"),
				 errdetail("The session's next client would get what is notified."),
				 errhint("COMMIT; LISTEN %s;", quote_identifier(((ListenStmt *) statement)->conditionname))));
}

/* Returns what becomes of what a statement creates, if another one runs it. */
static Fate
fate_within(Node *statement, ProcessUtilityContext context)
{
	Fate		own = fate_by(statement);

	return own == LASTS && (context == PROCESS_UTILITY_SUBCOMMAND || fate == TRANSIENT) ? fate : own;
}

static void
process_utility(PlannedStmt *pstmt, const char *query_string, bool read_only_tree,
				ProcessUtilityContext context, ParamListInfo params, QueryEnvironment *query_env,
				DestReceiver *dest, QueryCompletion *qc)
{
	const Fate	outer = fate;

	check_statement(pstmt->utilityStmt);
	fate = fate_within(pstmt->utilityStmt, context);
	PG_TRY();
	{
		next_process_utility(pstmt, query_string, read_only_tree, context, params, query_env, dest, qc);
	}
	PG_FINALLY();
	{
		fate = outer;
	}
	PG_END_TRY();
}

/* Refuses to plan what would be printed: anybody may set debug_print_plan, and client_min_messages to get it. */
static PlannedStmt *
plan(STEWARD_PLANNER_PARAMETERS)
{
	PlannedStmt *result;

	if (Debug_print_plan && !explain_allowed)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("setting \"debug_print_plan\" is not allowed"),
				 errdetail("Plans reveal rows that policies hide from this role."),
				 errhint("SET debug_print_plan = off;")));
	if (!query->hasRowSecurity)
		return next_planner(STEWARD_PLANNER_ARGUMENTS);
	steward_tenant_leave_out_implied(query);
	result = next_planner(STEWARD_PLANNER_ARGUMENTS);
	steward_tenant_quicken(result);
	return result;
}

/*
 * Keeps from the client what is for the server's log: it is there that auto_explain
 * and other libraries write plans, and any role may set client_min_messages.
 */
static void
emit_log(ErrorData *message)
{
	if (message->elevel == LOG && !explain_allowed)
		message->output_to_client = false;
	if (next_emit_log != NULL)
		next_emit_log(message);
}

/* Defines the settings of the module and puts its hooks in place. */
void
steward_tenant_session_init(void)
{
	DefineCustomEnumVariable("steward.tenant_leftovers",
							 "What becomes of temporary objects and cursors that would outlast a tenant's transaction.",
							 "Without effect where steward.tenant_sessions is on.",
							 &refuse_leftovers, true, leftovers,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("steward.tenant_explain",
							 "Allows EXPLAIN and printed plans, which tell of rows that policies hide.",
							 NULL,
							 &explain_allowed, true,
							 PGC_SUSET, 0, NULL, NULL, NULL);

	next_process_utility = ProcessUtility_hook != NULL ? ProcessUtility_hook : standard_ProcessUtility;
	ProcessUtility_hook = process_utility;
	next_check_permissions = ExecutorCheckPerms_hook;
	ExecutorCheckPerms_hook = check_permissions;
	next_planner = planner_hook != NULL ? planner_hook : standard_planner;
	planner_hook = plan;
	next_emit_log = emit_log_hook;
	emit_log_hook = emit_log;
}
