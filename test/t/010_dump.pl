# pg_dump and restore into a new database: the same topics, records, offsets,
# groups and committed offsets, and everything goes on from there.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Contents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;
my $dumps = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', 'CREATE EXTENSION pg_topic');
my $source = Contents->new($node, 'source');

# Dump and restore it in two ways.
my %restore = (
	plain => sub {
		$node->command_ok([ 'pg_dump', '-f', "$dumps/plain", $node->connstr('source') ], 'pg_dump');
		$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('plain'),
			'-f', "$dumps/plain" ], 'psql');
	},
	custom => sub {
		$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dumps/custom", $node->connstr('source') ], 'pg_dump -Fc');
		$node->command_ok([ 'pg_restore', '-e', '-j', '2', '-d', $node->connstr('custom'), "$dumps/custom" ],
			'pg_restore -j');
	});
for my $name (sort keys %restore)
{
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$restore{$name}->();
	my $restored = $source->moved(database => $name);
	$restored->is_same($name);
	$restored->goes_on($name);
}
$source->is_same('the source is unchanged');

# The schema alone: relations without topics, which do not get in the way.
$node->safe_psql('postgres', 'CREATE DATABASE bare');
$node->command_ok([ 'pg_dump', '--schema-only', '-f', "$dumps/bare", $node->connstr('source') ], 'pg_dump --schema-only');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('bare'), '-f', "$dumps/bare" ],
	'and its restore');
is($node->safe_psql('bare', q{SELECT count(*) FROM topic.topics; SELECT count(*) FROM topic.lag;
		SELECT count(*) FROM topic.topic_stats}), "0\n0\n0", 'there are no topics');
my ($result, $stdout, $stderr) = $node->psql('bare', q{SELECT * FROM topics.orders});
like($stderr, qr/foreign table "orders" is not the relation of a topic/, 'a relation reads nothing');
($result, $stdout, $stderr) = $node->psql('bare', q{SELECT topic.create_topic('orders')});
like($stderr, qr/relation "topics.orders" already exists.*HINT:  Drop or rename it/s, 'and says what it is');
is($node->safe_psql('bare', q{SELECT topic.create_topic('new'); SELECT topic.produce('new', 'v');
		SELECT value FROM topics.new}), "\n0\nv", 'a topic of a new name');
is($node->safe_psql('bare', q{DROP VIEW of_orders; DROP FOREIGN TABLE topics.orders;
		SELECT topic.create_topic('orders'); SELECT topic.produce('orders', 'v'); SELECT value FROM topics.orders}),
	"\n0\nv", 'a topic of the same name');

$source->leave;
$node->stop;
done_testing();
