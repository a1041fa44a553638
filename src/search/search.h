/*
 * search.h
 *		What the search module does for others.
 */
#ifndef STEWARD_SEARCH_H
#define STEWARD_SEARCH_H

#include "core/core.h"

extern const StewardModule steward_search_module;

/* What it reads is its own; it is allocated in the current memory context. */
extern void *steward_search_vector_parse(Relation rel, Trigger *trigger);
extern void *steward_search_related_parse(Relation rel, Trigger *trigger);

#endif							/* STEWARD_SEARCH_H */
