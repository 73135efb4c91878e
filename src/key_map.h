/*-------------------------------------------------------------------------
 *
 * key_map.h
 *		The latest offset of each key of a topic.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_KEY_MAP_H
#define TOPIC_KEY_MAP_H

#include "record_batch.h"

typedef struct KeyMap KeyMap;

/* Lives in the current memory context. */
extern KeyMap *key_map_create(void);

/* A record of that key has that offset, greater than any before. */
extern void key_map_put(KeyMap *map, int partition, const RecordBytes *key,
						int64 offset);

/* The latest offset of the key; -1 if it is not in the map. */
extern int64 key_map_latest(const KeyMap *map, int partition,
							const RecordBytes *key);

/* Bytes of memory in use. */
extern Size key_map_size(const KeyMap *map);

#endif							/* TOPIC_KEY_MAP_H */
