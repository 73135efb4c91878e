/*-------------------------------------------------------------------------
 *
 * pg_topic.c
 *		Module entry: callbacks are registered here, once.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"

#include "call_scan.h"
#include "catalog.h"
#include "claim.h"
#include "group_expiry.h"
#include "maintenance_worker.h"
#include "member_activity.h"
#include "offsets_topic.h"
#include "producer.h"
#include "producer_expiry.h"
#include "segment_roll.h"
#include "send_queue.h"
#include "shared_memory.h"
#include "topic.h"
#include "wakeup.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	catalog_init();
	topic_cache_init();
	claims_init();
	segment_roll_init();

	/* Called before that: segments are switched when nothing is waited for. */
	producers_init();
	group_expiry_init();
	producer_expiry_init();
	member_activity_init();
	call_plan_init();
	maintenance_worker_init();
	wakeup_init();
	shared_memory_init();

	/*
	 * The last is called first at commit: what the others do is to include
	 * its records.
	 */
	send_queue_init();
	offsets_topic_init();
	MarkGUCPrefixReserved("pg_topic");
}
