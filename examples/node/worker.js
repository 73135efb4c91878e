// A worker with pg: flights become rows of the table arrival.
const { setTimeout: sleep } = require('timers/promises');
const { Client } = require('pg');

// Consume, write and commit the offsets, in one transaction.
async function handleBatch(client) {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const batch = await client.query(
    `SELECT partition, record_offset, key, value
     FROM topic.consume_json('arrivals', 'flights', max_records => 250)`);
  const arrivals = batch.rows.map(({ partition, record_offset, key, value }) => ({
    partition, record_offset, origin: key, destination: value.destination, delay: value.delay,
  }));
  await client.query(
    'INSERT INTO arrival SELECT * FROM jsonb_populate_recordset(NULL::arrival, $1)',
    [JSON.stringify(arrivals)]);
  await client.query("SELECT * FROM topic.commit('arrivals', 'flights')");
  await client.query('COMMIT');
}

// The connection is closed after any error, which rolls back.
async function work() {
  const client = new Client();
  client.on('error', () => {}); // a connection that breaks fails the next query, too
  try {
    await client.connect();
    for (;;) {
      await client.query("CALL topic.wait_for_records('arrivals', 'flights')");
      await handleBatch(client);
    }
  } finally {
    client.end().catch(() => {});
  }
}

// 40001, a deadlock, 55P03, a timeout; or the connection broke, or could not be
// made.
function isTransient(error) {
  return /^(08|40|53|57|55P03)/.test(error.code) || error.syscall !== undefined ||
    /^Connection terminated/.test(error.message) || /not queryable/.test(error.message);
}

async function main() {
  for (;;) {
    try {
      await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      console.error(error.code, error.message);
      await sleep(500);
    }
  }
}

main();
