/*
 * monitor_locks.c
 *		What the monitoring views read of relations that somebody may have locked:
 *		NULL, rather than waiting.
 */
#include "core/core.h"

#include "access/relation.h"
#include "catalog/index.h"
#include "storage/lmgr.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

/*
 * Opens a relation, locked against being changed, unless that would wait or it
 * is gone.  relation_close() with the same lock ends it.
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
 * steward_internal.monitor_index_definition(index oid): what pg_get_indexdef() gives; NULL
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
