/*
 * upkeep.c
 *		What the triggers that keep columns right have in common: the clock,
 *		and each other's columns.
 */
#include "upkeep/upkeep_internal.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "search/search.h"
#include "utils/varlena.h"

PG_FUNCTION_INFO_V1(steward_trigger_arguments);
PG_FUNCTION_INFO_V1(steward_trigger_column);
PG_FUNCTION_INFO_V1(steward_upkeep_check);

/* A trigger function, what reads its arguments, and whether it fills in the column that the first one names. */
typedef struct UpkeepTrigger
{
	const char *function;
	void	   *(*parse) (Relation rel, Trigger *trigger);
	bool		fills;
} UpkeepTrigger;

static const UpkeepTrigger upkeep_triggers[] = {
	{"updated_at_trigger", steward_updated_at_parse, true},
	{"row_version_trigger", steward_row_version_parse, true},
	{"search_vector_trigger", steward_search_vector_parse, true},
	{"soft_delete_trigger", steward_soft_delete_parse, false},
	{"soft_delete_cascade", steward_soft_delete_cascade_parse, false},
};

/* In the order of StampClock. */
const char *const steward_clocks[] = {"transaction", "statement", "wall", NULL};

/*
 * Finds out how to put the time into a column; raises 42804 unless it is a
 * timestamptz, timestamp or date.
 */
void
steward_stamp_init(Stamp *stamp, Relation rel, AttrNumber attnum, StampClock clock,
				   const char *kind)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);

	stamp->attnum = attnum;
	stamp->clock = clock;
	stamp->typmod = att->atttypmod;
	stamp->type = getBaseTypeAndTypmod(att->atttypid, &stamp->typmod);
	stamp->domain = stamp->type == att->atttypid ? InvalidOid : att->atttypid;
	if (stamp->type != TIMESTAMPTZOID && stamp->type != TIMESTAMPOID && stamp->type != DATEOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the %s trigger is of type %s",
						NameStr(att->attname), kind, format_type_be(att->atttypid)),
				 errhint("Its type must be timestamptz, timestamp or date."),
				 errtable(rel)));
}

/*
 * Returns the time as the column holds it.  A timestamp or date without time zone
 * is the session's, as with CURRENT_TIMESTAMP.
 */
Datum
steward_stamp_now(const Stamp *stamp)
{
	TimestampTz now;
	Datum		value;

	if (stamp->clock == CLOCK_TRANSACTION)
		now = GetCurrentTransactionStartTimestamp();
	else if (stamp->clock == CLOCK_STATEMENT)
		now = GetCurrentStatementStartTimestamp();
	else
		now = GetCurrentTimestamp();

	value = TimestampTzGetDatum(now);
	if (stamp->type == TIMESTAMPOID)
		value = DirectFunctionCall1(timestamptz_timestamp, value);
	else if (stamp->type == DATEOID)
		value = DirectFunctionCall1(timestamptz_date, value);
	if (stamp->typmod >= 0)
		value = DirectFunctionCall2(timestamptz_scale, value, Int32GetDatum(stamp->typmod));
	if (OidIsValid(stamp->domain))
		domain_check(value, false, stamp->domain, NULL, NULL);
	return value;
}

/* Returns what kind of upkeep trigger a trigger is; NULL if it is none. */
static const UpkeepTrigger *
find_kind(Trigger *trigger)
{
	char	   *function;

	if (get_func_namespace(trigger->tgfoid) != get_namespace_oid("steward", true))
		return NULL;
	function = get_func_name(trigger->tgfoid);
	for (int i = 0; function != NULL && i < lengthof(upkeep_triggers); i++)
		if (strcmp(function, upkeep_triggers[i].function) == 0)
			return &upkeep_triggers[i];
	return NULL;
}

/*
 * Returns an array with an element for each attribute: true for those whose
 * change is not the row's, because the server generates them or another upkeep
 * trigger sees to them: its first column, and those of its options "by" and
 * "keep".
 */
bool *
steward_upkept_columns(Relation rel, Trigger *self)
{
	TupleDesc	desc = RelationGetDescr(rel);
	TriggerDesc *triggers = rel->trigdesc;
	bool	   *upkept = palloc0(Max(desc->natts, 1) * sizeof(bool));

	for (int i = 0; i < desc->natts; i++)
		upkept[i] = TupleDescAttr(desc, i)->attisdropped || TupleDescAttr(desc, i)->attgenerated != '\0';

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		Trigger    *trigger = &triggers->triggers[i];
		const UpkeepTrigger *kind = find_kind(trigger);
		bool		first = true;

		if (trigger->tgoid == self->tgoid || trigger->tgnargs == 0 || !steward_trigger_fires(trigger) ||
			kind == NULL || !kind->fills)
			continue;
		for (int a = 0; a < trigger->tgnargs; a++)
		{
			char	   *value;
			char	   *option = steward_option(trigger->tgargs[a], &value);
			List	   *names = NIL;
			ListCell   *lc;

			if (option == NULL ? first : strcmp(option, "by") == 0)
				names = list_make1(value);
			else if (option != NULL && strcmp(option, "keep") == 0)
				(void) SplitIdentifierString(value, ',', &names);
			foreach(lc, names)
			{
				AttrNumber	attnum = steward_find_column(RelationGetRelid(rel), lfirst(lc));

				if (attnum != InvalidAttrNumber)
					upkept[attnum - 1] = true;
			}
			first &= option != NULL;
		}
	}
	return upkept;
}

/*
 * Tells whether "value", that of an option "allow", names the role at work.  It
 * has to be that very role: its members must SET ROLE, so that nobody, superusers
 * included, is allowed without meaning it.  In a foreign key's action, which runs
 * as the table's owner, the role counts that caused it.  Raises 22023 if the
 * value is no list.
 */
bool
steward_role_allowed(const char *kind, const char *value)
{
	Oid			role = InNoForceRLSOperation() ? GetOuterUserId() : GetUserId();
	List	   *names;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(value), ',', &names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list of roles in %s option \"allow\": \"%s\"", kind, value),
				 errhint("Separate role names by commas; quote names as in SQL.")));
	foreach(lc, names)
	{
		/* one that was dropped meanwhile allows nobody */
		if (get_role_oid(lfirst(lc), true) == role)
			return true;
	}
	return false;
}

/*
 * steward_internal.trigger_arguments(arguments bytea) returns text[]
 *
 * Returns the arguments of a trigger from pg_trigger.tgargs; raises 22023 for
 * bytes that are nothing of the kind.
 */
Datum
steward_trigger_arguments(PG_FUNCTION_ARGS)
{
	List	   *arguments = steward_stored_arguments(PG_GETARG_BYTEA_PP(0));
	ArrayBuildState *values = initArrayResult(TEXTOID, CurrentMemoryContext, false);
	ListCell   *lc;

	foreach(lc, arguments)
	{
		accumArrayResult(values, CStringGetTextDatum(lfirst(lc)), false, TEXTOID,
						 CurrentMemoryContext);
	}
	PG_RETURN_DATUM(makeArrayResult(values, CurrentMemoryContext));
}

/*
 * steward_internal.trigger_column(relation regclass, arguments bytea) returns name
 *
 * Returns the column that a trigger's first bare argument names, even if it is
 * gone, and NULL if there is no such argument.  It waits for no lock.  Raises 22023 as steward_internal.trigger_arguments() does.
 */
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
Datum
steward_upkeep_check(PG_FUNCTION_ARGS)
{
	Relation	rel = steward_open(PG_GETARG_OID(0));

	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		const UpkeepTrigger *kind = find_kind(trigger);

		if (kind != NULL)
			(void) kind->parse(rel, trigger);
	}
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}
