/*
 * to_tsvector_words.c
 *		What dictionaries make of the tokens of a text.
 *
 * Most words are ones they have been asked about before, so a session remembers
 * their answers: by configuration, token type and the token itself.
 *
 * The answers are forgotten as soon as a catalog they come from changes, which
 * is when the server forgets its own state of dictionaries.  A dictionary whose
 * answers depend on anything else (on time, a setting, or on the words before)
 * is not for an IMMUTABLE function, but one that asks to see the next word, as a
 * thesaurus does, is left to the server together with the whole text.
 */
#include "search/to_tsvector.h"

#include "common/pg_prng.h"
#include "port/pg_bswap.h"
#include "tsearch/ts_public.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

int			steward_to_tsvector_cache = 8192;

/* What the answers of dictionaries come from. */
const int	steward_tsvector_catalogs[] = {
	TSCONFIGMAP, TSCONFIGOID, TSDICTOID, TSPARSEROID, TSTEMPLATEOID, STEWARD_NO_CATALOG
};

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

static TokenCache cache;

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

/* One of steward_tsvector_catalogs has changed.  The cache may be in use: a lexeme in it can be part of a draft. */
void
steward_tsvector_words_changed(int cacheid, uint32 hash)
{
	cache.outdated = true;
}

/* Tells whether tokens like this one are worth remembering. */
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

/* Tells whether so many more bytes may be used; if not, the cache will be emptied after this document. */
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

/* Tells whether to use the cache for the next token, which is cacheable. */
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
	place->part = draft->part;
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
 * Tells whether to try a text of so many bytes.  What had to be given up for the
 * server is work done twice, so texts are left to it from the start while more
 * bytes were given up than came to something, but for one in so many that the
 * waste is small.
 */
static bool
is_worth_trying(int64 length)
{
	if (cache.balance >= 0)
		return true;
	cache.balance += length / RETRY;
	return false;
}

/*
 * Begins a draft, all zeros, of a vector of so many bytes of text.  Returns
 * false if it is better left to the server; else steward_tsvector_close must
 * follow, also after an error.
 */
bool
steward_tsvector_open(TsvectorDraft *draft, Oid config_id, TSConfigCacheEntry *config,
					  int64 length)
{
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
	if (steward_to_tsvector_cache == 0 || cache.outdated || !is_worth_trying(length))
		return false;

	/* A dictionary is free to make a vector, too. */
	cache.depth++;
	draft->config_id = config_id;
	draft->config = config;
	draft->seed = cache.seed + ((uint64) config_id << 8);
	draft->number = ++cache.draft;
	return true;
}

/*
 * Ends a draft.  "gain" is the bytes of text that it made a vector of, below
 * zero if they were given up for the server, 0 after an error.
 */
void
steward_tsvector_close(int64 gain)
{
	cache.depth--;
	cache.balance = Min(Max(cache.balance + gain, -MAX_BALANCE), MAX_BALANCE);
}
