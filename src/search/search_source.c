/*
 * search_source.c
 *		Sources of a search vector that are columns of other tables: what is known
 *		of them, and the queries that read them.
 */
#include "search/search_internal.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_operator.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

/* A plan that lasts as long as the session. */
typedef struct SavedPlan
{
	uint64		hash;			/* hash key, of the query */
	char	   *query;
	SPIPlanPtr	plan;
} SavedPlan;

static HTAB *plans = NULL;

/* Returns the plan of a query, made when it is asked for first.  Must be connected to SPI. */
static SPIPlanPtr
saved_plan(const char *query, int nargs, Oid *types)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) query, strlen(query), nargs);
	SavedPlan  *entry;
	SPIPlanPtr	plan;
	bool		found;

	for (int i = 0; i < nargs; i++)
		hash = hash_combine64(hash, types[i]);
	if (plans == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(SavedPlan),.hcxt = steward_session_context()};

		plans = hash_create("steward search plans", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	entry = hash_search(plans, &hash, HASH_FIND, NULL);
	if (entry != NULL && strcmp(entry->query, query) == 0)
		return entry->plan;
	plan = SPI_prepare(query, nargs, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare \"%s\"", query);
	/* of two queries with the same hash the first is kept */
	if (entry == NULL && SPI_keepplan(plan) == 0)
	{
		char	   *copy = MemoryContextStrdup(steward_session_context(), query);

		entry = hash_search(plans, &hash, HASH_ENTER, &found);
		entry->query = copy;
		entry->plan = plan;
	}
	return plan;
}

/* Runs a query as a table's owner, without its policies. Must be connected to SPI. */
void
steward_search_run(Oid owner, const char *query, int nkeys, Oid *types, Datum *values)
{
	Oid			user;
	int			security;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	if (SPI_execute_plan(saved_plan(query, nkeys, types), values, NULL, false, 0) < 0)
		elog(ERROR, "unexpected result of \"%s\"", query);
	SetUserIdAndSecContext(user, security);
}

/* Returns the table that a partition belongs to in the end, or the table itself. */
Oid
steward_search_root(Relation rel)
{
	return rel->rd_rel->relispartition ? llast_oid(get_partition_ancestors(RelationGetRelid(rel))) : RelationGetRelid(rel);
}

/* Returns a table as foreign keys have it in a query: rows of inheritance children are none of its. */
char *
steward_search_from(Relation rel)
{
	return psprintf("%s%s", rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					steward_qualified_name(rel));
}

/* Appends to a query that columns, on either side of a foreign key, are as the parameters. */
void
steward_search_condition(StringInfo query, Oid table, const AttrNumber *columns, const Related *related, bool parameter_first)
{
	for (int i = 0; i < related->nkeys; i++)
	{
		HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(related->operators[i]));
		const char *column = quote_identifier(get_attname(table, columns[i], false));
		char	   *parameter = psprintf("$%d", i + 1);
		Form_pg_operator operator;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u", related->operators[i]);
		operator = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfo(query, "%s%s OPERATOR(%s.%s) %s", i == 0 ? " WHERE " : " AND ",
						 parameter_first ? parameter : column,
						 quote_identifier(get_namespace_name(operator->oprnamespace)), NameStr(operator->oprname),
						 parameter_first ? column : parameter);
		ReleaseSysCache(tuple);
	}
}

/*
 * Returns the table that a name is to a table: in its schema, unless the name has
 * one.  If there is none, raises 42P01 or returns InvalidOid.
 */
Oid
steward_search_find_table(Oid relid, const char *name, bool missing_ok)
{
	List	   *names;
	Oid			schema;
	Oid			table = InvalidOid;

	if (SplitIdentifierString(pstrdup(name), '.', &names) && names != NIL && list_length(names) <= 2)
	{
		schema = list_length(names) == 1 ? get_rel_namespace(get_rel_relispartition(relid) ? llast_oid(get_partition_ancestors(relid)) : relid) :
			get_namespace_oid(linitial(names), true);
		table = OidIsValid(schema) ? get_relname_relid(llast(names), schema) : InvalidOid;
	}
	if (OidIsValid(table) && get_rel_relkind(table) != RELKIND_RELATION &&
		get_rel_relkind(table) != RELKIND_PARTITIONED_TABLE)
		table = InvalidOid;
	if (!OidIsValid(table) && !missing_ok)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("related table \"%s\" of the search_vector trigger does not exist", name),
				 errhint("Name one in the schema of table \"%s\", or with its schema.", get_rel_name(relid))));
	return table;
}

/* Sets "related" to the foreign key that leads from some columns of a table to "parent"; raises 42830 if none does. */
static void
find_key(Related *related, Relation rel, List *columns, Relation parent)
{
	Oid			root = steward_search_root(parent);
	ListCell   *lc;

	foreach(lc, RelationGetFKeyList(rel))
	{
		ForeignKeyCacheInfo *key = lfirst(lc);
		int			nfound = 0;

		if (key->confrelid != root || key->nkeys != list_length(columns))
			continue;
		for (int i = 0; i < key->nkeys; i++)
			nfound += list_member(columns, makeString(get_attname(RelationGetRelid(rel), key->conkey[i], false)));
		if (nfound < key->nkeys)
			continue;
		related->constraint = key->conoid;
		related->nkeys = key->nkeys;
		for (int i = 0; i < key->nkeys; i++)
		{
			related->columns[i] = key->conkey[i];
			related->column_types[i] = TupleDescAttr(RelationGetDescr(rel), key->conkey[i] - 1)->atttypid;
			related->referenced[i] = key->confkey[i];
			related->keys[i] = get_attnum(RelationGetRelid(parent), get_attname(root, key->confkey[i], false));
			related->key_types[i] = TupleDescAttr(RelationGetDescr(parent), related->keys[i] - 1)->atttypid;
			related->operators[i] = key->conpfeqop[i];
		}
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_FOREIGN_KEY),
			 errmsg("no foreign key leads from these columns of table \"%s\" to table \"%s\"",
					RelationGetRelationName(rel), get_rel_name(root)),
			 errhint("ALTER TABLE %s ADD FOREIGN KEY (...) REFERENCES %s;", steward_qualified_name(rel),
					 quote_qualified_identifier(get_namespace_name(get_rel_namespace(root)), get_rel_name(root))),
			 errtable(rel)));
}

/* Returns the columns of a table's primary key, in their order, for ORDER BY; raises 55000 if it has none. */
static char *
order_of(Relation rel)
{
	StringInfoData list;
	Relation	index;

	list_free(RelationGetIndexList(rel));
	if (!OidIsValid(rel->rd_pkindex))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("related table \"%s\" has no primary key", RelationGetRelationName(rel)),
				 errdetail("The words of its rows follow each other in the order of the primary key."),
				 errhint("ALTER TABLE %s ADD PRIMARY KEY (...);", steward_qualified_name(rel)),
				 errtable(rel)));
	initStringInfo(&list);
	index = index_open(rel->rd_pkindex, AccessShareLock);
	for (int i = 0; i < index->rd_index->indnkeyatts; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ",
						 quote_identifier(get_attname(RelationGetRelid(rel), index->rd_index->indkey.values[i], false)));
	index_close(index, AccessShareLock);
	return list.data;
}

/*
 * Returns what is to be known of the related table that a name is to "parent",
 * whose rows it refers to by the columns in "by", and sets *rel to it, open.
 * Raises 42P01, 42703, 42830, 42501 or 0A000 for what cannot be.
 */
Related *
steward_search_related(Relation parent, Trigger *trigger, const char *name, const char *by, Relation *rel)
{
	Related    *related = palloc0(sizeof(Related));

	if (parent->rd_rel->relispartition && !trigger->tgisclone)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("words of related tables are not for partition \"%s\" alone", RelationGetRelationName(parent)),
				 errhint("Attach the trigger to the partitioned table."),
				 errtable(parent)));
	related->table = steward_search_find_table(RelationGetRelid(parent), name, false);
	*rel = table_open(related->table, AccessShareLock);
	find_key(related, *rel, steward_option_columns(*rel, "search_vector", "by", by), parent);
	related->owner = (*rel)->rd_rel->relowner;
	if (related->owner != parent->rd_rel->relowner)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("tables \"%s\" and \"%s\" have different owners", RelationGetRelationName(*rel),
						RelationGetRelationName(parent)),
				 errdetail("Search vectors have words of related tables of the same owner only."),
				 errhint("ALTER TABLE %s OWNER TO %s;", steward_qualified_name(*rel),
						 quote_identifier(GetUserNameFromId(parent->rd_rel->relowner, false))),
				 errtable(*rel)));
	return related;
}

/* Sets the query that reads a column of the related rows of one row; raises 55000 if they have no order. */
void
steward_search_related_query(Related *related, Relation rel, AttrNumber attnum)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM %s", quote_identifier(get_attname(RelationGetRelid(rel), attnum, false)),
					 steward_search_from(rel));
	steward_search_condition(&query, RelationGetRelid(rel), related->columns, related, true);
	appendStringInfo(&query, " ORDER BY %s", order_of(rel));
	related->query = query.data;
}

/*
 * Calls "take" in the current memory context for the value that each related row
 * of a row has, in their order, but not for nulls.
 */
void
steward_search_related_rows(Related *related, TupleDesc desc, HeapTuple row, void (*take) (void *arg, Datum value), void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[INDEX_MAX_KEYS];

	for (int i = 0; i < related->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, related->keys[i], desc, &isnull);
		if (isnull)
			return;
	}
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	steward_search_run(related->owner, related->query, related->nkeys, related->key_types, values);
	MemoryContextSwitchTo(caller);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			take(arg, value);
	}
	SPI_finish();
	MemoryContextSwitchTo(caller);
}
