# Crashes while producers and consumers are at work: of a backend by kill -9,
# of the server by an immediate shutdown, and of all of its processes at once
# by kill -9. workload.py goes on after each and checks at the end that every
# acknowledged record is there once, and that the sink equals the log.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Crash;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use Workload;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_buffers = 64MB
max_connections = 50
max_pred_locks_per_transaction = 512
log_statement = none
autovacuum_naptime = 1s
restart_after_crash = on
});
$node->start;

# Kill a backend of the workload; the server restarts by itself.
sub kill_backend
{
	my ($who) = @_;
	my ($status, $pid) = $node->psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE application_name ~ '^$who' ORDER BY random() LIMIT 1");

	Crash::kill_backend($pid);
	return;
}

sub stop_immediately
{
	$node->stop('immediate');
	$node->start;
	return;
}

my $workload = Workload->start($node, '--disturb', 'vacuum', 'roll');
my @crashes = (
	sub { kill_backend('producer') },
	sub { Crash::kill_server($node) },
	sub { kill_backend('consumer') },
	sub { stop_immediately() },
	sub { kill_backend('roll') },
	sub { Crash::kill_server($node) });

foreach my $crash (@crashes)
{
	sleep 2;
	$crash->();
	ok(Crash::is_back($node), 'the server is back');
}
sleep 2;
$workload->finish;
done_testing();
