/*-------------------------------------------------------------------------
 *
 * maintenance_worker.c
 *		Background workers that run maintenance.
 *
 * One worker for each database that pg_topic.maintenance_databases lists, if
 * the library is in shared_preload_libraries.  A worker does every
 * pg_topic.maintenance_interval what CALL topic.maintain() does.  It comes and
 * goes with nothing: where the extension is not installed it waits for it.
 * Settings of the database that are meant for its users do not stop it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/varlena.h"

#include "compat.h"
#include "maintenance.h"
#include "maintenance_worker.h"

#define MAX_WORKER_DATABASES	64

/* A worker that cannot connect is started again after so many seconds. */
#define RESTART_SECONDS		60

static char *maintenance_databases = NULL;
static int	maintenance_interval = 10;

PGDLLEXPORT void pg_topic_maintenance_main(Datum main_arg);

static bool
extension_is_installed(void)
{
	bool		installed;

	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	installed = OidIsValid(get_extension_oid("pg_topic", true));
	PopActiveSnapshot();
	CommitTransactionCommand();
	return installed;
}

static void
next_transaction(void)
{
	CommitTransactionCommand();
	StartTransactionCommand();
}

/* `context` outlives the transactions. */
static void
run_maintenance(MemoryContext context)
{
	pgstat_report_activity(STATE_RUNNING, "CALL topic.maintain()");
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	maintain_topics(next_transaction);
	CommitTransactionCommand();
	pgstat_report_stat(true);
}

/*
 * Errors of a topic were dealt with already; this one is of another kind,
 * such as the extension having been dropped meanwhile, or a cancel.
 */
static void
survive_error(MemoryContext context)
{
	HOLD_INTERRUPTS();
	EmitErrorReport();
	AbortCurrentTransaction();
	MemoryContextSwitchTo(context);
	FlushErrorState();
	RESUME_INTERRUPTS();
}

/* Main function of a worker; its database's name is in bgw_extra. */
void
pg_topic_maintenance_main(Datum main_arg)
{
	MemoryContext context;
	uint32		wait_event = new_wait_event("TopicMaintenance");

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	SetConfigOption("default_transaction_read_only", "off", PGC_SUSET,
					PGC_S_OVERRIDE);
	disable_transaction_timeout();
	context = AllocSetContextCreate(TopMemoryContext, "pg_topic maintenance",
									ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}

		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			CHECK_FOR_INTERRUPTS();
			if (extension_is_installed())
				run_maintenance(context);
		}
		PG_CATCH();
		{
			survive_error(context);
		}
		PG_END_TRY();
		MemoryContextReset(context);
		pgstat_report_activity(STATE_IDLE, NULL);

		(void) WaitLatch(MyLatch,
						 WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 maintenance_interval * 1000L, wait_event);
		ResetLatch(MyLatch);
	}
}

static void
register_worker(const char *database)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS |
		BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = RESTART_SECONDS,
		.bgw_library_name = "pg_topic",
		.bgw_function_name = "pg_topic_maintenance_main",
		.bgw_type = "pg_topic maintenance"
	};

	snprintf(worker.bgw_name, BGW_MAXLEN, "pg_topic maintenance of %s",
			 database);
	strlcpy(worker.bgw_extra, database, BGW_EXTRALEN);
	RegisterBackgroundWorker(&worker);
}

static bool
check_databases(char **new_value, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*new_value);
	List	   *databases = NIL;
	bool		valid = SplitIdentifierString(copy, ',', &databases);

	if (!valid)
		GUC_check_errdetail("It must be a list of databases, separated by commas.");
	else if (list_length(databases) > MAX_WORKER_DATABASES)
	{
		valid = false;
		GUC_check_errdetail("It can list %d databases.", MAX_WORKER_DATABASES);
	}
	list_free(databases);
	pfree(copy);
	return valid;
}

void
maintenance_worker_init(void)
{
	char	   *copy;
	List	   *databases;
	ListCell   *cell;

	DefineCustomIntVariable("pg_topic.maintenance_interval",
							"Time between runs of maintenance by background workers.",
							NULL, &maintenance_interval, 10, 1, 86400,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
	if (!process_shared_preload_libraries_in_progress)
		return;

	DefineCustomStringVariable("pg_topic.maintenance_databases",
							   "Databases in which a background worker runs maintenance.",
							   NULL, &maintenance_databases, "postgres",
							   PGC_POSTMASTER, GUC_LIST_INPUT, check_databases,
							   NULL, NULL);

	/* pg_upgrade moves what nobody changes meanwhile. */
	if (IsBinaryUpgrade)
		return;
	copy = pstrdup(maintenance_databases);
	(void) SplitIdentifierString(copy, ',', &databases);
	foreach(cell, databases)
		register_worker(lfirst(cell));
	list_free(databases);
	pfree(copy);
}
