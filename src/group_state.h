/*-------------------------------------------------------------------------
 *
 * group_state.h
 *		The members of a group and what is assigned to them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef TOPIC_GROUP_STATE_H
#define TOPIC_GROUP_STATE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "claim_reader.h"

typedef enum AssignorKind
{
	ASSIGNOR_UNIFORM,
	ASSIGNOR_RANGE
} AssignorKind;

/* A partition as the table has it. */
typedef struct StoredPartition
{
	int32		topic_id;
	int32		partition;
	int32		assigned_epoch;
} StoredPartition;

typedef struct StoredPartitions
{
	int			count;
	StoredPartition *partitions;
} StoredPartitions;

typedef struct GroupMember
{
	char	   *member_id;
	char	   *instance_id;	/* NULL: a dynamic member */
	char	   *fenced_member_id;	/* whose place it took, or NULL */
	List	   *topics;			/* of char *, sorted: what it subscribes to */
	AssignorKind assignor;
	OffsetReset offset_reset;
	int32		session_timeout;	/* milliseconds */
	int32		auto_commit_interval;	/* milliseconds; NO_AUTO_COMMIT: none */
	TimestampTz joined_at;
	TimestampTz left_at;		/* NOT_LEFT: it has not */

	/* As they were read; GroupPartition tells what they are now. */
	StoredPartitions owned;
	StoredPartitions target;

	/* For reconcile.c */
	int			number;
	bool		heartbeat_was_read;
	int32		acknowledged_epoch; /* if so */
} GroupMember;

#define NO_AUTO_COMMIT	(-1)
#define NOT_LEFT		DT_NOBEGIN

/* A topic that members subscribe to, whether or not it exists. */
typedef struct GroupTopic
{
	const char *name;
	int32		id;
	int			partition_count;	/* 0: there is no such topic */
} GroupTopic;

/* Revoked: owned by somebody else than the target says. */
typedef struct GroupPartition
{
	const GroupTopic *topic;
	int			partition;
	GroupMember *owner;			/* NULL: nobody */
	int32		assigned_epoch; /* when the owner got it */
	GroupMember *target;		/* who shall have it; NULL: not decided */
} GroupPartition;

typedef struct ConsumerGroup
{
	const char *group_id;
	int64		state_number;	/* 0: nobody ever joined */
	int32		group_epoch;
	List	   *members;		/* of GroupMember, in the order for assignors */
	int			topic_count;
	GroupTopic *topics;			/* by name */
	int			partition_count;
	GroupPartition *partitions; /* by topic and number */
	bool		topics_dropped; /* the target had partitions that are gone */
	bool		locked;			/* nobody else can change it */
	List	   *rows;			/* of ItemPointer: the rows that say so */
} ConsumerGroup;

/*
 * Wait for the group's lock, or take it if it is free.  It is held to the end
 * of the transaction.
 */
extern void lock_group_state(const char *group_id);
extern bool try_lock_group_state(const char *group_id);

/* Has another transaction the group's lock? */
extern bool group_state_is_locked(const char *group_id);

/*
 * The state of a group as it stands now, in the current memory context.
 * `locked`: the caller has the group's lock.
 */
extern ConsumerGroup *group_state_read(const char *group_id, bool locked);

/* Is it still what was read? */
extern bool group_state_is_current(const ConsumerGroup *group);

/* Has the group a member?  Cheaper than to read the state. */
extern bool group_state_has_members(const char *group_id);

/*
 * Find the group's topics and partitions anew, after members have joined or
 * changed what they subscribe to, and before anything is assigned.
 */
extern void group_state_find_partitions(ConsumerGroup *group);

extern void group_state_add_member(ConsumerGroup *group, GroupMember *member);
extern void group_state_remove_member(ConsumerGroup *group, GroupMember *member);

/* Write the state.  The caller has the group's lock. */
extern void group_state_write(ConsumerGroup *group);

/* The member of that id, or NULL; it may have left. */
extern GroupMember *find_member(const ConsumerGroup *group,
								const char *member_id);

/* The member of that id that is there, or an error. */
extern GroupMember *demand_member(const ConsumerGroup *group,
								  const char *member_id);

/* A partition of the group; NULL if no member subscribes to it. */
extern GroupPartition *find_group_partition(const ConsumerGroup *group,
											int32 topic_id, int partition);

/* Sort the names of topics, and keep each once. */
extern List *sort_topic_names(List *names);

extern const char *const assignor_names[];

#endif							/* TOPIC_GROUP_STATE_H */
