/*
 * immutable.c
 *		The trigger that lets nobody change the columns it names.
 */
#include "upkeep/upkeep_internal.h"

#include "access/sysattr.h"
#include "catalog/pg_trigger.h"
#include "nodes/bitmapset.h"

/* What a statement knows of its trigger. */
typedef struct Immutable
{
	bool		compares;		/* whether a column may change at all */
	int			ncolumns;
	AttrNumber	columns[FLEXIBLE_ARRAY_MEMBER];
} Immutable;

/* Reads the trigger's arguments; raises 22023, 42703 or 0A000 for what it cannot follow. */
void *
steward_immutable_parse(Relation rel, Trigger *trigger)
{
	Immutable  *state = palloc0(offsetof(Immutable, columns) + trigger->tgnargs * sizeof(AttrNumber));

	if (trigger->tgnargs == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column that is not to change", trigger->tgname),
				 errhint("Name them in the trigger's arguments: steward.immutable_trigger('order_number', 'customer_id').")));
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *column;

		if (steward_option(trigger->tgargs[i], &column) != NULL)
			steward_option_unknown("immutable", trigger->tgargs[i], "the columns and nothing else");
		state->columns[state->ncolumns++] = steward_option_column(rel, "immutable", column);
	}
	return state;
}

/* Tells whether another trigger may have changed the row before this one sees it: triggers are in the order of their names. */
static bool
fires_later(Relation rel, const Trigger *self)
{
	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (trigger->tgoid == self->tgoid)
			return false;
		if (TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_BEFORE(trigger->tgtype) &&
			TRIGGER_FOR_UPDATE(trigger->tgtype) && steward_trigger_fires(trigger))
			return true;
	}
	return false;
}

/* Tells whether a statement may change one of the columns: it names it, or another trigger comes first. */
static bool
may_change(const Immutable *state, const TriggerData *trigdata)
{
	for (int i = 0; i < state->ncolumns; i++)
		if (bms_is_member(state->columns[i] - FirstLowInvalidHeapAttributeNumber, trigdata->tg_updatedcols))
			return true;
	return fires_later(trigdata->tg_relation, trigdata->tg_trigger);
}

/*
 * steward.immutable_trigger() returns trigger
 *
 * Refuses an UPDATE that changes one of the columns that its arguments name.
 * Attach it BEFORE UPDATE FOR EACH ROW.  A column changes if it is stored
 * differently than before, so an UPDATE may set what is there already; null is a
 * value, too.
 *
 * Raises 23001 for a change, 39P01 when attached otherwise, and 22023, 42703 and
 * 0A000 for arguments it cannot follow.
 */
PG_FUNCTION_INFO_V1(steward_immutable_trigger);
Datum
steward_immutable_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Immutable  *state = fcinfo->flinfo->fn_extra;
	Relation	rel;
	TupleDesc	desc;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.immutable_trigger", TRIGGER_TYPE_UPDATE, "UPDATE",
								 "SELECT steward.immutable_enable(%s, ...);");
		state = steward_begin_statement(fcinfo, steward_immutable_parse);
		state->compares = may_change(state, trigdata);
	}
	if (!state->compares || steward_upkeep_is_paused(trigdata->tg_relation))
		return PointerGetDatum(trigdata->tg_newtuple);

	rel = trigdata->tg_relation;
	desc = RelationGetDescr(rel);
	for (int i = 0; i < state->ncolumns; i++)
		if (steward_column_changed(desc, trigdata->tg_trigtuple, trigdata->tg_newtuple, state->columns[i]))
			ereport(ERROR,
					(errcode(ERRCODE_RESTRICT_VIOLATION),
					 errmsg("column \"%s\" of table \"%s\" must not change",
							NameStr(TupleDescAttr(desc, state->columns[i] - 1)->attname), RelationGetRelationName(rel)),
					 errhint("Leave it out of the UPDATE, or insert another row."),
					 errtablecol(rel, state->columns[i])));
	return PointerGetDatum(trigdata->tg_newtuple);
}
