/*-------------------------------------------------------------------------
 *
 * retention.h
 *		Taking segments out of the log, and dropping them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RETENTION_H
#define TOPIC_RETENTION_H

#include "segment_catalog.h"
#include "topic_config.h"

/*
 * The oldest segment if it may be taken out of the log, at `now` in
 * milliseconds since 1970; or else NULL.
 */
extern SegmentInfo *expired_segment(Topic *topic, const TopicConfig *config,
									List *infos, int64 now);

/* Do all snapshots see what a transaction has committed? */
extern bool is_visible_to_all(TransactionId xid);

/* Drop a retired segment whose table, if any, is locked. */
extern void drop_segment(const Topic *topic, const Segment *retired,
						 Oid relid);

#endif							/* TOPIC_RETENTION_H */
