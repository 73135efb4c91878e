# Partitions that a consumer need not look at, since nothing has happened there
# since it found nothing: all that makes them worth a look again.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(usleep);

my $partitions = 20;
my $node = PostgreSQL::Test::Cluster->new('news');
$node->init;
$node->append_conf('postgresql.conf', q{shared_preload_libraries = 'pg_topic'});
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', partitions => $partitions)});

my ($consumer, $other, $producer) = map { Session->new($node) } 1 .. 3;
my $consume = q{SELECT string_agg(partition || ':' || value, ' ' ORDER BY partition, record_offset)
	FROM topic.consume_text('group', 'orders', commit => true)};
my $produce = q{SELECT FROM topic.produce('orders', '%s', partition => %d)};

# Have the consumer read all that there is, and note that it did.
sub read_all
{
	my $all = '';

	foreach (1 .. 100)
	{
		my $records = $consumer->query($consume);
		die $records if $records =~ /^ERROR/;
		return $all if $records eq '';
		$all .= $records;
	}
	die "there is no end of records: $all";
}

# What the consumer gets of a query, and how often it searched indexes of tables
# for that.
sub look
{
	my ($query, $tables) = @_;

	$consumer->query('SELECT pg_stat_force_next_flush()');
	my $result = $consumer->query(qq{BEGIN; $query;
		SELECT sum(idx_scan) FROM pg_stat_xact_all_tables WHERE relname ~ '$tables'; COMMIT});
	return join(' ', split(' ', $result));
}

$producer->query(sprintf($produce, 'first', $_)) foreach 0 .. $partitions - 1;
like(read_all(), qr/0:first 1:first .*19:first/, 'all is read');

# What is noted is forgotten after a while, whatever the machine is at then: so
# most looks count.
my $tables = '^segment_|^consumer_offsets$';
$producer->query(sprintf($produce, 'second', 7));
like(look($consume, $tables), qr/^7:second [1-9]/, 'what is looked at is seen');
my $idle = grep { look($consume, $tables) eq '0' } 1 .. 100;
cmp_ok($idle, '>', 50, 'idle partitions are not looked at');

# One commit later, only where there was a record.
my $single = 0;
foreach (1 .. 100)
{
	read_all();
	$producer->query(sprintf($produce, 'next', 7));
	$single += look($consume, '^consumer_offsets$') eq '7:next 1';
}
cmp_ok($single, '>', 50, 'a record');

# A look that finds a record that is not committed yet.
read_all();
$producer->query('BEGIN');
$producer->query(sprintf($produce, 'open', 3));
is(read_all(), '', 'an open transaction');
$producer->query('COMMIT');
is($consumer->query($consume), '3:open', 'it commits');

read_all();
$producer->query('BEGIN');
$producer->query(sprintf($produce, 'aborted', 3));
is(read_all(), '', 'one that will not commit');
$producer->query('ROLLBACK');
is(read_all(), '', 'rolls back');
$producer->query(sprintf($produce, 'after', 3));
is($consumer->query($consume), '3:after', 'a record after it');

read_all();
$producer->query('BEGIN');
$producer->query(sprintf($produce, 'prepared', 4));
$producer->query(q{PREPARE TRANSACTION 'p'});
is(read_all(), '', 'a prepared transaction');
$other->query(q{COMMIT PREPARED 'p'});
is($consumer->query($consume), '4:prepared', 'its record');

read_all();
$producer->query(q{SELECT FROM topic.send('orders', 'sent', partition => 5)});
is($consumer->query($consume), '5:sent', 'a record that was sent');

# Another consumer of the group.
read_all();
$producer->query(sprintf($produce, 'taken', 6));
$other->query('BEGIN');
is($other->query($consume), '6:taken', 'another consumer has it');
is(read_all(), '', 'so this one has not');
$other->query('ROLLBACK');
is($consumer->query($consume), '6:taken', 'until it rolls back');

# What this consumer rolls back itself.
read_all();
$producer->query(sprintf($produce, 'again', 8));
$consumer->query('BEGIN');
is($consumer->query($consume), '8:again', 'consumed');
is($consumer->query($consume), '', 'and nothing more');
$consumer->query('ROLLBACK');
is($consumer->query($consume), '8:again', 'rolled back');

read_all();
$producer->query(sprintf($produce, 'save', 8));
$consumer->query('BEGIN');
$consumer->query('SAVEPOINT s');
is($consumer->query($consume), '8:save', 'consumed after a savepoint');
$consumer->query('ROLLBACK TO s');
is($consumer->query($consume), '8:save', 'rolled back to it');
$consumer->query('COMMIT');

# Positions that go back or away, also while they are not committed yet.
read_all();
$other->query('BEGIN');
$other->query(q{SELECT topic.reset_offsets('group', 'orders', to_position => 'earliest', partitions => '{1}')});
is(read_all(), '', 'a reset is not committed');
$other->query('COMMIT');
is($consumer->query($consume), '1:first', 'it is');

read_all();
$other->query(q{SELECT topic.commit('group', 'orders', 2, 0)});
is(read_all(), '', 'commit does not go back');

read_all();
$other->query(q{SELECT topic.delete_offsets('group', 'orders', '{2}')});
is($consumer->query($consume), '2:first', 'an offset was deleted');

# Commits are counted anew then, below what this session has seen.
foreach (1 .. 3)
{
	read_all();
	$producer->query(sprintf($produce, 'more', 2));
}
read_all();
$other->query(q{SELECT topic.delete_offsets('group', 'orders', '{2}')});
$other->query($consume);
is(read_all(), '', 'an offset was deleted, and another one committed');

read_all();
$consumer->query($consume);
$other->query(q{SELECT topic.delete_group('group')});
like($consumer->query($consume), qr/^0:first 1:first /, 'the group was deleted');

# Positions are each group's.
read_all();
is($consumer->query(q{SELECT count(*) FROM topic.consume('other', 'orders', partitions => '{9}', commit => true)}),
	'1', 'another group has not read it');

# Where nothing is committed, what was found depends on offset_reset.
my $fresh = q{SELECT count(*) FROM topic.consume('group', 'fresh', offset_reset => '%s')};
$node->safe_psql('postgres', q{SELECT topic.create_topic('fresh', partitions => 1)});
$idle = grep { look(sprintf($fresh, 'earliest'), '^consumer_offsets$') eq '0 0' } 1 .. 100;
cmp_ok($idle, '>', 50, 'nothing to read');
is($consumer->query(sprintf($fresh, 'none')), 'ERROR:  TP001', 'nor a position');
$consumer->query(sprintf($fresh, 'earliest'));
$consumer->query(sprintf($fresh, 'latest'));
is($node->safe_psql('postgres', q{SELECT count(*) FROM topic.committed('group', 'fresh')}), '1', 'now there is one');

# Tables that are written behind our back are noticed, if not at once.
read_all();
$node->safe_psql('postgres', q{UPDATE topic.consumer_offsets SET committed_offset = 0
	WHERE group_id = 'group' AND partition = 10});
my $found = '';
foreach (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if ($found = $consumer->query($consume)) ne '';
	usleep(10_000);
}
is($found, '10:first', 'an offset that was changed in the table');

# One that does not look is told all the same that the group has members now.
read_all();
$other->query(q{SELECT FROM topic.join_group('group', '{orders}', 'member')});
like($consumer->query($consume), qr/^ERROR:  TP/, 'a group that got members');

# A serializable transaction depends on what it did not find.
$consumer->query(q{SELECT count(*) FROM topic.consume('serial', 'orders', commit => true)});
$consumer->query(q{SELECT count(*) FROM topic.consume('serial', 'orders', commit => true)});
$node->safe_psql('postgres', 'CREATE TABLE seen (count bigint)');
$_->query('BEGIN ISOLATION LEVEL SERIALIZABLE') foreach ($consumer, $other);
$consumer->query(q{INSERT INTO seen SELECT count(*) FROM topic.consume('serial', 'orders')});
$other->query('SELECT count(*) FROM seen');
$other->query(sprintf($produce, 'unseen', 0));
my $errors = $other->query('COMMIT') . $consumer->query('COMMIT');
is($errors, 'ERROR:  40001', 'two transactions that did not see what the other wrote');

$_->quit foreach ($consumer, $other, $producer);
$node->stop;
done_testing();
