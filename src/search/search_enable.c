/*
 * search_enable.c
 *		The procedure that makes a table searchable while it is in use.
 *
 * Each step is an SQL function that finds out for itself what is left to do, so
 * that a call takes up what an earlier one left.  What is here is what SQL has
 * no words for: going on outside a transaction block with a transaction per
 * batch, and CREATE INDEX CONCURRENTLY.
 */
#include "search/search.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

/* At most so many pages of a table are looked at between two looks at how many rows they had. */
#define MAX_FILL_PAGES	16

typedef struct SearchTask
{
	Oid			relation;
	Datum		vector_column;
	bool		refill;			/* all rows, not just those without a vector */
	int			batch_rows;
	bool		commits;		/* between batches */
} SearchTask;

/* Runs a query that returns rows, leaving them in SPI_tuptable. */
static void
query(const char *command, int nargs, Oid *types, Datum *values, const char *nulls)
{
	if (SPI_execute_with_args(command, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "unexpected result of \"%s\"", command);
}

/* Returns a column of a row of SPI_tuptable. */
static Datum
result(int row, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull);

	if (isnull)
		elog(ERROR, "unexpected null");
	return value;
}

static void
commit(SearchTask *task)
{
	if (task->commits)
		SPI_commit();
	CHECK_FOR_INTERRUPTS();
}

/*
 * Fills in the vectors of some pages' rows and returns their number.  The UPDATE
 * has the caller's search path, because the table's own triggers may count on it;
 * so it leaves nothing to that path itself.  Row security is not for it, even
 * where the owner is subject to it, too.  Raises 55000 if the trigger did not
 * fire.
 */
static int64
fill_pages(SearchTask *task, Relation rel, int64 first, int64 end)
{
	const char *table = steward_qualified_name(rel);
	const char *column = quote_identifier(NameStr(*DatumGetName(task->vector_column)));
	char	   *command = psprintf("WITH filled AS (UPDATE ONLY %s SET %s = NULL"
								   " WHERE ctid OPERATOR(pg_catalog.>=) '(" INT64_FORMAT ",0)'::pg_catalog.tid"
								   " AND ctid OPERATOR(pg_catalog.<) '(" INT64_FORMAT ",0)'::pg_catalog.tid%s%s%s"
								   " RETURNING %s IS NULL AS missed)"
								   " SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE missed) FROM filled",
								   table, column, first, end, task->refill ? "" : " AND ",
								   task->refill ? "" : column, task->refill ? "" : " IS NULL", column);
	int64		filled;

	/* an owner's triggers are not to run as somebody else, now or at commit */
	steward_execute_as_owner(rel->rd_rel->relowner, command, 0, NULL, NULL, NULL);
	pfree(command);

	filled = DatumGetInt64(result(0, 1));
	if (DatumGetInt64(result(0, 2)) > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the search_vector trigger of table \"%s\" does not fire", RelationGetRelationName(rel)),
				 errhint("Enable it, and see that no later trigger sets column %s to null.", column)));
	SPI_freetuptable(SPI_tuptable);
	return filled;
}

/*
 * Fills in the vectors of a table's rows, not those of its children.  Rows that
 * come or move meanwhile get theirs from the trigger, so one pass is enough.
 */
static void
fill_table(SearchTask *task, Oid member)
{
	NameData	name = {{0}};
	int64		npages = 0;
	int64		filled = 0;
	int64		in_batch = 0;
	int			told = 0;

	int			step = Max(1, Min(MAX_FILL_PAGES, task->batch_rows / 50));

	for (int64 page = 0; page == 0 || page < npages; page += step)
	{
		/* opened for each batch, because it may be dropped after each commit */
		Relation	rel = try_relation_open(member, RowExclusiveLock);
		int64		end;

		if (rel == NULL)
			break;
		if (page == 0)
		{
			name = rel->rd_rel->relname;
			npages = rel->rd_rel->relkind == RELKIND_RELATION ? RelationGetNumberOfBlocks(rel) : 0;
		}
		end = Min(page + step, npages);
		if (end > page)
			in_batch += fill_pages(task, rel, page, end);
		relation_close(rel, NoLock);

		if (in_batch >= task->batch_rows)
		{
			int			percent = end * 100 / Max(npages, 1);

			commit(task);
			filled += in_batch;
			in_batch = 0;
			if (percent / 10 > told / 10 && end < npages)
			{
				ereport(NOTICE,
						(errmsg("search vectors of \"%s\": " INT64_FORMAT " rows done, %d %% of the table",
								NameStr(name), filled, percent)));
				told = percent;
			}
		}
	}
	commit(task);
	filled += in_batch;
	if (filled > 0)
		ereport(NOTICE,
				(errmsg_plural("search vectors of \"%s\": " INT64_FORMAT " row done",
							   "search vectors of \"%s\": " INT64_FORMAT " rows done",
							   (unsigned long) filled, NameStr(name), filled)));
}

/* Returns the ids of a table and of those below it. */
static List *
members(SearchTask *task, MemoryContext mcxt)
{
	Oid			types[] = {REGCLASSOID};
	Datum		values[] = {ObjectIdGetDatum(task->relation)};
	List	   *oids = NIL;
	MemoryContext old;

	query("SELECT member FROM steward_internal.table_members($1)", 1, types, values, NULL);
	old = MemoryContextSwitchTo(mcxt);
	for (uint64 i = 0; i < SPI_processed; i++)
		oids = lappend_oid(oids, DatumGetObjectId(result(i, 1)));
	MemoryContextSwitchTo(old);
	return oids;
}

/*
 * Runs a command as if the client had sent it, and commits: the only way in which
 * CREATE INDEX CONCURRENTLY runs.  It needs to be alone: no transaction block,
 * nothing pending in SPI, no snapshot.
 */
static void
run_alone(const char *command)
{
	RawStmt    *raw = linitial_node(RawStmt, pg_parse_query(command));
	PlannedStmt *statement = makeNode(PlannedStmt);

	statement->commandType = CMD_UTILITY;
	statement->utilityStmt = raw->stmt;
	statement->stmt_location = -1;
	PushActiveSnapshot(GetTransactionSnapshot());
	ProcessUtility(statement, command, false, PROCESS_UTILITY_TOPLEVEL, NULL, NULL,
				   None_Receiver, NULL);
	if (ActiveSnapshotSet())
		PopActiveSnapshot();
	CommitTransactionCommand();
	StartTransactionCommand();
}

/* Returns the commands that create the indexes that are missing. */
static List *
index_commands(SearchTask *task, bool concurrently, MemoryContext mcxt)
{
	Oid			types[] = {REGCLASSOID, NAMEOID, BOOLOID};
	Datum		values[] = {ObjectIdGetDatum(task->relation), task->vector_column, BoolGetDatum(concurrently)};
	List	   *commands = NIL;
	MemoryContext old;

	query("SELECT steward_internal.search_index_commands($1, $2, $3)", lengthof(types), types, values, NULL);
	old = MemoryContextSwitchTo(mcxt);
	for (uint64 i = 0; i < SPI_processed; i++)
		commands = lappend(commands, TextDatumGetCString(result(i, 1)));
	MemoryContextSwitchTo(old);
	return commands;
}

/*
 * Creates the indexes that are missing.  The lock is the one of index builds and
 * of nobody who reads or writes: whoever else creates indexes here has finished
 * when it is held.
 */
static void
create_indexes(SearchTask *task, List *tables, MemoryContext mcxt)
{
	ListCell   *lc;

	foreach(lc, tables)
	{
		LockRelationOid(lfirst_oid(lc), ShareUpdateExclusiveLock);
	}
	foreach(lc, index_commands(task, false, mcxt))
	{
		if (SPI_execute(lfirst(lc), false, 0) != SPI_OK_UTILITY)
			elog(ERROR, "unexpected result of \"%s\"", (char *) lfirst(lc));
		ereport(NOTICE, (errmsg_internal("%s;", (char *) lfirst(lc))));
	}
}

/*
 * The same, concurrently.  The lock must outlive transactions, and be waited for
 * without a snapshot, for which another concurrent build might wait in its turn.
 */
static void
create_indexes_concurrently(SearchTask *task, List *tables, MemoryContext mcxt)
{
	LockRelId	lock = {.dbId = MyDatabaseId};
	List	   *commands;
	ListCell   *volatile locked = NULL;
	ListCell   *lc;

	SPI_commit();
	PG_TRY();
	{
		foreach(lc, tables)
		{
			lock.relId = lfirst_oid(lc);
			LockRelationIdForSession(&lock, ShareUpdateExclusiveLock);
			locked = lc;
		}
		commands = index_commands(task, true, mcxt);
		SPI_commit();
		SPI_finish();
		foreach(lc, commands)
		{
			run_alone(lfirst(lc));
			MemoryContextSwitchTo(mcxt);
			ereport(NOTICE, (errmsg_internal("%s;", (char *) lfirst(lc))));
		}
	}
	PG_FINALLY();
	{
		for (lc = list_head(tables); locked != NULL && lc != NULL; lc = lc == locked ? NULL : lnext(tables, lc))
		{
			lock.relId = lfirst_oid(lc);
			UnlockRelationIdForSession(&lock, ShareUpdateExclusiveLock);
		}
	}
	PG_END_TRY();
}

/*
 * steward.search_enable(relation regclass, sources text[], config regconfig,
 *		vector_column name, config_column name, concurrently boolean,
 *		batch_rows integer, long_texts text, dry_run boolean)
 *
 * Adds the vector's column and its trigger to a table, fills in the vectors of
 * the rows that are there, and creates a GIN index.  Outside a transaction block
 * it commits after about "batch_rows" rows.  Called again, it does what is left.
 * With "dry_run" it only says which commands it would run.
 *
 * Raises 25001 if "concurrently" is asked for in a transaction block or by
 * another procedure, 42501 for those who do not own the table, 22004 and 22023
 * for its own arguments, and what the trigger raises for the sources.
 */
PG_FUNCTION_INFO_V1(steward_search_enable);
Datum
steward_search_enable(PG_FUNCTION_ARGS)
{
	CallContext *call = castNode(CallContext, fcinfo->context);
	MemoryContext mcxt = CurrentMemoryContext;
	Oid			types[] = {REGCLASSOID, TEXTARRAYOID, REGCONFIGOID, NAMEOID, NAMEOID, TEXTOID, BOOLOID};
	static const int args[] = {0, 1, 2, 3, 4, 7, 8};
	Datum		values[lengthof(types)] = {0};
	char		nulls[lengthof(types)] = {0};
	bool		dry_run = !PG_ARGISNULL(8) && PG_GETARG_BOOL(8);
	bool		concurrently = !PG_ARGISNULL(5) && PG_GETARG_BOOL(5);
	SearchTask	task = {0};
	List	   *tables;
	ListCell   *lc;

	if (PG_ARGISNULL(5) || PG_ARGISNULL(6) || PG_GETARG_INT32(6) < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid batch of rows"),
				 errhint("\"batch_rows\" is at least 1; \"concurrently\" is true or false.")));
	if (concurrently && !dry_run && (call->atomic || SPI_inside_nonatomic_context()))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("steward.search_enable() cannot create an index concurrently inside a transaction block or another procedure"),
				 errhint("CALL it by itself, or leave \"concurrently\" out.")));

	for (int i = 0; i < lengthof(types); i++)
	{
		int			arg = args[i];

		/* arguments may lie in memory that a commit frees */
		nulls[i] = PG_ARGISNULL(arg) ? 'n' : ' ';
		if (!PG_ARGISNULL(arg))
			values[i] = datumCopy(PG_GETARG_DATUM(arg), get_typbyval(types[i]), get_typlen(types[i]));
	}

	SPI_connect_ext(call->atomic ? 0 : SPI_OPT_NONATOMIC);
	query("SELECT arguments, refill FROM steward_internal.search_prepare($1, $2, $3, $4, $5, $6, $7)", lengthof(types),
		  types, values, nulls);
	MemoryContextSwitchTo(mcxt);
	task.relation = DatumGetObjectId(values[0]);
	task.vector_column = values[3];
	task.refill = DatumGetBool(result(0, 2));
	task.batch_rows = PG_GETARG_INT32(6);
	task.commits = !call->atomic;
	values[1] = datumCopy(result(0, 1), false, -1);

	if (dry_run)
	{
		foreach(lc, index_commands(&task, concurrently, mcxt))
		{
			ereport(NOTICE, (errmsg_internal("%s;", (char *) lfirst(lc))));
		}
		SPI_finish();
		PG_RETURN_VOID();
	}

	tables = members(&task, mcxt);
	commit(&task);
	foreach(lc, tables)
	{
		fill_table(&task, lfirst_oid(lc));
	}
	if (task.refill)
	{
		Oid			settle_types[] = {REGCLASSOID, TEXTARRAYOID, NAMEOID};
		Datum		settle_values[] = {values[0], values[1], values[3]};

		query("SELECT steward_internal.search_attach($1, $2, $3, false)", lengthof(settle_types), settle_types,
			  settle_values, NULL);
	}
	if (concurrently)
		create_indexes_concurrently(&task, tables, mcxt);
	else
	{
		create_indexes(&task, tables, mcxt);
		SPI_finish();
	}
	PG_RETURN_VOID();
}
