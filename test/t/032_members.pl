# Members of two groups that come, go, fall silent and are killed, all at once;
# members.py says what is checked.
#
# Takes half a minute, with 10 members of a group at a time; or
# PG_TOPIC_STRESS_SECONDS and some, with 20: see ../stress.sh.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Workload;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_buffers = 64MB
max_connections = 100
log_statement = none
autovacuum_naptime = 1s
restart_after_crash = on
});
$node->start;

Workload->start_program('members.py', $node, '--kill',
	'--members', $ENV{PG_TOPIC_STRESS_SECONDS} ? 20 : 10,
	'--seconds', $ENV{PG_TOPIC_STRESS_SECONDS} || 12)->finish;
done_testing();
