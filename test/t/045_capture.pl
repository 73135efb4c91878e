# Captured tables: what topics tell of tables that are changed at random, see
# capture.py; captures in a dump; changes that replication applies.
#
# Takes some ten seconds, or PG_TOPIC_CAPTURE_SECONDS.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Workload;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--encoding=UTF8']);
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 20
max_pred_locks_per_transaction = 512
log_min_messages = fatal
autovacuum_naptime = 1s
});
$node->start;

Workload->start_program('capture.py', $node, '--seconds', $ENV{PG_TOPIC_CAPTURE_SECONDS} || 10)->finish;

# Captures are in a dump, as triggers of the tables; so a table can also be
# restored alone, by its owner.
$node->safe_psql('postgres', q{
	CREATE ROLE shop;
	CREATE SCHEMA shop AUTHORIZATION shop;
	SELECT topic.create_topic('shop');
	GRANT INSERT ON topics.shop TO shop;
	SET ROLE shop;
	CREATE TABLE shop.item (junk int, "the ""id""" int PRIMARY KEY, name text);
	ALTER TABLE shop.item DROP junk;
	SELECT topic.capture_table('shop.item', 'shop', events => '{insert,delete}', payload => 'row');
	INSERT INTO shop.item VALUES (1, 'before')});
my $captures = 'SELECT * FROM topic.captured_tables ORDER BY table_name::text, topic';
my $expected = $node->safe_psql('postgres', $captures);
like($expected, qr/shop\.item\|shop\|\{"the \\"id\\""\}\|\{insert,delete\}\|row\|t/, 'captured tables');
my $dump = $node->backup_dir . '/dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
is($node->safe_psql('restored', $captures), $expected, 'captured tables of the restored database');
is($node->safe_psql('restored', q{
		SET ROLE shop;
		INSERT INTO shop.item VALUES (2, 'after');
		DELETE FROM shop.item WHERE name = 'before';
		RESET ROLE;
		SELECT key, value FROM topics.shop ORDER BY record_offset}),
	"{\"the \\\"id\\\"\":1}|{\"the \\\"id\\\"\":1,\"name\":\"before\"}\n"
	  . "{\"the \\\"id\\\"\":2}|{\"the \\\"id\\\"\":2,\"name\":\"after\"}\n"
	  . '{"the \"id\"":1}|', 'which goes on');
isnt($node->psql('restored', q{SELECT topic.drop_topic('shop')}), 0, 'nor is its topic dropped');

# What replication applies is captured where the trigger says so.
is($node->safe_psql('restored', q{
		SET session_replication_role = replica;
		INSERT INTO shop.item VALUES (3, 'applied');
		SELECT format('ALTER TABLE shop.item ENABLE ALWAYS TRIGGER %I', tgname)
			FROM pg_trigger WHERE tgrelid = 'shop.item'::regclass AND tgqual IS NULL \gexec
		INSERT INTO shop.item VALUES (4, 'applied');
		SELECT key FROM topics.shop WHERE record_offset > 2}), '{"the \"id\"":4}', 'ENABLE ALWAYS TRIGGER');

$node->stop;
done_testing();
