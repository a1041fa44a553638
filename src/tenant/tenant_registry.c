/*
 * tenant_registry.c
 *		Which tenants may work, as steward.tenants says.
 *
 * Each session keeps the keys of those that may not.  A trigger on the table
 * has every session, here and on standbys, read them anew when they change.
 */
#include "tenant/tenant_internal.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* Columns of steward.tenants that are read here. */
enum
{
	TENANT_KEY = 1,
	TENANT_STATUS,
	TENANT_SCHEMA_NAME
};

/* A tenant that may not work. */
typedef struct Excluded
{
	char	   *key;
	StewardStanding standing;
} Excluded;

static struct
{
	bool		valid;
	bool		changed;		/* while it was read */
	Oid			relation;		/* steward.tenants; Invalid if there is none */
	MemoryContext mcxt;			/* holds the rest */
	Excluded   *excluded;		/* ordered by key */
	int			nexcluded;
}			registry;

/* A relation has changed; if that may be steward.tenants, it is read anew. */
void
steward_tenant_registry_changed(Oid relid)
{
	if (OidIsValid(relid) && OidIsValid(registry.relation) && relid != registry.relation)
		return;
	registry.valid = false;
	registry.changed = true;
}

static int
compare_excluded(const void *a, const void *b)
{
	return strcmp(((const Excluded *) a)->key, ((const Excluded *) b)->key);
}

/* Returns the oid of the table and of one of its indexes; Invalid where the extension is not created. */
static Oid
find_registry(const char *index_name, Oid *index)
{
	Oid			namespace = get_namespace_oid("steward", true);
	Oid			relation = OidIsValid(namespace) ? get_relname_relid("tenants", namespace) : InvalidOid;

	if (!OidIsValid(relation) ||
		getExtensionOfObject(RelationRelationId, relation) != get_extension_oid("pg_steward", true))
		return InvalidOid;
	*index = get_relname_relid(index_name, namespace);
	return relation;
}

static char *
text_column(HeapTuple tuple, TupleDesc desc, int attnum)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, attnum, desc, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static StewardStanding
read_standing(HeapTuple tuple, TupleDesc desc)
{
	char	   *status = text_column(tuple, desc, TENANT_STATUS);

	if (strcmp(status, "active") == 0)
		return TENANT_ACTIVE;
	return strcmp(status, "erased") == 0 ? TENANT_ERASED : TENANT_SUSPENDED;
}

/* Reads the tenants that may not work, as they are now. */
static void
read_registry(void)
{
	MemoryContext mcxt;
	MemoryContext outer;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			index = InvalidOid;
	Oid			relation = find_registry("tenants_excluded", &index);
	Excluded   *excluded = NULL;
	int			n = 0;
	int			room = 0;

	registry.relation = relation;
	registry.nexcluded = 0;
	if (!OidIsValid(relation))
	{
		registry.valid = true;
		return;
	}

	if (registry.mcxt == NULL)
		registry.mcxt = AllocSetContextCreate(steward_session_context(), "tenants that may not work", ALLOCSET_SMALL_SIZES);
	MemoryContextReset(registry.mcxt);
	mcxt = AllocSetContextCreate(CurrentMemoryContext, "steward.tenants", ALLOCSET_DEFAULT_SIZES);
	outer = MemoryContextSwitchTo(mcxt);
	rel = table_open(relation, AccessShareLock);
	/* what is invalidated from here on is read again */
	registry.changed = false;

	/*
	 * with a snapshot of its own, as catalogs are read: so parallel workers
	 * can
	 */
	scan = systable_beginscan(rel, index, OidIsValid(index), NULL, 0, NULL);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		StewardStanding standing = read_standing(tuple, RelationGetDescr(rel));

		if (standing == TENANT_ACTIVE)
			continue;
		if (n == room)
		{
			room = Max(16, 2 * room);
			excluded = excluded == NULL ? MemoryContextAllocHuge(registry.mcxt, room * sizeof(Excluded)) :
				repalloc_huge(excluded, room * sizeof(Excluded));
		}
		excluded[n].key = MemoryContextStrdup(registry.mcxt, text_column(tuple, RelationGetDescr(rel), TENANT_KEY));
		excluded[n].standing = standing;
		n++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(mcxt);

	if (n > 0)
		qsort(excluded, n, sizeof(Excluded), compare_excluded);
	registry.excluded = excluded;
	registry.nexcluded = n;
	registry.valid = !registry.changed;
}

/* Returns whether a tenant may work; one that the registry does not name may. */
StewardStanding
steward_tenant_standing(const char *key)
{
	Excluded	wanted = {.key = unconstify(char *, key)};
	Excluded   *found;

	AcceptInvalidationMessages();
	if (!registry.valid)
		read_registry();
	if (registry.nexcluded == 0)
		return TENANT_ACTIVE;
	found = bsearch(&wanted, registry.excluded, registry.nexcluded, sizeof(Excluded), compare_excluded);
	return found != NULL ? found->standing : TENANT_ACTIVE;
}

/* Raises 42501 unless a tenant stands well. */
static void
require_active(const char *key, StewardStanding standing)
{
	if (standing == TENANT_SUSPENDED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("tenant \"%s\" is suspended", key),
				 errhint("SELECT steward.tenant_resume(%s);", quote_literal_cstr(key))));
	if (standing == TENANT_ERASED)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("tenant \"%s\" has been erased", key)));
}

/* Raises 42501 if a tenant may not work. */
void
steward_tenant_require_active(const char *key)
{
	require_active(key, steward_tenant_standing(key));
}

/* Trigger of steward.tenants: has all sessions read it anew once this transaction commits, this one at once. */
PG_FUNCTION_INFO_V1(steward_tenant_changed_trigger);
Datum
steward_tenant_changed_trigger(PG_FUNCTION_ARGS)
{
	steward_check_trigger(fcinfo, "tenant_changed_trigger");
	CacheInvalidateRelcache(((TriggerData *) fcinfo->context)->tg_relation);
	return PointerGetDatum(NULL);
}

/* Returns the schema of an active tenant, as it is now; raises what keeps it from work. */
char *
steward_tenant_schema(const char *key)
{
	Oid			index = InvalidOid;
	Oid			relation = find_registry("tenants_pkey", &index);
	Relation	rel;
	ScanKeyData scan_key;
	SysScanDesc scan;
	HeapTuple	tuple;
	char	   *schema = NULL;

	if (!OidIsValid(relation))
		elog(ERROR, "table \"steward.tenants\" does not exist");
	rel = table_open(relation, AccessShareLock);
	ScanKeyInit(&scan_key, TENANT_KEY, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	scan = systable_beginscan(rel, index, OidIsValid(index), NULL, 1, &scan_key);
	tuple = systable_getnext(scan);
	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("tenant \"%s\" does not exist", key),
				 errhint("SELECT steward.tenant_create(%s, isolation => 'schema');", quote_literal_cstr(key))));
	require_active(key, read_standing(tuple, RelationGetDescr(rel)));
	schema = text_column(tuple, RelationGetDescr(rel), TENANT_SCHEMA_NAME);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (schema == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("tenant \"%s\" has no schema of its own", key),
				 errdetail("A column tells which rows are of the tenant.")));
	if (!OidIsValid(get_namespace_oid(schema, true)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_SCHEMA),
				 errmsg("schema \"%s\" does not exist", schema),
				 errhint("CALL steward.tenant_schema_create(ARRAY[%s], ...);", quote_literal_cstr(key))));
	return schema;
}
