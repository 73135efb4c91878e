// Produce the flights of standard input, one JSON object a line: pg.
//
// 1,000 records a call, and a transaction.
const readline = require('readline');
const { Client } = require('pg');

async function produce(client, lines) {
  const origins = lines.map((line) => JSON.parse(line).origin);
  await client.query(
    "SELECT * FROM topic.produce_batch('flights', $1::jsonb[], keys => $2)",
    [lines, origins]);
}

async function main() {
  const client = new Client();
  await client.connect();
  let lines = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    lines.push(line);
    if (lines.length === 1000) {
      await produce(client, lines);
      lines = [];
    }
  }
  await produce(client, lines);
  await client.end();
}

main();
