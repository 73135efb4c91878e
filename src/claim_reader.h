/*-------------------------------------------------------------------------
 *
 * claim_reader.h
 *		Reading the records of claimed partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CLAIM_READER_H
#define TOPIC_CLAIM_READER_H

#include "claim.h"
#include "record_output.h"

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

/* By OffsetReset; ends in NULL. */
extern const char *const offset_reset_names[];

extern OffsetReset offset_reset_argument(FunctionCallInfo fcinfo, int number);

typedef struct ClaimReader
{
	Topic	   *topic;
	Subscription *subscription;
	OffsetReset offset_reset;
	bool		commit;			/* what is read? */
	int64		records_left;	/* how many may still be returned */
	RecordOutput output;
} ClaimReader;

/*
 * Give a claim a position by offset_reset, if it has none, or if that is
 * before the start of the log.
 *
 * What "latest" means today is committed at once: a later call would resolve
 * it to a later offset, and the records between would be lost.  So is a
 * position after records that are gone, to warn of them once.  Returns true if
 * so: the claim must be kept then, since others cannot see it yet.
 */
extern bool claim_reader_set_position(ClaimReader *reader, Claim *claim);

/* Return the records of a claimed partition; tells whether there were any. */
extern bool claim_reader_read(ClaimReader *reader, Claim *claim);

#endif							/* TOPIC_CLAIM_READER_H */
