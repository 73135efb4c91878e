/*-------------------------------------------------------------------------
 *
 * segment_freeze.c
 *		Freezing sealed segments.
 *
 * Rows never change after a segment is settled, so VACUUM has to come to it
 * once.  It should come soon: a page that is frozen in the checkpoint cycle in
 * which it was filled is written to WAL as a small record, and later as a
 * whole.
 *
 * Everything that it sees it freezes, but it is not the aggressive kind, which
 * would wait for who has a page pinned.
 *
 * The command VACUUM cannot be used in a procedure, since it commits while it
 * is at work, so that a transaction does not hold back others' VACUUMs for
 * long.  What it calls for a table can: a segment is small, and has a
 * transaction of its own here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "commands/vacuum.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "segment_freeze.h"

static void
freeze_table(Relation relation)
{
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_VACUUM);
	VacuumParams params = {
		.options = VACOPT_VACUUM,
		.freeze_table_age = -1,
		.multixact_freeze_table_age = -1,
		.log_min_duration = -1,
		.index_cleanup = VACOPTVALUE_ENABLED,
		.truncate = VACOPTVALUE_DISABLED,
		.nworkers = -1
	};

	table_relation_vacuum(relation, &params, strategy);
	FreeAccessStrategy(strategy);
}

void
freeze_segment(Relation segment)
{
	Relation	toast = table_open(segment->rd_rel->reltoastrelid,
								   ShareUpdateExclusiveLock);

	freeze_table(segment);
	freeze_table(toast);
	table_close(toast, NoLock);
}
