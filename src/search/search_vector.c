/*
 * search_vector.c
 *		The vector of a row: its texts, put together and cut to what fits.
 */
#include "search/search_internal.h"

#include "access/detoast.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "search/to_tsvector.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/jsonfuncs.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

/* A number of characters that no text has. */
#define ALL PG_INT64_MAX

/*
 * Shorter texts, in bytes, are too long for a vector of 1 MB only if a
 * dictionary makes 64 bytes of each.
 */
#define NEVER_TOO_LONG 16384

/* Says, once per session and table, that a row does not name its configuration. */
static void
note_fallback(SearchVector *state, Relation rel, const char *name)
{
	static List *noted = NIL;
	Oid			table = RelationGetRelid(rel);
	MemoryContext old;

	if (rel->rd_rel->relispartition)
		table = llast_oid(get_partition_ancestors(table));
	if (list_member_oid(noted, table))
		return;
	old = MemoryContextSwitchTo(steward_session_context());
	noted = lappend_oid(noted, table);
	MemoryContextSwitchTo(old);
	ereport(NOTICE,
			(name == NULL ?
			 errmsg("a row of table \"%s\" names no text search configuration", RelationGetRelationName(rel)) :
			 errmsg("text search configuration \"%s\" of a row of table \"%s\" does not exist", name,
					RelationGetRelationName(rel)),
			 errdetail("It is indexed with configuration \"%s\", and so are others like it.",
					   DatumGetCString(DirectFunctionCall1(regconfigout, ObjectIdGetDatum(state->config)))),
			 errtable(rel)));
}

/* Returns the text search configuration for a row. */
static Oid
row_config(SearchVector *state, Relation rel, HeapTuple row)
{
	char	   *name = NULL;
	Oid			config = InvalidOid;
	Datum		value;
	bool		isnull;

	if (state->config_attnum == InvalidAttrNumber)
	{
		steward_search_require_config(state, rel);
		return state->config;
	}

	value = heap_getattr(row, state->config_attnum, RelationGetDescr(rel), &isnull);
	if (!isnull && state->config_is_oid)
	{
		if (SearchSysCacheExists1(TSCONFIGOID, value))
			config = DatumGetObjectId(value);
		else
			name = psprintf("%u", DatumGetObjectId(value));
	}
	else if (!isnull)
	{
		name = steward_pinned_output(&state->config_output, value);
		if (state->last_name == NULL || strcmp(name, state->last_name) != 0)
		{
			MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(state));

			if (state->last_name != NULL)
				pfree(state->last_name);
			state->last_name = pstrdup(name);
			MemoryContextSwitchTo(old);
			state->last_config = steward_search_find_config(rel, name);
		}
		config = state->last_config;
	}

	if (OidIsValid(config))
		return config;
	steward_search_require_config(state, rel);
	note_fallback(state, rel, name);
	return state->config;
}

/* Appends the elements of an array to a text, with a blank between them. */
static void
append_array(StringInfo out, Source *source, ArrayType *array)
{
	Datum	   *elements;
	bool	   *nulls;
	int			nelements;
	bool		first = true;

	deconstruct_array(array, source->element, source->element_len, source->element_byval,
					  source->element_align, &elements, &nulls, &nelements);
	for (int i = 0; i < nelements; i++)
	{
		if (nulls[i])
			continue;
		if (!first)
			appendStringInfoChar(out, ' ');
		first = false;
		if (source->element_is_text)
		{
			text	   *element = DatumGetTextPP(elements[i]);

			appendBinaryStringInfo(out, VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element));
		}
		else
			appendStringInfoString(out, steward_pinned_output(&source->output, elements[i]));
	}
}

/* Returns the beginning of a text, and counts its characters off what is left of "limit". */
static text *
take_string(void *limit, char *string, int length)
{
	int64	   *left = limit;
	int			taken = pg_mbcharcliplen(string, length, Min(*left, PG_INT32_MAX));

	*left -= pg_mbstrlen_with_len(string, taken);
	return cstring_to_text_with_len(string, taken);
}

/*
 * Returns the vector of the strings in a json or jsonb value, NULL if the path
 * leads nowhere.  Counts their characters off what is left of a limit, if there is
 * one, and stops there.
 */
static TSVector
json_vector(const Source *source, Oid config, Datum value, int64 *left)
{
	bool		is_jsonb = source->kind == SOURCE_JSONB;

	if (source->path != NULL)
	{
		LOCAL_FCINFO(fcinfo, 2);

		InitFunctionCallInfoData(*fcinfo, NULL, 2, InvalidOid, NULL, NULL);
		fcinfo->args[0].value = value;
		fcinfo->args[0].isnull = false;
		fcinfo->args[1].value = PointerGetDatum(source->path);
		fcinfo->args[1].isnull = false;
		value = is_jsonb ? jsonb_extract_path(fcinfo) : json_extract_path(fcinfo);
		if (fcinfo->isnull)
			return NULL;
	}
	if (*left < ALL && is_jsonb)
		value = JsonbPGetDatum(transform_jsonb_string_values(DatumGetJsonbP(value), left, take_string));
	else if (*left < ALL)
		value = PointerGetDatum(transform_json_string_values(DatumGetTextPP(value), left, take_string));
	return DatumGetTSVector(DirectFunctionCall2(is_jsonb ? jsonb_string_to_tsvector_byid : json_string_to_tsvector_byid,
												ObjectIdGetDatum(config), value));
}

/* Appends the text of a value that is not json. */
static void
append_value(StringInfo out, Source *source, Datum value)
{
	if (source->kind == SOURCE_TEXT)
	{
		struct varlena *content = PG_DETOAST_DATUM_PACKED(value);

		appendBinaryStringInfo(out, VARDATA_ANY(content), VARSIZE_ANY_EXHDR(content));
	}
	else if (source->kind == SOURCE_ARRAY)
		append_array(out, source, DatumGetArrayTypeP(value));
	else
		appendStringInfoString(out, steward_pinned_output(&source->output, value));
}

/* Returns "vector" and "more" joined; NULL is an empty one. */
static TSVector
join(TSVector vector, TSVector more)
{
	if (vector == NULL || more == NULL)
		return vector == NULL ? more : vector;
	return DatumGetTSVector(DirectFunctionCall2(tsvector_concat, TSVectorGetDatum(vector),
												TSVectorGetDatum(more)));
}

/* The values of a source, which is one for a column of the table itself, and how they go into the vector. */
typedef struct Values
{
	Source	   *source;
	Oid			config;
	int64		left;			/* characters that may be taken */
	int64		size;			/* of all values, in bytes */
	StringInfo	text;			/* to which they are appended, with a blank
								 * between them */
	int			start;
	TSVector	vector;			/* of json */
} Values;

static void
take_value(void *arg, Datum value)
{
	Values	   *values = arg;

	if (steward_source_is_json(values->source))
	{
		values->size += toast_raw_datum_size(value);
		values->vector = join(values->vector, json_vector(values->source, values->config, value, &values->left));
		return;
	}
	if (values->text->len > values->start)
		appendStringInfoChar(values->text, ' ');
	append_value(values->text, values->source, value);
}

/* Takes the values of a source, up to a number of characters. */
static void
take_values(Values *values, SearchVector *state, TupleDesc desc, HeapTuple row)
{
	Source	   *source = values->source;
	StringInfo	text = values->text;
	bool		isnull;
	Datum		value;

	values->start = text->len;
	if (source->related != NULL)
	{
		steward_search_related_rows(source->related, desc, row, take_value, values);
		state->longest = Max(state->longest, Max(values->size, text->len - values->start));
	}
	else if ((value = heap_getattr(row, source->attnum, desc, &isnull)), !isnull)
		take_value(values, value);
	if (values->left < text->len - values->start)
		text->len = values->start + pg_mbcharcliplen(text->data + values->start, text->len - values->start,
													 values->left);
}

/* Returns the vector of the texts that have been put together, NULL if there are none, and begins anew. */
static TSVector
texts_vector(Oid config, StringInfo text, TsvectorPart *parts, int *nparts)
{
	const char *next = text->data;
	TSVector	vector;

	if (*nparts == 0)
		return NULL;
	for (int i = 0; i < *nparts; i++)
	{
		parts[i].text = next;
		next += parts[i].length;
	}
	vector = steward_to_tsvector(config, parts, *nparts);
	*nparts = 0;
	resetStringInfo(text);
	return vector;
}

/*
 * Returns the vector of a row.  It is what these would give, in the order of the
 * sources: setweight(to_tsvector(config, source), weight), joined by ||.  Sources
 * that hold text, have no weight and follow each other are one text, with a blank
 * between them.  Of each source no more than its first "limit" characters count.
 */
static TSVector
make_vector(SearchVector *state, Relation rel, HeapTuple row, int64 limit)
{
	TupleDesc	desc = RelationGetDescr(rel);
	Oid			config = row_config(state, rel, row);
	TSVector	vector = NULL;
	TsvectorPart *parts = palloc((state->nsources + 1) * sizeof(TsvectorPart));
	int			nparts = 0;
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < state->nsources; i++)
	{
		Source	   *source = &state->sources[i];
		Values		values = {source, config, limit, 0, &text};
		int			start = text.len;

		if (!steward_source_is_json(source))
		{
			bool		goes_on = nparts > 0 && i > 0 && source->weight == '\0' &&
				source[-1].weight == '\0' && !steward_source_is_json(&source[-1]);

			if (goes_on)
				appendStringInfoChar(&text, ' ');
			else
			{
				parts[nparts].length = 0;
				parts[nparts++].weight = source->weight == '\0' ? 0 : 'D' - source->weight;
			}
			take_values(&values, state, desc, row);
			parts[nparts - 1].length += text.len - start;
			continue;
		}
		take_values(&values, state, desc, row);
		if (values.vector == NULL)
			continue;
		if (source->weight != '\0')
			values.vector = DatumGetTSVector(DirectFunctionCall2(tsvector_setweight, TSVectorGetDatum(values.vector),
																 CharGetDatum(source->weight)));
		vector = join(join(vector, texts_vector(config, &text, parts, &nparts)), values.vector);
	}
	vector = join(vector, texts_vector(config, &text, parts, &nparts));
	if (vector != NULL)
		return vector;
	parts[0] = (TsvectorPart)
	{
		""
	};
	return steward_to_tsvector(config, parts, 1);
}

/*
 * The same; returns NULL, and sets *error, if that is too long for a vector.  The
 * server raises errors in the middle of things, hence the subtransaction.
 */
static TSVector
try_vector(SearchVector *state, Relation rel, HeapTuple row, int64 limit, ErrorData **error)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	MemoryContext mcxt = AllocSetContextCreate(caller, "pg_steward search vector", ALLOCSET_DEFAULT_SIZES);
	TSVector	vector = NULL;

	*error = NULL;
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		vector = make_vector(state, rel, row, limit);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		*error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if ((*error)->sqlerrcode != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
			ReThrowError(*error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	if (vector != NULL)
		vector = DatumGetTSVector(datumCopy(TSVectorGetDatum(vector), false, -1));
	MemoryContextDelete(mcxt);
	return vector;
}

/* Tells whether the current user may read a column of a table; of a partition's, too, that the table above lets them read. */
static bool
may_read(Relation rel, AttrNumber attnum)
{
	Oid			table = RelationGetRelid(rel);
	const char *name = NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname);

	if (rel->rd_rel->relispartition)
		table = llast_oid(get_partition_ancestors(table));
	return pg_class_aclcheck(table, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck(table, get_attnum(table, name), GetUserId(), ACL_SELECT) == ACLCHECK_OK;
}

/*
 * Returns a row's primary key as in "row (id)=(1)"; "a row" if there is none, or
 * the current user may not read it.
 */
static const char *
row_name(Relation rel, HeapTuple row)
{
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	StringInfoData names;
	StringInfoData values;
	int			i = -1;

	initStringInfo(&names);
	initStringInfo(&values);
	while ((i = bms_next_member(key, i)) >= 0)
	{
		AttrNumber	attnum = i + FirstLowInvalidHeapAttributeNumber;
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), attnum - 1);
		bool		isnull;
		Datum		value = heap_getattr(row, attnum, RelationGetDescr(rel), &isnull);
		Oid			function;
		bool		is_varlena;

		if (!may_read(rel, attnum))
			return "a row";
		getTypeOutputInfo(att->atttypid, &function, &is_varlena);
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "", NameStr(att->attname));
		appendStringInfo(&values, "%s%s", values.len > 0 ? ", " : "",
						 isnull ? "null" : OidOutputFunctionCall(function, value));
	}
	return names.len > 0 ? psprintf("row (%s)=(%s)", names.data, values.data) : "a row";
}

/*
 * Returns the size of a row's longest source, in bytes, and the size of all of
 * them, which is not known if they are related rows.
 */
static int64
longest_source(SearchVector *state, Relation rel, HeapTuple row, int64 *all)
{
	int64		longest = 0;

	*all = 0;
	for (int i = 0; i < state->nsources; i++)
	{
		AttrNumber	attnum = state->sources[i].attnum;
		bool		isnull;
		Datum		value;
		int64		size;

		if (state->sources[i].related != NULL)
		{
			*all = ALL;
			break;
		}
		value = heap_getattr(row, attnum, RelationGetDescr(rel), &isnull);
		if (isnull || TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attlen != -1)
			continue;
		size = toast_raw_datum_size(value);
		longest = Max(longest, size);
		*all += size;
	}
	return longest;
}

/*
 * Returns the vector of a row.  If that is too long, raises 54000 or, where texts
 * are to be cut, looks for how many characters of each source fit, and a warning
 * says so, once per statement.  It is content with fifteen in sixteen of them,
 * because each look costs the time of a vector.
 */
TSVector
steward_search_row_vector(SearchVector *state, Relation rel, HeapTuple row)
{
	int64		all;
	int64		too_many = longest_source(state, rel, row, &all);
	int64		enough = 0;
	ErrorData  *error;
	TSVector	vector;

	if (all < NEVER_TOO_LONG)
		return make_vector(state, rel, row, ALL);
	state->longest = 0;
	vector = try_vector(state, rel, row, ALL, &error);
	if (error == NULL)
		return vector;
	if (!state->cut)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of table \"%s\" is too long for a search vector", row_name(rel, row),
						RelationGetRelationName(rel)),
				 errdetail_internal("%s", error->message),
				 errhint("Give the search_vector trigger the argument 'long_texts=cut', as steward.search_enable() does."),
				 errtable(rel)));

	too_many = Max(too_many, state->longest);
	while (too_many - enough > Max(enough / 16, 1))
	{
		int64		middle = (enough + too_many) / 2;
		TSVector	shorter = try_vector(state, rel, row, middle, &error);

		if (shorter == NULL)
			too_many = middle;
		else
		{
			vector = shorter;
			enough = middle;
		}
	}
	if (!state->cut_noted)
		ereport(WARNING,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s of table \"%s\" is too long for a search vector", row_name(rel, row),
						RelationGetRelationName(rel)),
				 errdetail("The first " INT64_FORMAT " characters of each of its texts can be found. Other rows that this statement cuts are not reported.",
						   enough),
				 errtable(rel)));
	state->cut_noted = true;
	return vector != NULL ? vector : make_vector(state, rel, row, 0);
}
