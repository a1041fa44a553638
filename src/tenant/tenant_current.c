/*
 * tenant_current.c
 *		The tenant and user of the present statement, for the functions that ask once a row.
 */
#include "tenant/tenant_internal.h"

#include "executor/executor.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"

/* Values in session memory are given back when a transaction ends with more than this. */
#define MAX_READY_VALUES	1024

/* A value as functions return it; it stays where it is while a transaction lasts. */
typedef struct ReadyValue
{
	char		key[STEWARD_TENANT_VALUE_SIZE];
	bool		is_int;
	bool		is_bigint;
	bool		is_uuid;
	int64		bigint;
	pg_uuid_t	uuid;
	union
	{
		int32		header;		/* for its alignment */
		char		bytes[VARHDRSZ + STEWARD_TENANT_VALUE_SIZE];
	}			text;
} ReadyValue;

const char *const steward_tenant_kind_names[] = {"tenant", "user"};

bool		steward_tenant_sessions = false;
static bool steward_tenant_strict = false;

/* What the settings say, laid out for the functions that run once a row. */
static struct
{
	const TenantValue *values[STEWARD_TENANT_KINDS];
	const ReadyValue *ready[STEWARD_TENANT_KINDS];
	uint64		settled[STEWARD_TENANT_KINDS];	/* the transaction in which
												 * "ready" needs no check */
	TimestampTz expires_at;
	TimestampTz judged_at;		/* the statement for which is known ... */
	bool		stands;			/* ... whether the tenant may work */
}			context = {.expires_at = DT_NOEND};

static HTAB *ready_values = NULL;
static ExecutorStart_hook_type next_executor_start = NULL;

/* Counts the top-level transactions of this process. */
static uint64 transaction = 1;

/* Takes over what the settings say from now on: a value of each kind, NULL for none, and until when. */
void
steward_tenant_follow(const TenantValue *const *values, TimestampTz expires_at)
{
	memcpy(context.values, values, sizeof(context.values));
	memset(context.ready, 0, sizeof(context.ready));
	memset(context.settled, 0, sizeof(context.settled));
	context.expires_at = expires_at;
	context.judged_at = 0;
}

/* Goes on to the next transaction, in which no value of the last one holds. */
void
steward_tenant_next_transaction(void)
{
	transaction++;
	context.judged_at = 0;
	if (ready_values != NULL && hash_get_num_entries(ready_values) > MAX_READY_VALUES)
	{
		hash_destroy(ready_values);
		ready_values = NULL;
		memset(context.ready, 0, sizeof(context.ready));
	}
}

/* Tells whether a value holds in the present transaction. */
bool
steward_tenant_holds(const TenantValue *value)
{
	return value->transaction == transaction || value->transaction == LEADERS_TRANSACTION ||
		(value->lasts && steward_tenant_sessions);
}

/* Tells whether the tenant may work, as it shall stay for the present statement. */
static bool
judge(TimestampTz statement)
{
	const TenantValue *tenant = context.values[STEWARD_TENANT];

	context.stands = tenant == NULL || steward_tenant_standing(tenant->text) == TENANT_ACTIVE;
	context.judged_at = statement;
	return context.stands;
}

/* Returns the tenant or user that the transaction says it works for, NULL if there is none. */
static inline const TenantValue *
stated_value(StewardTenantKind kind, TimestampTz statement)
{
	const TenantValue *value = context.values[kind];

	return value != NULL && steward_tenant_holds(value) && statement < context.expires_at ?
		value : NULL;
}

/* Returns the tenant or user that the present statement works for, NULL if there is none. */
const TenantValue *
steward_tenant_value(StewardTenantKind kind)
{
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	const TenantValue *value = stated_value(kind, statement);

	return value != NULL && (context.judged_at == statement ? context.stands : judge(statement)) ? value : NULL;
}

/* What is known of the present tenant may not hold for the next statement. */
void
steward_tenant_unsettle(void)
{
	memset(context.settled, 0, sizeof(context.settled));
}

/* Hears of suspended tenants before each statement: one that locks no more tables would not. */
static void
executor_start(QueryDesc *query, int eflags)
{
	if (context.values[STEWARD_TENANT] != NULL)
		AcceptInvalidationMessages();
	if (next_executor_start != NULL)
		next_executor_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

/* Returns the text of the tenant or user that the present statement works for, NULL if there is none. */
const char *
steward_tenant_text(StewardTenantKind kind)
{
	const TenantValue *value = steward_tenant_value(kind);

	return value != NULL ? value->text : NULL;
}

/* Returns the number of the present transaction, unique in this process. */
uint64
steward_tenant_transaction(void)
{
	return transaction;
}

/* What there is to return for want of a value: NULL, or 42501 under steward.tenant_strict. */
static pg_noinline Datum
no_value(FunctionCallInfo fcinfo, StewardTenantKind kind, const char *type)
{
	if (steward_tenant_strict)
	{
		const TenantValue *tenant = stated_value(STEWARD_TENANT, GetCurrentStatementStartTimestamp());

		if (tenant != NULL)
			steward_tenant_require_active(tenant->text);
		if (steward_tenant_value(kind) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("the %s of this transaction is not of type %s", steward_tenant_kind_names[kind], type)));
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("no %s context", steward_tenant_kind_names[kind]),
				 errhint("In each transaction, begin with SELECT steward.tenant_set(...); or SET LOCAL steward.token = '...';")));
	}
	PG_RETURN_NULL();
}

/* Returns a value as functions return it, from session memory. */
static const ReadyValue *
make_ready(const TenantValue *value)
{
	ReadyValue *ready;
	bool		found;

	if (ready_values == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(ready->key),
			.entrysize = sizeof(ReadyValue),
			.hcxt = steward_session_context(),
		};

		ready_values = hash_create("tenants and users", 64, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	}
	ready = hash_search(ready_values, value->text, HASH_ENTER, &found);
	if (!found)
	{
		int			length = strlen(value->text);

		ready->is_int = value->is_bigint && value->bigint == (int32) value->bigint;
		ready->is_bigint = value->is_bigint;
		ready->is_uuid = value->is_uuid;
		ready->bigint = value->bigint;
		ready->uuid = value->uuid;
		SET_VARSIZE(ready->text.bytes, VARHDRSZ + length);
		memcpy(ready->text.bytes + VARHDRSZ, value->text, length);
	}
	return ready;
}

/* Returns what ready_value() does, and finds out whether it may remember that. */
static pg_noinline const ReadyValue *
find_ready(StewardTenantKind kind)
{
	const TenantValue *value = steward_tenant_value(kind);

	if (value == NULL)
		return NULL;
	if (context.ready[kind] == NULL)
		context.ready[kind] = make_ready(value);
	if (context.expires_at == DT_NOEND && steward_tenant_registry_current() &&
		(value->transaction == transaction || value->transaction == LEADERS_TRANSACTION))
		context.settled[kind] = transaction;
	return context.ready[kind];
}

/*
 * Returns the tenant or user that the present statement works for as functions
 * return it, NULL if there is none.  A row costs some 30 ns to look at, and this
 * is called for each.
 */
static inline const ReadyValue *
ready_value(StewardTenantKind kind)
{
	return likely(context.settled[kind] == transaction) ? context.ready[kind] : find_ready(kind);
}

static inline Datum
current_int(FunctionCallInfo fcinfo, StewardTenantKind kind)
{
	const ReadyValue *ready = ready_value(kind);

	if (ready == NULL || !ready->is_int)
		return no_value(fcinfo, kind, "integer");
	PG_RETURN_INT32((int32) ready->bigint);
}

static inline Datum
current_bigint(FunctionCallInfo fcinfo, StewardTenantKind kind)
{
	const ReadyValue *ready = ready_value(kind);

	if (ready == NULL || !ready->is_bigint)
		return no_value(fcinfo, kind, "bigint");
	PG_RETURN_INT64(ready->bigint);
}

static inline Datum
current_uuid(FunctionCallInfo fcinfo, StewardTenantKind kind)
{
	const ReadyValue *ready = ready_value(kind);

	if (ready == NULL || !ready->is_uuid)
		return no_value(fcinfo, kind, "uuid");
	PG_RETURN_UUID_P(&ready->uuid);
}

static inline Datum
current_text(FunctionCallInfo fcinfo, StewardTenantKind kind)
{
	const ReadyValue *ready = ready_value(kind);

	if (ready == NULL)
		return no_value(fcinfo, kind, "text");
	PG_RETURN_TEXT_P(ready->text.bytes);
}

PG_FUNCTION_INFO_V1(steward_current_tenant_int);
Datum
steward_current_tenant_int(PG_FUNCTION_ARGS)
{
	return current_int(fcinfo, STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_current_tenant_bigint);
Datum
steward_current_tenant_bigint(PG_FUNCTION_ARGS)
{
	return current_bigint(fcinfo, STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_current_tenant_uuid);
Datum
steward_current_tenant_uuid(PG_FUNCTION_ARGS)
{
	return current_uuid(fcinfo, STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_current_tenant_text);
Datum
steward_current_tenant_text(PG_FUNCTION_ARGS)
{
	return current_text(fcinfo, STEWARD_TENANT);
}

PG_FUNCTION_INFO_V1(steward_current_user_id_int);
Datum
steward_current_user_id_int(PG_FUNCTION_ARGS)
{
	return current_int(fcinfo, STEWARD_USER);
}

PG_FUNCTION_INFO_V1(steward_current_user_id_bigint);
Datum
steward_current_user_id_bigint(PG_FUNCTION_ARGS)
{
	return current_bigint(fcinfo, STEWARD_USER);
}

PG_FUNCTION_INFO_V1(steward_current_user_id_uuid);
Datum
steward_current_user_id_uuid(PG_FUNCTION_ARGS)
{
	return current_uuid(fcinfo, STEWARD_USER);
}

PG_FUNCTION_INFO_V1(steward_current_user_id_text);
Datum
steward_current_user_id_text(PG_FUNCTION_ARGS)
{
	return current_text(fcinfo, STEWARD_USER);
}

/* Defines the settings of these functions. */
void
steward_tenant_current_init(void)
{
	DefineCustomBoolVariable("steward.tenant_sessions",
							 "Lets tenant, user and token be set for a session.",
							 "Not for use behind a pooler: they stay until they are changed.",
							 &steward_tenant_sessions, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("steward.tenant_strict",
							 "Makes it an error to ask for the tenant or user where there is none.",
							 NULL,
							 &steward_tenant_strict, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	next_executor_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
}
