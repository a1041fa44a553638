/*
 * tenant_check_expr.c
 *		Whether the rows that meet an expression are a tenant's and, if not, why.
 *
 * Nothing here is evaluated: who wrote a policy could have chosen functions that
 * act on whoever looks at it.
 */
#include "tenant_check/tenant_check.h"

#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/transam.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
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
	GAP_EMPTY = 1 << 6,			/* an empty string is a tenant */
	GAP_USER = 1 << 7,			/* it asks for the user */
	GAP_OTHER = 1 << 8			/* it does not ask for the tenant */
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
	{GAP_EMPTY, "empty"},
	{GAP_NULL, "null"},
	{GAP_COLUMN, "column"},
	{GAP_USER, "user"},
	{GAP_OTHER, "other"},
};

/* The name of a function of schema steward, NULL for any other. */
static const char *
steward_function_name(Oid function)
{
	char	   *schema = get_namespace_name(get_func_namespace(function));

	return schema && strcmp(schema, "steward") == 0 ? get_func_name(function) : NULL;
}

/* True of a function that says by its name that a column is the context's. */
bool
steward_is_context_predicate(Oid function)
{
	const char *name = steward_function_name(function);

	return name && (strcmp(name, "is_current_tenant") == 0 || strcmp(name, "is_current_tenant_folded") == 0 ||
					strcmp(name, "is_current_user") == 0);
}

/* The number of the column of the table that an expression is, level queries further out; else 0. */
static AttrNumber
row_column(TenantFacts *facts, Node *node, int level, bool *casts)
{
	Var		   *var;

	node = steward_strip_casts(node, casts);
	if (!node || !IsA(node, Var))
		return InvalidAttrNumber;
	var = (Var *) node;
	return var->varlevelsup == level && var->varno == facts->varno ? var->varattno : InvalidAttrNumber;
}

bool
steward_has_any_var_walker(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, Var))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, steward_has_any_var_walker, context, 0);
	return expression_tree_walker(node, steward_has_any_var_walker, context);
}

/* True if an expression has a column of the query level queries further out, or of one around that. */
static bool
has_outer_var_walker(Node *node, void *context)
{
	int		   *level = context;

	if (!node)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varlevelsup >= *level;
	if (IsA(node, Query))
	{
		bool		found;

		(*level)++;
		found = query_tree_walker((Query *) node, has_outer_var_walker, context, 0);
		(*level)--;
		return found;
	}
	return expression_tree_walker(node, has_outer_var_walker, context);
}

/* True if an expression is the tenant column of another table of a view that is known to be the context's. */
static bool
is_bound_column(TenantFacts *facts, Node *node, int level)
{
	bool		casts = false;
	const TenantScope *scope = facts->scope;
	Var		   *var;

	node = steward_strip_casts(node, &casts);
	if (!node || !IsA(node, Var))
		return false;
	var = (Var *) node;
	for (int up = level; scope && up < var->varlevelsup; up++)
		scope = scope->outer;
	return scope && var->varlevelsup >= level && bms_is_member(var->varno, scope->bound) &&
		steward_tenant_scope_column(scope, var->varno) == var->varattno;
}

typedef struct ColumnSearch
{
	AttrNumber	column;
	int			level;
	Index		varno;
} ColumnSearch;

static bool
mentions_column_walker(Node *node, void *context)
{
	ColumnSearch *search = context;

	if (!node)
		return false;
	if (IsA(node, Var))
		return ((Var *) node)->varlevelsup == search->level && ((Var *) node)->varno == search->varno &&
			((Var *) node)->varattno == search->column;
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
mentions_tenant(TenantFacts *facts, Node *node, int level)
{
	ColumnSearch search = {facts->column, level, facts->varno};

	return mentions_column_walker(node, &search);
}

/* True of current_setting(), which is an empty string once a transaction has set what it reads. */
static bool
is_setting(Node *node)
{
	bool		ignored = false;

	node = steward_strip_casts(node, &ignored);
	if (node && IsA(node, SubLink) && ((SubLink *) node)->subLinkType == EXPR_SUBLINK)
	{
		Query	   *query = (Query *) ((SubLink *) node)->subselect;

		return query->rtable == NIL && query->targetList != NIL &&
			is_setting((Node *) ((TargetEntry *) linitial(query->targetList))->expr);
	}
	return node && IsA(node, FuncExpr) && (((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT ||
										   ((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT_BOOL);
}

/* True if what a column is compared with is, or may be, a constant. */
static bool
is_fixed(Node *node)
{
	ListCell   *cell;

	if (IsA(node, ArrayExpr))
		foreach(cell, ((ArrayExpr *) node)->elements)
			if (is_fixed(lfirst(cell)))
			return true;
	if (IsA(node, CoalesceExpr))
		foreach(cell, ((CoalesceExpr *) node)->args)
			if (is_fixed(lfirst(cell)))
			return true;
	if (IsA(node, Const))
		return !((Const *) node)->constisnull;
	return !steward_asks_context(node);
}

/* Judges a condition that the tenant column is the value of an expression without columns, or an element of it. */
static bool
value_implies(TenantFacts *facts, Node *column, Node *value, int level, Gap *gaps)
{
	bool		ignored = false;
	Oid			type = getBaseType(exprType(steward_strip_casts(column, &ignored)));

	/* of whose rows there is a list, a query has to ask */
	if (level == 0 && steward_has_any_var_walker(value, NULL) && !steward_asks_context(value))
	{
		*gaps |= GAP_OTHER;
		return false;
	}
	if ((type == TEXTOID || type == VARCHAROID || type == BPCHAROID) && is_setting(value))
	{
		*gaps |= GAP_EMPTY;
		return false;
	}
	facts->fixed |= !steward_has_any_var_walker(value, NULL) && is_fixed(value);
	return true;
}

/* Judges a condition that two expressions are equal, or that one is an element of the other. */
static bool
equality_implies(TenantFacts *facts, Node *left, Node *right, int level, Gap *gaps)
{
	for (int turn = 0; turn < 2; turn++)
	{
		bool		casts = false;
		Node	   *mine = turn ? right : left;
		Node	   *other = turn ? left : right;
		AttrNumber	column = row_column(facts, mine, level, &casts);
		int			outer = level;

		if (column == InvalidAttrNumber)
			continue;
		if (has_outer_var_walker(other, &outer))
		{
			if (column == facts->column && is_bound_column(facts, other, level))
				return true;
			if (column == facts->column && mentions_tenant(facts, other, level))
			{
				bool		ignored = false;

				*gaps |= row_column(facts, other, level, &ignored) || !steward_asks_context(other) ? GAP_TAUTOLOGY : GAP_FAIL_OPEN;
				return false;
			}
			continue;
		}
		if (column == facts->column)
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			facts->casts |= casts;
			return value_implies(facts, mine, other, level, gaps);
		}
		if (steward_asks_context(other))
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			*gaps |= GAP_COLUMN;
			return false;
		}
	}
	*gaps |= equal(left, right) ? GAP_TAUTOLOGY : GAP_OTHER;
	return false;
}

static bool implies_tenant(TenantFacts *facts, Node *node, int level, Gap *gaps);

/* What lets rows pass a branch that has no condition on the tenant, while others have one. */
static Gap
branch_gap(Node *branch, int level, Gap gaps)
{
	if (gaps & (GAP_FAIL_OPEN | GAP_TAUTOLOGY | GAP_NULL | GAP_EMPTY | GAP_CONSTANT | GAP_OR))
		return gaps & ~(GAP_OTHER | GAP_COLUMN | GAP_USER);
	if (!contain_vars_of_level(branch, level) && steward_true_without_context(branch))
		return GAP_FAIL_OPEN;
	return GAP_OR;
}

/* Judges the conditions of a subquery's FROM and WHERE. */
static bool
from_implies(TenantFacts *facts, Node *node, int level, Gap *gaps)
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

static bool
has_user_operator_walker(Node *node, void *context)
{
	if (!node)
		return false;
	if ((IsA(node, OpExpr) && ((OpExpr *) node)->opno >= FirstNormalObjectId) ||
		(IsA(node, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) node)->opno >= FirstNormalObjectId))
		return true;
	return expression_tree_walker(node, has_user_operator_walker, context);
}

/* Judges a condition that must not be true. */
static bool
negation_implies(TenantFacts *facts, Node *node, int level, Gap *gaps)
{
	Node	   *negated;

	/* anybody can make an operator and say of another that it negates it */
	if (!has_user_operator_walker(node, NULL))
	{
		negated = negate_clause(node);
		if (!IsA(negated, BoolExpr) || ((BoolExpr *) negated)->boolop != NOT_EXPR || IsA(linitial(((BoolExpr *) negated)->args), DistinctExpr))
			return implies_tenant(facts, negated, level, gaps);
	}
	*gaps |= GAP_OTHER;
	return false;
}

/* Says whether conditions have the tenant column between a value and the same value. */
static bool
range_implies(TenantFacts *facts, List *conditions, int level)
{
	Node	   *least = NULL;
	Node	   *most = NULL;
	Node	   *column = NULL;
	Gap			ignored = GAP_NONE;
	ListCell   *cell;

	foreach(cell, conditions)
	{
		OpExpr	   *op = lfirst(cell);
		bool		casts = false;
		int			outer = level;
		int			strategy;

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			row_column(facts, linitial(op->args), level, &casts) != facts->column ||
			has_outer_var_walker(lsecond(op->args), &outer))
			continue;
		column = linitial(op->args);
		strategy = get_op_opfamily_strategy(op->opno, lookup_type_cache(getBaseType(exprType(column)), TYPECACHE_BTREE_OPFAMILY)->btree_opf);
		if (strategy == BTGreaterEqualStrategyNumber)
			least = lsecond(op->args);
		else if (strategy == BTLessEqualStrategyNumber)
			most = lsecond(op->args);
	}
	return least && equal(least, most) && !contain_volatile_functions(least) && value_implies(facts, column, least, level, &ignored);
}

/* Judges CASE x WHEN y as x = y. */
static bool
case_implies(TenantFacts *facts, CaseExpr *expr, CaseWhen *when, int level)
{
	OpExpr	   *op = (OpExpr *) when->expr;
	bool		casts = false;
	Gap			ignored = GAP_NONE;

	return IsA(op, OpExpr) && list_length(op->args) == 2 && steward_is_equality(op->opno, op->inputcollid, op->args) &&
		IsA(steward_strip_casts(linitial(op->args), &casts), CaseTestExpr) &&
		equality_implies(facts, (Node *) expr->arg, lsecond(op->args), level, &ignored);
}

/*
 * Says whether a row that meets a condition belongs to the tenant of the context;
 * if not, adds the reasons to gaps.  Level is the number of queries between the
 * condition and the policy.
 */
static bool
implies_tenant(TenantFacts *facts, Node *node, int level, Gap *gaps)
{
	bool		ignored = false;
	ListCell   *cell;

	check_stack_depth();
	while (IsA(node, RelabelType) || IsA(node, CoerceToDomain))
		node = (Node *) (IsA(node, RelabelType) ? ((RelabelType *) node)->arg : ((CoerceToDomain *) node)->arg);
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
						DistinctExpr *distinct = (DistinctExpr *) arg;
						List	   *args = distinct->args;

						if (!steward_is_equality(distinct->opno, distinct->inputcollid, args))
						{
							*gaps |= GAP_OTHER;
							return false;
						}
						if (!equality_implies(facts, linitial(args), lsecond(args), level, gaps))
							return false;
						facts->not_distinct = true;
						return true;
					}
					return negation_implies(facts, arg, level, gaps);
				}
				if (expr->boolop == AND_EXPR && range_implies(facts, expr->args, level))
					return true;
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

				if (op->opno == BooleanEqualOperator && IsA(lsecond(op->args), Const))
				{
					Const	   *wanted = lsecond(op->args);

					if (wanted->constisnull)
						return true;
					return DatumGetBool(wanted->constvalue) ? implies_tenant(facts, linitial(op->args), level, gaps)
						: negation_implies(facts, linitial(op->args), level, gaps);
				}
				if (list_length(op->args) == 2 && steward_is_equality(op->opno, op->inputcollid, op->args))
					return equality_implies(facts, linitial(op->args), lsecond(op->args), level, gaps);
				*gaps |= GAP_OTHER;
				return false;
			}
		case T_ScalarArrayOpExpr:
			{
				ScalarArrayOpExpr *op = (ScalarArrayOpExpr *) node;

				if (op->useOr && steward_is_equality(op->opno, op->inputcollid, op->args))
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
					AttrNumber	column = row_column(facts, lfirst(cell), level, &casts);

					if (column == facts->column && call->funcid >= FirstNormalObjectId)
					{
						facts->columns = list_append_unique_int(facts->columns, column);
						return true;
					}
					if (column != InvalidAttrNumber && steward_is_context_predicate(call->funcid))
					{
						facts->columns = list_append_unique_int(facts->columns, column);
						*gaps |= strcmp(steward_function_name(call->funcid), "is_current_user") == 0 ? GAP_USER : GAP_COLUMN;
						return false;
					}
				}
				*gaps |= GAP_OTHER;
				return false;
			}
		case T_NullTest:
			{
				NullTest   *test = (NullTest *) node;

				if (test->nulltesttype == IS_NULL && row_column(facts, (Node *) test->arg, level, &ignored) == facts->column)
					*gaps |= GAP_NULL;
				else
					*gaps |= !contain_vars_of_level(node, level) && steward_true_without_context(node) ? GAP_FAIL_OPEN : GAP_OTHER;
				return false;
			}
		case T_BooleanTest:
			{
				BooleanTest *test = (BooleanTest *) node;
				Gap			gap = GAP_NONE;
				bool		implied;

				if (test->booltesttype == IS_FALSE)
					return negation_implies(facts, (Node *) test->arg, level, gaps);
				implied = implies_tenant(facts, (Node *) test->arg, level, &gap);

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

					if ((expr->arg ? case_implies(facts, expr, when, level) : implies_tenant(facts, (Node *) when->expr, level, &gap)) ||
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
				if (steward_asks_context((Node *) query))
				{
					/* a list that is made of the row has what the row has */
					if (link->subLinkType == ANY_SUBLINK && !mentions_tenant(facts, (Node *) query, level) &&
						implies_tenant(facts, link->testexpr, level, &gap))
						return true;
					/* an aggregate of no rows is a row */
					if ((link->subLinkType == EXISTS_SUBLINK || link->subLinkType == ANY_SUBLINK) &&
						!((query->hasAggs || query->havingQual) && query->groupClause == NIL) && query->groupingSets == NIL &&
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

/* Says whether a row that meets a condition of a query belongs to the tenant of the context. */
bool
steward_implies_tenant(TenantFacts *facts, Node *condition)
{
	Gap			ignored = GAP_NONE;

	return implies_tenant(facts, condition, 0, &ignored);
}

/* Judges a policy's expression; returns the names of its gaps, as strings, NIL if it keeps tenants apart. */
bool
steward_tenant_gaps(TenantFacts *facts, Node *expression, List **names)
{
	Gap			gaps = GAP_NONE;
	bool		implied = implies_tenant(facts, expression, 0, &gaps);

	*names = NIL;
	for (int i = 0; !implied && i < lengthof(gap_names); i++)
		if (gaps & gap_names[i].gap)
			*names = lappend(*names, makeString(pstrdup(gap_names[i].name)));
	return implied;
}
