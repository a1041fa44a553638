/*
 * trigger.c
 *		What all triggers have in common: being attached as they must.
 */
#include "core/core.h"

#include "catalog/namespace.h"
#include "catalog/pg_trigger.h"
#include "utils/lsyscache.h"

/* Raises 39P01 unless the function called "name" was called as a trigger. */
void
steward_check_trigger(FunctionCallInfo fcinfo, const char *name)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by trigger manager", name)));
}

/*
 * Raises 39P01 unless the function called "name" fires BEFORE, for each row, and
 * for nothing but "events", bits of TRIGGER_TYPE_EVENT_MASK that "wanted" puts
 * in words.  "enable" is the command that attaches it right, with %s for the table.
 */
void
steward_check_before_row(FunctionCallInfo fcinfo, const char *name, int16 events,
						 const char *wanted, const char *enable)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	int16		type;
	bool		before_row;
	char	   *command;

	steward_check_trigger(fcinfo, name);
	type = trigdata->tg_trigger->tgtype;
	before_row = TRIGGER_FOR_ROW(type) && TRIGGER_FOR_BEFORE(type);
	if (before_row && (type & TRIGGER_TYPE_EVENT_MASK & ~events) == 0)
		return;

	command = psprintf(enable, steward_relation_literal(trigdata->tg_relation));
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 before_row ? errmsg("function \"%s\" must be fired for %s", name, wanted) :
			 errmsg("function \"%s\" must be fired BEFORE ROW", name),
			 errhint("Drop trigger \"%s\", then: %s", trigdata->tg_trigger->tgname, command)));
}

/* Reads a trigger's arguments for the length of a statement, and keeps what they say for its other rows. */
void *
steward_begin_statement(FunctionCallInfo fcinfo, void *(*parse) (Relation rel, Trigger *trigger))
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

	fcinfo->flinfo->fn_extra = parse(trigdata->tg_relation, trigdata->tg_trigger);
	MemoryContextSwitchTo(old);
	return fcinfo->flinfo->fn_extra;
}

/* Tells whether a trigger fires in this session. */
bool
steward_trigger_fires(Trigger *trigger)
{
	if (SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA)
		return trigger->tgenabled == TRIGGER_FIRES_ALWAYS || trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA;
	return trigger->tgenabled == TRIGGER_FIRES_ALWAYS || trigger->tgenabled == TRIGGER_FIRES_ON_ORIGIN;
}

/* Tells whether a trigger calls the function of that name in schema steward. */
bool
steward_trigger_calls(const Trigger *trigger, const char *function)
{
	char	   *name = get_func_name(trigger->tgfoid);

	return name != NULL && strcmp(name, function) == 0 &&
		get_func_namespace(trigger->tgfoid) == get_namespace_oid("steward", true);
}

/*
 * Returns a trigger for each row that calls the function of that name in schema
 * steward, NULL if the table has none; with "fires", one that does in this session.
 */
Trigger *
steward_find_trigger(Relation rel, const char *function, bool fires)
{
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];

		if (TRIGGER_FOR_ROW(trigger->tgtype) && (!fires || steward_trigger_fires(trigger)) &&
			steward_trigger_calls(trigger, function))
			return trigger;
	}
	return NULL;
}
