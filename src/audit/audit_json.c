/*
 * audit_json.c
 *		The values of a row as jsonb, straight from the tuple.
 *
 * The layout written here is the one that utils/jsonb.h describes and that
 * to_jsonb() would give for the same value, without the tree of JsonbValues in
 * between.  What is written never depends on the session: date and time are
 * ISO 8601 in UTC, and output functions run under pinned formats.
 *
 * What is written brings the value back.  An array or a composite value of which
 * JSON would lose something is the text of its type.  A column of type json or
 * jsonb cannot be: where its JSON says less than it, its text stands beside, in
 * an object under the key "", which is no column's name.
 */
#include "audit/audit_internal.h"

#include <ctype.h>
#include <math.h>

#include "access/detoast.h"
#include "access/tupmacs.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/cash.h"
#include "utils/catcache.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
#include "utils/uuid.h"

#define REDACTED_PREFIX "hmac:"

/* json longer than this stays text: as jsonb it may need fifty times its size while it is read. */
#define MAX_JSON_SIZE		(16 * 1024 * 1024)

/* So does json with such a number, which jsonb prints with all its zeros: more than a float8 can have. */
#define MAX_JSON_EXPONENT	308

/* The attributes of a composite type, as they were when last looked up. */
typedef struct AuditFields
{
	MemoryContext mcxt;			/* holds all of it */
	uint64		version;		/* of the type's descriptor */
	int			nfields;
	AuditColumn *fields;		/* in jsonb's key order */
	AuditColumn **all;			/* pointers to each of them */
} AuditFields;

/* Where an object is being written, and what is known of what has been. */
typedef struct Writer
{
	StringInfo	out;
	AuditColumn *column;		/* whose value it is */
	int			depth;			/* of the array or composite value, 0: none */
	bool		is_key;			/* equal keys are written alike */
	bool		exact;			/* the present array or composite value comes
								 * back from what was written of it */
	List	   *inexact;		/* columns that do not */
} Writer;

static JEntry append_value(Writer *writer, AuditType *type, Datum value);

/*
 * Returns the key for redacted values: the first line of the file that
 * steward.audit_redaction_key_file names, read once per session, or else the
 * setting itself.  Raises 55000 if there is none.
 */
const char *
steward_audit_get_redaction_key(void)
{
	static char *read_from = NULL;
	static char key[1024];
	const char *path = steward_audit_redaction_key_file;

	if (path != NULL && path[0] != '\0')
	{
		FILE	   *file;

		if (read_from != NULL && strcmp(read_from, path) == 0)
			return key;
		read_from = NULL;
		file = AllocateFile(path, "r");
		if (file == NULL)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not open redaction key file \"%s\": %m", path)));
		if (fgets(key, sizeof(key), file) == NULL)
			key[0] = '\0';
		FreeFile(file);
		if (strlen(key) == sizeof(key) - 1)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("the first line of redaction key file \"%s\" is too long", path),
					 errhint("A key has at most %d bytes.", (int) sizeof(key) - 2)));
		key[strcspn(key, "\r\n")] = '\0';
		if (key[0] != '\0')
		{
			read_from = MemoryContextStrdup(steward_session_context(), path);
			return key;
		}
	}
	else if (steward_audit_redaction_key != NULL && steward_audit_redaction_key[0] != '\0')
		return steward_audit_redaction_key;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot redact audited values: no redaction key is set"),
			 errhint("As a superuser, write a random line to a file that only the server can read, and run: ALTER SYSTEM SET steward.audit_redaction_key_file = '...'; SELECT pg_reload_conf();")));
}

/*
 * Returns HMAC-SHA-256 (RFC 2104) of a text under the redaction key, in hex
 * behind a prefix.
 */
static char *
redacted(const char *text)
{
	const char *key = steward_audit_get_redaction_key();
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	char	   *hex;

	if (!steward_hmac(key, strlen(key), text, strlen(text), mac))
		elog(ERROR, "could not compute HMAC-SHA-256");
	hex = palloc(strlen(REDACTED_PREFIX) + 2 * sizeof(mac) + 1);
	strcpy(hex, REDACTED_PREFIX);
	hex_encode((const char *) mac, sizeof(mac), hex + strlen(REDACTED_PREFIX));
	hex[strlen(REDACTED_PREFIX) + 2 * sizeof(mac)] = '\0';
	return hex;
}

/* Returns how values of a type that is no domain become jsonb. */
static AuditEncoding
encoding_of(Oid type)
{
	Oid			element;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return ENCODE_TEXT;
		case NAMEOID:
			return ENCODE_NAME;
		case CHAROID:
			return ENCODE_CHAR;
		case BOOLOID:
			return ENCODE_BOOL;
		case INT2OID:
			return ENCODE_INT2;
		case INT4OID:
			return ENCODE_INT4;
		case INT8OID:
			return ENCODE_INT8;
		case CASHOID:
			return ENCODE_MONEY;
		case NUMERICOID:
			return ENCODE_NUMERIC;
		case FLOAT4OID:
			return ENCODE_FLOAT4;
		case FLOAT8OID:
			return ENCODE_FLOAT8;
		case JSONBOID:
			return ENCODE_JSONB;
		case JSONOID:
			return ENCODE_JSON;
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return ENCODE_DATETIME;
		case UUIDOID:
			return ENCODE_UUID;
	}
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		return ENCODE_COMPOSITE;

	/* arrays in an array would be taken for its dimensions */
	element = get_element_type(type);
	return OidIsValid(element) && !OidIsValid(get_element_type(getBaseType(element))) ?
		ENCODE_ARRAY : ENCODE_OUTPUT;
}

/* Fills in how values of a type are written; what that needs is kept in "mcxt". */
static void
type_init(AuditType *type, Oid oid, MemoryContext mcxt)
{
	memset(type, 0, sizeof(AuditType));
	type->oid = getBaseType(oid);
	type->mcxt = mcxt;
	type->encoding = encoding_of(type->oid);
	get_typlenbyvalalign(type->oid, &type->length, &type->byval, &type->align);
	if (type->encoding == ENCODE_ARRAY)
	{
		type->element = MemoryContextAlloc(mcxt, sizeof(AuditType));
		type_init(type->element, get_element_type(type->oid), mcxt);
	}
}

/*
 * Fills in how the values of one attribute are written; "redact" hashes them.  In
 * a key, arrays and composite values are text, which says of each two whether they
 * are one key.
 */
void
steward_audit_column_init(AuditColumn *column, Form_pg_attribute att, bool redact, bool is_key,
						  MemoryContext mcxt)
{
	AuditType  *type = &column->type;

	column->name = MemoryContextStrdup(mcxt, NameStr(att->attname));
	column->name_length = strlen(column->name);
	column->attnum = att->attnum;
	column->in_key = false;
	type_init(type, att->atttypid, mcxt);
	if (redact)
		type->encoding = ENCODE_REDACTED;
	else if (is_key && (type->encoding == ENCODE_ARRAY || type->encoding == ENCODE_COMPOSITE))
		type->encoding = ENCODE_OUTPUT;
}

/* The order of keys in a jsonb object: shorter first, then by bytes. */
static int
compare_columns(const void *a, const void *b)
{
	const AuditColumn *left = a;
	const AuditColumn *right = b;

	if (left->name_length != right->name_length)
		return left->name_length < right->name_length ? -1 : 1;
	return memcmp(left->name, right->name, left->name_length);
}

/* Sorts columns into the order that steward_audit_object wants; returns pointers to them. */
AuditColumn **
steward_audit_sort_columns(AuditColumn *columns, int ncolumns, MemoryContext mcxt)
{
	AuditColumn **pointers = MemoryContextAlloc(mcxt, Max(ncolumns, 1) * sizeof(AuditColumn *));

	qsort(columns, ncolumns, sizeof(AuditColumn), compare_columns);
	for (int i = 0; i < ncolumns; i++)
		pointers[i] = &columns[i];
	return pointers;
}

/* Raises 54000 when a jsonb would grow past what its entries can count. */
static inline void
check_length(Writer *writer, size_t length)
{
	if (length > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of column \"%s\" is too long for the audit log", writer->column->name),
				 errdetail("An audited row can hold at most %d bytes.", JENTRY_OFFLENMASK),
				 errhint("Leave the column out with the trigger argument 'exclude=%s'.",
						 quote_identifier(writer->column->name))));
}

/* Appends zero bytes up to a multiple of four; returns how many. */
static inline int
append_padding(StringInfo out)
{
	int			padding = INTALIGN(out->len) - out->len;

	for (int i = 0; i < padding; i++)
		appendStringInfoCharMacro(out, '\0');
	return padding;
}

static JEntry
append_string(Writer *writer, const char *string, size_t length)
{
	check_length(writer, length);
	appendBinaryStringInfo(writer->out, string, length);
	return JENTRY_ISSTRING | length;
}

static JEntry
append_numeric(Writer *writer, Numeric number)
{
	int			padding = append_padding(writer->out);

	appendBinaryStringInfo(writer->out, (char *) number, VARSIZE(number));
	return JENTRY_ISNUMERIC | (padding + VARSIZE(number));
}

/* Appends a number that was made for it, and frees it: an array may have millions. */
static JEntry
append_made_numeric(Writer *writer, Numeric number)
{
	JEntry		entry = append_numeric(writer, number);

	pfree(number);
	return entry;
}

/* A numeric of few digits, as it is stored. */
typedef struct ShortNumeric
{
	int32		length;
	uint16		header;			/* 0x8000, 0x2000 if negative, number of
								 * digits before the point - 1 */
	int16		digits[5];		/* of base 10000 */
} ShortNumeric;

/*
 * Appends a whole number as the numeric that jsonb has for it, which is without the
 * zeros at the end.  Most numbers of the log are such: they are not made elsewhere
 * first.
 */
static JEntry
append_integer(Writer *writer, int64 value)
{
	ShortNumeric number;
	int16		digits[5];		/* the last one first */
	int			ndigits = 0;
	int			nzeros = 0;
	int			size;
	int			padding = append_padding(writer->out);

	for (uint64 rest = value < 0 ? 0 - (uint64) value : (uint64) value; rest > 0; rest /= 10000)
		digits[ndigits++] = rest % 10000;
	while (nzeros < ndigits && digits[nzeros] == 0)
		nzeros++;
	for (int i = 0; i < ndigits - nzeros; i++)
		number.digits[i] = digits[ndigits - 1 - i];
	number.header = 0x8000 | (value < 0 ? 0x2000 : 0) | Max(ndigits - 1, 0);
	size = offsetof(ShortNumeric, digits) + (ndigits - nzeros) * sizeof(int16);
	SET_VARSIZE(&number, size);
	appendBinaryStringInfo(writer->out, (char *) &number, size);
	return JENTRY_ISNUMERIC | (padding + size);
}

/* NaN, the infinities and -0 have no number in jsonb: they are strings. */
static JEntry
append_float(Writer *writer, double value, char *shortest)
{
	if (isnan(value))
		return append_string(writer, "NaN", 3);
	if (isinf(value))
		return value > 0 ? append_string(writer, "Infinity", 8) : append_string(writer, "-Infinity", 9);
	if (value == 0 && signbit(value) && !writer->is_key)
		return append_string(writer, "-0", 2);
	return append_made_numeric(writer, DatumGetNumeric(DirectFunctionCall3(numeric_in,
																		   CStringGetDatum(shortest),
																		   ObjectIdGetDatum(InvalidOid),
																		   Int32GetDatum(-1))));
}

/* Notes that the json or jsonb value just written will not come back as it was. */
static void
note_inexact(Writer *writer)
{
	if (writer->depth > 0)
		writer->exact = false;
	else if (!writer->is_key && (writer->inexact == NIL || llast(writer->inexact) != writer->column))
		writer->inexact = lappend(writer->inexact, writer->column);
}

/*
 * A document keeps its bytes; a bare scalar loses the array that jsonb wraps it
 * in.  Its null would come back as SQL's, and an array in an array as a dimension.
 */
static JEntry
append_jsonb(Writer *writer, Jsonb *document)
{
	JsonbContainer *root = &document->root;
	int			length = VARSIZE(document) - VARHDRSZ;
	char	   *bytes = (char *) root;
	uint32		type = JENTRY_ISCONTAINER;
	int			padding = 0;

	if (JsonContainerIsScalar(root))
	{
		JEntry		entry = root->children[0];

		type = entry & JENTRY_TYPEMASK;
		length = JBE_OFFLENFLD(entry);
		bytes = (char *) &root->children[1];
	}
	if (type == JENTRY_ISNULL ||
		(writer->depth > 0 && type == JENTRY_ISCONTAINER && JsonContainerIsArray(root)))
		note_inexact(writer);
	check_length(writer, length);
	if (type == JENTRY_ISCONTAINER || type == JENTRY_ISNUMERIC)
		padding = append_padding(writer->out);
	appendBinaryStringInfo(writer->out, bytes, length);
	return type | (padding + length);
}

/* Tells whether json has a number with a large exponent. */
static bool
has_large_exponent(const char *json)
{
	bool		in_string = false;

	for (const char *c = json; *c != '\0'; c++)
	{
		if (*c == '"')
			in_string = !in_string;
		else if (in_string && *c == '\\')
			c++;
		else if (!in_string && (*c == 'e' || *c == 'E') && isdigit((unsigned char) c[-1]) &&
				 labs(strtol(c + 1, NULL, 10)) > MAX_JSON_EXPONENT)
			return true;
	}
	return false;
}

/*
 * Reads json as jsonb, and prints that into "printed"; returns NULL for json that
 * jsonb cannot hold, such as \u0000, or not well.
 */
static Jsonb *
jsonb_of_json(char *json, size_t length, StringInfo printed)
{
	MemoryContext mcxt = CurrentMemoryContext;
	Jsonb	   *volatile document = NULL;

	if (length > MAX_JSON_SIZE || has_large_exponent(json))
		return NULL;

	/*
	 * What is called takes memory and nothing else, so it needs no
	 * subtransaction.
	 */
	PG_TRY();
	{
		Jsonb	   *read = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json)));

		(void) JsonbToCString(printed, &read->root, length);
		document = read;
	}
	PG_CATCH();
	{
		int			category = ERRCODE_TO_CATEGORY(geterrcode());

		if (category != ERRCODE_DATA_EXCEPTION && category != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			PG_RE_THROW();
		MemoryContextSwitchTo(mcxt);
		FlushErrorState();
	}
	PG_END_TRY();
	return document;
}

/* json is written as the jsonb that it says, or else as a string; seldom does that bring its text back. */
static JEntry
append_json(Writer *writer, struct varlena *value)
{
	size_t		length = VARSIZE_ANY_EXHDR(value);
	char	   *json = text_to_cstring((text *) value);
	StringInfoData printed;
	Jsonb	   *document;
	JEntry		entry;

	initStringInfo(&printed);
	document = jsonb_of_json(json, length, &printed);
	entry = document != NULL ? append_jsonb(writer, document) : append_string(writer, json, length);
	if (document == NULL || strcmp(printed.data, json) != 0)
		note_inexact(writer);
	pfree(printed.data);
	pfree(json);
	return entry;
}

static JEntry
append_uuid(Writer *writer, const pg_uuid_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char		text[36];
	char	   *p = text;

	for (int i = 0; i < UUID_LEN; i++)
	{
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[uuid->data[i] >> 4];
		*p++ = digits[uuid->data[i] & 0x0F];
	}
	appendBinaryStringInfo(writer->out, text, sizeof(text));
	return JENTRY_ISSTRING | sizeof(text);
}

/* Tells whether other functions, or operators, of the same schema have the name of this one. */
static bool
is_overloaded(bool is_operator, Oid oid)
{
	HeapTuple	tuple = SearchSysCache1(is_operator ? OPEROID : PROCOID, ObjectIdGetDatum(oid));
	CatCList   *list;
	int			nsame = 0;

	if (!HeapTupleIsValid(tuple))
		return false;
	list = is_operator ? SearchSysCacheList1(OPERNAMENSP, NameGetDatum(&((Form_pg_operator) GETSTRUCT(tuple))->oprname)) :
		SearchSysCacheList1(PROCNAMEARGSNSP, NameGetDatum(&((Form_pg_proc) GETSTRUCT(tuple))->proname));
	for (int i = 0; i < list->n_members; i++)
	{
		HeapTuple	other = &list->members[i]->tuple;

		if (is_operator ?
			((Form_pg_operator) GETSTRUCT(other))->oprnamespace == ((Form_pg_operator) GETSTRUCT(tuple))->oprnamespace :
			((Form_pg_proc) GETSTRUCT(other))->pronamespace == ((Form_pg_proc) GETSTRUCT(tuple))->pronamespace)
			nsame++;
	}
	ReleaseSysCacheList(list);
	ReleaseSysCache(tuple);
	return nsame > 1;
}

/*
 * Returns the text of a type's output function in fixed formats; of a function or
 * an operator the oid, if its name alone does not say which one it is.
 */
static char *
output_text(AuditType *type, Datum value)
{
	if ((type->oid == REGPROCOID || type->oid == REGOPEROID) &&
		is_overloaded(type->oid == REGOPEROID, DatumGetObjectId(value)))
		return psprintf("%u", DatumGetObjectId(value));
	if (!OidIsValid(type->output.function.fn_oid))
		steward_pinned_output_init(&type->output, type->oid, type->mcxt);
	return steward_pinned_output(&type->output, value);
}

static JEntry
append_output(Writer *writer, AuditType *type, Datum value)
{
	char	   *text = output_text(type, value);
	JEntry		entry = append_string(writer, text, strlen(text));

	pfree(text);
	return entry;
}

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
begin_container(Writer *writer, uint32 header, size_t nentries)
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
append_object(Writer *writer, Jsonb *texts, AuditColumn **columns, int ncolumns,
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
		entry = append_jsonb(writer, texts);
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
append_composite(Writer *writer, AuditType *type, Datum value)
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
append_element(Writer *writer, ArrayPlace *place)
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
append_dimension(Writer *writer, ArrayPlace *place, int dimension)
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
append_array(Writer *writer, AuditType *type, Datum value)
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
append_nested(Writer *writer, AuditType *type, Datum value)
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
		return append_output(writer, type, value);
	}
	check_length(writer, writer->out->len - start);
	return JENTRY_ISCONTAINER | (writer->out->len - start);
}

/* Appends one value that is not null; returns its type and length as a JEntry. */
static JEntry
append_value(Writer *writer, AuditType *type, Datum value)
{
	char		buffer[MAXDATELEN + 1];
	char	   *text;

	switch (type->encoding)
	{
		case ENCODE_TEXT:
			{
				struct varlena *string = PG_DETOAST_DATUM_PACKED(value);

				return append_string(writer, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
			}
		case ENCODE_NAME:
			text = NameStr(*DatumGetName(value));
			return append_string(writer, text, strlen(text));
		case ENCODE_CHAR:
			if (IS_HIGHBIT_SET(DatumGetChar(value)))	/* as since 16; no text
														 * before */
				snprintf(buffer, sizeof(buffer), "\\%03o", (unsigned char) DatumGetChar(value));
			else
				snprintf(buffer, sizeof(buffer), "%c", DatumGetChar(value));
			return append_string(writer, buffer, strlen(buffer));
		case ENCODE_BOOL:
			return DatumGetBool(value) ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case ENCODE_INT2:
			return append_integer(writer, DatumGetInt16(value));
		case ENCODE_INT4:
			return append_integer(writer, DatumGetInt32(value));
		case ENCODE_INT8:
			return append_integer(writer, DatumGetInt64(value));
		case ENCODE_MONEY:		/* as in locale C */
			return append_made_numeric(writer, int64_div_fast_to_numeric(DatumGetCash(value), 2));
		case ENCODE_NUMERIC:
			{
				Numeric		number = DatumGetNumeric(value);

				if (!numeric_is_nan(number) && !numeric_is_inf(number))
					return append_numeric(writer, number);
				text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
				return append_string(writer, text, strlen(text));
			}
		case ENCODE_FLOAT4:
			float_to_shortest_decimal_buf(DatumGetFloat4(value), buffer);
			return append_float(writer, DatumGetFloat4(value), buffer);
		case ENCODE_FLOAT8:
			double_to_shortest_decimal_buf(DatumGetFloat8(value), buffer);
			return append_float(writer, DatumGetFloat8(value), buffer);
		case ENCODE_DATETIME:
			{
				const int	utc = 0;

				JsonEncodeDateTime(buffer, value, type->oid,
								   type->oid == TIMESTAMPTZOID ? &utc : NULL);
				return append_string(writer, buffer, strlen(buffer));
			}
		case ENCODE_UUID:
			return append_uuid(writer, DatumGetUUIDP(value));
		case ENCODE_JSONB:
			return append_jsonb(writer, DatumGetJsonbP(value));
		case ENCODE_OUTPUT:
			return append_output(writer, type, value);
		case ENCODE_JSON:
			return append_json(writer, PG_DETOAST_DATUM_PACKED(value));
		case ENCODE_ARRAY:
		case ENCODE_COMPOSITE:
			return append_nested(writer, type, value);
		case ENCODE_REDACTED:
			text = redacted(output_text(type, value));
			return append_string(writer, text, strlen(text));
	}
	elog(ERROR, "unexpected audit encoding: %d", (int) type->encoding);
}

/* Writes an object into "out", instead of what is there; returns the columns that will not come back from it. */
static List *
write_object(StringInfo out, bool is_key, Jsonb *texts, AuditColumn **columns, int ncolumns,
			 const Datum *values, const bool *isnull)
{
	Writer		writer = {.out = out,.is_key = is_key};

	resetStringInfo(out);
	out->len = VARHDRSZ;
	append_object(&writer, texts, columns, ncolumns, values, isnull);
	SET_VARSIZE(out->data, out->len);
	return writer.inexact;
}

/* Returns the object of the texts that the output functions of some columns give. */
static Jsonb *
texts_of(List *columns, const Datum *values, const bool *isnull)
{
	int			ncolumns = list_length(columns);
	AuditColumn *copies = palloc(ncolumns * sizeof(AuditColumn));
	AuditColumn **pointers = palloc(ncolumns * sizeof(AuditColumn *));
	StringInfoData out;

	for (int i = 0; i < ncolumns; i++)
	{
		copies[i] = *(AuditColumn *) list_nth(columns, i);
		copies[i].type.mcxt = CurrentMemoryContext;
		copies[i].type.encoding = ENCODE_OUTPUT;
		pointers[i] = &copies[i];
	}
	initStringInfo(&out);
	(void) write_object(&out, false, NULL, pointers, ncolumns, values, isnull);
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
	List	   *inexact = write_object(out, false, NULL, columns, ncolumns, values, isnull);

	if (inexact != NIL)
		(void) write_object(out, false, texts_of(inexact, values, isnull),
							columns, ncolumns, values, isnull);
	return (Jsonb *) out->data;
}

/* The same for a key: equal keys are the same object. */
Jsonb *
steward_audit_key(StringInfo out, AuditColumn **columns, int ncolumns,
				  const Datum *values, const bool *isnull)
{
	(void) write_object(out, true, NULL, columns, ncolumns, values, isnull);
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
