/*
 * audit_context.c
 *		Who is at work: one row of steward.audit_contexts for each distinct
 *		context a session works in, found again in the session's memory.
 */
#include "audit/audit_internal.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "replication/origin.h"
#include "tenant/tenant.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

/*
 * A context row serves for at most a day.  So a row older than the oldest
 * event by more than that is needed by nobody: audit_maintain() relies on it.
 */
#define CONTEXT_LIFETIME	((TimestampTz) SECS_PER_DAY * USECS_PER_SEC)

/* Sessions that speak for ever new users start over at this many. */
#define MAX_CONTEXTS		1024

/* Columns of steward.audit_contexts. */
enum
{
	CONTEXT_ID,
	CONTEXT_ERA,
	CONTEXT_CREATED_AT,
	CONTEXT_SESSION_USER,
	CONTEXT_ROLE,
	CONTEXT_USER_ID,
	CONTEXT_USER_VERIFIED,
	CONTEXT_TENANT_ID,
	CONTEXT_TENANT_VERIFIED,
	CONTEXT_CLIENT_IP,
	CONTEXT_CLIENT_ADDR,
	CONTEXT_CLIENT_PORT,
	CONTEXT_APPLICATION_NAME,
	CONTEXT_BACKEND_PID,
	CONTEXT_BACKEND_START,
	CONTEXT_ORIGIN,
	CONTEXT_CONTEXT,
	CONTEXT_NATTS
};

/* The texts that can change while a session runs. */
enum
{
	TEXT_USER_ID,
	TEXT_TENANT_ID,
	TEXT_CLIENT_IP,
	TEXT_CONTEXT,
	TEXT_APPLICATION_NAME,
	NTEXTS
};

/* What tells one context of a session from another. */
typedef struct ContextFacts
{
	Oid			session_user;
	Oid			role;
	ReplOriginId origin;
	bool		verified[STEWARD_TENANT_KINDS]; /* not just what a setting
												 * says */
	bool		upkeep_paused;	/* for the table that changes */
	const char *texts[NTEXTS];	/* "" for what is not set */
} ContextFacts;

typedef struct AuditContext
{
	uint64		hash;			/* of the facts; hash key */
	ContextFacts facts;
	int64		id;
	TimestampTz expires;
	Provisional stored;
} AuditContext;

static HTAB *contexts = NULL;
static AuditContext *current = NULL;

/* The table that has their rows. */
static Oid	stored_in = InvalidOid;
static Oid	stored_in_file = InvalidOid;
static bool stored_in_checked = false;

/* Returns the value of the setting that is to say "text", "" if there is no such setting. */
static const char *
setting(int text, const char *name)
{
	static int	places[NTEXTS];
	const char *value = NULL;

	if (name != NULL && name[0] != '\0')
		value = steward_get_setting(name, &places[text]);
	return value != NULL ? value : "";
}

/* Returns the tenant or user of the transaction if the tenant module knows it, else what a setting says. */
static const char *
setting_unless_known(StewardTenantKind kind, int text, const char *name)
{
	const char *known = steward_tenant_text(kind);

	return known != NULL ? known : setting(text, name);
}

/* Finds out what the present context of a change of a table is; the texts are not copied. */
static void
gather_facts(ContextFacts *facts, Relation rel)
{
	facts->session_user = GetSessionUserId();
	facts->role = GetOuterUserId();
	facts->origin = SessionReplicationOrigin;
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		facts->verified[kind] = steward_tenant_text(kind) != NULL;
	facts->upkeep_paused = steward_upkeep_is_paused(rel);
	facts->texts[TEXT_USER_ID] = setting_unless_known(STEWARD_USER, TEXT_USER_ID, steward_audit_user_setting);
	facts->texts[TEXT_TENANT_ID] = setting_unless_known(STEWARD_TENANT, TEXT_TENANT_ID, steward_audit_tenant_setting);
	facts->texts[TEXT_CLIENT_IP] = setting(TEXT_CLIENT_IP, steward_audit_client_ip_setting);
	facts->texts[TEXT_CONTEXT] = steward_context != NULL ? steward_context : "";
	facts->texts[TEXT_APPLICATION_NAME] = application_name != NULL ? application_name : "";
}

/* Tells whether two sets of facts describe the same context. */
static bool
same_facts(const ContextFacts *a, const ContextFacts *b)
{
	if (a->session_user != b->session_user || a->role != b->role || a->origin != b->origin ||
		a->upkeep_paused != b->upkeep_paused ||
		memcmp(a->verified, b->verified, sizeof(a->verified)) != 0)
		return false;
	for (int i = 0; i < NTEXTS; i++)
		if (strcmp(a->texts[i], b->texts[i]) != 0)
			return false;
	return true;
}

static uint64
hash_facts(const ContextFacts *facts)
{
	uint64		hash = ((uint64) facts->session_user << 32) | facts->role;

	hash = hash_combine64(hash, facts->origin);
	hash = hash_combine64(hash, facts->upkeep_paused);
	hash = hash_bytes_extended((const unsigned char *) facts->verified, sizeof(facts->verified), hash);
	for (int i = 0; i < NTEXTS; i++)
		hash = hash_bytes_extended((const unsigned char *) facts->texts[i],
								   strlen(facts->texts[i]), hash);
	return hash;
}

/* Drops a context from memory; its texts go with it. */
static void
forget_context(AuditContext *context)
{
	if (current == context)
		current = NULL;
	for (int i = 0; i < NTEXTS; i++)
		pfree(unconstify(char *, context->facts.texts[i]));
	hash_search(contexts, &context->hash, HASH_REMOVE, NULL);
}

static void
forget_stored(Provisional *it)
{
	forget_context((AuditContext *) ((char *) it - offsetof(AuditContext, stored)));
}

/*
 * Drops all contexts from memory.  Where that was for want of room, some get a
 * second row, which does no harm.
 */
static void
forget_all_contexts(void)
{
	HASH_SEQ_STATUS scan;
	AuditContext *context;

	if (contexts == NULL)
		return;
	hash_seq_init(&scan, contexts);
	while ((context = hash_seq_search(&scan)) != NULL)
	{
		steward_settle(&context->stored);
		forget_context(context);
	}
}

/* A relation has changed; if that may be steward.audit_contexts, see whether its rows are still there. */
void
steward_audit_context_changed(Oid relid)
{
	if (!OidIsValid(relid) || relid == stored_in)
		stored_in_checked = false;
}

/*
 * Drops all contexts if steward.audit_contexts is not the table that they were
 * stored in, or was truncated since: then it has another file.
 */
static void
check_stored_in(void)
{
	Oid			relid = steward_audit_relation("audit_contexts");
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			file;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	file = ((Form_pg_class) GETSTRUCT(tuple))->relfilenode;
	ReleaseSysCache(tuple);

	if (relid != stored_in || file != stored_in_file)
		forget_all_contexts();
	stored_in = relid;
	stored_in_file = file;
	stored_in_checked = true;
}

/* Returns the name of a role, also of one that was dropped meanwhile. */
static char *
role_name(Oid role)
{
	char	   *name = GetUserNameFromId(role, true);

	return name != NULL ? name : psprintf("unknown (OID=%u)", role);
}

/*
 * Reads text as a value of a type; returns false where the type's input
 * function refuses it.  A subtransaction keeps the refusal from the user.
 */
static bool
read_text(Oid type, const char *text, Datum *value)
{
	MemoryContext mcxt = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile bool valid = true;
	Oid			function;
	Oid			io_param;

	getTypeInputInfo(type, &function, &io_param);

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(mcxt);
	PG_TRY();
	{
		*value = OidInputFunctionCall(function, unconstify(char *, text), io_param, -1);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(mcxt);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		valid = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(mcxt);
	CurrentResourceOwner = owner;

	return valid;
}

/*
 * Returns a setting's text as the log may keep it.  What comes with the startup
 * packet is not checked to be in the database's encoding; a byte that is not
 * would make the log's dump impossible to restore, so such text has all its
 * bytes above ASCII written as \xHH.
 */
static const char *
valid_text(const char *text)
{
	StringInfoData escaped;

	if (pg_verifymbstr(text, strlen(text), true))
		return text;

	initStringInfo(&escaped);
	for (const unsigned char *c = (const unsigned char *) text; *c != '\0'; c++)
	{
		if (IS_HIGHBIT_SET(*c))
			appendStringInfo(&escaped, "\\x%02X", *c);
		else
			appendStringInfoChar(&escaped, *c);
	}
	return escaped.data;
}

/* Returns the application's user as far as the transaction's context or a setting says who that is, else "". */
const char *
steward_application_user(void)
{
	return valid_text(setting_unless_known(STEWARD_USER, TEXT_USER_ID, steward_audit_user_setting));
}

/* Adds a setting that could not be read to the JSON text of those. */
static void
note_malformed(StringInfo malformed, const char *name, const char *value)
{
	appendStringInfoString(malformed, malformed->len == 0 ? "{\"malformed\": {" : ", ");
	escape_json(malformed, name);
	appendStringInfoString(malformed, ": ");
	escape_json(malformed, value);
}

/* Calls a function of no arguments that may return NULL. */
static Datum
call_without_arguments(PGFunction function, bool *isnull)
{
	LOCAL_FCINFO(fcinfo, 0);
	Datum		result;

	InitFunctionCallInfoData(*fcinfo, NULL, 0, InvalidOid, NULL, NULL);
	result = function(fcinfo);
	*isnull = fcinfo->isnull;
	return result;
}

/* Adds what JSON text says to the object in column "context". */
static void
add_to_context(Datum *values, bool *isnull, const char *text)
{
	Datum		more = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	values[CONTEXT_CONTEXT] = isnull[CONTEXT_CONTEXT] ? more :
		DirectFunctionCall2(jsonb_concat, values[CONTEXT_CONTEXT], more);
	isnull[CONTEXT_CONTEXT] = false;
}

/*
 * Writes the row of a context and returns its id.  A setting that cannot be
 * read is kept as text under "malformed" in the column "context", which also
 * says if triggers of upkeep stood aside.
 */
static int64
store_context(const ContextFacts *facts, TimestampTz now)
{
	Datum		values[CONTEXT_NATTS] = {0};
	bool		isnull[CONTEXT_NATTS] = {false};
	int64		id = steward_new_id();
	const char *texts[NTEXTS];
	const char *client_ip;
	const char *context;
	StringInfoData malformed;
	char	   *origin = NULL;

	for (int i = 0; i < NTEXTS; i++)
		texts[i] = valid_text(facts->texts[i]);
	client_ip = texts[TEXT_CLIENT_IP];
	context = texts[TEXT_CONTEXT];

	initStringInfo(&malformed);

	values[CONTEXT_ID] = Int64GetDatum(id);
	values[CONTEXT_ERA] = Int64GetDatum((int64) GetSystemIdentifier());
	values[CONTEXT_CREATED_AT] = TimestampTzGetDatum(now);
	values[CONTEXT_SESSION_USER] =
		CStringGetTextDatum(role_name(facts->session_user));
	values[CONTEXT_ROLE] = CStringGetTextDatum(role_name(facts->role));
	values[CONTEXT_USER_ID] = CStringGetTextDatum(texts[TEXT_USER_ID]);
	isnull[CONTEXT_USER_ID] = texts[TEXT_USER_ID][0] == '\0';
	values[CONTEXT_USER_VERIFIED] = BoolGetDatum(facts->verified[STEWARD_USER]);
	values[CONTEXT_TENANT_ID] = CStringGetTextDatum(texts[TEXT_TENANT_ID]);
	isnull[CONTEXT_TENANT_ID] = texts[TEXT_TENANT_ID][0] == '\0';
	values[CONTEXT_TENANT_VERIFIED] = BoolGetDatum(facts->verified[STEWARD_TENANT]);

	isnull[CONTEXT_CLIENT_IP] = client_ip[0] == '\0';
	if (client_ip[0] != '\0' && !read_text(INETOID, client_ip, &values[CONTEXT_CLIENT_IP]))
	{
		isnull[CONTEXT_CLIENT_IP] = true;
		note_malformed(&malformed, steward_audit_client_ip_setting, client_ip);
	}

	values[CONTEXT_CLIENT_ADDR] =
		call_without_arguments(inet_client_addr, &isnull[CONTEXT_CLIENT_ADDR]);
	values[CONTEXT_CLIENT_PORT] =
		call_without_arguments(inet_client_port, &isnull[CONTEXT_CLIENT_PORT]);
	values[CONTEXT_APPLICATION_NAME] = CStringGetTextDatum(texts[TEXT_APPLICATION_NAME]);
	values[CONTEXT_BACKEND_PID] = Int32GetDatum(MyProcPid);
	values[CONTEXT_BACKEND_START] = TimestampTzGetDatum(MyStartTimestamp);

	isnull[CONTEXT_ORIGIN] = true;
	if (facts->origin != InvalidReplOriginId && replorigin_by_oid(facts->origin, true, &origin))
	{
		isnull[CONTEXT_ORIGIN] = false;
		values[CONTEXT_ORIGIN] = CStringGetTextDatum(origin);
	}

	isnull[CONTEXT_CONTEXT] = context[0] == '\0';
	if (context[0] != '\0' &&
		(!read_text(JSONBOID, context, &values[CONTEXT_CONTEXT]) ||
		 !JB_ROOT_IS_OBJECT(DatumGetJsonbP(values[CONTEXT_CONTEXT]))))
	{
		isnull[CONTEXT_CONTEXT] = true;
		note_malformed(&malformed, "steward.context", context);
	}
	if (malformed.len > 0)
	{
		appendStringInfoString(&malformed, "}}");
		add_to_context(values, isnull, malformed.data);
	}
	if (facts->upkeep_paused)
		add_to_context(values, isnull, "{\"upkeep_paused\": true}");

	steward_audit_insert("audit_contexts", values, isnull);
	return id;
}

/*
 * Returns the id of the row in steward.audit_contexts that describes the
 * present context of a change of a table, writing it if this session has not yet; "expires" tells
 * until when the id may be used without asking again.
 */
int64
steward_audit_context_id(Relation rel, TimestampTz *expires)
{
	ContextFacts facts;
	TimestampTz now = GetCurrentTimestamp();
	uint64		hash;
	bool		found;

	if (!stored_in_checked)
		check_stored_in();
	gather_facts(&facts, rel);
	if (current == NULL || now >= current->expires || !same_facts(&facts, &current->facts))
	{
		if (contexts == NULL)
		{
			HASHCTL		ctl = {
				.keysize = sizeof(uint64),
				.entrysize = sizeof(AuditContext),
				.hcxt = steward_session_context(),
			};

			contexts = hash_create("audit contexts", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		}

		hash = hash_facts(&facts);
		current = hash_search(contexts, &hash, HASH_FIND, NULL);
		if (current != NULL &&
			(now >= current->expires || !same_facts(&facts, &current->facts)))
		{
			AuditContext *stale = current;

			steward_settle(&stale->stored);
			forget_context(stale);
		}
		if (current == NULL)
		{
			int64		id = store_context(&facts, now);

			if (hash_get_num_entries(contexts) >= MAX_CONTEXTS)
				forget_all_contexts();
			current = hash_search(contexts, &hash, HASH_ENTER, &found);
			Assert(!found);
			current->facts = facts;
			for (int i = 0; i < NTEXTS; i++)
				current->facts.texts[i] = MemoryContextStrdup(steward_session_context(), facts.texts[i]);
			current->id = id;
			current->expires = now + CONTEXT_LIFETIME;
			steward_provisional(&current->stored, forget_stored);
		}
	}

	*expires = current->expires;
	return current->id;
}
