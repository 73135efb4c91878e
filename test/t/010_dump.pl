# pg_dump and restore into a new database: the same topics, records, offsets,
# groups and committed offsets, and everything goes on from there.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $dumps = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', q{
	CREATE DATABASE source;
	CREATE ROLE alice;
	CREATE ROLE bob;
});

# A topic of alice with three segments, gaps, large values, headers and a
# partition added later; one of bytes with a name that needs quotes; an empty
# one; one that retention has emptied; and one of which it has retired a segment,
# and delete_records deleted some. Each command is a transaction.
$node->safe_psql('source', $_) for (
	'CREATE EXTENSION pg_topic',
	'GRANT CREATE ON SCHEMA topics TO alice',
	q{SET ROLE alice;
		SELECT topic.create_topic('orders', 2, retention => '7 days', max_record_bytes => 2000000,
			segment_age => '1 day', timestamp_type => 'CreateTime')},
	q{SELECT topic.produce_batch('orders', ARRAY(SELECT 'first ' || i FROM generate_series(1, 1000) i),
		ARRAY(SELECT 'k' || i % 10 FROM generate_series(1, 1000) i))},
	q{BEGIN; SELECT topic.produce('orders', 'undone', partition => 0); ROLLBACK},
	q{SELECT topic.roll_segment('orders')},
	q{SELECT topic.produce('orders', repeat('large', 200000), 'k', '[["h", "1"], ["h", null]]', 0, '2024-01-01')},
	q{SELECT topic.produce('orders', NULL, 'tombstone', partition => 1)},
	q{SELECT topic.alter_topic('orders', partitions => 3)},
	q{SELECT topic.roll_segment('orders')},
	q{SELECT topic.produce('orders', 'third', partition => p) FROM generate_series(0, 2) p},
	q{BEGIN; SELECT topic.produce('orders', 'undone'); ROLLBACK},
	q{SELECT topic.create_topic('Raw.bytes-1', value_format => 'bytes')},
	q{SELECT topic.produce('Raw.bytes-1', '\x00ff'::bytea, '\xff00'::bytea)},
	q{SELECT topic.create_topic('empty', value_format => 'json')},
	q{SELECT topic.create_topic('dropped')},
	q{SELECT topic.drop_topic('dropped')},
	q{SELECT topic.create_topic('emptied', 2, retention => '1 day', merge_small_batches => false)},
	q{SELECT topic.produce('emptied', 'v', partition => i % 2, record_timestamp => '2024-01-01') FROM generate_series(1, 9) i},
	q{SELECT topic.roll_segment('emptied')},
	q{CALL topic.maintain()},
	q{SELECT topic.create_topic('aged', 2, retention => '1 day', tombstone_retention => '1 hour', min_compaction_lag => '1 minute',
		merge_small_batches => false, retain_until_consumed => '{}')},
	q{SELECT topic.produce('aged', 'old', partition => i % 2, record_timestamp => '2024-01-01') FROM generate_series(1, 9) i},
	q{SELECT topic.roll_segment('aged')},
	q{SELECT topic.produce('aged', 'new', partition => i % 2) FROM generate_series(1, 8) i},
	q{SELECT topic.delete_records('aged', 1, 7)},
	q{GRANT SELECT ON topics.orders TO bob},
	q{GRANT INSERT ON topics.orders TO PUBLIC},
	q{CREATE VIEW of_orders AS SELECT key, value FROM topics.orders WHERE partition = 2},
	q{SET ROLE bob; SELECT count(*) FROM topic.consume('bobs', 'orders', 300, ARRAY[0], commit => true);
		SELECT topic.commit('bobs', 'orders', 1, 5, 'by hand')},
	q{SET ROLE alice; SELECT count(*) FROM topic.consume('alices', 'orders', NULL, commit => true)},
	q{SELECT count(*) FROM topic.consume('idle', 'orders', NULL)},
	q{SET ROLE alice; SELECT topic.grant_group('alices', 'bob');
		SELECT topic.first_time('alices', 'a key', '1 year')},
	q{SELECT topic.dead_letter('idle', 'orders', 0, 1, 'failed', max_attempts => 3)},
	q{SELECT topic.produce('orders', 'of a producer', partition => 1, producer_id => producer_id, producer_epoch => producer_epoch,
		sequence => 0) FROM topic.init_producer('p')},
	q{SET ROLE alice; SELECT topic.init_producer('q'), topic.produce('orders', 'with a key', partition => 1, idempotency_key => 'k')});

# Whose snapshot keeps the segment from being dropped.
my $holder = Session->new($node, dbname => 'source');
$holder->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT');
$node->safe_psql('source', 'CALL topic.maintain()');

# All that must be the same.
my %same = (
	topics => q{SELECT topic, topic_id, relation, partitions, retention, value_format, max_record_bytes,
			segment_age, tombstone_retention, min_compaction_lag, merge_small_batches, retain_until_consumed,
			idempotency_window, log_start_offsets, created_at FROM topic.topics ORDER BY topic},
	segments => q{SELECT s FROM topic.segments s ORDER BY topic_id, segment},
	records => q{SELECT topic, md5(string_agg(f::text, ',' ORDER BY partition, record_offset)), count(*)
			FROM topic.topics, topic.fetch(topic) f GROUP BY topic ORDER BY topic},
	offsets => q{SELECT topic, o.* FROM topic.topics, topic.offsets(topic) o ORDER BY topic, partition},
	committed => q{SELECT group_id, partition, committed_offset, metadata, committed_at
			FROM topic.consumer_offsets ORDER BY group_id, topic, partition},
	lag => q{SELECT group_id, topic, partition, committed_offset, lag FROM topic.lag ORDER BY 1, 2, 3},
	groups => q{SELECT group_id, owner, grantees, created_at FROM topic.groups ORDER BY group_id},
	keys => q{SELECT * FROM topic.idempotency_keys ORDER BY 1, 2},
	producers => q{SELECT * FROM topic.producers ORDER BY 1},
	states => q{SELECT * FROM topic.producer_states ORDER BY 1, 2, 3, 4},
	produced_keys => q{SELECT * FROM topic.produced_keys ORDER BY 1, 2},
	attempts => q{SELECT * FROM topic.failed_attempts ORDER BY 1, 2, 3, 4},
	owners => q{SELECT topic, owner, segments FROM topic.topic_stats ORDER BY topic},
	privileges => q{SELECT relname, relacl FROM pg_class WHERE relnamespace = 'topics'::regnamespace ORDER BY relname},
	tables => q{SELECT relname, relowner::regrole, reloptions FROM pg_class
			WHERE relnamespace = 'topic_log'::regnamespace ORDER BY relname},
	storage => q{SELECT attrelid::regclass, attstorage FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
			WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r' AND attname = 'batch' ORDER BY 1},
	view => q{SELECT * FROM of_orders});
my %source = map { $_ => $node->safe_psql('source', $same{$_}) } keys %same;
isnt($source{$_}, '', "there is something to compare: $_") for sort keys %source;
my $next = $node->safe_psql('source', q{SELECT high_watermark FROM topic.offsets('orders') ORDER BY partition});

# Dump and restore it in two ways.
my %restore = (
	plain => sub {
		$node->command_ok([ 'pg_dump', '-f', "$dumps/plain", $node->connstr('source') ], 'pg_dump');
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'),
			'-f', "$dumps/plain" ], 'psql');
	},
	custom => sub {
		$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dumps/custom", $node->connstr('source') ], 'pg_dump -Fc');
		$node->command_ok([ 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('custom'), "$dumps/custom" ],
			'pg_restore -j');
	});
for my $name (sort keys %restore)
{
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$restore{$name}->();
	is($node->safe_psql($name, $same{$_}), $source{$_}, "$name: same $_") for sort keys %same;

	# Producers go on where they were, in partitions, topics and segments.
	is($node->safe_psql($name, q{SELECT topic.produce('orders', 'next', partition => p) FROM generate_series(0, 2) p}),
		$next, "$name: the next offsets");
	is($node->safe_psql($name, q{SELECT topic.produce('Raw.bytes-1', '\x01'::bytea), topic.produce('empty', '{}')}),
		'1|0', "$name: the next offsets of the other topics");
	is($node->safe_psql($name, q{SELECT topic.create_topic('new'); SELECT topic_id FROM topic.topics WHERE topic = 'new'}),
		"\n7", "$name: no topic's number is given again");
	is($node->safe_psql($name, q{SELECT topic.roll_segment('orders');
			SELECT max(segment) FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'orders'}),
		"t\n3", "$name: the next segment");

	# A retry gets the offset that it has got before.
	is($node->safe_psql($name, q{SELECT topic.produce('orders', 'of a producer', partition => 1, producer_id => producer_id,
				producer_epoch => producer_epoch, sequence => 0) - base_offsets[1],
			topic.produce('orders', 'with a key', idempotency_key => 'k') - (SELECT record_offset FROM topic.produced_keys)
			FROM topic.producer_states}), '0|0', "$name: producers are remembered, and keys");
	is($node->safe_psql($name, q{SELECT producer_id, producer_epoch FROM topic.init_producer('q');
			SELECT producer_id, producer_epoch FROM topic.init_producer('new')}), "2|1\n3|0",
		"$name: no producer's id is given again");

	# Nothing that was deleted is there again, and offsets go on after it.
	is($node->safe_psql($name, q{SELECT topic, partition, log_start_offset, high_watermark
				FROM topic.partition_stats WHERE topic IN ('aged', 'emptied') ORDER BY 1, 2}),
		"aged|0|4|8\naged|1|7|9\nemptied|0|4|4\nemptied|1|5|5", "$name: where logs start");
	is($node->safe_psql($name, q{SELECT due, dropped FROM topic.maintenance WHERE topic = 'aged'; CALL topic.maintain();
				SELECT due, dropped FROM topic.maintenance WHERE topic = 'aged';
				SELECT count(*), min(record_offset) FROM topics.aged WHERE partition = 1}),
		"{drop}|0\n{}|1\n2|7", "$name: the retired segment is dropped");
	is($node->safe_psql($name, q{SELECT topic.produce(t, 'next', partition => p)
				FROM unnest(ARRAY['aged', 'emptied']) t, generate_series(0, 1) p ORDER BY t, p}),
		"8\n9\n4\n5", "$name: the next offsets after what was deleted");

	# So do consumers, as the roles that own the groups.
	my $committed = $node->safe_psql('source',
		q{SELECT committed_offset FROM topic.committed('bobs', 'orders') WHERE partition = 0});
	is($node->safe_psql($name, q{SET ROLE bob; SELECT record_offset FROM topic.consume('bobs', 'orders', 1, ARRAY[0])}),
		$committed, "$name: a group goes on");
	is($node->safe_psql($name, q{SET ROLE alice; SELECT value FROM topic.consume_text('alices', 'orders', partitions => ARRAY[2])}),
		'next', "$name: another group goes on");
	my ($result, $stdout, $stderr) = $node->psql($name,
		q{SET ROLE alice; SELECT * FROM topic.consume('idle', 'orders')});
	like($stderr, qr/permission denied for group "idle"/, "$name: whose group it is");
	is($node->safe_psql($name, q{SET ROLE bob; SELECT topic.first_time('alices', 'a key')}), 'f',
		"$name: to whom it is granted, and what it remembers");
	# and what hangs together is dropped together.
	is($node->safe_psql($name, q{DROP VIEW of_orders; SET ROLE alice; DROP FOREIGN TABLE topics.orders; RESET ROLE;
			SELECT count(*) FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'orders';
			SELECT count(*) FROM pg_class WHERE relname ~ '^segment_1_.$'}),
		"0\n0", "$name: a topic is dropped as a whole");
}
is($node->safe_psql('source', $same{$_}), $source{$_}, "the source is unchanged: $_") for sort keys %same;

# The schema alone: relations without topics, which do not get in the way.
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dumps/bare", $node->connstr('source') ], 'pg_dump --schema-only');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('bare'), '-f', "$dumps/bare" ],
	'and its restore');
is($node->safe_psql('bare', q{SELECT count(*) FROM topic.topics; SELECT count(*) FROM topic.lag;
		SELECT count(*) FROM topic.topic_stats}), "0\n0\n0", 'there are no topics');
my ($result, $stdout, $stderr) = $node->psql('bare', q{SELECT * FROM topics.orders});
like($stderr, qr/foreign table "orders" is not the relation of a topic/, 'a relation reads nothing');
($result, $stdout, $stderr) = $node->psql('bare', q{SELECT topic.create_topic('orders')});
like($stderr, qr/relation "topics.orders" already exists.*HINT:  Drop or rename it/s, 'and says what it is');
is($node->safe_psql('bare', q{SELECT topic.create_topic('new'); SELECT topic.produce('new', 'v');
		SELECT value FROM topics.new}), "\n0\nv", 'a topic of a new name');
is($node->safe_psql('bare', q{DROP VIEW of_orders; DROP FOREIGN TABLE topics.orders;
		SELECT topic.create_topic('orders'); SELECT topic.produce('orders', 'v'); SELECT value FROM topics.orders}),
	"\n0\nv", 'a topic of the same name');

$holder->quit;
$node->stop;
done_testing();
