/*
 * to_tsvector.c
 *		The server's to_tsvector(), byte for byte, in a fraction of its time.
 *
 * Most of that time goes into asking dictionaries, see to_tsvector_words.c.  The
 * rest goes into the parser, see to_tsvector_tokens.c, and into sorting every
 * occurrence of every word; here only distinct words are sorted.
 */
#include "search/to_tsvector.h"

#include "tsearch/ts_utils.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* A term as it is sorted. */
typedef struct SortedTerm
{
	uint64		prefix;
	uint32		term;
} SortedTerm;

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

/*
 * Puts the positions of a draft's terms together, part by part, each as the
 * server would have it in a vector of its own, and all as it joins those: see
 * tsvector_concat in tsvector_op.c.  Writes them into the vector's strings, or
 * only counts them if that is NULL.
 */
static void
place_terms(TsvectorDraft *draft, const TsvectorPart *parts, char *strings)
{
	Term	   *terms = draft->terms;
	int			part = 0;
	int			base = 0;		/* the last position of the parts before */
	int			max = 0;		/* ... and of this one */

	for (int64 i = 0; i < draft->nterms; i++)
		terms[i].npositions = terms[i].in_part = 0;
	for (int64 i = 0; i < draft->nplaces; i++)
	{
		const Place *place = &draft->places[i];
		Term	   *term = &terms[terms[place->term].leader];
		uint16		position;

		if (place->part != part)
		{
			part = place->part;
			base = max;
		}
		position = LIMITPOS(place->position + base);
		if (!count_in_part(term, part, place->position) ||
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

/*
 * Returns the vector of a draft, palloc'd in the given context, or NULL if it
 * or one of a part may be larger than a vector can be.  See make_tsvector in
 * to_tsany.c.
 */
static TSVector
finish(TsvectorDraft *draft, const TsvectorPart *parts, MemoryContext mcxt)
{
	Term	   *terms = draft->terms;
	SortedTerm	few[64];		/* enough for short texts */
	SortedTerm *sorted = few;
	Term	   *leader = NULL;
	int64		nleaders = 0;
	int64		nplaced = 0;
	int64		bytes = 0;
	TSVector	vector;
	WordEntry  *entry;
	char	   *strings;
	Size		size;

	if (draft->nterms > lengthof(few))
		sorted = palloc_extended(draft->nterms * sizeof(SortedTerm), MCXT_ALLOC_HUGE);
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
	place_terms(draft, parts, NULL);

	for (int64 i = 0; i < draft->nterms; i++)
	{
		Term	   *term = &terms[sorted[i].term];

		if (term->npositions == 0)
			continue;
		sorted[nleaders++].term = sorted[i].term;
		bytes = SHORTALIGN(bytes + term->length) +
			sizeof(uint16) + term->npositions * sizeof(WordEntryPos);
		nplaced += term->npositions;
	}

	/*
	 * A part may be too long alone, with positions that do not count behind
	 * others.
	 */
	if (bytes + (draft->nplaces - nplaced) * (int64) sizeof(WordEntryPos) > MAXSTRPOS)
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
	place_terms(draft, parts, strings);
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
 * Makes the vector of some texts, of so many bytes, with the default parser in
 * an open draft.  Returns NULL if only the server can do that.
 */
static TSVector
make_vector(TsvectorDraft *draft, TSParserCacheEntry *parser, const TsvectorPart *parts,
			int nparts, int64 length)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext mcxt = AllocSetContextCreate(caller, "pg_steward to_tsvector document",
											   ALLOCSET_DEFAULT_SIZES);
	bool		blanks = TOKEN_BLANK < draft->config->lenmap &&
		draft->config->map[TOKEN_BLANK].len > 0;
	int			nignored = 0;
	bool		done = true;
	TSVector	vector = NULL;

	MemoryContextSwitchTo(mcxt);
	draft->maxterms = length / 12 + 16;
	draft->terms = palloc_extended(draft->maxterms * sizeof(Term), MCXT_ALLOC_HUGE);
	draft->maxplaces = length / 8 + 16;
	draft->places = palloc_extended(draft->maxplaces * sizeof(Place), MCXT_ALLOC_HUGE);

	for (int part = 0; part < nparts && done; part++)
	{
		int			nignored_here = 0;

		draft->part = part;
		draft->position = 0;
		done = steward_tsvector_tokens(draft, parser, parts[part].text, parts[part].length, blanks,
									   &nignored_here);
		nignored += nignored_here;
	}
	if (done)
		vector = finish(draft, parts, caller);

	MemoryContextSwitchTo(caller);
	MemoryContextDelete(mcxt);
	if (vector != NULL)
		note_ignored(nignored);
	return vector;
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
	TsvectorDraft draft = {0};
	TSVector	vector = NULL;
	int64		length = 0;

	for (int i = 0; i < nparts; i++)
		length += parts[i].length;

	if (parser->startOid == F_PRSD_START && parser->tokenOid == F_PRSD_NEXTTOKEN &&
		steward_tsvector_open(&draft, config_id, config, length))
	{
		PG_TRY();
		{
			vector = make_vector(&draft, parser, parts, nparts, length);
		}
		PG_CATCH();
		{
			steward_tsvector_close(0);
			PG_RE_THROW();
		}
		PG_END_TRY();
		steward_tsvector_close(vector != NULL ? length : -length);
	}
	if (vector == NULL)
		vector = ask_server(config_id, parts, nparts);
	return vector;
}

/* See sql/search/to_tsvector.sql. */
PG_FUNCTION_INFO_V1(steward_to_tsvector_byid);
Datum
steward_to_tsvector_byid(PG_FUNCTION_ARGS)
{
	text	   *document = PG_GETARG_TEXT_PP(1);
	TsvectorPart part = {VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document), 0};
	TSVector	vector = steward_to_tsvector(PG_GETARG_OID(0), &part, 1);

	PG_FREE_IF_COPY(document, 1);
	PG_RETURN_TSVECTOR(vector);
}

/* Defines the setting and fills the tables, once per process. */
void
steward_tsvector_init(void)
{
	DefineCustomIntVariable("steward.to_tsvector_cache",
							"Memory in which a session remembers what dictionaries made of words; 0 leaves to_tsvector to the server.",
							NULL,
							&steward_to_tsvector_cache, 8192, 0, 1024 * 1024,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	steward_tsvector_tokens_init();
}
