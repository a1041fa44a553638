/*
 * owner.c
 *		Commands that are run in the place of a table's owner.
 */
#include "core/core.h"

#include "executor/spi.h"
#include "miscadmin.h"

/*
 * Runs a command as the owner of a table, without FORCE ROW LEVEL SECURITY; what the
 * table's triggers do is limited as in maintenance commands.
 * The caller is connected to SPI, and has seen to it that the current role may act as
 * that owner.  Rows are left in SPI_tuptable.
 */
void
steward_execute_as_owner(Oid owner, const char *command, int nargs, Oid *types, Datum *values, const char *nulls)
{
	Oid			user;
	int			security;
	int			result;

	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner, security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS |
						   (user == owner ? 0 : SECURITY_RESTRICTED_OPERATION));
	result = SPI_execute_with_args(command, nargs, types, values, nulls, false, 0);
	SetUserIdAndSecContext(user, security);
	if (result < 0)
		elog(ERROR, "unexpected result %s of \"%s\"", SPI_result_code_string(result), command);
}
