/*
 * pause.c
 *		Has triggers that keep columns right stand aside for the rest of a
 *		transaction, where the owner of a table wants its rows as they are given.
 */
#include "core/core.h"

#include "access/parallel.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"

#define SETTING	"steward.upkeep_paused"

/* Who has set it, and in which transaction: the extra of the setting's value. */
typedef struct Pause
{
	Oid			role;
	uint64		transaction;	/* 0: of a parallel worker's leader, whose
								 * triggers do not fire there */
} Pause;

static bool upkeep_paused = false;
static const Pause *paused_by = NULL;

/* The session's present transaction. */
static uint64 transaction = 1;

/* The setting is being defined: its value, if it has one, is from before, and nobody knows who set it. */
static bool defining = false;

/* Reports for a check hook why the setting cannot be set, and returns false. */
static bool
refuse(int sqlstate, const char *message, const char *detail, const char *hint)
{
	GUC_check_errcode(sqlstate);
	GUC_check_errmsg("setting \"%s\" %s", SETTING, message);
	GUC_check_errdetail("%s", detail);
	if (hint != NULL)
		GUC_check_errhint("%s", hint);
	return false;
}

static bool
check_paused(bool *newval, void **extra, GucSource source)
{
	Pause	   *value;

	if (!*newval)
		return true;
	if (!InitializingParallelWorker)
	{
		if (defining)
			return refuse(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, "was set before pg_steward was loaded and does not count",
						  "The function loads the library.", "SELECT steward.upkeep_pause();");
		if (source != PGC_S_SESSION || !IsTransactionState())
			return refuse(ERRCODE_CANT_CHANGE_RUNTIME_PARAM, "can only be set in a transaction",
						  "It cannot be given a value for a session, role or database, or in a file.", NULL);
		if (!IsTransactionBlock() && !SPI_inside_nonatomic_context())
			return refuse(ERRCODE_NO_ACTIVE_SQL_TRANSACTION, "can only be set in a transaction block",
						  "Its value ends with the transaction.", "BEGIN;");
	}
	value = steward_guc_malloc(sizeof(Pause));
	if (value == NULL)
		return false;
	value->role = InitializingParallelWorker ? InvalidOid : GetUserId();
	value->transaction = InitializingParallelWorker ? 0 : transaction;
	*extra = value;
	return true;
}

static void
assign_paused(bool newval, void *extra)
{
	paused_by = extra;
}

/* Defines the setting. */
void
steward_pause_init(void)
{
	defining = true;
	DefineCustomBoolVariable(SETTING,
							 "Has updated_at, row_version and immutable triggers of one's own tables leave rows as they are given.",
							 "It holds for the transaction in which it is set.",
							 &upkeep_paused, false,
							 PGC_USERSET, GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE,
							 check_paused, assign_paused, NULL);
	defining = false;
}

/* A transaction has ended, and what was set in it does not count any more, even if it was not set LOCAL. */
void
steward_pause_at_xact(XactEvent event)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		transaction++;
}

/*
 * Tells whether triggers that keep columns right are to leave the rows of a table
 * as they are given.  It takes the table's owner twice: who has set it, so that a
 * function which runs as the owner does nothing for others that it does not mean
 * to do, and who is at work.
 */
bool
steward_upkeep_is_paused(Relation rel)
{
	return upkeep_paused && paused_by != NULL && paused_by->transaction == transaction &&
		has_privs_of_role(paused_by->role, rel->rd_rel->relowner) &&
		has_privs_of_role(GetUserId(), rel->rd_rel->relowner);
}

/*
 * steward.upkeep_pause() returns void does what SET LOCAL steward.upkeep_paused = on
 * does; but to call it loads the library, without which that would be a setting of
 * no meaning.  Raises 25P01 outside a transaction block.
 */
PG_FUNCTION_INFO_V1(steward_upkeep_pause);
Datum
steward_upkeep_pause(PG_FUNCTION_ARGS)
{
	(void) set_config_option(SETTING, "on", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	PG_RETURN_VOID();
}
