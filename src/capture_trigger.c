/*-------------------------------------------------------------------------
 *
 * capture_trigger.c
 *		The trigger that sends changes of a captured table.
 *
 * It is an AFTER trigger, so what it is given is what is stored.  It comes
 * before other AFTER triggers of the row, by its name (capture.c), so that what
 * those change is sent after it.
 *
 * They may also change a row that the same statement has changed, but whose
 * turn to be sent comes later: that second change is sent first.  So the
 * trigger looks whether a row that it is to send was replaced since.  What was
 * sent of it is newer then, and it is left out.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/rel.h"

#include "captured_row.h"

PG_FUNCTION_INFO_V1(topic_capture_change);

/*
 * Has this transaction replaced or ended a row version since it made it, and
 * was that sent?  Which it was not if the capture leaves out such events.
 */
static bool
was_replaced(TupleTableSlot *slot, int16 trigger_type)
{
	HeapTupleHeader header;

	if (!TTS_IS_BUFFERTUPLE(slot))
		return false;
	header = ((const BufferHeapTupleTableSlot *) slot)->base.tuple->t_data;
	if ((header->t_infomask & HEAP_XMAX_INVALID) ||
		HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) ||
		!TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(header)))
		return false;

	/* A row that moves to another partition is deleted in this one. */
	if (HeapTupleHeaderIndicatesMovedPartitions(header) ||
		ItemPointerEquals(&header->t_ctid, &slot->tts_tid))
		return TRIGGER_FOR_DELETE(trigger_type);
	return TRIGGER_FOR_UPDATE(trigger_type);
}

static void
capture_row(const TriggerData *data, CapturedRows * rows)
{
	TriggerEvent event = data->tg_event;
	TupleTableSlot *after = TRIGGER_FIRED_BY_UPDATE(event)
		? data->tg_newslot : data->tg_trigslot;
	bool		is_gone = !TRIGGER_FIRED_BY_DELETE(event) &&
		was_replaced(after, data->tg_trigger->tgtype);

	if (TRIGGER_FIRED_BY_UPDATE(event))
		send_updated_row(rows, data->tg_trigslot, after, is_gone);
	else if (TRIGGER_FIRED_BY_DELETE(event))
		send_deleted_row(rows, data->tg_trigslot);
	else if (!is_gone)
		send_inserted_row(rows, after);
}

/* BEFORE TRUNCATE, when there still are rows to look at. */
static void
capture_truncate(const TriggerData *data, CapturedRows * rows)
{
	const Trigger *trigger = data->tg_trigger;

	if (!send_truncation(rows))
		for_each_captured_row(data->tg_relation, trigger->tgfoid,
							  trigger->tgargs[CAPTURE_ARGUMENT_TOPIC],
							  send_deleted_row);
}

/*
 * capture_change() returns trigger, with arguments topic and payload
 */
Datum
topic_capture_change(PG_FUNCTION_ARGS)
{
	const TriggerData *data = (const TriggerData *) fcinfo->context;
	CapturedRows *rows = fcinfo->flinfo->fn_extra;
	bool		for_row;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("topic.capture_change() must be called by a trigger")));
	for_row = TRIGGER_FIRED_FOR_ROW(data->tg_event);
	if (data->tg_trigger->tgnargs != CAPTURE_ARGUMENT_COUNT ||
		(for_row ? !TRIGGER_FIRED_AFTER(data->tg_event)
		 : !TRIGGER_FIRED_BEFORE(data->tg_event) ||
		 !TRIGGER_FIRED_BY_TRUNCATE(data->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("trigger \"%s\" is not one that topic.capture_table() creates",
						data->tg_trigger->tgname)));

	if (!rows)
	{
		MemoryContext old_context =
			MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		rows = captured_rows_begin(data->tg_relation, data->tg_trigger->tgfoid,
								   data->tg_trigger->tgargs[CAPTURE_ARGUMENT_TOPIC]);
		MemoryContextSwitchTo(old_context);
		fcinfo->flinfo->fn_extra = rows;
	}
	if (for_row)
		capture_row(data, rows);
	else
		capture_truncate(data, rows);
	return PointerGetDatum(NULL);
}
