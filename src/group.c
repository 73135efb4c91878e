/*-------------------------------------------------------------------------
 *
 * group.c
 *		Consumer groups and who may use them.
 *
 * A group comes into being when it is first used, and belongs to who did so.
 * Several consumers may be the first at the same time, and none should wait
 * for the others' transactions, as the unique index would make it.  So the
 * row is inserted by whoever gets a lock on the name without waiting, and the
 * others go on without: their claims and offsets do not refer to the row.
 *
 * Who uses a group shares a lock on its name to the end of the transaction,
 * and who deletes it needs that lock alone.  Nobody waits for it: whoever
 * comes second gives up.  The lock of its creators is the same in a mode that
 * excludes other creators but not users.
 *
 * The lock is an object lock on topic.groups.
 *
 *		users		AccessShareLock
 *		creators	ExclusiveLock
 *		deleters	AccessExclusiveLock
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "catalog.h"
#include "group.h"
#include "lock_tag.h"
#include "transaction_lock.h"

/* A group as it stands now. */
typedef struct GroupRow
{
	bool		found;
	Oid			owner;
	Datum	   *grantees;		/* roles, as OIDs */
	int			grantee_count;
} GroupRow;

static GroupRow
read_group(const char *group_id)
{
	GroupRow	group = {0};
	Relation	relation = table_open(catalog_relation_oid("groups"),
									  AccessShareLock);
	TupleDesc	columns = RelationGetDescr(relation);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_groups_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group_id));
	scan = systable_beginscan(relation, catalog_relation_oid("groups_pkey"),
							  true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		grantees;

		group.found = true;
		group.owner = DatumGetObjectId(heap_getattr(tuple, Anum_groups_owner,
													columns, &isnull));
		grantees = heap_getattr(tuple, Anum_groups_grantees, columns, &isnull);
		deconstruct_array(DatumGetArrayTypePCopy(grantees), REGROLEOID,
						  sizeof(Oid), true, TYPALIGN_INT, &group.grantees,
						  NULL, &group.grantee_count);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return group;
}

static bool
is_owner(const GroupRow *group)
{
	return has_privs_of_role(GetUserId(), group->owner);
}

static bool
is_grantee(const GroupRow *group)
{
	for (int i = 0; i < group->grantee_count; i++)
		if (has_privs_of_role(GetUserId(),
							  DatumGetObjectId(group->grantees[i])))
			return true;
	return false;
}

static void
report_no_access(const char *group_id, const GroupRow *group)
{
	const char *name = GetUserNameFromId(group->owner, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for group \"%s\"", group_id),
			 name ? errdetail("It belongs to role \"%s\".", name)
			 : errdetail("It belongs to a role that was dropped."),
			 errhint("Use another group_id, or be granted it with topic.grant_group().")));
}

static void
check_owner(const char *group_id, const GroupRow *group)
{
	if (!is_owner(group))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be owner of group \"%s\"", group_id)));
}

void
report_unknown_group(const char *group_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("group \"%s\" does not exist", group_id),
			 errhint("View topic.group_info lists groups; topic.create_group() creates one.")));
}

/* False if there is no such group; an error if the caller may not use it. */
static bool
may_use_group(const char *group_id)
{
	GroupRow	group = read_group(group_id);

	if (group.found && !is_owner(&group) && !is_grantee(&group))
		report_no_access(group_id, &group);
	return group.found;
}

void
check_group_access(const char *group_id)
{
	(void) may_use_group(group_id);
}

static void
set_group_lock_tag(LOCKTAG *tag, const char *group_id)
{
	set_named_lock_tag(tag, "groups", group_id, 0);
}

bool
keep_group(const char *group_id)
{
	LOCKTAG		tag;

	set_group_lock_tag(&tag, group_id);
	return transaction_lock_try_mode(&tag, AccessShareLock);
}

static void
lock_group(const char *group_id)
{
	if (!keep_group(group_id))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("group \"%s\" is being deleted by another transaction",
						group_id),
				 errhint("Try again when that transaction is over.")));
}

static void
insert_group(const char *group_id)
{
	Oid			types[] = {TEXTOID, OIDOID};
	Datum		values[] = {
		CStringGetTextDatum(group_id), ObjectIdGetDatum(GetUserId())
	};
	SavedUser	saved = become_extension_owner();

	catalog_execute_with_args("INSERT INTO topic.groups (group_id, owner) "
							  "VALUES ($1, $2::pg_catalog.regrole)",
							  lengthof(types), types, values, NULL);
	restore_user(saved);
}

void
hold_group(const char *group_id)
{
	lock_group(group_id);
	check_group_access(group_id);
}

void
use_group(const char *group_id)
{
	LOCKTAG		tag;

	lock_group(group_id);
	if (may_use_group(group_id))
		return;

	/* Unless another transaction is just creating it. */
	set_group_lock_tag(&tag, group_id);
	if (!transaction_lock_try(&tag))
		return;

	/* It may have committed just before we got the lock. */
	if (!may_use_group(group_id))
		insert_group(group_id);
}

bool
create_group(const char *group_id)
{
	LOCKTAG		tag;

	if (read_group(group_id).found)
		return false;
	set_group_lock_tag(&tag, group_id);
	transaction_lock_acquire(&tag);
	if (read_group(group_id).found)
	{
		transaction_lock_release(&tag);
		return false;
	}
	insert_group(group_id);
	return true;
}

void
own_group(const char *group_id)
{
	GroupRow	group;

	lock_group(group_id);
	group = read_group(group_id);
	if (!group.found)
		report_unknown_group(group_id);
	check_owner(group_id, &group);
}

void
lock_unused_group(const char *group_id)
{
	LOCKTAG		tag;
	GroupRow	group = read_group(group_id);

	if (group.found)
		check_owner(group_id, &group);
	set_group_lock_tag(&tag, group_id);
	if (!transaction_lock_try_mode(&tag, AccessExclusiveLock))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("group \"%s\" is in use by another transaction",
						group_id),
				 errhint("Try again when the transactions of its consumers are over.")));

	/* It may have got another owner before we got the lock. */
	group = read_group(group_id);
	if (group.found)
		check_owner(group_id, &group);
}
