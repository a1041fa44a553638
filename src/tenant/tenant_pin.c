/*
 * tenant_pin.c
 *		The tenant and the user that a transaction got first: it gets no others.
 */
#include "tenant/tenant_internal.h"

/* What is pinned. */
typedef struct Pin
{
	Provisional stored;
	uint64		transaction;	/* to which it is pinned */
	char		text[STEWARD_TENANT_VALUE_SIZE];
} Pin;

static Pin	pins[STEWARD_TENANT_KINDS];

static void
forget(Provisional *it)
{
	((Pin *) ((char *) it - offsetof(Pin, stored)))->transaction = 0;
}

/* Tells whether the present transaction may get a value: the one that is pinned to it, or any if none is. */
bool
steward_tenant_may_pin(StewardTenantKind kind, const char *text)
{
	return pins[kind].transaction != steward_tenant_transaction() || strcmp(pins[kind].text, text) == 0;
}

/*
 * Pins a value to the present transaction, if that has none.  What the end of a
 * savepoint brings back is still pinned from when it was set.
 */
void
steward_tenant_pin(StewardTenantKind kind, const TenantValue *value)
{
	Pin		   *it = &pins[kind];

	if (value == NULL || value->text[0] == '\0' ||
		value->transaction != steward_tenant_transaction() || it->transaction == value->transaction)
		return;
	strcpy(it->text, value->text);
	it->transaction = value->transaction;
	steward_provisional(&it->stored, forget);
}

/*
 * Tells whether the present transaction has been given a tenant or user that
 * ends with it, also if it has left the context since.
 */
bool
steward_tenant_bound(void)
{
	return !steward_tenant_sessions &&
		(pins[STEWARD_TENANT].transaction == steward_tenant_transaction() ||
		 pins[STEWARD_USER].transaction == steward_tenant_transaction());
}
