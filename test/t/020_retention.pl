# What sealed segments cost: freezing them soon, and dropping them, writes little
# WAL; the space is back at once; and nothing comes back after a crash. A
# prepared transaction that has read holds up a drop.
#
# Counts bytes of WAL and of files, no times.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => ['--data-checksums']);
$node->append_conf('postgresql.conf', q{
autovacuum = off
checkpoint_timeout = 1h
max_wal_size = 2GB
shared_buffers = 256MB
max_prepared_transactions = 2
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION pg_topic;
	CREATE EXTENSION pg_visibility;
	SELECT topic.create_topic('t', 2, merge_small_batches => false);
	CREATE PROCEDURE fill(megabytes int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1 .. megabytes LOOP
			PERFORM topic.produce_batch('t', array_fill(repeat('x', 1000), ARRAY[1000]), partition => i % 2);
			COMMIT;
		END LOOP;
	END $$;
});

my $session = Session->new($node);

# Bytes of WAL that statements write; as if nobody else did.
sub wal_bytes
{
	my ($sql) = @_;
	my $before = $session->query('SELECT pg_current_wal_insert_lsn()');

	$session->query($sql);
	return $session->query("SELECT pg_current_wal_insert_lsn() - '$before'");
}

sub maintenance
{
	my ($columns) = @_;
	return $session->query("SELECT $columns FROM topic.maintenance WHERE topic = 't'");
}

# Pages of a segment and of its TOAST table, and how many of them are frozen.
sub frozen_pages
{
	my ($segment) = @_;
	return $session->query(qq{
		SELECT sum(pg_relation_size(relation) / 8192), sum(all_frozen)
		FROM (SELECT '$segment'::regclass UNION ALL
			SELECT reltoastrelid FROM pg_class WHERE oid = '$segment'::regclass) r(relation),
			pg_visibility_map_summary(relation)});
}

# A sealed segment, with large records and rolled back ones, is frozen at once.
$session->query('CALL fill(20)');
$session->query(q{SELECT topic.produce('t', repeat('x', 1000000), partition => 0)});
$session->query(q{BEGIN; SELECT count(*) FROM topic.produce_batch('t', array_fill(repeat('x', 1000), ARRAY[1000])); ROLLBACK});
$session->query(q{SELECT topic.roll_segment('t')});
my $segment = 'topic_log.segment_1_0';
my $bytes = $session->query("SELECT pg_total_relation_size('$segment')");
like(frozen_pages($segment), qr/\|0$/, 'no page is frozen while the segment is active');
my $wal = wal_bytes('CALL topic.maintain()');
note("settling and freezing $bytes bytes writes $wal bytes of WAL");
is(maintenance('settled, frozen, due'), '1|1|{}', 'a segment is settled and frozen');
my ($pages, $frozen) = split /\|/, frozen_pages($segment);
cmp_ok($pages, '>', 2500, 'it has many pages');
is($frozen, $pages, 'all of them are frozen');
cmp_ok($wal, '<', $bytes / 10,
	'in the same checkpoint cycle that writes little WAL');

# VACUUM finds nothing to do in it, also after a checkpoint and when the age of
# its transactions would ask for it.
$session->query('CHECKPOINT');
$session->query('SELECT pg_current_xact_id()') for 1 .. 10;
cmp_ok(wal_bytes("VACUUM (FREEZE) $segment"), '<', $bytes / 100,
	'a later VACUUM (FREEZE) writes no page again');

# What is not sealed is what such a VACUUM would write.
$session->query('CALL fill(20)');
$session->query('CHECKPOINT');
cmp_ok(wal_bytes('VACUUM (FREEZE) topic_log.segment_1_1'),
	'>', $bytes / 2, 'of the active segment it does');

# Retention of many megabytes: the WAL for it is less than 1% of them, and the
# space is back when the call is.
$session->query(q{SELECT topic.roll_segment('t')});
$session->query('CALL fill(20)');
$session->query('CALL topic.maintain()');
is(maintenance('frozen, dropped, bytes_dropped'), '2|0|0', 'nothing is dropped yet');
$session->query('CHECKPOINT');
my $size = $session->query('SELECT pg_database_size(current_database())');
$session->query(q{SELECT topic.alter_topic('t', retention => '1 ms', segment_age => '1 day')});
$wal = wal_bytes('CALL topic.maintain()');
my $dropped = maintenance('bytes_dropped');
note("dropping $dropped bytes writes $wal bytes of WAL");
is(maintenance('dropped'), '2', 'two segments are dropped');
cmp_ok($dropped, '>', 40000000, 'they were large');
cmp_ok($wal * 100, '<', $dropped, 'the WAL for that is less than 1% of them');
cmp_ok( $size - $session->query('SELECT pg_database_size(current_database())'),
	'>', $dropped * 0.98, 'the space is back at once');
my $offsets = q{
	SELECT string_agg(concat_ws('/', log_start_offset, last_stable_offset, high_watermark), ', ' ORDER BY partition)
	FROM topic.offsets('t')};
my $log = $session->query($offsets);

# A reader who is prepared keeps his locks, and holds up the drop, for as long as
# it takes; the server may crash meanwhile.
$session->query(q{SELECT topic.roll_segment('t')});
is($session->query(q{
		BEGIN;
		INSERT INTO topic.groups (group_id, owner) VALUES ('a write', 'postgres');
		SELECT count(*) FROM topic.fetch('t', max_records => 1);
		PREPARE TRANSACTION 'reader'}), '1', 'a prepared transaction has read');
$session->query('CALL topic.maintain()');
is( maintenance('due, held_up, held_up_by'), '{drop}|{drop}|{0}',
	'it holds up the drop of a segment');
$session->quit;
$node->stop('immediate');
$node->start;
$session = Session->new($node);
is(maintenance('due, held_up, held_up_by'), '{drop}|{drop}|{0}', 'over a crash, too');
is($session->query($offsets), $log =~ s/\b\d+\/(\d+)\/\d+/$1\/$1\/$1/gr,
	'the log starts at its end');
$session->query('CALL topic.maintain()');
is(maintenance('dropped'), '2', 'nothing is dropped');
$session->query("COMMIT PREPARED 'reader'");
$session->query('CALL topic.maintain()');
is(maintenance('due, dropped'), '{}|3', 'when it has ended, it is');

is($session->query(q{SELECT topic.produce('t', 'next', partition => p) FROM generate_series(0, 1) p}),
	join("\n", $log =~ /(\d+)(?:,|$)/g), 'offsets go on');

$session->quit;
done_testing();
