/*
 * soft_delete.c
 *		The triggers that stamp a row instead of deleting it, and take its
 *		children along.
 */
#include "upkeep/upkeep.h"

#include "access/table.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "executor/nodeModifyTable.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(steward_soft_delete_trigger);
PG_FUNCTION_INFO_V1(steward_soft_delete_cascade);

/* A foreign key ON DELETE CASCADE, seen from the table at hand: a query for the rows at its other end. */
typedef struct ForeignKey
{
	Oid			owner;			/* of the other table, as whom it is run */
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];	/* columns at hand: the first
										 * parameters */
	Stamp		stamp;			/* the children's; not for a parent */
	SPIPlanPtr	plan;
	MemoryContextCallback release;
} ForeignKey;

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

/* What a statement knows of a table's soft_delete_cascade trigger. */
typedef struct SoftCascade
{
	Stamp		stamp;
	List	   *children;		/* ForeignKeys that reference this table */
} SoftCascade;

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
static void
soft_delete_stamp_init(Stamp *stamp, Relation rel, const char *argument, StampClock clock)
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
						 quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
													RelationGetRelationName(rel)),
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
		else
			steward_option_unknown("soft_delete", trigger->tgargs[i],
								   "the column, 'clock=transaction|statement|wall' and 'allow=...'");
	}

	if (column == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column to stamp", trigger->tgname),
				 errhint("Name it in the trigger's first argument: steward.soft_delete_trigger('deleted_at').")));
	soft_delete_stamp_init(&state->stamp, rel, column, clock);
	return state;
}

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
				 errhint("Name it in the trigger's argument: steward.soft_delete_cascade('deleted_at').")));
	soft_delete_stamp_init(&state->stamp, rel, value, CLOCK_TRANSACTION);
	return state;
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

/* Appends an operand of an operator, with a cast if that wants another type. */
static void
append_operand(StringInfo query, const char *operand, Oid type, Oid wanted)
{
	HeapTuple	tuple;
	Form_pg_type form;

	appendStringInfoString(query, operand);
	if (type == wanted || IsPolymorphicType(wanted))
		return;
	/* format_type would add a length to some */
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(wanted));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", wanted);
	form = (Form_pg_type) GETSTRUCT(tuple);
	appendStringInfo(query, "::%s",
					 quote_qualified_identifier(get_namespace_name(form->typnamespace),
												NameStr(form->typname)));
	ReleaseSysCache(tuple);
}

/*
 * Appends to a query on "target" the condition that its rows match the key that
 * the parameters hold.  The operators' left side is the referenced table's.
 */
static void
append_key_condition(StringInfo query, Relation target, const AttrNumber *target_keys,
					 Relation source, const AttrNumber *source_keys, const Oid *operators, int nkeys,
					 bool target_is_referenced)
{
	for (int i = 0; i < nkeys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(target), target_keys[i] - 1);
		Form_pg_attribute key = TupleDescAttr(RelationGetDescr(source), source_keys[i] - 1);
		Oid			collation = target_is_referenced ? column->attcollation : key->attcollation;
		const char *name = quote_identifier(NameStr(column->attname));
		char	   *parameter = psprintf("$%d", i + 1);
		HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operators[i]));
		Form_pg_operator operator;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u", operators[i]);
		operator = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfoString(query, i == 0 ? " WHERE " : " AND ");
		append_operand(query, target_is_referenced ? name : parameter,
					   target_is_referenced ? column->atttypid : key->atttypid, operator->oprleft);
		appendStringInfo(query, " OPERATOR(%s.%s) ",
						 quote_identifier(get_namespace_name(operator->oprnamespace)),
						 NameStr(operator->oprname));
		append_operand(query, target_is_referenced ? parameter : name,
					   target_is_referenced ? key->atttypid : column->atttypid, operator->oprright);
		ReleaseSysCache(tuple);

		/* keys are equal if the referenced table's collation says so */
		if (column->attcollation != key->attcollation && OidIsValid(collation) &&
			!get_collation_isdeterministic(collation))
			appendStringInfo(query, " COLLATE %s", generate_collation_name(collation));
	}
}

/* Returns a table for a query; without ONLY only where its rows are in partitions, as foreign keys have it. */
static char *
query_table(Relation rel)
{
	return psprintf("%s%s", rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)),
											   RelationGetRelationName(rel)));
}

/* Acts as the owner of the foreign key's other table, whom its policies do not bind; returns who it was. */
static Oid
become_owner(ForeignKey *key, int *security)
{
	Oid			role;

	GetUserIdAndSecContext(&role, security);
	SetUserIdAndSecContext(key->owner,
						   *security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	return role;
}

static void
release_plan(void *plan)
{
	SPI_freeplan(plan);
}

/* Prepares the key's query for as long as "mcxt" lasts; its parameters are the key's columns and "extra". */
static void
prepare_query(ForeignKey *key, Relation rel, const char *query, Oid extra, int nextra,
			  MemoryContext mcxt)
{
	Oid			types[INDEX_MAX_KEYS + 2];
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
		types[i] = TupleDescAttr(RelationGetDescr(rel), key->keys[i] - 1)->atttypid;
	for (int i = 0; i < nextra; i++)
		types[key->nkeys + i] = extra;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	key->plan = SPI_prepare(query, key->nkeys + nextra, types);
	if (key->plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", query, SPI_result_code_string(SPI_result));
	SetUserIdAndSecContext(role, security);
	SPI_keepplan(key->plan);
	key->release.func = release_plan;
	key->release.arg = key->plan;
	MemoryContextRegisterResetCallback(mcxt, &key->release);
	SPI_finish();
}

/*
 * Runs the key's query for a row.  Returns how many rows there are at the other
 * end, which is one if the row's key is null and there can be none.
 */
static uint64
run_query(ForeignKey *key, Relation rel, HeapTuple row, const Datum *extra, const bool *extra_isnull,
		  int nextra, bool read_only)
{
	Datum		values[INDEX_MAX_KEYS + 2];
	char		nulls[INDEX_MAX_KEYS + 2];
	uint64		found;
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->keys[i], RelationGetDescr(rel), &isnull);
		nulls[i] = ' ';
		if (isnull)
			return 1;
	}
	for (int i = 0; i < nextra; i++)
	{
		values[key->nkeys + i] = extra[i];
		nulls[key->nkeys + i] = extra_isnull[i] ? 'n' : ' ';
	}

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	if (SPI_execute_plan(key->plan, values, nulls, read_only, 0) < 0)
		elog(ERROR, "SPI_execute_plan failed");
	found = SPI_processed;
	SetUserIdAndSecContext(role, security);
	SPI_finish();
	return found;
}

/*
 * Reads foreign key "constraint" if it is one ON DELETE CASCADE that is enforced:
 * its columns here and there, and its operators.  It is skipped if it merely
 * repeats another of the same table for one of the referenced table's partitions
 * and "skip_parts" is set.
 */
static bool
read_foreign_key(Oid constraint, bool skip_parts, int *nkeys, AttrNumber *referencing,
				 AttrNumber *referenced, Oid *operators)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	bool		wanted;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	wanted = form->confdeltype == FKCONSTR_ACTION_CASCADE && steward_constraint_enforced(form);
	if (wanted && skip_parts && OidIsValid(form->conparentid))
	{
		HeapTuple	parent = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->conparentid));

		if (!HeapTupleIsValid(parent))
			elog(ERROR, "cache lookup failed for constraint %u", form->conparentid);
		wanted = ((Form_pg_constraint) GETSTRUCT(parent))->conrelid != form->conrelid;
		ReleaseSysCache(parent);
	}
	if (wanted)
		DeconstructFkConstraintRow(tuple, nkeys, referencing, referenced, operators,
								   NULL, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
	return wanted;
}

/* Returns the foreign keys ON DELETE CASCADE of a table, with queries that find the row referenced. */
static List *
find_parents(Relation rel, MemoryContext mcxt)
{
	List	   *parents = NIL;
	List	   *keys = copyObject(RelationGetFKeyList(rel));
	ListCell   *lc;

	foreach(lc, keys)
	{
		ForeignKeyCacheInfo *info = lfirst_node(ForeignKeyCacheInfo, lc);
		ForeignKey *key = MemoryContextAllocZero(mcxt, sizeof(ForeignKey));
		AttrNumber	referenced[INDEX_MAX_KEYS];
		Oid			operators[INDEX_MAX_KEYS];
		StringInfoData query;
		Relation	parent;
		MemoryContext old;

		if (!read_foreign_key(info->conoid, true, &key->nkeys, key->keys, referenced, operators))
			continue;
		parent = table_open(info->confrelid, AccessShareLock);
		key->owner = parent->rd_rel->relowner;
		initStringInfo(&query);
		appendStringInfo(&query, "SELECT 1 FROM %s", query_table(parent));
		append_key_condition(&query, parent, referenced, rel, key->keys, operators, key->nkeys, true);
		prepare_query(key, rel, query.data, InvalidOid, 0, mcxt);
		table_close(parent, NoLock);
		old = MemoryContextSwitchTo(mcxt);
		parents = lappend(parents, key);
		MemoryContextSwitchTo(old);
	}
	return parents;
}

/*
 * Returns the foreign keys ON DELETE CASCADE that reference a table from tables
 * with a soft_delete trigger, with queries that move those tables' rows from one
 * stamp to another.
 *
 * The table's own triggers tell of them: those that would delete the rows.  In a
 * partition these name the referencing table as a whole.
 */
static List *
find_children(Relation rel, Oid schema, MemoryContext mcxt)
{
	List	   *children = NIL;

	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		ForeignKey *key;
		AttrNumber	referencing[INDEX_MAX_KEYS];
		Oid			operators[INDEX_MAX_KEYS];
		Relation	child;
		Trigger    *soft;

		if (trigger->tgfoid != F_RI_FKEY_CASCADE_DEL)
			continue;
		child = table_open(trigger->tgconstrrelid, RowExclusiveLock);
		soft = steward_find_trigger(child, schema, "soft_delete_trigger");
		key = MemoryContextAllocZero(mcxt, sizeof(ForeignKey));
		if (soft != NULL &&
			read_foreign_key(trigger->tgconstraint, false, &key->nkeys, referencing, key->keys, operators))
		{
			const char *column;
			StringInfoData query;
			MemoryContext old;

			key->stamp = ((SoftDelete *) steward_soft_delete_parse(child, soft))->stamp;
			key->owner = child->rd_rel->relowner;
			column = quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(child),
															key->stamp.attnum - 1)->attname));
			initStringInfo(&query);
			appendStringInfo(&query, "UPDATE %s SET %s = $%d", query_table(child), column,
							 key->nkeys + 2);
			append_key_condition(&query, child, referencing, rel, key->keys, operators, key->nkeys, false);
			appendStringInfo(&query, " AND (%s OPERATOR(pg_catalog.=) $%d OR %s IS NULL AND $%d IS NULL)",
							 column, key->nkeys + 1, column, key->nkeys + 1);
			prepare_query(key, rel, query.data, key->stamp.type, 2, mcxt);
			old = MemoryContextSwitchTo(mcxt);
			children = lappend(children, key);
			MemoryContextSwitchTo(old);
		}
		table_close(child, NoLock);
	}
	return children;
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
		/* the command's own snapshot is later than what it cascades from */
		if (run_query(lfirst(lc), trigdata->tg_relation, trigdata->tg_trigtuple, NULL, NULL, 0, true) == 0)
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
 *
 * A row that has its stamp keeps it.  Rows are deleted for real by those roles,
 * and when a foreign key ON DELETE CASCADE demands it.
 *
 * Raises 39P01 when attached otherwise, 22023, 42703, 42804 and 55000 for
 * arguments it cannot follow, and what an UPDATE of the row would.
 */
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
		return PointerGetDatum(row);
	desc = RelationGetDescr(trigdata->tg_relation);
	if (heap_attisnull(row, state->stamp.attnum, desc))
		update_row(trigdata->tg_relation, row,
				   steward_row_set(trigdata, row, state->stamp.attnum, steward_stamp_now(&state->stamp), false),
				   state->stamp.attnum);
	return PointerGetDatum(NULL);
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
 * steward.soft_delete_cascade() returns trigger
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
Datum
steward_soft_delete_cascade(PG_FUNCTION_ARGS)
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

		steward_check_trigger(fcinfo, "steward.soft_delete_cascade");
		if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
			!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("function \"%s\" must be fired AFTER UPDATE for each row",
							"steward.soft_delete_cascade"),
					 errhint("Drop trigger \"%s\", then: SELECT steward.soft_delete_enable(%s);",
							 trigdata->tg_trigger->tgname,
							 steward_relation_literal(trigdata->tg_relation))));
		old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		state = steward_soft_delete_cascade_parse(trigdata->tg_relation, trigdata->tg_trigger);
		MemoryContextSwitchTo(old);
		state->children = find_children(trigdata->tg_relation,
										get_func_namespace(fcinfo->flinfo->fn_oid),
										fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = state;
	}

	desc = RelationGetDescr(trigdata->tg_relation);
	old_value = heap_getattr(trigdata->tg_trigtuple, state->stamp.attnum, desc, &isnull[0]);
	new_value = heap_getattr(trigdata->tg_newtuple, state->stamp.attnum, desc, &isnull[1]);
	if (isnull[0] == isnull[1] && (isnull[0] || old_value == new_value))
		return PointerGetDatum(NULL);

	foreach(lc, state->children)
	{
		ForeignKey *key = lfirst(lc);
		Datum		values[2] = {0, 0};

		if (!isnull[0])
			values[0] = convert_stamp(old_value, &state->stamp, &key->stamp);
		if (!isnull[1])
			values[1] = convert_stamp(new_value, &state->stamp, &key->stamp);
		(void) run_query(key, trigdata->tg_relation, trigdata->tg_newtuple, values, isnull, 2, false);
	}
	return PointerGetDatum(NULL);
}
