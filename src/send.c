/*-------------------------------------------------------------------------
 *
 * send.c
 *		send.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "produce.h"
#include "send_queue.h"

PG_FUNCTION_INFO_V1(topic_send);

/*
 * send(topic text, value, key, headers jsonb, partition int,
 *		record_timestamp timestamptz) returns void
 */
Datum
topic_send(PG_FUNCTION_ARGS)
{
	RecordInput record;
	int			partition;
	Topic	   *topic = record_argument(fcinfo, "send", &partition, &record);

	send_record(topic, partition, &record);
	PG_RETURN_VOID();
}
