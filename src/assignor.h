/*-------------------------------------------------------------------------
 *
 * assignor.h
 *		Which member of a group gets which partitions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_ASSIGNOR_H
#define TOPIC_ASSIGNOR_H

/* No member. */
#define UNASSIGNED	(-1)

/*
 * What is to be assigned: partitions are numbered through, those of the first
 * topic first.  Members and topics are in an order that does not depend on who
 * asks, so that the same group always gets the same assignment.
 */
typedef struct Assignment
{
	int			topic_count;
	const int  *partition_counts;	/* of each topic */
	int			member_count;
	const bool *subscribed;		/* member * topic_count + topic */
	int		   *members;		/* of each partition: who has it; becomes: who
								 * shall have it */
} Assignment;

/*
 * As even as can be: no member has two partitions more than one to whom it
 * could pass on a partition, over others if need be.  So if all subscribe to
 * the same topics, their numbers of partitions differ by one at most; and then
 * no more partitions move than that takes.  If they do not, a few more may.
 */
extern void assign_uniform(Assignment *assignment);

/*
 * Each topic by itself, in contiguous ranges, in the order of the members: as
 * Kafka's RangeAssignor does it.  So topics with as many partitions and the
 * same subscribers are partitioned alike.  Who had what before is ignored.
 */
extern void assign_range(Assignment *assignment);

#endif							/* TOPIC_ASSIGNOR_H */
