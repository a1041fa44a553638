/*
 * tenant_fill.c
 *		The trigger that gives rows without a tenant that of the transaction: many programs
 *		name the column and say NULL, where its default would be right.
 */
#include "tenant/tenant_internal.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* What a statement knows of its trigger. */
typedef struct TenantFill
{
	AttrNumber	tenant;
	bool		last;			/* no other trigger may still fill it in */
	Oid			input;
	Oid			parameter;
} TenantFill;

/* Tells whether no other trigger changes new rows after this one. */
static bool
is_last(Relation rel, Trigger *trigger)
{
	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *other = &rel->trigdesc->triggers[i];

		if (TRIGGER_FOR_ROW(other->tgtype) && TRIGGER_FOR_BEFORE(other->tgtype) && TRIGGER_FOR_INSERT(other->tgtype) &&
			other->tgfoid != trigger->tgfoid && steward_trigger_fires(other) && strcmp(other->tgname, trigger->tgname) > 0)
			return false;
	}
	return true;
}

/* Reads the trigger's argument; raises 22023 or 42703 for what it cannot follow. */
void *
steward_tenant_fill_parse(Relation rel, Trigger *trigger)
{
	TenantFill *state = palloc0(sizeof(TenantFill));
	char	   *name;

	if (trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" does not name one column", trigger->tgname),
				 errhint("Name that of the tenant: steward.tenant_fill_trigger('tenant_id').")));
	if (steward_option(trigger->tgargs[0], &name) != NULL)
		steward_option_unknown("tenant_fill", trigger->tgargs[0], "the column of the tenant, and nothing else");
	state->tenant = steward_option_column(rel, "tenant_fill", name);
	state->last = is_last(rel, trigger);
	getTypeInputInfo(TupleDescAttr(RelationGetDescr(rel), state->tenant - 1)->atttypid, &state->input, &state->parameter);
	return state;
}

/* Returns a tenant as a value of a column; raises 42501 if it is none of that type, and what the type's input raises. */
static Datum
as_column(const TenantFill *state, Form_pg_attribute att, const TenantValue *tenant)
{
	const Oid	base = getBaseType(att->atttypid);

	/* what the input would read otherwise is another tenant */
	if ((base == UUIDOID && !tenant->is_uuid) ||
		((base == INT2OID || base == INT4OID || base == INT8OID) && !tenant->is_bigint))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the tenant of this transaction is not of type %s", format_type_be(base))));
	return OidInputFunctionCall(state->input, (char *) tenant->text, state->parameter, att->atttypmod);
}

/* Raises 23502 because a row has no tenant, and none can be given to it. */
pg_noreturn static void
refuse_row(Relation rel, Form_pg_attribute att)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("row of table \"%s\" has no \"%s\", and the transaction has no tenant",
					RelationGetRelationName(rel), NameStr(att->attname)),
			 errhint("%s", steward_tenant_hint),
			 errtablecol(rel, att->attnum)));
}

/* Raises 23502 because an UPDATE takes the tenant from a row. */
pg_noreturn static void
refuse_update(Relation rel, Form_pg_attribute att)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("cannot set \"%s\" of table \"%s\" to null", NameStr(att->attname), RelationGetRelationName(rel)),
			 att->attnotnull ? errdetail("The row would belong to no tenant.") :
			 errdetail("The row would become one of all tenants, and the transaction works for one."),
			 errhint("Leave \"%s\" out of SET.", NameStr(att->attname)),
			 errtablecol(rel, att->attnum)));
}

/*
 * steward.tenant_fill_trigger() returns trigger
 *
 * Gives a new row whose tenant is null that of the transaction, and refuses to
 * set it to null.  Attach it BEFORE INSERT OR UPDATE FOR EACH ROW, under a name that comes
 * before those of others, so that they see the tenant; its argument is the column.
 *
 * A column without NOT NULL has rows of all tenants: a transaction without tenant
 * writes those, if policies let it.
 *
 * Raises 23502 where there is no tenant to give and no other trigger left to give one,
 * and for an UPDATE to null; 42501 for a tenant of another type; 39P01 when attached
 * otherwise, 22023 and 42703 for arguments it cannot follow.
 */
PG_FUNCTION_INFO_V1(steward_tenant_fill_trigger);
Datum
steward_tenant_fill_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TenantFill *state = fcinfo->flinfo->fn_extra;
	Relation	rel;
	Form_pg_attribute att;
	HeapTuple	row;
	const TenantValue *tenant;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.tenant_fill_trigger", TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, "INSERT OR UPDATE",
								 "SELECT steward.tenant_protect(%s);");
		state = steward_begin_statement(fcinfo, steward_tenant_fill_parse);
	}
	rel = trigdata->tg_relation;
	att = TupleDescAttr(RelationGetDescr(rel), state->tenant - 1);
	row = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
	if (!heap_attisnull(row, state->tenant, RelationGetDescr(rel)))
		return PointerGetDatum(row);

	tenant = steward_tenant_value(STEWARD_TENANT);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if ((att->attnotnull || tenant != NULL) && !heap_attisnull(trigdata->tg_trigtuple, state->tenant, RelationGetDescr(rel)))
			refuse_update(rel, att);
		return PointerGetDatum(row);
	}
	if (tenant != NULL)
		return PointerGetDatum(steward_row_set(trigdata, row, state->tenant, as_column(state, att, tenant), false));
	if (att->attnotnull && state->last)
		refuse_row(rel, att);
	return PointerGetDatum(row);
}
