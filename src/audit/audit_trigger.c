/*
 * audit_trigger.c
 *		The audit trigger: what is the same for all rows of a statement, and the
 *		event of each.
 */
#include "audit/audit_internal.h"

#include "access/heapam.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "utils/xid8.h"

/*
 * What one trigger knows while one statement fires it.  It is in session memory
 * and goes from statement to statement, so that a small one allocates nothing.
 */
typedef struct AuditStatement
{
	slist_node	node;			/* in "idle" */
	MemoryContext query;		/* gone when the statement is over */
	MemoryContextCallback at_end;
	AuditTable *table;
	int64		context_id;
	TimestampTz context_expires;
	AuditTenant tenant;
	AuditScratch scratch;
} AuditStatement;

static slist_head idle = SLIST_STATIC_INIT(idle);

/*
 * The key of a row that left its partition and has not come to its new one yet:
 * the server reports such an UPDATE as a DELETE and, next, an INSERT.
 */
typedef struct MovingRow
{
	slist_node	node;			/* in "moving": one for each query that moves
								 * rows */
	MemoryContext query;
	int64		table_id;
	int64		key_hash;		/* a Datum may point into the row */
} MovingRow;

static slist_head moving = SLIST_STATIC_INIT(moving);

/*
 * Returns the number of the next event of the current transaction, from 0, and
 * its time, which does not go back within the transaction when the clock does.
 * Rolled back savepoints leave gaps.
 */
static int32
next_seq(FullTransactionId xid, TimestampTz *now)
{
	static FullTransactionId last = {0};
	static TimestampTz last_time = 0;
	static int32 seq = 0;

	if (!FullTransactionIdEquals(xid, last))
	{
		last = xid;
		seq = 0;
	}
	else if (seq == PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many audited changes in one transaction"),
				 errhint("Commit the changes in several transactions.")));
	else
	{
		seq++;
		*now = Max(*now, last_time);
	}
	last_time = *now;
	return seq;
}

/*
 * Takes the row that a query is moving out of the list, if it belongs to a table;
 * table 0 is any.  Returns the hash of its key, or 0 if there is no such row.
 */
static int64
take_moving_row(MemoryContext query, int64 table_id)
{
	slist_mutable_iter iter;

	slist_foreach_modify(iter, &moving)
	{
		MovingRow  *row = slist_container(MovingRow, node, iter.cur);
		int64		key_hash = row->key_hash;

		if (row->query == query && (table_id == 0 || row->table_id == table_id))
		{
			slist_delete_current(&iter);
			pfree(row);
			return key_hash;
		}
	}
	return 0;
}

/* Runs when the memory of the statement goes, be it by success or by failure. */
static void
end_statement(void *arg)
{
	AuditStatement *statement = arg;

	take_moving_row(statement->query, 0);
	slist_push_head(&idle, &statement->node);
	steward_audit_table_unpin(statement->table);
}

/* Raises 39P01 unless the trigger was attached as it must be. */
static void
check_event(TriggerData *trigdata)
{
	TriggerEvent event = trigdata->tg_event;
	const char *hint = "Attach it with: SELECT steward.audit_enable(%s);";

	if (TRIGGER_FIRED_AFTER(event) &&
		(TRIGGER_FIRED_FOR_ROW(event) || TRIGGER_FIRED_BY_TRUNCATE(event)))
		return;

	/* On a view, say, the hint would lead nowhere. */
	steward_audit_check_relation(trigdata->tg_relation);
	if (!TRIGGER_FIRED_AFTER(event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired AFTER event", "steward.audit_trigger"),
				 errhint(hint, steward_relation_literal(trigdata->tg_relation))));
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" must be fired for each row, but for TRUNCATE",
					"steward.audit_trigger"),
			 errhint(hint, steward_relation_literal(trigdata->tg_relation))));
}

/* Returns a statement with its buffers, from those that are idle if there is one. */
static AuditStatement *
new_statement(void)
{
	MemoryContext old;
	AuditStatement *statement;

	if (!slist_is_empty(&idle))
		return slist_container(AuditStatement, node, slist_pop_head_node(&idle));

	old = MemoryContextSwitchTo(steward_session_context());
	statement = palloc0(sizeof(AuditStatement));
	statement->at_end.func = end_statement;
	statement->at_end.arg = statement;
	steward_audit_scratch_init(&statement->scratch);
	MemoryContextSwitchTo(old);
	return statement;
}

/* Begins a statement: everything that is the same for all its rows. */
static AuditStatement *
begin_statement(FunctionCallInfo fcinfo)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	AuditStatement *statement;
	AuditTable *table;

	check_event(trigdata);
	table = steward_audit_table(trigdata->tg_relation, trigdata->tg_trigger,
								TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event));

	statement = new_statement();
	statement->query = fcinfo->flinfo->fn_mcxt;
	statement->table = table;
	steward_audit_scratch_fit(&statement->scratch, table);
	statement->context_expires = DT_NOBEGIN;
	MemoryContextRegisterResetCallback(statement->query, &statement->at_end);
	fcinfo->flinfo->fn_extra = statement;
	return statement;
}

/* Keeps the key of a deleted row if it was deleted to go to another partition. */
static void
note_departure(AuditStatement *statement, HeapTuple tuple, int64 key_hash)
{
	MovingRow  *row;

	(void) take_moving_row(statement->query, 0);
	if (!HeapTupleHeaderIndicatesMovedPartitions(tuple->t_data))
		return;
	row = MemoryContextAlloc(steward_session_context(), sizeof(MovingRow));
	row->query = statement->query;
	row->table_id = statement->table->table_id;
	row->key_hash = key_hash;
	slist_push_head(&moving, &row->node);
}

/* Links a row that comes from another partition to the key it had there. */
static void
note_arrival(AuditStatement *statement, Datum *values, bool *isnull)
{
	int64		key_hash = take_moving_row(statement->query, statement->table->table_id);

	values[EVENT_OLD_KEY_HASH] = Int64GetDatum(key_hash);
	isnull[EVENT_OLD_KEY_HASH] = key_hash == 0;
}

/*
 * Returns the id of the command that made the change: of two changes of a row, the
 * lower one's came first, whichever is recorded first.
 */
static CommandId
changing_command(TriggerData *trigdata)
{
	HeapTuple	tuple = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;

	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event) ||
		trigdata->tg_relation->rd_tableam != GetHeapamTableAmRoutine())
		return GetCurrentCommandId(true);
	if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
		return HeapTupleHeaderGetCmax(tuple->t_data);
	return HeapTupleHeaderGetCmin(tuple->t_data);
}

/*
 * steward.audit_trigger() returns trigger
 *
 * Records a row change, or a TRUNCATE, in steward.audit_events.  Attach it
 * AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW, and AFTER TRUNCATE FOR EACH
 * STATEMENT.  Arguments, each 'option=value' with columns separated by commas:
 *
 *	exclude=...		columns that are not kept
 *	include=...		the only columns that are kept, beside the key
 *	redact=...		columns of which a keyed hash is kept
 *	capture=...		"changes" (default): an UPDATE keeps the changed columns;
 *					"full": both rows whole; "key": nothing but the key
 *
 * Raises 39P01 when attached otherwise, 22023 and 42703 for arguments it cannot
 * follow, 42809 and 0A000 for what is not an ordinary permanent table.
 */
PG_FUNCTION_INFO_V1(steward_audit_trigger);
Datum
steward_audit_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	AuditStatement *statement = fcinfo->flinfo->fn_extra;
	TriggerEvent event;
	TimestampTz now;
	FullTransactionId xid;
	char		operation;
	TupleTableSlot *old_row = NULL;
	TupleTableSlot *new_row = NULL;
	Datum		values[EVENT_NATTS];
	bool		isnull[EVENT_NATTS] = {false};

	steward_check_trigger(fcinfo, "steward.audit_trigger");
	if (statement == NULL)
		statement = begin_statement(fcinfo);

	event = trigdata->tg_event;
	if (TRIGGER_FIRED_BY_TRUNCATE(event))
	{
		operation = 'T';
		for (int i = EVENT_KEY_HASH; i < EVENT_NATTS; i++)
			isnull[i] = i != EVENT_SEQ && i != EVENT_OPERATION;
	}
	else
	{
		old_row = TRIGGER_FIRED_BY_INSERT(event) ? NULL : trigdata->tg_trigslot;
		new_row = TRIGGER_FIRED_BY_DELETE(event) ? NULL :
			TRIGGER_FIRED_BY_UPDATE(event) ? trigdata->tg_newslot : trigdata->tg_trigslot;
		operation = old_row == NULL ? 'I' : new_row == NULL ? 'D' : 'U';
		if (!steward_audit_change(statement->table, &statement->scratch, old_row, new_row,
								  values, isnull))
			return PointerGetDatum(NULL);
		if (operation == 'D')
			note_departure(statement, trigdata->tg_trigtuple,
						   DatumGetInt64(values[EVENT_KEY_HASH]));
		else if (operation == 'I' && !slist_is_empty(&moving))
			note_arrival(statement, values, isnull);
	}

	now = GetCurrentTimestamp();
	if (now >= statement->context_expires)
	{
		statement->context_id = steward_audit_context_id(trigdata->tg_relation, &statement->context_expires);
		steward_audit_tenant_begin(&statement->tenant, trigdata->tg_relation, statement->query);
	}
	xid = GetTopFullTransactionId();
	values[EVENT_SEQ] = Int32GetDatum(next_seq(xid, &now));
	values[EVENT_RECORDED_AT] = TimestampTzGetDatum(now);
	values[EVENT_TRANSACTION_ID] = FullTransactionIdGetDatum(xid);
	values[EVENT_CONTEXT_ID] = Int64GetDatum(statement->context_id);
	values[EVENT_TABLE_ID] = Int64GetDatum(statement->table->table_id);
	values[EVENT_OPERATION] = CharGetDatum(operation);
	values[EVENT_TENANT_ID] = statement->tenant.id;
	isnull[EVENT_TENANT_ID] = !steward_audit_tenant_reads(&statement->tenant, old_row, new_row);
	steward_audit_batch_add(values, isnull, changing_command(trigdata));
	steward_audit_scratch_trim(&statement->scratch);
	return PointerGetDatum(NULL);
}
