/*-------------------------------------------------------------------------
 *
 * record_text.h
 *		Text in records, which is UTF-8, and in the database's encoding.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_RECORD_TEXT_H
#define TOPIC_RECORD_TEXT_H

#include "record_batch.h"

/* Are the bytes valid UTF-8 without a zero byte? */
extern bool is_record_text(RecordBytes bytes);

/* Record text as a palloc'd string in the database's encoding. */
extern char *record_text_to_server(RecordBytes bytes);

/* Text in the database's encoding as record text; may share its memory. */
extern RecordBytes record_text_from_server(const char *text, int length);

extern Datum record_bytes_to_bytea(RecordBytes bytes);

#endif							/* TOPIC_RECORD_TEXT_H */
