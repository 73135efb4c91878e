/*-------------------------------------------------------------------------
 *
 * late_send.c
 *		Sends to topic 'late' in every commit, for tests: after pg_topic has
 *		appended what the transaction sent.
 *
 * PostgreSQL calls those first who were registered last, so a session loads
 * this module before it uses pg_topic.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

static void
send_late(XactEvent event, void *arg)
{
	/* What has written nothing is left alone. */
	if (event != XACT_EVENT_PRE_COMMIT ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	SPI_execute("SELECT topic.send('late', 'value')", false, 0);
	SPI_finish();
	PopActiveSnapshot();
}

void
_PG_init(void)
{
	RegisterXactCallback(send_late, NULL);
}
