/*
 * tenant_check_unset.c
 *		What a policy's expression is where no tenant is set.
 */
#include "tenant_check/tenant_check_internal.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

static Const *value_without_context(Node *node, bool empty);

/* A strict function of null is null; one that asks for the context itself gives what is not set. */
static Const *
call_without_context(FuncExpr *call, bool empty)
{
	ListCell   *lc;

	foreach(lc, call->args)
	{
		Const	   *arg = value_without_context(lfirst(lc), empty);

		if (arg != NULL && arg->constisnull && func_strict(call->funcid))
			return makeNullConst(call->funcresulttype, -1, InvalidOid);
	}
	if (steward_asks_context((Node *) call->args) || !steward_asks_context((Node *) call))
		return NULL;
	if (empty && call->funcresulttype == TEXTOID)
		return makeConst(TEXTOID, -1, call->funccollid, -1, CStringGetTextDatum(""), false, false);
	return makeNullConst(call->funcresulttype, -1, InvalidOid);
}

/* Comparisons, and NULLIF, which is laid out like one. */
static Const *
op_without_context(OpExpr *op, bool empty)
{
	Const	   *left = value_without_context(linitial(op->args), empty);
	Const	   *right = list_length(op->args) > 1 ? value_without_context(lsecond(op->args), empty) : left;
	bool		same = left != NULL && right != NULL && !left->constisnull && !right->constisnull &&
		left->constlen == right->constlen &&
		datumIsEqual(left->constvalue, right->constvalue, left->constbyval, left->constlen);

	if (IsA(op, NullIfExpr))
		return same ? makeNullConst(op->opresulttype, -1, InvalidOid) : left;
	if ((left != NULL && left->constisnull) || (right != NULL && right->constisnull))
		return makeNullConst(op->opresulttype, -1, InvalidOid);
	if (left != NULL && right != NULL && list_length(op->args) == 2 &&
		steward_is_equality(op->opno, op->inputcollid, op->args))
		return (Const *) makeBoolConst(same, false);
	return NULL;
}

static Const *
coalesce_without_context(CoalesceExpr *expr, bool empty)
{
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		Const	   *arg = value_without_context(lfirst(lc), empty);

		if (arg == NULL || !arg->constisnull)
			return arg;
	}
	return makeNullConst(expr->coalescetype, -1, InvalidOid);
}

static Const *
null_test_without_context(NullTest *test, bool empty)
{
	Const	   *arg = value_without_context((Node *) test->arg, empty);

	if (arg == NULL)
		return NULL;
	return (Const *) makeBoolConst(arg->constisnull == (test->nulltesttype == IS_NULL), false);
}

static Const *
boolean_test_without_context(BooleanTest *test, bool empty)
{
	Const	   *arg = value_without_context((Node *) test->arg, empty);
	bool		null;
	bool		yes;
	bool		result = false;

	if (arg == NULL)
		return NULL;
	null = arg->constisnull;
	yes = !null && DatumGetBool(arg->constvalue);
	switch (test->booltesttype)
	{
		case IS_TRUE:
			result = yes;
			break;
		case IS_NOT_TRUE:
			result = !yes;
			break;
		case IS_FALSE:
			result = !null && !yes;
			break;
		case IS_NOT_FALSE:
			result = null || yes;
			break;
		case IS_UNKNOWN:
			result = null;
			break;
		case IS_NOT_UNKNOWN:
			result = !null;
			break;
	}
	return (Const *) makeBoolConst(result, false);
}

static Const *
bool_without_context(BoolExpr *expr, bool empty)
{
	bool		deciding = expr->boolop == OR_EXPR;
	bool		unknown = false;
	bool		null = false;
	ListCell   *lc;

	foreach(lc, expr->args)
	{
		Const	   *arg = value_without_context(lfirst(lc), empty);

		if (expr->boolop == NOT_EXPR)
			return arg == NULL || arg->constisnull ? arg :
				(Const *) makeBoolConst(!DatumGetBool(arg->constvalue), false);
		if (arg == NULL)
			unknown = true;
		else if (arg->constisnull)
			null = true;
		else if (DatumGetBool(arg->constvalue) == deciding)
			return arg;
	}
	return unknown ? NULL : (Const *) makeBoolConst(!deciding, null);
}

/* A conversion of null is null; of anything else it cannot be told. */
static Const *
cast_without_context(Node *cast, Expr *arg, bool empty)
{
	Const	   *value = value_without_context((Node *) arg, empty);

	return value != NULL && value->constisnull ? makeNullConst(exprType(cast), -1, InvalidOid) : NULL;
}

/*
 * Returns what an expression without columns is where no tenant is set: a constant,
 * or NULL if that cannot be told.  What is not set is null or, if "empty", an empty
 * string.
 */
static Const *
value_without_context(Node *node, bool empty)
{
	if (node == NULL)
		return NULL;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_Const:
			return (Const *) node;
		case T_RelabelType:
			return value_without_context((Node *) ((RelabelType *) node)->arg, empty);
		case T_CollateExpr:
			return value_without_context((Node *) ((CollateExpr *) node)->arg, empty);
		case T_CoerceViaIO:
			return cast_without_context(node, ((CoerceViaIO *) node)->arg, empty);
		case T_CoerceToDomain:
			return cast_without_context(node, ((CoerceToDomain *) node)->arg, empty);
		case T_SubLink:
			return value_without_context(steward_scalar_select(node), empty);
		case T_FuncExpr:
			return call_without_context((FuncExpr *) node, empty);
		case T_NullIfExpr:
		case T_OpExpr:
			return op_without_context((OpExpr *) node, empty);
		case T_CoalesceExpr:
			return coalesce_without_context((CoalesceExpr *) node, empty);
		case T_NullTest:
			return null_test_without_context((NullTest *) node, empty);
		case T_BooleanTest:
			return boolean_test_without_context((BooleanTest *) node, empty);
		case T_BoolExpr:
			return bool_without_context((BoolExpr *) node, empty);
		default:
			return NULL;
	}
}

/* Tells whether a condition without columns holds where no tenant is set. */
bool
steward_true_without_context(Node *node)
{
	if (exprType(node) != BOOLOID)
		return false;
	for (int empty = 0; empty <= 1; empty++)
	{
		Const	   *value = value_without_context(node, empty);

		if (value != NULL && !value->constisnull && value->consttype == BOOLOID && DatumGetBool(value->constvalue))
			return true;
	}
	return false;
}
