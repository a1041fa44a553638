/*
 * audit_tenant.c
 *		Which tenant may read an event, and who may read the events of all.
 *
 * A tenant reads what was recorded while a context of the tenant module held,
 * which nobody can forge, and of that only the rows that do not say that they
 * are another tenant's: a cascade, say, or a SECURITY DEFINER function reaches
 * those too.
 */
#include "audit/audit_internal.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/supportnodes.h"
#include "parser/parse_func.h"
#include "tenant/tenant.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

/*
 * Notes the tenant that the present statement works for, and which column of a
 * table says which tenant its rows belong to.
 */
void
steward_audit_tenant_begin(AuditTenant *tenant, Relation rel, MemoryContext mcxt)
{
	const char *text = steward_tenant_text(STEWARD_TENANT);
	MemoryContext old;
	Oid			type;
	Oid			output;
	bool		varlena;

	/* an invalid byte would make the log's dump useless */
	tenant->known = text != NULL && pg_verifymbstr(text, strlen(text), true);
	if (!tenant->known)
		return;

	old = MemoryContextSwitchTo(mcxt);
	tenant->id = CStringGetTextDatum(text);
	MemoryContextSwitchTo(old);

	tenant->attnum = get_attnum(RelationGetRelid(rel), steward_audit_tenant_column);
	if (tenant->attnum <= 0)
	{
		tenant->attnum = InvalidAttrNumber;
		return;
	}
	type = getBaseType(TupleDescAttr(RelationGetDescr(rel), tenant->attnum - 1)->atttypid);
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case UUIDOID:
		case TEXTOID:
		case VARCHAROID:
			getTypeOutputInfo(type, &output, &varlena);
			fmgr_info_cxt(output, &tenant->output, mcxt);
			break;
		default:
			tenant->known = false;	/* nothing that a tenant is compared with */
	}
}

/* Tells whether a row, if there is one, says that it is the tenant's of the context. */
static bool
is_tenants(AuditTenant *tenant, TupleTableSlot *row)
{
	const char *text = steward_tenant_text(STEWARD_TENANT);
	Datum		value;
	bool		isnull;
	char	   *whose;

	if (row == NULL)
		return true;
	value = slot_getattr(row, tenant->attnum, &isnull);
	if (isnull || text == NULL)
		return false;
	whose = OutputFunctionCall(&tenant->output, value);
	return strcmp(whose, text) == 0;
}

/*
 * Tells whether the tenant of a statement may read the event of a row's change;
 * NULL stands for a version that there is not.  TRUNCATE has no rows, and is
 * nobody's.
 */
bool
steward_audit_tenant_reads(AuditTenant *tenant, TupleTableSlot *old_row, TupleTableSlot *new_row)
{
	if (!tenant->known || (old_row == NULL && new_row == NULL))
		return false;
	return tenant->attnum == InvalidAttrNumber ||
		(is_tenants(tenant, old_row) && is_tenants(tenant, new_row));
}

/* Tells whether the present role may read the events of all tenants. */
static bool
reads_all(void)
{
	return pg_class_aclcheck(steward_audit_relation("audit_events"), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/*
 * Tells whether the present role may read events of its tenant.  Who has nothing but
 * a privilege on partitions, so that pg_dump can lock them, may not.
 */
static bool
reads_own(void)
{
	return pg_attribute_aclcheck_all(steward_audit_relation("audit_events"), GetUserId(), ACL_SELECT,
									 ACLMASK_ANY) == ACLCHECK_OK;
}

/*
 * steward_internal.audit_reads_all() returns boolean
 *
 * Tells whether the present role may read the events of all tenants.
 */
PG_FUNCTION_INFO_V1(steward_audit_reads_all);
Datum
steward_audit_reads_all(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(reads_all());
}

/*
 * steward_internal.audit_shows(tenant text) returns boolean
 *
 * Tells whether the present role may read an event of a tenant.  Runs where the
 * planner has not replaced the call.
 */
PG_FUNCTION_INFO_V1(steward_audit_shows);
Datum
steward_audit_shows(PG_FUNCTION_ARGS)
{
	const char *current = steward_tenant_text(STEWARD_TENANT);

	if (reads_all())
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(current != NULL && !PG_ARGISNULL(0) && reads_own() &&
				   strcmp(text_to_cstring(PG_GETARG_TEXT_PP(0)), current) == 0);
}

/*
 * steward_internal.audit_shows_name(relation_id oid, table_schema name, table_name name)
 * returns boolean
 *
 * Tells whether the present role may see the name that a table had: whoever may read
 * all events, and everybody if the table still has it, since pg_class shows it, too.
 */
PG_FUNCTION_INFO_V1(steward_audit_shows_name);
Datum
steward_audit_shows_name(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *name = get_rel_name(relid);
	char	   *schema = name != NULL ? get_namespace_name(get_rel_namespace(relid)) : NULL;

	PG_RETURN_BOOL(reads_all() ||
				   (schema != NULL && strcmp(name, NameStr(*PG_GETARG_NAME(2))) == 0 &&
					strcmp(schema, NameStr(*PG_GETARG_NAME(1))) == 0));
}

/* Returns a call of a function as an expression. */
static Expr *
call_without_arguments(char *schema, char *name, Oid result, Oid collation)
{
	List	   *qualified = list_make2(makeString(schema), makeString(name));

	return (Expr *) makeFuncExpr(LookupFuncName(qualified, 0, NULL, false), result, NIL,
								 collation, InvalidOid, COERCE_EXPLICIT_CALL);
}

/*
 * Planner support of audit_shows and audit_shows_name: what the present role may
 * read is known when a query is planned.  What is put in the place of audit_shows
 * is found out again when the plan runs, so that one made before a GRANT or
 * REVOKE shows too little.
 */
PG_FUNCTION_INFO_V1(steward_audit_shows_support);
Datum
steward_audit_shows_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	FuncExpr   *call;
	Expr	   *current;
	OpExpr	   *comparison;

	if (!IsA(request, SupportRequestSimplify))
		PG_RETURN_POINTER(NULL);
	call = ((SupportRequestSimplify *) request)->fcall;
	if (list_length(call->args) > 1)
		PG_RETURN_POINTER(reads_all() ? makeBoolConst(true, false) : NULL);
	if (reads_all())
		PG_RETURN_POINTER(call_without_arguments("steward_internal", "audit_reads_all", BOOLOID, InvalidOid));
	if (!reads_own())
		PG_RETURN_POINTER(makeBoolConst(false, false));

	current = call_without_arguments("steward", "current_tenant_text", TEXTOID, DEFAULT_COLLATION_OID);
	comparison = (OpExpr *) make_opclause(TextEqualOperator, BOOLOID, false, linitial(call->args), current,
										  InvalidOid, call->inputcollid);
	comparison->opfuncid = F_TEXTEQ;
	PG_RETURN_POINTER(comparison);
}
