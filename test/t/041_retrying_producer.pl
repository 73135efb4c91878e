# Producers that try again: by the sequences of an idempotent producer, as a new
# process that fences the one before, and by idempotency keys. They kill
# themselves and the server processes of their connections, and the whole server
# is killed, at random moments. Each record must be there once, and in order;
# retrying_producer.py says what the producers do.
use strict;
use warnings;

use File::Basename;
use FindBin;
use lib $FindBin::RealBin;
use Crash;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_buffers = 32MB
restart_after_crash = on
});
$node->start;
$node->safe_psql('postgres', q{CREATE EXTENSION pg_topic});
$node->safe_psql('postgres', q{SELECT topic.create_topic('t', 2)});

my $python = $ENV{PYTHON} // (-x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3');
my $program = dirname(__FILE__) . '/retrying_producer.py';
my $directory = PostgreSQL::Test::Utils::tempdir;
my $records = 250;
my $start = time;

# Run a producer until it has produced everything, in a process of its own.
# That exits with the number of times that the producer was killed, or 255.
sub run_producer
{
	my ($mode) = @_;
	my $pid = fork // die "cannot fork: $!";
	return $pid if $pid;

	my $deaths = 0;
	while (time - $start < 240)
	{
		system($python, $program, '--dsn', $node->connstr('postgres'), '--name', $mode, '--mode', $mode,
			'--records', $records, '--journal', "$directory/$mode");
		POSIX::_exit($deaths > 250 ? 250 : $deaths) if $? == 0;
		last unless ($? & 127) == 9;
		$deaths++;
	}
	POSIX::_exit(255);
}

my %producers = map { run_producer($_) => $_ } ('journal', 'takeover', 'key');
foreach (1 .. 4)
{
	sleep 1 + rand(1.5);
	Crash::kill_server($node);
}
while (%producers)
{
	my $pid = waitpid(-1, 0);
	last if $pid < 0;
	my $mode = delete $producers{$pid} or next;
	isnt($? >> 8, 255, "producer '$mode' has come to its end");
	note("'$mode' was killed ", $? >> 8, ' times');
}
ok(Crash::is_back($node), 'the server is back');

for my $mode ('journal', 'takeover', 'key')
{
	for my $partition (0, 1)
	{
		is($node->safe_psql('postgres', qq{
				SELECT count(*), count(DISTINCT value), bool_and(value = '$mode/$partition/' || n - 1)
				FROM (SELECT value, row_number() OVER (ORDER BY record_offset) AS n FROM topics.t
					WHERE partition = $partition AND value LIKE '$mode/%') r}),
			"$records|$records|t", "$mode: each record of partition $partition once, in order");
	}
}
is($node->safe_psql('postgres', q{CALL topic.maintain();
		SELECT count(*) FROM topic.producer_states s WHERE NOT EXISTS (SELECT FROM topic.producers p
			WHERE p.producer_id = s.producer_id AND p.producer_epoch = s.producer_epoch)}),
	'0', 'states of epochs that are over are deleted');

$node->stop;
done_testing();
