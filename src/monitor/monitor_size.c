/*
 * monitor_size.c
 *		Sizes of relations, without a lock on them.
 *
 * pg_relation_size() locks the relation, so it waits as long as somebody alters
 * it or waits to.  All it gains is that the files stay the relation's own while
 * they are measured.  Here that is made sure of afterwards: a transaction that
 * gives a relation other files sends its invalidations before it removes the old
 * ones, so files that still are the relation's were so all the time.
 */
#include "core/core.h"

#include <sys/stat.h>

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_tablespace.h"
#include "common/relpath.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/relmapper.h"
#include "utils/syscache.h"

/* Where the files of a relation are; all zero but the kind if it has none. */
typedef struct FilePlace
{
	Oid			tablespace;
	Oid			database;
	Oid			number;
	int			backend;		/* the owner of a temporary relation */
	Oid			toast;
	char		kind;
	char		persistence;
} FilePlace;

/* Bytes of a relation; -1 if they are not known. */
typedef struct ForkSizes
{
	int64		main;
	int64		other;
} ForkSizes;

/* Finds the files of a relation, as RelationInitPhysicalAddr does; false if there is no such relation. */
static bool
find_place(Oid relid, FilePlace *place)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Form_pg_class class;

	memset(place, 0, sizeof(*place));
	if (!HeapTupleIsValid(tuple))
		return false;
	class = (Form_pg_class) GETSTRUCT(tuple);
	place->kind = class->relkind;
	place->persistence = class->relpersistence;
	place->toast = class->reltoastrelid;
	if (RELKIND_HAS_STORAGE(class->relkind))
	{
		place->tablespace = OidIsValid(class->reltablespace) ? class->reltablespace : MyDatabaseTableSpace;
		place->database = place->tablespace == GLOBALTABLESPACE_OID ? InvalidOid : MyDatabaseId;
		place->number = OidIsValid(class->relfilenode) ? class->relfilenode :
			RelationMapOidToFilenumber(relid, class->relisshared);
		place->backend = class->relpersistence == RELPERSISTENCE_TEMP ?
			GetTempNamespaceProcNumber(class->relnamespace) : INVALID_PROC_NUMBER;
	}
	ReleaseSysCache(tuple);
	return true;
}

/* Bytes of a fork in all its segments, -1 if it has none. */
static int64
fork_bytes(const FilePlace *place, ForkNumber fork)
{
	StewardPath first = GetRelationPath(place->database, place->tablespace, place->number,
										place->backend, fork);
	char		later[MAXPGPATH];
	int64		bytes = -1;

	for (unsigned segment = 0;; segment++)
	{
		const char *path = steward_path_text(first);
		struct stat file;

		CHECK_FOR_INTERRUPTS();
		if (segment > 0)
		{
			snprintf(later, sizeof(later), "%s.%u", path, segment);
			path = later;
		}
		if (stat(path, &file) < 0)
		{
			if (errno == ENOENT)
				break;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not stat file \"%s\": %m", path)));
		}
		bytes = Max(bytes, 0) + file.st_size;
		if (file.st_size < (int64) RELSEG_SIZE * BLCKSZ)
			break;
	}
	steward_path_free(first);
	return bytes;
}

/* Bytes of all forks; those that a relation of its kind never has are not looked for. */
static ForkSizes
all_forks(const FilePlace *place)
{
	ForkSizes	sizes = {fork_bytes(place, MAIN_FORKNUM), 0};

	if (place->kind != RELKIND_SEQUENCE)
		sizes.other += Max(fork_bytes(place, FSM_FORKNUM), 0);
	if (place->kind != RELKIND_SEQUENCE && place->kind != RELKIND_INDEX)
		sizes.other += Max(fork_bytes(place, VISIBILITYMAP_FORKNUM), 0);
	if (place->persistence == RELPERSISTENCE_UNLOGGED)
		sizes.other += Max(fork_bytes(place, INIT_FORKNUM), 0);
	return sizes;
}

/*
 * Measures one fork, or all for InvalidForkNumber, and says of which relation in
 * "place"; false if there is none.  What has no files is of 0 bytes, as
 * pg_relation_size() has it; what should have some but has not, like an unlogged
 * table on a standby, of -1.
 */
static bool
measure(Oid relid, ForkNumber fork, FilePlace *place, ForkSizes *sizes)
{
	FilePlace	after;

	if (!find_place(relid, place))
		return false;
	for (;;)
	{
		sizes->main = sizes->other = 0;
		if (OidIsValid(place->number))
		{
			if (fork == InvalidForkNumber)
				*sizes = all_forks(place);
			else
				sizes->main = fork_bytes(place, fork);
			if (fork > MAIN_FORKNUM)
				sizes->main = Max(sizes->main, 0);
		}
		AcceptInvalidationMessages();
		if (!find_place(relid, &after))
			return false;
		if (place->number == after.number && place->tablespace == after.tablespace)
			return true;
		*place = after;
	}
}

/* Adds to a sum that is -1 once a part of it is not known. */
static void
add_bytes(int64 *sum, int64 bytes)
{
	*sum = *sum < 0 || bytes < 0 ? -1 : *sum + bytes;
}

/* Adds the indexes of a table to the sums; one that is dropped meanwhile has no bytes. */
static void
add_indexes(Oid relid, int64 *main, int64 *other)
{
	Relation	pg_index = table_open(IndexRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	FilePlace	place;
	ForkSizes	sizes;

	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(pg_index, IndexIndrelidIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		if (measure(((Form_pg_index) GETSTRUCT(tuple))->indexrelid, InvalidForkNumber, &place, &sizes))
		{
			add_bytes(main, sizes.main);
			add_bytes(other, sizes.other);
		}
	}
	systable_endscan(scan);
	table_close(pg_index, AccessShareLock);
}

/*
 * steward.try_relation_size(relation oid, fork text) returns bigint: bytes of a
 * fork, NULL if there is no such relation or if its files are missing.  Takes no
 * lock on the relation.
 */
PG_FUNCTION_INFO_V1(steward_try_relation_size);
Datum
steward_try_relation_size(PG_FUNCTION_ARGS)
{
	ForkNumber	fork = forkname_to_number(text_to_cstring(PG_GETARG_TEXT_PP(1)));
	FilePlace	place;
	ForkSizes	sizes;

	if (!measure(PG_GETARG_OID(0), fork, &place, &sizes) || sizes.main < 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(sizes.main);
}

/*
 * steward.relation_sizes(relation oid, OUT heap_bytes, OUT toast_bytes, OUT index_bytes,
 * OUT other_bytes): the parts of what pg_total_relation_size() returns, each NULL
 * where it is not known.  Takes no lock on the relation.
 */
PG_FUNCTION_INFO_V1(steward_relation_sizes);
Datum
steward_relation_sizes(PG_FUNCTION_ARGS)
{
	enum
	{
		HEAP, TOAST, INDEXES, OTHER, NPARTS
	};
	Oid			relid = PG_GETARG_OID(0);
	FilePlace	place;
	ForkSizes	sizes;
	int64		parts[NPARTS] = {0};
	Datum		values[NPARTS];
	bool		nulls[NPARTS];
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!measure(relid, InvalidForkNumber, &place, &sizes))
		PG_RETURN_NULL();
	parts[HEAP] = sizes.main;
	parts[OTHER] = sizes.other;
	if (place.kind != RELKIND_INDEX && place.kind != RELKIND_PARTITIONED_INDEX)
		add_indexes(relid, &parts[INDEXES], &parts[OTHER]);
	if (OidIsValid(place.toast))
	{
		Oid			toast = place.toast;

		if (measure(toast, InvalidForkNumber, &place, &sizes))
		{
			add_bytes(&parts[TOAST], sizes.main);
			add_bytes(&parts[OTHER], sizes.other);
		}
		add_indexes(toast, &parts[TOAST], &parts[OTHER]);
	}
	for (int i = 0; i < NPARTS; i++)
	{
		values[i] = Int64GetDatum(parts[i]);
		nulls[i] = parts[i] < 0;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
