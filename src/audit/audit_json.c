/*
 * audit_json.c
 *		The values of a row as jsonb, straight from the tuple.
 *
 * The layout written here is the one that utils/jsonb.h describes and that
 * to_jsonb() would give for the same text, without the tree of JsonbValues in
 * between.  What is written never depends on the session: date and time are
 * ISO 8601 in UTC, and output functions run under pinned formats.
 */
#include "audit/audit_internal.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "common/shortest_dec.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/uuid.h"

#define REDACTED_PREFIX "hmac:"

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

/* Fills in how the values of one attribute are written; "redact" hashes them. */
void
steward_audit_column_init(AuditColumn *column, Form_pg_attribute att, bool redact,
						  MemoryContext mcxt)
{
	Oid			type = getBaseType(att->atttypid);

	column->name = MemoryContextStrdup(mcxt, NameStr(att->attname));
	column->name_length = strlen(column->name);
	column->attnum = att->attnum;
	column->type = type;
	column->typlen = att->attlen;
	column->typbyval = att->attbyval;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			column->encoding = ENCODE_TEXT;
			break;
		case NAMEOID:
			column->encoding = ENCODE_NAME;
			break;
		case BOOLOID:
			column->encoding = ENCODE_BOOL;
			break;
		case INT2OID:
			column->encoding = ENCODE_INT2;
			break;
		case INT4OID:
			column->encoding = ENCODE_INT4;
			break;
		case INT8OID:
		case CASHOID:			/* only its output follows lc_monetary */
			column->encoding = ENCODE_INT8;
			break;
		case NUMERICOID:
			column->encoding = ENCODE_NUMERIC;
			break;
		case FLOAT4OID:
			column->encoding = ENCODE_FLOAT4;
			break;
		case FLOAT8OID:
			column->encoding = ENCODE_FLOAT8;
			break;
		case JSONBOID:
			column->encoding = ENCODE_JSONB;
			break;
		case DATEOID:
		case TIMEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			column->encoding = ENCODE_DATETIME;
			break;
		case UUIDOID:
			column->encoding = ENCODE_UUID;
			break;
		default:
			column->encoding = ENCODE_OUTPUT;
	}
	if (redact)
		column->encoding = ENCODE_REDACTED;

	if (column->encoding == ENCODE_OUTPUT || column->encoding == ENCODE_REDACTED)
		steward_pinned_output_init(&column->output, type, mcxt);
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

/* Sorts columns into the order that steward_audit_object wants. */
void
steward_audit_sort_columns(AuditColumn *columns, int ncolumns)
{
	qsort(columns, ncolumns, sizeof(AuditColumn), compare_columns);
}

/* Raises 54000 when a jsonb would grow past what its entries can count. */
static void
check_length(size_t length, const AuditColumn *column)
{
	if (length > JENTRY_OFFLENMASK)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("value of column \"%s\" is too long for the audit log", column->name),
				 errdetail("An audited row can hold at most %d bytes.", JENTRY_OFFLENMASK),
				 errhint("Leave the column out with the trigger argument 'exclude=%s'.",
						 quote_identifier(column->name))));
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

static uint32
append_string(StringInfo out, const char *string, size_t length, const AuditColumn *column)
{
	check_length(length, column);
	appendBinaryStringInfo(out, string, length);
	return JENTRY_ISSTRING | length;
}

static uint32
append_numeric(StringInfo out, Numeric number)
{
	int			padding = append_padding(out);

	appendBinaryStringInfo(out, (char *) number, VARSIZE(number));
	return JENTRY_ISNUMERIC | (padding + VARSIZE(number));
}

/* NaN and the infinities have no JSON number: they are strings, as in to_jsonb. */
static uint32
append_float(StringInfo out, double value, char *shortest, const AuditColumn *column)
{
	if (isnan(value))
		return append_string(out, "NaN", 3, column);
	if (isinf(value))
		return value > 0 ? append_string(out, "Infinity", 8, column) :
			append_string(out, "-Infinity", 9, column);
	return append_numeric(out, DatumGetNumeric(DirectFunctionCall3(numeric_in,
																   CStringGetDatum(shortest),
																   ObjectIdGetDatum(InvalidOid),
																   Int32GetDatum(-1))));
}

/* A document keeps its bytes; a bare scalar loses the array that jsonb wraps it in. */
static uint32
append_jsonb(StringInfo out, Jsonb *document, const AuditColumn *column)
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
	check_length(length, column);
	if (type == JENTRY_ISCONTAINER || type == JENTRY_ISNUMERIC)
		padding = append_padding(out);
	appendBinaryStringInfo(out, bytes, length);
	return type | (padding + length);
}

static uint32
append_uuid(StringInfo out, const pg_uuid_t *uuid)
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
	appendBinaryStringInfo(out, text, sizeof(text));
	return JENTRY_ISSTRING | sizeof(text);
}

/* Appends one value that is not null; returns its type and length as a JEntry. */
static uint32
append_value(StringInfo out, AuditColumn *column, Datum value)
{
	char		buffer[MAXDATELEN + 1];
	char	   *text;

	switch (column->encoding)
	{
		case ENCODE_TEXT:
			{
				struct varlena *string = PG_DETOAST_DATUM_PACKED(value);

				return append_string(out, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string), column);
			}
		case ENCODE_NAME:
			text = NameStr(*DatumGetName(value));
			return append_string(out, text, strlen(text), column);
		case ENCODE_BOOL:
			return DatumGetBool(value) ? JENTRY_ISBOOL_TRUE : JENTRY_ISBOOL_FALSE;
		case ENCODE_INT2:
			return append_numeric(out, int64_to_numeric(DatumGetInt16(value)));
		case ENCODE_INT4:
			return append_numeric(out, int64_to_numeric(DatumGetInt32(value)));
		case ENCODE_INT8:
			return append_numeric(out, int64_to_numeric(DatumGetInt64(value)));
		case ENCODE_NUMERIC:
			{
				Numeric		number = DatumGetNumeric(value);

				if (!numeric_is_nan(number) && !numeric_is_inf(number))
					return append_numeric(out, number);
				text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
				return append_string(out, text, strlen(text), column);
			}
		case ENCODE_FLOAT4:
			float_to_shortest_decimal_buf(DatumGetFloat4(value), buffer);
			return append_float(out, DatumGetFloat4(value), buffer, column);
		case ENCODE_FLOAT8:
			double_to_shortest_decimal_buf(DatumGetFloat8(value), buffer);
			return append_float(out, DatumGetFloat8(value), buffer, column);
		case ENCODE_JSONB:
			return append_jsonb(out, DatumGetJsonbP(value), column);
		case ENCODE_DATETIME:
			{
				const int	utc = 0;

				JsonEncodeDateTime(buffer, value, column->type,
								   column->type == TIMESTAMPTZOID ? &utc : NULL);
				return append_string(out, buffer, strlen(buffer), column);
			}
		case ENCODE_UUID:
			return append_uuid(out, DatumGetUUIDP(value));
		case ENCODE_OUTPUT:
			text = steward_pinned_output(&column->output, value);
			return append_string(out, text, strlen(text), column);
		case ENCODE_REDACTED:
			text = redacted(steward_pinned_output(&column->output, value));
			return append_string(out, text, strlen(text), column);
	}
	elog(ERROR, "unexpected audit encoding: %d", (int) column->encoding);
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
 * Writes into "out" the jsonb object that maps the given columns, which are in
 * jsonb's key order, to their values (arrays indexed by attribute number - 1),
 * and returns it; it lives until "out" is written again.
 */
Jsonb *
steward_audit_object(StringInfo out, AuditColumn **columns, int ncolumns,
					 const Datum *values, const bool *isnull)
{
	uint32		header = ncolumns | JB_FOBJECT;
	int			entries = VARHDRSZ + sizeof(header);
	uint32		total = 0;

	resetStringInfo(out);
	enlargeStringInfo(out, entries + 2 * ncolumns * sizeof(JEntry) + 64 * ncolumns);
	memcpy(out->data + VARHDRSZ, &header, sizeof(header));
	out->len = entries + 2 * ncolumns * sizeof(JEntry);

	for (int i = 0; i < ncolumns; i++)
	{
		appendBinaryStringInfo(out, columns[i]->name, columns[i]->name_length);
		total += columns[i]->name_length;
		set_entry(out, entries, i, JENTRY_ISSTRING | columns[i]->name_length, total);
	}

	for (int i = 0; i < ncolumns; i++)
	{
		int			attno = columns[i]->attnum - 1;
		JEntry		entry = JENTRY_ISNULL;

		if (!isnull[attno])
			entry = append_value(out, columns[i], values[attno]);
		total += entry & JENTRY_OFFLENMASK;
		check_length(total, columns[i]);
		set_entry(out, entries, ncolumns + i, entry, total);
	}

	SET_VARSIZE(out->data, out->len);
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
		.encoding = ENCODE_NAME
	};
	AuditColumn *column = &row_hash;
	Datum		value = CStringGetDatum(hash);
	bool		isnull = false;

	return steward_audit_object(out, &column, 1, &value, &isnull);
}
