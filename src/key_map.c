/*-------------------------------------------------------------------------
 *
 * key_map.c
 *		The latest offset of each key of a topic.
 *
 * Keys are kept whole: to take two keys for one because of their hashes would
 * lose a record.  They are packed into blocks, without the palloc header that
 * each would have by itself.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "key_map.h"

/* Keys are collected in blocks of this size; a larger one has its own. */
#define KEY_BLOCK_BYTES		(64 * 1024)

typedef struct PartitionKey
{
	const char *data;
	int32		length;
	int32		partition;
} PartitionKey;

typedef struct KeyEntry
{
	PartitionKey key;
	int64		offset;
	uint32		hash;
	char		status;
} KeyEntry;

static inline uint32
hash_key(const PartitionKey *key)
{
	return hash_combine(murmurhash32((uint32) key->partition),
						hash_bytes((const unsigned char *) key->data,
								   key->length));
}

static inline bool
keys_are_equal(const PartitionKey *a, const PartitionKey *b)
{
	return a->partition == b->partition && a->length == b->length &&
		memcmp(a->data, b->data, a->length) == 0;
}

#define SH_PREFIX			key_table
#define SH_ELEMENT_TYPE		KeyEntry
#define SH_KEY_TYPE			PartitionKey
#define SH_KEY				key
#define SH_HASH_KEY(table, key)		hash_key(&(key))
#define SH_EQUAL(table, a, b)		keys_are_equal(&(a), &(b))
#define SH_STORE_HASH
#define SH_GET_HASH(table, entry)	(entry)->hash
#define SH_SCOPE			static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct KeyMap
{
	MemoryContext context;
	key_table_hash *table;
	char	   *block;			/* the block of keys in use */
	Size		block_left;		/* bytes that are free at its end */
	Size		block_bytes;	/* of all blocks */
};

KeyMap *
key_map_create(void)
{
	KeyMap	   *map = palloc0(sizeof(KeyMap));

	map->context = CurrentMemoryContext;
	map->table = key_table_create(CurrentMemoryContext, 1024, NULL);
	return map;
}

/* A copy of a key's bytes that lasts as long as the map. */
static const char *
copy_key(KeyMap *map, const PartitionKey *key)
{
	char	   *copy;

	/* An empty key needs no room, but it must be somewhere. */
	if (!map->block || (Size) key->length > map->block_left)
	{
		Size		size = Max((Size) key->length, KEY_BLOCK_BYTES);

		map->block = MemoryContextAlloc(map->context, size);
		map->block_left = size;
		map->block_bytes += size;
	}
	copy = map->block;
	memcpy(copy, key->data, key->length);
	map->block += key->length;
	map->block_left -= key->length;
	return copy;
}

static PartitionKey
partition_key(int partition, const RecordBytes *key)
{
	PartitionKey result = {
		.data = key->data,
		.length = key->length,
		.partition = partition
	};

	return result;
}

void
key_map_put(KeyMap *map, int partition, const RecordBytes *key, int64 offset)
{
	PartitionKey wanted = partition_key(partition, key);
	KeyEntry   *entry;
	bool		found;

	entry = key_table_insert(map->table, wanted, &found);
	if (!found)
		entry->key.data = copy_key(map, &wanted);
	entry->offset = offset;
}

int64
key_map_latest(const KeyMap *map, int partition, const RecordBytes *key)
{
	KeyEntry   *entry = key_table_lookup(map->table,
										 partition_key(partition, key));

	return entry ? entry->offset : -1;
}

Size
key_map_size(const KeyMap *map)
{
	return map->table->size * sizeof(KeyEntry) + map->block_bytes;
}
