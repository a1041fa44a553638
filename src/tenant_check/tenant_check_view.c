/*
 * tenant_check_view.c
 *		Which tables of tenants a view reads without asking for the tenant.
 *
 * Also the text of a policy's expression, without waiting for those who lock
 * the table.
 */
#include "tenant_check/tenant_check_internal.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "parser/parsetree.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"

/* The tables of tenants that are looked for in a view. */
typedef struct TenantTables
{
	int			ntables;
	Oid		   *tables;
	AttrNumber *columns;		/* that say whose a row is */
	List	   *open;			/* those that were found to be read whole */
} TenantTables;

/* A query of the view. */
typedef struct ViewQuery
{
	TenantScope scope;
	Query	   *query;
	TenantTables *tables;
} ViewQuery;

/* Returns the number of the tenant column of a table of the query; 0 if it has none. */
static AttrNumber
tenant_column(const ViewQuery *view, Index varno)
{
	RangeTblEntry *entry = rt_fetch(varno, view->query->rtable);

	for (int i = 0; entry->rtekind == RTE_RELATION && i < view->tables->ntables; i++)
		if (view->tables->tables[i] == entry->relid)
			return view->tables->columns[i];
	return InvalidAttrNumber;
}

/*
 * Collects the conditions that rows of an entry of the range table must meet to
 * be seen; false if the entry is not in this part of the join tree.
 */
static bool
collect_conditions(Node *node, Index varno, List **conditions)
{
	if (IsA(node, RangeTblRef))
		return ((RangeTblRef *) node)->rtindex == varno;
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		ListCell   *lc;

		foreach(lc, from->fromlist)
		{
			if (!collect_conditions(lfirst(lc), varno, conditions))
				continue;
			if (from->quals != NULL)
				*conditions = lappend(*conditions, from->quals);
			return true;
		}
	}
	else if (IsA(node, JoinExpr))
	{
		JoinExpr   *join = (JoinExpr *) node;
		bool		left = collect_conditions(join->larg, varno, conditions);

		if (!left && !collect_conditions(join->rarg, varno, conditions))
			return false;
		/* the side that is kept whole need not meet the condition */
		if (join->quals != NULL &&
			(join->jointype == JOIN_INNER || join->jointype == (left ? JOIN_RIGHT : JOIN_LEFT)))
			*conditions = lappend(*conditions, join->quals);
		return true;
	}
	return false;
}

/* Tells whether the conditions of a query keep one of its tables to the tenant of the context. */
static bool
is_bound(const ViewQuery *view, Index varno, AttrNumber column)
{
	TenantFacts facts = {.varno = varno,.column = column,.scope = &view->scope};
	List	   *conditions = NIL;
	ListCell   *lc;

	if (!collect_conditions((Node *) view->query->jointree, varno, &conditions))
		return true;			/* it is not read */
	foreach(lc, conditions)
	{
		if (steward_implies_tenant(&facts, lfirst(lc)) && !facts.fixed && !facts.not_distinct)
			return true;
	}
	return false;
}

/* Adds the tables that a query, or one in it, reads whole to those found; the context is the query around it. */
static bool
judge_walker(Node *node, void *context)
{
	ViewQuery  *outer = context;
	ViewQuery	view = {.scope.outer = &outer->scope,.tables = outer->tables};
	bool		again;

	if (node == NULL)
		return false;
	if (!IsA(node, Query))
		return expression_tree_walker(node, judge_walker, context);
	check_stack_depth();
	view.query = (Query *) node;
	view.scope.ntables = list_length(view.query->rtable);
	view.scope.bound = palloc0(Max(view.scope.ntables, 1) * sizeof(AttrNumber));
	/* a table that is joined by its tenant to one that is bound is, too */
	do
	{
		again = false;
		for (Index varno = 1; varno <= view.scope.ntables; varno++)
		{
			AttrNumber	column = tenant_column(&view, varno);

			if (column == InvalidAttrNumber || view.scope.bound[varno - 1] != InvalidAttrNumber ||
				!is_bound(&view, varno, column))
				continue;
			view.scope.bound[varno - 1] = column;
			again = true;
		}
	} while (again);
	for (Index varno = 1; varno <= view.scope.ntables; varno++)
		if (view.scope.bound[varno - 1] != tenant_column(&view, varno))
			view.tables->open = list_append_unique_oid(view.tables->open,
													   rt_fetch(varno, view.query->rtable)->relid);
	return query_tree_walker(view.query, judge_walker, &view, 0);
}

/*
 * steward_internal.tenant_view_open(view oid, tables oid[], columns smallint[]) returns oid[]
 *
 * Returns those of the tables that a view reads without a condition that their rows
 * be the tenant's, which "columns" say.  Raises 2202E unless both have as many
 * elements.
 */
PG_FUNCTION_INFO_V1(steward_tenant_view_open);
Datum
steward_tenant_view_open(PG_FUNCTION_ARGS)
{
	Query	   *query = steward_view_query(PG_GETARG_OID(0));
	ArrayType  *oids = PG_GETARG_ARRAYTYPE_P(1);
	ArrayType  *numbers = PG_GETARG_ARRAYTYPE_P(2);
	Datum	   *elements;
	TenantTables tables = {0};
	ViewQuery	outermost = {.tables = &tables};
	int			ncolumns;
	Datum	   *found;
	int			nfound = 0;
	ListCell   *lc;

	deconstruct_array(oids, OIDOID, sizeof(Oid), true, TYPALIGN_INT, &elements, NULL, &tables.ntables);
	tables.tables = palloc(sizeof(Oid) * Max(tables.ntables, 1));
	for (int i = 0; i < tables.ntables; i++)
		tables.tables[i] = DatumGetObjectId(elements[i]);
	deconstruct_array(numbers, INT2OID, sizeof(int16), true, TYPALIGN_SHORT, &elements, NULL, &ncolumns);
	if (ncolumns != tables.ntables)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("arrays of tables and columns differ in length")));
	tables.columns = palloc(sizeof(AttrNumber) * Max(ncolumns, 1));
	for (int i = 0; i < ncolumns; i++)
		tables.columns[i] = DatumGetInt16(elements[i]);

	judge_walker((Node *) query, &outermost);

	found = palloc(sizeof(Datum) * Max(list_length(tables.open), 1));
	foreach(lc, tables.open)
	{
		found[nfound++] = ObjectIdGetDatum(lfirst_oid(lc));
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(found, nfound, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

static bool
relations_walker(Node *node, void *context)
{
	List	  **relations = context;

	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;

		if (entry->rtekind == RTE_RELATION)
			*relations = list_append_unique_oid(*relations, entry->relid);
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, relations_walker, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, relations_walker, context);
}

/*
 * steward_internal.tenant_expression_text(expression pg_node_tree, relation oid) returns text
 *
 * Returns what pg_get_expr() does; NULL if that would wait for a lock on a table.
 */
PG_FUNCTION_INFO_V1(steward_tenant_expression_text);
Datum
steward_tenant_expression_text(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(call, 2);
	FmgrInfo	flinfo;
	List	   *relations = list_make1_oid(PG_GETARG_OID(1));
	List	   *locked = NIL;
	Datum		result = (Datum) 0;
	ListCell   *lc;

	relations_walker(stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0))), &relations);
	foreach(lc, relations)
	{
		if (ConditionalLockRelationOid(lfirst_oid(lc), AccessShareLock))
			locked = lappend_oid(locked, lfirst_oid(lc));
	}
	fmgr_info(F_PG_GET_EXPR_PG_NODE_TREE_OID, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 2, C_COLLATION_OID, NULL, NULL);
	call->args[0] = fcinfo->args[0];
	call->args[1] = fcinfo->args[1];
	if (list_length(locked) == list_length(relations))
		result = FunctionCallInvoke(call);
	else
		call->isnull = true;
	foreach(lc, locked)
	{
		UnlockRelationOid(lfirst_oid(lc), AccessShareLock);
	}
	if (call->isnull)
		PG_RETURN_NULL();
	return result;
}
