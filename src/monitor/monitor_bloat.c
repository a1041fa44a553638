/*
 * monitor_bloat.c
 *		How long the rows of a table or the entries of an index are, as the
 *		catalogs have it: columns and the statistics that ANALYZE left.
 *
 * Rows are laid out as heap_compute_data_size and heap_fill_tuple do.  Where a
 * value ends is followed as a distribution over the remainders by MAXIMUM_ALIGNOF,
 * because only that decides how much padding the next one needs.
 *
 * No relation is locked or opened but catalogs.  All of pg_statistic is read, but
 * nothing of a value leaves.
 */
#include "core/core.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/itup.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

/* What pg_statistic says of a column. */
typedef struct ColumnStatistics
{
	struct
	{
		Oid			relid;
		int32		attnum;
	}			column;			/* hash key */
	float4		null_fraction;
	float4		distinct;		/* as in stadistinct */
	int32		width;
} ColumnStatistics;

/* What pg_index says of a btree index. */
typedef struct IndexColumns
{
	Oid			index;			/* hash key */
	Oid			table;
	bool		deduplicates;	/* when it is built */
	int			nkeys;			/* without those that are only included */
	AttrNumber	attnums[INDEX_MAX_KEYS];	/* in the table, 0 for expressions */
} IndexColumns;

/* Rows of a relation, while its columns are gone through. */
typedef struct RowShape
{
	Oid			relid;
	int			natts;
	double		bytes;			/* of values and padding, on average */
	double		ends[MAXIMUM_ALIGNOF];	/* how probable each remainder is */
	double		without_nulls;	/* fraction of rows that have none */
	bool		uniform;		/* all rows are of one length */
	double		distinct;		/* keys, as in stadistinct */
	double		null_keys;		/* fraction of entries that are all null */
	NameData	unknown;		/* a column without statistics, or empty */
} RowShape;

/* Reads the statistics of the rows that are in the tables themselves, not in their children. */
static HTAB *
read_statistics(void)
{
	HASHCTL		ctl = {
		.keysize = sizeof(((ColumnStatistics *) NULL)->column),
		.entrysize = sizeof(ColumnStatistics),
		.hcxt = CurrentMemoryContext,
	};
	HTAB	   *columns = hash_create("column statistics", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Relation	pg_statistic = table_open(StatisticRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_statistic, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_statistic statistic = (Form_pg_statistic) GETSTRUCT(tuple);
		ColumnStatistics key = {.column = {statistic->starelid, statistic->staattnum}};
		ColumnStatistics *column;

		CHECK_FOR_INTERRUPTS();
		if (statistic->stainherit)
			continue;
		column = hash_search(columns, &key.column, HASH_ENTER, NULL);
		column->null_fraction = statistic->stanullfrac;
		column->distinct = statistic->stadistinct;
		column->width = statistic->stawidth;
	}
	systable_endscan(scan);
	table_close(pg_statistic, AccessShareLock);
	return columns;
}

/*
 * Tells whether equal values of an index column are alike in every byte.  Support
 * functions are known to say yes, but for strings whose collation thinks otherwise;
 * see btvarstrequalimage and _bt_allequalimage.
 */
static bool
equal_is_alike(Form_pg_opclass opclass, Oid collation)
{
	return OidIsValid(get_opfamily_proc(opclass->opcfamily, opclass->opcintype, opclass->opcintype,
										BTEQUALIMAGE_PROC)) &&
		(!OidIsValid(collation) || get_collation_isdeterministic(collation));
}

/* Reads of an index what is needed of it; false if it is no btree. */
static bool
read_index(Relation pg_index, HeapTuple tuple, IndexColumns *index)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	bool		isnull;
	oidvector  *opclasses = (oidvector *) DatumGetPointer(heap_getattr(tuple, Anum_pg_index_indclass,
																	   RelationGetDescr(pg_index), &isnull));
	oidvector  *collations = (oidvector *) DatumGetPointer(heap_getattr(tuple, Anum_pg_index_indcollation,
																		RelationGetDescr(pg_index), &isnull));

	index->index = form->indexrelid;
	index->table = form->indrelid;
	index->nkeys = form->indnkeyatts;
	index->deduplicates = !form->indisunique && form->indnkeyatts == form->indnatts;
	for (int i = 0; i < form->indnatts; i++)
		index->attnums[i] = form->indkey.values[i];
	for (int i = 0; i < form->indnkeyatts; i++)
	{
		HeapTuple	class_tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclasses->values[i]));
		Form_pg_opclass opclass;
		bool		is_btree;

		if (!HeapTupleIsValid(class_tuple))
			return false;
		opclass = (Form_pg_opclass) GETSTRUCT(class_tuple);
		is_btree = opclass->opcmethod == BTREE_AM_OID;
		if (is_btree && index->deduplicates)
			index->deduplicates = equal_is_alike(opclass, collations->values[i]);
		ReleaseSysCache(class_tuple);
		if (!is_btree)
			return false;
	}
	return true;
}

/* Reads what is needed of all btree indexes. */
static HTAB *
read_indexes(void)
{
	HASHCTL		ctl = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(IndexColumns),
		.hcxt = CurrentMemoryContext,
	};
	HTAB	   *indexes = hash_create("btree indexes", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	Relation	pg_index = table_open(IndexRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(pg_index, InvalidOid, false, NULL, 0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		IndexColumns index;

		CHECK_FOR_INTERRUPTS();
		if (read_index(pg_index, tuple, &index))
			memcpy(hash_search(indexes, &index.index, HASH_ENTER, NULL), &index, sizeof(index));
	}
	systable_endscan(scan);
	table_close(pg_index, AccessShareLock);
	return indexes;
}

/*
 * Adds a value to rows.  It begins at multiples of "align" and is there in a
 * fraction of the rows; unless all are of one width, any remainder is as likely to
 * follow it.
 */
static void
add_value(RowShape *row, double width, bool alike, int align, double fraction)
{
	double		after[MAXIMUM_ALIGNOF] = {0};
	double		padding = 0;

	for (int end = 0; end < MAXIMUM_ALIGNOF; end++)
	{
		int			start = TYPEALIGN(align, end);

		padding += row->ends[end] * (start - end);
		if (alike)
			after[(start + (int) width) % MAXIMUM_ALIGNOF] += row->ends[end];
		else
			for (int i = 0; i < MAXIMUM_ALIGNOF; i++)
				after[i] += row->ends[end] / MAXIMUM_ALIGNOF;
	}
	row->bytes += fraction * (padding + width);
	for (int end = 0; end < MAXIMUM_ALIGNOF; end++)
		row->ends[end] = (1 - fraction) * row->ends[end] + fraction * after[end];
	row->without_nulls *= fraction;
	row->uniform = row->uniform && (fraction == 1 || fraction == 0) && (alike || fraction == 0);
}

/* The alignment that an attribute's values get if they are not short. */
static int
alignment(Form_pg_attribute att)
{
	switch (att->attalign)
	{
		case TYPALIGN_CHAR:
			return 1;
		case TYPALIGN_SHORT:
			return ALIGNOF_SHORT;
		case TYPALIGN_INT:
			return ALIGNOF_INT;
		default:
			return ALIGNOF_DOUBLE;
	}
}

/*
 * Adds a column whose values are of different length.  The width is an average,
 * cut off to an integer, of values as they are stored: 18 bytes stand for one that
 * is out of line.  Those of expressions have "excess" bytes that a short one is
 * stored without.
 */
static void
add_varying(RowShape *row, Form_pg_attribute att, int32 width, int excess, bool one_value, double fraction)
{
	bool		is_short = att->attlen == -1 && att->attstorage != TYPSTORAGE_PLAIN &&
		width - excess <= VARATT_SHORT_MAX;
	int			header = is_short ? VARHDRSZ_SHORT : VARHDRSZ;
	bool		is_string = att->atttypid == BPCHAROID || att->atttypid == VARCHAROID;

	bool		all_full;

	if (is_short)
		width -= excess;
	/* an average that is the longest they may be */
	all_full = is_string && att->atttypmod > VARHDRSZ && width == att->atttypmod - VARHDRSZ + header;
	if (one_value || all_full)
		add_value(row, width, true, is_short ? 1 : alignment(att), fraction);
	else
		add_value(row, width + 0.5, false, is_short ? 1 : alignment(att), fraction);
}

/* The keys of two columns together, each as in stadistinct, as if they had nothing to do with each other. */
static double
multiply_distinct(double a, double b)
{
	if (a > 0 && b > 0)
		return a * b;
	if (a < 0 && b < 0)
		return -1;
	return Max(a * b, -1);
}

/* Begins with a relation: its rows have no columns yet. */
static void
begin_row(RowShape *row, Oid relid)
{
	memset(row, 0, sizeof(*row));
	row->relid = relid;
	row->ends[0] = 1;
	row->without_nulls = 1;
	row->uniform = true;
	row->distinct = 1;
	row->null_keys = 1;
}

/* Adds the next column of a relation, or of an index; "statistics" is NULL if there are none. */
static void
add_column(RowShape *row, Form_pg_attribute att, const IndexColumns *index, const ColumnStatistics *statistics)
{
	double		fraction = statistics ? 1 - statistics->null_fraction : 1;
	double		distinct = statistics ? statistics->distinct : 0;
	bool		is_expression = index && index->attnums[att->attnum - 1] == 0;

	row->natts++;
	if (att->attisdropped || att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
	{
		add_value(row, 0, true, 1, 0);
		return;
	}
	/* an index has names as strings, and the statistics are not theirs */
	if (att->attlen == -2)
		statistics = NULL;

	/*
	 * how often a value is null matters little in an index, how many there
	 * are does if equal ones are merged
	 */
	if (statistics == NULL && !(att->attlen > 0 && (index ? !index->deduplicates : att->attnotnull)))
		namestrcpy(&row->unknown, NameStr(att->attname));

	if (att->attlen > 0)
		add_value(row, att->attlen, true, alignment(att), fraction);
	else if (statistics == NULL)
		add_varying(row, att, get_typavgwidth(att->atttypid, att->atttypmod), 0, false, fraction);
	else
		add_varying(row, att, statistics->width, is_expression ? VARHDRSZ - VARHDRSZ_SHORT : 0, distinct == 1, fraction);

	if (index && row->natts <= index->nkeys)
	{
		/* all nulls are one key, and what is not known is taken for unique */
		if (distinct == 0)
			distinct = fraction == 0 ? 1 : -1;
		row->distinct = multiply_distinct(row->distinct, distinct);
		row->null_keys *= 1 - fraction;
	}
}

/* Adds a relation whose columns are complete to the result; does nothing before the first. */
static void
finish_row(const RowShape *row, const IndexColumns *index, ReturnSetInfo *result)
{
	enum
	{
		RELATION, ROW_BYTES, UNIFORM, UNKNOWN_COLUMN, DEDUPLICATES, DISTINCT_KEYS, NULL_FRACTION, NATTS
	};
	int			header = index ? sizeof(IndexTupleData) : SizeofHeapTupleHeader;
	int			bitmap = index ? sizeof(IndexAttributeBitMapData) : BITMAPLEN(row->natts);
	double		bytes = row->bytes;
	Datum		values[NATTS];
	bool		nulls[NATTS] = {false};

	if (!OidIsValid(row->relid))
		return;
	bytes += row->without_nulls * MAXALIGN(header) + (1 - row->without_nulls) * MAXALIGN(header + bitmap);
	for (int end = 0; end < MAXIMUM_ALIGNOF; end++)
		bytes += row->ends[end] * (MAXALIGN(end) - end);

	values[RELATION] = ObjectIdGetDatum(row->relid);
	values[ROW_BYTES] = Float8GetDatum(bytes);
	values[UNIFORM] = BoolGetDatum(row->uniform);
	values[UNKNOWN_COLUMN] = NameGetDatum(&row->unknown);
	nulls[UNKNOWN_COLUMN] = NameStr(row->unknown)[0] == '\0';
	values[DEDUPLICATES] = BoolGetDatum(index && index->deduplicates);
	values[DISTINCT_KEYS] = Float8GetDatum(row->distinct);
	values[NULL_FRACTION] = Float8GetDatum(row->null_keys);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * steward_internal.monitor_row_sizes(of_indexes boolean, OUT relation oid, OUT row_bytes, OUT
 * uniform, OUT unknown_column, OUT deduplicates, OUT distinct_keys, OUT null_fraction): how long the
 * rows of every relation with columns, or the entries of every btree index, are
 * with header and padding but without line pointer.
 */
PG_FUNCTION_INFO_V1(steward_monitor_row_sizes);
Datum
steward_monitor_row_sizes(PG_FUNCTION_ARGS)
{
	bool		of_indexes = PG_GETARG_BOOL(0);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HTAB	   *statistics = read_statistics();
	HTAB	   *indexes = of_indexes ? read_indexes() : NULL;
	IndexColumns *index = NULL;
	RowShape	row = {.relid = InvalidOid};
	Oid			seen = InvalidOid;
	Relation	pg_attribute = table_open(AttributeRelationId, AccessShareLock);
	Relation	by_number = index_open(AttributeRelidNumIndexId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	InitMaterializedSRF(fcinfo, 0);
	ScanKeyInit(&key, Anum_pg_attribute_attnum, BTGreaterStrategyNumber, F_INT2GT, Int16GetDatum(0));
	scan = systable_beginscan_ordered(pg_attribute, by_number, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection)))
	{
		Form_pg_attribute att = (Form_pg_attribute) GETSTRUCT(tuple);
		ColumnStatistics wanted = {.column = {att->attrelid, att->attnum}};

		CHECK_FOR_INTERRUPTS();
		if (att->attrelid != seen)
		{
			finish_row(&row, index, result);
			seen = att->attrelid;
			begin_row(&row, seen);
			if (of_indexes)
			{
				index = hash_search(indexes, &seen, HASH_FIND, NULL);
				if (index == NULL)
					row.relid = InvalidOid;
			}
		}
		if (!OidIsValid(row.relid))
			continue;
		if (index && index->attnums[att->attnum - 1] != 0)
		{
			wanted.column.relid = index->table;
			wanted.column.attnum = index->attnums[att->attnum - 1];
		}
		add_column(&row, att, index, hash_search(statistics, &wanted.column, HASH_FIND, NULL));
	}
	finish_row(&row, index, result);
	systable_endscan_ordered(scan);
	index_close(by_number, AccessShareLock);
	table_close(pg_attribute, AccessShareLock);
	return (Datum) 0;
}
