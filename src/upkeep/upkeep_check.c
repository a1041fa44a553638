/*
 * upkeep_check.c
 *		What SQL asks about the arguments of triggers.
 */
#include "upkeep/upkeep_internal.h"

#include "access/relation.h"
#include "search/search.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/* The trigger functions, and what reads their arguments. */
static const struct
{
	const char *function;
	void	   *(*parse) (Relation rel, Trigger *trigger);
}			upkeep_triggers[] = {
	{"updated_at_trigger", steward_updated_at_parse},
	{"row_version_trigger", steward_row_version_parse},
	{"search_vector_trigger", steward_search_vector_parse},
	{"soft_delete_trigger", steward_soft_delete_parse},
	{"soft_delete_cascade_trigger", steward_soft_delete_cascade_parse},
};

/*
 * steward_internal.trigger_arguments(arguments bytea) returns text[]
 *
 * Returns the arguments of a trigger from pg_trigger.tgargs; raises 22023 for
 * bytes that are nothing of the kind.
 */
PG_FUNCTION_INFO_V1(steward_trigger_arguments);
Datum
steward_trigger_arguments(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(steward_text_array(steward_stored_arguments(PG_GETARG_BYTEA_PP(0))));
}

/*
 * steward_internal.trigger_column(relation regclass, arguments bytea) returns name
 *
 * Returns the column that a trigger's first bare argument names, even if it is
 * gone, and NULL if there is no such argument.  It waits for no lock.  Raises
 * 22023 as steward_internal.trigger_arguments() does.
 */
PG_FUNCTION_INFO_V1(steward_trigger_column);
Datum
steward_trigger_column(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	List	   *arguments = steward_stored_arguments(PG_GETARG_BYTEA_PP(1));
	ListCell   *lc;
	Name		name = NULL;

	foreach(lc, arguments)
	{
		char	   *value;
		List	   *names;
		AttrNumber	attnum;

		if (steward_option(lfirst(lc), &value) != NULL)
			continue;
		attnum = steward_find_column(relid, value);
		if (attnum != InvalidAttrNumber)
			value = get_attname(relid, attnum, false);
		else if (SplitIdentifierString(pstrdup(value), '.', &names) && list_length(names) == 1)
			value = linitial(names);
		name = palloc0(sizeof(NameData));
		namestrcpy(name, value);
		break;
	}
	if (name == NULL)
		PG_RETURN_NULL();
	PG_RETURN_NAME(name);
}

/*
 * steward_internal.upkeep_check(relation regclass) returns void
 *
 * Raises the error that one of the table's upkeep triggers would raise for its
 * arguments when it fires.
 */
PG_FUNCTION_INFO_V1(steward_upkeep_check);
Datum
steward_upkeep_check(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		for (int kind = 0; kind < lengthof(upkeep_triggers); kind++)
			if (steward_trigger_calls(trigger, upkeep_triggers[kind].function))
				(void) upkeep_triggers[kind].parse(rel, trigger);
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}
