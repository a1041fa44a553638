/*
 * output.c
 *		Values as text that does not depend on the session's settings.
 */
#include "core/core.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

/*
 * Returns the settings, among those that can be changed only as such, that the
 * output of a type's values follows.
 */
static OutputSettings
settings_of(Oid type)
{
	type = getBaseType(type);
	switch (type)
	{
		case REGCLASSOID:
		case REGTYPEOID:
		case REGPROCOID:
		case REGPROCEDUREOID:
		case REGOPEROID:
		case REGOPERATOROID:
		case REGCONFIGOID:
		case REGDICTIONARYOID:
		case REGCOLLATIONOID:
			return OUTPUT_SEARCH_PATH;
		case CASHOID:
			return OUTPUT_LC_MONETARY;
	}
	if (type_is_array(type))
		return settings_of(get_element_type(type));
	if (type_is_multirange(type))
		type = get_multirange_range(type);
	if (type_is_range(type))
		return settings_of(get_range_subtype(type));
	/* its attributes may be others tomorrow */
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		return OUTPUT_SEARCH_PATH | OUTPUT_LC_MONETARY;
	return 0;
}

/* Finds out how values of a type become text; what that needs is kept in "mcxt". */
void
steward_pinned_output_init(PinnedOutput *output, Oid type, MemoryContext mcxt)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &output->function, mcxt);
	output->settings = settings_of(type);
}

static void
set_locally(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Returns the text of a value as its output function prints it under fixed
 * formats (ISO dates, UTC, hex bytea, shortest exact floats, qualified names,
 * money as in locale C), whatever the session has set.
 *
 * Variables of settings are changed for the length of one call, because going
 * through the GUC machinery costs more than the rest of an event; the search
 * path and lc_monetary leave no choice, so they are set only for types that look
 * at them.
 */
char *
steward_pinned_output(PinnedOutput *output, Datum value)
{
	static pg_tz *utc = NULL;
	int			date_style = DateStyle;
	int			date_order = DateOrder;
	int			interval_style = IntervalStyle;
	int			float_digits = extra_float_digits;
	int			bytea_style = bytea_output;
	bool		quote_all = quote_all_identifiers;
	pg_tz	   *timezone = session_timezone;
	int			nest_level = output->settings != 0 ? NewGUCNestLevel() : 0;
	char	   *text = NULL;

	if (utc == NULL)
		utc = pg_tzset("UTC");
	if (output->settings & OUTPUT_SEARCH_PATH)
		set_locally("search_path", "pg_catalog, pg_temp");
	if (output->settings & OUTPUT_LC_MONETARY)
		set_locally("lc_monetary", "C");

	PG_TRY();
	{
		DateStyle = USE_ISO_DATES;
		DateOrder = DATEORDER_YMD;
		IntervalStyle = INTSTYLE_POSTGRES;
		extra_float_digits = 1;
		bytea_output = BYTEA_OUTPUT_HEX;
		quote_all_identifiers = false;
		session_timezone = utc;
		text = OutputFunctionCall(&output->function, value);
	}
	PG_FINALLY();
	{
		DateStyle = date_style;
		DateOrder = date_order;
		IntervalStyle = interval_style;
		extra_float_digits = float_digits;
		bytea_output = bytea_style;
		quote_all_identifiers = quote_all;
		session_timezone = timezone;
	}
	PG_END_TRY();

	if (output->settings != 0)
		AtEOXact_GUC(true, nest_level);
	return text;
}
