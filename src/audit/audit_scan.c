/*
 * audit_scan.c
 *		Reading the log in the order of time without an index by time.
 *
 * Such an index would cost an entry for each event, on a page that all sessions
 * write.  But events come nearly in the order of time, and the block range index
 * knows how far the times of a range of blocks reach.  So the ranges are read
 * from the one that reaches farthest on: an event that lies beyond all ranges
 * left comes next.  A range without a summary, such as one that is being filled,
 * reaches as far as its partition.
 */
#include "audit/audit_internal.h"

#include "access/attmap.h"
#include "access/brin_internal.h"
#include "access/brin_revmap.h"
#include "access/brin_tuple.h"
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tupconvert.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "lib/pairingheap.h"
#include "miscadmin.h"
#include "nodes/extensible.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

/* One partition of the log. */
typedef struct ScanPartition
{
	AuditPartition bounds;
	Relation	rel;			/* NULL: not opened yet, or gone */
	TableScanDesc scan;
	TupleTableSlot *slot;
	TupleTableSlot *converted;	/* the same as a row of the log; NULL if it is
								 * one */
	AttrMap    *map;
} ScanPartition;

/* Blocks that are to be read. */
typedef struct ScanRange
{
	pairingheap_node node;
	int			partition;
	BlockNumber first;
	BlockNumber nblocks;		/* 0: the partition has yet to be looked into */
	TimestampTz reach;			/* none of its events comes before that */
} ScanRange;

/* An event that has been found, and waits until it comes next. */
typedef struct ScanEvent
{
	TimestampTz at;
	ItemPointerData tid;
	uint16		partition;
} ScanEvent;

typedef struct LogScan
{
	CustomScanState css;
	bool		newest_first;
	List	   *limits;			/* ExprState of each */
	List	   *strategies;		/* of recorded_at against each of them */
	int			npartitions;
	ScanPartition *partitions;
	bool		started;		/* are the fields below valid? */
	TimestampTz from;			/* events of other times are not wanted */
	TimestampTz to;
	MemoryContext mcxt;			/* holds ranges and events, until the scan
								 * starts again */
	pairingheap *ranges;
	ScanEvent  *events;			/* the last one comes next */
	int64		nevents;
	int64		size;			/* of "events" */
} LogScan;

/* Tells whether a time comes before another in the order of a scan. */
static inline bool
comes_before(const LogScan *scan, TimestampTz a, TimestampTz b)
{
	return scan->newest_first ? a > b : a < b;
}

/* Puts the event that comes next last. */
static int
compare_events(const void *a, const void *b, void *scan)
{
	TimestampTz x = ((const ScanEvent *) a)->at;
	TimestampTz y = ((const ScanEvent *) b)->at;

	return x == y ? 0 : comes_before(scan, x, y) ? 1 : -1;
}

/* Puts the range first that reaches farthest. */
static int
compare_ranges(const pairingheap_node *a, const pairingheap_node *b, void *scan)
{
	TimestampTz x = pairingheap_const_container(ScanRange, node, a)->reach;
	TimestampTz y = pairingheap_const_container(ScanRange, node, b)->reach;

	return x == y ? 0 : comes_before(scan, x, y) ? 1 : -1;
}

/* Adds blocks with events from "lower" to "upper", unless none of those is wanted. */
static void
add_range(LogScan *scan, int partition, BlockNumber first, BlockNumber nblocks,
		  TimestampTz lower, TimestampTz upper)
{
	ScanRange  *range;

	if (upper < scan->from || lower > scan->to)
		return;
	range = MemoryContextAlloc(scan->mcxt, sizeof(ScanRange));
	range->partition = partition;
	range->first = first;
	range->nblocks = nblocks;
	range->reach = scan->newest_first ? upper : lower;
	pairingheap_add(scan->ranges, &range->node);
}

/* Returns which column of an index has the least and the greatest time of block ranges; -1 if none has. */
static int
summary_column(Relation index)
{
	if (index->rd_rel->relam != BRIN_AM_OID || !index->rd_index->indisvalid ||
		RelationGetIndexPredicate(index) != NIL)
		return -1;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		if (index->rd_index->indkey.values[i] == EVENT_RECORDED_AT + 1 &&
			index_getprocid(index, i + 1, BRIN_PROCNUM_OPCINFO) == F_BRIN_MINMAX_OPCINFO)
			return i;
	return -1;
}

/* Adds the ranges of a partition as an index has summarized them. */
static void
add_summarized_ranges(LogScan *scan, int partition, Relation index, int column, BlockNumber nblocks)
{
	AuditPartition *bounds = &scan->partitions[partition].bounds;
	BlockNumber step;
	BrinRevmap *revmap = steward_revmap_initialize(index, &step, scan->css.ss.ps.state->es_snapshot);
	BrinDesc   *desc = brin_build_desc(index);
	BrinMemTuple *summary = brin_new_memtuple(desc);
	BrinTuple  *copy = NULL;
	Size		copy_size = 0;
	Buffer		buffer = InvalidBuffer;

	for (BlockNumber first = 0; first < nblocks; first += step)
	{
		TimestampTz lower = bounds->lower;
		TimestampTz upper = bounds->upper;
		OffsetNumber offset;
		Size		size;
		BrinTuple  *tuple = steward_summary_of_block(revmap, first, &buffer, &offset, &size,
													 scan->css.ss.ps.state->es_snapshot);

		CHECK_FOR_INTERRUPTS();
		if (tuple != NULL)
		{
			copy = brin_copy_tuple(tuple, size, copy, &copy_size);
			LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
			summary = brin_deform_tuple(desc, copy, summary);
			if (!summary->bt_placeholder && !summary->bt_columns[column].bv_allnulls)
			{
				lower = DatumGetTimestampTz(summary->bt_columns[column].bv_values[0]);
				upper = DatumGetTimestampTz(summary->bt_columns[column].bv_values[1]);
			}
		}
		add_range(scan, partition, first, Min(step, nblocks - first), lower, upper);
		if (first > MaxBlockNumber - step)
			break;
	}
	if (BufferIsValid(buffer))
		ReleaseBuffer(buffer);
	brinRevmapTerminate(revmap);
	brin_free_desc(desc);
}

/* Opens a partition, and adds its ranges. */
static void
add_partition_ranges(LogScan *scan, int partition)
{
	ScanPartition *part = &scan->partitions[partition];
	BlockNumber nblocks;
	List	   *indexes;
	ListCell   *lc;
	bool		found = false;

	if (part->rel == NULL)
	{
		TupleDesc	log = RelationGetDescr(scan->css.ss.ss_currentRelation);
		MemoryContext old;

		part->rel = try_table_open(part->bounds.oid, AccessShareLock);
		if (part->rel == NULL)
			return;
		PredicateLockRelation(part->rel, scan->css.ss.ps.state->es_snapshot);
		old = MemoryContextSwitchTo(scan->css.ss.ps.state->es_query_cxt);
		part->slot = table_slot_create(part->rel, NULL);
		part->map = steward_attrmap_if_needed(RelationGetDescr(part->rel), log);
		if (part->map != NULL)
			part->converted = MakeSingleTupleTableSlot(log, &TTSOpsVirtual);
		MemoryContextSwitchTo(old);
	}

	nblocks = RelationGetNumberOfBlocks(part->rel);
	if (nblocks == 0)
		return;
	indexes = RelationGetIndexList(part->rel);
	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		int			column = summary_column(index);

		if (column >= 0)
		{
			add_summarized_ranges(scan, partition, index, column, nblocks);
			found = true;
		}
		index_close(index, AccessShareLock);
		if (found)
			break;
	}
	list_free(indexes);
	if (!found)
		add_range(scan, partition, 0, nblocks, part->bounds.lower, part->bounds.upper);
}

/* Returns the row in the slot of a partition as one of the log. */
static inline TupleTableSlot *
log_row(ScanPartition *part)
{
	return part->map != NULL ? execute_attr_map_slot(part->map, part->slot, part->converted) : part->slot;
}

static void
add_event(LogScan *scan, TimestampTz at, ItemPointer tid, int partition)
{
	ScanEvent  *event;

	if (scan->events == NULL)
	{
		scan->size = 1024;
		scan->events = MemoryContextAlloc(scan->mcxt, scan->size * sizeof(ScanEvent));
	}
	else if (scan->nevents == scan->size)
	{
		scan->size *= 2;
		scan->events = repalloc_huge(scan->events, scan->size * sizeof(ScanEvent));
	}
	event = &scan->events[scan->nevents++];
	event->at = at;
	event->tid = *tid;
	event->partition = partition;
}

/* Adds the events of a range that the query wants; returns how many it has looked at. */
static int64
read_range(LogScan *scan, ScanRange *range)
{
	ScanPartition *part = &scan->partitions[range->partition];
	PlanState  *ps = &scan->css.ss.ps;
	ExprContext *econtext = ps->ps_ExprContext;
	ItemPointerData first;
	ItemPointerData last;
	int64		seen = 0;

	ItemPointerSet(&first, range->first, FirstOffsetNumber);
	ItemPointerSet(&last, range->first + range->nblocks - 1, MaxOffsetNumber);
	if (part->scan == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(ps->state->es_query_cxt);

		part->scan = steward_beginscan_tidrange(part->rel, ps->state->es_snapshot, &first, &last);
		MemoryContextSwitchTo(old);
	}
	else
		table_rescan_tidrange(part->scan, &first, &last);

	while (table_scan_getnextslot_tidrange(part->scan, ForwardScanDirection, part->slot))
	{
		TupleTableSlot *row = log_row(part);
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(slot_getattr(row, EVENT_RECORDED_AT + 1, &isnull));

		CHECK_FOR_INTERRUPTS();
		seen++;
		if (at < scan->from || at > scan->to)
			continue;
		ResetExprContext(econtext);
		econtext->ecxt_scantuple = row;
		if (ExecQual(ps->qual, econtext))
			add_event(scan, at, &part->slot->tts_tid, range->partition);
		else
			InstrCountFiltered1(ps, 1);
	}
	return seen;
}

/*
 * Reads the range that reaches farthest.  Where ranges overlap much, and so
 * events of earlier ones still wait, reads as many events as do, lest sorting
 * them again and again be all that happens.
 */
static void
read_on(LogScan *scan)
{
	int64		waiting = scan->nevents;
	int64		seen = 0;

	do
	{
		ScanRange  *range = pairingheap_container(ScanRange, node, pairingheap_remove_first(scan->ranges));

		if (range->nblocks == 0)
			add_partition_ranges(scan, range->partition);
		else
			seen += read_range(scan, range);
		pfree(range);
	} while (seen < waiting && !pairingheap_is_empty(scan->ranges));

	if (scan->nevents > 1)
		qsort_arg(scan->events, scan->nevents, sizeof(ScanEvent), compare_events, scan);
}

/* Finds out which times are wanted, and begins with the partitions that have some. */
static void
start(LogScan *scan)
{
	ExprContext *econtext = scan->css.ss.ps.ps_ExprContext;
	ListCell   *limit;
	ListCell   *strategy;

	scan->from = DT_NOBEGIN;
	scan->to = DT_NOEND;
	forboth(limit, scan->limits, strategy, scan->strategies)
	{
		bool		isnull;
		TimestampTz at = DatumGetTimestampTz(ExecEvalExprSwitchContext(lfirst(limit), econtext, &isnull));

		if (isnull)
			continue;			/* the condition itself lets nothing pass */
		if (lfirst_int(strategy) <= BTEqualStrategyNumber)
			scan->to = Min(scan->to, at);
		if (lfirst_int(strategy) >= BTEqualStrategyNumber)
			scan->from = Max(scan->from, at);
	}

	scan->ranges = pairingheap_allocate(compare_ranges, scan);
	for (int i = 0; i < scan->npartitions; i++)
		add_range(scan, i, 0, 0, scan->partitions[i].bounds.lower, scan->partitions[i].bounds.upper);
	scan->started = true;
}

/* Returns the next event, NULL if there is none. */
static TupleTableSlot *
exec(CustomScanState *node)
{
	LogScan    *scan = (LogScan *) node;
	ExprContext *econtext = node->ss.ps.ps_ExprContext;
	MemoryContext old = MemoryContextSwitchTo(scan->mcxt);
	ScanEvent  *event;
	ScanPartition *part;

	if (!scan->started)
		start(scan);
	for (;;)
	{
		ScanRange  *range = pairingheap_is_empty(scan->ranges) ? NULL :
			pairingheap_container(ScanRange, node, pairingheap_first(scan->ranges));

		event = scan->nevents > 0 ? &scan->events[scan->nevents - 1] : NULL;
		if (range == NULL || (event != NULL && !comes_before(scan, range->reach, event->at)))
			break;
		read_on(scan);
	}
	MemoryContextSwitchTo(old);
	if (event == NULL)
		return NULL;

	scan->nevents--;
	part = &scan->partitions[event->partition];
	if (!table_tuple_fetch_row_version(part->rel, &event->tid, node->ss.ps.state->es_snapshot, part->slot))
		elog(ERROR, "event (%u,%u) of partition %u of the audit log is gone",
			 ItemPointerGetBlockNumber(&event->tid), ItemPointerGetOffsetNumber(&event->tid), part->bounds.oid);
	ResetExprContext(econtext);
	econtext->ecxt_scantuple = log_row(part);
	return node->ss.ps.ps_ProjInfo != NULL ? ExecProject(node->ss.ps.ps_ProjInfo) : econtext->ecxt_scantuple;
}

static void
begin(CustomScanState *node, EState *estate, int eflags)
{
	LogScan    *scan = (LogScan *) node;
	CustomScan *plan = castNode(CustomScan, node->ss.ps.plan);
	AuditPartition *partitions;

	scan->newest_first = intVal(linitial(plan->custom_private)) != 0;
	scan->strategies = lsecond(plan->custom_private);
	scan->limits = ExecInitExprList(plan->custom_exprs, &node->ss.ps);

	/* rows come in slots of the partitions, not in the one made ready */
	node->ss.ps.scanopsfixed = false;
	ExecAssignScanProjectionInfo(&node->ss);
	node->ss.ps.qual = ExecInitQual(plan->scan.plan.qual, &node->ss.ps);

	scan->mcxt = AllocSetContextCreate(estate->es_query_cxt, "audit log scan", ALLOCSET_DEFAULT_SIZES);
	if (eflags & EXEC_FLAG_EXPLAIN_ONLY)
		return;
	partitions = steward_audit_partitions(node->ss.ss_currentRelation, &scan->npartitions);
	scan->partitions = palloc0(Max(scan->npartitions, 1) * sizeof(ScanPartition));
	for (int i = 0; i < scan->npartitions; i++)
		scan->partitions[i].bounds = partitions[i];
}

static void
rescan(CustomScanState *node)
{
	LogScan    *scan = (LogScan *) node;

	MemoryContextReset(scan->mcxt);
	scan->started = false;
	scan->events = NULL;
	scan->nevents = 0;
}

static void
end(CustomScanState *node)
{
	LogScan    *scan = (LogScan *) node;

	for (int i = 0; i < scan->npartitions; i++)
	{
		ScanPartition *part = &scan->partitions[i];

		if (part->rel == NULL)
			continue;
		if (part->scan != NULL)
			table_endscan(part->scan);
		ExecDropSingleTupleTableSlot(part->slot);
		if (part->converted != NULL)
			ExecDropSingleTupleTableSlot(part->converted);
		table_close(part->rel, NoLock);
	}
}

static void
explain(CustomScanState *node, List *ancestors, ExplainState *es)
{
	ExplainPropertyText("Order", ((LogScan *) node)->newest_first ? "newest first" : "oldest first", es);
}

static const CustomExecMethods exec_methods = {
	.CustomName = "Audit Log by Time",
	.BeginCustomScan = begin,
	.ExecCustomScan = exec,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan)
{
	LogScan    *scan = (LogScan *) newNode(sizeof(LogScan), T_CustomScanState);

	scan->css.methods = &exec_methods;
	return (Node *) scan;
}

const CustomScanMethods steward_audit_scan_methods = {
	.CustomName = "Audit Log by Time",
	.CreateCustomScanState = create_state,
};
