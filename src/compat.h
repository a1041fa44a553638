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

#endif							/* STEWARD_COMPAT_H */
