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
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"

#include "catalog.h"
#include "group.h"
#include "transaction_lock.h"

/* The owner of a group as it stands now; InvalidOid if there is none. */
static Oid
group_owner(const char *group_id)
{
	Relation	relation = table_open(catalog_relation_oid("groups"),
									  AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			owner = InvalidOid;

	ScanKeyInit(&key, Anum_groups_group_id, BTEqualStrategyNumber, F_TEXTEQ,
				CStringGetTextDatum(group_id));
	scan = systable_beginscan(relation, catalog_relation_oid("groups_pkey"),
							  true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		owner = DatumGetObjectId(heap_getattr(tuple, Anum_groups_owner,
											  RelationGetDescr(relation),
											  &isnull));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return owner;
}

static void
check_owner(const char *group_id, Oid owner)
{
	const char *name;

	if (has_privs_of_role(GetUserId(), owner))
		return;
	name = GetUserNameFromId(owner, true);
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for group \"%s\"", group_id),
			 name ? errdetail("It belongs to role \"%s\".", name)
			 : errdetail("It belongs to a role that was dropped."),
			 errhint("Use another group_id, or become a member of that role.")));
}

void
check_group_owner(const char *group_id)
{
	Oid			owner = group_owner(group_id);

	if (OidIsValid(owner))
		check_owner(group_id, owner);
}

/* False if another transaction is just creating the group. */
static bool
lock_group_creation(const char *group_id)
{
	LOCKTAG		tag;

	set_lock_tag(&tag, "groups",
				 hash_bytes((const unsigned char *) group_id,
							strlen(group_id)), 0);
	return transaction_lock_try(&tag);
}

void
use_group(const char *group_id)
{
	Oid			owner = group_owner(group_id);

	if (!OidIsValid(owner))
	{
		if (!lock_group_creation(group_id))
			return;

		/* Its creator may have committed just before we got the lock. */
		owner = group_owner(group_id);
	}

	if (OidIsValid(owner))
		check_owner(group_id, owner);
	else
	{
		Oid			types[] = {TEXTOID, OIDOID};
		Datum		values[] = {
			CStringGetTextDatum(group_id), ObjectIdGetDatum(GetUserId())
		};
		SavedUser	saved = become_extension_owner();

		catalog_execute_with_args("INSERT INTO topic.groups (group_id, owner) "
								  "VALUES ($1, $2::pg_catalog.regrole)",
								  2, types, values, NULL);
		restore_user(saved);
	}
}
