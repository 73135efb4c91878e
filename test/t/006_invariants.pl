# What holds of the tables themselves.
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
$node->append_conf('postgresql.conf', "autovacuum = off\nlog_statement = none\n");
$node->start;

sub run
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

run(q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', partitions => 2);
	SELECT count(topic.produce('orders', repeat('x', n), 'key ' || n)) FROM generate_series(1, 1000) n;
	SELECT topic.produce('orders', repeat('x', 100000), partition => 0);
});

# Consumption leaves no trace in the log: rows are never updated or deleted.
run(q{
	CREATE TABLE sink (value text);
	DO $$
	BEGIN
		WHILE EXISTS (SELECT FROM topic.consume('group', 'orders', 100, commit => true)) LOOP
			COMMIT;
		END LOOP;
	END $$;
	BEGIN; SELECT count(*) FROM topic.consume('another', 'orders', 2000); ROLLBACK;
	SELECT * FROM topic.reset_offsets('group', 'orders', 'earliest');
	SELECT count(*) FROM topic.consume('group', 'orders', 2000, commit => true);
	SELECT topic.roll_segment('orders');
});
is(run(q{SELECT sum(lag) FROM topic.lag WHERE group_id = 'group'}),
	'0', 'all was consumed');
ok($node->poll_query_until('postgres', q{
		SELECT n_tup_ins > 0 FROM pg_stat_user_tables
		WHERE schemaname = 'topic_log' AND relname = 'segment_1_0'}),
	'what was inserted is counted');
is(run(q{
		SELECT sum(n_tup_upd), sum(n_tup_del), sum(n_dead_tup)
		FROM pg_stat_all_tables
		WHERE schemaname = 'topic_log' OR relid IN (
			SELECT reltoastrelid FROM pg_class
			WHERE relnamespace = 'topic_log'::regnamespace)}),
	'0|0|0', 'no row of the log was updated or deleted');
is(run(q{
		SELECT count(*) FROM topic_log.segment_1_0 WHERE xmax <> '0'}),
	'0', 'or locked');

# The unique key is a backstop: an offset cannot be there twice.
my ($status, $out, $err) = $node->psql('postgres', q{
	INSERT INTO topic_log.segment_1_0 SELECT * FROM topic_log.segment_1_0 LIMIT 1});
like($err, qr/duplicate key value violates unique constraint "segment_1_0_pkey"/,
	'an offset that is given twice is refused');

# Offsets of the rows do not overlap, and their hints do not pass them.
is(run(q{
		SELECT count(*) FROM (
			SELECT base_offset, last_offset, record_count, stable_offset,
				lag(last_offset, 1, -1::bigint) OVER (PARTITION BY partition ORDER BY base_offset) AS previous
			FROM topic_log.segment_1_0) s
		WHERE base_offset <> previous + 1 OR last_offset <> base_offset + record_count - 1
		OR stable_offset > base_offset}),
	'0', 'rows follow each other');

# An index that a DBA adds is maintained, of whatever kind, also while a
# producer has the segment open. The new segment of the topic is 1_1.
run(q{
	SELECT topic.produce('orders', 'before', partition => 0);
	CREATE INDEX by_time ON topic_log.segment_1_1 (max_timestamp);
	CREATE INDEX by_length ON topic_log.segment_1_1 (length(batch)) WHERE partition = 0;
	CREATE INDEX by_hash ON topic_log.segment_1_1 USING hash (last_offset);
});
my $producer = Session->new($node);
$producer->query(q{BEGIN; SELECT topic.produce('orders', 'open', partition => 0)});
my $dba = Session->new($node);
$dba->send('REINDEX TABLE CONCURRENTLY topic_log.segment_1_1');
ok($node->poll_query_until('postgres', q{
		SELECT count(*) > 0 FROM pg_stat_activity
		WHERE query ~ '^REINDEX' AND wait_event_type = 'Lock'}),
	'REINDEX CONCURRENTLY waits for the producer');
run(q{
	SELECT count(*) FROM topic.produce_batch('orders', array_fill(repeat('x', 500), ARRAY[100]), partition => 0);
});
$producer->query(q{SELECT topic.produce('orders', 'open', partition => 0); COMMIT});
is($dba->receive, '', 'REINDEX CONCURRENTLY comes to its end');
run(q{SELECT topic.produce('orders', 'after', partition => 0)});

# As many rows by way of each index as in the table.
my $rows = run('SELECT count(*) FROM topic_log.segment_1_1');
cmp_ok($rows, '>', 9, 'there are rows');
my %conditions = (
	segment_1_1_pkey => 'partition >= 0',
	by_time => 'max_timestamp > 0',
	by_length => 'partition = 0 AND length(batch) > 0');
foreach my $index (sort keys %conditions)
{
	my $plan = run("SET enable_seqscan = off; SET enable_bitmapscan = off;
		EXPLAIN SELECT count(*) FROM topic_log.segment_1_1 WHERE $conditions{$index}");
	like($plan, qr/ using $index/, "the planner uses $index");
	is(run("SET enable_seqscan = off; SET enable_bitmapscan = off;
			SELECT count(*) FROM topic_log.segment_1_1 WHERE $conditions{$index}"),
		$rows, "all rows are in $index");
}
is(run(q{SET enable_seqscan = off;
		SELECT count(*) FROM topic_log.segment_1_1 a
		WHERE EXISTS (SELECT FROM topic_log.segment_1_1 b WHERE b.last_offset = a.last_offset OFFSET 0)}),
	$rows, 'all rows are in by_hash');

SKIP:
{
	skip 'amcheck is not installed', 2
	  if run(q{SELECT count(*) FROM pg_available_extensions WHERE name = 'amcheck'}) eq '0';
	run('CREATE EXTENSION amcheck');
	is(run(q{
			SELECT count(bt_index_parent_check(indexrelid, true, true))
			FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
			WHERE relnamespace = 'topic_log'::regnamespace AND relam = 403}),
		'4', 'amcheck finds the indexes of the log sound');
	is(run(q{
			SELECT count(*)
			FROM pg_class c CROSS JOIN LATERAL verify_heapam(c.oid)
			WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r'}),
		'0', 'and its tables');
}

$producer->quit;
$dba->quit;
done_testing();
