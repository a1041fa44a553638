/*
 * upkeep_check.c
 *		What SQL asks about the arguments of triggers.
 */
#include "upkeep/upkeep_internal.h"

#include "access/relation.h"
#include "catalog/pg_trigger.h"
#include "search/search.h"
#include "storage/lmgr.h"
#include "tenant/tenant.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/resowner.h"
#include "utils/varlena.h"

#define BEFORE_ROW		(TRIGGER_TYPE_BEFORE | TRIGGER_TYPE_ROW)

/* The trigger functions, how a trigger that calls them must be attached, and what reads its arguments. */
static const struct
{
	const char *function;
	int16		level;
	int16		events;			/* nothing but these */
	void	   *(*parse) (Relation rel, Trigger *trigger);
}			upkeep_triggers[] = {
	{"updated_at_trigger", BEFORE_ROW, TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, steward_updated_at_parse},
	{"row_version_trigger", BEFORE_ROW, TRIGGER_TYPE_UPDATE, steward_row_version_parse},
	{"immutable_trigger", BEFORE_ROW, TRIGGER_TYPE_UPDATE, steward_immutable_parse},
	{"append_only_trigger", BEFORE_ROW, TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE, steward_append_only_parse},
	{"append_only_trigger", TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_TRUNCATE, steward_append_only_parse},
	{"search_vector_trigger", BEFORE_ROW, TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, steward_search_vector_parse},
	{"search_related_trigger", TRIGGER_TYPE_ROW, TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE | TRIGGER_TYPE_DELETE, steward_search_related_parse},
	{"search_related_trigger", 0, TRIGGER_TYPE_TRUNCATE, steward_search_related_parse},
	{"soft_delete_trigger", BEFORE_ROW, TRIGGER_TYPE_DELETE | TRIGGER_TYPE_UPDATE, steward_soft_delete_parse},
	{"soft_delete_cascade_trigger", TRIGGER_TYPE_ROW, TRIGGER_TYPE_UPDATE, steward_soft_delete_cascade_parse},
	{"tenant_parent_trigger", BEFORE_ROW, TRIGGER_TYPE_INSERT, steward_tenant_parent_parse},
	{"tenant_fill_trigger", BEFORE_ROW, TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, steward_tenant_fill_parse},
};

/* Raises the error that a trigger would raise when it fires, for how it is attached or for its arguments. */
static void
check_trigger(Relation rel, Trigger *trigger)
{
	const char *function = NULL;

	for (int i = 0; i < lengthof(upkeep_triggers); i++)
	{
		if (!steward_trigger_calls(trigger, upkeep_triggers[i].function))
			continue;
		function = upkeep_triggers[i].function;
		if ((trigger->tgtype & (TRIGGER_TYPE_ROW | TRIGGER_TYPE_TIMING_MASK)) != upkeep_triggers[i].level ||
			(trigger->tgtype & TRIGGER_TYPE_EVENT_MASK & ~upkeep_triggers[i].events) != 0)
			continue;
		(void) upkeep_triggers[i].parse(rel, trigger);
		return;
	}
	if (function != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" is not attached as function \"steward.%s\" must be",
						trigger->tgname, function)));
}

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
		check_trigger(rel, &rel->trigdesc->triggers[i]);
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}

/* Raises the error that the trigger of a name would raise when it fires; the caller has a lock on the table. */
static void
check_trigger_of(Oid relid, const char *name)
{
	Relation	rel = try_relation_open(relid, NoLock);

	if (rel == NULL)
		return;
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
		if (strcmp(rel->trigdesc->triggers[i].tgname, name) == 0)
			check_trigger(rel, &rel->trigdesc->triggers[i]);
	relation_close(rel, NoLock);
}

/*
 * steward_internal.upkeep_fault(relation regclass, trigger_name name) returns text
 *
 * Returns the message of the error that an upkeep trigger would raise whenever it
 * fires, NULL if it works, and where somebody has locked what it takes to know.
 */
PG_FUNCTION_INFO_V1(steward_upkeep_fault);
Datum
steward_upkeep_fault(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	MemoryContext mcxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	text	   *volatile fault = NULL;

	if (!ConditionalLockRelationOid(relid, AccessShareLock))
		PG_RETURN_NULL();

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		check_trigger_of(relid, NameStr(*PG_GETARG_NAME(1)));
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(mcxt);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED)
			ReThrowError(error);
		if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
			fault = cstring_to_text(error->message);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(mcxt);
	CurrentResourceOwner = owner;
	UnlockRelationOid(relid, AccessShareLock);

	if (fault == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(fault);
}
