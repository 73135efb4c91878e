# offset_for_time, and reading by time, do not scan the log: what they look at
# does not grow with it. Ten million records are in one partition, produced by
# one large transaction, and by many.
#
# Counts buffers as EXPLAIN does, no times.
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
$node->init;

# VACUUM comes when this test says so.
$node->append_conf('postgresql.conf', q{
autovacuum = off
log_statement = none
shared_buffers = 512MB
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');

# How many buffers a statement looks at, in a session.
sub cost
{
	my ($session, $sql) = @_;
	my $json = $session->query("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $sql");
	my $plan = decode_json($json)->[0]{Plan};

	return $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'};
}

# A bisection of 24 steps, each of them the descent of an index and the look at
# a row, for each segment that may have the time; and the catalog, which a new
# session reads first.
my $few = 800;

# The records of a topic have the timestamps 0 s, 1 s, 2 s and so on, 1,000
# records each.
$node->safe_psql('postgres', q{
	CREATE FUNCTION at(seconds numeric) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
		$$ SELECT '2024-01-01 UTC'::timestamptz + seconds * interval '1 second' $$;
	CREATE PROCEDURE fill(topic text, seconds int, transactions int) LANGUAGE plpgsql AS $$
	DECLARE
		batch text[] := array_fill('x'::text, ARRAY[1000]);
	BEGIN
		FOR s IN 0 .. seconds - 1 LOOP
			PERFORM topic.produce_batch(topic, batch, record_timestamps => array_fill(at(s), ARRAY[1000]));
			IF s % (seconds / transactions) = 0 THEN
				COMMIT;
			END IF;
		END LOOP;
	END $$;
});

# Where every look must be as cheap, and right.
sub check
{
	my ($session, $topic, $name, $seconds) = @_;

	foreach my $second (0, 1, int($seconds / 3), int($seconds * 0.999), $seconds - 1)
	{
		my $offset_for_time = "topic.offset_for_time('$topic', 0, at($second - 0.5))";
		my $buffers = cost($session, "SELECT $offset_for_time");

		note("$name: offset_for_time looks at $buffers buffers");
		cmp_ok($buffers, '<', $few, "$name: second $second is found at once");
		is($session->query("SELECT $offset_for_time"), 1000 * $second,
			'where it is');
	}
	is($session->query("SELECT topic.offset_for_time('$topic', 0, at($seconds))"),
		'', "$name: no record is later");
	my $middle = int($seconds / 2);
	foreach my $sql (
		"SELECT FROM topic.fetch('$topic', from_time => at($middle), max_records => 10)",
		"SELECT FROM topics.$topic WHERE record_timestamp >= at($middle) LIMIT 10",
		"SELECT FROM topic.reset_offsets('group', '$topic', to_time => at($middle), dry_run => true)",
		"SELECT topic.offset_for_time('$topic', 0, at($seconds))")
	{
		cmp_ok(cost($session, $sql), '<', $few, "$name: $sql");
	}
	return;
}

# Many transactions. A new session finds its way at once.
$node->safe_psql('postgres', q{
	SELECT topic.create_topic('many', merge_small_batches => false);
	CALL fill('many', 10000, 10000)});
my $session = Session->new($node);
check($session, 'many', '10,000 transactions', 10000);
is($session->query("SELECT high_watermark FROM topic.offsets('many')"),
	'10000000', 'there are ten million records');

# One. A session has to pass over it once to know that nothing in it is open.
$node->safe_psql('postgres', q{
	SELECT topic.create_topic('one', merge_small_batches => false);
	CALL fill('one', 10000, 1)});
is($session->query("SELECT high_watermark FROM topic.offsets('one')"),
	'10000000', 'there are ten million more');
check($session, 'one', 'one transaction', 10000);

# What it cost to know that, nobody pays any more once the segment is settled.
$session->query("SELECT topic.roll_segment('one')");
$session->query('CALL topic.maintain()');
my $new_session = Session->new($node);
check($new_session, 'one', 'a settled segment', 10000);

# Timestamps out of order: some records are far ahead of their time, and aborted
# ones, too.
$session->query(q{
	SELECT topic.create_topic('jumbled', merge_small_batches => false);
	DO $$
	DECLARE
		batch text[] := array_fill('x'::text, ARRAY[1000]);
	BEGIN
		FOR s IN 0 .. 999 LOOP
			PERFORM topic.produce_batch('jumbled', batch,
				record_timestamps => array_fill(at(s - s % 10 + (7 * s) % 10), ARRAY[1000]));
			COMMIT;
			IF s % 100 = 50 THEN
				PERFORM topic.produce('jumbled', 'undone', record_timestamp => at(s + 20));
				ROLLBACK;
				PERFORM topic.roll_segment('jumbled');
				COMMIT;
			END IF;
		END LOOP;
	END $$});
foreach my $second (1, 44, 333, 999)
{
	my $sql = "SELECT topic.offset_for_time('jumbled', 0, at($second))";
	cmp_ok(cost($session, $sql), '<', $few, "jumbled: second $second is found at once");
	is( $session->query($sql),
		$session->query("SELECT min(record_offset) FROM topics.jumbled WHERE record_timestamp + interval '0' >= at($second)"),
		'where it is');
}

$_->quit foreach $session, $new_session;
done_testing();
