# A thousand topics cost a thousand times what one costs, and no more: what is
# done to a topic, or a row of a view, looks at as many buffers with many topics
# as with few; so with many partitions. A session keeps some memory for each topic
# that it uses, and nothing for those that it has made or dropped.
#
# PG_TOPIC_TOPICS=1000 PG_TOPIC_PARTITIONS=16 for the full size.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $many = $ENV{PG_TOPIC_TOPICS} // 120;
my $partitions = $ENV{PG_TOPIC_PARTITIONS} // 4;
my $few = int $many / 4;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', qq{
autovacuum = off
log_statement = none
max_connections = 10
max_locks_per_transaction = @{[ 20 + $many ]}
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');
my $session = Session->new($node);

# How many buffers a statement looks at, and what it returns.
sub cost
{
	my ($sql) = @_;
	my $plan = decode_json($session->query("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) $sql"))->[0]{Plan};

	return $plan->{'Shared Hit Blocks'} + $plan->{'Shared Read Blocks'};
}

# Bytes that a session has.
sub memory
{
	my ($session) = @_;
	return $session->query('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
}

# What is done to one more topic; and to all of them, which is counted for each.
my %one = (
	'1 create' => "SELECT topic.create_topic('new', partitions => $partitions)",
	'2 produce' => "SELECT topic.produce('new', 'value')",
	'3 send' => "SELECT topic.send('new', 'value')",
	'4 consume' => "SELECT count(*) FROM topic.consume('group', 'new', commit => true)",
	'5 select' => 'SELECT * FROM topics.new',
	'6 lag' => "SELECT * FROM topic.lag WHERE topic = 'new'",
	'7 join' => "SELECT * FROM topic.join_group('members', ARRAY['new'], 'm')",
	'8 poll' => "SELECT * FROM topic.poll('members', 'm', commit => true)",
	'9 drop' => "SELECT topic.drop_topic('new')");
my %all = map { $_ => "SELECT * FROM topic.$_" }
	qw(lag open_producers claims partition_stats topic_stats maintenance);
my %costs;

my $count = 0;
foreach my $number ($few, $many)
{
	for (; $count < $number; $count++)
	{
		$session->query("SELECT topic.create_topic('t$count', partitions => $partitions)");
		$session->query("SELECT count(topic.produce('t$count', 'value', partition => p)) FROM generate_series(0, $partitions - 1) p");
		$session->query("SELECT count(*) FROM topic.consume('group', 't$count', commit => true)");
	}
	$session->query('VACUUM ANALYZE');
	$session->query($all{$_}) foreach keys %all;
	$costs{$number}{$_} = cost($all{$_}) / $number foreach keys %all;
	$costs{$number}{$_} = cost($one{$_}) foreach sort keys %one;
	$session->query("SELECT topic.leave_group('members', 'm')");
}
foreach my $what (sort keys %{ $costs{$many} })
{
	note(sprintf "%s: %.0f and %.0f buffers", $what, $costs{$few}{$what}, $costs{$many}{$what});
	cmp_ok($costs{$many}{$what}, '<', 1.3 * $costs{$few}{$what} + 60,
		"$what: costs as much with $many topics as with $few");
}

# One transaction, or one member, for all topics.
my $topics = "generate_series(0, $many - 1) t";
my $user = Session->new($node);
my $before = memory($user);
is($user->query("SELECT count(topic.produce('t' || t, 'value', partition => 0)) FROM $topics"),
	$many, 'a transaction produces to all topics');
is($user->query("SELECT count(topic.send('t' || t, 'value', partition => p)::text) FROM $topics, generate_series(0, $partitions - 1) p"),
	$many * $partitions, 'one sends to all partitions');
is($user->query("SELECT count(*) FROM $topics, topic.consume('group', 't' || t, commit => true)"),
	$many * ($partitions + 1), 'one consumes all of that');
$user->query("SELECT count(*) FROM topic.join_group('all', (SELECT array_agg('t' || t) FROM $topics), 'm')");
is($user->query(q{SELECT count(*) FROM topic.poll('all', 'm', 1000000, commit => true)}),
	$many * (2 * $partitions + 1), 'a member of all of them polls everything');
is($user->query('CALL topic.maintain()'), '', 'maintenance comes by each');
my $each = (memory($user) - $before) / $many / 1024;
note(sprintf '%.0f KB for each topic', $each);
cmp_ok($each, '<', 80, 'the session has kept some memory for each');

sub make_and_drop
{
	for my $n (1 .. 40)
	{
		$user->query("SELECT topic.create_topic('made')");
		$user->query("SELECT topic.produce('made', 'value')");
		$user->query("SELECT count(*) FROM topic.consume('group', 'made', commit => true)");
		$user->query("SELECT topic.drop_topic('made')");
	}
	return memory($user);
}
make_and_drop();
$before = make_and_drop();
cmp_ok(make_and_drop() - $before, '<', 64 * 1024, 'it keeps none for topics that are gone');

# More locks than there is room for.
my $wide = 8 + int $many / 20;
my ($status, $out, $err) = $node->psql('postgres', qq{
	SELECT topic.create_topic('wide' || i, partitions => 1000) FROM generate_series(1, $wide) i;
	BEGIN;
	SELECT count(topic.commit('locks', 'wide' || i, p, 0)) FROM generate_series(1, $wide) i, generate_series(0, 999) p;
	COMMIT;
	SELECT topic.produce('wide1', 'value', partition => 0)}, on_error_stop => 0);
like($err, qr/ERROR:  out of shared memory\n.*max_locks_per_transaction/, 'out of locks: an error that says what to do');
is(($out =~ /(\d+)\s*\z/)[0], '0', 'after which the session goes on');

# Views with many partitions.
foreach my $number (100, 800)
{
	$session->query("SELECT topic.create_topic('wide', partitions => $number)");
	$session->query("SELECT count(topic.produce('wide', 'value', partition => p)) FROM generate_series(0, $number - 1) p");
	$session->query("SELECT count(*) FROM topic.consume('group', 'wide', commit => true)");
	$costs{$number}{$_} = cost("SELECT * FROM topic.$_ WHERE topic = 'wide'") foreach keys %all;
	$session->query("SELECT topic.drop_topic('wide')");
}
foreach my $what (sort keys %all)
{
	# Indexes have a level more.
	cmp_ok($costs{800}{$what}, '<', 20 * $costs{100}{$what} + 100,
		"$what: does not cost the square of the partitions");
}
$_->quit foreach $user, $session;
done_testing();
