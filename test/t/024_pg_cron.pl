# Maintenance by pg_cron, where pg_topic is not preloaded: docs/operations.md.
#
# pg_cron runs a job at most once a minute (seconds came with 1.5; Debian 12 has
# 1.4), so this takes a minute, once for both ways in which it runs jobs.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($directory) = run_command([ 'pg_config', '--sharedir' ]);
plan skip_all => 'there is no pg_cron here'
  unless -e "$directory/extension/pg_cron.control";

# By connections of its own, which is the default, and by background workers.
my %nodes;
foreach my $workers ('off', 'on')
{
	my $node = PostgreSQL::Test::Cluster->new("workers_$workers");
	my $host = $node->host;

	$node->init;
	$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'pg_cron'
cron.host = '$host'
cron.use_background_workers = $workers
autovacuum = off
});
	$node->start;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION pg_topic;
		CREATE EXTENSION pg_cron;
		SELECT topic.create_topic('t', retention => '1 day', segment_bytes => 1);
		SELECT topic.produce('t', 'old', record_timestamp => '2024-01-01');
		SELECT cron.schedule('maintain topics', '* * * * *', 'CALL topic.maintain()');
	});
	$nodes{$workers} = $node;
}

foreach my $workers ('off', 'on')
{
	my $node = $nodes{$workers};

	ok($node->poll_query_until('postgres', 'SELECT dropped = 1 FROM topic.maintenance'),
		"a segment is dropped, background workers $workers");
	is($node->safe_psql('postgres', 'SELECT rolled, retired, dropped, last_error, due FROM topic.maintenance'),
		'1|1|1||{}', 'which was rolled and retired before');
	ok($node->poll_query_until('postgres', "SELECT bool_and(status = 'succeeded') FROM cron.job_run_details"),
		'the job succeeds');
	is($node->safe_psql('postgres', 'SELECT DISTINCT status, return_message FROM cron.job_run_details'),
		'succeeded|CALL', 'and has done it');
	$node->stop;
}

done_testing();
