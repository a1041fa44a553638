/*
 * audit.c
 *		The audit trigger, and what reads the keys it writes.
 */
#include "audit/audit_internal.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"
#include "utils/xid8.h"

/* A row larger than this leaves no buffer of its size behind. */
#define KEPT_BUFFER_SIZE	(64 * 1024)

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
	AuditBatch *batch;
	int64		context_id;
	TimestampTz context_expires;
	AuditTenant tenant;
	StringInfoData key;
	StringInfoData old_key;
	StringInfoData old_values;
	StringInfoData new_values;
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

PG_FUNCTION_INFO_V1(steward_audit_trigger);
PG_FUNCTION_INFO_V1(steward_audit_check);
PG_FUNCTION_INFO_V1(steward_audit_identity);
PG_FUNCTION_INFO_V1(steward_audit_option_values);
PG_FUNCTION_INFO_V1(steward_audit_record_key);
PG_FUNCTION_INFO_V1(steward_audit_record_id);
PG_FUNCTION_INFO_V1(steward_audit_table_id);
PG_FUNCTION_INFO_V1(steward_audit_key_hash);

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
	AuditTable *table = statement->table;
	AuditBatch *batch = statement->batch;

	take_moving_row(statement->query, 0);

	/* Writing comes last, because it can fail. */
	slist_push_head(&idle, &statement->node);
	steward_audit_table_unpin(table);
	steward_audit_batch_close(batch);
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
	initStringInfo(&statement->key);
	initStringInfo(&statement->old_key);
	initStringInfo(&statement->old_values);
	initStringInfo(&statement->new_values);
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
	statement->batch = steward_audit_batch_open();
	statement->context_expires = DT_NOBEGIN;
	MemoryContextRegisterResetCallback(statement->query, &statement->at_end);
	fcinfo->flinfo->fn_extra = statement;
	return statement;
}

/* Gives back a buffer that one large row has blown up. */
static void
trim_buffer(StringInfo buffer)
{
	if (buffer->maxlen > KEPT_BUFFER_SIZE)
	{
		buffer->data = repalloc(buffer->data, KEPT_BUFFER_SIZE);
		buffer->maxlen = KEPT_BUFFER_SIZE;
	}
}

/* The values of a row, by attribute. */
typedef struct Row
{
	const Datum *values;
	const bool *isnull;
} Row;

/*
 * Writes the key of a row into "out" and returns it, and its hash in "hash".
 * A table without a key has the hash of all that is kept of the row.
 */
static Jsonb *
record_key(AuditTable *table, StringInfo out, Row row, int64 *hash)
{
	AuditColumn *first = table->keys;
	Jsonb	   *key;

	if (table->nkeys == 0)
	{
		char		text[17];
		Jsonb	   *object = steward_audit_object(out, table->all, table->ncolumns,
												  row.values, row.isnull);
		uint64		row_hash = hash_bytes_extended((unsigned char *) &object->root,
												   VARSIZE(object) - VARHDRSZ,
												   (uint64) table->table_id);

		snprintf(text, sizeof(text), "%016llx", (unsigned long long) row_hash);
		key = steward_audit_row_hash_key(out, text);
		*hash = steward_audit_hash_key(table->table_id, key);
		return key;
	}

	key = steward_audit_object(out, table->all_keys, table->nkeys, row.values, row.isnull);
	if (table->nkeys == 1 && first->encoding == ENCODE_INT4)
		*hash = steward_audit_hash_integer_key(table->table_id,
											   DatumGetInt32(row.values[first->attnum - 1]));
	else if (table->nkeys == 1 && first->encoding == ENCODE_INT8)
		*hash = steward_audit_hash_integer_key(table->table_id,
											   DatumGetInt64(row.values[first->attnum - 1]));
	else
		*hash = steward_audit_hash_key(table->table_id, key);
	return key;
}

/* Returns the values of a row as far as they matter. */
static Row
deformed(AuditTable *table, TupleTableSlot *slot)
{
	slot_getsomeattrs(slot, table->last_attnum);
	return (Row)
	{
		slot->tts_values, slot->tts_isnull
	};
}

/* Tells whether a column has changed between two rows. */
static inline bool
changed(const AuditColumn *column, Row before, Row after)
{
	int			i = column->attnum - 1;

	if (before.isnull[i] || after.isnull[i])
		return before.isnull[i] != after.isnull[i];
	return steward_datum_differs(before.values[i], after.values[i], column->typbyval, column->typlen);
}

/*
 * Finds the kept columns that an UPDATE changed.  Returns their number, in
 * table->changed; "before" and "after" have the values that the log needs.
 */
static int
find_changes(AuditTable *table, TupleTableSlot *old_row, TupleTableSlot *new_row,
			 Row *before, Row *after)
{
	int			nchanged = -1;

	if (table->capture == AUDIT_CHANGES && table->nkeys > 0 &&
		TTS_IS_BUFFERTUPLE(old_row) && TTS_IS_BUFFERTUPLE(new_row))
		nchanged = steward_audit_compare_alike(table, old_row->tts_tupleDescriptor,
											   ((HeapTupleTableSlot *) old_row)->tuple,
											   ((HeapTupleTableSlot *) new_row)->tuple);
	if (nchanged >= 0)
	{
		*before = (Row)
		{
			table->old_row, table->nulls
		};
		*after = (Row)
		{
			table->new_row, table->nulls
		};
		return nchanged;
	}

	*before = deformed(table, old_row);
	*after = deformed(table, new_row);
	nchanged = 0;
	for (int i = 0; i < table->ncolumns; i++)
		if (changed(&table->columns[i], *before, *after))
			table->changed[nchanged++] = &table->columns[i];
	return nchanged;
}

/*
 * Fills in what the log keeps of one changed row; returns false if that is
 * nothing, because no kept column of it changed.
 */
static bool
describe_change(AuditStatement *statement, TupleTableSlot *old_row, TupleTableSlot *new_row,
				Datum *values, bool *isnull)
{
	AuditTable *table = statement->table;
	AuditColumn **columns = table->all;
	int			ncolumns = table->ncolumns;
	bool		key_changed = false;
	Row			before;
	Row			after;
	int64		hash;

	if (old_row != NULL && new_row != NULL)
	{
		int			nchanged = find_changes(table, old_row, new_row, &before, &after);

		if (nchanged == 0)
			return false;
		if (table->nkeys == 0)
			key_changed = true;
		for (int i = 0; i < nchanged && !key_changed; i++)
			key_changed = table->changed[i]->in_key;
		if (table->capture == AUDIT_CHANGES)
		{
			columns = table->changed;
			ncolumns = nchanged;
		}
	}
	else if (old_row != NULL)
		after = before = deformed(table, old_row);
	else
		after = before = deformed(table, new_row);

	values[EVENT_RECORD_KEY] = JsonbPGetDatum(record_key(table, &statement->key, after, &hash));
	values[EVENT_KEY_HASH] = Int64GetDatum(hash);

	isnull[EVENT_OLD_KEY_HASH] = !key_changed;
	if (key_changed)
	{
		values[EVENT_OLD_VALUES] =
			JsonbPGetDatum(record_key(table, &statement->old_key, before, &hash));
		values[EVENT_OLD_KEY_HASH] = Int64GetDatum(hash);
	}

	isnull[EVENT_OLD_VALUES] = old_row == NULL || table->capture == AUDIT_KEY;
	isnull[EVENT_NEW_VALUES] = new_row == NULL || table->capture == AUDIT_KEY;
	if (!isnull[EVENT_OLD_VALUES])
		values[EVENT_OLD_VALUES] =
			JsonbPGetDatum(steward_audit_object(&statement->old_values, columns, ncolumns,
												before.values, before.isnull));
	else if (key_changed)
		isnull[EVENT_OLD_VALUES] = false;	/* the key that the row had */
	if (!isnull[EVENT_NEW_VALUES])
		values[EVENT_NEW_VALUES] =
			JsonbPGetDatum(steward_audit_object(&statement->new_values, columns, ncolumns,
												after.values, after.isnull));
	return true;
}

/* Returns how many bytes COPY makes of a jsonb, or a little more. */
static Size
copied_size(Jsonb *document)
{
	const unsigned char *byte = (const unsigned char *) VARDATA(document);
	const unsigned char *end = (const unsigned char *) document + VARSIZE(document);
	Size		size = 0;

	/*
	 * jsonb escapes control characters as \uXXXX, and COPY doubles each
	 * backslash
	 */
	for (; byte < end; byte++)
		size += *byte < ' ' ? 7 : *byte == '"' ? 3 : *byte == '\\' ? 4 : 1;
	return size;
}

/*
 * Raises 54000 for an event that could be stored but not be dumped, because
 * COPY would make a line of more than 1 GB of it.
 */
static void
check_size(AuditTable *table, const Datum *values, const bool *isnull)
{
	static const int documents[] = {EVENT_RECORD_KEY, EVENT_OLD_VALUES, EVENT_NEW_VALUES};
	Size		size = 0;

	for (int i = 0; i < lengthof(documents); i++)
		if (!isnull[documents[i]])
			size += VARSIZE(DatumGetPointer(values[documents[i]]));
	if (size < MaxAllocSize / 8)
		return;

	size = 0;
	for (int i = 0; i < lengthof(documents); i++)
		if (!isnull[documents[i]])
			size += copied_size((Jsonb *) DatumGetPointer(values[documents[i]]));
	if (size > MaxAllocSize - 1024 * 1024)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("change of a row of \"%s\" is too large for the audit log",
						get_rel_name(table->relation)),
				 errdetail("pg_dump could not dump it: in COPY format it would have %zu bytes.", size),
				 errhint("Leave large columns out with the trigger argument 'exclude=...'.")));
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
 * steward.audit_trigger() returns trigger
 *
 * Records a row change, or a TRUNCATE, in steward.audit_event.  Attach it
 * AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW, and AFTER TRUNCATE FOR EACH
 * STATEMENT.  Arguments, each 'option=value' with columns separated by commas:
 *
 *	exclude=...		columns that are not kept
 *	include=...		the only columns that are kept, beside the key
 *	redact=...		columns of which a keyed hash is kept
 *	values=...		"changes" (default): an UPDATE keeps the changed columns;
 *					"full": both rows whole; "key": nothing but the key
 *
 * Raises 39P01 when attached otherwise, 22023 and 42703 for arguments it cannot
 * follow, 42809 and 0A000 for what is not an ordinary permanent table.
 */
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
		if (!describe_change(statement, old_row, new_row, values, isnull))
			return PointerGetDatum(NULL);
		check_size(statement->table, values, isnull);
		if (operation == 'D')
			note_departure(statement, trigdata->tg_trigtuple,
						   DatumGetInt64(values[EVENT_KEY_HASH]));
		else if (operation == 'I' && !slist_is_empty(&moving))
			note_arrival(statement, values, isnull);
	}

	now = GetCurrentTimestamp();
	if (now >= statement->context_expires)
	{
		statement->context_id = steward_audit_context_id(&statement->context_expires);
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
	steward_audit_batch_add(&statement->batch, values, isnull);
	if (operation == 'T')
		steward_audit_batch_flush(statement->batch);	/* TRUNCATE has no
														 * memory whose end
														 * would tell */

	trim_buffer(&statement->key);
	trim_buffer(&statement->old_key);
	trim_buffer(&statement->old_values);
	trim_buffer(&statement->new_values);
	return PointerGetDatum(NULL);
}

/* Returns the row-level audit trigger of a table, NULL if it has none. */
static Trigger *
find_trigger(Relation rel)
{
	TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];
		char	   *function = get_func_name(trigger->tgfoid);

		if (TRIGGER_FOR_ROW(trigger->tgtype) && function != NULL &&
			strcmp(function, "audit_trigger") == 0 &&
			get_func_namespace(trigger->tgfoid) == get_namespace_oid("steward", true))
			return trigger;
	}
	return NULL;
}

/* Describes a table as its audit trigger sees it, in the current memory context. */
static AuditTable *
describe(Relation rel)
{
	return steward_audit_describe(rel, find_trigger(rel), false, CurrentMemoryContext);
}

/*
 * steward.audit_check(relation regclass) returns void
 *
 * Raises the error that the table's audit trigger would raise when it fires, and
 * warns of a redaction key that is no secret.
 */
Datum
steward_audit_check(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));

	if (describe(rel)->redacts && !steward_preloaded &&
		(steward_audit_redaction_key_file == NULL || steward_audit_redaction_key_file[0] == '\0'))
		ereport(WARNING,
				(errmsg("any role can see the redaction key in a session that has not loaded pg_steward yet"),
				 errhint("Keep the key in a file, and name it in steward.audit_redaction_key_file; or add pg_steward to session_preload_libraries.")));
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}

/*
 * steward.audit_identity(relation regclass) returns regclass
 *
 * Returns the table under which the log records the rows of a table: itself or,
 * for a partition, the topmost ancestor with a primary key.
 */
Datum
steward_audit_identity(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));
	List	   *key;
	Oid			identity;

	steward_audit_check_relation(rel);
	identity = steward_audit_find_identity(rel, &key);
	relation_close(rel, AccessShareLock);
	PG_RETURN_OID(identity);
}

/*
 * steward.audit_option_values(arguments bytea, option text) returns text[]
 *
 * Returns what an audit trigger's arguments say for one option, a list of names
 * mostly.  The arguments are as pg_trigger keeps them: each with a zero byte
 * behind it.
 */
Datum
steward_audit_option_values(PG_FUNCTION_ARGS)
{
	List	   *arguments = steward_stored_arguments(PG_GETARG_BYTEA_PP(0));
	char	   *wanted = text_to_cstring(PG_GETARG_TEXT_PP(1));
	ArrayBuildState *values = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	ListCell   *argument;

	foreach(argument, arguments)
	{
		char	   *value;
		char	   *option = steward_option(lfirst(argument), &value);
		List	   *names;
		ListCell   *lc;

		if (option == NULL || strcmp(option, wanted) != 0 ||
			!SplitIdentifierString(value, ',', &names))
			continue;
		foreach(lc, names)
		{
			accumArrayResult(values, CStringGetTextDatum(lfirst(lc)), false, TEXTOID,
							 CurrentMemoryContext);
		}
	}
	PG_RETURN_DATUM(makeArrayResult(values, CurrentMemoryContext));
}

/*
 * steward.audit_record_key(relation regclass, key text[]) returns jsonb
 *
 * Returns the key of a row as the log writes it, from the values of the key
 * columns in the order of the primary key; for a table without one, from the
 * hash that stands in its place.  Raises 22023 when the number of values is
 * wrong, 42501 for a redacted key to those who may not read the log, and what
 * the columns' types raise for values they cannot read.
 */
Datum
steward_audit_record_key(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	AuditTable *table = describe(rel);
	TupleDesc	desc = RelationGetDescr(rel);
	Datum	   *texts;
	bool	   *nulls;
	int			ntexts;
	Datum	   *values = palloc0(Max(desc->natts, 1) * sizeof(Datum));
	bool	   *isnull = palloc0(Max(desc->natts, 1) * sizeof(bool));
	StringInfoData out;
	Jsonb	   *key;
	List	   *names;
	ListCell   *lc;
	int			i = 0;

	/* Else anybody could have guesses at redacted values hashed. */
	for (int k = 0; k < table->nkeys; k++)
		if (table->keys[k].encoding == ENCODE_REDACTED &&
			pg_class_aclcheck(steward_audit_relation("audit_entry"), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to hash values of redacted column \"%s\"",
							table->keys[k].name),
					 errhint("Only who may read steward.audit_entry may look up rows by a redacted key.")));

	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &texts, &nulls, &ntexts);
	if (ntexts != Max(table->nkeys, 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("wrong number of key values for table \"%s\": %d instead of %d",
						RelationGetRelationName(rel), ntexts, Max(table->nkeys, 1)),
				 table->nkeys == 0 ?
				 errhint("The table has no primary key: pass the row hash that audit_log shows as record_id.") :
				 errhint("Pass one value for each column of the primary key, in its order.")));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a value of the key of table \"%s\" is null", RelationGetRelationName(rel))));

	initStringInfo(&out);
	if (table->nkeys == 0)
	{
		char	   *hash = TextDatumGetCString(texts[0]);

		if (strlen(hash) != 16 || strspn(hash, "0123456789abcdef") != 16)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not the hash of a row", hash),
					 errhint("Table \"%s\" has no primary key: pass the row hash that audit_log shows as record_id.",
							 RelationGetRelationName(rel))));
		key = steward_audit_row_hash_key(&out, hash);
	}
	else
	{
		(void) steward_audit_find_identity(rel, &names);
		foreach(lc, names)
		{
			AttrNumber	attnum = get_attnum(RelationGetRelid(rel), strVal(lfirst(lc)));
			Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
			Oid			function;
			Oid			io_param;

			getTypeInputInfo(att->atttypid, &function, &io_param);
			values[attnum - 1] = OidInputFunctionCall(function, TextDatumGetCString(texts[i++]),
													  io_param, att->atttypmod);
		}
		key = steward_audit_object(&out, table->all_keys, table->nkeys, values, isnull);
	}

	relation_close(rel, AccessShareLock);
	PG_RETURN_JSONB_P(key);
}

/*
 * steward.audit_key_hash(table_id bigint, record_key jsonb) returns bigint
 *
 * Returns the hash under which the index of the log has a key.
 */
Datum
steward_audit_key_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(steward_audit_hash_key(PG_GETARG_INT64(0), PG_GETARG_JSONB_P(1)));
}

/*
 * steward.audit_table_id(relation regclass) returns bigint
 *
 * Returns the id under which this database's log knows a table.
 */
Datum
steward_audit_table_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(steward_audit_make_table_id(PG_GETARG_OID(0)));
}

/*
 * steward.audit_record_id(record_key jsonb) returns text
 *
 * Returns the key of a row as one reads it: the value, if the key has one
 * column, and the object otherwise.
 */
Datum
steward_audit_record_id(PG_FUNCTION_ARGS)
{
	Jsonb	   *key = PG_GETARG_JSONB_P(0);

	if (JB_ROOT_IS_OBJECT(key) && JB_ROOT_COUNT(key) == 1)
	{
		JsonbIterator *it = JsonbIteratorInit(&key->root);
		JsonbValue	value;

		(void) JsonbIteratorNext(&it, &value, true);
		(void) JsonbIteratorNext(&it, &value, true);
		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type == jbvString)
			PG_RETURN_TEXT_P(cstring_to_text_with_len(value.val.string.val, value.val.string.len));
		if (value.type == jbvNumeric)
			PG_RETURN_TEXT_P(cstring_to_text(DatumGetCString(DirectFunctionCall1(numeric_out,
																				 NumericGetDatum(value.val.numeric)))));
	}
	PG_RETURN_TEXT_P(cstring_to_text(JsonbToCString(NULL, &key->root, VARSIZE(key))));
}
