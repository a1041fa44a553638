/*
 * tenant_check.h
 *		What the files that read policies share, callee first.
 *
 *		tenant_check_value.c	what the parts of an expression are worth
 *		tenant_check_expr.c		whether rows that meet an expression are a tenant's
 *		tenant_check_view.c		which tables of tenants a view reads whole
 *		tenant_check.c			what policies say of a tenant column
 */
#ifndef STEWARD_TENANT_CHECK_H
#define STEWARD_TENANT_CHECK_H

#include "core/core.h"
#include "nodes/parsenodes.h"

/* A query of a view, and which of its tables are known to give rows of the context's tenant only. */
typedef struct TenantScope
{
	Query	   *query;
	Bitmapset  *bound;			/* by their place in the range table */
	const struct TenantTables *tables;
	const struct TenantScope *outer;	/* the query around it */
} TenantScope;

/* The table whose rows a condition is about, and what is found of it. */
typedef struct TenantFacts
{
	Index		varno;
	AttrNumber	column;			/* the tenant column */
	const TenantScope *scope;	/* of a view, else NULL */
	bool		casts;			/* the column is converted to be compared */
	bool		fixed;			/* it is compared with a constant */
	bool		not_distinct;	/* null is the tenant where none is set */
	List	   *columns;		/* columns that must equal the context */
} TenantFacts;

/* tenant_check_value.c */
extern Node *steward_strip_casts(Node *node, bool *casts);
extern bool steward_is_equality(Oid operator, Oid collation, List *args);
extern bool steward_asks_context(Node *node);
extern Query *steward_view_query(Oid view);
extern bool steward_true_without_context(Node *node);

/* tenant_check_expr.c */
extern bool steward_is_context_predicate(Oid function);
extern bool steward_has_any_var_walker(Node *node, void *context);
extern bool steward_implies_tenant(TenantFacts *facts, Node *condition);
extern bool steward_tenant_gaps(TenantFacts *facts, Node *expression, List **names);

/* tenant_check_view.c */
extern AttrNumber steward_tenant_scope_column(const TenantScope *scope, Index varno);

#endif							/* STEWARD_TENANT_CHECK_H */
