/*
 * append_only.c
 *		The trigger that lets nobody change or remove what is there.
 */
#include "upkeep/upkeep_internal.h"

/* Reads the trigger's arguments, and tells whether one of them allows the role at work; raises 22023 for what it cannot follow. */
static bool
is_allowed(Trigger *trigger)
{
	bool		allowed = false;

	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *value;
		char	   *option = steward_option(trigger->tgargs[i], &value);

		if (option == NULL || strcmp(option, "allow") != 0)
			steward_option_unknown("append_only", trigger->tgargs[i], "'allow=...'");
		allowed |= steward_role_allowed("append_only", value);
	}
	return allowed;
}

/* Raises what the trigger would raise for its arguments; there is nothing to keep of them. */
void *
steward_append_only_parse(Relation rel, Trigger *trigger)
{
	(void) is_allowed(trigger);
	return NULL;
}

/*
 * steward.append_only_trigger() returns trigger
 *
 * Refuses UPDATE, DELETE and TRUNCATE.  Attach it BEFORE UPDATE OR DELETE FOR
 * EACH ROW, and BEFORE TRUNCATE FOR EACH STATEMENT.  Argument:
 *
 *	allow=...		roles that may all the same: see steward_role_allowed
 *
 * Raises 42501 for what it refuses, 39P01 when attached otherwise, and 22023 for
 * arguments it cannot follow.
 */
PG_FUNCTION_INFO_V1(steward_append_only_trigger);
Datum
steward_append_only_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Relation	rel;
	TriggerEvent event;

	steward_check_trigger(fcinfo, "steward.append_only_trigger");
	rel = trigdata->tg_relation;
	event = trigdata->tg_event;
	if (!TRIGGER_FIRED_BEFORE(event) || TRIGGER_FIRED_BY_INSERT(event) ||
		!(TRIGGER_FIRED_FOR_ROW(event) || TRIGGER_FIRED_BY_TRUNCATE(event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired BEFORE UPDATE or DELETE for each row, or BEFORE TRUNCATE",
						"steward.append_only_trigger"),
				 errhint("Drop trigger \"%s\", then: SELECT steward.append_only_enable(%s);",
						 trigdata->tg_trigger->tgname, steward_relation_literal(rel))));

	if (!is_allowed(trigdata->tg_trigger))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("cannot %s append-only table \"%s\"",
						TRIGGER_FIRED_BY_UPDATE(event) ? "UPDATE" :
						TRIGGER_FIRED_BY_DELETE(event) ? "DELETE from" : "TRUNCATE",
						RelationGetRelationName(rel)),
				 errhint(trigdata->tg_trigger->tgnargs == 0 ?
						 "Insert a row that corrects what is there." :
						 "Insert a row that corrects what is there, or SET ROLE to one that the trigger's option \"allow\" names."),
				 errtable(rel)));

	if (TRIGGER_FIRED_BY_TRUNCATE(event))
		return PointerGetDatum(NULL);
	return PointerGetDatum(TRIGGER_FIRED_BY_UPDATE(event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple);
}
