/*-------------------------------------------------------------------------
 *
 * failing_call.c
 *		Has pg_topic's calls of PostgreSQL and of libraries fail, for tests:
 *		those that need memory, locks, temporary files or the like.
 *
 * A copy of pg_topic is built with this file, and linked so that its calls of
 * the functions below, but nobody else's, come here (t/050_failing_calls.pl).
 *
 * What is done while a transaction ends must not fail; so nothing that can may
 * be called then.  Such a call is a PANIC, whether it was to fail or not.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#define LZ4F_STATIC_LINKING_ONLY	/* for the codes of errors */
#include <lz4frame.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "storage/fd.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(fail_calls);

static int64 calls = 0;			/* since the last fail_calls() */
static int64 first_failure = 0; /* the first one that fails */
static int64 failures = 0;		/* how many do from that on */

static bool
call_fails(const char *function)
{
	if (!IsTransactionState() && GetCurrentTransactionNestLevel() > 0)
		elog(PANIC, "%s called while a transaction ends", function);
	calls++;
	return calls >= first_failure && calls - first_failure < failures;
}

static void
call(const char *function)
{
	if (call_fails(function))
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("call %lld failed on purpose: %s", (long long) calls,
						function)));
}

/* A function whose calls come here first. */
#define WRAP(type, name, parameters, arguments) \
	extern type __real_##name parameters; \
	extern type __wrap_##name parameters; \
	type \
	__wrap_##name parameters \
	{ \
		call(#name); \
		return __real_##name arguments; \
	}

/* The same of a library, which reports by what it returns. */
#define WRAP_LIBRARY(type, name, parameters, arguments, failure) \
	extern type __real_##name parameters; \
	extern type __wrap_##name parameters; \
	type \
	__wrap_##name parameters \
	{ \
		if (call_fails(#name)) \
			return failure; \
		return __real_##name arguments; \
	}

#define LZ4_NO_MEMORY ((size_t) -(ssize_t) LZ4F_ERROR_allocation_failed)
#define ZSTD_NO_MEMORY ((size_t) -(ssize_t) ZSTD_error_memory_allocation)

WRAP(void *, palloc, (Size size), (size))
WRAP(void *, palloc0, (Size size), (size))
WRAP(void *, repalloc, (void *old, Size size), (old, size))
WRAP(void *, repalloc_huge, (void *old, Size size), (old, size))
WRAP(void *, MemoryContextAlloc, (MemoryContext context, Size size),
	 (context, size))
WRAP(void *, MemoryContextAllocZero, (MemoryContext context, Size size),
	 (context, size))
WRAP(void *, MemoryContextAllocHuge, (MemoryContext context, Size size),
	 (context, size))
WRAP(char *, MemoryContextStrdup, (MemoryContext context, const char *string),
	 (context, string))
WRAP(char *, pstrdup, (const char *string), (string))
WRAP(MemoryContext, AllocSetContextCreateInternal,
	 (MemoryContext parent, const char *name, Size smallest, Size initial,
	  Size largest),
	 (parent, name, smallest, initial, largest))
WRAP(void, enlargeStringInfo, (StringInfo string, int needed), (string, needed))
WRAP(List *, lappend, (List *list, void *element), (list, element))
WRAP(HTAB *, hash_create,
	 (const char *name, long elements, const HASHCTL *control, int flags),
	 (name, elements, control, flags))
WRAP(HeapTuple, heap_form_tuple,
	 (TupleDesc columns, Datum *values, bool *nulls), (columns, values, nulls))
WRAP(Tuplestorestate *, tuplestore_begin_heap,
	 (bool random_access, bool across_transactions, int memory),
	 (random_access, across_transactions, memory))
WRAP(void, tuplestore_putvalues,
	 (Tuplestorestate *store, TupleDesc columns, Datum *values, bool *nulls),
	 (store, columns, values, nulls))
WRAP(LockAcquireResult, LockAcquire,
	 (const LOCKTAG *tag, LOCKMODE mode, bool session, bool try),
	 (tag, mode, session, try))
WRAP(void, LockRelationOid, (Oid relation, LOCKMODE mode), (relation, mode))
WRAP(bool, ConditionalLockRelationOid, (Oid relation, LOCKMODE mode),
	 (relation, mode))
WRAP(Relation, table_open, (Oid relation, LOCKMODE mode), (relation, mode))
WRAP(Relation, index_open, (Oid relation, LOCKMODE mode), (relation, mode))
WRAP(SysScanDesc, systable_beginscan,
	 (Relation table, Oid index, bool by_index, Snapshot snapshot, int count,
	  ScanKey keys),
	 (table, index, by_index, snapshot, count, keys))
WRAP(SysScanDesc, systable_beginscan_ordered,
	 (Relation table, Relation index, Snapshot snapshot, int count,
	  ScanKey keys),
	 (table, index, snapshot, count, keys))
WRAP(HeapTuple, systable_getnext, (SysScanDesc scan), (scan))
WRAP(bool, index_getnext_slot,
	 (IndexScanDesc scan, ScanDirection direction, TupleTableSlot *slot),
	 (scan, direction, slot))
WRAP(Snapshot, RegisterSnapshot, (Snapshot snapshot), (snapshot))
WRAP(void, PushActiveSnapshot, (Snapshot snapshot), (snapshot))
WRAP(TransactionId, GetCurrentTransactionId, (void), ())
WRAP(void, BeginInternalSubTransaction, (const char *name), (name))
WRAP(int, SPI_connect, (void), ())
WRAP(SPIPlanPtr, SPI_prepare, (const char *command, int count, Oid *types),
	 (command, count, types))
WRAP(int, SPI_execute_plan,
	 (SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only,
	  long rows),
	 (plan, values, nulls, read_only, rows))
WRAP(void, ExecOpenIndices, (ResultRelInfo *relation, bool speculative),
	 (relation, speculative))
WRAP(void, ExecSimpleRelationInsert,
	 (ResultRelInfo *relation, EState *estate, TupleTableSlot *slot),
	 (relation, estate, slot))
WRAP(File, OpenTemporaryFile, (bool across_transactions), (across_transactions))

WRAP_LIBRARY(size_t, LZ4F_compressFrame,
			 (void *target, size_t target_size, const void *source,
			  size_t source_size, const LZ4F_preferences_t *preferences),
			 (target, target_size, source, source_size, preferences),
			 LZ4_NO_MEMORY)
WRAP_LIBRARY(size_t, LZ4F_createDecompressionContext,
			 (LZ4F_dctx **context, unsigned version), (context, version),
			 LZ4_NO_MEMORY)
/* It allocates buffers that it keeps. */
WRAP_LIBRARY(size_t, LZ4F_decompress,
			 (LZ4F_dctx *context, void *target, size_t *target_size,
			  const void *source, size_t *source_size,
			  const LZ4F_decompressOptions_t *options),
			 (context, target, target_size, source, source_size, options),
			 LZ4_NO_MEMORY)
WRAP_LIBRARY(ZSTD_CCtx *, ZSTD_createCCtx, (void), (), NULL)
WRAP_LIBRARY(ZSTD_DCtx *, ZSTD_createDCtx, (void), (), NULL)
WRAP_LIBRARY(size_t, ZSTD_compressCCtx,
			 (ZSTD_CCtx *context, void *target, size_t target_size,
			  const void *source, size_t source_size, int level),
			 (context, target, target_size, source, source_size, level),
			 ZSTD_NO_MEMORY)
WRAP_LIBRARY(size_t, ZSTD_decompressDCtx,
			 (ZSTD_DCtx *context, void *target, size_t target_size,
			  const void *source, size_t source_size),
			 (context, target, target_size, source, source_size),
			 ZSTD_NO_MEMORY)

extern void *__real_hash_search(HTAB *table, const void *key, HASHACTION action,
								bool *found);
extern void *__wrap_hash_search(HTAB *table, const void *key, HASHACTION action,
								bool *found);

void *
__wrap_hash_search(HTAB *table, const void *key, HASHACTION action, bool *found)
{
	if (action == HASH_ENTER)
		call("hash_search");
	return __real_hash_search(table, key, action, found);
}

/*
 * fail_calls(first bigint, failures bigint) returns bigint
 *
 * So many calls fail from now on, the first of them being the one of that
 * number.  Returns how many there were since the last time.
 */
Datum
fail_calls(PG_FUNCTION_ARGS)
{
	int64		result = calls;

	calls = 0;
	first_failure = PG_GETARG_INT64(0);
	failures = PG_GETARG_INT64(1);
	PG_RETURN_INT64(result);
}
