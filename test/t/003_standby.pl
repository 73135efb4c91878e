# A streaming standby: reading there, and going on there after a promotion.
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
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', partitions => 2);
	SELECT topic.produce('orders', 'first', partition => 0);
});
$primary->backup('backup');

my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

my $records = q{
	SELECT string_agg(partition || ':' || record_offset || ' ' || value, ', '
		ORDER BY partition, record_offset)
	FROM topic.fetch_text('orders')};
my $offsets = q{
	SELECT string_agg(partition || ':' || last_stable_offset || '/' || high_watermark, ', '
		ORDER BY partition)
	FROM topic.offsets('orders')};

# Wait until the standby has replayed all; a commit is what writes the WAL out.
sub catch_up
{
	$primary->safe_psql('postgres', q{SELECT pg_logical_emit_message(true, 'catch up', '')});
	$primary->wait_for_catchup($standby);
	return;
}

# A session that stays open, so that what it has cached must follow.
my $reader = Session->new($standby);

catch_up();
is($reader->query($records), '0:0 first', 'the standby reads');
is($reader->query($offsets), '0:1/1, 1:0/0', 'and knows the offsets');

# An open producer holds readers back on the standby as on the primary. Its
# many savepoints are more than a snapshot of the standby can list.
my $producer = Session->new($primary);
$producer->query('BEGIN');
$producer->query("SELECT topic.produce('orders', 'open', partition => 0)");
$producer->query("SAVEPOINT s; SELECT topic.produce('orders', 'open', partition => 0)")
  for 1 .. 70;
$primary->safe_psql('postgres', q{
	SELECT topic.produce('orders', 'behind', partition => 0);
	SELECT topic.produce('orders', 'beside', partition => 1);
});
catch_up();
is($reader->query($records), '0:0 first, 1:0 beside',
	'an open producer holds back its partition');
is($reader->query($offsets), '0:1/73, 1:1/1', 'and its last stable offset');
is($reader->query(
		'SELECT partition, min(first_offset), count(pid) FROM topic.open_producers GROUP BY 1'),
	'0|1|0', 'the standby lists the open producer');

$producer->query('ROLLBACK');
catch_up();
is($reader->query($records), '0:0 first, 0:72 behind, 1:0 beside',
	'it rolled back');
is($reader->query($offsets), '0:73/73, 1:1/1', 'and holds back nothing');

# A segment switch, with a session on the standby that knew the old segment.
$primary->safe_psql('postgres', q{SELECT topic.roll_segment('orders')});
$primary->safe_psql('postgres', q{SELECT topic.produce('orders', 'new segment', partition => 1)});
catch_up();
is($reader->query($records),
	'0:0 first, 0:72 behind, 1:0 beside, 1:1 new segment',
	'the standby reads across a segment switch');

# New partitions.
$primary->safe_psql('postgres', q{
	SET client_min_messages = warning;
	SELECT topic.alter_topic('orders', partitions => 3);
	SELECT topic.produce('orders', 'new partition', partition => 2);
});
catch_up();
like($reader->query($records), qr/, 2:0 new partition$/,
	'the standby reads a new partition');

# Waiting, for a reader with his own offsets, and for a group by what it has
# committed
$reader->send(q{CALL topic.wait_for_records('orders', ARRAY[73, 2, 1], '1 day')});
$primary->safe_psql('postgres', q{SELECT topic.produce('orders', 'awaited', partition => 1)});
catch_up();
is($reader->receive, 't', 'the standby waits for records');
is($reader->query(q{CALL topic.wait_for_records('orders', ARRAY[73, 3, 1], '0')}), 'f',
	'there are no more');
is($reader->query(q{CALL topic.wait_for_records('group', 'orders', '0')}), 't',
	'there are for a group that has committed nothing');

# What writes is refused: 25006, read_only_sql_transaction.
my %writes = (
	produce => q{SELECT topic.produce('orders', 'x')},
	produce_batch => q{SELECT * FROM topic.produce_batch('orders', ARRAY['x'])},
	consume => q{SELECT * FROM topic.consume('group', 'orders')},
	commit => q{SELECT topic.commit('group', 'orders', 0, 1)},
	reset_offsets => q{SELECT * FROM topic.reset_offsets('group', 'orders', 'latest')},
	roll_segment => q{SELECT topic.roll_segment('orders')},
	create_topic => q{SELECT topic.create_topic('other')},
	alter_topic => q{SELECT topic.alter_topic('orders', partitions => 4)},
	drop_topic => q{SELECT topic.drop_topic('orders')});
is($reader->query($writes{$_}), 'ERROR:  25006', "$_ is refused")
  foreach sort keys %writes;
is($reader->query('SELECT count(*) FROM topic.topic_stats'), '1',
	'the views work');

# Promotion, with a group that has committed, and a transaction that is open
# and so is lost.
$primary->safe_psql('postgres', q{
	SELECT count(*) FROM topic.consume('group', 'orders', 2, commit => true, partitions => ARRAY[0]);
	SELECT topic.produce('orders', 'before the promotion', partition => 0);
});
$producer->query('BEGIN');
is($producer->query("SELECT topic.produce('orders', 'lost', partition => 0)"),
	'74', 'a transaction is open at the promotion');
$primary->safe_psql('postgres', 'CHECKPOINT');
catch_up();
$primary->stop('immediate');
$producer->quit;
$standby->promote;

is($standby->safe_psql('postgres', q{SELECT topic.produce('orders', 'after the promotion', partition => 0)}),
	'75', 'offsets go on after those of the lost transaction');
is($standby->safe_psql('postgres', q{
		SELECT string_agg(record_offset || ' ' || value, ', ')
		FROM topic.consume_text('group', 'orders', partitions => ARRAY[0], commit => true)}),
	'73 before the promotion, 75 after the promotion',
	'the group goes on where it stood');
is($reader->query(
		q{SELECT last_stable_offset, high_watermark FROM topic.offsets('orders') WHERE partition = 0}),
	'76|76', 'nothing is held back');

# partitionLeaderEpoch: the second field of a batch as it is stored.
is($standby->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT (base_offset > 73)::text || ':' ||
			('x' || encode(substr(batch, 5, 4), 'hex'))::bit(32)::int, ', ')
		FROM topic_log.segment_1_1 WHERE partition = 0}),
	'false:1, true:2', 'the leader epoch tells of the promotion');

$reader->quit;
done_testing();
