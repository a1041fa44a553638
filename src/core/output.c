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
#include "utils/typcache.h"

/* Tells whether values of a type print names of objects, which follow the search path. */
static bool
names_objects(Oid type)
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
			return true;
	}
	if (type_is_array(type))
		return names_objects(get_element_type(type));
	if (type_is_multirange(type))
		type = get_multirange_range(type);
	if (type_is_range(type))
		return names_objects(get_range_subtype(type));
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
	{
		TupleDesc	desc = lookup_rowtype_tupdesc(type, -1);
		bool		found = false;

		for (int i = 0; i < desc->natts && !found; i++)
			found = !TupleDescAttr(desc, i)->attisdropped &&
				names_objects(TupleDescAttr(desc, i)->atttypid);
		ReleaseTupleDesc(desc);
		return found;
	}
	return false;
}

/* Finds out how values of a type become text; what that needs is kept in "mcxt". */
void
steward_pinned_output_init(PinnedOutput *output, Oid type, MemoryContext mcxt)
{
	Oid			function;
	bool		is_varlena;

	getTypeOutputInfo(type, &function, &is_varlena);
	fmgr_info_cxt(function, &output->function, mcxt);
	output->names_objects = names_objects(type);
}

/*
 * Returns the text of a value as its output function prints it under fixed
 * formats (ISO dates, UTC, hex bytea, shortest exact floats, qualified names),
 * whatever the session has set.
 *
 * Variables of settings are changed for the length of one call, because going
 * through the GUC machinery costs more than the rest of an event; the search
 * path leaves no choice, so it is set only for types that look at it.
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
	int			nest_level = output->names_objects ? NewGUCNestLevel() : 0;
	char	   *text = NULL;

	if (utc == NULL)
		utc = pg_tzset("UTC");
	if (output->names_objects)
		(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);

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

	if (output->names_objects)
		AtEOXact_GUC(true, nest_level);
	return text;
}
