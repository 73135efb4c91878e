# The ways to dump and restore besides the plain ones (010_dump.pl): in pieces,
# over what is there, on a server without the roles, from a standby, and while
# transactions are open.  What does not work says so, and does no harm.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Contents qw(contents);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "autovacuum = off\nmax_prepared_transactions = 5");
$node->start;
my $dumps = PostgreSQL::Test::Utils::tempdir;

$node->safe_psql('postgres', 'CREATE DATABASE source; CREATE ROLE alice; CREATE ROLE bob');
$node->safe_psql('source', $_) for (
	'CREATE EXTENSION pg_topic; GRANT CREATE ON SCHEMA topics, public TO alice',
	q{SET ROLE alice;
		SELECT topic.create_topic('orders', 2, retention => '7 days', compression => 'lz4');
		SELECT topic.create_topic('item.log', value_format => 'json', cleanup_policy => 'compact');
		COMMENT ON FOREIGN TABLE topics.orders IS 'all orders';
		GRANT SELECT, INSERT ON topics.orders TO bob;
		SELECT topic.produce_batch('orders', ARRAY(SELECT 'v' || i FROM generate_series(1, 1000) i), partition => 0)},
	q{SELECT topic.roll_segment('orders')},
	q{SET ROLE alice;
		CREATE TABLE item (id int PRIMARY KEY, name text);
		SELECT topic.capture_table('item', 'item.log', payload => 'row');
		INSERT INTO item VALUES (1, 'one')},
	q{SET ROLE alice; SELECT count(*) FROM topic.consume('alices', 'orders', 100, commit => true);
		SELECT topic.grant_group('alices', 'bob')},
	q{SET ROLE bob; SELECT count(*) FROM topic.consume('bobs', 'orders', 200, commit => true)},
	q{SELECT topic.produce('orders', 'of a producer', partition => 0, producer_id => producer_id,
		producer_epoch => producer_epoch, sequence => 0) FROM topic.init_producer('p')},
	q{SELECT topic.join_group('members', '{orders}')},
	# Two that are open, before a record that is committed
	q{BEGIN; SELECT topic.produce('orders', 'prepared', partition => 1); PREPARE TRANSACTION 'prepared'});
my $open = Session->new($node, dbname => 'source');
$open->query(q{BEGIN; SELECT topic.produce('orders', 'open', partition => 1)});
$node->safe_psql('source', q{SELECT topic.produce('orders', 'behind', partition => 1)});

# All of a database, as text.  The last stable offset of partition 1 is left out,
# and its records are, since nothing is open in a restored one.
sub all_of
{
	my ($server, $database) = @_;
	return contents($server, $database, qw(topics segments committed producers captures))
	  . $server->safe_psql($database, q{
		SELECT topic, partition, log_start_offset, high_watermark FROM topic.topics, topic.offsets(topic) ORDER BY 1, 2;
		SELECT topic, count(*), md5(string_agg(f::text, ',' ORDER BY record_offset)) FROM topic.topics, topic.fetch(topic, 0) f
			GROUP BY topic ORDER BY topic;
		SELECT * FROM item;
		SELECT obj_description('topics.orders'::regclass)});
}

# and what takes the roles
sub owned_of
{
	my ($server, $database) = @_;
	return contents($server, $database, qw(groups owners privileges));
}

my $source = all_of($node, 'source');
my $source_owned = owned_of($node, 'source');

sub dump_to
{
	my ($file, @options) = @_;
	$node->command_ok([ 'pg_dump', '-f', "$dumps/$file", @options, $node->connstr('source') ], "pg_dump @options");
	return;
}

sub create_database
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	return;
}

sub restore
{
	my ($database, $file, @options) = @_;
	$node->command_ok([ 'pg_restore', '-e', '-d', $node->connstr($database), @options, "$dumps/$file" ], "pg_restore @options");
	return;
}

sub run_script
{
	my ($database, $file) = @_;
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$dumps/out",
		'-d', $node->connstr($database), '-f', "$dumps/$file" ], "psql -f $file");
	return;
}

sub is_same
{
	my ($database, $name) = @_;
	is(all_of($node, $database), $source, "$name: the same");
	is(owned_of($node, $database), $source_owned, "$name: whose it is");
	return;
}

# A record of a transaction that is open when the dump begins is not in it, and
# nothing waits for that transaction.
dump_to('custom', '-Fc');
$node->safe_psql('source', q{COMMIT PREPARED 'prepared'});
$open->query('COMMIT');
is($node->safe_psql('source', 'SELECT record_offset FROM topics.orders WHERE partition = 1'), "0\n1\n2",
	'what was open has been committed');
create_database('instant');
restore('instant', 'custom');
is_same('instant', 'of an instant');
is($node->safe_psql('instant', q{
		SELECT record_offset, value FROM topics.orders WHERE partition = 1;
		SELECT last_stable_offset, high_watermark FROM topic.offsets('orders') WHERE partition = 1;
		SELECT topic.produce('orders', 'next', partition => 1)}),
	"2|behind\n3|3\n3", 'of an instant: a gap, and no next offset within it');
is($node->safe_psql('instant', 'SELECT count(*) FROM topic.members'), '0', 'members are left out');
is($node->safe_psql('instant', q{
		UPDATE item SET name = 'two'; SELECT value->>'name' FROM topics."item.log"}), "one\ntwo", 'the capture goes on');

# Over itself, once without and once with --clean
my $changed = all_of($node, 'instant');
$node->command_fails([ 'pg_restore', '-d', $node->connstr('instant'), "$dumps/custom" ], 'pg_restore, over a database');
is(all_of($node, 'instant'), $changed, 'changes nothing of it');
restore('instant', 'custom', '--clean', '--if-exists', '-j', '2');
is_same('instant', 'over a database');

# In pieces
create_database('sections');
restore('sections', 'custom', "--section=$_") for ('pre-data', 'data', 'post-data');
is_same('sections', 'sections');
create_database('once');
restore('once', 'custom', '--single-transaction');
is_same('once', 'a single transaction');
create_database('pieces');
$open->quit;
$node->safe_psql('postgres', q{
	ALTER DATABASE source RENAME TO changed;
	ALTER DATABASE instant RENAME TO source});
dump_to('schema', '--schema-only');
dump_to('data', '--data-only', '--disable-triggers');
run_script('pieces', $_) for ('schema', 'data');
is_same('pieces', 'schema and data');
is($node->safe_psql('pieces', q{SELECT topic.produce('orders', 'next', partition => 1);
		SELECT topic.create_topic('new'); SELECT topic_id FROM topic.topics WHERE topic = 'new'}), "3\n\n3", 'and goes on');
dump_to('directory', '-Fd', '-j', '2');
create_database('parallel');
restore('parallel', 'directory', '-j', '2');
is_same('parallel', 'parallel');

# The relation alone is no topic.
dump_to('relation', '-t', 'topics.orders');
create_database('relation');
$node->safe_psql('relation', 'CREATE EXTENSION pg_topic');
run_script('relation', 'relation');
my ($result, $stdout, $stderr) = $node->psql('relation', 'SELECT * FROM topics.orders');
like($stderr, qr/foreign table "orders" is not the relation of a topic/, 'the relation alone');

# Without segments: each use says what is missing, and the topic can be dropped.
dump_to('no_segments', '--exclude-schema=topic_log');
create_database('no_segments');
run_script('no_segments', 'no_segments');
for my $use (q{SELECT * FROM topics.orders}, q{SELECT topic.produce('orders', 'v')}, q{SELECT * FROM topic.offsets('orders')})
{
	($result, $stdout, $stderr) = $node->psql('no_segments', $use);
	like($stderr, qr/segment "segment_1_.*" of topic "orders" is missing/, "without segments: $use");
}
is($node->safe_psql('no_segments', q{SELECT topic.drop_topic('orders'); SELECT topic FROM topic.topics}), "\nitem.log",
	'without segments: the topic can be dropped');

# The records of a foreign table are those of the segments; they do not come twice.
dump_to('foreign', '-Fc', '--include-foreign-data=pg_topic');
create_database('foreign_data');
$node->command_fails_like([ 'pg_restore', '-d', $node->connstr('foreign_data'), "$dumps/foreign" ],
	qr/cannot insert a non-null value into column "record_offset"|is not the relation of a topic/,
	'--include-foreign-data');
is_same('foreign_data', '--include-foreign-data');

# From a standby, which reads the same prefix
$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
is(all_of($standby, 'source'), $source, 'the standby has the same');
$standby->command_ok([ 'pg_dump', '-Fd', '-j', '2', '-f', "$dumps/standby", $standby->connstr('source') ], 'pg_dump on the standby');
$standby->stop;
create_database('of_standby');
restore('of_standby', 'standby');
is_same('of_standby', 'from a standby');

# Another server, without the roles: but for owners and privileges, groups are
# what is missing.  They come into being again, at their committed offsets.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->append_conf('postgresql.conf', 'autovacuum = off');
$other->start;
$other->safe_psql('postgres', 'CREATE DATABASE no_owner');
$other->command_checks_all([ 'pg_restore', '--no-owner', '--no-acl', '-d', $other->connstr('no_owner'), "$dumps/custom" ],
	1, [], [ qr/COPY failed for table "groups": ERROR:  role "alice" does not exist/, qr/errors ignored on restore: 1$/ ],
	'no roles: one error');
is(all_of($other, 'no_owner'), $source, 'no roles: all but groups');
is($other->safe_psql('no_owner', q{
		CREATE ROLE carol; GRANT SELECT ON topics.orders TO carol;
		SET ROLE carol; SELECT topic.create_group('alices'); RESET ROLE;
		SELECT owner FROM topic.groups WHERE group_id = 'alices';
		SELECT record_offset FROM topic.consume('alices', 'orders', 1, ARRAY[0])}),
	"\ncarol\n100", 'no roles: a group is created again, and goes on');
$other->command_like([ 'pg_restore', '-f', '-', '-t', 'groups', "$dumps/custom" ], qr/^alices\talice\t\{bob\}/m,
	'the dump tells whose a group was');

# pg_dumpall has the roles.
$other->safe_psql('postgres', $_) for ('DROP DATABASE no_owner', 'DROP ROLE carol');
$node->safe_psql('postgres', "DROP DATABASE $_")
  for qw(changed sections once pieces parallel relation no_segments foreign_data of_standby);
$node->command_ok([ 'pg_dumpall', '-f', "$dumps/cluster", '-d', $node->connstr('postgres') ], 'pg_dumpall');
$other->command_ok([ 'psql', '-X', '-q', '-o', "$dumps/out", '-d', $other->connstr('postgres'), '-f', "$dumps/cluster" ],
	'and its restore');
is(all_of($other, 'source'), $source, 'pg_dumpall: the same');
is(owned_of($other, 'source'), $source_owned, 'pg_dumpall: whose it is');

$other->stop;
$node->stop;
done_testing();
