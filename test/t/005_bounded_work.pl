# Work that must not grow: that of a commit under a snapshot that is held, and
# that of finding the last stable offset, however long the log. And reading
# must not write.
#
# Counts buffers and WAL as EXPLAIN does, no times.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--data-checksums']);

# VACUUM comes when this test says so.
$node->append_conf('postgresql.conf', q{
autovacuum = off
log_statement = none
shared_buffers = 64MB
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');

my $session = Session->new($node);

# What EXPLAIN says of a statement that it ran: by default, how many buffers it
# looked at.
sub cost
{
	my ($sql, @counts) = @_;
	my $json = $session->query("EXPLAIN (ANALYZE, BUFFERS, WAL, FORMAT JSON) $sql");
	my $plan = decode_json($json)->[0]{Plan};
	my $sum = 0;

	$sum += $plan->{$_} foreach @counts ? @counts : ('Shared Hit Blocks', 'Shared Read Blocks');
	return $sum;
}

sub offsets
{
	my ($topic) = @_;
	return $session->query(
		"SELECT last_stable_offset, high_watermark FROM topic.offsets('$topic')");
}

# The most buffers that a statement may look at where it costs the same
# however much there is.
my $few = 60;
my $find_offsets = 'SELECT * FROM topic.offsets';

# Commits of offsets, while somebody holds a snapshot that is older than all
# of them.
$session->query(q{
	SELECT topic.create_topic('commits');
	SELECT count(*) FROM topic.produce_batch('commits', array_fill('record'::text, ARRAY[6000]));
	SELECT topic.commit('group', 'commits', 0, 1);
});
my $holder = Session->new($node);
$holder->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM topic.consumer_offsets');
cost("SELECT topic.commit('group', 'commits', 0, 2)");
my $first_commit = cost("SELECT topic.commit('group', 'commits', 0, 3)");
$session->query(q{
	DO $$
	BEGIN
		FOR n IN 4 .. 5990 LOOP
			PERFORM topic.commit('group', 'commits', 0, n);
			COMMIT;
		END LOOP;
	END $$});
my $last_commit = cost("SELECT topic.commit('group', 'commits', 0, 5991)");
note("a commit looks at $first_commit buffers, after 6000 more at $last_commit");
cmp_ok($last_commit, '<', $first_commit + 15,
	'a commit of an offset costs the same under a held snapshot');
cmp_ok(cost("SELECT * FROM topic.committed('group', 'commits')"), '<', $few,
	'and so does reading it');

# Members of a group who come and go, some of them under the same name.
my $join = q{SELECT FROM topic.join_group('members', ARRAY['commits'], %s, session_timeout => '1 d')};
my %member_work = (
	'to join' => sprintf($join, 'gen_random_uuid()::text'),
	'to join under a name that others had' => sprintf($join, q{'again'}),
	'to poll' => q{SELECT FROM topic.poll('members', 'standing', 1, commit => true)},
	'to leave' => q{SELECT topic.leave_group('members', 'again')});
sub member_costs
{
	my %costs;
	foreach my $what (sort keys %member_work)
	{
		$costs{$what} = cost($member_work{$what});
		# Only the standing member is left.
		$session->query(q{SELECT topic.leave_group(group_id, member_id) FROM topic.members
			WHERE member_id <> 'standing' AND NOT EXISTS (SELECT FROM topic.members WHERE member_id = 'again')});
	}
	return %costs;
}
$session->query(sprintf($join, q{'standing'}));
member_costs();
my %first = member_costs();
$session->query(q{
	DO $$
	BEGIN
		FOR n IN 1 .. 1000 LOOP
			PERFORM FROM topic.join_group('members', ARRAY['commits'], 'again', session_timeout => '1 d');
			PERFORM FROM topic.poll('members', 'standing', 1, commit => true);
			COMMIT;
			PERFORM topic.leave_group('members', 'again');
			COMMIT;
		END LOOP;
	END $$});
my %last = member_costs();
foreach my $what (sort keys %first)
{
	note("$what: $first{$what} buffers, after 1000 members $last{$what}");
	cmp_ok($last{$what}, '<', $first{$what} + 30, "it costs the same under a held snapshot $what");
}
is($holder->query("SELECT committed_offset FROM topic.committed('group', 'commits')"),
	'1', 'the snapshot is held');
is($session->query("SELECT committed_offset FROM topic.committed('group', 'commits')"),
	'5991', 'the last commit is what counts');
$holder->query('COMMIT');

# A producer stays open while many others append behind it.
sub append
{
	my ($topic, $n) = @_;
	$session->query(qq{
		DO \$\$
		BEGIN
			FOR n IN 1 .. $n LOOP
				PERFORM topic.produce('$topic', 'record');
				COMMIT;
			END LOOP;
		END \$\$});
	return;
}

$session->query(q{SELECT topic.create_topic('held')});
append('held', 100);
$holder->query(q{BEGIN; SELECT topic.produce('held', 'open')});
append('held', 20000);
is(offsets('held'), '100|20101', 'an open producer holds back 20,000 records');
cmp_ok(cost("$find_offsets('held')"), '<', $few,
	'the last stable offset is found at once while it is open');
cmp_ok(cost("SELECT topic.produce('held', 'record')"), '<', $few,
	'and so is the next offset');
$holder->query('COMMIT');
is(offsets('held'), '20102|20102', 'it has committed');
append('held', 3000);
is(offsets('held'), '23102|23102', 'more came');
cmp_ok(cost("$find_offsets('held')"), '<', $few,
	'the last stable offset is found at once some time after');

# Sessions that append once each move the hint for readers on, too.
$holder->query(q{BEGIN; SELECT topic.produce('held', 'open again')});
append('held', 6000);
$holder->query('COMMIT');
my $script = PostgreSQL::Test::Utils::tempdir . '/produce.sql';
append_to_file($script, q{SELECT topic.produce('held', 'record');});
$node->command_ok([ 'pgbench', '--no-vacuum', '--connect', '-t', 250, '-f', $script, 'postgres' ],
	'there are 250 sessions');
cmp_ok(cost("$find_offsets('held')"), '<', $few,
	'the last stable offset is found at once after short sessions');

# Calls that append many rows each.
$session->query(q{
	SELECT topic.create_topic('bulk');
	DO $$
	BEGIN
		FOR n IN 1 .. 30 LOOP
			PERFORM topic.produce_batch('bulk', array_fill(repeat('x', 1000), ARRAY[1000]));
			COMMIT;
		END LOOP;
	END $$});
cmp_ok($session->query('SELECT count(*) FROM topic_log.segment_3_0'), '>',
	3000, 'bulk records fill many rows');
cmp_ok(cost("$find_offsets('bulk')"), '<', 400,
	'the last stable offset costs no more than the last calls');

# Records that were rolled back and that VACUUM leaves.
$session->query(q{SELECT topic.create_topic('aborted')});
append('aborted', 10);
$session->query(q{
	BEGIN;
	SELECT count(topic.produce('aborted', n::text)) FROM generate_series(1, 100) n;
	ROLLBACK;
});
append('aborted', 3000);
is(offsets('aborted'), '3110|3110', '100 records were rolled back');
cmp_ok(cost("$find_offsets('aborted')"), '<', $few,
	'the last stable offset passes over them');

# A partition that has been idle while many segments came: they are not looked
# at, nor locked.
$session->query(q{
	SELECT topic.create_topic('idle', partitions => 2);
	SELECT topic.produce('idle', 'record', partition => 1);
	DO $$
	BEGIN
		FOR n IN 1 .. 40 LOOP
			PERFORM topic.produce('idle', 'record', partition => 0);
			PERFORM topic.roll_segment('idle');
			COMMIT;
		END LOOP;
	END $$});
is($session->query(q{SELECT count(*) FROM topic.segments s JOIN topic.topics t USING (topic_id) WHERE topic = 'idle'}),
	'41', 'there are many segments');
foreach my $sql (
	q{SELECT * FROM topic.consume('group', 'idle', partitions => ARRAY[1], commit => true)},
	q{SELECT * FROM topic.consume('group', 'idle', partitions => ARRAY[1])},
	q{SELECT * FROM topic.fetch('idle', 1, 10)},
	q{SELECT * FROM topics.idle WHERE partition = 1},
	q{SELECT * FROM topic.commit('group', 'idle', 1, 1)},
	q{SELECT * FROM topic.produce('idle', 'record', partition => 1)})
{
	cmp_ok($session->query(qq{
			BEGIN;
			SELECT FROM ($sql) s;
			SELECT count(DISTINCT relation) FROM pg_locks JOIN pg_class ON pg_class.oid = relation
			WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r';
			COMMIT}) =~ s/\s//gr, '<', 5, "$sql locks no idle segments");
}

# Reading a fresh log writes nothing. With checksums, a hint bit would cost a
# full page image; an ordinary scan sets them, which shows that there are some
# to set.
$session->query(q{
	SELECT topic.create_topic('fresh');
	SELECT count(*) FROM topic.produce_batch('fresh', array_fill(repeat('x', 1000), ARRAY[1000]));
	SELECT topic.produce('fresh', repeat('x', 100000));
	CHECKPOINT;
	SELECT * FROM topic.fetch('fresh', to_offset => 0);  -- for the catalogs' sake
});
my @written = ('Shared Dirtied Blocks', 'WAL Records', 'WAL Bytes');
foreach my $sql (
	q{SELECT * FROM topic.fetch('fresh')},
	q{SELECT * FROM topics.fresh},
	q{SELECT * FROM topic.offsets('fresh')},
	q{SELECT * FROM topic.open_transactions('fresh')})
{
	is(cost($sql, @written), 0, "$sql writes nothing");
}
cmp_ok(cost('SELECT count(*) FROM topic_log.segment_6_0', @written),
	'>', 0, 'an ordinary scan does');

# Consuming writes no page of the log either.
$session->query('CHECKPOINT');
$session->query(q{
	SELECT count(*) FROM topic.produce_batch('fresh', array_fill(repeat('y', 1000), ARRAY[1000]));
	CHECKPOINT;
	SELECT count(*) FROM topic.consume('group', 'fresh', 1500, commit => true);
});
cmp_ok(cost(q{SELECT * FROM topic.consume('group', 'fresh', 400, commit => true)},
		'Shared Dirtied Blocks'),
	'<', 10, 'consuming writes the committed offset');

# A time to come that was rolled back is searched for in its own segment only.
$session->query(q{
	SELECT topic.create_topic('astray');
	BEGIN;
	SELECT topic.produce('astray', 'undone', record_timestamp => '3000-01-01');
	ROLLBACK;
	DO $$
	BEGIN
		FOR segment IN 1 .. 10 LOOP
			PERFORM topic.produce('astray', repeat('x', 2000), record_timestamp => to_timestamp(segment * 1000 + n))
			FROM generate_series(1, 300) n;
			PERFORM topic.roll_segment('astray');
			COMMIT;
		END LOOP;
	END $$});
is($session->query(q{SELECT topic.offset_for_time('astray', 0, to_timestamp(10300))}),
	'3000', 'the last time is found');
my $search = cost(q{SELECT topic.offset_for_time('astray', 0, to_timestamp(10300))});
note("the search looks at $search buffers");
cmp_ok($search, '<', 600, 'by looking at one segment and the ends of the others');

$holder->quit;
$session->quit;
done_testing();
