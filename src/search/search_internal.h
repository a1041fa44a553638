/*
 * search_internal.h
 *		What the files of the search module share.
 *
 *		search.c			the search_vector trigger
 *		search_vector.c		the vector of a row
 *		search_related.c	the trigger of tables that have sources for others
 *		search_arguments.c	what the arguments of a search_vector trigger say
 *		search_source.c		sources that are columns of other tables
 *		search_enable.c		making a table searchable
 *		search_parts.c		a template of dictionaries
 */
#ifndef STEWARD_SEARCH_INTERNAL_H
#define STEWARD_SEARCH_INTERNAL_H

#include "search/search.h"

#include "lib/stringinfo.h"
#include "tsearch/ts_type.h"
#include "utils/array.h"

typedef enum SourceKind
{
	SOURCE_TEXT,				/* text, varchar and char */
	SOURCE_ARRAY,				/* the elements, with a blank between them */
	SOURCE_JSON,				/* the string values */
	SOURCE_JSONB,
	SOURCE_OTHER,				/* its output function's text */
} SourceKind;

/* Another table, whose rows refer to those that have the vector. */
typedef struct Related
{
	Oid			table;
	Oid			owner;
	Oid			constraint;		/* the foreign key */
	int			nkeys;
	AttrNumber	columns[INDEX_MAX_KEYS];	/* that refer */
	Oid			column_types[INDEX_MAX_KEYS];
	AttrNumber	referenced[INDEX_MAX_KEYS]; /* what they refer to */
	AttrNumber	keys[INDEX_MAX_KEYS];	/* the same in the partition at hand */
	Oid			key_types[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];	/* key = column */
	char	   *query;			/* reads the source, by the key */
} Related;

/* One column whose text goes into the vector. */
typedef struct Source
{
	Related    *related;		/* NULL: a column of the table itself */
	AttrNumber	attnum;
	SourceKind	kind;
	char		weight;			/* 'A' to 'D'; '\0': none was given */
	Oid			element;		/* of an array */
	bool		element_is_text;
	int16		element_len;
	bool		element_byval;
	char		element_align;
	PinnedOutput output;		/* of the column, or of its elements */
	ArrayType  *path;			/* into json; NULL: all of it */
} Source;

/* What a statement knows of its trigger. */
typedef struct SearchVector
{
	AttrNumber	attnum;
	int			nsources;
	Source	   *sources;
	bool		refill;			/* rows may have vectors of an earlier trigger */
	bool		cut;			/* texts that are too long, rather than refuse
								 * them */
	bool		cut_noted;		/* that some were, in this statement */
	int64		longest;		/* text of related rows, in bytes */
	char	   *config_name;
	Oid			config;
	AttrNumber	config_attnum;	/* InvalidAttrNumber: the same for all rows */
	bool		config_is_oid;	/* that column is a regconfig */
	PinnedOutput config_output;
	char	   *last_name;		/* what a row named last, */
	Oid			last_config;	/* and what that is */
} SearchVector;

/* Tells whether a source is json or jsonb. */
static inline bool
steward_source_is_json(const Source *source)
{
	return source->kind == SOURCE_JSON || source->kind == SOURCE_JSONB;
}

/* search_source.c */
extern Oid	steward_search_root(Relation rel);
extern char *steward_search_from(Relation rel);
extern void steward_search_condition(StringInfo query, Oid table, const AttrNumber *columns,
									 const Related *related, bool parameter_first);
extern void steward_search_run(Oid owner, const char *query, int nkeys, Oid *types, Datum *values);
extern Oid	steward_search_find_table(Oid relid, const char *name, bool missing_ok);
extern Related *steward_search_related(Relation parent, Trigger *trigger, const char *name,
									   const char *by, Relation *rel);
extern void steward_search_related_query(Related *related, Relation rel, AttrNumber attnum);
extern void steward_search_related_rows(Related *related, TupleDesc desc, HeapTuple row,
										void (*take) (void *arg, Datum value), void *arg);

/* search_arguments.c */
extern Oid	steward_search_find_config(Relation rel, const char *name);
extern void steward_search_require_config(SearchVector *state, Relation rel);
extern void *steward_search_parse(Relation rel, Trigger *trigger);

/* search_related.c */
extern void steward_search_xact_event(XactEvent event);

/* search_vector.c */
extern TSVector steward_search_row_vector(SearchVector *state, Relation rel, HeapTuple row);

#endif							/* STEWARD_SEARCH_INTERNAL_H */
