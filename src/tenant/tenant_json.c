/*
 * tenant_json.c
 *		Reads base64url (RFC 4648) and JSON (RFC 8259).
 *
 * It runs in the check hook of a setting, where nothing may be raised, and on
 * what anybody may send: so it allocates nothing, calls nothing of the server,
 * and takes only what is beyond doubt.
 */
#include "tenant/tenant_internal.h"

/* How deep objects and arrays may stand in each other. */
#define MAX_DEPTH	16

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
skip_space(StewardJson *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
		r->at++;
}

/* Skips space and then "c", if it is there; tells whether it is. */
bool
steward_json_accept(StewardJson *r, char c)
{
	skip_space(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

/* Reads the four digits of \u. */
static bool
read_hex4(StewardJson *r, uint32 *value)
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
read_escape(StewardJson *r, uint32 *c)
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
read_utf8(StewardJson *r, uint32 *c)
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
bool
steward_json_string(StewardJson *r, char *out, size_t size, bool *fits)
{
	size_t		length = 0;

	*fits = true;
	if (!steward_json_accept(r, '"'))
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
skip_digits(StewardJson *r)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (int) (r->at - start);
}

bool
steward_json_number(StewardJson *r, StewardJsonNumber *number)
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
bool
steward_json_word(StewardJson *r, const char *word)
{
	size_t		length = strlen(word);

	if (r->end - r->at < (ptrdiff_t) length || memcmp(r->at, word, length) != 0)
		return false;
	r->at += length;
	return true;
}

char
steward_json_next(StewardJson *r)
{
	skip_space(r);
	return r->at < r->end ? *r->at : '\0';
}

/* Skips a value of any kind. */
bool
steward_json_skip(StewardJson *r, int depth)
{
	StewardJsonNumber number;
	char		nothing[1];
	bool		fits;
	char		close;

	switch (steward_json_next(r))
	{
		case '"':
			return steward_json_string(r, nothing, sizeof(nothing), &fits);
		case 't':
			return steward_json_word(r, "true");
		case 'f':
			return steward_json_word(r, "false");
		case 'n':
			return steward_json_word(r, "null");
		case '{':
		case '[':
			break;
		default:
			return steward_json_number(r, &number);
	}

	if (depth == MAX_DEPTH)
		return false;
	close = *r->at++ == '{' ? '}' : ']';
	if (steward_json_accept(r, close))
		return true;
	do
	{
		if (close == '}' &&
			(!steward_json_string(r, nothing, sizeof(nothing), &fits) || !steward_json_accept(r, ':')))
			return false;
		if (!steward_json_skip(r, depth + 1))
			return false;
	} while (steward_json_accept(r, ','));
	return steward_json_accept(r, close);
}

/* Reads the key of the next member of an object up to its value; "first" tells that it is the first. */
bool
steward_json_member(StewardJson *r, bool first, char *key, size_t size)
{
	bool		fits;

	if (!first && !steward_json_accept(r, ','))
		return false;
	if (!steward_json_string(r, key, size, &fits) || !steward_json_accept(r, ':'))
		return false;
	if (!fits)
		key[0] = '\0';
	return true;
}

/* Tells whether nothing follows but space. */
bool
steward_json_ended(StewardJson *r)
{
	skip_space(r);
	return r->at == r->end;
}

/* Reads a text; what is none, or too long for one, is read as an empty one. */
bool
steward_json_optional(StewardJson *r, char *out, size_t size)
{
	bool		fits = false;

	if (steward_json_next(r) == '"' ? !steward_json_string(r, out, size, &fits) : !steward_json_skip(r, 1))
		return false;
	if (!fits)
		out[0] = '\0';
	return true;
}
