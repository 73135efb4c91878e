/*-------------------------------------------------------------------------
 *
 * catalog.c
 *		The extension's own schemas and tables: finding and changing them.
 *
 * Reads go through index scans (see topic.c): they must see the latest
 * committed state whatever the isolation level.  Writes go through SPI, so
 * that the tables' constraints are checked, and run as the extension's owner,
 * since nobody else has rights on these tables.  They, too, see the latest
 * committed state: a drop_topic under REPEATABLE READ would leave behind what
 * is newer than its snapshot, for the next topic of that name to find.
 *
 * The library's file is replaced at once, and each database's catalog later, by
 * ALTER EXTENSION.  Until then its tables may lack what C code takes for
 * granted.  So before a session first looks at them it looks at the extension's
 * version.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_namespace.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "catalog.h"

PG_FUNCTION_INFO_V1(topic_library_version);

/* Is the extension's version known to be one that the library works with? */
static bool catalog_version_checked = false;

/*
 * What makes a catalog older, DROP EXTENSION and CREATE EXTENSION, or the
 * rollback of an update, changes tables, and so invalidates relations.
 */
static void
forget_catalog_version(Datum arg, Oid relid)
{
	catalog_version_checked = false;
}

void
catalog_init(void)
{
	CacheRegisterRelcacheCallback(forget_catalog_version, (Datum) 0);
}

/* Versions as numbers that can be compared. */
static int
version_number(const char *version)
{
	int			major = 0;
	int			minor = 0;
	int			patch = 0;

	(void) sscanf(version, "%d.%d.%d", &major, &minor, &patch);
	return (major * 1000 + minor) * 1000 + patch;
}

/* The extension's version in this database; NULL if it is not there. */
static char *
extension_version(void)
{
	Relation	relation;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	char	   *version = NULL;

	relation = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber,
				F_NAMEEQ, CStringGetDatum("pg_topic"));
	scan = systable_beginscan(relation, ExtensionNameIndexId, true, NULL, 1,
							  &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;

		version = TextDatumGetCString(heap_getattr(tuple,
												   Anum_pg_extension_extversion,
												   RelationGetDescr(relation),
												   &isnull));
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return version;
}

void
check_catalog_version(void)
{
	char	   *version;

	if (catalog_version_checked)
		return;
	version = extension_version();
	if (version && version_number(version) < version_number(CATALOG_VERSION))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"pg_topic\" is of version %s, too old for its library of version %s",
						version, PG_TOPIC_VERSION),
				 errhint("Run ALTER EXTENSION pg_topic UPDATE.")));

	/* No invalidation was accepted since the row was read. */
	catalog_version_checked = true;
}

/*
 * library_version()
 */
Datum
topic_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(PG_TOPIC_VERSION));
}

Oid
topics_namespace_oid(void)
{
	return get_namespace_oid(TOPICS_SCHEMA, false);
}

Oid
log_namespace_oid(void)
{
	return get_namespace_oid(LOG_SCHEMA, false);
}

/* The OID of a table in schema topic. */
Oid
catalog_relation_oid(const char *name)
{
	Oid			relid;

	check_catalog_version();
	relid = get_relname_relid(name, get_namespace_oid(CATALOG_SCHEMA, false));
	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist",
						CATALOG_SCHEMA, name),
				 errhint("Run CREATE EXTENSION pg_topic.")));
	return relid;
}

Oid
extension_owner(void)
{
	HeapTuple	tuple;
	Oid			owner;

	tuple = SearchSysCache1(NAMESPACEOID, ObjectIdGetDatum(log_namespace_oid()));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for schema %s", LOG_SCHEMA);
	owner = ((Form_pg_namespace) GETSTRUCT(tuple))->nspowner;
	ReleaseSysCache(tuple);
	return owner;
}

Oid
relation_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

SavedUser
become_user(Oid user)
{
	SavedUser	saved;

	GetUserIdAndSecContext(&saved.userid, &saved.security_context);
	SetUserIdAndSecContext(user, saved.security_context |
						   SECURITY_LOCAL_USERID_CHANGE);
	return saved;
}

SavedUser
become_extension_owner(void)
{
	check_catalog_version();
	return become_user(extension_owner());
}

void
restore_user(SavedUser saved)
{
	SetUserIdAndSecContext(saved.userid, saved.security_context);
}

uint64
catalog_execute(const char *command)
{
	return catalog_execute_with_args(command, 0, NULL, NULL, NULL);
}

/*
 * Commands may be DDL with another user's rights, for which event triggers are
 * called: their functions must not find what the caller has put in front in
 * his search_path.  An error in between undoes the setting.
 */
static int
set_safe_search_path(void)
{
	int			nest_level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	return nest_level;
}

void
catalog_spi_execute(const char *command, int nargs, Oid *argtypes,
					Datum *values, const char *nulls)
{
	int			nest_level = set_safe_search_path();
	SPIPlanPtr	plan = SPI_prepare(command, nargs, argtypes);
	Snapshot	snapshot;
	int			result;

	if (!plan)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	result = SPI_execute_snapshot(plan, values, nulls, snapshot,
								  InvalidSnapshot, false, true, 0);
	UnregisterSnapshot(snapshot);
	AtEOXact_GUC(true, nest_level);
	if (result < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s",
			 SPI_result_code_string(result));
}

void
catalog_spi_connect(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

uint64
catalog_execute_with_args(const char *command, int nargs, Oid *argtypes,
						  Datum *values, const char *nulls)
{
	uint64		processed;

	catalog_spi_connect();
	catalog_spi_execute(command, nargs, argtypes, values, nulls);
	processed = SPI_processed;
	SPI_finish();
	return processed;
}

/*
 * A plan that is made while the table has a page or two would scan it, and go
 * on to when it has thousands.
 */
void
catalog_spi_execute_kept(SPIPlanPtr *plan, const char *command, int nargs,
						 Oid *argtypes, Datum *values)
{
	int			nest_level;
	int			result;

	if (!*plan)
	{
		SPIPlanPtr	prepared = SPI_prepare(command, nargs, argtypes);

		if (!prepared)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(prepared);
		*plan = prepared;
	}
	nest_level = NewGUCNestLevel();
	(void) set_config_option("enable_seqscan", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	result = SPI_execute_plan(*plan, values, NULL, false, 0);
	AtEOXact_GUC(true, nest_level);
	if (result < 0)
		elog(ERROR, "SPI_execute_plan failed: %s",
			 SPI_result_code_string(result));
}
