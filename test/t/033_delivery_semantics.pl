# At most once, at least once, exactly once: which records are lost, and which
# are repeated, when a consumer dies after each of its steps.
#
# A partition has the records A, B and C. A consumer takes A and B, and its
# connection is terminated after one of its steps; then another one takes its
# place and takes what is left. What was processed by then is in a table, in
# order.
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
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	SELECT topic.create_topic('orders');
	SELECT topic.produce('orders', v) FROM unnest(ARRAY['A', 'B', 'C']) v;
	CREATE TABLE processed (number serial, group_id text, value text);
});

# What a consumer does again and again. %g is the group, %m the member. 'process'
# is done outside of the transaction, with what the step 'poll' or 'consume'
# returned. `processed` is what has been processed in the end if the consumer
# died after that step.
my @all = (
	{
		name => 'member, at most once',
		steps => [
			begin => 'BEGIN' => 'A B C',
			poll => q{SELECT value FROM topic.poll_text('%g', '%m', 2, commit => true)} => 'A B C',
			commit => 'COMMIT' => 'C',		# A and B are lost
			process => undef, 'A B C'
		]
	},
	{
		name => 'member, at least once',
		steps => [
			poll => q{SELECT value FROM topic.poll_text('%g', '%m', 2)} => 'A B C',
			process => undef, 'A B A B C',	# A and B are repeated
			begin => 'BEGIN' => 'A B A B C',
			offsets => q{SELECT FROM topic.commit_polled('%g', '%m')} => 'A B A B C',
			commit => 'COMMIT' => 'A B C'
		]
	},
	{
		name => 'member, at least once, explicit offsets',
		steps => [
			poll => q{SELECT value FROM topic.poll_text('%g', '%m', 2)} => 'A B C',
			process => undef, 'A B A B C',
			offset => q{SELECT topic.commit('%g', 'orders', 0, 2, member_id => '%m')} => 'A B C'
		]
	},
	{
		# The next poll commits what this one returned.
		name => 'member, automatic commit',
		auto => 1,
		steps => [
			poll => q{SELECT value FROM topic.poll_text('%g', '%m', 2)} => 'A B C',
			process => undef, 'A B A B C',
			begin => 'BEGIN' => 'A B A B C',
			next => q{SELECT value FROM topic.poll_text('%g', '%m', 2)} => 'A B A B C',
			commit => 'COMMIT' => 'A B C'
		]
	},
	{
		name => 'member, exactly once',
		steps => [
			begin => 'BEGIN' => 'A B C',
			sink => q{INSERT INTO processed (group_id, value)
				SELECT '%g', value FROM topic.poll_text('%g', '%m', 2)} => 'A B C',
			offsets => q{SELECT FROM topic.commit_polled('%g', '%m')} => 'A B C',
			commit => 'COMMIT' => 'A B C'
		]
	},
	{
		name => 'claims, at most once',
		steps => [
			begin => 'BEGIN' => 'A B C',
			consume => q{SELECT value FROM topic.consume_text('%g', 'orders', 2, commit => true)} => 'A B C',
			commit => 'COMMIT' => 'C',
			process => undef, 'A B C'
		]
	},
	{
		name => 'claims, at least once',
		steps => [
			consume => q{SELECT value FROM topic.consume_text('%g', 'orders', 2)} => 'A B C',
			process => undef, 'A B A B C',
			offset => q{SELECT topic.commit('%g', 'orders', 0, 2)} => 'A B C'
		]
	},
	{
		name => 'claims, exactly once',
		steps => [
			begin => 'BEGIN' => 'A B C',
			sink => q{INSERT INTO processed (group_id, value)
				SELECT '%g', value FROM topic.consume_text('%g', 'orders', 2)} => 'A B C',
			offsets => q{SELECT FROM topic.commit('%g', 'orders')} => 'A B C',
			commit => 'COMMIT' => 'A B C'
		]
	});

sub process
{
	my ($group, $values) = @_;

	$node->safe_psql('postgres', qq{
		INSERT INTO processed (group_id, value)
		SELECT '$group', v FROM string_to_table('$values', E'\\n') v});
	return;
}

# The SQL of a step, for a group and a member.
sub step_sql
{
	my ($sql, $group, $member) = @_;

	$sql =~ s/%g/$group/g;
	$sql =~ s/%m/$member/g if defined $member;
	return $sql;
}

# A member takes the place of the one before at once, as both have the same
# instance_id.
sub join_group
{
	my ($session, $group, $member, $semantics) = @_;
	my $interval = $semantics->{auto} ? q{'0'} : 'NULL';

	$session->query(qq{
		SELECT FROM topic.join_group('$group', ARRAY['orders'], '$member', 'instance',
			auto_commit_interval => $interval)}) if $semantics->{name} =~ /member/;
	return;
}

# Work, until that step is done.
sub work_until
{
	my ($session, $group, $semantics, $last) = @_;
	my @steps = @{ $semantics->{steps} };
	my $batch = '';

	while (my ($name, $sql) = splice(@steps, 0, 3))
	{
		if ($name eq 'process')
		{
			process($group, $batch) if $batch ne '';
		}
		else
		{
			my $result = $session->query(step_sql($sql, $group, 'first'));
			die $result if $result =~ /ERROR/;
			$batch = $result if $name eq 'poll' || $name eq 'consume';
		}
		return if $name eq $last;
	}
	return;
}

# Go on as whoever comes after, at what is committed. How does not matter.
sub drain
{
	my ($session, $group, $semantics) = @_;
	my $call = $semantics->{name} =~ /member/ ? q{poll_text('%g', 'second'}
	  : q{consume_text('%g', 'orders'};

	join_group($session, $group, 'second', $semantics);
	my $result = $session->query(step_sql(qq{INSERT INTO processed (group_id, value)
		SELECT '%g', value FROM topic.$call, commit => true)}, $group));
	die $result if $result =~ /ERROR/;
	return;
}

my $number = 0;
foreach my $semantics (@all)
{
	my @steps = @{ $semantics->{steps} };
	while (my ($last, undef, $expected) = splice(@steps, 0, 3))
	{
		my $group = 'g' . $number++;
		my $first = Session->new($node);
		my $pid = $first->pid;
		join_group($first, $group, 'first', $semantics);
		work_until($first, $group, $semantics, $last);
		$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
		$first->quit;

		my $second = Session->new($node);
		drain($second, $group, $semantics);
		$second->quit;
		is( $node->safe_psql('postgres', qq{
				SELECT string_agg(value, ' ' ORDER BY number) FROM processed
				WHERE group_id = '$group'}),
			$expected, "$semantics->{name}: killed after step '$last'");
	}
}
done_testing();
