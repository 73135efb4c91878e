/*-------------------------------------------------------------------------
 *
 * catalog.h
 *		The extension's own schemas and tables, as C sees them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_CATALOG_H
#define TOPIC_CATALOG_H

#include "executor/spi.h"
#include "utils/relcache.h"

#define CATALOG_SCHEMA	"topic" /* API, catalog tables, views */
#define TOPICS_SCHEMA	"topics"	/* one foreign table per topic */
#define LOG_SCHEMA		"topic_log" /* the segments */

/* Columns of topic.topics; see topic.sql. */
#define Anum_topics_topic				1
#define Anum_topics_topic_id			2
#define Anum_topics_relation			3
#define Anum_topics_partitions			4
#define Anum_topics_retention			5
#define Anum_topics_retention_bytes		6
#define Anum_topics_cleanup_policy		7
#define Anum_topics_value_format		8
#define Anum_topics_max_record_bytes	9
#define Anum_topics_compression			10
#define Anum_topics_segment_bytes		11
#define Anum_topics_segment_age			12
#define Anum_topics_timestamp_type		13
#define Anum_topics_tombstone_retention	14
#define Anum_topics_min_compaction_lag	15
#define Anum_topics_merge_small_batches	16
#define Anum_topics_retain_until_consumed	17
#define Anum_topics_log_start_offsets	18
#define Anum_topics_created_at			19

/* Columns of topic.segments; see segment.sql. */
#define Anum_segments_topic_id			1
#define Anum_segments_segment			2
#define Anum_segments_generation		3
#define Anum_segments_base_offsets		4
#define Anum_segments_retired_at		5
#define Anum_segments_settled_at		6

/* Columns of topic.groups; see group.sql. */
#define Anum_groups_group_id			1
#define Anum_groups_owner				2
#define Anum_groups_grantees			3
#define Anum_groups_created_at			4

/* Columns of topic.consumer_offsets; see consumer_offset.sql. */
#define Anum_consumer_offsets_group_id			1
#define Anum_consumer_offsets_topic				2
#define Anum_consumer_offsets_partition			3
#define Anum_consumer_offsets_commit_number		4
#define Anum_consumer_offsets_committed_offset	5
#define Anum_consumer_offsets_metadata			6
#define Anum_consumer_offsets_committed_at		7
#define Natts_consumer_offsets					7

extern Oid	catalog_relation_oid(const char *name);
extern Oid	topics_namespace_oid(void);
extern Oid	log_namespace_oid(void);

/*
 * Run SQL with the rights of another user, mostly the extension's owner.  An
 * error in between is fine: the abort of the (sub)transaction restores the
 * user.
 */
typedef struct SavedUser
{
	Oid			userid;
	int			security_context;
} SavedUser;

extern Oid	extension_owner(void);

/* The owner of a relation, InvalidOid if it was just dropped. */
extern Oid	relation_owner(Oid relid);
extern SavedUser become_user(Oid user);
extern SavedUser become_extension_owner(void);
extern void restore_user(SavedUser saved);

/* Run one SQL command; returns the number of rows that it processed. */
extern uint64 catalog_execute(const char *command);
extern uint64 catalog_execute_with_args(const char *command, int nargs,
										Oid *argtypes, Datum *values,
										const char *nulls);

/*
 * The same within SPI_connect() and SPI_finish(): SPI_processed and
 * SPI_tuptable tell the result.
 */
extern void catalog_spi_execute(const char *command, int nargs,
								Oid *argtypes, Datum *values,
								const char *nulls);

/*
 * The same with the transaction's own snapshot, so that it conflicts with
 * concurrent transactions as its isolation level demands, and by a plan that
 * is made once in a session and kept in *plan.
 */
extern void catalog_spi_execute_kept(SPIPlanPtr *plan, const char *command,
									 int nargs, Oid *argtypes, Datum *values);

#endif							/* TOPIC_CATALOG_H */
