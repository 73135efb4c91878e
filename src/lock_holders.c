/*-------------------------------------------------------------------------
 *
 * lock_holders.c
 *		Who holds a lock.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "compat.h"
#include "lock_holders.h"

List *
lock_holders(const LOCKTAG *tag, LOCKMODE mode)
{
	List	   *pids = NIL;
	int			count;
	VirtualTransactionId *holders = GetLockConflicts(tag, mode, &count);

	for (int i = 0; i < count; i++)
	{
		PGPROC	   *process = transaction_process(holders[i]);

		/* Prepared transactions have no process, and ended ones neither. */
		pids = list_append_unique_int(pids, process ? process->pid : 0);
	}
	return pids;
}
