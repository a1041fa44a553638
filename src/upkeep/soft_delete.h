/*
 * soft_delete.h
 *		What the triggers of soft deletion share, callee first.
 *
 *		soft_delete_fkey.c		foreign keys, as queries for the rows at their other end
 *		soft_delete.c			the trigger that stamps a row
 *		soft_delete_view.c		the trigger that has the view of live rows report its deletions
 *		soft_delete_ddl.c		the event trigger that gets views out of ALTER TABLE's way
 *		soft_delete_cascade.c	the trigger that does what foreign keys say about its children
 */
#ifndef STEWARD_SOFT_DELETE_H
#define STEWARD_SOFT_DELETE_H

#include "upkeep/upkeep_internal.h"

#include "lib/stringinfo.h"

/* soft_delete_fkey.c */
typedef struct ForeignKey ForeignKey;

extern ForeignKey *steward_foreign_key_to_parent(Oid constraint, Relation rel, Oid referenced_table,
												 MemoryContext mcxt);

extern void steward_append_key_condition(StringInfo query, Relation target, const AttrNumber *target_keys,
										 Relation source, const AttrNumber *source_keys,
										 const Oid *operators, int nkeys, bool target_is_referenced);

/* What a query does with the rows that reference one. */
typedef enum ForeignKeyTask
{
	KEY_FOLLOW,					/* move them from a stamp to another */
	KEY_DELETE,
	KEY_SET,					/* as ON DELETE SET NULL or SET DEFAULT */
	KEY_FIND,					/* find one that is live */
	KEY_FIND_LATER,				/* the same, unless the row referenced is */
} ForeignKeyTask;

extern ForeignKey *steward_foreign_key_to_children(Oid constraint, Relation rel, const Stamp *stamp,
												   Relation child, const Stamp *child_stamp,
												   ForeignKeyTask task, MemoryContext mcxt);
extern bool steward_foreign_key_is_set(const ForeignKey *key, Relation rel, HeapTuple row);
extern uint64 steward_foreign_key_run(ForeignKey *key, Relation rel, HeapTuple row, const Datum *extra,
									  const bool *extra_isnull, bool postpone_triggers);

/* soft_delete.c */
extern uint64 steward_soft_deleted;

extern void steward_soft_delete_stamp_init(Stamp *stamp, Relation rel, const char *argument,
										   StampClock clock);
extern const Stamp *steward_soft_delete_stamp(Relation rel, Trigger *trigger);

#endif							/* STEWARD_SOFT_DELETE_H */
