/*
 * row_version.c
 *		The trigger that counts a row's changes, and refuses writes of those who
 *		read an older version: optimistic locking.
 */
#include "upkeep/upkeep_internal.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* What a statement knows of its trigger. */
typedef struct RowVersion
{
	AttrNumber	attnum;
	Oid			type;			/* smallint, integer or bigint */
	Oid			domain;			/* InvalidOid if it is none */
	int64		max;
	bool	   *ignored;		/* by attribute: its change does not count */
} RowVersion;

/* Reads the trigger's arguments; raises 22023, 42703 or 42804 for what it cannot follow. */
void *
steward_row_version_parse(Relation rel, Trigger *trigger)
{
	RowVersion *state = palloc0(sizeof(RowVersion));
	char	   *value = NULL;
	Form_pg_attribute att;

	if (trigger->tgnargs == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column that has the version", trigger->tgname),
				 errhint("Name it in the trigger's argument: steward.row_version_trigger('version').")));
	for (int i = 0; i < trigger->tgnargs; i++)
		if (i > 0 || steward_option(trigger->tgargs[i], &value) != NULL)
			steward_option_unknown("row_version", trigger->tgargs[i], "the column and nothing else");

	state->attnum = steward_option_column(rel, "row_version", value);
	att = TupleDescAttr(RelationGetDescr(rel), state->attnum - 1);
	state->type = getBaseType(att->atttypid);
	state->domain = state->type == att->atttypid ? InvalidOid : att->atttypid;
	if (state->type == INT2OID)
		state->max = PG_INT16_MAX;
	else if (state->type == INT4OID)
		state->max = PG_INT32_MAX;
	else if (state->type == INT8OID)
		state->max = PG_INT64_MAX;
	else
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the row_version trigger is of type %s",
						NameStr(att->attname), format_type_be(att->atttypid)),
				 errhint("Its type must be bigint, integer or smallint."),
				 errtable(rel)));
	state->ignored = steward_upkept_columns(rel, trigger);
	state->ignored[state->attnum - 1] = false;
	return state;
}

/* Returns the version of a row; that of a row without one is 0. */
static int64
version_of(RowVersion *state, HeapTuple row, TupleDesc desc, bool *isnull)
{
	Datum		value = heap_getattr(row, state->attnum, desc, isnull);

	if (*isnull)
		return 0;
	return state->type == INT2OID ? DatumGetInt16(value) :
		state->type == INT4OID ? DatumGetInt32(value) : DatumGetInt64(value);
}

static Datum
version_datum(RowVersion *state, int64 version)
{
	Datum		value = state->type == INT2OID ? Int16GetDatum(version) :
		state->type == INT4OID ? Int32GetDatum(version) : Int64GetDatum(version);

	if (OidIsValid(state->domain))
		domain_check(value, false, state->domain, NULL, NULL);
	return value;
}

/*
 * steward.row_version_trigger() returns trigger
 *
 * Adds 1 to a column of each row that an UPDATE changes.  Attach it BEFORE
 * UPDATE FOR EACH ROW; its argument is the column, bigint, integer or smallint.
 *
 * An UPDATE may leave the version alone, carry the one it read (a row saved as a
 * whole), or carry the next one ("version = version + 1").  With any other it is
 * stale and fails.  A row that does not change keeps its version.
 *
 * Raises 40001 for a stale write, 22003 where the next version would not fit the
 * type, 22004 for a version of NULL, 39P01 when attached otherwise, and 22023,
 * 42703 and 42804 for arguments it cannot follow.
 */
PG_FUNCTION_INFO_V1(steward_row_version_trigger);
Datum
steward_row_version_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	TupleDesc	desc;
	RowVersion *state = fcinfo->flinfo->fn_extra;
	int64		current;
	int64		carried;
	bool		unversioned;
	bool		isnull;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.row_version_trigger", TRIGGER_TYPE_UPDATE,
								 "UPDATE", "SELECT steward.row_version_enable(%s);");
		state = steward_begin_statement(fcinfo, steward_row_version_parse);
	}

	rel = trigdata->tg_relation;
	if (steward_upkeep_is_paused(rel))
		return PointerGetDatum(trigdata->tg_newtuple);
	desc = RelationGetDescr(rel);
	current = version_of(state, trigdata->tg_trigtuple, desc, &unversioned);
	carried = version_of(state, trigdata->tg_newtuple, desc, &isnull);

	if (isnull && !unversioned)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("version of a row of table \"%s\" must not be set to null",
						RelationGetRelationName(rel)),
				 errhint("Leave column \"%s\" out, or set it to the version that was read.",
						 NameStr(TupleDescAttr(desc, state->attnum - 1)->attname)),
				 errtable(rel)));
	if (carried != current && (carried - 1 != current || carried == PG_INT64_MIN))
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("row of table \"%s\" was changed since it was read", RelationGetRelationName(rel)),
				 errdetail("Its version is " INT64_FORMAT ", the UPDATE carries version " INT64_FORMAT ".",
						   current, carried),
				 errhint("Read the row again and repeat the change."),
				 errtable(rel)));

	if (carried != current ||
		!steward_row_changed(desc, trigdata->tg_trigtuple, trigdata->tg_newtuple, state->ignored))
		return PointerGetDatum(trigdata->tg_newtuple);

	if (current == state->max)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("version of a row of table \"%s\" has reached the end of its type",
						RelationGetRelationName(rel)),
				 state->type == INT8OID ? errhint("Set it back while no client works with the table.") :
				 errhint("ALTER TABLE %s ALTER COLUMN %s TYPE bigint;",
						 steward_qualified_name(rel),
						 quote_identifier(NameStr(TupleDescAttr(desc, state->attnum - 1)->attname))),
				 errtable(rel)));
	return PointerGetDatum(steward_row_set(trigdata, trigdata->tg_newtuple, state->attnum,
										   version_datum(state, current + 1), false));
}
