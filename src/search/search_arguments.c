/*
 * search_arguments.c
 *		What the arguments of a search_vector trigger say.
 */
#include "search/search_internal.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_namespace.h"
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
			 errhint("Write a column, then a path if it holds json, then a weight from A to D, then, if it is another table's, the columns that refer here: 'title:A', 'metadata#>{seo,title}:B' or 'comments.body:C by post_id'.")));
}

/* A source as it is written. */
typedef struct WrittenSource
{
	char	   *table;			/* NULL: the table itself */
	char	   *column;
	char	   *path;
	char		weight;
	char	   *by;
} WrittenSource;

/* Returns where the columns by which another table refers here begin, after " by ", or NULL. */
static char *
find_by(char *argument)
{
	bool		quoted = false;
	int			depth = 0;

	for (char *p = argument; *p != '\0'; p++)
	{
		if (*p == '\\' && depth > 0 && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '{')
			depth++;
		else if (!quoted && *p == '}')
			depth--;
		else if (!quoted && depth == 0 && strncmp(p, " by ", 4) == 0)
			return p;
	}
	return NULL;
}

/* Returns the end of the name at p: its closing quote, or the first of some characters that may follow it. */
static char *
end_of_name(char *p, const char *following)
{
	if (*p != '"')
		return p + strcspn(p, following);
	for (p++; *p != '\0' && (*p != '"' || *++p == '"'); p++)
		;
	return p;
}

/*
 * Takes a source apart: column[#>{path}][:weight], or the same of another table,
 * [[schema.]table.]column[#>{path}][:weight] by column,...  Raises 22023 for what is
 * neither.
 */
static WrittenSource
split_source(Oid relid, const char *argument)
{
	WrittenSource source = {.column = pstrdup(argument)};
	char	   *by = find_by(source.column);
	char	   *end = end_of_name(source.column, "#:");
	char	   *dot = NULL;
	char	   *weight;

	if (by != NULL &&
		steward_find_column(relid, pnstrdup(source.column, end - source.column)) == InvalidAttrNumber)
	{
		source.by = by + strlen(" by ");
		*by = '\0';
		for (end = end_of_name(source.column, ".#:"); *end == '.'; end = end_of_name(end + 1, ".#:"))
			dot = end;
		if (dot == NULL)
			invalid_source(argument, "There is no dot between a table and its column.");
		source.table = pnstrdup(source.column, dot - source.column);
		source.column = dot + 1;
	}

	if (strncmp(end, "#>", 2) == 0)
		source.path = end + 2;
	if (source.path != NULL && *source.path != '{')
		invalid_source(argument, "The path has no opening brace.");
	weight = source.path == NULL ? end : strrchr(source.path, '}');
	if (weight == NULL)
		invalid_source(argument, "The path has no closing brace.");
	if (source.path != NULL)
		weight++;
	if (*weight == ':')
	{
		source.weight = pg_toupper((unsigned char) weight[1]);
		if (source.weight < 'A' || source.weight > 'D' || weight[2] != '\0')
			invalid_source(argument, psprintf("Weight \"%s\" is not A, B, C or D.", weight + 1));
	}
	else if (*weight != '\0')
		invalid_source(argument, psprintf("\"%s\" is neither a path nor a weight.", weight));
	*weight = '\0';
	*end = '\0';
	return source;
}

/*
 * Returns a column that is a source.  Related rows are read when those that are
 * generated have been.
 */
static AttrNumber
source_column(Relation rel, const WrittenSource *written)
{
	AttrNumber	attnum = written->table == NULL ? InvalidAttrNumber :
		steward_find_column(RelationGetRelid(rel), written->column);

	if (attnum != InvalidAttrNumber &&
		TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated == ATTRIBUTE_GENERATED_STORED)
		return attnum;
	return steward_option_column(rel, "search_vector", written->column);
}

/* Reads a source.  Raises 22023, 42703, 42804 or what steward_search_related() does for what is none. */
static void
parse_source(Relation rel, Trigger *trigger, const char *argument, Source *source)
{
	WrittenSource written = split_source(RelationGetRelid(rel), argument);
	Form_pg_attribute att;
	Oid			type;

	source->weight = written.weight;
	if (written.path != NULL)
		source->path = DatumGetArrayTypeP(OidInputFunctionCall(F_ARRAY_IN, written.path, TEXTOID, -1));
	if (written.table != NULL)
		source->related = steward_search_related(rel, trigger, written.table, written.by, &rel);
	source->attnum = source_column(rel, &written);
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
	if (written.path != NULL && !steward_source_is_json(source))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" has a path but is of type %s", NameStr(att->attname),
						format_type_be(att->atttypid)),
				 errhint("A path leads into json or jsonb."),
				 errtable(rel)));
	if (source->related != NULL)
	{
		steward_search_related_query(source->related, rel, source->attnum);
		table_close(rel, NoLock);
	}
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
void *
steward_search_parse(Relation rel, Trigger *trigger)
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
			parse_source(rel, trigger, value, &state->sources[state->nsources++]);
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

/*
 * steward_internal.search_related_table(relation regclass, argument text) returns regclass
 *
 * Returns the other table that an argument of a table's search_vector trigger
 * names, NULL if it names none or one that is not there.  It waits for no lock.
 * Raises 22023 for what is no source.
 */
PG_FUNCTION_INFO_V1(steward_search_related_table);
Datum
steward_search_related_table(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *value;
	Oid			table = InvalidOid;

	if (steward_option(text_to_cstring(PG_GETARG_TEXT_PP(1)), &value) == NULL && find_by(value) != NULL)
	{
		WrittenSource source = split_source(relid, value);

		if (source.table != NULL)
			table = steward_search_find_table(relid, source.table, true);
	}
	if (!OidIsValid(table))
		PG_RETURN_NULL();
	PG_RETURN_OID(table);
}
