# ALTER EXTENSION UPDATE: from each released version to what CREATE EXTENSION
# makes now; with data, which is used before, meanwhile and after; and a library
# that is newer than its catalog.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Contents;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

# Versions that people have, and what the tables of each are to be: see
# CATALOG_VERSION in src/catalog.h.
my @released = ('0.1.0');

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
shared_preload_libraries = 'pg_topic'
pg_topic.maintenance_interval = 1s
max_prepared_transactions = 10
});
$node->start;
my $dumps = PostgreSQL::Test::Utils::tempdir;

sub create_extension
{
	my ($database, $version) = @_;

	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION pg_topic' . ($version ? " VERSION '$version'" : ''));
	return;
}

sub update_extension
{
	my ($database) = @_;

	$node->safe_psql($database, 'ALTER EXTENSION pg_topic UPDATE');
	return;
}

# All that the extension consists of, as SQL. For pg_upgrade, pg_dump dumps each
# object of an extension. What numbers objects and transactions have is left
# out, and which tables a dump has the data of is asked for by name.
sub definition
{
	my ($database) = @_;

	$node->run_log([ 'pg_dump', '--schema-only', '--binary-upgrade', '-f', "$dumps/$database",
			$node->connstr($database) ]) or die 'pg_dump failed';
	my $definition = slurp_file("$dumps/$database");
	$definition =~ s/^\\(un)?restrict .*\n//mg;
	$definition =~ s/^.*binary_upgrade_set_next_attribute_versions.*\n//mg;
	$definition =~ s/'[0-9]+'(?=::pg_catalog\.oid)//g;
	$definition =~ s/^(SET relfrozenxid = )'[0-9]+'(, relminmxid = )'[0-9]+'/$1$2/mg;
	$definition =~ s/^(WHERE oid = )'[0-9]+'/$1/mg;
	$definition =~ s/(binary_upgrade_create_empty_extension\([^{]*).*/$1/g;
	return $definition . $node->safe_psql($database, q{
		SELECT t::regclass, condition FROM pg_extension, unnest(extconfig, extcondition) c(t, condition)
		WHERE extname = 'pg_topic' ORDER BY t::regclass::text});
}

sub tables
{
	my ($database) = @_;

	return $node->safe_psql($database, q{
		SELECT attrelid::regclass::text, attnum, attname, format_type(atttypid, atttypmod), attnotnull
		FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
		WHERE relnamespace = 'topic'::regnamespace AND relkind = 'r' AND attnum > 0 ORDER BY 1, 2});
}

# Functions in C by the symbols in the library, with what they are called with
# and what they return.
sub c_functions
{
	my ($database) = @_;

	return split /\n/, $node->safe_psql($database, q{
		SELECT prosrc, oidvectortypes(proargtypes), pg_get_function_result(oid)
		FROM pg_proc WHERE probin ~ 'pg_topic'});
}

create_extension('fresh');
my $fresh = definition('fresh');
my %c_functions = map { $_ => 1 } c_functions('fresh');
my %symbols = map { (split /\|/)[0] => 1 } keys %c_functions;
like($fresh, qr/CREATE FUNCTION topic\.produce\(/, 'there is something to compare');

foreach my $version (@released)
{
	(my $database = "from_$version") =~ tr/./_/;
	create_extension($database, $version);

	# Before the update: the library works with the tables as they are, and its
	# functions are called as they were written for.
	is(tables($database), tables('fresh'), "$version: the library knows the tables: see CONTRIBUTING.md");
	is_deeply([ grep { !$c_functions{$_} && $symbols{ (split /\|/)[0] } } c_functions($database) ], [],
		"$version: C functions have the arguments that they had, or another symbol: see CONTRIBUTING.md");

	update_extension($database);
	my $upgraded = definition($database);
	if (!ok($upgraded eq $fresh, "$version: upgraded as if created: see CONTRIBUTING.md"))
	{
		append_to_file("$dumps/expected", $fresh);
		append_to_file("$dumps/upgraded", $upgraded);
		my ($difference) = run_command([ 'diff', '-u', "$dumps/expected", "$dumps/upgraded" ]);
		diag($difference);
	}

	# With data, of before and of afterwards.
	create_extension("${database}_data", $version);
	my $contents = Contents->new($node, "${database}_data");
	update_extension("${database}_data");
	$contents->is_same($version);
	$contents->leave;
	$contents->goes_on($version);

	# With transactions that are open meanwhile, and sessions that go on.
	my $live = "${database}_live";
	create_extension($live, $version);
	$node->safe_psql($live, $_) for (
		q{SELECT topic.create_topic('t', 2)},
		q{SELECT topic.produce('t', 'before ' || p, partition => p) FROM generate_series(0, 1) p},
		q{BEGIN; SELECT topic.produce('t', 'prepared', partition => 0); PREPARE TRANSACTION 'producer'},
		q{BEGIN; SELECT FROM topic.consume('g', 't', partitions => ARRAY[1], commit => true); PREPARE TRANSACTION 'consumer'});
	my $session = Session->new($node, dbname => $live);
	$session->query(q{SELECT * FROM topic.join_group('members', ARRAY['t'], 'm')});
	is($session->query(q{SELECT value FROM topic.poll_text('members', 'm') WHERE partition = 0}), 'before 0',
		"$version: a member polls");
	$session->query(q{SELECT topic.commit_polled('members', 'm')});
	my $producer = Session->new($node, dbname => $live);
	$producer->query(q{BEGIN; SELECT topic.produce('t', 'open', partition => 1)});
	update_extension($live);
	is($producer->query(q{SELECT topic.produce('t', 'and goes on', partition => 1)}), 2, "$version: a producer goes on");
	$producer->query('COMMIT');
	$node->safe_psql($live, $_) for (q{COMMIT PREPARED 'producer'}, q{COMMIT PREPARED 'consumer'});
	is($node->safe_psql($live, q{SELECT partition, value FROM topic.consume_text('g', 't', commit => true) ORDER BY 1, record_offset}),
		"0|before 0\n0|prepared\n1|open\n1|and goes on", "$version: what was prepared, and open");
	is($session->query(q{SELECT partition, value FROM topic.poll_text('members', 'm') ORDER BY 1, record_offset}),
		"0|prepared\n1|open\n1|and goes on", "$version: the member goes on");
	is($session->query(q{SELECT count(*) FROM topic.fetch('t')}), 5, "$version: a session fetches");
	$_->quit for ($session, $producer);
}

# A catalog that the library does not work with: a clear error, and no crash of
# the worker, which goes on when the catalog is another one.
sub set_version
{
	my ($version) = @_;

	# A real update changes tables, which sessions learn of.
	$node->safe_psql('postgres', qq{
		UPDATE pg_extension SET extversion = '$version' WHERE extname = 'pg_topic';
		DROP TABLE IF EXISTS changed;
		CREATE TABLE changed ()});
	return;
}

my $error = qr/extension "pg_topic" is of version 0\.0\.9, too old for its library.*HINT:  Run ALTER EXTENSION pg_topic UPDATE/s;
my $worker = q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_topic maintenance'};
my $rolled = q{SELECT rolled > %d FROM topic.maintenance WHERE topic = 't'};
$node->safe_psql('postgres', q{CREATE EXTENSION pg_topic; CREATE TABLE item (id int PRIMARY KEY)});
$node->safe_psql('postgres', q{SELECT topic.create_topic('t', segment_bytes => 1, merge_small_batches => false);
	SELECT topic.capture_table('item', 't')});
my $log_size = -s $node->logfile;
my $pid = $node->safe_psql('postgres', $worker);
isnt($pid, '', 'there is a worker');
my $session = Session->new($node);
is($session->query(q{SELECT topic.produce('t', 'v')}), 0, 'the library works with its own version');
ok($node->poll_query_until('postgres', sprintf($rolled, 0)), 'so does the worker');
set_version('0.0.9');
is($session->query(q{SELECT topic.produce('t', 'v')}), 'ERROR:  55000', 'a session notices that the version is another');
foreach my $query (
	q{SELECT topic.produce('t', 'v')},
	q{SELECT topic.create_topic('other')},
	q{SELECT * FROM topic.fetch('t')},
	q{SELECT * FROM topics.t},
	q{SELECT * FROM topic.consume('g', 't')},
	q{SELECT * FROM topic.join_group('g', ARRAY['t'])},
	q{SELECT topic.create_group('g')},
	q{SELECT topic.init_producer('p')},
	q{SELECT topic.first_time('g', 'k')},
	q{SELECT * FROM topic.topic_stats},
	q{INSERT INTO item VALUES (1)},
	q{CALL topic.maintain()})
{
	my ($result, $stdout, $stderr) = $node->psql('postgres', $query);
	like($stderr, $error, "too old a catalog: $query");
}
$node->safe_psql('postgres', 'CREATE TABLE other (); DROP TABLE other');
pass('which does not concern the other tables of the database');
$node->wait_for_log($error, $log_size);
set_version($node->safe_psql('fresh', q{SELECT topic.library_version()}));
is($session->query(q{SELECT topic.produce('t', 'v')}), 1, 'the version is right: the session goes on');
ok($node->poll_query_until('postgres', sprintf($rolled, 1)), 'and so does the worker');
is($node->safe_psql('postgres', $worker), $pid, 'which is the same');
is($node->safe_psql('fresh', q{SELECT topic.library_version() = extversion FROM pg_extension WHERE extname = 'pg_topic'}), 't',
	'the library is of the version that it was built for');

$session->quit;
$node->stop;
done_testing();
