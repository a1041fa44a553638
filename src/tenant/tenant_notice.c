/*
 * tenant_notice.c
 *		Telling who forgot the context: by a NOTICE where a protected table shows nothing
 *		for want of one, and by a hint where it refuses a row.
 *
 * Both follow from the policies and the context alone, never from rows, and so tell
 * nothing of what other tenants have.
 */
#include "tenant/tenant_internal.h"

#include "access/parallel.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_policy.h"
#include "executor/execdesc.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parsetree.h"
#include "rewrite/rowsecurity.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rls.h"

/* What a condition would be without a context. */
typedef struct Absence
{
	Oid			schema;			/* that of our functions */
	bool		asked[STEWARD_TENANT_KINDS];	/* what it asks for, and there
												 * is not */
} Absence;

static bool notices = true;

/* The transaction that has been told. */
static uint64 told = 0;

/* Tells whether a function gives a tenant or user that is missing, and notes that it was asked. */
static bool
asks(Oid function, Absence *absence)
{
	const char *name = get_func_name(function);
	StewardTenantKind kind;

	if (name == NULL)
		return false;
	if (strncmp(name, "steward_tree_", strlen("steward_tree_")) == 0)
		kind = STEWARD_TENANT;
	else if (get_func_namespace(function) != absence->schema)
		return false;
	else if (strncmp(name, "is_current_tenant", strlen("is_current_tenant")) == 0 ||
			 strncmp(name, "current_tenant_", strlen("current_tenant_")) == 0)
		kind = STEWARD_TENANT;
	else if (strcmp(name, "is_current_user") == 0 || strncmp(name, "current_user_id_", strlen("current_user_id_")) == 0)
		kind = STEWARD_USER;
	else
		return false;
	if (!steward_tenant_missing(kind))
		return false;
	absence->asked[kind] = true;
	return true;
}

static bool passes_nothing(Node *condition, Absence *absence);

/* Returns an expression with null in place of what is missing. */
static Node *
without_context(Node *node, Absence *absence)
{
	if (node == NULL)
		return NULL;
	if (IsA(node, FuncExpr) && asks(((FuncExpr *) node)->funcid, absence))
		return (Node *) makeNullConst(exprType(node), -1, exprCollation(node));
	if (IsA(node, SubLink))
	{
		SubLink    *sublink = (SubLink *) node;
		Query	   *query = castNode(Query, sublink->subselect);

		/*
		 * a list of tenants that a function gives, or for which the user is
		 * asked
		 */
		if ((sublink->subLinkType == EXPR_SUBLINK && query->rtable == NIL &&
			 passes_nothing((Node *) ((TargetEntry *) linitial(query->targetList))->expr, absence)) ||
			(sublink->subLinkType == ARRAY_SUBLINK && query->jointree != NULL &&
			 passes_nothing(query->jointree->quals, absence)))
			return (Node *) makeNullConst(exprType(node), -1, exprCollation(node));
		return node;
	}
	node = expression_tree_mutator(node, without_context, absence);
	if (IsA(node, ScalarArrayOpExpr))
	{
		Node	   *list = eval_const_expressions(NULL, lsecond(((ScalarArrayOpExpr *) node)->args));

		if (IsA(list, Const) && ((Const *) list)->constisnull)
			return makeBoolConst(false, true);
	}
	return node;
}

static bool
is_others(Oid function, void *absence)
{
	/* those that list the tenants of a tree stand beside its table */
	return function >= FirstNormalObjectId && get_func_namespace(function) != ((Absence *) absence)->schema &&
		strncmp(get_func_name(function), "steward_tree_", 13) != 0;
}

/*
 * Tells whether an expression calls functions that are neither the server's nor ours:
 * one marked IMMUTABLE would be executed to find out, and could do anything.
 */
static bool
calls_others(Node *node, void *absence)
{
	if (node == NULL || IsA(node, Query))
		return false;
	return check_functions_in_node(node, is_others, absence) || expression_tree_walker(node, calls_others, absence);
}

/* Tells whether a condition passes no row while what it asks for is missing, as far as that is known. */
static bool
passes_nothing(Node *condition, Absence *absence)
{
	Node	   *result;

	if (calls_others(condition, absence))
		return false;
	result = eval_const_expressions(NULL, without_context(condition, absence));
	if (result != NULL && exprType(result) == BOOLOID)
		result = (Node *) canonicalize_qual((Expr *) result, false);
	return result != NULL && IsA(result, Const) &&
		(((Const *) result)->constisnull || (exprType(result) == BOOLOID && !DatumGetBool(((Const *) result)->constvalue)));
}

static bool
is_for(const RowSecurityPolicy *policy, Oid role)
{
	Oid		   *roles = (Oid *) ARR_DATA_PTR(policy->roles);

	for (int i = 0; i < ARR_DIMS(policy->roles)[0]; i++)
		if (roles[i] == ACL_ID_PUBLIC || has_privs_of_role(role, roles[i]))
			return true;
	return false;
}

/*
 * Tells whether the policies of a table refuse every row to a role, for a command as
 * pg_policy has it, because something is missing: what they show, or what they let in.
 */
static bool
refuse_all(Relation rel, Oid role, char command, bool let_in, Absence *absence)
{
	bool		wanting = false;
	bool		given = false;
	ListCell   *lc;

	foreach(lc, rel->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(lc);
		Expr	   *condition = let_in && policy->with_check_qual != NULL ? policy->with_check_qual : policy->qual;
		bool		refuses;

		if ((policy->polcmd != '*' && policy->polcmd != command) || !is_for(policy, role))
			continue;
		memset(absence->asked, 0, sizeof(absence->asked));
		refuses = passes_nothing((Node *) condition, absence) &&
			(absence->asked[STEWARD_TENANT] || absence->asked[STEWARD_USER]);
		if (refuses && !policy->permissive)
			return true;
		wanting |= refuses;
		given |= !refuses && policy->permissive;
	}
	return wanting && !given;
}

/* Returns the rights that a statement needs on one of its tables, NULL if none of its own. */
static StewardPermissions *
find_permissions(PlannedStmt *statement, RangeTblEntry *entry)
{
#if PG_VERSION_NUM >= 160000
	return entry->perminfoindex > 0 ? getRTEPermissionInfo(statement->permInfos, entry) : NULL;
#else
	return entry;
#endif
}

/*
 * Returns the first table of a statement of which the policies refuse all rows for
 * want of what "absence" then says: those that it reads, or those that it writes.
 * InvalidOid if there is none.
 */
static Oid
find_refusal(PlannedStmt *statement, bool let_in, Absence *absence)
{
	/* pg_policy's commands, and the rights that they go with */
	static const struct
	{
		char		command;
		AclMode		right;
		bool		let_in;
	}			commands[] = {
		{ACL_SELECT_CHR, ACL_SELECT, false},
		{ACL_UPDATE_CHR, ACL_UPDATE, false},
		{ACL_DELETE_CHR, ACL_DELETE, false},
		{ACL_INSERT_CHR, ACL_INSERT, true},
		{ACL_UPDATE_CHR, ACL_UPDATE, true},
	};
	ListCell   *lc;

	absence->schema = get_namespace_oid("steward", true);
	foreach(lc, statement->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);
		StewardPermissions *needs;
		Oid			role;
		Relation	rel;
		bool		found = false;

		if (entry->rtekind != RTE_RELATION || (needs = find_permissions(statement, entry)) == NULL)
			continue;
		role = OidIsValid(needs->checkAsUser) ? needs->checkAsUser : GetUserId();
		if (check_enable_rls(entry->relid, role, true) != RLS_ENABLED)
			continue;
		rel = table_open(entry->relid, NoLock);
		for (int i = 0; i < lengthof(commands) && !found && rel->rd_rsdesc != NULL; i++)
			found = commands[i].let_in == let_in && (needs->requiredPerms & commands[i].right) != 0 &&
				refuse_all(rel, role, commands[i].command, let_in, absence);
		table_close(rel, NoLock);
		if (found)
			return entry->relid;
	}
	return InvalidOid;
}

/* Returns what is missing, in words. */
static const char *
missing_kind(const Absence *absence)
{
	return steward_tenant_kind_names[absence->asked[STEWARD_TENANT] ? STEWARD_TENANT : STEWARD_USER];
}

/* Tells whether a query that has been started uses a table with row security. */
static bool
uses_policies(const EState *state)
{
	for (Index i = 0; i < state->es_range_table_size; i++)
		if (state->es_relations[i] != NULL && state->es_relations[i]->rd_rel->relrowsecurity)
			return true;
	return false;
}

/* Tells the client, once a transaction, that a query will find nothing in a table for want of a context. */
void
steward_tenant_notice(QueryDesc *desc)
{
	Absence		absence;
	Oid			relid;

	if (!notices || told == steward_tenant_transaction() || IsParallelWorker() ||
		!steward_tenant_missing(STEWARD_TENANT) || !steward_tenant_missing(STEWARD_USER) || !uses_policies(desc->estate))
		return;
	relid = find_refusal(desc->plannedstmt, false, &absence);
	if (!OidIsValid(relid))
		return;
	told = steward_tenant_transaction();
	ereport(NOTICE,
			(errmsg("table \"%s\" shows no rows without a %s", get_rel_name(relid), missing_kind(&absence)),
			 steward_tenant_has_context() ? errdetail("The context of this transaction has ended.") :
			 errdetail("Its policies are for the %s of the transaction, and there is none.", missing_kind(&absence)),
			 errhint("%s With steward.tenant_strict on, this is an error.", steward_tenant_hint)));
}

/* Tells whether a table finds the partitions of its rows by the tenant, which a trigger would fill in too late. */
static bool
is_partitioned_by_tenant(Relation rel)
{
	Trigger    *trigger;
	AttrNumber	tenant;
	PartitionKey key;

	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE ||
		(trigger = steward_find_trigger(rel, "tenant_fill_trigger", false)) == NULL)
		return false;
	tenant = steward_find_column(RelationGetRelid(rel), trigger->tgargs[0]);
	key = RelationGetPartitionKey(rel);
	for (int i = 0; i < key->partnatts; i++)
		if (key->partattrs[i] == tenant)
			return true;
	return false;
}

/* Tells whether a statement uses such a table. */
static bool
uses_partitions_by_tenant(PlannedStmt *statement)
{
	ListCell   *lc;
	bool		found = false;

	foreach(lc, statement->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);

		if (entry->rtekind == RTE_RELATION && !found)
		{
			Relation	rel = table_open(entry->relid, NoLock);

			found = is_partitioned_by_tenant(rel);
			table_close(rel, NoLock);
		}
	}
	return found;
}

/*
 * Gives the error that is being handled a hint, if it is that a row was refused for
 * want of a tenant: by policies, or because it has no partition without one.
 */
void
steward_tenant_explain_refusal(QueryDesc *desc)
{
	const int	code = geterrcode();
	MemoryContext old;
	ErrorData  *error;
	Absence		absence;

	if ((code != ERRCODE_INSUFFICIENT_PRIVILEGE && code != ERRCODE_CHECK_VIOLATION && code != ERRCODE_FEATURE_NOT_SUPPORTED) ||
		IsParallelWorker())
		return;
	old = MemoryContextSwitchTo(desc->estate->es_query_cxt);
	error = CopyErrorData();
	if (error->hint != NULL || error->funcname == NULL)
		;
	else if (strcmp(error->funcname, "ExecWithCheckOptions") == 0)
	{
		if (code == ERRCODE_INSUFFICIENT_PRIVILEGE && OidIsValid(find_refusal(desc->plannedstmt, true, &absence)))
		{
			if (error->detail == NULL)
				errdetail("The transaction has no %s.", missing_kind(&absence));
			errhint("%s", steward_tenant_hint);
		}
	}
	else if (strcmp(error->funcname, "ExecFindPartition") == 0 || strcmp(error->funcname, "ExecBRInsertTriggers") == 0)
	{
		if (uses_partitions_by_tenant(desc->plannedstmt))
			errhint("If the tenant is null, leave its column out of INSERT: a row is put into its partition before a trigger can give it one.");
	}
	FreeErrorData(error);
	MemoryContextSwitchTo(old);
}

/* Defines the setting of these notices. */
void
steward_tenant_notice_init(void)
{
	DefineCustomBoolVariable("steward.tenant_notices",
							 "Tells by a NOTICE that a table shows no rows because the transaction has no tenant or user.",
							 "Once a transaction; steward.tenant_strict makes it an error.",
							 &notices, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}
