/*
 * tenant_token.c
 *		What a signed token says, and whether it holds here and now.
 */
#include "tenant/tenant_internal.h"

#include "commands/dbcommands.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

StewardClaimPaths steward_claim_paths;
char	   *steward_tenant_token_audience = NULL;
char	   *steward_tenant_token_issuer = NULL;
static char *tenant_claim = NULL;
static char *user_claim = NULL;
static char *role_claim = NULL;
static int	longest_life = 3600;
static int	leeway = 0;

/* Reads the path of a claim. */
static bool
check_path(char **newval, void **extra, GucSource source)
{
	StewardClaimPath *path = steward_guc_malloc(sizeof(StewardClaimPath));
	const char *wrong;

	if (path == NULL)
		return false;
	wrong = steward_claim_path_parse(*newval, path);
	if (wrong != NULL)
	{
		steward_guc_free(path);
		GUC_check_errdetail("%s", wrong);
		return false;
	}
	*extra = path;
	return true;
}

static void
assign_tenant_path(const char *newval, void *extra)
{
	steward_claim_paths.tenant = extra;
}

static void
assign_user_path(const char *newval, void *extra)
{
	steward_claim_paths.user = extra;
}

static void
assign_role_path(const char *newval, void *extra)
{
	steward_claim_paths.role = extra;
}

/* Tells whether a text has ASCII characters only. */
static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (IS_HIGHBIT_SET(*text))
			return false;
	return true;
}

/* Tells whether a claim is a name; NULL is the name of what does not exist. */
static bool
is_name(const char *claim, const char *name)
{
	return name != NULL && strcmp(claim, name) == 0;
}

/* Checks whether a token is for here and now; returns what is wrong with it. */
static const char *
check_claims(const StewardTokenClaims *claims)
{
	int64		now = GetCurrentTimestamp() + UNIX_EPOCH_IN_POSTGRES;
	int64		life = longest_life * USECS_PER_SEC;
	int64		skew = leeway * USECS_PER_SEC;

	if (claims->exp + skew <= now)
		return "The token has expired.";
	if (claims->has_nbf && claims->nbf > now + skew)
		return "The token is not valid yet.";
	if (life > 0 && (claims->exp - now > life + skew || (claims->has_iat && claims->exp - claims->iat > life)))
		return "The token is valid for longer than \"steward.tenant_token_ttl\" allows.";
	if (steward_tenant_token_audience[0] != '\0' && !claims->for_audience)
		return "The token is not for the audience that \"steward.tenant_token_audience\" names.";
	if (steward_tenant_token_issuer[0] != '\0' && strcmp(claims->issuer, steward_tenant_token_issuer) != 0)
		return "The token is not from the issuer that \"steward.tenant_token_issuer\" names.";
	if (claims->for_database && !is_name(claims->database, get_database_name(MyDatabaseId)))
		return "The token is for another database.";
	if (claims->for_role && !is_name(claims->role, GetUserNameFromId(GetSessionUserId(), true)))
		return "The token is for another role.";
	return NULL;
}

/*
 * Reads a token into "claims" and its JSON text into "payload", which has room
 * for STEWARD_TOKEN_SIZE bytes.  Returns what is wrong with it, NULL if it
 * holds here and now; "trusted" leaves out what the leader of this parallel
 * worker has verified.  Runs in a transaction, raises nothing, and never tells
 * what is in a token.
 */
const char *
steward_token_read(const char *token, bool trusted, StewardTokenClaims *claims, char *payload)
{
	StewardTokenParts parts;
	const char *wrong = steward_token_split(token, &parts);
	int			length;

	if (wrong == NULL && !trusted)
		wrong = steward_token_check_signature(token, &parts);
	if (wrong != NULL)
		return wrong;

	length = steward_base64url_decode(parts.payload, parts.payload_length, (uint8 *) payload, STEWARD_TOKEN_SIZE - 1);
	if (length < 0)
		return "The payload of the token is not base64url.";
	payload[length] = '\0';
	wrong = steward_token_parse_claims(payload, length, &steward_claim_paths, steward_tenant_token_audience, claims);
	if (wrong != NULL)
		return wrong;
	claims->expires_at = claims->exp + leeway * USECS_PER_SEC - UNIX_EPOCH_IN_POSTGRES;
	/* what would have to be converted needs the catalogs */
	if (GetDatabaseEncoding() != PG_UTF8)
		for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
			if (!is_ascii(claims->values[kind]))
				return "The token has a name that is not ASCII, and this database is not encoded in UTF-8.";
	for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		if (!steward_tenant_canonicalize(claims->values[kind]))
			return "The token has a name that is not in Unicode normalization form C.";
	return trusted ? NULL : check_claims(claims);
}

/* steward.tenant_verify(token text) tells whether a token holds here and now, and if not, why. */
PG_FUNCTION_INFO_V1(steward_tenant_verify);
Datum
steward_tenant_verify(PG_FUNCTION_ARGS)
{
	enum
	{
		VALID, REASON, TENANT, USER_ID, EXPIRES_AT, NATTS
	};
	TupleDesc	desc;
	Datum		values[NATTS] = {0};
	bool		isnull[NATTS] = {false, true, true, true, true};
	StewardTokenClaims claims;
	char		payload[STEWARD_TOKEN_SIZE];
	const char *reason = steward_token_read(text_to_cstring(PG_GETARG_TEXT_PP(0)), false, &claims, payload);

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);

	values[VALID] = BoolGetDatum(reason == NULL);
	if (reason != NULL)
	{
		values[REASON] = CStringGetTextDatum(reason);
		isnull[REASON] = false;
	}
	else
	{
		for (int kind = 0; kind < STEWARD_TENANT_KINDS; kind++)
		{
			values[TENANT + kind] = CStringGetTextDatum(claims.values[kind]);
			isnull[TENANT + kind] = claims.values[kind][0] == '\0';
		}
		values[EXPIRES_AT] = TimestampTzGetDatum(claims.expires_at);
		isnull[EXPIRES_AT] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}

/* Defines the settings that tell how to read tokens. */
void
steward_token_init(void)
{
	steward_token_keys_init();
	steward_token_public_keys_init();
	DefineCustomStringVariable("steward.tenant_claim",
							   "Path of the claim of a token that names the tenant.",
							   NULL,
							   &tenant_claim, "tenant",
							   PGC_SUSET, 0, check_path, assign_tenant_path, NULL);
	DefineCustomStringVariable("steward.tenant_user_claim",
							   "Path of the claim of a token that names the user; \"sub\" where it is missing.",
							   NULL,
							   &user_claim, "user_id",
							   PGC_SUSET, 0, check_path, assign_user_path, NULL);
	DefineCustomStringVariable("steward.tenant_role_claim",
							   "Path of the claim of a token that names the login that it is for; empty for none.",
							   NULL,
							   &role_claim, "role",
							   PGC_SUSET, 0, check_path, assign_role_path, NULL);
	DefineCustomStringVariable("steward.tenant_token_audience",
							   "Audience that a token must be for, as its claim \"aud\" says; empty for any.",
							   NULL,
							   &steward_tenant_token_audience, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.tenant_token_issuer",
							   "Issuer that a token must be from, as its claim \"iss\" says; empty for any.",
							   NULL,
							   &steward_tenant_token_issuer, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.tenant_token_ttl",
							"Longest life of a token that is accepted; 0 sets no limit.",
							NULL,
							&longest_life, 3600, 0, 365 * SECS_PER_DAY,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.tenant_token_leeway",
							"By how much the clocks of those who make tokens may differ from the server's.",
							NULL,
							&leeway, 0, 0, 10 * SECS_PER_MINUTE,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}
