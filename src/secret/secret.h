/*
 * secret.h
 *		What the module of passwords and encrypted values does for others.
 */
#ifndef STEWARD_SECRET_H
#define STEWARD_SECRET_H

#include "core/core.h"

extern const StewardModule steward_secret_module;

#endif							/* STEWARD_SECRET_H */
