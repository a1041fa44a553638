/*
 * soft_delete_cascade.c
 *		The trigger that takes along the children of a row that is soft-deleted, and
 *		brings them back with it.
 */
#include "upkeep/soft_delete.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

/* A table with rows that are to follow those of the table at hand. */
typedef struct ChildTable
{
	Stamp		stamp;
	ForeignKey *key;
} ChildTable;

/* What a statement knows of a table's soft_delete_cascade trigger. */
typedef struct SoftCascade
{
	Stamp		stamp;
	List	   *children;		/* ChildTables */
} SoftCascade;

/* Reads the argument of soft_delete_cascade; raises as steward_soft_delete_parse does. */
void *
steward_soft_delete_cascade_parse(Relation rel, Trigger *trigger)
{
	SoftCascade *state = palloc0(sizeof(SoftCascade));
	char	   *value = NULL;

	for (int i = 0; i < trigger->tgnargs; i++)
		if (i > 0 || steward_option(trigger->tgargs[i], &value) != NULL)
			steward_option_unknown("soft_delete_cascade", trigger->tgargs[i], "the column and nothing else");
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column to follow", trigger->tgname),
				 errhint("Name it in the trigger's argument: steward.soft_delete_cascade_trigger('deleted_at').")));
	steward_soft_delete_stamp_init(&state->stamp, rel, value, CLOCK_TRANSACTION);
	return state;
}

/*
 * Returns the tables with a soft_delete trigger that reference a table by a foreign
 * key ON DELETE CASCADE.
 *
 * The table's own triggers tell of them: those that would delete the rows.  In a
 * partition these name the referencing table as a whole.
 */
static List *
find_children(Relation rel, MemoryContext mcxt)
{
	List	   *children = NIL;

	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		Relation	child;
		Trigger    *soft;

		if (trigger->tgfoid != F_RI_FKEY_CASCADE_DEL)
			continue;
		child = table_open(trigger->tgconstrrelid, RowExclusiveLock);
		soft = steward_find_trigger(child, "soft_delete_trigger", true);
		if (soft != NULL)
		{
			ChildTable *entry = MemoryContextAlloc(mcxt, sizeof(ChildTable));
			MemoryContext old;

			entry->stamp = *steward_soft_delete_stamp(child, soft);
			entry->key = steward_foreign_key_to_children(trigger->tgconstraint, rel, child,
														 &entry->stamp, mcxt);
			old = MemoryContextSwitchTo(mcxt);
			if (entry->key != NULL)
				children = lappend(children, entry);
			MemoryContextSwitchTo(old);
		}
		table_close(child, NoLock);
	}
	return children;
}

/* Returns a stamp as another column holds it. */
static Datum
convert_stamp(Datum value, const Stamp *from, const Stamp *to)
{
	if (from->type == TIMESTAMPTZOID && to->type == TIMESTAMPOID)
		value = DirectFunctionCall1(timestamptz_timestamp, value);
	else if (from->type == TIMESTAMPOID && to->type == TIMESTAMPTZOID)
		value = DirectFunctionCall1(timestamp_timestamptz, value);
	if (to->typmod >= 0)
		value = DirectFunctionCall2(timestamptz_scale, value, Int32GetDatum(to->typmod));
	return value;
}

/*
 * steward.soft_delete_cascade_trigger() returns trigger
 *
 * When a row gets or loses its stamp, does the same to the rows that reference it
 * by a foreign key ON DELETE CASCADE in tables with a soft_delete trigger: to
 * those that had the same stamp, or none, as the row had.  Attach it AFTER UPDATE
 * FOR EACH ROW.  Its argument is the column.
 *
 * As with the foreign key's own actions, neither privileges nor policies of who
 * is at work matter there.
 *
 * Raises 39P01 when attached otherwise, 22023, 42703, 42804 and 55000 for
 * arguments it cannot follow, its own or those of the other tables' triggers.
 */
PG_FUNCTION_INFO_V1(steward_soft_delete_cascade_trigger);
Datum
steward_soft_delete_cascade_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SoftCascade *state = fcinfo->flinfo->fn_extra;
	TupleDesc	desc;
	Datum		old_value;
	Datum		new_value;
	bool		isnull[2];
	ListCell   *lc;

	if (state == NULL)
	{
		MemoryContext old;

		steward_check_trigger(fcinfo, "steward.soft_delete_cascade_trigger");
		if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
			!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("function \"%s\" must be fired AFTER UPDATE for each row",
							"steward.soft_delete_cascade_trigger"),
					 errhint("Drop trigger \"%s\", then: SELECT steward.soft_delete_enable(%s);",
							 trigdata->tg_trigger->tgname,
							 steward_relation_literal(trigdata->tg_relation))));
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		state = steward_soft_delete_cascade_parse(trigdata->tg_relation, trigdata->tg_trigger);
		MemoryContextSwitchTo(old);
		state->children = find_children(trigdata->tg_relation, fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = state;
	}

	desc = RelationGetDescr(trigdata->tg_relation);
	old_value = heap_getattr(trigdata->tg_trigtuple, state->stamp.attnum, desc, &isnull[0]);
	new_value = heap_getattr(trigdata->tg_newtuple, state->stamp.attnum, desc, &isnull[1]);
	if (isnull[0] == isnull[1] && (isnull[0] || old_value == new_value))
		return PointerGetDatum(NULL);

	foreach(lc, state->children)
	{
		ChildTable *child = lfirst(lc);
		Datum		values[2] = {0, 0};

		if (!isnull[0])
			values[0] = convert_stamp(old_value, &state->stamp, &child->stamp);
		if (!isnull[1])
			values[1] = convert_stamp(new_value, &state->stamp, &child->stamp);
		(void) steward_foreign_key_run(child->key, trigdata->tg_relation, trigdata->tg_newtuple,
									   values, isnull, 2, false);
	}
	return PointerGetDatum(NULL);
}
