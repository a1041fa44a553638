/*
 * search_internal.h
 *		What the files of the search module share.
 *
 *		search.c			the search_vector trigger and its arguments
 *		search_vector.c		the vector of a row
 *		search_enable.c		making a table searchable
 */
#ifndef STEWARD_SEARCH_INTERNAL_H
#define STEWARD_SEARCH_INTERNAL_H

#include "search/search.h"

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

/* One column whose text goes into the vector. */
typedef struct Source
{
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

/* search.c */
extern Oid	steward_search_find_config(Relation rel, const char *name);
extern void steward_search_require_config(SearchVector *state, Relation rel);

/* search_vector.c */
extern TSVector steward_search_row_vector(SearchVector *state, Relation rel, HeapTuple row);

#endif							/* STEWARD_SEARCH_INTERNAL_H */
