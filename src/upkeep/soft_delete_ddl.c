/*
 * soft_delete_ddl.c
 *		Gets the view of a table's live rows out of the way of ALTER TABLE.
 */
#include "upkeep/soft_delete.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/memutils.h"

/* A view that was dropped for the ALTER TABLE that runs, and how to make it again. */
typedef struct TakenView
{
	Oid			relid;			/* of the table */
	Datum		saved;			/* text[] */
} TakenView;

/* In the transaction's memory context; empty but during such a command. */
static List *taken = NIL;
static bool will_forget = false;	/* at its end */

static void
forget_all(void *unused)
{
	taken = NIL;
	will_forget = false;
}

/* Returns what was saved for a table, and forgets it; NULL if nothing was. */
static TakenView *
take_saved(Oid relid)
{
	ListCell   *lc;

	foreach(lc, taken)
	{
		TakenView  *view = lfirst(lc);

		if (view->relid == relid)
		{
			taken = foreach_delete_current(taken, lc);
			return view;
		}
	}
	return NULL;
}

/* Keeps what SQL says of the view of a table's live rows, which it has dropped, until the command ends. */
static void
save_view(Oid relid)
{
	Oid			type = OIDOID;
	Datum		argument = ObjectIdGetDatum(relid);
	bool		isnull;
	Datum		saved;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (SPI_execute_with_args("SELECT steward_internal.soft_delete_take_view($1)", 1, &type, &argument,
							  NULL, false, 1) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "steward_internal.soft_delete_take_view() returned nothing");
	saved = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
	{
		MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
		TakenView  *view = palloc(sizeof(TakenView));

		if (!will_forget)
		{
			MemoryContextCallback *callback = palloc0(sizeof(MemoryContextCallback));

			callback->func = forget_all;
			MemoryContextRegisterResetCallback(TopTransactionContext, callback);
			will_forget = true;
		}
		view->relid = relid;
		view->saved = datumCopy(saved, false, -1);
		taken = lappend(taken, view);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
}

/*
 * steward_internal.soft_delete_ddl_start() returns event_trigger
 *
 * Drops the view of a table's live rows before an ALTER TABLE that it would not
 * let happen: one that drops a column or changes its type.
 */
PG_FUNCTION_INFO_V1(steward_soft_delete_ddl_start);
Datum
steward_soft_delete_ddl_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;
	AlterTableStmt *statement;
	Oid			relid;
	ListCell   *lc;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by event trigger manager",
						"steward_internal.soft_delete_ddl_start")));
	if (!IsA(data->parsetree, AlterTableStmt))
		PG_RETURN_NULL();
	statement = (AlterTableStmt *) data->parsetree;
	relid = RangeVarGetRelid(statement->relation, NoLock, true);
	/* left behind by a command that failed */
	(void) take_saved(relid);
	foreach(lc, statement->cmds)
	{
		AlterTableType type = lfirst_node(AlterTableCmd, lc)->subtype;

		if (OidIsValid(relid) && (type == AT_DropColumn || type == AT_AlterColumnType))
		{
			save_view(relid);
			break;
		}
	}
	PG_RETURN_NULL();
}

/*
 * steward_internal.soft_delete_taken_view(relation regclass) returns text[]
 *
 * Returns what was saved of the view of a table's live rows when it was dropped,
 * once; NULL if it was not.
 */
PG_FUNCTION_INFO_V1(steward_soft_delete_taken_view);
Datum
steward_soft_delete_taken_view(PG_FUNCTION_ARGS)
{
	TakenView  *view = take_saved(PG_GETARG_OID(0));

	if (view == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(datumCopy(view->saved, false, -1));
}
