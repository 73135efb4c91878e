# Idempotency keys and counts of attempts go when they are not needed. And
# commits as records of __consumer_offsets: of what has expired, of prepared
# transactions, after a crash.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_prepared_transactions = 10\n");
$node->start;
$node->safe_psql('postgres', $_) for (
	'CREATE EXTENSION pg_topic',
	'CREATE ROLE alice LOGIN',
	q{SELECT topic.create_topic('t')},
	q{SELECT topic.produce('t', 'v') FROM generate_series(1, 2)});

sub set_retention
{
	my ($seconds) = @_;
	$node->append_conf('postgresql.conf', "pg_topic.offsets_retention = $seconds\n");
	$node->reload;
	# The library is not loaded there, so that there is no unit.
	$node->poll_query_until('postgres', "SELECT current_setting('pg_topic.offsets_retention', true) = '$seconds'")
	  or die 'pg_topic.offsets_retention was not set';
	return;
}

# Idempotency keys and attempts; more than one transaction deletes.
$node->safe_psql('postgres', q{
	INSERT INTO topic.idempotency_keys SELECT 'g1', i, now() - interval '1 second' FROM generate_series(1, 25000) i;
	SELECT topic.first_time('g1', 'remembered');
	SELECT topic.dead_letter('g1', 't', 0, o, 'failed', max_attempts => 3) FROM generate_series(0, 1) o;
	SELECT topic.commit('g1', 't', 0, 1)});
# Whose they are does not matter.
$node->safe_psql('postgres', 'SET ROLE alice; CALL topic.maintain()');
is($node->safe_psql('postgres', 'SELECT idempotency_key FROM topic.idempotency_keys'), 'remembered', 'expired keys');
is($node->safe_psql('postgres', 'SELECT record_offset FROM topic.failed_attempts'), '1',
	'attempts at records that the group has gone past');

# Records of __consumer_offsets
$node->safe_psql('postgres', q{SELECT topic.delete_group('g1')});
$node->safe_psql('postgres', 'ALTER DATABASE postgres SET pg_topic.offsets_topic = on');

sub recorded
{
	return $node->safe_psql('postgres', q{
		SELECT string_agg(convert_from(substr(key, 5, get_byte(key, 3)), 'UTF8') || ' ' ||
			COALESCE(get_byte(value, 9)::text, '-'), ', ' ORDER BY partition, record_offset)
		FROM topics.__consumer_offsets});
}
my ($result, $output, $errors) = $node->psql('postgres',
	q{BEGIN; SELECT topic.commit('g', 't', 0, 1); PREPARE TRANSACTION 'p'});
like($errors, qr/cannot prepare a transaction that creates topic/, 'the topic is not in a prepared transaction');
$node->safe_psql('postgres', q{SELECT topic.commit('g', 't', 0, 1)});
is(recorded(), 'g 1', 'set for a database');
set_retention(60);
$node->safe_psql('postgres', q{SELECT topic.dead_letter('g', 't', 0, 1, 'failed', max_attempts => 3)});
$node->safe_psql('postgres', q{UPDATE topic.consumer_offsets SET committed_at = committed_at - interval '1 hour'});
# Nobody is waited for who is just deleting the group or the topic.
for my $deletion (q{topic.delete_group('g')}, q{topic.drop_topic('t')})
{
	$node->safe_psql('postgres', "BEGIN; SELECT $deletion; PREPARE TRANSACTION 'd'");
	$node->safe_psql('postgres', q{SET statement_timeout = '60s'; CALL topic.maintain()});
	$node->safe_psql('postgres', q{ROLLBACK PREPARED 'd'});
}
is(recorded(), 'g 1', 'what somebody else is deleting');
$node->safe_psql('postgres', q{CALL topic.maintain()});
is(recorded(), 'g 1, g -', 'a group that has expired');
is($node->safe_psql('postgres', 'SELECT count(*) FROM topic.failed_attempts'), '0', 'its attempts');
set_retention(-1);
$node->safe_psql('postgres', q{
	BEGIN;
	SELECT topic.commit('g', 't', 0, 1);
	SELECT topic.commit('g', 't', 0, 2);
	PREPARE TRANSACTION 'p'});
is(recorded(), 'g 1, g -', 'a prepared transaction');
$node->stop('immediate');
$node->start;
is(recorded(), 'g 1, g -', 'after a crash');
$node->safe_psql('postgres', q{COMMIT PREPARED 'p'});
is(recorded(), 'g 1, g -, g 2', 'committed');
is($node->safe_psql('postgres', 'SELECT group_id, committed_offset FROM topic.consumer_offsets'), 'g|2',
	'as the table says');

$node->stop;
done_testing();
