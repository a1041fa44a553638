/*
 * soft_delete_fkey.c
 *		Foreign keys, as queries for the rows at their other end.
 *
 * They are run as the server runs a foreign key's own: as the owner of the other
 * table, who is not bound by its policies.
 */
#include "upkeep/soft_delete.h"

#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* A foreign key, seen from the table at hand. */
struct ForeignKey
{
	Oid			owner;			/* of the other table, as which it is run */
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];	/* columns at hand: the first
										 * parameters */
	int			nextra;			/* parameters besides */
	bool		read_only;		/* sees what the command at hand sees */
	bool		finds;			/* whether there is one */
	SPIPlanPtr	plan;
	MemoryContextCallback release;
};

/* Appends an operand of an operator, with a cast if that wants another type. */
static void
append_operand(StringInfo query, const char *operand, Oid type, Oid wanted)
{
	HeapTuple	tuple;
	Form_pg_type form;

	appendStringInfoString(query, operand);
	if (type == wanted || IsPolymorphicType(wanted))
		return;
	/* format_type would add a length to some */
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(wanted));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", wanted);
	form = (Form_pg_type) GETSTRUCT(tuple);
	appendStringInfo(query, "::%s",
					 quote_qualified_identifier(get_namespace_name(form->typnamespace),
												NameStr(form->typname)));
	ReleaseSysCache(tuple);
}

/*
 * Appends to a query on "target" the condition that its rows match the key that
 * the parameters hold.  The operators' left side is the referenced table's.
 */
void
steward_append_key_condition(StringInfo query, Relation target, const AttrNumber *target_keys,
							 Relation source, const AttrNumber *source_keys, const Oid *operators, int nkeys,
							 bool target_is_referenced)
{
	for (int i = 0; i < nkeys; i++)
	{
		Form_pg_attribute column = TupleDescAttr(RelationGetDescr(target), target_keys[i] - 1);
		Form_pg_attribute key = TupleDescAttr(RelationGetDescr(source), source_keys[i] - 1);
		Oid			collation = target_is_referenced ? column->attcollation : key->attcollation;
		const char *name = quote_identifier(NameStr(column->attname));
		char	   *parameter = psprintf("$%d", i + 1);
		HeapTuple	tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operators[i]));
		Form_pg_operator operator;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for operator %u", operators[i]);
		operator = (Form_pg_operator) GETSTRUCT(tuple);
		appendStringInfoString(query, i == 0 ? " WHERE " : " AND ");
		append_operand(query, target_is_referenced ? name : parameter,
					   target_is_referenced ? column->atttypid : key->atttypid, operator->oprleft);
		appendStringInfo(query, " OPERATOR(%s.%s) ",
						 quote_identifier(get_namespace_name(operator->oprnamespace)),
						 NameStr(operator->oprname));
		append_operand(query, target_is_referenced ? parameter : name,
					   target_is_referenced ? key->atttypid : column->atttypid, operator->oprright);
		ReleaseSysCache(tuple);

		/* keys are equal if the referenced table's collation says so */
		if (column->attcollation != key->attcollation && OidIsValid(collation) &&
			!get_collation_isdeterministic(collation))
			appendStringInfo(query, " COLLATE %s", generate_collation_name(collation));
	}
}

/* Returns a table for a query; without ONLY only where its rows are in partitions, as foreign keys have it. */
static char *
query_table(Relation rel)
{
	return psprintf("%s%s", rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
					steward_qualified_name(rel));
}

/* Acts as the owner of the foreign key's other table, who is not bound by its policies; returns who it was. */
static Oid
become_owner(ForeignKey *key, int *security)
{
	Oid			role;

	GetUserIdAndSecContext(&role, security);
	SetUserIdAndSecContext(key->owner,
						   *security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	return role;
}

static void
release_plan(void *plan)
{
	SPI_freeplan(plan);
}

/* Prepares the key's query for as long as "mcxt" lasts; its parameters are the key's columns and some of type "extra". */
static void
prepare_query(ForeignKey *key, Relation rel, const char *query, Oid extra, MemoryContext mcxt)
{
	Oid			types[INDEX_MAX_KEYS + 2];
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
		types[i] = TupleDescAttr(RelationGetDescr(rel), key->keys[i] - 1)->atttypid;
	for (int i = 0; i < key->nextra; i++)
		types[key->nkeys + i] = extra;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	key->plan = SPI_prepare(query, key->nkeys + key->nextra, types);
	if (key->plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", query, SPI_result_code_string(SPI_result));
	SetUserIdAndSecContext(role, security);
	SPI_keepplan(key->plan);
	key->release.func = release_plan;
	key->release.arg = key->plan;
	MemoryContextRegisterResetCallback(mcxt, &key->release);
	SPI_finish();
}

/* Returns the row of pg_constraint of a foreign key. */
static HeapTuple
foreign_key_tuple(Oid constraint)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	return tuple;
}

/* Tells whether a foreign key merely repeats another of the same table for one of the referenced table's partitions. */
static bool
repeats_another(Form_pg_constraint form)
{
	HeapTuple	parent;
	bool		repeats;

	if (!OidIsValid(form->conparentid))
		return false;
	parent = foreign_key_tuple(form->conparentid);
	repeats = ((Form_pg_constraint) GETSTRUCT(parent))->conrelid == form->conrelid;
	ReleaseSysCache(parent);
	return repeats;
}

/*
 * Returns a foreign key of a table, with a query that finds the row referenced, for
 * as long as "mcxt" lasts.  Returns NULL unless it is one ON DELETE CASCADE, and for
 * one that merely repeats another for a partition of the referenced table.
 */
ForeignKey *
steward_foreign_key_to_parent(Oid constraint, Relation rel, Oid referenced_table, MemoryContext mcxt)
{
	ForeignKey *key = MemoryContextAllocZero(mcxt, sizeof(ForeignKey));
	HeapTuple	tuple = foreign_key_tuple(constraint);
	Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
	bool		wanted = form->confdeltype == FKCONSTR_ACTION_CASCADE &&
		steward_constraint_enforced(form) && !repeats_another(form);
	AttrNumber	referenced[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	StringInfoData query;
	Relation	parent;

	if (wanted)
		DeconstructFkConstraintRow(tuple, &key->nkeys, key->keys, referenced, operators,
								   NULL, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
	if (!wanted)
		return NULL;

	parent = table_open(referenced_table, AccessShareLock);
	key->owner = parent->rd_rel->relowner;
	key->read_only = true;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT 1 FROM %s", query_table(parent));
	steward_append_key_condition(&query, parent, referenced, rel, key->keys, operators, key->nkeys, true);
	prepare_query(key, rel, query.data, InvalidOid, mcxt);
	table_close(parent, NoLock);
	return key;
}

/* Returns the name of a table's column, quoted where needed. */
static const char *
column_name(Relation rel, AttrNumber attnum)
{
	return quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname));
}

/*
 * Appends to a query the condition that a row is to move from the stamp that one
 * parameter holds to that which another does: because it has the former, or an
 * earlier one than the latter that this very transaction gave it.  Of a table's own
 * rows, those that one statement deletes keep what each was given.
 */
static void
append_stamp_condition(StringInfo query, const char *column, const Stamp *stamp, int from, int to, bool is_same_table)
{
	appendStringInfo(query, " AND CASE WHEN %s IS NULL THEN $%d IS NULL", column, from);
	appendStringInfo(query, " ELSE ($%d IS NULL OR %s OPERATOR(pg_catalog.<>) $%d)", to, column, to);
	appendStringInfo(query, " AND (%s OPERATOR(pg_catalog.=) $%d OR %s OPERATOR(pg_catalog.<) $%d",
					 column, from, column, to);
	/* what is of this transaction may have been stamped in an earlier one */
	appendStringInfo(query, " AND %s OPERATOR(pg_catalog.>=) pg_catalog.transaction_timestamp()::%s", column,
					 format_type_with_typemod(stamp->type, stamp->typmod));
	if (is_same_table)
		appendStringInfo(query, " AND %s OPERATOR(pg_catalog.<) pg_catalog.statement_timestamp()", column);
	appendStringInfoString(query, " AND steward_internal.is_current_transaction(xmin)) END");
}

/*
 * Returns a foreign key that references a table from another, "child", with a query
 * for that one's rows, for as long as "mcxt" lasts.  The stamps are those of the
 * two tables; "child_stamp" is NULL if rows of that one are deleted for real.  Where
 * it is not, only live rows are set or found.
 */
ForeignKey *
steward_foreign_key_to_children(Oid constraint, Relation rel, const Stamp *stamp, Relation child,
								const Stamp *child_stamp, ForeignKeyTask task, MemoryContext mcxt)
{
	ForeignKey *key = MemoryContextAllocZero(mcxt, sizeof(ForeignKey));
	HeapTuple	tuple = foreign_key_tuple(constraint);
	bool		to_null = ((Form_pg_constraint) GETSTRUCT(tuple))->confdeltype == FKCONSTR_ACTION_SETNULL;
	AttrNumber	referencing[INDEX_MAX_KEYS];
	AttrNumber	set[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	Oid			same[INDEX_MAX_KEYS];
	int			nset;
	StringInfoData query;
	const char *column = child_stamp == NULL ? NULL : column_name(child, child_stamp->attnum);

	DeconstructFkConstraintRow(tuple, &key->nkeys, referencing, key->keys, operators, same, NULL,
							   &nset, set);
	ReleaseSysCache(tuple);
	key->owner = child->rd_rel->relowner;
	key->finds = task == KEY_FIND || task == KEY_FIND_LATER;
	initStringInfo(&query);
	if (key->finds)
		appendStringInfo(&query, "SELECT 1 FROM %s x", query_table(child));
	else if (task == KEY_DELETE)
		appendStringInfo(&query, "DELETE FROM %s", query_table(child));
	else if (task == KEY_FOLLOW)
	{
		key->nextra = 2;
		appendStringInfo(&query, "UPDATE %s SET %s = $%d", query_table(child), column, key->nkeys + 2);
	}
	else
	{
		const AttrNumber *columns = nset > 0 ? set : referencing;

		appendStringInfo(&query, "UPDATE %s SET ", query_table(child));
		for (int i = 0; i < (nset > 0 ? nset : key->nkeys); i++)
			appendStringInfo(&query, "%s%s = %s", i > 0 ? ", " : "", column_name(child, columns[i]),
							 to_null ? "NULL" : "DEFAULT");
	}

	steward_append_key_condition(&query, child, referencing, rel, key->keys, operators, key->nkeys, false);
	if (task == KEY_FOLLOW && child_stamp != NULL)
		append_stamp_condition(&query, column, child_stamp, key->nkeys + 1, key->nkeys + 2,
							   RelationGetRelid(child) == RelationGetRelid(rel));
	else if (column != NULL)
		appendStringInfo(&query, " AND %s IS NULL", column);
	if (task == KEY_FIND_LATER)
	{
		appendStringInfo(&query, " AND NOT EXISTS (SELECT FROM %s", query_table(rel));
		steward_append_key_condition(&query, rel, key->keys, rel, key->keys, same, key->nkeys, true);
		appendStringInfo(&query, " AND %s IS NULL)", column_name(rel, stamp->attnum));
	}
	/* waits for who is about to stamp it */
	if (key->finds)
		appendStringInfoString(&query, " FOR SHARE OF x");
	prepare_query(key, rel, query.data, child_stamp != NULL ? child_stamp->type : InvalidOid, mcxt);
	return key;
}

/* Tells whether none of a row's key is null, so that it can match. */
bool
steward_foreign_key_is_set(const ForeignKey *key, Relation rel, HeapTuple row)
{
	for (int i = 0; i < key->nkeys; i++)
		if (heap_attisnull(row, key->keys[i], RelationGetDescr(rel)))
			return false;
	return true;
}

/*
 * Runs the key's query for a row; the AFTER triggers of what it changes fire
 * later on, among those of the command at hand, if "postpone_triggers" is set.
 * Returns how many rows there are at the other end, as far as that is of
 * interest; none if the row's key is null.
 */
uint64
steward_foreign_key_run(ForeignKey *key, Relation rel, HeapTuple row, const Datum *extra,
						const bool *extra_isnull, bool postpone_triggers)
{
	Datum		values[INDEX_MAX_KEYS + 2];
	char		nulls[INDEX_MAX_KEYS + 2];
	Snapshot	snapshot = InvalidSnapshot;
	Snapshot	crosscheck = InvalidSnapshot;
	uint64		found;
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->keys[i], RelationGetDescr(rel), &isnull);
		nulls[i] = ' ';
		if (isnull)
			return 0;
	}
	for (int i = 0; i < key->nextra; i++)
	{
		values[key->nkeys + i] = extra[i];
		nulls[key->nkeys + i] = extra_isnull[i] ? 'n' : ' ';
	}

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	if (!key->read_only && IsolationUsesXactSnapshot())
	{
		/*
		 * rows that have come since are found, and fail with 40001, as in the
		 * server's foreign keys
		 */
		CommandCounterIncrement();
		snapshot = GetLatestSnapshot();
		crosscheck = GetTransactionSnapshot();
	}
	if (SPI_execute_snapshot(key->plan, values, nulls, snapshot, crosscheck, key->read_only,
							 !postpone_triggers, key->finds ? 1 : 0) < 0)
		elog(ERROR, "SPI_execute_snapshot failed");
	found = SPI_processed;
	SetUserIdAndSecContext(role, security);
	SPI_finish();
	return found;
}
