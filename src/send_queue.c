/*-------------------------------------------------------------------------
 *
 * send_queue.c
 *		Records that the transaction appends when it commits.
 *
 * A record that is appended is in the log from then on, and until its
 * transaction ends, readers stop before it.  A transaction that only sends has
 * nothing in the log before it commits: it holds nobody back however long it
 * takes, and its records come behind those of whoever commits earlier.
 *
 * Each topic has a queue of its own: a stream of bytes that begins in a
 * temporary file, if it got too long, and ends in memory.  All queues together
 * keep no more than pg_topic.send_buffer in memory; beyond that the largest
 * goes to its file.  ROLLBACK TO a savepoint cuts the streams where they ended
 * when the savepoint was set; marks tell where that was, for those that have
 * grown since.
 *
 * The queues are written to the log by a callback just before COMMIT, or
 * PREPARE TRANSACTION: deferred triggers have run, so they can send, too.  A
 * topic's queue becomes full batches, in the order in which the records were
 * sent; the topics take turns in the order of their relations' oids, so that
 * two transactions take the locks on segments in the same order.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/tablespace.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "bulk_producer.h"
#include "record_value.h"
#include "send_queue.h"

/* What a queue's memory begins with. */
#define INITIAL_CAPACITY	((size_t) 8 * 1024)

/* What is read or written at a time. */
#define IO_BYTES			((size_t) 256 * 1024)

/* pg_topic.send_buffer, in kB. */
static int	send_buffer = 16 * 1024;

/* The records for a topic. */
typedef struct SendQueue
{
	Oid			relid;			/* the topic's relation */
	char		name[NAMEDATALEN];	/* the topic's name, for errors */
	File		file;			/* -1: never needed */
	int64		file_size;		/* bytes of the stream in the file */
	char	   *memory;			/* the bytes behind these */
	size_t		size;
	size_t		capacity;
	int			nest_level;		/* of the latest mark, or 1 */
	struct SendQueue *next;
} SendQueue;

/* How long a queue was when a subtransaction first added to it. */
typedef struct QueueMark
{
	SendQueue  *queue;
	int64		length;
	int			nest_level;		/* of the subtransaction */
	int			outer_level;	/* nest_level of the queue before */
	struct QueueMark *earlier;
} QueueMark;

/*
 * A record in a queue, followed by its key, its value, and its headers, each
 * of these with a QueuedHeader before its key and value.
 */
typedef struct QueuedRecord
{
	int64		timestamp;
	int32		partition;
	int32		key_length;
	int32		value_length;
	int32		header_count;
	size_t		size;			/* of what follows */
} QueuedRecord;

typedef struct QueuedHeader
{
	int32		key_length;
	int32		value_length;
} QueuedHeader;

/*
 * The transaction's queues, by relid, in a context of their own; and marks,
 * the latest first, so that nest levels never rise along the list.
 */
static MemoryContext queue_context = NULL;
static SendQueue *queues = NULL;
static QueueMark *marks = NULL;
static size_t memory_used = 0;	/* capacities of all queues */

/*
 * Are the queues being written to the log, or have they been?  To the end of the
 * transaction: callbacks of others that come after ours could still send.
 */
static bool flushed = false;

/* Forget the queues: their memory and files go with the transaction. */
static void
forget_queues(void)
{
	queue_context = NULL;
	queues = NULL;
	marks = NULL;
	memory_used = 0;
}

static int64
queue_length(const SendQueue *queue)
{
	return queue->file_size + queue->size;
}

/* The topic's queue; a new one if there is none. */
static SendQueue *
find_queue(const Topic *topic)
{
	SendQueue **link = &queues;
	SendQueue  *queue;

	if (!queue_context)
		queue_context = AllocSetContextCreate(TopTransactionContext,
											  "pg_topic send queues",
											  ALLOCSET_DEFAULT_SIZES);
	while (*link && (*link)->relid < topic->relid)
		link = &(*link)->next;
	if (*link && (*link)->relid == topic->relid)
		return *link;

	queue = MemoryContextAllocZero(queue_context, sizeof(SendQueue));
	queue->relid = topic->relid;
	strlcpy(queue->name, topic->name, NAMEDATALEN);
	queue->file = -1;
	queue->nest_level = 1;
	queue->next = *link;
	*link = queue;
	return queue;
}

/*
 * Savepoints.
 */

/* The current subtransaction is going to add to the queue. */
static void
mark_queue(SendQueue *queue)
{
	int			nest_level = GetCurrentTransactionNestLevel();
	QueueMark  *mark;

	if (queue->nest_level == nest_level)
		return;
	mark = MemoryContextAlloc(queue_context, sizeof(QueueMark));
	mark->queue = queue;
	mark->length = queue_length(queue);
	mark->nest_level = nest_level;
	mark->outer_level = queue->nest_level;
	mark->earlier = marks;
	marks = mark;
	queue->nest_level = nest_level;
}

/*
 * Shorten a queue.  What is beyond in the file is overwritten, if anything
 * comes after it.
 */
static void
cut_queue(SendQueue *queue, int64 length)
{
	if (length >= queue->file_size)
		queue->size = length - queue->file_size;
	else
	{
		queue->file_size = length;
		queue->size = 0;
	}
}

/* What a subtransaction has added is gone. */
static void
abort_marks(int nest_level)
{
	while (marks && marks->nest_level >= nest_level)
	{
		QueueMark  *mark = marks;

		cut_queue(mark->queue, mark->length);
		mark->queue->nest_level = mark->outer_level;
		marks = mark->earlier;
		pfree(mark);
	}
}

/* What a subtransaction has added belongs to the one around it. */
static void
commit_marks(int nest_level)
{
	QueueMark **link = &marks;

	while (*link && (*link)->nest_level >= nest_level)
	{
		QueueMark  *mark = *link;

		mark->queue->nest_level = nest_level - 1;
		if (mark->outer_level == nest_level - 1)
		{
			*link = mark->earlier;
			pfree(mark);
		}
		else
		{
			mark->nest_level = nest_level - 1;
			link = &mark->earlier;
		}
	}
}

/*
 * Writing to queues.
 */

/* The file is the transaction's, not the subtransaction's. */
static void
open_file(SendQueue *queue)
{
	ResourceOwner old_owner = CurrentResourceOwner;

	PrepareTempTablespaces();
	CurrentResourceOwner = TopTransactionResourceOwner;
	queue->file = OpenTemporaryFile(false);
	CurrentResourceOwner = old_owner;
}

/*
 * Write bytes behind those that the queue has in its file.  They belong to it
 * once the caller says so: this may fail in the middle.
 */
static void
write_to_file(SendQueue *queue, const char *data, size_t length)
{
	size_t		done = 0;

	if (queue->file < 0)
		open_file(queue);
	while (done < length)
	{
		int			written;

		errno = 0;
		written = FileWrite(queue->file, unconstify(char *, data + done),
							Min(length - done, IO_BYTES),
							queue->file_size + done, WAIT_EVENT_BUFFILE_WRITE);
		if (written <= 0)
		{
			if (errno == 0)
				errno = ENOSPC;
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not write to file \"%s\": %m",
							FilePathName(queue->file))));
		}
		done += written;
	}
}

/* Move what a queue has in memory to its file. */
static void
spill_queue(SendQueue *queue)
{
	write_to_file(queue, queue->memory, queue->size);
	queue->file_size += queue->size;
	queue->size = 0;
}

static void
free_memory(SendQueue *queue)
{
	pfree(queue->memory);
	memory_used -= queue->capacity;
	queue->memory = NULL;
	queue->capacity = 0;
}

static void
set_capacity(SendQueue *queue, size_t capacity)
{
	if (queue->memory)
		queue->memory = repalloc_huge(queue->memory, capacity);
	else
		queue->memory = MemoryContextAllocHuge(queue_context, capacity);
	memory_used += capacity - queue->capacity;
	queue->capacity = capacity;
}

static SendQueue *
largest_queue(void)
{
	SendQueue  *largest = queues;

	for (SendQueue *queue = queues; queue; queue = queue->next)
		if (queue->capacity > largest->capacity)
			largest = queue;
	return largest;
}

/*
 * Make room in memory for so many bytes more, if need be by moving others to
 * files.  There is none for what alone is larger than the buffer.
 */
static void
make_room(SendQueue *queue, size_t length)
{
	size_t		limit = (size_t) send_buffer * 1024;

	while (queue->size + length > queue->capacity)
	{
		size_t		needed = queue->size + length;
		size_t		others = memory_used - queue->capacity;
		size_t		available = limit > others ? limit - others : 0;
		SendQueue  *largest = length > limit ? queue : largest_queue();

		if (needed <= available)
		{
			size_t		capacity = Max(queue->capacity * 2, INITIAL_CAPACITY);

			set_capacity(queue, Min(Max(capacity, needed), available));
			return;
		}
		if (largest->capacity == 0)
			return;
		spill_queue(largest);
		if (largest != queue || length > queue->capacity)
			free_memory(largest);
	}
}

static void
add_bytes(SendQueue *queue, const void *data, size_t length)
{
	if (queue->size + length > queue->capacity)
		make_room(queue, length);
	if (queue->size + length > queue->capacity)
	{
		write_to_file(queue, data, length);
		queue->file_size += length;
	}
	else if (length > 0)
	{
		memcpy(queue->memory + queue->size, data, length);
		queue->size += length;
	}
}

static void
add_record_bytes(SendQueue *queue, RecordBytes bytes)
{
	add_bytes(queue, bytes.data, Max(bytes.length, 0));
}

/* The bytes of a record behind its QueuedRecord. */
static size_t
queued_size(const RecordInput *record)
{
	size_t		size = (size_t) Max(record->key.length, 0) +
		Max(record->value.length, 0);

	for (int i = 0; i < record->header_count; i++)
		size += sizeof(QueuedHeader) + record->headers[i].key.length +
			Max(record->headers[i].value.length, 0);
	return size;
}

void
send_record(Topic *topic, int partition, const RecordInput *record)
{
	SendQueue  *queue;
	QueuedRecord queued = {
		.timestamp = record->timestamp,
		.partition = partition,
		.key_length = record->key.length,
		.value_length = record->value.length,
		.header_count = record->header_count,
		.size = queued_size(record)
	};

	PreventCommandIfParallelMode("send");
	if (flushed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot send to topic \"%s\" while the transaction commits",
						topic->name)));

	queue = find_queue(topic);
	mark_queue(queue);
	add_bytes(queue, &queued, sizeof(queued));
	add_record_bytes(queue, record->key);
	add_record_bytes(queue, record->value);
	for (int i = 0; i < record->header_count; i++)
	{
		const RecordHeader *header = &record->headers[i];
		QueuedHeader queued_header = {
			.key_length = header->key.length,
			.value_length = header->value.length
		};

		add_bytes(queue, &queued_header, sizeof(queued_header));
		add_record_bytes(queue, header->key);
		add_record_bytes(queue, header->value);
	}
}

/*
 * Reading queues.
 */

/* A place in a queue, and the bytes that come there. */
typedef struct QueueReader
{
	SendQueue  *queue;
	int64		position;		/* of the bytes that were not read yet */
	char	   *buffer;			/* those that were */
	size_t		capacity;
	size_t		start;			/* of those that are left */
	size_t		end;
	RecordHeader *headers;		/* of the record */
	int			header_capacity;
} QueueReader;

/* Read bytes at the reader's position, of which there are so many. */
static void
read_bytes(QueueReader *reader, char *target, size_t length)
{
	SendQueue  *queue = reader->queue;

	while (length > 0)
	{
		size_t		part = length;

		if (reader->position >= queue->file_size)
			memcpy(target, queue->memory + (reader->position - queue->file_size),
				   part);
		else
		{
			int			count;

			errno = 0;
			count = FileRead(queue->file, target,
							 Min(queue->file_size - reader->position,
								 Min(length, IO_BYTES)),
							 reader->position, WAIT_EVENT_BUFFILE_READ);
			if (count <= 0)
				ereport(ERROR,
						(errcode_for_file_access(),
						 errmsg("could not read from file \"%s\": %m",
								FilePathName(queue->file))));
			part = count;
		}
		target += part;
		length -= part;
		reader->position += part;
	}
}

/*
 * Take the next bytes of the queue, of which there are so many.  They stay
 * until the next call.
 */
static const char *
take_bytes(QueueReader *reader, size_t length)
{
	size_t		left = reader->end - reader->start;
	const char *bytes;

	if (length > left)
	{
		char	   *buffer = reader->buffer;
		size_t		more;

		if (length > reader->capacity)
		{
			reader->capacity = Max(length, IO_BYTES);
			reader->buffer = MemoryContextAllocHuge(CurrentMemoryContext,
													reader->capacity);
		}
		if (left > 0)
			memmove(reader->buffer, buffer + reader->start, left);
		if (buffer && buffer != reader->buffer)
			pfree(buffer);
		more = Min(reader->capacity - left,
				   queue_length(reader->queue) - reader->position);
		read_bytes(reader, reader->buffer + left, more);
		reader->start = 0;
		reader->end = left + more;
		Assert(reader->end >= length);
	}
	bytes = reader->buffer + reader->start;
	reader->start += length;
	return bytes;
}

/* The next bytes of the record, null if their length says so. */
static RecordBytes
next_bytes(const char **place, int32 length)
{
	RecordBytes bytes = {NULL, length};

	if (length >= 0)
	{
		bytes.data = *place;
		*place += length;
	}
	return bytes;
}

/*
 * Read the next record; false at the end of the queue.  It stays in memory
 * until the next call.
 */
static bool
read_record(QueueReader *reader, int *partition, RecordInput *record)
{
	QueuedRecord queued;
	const char *place;

	if (reader->start == reader->end &&
		reader->position == queue_length(reader->queue))
		return false;
	memcpy(&queued, take_bytes(reader, sizeof(queued)), sizeof(queued));
	place = take_bytes(reader, queued.size);
	if (queued.header_count > reader->header_capacity)
	{
		if (reader->headers)
			pfree(reader->headers);
		reader->header_capacity = queued.header_count;
		reader->headers = palloc(queued.header_count * sizeof(RecordHeader));
	}

	*partition = queued.partition;
	memset(record, 0, sizeof(RecordInput));
	record->timestamp = queued.timestamp;
	record->key = next_bytes(&place, queued.key_length);
	record->value = next_bytes(&place, queued.value_length);
	record->headers = reader->headers;
	record->header_count = queued.header_count;
	for (int i = 0; i < queued.header_count; i++)
	{
		QueuedHeader header;

		memcpy(&header, place, sizeof(header));
		place += sizeof(header);
		reader->headers[i].key = next_bytes(&place, header.key_length);
		reader->headers[i].value = next_bytes(&place, header.value_length);
	}
	return true;
}

/*
 * The topic of a queue, as it is now: partitions may have been added.  The lock
 * on its relation was taken when it was sent to, so nobody but the transaction
 * itself can have dropped it.
 */
static Topic *
queue_topic(const SendQueue *queue)
{
	Topic	   *topic = NULL;

	AcceptInvalidationMessages();

	/* If the extension was dropped, its catalog is missing, too. */
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(queue->relid)))
		topic = topic_lookup_relation(queue->relid);
	if (!topic)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("topic \"%s\" does not exist", queue->name),
				 errdetail("It was dropped after records had been sent to it in the same transaction.")));
	return topic;
}

/* Nobody asks for the offsets. */
static void
ignore_run(void *arg, int partition, int64 base_offset, int64 record_count)
{
}

/*
 * Append a queue's records.  The topic's options may have been altered since
 * they were sent.
 */
static void
flush_queue(SendQueue *queue)
{
	Topic	   *topic;
	BulkProducer *producer;
	QueueReader reader = {.queue = queue};
	RecordInput record;
	int			partition;
	int64		now = record_timestamp_from(GetCurrentTimestamp());

	if (queue_length(queue) == 0)
		return;
	topic = queue_topic(queue);
	producer = bulk_producer_begin(topic, ignore_run, NULL);
	while (read_record(&reader, &partition, &record))
	{
		CHECK_FOR_INTERRUPTS();
		check_record(topic, &record);
		if (topic->log_append_time)
			record.timestamp = now;
		(void) bulk_producer_add(producer, partition, &record);
	}
	bulk_producer_end(producer);
	if (reader.headers)
		pfree(reader.headers);
	pfree(reader.buffer);
}

/* Append what the transaction has sent. */
static void
flush_queues(void)
{
	MemoryContext old_context;

	flushed = true;
	if (!queues)
		return;
	old_context = MemoryContextSwitchTo(queue_context);
	PushActiveSnapshot(GetTransactionSnapshot());
	for (SendQueue *queue = queues; queue; queue = queue->next)
	{
		flush_queue(queue);
		if (queue->file >= 0)
			FileClose(queue->file);
	}
	PopActiveSnapshot();
	MemoryContextSwitchTo(old_context);
	MemoryContextDelete(queue_context);
	forget_queues();
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			flush_queues();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			forget_queues();
			flushed = false;
			break;
		default:
			break;
	}
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId id,
				   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		abort_marks(GetCurrentTransactionNestLevel());
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		commit_marks(GetCurrentTransactionNestLevel());
}

void
send_queue_init(void)
{
	DefineCustomIntVariable("pg_topic.send_buffer",
							"Memory for records that a transaction has sent, before they go to temporary files.",
							NULL, &send_buffer, 16 * 1024, 64, MAX_KILOBYTES,
							PGC_USERSET, GUC_UNIT_KB, NULL, NULL, NULL);
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
