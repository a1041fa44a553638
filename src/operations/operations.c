/*
 * operations.c
 *		What procedures that work through a table in batches need, and SQL has no
 *		words for.
 */
#include "core/core.h"

#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Has the errors of the parser point into the text that was given to it. */
static void
point_into_text(void *text)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(text);
	}
}

/*
 * steward_internal.assigned_columns(assignments text) returns name[]
 *
 * Returns the columns that the SET clause of an UPDATE assigns to.  Raises 42601 if
 * the text is anything else, or more.
 */
PG_FUNCTION_INFO_V1(steward_assigned_columns);
Datum
steward_assigned_columns(PG_FUNCTION_ARGS)
{
	char	   *command = psprintf("UPDATE t SET %s\nWHERE true", text_to_cstring(PG_GETARG_TEXT_PP(0)));
	ErrorContextCallback context = {error_context_stack, point_into_text, command};
	List	   *statements;
	UpdateStmt *update;
	Datum	   *names;
	int			n = 0;
	ListCell   *lc;

	error_context_stack = &context;
	statements = raw_parser(command, RAW_PARSE_DEFAULT);
	error_context_stack = context.previous;

	update = (UpdateStmt *) linitial_node(RawStmt, statements)->stmt;
	if (list_length(statements) != 1 || !IsA(update, UpdateStmt) || update->fromClause != NIL || update->withClause != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("\"%s\" is more than a list of assignments", text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errhint("Values of other tables come by a subquery: total = (SELECT ...).")));

	names = palloc_array(Datum, list_length(update->targetList));
	foreach(lc, update->targetList)
		names[n++] = DirectFunctionCall1(namein, CStringGetDatum(lfirst_node(ResTarget, lc)->name));
	PG_RETURN_ARRAYTYPE_P(construct_array(names, n, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR));
}

/*
 * steward_internal.run_as_owner(relation regclass, command text) returns text[]
 *
 * Runs a command as the owner of a table; see steward_execute_as_owner.  Returns the
 * first of its rows, null if there is none.  Raises 42501 for roles that may not act
 * as the owner, and 42P01 if there is no such table.
 */
PG_FUNCTION_INFO_V1(steward_run_as_owner);
Datum
steward_run_as_owner(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *command = text_to_cstring(PG_GETARG_TEXT_PP(1));
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	MemoryContext caller = CurrentMemoryContext;
	ArrayType  *row = NULL;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	if (!has_privs_of_role(GetUserId(), owner))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));

	SPI_connect();
	steward_execute_as_owner(owner, command, 0, NULL, NULL, NULL);
	if (SPI_tuptable != NULL && SPI_processed > 0)
	{
		TupleDesc	desc = SPI_tuptable->tupdesc;
		Datum	   *values = palloc_array(Datum, desc->natts);
		bool	   *nulls = palloc_array(bool, desc->natts);
		int			dims[] = {desc->natts};
		int			lower[] = {1};
		MemoryContext spi = MemoryContextSwitchTo(caller);

		for (int i = 0; i < desc->natts; i++)
		{
			char	   *value = SPI_getvalue(SPI_tuptable->vals[0], desc, i + 1);

			nulls[i] = value == NULL;
			values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(value);
		}
		row = construct_md_array(values, nulls, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT);
		MemoryContextSwitchTo(spi);
	}
	SPI_finish();
	if (row == NULL)
		PG_RETURN_NULL();
	PG_RETURN_ARRAYTYPE_P(row);
}

/*
 * steward_internal.require_no_transaction(procedure text) returns void
 *
 * Raises 25001 in a transaction block, in which a procedure cannot commit its batches.
 */
PG_FUNCTION_INFO_V1(steward_require_no_transaction);
Datum
steward_require_no_transaction(PG_FUNCTION_ARGS)
{
	if (IsTransactionBlock() || IsSubTransaction())
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s() cannot run inside a transaction block", text_to_cstring(PG_GETARG_TEXT_PP(0))),
				 errdetail("It commits after each batch."),
				 errhint("CALL it by itself, in autocommit mode.")));
	PG_RETURN_VOID();
}
