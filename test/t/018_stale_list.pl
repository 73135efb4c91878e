# A reader whose list of segments is older than his snapshot: the transaction
# that has rewritten segments is visible already, but has not told of it yet. He
# reads the old segments, and these may then be dropped under him, but for those
# that he has begun with. He goes on with the new ones, and no record is missing,
# and none comes twice.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Session;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
autovacuum = off
log_statement = none
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION pg_topic');

# Build the module where it may be written to.
my $build = PostgreSQL::Test::Utils::tempdir();
my $source = "$FindBin::RealBin/../commit_stop";
system_or_bail('cp', "$source/Makefile", "$source/commit_stop.c", $build);
system_or_bail('make', '-s', '-C', $build, 'with_llvm=no');

my $stop = $node->data_dir . '/commit_stop';
my $stopped = $node->data_dir . '/commit_stopped';

# Three sealed segments, all settled, that maintenance has been told to leave
# alone so far.
sub make_topic
{
	my ($topic, $options, $then) = @_;

	$node->safe_psql('postgres', qq{
		SELECT topic.create_topic('$topic', merge_small_batches => false$options);
		DO \$\$
		BEGIN
			FOR segment IN 1 .. 3 LOOP
				FOR n IN 1 .. 30 LOOP
					PERFORM topic.produce('$topic', segment || ' ' || n, 'key');
				END LOOP;
				PERFORM topic.roll_segment('$topic');
				COMMIT;
			END LOOP;
		END \$\$;
		CALL topic.maintain();
		SELECT topic.alter_topic('$topic', $then)});
	return;
}

# Maintenance comes to do something, and stops where it is visible; a reader
# begins with a list that he had before; and goes on when maintenance is
# through.
sub read_meanwhile
{
	my ($topic) = @_;
	my $maintainer = Session->new($node);
	my $reader = Session->new($node);

	$maintainer->query("LOAD '$build/commit_stop.so'");
	is($reader->query("SELECT count(*) FROM topics.$topic"), '90', "$topic: there are records");
	append_to_file($stop, '');
	$maintainer->send('CALL topic.maintain(); CALL topic.maintain()');
	foreach (1 .. $PostgreSQL::Test::Utils::timeout_default * 10)
	{
		last if -e $stopped;
		sleep 0.1;
	}
	ok(-e $stopped, "$topic: maintenance is visible and has not told");
	$reader->query("BEGIN; DECLARE c CURSOR FOR SELECT record_offset FROM topics.$topic");
	my @records = split /\n/, $reader->query('FETCH 3 FROM c');
	unlink $stop;
	is($maintainer->receive, '', "$topic: maintenance is through");
	push @records, split /\n/, $reader->query('FETCH ALL FROM c');
	is($reader->query('COMMIT'), '', "$topic: the reader, too");
	$_->quit foreach $maintainer, $reader;
	return @records;
}

sub segments
{
	my ($topic) = @_;
	return $node->safe_psql('postgres', qq{
		SELECT string_agg(segment || '.' || generation || CASE WHEN retired_at IS NULL THEN '' ELSE ' retired' END, ', '
			ORDER BY segment, generation)
		FROM topic.segments JOIN topic.topics USING (topic_id) WHERE topic = '$topic'});
}

# Merged: the rest is in the middle of a row of the new segment.
make_topic('merged', '', 'merge_small_batches => true');
my @records = read_meanwhile('merged');
is(segments('merged'), '0.0 retired, 0.1, 3.0', 'merged: old segments were dropped under the reader');
is("@records", join(' ', 0 .. 89), 'merged: the reader got each record once');

# Compacted: he got some that are gone now, and each that is there.
make_topic('compacted', q{, cleanup_policy => 'compact', min_compaction_lag => '1 year'},
	q{min_compaction_lag => '0'});
@records = read_meanwhile('compacted');
like(segments('compacted'), qr/^0\.0 retired, 0\.1, .*3\.0$/,
	'compacted: old segments were dropped under the reader');
like("@records", qr/^0 1 2( \d+)* 89$/, 'compacted: the reader got the latest record');
is("@records", join(' ', sort { $a <=> $b } @records), 'compacted: in order');

done_testing();
