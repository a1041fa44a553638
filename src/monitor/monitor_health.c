/*
 * monitor_health.c
 *		Asking for one figure, within a time that no setting can give a part of a
 *		statement.
 */
#include "core/core.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/timeout.h"

/* How often a query is asked again to stop that takes a cancel for its own. */
#define LIMIT_REPEAT_MS 100

static TimeoutId limit_timeout = MAX_TIMEOUTS;
static volatile sig_atomic_t limit_reached = false;
static bool limit_set = false;

/* Cancels as a user does, unless one has already: then it is the user's cancel. */
static void
limit_handler(void)
{
	if (!QueryCancelPending)
	{
		limit_reached = true;
		QueryCancelPending = true;
	}
	InterruptPending = true;
	SetLatch(MyLatch);
}

static void
begin_limit(int milliseconds)
{
	if (limit_timeout == MAX_TIMEOUTS)
		limit_timeout = RegisterTimeout(USER_TIMEOUT, limit_handler);
	limit_reached = false;
	limit_set = true;
	enable_timeout_every(limit_timeout, TimestampTzPlusMilliseconds(GetCurrentTimestamp(), milliseconds),
						 LIMIT_REPEAT_MS);
}

/*
 * Tells whether the limit was reached and nothing else ended the query, in which
 * case nothing of it is left to be reported.  statement_timer tells whether
 * statement_timeout was running before.
 */
static bool
end_limit(bool statement_timer)
{
	bool		reached;

	disable_timeout(limit_timeout, false);
	limit_set = false;
	reached = limit_reached && get_timeout_active(STATEMENT_TIMEOUT) == statement_timer;
	if (reached)
		QueryCancelPending = false;
	return reached;
}

/*
 * steward_internal.health_query(query text, milliseconds integer) returns record
 *
 * The one row of a query that changes nothing.  Raises 54000 if it takes longer,
 * 21000 or 02000 if there are more rows or none.
 */
PG_FUNCTION_INFO_V1(steward_health_query);
Datum
steward_health_query(PG_FUNCTION_ARGS)
{
	const char *query = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			milliseconds = PG_GETARG_INT32(1);
	MemoryContext context = CurrentMemoryContext;
	bool		statement_timer = get_timeout_active(STATEMENT_TIMEOUT);
	bool		was_read_only = XactReadOnly;
	volatile Datum result = (Datum) 0;

	/* One timer cannot keep two limits. */
	if (limit_set)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("health checks cannot be nested")));
	if (milliseconds < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid time limit: %d ms", milliseconds)));

	SPI_connect();
	begin_limit(milliseconds);
	PG_TRY();
	{
		/*
		 * Functions that the query calls are kept from writing, too; a
		 * subtransaction cannot take this back.
		 */
		XactReadOnly = true;
		if (SPI_execute(query, true, 2) != SPI_OK_SELECT)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("query must be a SELECT")));
		if (SPI_processed != 1)
			ereport(ERROR,
					(errcode(SPI_processed == 0 ? ERRCODE_NO_DATA_FOUND : ERRCODE_CARDINALITY_VIOLATION),
					 errmsg(SPI_processed == 0 ? "query returned no rows" : "query returned more than one row")));
		BlessTupleDesc(SPI_tuptable->tupdesc);
		result = PointerGetDatum(SPI_returntuple(SPI_tuptable->vals[0], SPI_tuptable->tupdesc));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		XactReadOnly = was_read_only;
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (!end_limit(statement_timer) || error->sqlerrcode != ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("query takes longer than %d ms", milliseconds)));
	}
	PG_END_TRY();
	XactReadOnly = was_read_only;
	end_limit(statement_timer);
	SPI_finish();
	PG_RETURN_DATUM(result);
}

/* steward_internal.library_version() returns text: the version that this library was built as. */
PG_FUNCTION_INFO_V1(steward_library_version);
Datum
steward_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(CppAsString2(STEWARD_VERSION)));
}
