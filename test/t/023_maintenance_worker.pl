# The background workers that run maintenance.
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
shared_preload_libraries = 'pg_topic'
pg_topic.maintenance_databases = 'postgres, "Other DB", missing'
pg_topic.maintenance_interval = 1h
autovacuum = off
});
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE "Other DB"');

sub wait_until
{
	my ($database, $sql, $what) = @_;
	ok($node->poll_query_until($database, "SELECT EXISTS ($sql)"), $what);
	return;
}

sub set_interval
{
	my ($interval) = @_;
	$node->append_conf('postgresql.conf', "pg_topic.maintenance_interval = $interval");
	$node->reload;
	return;
}

# Give the worker something to do in a topic, and wait until it has done it.
sub wait_for_roll
{
	my ($database, $topic, $what) = @_;
	my $rolled = $node->safe_psql($database,
		"SELECT rolled FROM topic.maintenance WHERE topic = '$topic'");

	$node->safe_psql($database, "SELECT topic.produce('$topic', 'record')");
	wait_until($database,
		"SELECT FROM topic.maintenance WHERE topic = '$topic' AND rolled > $rolled AND due = '{}'",
		$what);
	return;
}

my $workers = q{FROM pg_stat_activity WHERE backend_type = 'pg_topic maintenance'};
my $create = q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('t', segment_bytes => 1, merge_small_batches => false);
};

# A worker for each database that there is; it is seen.
wait_until('postgres', "SELECT count(*) $workers AND state = 'idle' HAVING count(*) = 1",
	'a worker is there');
is($node->safe_psql('postgres', "SELECT datname, query $workers"),
	'postgres|', 'in its database');

# It comes every hour, until it is told to come every second.
$node->safe_psql('postgres', $create);
set_interval('1s');
wait_for_roll('postgres', 't', 'it acts');
is($node->safe_psql('postgres', "SELECT query $workers"),
	'CALL topic.maintain()', 'and says so');
my $pid = $node->safe_psql('postgres', "SELECT pid $workers");

# The other's database did not exist when the server was started.
$node->restart;
set_interval('1s');
wait_until('postgres', "SELECT count(*) $workers HAVING count(*) = 2",
	'there is a worker in each database');
wait_for_roll('postgres', 't', 'it acts in one of them');
$node->safe_psql('Other DB', $create);
wait_for_roll('Other DB', 't', 'and in the other, as soon as the extension is there');
$pid = $node->safe_psql('postgres', "SELECT pid $workers AND datname = 'Other DB'");

# It survives that the extension comes and goes.
for my $n (1 .. 2)
{
	$node->safe_psql('Other DB', 'DROP EXTENSION pg_topic CASCADE');
	$node->safe_psql('Other DB', $create);
	wait_for_roll('Other DB', 't', "the extension was dropped and created: $n");
}

# And errors: of one topic, of all, and of a whole run.
$node->safe_psql('Other DB', q{
	SELECT topic.create_topic(t, 2, segment_bytes => 1, merge_small_batches => false)
	FROM unnest(ARRAY['a', 'z']) t});
$node->safe_psql('Other DB', q{
	CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		IF NEW.topic_id = (SELECT topic_id FROM topic.topics WHERE topic = 'a') AND NEW.last_error IS NULL THEN
			RAISE 'this topic fails';
		END IF;
		RETURN NEW;
	END $$;
	CREATE TRIGGER fail BEFORE INSERT ON topic.maintenance_totals FOR EACH ROW EXECUTE FUNCTION fail();
	SELECT topic.produce('a', 'record')});
wait_until('Other DB', q{SELECT FROM topic.maintenance WHERE topic = 'a' AND last_error = 'this topic fails'},
	'an error is shown');
wait_for_roll('Other DB', 'z', 'and does not stop others');
$node->safe_psql('Other DB', 'DROP TRIGGER fail ON topic.maintenance_totals');
wait_for_roll('Other DB', 'a', 'nor the topic when it is gone');
my $log_size = -s $node->logfile;
$node->safe_psql('Other DB', 'ALTER TABLE topic.topics RENAME TO not_topics');
$node->wait_for_log(qr/ERROR:.*topic/, $log_size);
$node->safe_psql('Other DB', 'ALTER TABLE topic.not_topics RENAME TO topics');
wait_for_roll('Other DB', 't', 'a run failed, and the next one did not');
$node->safe_psql('Other DB', "SELECT pg_cancel_backend($pid)");
wait_for_roll('Other DB', 't', 'it was told to cancel what it does');
is($node->safe_psql('postgres', "SELECT pid $workers AND datname = 'Other DB'"),
	$pid, 'all this time it was the same process');

# It stops when it is told to, also in the middle of a step: this one would take
# longer than pg_ctl waits.
my $slow = q{
	CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN PERFORM pg_sleep(3600); RETURN NEW; END $$;
	CREATE TRIGGER wait BEFORE INSERT ON topic.maintenance_totals FOR EACH ROW EXECUTE FUNCTION wait();
	SELECT topic.produce('t', 'record')};
$node->safe_psql('Other DB', $slow);
wait_until('postgres', "SELECT $workers AND datname = 'Other DB' AND wait_event = 'PgSleep'",
	'it is in the middle of a step');
$node->stop('fast');
$node->start;
wait_until('postgres', "SELECT $workers AND datname = 'Other DB' AND wait_event = 'PgSleep'",
	'and again, at once after the start');
$pid = $node->safe_psql('postgres', "SELECT pid $workers AND datname = 'Other DB'");
is($node->safe_psql('Other DB', "SELECT pg_terminate_backend($pid, 10000)"),
	't', 'it can be terminated');
is($node->safe_psql('Other DB', q{
		DROP TRIGGER wait ON topic.maintenance_totals;
		CALL topic.maintain();
		SELECT due FROM topic.maintenance WHERE topic = 't'}),
	'{}', 'what it had begun is done by somebody else');

# Without the server, it ends.
wait_until('postgres', "SELECT $workers AND datname = 'postgres'", 'the other worker is there');
$pid = $node->safe_psql('postgres', "SELECT pid $workers AND datname = 'postgres'");
$node->kill9;
for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
{
	last unless kill 0, $pid;
	select undef, undef, undef, 0.1;
}
ok(!kill(0, $pid), 'it ends when the postmaster is killed');
$node->start;
wait_for_roll('postgres', 't', 'and is there again with it');

# It needs to be preloaded.
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = ''
pg_topic.maintenance_databases = ''
});
$node->restart;
is($node->safe_psql('postgres', "SELECT topic.produce('t', 'record') > 0; SELECT count(*) $workers"),
	"t\n0", 'without preloading there is none');

done_testing();
