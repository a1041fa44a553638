/*
 * soft_delete_fkey.c
 *		Foreign keys ON DELETE CASCADE, as queries for the rows at their other end.
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
#include "utils/syscache.h"

/* A foreign key, seen from the table at hand. */
struct ForeignKey
{
	Oid			owner;			/* of the other table, as which it is run */
	int			nkeys;
	AttrNumber	keys[INDEX_MAX_KEYS];	/* columns at hand: the first
										 * parameters */
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
static void
append_key_condition(StringInfo query, Relation target, const AttrNumber *target_keys,
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

/* Prepares the key's query for as long as "mcxt" lasts; its parameters are the key's columns and "extra". */
static void
prepare_query(ForeignKey *key, Relation rel, const char *query, Oid extra, int nextra,
			  MemoryContext mcxt)
{
	Oid			types[INDEX_MAX_KEYS + 2];
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
		types[i] = TupleDescAttr(RelationGetDescr(rel), key->keys[i] - 1)->atttypid;
	for (int i = 0; i < nextra; i++)
		types[key->nkeys + i] = extra;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	key->plan = SPI_prepare(query, key->nkeys + nextra, types);
	if (key->plan == NULL)
		elog(ERROR, "SPI_prepare failed for \"%s\": %s", query, SPI_result_code_string(SPI_result));
	SetUserIdAndSecContext(role, security);
	SPI_keepplan(key->plan);
	key->release.func = release_plan;
	key->release.arg = key->plan;
	MemoryContextRegisterResetCallback(mcxt, &key->release);
	SPI_finish();
}

/*
 * Reads foreign key "constraint" if it is one ON DELETE CASCADE that is enforced:
 * its columns here and there, and its operators.  It is skipped if it merely
 * repeats another of the same table for one of the referenced table's partitions
 * and "skip_parts" is set.
 */
static bool
read_foreign_key(Oid constraint, bool skip_parts, int *nkeys, AttrNumber *referencing,
				 AttrNumber *referenced, Oid *operators)
{
	HeapTuple	tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
	Form_pg_constraint form;
	bool		wanted;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for constraint %u", constraint);
	form = (Form_pg_constraint) GETSTRUCT(tuple);
	wanted = form->confdeltype == FKCONSTR_ACTION_CASCADE && steward_constraint_enforced(form);
	if (wanted && skip_parts && OidIsValid(form->conparentid))
	{
		HeapTuple	parent = SearchSysCache1(CONSTROID, ObjectIdGetDatum(form->conparentid));

		if (!HeapTupleIsValid(parent))
			elog(ERROR, "cache lookup failed for constraint %u", form->conparentid);
		wanted = ((Form_pg_constraint) GETSTRUCT(parent))->conrelid != form->conrelid;
		ReleaseSysCache(parent);
	}
	if (wanted)
		DeconstructFkConstraintRow(tuple, nkeys, referencing, referenced, operators,
								   NULL, NULL, NULL, NULL);
	ReleaseSysCache(tuple);
	return wanted;
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
	AttrNumber	referenced[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	StringInfoData query;
	Relation	parent;

	if (!read_foreign_key(constraint, true, &key->nkeys, key->keys, referenced, operators))
		return NULL;
	parent = table_open(referenced_table, AccessShareLock);
	key->owner = parent->rd_rel->relowner;
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT 1 FROM %s", query_table(parent));
	append_key_condition(&query, parent, referenced, rel, key->keys, operators, key->nkeys, true);
	prepare_query(key, rel, query.data, InvalidOid, 0, mcxt);
	table_close(parent, NoLock);
	return key;
}

/*
 * Returns a foreign key that references a table from another, "child", with a query
 * that moves that one's rows from one stamp to another, for as long as "mcxt" lasts.
 * Returns NULL unless it is one ON DELETE CASCADE.
 */
ForeignKey *
steward_foreign_key_to_children(Oid constraint, Relation rel, Relation child, const Stamp *stamp,
								MemoryContext mcxt)
{
	ForeignKey *key = MemoryContextAllocZero(mcxt, sizeof(ForeignKey));
	AttrNumber	referencing[INDEX_MAX_KEYS];
	Oid			operators[INDEX_MAX_KEYS];
	StringInfoData query;
	const char *column;

	if (!read_foreign_key(constraint, false, &key->nkeys, referencing, key->keys, operators))
		return NULL;
	key->owner = child->rd_rel->relowner;
	column = quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(child), stamp->attnum - 1)->attname));
	initStringInfo(&query);
	appendStringInfo(&query, "UPDATE %s SET %s = $%d", query_table(child), column, key->nkeys + 2);
	append_key_condition(&query, child, referencing, rel, key->keys, operators, key->nkeys, false);
	appendStringInfo(&query, " AND (%s OPERATOR(pg_catalog.=) $%d OR %s IS NULL AND $%d IS NULL)",
					 column, key->nkeys + 1, column, key->nkeys + 1);
	prepare_query(key, rel, query.data, stamp->type, 2, mcxt);
	return key;
}

/*
 * Runs the key's query for a row.  Returns how many rows there are at the other
 * end, which is one if the row's key is null and there can be none.
 */
uint64
steward_foreign_key_run(ForeignKey *key, Relation rel, HeapTuple row, const Datum *extra,
						const bool *extra_isnull, int nextra, bool read_only)
{
	Datum		values[INDEX_MAX_KEYS + 2];
	char		nulls[INDEX_MAX_KEYS + 2];
	uint64		found;
	int			security;
	Oid			role;

	for (int i = 0; i < key->nkeys; i++)
	{
		bool		isnull;

		values[i] = heap_getattr(row, key->keys[i], RelationGetDescr(rel), &isnull);
		nulls[i] = ' ';
		if (isnull)
			return 1;
	}
	for (int i = 0; i < nextra; i++)
	{
		values[key->nkeys + i] = extra[i];
		nulls[key->nkeys + i] = extra_isnull[i] ? 'n' : ' ';
	}

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	role = become_owner(key, &security);
	if (SPI_execute_plan(key->plan, values, nulls, read_only, 0) < 0)
		elog(ERROR, "SPI_execute_plan failed");
	found = SPI_processed;
	SetUserIdAndSecContext(role, security);
	SPI_finish();
	return found;
}
