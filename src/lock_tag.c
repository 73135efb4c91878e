/*-------------------------------------------------------------------------
 *
 * lock_tag.c
 *		What the locks of objects of the extension are known by.
 *
 * Who chooses a name must not be able to choose the lock of another one by it,
 * and so be in the way of what is none of his business.  So the lock of a name
 * goes by 64 bits of a cryptographic hash: to find a name that has the lock of
 * a given one takes 2^64 trials.  (With the 32 bits of an object's number, or
 * a hash function that can be inverted, it would take a minute.)  A lock tag
 * has 32 bits for the object.  The others take the place of the database, which
 * is part of the name instead; what pg_locks and the server's log show as the
 * database of these locks is none.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "lock_tag.h"

void
set_lock_tag(LOCKTAG *tag, Oid table, uint32 object, uint16 part)
{
	SET_LOCKTAG_OBJECT(*tag, MyDatabaseId, table, object, part);
}

/* To look a key up is faster than to compute it. */
#define RECENT_KEYS	64

static struct
{
	char	   *name;			/* NULL: none */
	uint64		key;
}			recent_keys[RECENT_KEYS];

static uint64
compute_key(const char *name)
{
	char	   *text = psprintf("%u %s", MyDatabaseId, name);
	Datum		hash = DirectFunctionCall1(sha256_bytea,
										   PointerGetDatum(cstring_to_text(text)));
	uint64		key;

	memcpy(&key, VARDATA_ANY(DatumGetPointer(hash)), sizeof(key));
	return key;
}

uint64
lock_key(const char *name)
{
	int			i = hash_bytes((const unsigned char *) name, strlen(name)) %
		RECENT_KEYS;

	if (!recent_keys[i].name || strcmp(recent_keys[i].name, name) != 0)
	{
		uint64		key = compute_key(name);
		char	   *copy = MemoryContextStrdup(TopMemoryContext, name);

		if (recent_keys[i].name)
			pfree(recent_keys[i].name);
		recent_keys[i].name = copy;
		recent_keys[i].key = key;
	}
	return recent_keys[i].key;
}

void
set_named_lock_tag(LOCKTAG *tag, const char *table, const char *name,
				   uint16 part)
{
	uint64		key = lock_key(name);

	SET_LOCKTAG_OBJECT(*tag, (uint32) (key >> 32), catalog_relation_oid(table),
					   (uint32) key, part);
}
