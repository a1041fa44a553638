/*
 * audit_redact.c
 *		Keyed hashes in place of values that the log is not to know.
 */
#include "audit/audit_internal.h"

#include "common/sha2.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define REDACTED_PREFIX "hmac:"

/*
 * Returns the key for redacted values: the first line of the file that
 * steward.audit_redaction_key_file names, read once per session, or else the
 * setting itself.  Raises 55000 if there is none.
 */
const char *
steward_audit_get_redaction_key(void)
{
	static char *read_from = NULL;
	static char key[1024];
	const char *path = steward_audit_redaction_key_file;

	if (path != NULL && path[0] != '\0')
	{
		FILE	   *file;

		if (read_from != NULL && strcmp(read_from, path) == 0)
			return key;
		read_from = NULL;
		file = AllocateFile(path, "r");
		if (file == NULL)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not open redaction key file \"%s\": %m", path)));
		if (fgets(key, sizeof(key), file) == NULL)
			key[0] = '\0';
		FreeFile(file);
		if (strlen(key) == sizeof(key) - 1)
			ereport(ERROR,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("the first line of redaction key file \"%s\" is too long", path),
					 errhint("A key has at most %d bytes.", (int) sizeof(key) - 2)));
		key[strcspn(key, "\r\n")] = '\0';
		if (key[0] != '\0')
		{
			read_from = MemoryContextStrdup(steward_session_context(), path);
			return key;
		}
	}
	else if (steward_audit_redaction_key != NULL && steward_audit_redaction_key[0] != '\0')
		return steward_audit_redaction_key;

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot redact audited values: no redaction key is set"),
			 errhint("As a superuser, write a random line to a file that only the server can read, and run: ALTER SYSTEM SET steward.audit_redaction_key_file = '...'; SELECT pg_reload_conf();")));
}

/*
 * Returns HMAC-SHA-256 (RFC 2104) of a text under the redaction key, in hex
 * behind a prefix.
 */
char *
steward_audit_redact(const char *text)
{
	const char *key = steward_audit_get_redaction_key();
	uint8		mac[PG_SHA256_DIGEST_LENGTH];
	char	   *hex;

	if (!steward_hmac(key, strlen(key), text, strlen(text), mac))
		elog(ERROR, "could not compute HMAC-SHA-256");
	hex = palloc(strlen(REDACTED_PREFIX) + 2 * sizeof(mac) + 1);
	strcpy(hex, REDACTED_PREFIX);
	hex_encode((const char *) mac, sizeof(mac), hex + strlen(REDACTED_PREFIX));
	hex[strlen(REDACTED_PREFIX) + 2 * sizeof(mac)] = '\0';
	return hex;
}
