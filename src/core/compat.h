/*
 * compat.h
 *		Every difference between the server versions that pg_steward builds on.
 *
 * The code is written for the newest server; older ones get the new spelling
 * here, one block per major version.
 */
#ifndef STEWARD_COMPAT_H
#define STEWARD_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "pg_steward needs PostgreSQL 15 or newer"
#endif

#include "access/sysattr.h"
#include "access/tableam.h"
#include "catalog/pg_constraint.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "replication/origin.h"
#include "storage/proc.h"

/*
 * 19 gave ExecInsertIndexTuples and table_beginscan flags, renamed what holds the
 * replication origin, and wants tuple descriptors finalized.
 */
#if PG_VERSION_NUM >= 190000
#define steward_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL, 0)
#define steward_finalize_tuple_desc(desc) TupleDescFinalize(desc)
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, estate, 0, slot, NIL, NULL)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, estate, \
						  EIIT_IS_UPDATE | ((indexes) == TU_Summarizing ? EIIT_ONLY_SUMMARIZING : 0), \
						  slot, NIL, NULL)
#define steward_tuple_update(rel, tid, slot, cid, snapshot, failure, lockmode, indexes) \
	table_tuple_update(rel, tid, slot, cid, 0, snapshot, InvalidSnapshot, true, failure, lockmode, indexes)
#define SessionReplicationOrigin (replorigin_xact_state.origin)
#else
#define steward_tuple_update(rel, tid, slot, cid, snapshot, failure, lockmode, indexes) \
	table_tuple_update(rel, tid, slot, cid, snapshot, InvalidSnapshot, true, failure, lockmode, indexes)
#define steward_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL)
#define steward_finalize_tuple_desc(desc) ((void) 0)
typedef RepOriginId ReplOriginId;
#define InvalidReplOriginId InvalidRepOriginId
#define SessionReplicationOrigin replorigin_session_origin
#endif

/*
 * 18 made generated columns virtual unless they say STORED, spells otherwise what
 * does not return, lets foreign keys be not enforced, tells BEFORE UPDATE triggers
 * of MERGE, wants to know which relations of a range table were not pruned, and
 * returns paths of files as structs.
 */
#if PG_VERSION_NUM >= 180000
#define StewardPath RelPathStr
#define steward_path_text(path) ((path).str)
#define steward_path_free(path) ((void) 0)
#define steward_constraint_enforced(constraint) ((constraint)->conenforced)
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL, NULL, false)
#define steward_init_range_table(estate, entries, permissions) \
	ExecInitRangeTable(estate, entries, permissions, bms_make_singleton(1))
#else
#define StewardPath char *
#define steward_path_text(path) (path)
#define steward_path_free(path) pfree(path)
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#define pg_noreturn pg_attribute_noreturn()
#define steward_constraint_enforced(constraint) true
#endif

/* 17 replaced backend ids by the numbers of their slots, and lets indexes keep state between insertions. */
#if PG_VERSION_NUM >= 170000
#define MyProcSlot MyProcNumber
#define steward_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define GetTempNamespaceProcNumber(schema) GetTempNamespaceBackendId(schema)
#define INVALID_PROC_NUMBER InvalidBackendId
#define MyProcSlot (MyProc->pgprocno)
#define steward_index_insert_cleanup(index, info) ((void) 0)
#endif

/*
 * 16 moved the varlena macros out of postgres.h, and the columns that a statement
 * changes and the privileges it needs out of the range table, told index insertion of summarizing indexes,
 * lets callers learn why a row escaped its BEFORE UPDATE triggers, keeps what
 * belongs to settings in a memory context, and says file number for file node.
 */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
typedef RTEPermissionInfo StewardPermissions;
#define STEWARD_CHECK_PERMISSIONS_PARAMETERS List *range_table, List *permissions, bool raise
#define STEWARD_CHECK_PERMISSIONS_ARGUMENTS range_table, permissions, raise
#define steward_guc_malloc(size) guc_malloc(LOG, size)
#define steward_guc_free(pointer) guc_free(pointer)
#else
typedef RangeTblEntry StewardPermissions;
#define STEWARD_CHECK_PERMISSIONS_PARAMETERS List *permissions, bool raise
#define STEWARD_CHECK_PERMISSIONS_ARGUMENTS permissions, raise
#define RelationMapOidToFilenumber(relation, shared) RelationMapOidToFilenode(relation, shared)
#define steward_guc_malloc(size) malloc(size)
#define steward_guc_free(pointer) free(pointer)
typedef bool TU_UpdateIndexes;
#define TU_None false
#define EvalPlanQualInit(epqstate, estate, plan, marks, param, relations) \
	EvalPlanQualInitExt(epqstate, estate, plan, marks, param, relations)
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, slot, estate, true, false, NULL, NIL)
#endif
#if PG_VERSION_NUM >= 160000 && PG_VERSION_NUM < 180000
#define steward_before_update(estate, epqstate, result_rel, tid, slot) \
	ExecBRUpdateTriggers(estate, epqstate, result_rel, tid, NULL, slot, NULL, NULL)
#define steward_init_range_table(estate, entries, permissions) ExecInitRangeTable(estate, entries, permissions)
#endif
#if PG_VERSION_NUM >= 160000 && PG_VERSION_NUM < 190000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL, false)
#define steward_update_index_tuples(result_rel, slot, estate, indexes) \
	ExecInsertIndexTuples(result_rel, slot, estate, true, false, NULL, NIL, (indexes) == TU_Summarizing)
#elif PG_VERSION_NUM < 160000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL)
#endif

/*
 * Gives an executor state the range table of an UPDATE: one table, and which of
 * its columns change, as bits of its attribute numbers after an offset of
 * FirstLowInvalidHeapAttributeNumber.
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
#if PG_VERSION_NUM >= 160000
	addRTEPermissionInfo(&permissions, entry)->updatedCols = columns;
	steward_init_range_table(estate, list_make1(entry), permissions);
#else
	entry->updatedCols = columns;

	/*
	 * here the planner finds out which generated columns depend on others;
	 * all of them may
	 */
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
		if (TupleDescAttr(RelationGetDescr(rel), i)->attgenerated != '\0')
			entry->extraUpdatedCols = bms_add_member(entry->extraUpdatedCols,
													 i + 1 - FirstLowInvalidHeapAttributeNumber);
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

#endif							/* STEWARD_COMPAT_H */
