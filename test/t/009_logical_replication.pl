# Logical replication and decoding: a publication FOR ALL TABLES gets in the way
# of nothing and can be decoded; a subscriber has the sink of a consumer, makes a
# topic of the changes that are applied, and can take over a whole database.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Contents qw(contents);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
# So little that transactions are streamed before they are committed
$publisher->append_conf('postgresql.conf', "autovacuum = off\nlogical_decoding_work_mem = 64kB\nmax_prepared_transactions = 5");
$publisher->start;
my $subscriber = PostgreSQL::Test::Cluster->new('subscriber');
$subscriber->init;
$subscriber->append_conf('postgresql.conf', "autovacuum = off\nwal_retrieve_retry_interval = 100ms\nmax_prepared_transactions = 5");
$subscriber->start;
my $dumps = PostgreSQL::Test::Utils::tempdir;
my $connection = $publisher->connstr . ' dbname=postgres';

sub publisher { return $publisher->safe_psql('postgres', @_) }
sub subscriber { return $subscriber->safe_psql('postgres', @_) }

# Everything that writes, with a publication that wants to know of each UPDATE
# and DELETE which row it was, and a slot that decodes it all.
publisher('CREATE EXTENSION pg_topic');
publisher('CREATE PUBLICATION everything FOR ALL TABLES');
publisher(q{SELECT pg_create_logical_replication_slot('decoder', 'test_decoding')});
is(publisher(q{
		SELECT c.oid::regclass FROM pg_publication_tables JOIN pg_class c ON c.oid = format('%I.%I', schemaname, tablename)::regclass
		WHERE NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisreplident OR indrelid = c.oid AND indisprimary)}),
	'', 'each table that is published has a replica identity');
publisher($_) for (
	q{SELECT topic.create_topic('orders', 2, retention => '1 hour', idempotency_window => '1 ms')},
	q{SELECT topic.create_topic('mirror', value_format => 'json', cleanup_policy => 'compact')},
	q{SELECT topic.produce_batch('orders', ARRAY(SELECT 'v' || i FROM generate_series(1, 5000) i), partition => 0)},
	q{BEGIN; SELECT topic.produce('orders', 'undone', partition => 0); ROLLBACK},
	q{BEGIN; SELECT topic.produce('orders', 'a', partition => 0); SAVEPOINT s;
		SELECT topic.produce('orders', repeat('undone', 100000), partition => 0); ROLLBACK TO s; COMMIT},
	q{SELECT topic.produce('orders', string_agg(md5(i::text), ''), partition => 0) FROM generate_series(1, 30000) i},
	q{BEGIN; SELECT topic.produce('orders', 'prepared', partition => 0); PREPARE TRANSACTION 'p'},
	q{COMMIT PREPARED 'p'},
	q{INSERT INTO topics.orders (partition, value) SELECT 1, 'sent ' || i FROM generate_series(1, 1000) i},
	q{SELECT topic.produce('orders', 'old', partition => 1, record_timestamp => '2024-01-01')},
	q{SELECT topic.produce('orders', 'with a key', idempotency_key => 'k')},
	q{SELECT topic.produce('orders', 'of a producer', partition => 1, producer_id => producer_id,
		producer_epoch => producer_epoch, sequence => 0) FROM topic.init_producer('p')},
	q{SELECT topic.init_producer('p')},
	q{SELECT topic.roll_segment('orders')},
	q{SELECT topic.produce('orders', 'in a new segment', partition => p) FROM generate_series(0, 1) p},
	q{SELECT topic.alter_topic('orders', partitions => 3)},
	q{SELECT count(*) FROM topic.consume('g', 'orders', 10, commit => true)},
	q{SELECT count(*) FROM topic.consume('g', 'orders', 10, commit => true)},
	q{SELECT topic.reset_offsets('g', 'orders', 'earliest')},
	q{SELECT topic.first_time('g', 'a key'); SELECT topic.dead_letter('g', 'orders', 0, 1, 'failed', max_attempts => 3)},
	q{SELECT topic.dead_letter('g', 'orders', 0, 1, 'failed', max_attempts => 2)},
	q{SELECT topic.delete_offsets('g', 'orders', '{1}'); SELECT topic.grant_group('g', 'pg_monitor'); SELECT topic.delete_group('g')},
	q{SELECT topic.join_group('h', '{orders}', member_id => 'm')},
	q{SELECT count(*) FROM topic.poll('h', 'm', 10)},
	q{SELECT topic.commit_polled('h', 'm'); SELECT topic.heartbeat('h', 'm')},
	q{SELECT topic.leave_group('h', 'm')},
	q{SELECT topic.delete_records('orders', 1, 500)},
	q{CREATE TABLE item (id int PRIMARY KEY, name text); SELECT topic.capture_table('item', 'mirror', payload => 'row')},
	q{INSERT INTO item SELECT i, repeat('x', 100) FROM generate_series(1, 1000) i; UPDATE item SET name = 'y'},
	q{DELETE FROM item WHERE id > 10},
	q{SELECT topic.roll_segment('mirror')},
	q{CALL topic.maintain()},
	q{CALL topic.maintain()},
	q{SELECT topic.create_topic('dropped')},
	q{SELECT topic.produce('dropped', 'v')},
	q{SELECT topic.drop_topic('dropped')});
is(publisher(q{SELECT topic FROM topic.maintenance WHERE last_error IS NOT NULL}), '', 'no step of maintenance failed');
is(publisher(q{SELECT sum(compacted + merged) > 0, sum(dropped) > 0 FROM topic.maintenance}), 't|t', 'segments were rewritten, and dropped');
is(publisher(q{
		SELECT count(*) FILTER (WHERE data LIKE 'table topic_log.segment_1_1: INSERT: %') - (SELECT count(*) FROM topic_log.segment_1_1),
			count(*) FILTER (WHERE data ~ '^table topic_log.[a-z0-9_]*: (UPDATE|DELETE): ')
		FROM pg_logical_slot_get_changes('decoder', NULL, NULL)}),
	'0|0', 'all of it can be decoded, and rows of the log do not change');
publisher(q{SELECT pg_drop_replication_slot('decoder')});
my ($result, $stdout, $stderr) = $publisher->psql('postgres', 'CREATE PUBLICATION p FOR TABLE topics.orders');
like($stderr, qr/cannot add relation "orders" to publication.*foreign tables/s, 'relations of topics are not published');

# A sink, which a consumer fills, and the table of an application
publisher(q{
	CREATE TABLE sink (partition int, record_offset bigint, value text, PRIMARY KEY (partition, record_offset));
	CREATE PUBLICATION application FOR TABLE sink, item});
subscriber(q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('items', 2);
	SELECT topic.create_topic('sinks');
	CREATE TABLE sink (partition int, record_offset bigint, value text, PRIMARY KEY (partition, record_offset));
	CREATE TABLE item (id int PRIMARY KEY, name text);
	SELECT topic.capture_table('item', 'items');
	SELECT topic.capture_table('sink', 'sinks', payload => 'row');
	SELECT format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', tgrelid::regclass, tgname)
		FROM pg_trigger WHERE tgrelid IN ('item'::regclass, 'sink'::regclass) AND NOT tgisinternal \gexec});
my $streaming = $subscriber->pg_version >= 16 ? 'parallel' : 'on';
subscriber("CREATE SUBSCRIPTION application CONNECTION '$connection' PUBLICATION application WITH (streaming = $streaming, two_phase = on)");
$subscriber->wait_for_subscription_sync($publisher, 'application');
is(subscriber(q{SELECT value->>'op', count(*) FROM topic.fetch_json('items') GROUP BY 1}), 'c|10',
	'what is copied at first is captured');

# What is applied is appended in the order of commits, whoever comes first.
my $early = Session->new($publisher);
$early->query(q{BEGIN; UPDATE item SET name = 'early' WHERE id = 1});
publisher($_) for (
	q{UPDATE item SET name = 'first' WHERE id = 2},
	q{BEGIN; UPDATE item SET name = 'prepared' WHERE id = 2; PREPARE TRANSACTION 'p'},
	q{INSERT INTO item SELECT i, repeat('large', 100) FROM generate_series(1001, 3000) i},
	q{BEGIN; DELETE FROM item WHERE id > 2000; SAVEPOINT s; DELETE FROM item WHERE id > 1000; ROLLBACK TO s; COMMIT},
	q{BEGIN; DELETE FROM item WHERE id > 1000; ROLLBACK},
	q{COMMIT PREPARED 'p'});
$early->query('COMMIT');
$early->quit;
# and its worker may die
subscriber(q{SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_subscription WHERE pid IS NOT NULL});
# A consumer's sink, in transactions that roll back now and then
publisher(q{BEGIN; INSERT INTO sink SELECT partition, record_offset, value
		FROM topic.consume_text('g', 'orders', 700, commit => true); } . $_)
  for map { $_ % 3 ? 'COMMIT' : 'ROLLBACK' } 1 .. 12;
$publisher->wait_for_catchup('application');

my $sink = 'SELECT count(*), md5(string_agg(s::text, chr(10) ORDER BY partition, record_offset)) FROM sink s';
is(subscriber($sink), publisher($sink), 'the sink is the same');
is(subscriber(q{SELECT count(*), count(DISTINCT key) FROM topic.fetch_json('sinks')}), publisher('SELECT count(*), count(*) FROM sink'),
	'and its capture has each row once');
my $items = 'SELECT count(*), md5(string_agg(i::text, chr(10) ORDER BY id)) FROM item i';
is(subscriber($items), publisher($items), 'the table is the same');
is(subscriber(q{
		SELECT count(*), md5(string_agg(i::text, chr(10) ORDER BY i.id))
		FROM (SELECT DISTINCT ON (key) value FROM topic.fetch_json('items') ORDER BY key, record_offset DESC) last,
			jsonb_populate_record(NULL::item, value->'after') i WHERE value->>'after' IS NOT NULL}),
	publisher($items), 'its capture, folded, is the table');
is(subscriber(q{SELECT value->>'op', count(*) FROM topic.fetch_json('items') GROUP BY 1 ORDER BY 1}), "c|2010\nd|1000\nu|3",
	'and has each change once');
is(subscriber(q{SELECT string_agg(value->'after'->>'name', ' ' ORDER BY record_offset)
		FROM topic.fetch_json('items') WHERE key = '{"id":2}'}), 'y first prepared', 'in their order');
subscriber('DROP SUBSCRIPTION application');

# A whole database moves to another server.  Meanwhile producers commit in
# another order than that of their offsets; nobody reads there, and no segment
# is made here.
$publisher->command_ok([ 'pg_dump', '--schema-only', '-f', "$dumps/schema", $connection ], 'pg_dump --schema-only');
subscriber('CREATE DATABASE moved');
$subscriber->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$dumps/out", '-d', $subscriber->connstr('moved'),
	'-f', "$dumps/schema" ], 'and its restore');
$subscriber->safe_psql('moved', "CREATE SUBSCRIPTION everything CONNECTION '$connection' PUBLICATION everything");
$subscriber->wait_for_subscription_sync($publisher, 'everything', 'moved');
my $slow = Session->new($publisher);
$slow->query(q{BEGIN; SELECT topic.produce('orders', 'slow', partition => 2)});
publisher($_) for (
	q{SELECT topic.produce('orders', repeat('large', 100000), partition => 2)},
	q{SELECT count(*) FROM topic.consume('g', 'orders', 100, commit => true)},
	q{INSERT INTO item VALUES (0, 'moved')});
$slow->query('COMMIT');
$slow->quit;
$publisher->wait_for_catchup('everything');
$subscriber->safe_psql('moved', 'DROP SUBSCRIPTION everything');
$subscriber->safe_psql('moved', $_) for split /\n/, publisher(q{
	SELECT format('SELECT setval(%L, %s)', c.oid::regclass, s.last_value)
	FROM pg_class c JOIN pg_sequences s ON c.oid = format('%I.%I', schemaname, sequencename)::regclass
	WHERE s.last_value IS NOT NULL});
my @all = qw(topics segments records offsets committed groups producers states);
is(contents($subscriber, 'moved', @all), contents($publisher, 'postgres', @all), 'the moved database is the same');
my $next = q{
	SELECT count(*) FROM topic.consume('g', 'orders', commit => true);
	SELECT topic.produce('orders', 'next', partition => p) FROM generate_series(0, 2) p;
	INSERT INTO item VALUES (-1, 'next'); SELECT max(record_offset) FROM topics.mirror;
	SELECT topic.create_topic('next'); SELECT topic_id FROM topic.topics WHERE topic = 'next';
	SELECT topic.roll_segment('orders')};
is($subscriber->safe_psql('moved', $next), publisher($next), 'and goes on as the old one does');

$subscriber->stop;
$publisher->stop;
done_testing();
