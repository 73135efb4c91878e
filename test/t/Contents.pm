# A database with some of everything that pg_topic keeps, and what must be the
# same of it after it was restored or upgraded; and that everything goes on then.
package Contents;

use strict;
use warnings;

use Exporter 'import';
use Session;
use Test::More;

our @EXPORT_OK = qw(contents);

# A topic of alice with three segments, gaps, large values, headers and a
# partition added later; one of bytes with a name that needs quotes; an empty
# one; one that retention has emptied; one that a table is captured into, compressed
# and compacted; and one of which retention has retired a segment, and
# delete_records deleted some. Each command is a transaction.
my @commands = (
	'GRANT CREATE ON SCHEMA topics TO alice; GRANT CREATE ON DATABASE :"DBNAME" TO alice',
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
	q{SET ROLE alice;
		SELECT topic.create_topic('changes', cleanup_policy => 'compact', compression => 'zstd');
		CREATE SCHEMA shop;
		CREATE TABLE shop.item (id int PRIMARY KEY, name text);
		SELECT topic.capture_table('shop.item', 'changes', payload => 'row');
		INSERT INTO shop.item SELECT i, repeat('x', 100) FROM generate_series(1, 100) i},
	q{DELETE FROM shop.item WHERE id > 10},
	q{SELECT topic.roll_segment('changes')},
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

# All that must be the same.
my %same = (
	topics => q{SELECT t - 'relation' || jsonb_build_object('relation', relation::text)
			FROM topic.topics, to_jsonb(topics) t ORDER BY topic},
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
	times => q{SELECT topic, p, at, topic.offset_for_time(topic, p, at)
			FROM topic.topics, generate_series(0, partitions - 1) p,
			unnest('{2024-01-01, 2024-01-01 00:00:01, infinity}'::timestamptz[]) at ORDER BY 1, 2, 3},
	captures => q{SELECT * FROM topic.captured_tables},
	owners => q{SELECT topic, owner, segments FROM topic.topic_stats ORDER BY topic},
	# 17 gave owners a privilege more.
	privileges => q{SELECT relname, grantee::regrole, privilege_type FROM pg_class, aclexplode(relacl)
			WHERE relnamespace = 'topics'::regnamespace AND privilege_type <> 'MAINTAIN' ORDER BY 1, 2, 3},
	tables => q{SELECT relname, relowner::regrole, reloptions FROM pg_class
			WHERE relnamespace = 'topic_log'::regnamespace ORDER BY relname},
	storage => q{SELECT attrelid::regclass::text, attstorage FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
			WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r' AND attname = 'batch' ORDER BY 1},
	view => q{SELECT * FROM of_orders});

# What a database has of these, as text.
sub contents
{
	my ($node, $database, @names) = @_;

	return join("\n", map { $node->safe_psql($database, $same{$_}) } @names);
}

# Fill a database that has the extension. A segment that is retired is kept by
# a session's snapshot, until leave().
sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { node => $node, database => $database }, $class;

	# Another database of the server may have been filled before.
	$node->safe_psql('postgres', q{
		SELECT format('CREATE ROLE %I', role) FROM unnest('{alice,bob}'::text[]) role
		WHERE to_regrole(role) IS NULL \gexec});
	$self->query($_) for @commands;
	$self->{holder} = Session->new($node, dbname => $database);
	$self->{holder}->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT');
	$self->query('CALL topic.maintain()');
	$self->{contents} = { map { $_ => $self->query($same{$_}) } keys %same };
	isnt($self->{contents}{$_}, '', "there is something to compare: $_") for sort keys %same;
	$self->{next} = $self->query(q{SELECT high_watermark FROM topic.offsets('orders') ORDER BY partition});
	$self->{committed} = $self->query(
		q{SELECT committed_offset FROM topic.committed('bobs', 'orders') WHERE partition = 0});
	return $self;
}

# The same contents elsewhere: in another database, or on another node.
sub moved
{
	my ($self, %where) = @_;

	return bless { %$self, %where }, ref $self;
}

sub query
{
	my ($self, $sql) = @_;

	return $self->{node}->safe_psql($self->{database}, $sql);
}

sub leave
{
	my ($self) = @_;

	$self->{holder}->quit;
	return;
}

sub is_same
{
	my ($self, $name) = @_;

	is($self->query($same{$_}), $self->{contents}{$_}, "$name: same $_") for sort keys %same;
	return;
}

# Producers, consumers and maintenance go on; which changes the contents.
sub goes_on
{
	my ($self, $name) = @_;

	# The offsets of records that were rolled back are given again when VACUUM has
	# removed these; in a dump they are not.
	$self->query('VACUUM (INDEX_CLEANUP on)');

	# Producers go on where they were, in partitions, topics and segments.
	is($self->query(q{SELECT topic.produce('orders', 'next', partition => p) FROM generate_series(0, 2) p}),
		$self->{next}, "$name: the next offsets");
	is($self->query(q{SELECT topic.produce('Raw.bytes-1', '\x01'::bytea), topic.produce('empty', '{}')}),
		'1|0', "$name: the next offsets of the other topics");
	is($self->query(q{SELECT topic.create_topic('new'); SELECT topic_id FROM topic.topics WHERE topic = 'new'}),
		"\n8", "$name: no topic's number is given again");
	is($self->query(q{SELECT topic.roll_segment('orders');
			SELECT max(segment) FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'orders'}),
		"t\n3", "$name: the next segment");

	# A retry gets the offset that it has got before.
	is($self->query(q{SELECT topic.produce('orders', 'of a producer', partition => 1, producer_id => producer_id,
				producer_epoch => producer_epoch, sequence => 0) - base_offsets[1],
			topic.produce('orders', 'with a key', idempotency_key => 'k') - (SELECT record_offset FROM topic.produced_keys)
			FROM topic.producer_states}), '0|0', "$name: producers are remembered, and keys");
	is($self->query(q{SELECT producer_id, producer_epoch FROM topic.init_producer('q');
			SELECT producer_id, producer_epoch FROM topic.init_producer('new')}), "2|1\n3|0",
		"$name: no producer's id is given again");

	# Nothing that was deleted is there again, and offsets go on after it.
	is($self->query(q{SELECT topic, partition, log_start_offset, high_watermark
				FROM topic.partition_stats WHERE topic IN ('aged', 'emptied') ORDER BY 1, 2}),
		"aged|0|4|8\naged|1|7|9\nemptied|0|4|4\nemptied|1|5|5", "$name: where logs start");
	is($self->query(q{SELECT due, dropped FROM topic.maintenance WHERE topic = 'aged'; CALL topic.maintain();
				SELECT due, dropped FROM topic.maintenance WHERE topic = 'aged';
				SELECT count(*), min(record_offset) FROM topics.aged WHERE partition = 1}),
		"{drop}|0\n{}|1\n2|7", "$name: the retired segment is dropped");
	is($self->query(q{SELECT topic.produce(t, 'next', partition => p)
				FROM unnest(ARRAY['aged', 'emptied']) t, generate_series(0, 1) p ORDER BY t, p}),
		"8\n9\n4\n5", "$name: the next offsets after what was deleted");

	# So do consumers, as the roles that own the groups.
	is($self->query(q{SET ROLE bob; SELECT record_offset FROM topic.consume('bobs', 'orders', 1, ARRAY[0])}),
		$self->{committed}, "$name: a group goes on");
	is($self->query(q{SET ROLE alice; SELECT value FROM topic.consume_text('alices', 'orders', partitions => ARRAY[2])}),
		'next', "$name: another group goes on");
	my ($result, $stdout, $stderr) = $self->{node}->psql($self->{database},
		q{SET ROLE alice; SELECT * FROM topic.consume('idle', 'orders')});
	like($stderr, qr/permission denied for group "idle"/, "$name: whose group it is");
	is($self->query(q{SET ROLE bob; SELECT topic.first_time('alices', 'a key')}), 'f',
		"$name: to whom it is granted, and what it remembers");
	# and what hangs together is dropped together.
	is($self->query(q{DROP VIEW of_orders; SET ROLE alice; DROP FOREIGN TABLE topics.orders; RESET ROLE;
			SELECT count(*) FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = 'orders';
			SELECT count(*) FROM pg_class WHERE relname ~ '^segment_1_.$'}),
		"0\n0", "$name: a topic is dropped as a whole");
	# which a topic that a table is captured into is not.
	is($self->query(q{SET ROLE alice; UPDATE shop.item SET name = 'new' WHERE id = 1;
			SELECT value FROM topics.changes ORDER BY record_offset DESC LIMIT 1}),
		'{"id":1,"name":"new"}', "$name: a table is captured");
	foreach my $drop (q{SELECT topic.drop_topic('changes')}, q{DROP FOREIGN TABLE topics.changes})
	{
		isnt($self->{node}->psql($self->{database}, $drop), 0, "$name: not dropped by $drop");
	}
	is($self->query(q{SET ROLE alice; SELECT topic.release_table('shop.item'); SELECT topic.drop_topic('changes');
			INSERT INTO shop.item VALUES (0); SELECT count(*) FROM pg_class WHERE relname ~ '^segment_6_'}),
		"\n\n0", "$name: until it is released");
	return;
}

1;
