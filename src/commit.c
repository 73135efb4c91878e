/*-------------------------------------------------------------------------
 *
 * commit.c
 *		commit, reset_offsets, delete_offsets, committed.
 *
 * Offsets are committed in the caller's transaction, beside whatever else it
 * writes: that is all there is to exactly-once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "arguments.h"
#include "compat.h"
#include "failed_attempt.h"
#include "group.h"
#include "member_claim.h"
#include "reconcile.h"
#include "segment_list.h"
#include "stable_offset.h"
#include "time_index.h"

PG_FUNCTION_INFO_V1(topic_commit);
PG_FUNCTION_INFO_V1(topic_commit_offset);
PG_FUNCTION_INFO_V1(topic_reset_offsets);
PG_FUNCTION_INFO_V1(topic_delete_offsets);
PG_FUNCTION_INFO_V1(topic_committed);

/*
 * commit(group_id text, topic text)
 * returns table(partition int, committed_offset bigint)
 */
Datum
topic_commit(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	Topic	   *topic;
	Subscription *subscription;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	PreventCommandIfReadOnly("commit of offsets");
	topic = topic_open(name, ACL_SELECT, AccessShareLock);
	check_group_access(group_id);
	subscription = subscription_for(group_id, topic);
	if (subscription->consumed_level == 0)
	{
		check_group_has_no_members(group_id);
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("group \"%s\" has not consumed topic \"%s\" in this transaction",
						group_id, topic->name),
				 errhint("Call topic.consume() and topic.commit() between BEGIN and COMMIT, use commit => true in consume, or give partition and next_offset.")));
	}

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < subscription->partition_count; i++)
	{
		Claim	   *claim = subscription->claims[i];
		Datum		values[2];
		bool		nulls[2] = {0};

		if (!claim || claim->state.position < 0)
			continue;
		if (!claim->state.committed.found ||
			claim->state.position > claim->state.committed.committed_offset)
			commit_claim(subscription, claim, claim->state.position, NULL);
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(claim->state.committed.committed_offset);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}

/*
 * commit(group_id text, topic text, partition int, next_offset bigint,
 *		  metadata text, member_id text, member_epoch int) returns bigint
 */
Datum
topic_commit_offset(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	char	   *metadata = PG_ARGISNULL(4) ? NULL
		: text_to_cstring(PG_GETARG_TEXT_PP(4));
	char	   *member_id = PG_ARGISNULL(5) ? NULL
		: text_to_cstring(PG_GETARG_TEXT_PP(5));
	int32		member_epoch = int_argument(fcinfo, 6, "member_epoch", 1,
											ANY_EPOCH);
	Topic	   *topic;
	Subscription *subscription;
	Claim	   *claim;
	int			partition;
	int64		offset;
	int64		end;

	if (PG_ARGISNULL(2))
		report_null_argument("partition");
	if (PG_ARGISNULL(3))
		report_null_argument("next_offset");
	partition = PG_GETARG_INT32(2);
	offset = bigint_argument(fcinfo, 3, "next_offset", 0, 0);
	if (!member_id && member_epoch != ANY_EPOCH)
		report_null_argument("member_id");
	PreventCommandIfReadOnly("commit of offsets");

	topic = topic_open(name, ACL_SELECT, AccessShareLock);
	check_partition(topic, partition);
	use_group(group_id);
	subscription = subscription_for(group_id, topic);
	claim = demand_claim(subscription, partition, member_id, member_epoch);

	/* What the transaction read of its own records is beyond the LSO. */
	end = Max(last_stable_offset(topic, partition), claim->state.position);
	if (offset > end)
		report_out_of_range(topic, partition, offset, end);

	if (!claim->state.committed.found ||
		offset > claim->state.committed.committed_offset ||
		(offset == claim->state.committed.committed_offset && metadata))
		commit_claim(subscription, claim, offset, metadata);

	/* A later consume goes on from here, or from where it already is. */
	if (claim->state.position < offset)
		set_claim_position(claim, offset);
	PG_RETURN_INT64(claim->state.committed.committed_offset);
}

/* How reset_offsets finds the new offset: exactly one way. */
typedef struct ResetTarget
{
	const char *position;		/* "earliest" or "latest", or NULL */
	bool		by_offset;
	bool		by_time;
	bool		by_shift;
	int64		number;			/* offset, milliseconds, or shift */
} ResetTarget;

static ResetTarget
reset_target_arguments(FunctionCallInfo fcinfo)
{
	ResetTarget target = {0};

	if (!PG_ARGISNULL(2))
	{
		target.position = text_argument(fcinfo, 2, "to_position");
		if (strcmp(target.position, "earliest") != 0 &&
			strcmp(target.position, "latest") != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid to_position: \"%s\"", target.position),
					 errhint("Valid values are: earliest, latest.")));
	}
	target.by_offset = !PG_ARGISNULL(3);
	target.by_time = !PG_ARGISNULL(4);
	target.by_shift = !PG_ARGISNULL(5);
	if ((target.position != NULL) + target.by_offset + target.by_time +
		target.by_shift != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("exactly one of to_position, to_offset, to_time and shift_by must be given")));

	if (target.by_offset)
		target.number = bigint_argument(fcinfo, 3, "to_offset", 0, 0);
	else if (target.by_time)
		target.number = time_argument(fcinfo, 4, 0);
	else if (target.by_shift)
		target.number = PG_GETARG_INT64(5);
	return target;
}

static int64
resolve_reset_target(Topic *topic, int partition, const ResetTarget *target,
					 const ConsumerOffset *committed)
{
	int64		start = log_start_offset(topic, NULL, partition);
	int64		end = last_stable_offset(topic, partition);
	int64		offset;

	if (target->position)
		return target->position[0] == 'e' ? start : end;
	if (target->by_time)
	{
		offset = offset_for_time(topic, partition, target->number, end);
		return offset >= 0 ? offset : end;
	}
	if (target->by_offset)
	{
		if (target->number < start || target->number > end)
			report_out_of_range(topic, partition, target->number, end);
		return target->number;
	}

	/* A shift stops at the ends of the log. */
	if (pg_add_s64_overflow(committed->found ? committed->committed_offset : start,
							target->number, &offset))
		offset = target->number < 0 ? start : end;
	return Min(Max(offset, start), end);
}

/*
 * reset_offsets(group_id text, topic text, to_position text,
 *				 to_offset bigint, to_time timestamptz, shift_by bigint,
 *				 partitions int[], dry_run boolean)
 * returns table(partition int, old_offset bigint, new_offset bigint)
 */
Datum
topic_reset_offsets(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	ResetTarget target = reset_target_arguments(fcinfo);
	bool		dry_run = !PG_ARGISNULL(7) && PG_GETARG_BOOL(7);
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	bool	   *wanted = partitions_argument(fcinfo, 6, topic);
	Subscription *subscription;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	if (dry_run)
		check_group_access(group_id);
	else
	{
		PreventCommandIfReadOnly("reset_offsets");
		use_group(group_id);
	}
	subscription = subscription_for(group_id, topic);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < topic->partitions; i++)
	{
		ConsumerOffset committed;
		Claim	   *claim = NULL;
		int64		offset;
		Datum		values[3];
		bool		nulls[3] = {0};

		if (!wanted[i])
			continue;
		if (dry_run)
			consumer_offset_read(group_id, topic->name, i,
								 GetActiveSnapshot(), &committed, NULL);
		else
		{
			claim = demand_claim(subscription, i, NULL, ANY_EPOCH);
			committed = claim->state.committed;
		}

		offset = resolve_reset_target(topic, i, &target, &committed);
		if (claim)
		{
			commit_claim(subscription, claim, offset, NULL);
			set_claim_position(claim, offset);
		}
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(committed.committed_offset);
		nulls[1] = !committed.found;
		values[2] = Int64GetDatum(offset);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}

/*
 * delete_offsets(group_id text, topic text, partitions int[])
 * returns table(partition int, deleted_offset bigint)
 */
Datum
topic_delete_offsets(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	bool	   *wanted = partitions_argument(fcinfo, 2, topic);
	Subscription *subscription;
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	PreventCommandIfReadOnly("delete_offsets");
	hold_group(group_id);
	subscription = subscription_for(group_id, topic);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < topic->partitions; i++)
	{
		Claim	   *claim;
		Datum		values[2];
		bool		nulls[2] = {0};

		if (!wanted[i])
			continue;
		claim = demand_claim(subscription, i, NULL, ANY_EPOCH);
		forget_partition_attempts(group_id, topic->name, i);
		if (!claim->state.committed.found)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(claim->state.committed.committed_offset);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
		delete_claimed_offset(subscription, claim);
	}
	PG_RETURN_NULL();
}

/*
 * committed(group_id text, topic text)
 * returns table(partition int, committed_offset bigint, metadata text,
 *				 committed_at timestamptz)
 */
Datum
topic_committed(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	check_group_access(group_id);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < topic->partitions; i++)
	{
		ConsumerOffset committed;
		const char *metadata;
		Datum		values[4];
		bool		nulls[4] = {0};

		consumer_offset_read(group_id, topic->name, i, GetActiveSnapshot(),
							 &committed, &metadata);
		if (!committed.found)
			continue;
		values[0] = Int32GetDatum(i);
		values[1] = Int64GetDatum(committed.committed_offset);
		nulls[2] = metadata == NULL;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(metadata);
		values[3] = TimestampTzGetDatum(committed.committed_at);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}
