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
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/guc.h"
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

/* A change of a committed offset in this transaction. */
typedef struct OffsetChange
{
	RecordBytes key;
	RecordBytes value;			/* null: it was deleted */
	RecordBytes group_id;		/* part of the key */
	int			nest_level;		/* the subtransaction that made it */
	struct OffsetChange *earlier;
} OffsetChange;

/*
 * In TopTransactionContext, the latest first; so nest levels never rise along
 * the list.
 */
static OffsetChange *changes = NULL;

static void
free_change(OffsetChange *change)
{
	pfree(unconstify(char *, change->key.data));
	if (change->value.data)
		pfree(unconstify(char *, change->value.data));
	pfree(change);
}

/* Forget what the same subtransaction changed before in the same place. */
static void
remove_superseded(OffsetChange *change)
{
	OffsetChange **link = &change->earlier;

	while (*link && (*link)->nest_level == change->nest_level)
	{
		OffsetChange *other = *link;

		if (other->key.length == change->key.length &&
			memcmp(other->key.data, change->key.data, change->key.length) == 0)
		{
			*link = other->earlier;
			free_change(other);
			return;
		}
		link = &other->earlier;
	}
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

static void
add_change(const char *group_id, const char *topic, int partition,
		   RecordBytes value)
{
	OffsetChange *change = palloc(sizeof(OffsetChange));
	StringInfoData key;

	initStringInfo(&key);
	pq_sendint16(&key, OFFSET_COMMIT_KEY_VERSION);
	change->group_id.length = append_string(&key, group_id);
	append_string(&key, topic);
	pq_sendint32(&key, partition);

	change->key.data = key.data;
	change->key.length = key.len;
	change->group_id.data = key.data + 2 * sizeof(int16);
	change->value = value;
	change->nest_level = GetCurrentTransactionNestLevel();
	change->earlier = changes;
	changes = change;
	remove_superseded(change);
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
 */
static Topic *
open_offsets_topic(void)
{
	if (!topic_lookup(OFFSETS_TOPIC))
	{
		if (!have_commits())
			return NULL;
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
		int			next = partition_for_group(change->group_id.data,
											   change->group_id.length,
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
		record->key = change->key;
		record->value = change->value;
	}
	append_records(topic, partition, &records[first], count - first);
}

/* Write this transaction's changes to the topic. */
static void
flush_changes(void)
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
	topic = open_offsets_topic();
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
			flush_changes();
			changes = NULL;
			break;
		case XACT_EVENT_ABORT:
			changes = NULL;
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	OffsetChange *change;

	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (changes && changes->nest_level >= nest_level)
		{
			change = changes;
			changes = change->earlier;
			free_change(change);
		}
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (change = changes; change && change->nest_level >= nest_level;
			 change = change->earlier)
			change->nest_level = nest_level - 1;
		for (change = changes; change && change->nest_level == nest_level - 1;
			 change = change->earlier)
			remove_superseded(change);
	}
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
