/*
 * audit_log.c
 *		Writing the log: which partition takes an event, and getting rows and
 *		their index entries into it.
 *
 * Rows go in below the executor: no privilege is asked of the user, no trigger
 * of the log fires, and nothing is looked up by a search path.
 */
#include "audit/audit_internal.h"

#include "access/brin_internal.h"
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/snapmgr.h"

/* A partition with more indexes than that goes the executor's way. */
#define MAX_PLAIN_INDEXES	8

/*
 * One index of the partition that takes events.  What the executor finds out for
 * each statement is kept here while the partition stays as it is.
 */
typedef struct TargetIndex
{
	Oid			oid;
	IndexInfo  *info;
	bool		by_time;		/* a minmax index on time and transaction
								 * alone */
	AttrNumber	only_if_set;	/* partial: WHERE this column IS NOT NULL; 0:
								 * not partial */
} TargetIndex;

/* The partition that takes events from "lower" up to, but not including, "upper". */
struct Target
{
	bool		valid;
	Oid			log;
	Oid			partition;
	TimestampTz lower;
	TimestampTz upper;
	bool		described;		/* are the fields below up to date? */
	bool		plain_indexes;	/* is "indexes" all there is to maintain? */
	int			nindexes;
	TargetIndex indexes[MAX_PLAIN_INDEXES];
	MemoryContext mcxt;			/* holds "desc" and what is in "indexes" */
	TupleDesc	desc;
	int			generation;		/* of desc */
};

static struct Target target;

/* A relation has changed; if that may be the log or the partition that takes events, look at it anew. */
void
steward_audit_log_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == target.log || relid == target.partition)
		target.valid = false;
}

/* Returns the oid of a table of the audit module; raises 55000 if it is gone. */
Oid
steward_audit_relation(const char *name)
{
	Oid			namespace = get_namespace_oid("steward", true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid(name, namespace) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("audit log table \"steward.%s\" does not exist", name),
				 errhint("Give it back its name, or detach the audit triggers with steward.audit_disable().")));
	return relid;
}

/* Returns one bound of a range partition on one column of type timestamptz. */
static TimestampTz
range_bound(PartitionBoundInfo bounds, int i, TimestampTz beyond)
{
	if (i < 0 || i >= bounds->ndatums)
		return beyond;
	switch (bounds->kind[i][0])
	{
		case PARTITION_RANGE_DATUM_MINVALUE:
			return DT_NOBEGIN;
		case PARTITION_RANGE_DATUM_MAXVALUE:
			return DT_NOEND;
		case PARTITION_RANGE_DATUM_VALUE:
			break;
	}
	return DatumGetTimestampTz(bounds->datums[i][0]);
}

/* Returns all partitions of the log, in no order; the default partition is one of any time. */
AuditPartition *
steward_audit_partitions(Relation log, int *npartitions)
{
	PartitionDesc desc = RelationGetPartitionDesc(log, true);
	PartitionBoundInfo bounds = desc->boundinfo;
	AuditPartition *partitions = palloc(Max(desc->nparts, 1) * sizeof(AuditPartition));

	*npartitions = 0;
	for (int i = 0; bounds != NULL && i <= bounds->ndatums; i++)
	{
		AuditPartition *partition = &partitions[*npartitions];

		if (bounds->indexes[i] < 0)
			continue;
		partition->oid = desc->oids[bounds->indexes[i]];
		partition->lower = range_bound(bounds, i - 1, DT_NOBEGIN);
		partition->upper = range_bound(bounds, i, DT_NOEND);
		(*npartitions)++;
	}
	if (bounds != NULL && bounds->default_index >= 0)
	{
		AuditPartition *partition = &partitions[(*npartitions)++];

		partition->oid = desc->oids[bounds->default_index];
		partition->lower = DT_NOBEGIN;
		partition->upper = DT_NOEND;
	}
	return partitions;
}

/* Points "target" to the partition of steward.audit_events that takes time "at". */
static void
find_target(TimestampTz at)
{
	Relation	log;
	PartitionKey key;
	PartitionDesc partitions;
	PartitionBoundInfo bounds;
	Datum		value = TimestampTzGetDatum(at);
	bool		is_equal;
	TimestampTz lower = DT_NOBEGIN;
	TimestampTz upper = DT_NOEND;
	int			i;
	int			part = -1;

	/* What is invalidated from here on is read again before it is used. */
	target.log = steward_audit_relation("audit_events");
	target.partition = InvalidOid;
	target.lower = DT_NOEND;	/* no time is in there, if an error leaves it
								 * so */
	target.upper = DT_NOBEGIN;
	target.described = false;
	target.valid = true;
	log = table_open(target.log, AccessShareLock);
	key = RelationGetPartitionKey(log);
	if (key == NULL || key->strategy != PARTITION_STRATEGY_RANGE ||
		key->partnatts != 1 || key->partopcintype[0] != TIMESTAMPTZOID)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"steward.audit_events\" is not partitioned by range of \"recorded_at\"")));
	partitions = RelationGetPartitionDesc(log, true);
	bounds = partitions->boundinfo;
	if (bounds != NULL)
	{
		i = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds,
										  1, &value, &is_equal);
		lower = range_bound(bounds, i, DT_NOBEGIN);
		upper = range_bound(bounds, i + 1, DT_NOEND);
		part = bounds->indexes[i + 1];
		if (part < 0)
			part = bounds->default_index;
	}
	if (part < 0)
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("no partition of the audit log takes an event of %s", timestamptz_to_str(at)),
				 errhint("As a superuser, run: SELECT * FROM steward.audit_maintain();")));
	target.partition = partitions->oids[part];
	target.lower = lower;
	target.upper = upper;
	table_close(log, AccessShareLock);
}

/* Raises 55000 unless a partition has the columns that events are made of. */
static void
check_columns(Relation partition)
{
	static const char *const names[EVENT_NATTS] = {
		"recorded_at", "transaction_id", "context_id", "table_id", "key_hash", "seq", "operation",
		"record_key", "old_values", "new_values", "tenant_id", "old_key_hash"
	};
	TupleDesc	desc = RelationGetDescr(partition);
	bool		good = partition->rd_rel->relkind == RELKIND_RELATION && desc->natts >= EVENT_NATTS;

	for (int i = 0; good && i < EVENT_NATTS; i++)
		good = strcmp(NameStr(TupleDescAttr(desc, i)->attname), names[i]) == 0;
	if (!good)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("partition \"%s\" does not have the columns of steward.audit_events",
						RelationGetRelationName(partition)),
				 errhint("Create partitions with steward.audit_maintain(), or as PARTITION OF steward.audit_events.")));
}

/*
 * Returns the column that a partial index wants to be set, if its predicate
 * says nothing else; else InvalidAttrNumber.
 */
static AttrNumber
predicate_column(List *predicate)
{
	NullTest   *test = linitial(predicate);

	if (list_length(predicate) == 1 && IsA(test, NullTest) && !test->argisrow &&
		test->nulltesttype == IS_NOT_NULL && IsA(test->arg, Var))
		return ((Var *) test->arg)->varattno;
	return InvalidAttrNumber;
}

/*
 * Notes one index of the partition; returns false if it takes the executor to
 * maintain it: expressions, other predicates, uniqueness and exclusion.
 */
static bool
describe_index(Relation index, TargetIndex *entry)
{
	IndexInfo  *info = entry->info;

	entry->oid = RelationGetRelid(index);
	entry->by_time = index->rd_rel->relam == BRIN_AM_OID;
	for (int i = 0; i < info->ii_NumIndexAttrs && entry->by_time; i++)
		if ((info->ii_IndexAttrNumbers[i] != EVENT_RECORDED_AT + 1 &&
			 info->ii_IndexAttrNumbers[i] != EVENT_TRANSACTION_ID + 1) ||
			index_getprocid(index, i + 1, BRIN_PROCNUM_OPCINFO) != F_BRIN_MINMAX_OPCINFO)
			entry->by_time = false;
	entry->only_if_set = InvalidAttrNumber;
	if (info->ii_Predicate != NIL)
	{
		entry->only_if_set = predicate_column(info->ii_Predicate);
		if (entry->only_if_set == InvalidAttrNumber)
			return false;
	}
	return info->ii_Expressions == NIL && !info->ii_Unique && info->ii_ExclusionOps == NULL;
}

/* Finds out what the partition looks like: columns and indexes. */
static void
describe_target(Relation partition)
{
	MemoryContext old;
	List	   *indexes;
	ListCell   *lc;

	check_columns(partition);

	if (target.mcxt == NULL)
		target.mcxt = AllocSetContextCreate(steward_session_context(), "audit log partition",
											ALLOCSET_SMALL_SIZES);
	if (target.desc == NULL || !equalTupleDescs(target.desc, RelationGetDescr(partition)))
		target.generation++;
	target.desc = NULL;
	MemoryContextReset(target.mcxt);

	indexes = RelationGetIndexList(partition);
	old = MemoryContextSwitchTo(target.mcxt);
	target.desc = CreateTupleDescCopyConstr(RelationGetDescr(partition));
	target.plain_indexes = list_length(indexes) <= MAX_PLAIN_INDEXES;
	target.nindexes = 0;
	foreach(lc, indexes)
	{
		Relation	index;
		TargetIndex *entry = &target.indexes[target.nindexes];

		if (!target.plain_indexes)
			break;
		index = index_open(lfirst_oid(lc), RowExclusiveLock);
		entry->info = BuildIndexInfo(index);

		/* one that is being built, or failed to be, takes no entries yet */
		if (entry->info->ii_ReadyForInserts)
		{
			target.plain_indexes = describe_index(index, entry);
			target.nindexes++;
		}
		index_close(index, NoLock);
	}
	MemoryContextSwitchTo(old);
	list_free(indexes);
	target.described = true;
}

/*
 * Opens the partition that takes events of time "at", locked as for INSERT.
 * The lock may have waited for a new partition to be attached, so what is known
 * of the bounds is looked at once more under it.
 */
static Relation
open_target(TimestampTz at)
{
	Relation	partition;

	for (;;)
	{
		Oid			relid;

		CHECK_FOR_INTERRUPTS();
		if (!target.valid || at < target.lower || at >= target.upper)
			find_target(at);
		relid = target.partition;
		partition = try_relation_open(relid, RowExclusiveLock);
		if (!target.valid)
			find_target(at);
		if (partition != NULL && target.partition == relid)
			break;
		if (partition != NULL)
			relation_close(partition, RowExclusiveLock);
		target.valid = false;
	}

	if (!target.described)
		describe_target(partition);
	return partition;
}

/* Inserts the rows in the slots, with their index entries, as the executor does. */
static void
insert_rows(Relation rel, TupleTableSlot **slots, int nslots, CommandId command)
{
	EState	   *estate = CreateExecutorState();
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ResultRelInfo *result = makeNode(ResultRelInfo);

	InitResultRelInfo(result, rel, 0, NULL, 0);
	ExecOpenIndices(result, false);
	table_multi_insert(rel, slots, nslots, command, 0, NULL);
	for (int i = 0; i < nslots && result->ri_NumIndices > 0; i++)
	{
		steward_insert_index_tuples(result, slots[i], estate);
		ResetPerTupleExprContext(estate);
	}
	ExecCloseIndices(result);
	MemoryContextSwitchTo(old);
	FreeExecutorState(estate);
}

static inline TimestampTz
recorded_at(TupleTableSlot *slot)
{
	bool		isnull;

	return DatumGetTimestampTz(slot_getattr(slot, EVENT_RECORDED_AT + 1, &isnull));
}

/*
 * Tells whether a row's time is between those of its neighbours in a batch, and
 * all three are on one block: a block range index learns nothing from it.
 */
static bool
between_on_block(TupleTableSlot **slot)
{
	BlockNumber block = ItemPointerGetBlockNumber(&slot[0]->tts_tid);

	return ItemPointerGetBlockNumber(&slot[-1]->tts_tid) == block &&
		ItemPointerGetBlockNumber(&slot[1]->tts_tid) == block &&
		recorded_at(slot[-1]) <= recorded_at(slot[0]) &&
		recorded_at(slot[0]) <= recorded_at(slot[1]);
}

/* Adds the entries of an index of the target partition for rows just inserted. */
static void
insert_index_entries(Relation partition, TargetIndex *entry, TupleTableSlot **slots, int nslots)
{
	Relation	index = NULL;
	Datum		values[INDEX_MAX_KEYS];
	bool		isnull[INDEX_MAX_KEYS];

	for (int i = 0; i < nslots; i++)
	{
		if (entry->only_if_set != InvalidAttrNumber && slot_attisnull(slots[i], entry->only_if_set))
			continue;
		if (entry->by_time && i > 0 && i < nslots - 1 && between_on_block(slots + i))
			continue;
		if (index == NULL)
		{
			index = index_open(entry->oid, RowExclusiveLock);
			entry->info->ii_AmCache = NULL;
			entry->info->ii_Context = CurrentMemoryContext;
		}
		FormIndexDatum(entry->info, slots[i], NULL, values, isnull);
		index_insert(index, values, isnull, &slots[i]->tts_tid, partition, UNIQUE_CHECK_NO, false,
					 entry->info);
	}
	if (index != NULL)
	{
		steward_index_insert_cleanup(index, entry->info);
		entry->info->ii_AmCache = NULL;
		index_close(index, NoLock);
	}
}

/*
 * Inserts events into the target partition.  Does what insert_rows does, without
 * the executor where the partition's indexes allow it, because that is a large
 * part of what a single-row change costs.
 */
static void
insert_events(Relation partition, TupleTableSlot **slots, int nslots, CommandId command)
{
	static MemoryContext scratch = NULL;
	bool		snapshot_set = ActiveSnapshotSet();
	MemoryContext old;

	if (scratch == NULL)
		scratch = AllocSetContextCreate(steward_session_context(), "audit log insertion",
										ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);

	/* Toasting wants one, and the end of a transaction has none. */
	if (!snapshot_set)
		PushActiveSnapshot(GetTransactionSnapshot());

	if (!target.plain_indexes)
		insert_rows(partition, slots, nslots, command);
	else
	{
		if (nslots == 1)
			table_tuple_insert(partition, slots[0], command, 0, NULL);
		else
			table_multi_insert(partition, slots, nslots, command, 0, NULL);
		for (int i = 0; i < target.nindexes; i++)
			insert_index_entries(partition, &target.indexes[i], slots, nslots);
	}

	if (!snapshot_set)
		PopActiveSnapshot();
	MemoryContextSwitchTo(old);
	MemoryContextReset(scratch);
}

/* Inserts one row into a table of the audit module. */
void
steward_audit_insert(const char *relname, const Datum *values, const bool *isnull)
{
	Relation	rel = table_open(steward_audit_relation(relname), RowExclusiveLock);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel),
										unconstify(Datum *, values), unconstify(bool *, isnull));

	ExecStoreHeapTuple(tuple, slot, true);
	insert_rows(rel, &slot, 1, GetCurrentCommandId(true));
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
}

/*
 * Returns the descriptor of the partition that takes events of time "at", which
 * stays as it is until the subtransaction ends.  When the descriptor changes, so
 * does the number in "generation".
 */
TupleDesc
steward_audit_log_desc(TimestampTz at, int *generation)
{
	table_close(open_target(at), NoLock);
	*generation = target.generation;
	return target.desc;
}

/* Writes events to the log as the doing of "command", one partition after the other. */
void
steward_audit_log_write(TupleTableSlot **slots, int nslots, CommandId command)
{
	int			next;

	for (int i = 0; i < nslots; i = next)
	{
		Relation	partition = open_target(recorded_at(slots[i]));

		for (next = i + 1; next < nslots; next++)
		{
			TimestampTz at = recorded_at(slots[next]);

			if (at < target.lower || at >= target.upper)
				break;
		}
		insert_events(partition, slots + i, next - i, command);
		table_close(partition, NoLock);
	}
}

/* Tells whether a relation is the log or a partition of it. */
bool
steward_audit_is_log(Oid relid)
{
	return relid == target.log ||
		(get_rel_relispartition(relid) && get_partition_parent(relid, true) == target.log);
}
