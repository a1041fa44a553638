/*
 * tenant_token.c
 *		The keys of signed tokens, and what a token says.
 *
 * A token is v1.<key id>.<payload>.<mac>, or a JWT signed with HS256 (RFC 7515,
 * RFC 7519).  Payload and mac are base64url; the mac is HMAC-SHA-256 of all that
 * stands before its dot.  A JWT's signed part has one dot and the other's has
 * two, so that neither can be taken for the other.
 */
#include "tenant/tenant_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands/dbcommands.h"
#include "common/sha2.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define UNIX_EPOCH_IN_POSTGRES \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC)

#define MAX_KEYS		64
#define MIN_SECRET		32
#define MAX_KEYS_TEXT	32768

typedef struct TokenKey
{
	char		kid[65];
	const uint8 *secret;
	int			length;
} TokenKey;

/* Keys in their order; the secrets stand in the text. */
typedef struct TokenKeys
{
	int			nkeys;
	TokenKey	keys[MAX_KEYS];
	char		text[FLEXIBLE_ARRAY_MEMBER];
} TokenKeys;

/* A token's parts, as they stand in it. */
typedef struct TokenParts
{
	const char *payload;
	size_t		payload_length;
	size_t		signed_length;
	bool		has_kid;
	char		kid[65];
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
} TokenParts;

static char *keys_setting = NULL;
static char *keys_file = NULL;
static char *tenant_claim = NULL;
static char *user_claim = NULL;
static char *audience = NULL;
static char *issuer = NULL;
static int	longest_life = 3600;

static const TokenKeys *assigned_keys = NULL;

/* What was read from steward.tenant_keys_file, and when. */
static TokenKeys *file_keys = NULL;
static TimestampTz file_keys_loaded = 0;

/*
 * Reads "kid:secret" between separators into "keys", whose text is the copy
 * that is read.  Returns what is wrong, NULL if nothing is.
 */
static const char *
parse_keys(TokenKeys *keys, char separator)
{
	char	   *at = keys->text;

	keys->nkeys = 0;
	while (*at != '\0')
	{
		char	   *end = strchr(at, separator);
		char	   *colon;
		TokenKey   *key;

		if (end == NULL)
			end = at + strlen(at);
		else
			*end++ = '\0';
		if (separator == '\n')
			at[strcspn(at, "\r")] = '\0';
		else
			at += strspn(at, " ");
		if (*at == '\0' || (separator == '\n' && *at == '#'))
		{
			at = end;
			continue;
		}

		colon = strchr(at, ':');
		if (colon == NULL || colon == at || colon - at >= sizeof(key->kid) ||
			strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != colon - at)
			return "A key is an id of up to 64 letters, digits, \"_\" and \"-\", a colon, and a secret.";
		*colon = '\0';
		if (strlen(colon + 1) < MIN_SECRET)
			return "A secret has at least 32 bytes.";
		if (keys->nkeys == MAX_KEYS)
			return "There are more than 64 keys.";
		for (int i = 0; i < keys->nkeys; i++)
			if (strcmp(keys->keys[i].kid, at) == 0)
				return "Two keys have the same id.";
		key = &keys->keys[keys->nkeys++];
		strlcpy(key->kid, at, sizeof(key->kid));
		key->secret = (const uint8 *) colon + 1;
		key->length = strlen(colon + 1);
		at = end;
	}
	return NULL;
}

static bool
check_keys(char **newval, void **extra, GucSource source)
{
	TokenKeys  *keys;
	const char *wrong;

	if (*newval == NULL || **newval == '\0')
		return true;
	keys = steward_guc_malloc(offsetof(TokenKeys, text) + strlen(*newval) + 1);
	if (keys == NULL)
		return false;
	strcpy(keys->text, *newval);
	wrong = parse_keys(keys, ',');
	if (wrong != NULL)
	{
		/* the server's own message has the value in it */
		steward_guc_free(keys);
		GUC_check_errmsg("invalid value for parameter \"steward.tenant_keys\"");
		GUC_check_errdetail("%s", wrong);
		return false;
	}
	*extra = keys;
	return true;
}

static void
assign_keys(const char *newval, void *extra)
{
	assigned_keys = extra;
}

static void
forget_file_keys(void)
{
	if (file_keys != NULL)
	{
		explicit_bzero(file_keys, sizeof(TokenKeys) + MAX_KEYS_TEXT + 1);
		free(file_keys);
		file_keys = NULL;
	}
}

static void
assign_keys_file(const char *newval, void *extra)
{
	forget_file_keys();
}

/* Says in the server's log why there are no keys. */
static void
refuse_keys_file(const char *wrong)
{
	ereport(LOG,
			(errcode(ERRCODE_CONFIG_FILE_ERROR),
			 errmsg("file \"%s\" of setting \"steward.tenant_keys_file\" does not hold keys", keys_file),
			 errdetail("%s", wrong)));
}

/*
 * Returns what makes a file one that others may have written, NULL if nothing;
 * where others can only read it, the server's log has a warning.
 */
static const char *
check_keys_file(int file)
{
	struct stat status;
	char		path[MAXPGPATH];

	if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
		return "It is not a regular file.";
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return "The file belongs neither to the user that the server runs as nor to root.";
	if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "Others than its owner can write the file, and so be every tenant: chmod go-w.";

	/* nobody gets into the data directory */
	strlcpy(path, keys_file, sizeof(path));
	canonicalize_path(path);
	if ((status.st_mode & S_IROTH) != 0 && !path_is_relative_and_below_cwd(path) && !path_is_prefix_of_path(DataDir, path))
		ereport(LOG,
				(errcode(ERRCODE_CONFIG_FILE_ERROR),
				 errmsg("everybody can read file \"%s\" of setting \"steward.tenant_keys_file\"", keys_file),
				 errdetail("Whoever has a key can be every tenant."),
				 errhint("chmod o-r")));
	return NULL;
}

/* Reads the keys from their file; what is wrong with it goes to the server's log, NULL to the caller. */
static const TokenKeys *
read_keys_file(void)
{
	int			file;
	int			length;
	const char *wrong;

	forget_file_keys();
	file = OpenTransientFile(keys_file, O_RDONLY);
	if (file < 0)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\" of setting \"steward.tenant_keys_file\": %m", keys_file)));
		return NULL;
	}
	wrong = check_keys_file(file);
	if (wrong != NULL)
	{
		CloseTransientFile(file);
		refuse_keys_file(wrong);
		return NULL;
	}
	file_keys = malloc(sizeof(TokenKeys) + MAX_KEYS_TEXT + 1);
	if (file_keys == NULL)
	{
		CloseTransientFile(file);
		return NULL;
	}
	length = read(file, file_keys->text, MAX_KEYS_TEXT);
	CloseTransientFile(file);
	if (length < 0 || length == MAX_KEYS_TEXT)
		wrong = "The file cannot be read or is too long.";
	else
	{
		file_keys->text[length] = '\0';
		wrong = strlen(file_keys->text) != length ? "The file contains a zero byte." : parse_keys(file_keys, '\n');
	}
	if (wrong != NULL)
	{
		refuse_keys_file(wrong);
		forget_file_keys();
		return NULL;
	}
	file_keys_loaded = PgReloadTime;
	return file_keys;
}

/*
 * Returns the keys, or NULL and why there are none.  What stood in the setting
 * before the library was loaded, any role could read.
 */
static const TokenKeys *
get_keys(const char **reason)
{
	const TokenKeys *keys;

	*reason = "No keys are set: see setting \"steward.tenant_keys_file\".";
	if (keys_file != NULL && keys_file[0] != '\0')
	{
		keys = file_keys != NULL && file_keys_loaded == PgReloadTime ? file_keys : read_keys_file();
		if (keys == NULL)
			*reason = "The file of \"steward.tenant_keys_file\" cannot be read; the server's log says why.";
	}
	else
	{
		keys = assigned_keys;
		if (keys != NULL && !steward_preloaded)
		{
			*reason = "\"steward.tenant_keys\" counts only where pg_steward is preloaded: any role can read it elsewhere. Use \"steward.tenant_keys_file\".";
			return NULL;
		}
	}
	return keys != NULL && keys->nkeys > 0 ? keys : NULL;
}

/* Tells whether two macs are the same, in a time that does not show where they differ. */
static bool
same_mac(const uint8 *a, const uint8 *b)
{
	volatile uint8 difference = 0;

	for (int i = 0; i < PG_SHA256_DIGEST_LENGTH; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/* Finds the parts of a token; returns what is wrong with it. */
static const char *
split(const char *token, TokenParts *parts)
{
	static const char *const no_token = "The text does not have the form of a token.";
	const char *dots[3];
	int			ndots = 0;
	const char *end;
	const char *last;

	for (end = token; *end != '\0'; end++)
	{
		if (end - token >= STEWARD_TOKEN_SIZE - 1)
			return "The token is longer than 8 kB.";
		if (*end == '.')
		{
			if (ndots == lengthof(dots))
				return no_token;
			dots[ndots++] = end;
		}
	}
	if (ndots < 2)
		return no_token;
	last = dots[ndots - 1];
	parts->payload = dots[ndots - 2] + 1;
	parts->payload_length = last - parts->payload;
	parts->signed_length = last - token;
	if (steward_base64url_decode(last + 1, end - last - 1, parts->mac, sizeof(parts->mac)) != sizeof(parts->mac))
		return "The signature of the token is not 32 bytes of base64url.";

	if (ndots == 3)
	{
		size_t		length = dots[1] - dots[0] - 1;

		if (dots[0] - token != 2 || memcmp(token, "v1", 2) != 0 || length == 0 || length >= sizeof(parts->kid))
			return no_token;
		parts->has_kid = true;
		memcpy(parts->kid, dots[0] + 1, length);
		parts->kid[length] = '\0';
	}
	else
	{
		StewardTokenHeader header;
		char		json[512];
		int			length = steward_base64url_decode(token, dots[0] - token, (uint8 *) json, sizeof(json));
		const char *wrong;

		if (length < 0)
			return no_token;
		wrong = steward_token_parse_header(json, length, &header);
		if (wrong != NULL)
			return wrong;
		parts->has_kid = header.has_kid;
		strcpy(parts->kid, header.kid);
	}
	return NULL;
}

/* Checks a token's signature; returns what is wrong with it. */
static const char *
check_signature(const char *token, const TokenParts *parts)
{
	const char *reason;
	const TokenKeys *keys = get_keys(&reason);
	const TokenKey *key = NULL;
	uint8		mac[PG_SHA256_DIGEST_LENGTH];

	if (keys == NULL)
		return reason;
	if (!parts->has_kid)
	{
		if (keys->nkeys > 1)
			return "The token does not name the key that signed it, and there are several keys.";
		key = &keys->keys[0];
	}
	for (int i = 0; i < keys->nkeys && key == NULL; i++)
		if (strcmp(keys->keys[i].kid, parts->kid) == 0)
			key = &keys->keys[i];
	if (key == NULL)
		return "The token names a key that does not exist.";
	if (!steward_hmac(key->secret, key->length, token, parts->signed_length, mac))
		return "Could not compute HMAC-SHA-256.";
	if (!same_mac(mac, parts->mac))
		return "The signature of the token is wrong.";
	return NULL;
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

	if (claims->exp <= now)
		return "The token has expired.";
	if (claims->has_nbf && claims->nbf > now)
		return "The token is not valid yet.";
	if (life > 0 && (claims->exp - now > life || (claims->has_iat && claims->exp - claims->iat > life)))
		return "The token is valid for longer than \"steward.tenant_token_ttl\" allows.";
	if (audience[0] != '\0' && !claims->for_audience)
		return "The token is not for the audience that \"steward.tenant_token_audience\" names.";
	if (issuer[0] != '\0' && strcmp(claims->issuer, issuer) != 0)
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
	TokenParts	parts;
	const char *wrong = split(token, &parts);
	int			length;

	if (wrong == NULL && !trusted)
		wrong = check_signature(token, &parts);
	if (wrong != NULL)
		return wrong;

	length = steward_base64url_decode(parts.payload, parts.payload_length, (uint8 *) payload, STEWARD_TOKEN_SIZE - 1);
	if (length < 0)
		return "The payload of the token is not base64url.";
	payload[length] = '\0';
	wrong = steward_token_parse_claims(payload, length, tenant_claim, user_claim, audience, claims);
	if (wrong != NULL)
		return wrong;
	claims->expires_at = claims->exp - UNIX_EPOCH_IN_POSTGRES;
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

static void
append_base64url(StringInfo out, const uint8 *bytes, int length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32		bits = 0;
	int			nbits = 0;

	for (int i = 0; i < length; i++)
	{
		bits = (bits << 8 | bytes[i]) & 0xFFFF;
		for (nbits += 8; nbits >= 6; nbits -= 6)
			appendStringInfoChar(out, digits[bits >> (nbits - 6) & 0x3F]);
	}
	if (nbits > 0)
		appendStringInfoChar(out, digits[bits << (6 - nbits) & 0x3F]);
}

/* Adds a member to the text of a JSON object that is being written. */
static void
append_member(StringInfo json, const char *key, const char *text)
{
	appendStringInfoChar(json, json->len == 1 ? ' ' : ',');
	escape_json(json, key);
	appendStringInfoChar(json, ':');
	escape_json(json, text);
}

/* Adds the members of an object, none of which may be one of those already there. */
static void
append_claims(StringInfo json, Jsonb *claims)
{
	const char *taken[] = {tenant_claim, user_claim, "sub", "iat", "exp",
	audience[0] != '\0' ? "aud" : "exp", issuer[0] != '\0' ? "iss" : "exp"};
	char	   *text;

	if (!JB_ROOT_IS_OBJECT(claims))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("claims must be a JSON object")));
	for (int i = 0; i < lengthof(taken); i++)
	{
		JsonbValue	key = {.type = jbvString};

		key.val.string.val = unconstify(char *, taken[i]);
		key.val.string.len = strlen(taken[i]);
		if (findJsonbValueFromContainer(&claims->root, JB_FOBJECT, &key) != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("claims must not have the key \"%s\"", taken[i])));
	}
	if (JB_ROOT_COUNT(claims) == 0)
		return;
	text = JsonbToCString(NULL, &claims->root, VARSIZE(claims));
	text[strlen(text) - 1] = '\0';
	appendStringInfo(json, ",%s", text + 1);
}

/*
 * steward.tenant_sign(tenant text, user_id text, ttl interval, claims jsonb)
 * returns a token, signed with the first key.
 */
PG_FUNCTION_INFO_V1(steward_tenant_sign);
Datum
steward_tenant_sign(PG_FUNCTION_ARGS)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz expires_at;
	const char *reason;
	const TokenKeys *keys = get_keys(&reason);
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	StringInfoData json;
	StringInfoData token;
	char	   *payload;

	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("either tenant or user must be given")));
	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ttl must not be null")));
	if (keys == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot sign a token"),
				 errdetail("%s", reason)));
	expires_at = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval, TimestampTzGetDatum(now), PG_GETARG_DATUM(2)));
	if (expires_at <= now || TIMESTAMP_NOT_FINITE(expires_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ttl must be a time to come")));

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	if (!PG_ARGISNULL(0))
		append_member(&json, tenant_claim, text_to_cstring(PG_GETARG_TEXT_PP(0)));
	if (!PG_ARGISNULL(1))
		append_member(&json, user_claim, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	now += UNIX_EPOCH_IN_POSTGRES;
	expires_at += UNIX_EPOCH_IN_POSTGRES;
	appendStringInfo(&json, ",\"iat\":%lld.%06d,\"exp\":%lld.%06d",
					 (long long) (now / USECS_PER_SEC), (int) (now % USECS_PER_SEC),
					 (long long) (expires_at / USECS_PER_SEC), (int) (expires_at % USECS_PER_SEC));
	if (audience[0] != '\0')
		append_member(&json, "aud", audience);
	if (issuer[0] != '\0')
		append_member(&json, "iss", issuer);
	if (!PG_ARGISNULL(3))
		append_claims(&json, PG_GETARG_JSONB_P(3));
	appendStringInfoChar(&json, '}');
	payload = pg_server_to_any(json.data, json.len, PG_UTF8);

	initStringInfo(&token);
	appendStringInfo(&token, "v1.%s.", keys->keys[0].kid);
	append_base64url(&token, (uint8 *) payload, strlen(payload));
	if (!steward_hmac(keys->keys[0].secret, keys->keys[0].length, token.data, token.len, mac))
		elog(ERROR, "could not compute HMAC-SHA-256");
	appendStringInfoChar(&token, '.');
	append_base64url(&token, mac, sizeof(mac));
	if (token.len >= STEWARD_TOKEN_SIZE)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("token is longer than 8 kB")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(token.data, token.len));
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
	DefineCustomStringVariable("steward.tenant_keys",
							   "Keys of signed tokens, as kid:secret,...: the first signs, all verify.",
							   NULL,
							   &keys_setting, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY | GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE,
							   check_keys, assign_keys, NULL);
	DefineCustomStringVariable("steward.tenant_keys_file",
							   "File that holds the keys of signed tokens, each as kid:secret on a line of its own.",
							   "A relative path starts at the data directory.",
							   &keys_file, "",
							   PGC_SUSET, 0, NULL, assign_keys_file, NULL);
	DefineCustomStringVariable("steward.tenant_claim",
							   "Claim of a token that names the tenant.",
							   NULL,
							   &tenant_claim, "tenant",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.tenant_user_claim",
							   "Claim of a token that names the user; \"sub\" where it is missing.",
							   NULL,
							   &user_claim, "user_id",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.tenant_token_audience",
							   "Audience that a token must be for, as its claim \"aud\" says; empty for any.",
							   NULL,
							   &audience, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomStringVariable("steward.tenant_token_issuer",
							   "Issuer that a token must be from, as its claim \"iss\" says; empty for any.",
							   NULL,
							   &issuer, "",
							   PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("steward.tenant_token_ttl",
							"Longest life of a token that is accepted; 0 sets no limit.",
							NULL,
							&longest_life, 3600, 0, 365 * SECS_PER_DAY,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
}
