/*
 * search_parts.c
 *		A template of dictionaries that take tokens apart: foo.png, example.org,
 *		-7604.
 */
#include "search/search.h"

#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "commands/defrem.h"
#include "tsearch/ts_public.h"
#include "tsearch/ts_utils.h"
#include "utils/formatting.h"
#include "utils/varlena.h"

/* A dictionary of this template. */
typedef struct PartsDictionary
{
	List	   *configuration;	/* its name, as strings */
} PartsDictionary;

/* Tells whether a byte belongs to a part: a letter, a digit, or something beyond ASCII. */
static inline bool
in_part(char byte)
{
	return IS_HIGHBIT_SET(byte) || (byte >= '0' && byte <= '9') ||
		(byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

/* Raises 22023 for an option of a dictionary that is none, and for a name that is none. */
pg_noreturn static void
invalid_option(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid option of a token_parts dictionary: \"%s\"", name),
			 errhint("Its option is the text search configuration of the parts: configuration = 'english'.")));
}

/*
 * steward_internal.parts_init(internal) returns internal
 *
 * Reads the options of a dictionary.  Whether its configuration exists is seen
 * when it is asked: pg_dump restores dictionaries first.
 */
PG_FUNCTION_INFO_V1(steward_parts_init);
Datum
steward_parts_init(PG_FUNCTION_ARGS)
{
	PartsDictionary *dictionary = palloc0(sizeof(PartsDictionary));
	List	   *names;
	ListCell   *lc;

	foreach(lc, (List *) PG_GETARG_POINTER(0))
	{
		DefElem    *option = lfirst(lc);

		if (strcmp(option->defname, "configuration") != 0 || dictionary->configuration != NIL ||
			!SplitIdentifierString(pstrdup(defGetString(option)), '.', &names) ||
			names == NIL || list_length(names) > 2)
			invalid_option(option->defname);
		dictionary->configuration = names;
	}
	if (dictionary->configuration == NIL)
		invalid_option("");
	PG_RETURN_POINTER(dictionary);
}

/* Returns the configuration of a dictionary's parts: in pg_catalog, unless its schema is named. Raises 42704 if there is none. */
static Oid
parts_configuration(PartsDictionary *dictionary)
{
	List	   *name = NIL;
	ListCell   *lc;

	if (list_length(dictionary->configuration) == 1)
		name = list_make1(makeString("pg_catalog"));
	foreach(lc, dictionary->configuration)
	{
		name = lappend(name, makeString(lfirst(lc)));
	}
	return get_ts_config_oid(name, false);
}

/*
 * steward_internal.parts_lexize(internal, internal, internal, internal) returns internal
 *
 * Returns the lexemes of a token's parts, and before them, if it has several, the
 * token itself in lower case.  They all have its position, and in a query all are
 * wanted.  Tokens that are no more than one part are left to the next dictionary.
 */
PG_FUNCTION_INFO_V1(steward_parts_lexize);
Datum
steward_parts_lexize(PG_FUNCTION_ARGS)
{
	PartsDictionary *dictionary = (PartsDictionary *) PG_GETARG_POINTER(0);
	const char *token = PG_GETARG_POINTER(1);
	int			length = PG_GETARG_INT32(2);
	const char *end = token + length;
	ParsedText	parsed = {.lenwords = 16};
	int			nparts = 0;
	int			nlexemes = 0;
	TSLexeme   *lexemes;
	Oid			configuration;

	for (const char *p = token; p < end && in_part(*p); p++)
		if (p + 1 == end)
			PG_RETURN_POINTER(NULL);

	configuration = parts_configuration(dictionary);
	parsed.words = palloc_array(ParsedWord, parsed.lenwords);
	for (const char *p = token; p < end;)
	{
		const char *part = p;

		while (p < end && in_part(*p))
			p++;
		if (p == part)
		{
			p++;
			continue;
		}
		nparts++;
		parsetext(configuration, &parsed, unconstify(char *, part), p - part);
	}
	if (nparts == 0)
		PG_RETURN_POINTER(NULL);

	lexemes = palloc0_array(TSLexeme, parsed.curwords + 2);
	if (nparts > 1)
		lexemes[nlexemes++].lexeme = str_tolower(token, length, DEFAULT_COLLATION_OID);
	for (int i = 0; i < parsed.curwords; i++)
		lexemes[nlexemes++].lexeme = pnstrdup(parsed.words[i].word, parsed.words[i].len);
	PG_RETURN_POINTER(lexemes);
}
