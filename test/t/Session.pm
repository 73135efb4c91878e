# A psql session that stays open: for tests in which one session holds a
# transaction while others go on.
#
#	my $producer = Session->new($node);
#	$producer->query('BEGIN');
#	is($producer->query("SELECT topic.produce('orders', 'A')"), '0');
#
# (background_psql of PostgreSQL::Test::Cluster would do, but its interface
# changed in PostgreSQL 16.)
package Session;

use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Utils;

sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '' }, $class;
	my @psql = (
		'psql', '--no-psqlrc', '--quiet', '--no-align', '--tuples-only',
		'--set', 'VERBOSITY=sqlstate', '--dbname',
		$node->connstr($options{dbname} // 'postgres'));

	$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$self->{psql} = IPC::Run::start(\@psql, '<', \$self->{in}, '>',
		\$self->{out}, '2>', \$self->{err}, $self->{timer});
	return $self;
}

# Run SQL; returns its rows. An error is in the result as "ERROR:  SQLSTATE".
sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->receive;
}

# The same in two steps, for statements that wait.
sub send
{
	my ($self, $sql) = @_;

	$self->{timer}->start;
	$self->{out} = '';
	$self->{err} = '';
	$self->{in} .= "$sql\n;\n\\echo -- done --\n\\warn -- done --\n";
	$self->{psql}->pump_nb;
	return;
}

sub receive
{
	my ($self) = @_;

	# psql ends when it loses its connection.
	eval {
		$self->{psql}->pump
		  until $self->{out} =~ /^-- done --\n/m && $self->{err} =~ /^-- done --\n/m;
	} or $@ =~ /^process ended/ or die $@;
	my $result = $self->{err} . $self->{out};
	$result =~ s/^-- done --\n//mg;
	chomp $result;
	return $result;
}

sub pid
{
	my ($self) = @_;

	return $self->query('SELECT pg_backend_pid()');
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	eval { $self->{psql}->finish };
	return;
}

1;
