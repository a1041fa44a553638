/*
 * tenant.c
 *		For which tenant and user a transaction works.
 *
 * The context lives in settings: so it follows savepoints, reaches parallel
 * workers, needs no transaction id and works on a standby.  What a setting's
 * text means is found out once, by its check hook, and kept as its "extra".
 */
#include "tenant/tenant_internal.h"

#include "access/parallel.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* What a token says. */
typedef struct TenantToken
{
	TenantValue values[STEWARD_TENANT_KINDS];
	TimestampTz expires_at;
	TimestampTz keys_loaded;	/* those that verified it */
	char		payload[FLEXIBLE_ARRAY_MEMBER];
} TenantToken;

/* The settings; the first are of the kinds. */
enum
{
	SETTING_TENANT = STEWARD_TENANT,
	SETTING_USER = STEWARD_USER,
	SETTING_CLAIMS,
	SETTING_TOKEN,
	NSETTINGS
};

static char *settings[NSETTINGS];

/* What the settings hold: the extras of their present values. */
static const TenantValue *assigned[STEWARD_TENANT_KINDS];
static const TenantValue *assigned_claims = NULL;
static const TenantToken *assigned_token = NULL;
static const char *assigned_token_text = NULL;

/* The settings to which the present one has given a value. */
static bool touched[NSETTINGS];

/* The library is being loaded: values come from before, unchecked. */
static bool loading = false;

static const char *const setting_names[] = {"steward.tenant", "steward.user_id", "steward.claims", "steward.token"};

/* Reports for a check hook what is wrong, without anything of a token, and returns false. */
static bool
refuse(int sqlstate, const char *message, const char *detail, const char *hint)
{
	GUC_check_errcode(sqlstate);
	GUC_check_errmsg("%s", message);
	if (detail != NULL)
		GUC_check_errdetail("%s", detail);
	if (hint != NULL)
		GUC_check_errhint("%s", hint);
	return false;
}

/* Tells whether a later statement of the same transaction can use what is set now. */
static bool
transaction_goes_on(void)
{
	return IsTransactionBlock() || SPI_inside_nonatomic_context();
}

/* Raises 25P01 where a function that sets something for the rest of the transaction would be of no use. */
void
steward_require_transaction(const char *function)
{
	if (!transaction_goes_on())
		ereport(ERROR,
				(errcode(ERRCODE_NO_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s can only be used in transaction blocks", function),
				 errdetail("Its effect ends with the transaction."),
				 errhint("BEGIN;")));
}

/*
 * Tells for a check hook whether a value may be set here and now, and in
 * "holds_in" and "lasts" when it then holds.  Values that the session began with, or that
 * were set before the library was there to check them, are anybody's.
 */
static bool
admit(const char *name, GucSource source, uint64 *holds_in, bool *lasts)
{
	*holds_in = 0;
	*lasts = steward_tenant_sessions;

	if (InitializingParallelWorker)
	{
		if (source == PGC_S_SESSION || steward_tenant_sessions)
			*holds_in = LEADERS_TRANSACTION;
		return true;
	}
	if (IsTransactionState())
		*holds_in = steward_tenant_transaction();
	if (steward_tenant_sessions)
		return true;
	if (loading)
		return refuse(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					  psprintf("setting \"%s\" was set before pg_steward was loaded and does not count", name),
					  "Libraries are loaded by session_preload_libraries, or with the first call of a function.",
					  "SELECT steward.tenant_login(...);");
	if (source != PGC_S_SESSION || *holds_in == 0)
		return refuse(ERRCODE_CANT_CHANGE_RUNTIME_PARAM,
					  psprintf("setting \"%s\" can only be set in a transaction", name),
					  "It cannot be given a value for a session, role or database, or in a file.", NULL);
	if (!transaction_goes_on())
		return refuse(ERRCODE_NO_ACTIVE_SQL_TRANSACTION,
					  psprintf("setting \"%s\" can only be set in a transaction block", name),
					  "Its value ends with the transaction.", "BEGIN;");
	if (steward_tenant_holds_cursor())
		return refuse(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
					  "this transaction has declared a cursor WITH HOLD",
					  "COMMIT would fetch the rows of a tenant or user for it, and keep them for the session's next client.",
					  "Begin another transaction: COMMIT or ROLLBACK first.");
	if (InSecurityRestrictedOperation())
		return refuse(ERRCODE_INSUFFICIENT_PRIVILEGE,
					  psprintf("cannot set \"%s\" within security-restricted operation", name), NULL, NULL);
	return true;
}

/* Tells for a check hook whether the present transaction has no other value of this kind. */
static bool
check_pin(StewardTenantKind kind, const char *text)
{
	return steward_tenant_may_pin(kind, text) ||
		refuse(ERRCODE_INSUFFICIENT_PRIVILEGE,
			   psprintf("this transaction is for another %s", steward_tenant_kind_names[kind]), NULL,
			   "Use a transaction for each: COMMIT or ROLLBACK first.");
}

/* Brings a value to the one form that it has, for a check hook. */
static bool
bring_to_form(StewardTenantKind kind, char *text)
{
	return steward_tenant_canonicalize(text) ||
		refuse(ERRCODE_INVALID_PARAMETER_VALUE,
			   psprintf("%s is not in Unicode normalization form C", steward_tenant_kind_names[kind]),
			   "It would be another one than the text that looks the same.",
			   "SELECT normalize(...);");
}

/* Checks a tenant or user that is about to be set. */
static bool
check_value(char **newval, void **extra, GucSource source, StewardTenantKind kind)
{
	TenantValue *value;
	uint64		holds_in;
	bool		lasts;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (strlen(*newval) >= sizeof(value->text))
		return refuse(ERRCODE_INVALID_PARAMETER_VALUE,
					  psprintf("%s is too long", steward_tenant_kind_names[kind]),
					  psprintf("At most %d bytes are allowed.", STEWARD_TENANT_VALUE_SIZE - 1), NULL);
	if (!admit(setting_names[kind], source, &holds_in, &lasts) || !bring_to_form(kind, *newval) ||
		(holds_in == steward_tenant_transaction() && !check_pin(kind, *newval)))
		return false;

	value = steward_guc_malloc(sizeof(TenantValue));
	if (value == NULL)
		return false;
	steward_tenant_read_value(value, *newval, holds_in, lasts);
	*extra = value;
	return true;
}

static bool
check_tenant(char **newval, void **extra, GucSource source)
{
	return check_value(newval, extra, source, STEWARD_TENANT);
}

static bool
check_user(char **newval, void **extra, GucSource source)
{
	return check_value(newval, extra, source, STEWARD_USER);
}

static bool
check_claims(char **newval, void **extra, GucSource source)
{
	TenantValue *value;
	uint64		holds_in;
	bool		lasts;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!admit("steward.claims", source, &holds_in, &lasts))
		return false;
	value = steward_guc_malloc(sizeof(TenantValue));
	if (value == NULL)
		return false;
	steward_tenant_read_value(value, "", holds_in, lasts);
	*extra = value;
	return true;
}

static bool
check_token(char **newval, void **extra, GucSource source)
{
	StewardTokenClaims claims;
	char		payload[STEWARD_TOKEN_SIZE];
	const char *reason;
	TenantToken *token;
	uint64		holds_in;
	bool		lasts;

	if (*newval == NULL || **newval == '\0')
		return true;
	if (!admit("steward.token", source, &holds_in, &lasts))
		return false;

	/* what verifies uses resources and catalogs */
	if (!IsTransactionState())
		reason = "A token can be verified only within a transaction.";
	else
		reason = steward_token_read(*newval, InitializingParallelWorker, &claims, payload);
	if (reason != NULL)
		return refuse(ERRCODE_INVALID_PARAMETER_VALUE, "invalid value for parameter \"steward.token\"", reason, NULL);
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		if (claims.values[kind][0] != '\0' && holds_in == steward_tenant_transaction() && !check_pin(kind, claims.values[kind]))
			return false;

	token = steward_guc_malloc(offsetof(TenantToken, payload) + strlen(payload) + 1);
	if (token == NULL)
		return false;
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		steward_tenant_read_value(&token->values[kind], claims.values[kind], holds_in, lasts);
	token->expires_at = claims.expires_at;
	token->keys_loaded = PgReloadTime;
	strcpy(token->payload, payload);
	*extra = token;
	return true;
}

/* The settings have changed. While there is a token, it alone says what the context is. */
static void
follow_settings(void)
{
	const TenantValue *values[STEWARD_TENANT_KINDS];

	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
	{
		const TenantValue *value = assigned_token != NULL ? &assigned_token->values[kind] : assigned[kind];

		values[kind] = value != NULL && value->text[0] != '\0' ? value : NULL;
	}
	if (assigned_token != NULL)
		steward_tenant_follow(values, assigned_token->expires_at, assigned_token_text, assigned_token->keys_loaded);
	else
		steward_tenant_follow(values, DT_NOEND, NULL, 0);
	if (values[STEWARD_TENANT] != NULL)
		steward_tenant_discard_plans(values[STEWARD_TENANT]->text);
}

static void
assign_value(StewardTenantKind kind, void *extra)
{
	assigned[kind] = extra;
	touched[kind] |= extra != NULL;
	steward_tenant_pin(kind, extra);
	follow_settings();
}

static void
assign_tenant(const char *newval, void *extra)
{
	assign_value(STEWARD_TENANT, extra);
}

static void
assign_user(const char *newval, void *extra)
{
	assign_value(STEWARD_USER, extra);
}

static void
assign_claims(const char *newval, void *extra)
{
	assigned_claims = extra;
	touched[SETTING_CLAIMS] |= extra != NULL;
}

static void
assign_token(const char *newval, void *extra)
{
	assigned_token = extra;
	assigned_token_text = newval;
	touched[SETTING_TOKEN] |= extra != NULL;
	for (int kind = 0; assigned_token != NULL && kind < STEWARD_TENANT_KINDS; kind++)
		steward_tenant_pin(kind, &assigned_token->values[kind]);
	follow_settings();
}

/* What SHOW shows of a token: injected SQL shall not carry it away. */
static const char *
show_token(void)
{
	return assigned_token != NULL ? "********" : "";
}

/* Changes one of the settings as the library's own doing, whoever is at work. */
static void
set_setting(int setting, const char *value, GucAction action)
{
	(void) set_config_option(setting_names[setting], value, PGC_SUSET, PGC_S_SESSION, action, true, 0, false);
}

/* Changes one of the settings for the rest of the transaction, if it is not as it shall be. */
static void
set_local(int setting, const char *value)
{
	if (strcmp(settings[setting] != NULL ? settings[setting] : "", value) != 0)
		set_setting(setting, value, GUC_ACTION_LOCAL);
}

/* What must not outlive its transaction. */
static void
end_transaction(XactEvent event)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:

			/*
			 * What SET without LOCAL set would stay.  A parallel worker gets
			 * its settings in a transaction before its leader's.
			 */
			if (steward_tenant_sessions || IsParallelWorker())
				break;
			for (int setting = 0; setting < NSETTINGS; setting++)
				if (touched[setting] || settings[setting][0] != '\0')
					set_setting(setting, "", GUC_ACTION_SET);
			break;
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
			steward_tenant_next_transaction();
			memset(touched, 0, sizeof(touched));
			break;
	}
}

/*
 * steward.tenant_set(tenant text, user_id text, claims jsonb) says for
 * which tenant and user the rest of the transaction works.  Raises 25P01 outside
 * a transaction block and 42501 if the transaction is for another already.
 */
PG_FUNCTION_INFO_V1(steward_tenant_set);
Datum
steward_tenant_set(PG_FUNCTION_ARGS)
{
	char	   *values[STEWARD_TENANT_KINDS] = {"", ""};

	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
	{
		if (PG_ARGISNULL(kind))
			continue;
		values[kind] = text_to_cstring(PG_GETARG_TEXT_PP(kind));
		if (values[kind][0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be empty", steward_tenant_kind_names[kind]),
					 errhint("To work for no %s, pass NULL.", steward_tenant_kind_names[kind])));
		if (!steward_tenant_canonicalize(values[kind]))
			steward_tenant_refuse_form(steward_tenant_kind_names[kind]);
	}
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("either tenant or user must be given"),
				 errhint("To leave the context: SELECT steward.tenant_clear();")));
	steward_require_transaction("steward.tenant_set()");
	if (!PG_ARGISNULL(STEWARD_TENANT))
		steward_tenant_require_active(values[STEWARD_TENANT]);

	/* a value that was not set in this transaction has to be, to count in it */
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
	{
		if (assigned[kind] != NULL && assigned[kind]->transaction != steward_tenant_transaction())
			set_setting(kind, values[kind], GUC_ACTION_LOCAL);
		else
			set_local(kind, values[kind]);
	}
	if (!PG_ARGISNULL(2))
	{
		Jsonb	   *claims = PG_GETARG_JSONB_P(2);

		if (!JB_ROOT_IS_OBJECT(claims))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("claims must be a JSON object")));
		set_setting(SETTING_CLAIMS, JsonbToCString(NULL, &claims->root, VARSIZE(claims)), GUC_ACTION_LOCAL);
	}
	else
		set_local(SETTING_CLAIMS, "");
	set_local(SETTING_TOKEN, "");
	PG_RETURN_VOID();
}

/*
 * steward.tenant_login(token text) does what SET LOCAL steward.token does: but to
 * call it loads the library, without which that would be a setting of no meaning.
 * Raises 25P01 outside a transaction block.
 */
PG_FUNCTION_INFO_V1(steward_tenant_login);
Datum
steward_tenant_login(PG_FUNCTION_ARGS)
{
	char	   *token = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (token[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a token must be given"),
				 errhint("To leave the context: SELECT steward.tenant_clear();")));
	steward_require_transaction("steward.tenant_login()");
	set_setting(SETTING_TOKEN, token, GUC_ACTION_LOCAL);
	PG_RETURN_VOID();
}

/*
 * steward.tenant_clear() ends the context; that is nothing to ask anybody's
 * leave for, and does not open the transaction to another tenant.
 */
PG_FUNCTION_INFO_V1(steward_tenant_clear);
Datum
steward_tenant_clear(PG_FUNCTION_ARGS)
{
	for (int setting = NSETTINGS - 1; setting >= 0; setting--)
		set_local(setting, "");
	PG_RETURN_VOID();
}

/* steward.tenant_context() returns the whole context; all is NULL if there is none. */
PG_FUNCTION_INFO_V1(steward_tenant_context);
Datum
steward_tenant_context(PG_FUNCTION_ARGS)
{
	enum
	{
		TENANT, USER_ID, SOURCE, EXPIRES_AT, CLAIMS, NATTS
	};
	TupleDesc	desc;
	Datum		values[NATTS] = {0};
	bool		isnull[NATTS] = {true, true, true, true, true};
	const TenantValue *tenant = steward_tenant_value(STEWARD_TENANT);
	const TenantValue *user = steward_tenant_value(STEWARD_USER);
	const char *claims = NULL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);

	if (tenant != NULL)
	{
		values[TENANT] = CStringGetTextDatum(tenant->text);
		isnull[TENANT] = false;
	}
	if (user != NULL)
	{
		values[USER_ID] = CStringGetTextDatum(user->text);
		isnull[USER_ID] = false;
	}
	if (tenant != NULL || user != NULL)
	{
		values[SOURCE] = CStringGetTextDatum(assigned_token != NULL ? "token" : "function");
		isnull[SOURCE] = false;
		if (assigned_token != NULL)
		{
			values[EXPIRES_AT] = TimestampTzGetDatum(assigned_token->expires_at);
			isnull[EXPIRES_AT] = false;
			claims = pg_any_to_server(assigned_token->payload, strlen(assigned_token->payload), PG_UTF8);
		}
		else if (assigned_claims != NULL &&
				 steward_tenant_holds(assigned_claims))
			claims = settings[SETTING_CLAIMS];
		if (claims != NULL)
		{
			values[CLAIMS] = DirectFunctionCall1(jsonb_in, CStringGetDatum(claims));
			isnull[CLAIMS] = false;
		}
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}

/* Defines the settings of the module; those that say what may be set come first. */
static void
init(void)
{
	const int	flags = GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE;

	/*
	 * nothing from before counts where this is at work in the middle of a
	 * session
	 */
	loading = true;
	steward_tenant_current_init();
	steward_tenant_notice_init();
	steward_tenant_query_init();
	steward_token_init();
	DefineCustomStringVariable("steward.tenant",
							   "Tenant that the transaction works for, as steward.tenant_set() sets it.",
							   NULL,
							   &settings[SETTING_TENANT], "",
							   PGC_SUSET, flags, check_tenant, assign_tenant, NULL);
	DefineCustomStringVariable("steward.user_id",
							   "User that the transaction works for, as steward.tenant_set() sets it.",
							   NULL,
							   &settings[SETTING_USER], "",
							   PGC_SUSET, flags, check_user, assign_user, NULL);
	DefineCustomStringVariable("steward.claims",
							   "What else is known of the user, as steward.tenant_set() sets it.",
							   NULL,
							   &settings[SETTING_CLAIMS], "",
							   PGC_SUSET, flags, check_claims, assign_claims, NULL);
	DefineCustomStringVariable("steward.token",
							   "Signed token that says for which tenant and user the transaction works.",
							   NULL,
							   &settings[SETTING_TOKEN], "",
							   PGC_USERSET, flags, check_token, assign_token, show_token);
	loading = false;
	steward_tenant_session_init();
}

const StewardModule steward_tenant_module = {
	.init = init,
	.relation_changed = steward_tenant_registry_changed,
	.xact_event = end_transaction,
	.object_access = steward_tenant_check_object,
};
