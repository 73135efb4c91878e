/*-------------------------------------------------------------------------
 *
 * schema_check.c
 *		Who may create objects in the extension's schema, when it is installed.
 *
 * CREATE EXTENSION uses a schema topic that is there already.  Whoever made it,
 * with no more than CREATE on the database, could put functions beside the
 * extension's: topic.produce(text, varchar), which others would call with their
 * own rights, since it matches a varchar better than what they mean to call.
 * So nobody but superusers may be able to.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/syscache.h"

#include "catalog.h"

PG_FUNCTION_INFO_V1(topic_check_schema);

static void
report_foreign_schema(Oid role)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("schema \"%s\" is there already, and %s may create objects in it",
					CATALOG_SCHEMA,
					OidIsValid(role)
					? psprintf("role \"%s\"", GetUserNameFromId(role, false))
					: "everybody"),
			 errdetail("Functions in it could be called instead of those of the extension."),
			 errhint("Drop the schema.")));
}

static void
check_role(Oid role)
{
	if (!OidIsValid(role) || !superuser_arg(role))
		report_foreign_schema(role);
}

/*
 * check_schema() returns void
 *
 * Called by the install script only, which drops it then.
 */
Datum
topic_check_schema(PG_FUNCTION_ARGS)
{
	HeapTuple	tuple = SearchSysCache1(NAMESPACENAME,
										CStringGetDatum(CATALOG_SCHEMA));
	Datum		privileges;
	bool		isnull;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %s", CATALOG_SCHEMA);
	check_role(((Form_pg_namespace) GETSTRUCT(tuple))->nspowner);
	privileges = SysCacheGetAttr(NAMESPACENAME, tuple, Anum_pg_namespace_nspacl,
								 &isnull);
	if (!isnull)
	{
		Acl		   *acl = DatumGetAclP(privileges);

		for (int i = 0; i < ACL_NUM(acl); i++)
		{
			const AclItem *item = &ACL_DAT(acl)[i];

			if (ACLITEM_GET_PRIVS(*item) & ACL_CREATE)
				check_role(item->ai_grantee);
		}
	}
	ReleaseSysCache(tuple);
	PG_RETURN_VOID();
}
