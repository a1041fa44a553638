/*
 * tenant_check.c
 *		What the expression of a policy says of a tenant column.
 *
 * Nothing here is evaluated: who wrote a policy could have chosen functions that
 * act on whoever looks at it.
 */
#include "pg_steward.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* Why a condition lets pass rows of other tenants. */
typedef enum Gap
{
	GAP_NONE = 0,
	GAP_CONSTANT = 1 << 0,		/* it is true */
	GAP_TAUTOLOGY = 1 << 1,		/* it is true of every row */
	GAP_FAIL_OPEN = 1 << 2,		/* it is true where no tenant is set */
	GAP_OR = 1 << 3,			/* a branch does without the tenant */
	GAP_COLUMN = 1 << 4,		/* it asks for another column */
	GAP_NULL = 1 << 5,			/* rows of no tenant are everybody's */
	GAP_OTHER = 1 << 6			/* it does not ask for the tenant */
} Gap;

static const struct
{
	Gap			gap;
	const char *name;
}			gap_names[] = {
	{GAP_FAIL_OPEN, "fail open"},
	{GAP_OR, "or"},
	{GAP_TAUTOLOGY, "tautology"},
	{GAP_CONSTANT, "constant"},
	{GAP_NULL, "null"},
	{GAP_COLUMN, "column"},
	{GAP_OTHER, "other"},
};

typedef struct Facts
{
	AttrNumber	column;			/* the tenant column */
	bool		casts;			/* the column is converted to be compared */
	bool		fixed;			/* it is compared with a constant */
	bool		not_distinct;	/* null is the tenant where none is set */
	List	   *columns;		/* columns that must equal the context */
} Facts;

/* The name of a function of schema steward, NULL for any other. */
static const char *
steward_function_name(Oid function)
{
	char	   *schema = get_namespace_name(get_func_namespace(function));

	return schema && strcmp(schema, "steward") == 0 ? get_func_name(function) : NULL;
}

/* True of a function that says by its name that a column is the context's. */
static bool
is_context_predicate(Oid function)
{
	const char *name = steward_function_name(function);

	return name && (strcmp(name, "is_current_tenant") == 0 || strcmp(name, "is_current_tenant_folded") == 0 ||
					strcmp(name, "is_current_user") == 0);
}

/* The expression without conversions; says whether there were any that compute. */
static Node *
strip(Node *node, bool *casts)
{
	for (;;)
	{
		if (node && IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (node && IsA(node, CollateExpr))
			node = (Node *) ((CollateExpr *) node)->arg;
		else if (node && IsA(node, CoerceToDomain))
			node = (Node *) ((CoerceToDomain *) node)->arg;
		else if (node && IsA(node, CoerceViaIO))
		{
			*casts = true;
			node = (Node *) ((CoerceViaIO *) node)->arg;
		}
		else if (node && IsA(node, FuncExpr) &&
				 (((FuncExpr *) node)->funcformat == COERCE_EXPLICIT_CAST ||
				  ((FuncExpr *) node)->funcformat == COERCE_IMPLICIT_CAST))
		{
			*casts = true;
			node = (Node *) linitial(((FuncExpr *) node)->args);
		}
		else
			return node;
	}
}

/* The number of the column of the policy's table that an expression is, level queries further out; else 0. */
static AttrNumber
row_column(Node *node, int level, bool *casts)
{
	Var		   *var;

	node = strip(node, casts);
	if (!node || !IsA(node, Var))
		return InvalidAttrNumber;
	var = (Var *) node;
	return var->varlevelsup == level ? var->varattno : InvalidAttrNumber;
}

static bool
not_immutable_checker(Oid function, void *context)
{
	return func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

/* True if the value of an expression is not the same for ever. */
static bool
has_context_walker(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, SubLink) || IsA(node, Param) || IsA(node, SQLValueFunction))
		return true;
	/* what users mark immutable may lie */
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid >= FirstNormalObjectId)
		return true;
	if (check_functions_in_node(node, not_immutable_checker, NULL))
		return true;
	return expression_tree_walker(node, has_context_walker, context);
}

static bool
has_any_var_walker(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, Var))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_any_var_walker, context, 0);
	return expression_tree_walker(node, has_any_var_walker, context);
}

/* True if a subquery asks for the context, or reads a table whose own policies may. */
static bool
query_has_context_walker(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;
		HeapTuple	tuple;
		bool		secured = false;

		if (entry->rtekind != RTE_RELATION)
			return false;
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(entry->relid));
		if (HeapTupleIsValid(tuple))
		{
			secured = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
			ReleaseSysCache(tuple);
		}
		return secured;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, query_has_context_walker, context, QTW_EXAMINE_RTES_BEFORE);
	if (IsA(node, SQLValueFunction))
		return true;
	if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid >= FirstNormalObjectId)
		return true;
	if (check_functions_in_node(node, not_immutable_checker, NULL))
		return true;
	return expression_tree_walker(node, query_has_context_walker, context);
}

/*
 * What an expression without columns is where no tenant is set: a constant, or
 * NULL if that cannot be told.  Not set is null, or, if empty, an empty string.
 */
static Const *
value_without_context(Node *node, bool empty)
{
	bool		ignored = false;

	node = strip(node, &ignored);
	if (!node)
		return NULL;
	switch (nodeTag(node))
	{
		case T_Const:
			return (Const *) node;
		case T_SubLink:
			{
				SubLink    *link = (SubLink *) node;
				Query	   *query = (Query *) link->subselect;

				/* (SELECT context()) */
				if (link->subLinkType == EXPR_SUBLINK && query->rtable == NIL && query->targetList != NIL)
					return value_without_context((Node *) ((TargetEntry *) linitial(query->targetList))->expr, empty);
				return NULL;
			}
		case T_FuncExpr:
			{
				FuncExpr   *call = (FuncExpr *) node;
				ListCell   *cell;

				foreach(cell, call->args)
				{
					Const	   *arg = value_without_context(lfirst(cell), empty);

					if (arg && arg->constisnull && func_strict(call->funcid))
						return makeNullConst(call->funcresulttype, -1, InvalidOid);
				}
				if (has_context_walker((Node *) call->args, NULL) || !has_context_walker(node, NULL))
					return NULL;
				if (empty && call->funcresulttype == TEXTOID)
					return makeConst(TEXTOID, -1, call->funccollid, -1, PointerGetDatum(cstring_to_text("")), false, false);
				return makeNullConst(call->funcresulttype, -1, InvalidOid);
			}
		case T_NullIfExpr:
		case T_OpExpr:
			{
				OpExpr	   *op = (OpExpr *) node;
				Const	   *left = value_without_context(linitial(op->args), empty);
				Const	   *right = list_length(op->args) > 1 ? value_without_context(lsecond(op->args), empty) : left;
				bool		same = left && right && !left->constisnull && !right->constisnull &&
					left->constlen == right->constlen &&
					datumIsEqual(left->constvalue, right->constvalue, left->constbyval, left->constlen);

				if (IsA(node, NullIfExpr))
					return same ? makeNullConst(op->opresulttype, -1, InvalidOid) : left;
				if ((left && left->constisnull) || (right && right->constisnull))
					return makeNullConst(op->opresulttype, -1, InvalidOid);
				if (left && right && list_length(op->args) == 2 &&
					op_mergejoinable(op->opno, exprType(linitial(op->args))))
					return (Const *) makeBoolConst(same, false);
				return NULL;
			}
		case T_CoalesceExpr:
			{
				ListCell   *cell;

				foreach(cell, ((CoalesceExpr *) node)->args)
				{
					Const	   *arg = value_without_context(lfirst(cell), empty);

					if (!arg || !arg->constisnull)
						return arg;
				}
				return makeNullConst(((CoalesceExpr *) node)->coalescetype, -1, InvalidOid);
			}
		case T_NullTest:
			{
				NullTest   *test = (NullTest *) node;
				Const	   *arg = value_without_context((Node *) test->arg, empty);

				if (!arg)
					return NULL;
				return (Const *) makeBoolConst(arg->constisnull == (test->nulltesttype == IS_NULL), false);
			}
		case T_BooleanTest:
			{
				BooleanTest *test = (BooleanTest *) node;
				Const	   *arg = value_without_context((Node *) test->arg, empty);
				bool		yes = arg && !arg->constisnull && DatumGetBool(arg->constvalue);
				bool		no = arg && !arg->constisnull && !yes;

				if (!arg)
					return NULL;
				switch (test->booltesttype)
				{
					case IS_TRUE:
						return (Const *) makeBoolConst(yes, false);
					case IS_NOT_TRUE:
						return (Const *) makeBoolConst(!yes, false);
					case IS_FALSE:
						return (Const *) makeBoolConst(no, false);
					case IS_NOT_FALSE:
						return (Const *) makeBoolConst(!no, false);
					case IS_UNKNOWN:
						return (Const *) makeBoolConst(arg->constisnull, false);
					case IS_NOT_UNKNOWN:
						return (Const *) makeBoolConst(!arg->constisnull, false);
				}
				return NULL;
			}
		case T_BoolExpr:
			{
				BoolExpr   *expr = (BoolExpr *) node;
				bool		deciding = expr->boolop == OR_EXPR;
				bool		unknown = false;
				bool		null = false;
				ListCell   *cell;

				foreach(cell, expr->args)
				{
					Const	   *arg = value_without_context(lfirst(cell), empty);

					if (expr->boolop == NOT_EXPR)
						return !arg || arg->constisnull ? arg : (Const *) makeBoolConst(!DatumGetBool(arg->constvalue), false);
					if (!arg)
						unknown = true;
					else if (arg->constisnull)
						null = true;
					else if (DatumGetBool(arg->constvalue) == deciding)
						return arg;
				}
				return unknown ? NULL : (Const *) makeBoolConst(!deciding, null);
			}
		default:
			return NULL;
	}
}

/* True if a condition without columns holds where no tenant is set. */
static bool
true_without_context(Node *node)
{
	for (int empty = 0; empty <= 1; empty++)
	{
		Const	   *value = value_without_context(node, empty);

		if (value && !value->constisnull && value->consttype == BOOLOID && DatumGetBool(value->constvalue))
			return true;
	}
	return false;
}

typedef struct ColumnSearch
{
	AttrNumber	column;
	int			level;
} ColumnSearch;

static bool
mentions_column_walker(Node *node, void *context)
{
	ColumnSearch *search = context;

	if (!node)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varlevelsup == search->level && ((Var *) node)->varattno == search->column;
	if (IsA(node, Query))
	{
		bool		found;

		search->level++;
		found = query_tree_walker((Query *) node, mentions_column_walker, search, 0);
		search->level--;
		return found;
	}
	return expression_tree_walker(node, mentions_column_walker, search);
}

/* True if an expression, or a subquery in it, has the tenant column of the row. */
static bool
mentions_tenant(Facts *facts, Node *node, int level)
{
	ColumnSearch search = {facts->column, level};

	return mentions_column_walker(node, &search);
}

/* Judges a condition that two expressions are equal, or that one is an element of the other. */
static bool
equality_implies(Facts *facts, Node *left, Node *right, int level, Gap *gaps)
{
	for (int turn = 0; turn < 2; turn++)
	{
		bool		casts = false;
		AttrNumber	column = row_column(turn ? right : left, level, &casts);
		Node	   *other = turn ? left : right;

		if (column == InvalidAttrNumber)
			continue;
		if (contain_vars_of_level(other, level))
		{
			if (column == facts->column && mentions_tenant(facts, other, level))
			{
				bool		ignored = false;

				*gaps |= row_column(other, level, &ignored) || !has_context_walker(other, NULL) ? GAP_TAUTOLOGY : GAP_FAIL_OPEN;
				return false;
			}
			continue;
		}
		if (column == facts->column)
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			facts->casts |= casts;
			facts->fixed |= !has_context_walker(other, NULL) && !has_any_var_walker(other, NULL);
			return true;
		}
		if (has_context_walker(other, NULL))
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			*gaps |= GAP_COLUMN;
			return false;
		}
	}
	*gaps |= equal(left, right) ? GAP_TAUTOLOGY : GAP_OTHER;
	return false;
}

static bool implies_tenant(Facts *facts, Node *node, int level, Gap *gaps);

/* What lets rows pass a branch that has no condition on the tenant, while others have one. */
static Gap
branch_gap(Node *branch, int level, Gap gaps)
{
	if (gaps & (GAP_FAIL_OPEN | GAP_TAUTOLOGY | GAP_NULL | GAP_CONSTANT | GAP_OR))
		return gaps & ~(GAP_OTHER | GAP_COLUMN);
	if (!contain_vars_of_level(branch, level) && true_without_context(branch))
		return GAP_FAIL_OPEN;
	return GAP_OR;
}

/* Judges the conditions of a subquery's FROM and WHERE. */
static bool
from_implies(Facts *facts, Node *node, int level, Gap *gaps)
{
	ListCell   *cell;

	if (!node)
		return false;
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;

		if (from->quals && implies_tenant(facts, from->quals, level, gaps))
			return true;
		foreach(cell, from->fromlist)
			if (from_implies(facts, lfirst(cell), level, gaps))
			return true;
	}
	else if (IsA(node, JoinExpr) && ((JoinExpr *) node)->jointype == JOIN_INNER)
	{
		JoinExpr   *join = (JoinExpr *) node;

		return (join->quals && implies_tenant(facts, join->quals, level, gaps)) ||
			from_implies(facts, join->larg, level, gaps) ||
			from_implies(facts, join->rarg, level, gaps);
	}
	return false;
}

/*
 * Says whether a row that meets a condition belongs to the tenant of the context;
 * if not, adds the reasons to gaps.  Level is the number of queries between the
 * condition and the policy.
 */
static bool
implies_tenant(Facts *facts, Node *node, int level, Gap *gaps)
{
	bool		ignored = false;
	ListCell   *cell;

	check_stack_depth();
	node = strip(node, &ignored);
	switch (nodeTag(node))
	{
		case T_Const:
			{
				Const	   *constant = (Const *) node;

				if (constant->constisnull || !DatumGetBool(constant->constvalue))
					return true;
				*gaps |= GAP_CONSTANT;
				return false;
			}
		case T_BoolExpr:
			{
				BoolExpr   *expr = (BoolExpr *) node;
				Gap			found = GAP_NONE;
				bool		some = false;
				bool		all = true;

				if (expr->boolop == NOT_EXPR)
				{
					Node	   *arg = linitial(expr->args);

					if (IsA(arg, DistinctExpr))
					{
						List	   *args = ((DistinctExpr *) arg)->args;

						if (!equality_implies(facts, linitial(args), lsecond(args), level, gaps))
							return false;
						facts->not_distinct = true;
						return true;
					}
					*gaps |= GAP_OTHER;
					return false;
				}
				foreach(cell, expr->args)
				{
					Gap			gap = GAP_NONE;

					if (implies_tenant(facts, lfirst(cell), level, &gap))
						some = true;
					else
					{
						all = false;
						found |= expr->boolop == OR_EXPR ? branch_gap(lfirst(cell), level, gap) | (gap & GAP_COLUMN) : gap;
					}
				}
				if (expr->boolop == AND_EXPR ? some : all)
					return true;
				if (expr->boolop == AND_EXPR)
				{
					/* true and something is something */
					if (found & ~GAP_CONSTANT)
						found &= ~GAP_CONSTANT;
				}
				else if (!some && (found & GAP_COLUMN))
					found = (found & ~GAP_OR) | GAP_COLUMN;
				else if (!some && found == GAP_OR)
					found = GAP_OTHER;
				else
					found &= ~GAP_COLUMN;
				*gaps |= found;
				return false;
			}
		case T_OpExpr:
			{
				OpExpr	   *op = (OpExpr *) node;

				if (list_length(op->args) == 2 &&
					(op_mergejoinable(op->opno, exprType(linitial(op->args))) ||
					 op_hashjoinable(op->opno, exprType(linitial(op->args)))))
					return equality_implies(facts, linitial(op->args), lsecond(op->args), level, gaps);
				*gaps |= GAP_OTHER;
				return false;
			}
		case T_ScalarArrayOpExpr:
			{
				ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) node;

				if (op->useOr && op_hashjoinable(op->opno, exprType(linitial(op->args))))
					return equality_implies(facts, linitial(op->args), lsecond(op->args), level, gaps);
				*gaps |= GAP_OTHER;
				return false;
			}
		case T_FuncExpr:
			{
				FuncExpr   *call = (FuncExpr *) node;

				foreach(cell, call->args)
				{
					bool		casts = false;
					AttrNumber	column = row_column(lfirst(cell), level, &casts);

					if (column == facts->column && call->funcid >= FirstNormalObjectId)
					{
						facts->columns = list_append_unique_int(facts->columns, column);
						return true;
					}
					if (column != InvalidAttrNumber && is_context_predicate(call->funcid))
					{
						facts->columns = list_append_unique_int(facts->columns, column);
						*gaps |= GAP_COLUMN;
						return false;
					}
				}
				*gaps |= GAP_OTHER;
				return false;
			}
		case T_NullTest:
			{
				NullTest   *test = (NullTest *) node;

				if (test->nulltesttype == IS_NULL && row_column((Node *) test->arg, level, &ignored) == facts->column)
					*gaps |= GAP_NULL;
				else
					*gaps |= !contain_vars_of_level(node, level) && true_without_context(node) ? GAP_FAIL_OPEN : GAP_OTHER;
				return false;
			}
		case T_BooleanTest:
			{
				BooleanTest *test = (BooleanTest *) node;
				Gap			gap = GAP_NONE;
				bool		implied = implies_tenant(facts, (Node *) test->arg, level, &gap);

				if (test->booltesttype == IS_TRUE)
				{
					*gaps |= gap;
					return implied;
				}
				*gaps |= implied && test->booltesttype == IS_NOT_FALSE ? GAP_FAIL_OPEN : GAP_OTHER;
				return false;
			}
		case T_CoalesceExpr:
			{
				bool		some = false;
				bool		all = true;
				Gap			found = GAP_NONE;

				foreach(cell, ((CoalesceExpr *) node)->args)
				{
					if (implies_tenant(facts, lfirst(cell), level, &found))
						some = true;
					else
						all = false;
				}
				if (!all)
					*gaps |= some ? GAP_FAIL_OPEN : found;
				return all;
			}
		case T_CaseExpr:
			{
				CaseExpr   *expr = (CaseExpr *) node;
				bool		all = true;

				foreach(cell, expr->args)
				{
					CaseWhen   *when = lfirst(cell);
					Gap			gap = GAP_NONE;

					if ((!expr->arg && implies_tenant(facts, (Node *) when->expr, level, &gap)) ||
						implies_tenant(facts, (Node *) when->result, level, &gap))
						continue;
					all = false;
					*gaps |= expr->arg ? GAP_OR : branch_gap((Node *) when->expr, level, gap & ~GAP_CONSTANT);
				}
				if (expr->defresult)
				{
					Gap			gap = GAP_NONE;

					if (!implies_tenant(facts, (Node *) expr->defresult, level, &gap))
					{
						all = false;
						*gaps |= branch_gap((Node *) expr->defresult, level, gap);
					}
				}
				return all;
			}
		case T_SubLink:
			{
				SubLink    *link = (SubLink *) node;
				Query	   *query = (Query *) link->subselect;
				Gap			gap = GAP_NONE;

				if (link->subLinkType == EXPR_SUBLINK && query->rtable == NIL && query->targetList != NIL)
					return implies_tenant(facts, (Node *) ((TargetEntry *) linitial(query->targetList))->expr, level + 1, gaps);
				if (query_has_context_walker((Node *) query, NULL))
				{
					/* a list that is made of the row has what the row has */
					if (link->subLinkType == ANY_SUBLINK && !mentions_tenant(facts, (Node *) query, level) &&
						implies_tenant(facts, link->testexpr, level, &gap))
						return true;
					if ((link->subLinkType == EXISTS_SUBLINK || link->subLinkType == ANY_SUBLINK) &&
						from_implies(facts, (Node *) query->jointree, level + 1, &gap))
						return true;
				}
				*gaps |= gap & GAP_COLUMN ? GAP_COLUMN : GAP_OTHER;
				return false;
			}
		default:
			*gaps |= GAP_OTHER;
			return false;
	}
}

typedef struct Calls
{
	int			level;
	List	   *context;		/* functions without columns that read the
								 * context */
	List	   *row;			/* functions that get columns of the row */
} Calls;

/* Collects the functions that users made and a policy calls. */
static bool
calls_walker(Node *node, void *context)
{
	Calls	   *calls = context;

	if (!node)
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

		if (is_context_predicate(call->funcid))
			 /* the planner makes a comparison of it */ ;
		else if (contain_vars_of_level((Node *) call->args, calls->level))
			calls->row = list_append_unique_oid(calls->row, call->funcid);
		else if (!has_any_var_walker((Node *) call->args, NULL) && !has_context_walker((Node *) call->args, NULL))
			calls->context = list_append_unique_oid(calls->context, call->funcid);
	}
	return expression_tree_walker(node, calls_walker, context);
}

/* The list as an array of oid or, of int lists, of smallint. */
static Datum
list_to_array(List *list, Oid type)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(list), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, list)
		elements[n++] = type == OIDOID ? ObjectIdGetDatum(lfirst_oid(cell)) : Int16GetDatum(lfirst_int(cell));
	return PointerGetDatum(construct_array(elements, n, type, type == OIDOID ? sizeof(Oid) : sizeof(int16), true,
										   type == OIDOID ? TYPALIGN_INT : TYPALIGN_SHORT));
}

/*
 * steward.tenant_expression(expression pg_node_tree, tenant_column smallint):
 * what the expression of a policy says of a column of its table.
 */
PG_FUNCTION_INFO_V1(steward_tenant_expression);
Datum
steward_tenant_expression(PG_FUNCTION_ARGS)
{
	Node	   *expression = stringToNode(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	Facts		facts = {.column = PG_GETARG_INT16(1)};
	Calls		calls = {0};
	Gap			gaps = GAP_NONE;
	bool		implied;
	TupleDesc	desc;
	Datum		values[8];
	bool		nulls[8] = {false};
	Datum		names[lengthof(gap_names)];
	int			nnames = 0;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	implied = implies_tenant(&facts, expression, 0, &gaps);
	calls_walker(expression, &calls);
	if (!implied)
		for (int i = 0; i < lengthof(gap_names); i++)
			if (gaps & gap_names[i].gap)
				names[nnames++] = CStringGetTextDatum(gap_names[i].name);

	values[0] = BoolGetDatum(implied);
	values[1] = PointerGetDatum(construct_array(names, nnames, TEXTOID, -1, false, TYPALIGN_INT));
	values[2] = BoolGetDatum(facts.casts);
	values[3] = BoolGetDatum(facts.fixed);
	values[4] = BoolGetDatum(facts.not_distinct);
	values[5] = list_to_array(facts.columns, INT2OID);
	values[6] = list_to_array(calls.context, OIDOID);
	values[7] = list_to_array(calls.row, OIDOID);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * steward.tenant_type_leakproof(type oid): whether values of a type can be compared
 * for equality before a policy lets their row pass.
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
