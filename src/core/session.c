/*
 * session.c
 *		What the library keeps for the session, and takes back when the transaction
 *		that stored it is undone.
 */
#include "core/core.h"

#include "access/relation.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

/* The library was there before the session's first query. */
bool		steward_preloaded = false;

/* Things that hold only if the current transaction commits. */
static dlist_head provisional = DLIST_STATIC_INIT(provisional);

/*
 * Notes that "it" was stored by the current transaction, and what to call if
 * that is undone.  It must stay in memory until then or until steward_settle.
 */
void
steward_provisional(Provisional *it, void (*forget) (Provisional *it))
{
	it->subid = GetCurrentSubTransactionId();
	it->forget = forget;
	dlist_push_tail(&provisional, &it->node);
}

/* Takes "it" out of transaction control, if it is there. */
void
steward_settle(Provisional *it)
{
	if (it->subid != InvalidSubTransactionId)
	{
		dlist_delete(&it->node);
		it->subid = InvalidSubTransactionId;
	}
}

/* A prepared transaction may commit or not, out of this session's sight. */
static void
settle_at_xact_end(XactEvent event)
{
	dlist_mutable_iter iter;
	bool		committed = event == XACT_EVENT_COMMIT || event == XACT_EVENT_PARALLEL_COMMIT;

	if (!committed && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PARALLEL_ABORT && event != XACT_EVENT_PREPARE)
		return;

	dlist_foreach_modify(iter, &provisional)
	{
		Provisional *it = dlist_container(Provisional, node, iter.cur);

		steward_settle(it);
		if (!committed)
			it->forget(it);
	}
}

static void
settle_at_subxact_end(SubXactEvent event, SubTransactionId subid, SubTransactionId parent)
{
	dlist_mutable_iter iter;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;

	dlist_foreach_modify(iter, &provisional)
	{
		Provisional *it = dlist_container(Provisional, node, iter.cur);

		if (it->subid != subid)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			it->subid = parent;
		else
		{
			steward_settle(it);
			it->forget(it);
		}
	}
}

/* Returns the memory context of what pg_steward keeps for the session. */
MemoryContext
steward_session_context(void)
{
	static MemoryContext context = NULL;

	if (context == NULL)
		context = AllocSetContextCreate(TopMemoryContext, "pg_steward", ALLOCSET_DEFAULT_SIZES);
	return context;
}

/*
 * Returns an id that no other backend of any cluster can be expected to give:
 * microseconds since 2000, then twelve bits of the backend's slot.  No sequence
 * stands behind it, so a restored dump cannot collide with what is written
 * before or after, and ids grow with time.
 */
int64
steward_new_id(void)
{
	static int64 last = 0;
	int64		id = (GetCurrentTimestamp() << 12) | (MyProcSlot & 0xFFF);

	if (id <= last)
		id = last + (1 << 12);
	last = id;
	return id;
}

/* Opens the relation that an argument of type regclass names; raises 42P01 if there is none. */
Relation
steward_open(Oid relid)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", relid)));
	return rel;
}

/* Returns the name of a table with its schema, quoted where needed. */
char *
steward_qualified_name(Relation rel)
{
	return quote_qualified_identifier(get_namespace_name(RelationGetNamespace(rel)), RelationGetRelationName(rel));
}

/* Returns the qualified name of a table as an SQL literal, for hints. */
char *
steward_relation_literal(Relation rel)
{
	return quote_literal_cstr(steward_qualified_name(rel));
}

static void
init(void)
{
	steward_preloaded = debug_query_string == NULL;
	steward_pause_init();
}

static void
xact_event(XactEvent event)
{
	settle_at_xact_end(event);
	steward_pause_at_xact(event);
}

const StewardModule steward_core_module = {
	.init = init,
	.xact_event = xact_event,
	.subxact_event = settle_at_subxact_end,
	.object_access = steward_follow_object,
};
