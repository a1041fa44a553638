/*
 * upkeep.c
 *		What the triggers that keep columns right have in common: the clock,
 *		each other's columns, and who is exempt.
 */
#include "upkeep/upkeep_internal.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* Trigger functions that fill in the column that their first argument names. */
static const char *const filling[] = {"updated_at_trigger", "row_version_trigger", "search_vector_trigger"};

/* In the order of StampClock. */
const char *const steward_clocks[] = {"transaction", "statement", "wall", NULL};

/*
 * Finds out how to put the time into a column; raises 42804 unless it is a
 * timestamptz, timestamp or date.
 */
void
steward_stamp_init(Stamp *stamp, Relation rel, AttrNumber attnum, StampClock clock,
				   const char *kind)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	stamp->attnum = attnum;
	stamp->clock = clock;
	stamp->typmod = att->atttypmod;
	stamp->type = getBaseTypeAndTypmod(att->atttypid, &stamp->typmod);
	stamp->domain = stamp->type == att->atttypid ? InvalidOid : att->atttypid;
	if (stamp->type != TIMESTAMPTZOID && stamp->type != TIMESTAMPOID && stamp->type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the %s trigger is of type %s",
						NameStr(att->attname), kind, format_type_be(att->atttypid)),
				 errhint("Its type must be timestamptz, timestamp or date."),
				 errtable(rel)));
}

/*
 * Returns the time as the column holds it.  A timestamp or date without time zone
 * is the session's, as with CURRENT_TIMESTAMP.
 */
Datum
steward_stamp_now(const Stamp *stamp)
{
	TimestampTz now;
	Datum		value;

	if (stamp->clock == CLOCK_TRANSACTION)
		now = GetCurrentTransactionStartTimestamp();
	else if (stamp->clock == CLOCK_STATEMENT)
		now = GetCurrentStatementStartTimestamp();
	else
		now = GetCurrentTimestamp();

	value = TimestampTzGetDatum(now);
	if (stamp->type == TIMESTAMPOID)
		value = DirectFunctionCall1(timestamptz_timestamp, value);
	else if (stamp->type == DATEOID)
		value = DirectFunctionCall1(timestamptz_date, value);
	if (stamp->typmod >= 0)
		value = DirectFunctionCall2(timestamptz_scale, value, Int32GetDatum(stamp->typmod));
	if (OidIsValid(stamp->domain))
		domain_check(value, false, stamp->domain, NULL, NULL);
	return value;
}

/*
 * Returns the later of a stamp and of the one that a row has in a column of the
 * same type.  What is infinite is no time at which something happened.
 */
Datum
steward_stamp_not_before(const Stamp *stamp, Datum value, TupleDesc desc, HeapTuple row, AttrNumber attnum)
{
	bool		isnull;
	Datum		floor = heap_getattr(row, attnum, desc, &isnull);

	if (isnull)
		return value;
	if (stamp->type == DATEOID)
		return DatumGetDateADT(floor) > DatumGetDateADT(value) && !DATE_NOT_FINITE(DatumGetDateADT(floor)) ? floor : value;
	return DatumGetTimestamp(floor) > DatumGetTimestamp(value) && !TIMESTAMP_NOT_FINITE(DatumGetTimestamp(floor)) ? floor : value;
}

static bool
fills_column(Trigger *trigger)
{
	for (int i = 0; i < lengthof(filling); i++)
		if (steward_trigger_calls(trigger, filling[i]))
			return true;
	return false;
}

/*
 * Returns an array with an element for each attribute: true for those whose
 * change is not the row's, because the server generates them or another upkeep
 * trigger sees to them: its first column, and those of its options "by" and
 * "keep".
 */
bool *
steward_upkept_columns(Relation rel, Trigger *self)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TriggerDesc *triggers = rel->trigdesc;
	bool	   *upkept = palloc0(Max(desc->natts, 1) * sizeof(bool));

	for (int i = 0; i < desc->natts; i++)
		upkept[i] = TupleDescAttr(desc, i)->attisdropped || TupleDescAttr(desc, i)->attgenerated != '\0';

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];
		bool		first = true;

		if (trigger->tgoid == self->tgoid || trigger->tgnargs == 0 || !steward_trigger_fires(trigger) ||
			!fills_column(trigger))
			continue;
		for (int a = 0; a < trigger->tgnargs; a++)
		{
			char	   *value;
			char	   *option = steward_option(trigger->tgargs[a], &value);
			List	   *names = NIL;
			ListCell   *lc;

			if (option == NULL ? first : strcmp(option, "by") == 0)
				names = list_make1(value);
			else if (option != NULL && strcmp(option, "keep") == 0)
				(void) SplitIdentifierString(value, ',', &names);
			foreach(lc, names)
			{
				AttrNumber	attnum = steward_find_column(RelationGetRelid(rel), lfirst(lc));

				if (attnum != InvalidAttrNumber)
					upkept[attnum - 1] = true;
			}
			first &= option != NULL;
		}
	}
	return upkept;
}

/*
 * Tells whether "value", that of an option "allow", names the role at work.  It
 * has to be that very role: its members must SET ROLE, so that nobody, superusers
 * included, is allowed without meaning it.  In a foreign key's action, which runs
 * as the table's owner, the role counts that caused it.  Raises 22023 if the
 * value is no list.
 */
bool
steward_role_allowed(const char *kind, const char *value)
{
	Oid			role = InNoForceRLSOperation() ? GetOuterUserId() : GetUserId();
	List	   *names;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(value), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list of roles in %s option \"allow\": \"%s\"", kind, value),
				 errhint("Separate role names by commas; quote names as in SQL.")));
	foreach(lc, names)
	{
		/* one that was dropped meanwhile allows nobody */
		if (get_role_oid(lfirst(lc), true) == role)
			return true;
	}
	return false;
}
