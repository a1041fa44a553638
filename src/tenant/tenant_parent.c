/*
 * tenant_parent.c
 *		Rows that belong to a tenant through the row that they refer to: the trigger
 *		that fills in the tenant, and the procedure that gives a table all it needs.
 */
#include "tenant/tenant_internal.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#define MAX_PARENT_QUERY 4096

/* A plan that asks a parent for the tenant; kept for the session. */
typedef struct ParentPlan
{
	char		query[MAX_PARENT_QUERY];	/* hash key; names a parent and
											 * its columns */
	SPIPlanPtr	plan;
} ParentPlan;

/* What a statement knows of its trigger. */
typedef struct TenantParent
{
	AttrNumber	tenant;
	Oid			parent;
	SPIPlanPtr	plan;
	int			nkeys;			/* without the tenant */
	AttrNumber	keys[INDEX_MAX_KEYS];
} TenantParent;

static HTAB *plans = NULL;

/* Returns the plan of a query, made when it is asked for first.  Must be connected to SPI. */
static SPIPlanPtr
parent_plan(const char *query, int nargs, Oid *types)
{
	ParentPlan *entry;
	bool		found;
	SPIPlanPtr	plan;

	if (plans == NULL)
	{
		HASHCTL		control = {.keysize = MAX_PARENT_QUERY,.entrysize = sizeof(ParentPlan),
		.hcxt = steward_session_context()};

		plans = hash_create("steward parents of tenants", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	if (strlen(query) >= MAX_PARENT_QUERY)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("foreign key has too many columns to take a tenant over it")));
	entry = hash_search(plans, query, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->plan;
	plan = SPI_prepare(query, nargs, types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare \"%s\"", query);
	entry = hash_search(plans, query, HASH_ENTER, &found);
	entry->plan = plan;
	return plan;
}

/*
 * Returns the foreign key of a table that has a column, and rather one that has the
 * tenant too.  Raises 42830 if there is none.
 */
static ForeignKeyCacheInfo *
find_key(Relation rel, Trigger *trigger, AttrNumber column, AttrNumber tenant)
{
	ForeignKeyCacheInfo *found = NULL;
	ListCell   *lc;

	foreach(lc, RelationGetFKeyList(rel))
	{
		ForeignKeyCacheInfo *key = lfirst(lc);
		bool		has_column = false;
		bool		has_tenant = false;

		for (int i = 0; i < key->nkeys; i++)
		{
			has_column |= key->conkey[i] == column;
			has_tenant |= key->conkey[i] == tenant;
		}
		if (has_column && (found == NULL || has_tenant))
			found = key;
	}
	if (found == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_FOREIGN_KEY),
				 errmsg("no foreign key of table \"%s\" has column \"%s\", which trigger \"%s\" names",
						RelationGetRelationName(rel), NameStr(TupleDescAttr(RelationGetDescr(rel), column - 1)->attname),
						trigger->tgname),
				 errhint("DROP TRIGGER %s ON %s;", quote_identifier(trigger->tgname),
						 steward_qualified_name(rel)),
				 errtable(rel)));
	return found;
}

/* Reads the trigger's arguments; raises 22023, 42703 or 42830 for what it cannot follow. */
static void *
parse_arguments(Relation rel, Trigger *trigger)
{
	TenantParent *state = palloc0(sizeof(TenantParent));
	TupleDesc	desc = RelationGetDescr(rel);
	char	   *names[2];
	AttrNumber	there = InvalidAttrNumber;
	ForeignKeyCacheInfo *key;
	StringInfoData query;
	Oid			types[INDEX_MAX_KEYS];

	if (trigger->tgnargs != lengthof(names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" does not name two columns", trigger->tgname),
				 errhint("Name that of the tenant and that of the foreign key: steward.tenant_parent_trigger('tenant_id', 'order_id').")));
	for (int i = 0; i < lengthof(names); i++)
		if (steward_option(trigger->tgargs[i], &names[i]) != NULL)
			steward_option_unknown("tenant_parent", trigger->tgargs[i], "the columns of tenant and foreign key, and nothing else");
	state->tenant = steward_option_column(rel, "tenant_parent", names[0]);
	key = find_key(rel, trigger, steward_option_column(rel, "tenant_parent", names[1]), state->tenant);
	state->parent = key->confrelid;

	initStringInfo(&query);
	for (int i = 0; i < key->nkeys; i++)
	{
		if (key->conkey[i] == state->tenant)
		{
			there = key->confkey[i];
			continue;
		}
		state->keys[state->nkeys] = key->conkey[i];
		types[state->nkeys] = TupleDescAttr(desc, key->conkey[i] - 1)->atttypid;
		if (state->nkeys > 0)
			appendStringInfoString(&query, " AND ");
		generate_operator_clause(&query, psprintf("p.%s", quote_identifier(get_attname(state->parent, key->confkey[i], false))),
								 get_atttype(state->parent, key->confkey[i]), key->conpfeqop[i],
								 psprintf("$%d", state->nkeys + 1), types[state->nkeys]);
		/* plans differ by the types of their parameters */
		appendStringInfo(&query, " /* %u */", types[state->nkeys]);
		state->nkeys++;
	}
	/* until the key has the tenant, the parent's column has the same name */
	if (there == InvalidAttrNumber)
		there = get_attnum(state->parent, NameStr(TupleDescAttr(desc, state->tenant - 1)->attname));
	if (there == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\", to which trigger \"%s\" leads, has no column \"%s\"", get_rel_name(state->parent),
						trigger->tgname, NameStr(TupleDescAttr(desc, state->tenant - 1)->attname))));
	query.data = psprintf("SELECT p.%s FROM %s p WHERE %s", quote_identifier(get_attname(state->parent, there, false)),
						  quote_qualified_identifier(get_namespace_name(get_rel_namespace(state->parent)), get_rel_name(state->parent)),
						  query.data);
	state->plan = parent_plan(query.data, state->nkeys, types);
	return state;
}

/* Raises what the trigger would raise for its arguments. */
void *
steward_tenant_parent_parse(Relation rel, Trigger *trigger)
{
	MemoryContext old = CurrentMemoryContext;
	void	   *state;

	SPI_connect();
	MemoryContextSwitchTo(old);
	state = parse_arguments(rel, trigger);
	SPI_finish();
	return state;
}

/* Returns the foreign key's columns of a row, and their values, as the server's messages have them. */
static char *
describe_key(TenantParent *state, TupleDesc desc, Datum *values)
{
	StringInfoData names;
	StringInfoData texts;

	initStringInfo(&names);
	initStringInfo(&texts);
	for (int i = 0; i < state->nkeys; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, state->keys[i] - 1);
		Oid			output;
		bool		varlena;

		getTypeOutputInfo(att->atttypid, &output, &varlena);
		appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ", NameStr(att->attname));
		appendStringInfo(&texts, "%s%s", i == 0 ? "" : ", ", OidOutputFunctionCall(output, values[i]));
	}
	return psprintf("(%s)=(%s)", names.data, texts.data);
}

/* Returns the tenant of the row that a row refers to, as far as the current role may see it. */
static Datum
parent_tenant(TenantParent *state, Relation rel, HeapTuple row)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Form_pg_attribute att = TupleDescAttr(desc, state->tenant - 1);
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull = false;
	Datum		tenant;

	for (int i = 0; i < state->nkeys && !isnull; i++)
		values[i] = heap_getattr(row, state->keys[i], desc, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("row of table \"%s\" refers to no row of \"%s\" from which its \"%s\" could be taken",
						RelationGetRelationName(rel), get_rel_name(state->parent), NameStr(att->attname)),
				 errhint("Give it one, or give it \"%s\".", NameStr(att->attname)),
				 errtable(rel)));

	/*
	 * as the role that inserts: what policies hide must be as if it were not
	 * there
	 */
	if (SPI_execute_plan(state->plan, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not ask table %u for a tenant", state->parent);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("row of table \"%s\" refers to no row of \"%s\" that may be seen",
						RelationGetRelationName(rel), get_rel_name(state->parent)),
				 errdetail("Key %s is not present in table \"%s\", or is hidden by its policies.",
						   describe_key(state, desc, values), get_rel_name(state->parent)),
				 steward_tenant_missing(STEWARD_TENANT) && check_enable_rls(state->parent, InvalidOid, true) == RLS_ENABLED ?
				 errhint("%s", steward_tenant_hint) : errhint("SELECT * FROM steward.tenant_context();"),
				 errtable(rel)));
	tenant = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("row of table \"%s\" refers to a row of \"%s\" without tenant",
						RelationGetRelationName(rel), get_rel_name(state->parent)),
				 errdetail("Its key is %s.", describe_key(state, desc, values)),
				 errtable(rel)));
	return SPI_datumTransfer(tenant, att->attbyval, att->attlen);
}

/*
 * steward.tenant_parent_trigger() returns trigger
 *
 * Gives a new row the tenant of the row that it refers to, unless it has one.
 * Attach it BEFORE INSERT FOR EACH ROW; its arguments are the column of the tenant
 * and a column of a foreign key.  That the two belong together is for the foreign
 * key to check.
 *
 * Raises 23503 if the row referred to is not there or not visible to the current
 * role, 23502 if there is no reference, 39P01 when attached otherwise, and 22023,
 * 42703 and 42830 for arguments it cannot follow.
 */
PG_FUNCTION_INFO_V1(steward_tenant_parent_trigger);
Datum
steward_tenant_parent_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TenantParent *state = fcinfo->flinfo->fn_extra;
	HeapTuple	row;
	bool		isnull;
	Datum		tenant;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.tenant_parent_trigger", TRIGGER_TYPE_INSERT, "INSERT",
								 "CALL steward.tenant_protect_child(%s, parent => ...);");
		SPI_connect();
		state = steward_begin_statement(fcinfo, parse_arguments);
		SPI_finish();
	}
	row = trigdata->tg_trigtuple;
	heap_getattr(row, state->tenant, RelationGetDescr(trigdata->tg_relation), &isnull);
	if (!isnull)
		return PointerGetDatum(row);

	SPI_connect();
	tenant = parent_tenant(state, trigdata->tg_relation, row);
	SPI_finish();
	return PointerGetDatum(steward_row_set(trigdata, row, state->tenant, tenant, false));
}

/*
 * Runs a function's steps as the owner of a table, without FORCE ROW LEVEL SECURITY
 * in all of them.  They cannot leave a setting changed.
 */
static void
run_steps_as_owner(Oid owner, const char *command, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Oid			user;
	int			security;
	int			settings;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS |
						   (user == owner ? 0 : SECURITY_RESTRICTED_OPERATION));
	settings = NewGUCNestLevel();
	if (SPI_execute_with_args(command, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\"", command);
	AtEOXact_GUC(false, settings);
	SetUserIdAndSecContext(user, security);
}

static void
notice(int row)
{
	ereport(NOTICE, (errmsg_internal("%s", SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1))));
}

/*
 * steward.tenant_protect_child(relation regclass, parent regclass, column_name name,
 *		key_column name, roles name[], batch_rows integer, dry_run boolean)
 *
 * Takes a table one step after the other to where its rows have the tenant of those
 * that they refer to.  Each step is a call of an SQL function that finds out what is
 * left to do; outside a transaction block each is a transaction.
 */
PG_FUNCTION_INFO_V1(steward_tenant_protect_child);
Datum
steward_tenant_protect_child(PG_FUNCTION_ARGS)
{
	CallContext *call = castNode(CallContext, fcinfo->context);
	Oid			types[] = {REGCLASSOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEARRAYOID, INT4OID, INT8OID};
	Datum		values[lengthof(types)] = {0};
	char		nulls[lengthof(types) + 1] = {0};
	const int	nargs = lengthof(types) - 1;	/* the last value is the page
												 * that comes next */
	bool		isnull;
	Oid			owner;

	for (int i = 0; i < nargs; i++)
	{
		/* arguments may lie in memory that a commit frees */
		nulls[i] = PG_ARGISNULL(i) ? 'n' : ' ';
		if (!PG_ARGISNULL(i))
			values[i] = datumCopy(PG_GETARG_DATUM(i), get_typbyval(types[i]), get_typlen(types[i]));
	}
	nulls[nargs] = 'n';

	SPI_connect_ext(call->atomic ? 0 : SPI_OPT_NONATOMIC);
	if (SPI_execute_with_args("SELECT steward_internal.tenant_child_check($1, $2, $3, $4, $5, $6)", nargs, types, values,
							  nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of a check");
	owner = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	if (!PG_ARGISNULL(6) && PG_GETARG_BOOL(6))
	{
		run_steps_as_owner(owner, "SELECT c.command || ';' FROM steward_internal.tenant_child_commands($1, $2, $3, $4, $5) c",
						   nargs - 1, types, values, nulls);
		for (uint64 i = 0; i < SPI_processed; i++)
			notice(i);
		SPI_finish();
		PG_RETURN_VOID();
	}
	for (;;)
	{
		run_steps_as_owner(owner, "SELECT message, page FROM steward_internal.tenant_child_step($1, $2, $3, $4, $5, $6, $7)",
						   lengthof(types), types, values, nulls);
		values[nargs] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
		if (!FLOAT8PASSBYVAL && !isnull)
			values[nargs] = Int64GetDatum(DatumGetInt64(values[nargs]));
		nulls[nargs] = isnull ? 'n' : ' ';
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
		if (isnull)
			break;
		notice(0);
		SPI_freetuptable(SPI_tuptable);
		if (!call->atomic)
			SPI_commit();
		CHECK_FOR_INTERRUPTS();
	}
	SPI_finish();
	PG_RETURN_VOID();
}
