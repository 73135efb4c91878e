/*-------------------------------------------------------------------------
 *
 * group_state.c
 *		The members of a group and what is assigned to them.
 *
 * The state of a group is written as a whole: a row for each member under the
 * next state number, and the rows of the number before are deleted.  Each row
 * says how many there are.  So a reader takes that many from the end of the
 * group's key, however many dead ones there are before them (row_version.c),
 * and what he reads is the state at one moment.  A group without members has
 * one row that says so, and keeps its numbers.
 *
 * Whoever changes the state has the group's lock to the end of the
 * transaction.  Readers do without: what a member may do with a partition is
 * decided under its claim (member_claim.c).
 *
 * The rows know topics by number, so that nobody takes a topic for one of the
 * same name that was dropped; and what members subscribe to by name, since
 * they may name topics that do not exist yet.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "duration.h"
#include "errors.h"
#include "group_state.h"
#include "lock_tag.h"
#include "row_inserter.h"
#include "row_version.h"
#include "transaction_lock.h"
#include "wakeup.h"

#define TABLE	"group_members"

/* By AssignorKind. */
const char *const assignor_names[] = {"uniform", "range", NULL};

static void
set_group_state_lock_tag(LOCKTAG *tag, const char *group_id)
{
	set_named_lock_tag(tag, TABLE, group_id, 0);
}

void
lock_group_state(const char *group_id)
{
	LOCKTAG		tag;

	set_group_state_lock_tag(&tag, group_id);
	transaction_lock_acquire(&tag);
}

bool
try_lock_group_state(const char *group_id)
{
	LOCKTAG		tag;

	set_group_state_lock_tag(&tag, group_id);
	return transaction_lock_try(&tag);
}

bool
group_state_is_locked(const char *group_id)
{
	LOCKTAG		tag;

	set_group_state_lock_tag(&tag, group_id);
	return transaction_lock_is_taken(&tag);
}

/* Begin a scan of the group's rows, newest first. */
static void
begin_state_scan(RowVersionScan *scan, const char *group_id)
{
	Datum		key = CStringGetTextDatum(group_id);

	row_version_scan_begin_latest(scan, TABLE, &key, 1);
}

static int64
scanned_int64(const RowVersionScan *scan, AttrNumber column)
{
	return DatumGetInt64(scan->slot->tts_values[column - 1]);
}

static int32
scanned_int32(const RowVersionScan *scan, AttrNumber column)
{
	return DatumGetInt32(scan->slot->tts_values[column - 1]);
}

/* A text column, or NULL. */
static char *
scanned_text(const RowVersionScan *scan, AttrNumber column)
{
	return scan->slot->tts_isnull[column - 1] ? NULL
		: TextDatumGetCString(scan->slot->tts_values[column - 1]);
}

static TimestampTz
scanned_time(const RowVersionScan *scan, AttrNumber column,
			 TimestampTz default_value)
{
	return scan->slot->tts_isnull[column - 1] ? default_value
		: DatumGetTimestampTz(scan->slot->tts_values[column - 1]);
}

static int32
scanned_milliseconds(const RowVersionScan *scan, AttrNumber column,
					 int32 default_value)
{
	return scan->slot->tts_isnull[column - 1] ? default_value
		: (int32) interval_milliseconds(DatumGetIntervalP(scan->slot->tts_values[column - 1]));
}

static List *
scanned_text_list(const RowVersionScan *scan, AttrNumber column)
{
	List	   *list = NIL;
	Datum	   *elements;
	int			count;

	deconstruct_array(DatumGetArrayTypeP(scan->slot->tts_values[column - 1]),
					  TEXTOID, -1, false, TYPALIGN_INT, &elements, NULL,
					  &count);
	for (int i = 0; i < count; i++)
		list = lappend(list, TextDatumGetCString(elements[i]));
	return list;
}

/* The elements of an array of int. */
static int32 *
scanned_int_array(const RowVersionScan *scan, AttrNumber column, int *count)
{
	ArrayType  *array =
		DatumGetArrayTypePCopy(scan->slot->tts_values[column - 1]);

	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (int32 *) ARR_DATA_PTR(array);
}

/* Partitions, from two columns, or three with their epochs. */
static void
scan_partitions(const RowVersionScan *scan, AttrNumber topics,
				AttrNumber numbers, AttrNumber epochs,
				StoredPartitions *stored)
{
	int			number_count;
	int			epoch_count;
	int32	   *topic_ids = scanned_int_array(scan, topics, &stored->count);
	int32	   *partitions = scanned_int_array(scan, numbers, &number_count);
	int32	   *assigned = NULL;

	if (epochs != InvalidAttrNumber)
		assigned = scanned_int_array(scan, epochs, &epoch_count);
	else
		epoch_count = stored->count;
	if (number_count != stored->count || epoch_count != stored->count)
		elog(ERROR, "arrays of a group member differ in length");
	stored->partitions = palloc(stored->count * sizeof(StoredPartition));
	for (int i = 0; i < stored->count; i++)
	{
		stored->partitions[i].topic_id = topic_ids[i];
		stored->partitions[i].partition = partitions[i];
		stored->partitions[i].assigned_epoch = assigned ? assigned[i] : 0;
	}
}

static int
name_index(const char *const *names, const char *name)
{
	int			index = 0;

	while (strcmp(names[index], name) != 0)
		if (!names[++index])
			elog(ERROR, "unknown name in " TABLE ": \"%s\"", name);
	return index;
}

static GroupMember *
scanned_member(const RowVersionScan *scan)
{
	GroupMember *member = palloc0(sizeof(GroupMember));

	member->member_id = scanned_text(scan, Anum_group_members_member_id);
	member->instance_id = scanned_text(scan, Anum_group_members_instance_id);
	member->fenced_member_id =
		scanned_text(scan, Anum_group_members_fenced_member_id);
	member->topics = scanned_text_list(scan, Anum_group_members_topics);
	member->assignor = name_index(assignor_names,
								  scanned_text(scan, Anum_group_members_assignor));
	member->offset_reset =
		name_index(offset_reset_names,
				   scanned_text(scan, Anum_group_members_offset_reset));
	member->session_timeout =
		scanned_milliseconds(scan, Anum_group_members_session_timeout, 0);
	member->auto_commit_interval =
		scanned_milliseconds(scan, Anum_group_members_auto_commit_interval,
							 NO_AUTO_COMMIT);
	member->joined_at = scanned_time(scan, Anum_group_members_joined_at, 0);
	member->left_at = scanned_time(scan, Anum_group_members_left_at, NOT_LEFT);
	scan_partitions(scan, Anum_group_members_owned_topic_ids,
					Anum_group_members_owned_partitions,
					Anum_group_members_owned_epochs, &member->owned);
	scan_partitions(scan, Anum_group_members_target_topic_ids,
					Anum_group_members_target_partitions, InvalidAttrNumber,
					&member->target);
	return member;
}

ConsumerGroup *
group_state_read(const char *group_id, bool locked)
{
	ConsumerGroup *group = palloc0(sizeof(ConsumerGroup));
	RowVersionScan scan;
	int			row_count = 1;	/* until the first one tells */

	group->group_id = pstrdup(group_id);
	group->locked = locked;
	begin_state_scan(&scan, group_id);
	for (int i = 0; i < row_count && row_version_scan_next(&scan); i++)
	{
		int			member_count =
			scanned_int32(&scan, Anum_group_members_member_count);
		ItemPointer row = palloc(sizeof(ItemPointerData));

		group->state_number =
			scanned_int64(&scan, Anum_group_members_state_number);
		group->group_epoch =
			scanned_int32(&scan, Anum_group_members_group_epoch);
		row_count = Max(member_count, 1);
		if (member_count > 0)
			group->members = lcons(scanned_member(&scan), group->members);
		*row = scan.slot->tts_tid;
		group->rows = lappend(group->rows, row);
	}
	row_version_scan_end(&scan);
	if (group->rows != NIL && list_length(group->rows) != row_count)
		elog(ERROR, "rows of group \"%s\" are missing in " TABLE, group_id);
	group_state_find_partitions(group);
	return group;
}

bool
group_state_is_current(const ConsumerGroup *group)
{
	RowVersionScan scan;
	int64		state_number = 0;

	begin_state_scan(&scan, group->group_id);
	if (row_version_scan_next(&scan))
		state_number = scanned_int64(&scan, Anum_group_members_state_number);
	row_version_scan_end(&scan);
	return state_number == group->state_number;
}

bool
group_state_has_members(const char *group_id)
{
	RowVersionScan scan;
	bool		found;

	begin_state_scan(&scan, group_id);
	found = row_version_scan_next(&scan) &&
		scanned_int32(&scan, Anum_group_members_member_count) > 0;
	row_version_scan_end(&scan);
	return found;
}

static int
compare_names(const ListCell *a, const ListCell *b)
{
	return strcmp(lfirst(a), lfirst(b));
}

List *
sort_topic_names(List *names)
{
	List	   *unique = NIL;
	ListCell   *cell;

	list_sort(names, compare_names);
	foreach(cell, names)
	{
		if (unique == NIL || strcmp(llast(unique), lfirst(cell)) != 0)
			unique = lappend(unique, lfirst(cell));
	}
	return unique;
}

static bool
names_are_equal(const List *a, const List *b)
{
	ListCell   *cell_a;
	ListCell   *cell_b;

	if (list_length(a) != list_length(b))
		return false;
	forboth(cell_a, a, cell_b, b)
	{
		if (strcmp(lfirst(cell_a), lfirst(cell_b)) != 0)
			return false;
	}
	return true;
}

/*
 * All topics that members subscribe to, by name.  Most often that is the same
 * for all of them.
 */
static void
find_topics(ConsumerGroup *group)
{
	List	   *names = NIL;
	List	   *last = NIL;
	ListCell   *cell;

	foreach(cell, group->members)
	{
		List	   *topics = ((GroupMember *) lfirst(cell))->topics;

		if (!names_are_equal(topics, last))
			names = list_concat(names, topics);
		last = topics;
	}
	names = sort_topic_names(names);

	group->topics = palloc(list_length(names) * sizeof(GroupTopic));
	group->topic_count = 0;
	group->partition_count = 0;
	foreach(cell, names)
	{
		GroupTopic *found = &group->topics[group->topic_count++];
		Topic	   *topic = topic_lookup(lfirst(cell));

		found->name = lfirst(cell);
		found->id = topic ? topic->id : 0;
		found->partition_count = topic ? topic->partitions : 0;
		group->partition_count += found->partition_count;
	}
}

void
group_state_find_partitions(ConsumerGroup *group)
{
	GroupPartition *partition;
	ListCell   *cell;

	find_topics(group);
	group->partitions = palloc0(group->partition_count * sizeof(GroupPartition));
	partition = group->partitions;
	for (int i = 0; i < group->topic_count; i++)
	{
		for (int j = 0; j < group->topics[i].partition_count; j++)
		{
			partition->topic = &group->topics[i];
			partition->partition = j;
			partition++;
		}
	}

	group->topics_dropped = false;
	foreach(cell, group->members)
	{
		GroupMember *member = lfirst(cell);

		for (int i = 0; i < member->owned.count; i++)
		{
			const StoredPartition *stored = &member->owned.partitions[i];

			partition = find_group_partition(group, stored->topic_id,
											 stored->partition);
			if (!partition)
				continue;
			partition->owner = member;
			partition->assigned_epoch = stored->assigned_epoch;
		}
		for (int i = 0; i < member->target.count; i++)
		{
			const StoredPartition *stored = &member->target.partitions[i];

			partition = find_group_partition(group, stored->topic_id,
											 stored->partition);
			if (partition)
				partition->target = member;
			else
				group->topics_dropped = true;
		}
	}
}

/*
 * Static members come first, so that their place does not depend on the
 * number that they get whenever they come back.
 */
static int
compare_members(const ListCell *a, const ListCell *b)
{
	const GroupMember *left = lfirst(a);
	const GroupMember *right = lfirst(b);

	if (!left->instance_id != !right->instance_id)
		return left->instance_id ? -1 : 1;
	if (left->instance_id)
		return strcmp(left->instance_id, right->instance_id);
	return strcmp(left->member_id, right->member_id);
}

void
group_state_add_member(ConsumerGroup *group, GroupMember *member)
{
	group->members = lappend(group->members, member);
	list_sort(group->members, compare_members);
}

void
group_state_remove_member(ConsumerGroup *group, GroupMember *member)
{
	group->members = list_delete_ptr(group->members, member);
	for (int i = 0; i < group->partition_count; i++)
	{
		GroupPartition *partition = &group->partitions[i];

		if (partition->owner == member)
			partition->owner = NULL;
		if (partition->target == member)
			partition->target = NULL;
	}
}

static Datum
int_array_datum(const Datum *elements, int count)
{
	return PointerGetDatum(construct_array((Datum *) elements, count, INT4OID,
										   sizeof(int32), true,
										   TYPALIGN_INT));
}

static Datum
text_array_datum(List *list)
{
	Datum	   *elements = palloc(list_length(list) * sizeof(Datum));
	int			count = 0;
	ListCell   *cell;

	foreach(cell, list)
		elements[count++] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(construct_array(elements, count, TEXTOID, -1, false,
										   TYPALIGN_INT));
}

static void
set_text(Datum *values, bool *nulls, AttrNumber column, const char *text)
{
	nulls[column - 1] = text == NULL;
	if (text)
		values[column - 1] = CStringGetTextDatum(text);
}

static void
set_milliseconds(Datum *values, bool *nulls, AttrNumber column,
				 int32 milliseconds)
{
	nulls[column - 1] = milliseconds < 0;
	if (milliseconds >= 0)
		values[column - 1] =
			IntervalPGetDatum(milliseconds_interval(milliseconds));
}

/* The arrays of what the member owns and shall own. */
static void
set_partitions(const ConsumerGroup *group, const GroupMember *member,
			   Datum *values)
{
	Size		size = Max(group->partition_count, 1) * sizeof(Datum);
	Datum	   *topic_ids = palloc(size);
	Datum	   *numbers = palloc(size);
	Datum	   *epochs = palloc(size);
	int			count = 0;

	for (int i = 0; i < group->partition_count; i++)
	{
		const GroupPartition *partition = &group->partitions[i];

		if (partition->owner != member)
			continue;
		topic_ids[count] = Int32GetDatum(partition->topic->id);
		numbers[count] = Int32GetDatum(partition->partition);
		epochs[count++] = Int32GetDatum(partition->assigned_epoch);
	}
	values[Anum_group_members_owned_topic_ids - 1] =
		int_array_datum(topic_ids, count);
	values[Anum_group_members_owned_partitions - 1] =
		int_array_datum(numbers, count);
	values[Anum_group_members_owned_epochs - 1] =
		int_array_datum(epochs, count);

	count = 0;
	for (int i = 0; i < group->partition_count; i++)
	{
		const GroupPartition *partition = &group->partitions[i];

		if (partition->target != member)
			continue;
		topic_ids[count] = Int32GetDatum(partition->topic->id);
		numbers[count++] = Int32GetDatum(partition->partition);
	}
	values[Anum_group_members_target_topic_ids - 1] =
		int_array_datum(topic_ids, count);
	values[Anum_group_members_target_partitions - 1] =
		int_array_datum(numbers, count);
}

static void
set_member(const ConsumerGroup *group, const GroupMember *member, Datum *values,
		   bool *nulls)
{
	set_text(values, nulls, Anum_group_members_member_id, member->member_id);
	set_text(values, nulls, Anum_group_members_instance_id,
			 member->instance_id);
	set_text(values, nulls, Anum_group_members_fenced_member_id,
			 member->fenced_member_id);
	values[Anum_group_members_topics - 1] = text_array_datum(member->topics);
	set_text(values, nulls, Anum_group_members_assignor,
			 assignor_names[member->assignor]);
	set_text(values, nulls, Anum_group_members_offset_reset,
			 offset_reset_names[member->offset_reset]);
	set_milliseconds(values, nulls, Anum_group_members_session_timeout,
					 member->session_timeout);
	set_milliseconds(values, nulls, Anum_group_members_auto_commit_interval,
					 member->auto_commit_interval);
	values[Anum_group_members_joined_at - 1] =
		TimestampTzGetDatum(member->joined_at);
	nulls[Anum_group_members_left_at - 1] = member->left_at == NOT_LEFT;
	values[Anum_group_members_left_at - 1] =
		TimestampTzGetDatum(member->left_at);
	set_partitions(group, member, values);
}

/* Insert one row: a member's, or that of a group without members. */
static void
insert_row(RowInserter *inserter, const ConsumerGroup *group,
		   const GroupMember *member, int ordinal)
{
	Datum		values[Natts_group_members] = {0};
	bool		nulls[Natts_group_members] = {0};
	ItemPointerData row;

	values[Anum_group_members_group_id - 1] =
		CStringGetTextDatum(group->group_id);
	values[Anum_group_members_state_number - 1] =
		Int64GetDatum(group->state_number);
	values[Anum_group_members_ordinal - 1] = Int32GetDatum(ordinal);
	values[Anum_group_members_member_count - 1] =
		Int32GetDatum(list_length(group->members));
	values[Anum_group_members_group_epoch - 1] =
		Int32GetDatum(group->group_epoch);
	if (member)
		set_member(group, member, values, nulls);
	else
		memset(nulls + Anum_group_members_member_id - 1, true,
			   Natts_group_members - Anum_group_members_member_id + 1);
	row_inserter_insert(inserter, values, nulls, &row);
}

void
group_state_write(ConsumerGroup *group)
{
	Relation	relation = table_open(catalog_relation_oid(TABLE),
									  RowExclusiveLock);
	RowInserter inserter;
	int			ordinal = 0;
	ListCell   *cell;

	Assert(group->locked);
	group->state_number++;
	row_inserter_begin(&inserter, relation, Natts_group_members);
	if (group->members == NIL)
		insert_row(&inserter, group, NULL, ordinal);
	foreach(cell, group->members)
		insert_row(&inserter, group, lfirst(cell), ++ordinal);
	row_inserter_end(&inserter);
	foreach(cell, group->rows)
		simple_table_tuple_delete(relation, lfirst(cell), SnapshotAny);
	table_close(relation, NoLock);
	CommandCounterIncrement();

	/* Members may be waiting for records of what is theirs now. */
	for (int i = 0; i < group->topic_count; i++)
		if (group->topics[i].partition_count > 0)
			wakeup_at_end(group->topics[i].id);
}

GroupMember *
find_member(const ConsumerGroup *group, const char *member_id)
{
	ListCell   *cell;

	foreach(cell, group->members)
	{
		GroupMember *member = lfirst(cell);

		if (strcmp(member->member_id, member_id) == 0)
			return member;
	}
	return NULL;
}

/* An error if another member has the place of this one. */
static void
check_not_fenced(const ConsumerGroup *group, const char *member_id)
{
	ListCell   *cell;

	foreach(cell, group->members)
	{
		GroupMember *member = lfirst(cell);

		if (member->fenced_member_id &&
			strcmp(member->fenced_member_id, member_id) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_FENCED_INSTANCE_ID),
					 errmsg("member \"%s\" of group \"%s\" is fenced",
							member_id, group->group_id),
					 errdetail("Member \"%s\" has joined with its instance_id, \"%s\".",
							   member->member_id, member->instance_id)));
	}
}

GroupMember *
demand_member(const ConsumerGroup *group, const char *member_id)
{
	GroupMember *member = find_member(group, member_id);

	if (member && member->left_at == NOT_LEFT)
		return member;
	check_not_fenced(group, member_id);
	ereport(ERROR,
			(errcode(ERRCODE_UNKNOWN_MEMBER_ID),
			 errmsg("group \"%s\" has no member \"%s\"", group->group_id,
					member_id),
			 errdetail("It has never joined, or has left, or its session has timed out."),
			 errhint("Join with topic.join_group(), and go on at the committed offsets.")));
}

GroupPartition *
find_group_partition(const ConsumerGroup *group, int32 topic_id, int partition)
{
	GroupPartition *first = group->partitions;

	for (int i = 0; i < group->topic_count; i++)
	{
		const GroupTopic *topic = &group->topics[i];

		if (topic->id == topic_id && partition < topic->partition_count)
			return first + partition;
		first += topic->partition_count;
	}
	return NULL;
}
