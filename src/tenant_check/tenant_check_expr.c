/*
 * tenant_check_expr.c
 *		Whether the rows that meet an expression are a tenant's and, if not, why.
 *
 * Each kind of node has a function that tells whether a row that meets it belongs
 * to the tenant of the context and, if not, adds the reasons to "gaps".  "level" is
 * the number of queries between the node and the policy.
 */
#include "tenant_check/tenant_check_internal.h"

#include "access/transam.h"
#include "catalog/pg_operator.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"

static const struct
{
	TenantGap	gap;
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

static bool implies_tenant(TenantFacts *facts, Node *node, int level, TenantGap *gaps);

/* Returns the name of a function of schema steward, NULL for any other. */
static const char *
steward_function_name(Oid function)
{
	char	   *schema = get_namespace_name(get_func_namespace(function));

	return schema != NULL && strcmp(schema, "steward") == 0 ? get_func_name(function) : NULL;
}

/* Tells whether a function says by its name that a column is the context's. */
bool
steward_is_context_predicate(Oid function)
{
	const char *name = steward_function_name(function);

	return name != NULL &&
		(strcmp(name, "is_current_tenant") == 0 || strcmp(name, "is_current_tenant_folded") == 0 ||
		 strcmp(name, "is_current_user") == 0);
}

/* Returns what lets rows pass a branch that has no condition on the tenant, while others have one. */
static TenantGap
branch_gap(Node *branch, int level, TenantGap gaps)
{
	if (gaps & (GAP_FAIL_OPEN | GAP_TAUTOLOGY | GAP_NULL | GAP_EMPTY | GAP_CONSTANT | GAP_OR))
		return gaps & ~(GAP_OTHER | GAP_COLUMN | GAP_USER);
	if (!contain_vars_of_level(branch, level) && steward_true_without_context(branch))
		return GAP_FAIL_OPEN;
	return GAP_OR;
}

static bool
const_implies(Const *constant, TenantGap *gaps)
{
	if (constant->constisnull || !DatumGetBool(constant->constvalue))
		return true;
	*gaps |= GAP_CONSTANT;
	return false;
}

static bool
has_user_operator_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if ((IsA(node, OpExpr) && ((OpExpr *) node)->opno >= FirstNormalObjectId) ||
		(IsA(node, ScalarArrayOpExpr) && ((ScalarArrayOpExpr *) node)->opno >= FirstNormalObjectId))
		return true;
	return expression_tree_walker(node, has_user_operator_walker, context);
}

/* x IS NOT DISTINCT FROM y. */
static bool
not_distinct_implies(TenantFacts *facts, DistinctExpr *distinct, int level, TenantGap *gaps)
{
	List	   *args = distinct->args;

	if (!steward_is_equality(distinct->opno, distinct->inputcollid, args))
	{
		*gaps |= GAP_OTHER;
		return false;
	}
	if (!steward_equality_implies_tenant(facts, linitial(args), lsecond(args), level, gaps))
		return false;
	facts->not_distinct = true;
	return true;
}

/* A condition that must not be true. */
static bool
negation_implies(TenantFacts *facts, Node *node, int level, TenantGap *gaps)
{
	/* anybody can make an operator and say of another that it negates it */
	if (!has_user_operator_walker(node, NULL))
	{
		Node	   *negated = negate_clause(node);
		BoolExpr   *expr = (BoolExpr *) negated;

		/* else nothing has come of it but a NOT */
		if (!IsA(expr, BoolExpr) || expr->boolop != NOT_EXPR || IsA(linitial(expr->args), DistinctExpr))
			return implies_tenant(facts, negated, level, gaps);
	}
	*gaps |= GAP_OTHER;
	return false;
}

static bool
and_implies(TenantFacts *facts, List *args, int level, TenantGap *gaps)
{
	TenantGap	found = GAP_NONE;
	bool		some = steward_range_implies_tenant(facts, args, level);
	ListCell   *lc;

	if (some)
		return true;
	foreach(lc, args)
	{
		some |= implies_tenant(facts, lfirst(lc), level, &found);
	}
	/* true and something is something */
	if (found & ~GAP_CONSTANT)
		found &= ~GAP_CONSTANT;
	if (!some)
		*gaps |= found;
	return some;
}

static bool
or_implies(TenantFacts *facts, List *args, int level, TenantGap *gaps)
{
	TenantGap	found = GAP_NONE;
	bool		some = false;
	bool		all = true;
	ListCell   *lc;

	foreach(lc, args)
	{
		TenantGap	gap = GAP_NONE;

		if (implies_tenant(facts, lfirst(lc), level, &gap))
			some = true;
		else
		{
			all = false;
			/* as two policies would, it adds the rows of the user */
			found |= (gap & ~GAP_OTHER) == GAP_USER ? GAP_USER : branch_gap(lfirst(lc), level, gap) | (gap & GAP_COLUMN);
		}
	}
	if (all)
		return true;
	if (found & ~GAP_USER)
		found &= ~GAP_USER;
	if (!some && (found & GAP_COLUMN))
		found &= ~GAP_OR;
	else if (!some && found == GAP_OR)
		found = GAP_OTHER;
	else
		found &= ~GAP_COLUMN;
	*gaps |= found;
	return false;
}

static bool
bool_implies(TenantFacts *facts, BoolExpr *expr, int level, TenantGap *gaps)
{
	if (expr->boolop == AND_EXPR)
		return and_implies(facts, expr->args, level, gaps);
	if (expr->boolop == OR_EXPR)
		return or_implies(facts, expr->args, level, gaps);
	if (IsA(linitial(expr->args), DistinctExpr))
		return not_distinct_implies(facts, linitial(expr->args), level, gaps);
	return negation_implies(facts, linitial(expr->args), level, gaps);
}

static bool
op_implies(TenantFacts *facts, OpExpr *op, int level, TenantGap *gaps)
{
	if (op->opno == BooleanEqualOperator && IsA(lsecond(op->args), Const))
	{
		Const	   *wanted = lsecond(op->args);

		if (wanted->constisnull)
			return true;
		return DatumGetBool(wanted->constvalue) ?
			implies_tenant(facts, linitial(op->args), level, gaps) :
			negation_implies(facts, linitial(op->args), level, gaps);
	}
	if (list_length(op->args) == 2 && steward_is_equality(op->opno, op->inputcollid, op->args))
		return steward_equality_implies_tenant(facts, linitial(op->args), lsecond(op->args), level, gaps);
	*gaps |= GAP_OTHER;
	return false;
}

/* x = ANY (array) and x = ALL (array). */
static bool
array_op_implies(TenantFacts *facts, ScalarArrayOpExpr *op, int level, TenantGap *gaps)
{
	if (op->useOr && steward_is_equality(op->opno, op->inputcollid, op->args))
		return steward_equality_implies_tenant(facts, linitial(op->args), lsecond(op->args), level, gaps);
	*gaps |= GAP_OTHER;
	return false;
}

/* A function of the tenant column is taken for one that compares it with the context. */
static bool
call_implies(TenantFacts *facts, FuncExpr *call, int level, TenantGap *gaps)
{
	ListCell   *lc;

	foreach(lc, call->args)
	{
		bool		casts = false;
		AttrNumber	column = steward_row_column(facts, lfirst(lc), level, &casts);

		if (column == facts->column && call->funcid >= FirstNormalObjectId)
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			return true;
		}
		if (column != InvalidAttrNumber && steward_is_context_predicate(call->funcid))
		{
			facts->columns = list_append_unique_int(facts->columns, column);
			*gaps |= strcmp(steward_function_name(call->funcid), "is_current_user") == 0 ?
				GAP_USER : GAP_COLUMN;
			return false;
		}
	}
	*gaps |= GAP_OTHER;
	return false;
}

/* Never true: a row without a tenant is nobody's.  What there is to tell is why it is asked for. */
static bool
null_test_implies(TenantFacts *facts, NullTest *test, int level, TenantGap *gaps)
{
	bool		casts = false;

	if (test->nulltesttype == IS_NULL &&
		steward_row_column(facts, (Node *) test->arg, level, &casts) == facts->column)
		*gaps |= GAP_NULL;
	else if (!contain_vars_of_level((Node *) test, level) && steward_true_without_context((Node *) test))
		*gaps |= GAP_FAIL_OPEN;
	else
		*gaps |= GAP_OTHER;
	return false;
}

static bool
boolean_test_implies(TenantFacts *facts, BooleanTest *test, int level, TenantGap *gaps)
{
	TenantGap	ignored = GAP_NONE;

	if (test->booltesttype == IS_TRUE)
		return implies_tenant(facts, (Node *) test->arg, level, gaps);
	if (test->booltesttype == IS_FALSE)
		return negation_implies(facts, (Node *) test->arg, level, gaps);
	*gaps |= implies_tenant(facts, (Node *) test->arg, level, &ignored) &&
		test->booltesttype == IS_NOT_FALSE ? GAP_FAIL_OPEN : GAP_OTHER;
	return false;
}

static bool
coalesce_implies(TenantFacts *facts, CoalesceExpr *expr, int level, TenantGap *gaps)
{
	TenantGap	found = GAP_NONE;
	bool		some = false;
	bool		all = true;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		if (implies_tenant(facts, lfirst(lc), level, &found))
			some = true;
		else
			all = false;
	}
	if (!all)
		*gaps |= some ? GAP_FAIL_OPEN : found;
	return all;
}

/* WHEN of a CASE; in CASE x WHEN y it stands for x = y. */
static bool
when_implies(TenantFacts *facts, CaseExpr *expr, CaseWhen *when, int level, TenantGap *gaps)
{
	OpExpr	   *op = (OpExpr *) when->expr;
	bool		casts = false;
	TenantGap	ignored = GAP_NONE;

	if (expr->arg == NULL)
		return implies_tenant(facts, (Node *) when->expr, level, gaps);
	return IsA(op, OpExpr) && list_length(op->args) == 2 &&
		steward_is_equality(op->opno, op->inputcollid, op->args) &&
		IsA(steward_strip_casts(linitial(op->args), &casts), CaseTestExpr) &&
		steward_equality_implies_tenant(facts, (Node *) expr->arg, lsecond(op->args), level, &ignored);
}

static bool
case_implies(TenantFacts *facts, CaseExpr *expr, int level, TenantGap *gaps)
{
	bool		all = true;
	TenantGap	gap = GAP_NONE;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		CaseWhen   *when = lfirst(lc);

		gap = GAP_NONE;
		if (when_implies(facts, expr, when, level, &gap) ||
			implies_tenant(facts, (Node *) when->result, level, &gap))
			continue;
		all = false;
		*gaps |= expr->arg != NULL ? GAP_OR :
			branch_gap((Node *) when->expr, level, gap & ~GAP_CONSTANT);
	}

	gap = GAP_NONE;
	if (expr->defresult != NULL && !implies_tenant(facts, (Node *) expr->defresult, level, &gap))
	{
		all = false;
		*gaps |= branch_gap((Node *) expr->defresult, level, gap);
	}
	return all;
}

/* The conditions of a subquery's FROM and WHERE. */
static bool
from_implies(TenantFacts *facts, Node *node, int level, TenantGap *gaps)
{
	if (node == NULL)
		return false;
	if (IsA(node, FromExpr))
	{
		FromExpr   *from = (FromExpr *) node;
		ListCell   *lc;

		if (from->quals != NULL && implies_tenant(facts, from->quals, level, gaps))
			return true;
		foreach(lc, from->fromlist)
		{
			if (from_implies(facts, lfirst(lc), level, gaps))
				return true;
		}
	}
	else if (IsA(node, JoinExpr) && ((JoinExpr *) node)->jointype == JOIN_INNER)
	{
		JoinExpr   *join = (JoinExpr *) node;

		return (join->quals != NULL && implies_tenant(facts, join->quals, level, gaps)) ||
			from_implies(facts, join->larg, level, gaps) ||
			from_implies(facts, join->rarg, level, gaps);
	}
	return false;
}

static bool
sublink_implies(TenantFacts *facts, SubLink *link, int level, TenantGap *gaps)
{
	Query	   *query = (Query *) link->subselect;
	Node	   *selected = steward_scalar_select((Node *) link);
	TenantGap	gap = GAP_NONE;

	if (selected != NULL)
		return implies_tenant(facts, selected, level + 1, gaps);
	if (steward_asks_context((Node *) query))
	{
		bool		aggregates = query->hasAggs || query->havingQual != NULL;

		/* a list that is made of the row has what the row has */
		if (link->subLinkType == ANY_SUBLINK &&
			!steward_mentions_tenant(facts, (Node *) query, level) &&
			implies_tenant(facts, link->testexpr, level, &gap))
			return true;
		/* an aggregate of no rows is a row */
		if ((link->subLinkType == EXISTS_SUBLINK || link->subLinkType == ANY_SUBLINK) &&
			!(aggregates && query->groupClause == NIL) && query->groupingSets == NIL &&
			from_implies(facts, (Node *) query->jointree, level + 1, &gap))
			return true;
	}
	*gaps |= gap & GAP_COLUMN ? GAP_COLUMN : gap & GAP_USER ? GAP_USER : GAP_OTHER;
	return false;
}

static bool
implies_tenant(TenantFacts *facts, Node *node, int level, TenantGap *gaps)
{
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_RelabelType:
			return implies_tenant(facts, (Node *) ((RelabelType *) node)->arg, level, gaps);
		case T_CoerceToDomain:
			return implies_tenant(facts, (Node *) ((CoerceToDomain *) node)->arg, level, gaps);
		case T_Const:
			return const_implies((Const *) node, gaps);
		case T_BoolExpr:
			return bool_implies(facts, (BoolExpr *) node, level, gaps);
		case T_OpExpr:
			return op_implies(facts, (OpExpr *) node, level, gaps);
		case T_ScalarArrayOpExpr:
			return array_op_implies(facts, (ScalarArrayOpExpr *) node, level, gaps);
		case T_FuncExpr:
			return call_implies(facts, (FuncExpr *) node, level, gaps);
		case T_NullTest:
			return null_test_implies(facts, (NullTest *) node, level, gaps);
		case T_BooleanTest:
			return boolean_test_implies(facts, (BooleanTest *) node, level, gaps);
		case T_CoalesceExpr:
			return coalesce_implies(facts, (CoalesceExpr *) node, level, gaps);
		case T_CaseExpr:
			return case_implies(facts, (CaseExpr *) node, level, gaps);
		case T_SubLink:
			return sublink_implies(facts, (SubLink *) node, level, gaps);
		default:
			*gaps |= GAP_OTHER;
			return false;
	}
}

/* Tells whether a row that meets a condition of a query belongs to the tenant of the context. */
bool
steward_implies_tenant(TenantFacts *facts, Node *condition)
{
	TenantGap	ignored = GAP_NONE;

	return implies_tenant(facts, condition, 0, &ignored);
}

/*
 * Tells whether a row that meets a policy's expression belongs to the tenant of the
 * context; if not, "names" gets the names of the reasons, as strings.
 */
bool
steward_tenant_gaps(TenantFacts *facts, Node *expression, List **names)
{
	TenantGap	gaps = GAP_NONE;
	bool		implied = implies_tenant(facts, expression, 0, &gaps);

	*names = NIL;
	for (int i = 0; !implied && i < lengthof(gap_names); i++)
		if (gaps & gap_names[i].gap)
			*names = lappend(*names, makeString(pstrdup(gap_names[i].name)));
	return implied;
}
