/*
 * tenant_schema.c
 *		Working in the schema of a tenant.
 */
#include "tenant/tenant_internal.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/* Sets search_path for the rest of the transaction, or of the function that is running if that has a path of its own. */
static void
set_search_path(const char *path)
{
	(void) set_config_option("search_path", path, superuser() ? PGC_SUSET : PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * steward.tenant_schema_use(tenant text, shared name[]) has the rest of the
 * transaction find its tables in the tenant's schema first.  In C, because what
 * a function with a search_path of its own sets is gone when it returns.
 */
PG_FUNCTION_INFO_V1(steward_tenant_schema_use);
Datum
steward_tenant_schema_use(PG_FUNCTION_ARGS)
{
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(0));
	const char *present = steward_tenant_text(STEWARD_TENANT);
	StringInfoData path;
	Datum	   *shared;
	bool	   *nulls;
	int			nshared;

	steward_require_transaction("steward.tenant_schema_use()");
	if (!steward_tenant_canonicalize(key))
		steward_tenant_refuse_form("tenant");
	if (present != NULL && strcmp(present, key) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("this transaction is for another tenant"),
				 errhint("Use a transaction for each: COMMIT or ROLLBACK first.")));

	initStringInfo(&path);
	appendStringInfoString(&path, quote_identifier(steward_tenant_schema(key)));
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &shared, &nulls, &nshared);
	for (int i = 0; i < nshared; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("list of shared schemas must not contain null")));
		appendStringInfo(&path, ", %s", quote_identifier(NameStr(*DatumGetName(shared[i]))));
	}
	/* not named, temporary tables would come first */
	appendStringInfoString(&path, ", pg_temp");
	set_search_path(path.data);
	PG_RETURN_VOID();
}

/*
 * steward_internal.tenant_schema_enter(schema oid) returns boolean
 *
 * Has what is printed of objects of this schema not name it, by search_path;
 * false if the schema has gone.  In C, because it is asked for each object.
 */
PG_FUNCTION_INFO_V1(steward_tenant_schema_enter);
Datum
steward_tenant_schema_enter(PG_FUNCTION_ARGS)
{
	char	   *schema = get_namespace_name(PG_GETARG_OID(0));
	char	   *path;

	if (schema == NULL)
		PG_RETURN_BOOL(false);
	path = psprintf("%s, pg_temp", quote_identifier(schema));
	if (strcmp(path, namespace_search_path) != 0)
		set_search_path(path);
	PG_RETURN_BOOL(true);
}
