/*
 * tenant_payload.c
 *		Reads what is in a token: base64url (RFC 4648) and JSON (RFC 8259).
 *
 * It runs in the check hook of a setting, where nothing may be raised, and on
 * what anybody may send: so it allocates nothing, calls nothing of the server,
 * and takes only what is beyond doubt.  Functions return what is wrong, as a text
 * that has nothing of the token in it, or NULL.
 */
#include "tenant/tenant_internal.h"

/* How deep objects and arrays may stand in each other. */
#define MAX_DEPTH	16

/* Where in a text reading is. */
typedef struct Reader
{
	const char *at;
	const char *end;
} Reader;

/* A number as it is written. */
typedef struct Number
{
	const char *text;
	int			length;
	bool		is_integer;		/* neither fraction nor exponent */
	bool		has_exponent;
} Number;

static const char *const not_json = "The token does not contain valid JSON.";

/* What each of its digits stands for, one more than that; 0 for what is none. */
static const uint8 base64url_digits[256] = {
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62,
	['-'] = 63,
	['_'] = 64,
};

/*
 * Decodes base64url without padding; returns the number of bytes, -1 if it is
 * not the one way in which they are written or if there are more than "size".
 */
int
steward_base64url_decode(const char *text, size_t length, uint8 *out, size_t size)
{
	uint32		bits = 0;
	int			nbits = 0;
	size_t		n = 0;

	for (size_t i = 0; i < length; i++)
	{
		int			digit = base64url_digits[(uint8) text[i]] - 1;

		if (digit < 0)
			return -1;
		bits = (bits << 6 | digit) & 0xFFFF;
		nbits += 6;
		if (nbits >= 8)
		{
			if (n == size)
				return -1;
			nbits -= 8;
			out[n++] = bits >> nbits & 0xFF;
		}
	}
	/* a lone digit makes no byte, and bits left over must be zero */
	if (length % 4 == 1 || (bits & ((1U << nbits) - 1)) != 0)
		return -1;
	return (int) n;
}

static void
skip_space(Reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

/* Skips space and then "c", if it is there; tells whether it is. */
static bool
accept(Reader *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* Reads the four digits of \u. */
static bool
read_hex4(Reader *r, uint32 *value)
{
	if (r->end - r->at < 4)
		return false;
	*value = 0;
	for (int i = 0; i < 4; i++)
	{
		char		c = *r->at++;

		if (c >= '0' && c <= '9')
			*value = *value << 4 | (c - '0');
		else if (c >= 'a' && c <= 'f')
			*value = *value << 4 | (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			*value = *value << 4 | (c - 'A' + 10);
		else
			return false;
	}
	return true;
}

/* Reads what follows a backslash. */
static bool
read_escape(Reader *r, uint32 *c)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *escape;
	uint32		low;

	if (r->at == r->end || *r->at == '\0')
		return false;
	if (*r->at != 'u')
	{
		escape = strchr(escapes, *r->at++);
		if (escape == NULL)
			return false;
		*c = (uint8) meanings[escape - escapes];
		return true;
	}

	r->at++;
	if (!read_hex4(r, c))
		return false;
	if (*c >= 0xD800 && *c < 0xDC00)
	{
		if (r->end - r->at < 6 || r->at[0] != '\\' || r->at[1] != 'u')
			return false;
		r->at += 2;
		if (!read_hex4(r, &low) || low < 0xDC00 || low > 0xDFFF)
			return false;
		*c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
		return true;
	}
	return *c != 0 && (*c < 0xDC00 || *c > 0xDFFF);
}

/* Reads one character of UTF-8 in its shortest form. */
static bool
read_utf8(Reader *r, uint32 *c)
{
	static const uint32 least[] = {0, 0x80, 0x800, 0x10000};
	uint8		first = *r->at++;
	int			more = first < 0x80 ? 0 : first < 0xC0 ? -1 : first < 0xE0 ? 1 : first < 0xF0 ? 2 : first < 0xF8 ? 3 : -1;

	if (more < 0 || r->end - r->at < more)
		return false;
	*c = more == 0 ? first : first & (0x3F >> more);
	for (int i = 0; i < more; i++)
	{
		uint8		next = *r->at++;

		if ((next & 0xC0) != 0x80)
			return false;
		*c = *c << 6 | (next & 0x3F);
	}
	return *c >= least[more] && *c <= 0x10FFFF && (*c < 0xD800 || *c > 0xDFFF);
}

/* Writes a character as UTF-8; returns the number of bytes. */
static int
write_utf8(uint32 c, char *out)
{
	if (c < 0x80)
	{
		out[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		out[0] = (char) (0xC0 | c >> 6);
		out[1] = (char) (0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000)
	{
		out[0] = (char) (0xE0 | c >> 12);
		out[1] = (char) (0x80 | (c >> 6 & 0x3F));
		out[2] = (char) (0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | c >> 18);
	out[1] = (char) (0x80 | (c >> 12 & 0x3F));
	out[2] = (char) (0x80 | (c >> 6 & 0x3F));
	out[3] = (char) (0x80 | (c & 0x3F));
	return 4;
}

/*
 * Reads a string.  Its first size - 1 bytes go to "out" as UTF-8; "fits" tells
 * whether that is all of it.
 */
static bool
read_string(Reader *r, char *out, size_t size, bool *fits)
{
	size_t		length = 0;

	*fits = true;
	if (!accept(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"')
	{
		char		bytes[4];
		int			nbytes;
		uint32		c;

		if ((uint8) *r->at < 0x20)
			return false;
		if (*r->at == '\\')
		{
			r->at++;
			if (!read_escape(r, &c))
				return false;
		}
		else if (!read_utf8(r, &c))
			return false;

		nbytes = write_utf8(c, bytes);
		if (length + nbytes >= size)
			*fits = false;
		if (*fits)
		{
			memcpy(out + length, bytes, nbytes);
			length += nbytes;
		}
	}
	if (r->at == r->end)
		return false;
	r->at++;
	out[length] = '\0';
	return true;
}

static int
skip_digits(Reader *r)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (int) (r->at - start);
}

static bool
read_number(Reader *r, Number *number)
{
	const char *digits;
	int			ndigits;

	skip_space(r);
	number->text = r->at;
	number->is_integer = true;
	number->has_exponent = false;
	if (r->at < r->end && *r->at == '-')
		r->at++;
	digits = r->at;
	ndigits = skip_digits(r);
	if (ndigits == 0 || (ndigits > 1 && *digits == '0'))
		return false;
	if (r->at < r->end && *r->at == '.')
	{
		r->at++;
		number->is_integer = false;
		if (skip_digits(r) == 0)
			return false;
	}
	if (r->at < r->end && (*r->at == 'e' || *r->at == 'E'))
	{
		r->at++;
		number->is_integer = false;
		number->has_exponent = true;
		if (r->at < r->end && (*r->at == '-' || *r->at == '+'))
			r->at++;
		if (skip_digits(r) == 0)
			return false;
	}
	number->length = (int) (r->at - number->text);
	return true;
}

/* Skips a word that must stand there. */
static bool
skip_word(Reader *r, const char *word)
{
	size_t		length = strlen(word);

	if (r->end - r->at < (ptrdiff_t) length || memcmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

static char
next_character(Reader *r)
{
	skip_space(r);
	return r->at < r->end ? *r->at : '\0';
}

/* Skips a value of any kind. */
static bool
skip_value(Reader *r, int depth)
{
	Number		number;
	char		nothing[1];
	bool		fits;
	char		close;

	switch (next_character(r))
	{
		case '"':
			return read_string(r, nothing, sizeof(nothing), &fits);
		case 't':
			return skip_word(r, "true");
		case 'f':
			return skip_word(r, "false");
		case 'n':
			return skip_word(r, "null");
		case '{':
		case '[':
			break;
		default:
			return read_number(r, &number);
	}

	if (depth == MAX_DEPTH)
		return false;
	close = *r->at++ == '{' ? '}' : ']';
	if (accept(r, close))
		return true;
	do
	{
		if (close == '}' &&
			(!read_string(r, nothing, sizeof(nothing), &fits) || !accept(r, ':')))
			return false;
		if (!skip_value(r, depth + 1))
			return false;
	} while (accept(r, ','));
	return accept(r, close);
}

/* Reads a time, in seconds since 1970 with or without a fraction, as microseconds. */
static const char *
read_time(Reader *r, int64 *time)
{
	static const char *const not_a_time = "A time in the token is not a number of seconds since 1970.";
	Number		number;
	int			fraction = -1;

	*time = 0;
	if (next_character(r) == '"' || !read_number(r, &number))
		return not_a_time;
	if (number.has_exponent || number.text[0] == '-')
		return not_a_time;
	for (int i = 0; i < number.length; i++)
	{
		if (number.text[i] == '.')
		{
			fraction = 0;
			continue;
		}
		if (fraction == 6)
			break;
		/* eleven digits reach the year 5138 */
		if (fraction < 0 && i == 11)
			return not_a_time;
		if (fraction >= 0)
			fraction++;
		*time = *time * 10 + (number.text[i] - '0');
	}
	for (int i = Max(fraction, 0); i < 6; i++)
		*time *= 10;
	return NULL;
}

/* Reads a string or an integer as text, neither empty nor longer than fits. */
static const char *
read_text(Reader *r, char *out, size_t size)
{
	Number		number;
	bool		fits;

	if (next_character(r) == '"')
	{
		if (!read_string(r, out, size, &fits))
			return not_json;
		if (!fits || out[0] == '\0')
			return "A name in the token is empty or too long.";
		return NULL;
	}
	if (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9')))
	{
		if (!read_number(r, &number))
			return not_json;
		if (!number.is_integer || number.length > 19 ||
			(number.text[0] == '-' && number.text[1] == '0'))
			return "A number in the token is not of type bigint.";
		memcpy(out, number.text, number.length);
		out[number.length] = '\0';
		return NULL;
	}
	return "A name in the token is neither a string nor an integer.";
}

/* Reads a string that must fit. */
static const char *
read_name(Reader *r, char *out, size_t size)
{
	bool		fits;

	if (next_character(r) != '"' || !read_string(r, out, size, &fits))
		return "A name in the token is not a string.";
	return fits && out[0] != '\0' ? NULL : "A name in the token is empty or too long.";
}

/* Reads the key of the next member of an object up to its value; "first" tells that it is the first. */
static bool
next_member(Reader *r, bool first, char *key, size_t size)
{
	bool		fits;

	if (!first && !accept(r, ','))
		return false;
	if (!read_string(r, key, size, &fits) || !accept(r, ':'))
		return false;
	if (!fits)
		key[0] = '\0';
	return true;
}

/* Tells whether "key" is "name", and notes in "again" when it is so a second time. */
static bool
is_named(const char *key, const char *name, bool *seen, bool *again)
{
	if (name[0] == '\0' || strcmp(key, name) != 0)
		return false;
	*again |= *seen;
	*seen = true;
	return true;
}

/* Reads a JWT's header. */
const char *
steward_token_parse_header(const char *json, size_t length, StewardTokenHeader *header)
{
	Reader		r = {json, json + length};
	char		key[16];
	char		alg[16];
	char		type[16];
	bool		has_alg = false;
	bool		has_typ = false;
	bool		again = false;
	const char *wrong = NULL;

	memset(header, 0, sizeof(*header));
	if (!accept(&r, '{'))
		return not_json;
	for (bool first = true; !accept(&r, '}'); first = false)
	{
		if (!next_member(&r, first, key, sizeof(key)))
			return not_json;
		if (is_named(key, "alg", &has_alg, &again))
		{
			wrong = read_name(&r, alg, sizeof(alg));
			header->is_hs256 = wrong == NULL && strcmp(alg, "HS256") == 0;
		}
		else if (is_named(key, "kid", &header->has_kid, &again))
			wrong = read_name(&r, header->kid, sizeof(header->kid));
		else if (is_named(key, "typ", &has_typ, &again))
			wrong = read_name(&r, type, sizeof(type));
		else if (strcmp(key, "crit") == 0)
			return "The token has the header \"crit\", which is not supported.";
		else if (!skip_value(&r, 1))
			return not_json;
		if (wrong != NULL)
			return wrong;
		if (again)
			return "The token has the same key twice.";
	}
	skip_space(&r);
	if (r.at != r.end)
		return not_json;
	return header->is_hs256 ? NULL : "The algorithm of the token is not HS256.";
}

/* Reads a text; what is none, or too long for one, is read as an empty one. */
static const char *
read_optional(Reader *r, char *out, size_t size)
{
	bool		fits = false;

	if (next_character(r) == '"' ? !read_string(r, out, size, &fits) : !skip_value(r, 1))
		return not_json;
	if (!fits)
		out[0] = '\0';
	return NULL;
}

/* Reads the claim "aud", a text or an array of texts, and tells whether the audience is one of them. */
static const char *
read_audience(Reader *r, const char *audience, bool *is_for)
{
	char		name[STEWARD_TENANT_VALUE_SIZE];
	const bool	is_array = accept(r, '[');

	for (bool first = true; !is_array || !accept(r, ']'); first = false)
	{
		if (is_array && !first && !accept(r, ','))
			return not_json;
		if (read_optional(r, name, sizeof(name)) != NULL)
			return not_json;
		*is_for |= strcmp(name, audience) == 0;
		if (!is_array)
			break;
	}
	return NULL;
}

/*
 * Reads a token's claims.  The user's is "sub" where the claim with the name
 * that was given is missing.
 */
const char *
steward_token_parse_claims(const char *json, size_t length, const char *tenant_claim,
						   const char *user_claim, const char *audience, StewardTokenClaims *claims)
{
	Reader		r = {json, json + length};
	char		key[128];
	char		sub[STEWARD_TENANT_VALUE_SIZE] = "";
	bool		has_tenant = false;
	bool		has_user = false;
	bool		has_sub = false;
	bool		has_iss = false;
	bool		has_aud = false;
	bool		again = false;
	const char *wrong = NULL;

	memset(claims, 0, sizeof(*claims));
	if (!accept(&r, '{'))
		return not_json;
	for (bool first = true; !accept(&r, '}'); first = false)
	{
		if (!next_member(&r, first, key, sizeof(key)))
			return not_json;
		if (is_named(key, "exp", &claims->has_exp, &again))
			wrong = read_time(&r, &claims->exp);
		else if (is_named(key, "nbf", &claims->has_nbf, &again))
			wrong = read_time(&r, &claims->nbf);
		else if (is_named(key, "iat", &claims->has_iat, &again))
			wrong = read_time(&r, &claims->iat);
		else if (is_named(key, "db", &claims->for_database, &again))
			wrong = read_name(&r, claims->database, sizeof(claims->database));
		else if (is_named(key, "role", &claims->for_role, &again))
			wrong = read_name(&r, claims->role, sizeof(claims->role));
		else if (is_named(key, tenant_claim, &has_tenant, &again))
		{
			if (next_character(&r) == 'n')
				wrong = skip_word(&r, "null") ? NULL : not_json;
			else
				wrong = read_text(&r, claims->values[STEWARD_TENANT], STEWARD_TENANT_VALUE_SIZE);
		}
		else if (is_named(key, user_claim, &has_user, &again))
		{
			if (next_character(&r) == 'n')
				wrong = skip_word(&r, "null") ? NULL : not_json;
			else
				wrong = read_text(&r, claims->values[STEWARD_USER], STEWARD_TENANT_VALUE_SIZE);
		}
		else if (is_named(key, "iss", &has_iss, &again))
			wrong = read_optional(&r, claims->issuer, sizeof(claims->issuer));
		else if (is_named(key, "aud", &has_aud, &again))
			wrong = read_audience(&r, audience, &claims->for_audience);
		else if (is_named(key, "sub", &has_sub, &again))
			wrong = read_text(&r, sub, sizeof(sub));
		else if (!skip_value(&r, 1))
			return not_json;
		if (wrong != NULL)
			return wrong;
		if (again)
			return "The token has the same key twice.";
	}
	skip_space(&r);
	if (r.at != r.end)
		return not_json;

	if (!has_user)
		strcpy(claims->values[STEWARD_USER], sub);
	if (claims->values[STEWARD_TENANT][0] == '\0' && claims->values[STEWARD_USER][0] == '\0')
		return "The token names neither a tenant nor a user.";
	return claims->has_exp ? NULL : "The token has no expiration time.";
}
