/*
 * updated_at.c
 *		The trigger that notes when a row last changed, and who did it.
 */
#include "upkeep/upkeep_internal.h"

#include "audit/audit.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_coerce.h"
#include "utils/lsyscache.h"

/* What a statement knows of its trigger. */
typedef struct UpdatedAt
{
	Stamp		stamp;
	AttrNumber	by;				/* InvalidAttrNumber: not asked for */
	Oid			by_type;
	int32		by_typmod;
	bool	   *ignored;		/* by attribute: its change does not count */
	List	   *kept;			/* columns that an UPDATE cannot change */
	List	   *floors;			/* those of them that the stamp never lies
								 * before */
} UpdatedAt;

/* Returns those of a list of columns that hold what another column holds. */
static List *
columns_of_same_type(Relation rel, List *columns, AttrNumber as)
{
	Form_pg_attribute wanted = TupleDescAttr(RelationGetDescr(rel), as - 1);
	List	   *same = NIL;
	ListCell   *lc;

	foreach(lc, columns)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), lfirst_int(lc) - 1);

		if (att->atttypid == wanted->atttypid && att->atttypmod == wanted->atttypmod)
			same = lappend_int(same, lfirst_int(lc));
	}
	return same;
}

/* Reads the trigger's arguments; raises 22023, 42703 or 42804 for what it cannot follow. */
void *
steward_updated_at_parse(Relation rel, Trigger *trigger)
{
	UpdatedAt  *state = palloc0(sizeof(UpdatedAt));
	AttrNumber	column = InvalidAttrNumber;
	StampClock	clock = CLOCK_TRANSACTION;
	bool		has_clock = false;

	state->ignored = steward_upkept_columns(rel, trigger);
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *value;
		char	   *option = steward_option(trigger->tgargs[i], &value);
		ListCell   *lc;

		if (option == NULL && column == InvalidAttrNumber)
			column = steward_option_column(rel, "updated_at", value);
		else if (option != NULL && strcmp(option, "clock") == 0)
		{
			steward_option_once("updated_at", option, has_clock);
			clock = steward_option_choice("updated_at", option, value, steward_clocks);
			has_clock = true;
		}
		else if (option != NULL && strcmp(option, "by") == 0)
		{
			steward_option_once("updated_at", option, state->by != InvalidAttrNumber);
			state->by = steward_option_column(rel, "updated_at", value);
		}
		else if (option != NULL && strcmp(option, "ignore") == 0)
		{
			foreach(lc, steward_option_columns(rel, "updated_at", option, value))
			{
				state->ignored[get_attnum(RelationGetRelid(rel), strVal(lfirst(lc))) - 1] = true;
			}
		}
		else if (option != NULL && strcmp(option, "keep") == 0)
		{
			foreach(lc, steward_option_columns(rel, "updated_at", option, value))
			{
				state->kept = lappend_int(state->kept, get_attnum(RelationGetRelid(rel), strVal(lfirst(lc))));
			}
		}
		else
			steward_option_unknown("updated_at", trigger->tgargs[i],
								   "the column, 'clock=transaction|statement|wall', 'by=...', 'ignore=...' and 'keep=...'");
	}

	if (column == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column to stamp", trigger->tgname),
				 errhint("Name it in the trigger's first argument: steward.updated_at_trigger('updated_at').")));
	if (column == state->by || list_member_int(state->kept, column))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("column \"%s\" of the updated_at trigger is also the one of option \"%s\"",
						NameStr(TupleDescAttr(RelationGetDescr(rel), column - 1)->attname),
						column == state->by ? "by" : "keep"),
				 errhint("It can be one of the two.")));
	steward_stamp_init(&state->stamp, rel, column, clock, "updated_at");
	state->ignored[column - 1] = false;
	state->floors = columns_of_same_type(rel, state->kept, column);
	if (state->by != InvalidAttrNumber)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), state->by - 1);

		state->ignored[state->by - 1] = true;
		state->by_type = att->atttypid;
		state->by_typmod = att->atttypmod;
	}
	return state;
}

/*
 * Returns who is at work, as column "by" holds it: the application's user, from
 * the setting that names it to the audit log, or else the role, if the column is
 * for names at all.
 */
static Datum
current_actor(UpdatedAt *state, bool *isnull)
{
	const char *actor = steward_application_user();
	Oid			function;
	Oid			io_param;

	if (actor[0] == '\0' && TypeCategory(state->by_type) == TYPCATEGORY_STRING)
		actor = GetUserNameFromId(GetOuterUserId(), false);
	*isnull = actor[0] == '\0';
	getTypeInputInfo(state->by_type, &function, &io_param);
	return OidInputFunctionCall(function, *isnull ? NULL : unconstify(char *, actor),
								io_param, state->by_typmod);
}

/*
 * Returns the stamp of a row that has changed: the time, but never before the
 * stamp that the row had, nor before when a column that "keep" names says it was
 * made.  Another session's transaction may have begun later, and clients have
 * clocks of their own.  "old_row" is NULL for a new row.
 */
static Datum
next_stamp(UpdatedAt *state, TupleDesc desc, HeapTuple old_row, HeapTuple row)
{
	Datum		stamp = steward_stamp_now(&state->stamp);
	ListCell   *lc;

	if (old_row != NULL)
		stamp = steward_stamp_not_before(&state->stamp, stamp, desc, old_row, state->stamp.attnum);
	foreach(lc, state->floors)
	{
		stamp = steward_stamp_not_before(&state->stamp, stamp, desc, row, lfirst_int(lc));
	}
	return stamp;
}

/*
 * steward.updated_at_trigger() returns trigger
 *
 * Puts the time into a column of each row that an UPDATE changes.  Attach it
 * BEFORE UPDATE FOR EACH ROW, or BEFORE INSERT OR UPDATE.  Arguments:
 *
 *	the column		timestamptz, timestamp or date
 *	clock=...		"transaction" (default): when the transaction began, as now();
 *					"statement": when the client's command came; "wall": now
 *	by=...			a column that gets who is at work: the application's user as
 *					the setting that steward.audit_user_setting names has it, or
 *					else the role, if the column is of a string type
 *	ignore=...		columns whose change alone does not count
 *	keep=...		columns that an UPDATE cannot change
 *
 * A stamp never goes back: see next_stamp.  A row that does not change keeps its
 * stamp.  Setting the stamp itself counts
 * as a change, and what it is set to does not matter.  Columns that the server
 * generates or another upkeep trigger fills in do not count.
 *
 * Raises 39P01 when attached otherwise, 22023, 42703 and 42804 for arguments it
 * cannot follow, and what the type of column "by" raises for a user it cannot
 * hold.
 */
PG_FUNCTION_INFO_V1(steward_updated_at_trigger);
Datum
steward_updated_at_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	UpdatedAt  *state = fcinfo->flinfo->fn_extra;
	bool		is_insert;
	HeapTuple	old_row;
	HeapTuple	row;
	TupleDesc	desc;
	bool		changed = true;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.updated_at_trigger",
								 TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, "UPDATE or INSERT",
								 "SELECT steward.updated_at_enable(%s);");
		state = steward_begin_statement(fcinfo, steward_updated_at_parse);
	}

	desc = RelationGetDescr(trigdata->tg_relation);
	is_insert = TRIGGER_FIRED_BY_INSERT(trigdata->tg_event);
	old_row = trigdata->tg_trigtuple;
	row = is_insert ? trigdata->tg_trigtuple : trigdata->tg_newtuple;
	if (steward_upkeep_is_paused(trigdata->tg_relation))
		return PointerGetDatum(row);

	if (!is_insert)
	{
		ListCell   *lc;

		foreach(lc, state->kept)
		{
			if (steward_column_changed(desc, old_row, row, lfirst_int(lc)))
				row = steward_row_copy_column(trigdata, row, old_row, lfirst_int(lc));
		}
		changed = steward_row_changed(desc, old_row, row, state->ignored);
	}

	if (changed)
		row = steward_row_set(trigdata, row, state->stamp.attnum,
							  next_stamp(state, desc, is_insert ? NULL : old_row, row), false);

	if (state->by != InvalidAttrNumber)
	{
		if (changed)
		{
			bool		isnull;
			Datum		actor = current_actor(state, &isnull);

			row = steward_row_set(trigdata, row, state->by, actor, isnull);
		}
		else if (steward_column_changed(desc, old_row, row, state->by))
			row = steward_row_copy_column(trigdata, row, old_row, state->by);
	}
	return PointerGetDatum(row);
}
