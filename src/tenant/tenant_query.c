/*
 * tenant_query.c
 *		The context of each query: it works for the tenant and user that there are when it starts.
 *
 * Expiry, suspension and what was cleared are looked at when a query starts, one
 * within another too, and when a cursor is fetched from.
 */
#include "tenant/tenant_internal.h"

#include "executor/executor.h"
#include "utils/memutils.h"

/* Queries that have asked, and are not over. */
static dlist_head kept_queries = DLIST_STATIC_INIT(kept_queries);

static ExecutorStart_hook_type next_executor_start = NULL;
static ExecutorRun_hook_type next_executor_run = NULL;
static ExecutorFinish_hook_type next_executor_finish = NULL;

/* Begins with what is known of a query: nothing. */
static void
begin_query(TenantQuery *it)
{
	static uint64 last_number = 0;

	memset(it, 0, sizeof(TenantQuery));
	it->number = ++last_number;
}

static void
forget_query(void *it)
{
	dlist_delete(&((TenantQuery *) it)->node);
}

/* Keeps what is known of a query until it is over, if it has asked for which tenant it works. */
static void
keep_query(const TenantQuery *it, EState *state)
{
	TenantQuery *kept;

	if (!it->asked[STEWARD_TENANT] && !it->asked[STEWARD_USER])
		return;
	kept = MemoryContextAlloc(state->es_query_cxt, sizeof(TenantQuery));
	*kept = *it;
	kept->state = state;
	kept->ended.func = forget_query;
	kept->ended.arg = kept;
	dlist_push_head(&kept_queries, &kept->node);
	MemoryContextRegisterResetCallback(state->es_query_cxt, &kept->ended);
}

/* Returns what is known of a query, NULL if it has not asked. */
static TenantQuery *
find_query(const EState *state)
{
	dlist_iter	iter;

	dlist_foreach(iter, &kept_queries)
	{
		TenantQuery *it = dlist_container(TenantQuery, node, iter.cur);

		if (it->state == state)
			return it;
	}
	return NULL;
}

/* Starts a query, which is the one at work meanwhile. */
static void
start_query(TenantQuery *it, QueryDesc *desc, int eflags)
{
	TenantQuery *const outer = steward_tenant_work_in(it);

	PG_TRY();
	{
		steward_tenant_ask();
		next_executor_start(desc, eflags);
	}
	PG_FINALLY();
	{
		steward_tenant_work_in(outer);
	}
	PG_END_TRY();
}

static void
run_query(TenantQuery *it, STEWARD_RUN_PARAMETERS)
{
	TenantQuery *const outer = steward_tenant_work_in(it);

	PG_TRY();
	{
		if (!it->run)
			steward_tenant_notice(desc);
		next_executor_run(STEWARD_RUN_ARGUMENTS);
	}
	PG_CATCH();
	{
		steward_tenant_explain_refusal(desc);
		steward_tenant_work_in(outer);
		PG_RE_THROW();
	}
	PG_END_TRY();
	steward_tenant_work_in(outer);
}

static void
finish_query(TenantQuery *it, QueryDesc *desc)
{
	TenantQuery *const outer = steward_tenant_work_in(it);

	PG_TRY();
	{
		next_executor_finish(desc);
	}
	PG_FINALLY();
	{
		steward_tenant_work_in(outer);
	}
	PG_END_TRY();
}

/* Has each query work for the tenant and user there are when it starts, by the clock and by the registry. */
static void
executor_start(QueryDesc *desc, int eflags)
{
	TenantQuery it;

	begin_query(&it);
	start_query(&it, desc, eflags);
	keep_query(&it, desc->estate);
}

/* Runs a query, or runs it on: the tenant for which it works must be the same. */
static void
executor_run(STEWARD_RUN_PARAMETERS)
{
	TenantQuery *it = find_query(desc->estate);
	TenantQuery first;

	if (it != NULL)
		steward_tenant_check_query(it);
	else
		begin_query(it = &first);

	/* workers take the settings' word for it, and so there must be none */
	if (steward_tenant_has_context() && !steward_tenant_stands(it))
		STEWARD_RUN_WITHOUT_WORKERS;
	run_query(it, STEWARD_RUN_ARGUMENTS);
	it->run = true;
	if (it == &first)
		keep_query(it, desc->estate);
}

/* Has triggers at the end of a query work for the same tenant as the query. */
static void
executor_finish(QueryDesc *desc)
{
	TenantQuery *it = find_query(desc->estate);
	TenantQuery first;

	if (it == NULL)
		begin_query(it = &first);
	finish_query(it, desc);
}

/* Puts the module's hooks around queries. */
void
steward_tenant_query_init(void)
{
	next_executor_start = ExecutorStart_hook != NULL ? ExecutorStart_hook : standard_ExecutorStart;
	ExecutorStart_hook = executor_start;
	next_executor_run = ExecutorRun_hook != NULL ? ExecutorRun_hook : standard_ExecutorRun;
	ExecutorRun_hook = executor_run;
	next_executor_finish = ExecutorFinish_hook != NULL ? ExecutorFinish_hook : standard_ExecutorFinish;
	ExecutorFinish_hook = executor_finish;
}
