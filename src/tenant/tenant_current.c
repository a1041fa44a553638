/*
 * tenant_current.c
 *		The tenant and user that there are at present, and the functions that ask for them once a row.
 */
#include "tenant/tenant_internal.h"

#include "access/parallel.h"
#include "utils/guc.h"
#include "utils/hsearch.h"

/* Values in session memory are given back when a transaction ends with more than this. */
#define MAX_READY_VALUES	1024

/*
 * A query that is run within this time of its start is judged once: a context that
 * expires just then makes it no query that goes on in another.
 */
#define AT_ONCE				(100 * INT64CONST(1000))

/* A value as functions return it; it stays where it is while a transaction lasts. */
struct ReadyValue
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
};

const char *const steward_tenant_kind_names[] = {"tenant", "user"};

/* What to do for want of a context. */
const char *const steward_tenant_hint =
"In each transaction, begin with SELECT steward.tenant_login(...); or SELECT steward.tenant_set(...);";

bool		steward_tenant_sessions = false;
static bool steward_tenant_strict = false;

/* What the settings say, laid out for the functions that run once a row. */
static struct
{
	const TenantValue *values[STEWARD_TENANT_KINDS];
	const ReadyValue *ready[STEWARD_TENANT_KINDS];
	uint64		settled[STEWARD_TENANT_KINDS];	/* the query for which "ready"
												 * needs no check */
	uint64		settings;		/* counts their changes */
	TimestampTz expires_at;
	const char *token;			/* NULL if it says nothing */
	TimestampTz keys_loaded;	/* those that verified it */
}			context = {.expires_at = DT_NOEND};

static HTAB *ready_values = NULL;

/* The query at work, the innermost of them; NULL outside of any, as in an expression of PL/pgSQL. */
static TenantQuery *query = NULL;
static uint64 query_number = 0;

/* Counts the top-level transactions of this process. */
static uint64 transaction = 1;

/* What was found out from the settings is no more. */
static void
unsettle(void)
{
	context.settings++;
	memset(context.ready, 0, sizeof(context.ready));
	memset(context.settled, 0xFF, sizeof(context.settled));
}

/*
 * Takes over what the settings say from now on: a value of each kind, NULL for
 * none; until when; and the token that says so, if one does, with the time at
 * which the keys were loaded that verified it.
 */
void
steward_tenant_follow(const TenantValue *const *values, TimestampTz expires_at,
					  const char *token, TimestampTz keys_loaded)
{
	memcpy(context.values, values, sizeof(context.values));
	context.expires_at = expires_at;
	context.token = token;
	context.keys_loaded = keys_loaded;
	unsettle();
}

/* Goes on to the next transaction, in which no value of the last one holds. */
void
steward_tenant_next_transaction(void)
{
	transaction++;
	unsettle();
	if (ready_values != NULL && hash_get_num_entries(ready_values) > MAX_READY_VALUES)
	{
		hash_destroy(ready_values);
		ready_values = NULL;
	}
}

/* Tells whether a value holds in the present transaction. */
bool
steward_tenant_holds(const TenantValue *value)
{
	return value->transaction == transaction || value->transaction == LEADERS_TRANSACTION ||
		(value->lasts && steward_tenant_sessions);
}

/* Tells whether the token's key is still there: keys may have been taken away since it was verified. */
static bool
token_verifies(void)
{
	StewardTokenClaims claims;
	char		payload[STEWARD_TOKEN_SIZE];

	if (context.token == NULL || context.keys_loaded == PgReloadTime)
		return true;
	if (steward_token_read(context.token, false, &claims, payload) != NULL)
		return false;
	context.keys_loaded = PgReloadTime;
	return true;
}

/* Returns the time by which to tell whether the context has expired; any, if it does not. */
static TimestampTz
look_at_clock(void)
{
	return context.expires_at == DT_NOEND ? 0 : GetCurrentTimestamp();
}

/*
 * Tells whether the context holds at this moment: its token has not expired, and
 * its tenant may work.  The leader of parallel workers has found that out for them.
 */
static bool
context_stands_at(TimestampTz now)
{
	const TenantValue *tenant = context.values[STEWARD_TENANT];

	if (IsParallelWorker())
		return true;
	if (now >= context.expires_at)
		return false;
	return token_verifies() && (tenant == NULL || steward_tenant_standing(tenant->text) == TENANT_ACTIVE);
}

/* Tells whether the context holds for a query, for all of it as when it first asked; NULL stands for none. */
bool
steward_tenant_stands(TenantQuery *it)
{
	if (it == NULL)
		return context_stands_at(look_at_clock());
	if (it->settings != context.settings)
	{
		it->judged_at = look_at_clock();
		it->stands = context_stands_at(it->judged_at);
		it->settings = context.settings;
	}
	return it->stands;
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

/* Returns a value of the context as functions return it. */
static const ReadyValue *
present_ready(StewardTenantKind kind)
{
	if (context.ready[kind] == NULL)
		context.ready[kind] = make_ready(context.values[kind]);
	return context.ready[kind];
}

/* Returns the tenant or user that the query at work works for, NULL if there is none. */
const TenantValue *
steward_tenant_value(StewardTenantKind kind)
{
	const TenantValue *value = context.values[kind];

	if (value != NULL && !(steward_tenant_holds(value) && steward_tenant_stands(query)))
		value = NULL;
	if (query != NULL && !query->asked[kind])
	{
		query->values[kind] = value != NULL ? present_ready(kind) : NULL;
		query->asked[kind] = true;
	}
	return value;
}

/* Tells whether the query at work would get no tenant or user, without asking for it. */
bool
steward_tenant_missing(StewardTenantKind kind)
{
	const TenantValue *value = context.values[kind];

	return value == NULL || !steward_tenant_holds(value) || !steward_tenant_stands(query);
}

/* Goes over to another query, or to none, and returns the one before. */
TenantQuery *
steward_tenant_work_in(TenantQuery *it)
{
	TenantQuery *outer = query;

	query = it;
	query_number = it != NULL ? it->number : 0;
	return outer;
}

/* Tells whether anything is set, whether it holds or not. */
bool
steward_tenant_has_context(void)
{
	return context.values[STEWARD_TENANT] != NULL || context.values[STEWARD_USER] != NULL;
}

/* Raises 42501 if a query that is to be run on has asked for which tenant it works, and would get another answer now. */
void
steward_tenant_check_query(const TenantQuery *it)
{
	const TimestampTz now = look_at_clock();
	const bool	stands = steward_tenant_has_context() &&
		((!it->run && it->stands && it->settings == context.settings && it->judged_at != 0 && now - it->judged_at < AT_ONCE) ||
		 context_stands_at(now));

	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
	{
		const TenantValue *value = context.values[kind];
		const ReadyValue *present = stands && value != NULL && steward_tenant_holds(value) ? present_ready(kind) : NULL;

		if (it->asked[kind] && it->values[kind] != present)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("cannot go on with a query that was begun for %s %s",
							it->values[kind] != NULL ? "another" : "no", steward_tenant_kind_names[kind]),
					 present == NULL ? errdetail("The context in which it was begun has ended.") : 0,
					 errhint("Close the cursor and declare it again.")));
	}
}

/* Asks for what there is, for the query at work. */
void
steward_tenant_ask(void)
{
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		if (context.values[kind] != NULL)
			(void) steward_tenant_value(kind);
}

/* Returns the text of the tenant or user that the query at work works for, NULL if there is none. */
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
		const TenantValue *tenant = context.values[STEWARD_TENANT];

		if (tenant != NULL && steward_tenant_holds(tenant))
			steward_tenant_require_active(tenant->text);
		if (steward_tenant_value(kind) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("the %s of this transaction is not of type %s", steward_tenant_kind_names[kind], type)));
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("no %s context", steward_tenant_kind_names[kind]),
				 errhint("%s", steward_tenant_hint)));
	}
	PG_RETURN_NULL();
}

/* Returns what ready_value() does, and remembers it for the query at work. */
static pg_noinline const ReadyValue *
find_ready(StewardTenantKind kind)
{
	if (steward_tenant_value(kind) == NULL)
		return NULL;
	if (query != NULL)
		context.settled[kind] = query_number;
	return present_ready(kind);
}

/*
 * Returns the tenant or user that the query at work works for as functions
 * return it, NULL if there is none.  A row costs some 30 ns to look at, and this
 * is called for each.
 */
static inline const ReadyValue *
ready_value(StewardTenantKind kind)
{
	return likely(context.settled[kind] == query_number) ? context.ready[kind] : find_ready(kind);
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

/* The comparison of a column with current_tenant_uuid(), where no index serves it, in one call. */
PG_FUNCTION_INFO_V1(steward_is_current_tenant_uuid);
Datum
steward_is_current_tenant_uuid(PG_FUNCTION_ARGS)
{
	const ReadyValue *ready = ready_value(STEWARD_TENANT);

	if (ready == NULL || !ready->is_uuid)
		return no_value(fcinfo, STEWARD_TENANT, "uuid");
	PG_RETURN_BOOL(memcmp(PG_GETARG_UUID_P(0), &ready->uuid, UUID_LEN) == 0);
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
							 "Without it, policies show nobody's rows then, and functions return null.",
							 &steward_tenant_strict, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
}
