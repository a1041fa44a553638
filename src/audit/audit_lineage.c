/*
 * audit_lineage.c
 *		The names and keys that tables had: steward.audit_tables.
 *
 * A row is added when the log meets a table, and after each change.  A table that
 * is altered before the log meets it, in a database that was restored, cloned or
 * upgraded, say, is registered as it was if the log knows its name: by that its past
 * is found.
 */
#include "audit/audit_internal.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* Columns of steward.audit_tables. */
enum
{
	TABLE_ID,
	TABLE_KNOWN_SINCE,
	TABLE_ERA,
	TABLE_DATABASE,
	TABLE_RELATION,
	TABLE_SCHEMA,
	TABLE_NAME,
	TABLE_KEY_COLUMNS,
	TABLE_DETACHED_FROM,
	TABLE_NATTS
};

/* steward.audit_tables: when something happens to it, tables may have to be registered anew. */
static Oid	lineage = InvalidOid;

/* A table as the log would know it. */
typedef struct TableState
{
	Oid			identity;
	NameData	schema;
	NameData	name;
	Datum		key_columns;	/* jsonb */
} TableState;

/* A table that the transaction alters, as it was before. */
typedef struct AlteredTable
{
	Oid			relid;
	TimestampTz at;
	bool		met;			/* the log knows the table already */
	bool		namesake;		/* or one of its name */
	TableState	before;
} AlteredTable;

static List *altered = NIL;

/* A partition that the transaction detaches. */
typedef struct DetachedTable
{
	Oid			relid;
	TimestampTz at;
	Oid			from;			/* the table that its rows belonged to */
} DetachedTable;

static List *detached = NIL;

/* Tells whether a relation is steward.audit_tables. */
bool
steward_audit_is_lineage(Oid relid)
{
	return relid == lineage;
}

/* Tells whether a trigger's arguments redact a column; other options need not be right. */
static bool
redacts(Trigger *trigger, const char *column)
{
	for (int i = 0; trigger != NULL && i < trigger->tgnargs; i++)
	{
		ListCell   *lc;

		foreach(lc, steward_option_names(trigger->tgargs[i], "redact"))
		{
			if (strcmp(lfirst(lc), column) == 0)
				return true;
		}
	}
	return false;
}

/*
 * Returns what steward.audit_tables keeps of the key that the rows of "rel" have: a
 * jsonb array of its columns as they are in "relation", which is the table, or a
 * parent or partition of it.  By their numbers they are found again under another
 * name.
 */
Datum
steward_audit_describe_key(Relation rel, Oid relation, List *key)
{
	Trigger    *trigger = steward_find_trigger(rel, "audit_trigger", false);
	StringInfoData json;
	ListCell   *lc;

	initStringInfo(&json);
	foreach(lc, key)
	{
		const char *name = strVal(lfirst(lc));
		AttrNumber	attnum = get_attnum(relation, name);
		Oid			type;
		int32		typmod;
		Oid			collation;

		get_atttypetypmodcoll(relation, attnum, &type, &typmod, &collation);
		type = getBaseTypeAndTypmod(type, &typmod);

		appendStringInfo(&json, "%s{\"attnum\": %d, \"redacted\": %s, \"name\": ", json.len > 0 ? ", " : "[",
						 attnum, redacts(trigger, name) ? "true" : "false");
		escape_json(&json, name);
		appendStringInfoString(&json, ", \"type\": ");
		escape_json(&json, format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoString(&json, json.len > 0 ? "]" : "[]");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* Returns what a table is, for the log; "rel" is the table or a partition that has its rows. */
static TableState
table_state(Relation rel, Oid identity)
{
	TableState	state = {.identity = identity};
	List	   *key;

	namestrcpy(&state.schema, get_namespace_name(get_rel_namespace(identity)));
	namestrcpy(&state.name, get_rel_name(identity));
	(void) steward_audit_find_identity(rel, &key);
	state.key_columns = steward_audit_describe_key(rel, identity, key);
	return state;
}

static bool
same_name(const TableState *state, const Datum *values)
{
	return strcmp(NameStr(*DatumGetName(values[TABLE_SCHEMA])), NameStr(state->schema)) == 0 &&
		strcmp(NameStr(*DatumGetName(values[TABLE_NAME])), NameStr(state->name)) == 0;
}

static bool
same_key(Datum a, Datum b)
{
	return DatumGetBool(DirectFunctionCall2(jsonb_eq, a, b));
}

/*
 * Adds a row to steward.audit_tables; "detached_from" is the table that the rows
 * belonged to until then, if it is another.
 */
static void
add_row(TableState *state, TimestampTz known_since, Oid detached_from)
{
	Datum		values[TABLE_NATTS];
	bool		isnull[TABLE_NATTS] = {false};

	values[TABLE_ID] = Int64GetDatum(steward_audit_make_table_id(state->identity));
	values[TABLE_KNOWN_SINCE] = TimestampTzGetDatum(known_since);
	values[TABLE_ERA] = Int64GetDatum((int64) GetSystemIdentifier());
	values[TABLE_DATABASE] = ObjectIdGetDatum(MyDatabaseId);
	values[TABLE_RELATION] = ObjectIdGetDatum(state->identity);
	values[TABLE_SCHEMA] = NameGetDatum(&state->schema);
	values[TABLE_NAME] = NameGetDatum(&state->name);
	values[TABLE_KEY_COLUMNS] = state->key_columns;
	isnull[TABLE_DETACHED_FROM] = !OidIsValid(detached_from);
	values[TABLE_DETACHED_FROM] = Int64GetDatum(OidIsValid(detached_from) ? steward_audit_make_table_id(detached_from) : 0);
	steward_audit_insert("audit_tables", values, isnull);
}

/*
 * Finds out whether steward.audit_tables knows a table as it is; if it is a matter of
 * the name only, whatever its key.  Returns in "last" since when it knows what it does.
 */
static bool
is_known(const TableState *state, bool name_only, TimestampTz *last)
{
	Relation	tables = table_open(steward_audit_relation("audit_tables"), AccessShareLock);
	Oid			index = steward_audit_relation("audit_tables_table_id_idx");
	bool		known = false;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	lineage = RelationGetRelid(tables);

	/* sees what the command itself has inserted, for another partition say */
	ScanKeyInit(&key, TABLE_ID + 1, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(steward_audit_make_table_id(state->identity)));
	*last = DT_NOBEGIN;
	scan = systable_beginscan(tables, index, true, SnapshotSelf, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[TABLE_NATTS];
		bool		isnull[TABLE_NATTS];

		heap_deform_tuple(tuple, RelationGetDescr(tables), values, isnull);
		if (DatumGetTimestampTz(values[TABLE_KNOWN_SINCE]) < *last)
			continue;
		*last = DatumGetTimestampTz(values[TABLE_KNOWN_SINCE]);
		known = same_name(state, values) &&
			(name_only || same_key(values[TABLE_KEY_COLUMNS], state->key_columns));
	}
	systable_endscan(scan);
	table_close(tables, NoLock);
	return known;
}

/*
 * Sees to it that steward.audit_tables knows a table, "identity", by its present name
 * and, unless it is a matter of the name only, by its key; "rel" is the table or a
 * partition that has its rows.  Tells whether it had to add a row.
 */
bool
steward_audit_register(Relation rel, Oid identity, bool name_only)
{
	TableState	state = table_state(rel, identity);
	TimestampTz last;
	bool		known = is_known(&state, name_only, &last);

	if (!known)
		add_row(&state, Max(GetCurrentTimestamp(), last + 1), InvalidOid);
	return !known;
}

/* Finds out whether the log has met a table, and whether it has met another one of its name. */
static void
look_for(const TableState *state, bool *met, bool *namesake)
{
	int64		table_id = steward_audit_make_table_id(state->identity);
	Relation	tables = table_open(steward_audit_relation("audit_tables"), AccessShareLock);
	SysScanDesc scan = systable_beginscan(tables, InvalidOid, false, SnapshotSelf, 0, NULL);
	HeapTuple	tuple;

	*met = *namesake = false;
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Datum		values[TABLE_NATTS];
		bool		isnull[TABLE_NATTS];

		heap_deform_tuple(tuple, RelationGetDescr(tables), values, isnull);
		if (DatumGetInt64(values[TABLE_ID]) == table_id)
			*met = true;
		else if (same_name(state, values))
			*namesake = true;
	}
	systable_endscan(scan);
	table_close(tables, AccessShareLock);
}

/* Notes how an audited table is before the transaction alters it. */
static void
note_altered(Oid relid)
{
	Relation	rel;

	if (get_rel_relkind(relid) != RELKIND_RELATION && get_rel_relkind(relid) != RELKIND_PARTITIONED_TABLE)
		return;
	/* the log may be gone before the triggers are */
	if (!OidIsValid(get_relname_relid("audit_tables", get_namespace_oid("steward", true))))
		return;
	rel = try_relation_open(relid, AccessShareLock);
	if (rel == NULL)
		return;
	if (steward_find_trigger(rel, "audit_trigger", false) != NULL)
	{
		List	   *key;
		Oid			identity = steward_audit_find_identity(rel, &key);
		bool		noted = false;
		ListCell   *lc;

		/* partitions are altered one by one */
		foreach(lc, altered)
		{
			noted |= ((AlteredTable *) lfirst(lc))->before.identity == identity;
		}
		if (!noted)
		{
			MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
			AlteredTable *table = palloc(sizeof(AlteredTable));

			table->relid = relid;
			table->at = GetCurrentTimestamp();
			table->before = table_state(rel, identity);
			look_for(&table->before, &table->met, &table->namesake);
			altered = lappend(altered, table);
			MemoryContextSwitchTo(old);
		}
	}
	relation_close(rel, NoLock);
}

/*
 * Registers a table that the transaction has altered, so that a dump knows it even
 * if nobody writes to it.  One that the log has not met is registered as it was,
 * too, if it was called otherwise or had another key.
 */
static void
register_altered(AlteredTable *table)
{
	Relation	rel = table->met || table->namesake ? try_relation_open(table->relid, AccessShareLock) : NULL;
	List	   *key;
	Oid			identity;

	if (rel == NULL)
		return;
	identity = steward_audit_find_identity(rel, &key);

	/* without a key it may be between two of them; else the next write tells */
	if (key != NIL && steward_find_trigger(rel, "audit_trigger", false) != NULL)
	{
		TableState	now = table_state(rel, identity);
		TableState *before = &table->before;
		bool		had_key = JB_ROOT_COUNT(DatumGetJsonbP(before->key_columns)) > 0;

		if (!table->met && (strcmp(NameStr(before->name), NameStr(now.name)) != 0 ||
							strcmp(NameStr(before->schema), NameStr(now.schema)) != 0 ||
							(had_key && !same_key(before->key_columns, now.key_columns))))
		{
			add_row(before, table->at, InvalidOid);
			table->met = true;
		}
		if (table->met)
			(void) steward_audit_register(rel, identity, false);
	}
	relation_close(rel, NoLock);
}

/*
 * Notes a partition that is being detached, if its rows are known as those of "parent"
 * or of what that is a partition of.
 */
static void
note_detached(Oid relid, Oid parent)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		return;
	if (rel->rd_rel->relispartition && steward_find_trigger(rel, "audit_trigger", false) != NULL)
	{
		Relation	parent_rel = relation_open(parent, AccessShareLock);
		List	   *key;
		Oid			from = steward_audit_find_identity(parent_rel, &key);
		List	   *own_key;

		/* DETACH CONCURRENTLY is where the partition has no parent any more */
		(void) steward_audit_find_identity(rel, &own_key);
		if (key != NIL || own_key == NIL)
		{
			MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);
			DetachedTable *table = palloc(sizeof(DetachedTable));

			table->relid = relid;
			table->at = GetCurrentTimestamp();
			table->from = from;
			detached = lappend(detached, table);
			MemoryContextSwitchTo(old);
		}
		relation_close(parent_rel, NoLock);
	}
	relation_close(rel, NoLock);
}

/* Registers a partition that the transaction has detached: its rows keep their history. */
static void
register_detached(DetachedTable *table)
{
	Relation	rel = try_relation_open(table->relid, AccessShareLock);

	if (rel == NULL)
		return;
	if (!rel->rd_rel->relispartition)
	{
		TableState	state = table_state(rel, table->relid);
		TimestampTz last;

		(void) is_known(&state, true, &last);
		add_row(&state, Max(table->at, last + 1), table->from);
	}
	relation_close(rel, NoLock);
}

/* Notes all tables of a schema, which is being renamed. */
static void
note_schema(Oid schema)
{
	Relation	classes = table_open(RelationRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	List	   *tables = NIL;
	ListCell   *lc;

	ScanKeyInit(&key, Anum_pg_class_relnamespace, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(schema));
	scan = systable_beginscan(classes, InvalidOid, false, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		if (((Form_pg_class) GETSTRUCT(tuple))->relhastriggers)
			tables = lappend_oid(tables, ((Form_pg_class) GETSTRUCT(tuple))->oid);
	systable_endscan(scan);
	table_close(classes, AccessShareLock);
	foreach(lc, tables)
	{
		note_altered(lfirst_oid(lc));
	}
}

/*
 * Looks at what is altered: tables, their columns and schemas, partitions that are
 * detached, and indexes that are dropped, since one may be the key.  The catalogs as one reads them still have all of it as it was.
 */
void
steward_audit_lineage_object(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	if (class == NamespaceRelationId && access == OAT_POST_ALTER)
		note_schema(object);
	else if (class == RelationRelationId && access == OAT_POST_ALTER)
		note_altered(object);
	else if (class == InheritsRelationId && access == OAT_POST_ALTER)
		note_detached(object, ((ObjectAccessPostAlter *) arg)->auxiliary_id);
	else if (class == RelationRelationId && access == OAT_DROP)
		note_altered(column > 0 ? object : IndexGetRelation(object, true));
}

/* Registers altered tables as they are when the transaction ends, so that a dump knows it, too. */
void
steward_audit_lineage_at_xact(XactEvent event)
{
	if (altered == NIL && detached == NIL)
		return;
	if (event == XACT_EVENT_PRE_COMMIT || event == XACT_EVENT_PRE_PREPARE)
	{
		ListCell   *lc;

		PushActiveSnapshot(GetTransactionSnapshot());
		foreach(lc, detached)
		{
			register_detached(lfirst(lc));
		}
		foreach(lc, altered)
		{
			register_altered(lfirst(lc));
		}
		PopActiveSnapshot();
		altered = detached = NIL;
	}
	else if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		altered = detached = NIL;
}
