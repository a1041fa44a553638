/*
 * tenant.h
 *		What the tenant module does for others.
 */
#ifndef STEWARD_TENANT_H
#define STEWARD_TENANT_H

#include "core/core.h"

/* What a context says, and what is pinned for a transaction. */
typedef enum StewardTenantKind
{
	STEWARD_TENANT,
	STEWARD_USER,
} StewardTenantKind;
#define STEWARD_TENANT_KINDS		(STEWARD_USER + 1)

extern const StewardModule steward_tenant_module;
extern const char *steward_tenant_text(StewardTenantKind kind);

#endif							/* STEWARD_TENANT_H */
