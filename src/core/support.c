/*
 * support.c
 *		Planner support of functions that stand for an operator.
 *
 * A policy lets no condition be tried on rows before it that is not leakproof,
 * and the server does not say so of most operators, however little they tell: no
 * index serves them where policies hold.  A function that is leakproof and does
 * the same keeps the index, if the planner knows what it stands for.
 */
#include "core/core.h"

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/plancat.h"
#include "utils/lsyscache.h"

/*
 * Answers the planner's request about a call of a function: the estimates and
 * the indexes of an operator, carried out by "function", on the same arguments.
 * Returns what the support function is to return.
 */
Node *
steward_support_as_operator(Node *request, Oid operator, Oid function)
{
	if (IsA(request, SupportRequestSelectivity))
	{
		SupportRequestSelectivity *wanted = (SupportRequestSelectivity *) request;

		wanted->selectivity = wanted->is_join ?
			join_selectivity(wanted->root, operator, wanted->args, wanted->inputcollid,
							 wanted->jointype, wanted->sjinfo) :
			restriction_selectivity(wanted->root, operator, wanted->args, wanted->inputcollid,
									wanted->varRelid);
		return request;
	}
	if (IsA(request, SupportRequestIndexCondition))
	{
		SupportRequestIndexCondition *wanted = (SupportRequestIndexCondition *) request;
		List	   *args = IsA(wanted->node, FuncExpr) ? ((FuncExpr *) wanted->node)->args : ((OpExpr *) wanted->node)->args;
		Expr	   *condition;

		if (wanted->indexarg != 0 || !op_in_opfamily(operator, wanted->opfamily) ||
			!is_pseudo_constant_for_index(wanted->root, lsecond(args), wanted->index))
			return NULL;
		condition = make_opclause(operator, BOOLOID, false, linitial(args), lsecond(args),
								  InvalidOid, wanted->indexcollation);
		((OpExpr *) condition)->opfuncid = function;
		wanted->lossy = false;
		return (Node *) list_make1(condition);
	}
	return NULL;
}
