/*
 * monitor_sequence.c
 *		What sequences have given, for those who watch them.
 *
 * pg_sequence_last_value() waits while somebody alters the sequence, and keeps a
 * lock on each sequence until the transaction ends: ten thousand of them do not
 * fit into the lock table.
 */
#include "core/core.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "commands/sequence.h"
#include "funcapi.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

/* Tells whether the file of a sequence is there, and its blocks are not in another backend's memory. */
static bool
can_read(Relation sequence)
{
	return !RELATION_IS_OTHER_TEMP(sequence) &&
		!(RecoveryInProgress() && sequence->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED);
}

/*
 * steward_internal.sequence_state(sequence oid, OUT last_value bigint, OUT is_called boolean):
 * as SELECT from the sequence has them.  NULL if it is not a sequence, is being
 * altered, or cannot be read here.  Who may ask is left to EXECUTE.
 */
PG_FUNCTION_INFO_V1(steward_sequence_state);
Datum
steward_sequence_state(PG_FUNCTION_ARGS)
{
	enum
	{
		LAST_VALUE, IS_CALLED, NATTS
	};
	Oid			relid = PG_GETARG_OID(0);
	Relation	sequence;
	TupleDesc	desc;
	Datum		values[NATTS];
	bool		nulls[NATTS] = {false};
	bool		known = false;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	/* as nextval() does: ALTER SEQUENCE gives it another file */
	if (get_rel_relkind(relid) != RELKIND_SEQUENCE || !ConditionalLockRelationOid(relid, RowExclusiveLock))
		PG_RETURN_NULL();
	sequence = try_relation_open(relid, NoLock);
	if (sequence == NULL)
	{
		UnlockRelationOid(relid, RowExclusiveLock);
		PG_RETURN_NULL();
	}
	if (sequence->rd_rel->relkind == RELKIND_SEQUENCE && can_read(sequence))
	{
		Buffer		buffer = ReadBuffer(sequence, 0);
		Page		page = BufferGetPage(buffer);
		HeapTupleHeader tuple;
		Form_pg_sequence_data data;

		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		tuple = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
		data = (Form_pg_sequence_data) ((char *) tuple + tuple->t_hoff);
		values[LAST_VALUE] = Int64GetDatum(data->last_value);
		values[IS_CALLED] = BoolGetDatum(data->is_called);
		UnlockReleaseBuffer(buffer);
		known = true;
	}
	relation_close(sequence, RowExclusiveLock);
	if (!known)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
