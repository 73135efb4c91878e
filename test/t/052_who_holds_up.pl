# Who holds up readers, groups or maintenance is in the views: its process, or
# the name of its prepared transaction, and since when.
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
$node->append_conf('postgresql.conf', q{
autovacuum = off
max_prepared_transactions = 10
shared_preload_libraries = 'pg_topic'
pg_topic.maintenance_interval = '1s'
});
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	q{
	SELECT topic.create_topic('t', partitions => 3);
	SELECT topic.create_topic('kept', retention => '1 day', segment_bytes => 1);
	SELECT topic.create_topic('other');
	SELECT topic.produce('t', 'value', partition => p) FROM generate_series(0, 2) p;
	SELECT count(*) FROM topic.consume('group', 't', commit => true);
	SELECT topic.produce('t', 'value', partition => p) FROM generate_series(0, 2) p;
	SELECT FROM topic.join_group('members', ARRAY['other'], 'm');
	SELECT topic.create_group('later')});

sub look
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# Each row of the views begins after the test does.
my $began = look('SELECT now()');
my $since = "since BETWEEN '$began' AND now()";
my %session = map { $_ => Session->new($node) } qw(producer consumer member);
my %pid = map { $_ => $session{$_}->pid } keys %session;

# A producer that is idle in its transaction.
$session{producer}->query(q{BEGIN; SELECT topic.produce('t', 'open', partition => 1)});
is(look("SELECT topic, partition, pid, prepared_transaction, first_offset, $since FROM topic.open_producers"),
	"t|1|$pid{producer}||2|t", 'a producer: in topic.open_producers');
is(look(q{SELECT partition, open_producer_pid FROM topic.lag WHERE group_id = 'group' AND open_producer_pid IS NOT NULL}),
	"1|$pid{producer}", 'and in topic.lag');
is(look("SELECT state FROM pg_stat_activity WHERE pid = $pid{producer}"),
	'idle in transaction', 'which is what pg_stat_activity says of it');

# A consumer that is.
$session{consumer}->query(q{BEGIN; SELECT count(*) FROM topic.consume('group', 't', partitions => '{0,2}')});
my $claims = "SELECT group_id, topic, partition, pid, prepared_transaction, $since FROM topic.claims ORDER BY 1, 2, 3";
is(look($claims), "group|t|0|$pid{consumer}||t\ngroup|t|2|$pid{consumer}||t", 'a consumer: in topic.claims');
is(look(q{SELECT partition, claimed_by_pid FROM topic.lag WHERE group_id = 'group' AND claimed_by_pid IS NOT NULL ORDER BY 1}),
	"0|$pid{consumer}\n2|$pid{consumer}", 'and in topic.lag');

# Prepared transactions of both.
$session{producer}->query(q{PREPARE TRANSACTION 'the producer'});
$session{consumer}->query(q{PREPARE TRANSACTION 'the consumer'});
is(look("SELECT partition, pid, prepared_transaction, first_offset, $since FROM topic.open_producers"),
	'1||the producer|2|t', 'a prepared producer');
foreach my $moment ('', ', after a crash')
{
	is(look($claims), "group|t|0||the consumer|t\ngroup|t|2||the consumer|t", "a prepared consumer$moment");
	next if $moment;
	$_->quit foreach values %session;
	$node->stop('immediate');
	$node->start;
	%session = map { $_ => Session->new($node) } keys %session;
	%pid = map { $_ => $session{$_}->pid } keys %session;
}
$session{producer}->query(q{ROLLBACK PREPARED 'the producer'});
$session{consumer}->query(q{ROLLBACK PREPARED 'the consumer'});
is(look('SELECT (SELECT count(*) FROM topic.open_producers), (SELECT count(*) FROM topic.claims)'),
	'0|0', 'nobody holds up anything');

# One in a group that is not there yet, one in a group that has never committed.
$session{consumer}->query(q{BEGIN; SELECT count(*) FROM topic.consume('new', 't', partitions => '{1}')});
$session{producer}->query(q{BEGIN; SELECT count(*) FROM topic.consume('later', 't', partitions => '{2}')});
is(look($claims), "later|t|2|$pid{producer}||t\n||1|$pid{consumer}||t",
	'the first consumer of a group, before the group is there');
is(look("CREATE ROLE nobody; SET ROLE nobody; $claims"), '', 'who may not see the group does not see it');
$session{$_}->query('ROLLBACK') foreach qw(consumer producer);

# A member whose transaction is open; one that is silent.
look(q{SELECT topic.produce('other', 'value')});
$session{member}->query(q{BEGIN; SELECT count(*) FROM topic.poll('members', 'm')});
is(look($claims), "members|other|0|$pid{member}||t", 'a member that polls: in topic.claims');
is(look(q{SELECT c.pid = } . $pid{member} . q{ FROM topic.claims c JOIN topic.assignments a USING (group_id, topic, partition) WHERE a.member_id = 'm'}),
	't', 'whose partition that is: in topic.assignments');
$session{member}->query('ROLLBACK');
is(look(q{SELECT member_id, heartbeat_at < now() FROM topic.members}), 'm|t',
	'when a member was last heard of: in topic.members');

# Maintenance: an old snapshot, a lock, a worker that hangs.
$session{consumer}->query(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM topics.kept});
my $produce = q{SELECT topic.produce('kept', 'old', record_timestamp => now() - interval '1 year')};
my $due = q{SELECT due, held_up, held_up_by FROM topic.maintenance WHERE topic = 'kept'};
look($produce);
ok($node->poll_query_until('postgres', q{SELECT last_step = 'retire' FROM topic.maintenance WHERE topic = 'kept'}),
	'a worker retires a segment');
is(look($due), "{drop}|{drop}|{$pid{consumer}}", 'an old snapshot: in topic.maintenance');
$session{consumer}->query('COMMIT');
ok($node->poll_query_until('postgres', q{SELECT last_step = 'drop' FROM topic.maintenance WHERE topic = 'kept'}),
	'and drops it');

$session{consumer}->query(q{BEGIN; SELECT topic.alter_topic('kept', retention => '2 days')});
look($produce);
is(look($due), "{roll}|{roll}|{$pid{consumer}}", 'a lock: in topic.maintenance');

# It comes to the end of a step, and cannot write that down.
$session{producer}->query(q{BEGIN; LOCK TABLE topic.maintenance_totals});
look(q{SELECT topic.produce('other', 'value'); SELECT topic.roll_segment('other')});
ok($node->poll_query_until('postgres', qq{
	SELECT count(*) > 0 FROM pg_stat_activity
	WHERE backend_type = 'pg_topic maintenance' AND $pid{producer} = ANY (pg_blocking_pids(pid))}),
	'a worker that waits: in pg_stat_activity, and who makes it wait');
$session{producer}->query('ROLLBACK');
$session{consumer}->query('ROLLBACK');

$_->quit foreach values %session;
done_testing();
