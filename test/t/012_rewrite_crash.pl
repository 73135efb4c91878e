# The server is killed while segments are rewritten, again and again: whatever
# the moment, the log reads as before, and in the end everything is rewritten.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Crash;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{PG_TOPIC_CRASH_ROUNDS} // 6;
my $node = PostgreSQL::Test::Cluster->new('main');

$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
checkpoint_timeout = 1h
});
$node->start;

sub run
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

run(q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('merged', 4);
	SELECT topic.create_topic('compacted', 4, cleanup_policy => 'compact', tombstone_retention => '0');
	CREATE TABLE produced (topic text, partition int, record_offset bigint, key text, value text);

	-- Small batches: each call of produce is one.
	CREATE PROCEDURE add_segment() LANGUAGE plpgsql AS $$
	DECLARE
		name text;
	BEGIN
		FOREACH name IN ARRAY ARRAY['merged', 'compacted'] LOOP
			PERFORM topic.produce(name, CASE WHEN i % 10 > 0 THEN repeat(md5(i::text), 3) END,
					'key ' || i * 7919 % 3000, record_timestamp => timestamptz '2024-01-01Z' + i * interval '1 s')
				FROM generate_series(1, 20000) i;
			TRUNCATE produced;
			PERFORM topic.roll_segment(name);
			COMMIT;
		END LOOP;
		INSERT INTO produced SELECT 'merged', partition, record_offset, key, value FROM topics.merged;
		INSERT INTO produced SELECT 'compacted', partition, record_offset, key, value FROM topics.compacted;
	END $$;
	CALL add_segment();
});

# Records that should be there and are not, or are there and should not be:
# in the compacted topic these may be any that were produced, but the latest
# of each key, unless that is a tombstone, must be there.
my $differences = q{
	WITH log AS (
		SELECT 'merged' AS topic, partition, record_offset, key, value FROM topics.merged
		UNION ALL
		SELECT 'compacted', partition, record_offset, key, value FROM topics.compacted
	), latest AS (
		SELECT DISTINCT ON (key) * FROM produced WHERE topic = 'compacted' ORDER BY key, record_offset DESC
	), needed AS (
		SELECT * FROM latest WHERE value IS NOT NULL
		UNION ALL
		SELECT * FROM produced WHERE topic = 'merged'
	)
	SELECT (SELECT count(*) FROM (TABLE needed EXCEPT ALL TABLE log) l),
		(SELECT count(*) FROM (TABLE log EXCEPT ALL TABLE produced) n)};
my $rewritten = q{
	SELECT count(*) FROM topic.segments
	WHERE sealed_at IS NOT NULL AND retired_at IS NULL AND generation = 0};

# How long it takes undisturbed.
my $start = time;
run('CALL topic.maintain()');
my $duration = time - $start;
is(run($rewritten), '0', 'segments are rewritten');
is(run($differences), '0|0', 'and the log reads as before');

my $interrupted = 0;
foreach my $round (1 .. $rounds)
{
	run('CALL add_segment()');
	my $psql = IPC::Run::start(
		[ 'psql', '-X', '-c', 'CALL topic.maintain()', $node->connstr('postgres') ],
		'>', \my $out, '2>', \my $err);
	sleep rand $duration;
	Crash::kill_server($node);
	eval { $psql->finish };
	$interrupted++ if run($rewritten) > 0;
	is(run($differences), '0|0', "the log reads as before after crash $round");
}
cmp_ok($interrupted, '>', 0, 'some rewrites were interrupted');

run('CALL topic.maintain()');
is(run($rewritten), '0', 'everything is rewritten in the end');
is(run($differences), '0|0', 'and the log reads as before');
is( run(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r'}),
	run('SELECT count(*) FROM topic.segments'),
	'no table is left behind');
# A tombstone is left that is the last record of its partition.
is( run(q{SELECT count(*) FROM topics.compacted c WHERE value IS NOT NULL OR EXISTS (
		SELECT FROM topic.offsets('compacted') o
		WHERE o.partition = c.partition AND record_offset < high_watermark - 1)}),
	run(q{SELECT count(*) FROM (SELECT DISTINCT ON (key) * FROM produced WHERE topic = 'compacted'
		ORDER BY key, record_offset DESC) l WHERE value IS NOT NULL}),
	'the latest record of each key is left');
done_testing();
