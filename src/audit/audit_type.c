/*
 * audit_type.c
 *		Columns, and how the values of their types become jsonb.
 */
#include "audit/audit_internal.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

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
