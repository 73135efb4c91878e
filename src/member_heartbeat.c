/*-------------------------------------------------------------------------
 *
 * member_heartbeat.c
 *		The table of members' signs of life.
 *
 * Heartbeats are written when a transaction commits (member_activity.c), so
 * that one that stays open does not keep other sessions of the same member
 * from saying that it is alive.  Who writes or deletes one has the member's
 * lock, which therefore is free again soon.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "member_heartbeat.h"
#include "row_version.h"
#include "transaction_lock.h"

#define TABLE	"member_heartbeats"

static void
set_heartbeat_lock_tag(LOCKTAG *tag, const char *group_id,
					   const char *member_id)
{
	uint64		group_hash =
		hash_bytes_extended((const unsigned char *) group_id, strlen(group_id),
							0);

	/* Members whose names have the same hash take turns, that is all. */
	set_lock_tag(tag, TABLE,
				 (uint32) hash_bytes_extended((const unsigned char *) member_id,
											  strlen(member_id), group_hash),
				 0);
}

bool
try_lock_member_heartbeat(const char *group_id, const char *member_id)
{
	LOCKTAG		tag;

	set_heartbeat_lock_tag(&tag, group_id, member_id);
	return transaction_lock_try(&tag);
}

void
lock_member_heartbeat(const char *group_id, const char *member_id)
{
	LOCKTAG		tag;

	set_heartbeat_lock_tag(&tag, group_id, member_id);
	transaction_lock_acquire(&tag);
}

void
member_heartbeat_read(const char *group_id, const char *member_id,
					  MemberHeartbeat *heartbeat)
{
	Datum		keys[] = {
		CStringGetTextDatum(group_id), CStringGetTextDatum(member_id)
	};
	RowVersionScan scan;

	memset(heartbeat, 0, sizeof(MemberHeartbeat));
	row_version_scan_begin_latest(&scan, TABLE, keys, lengthof(keys));
	heartbeat->found = row_version_scan_next(&scan);
	if (heartbeat->found)
	{
		Datum	   *values = scan.slot->tts_values;

		heartbeat->number =
			DatumGetInt64(values[Anum_member_heartbeats_heartbeat_number - 1]);
		heartbeat->at =
			DatumGetTimestampTz(values[Anum_member_heartbeats_heartbeat_at - 1]);
		heartbeat->acknowledged_epoch =
			DatumGetInt32(values[Anum_member_heartbeats_acknowledged_epoch - 1]);
		heartbeat->auto_committed_at =
			DatumGetTimestampTz(values[Anum_member_heartbeats_auto_committed_at - 1]);
		heartbeat->row = scan.slot->tts_tid;
	}
	else
		ItemPointerSetInvalid(&heartbeat->row);
	row_version_scan_end(&scan);
}

void
member_heartbeat_write(const char *group_id, const char *member_id,
					   MemberHeartbeat *heartbeat)
{
	Datum		values[Natts_member_heartbeats];
	bool		nulls[Natts_member_heartbeats] = {0};

	/*
	 * A member that comes back under the same name begins above what its dead
	 * rows have.
	 */
	heartbeat->number = heartbeat->found ? heartbeat->number + 1
		: GetCurrentTimestamp();
	values[Anum_member_heartbeats_group_id - 1] =
		CStringGetTextDatum(group_id);
	values[Anum_member_heartbeats_member_id - 1] =
		CStringGetTextDatum(member_id);
	values[Anum_member_heartbeats_heartbeat_number - 1] =
		Int64GetDatum(heartbeat->number);
	values[Anum_member_heartbeats_heartbeat_at - 1] =
		TimestampTzGetDatum(heartbeat->at);
	values[Anum_member_heartbeats_acknowledged_epoch - 1] =
		Int32GetDatum(heartbeat->acknowledged_epoch);
	values[Anum_member_heartbeats_auto_committed_at - 1] =
		TimestampTzGetDatum(heartbeat->auto_committed_at);
	row_version_replace(TABLE, values, nulls, Natts_member_heartbeats,
						&heartbeat->row);
	heartbeat->found = true;
}

void
member_heartbeat_delete(MemberHeartbeat *heartbeat)
{
	if (heartbeat->found)
		row_version_delete(TABLE, &heartbeat->row);
	heartbeat->found = false;
}
