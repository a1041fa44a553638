/*
 * audit_table.c
 *		What a session knows of an audited table: which columns are kept and
 *		how, and that the log knows the table by its present name and key.
 *
 * It is read from the trigger's arguments and the catalogs once, and again
 * after the table changed.
 */
#include "audit/audit_internal.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The trigger's arguments, as lists of column names. */
typedef struct AuditOptions
{
	List	   *exclude;
	List	   *include;		/* NIL: every column */
	List	   *redact;
	AuditCapture capture;
} AuditOptions;

typedef struct TableEntry
{
	Oid			trigger;		/* hash key */
	AuditTable *table;
} TableEntry;

static HTAB *tables = NULL;

/* Counts changes of the catalog that may concern any table. */
static uint64 ninvalidations = 0;

static bool
contains(List *names, const char *name)
{
	ListCell   *lc;

	foreach(lc, names)
	{
		if (strcmp(strVal(lfirst(lc)), name) == 0)
			return true;
	}
	return false;
}

/* Raises 22023 if a column stands in both lists. */
static void
check_apart(List *a, const char *a_option, List *b, const char *b_option)
{
	ListCell   *lc;

	foreach(lc, a)
	{
		if (contains(b, strVal(lfirst(lc))))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" is named in both audit options \"%s\" and \"%s\"",
							strVal(lfirst(lc)), a_option, b_option),
					 errhint("Name it in one of the two.")));
	}
}

/* Reads the trigger's arguments; raises 22023 or 42703 for what it cannot follow. */
static void
parse_options(Relation rel, Trigger *trigger, AuditOptions *options)
{
	static const char *const captures[] = {"changes", "full", "key", NULL};

	memset(options, 0, sizeof(*options));
	for (int i = 0; i < trigger->tgnargs; i++)
	{
		char	   *value;
		char	   *option = steward_option(trigger->tgargs[i], &value);
		List	  **columns = NULL;

		if (option != NULL && strcmp(option, "capture") == 0)
		{
			options->capture = steward_option_choice("audit", option, value, captures);
			continue;
		}
		if (option != NULL && strcmp(option, "exclude") == 0)
			columns = &options->exclude;
		else if (option != NULL && strcmp(option, "include") == 0)
			columns = &options->include;
		else if (option != NULL && strcmp(option, "redact") == 0)
			columns = &options->redact;
		else
			steward_option_unknown("audit", trigger->tgargs[i],
								   "'exclude=...', 'include=...', 'redact=...' and 'capture=changes|full|key'");
		*columns = list_concat(*columns, steward_option_columns(rel, "audit", option, value));
	}

	check_apart(options->exclude, "exclude", options->redact, "redact");
	check_apart(options->exclude, "exclude", options->include, "include");
	if (options->redact != NIL)
		(void) steward_audit_get_redaction_key();
}

/* Raises 42809 or 0A000 for relations whose changes the log does not take. */
void
steward_audit_check_relation(Relation rel)
{
	if (rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot audit \"%s\": it is not a table", RelationGetRelationName(rel)),
				 rel->rd_rel->relkind == RELKIND_FOREIGN_TABLE ?
				 errhint("Audit the table on the server where it is stored.") :
				 errhint("Audit the tables it reads from.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot audit temporary table \"%s\"", RelationGetRelationName(rel)),
				 errhint("A temporary table is gone with its session: use a permanent table.")));
	if (RelationGetNamespace(rel) == get_namespace_oid("steward", true) ||
		RelationGetNamespace(rel) == get_namespace_oid("steward_internal", true))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot audit \"%s\": it belongs to pg_steward itself",
						RelationGetRelationName(rel)),
				 errhint("Nobody can change the log, so there is nothing to audit in it.")));
}

/*
 * Describes a table for one of its audit triggers; everything is allocated in
 * "mcxt".  A NULL trigger stands for one without arguments.  For TRUNCATE only
 * the id is filled in.  Raises an error for whatever cannot be audited as asked.
 */
AuditTable *
steward_audit_describe(Relation rel, Trigger *trigger, bool truncate, MemoryContext mcxt)
{
	TupleDesc	desc = RelationGetDescr(rel);
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	AuditTable *table = palloc0(sizeof(AuditTable));
	AuditOptions options;
	List	   *key;

	table->mcxt = mcxt;
	table->trigger = trigger != NULL ? trigger->tgoid : InvalidOid;
	table->relation = RelationGetRelid(rel);
	steward_audit_check_relation(rel);

	if (truncate)
	{
		table->identity = table->relation;
		table->table_id = steward_audit_make_table_id(table->relation);
		MemoryContextSwitchTo(old);
		return table;
	}

	memset(&options, 0, sizeof(options));
	if (trigger != NULL)
		parse_options(rel, trigger, &options);
	table->capture = options.capture;
	table->redacts = options.redact != NIL;
	table->identity = steward_audit_find_identity(rel, &key);
	table->table_id = steward_audit_make_table_id(table->identity);
	table->keys = palloc(Max(list_length(key), 1) * sizeof(AuditColumn));
	table->columns = palloc(Max(desc->natts, 1) * sizeof(AuditColumn));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		const char *name = NameStr(att->attname);
		bool		redact = contains(options.redact, name);
		bool		in_key = contains(key, name);

		if (att->attisdropped)
			continue;
		if (att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL && (redact || contains(options.include, name)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot keep column \"%s\" of table \"%s\": it is generated when it is read",
							name, RelationGetRelationName(rel)),
					 errhint("Name the columns that it is generated from, or make it STORED.")));
		if (in_key)
		{
			if (contains(options.exclude, name))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("cannot exclude column \"%s\": it identifies the rows of \"%s\"",
								name, RelationGetRelationName(rel)),
						 errhint("Use 'redact=%s' to keep a keyed hash of it.", quote_identifier(name))));
			steward_audit_column_init(&table->keys[table->nkeys++], att, redact, true, mcxt);
		}
		else if (contains(options.exclude, name) ||
				 (options.include != NIL && !contains(options.include, name) && !redact) ||
				 att->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
			continue;

		steward_audit_column_init(&table->columns[table->ncolumns], att, redact, false, mcxt);
		table->columns[table->ncolumns++].in_key = in_key;
		table->last_attnum = att->attnum;
	}
	if (table->nkeys < list_length(key))
		elog(ERROR, "table \"%s\" lacks a key column of its parent", RelationGetRelationName(rel));

	table->all_keys = steward_audit_sort_columns(table->keys, table->nkeys, mcxt);
	table->all = steward_audit_sort_columns(table->columns, table->ncolumns, mcxt);
	table->by_attnum = palloc0(Max(desc->natts, 1) * sizeof(AuditColumn *));
	for (int i = 0; i < table->ncolumns; i++)
		table->by_attnum[table->columns[i].attnum - 1] = &table->columns[i];
	MemoryContextSwitchTo(old);
	return table;
}

static void
forget_registration(Provisional *it)
{
	AuditTable *table = (AuditTable *) ((char *) it - offsetof(AuditTable, registered));

	table->valid = false;
}

/* Frees a description that nobody will look up again, when nobody uses it. */
static void
retire(AuditTable *table)
{
	table->valid = false;
	if (table->pins == 0)
	{
		steward_settle(&table->registered);
		MemoryContextDelete(table->mcxt);
	}
}

/*
 * Drops the descriptions of tables that changed or are gone, so that a session
 * that creates and drops tables does not grow without end.
 */
static void
sweep(void)
{
	static long sweep_at = 64;
	HASH_SEQ_STATUS scan;
	TableEntry *entry;

	if (hash_get_num_entries(tables) < sweep_at)
		return;
	hash_seq_init(&scan, tables);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (!entry->table->valid && entry->table->pins == 0)
		{
			retire(entry->table);
			hash_search(tables, &entry->trigger, HASH_REMOVE, NULL);
		}
	sweep_at = Max(64, 2 * hash_get_num_entries(tables));
}

/* A relation has changed, or any may have: what is known of it is read anew. */
void
steward_audit_table_changed(Oid relid)
{
	HASH_SEQ_STATUS scan;
	TableEntry *entry;

	ninvalidations++;
	if (tables == NULL)
		return;
	hash_seq_init(&scan, tables);
	while ((entry = hash_seq_search(&scan)) != NULL)
		if (!OidIsValid(relid) || steward_audit_is_lineage(relid) || relid == entry->table->relation ||
			relid == entry->table->identity)
			entry->table->valid = false;
}

/*
 * Returns what the session knows of a table for one of its triggers, finding
 * it out first where that is needed, and pins it: the caller unpins it with
 * steward_audit_table_unpin when its statement ends.
 */
AuditTable *
steward_audit_table(Relation rel, Trigger *trigger, bool truncate)
{
	TableEntry *entry;
	AuditTable *table;
	MemoryContext mcxt;
	uint64		ninvalidations_before = ninvalidations;
	bool		registered;

	if (tables == NULL)
	{
		HASHCTL		ctl = {
			.keysize = sizeof(Oid),
			.entrysize = sizeof(TableEntry),
			.hcxt = steward_session_context(),
		};

		tables = hash_create("audited tables", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	entry = hash_search(tables, &trigger->tgoid, HASH_FIND, NULL);
	if (entry != NULL && entry->table->valid)
	{
		entry->table->pins++;
		return entry->table;
	}
	if (entry != NULL)
	{
		table = entry->table;
		hash_search(tables, &trigger->tgoid, HASH_REMOVE, NULL);
		retire(table);
	}

	sweep();

	/* Built where an error frees it; kept only once it is whole. */
	mcxt = AllocSetContextCreate(CurrentMemoryContext, "audited table", ALLOCSET_SMALL_SIZES);
	table = steward_audit_describe(rel, trigger, truncate, mcxt);
	registered = steward_audit_register(rel, table->identity, truncate);

	MemoryContextSetParent(mcxt, steward_session_context());
	table->pins = 1;
	table->valid = ninvalidations == ninvalidations_before;
	entry = hash_search(tables, &trigger->tgoid, HASH_ENTER, NULL);
	entry->table = table;
	if (registered)
		steward_provisional(&table->registered, forget_registration);
	return table;
}

/* Ends a statement's use of a description. */
void
steward_audit_table_unpin(AuditTable *table)
{
	TableEntry *entry;

	if (--table->pins > 0 || table->valid)
		return;
	entry = hash_search(tables, &table->trigger, HASH_FIND, NULL);
	if (entry == NULL || entry->table != table)
		retire(table);
}
