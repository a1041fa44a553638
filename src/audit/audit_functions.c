/*
 * audit_functions.c
 *		What SQL asks the module about audited tables and the keys of their rows.
 */
#include "audit/audit_internal.h"

#include "access/relation.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "parser/parse_type.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

/* Describes a table as its audit trigger sees it, in the current memory context. */
static AuditTable *
describe(Relation rel)
{
	return steward_audit_describe(rel, steward_find_trigger(rel, "audit_trigger", false), false, CurrentMemoryContext);
}

/*
 * steward_internal.audit_check(relation regclass) returns void
 *
 * Raises the error that the table's audit trigger would raise when it fires, and
 * warns of a redaction key that is no secret.
 */
PG_FUNCTION_INFO_V1(steward_audit_check);
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
 * steward_internal.audit_identity(relation regclass) returns regclass
 *
 * Returns the table under which the log records the rows of a table: itself or,
 * for a partition, the topmost ancestor with a primary key.
 */
PG_FUNCTION_INFO_V1(steward_audit_identity);
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
 * steward_internal.audit_option_values(arguments bytea, option text) returns text[]
 *
 * Returns what an audit trigger's arguments say for one option, a list of names
 * mostly.  The arguments are as pg_trigger keeps them: each with a zero byte
 * behind it.
 */
PG_FUNCTION_INFO_V1(steward_audit_option_values);
Datum
steward_audit_option_values(PG_FUNCTION_ARGS)
{
	List	   *arguments = steward_stored_arguments(PG_GETARG_BYTEA_PP(0));
	char	   *wanted = text_to_cstring(PG_GETARG_TEXT_PP(1));
	List	   *values = NIL;
	ListCell   *lc;

	foreach(lc, arguments)
	{
		values = list_concat(values, steward_option_names(lfirst(lc), wanted));
	}
	PG_RETURN_DATUM(steward_text_array(values));
}

/* Raises 42501 for those who may not read the log, or else anybody could have guesses at redacted values hashed. */
static void
check_may_hash(const char *column)
{
	if (pg_class_aclcheck(steward_audit_relation("audit_entries"), GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to hash values of redacted column \"%s\"", column),
				 errhint("Looking up rows by a redacted key takes SELECT on steward.audit_entries.")));
}

/*
 * steward_internal.audit_key_columns(relation regclass) returns jsonb
 *
 * Returns the columns of the key that a table's rows have now, as
 * steward.audit_tables keeps them.
 */
PG_FUNCTION_INFO_V1(steward_audit_key_columns);
Datum
steward_audit_key_columns(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));
	List	   *key;
	Oid			identity = steward_audit_find_identity(rel, &key);
	Datum		columns = steward_audit_describe_key(rel, identity, key);

	relation_close(rel, AccessShareLock);
	PG_RETURN_DATUM(columns);
}

/*
 * steward_internal.audit_key_value(name text, value text, type text, redacted boolean) returns jsonb
 *
 * Returns what the log writes of a column of a key: an object with the value.
 * Raises 42501 as audit_record_key does, 42704 if the type is gone, and what the
 * type raises for a value that it cannot read.
 */
PG_FUNCTION_INFO_V1(steward_audit_key_value);
Datum
steward_audit_key_value(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *value = text_to_cstring(PG_GETARG_TEXT_PP(1));
	bool		redacted = PG_GETARG_BOOL(3);
	FormData_pg_attribute att = {.attnum = 1};
	AuditColumn column;
	AuditColumn *columns[] = {&column};
	StringInfoData out;
	Oid			function;
	Oid			io_param;
	Datum		datum;
	bool		isnull = false;

	if (redacted)
		check_may_hash(name);
	namestrcpy(&att.attname, name);
	parseTypeString(text_to_cstring(PG_GETARG_TEXT_PP(2)), &att.atttypid, &att.atttypmod, 0);
	get_typlenbyval(att.atttypid, &att.attlen, &att.attbyval);
	steward_audit_column_init(&column, &att, redacted, true, CurrentMemoryContext);
	getTypeInputInfo(att.atttypid, &function, &io_param);
	datum = OidInputFunctionCall(function, value, io_param, att.atttypmod);
	initStringInfo(&out);
	PG_RETURN_JSONB_P(steward_audit_key(&out, columns, 1, &datum, &isnull));
}

/*
 * steward_internal.audit_record_key(relation regclass, key text[]) returns jsonb
 *
 * Returns the key of a row as the log writes it, from the values of the key
 * columns in the order of the primary key; for a table without one, from the
 * hash that stands in its place.  Raises 22023 when the number of values is
 * wrong, 42501 for a redacted key to those who may not read the log, and what
 * the columns' types raise for values they cannot read.
 */
PG_FUNCTION_INFO_V1(steward_audit_record_key);
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

	for (int k = 0; k < table->nkeys; k++)
		if (table->keys[k].type.encoding == ENCODE_REDACTED)
			check_may_hash(table->keys[k].name);

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
					 errmsg("invalid row hash: \"%s\"", hash),
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
		key = steward_audit_key(&out, table->all_keys, table->nkeys, values, isnull);
	}

	relation_close(rel, AccessShareLock);
	PG_RETURN_JSONB_P(key);
}

/*
 * steward_internal.audit_key_hash(table_id bigint, record_key jsonb) returns bigint
 *
 * Returns the hash under which the index of the log has a key.
 */
PG_FUNCTION_INFO_V1(steward_audit_key_hash);
Datum
steward_audit_key_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(steward_audit_hash_key(PG_GETARG_INT64(0), PG_GETARG_JSONB_P(1)));
}

/*
 * steward_internal.audit_table_id(relation regclass) returns bigint
 *
 * Returns the id under which this database's log knows a table.
 */
PG_FUNCTION_INFO_V1(steward_audit_table_id);
Datum
steward_audit_table_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(steward_audit_make_table_id(PG_GETARG_OID(0)));
}

/*
 * steward_internal.audit_record_id(record_key jsonb) returns text
 *
 * Returns the key of a row as one reads it: the value, if the key has one
 * column, and the object otherwise.
 */
PG_FUNCTION_INFO_V1(steward_audit_record_id);
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
		if (value.type == jbvBool)
			PG_RETURN_TEXT_P(cstring_to_text(value.val.boolean ? "true" : "false"));
		if (value.type == jbvBinary)
			PG_RETURN_TEXT_P(cstring_to_text(JsonbToCString(NULL, value.val.binary.data, value.val.binary.len)));
		if (value.type == jbvString)
			PG_RETURN_TEXT_P(cstring_to_text_with_len(value.val.string.val, value.val.string.len));
		if (value.type == jbvNumeric)
		{
			Datum		number = NumericGetDatum(value.val.numeric);

			PG_RETURN_TEXT_P(cstring_to_text(DatumGetCString(DirectFunctionCall1(numeric_out, number))));
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text(JsonbToCString(NULL, &key->root, VARSIZE(key))));
}

/*
 * steward_internal.audit_operation(operation "char") returns text
 *
 * Returns the name of an operation as people read it; NULL for one that there is not.
 */
PG_FUNCTION_INFO_V1(steward_audit_operation);
Datum
steward_audit_operation(PG_FUNCTION_ARGS)
{
	switch (PG_GETARG_CHAR(0))
	{
		case 'I':
			PG_RETURN_TEXT_P(cstring_to_text("INSERT"));
		case 'U':
			PG_RETURN_TEXT_P(cstring_to_text("UPDATE"));
		case 'D':
			PG_RETURN_TEXT_P(cstring_to_text("DELETE"));
		case 'T':
			PG_RETURN_TEXT_P(cstring_to_text("TRUNCATE"));
		default:
			PG_RETURN_NULL();
	}
}

/* Returns the text of one value of an object. */
static char *
value_text(JsonbValue *value)
{
	Jsonb	   *document = JsonbValueToJsonb(value);

	return JsonbToCString(NULL, &document->root, VARSIZE(document));
}

/* Tells whether two values of objects are written alike: 1.0 and 1.00 are not. */
static bool
same_text(JsonbValue *a, JsonbValue *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type)
	{
		case jbvNull:
			return true;
		case jbvBool:
			return a->val.boolean == b->val.boolean;
		case jbvString:
			return a->val.string.len == b->val.string.len &&
				memcmp(a->val.string.val, b->val.string.val, a->val.string.len) == 0;
		case jbvNumeric:
			if (VARSIZE(a->val.numeric) == VARSIZE(b->val.numeric) &&
				memcmp(a->val.numeric, b->val.numeric, VARSIZE(a->val.numeric)) == 0)
				return true;
			break;
		default:
			if (a->val.binary.len == b->val.binary.len &&
				memcmp(a->val.binary.data, b->val.binary.data, a->val.binary.len) == 0)
				return true;
			break;
	}
	return strcmp(value_text(a), value_text(b)) == 0;
}

/*
 * Returns the text of a column that stands under the key "" of what the log has of
 * a row, because the value beside says less; NULL if there is none.
 */
static JsonbValue *
exact_text(Jsonb *row_values, const char *column, int length)
{
	JsonbValue *texts = getKeyJsonValueFromContainer(&row_values->root, "", 0, NULL);

	if (texts == NULL || texts->type != jbvBinary || !JsonContainerIsObject(texts->val.binary.data))
		return NULL;
	return getKeyJsonValueFromContainer(texts->val.binary.data, column, length, NULL);
}

/* Tells whether a column is written alike in two objects that the log has of a row. */
static bool
same_column(Jsonb *a, Jsonb *b, const char *column, int length)
{
	JsonbValue *left = getKeyJsonValueFromContainer(&a->root, column, length, NULL);
	JsonbValue *right = getKeyJsonValueFromContainer(&b->root, column, length, NULL);

	if (left == NULL || right == NULL || !same_text(left, right))
		return false;
	left = exact_text(a, column, length);
	right = exact_text(b, column, length);
	return left == NULL || right == NULL ? left == right : same_text(left, right);
}

/*
 * steward_internal.audit_changed_columns(operation "char", old_values jsonb, new_values jsonb)
 * returns text[]
 *
 * Returns the names of the columns that an UPDATE changed, in the order of their
 * bytes; NULL for other operations, and if the log has nothing but the key.
 */
PG_FUNCTION_INFO_V1(steward_audit_changed_columns);
Datum
steward_audit_changed_columns(PG_FUNCTION_ARGS)
{
	Jsonb	   *old_values = PG_ARGISNULL(1) ? NULL : PG_GETARG_JSONB_P(1);
	Jsonb	   *new_values = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	JsonbIterator *it;
	JsonbValue	key;
	JsonbValue	value;
	bool		has_old = old_values != NULL && JB_ROOT_IS_OBJECT(old_values);
	Datum	   *names;
	int			nnames = 0;

	if (PG_ARGISNULL(0) || PG_GETARG_CHAR(0) != 'U' || new_values == NULL || !JB_ROOT_IS_OBJECT(new_values))
		PG_RETURN_NULL();

	names = palloc(Max(JB_ROOT_COUNT(new_values), 1) * sizeof(Datum));
	it = JsonbIteratorInit(&new_values->root);
	(void) JsonbIteratorNext(&it, &key, true);
	while (JsonbIteratorNext(&it, &key, true) == WJB_KEY)
	{
		const char *name = key.val.string.val;
		int			length = key.val.string.len;

		(void) JsonbIteratorNext(&it, &value, true);
		if (length > 0 && !(has_old && same_column(old_values, new_values, name, length)))
			names[nnames++] = PointerGetDatum(cstring_to_text_with_len(name, length));
	}

	/* jsonb has the shorter keys first */
	for (int i = 1; i < nnames; i++)
	{
		Datum		name = names[i];
		int			j = i;

		while (j > 0 && DatumGetInt32(DirectFunctionCall2Coll(bttextcmp, C_COLLATION_OID, names[j - 1], name)) > 0)
		{
			names[j] = names[j - 1];
			j--;
		}
		names[j] = name;
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(names, nnames, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * steward_internal.audit_put_texts(base anyelement, row_values jsonb) returns anyelement
 *
 * Returns a row in which the columns whose texts stand under the key "" of what
 * the log has of it have the values of these texts.  Raises 42804 for what is no
 * row, and what the columns' types raise for texts they cannot read.
 */
PG_FUNCTION_INFO_V1(steward_audit_put_texts);
Datum
steward_audit_put_texts(PG_FUNCTION_ARGS)
{
	Jsonb	   *row_values = PG_GETARG_JSONB_P(1);
	HeapTupleHeader row;
	HeapTupleData tuple;
	TupleDesc	desc;
	Datum	   *values;
	bool	   *isnull;

	if (!JB_ROOT_IS_OBJECT(row_values) || getKeyJsonValueFromContainer(&row_values->root, "", 0, NULL) == NULL)
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (!type_is_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 0)))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("argument \"%s\" must be a row", "base")));

	row = PG_GETARG_HEAPTUPLEHEADER(0);
	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	tuple.t_data = row;
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	values = palloc(desc->natts * sizeof(Datum));
	isnull = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(&tuple, desc, values, isnull);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		JsonbValue *text = att->attisdropped ? NULL :
			exact_text(row_values, NameStr(att->attname), strlen(NameStr(att->attname)));
		Oid			function;
		Oid			io_param;

		if (text == NULL || text->type != jbvString)
			continue;
		getTypeInputInfo(att->atttypid, &function, &io_param);
		values[i] = OidInputFunctionCall(function, pnstrdup(text->val.string.val, text->val.string.len),
										 io_param, att->atttypmod);
		isnull[i] = false;
	}
	row = DatumGetHeapTupleHeader(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
	ReleaseTupleDesc(desc);
	PG_RETURN_HEAPTUPLEHEADER(row);
}

/* jsonb @> jsonb */
#define CONTAINS_OPERATOR	3246

/* steward_internal.audit_contains(whole jsonb, part jsonb) is whole @> part, and leakproof. */
PG_FUNCTION_INFO_V1(steward_audit_contains);
Datum
steward_audit_contains(PG_FUNCTION_ARGS)
{
	return jsonb_contains(fcinfo);
}

/* Planner support of audit_contains: the estimates and the indexes of @>. */
PG_FUNCTION_INFO_V1(steward_audit_contains_support);
Datum
steward_audit_contains_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(steward_support_as_operator((Node *) PG_GETARG_POINTER(0), CONTAINS_OPERATOR, F_JSONB_CONTAINS));
}
