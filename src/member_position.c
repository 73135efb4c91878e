/*-------------------------------------------------------------------------
 *
 * member_position.c
 *		The table of how far members have polled.
 *
 * A position belongs to the member that got the partition in a certain epoch
 * of the group.  For any other it is of no use: what was polled before may
 * never have been processed.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "catalog.h"
#include "member_position.h"
#include "row_version.h"

#define TABLE	"member_positions"

typedef struct MemberPosition
{
	int64		number;
	int64		position;
	int32		assigned_epoch;
	ItemPointerData row;
} MemberPosition;

/* The row of a partition, whoever's; false if there is none. */
static bool
read_row(const char *group_id, const char *topic, int partition,
		 MemberPosition *position)
{
	Datum		keys[] = {
		CStringGetTextDatum(group_id), CStringGetTextDatum(topic),
		Int32GetDatum(partition)
	};
	RowVersionScan scan;
	bool		found;

	memset(position, 0, sizeof(MemberPosition));
	ItemPointerSetInvalid(&position->row);
	row_version_scan_begin_latest(&scan, TABLE, keys, lengthof(keys));
	found = row_version_scan_next(&scan);
	if (found)
	{
		Datum	   *values = scan.slot->tts_values;

		position->number =
			DatumGetInt64(values[Anum_member_positions_position_number - 1]);
		position->position =
			DatumGetInt64(values[Anum_member_positions_position - 1]);
		position->assigned_epoch =
			DatumGetInt32(values[Anum_member_positions_assigned_epoch - 1]);
		position->row = scan.slot->tts_tid;
	}
	row_version_scan_end(&scan);
	return found;
}

int64
member_position_read(const char *group_id, const char *topic, int partition,
					 int32 assigned_epoch)
{
	MemberPosition position;

	return read_row(group_id, topic, partition, &position) &&
		position.assigned_epoch == assigned_epoch ? position.position : -1;
}

void
member_position_write(const char *group_id, const char *topic, int partition,
					  int32 assigned_epoch, int64 position)
{
	MemberPosition last;
	Datum		values[Natts_member_positions];
	bool		nulls[Natts_member_positions] = {0};

	(void) read_row(group_id, topic, partition, &last);
	values[Anum_member_positions_group_id - 1] = CStringGetTextDatum(group_id);
	values[Anum_member_positions_topic - 1] = CStringGetTextDatum(topic);
	values[Anum_member_positions_partition - 1] = Int32GetDatum(partition);
	values[Anum_member_positions_position_number - 1] =
		Int64GetDatum(last.number + 1);
	values[Anum_member_positions_position - 1] = Int64GetDatum(position);
	values[Anum_member_positions_assigned_epoch - 1] =
		Int32GetDatum(assigned_epoch);
	row_version_replace(TABLE, values, nulls, Natts_member_positions,
						&last.row);
}
