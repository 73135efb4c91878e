# Runs a program in Python against a node, and reports its tests as ours.
package Workload;

use strict;
use warnings;

use File::Basename;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

# Debian's Python, which has psycopg2; another one may come first in the path.
my $python = $ENV{PYTHON} // (-x '/usr/bin/python3' ? '/usr/bin/python3' : 'python3');

# Start the workload, with these arguments. Without --seconds it runs until
# finish().
sub start
{
	my ($class, $node, @arguments) = @_;

	return $class->start_program('workload.py', $node, @arguments);
}

# The same for another program of this directory.
sub start_program
{
	my ($class, $program, $node, @arguments) = @_;
	my $self = bless { in => '', out => '', err => '' }, $class;

	$self->{process} = IPC::Run::start(
		[ $python, dirname(__FILE__) . "/$program", '--dsn', $node->connstr('postgres'), @arguments ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	return $self;
}

# Let it come to its end, and report.
sub finish
{
	my ($self) = @_;

	$self->{in} .= "stop\n";
	my $succeeded = eval { $self->{process}->finish };
	my $passed = 1;
	foreach my $line (split /\n/, $self->{out})
	{
		if ($line =~ /^(not )?ok \d+ - (.*)/)
		{
			$passed = ok(!$1, $2);
		}
		elsif ($line =~ /^#\s?(.*)/)
		{
			# What follows a failed test says why it failed.
			$passed ? note($1) : diag($1);
		}
	}

	# What libpq prints of connections that are not yet the program's.
	$self->{err} =~ s/^WARNING:  terminating connection because of crash .*\n(DETAIL|HINT):.*\n(HINT:.*\n)?//mg;
	is($self->{err}, '', 'the workload ran');
	ok($succeeded, 'to its end');
	return;
}

1;
