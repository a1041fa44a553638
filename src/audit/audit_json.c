/*
 * audit_json.c
 *		The values of a row as jsonb, straight from the tuple.
 *
 * The layout written here is the one that utils/jsonb.h describes and that
 * to_jsonb() would give for the same value, without the tree of JsonbValues in
 * between.
 *
 * What is written brings the value back.  An array or a composite value of which
 * JSON would lose something is the text of its type.  A column of type json or
 * jsonb cannot be: where its JSON says less than it, its text stands beside, in
 * an object under the key "", which is no column's name.
 */
#include "audit/audit_writer.h"

#include "access/detoast.h"
#include "access/tupmacs.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* The attributes of a composite type, as they were when last looked up. */
typedef struct AuditFields
{
	MemoryContext mcxt;			/* holds all of it */
	uint64		version;		/* of the type's descriptor */
	int			nfields;
	AuditColumn *fields;		/* in jsonb's key order */
	AuditColumn **all;			/* pointers to each of them */
} AuditFields;

static JEntry append_value(AuditWriter *writer, AuditType *type, Datum value);

/* Stores a JEntry, as a length or, where jsonb wants it, as an offset. */
static inline void
set_entry(StringInfo out, int at, int index, JEntry entry, uint32 total)
{
	if (index % JB_OFFSET_STRIDE == 0)
		entry = (entry & JENTRY_TYPEMASK) | total | JENTRY_HAS_OFF;
	memcpy(out->data + at + index * sizeof(JEntry), &entry, sizeof(JEntry));
}

/*
 * Begins an array or object, at an offset that is aligned: its header, and room
 * for its entries, the place of which it returns.
 */
static int
begin_container(AuditWriter *writer, uint32 header, size_t nentries)
{
	StringInfo	out = writer->out;
	int			entries = out->len + sizeof(header);

	enlargeStringInfo(out, sizeof(header) + nentries * (sizeof(JEntry) + 32));
	memcpy(out->data + out->len, &header, sizeof(header));
	out->len = entries + nentries * sizeof(JEntry);
	return entries;
}

/*
 * Appends the object that maps columns, which are in jsonb's key order, to their
 * values (arrays indexed by attribute number - 1), and "texts", if there are any,
 * under the key "".
 */
static void
append_object(AuditWriter *writer, Jsonb *texts, AuditColumn **columns, int ncolumns,
			  const Datum *values, const bool *isnull)
{
	StringInfo	out = writer->out;
	int			first = texts != NULL ? 1 : 0;
	int			npairs = ncolumns + first;
	int			entries = begin_container(writer, npairs | JB_FOBJECT, 2 * npairs);
	uint32		total = 0;

	if (texts != NULL)
		set_entry(out, entries, 0, JENTRY_ISSTRING, 0);
	for (int i = 0; i < ncolumns; i++)
	{
		appendBinaryStringInfo(out, columns[i]->name, columns[i]->name_length);
		total += columns[i]->name_length;
		set_entry(out, entries, first + i, JENTRY_ISSTRING | columns[i]->name_length, total);
	}

	if (texts != NULL)
	{
		JEntry		entry;

		writer->column = columns[0];
		entry = steward_audit_append_jsonb(writer, texts);
		total += entry & JENTRY_OFFLENMASK;
		set_entry(out, entries, npairs, entry, total);
	}
	for (int i = 0; i < ncolumns; i++)
	{
		int			attno = columns[i]->attnum - 1;
		JEntry		entry = JENTRY_ISNULL;

		if (writer->depth == 0)
			writer->column = columns[i];
		if (!isnull[attno])
			entry = append_value(writer, &columns[i]->type, values[attno]);
		total += entry & JENTRY_OFFLENMASK;
		check_length(writer, total);
		set_entry(out, entries, npairs + first + i, entry, total);
	}
}

/* Brings what is known of a composite type up to date; returns it. */
static AuditFields *
fields_of(AuditType *type, TupleDesc desc, uint64 version)
{
	AuditFields *fields = type->fields;
	MemoryContext mcxt;

	if (fields != NULL && fields->version == version)
		return fields;
	if (fields != NULL)
	{
		type->fields = NULL;
		MemoryContextDelete(fields->mcxt);
	}

	mcxt = AllocSetContextCreate(type->mcxt, "audited composite type", ALLOCSET_SMALL_SIZES);
	fields = MemoryContextAllocZero(mcxt, sizeof(AuditFields));
	fields->mcxt = mcxt;
	fields->version = version;
	fields->fields = MemoryContextAlloc(mcxt, Max(desc->natts, 1) * sizeof(AuditColumn));
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped)
			steward_audit_column_init(&fields->fields[fields->nfields++], TupleDescAttr(desc, i),
									  false, false, mcxt);
	fields->all = steward_audit_sort_columns(fields->fields, fields->nfields, mcxt);
	type->fields = fields;
	return fields;
}

/* Appends the object of a composite value; its attributes by name. */
static void
append_composite(AuditWriter *writer, AuditType *type, Datum value)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(value);
	TypeCacheEntry *entry = lookup_type_cache(type->oid, TYPECACHE_TUPDESC);
	TupleDesc	desc = entry->tupDesc;
	AuditFields *fields;
	HeapTupleData tuple = {.t_data = header,.t_len = HeapTupleHeaderGetDatumLength(header)};
	Datum	   *values;
	bool	   *isnull;

	IncrTupleDescRefCount(desc);
	fields = fields_of(type, desc, entry->tupDesc_identifier);
	values = palloc(Max(desc->natts, 1) * sizeof(Datum));
	isnull = palloc(Max(desc->natts, 1) * sizeof(bool));
	heap_deform_tuple(&tuple, desc, values, isnull);
	DecrTupleDescRefCount(desc);
	append_object(writer, NULL, fields->all, fields->nfields, values, isnull);
	pfree(values);
	pfree(isnull);
}

/* Where one is in an array. */
typedef struct ArrayPlace
{
	ArrayType  *array;
	AuditType  *element;
	int			index;
	char	   *data;
	MemoryContext scratch;		/* what an element leaves behind; NULL if
								 * nothing */
} ArrayPlace;

/* Appends the element of an array that "place" is at, and goes on to the next one. */
static JEntry
append_element(AuditWriter *writer, ArrayPlace *place)
{
	AuditType  *type = place->element;
	uint8	   *nulls = ARR_NULLBITMAP(place->array);
	MemoryContext old = CurrentMemoryContext;
	JEntry		entry;
	Datum		value;

	CHECK_FOR_INTERRUPTS();
	place->index++;
	if (nulls != NULL && att_isnull(place->index - 1, nulls))
		return JENTRY_ISNULL;
	value = fetch_att(place->data, type->byval, type->length);
	if (place->scratch != NULL)
		MemoryContextSwitchTo(place->scratch);
	entry = append_value(writer, type, value);
	if (place->scratch != NULL)
	{
		MemoryContextSwitchTo(old);
		MemoryContextReset(place->scratch);
	}
	place->data = att_addlength_pointer(place->data, type->length, place->data);
	place->data += att_align_nominal((uintptr_t) place->data, type->align) - (uintptr_t) place->data;
	return entry;
}

/* Appends one dimension of an array, and with it those within it. */
static void
append_dimension(AuditWriter *writer, ArrayPlace *place, int dimension)
{
	int			ndim = ARR_NDIM(place->array);
	int			n = ndim > 0 ? ARR_DIMS(place->array)[dimension] : 0;
	int			entries;
	uint32		total = 0;

	check_length(writer, n * sizeof(JEntry));
	entries = begin_container(writer, n | JB_FARRAY, n);

	for (int i = 0; i < n && writer->exact; i++)
	{
		JEntry		entry;

		if (dimension + 1 < ndim)
		{
			int			start = writer->out->len;

			(void) append_padding(writer->out);
			append_dimension(writer, place, dimension + 1);
			check_length(writer, writer->out->len - start);
			entry = JENTRY_ISCONTAINER | (writer->out->len - start);
		}
		else
			entry = append_element(writer, place);
		total += entry & JENTRY_OFFLENMASK;
		check_length(writer, total);
		set_entry(writer->out, entries, i, entry, total);
	}
}

static void
append_array(AuditWriter *writer, AuditType *type, Datum value)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	ArrayPlace	place = {
		.array = array,
		.element = type->element,
		.data = ARR_DATA_PTR(array),
	};

	for (int i = 0; i < ARR_NDIM(array); i++)
		if (ARR_LBOUND(array)[i] != 1)
			writer->exact = false;
	if (type->element->encoding >= ENCODE_OUTPUT)
		place.scratch = AllocSetContextCreate(CurrentMemoryContext, "audited array", ALLOCSET_SMALL_SIZES);
	append_dimension(writer, &place, 0);
	if (place.scratch != NULL)
		MemoryContextDelete(place.scratch);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

/* Appends an array or a composite value, as JSON if that brings it back, and as text otherwise. */
static JEntry
append_nested(AuditWriter *writer, AuditType *type, Datum value)
{
	bool		outer_exact = writer->exact;
	bool		exact;
	int			start = writer->out->len;

	check_stack_depth();
	writer->exact = true;
	writer->depth++;
	(void) append_padding(writer->out);
	if (type->encoding == ENCODE_ARRAY)
		append_array(writer, type, value);
	else
		append_composite(writer, type, value);
	writer->depth--;
	exact = writer->exact;
	writer->exact = outer_exact;

	if (!exact)
	{
		writer->out->len = start;
		return steward_audit_append_output(writer, type, value);
	}
	check_length(writer, writer->out->len - start);
	return JENTRY_ISCONTAINER | (writer->out->len - start);
}

/* Appends one value that is not null; returns its type and length as a JEntry. */
static JEntry
append_value(AuditWriter *writer, AuditType *type, Datum value)
{
	if (type->encoding == ENCODE_ARRAY || type->encoding == ENCODE_COMPOSITE)
		return append_nested(writer, type, value);
	return steward_audit_append_scalar(writer, type, value);
}

/* Writes an object instead of what the writer has written before. */
static void
write_object(AuditWriter *writer, Jsonb *texts, AuditColumn **columns, int ncolumns,
			 const Datum *values, const bool *isnull)
{
	resetStringInfo(writer->out);
	writer->out->len = VARHDRSZ;
	append_object(writer, texts, columns, ncolumns, values, isnull);
	SET_VARSIZE(writer->out->data, writer->out->len);
}

/* Returns the object of the texts that the output functions of some columns give. */
static Jsonb *
texts_of(List *columns, const Datum *values, const bool *isnull)
{
	int			ncolumns = list_length(columns);
	AuditColumn *copies = palloc(ncolumns * sizeof(AuditColumn));
	AuditColumn **pointers = palloc(ncolumns * sizeof(AuditColumn *));
	StringInfoData out;
	AuditWriter writer = {.out = &out};

	for (int i = 0; i < ncolumns; i++)
	{
		copies[i] = *(AuditColumn *) list_nth(columns, i);
		copies[i].type.mcxt = CurrentMemoryContext;
		copies[i].type.encoding = ENCODE_OUTPUT;
		pointers[i] = &copies[i];
	}
	initStringInfo(&out);
	write_object(&writer, NULL, pointers, ncolumns, values, isnull);
	return (Jsonb *) out.data;
}

/*
 * Writes into "out" the jsonb object that maps the given columns, which are in
 * jsonb's key order, to their values (arrays indexed by attribute number - 1),
 * and returns it; it lives until "out" is written again.
 */
Jsonb *
steward_audit_object(StringInfo out, AuditColumn **columns, int ncolumns,
					 const Datum *values, const bool *isnull)
{
	AuditWriter writer = {.out = out};

	write_object(&writer, NULL, columns, ncolumns, values, isnull);
	if (writer.inexact != NIL)
	{
		writer.again = true;
		write_object(&writer, texts_of(writer.inexact, values, isnull), columns, ncolumns, values, isnull);
	}
	return (Jsonb *) out->data;
}

/* The same for a key: equal keys are the same object. */
Jsonb *
steward_audit_key(StringInfo out, AuditColumn **columns, int ncolumns,
				  const Datum *values, const bool *isnull)
{
	AuditWriter writer = {.out = out,.is_key = true};

	write_object(&writer, NULL, columns, ncolumns, values, isnull);
	return (Jsonb *) out->data;
}

/* Writes into "out" the key of a row of a table that has none: a hash of the row. */
Jsonb *
steward_audit_row_hash_key(StringInfo out, const char *hash)
{
	static AuditColumn row_hash = {
		.name = "row_hash",
		.name_length = 8,
		.attnum = 1,
		.type = {.encoding = ENCODE_NAME}
	};
	AuditColumn *column = &row_hash;
	Datum		value = CStringGetDatum(hash);
	bool		isnull = false;

	return steward_audit_key(out, &column, 1, &value, &isnull);
}
