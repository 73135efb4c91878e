# Crashes in the middle of maintenance, of the maintaining backend and of the
# whole server in turn. Whatever was done or was not, the log reads the same as
# before, but for what retention and compaction may take; groups go on where
# they stood; and in the end maintenance has nothing left to do, and no table
# is left over.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Crash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep);

my $rounds = $ENV{PG_TOPIC_CRASH_ROUNDS} || 20;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
log_statement = none
max_prepared_transactions = 10
restart_after_crash = on
shared_buffers = 64MB
});
$node->start;

# What maintenance may take out of each log.
my %topics = (
	kept => { options => q{segment_bytes => 65536} },
	by_bytes => { options => q{segment_bytes => 65536, retention_bytes => 200000}, deletes => 1 },
	by_time => { options => q{segment_bytes => 65536, retention => '0.5 seconds'}, deletes => 1 },
	compacted => { options => q{segment_bytes => 65536, cleanup_policy => 'compact'}, compacts => 1 },
	both => {
		options => q{segment_bytes => 65536, cleanup_policy => 'compact,delete', retention => '2 seconds'},
		deletes => 1,
		compacts => 1
	});

sub run
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

run('CREATE EXTENSION pg_topic; CREATE TABLE sink (topic text, partition int, record_offset bigint)');
run("SELECT topic.create_topic('$_', partitions => 3, $topics{$_}{options})") foreach keys %topics;

# Give maintenance something to do in each topic: sealed segments of large and
# small batches, with what was rolled back in between.
sub produce
{
	my ($round) = @_;

	run(join '', map { qq{
		DO \$\$
		BEGIN
			FOR segment IN 1 .. 3 LOOP
				PERFORM topic.produce('$_', repeat('x', n * 10) || segment, 'key ' || n % 5,
					headers => jsonb_build_object('round', $round), partition => n % 3)
				FROM generate_series(1, 15) n;
				PERFORM topic.produce('$_', repeat('large', 10000 * segment), 'key ' || segment);
				COMMIT;
				PERFORM topic.produce_batch('$_', array_fill('aborted'::text, ARRAY[50]),
					array_fill('key'::text, ARRAY[50]), partition => segment % 3);
				ROLLBACK;
				PERFORM topic.produce_batch('$_', array_agg(n || ' of $round'),
					array_agg('key ' || n % 20), partition => segment % 3)
				FROM generate_series(1, 100) n;
				PERFORM topic.roll_segment('$_');
				COMMIT;
			END LOOP;
		END \$\$;
	} } sort keys %topics);
	return;
}

# Consume some records of each topic.
sub consume
{
	my ($max_records) = @_;

	run('SET client_min_messages = error; ' . join '', map { qq{
		INSERT INTO sink SELECT '$_', partition, record_offset
		FROM topic.consume('group', '$_', $max_records, commit => true);
	} } sort keys %topics);
	return;
}

# What the topics hold: for each partition the lines, which begin with the
# offset and the key, and where its log begins.
sub read_logs
{
	my (%lines, %log_starts);
	my $query = join ' UNION ALL ', map { qq{
		SELECT '$_ ' || partition, record_offset, concat_ws('|', key, record_timestamp, md5(value), headers)
		FROM topics."$_"
		UNION ALL
		SELECT '$_ ' || partition, log_start_offset, NULL FROM topic.offsets('$_')
	} } sort keys %topics;

	foreach (split /\n/, run($query))
	{
		my ($partition, $offset, $rest) = split /\|/, $_, 3;
		if ($rest eq '')
		{
			$log_starts{$partition} = $offset;
		}
		else
		{
			push @{ $lines{$partition} }, "$offset|$rest";
		}
	}
	return (\%lines, \%log_starts);
}

# Is this all that maintenance may have left of a partition, whose log begins
# at that offset now?
sub is_left_of
{
	my ($topic, $after, $before, $log_start) = @_;
	my @kept = grep { (split /\|/)[0] >= $log_start } @$before;
	my %after = map { $_ => 1 } @$after;
	my %latest = map { (split /\|/)[1] => $_ } @kept;

	return 0 if $log_start > 0 && !$topic->{deletes};
	return "@$after" eq "@kept" unless $topic->{compacts};
	return 0 if grep { !$after{$_} } values %latest;
	return "@$after" eq join(' ', grep { $after{$_} } @kept);
}

# Crash the server while two sessions run maintenance.
sub crash
{
	my ($round) = @_;
	my @maintainers = map { Session->new($node) } 1 .. 2;
	my @pids = map { $_->pid } @maintainers;

	$_->send('CALL topic.maintain()') foreach @maintainers;
	sleep rand(0.3);
	if ($round % 2)
	{
		Crash::kill_backend($pids[ $round / 2 % 2 ]);
		$_->quit foreach @maintainers;
		Crash::is_back($node);
	}
	else
	{
		Crash::kill_server($node);
		$_->quit foreach @maintainers;
	}
	return;
}

my $due = q{SELECT coalesce(sum(cardinality(due)), 0) FROM topic.maintenance};
my $interrupted = 0;

foreach my $round (1 .. $rounds)
{
	produce($round);

	# Prepared transactions outlive a crash, and what maintenance may do to a
	# segment they have written to.
	run(qq{
		BEGIN;
		SELECT topic.produce('kept', 'prepared', 'key', partition => 1);
		SELECT topic.produce('by_bytes', 'prepared', 'key', partition => 1);
		PREPARE TRANSACTION 'round $round'}) if $round % 8 == 3;
	run(q{COMMIT PREPARED 'round } . ($round - 3) . q{'}) if $round % 8 == 6;

	my ($before) = read_logs();
	crash($round);
	$interrupted++ if run($due) > 0;

	my ($after, $log_starts) = read_logs();
	my @changed = grep {
		my ($topic) = split / /;
		!is_left_of($topics{$topic}, $after->{$_} // [], $before->{$_} // [], $log_starts->{$_})
	} sort keys %$log_starts;
	is(join(', ', @changed), '', "round $round: the log reads the same");
	consume(1 + int rand 1000);
}
note("in $interrupted of $rounds rounds something was left to do");

run("COMMIT PREPARED '$_'")
  foreach split /\n/, run('SELECT gid FROM pg_prepared_xacts');
foreach (1 .. 100)
{
	run('CALL topic.maintain()');
	last if run($due) eq '0';
	sleep 0.1;
}
is(run(q{SELECT topic, due, held_up_by FROM topic.maintenance WHERE due <> '{}'}),
	'', 'nothing is due in the end');
is(run('SELECT topic, last_error FROM topic.maintenance WHERE last_error IS NOT NULL'),
	'', 'maintenance met no error');
is(run(q{
		SELECT coalesce(relname, name)
		FROM (SELECT relname FROM pg_class
			WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r') c
		FULL JOIN (SELECT concat('segment_', topic_id, '_', segment,
				'_' || nullif(generation, 0)) AS name FROM topic.segments) s
		ON name = relname
		WHERE name IS NULL OR relname IS NULL}),
	'', 'the tables in topic_log are the segments');

my $consumed = 'SELECT count(*) FROM sink';
for (my $count = -1; $count != run($consumed); consume(1000))
{
	$count = run($consumed);
}
is(run('SELECT topic, partition, record_offset FROM sink GROUP BY 1, 2, 3 HAVING count(*) > 1'),
	'', 'no record was consumed twice');
is(run(qq{SELECT count(*) FROM topics."$_" t WHERE NOT EXISTS (
		SELECT FROM sink s WHERE s.topic = '$_'
		AND s.partition = t.partition AND s.record_offset = t.record_offset)}),
	'0', "$_: every record was consumed") foreach sort keys %topics;
is(run(q{SELECT count(*) FROM sink s WHERE topic = 'kept' AND NOT EXISTS (
		SELECT FROM topics.kept t
		WHERE s.partition = t.partition AND s.record_offset = t.record_offset)}),
	'0', 'the sink of the topic that keeps all is the log');
note(run('SELECT count(*) FROM topics.kept') . ' records in the topic that keeps all');
done_testing();
