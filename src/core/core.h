/*
 * core.h
 *		What every module builds on.
 */
#ifndef STEWARD_CORE_H
#define STEWARD_CORE_H

#include "postgres.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "access/xact.h"
#include "catalog/objectaccess.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"
#include "utils/guc.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "core/compat.h"

/* age.c */
extern bool steward_check_age(char **newval, void **extra, GucSource source);
extern bool steward_check_age_in_days(char **newval, void **extra, GucSource source);

/* callbacks.c */

/* Ends a list of catalogs. */
#define STEWARD_NO_CATALOG	(-1)

/* What a module wants to hear of; NULL for what it does not.  See callbacks.c for the order. */
typedef struct StewardModule
{
	/* Defines its settings and puts its hooks in place, once per process. */
	void		(*init) (void);

	/* What is known of a relation may not be true; InvalidOid: of any. */
	void		(*relation_changed) (Oid relid);

	/* The same of a row of these syscaches, by its hash; 0: of any. */
	const int  *catalogs;
	void		(*catalog_changed) (int cacheid, uint32 hash);

	void		(*xact_event) (XactEvent event);
	void		(*subxact_event) (SubXactEvent event, SubTransactionId subid, SubTransactionId parent);

	/* As object_access_hook, without the need to call the next one. */
	void		(*object_access) (ObjectAccessType access, Oid class, Oid object, int column, void *arg);
} StewardModule;

extern void steward_modules_init(const StewardModule *const *all, int n);

/* session.c */

extern const StewardModule steward_core_module;
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
extern char *steward_qualified_name(Relation rel);
extern char *steward_relation_literal(Relation rel);

/* follow.c */
extern void steward_follow_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg);

/* hmac.c */
extern bool steward_hmac(const void *key, size_t key_length, const void *text, size_t length,
						 uint8 *mac);

/* owner.c */
extern void steward_execute_as_owner(Oid owner, const char *command, int nargs, Oid *types, Datum *values,
									 const char *nulls);

/* options.c */
extern char *steward_option(const char *argument, char **value);
extern List *steward_option_names(const char *argument, const char *wanted);
pg_noreturn extern void steward_option_unknown(const char *kind, const char *argument,
											   const char *known);
extern int	steward_option_choice(const char *kind, const char *option, const char *value,
								  const char *const *choices);
extern char *steward_column_list(Relation rel);
extern List *steward_option_columns(Relation rel, const char *kind, const char *option,
									const char *value);
extern void steward_option_once(const char *kind, const char *option, bool given);
extern List *steward_stored_arguments(bytea *stored);
extern Datum steward_text_array(List *strings);
extern AttrNumber steward_find_column(Oid relid, const char *argument);
extern AttrNumber steward_option_column(Relation rel, const char *kind, const char *argument);

/* pause.c */
extern void steward_pause_init(void);
extern void steward_pause_at_xact(XactEvent event);
extern bool steward_upkeep_is_paused(Relation rel);

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
	uint32		length;			/* of the rows */
} RowPair;

extern void steward_row_pair_open(RowPair *pair, TupleDesc desc, HeapTuple old_tuple,
								  HeapTuple new_tuple, int natts);
extern bool steward_row_pair_next(RowPair *pair);
extern bool steward_row_pair_differs(RowPair *pair);
extern bool steward_row_pair_ends_alike(const RowPair *pair);
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

/* Settings that the output of a value follows. */
typedef enum OutputSettings
{
	OUTPUT_SEARCH_PATH = 1,		/* for names of objects */
	OUTPUT_LC_MONETARY = 2,
} OutputSettings;

/* How a value becomes text. */
typedef struct PinnedOutput
{
	FmgrInfo	function;
	OutputSettings settings;	/* any of them */
} PinnedOutput;

extern void steward_pinned_output_init(PinnedOutput *output, Oid type, MemoryContext mcxt);
extern char *steward_pinned_output(PinnedOutput *output, Datum value);

/* public_key.c */

/* Room for a signature of RSA, and so for its modulus; and for a number of the curve P-256. */
#define STEWARD_SIGNATURE_SIZE	1024
#define STEWARD_P256_SIZE		32

/* OpenSSL's type of keys. */
typedef struct evp_pkey_st StewardPublicKey;

extern const bool steward_has_openssl;
extern StewardPublicKey *steward_rsa_key(const uint8 *modulus, size_t modulus_length,
										 const uint8 *exponent, size_t exponent_length);
extern StewardPublicKey *steward_p256_key(const uint8 *x, const uint8 *y);
extern void steward_public_key_free(StewardPublicKey *key);
extern bool steward_public_key_verify(StewardPublicKey *key, const void *text, size_t length,
									  const uint8 *signature, size_t signature_length);

/* support.c */
extern Node *steward_support_as_operator(Node *request, Oid operator, Oid function);

/* trigger.c */
extern void steward_check_trigger(FunctionCallInfo fcinfo, const char *name);
extern void steward_check_before_row(FunctionCallInfo fcinfo, const char *name, int16 events,
									 const char *wanted, const char *enable);
extern void *steward_begin_statement(FunctionCallInfo fcinfo,
									 void *(*parse) (Relation rel, Trigger *trigger));
extern bool steward_trigger_fires(Trigger *trigger);
extern bool steward_trigger_calls(const Trigger *trigger, const char *function);
extern Trigger *steward_find_trigger(Relation rel, const char *function, bool fires);

#endif							/* STEWARD_CORE_H */
