# Producers and consumers go on while two sessions run maintenance in a loop:
# segments are rolled, rewritten, retired and dropped under them, partitions
# added, and topics created and dropped. workload.py says what is checked.
#
# Nobody terminates or stops anybody here and nobody locks tables, so an error,
# if only that a lock was not to be had soon, is a failure. 002_stress.pl has it
# all.
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

Workload->start($node, '--seconds', 12, '--lock-timeout', 10, '--disturb', 'maintain', 'grow')->finish;
done_testing();
