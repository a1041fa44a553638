/*
 * pg_steward.h
 *		What the modules of pg_steward share.
 *
 * For all modules:
 *
 *	options.c			reading a trigger's arguments
 *	row.c				comparing and changing rows
 *	output.c			values as text
 *
 * The audit module, callee first:
 *
 *	audit_json.c		values of a row, laid out as jsonb
 *	audit_context.c		who is at work, interned as one row per context
 *	audit_log.c			the log: finding the partition, writing events
 *	audit_tenant.c		which tenant may read an event
 *	audit_table.c		what is known of one audited table, per session
 *	audit.c				the trigger, and the functions that read keys
 *	audit_guard.c		what keeps the log from being changed or dropped
 *
 * The upkeep module, callee first:
 *
 *	upkeep.c			what its triggers have in common
 *	updated_at.c		when a row last changed, and by whom
 *	row_version.c		how often a row changed, and refusing stale writes
 *	append_only.c		refusing every change
 *	soft_delete.c		stamping rows instead of deleting them
 *	search.c			the words of a row, for full-text search
 *	search_enable.c		search vectors for a table that has rows
 *	uuidv7.c			ids that grow with time
 *
 * The tenant module, callee first:
 *
 *	tenant_payload.c	reading base64url and JSON, without the server
 *	tenant_token.c		keys, and what a signed token says
 *	tenant_registry.c	which tenants may work, and where their schemas are
 *	tenant.c			for which tenant and user a transaction works
 *	tenant_session.c	what the transaction must not leave to the session
 *	tenant_plan.c		columns that are compared with them
 *	tenant_check_value.c	what the parts of a policy's expression are worth
 *	tenant_check_expr.c	whether rows that meet an expression are a tenant's
 *	tenant_check_view.c	which tables of tenants a view reads whole
 *	tenant_check.c		what policies say of a tenant column
 *	tenant_search.c		full-text search under row security
 *
 * The to_tsvector module, callee first:
 *
 *	to_tsvector_words.c		what dictionaries make of the tokens of a text
 *	to_tsvector_tokens.c	finding the tokens
 *	to_tsvector.c		the vector
 *
 * The monitoring module:
 *
 *	monitor_size.c		sizes of relations, without a lock
 *	monitor_bloat.c		how long rows are, as the catalogs have it
 *	monitor_locks.c		what is read of relations that may be locked
 *	monitor_health.c	running a health check within a time limit
 */
#ifndef PG_STEWARD_H
#define PG_STEWARD_H

#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "nodes/parsenodes.h"
#include "tsearch/ts_cache.h"
#include "tsearch/ts_type.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "compat.h"

/* Settings; each is described where _PG_init defines it. */
extern bool steward_audit_guard;
extern char *steward_audit_redaction_key;
extern char *steward_audit_redaction_key_file;
extern char *steward_audit_user_setting;
extern char *steward_audit_client_ip_setting;
extern char *steward_audit_tenant_setting;
extern char *steward_audit_tenant_column;
extern char *steward_context;
extern int	steward_to_tsvector_cache;

/* pg_steward.c */

extern bool steward_preloaded;

/*
 * Something held in session memory that is true only if the transaction that
 * stored it commits.  Embedded in the thing itself; "forget" is called when
 * that transaction or savepoint is rolled back or prepared.
 */
typedef struct Provisional
{
	dlist_node	node;
	SubTransactionId subid;		/* Invalid: committed, or not stored at all */
	void		(*forget) (struct Provisional *it);
} Provisional;

extern void steward_provisional(Provisional *it, void (*forget) (Provisional *it));
extern void steward_settle(Provisional *it);
extern MemoryContext steward_session_context(void);
extern int64 steward_new_id(void);
extern Relation steward_open(Oid relid);
extern char *steward_relation_literal(Relation rel);
extern void steward_check_trigger(FunctionCallInfo fcinfo, const char *name);

/* options.c */
extern char *steward_option(const char *argument, char **value);
pg_noreturn extern void steward_option_unknown(const char *kind, const char *argument,
											   const char *known);
extern int	steward_option_choice(const char *kind, const char *option, const char *value,
								  const char *const *choices);
extern char *steward_column_list(Relation rel);
extern List *steward_option_columns(Relation rel, const char *kind, const char *option,
									const char *value);
extern void steward_option_once(const char *kind, const char *option, bool given);
extern List *steward_stored_arguments(bytea *stored);
extern AttrNumber steward_find_column(Oid relid, const char *argument);
extern AttrNumber steward_option_column(Relation rel, const char *kind, const char *argument);

/* row.c */

/* Two versions of a row, and the column at which one is while going through them. */
typedef struct RowPair
{
	TupleDesc	desc;
	int			natts;
	AttrNumber	attnum;
	Form_pg_attribute att;
	char	   *old_value;
	char	   *new_value;
	bool		alike;			/* so far, columns lie at the same places */
	uint8	   *nulls;			/* of both; NULL if nothing is null */
	char	   *old_data;
	char	   *new_data;
	uint32		end;			/* where the values end */
} RowPair;

extern void steward_row_pair_open(RowPair *pair, TupleDesc desc, HeapTuple old_tuple,
								  HeapTuple new_tuple, int natts);
extern bool steward_row_pair_next(RowPair *pair);
extern bool steward_row_pair_differs(RowPair *pair);
extern bool steward_datum_differs(Datum a, Datum b, bool typbyval, int16 typlen);
extern bool steward_row_changed(TupleDesc desc, HeapTuple old_tuple, HeapTuple new_tuple,
								const bool *ignored);
extern bool steward_column_changed(TupleDesc desc, HeapTuple old_tuple, HeapTuple new_tuple,
								   AttrNumber attnum);
extern HeapTuple steward_row_set(TriggerData *trigdata, HeapTuple row, AttrNumber attnum,
								 Datum value, bool isnull);
extern HeapTuple steward_row_copy_column(TriggerData *trigdata, HeapTuple row, HeapTuple from,
										 AttrNumber attnum);

/* output.c */

/* How a value becomes text. */
typedef struct PinnedOutput
{
	FmgrInfo	function;
	bool		names_objects;	/* looks at the search path */
} PinnedOutput;

extern void steward_pinned_output_init(PinnedOutput *output, Oid type, MemoryContext mcxt);
extern char *steward_pinned_output(PinnedOutput *output, Datum value);

/* upkeep.c */

/* In the order of steward_clocks, the values of option "clock". */
typedef enum StampClock
{
	CLOCK_TRANSACTION,
	CLOCK_STATEMENT,
	CLOCK_WALL,
} StampClock;

/* A column that holds a time. */
typedef struct Stamp
{
	AttrNumber	attnum;
	StampClock	clock;
	Oid			type;			/* timestamptz, timestamp or date */
	int32		typmod;
	Oid			domain;			/* InvalidOid if it is none */
} Stamp;

extern const char *const steward_clocks[];

extern void steward_check_before_row(FunctionCallInfo fcinfo, const char *name, int16 events,
									 const char *wanted, const char *enable);
extern void *steward_begin_statement(FunctionCallInfo fcinfo,
									 void *(*parse) (Relation rel, Trigger *trigger));
extern void steward_stamp_init(Stamp *stamp, Relation rel, AttrNumber attnum, StampClock clock,
							   const char *kind);
extern Datum steward_stamp_now(const Stamp *stamp);
extern bool *steward_upkept_columns(Relation rel, Trigger *self);
extern bool steward_role_allowed(const char *kind, const char *value);
extern Trigger *steward_find_trigger(Relation rel, Oid schema, const char *function);

/* What each reads is its own; it is allocated in the current memory context. */
extern void *steward_updated_at_parse(Relation rel, Trigger *trigger);
extern void *steward_row_version_parse(Relation rel, Trigger *trigger);
extern void *steward_soft_delete_parse(Relation rel, Trigger *trigger);
extern void *steward_soft_delete_cascade_parse(Relation rel, Trigger *trigger);
extern void *steward_search_vector_parse(Relation rel, Trigger *trigger);

/* audit_json.c */

/* How a column's values become jsonb. */
typedef enum AuditEncoding
{
	ENCODE_TEXT,				/* text, varchar, char: a string */
	ENCODE_NAME,				/* name and cstring: a string */
	ENCODE_BOOL,
	ENCODE_INT2,
	ENCODE_INT4,
	ENCODE_INT8,
	ENCODE_NUMERIC,
	ENCODE_FLOAT4,
	ENCODE_FLOAT8,
	ENCODE_JSONB,
	ENCODE_DATETIME,			/* date, time, timestamp, timestamptz */
	ENCODE_UUID,
	ENCODE_OUTPUT,				/* anything else: its output function's text */
	ENCODE_REDACTED,			/* a keyed hash of the output function's text */
} AuditEncoding;

/* One column of an audited table. */
typedef struct AuditColumn
{
	const char *name;
	int			name_length;
	AttrNumber	attnum;
	Oid			type;			/* base type, if the column has a domain */
	int16		typlen;
	bool		typbyval;
	AuditEncoding encoding;
	bool		in_key;
	PinnedOutput output;		/* ENCODE_OUTPUT and ENCODE_REDACTED only */
} AuditColumn;

extern const char *steward_audit_get_redaction_key(void);
extern void steward_audit_column_init(AuditColumn *column, Form_pg_attribute att,
									  bool redact, MemoryContext mcxt);
extern void steward_audit_sort_columns(AuditColumn *columns, int ncolumns);
extern Jsonb *steward_audit_object(StringInfo out, AuditColumn **columns, int ncolumns,
								   const Datum *values, const bool *isnull);
extern Jsonb *steward_audit_row_hash_key(StringInfo out, const char *hash);

/* audit_context.c */
extern void steward_audit_context_init(void);
extern int64 steward_audit_context_id(TimestampTz *expires);
extern const char *steward_application_user(void);

/* audit_log.c */

/* Columns of steward.audit_event. */
enum
{
	EVENT_RECORDED_AT,
	EVENT_TRANSACTION_ID,
	EVENT_CONTEXT_ID,
	EVENT_TABLE_ID,
	EVENT_KEY_HASH,
	EVENT_SEQ,
	EVENT_OPERATION,
	EVENT_RECORD_KEY,
	EVENT_OLD_VALUES,
	EVENT_NEW_VALUES,
	EVENT_TENANT_ID,
	EVENT_OLD_KEY_HASH,			/* last, because it is nearly always null */
	EVENT_NATTS
};

typedef struct AuditBatch AuditBatch;

extern void steward_audit_log_init(void);
extern AuditBatch *steward_audit_batch_open(void);
extern void steward_audit_batch_add(AuditBatch **batch, const Datum *values, const bool *isnull);
extern void steward_audit_batch_flush(AuditBatch *batch);
extern void steward_audit_batch_close(AuditBatch *batch);
extern Oid	steward_audit_relation(const char *name);
extern void steward_audit_insert(const char *relname, const Datum *values, const bool *isnull);

/* audit_tenant.c */

/* The tenant of a statement's context, as far as it may read the events. */
typedef struct AuditTenant
{
	bool		known;			/* "id" holds it; false if there is none */
	Datum		id;				/* text */
	AttrNumber	attnum;			/* the column that says whose a row is; 0: no
								 * such column */
	bool		is_uuid;
	FmgrInfo	output;
} AuditTenant;

extern void steward_audit_tenant_begin(AuditTenant *tenant, Relation rel, MemoryContext mcxt);
extern bool steward_audit_tenant_reads(AuditTenant *tenant, TupleTableSlot *old_row,
									   TupleTableSlot *new_row);

/* audit_table.c */

/* In the order of the trigger's option "values". */
typedef enum AuditValues
{
	AUDIT_CHANGES,				/* an UPDATE keeps the changed columns */
	AUDIT_FULL,					/* an UPDATE keeps both rows whole */
	AUDIT_KEY,					/* nothing but the key is kept */
} AuditValues;

/* What a session knows of one audited table through one of its triggers. */
typedef struct AuditTable
{
	Oid			trigger;		/* hash key */
	Oid			relation;
	Oid			identity;		/* see steward_audit_find_identity */
	int64		table_id;		/* the identity's; for TRUNCATE its own */
	MemoryContext mcxt;			/* holds this struct's contents */
	int			pins;			/* statements at work with it */
	bool		valid;			/* false: build it anew for the next statement */
	Provisional registered;		/* its row in steward.audit_table */
	AuditValues capture;
	bool		redacts;		/* some column is redacted */
	AttrNumber	last_attnum;	/* the last attribute that matters */
	int			ncolumns;		/* kept columns, in jsonb's key order */
	AuditColumn *columns;
	AuditColumn **all;			/* pointers to each of them */
	AuditColumn **changed;		/* room for as many */
	AuditColumn **by_attnum;	/* the column of each attribute, NULL if it is
								 * not kept */
	Datum	   *old_row;		/* room for values by attribute: see */
	Datum	   *new_row;		/* steward_audit_compare_alike */
	bool	   *nulls;			/* all false */
	int			nkeys;			/* 0: no primary key */
	AuditColumn *keys;
	AuditColumn **all_keys;
} AuditTable;

extern void steward_audit_table_init(void);
extern void steward_audit_check_relation(Relation rel);
extern AuditTable *steward_audit_table(Relation rel, Trigger *trigger, bool truncate);
extern int	steward_audit_compare_alike(AuditTable *table, TupleDesc desc,
										HeapTuple old_tuple, HeapTuple new_tuple);
extern void steward_audit_table_unpin(AuditTable *table);
extern AuditTable *steward_audit_describe(Relation rel, Trigger *trigger, bool truncate,
										  MemoryContext mcxt);
extern Oid	steward_audit_find_identity(Relation rel, List **key);
extern int64 steward_audit_make_table_id(Oid relation);
extern int64 steward_audit_hash_key(int64 table_id, Jsonb *key);
extern int64 steward_audit_hash_integer_key(int64 table_id, int64 key);

/* audit_guard.c */
extern void steward_audit_guard_init(void);

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

extern void steward_tsvector_words_init(void);
extern bool steward_tsvector_token(TsvectorDraft *draft, int type, const char *token, int length);
extern bool steward_tsvector_open(TsvectorDraft *draft, Oid config_id, TSConfigCacheEntry *config,
								  int64 length);
extern void steward_tsvector_close(int64 gain);

/* to_tsvector_tokens.c */
extern void steward_tsvector_tokens_init(void);
extern bool steward_tsvector_tokens(TsvectorDraft *draft, TSParserCacheEntry *parser,
									const char *text, int length, bool blanks, int *nignored);

/* to_tsvector.c */

/* A text of which a vector is made. */
typedef struct TsvectorPart
{
	const char *text;
	int			length;
	int			weight;			/* 0 for D to 3 for A */
} TsvectorPart;

extern TSVector steward_to_tsvector(Oid config, const TsvectorPart *parts, int nparts);

/* tenant_payload.c */

/* What a context says, and what is pinned for a transaction. */
typedef enum StewardTenantKind
{
	STEWARD_TENANT,
	STEWARD_USER,
} StewardTenantKind;
#define STEWARD_TENANT_KINDS		(STEWARD_USER + 1)

/* Room for a tenant or user with its zero byte. */
#define STEWARD_TENANT_VALUE_SIZE	256

/* Room for a token, and so for whatever is in it. */
#define STEWARD_TOKEN_SIZE			8192

/* What a token says, as far as it is understood. */
typedef struct StewardTokenClaims
{
	char		values[STEWARD_TENANT_KINDS][STEWARD_TENANT_VALUE_SIZE];	/* "" for none */
	bool		for_database;
	char		database[NAMEDATALEN];
	bool		for_role;
	char		role[NAMEDATALEN];
	bool		has_exp;
	bool		has_nbf;
	bool		has_iat;
	int64		exp;			/* microseconds since 1970 */
	int64		nbf;
	int64		iat;
	TimestampTz expires_at;		/* exp, as the server counts */
} StewardTokenClaims;

/* What a JWT's header says. */
typedef struct StewardTokenHeader
{
	bool		is_hs256;
	bool		has_kid;
	char		kid[65];
} StewardTokenHeader;

extern int	steward_base64url_decode(const char *text, size_t length, uint8 *out, size_t size);
extern const char *steward_token_parse_header(const char *json, size_t length,
											  StewardTokenHeader *header);
extern const char *steward_token_parse_claims(const char *json, size_t length,
											  const char *tenant_claim, const char *user_claim,
											  StewardTokenClaims *claims);

/* tenant_token.c */
extern void steward_token_init(void);
extern const char *steward_token_read(const char *token, bool trusted, StewardTokenClaims *claims,
									  char *payload);

/* tenant_registry.c */

/* May a tenant work? */
typedef enum StewardStanding
{
	TENANT_ACTIVE,
	TENANT_SUSPENDED,
	TENANT_ERASED,
} StewardStanding;

extern void steward_tenant_registry_init(void);
extern StewardStanding steward_tenant_standing(const char *key);
extern bool steward_tenant_registry_current(void);
extern void steward_tenant_require_active(const char *key);

/* tenant.c */
extern bool steward_tenant_sessions;

extern void steward_tenant_init(void);
extern void steward_require_transaction(const char *function);
extern bool steward_tenant_bound(void);

/* tenant_current.c */

/* Instead of a transaction's number: the leader of this parallel worker has checked it. */
#define LEADERS_TRANSACTION	PG_UINT64_MAX

/* One value, with all that its text can mean. */
typedef struct TenantValue
{
	uint64		transaction;	/* in which it holds; 0 for none */
	bool		lasts;			/* holds in the session's others too */
	bool		is_bigint;
	bool		is_uuid;
	int64		bigint;
	pg_uuid_t	uuid;
	char		text[STEWARD_TENANT_VALUE_SIZE];
} TenantValue;

extern const char *const steward_tenant_kind_names[];

extern void steward_tenant_follow(const TenantValue *const *values, TimestampTz expires_at);
extern void steward_tenant_next_transaction(void);
extern uint64 steward_tenant_transaction(void);
extern bool steward_tenant_holds(const TenantValue *value);
extern const TenantValue *steward_tenant_value(StewardTenantKind kind);
extern const char *steward_tenant_text(StewardTenantKind kind);
extern void steward_tenant_unsettle(void);
extern void steward_tenant_current_init(void);

/* tenant_session.c */
extern void steward_tenant_session_init(void);
extern bool steward_tenant_holds_cursor(void);

/* tenant_plan.c */
extern void steward_tenant_discard_plans(const char *tenant);

/* A query of a view, and which of its tables are known to give rows of the context's tenant only. */
typedef struct TenantScope
{
	Query	   *query;
	Bitmapset  *bound;			/* by their place in the range table */
	const struct TenantTables *tables;
	const struct TenantScope *outer;	/* the query around it */
} TenantScope;

/* The table whose rows a condition is about, and what is found of it. */
typedef struct TenantFacts
{
	Index		varno;
	AttrNumber	column;			/* the tenant column */
	const TenantScope *scope;	/* of a view, else NULL */
	bool		casts;			/* the column is converted to be compared */
	bool		fixed;			/* it is compared with a constant */
	bool		not_distinct;	/* null is the tenant where none is set */
	List	   *columns;		/* columns that must equal the context */
} TenantFacts;

/* tenant_check_value.c */
extern Node *steward_strip_casts(Node *node, bool *casts);
extern bool steward_is_equality(Oid operator, Oid collation, List *args);
extern bool steward_asks_context(Node *node);
extern Query *steward_view_query(Oid view);
extern bool steward_true_without_context(Node *node);

/* tenant_check_expr.c */
extern bool steward_is_context_predicate(Oid function);
extern bool steward_has_any_var_walker(Node *node, void *context);
extern bool steward_implies_tenant(TenantFacts *facts, Node *condition);
extern bool steward_tenant_gaps(TenantFacts *facts, Node *expression, List **names);

/* tenant_check_view.c */
extern AttrNumber steward_tenant_scope_column(const TenantScope *scope, Index varno);

#endif							/* PG_STEWARD_H */
