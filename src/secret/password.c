/*
 * password.c
 *		How much work a guess at a password shall be.
 */
#include "secret/secret.h"

static int	steward_password_cost;

static void
init(void)
{
	DefineCustomIntVariable("steward.password_cost",
							"Cost of the hashes that password_hash() makes: each step up doubles the work.", NULL,
							&steward_password_cost, 12, 4, 31,
							PGC_SUSET, 0, NULL, NULL, NULL);
}

const StewardModule steward_secret_module = {.init = init};

/*
 * steward_internal.password_cost() returns integer
 *
 * Returns steward.password_cost, which is not there before the library is.
 */
PG_FUNCTION_INFO_V1(steward_password_cost_setting);
Datum
steward_password_cost_setting(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(steward_password_cost);
}
