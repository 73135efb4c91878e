/*-------------------------------------------------------------------------
 *
 * group_admin.c
 *		create_group, grant_group, revoke_group, delete_group.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/syscache.h"

#include "arguments.h"
#include "catalog.h"
#include "claim.h"
#include "group.h"
#include "group_state.h"
#include "reconcile.h"

PG_FUNCTION_INFO_V1(topic_create_group);
PG_FUNCTION_INFO_V1(topic_grant_group);
PG_FUNCTION_INFO_V1(topic_revoke_group);
PG_FUNCTION_INFO_V1(topic_delete_group);

/*
 * create_group(group_id text, if_not_exists boolean)
 */
Datum
topic_create_group(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	bool		if_not_exists = !PG_ARGISNULL(1) && PG_GETARG_BOOL(1);

	PreventCommandIfReadOnly("create_group");
	if (create_group(group_id))
		PG_RETURN_VOID();
	if (!if_not_exists)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("group \"%s\" already exists", group_id),
				 errhint("Use if_not_exists => true to go on with it.")));
	ereport(NOTICE,
			(errcode(ERRCODE_DUPLICATE_OBJECT),
			 errmsg("group \"%s\" already exists, skipping", group_id)));
	PG_RETURN_VOID();
}

/* Run an UPDATE of the group's grantees: $1 is the group, $2 the role. */
static void
change_grantees(const char *group_id, Oid role, const char *command)
{
	Oid			types[] = {TEXTOID, REGROLEOID};
	Datum		values[] = {
		CStringGetTextDatum(group_id), ObjectIdGetDatum(role)
	};
	SavedUser	saved = become_extension_owner();

	catalog_execute_with_args(command, lengthof(types), types, values, NULL);
	restore_user(saved);
}

/* The role argument, whether or not there is such a role. */
static Oid
role_argument(FunctionCallInfo fcinfo, int number)
{
	if (PG_ARGISNULL(number))
		report_null_argument("role");
	return PG_GETARG_OID(number);
}

/*
 * grant_group(group_id text, role regrole)
 */
Datum
topic_grant_group(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	Oid			role = role_argument(fcinfo, 1);

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(role)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", role)));
	PreventCommandIfReadOnly("grant_group");
	own_group(group_id);
	change_grantees(group_id, role,
					"UPDATE topic.groups "
					"SET grantees = pg_catalog.array_append(grantees, $2) "
					"WHERE group_id OPERATOR(pg_catalog.=) $1 "
					"AND $2 OPERATOR(pg_catalog.<>) ALL (grantees)");
	PG_RETURN_VOID();
}

/*
 * revoke_group(group_id text, role regrole)
 *
 * The role may have been dropped since: regrole takes its number.
 */
Datum
topic_revoke_group(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	Oid			role = role_argument(fcinfo, 1);

	PreventCommandIfReadOnly("revoke_group");
	own_group(group_id);
	change_grantees(group_id, role,
					"UPDATE topic.groups "
					"SET grantees = pg_catalog.array_remove(grantees, $2) "
					"WHERE group_id OPERATOR(pg_catalog.=) $1");
	PG_RETURN_VOID();
}

/* What a group leaves in tables other than consumer_offsets. */
static const char *const group_tables[] = {
	"group_members", "member_heartbeats", "member_positions",
	"idempotency_keys", "failed_attempts", "groups"
};

/*
 * delete_group(group_id text)
 *
 * Also of a group that has offsets but no row: nobody's.
 */
Datum
topic_delete_group(PG_FUNCTION_ARGS)
{
	char	   *group_id = group_argument(fcinfo, 0);
	uint64		deleted;
	SavedUser	saved;
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(group_id)};

	PreventCommandIfReadOnly("delete_group");
	lock_unused_group(group_id);

	/* Maintenance removes members without using the group. */
	lock_group_state(group_id);
	check_group_has_no_members(group_id);
	forget_group_claims(group_id);
	saved = become_extension_owner();
	deleted = consumer_offsets_delete("group_id", group_id);
	for (int i = 0; i < lengthof(group_tables); i++)
		deleted += catalog_execute_with_args(psprintf("DELETE FROM topic.%s "
													  "WHERE group_id OPERATOR(pg_catalog.=) $1",
													  group_tables[i]),
											 lengthof(types), types, values,
											 NULL);
	restore_user(saved);
	if (deleted == 0)
		report_unknown_group(group_id);
	PG_RETURN_VOID();
}
