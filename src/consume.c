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

#include "access/xact.h"
#include "miscadmin.h"

#include "arguments.h"
#include "claim_reader.h"
#include "consume.h"
#include "group.h"
#include "news.h"
#include "reconcile.h"
#include "wakeup.h"

PG_FUNCTION_INFO_V1(topic_consume);
PG_FUNCTION_INFO_V1(topic_consume_text);
PG_FUNCTION_INFO_V1(topic_consume_json);

typedef struct Consumer
{
	ClaimReader reader;
	int64		claims_left;	/* claims that the transaction may still hold */
	bool		released;		/* was a claim given up? */
	bool		members_checked;	/* for partitions that were not claimed */
} Consumer;

/*
 * Claim a partition if it is free, and return its records.
 *
 * A claim that gave nothing is released, so that a consumer does not hold
 * partitions that are idle now.  It began where other transactions have left
 * the group: a claim under which ours commits is kept.
 */
static void
consume_partition(Consumer *consumer, int partition)
{
	ClaimReader *reader = &consumer->reader;
	uint64		news = news_count(reader->topic->id, partition);
	bool		keep;
	Claim	   *claim = claim_partition(reader->subscription, partition, &keep);

	if (!claim)
		return;
	if (!keep || claim->state.member_id)
		check_group_has_no_members(reader->subscription->group_id);
	keep |= claim_reader_set_position(reader, claim);
	keep |= claim_reader_read(reader, claim);
	if (keep)
		consumer->claims_left--;
	else
	{
		if (reader->output.at_end)
			note_idle_partition(reader->subscription->memory, partition, news);
		release_claim(reader->subscription, claim);
		consumer->released = true;
	}
}

/*
 * Is there no need to look at the partition?
 *
 * A serializable transaction depends on what it does not find, and is known to
 * by looking.
 */
static bool
can_skip(Consumer *consumer, int partition)
{
	ClaimReader *reader = &consumer->reader;

	if (IsolationIsSerializable() ||
		!partition_is_idle(reader->subscription->memory, reader->topic->id,
						   partition))
		return false;
	if (!consumer->members_checked)
		check_group_has_no_members(reader->subscription->group_id);
	consumer->members_checked = true;
	return true;
}

void
consume_records(FunctionCallInfo fcinfo, ValueFormat format, RecordRows *rows)
{
	char	   *group_id = group_argument(fcinfo, 0);
	char	   *name = text_argument(fcinfo, 1, "topic");
	Consumer	consumer = {0};
	ClaimReader *reader = &consumer.reader;
	bool	   *wanted;
	int			first;
	Subscription *subscription;
	int			partition_count;

	PreventCommandDuringRecovery("consume");
	PreventCommandIfReadOnly("consume");
	if (PG_ARGISNULL(5))
		report_null_argument("commit");
	reader->commit = PG_GETARG_BOOL(5);
	reader->records_left = int_argument(fcinfo, 2, "max_records", 1,
										PG_INT64_MAX);
	consumer.claims_left = int_argument(fcinfo, 4, "max_partitions", 1,
										PG_INT64_MAX);
	reader->offset_reset = offset_reset_argument(fcinfo, 6);
	reader->topic = topic_open(name, ACL_SELECT, AccessShareLock);
	partition_count = reader->topic->partitions;
	wanted = partitions_argument(fcinfo, 3, reader->topic);
	use_group(group_id);

	subscription = subscription_for(group_id, reader->topic);
	subscription_mark_consumed(subscription);
	group_memory_expire(subscription->memory, reader->offset_reset);
	reader->subscription = subscription;
	record_output_begin(&reader->output, fcinfo, rows, reader->topic, format);

	/* Partitions that we have come first: they are ours to finish. */
	for (int i = 0; i < partition_count && reader->records_left > 0; i++)
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
	first = rotating_partition(reader->topic);
	for (int i = 0; i < partition_count && reader->records_left > 0 &&
		 consumer.claims_left > 0; i++)
	{
		int			partition = (first + i) % partition_count;

		CHECK_FOR_INTERRUPTS();
		if (wanted[partition] && !can_skip(&consumer, partition))
			consume_partition(&consumer, partition);
	}

	/*
	 * A record that came after our snapshot may have woken somebody who then
	 * found the partition claimed.
	 */
	if (consumer.released)
		wakeup_now(reader->topic->id);
}

static Datum
consume(FunctionCallInfo fcinfo, ValueFormat format)
{
	check_called_in_from(fcinfo);
	consume_records(fcinfo, format, NULL);
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
