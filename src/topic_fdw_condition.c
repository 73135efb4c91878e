/*-------------------------------------------------------------------------
 *
 * topic_fdw_condition.c
 *		Conditions on partition, record_offset and record_timestamp, turned
 *		into what to read of a topic.
 *
 * The executor checks every condition again, so this must never leave out a
 * record that a condition accepts, but may keep more than it does.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type_d.h"
#include "nodes/bitmapset.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "topic_fdw.h"

/* Is the node one of the columns that the log can be read by? */
static bool
is_log_column(Node *node, Index relid, const RecordColumn *columns,
			  RecordColumn *column)
{
	Var		   *var = (Var *) node;

	if (!IsA(node, Var) || (Index) var->varno != relid ||
		var->varlevelsup != 0 || var->varattno <= 0)
		return false;
	*column = columns[var->varattno - 1];
	return *column == RECORD_PARTITION || *column == RECORD_OFFSET ||
		*column == RECORD_TIMESTAMP;
}

/* Is the value of the node known before a scan of the relation starts? */
static bool
is_known_at_start(Node *node, Index relid)
{
	Bitmapset  *attributes = NULL;

	pull_varattnos(node, relid, &attributes);
	return bms_is_empty(attributes) && !contain_volatile_functions(node) &&
		!contain_subplans(node);
}

/* Is it a B-tree operator for the column, which stands on its left? */
static bool
match_operator(Oid operator, LogCondition *condition)
{
	bool		is_time = condition->column == RECORD_TIMESTAMP;
	TypeCacheEntry *type = lookup_type_cache(is_time ? TIMESTAMPTZOID : INT8OID,
											 TYPECACHE_BTREE_OPFAMILY);
	Oid			family = type->btree_opf;
	int			strategy;
	Oid			left_type;

	if (!OidIsValid(operator) || !op_in_opfamily(operator, family))
		return false;
	get_op_opfamily_properties(operator, family, false, &strategy,
							   &left_type, &condition->type);
	condition->strategy = strategy;
	return true;
}

bool
match_log_condition(Expr *clause, Index relid, const RecordColumn *columns,
					LogCondition *condition)
{
	Oid			operator;
	Node	   *left;
	Node	   *right;

	if (IsA(clause, OpExpr) && list_length(((OpExpr *) clause)->args) == 2)
	{
		OpExpr	   *comparison = (OpExpr *) clause;

		operator = comparison->opno;
		left = linitial(comparison->args);
		right = lsecond(comparison->args);
		condition->is_array = false;
	}
	else if (IsA(clause, ScalarArrayOpExpr) &&
			 ((ScalarArrayOpExpr *) clause)->useOr)
	{
		ScalarArrayOpExpr *comparison = (ScalarArrayOpExpr *) clause;

		operator = comparison->opno;
		left = linitial(comparison->args);
		right = lsecond(comparison->args);
		condition->is_array = true;
	}
	else
		return false;

	if (!is_log_column(left, relid, columns, &condition->column))
	{
		Node	   *value = left;

		if (condition->is_array ||
			!is_log_column(right, relid, columns, &condition->column))
			return false;
		operator = get_commutator(operator);
		right = value;
	}

	condition->value = (Expr *) right;
	return match_operator(operator, condition) &&
		(!condition->is_array ||
		 condition->strategy == BTEqualStrategyNumber) &&
		is_known_at_start(right, relid);
}

void
select_whole_log(const Topic *topic, LogSelection *selection)
{
	selection->partitions = bms_add_range(NULL, 0, topic->partitions - 1);
	selection->range = LOG_RANGE_ALL;
}

/* A time as a bound, rounded up; false if it is infinite. */
static bool
time_to_bound(TimestampTz timestamp, int64 *bound)
{
	if (TIMESTAMP_NOT_FINITE(timestamp))
		return false;
	*bound = milliseconds_at_or_after(timestamp);
	return true;
}

/*
 * The value of a condition as a bound: a number, or a time in milliseconds.
 * False if it bounds nothing.
 */
static bool
value_to_bound(Oid type, Datum value, int64 *bound)
{
	int			overflow;

	switch (type)
	{
		case INT2OID:
			*bound = DatumGetInt16(value);
			return true;
		case INT4OID:
			*bound = DatumGetInt32(value);
			return true;
		case INT8OID:
			*bound = DatumGetInt64(value);
			return true;
		case TIMESTAMPTZOID:
			return time_to_bound(DatumGetTimestampTz(value), bound);
		case TIMESTAMPOID:
			return time_to_bound(timestamp2timestamptz_opt_overflow(DatumGetTimestamp(value),
																	&overflow),
								 bound);
		case DATEOID:
			return time_to_bound(date2timestamptz_opt_overflow(DatumGetDateADT(value),
															   &overflow),
								 bound);
		default:
			return false;
	}
}

/* Narrow the interval [*from, *to). */
static void
narrow_interval(int64 *from, int64 *to, StrategyNumber strategy, int64 bound)
{
	int64		after = bound < PG_INT64_MAX ? bound + 1 : bound;

	switch (strategy)
	{
		case BTLessStrategyNumber:
			*to = Min(*to, bound);
			break;
		case BTLessEqualStrategyNumber:
			*to = Min(*to, after);
			break;
		case BTEqualStrategyNumber:
			*from = Max(*from, bound);
			*to = Min(*to, after);
			break;
		case BTGreaterEqualStrategyNumber:
			*from = Max(*from, bound);
			break;
		case BTGreaterStrategyNumber:
			*from = Max(*from, after);
			break;
	}
}

static void
narrow_by_bound(LogSelection *selection, RecordColumn column,
				StrategyNumber strategy, int64 bound)
{
	LogRange   *range = &selection->range;

	switch (column)
	{
		case RECORD_PARTITION:
			{
				int64		from = 0;
				int64		to = MAX_PARTITIONS;
				Bitmapset  *partitions = NULL;

				narrow_interval(&from, &to, strategy, bound);
				if (from < to)
					partitions = bms_add_range(NULL, from, to - 1);
				selection->partitions = bms_int_members(selection->partitions,
														partitions);
				bms_free(partitions);
				break;
			}
		case RECORD_OFFSET:
			narrow_interval(&range->from_offset, &range->to_offset, strategy,
							bound);
			break;
		case RECORD_TIMESTAMP:

			/*
			 * What is after a time may be at the millisecond to which the
			 * time was rounded up.
			 */
			if (strategy == BTGreaterStrategyNumber)
				strategy = BTGreaterEqualStrategyNumber;
			narrow_interval(&range->from_time, &range->to_time, strategy,
							bound);
			break;
		default:
			break;
	}
}

static void
select_nothing(LogSelection *selection)
{
	bms_free(selection->partitions);
	selection->partitions = NULL;
}

/*
 * column = ANY (array): for partitions exactly these, for the other columns
 * what lies between the least and the greatest element.
 */
static void
narrow_by_array(LogSelection *selection, const LogCondition *condition,
				ArrayType *array)
{
	Bitmapset  *partitions = NULL;
	int64		least = PG_INT64_MAX;
	int64		greatest = PG_INT64_MIN;
	Datum	   *elements;
	bool	   *nulls;
	int			count;
	int16		length;
	bool		by_value;
	char		alignment;

	get_typlenbyvalalign(condition->type, &length, &by_value, &alignment);
	deconstruct_array(array, condition->type, length, by_value, alignment,
					  &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		int64		bound;

		if (nulls[i])
			continue;
		if (!value_to_bound(condition->type, elements[i], &bound))
			return;
		least = Min(least, bound);
		greatest = Max(greatest, bound);
		if (condition->column == RECORD_PARTITION &&
			bound >= 0 && bound < MAX_PARTITIONS)
			partitions = bms_add_member(partitions, bound);
	}

	if (condition->column == RECORD_PARTITION)
		selection->partitions = bms_int_members(selection->partitions,
												partitions);
	else if (least > greatest)
		select_nothing(selection);
	else
	{
		narrow_by_bound(selection, condition->column,
						BTGreaterEqualStrategyNumber, least);
		narrow_by_bound(selection, condition->column,
						BTLessEqualStrategyNumber, greatest);
	}
}

void
narrow_selection(LogSelection *selection, const LogCondition *condition,
				 Datum value, bool isnull)
{
	const LogRange *range = &selection->range;
	int64		bound;

	/* All these operators are strict. */
	if (isnull)
		select_nothing(selection);
	else if (condition->is_array)
		narrow_by_array(selection, condition, DatumGetArrayTypeP(value));
	else if (value_to_bound(condition->type, value, &bound))
		narrow_by_bound(selection, condition->column, condition->strategy,
						bound);

	if (range->from_offset >= range->to_offset ||
		range->from_time >= range->to_time)
		select_nothing(selection);
}
