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

#include "executor/executor.h"
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
#define SessionReplicationOrigin (replorigin_xact_state.origin)
#else
#define steward_beginscan(rel, snapshot) table_beginscan(rel, snapshot, 0, NULL)
#define steward_finalize_tuple_desc(desc) ((void) 0)
typedef RepOriginId ReplOriginId;
#define InvalidReplOriginId InvalidRepOriginId
#define SessionReplicationOrigin replorigin_session_origin
#endif

/* 18 put what says that a function does not return before its declaration. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/* 18 made generated columns virtual unless they say STORED. */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* 17 replaced backend ids by the numbers of their slots, and lets indexes keep state between insertions. */
#if PG_VERSION_NUM >= 170000
#define MyProcSlot MyProcNumber
#define steward_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define MyProcSlot (MyProc->pgprocno)
#define steward_index_insert_cleanup(index, info) ((void) 0)
#endif

/* 16 moved the varlena macros out of postgres.h, and told index insertion of summarizing indexes. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif
#if PG_VERSION_NUM >= 160000 && PG_VERSION_NUM < 190000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL, false)
#elif PG_VERSION_NUM < 160000
#define steward_insert_index_tuples(result_rel, slot, estate) \
	ExecInsertIndexTuples(result_rel, slot, estate, false, false, NULL, NIL)
#endif

#endif							/* STEWARD_COMPAT_H */
