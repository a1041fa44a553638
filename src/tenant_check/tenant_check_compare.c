/*
 * tenant_check_compare.c
 *		Whether a comparison says whose a row is.
 *
 * "level" is, throughout, the number of queries between an expression and the
 * condition of which it is a part.
 */
#include "tenant_check/tenant_check_internal.h"

#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * Returns the number of the column of the row that an expression is, casts apart;
 * 0 if it is none.
 */
AttrNumber
steward_row_column(TenantFacts *facts, Node *node, int level, bool *casts)
{
	Var		   *var = (Var *) steward_strip_casts(node, casts);

	if (var == NULL || !IsA(var, Var) || var->varlevelsup != level || var->varno != facts->varno)
		return InvalidAttrNumber;
	return var->varattno;
}

static bool
has_vars_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return true;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, has_vars_walker, context, 0);
	return expression_tree_walker(node, has_vars_walker, context);
}

/* Tells whether an expression, or a subquery in it, has any column. */
bool
steward_has_vars(Node *node)
{
	return has_vars_walker(node, NULL);
}

static bool
has_outer_var_walker(Node *node, void *context)
{
	int		   *level = context;

	if (node == NULL)
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

/* Tells whether an expression has a column of the condition's query, or of one around that. */
static bool
has_outer_var(Node *node, int level)
{
	return has_outer_var_walker(node, &level);
}

/*
 * Tells whether an expression is the tenant column of another table of a view that
 * is known to give rows of the context's tenant only.
 */
static bool
is_bound_column(TenantFacts *facts, Node *node, int level)
{
	bool		casts = false;
	const TenantScope *scope = facts->scope;
	Var		   *var = (Var *) steward_strip_casts(node, &casts);

	if (var == NULL || !IsA(var, Var) || var->varlevelsup < level)
		return false;
	for (int up = level; scope != NULL && up < var->varlevelsup; up++)
		scope = scope->outer;
	return scope != NULL && var->varno <= scope->ntables &&
		var->varattno != InvalidAttrNumber && var->varattno == scope->bound[var->varno - 1];
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

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var		   *var = (Var *) node;

		return var->varlevelsup == search->level && var->varno == search->varno &&
			var->varattno == search->column;
	}
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

/* Tells whether an expression, or a subquery in it, has the tenant column of the row. */
bool
steward_mentions_tenant(TenantFacts *facts, Node *node, int level)
{
	ColumnSearch search = {facts->column, level, facts->varno};

	return mentions_column_walker(node, &search);
}

/*
 * Tells whether an expression is current_setting(), which is an empty string once a
 * transaction has set what it reads.
 */
static bool
is_setting(Node *node)
{
	bool		ignored = false;
	Node	   *selected;

	node = steward_strip_casts(node, &ignored);
	if (node == NULL)
		return false;
	selected = steward_scalar_select(node);
	if (selected != NULL)
		return is_setting(selected);
	return IsA(node, FuncExpr) && (((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT ||
								   ((FuncExpr *) node)->funcid == F_CURRENT_SETTING_TEXT_BOOL);
}

/* Tells whether one of the expressions of a list is, or may be, a constant other than "nothing". */
static bool is_fixed(Node *node, Const *nothing);

static bool
any_fixed(List *list, Const *nothing)
{
	ListCell   *lc;

	foreach(lc, list)
	{
		if (is_fixed(lfirst(lc), nothing))
			return true;
	}
	return false;
}

/*
 * Tells whether what a column is compared with is, or may be, a constant: a tenant
 * for who has set none.  "nothing" is what NULLIF takes for null, or NULL.
 */
static bool
is_fixed(Node *node, Const *nothing)
{
	Node	   *inner = steward_cast_argument(node);

	check_stack_depth();
	if (inner == NULL)
		inner = steward_scalar_select(node);
	if (inner != NULL)
		return is_fixed(inner, nothing);
	switch (nodeTag(node))
	{
		case T_Const:
			return !((Const *) node)->constisnull && !(nothing != NULL && equal(node, nothing));
		case T_ArrayExpr:
			return any_fixed(((ArrayExpr *) node)->elements, nothing);
		case T_CoalesceExpr:
			return any_fixed(((CoalesceExpr *) node)->args, nothing);
		case T_MinMaxExpr:
			return any_fixed(((MinMaxExpr *) node)->args, nothing);
		case T_NullIfExpr:
			{
				Node	   *null_value = lsecond(((NullIfExpr *) node)->args);

				return is_fixed(linitial(((NullIfExpr *) node)->args),
								IsA(null_value, Const) ? (Const *) null_value : nothing);
			}
		case T_CaseExpr:
			{
				CaseExpr   *expr = (CaseExpr *) node;
				ListCell   *lc;

				foreach(lc, expr->args)
				{
					if (is_fixed((Node *) lfirst_node(CaseWhen, lc)->result, nothing))
						return true;
				}
				return expr->defresult != NULL && is_fixed((Node *) expr->defresult, nothing);
			}
		case T_FuncExpr:
			inner = steward_function_value(((FuncExpr *) node)->funcid);
			if (inner != NULL && !steward_has_vars(inner))
				return is_fixed(inner, nothing);
			break;
		default:
			break;
	}
	return !steward_asks_context(node);
}

/*
 * Tells whether a row is the tenant's because the tenant column is the value of an
 * expression without columns, or an element of it; if not, adds why to "gaps".
 */
static bool
value_implies(TenantFacts *facts, Node *column, Node *value, int level, TenantGap *gaps)
{
	bool		ignored = false;
	Oid			type = getBaseType(exprType(steward_strip_casts(column, &ignored)));

	/* of whose rows there is a list, a query has to ask */
	if (level == 0 && steward_has_vars(value) && !steward_asks_context(value))
	{
		*gaps |= GAP_OTHER;
		return false;
	}
	if ((type == TEXTOID || type == VARCHAROID || type == BPCHAROID) && is_setting(value))
	{
		*gaps |= GAP_EMPTY;
		return false;
	}
	facts->fixed |= !steward_has_vars(value) && is_fixed(value, NULL);
	return true;
}

/*
 * Tells whether a row is the tenant's because two expressions are equal, or one is
 * an element of the other; if not, adds why to "gaps".
 */
bool
steward_equality_implies_tenant(TenantFacts *facts, Node *left, Node *right, int level, TenantGap *gaps)
{
	for (int turn = 0; turn < 2; turn++)
	{
		bool		casts = false;
		bool		ignored = false;
		Node	   *mine = turn == 0 ? left : right;
		Node	   *other = turn == 0 ? right : left;
		AttrNumber	column = steward_row_column(facts, mine, level, &casts);

		if (column == InvalidAttrNumber)
			continue;
		if (has_outer_var(other, level))
		{
			if (column != facts->column)
				continue;
			if (is_bound_column(facts, other, level))
				return true;
			if (!steward_mentions_tenant(facts, other, level))
				continue;
			*gaps |= steward_row_column(facts, other, level, &ignored) != InvalidAttrNumber ||
				!steward_asks_context(other) ? GAP_TAUTOLOGY : GAP_FAIL_OPEN;
			return false;
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
			*gaps |= steward_names_user(facts->relation, column, other) ? GAP_USER : GAP_COLUMN;
			return false;
		}
	}
	*gaps |= equal(left, right) ? GAP_TAUTOLOGY : GAP_OTHER;
	return false;
}

/*
 * Tells whether conditions that must all be met have the tenant column between a
 * value and the same value.
 */
bool
steward_range_implies_tenant(TenantFacts *facts, List *conditions, int level)
{
	Node	   *least = NULL;
	Node	   *most = NULL;
	Node	   *column = NULL;
	TenantGap	ignored = GAP_NONE;
	ListCell   *lc;

	foreach(lc, conditions)
	{
		OpExpr	   *op = lfirst(lc);
		bool		casts = false;
		TypeCacheEntry *type;
		int			strategy;

		if (!IsA(op, OpExpr) || list_length(op->args) != 2 ||
			steward_row_column(facts, linitial(op->args), level, &casts) != facts->column ||
			has_outer_var(lsecond(op->args), level))
			continue;
		column = linitial(op->args);
		type = lookup_type_cache(getBaseType(exprType(column)), TYPECACHE_BTREE_OPFAMILY);
		strategy = get_op_opfamily_strategy(op->opno, type->btree_opf);
		if (strategy == BTGreaterEqualStrategyNumber)
			least = lsecond(op->args);
		else if (strategy == BTLessEqualStrategyNumber)
			most = lsecond(op->args);
	}
	return least != NULL && equal(least, most) && !contain_volatile_functions(least) &&
		value_implies(facts, column, least, level, &ignored);
}
