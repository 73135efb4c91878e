/*-------------------------------------------------------------------------
 *
 * news.h
 *		In which partitions something has happened.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_NEWS_H
#define TOPIC_NEWS_H

extern Size news_shared_size(void);
extern void news_shared_create(void);

/* Is anything counted? */
extern bool news_works(void);

/*
 * There is something in the partition that a consumer may not have seen.  To
 * be called when it is there, and before the transaction commits.
 */
extern void news_add(int32 topic_id, int partition);

/*
 * What has happened in the partition so far: a number that changes with it.
 * Whoever wants to know whether he has seen all must ask before he looks.
 */
extern uint64 news_count(int32 topic_id, int partition);

#endif							/* TOPIC_NEWS_H */
