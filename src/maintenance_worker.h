/*-------------------------------------------------------------------------
 *
 * maintenance_worker.h
 *		Background workers that run maintenance.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_MAINTENANCE_WORKER_H
#define TOPIC_MAINTENANCE_WORKER_H

/* Define the settings and, if preloaded, register the workers. */
extern void maintenance_worker_init(void);

#endif							/* TOPIC_MAINTENANCE_WORKER_H */
