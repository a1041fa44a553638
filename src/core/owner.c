/*
 * owner.c
 *		Commands that are run in the place of a table's owner.
 */
#include "core/core.h"

#include "catalog/pg_class.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/plancache.h"
#include "utils/syscache.h"

/*
 * Raises 42501 if a query reads a table of another owner that has FORCE ROW LEVEL
 * SECURITY: by a view of that owner it would see all rows.
 */
static bool
check_tables(Node *node, void *owner)
{
	ListCell   *lc;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, check_tables, owner);
	foreach(lc, ((Query *) node)->rtable)
	{
		RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);
		HeapTuple	tuple;
		Form_pg_class class;
		bool		is_forced;

		if (entry->rtekind != RTE_RELATION)
			continue;
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(entry->relid));
		if (!HeapTupleIsValid(tuple))
			continue;
		class = (Form_pg_class) GETSTRUCT(tuple);
		is_forced = class->relrowsecurity && class->relforcerowsecurity && class->relowner != *(Oid *) owner;
		ReleaseSysCache(tuple);
		if (is_forced)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("row security of table \"%s\" is not for the owner of another table to pass by", get_rel_name(entry->relid))));
	}
	return query_tree_walker((Query *) node, check_tables, owner, 0);
}

/*
 * Runs a command as the owner of a table, without FORCE ROW LEVEL SECURITY of that
 * owner's tables.  That is so for the command itself; triggers and functions that it
 * calls are planned as always, and plans of theirs that stay do no harm.  As in
 * maintenance commands, they cannot leave a setting changed.  Raises 42501 for tables
 * of others with FORCE ROW LEVEL SECURITY.
 *
 * The caller is connected to SPI, and has seen to it that the current role may act as
 * that owner.  Rows are left in SPI_tuptable.
 */
void
steward_execute_as_owner(Oid owner, const char *command, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Oid			user;
	int			security;
	int			as_owner;
	int			settings;
	int			result;
	SPIPlanPtr	plan;
	ListCell   *lc;

	GetUserIdAndSecContext(&user, &security);
	as_owner = security | SECURITY_LOCAL_USERID_CHANGE | (user == owner ? 0 : SECURITY_RESTRICTED_OPERATION);
	SetUserIdAndSecContext(owner, as_owner | SECURITY_NOFORCE_RLS);
	plan = SPI_prepare(command, nargs, types);
	SetUserIdAndSecContext(owner, as_owner);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", command, SPI_result_code_string(SPI_result));
	foreach(lc, SPI_plan_get_plan_sources(plan))
	{
		ListCell   *query;

		foreach(query, ((CachedPlanSource *) lfirst(lc))->query_list)
			(void) check_tables(lfirst(query), &owner);
	}
	settings = NewGUCNestLevel();
	result = SPI_execute_plan(plan, values, nulls, false, 0);
	AtEOXact_GUC(false, settings);
	SPI_freeplan(plan);
	SetUserIdAndSecContext(user, security);
	if (result < 0)
		elog(ERROR, "unexpected result %s of \"%s\"", SPI_result_code_string(result), command);
}
