/*-------------------------------------------------------------------------
 *
 * consumer_offset.h
 *		The table of committed offsets.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CONSUMER_OFFSET_H
#define TOPIC_CONSUMER_OFFSET_H

#include "datatype/timestamp.h"
#include "storage/itemptr.h"
#include "utils/snapshot.h"

/* A committed offset, and the row version that says so. */
typedef struct ConsumerOffset
{
	bool		found;			/* false: nothing was ever committed */
	int64		committed_offset;
	int64		commit_number;
	TimestampTz committed_at;
	ItemPointerData row;
	TransactionId writer;		/* who committed it */
} ConsumerOffset;

/*
 * Read what is committed as the snapshot sees it.  `metadata` may be NULL, or
 * gets what was said with the commit, or NULL.
 *
 * Who holds the claim reads with SnapshotSelf: nobody else can commit, so that
 * is exact, and it is no MVCC snapshot, so that serializable consumers of
 * different partitions do not conflict over the pages of the index.
 */
extern void consumer_offset_read(const char *group_id, const char *topic,
								 int partition, Snapshot snapshot,
								 ConsumerOffset *offset,
								 const char **metadata);

/*
 * The same for who holds the claim, if it is likely that the last commit has
 * this number or a greater one.
 */
extern void consumer_offset_read_claimed(const char *group_id,
										 const char *topic, int partition,
										 int64 likely_number,
										 ConsumerOffset *offset);

/*
 * Does the MVCC snapshot see anything committed?  For who holds the claim;
 * takes no predicate locks either.
 */
extern bool consumer_offset_exists(const char *group_id, const char *topic,
								   int partition, Snapshot snapshot);

/*
 * Commit an offset in place of the one that was read, and remember the new
 * row in *offset.  The caller holds the claim.
 */
extern void consumer_offset_write(const char *group_id, const char *topic,
								  int partition, ConsumerOffset *offset,
								  int64 committed_offset,
								  const char *metadata);

/* Delete the offset that was read.  The caller holds the claim. */
extern void consumer_offset_delete(const char *group_id, const char *topic,
								   int partition,
								   const ConsumerOffset *offset);

/*
 * Delete all offsets of a topic or of a group: those that have the value in
 * the column of that name.  Returns how many there were.  The caller has the
 * rights of the extension's owner, and sees to it that nobody else commits.
 */
extern uint64 consumer_offsets_delete(const char *column, const char *value);

#endif							/* TOPIC_CONSUMER_OFFSET_H */
