/*
 * soft_delete.c
 *		The trigger that stamps a row instead of deleting it.
 */
#include "upkeep/soft_delete.h"

#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

/* How many rows triggers of this session have stamped, or let be deleted for real. */
uint64		steward_soft_deleted = 0;

static const char *const yes_or_no[] = {"true", "false", NULL};

/* What a statement knows of a table's soft_delete trigger. */
typedef struct SoftDelete
{
	Stamp		stamp;
	char	   *allow;			/* NULL if nobody is */
	bool		has_parents;	/* below has been looked up */
	List	   *parents;		/* ForeignKeys of this table */
	ItemPointerData updating;	/* in a partition: the last row that came to
								 * be updated ... */
	TupleTableSlot *updated;	/* ... and what to */
} SoftDelete;

/* The executor's state for one row of one table. */
typedef struct RowUpdate
{
	EState	   *estate;
	ResultRelInfo *result;
	MemoryContext caller;
} RowUpdate;

/*
 * Finds out about the column that tells when a row was deleted; raises 42703,
 * 42804 or 55000 if it cannot.
 */
void
steward_soft_delete_stamp_init(Stamp *stamp, Relation rel, const char *argument, StampClock clock)
{
	AttrNumber	attnum = steward_option_column(rel, "soft_delete", argument);
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
	Oid			type = getBaseType(att->atttypid);

	/* what was deleted on the same day could not be told apart */
	if (type != TIMESTAMPTZOID && type != TIMESTAMPOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the %s trigger is of type %s",
						NameStr(att->attname), "soft_delete", format_type_be(att->atttypid)),
				 errhint("Its type must be timestamptz or timestamp."),
				 errtable(rel)));
	if (att->attnotnull)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of the soft_delete trigger is NOT NULL, so no row can be live",
						NameStr(att->attname)),
				 errhint("ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;",
						 steward_qualified_name(rel),
						 quote_identifier(NameStr(att->attname))),
				 errtable(rel)));
	steward_stamp_init(stamp, rel, attnum, clock, "soft_delete");
}

/* Reads the arguments of soft_delete_trigger; raises 22023, 42703, 42804 or 55000 for what it cannot follow. */
void *
steward_soft_delete_parse(Relation rel, Trigger *trigger)
{
	SoftDelete *state = palloc0(sizeof(SoftDelete));
	char	   *column = NULL;
	StampClock	clock = CLOCK_TRANSACTION;
	bool		has_clock = false;

	ItemPointerSetInvalid(&state->updating);
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *value;
		char	   *option = steward_option(trigger->tgargs[i], &value);

		if (option == NULL && column == NULL)
			column = value;
		else if (option != NULL && strcmp(option, "clock") == 0)
		{
			steward_option_once("soft_delete", option, has_clock);
			clock = steward_option_choice("soft_delete", option, value, steward_clocks);
			has_clock = true;
		}
		else if (option != NULL && strcmp(option, "allow") == 0)
		{
			steward_option_once("soft_delete", option, state->allow != NULL);
			(void) steward_role_allowed("soft_delete", value);
			state->allow = value;
		}
		else if (option != NULL && strcmp(option, "keep_unique") == 0)
			;					/* for soft_delete_enable() to remember */
		else if (option != NULL && strcmp(option, "view") == 0)
			(void) steward_option_choice("soft_delete", option, value, yes_or_no);	/* the same */
		else
			steward_option_unknown("soft_delete", trigger->tgargs[i],
								   "the column, 'clock=transaction|statement|wall', 'allow=...', 'keep_unique=...' and 'view=true|false'");
	}

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column to stamp", trigger->tgname),
				 errhint("Name it in the trigger's first argument: steward.soft_delete_trigger('deleted_at').")));
	steward_soft_delete_stamp_init(&state->stamp, rel, column, clock);
	return state;
}

/* Returns what a soft_delete trigger stamps; raises as steward_soft_delete_parse does. */
const Stamp *
steward_soft_delete_stamp(Relation rel, Trigger *trigger)
{
	SoftDelete *state = steward_soft_delete_parse(rel, trigger);

	return &state->stamp;
}

/* Starts to do something to a single row, with columns up for change as in UPDATE ... SET attnum. */
static void
row_update_open(RowUpdate *update, Relation rel, AttrNumber attnum)
{
	update->estate = CreateExecutorState();
	update->caller = MemoryContextSwitchTo(update->estate->es_query_cxt);
	steward_init_update(update->estate, rel,
						bms_make_singleton(attnum - FirstLowInvalidHeapAttributeNumber));
	update->estate->es_snapshot = GetActiveSnapshot();

	/*
	 * The row is changed by the very command that wants to delete it,
	 * whatever its triggers ran meanwhile.  So a row that it comes across a
	 * second time, as in DELETE ... USING, is one it has dealt with.
	 */
	update->estate->es_output_cid = GetActiveSnapshot()->curcid;
	update->result = makeNode(ResultRelInfo);
	InitResultRelInfo(update->result, rel, 1, NULL, 0);
}

static void
row_update_close(RowUpdate *update)
{
	MemoryContextSwitchTo(update->caller);
	ExecResetTupleTable(update->estate->es_tupleTable, false);
	FreeExecutorState(update->estate);
}

/*
 * Replaces a row, which the current command has locked, as an UPDATE of one of
 * its columns would: BEFORE UPDATE triggers, generated columns, constraints,
 * indexes; AFTER UPDATE triggers fire when the command ends.
 *
 * It is no UPDATE in that neither privileges nor policies are looked at.  Which
 * rows may be deleted was decided by those for DELETE; and under the usual policy
 * USING (deleted_at IS NULL) no UPDATE could stamp a row, because one may not
 * make a row that one cannot see.
 */
static void
update_row(Relation rel, HeapTuple old_row, HeapTuple new_row, AttrNumber attnum)
{
	RowUpdate	update;
	EPQState	epqstate;
	TupleTableSlot *slot;
	TupleConstr *constr = RelationGetDescr(rel)->constr;
	ItemPointerData tid = old_row->t_self;
	TM_FailureData failure;
	LockTupleMode lockmode;
	TU_UpdateIndexes indexes;
	TM_Result	outcome;
	List	   *recheck = NIL;

	CheckCmdReplicaIdentity(rel, CMD_UPDATE);
	row_update_open(&update, rel, attnum);
	EvalPlanQualInit(&epqstate, update.estate, NULL, NIL, -1, NIL);
	slot = table_slot_create(rel, &update.estate->es_tupleTable);
	ExecForceStoreHeapTuple(new_row, slot, false);

	if (update.result->ri_TrigDesc->trig_update_before_row &&
		!steward_before_update(update.estate, &epqstate, update.result, &tid, slot))
	{
		/* a trigger wants the row to stay as it is */
		EvalPlanQualEnd(&epqstate);
		row_update_close(&update);
		return;
	}

	slot->tts_tableOid = RelationGetRelid(rel);
	if (constr != NULL && constr->has_generated_stored)
		ExecComputeStoredGenerated(update.result, update.estate, slot, CMD_UPDATE);
	if (constr != NULL)
		ExecConstraints(update.result, slot, update.estate);
	if (rel->rd_rel->relispartition)
		ExecPartitionCheck(update.result, slot, update.estate, true);

	outcome = steward_tuple_update(rel, &tid, slot, update.estate->es_output_cid,
								   update.estate->es_snapshot, &failure, &lockmode, &indexes);
	if (outcome == TM_SelfModified)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("a trigger changed the row of table \"%s\" that was about to be stamped",
						RelationGetRelationName(rel)),
				 errhint("Let that trigger change the row it is given, or fire AFTER."),
				 errtable(rel)));
	if (outcome != TM_Ok)
		elog(ERROR, "locked row of table \"%s\" could not be updated: %d",
			 RelationGetRelationName(rel), outcome);

	if (indexes != TU_None && rel->rd_rel->relhasindex)
	{
		ExecOpenIndices(update.result, false);
		if (update.result->ri_NumIndices > 0)
			recheck = steward_update_index_tuples(update.result, slot, update.estate, indexes);
		ExecCloseIndices(update.result);
	}
	steward_soft_deleted++;
	ExecARUpdateTriggers(update.estate, update.result, NULL, NULL, &tid, NULL, slot, recheck, NULL,
						 false);
	EvalPlanQualEnd(&epqstate);
	row_update_close(&update);
}

/*
 * Tells whether a row is deleted only because an UPDATE moves it to another
 * partition.  Then that UPDATE came by with the same row just before, and what
 * becomes of it does not belong into this partition.
 */
static bool
row_moves(SoftDelete *state, TriggerData *trigdata)
{
	bool		moves = ItemPointerIsValid(&state->updating) &&
		ItemPointerEquals(&state->updating, &trigdata->tg_trigtuple->t_self);

	ItemPointerSetInvalid(&state->updating);
	if (moves)
	{
		/* MERGE can delete a row whose UPDATE another trigger suppressed */
		RowUpdate	update;

		row_update_open(&update, trigdata->tg_relation, state->stamp.attnum);
		moves = !TTS_EMPTY(state->updated) &&
			!ExecPartitionCheck(update.result, state->updated, update.estate, false);
		row_update_close(&update);
	}
	return moves;
}

/* Returns the foreign keys ON DELETE CASCADE of a table, to find the rows that it references. */
static List *
find_parents(Relation rel, MemoryContext mcxt)
{
	List	   *parents = NIL;
	List	   *keys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	foreach(lc, keys)
	{
		ForeignKeyCacheInfo *info = lfirst_node(ForeignKeyCacheInfo, lc);
		ForeignKey *key = steward_foreign_key_to_parent(info->conoid, rel, info->confrelid, mcxt);
		MemoryContext old = MemoryContextSwitchTo(mcxt);

		if (key != NULL)
			parents = lappend(parents, key);
		MemoryContextSwitchTo(old);
	}
	return parents;
}

/*
 * Tells whether a row references one that is no longer there.  In a foreign key's
 * cascade it does: then it must go as well.  In another trigger's DELETE that
 * such a cascade led to, it may not.
 */
static bool
parent_is_gone(SoftDelete *state, FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	ListCell   *lc;

	if (!state->has_parents)
	{
		state->parents = find_parents(trigdata->tg_relation, fcinfo->flinfo->fn_mcxt);
		state->has_parents = true;
	}
	foreach(lc, state->parents)
	{
		ForeignKey *parent = lfirst(lc);

		/* the command's own snapshot is later than what it cascades from */
		if (steward_foreign_key_is_set(parent, trigdata->tg_relation, trigdata->tg_trigtuple) &&
			steward_foreign_key_run(parent, trigdata->tg_relation, trigdata->tg_trigtuple,
									NULL, NULL, false) == 0)
			return true;
	}
	return false;
}

/* Tells whether the row is to be deleted for real. */
static bool
deletes_for_real(SoftDelete *state, FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	return row_moves(state, trigdata) ||
		(state->allow != NULL && steward_role_allowed("soft_delete", state->allow)) ||
		(InNoForceRLSOperation() && parent_is_gone(state, fcinfo));
}

/* Raises an error unless the trigger is attached as it must; returns what its arguments say. */
static SoftDelete *
soft_delete_init(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	SoftDelete *state;
	MemoryContext old;

	steward_check_before_row(fcinfo, "steward.soft_delete_trigger",
							 TRIGGER_TYPE_DELETE | TRIGGER_TYPE_UPDATE, "DELETE",
							 "SELECT steward.soft_delete_enable(%s);");
	rel = trigdata->tg_relation;
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("rows of foreign table \"%s\" cannot be soft-deleted", RelationGetRelationName(rel)),
				 errhint("DROP TRIGGER %s ON %s;", quote_identifier(trigdata->tg_trigger->tgname),
						 quote_identifier(RelationGetRelationName(rel))),
				 errtable(rel)));
	/* or else what moves to another partition would look deleted */
	if (rel->rd_rel->relispartition && !TRIGGER_FOR_UPDATE(trigdata->tg_trigger->tgtype))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired for DELETE or UPDATE in partition \"%s\"",
						"steward.soft_delete_trigger", RelationGetRelationName(rel)),
				 errhint("Drop trigger \"%s\", then call steward.soft_delete_enable() for the partitioned table.",
						 trigdata->tg_trigger->tgname),
				 errtable(rel)));
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	state = steward_soft_delete_parse(rel, trigdata->tg_trigger);
	MemoryContextSwitchTo(old);
	return state;
}

/*
 * steward.soft_delete_trigger() returns trigger
 *
 * Stamps a row with the time instead of deleting it.  Attach it BEFORE DELETE FOR
 * EACH ROW; to partitioned tables and partitions BEFORE DELETE OR UPDATE.
 * Arguments:
 *
 *	the column		timestamptz or timestamp; null in rows that are live
 *	clock=...		as in updated_at_trigger
 *	allow=...		roles that delete for real: see steward_role_allowed
 *	keep_unique=...	indexes that soft_delete_enable() leaves alone
 *	view=...		whether it makes a view
 *
 * A row that has its stamp keeps it.  Rows are deleted for real by those roles,
 * and when a foreign key ON DELETE CASCADE demands it.
 *
 * Raises 39P01 when attached otherwise, 22023, 42703, 42804 and 55000 for
 * arguments it cannot follow, and what an UPDATE of the row would.
 */
PG_FUNCTION_INFO_V1(steward_soft_delete_trigger);
Datum
steward_soft_delete_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SoftDelete *state = fcinfo->flinfo->fn_extra;
	TupleDesc	desc;
	HeapTuple	row;

	if (state == NULL)
		fcinfo->flinfo->fn_extra = state = soft_delete_init(fcinfo);

	row = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if (trigdata->tg_relation->rd_rel->relispartition)
		{
			state->updating = row->t_self;
			state->updated = trigdata->tg_newslot;
		}
		return PointerGetDatum(trigdata->tg_newtuple);
	}

	if (deletes_for_real(state, fcinfo))
	{
		steward_soft_deleted++;
		return PointerGetDatum(row);
	}
	desc = RelationGetDescr(trigdata->tg_relation);
	if (heap_attisnull(row, state->stamp.attnum, desc))
		update_row(trigdata->tg_relation, row,
				   steward_row_set(trigdata, row, state->stamp.attnum, steward_stamp_now(&state->stamp), false),
				   state->stamp.attnum);
	return PointerGetDatum(NULL);
}
