/*-------------------------------------------------------------------------
 *
 * segment_roll.c
 *		The segment switch: sealing the active segment and opening the next.
 *
 * The switch takes every append lock of the topic, in partition order, and
 * keeps them to its commit; so nobody appends between the moment when it
 * reads the next offsets and the moment when everybody has been told of the
 * new segment.  Producers wait meanwhile.  The transaction that calls
 * roll_segment may stay open as long as it likes, so the call only makes the
 * new table, and the switch itself, a few catalog writes, is done by a
 * callback when the transaction commits.  What the commit itself waits for,
 * such as a synchronous standby, producers of the topic wait for then.
 *
 * Two switches of a topic exclude each other by a ShareUpdateExclusiveLock on
 * its relation, which neither producers nor consumers notice.  It also keeps
 * the number of partitions as it is.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "arguments.h"
#include "catalog.h"
#include "log_append.h"
#include "segment_catalog.h"
#include "segment_roll.h"

PG_FUNCTION_INFO_V1(topic_roll_segment);

/* A switch that the transaction does when it commits. */
typedef struct PendingRoll
{
	Oid			relid;			/* the topic's relation */
	int32		segment;		/* number of the new segment */
	int			nest_level;		/* the subtransaction that called for it */
	struct PendingRoll *next;
} PendingRoll;

/* In TopTransactionContext, the latest first. */
static PendingRoll *pending_rolls = NULL;

bool
active_segment_is_empty(const Topic *topic)
{
	Relation	active = segment_open(topic, active_segment(topic),
									  AccessShareLock);
	bool		empty = true;

	for (int i = 0; i < topic->partitions && empty; i++)
	{
		SegmentRow	tail;

		empty = !segment_tail(active, i, &tail);
	}
	table_close(active, NoLock);
	return empty;
}

/* Take all append locks, and return the next offset of each partition. */
static int64 *
lock_partitions(const Topic *topic, Relation active)
{
	int64	   *offsets = palloc(topic->partitions * sizeof(int64));

	for (int partition = 0; partition < topic->partitions; partition++)
	{
		LOCKTAG		append_lock;

		set_append_lock_tag(&append_lock, topic, partition);
		transaction_lock_acquire(&append_lock);
		offsets[partition] = next_offset(active_segment(topic), active,
										 partition);
	}
	return offsets;
}

/* Seal the active segment and put the new one in its place. */
static void
switch_segment(const PendingRoll *roll)
{
	Topic	   *topic;
	Relation	active;
	SegmentInfo info = {
		.segment.number = roll->segment,
		.active = true,
		.delete_horizon = NO_DELETE_HORIZON
	};

	/* The same transaction may have dropped the topic, or the extension. */
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(roll->relid)))
		return;
	topic = topic_lookup_relation(roll->relid);
	PreventCommandIfReadOnly("roll_segment");

	/* A lock that may have to wait comes before those that make wait. */
	LockRelationOid(catalog_relation_oid("segments"), RowExclusiveLock);
	active = segment_open(topic, active_segment(topic), AccessShareLock);
	info.segment.base_count = topic->partitions;
	info.segment.base_offsets = lock_partitions(topic, active);
	info.created_at = GetCurrentTimestamp();
	seal_active_segment(topic);
	insert_segment(topic, &info);
	segments_changed(topic);
	table_close(active, NoLock);
}

void
switch_pending_segments(void)
{
	for (PendingRoll *roll = pending_rolls; roll; roll = roll->next)
		switch_segment(roll);
	pending_rolls = NULL;
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			switch_pending_segments();
			break;
		case XACT_EVENT_PRE_PREPARE:
			if (pending_rolls)
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has called topic.roll_segment()"),
						 errdetail("Producers would wait until it is committed.")));
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			pending_rolls = NULL;
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	/* The latest call comes first in the list. */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (pending_rolls && pending_rolls->nest_level >= nest_level)
			pending_rolls = pending_rolls->next;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (PendingRoll *roll = pending_rolls;
			 roll && roll->nest_level >= nest_level; roll = roll->next)
			roll->nest_level = nest_level - 1;
}

void
segment_roll_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

static bool
roll_is_pending(const Topic *topic)
{
	for (PendingRoll *roll = pending_rolls; roll; roll = roll->next)
		if (roll->relid == topic->relid)
			return true;
	return false;
}

bool
roll_segment(Topic *topic)
{
	PendingRoll *roll;
	SavedUser	saved;

	if (active_segment_is_empty(topic) || roll_is_pending(topic))
		return false;

	roll = MemoryContextAlloc(TopTransactionContext, sizeof(PendingRoll));
	roll->relid = topic->relid;
	roll->segment = active_segment(topic)->number + 1;
	roll->nest_level = GetCurrentTransactionNestLevel();

	saved = become_extension_owner();
	create_segment_table(topic->id, roll->segment, 0);
	restore_user(saved);

	roll->next = pending_rolls;
	pending_rolls = roll;
	return true;
}

/*
 * roll_segment(topic text) returns boolean
 */
Datum
topic_roll_segment(PG_FUNCTION_ARGS)
{
	char	   *name = text_argument(fcinfo, 0, "topic");

	PreventCommandIfReadOnly("roll_segment");
	PG_RETURN_BOOL(roll_segment(topic_open(name, ACL_NO_RIGHTS,
										   ShareUpdateExclusiveLock)));
}
