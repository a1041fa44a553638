/*
 * tenant_keys.c
 *		The keys that sign and verify tokens with HMAC-SHA-256.
 */
#include "tenant/tenant_internal.h"

#include "utils/guc.h"

#define MIN_SECRET		32
#define MAX_KEYS_TEXT	32768

static char *keys_setting = NULL;
static char *keys_file = NULL;

static const StewardTokenKeys *assigned_keys = NULL;

/* What was read from steward.tenant_keys_file, and when. */
static StewardTokenKeys *file_keys = NULL;
static TimestampTz file_keys_loaded = 0;

/*
 * Reads "kid:secret" between separators into "keys", whose text is the copy
 * that is read.  Returns what is wrong, NULL if nothing is.
 */
static const char *
parse_keys(StewardTokenKeys *keys, char separator)
{
	char	   *at = keys->text;

	keys->nkeys = 0;
	while (*at != '\0')
	{
		char	   *end = strchr(at, separator);
		char	   *colon;
		StewardTokenKey *key;

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
		if (keys->nkeys == STEWARD_MAX_KEYS)
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
	StewardTokenKeys *keys;
	const char *wrong;

	if (*newval == NULL || **newval == '\0')
		return true;
	keys = steward_guc_malloc(offsetof(StewardTokenKeys, text) + strlen(*newval) + 1);
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
		explicit_bzero(file_keys, sizeof(StewardTokenKeys) + MAX_KEYS_TEXT + 1);
		free(file_keys);
		file_keys = NULL;
	}
}

static void
assign_keys_file(const char *newval, void *extra)
{
	forget_file_keys();
}

/* Reads the keys from their file; what is wrong with it goes to the server's log, NULL to the caller. */
static const StewardTokenKeys *
read_keys_file(void)
{
	const StewardKeysFile file = {.setting = "steward.tenant_keys_file",.path = keys_file,.secret = true};
	int			length;
	const char *wrong;

	forget_file_keys();
	file_keys = malloc(sizeof(StewardTokenKeys) + MAX_KEYS_TEXT + 1);
	if (file_keys == NULL)
		return NULL;
	length = steward_keys_file_read(&file, file_keys->text, MAX_KEYS_TEXT);
	wrong = length >= 0 ? parse_keys(file_keys, '\n') : NULL;
	if (wrong != NULL)
		steward_keys_file_refuse(&file, wrong);
	if (length < 0 || wrong != NULL)
	{
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
const StewardTokenKeys *
steward_token_keys(const char **reason)
{
	const StewardTokenKeys *keys;

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

/* Defines the settings that name the keys. */
void
steward_token_keys_init(void)
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
}
