/*
 * upkeep_internal.h
 *		What the triggers that keep columns right share.
 */
#ifndef STEWARD_UPKEEP_INTERNAL_H
#define STEWARD_UPKEEP_INTERNAL_H

#include "core/core.h"

/* In the order of steward_clocks, the values of option "clock". */
typedef enum StampClock
{
	CLOCK_TRANSACTION,
	CLOCK_STATEMENT,
	CLOCK_WALL,
} StampClock;

/* A column that holds a time. */
typedef struct Stamp
{
	AttrNumber	attnum;
	StampClock	clock;
	Oid			type;			/* timestamptz, timestamp or date */
	int32		typmod;
	Oid			domain;			/* InvalidOid if it is none */
} Stamp;

extern const char *const steward_clocks[];

extern void steward_stamp_init(Stamp *stamp, Relation rel, AttrNumber attnum, StampClock clock,
							   const char *kind);
extern Datum steward_stamp_now(const Stamp *stamp);
extern Datum steward_stamp_not_before(const Stamp *stamp, Datum value, TupleDesc desc, HeapTuple row,
									  AttrNumber attnum);
extern bool *steward_upkept_columns(Relation rel, Trigger *self);
extern bool steward_role_allowed(const char *kind, const char *value);

/* What each reads is its own; it is allocated in the current memory context. */
extern void *steward_updated_at_parse(Relation rel, Trigger *trigger);
extern void *steward_row_version_parse(Relation rel, Trigger *trigger);
extern void *steward_immutable_parse(Relation rel, Trigger *trigger);
extern void *steward_append_only_parse(Relation rel, Trigger *trigger);
extern void *steward_soft_delete_parse(Relation rel, Trigger *trigger);
extern void *steward_soft_delete_cascade_parse(Relation rel, Trigger *trigger);

#endif							/* STEWARD_UPKEEP_INTERNAL_H */
