// How JavaScript's values go into the calls: pg.
const { Client } = require('pg');

const name = process.argv[2];
const key = '0190163d-8694-739b-aea5-966c26f8ad91';

async function main() {
  const client = new Client();
  await client.connect();
  const call = client.query.bind(client);
  await call("SELECT topic.produce('calls', $1, key => $2)", ['hello', name]);
  await call("SELECT topic.produce('calls', $1::jsonb, key => $2::bigint, headers => $3)",
    [{ total: 20 }, 42, { source: 'web' }]);
  await call("SELECT topic.produce('calls', $1, key => $2)", ['no key', null]);
  await call("SELECT topic.produce('calls', $1, key => $2::uuid)", [null, key]);
  await call("SELECT topic.produce('calls', $1::bytea, key => $2::bytea)",
    [Buffer.from('bytes'), Buffer.from('key')]);
  await call("SELECT * FROM topic.produce_batch('calls', $1::text[], keys => $2)",
    [['a', 'b'], [name, null]]);
  await call("SELECT * FROM topic.produce_batch('calls', $1::jsonb[])",
    [[{ total: 1 }, { total: 2 }]]);
  await call("SELECT * FROM topic.produce_batch('calls', $1::text[])", [[]]);
  await client.end();
}

main();
