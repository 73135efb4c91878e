# Whatever fails for want of memory, of locks or of a temporary file: it is an
# error, nothing is left half done, and the session goes on.
#
# Each operation is done again and again, and of the calls in which it asks
# PostgreSQL or a library for something, the first fails, then the second, and so on; that
# one alone, or all from there on. In a transaction of its own, where commits
# fail too, and in a savepoint. See failing_call.c.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Without this, only some of the calls of a long operation fail.
my $thorough = $ENV{PG_TOPIC_THOROUGH};

# Build a copy of pg_topic whose calls can fail.
my $build = PostgreSQL::Test::Utils::tempdir();
my $source = "$FindBin::RealBin/../failing_call/failing_call.c";
system_or_bail('cp', '-a', 'Makefile', 'pg_topic.control', 'src', $build);
system_or_bail('cp', $source, "$build/src");
my $wrap = join ' ', map { "-Wl,--wrap=$_" } grep { defined } slurp_file($source) =~ /__wrap_(\w+)\(|^WRAP\w*\(.*?, (\w+),/mg;
system_or_bail('make', '-s', '-C', $build, 'with_llvm=no', "PG_LDFLAGS=$wrap");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
max_prepared_transactions = 10
pg_topic.offsets_topic = on
log_statement = none
});
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	# PostgreSQL 18 leaves $libdir out.
	"UPDATE pg_proc SET probin = '$build/pg_topic' WHERE probin IN ('\$libdir/pg_topic', 'pg_topic')",
	"CREATE FUNCTION fail_calls(bigint, bigint) RETURNS bigint AS '$build/pg_topic' LANGUAGE C",
	q{
	SELECT topic.create_topic(t, partitions => 2) FROM unnest('{plain,sent,inserted,rolled,captured}'::text[]) t;
	SELECT topic.create_topic(c, compression => c) FROM unnest('{lz4,zstd}'::text[]) c;
	SELECT topic.create_topic('source');
	SELECT topic.create_topic('many', partitions => 7);
	SELECT FROM topic.produce_batch('source', (SELECT array_agg(i::text) FROM generate_series(0, 49999) i));
	SELECT FROM unnest('{lz4,zstd,plain}'::text[]) t, topic.produce_batch(t, array_fill('first'::text, ARRAY[50]), partition => 0);
	SELECT FROM topic.join_group('members', ARRAY['source'], 'm', session_timeout => '1 d');
	SELECT FROM topic.init_producer('p');
	SELECT FROM topic.produce('plain', 'forgotten', key => 'k', idempotency_key => 'again');
	CREATE TABLE done (operation text, counted bigint);
	CREATE TABLE consumed (record_offset bigint);
	CREATE TABLE polled (record_offset bigint);
	CREATE TABLE orders (id int PRIMARY KEY);
	SELECT topic.capture_table('orders', 'captured', key => '{id}')});

# What to do, as one statement. "done" notes it in the same transaction. WITH
# ORDINALITY calls a function that is planned as a scan otherwise.
my %operations = (
	produce => q{SELECT topic.produce('plain', 'produce', 'k', '{"h": 1}') FROM done},
	large => q{SELECT topic.produce('plain', 'large' || repeat('x', 20000), 'k') FROM done},
	batch => q{SELECT count(*) FROM done, topic.produce_batch('plain', array_fill('batch'::text, ARRAY[20]), array_fill('k'::text, ARRAY[20]))},
	lz4 => q{SELECT count(*) FROM done, topic.produce_batch('lz4', array_fill('lz4'::text, ARRAY[50]))},
	zstd => q{SELECT count(*) FROM done, topic.produce_batch('zstd', array_fill('zstd'::text, ARRAY[50]))},
	query => q{SELECT count(*) FROM done, topic.produce_query('plain', 'SELECT ''query'' AS value FROM generate_series(1, 3)')},
	send => q{SELECT topic.send('sent', 'send' || repeat('x', i * 20000), 'k', '{"h": null}') FROM done, generate_series(0, 4) i},
	insert => q{INSERT INTO topics.inserted (key, value) SELECT i::text, 'insert' FROM done, generate_series(1, 3) i},
	returning => q{INSERT INTO topics.inserted (value) SELECT 'returning' FROM done RETURNING record_offset},
	sequence => q{SELECT topic.produce('plain', 'sequence', partition => 0, producer_id => p.producer_id, producer_epoch => p.producer_epoch, sequence => 0)
		FROM done, topic.init_producer('p') p},
	key => q{SELECT topic.produce('plain', 'key', 'k', idempotency_key => gen_random_uuid()::text) FROM done},
	repeated => q{SELECT topic.produce('plain', 'forgotten', 'k', idempotency_key => 'again') FROM done},
	capture => q{INSERT INTO orders SELECT counted FROM done},
	consume => q{INSERT INTO consumed SELECT c.record_offset FROM done, topic.consume_text('consumers', 'source', 2, commit => true) c},
	consume_call => q{INSERT INTO consumed SELECT c.record_offset FROM done, topic.consume_text('consumers', 'source', 2, commit => true) WITH ORDINALITY c},
	poll => q{INSERT INTO polled SELECT p.record_offset FROM done, topic.poll_text('members', 'm', 2, commit => true) p},
	poll_call => q{INSERT INTO polled SELECT p.record_offset FROM done, topic.poll_text('members', 'm', 2, commit => true) WITH ORDINALITY p},
	commit => q{SELECT topic.commit('committers', 'source', 0, counted % 1000) FROM done},
	reset => q{SELECT topic.reset_offsets('others', 'source', 'latest') FROM done},
	forget => q{SELECT topic.delete_offsets('others', 'source') FROM done},
	join => q{SELECT count(*) FROM done, topic.join_group('joined', ARRAY['source', 'many'], counted::text)},
	leave => q{SELECT topic.leave_group('left', j.member_id) FROM done, topic.join_group('left', ARRAY['many'], counted::text) j LIMIT 1},
	heartbeat => q{SELECT count(*) FROM done, topic.heartbeat('members', 'm')},
	first_time => q{SELECT topic.first_time('consumers', counted::text) FROM done},
	dead_letter => q{SELECT topic.dead_letter('consumers', 'source', 0, counted % 1000, 'why') FROM done},
	fetch => q{SELECT (SELECT max(value) FROM topic.fetch_text('lz4', 0, 0, 50)), (SELECT max(value) FROM topic.fetch_text('zstd', 0, 0, 50)) FROM done},
	fetch_call => q{SELECT (SELECT max(value) FROM topic.fetch_text('lz4', 0, 0, 50) WITH ORDINALITY f),
		(SELECT max(value) FROM topic.fetch_text('zstd', 0, 0, 50) WITH ORDINALITY f) FROM done},
	scan => q{SELECT (SELECT count(*) FROM topics.source WHERE record_offset < 3 AND partition = 0) FROM done},
	time => q{SELECT topic.offset_for_time('source', 0, now()) FROM done},
	offsets => q{SELECT count(*) FROM done, topic.offsets('plain')},
	lag => q{SELECT count(*) FROM done, topic.lag},
	maintenance => q{SELECT count(*) FROM done, topic.maintenance, topic.topic_stats, topic.open_producers},
	roll => q{SELECT topic.roll_segment('rolled'), topic.produce('rolled', 'roll') FROM done},
	delete => q{SELECT topic.delete_records('rolled', 0) FROM done},
	create => q{SELECT topic.create_topic('t' || counted) FROM done},
	alter => q{SELECT topic.alter_topic('many', retention => make_interval(days => counted::int % 7 + 1)) FROM done},
	drop => q{SELECT topic.create_topic('d' || counted), topic.drop_topic('d' || counted) FROM done},
);
# How many records it produces, to which topic, and what their values begin with.
my %produced = (
	produce => [1, 'plain'], large => [1, 'plain'], batch => [20, 'plain'],
	lz4 => [50, 'lz4'], zstd => [50, 'zstd'], query => [3, 'plain'],
	send => [5, 'sent'], insert => [3, 'inserted'], returning => [1, 'inserted'],
	sequence => [1, 'plain'], key => [1, 'plain'], roll => [1, 'rolled']);

# Runs a script in one session, which goes on after errors; returns what it
# printed, and its errors.
sub run
{
	my ($script) = @_;
	my ($out, $err) = ('', '');

	$node->psql('postgres', $script, stdout => \$out, stderr => \$err,
		on_error_stop => 0, extra_params => ['-q']);
	return ($out, $err);
}

my $settings = "\\set VERBOSITY verbose\nSET pg_topic.send_buffer = '64kB';\n";

sub statement
{
	my ($name) = @_;
	my $statement = $operations{$name};

	return "WITH done AS (INSERT INTO done VALUES ('$name', nextval('counter')) RETURNING counted)\n$statement;\n";
}
$node->safe_psql('postgres', 'CREATE SEQUENCE counter');

my $failures = 0;
foreach my $name (sort keys %operations)
{
	my $statement = statement($name);

	# How many calls are there, with nothing cached, and after that?
	my ($out, $err) = run($settings . "SELECT 'calls', fail_calls(0, 0);\n$statement" x 3 . "SELECT 'calls', fail_calls(0, 0)");
	is($err, '', "$name works") or next;
	my ($cold, undef, $warm) = ($out =~ /^calls\|(\d+)$/mg)[1 .. 3];
	cmp_ok($warm, '>', 0, "$name has calls that can fail");

	my $script = $settings;
	my $step = $thorough || $warm < 60 ? 1 : $warm / 60;
	for (my $i = 1; $i < $warm + 3; $i += $step)
	{
		my $n = int $i;
		$script .= "BEGIN; SELECT fail_calls($n, 1);\n${statement}COMMIT;\n";
		$script .= "BEGIN; SELECT fail_calls($n, 1000000);\n${statement}COMMIT;\n";
		$script .= "\\set ON_ERROR_ROLLBACK on\nBEGIN; SELECT fail_calls($n, 1);\n${statement}COMMIT;\n\\set ON_ERROR_ROLLBACK off\n";
	}
	for (my $i = 1; $i < $cold; $i += $thorough ? 1 : $cold / 10)
	{
		$script .= "\\c\n${settings}SELECT fail_calls(" . int($i) . ", 1);\n$statement";
	}
	$script .= "SELECT fail_calls(0, 0);\n${statement}SELECT 'the end', count(*) FROM pg_locks WHERE locktype IN ('object', 'advisory') AND pid = pg_backend_pid();\n";

	($out, $err) = run($script);
	like($out, qr/^the end\|0$/m, "$name: the session goes on, and has no locks");
	my @errors = $err =~ /^psql:<stdin>:\d+: (?:ERROR|FATAL|PANIC|WARNING):.*/mg;
	$failures += @errors;
	cmp_ok(scalar @errors, '>', 0, "$name: some of them fail");
	is(join("\n", grep { !/ERROR:  53200: / } @errors), '',
		"$name: " . @errors . " failures, all of them reported");
	note("$name: $cold calls, and $warm");
}
cmp_ok($failures, '>', 1000, 'many calls failed');

foreach my $name (sort keys %produced)
{
	my ($records, $topic) = @{ $produced{$name} };

	is($node->safe_psql('postgres', qq{SELECT count(*) FROM topics.$topic WHERE value LIKE '$name%'}),
		$records * $node->safe_psql('postgres', "SELECT count(*) FROM done WHERE operation = '$name'"),
		"$name: all or nothing was produced");
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM topics.plain WHERE value = 'forgotten'}), 1,
	'a repeated record is there once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM topics.captured}),
	$node->safe_psql('postgres', 'SELECT count(*) FROM orders'), 'capture: each change is there once');
foreach my $how ([qw(consumed consumers)], [qw(polled members)])
{
	my ($sink, $group) = @$how;

	is($node->safe_psql('postgres', "SELECT count(*), count(DISTINCT record_offset), max(record_offset) + 1 FROM $sink"),
		join('|', ($node->safe_psql('postgres', "SELECT committed_offset FROM topic.committed('$group', 'source')")) x 3),
		"$sink: each record once");
}
is($node->safe_psql('postgres', q{SELECT topic FROM topic.topics t, topic.offsets(topic) o WHERE last_stable_offset <> high_watermark}),
	'', 'nothing is held back');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class c WHERE relnamespace = 'topic_log'::regnamespace AND relkind = 'r'
	AND NOT EXISTS (SELECT FROM topic.segments s WHERE relname = 'segment_' || topic_id || '_' || segment)}),
	'0', 'no table is left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'nor a temporary file');
my $log = slurp_file($node->logfile);
unlike($log, qr/PANIC|was terminated by signal|AbortTransaction/, 'nothing worse in the log');
done_testing();
