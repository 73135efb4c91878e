# Offsets of groups that nobody uses any more, by pg_topic.offsets_retention,
# which is the server's.
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
session_preload_libraries = 'pg_topic'
autovacuum = off
});
$node->start;

# The offsets of each group in the two topics, and how old they are.
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	SELECT topic.create_topic(t, 2) FROM unnest(ARRAY['a', 'b']) t;
	SELECT topic.produce(t, 'v', partition => p) FROM unnest(ARRAY['a', 'b']) t, generate_series(0, 1) p;
	SELECT topic.commit(g, t, p, 1)
	FROM unnest(ARRAY['idle', 'at work', 'claimed', 'alices']) g, unnest(ARRAY['a', 'b']) t, generate_series(0, 1) p;
	UPDATE topic.groups SET owner = 'alice' WHERE group_id = 'alices';
	UPDATE topic.consumer_offsets SET committed_at = now() - interval '2 days'
	WHERE NOT (group_id = 'at work' AND topic = 'a' AND partition = 0);
});

sub offsets
{
	return $node->safe_psql('postgres', q{
		SELECT string_agg(group_id || ':' || n, ', ' ORDER BY group_id)
		FROM (SELECT group_id, count(*) AS n FROM topic.consumer_offsets GROUP BY 1) o});
}

my ($status, $output, $error) = $node->psql('postgres', q{ALTER SYSTEM SET pg_topic.offsets_retention = '0'});
like($error, qr/invalid value for parameter "pg_topic.offsets_retention": 0/, 'nobody can have all offsets deleted by a slip');

my $all = 'alices:4, at work:4, claimed:4, idle:4';
$node->safe_psql('postgres', 'CALL topic.maintain()');
is(offsets(), $all, 'by default offsets are kept');
$node->append_conf('postgresql.conf', q{pg_topic.offsets_retention = '3d'});
$node->restart;
$node->safe_psql('postgres', 'CALL topic.maintain()');
is(offsets(), $all, 'and while they are not old enough');

$node->append_conf('postgresql.conf', q{pg_topic.offsets_retention = '1d'});
$node->reload;
my $consumer = Session->new($node);
ok($node->poll_query_until('postgres', q{SELECT setting = '86400' FROM pg_settings WHERE name = 'pg_topic.offsets_retention'}),
	'the setting is reloaded');
is($consumer->query(q{BEGIN; SELECT count(*) FROM topic.reset_offsets('claimed', 'a', 'latest', partitions => ARRAY[1])}),
	'1', 'somebody works in a partition');
$node->safe_psql('postgres', 'CALL topic.maintain()', extra_params => [ '-U', 'bob' ]);
is(offsets(), $all, 'maintenance by another role is not for these groups');
$node->safe_psql('postgres', 'CALL topic.maintain()', extra_params => [ '-U', 'alice' ]);
is(offsets(), 'at work:4, claimed:4, idle:4', 'the owner of a group is who may forget it');
$node->safe_psql('postgres', 'CALL topic.maintain()');
is(offsets(), 'at work:4, claimed:1',
	'old offsets are deleted, of groups that have committed nothing since');
is($consumer->query('COMMIT'), '', 'who had the claim goes on');
is($node->safe_psql('postgres', 'SELECT string_agg(group_id, \', \' ORDER BY group_id) FROM topic.groups'),
	'alices, at work, claimed, idle', 'the groups stay');
is($node->safe_psql('postgres', q{SELECT min(record_offset), max(record_offset), count(*) FROM topic.consume('idle', 'a')}),
	'0|0|2', 'an expired group begins anew');

# Time that the server was not there does not count.
$node->safe_psql('postgres', q{
	SELECT FROM topic.join_group('asleep', ARRAY['a'], 'm', session_timeout => '1 hour');
	UPDATE topic.member_heartbeats SET heartbeat_at = heartbeat_at - interval '2 hours';
	UPDATE topic.group_members SET joined_at = joined_at - interval '2 hours';
	CALL topic.maintain();
	SELECT topic.leave_group('asleep', 'm');
	SELECT topic.delete_group('asleep')});
pass('a member that was last heard of before the server started is still there');

# Members that have timed out, of a group that is just being deleted
$node->safe_psql('postgres', q{
	SELECT FROM topic.join_group('gone', ARRAY['a'], 'm', session_timeout => '1 ms');
	SELECT pg_sleep(0.1)});
is($consumer->query(q{BEGIN; SELECT topic.delete_group('gone')}), '', 'a group is being deleted');
$node->safe_psql('postgres', q{SET lock_timeout = '10s'; CALL topic.maintain()});
pass('maintenance does not wait for that');
is($consumer->query(q{COMMIT; SELECT count(*) FROM topic.group_members}), '0',
	'and it leaves nothing of the group');

$consumer->quit;
done_testing();
