/*-------------------------------------------------------------------------
 *
 * consume.c
 *		consume, consume_text, consume_json: reading in a consumer group.
 *
 * Two views of the database are at work.  Where the group stands is read after
 * the claim, as it stands then (claim.c).  The records are read with the
 * statement's own snapshot, so that they agree with the tables that the
 * statement joins them to: a record that is newer than the rest of the
 * statement's world would be joined to rows that are not there yet, and the
 * group would have passed it for ever.
 *
 * It never waits: a partition that another transaction has claimed is passed
 * over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "arguments.h"
#include "claim.h"
#include "compat.h"
#include "errors.h"
#include "group.h"
#include "record_output.h"
#include "segment_list.h"
#include "stable_offset.h"
#include "wakeup.h"

PG_FUNCTION_INFO_V1(topic_consume);
PG_FUNCTION_INFO_V1(topic_consume_text);
PG_FUNCTION_INFO_V1(topic_consume_json);

/*
 * What to do in a partition where the group has committed nothing, or where
 * the log begins after what it has committed.
 */
typedef enum OffsetReset
{
	RESET_EARLIEST,
	RESET_LATEST,
	RESET_NONE
} OffsetReset;

typedef struct Consumer
{
	Topic	   *topic;
	Subscription *subscription;
	OffsetReset offset_reset;
	bool		commit;
	int64		records_left;
	int64		claims_left;	/* claims that the transaction may still hold */
	bool		released;		/* was a claim given up? */
	RecordOutput output;
} Consumer;

static OffsetReset
offset_reset_argument(FunctionCallInfo fcinfo, int number)
{
	const char *name = text_argument(fcinfo, number, "offset_reset");

	if (strcmp(name, "earliest") == 0)
		return RESET_EARLIEST;
	if (strcmp(name, "latest") == 0)
		return RESET_LATEST;
	if (strcmp(name, "none") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid offset_reset: \"%s\"", name),
				 errhint("Valid values are: earliest, latest, none.")));
	return RESET_NONE;
}

/*
 * In the select list a LIMIT could stop the call in the middle, with its
 * records claimed but not seen.  In FROM it always runs to its end, which the
 * executor tells by its preference for a tuplestore.
 */
static void
check_called_in_from(FunctionCallInfo fcinfo)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *function = get_func_name(fcinfo->flinfo->fn_oid);

	if (!result || !IsA(result, ReturnSetInfo) ||
		!(result->allowedModes & SFRM_Materialize_Preferred))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("topic.%s must be called in FROM", function),
				 errhint("Write SELECT ... FROM topic.%s(...), or in PL/pgSQL also PERFORM * FROM topic.%s(...).",
						 function, function)));
}

/* There is no position to go on from, and the caller wants none made up. */
static void
report_no_position(Consumer *consumer, Claim *claim, int64 log_start)
{
	const char *group_id = consumer->subscription->group_id;
	const char *topic = consumer->topic->name;

	ereport(ERROR,
			(errcode(ERRCODE_OFFSET_OUT_OF_RANGE),
			 claim->state.position < 0
			 ? errmsg("group \"%s\" has no committed offset for partition %d of topic \"%s\"",
					  group_id, claim->partition, topic)
			 : errmsg("the position of group \"%s\" in partition %d of topic \"%s\" is before the start of the log",
					  group_id, claim->partition, topic),
			 claim->state.position < 0 ? 0
			 : errdetail("Its position is " INT64_FORMAT ", and the log begins at " INT64_FORMAT ".",
						 claim->state.position, log_start),
			 errhint("Set one with topic.reset_offsets(), or use another offset_reset.")));
}

/*
 * Records that the group had not consumed are gone.  Nothing but gaps that
 * rollbacks and compaction leave makes fewer records of so many offsets.
 */
static void
warn_of_skipped_records(Consumer *consumer, Claim *claim, int64 position)
{
	ereport(WARNING,
			(errcode(ERRCODE_OFFSET_OUT_OF_RANGE),
			 errmsg("group \"%s\" skips " INT64_FORMAT " records of partition %d of topic \"%s\"",
					consumer->subscription->group_id,
					position - claim->state.position, claim->partition,
					consumer->topic->name),
			 errdetail("It goes on at offset " INT64_FORMAT ", since records from its position " INT64_FORMAT " on have been deleted.",
					   position, claim->state.position)));
}

/*
 * Give a claim a position by offset_reset, if it has none, or if that is
 * before the start of the log.
 *
 * What "latest" means today is committed at once: a later call would resolve
 * it to a later offset, and the records between would be lost.  So is a
 * position after records that are gone, to warn of them once.  Returns true if
 * so: the claim must be kept then, since others cannot see it yet.
 */
static bool
reset_position(Consumer *consumer, Claim *claim)
{
	Topic	   *topic = consumer->topic;
	int64		position = log_start_offset(topic, GetActiveSnapshot(),
											claim->partition);
	bool		skips = claim->state.position >= 0;
	bool		commits = skips || consumer->offset_reset == RESET_LATEST;

	if (claim->state.position >= position)
		return false;
	if (consumer->offset_reset == RESET_NONE)
		report_no_position(consumer, claim, position);
	if (consumer->offset_reset == RESET_LATEST)
		position = last_stable_offset(topic, claim->partition);
	if (skips)
		warn_of_skipped_records(consumer, claim, position);
	if (commits)
		commit_claim(consumer->subscription, claim, position, NULL);
	set_claim_position(claim, position);
	return commits;
}

/* Return the records of a claimed partition; tells whether there were any. */
static bool
read_partition(Consumer *consumer, Claim *claim)
{
	LogRange	range = LOG_RANGE_ALL;
	int64		last_offset;
	int64		position;
	int64		count;

	range.from_offset = claim->state.position;
	count = output_records(&consumer->output, consumer->topic,
						   claim->partition, &range, consumer->records_left,
						   &last_offset);
	if (count == 0)
		return false;

	consumer->records_left -= count;
	position = last_offset + 1;
	set_claim_position(claim, position);
	if (consumer->commit)
		commit_claim(consumer->subscription, claim, position, NULL);
	return true;
}

/*
 * Claim a partition if it is free, and return its records.
 *
 * A claim that gave nothing is released, so that a consumer does not hold
 * partitions that are idle now.
 */
static void
consume_partition(Consumer *consumer, int partition)
{
	bool		keep;
	Claim	   *claim = claim_partition(consumer->subscription, partition,
										&keep);

	if (!claim)
		return;
	keep |= reset_position(consumer, claim);
	keep |= read_partition(consumer, claim);
	if (keep)
		consumer->claims_left--;
	else
	{
		release_claim(consumer->subscription, claim);
		consumer->released = true;
	}
}

static Datum
consume(FunctionCallInfo fcinfo, ValueFormat format)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	Consumer	consumer;
	bool	   *wanted;
	int			first;
	Subscription *subscription;
	int			partition_count;

	check_called_in_from(fcinfo);
	PreventCommandDuringRecovery("consume");
	PreventCommandIfReadOnly("consume");
	if (PG_ARGISNULL(5))
		report_null_argument("commit");
	consumer.commit = PG_GETARG_BOOL(5);
	consumer.records_left = int_argument(fcinfo, 2, "max_records", 1,
										 PG_INT64_MAX);
	consumer.claims_left = int_argument(fcinfo, 4, "max_partitions", 1,
										PG_INT64_MAX);
	consumer.offset_reset = offset_reset_argument(fcinfo, 6);
	consumer.topic = topic_open(name, ACL_SELECT, AccessShareLock);
	partition_count = consumer.topic->partitions;
	wanted = partitions_argument(fcinfo, 3, consumer.topic);
	use_group(group_id);

	subscription = subscription_for(group_id, consumer.topic);
	subscription_mark_consumed(subscription);
	consumer.subscription = subscription;
	consumer.released = false;
	record_output_begin(&consumer.output, fcinfo, consumer.topic, format);

	/* Partitions that we have come first: they are ours to finish. */
	for (int i = 0; i < partition_count && consumer.records_left > 0; i++)
	{
		if (wanted[i] && subscription->claims[i])
		{
			consume_partition(&consumer, i);
			wanted[i] = false;
		}
	}

	/*
	 * Workers who begin together should not all try the same partition first,
	 * and no partition should always be the last.
	 */
	first = rotating_partition(consumer.topic);
	for (int i = 0; i < partition_count && consumer.records_left > 0 &&
		 consumer.claims_left > 0; i++)
	{
		int			partition = (first + i) % partition_count;

		CHECK_FOR_INTERRUPTS();
		if (wanted[partition])
			consume_partition(&consumer, partition);
	}

	/*
	 * A record that came after our snapshot may have woken somebody who then
	 * found the partition claimed.
	 */
	if (consumer.released)
		wakeup_now(consumer.topic->id);
	PG_RETURN_NULL();
}

/*
 * consume(group_id text, topic text, max_records int, partitions int[],
 *		   max_partitions int, commit boolean, offset_reset text)
 * returns table(partition, record_offset, record_timestamp, key, value,
 *				 headers)
 */
Datum
topic_consume(PG_FUNCTION_ARGS)
{
	return consume(fcinfo, FORMAT_BYTES);
}

Datum
topic_consume_text(PG_FUNCTION_ARGS)
{
	return consume(fcinfo, FORMAT_TEXT);
}

Datum
topic_consume_json(PG_FUNCTION_ARGS)
{
	return consume(fcinfo, FORMAT_JSON);
}
