/*-------------------------------------------------------------------------
 *
 * idempotency_key.h
 *		Keys that are remembered for a time: of several callers who give the
 *		same key, one is the first.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_IDEMPOTENCY_KEY_H
#define TOPIC_IDEMPOTENCY_KEY_H

#include "executor/spi.h"
#include "fmgr.h"
#include "utils/timestamp.h"

/*
 * A table of keys: columns idempotency_key, expires_at, and one that says whose
 * the key is; the primary key is that and idempotency_key.
 */
typedef struct KeyTable
{
	const char *name;
	const char *owner;
	Oid			owner_type;
	SPIPlanPtr	insert;
	SPIPlanPtr	delete_expired;
} KeyTable;

/* A key: 1 to 1024 bytes. */
extern char *idempotency_key_argument(FunctionCallInfo fcinfo, int number);

/*
 * Remember a key until it expires; false if it is remembered already.  Waits
 * for another transaction that has just given it.  To be called with the rights
 * of the extension's owner, within SPI_connect() and SPI_finish().
 */
extern bool remember_key(KeyTable *table, Datum owner, const char *key,
						 TimestampTz now, TimestampTz expiry);

/* Delete so many expired keys at the most; returns how many it were. */
extern uint64 delete_expired_keys(const KeyTable *table, int max_keys);

#endif							/* TOPIC_IDEMPOTENCY_KEY_H */
