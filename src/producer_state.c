/*-------------------------------------------------------------------------
 *
 * producer_state.c
 *		What idempotent producers have appended to partitions.
 *
 * The row that says what a producer has appended is written in the transaction
 * that appends, so each is there if and only if the other is.
 *
 * A producer that has lost its connection tries again while its first attempt
 * may still be open: its server process may not know yet, or wait for a
 * standby at COMMIT.  Whether the attempt counts is known when that transaction
 * ends.  So it holds a heavyweight lock on (producer, epoch, topic, partition),
 * and who comes next waits for that, and then reads the state as it is.
 *
 * The lock is an object lock on topic.producer_states whose object is a hash
 * of producer, epoch and topic.  Should two hashes be equal, the two wait for
 * each other where they need not.
 *
 * The epoch is part of it, and of the row's key, since a new epoch does not
 * wait for transactions of an older one, which cannot commit any more.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "lock_tag.h"
#include "producer_state.h"
#include "row_version.h"
#include "transaction_lock.h"

#define TABLE	"producer_states"

static void
set_state_lock_tag(LOCKTAG *tag, const ProducerState *state)
{
	char	   *name = psprintf(INT64_FORMAT " %d %d", state->producer_id,
								state->producer_epoch, state->topic_id);

	set_named_lock_tag(tag, TABLE, name, state->partition);
	pfree(name);
}

/* The elements of a column, which is as long as the others. */
static Datum *
state_column(TupleTableSlot *slot, AttrNumber column, Oid type, int *count)
{
	Datum	   *elements;
	ArrayType  *array = DatumGetArrayTypeP(slot->tts_values[column - 1]);

	deconstruct_array(array, type, type == INT8OID ? sizeof(int64) : sizeof(int32),
					  type == INT8OID ? FLOAT8PASSBYVAL : true,
					  type == INT8OID ? TYPALIGN_DOUBLE : TYPALIGN_INT,
					  &elements, NULL, count);
	return elements;
}

static void
read_batches(ProducerState *state, TupleTableSlot *slot)
{
	ProducerBatches *batches = &state->batches;
	int			counts[3];
	Datum	   *sequences = state_column(slot,
										 Anum_producer_states_first_sequences,
										 INT4OID, &counts[0]);
	Datum	   *record_counts = state_column(slot,
											 Anum_producer_states_record_counts,
											 INT4OID, &counts[1]);
	Datum	   *offsets = state_column(slot,
									   Anum_producer_states_base_offsets,
									   INT8OID, &counts[2]);

	if (counts[0] != counts[1] || counts[0] != counts[2] ||
		counts[0] > PRODUCER_BATCHES)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of producer " INT64_FORMAT " is damaged",
						state->producer_id)));
	batches->count = counts[0];
	for (int i = 0; i < batches->count; i++)
	{
		batches->batches[i].first_sequence = DatumGetInt32(sequences[i]);
		batches->batches[i].record_count = DatumGetInt32(record_counts[i]);
		batches->batches[i].base_offset = DatumGetInt64(offsets[i]);
	}
}

/*
 * Read the state.  Whoever does has the lock, so SnapshotSelf is exact; and it
 * is no MVCC snapshot, so that serializable transactions of different producers
 * do not conflict over the pages of the index.
 */
static void
read_state(ProducerState *state)
{
	Datum		keys[] = {
		Int64GetDatum(state->producer_id),
		Int32GetDatum(state->producer_epoch),
		Int32GetDatum(state->topic_id),
		Int32GetDatum(state->partition)
	};
	RowVersionScan scan;

	state->batches.count = 0;
	state->state_number = 0;
	ItemPointerSetInvalid(&state->row);
	row_version_scan_begin(&scan, TABLE, keys, lengthof(keys), SnapshotSelf);
	if (row_version_scan_next(&scan))
	{
		TupleTableSlot *slot = scan.slot;

		read_batches(state, slot);
		state->state_number =
			DatumGetInt64(slot->tts_values[Anum_producer_states_state_number - 1]);
		state->row = slot->tts_tid;
		state->writer =
			HeapTupleHeaderGetXmin(ExecFetchSlotHeapTuple(slot, false, NULL)->t_data);
	}
	row_version_scan_end(&scan);
}

/*
 * Under REPEATABLE READ and above the transaction must see what was appended
 * before: else it would be told of a record that its snapshot does not have.
 */
static void
check_seen_by_transaction(const ProducerState *state)
{
	if (!IsolationUsesXactSnapshot() || state->state_number == 0 ||
		TransactionIdIsCurrentTransactionId(state->writer) ||
		!XidInMVCCSnapshot(state->writer, GetTransactionSnapshot()))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent production"),
			 errdetail("Producer " INT64_FORMAT " has produced after this transaction's snapshot was taken.",
					   state->producer_id),
			 errhint("Retry the transaction.")));
}

void
producer_state_open(ProducerState *state)
{
	LOCKTAG		tag;

	set_state_lock_tag(&tag, state);
	transaction_lock_acquire(&tag);
	read_state(state);
	check_seen_by_transaction(state);
}

static Datum
int_array(const Datum *elements, int count)
{
	return PointerGetDatum(construct_array(unconstify(Datum *, elements), count,
										   INT4OID, sizeof(int32), true,
										   TYPALIGN_INT));
}

void
producer_state_write(ProducerState *state)
{
	Datum		values[Natts_producer_states];
	bool		nulls[Natts_producer_states] = {0};
	const ProducerBatches *batches = &state->batches;
	Datum		sequences[PRODUCER_BATCHES];
	Datum		record_counts[PRODUCER_BATCHES];
	Datum		offsets[PRODUCER_BATCHES];

	for (int i = 0; i < batches->count; i++)
	{
		sequences[i] = Int32GetDatum(batches->batches[i].first_sequence);
		record_counts[i] = Int32GetDatum(batches->batches[i].record_count);
		offsets[i] = Int64GetDatum(batches->batches[i].base_offset);
	}
	values[Anum_producer_states_producer_id - 1] =
		Int64GetDatum(state->producer_id);
	values[Anum_producer_states_producer_epoch - 1] =
		Int32GetDatum(state->producer_epoch);
	values[Anum_producer_states_topic_id - 1] = Int32GetDatum(state->topic_id);
	values[Anum_producer_states_partition - 1] =
		Int32GetDatum(state->partition);
	values[Anum_producer_states_state_number - 1] =
		Int64GetDatum(++state->state_number);
	values[Anum_producer_states_first_sequences - 1] =
		int_array(sequences, batches->count);
	values[Anum_producer_states_record_counts - 1] =
		int_array(record_counts, batches->count);
	values[Anum_producer_states_base_offsets - 1] =
		PointerGetDatum(construct_array(offsets, batches->count, INT8OID,
										sizeof(int64), FLOAT8PASSBYVAL,
										TYPALIGN_DOUBLE));
	values[Anum_producer_states_written_at - 1] =
		TimestampTzGetDatum(GetCurrentTimestamp());
	row_version_replace(TABLE, values, nulls, Natts_producer_states,
						&state->row);
}

bool
producer_state_delete(ProducerState *state)
{
	LOCKTAG		tag;

	set_state_lock_tag(&tag, state);
	if (!transaction_lock_try(&tag))
		return false;
	read_state(state);
	if (state->state_number > 0)
		row_version_delete(TABLE, &state->row);
	return true;
}
