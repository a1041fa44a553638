/*
 * audit_change.c
 *		What the log keeps of one changed row: its key, and the values of the columns
 *		that matter, before and after.
 */
#include "audit/audit_internal.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

/* A row larger than this leaves no buffer of its size behind. */
#define KEPT_BUFFER_SIZE	(64 * 1024)

/* Room for a table of so many columns is there from the start. */
#define FIRST_NATTS			16

/* The longest line that COPY can make of an event's documents, with room for its other columns. */
#define MAX_COPIED_SIZE		(MaxAllocSize - 1024 * 1024)

/*
 * An event of fewer bytes than this never becomes so large, even if it is all
 * numbers: each takes 12 bytes or more, and prints as fewer than 150,000.
 */
#define HARMLESS_SIZE		(MAX_COPIED_SIZE / 150000 * 12)

/* The values of a row, by attribute. */
typedef struct Row
{
	const Datum *values;
	const bool *isnull;
} Row;

/* Rows that were compared without taking them apart: what is read of them is not null. */
static const bool no_nulls[MaxHeapAttributeNumber] = {false};

/* Makes a scratch in the current memory context. */
void
steward_audit_scratch_init(AuditScratch *scratch)
{
	scratch->natts = FIRST_NATTS;
	scratch->changed = palloc(FIRST_NATTS * sizeof(AuditColumn *));
	scratch->old_row = palloc(FIRST_NATTS * sizeof(Datum));
	scratch->new_row = palloc(FIRST_NATTS * sizeof(Datum));
	initStringInfo(&scratch->key);
	initStringInfo(&scratch->old_key);
	initStringInfo(&scratch->old_values);
	initStringInfo(&scratch->new_values);
}

/* Gives a scratch room for the rows of a table. */
void
steward_audit_scratch_fit(AuditScratch *scratch, AuditTable *table)
{
	int			natts = table->last_attnum;

	if (natts <= scratch->natts)
		return;
	scratch->changed = repalloc(scratch->changed, natts * sizeof(AuditColumn *));
	scratch->old_row = repalloc(scratch->old_row, natts * sizeof(Datum));
	scratch->new_row = repalloc(scratch->new_row, natts * sizeof(Datum));
	scratch->natts = natts;
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

/* Gives back what a scratch needed for nothing but one large row. */
void
steward_audit_scratch_trim(AuditScratch *scratch)
{
	trim_buffer(&scratch->key);
	trim_buffer(&scratch->old_key);
	trim_buffer(&scratch->old_values);
	trim_buffer(&scratch->new_values);
}

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

	key = steward_audit_key(out, table->all_keys, table->nkeys, row.values, row.isnull);
	if (table->nkeys == 1 && first->type.encoding == ENCODE_INT4)
		*hash = steward_audit_hash_integer_key(table->table_id,
											   DatumGetInt32(row.values[first->attnum - 1]));
	else if (table->nkeys == 1 && first->type.encoding == ENCODE_INT8)
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
	return steward_datum_differs(before.values[i], after.values[i], column->type.byval, column->type.length);
}

/*
 * Finds the changed columns of two rows whose columns lie at the same places,
 * without taking the rows apart: that is most updates, and taking apart is most
 * of what comparing costs.  Returns their number; their values and those of the
 * key are in old_row and new_row.  Returns -1 for rows that are not alike.
 */
static int
compare_alike(AuditTable *table, AuditScratch *scratch, TupleDesc desc, HeapTuple old_tuple,
			  HeapTuple new_tuple)
{
	RowPair		pair;
	int			nchanged = 0;
	int			nkeys = table->nkeys;	/* yet to come */

	steward_row_pair_open(&pair, desc, old_tuple, new_tuple, table->last_attnum);
	while (steward_row_pair_next(&pair))
	{
		AuditColumn *column = table->by_attnum[pair.attnum - 1];
		bool		differs = column != NULL && steward_row_pair_differs(&pair);

		if (column != NULL && column->in_key)
			nkeys--;
		if (differs || (column != NULL && column->in_key))
		{
			scratch->old_row[pair.attnum - 1] = fetchatt(pair.att, pair.old_value);
			scratch->new_row[pair.attnum - 1] = fetchatt(pair.att, pair.new_value);
		}
		if (differs)
		{
			int			place = nchanged++;

			/* columns are in key order, and so must their pointers be */
			while (place > 0 && scratch->changed[place - 1] > column)
			{
				scratch->changed[place] = scratch->changed[place - 1];
				place--;
			}
			scratch->changed[place] = column;
		}
		/* most updates change a column or two */
		if ((differs || column == NULL) && nkeys == 0 && steward_row_pair_ends_alike(&pair))
			break;
	}
	return pair.alike ? nchanged : -1;
}

/*
 * Finds the kept columns that an UPDATE changed.  Returns their number, in
 * scratch->changed; "before" and "after" have the values that the log needs.
 */
static int
find_changes(AuditTable *table, AuditScratch *scratch, TupleTableSlot *old_row,
			 TupleTableSlot *new_row, Row *before, Row *after)
{
	int			nchanged = -1;

	if (table->capture == AUDIT_CHANGES && table->nkeys > 0 &&
		TTS_IS_BUFFERTUPLE(old_row) && TTS_IS_BUFFERTUPLE(new_row))
		nchanged = compare_alike(table, scratch, old_row->tts_tupleDescriptor,
								 ((HeapTupleTableSlot *) old_row)->tuple,
								 ((HeapTupleTableSlot *) new_row)->tuple);
	if (nchanged >= 0)
	{
		*before = (Row)
		{
			scratch->old_row, no_nulls
		};
		*after = (Row)
		{
			scratch->new_row, no_nulls
		};
		return nchanged;
	}

	*before = deformed(table, old_row);
	*after = deformed(table, new_row);
	nchanged = 0;
	for (int i = 0; i < table->ncolumns; i++)
		if (changed(&table->columns[i], *before, *after))
			scratch->changed[nchanged++] = &table->columns[i];
	return nchanged;
}

/* Returns how many bytes COPY makes of a jsonb, or a little more. */
static Size
copied_size(Jsonb *document)
{
	const unsigned char *byte = (const unsigned char *) VARDATA(document);
	const unsigned char *end = (const unsigned char *) document + VARSIZE(document);
	JsonbIterator *it = JsonbIteratorInit(&document->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	Size		size = 0;

	/*
	 * jsonb escapes control characters as \uXXXX, and COPY doubles each
	 * backslash
	 */
	for (; byte < end; byte++)
		size += *byte < ' ' ? 7 : *byte == '"' ? 3 : *byte == '\\' ? 4 : 1;

	/* a number of few bytes may have 100,000 digits */
	while (size <= MAX_COPIED_SIZE && (token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
		if ((token == WJB_VALUE || token == WJB_ELEM) && value.type == jbvNumeric)
		{
			Datum		number = NumericGetDatum(value.val.numeric);
			char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, number));

			size += strlen(digits);
			pfree(digits);
		}
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
	if (size < HARMLESS_SIZE)
		return;

	size = 0;
	for (int i = 0; i < lengthof(documents); i++)
		if (!isnull[documents[i]])
			size += copied_size((Jsonb *) DatumGetPointer(values[documents[i]]));
	if (size > MAX_COPIED_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("change of a row of \"%s\" is too large for the audit log",
						get_rel_name(table->relation)),
				 errdetail("pg_dump could not dump it: in COPY format it would have more than %zu bytes.",
						   MAX_COPIED_SIZE),
				 errhint("Leave large columns out with the trigger argument 'exclude=...'.")));
}

/*
 * Fills in what the log keeps of one changed row; a NULL row stands for a version
 * that there is not.  Returns false if nothing that is kept of it changed.  Raises 54000
 * for more than the log can hold.  The values live until the scratch is used again.
 */
bool
steward_audit_change(AuditTable *table, AuditScratch *scratch, TupleTableSlot *old_row,
					 TupleTableSlot *new_row, Datum *values, bool *isnull)
{
	AuditColumn **columns = table->all;
	int			ncolumns = table->ncolumns;
	bool		key_changed = false;
	Row			before;
	Row			after;
	int64		hash;

	if (old_row != NULL && new_row != NULL)
	{
		int			nchanged = find_changes(table, scratch, old_row, new_row, &before, &after);

		if (nchanged == 0)
			return false;
		if (table->nkeys == 0)
			key_changed = true;
		for (int i = 0; i < nchanged && !key_changed; i++)
			key_changed = scratch->changed[i]->in_key;
		if (table->capture == AUDIT_CHANGES)
		{
			columns = scratch->changed;
			ncolumns = nchanged;
		}
	}
	else if (old_row != NULL)
		after = before = deformed(table, old_row);
	else
		after = before = deformed(table, new_row);

	values[EVENT_RECORD_KEY] = JsonbPGetDatum(record_key(table, &scratch->key, after, &hash));
	values[EVENT_KEY_HASH] = Int64GetDatum(hash);

	isnull[EVENT_OLD_KEY_HASH] = !key_changed;
	if (key_changed)
	{
		values[EVENT_OLD_VALUES] =
			JsonbPGetDatum(record_key(table, &scratch->old_key, before, &hash));
		values[EVENT_OLD_KEY_HASH] = Int64GetDatum(hash);
	}

	isnull[EVENT_OLD_VALUES] = old_row == NULL || table->capture == AUDIT_KEY;
	isnull[EVENT_NEW_VALUES] = new_row == NULL || table->capture == AUDIT_KEY;
	if (!isnull[EVENT_OLD_VALUES])
		values[EVENT_OLD_VALUES] =
			JsonbPGetDatum(steward_audit_object(&scratch->old_values, columns, ncolumns,
												before.values, before.isnull));
	else if (key_changed)
		isnull[EVENT_OLD_VALUES] = false;	/* the key that the row had */
	if (!isnull[EVENT_NEW_VALUES])
		values[EVENT_NEW_VALUES] =
			JsonbPGetDatum(steward_audit_object(&scratch->new_values, columns, ncolumns,
												after.values, after.isnull));

	/*
	 * Values may be stored differently and yet be the same to whoever reads
	 * them.
	 */
	if (old_row != NULL && new_row != NULL && table->capture != AUDIT_KEY &&
		scratch->old_values.len == scratch->new_values.len &&
		memcmp(scratch->old_values.data, scratch->new_values.data, scratch->new_values.len) == 0)
		return false;
	check_size(table, values, isnull);
	return true;
}
