/*-------------------------------------------------------------------------
 *
 * failed_attempt.h
 *		How often groups have failed to process a record.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_FAILED_ATTEMPT_H
#define TOPIC_FAILED_ATTEMPT_H

/* Count one more, and return how many there are. */
extern int	count_attempt(const char *group_id, const char *topic,
						  int partition, int64 offset);
extern void forget_attempts(const char *group_id, const char *topic,
							int partition, int64 offset);

/* Forget those at all records of a partition. */
extern void forget_partition_attempts(const char *group_id, const char *topic,
									  int partition);

/*
 * Forget, of so many records at the most, the attempts of groups that have
 * committed a later offset since.  Returns the number of records.
 */
extern uint64 forget_passed_attempts(int max_records);

#endif							/* TOPIC_FAILED_ATTEMPT_H */
