/*
 * audit_guard.c
 *		What keeps the log from being changed or dropped: a trigger on its tables,
 *		and a look at every table that is about to be dropped.
 *
 * The log belongs to a superuser, who can take the guard away; it is there
 * against mistakes and against privileges that were granted too freely.
 */
#include "audit/audit_internal.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/event_trigger.h"
#include "miscadmin.h"
#include "replication/logicalworker.h"
#include "tcop/pquery.h"
#include "utils/acl.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

/* Returns how a message names what fired a trigger, before the name of a table. */
static const char *
operation_name(TriggerEvent event)
{
	return TRIGGER_FIRED_BY_INSERT(event) ? "INSERT into" :
		TRIGGER_FIRED_BY_UPDATE(event) ? "UPDATE" :
		TRIGGER_FIRED_BY_DELETE(event) ? "DELETE from" : "TRUNCATE";
}

/*
 * Tells whether the log's owner is restoring it: by a COPY command, or by the
 * COPY with which a subscription begins.
 */
static bool
is_restore(TriggerData *trigdata)
{
	bool		copying = ActivePortal != NULL && ActivePortal->commandTag == CMDTAG_COPY;

	return TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) && (copying || IsLogicalWorker()) &&
		has_privs_of_role(GetUserId(), trigdata->tg_relation->rd_rel->relowner);
}

/*
 * steward_internal.audit_guard_trigger() returns trigger
 *
 * BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE FOR EACH STATEMENT on the
 * tables of the log.  Refuses with 42501 and says who tried.  The owner's COPY
 * passes, because that is how a dump comes back; so does everything while a
 * superuser has steward.audit_guard off, which is noted in the server's log.
 */
PG_FUNCTION_INFO_V1(steward_audit_guard_trigger);
Datum
steward_audit_guard_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const char *operation;
	const char *relation;

	steward_check_trigger(fcinfo, "steward_internal.audit_guard_trigger");
	operation = operation_name(trigdata->tg_event);
	relation = RelationGetRelationName(trigdata->tg_relation);

	if (is_restore(trigdata))
		return PointerGetDatum(NULL);
	if (!steward_audit_guard)
	{
		ereport(LOG,
				(errmsg("role \"%s\" used steward.audit_guard = off to %s audit log table \"%s\"",
						GetUserNameFromId(GetUserId(), false), operation, relation)));
		return PointerGetDatum(NULL);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" must not %s audit log table \"%s\"",
					GetUserNameFromId(GetUserId(), false), operation, relation),
			 errdetail("The session user is \"%s\".", GetUserNameFromId(GetSessionUserId(), false)),
			 errhint("Only audit triggers write the log. A superuser who means it can run: SET steward.audit_guard = off;")));
}

/* Tells whether a table, which is locked, has rows that this session can see. */
static bool
holds_rows(Oid relid)
{
	Relation	rel = table_open(relid, NoLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TableScanDesc scan = steward_beginscan(rel, snapshot);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	bool		found = table_scan_getnextslot(scan, ForwardScanDirection, slot);

	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(rel, NoLock);
	return found;
}

/* Returns the index that finds events by their key, InvalidOid if there is none. */
static Oid
find_key_hash_index(Relation log)
{
	List	   *indexes = RelationGetIndexList(log);
	ListCell   *lc;
	Oid			found = InvalidOid;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);

		if (index->rd_rel->relam == BTREE_AM_OID && RelationGetIndexPredicate(index) == NIL &&
			index->rd_index->indkey.values[0] == EVENT_KEY_HASH + 1)
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return found;
}

/*
 * steward_internal.audit_restore_trigger() returns trigger
 *
 * BEFORE INSERT FOR EACH ROW on steward.audit_events, where only a restore
 * inserts through the executor.  Refuses with 23505 an event that the log has
 * already, so that a dump restored twice does not double the history.
 */
PG_FUNCTION_INFO_V1(steward_audit_restore_trigger);
Datum
steward_audit_restore_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	bool	   *into_empty = fcinfo->flinfo->fn_extra;
	Relation	log;
	TupleDesc	desc;
	HeapTuple	event;
	HeapTuple	other;
	Oid			index;
	Datum		key_hash;
	ScanKeyData key;
	SysScanDesc scan;
	Snapshot	snapshot;
	bool		isnull;

	steward_check_trigger(fcinfo, "steward_internal.audit_restore_trigger");
	log = trigdata->tg_relation;
	desc = RelationGetDescr(log);
	event = trigdata->tg_trigtuple;

	if (into_empty == NULL)
	{
		into_empty = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(bool));
		*into_empty = !holds_rows(RelationGetRelid(log));
		fcinfo->flinfo->fn_extra = into_empty;
	}
	key_hash = heap_getattr(event, EVENT_KEY_HASH + 1, desc, &isnull);
	if (*into_empty || isnull)
		return PointerGetDatum(event);

	ScanKeyInit(&key, EVENT_KEY_HASH + 1, BTEqualStrategyNumber, F_INT8EQ, key_hash);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	index = find_key_hash_index(log);
	scan = systable_beginscan(log, index, OidIsValid(index), snapshot, 1, &key);
	while (HeapTupleIsValid(other = systable_getnext(scan)))
	{
		Datum		xid = heap_getattr(event, EVENT_TRANSACTION_ID + 1, desc, &isnull);
		Datum		seq = heap_getattr(event, EVENT_SEQ + 1, desc, &isnull);

		if (!steward_column_changed(desc, event, other, EVENT_TRANSACTION_ID + 1) &&
			!steward_column_changed(desc, event, other, EVENT_CONTEXT_ID + 1) &&
			!steward_column_changed(desc, event, other, EVENT_SEQ + 1))
			ereport(ERROR,
					(errcode(ERRCODE_UNIQUE_VIOLATION),
					 errmsg("the audit log has this event already"),
					 errdetail("It is event %d of transaction " UINT64_FORMAT ".", DatumGetInt32(seq),
							   U64FromFullTransactionId(DatumGetFullTransactionId(xid))),
					 errhint("The dump has been restored before: leave schema \"steward\" out.")));
	}
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	return PointerGetDatum(event);
}

/* Refuses to drop a table of events, or one of its columns, while it holds any. */
void
steward_audit_check_drop(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	/*
	 * Detached partitions are told by their columns. Columns that somebody
	 * added may go.
	 */
	if (access != OAT_DROP || class != RelationRelationId || !steward_audit_guard ||
		column > EVENT_NATTS || get_rel_relkind(object) != RELKIND_RELATION ||
		get_rel_namespace(object) != get_namespace_oid("steward", true) ||
		get_attnum(object, "key_hash") != EVENT_KEY_HASH + 1)
		return;

	if (holds_rows(object))
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 column == 0 ?
				 errmsg("cannot drop \"%s\": it holds audit events", get_rel_name(object)) :
				 errmsg("cannot drop column \"%s\" of \"%s\": it holds audit events",
						get_attname(object, column, true), get_rel_name(object)),
				 errhint("To drop the audit log with its history, first run as a superuser: SET steward.audit_guard = off;")));
}

/*
 * steward_internal.audit_protect() returns event_trigger
 *
 * Does nothing.  That it is called before a DROP loads the library into the
 * session, and so puts steward_audit_check_drop in place.
 */
PG_FUNCTION_INFO_V1(steward_audit_protect);
Datum
steward_audit_protect(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by event trigger manager",
						"steward_internal.audit_protect")));
	PG_RETURN_VOID();
}
