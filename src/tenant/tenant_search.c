/*
 * tenant_search.c
 *		Full-text search that keeps its index under row security.
 *
 * A policy lets no condition be tried on rows before it that is not leakproof,
 * and the server does not say so of @@: no index serves it where policies hold.
 * It tells nothing but its result, though.
 */
#include "tenant/tenant_internal.h"

#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

/* tsvector @@ tsquery */
#define MATCH_OPERATOR	3636

/* steward.search_matches(vector tsvector, query tsquery) is vector @@ query. */
PG_FUNCTION_INFO_V1(steward_search_matches);
Datum
steward_search_matches(PG_FUNCTION_ARGS)
{
	return ts_match_vq(fcinfo);
}

/* Planner support of search_matches: the estimates and the indexes of @@. */
PG_FUNCTION_INFO_V1(steward_search_matches_support);
Datum
steward_search_matches_support(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(steward_support_as_operator((Node *) PG_GETARG_POINTER(0), MATCH_OPERATOR, F_TS_MATCH_VQ));
}

/* Opens the table, or view, of a row type; raises 42804 if that is not one's. */
static Relation
open_table(Oid type)
{
	Oid			relid = OidIsValid(type) ? get_typ_typrelid(type) : InvalidOid;

	if (!OidIsValid(relid) || get_rel_relkind(relid) == RELKIND_COMPOSITE_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is not the row type of a table", OidIsValid(type) ? format_type_be(type) : "the first argument"),
				 errhint("SELECT * FROM steward.tenant_search(NULL::products, websearch_to_tsquery('english', 'red shoes'));")));
	return steward_open(relid);
}

/* Returns the name of the column to search in: the one that is named, or the only tsvector. */
static const char *
find_vector_column(Relation rel, const char *wanted)
{
	const char *name = NULL;
	bool		several = false;

	for (int i = 0; i < RelationGetNumberOfAttributes(rel); i++)
	{
		Form_pg_attribute att = TupleDescAttr(RelationGetDescr(rel), i);

		if (att->attisdropped)
			continue;
		if (wanted != NULL && strcmp(NameStr(att->attname), wanted) == 0 && getBaseType(att->atttypid) != TSVECTOROID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column \"%s\" of \"%s\" is not of type tsvector", wanted, RelationGetRelationName(rel)),
					 errtable(rel)));
		if (getBaseType(att->atttypid) != TSVECTOROID ||
			(wanted != NULL && strcmp(NameStr(att->attname), wanted) != 0))
			continue;
		several |= name != NULL;
		name = NameStr(att->attname);
	}
	if (several)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("\"%s\" has several columns of type tsvector", RelationGetRelationName(rel)),
				 errhint("Name one: column_name => %s", quote_literal_cstr(name)),
				 errtable(rel)));
	if (name == NULL && wanted != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" does not exist in \"%s\"", wanted, RelationGetRelationName(rel)),
				 errhint("Its columns are: %s.", steward_column_list(rel)),
				 errtable(rel)));
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("\"%s\" has no column of type tsvector", RelationGetRelationName(rel)),
				 errhint("CALL steward.search_enable(%s, '{title:A,content:B}', 'english');", steward_relation_literal(rel)),
				 errtable(rel)));
	return name;
}

/*
 * Returns the query: $1 is what is searched for, $2 how many rows are wanted.  Rows
 * of the same rank come in the order of the primary key, or of their place.
 */
static char *
make_query(Relation rel, const char *vector_column)
{
	const char *table = steward_qualified_name(rel);
	const char *vector = quote_identifier(vector_column);
	Bitmapset  *key = RelationGetIndexAttrBitmap(rel, INDEX_ATTR_BITMAP_PRIMARY_KEY);
	StringInfoData query;
	int			member = -1;

	/* the cast keeps t.* a row, also of a table with a column t */
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT (t.*)::%s FROM %s t WHERE steward.search_matches(t.%s, $1)"
					 " ORDER BY pg_catalog.ts_rank(t.%s, $1) DESC", table, table, vector, vector);
	while ((member = bms_next_member(key, member)) >= 0)
		appendStringInfo(&query, ", t.%s",
						 quote_identifier(get_attname(RelationGetRelid(rel), member + FirstLowInvalidHeapAttributeNumber, false)));
	if (key == NULL && (RELKIND_HAS_TABLE_AM(rel->rd_rel->relkind) || rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE))
		appendStringInfoString(&query, ", t.tableoid, t.ctid");
	appendStringInfoString(&query, " LIMIT $2");
	return query.data;
}

/* Where the rows go that the query finds: a column of the row type becomes rows of that type. */
typedef struct RowReceiver
{
	DestReceiver pub;
	Oid			type;
	Tuplestorestate *store;
} RowReceiver;

static void
receiver_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	/* between two looks the name may have become another table's */
	if (TupleDescAttr(desc, 0)->atttypid != ((RowReceiver *) self)->type)
		elog(ERROR, "table has changed while it was searched");
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	bool		isnull;
	HeapTupleHeader row = DatumGetHeapTupleHeader(slot_getattr(slot, 1, &isnull));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row),.t_data = row};

	tuplestore_puttuple(((RowReceiver *) self)->store, &tuple);
	return true;
}

static void
receiver_noop(DestReceiver *self)
{
}

/* Adds a value that the planner may count on to the parameters of a query. */
static void
set_parameter(ParamListInfo params, int number, Oid type, NullableDatum value)
{
	ParamExternData *param = &params->params[number];

	param->value = value.value;
	param->isnull = value.isnull;
	param->pflags = PARAM_FLAG_CONST;
	param->ptype = type;
}

/*
 * steward.tenant_search(rows anyelement, query tsquery, max_rows integer,
 *		column_name name) returns the rows of a table that match, the best first,
 * as far as the caller may see them.
 *
 * Raises 42804 for a row type that is no table's, 42703 and 42702 if the column
 * is not clear.
 */
PG_FUNCTION_INFO_V1(steward_tenant_search);
Datum
steward_tenant_search(PG_FUNCTION_ARGS)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, 0);
	Relation	rel = open_table(type);
	const char *column = find_vector_column(rel, PG_ARGISNULL(3) ? NULL : NameStr(*PG_GETARG_NAME(3)));
	char	   *query = make_query(rel, column);
	RowReceiver receiver = {.pub = {receive_row, receiver_startup, receiver_noop, receiver_noop, DestTuplestore},.type = type};
	SPIExecuteOptions options = {.params = makeParamList(2),.read_only = true,.dest = &receiver.pub};

	set_parameter(options.params, 0, TSQUERYOID, fcinfo->args[1]);
	set_parameter(options.params, 1, INT4OID, fcinfo->args[2]);
	InitMaterializedSRF(fcinfo, MAT_SRF_BLESS);
	/* cppcheck-suppress unreadVariable; receive_row reads it */
	receiver.store = ((ReturnSetInfo *) fcinfo->resultinfo)->setResult;
	SPI_connect();
	(void) SPI_execute_extended(query, &options);
	SPI_finish();
	relation_close(rel, NoLock);
	return (Datum) 0;
}
