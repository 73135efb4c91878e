# Segments that are dropped while a standby reads: what a snapshot there still
# needs is there, or the reader gets an error; it never reads less than its
# snapshot saw. And a promoted standby goes on with the offsets.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', 'autovacuum = off');
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('other');
	SELECT topic.produce('other', 'record');
	SELECT topic.create_topic('orders', partitions => 2, retention_bytes => 1, merge_small_batches => false);
});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->append_conf('postgresql.conf', q{
max_standby_streaming_delay = -1
wal_receiver_status_interval = 1
hot_standby_feedback = off
});
$standby->start;

# Wait until the standby has replayed all; a commit is what writes the WAL out.
sub catch_up
{
	$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'catch up', '')});
	$primary->wait_for_catchup($standby);
	return;
}

sub maintenance
{
	my ($columns) = @_;
	return $primary->safe_psql('postgres',
		"SELECT $columns FROM topic.maintenance WHERE topic = 'orders'");
}

# Fill a segment that is sealed: retention_bytes has it dropped.
sub append
{
	$primary->safe_psql('postgres', q{
		SELECT topic.produce('orders', 'record', partition => p) FROM generate_series(0, 1) p, generate_series(1, 10)});
	$primary->safe_psql('postgres', q{SELECT topic.roll_segment('orders')});
	return;
}

my $count = q{SELECT count(*) FROM topics.orders};
my $offsets = q{
	SELECT string_agg(concat_ws('/', log_start_offset, last_stable_offset, high_watermark), ', ' ORDER BY partition)
	FROM topic.offsets('orders')};
my $begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ';

# Without feedback. The segment is frozen before its readers come, since the
# standby cancels older snapshots for VACUUM's sake, too.
append();
$primary->safe_psql('postgres', q{
	SELECT topic.alter_topic('orders', reset => '{retention_bytes}')});
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is(maintenance('due, frozen'), '{}|1', 'a segment is frozen');
catch_up();

# A reader that has taken its snapshot, but not read the topic. The standby does
# not cancel it, so it may replay no further than to the drop.
my $late_reader = Session->new($standby);
$late_reader->query("$begin; SELECT count(*) FROM topics.other");
$primary->safe_psql('postgres', q{
	SELECT topic.alter_topic('orders', retention_bytes => 1)});
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is(maintenance('due, dropped'), '{}|1', 'then it is dropped');
$standby->poll_query_until('postgres', q{SELECT to_regclass('topic_log.segment_2_0') IS NULL})
  or die 'the standby does not drop the segment';
is($late_reader->query($count), 'ERROR:  40001',
	'who comes with an older snapshot gets an error, not fewer records');
$late_reader->query('ROLLBACK');
catch_up();
is($late_reader->query($count), '0', 'with a new snapshot it reads');
is($late_reader->query($offsets), '10/10/10, 10/10/10',
	'and knows where the log starts');

# A reader that has read the topic; its locks are in the way of the drop.
append();
catch_up();
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
$standby->reload;
my $reader = Session->new($standby);
$reader->query($begin);
is($reader->query($count), '20', 'another reads');
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is(maintenance('due, dropped'), '{}|2', 'what is dropped then');
catch_up();
like($reader->query($count), qr/^(ERROR|FATAL):  40001/, 'and is canceled');

# What is newer than the snapshot is not there for it, and that is no error.
$late_reader->query("$begin; SELECT count(*) FROM topics.other");
append();
catch_up();
is($late_reader->query($count), '0', 'no segment that the snapshot saw is gone');
$late_reader->query('COMMIT');
is($late_reader->query($count), '20', 'a new snapshot sees more');

# With feedback, a segment is kept for snapshots of the standby.
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->reload;
$late_reader->query("$begin; SELECT count(*) FROM topics.other");
$primary->poll_query_until('postgres',
	'SELECT backend_xmin IS NOT NULL FROM pg_stat_replication')
  or die 'the standby sends no feedback';
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is( maintenance('due, held_up, held_up_by = ARRAY[(SELECT pid FROM pg_stat_replication)]'),
	'{drop}|{drop}|t', 'the drop waits for the standby, and the view says so');
catch_up();
is($late_reader->query($count), '20', 'so the snapshot reads all');
$late_reader->query('COMMIT');
is($late_reader->query($count), '0', 'and a new one does not');
$primary->poll_query_until('postgres', q{
		SELECT held_up = '{}' FROM topic.maintenance WHERE topic = 'orders'})
  or die 'the snapshot still holds up the drop';
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is(maintenance('due, dropped'), '{}|3', 'then the segment is dropped');

# Deleted records are gone for all, with any snapshot.
append();
catch_up();
$late_reader->query("$begin; SELECT count(*) FROM topics.other");
$primary->safe_psql('postgres', q{SELECT topic.delete_records('orders', 0, 35)});
catch_up();
is($late_reader->query($count), '15', 'delete_records takes effect at once');
$late_reader->query('COMMIT');

# What maintains and deletes is refused: 25006, read_only_sql_transaction.
is($late_reader->query($_), 'ERROR:  25006', "$_ is refused")
  foreach ('CALL topic.maintain()', q{SELECT topic.delete_records('orders', 0)});
is($late_reader->query(q{SELECT topic.offset_for_time('orders', 1, '2000-01-01')}),
	'30', 'a time is found');
is($late_reader->query('SELECT sum(records) FROM topic.partition_stats'),
	'21', 'the views work');

# A promotion while nothing is left of the log, and one segment is retired.
$primary->safe_psql('postgres', q{SELECT topic.delete_records('orders', p) FROM generate_series(0, 1) p});
my $holder = Session->new($primary);
$holder->query("$begin; SELECT count(*) FROM topics.orders");
$primary->safe_psql('postgres', 'CALL topic.maintain()');
is(maintenance('due, held_up'), '{drop}|{drop}', 'a segment is retired');
catch_up();
$primary->stop('immediate');
$holder->quit;
$standby->promote;
is($late_reader->query($offsets), '40/40/40, 40/40/40', 'no record is left');
is($standby->safe_psql('postgres', q{SELECT topic.produce('orders', 'new', partition => p) FROM generate_series(0, 1) p}),
	"40\n40", 'offsets go on');
$standby->safe_psql('postgres', 'CALL topic.maintain()');
is($late_reader->query(q{SELECT segments, records, dropped FROM topic.topic_stats JOIN topic.maintenance USING (topic) WHERE topic = 'orders'}),
	'1|0|5', 'and so does maintenance');

$_->quit foreach $reader, $late_reader;
done_testing();
