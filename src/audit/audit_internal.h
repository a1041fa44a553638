/*
 * audit_internal.h
 *		What the files of the audit module share, callee first.
 *
 *		audit_settings.c	the settings
 *		audit_redact.c		keyed hashes in place of values
 *		audit_type.c		columns, and how their values become jsonb
 *		audit_scalar.c		simple values as jsonb
 *		audit_json.c		values of a row, laid out as jsonb
 *		audit_context.c		who is at work, interned as one row per context
 *		audit_log.c		the log: finding the partition, writing events
 *		audit_scan.c		the log: reading it in the order of time
 *		audit_path.c		the log: when the planner may read it so
 *		audit_batch.c		events in memory, until they are written together
 *		audit_tenant.c		which tenant may read an event
 *		audit_key.c		what identifies a row
 *		audit_lineage.c		the names and keys that tables had
 *		audit_table.c		what is known of one audited table, per session
 *		audit_change.c		what the log keeps of one changed row
 *		audit_trigger.c		the trigger
 *		audit_functions.c	what SQL asks about tables and keys
 *		audit_guard.c		what keeps the log from being changed or dropped
 *		audit.c				what the module hears of
 */
#ifndef STEWARD_AUDIT_INTERNAL_H
#define STEWARD_AUDIT_INTERNAL_H

#include "audit/audit.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"

/* audit_settings.c */
extern bool steward_audit_guard;
extern char *steward_audit_redaction_key;
extern char *steward_audit_redaction_key_file;
extern char *steward_audit_user_setting;
extern char *steward_audit_client_ip_setting;
extern char *steward_audit_tenant_setting;
extern char *steward_audit_tenant_column;
extern char *steward_context;

extern void steward_audit_settings_init(void);

/* audit_redact.c */
extern const char *steward_audit_get_redaction_key(void);
extern char *steward_audit_redact(const char *text);

/* audit_type.c */

/* How values become jsonb. */
typedef enum AuditEncoding
{
	ENCODE_TEXT,				/* text, varchar, char: a string */
	ENCODE_NAME,				/* name and cstring: a string */
	ENCODE_CHAR,				/* "char": a string */
	ENCODE_BOOL,
	ENCODE_INT2,
	ENCODE_INT4,
	ENCODE_INT8,
	ENCODE_MONEY,
	ENCODE_NUMERIC,
	ENCODE_FLOAT4,
	ENCODE_FLOAT8,
	ENCODE_DATETIME,			/* date, time, timestamp, timestamptz */
	ENCODE_UUID,
	ENCODE_JSONB,
	/* those from here on leave memory behind */
	ENCODE_OUTPUT,				/* anything else: its output function's text */
	ENCODE_JSON,
	ENCODE_ARRAY,				/* an array, with one in it for each further
								 * dimension */
	ENCODE_COMPOSITE,			/* an object */
	ENCODE_REDACTED,			/* a keyed hash of the output function's text */
} AuditEncoding;

/* A type, and how its values become jsonb. */
typedef struct AuditType
{
	Oid			oid;			/* base type, if it is a domain */
	AuditEncoding encoding;
	int16		length;
	bool		byval;
	char		align;
	MemoryContext mcxt;			/* holds what is below */
	struct AuditType *element;	/* ENCODE_ARRAY only */
	struct AuditFields *fields; /* ENCODE_COMPOSITE only, once needed */
	PinnedOutput output;		/* once needed */
} AuditType;

/* One column of an audited table, or attribute of a composite type. */
typedef struct AuditColumn
{
	const char *name;
	int			name_length;
	AttrNumber	attnum;
	bool		in_key;
	AuditType	type;
} AuditColumn;

extern void steward_audit_column_init(AuditColumn *column, Form_pg_attribute att,
									  bool redact, bool is_key, MemoryContext mcxt);
extern AuditColumn **steward_audit_sort_columns(AuditColumn *columns, int ncolumns,
												MemoryContext mcxt);

/* audit_json.c */
extern Jsonb *steward_audit_object(StringInfo out, AuditColumn **columns, int ncolumns,
								   const Datum *values, const bool *isnull);
extern Jsonb *steward_audit_key(StringInfo out, AuditColumn **columns, int ncolumns,
								const Datum *values, const bool *isnull);
extern Jsonb *steward_audit_row_hash_key(StringInfo out, const char *hash);

/* audit_context.c */
extern void steward_audit_context_changed(Oid relid);
extern int64 steward_audit_context_id(Relation rel, TimestampTz *expires);

/* audit_log.c */

/* Columns of steward.audit_events. */
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

/* A partition, and the times of its events: from "lower" up to, but not including, "upper". */
typedef struct AuditPartition
{
	Oid			oid;
	TimestampTz lower;
	TimestampTz upper;
} AuditPartition;

extern void steward_audit_log_changed(Oid relid);
extern AuditPartition *steward_audit_partitions(Relation log, int *npartitions);
extern Oid	steward_audit_relation(const char *name);
extern void steward_audit_insert(const char *relname, const Datum *values, const bool *isnull);
extern TupleDesc steward_audit_log_desc(TimestampTz at, int *generation);
extern void steward_audit_log_write(TupleTableSlot **slots, int nslots, CommandId command);
extern bool steward_audit_is_log(Oid relid);

/* audit_scan.c */
extern const struct CustomScanMethods steward_audit_scan_methods;

/* audit_path.c */
extern void steward_audit_path_init(void);

/* audit_batch.c */
extern void steward_audit_batch_init(void);
extern void steward_audit_batch_add(const Datum *values, const bool *isnull, CommandId command);
extern void steward_audit_batch_at_xact(XactEvent event);
extern void steward_audit_batch_at_subxact(SubXactEvent event, SubTransactionId subid,
										   SubTransactionId parent);

/* audit_tenant.c */

/* The tenant of a statement's context, as far as it may read the events. */
typedef struct AuditTenant
{
	bool		known;			/* "id" holds it; false if there is none */
	Datum		id;				/* text */
	AttrNumber	attnum;			/* the column that says whose a row is; 0: no
								 * such column */
	FmgrInfo	output;
} AuditTenant;

extern void steward_audit_tenant_begin(AuditTenant *tenant, Relation rel, MemoryContext mcxt);
extern bool steward_audit_tenant_reads(AuditTenant *tenant, TupleTableSlot *old_row,
									   TupleTableSlot *new_row);

/* audit_key.c */
extern int64 steward_audit_make_table_id(Oid relation);
extern int64 steward_audit_hash_key(int64 table_id, Jsonb *key);
extern int64 steward_audit_hash_integer_key(int64 table_id, int64 key);
extern Oid	steward_audit_find_identity(Relation rel, List **key);

/* audit_lineage.c */

extern Datum steward_audit_describe_key(Relation rel, Oid relation, List *key);
extern bool steward_audit_register(Relation rel, Oid identity, bool name_only);
extern bool steward_audit_is_lineage(Oid relid);
extern void steward_audit_lineage_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg);
extern void steward_audit_lineage_at_xact(XactEvent event);

/* audit_table.c */

/* In the order of the trigger's option "capture". */
typedef enum AuditCapture
{
	AUDIT_CHANGES,				/* an UPDATE keeps the changed columns */
	AUDIT_FULL,					/* an UPDATE keeps both rows whole */
	AUDIT_KEY,					/* nothing but the key is kept */
} AuditCapture;

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
	Provisional registered;		/* its row in steward.audit_tables */
	AuditCapture capture;
	bool		redacts;		/* some column is redacted */
	AttrNumber	last_attnum;	/* the last attribute that matters */
	int			ncolumns;		/* kept columns, in jsonb's key order */
	AuditColumn *columns;
	AuditColumn **all;			/* pointers to each of them */
	AuditColumn **by_attnum;	/* the column of each attribute, NULL if it is
								 * not kept */
	int			nkeys;			/* 0: no primary key */
	AuditColumn *keys;
	AuditColumn **all_keys;
} AuditTable;

extern void steward_audit_table_changed(Oid relid);
extern void steward_audit_check_relation(Relation rel);
extern AuditTable *steward_audit_table(Relation rel, Trigger *trigger, bool truncate);
extern void steward_audit_table_unpin(AuditTable *table);
extern AuditTable *steward_audit_describe(Relation rel, Trigger *trigger, bool truncate,
										  MemoryContext mcxt);

/* audit_change.c */

/*
 * Room in which one statement compares the versions of a row and writes what the
 * log keeps of them, used again for each row.
 */
typedef struct AuditScratch
{
	int			natts;			/* of a row that fits */
	AuditColumn **changed;
	Datum	   *old_row;		/* values by attribute */
	Datum	   *new_row;
	StringInfoData key;
	StringInfoData old_key;
	StringInfoData old_values;
	StringInfoData new_values;
} AuditScratch;

extern void steward_audit_scratch_init(AuditScratch *scratch);
extern void steward_audit_scratch_fit(AuditScratch *scratch, AuditTable *table);
extern void steward_audit_scratch_trim(AuditScratch *scratch);
extern bool steward_audit_change(AuditTable *table, AuditScratch *scratch,
								 TupleTableSlot *old_row, TupleTableSlot *new_row,
								 Datum *values, bool *isnull);

/* audit_guard.c */
extern void steward_audit_check_drop(ObjectAccessType access, Oid class, Oid object, int column, void *arg);

#endif							/* STEWARD_AUDIT_INTERNAL_H */
