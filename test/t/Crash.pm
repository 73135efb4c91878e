# Crashes of a server.
package Crash;

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep);

# Kill all processes of the server and start it again. The postmaster is
# stopped first, so that it does not notice the death of its children and begin
# to recover.
sub kill_server
{
	my ($node) = @_;
	my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');

	kill 'STOP', $postmaster;
	my @children = split ' ', `ps -o pid= --ppid $postmaster`;
	kill 'KILL', @children;
	$node->kill9;

	# The shared memory is in use until the last of them is gone.
	sleep 0.1 while grep { kill 0, $_ } $postmaster, @children;
	$node->start;
	return;
}

# Kill a server process, if there is one. Returns when the postmaster knows: until
# then it accepts connections, which end when it does.
sub kill_backend
{
	my ($pid) = @_;

	return unless $pid;
	kill 'KILL', $pid;
	sleep 0.01 while kill 0, $pid;
	return;
}

# Does a server that restarts by itself accept connections again? That psql
# ends before it has read its input makes IPC::Run die.
sub is_back
{
	my ($node) = @_;

	foreach (1 .. 600)
	{
		my $status = eval { $node->psql('postgres', 'SELECT true') };
		return 1 if defined $status && $status == 0;
		sleep 0.1;
	}
	return 0;
}

1;
