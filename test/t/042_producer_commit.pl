# Idempotent producers whose first attempt is in the middle of its COMMIT, or
# prepared: a retry, and who takes over the transactional_id, wait for it.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Crash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 10
synchronous_commit = local
wal_level = replica
max_wal_senders = 1
synchronous_standby_names = 'nobody'
});
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	q{SELECT topic.create_topic('t', 2)},
	q{SELECT topic.init_producer('p')});

# A batch of the producer, whose id is 1.
sub batch
{
	my ($epoch, $sequence) = @_;
	return "SELECT topic.produce('t', 'of epoch $epoch: $sequence', partition => 0, producer_id => 1, "
	  . "producer_epoch => $epoch, sequence => $sequence)";
}

sub values_of
{
	return join(', ', split(/\n/, $node->safe_psql('postgres', 'SELECT value FROM topics.t ORDER BY record_offset')));
}

# Wait until a session waits for a lock, or for a standby.
sub waits
{
	my ($pid, $event) = @_;
	return $node->poll_query_until('postgres',
		"SELECT wait_event_type || '/' || wait_event = '$event' FROM pg_stat_activity WHERE pid = $pid");
}

# COMMIT waits for a standby that is not there. The client has gone.
my ($first, $retry, $next, $init) = map { Session->new($node) } 1 .. 4;
my %pid = (first => $first->pid, retry => $retry->pid, next => $next->pid, init => $init->pid);
$first->query('SET synchronous_commit = on');
$first->send(batch(0, 0));
ok(waits($pid{first}, 'IPC/SyncRep'), 'the first attempt waits for a standby');
is(values_of(), '', 'and is not visible');
$retry->send(batch(0, 0));
ok(waits($pid{retry}, 'Lock/object'), 'the retry waits for the first attempt');
$next->send(batch(0, 1));
ok(waits($pid{next}, 'Lock/object'), 'so does the next batch');
$init->send(q{SELECT producer_epoch FROM topic.init_producer('p')});
ok(waits($pid{init}, 'Lock/object'), 'a new epoch does, too');
$node->append_conf('postgresql.conf', "synchronous_standby_names = ''\n");
$node->reload;
is($first->receive, '0', 'the first attempt');
is($retry->receive, '0', 'the retry gets its offset');
is($init->receive, '1', 'the new epoch');
my $result = $next->receive;
like($result, qr/^(1|ERROR:  TP006)$/, 'the next batch was before it, or fails');
my $values = $result eq '1' ? 'of epoch 0: 0, of epoch 0: 1' : 'of epoch 0: 0';
is(values_of(), $values, 'the records');

# Prepared: it still can commit.
my $p = $node->safe_psql('postgres', batch(1, 0));
is($first->query(q{BEGIN; } . batch(1, 1) . q{; PREPARE TRANSACTION 'one'}), $p + 1, 'prepared');
$first->query(q{SET lock_timeout = '100ms'});
is($first->query(q{BEGIN; } . batch(1, 2)), 'ERROR:  55P03', 'the next batch waits');
$first->query('ROLLBACK');
is($first->query(q{SELECT producer_epoch FROM topic.init_producer('p')}), 'ERROR:  55P03', 'a new epoch waits');
Crash::kill_server($node);
($first, $retry, $init) = map { Session->new($node) } 1 .. 3;
%pid = (retry => $retry->pid, init => $init->pid);
$retry->send(batch(1, 1));
ok(waits($pid{retry}, 'Lock/object'), 'after a crash the retry waits');
$init->send(q{SELECT producer_epoch FROM topic.init_producer('p')});
ok(waits($pid{init}, 'Lock/object'), 'and a new epoch');
is($first->query(q{COMMIT PREPARED 'one'}), '', 'committed');
is($retry->receive, $p + 1, 'the retry gets its offset');
is($init->receive, '2', 'the new epoch');
is(values_of(), "$values, of epoch 1: 0, of epoch 1: 1", 'the records');

# Rolled back, the retry is the first.
is($first->query(q{BEGIN; } . batch(2, 0) . q{; PREPARE TRANSACTION 'two'}), $p + 2, 'prepared');
$retry->send(batch(2, 0));
ok(waits($pid{retry}, 'Lock/object'), 'the retry waits');
is($node->safe_psql('postgres', q{UPDATE topic.producers SET initialized_at = '2000-01-01';
	UPDATE topic.producer_states SET written_at = '2000-01-01'; CALL topic.maintain();
	SELECT transactional_id FROM topic.producers}), 'p', 'a producer with a prepared transaction does not expire');
is($first->query(q{ROLLBACK PREPARED 'two'}), '', 'rolled back');
like($retry->receive, qr/^\d+$/, 'the retry is the first');
is(values_of(), "$values, of epoch 1: 0, of epoch 1: 1, of epoch 2: 0", 'the records');

# Fenced before it is prepared
is($first->query('BEGIN; ' . batch(2, 1)) =~ /^\d+$/, 1, 'produced');
is($init->query(q{SELECT producer_epoch FROM topic.init_producer('p')}), '3', 'a new epoch waits for nobody');
is($first->query(q{PREPARE TRANSACTION 'three'}), 'ERROR:  TP006', 'what was produced before cannot be prepared');
is(values_of(), "$values, of epoch 1: 0, of epoch 1: 1, of epoch 2: 0", 'the records');

# Epochs are locked in the order of producers, whatever the order of the calls:
# else the two would wait for each other.
my $q = $node->safe_psql('postgres', q{SELECT producer_id FROM topic.init_producer('q')});
my $batch_of_q = batch(0, 0) =~ s/producer_id => 1/producer_id => $q/r;
is($first->query('BEGIN; ' . batch(3, 0) . q{; PREPARE TRANSACTION 'four'}) =~ /^\d+$/, 1, 'prepared');
$init->query(q{BEGIN; SELECT topic.init_producer('q'); SELECT topic.init_producer('p')});
$init->send('COMMIT');
ok(waits($pid{init}, 'Lock/object'), 'new epochs of two producers wait');
$retry->query('BEGIN; ' . batch(3, 0) =~ s/partition => 0/partition => 1/r . "; $batch_of_q");
$retry->send('COMMIT');
ok(waits($pid{retry}, 'Lock/object'), 'who produced with both waits');
$first->query(q{ROLLBACK PREPARED 'four'});
is($init->receive, '', 'the new epochs');
is($retry->receive, 'ERROR:  TP006', 'who produced with both is fenced');

# What is remembered survives a crash, as the records do.
my $offset = $init->query(batch(4, 0));
my $keyed = $init->query(q{SELECT topic.produce('t', 'keyed', idempotency_key => 'k')});
Crash::kill_server($node);
is($node->safe_psql('postgres', batch(4, 0)), $offset, 'a retry after a crash');
is($node->safe_psql('postgres', q{SELECT topic.produce('t', 'keyed', idempotency_key => 'k')}), $keyed,
	'with a key, too');

# Maintenance does what the settings say.
$node->append_conf('postgresql.conf', "pg_topic.producer_retention = 60\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('pg_topic.producer_retention', true) = '60'})
  or die 'pg_topic.producer_retention was not set';
$node->safe_psql('postgres', q{SELECT topic.init_producer(i::text) FROM generate_series(1, 2500) i;
	UPDATE topic.producers SET initialized_at = now() - interval '1 hour'});
$node->safe_psql('postgres', 'CALL topic.maintain()');
is($node->safe_psql('postgres', 'SELECT transactional_id FROM topic.producers'), 'p',
	'producers that have not been used for so long are deleted; more than one transaction can');
$node->append_conf('postgresql.conf', "pg_topic.producer_retention = -1\n");
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('pg_topic.producer_retention', true) = '-1'})
  or die 'pg_topic.producer_retention was not set';
$node->safe_psql('postgres', q{UPDATE topic.producers SET initialized_at = '2000-01-01';
	UPDATE topic.producer_states SET written_at = '2000-01-01'; CALL topic.maintain()});
is($node->safe_psql('postgres', 'SELECT transactional_id FROM topic.producers'), 'p', '-1: none is');

$_->quit for ($first, $retry, $next, $init);
$node->stop;
done_testing();
