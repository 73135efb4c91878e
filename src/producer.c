/*-------------------------------------------------------------------------
 *
 * producer.c
 *		Idempotent producers, their epochs, and who may use them:
 *		init_producer.
 *
 * A process that takes over a transactional_id gets a greater epoch, and from
 * then on nothing that a process before it has left can get into the log: it
 * is fenced.  That process may be in the middle of a transaction that lasts.
 * Nobody waits for it; it fails when it commits.
 *
 * For that, who commits what he has produced shares a lock on the producer from
 * his last look at the epoch to the end of his commit; and who has changed the
 * epoch takes the lock alone, to the end of his commit.  Both take it in a
 * pre-commit callback, so the two wait for each other's commit and no longer.
 * If the producer was first, his records are committed before the new epoch is;
 * if the other, the producer sees the new epoch and fails.  Hence when the new
 * epoch is committed, every record of an older one is, or never will be.
 *
 * PREPARE TRANSACTION looks at the epoch as COMMIT does, and the lock stays with
 * the prepared transaction, which can still commit: a new epoch waits for it.
 *
 * The lock is an object lock on topic.producers.  A transaction takes those of
 * several producers in the order of their ids, before segments are switched:
 * that makes others wait (segment_roll.c).
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "arguments.h"
#include "catalog.h"
#include "errors.h"
#include "lock_tag.h"
#include "producer.h"
#include "transaction_lock.h"

PG_FUNCTION_INFO_V1(topic_init_producer);

#define MAX_TRANSACTIONAL_ID_BYTES	255

/* What the transaction has done with a producer's epoch. */
typedef struct EpochUse
{
	int64		producer_id;
	bool		ended;			/* it has ended the epoch; else produced */
	int			producer_epoch;
	int			nest_level;		/* the subtransaction that has */
	struct EpochUse *next;
} EpochUse;

/* In TopTransactionContext, the latest first. */
static EpochUse *epoch_uses = NULL;

static void
note_epoch_use(int64 producer_id, int producer_epoch, bool ended)
{
	EpochUse   *use;

	for (use = epoch_uses; use; use = use->next)
		if (use->producer_id == producer_id &&
			use->producer_epoch == producer_epoch && use->ended == ended)
			return;

	use = MemoryContextAlloc(TopTransactionContext, sizeof(EpochUse));
	use->producer_id = producer_id;
	use->producer_epoch = producer_epoch;
	use->ended = ended;
	use->nest_level = GetCurrentTransactionNestLevel();
	use->next = epoch_uses;
	epoch_uses = use;
}

void
note_produced(int64 producer_id, int producer_epoch)
{
	note_epoch_use(producer_id, producer_epoch, false);
}

void
set_epoch_lock_tag(LOCKTAG *tag, int64 producer_id)
{
	/* Ids count up from 1: 48 bits of them are all that there will be. */
	set_lock_tag(tag, catalog_relation_oid("producers"), (uint32) producer_id,
				 (uint16) (producer_id >> 32));
}

/* A producer as it stands now. */
typedef struct Producer
{
	bool		found;
	int			epoch;
	Oid			owner;
} Producer;

static Producer
read_producer(int64 producer_id)
{
	Producer	producer = {0};
	Relation	relation = table_open(catalog_relation_oid("producers"),
									  AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_producers_producer_id, BTEqualStrategyNumber,
				F_INT8EQ, Int64GetDatum(producer_id));
	scan = systable_beginscan(relation, catalog_relation_oid("producers_pkey"),
							  true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		TupleDesc	columns = RelationGetDescr(relation);
		bool		isnull;

		producer.found = true;
		producer.epoch =
			DatumGetInt32(heap_getattr(tuple, Anum_producers_producer_epoch,
									   columns, &isnull));
		producer.owner = DatumGetObjectId(heap_getattr(tuple,
													   Anum_producers_owner,
													   columns, &isnull));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return producer;
}

/* Raise an error unless this is the producer's epoch. */
static void
check_epoch(const Producer *producer, int64 producer_id, int producer_epoch)
{
	if (!producer->found)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PRODUCER_EPOCH),
				 errmsg("producer " INT64_FORMAT " does not exist", producer_id),
				 errhint("It may have expired.  topic.init_producer() makes producers.")));
	if (producer->epoch != producer_epoch)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PRODUCER_EPOCH),
				 errmsg("epoch %d of producer " INT64_FORMAT " is not valid",
						producer_epoch, producer_id),
				 errdetail("Its epoch is %d.", producer->epoch),
				 producer->epoch > producer_epoch
				 ? errhint("Another process has called topic.init_producer() for it.")
				 : 0));
}

void
check_producer(int64 producer_id, int producer_epoch)
{
	Producer	producer = read_producer(producer_id);

	if (producer.found && !has_privs_of_role(GetUserId(), producer.owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for producer " INT64_FORMAT,
						producer_id)));
	check_epoch(&producer, producer_id, producer_epoch);
}

/*
 * In the order of producers; where a transaction has both ended an epoch and
 * produced, the exclusive lock first.
 */
static int
compare_epoch_uses(const void *a, const void *b)
{
	const EpochUse *left = *(EpochUse *const *) a;
	const EpochUse *right = *(EpochUse *const *) b;

	if (left->producer_id != right->producer_id)
		return left->producer_id < right->producer_id ? -1 : 1;
	return (int) right->ended - (int) left->ended;
}

/* See that what was produced may be committed, and lock that. */
static void
lock_epochs(void)
{
	int			count = 0;
	EpochUse  **uses;

	/* The transaction may have dropped the extension. */
	if (!epoch_uses || !OidIsValid(get_namespace_oid(LOG_SCHEMA, true)))
		return;

	for (EpochUse *use = epoch_uses; use; use = use->next)
		count++;
	uses = palloc(count * sizeof(EpochUse *));
	count = 0;
	for (EpochUse *use = epoch_uses; use; use = use->next)
		uses[count++] = use;
	qsort(uses, count, sizeof(EpochUse *), compare_epoch_uses);

	for (int i = 0; i < count; i++)
	{
		LOCKTAG		tag;
		Producer	producer;

		set_epoch_lock_tag(&tag, uses[i]->producer_id);
		transaction_lock_acquire_mode(&tag, uses[i]->ended
									  ? ExclusiveLock : ShareLock);
		if (uses[i]->ended)
			continue;
		producer = read_producer(uses[i]->producer_id);
		check_epoch(&producer, uses[i]->producer_id, uses[i]->producer_epoch);
	}
	pfree(uses);
}

static bool
has_ended_epochs(void)
{
	for (EpochUse *use = epoch_uses; use; use = use->next)
		if (use->ended)
			return true;
	return false;
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_PREPARE:
			if (has_ended_epochs())
				ereport(ERROR,
						(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						 errmsg("cannot PREPARE a transaction that has called topic.init_producer()"),
						 errdetail("Producers would wait until it is committed.")));
			lock_epochs();
			break;
		case XACT_EVENT_PRE_COMMIT:
			lock_epochs();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			epoch_uses = NULL;
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

	/* The latest comes first in the list. */
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (epoch_uses && epoch_uses->nest_level >= nest_level)
			epoch_uses = epoch_uses->next;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		for (EpochUse *use = epoch_uses; use && use->nest_level >= nest_level;
			 use = use->next)
			use->nest_level = nest_level - 1;
}

void
producers_init(void)
{
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}

/* The one row that an SPI command returned: a producer's id and epoch. */
static bool
returned_producer(int64 *producer_id, int *producer_epoch)
{
	bool		isnull;

	if (SPI_processed != 1)
		return false;
	*producer_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
											   SPI_tuptable->tupdesc, 1,
											   &isnull));
	*producer_epoch = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0],
												  SPI_tuptable->tupdesc, 2,
												  &isnull));
	return true;
}

/*
 * Find the producer of that name, if it is the caller's, and lock its row: who
 * initializes it at the same time waits.
 */
static bool
lock_own_producer(Datum transactional_id, Oid user, int64 *producer_id,
				  int *producer_epoch)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {transactional_id, ObjectIdGetDatum(user)};

	catalog_spi_execute("SELECT producer_id, producer_epoch "
						"FROM topic.producers "
						"WHERE transactional_id OPERATOR(pg_catalog.=) $1 "
						"AND pg_catalog.pg_has_role($2, owner, 'USAGE') "
						"FOR UPDATE",
						lengthof(types), types, values, NULL);
	return returned_producer(producer_id, producer_epoch);
}

/* Give a producer a new epoch, or, after the last one, a new id. */
static void
bump_epoch(int64 *producer_id, int *producer_epoch)
{
	Oid			types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(*producer_id)};

	note_epoch_use(*producer_id, *producer_epoch, true);
	catalog_spi_execute(psprintf("UPDATE topic.producers SET %s, "
								 "initialized_at = pg_catalog.clock_timestamp() "
								 "WHERE producer_id OPERATOR(pg_catalog.=) $1 "
								 "RETURNING producer_id, producer_epoch",
								 *producer_epoch < PG_INT16_MAX
								 ? "producer_epoch = producer_epoch OPERATOR(pg_catalog.+) 1"
								 : "producer_id = DEFAULT, producer_epoch = 0"),
						lengthof(types), types, values, NULL);
	if (!returned_producer(producer_id, producer_epoch))
		elog(ERROR, "producer " INT64_FORMAT " was not updated", *producer_id);
}

/*
 * Insert a producer, of that name if it has one; false if there is one.  Waits
 * for who is just inserting it.
 */
static bool
insert_producer(Datum transactional_id, bool has_name, Oid user,
				int64 *producer_id, int *producer_epoch)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {transactional_id, ObjectIdGetDatum(user)};

	catalog_spi_execute("INSERT INTO topic.producers (transactional_id, owner) "
						"VALUES ($1, $2::pg_catalog.regrole) "
						"ON CONFLICT (transactional_id) DO NOTHING "
						"RETURNING producer_id, producer_epoch",
						lengthof(types), types, values, has_name ? "  " : "n ");
	return returned_producer(producer_id, producer_epoch);
}

/* Raise an error if there is a producer of that name, which is another's. */
static void
check_no_other_owner(Datum transactional_id, Oid user)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {transactional_id, ObjectIdGetDatum(user)};

	catalog_spi_execute("SELECT FROM topic.producers "
						"WHERE transactional_id OPERATOR(pg_catalog.=) $1 "
						"AND NOT pg_catalog.pg_has_role($2, owner, 'USAGE')",
						lengthof(types), types, values, NULL);
	if (SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for producer \"%s\"",
						TextDatumGetCString(transactional_id)),
				 errhint("Use another transactional_id.")));
}

/*
 * init_producer(transactional_id text, OUT producer_id bigint,
 *				 OUT producer_epoch smallint)
 */
Datum
topic_init_producer(PG_FUNCTION_ARGS)
{
	bool		has_name = !PG_ARGISNULL(0);
	Datum		name = PG_GETARG_DATUM(0);
	Oid			user = GetUserId();
	int64		producer_id;
	int			producer_epoch;
	SavedUser	saved;
	TupleDesc	columns;
	Datum		values[2];
	bool		nulls[2] = {0};

	if (has_name)
	{
		int			length = VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0));

		if (length == 0 || length > MAX_TRANSACTIONAL_ID_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("transactional_id must have 1 to %d bytes",
							MAX_TRANSACTIONAL_ID_BYTES)));
	}
	PreventCommandIfReadOnly("init_producer");

	catalog_spi_connect();
	saved = become_extension_owner();
	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		if (has_name &&
			lock_own_producer(name, user, &producer_id, &producer_epoch))
		{
			bump_epoch(&producer_id, &producer_epoch);
			break;
		}
		if (has_name)
			check_no_other_owner(name, user);
		if (insert_producer(name, has_name, user, &producer_id,
							&producer_epoch))
			break;
	}
	restore_user(saved);
	SPI_finish();

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "init_producer must return a row");
	values[0] = Int64GetDatum(producer_id);
	values[1] = Int16GetDatum((int16) producer_epoch);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns),
													  values, nulls)));
}
