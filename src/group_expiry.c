/*-------------------------------------------------------------------------
 *
 * group_expiry.c
 *		Forgetting what groups do not need any more.
 *
 * A group has expired when it has committed no offset, of any topic, for the
 * time pg_topic.offsets_retention.  As a whole: a partition to which nothing
 * is produced must not lose its offset while the group is at work elsewhere.
 * An offset is deleted under its claim, as it is committed, so a partition
 * that is being consumed keeps its offset.  The group itself stays, so that
 * its name keeps its owner.  One that has members does not expire.
 *
 * A claim is held to the end of the transaction, and the lock table is
 * everybody's; so one transaction deletes a limited number of offsets.
 *
 * Also forgotten are idempotency keys that have expired, and counts of failed
 * attempts at records that the group has gone past: of any group, since nobody
 * can tell.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "claim.h"
#include "failed_attempt.h"
#include "first_time.h"
#include "group.h"
#include "group_expiry.h"
#include "reconcile.h"

/* How many offsets are looked at in one transaction. */
#define EXPIRE_OFFSETS	1000

/* How many keys, and how many counts of attempts, are deleted in one. */
#define EXPIRE_ROWS		10000

/* In seconds; -1: groups do not expire. */
static int	offsets_retention = -1;

/* Zero would delete the offsets of every group that is not at work just now. */
static bool
check_offsets_retention(int *new_value, void **extra, GucSource source)
{
	if (*new_value != 0)
		return true;
	GUC_check_errdetail("It must be at least one second, or -1 to keep offsets for ever.");
	return false;
}

void
group_expiry_init(void)
{
	DefineCustomIntVariable("pg_topic.offsets_retention",
							"Time after its last commit at which maintenance deletes a group's offsets.",
							"-1 keeps them for ever.", &offsets_retention, -1,
							-1, INT_MAX, PGC_SIGHUP, GUC_UNIT_S,
							check_offsets_retention, NULL, NULL);
}

/*
 * Delete an offset if the partition is not claimed and it is still old; false
 * if not.  Waits for nobody.
 */
static bool
expire_offset(const char *group_id, const char *topic_name, int partition,
			  TimestampTz cutoff)
{
	Topic	   *topic = topic_lookup(topic_name);
	Subscription *subscription;
	Claim	   *claim;
	bool		was_held;

	if (!topic || partition >= topic->partitions)
		return false;
	/* Who is just deleting the topic or the group deletes the offset. */
	if (!ConditionalLockRelationOid(topic->relid, AccessShareLock) ||
		!keep_group(group_id))
		return false;
	subscription = subscription_for(group_id, topic);
	claim = claim_partition(subscription, partition, &was_held);
	if (!claim || !claim->state.committed.found ||
		claim->state.committed.committed_at >= cutoff ||
		group_state_has_members(group_id))
		return false;
	delete_claimed_offset(subscription, claim);
	forget_partition_attempts(group_id, topic_name, partition);
	return true;
}

/* Members that have timed out do not keep their group. */
static void
reconcile_groups(void)
{
	SavedUser	saved = become_extension_owner();
	Oid			types[] = {OIDOID};
	Datum		values[] = {ObjectIdGetDatum(saved.userid)};
	SPITupleTable *groups;
	uint64		count;

	catalog_spi_execute("SELECT DISTINCT m.group_id FROM topic.group_members m "
						"JOIN topic.groups g ON g.group_id OPERATOR(pg_catalog.=) m.group_id "
						"WHERE m.member_count OPERATOR(pg_catalog.>) 0 "
						"AND pg_catalog.pg_has_role($1, g.owner, 'USAGE')",
						lengthof(types), types, values, NULL);
	restore_user(saved);
	groups = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
		reconcile_group(SPI_getvalue(groups->vals[i], groups->tupdesc, 1));
}

/* Delete expired offsets; true if there may be more. */
static bool
expire_offsets(void)
{
	SavedUser	saved;
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz cutoff;
	Oid			types[] = {TIMESTAMPTZOID, OIDOID};
	Datum		values[2];
	SPITupleTable *offsets;
	uint64		count;
	bool		deleted = false;

	if (offsets_retention < 0)
		return false;
	cutoff = now - offsets_retention * USECS_PER_SEC;
	values[0] = TimestampTzGetDatum(cutoff);
	values[1] = ObjectIdGetDatum(GetUserId());

	catalog_spi_connect();
	reconcile_groups();
	saved = become_extension_owner();
	catalog_spi_execute(psprintf("SELECT o.group_id, o.topic, o.partition "
								 "FROM topic.consumer_offsets o "
								 "LEFT JOIN topic.groups g ON g.group_id OPERATOR(pg_catalog.=) o.group_id "
								 "WHERE (g.owner IS NULL OR pg_catalog.pg_has_role($2, g.owner, 'USAGE')) "
								 "AND NOT EXISTS (SELECT FROM topic.consumer_offsets n "
								 "WHERE n.group_id OPERATOR(pg_catalog.=) o.group_id "
								 "AND n.committed_at OPERATOR(pg_catalog.>=) $1) "
								 "AND NOT EXISTS (SELECT FROM topic.group_members m "
								 "WHERE m.group_id OPERATOR(pg_catalog.=) o.group_id "
								 "AND m.member_count OPERATOR(pg_catalog.>) 0) "
								 "LIMIT %d", EXPIRE_OFFSETS),
						lengthof(types), types, values, NULL);
	restore_user(saved);
	offsets = SPI_tuptable;
	count = SPI_processed;
	for (uint64 i = 0; i < count; i++)
	{
		char	   *group_id = SPI_getvalue(offsets->vals[i],
											offsets->tupdesc, 1);
		char	   *topic = SPI_getvalue(offsets->vals[i],
										 offsets->tupdesc, 2);
		bool		isnull;
		Datum		partition = SPI_getbinval(offsets->vals[i],
											  offsets->tupdesc, 3, &isnull);

		CHECK_FOR_INTERRUPTS();
		deleted |= expire_offset(group_id, topic, DatumGetInt32(partition),
								 cutoff);
	}
	SPI_finish();
	return deleted && count == EXPIRE_OFFSETS;
}

bool
expire_groups(void)
{
	bool		more = expire_offsets();

	more |= delete_expired_group_keys(EXPIRE_ROWS) == EXPIRE_ROWS;
	more |= forget_passed_attempts(EXPIRE_ROWS) == EXPIRE_ROWS;
	return more;
}
