# Waiting for records, with pg_topic in shared_preload_libraries and without:
# what ends a wait, and that a waiter holds nothing.
#
# A waiter that nobody wakes looks again after a second. So that what is meant
# to wake it does so is shown by rounds of it, one after the other: more than
# there is time for if each of them took that second.
use strict;
use warnings;

use FindBin;
use IPC::Run ();
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(usleep);

my $timeout = $PostgreSQL::Test::Utils::timeout_default;

my $produce = q{SELECT FROM topic.produce('orders', 'record')};
my $consume = q{SELECT count(*) FROM topic.consume('group', 'orders')};
my $consume_commit = q{SELECT count(*) FROM topic.consume('group', 'orders', commit => true)};
my $wait = q{CALL topic.wait_for_records('group', 'orders', '1 day')};

# The sessions of a test, and the server process of the one that waits.
my ($node, $observer, $waiter, $a, $b, $pid);

sub connect_sessions
{
	($observer, $waiter, $a, $b) = map { Session->new($node) } 1 .. 4;
	$pid = $waiter->pid;
	return;
}

sub quit_sessions
{
	$_->quit foreach ($observer, $waiter, $a, $b);
	return;
}

# Wait until a session sleeps, and as it does holds neither a snapshot nor a
# transaction id. False if it never does.
sub sleeps
{
	my ($sleeper) = @_;

	foreach (1 .. 1000 * $timeout)
	{
		return 1 if $observer->query(qq{
			SELECT wait_event_type = 'Extension' AND backend_xmin IS NULL AND backend_xid IS NULL
			FROM pg_stat_activity WHERE pid = $sleeper}) eq 't';
		usleep(1000);
	}
	return 0;
}

# Have the waiter wait, and return when it sleeps.
sub start_waiting
{
	$waiter->send($wait);
	return sleeps($pid);
}

# Rounds in which something ends a wait: $before, wait, $after. Returns all the
# different things that happened.
sub rounds
{
	my ($count, $before, $after) = @_;
	my %happened;

	local $SIG{ALRM} = sub { die "the rounds do not end in $timeout seconds" };
	alarm($timeout);
	foreach (1 .. $count)
	{
		$before->();
		$happened{'it does not sleep'} = 1 if !start_waiting();
		$after->();
		$happened{ $waiter->receive } = 1;
		$happened{'consumed ' . $waiter->query($consume_commit)} = 1;
	}
	alarm(0);
	return join(', ', sort keys %happened);
}

sub can_wait
{
	my ($name) = @_;

	is(rounds(2, sub { $a->query("BEGIN; $produce") }, sub { $a->query('COMMIT') }),
		'consumed 1, t', $name);
	return;
}

# A loop of waiting for a record in a topic and consuming it.
sub wait_loop
{
	my ($count, $topic, $before, $after) = @_;
	my $max_wait = $node->pg_version < 17 ? '1000 years' : 'infinity';

	return qq{
		DO \$\$
		DECLARE
			available boolean;
		BEGIN
			FOR i IN 1 .. $count LOOP
				$before
				COMMIT;
				CALL topic.wait_for_records('group', '$topic', '$max_wait', available);
				ASSERT (SELECT count(*) FROM topic.consume('group', '$topic', commit => true)) = 1;
				$after
				COMMIT;
			END LOOP;
		END \$\$;
		SELECT 'done'};
}

sub test_holds_nothing
{
	my ($mode) = @_;
	my $size;

	ok(start_waiting(), "$mode: a waiter holds no snapshot and no transaction id");
	is($observer->query(qq{
			SELECT count(*) FROM pg_locks WHERE pid = $pid AND locktype <> 'virtualxid'}),
		'0', "$mode: nor any lock");
	is($observer->query("SELECT wait_event FROM pg_stat_activity WHERE pid = $pid"),
		$node->pg_version < 17 ? 'Extension' : 'TopicWaitForRecords', "$mode: its wait event");
	$a->query($produce);
	is($waiter->receive, 't', "$mode: it is woken");
	$a->query($consume_commit);

	$observer->query('CREATE TABLE garbage AS SELECT FROM generate_series(1, 100)');
	$waiter->query('BEGIN');
	ok(start_waiting(), "$mode: in a transaction block neither");
	$observer->query('DELETE FROM garbage');

	# Whenever VACUUM looks, the waiter may just be looking, too.
	foreach (1 .. 100)
	{
		$observer->query('VACUUM garbage');
		$size = $observer->query(q{SELECT pg_relation_size('garbage')});
		last if $size == 0;
	}
	is($size, '0', "$mode: VACUUM removes what was deleted since it waits");
	$observer->query('DROP TABLE garbage');
	$a->query($produce);
	is($waiter->receive, 't', "$mode: it is woken");
	is($waiter->query($consume_commit), '1',
		"$mode: and sees the record in the same transaction");
	$waiter->query('COMMIT');

	# A driver that uses the extended query protocol
	my $file = $node->basedir . '/wait.sql';
	PostgreSQL::Test::Utils::append_to_file($file, "$wait;\n");
	my $pgbench = IPC::Run::start([ 'pgbench', '-n', '-M', 'prepared', '-t', '1', '-f', $file,
			$node->connstr('postgres') . ' application_name=pgbench' ], '>', '/dev/null', '2>', '/dev/null');
	ok($node->poll_query_until('postgres', q{
			SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'pgbench'
			AND wait_event_type = 'Extension' AND backend_xmin IS NULL}),
		"$mode: by the extended query protocol neither");
	$a->query($produce);
	ok($pgbench->finish, "$mode: it is woken");
	$a->query($consume_commit);

	$waiter->send(wait_loop(1, 'orders', 'PERFORM count(*) FROM pg_class;', ''));
	ok(sleeps($pid), "$mode: in a DO block neither");
	$a->query($produce);
	is($waiter->receive, 'done', "$mode: it is woken");
	return;
}

# Whatever makes a record available wakes.
sub test_wakes
{
	my ($mode, $rounds) = @_;

	$observer->query(q{SELECT topic.create_topic('ping'), topic.create_topic('pong')});
	$a->send(wait_loop(3 * $rounds, 'pong', q{PERFORM topic.produce('ping', 'x');}, ''));
	$b->send(wait_loop(3 * $rounds, 'ping', '', q{PERFORM topic.produce('pong', 'x');}));
	is($a->receive . $b->receive, 'donedone', "$mode: COMMIT wakes");
	$observer->query(q{SELECT topic.drop_topic('ping'), topic.drop_topic('pong')});

	is(rounds($rounds,
			sub { $b->query("$produce; BEGIN; $consume") },
			sub { $b->query('ROLLBACK') }),
		'consumed 1, t', "$mode: the rollback of a consumer wakes");
	$b->query('BEGIN');
	is(rounds($rounds,
			sub { $a->query($produce); $b->query("SAVEPOINT s; $consume") },
			sub { $b->query('ROLLBACK TO s') }),
		'consumed 1, t', "$mode: that to a savepoint, too");
	$b->query('COMMIT');
	is(rounds($rounds,
			sub { $a->query("BEGIN; $produce"); $b->query($produce) },
			sub { $a->query('ROLLBACK') }),
		'consumed 1, t', "$mode: so does that of a producer who held others' records back");
	$a->query('BEGIN');
	is(rounds($rounds,
			sub { $a->query("SAVEPOINT s; $produce; SAVEPOINT t; RELEASE t"); $b->query($produce) },
			sub { $a->query('ROLLBACK TO s') }),
		'consumed 1, t', "$mode: that to a savepoint, too");
	$a->query('COMMIT');
	return;
}

# All who wait are woken, whatever they wait for.
sub test_many_waiters
{
	my ($mode) = @_;
	my @waiters = map { Session->new($node) } 1 .. 4;

	$observer->query(q{SELECT topic.create_topic('other')});
	my $end = $observer->query(q{SELECT last_stable_offset FROM topic.offsets('orders')});
	$waiters[0]->send("CALL topic.wait_for_records('orders', ARRAY[$end], '1 day')");
	$waiters[1]->send(q{CALL topic.wait_for_records('group', ARRAY['other', 'orders'], '1 day')});
	$waiters[2]->send($wait);
	$waiters[3]->send(q{CALL topic.wait_for_records('group', ARRAY['other'], '1 day')});
	$a->query($produce);
	is($waiters[$_]->receive, 't', "$mode: waiter $_ is woken") foreach 0 .. 2;
	$a->query(q{SELECT topic.produce('other', 'record')});
	is($waiters[3]->receive, 't', "$mode: waiter 3 is woken");
	$a->query($consume_commit);
	$a->query(q{SELECT topic.drop_topic('other')});
	$_->quit foreach @waiters;
	return;
}

# Who ends a prepared transaction knows nothing of what it did.
sub test_prepared_transactions
{
	my ($mode) = @_;

	$a->query("BEGIN; $produce; PREPARE TRANSACTION 'producer'");
	ok(start_waiting(), "$mode: the record of a prepared transaction is not available");
	$b->query(q{COMMIT PREPARED 'producer'});
	is($waiter->receive, 't', "$mode: COMMIT PREPARED ends the wait");

	$a->query("BEGIN; $consume; PREPARE TRANSACTION 'consumer'");
	ok(start_waiting(), "$mode: nor is a partition that one has claimed");
	$b->query(q{ROLLBACK PREPARED 'consumer'});
	is($waiter->receive, 't', "$mode: ROLLBACK PREPARED ends the wait");
	$a->query($consume_commit);
	return;
}

# What else ends a wait. It leaves nothing behind for the next one.
sub test_interruptions
{
	my ($mode) = @_;

	foreach my $begin ('', 'BEGIN')
	{
		$waiter->query($begin);
		start_waiting();
		$observer->query("SELECT pg_cancel_backend($pid)");
		is($waiter->receive, 'ERROR:  57014', "$mode: cancel" . ($begin && ' in a transaction block'));
		$waiter->query('ROLLBACK') if $begin;
	}
	$waiter->query(q{SET statement_timeout = '10 ms'});
	is($waiter->query($wait), 'ERROR:  57014', "$mode: statement_timeout");
	$waiter->query('RESET statement_timeout');
	can_wait("$mode: the same session can wait again");

	# More than there are connections: places in shared memory are used again.
	foreach (1 .. 15)
	{
		$waiter->send($wait);
		sleeps($pid);
		$observer->query("SELECT pg_terminate_backend($pid, 60000)");
		$waiter->quit;
		$waiter = Session->new($node);
		$pid = $waiter->pid;
	}
	can_wait("$mode: who comes after terminated waiters can wait");
	return;
}

# A waiter does not hold up DDL, and learns of it.
sub test_ddl
{
	my ($mode) = @_;

	$waiter->query('BEGIN');
	start_waiting();
	is($observer->query(q{SELECT topic.drop_topic('orders')}), '',
		"$mode: a topic that is waited for can be dropped");
	is($waiter->receive, 'ERROR:  42704', "$mode: the waiter is told");
	$waiter->query('ROLLBACK');

	$observer->query(q{SELECT topic.create_topic('orders')});
	start_waiting();
	is($observer->query('SET client_min_messages = warning; DROP EXTENSION pg_topic CASCADE'), '',
		"$mode: and so can the extension");
	like($waiter->receive, qr/^ERROR: /, "$mode: the waiter is told");
	$observer->query(q{CREATE EXTENSION pg_topic; SELECT topic.create_topic('orders')});
	return;
}

sub test_server_stop
{
	my ($mode) = @_;

	foreach my $stop ('fast', 'immediate')
	{
		start_waiting();
		$node->stop($stop);
		quit_sessions();
		$node->start;
		connect_sessions();
		can_wait("$mode: waiting after a stop, $stop");
	}

	start_waiting();
	$node->kill9;
	foreach (1 .. 10 * $timeout)
	{
		last if !kill(0, $pid);
		usleep(100_000);
	}
	ok(!kill(0, $pid), "$mode: the waiter does not survive the postmaster");
	quit_sessions();
	return;
}

foreach my $libraries ('pg_topic', '')
{
	my $mode = $libraries ? 'preloaded' : 'not preloaded';

	$node = PostgreSQL::Test::Cluster->new($libraries ? 'preloaded' : 'polling');
	$node->init;
	$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = '$libraries'
max_connections = 12
max_prepared_transactions = 2
autovacuum = off
});
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');
	$node->safe_psql('postgres', q{SELECT topic.create_topic('orders')});
	connect_sessions();

	test_holds_nothing($mode);
	test_wakes($mode, $libraries ? $timeout + 20 : 3);
	test_many_waiters($mode);
	test_prepared_transactions($mode);
	test_interruptions($mode);
	test_ddl($mode);
	test_server_stop($mode);
}

done_testing();
