/*
 * to_tsvector.h
 *		Vectors of texts, as the server makes them.
 *
 *		to_tsvector_words.c		what dictionaries make of the tokens of a text
 *		to_tsvector_tokens.c	finding the tokens
 *		to_tsvector.c			the vector
 */
#ifndef STEWARD_TO_TSVECTOR_H
#define STEWARD_TO_TSVECTOR_H

#include "core/core.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_type.h"

extern int	steward_to_tsvector_cache;

/* to_tsvector_words.c */

/* Token types of the default parser that matter here. */
#define TOKEN_ASCIIWORD 1
#define TOKEN_WORD 2
#define TOKEN_HWORD_PART 10
#define TOKEN_HWORD_ASCIIPART 11
#define TOKEN_BLANK 12
#define TOKEN_TAG 13
#define TOKEN_ASCIIHWORD 16
#define TOKEN_HWORD 17
#define TOKEN_FLOAT 20
#define TOKEN_UINT 22

/* A lexeme of the vector; the same one can come from several tokens. */
typedef struct Term
{
	const char *lexeme;
	uint64		prefix;			/* eight bytes of it, as a number that sorts
								 * as they do */
	uint16		length;
	uint16		part;			/* the last that it is in ... */
	uint16		in_part;		/* ... how often, */
	uint16		last_in_part;	/* and its last position there */
	uint16		npositions;		/* in the vector */
	uint16		last;			/* the last of these */
	uint32		leader;			/* the term that stands for this lexeme */
	uint32		offset;			/* a leader's positions in the vector */
} Term;

/* An occurrence of a term. */
typedef struct Place
{
	uint32		term;
	uint16		part;
	uint16		position;
} Place;

/* A vector that is being made from texts, the parts. */
typedef struct TsvectorDraft
{
	Oid			config_id;
	TSConfigCacheEntry *config;
	uint64		seed;			/* of token hashes */
	uint32		number;
	int			part;			/* the present one */
	int			position;		/* of the last word in it */
	Term	   *terms;
	int64		nterms;
	int64		maxterms;
	Place	   *places;
	int64		nplaces;
	int64		maxplaces;
} TsvectorDraft;

/*
 * Counts the position, if it is one that a vector of this part alone would hold:
 * there are at most 255 for each lexeme, in ascending order.  See uniqueWORD in
 * to_tsany.c.
 */
static inline bool
count_in_part(Term *term, uint16 part, uint16 position)
{
	if (term->in_part == 0 || term->part != part)
	{
		term->part = part;
		term->in_part = 0;
	}
	else if (term->in_part >= MAXNUMPOS - 1 || term->last_in_part == position)
		return false;
	term->in_part++;
	term->last_in_part = position;
	return true;
}

extern const int steward_tsvector_catalogs[];

extern void steward_tsvector_words_changed(int cacheid, uint32 hash);
extern bool steward_tsvector_token(TsvectorDraft *draft, int type, const char *token, int length);
extern bool steward_tsvector_open(TsvectorDraft *draft, Oid config_id, TSConfigCacheEntry *config,
								  int64 length);
extern void steward_tsvector_close(int64 gain);

/* to_tsvector_tokens.c */
extern void steward_tsvector_tokens_init(void);
extern bool steward_tsvector_tokens(TsvectorDraft *draft, TSParserCacheEntry *parser,
									const char *text, int length, bool blanks, int *nignored);

/* to_tsvector.c */
extern void steward_tsvector_init(void);

/* A text of which a vector is made. */
typedef struct TsvectorPart
{
	const char *text;
	int			length;
	int			weight;			/* 0 for D to 3 for A */
} TsvectorPart;

extern TSVector steward_to_tsvector(Oid config, const TsvectorPart *parts, int nparts);

#endif							/* STEWARD_TO_TSVECTOR_H */
