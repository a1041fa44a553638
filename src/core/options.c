/*
 * options.c
 *		Reading the arguments of a trigger: 'option=value', lists of columns
 *		separated by commas, and bare columns.
 *
 * "kind" is what error messages call the trigger, such as "audit".
 */
#include "core/core.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/value.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"

/*
 * Splits 'option=value'.  Returns the option and sets "value", or returns NULL
 * for a bare argument and sets "value" to it.
 */
char *
steward_option(const char *argument, char **value)
{
	size_t		length = strspn(argument, "abcdefghijklmnopqrstuvwxyz_");

	if (length == 0 || argument[length] != '=')
	{
		*value = pstrdup(argument);
		return NULL;
	}
	*value = pstrdup(argument + length + 1);
	return pnstrdup(argument, length);
}

/* Returns the names, separated by commas, that an argument gives to an option; NIL if it is another one. */
List *
steward_option_names(const char *argument, const char *wanted)
{
	char	   *value;
	char	   *option = steward_option(argument, &value);
	List	   *names;

	return option != NULL && strcmp(option, wanted) == 0 && SplitIdentifierString(value, ',', &names) ? names : NIL;
}

/* Raises 22023 for an argument that the trigger does not know. */
void
steward_option_unknown(const char *kind, const char *argument, const char *known)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized %s option \"%s\"", kind, argument),
			 errhint("Options are %s.", known)));
}

/* Returns the place of a value among "choices", a NULL-terminated array; raises 22023 if it is none of them. */
int
steward_option_choice(const char *kind, const char *option, const char *value,
					  const char *const *choices)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; choices[i] != NULL; i++)
	{
		if (strcmp(value, choices[i]) == 0)
			return i;
		appendStringInfo(&list, "%s%s", i == 0 ? "" : choices[i + 1] == NULL ? " and " : ", ",
						 choices[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for %s option \"%s\": \"%s\"", kind, option, value),
			 errhint("It is one of %s.", list.data)));
}

/* Returns a list of the table's columns for a hint. */
char *
steward_column_list(Relation rel)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < RelationGetDescr(rel)->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (!att->attisdropped)
			appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "",
							 quote_identifier(NameStr(att->attname)));
	}
	return list.data;
}

/* Reads a list of column names as String nodes; raises 22023 or 42703 if it is not one. */
List *
steward_option_columns(Relation rel, const char *kind, const char *option, const char *value)
{
	List	   *names;
	ListCell   *lc;

	if (!SplitIdentifierString(pstrdup(value), ',', &names) || names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid list of columns in %s option \"%s\": \"%s\"", kind, option, value),
				 errhint("Separate column names by commas; quote names as in SQL.")));

	foreach(lc, names)
	{
		char	   *name = lfirst(lc);

		if (get_attnum(RelationGetRelid(rel), name) <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("column \"%s\" named in %s option \"%s\" does not exist in table \"%s\"",
							name, kind, option, RelationGetRelationName(rel)),
					 errhint("Its columns are: %s.", steward_column_list(rel)),
					 errtable(rel)));
		lfirst(lc) = makeString(name);
	}
	return names;
}

/* Raises 22023 if an option that has one value was given before. */
void
steward_option_once(const char *kind, const char *option, bool given)
{
	if (given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s option \"%s\" is given twice", kind, option),
				 errhint("Leave one of the two.")));
}

/*
 * Returns the arguments of a trigger as a list of C strings, from the bytes that
 * pg_trigger has of them: each argument with a zero byte behind it.  Raises 22023
 * for bytes that are nothing of the kind, as anybody may pass some.
 */
List *
steward_stored_arguments(bytea *stored)
{
	char	   *argument = VARDATA_ANY(stored);
	char	   *end = argument + VARSIZE_ANY_EXHDR(stored);
	List	   *arguments = NIL;

	while (argument < end)
	{
		size_t		length = strnlen(argument, end - argument);

		if (argument + length == end || !pg_verifymbstr(argument, length, true))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("these are not the arguments of a trigger"),
					 errhint("Pass pg_trigger.tgargs.")));
		arguments = lappend(arguments, argument);
		argument += length + 1;
	}
	return arguments;
}

/* Returns a list of C strings as an array of type text. */
Datum
steward_text_array(List *strings)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(list_length(strings), 1));
	int			n = 0;
	ListCell   *lc;

	foreach(lc, strings)
	{
		elements[n++] = CStringGetTextDatum(lfirst(lc));
	}
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Returns the column that an argument names, 0 if there is none.  It is read as
 * in SQL if it is quoted; else the very text counts first, so that mixed case
 * needs no quotes where it cannot be misunderstood.
 */
AttrNumber
steward_find_column(Oid relid, const char *argument)
{
	AttrNumber	attnum = argument[0] == '"' ? InvalidAttrNumber : get_attnum(relid, argument);
	List	   *names;

	if (attnum <= 0 && SplitIdentifierString(pstrdup(argument), '.', &names) &&
		list_length(names) == 1)
		attnum = get_attnum(relid, linitial(names));
	return Max(attnum, InvalidAttrNumber);
}

/* The same; raises 42703 if there is none, and 0A000 for one that triggers cannot see or set. */
AttrNumber
steward_option_column(Relation rel, const char *kind, const char *argument)
{
	AttrNumber	attnum = steward_find_column(RelationGetRelid(rel), argument);
	List	   *names;

	if (attnum == InvalidAttrNumber)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of the %s trigger does not exist in table \"%s\"",
						SplitIdentifierString(pstrdup(argument), '.', &names) && list_length(names) == 1 ?
						(char *) linitial(names) : argument, kind, RelationGetRelationName(rel)),
				 errhint("Its columns are: %s.", steward_column_list(rel)),
				 errtable(rel)));
	if (TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attgenerated != '\0')
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of the %s trigger is generated, which happens after triggers",
						NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname), kind),
				 errhint("Name a plain column, such as one that it is generated from."),
				 errtable(rel)));
	return attnum;
}
