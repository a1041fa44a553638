/*
 * age.c
 *		Settings that hold an age, such as '90 days'.
 */
#include "core/core.h"

#include "utils/datetime.h"
#include "utils/guc.h"

#define MAX_AGE_YEARS	1000

/*
 * Reads an age as the type interval does, but for numbers that do not say what
 * they count; returns whether it is one, and not below zero.  Check hooks run
 * where nothing may be raised, and so does this.
 */
static bool
read_age(const char *text, Interval *age)
{
	char		buffer[256];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			nfields;
	int			type;
	struct pg_itm_in parts;
	bool		counted = true;

	if (ParseDateTime(text, buffer, sizeof(buffer), fields, types, MAXDATEFIELDS, &nfields) != 0)
		return false;
	for (int i = 0; i < nfields; i++)
	{
		/* to the server "m" is a minute, to a reader perhaps a month */
		if (strcmp(fields[i], "m") == 0)
			return false;
		if ((types[i] == DTK_NUMBER || types[i] == DTK_TZ) &&
			(i == nfields - 1 || (types[i + 1] != DTK_STRING && types[i + 1] != DTK_SPECIAL)))
			counted = false;
	}
	if (DecodeInterval(fields, types, nfields, INTERVAL_FULL_RANGE, &type, &parts) != 0 ||
		type != DTK_DELTA || itmin2interval(&parts, age) != 0)
		return false;
	if (age->month == 0 && age->day == 0 && age->time == 0)
		return true;
	return counted && age->month >= 0 && age->day >= 0 && age->time >= 0;
}

/*
 * Tells for a check hook whether a setting holds an age, or 0 for none.  An age
 * without a unit is refused: whatever was meant, another one would drop what was
 * to be kept.
 */
static bool
check_age(const char *text, Interval *age)
{
	if (!read_age(text, age))
	{
		GUC_check_errhint("Give an age with its unit, such as '90 days', or 0 for no limit.");
		return false;
	}
	if ((double) age->month / MONTHS_PER_YEAR + (age->day + (double) age->time / USECS_PER_DAY) / DAYS_PER_YEAR > MAX_AGE_YEARS)
	{
		GUC_check_errdetail("It is more than %d years.", MAX_AGE_YEARS);
		GUC_check_errhint("For no limit, set 0.");
		return false;
	}
	return true;
}

/* Check hook of a setting that holds an age, or 0 for none. */
bool
steward_check_age(char **newval, void **extra, GucSource source)
{
	Interval	age;

	return check_age(*newval, &age);
}

/* The same for the age at which partitions are dropped, of which none spans less than a day. */
bool
steward_check_age_in_days(char **newval, void **extra, GucSource source)
{
	Interval	age;

	if (!check_age(*newval, &age))
		return false;
	if (age.month == 0 && age.day == 0 && age.time > 0 && age.time < USECS_PER_DAY)
	{
		GUC_check_errdetail("It is less than a day, the span of the smallest partition.");
		GUC_check_errhint("Give it in days, such as '90 days', or 0 for no limit.");
		return false;
	}
	return true;
}
