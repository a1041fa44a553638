/*
 * row.c
 *		Comparing two versions of a row, and changing some of its columns, where
 *		possible without taking rows apart: that is most of what triggers cost.
 */
#include "core/core.h"

#include "access/detoast.h"
#include "utils/builtins.h"

/*
 * Tells whether two values, neither of them null, are stored differently.
 *
 * Bytes decide, not the type's equality: numeric 1.0 and 1.00 are two values
 * to whoever reads them, and json has no equality at all.  A toasted value is
 * fetched only when the pointers differ and the sizes do not.
 */
bool
steward_datum_differs(Datum a, Datum b, bool typbyval, int16 typlen)
{
	struct varlena *left;
	struct varlena *right;
	bool		differs;

	if (typbyval)
		return a != b;
	if (typlen > 0)
		return memcmp(DatumGetPointer(a), DatumGetPointer(b), typlen) != 0;
	if (typlen == -2)
		return strcmp(DatumGetCString(a), DatumGetCString(b)) != 0;

	left = (struct varlena *) DatumGetPointer(a);
	right = (struct varlena *) DatumGetPointer(b);

	/* The same bytes are the same value, be they text or a toast pointer. */
	if (VARSIZE_ANY(left) == VARSIZE_ANY(right) &&
		memcmp(left, right, VARSIZE_ANY(left)) == 0)
		return false;
	if (toast_raw_datum_size(a) != toast_raw_datum_size(b))
		return true;

	left = PG_DETOAST_DATUM_PACKED(a);
	right = PG_DETOAST_DATUM_PACKED(b);
	differs = memcmp(VARDATA_ANY(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(left)) != 0;
	if ((Pointer) left != DatumGetPointer(a))
		pfree(left);
	if ((Pointer) right != DatumGetPointer(b))
		pfree(right);
	return differs;
}

/*
 * Starts to go through two versions of a row side by side, up to column "natts".
 * Where their columns do not lie at the same places, pair->alike becomes false
 * and steward_row_pair_next() ends: compare such rows value by value.
 */
void
steward_row_pair_open(RowPair *pair, TupleDesc desc, HeapTuple old_tuple, HeapTuple new_tuple,
					  int natts)
{
	HeapTupleHeader old_header = old_tuple->t_data;
	HeapTupleHeader new_header = new_tuple->t_data;
	int			nulls_size = old_header->t_hoff - offsetof(HeapTupleHeaderData, t_bits);
	bool		has_nulls = HeapTupleHasNulls(new_tuple);

	pair->alike = old_tuple->t_len == new_tuple->t_len &&
		old_header->t_hoff == new_header->t_hoff &&
		HeapTupleHeaderGetNatts(old_header) >= natts &&
		HeapTupleHeaderGetNatts(new_header) >= natts &&
		HeapTupleHasNulls(old_tuple) == has_nulls &&
		!(has_nulls && memcmp(old_header->t_bits, new_header->t_bits, nulls_size) != 0);
	pair->desc = desc;
	pair->natts = natts;
	pair->attnum = 0;
	pair->nulls = has_nulls ? new_header->t_bits : NULL;
	pair->old_data = (char *) old_header + old_header->t_hoff;
	pair->new_data = (char *) new_header + new_header->t_hoff;
	pair->end = 0;
	pair->length = new_tuple->t_len - new_header->t_hoff;
}

/*
 * Goes to the next column that is not null, and points to its two values.
 * Returns false after the last one, or when the rows turn out not to be alike.
 */
bool
steward_row_pair_next(RowPair *pair)
{
	uint32		offset = pair->end;

	if (!pair->alike)
		return false;
	do
	{
		if (pair->attnum == pair->natts)
			return false;
		pair->attnum++;
	} while (pair->nulls != NULL && att_isnull(pair->attnum - 1, pair->nulls));

	pair->att = TupleDescAttr(pair->desc, pair->attnum - 1);
	if (pair->att->attlen == -1)
	{
		uint32		old_offset = att_align_pointer(offset, pair->att->attalign, -1,
												   pair->old_data + offset);

		offset = att_align_pointer(offset, pair->att->attalign, -1, pair->new_data + offset);
		pair->alike = offset == old_offset &&
			VARSIZE_ANY(pair->old_data + offset) == VARSIZE_ANY(pair->new_data + offset);
	}
	else
	{
		offset = att_align_nominal(offset, pair->att->attalign);
		pair->alike = pair->att->attlen != -2 ||
			strlen(pair->old_data + offset) == strlen(pair->new_data + offset);
	}
	pair->old_value = pair->old_data + offset;
	pair->new_value = pair->new_data + offset;
	pair->end = att_addlength_pointer(offset, pair->att->attlen, pair->new_value);
	return pair->alike;
}

/* Tells whether the two values of the column that "pair" is at are stored differently. */
bool
steward_row_pair_differs(RowPair *pair)
{
	Form_pg_attribute att = pair->att;

	if (memcmp(pair->old_value, pair->new_value, pair->new_data + pair->end - pair->new_value) == 0)
		return false;
	/* by-value types have no second form; others are looked at more closely */
	return att->attbyval ||
		steward_datum_differs(PointerGetDatum(pair->old_value), PointerGetDatum(pair->new_value),
							  false, att->attlen);
}

/* Tells whether all columns behind the one that "pair" is at are stored the same. */
bool
steward_row_pair_ends_alike(const RowPair *pair)
{
	return memcmp(pair->old_data + pair->end, pair->new_data + pair->end, pair->length - pair->end) == 0;
}

/*
 * Tells whether two versions of a row differ in a column that is not ignored;
 * "ignored" has an element for each attribute.
 */
bool
steward_row_changed(TupleDesc desc, HeapTuple old_tuple, HeapTuple new_tuple, const bool *ignored)
{
	RowPair		pair;

	steward_row_pair_open(&pair, desc, old_tuple, new_tuple, desc->natts);
	while (steward_row_pair_next(&pair))
		if (!ignored[pair.attnum - 1] && steward_row_pair_differs(&pair))
			return true;
	if (pair.alike)
		return false;

	for (int i = pair.attnum; i < desc->natts + pair.attnum; i++)
	{
		/* on from where the rows parted: there the difference is likely */
		AttrNumber	attnum = i % desc->natts + 1;

		if (!ignored[attnum - 1] && steward_column_changed(desc, old_tuple, new_tuple, attnum))
			return true;
	}
	return false;
}

/* Tells whether one column of two versions of a row differs. */
bool
steward_column_changed(TupleDesc desc, HeapTuple old_tuple, HeapTuple new_tuple, AttrNumber attnum)
{
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	bool		old_isnull;
	bool		new_isnull;
	Datum		old_value = heap_getattr(old_tuple, attnum, desc, &old_isnull);
	Datum		new_value = heap_getattr(new_tuple, attnum, desc, &new_isnull);

	if (att->attisdropped)
		return false;
	if (old_isnull || new_isnull)
		return old_isnull != new_isnull;
	return steward_datum_differs(old_value, new_value, att->attbyval, att->attlen);
}

/* Returns where the value of a column begins in a tuple; it must not be null. */
static char *
column_address(TupleDesc desc, HeapTuple tuple, AttrNumber attnum)
{
	char	   *data = (char *) tuple->t_data + tuple->t_data->t_hoff;
	uint8	   *nulls = HeapTupleHasNulls(tuple) ? tuple->t_data->t_bits : NULL;
	uint32		offset = 0;

	for (int i = 0;; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (nulls != NULL && att_isnull(i, nulls))
			continue;
		offset = att_align_pointer(offset, att->attalign, att->attlen, data + offset);
		if (i == attnum - 1)
			return data + offset;
		offset = att_addlength_pointer(offset, att->attlen, data + offset);
	}
}

/*
 * Tells whether a BEFORE trigger may change a row where it lies: when it is the
 * trigger's own copy, or the slot's, which then forgets what it has read of it.
 */
static bool
may_overwrite(TriggerData *trigdata, HeapTuple row)
{
	bool		is_update = TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event);
	TupleTableSlot *slot = is_update ? trigdata->tg_newslot : trigdata->tg_trigslot;
	HeapTupleTableSlot *owner = (HeapTupleTableSlot *) slot;

	if (row != (is_update ? trigdata->tg_newtuple : trigdata->tg_trigtuple))
		return true;
	if (!(TTS_IS_HEAPTUPLE(slot) || TTS_IS_BUFFERTUPLE(slot)) || !TTS_SHOULDFREE(slot) ||
		owner->tuple != row)
		return false;
	slot->tts_nvalid = 0;
	owner->off = 0;
	return true;
}

/*
 * Gives a column of the row that a BEFORE trigger is about to return another
 * value.  Returns the row, which may be a copy.
 */
HeapTuple
steward_row_set(TriggerData *trigdata, HeapTuple row, AttrNumber attnum, Datum value, bool isnull)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	int			column = attnum;

	if (att->attbyval && !isnull && attnum <= HeapTupleHeaderGetNatts(row->t_data) &&
		!heap_attisnull(row, attnum, desc))
	{
		if (!may_overwrite(trigdata, row))
			row = heap_copytuple(row);
		store_att_byval(column_address(desc, row, attnum), value, att->attlen);
		return row;
	}
	return heap_modify_tuple_by_cols(row, desc, 1, &column, &value, &isnull);
}

/* The same, with the value that the column has in another version of the row. */
HeapTuple
steward_row_copy_column(TriggerData *trigdata, HeapTuple row, HeapTuple from, AttrNumber attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(from, attnum, RelationGetDescr(trigdata->tg_relation), &isnull);

	return steward_row_set(trigdata, row, attnum, value, isnull);
}
