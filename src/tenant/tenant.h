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

/* What it reads is its own; it is allocated in the current memory context. */
extern void *steward_tenant_parent_parse(Relation rel, Trigger *trigger);
extern void *steward_tenant_fill_parse(Relation rel, Trigger *trigger);

#endif							/* STEWARD_TENANT_H */
