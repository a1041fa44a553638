/*
 * tenant_check.c
 *		What the expression of a policy says of a tenant column, and what it calls.
 */
#include "tenant_check/tenant_check_internal.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* Functions called by functions beyond this are not looked into: they may be recursive. */
#define MAX_CALL_DEPTH 8

typedef struct Calls
{
	int			level;
	List	   *context;		/* functions without columns that read the
								 * context */
	List	   *row;			/* functions that get columns of the row */
	List	   *settings;		/* names of settings that are read */
	List	   *texts;			/* constants */
	List	   *relations;		/* that subqueries read, but for those in
								 * functions */
	bool		asks;			/* for a setting, the user or by a function of
								 * users */
	bool		sets;			/* a setting */
	int			depth;
} Calls;

/* Adds a constant to the texts if it is one, or may be the path of a claim. */
static void
collect_text(Calls *calls, Const *constant)
{
	Oid			output;
	bool		varlena;

	if (constant->constisnull)
		return;
	switch (constant->consttype)
	{
		case TEXTOID:
		case VARCHAROID:
		case NAMEOID:
		case TEXTARRAYOID:
		case JSONPATHOID:
			getTypeOutputInfo(constant->consttype, &output, &varlena);
			calls->texts = lappend(calls->texts, makeString(OidOutputFunctionCall(output, constant->constvalue)));
			break;
		default:
			break;
	}
}

/* Collects what an expression, or a function that it calls, asks for, sets and reads. */
static bool
reads_walker(Node *node, void *context)
{
	Calls	   *calls = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, reads_walker, context, QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;

		if (entry->rtekind == RTE_RELATION && calls->depth == 0)
			calls->relations = list_append_unique_oid(calls->relations, entry->relid);
		return false;
	}
	if (IsA(node, Const))
		collect_text(calls, (Const *) node);
	else if (IsA(node, SQLValueFunction))
		calls->asks |= steward_asks_context(node);
	else if (IsA(node, FuncExpr))
	{
		FuncExpr   *call = (FuncExpr *) node;

		if (call->funcid == F_CURRENT_SETTING_TEXT || call->funcid == F_CURRENT_SETTING_TEXT_BOOL)
		{
			Const	   *name = linitial(call->args);

			calls->asks = true;
			if (IsA(name, Const) && !name->constisnull)
				calls->settings = lappend(calls->settings, makeString(TextDatumGetCString(name->constvalue)));
		}
		else if (call->funcid == F_SET_CONFIG)
			calls->sets = true;
		else if (call->funcid >= FirstNormalObjectId)
		{
			calls->asks = true;
			if (calls->depth < MAX_CALL_DEPTH)
			{
				calls->depth++;
				reads_walker(steward_function_body(call->funcid), context);
				calls->depth--;
			}
		}
	}
	return expression_tree_walker(node, reads_walker, context);
}

/* Collects the functions that users made and a policy calls. */
static bool
calls_walker(Node *node, void *context)
{
	Calls	   *calls = context;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		calls->level++;
		query_tree_walker((Query *) node, calls_walker, context, 0);
		calls->level--;
		return false;
	}
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid >= FirstNormalObjectId)
	{
		FuncExpr   *call = (FuncExpr *) node;

		/* of a context predicate the planner makes a comparison */
		if (!steward_is_context_predicate(call->funcid))
		{
			if (contain_vars_of_level((Node *) call->args, calls->level))
				calls->row = list_append_unique_oid(calls->row, call->funcid);
			else if (!steward_has_vars((Node *) call->args) && !steward_asks_context((Node *) call->args))
				calls->context = list_append_unique_oid(calls->context, call->funcid);
		}
	}
	return expression_tree_walker(node, calls_walker, context);
}

static Datum
oids_to_array(List *list)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(list), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, list)
	{
		elements[n++] = ObjectIdGetDatum(lfirst_oid(lc));
	}
	return PointerGetDatum(construct_array(elements, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

static Datum
columns_to_array(List *list)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(list), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, list)
	{
		elements[n++] = Int16GetDatum(lfirst_int(lc));
	}
	return PointerGetDatum(construct_array(elements, n, INT2OID, sizeof(int16), true, TYPALIGN_SHORT));
}

static Datum
strings_to_array(List *list)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(list), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, list)
	{
		elements[n++] = CStringGetTextDatum(strVal(lfirst(lc)));
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* Columns of what steward_internal.tenant_expression returns. */
enum
{
	EXPRESSION_IMPLIED,
	EXPRESSION_GAPS,
	EXPRESSION_CASTS,
	EXPRESSION_FIXED,
	EXPRESSION_NOT_DISTINCT,
	EXPRESSION_COLUMNS,
	EXPRESSION_CONTEXT_FUNCTIONS,
	EXPRESSION_ROW_FUNCTIONS,
	EXPRESSION_SETTINGS,
	EXPRESSION_TEXTS,
	EXPRESSION_RELATIONS,
	EXPRESSION_ASKS,
	EXPRESSION_SETS,
	EXPRESSION_NATTS
};

/*
 * steward_internal.tenant_expression(expression pg_node_tree, tenant_column smallint, relation oid)
 * returns record
 *
 * Returns what the expression of a policy says of a column of its table.
 */
PG_FUNCTION_INFO_V1(steward_tenant_expression);
Datum
steward_tenant_expression(PG_FUNCTION_ARGS)
{
	Node	   *expression = stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	TenantFacts facts = {.varno = 1,.relation = PG_GETARG_OID(2),.column = PG_GETARG_INT16(1)};
	Calls		calls = {0};
	List	   *gaps;
	bool		implied;
	TupleDesc	desc;
	Datum		values[EXPRESSION_NATTS];
	bool		isnull[EXPRESSION_NATTS] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	implied = steward_tenant_gaps(&facts, expression, &gaps);
	calls_walker(expression, &calls);
	reads_walker(expression, &calls);

	values[EXPRESSION_IMPLIED] = BoolGetDatum(implied);
	values[EXPRESSION_GAPS] = strings_to_array(gaps);
	values[EXPRESSION_CASTS] = BoolGetDatum(facts.casts);
	values[EXPRESSION_FIXED] = BoolGetDatum(facts.fixed);
	values[EXPRESSION_NOT_DISTINCT] = BoolGetDatum(facts.not_distinct);
	values[EXPRESSION_COLUMNS] = columns_to_array(facts.columns);
	values[EXPRESSION_CONTEXT_FUNCTIONS] = oids_to_array(calls.context);
	values[EXPRESSION_ROW_FUNCTIONS] = oids_to_array(calls.row);
	values[EXPRESSION_SETTINGS] = strings_to_array(calls.settings);
	values[EXPRESSION_TEXTS] = strings_to_array(calls.texts);
	values[EXPRESSION_RELATIONS] = oids_to_array(calls.relations);
	values[EXPRESSION_ASKS] = BoolGetDatum(steward_asks_context(expression));
	values[EXPRESSION_SETS] = BoolGetDatum(calls.sets);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, isnull)));
}

/* Columns of what steward_internal.tenant_function returns. */
enum
{
	FUNCTION_ASKS,
	FUNCTION_SETS,
	FUNCTION_SETTINGS,
	FUNCTION_TEXTS,
	FUNCTION_RELATIONS,
	FUNCTION_NATTS
};

/*
 * steward_internal.tenant_function(function oid) returns record
 *
 * Returns what a function with a body in SQL asks for and reads; null for any other.
 */
PG_FUNCTION_INFO_V1(steward_tenant_function);
Datum
steward_tenant_function(PG_FUNCTION_ARGS)
{
	Node	   *body = steward_function_body(PG_GETARG_OID(0));
	Calls		calls = {0};
	TupleDesc	desc;
	Datum		values[FUNCTION_NATTS];
	bool		isnull[FUNCTION_NATTS] = {false};

	if (body == NULL)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	reads_walker(body, &calls);
	values[FUNCTION_ASKS] = BoolGetDatum(calls.asks);
	values[FUNCTION_SETS] = BoolGetDatum(calls.sets);
	values[FUNCTION_SETTINGS] = strings_to_array(calls.settings);
	values[FUNCTION_TEXTS] = strings_to_array(calls.texts);
	values[FUNCTION_RELATIONS] = oids_to_array(calls.relations);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, isnull)));
}

/*
 * steward_internal.tenant_type_leakproof(type oid) returns boolean
 *
 * Tells whether values of a type can be compared for equality before a policy lets
 * their row pass.
 */
PG_FUNCTION_INFO_V1(steward_tenant_type_leakproof);
Datum
steward_tenant_type_leakproof(PG_FUNCTION_ARGS)
{
	TypeCacheEntry *type = lookup_type_cache(getBaseType(PG_GETARG_OID(0)), TYPECACHE_EQ_OPR);

	if (!OidIsValid(type->eq_opr))
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(get_func_leakproof(get_opcode(type->eq_opr)));
}
