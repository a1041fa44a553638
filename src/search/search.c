/*
 * search.c
 *		The trigger that keeps a search vector, and parses text only where text
 *		changed.
 */
#include "search/search_internal.h"

#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_ts_config.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/*
 * Returns the text search configuration of a name, InvalidOid if there is none.
 * A name without a schema is looked for in pg_catalog and then in the table's
 * schema, never in the search path: what is stored must not depend on who stores
 * it.
 */
Oid
steward_search_find_config(Relation rel, const char *name)
{
	Oid			schemas[2] = {PG_CATALOG_NAMESPACE, RelationGetNamespace(rel)};
	List	   *names;
	Oid			config = InvalidOid;

	if (!SplitIdentifierString(pstrdup(name), '.', &names) || names == NIL || list_length(names) > 2)
		return InvalidOid;
	if (list_length(names) == 2)
		schemas[0] = schemas[1] = get_namespace_oid(linitial(names), true);
	for (int i = 0; i < lengthof(schemas) && !OidIsValid(config); i++)
		config = GetSysCacheOid2(TSCONFIGNAMENSP, Anum_pg_ts_config_oid,
								 CStringGetDatum(llast(names)), ObjectIdGetDatum(schemas[i]));
	return config;
}

/* Raises 22023 for an argument that is not a source. */
pg_noreturn static void
invalid_source(const char *argument, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid source of the search_vector trigger: \"%s\"", argument),
			 errdetail_internal("%s", detail),
			 errhint("Write a column, then a path if it holds json, then a weight from A to D: 'title:A' or 'metadata#>{seo,title}:B'.")));
}

/*
 * Reads a source: column[#>{path}][:weight].  Raises 22023, 42703 or 42804 for
 * what is none.
 */
static void
parse_source(Relation rel, const char *argument, Source *source)
{
	char	   *name = pstrdup(argument);
	char	   *end = name;
	char	   *weight;
	char	   *path;
	Form_pg_attribute att;
	Oid			type;

	/*
	 * the column ends where its closing quote is, or at the first sign of
	 * what may follow
	 */
	if (*end == '"')
	{
		for (end++; *end != '\0' && (*end != '"' || *++end == '"'); end++)
			;
	}
	else
		end += strcspn(end, "#:");

	path = strncmp(end, "#>", 2) == 0 ? end + 2 : NULL;
	if (path != NULL && *path != '{')
		invalid_source(argument, "The path has no opening brace.");
	weight = path == NULL ? end : strrchr(path, '}');
	if (weight == NULL)
		invalid_source(argument, "The path has no closing brace.");
	if (path != NULL)
		weight++;
	if (*weight == ':')
	{
		source->weight = pg_toupper((unsigned char) weight[1]);
		if (source->weight < 'A' || source->weight > 'D' || weight[2] != '\0')
			invalid_source(argument, psprintf("Weight \"%s\" is not A, B, C or D.", weight + 1));
	}
	else if (*weight != '\0')
		invalid_source(argument, psprintf("\"%s\" is neither a path nor a weight.", weight));
	*weight = '\0';

	if (path != NULL)
		source->path = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, path, TEXTOID, -1));
	*end = '\0';

	source->attnum = steward_option_column(rel, "search_vector", name);
	att = TupleDescAttr(RelationGetDescr(rel), source->attnum - 1);
	type = getBaseType(att->atttypid);
	if (type == TSVECTOROID)
		invalid_source(argument, "The column is a search vector itself.");
	source->element = get_element_type(type);
	if (type == TEXTOID || type == VARCHAROID || type == BPCHAROID)
		source->kind = SOURCE_TEXT;
	else if (type == JSONOID)
		source->kind = SOURCE_JSON;
	else if (type == JSONBOID)
		source->kind = SOURCE_JSONB;
	else if (OidIsValid(source->element))
	{
		source->kind = SOURCE_ARRAY;
		get_typlenbyvalalign(source->element, &source->element_len, &source->element_byval,
							 &source->element_align);
		source->element_is_text = source->element == TEXTOID || source->element == VARCHAROID;
		steward_pinned_output_init(&source->output, source->element, CurrentMemoryContext);
	}
	else
	{
		source->kind = SOURCE_OTHER;
		steward_pinned_output_init(&source->output, type, CurrentMemoryContext);
	}
	if (path != NULL && !steward_source_is_json(source))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has a path but is of type %s", NameStr(att->attname),
						format_type_be(att->atttypid)),
				 errhint("A path leads into json or jsonb."),
				 errtable(rel)));
}

/* Raises 42704 if the trigger's configuration does not exist. */
void
steward_search_require_config(SearchVector *state, Relation rel)
{
	if (!OidIsValid(state->config))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("text search configuration \"%s\" does not exist", state->config_name),
				 errhint("Name one that \\dF lists, with its schema unless that is pg_catalog or the table's."),
				 errtable(rel)));
}

/*
 * Reads the trigger's arguments; raises 22023, 42703 or 42804 for what it cannot
 * follow, but not for a configuration that was dropped: rows whose vectors stay
 * as they are do without.
 */
static void *
parse_arguments(Relation rel, Trigger *trigger)
{
	SearchVector *state = palloc0(sizeof(SearchVector));
	Form_pg_attribute att;

	state->sources = palloc0(Max(trigger->tgnargs, 1) * sizeof(Source));
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *value;
		char	   *option = steward_option(trigger->tgargs[i], &value);

		if (option == NULL && state->attnum == InvalidAttrNumber)
			state->attnum = steward_option_column(rel, "search_vector", value);
		else if (option == NULL)
			parse_source(rel, value, &state->sources[state->nsources++]);
		else if (strcmp(option, "config") == 0)
		{
			steward_option_once("search_vector", option, state->config_name != NULL);
			state->config_name = value;
			state->config = steward_search_find_config(rel, value);
		}
		else if (strcmp(option, "config_column") == 0)
		{
			steward_option_once("search_vector", option, state->config_attnum != InvalidAttrNumber);
			state->config_attnum = steward_option_column(rel, "search_vector", value);
		}
		else if (strcmp(option, "long_texts") == 0)
		{
			static const char *const choices[] = {"refuse", "cut", NULL};

			state->cut = steward_option_choice("search_vector", option, value, choices) == 1;
		}
		else if (strcmp(option, "refill") == 0)
			state->refill = true;
		else
			steward_option_unknown("search_vector", trigger->tgargs[i],
								   "the vector's column, the sources, 'config=...', 'config_column=...' and 'long_texts=...'");
	}

	if (state->nsources == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no column to search in", trigger->tgname),
				 errhint("Name the vector's column, then the sources: steward.search_vector_trigger('search_vector', 'title:A', 'content:B', 'config=english').")));
	if (state->config_name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trigger \"%s\" names no text search configuration", trigger->tgname),
				 errhint("Add an argument such as 'config=english'; with config_column it is for rows that name none.")));

	att = TupleDescAttr(RelationGetDescr(rel), state->attnum - 1);
	if (att->atttypid != TSVECTOROID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of the search_vector trigger is of type %s",
						NameStr(att->attname), format_type_be(att->atttypid)),
				 errhint("Its type must be tsvector."),
				 errtable(rel)));

	if (state->config_attnum != InvalidAttrNumber)
	{
		Oid			type = getBaseType(TupleDescAttr(RelationGetDescr(rel), state->config_attnum - 1)->atttypid);

		state->config_is_oid = type == REGCONFIGOID;
		steward_pinned_output_init(&state->config_output, type, CurrentMemoryContext);
	}
	return state;
}

/* Raises what the trigger would raise for its arguments. */
void *
steward_search_vector_parse(Relation rel, Trigger *trigger)
{
	SearchVector *state = parse_arguments(rel, trigger);

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
		if (steward_column_changed(desc, old_row, row, state->sources[i].attnum))
			return false;
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
		state = steward_begin_statement(fcinfo, parse_arguments);
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
