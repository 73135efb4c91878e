# Maintenance is the same under settings that are meant for users' transactions,
# and keeps within those of the server.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'pg_topic'
pg_topic.maintenance_databases = 'readers'
pg_topic.maintenance_interval = 1
log_statement = none
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', segment_bytes => 1);
	SELECT topic.create_topic('old', partitions => 1000);
});

my $reader = Session->new($node);
my $maintainer = Session->new($node);

# Of a SERIALIZABLE session's maintenance nothing is left that others could
# conflict with.
$reader->query('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM topic.groups');
$maintainer->query(q{
	SET client_min_messages = warning;
	SET default_transaction_isolation = 'serializable'});
$node->safe_psql('postgres', q{SELECT topic.produce('orders', 'x')});
is($maintainer->query('CALL topic.maintain()'), '', 'maintenance by default SERIALIZABLE');
is($reader->query(q{SELECT count(*) FROM pg_locks
		WHERE mode = 'SIReadLock' AND relation::regclass::text ~ '^topic[.]'
		AND relation <> 'topic.groups'::regclass}),
	'0', 'maintenance reads nothing that SERIALIZABLE consumers could conflict with');
is($maintainer->query('SHOW transaction_isolation'), 'serializable', 'what follows is SERIALIZABLE again');
$reader->query('COMMIT');

# A roll holds every append lock to its commit, and that waits for no standby.
$node->safe_psql('postgres', q{SELECT topic.produce('orders', 'x')});
$node->append_conf('postgresql.conf', q{
synchronous_standby_names = 'nobody'
pg_topic.offsets_retention = '1d'
});
$node->reload;
$node->poll_query_until('postgres', q{SELECT setting <> '' FROM pg_settings WHERE name = 'synchronous_standby_names'})
	or die 'synchronous_standby_names is not set';

# The checkpointer tells that there is somebody to wait for.
$node->safe_psql('postgres', 'CHECKPOINT');
$maintainer->query(q{SET statement_timeout = '60s'});
my $segments = 'SELECT count(*) FROM topic.segments WHERE sealed_at IS NOT NULL';
my $sealed = $node->safe_psql('postgres', $segments);
is($maintainer->query('CALL topic.maintain()'), '', 'maintenance does not wait for a synchronous standby');
cmp_ok($node->safe_psql('postgres', $segments), '>', $sealed, 'though it has rolled a segment');
is($maintainer->query('SHOW synchronous_commit'), 'on', 'what follows does');
$node->append_conf('postgresql.conf', q{synchronous_standby_names = ''});
$node->reload;
$node->poll_query_until('postgres', q{SELECT setting = '' FROM pg_settings WHERE name = 'synchronous_standby_names'})
	or die 'synchronous_standby_names is still set';

# More offsets expire at once than the lock table has room for.
$node->safe_psql('postgres', q{
	INSERT INTO topic.groups (group_id, owner)
	SELECT 'group' || g, CURRENT_USER::regrole FROM generate_series(1, 20) g;
	INSERT INTO topic.consumer_offsets (group_id, topic, partition, commit_number, committed_offset, committed_at)
	SELECT 'group' || g, 'old', p, 1, 0, now() - interval '2 days'
	FROM generate_series(1, 20) g, generate_series(0, 999) p;
	UPDATE topic.consumer_offsets SET committed_at = now() WHERE group_id = 'group7' AND partition = 7;
});
is($maintainer->query('CALL topic.maintain()'), '', 'maintenance deletes any number of expired offsets');
is($node->safe_psql('postgres', 'SELECT DISTINCT group_id FROM topic.consumer_offsets'),
	'group7', 'and keeps those of a group that is at work');

$_->quit foreach $reader, $maintainer;

# A database for readers: maintenance writes nevertheless.
$node->safe_psql('postgres', q{CREATE DATABASE readers});
$node->safe_psql('readers', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', segment_bytes => 1);
	SELECT topic.produce('orders', 'x');
	ALTER DATABASE readers SET default_transaction_read_only = on;
	ALTER DATABASE readers SET default_transaction_isolation = 'serializable';
});
$node->restart;
ok($node->poll_query_until('readers', q{SELECT rolled > 0 FROM topic.maintenance}),
	'a worker maintains a database whose transactions are read-only by default');
unlike(slurp_file($node->logfile), qr/read-only transaction/, 'and gets no error');

done_testing();
