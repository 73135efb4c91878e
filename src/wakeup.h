/*-------------------------------------------------------------------------
 *
 * wakeup.h
 *		Who waits for which topics, and waking them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_WAKEUP_H
#define TOPIC_WAKEUP_H

extern Size wakeup_shared_size(void);
extern void wakeup_shared_create(void);
extern void wakeup_init(void);

/*
 * Is there a wake-up for everything that a transaction of this server does,
 * but for COMMIT PREPARED and ROLLBACK PREPARED?
 */
extern bool wakeup_works(void);

/*
 * Have the latch set from now on whenever something happens to a topic; no
 * more for any topic.  Who waits must look after the former, and do the latter
 * whatever happens.
 */
extern void wakeup_listen(int32 topic_id);
extern void wakeup_unlisten(void);

/*
 * Wake those who listen to a topic: when the (sub)transaction ends that did
 * something to it, however it ends; or now.
 */
extern void wakeup_at_end(int32 topic_id);
extern void wakeup_now(int32 topic_id);

#endif							/* TOPIC_WAKEUP_H */
