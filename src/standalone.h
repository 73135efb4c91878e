/*-------------------------------------------------------------------------
 *
 * standalone.h
 *		What the code that knows no SQL needs of PostgreSQL, so that tests and
 *		fuzzers can link it without a server (RECORD_BATCH_STANDALONE): c.h
 *		and a memory allocator, which then is malloc.
 *
 * Stands in the place of postgres.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_STANDALONE_H
#define TOPIC_STANDALONE_H

#ifndef RECORD_BATCH_STANDALONE

#include "postgres.h"

#include "utils/memutils.h"

/* A library's own allocator has failed. */
static inline void
report_out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}

#else

#include "c.h"

static inline void
report_out_of_memory(void)
{
	abort();
}

static inline void *
palloc(size_t size)
{
	void	   *memory = malloc(size);

	if (memory == NULL)
		report_out_of_memory();
	return memory;
}

static inline void *
repalloc(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (memory == NULL)
		report_out_of_memory();
	return memory;
}

static inline void
pfree(void *memory)
{
	free(memory);
}

/* The largest allocation that palloc() allows. */
#define MaxAllocSize	((size_t) 0x3fffffff)

#endif							/* RECORD_BATCH_STANDALONE */

#endif							/* TOPIC_STANDALONE_H */
