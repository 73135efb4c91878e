/*-------------------------------------------------------------------------
 *
 * memcheck.h
 *		Has AddressSanitizer know what PostgreSQL would tell valgrind.
 *
 * PostgreSQL's memory contexts get memory in blocks and hand out chunks of
 * them, and its buffers are one piece of shared memory: AddressSanitizer by
 * itself sees neither the end of a chunk nor that it was freed, nor that a
 * buffer is no longer pinned.  But built with USE_VALGRIND, PostgreSQL says all
 * that, by the requests of valgrind's header of this name.  This one has them
 * poison and unpoison the memory instead.
 *
 * AddressSanitizer does not know what memory is undefined: such is allowed.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MEMCHECK_H
#define MEMCHECK_H

#include <sanitizer/asan_interface.h>

#define VALGRIND_MAKE_MEM_NOACCESS(address, size) \
	__asan_poison_memory_region(address, size)
#define VALGRIND_MAKE_MEM_DEFINED(address, size) \
	__asan_unpoison_memory_region(address, size)
#define VALGRIND_MAKE_MEM_UNDEFINED(address, size) \
	__asan_unpoison_memory_region(address, size)
#define VALGRIND_CHECK_MEM_IS_DEFINED(address, size)	((void) 0)
#define VALGRIND_GET_VBITS(address, bits, size)			((void) (bits), 0)

/* A context wipes what it frees by the requests above. */
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed)	((void) 0)
#define VALGRIND_DESTROY_MEMPOOL(pool)					((void) 0)
#define VALGRIND_MEMPOOL_TRIM(pool, address, size)		((void) 0)
#define VALGRIND_MEMPOOL_ALLOC(pool, address, size) \
	__asan_unpoison_memory_region(address, size)
#define VALGRIND_MEMPOOL_FREE(pool, address)			((void) 0)
#define VALGRIND_MEMPOOL_CHANGE(pool, old, new, size) \
	__asan_unpoison_memory_region(new, size)

#define RUNNING_ON_VALGRIND		0
#define VALGRIND_COUNT_ERRORS	0
#define VALGRIND_PRINTF(...)	((void) 0)

#endif							/* MEMCHECK_H */
