/*-------------------------------------------------------------------------
 *
 * commit_stop.c
 *		Stops a session in the middle of a commit, for tests.
 *
 * A transaction that commits is visible to snapshots before other sessions
 * are told what it has changed: PostgreSQL takes it out of the list of running
 * transactions, calls what is called at commit, and then sends invalidations
 * and releases locks.  A session that has loaded this module waits there as
 * long as the file commit_stop is in the data directory, and makes the file
 * commit_stopped to say so.  So a test can hold open what otherwise takes some
 * microseconds.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <unistd.h>

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static void
stop(XactEvent event, void *arg)
{
	FILE	   *file;

	/* What has written nothing is of no interest. */
	if (event != XACT_EVENT_COMMIT ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
		access("commit_stop", F_OK) != 0)
		return;
	file = fopen("commit_stopped", "w");
	if (file)
		fclose(file);
	while (access("commit_stop", F_OK) == 0)
		pg_usleep(10000);
	(void) unlink("commit_stopped");
}

void
_PG_init(void)
{
	RegisterXactCallback(stop, NULL);
}
