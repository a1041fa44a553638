/*
 * monitor_health.c
 *		A time limit for part of a statement, which no setting gives: see
 *		statement_timeout.
 */
#include "pg_steward.h"

#include "miscadmin.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/timeout.h"

static TimeoutId limit_timeout = MAX_TIMEOUTS;
static volatile sig_atomic_t limit_reached = false;

/* Cancels what is being done, as a user's request would. */
static void
limit_handler(void)
{
	limit_reached = true;
	QueryCancelPending = true;
	InterruptPending = true;
	SetLatch(MyLatch);
}

PG_FUNCTION_INFO_V1(steward_time_limit);

/*
 * steward.time_limit(milliseconds integer) returns boolean
 *
 * Raises 57014 in this many milliseconds, unless it is called again before.  Zero
 * ends the limit, and so does the end of the statement by an error.  Returns
 * whether the limit before was reached.
 */
Datum
steward_time_limit(PG_FUNCTION_ARGS)
{
	int			milliseconds = PG_GETARG_INT32(0);
	bool		was_reached;

	if (limit_timeout == MAX_TIMEOUTS)
		limit_timeout = RegisterTimeout(USER_TIMEOUT, limit_handler);
	disable_timeout(limit_timeout, false);
	was_reached = limit_reached;
	if (was_reached)
		QueryCancelPending = false;
	limit_reached = false;
	if (milliseconds > 0)
		enable_timeout_after(limit_timeout, milliseconds);
	PG_RETURN_BOOL(was_reached);
}
