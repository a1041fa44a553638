/*
 * monitor.h
 *		The monitoring module, as the library's entry point sees it.
 *
 *		monitor_size.c		sizes of relations, without a lock
 *		monitor_bloat.c		how long rows are, as the catalogs have it
 *		monitor_locks.c		what is read of relations that may be locked
 *		monitor_sequence.c	how far sequences have come
 *		monitor_health.c	running a health check within a time limit
 *		monitor.c			the settings
 */
#ifndef STEWARD_MONITOR_H
#define STEWARD_MONITOR_H

#include "core/core.h"

extern const StewardModule steward_monitor_module;

#endif							/* STEWARD_MONITOR_H */
