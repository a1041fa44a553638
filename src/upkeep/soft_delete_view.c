/*
 * soft_delete_view.c
 *		The trigger that has DELETE on the view of a table's live rows report how
 *		many it deleted, and return them.
 */
#include "upkeep/soft_delete.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_trigger.h"
#include "executor/spi.h"
#include "nodes/primnodes.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* What a statement knows of the view. */
typedef struct LiveView
{
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];	/* columns of the view that are the
										 * table's primary key */
	SPIPlanPtr	plan;
	MemoryContextCallback release;
} LiveView;

static void
release_plan(void *plan)
{
	SPI_freeplan(plan);
}

/* Returns the table that a view shows, opened, and for each column of it the view's. */
static Relation
open_base(Relation view, AttrNumber **columns)
{
	Query	   *query = get_view_query(view);
	RangeTblEntry *entry;
	Relation	base;
	ListCell   *lc;

	if (list_length(query->jointree->fromlist) != 1 || !IsA(linitial(query->jointree->fromlist), RangeTblRef))
		elog(ERROR, "view \"%s\" is not one of steward.soft_delete_enable()", RelationGetRelationName(view));
	entry = rt_fetch(linitial_node(RangeTblRef, query->jointree->fromlist)->rtindex, query->rtable);
	base = table_open(entry->relid, RowExclusiveLock);
	*columns = palloc0((RelationGetDescr(base)->natts + 1) * sizeof(AttrNumber));
	foreach(lc, query->targetList)
	{
		TargetEntry *target = lfirst_node(TargetEntry, lc);

		if (IsA(target->expr, Var) && ((Var *) target->expr)->varattno > 0)
			(*columns)[((Var *) target->expr)->varattno] = target->resno;
	}
	return base;
}

/* Finds out which operators say that keys of an index are the same. */
static void
read_index(Oid index_id, int *nkeys, AttrNumber *keys, Oid *operators)
{
	Relation	index = index_open(index_id, AccessShareLock);

	*nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	for (int i = 0; i < *nkeys; i++)
	{
		keys[i] = index->rd_index->indkey.values[i];
		operators[i] = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i],
										   index->rd_opcintype[i], BTEqualStrategyNumber);
	}
	index_close(index, AccessShareLock);
}

/*
 * Prepares a DELETE from the view's table for as long as "mcxt" lasts.  Its
 * parameters are the key and the row as the view has it: a row that has changed
 * since is another one.
 */
static LiveView *
live_view_init(Relation view, MemoryContext mcxt)
{
	LiveView   *state = MemoryContextAllocZero(mcxt, sizeof(LiveView));
	AttrNumber *columns;
	Relation	base = open_base(view, &columns);
	AttrNumber	keys[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	Oid			types[INDEX_MAX_KEYS + 1];
	Oid			index_id = steward_primary_key_index(base);
	StringInfoData query;
	bool		first = true;

	if (!OidIsValid(index_id))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s\" has no primary key to delete rows of view \"%s\" by",
						RelationGetRelationName(base), RelationGetRelationName(view)),
				 errhint("DROP TRIGGER %s ON %s;", "steward_delete", steward_qualified_name(view)),
				 errtable(base)));
	read_index(index_id, &state->nkeys, keys, operators);
	for (int i = 0; i < state->nkeys; i++)
	{
		state->keys[i] = columns[keys[i]];
		types[i] = TupleDescAttr(RelationGetDescr(base), keys[i] - 1)->atttypid;
	}
	types[state->nkeys] = view->rd_rel->reltype;

	initStringInfo(&query);
	appendStringInfo(&query, "DELETE FROM %s", steward_qualified_name(base));
	steward_append_key_condition(&query, base, keys, base, keys, operators, state->nkeys, true);
	appendStringInfoString(&query, " AND ROW(");
	for (int place = 1; place <= RelationGetDescr(view)->natts; place++)
		for (int i = 1; i <= RelationGetDescr(base)->natts; i++)
			if (columns[i] == place)
			{
				appendStringInfo(&query, "%s%s", first ? "" : ", ",
								 quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(base), i - 1)->attname)));
				first = false;
			}
	appendStringInfo(&query, ")::pg_catalog.record OPERATOR(pg_catalog.*=) $%d::pg_catalog.record", state->nkeys + 1);
	table_close(base, NoLock);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	state->plan = SPI_prepare(query.data, state->nkeys + 1, types);
	if (state->plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", query.data, SPI_result_code_string(SPI_result));
	SPI_keepplan(state->plan);
	state->release.func = release_plan;
	state->release.arg = state->plan;
	MemoryContextRegisterResetCallback(mcxt, &state->release);
	SPI_finish();
	return state;
}

/*
 * steward_internal.soft_delete_view_trigger() returns trigger
 *
 * Deletes the table's row that a row of the view of live rows is, with the
 * privileges and policies of who is at work, and has it counted and returned if the
 * table's triggers stamped it.  One that somebody else has changed or deleted
 * since is neither deleted nor counted.  Attach it INSTEAD OF DELETE.
 *
 * Raises 39P01 when attached otherwise, 55000 if the table has no primary key, and
 * what a DELETE of the row would.
 */
PG_FUNCTION_INFO_V1(steward_soft_delete_view_trigger);
Datum
steward_soft_delete_view_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	LiveView   *state = fcinfo->flinfo->fn_extra;
	TupleDesc	desc;
	uint64		before = steward_soft_deleted;
	Datum		values[INDEX_MAX_KEYS + 1];

	steward_check_trigger(fcinfo, "steward_internal.soft_delete_view_trigger");
	if (!TRIGGER_FIRED_INSTEAD(trigdata->tg_event) || !TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired INSTEAD OF DELETE",
						"steward_internal.soft_delete_view_trigger")));
	if (state == NULL)
		fcinfo->flinfo->fn_extra = state = live_view_init(trigdata->tg_relation, fcinfo->flinfo->fn_mcxt);

	desc = RelationGetDescr(trigdata->tg_relation);
	for (int i = 0; i < state->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(trigdata->tg_trigtuple, state->keys[i], desc, &isnull);
	}
	values[state->nkeys] = heap_copy_tuple_as_datum(trigdata->tg_trigtuple, desc);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_snapshot(state->plan, values, NULL, InvalidSnapshot, InvalidSnapshot, false, false, 0) < 0)
		elog(ERROR, "SPI_execute_snapshot failed");
	SPI_finish();
	return PointerGetDatum(steward_soft_deleted > before ? trigdata->tg_trigtuple : NULL);
}
