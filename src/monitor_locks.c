/*
 * monitor_locks.c
 *		What the monitoring views read of relations that somebody may have locked:
 *		NULL, rather than waiting.
 */
#include "pg_steward.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/*
 * Opens a relation, locked against being changed, unless that would wait or it
 * is gone.  relation_close() with the same lock ends it, so that however many
 * are read there is one lock.
 */
static Relation
open_if_free(Oid relid)
{
	Relation	rel;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		return NULL;
	rel = try_relation_open(relid, NoLock);
	if (rel == NULL)
		UnlockRelationOid(relid, AccessShareLock);
	return rel;
}

/*
 * steward.sequence_last_value(sequence oid): NULL if it has given none, somebody
 * has locked it, or it cannot be read: another session's, or an unlogged one on
 * a standby.
 */
PG_FUNCTION_INFO_V1(steward_sequence_last_value);
Datum
steward_sequence_last_value(PG_FUNCTION_ARGS)
{
	Relation	rel = open_if_free(PG_GETARG_OID(0));
	Form_pg_sequence_data sequence;
	HeapTupleHeader row;
	Buffer		buffer;
	Page		page;
	int64		last_value = 0;
	bool		is_called = false;

	if (rel == NULL)
		PG_RETURN_NULL();
	if (rel->rd_rel->relkind == RELKIND_SEQUENCE && !RELATION_IS_OTHER_TEMP(rel) &&
		!(rel->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED && RecoveryInProgress()))
	{
		buffer = ReadBuffer(rel, 0);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		page = BufferGetPage(buffer);
		row = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
		sequence = (Form_pg_sequence_data) ((char *) row + row->t_hoff);
		last_value = sequence->last_value;
		is_called = sequence->is_called;
		UnlockReleaseBuffer(buffer);
	}
	relation_close(rel, AccessShareLock);
	if (!is_called)
		PG_RETURN_NULL();
	PG_RETURN_INT64(last_value);
}

/*
 * steward.monitor_index_definition(index oid): what pg_get_indexdef() gives; NULL
 * if somebody has locked the index or its table.
 */
PG_FUNCTION_INFO_V1(steward_monitor_index_definition);
Datum
steward_monitor_index_definition(PG_FUNCTION_ARGS)
{
	LOCAL_FCINFO(call, 1);
	FmgrInfo	flinfo;
	Datum		result = (Datum) 0;
	Relation	table = open_if_free(IndexGetRelation(PG_GETARG_OID(0), true));
	Relation	index = table ? open_if_free(PG_GETARG_OID(0)) : NULL;

	fmgr_info(F_PG_GET_INDEXDEF_OID, &flinfo);
	InitFunctionCallInfoData(*call, &flinfo, 1, InvalidOid, NULL, NULL);
	call->args[0] = fcinfo->args[0];
	call->isnull = true;
	if (index != NULL)
	{
		call->isnull = false;
		result = FunctionCallInvoke(call);
		relation_close(index, AccessShareLock);
	}
	if (table != NULL)
		relation_close(table, AccessShareLock);
	if (call->isnull)
		PG_RETURN_NULL();
	return result;
}
