# Two-phase commit: a prepared transaction holds what it held before, also
# over a crash, until it is committed or rolled back.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 10');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders', partitions => 2);
	SELECT topic.produce('orders', 'first', partition => 0);
});

my $records = q{SELECT string_agg(record_offset || ' ' || value, ', ' ORDER BY record_offset)
	FROM topic.fetch_text('orders', 0)};
my $offsets = q{SELECT last_stable_offset, high_watermark FROM topic.offsets('orders') WHERE partition = 0};
my $open = 'SELECT partition, pid, prepared_transaction, since IS NOT NULL, first_offset FROM topic.open_producers';

sub run
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

sub sqlstate
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$sql");
	return $err =~ /ERROR:\s+(\w+)/ ? $1 : "no error: $out";
}

# Produce, PREPARE.
run(q{
	BEGIN;
	SELECT topic.produce('orders', 'prepared', partition => 0);
	PREPARE TRANSACTION 'to commit';
	SELECT topic.produce('orders', 'behind', partition => 0);
	SELECT topic.produce('orders', 'beside', partition => 1);
	BEGIN;
	SELECT topic.produce('orders', 'prepared', partition => 0);
	SAVEPOINT s;
	SELECT topic.produce('orders', 'prepared', partition => 0);
	RELEASE s;
	PREPARE TRANSACTION 'to roll back';
});
foreach my $moment ('before a crash', 'after a crash')
{
	is(run($records), '0 first', "prepared records are not read, $moment");
	is(run($offsets), '1|3', "they hold back the last stable offset, $moment");
	is(run($open), "0||to commit|t|1\n0||to roll back|t|3",
		"they are listed as open, $moment");
	next if $moment eq 'after a crash';
	$node->stop('immediate');
	$node->start;
}
is(run(q{SELECT topic.produce('orders', 'last', partition => 0)}),
	'5', 'offsets go on after those of prepared transactions');
run(q{COMMIT PREPARED 'to commit'});
is(run($records), '0 first, 1 prepared, 2 behind', 'committed');
is(run($offsets), '3|6', 'the other one still holds back');
run(q{ROLLBACK PREPARED 'to roll back'});
is(run($records), '0 first, 1 prepared, 2 behind, 5 last', 'rolled back');
is(run($offsets), '6|6', 'nothing is held back');
is(run($open), '', 'nothing is open');

# Consume, commit, PREPARE: the claim is held.
my $consume = q{SELECT string_agg(record_offset::text, ', ')
	FROM topic.consume('group', 'orders', partitions => ARRAY[0], commit => true)};
my $committed = q{SELECT committed_offset FROM topic.committed('group', 'orders') WHERE partition = 0};

run(q{
	CREATE TABLE sink (value text);
	BEGIN;
	INSERT INTO sink SELECT value FROM topic.consume_text('group', 'orders', 2, partitions => ARRAY[0]);
	SELECT * FROM topic.commit('group', 'orders');
	PREPARE TRANSACTION 'consumed';
});
foreach my $moment ('before a crash', 'after a crash')
{
	is(run($consume), '', "a prepared claim is passed over, $moment");
	is(sqlstate(q{SELECT topic.commit('group', 'orders', 0, 1)}),
		'55P03', "and not to be committed under, $moment");
	is(run($committed), '', "its offset is not committed, $moment");
	next if $moment eq 'after a crash';
	$node->stop('immediate');
	$node->start;
}
run(q{COMMIT PREPARED 'consumed'});
is(run($committed), '2', 'its offset is committed');
is(run('SELECT count(*) FROM sink'), '2', 'and the sink with it');

run(q{
	BEGIN;
	INSERT INTO sink SELECT value FROM topic.consume_text('group', 'orders', partitions => ARRAY[0], commit => true);
	PREPARE TRANSACTION 'consumed';
});
is(run($consume), '', 'the next one is passed over');
run(q{ROLLBACK PREPARED 'consumed'});
is(run($committed), '2', 'its offset is not committed');
is(run($consume), '2, 5', 'and others get its records');

done_testing();
