/*-------------------------------------------------------------------------
 *
 * offsets_topic.c
 *		Commits of offsets as records of the topic __consumer_offsets.
 *
 * With pg_topic.offsets_topic, each change of a row of topic.consumer_offsets
 * is also a record, with Kafka's keys and values, in a compacted topic that is
 * named as Kafka's.  The table stays the truth; the topic is its history.
 *
 * The records are appended by the same transaction, just before it commits.
 * So the last of several commits of a partition is the one that is recorded;
 * a consumer's transaction that stays open holds back no reader of the topic;
 * and when the topic does not exist, nobody waits long for its creator.
 *
 * Two transactions that commit for the same partition exclude each other to
 * their end (claim.c), so the records of a key are in the order of the commits.
 *
 * Commits of those who consume this very topic are no records: they would
 * never come to its end.
 *
 * The topic belongs to the extension's owner, who writes to it, and its name
 * is nobody else's: its owner could read what all groups commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "offsets_topic.h"
#include "partitioner.h"
#include "record_append.h"
#include "record_text.h"
#include "record_value.h"

#define OFFSETS_TOPIC			"__consumer_offsets"
#define OFFSETS_TOPIC_PARTITIONS "50"	/* as Kafka's, unless told otherwise */

/* Kafka's message classes OffsetCommitKey and OffsetCommitValue. */
#define OFFSET_COMMIT_KEY_VERSION	1
#define OFFSET_COMMIT_VALUE_VERSION 3
#define NO_LEADER_EPOCH			(-1)

static bool offsets_topic_enabled = false;

/* A committed offset that this transaction has changed. */
typedef struct ChangedOffset
{
	RecordBytes key;			/* the record's, and the hash table's */
	RecordBytes group_id;		/* part of it */
	struct OffsetChange *latest;	/* NULL: all were rolled back */
} ChangedOffset;

/* What a subtransaction made of it. */
typedef struct OffsetChange
{
	ChangedOffset *offset;
	RecordBytes value;			/* null: it was deleted */
	int			nest_level;
	struct OffsetChange *outer; /* as the enclosing transaction left it */
	struct OffsetChange *earlier;	/* of any offset */
} OffsetChange;

/*
 * In TopTransactionContext, the latest first; so nest levels never rise along
 * the list.
 */
static OffsetChange *changes = NULL;

/* Those that have been changed, by key. */
static HTAB *changed_offsets = NULL;

static uint32
hash_key(const void *key, Size size)
{
	const RecordBytes *bytes = key;

	return hash_bytes((const unsigned char *) bytes->data, bytes->length);
}

static int
compare_keys(const void *key1, const void *key2, Size size)
{
	const RecordBytes *a = key1;
	const RecordBytes *b = key2;

	return a->length == b->length ? memcmp(a->data, b->data, a->length) : 1;
}

static HTAB *
create_changed_offsets(void)
{
	HASHCTL		control = {
		.keysize = sizeof(RecordBytes),
		.entrysize = sizeof(ChangedOffset),
		.hash = hash_key,
		.match = compare_keys,
		.hcxt = TopTransactionContext
	};

	return hash_create("pg_topic changed offsets", 32, &control,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static void
free_value(OffsetChange *change)
{
	if (change->value.data)
		pfree(unconstify(char *, change->value.data));
}

static void
forget_changes(void)
{
	changes = NULL;
	changed_offsets = NULL;
}

/* Kafka's string: its length in bytes, which is returned, and UTF-8. */
static int
append_string(StringInfo buffer, const char *text)
{
	RecordBytes bytes = record_text_from_server(text, strlen(text));
	int			length = pg_encoding_mbcliplen(PG_UTF8, bytes.data,
											   bytes.length, PG_INT16_MAX);

	pq_sendint16(buffer, length);
	appendBinaryStringInfo(buffer, bytes.data, length);
	return length;
}

/* The offset in the hash table, entered if need be. */
static ChangedOffset *
changed_offset(const char *group_id, const char *topic, int partition)
{
	StringInfoData buffer;
	RecordBytes key;
	RecordBytes group;
	ChangedOffset *offset;
	bool		found;

	initStringInfo(&buffer);
	pq_sendint16(&buffer, OFFSET_COMMIT_KEY_VERSION);
	group.length = append_string(&buffer, group_id);
	append_string(&buffer, topic);
	pq_sendint32(&buffer, partition);
	key.data = buffer.data;
	key.length = buffer.len;
	group.data = buffer.data + 2 * sizeof(int16);

	if (!changed_offsets)
		changed_offsets = create_changed_offsets();
	offset = hash_search(changed_offsets, &key, HASH_ENTER, &found);
	if (found)
		pfree(buffer.data);
	else
	{
		offset->group_id = group;
		offset->latest = NULL;
	}
	return offset;
}

/* Of several changes in one subtransaction, the last counts. */
static void
add_change(const char *group_id, const char *topic, int partition,
		   RecordBytes value)
{
	ChangedOffset *offset = changed_offset(group_id, topic, partition);
	OffsetChange *change = offset->latest;
	int			nest_level = GetCurrentTransactionNestLevel();

	if (change && change->nest_level == nest_level)
		free_value(change);
	else
	{
		change = palloc(sizeof(OffsetChange));
		change->offset = offset;
		change->nest_level = nest_level;
		change->outer = offset->latest;
		change->earlier = changes;
		offset->latest = changes = change;
	}
	change->value = value;
}

static bool
is_recorded(const char *topic)
{
	return offsets_topic_enabled && strcmp(topic, OFFSETS_TOPIC) != 0;
}

void
offsets_topic_write(const char *group_id, const char *topic, int partition,
					const ConsumerOffset *offset, const char *metadata)
{
	MemoryContext old_context;
	StringInfoData value;
	RecordBytes bytes;

	if (!is_recorded(topic))
		return;
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	initStringInfo(&value);
	pq_sendint16(&value, OFFSET_COMMIT_VALUE_VERSION);
	pq_sendint64(&value, offset->committed_offset);
	pq_sendint32(&value, NO_LEADER_EPOCH);
	append_string(&value, metadata ? metadata : "");
	pq_sendint64(&value, record_timestamp_from(offset->committed_at));
	bytes.data = value.data;
	bytes.length = value.len;
	add_change(group_id, topic, partition, bytes);
	MemoryContextSwitchTo(old_context);
}

void
offsets_topic_delete(const char *group_id, const char *topic, int partition)
{
	MemoryContext old_context;
	RecordBytes null_bytes = {NULL, -1};

	if (!is_recorded(topic))
		return;
	old_context = MemoryContextSwitchTo(TopTransactionContext);
	add_change(group_id, topic, partition, null_bytes);
	MemoryContextSwitchTo(old_context);
}

void
check_topic_name_is_free(const char *name)
{
	if (strcmp(name, OFFSETS_TOPIC) == 0 &&
		!has_privs_of_role(GetUserId(), extension_owner()))
		ereport(ERROR,
				(errcode(ERRCODE_RESERVED_NAME),
				 errmsg("topic name \"%s\" is reserved", name),
				 errdetail("With pg_topic.offsets_topic, the topic of that name records what groups commit.")));
}

/* Is any of the changes a commit?  The others are deletions. */
static bool
have_commits(void)
{
	for (OffsetChange *change = changes; change; change = change->earlier)
		if (change->value.length >= 0)
			return true;
	return false;
}

/*
 * Open the topic for appending, with the rights of the extension's owner.
 * NULL if there is none, and nothing but deletions to tell it.
 *
 * A prepared transaction must not create it: others would wait to commit for
 * as long as that stays prepared, and no statement_timeout would end it.
 */
static Topic *
open_offsets_topic(bool prepares)
{
	if (!topic_lookup(OFFSETS_TOPIC))
	{
		if (!have_commits())
			return NULL;
		if (prepares)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot prepare a transaction that creates topic \"%s\"",
							OFFSETS_TOPIC),
					 errhint("Commit an offset in another transaction first.")));
		catalog_execute("SELECT topic.create_topic('" OFFSETS_TOPIC "', "
						"partitions => " OFFSETS_TOPIC_PARTITIONS ", "
						"cleanup_policy => 'compact', "
						"value_format => 'bytes', if_not_exists => true)");
	}
	return topic_open(OFFSETS_TOPIC, ACL_INSERT, RowExclusiveLock);
}

static void
append_changes(Topic *topic)
{
	int			count = 0;
	int			first;
	int			partition = -1;
	RecordInput *records;
	OffsetChange *change;
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	for (change = changes; change; change = change->earlier)
		count++;
	records = palloc0(count * sizeof(RecordInput));

	/*
	 * From the latest to the earliest, each run of a partition as it is
	 * complete.  The order within a key does not matter, since each is there
	 * once.
	 */
	first = count;
	for (change = changes; change; change = change->earlier)
	{
		ChangedOffset *offset = change->offset;
		int			next = partition_for_group(offset->group_id.data,
											   offset->group_id.length,
											   topic->partitions);
		RecordInput *record;

		if (next != partition && first < count)
		{
			append_records(topic, partition, &records[first], count - first);
			count = first;
		}
		partition = next;
		record = &records[--first];
		record->timestamp = now;
		record->key = offset->key;
		record->value = change->value;
	}
	append_records(topic, partition, &records[first], count - first);
}

/* Write this transaction's changes to the topic. */
static void
flush_changes(bool prepares)
{
	MemoryContext old_context;
	SavedUser	saved;
	Topic	   *topic;

	/* The transaction may have dropped the extension. */
	if (!changes || !OidIsValid(get_namespace_oid(LOG_SCHEMA, true)))
		return;

	old_context = MemoryContextSwitchTo(TopTransactionContext);
	PushActiveSnapshot(GetTransactionSnapshot());
	saved = become_extension_owner();
	topic = open_offsets_topic(prepares);
	if (topic)
		append_changes(topic);
	restore_user(saved);
	PopActiveSnapshot();
	MemoryContextSwitchTo(old_context);
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			flush_changes(event == XACT_EVENT_PRE_PREPARE);
			forget_changes();
			break;
		case XACT_EVENT_ABORT:
			forget_changes();
			break;
		default:
			break;
	}
}

/* The subtransaction at this nesting level committed: its parent takes over. */
static void
hand_changes_to_parent(int nest_level)
{
	OffsetChange **link = &changes;
	OffsetChange *change;

	while ((change = *link) != NULL && change->nest_level >= nest_level)
	{
		OffsetChange *outer = change->outer;

		if (outer && outer->nest_level == nest_level - 1)
		{
			free_value(outer);
			outer->value = change->value;
			outer->offset->latest = outer;
			*link = change->earlier;
			pfree(change);
		}
		else
		{
			change->nest_level = nest_level - 1;
			link = &change->earlier;
		}
	}
}

/* The subtransaction rolled back. */
static void
undo_changes(int nest_level)
{
	while (changes && changes->nest_level >= nest_level)
	{
		OffsetChange *change = changes;

		change->offset->latest = change->outer;
		changes = change->earlier;
		free_value(change);
		pfree(change);
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();

	if (event == SUBXACT_EVENT_COMMIT_SUB)
		hand_changes_to_parent(nest_level);
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		undo_changes(nest_level);
}

void
offsets_topic_init(void)
{
	DefineCustomBoolVariable("pg_topic.offsets_topic",
							 "Records each commit of a consumer group's offset in the topic " OFFSETS_TOPIC ".",
							 NULL, &offsets_topic_enabled, false, PGC_SUSET, 0,
							 NULL, NULL, NULL);
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
