# PREPARE TRANSACTION after produce, after consume and commit, after poll and
# commit, and after create_topic: what others see meanwhile, also after a restart, and then.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\n");
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	q{SELECT topic.create_topic('t', 2)},
	q{SELECT topic.produce('t', 'a', partition => 0)});

sub values_of
{
	my ($partition) = @_;
	return join(' ', split(/\n/, $node->safe_psql('postgres',
		"SELECT value FROM topics.t WHERE partition = $partition")));
}

sub consumed
{
	my ($group, $options) = @_;
	return join(' ', split(/\n/, $node->safe_psql('postgres',
		"SELECT value FROM topic.consume_text('$group', 't'$options) ORDER BY partition, record_offset")));
}

sub fails_with
{
	my ($command, $sqlstate, $name) = @_;
	my ($result, $stdout, $stderr) = $node->psql('postgres', "\\set VERBOSITY verbose\n$command");
	like($stderr, qr/ERROR:  $sqlstate:/, $name);
	return;
}

# Producing: the record holds readers of its partition back, and nobody else.
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT topic.produce('t', 'b', partition => 0);
	SAVEPOINT s;
	SELECT topic.produce('t', 'undone', partition => 0);
	ROLLBACK TO s;
	SAVEPOINT s;
	SELECT topic.produce('t', 'in a savepoint', partition => 0);
	RELEASE s;
	PREPARE TRANSACTION 'producer';});
$node->safe_psql('postgres', q{SELECT topic.produce('t', 'c', partition => 0), topic.produce('t', 'x', partition => 1)});
for my $when ('prepared', 'prepared, after a restart')
{
	is(values_of(0), 'a', "$when: readers stop before it");
	is(values_of(1), 'x', "$when: another partition is free");
	is($node->safe_psql('postgres', q{SELECT * FROM topic.offsets('t') WHERE partition = 0}), '0|0|1|5',
		"$when: last stable offset and high watermark");
	is($node->safe_psql('postgres', q{SELECT topic, partition, pid, prepared_transaction, since IS NOT NULL, first_offset
			FROM topic.open_producers}), 't|0||producer|t|1', "$when: open_producers names it");
	is(consumed('g', ''), 'a x', "$when: consumers stop before it");
	# A crash: everything must have been in the WAL.
	$node->stop('immediate');
	$node->start;
}
fails_with(q{BEGIN; SET LOCAL lock_timeout = '10ms'; SELECT topic.drop_topic('t')}, '55P03', 'a drop waits for it');
$node->safe_psql('postgres', q{COMMIT PREPARED 'producer'});
is(values_of(0), 'a b in a savepoint c', 'committed: all in order');
is($node->safe_psql('postgres', q{SELECT last_stable_offset FROM topic.offsets('t') WHERE partition = 0}), '5',
	'committed: the last stable offset');
is($node->safe_psql('postgres', q{SELECT count(*) FROM topic.open_producers}), '0', 'committed: open_producers');

$node->safe_psql('postgres', q{
	BEGIN;
	SELECT topic.produce('t', 'rolled back', partition => 0);
	PREPARE TRANSACTION 'producer';});
$node->safe_psql('postgres', q{SELECT topic.produce('t', 'd', partition => 0)});
is(values_of(0), 'a b in a savepoint c', 'prepared: readers stop before it');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'producer'});
is(values_of(0), 'a b in a savepoint c d', 'rolled back: passed over');

# Consuming: the partition stays claimed, the offset is where it was, and the
# records are nobody else's.
$node->safe_psql('postgres', q{CREATE TABLE sink (value text)});
my $consumer = q{
	BEGIN;
	INSERT INTO sink SELECT value FROM topic.consume_text('g', 't', 2, ARRAY[0]);
	SELECT * FROM topic.commit('g', 't');
	PREPARE TRANSACTION 'consumer';};
# The session goes on without what it prepared.
is($node->safe_psql('postgres', "$consumer
		SELECT value FROM topic.consume_text('g', 't');"), "0|2\nx", 'the session has no claim left');
for my $when ('prepared', 'prepared, after a restart')
{
	is(consumed('g', ''), 'x', "$when: others pass it over");
	is(consumed('other', ', partitions => ARRAY[0]'), 'a b in a savepoint c d', "$when: other groups do not mind");
	fails_with(q{SELECT topic.commit('g', 't', 0, 1)}, '55P03', "$when: commit");
	fails_with(q{SELECT * FROM topic.reset_offsets('g', 't', 'earliest')}, '55P03', "$when: reset_offsets");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM topic.committed('g', 't')}), '0', "$when: nothing is committed");
	$node->stop('immediate');
	$node->start;
}
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'consumer'});
is(consumed('g', ', max_records => 1, partitions => ARRAY[0]'), 'a', 'rolled back: consumed again');
$node->safe_psql('postgres', $consumer);
$node->safe_psql('postgres', q{COMMIT PREPARED 'consumer'});
is($node->safe_psql('postgres', q{SELECT partition, committed_offset FROM topic.committed('g', 't')}), '0|2',
	'committed: the offset');
is($node->safe_psql('postgres', q{SELECT value FROM sink}), "a\nb", 'committed: the sink');
is(consumed('g', ', partitions => ARRAY[0], commit => true'), 'in a savepoint c d', 'committed: the next go on');

# Members: the same. The session is not kept alive by what is only prepared.
$node->safe_psql('postgres', q{SELECT * FROM topic.join_group('m', ARRAY['t'], 'a')});
my $member = q{
	BEGIN;
	INSERT INTO sink SELECT value FROM topic.poll_text('m', 'a', 2) WHERE partition = 0;
	SELECT FROM topic.commit_polled('m', 'a');
	PREPARE TRANSACTION 'member';};
sub polled
{
	return join(' ', split(/\n/, $node->safe_psql('postgres', q{
		SELECT value FROM topic.poll_text('m', 'a') ORDER BY partition, record_offset})));
}
$node->safe_psql('postgres', q{TRUNCATE sink; SELECT topic.commit('m', 't', 1, 1, member_id => 'a')});
$node->safe_psql('postgres', $member);
for my $when ('prepared', 'prepared, after a restart')
{
	is(polled(), '', "$when: the member passes it over");
	fails_with(q{SELECT topic.commit('m', 't', 0, 1, member_id => 'a')}, '55P03', "$when: the member's commit");
	$node->stop('immediate');
	$node->start;
}
$node->safe_psql('postgres', q{COMMIT PREPARED 'member'});
is($node->safe_psql('postgres', q{SELECT value FROM sink}), "a\nb", 'committed: the sink of the member');
is(polled(), 'in a savepoint c d', 'committed: the member goes on');
fails_with(q{BEGIN; SELECT topic.join_group('m', ARRAY['t'], 'b'); PREPARE TRANSACTION 'join'}, '0A000', 'join_group');
fails_with(q{BEGIN; SELECT topic.leave_group('m', 'a'); PREPARE TRANSACTION 'leave'}, '0A000', 'leave_group');
is($node->safe_psql('postgres', q{SELECT topic.leave_group('m', 'a')}), '', 'and works after that');

# Creating and dropping
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT topic.create_topic('new');
	SELECT topic.produce('new', 'v');
	PREPARE TRANSACTION 'creator';});
fails_with(q{SELECT topic.produce('new', 'v')}, '42704', 'prepared: not there yet');
fails_with(q{BEGIN; SET LOCAL lock_timeout = '10ms'; SELECT topic.create_topic('new')}, '55P03',
	'prepared: the name is taken');
$node->safe_psql('postgres', q{COMMIT PREPARED 'creator'});
is($node->safe_psql('postgres', q{SELECT value FROM topics.new; SELECT topic.produce('new', 'w')}), "v\n1",
	'committed: there it is');
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT topic.drop_topic('new');
	PREPARE TRANSACTION 'dropper';});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'dropper'});
is($node->safe_psql('postgres', q{SELECT value FROM topics.new}), "v\nw", 'rolled back: still there');

# A segment switch is not prepared: producers would wait for its end.
fails_with(q{BEGIN; SELECT topic.roll_segment('t'); PREPARE TRANSACTION 'roll'}, '0A000', 'roll_segment');
is($node->safe_psql('postgres', q{SELECT topic.roll_segment('t'); SELECT topic.produce('t', 'e', partition => 0)}),
	"t\n7", 'and works after that');

$node->stop;
done_testing();
