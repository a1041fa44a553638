/*
 * tenant_check_internal.h
 *		What the files that read policies share, callee first.
 *
 *		tenant_check_value.c	what the parts of an expression are worth
 *		tenant_check_unset.c	what an expression is where no tenant is set
 *		tenant_check_compare.c	whether a comparison says whose a row is
 *		tenant_check_expr.c		whether rows that meet an expression are a tenant's
 *		tenant_check_view.c		which tables of tenants a view reads whole
 *		tenant_check.c			what policies say of a tenant column
 *
 * Nothing here is evaluated: who wrote a policy could have chosen functions that
 * act on whoever looks at it.
 */
#ifndef STEWARD_TENANT_CHECK_INTERNAL_H
#define STEWARD_TENANT_CHECK_INTERNAL_H

#include "core/core.h"
#include "nodes/parsenodes.h"

/* tenant_check_value.c */
extern Node *steward_strip_casts(Node *node, bool *casts);
extern Node *steward_cast_argument(Node *node);
extern Node *steward_scalar_select(Node *node);
extern Node *steward_function_body(Oid function);
extern Node *steward_function_value(Oid function);
extern bool steward_is_equality(Oid operator, Oid collation, List *args);
extern bool steward_names_user(Oid relation, AttrNumber column, Node *context);
extern bool steward_asks_context(Node *node);
extern Query *steward_view_query(Oid view);

/* tenant_check_unset.c */
extern bool steward_true_without_context(Node *node);

/* tenant_check_compare.c */

/* A query of a view, and which of its tables are known to give rows of the context's tenant only. */
typedef struct TenantScope
{
	int			ntables;
	AttrNumber *bound;			/* by place in the range table, from 0: those
								 * tables' tenant columns, 0 for others */
	const struct TenantScope *outer;	/* the query around it */
} TenantScope;

/* The table whose rows a condition is about, and what is found of it. */
typedef struct TenantFacts
{
	Index		varno;
	Oid			relation;		/* of a policy, else 0 */
	AttrNumber	column;			/* the tenant column */
	const TenantScope *scope;	/* of a view, else NULL */
	bool		casts;			/* the column is converted to be compared */
	bool		fixed;			/* it is compared with a constant */
	bool		not_distinct;	/* null is the tenant where none is set */
	List	   *columns;		/* columns that must equal the context */
} TenantFacts;

/* Why a condition lets pass rows of other tenants: bits. */
typedef enum TenantGap
{
	GAP_NONE = 0,
	GAP_CONSTANT = 1 << 0,		/* it is true */
	GAP_TAUTOLOGY = 1 << 1,		/* it is true of every row */
	GAP_FAIL_OPEN = 1 << 2,		/* it is true where no tenant is set */
	GAP_OR = 1 << 3,			/* a branch does without the tenant */
	GAP_COLUMN = 1 << 4,		/* it asks for another column */
	GAP_NULL = 1 << 5,			/* rows of no tenant are everybody's */
	GAP_EMPTY = 1 << 6,			/* an empty string is a tenant */
	GAP_USER = 1 << 7,			/* it asks for the user */
	GAP_OTHER = 1 << 8			/* it does not ask for the tenant */
} TenantGap;

extern AttrNumber steward_row_column(TenantFacts *facts, Node *node, int level, bool *casts);
extern bool steward_has_vars(Node *node);
extern bool steward_mentions_tenant(TenantFacts *facts, Node *node, int level);
extern bool steward_equality_implies_tenant(TenantFacts *facts, Node *left, Node *right, int level,
											TenantGap *gaps);
extern bool steward_range_implies_tenant(TenantFacts *facts, List *conditions, int level);

/* tenant_check_expr.c */
extern bool steward_is_context_predicate(Oid function);
extern bool steward_implies_tenant(TenantFacts *facts, Node *condition);
extern bool steward_tenant_gaps(TenantFacts *facts, Node *expression, List **names);

#endif							/* STEWARD_TENANT_CHECK_INTERNAL_H */
