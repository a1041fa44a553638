/*
 * pg_steward.h
 *		What the modules of pg_steward share.
 */
#ifndef PG_STEWARD_H
#define PG_STEWARD_H

#include "postgres.h"

#include "compat.h"

#endif							/* PG_STEWARD_H */
