/*
 * search.c
 *		The trigger that keeps a search vector, and parses text only where text
 *		changed.
 */
#include "search/search_internal.h"

#include "catalog/pg_trigger.h"
#include "search/to_tsvector.h"

const StewardModule steward_search_module = {
	.init = steward_tsvector_init,
	.catalogs = steward_tsvector_catalogs,
	.catalog_changed = steward_tsvector_words_changed,
	.xact_event = steward_search_xact_event,
};

/* Raises what the trigger would raise for its arguments. */
void *
steward_search_vector_parse(Relation rel, Trigger *trigger)
{
	SearchVector *state = steward_search_parse(rel, trigger);

	steward_search_require_config(state, rel);
	return state;
}

/* Tells whether an UPDATE leaves a row's vector as it is, without parsing anything. */
static bool
is_unchanged(SearchVector *state, TupleDesc desc, HeapTuple old_row, HeapTuple row)
{
	if (state->refill || heap_attisnull(row, state->attnum, desc) ||
		steward_column_changed(desc, old_row, row, state->attnum) ||
		(state->config_attnum != InvalidAttrNumber &&
		 steward_column_changed(desc, old_row, row, state->config_attnum)))
		return false;
	for (int i = 0; i < state->nsources; i++)
	{
		const Source *source = &state->sources[i];

		if (source->related == NULL && steward_column_changed(desc, old_row, row, source->attnum))
			return false;
		for (int j = 0; source->related != NULL && j < source->related->nkeys; j++)
			if (steward_column_changed(desc, old_row, row, source->related->keys[j]))
				return false;
	}
	return true;
}

/*
 * steward.search_vector_trigger() returns trigger
 *
 * Keeps a column of type tsvector.  Attach it BEFORE INSERT OR UPDATE FOR EACH
 * ROW.  Arguments:
 *
 *	the vector's column
 *	column[#>{path}][:weight] ...
 *					the sources, in the order in which they follow each other;
 *					weights are A to D.  Arrays count with their elements, json
 *					with its string values, all of them or those under a path,
 *					and any other type as text that no setting changes
 *	[schema.]table.column[#>{path}][:weight] by column,...
 *					a source of another table, whose foreign key of these columns
 *					refers here: the values of all rows that do, in the order of
 *					their primary key
 *	config=...		the text search configuration, in pg_catalog or the table's
 *					schema, or with its schema
 *	config_column=...
 *					the column that names each row's own; where it is null or
 *					unknown the row gets that of "config", and a NOTICE says so
 *					once per session
 *
 *	long_texts=cut	texts that are too long for a vector are cut, and a WARNING says
 *					so; otherwise, or with "refuse", they are an error
 *
 *	refill=yes		set by search_enable() while rows may still have vectors of an
 *					earlier trigger: every UPDATE makes them anew
 *
 * An UPDATE parses text only if a source or the configuration changed, or the
 * vector is null or was set to something else: it cannot be forged, and setting
 * it to NULL makes it anew.
 *
 * Raises 39P01 when attached otherwise, 22023, 42703, 42704, 42804 and 0A000 for
 * arguments it cannot follow, 54000 for a text that is too long, and whatever
 * to_tsvector() does.
 */
PG_FUNCTION_INFO_V1(steward_search_vector_trigger);
Datum
steward_search_vector_trigger(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SearchVector *state = fcinfo->flinfo->fn_extra;
	Relation	rel;
	HeapTuple	row;

	if (state == NULL)
	{
		steward_check_before_row(fcinfo, "steward.search_vector_trigger",
								 TRIGGER_TYPE_INSERT | TRIGGER_TYPE_UPDATE, "INSERT or UPDATE",
								 "CALL steward.search_enable(%s, '{title:A}');");
		state = steward_begin_statement(fcinfo, steward_search_parse);
	}

	rel = trigdata->tg_relation;
	row = trigdata->tg_trigtuple;
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		row = trigdata->tg_newtuple;
		if (is_unchanged(state, RelationGetDescr(rel), trigdata->tg_trigtuple, row))
			return PointerGetDatum(row);
	}
	return PointerGetDatum(steward_row_set(trigdata, row, state->attnum,
										   TSVectorGetDatum(steward_search_row_vector(state, rel, row)), false));
}
