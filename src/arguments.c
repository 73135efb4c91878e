/*-------------------------------------------------------------------------
 *
 * arguments.c
 *		Arguments of SQL functions that are not STRICT.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "record_value.h"

#define MAX_GROUP_BYTES		255

void
report_null_argument(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not be null", name)));
}

char *
text_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
		report_null_argument(name);
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

List *
names_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (PG_ARGISNULL(number))
		report_null_argument(name);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), TEXTOID, -1, false,
					  TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			report_null_argument(psprintf("an element of %s", name));
		names = lappend(names, TextDatumGetCString(elements[i]));
	}
	if (names == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name)));
	return names;
}

int
choice_from_name(const char *value, const char *name,
				 const char *const *names)
{
	StringInfoData hint;

	initStringInfo(&hint);
	for (int i = 0; names[i]; i++)
	{
		if (strcmp(value, names[i]) == 0)
			return i;
		appendStringInfo(&hint, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid %s: \"%s\"", name, value),
			 errhint("Valid values are: %s.", hint.data)));
	pg_unreachable();
}

int
choice_argument(FunctionCallInfo fcinfo, int number, const char *name,
				const char *const *names)
{
	return choice_from_name(text_argument(fcinfo, number, name), name, names);
}

void
check_group_id(const char *group_id)
{
	if (group_id[0] == '\0' || strlen(group_id) > MAX_GROUP_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("group_id must have 1 to %d bytes", MAX_GROUP_BYTES)));
}

char *
group_argument(FunctionCallInfo fcinfo, int number)
{
	char	   *group_id = text_argument(fcinfo, number, "group_id");

	check_group_id(group_id);
	return group_id;
}

static int64
at_least(const char *name, int64 value, int64 minimum)
{
	if (value < minimum)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least " INT64_FORMAT, name, minimum)));
	return value;
}

int64
int_argument(FunctionCallInfo fcinfo, int number, const char *name,
			 int64 minimum, int64 default_value)
{
	return PG_ARGISNULL(number) ? default_value
		: at_least(name, PG_GETARG_INT32(number), minimum);
}

int64
bigint_argument(FunctionCallInfo fcinfo, int number, const char *name,
				int64 minimum, int64 default_value)
{
	return PG_ARGISNULL(number) ? default_value
		: at_least(name, PG_GETARG_INT64(number), minimum);
}

int64
time_argument(FunctionCallInfo fcinfo, int number, int64 default_value)
{
	TimestampTz timestamp;

	if (PG_ARGISNULL(number))
		return default_value;
	timestamp = PG_GETARG_TIMESTAMPTZ(number);
	if (TIMESTAMP_IS_NOBEGIN(timestamp))
		return PG_INT64_MIN;
	if (TIMESTAMP_IS_NOEND(timestamp))
		return PG_INT64_MAX;

	/*
	 * Records' timestamps are whole milliseconds, so "at or after" and
	 * "before" a time both mean the next whole millisecond.
	 */
	return milliseconds_at_or_after(timestamp);
}

bool *
partitions_argument(FunctionCallInfo fcinfo, int number, const Topic *topic)
{
	bool	   *wanted = palloc0(topic->partitions * sizeof(bool));
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	if (PG_ARGISNULL(number))
	{
		memset(wanted, true, topic->partitions * sizeof(bool));
		return wanted;
	}

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), INT4OID, sizeof(int32),
					  true, TYPALIGN_INT, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			report_null_argument("an element of partitions");
		check_partition(topic, DatumGetInt32(elements[i]));
		wanted[DatumGetInt32(elements[i])] = true;
	}
	return wanted;
}
