/*
 * tenant_check_value.c
 *		What the parts of a policy's expression are worth: casts, comparisons and the
 *		context.
 */
#include "tenant_check/tenant_check_internal.h"

#include <ctype.h>

#include "access/transam.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteSupport.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

/* Views in views beyond this are not looked into: their definitions may be circular. */
#define MAX_VIEW_DEPTH 16

static bool
is_integer(Oid type)
{
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

/*
 * Returns an expression without conversions that keep different values different;
 * "casts" becomes true if there were any that compute.
 */
Node *
steward_strip_casts(Node *node, bool *casts)
{
	while (node != NULL)
	{
		if (IsA(node, RelabelType))
			node = (Node *) ((RelabelType *) node)->arg;
		else if (IsA(node, CollateExpr))
			node = (Node *) ((CollateExpr *) node)->arg;
		else if (IsA(node, CoerceToDomain))
			node = (Node *) ((CoerceToDomain *) node)->arg;
		else if (IsA(node, CoerceViaIO))
		{
			CoerceViaIO *cast = (CoerceViaIO *) node;
			Oid			source = getBaseType(exprType((Node *) cast->arg));

			if ((cast->resulttype != TEXTOID && cast->resulttype != VARCHAROID) ||
				!(is_integer(source) || source == UUIDOID || source == NAMEOID || type_is_enum(source)))
				break;
			*casts = true;
			node = (Node *) cast->arg;
		}
		else if (IsA(node, FuncExpr))
		{
			FuncExpr   *cast = (FuncExpr *) node;

			if ((cast->funcformat != COERCE_EXPLICIT_CAST && cast->funcformat != COERCE_IMPLICIT_CAST) ||
				cast->funcid >= FirstNormalObjectId || list_length(cast->args) != 1 ||
				!is_integer(getBaseType(exprType(linitial(cast->args)))) ||
				!(is_integer(cast->funcresulttype) || cast->funcresulttype == NUMERICOID))
				break;
			*casts = true;
			node = linitial(cast->args);
		}
		else
			break;
	}
	return node;
}

/*
 * Returns what a conversion converts, whatever it does to the value; NULL for
 * anything else.
 */
Node *
steward_cast_argument(Node *node)
{
	switch (nodeTag(node))
	{
		case T_RelabelType:
			return (Node *) ((RelabelType *) node)->arg;
		case T_CollateExpr:
			return (Node *) ((CollateExpr *) node)->arg;
		case T_CoerceToDomain:
			return (Node *) ((CoerceToDomain *) node)->arg;
		case T_CoerceViaIO:
			return (Node *) ((CoerceViaIO *) node)->arg;
		case T_ArrayCoerceExpr:
			return (Node *) ((ArrayCoerceExpr *) node)->arg;
		case T_FuncExpr:
			{
				FuncExpr   *cast = (FuncExpr *) node;

				return cast->args != NIL &&
					(cast->funcformat == COERCE_EXPLICIT_CAST || cast->funcformat == COERCE_IMPLICIT_CAST) ?
					linitial(cast->args) : NULL;
			}
		default:
			return NULL;
	}
}

/* Returns what (SELECT expression) selects; NULL for anything else. */
Node *
steward_scalar_select(Node *node)
{
	SubLink    *link = (SubLink *) node;
	Query	   *query;

	if (!IsA(link, SubLink) || link->subLinkType != EXPR_SUBLINK)
		return NULL;
	query = (Query *) link->subselect;
	if (query->rtable != NIL || query->targetList == NIL)
		return NULL;
	return (Node *) linitial_node(TargetEntry, query->targetList)->expr;
}

/* Returns what a function with a body in SQL (RETURN, or BEGIN ATOMIC) is made of; NULL for any other. */
Node *
steward_function_body(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Datum		body;
	bool		isnull = true;
	Node	   *node = NULL;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	body = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_prosqlbody, &isnull);
	if (!isnull)
		node = stringToNode(TextDatumGetCString(body));
	ReleaseSysCache(tuple);
	return node;
}

/* Returns the expression whose value a function with a body in SQL returns; NULL for any other. */
Node *
steward_function_value(Oid function)
{
	Node	   *node = function < FirstNormalObjectId ? NULL : steward_function_body(function);
	Query	   *query;

	/* BEGIN ATOMIC is a list of a list of statements */
	for (int depth = 0; depth < 2 && node != NULL && IsA(node, List) && list_length((List *) node) == 1; depth++)
		node = linitial((List *) node);
	query = (Query *) node;
	if (query == NULL || !IsA(query, Query) || query->commandType != CMD_SELECT || query->rtable != NIL ||
		list_length(query->targetList) != 1)
		return NULL;
	return (Node *) linitial_node(TargetEntry, query->targetList)->expr;
}

static bool
has_collate_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	return IsA(node, CollateExpr) || expression_tree_walker(node, has_collate_walker, context);
}

/*
 * Tells whether an operator compares for equality and nothing else.  Anybody can make
 * an operator named = and say that it merges and hashes, but only a superuser can
 * put it into a family.
 */
bool
steward_is_equality(Oid operator, Oid collation, List *args)
{
	Oid			left_hash;
	Oid			right_hash;

	/* a collation asked for may have other names be the same */
	if (OidIsValid(collation) && !get_collation_isdeterministic(collation) &&
		has_collate_walker((Node *) args, NULL))
		return false;
	return get_mergejoin_opfamilies(operator) != NIL ||
		get_op_hash_functions(operator, &left_hash, &right_hash);
}

/* Tells whether a function's value is who asks; that of what users make may be. */
static bool
is_context_function(Oid function)
{
	static const char *const names[] = {
		"current_setting", "current_user", "session_user", "system_user", "getpgusername", "pg_has_role",
		"current_schema", "current_schemas", "current_database", "inet_client_addr",
	};
	char	   *name;

	if (function >= FirstNormalObjectId)
		return true;
	name = get_func_name(function);
	for (int i = 0; name != NULL && i < lengthof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Words in names by which a context says what it is, and columns whose they are. */
static const char *const tenant_words[] = {
	"tenant", "org", "organization", "organisation", "company", "workspace", "team",
};
static const char *const user_words[] = {
	"user", "users", "username", "uid", "sub", "login", "member", "person", "author", "owner", "profile",
	"employee", "creator", "created", "email", "mail", "assignee", "me",
};

/* Tells whether a name, such as app.user_id or currentUser, has one of some words. */
static bool
has_word(const char *name, const char *const *words, int nwords)
{
	while (*name != '\0')
	{
		int			length = 0;

		/* a word ends where another begins with a capital */
		while (isalpha((unsigned char) name[length]) &&
			   !(length > 0 && islower((unsigned char) name[length - 1]) && isupper((unsigned char) name[length])))
			length++;
		for (int i = 0; i < nwords; i++)
			if (strlen(words[i]) == length && pg_strncasecmp(name, words[i], length) == 0)
				return true;
		name += Max(length, 1);
	}
	return false;
}

/* What the names in an expression stand for. */
typedef struct Subject
{
	bool		tenant;
	bool		user;
} Subject;

static bool
subject_walker(Node *node, void *context)
{
	Subject    *subject = context;
	const char *name = NULL;

	if (node == NULL)
		return false;
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, subject_walker, context, 0);
	if (IsA(node, SQLValueFunction))
		subject->user |= steward_asks_context(node);
	else if (IsA(node, FuncExpr) && ((FuncExpr *) node)->funcid >= FirstNormalObjectId)
		name = get_func_name(((FuncExpr *) node)->funcid);
	else if (IsA(node, Const) && ((Const *) node)->consttype == TEXTOID && !((Const *) node)->constisnull)
		name = TextDatumGetCString(((Const *) node)->constvalue);
	if (name != NULL)
	{
		subject->tenant |= has_word(name, tenant_words, lengthof(tenant_words));
		subject->user |= has_word(name, user_words, lengthof(user_words));
	}
	return expression_tree_walker(node, subject_walker, context);
}

/*
 * Tells whether a column of a table is compared with who the user is and not with a
 * tenant, judging by names: those of the context or, if these do not say, the column's.
 */
bool
steward_names_user(Oid relation, AttrNumber column, Node *context)
{
	Subject		subject = {false, false};
	char	   *name;

	subject_walker(context, &subject);
	if (subject.tenant || subject.user)
		return !subject.tenant;
	name = OidIsValid(relation) ? get_attname(relation, column, true) : NULL;
	return name != NULL && has_word(name, user_words, lengthof(user_words));
}

static bool query_asks_context(Query *query, int depth);

/* Tells whether a table's own policies, or what a view selects, keep its rows to those of the context. */
static bool
relation_asks_context(Oid relation, int depth)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
	bool		secured;
	char		kind;
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		return false;
	secured = ((Form_pg_class) GETSTRUCT(tuple))->relrowsecurity;
	kind = ((Form_pg_class) GETSTRUCT(tuple))->relkind;
	ReleaseSysCache(tuple);
	if (kind == RELKIND_VIEW && depth < MAX_VIEW_DEPTH)
	{
		Query	   *query = steward_view_query(relation);

		found = query != NULL && query_asks_context(query, depth + 1);
	}
	return secured || found;
}

static bool
asks_context_walker(Node *node, void *context)
{
	int			depth = *(int *) context;

	if (node == NULL)
		return false;
	check_stack_depth();
	switch (nodeTag(node))
	{
		case T_Query:
			return query_asks_context((Query *) node, depth);
		case T_RangeTblEntry:
			{
				RangeTblEntry *entry = (RangeTblEntry *) node;

				/* a query that refers to itself adds to what it has */
				if (entry->rtekind == RTE_CTE)
					return entry->self_reference;
				return entry->rtekind == RTE_RELATION && relation_asks_context(entry->relid, depth);
			}
		case T_Param:
			return true;
		case T_SQLValueFunction:
			switch (((SQLValueFunction *) node)->op)
			{
				case SVFOP_CURRENT_ROLE:
				case SVFOP_CURRENT_USER:
				case SVFOP_USER:
				case SVFOP_SESSION_USER:
				case SVFOP_CURRENT_CATALOG:
				case SVFOP_CURRENT_SCHEMA:
					return true;
				default:
					return false;
			}
		case T_FuncExpr:
			if (is_context_function(((FuncExpr *) node)->funcid))
				return true;
			break;
		default:
			break;
	}
	return expression_tree_walker(node, asks_context_walker, context);
}

/* Tells whether every arm of a query with UNION, INTERSECT or EXCEPT asks for the context. */
static bool
arm_asks_context(Query *query, Node *arm, int depth)
{
	SetOperationStmt *operation;
	bool		left;

	if (IsA(arm, RangeTblRef))
	{
		RangeTblEntry *entry = list_nth(query->rtable, ((RangeTblRef *) arm)->rtindex - 1);

		return entry->rtekind == RTE_SUBQUERY && query_asks_context(entry->subquery, depth);
	}

	operation = castNode(SetOperationStmt, arm);
	left = arm_asks_context(query, operation->larg, depth);
	switch (operation->op)
	{
		case SETOP_UNION:
			return left && arm_asks_context(query, operation->rarg, depth);
		case SETOP_INTERSECT:
			return left || arm_asks_context(query, operation->rarg, depth);
		default:
			return left;
	}
}

static bool
query_asks_context(Query *query, int depth)
{
	ListCell   *lc;

	/* by name, common table expressions are as good as what they are made of */
	if (query->setOperations != NULL)
		return arm_asks_context(query, query->setOperations, depth);
	foreach(lc, query->rtable)
	{
		if (asks_context_walker(lfirst(lc), &depth))
			return true;
	}
	return query_tree_walker(query, asks_context_walker, &depth, 0);
}

/* Tells whether the value of an expression, or the rows of a query, depend on who asks. */
bool
steward_asks_context(Node *node)
{
	int			depth = 0;

	return asks_context_walker(node, &depth);
}

/* Returns what a view selects, NULL if it is none; takes no lock. */
Query *
steward_view_query(Oid view)
{
	HeapTuple	tuple = SearchSysCache2(RULERELNAME, ObjectIdGetDatum(view), PointerGetDatum(ViewSelectRuleName));
	Datum		action;
	bool		isnull;
	List	   *queries;

	if (!HeapTupleIsValid(tuple))
		return NULL;
	action = SysCacheGetAttr(RULERELNAME, tuple, Anum_pg_rewrite_ev_action, &isnull);
	queries = isnull ? NIL : stringToNode(TextDatumGetCString(action));
	ReleaseSysCache(tuple);
	return queries == NIL ? NULL : linitial_node(Query, queries);
}
