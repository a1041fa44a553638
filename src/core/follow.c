/*
 * follow.c
 *		Has the arguments of triggers follow the columns that they name.
 *
 * To the server they are text.  They are rewritten where a column is renamed or
 * dropped, so that dumps have the right ones, too.
 */
#include "core/core.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/event_trigger.h"
#include "nodes/bitmapset.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* A column that is about to have another name, or none. */
typedef struct Change
{
	Oid			relid;
	AttrNumber	attnum;
	const char *name;
	const char *new_name;		/* NULL: the column is dropped */
} Change;

/* Tells whether an option of some trigger has a list of columns. */
static bool
lists_columns(const char *option)
{
	static const char *const options[] = {"exclude", "include", "redact", "ignore", "keep", "by"};

	for (int i = 0; i < lengthof(options); i++)
		if (strcmp(option, options[i]) == 0)
			return true;
	return false;
}

/* Appends to a list of columns, separated by commas. */
static void
append_column(StringInfo list, const char *name)
{
	appendStringInfo(list, "%s%s", list->len > 0 ? "," : "", quote_identifier(name));
}

/* Appends the columns of a table's primary key. */
static void
append_key(StringInfo list, Oid relid)
{
	Relation	rel = table_open(relid, AccessShareLock);
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	int			i = -1;

	while ((i = bms_next_member(key, i)) >= 0)
		append_column(list, get_attname(relid, i + FirstLowInvalidHeapAttributeNumber, false));
	table_close(rel, AccessShareLock);
}

/*
 * Returns "option=value", which lists columns, after the change; NULL if it names
 * none any more.  A list of all that is wanted cannot be left out, for that
 * means everything: it goes on with the key, which is recorded anyway.
 */
static char *
follow_in_list(const Change *change, char *argument, const char *option, const char *value)
{
	StringInfoData list;
	List	   *names;
	ListCell   *lc;
	bool		found = false;

	initStringInfo(&list);
	if (!SplitIdentifierString(pstrdup(value), ',', &names))
		return argument;
	foreach(lc, names)
	{
		if (strcmp(lfirst(lc), change->name) != 0)
			append_column(&list, lfirst(lc));
		else
		{
			found = true;
			if (change->new_name != NULL)
				append_column(&list, change->new_name);
		}
	}
	if (!found)
		return argument;
	if (list.len == 0 && strcmp(option, "include") == 0)
	{
		append_key(&list, change->relid);
		if (list.len == 0)
			return argument;
	}
	return list.len > 0 ? psprintf("%s=%s", option, list.data) : NULL;
}

/*
 * Returns how much of an argument names the column that changes, 0 if it is about
 * another.  Behind the name may stand what is to be searched in it.
 */
static size_t
length_of_column(const Change *change, const char *value)
{
	size_t		length = strlen(value);

	if (steward_find_column(change->relid, value) == change->attnum)
		return length;
	if (value[0] == '"')
		length = strrchr(value, '"') - value + 1;
	else
		length = strcspn(value, "#:");
	return steward_find_column(change->relid, pnstrdup(value, length)) == change->attnum ? length : 0;
}

/*
 * Returns an argument that is a column, or what is to be searched in one, after
 * the change.  Without its column the trigger cannot work: the warning after the
 * command says so.
 */
static char *
follow_in_column(const Change *change, char *argument, const char *option, const char *value)
{
	size_t		length = change->new_name != NULL ? length_of_column(change, value) : 0;

	if (length == 0)
		return argument;
	return psprintf("%s%s%s%s", option != NULL ? option : "", option != NULL ? "=" : "",
					quote_identifier(change->new_name), value + length);
}

/* Returns an argument after the change; the same if it is not concerned, and NULL if nothing is left of it. */
static char *
follow_in_argument(const Change *change, char *argument)
{
	char	   *value;
	char	   *option = steward_option(argument, &value);

	if (option == NULL || strcmp(option, "config_column") == 0)
		return follow_in_column(change, argument, option, value);
	if (lists_columns(option))
		return follow_in_list(change, argument, option, value);
	return argument;
}

/*
 * Takes a dropped column out of the arguments of a trigger that names several, as
 * long as another one is left: immutable columns, and the sources of a search
 * vector, which come behind its column.
 */
static List *
without_dropped_column(const Change *change, const char *function, List *arguments)
{
	List	   *left = NIL;
	ListCell   *lc;
	int			nleft = 0;
	bool		is_first = strcmp(function, "search_vector_trigger") == 0;

	if (change->new_name != NULL || (!is_first && strcmp(function, "immutable_trigger") != 0))
		return arguments;
	foreach(lc, arguments)
	{
		char	   *value;

		if (steward_option(lfirst(lc), &value) == NULL)
		{
			if (!is_first && length_of_column(change, value) > 0)
				continue;
			nleft += !is_first;
			is_first = false;
		}
		left = lappend(left, lfirst(lc));
	}
	return nleft > 0 ? left : arguments;
}

/* Rewrites the arguments of one trigger, if the change concerns them; returns whether it does. */
static bool
follow_in_trigger(const Change *change, Relation triggers, HeapTuple trigger)
{
	Datum		values[Natts_pg_trigger];
	bool		isnull[Natts_pg_trigger];
	bool		replace[Natts_pg_trigger] = {false};
	StringInfoData arguments;
	int16		narguments = 0;
	List	   *stored;
	List	   *left;
	bool		changed;
	ListCell   *lc;

	heap_deform_tuple(trigger, RelationGetDescr(triggers), values, isnull);
	initStringInfo(&arguments);
	stored = steward_stored_arguments(DatumGetByteaPP(values[Anum_pg_trigger_tgargs - 1]));
	left = without_dropped_column(change, get_func_name(((Form_pg_trigger) GETSTRUCT(trigger))->tgfoid), stored);
	changed = list_length(left) < list_length(stored);
	foreach(lc, left)
	{
		char	   *argument = follow_in_argument(change, lfirst(lc));

		changed |= argument != lfirst(lc);
		if (argument == NULL)
			continue;
		narguments++;
		appendBinaryStringInfo(&arguments, argument, strlen(argument) + 1);
	}
	if (!changed)
		return false;

	values[Anum_pg_trigger_tgnargs - 1] = Int16GetDatum(narguments);
	values[Anum_pg_trigger_tgargs - 1] =
		PointerGetDatum(cstring_to_text_with_len(arguments.data, arguments.len));
	replace[Anum_pg_trigger_tgnargs - 1] = replace[Anum_pg_trigger_tgargs - 1] = true;
	trigger = heap_modify_tuple(trigger, RelationGetDescr(triggers), values, isnull, replace);
	CatalogTupleUpdate(triggers, &trigger->t_self, trigger);
	return true;
}

/* Has the triggers of pg_steward on a table follow a change of one of its columns. */
static void
follow_column(const Change *change)
{
	Oid			steward = get_namespace_oid("steward", true);
	Relation	triggers;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	trigger;
	bool		changed = false;

	if (!OidIsValid(steward))
		return;
	ScanKeyInit(&key, Anum_pg_trigger_tgrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(change->relid));
	triggers = table_open(TriggerRelationId, RowExclusiveLock);
	scan = systable_beginscan(triggers, TriggerRelidNameIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(trigger = systable_getnext(scan)))
		if (get_func_namespace(((Form_pg_trigger) GETSTRUCT(trigger))->tgfoid) == steward)
			changed |= follow_in_trigger(change, triggers, trigger);
	systable_endscan(scan);
	table_close(triggers, RowExclusiveLock);
	if (changed)
		CacheInvalidateRelcacheByRelid(change->relid);
}

/* Returns the name that the present command has given to a column. */
static char *
new_column_name(Oid relid, AttrNumber attnum)
{
	Relation	attributes = table_open(AttributeRelationId, AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	attribute;
	char	   *name = NULL;

	ScanKeyInit(&keys[0], Anum_pg_attribute_attrelid, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], Anum_pg_attribute_attnum, BTEqualStrategyNumber, F_INT2EQ, Int16GetDatum(attnum));
	scan = systable_beginscan(attributes, AttributeRelidNumIndexId, true, SnapshotSelf, 2, keys);
	attribute = systable_getnext(scan);
	if (HeapTupleIsValid(attribute))
		name = pstrdup(NameStr(((Form_pg_attribute) GETSTRUCT(attribute))->attname));
	systable_endscan(scan);
	table_close(attributes, AccessShareLock);
	return name;
}

/*
 * Looks at each column that is altered or dropped.  The catalogs as one reads them
 * still have it as it was.
 */
void
steward_follow_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	Change		change = {.relid = object,.attnum = column};

	if (class != RelationRelationId || column <= 0 || (access != OAT_POST_ALTER && access != OAT_DROP) ||
		(get_rel_relkind(object) != RELKIND_RELATION && get_rel_relkind(object) != RELKIND_PARTITIONED_TABLE))
		return;
	change.name = get_attname(object, column, true);
	if (change.name == NULL)
		return;
	if (access == OAT_POST_ALTER)
	{
		change.new_name = new_column_name(object, column);
		if (change.new_name == NULL || strcmp(change.name, change.new_name) == 0)
			return;
	}
	follow_column(&change);
}

/*
 * steward_internal.watch_ddl() returns event_trigger
 *
 * Does nothing.  That it is called before a command which may rename or drop
 * something loads the library into the session, so that it hears of it.
 */
PG_FUNCTION_INFO_V1(steward_watch_ddl);
Datum
steward_watch_ddl(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" was not called by event trigger manager",
						"steward_internal.watch_ddl")));
	PG_RETURN_VOID();
}
