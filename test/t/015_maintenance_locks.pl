# Nobody waits for maintenance, and maintenance waits for nobody, whatever
# transaction is held open: a producer's, a consumer's with its claims, a
# reader's with its snapshot, that of a DBA who has locked a segment, a
# prepared one, or maintenance's own in the middle of a step.
#
# It is the order of statements that shows it. While somebody holds a
# transaction, everybody else's statements run one after the other, with a
# lock_timeout that makes an error of any wait.
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
log_statement = none
max_prepared_transactions = 10
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;

	-- Each non-empty segment is due to be rolled, and each sealed one to be
	-- dropped.
	SELECT topic.create_topic('orders', partitions => 2, segment_bytes => 1, retention_bytes => 1);

	-- Segments are rewritten, or frozen.
	SELECT topic.create_topic('kept', partitions => 2, segment_bytes => 1);
	SELECT topic.create_topic('unmerged', partitions => 2, segment_bytes => 1, merge_small_batches => false);
	SELECT topic.create_topic('compacted', partitions => 2, segment_bytes => 1, cleanup_policy => 'compact');

	-- Maintenance comes to this one last.
	SELECT topic.create_topic('zebras', segment_bytes => 1);
});

my $holder = Session->new($node);
my $other = Session->new($node);
my $maintainer = Session->new($node);
$other->query("SET lock_timeout = '100ms'; SET client_min_messages = error");
$maintainer->query("SET lock_timeout = '100ms'; SET client_min_messages = warning");

my @topics = ('orders', 'kept', 'compacted');

# What anybody may want of a topic; returns what went wrong.
sub others
{
	my ($topic, %without) = @_;
	my %statements = (
		produce => "SELECT topic.produce('$topic', repeat('x', 100), 'key', partition => 0)",
		'produce a batch' =>
		  "SELECT count(*) FROM topic.produce_batch('$topic', ARRAY['x', repeat('large', 10000)], ARRAY['a', 'b'], partition => 1)",
		fetch => "SELECT count(*) FROM topic.fetch('$topic')",
		'fetch by time' => "SELECT count(*) FROM topic.fetch('$topic', from_time => 'yesterday')",
		select => qq{SELECT count(*) FROM topics."$topic"},
		offsets => "SELECT count(*) FROM topic.offsets('$topic')",
		consume => "SELECT count(*) FROM topic.consume('others', '$topic', commit => true)",
		lag => "SELECT count(*) FROM topic.lag",
		'the maintenance view' => "SELECT count(*) FROM topic.maintenance",
		stats => "SELECT count(*) FROM topic.topic_stats");
	my @failures;

	foreach my $what (grep { !$without{$_} } sort keys %statements)
	{
		my $result = $other->query($statements{$what});
		push @failures, "$what: $result" if $result !~ /^\d+$/;
	}
	return join ', ', @failures;
}

# Maintenance runs, without a word.
sub maintain
{
	return $maintainer->query('CALL topic.maintain()');
}

# How often maintenance has done a step.
sub done
{
	my ($topic, $what) = @_;
	return $other->query("SELECT $what FROM topic.maintenance WHERE topic = '$topic'");
}

# The segment, of those that are not retired: 0 is the active one, 1 that before.
sub segment
{
	my ($topic, $age) = @_;
	return $other->query(qq{
		SELECT concat('topic_log.segment_', topic_id, '_', segment, '_' || nullif(generation, 0))
		FROM topic.segments JOIN topic.topics USING (topic_id)
		WHERE topic = '$topic' AND retired_at IS NULL ORDER BY segment DESC OFFSET $age LIMIT 1});
}

# While a transaction is open that does this in a topic, others go on, and
# maintenance too: it rolls the last topic, and whatever should be held up by
# the transaction is shown to be.
sub show
{
	my ($name, $topic, $statements, %options) = @_;
	my $zebras = done('zebras', 'rolled');
	my $held_up = $options{held_up} // '';

	$other->query("SELECT topic.produce('zebras', 'z')");
	$holder->query('BEGIN ISOLATION LEVEL ' . ($options{level} // 'READ COMMITTED'));
	my $result = $holder->query($statements);
	unlike($result, qr/ERROR/, "$name: the transaction is open");
	is(others($topic, %{ $options{without} // {} }), '', "$name: others go on");
	is(maintain(), '', "$name: maintenance runs");
	is(others($topic, %{ $options{without} // {} }), '', "$name: others go on after it");
	is(maintain(), '', "$name: and again");
	cmp_ok(done('zebras', 'rolled'), '>', $zebras, "$name: maintenance came to the last topic");
	is($other->query("SELECT '$held_up' = ANY (held_up) AND held_up_by && ARRAY[0, "
			  . $holder->pid . "] FROM topic.maintenance WHERE topic = '$topic'"),
		't', "$name: it is shown to hold up $held_up")
	  if $held_up;
	is($holder->query($statements), $result, "$name: it gets the same again")
	  if $options{again};
	is($holder->query($options{end} // 'COMMIT'), '', "$name: it ends");
	is(maintain(), '', "$name: what was held up is done");
	is($other->query("SELECT due FROM topic.maintenance WHERE topic = '$topic'"),
		'{}', "$name: nothing is due") unless $options{still_due};
	return;
}

foreach my $topic (@topics)
{
	is(others($topic), '', "$topic: nobody holds anything");
	show("$topic, a producer", $topic,
		"SELECT topic.produce('$topic', 'open', 'open', partition => 0)",
		held_up => 'settle');
	show("$topic, a producer who prepares", $topic,
		"SELECT topic.produce('$topic', 'open', 'open', partition => 0); PREPARE TRANSACTION 'open'",
		held_up => 'settle', end => q{COMMIT PREPARED 'open'});
	show("$topic, a producer who rolls back", $topic,
		"SELECT topic.produce('$topic', 'open', 'open', partition => 0)",
		held_up => 'settle', end => 'ROLLBACK');
	show("$topic, a consumer", $topic,
		"SELECT count(*) FROM topic.consume('holder', '$topic'); SELECT count(*) FROM topic.commit('holder', '$topic')");
	show("$topic, a reader", $topic,
		qq{SELECT record_offset, md5(value) FROM topics."$topic" ORDER BY partition, record_offset},
		level => 'REPEATABLE READ', again => 1, held_up => $topic eq 'orders' ? 'drop' : '');
	show("$topic, a reader by time", $topic,
		"SELECT record_offset, md5(value) FROM topic.fetch('$topic', from_time => 'yesterday')",
		level => 'SERIALIZABLE', again => 1);
	show("$topic, a cursor", $topic,
		qq{DECLARE c NO SCROLL CURSOR FOR SELECT partition FROM topics."$topic"; FETCH 1 FROM c});

	# Others want the lock, too, that maintenance does without.
	show("$topic, ALTER of the topic", $topic,
		"SELECT topic.alter_topic('$topic', max_record_bytes => 1000000)");
	show("$topic, a switch to be", $topic, "SELECT topic.roll_segment('$topic')");

	# DDL on segments: producers, readers and the statistics queue for it, as on
	# any table, but not for maintenance.
	my %without = map { $_ => 1 } 'produce', 'produce a batch', 'fetch', 'fetch by time', 'select',
	  'offsets', 'consume', 'lag', 'stats';
	show("$topic, DDL on the active segment", $topic,
		'LOCK TABLE ' . segment($topic, 0), without => \%without, held_up => 'roll');
	$other->query("SELECT topic.produce('$topic', 'x', 'key'); SELECT topic.roll_segment('$topic')");
	show("$topic, DDL on a sealed segment", $topic,
		'LOCK TABLE ' . segment($topic, 1), without => \%without, held_up => 'settle');
	show("$topic, DDL on an index", $topic,
		'REINDEX INDEX ' . segment($topic, 0) . '_pkey', without => \%without);
	my $toast = $other->query(q{SELECT indexrelid::regclass FROM pg_index
		WHERE indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = '} . segment($topic, 0) . q{'::regclass)});
	show("$topic, DDL on an index of TOAST", $topic, "REINDEX INDEX $toast", without => \%without);
}

# The relation itself is locked, and may be gone soon: maintenance leaves the
# topic alone.
my $rolled = done('orders', 'rolled');
$other->query("SELECT topic.produce('orders', 'x'); SELECT topic.produce('zebras', 'z')");
my $zebras = done('zebras', 'rolled');
$holder->query(q{BEGIN; SELECT topic.drop_topic('orders')});
is(maintain(), '', 'maintenance passes over a topic that is locked');
$holder->query('ROLLBACK');
is(done('orders', 'rolled'), $rolled, 'without doing anything there');
cmp_ok(done('zebras', 'rolled'), '>', $zebras, 'and goes on with the next');

# Maintenance itself stops in the middle of each step, after the work and before
# it commits.
$other->query(q{
	CREATE TABLE stop_at (step text);
	CREATE FUNCTION stop_at() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF EXISTS (SELECT FROM public.stop_at WHERE step = NEW.last_step) THEN
			SET LOCAL lock_timeout = 0;
			PERFORM pg_advisory_xact_lock(1);
		END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER stop_at BEFORE INSERT ON topic.maintenance_totals
		FOR EACH ROW EXECUTE FUNCTION stop_at()});

sub show_step
{
	my ($step, $topic) = @_;
	my $name = "$topic, in the middle of $step";

	is(maintain(), '', "$name: all was done");
	is(others($topic), '', "$name: and more is due");
	$other->query("SELECT count(topic.produce('$topic', 'small', 'key', partition => 0)) FROM generate_series(1, 50)");
	$holder->query("SELECT pg_advisory_lock(1)");
	$other->query("INSERT INTO stop_at VALUES ('$step')");

	# What a step does to a segment is done after others.
	$maintainer->send(join '; ', ('CALL topic.maintain()') x 3);
	ok($node->poll_query_until('postgres', q{
			SELECT EXISTS (SELECT FROM pg_stat_activity
				WHERE wait_event = 'advisory' AND query ~ 'maintain')}),
		"$name: maintenance has come there");
	is(others($topic), '', "$name: others go on");
	is(others($topic), '', "$name: also when they have seen what changed");
	is($other->query('CALL topic.maintain()'), '', "$name: another maintenance goes on");

	my $before = $node->safe_psql('postgres',
		qq{SELECT partition, record_offset, md5(value) FROM topics."$topic"});
	if ($step eq 'roll')
	{
		# It ends, and the switch is not done.
		is($other->query(q{SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
				WHERE wait_event = 'advisory'}), '1', "$name: it is told to stop");
	}
	$other->query('DELETE FROM stop_at');
	$holder->query('SELECT pg_advisory_unlock(1)');
	is($maintainer->receive, $step eq 'roll' ? 'ERROR:  57014' : '', "$name: maintenance goes on");
	return;
}

show_step(@$_) foreach (
	[ 'roll', 'kept' ], [ 'settle', 'kept' ], [ 'freeze', 'unmerged' ],
	[ 'retire', 'orders' ], [ 'drop', 'orders' ], [ 'merge', 'kept' ],
	[ 'compact', 'compacted' ]);

is($other->query('SELECT topic, last_error FROM topic.maintenance WHERE last_error IS NOT NULL'),
	'', 'maintenance met no error');
$_->quit foreach $holder, $other, $maintainer;
done_testing();
