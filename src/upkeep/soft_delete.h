/*
 * soft_delete.h
 *		What the triggers of soft deletion share, callee first.
 *
 *		soft_delete_fkey.c		foreign keys, as queries for the rows at their other end
 *		soft_delete.c			the trigger that stamps a row
 *		soft_delete_cascade.c	the trigger that takes its children along
 */
#ifndef STEWARD_SOFT_DELETE_H
#define STEWARD_SOFT_DELETE_H

#include "upkeep/upkeep_internal.h"

/* soft_delete_fkey.c */
typedef struct ForeignKey ForeignKey;

extern ForeignKey *steward_foreign_key_to_parent(Oid constraint, Relation rel, Oid referenced_table,
												 MemoryContext mcxt);
extern ForeignKey *steward_foreign_key_to_children(Oid constraint, Relation rel, Relation child,
												   const Stamp *stamp, MemoryContext mcxt);
extern uint64 steward_foreign_key_run(ForeignKey *key, Relation rel, HeapTuple row, const Datum *extra,
									  const bool *extra_isnull, int nextra, bool read_only);

/* soft_delete.c */
extern void steward_soft_delete_stamp_init(Stamp *stamp, Relation rel, const char *argument,
										   StampClock clock);
extern const Stamp *steward_soft_delete_stamp(Relation rel, Trigger *trigger);

#endif							/* STEWARD_SOFT_DELETE_H */
