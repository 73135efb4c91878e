# Producers, consumers, maintenance, VACUUM, REINDEX, segment switches, more
# partitions, pg_terminate_backend, and processes that get no processor, all at
# once; workload.py says what is checked at the end.
#
# Takes half a minute, or PG_TOPIC_STRESS_SECONDS; see ../stress.sh.
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
max_connections = 50
max_pred_locks_per_transaction = 512
log_statement = none
autovacuum_naptime = 1s
});
$node->start;

Workload->start($node, '--seconds', $ENV{PG_TOPIC_STRESS_SECONDS} || 30)->finish;
done_testing();
