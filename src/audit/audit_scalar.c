/*
 * audit_scalar.c
 *		Values that have no others within them, as jsonb.
 *
 * What is written never depends on the session: date and time are ISO 8601 in
 * UTC, and output functions run under pinned formats.
 */
#include "audit/audit_writer.h"

#include <ctype.h>
#include <math.h>

#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/cash.h"
#include "utils/catcache.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/uuid.h"

/* json longer than this stays text: as jsonb it may need fifty times its size while it is read. */
#define MAX_JSON_SIZE		(16 * 1024 * 1024)

/* So does json with such a number, which jsonb prints with all its zeros: more than a float8 can have. */
#define MAX_JSON_EXPONENT	308

/* Raises 54000: see check_length. */
void
steward_audit_too_long(AuditWriter *writer)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("value of column \"%s\" is too long for the audit log", writer->column->name),
			 errdetail("An audited row can hold at most %d bytes.", JENTRY_OFFLENMASK),
			 errhint("Leave the column out with the trigger argument 'exclude=%s'.",
					 quote_identifier(writer->column->name))));
}

static JEntry
append_string(AuditWriter *writer, const char *string, size_t length)
{
	check_length(writer, length);
	appendBinaryStringInfo(writer->out, string, length);
	return JENTRY_ISSTRING | length;
}

static JEntry
append_numeric(AuditWriter *writer, Numeric number)
{
	int			padding = append_padding(writer->out);

	appendBinaryStringInfo(writer->out, (char *) number, VARSIZE(number));
	return JENTRY_ISNUMERIC | (padding + VARSIZE(number));
}

/* Appends a number that was made for it, and frees it: an array may have millions. */
static JEntry
append_made_numeric(AuditWriter *writer, Numeric number)
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
append_integer(AuditWriter *writer, int64 value)
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
append_float(AuditWriter *writer, double value, char *shortest)
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
note_inexact(AuditWriter *writer)
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
JEntry
steward_audit_append_jsonb(AuditWriter *writer, Jsonb *document)
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
append_json(AuditWriter *writer, struct varlena *value)
{
	Jsonb	   *document;

	if (writer->again && writer->depth == 0)
		document = list_nth(writer->documents, writer->next_document++);
	else
	{
		char	   *json = text_to_cstring((text *) value);
		StringInfoData printed;

		initStringInfo(&printed);
		document = jsonb_of_json(json, VARSIZE_ANY_EXHDR(value), &printed);
		if (document == NULL || strcmp(printed.data, json) != 0)
			note_inexact(writer);
		if (writer->depth == 0)
			writer->documents = lappend(writer->documents, document);
		pfree(printed.data);
		pfree(json);
	}
	return document != NULL ? steward_audit_append_jsonb(writer, document) :
		append_string(writer, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

static JEntry
append_uuid(AuditWriter *writer, const pg_uuid_t *uuid)
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

JEntry
steward_audit_append_output(AuditWriter *writer, AuditType *type, Datum value)
{
	char	   *text = output_text(type, value);
	JEntry		entry = append_string(writer, text, strlen(text));

	pfree(text);
	return entry;
}

/*
 * Appends one value that is not null and has no others within it; returns its type
 * and length as a JEntry.
 */
JEntry
steward_audit_append_scalar(AuditWriter *writer, AuditType *type, Datum value)
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
			return steward_audit_append_jsonb(writer, DatumGetJsonbP(value));
		case ENCODE_OUTPUT:
			return steward_audit_append_output(writer, type, value);
		case ENCODE_JSON:
			return append_json(writer, PG_DETOAST_DATUM_PACKED(value));
		case ENCODE_REDACTED:
			text = steward_audit_redact(output_text(type, value));
			return append_string(writer, text, strlen(text));
		case ENCODE_ARRAY:
		case ENCODE_COMPOSITE:
			break;
	}
	elog(ERROR, "unexpected audit encoding: %d", (int) type->encoding);
}
