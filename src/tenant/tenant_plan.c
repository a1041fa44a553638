/*
 * tenant_plan.c
 *		is_current_tenant(column), is_current_tenant_folded(column) and
 *		is_current_user(column): one name for all types of column, planned as the
 *		comparison that it stands for.
 */
#include "tenant/tenant_internal.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/plannodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/planmain.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

/* A type of column, and what it is compared with by which of the server's own operators. */
typedef struct Comparison
{
	Oid			column_type;
	Oid			value_type;
	const char *type_name;		/* in the name of the function that gives the
								 * value */
	Oid			operator;
	RegProcedure equal;			/* the operator's function */
} Comparison;

static const Comparison comparisons[] = {
	{INT2OID, INT4OID, "int", 532, F_INT24EQ},
	{INT4OID, INT4OID, "int", Int4EqualOperator, F_INT4EQ},
	{INT8OID, INT8OID, "bigint", 410, F_INT8EQ},
	{UUIDOID, UUIDOID, "uuid", 2972, F_UUID_EQ},
	{TEXTOID, TEXTOID, "text", TextEqualOperator, F_TEXTEQ},
};

/*
 * The plans that this session has made of is_current_tenant_folded: they have one
 * tenant in them as a constant, or none for want of one.  The last tenant is enough
 * to know: plans for another are gone by then.
 */
static struct
{
	List	   *functions;		/* what they depend on, as hash values; NIL if
								 * there are no such plans */
	char		tenant[STEWARD_TENANT_VALUE_SIZE];
}			folded_plans = {NIL};

static const Comparison *
find_comparison(Oid type)
{
	for (int i = 0; i < lengthof(comparisons); i++)
		if (comparisons[i].column_type == type)
			return &comparisons[i];
	return NULL;
}

/* Raises 42804: columns of this type are not for tenants and users. */
pg_noreturn static void
refuse_type(const char *function, Oid type)
{
	Oid			base = getBaseType(type);
	TypeCacheEntry *entry = OidIsValid(base) ? lookup_type_cache(base, TYPECACHE_EQ_OPR) : NULL;
	RegProcedure equal = entry != NULL && OidIsValid(entry->eq_opr) ? get_opcode(entry->eq_opr) : InvalidOid;
	char	   *name = format_type_be(type);

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s does not take type %s", function, name),
			 !OidIsValid(equal) ? errdetail("Type %s has no operator \"=\".", name) :
			 !get_func_leakproof(equal) ? errdetail("Operator \"=\" of type %s is not leakproof: under a policy, no query could use it with an index.", name) :
			 errdetail("Only columns of types smallint, integer, bigint, uuid, text and varchar can be compared."),
			 errhint("Use a column of type bigint, uuid or text.")));
}

/*
 * Returns the type that an argument had before it was made one that the
 * function takes: such a conversion hides the column from its index.
 */
static Oid
type_before_coercion(Node *arg)
{
	Node	   *inner = arg;

	if (IsA(arg, RelabelType) && ((RelabelType *) arg)->relabelformat == COERCE_IMPLICIT_CAST)
		inner = (Node *) ((RelabelType *) arg)->arg;
	else if (IsA(arg, FuncExpr) && ((FuncExpr *) arg)->funcformat == COERCE_IMPLICIT_CAST)
		inner = linitial(((FuncExpr *) arg)->args);
	else if (IsA(arg, CoerceViaIO) && ((CoerceViaIO *) arg)->coerceformat == COERCE_IMPLICIT_CAST)
		inner = (Node *) ((CoerceViaIO *) arg)->arg;
	return exprType(inner);
}

/* Returns the function without arguments of that name in a schema, InvalidOid if there is none. */
static Oid
find_function(const char *name, Oid schema)
{
	oidvector  *none = buildoidvector(NULL, 0);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
						   PointerGetDatum(none), ObjectIdGetDatum(schema));
}

/* Returns the call of is_current_tenant, is_current_tenant_folded or is_current_user as a comparison. */
static OpExpr *
make_comparison(FuncExpr *call)
{
	char	   *function = get_func_name(call->funcid);
	Node	   *arg = linitial(call->args);
	Oid			type = type_before_coercion(arg);
	Oid			base = getBaseType(type);
	const Comparison *comparison = find_comparison(exprType(arg));
	Oid			value_function;
	OpExpr	   *result;

	if (comparison == NULL)
		comparison = find_comparison(getBaseType(exprType(arg)));
	if (comparison == NULL ||
		(base != comparison->column_type && base != UNKNOWNOID &&
		 !(base == VARCHAROID && comparison->column_type == TEXTOID)))
		refuse_type(psprintf("steward.%s()", function), type);
	if (OidIsValid(call->inputcollid) && !get_collation_isdeterministic(call->inputcollid))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("steward.%s() does not take a column with nondeterministic collation \"%s\"",
						function, get_collation_name(call->inputcollid)),
				 errdetail("Names of different tenants or users may be equal under that collation."),
				 errhint("ALTER TABLE ... ALTER COLUMN ... TYPE text COLLATE \"default\";")));

	value_function = find_function(psprintf("current_%s_%s",
											strcmp(function, "is_current_user") == 0 ? "user_id" : "tenant",
											comparison->type_name),
								   get_func_namespace(call->funcid));
	if (!OidIsValid(value_function))
		elog(ERROR, "cannot plan %s()", function);

	result = (OpExpr *) make_opclause(comparison->operator, BOOLOID, false,
									  (Expr *) arg,
									  (Expr *) makeFuncExpr(value_function, comparison->value_type, NIL,
															comparison->value_type == TEXTOID ? DEFAULT_COLLATION_OID : InvalidOid,
															InvalidOid, COERCE_EXPLICIT_CALL),
									  InvalidOid, call->inputcollid);
	result->opfuncid = comparison->equal;
	result->location = call->location;
	return result;
}

/* Notes that a plan is being made for the present tenant, so that it is not kept for another. */
static void
note_folded_plan(PlannerInfo *root, Oid function)
{
	const char *tenant = steward_tenant_text(STEWARD_TENANT);
	uint32		hash = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(function));
	MemoryContext old = MemoryContextSwitchTo(steward_session_context());

	folded_plans.functions = list_append_unique_int(folded_plans.functions, hash);
	strcpy(folded_plans.tenant, tenant != NULL ? tenant : "");
	MemoryContextSwitchTo(old);
	record_plan_function_dependency(root, function);
}

/*
 * The session has a tenant: plans that were made for another are made anew when
 * they are next used, as if the function they depend on had changed.  Called
 * by assign hooks, and so without the use of catalogs.
 */
void
steward_tenant_discard_plans(const char *tenant)
{
	ListCell   *lc;

	if (folded_plans.functions == NIL || strcmp(tenant, folded_plans.tenant) == 0)
		return;
	foreach(lc, folded_plans.functions)
	{
		CallSyscacheCallbacks(PROCOID, (uint32) lfirst_int(lc));
	}
	list_free(folded_plans.functions);
	folded_plans.functions = NIL;
}

/*
 * Returns the call of is_current_tenant_folded as column = Const AND column = value
 * of the context.  The planner excludes partitions by the former, and makes of the
 * latter a question that it asks once: a plan that outlives its tenant finds nothing.
 */
static Node *
make_folded_comparison(PlannerInfo *root, FuncExpr *call)
{
	OpExpr	   *comparison = make_comparison(call);
	OpExpr	   *folded;
	Node	   *arg = linitial(comparison->args);
	Node	   *value;

	/*
	 * Without a query, what is being planned may be kept for the session, as
	 * constraints of domains are.
	 */
	if (root == NULL || !IsA(strip_implicit_coercions(arg), Var))
		return (Node *) comparison;
	note_folded_plan(root, call->funcid);
	if (steward_tenant_text(STEWARD_TENANT) == NULL)
		return (Node *) comparison;
	value = estimate_expression_value(root, lsecond(comparison->args));
	if (!IsA(value, Const) || ((Const *) value)->constisnull)
		return (Node *) comparison;
	folded = copyObject(comparison);
	lsecond(folded->args) = value;
	return (Node *) make_andclause(list_make2(folded, comparison));
}

/* Tells whether one of the others is an alternative of a condition, which thus says nothing more. */
static bool
is_implied(Node *condition, List *others)
{
	ListCell   *lc;

	if (!is_orclause(condition))
		return false;
	foreach(lc, ((BoolExpr *) condition)->args)
	{
		if (list_member(others, lfirst(lc)))
			return true;
	}
	return false;
}

static bool
leave_out_implied(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, RangeTblEntry))
	{
		RangeTblEntry *entry = (RangeTblEntry *) node;
		ListCell   *lc;

		foreach(lc, entry->securityQuals)
		{
			if (is_implied(lfirst(lc), entry->securityQuals))
				entry->securityQuals = foreach_delete_current(entry->securityQuals, lc);
		}
		return false;
	}
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, leave_out_implied, context, QTW_EXAMINE_RTES_BEFORE);
	return expression_tree_walker(node, leave_out_implied, context);
}

/*
 * Leaves out what policies ask for twice: a table's floor, and among others a policy that
 * asks for the same.  The planner finds that in conditions, but not in two subqueries,
 * such as list the tenants of a tree: it would run both.
 */
void
steward_tenant_leave_out_implied(Query *query)
{
	(void) leave_out_implied((Node *) query, NULL);
}

/*
 * Returns the comparison of a uuid with current_tenant_uuid() as one call, if a condition
 * is that: two are more than a row costs otherwise.
 */
static Expr *
as_one_call(Expr *condition)
{
	OpExpr	   *comparison = (OpExpr *) condition;
	FuncExpr   *value;
	char	   *name;
	Oid			type = UUIDOID;
	Oid			function;

	if (!IsA(condition, OpExpr) || comparison->opfuncid != F_UUID_EQ || !IsA(lsecond(comparison->args), FuncExpr))
		return condition;
	value = lsecond(comparison->args);
	name = get_func_name(value->funcid);
	if (value->args != NIL || name == NULL || strcmp(name, "current_tenant_uuid") != 0 ||
		get_func_namespace(value->funcid) != get_namespace_oid("steward", true))
		return condition;
	function = GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum("is_current_tenant"),
							   PointerGetDatum(buildoidvector(&type, 1)), ObjectIdGetDatum(get_func_namespace(value->funcid)));
	if (!OidIsValid(function))
		return condition;
	return (Expr *) makeFuncExpr(function, BOOLOID, list_make1(linitial(comparison->args)), InvalidOid, InvalidOid,
								 COERCE_EXPLICIT_CALL);
}

static void
quicken_scans(Plan *plan)
{
	List	   *members = NIL;
	ListCell   *lc;

	if (plan == NULL)
		return;
	check_stack_depth();
	if (IsA(plan, SeqScan))
		foreach(lc, plan->qual)
	{
		lfirst(lc) = as_one_call(lfirst(lc));
	}
	else if (IsA(plan, Append))
		members = ((Append *) plan)->appendplans;
	else if (IsA(plan, MergeAppend))
		members = ((MergeAppend *) plan)->mergeplans;
	else if (IsA(plan, SubqueryScan))
		quicken_scans(((SubqueryScan *) plan)->subplan);
	foreach(lc, members)
	{
		quicken_scans(lfirst(lc));
	}
	quicken_scans(plan->lefttree);
	quicken_scans(plan->righttree);
}

/* Has a plan's sequential scans compare the tenant with less to do for each row. */
void
steward_tenant_quicken(PlannedStmt *plan)
{
	ListCell   *lc;

	quicken_scans(plan->planTree);
	foreach(lc, plan->subplans)
	{
		quicken_scans(lfirst(lc));
	}
}

/* Planner support of is_current_tenant and is_current_user. */
PG_FUNCTION_INFO_V1(steward_is_current_support);
Datum
steward_is_current_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(make_comparison(((SupportRequestSimplify *) request)->fcall));
}

/* Planner support of is_current_tenant_folded. */
PG_FUNCTION_INFO_V1(steward_is_current_folded_support);
Datum
steward_is_current_folded_support(PG_FUNCTION_ARGS)
{
	SupportRequestSimplify *request = (SupportRequestSimplify *) PG_GETARG_POINTER(0);

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(make_folded_comparison(request->root, request->fcall));
}

/* Tells whether a value is the present tenant or user, where no planner has replaced the call. */
static Datum
is_current(FunctionCallInfo fcinfo, const char *function, StewardTenantKind kind)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	const char *current = steward_tenant_text(kind);
	Oid			output;
	bool		varlena;
	char	   *text;

	/* called by its oid, with no expression to tell */
	if (!OidIsValid(type))
	{
		Oid		   *types;
		int			ntypes;

		(void) get_func_signature(fcinfo->flinfo->fn_oid, &types, &ntypes);
		type = types[0];
	}
	if (find_comparison(getBaseType(type)) == NULL && getBaseType(type) != VARCHAROID)
		refuse_type(function, type);
	if (current == NULL)
		PG_RETURN_NULL();
	getTypeOutputInfo(type, &output, &varlena);
	text = OidOutputFunctionCall(output, PG_GETARG_DATUM(0));
	PG_RETURN_BOOL(strcmp(text, current) == 0);
}

PG_FUNCTION_INFO_V1(steward_is_current_tenant);
Datum
steward_is_current_tenant(PG_FUNCTION_ARGS)
{
	return is_current(fcinfo, "steward.is_current_tenant()", STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_is_current_tenant_folded);
Datum
steward_is_current_tenant_folded(PG_FUNCTION_ARGS)
{
	return is_current(fcinfo, "steward.is_current_tenant_folded()", STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_is_current_user);
Datum
steward_is_current_user(PG_FUNCTION_ARGS)
{
	return is_current(fcinfo, "steward.is_current_user()", STEWARD_USER);
}
