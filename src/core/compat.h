/*
 * compat.h
 *		Every difference between the server versions that pg_steward builds on.
 *
 * Those are 15 to 19; of 16, Debian has no package to test on.  The code is
 * written for the newest server, and older ones get its spelling here.  One block
 * is about one interface, and names the newest server first.
 */
#ifndef STEWARD_COMPAT_H
#define STEWARD_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "pg_steward needs PostgreSQL 15 or newer"
#endif

#include "access/sysattr.h"
#include "access/tableam.h"
#include "catalog/pg_constraint.h"
#include "commands/explain.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "replication/origin.h"
#include "storage/proc.h"
#include "utils/guc_tables.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#endif

/* Libraries say what they are called since 18. */
#ifndef PG_MODULE_MAGIC_EXT
#define PG_MODULE_MAGIC_EXT(...) PG_MODULE_MAGIC
#endif

/* What does not return is marked in front since 18. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* Scans of tables take flags since 19. */
#if PG_VERSION_NUM >= 190000
#define steward_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL, 0)
#else
#define steward_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL)
#endif

#if PG_VERSION_NUM >= 190000
#define steward_beginscan_tidrange(rel, snapshot, first, last) table_beginscan_tidrange(rel, snapshot, first, last, 0)
#else
#define steward_beginscan_tidrange(rel, snapshot, first, last) table_beginscan_tidrange(rel, snapshot, first, last)
#endif

/* A block range index is read without a snapshot since 17. */
#if PG_VERSION_NUM >= 170000
#define steward_revmap_initialize(index, pages_per_range, snapshot) brinRevmapInitialize(index, pages_per_range)
#define steward_summary_of_block(revmap, block, buffer, offset, size, snapshot) \
	brinGetTupleForHeapBlock(revmap, block, buffer, offset, size, BUFFER_LOCK_SHARE)
#else
#define steward_revmap_initialize(index, pages_per_range, snapshot) \
	brinRevmapInitialize(index, pages_per_range, snapshot)
#define steward_summary_of_block(revmap, block, buffer, offset, size, snapshot) \
	brinGetTupleForHeapBlock(revmap, block, buffer, offset, size, BUFFER_LOCK_SHARE, snapshot)
#endif

/* The planner's orders are not the strategies of b-trees since 18. */
#if PG_VERSION_NUM >= 180000
#define steward_is_descending(pathkey) ((pathkey)->pk_cmptype == COMPARE_GT)
#else
#define steward_is_descending(pathkey) ((pathkey)->pk_strategy == BTGreaterStrategyNumber)
#endif

/* Rows of a table with the same columns need no conversion; a column may be missing since 16. */
#if PG_VERSION_NUM >= 160000
#define steward_attrmap_if_needed(from, to) build_attrmap_by_name_if_req(from, to, false)
#else
#define steward_attrmap_if_needed(from, to) build_attrmap_by_name_if_req(from, to)
#endif

/* Tuple descriptors are finalized since 19. */
#if PG_VERSION_NUM >= 190000
#define steward_finalize_tuple_desc(desc) TupleDescFinalize(desc)
#else
#define steward_finalize_tuple_desc(desc) ((void) 0)
#endif

/* Updating a row takes flags since 19. */
#if PG_VERSION_NUM >= 190000
#define steward_tuple_update(rel, tid, slot, cid, snapshot, failure, lockmode, indexes) \
	table_tuple_update(rel, tid, slot, cid, 0, snapshot, InvalidSnapshot, true, failure, lockmode, indexes)
#else
#define steward_tuple_update(rel, tid, slot, cid, snapshot, failure, lockmode, indexes) \
	table_tuple_update(rel, tid, slot, cid, snapshot, InvalidSnapshot, true, failure, lockmode, indexes)
#endif

/* Which indexes an update is for: all or none, and since 16 also those that summarize. */
#if PG_VERSION_NUM < 160000
typedef bool TU_UpdateIndexes;
#define TU_None false
#endif

/* Index entries are inserted with flags since 19; since 16 only into those that summarize, if that is enough. */
#if PG_VERSION_NUM >= 190000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, estate, 0, slot, NIL, NULL)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, estate, \
						  EIIT_IS_UPDATE | ((indexes) == TU_Summarizing ? EIIT_ONLY_SUMMARIZING : 0), \
						  slot, NIL, NULL)
#elif PG_VERSION_NUM >= 160000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL, false)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, slot, estate, true, false, NULL, NIL, (indexes) == TU_Summarizing)
#else
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, slot, estate, true, false, NULL, NIL)
#endif

/* Indexes keep state between insertions since 17. */
#if PG_VERSION_NUM >= 170000
#define steward_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define steward_index_insert_cleanup(index, info) ((void) 0)
#endif

/* BEFORE UPDATE triggers are told of MERGE since 18, and say since 16 why they left a row out. */
#if PG_VERSION_NUM >= 180000
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL, NULL, false)
#elif PG_VERSION_NUM >= 160000
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL, NULL)
#else
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL)
#endif

/* What looks at rows again takes a list of tables since 16; before, another function does. */
#if PG_VERSION_NUM < 160000
#define EvalPlanQualInit(epqstate, estate, plan, marks, param, relations) \
	EvalPlanQualInitExt(epqstate, estate, plan, marks, param, relations)
#endif

/* The privileges that a statement needs stand beside its range table since 16; before, in it. */
#if PG_VERSION_NUM >= 160000
typedef RTEPermissionInfo StewardPermissions;
#define STEWARD_CHECK_PERMISSIONS_PARAMETERS List *range_table, List *permissions, bool raise
#define STEWARD_CHECK_PERMISSIONS_ARGUMENTS range_table, permissions, raise
#else
typedef RangeTblEntry StewardPermissions;
#define STEWARD_CHECK_PERMISSIONS_PARAMETERS List *permissions, bool raise
#define STEWARD_CHECK_PERMISSIONS_ARGUMENTS permissions, raise
#endif

/* The planner is told for which EXPLAIN it plans since 19. */
#if PG_VERSION_NUM >= 190000
#define STEWARD_PLANNER_PARAMETERS Query *query, const char *text, int options, ParamListInfo params, ExplainState *explain
#define STEWARD_PLANNER_ARGUMENTS query, text, options, params, explain
#else
#define STEWARD_PLANNER_PARAMETERS Query *query, const char *text, int options, ParamListInfo params
#define STEWARD_PLANNER_ARGUMENTS query, text, options, params
#endif

/*
 * A query gets no workers if it has been run before.  Whether this is the only time
 * is not said any more since 18, and not listened to since the minor versions of
 * February 2025; before, it must not contradict.
 */
#if PG_VERSION_NUM >= 180000
#define STEWARD_RUN_PARAMETERS QueryDesc *desc, ScanDirection direction, uint64 count
#define STEWARD_RUN_ARGUMENTS desc, direction, count
#define STEWARD_RUN_WITHOUT_WORKERS (desc->already_executed = true)
#else
#define STEWARD_RUN_PARAMETERS QueryDesc *desc, ScanDirection direction, uint64 count, bool execute_once
#define STEWARD_RUN_ARGUMENTS desc, direction, count, execute_once
#define STEWARD_RUN_WITHOUT_WORKERS (desc->already_executed = true, execute_once = false)
#endif

/* Primary keys that are deferrable can be asked for since 18; before, they count as none. */
#if PG_VERSION_NUM >= 180000
#define steward_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel, false)
#else
#define steward_primary_key_index(rel) RelationGetPrimaryKeyIndex(rel)
#endif

/* Foreign keys may be not enforced since 18. */
#if PG_VERSION_NUM >= 180000
#define steward_constraint_enforced(constraint) ((constraint)->conenforced)
#else
#define steward_constraint_enforced(constraint) true
#endif

/* Generated columns are virtual unless they say STORED since 18. */
#ifndef ATTRIBUTE_GENERATED_VIRTUAL
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* The path of a file is a struct since 18. */
#if PG_VERSION_NUM >= 180000
#define StewardPath RelPathStr
#define steward_path_text(path) ((path).str)
#define steward_path_free(path) ((void) 0)
#else
#define StewardPath char *
#define steward_path_text(path) (path)
#define steward_path_free(path) pfree(path)
#endif

/* The file of a relation has a number since 16; before, it is a node. */
#if PG_VERSION_NUM < 160000
#define RelationMapOidToFilenumber(relation, shared) RelationMapOidToFilenode(relation, shared)
#endif

/* Backends are told by the numbers of their slots since 17. */
#if PG_VERSION_NUM >= 170000
#define MyProcSlot MyProcNumber
#else
#define MyProcSlot (MyProc->pgprocno)
#define INVALID_PROC_NUMBER InvalidBackendId
#define GetTempNamespaceProcNumber(schema) GetTempNamespaceBackendId(schema)
#endif

/* The replication origin of a transaction is in a struct, and its type spelled out, since 19. */
#if PG_VERSION_NUM >= 190000
#define SessionReplicationOrigin (replorigin_xact_state.origin)
#else
#define SessionReplicationOrigin replorigin_session_origin
typedef RepOriginId ReplOriginId;
#define InvalidReplOriginId InvalidRepOriginId
#endif

/*
 * Returns a setting as text, NULL if there is none of that name.  "place" is what the
 * call before has found out, and 0 at first.
 *
 * Settings are found by hashing since 16.  Before, the server searches a sorted list:
 * it takes less to see that the setting is still at its place, or that there is none
 * where it would be.
 */
#if PG_VERSION_NUM >= 160000
#define steward_get_setting(name, place) ((void) (place), GetConfigOption(name, true, false))
#else
static inline const char *
steward_get_setting(const char *name, int *place)
{
	struct config_generic **all = get_guc_variables();
	int			low = 0;
	int			high = GetNumConfigOptions();
	int			at = Min(*place, high - 1);

	while (low < high)
	{
		const char *a = name;
		const char *b = all[at]->name;

		while (*a != '\0' && (*a == *b || pg_ascii_tolower(*a) == pg_ascii_tolower(*b)))
			a++, b++;
		if (*a == '\0' && *b == '\0')
		{
			*place = at;
			return all[at]->vartype == PGC_STRING ? *((struct config_string *) all[at])->variable :
				GetConfigOption(name, true, false);
		}
		/* chars, signed or not, as in the server's own order */
		if ((char) pg_ascii_tolower(*a) < (char) pg_ascii_tolower(*b))
			high = at;
		else
			low = at + 1;
		at = at == *place && high == at ? Max(at - 1, 0) : (low + high) / 2;
	}
	*place = low;
	return NULL;
}
#endif

/* What belongs to settings is in a memory context since 16. */
#if PG_VERSION_NUM >= 160000
#define steward_guc_malloc(size) guc_malloc(LOG, size)
#define steward_guc_free(pointer) guc_free(pointer)
#else
#define steward_guc_malloc(size) malloc(size)
#define steward_guc_free(pointer) free(pointer)
#endif

/*
 * Gives an executor state the range table of an UPDATE: one table, and which of
 * its columns change, as bits of its attribute numbers after an offset of
 * FirstLowInvalidHeapAttributeNumber.
 *
 * It wants to know since 18 which entries were not pruned, and since 16 has the
 * columns beside the range table.  Before, the planner finds out which generated
 * columns depend on others: here, all of them may.
 */
static inline void
steward_init_update(EState *estate, Relation rel, Bitmapset *columns)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
#if PG_VERSION_NUM >= 160000
	List	   *permissions = NIL;
#endif

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(rel);
	entry->relkind = rel->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 180000
	addRTEPermissionInfo(&permissions, entry)->updatedCols = columns;
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
	addRTEPermissionInfo(&permissions, entry)->updatedCols = columns;
	ExecInitRangeTable(estate, list_make1(entry), permissions);
#else
	entry->updatedCols = columns;
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
		if (TupleDescAttr(RelationGetDescr(rel), i)->attgenerated != '\0')
			entry->extraUpdatedCols = bms_add_member(entry->extraUpdatedCols,
													 i + 1 - FirstLowInvalidHeapAttributeNumber);
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

#endif							/* STEWARD_COMPAT_H */
