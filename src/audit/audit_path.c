/*
 * audit_path.c
 *		Reading the log in the order of time, as the planner sees it: one more path for
 *		steward.audit_events where a query wants the order.  Privileges, row security
 *		and conditions are the planner's business as with any other path.
 */
#include "audit/audit_internal.h"

#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "nodes/extensible.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/planner.h"
#include "optimizer/restrictinfo.h"
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* A query that stops early is taken to read so many blocks of the log before its first event. */
#define FIRST_BLOCKS	256

static set_rel_pathlist_hook_type next_set_rel_pathlist = NULL;
static create_upper_paths_hook_type next_create_upper_paths = NULL;

static Plan *
create_plan(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses, List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);

	plan->scan.plan.targetlist = tlist;
	plan->scan.plan.qual = extract_actual_clauses(clauses, false);
	plan->scan.scanrelid = rel->relid;
	plan->flags = path->flags;
	plan->custom_exprs = lthird(path->custom_private);
	plan->custom_private = list_make2(linitial(path->custom_private), lsecond(path->custom_private));
	plan->methods = &steward_audit_scan_methods;
	return &plan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = "Audit Log by Time",
	.PlanCustomPath = create_plan,
};

/* Tells whether an expression is the time of the events of a relation. */
static bool
is_recorded_at(Node *expression, RelOptInfo *rel)
{
	return IsA(expression, Var) && ((Var *) expression)->varno == rel->relid &&
		((Var *) expression)->varattno == EVENT_RECORDED_AT + 1 && ((Var *) expression)->varlevelsup == 0;
}

/* Finds the conditions that compare the time of an event with what is known when the scan starts. */
static void
find_limits(RelOptInfo *rel, Oid opfamily, List **limits, List **strategies)
{
	ListCell   *lc;

	foreach(lc, rel->baserestrictinfo)
	{
		OpExpr	   *clause = (OpExpr *) lfirst_node(RestrictInfo, lc)->clause;
		Oid			operator;
		Node	   *limit;
		int			strategy;

		if (!IsA(clause, OpExpr) || list_length(clause->args) != 2)
			continue;
		operator = clause->opno;
		limit = lsecond(clause->args);
		if (!is_recorded_at(linitial(clause->args), rel))
		{
			operator = get_commutator(operator);
			limit = linitial(clause->args);
			if (!is_recorded_at(lsecond(clause->args), rel))
				continue;
		}
		strategy = OidIsValid(operator) ? get_op_opfamily_strategy(operator, opfamily) : 0;
		if (strategy == 0 || exprType(limit) != TIMESTAMPTZOID ||
			contain_var_clause(limit) || contain_volatile_functions(limit))
			continue;
		*limits = lappend(*limits, limit);
		*strategies = lappend_int(*strategies, strategy);
	}
}

/* Returns the order by time that a query wants of a relation, NULL if it wants another or none. */
static PathKey *
order_by_time(PlannerInfo *root, RelOptInfo *rel)
{
	PathKey    *order = linitial(root->query_pathkeys);
	ListCell   *lc;

	foreach(lc, order->pk_eclass->ec_members)
	{
		EquivalenceMember *member = lfirst(lc);

		if (bms_equal(member->em_relids, rel->relids) && is_recorded_at((Node *) member->em_expr, rel))
			return order;
	}
	return NULL;
}

/* Tells whether conditions and result of a relation's scan get along with the columns of the log. */
static bool
wants_columns_only(RelOptInfo *rel)
{
	Bitmapset  *columns = NULL;
	int			first;

	pull_varattnos((Node *) extract_actual_clauses(rel->baserestrictinfo, false), rel->relid, &columns);
	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &columns);
	first = bms_next_member(columns, -1);
	return first < 0 || first + FirstLowInvalidHeapAttributeNumber >= 0;
}

/* Tells whether a partition is one that the scan can read: its blocks are those that the index knows. */
static bool
is_heap(Oid partition)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(partition));
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	result = ((Form_pg_class) GETSTRUCT(tuple))->relkind == RELKIND_RELATION &&
		((Form_pg_class) GETSTRUCT(tuple))->relam == HEAP_TABLE_AM_OID;
	ReleaseSysCache(tuple);
	return result;
}

static bool
all_heap(Oid log)
{
	Relation	rel = table_open(log, NoLock);
	int			npartitions;
	AuditPartition *partitions = steward_audit_partitions(rel, &npartitions);
	bool		result = npartitions <= PG_UINT16_MAX;

	for (int i = 0; i < npartitions && result; i++)
		result = is_heap(partitions[i].oid);
	table_close(rel, NoLock);
	return result;
}

/*
 * Sets the cost of a path: that of reading all blocks that are not pruned, of
 * which a query that stops early reads a part.
 */
static void
set_cost(PlannerInfo *root, RelOptInfo *rel, Path *path)
{
	double		blocks = 0;
	double		events = 0;
	QualCost	conditions;
	Cost		run;

	for (int i = 0; i < rel->nparts; i++)
		if (rel->part_rels[i] != NULL)
		{
			blocks += rel->part_rels[i]->pages;
			events += rel->part_rels[i]->tuples;
		}
	cost_qual_eval(&conditions, rel->baserestrictinfo, root);
	run = seq_page_cost * blocks + (cpu_tuple_cost + conditions.per_tuple) * events;

	path->rows = rel->rows;
	path->startup_cost = conditions.startup + run * Min(1.0, FIRST_BLOCKS / Max(blocks, 1.0));
	/* an event is sorted among those of its range, and fetched once more */
	path->total_cost = conditions.startup + run + (cpu_tuple_cost + 26 * cpu_operator_cost) * rel->rows +
		rel->reltarget->cost.per_tuple * rel->rows;
}

/* Returns a path for a relation, if that is the log and the query wants it in the order of time; else NULL. */
static Path *
path_by_time(PlannerInfo *root, RelOptInfo *rel)
{
	RangeTblEntry *rte;
	PathKey    *order;
	CustomPath *path;
	List	   *limits = NIL;
	List	   *strategies = NIL;

	if (root->query_pathkeys == NIL || rel->reloptkind != RELOPT_BASEREL || rel->rtekind != RTE_RELATION)
		return NULL;
	rte = planner_rt_fetch(rel->relid, root);
	if (!rte->inh || rte->relkind != RELKIND_PARTITIONED_TABLE ||
		rte->relid != get_relname_relid("audit_events", get_namespace_oid("steward", true)))
		return NULL;
	order = order_by_time(root, rel);
	if (order == NULL || IS_DUMMY_REL(rel) || !bms_is_empty(rel->lateral_relids) ||
		root->parse->commandType != CMD_SELECT || root->rowMarks != NIL || rte->tablesample != NULL ||
		!wants_columns_only(rel) || !all_heap(rte->relid))
		return NULL;

	find_limits(rel, order->pk_opfamily, &limits, &strategies);
	path = makeNode(CustomPath);
	path->path.pathtype = T_CustomScan;
	path->path.parent = rel;
	path->path.pathtarget = rel->reltarget;
	path->path.pathkeys = list_make1(order);
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->custom_private = list_make3(makeInteger(steward_is_descending(order)), strategies, limits);
	path->methods = &path_methods;
	set_cost(root, rel, &path->path);
	return &path->path;
}

/* Adds the path for what is joined with the log. */
static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Path	   *path;

	if (next_set_rel_pathlist != NULL)
		next_set_rel_pathlist(root, rel, rti, rte);

	path = path_by_time(root, rel);
	if (path != NULL)
		add_path(rel, path);
}

/*
 * Adds the path where a query is about the log alone: there the planner has
 * forgotten those of the partitioned table, and made new ones of those of the
 * partitions.
 */
static void
create_upper_paths(PlannerInfo *root, UpperRelationKind stage, RelOptInfo *input, RelOptInfo *output, void *extra)
{
	Path	   *path;

	if (next_create_upper_paths != NULL)
		next_create_upper_paths(root, stage, input, output, extra);

	if (stage != UPPERREL_ORDERED || root->parse->hasTargetSRFs)
		return;
	path = path_by_time(root, input);
	if (path == NULL)
		return;
	if (list_length(root->sort_pathkeys) > 1)
		path = (Path *) create_incremental_sort_path(root, output, path, root->sort_pathkeys, 1, root->limit_tuples);
	add_path(output, apply_projection_to_path(root, output, path, root->upper_targets[UPPERREL_ORDERED]));
}

/*
 * steward_internal.audit_loaded() returns boolean
 *
 * Returns true.  It is there to be called while a query is planned, which loads
 * the library before the planner asks for paths.
 */
PG_FUNCTION_INFO_V1(steward_audit_loaded);
Datum
steward_audit_loaded(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(true);
}

/* Takes its hooks; runs once per process. */
void
steward_audit_path_init(void)
{
	RegisterCustomScanMethods(&steward_audit_scan_methods);
	next_set_rel_pathlist = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	next_create_upper_paths = create_upper_paths_hook;
	create_upper_paths_hook = create_upper_paths;
}
