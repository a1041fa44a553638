/*
 * callbacks.c
 *		Tells the modules what happens in the session: changed catalogs, ends of
 *		transactions, objects that are created and dropped.
 *
 * The server has ten places for those who want to hear of changed relations, its
 * own parts take some of them, and a session without a free one dies.  So the
 * library takes one place of each kind, however many modules listen.
 *
 * Order: changed catalogs and objects are told to a module before those that
 * use it; a module only has to mark what it knows as outdated.  Transactions and
 * savepoints end the other way round: what a module still does for them, such as
 * writing rows, may count on the modules that it uses.  Among the callbacks of
 * several libraries, the server calls first what was registered last.
 */
#include "core/core.h"

#include "utils/inval.h"

static const StewardModule *const *modules;
static int	nmodules;

static object_access_hook_type next_object_access = NULL;

static void
relation_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < nmodules; i++)
		if (modules[i]->relation_changed != NULL)
			modules[i]->relation_changed(relid);
}

/* Tells whether a module wants to hear of a catalog. */
static bool
listens(const StewardModule *module, int cacheid)
{
	for (const int *catalog = module->catalogs; catalog != NULL && *catalog != STEWARD_NO_CATALOG; catalog++)
		if (*catalog == cacheid)
			return true;
	return false;
}

static void
catalog_changed(Datum arg, int cacheid, uint32 hash)
{
	for (int i = 0; i < nmodules; i++)
		if (listens(modules[i], cacheid))
			modules[i]->catalog_changed(cacheid, hash);
}

static void
xact_event(XactEvent event, void *arg)
{
	for (int i = nmodules - 1; i >= 0; i--)
		if (modules[i]->xact_event != NULL)
			modules[i]->xact_event(event);
}

static void
subxact_event(SubXactEvent event, SubTransactionId subid, SubTransactionId parent, void *arg)
{
	for (int i = nmodules - 1; i >= 0; i--)
		if (modules[i]->subxact_event != NULL)
			modules[i]->subxact_event(event, subid, parent);
}

static void
object_access(ObjectAccessType access, Oid class, Oid object, int column, void *arg)
{
	if (next_object_access != NULL)
		next_object_access(access, class, object, column, arg);
	for (int i = 0; i < nmodules; i++)
		if (modules[i]->object_access != NULL)
			modules[i]->object_access(access, class, object, column, arg);
}

/* Registers for each catalog that some module wants to hear of, once. */
static void
register_catalogs(void)
{
	for (int i = 0; i < nmodules; i++)
		for (const int *catalog = modules[i]->catalogs; catalog != NULL && *catalog != STEWARD_NO_CATALOG; catalog++)
		{
			bool		registered = false;

			for (int j = 0; j < i; j++)
				registered |= listens(modules[j], *catalog);
			if (!registered)
				CacheRegisterSyscacheCallback(*catalog, catalog_changed, (Datum) 0);
		}
}

/*
 * Begins with the modules of the library, each of which stands after those that
 * it uses: registers for what they want to hear of, and has each begin.  Runs once
 * per process.
 */
void
steward_modules_init(const StewardModule *const *all, int n)
{
	modules = all;
	nmodules = n;

	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	register_catalogs();
	RegisterXactCallback(xact_event, NULL);
	RegisterSubXactCallback(subxact_event, NULL);
	next_object_access = object_access_hook;
	object_access_hook = object_access;
	for (int i = 0; i < n; i++)
		if (modules[i]->init != NULL)
			modules[i]->init();
}
