/*
 * tenant_value.c
 *		What the text of a tenant or user means, and the one form that it has.
 */
#include "tenant/tenant_internal.h"

#include "common/int.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/*
 * Reads an integer as the server writes it and no other way, so that values
 * are equal as integers only if they are equal as texts.
 */
static bool
read_bigint(const char *text, int64 *value)
{
	bool		negative = *text == '-';
	const char *digits = text + negative;

	*value = 0;
	if (*digits == '\0' || (*digits == '0' && (negative || digits[1] != '\0')))
		return false;
	for (; *digits != '\0'; digits++)
		if (*digits < '0' || *digits > '9' ||
			pg_mul_s64_overflow(*value, 10, value) ||
			pg_sub_s64_overflow(*value, *digits - '0', value))
			return false;
	return negative || !pg_sub_s64_overflow(0, *value, value);
}

/* Reads a UUID of the form 8-4-4-4-12. */
static bool
read_uuid(const char *text, pg_uuid_t *uuid)
{
	memset(uuid, 0, sizeof(*uuid));
	for (int i = 0, digit = 0; i < 36; i++)
	{
		uint8		nibble;

		if (i == 8 || i == 13 || i == 18 || i == 23)
		{
			if (text[i] != '-')
				return false;
			continue;
		}
		if (text[i] >= '0' && text[i] <= '9')
			nibble = text[i] - '0';
		else if (text[i] >= 'a' && text[i] <= 'f')
			nibble = text[i] - 'a' + 10;
		else if (text[i] >= 'A' && text[i] <= 'F')
			nibble = text[i] - 'A' + 10;
		else
			return false;
		uuid->data[digit / 2] |= digit % 2 == 0 ? nibble << 4 : nibble;
		digit++;
	}
	return text[36] == '\0';
}

/* Tells whether a text of a UTF-8 database is in normalization form C. */
static bool
is_normalized(const char *text)
{
	const unsigned char *at = (const unsigned char *) text;
	int			length = strlen(text);
	pg_wchar   *characters;
	pg_wchar   *normalized;
	int			n = 0;
	UnicodeNormalizationQC verdict;

	if (!pg_verify_mbstr(PG_UTF8, text, length, true))
		return false;
	characters = palloc((length + 1) * sizeof(pg_wchar));
	for (; *at != '\0'; at += pg_utf_mblen(at))
		characters[n++] = utf8_to_unicode(at);
	characters[n] = 0;
	verdict = unicode_is_normalized_quickcheck(UNICODE_NFC, characters);
	if (verdict != UNICODE_NORM_QC_MAYBE)
		return verdict == UNICODE_NORM_QC_YES;
	normalized = unicode_normalize(UNICODE_NFC, characters);
	for (int i = 0; i <= n; i++)
		if (characters[i] != normalized[i])
			return false;
	return true;
}

/*
 * Brings the text of a tenant or user to the form in which it is compared: a UUID
 * to lower case, as columns write it.  Returns false for a text that looks like
 * another one, which is refused rather than changed: that would make one tenant of two.
 */
bool
steward_tenant_canonicalize(char *text)
{
	pg_uuid_t	uuid;

	if (read_uuid(text, &uuid))
	{
		for (char *at = text; *at != '\0'; at++)
			*at = pg_ascii_tolower((unsigned char) *at);
		return true;
	}
	for (const char *at = text; *at != '\0'; at++)
		if (IS_HIGHBIT_SET(*at))
			return GetDatabaseEncoding() != PG_UTF8 || is_normalized(text);
	return true;
}

/* Raises 22023 because a tenant or user has no canonical form. */
void
steward_tenant_refuse_form(const char *kind)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is not in Unicode normalization form C", kind),
			 errdetail("It would be another one than the text that looks the same."),
			 errhint("SELECT normalize(...);")));
}

/* Fills in what a canonical text means, and in which transactions it holds. */
void
steward_tenant_read_value(TenantValue *value, const char *text, uint64 holds_in, bool lasts)
{
	value->transaction = holds_in;
	value->lasts = lasts;
	strlcpy(value->text, text, sizeof(value->text));
	value->is_bigint = read_bigint(text, &value->bigint);
	value->is_uuid = read_uuid(text, &value->uuid);
}

/* steward_internal.tenant_canonical(text) returns the form in which a tenant is compared; raises 22023 where there is none. */
PG_FUNCTION_INFO_V1(steward_tenant_canonical);
Datum
steward_tenant_canonical(PG_FUNCTION_ARGS)
{
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (!steward_tenant_canonicalize(key))
		steward_tenant_refuse_form("tenant");
	PG_RETURN_TEXT_P(cstring_to_text(key));
}
