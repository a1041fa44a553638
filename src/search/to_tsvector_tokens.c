/*
 * to_tsvector_tokens.c
 *		The tokens of the default text search parser, most of them found without it.
 *
 * Plain words, small numbers and the blanks between them are most of any text,
 * and the parser's automaton takes several function calls for each byte of
 * them.  Here they are found with a table lookup per byte; whatever is not
 * plainly one of them is cut out, up to a point where the parser is known to
 * start afresh, and given to the parser itself.
 *
 * What is known of the parser (wparser_def.c; checked by the tests on every
 * server version):
 *
 * - Where a token ends, the parser is back in its base state, unless the token
 *	 was hyphenated, part of a URL, a version number, or followed <script or
 *	 <style.  In the base state it does not look back.
 * - The tables word_goes_on, number_goes_on and blank_goes_on below.
 * - Once in a blank, it leaves it for a letter, a digit and any of < - + & /
 *	 only; "..", "~" and the like begin a path only where no blank went before.
 * - Nothing but a blank or a tag contains white space, and a tag begins with
 *	 "<".  So any other token can be told without looking beyond the next white
 *	 space.
 */
#include "search/to_tsvector.h"

#include "miscadmin.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_type.h"

/* None of the parser's: only the token's length matters. */
#define TOKEN_UNMAPPED 0

/* What a byte can be; a byte can be several things. */
#define LETTER		0x0001		/* an ASCII one, as all of these but HIGH */
#define DIGIT		0x0002
#define DOT			0x0004
#define SLASH		0x0008
#define UNDERSCORE	0x0010
#define TILDE		0x0020
#define COLON		0x0040
#define MARK		0x0080		/* ! ? # */
#define HIGH		0x0100		/* part of a character beyond ASCII */
#define WHITE		0x0200
#define BLANK		0x0400		/* continues a blank */
#define IN_TAG		0x0800		/* may stand in a tag, outside quotes */
#define LESS		0x1000		/* < */
#define HYPHEN		0x2000
#define ALWAYS		0x8000		/* in the tables below: whatever follows */

static uint16 kind[256];

/*
 * By the byte after a word, after a number, or at the start of a blank: what
 * must follow that byte for the token to be anything else.
 */
static uint16 word_goes_on[256];
static uint16 number_goes_on[256];
static uint16 blank_goes_on[256];

/* A text on its way through the tokeniser. */
typedef struct Tokeniser
{
	TsvectorDraft *draft;
	TSParserCacheEntry *parser;
	const char *end;			/* of the text */
	const char *start;			/* of the current token */
	const char *at;				/* start <= at: what has been looked at */
	bool		in_blank;		/* is the current token a blank? */
	int			nignored;		/* tokens that were too long */
} Tokeniser;

/* Adds "bit" to the kinds of each of the characters. */
static void
mark_kind(const char *characters, uint16 bit)
{
	for (; *characters; characters++)
		kind[(unsigned char) *characters] |= bit;
}

/* Fills the tables; runs once per process. */
void
steward_tsvector_tokens_init(void)
{
	mark_kind("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", LETTER);
	mark_kind("0123456789", DIGIT);
	mark_kind(".", DOT);
	mark_kind("/", SLASH);
	mark_kind("_", UNDERSCORE);
	mark_kind("~", TILDE);
	mark_kind(":", COLON);
	mark_kind("!?#", MARK);
	mark_kind("<", LESS);
	mark_kind("-", HYPHEN);
	mark_kind(" \t\n\v\f\r", WHITE);
	mark_kind("=-_#/:.&?%~", IN_TAG);
	for (int c = 0; c < 256; c++)
	{
		if (c >= 0x80)
			kind[c] |= HIGH | IN_TAG;
		else if (!(kind[c] & (LETTER | DIGIT)) && strchr("<-+&/", c) == NULL)
			kind[c] |= BLANK;
		if (c <= ' ' || c == 0x7F || (kind[c] & (LETTER | DIGIT)))
			kind[c] |= IN_TAG;

		if (kind[c] & (LETTER | DIGIT | HIGH))
			word_goes_on[c] = number_goes_on[c] = blank_goes_on[c] = ALWAYS;
	}

	/* host names, files and hyphenated words; "http://"; addresses */
	word_goes_on['.'] = LETTER | DIGIT | UNDERSCORE | HIGH;
	word_goes_on['-'] = LETTER | DIGIT | HIGH;
	word_goes_on['_'] = LETTER | DIGIT | HIGH;
	word_goes_on['/'] = LETTER | DIGIT | DOT | UNDERSCORE | TILDE | HIGH;
	word_goes_on[':'] = SLASH | HIGH;
	word_goes_on['@'] = ALWAYS;

	/* the same, and decimals */
	number_goes_on['.'] = LETTER | DIGIT | HIGH;
	number_goes_on['-'] = LETTER | DIGIT | HIGH;
	number_goes_on['_'] = LETTER | DIGIT | HIGH;
	number_goes_on['/'] = LETTER | DIGIT | DOT | UNDERSCORE | TILDE | HIGH;
	number_goes_on['@'] = ALWAYS;

	/* tags, signed numbers, entities and paths */
	blank_goes_on['<'] = LETTER | SLASH | COLON | UNDERSCORE | MARK | HIGH;
	blank_goes_on['-'] = DIGIT | HIGH;
	blank_goes_on['+'] = DIGIT | HIGH;
	blank_goes_on['&'] = LETTER | COLON | UNDERSCORE | MARK | HIGH;
	blank_goes_on['~'] = LETTER | DIGIT | UNDERSCORE | SLASH | HIGH;
	blank_goes_on['/'] = LETTER | DIGIT | DOT | UNDERSCORE | TILDE | HIGH;
	blank_goes_on['.'] = DOT | SLASH | HIGH;
}

/* Returns what the byte at p, which may be the end of the text, is. */
static inline uint16
kind_at(const Tokeniser *t, const char *p)
{
	return p < t->end ? kind[(unsigned char) *p] : 0;
}

/* Tells whether, by one of the tables, the byte at p may belong to the token before it, or to one that is no blank. */
static inline bool
goes_on(const Tokeniser *t, const uint16 *table, const char *p)
{
	uint16		follows = p < t->end ? table[(unsigned char) *p] : 0;

	return follows != 0 && ((follows & ALWAYS) != 0 || (kind_at(t, p + 1) & follows) != 0);
}

/*
 * Gives the draft a token.  Returns false if that is for the server: as a token
 * of MAXSTRLEN bytes is, which not all minor versions ignore.
 */
static bool
take(Tokeniser *t, int type, const char *token, int length)
{
	if (length < MAXSTRLEN)
		return type == TOKEN_UNMAPPED || steward_tsvector_token(t->draft, type, token, length);
	t->nignored++;
	return length > MAXSTRLEN;
}

/* Tells whether all rules are different after the tag that may begin with the "<" at p. */
static inline bool
is_special_tag(const Tokeniser *t, const char *p)
{
	return (kind_at(t, p + 1) & MARK) ||
		(t->end - p >= 6 && pg_strncasecmp(p, "<style", 6) == 0) ||
		(t->end - p >= 7 && pg_strncasecmp(p, "<script", 7) == 0);
}

/*
 * Returns the first point after the "<" at p that no tag beginning there can
 * reach, or the point behind its ">", which sets *closed.  Returns the end of
 * the text where that is not to be told: what is quoted may hold another tag
 * should this one turn out to be none, and after a comment, <script or <style
 * all rules are different.
 */
static const char *
tag_end(const Tokeniser *t, const char *p, bool *closed)
{
	*closed = false;
	if (is_special_tag(t, p))
		return t->end;

	for (p++; p < t->end; p++)
	{
		if (*p == '\'' || *p == '"')
		{
			char		quote = *p++;

			while (p < t->end && *p != quote && *p != '<' && *p != '\\')
				p++;
			if (p == t->end || *p != quote)
				return t->end;
		}
		else if (*p == '>')
		{
			*closed = true;
			return p + 1;
		}
		else if (!(kind_at(t, p) & IN_TAG))
			return p;
	}
	return p;
}

/* Returns the first byte from p on that is white space or "<", or the end of the text. */
static inline const char *
find_break(const Tokeniser *t, const char *p)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	uint64		chunk;

	/* Eight bytes at once, unless one of them is at most a space, or a "<". */
	for (; t->end - p >= sizeof(chunk); p += sizeof(chunk))
	{
		uint64		less;

		memcpy(&chunk, p, sizeof(chunk));
		less = chunk ^ (ones * '<');
		if ((((chunk - ones * (' ' + 1)) & ~chunk) | ((less - ones) & ~less)) & (ones * 0x80))
			break;
	}
	while (p < t->end && !(kind[(unsigned char) *p] & (WHITE | LESS)))
		p++;
	return p;
}

/*
 * Returns a point behind p where the parser has finished a tag or is in a
 * blank, if it was in neither at p; or the end of the text.
 *
 * A start of the parser costs as much as a short word, so words that need it
 * are not parted from each other.
 */
static const char *
segment_end(const Tokeniser *t, const char *p)
{
	bool		closed;

	while ((p = find_break(t, p)) < t->end)
	{
		if (*p == '<' && goes_on(t, blank_goes_on, p))
		{
			p = tag_end(t, p, &closed);
			if (closed)
				return p;
		}
		else if (kind_at(t, p) & WHITE)
		{
			const char *next = p + 1;

			while (kind_at(t, next) & WHITE)
				next++;
			if (!(kind_at(t, next) & HIGH))
				return p + 1;
			p = next;
		}
		else
			p++;
	}
	return p;
}

/*
 * Has the parser find the tokens from t->start up to "stop", which is the end
 * of the text or what segment_end returned.  Returns false if one of them
 * is for the server.
 */
static bool
parse_segment(Tokeniser *t, const char *stop)
{
	char	   *token = NULL;
	int			length = 0;
	int			type;
	bool		taken = true;
	Datum		state;

	state = FunctionCall2(&t->parser->prsstart, PointerGetDatum(t->start),
						  Int32GetDatum(stop - t->start));
	t->at = stop;
	t->in_blank = false;
	while (taken)
	{
		type = DatumGetInt32(FunctionCall3(&t->parser->prstoken, state,
										   PointerGetDatum(&token), PointerGetDatum(&length)));
		if (type <= 0)
			break;
		if (type == TOKEN_BLANK && token + length == stop && stop < t->end)
		{
			t->start = token;
			t->in_blank = true;
			break;
		}
		taken = take(t, type, token, length);
	}
	FunctionCall1(&t->parser->prsend, state);
	return taken;
}

/* Moves t->at behind the bytes of one kind that are there. */
static inline void
skip(Tokeniser *t, uint16 wanted)
{
	while (kind_at(t, t->at) & wanted)
		t->at++;
}

/*
 * Finds the token at t->at if it is a plain one: a word, also a hyphenated
 * one, a number, or a tag that is no more than a name.  Sets t->start, and
 * t->at behind it, and returns its type.  Returns 0 if only the parser can
 * tell; t->at is then before any white space and "<".
 */
static inline int
plain_token(Tokeniser *t)
{
	uint16		first = kind_at(t, t->at);
	const uint16 *table = number_goes_on;
	int			type = 0;

	t->start = t->at;
	if (first & LETTER)
	{
		table = word_goes_on;
		type = TOKEN_ASCIIWORD;
		skip(t, LETTER);
		while (kind_at(t, t->at) & HYPHEN && kind_at(t, t->at + 1) & LETTER)
		{
			type = TOKEN_ASCIIHWORD;
			t->at++;
			skip(t, LETTER);
		}
	}
	else if (first & DIGIT)
	{
		type = TOKEN_UINT;
		skip(t, DIGIT);
		if (kind_at(t, t->at) & DOT && kind_at(t, t->at + 1) & DIGIT)
		{
			type = TOKEN_FLOAT;
			t->at++;
			skip(t, DIGIT);
		}
	}
	else if (first & LESS && !is_special_tag(t, t->at))
	{
		t->at += kind_at(t, t->at + 1) & SLASH ? 2 : 1;
		if (kind_at(t, t->at) & LETTER)
		{
			skip(t, LETTER);
			if (t->at < t->end && *t->at == '>')
			{
				t->at++;
				return TOKEN_TAG;
			}
		}
		t->at = t->start;
	}
	return goes_on(t, table, t->at) ? 0 : type;
}

/* Gives the draft what plain_token has found.  Returns false if that is for the server. */
static inline bool
take_plain(Tokeniser *t, int type)
{
	if (!take(t, type, t->start, t->at - t->start))
		return false;
	if (type != TOKEN_ASCIIHWORD)
		return true;

	for (const char *part = t->start; part < t->at; part++)
	{
		const char *end = memchr(part, '-', t->at - part);

		if (end == NULL)
			end = t->at;
		if (!take(t, TOKEN_HWORD_ASCIIPART, part, end - part))
			return false;
		part = end;
	}
	return true;
}

/*
 * Gives each token of a text to steward_tsvector_token, in order, but for
 * blanks if "blanks" is false, and for those that are too long, which it counts
 * in *nignored.  Returns false, and stops, if a token is for the server to make
 * something of.
 */
bool
steward_tsvector_tokens(TsvectorDraft *draft, TSParserCacheEntry *parser,
						const char *text, int length, bool blanks, int *nignored)
{
	Tokeniser	t = {draft, parser, text + length, text, text, false, 0};
	bool		taken = true;

	if (blanks)
		taken = parse_segment(&t, t.end);
	while (taken && t.at < t.end)
	{
		CHECK_FOR_INTERRUPTS();
		if (t.in_blank || !goes_on(&t, blank_goes_on, t.at))
		{
			if (!t.in_blank)
				t.start = t.at++;
			skip(&t, BLANK);
			t.in_blank = false;
			/* A character beyond ASCII may end the blank or not. */
			if (kind_at(&t, t.at) & HIGH)
				taken = parse_segment(&t, segment_end(&t, t.at));
			else
				taken = take(&t, TOKEN_UNMAPPED, t.start, t.at - t.start);
		}
		else
		{
			int			type = plain_token(&t);

			taken = type != 0 ? take_plain(&t, type) : parse_segment(&t, segment_end(&t, t.at));
		}
	}
	*nignored = t.nignored;
	return taken;
}
