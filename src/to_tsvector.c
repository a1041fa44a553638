/*
 * to_tsvector.c
 *		The server's to_tsvector(), byte for byte, in a fraction of its time.
 *
 * Most of that time goes into asking dictionaries about words they have been
 * asked about before, so a session remembers their answers: by configuration,
 * token type and the token itself.  The rest goes into the parser, see
 * to_tsvector_tokens.c, and into sorting every occurrence of every word; here
 * only distinct words are sorted.
 *
 * The answers are forgotten as soon as a catalog they come from changes, which
 * is when the server forgets its own state of dictionaries.  A dictionary whose
 * answers depend on anything else (on time, a setting, or on the words before)
 * is not for an IMMUTABLE function, but one that asks to see the next word, as a
 * thesaurus does, is left to the server together with the whole text.
 */
#include "pg_steward.h"

#include "common/pg_prng.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "tsearch/ts_public.h"
#include "tsearch/ts_utils.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

/* Token types of the default parser that matter here. */
#define TOKEN_ASCIIWORD 1
#define TOKEN_WORD 2
#define TOKEN_HWORD_PART 10
#define TOKEN_HWORD_ASCIIPART 11
#define TOKEN_BLANK 12
#define TOKEN_ASCIIHWORD 16
#define TOKEN_HWORD 17
#define TOKEN_FLOAT 20
#define TOKEN_UINT 22

/* What is longer is rarely met twice. */
#define MAX_WORD 32
#define MAX_NUMBER 4

/*
 * Looking a token up in vain and remembering it costs a quarter of what the
 * dictionaries do.  So the cache rests from texts whose words do not repeat: if
 * fewer than TRIAL_HITS of TRIAL tokens were known to it, for the next REST.
 */
#define TRIAL 1024
#define TRIAL_HITS (TRIAL / 6)
#define REST 8192

/* See is_worth_trying. */
#define RETRY 16
#define MAX_BALANCE 65536

#define BLOCK_SIZE 8192
#define INITIAL_SLOTS 512

/* What a dictionary made of a token, or one of several such things. */
typedef struct CachedLexeme
{
	uint8		length;
	uint8		moves_on;		/* TSL_ADDPOS */
	char		bytes[FLEXIBLE_ARRAY_MEMBER];	/* at least eight, filled up
												 * with zeros */
} CachedLexeme;

/* A token and what dictionaries make of it. */
typedef struct CachedToken
{
	Oid			config;
	uint32		draft;			/* the last draft the token was met in ... */
	uint32		first;			/* ... and the term of its first lexeme there */
	uint8		type;
	uint8		length;
	uint8		nlexemes;
	bool		known;			/* to a dictionary; stop words are, too */
	char		bytes[FLEXIBLE_ARRAY_MEMBER];	/* the token, then its lexemes */
} CachedToken;

/* A place in the hash table, which is probed linearly. */
typedef struct CacheSlot
{
	CachedToken *token;			/* NULL: none */
	uint32		hash;
} CacheSlot;

typedef struct TokenCache
{
	MemoryContext mcxt;
	CacheSlot  *slots;
	uint32		nslots;			/* a power of two */
	uint32		ntokens;
	char	   *room;			/* what is left of the last block */
	Size		room_size;
	Size		used;			/* bytes, of slots and blocks */
	uint64		seed;
	uint32		draft;			/* number of the last draft */
	int			trial;			/* tokens looked up in this trial ... */
	int			hits;			/* ... and found */
	int			rest;			/* tokens not to look up */
	int64		balance;		/* bytes of texts that were made vectors of,
								 * less those that were given up */
	int			depth;			/* number of drafts at work */
	bool		outdated;		/* to be emptied when no draft is at work: a
								 * catalog has changed, or there is no room */
} TokenCache;

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
	uint16		position;
} Place;

/* A term as it is sorted. */
typedef struct SortedTerm
{
	uint64		prefix;
	uint32		term;
} SortedTerm;

struct TsvectorDraft
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
};

static TokenCache cache;

/*
 * Terms in the order of tsCompareString.  Lexemes hold no zero bytes, so where
 * prefixes differ they tell.
 */
static inline int
compare_terms(const SortedTerm *a, const SortedTerm *b, const Term *terms)
{
	const Term *x = &terms[a->term];
	const Term *y = &terms[b->term];
	int			order;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	if (x->length > sizeof(uint64) && y->length > sizeof(uint64) &&
		(order = memcmp(x->lexeme, y->lexeme, Min(x->length, y->length))) != 0)
		return order;
	return (int) x->length - (int) y->length;
}

#define ST_SORT sort_terms
#define ST_ELEMENT_TYPE SortedTerm
#define ST_COMPARE(a, b, terms) compare_terms(a, b, terms)
#define ST_COMPARE_ARG_TYPE const Term
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

/* Empties the cache and gives its memory back. */
static void
forget_tokens(void)
{
	Assert(cache.depth == 0);
	MemoryContextReset(cache.mcxt);
	cache.slots = NULL;
	cache.nslots = cache.ntokens = 0;
	cache.room_size = cache.used = 0;
	cache.trial = cache.hits = cache.rest = 0;
	cache.balance = 0;
	cache.outdated = false;
}

/* The cache may be in use: a lexeme in it can be part of a draft. */
static void
note_change(Datum arg, int cacheid, uint32 hashvalue)
{
	cache.outdated = true;
}

/* Prepares the session; runs once per process. */
void
steward_to_tsvector_init(void)
{
	static const int caches[] = {TSCONFIGMAP, TSCONFIGOID, TSDICTOID, TSPARSEROID, TSTEMPLATEOID};

	for (int i = 0; i < lengthof(caches); i++)
		CacheRegisterSyscacheCallback(caches[i], note_change, (Datum) 0);
	steward_tsvector_tokens_init();
}

/* Says whether tokens like this one are worth remembering. */
static inline bool
is_cacheable(int type, int length)
{
	switch (type)
	{
		case TOKEN_ASCIIWORD:
		case TOKEN_WORD:
		case TOKEN_HWORD_PART:
		case TOKEN_HWORD_ASCIIPART:
		case TOKEN_ASCIIHWORD:
		case TOKEN_HWORD:
			return length <= MAX_WORD;
		case TOKEN_FLOAT:
		case TOKEN_UINT:
			return length <= MAX_NUMBER;
		default:
			return false;
	}
}

/*
 * Returns a hash of a token of at most MAX_WORD bytes.  The seed is a secret
 * of the session, so that nobody can write texts whose words collide.
 */
static inline uint32
hash_token(uint64 seed, const char *token, int length)
{
	uint64		hash = seed + length;
	uint64		chunk = 0;
	int			i = 0;

	for (; length - i > sizeof(chunk); i += sizeof(chunk))
	{
		memcpy(&chunk, token + i, sizeof(chunk));
		hash = (hash ^ chunk) * UINT64CONST(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	if (length >= sizeof(chunk))
		memcpy(&chunk, token + length - sizeof(chunk), sizeof(chunk));
	else if (length >= sizeof(uint32))
	{
		uint32		head;
		uint32		tail;

		memcpy(&head, token, sizeof(head));
		memcpy(&tail, token + length - sizeof(tail), sizeof(tail));
		chunk = ((uint64) head << 32) | tail;
	}
	else
		for (; i < length; i++)
			chunk = (chunk << 8) | (unsigned char) token[i];
	hash = (hash ^ chunk) * UINT64CONST(0xD6E8FEB86659FD93);
	hash ^= hash >> 32;
	hash *= UINT64CONST(0x9E3779B97F4A7C15);
	return (uint32) (hash >> 32);
}

/* Returns the slot of a token, which is an empty one if the cache does not know the token. */
static inline CacheSlot *
find_slot(Oid config, int type, const char *token, int length, uint32 hash)
{
	uint32		mask = cache.nslots - 1;

	for (uint32 i = hash & mask;; i = (i + 1) & mask)
	{
		CacheSlot  *slot = &cache.slots[i];
		CachedToken *found = slot->token;

		if (found == NULL ||
			(slot->hash == hash && found->length == length && found->type == type &&
			 found->config == config && memcmp(found->bytes, token, length) == 0))
			return slot;
	}
}

/* Says whether so many more bytes may be used; if not, the cache will be emptied after this document. */
static bool
have_room(Size size)
{
	if (cache.used + size <= (Size) steward_to_tsvector_cache * 1024)
		return true;
	cache.outdated = true;
	return false;
}

/*
 * Makes sure that there are twice as many slots as tokens, with one to come.
 * Returns false if there is no room for them.
 */
static bool
have_slots(void)
{
	uint32		nslots = cache.nslots == 0 ? INITIAL_SLOTS : cache.nslots * 2;
	CacheSlot  *slots;

	if (cache.ntokens * 2 < cache.nslots)
		return true;
	if (!have_room((nslots - cache.nslots) * sizeof(CacheSlot)))
		return false;

	slots = MemoryContextAllocExtended(cache.mcxt, nslots * sizeof(CacheSlot),
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint32 i = 0; i < cache.nslots; i++)
	{
		uint32		j = cache.slots[i].hash & (nslots - 1);

		if (cache.slots[i].token == NULL)
			continue;
		while (slots[j].token != NULL)
			j = (j + 1) & (nslots - 1);
		slots[j] = cache.slots[i];
	}
	if (cache.slots != NULL)
		pfree(cache.slots);
	cache.used += (nslots - cache.nslots) * sizeof(CacheSlot);
	cache.slots = slots;
	cache.nslots = nslots;
	return true;
}

/* Returns memory that lasts as long as the cache, or NULL if there is no room for it. */
static void *
take_room(Size size)
{
	char	   *taken;

	size = MAXALIGN(size);
	if (size > cache.room_size)
	{
		if (size > BLOCK_SIZE || !have_room(BLOCK_SIZE))
			return NULL;
		cache.room = MemoryContextAlloc(cache.mcxt, BLOCK_SIZE);
		cache.room_size = BLOCK_SIZE;
		cache.used += BLOCK_SIZE;
	}
	taken = cache.room;
	cache.room += size;
	cache.room_size -= size;
	return taken;
}

static inline Size
lexeme_size(int length)
{
	return offsetof(CachedLexeme, bytes) + Max(length, sizeof(uint64));
}

static inline CachedLexeme *
first_lexeme(CachedToken *token)
{
	return (CachedLexeme *) (token->bytes + token->length);
}

static inline CachedLexeme *
next_lexeme(CachedLexeme *lexeme)
{
	return (CachedLexeme *) ((char *) lexeme + lexeme_size(lexeme->length));
}

/*
 * Remembers what dictionaries made of a token, NULL if none knew it, and
 * returns that; or NULL if that takes too much room.
 */
static CachedToken *
remember(Oid config, int type, const char *token, int length, uint32 hash, const TSLexeme *lexemes)
{
	Size		size = offsetof(CachedToken, bytes) + length;
	int			nlexemes = 0;
	CacheSlot  *slot;
	CachedToken *made;
	CachedLexeme *lexeme;

	for (; lexemes != NULL && lexemes[nlexemes].lexeme != NULL; nlexemes++)
	{
		Size		lexeme_length = strlen(lexemes[nlexemes].lexeme);

		if (lexeme_length > PG_UINT8_MAX || nlexemes == PG_UINT8_MAX)
			return NULL;
		size += lexeme_size(lexeme_length);
	}
	if (!have_slots() || (made = take_room(size)) == NULL)
		return NULL;

	made->config = config;
	made->draft = 0;
	made->type = type;
	made->length = length;
	made->nlexemes = nlexemes;
	made->known = lexemes != NULL;
	memcpy(made->bytes, token, length);
	lexeme = first_lexeme(made);
	for (int i = 0; i < nlexemes; i++)
	{
		lexeme->length = strlen(lexemes[i].lexeme);
		lexeme->moves_on = (lexemes[i].flags & TSL_ADDPOS) != 0;
		memset(lexeme->bytes, 0, sizeof(uint64));
		memcpy(lexeme->bytes, lexemes[i].lexeme, lexeme->length);
		lexeme = next_lexeme(lexeme);
	}

	/* A dictionary may have used the cache itself. */
	slot = find_slot(config, type, token, length, hash);
	if (slot->token == NULL)
		cache.ntokens++;
	slot->token = made;
	slot->hash = hash;
	return made;
}

/*
 * Asks the dictionaries that a configuration has for a token.  Returns NULL if
 * none of them knows it; sets *multi, and returns nothing of use, if one wants
 * to see the next token, too.  See LexizeExec in ts_parse.c.
 */
static TSLexeme *
ask_dictionaries(const ListDictionary *dictionaries, const char *token, int length, bool *multi)
{
	*multi = false;
	for (int i = 0; i < dictionaries->len; i++)
	{
		TSDictionaryCacheEntry *dictionary = lookup_ts_dictionary_cache(dictionaries->dictIds[i]);
		DictSubState state = {0};
		TSLexeme   *lexemes;

		lexemes = (TSLexeme *) DatumGetPointer(FunctionCall4(&dictionary->lexize,
															 PointerGetDatum(dictionary->dictData),
															 PointerGetDatum(token),
															 Int32GetDatum(length),
															 PointerGetDatum(&state)));
		if (state.getnext)
		{
			*multi = true;
			return NULL;
		}
		if (lexemes == NULL)
			continue;
		if (!(lexemes->flags & TSL_FILTER))
			return lexemes;
		token = lexemes->lexeme;
		length = strlen(token);
	}
	return NULL;
}

/* Says whether to use the cache for the next token, which is cacheable. */
static inline bool
is_worth_it(void)
{
	if (cache.rest > 0)
	{
		cache.rest--;
		return false;
	}
	if (cache.trial++ == TRIAL)
	{
		if (cache.hits < TRIAL_HITS)
			cache.rest = REST;
		cache.trial = cache.hits = 0;
	}
	return true;
}

/* Returns an array of at least twice the elements. */
static void *
enlarge(void *array, int64 *maximum, Size element)
{
	*maximum *= 2;
	return repalloc_huge(array, *maximum * element);
}

/* Adds a lexeme to the draft, and returns its number. */
static inline uint32
add_term(TsvectorDraft *draft, const char *lexeme, uint16 length, uint64 prefix)
{
	Term	   *term;

	if (draft->nterms == draft->maxterms)
		draft->terms = enlarge(draft->terms, &draft->maxterms, sizeof(Term));
	term = &draft->terms[draft->nterms];
	term->lexeme = lexeme;
	term->length = length;
	term->prefix = pg_ntoh64(prefix);
	term->in_part = 0;
	return draft->nterms++;
}

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

/* Notes that the term is what stands at a position. */
static inline void
add_place(TsvectorDraft *draft, uint32 term, int position)
{
	Place	   *place;

	position = LIMITPOS(position);
	if (!count_in_part(&draft->terms[term], draft->part, position))
		return;
	if (draft->nplaces == draft->maxplaces)
		draft->places = enlarge(draft->places, &draft->maxplaces, sizeof(Place));
	place = &draft->places[draft->nplaces++];
	place->term = term;
	place->position = position;
}

/* Adds a lexeme that nothing is known of but its bytes, which must outlive the draft. */
static void
add_lexeme(TsvectorDraft *draft, const char *lexeme, uint16 length, int position)
{
	uint64		prefix = 0;

	memcpy(&prefix, lexeme, Min(length, sizeof(prefix)));
	add_place(draft, add_term(draft, lexeme, length, prefix), position);
}

/* Adds a token that the cache knows. */
static inline void
add_cached(TsvectorDraft *draft, CachedToken *token)
{
	if (!token->known)
		return;
	draft->position++;
	if (token->draft != draft->number)
	{
		CachedLexeme *lexeme = first_lexeme(token);

		token->draft = draft->number;
		token->first = draft->nterms;
		for (int i = 0; i < token->nlexemes; i++)
		{
			uint64		prefix;

			memcpy(&prefix, lexeme->bytes, sizeof(prefix));
			(void) add_term(draft, lexeme->bytes, lexeme->length, prefix);
			lexeme = next_lexeme(lexeme);
		}
	}
	if (token->nlexemes > 0)
	{
		CachedLexeme *lexeme = first_lexeme(token);

		for (int i = 0; i < token->nlexemes; i++)
		{
			if (lexeme->moves_on)
				draft->position++;
			add_place(draft, token->first + i, draft->position);
			lexeme = next_lexeme(lexeme);
		}
	}
}

/*
 * Adds a token to the draft.  Returns false if only the server can: because a
 * dictionary wants to see the next one, too, or a lexeme is longer than a
 * vector can hold.  The bytes must last until this returns.
 */
bool
steward_tsvector_token(TsvectorDraft *draft, int type, const char *token, int length)
{
	TSConfigCacheEntry *config = draft->config;
	bool		cacheable;
	uint32		hash = 0;
	TSLexeme   *lexemes;
	bool		multi;

	if (type >= config->lenmap || config->map[type].len == 0)
		return true;

	cacheable = is_cacheable(type, length) && is_worth_it();
	if (cacheable)
	{
		hash = hash_token(draft->seed + type, token, length);
		if (cache.nslots > 0)
		{
			CachedToken *found = find_slot(draft->config_id, type, token, length, hash)->token;

			if (found != NULL)
			{
				cache.hits++;
				add_cached(draft, found);
				return true;
			}
		}
	}

	lexemes = ask_dictionaries(&config->map[type], token, length, &multi);
	if (multi)
		return false;
	if (cacheable)
	{
		CachedToken *made = remember(draft->config_id, type, token, length, hash, lexemes);

		if (made != NULL)
		{
			add_cached(draft, made);
			return true;
		}
	}

	if (lexemes == NULL)
		return true;
	draft->position++;
	for (TSLexeme *lexeme = lexemes; lexeme->lexeme != NULL; lexeme++)
	{
		Size		lexeme_length = strlen(lexeme->lexeme);

		if (lexeme_length >= MAXSTRLEN)
			return false;
		if (lexeme->flags & TSL_ADDPOS)
			draft->position++;
		add_lexeme(draft, lexeme->lexeme, lexeme_length, draft->position);
	}
	return true;
}

/*
 * Puts the positions of a draft's terms together, part by part, each as the
 * server would have it in a vector of its own, and all as it joins those: see
 * tsvector_concat in tsvector_op.c.  Writes them into the vector's strings, or
 * only counts them if that is NULL.
 */
static void
place_terms(TsvectorDraft *draft, const TsvectorPart *parts, const int64 *part_ends, int nparts,
			char *strings)
{
	Term	   *terms = draft->terms;
	int64		i = 0;
	int			max = 0;		/* the last position of the parts before */

	for (int64 t = 0; t < draft->nterms; t++)
		terms[t].npositions = terms[t].in_part = 0;
	for (int part = 0; part < nparts; part++)
	{
		int			base = max;

		for (; i < part_ends[part]; i++)
		{
			Term	   *term = &terms[terms[draft->places[i].term].leader];
			uint16		position = LIMITPOS(draft->places[i].position + base);

			if (!count_in_part(term, part, draft->places[i].position) ||
				(term->npositions > 0 &&
				 (term->npositions >= MAXNUMPOS || term->last == MAXENTRYPOS - 1)))
				continue;
			if (strings != NULL)
			{
				WordEntryPos *positions = (WordEntryPos *) (strings + term->offset);

				WEP_SETPOS(positions[term->npositions], position);
				WEP_SETWEIGHT(positions[term->npositions], parts[part].weight);
			}
			term->npositions++;
			term->last = position;
			max = Max(max, position);
		}
	}
}

/*
 * Returns the vector of a draft, palloc'd in the given context, or NULL if it
 * is larger than a vector can be.  See make_tsvector in to_tsany.c.
 */
static TSVector
finish(TsvectorDraft *draft, const TsvectorPart *parts, const int64 *part_ends, int nparts,
	   MemoryContext mcxt)
{
	Term	   *terms = draft->terms;
	SortedTerm *sorted = palloc_extended(Max(draft->nterms, 1) * sizeof(SortedTerm),
										 MCXT_ALLOC_HUGE);
	Term	   *leader = NULL;
	int64		nleaders = 0;
	int64		bytes = 0;
	TSVector	vector;
	WordEntry  *entry;
	char	   *strings;
	Size		size;

	for (int64 i = 0; i < draft->nterms; i++)
	{
		sorted[i].prefix = terms[i].prefix;
		sorted[i].term = i;
	}
	sort_terms(sorted, draft->nterms, terms);

	for (int64 i = 0; i < draft->nterms; i++)
	{
		Term	   *term = &terms[sorted[i].term];

		if (leader == NULL || compare_terms(&sorted[i - 1], &sorted[i], terms) != 0)
			leader = term;
		term->leader = leader - terms;
	}
	place_terms(draft, parts, part_ends, nparts, NULL);

	for (int64 i = 0; i < draft->nterms; i++)
	{
		Term	   *term = &terms[sorted[i].term];

		if (term->npositions == 0)
			continue;
		sorted[nleaders++].term = sorted[i].term;
		bytes = SHORTALIGN(bytes + term->length) +
			sizeof(uint16) + term->npositions * sizeof(WordEntryPos);
	}
	if (bytes > MAXSTRPOS)
		return NULL;

	size = CALCDATASIZE(nleaders, bytes);
	vector = MemoryContextAllocZero(mcxt, size);
	SET_VARSIZE(vector, size);
	vector->size = nleaders;
	entry = ARRPTR(vector);
	strings = STRPTR(vector);
	bytes = 0;
	for (int64 i = 0; i < nleaders; i++, entry++)
	{
		Term	   *term = &terms[sorted[i].term];

		entry->haspos = 1;
		entry->len = term->length;
		entry->pos = bytes;
		memcpy(strings + bytes, term->lexeme, term->length);
		bytes = SHORTALIGN(bytes + term->length);
		*(uint16 *) (strings + bytes) = term->npositions;
		bytes += sizeof(uint16) + term->npositions * sizeof(WordEntryPos);
		term->offset = (char *) POSDATAPTR(vector, entry) - strings;
	}
	place_terms(draft, parts, part_ends, nparts, strings);
	return vector;
}

/* Raises the server's notice of tokens that are too long. */
static void
note_ignored(int nignored)
{
	for (; nignored > 0; nignored--)
		ereport(NOTICE,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("word is too long to be indexed"),
				 errdetail("Words longer than %d characters are ignored.", MAXSTRLEN)));
}

/*
 * Makes the vector of some texts with the default parser.  Returns NULL if only
 * the server can do that.
 */
static TSVector
make_vector(Oid config_id, TSConfigCacheEntry *config, TSParserCacheEntry *parser,
			const TsvectorPart *parts, int nparts, int64 length)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext mcxt = AllocSetContextCreate(caller, "pg_steward to_tsvector document",
											   ALLOCSET_DEFAULT_SIZES);
	TsvectorDraft draft = {0};
	bool		blanks = TOKEN_BLANK < config->lenmap && config->map[TOKEN_BLANK].len > 0;
	int			nignored = 0;
	int64	   *part_ends;
	bool		done = true;
	TSVector	vector = NULL;

	MemoryContextSwitchTo(mcxt);
	draft.config_id = config_id;
	draft.config = config;
	draft.seed = cache.seed + ((uint64) config_id << 8);
	draft.number = ++cache.draft;
	draft.maxterms = length / 12 + 16;
	draft.terms = palloc_extended(draft.maxterms * sizeof(Term), MCXT_ALLOC_HUGE);
	draft.maxplaces = length / 8 + 16;
	draft.places = palloc_extended(draft.maxplaces * sizeof(Place), MCXT_ALLOC_HUGE);
	part_ends = palloc(nparts * sizeof(int64));

	for (int part = 0; part < nparts && done; part++)
	{
		int			nignored_here = 0;

		draft.part = part;
		draft.position = 0;
		done = steward_tsvector_tokens(&draft, parser, parts[part].text, parts[part].length, blanks,
									   &nignored_here);
		part_ends[part] = draft.nplaces;
		nignored += nignored_here;
	}
	if (done)
		vector = finish(&draft, parts, part_ends, nparts, caller);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(mcxt);
	if (vector != NULL)
		note_ignored(nignored);
	return vector;
}

/*
 * What had to be given up for the server is work done twice.  So texts are left
 * to it from the start while more bytes were given up than came to something,
 * but for one in so many that the waste is small.
 */
static bool
is_worth_trying(int length)
{
	if (cache.balance >= 0)
		return true;
	cache.balance += length / RETRY;
	return false;
}

static void
note_trial(int length, bool made)
{
	cache.balance += made ? length : -(int64) length;
	cache.balance = Min(Max(cache.balance, -MAX_BALANCE), MAX_BALANCE);
}

/* Has the server make the vector. */
static TSVector
ask_server(Oid config_id, const TsvectorPart *parts, int nparts)
{
	TSVector	vector = NULL;

	for (int i = 0; i < nparts; i++)
	{
		ParsedText	parsed = {0};
		TSVector	part;

		parsed.lenwords = Min(Max(parts[i].length / 6, 2), MaxAllocSize / sizeof(ParsedWord));
		parsed.words = palloc_array(ParsedWord, parsed.lenwords);
		parsetext(config_id, &parsed, unconstify(char *, parts[i].text), parts[i].length);
		part = make_tsvector(&parsed);
		if (parts[i].weight > 0)
			part = DatumGetTSVector(DirectFunctionCall2(tsvector_setweight, TSVectorGetDatum(part),
														CharGetDatum('D' - parts[i].weight)));
		vector = vector == NULL ? part :
			DatumGetTSVector(DirectFunctionCall2(tsvector_concat, TSVectorGetDatum(vector),
												 TSVectorGetDatum(part)));
	}
	return vector;
}

/*
 * Returns what the server makes of some texts: setweight(to_tsvector(text),
 * weight) of each, joined by ||.  It is palloc'd in the current context, and the
 * errors and notices that the server raises are raised.
 */
TSVector
steward_to_tsvector(Oid config_id, const TsvectorPart *parts, int nparts)
{
	TSConfigCacheEntry *config = lookup_ts_config_cache(config_id);
	TSParserCacheEntry *parser = lookup_ts_parser_cache(config->prsId);
	TSVector	vector = NULL;
	int64		length = 0;

	for (int i = 0; i < nparts; i++)
		length += parts[i].length;

	if (cache.mcxt == NULL)
	{
		cache.mcxt = AllocSetContextCreate(steward_session_context(), "pg_steward to_tsvector",
										   BLOCK_SIZE, BLOCK_SIZE, 32 * BLOCK_SIZE);
		cache.seed = pg_prng_uint64(&pg_global_prng_state);
	}

	/* Draft 0 is none. */
	if (cache.draft == PG_UINT32_MAX)
		cache.outdated = true;
	if ((cache.outdated || steward_to_tsvector_cache == 0) && cache.depth == 0)
	{
		forget_tokens();
		cache.draft = 0;
	}

	if (steward_to_tsvector_cache != 0 && !cache.outdated &&
		parser->startOid == F_PRSD_START && parser->tokenOid == F_PRSD_NEXTTOKEN &&
		is_worth_trying(length))
	{
		/* A dictionary is free to call this, too. */
		cache.depth++;
		PG_TRY();
		{
			vector = make_vector(config_id, config, parser, parts, nparts, length);
		}
		PG_FINALLY();
		{
			cache.depth--;
		}
		PG_END_TRY();
		note_trial(length, vector != NULL);
	}
	if (vector == NULL)
		vector = ask_server(config_id, parts, nparts);
	return vector;
}

PG_FUNCTION_INFO_V1(steward_to_tsvector_byid);

/* See sql/parts/to_tsvector.sql. */
Datum
steward_to_tsvector_byid(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(1);
	TsvectorPart part = {VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document), 0};
	TSVector	vector = steward_to_tsvector(PG_GETARG_OID(0), &part, 1);

	PG_FREE_IF_COPY(document, 1);
	PG_RETURN_TSVECTOR(vector);
}
