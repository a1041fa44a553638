/*
 * audit_key.c
 *		What identifies a row: the table it belongs to, the columns of its key, and
 *		the numbers by which the log finds both.
 */
#include "audit/audit_internal.h"

#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/partition.h"
#include "catalog/pg_index.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/syscache.h"

/*
 * Returns the id under which the log knows a table: the table's oid, and a hash
 * that tells this database of this cluster from every other, so that the log of
 * a restored dump and the log that goes on from it never share an id.
 */
int64
steward_audit_make_table_id(Oid relation)
{
	uint64		system = GetSystemIdentifier();
	uint64		database = hash_bytes_extended((unsigned char *) &system, sizeof(system), MyDatabaseId);

	return (int64) ((database & UINT64CONST(0x7FFFFFFF00000000)) | relation);
}

/*
 * Returns the hash by which the log finds rows with an integer key.  Keys that
 * follow each other keep doing so, which keeps the index small and its pages
 * warm.
 */
int64
steward_audit_hash_integer_key(int64 table_id, int64 key)
{
	return (int64) ((uint64) key + hash_bytes_extended((unsigned char *) &table_id, sizeof(table_id), 0));
}

/* Reads a whole number that fits an int8; false for any other number. */
static bool
numeric_as_integer(Numeric number, int64 *integer)
{
	Datum		trimmed = DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(number));
	char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, trimmed));
	char	   *end;

	errno = 0;
	*integer = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' && end != text;
}

/*
 * Returns the hash by which the log finds rows with the given key.  Keys that
 * are equal as jsonb have the same one, such as 42 and 42.00.
 */
int64
steward_audit_hash_key(int64 table_id, Jsonb *key)
{
	if (JB_ROOT_COUNT(key) == 1)
	{
		JsonbIterator *it = JsonbIteratorInit(&key->root);
		JsonbValue	value;
		int64		integer;

		(void) JsonbIteratorNext(&it, &value, true);	/* the object */
		(void) JsonbIteratorNext(&it, &value, true);	/* its key */
		(void) JsonbIteratorNext(&it, &value, true);	/* its value */
		if (value.type == jbvNumeric && numeric_as_integer(value.val.numeric, &integer))
			return steward_audit_hash_integer_key(table_id, integer);
	}
	return DatumGetInt64(DirectFunctionCall2(jsonb_hash_extended, JsonbPGetDatum(key),
											 Int64GetDatum(table_id)));
}

/*
 * Returns the index whose columns identify a row: the primary key, or else the
 * replica identity; InvalidOid if there is neither.
 */
static Oid
key_index(Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;
	Oid			key = InvalidOid;

	foreach(lc, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(lc)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(lc));
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisprimary)
			key = index->indexrelid;
		else if (index->indisreplident && !OidIsValid(key))
			key = index->indexrelid;
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	return key;
}

/* Returns the names of an index's key columns as a list of String nodes. */
static List *
index_columns(Oid index)
{
	List	   *names = NIL;
	HeapTuple	tuple;
	Form_pg_index form;

	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for index %u", index);
	form = (Form_pg_index) GETSTRUCT(tuple);
	for (int i = 0; i < form->indnkeyatts; i++)
		names = lappend(names,
						makeString(get_attname(form->indrelid, form->indkey.values[i], false)));
	ReleaseSysCache(tuple);
	return names;
}

/*
 * Finds the table that a row belongs to in the eyes of its owner, and the names
 * of the columns that identify it there.  For a partition that is the topmost
 * ancestor with a primary key, so that a row keeps its identity when it moves;
 * without any key it is the root.
 */
Oid
steward_audit_find_identity(Relation rel, List **key)
{
	List	   *line = rel->rd_rel->relispartition ?
		get_partition_ancestors(RelationGetRelid(rel)) : NIL;
	Oid			root = line != NIL ? llast_oid(line) : RelationGetRelid(rel);

	for (int i = list_length(line) - 1; i >= -1; i--)
	{
		Oid			relid = i < 0 ? RelationGetRelid(rel) : list_nth_oid(line, i);
		Relation	ancestor = relation_open(relid, AccessShareLock);
		Oid			index = key_index(ancestor);

		relation_close(ancestor, NoLock);
		if (OidIsValid(index))
		{
			*key = index_columns(index);
			return relid;
		}
	}
	*key = NIL;
	return root;
}
