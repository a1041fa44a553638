/*
 * tenant_check_value.c
 *		What the parts of a policy's expression are worth: casts, comparisons, the
 *		context, and what it is where no tenant is set.
 */
#include "tenant_check/tenant_check.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Views in views beyond this are not looked into: their definitions may be circular. */
#define MAX_VIEW_DEPTH 16

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * The expression without conversions that keep different values different; says
 * whether there were any that compute.
 */
Node *
steward_strip_casts(Node *node, bool *casts)
{
	while (node)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CollateExpr))
			node = (Node *) ((CollateExpr *) node)->arg;
		else if (IsA(node, CoerceToDomain))
			node = (Node *) ((CoerceToDomain *) node)->arg;
		else if (IsA(node, CoerceViaIO))
		{
			CoerceViaIO *cast = (CoerceViaIO *) node;
			Oid			source = getBaseType(exprType((Node *) cast->arg));

			if ((cast->resulttype != TEXTOID && cast->resulttype != VARCHAROID) ||
				!(is_integer(source) || source == UUIDOID || source == NAMEOID || type_is_enum(source)))
				break;
			*casts = true;
			node = (Node *) cast->arg;
		}
		else if (IsA(node, FuncExpr))
		{
			FuncExpr   *cast = (FuncExpr *) node;

			if ((cast->funcformat != COERCE_EXPLICIT_CAST && cast->funcformat != COERCE_IMPLICIT_CAST) ||
				cast->funcid >= FirstNormalObjectId || list_length(cast->args) != 1 ||
				!is_integer(getBaseType(exprType(linitial(cast->args)))) ||
				!(is_integer(cast->funcresulttype) || cast->funcresulttype == NUMERICOID))
				break;
			*casts = true;
			node = linitial(cast->args);
		}
		else
			break;
	}
	return node;
}

static bool
has_collate_walker(Node *node, void *context)
{
	if (!node)
		return false;
	return IsA(node, CollateExpr) || expression_tree_walker(node, has_collate_walker, context);
}

/*
 * True if an operator compares for equality and nothing else.  Anybody can make
 * an operator named = and say that it merges and hashes, but only a superuser can
 * put it into a family.
 */
bool
steward_is_equality(Oid operator, Oid collation, List *args)
{
	Oid			left_hash,
				right_hash;

	/* a collation asked for may have other names be the same */
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation) &&
		has_collate_walker((Node *) args, NULL))
		return false;
	return get_mergejoin_opfamilies(operator) != NIL ||
		get_op_hash_functions(operator, &left_hash, &right_hash);
}

/* True of functions whose value is who asks; what users make may be that. */
static bool
is_context_function(Oid function)
{
	static const char *const names[] = {
		"current_setting", "current_user", "session_user", "system_user", "getpgusername", "pg_has_role",
		"current_schema", "current_schemas", "current_database", "inet_client_addr",
	};
	char	   *name;

	if (function >= FirstNormalObjectId)
		return true;
	name = get_func_name(function);
	for (int i = 0; name && i < lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static bool query_asks_context(Query *query, int depth);

/* True if a table's own policies, or what a view selects, keep its rows to those of the context. */
static bool
relation_asks_context(Oid relation, int depth)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool		secured;
	char		kind;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	secured = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);
	if (kind == RELKIND_VIEW && depth < MAX_VIEW_DEPTH)
	{
		Query	   *query = steward_view_query(relation);

		found = query && query_asks_context(query, depth + 1);
	}
	return secured || found;
}

static bool
asks_context_walker(Node *node, void *context)
{
	int			depth = *(int *) context;

	if (!node)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_Query:
			return query_asks_context((Query *) node, depth);
		case T_RangeTblEntry:
			{
				RangeTblEntry *entry = (RangeTblEntry *) node;

				/* a query that refers to itself adds to what it has */
				if (entry->rtekind == RTE_CTE)
					return entry->self_reference;
				return entry->rtekind == RTE_RELATION && relation_asks_context(entry->relid, depth);
			}
		case T_Param:
			return true;
		case T_SQLValueFunction:
			switch (((SQLValueFunction *) node)->op)
			{
				case SVFOP_CURRENT_ROLE:
				case SVFOP_CURRENT_USER:
				case SVFOP_USER:
				case SVFOP_SESSION_USER:
				case SVFOP_CURRENT_CATALOG:
				case SVFOP_CURRENT_SCHEMA:
					return true;
				default:
					return false;
			}
		case T_FuncExpr:
			if (is_context_function(((FuncExpr *) node)->funcid))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, asks_context_walker, context);
}

/* True if every arm of a query asks for the context. */
static bool
arm_asks_context(Query *query, Node *arm, int depth)
{
	if (IsA(arm, RangeTblRef))
	{
		RangeTblEntry *entry = list_nth(query->rtable, ((RangeTblRef *) arm)->rtindex - 1);

		return entry->rtekind == RTE_SUBQUERY && query_asks_context(entry->subquery, depth);
	}
	else
	{
		SetOperationStmt *operation = castNode(SetOperationStmt, arm);
		bool		left = arm_asks_context(query, operation->larg, depth);

		if (operation->op == SETOP_EXCEPT)
			return left;
		return operation->op == SETOP_UNION ? left && arm_asks_context(query, operation->rarg, depth)
			: left || arm_asks_context(query, operation->rarg, depth);
	}
}

static bool
query_asks_context(Query *query, int depth)
{
	ListCell   *cell;

	/* by name, common table expressions are as good as what they are made of */
	if (query->setOperations)
		return arm_asks_context(query, query->setOperations, depth);
	foreach(cell, query->rtable)
		if (asks_context_walker(lfirst(cell), &depth))
		return true;
	return query_tree_walker(query, asks_context_walker, &depth, 0);
}

/* True if the value of an expression, or the rows of a query, depend on who asks. */
bool
steward_asks_context(Node *node)
{
	int			depth = 0;

	return asks_context_walker(node, &depth);
}

/* What a view selects, or NULL; takes no lock. */
Query *
steward_view_query(Oid view)
{
	HeapTuple	tuple = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(view), PointerGetDatum(ViewSelectRuleName));
	Datum		action;
	bool		isnull;
	List	   *queries;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	action = SysCacheGetAttr(RULERELNAME, tuple, Anum_pg_rewrite_ev_action, &isnull);
	queries = isnull ? NIL : stringToNode(TextDatumGetCString(action));
	ReleaseSysCache(tuple);
	return queries == NIL ? NULL : linitial_node(Query, queries);
}

/*
 * What an expression without columns is where no tenant is set: a constant, or
 * NULL if that cannot be told.  Not set is null, or, if empty, an empty string.
 */
static Const *
value_without_context(Node *node, bool empty)
{
	if (!node)
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
		case T_CoerceToDomain:
			{
				Node	   *arg = (Node *) (IsA(node, CoerceViaIO) ? ((CoerceViaIO *) node)->arg : ((CoerceToDomain *) node)->arg);
				Const	   *value = value_without_context(arg, empty);

				return value && value->constisnull ? makeNullConst(exprType(node), -1, InvalidOid) : NULL;
			}
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
				if (steward_asks_context((Node *) call->args) || !steward_asks_context(node))
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
					steward_is_equality(op->opno, op->inputcollid, op->args))
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
bool
steward_true_without_context(Node *node)
{
	if (exprType(node) != BOOLOID)
		return false;
	for (int empty = 0; empty <= 1; empty++)
	{
		Const	   *value = value_without_context(node, empty);

		if (value && !value->constisnull && value->consttype == BOOLOID && DatumGetBool(value->constvalue))
			return true;
	}
	return false;
}
