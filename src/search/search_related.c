/*
 * search_related.c
 *		Words of rows that refer to a row: the posts' vectors have those of their
 *		comments.
 *
 * The vector of a row is made by the search_vector trigger of its table, which
 * reads the related rows.  When these are written, the rows that they refer to
 * are to have their vectors made anew.  That waits until the transaction commits:
 * then each is written once, however many of its related rows were, and all in
 * the same order, so that two such transactions do not wait for each other.
 *
 * A related table has these triggers, which are constraint triggers "FROM" the
 * other table because the server follows that one wherever it is moved:
 *
 *		steward_note_...	AFTER ROW: notes which rows are concerned
 *		steward_refresh_...	the same, deferred: has their vectors made
 *		steward_truncated	AFTER TRUNCATE: has all vectors made
 */
#include "search/search_internal.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* A row whose vectors are to be made anew before the transaction commits. */
typedef struct DueRow
{
	char	   *name;			/* hash key, and the order in which they are
								 * made */
	Oid			table;
	Oid			related;
	Oid			constraint;
	int			nkeys;
	Oid		   *types;
	Datum	   *values;
} DueRow;

/* What the rows of a related table have to do with rows of another. */
typedef struct Link
{
	Related    *related;
	AttrNumber	source;			/* columns of the table at hand */
	AttrNumber	keys[INDEX_MAX_KEYS];
	PinnedOutput outputs[INDEX_MAX_KEYS];
} Link;

/* What a statement knows of a steward_note_... trigger. */
typedef struct Notes
{
	Oid			table;			/* whose vectors are concerned */
	List	   *links;
	List	   *order;			/* columns whose values say which row comes
								 * first */
} Notes;

static HTAB *due = NULL;

/* Returns what the search_vector triggers of a table say that name a related one; of one foreign key, unless that is 0. */
static List *
vectors_with(Relation parent, Oid table, Oid constraint)
{
	List	   *found = NIL;

	for (int i = 0; parent->trigdesc != NULL && i < parent->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &parent->trigdesc->triggers[i];
		SearchVector *vector;

		if (!TRIGGER_FOR_ROW(trigger->tgtype) || !steward_trigger_calls(trigger, "search_vector_trigger"))
			continue;
		vector = steward_search_parse(parent, trigger);
		for (int j = 0; j < vector->nsources; j++)
		{
			Related    *related = vector->sources[j].related;

			if (related != NULL && related->table == table &&
				(!OidIsValid(constraint) || related->constraint == constraint))
			{
				found = lappend(found, vector);
				break;
			}
		}
	}
	return found;
}

/* Reads which columns of a table, or of a partition of it, a vector is concerned with. */
static void
add_links(Notes *notes, SearchVector *vector, Relation rel, Oid table)
{
	for (int i = 0; i < vector->nsources; i++)
	{
		Source	   *source = &vector->sources[i];
		Link	   *link;

		if (source->related == NULL || source->related->table != table)
			continue;
		link = palloc0(sizeof(Link));
		link->related = source->related;
		link->source = get_attnum(RelationGetRelid(rel), get_attname(table, source->attnum, false));
		for (int j = 0; j < link->related->nkeys; j++)
		{
			link->keys[j] = get_attnum(RelationGetRelid(rel), get_attname(table, link->related->columns[j], false));
			steward_pinned_output_init(&link->outputs[j], getBaseType(link->related->column_types[j]),
									   CurrentMemoryContext);
		}
		notes->links = lappend(notes->links, link);
	}
}

/* Reads what a related table's trigger has to note; raises 22023 for arguments and 39P01 if it is not FROM a table. */
static void *
parse_notes(Relation rel, Trigger *trigger)
{
	Notes	   *notes = palloc0(sizeof(Notes));
	Oid			table = steward_search_root(rel);
	Relation	parent;
	Bitmapset  *key;
	int			i = -1;
	ListCell   *lc;

	if (trigger->tgnargs > 0)
		steward_option_unknown("search_related", trigger->tgargs[0], "for the search_vector trigger only");
	if (!OidIsValid(trigger->tgconstrrelid))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" does not say whose vectors it is for", trigger->tgname),
				 errhint("Drop it, and CALL steward.search_enable() for the table that has the vectors.")));
	notes->table = trigger->tgconstrrelid;
	parent = table_open(notes->table, AccessShareLock);
	foreach(lc, vectors_with(parent, table, InvalidOid))
	{
		add_links(notes, lfirst(lc), rel, table);
	}
	table_close(parent, AccessShareLock);

	key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	while ((i = bms_next_member(key, i)) >= 0)
		notes->order = lappend_int(notes->order, i + FirstLowInvalidHeapAttributeNumber);
	return notes;
}

/* Raises what the triggers of a related table would raise. */
void *
steward_search_related_parse(Relation rel, Trigger *trigger)
{
	return TRIGGER_FOR_ROW(trigger->tgtype) ? parse_notes(rel, trigger) : NULL;
}

static uint32
hash_name(const void *key, Size size)
{
	const char *name = *(char *const *) key;

	return hash_bytes((const unsigned char *) name, strlen(name));
}

static int
compare_names(const void *a, const void *b, Size size)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Notes the row that a row refers to, if it does. */
static void
note(Notes *notes, Link *link, TupleDesc desc, HeapTuple row)
{
	StringInfoData name;
	Datum		values[INDEX_MAX_KEYS];
	DueRow	   *entry;
	MemoryContext old;

	initStringInfo(&name);
	appendStringInfo(&name, "%010u", notes->table);
	for (int i = 0; i < link->related->nkeys; i++)
	{
		bool		isnull;
		char	   *text;

		values[i] = heap_getattr(row, link->keys[i], desc, &isnull);
		if (isnull)
			return;
		text = steward_pinned_output(&link->outputs[i], values[i]);
		/* whatever blanks are in it */
		appendStringInfo(&name, " %zu %s", strlen(text), text);
	}
	appendStringInfo(&name, " %u", link->related->constraint);

	if (due == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(char *),.entrysize = sizeof(DueRow),.hash = hash_name,
		.match = compare_names,.hcxt = TopTransactionContext};

		due = hash_create("steward search vectors due", 16, &control,
						  HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	}
	if (hash_search(due, &name.data, HASH_FIND, NULL) != NULL)
		return;
	old = MemoryContextSwitchTo(TopTransactionContext);
	name.data = pstrdup(name.data);
	entry = hash_search(due, &name.data, HASH_ENTER, NULL);
	entry->table = notes->table;
	entry->related = link->related->table;
	entry->constraint = link->related->constraint;
	entry->nkeys = link->related->nkeys;
	entry->types = palloc_array(Oid, entry->nkeys);
	entry->values = palloc_array(Datum, entry->nkeys);
	for (int i = 0; i < entry->nkeys; i++)
	{
		entry->types[i] = link->related->column_types[i];
		entry->values[i] = datumCopy(values[i], get_typbyval(entry->types[i]), get_typlen(entry->types[i]));
	}
	MemoryContextSwitchTo(old);
}

/* Notes the rows that a change of a related row concerns. */
static void
note_change(Notes *notes, TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	HeapTuple	row = trigdata->tg_trigtuple;
	bool		reordered = false;
	ListCell   *lc;

	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		foreach(lc, notes->order)
	{
		reordered |= steward_column_changed(desc, row, trigdata->tg_newtuple, lfirst_int(lc));
	}
	foreach(lc, notes->links)
	{
		Link	   *link = lfirst(lc);
		bool		moved = false;

		if (!TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
		{
			note(notes, link, desc, row);
			continue;
		}
		for (int i = 0; i < link->related->nkeys; i++)
			moved |= steward_column_changed(desc, row, trigdata->tg_newtuple, link->keys[i]);
		if (moved)
			note(notes, link, desc, row);
		if (moved || reordered || steward_column_changed(desc, row, trigdata->tg_newtuple, link->source))
			note(notes, link, desc, trigdata->tg_newtuple);
	}
}

/* Returns the UPDATE that has vectors made anew, of a row by its foreign key or of all rows; NULL if there are none. */
static char *
refresh_command(Relation parent, Oid table, Oid constraint)
{
	List	   *vectors = vectors_with(parent, table, constraint);
	StringInfoData command;
	ListCell   *lc;

	/* without the trigger the vectors would be gone, and not made anew */
	if (vectors == NIL || steward_find_trigger(parent, "search_vector_trigger", true) == NULL)
		return NULL;
	initStringInfo(&command);
	appendStringInfo(&command, "UPDATE %s SET ", steward_search_from(parent));
	foreach(lc, vectors)
	{
		SearchVector *vector = lfirst(lc);

		appendStringInfo(&command, "%s%s = NULL", lc == list_head(vectors) ? "" : ", ",
						 quote_identifier(get_attname(RelationGetRelid(parent), vector->attnum, false)));
	}
	if (OidIsValid(constraint))
	{
		SearchVector *vector = linitial(vectors);
		int			i = 0;

		while (vector->sources[i].related == NULL || vector->sources[i].related->constraint != constraint)
			i++;
		steward_search_condition(&command, RelationGetRelid(parent), vector->sources[i].related->referenced,
								 vector->sources[i].related, false);
	}
	return command.data;
}

/*
 * Has the vectors made anew of a row that is due; of all rows if ALTER TABLE has made
 * the foreign key anew since, perhaps for keys of another type.
 */
static void
refresh_row(DueRow *row)
{
	Relation	parent = try_table_open(row->table, RowExclusiveLock);
	bool		is_there = SearchSysCacheExists1(CONSTROID, ObjectIdGetDatum(row->constraint));
	char	   *command;

	if (parent == NULL)
		return;
	command = refresh_command(parent, row->related, is_there ? row->constraint : InvalidOid);
	if (command != NULL)
		steward_search_run(parent->rd_rel->relowner, command, is_there ? row->nkeys : 0, row->types, row->values);
	table_close(parent, NoLock);
}

static int
compare_due_rows(const void *a, const void *b)
{
	return strcmp((*(DueRow *const *) a)->name, (*(DueRow *const *) b)->name);
}

/*
 * Has the vectors made anew of all rows that are due.  In a savepoint, which may
 * be rolled back, they stay due: to make a vector twice does no harm.
 */
static void
refresh_due_rows(void)
{
	HTAB	   *rows = due;
	DueRow	  **sorted;
	int			n = 0;
	HASH_SEQ_STATUS status;
	DueRow	   *row;

	if (rows == NULL)
		return;
	if (GetCurrentTransactionNestLevel() == 1)
		due = NULL;
	sorted = palloc_array(DueRow *, hash_get_num_entries(rows) + 1);
	hash_seq_init(&status, rows);
	while ((row = hash_seq_search(&status)) != NULL)
		sorted[n++] = row;
	qsort(sorted, n, sizeof(DueRow *), compare_due_rows);

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		refresh_row(sorted[i]);
	}
	SPI_finish();
	pfree(sorted);
	if (due != rows)
		hash_destroy(rows);
}

/* Has all vectors made anew that may have words of a table whose rows are gone. */
static void
refresh_all(Relation rel)
{
	List	   *done = NIL;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	for (int i = 0; i < rel->trigdesc->numtriggers; i++)
	{
		Trigger    *trigger = &rel->trigdesc->triggers[i];
		Relation	parent;
		char	   *command;

		if (!OidIsValid(trigger->tgconstrrelid) || list_member_oid(done, trigger->tgconstrrelid) ||
			!steward_trigger_calls(trigger, "search_related_trigger"))
			continue;
		done = lappend_oid(done, trigger->tgconstrrelid);
		parent = table_open(trigger->tgconstrrelid, RowExclusiveLock);
		command = refresh_command(parent, steward_search_root(rel), InvalidOid);
		if (command != NULL)
			steward_search_run(parent->rd_rel->relowner, command, 0, NULL, NULL);
		table_close(parent, NoLock);
	}
	SPI_finish();
}

/* What is due is so for this transaction only. */
void
steward_search_xact_event(XactEvent event)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		due = NULL;
}

/*
 * steward.search_related_trigger() returns trigger
 *
 * Keeps the search vectors of rows that the rows of a table refer to.  There are
 * no arguments: what is to be kept stands in those of the other table's
 * search_vector trigger.  search_enable() attaches it as is described above.
 *
 * Raises 39P01 when attached otherwise, 22023 for arguments, and what the search_vector trigger of the
 * other table raises for its arguments.
 */
PG_FUNCTION_INFO_V1(steward_search_related_trigger);
Datum
steward_search_related_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Notes	   *notes = fcinfo->flinfo->fn_extra;

	steward_check_trigger(fcinfo, "steward.search_related_trigger");
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		(!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) && !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired AFTER ROW, or AFTER TRUNCATE", "steward.search_related_trigger"),
				 errhint("Drop trigger \"%s\", and CALL steward.search_enable() for the table that has the vectors.",
						 trigdata->tg_trigger->tgname)));
	if (TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		refresh_all(trigdata->tg_relation);
	else if (trigdata->tg_trigger->tgdeferrable)
		refresh_due_rows();
	else
	{
		if (notes == NULL)
			notes = steward_begin_statement(fcinfo, parse_notes);
		note_change(notes, trigdata);
	}
	return PointerGetDatum(NULL);
}
