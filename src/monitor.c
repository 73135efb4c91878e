/*-------------------------------------------------------------------------
 *
 * monitor.c
 *		offsets, open_transactions, claim_key: what the views show.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "funcapi.h"

#include "arguments.h"
#include "claim.h"
#include "compat.h"
#include "stable_offset.h"
#include "topic.h"

PG_FUNCTION_INFO_V1(topic_offsets);
PG_FUNCTION_INFO_V1(topic_open_transactions);
PG_FUNCTION_INFO_V1(topic_claim_key);

/*
 * offsets(topic text)
 * returns table(partition int, log_start_offset bigint,
 *				 last_stable_offset bigint, high_watermark bigint)
 */
Datum
topic_offsets(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		PartitionOffsets offsets;
		Datum		values[4];
		bool		nulls[4] = {0};

		partition_offsets(topic, partition, &offsets);
		values[0] = Int32GetDatum(partition);
		values[1] = Int64GetDatum(offsets.log_start_offset);
		values[2] = Int64GetDatum(offsets.last_stable_offset);
		values[3] = Int64GetDatum(offsets.high_watermark);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	PG_RETURN_NULL();
}

typedef struct OpenTransactionOutput
{
	ReturnSetInfo *result;
	int			partition;
} OpenTransactionOutput;

static void
emit_open_transaction(TransactionId xid, int64 first_offset, void *arg)
{
	OpenTransactionOutput *output = arg;
	Datum		values[3];
	bool		nulls[3] = {0};

	values[0] = Int32GetDatum(output->partition);
	values[1] = TransactionIdGetDatum(xid);
	values[2] = Int64GetDatum(first_offset);
	tuplestore_putvalues(output->result->setResult, output->result->setDesc,
						 values, nulls);
}

/*
 * open_transactions(topic text)
 * returns table(partition int, transaction xid, first_offset bigint)
 */
Datum
topic_open_transactions(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");
	Topic	   *topic = topic_open(name, ACL_SELECT, AccessShareLock);
	OpenTransactionOutput output;

	InitMaterializedSRF(fcinfo, 0);
	output.result = (ReturnSetInfo *) fcinfo->resultinfo;
	for (int partition = 0; partition < topic->partitions; partition++)
	{
		output.partition = partition;
		for_each_open_transaction(topic, partition, emit_open_transaction,
								  &output);
	}
	PG_RETURN_NULL();
}

/*
 * claim_key(group_id text, topic text) returns oid
 */
Datum
topic_claim_key(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	Topic	   *topic = topic_lookup(text_argument(fcinfo, 1, "topic"));

	if (!topic)
		PG_RETURN_NULL();
	PG_RETURN_OID(claim_key(group_id, topic->id));
}
