/*
 * audit.h
 *		What the audit module does for others.
 */
#ifndef STEWARD_AUDIT_H
#define STEWARD_AUDIT_H

#include "core/core.h"

extern const StewardModule steward_audit_module;
extern const char *steward_application_user(void);

#endif							/* STEWARD_AUDIT_H */
