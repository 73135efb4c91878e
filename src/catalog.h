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

/*
 * The version of the extension that last changed what C code relies on in these
 * tables.  The library works with the catalogs of that version and of later
 * ones: see src/README.
 */
#define CATALOG_VERSION "0.1.0"

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
#define Anum_topics_idempotency_window	18
#define Anum_topics_log_start_offsets	19
#define Anum_topics_created_at			20

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

/* Columns of topic.group_members; see group_member.sql. */
#define Anum_group_members_group_id				1
#define Anum_group_members_state_number			2
#define Anum_group_members_ordinal				3
#define Anum_group_members_member_count			4
#define Anum_group_members_group_epoch			5
#define Anum_group_members_member_id			6
#define Anum_group_members_instance_id			7
#define Anum_group_members_fenced_member_id		8
#define Anum_group_members_topics				9
#define Anum_group_members_assignor				10
#define Anum_group_members_offset_reset			11
#define Anum_group_members_session_timeout		12
#define Anum_group_members_auto_commit_interval	13
#define Anum_group_members_joined_at			14
#define Anum_group_members_left_at				15
#define Anum_group_members_owned_topic_ids		16
#define Anum_group_members_owned_partitions		17
#define Anum_group_members_owned_epochs			18
#define Anum_group_members_target_topic_ids		19
#define Anum_group_members_target_partitions	20
#define Natts_group_members						20

/* Columns of topic.member_heartbeats; see group_member.sql. */
#define Anum_member_heartbeats_group_id				1
#define Anum_member_heartbeats_member_id			2
#define Anum_member_heartbeats_heartbeat_number		3
#define Anum_member_heartbeats_heartbeat_at			4
#define Anum_member_heartbeats_acknowledged_epoch	5
#define Anum_member_heartbeats_auto_committed_at	6
#define Natts_member_heartbeats						6

/* Columns of topic.member_positions; see group_member.sql. */
#define Anum_member_positions_group_id			1
#define Anum_member_positions_topic				2
#define Anum_member_positions_partition			3
#define Anum_member_positions_position_number	4
#define Anum_member_positions_position			5
#define Anum_member_positions_assigned_epoch	6
#define Natts_member_positions					6

/* Columns of topic.producers; see producer.sql. */
#define Anum_producers_producer_id			1
#define Anum_producers_producer_epoch		2
#define Anum_producers_transactional_id		3
#define Anum_producers_owner				4
#define Anum_producers_initialized_at		5

/* Columns of topic.producer_states; see producer_state.sql. */
#define Anum_producer_states_producer_id		1
#define Anum_producer_states_producer_epoch		2
#define Anum_producer_states_topic_id			3
#define Anum_producer_states_partition			4
#define Anum_producer_states_state_number		5
#define Anum_producer_states_first_sequences	6
#define Anum_producer_states_record_counts		7
#define Anum_producer_states_base_offsets		8
#define Anum_producer_states_written_at			9
#define Natts_producer_states					9

extern void catalog_init(void);

/*
 * An error if the catalog is older than what the library works with.  To be
 * called before tables are looked at; catalog_relation_oid() and
 * become_extension_owner() do.
 */
extern void check_catalog_version(void);
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
 * The same between catalog_spi_connect() and SPI_finish(): SPI_processed and
 * SPI_tuptable tell the result.
 */
extern void catalog_spi_connect(void);
extern void catalog_spi_execute(const char *command, int nargs,
								Oid *argtypes, Datum *values,
								const char *nulls);

/*
 * The same for a row that an index finds, with the transaction's own snapshot,
 * so that it conflicts with concurrent transactions as its isolation level
 * demands, and by a plan that is made once in a session and kept in *plan.
 */
extern void catalog_spi_execute_kept(SPIPlanPtr *plan, const char *command,
									 int nargs, Oid *argtypes, Datum *values);

#endif							/* TOPIC_CATALOG_H */
