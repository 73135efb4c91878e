# What a transaction sends or inserts is there if it committed, all of it and
# once, and nothing of it if it did not: over kill -9 of the backend, or of the
# server, at any moment of the transaction and of its commit; and with PREPARE.
# Temporary files do not stay.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Crash;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 10
restart_after_crash = on
});
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	q{SELECT topic.create_topic('t' || i, partitions => i) FROM generate_series(1, 3) i},
	'CREATE TABLE done (attempt int PRIMARY KEY)');

my $count = 5000;

# Each attempt sends to three topics, and says in a table that it did.
sub transaction
{
	my ($attempt) = @_;
	return qq{
		SET pg_topic.send_buffer = '256kB';
		BEGIN;
		INSERT INTO done VALUES ($attempt);
		SELECT count(topic.send('t' || 1 + i % 2, '$attempt', key => i,
			headers => '{"h": "1"}')) FROM generate_series(1, $count) i;
		SAVEPOINT s;
		SELECT count(topic.send('t1', 'never')) FROM generate_series(1, $count) i;
		ROLLBACK TO s;
		INSERT INTO topics.t3 (key, value) SELECT i, '$attempt' FROM generate_series(1, $count) i;
		COMMIT;};
}

# Attempts that are not in the topics as the table says.
my $wrong = qq{
	WITH records AS (
		SELECT value, key FROM topics.t1 UNION ALL SELECT value, key FROM topics.t2
		UNION ALL SELECT value, 'INSERT ' || key FROM topics.t3),
	attempts AS (
		SELECT value, count(*) AS records, count(DISTINCT key) AS keys
		FROM records GROUP BY value)
	SELECT value, attempt, records, keys
	FROM attempts FULL JOIN done ON value = attempt::text
	WHERE attempt IS NULL OR records IS DISTINCT FROM 2 * $count
		OR keys IS DISTINCT FROM 2 * $count};

# How long does it take undisturbed?
my $start = time;
$node->safe_psql('postgres', transaction(0));
my $duration = time - $start;
is($node->safe_psql('postgres', $wrong), '', 'an attempt that is not disturbed is complete');

my $attempt = 0;
foreach my $moment (0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0, 1.1)
{
	foreach my $whom ('the backend', 'the server')
	{
		my ($out, $err) = ('', '');
		my $sql = "SET application_name = 'sender';" . transaction(++$attempt);
		my $client = IPC::Run::start(
			['psql', '-X', '-q', '-d', $node->connstr('postgres')],
			'<', \$sql, '>', \$out, '2>', \$err);

		sleep $duration * $moment;
		if ($whom eq 'the server')
		{
			Crash::kill_server($node);
		}
		else
		{
			my $pid = $node->safe_psql('postgres',
				"SELECT pid FROM pg_stat_activity WHERE application_name = 'sender'");
			Crash::kill_backend($pid);
		}
		eval { $client->finish };
		Crash::is_back($node) or BAIL_OUT('the server does not come back');
		is($node->safe_psql('postgres', $wrong), '',
			"all or nothing after kill -9 of $whom at $moment of the time");
		is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0',
			'no temporary files are left');
	}
}
note($node->safe_psql('postgres', 'SELECT count(*) FROM done') - 1,
	" of $attempt attempts were committed");

# PREPARE TRANSACTION appends; COMMIT PREPARED shows it.
my $offsets = q{SELECT last_stable_offset, high_watermark FROM topic.offsets('p')};
$node->safe_psql('postgres', q{SELECT topic.create_topic('p')});
$node->safe_psql('postgres', q{
	SET pg_topic.send_buffer = '64kB';
	BEGIN;
	SELECT count(topic.send('p', 'first ' || i)) FROM generate_series(1, 5000) i;
	INSERT INTO topics.p (value) VALUES ('second');
	PREPARE TRANSACTION 'to commit';
	BEGIN;
	SELECT topic.send('p', 'never');
	PREPARE TRANSACTION 'to roll back';
	SELECT topic.send('p', 'third');});
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0',
	'no temporary files belong to a prepared transaction');
foreach my $moment ('before a crash', 'after a crash')
{
	is($node->safe_psql('postgres', $offsets), '0|5003',
		"prepared, the records are in the log, $moment");
	next if $moment eq 'after a crash';
	$node->stop('immediate');
	$node->start;
}
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'to roll back'});
$node->safe_psql('postgres', q{COMMIT PREPARED 'to commit'});
is($node->safe_psql('postgres', q{SELECT count(*), max(record_offset),
		count(*) FILTER (WHERE value = 'never') FROM topics.p}), '5002|5002|0',
	'decided, all or nothing of each is there');
is($node->safe_psql('postgres', $offsets), '5003|5003', 'and nothing is held back');

# Nor can a callback of somebody else send when it is too late; the session goes
# on. The module is built where it may be written to.
my $build = PostgreSQL::Test::Utils::tempdir();
my $source = "$FindBin::RealBin/../late_send";
system_or_bail('cp', "$source/Makefile", "$source/late_send.c", $build);
system_or_bail('make', '-s', '-C', $build, 'with_llvm=no');
$node->safe_psql('postgres', q{SELECT topic.create_topic('late')});
my ($result, $late, $errors) = $node->psql('postgres', qq{
	LOAD '$build/late_send.so';
	SELECT count(*) FROM topics.late;
	CREATE TABLE late ();
	SELECT topic.send('late', 'in time');
	BEGIN;
	SELECT topic.send('late', 'in time');
	ROLLBACK;
	SELECT count(*) FROM topics.late;}, on_error_stop => 0);
is($late, "0\n\n0", 'nothing is sent when it is too late');
is(() = $errors =~ /cannot send to topic "late" while the transaction commits/g, 2,
	'but an error raised');

# Not on a server in recovery
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
foreach my $command (
	q{SELECT topic.send('p', 'v')},
	q{INSERT INTO topics.p (value) VALUES ('v')},
	q{INSERT INTO topics.p (value) VALUES ('v') RETURNING record_offset})
{
	my ($status, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\n$command");
	like($err, qr/25006/, "read-only: $command");
}
done_testing();
