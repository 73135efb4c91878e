# Memory does not grow with what a topic holds, nor with what a transaction
# sends.
#
# Each command has a session of its own, which gets so much memory and no more
# (RLIMIT_AS): if a command kept what it reads, or what it is given, it would
# fail with 53200, as the one at the end does.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

plan skip_all => 'there is no prlimit here' if system('prlimit >/dev/null 2>&1') != 0;
plan skip_all => 'AddressSanitizer keeps memory that was freed' if $ENV{ASAN_OPTIONS};

# What a session may take beyond what it has when it has done as much work on a
# small topic. And how much there is in the large one, at least.
my $allowance = ($ENV{PG_TOPIC_ALLOWANCE_MB} // 8) * 1024 * 1024;
my $records = $ENV{PG_TOPIC_RECORDS} // 25_000;
my $value = "repeat(md5(i::text), 32)";
cmp_ok($records * 1024, '>', 3 * $allowance, 'a large topic is larger than that');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
jit = off
shared_buffers = 32MB
work_mem = 1MB
max_parallel_workers_per_gather = 0
maintenance_work_mem = 2MB
pg_topic.send_buffer = 2MB
log_statement = none
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');

# A topic of that name, for each command one that is small, and one that is large.
foreach my $size ('small', 'large')
{
	my $count = $size eq 'small' ? 500 : $records;

	$node->safe_psql('postgres', $_) for (
		"CREATE TABLE rows_$size AS SELECT i, $value AS value FROM generate_series(1, $count) i",
		qq{SELECT topic.create_topic('$size', partitions => 2, compression => 'lz4');
		SELECT topic.create_topic('target_$size', partitions => 2);
		SELECT topic.create_topic('captured_$size');
		SELECT FROM topic.produce_query('$size', 'SELECT i::text AS key, value FROM rows_$size');
		SELECT FROM topic.join_group('members_$size', ARRAY['$size'], 'm', session_timeout => '1 d');
		CREATE TABLE captured_$size (i int PRIMARY KEY, value text);
		CREATE TABLE sink_$size (value text);
		SELECT topic.capture_table('captured_$size', 'captured_$size', key => '{i}')});
}
my $file = PostgreSQL::Test::Utils::tempdir() . '/copy';

# A command, as it is run on the topic %s.
my @commands = (
	q{SELECT count(*), sum(length(value)) FROM topics.%s},
	q{SELECT count(*) FROM topics.%s WHERE value LIKE '%%x'},
	q{SELECT value FROM topics.%s ORDER BY record_timestamp DESC, record_offset LIMIT 1},
	q{SELECT count(*), sum(length(value)) FROM topic.fetch_text('%s')},
	q{SELECT sum(length(value)) FROM (SELECT (topic.fetch_text('%s')).value OFFSET 0) f},
	qq{COPY (SELECT * FROM topics.%s) TO '$file-%s'},
	qq{COPY topics.target_%s (partition, key, value) FROM PROGRAM 'cut -f 1,4,5 $file-%s'},
	q{ANALYZE topics.%s},
	q{SELECT topic.offset_for_time('%s', 0, now())},
	q{SELECT * FROM topic.topic_stats WHERE topic = '%s'},
	q{SELECT count(*) FROM topic.consume_text('one', '%s', 1000000000)},
	q{INSERT INTO sink_%s SELECT value FROM topic.consume_text('two', '%s', 1000000000, commit => true)},
	q{INSERT INTO sink_%s SELECT value FROM topic.poll_text('members_%s', 'm', 1000000000, commit => true)},
	q{INSERT INTO topics.target_%s (value) SELECT value FROM rows_%s},
	q{SELECT count(o) FROM (SELECT topic.send('target_%s', value)::text AS o FROM rows_%s OFFSET 0) s},
	q{SELECT count(o) FROM (SELECT topic.produce('target_%s', value) AS o FROM rows_%s OFFSET 0) s},
	q{SELECT * FROM topic.produce_query('target_%s', 'SELECT value FROM rows_%s')},
	q{INSERT INTO topics.target_%s (value) SELECT value FROM rows_%s RETURNING record_offset},
	q{INSERT INTO captured_%s SELECT * FROM rows_%s},
	q{SELECT topic.delete_records('%s', 0)},
);

# Runs a command in a session that gets no more memory once it has run it on
# the small topic.
sub in_bounded_memory
{
	my ($name, $command) = @_;
	my $session = Session->new($node);
	my $result = $session->query($command->('small'));
	my ($size) = slurp_file('/proc/' . (my $pid = $session->pid) . '/status') =~ /^VmSize:\s+(\d+) kB/m;

	unlike($result, qr/ERROR/, "small: $name");
	system_or_bail('prlimit', '--pid', $pid, '--as=' . ($size * 1024 + $allowance));
	$result = $session->query($command->('large'));
	my ($peak) = slurp_file("/proc/$pid/status") =~ /^VmPeak:\s+(\d+) kB/m;
	note(sprintf '%.1f MB: %s', ($peak - $size) / 1024, $name) if $peak;
	$session->quit;
	return $result;
}

foreach my $command (@commands)
{
	unlike(in_bounded_memory($command, sub { (my $sql = $command) =~ s/%s/$_[0]/g; $sql =~ s/%%/%/g; $sql }),
		qr/ERROR|FATAL/, "large: $command");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');

# Maintenance counts, freezes, compacts and merges what there is.
is(in_bounded_memory('CALL topic.maintain()', sub {
	my ($size) = @_;

	$node->safe_psql('postgres', qq{
		SELECT topic.create_topic('compacted_$size', cleanup_policy => 'compact');
		SELECT topic.create_topic('merged_$size');
		SELECT FROM topic.produce_query('compacted_$size', 'SELECT (i % 5000)::text AS key, value FROM rows_$size');
		SELECT count(topic.produce('merged_$size', value)) FROM rows_$size;
		SELECT topic.roll_segment('compacted_$size');
		SELECT topic.roll_segment('merged_$size')});
	return 'CALL topic.maintain()';
}), '', 'maintenance runs');
is($node->safe_psql('postgres', q{SELECT sum(compacted), sum(merged) > 0, count(last_error) FROM topic.maintenance}),
	'2|t|0', 'and has compacted and merged');

like(in_bounded_memory('array_agg', sub { "SELECT length(array_agg(value)::text) FROM topics.$_[0]" }),
	qr/ERROR:  53200/, 'more memory is an error');
done_testing();
