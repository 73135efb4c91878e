/*-------------------------------------------------------------------------
 *
 * visibility.c
 *		Which rows of the log a reader may see, and where it must stop.
 *
 * PostgreSQL asks of a row: visible or not?  A log has a third answer: not
 * decided yet, so nothing after it may be read either.  The order of the
 * questions matters and is that of the functions below.
 *
 * Rows are never updated or deleted, so only xmin counts.  The caller holds a
 * pin on the row's page between reading it and the answer: this keeps VACUUM
 * from freezing the row, and so from truncating the commit log that we ask.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"

#include "visibility.h"

#define XMIN_IS_FROZEN(infomask) \
	(((infomask) & HEAP_XMIN_FROZEN) == HEAP_XMIN_FROZEN)

RowVerdict
judge_row(HeapTuple tuple, Snapshot snapshot)
{
	/* Read once: somebody may set hint bits while we look. */
	uint16		infomask = tuple->t_data->t_infomask;
	TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);

	if (XMIN_IS_FROZEN(infomask))
		return ROW_COMMITTED;

	/*
	 * Known aborted, however the snapshot saw it.  This comes first for the
	 * sake of our own subtransactions that were rolled back: they may be
	 * younger than the snapshot, which then takes them for open.
	 */
	if (infomask & HEAP_XMIN_INVALID)
		return ROW_ABORTED;
	if (!(infomask & HEAP_XMIN_COMMITTED) && TransactionIdDidAbort(xmin))
		return ROW_ABORTED;

	/*
	 * Our own: readable if an earlier command wrote it.  A row of this very
	 * command stops the reader: to return it would let INSERT ... SELECT of a
	 * topic into itself run for ever, to skip it would lose it.
	 */
	if (TransactionIdIsCurrentTransactionId(xmin))
		return HeapTupleHeaderGetRawCommandId(tuple->t_data) < snapshot->curcid
			? ROW_COMMITTED : ROW_OPEN;

	/*
	 * Open for the snapshot, even if it has committed since.  Ask before the
	 * commit log: a transaction is marked there before snapshots know.
	 */
	if (XidInMVCCSnapshot(xmin, snapshot))
		return ROW_OPEN;

	if ((infomask & HEAP_XMIN_COMMITTED) || TransactionIdDidCommit(xmin))
		return ROW_COMMITTED;

	/* Neither: it was open when the server crashed. */
	return ROW_ABORTED;
}

RowVerdict
judge_row_now(HeapTuple tuple)
{
	uint16		infomask = tuple->t_data->t_infomask;
	TransactionId xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);

	/* A hint bit is set only once the transaction is over. */
	if (infomask & HEAP_XMIN_COMMITTED)
		return ROW_COMMITTED;
	if (infomask & HEAP_XMIN_INVALID)
		return ROW_ABORTED;

	/* Our own subtransactions that were rolled back are not in progress. */
	if (TransactionIdIsInProgress(xmin))
		return ROW_OPEN;
	return TransactionIdDidCommit(xmin) ? ROW_COMMITTED : ROW_ABORTED;
}
