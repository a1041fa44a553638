/*
 * audit_batch.c
 *		The events of a statement, collected in memory and written together.
 *
 * A batch belongs to the subtransaction that filled it.  It is written when
 * its statement ends, when it is full, and at the latest when that
 * subtransaction commits; if it aborts, the batch goes with it.
 */
#include "audit/audit_internal.h"

#include "access/xact.h"
#include "utils/memutils.h"

/* As many as COPY collects: more gains nothing. */
#define MAX_BATCH_ROWS		1000
#define MAX_BATCH_BYTES		65535

/* Batches that wait for the next statement; nested statements need a few. */
#define MAX_IDLE_BATCHES	4

struct AuditBatch
{
	dlist_node	node;			/* in "busy" or "idle" */
	MemoryContext mcxt;			/* holds the slots and their tuples */
	SubTransactionId subid;		/* whose rows these are, while there are any */
	bool		closed;			/* its statement is over */
	int			nrows;
	Size		bytes;
	TupleDesc	desc;			/* of the log's rows ... */
	int			generation;		/* ... as of then */
	TupleDesc	prefixes[EVENT_NATTS + 1];	/* its first n columns, for each n
											 * asked for */
	int			nslots;
	TupleTableSlot *slots[MAX_BATCH_ROWS];
};

static dlist_head busy = DLIST_STATIC_INIT(busy);
static dlist_head idle = DLIST_STATIC_INIT(idle);
static int	nidle = 0;

static void
empty(AuditBatch *batch)
{
	for (int i = 0; i < batch->nrows; i++)
		ExecClearTuple(batch->slots[i]);
	batch->nrows = 0;
	batch->bytes = 0;
}

/* Writes the rows of a batch and empties it. */
void
steward_audit_batch_flush(AuditBatch *batch)
{
	steward_audit_log_write(batch->slots, batch->nrows);
	empty(batch);
}

/* Gives a batch back; its rows, if it has any, are dropped. */
static void
release(AuditBatch *batch)
{
	empty(batch);
	dlist_delete(&batch->node);
	if (nidle < MAX_IDLE_BATCHES)
	{
		dlist_push_head(&idle, &batch->node);
		nidle++;
	}
	else
		MemoryContextDelete(batch->mcxt);
}

/* Returns an empty batch; it must be closed when its statement ends. */
AuditBatch *
steward_audit_batch_open(void)
{
	AuditBatch *batch;

	if (nidle > 0)
	{
		batch = dlist_container(AuditBatch, node, dlist_pop_head_node(&idle));
		nidle--;
	}
	else
	{
		MemoryContext mcxt = AllocSetContextCreate(steward_session_context(), "audit batch",
												   ALLOCSET_DEFAULT_SIZES);

		batch = MemoryContextAllocZero(mcxt, sizeof(AuditBatch));
		batch->mcxt = mcxt;
	}
	batch->closed = false;
	dlist_push_tail(&busy, &batch->node);
	return batch;
}

/* Lays an empty batch out for the rows of the log as they are at time "at". */
static void
follow_log(AuditBatch *batch, TimestampTz at)
{
	int			generation;
	TupleDesc	desc = steward_audit_log_desc(at, &generation);
	MemoryContext old;

	if (batch->generation == generation)
		return;

	old = MemoryContextSwitchTo(batch->mcxt);
	for (int i = 0; i < batch->nslots; i++)
		ExecDropSingleTupleTableSlot(batch->slots[i]);
	batch->nslots = 0;
	for (int i = 0; i <= EVENT_NATTS; i++)
		if (batch->prefixes[i] != NULL)
		{
			FreeTupleDesc(batch->prefixes[i]);
			batch->prefixes[i] = NULL;
		}
	if (batch->desc != NULL)
		FreeTupleDesc(batch->desc);
	batch->desc = CreateTupleDescCopy(desc);
	batch->generation = generation;
	MemoryContextSwitchTo(old);
}

/*
 * Returns a descriptor of the first columns of the log.  A row whose last columns
 * are null is stored without them, as rows older than ADD COLUMN are; that saves
 * most of them the null bitmap, eight bytes.
 */
static TupleDesc
prefix(AuditBatch *batch, int natts)
{
	if (batch->prefixes[natts] == NULL)
	{
		TupleDesc	desc = CreateTemplateTupleDesc(natts);

		for (int i = 1; i <= natts; i++)
			TupleDescCopyEntry(desc, i, batch->desc, i);
		steward_finalize_tuple_desc(desc);
		batch->prefixes[natts] = desc;
	}
	return batch->prefixes[natts];
}

/*
 * Adds one event to a batch.  Where the batch still holds rows of another
 * subtransaction, it is left to that one, and a new batch takes its place.
 */
void
steward_audit_batch_add(AuditBatch **batch_p, const Datum *values, const bool *isnull)
{
	AuditBatch *batch = *batch_p;
	SubTransactionId subid = GetCurrentSubTransactionId();
	MemoryContext old;
	HeapTuple	tuple;
	int			natts = EVENT_NATTS;

	while (isnull[natts - 1])
		natts--;
	if (batch->nrows > 0 && batch->subid != subid)
	{
		batch->closed = true;
		*batch_p = batch = steward_audit_batch_open();
	}
	if (batch->nrows == 0)
	{
		follow_log(batch, DatumGetTimestampTz(values[EVENT_RECORDED_AT]));
		batch->subid = subid;
	}

	old = MemoryContextSwitchTo(batch->mcxt);
	if (batch->nrows == batch->nslots)
		batch->slots[batch->nslots++] = MakeSingleTupleTableSlot(batch->desc, &TTSOpsHeapTuple);
	tuple = heap_form_tuple(prefix(batch, natts), unconstify(Datum *, values),
							unconstify(bool *, isnull));
	ExecStoreHeapTuple(tuple, batch->slots[batch->nrows++], true);
	MemoryContextSwitchTo(old);

	batch->bytes += tuple->t_len;
	if (batch->nrows == MAX_BATCH_ROWS || batch->bytes >= MAX_BATCH_BYTES)
		steward_audit_batch_flush(batch);
}

/*
 * Ends a batch with its statement: writes what it holds, or leaves it to the
 * end of the subtransaction that filled it, if that is not the present one.
 * In a transaction that failed, the rows have no future.
 */
void
steward_audit_batch_close(AuditBatch *batch)
{
	batch->closed = true;
	if (batch->nrows > 0 && IsTransactionState())
	{
		if (batch->subid != GetCurrentSubTransactionId())
			return;
		steward_audit_batch_flush(batch);
	}
	release(batch);
}

/* Writes what batches hold before a transaction ends, and gives them back when it has. */
void
steward_audit_batch_at_xact(XactEvent event)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &busy)
	{
		AuditBatch *batch = dlist_container(AuditBatch, node, iter.cur);

		if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
			steward_audit_batch_flush(batch);
		else if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE ||
				 event == XACT_EVENT_ABORT)
		{
			if (batch->closed)
				release(batch);
		}
	}
}

/* Writes the rows of a subtransaction before it commits, and drops them if it aborts. */
void
steward_audit_batch_at_subxact(SubXactEvent event, SubTransactionId subid, SubTransactionId parent)
{
	dlist_mutable_iter iter;

	if (event != SUBXACT_EVENT_PRE_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;

	dlist_foreach_modify(iter, &busy)
	{
		AuditBatch *batch = dlist_container(AuditBatch, node, iter.cur);

		if (batch->nrows == 0 || batch->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_PRE_COMMIT_SUB)
			steward_audit_batch_flush(batch);
		else
			empty(batch);
		if (batch->closed)
			release(batch);
	}
}
