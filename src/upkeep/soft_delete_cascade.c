/*
 * soft_delete_cascade.c
 *		The trigger that does what foreign keys say when a row is soft-deleted, and
 *		brings back with it what went along.
 */
#include "upkeep/soft_delete.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/syscache.h"

/* When a foreign key refuses what it does not allow. */
typedef enum CheckTime
{
	CHECK_NOW,
	CHECK_IMMEDIATE,			/* with the statement, unless it is deferred */
	CHECK_DEFERRED,				/* with the transaction, unless told otherwise */
} CheckTime;

/* A foreign key that references the table at hand, and what becomes of its rows. */
typedef struct ChildTable
{
	Oid			constraint;
	Stamp		stamp;
	ForeignKey *follow;			/* moves their stamps; NULL if they have none */
	bool		cascades;		/* and stamps those that have none */
	ForeignKey *act;			/* deletes them or changes their key; may be
								 * NULL */
	ForeignKey *refuse;			/* finds those that must not be; may be NULL */
	CheckTime	refuses;
} ChildTable;

/* What a statement knows of a table's soft_delete_cascade trigger. */
typedef struct SoftCascade
{
	Stamp		stamp;
	bool		has_children;	/* below has been looked up */
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

/* Tells which action of a foreign key a trigger takes on the table that is referenced; '\0' if it takes none. */
static char
deletion_action(Trigger *trigger)
{
	switch (trigger->tgfoid)
	{
		case F_RI_FKEY_CASCADE_DEL:
			return FKCONSTR_ACTION_CASCADE;
		case F_RI_FKEY_RESTRICT_DEL:
			return FKCONSTR_ACTION_RESTRICT;
		case F_RI_FKEY_SETNULL_DEL:
			return FKCONSTR_ACTION_SETNULL;
		case F_RI_FKEY_SETDEFAULT_DEL:
			return FKCONSTR_ACTION_SETDEFAULT;
		case F_RI_FKEY_NOACTION_DEL:
			return FKCONSTR_ACTION_NOACTION;
		default:
			return '\0';
	}
}

/* Finds out what a foreign key's action means for the rows of "child", by one of the triggers that would take it. */
static ChildTable *
find_child(Relation rel, const Stamp *stamp, Trigger *trigger, char action, Relation child,
		   MemoryContext mcxt)
{
	ChildTable *entry = MemoryContextAllocZero(mcxt, sizeof(ChildTable));
	Oid			constraint = trigger->tgconstraint;
	Trigger    *soft = steward_find_trigger(child, "soft_delete_trigger", false);
	const Stamp *child_stamp = NULL;

	entry->constraint = constraint;
	entry->cascades = action == FKCONSTR_ACTION_CASCADE;
	if (soft != NULL)
	{
		entry->stamp = *steward_soft_delete_stamp(child, soft);
		child_stamp = &entry->stamp;

		/*
		 * where somebody has silenced it, rows are neither stamped nor
		 * deleted
		 */
		if (steward_trigger_fires(soft))
			entry->follow = steward_foreign_key_to_children(constraint, rel, stamp, child,
															child_stamp, KEY_FOLLOW, mcxt);
	}

	if (action == FKCONSTR_ACTION_RESTRICT || action == FKCONSTR_ACTION_NOACTION)
	{
		entry->refuse = steward_foreign_key_to_children(constraint, rel, stamp, child, child_stamp,
														action == FKCONSTR_ACTION_RESTRICT ? KEY_FIND : KEY_FIND_LATER,
														mcxt);
		entry->refuses = trigger->tginitdeferred ? CHECK_DEFERRED :
			trigger->tgdeferrable ? CHECK_IMMEDIATE : CHECK_NOW;
	}
	else if (!entry->cascades || soft == NULL)
		entry->act = steward_foreign_key_to_children(constraint, rel, stamp, child, child_stamp,
													 entry->cascades ? KEY_DELETE : KEY_SET, mcxt);
	return entry;
}

/*
 * Returns the foreign keys that reference a table.
 *
 * The table's own triggers tell of them: those that would take their actions.  In a
 * partition these name the referencing table as a whole.
 */
static List *
find_children(Relation rel, const Stamp *stamp, MemoryContext mcxt)
{
	List	   *children = NIL;

	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		char		action = deletion_action(trigger);
		Relation	child;
		ChildTable *entry;
		MemoryContext old;

		if (action == '\0')
			continue;
		child = table_open(trigger->tgconstrrelid, RowExclusiveLock);
		entry = find_child(rel, stamp, trigger, action, child, mcxt);
		table_close(child, NoLock);
		old = MemoryContextSwitchTo(mcxt);
		children = lappend(children, entry);
		MemoryContextSwitchTo(old);
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

/* Returns the key of a row as messages have it, or NULL if the current role may not see it. */
static char *
describe_key(Relation rel, HeapTuple row, Oid index_id)
{
	Relation	index = index_open(index_id, AccessShareLock);
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];
	char	   *description;

	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		values[i] = heap_getattr(row, index->rd_index->indkey.values[i], RelationGetDescr(rel), &isnull[i]);
	description = BuildIndexValueDescription(index, values, isnull);
	index_close(index, AccessShareLock);
	return description;
}

/* Raises 23503, as the server does, for a row that is stamped while live rows reference it. */
static void
raise_referenced(Relation rel, HeapTuple row, Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	Relation	child;
	char	   *key;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	child = table_open(form->conrelid, NoLock);
	key = describe_key(rel, row, form->conindid);
	ereport(ERROR,
			(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
			 errmsg("update or delete on table \"%s\" violates foreign key constraint \"%s\" on table \"%s\"",
					RelationGetRelationName(rel), NameStr(form->conname), RelationGetRelationName(child)),
			 key == NULL ?
			 errdetail("Key is still referenced from table \"%s\".", RelationGetRelationName(child)) :
			 errdetail("Key %s is still referenced from table \"%s\".", key, RelationGetRelationName(child)),
			 errtableconstraint(child, NameStr(form->conname))));
}

/* Raises 23503 if live rows reference a row by one of the foreign keys that refuse that at a time. */
static void
check_children(SoftCascade *state, Relation rel, HeapTuple row, CheckTime time)
{
	ListCell   *lc;

	foreach(lc, state->children)
	{
		ChildTable *child = lfirst(lc);

		if (child->refuse != NULL && child->refuses == time &&
			steward_foreign_key_run(child->refuse, rel, row, NULL, NULL, false) > 0)
			raise_referenced(rel, row, child->constraint);
	}
}

/*
 * Has this trigger be called again for the new row when deferrable constraints are
 * checked: as for events for which it never fires otherwise, DELETE where they are
 * immediate and INSERT where they are deferred.
 */
static void
check_later(TriggerData *trigdata, CheckTime time)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *result = makeNode(ResultRelInfo);
	ItemPointer tid = &trigdata->tg_newtuple->t_self;
	TriggerDesc *triggers;

	InitResultRelInfo(result, trigdata->tg_relation, 1, NULL, 0);
	triggers = result->ri_TrigDesc;
	triggers->trig_delete_after_row = true;
	triggers->trig_insert_after_row = true;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];

		trigger->tgtype = trigger->tgoid != trigdata->tg_trigger->tgoid ? 0 :
			TRIGGER_TYPE_ROW | TRIGGER_TYPE_DELETE | TRIGGER_TYPE_INSERT;
		trigger->tgdeferrable = true;
		trigger->tginitdeferred = time == CHECK_DEFERRED;
		trigger->tgqual = NULL;
	}
	if (time == CHECK_DEFERRED)
	{
		TupleTableSlot *slot = table_slot_create(trigdata->tg_relation, &estate->es_tupleTable);

		slot->tts_tid = *tid;
		ExecARInsertTriggers(estate, result, slot, NIL, NULL);
	}
	else
		ExecARDeleteTriggers(estate, result, tid, NULL, NULL, false);
	MemoryContextSwitchTo(caller);
	ExecResetTupleTable(estate->es_tupleTable, false);
	FreeExecutorState(estate);
}

/* Does to the rows that reference one what follows from its stamp having come, changed or gone. */
static void
follow_stamp(SoftCascade *state, TriggerData *trigdata)
{
	Relation	rel = trigdata->tg_relation;
	HeapTuple	row = trigdata->tg_newtuple;
	Datum		stamps[2];
	bool		isnull[2];
	bool		may_wait = !trigdata->tg_trigger->tgdeferrable;
	bool		waits[CHECK_DEFERRED + 1] = {false};
	bool		is_deletion;
	ListCell   *lc;

	stamps[0] = heap_getattr(trigdata->tg_trigtuple, state->stamp.attnum, RelationGetDescr(rel), &isnull[0]);
	stamps[1] = heap_getattr(row, state->stamp.attnum, RelationGetDescr(rel), &isnull[1]);
	is_deletion = isnull[0];

	foreach(lc, state->children)
	{
		ChildTable *child = lfirst(lc);
		Datum		values[2] = {0, 0};
		bool		nulls[2] = {isnull[0], isnull[1]};

		for (int i = 0; i < 2; i++)
			if (!isnull[i])
				values[i] = convert_stamp(stamps[i], &state->stamp, &child->stamp);
		if (is_deletion && !child->cascades)
		{
			/*
			 * those that are live are not stamped, and none has what would be
			 * its stamp
			 */
			values[0] = values[1];
			nulls[0] = false;
		}
		if (child->follow != NULL)
			(void) steward_foreign_key_run(child->follow, rel, row, values, nulls, may_wait);
		if (is_deletion && child->act != NULL)
			(void) steward_foreign_key_run(child->act, rel, row, NULL, NULL, may_wait);
		waits[child->refuses] |= child->refuse != NULL;
	}
	if (!is_deletion)
		return;
	for (CheckTime time = CHECK_NOW; time <= CHECK_DEFERRED; time++)
	{
		if (waits[time] && may_wait && time != CHECK_NOW)
			check_later(trigdata, time);
		else if (waits[time])
			check_children(state, rel, row, time);
	}
}

/* Raises an error unless the trigger is attached as it must; returns what its argument says. */
static SoftCascade *
soft_cascade_init(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	int16		type;

	steward_check_trigger(fcinfo, "steward.soft_delete_cascade_trigger");
	type = trigdata->tg_trigger->tgtype;
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FOR_ROW(type) ||
		(type & TRIGGER_TYPE_EVENT_MASK) != TRIGGER_TYPE_UPDATE)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired AFTER UPDATE for each row",
						"steward.soft_delete_cascade_trigger"),
				 errhint("Drop trigger \"%s\", then: SELECT steward.soft_delete_enable(%s);",
						 trigdata->tg_trigger->tgname,
						 steward_relation_literal(trigdata->tg_relation))));
	return steward_begin_statement(fcinfo, steward_soft_delete_cascade_parse);
}

/*
 * steward.soft_delete_cascade_trigger() returns trigger
 *
 * When a row gets its stamp, does what the foreign keys that reference it say ON
 * DELETE: CASCADE stamps the rows of tables with a soft_delete trigger and deletes
 * those of others, SET NULL and SET DEFAULT change live rows, RESTRICT and NO
 * ACTION raise 23503 if there are some.  What this transaction has stamped before
 * gets the same stamp.  When a row's stamp changes or goes, so do those of the rows
 * that have the same.  Attach it AFTER UPDATE FOR EACH ROW.  Its argument is the
 * column.
 *
 * As with the foreign key's own actions, neither privileges nor policies of who
 * is at work matter there, and what follows for further rows comes after this,
 * rather than within it: however long a chain, the stack stays as it is.
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

	if (state == NULL)
		state = soft_cascade_init(fcinfo);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) &&
		!steward_column_changed(RelationGetDescr(trigdata->tg_relation), trigdata->tg_trigtuple,
								trigdata->tg_newtuple, state->stamp.attnum))
		return PointerGetDatum(NULL);

	if (!state->has_children)
	{
		state->children = find_children(trigdata->tg_relation, &state->stamp, fcinfo->flinfo->fn_mcxt);
		state->has_children = true;
	}
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		follow_stamp(state, trigdata);
	else
		check_children(state, trigdata->tg_relation, trigdata->tg_trigtuple,
					   TRIGGER_FIRED_BY_DELETE(trigdata->tg_event) ? CHECK_IMMEDIATE : CHECK_DEFERRED);
	return PointerGetDatum(NULL);
}

/*
 * steward_internal.is_current_transaction(transaction xid) returns boolean
 *
 * Tells whether a transaction is the current one, or a savepoint of it.
 */
PG_FUNCTION_INFO_V1(steward_is_current_transaction);
Datum
steward_is_current_transaction(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(TransactionIdIsCurrentTransactionId(PG_GETARG_TRANSACTIONID(0)));
}
