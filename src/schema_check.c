/*-------------------------------------------------------------------------
 *
 * schema_check.c
 *		Whose objects are in the extension's schema, when it is installed.
 *
 * CREATE EXTENSION uses a schema topic that is there already.  Whoever made it,
 * with no more than CREATE on the database, could put functions beside the
 * extension's: topic.produce(text, varchar), which others would call with their
 * own rights, since it matches a varchar better than what they mean to call.
 * So there must be none, and nobody but superusers may be able to make any.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/syscache.h"

#include "catalog.h"

PG_FUNCTION_INFO_V1(topic_check_schema);

static void
report_foreign_schema(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("schema \"%s\" is there already, and %s",
					CATALOG_SCHEMA, what),
			 errdetail("Functions in it could be called instead of those of the extension."),
			 errhint("Drop the schema.")));
}

/* A function that is there stays its owner's, whoever owns the schema. */
static void
check_functions(Oid schema)
{
	Relation	functions = table_open(ProcedureRelationId, AccessShareLock);
	SysScanDesc scan = systable_beginscan(functions, InvalidOid, false, NULL,
										  0, NULL);
	HeapTuple	tuple;

	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_proc function = (Form_pg_proc) GETSTRUCT(tuple);

		if (function->pronamespace == schema &&
			!superuser_arg(function->proowner))
			report_foreign_schema(psprintf("has functions of role \"%s\"",
										   GetUserNameFromId(function->proowner,
															 false)));
	}
	systable_endscan(scan);
	table_close(functions, AccessShareLock);
}

static void
check_role(Oid role)
{
	if (!OidIsValid(role))
		report_foreign_schema("everybody may create objects in it");
	if (!superuser_arg(role))
		report_foreign_schema(psprintf("role \"%s\" may create objects in it",
									   GetUserNameFromId(role, false)));
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
	check_functions(((Form_pg_namespace) GETSTRUCT(tuple))->oid);
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
