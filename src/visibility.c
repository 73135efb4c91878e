/*-------------------------------------------------------------------------
 *
 * visibility.c
 *		Which rows of the log a reader may see, and where it must stop.
 *
 * PostgreSQL asks of a row: visible or not?  A log has a third answer: not
 * decided yet, so nothing after it may be read either.  The order of the
 * questions matters and is that of the functions below.
 *
 * Rows are never updated or deleted, so only xmin counts.  The row's page is
 * share-locked while it is judged: nobody can freeze the row meanwhile, and
 * then truncate the part of the commit log that we ask.  (On a primary the pin
 * would do, but not where WAL is replayed.)
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"

#include "visibility.h"

static RowVerdict
judge_xmin(HeapTupleHeader tuple, Snapshot snapshot)
{
	TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple);

	if (HeapTupleHeaderXminFrozen(tuple))
		return ROW_COMMITTED;

	/*
	 * Known aborted, however the snapshot saw it.  This comes first for the
	 * sake of our own subtransactions that were rolled back: they may be
	 * younger than the snapshot, which then takes them for open.
	 */
	if (HeapTupleHeaderXminInvalid(tuple))
		return ROW_ABORTED;
	if (!HeapTupleHeaderXminCommitted(tuple) && TransactionIdDidAbort(xmin))
		return ROW_ABORTED;

	/*
	 * Our own: readable if an earlier command wrote it.  A row of this very
	 * command stops the reader: to return it would let INSERT ... SELECT of a
	 * topic into itself run for ever, to skip it would lose it.
	 */
	if (TransactionIdIsCurrentTransactionId(xmin))
		return HeapTupleHeaderGetRawCommandId(tuple) < snapshot->curcid
			? ROW_COMMITTED : ROW_OPEN;

	/*
	 * Open for the snapshot, even if it has committed since.  Ask before the
	 * commit log: a transaction is marked there before snapshots know.
	 */
	if (XidInMVCCSnapshot(xmin, snapshot))
		return ROW_OPEN;

	if (HeapTupleHeaderXminCommitted(tuple) || TransactionIdDidCommit(xmin))
		return ROW_COMMITTED;

	/* Neither: it was open when the server crashed. */
	return ROW_ABORTED;
}

RowVerdict
judge_row(const SegmentRow *row, Snapshot snapshot)
{
	RowVerdict	verdict;

	LockBuffer(row->buffer, BUFFER_LOCK_SHARE);
	verdict = judge_xmin(row->tuple->t_data, snapshot);
	LockBuffer(row->buffer, BUFFER_LOCK_UNLOCK);
	return verdict;
}

bool
row_is_open(const SegmentRow *row)
{
	return TransactionIdIsInProgress(HeapTupleHeaderGetXmin(row->tuple->t_data));
}
