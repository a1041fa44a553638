/*
 * audit_batch.c
 *		The events of a transaction, collected in memory and written together.
 *
 * Events wait across statements.  They are written before the transaction
 * commits or is prepared, when there are many, and before the session reads the
 * log.
 *
 * An event belongs to the subtransaction that made the change: it is dropped when
 * that aborts, and its parent's when that commits.  Where a reader in an inner
 * subtransaction has it written, it is kept in memory until that one's parents,
 * up to the event's own, have it: an abort would take the row away, but not the
 * change.  Subtransactions nest, so the events of the innermost are the last.
 */
#include "audit/audit_internal.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "tcop/utility.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* As many as COPY collects: more gains nothing. */
#define MAX_BATCH_ROWS		1000
#define MAX_BATCH_BYTES		65535

/* With so many of outer subtransactions waiting, the innermost writes its own at once. */
#define MAX_NESTED_ROWS		(10 * MAX_BATCH_ROWS)

typedef struct BatchEvent
{
	TupleTableSlot *slot;
	Size		size;
	SubTransactionId owner;
	SubTransactionId written;	/* the inner subtransaction that holds the
								 * row, if it is written */
	CommandId	command;		/* that made the change */
	int64		keys[2];		/* hashes of the row's keys after and before;
								 * 0: none */
} BatchEvent;

static struct
{
	MemoryContext mcxt;			/* holds the rest */
	int			nevents;
	int			nslots;			/* of events from the first, in use or not */
	int			size;			/* of "events" */
	BatchEvent *events;
	Size		bytes;
	int			full_rows;		/* the innermost subtransaction writes when it
								 * comes so far */
	Size		full_bytes;
	int			nwritten;		/* events that have been written and wait */
	bool		disordered;		/* an event's command is before another's that
								 * came first */
	int			generation;		/* of the descriptor */
	TupleDesc	desc;			/* of the log's rows */
	TupleDesc	prefixes[EVENT_NATTS + 1];	/* its first n columns, for each n
											 * asked for */
}			batch;

static ExecutorStart_hook_type next_executor_start = NULL;
static ProcessUtility_hook_type next_process_utility = NULL;

/* Lays the empty batch out for the rows of the log as they are at time "at", and has them stay so. */
static void
follow_log(TimestampTz at)
{
	int			generation;
	TupleDesc	desc = steward_audit_log_desc(at, &generation);
	MemoryContext old;

	if (batch.mcxt == NULL)
		batch.mcxt = AllocSetContextCreate(steward_session_context(), "audit batch", ALLOCSET_DEFAULT_SIZES);
	else if (batch.generation == generation)
		return;

	MemoryContextReset(batch.mcxt);
	memset(batch.prefixes, 0, sizeof(batch.prefixes));
	batch.nslots = batch.size = 0;
	batch.events = NULL;
	old = MemoryContextSwitchTo(batch.mcxt);
	batch.desc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(old);
	batch.generation = generation;
}

/*
 * Returns a descriptor of the first columns of the log.  A row whose last columns
 * are null is stored without them, as rows older than ADD COLUMN are; that saves
 * most of them the null bitmap, eight bytes.
 */
static TupleDesc
prefix(int natts)
{
	if (batch.prefixes[natts] == NULL)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(natts);

		for (int i = 1; i <= natts; i++)
			TupleDescCopyEntry(desc, i, batch.desc, i);
		steward_finalize_tuple_desc(desc);
		batch.prefixes[natts] = desc;
	}
	return batch.prefixes[natts];
}

/* Puts a row into the slot of an event. */
static void
store(BatchEvent *event, const Datum *values, const bool *isnull)
{
	MemoryContext old = MemoryContextSwitchTo(batch.mcxt);
	int			natts = EVENT_NATTS;
	HeapTuple	tuple;

	while (isnull[natts - 1])
		natts--;
	tuple = heap_form_tuple(prefix(natts), unconstify(Datum *, values), unconstify(bool *, isnull));
	event->size = tuple->t_len;
	ExecStoreHeapTuple(tuple, event->slot, true);
	MemoryContextSwitchTo(old);
}

/* Tells whether two events are about the same row. */
static bool
same_row(const BatchEvent *a, const BatchEvent *b)
{
	for (int i = 0; i < lengthof(a->keys); i++)
		if (a->keys[i] != 0 && (a->keys[i] == b->keys[0] || a->keys[i] == b->keys[1]))
			return true;
	return false;
}

/* Gives an event the place in the transaction that another one had. */
static void
renumber(BatchEvent *event, Datum seq, Datum at)
{
	Datum		values[EVENT_NATTS];
	bool		isnull[EVENT_NATTS];
	HeapTuple	tuple = ExecCopySlotHeapTuple(event->slot);

	heap_deform_tuple(tuple, batch.desc, values, isnull);
	values[EVENT_SEQ] = seq;
	values[EVENT_RECORDED_AT] = at;
	store(event, values, isnull);
	heap_freetuple(tuple);
}

/*
 * Puts the events from "first" on into the order in which rows changed.  Where a
 * trigger that fires before ours changes the row once more, that change is
 * recorded first; the ids of the commands tell.  Events of different rows stay as
 * they came: a command's own id says nothing of what its BEFORE triggers did.
 */
static void
order_changes(int first)
{
	int			n = batch.nevents - first;
	Datum	   *seqs = palloc(n * sizeof(Datum));
	Datum	   *times = palloc(n * sizeof(Datum));

	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		seqs[i] = slot_getattr(batch.events[first + i].slot, EVENT_SEQ + 1, &isnull);
		times[i] = slot_getattr(batch.events[first + i].slot, EVENT_RECORDED_AT + 1, &isnull);
		/* they would not outlive the slot's next row */
		times[i] = TimestampTzGetDatum(DatumGetTimestampTz(times[i]));
	}
	for (int i = first + 1; i < batch.nevents; i++)
	{
		BatchEvent	event = batch.events[i];
		int			to = i;

		for (int j = i - 1; j >= first; j--)
			if (batch.events[j].command > event.command && same_row(&batch.events[j], &event))
				to = j;
		memmove(&batch.events[to + 1], &batch.events[to], (i - to) * sizeof(BatchEvent));
		batch.events[to] = event;
	}
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		if (slot_getattr(batch.events[first + i].slot, EVENT_SEQ + 1, &isnull) != seqs[i])
			renumber(&batch.events[first + i], seqs[i], times[i]);
	}
	pfree(seqs);
	pfree(times);
	batch.disordered &= first > 0;	/* those before may be yet */
}

/* Takes an event out of the batch; its slot goes behind those in use. */
static void
drop(int i)
{
	BatchEvent	event = batch.events[i];

	ExecClearTuple(event.slot);
	batch.bytes -= event.size;
	batch.nevents--;
	memmove(&batch.events[i], &batch.events[i + 1], (batch.nevents - i) * sizeof(BatchEvent));
	batch.events[batch.nevents] = event;
}

/* Drops the events from "first" on. */
static void
drop_from(int first)
{
	for (int i = batch.nevents - 1; i >= first; i--)
	{
		if (batch.events[i].written != InvalidSubTransactionId)
			batch.nwritten--;
		drop(i);
	}
}

/*
 * Writes the events from "first" on of commands before "before", as the doing of
 * "command".  Those of the present subtransaction are done with.
 */
static void
write_from(int first, CommandId before, CommandId command)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	TupleTableSlot **slots;
	int			nslots = 0;
	int			kept = first;

	if (first == batch.nevents)
		return;
	if (batch.disordered)
		order_changes(first);
	slots = palloc((batch.nevents - first) * sizeof(TupleTableSlot *));
	for (int i = first; i < batch.nevents; i++)
		if (batch.events[i].written == InvalidSubTransactionId && batch.events[i].command < before)
			slots[nslots++] = batch.events[i].slot;
	steward_audit_log_write(slots, nslots, command);
	pfree(slots);

	for (int i = first; i < batch.nevents; i++)
	{
		BatchEvent	event = batch.events[i];

		if (event.command < before && event.owner == subid)
		{
			ExecClearTuple(event.slot);
			batch.bytes -= event.size;
			continue;
		}
		if (event.command < before && event.written == InvalidSubTransactionId)
		{
			event.written = subid;
			batch.nwritten++;
		}
		/* what is done with goes behind, for its slot */
		batch.events[i] = batch.events[kept];
		batch.events[kept++] = event;
	}
	batch.nevents = kept;
}

/*
 * Tells whether so many events wait that they are to be written.  In the midst of a
 * trigger the change that fired it has yet to be recorded, and may belong before
 * those that wait here: then ten times as many may.
 */
static bool
is_full(int rows, Size bytes, bool in_trigger)
{
	int			times = in_trigger ? 10 : 1;

	return batch.nevents >= rows * times || batch.bytes >= bytes * times;
}

/* Returns the first event of the innermost subtransaction. */
static int
own_events(void)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	int			first = batch.nevents;

	while (first > 0 && batch.events[first - 1].owner == subid)
		first--;
	return first;
}

/* Adds one event, of a change that "command" made. */
void
steward_audit_batch_add(const Datum *values, const bool *isnull, CommandId command)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	BatchEvent *event;

	if (batch.nevents == 0)
		follow_log(DatumGetTimestampTz(values[EVENT_RECORDED_AT]));
	if (batch.events == NULL || batch.nevents == batch.size)
	{
		batch.size = Max(64, 2 * batch.size);
		batch.events = batch.events == NULL ?
			MemoryContextAlloc(batch.mcxt, batch.size * sizeof(BatchEvent)) :
			repalloc(batch.events, batch.size * sizeof(BatchEvent));
	}
	event = &batch.events[batch.nevents];
	if (batch.nevents == batch.nslots)
	{
		MemoryContext old = MemoryContextSwitchTo(batch.mcxt);

		event->slot = MakeSingleTupleTableSlot(batch.desc, &TTSOpsHeapTuple);
		batch.nslots++;
		MemoryContextSwitchTo(old);
	}
	if (batch.nevents == 0 || batch.events[batch.nevents - 1].owner != subid)
	{
		batch.full_rows = Min(batch.nevents + MAX_BATCH_ROWS, MAX_NESTED_ROWS);
		batch.full_bytes = batch.bytes + MAX_BATCH_BYTES;
	}
	if (batch.nevents == 0)
		batch.disordered = false;
	else if (command < batch.events[batch.nevents - 1].command)
		batch.disordered = true;
	store(event, values, isnull);
	event->owner = subid;
	event->written = InvalidSubTransactionId;
	event->command = command;
	event->keys[0] = isnull[EVENT_KEY_HASH] ? 0 : DatumGetInt64(values[EVENT_KEY_HASH]);
	event->keys[1] = isnull[EVENT_OLD_KEY_HASH] ? 0 : DatumGetInt64(values[EVENT_OLD_KEY_HASH]);
	batch.bytes += event->size;
	batch.nevents++;
	if (is_full(batch.full_rows, batch.full_bytes, DatumGetInt32(pg_trigger_depth(NULL)) > 1))
		write_from(own_events(), InvalidCommandId, GetCurrentCommandId(true));
}

/*
 * Writes what the present snapshot would see if it had been written at once.  The
 * snapshot sees what came before its command: so that is when it was written.
 */
static void
write_for_snapshot(Snapshot snapshot)
{
	if (batch.nevents == batch.nwritten || snapshot->curcid == FirstCommandId || IsInParallelMode())
		return;
	write_from(0, snapshot->curcid, snapshot->curcid - 1);
}

/* Writes what waits before a query that reads the log, or whose workers might. */
static void
executor_start(QueryDesc *query, int eflags)
{
	if (batch.nevents > 0 && query->snapshot != NULL && IsMVCCSnapshot(query->snapshot))
	{
		bool		reads = query->plannedstmt->parallelModeNeeded;
		ListCell   *lc;

		foreach(lc, query->plannedstmt->rtable)
		{
			RangeTblEntry *entry = lfirst_node(RangeTblEntry, lc);

			reads |= entry->rtekind == RTE_RELATION && steward_audit_is_log(entry->relid);
		}
		if (reads)
			write_for_snapshot(query->snapshot);
	}
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/* Tells whether a command reads and changes no table but by way of the executor. */
static bool
leaves_tables_alone(Node *command)
{
	switch (nodeTag(command))
	{
		case T_TransactionStmt:
		case T_VariableSetStmt:
		case T_VariableShowStmt:
		case T_PrepareStmt:
		case T_ExecuteStmt:
		case T_DeallocateStmt:
		case T_DeclareCursorStmt:
		case T_FetchStmt:
		case T_ClosePortalStmt:
		case T_CallStmt:
		case T_DoStmt:
		case T_ExplainStmt:
		case T_ConstraintsSetStmt:
		case T_NotifyStmt:
			return true;
		default:
			return false;
	}
}

/* Writes what waits before commands such as COPY and ALTER TABLE, which may be about the log. */
static void
process_utility(PlannedStmt *command, const char *text, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest, QueryCompletion *completion)
{
	if (batch.nevents > 0 && !leaves_tables_alone(command->utilityStmt))
	{
		if (ActiveSnapshotSet())
			write_for_snapshot(GetActiveSnapshot());
		else if (!IsInParallelMode())
			write_from(0, InvalidCommandId, GetCurrentCommandId(true));
	}
	next_process_utility(command, text, read_only_tree, context, params, environment, dest, completion);
}

/* Writes what waits before a transaction ends, and forgets it when it has. */
void
steward_audit_batch_at_xact(XactEvent event)
{
	if (batch.nevents == 0)
		return;
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
		write_from(0, InvalidCommandId, GetCurrentCommandId(true));
	else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE || event == XACT_EVENT_ABORT)
		drop_from(0);
}

/*
 * Hands the events of a subtransaction up to its parent when it commits, and
 * drops them when it aborts.
 */
void
steward_audit_batch_at_subxact(SubXactEvent event, SubTransactionId subid, SubTransactionId parent)
{
	int			first = batch.nevents;

	if (batch.nevents == 0)
		return;
	if (event == SUBXACT_EVENT_PRE_COMMIT_SUB)
	{
		if (is_full(MAX_BATCH_ROWS, MAX_BATCH_BYTES, DatumGetInt32(pg_trigger_depth(NULL)) > 0))
			write_from(0, InvalidCommandId, GetCurrentCommandId(true));
		return;
	}
	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;

	while (first > 0 && batch.events[first - 1].owner == subid)
	{
		first--;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			batch.events[first].owner = parent;
	}
	if (event == SUBXACT_EVENT_ABORT_SUB)
		drop_from(first);
	for (int i = batch.nevents - 1; i >= 0 && batch.nwritten > 0; i--)
	{
		if (batch.events[i].written != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB && batch.events[i].owner != parent)
			batch.events[i].written = parent;
		else
		{
			batch.nwritten--;
			if (event == SUBXACT_EVENT_COMMIT_SUB)
				drop(i);
			else
				batch.events[i].written = InvalidSubTransactionId;
		}
	}
}

/* Takes its hooks; runs once per process. */
void
steward_audit_batch_init(void)
{
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	next_process_utility = ProcessUtility_hook != NULL ? ProcessUtility_hook : standard_ProcessUtility;
	ProcessUtility_hook = process_utility;
}
