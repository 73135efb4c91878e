/*-------------------------------------------------------------------------
 *
 * topic.c
 *		Topics and their list of segments, cached in the backend.
 *
 * The cache is read with a catalog snapshot, that is the latest committed
 * state also under REPEATABLE READ: an appender that worked with an older
 * list of segments would write to a sealed one.
 *
 * Whoever changes a row of topic.topics or topic.segments sends a relcache
 * invalidation for the topic's foreign table (CacheInvalidateRelcacheByRelid);
 * the callback here marks the entry, and the next look-up reads it anew.
 * Invalidations are sent before the sender's locks are released, hence:
 *
 * - An appender that holds the append lock and has accepted invalidations
 *	 knows the active segment, since a switch holds every append lock of the
 *	 topic until it has sent them.
 * - A reader that accepts invalidations after its snapshot was taken knows
 *	 every segment that holds a record visible in that snapshot: the record
 *	 was appended after its segment's switch released the append locks.
 *
 * A stale entry may still be in use up the stack, so it is freed no earlier
 * than at the end of the transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "storage/sinval.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "compat.h"
#include "duration.h"
#include "topic.h"

typedef struct TopicEntry
{
	Oid			relid;			/* hash key */
	Topic	   *topic;
} TopicEntry;

typedef struct TopicNameEntry
{
	char		name[NAMEDATALEN];	/* hash key */
	Oid			relid;
} TopicNameEntry;

static HTAB *topics_by_relation = NULL;
static HTAB *relations_by_name = NULL;

/* Grows with each relcache invalidation, whatever it is for. */
static uint64 invalidations = 0;

/* Contexts of entries that were replaced in this transaction. */
static MemoryContext stale_topics = NULL;

/* Does the cache have invalid entries? */
static bool have_invalid_topics = false;

static void
invalidate_topic(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	TopicEntry *entry;

	invalidations++;
	if (OidIsValid(relid))
	{
		entry = hash_search(topics_by_relation, &relid, HASH_FIND, NULL);
		if (entry)
		{
			entry->topic->valid = false;
			have_invalid_topics = true;
		}
		return;
	}

	hash_seq_init(&status, topics_by_relation);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		entry->topic->valid = false;
		have_invalid_topics = true;
	}
}

/* Drop the entries that turned invalid: the topic may be gone for good. */
static void
remove_invalid_topics(void)
{
	HASH_SEQ_STATUS status;
	TopicEntry *entry;

	hash_seq_init(&status, topics_by_relation);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		Topic	   *topic = entry->topic;
		TopicNameEntry *name;

		if (topic->valid)
			continue;
		name = hash_search(relations_by_name, topic->name, HASH_FIND, NULL);
		if (name && name->relid == topic->relid)
			(void) hash_search(relations_by_name, topic->name, HASH_REMOVE,
							   NULL);
		(void) hash_search(topics_by_relation, &entry->relid, HASH_REMOVE,
						   NULL);
		MemoryContextDelete(topic->context);
	}
	have_invalid_topics = false;
}

static void
end_transaction(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	MemoryContextReset(stale_topics);
	if (have_invalid_topics)
		remove_invalid_topics();
}

void
topic_cache_init(void)
{
	HASHCTL		by_relation = {
		.keysize = sizeof(Oid),
		.entrysize = sizeof(TopicEntry),
		.hcxt = TopMemoryContext
	};
	HASHCTL		by_name = {
		.keysize = NAMEDATALEN,
		.entrysize = sizeof(TopicNameEntry),
		.hcxt = TopMemoryContext
	};

	topics_by_relation = hash_create("pg_topic topics", 32, &by_relation,
									 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	relations_by_name = hash_create("pg_topic topic names", 32, &by_name,
									HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	stale_topics = AllocSetContextCreate(TopMemoryContext,
										 "pg_topic stale topics",
										 ALLOCSET_SMALL_SIZES);
	CacheRegisterRelcacheCallback(invalidate_topic, (Datum) 0);
	RegisterXactCallback(end_transaction, NULL);
}

void
check_topic_name(const char *name)
{
	size_t		length = strlen(name);

	if (length == 0 || length >= NAMEDATALEN ||
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			   "abcdefghijklmnopqrstuvwxyz0123456789._-") != length ||
		strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid topic name \"%s\"", name),
				 errdetail("A topic's name has 1 to %d characters of A-Z, a-z, 0-9, '.', '_' and '-', and is not \".\" or \"..\".",
						   NAMEDATALEN - 1)));
}

ValueFormat
value_format_from_text(const char *name)
{
	if (strcmp(name, "json") == 0)
		return FORMAT_JSON;
	if (strcmp(name, "text") == 0)
		return FORMAT_TEXT;
	return FORMAT_BYTES;
}

const char *
value_format_name(ValueFormat format)
{
	switch (format)
	{
		case FORMAT_JSON:
			return "json";
		case FORMAT_TEXT:
			return "text";
		case FORMAT_BYTES:
			return "bytes";
	}
	pg_unreachable();
}

/*
 * An array of offsets, one for each partition from 0 on, copied to the
 * current memory context.  `what` says whose it is.
 */
static int64 *
read_offsets(const Topic *topic, Datum datum, const char *what, int *count)
{
	ArrayType  *array = DatumGetArrayTypePCopy(datum);
	int64	   *offsets = (int64 *) ARR_DATA_PTR(array);
	bool		damaged = ARR_NDIM(array) > 1 || ARR_HASNULL(array) ||
		ARR_ELEMTYPE(array) != INT8OID;

	*count = damaged ? 0 : ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	for (int i = 0; i < *count; i++)
		damaged |= offsets[i] < 0;
	if (damaged)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("%s of topic \"%s\" are damaged", what, topic->name)));
	return offsets;
}

/*
 * Read the row of topic.topics that the key names.  NULL if there is none,
 * or if its relation was dropped behind our back.
 */
static Topic *
read_topic_row(AttrNumber attribute, Oid eq_function, Datum key)
{
	Relation	relation;
	SysScanDesc scan;
	ScanKeyData scan_key;
	HeapTuple	tuple;
	Topic	   *topic = NULL;
	Oid			index;

	relation = table_open(catalog_relation_oid("topics"), AccessShareLock);
	index = catalog_relation_oid(attribute == Anum_topics_topic
								 ? "topics_pkey" : "topics_relation_key");
	ScanKeyInit(&scan_key, attribute, BTEqualStrategyNumber, eq_function, key);
	scan = systable_beginscan(relation, index, true, NULL, 1, &scan_key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		/* A newer version of the extension may have added columns. */
		int			natts = RelationGetDescr(relation)->natts;
		Datum	   *values = palloc(natts * sizeof(Datum));
		bool	   *nulls = palloc(natts * sizeof(bool));
		Oid			relid;

		heap_deform_tuple(tuple, RelationGetDescr(relation), values, nulls);
		relid = DatumGetObjectId(values[Anum_topics_relation - 1]);
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		{
			MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
														  "pg_topic topic",
														  ALLOCSET_SMALL_SIZES);

			topic = MemoryContextAllocZero(context, sizeof(Topic));
			topic->context = context;
			topic->relid = relid;
			topic->catalog_relid = RelationGetRelid(relation);
			strlcpy(topic->name,
					TextDatumGetCString(values[Anum_topics_topic - 1]),
					NAMEDATALEN);
			topic->id = DatumGetInt32(values[Anum_topics_topic_id - 1]);
			topic->partitions =
				DatumGetInt32(values[Anum_topics_partitions - 1]);
			topic->value_format =
				value_format_from_text(TextDatumGetCString(values[Anum_topics_value_format - 1]));
			topic->max_record_bytes =
				DatumGetInt32(values[Anum_topics_max_record_bytes - 1]);
			topic->stable_offsets =
				MemoryContextAllocZero(context,
									   topic->partitions * sizeof(int64));
			topic->seen_ends =
				MemoryContextAllocZero(context,
									   topic->partitions * sizeof(SeenEnd));
			topic->tails =
				MemoryContextAllocZero(context,
									   topic->partitions * sizeof(int64));
			topic->hint_due =
				MemoryContextAlloc(context, topic->partitions * sizeof(uint8));
			memset(topic->hint_due, HINT_UNKNOWN,
				   topic->partitions * sizeof(uint8));
			topic->compression =
				compression_codec_from_name(TextDatumGetCString(values[Anum_topics_compression - 1]));
			topic->log_append_time =
				strcmp(TextDatumGetCString(values[Anum_topics_timestamp_type - 1]),
					   "LogAppendTime") == 0;
			topic->compacted =
				strncmp(TextDatumGetCString(values[Anum_topics_cleanup_policy - 1]),
						"compact", strlen("compact")) == 0;
			topic->idempotency_window =
				interval_milliseconds(DatumGetIntervalP(values[Anum_topics_idempotency_window - 1]));
			if (!nulls[Anum_topics_log_start_offsets - 1])
			{
				MemoryContext old_context = MemoryContextSwitchTo(context);

				topic->log_starts =
					read_offsets(topic,
								 values[Anum_topics_log_start_offsets - 1],
								 "log start offsets", &topic->log_start_count);
				MemoryContextSwitchTo(old_context);
			}
		}
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return topic;
}

/* Add a segment to a list, in the current memory context. */
static Segment *
add_segment(SegmentList *list)
{
	/* Grow to the next power of two. */
	if ((list->count & (list->count - 1)) == 0)
	{
		int			capacity = Max(list->count * 2, 1);

		list->segments = list->segments
			? repalloc(list->segments, capacity * sizeof(Segment))
			: palloc(capacity * sizeof(Segment));
	}
	return &list->segments[list->count++];
}

/* Read the topic's segments. */
static void
read_segments(Topic *topic)
{
	Relation	relation;
	Relation	index;
	SysScanDesc scan;
	ScanKeyData scan_key;
	HeapTuple	tuple;
	MemoryContext old_context = MemoryContextSwitchTo(topic->context);

	relation = table_open(catalog_relation_oid("segments"), AccessShareLock);
	index = index_open(catalog_relation_oid("segments_pkey"), AccessShareLock);
	ScanKeyInit(&scan_key, Anum_segments_topic_id, BTEqualStrategyNumber,
				F_INT4EQ, Int32GetDatum(topic->id));
	scan = systable_beginscan_ordered(relation, index, NULL, 1, &scan_key);
	while ((tuple = systable_getnext_ordered(scan,
											 ForwardScanDirection)) != NULL)
	{
		TupleDesc	columns = RelationGetDescr(relation);
		bool		isnull;
		bool		retired;
		Segment    *segment;

		(void) heap_getattr(tuple, Anum_segments_retired_at, columns, &isnull);
		retired = !isnull;
		segment = add_segment(retired ? &topic->retired : &topic->segments);
		segment->number =
			DatumGetInt32(heap_getattr(tuple, Anum_segments_segment, columns,
									   &isnull));
		segment->generation =
			DatumGetInt32(heap_getattr(tuple, Anum_segments_generation,
									   columns, &isnull));
		segment->relid = InvalidOid;
		segment->xmin = HeapTupleHeaderGetXmin(tuple->t_data);
		(void) heap_getattr(tuple, Anum_segments_settled_at, columns, &isnull);
		segment->settled = !isnull;
		segment->base_offsets =
			read_offsets(topic, heap_getattr(tuple, Anum_segments_base_offsets,
											 columns, &isnull),
						 "base offsets of segments", &segment->base_count);
	}
	systable_endscan_ordered(scan);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
	MemoryContextSwitchTo(old_context);

	/* A segment may be settled while an older one still has a producer. */
	while (topic->first_unsettled < topic->segments.count - 1 &&
		   topic->segments.segments[topic->first_unsettled].settled)
		topic->first_unsettled++;
}

/*
 * Read a topic from the catalog and put it into the cache.
 *
 * An invalidation that arrives while the two tables are read finds no entry
 * to mark; so whatever arrives meanwhile leaves the new entry invalid.
 */
static Topic *
read_topic(AttrNumber attribute, Oid eq_function, Datum key)
{
	uint64		invalidations_before = invalidations;
	Topic	   *topic;
	TopicEntry *entry;
	TopicNameEntry *name_entry;
	bool		found;

	topic = read_topic_row(attribute, eq_function, key);
	if (!topic)
		return NULL;
	read_segments(topic);
	if (topic->segments.count == 0)
	{
		/* It may have been dropped between the two looks. */
		if (!read_topic_row(attribute, eq_function, key))
			return NULL;
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("topic \"%s\" has no segments", topic->name)));
	}
	topic->valid = (invalidations == invalidations_before);
	have_invalid_topics |= !topic->valid;

	entry = hash_search(topics_by_relation, &topic->relid, HASH_ENTER, &found);
	if (found)
	{
		/* Whoever still uses it must know. */
		entry->topic->valid = false;
		MemoryContextSetParent(entry->topic->context, stale_topics);
	}
	entry->topic = topic;
	MemoryContextSetParent(topic->context, TopMemoryContext);

	name_entry = hash_search(relations_by_name, topic->name, HASH_ENTER, NULL);
	name_entry->relid = topic->relid;
	return topic;
}

Topic *
topic_lookup_relation(Oid relid)
{
	TopicEntry *entry;

	entry = hash_search(topics_by_relation, &relid, HASH_FIND, NULL);
	if (entry && entry->topic->valid)
		return entry->topic;
	return read_topic(Anum_topics_relation, F_OIDEQ, ObjectIdGetDatum(relid));
}

Topic *
topic_lookup(const char *name)
{
	TopicNameEntry *entry;

	/* No topic has a longer name, and the hash key must not be cut. */
	if (strlen(name) >= NAMEDATALEN)
		return NULL;

	entry = hash_search(relations_by_name, name, HASH_FIND, NULL);
	if (entry)
	{
		TopicEntry *cached = hash_search(topics_by_relation, &entry->relid,
										 HASH_FIND, NULL);

		if (cached && cached->topic->valid)
			return cached->topic;
	}
	return read_topic(Anum_topics_topic, F_TEXTEQ, CStringGetTextDatum(name));
}

void
report_unknown_topic(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("topic \"%s\" does not exist", name),
			 errhint("View topic.topic_stats lists topics; topic.create_topic() creates one.")));
}

char *
topic_relation_name(const Topic *topic)
{
	char	   *schema = get_namespace_name(get_rel_namespace(topic->relid));
	char	   *name = get_rel_name(topic->relid);

	/* Somebody may just have dropped it. */
	if (!schema || !name)
		report_unknown_topic(topic->name);
	return quote_qualified_identifier(schema, name);
}

/* Somebody may just have dropped what rights are asked for. */
static void
check_owner(const Topic *topic)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(topic->relid)))
		report_unknown_topic(topic->name);
	if (!relation_ownercheck(topic->relid, GetUserId()))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of topic \"%s\"", topic->name)));
}

static void
check_privilege(const Topic *topic, AclMode privilege)
{
	bool		is_missing = false;
	AclResult	result = pg_class_aclcheck_ext(topic->relid, GetUserId(),
											   privilege, &is_missing);

	if (is_missing)
		report_unknown_topic(topic->name);
	if (result != ACLCHECK_OK)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for topic \"%s\"", topic->name),
				 errdetail("%s privilege on %s is needed.",
						   privilege == ACL_INSERT ? "INSERT" : "SELECT",
						   topic_relation_name(topic))));
}

Topic *
topic_open(const char *name, AclMode privilege, LOCKMODE lockmode)
{
	for (;;)
	{
		uint64		messages = SharedInvalidMessageCounter;
		Topic	   *topic;

		CHECK_FOR_INTERRUPTS();
		topic = topic_lookup(name);
		if (!topic)
			report_unknown_topic(name);

		/*
		 * Rights first, so that nobody can queue for a lock without them; and
		 * again if anything changed while we waited.
		 */
		if (privilege == ACL_NO_RIGHTS)
			check_owner(topic);
		else
			check_privilege(topic, privilege);
		LockRelationOid(topic->relid, lockmode);
		AcceptInvalidationMessages();
		if (topic->valid || messages == SharedInvalidMessageCounter)
			return topic;
	}
}

Topic *
topic_refresh(Topic *topic)
{
	Topic	   *latest = topic_lookup_relation(topic->relid);

	if (!latest)
		report_unknown_topic(topic->name);
	return latest;
}

void
check_partition(const Topic *topic, int partition)
{
	if (partition < 0 || partition >= topic->partitions)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("topic \"%s\" has no partition %d",
						topic->name, partition),
				 errdetail("Its partitions are 0 to %d.",
						   topic->partitions - 1)));
}

int
rotating_partition(const Topic *topic)
{
	static bool started = false;
	static uint32 counter;

	if (!started)
	{
		counter = pg_prng_uint32(&pg_global_prng_state);
		started = true;
	}
	return counter++ % topic->partitions;
}
